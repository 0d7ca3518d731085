-- Layers of a map: what an asset is on it, whose ground it stands on, what contracts hold, and a legend in which everything is counted.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SELECT cec.grant_access('fleet', 'regress_stranger', 'admin');
CREATE ROLE regress_reader NOLOGIN;
SELECT cec.grant_access('fleet', 'regress_reader', 'analyst');
SET ROLE regress_stranger;
INSERT INTO fleet.customer (name) VALUES ('Harbour'), ('Rail');
INSERT INTO fleet.service_tier (code, name, rank) VALUES ('gold', 'Gold', 2), ('silver', 'Silver', 1);
-- East and west share the edge at 10 degrees; the ring has a hole; the islands lie on both sides of 180 degrees; the cap reaches the pole.
INSERT INTO fleet.contract (number, customer_id, account_manager, kind, status, during, priority, boundary) VALUES
	('WEST', 1, 'Anna', 'service', 'active', '[2020-01-01,)', 100, 'SRID=4326;MULTIPOLYGON(((0 50,10 50,10 55,0 55,0 50)))'),
	('EAST', 2, 'Otto', 'service', 'terminated', '[2020-01-01,2090-01-01)', 50, 'SRID=4326;MULTIPOLYGON(((10 50,20 50,20 55,10 55,10 50)))'),
	('RING', 2, NULL, 'lease', 'active', '[2020-01-01,)', 100, 'SRID=4326;MULTIPOLYGON(((0 0,10 0,10 10,0 10,0 0),(4 4,4 6,6 6,6 4,4 4)))'),
	('ISLANDS', 1, NULL, 'service', 'active', '[2020-01-01,)', 100, 'SRID=4326;MULTIPOLYGON(((170 -20,180 -20,180 -10,170 -10,170 -20)),((-180 -20,-170 -20,-170 -10,-180 -10,-180 -20)))'),
	('CAP', 1, NULL, 'service', 'active', '[2020-01-01,)', 100, 'SRID=4326;MULTIPOLYGON(((-180 80,-60 80,60 80,180 80,180 90,-180 90,-180 80)))'),
	('DRAFT', 1, NULL, 'service', 'draft', '[2020-01-01,)', 1, 'SRID=4326;MULTIPOLYGON(((0 50,20 50,20 55,0 55,0 50)))'),
	('OVER', 1, NULL, 'service', 'active', '[2020-01-01,2021-01-01)', 1, 'SRID=4326;MULTIPOLYGON(((0 50,20 50,20 55,0 55,0 50)))'),
	('WARRANTY', 1, 'Eva', 'warranty', 'active', '[2020-01-01,)', 100, NULL);
UPDATE fleet.contract SET suspensions = '{[2024-01-01,)}' WHERE number = 'RING';
INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during)
SELECT contract_id, '1', CASE number WHEN 'WARRANTY' THEN 2 ELSE 1 END, '(,)' FROM fleet.contract WHERE number IN ('WEST', 'EAST', 'WARRANTY');
INSERT INTO fleet.asset (asset_tag, status, customer_id, category, country, location, commissioned_on, decommissioned_on, attributes) VALUES
	('in west', 'in_service', 1, 'pump', 'DE', 'SRID=4326;POINT(5 52)', NULL, NULL, '{"value": 1000.5}'),
	('on the edge of both', 'in_service', 1, 'pump', 'DE', 'SRID=4326;POINT(10 52)', NULL, NULL, '{"value": " 12 "}'),
	('on the edge of west', 'in_service', 1, 'pump', 'DE', 'SRID=4326;POINT(0 52)', NULL, NULL, '{"value": "a dozen"}'),
	('of a bundle', 'in_service', 2, 'motor', 'PL', 'SRID=4326;POINT(15 52)', NULL, NULL, '{}'),
	('by a rule', 'in_service', 2, 'valve', 'PL', 'SRID=4326;POINT(16 52)', NULL, NULL, '{}'),
	('retired', 'retired', 2, 'valve', 'PL', 'SRID=4326;POINT(17 52)', NULL, '2022-01-01', '{}'),
	('planned', 'planned', 2, 'pump', NULL, 'SRID=4326;POINT(18 52)', NULL, NULL, '{}'),
	('carved out', 'in_service', 2, 'valve', 'PL', 'SRID=4326;POINT(19 52)', NULL, NULL, '{}'),
	('in the hole', 'in_service', NULL, NULL, NULL, 'SRID=4326;POINT(5 5)', NULL, NULL, '{}'),
	('on the edge of the hole', 'in_service', NULL, NULL, NULL, 'SRID=4326;POINT(4 5)', NULL, NULL, '{}'),
	('at 180', 'in_service', NULL, NULL, NULL, 'SRID=4326;POINT(180 -15)', NULL, NULL, '{}'),
	('at -180', 'in_service', NULL, NULL, NULL, 'SRID=4326;POINT(-180 -15)', NULL, NULL, '{}'),
	('at the pole', 'in_service', NULL, NULL, NULL, 'SRID=4326;POINT(0 90)', NULL, NULL, '{}'),
	('at the edge of the map', 'in_service', NULL, NULL, NULL, 'SRID=4326;POINT(0 85.0511)', NULL, NULL, '{}'),
	('nowhere', 'in_service', 1, 'pump', NULL, NULL, NULL, NULL, '{}');
