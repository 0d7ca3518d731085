-- Draws docs/map.svg: the map of a contract that nobody has. In a database with cec:
--     psql -X -q -A -t -f docs/map/picture.sql >docs/map.svg
-- test/docs/map.py compares the picture with what this prints.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT cec.create_portfolio('picture') \g /dev/null
SET LOCAL search_path = picture, public;
INSERT INTO customer (name) VALUES ('Acme Dairies');
-- A coast like others, and an island before it.
INSERT INTO contract (number, customer_id, status, during, boundary)
SELECT 'S-2026-04', 1, 'active', '[2026-01-01,2027-01-01)', ST_Multi(ST_Collect(c.land ORDER BY c.part))
FROM (
	SELECT p.part, ST_MakePolygon(ST_MakeLine(ST_SetSRID(ST_MakePoint(p.x + s.r * 1.7 * cos(a.a), p.y + s.r * sin(a.a)), 4326) ORDER BY n)) AS land
	FROM (VALUES (1, 10.0, 54.2, 0.62, 0.6), (2, 11.5, 54.72, 0.13, 2.0)) AS p(part, x, y, size, turn)
		CROSS JOIN generate_series(0, 360, 4) AS n
		CROSS JOIN LATERAL (SELECT radians(n % 360) AS a) AS a
		CROSS JOIN LATERAL (SELECT p.size * (1 + 0.16 * sin(3 * a.a + p.turn) + 0.1 * sin(5 * a.a + 2 * p.turn) + 0.05 * sin(11 * a.a) + 0.03 * sin(23 * a.a)) AS r) AS s
	GROUP BY p.part
) AS c;
INSERT INTO coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2027-01-01)');
-- Dairies with their machines, more in the towns.
INSERT INTO asset (asset_tag, status, decommissioned_on, location)
SELECT format('D-%s', to_char(n, 'FM0000')), CASE WHEN n % 29 = 0 THEN 'retired' ELSE 'in_service' END, CASE WHEN n % 29 = 0 THEN date '2026-05-31' END,
	CASE WHEN n % 97 <> 0 THEN ST_SetSRID(ST_MakePoint(t.x + 1.7 * t.wide * sqrt(n * 7919 % 1000 / 1000.0) * cos(n * 2.39996), t.y + t.wide * sqrt(n * 7919 % 1000 / 1000.0) * sin(n * 2.39996)), 4326) END
FROM generate_series(1, 240) AS n
	JOIN (VALUES (0, 10.0, 54.2, 0.5), (1, 9.72, 54.33, 0.14), (2, 10.45, 54.05, 0.12), (3, 10.0, 54.2, 0.5), (4, 11.5, 54.72, 0.1), (5, 9.6, 53.95, 0.1))
		AS t(place, x, y, wide) ON t.place = n % 6;
INSERT INTO inclusion (term_id, asset_id, during)
SELECT 1, asset_id, CASE WHEN asset_id % 11 = 0 THEN '[2026-01-01,2026-07-01)'::daterange ELSE '[2026-01-01,2027-01-01)' END FROM asset WHERE asset_id % 9 <> 4;
INSERT INTO inclusion (term_id, asset_id, during, effect) SELECT 1, asset_id, '[2026-07-01,2026-08-01)', 'exclude' FROM asset WHERE asset_id % 31 = 6;
INSERT INTO bundle (name, primary_asset_id) SELECT asset_tag, asset_id FROM asset WHERE asset_id % 9 = 3 AND asset_id % 29 <> 0;
INSERT INTO bundle_member (bundle_id, asset_id, during) SELECT bundle_id, primary_asset_id + 1, '[2026-02-01,)' FROM bundle;
SELECT coverage_map_svg('S-2026-04', '2026-07-15');
ROLLBACK;
