-- The register: what gets in exactly as given, what is refused, and how an asset is found.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SET ROLE regress_registry;

-- Taken exactly as given.
INSERT INTO fleet.customer (name, external_ref) VALUES ('Acme', '0042');
INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer, model, customer_id, country, region, location,
	commissioned_on, decommissioned_on, out_of_service, attributes) VALUES
	('000123', '007', 'Alpha', 'M1', 1, 'DE', 'DE-BY', 'SRID=4326;POINT(11.5 48.1)', '2020-01-01', '2020-01-01',
		'{[2020-01-01,2020-01-02)}', '{"power_kw": 1.50}'),
	('123', '007', 'Beta', 'M1', NULL, NULL, NULL, 'SRID=4326;POINT(-180 -90)', NULL, NULL, '{}', '{}'),
	(' 123', '007', 'Alpha', 'M2', NULL, NULL, 'DE-BY', 'SRID=4326;POINT(180 90)', NULL, NULL, '{(,2020-01-01)}', '{}'),
	('O-1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}'),
	(U&'\041E-1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}'),
	('o-1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}'),
	(U&'caf\00E9', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}'),
	(U&'cafe\0301', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}'),
	(repeat('T', 200), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}');
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (1, 'EIC', '0011', '[2020-01-01,)'),
	(1, 'former_tag', 'F-1', '[2020-01-01,2021-01-01)'), (2, 'former_tag', 'F-1', '[2021-01-01,)'), (3, 'MAC', 'F-1', '(,2020-06-01)');
SELECT asset_id, left(asset_tag, 10), tag_symbology, serial_number, status, country, region, ST_AsText(location),
	out_of_service, attributes FROM fleet.asset ORDER BY asset_id;

-- What an identifier names: each asset once, by the first scheme that matches, on a day.
SELECT asset_id, asset_tag, scheme FROM fleet.find_asset('123');
SELECT asset_id, asset_tag, scheme FROM fleet.find_asset('007');
SELECT asset_id, asset_tag, scheme FROM fleet.find_asset('F-1', '2020-03-01');
SELECT asset_id, asset_tag, scheme FROM fleet.find_asset('F-1', '2020-12-31');
SELECT asset_id, asset_tag, scheme FROM fleet.find_asset(identifier => 'F-1', on_day => '2021-01-01');
SELECT asset_id, asset_tag, scheme FROM fleet.find_asset('F-1');
SELECT asset_id, asset_tag, scheme FROM fleet.find_asset('f-1');
SELECT asset_id, asset_tag, scheme FROM fleet.find_asset('');
SELECT asset_id, asset_tag, scheme FROM fleet.find_asset(NULL);
SELECT asset_id, asset_tag, scheme FROM fleet.find_asset(repeat('A', 1048576));
INSERT INTO fleet.asset (asset_tag, serial_number) VALUES ('SAME', 'SAME');
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) SELECT asset_id, 'GIAI', 'SAME', '(,)' FROM fleet.asset WHERE asset_tag = 'SAME';
SELECT asset_tag, scheme FROM fleet.find_asset('SAME');
SELECT test.refused($$SELECT * FROM fleet.find_asset('F-1', 'infinity')$$);