INSERT INTO fleet.inclusion (term_id, listed_as, during) SELECT 1, t, '[2020-01-01,)' FROM unnest('{in west,on the edge of both,nowhere}'::text[]) AS t;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, 'on the edge of both', '[2020-01-01,2095-01-01)');
-- Twice under one contract it counts once; of contracts that are equal but for that the one of lower priority number is the first.
UPDATE fleet.setting SET duplicates_allowed = true;
INSERT INTO fleet.contract (number, customer_id, account_manager, kind, status, during, priority) VALUES ('FIRST', 1, 'Ida', 'service', 'active', '[2020-01-01,2090-01-01)', 10);
INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during) SELECT contract_id, '2', 1, '(,)' FROM fleet.contract WHERE number IN ('WEST', 'FIRST') ORDER BY contract_id;
INSERT INTO fleet.inclusion (term_id, listed_as, during) SELECT term_id, 'in west', '[2020-01-01,2090-01-01)' FROM fleet.coverage_term WHERE number = '2';
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('b', 1);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 4, '(,)');
INSERT INTO fleet.inclusion (term_id, listed_as, during, effect) VALUES (2, 'carved out', '(,)', 'exclude');
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'valves', 'include', 'category = ''valve''', '(,)');
RESET ROLE;

SET ROLE regress_reader;
SELECT asset_id, longitude, latitude, asset_tag, status, asset_value, customer, category, country FROM fleet.asset_map ORDER BY asset_id;
-- The best contract is the first row of covered_on.
SELECT asset_tag, contract_number, term_number, account_manager, tier_code, last_day FROM fleet.asset_map WHERE contract_id IS NOT NULL ORDER BY asset_id;
SELECT m.asset_tag FROM fleet.asset_map m LEFT JOIN LATERAL fleet.covered_on(m.asset_tag, cec.today('fleet')) AS c ON c.rank = 1
WHERE (m.contract_id, m.contract_number, m.term_id, m.tier_code, m.last_day) IS DISTINCT FROM (c.contract_id, c.contract_number, c.term_id, c.tier_code, c.last_day);
-- Whose ground: both contracts have what is on their edge, one owns it. A draft and one that is over own nothing; one that is suspended does.
SELECT m.asset_tag, c.number AS owner FROM fleet.asset_map m LEFT JOIN fleet.contract c ON c.contract_id = m.owning_contract_id ORDER BY m.asset_id;
SELECT count(*) FROM fleet.asset_map WHERE location && ST_MakeEnvelope(15, 50, 20, 55, 4326);
SELECT contract_id, geojson, contract_number, customer, account_manager, kind, status, valid_from, last_day, valid_to, is_current, assets_inside, covered
FROM fleet.contract_map ORDER BY contract_id;
SELECT * FROM fleet.map_legend ORDER BY map_legend_id;
SELECT (SELECT sum(assets) FROM fleet.map_legend) = (SELECT count(*) FROM fleet.asset) AS all_are_counted;
SELECT f_table_name, f_geometry_column, coord_dimension, srid, type FROM geometry_columns WHERE f_table_schema = 'fleet' AND f_table_name ~ '_map$' ORDER BY 1;
SELECT view_name, column_name, column_type, unit, semantic_type, refers_to FROM cec.report_column
WHERE view_name IN ('asset_map', 'contract_map', 'map_legend') AND (unit IS NOT NULL OR refers_to IS NOT NULL OR semantic_type IN ('location', 'category')) ORDER BY 1, 2;
RESET ROLE;
-- What a policy hides is on nobody's map but its owner's.
ALTER TABLE fleet.asset ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON fleet.asset TO regress_reader USING (asset_id <= 3);
SET ROLE regress_reader;
SELECT count(*) FROM fleet.asset_map;
SELECT status, assets FROM fleet.map_legend WHERE assets > 0 ORDER BY map_legend_id;
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;

\set include :source/sql/include/end.sql
\i :include
