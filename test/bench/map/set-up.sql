-- A million assets around a thousand contracts in Europe: the first contract has some 60,000 of them around a city, the last one some 250.
-- Nine of ten are listed, most of them with days of their contract's; they came into service over twenty years, and some have left.
-- CEC_BENCH_MAP_ASSETS makes it fewer.

\set assets 1000000
\getenv assets CEC_BENCH_MAP_ASSETS
SELECT cec.create_portfolio('atlas') \g /dev/null
UPDATE atlas.setting SET duplicates_allowed = true;
SELECT setseed(0.5) \g /dev/null

CREATE TABLE bench.map_contract AS
SELECT c, -9 + random() * 38 AS lon, 37 + random() * 28 AS lat, greatest(1, round(:assets * power(c, -0.8) / (SELECT sum(power(d, -0.8)) FROM generate_series(1, 1000) d)))::integer AS assets,
	date '2018-01-01' + (random() * 2500)::integer AS starts
FROM generate_series(1, 1000) c;

INSERT INTO atlas.customer (customer_id, name, external_ref) SELECT i, 'Customer ' || i, 'CU-' || i FROM generate_series(1, 100) i;
INSERT INTO atlas.service_tier (code, name, rank) VALUES ('gold', 'Gold', 2), ('silver', 'Silver', 1);

CREATE TABLE bench.map_asset AS
SELECT row_number() OVER (ORDER BY c.c, i) AS asset_id, c.c AS contract_id,
	st_setsrid(st_makepoint(c.lon + 0.3 * sqrt(-2 * ln(1 - random())) * cos(6.2832 * random()), c.lat + 0.2 * sqrt(-2 * ln(1 - random())) * sin(6.2832 * random())), 4326)::geometry(Point, 4326) AS location,
	CASE WHEN random() < 0.9 THEN date '2005-01-01' + (random() * 7300)::integer END AS commissioned_on,
	CASE WHEN random() < 0.05 THEN date '2026-01-01' + (random() * 1000)::integer END AS decommissioned_on,
	CASE WHEN random() < 0.7 THEN jsonb_build_object('value', (random() * 100000)::integer) ELSE '{}' END AS attributes
FROM bench.map_contract c CROSS JOIN generate_series(1, c.assets) i;

INSERT INTO atlas.asset (asset_id, asset_tag, serial_number, manufacturer, model, customer_id, location, commissioned_on, decommissioned_on, attributes)
SELECT asset_id, 'AT-' || lpad(asset_id::text, 8, '0'), 'SN' || md5(asset_id::text), 'Maker ' || asset_id % 17, 'Model ' || asset_id % 211, 1 + contract_id % 100, location, commissioned_on, decommissioned_on, attributes
FROM bench.map_asset ORDER BY asset_id;

INSERT INTO atlas.contract (contract_id, number, customer_id, account_manager, status, during, boundary)
SELECT c, 'C-' || c, 1 + c % 100, 'Manager ' || c % 40, 'active', daterange(starts, starts + 3000), st_multi(st_buffer(st_setsrid(st_makepoint(lon, lat), 4326), 0.6, 32))
FROM bench.map_contract;
INSERT INTO atlas.coverage_term (term_id, contract_id, number, tier_id, during)
SELECT c, c, '1', 1 + c % 2, daterange(starts, starts + 3000) FROM bench.map_contract;

INSERT INTO atlas.inclusion (term_id, asset_id, listed_as, during)
SELECT a.contract_id, a.asset_id, 'AT-' || lpad(a.asset_id::text, 8, '0'),
	CASE WHEN a.asset_id % 10 = 1 THEN daterange(c.starts + (a.asset_id * 7 % 900)::integer, c.starts + 1500 + (a.asset_id * 13 % 1500)::integer) ELSE daterange(c.starts, c.starts + 3000) END
FROM bench.map_asset a JOIN bench.map_contract c ON c.c = a.contract_id
WHERE a.asset_id % 10 <> 0 AND coalesce(a.commissioned_on, c.starts) < c.starts + 1400 AND coalesce(a.decommissioned_on, c.starts + 3000) >= c.starts + 1000
ORDER BY a.asset_id;

VACUUM ANALYZE;
