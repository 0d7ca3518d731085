-- under_covered_zones of a contract with 100,000 assets, among 300,000, against one with half of them, and against reading the assets and their
-- cover by plain SQL. duplicate_registrations of all of them, against sorting their names.

SET client_min_messages = warning;
SELECT cec.create_portfolio('zones') \g /dev/null
INSERT INTO zones.customer (name) VALUES ('large'), ('half'), ('other');
INSERT INTO zones.contract (number, customer_id, status, during) VALUES ('L', 1, 'active', '[2024-01-01,2044-01-01)'), ('H', 2, 'active', '[2024-01-01,2044-01-01)'), ('O', 3, 'active', '[2024-01-01,2044-01-01)');
INSERT INTO zones.coverage_term (contract_id, number, during) SELECT n, '1', '(,)' FROM generate_series(1, 3) AS n;
INSERT INTO zones.asset (asset_id, asset_tag, serial_number, manufacturer, model, customer_id, location, attributes)
SELECT n, 'Z-' || n, 'S' || md5(n::text), 'Maker ' || n % 17, 'Model ' || n % 211, CASE WHEN n <= 100000 THEN 1 WHEN n <= 150000 THEN 2 ELSE 3 END,
	st_setsrid(st_makepoint(5 + (n * 7919::bigint % 100003) / 10000.3, 46 + (n * 104729::bigint % 80021) / 10000.0), 4326), jsonb_build_object('value', n % 1000)
FROM generate_series(1, 300000) AS n;
INSERT INTO zones.inclusion (term_id, asset_id, during) SELECT customer_id, asset_id, '[2024-01-01,2044-01-01)' FROM zones.asset WHERE asset_id % 10 < 8;
VACUUM ANALYZE;

CREATE PROCEDURE bench.run_zone(run integer)
LANGUAGE plpgsql AS $$
BEGIN
	CALL bench.measure('zone', 'assets and cover', run, 100000, 'SELECT a.asset_id, st_x(a.location), st_y(a.location), cec._asset_value(a.attributes, ''value''), v.term_id
		FROM zones.asset a LEFT JOIN (SELECT v.asset_id, min(v.term_id) AS term_id FROM zones.coverage v WHERE v.during @> date ''2026-06-01'' GROUP BY 1) AS v USING (asset_id)
		WHERE a.customer_id = 1 AND a.location IS NOT NULL');
	CALL bench.measure('zone', 'half: 50,000', run, 50000, 'SELECT * FROM zones.under_covered_zones(''H'', on_day => ''2026-06-01'')');
	CALL bench.measure('zone', '100,000', run, 100000, 'SELECT * FROM zones.under_covered_zones(''L'', on_day => ''2026-06-01'')');
	CALL bench.measure('duplicate', 'names sorted', run, 300000, 'SELECT k, count(*) FROM (SELECT cec.identifier_key(asset_tag) AS k FROM zones.asset UNION ALL SELECT cec.identifier_key(serial_number) FROM zones.asset) AS n GROUP BY k HAVING count(*) > 1');
	CALL bench.measure('duplicate', 'duplicate_registrations', run, 300000, 'SELECT * FROM zones.duplicate_registrations()');
END;
$$;
INSERT INTO bench.goal VALUES ('zone', '100,000', 'assets and cover', NULL), ('zone', '100,000', 'half: 50,000', 1.3), ('duplicate', 'duplicate_registrations', 'names sorted', NULL);
CALL bench.run_zone(0);
DELETE FROM bench.sample WHERE subject IN ('zone', 'duplicate');
CALL bench.run_zone(1);
CALL bench.run_zone(2);
CALL bench.run_zone(3);
CALL bench.run_zone(4);
CALL bench.run_zone(5);
\echo 'Zones: us an asset (goal: 100,000 assets in 0.5 s, that is 5)'
SELECT * FROM bench.report('zone');
\echo 'Duplicates: us an asset (goal: 200,000 assets in 2 s, that is 10)'
SELECT * FROM bench.report('duplicate');
