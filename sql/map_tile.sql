-- Tiles of the map: how tile servers find them, what they are asked for, what is refused.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
CREATE ROLE regress_reader NOLOGIN;
SELECT cec.grant_access('fleet', 'regress_reader', 'analyst');
SET ROLE regress_owner;
INSERT INTO fleet.customer (name, external_ref) VALUES ('Harbour', 'CU-1'), ('Rail', '77');
INSERT INTO fleet.contract (number, customer_id, account_manager, status, during, boundary) VALUES
	('C-1', 1, 'Ann', 'active', '[2020-01-01,2090-01-01)', 'SRID=4326;MULTIPOLYGON(((9 47,12 47,12 50,9 50,9 47)))'), ('4711', 2, NULL, 'draft', '[2020-01-01,)', NULL);
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)');
INSERT INTO fleet.asset (asset_tag, customer_id, location) VALUES ('PUMP-1', 1, 'SRID=4326;POINT(10 48)'), ('PUMP-2', 1, 'SRID=4326;POINT(10 48.001)'), ('PUMP-3', 2, 'SRID=4326;POINT(-70 -30)'), ('PUMP-4', 2, NULL);
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-1', '[2020-01-01,2089-01-01)');
RESET ROLE;
-- By these a tile server finds them: arguments, what they return, and what the comment says of it.
SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.provolatile, d.description::json -> 'vector_layers' -> 0 ->> 'id' AS layer
FROM pg_proc p JOIN pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass WHERE p.pronamespace = 'fleet'::regnamespace AND p.proname LIKE 'mvt%' ORDER BY 1;
SET ROLE regress_reader;
-- What a tile says can be read in its bytes, as far as it is text.
CREATE FUNCTION pg_temp.says(tile bytea, VARIADIC words text[]) RETURNS text[] LANGUAGE sql AS
$$ SELECT array_agg(w) FROM unnest(words) AS w WHERE position(convert_to(w, 'UTF8') IN tile) > 0 $$;
SELECT pg_temp.says(fleet.mvt_assets(0, 0, 0), 'assets', 'is_cluster', 'uncovered_value', 'asset_tag', 'PUMP-1');
SELECT pg_temp.says(fleet.mvt_assets(10, 540, 355), 'assets', 'is_cluster', 'asset_tag', 'PUMP-1', 'PUMP-2', 'PUMP-3', 'covered', 'uncovered', '2088-12-31', 'Harbour', 'Rail');
SELECT pg_temp.says(fleet.mvt_assets(10, 540, 355, '{"on_day": "2089-06-01"}'), 'PUMP-1', 'covered', 'uncovered', '2088-12-31');
SELECT pg_temp.says(fleet.mvt_assets(10, 540, 355, '{"status": "covered"}'), 'PUMP-1', 'PUMP-2');
SELECT pg_temp.says(fleet.mvt_assets(10, 540, 355, '{"contract_number": "C-1"}'), 'PUMP-1', 'PUMP-2');
SELECT pg_temp.says(fleet.mvt_assets(10, 540, 355, '{"max_features": 1}'), 'PUMP-1', 'is_cluster');
SELECT pg_temp.says(fleet.mvt_assets(8, 78, 150, '{"customer": 77}'), 'PUMP-3', 'Rail');
SELECT pg_temp.says(fleet.mvt_contracts(5, 16, 11), 'contracts', 'C-1', '4711', 'Ann', '2089-12-31');
SELECT pg_temp.says(fleet.mvt_gaps(5, 16, 11), 'gaps', 'shortfall', 'is_under_covered');
-- No feature: no bytes. Nobody's account manager is no error, a contract nobody has is one.
SELECT fleet.mvt_assets(10, 0, 0) = '', fleet.mvt_assets(0, 0, 0, '{"account_manager": "Zoe"}') = '', fleet.mvt_assets(0, 0, 0, '{"contract_number": 4711}') = '',
	fleet.mvt_contracts(0, 0, 0, '{"contract_number": "4711"}') = '', fleet.mvt_gaps(10, 0, 0) = '';
