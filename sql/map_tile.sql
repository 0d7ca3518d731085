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
-- Who has no right to read is not answered.
GRANT USAGE ON SCHEMA fleet TO regress_stranger;
SET ROLE regress_stranger;
SELECT test.refused($$SELECT fleet.mvt_assets(0, 0, 0)$$);
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
\set include :source/sql/include/end.sql
\i :include
