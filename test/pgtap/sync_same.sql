-- Rows by which nothing changes are seen at once and left out of the rest of the plan: the plan is the same row for row as without that, over
-- random registers and feeds. CEC_SEED (0 to 1), CEC_ROUNDS.
SELECT no_plan();
SET client_min_messages = warning;
\set seed
\getenv seed CEC_SEED
\set rounds 40
\getenv rounds CEC_ROUNDS
SELECT setseed(coalesce(nullif(:'seed', '')::double precision, 0.5 + (extract(epoch FROM clock_timestamp())::bigint % 1000000) / 2e6)),
	coalesce(nullif(:'seed', ''), (0.5 + (extract(epoch FROM clock_timestamp())::bigint % 1000000) / 2e6)::text) AS seed \gset
SELECT setseed(:'seed');
SELECT diag('seed ' || :'seed');
SELECT cec.create_portfolio('fleet') \g /dev/null
SET search_path = fleet, public;
UPDATE setting SET duplicates_allowed = true;
INSERT INTO customer (name, external_ref) VALUES ('Works', 'K1');
CREATE FUNCTION pg_temp.one_of(VARIADIC words text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT words[1 + floor(random() * cardinality(words))::integer] $$;
CREATE FUNCTION pg_temp.chance(share double precision) RETURNS boolean LANGUAGE sql VOLATILE AS $$ SELECT random() < share $$;
CREATE TEMPORARY TABLE tally (mode text, outcome text, rows bigint);

-- A register of thirty assets, most of them from the source, some with keys, source ids and a registry code.
CREATE PROCEDURE pg_temp.register() LANGUAGE sql AS $$
	DELETE FROM fleet.finding;
	DELETE FROM fleet.asset_identifier;
	DELETE FROM fleet.asset;
	DELETE FROM fleet.asset_staging;
	DELETE FROM fleet.asset_source;
	INSERT INTO fleet.asset_source (source, owned_columns, null_means, makes_customers)
	VALUES ('erp', CASE floor(random() * 4) WHEN 0 THEN '{serial_number,status}'::text[] WHEN 1 THEN '{status,decommissioned_on,model,customer_id,location}' END,
		pg_temp.one_of('keep', 'clear'), pg_temp.chance(0.7));
	INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer, model, status, customer_id, commissioned_on, decommissioned_on, source, source_updated_at, attributes, location)
	SELECT 'T' || g, CASE WHEN pg_temp.chance(0.7) THEN 'S' || (g + CASE WHEN pg_temp.chance(0.3) THEN 1 ELSE 0 END) END, CASE WHEN pg_temp.chance(0.3) THEN 'M' END, CASE WHEN pg_temp.chance(0.5) THEN 'X' END,
		r.status, CASE WHEN pg_temp.chance(0.5) THEN 1 END, '2020-01-01', CASE WHEN r.status = 'retired' THEN date '2025-01-01' WHEN pg_temp.chance(0.1) THEN '2030-01-01' END,
		CASE WHEN pg_temp.chance(0.85) THEN 'erp' WHEN pg_temp.chance(0.5) THEN 'other' END, CASE WHEN pg_temp.chance(0.3) THEN timestamptz '2026-01-01' + interval '1 day' * floor(random() * 3) END,
		CASE WHEN pg_temp.chance(0.2) THEN '{"a": 1}'::jsonb ELSE '{}' END, CASE WHEN pg_temp.chance(0.3) THEN cec._point(g, 10) END
	FROM generate_series(1, 30) AS g CROSS JOIN LATERAL (SELECT pg_temp.one_of('in_service', 'in_service', 'retired', 'retired', 'planned') WHERE g > 0) AS r(status) ON CONFLICT DO NOTHING;
	INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during)
	SELECT a.asset_id, s.scheme, s.scheme || CASE WHEN pg_temp.chance(0.9) THEN a.asset_id ELSE a.asset_id + 1000 END,
		CASE WHEN pg_temp.chance(0.8) THEN '[2020-01-01,)'::daterange WHEN pg_temp.chance(0.5) THEN '[2020-01-01,2026-01-01)' ELSE '[2020-01-01,2029-01-01)' END
	FROM fleet.asset a CROSS JOIN (VALUES ('source_key:erp', 0.6), ('source_key:erp', 0.1), ('source_id:erp', 0.3), ('eic', 0.3)) AS s(scheme, share) WHERE pg_temp.chance(s.share) ON CONFLICT DO NOTHING;
$$;