-- No parameters, however they are not said.
SELECT count(DISTINCT t) FROM (VALUES (fleet.mvt_assets(0, 0, 0)), (fleet.mvt_assets(0, 0, 0, NULL)), (fleet.mvt_assets(0, 0, 0, 'null')), (fleet.mvt_assets(0, 0, 0, '{"status": null, "on_day": null, "max_features": null}'))) AS v(t);
-- What is refused.
SELECT test.refused($$SELECT fleet.mvt_assets(25, 0, 0)$$);
SELECT test.refused($$SELECT fleet.mvt_assets(-1, 0, 0)$$);
SELECT test.refused($$SELECT fleet.mvt_contracts(3, 8, 0)$$);
SELECT test.refused($$SELECT fleet.mvt_gaps(3, 0, -1)$$);
SELECT test.refused($$SELECT fleet.mvt_assets(3, NULL, 0)$$);
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0, '{"contract": "C-1"}')$$);
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0, '["C-1"]')$$);
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0, '4711')$$);
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0, '{"status": true}')$$);
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0, '{"status": "broken"}')$$);
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0, '{"on_day": "01.02.2026"}')$$);
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0, '{"on_day": "2026-02-30"}')$$);
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0, '{"on_day": "infinity"}')$$);
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0, '{"max_features": -1}')$$);
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0, '{"customer": "a\u0000"}')$$);
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0, '{"contract_number": "C-9"}')$$);
SELECT test.refused($$SELECT fleet.mvt_contracts(0, 0, 0, '{"customer": "CU-9"}')$$);
-- The most features; gaps of a day; contracts that run on a day, terminated and suspended ones too, up to the pole.
SELECT fleet.mvt_assets(10, 540, 355, '{"max_features": 100000}') = fleet.mvt_assets(10, 540, 355) AS is_same;
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0, '{"max_features": 100001}')$$);
SELECT fleet.mvt_gaps(5, 16, 11, '{"on_day": "2089-06-01"}') = fleet.mvt_gaps(5, 16, 11, '{"on_day": "2030-06-01"}') AS is_same;
SET ROLE regress_owner;
INSERT INTO fleet.contract (number, customer_id, status, during, suspensions, boundary) VALUES
	('C-2', 1, 'terminated', '[2020-01-01,2090-01-01)', '{}', 'SRID=4326;MULTIPOLYGON(((20 60,30 60,30 90,20 90,20 60)))'),
	('C-3', 1, 'active', '[2020-01-01,2090-01-01)', '{[2030-01-01,)}', 'SRID=4326;MULTIPOLYGON(((20 -60,30 -60,30 -90,20 -90,20 -60)))');