-- Refused: names.
SELECT test.refused($$INSERT INTO fleet.customer (name) VALUES ('')$$);
SELECT test.refused($$INSERT INTO fleet.customer (name, external_ref) VALUES ('Other', '0042')$$);
SELECT test.refused($$INSERT INTO fleet.customer (name, external_ref) VALUES ('Other', repeat('x', 201))$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag) VALUES (NULL)$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag) VALUES ('')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag) VALUES ('000123')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag) VALUES (repeat('A', 1048576))$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, serial_number) VALUES ('N-1', repeat('A', 201))$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, manufacturer) VALUES ('N-1', '')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, model) VALUES ('N-1', repeat('A', 201))$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer, model) VALUES ('N-1', '007', 'Alpha', 'M1')$$);
SELECT test.refused($$INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (2, 'EIC', '0011', '[2021-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (2, '', '0012', '[2021-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (2, 'EIC', repeat('A', 1048576), '[2021-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (2, 'EIC', '0012', 'empty')$$);
SELECT test.refused($$INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (2, 'EIC', '0012', '[2021-01-01,infinity)')$$);
SELECT test.refused($$INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (99, 'EIC', '0012', '[2021-01-01,)')$$);

-- Refused: places.
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, location) VALUES ('N-1', 'SRID=4326;POINT(-33.9 151.2)')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, location) VALUES ('N-1', 'SRID=4326;POINT(180.1 0)')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, location) VALUES ('N-1', 'SRID=4326;POINT(NaN 0)')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, location) VALUES ('N-1', 'SRID=4326;POINT EMPTY')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, location) VALUES ('N-1', 'SRID=3857;POINT(11 48)')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, location) VALUES ('N-1', 'SRID=4326;LINESTRING(1 1,2 2)')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, country) VALUES ('N-1', 'Germany')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, country) VALUES ('N-1', 'de')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, country, region) VALUES ('N-1', 'AT', 'DE-BY')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, region) VALUES ('N-1', 'Bavaria')$$);
SELECT test.refused($$INSERT INTO fleet.field_observation (seen_tag, observed_at, location) VALUES ('N-1', '2026-01-01', 'SRID=4326;POINT(-33.9 151.2)')$$);

-- Refused: days.
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, status) VALUES ('N-1', 'retired')$$);
SELECT test.refused($$UPDATE fleet.asset SET status = 'retired' WHERE asset_tag = '123'$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, commissioned_on, decommissioned_on) VALUES ('N-1', '2026-01-02', '2026-01-01')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, commissioned_on) VALUES ('N-1', 'infinity')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, decommissioned_on) VALUES ('N-1', '-infinity')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, out_of_service) VALUES ('N-1', '{[2020-01-01,2020-02-01),[2026-01-01,infinity)}')$$);
SELECT test.refused($$INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on) VALUES (1, 'inspection', 'infinity')$$);
SELECT test.refused($$INSERT INTO fleet.service_request (asset_id, opened_at) VALUES (1, 'infinity')$$);
SELECT test.refused($$INSERT INTO fleet.service_request (asset_id, opened_at, closed_at) VALUES (1, '2026-01-02', '2026-01-01')$$);
SELECT test.refused($$INSERT INTO fleet.field_observation (seen_tag, observed_at) VALUES ('N-1', 'infinity')$$);
SELECT test.refused($$INSERT INTO fleet.field_observation (seen_tag, observed_at) VALUES ('', '2026-01-01')$$);
SELECT test.refused($$INSERT INTO fleet.field_observation (seen_tag, observed_at) VALUES (repeat('x', 501), '2026-01-01')$$);

-- Refused: the rest.
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, status) VALUES ('N-1', 'lost')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, tag_symbology) VALUES ('N-1', 'rune')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, attributes) VALUES ('N-1', '[1]')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, customer_id) VALUES ('N-1', 99)$$);
SELECT test.refused($$UPDATE fleet.asset SET successor_id = asset_id WHERE asset_tag = '123'$$);
SELECT test.refused($$INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on, cost) VALUES (1, 'inspection', '2026-01-01', 10)$$);
SELECT test.refused($$INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on, cost, currency) VALUES (1, 'inspection', '2026-01-01', 10, 'Euro')$$);
SELECT test.refused($$INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on, cost, currency) VALUES (1, 'inspection', '2026-01-01', 'NaN', 'EUR')$$);
SELECT test.refused($$INSERT INTO fleet.service_request (asset_id, opened_at, cost) VALUES (1, '2026-01-01', 10)$$);
SELECT test.refused($$INSERT INTO fleet.service_request (asset_id, opened_at, cost, currency) VALUES (1, '2026-01-01', '-Infinity', 'EUR')$$);
SELECT test.refused($$INSERT INTO fleet.service_request (asset_id, opened_at, cost, currency) VALUES (1, '2026-01-01', 10, 'eur')$$);
SELECT test.refused($$INSERT INTO fleet.field_observation (observed_at) VALUES ('2026-01-01')$$);
SELECT test.refused($$DELETE FROM fleet.customer WHERE external_ref = '0042'$$);