-- A feed of it, in which a little of everything is different.
CREATE PROCEDURE pg_temp.feed() LANGUAGE sql AS $$
	INSERT INTO fleet.asset_staging (asset_tag, serial_number, manufacturer, model, status, customer_ref, commissioned_on, decommissioned_on, source, source_updated_at, attributes, longitude, latitude,
		source_key, source_ids, identifiers, is_deleted)
	SELECT CASE WHEN pg_temp.chance(0.03) THEN NULL WHEN pg_temp.chance(0.05) THEN 'N' || floor(random() * 5) WHEN pg_temp.chance(0.05) THEN 'T' || 1 + floor(random() * 30) ELSE a.asset_tag END,
		CASE WHEN pg_temp.chance(0.9) THEN a.serial_number WHEN pg_temp.chance(0.7) THEN 'S' || 1 + floor(random() * 30) END, CASE WHEN pg_temp.chance(0.95) THEN a.manufacturer ELSE 'M2' END,
		CASE WHEN pg_temp.chance(0.95) THEN a.model END, CASE WHEN pg_temp.chance(0.75) THEN a.status WHEN pg_temp.chance(0.3) THEN pg_temp.one_of('in_service', 'retired', 'bogus') END,
		CASE WHEN pg_temp.chance(0.95) THEN CASE a.customer_id WHEN 1 THEN 'K1' END WHEN pg_temp.chance(0.3) THEN 'K9' END, a.commissioned_on, CASE WHEN pg_temp.chance(CASE a.status WHEN 'retired' THEN 0.5 ELSE 0.9 END) THEN a.decommissioned_on END,
		CASE WHEN pg_temp.chance(0.97) THEN 'erp' ELSE 'other' END, CASE WHEN pg_temp.chance(0.9) THEN a.source_updated_at WHEN pg_temp.chance(0.5) THEN '2026-01-02' END, CASE WHEN pg_temp.chance(0.95) THEN a.attributes END,
		CASE WHEN pg_temp.chance(0.95) THEN st_x(a.location) END, CASE WHEN a.location IS NOT NULL THEN 10 END,
		CASE WHEN pg_temp.chance(0.9) THEN (SELECT min(i.value) FROM fleet.asset_identifier i WHERE i.asset_id = a.asset_id AND i.scheme = 'source_key:erp')
			WHEN pg_temp.chance(0.5) THEN pg_temp.one_of('', 'new', (SELECT min(i.value) FROM fleet.asset_identifier i WHERE i.scheme = 'source_key:erp')) END,
		CASE WHEN pg_temp.chance(0.1) THEN ARRAY['source_id:erp' || a.asset_id] WHEN pg_temp.chance(0.05) THEN '{}' END,
		CASE WHEN pg_temp.chance(0.1) THEN jsonb_build_object('eic', jsonb_build_array('eic' || a.asset_id)) WHEN pg_temp.chance(0.03) THEN '[]' END,
		CASE WHEN pg_temp.chance(0.03) THEN true WHEN pg_temp.chance(0.1) THEN false END
	FROM fleet.asset a WHERE pg_temp.chance(0.9);
$$;

-- Rows of the plan that only one of the two ways has; of what is not carried out there are no columns of the asset.
CREATE FUNCTION pg_temp.differences(mode text) RETURNS TABLE (way text, plan jsonb) LANGUAGE sql AS $$
	WITH plan AS MATERIALIZED (
		SELECT w.is_quick, CASE WHEN to_jsonb(p) ->> 'step' IS NULL THEN jsonb_build_object('staged_no', p.staged_no, 'asset_id', p.asset_id, 'asset_tag', p.asset_tag, 'outcome', p.outcome, 'columns', p.columns,
			'message', p.message, 'sqlstate', p.sqlstate, 'constraint_name', p.constraint_name) ELSE to_jsonb(p) END AS row
		FROM (VALUES (true), (false)) AS w(is_quick) CROSS JOIN LATERAL cec._sync_plan('fleet', 'erp', mode, '2026-11-28', w.is_quick) AS p
	), counted AS (
		INSERT INTO pg_temp.tally SELECT mode, p.row ->> 'outcome', count(*) FROM plan p WHERE p.is_quick GROUP BY 2
	)
	(SELECT 'quick alone', p.row FROM plan p WHERE p.is_quick EXCEPT ALL SELECT 'quick alone', p.row FROM plan p WHERE NOT p.is_quick)
	UNION ALL
	(SELECT 'long alone', p.row FROM plan p WHERE NOT p.is_quick EXCEPT ALL SELECT 'long alone', p.row FROM plan p WHERE p.is_quick)
$$;

CREATE TEMPORARY TABLE difference (round integer, mode text, way text, plan jsonb);
CREATE PROCEDURE pg_temp.compare(rounds integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR round IN 1 .. rounds LOOP
		CALL pg_temp.register();
		CALL pg_temp.feed();
		INSERT INTO pg_temp.difference SELECT round, m, d.* FROM unnest('{snapshot,delta}'::text[]) AS m CROSS JOIN LATERAL pg_temp.differences(m) AS d;
	END LOOP;
END;
$$;
CALL pg_temp.compare(:rounds);
SELECT is((SELECT count(*) FROM pg_temp.difference), 0::bigint, 'the plan is the same by both ways, in ' || :rounds || ' registers');
SELECT diag(format('round %s, %s, %s: %s', round, mode, way, plan)) FROM pg_temp.difference ORDER BY 1 LIMIT 5;
SELECT cmp_ok(sum(rows), '>', 5::numeric * :rounds, format('%s: many rows change nothing', mode)) FROM pg_temp.tally WHERE outcome = 'unchanged' GROUP BY mode ORDER BY mode;
SELECT * FROM finish();