SET ROLE regress_reader;
SELECT day, pg_temp.says(fleet.mvt_contracts(0, 0, 0, json_build_object('on_day', day)), 'C-1', 'C-2', 'C-3', '4711') FROM unnest('{2019-12-31,2020-01-01,2089-12-31,2090-01-01}'::date[]) AS day;
RESET ROLE;
-- One by one: what stands at 180 degrees is at -180; cover that ends within the days of notice; findings, but for those that are waived; whoever
-- is registered twice, also the second of both.
BEGIN;
INSERT INTO fleet.asset (asset_tag, serial_number, customer_id, location) VALUES ('EDGE-1', 'SN 880011', 1, 'SRID=4326;POINT(180 10)'), ('EDGE-2', 'SN-88OO11', 2, 'SRID=4326;POINT(-180 10)');
CREATE FUNCTION test.edge(customer text) RETURNS bytea LANGUAGE sql AS $$ SELECT fleet.mvt_assets(10, 0, cec._map_row(10, 10)::integer, json_build_object('customer', customer)) $$;
CREATE FUNCTION test.days_left(days integer) RETURNS bytea LANGUAGE sql AS $$ SELECT fleet.mvt_assets(10, 540, 355, json_build_object('on_day', date '2088-12-31' - days, 'status', 'covered')) $$;
SELECT pg_temp.says(fleet.mvt_assets(10, 0, cec._map_row(10, 10)::integer), 'EDGE-1', 'EDGE-2'), fleet.mvt_assets(10, 1023, cec._map_row(10, 10)::integer) = '' AS is_empty;
SELECT test.days_left(expiry_notice_days) = test.days_left(0) AS is_expiring, test.days_left(expiry_notice_days + 1) = test.days_left(0) AS is_before FROM fleet.setting;
SELECT a.asset_tag, o.asset_tag AS other_asset_tag FROM fleet.finding f JOIN fleet.asset a ON a.asset_id = f.asset_id JOIN fleet.asset o ON o.asset_id = f.other_asset_id WHERE f.kind = 'duplicate_in_register' AND f.closed_at IS NULL;
SELECT md5(test.edge('CU-1')) AS first, md5(test.edge('77')) AS second \gset
INSERT INTO fleet.finding_waiver (kind, asset_id, reason, until) SELECT 'duplicate_in_register', asset_id, 'there are two', cec.today('fleet') FROM fleet.asset WHERE asset_tag = 'EDGE-1';
SELECT md5(test.edge('CU-1')) = :'first' AS is_told;
UPDATE fleet.finding_waiver SET until = until - 1;
SELECT md5(test.edge('CU-1')) = :'first' AS is_told;
UPDATE fleet.finding_waiver SET until = NULL;
UPDATE fleet.setting SET four_eyes = true;
SELECT md5(test.edge('CU-1')) = :'first' AS is_told;
UPDATE fleet.asset SET serial_number = NULL WHERE asset_tag = 'EDGE-1';
SELECT md5(test.edge('77')) = :'second' AS is_told;
ROLLBACK;
-- Wherever totals stand, tiles of a day are those that rows give, and nothing of the grid is wrong: folded to and fro, on days on which
-- something changes and on those around them. MID-5 stands in the cell that comes next behind those of tile 1/1/0.
INSERT INTO fleet.asset (asset_tag, customer_id, location, commissioned_on, decommissioned_on, attributes) VALUES
	('MID-1', 1, 'SRID=4326;POINT(10 48)', '2030-05-17', '2030-07-03', '{"value": 70.5}'), ('MID-2', 1, 'SRID=4326;POINT(11.25 48)', '2030-06-01', '2030-06-30', '{"value": 8}'),
	('MID-5', 1, 'SRID=4326;POINT(-180 -0.0001)', '2030-05-17', '2030-07-03', '{}'), ('MID-4', 1, 'SRID=4326;POINT(11.25 48)', '2030-07-01', NULL, '{"value": 5}'), ('MID-3', 1, 'SRID=4326;POINT(-11.25 -48)', '2030-05-31', NULL, '{}');
CREATE FUNCTION test.tiles(days date[]) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(fleet.mvt_assets(z, cec._map_column(p.longitude, z)::integer, cec._map_row(p.latitude, z)::integer, json_build_object('on_day', d.day, 'status', s.status)), '' ORDER BY z, d.day, s.status, p.longitude))
	FROM unnest('{0,1,6}'::integer[]) AS z, unnest(days) AS d(day), (VALUES (10.0, 48.0), (11.25, 48), (-11.25, -48)) AS p(longitude, latitude), (VALUES (NULL), ('covered'), ('uncovered')) AS s(status) $$;
CREATE FUNCTION test.folded(on_days date[], days date[], tiles text) RETURNS TABLE (on_day date, same boolean, breaches bigint) LANGUAGE plpgsql AS $$
BEGIN
	FOREACH on_day IN ARRAY on_days LOOP
		PERFORM cec._map_fold('fleet', on_day);
		RETURN QUERY SELECT folded.on_day, test.tiles(days) = tiles, (SELECT count(*) FROM cec._map_breaches('fleet'));
	END LOOP;
