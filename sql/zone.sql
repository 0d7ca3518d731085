-- Zones: where a contract covers fewer assets than it should, what of them could be listed, what is refused; assets that may be one.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
CREATE ROLE regress_reader NOLOGIN;
SELECT cec.grant_access('fleet', 'regress_reader', 'analyst');
SELECT cec.grant_access('fleet', 'regress_stranger', 'admin');
SET ROLE regress_stranger;
UPDATE fleet.setting SET value_attribute = 'price';
INSERT INTO fleet.customer (name, parent_id) VALUES ('Harbour', NULL), ('Harbour North', 1), ('Rail', NULL);
INSERT INTO fleet.contract (number, customer_id, status, during, boundary) VALUES
	('H-1', 2, 'active', '[2020-01-01,2090-01-01)', 'SRID=4326;MULTIPOLYGON(((9 53,11 53,11 54,9 54,9 53)))'), ('R-1', 3, 'active', '[2020-01-01,2090-01-01)', NULL);
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)'), (2, '1', '(,)');
-- Ten in one cell, two in another, one of them outside the boundary, one of another customer, one without a place.
INSERT INTO fleet.asset (asset_tag, customer_id, location, attributes)
SELECT 'CRANE-' || i, 1 + i % 2, format('SRID=4326;POINT(%s 53.55)', 9.9 + i / 1000.0), jsonb_build_object('price', 100 * i) FROM generate_series(1, 10) AS i;
INSERT INTO fleet.asset (asset_tag, customer_id, location, attributes) VALUES ('LIFT-1', 1, 'SRID=4326;POINT(10.5 53.2)', '{"price": "5000"}'), ('LIFT-2', 1, 'SRID=4326;POINT(11.5 53.2)', '{}'),
	('TRAIN-1', 3, 'SRID=4326;POINT(9.9 53.55)', '{}'), ('LIFT-3', 1, NULL, '{}');
INSERT INTO fleet.inclusion (term_id, listed_as, during) SELECT 1, 'CRANE-' || i, '[2021-01-01,)' FROM generate_series(1, 7) AS i;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (2, 'CRANE-8', '[2021-01-01,)');

SET ROLE regress_reader;
\set zones 'SELECT assets, covered, covered_elsewhere AS elsewhere, uncovered, round(share, 2) AS share, value, uncovered_value, shortfall, is_under_covered FROM fleet.under_covered_zones'
:zones ('H-1', on_day => '2026-06-01');
:zones ('H-1', on_day => '2026-06-01', min_share => 0.7);
:zones ('H-1', on_day => '2020-06-01');
:zones ('H-1', 100000, '2026-06-01');
-- The portfolio: all customers, wherever they stand, by any contract.
:zones (NULL, on_day => '2026-06-01');
SELECT zone_id, GeometryType(geometry) AS type, round(ST_Area(geometry::geography)) AS area FROM fleet.under_covered_zones('H-1', on_day => '2026-06-01');
-- What could be listed, as check_inclusions takes it.
SELECT c.* FROM fleet.under_covered_zones('H-1', on_day => '2026-06-01') AS z CROSS JOIN LATERAL fleet.zone_candidates('H-1', z.zone_id, '2026-06-01') AS c;
SET ROLE regress_stranger;
SELECT k.place, k.identifier, k.outcome, k.message
FROM fleet.check_inclusions(1, (SELECT jsonb_agg(to_jsonb(c) - 'asset_id') FROM fleet.under_covered_zones('H-1', on_day => '2026-06-01') AS z CROSS JOIN LATERAL fleet.zone_candidates('H-1', z.zone_id, '2026-06-01') AS c)) AS k;
SET ROLE regress_reader;
SELECT * FROM fleet.zone_candidates('H-1', 0, '2026-06-01');
-- Today, for maps.
SELECT assets, covered, uncovered, round(share, 2) AS share, round(longitude::numeric, 1) AS longitude, round(latitude::numeric, 1) AS latitude, left(geojson, 40) AS geojson FROM fleet.gap_map;
-- What is refused.
SELECT test.refused($$SELECT * FROM fleet.under_covered_zones('H-2')$$);
SELECT test.refused($$SELECT * FROM fleet.under_covered_zones('H-1', 0)$$);
SELECT test.refused($$SELECT * FROM fleet.under_covered_zones('H-1', 'NaN')$$);
SELECT test.refused($$SELECT * FROM fleet.under_covered_zones('H-1', NULL)$$);
SELECT test.refused($$SELECT * FROM fleet.under_covered_zones('H-1', min_share => 90)$$);
SELECT test.refused($$SELECT * FROM fleet.under_covered_zones('H-1', on_day => 'infinity')$$);
SELECT test.refused($$SELECT * FROM fleet.zone_candidates('H-1', NULL)$$);
SELECT test.refused($$SELECT * FROM fleet.zone_candidates('H-2', 1)$$);
SELECT test.refused($$SELECT * FROM fleet.duplicate_registrations(-1)$$);
SELECT test.refused($$SELECT * FROM fleet.duplicate_registrations('infinity')$$);
SELECT test.refused($$SELECT * FROM fleet.duplicate_registrations(NULL)$$);

-- Twice in the register: by tag, by serial number, by place.
SET ROLE regress_stranger;
INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer, model, location) VALUES ('DOOR 1001', NULL, 'Acme', 'D', NULL), ('door-1OO1', NULL, NULL, 'D', NULL), ('KEY-1', 'SN 77001', 'Acme', 'K', 'SRID=4326;POINT(180 0)'),
	('KEY-2', 'SN-77OO1', 'Acme', 'L', 'SRID=4326;POINT(-179.9999 0)'), ('PUMP-A', '1', 'Acme', 'P', 'SRID=4326;POINT(9 50)'), ('PUMP-B', NULL, 'Acme', 'P', 'SRID=4326;POINT(9.0002 50)'), ('PUMP-C', '3', 'Acme', 'P', 'SRID=4326;POINT(9.0004 50)');
-- Keys of five characters are compared, shorter ones are not.
INSERT INTO fleet.asset (asset_tag, serial_number) VALUES ('FIVE-1', 'SN 123'), ('FIVE-2', 'SN-123'), ('FOUR-1', 'SN 12'), ('FOUR-2', 'SN-12');
SET ROLE regress_reader;
SELECT a.asset_tag, o.asset_tag AS other_asset_tag, d.reason, round(d.distance_m::numeric, 1) AS distance_m, d.is_likely
FROM fleet.duplicate_registrations() AS d JOIN fleet.asset a USING (asset_id) LEFT JOIN fleet.asset o ON o.asset_id = d.other_asset_id;
-- As far apart as is asked for is within.
SELECT count(*) FROM fleet.duplicate_registrations(25) AS d CROSS JOIN LATERAL fleet.duplicate_registrations(d.distance_m) AS n WHERE d.reason = 'same_place' AND (n.asset_id, n.other_asset_id) = (d.asset_id, d.other_asset_id);
RESET ROLE;
-- One that has more around than are told is told alone, and no pair with it.
SELECT asset_id, other_asset_id, round(distance_m::numeric, 1) AS distance_m FROM cec._near_pairs('{1,2,3,4}', '{1,1,1,1}', '{9,9.0001,9.0002,9.0003}', '{50,50,50,50}', 10, 2) ORDER BY 1, 2;
SELECT asset_id, other_asset_id, distance_m FROM cec._near_pairs('{1,2,3,4}', '{1,1,1,1}', '{9,9.0001,9.0002,9.0003}', '{50,50,50,50}', 10, 1) ORDER BY 1, 2;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
\set include :source/sql/include/end.sql
\i :include