-- Customers that belong to others: never to themselves, however many are between, all in one statement or one after another.
INSERT INTO fleet.customer (customer_id, name, parent_id) VALUES (101, 'Works', 102), (102, 'Company', 103), (103, 'Group', NULL), (0, 'Zero', 103);
SELECT test.refused($$UPDATE fleet.customer SET parent_id = 101 WHERE customer_id = 103$$);
SELECT test.refused($$UPDATE fleet.customer SET parent_id = customer_id WHERE customer_id = 103$$);
SELECT test.refused($$UPDATE fleet.customer SET parent_id = 204 - customer_id WHERE customer_id IN (101, 103)$$);
SELECT test.refused($$UPDATE fleet.customer SET parent_id = 0 WHERE customer_id = 103$$);
SELECT test.refused($$INSERT INTO fleet.customer (customer_id, name, parent_id) VALUES (104, 'One', 105), (105, 'Two', 104)$$);
SELECT test.refused($$INSERT INTO fleet.customer (customer_id, name, parent_id) VALUES (101, 'Works', NULL) ON CONFLICT (customer_id) DO UPDATE SET name = 'x', parent_id = 101$$);
SELECT test.refused($$INSERT INTO fleet.customer (name, parent_id) VALUES ('N', 999)$$);
SELECT test.refused($$DELETE FROM fleet.customer WHERE customer_id = 103$$);
-- The other way round is none.
-- A message names ten of a long cycle, and no more of a name than is read.
BEGIN;
INSERT INTO fleet.customer (customer_id, name, parent_id) SELECT 200 + n, CASE n WHEN 16 THEN repeat('é', 60) ELSE 'C' || n END, CASE WHEN n > 1 THEN 199 + n END FROM generate_series(1, 16) n;
SELECT test.refused($$UPDATE fleet.customer SET parent_id = 216 WHERE customer_id = 201$$);
ROLLBACK;
UPDATE fleet.customer SET parent_id = CASE customer_id WHEN 101 THEN NULL WHEN 102 THEN 101 ELSE 102 END WHERE customer_id > 100;
SELECT customer_id, parent_id FROM fleet.customer WHERE parent_id IS NOT NULL ORDER BY customer_id;
-- Names are told to those who may read them.
RESET ROLE;
GRANT UPDATE (parent_id) ON fleet.customer TO regress_stranger;
GRANT SELECT (customer_id) ON fleet.customer TO regress_stranger;
GRANT USAGE ON SCHEMA fleet TO regress_stranger;
SET ROLE regress_stranger;
SELECT test.refused($$UPDATE fleet.customer SET parent_id = 103 WHERE customer_id = 101$$);
RESET ROLE;
REVOKE ALL ON fleet.customer FROM regress_stranger;
REVOKE USAGE ON SCHEMA fleet FROM regress_stranger;
DELETE FROM fleet.customer WHERE customer_id = 0;
DELETE FROM fleet.customer WHERE customer_id = 103;
DELETE FROM fleet.customer WHERE customer_id > 100;
SET ROLE regress_registry;

-- A client's bytes that are no text.
INSERT INTO fleet.asset (asset_tag) VALUES (E'PUMP-\xff');
\echo :LAST_ERROR_SQLSTATE
COPY fleet.asset (asset_tag) FROM stdin;
GOOD-1
BAD-\xff
\.
COPY fleet.asset (asset_tag, country) FROM stdin;
GOOD-1	DE
GOOD-2	Germany
\.
SELECT test.row_count();
COPY fleet.asset (asset_tag, country) FROM stdin;
GOOD-1	DE
0099	\N
\.
SELECT asset_tag, country FROM fleet.asset WHERE asset_tag IN ('GOOD-1', '0099') ORDER BY 1;

-- One statement, many rows, one of them wrong: none is stored.
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, country) SELECT 'R-' || n, CASE n WHEN 999 THEN 'Mars' END FROM generate_series(1, 1000) AS n$$);
RESET ROLE;
SELECT test.refused('TRUNCATE fleet.asset CASCADE');

\set include :source/sql/include/end.sql
\i :include