END;
$$;
\set days '\'{2020-01-01,2030-05-16,2030-05-17,2030-06-01,2030-06-30,2030-07-04,2089-01-01}\''
BEGIN;
ALTER TABLE fleet.asset ENABLE ROW LEVEL SECURITY;
CREATE POLICY every ON fleet.asset USING (true);
SET LOCAL ROLE regress_reader;
SELECT test.tiles(:days) AS tiles \gset
ROLLBACK;
SELECT test.tiles(:days) = :'tiles' AS is_same;
SELECT * FROM test.folded('{2030-06-10,2030-06-30,2030-05-17,2030-05-17,2030-05-16,2019-12-31,2020-01-01,2030-07-04,2030-07-03,2030-05-31,2089-01-01,2030-06-01}', :days, :'tiles');
-- What it is worth changes, and it leaves, behind the fold.
UPDATE fleet.asset SET attributes = '{"value": 9}' WHERE asset_tag = 'MID-2';
SELECT on_day, breaches FROM test.folded('{2030-06-01,2030-06-02}', :days, '');
-- One with cover goes elsewhere, is worth something there, and comes back.
UPDATE fleet.asset SET location = 'SRID=4326;POINT(11.25 48)', attributes = '{"value": 3}' WHERE asset_tag = 'PUMP-1';
SELECT * FROM cec._map_breaches('fleet');
UPDATE fleet.asset SET location = 'SRID=4326;POINT(10 48)', attributes = '{}' WHERE asset_tag = 'PUMP-1';
SELECT * FROM cec._map_breaches('fleet');
DELETE FROM fleet.asset WHERE asset_tag LIKE 'MID%';
SELECT on_day, breaches FROM test.folded('{2030-06-02,2030-06-01}', :days, '');
-- Who may not read all rows of what it sums is not answered from it: with one asset that is there for nobody.
INSERT INTO fleet.map_step (level, cell, status, assets, value) VALUES (10, 0, 'located', 1, 0);
CREATE FUNCTION test.is_from_grid(table_name text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE format('ALTER TABLE fleet.%I ENABLE ROW LEVEL SECURITY', table_name);
	EXECUTE format('CREATE POLICY every ON fleet.%I USING (true)', table_name);
	SET LOCAL ROLE regress_reader;
	result := fleet.mvt_assets(6, 0, 0) <> '';
	RESET ROLE;
	EXECUTE format('DROP POLICY every ON fleet.%I', table_name);
	EXECUTE format('ALTER TABLE fleet.%I DISABLE ROW LEVEL SECURITY', table_name);
	RETURN result;
END;
$$;
SELECT t AS table_name, test.is_from_grid(t) FROM unnest('{asset,inclusion,coverage,contract,finding,customer}'::text[]) AS t;
DELETE FROM fleet.map_step WHERE cell = 0;
-- What assets are worth is another attribute: by a statement of its own. Days and values as far as there are any.
RESET ROLE;
SELECT test.refused($$WITH moved AS (UPDATE fleet.asset SET location = 'SRID=4326;POINT(50 50)') UPDATE fleet.setting SET value_attribute = 'kw'$$);
INSERT INTO fleet.asset (asset_tag, location, commissioned_on, decommissioned_on, attributes) VALUES
	('FAR-1', 'SRID=4326;POINT(10 48)', '4714-11-24 BC', '300000-01-01', jsonb_build_object('value', 9e131071)), ('FAR-2', 'SRID=4326;POINT(10 48)', '4714-12-01 BC', '5874897-12-31', jsonb_build_object('value', 9e131071));
SELECT count(*) > 0 AS is_refreshed FROM fleet.refresh();
SELECT * FROM cec._map_breaches('fleet');
SELECT octet_length(fleet.mvt_assets(0, 0, 0)) > 0, octet_length(fleet.mvt_assets(0, 0, 0, '{"on_day": "400000-05-05"}')) > 0, octet_length(fleet.mvt_assets(0, 0, 0, '{"on_day": "0001-05-05"}')) > 0;
UPDATE fleet.map_fold SET on_day = 'infinity';
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0)$$);
SELECT fleet.recompute_coverage();
SELECT * FROM cec._map_breaches('fleet');
-- Totals of no day are wrong where nothing else is.
BEGIN;
SELECT cec.create_portfolio('bare');
SELECT count(*) > 0 AS is_refreshed FROM bare.refresh();
SELECT * FROM cec._map_breaches('bare');
UPDATE bare.map_fold SET on_day = 'infinity';
SELECT * FROM cec._map_breaches('bare');
SELECT bare.recompute_coverage();
SELECT * FROM cec._map_breaches('bare');
ROLLBACK;
-- Who has no right to read is not answered.
GRANT USAGE ON SCHEMA fleet TO regress_stranger;
SET ROLE regress_stranger;
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0)$$);
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
\set include :source/sql/include/end.sql
\i :include
