-- Facts to ask conditions about: a table "fact" with the columns of cec.rule_fact, and a view "plain" with the same rows in
-- which what conditions derive is computed by SQL of its own. A seed makes rows with NULLs anywhere; each column is NULL
-- in at least one row that is otherwise full.
CREATE TEMP TABLE fact (LIKE cec.rule_fact);
INSERT INTO fact
SELECT n, 'P-' || n, (ARRAY['code128', 'code39'])[1 + n % 2], '88-' || n % 7, (ARRAY['Nordpump', 'Voltis', 'Å & Co', ''])[1 + n % 4], 'CX-' || n % 3,
	(ARRAY['pump', 'motor', 'Sensor'])[1 + n % 3], (ARRAY['production', 'backup', 'PRODUCTION', 'ab%_'])[1 + n % 4],
	(ARRAY['in_service', 'planned', 'retired'])[1 + n / 3 % 3], n % 5, (ARRAY['DE', 'AT', 'CH'])[1 + n % 3], 'DE-BY',
	CASE n % 3 WHEN 0 THEN 'SRID=4326;POINT(5 50)' WHEN 1 THEN 'SRID=4326;POINT(10 52)' ELSE 'SRID=4326;POINT(11.5 48.2)' END::geometry,
	date '2008-02-29' + n * 97, date '2026-09-30' - n * 10, CASE WHEN n % 2 = 0 THEN '{[2026-01-01,2026-07-01)}' ELSE '{}' END::datemultirange,
	n + 1, jsonb_build_object('fuel', (ARRAY['gas', 'coal'])[1 + n % 2], 'kw', n * 1.5, 'text_kw', CASE n % 4 WHEN 0 THEN 'n/a' WHEN 1 THEN '1e3' ELSE (n * 10)::text END,
		'installed', CASE n % 3 WHEN 0 THEN '2019-06-30' WHEN 1 THEN '2019-02-30' ELSE '30.06.2019' END, 'is_leased', n % 2 = 0,
		'tags', CASE WHEN n % 4 = 0 THEN '"a"' WHEN n % 4 = 1 THEN '[]' ELSE jsonb_build_array('a', 'b', n) END, 'site', jsonb_build_object('hall', n % 3), 'big', 4000000000 + n) - CASE WHEN n % 10 = 0 THEN 'fuel' ELSE '' END,
	(ARRAY['erp', 'mastr'])[1 + n % 2], timestamptz '2026-01-01 00:00+00' + n * interval '11 hours',
	date '2026-02-28' + n % 3, NULL, NULL, NULL, 'S-' || n % 3, 'service', 'DE', (ARRAY['gold', 'silver'])[1 + n % 2], n % 4,
	4.5 * (n % 3 + 1), date '2026-01-01' - n, date '2026-02-28' + n, 60 + n,
	'SRID=4326;MULTIPOLYGON(((5 47,15 47,15 52,5 52,5 47)))'::geometry, NULL,
	CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE '{inspection,repair,inspection,pump}' END::text[],
	CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY[date '2025-02-27' - n % 6 * 30 + n, '2026-01-15', date '2026-02-20' + n, '2020-02-02'] END,
	CASE n % 2 WHEN 0 THEN NULL ELSE ARRAY[date '2026-02-01' + n % 31, '2025-12-01'] END
FROM generate_series(1, 60) AS n;
-- Places beside the boundary and on its edge.
UPDATE fact SET location = 'SRID=4326;POINT(16 50)' WHERE asset_id % 6 = 4;
-- Anniversaries, and days before the first.
UPDATE fact SET commissioned_on = as_of - interval '10 years' WHERE asset_id % 7 = 0;
UPDATE fact SET commissioned_on = as_of + 40 WHERE asset_id % 11 = 0;
-- What happened on the very day, and on the day that is just too long ago.
UPDATE fact SET maintenance_days[1] = as_of WHERE asset_id % 13 = 0 AND maintenance_kinds <> '{}';
UPDATE fact SET request_days[1] = as_of - interval '1 month', request_days[2] = as_of WHERE asset_id % 4 = 1;
-- Each column NULL in turn.
DO $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT attname, attnum FROM pg_attribute WHERE attrelid = 'pg_temp.fact'::regclass AND attnum > 1 LOOP
		EXECUTE format('CREATE TEMP TABLE one AS SELECT * FROM fact WHERE asset_id BETWEEN 1 AND 12; UPDATE one SET asset_id = asset_id + 1000 * %2$s, %1$I = NULL;
			INSERT INTO fact SELECT * FROM one; DROP TABLE one', part.attname, part.attnum);
	END LOOP;
END $$;
-- Any of them NULL, by chance.
\if :{?seed}
\else
\set seed 0.5
\endif
SELECT setseed(:seed) \g (tuples_only=on) /dev/null
DO $$
DECLARE
	part record;
BEGIN
	CREATE TEMP TABLE random_fact AS SELECT f.* FROM fact f, generate_series(1, 3) WHERE asset_id <= 60;
	FOR part IN SELECT attname FROM pg_attribute WHERE attrelid = 'pg_temp.random_fact'::regclass AND attnum > 1 LOOP
		EXECUTE format('UPDATE random_fact SET %I = NULL WHERE random() < 0.3', part.attname);
	END LOOP;
	INSERT INTO fact SELECT * FROM random_fact;
	DROP TABLE random_fact;
END $$;
-- As the engine derives it.
UPDATE fact SET boundary_on_globe = boundary::geography;
ALTER TABLE fact ADD COLUMN row_number integer GENERATED ALWAYS AS IDENTITY;
CREATE TEMP VIEW plain AS
SELECT row_number, asset_id, asset_tag, tag_symbology, serial_number, manufacturer, model, category, usage_type, status, customer_id, country, region, location,
	commissioned_on, decommissioned_on, out_of_service, successor_id, attributes, source, source_updated_at, as_of,
	greatest(extract(year FROM age(as_of, commissioned_on)), CASE WHEN as_of IS NOT NULL AND commissioned_on IS NOT NULL THEN 0 END)::integer AS age_years,
	st_distance(boundary, location) = 0 AS inside_boundary,
	CASE WHEN st_intersects(boundary, location) THEN 0 ELSE st_distance(boundary::geography, location::geography) END AS distance_to_boundary_m,
	contract_number, contract_kind, governing_country, tier_code, tier_rank, maintenance_kinds, maintenance_days, request_days
FROM fact;
