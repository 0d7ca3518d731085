-- Zones: cells against PROJ's own projection and PostGIS's areas, counts against a plain query, at the poles, at 180 degrees and at the
-- antipode; who sees what. Duplicates: against a comparison of all with all.
SET client_min_messages = error;
SET jit = off;
BEGIN;
SELECT no_plan();
CREATE ROLE regress_reader NOLOGIN;
CREATE ROLE regress_limited NOLOGIN;

-- Places, in grids centred anywhere: all over the earth, near both poles, at 180 degrees, around the centre.
SELECT setseed(0.17);
CREATE TEMP TABLE grid AS
SELECT g.longitude, g.latitude, s.size FROM (VALUES (9, 50), (0, 0), (-180, 0), (77, -33), (10, 90), (0, -90), (180, 89), (-45, -89), (179, -70)) AS g(longitude, latitude),
	(VALUES (1000.0::float8), (20000), (300000)) AS s(size);
CREATE TEMP TABLE place AS
SELECT g.*, k.kind, CASE k.kind WHEN 'globe' THEN random() * 360 - 180 WHEN 'pole' THEN random() * 360 - 180 WHEN '180' THEN 179.8 + random() * 0.4 ELSE g.longitude + random() * 4 - 2 END AS lon,
	CASE k.kind WHEN 'globe' THEN degrees(asin(random() * 2 - 1)) WHEN 'pole' THEN (89.7 + random() * 0.2999) * sign(random() - 0.5) WHEN '180' THEN random() * 170 - 85
		ELSE greatest(-89.9999, least(89.9999, g.latitude + random() * 4 - 2)) END AS lat
FROM grid g, unnest('{globe,pole,180,centre}'::text[]) AS k(kind), generate_series(1, 20) AS i;
UPDATE place SET lon = lon - 360 * floor((lon + 180) / 360);
CREATE TEMP TABLE placed AS
SELECT p.*, cec._zone_of(p.lon, p.lat, p.longitude, p.latitude, p.size) AS zone_id, ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4326) AS point FROM place p;
SELECT is((SELECT count(*) FROM (SELECT p.*, ST_Transform(p.point, format('+proj=laea +lat_0=%s +lon_0=%s +datum=WGS84 +units=m', p.latitude, p.longitude)) AS xy FROM placed p) AS p
	WHERE p.zone_id <> ((floor(ST_Y(p.xy) / p.size)::bigint + 33554432) << 26) + floor(ST_X(p.xy) / p.size)::bigint + 33554432), 0::bigint, 'cells are those of PROJ');
CREATE TEMP TABLE cell AS
SELECT p.longitude, p.latitude, p.size, p.zone_id, p.kind, cec._zone_geometry(cec._zone_polygon(p.zone_id, p.longitude, p.latitude, p.size)) AS area, ST_Collect(p.point) AS points
FROM placed p GROUP BY 1, 2, 3, 4, 5;
SELECT is((SELECT count(*) FROM cell WHERE GeometryType(area) <> 'MULTIPOLYGON' OR ST_SRID(area) <> 4326 OR NOT ST_IsValid(area)), 0::bigint, 'each is a valid MultiPolygon of SRID 4326');
SELECT is((SELECT count(*) FROM cell WHERE NOT ST_Covers(area, points)), 0::bigint, 'and covers its places');
SELECT is((SELECT count(*) FROM cell WHERE ST_XMin(area) < -180 OR ST_XMax(area) > 180 OR ST_YMin(area) < -90 OR ST_YMax(area) > 90), 0::bigint, 'within longitudes and latitudes');
SELECT ok((SELECT max(abs(ST_Area(area::geography) / size ^ 2 - 1)) FROM cell WHERE kind = 'centre') < 1e-4, 'areas near the centre are the square of their size');
SELECT ok((SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY abs(ST_Area(area::geography) / size ^ 2 - 1)) FROM cell WHERE kind IN ('globe', '180')) < 1e-4,
	'and elsewhere, but for cells that the edge of the plane cuts');
-- Neighbours share an edge and nothing else; a cell at a pole, and one that 180 degrees cut.
SELECT is((SELECT round(sum(ST_Area(cec._zone_geometry(cec._zone_polygon(cec._zone_of(l.lon, 89.99, 10, 90, 20000), 10, 90, 20000))::geography) / 4e8)::numeric, 3)
	FROM (VALUES (11), (101), (-169), (-79)) AS l(lon)), 4.000, 'four cells meet at the pole of a grid that is centred there');
SELECT ok(ST_NumGeometries(cec._zone_geometry(cec._zone_polygon(cec._zone_of(180, 50, 170, 50, 20000), 170, 50, 20000))) = 2, 'a cell is split at 180 degrees');
SELECT is(cec._zone_of(-180, 12, 170, 10, 20000), cec._zone_of(180, 12, 170, 10, 20000), '180 is -180');
SELECT is(cec._zone_of(-171, -50, 9, 50, 20000) IS NOT NULL, true, 'the antipode of the centre is in a zone');
SELECT is((SELECT count(DISTINCT cec._zone_of(l, 90, 9, 50, 20000)) FROM generate_series(-180, 180, 30) AS l), 1::bigint, 'the pole is one place');
SELECT ok(cec._zone_of(0, 0, 0, 0, 0.5) IS NULL AND cec._zone_of(0, 91, 0, 0, 1) IS NULL AND cec._zone_of('NaN', 0, 0, 0, 1) IS NULL AND cec._zone_outline(0, 999, 0, 1) IS NULL,
	'no such place, no such grid');
SELECT ok((SELECT bool_and(cec._zone_outline(z, 9, 50, s) IS NOT NULL) FROM unnest('{-9223372036854775808,-1,0,9223372036854775807}'::bigint[]) AS z, unnest('{1,1e9,1e300}'::float8[]) AS s),
	'numbers that are no zones do no harm');

-- The middle of an area: of rectangles as computed on paper, whichever way rings go around, with holes.
CREATE FUNCTION pg_temp.middle(area text) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s %s', round(atan2d(m[2], m[1])::numeric, 6) + 0.0, round(atan2d(m[3], hypot.h)::numeric, 6)) FROM cec._boundary_mean(ST_GeomFromText(area, 4326)) AS m, LATERAL (SELECT sqrt(m[1] ^ 2 + m[2] ^ 2) AS h) AS hypot $$;
SELECT is(pg_temp.middle('MULTIPOLYGON(((0 -10,20 -10,20 10,0 10,0 -10)))'), '10.000000 0.000000', 'a rectangle');
SELECT is(pg_temp.middle('MULTIPOLYGON(((0 -10,0 10,20 10,20 -10,0 -10)))'), '10.000000 0.000000', 'the other way around');
SELECT is(pg_temp.middle('MULTIPOLYGON(((170 40,180 40,180 50,170 50,170 40)),((-180 40,-170 40,-170 50,-180 50,-180 40)))') LIKE '%180.000000 45.%', true, 'over 180 degrees');
SELECT is(pg_temp.middle('MULTIPOLYGON(((-180 60,180 60,180 90,-180 90,-180 60)))') LIKE '% 90.000000', true, 'around the pole');
SELECT is(pg_temp.middle('MULTIPOLYGON(((0 -10,20 -10,20 10,0 10,0 -10),(0.0001 -9,10 -9,10 9,0.0001 9,0.0001 -9)))') LIKE '1_.%', true, 'a hole has no weight');
SELECT is(pg_temp.middle('MULTIPOLYGON(((9 50,9.00001 50,9.00001 50.00001,9 50.00001,9 50)))'), '9.000005 50.000005', 'one of a metre');
-- Edges are straight in longitude and latitude, however long they are: the same with a corner at every degree.
SELECT ok((SELECT bool_and(abs(m[i] - n[i]) < 1e-9) FROM (SELECT ST_GeomFromText('MULTIPOLYGON(((-150 -70,150 -60,120 80,-100 40,-150 -70)))', 4326) AS area) AS a
	CROSS JOIN LATERAL cec._boundary_mean(a.area) AS m CROSS JOIN LATERAL cec._boundary_mean(ST_Segmentize(a.area, 1)) AS n, generate_series(1, 3) AS i), 'long edges are as exact as short ones');
-- The same by a fine net of points.
SELECT ok((SELECT abs(atan2d(s.y, s.x) - atan2d(m[2], m[1])) < 0.02 AND abs(atan2d(s.z, sqrt(s.x ^ 2 + s.y ^ 2)) - atan2d(m[3], sqrt(m[1] ^ 2 + m[2] ^ 2))) < 0.02
	FROM (SELECT ST_GeomFromText('POLYGON((-20 10,70 20,50 80,-30 60,-20 10),(0 30,10 50,20 30,0 30))', 4326) AS area) AS a CROSS JOIN LATERAL cec._boundary_mean(a.area) AS m
		CROSS JOIN LATERAL (SELECT sum(cosd(lat) ^ 2 * cosd(lon)) AS x, sum(cosd(lat) ^ 2 * sind(lon)) AS y, sum(cosd(lat) * sind(lat)) AS z
			FROM generate_series(-29.9, 70, 0.2) AS lon, generate_series(10.1, 80, 0.2) AS lat WHERE ST_Covers(a.area, ST_SetSRID(ST_MakePoint(lon, lat), 4326))) AS s), 'as a net of points has it');

-- A portfolio: two contracts of one tree of customers, others beside them; what is counted by a plain query.
SELECT cec.create_portfolio('works') \g /dev/null
SELECT cec.grant_access('works', 'regress_reader', 'analyst');
SELECT cec.grant_access('works', 'regress_limited', 'analyst');
UPDATE works.setting SET duplicates_allowed = true, value_attribute = 'worth';
INSERT INTO works.customer (customer_id, name, parent_id) VALUES (1, 'Group', NULL), (2, 'North', 1), (3, 'Rail', NULL), (4, 'North-East', 2);
INSERT INTO works.contract (contract_id, number, customer_id, status, during, boundary, suspensions) VALUES
	(1, 'IN', 2, 'active', '[2020-01-01,2090-01-01)', 'SRID=4326;MULTIPOLYGON(((5 46,15 46,15 54,5 54,5 46),(8 48,10 48,10 50,8 50,8 48)))', '{}'),
	(2, 'ANY', 4, 'active', '[2020-01-01,2090-01-01)', NULL, '{}'), (3, 'RAIL', 3, 'active', '[2020-01-01,2090-01-01)', NULL, '{[2031-01-01,2032-01-01)}'),
	(4, 'PACIFIC', 3, 'active', '[2020-01-01,2090-01-01)', 'SRID=4326;MULTIPOLYGON(((178 -20,180 -20,180 -10,178 -10,178 -20)),((-180 -20,-178 -20,-178 -10,-180 -10,-180 -20)))', '{}');
INSERT INTO works.coverage_term (term_id, contract_id, number, during) SELECT i, i, '1', '(,)' FROM generate_series(1, 4) AS i;
INSERT INTO works.asset (asset_id, asset_tag, customer_id, location, attributes, status, commissioned_on, decommissioned_on, out_of_service)
SELECT i, 'A-' || i, CASE WHEN i % 7 < 5 THEN 1 + i % 4 END, CASE WHEN i % 13 > 0 THEN CASE WHEN i % 3 = 0
		THEN ST_SetSRID(ST_MakePoint((179.5 - random()) * sign(random() - 0.5), -10 - random() * 9), 4326) ELSE ST_SetSRID(ST_MakePoint(4 + random() * 12, 45 + random() * 10), 4326) END END,
	CASE i % 4 WHEN 0 THEN '{}' WHEN 1 THEN jsonb_build_object('worth', i % 100) WHEN 2 THEN jsonb_build_object('worth', (i % 10 + 0.5)::text) ELSE '{"worth": "much"}' END,
	CASE WHEN i % 29 = 0 THEN 'planned' ELSE 'in_service' END, CASE WHEN i % 11 = 0 THEN date '2025-06-01' END, CASE WHEN i % 17 = 0 THEN date '2025-12-31' END,
	CASE WHEN i % 19 = 0 THEN '{[2026-01-01,2026-07-01)}' ELSE '{}' END::datemultirange
FROM generate_series(1, 3000) AS i;
-- At the poles, and in the hole.
INSERT INTO works.asset (asset_id, asset_tag, customer_id, location) VALUES (4001, 'P-1', 3, 'SRID=4326;POINT(33 90)'), (4002, 'P-2', 3, 'SRID=4326;POINT(-120 -90)'), (4003, 'P-3', 3, 'SRID=4326;POINT(-171 -50)'),
	(4004, 'H-1', 1, 'SRID=4326;POINT(9 49)'), (4005, 'E-1', 1, 'SRID=4326;POINT(5 50)'), (4006, 'O-1', 3, 'SRID=4326;POINT(12 50)');
INSERT INTO works.inclusion (term_id, asset_id, during) SELECT 1 + i % 4, i, '[2024-01-01,2090-01-01)' FROM generate_series(1, 3000) AS i WHERE i % 5 > 1 AND i % 29 > 0 AND i % 17 > 0;
INSERT INTO works.inclusion (term_id, asset_id, during) SELECT 1 + (i + 1) % 4, i, '[2025-01-01,2027-01-01)' FROM generate_series(1, 3000) AS i WHERE i % 6 = 1 AND i % 29 > 0 AND i % 17 > 0;
INSERT INTO works.inclusion (term_id, asset_id, during, effect) SELECT 1 + i % 4, i, '[2026-01-01,2026-12-31)', 'exclude' FROM generate_series(1, 3000) AS i WHERE i % 31 = 0;

-- Assets that count, as the manual has them: nothing of the engine but coverage.
CREATE FUNCTION pg_temp.counted(contract text, day date) RETURNS TABLE (asset_id bigint, point geometry, worth numeric, is_here boolean, is_elsewhere boolean) LANGUAGE sql AS $$
	WITH RECURSIVE root AS (
		SELECT customer_id, customer_id AS root FROM works.customer WHERE parent_id IS NULL UNION ALL SELECT c.customer_id, r.root FROM root r JOIN works.customer c ON c.parent_id = r.customer_id
	), k AS (SELECT c.contract_id, c.boundary, r.root FROM works.contract c JOIN root r USING (customer_id) WHERE c.number = contract),
	v AS (SELECT v.asset_id, t.contract_id FROM works.coverage v JOIN works.coverage_term t USING (term_id) WHERE lower(v.during) <= day AND (upper(v.during) > day OR upper_inf(v.during)))
	SELECT a.asset_id, a.location, CASE WHEN a.attributes ->> 'worth' ~ '^[0-9.]+$' THEN (a.attributes ->> 'worth')::numeric ELSE 0 END,
		a.asset_id IN (SELECT v.asset_id FROM v WHERE contract IS NULL OR v.contract_id = (SELECT contract_id FROM k)),
		a.asset_id IN (SELECT v.asset_id FROM v) AND a.asset_id NOT IN (SELECT v.asset_id FROM v WHERE contract IS NULL OR v.contract_id = (SELECT contract_id FROM k))
	FROM works.asset a LEFT JOIN root r USING (customer_id)
	WHERE a.location IS NOT NULL AND (contract IS NULL OR r.root = (SELECT root FROM k)) AND (contract IS NULL OR (SELECT boundary FROM k) IS NULL OR ST_Covers((SELECT boundary FROM k), a.location))
		AND (a.status <> 'planned' OR a.commissioned_on IS NOT NULL) AND coalesce(a.commissioned_on <= day, true) AND coalesce(a.decommissioned_on >= day, true) AND NOT a.out_of_service @> day $$;
CREATE TEMP TABLE question AS SELECT c.number, d.day FROM unnest(ARRAY['IN', 'ANY', 'RAIL', 'PACIFIC', NULL]) AS c(number), unnest('{2025-03-01,2026-03-01,2031-05-05,2095-01-01}'::date[]) AS d(day);
CREATE TEMP TABLE counted AS SELECT q.number, q.day, n.* FROM question q CROSS JOIN LATERAL pg_temp.counted(q.number, q.day) AS n;
SELECT is((SELECT count(*) FROM question q
	CROSS JOIN LATERAL (SELECT coalesce(sum(z.assets), 0) AS assets, coalesce(sum(z.covered), 0) AS covered, coalesce(sum(z.covered_elsewhere), 0) AS elsewhere, coalesce(sum(z.uncovered), 0) AS uncovered, coalesce(sum(z.value), 0) AS value,
		coalesce(sum(z.uncovered_value), 0) AS uncovered_value FROM works.under_covered_zones(q.number, 50000, q.day) AS z) AS z
	CROSS JOIN LATERAL (SELECT count(*) AS assets, count(*) FILTER (WHERE is_here) AS covered, count(*) FILTER (WHERE is_elsewhere) AS elsewhere, count(*) FILTER (WHERE NOT is_here AND NOT is_elsewhere) AS uncovered,
		coalesce(sum(worth), 0) AS value, coalesce(sum(worth) FILTER (WHERE NOT is_here AND NOT is_elsewhere), 0) AS uncovered_value FROM counted AS k WHERE k.number IS NOT DISTINCT FROM q.number AND k.day = q.day) AS n
	WHERE (z.assets, z.covered, z.elsewhere, z.uncovered, z.value, z.uncovered_value) IS DISTINCT FROM (n.assets, n.covered, n.elsewhere, n.uncovered, n.value, n.uncovered_value)), 0::bigint, 'zones come to what a plain query counts, of every contract and day');
SELECT ok((SELECT bool_and(assets > 0) FROM question q CROSS JOIN LATERAL (SELECT count(*) AS assets FROM counted AS k WHERE k.number IS NOT DISTINCT FROM q.number AND k.day = q.day) AS n WHERE q.day < '2095-01-01'), 'each of which has assets to count');
-- Each zone by itself: the assets that its own geometry covers, but for those at the poles, where a place has any longitude.
SELECT is((SELECT count(*) FROM question q CROSS JOIN LATERAL works.under_covered_zones(q.number, 50000, q.day) AS z
	CROSS JOIN LATERAL (SELECT count(*) AS assets, count(*) FILTER (WHERE is_here) AS covered, count(*) FILTER (WHERE is_elsewhere) AS elsewhere FROM counted AS a WHERE a.number IS NOT DISTINCT FROM q.number AND a.day = q.day AND ST_Intersects(z.geometry, a.point) AND abs(ST_Y(a.point)) < 90) AS n
	WHERE q.day = '2026-03-01' AND abs(ST_Y(ST_PointOnSurface(z.geometry))) < 89 AND (z.assets, z.covered, z.covered_elsewhere) IS DISTINCT FROM (n.assets, n.covered, n.elsewhere)), 0::bigint, 'each zone has the assets inside its geometry');
SELECT is((SELECT count(*) FROM question q CROSS JOIN LATERAL works.under_covered_zones(q.number, 50000, q.day, 0.75) AS z
	WHERE z.assets <> z.covered + z.covered_elsewhere + z.uncovered OR z.share <> z.covered::numeric / z.assets OR z.shortfall <> greatest(0, ceil(0.75 * z.assets) - z.covered) OR z.is_under_covered <> (z.shortfall > 0)
		OR NOT ST_IsValid(z.geometry)), 0::bigint, 'shares and shortfalls');
SELECT is((SELECT array_agg(z.zone_id) FROM works.under_covered_zones('IN', 50000, '2026-03-01') AS z), (SELECT array_agg(z.zone_id ORDER BY z.uncovered_value DESC, z.uncovered DESC, z.zone_id) FROM works.under_covered_zones('IN', 50000, '2026-03-01') AS z), 'worst first');
SELECT is((SELECT sum(z.covered) FROM works.under_covered_zones('RAIL', 50000, '2031-05-05') AS z), 0::numeric, 'suspended: nothing is covered');
SELECT is((SELECT sum(z.covered_elsewhere) FROM works.under_covered_zones(NULL, 50000, '2026-03-01') AS z), 0::numeric, 'of the portfolio nothing is covered elsewhere');
SELECT is((SELECT string_agg(z::text, ',') FROM works.under_covered_zones('IN', on_day => NULL) AS z), (SELECT string_agg(z::text, ',') FROM works.under_covered_zones('IN', on_day => cec.today('works')) AS z), 'NULL is today');
-- The grid of a contract with a boundary does not move with its assets; any plan gives the same.
CREATE TEMP TABLE before AS SELECT z.* FROM works.under_covered_zones('ANY', 30000, '2026-03-01') AS z;
SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*) FROM works.under_covered_zones('ANY', 30000, '2026-03-01') AS z JOIN before b ON b.zone_id = z.zone_id AND b::text = z::text), (SELECT count(*) FROM before), 'the same with another plan, to the byte');
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_seqscan;

-- Candidates.
SELECT is((SELECT count(*) FROM question q CROSS JOIN LATERAL (SELECT z.zone_id, z.uncovered FROM works.under_covered_zones(q.number, on_day => q.day) AS z LIMIT 10) AS z CROSS JOIN LATERAL (SELECT count(*) AS rows, count(DISTINCT c.asset_id) AS assets FROM works.zone_candidates(q.number, z.zone_id, q.day) AS c) AS c
	WHERE q.day = '2026-03-01' AND q.number IN ('IN', 'PACIFIC') AND (c.rows <> z.uncovered OR c.assets <> z.uncovered)), 0::bigint, 'candidates are what is not covered');
SELECT results_eq($$SELECT c.asset_id FROM works.zone_candidates('IN', (SELECT zone_id FROM works.under_covered_zones('IN', on_day => '2026-03-01') LIMIT 1), '2026-03-01') AS c$$,
	$$SELECT n.asset_id FROM counted AS n, (SELECT geometry FROM works.under_covered_zones('IN', on_day => '2026-03-01') LIMIT 1) AS z WHERE n.number = 'IN' AND n.day = '2026-03-01' AND ST_Covers(z.geometry, n.point) AND NOT is_here AND NOT is_elsewhere ORDER BY n.worth DESC, n.asset_id$$,
	'by value, then id');

-- The view.
SELECT is((SELECT count(*) FROM works.gap_map g FULL JOIN (SELECT * FROM works.under_covered_zones(NULL) WHERE is_under_covered) AS z USING (zone_id)
	WHERE g.zone_id IS NULL OR z.zone_id IS NULL OR NOT ST_Equals(g.geometry, z.geometry) OR NOT ST_Covers(ST_Expand(z.geometry, 1e-9), ST_SetSRID(ST_MakePoint(g.longitude, g.latitude), 4326))), 0::bigint, 'gap_map has the zones of the portfolio that are under-covered');
SELECT is((SELECT format('%s %s', type, srid) FROM geometry_columns WHERE f_table_schema = 'works' AND f_table_name = 'gap_map'), 'MULTIPOLYGON 4326', 'with a typed geometry');

-- Who sees what.
SET LOCAL ROLE regress_reader;
SELECT is((SELECT sum(assets) FROM works.under_covered_zones('IN')) > 0, true, 'an analyst may ask');
RESET ROLE;
ALTER TABLE works.asset ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON works.asset FOR SELECT TO regress_limited USING (asset_id <= 100);
CREATE POLICY every ON works.asset FOR SELECT TO regress_reader USING (true);
SET LOCAL ROLE regress_limited;
SELECT is((SELECT sum(assets) FROM works.under_covered_zones(NULL, on_day => '2026-03-01')), (SELECT count(*)::numeric FROM works.asset a WHERE a.location IS NOT NULL AND (a.status <> 'planned' OR a.commissioned_on IS NOT NULL)
	AND coalesce(a.decommissioned_on >= '2026-03-01', true) AND NOT a.out_of_service @> date '2026-03-01'), 'row-level security counts');
SELECT is((SELECT count(*) FROM works.duplicate_registrations(1e7) WHERE asset_id > 100 OR other_asset_id > 100), 0::bigint, 'and of duplicates');
RESET ROLE;

-- Duplicates: all with all, of assets with few keys in few places, at the poles and at 180 degrees.
SELECT cec.create_portfolio('twice') \g /dev/null
INSERT INTO twice.asset (asset_id, asset_tag, serial_number, manufacturer, model, location, status, decommissioned_on)
SELECT i, CASE WHEN i % 3 = 0 THEN 'sn-' || (10000 + i * 7 % 500) || repeat(' ', i / 500) || repeat('.', i % 5) ELSE 'TAG' || i END, CASE WHEN i % 4 > 0 THEN 'SN' || (10000 + i * 11 % 700) END || CASE WHEN i % 8 = 1 THEN '-' ELSE '' END,
	CASE WHEN i % 5 > 0 THEN 'M' || i % 2 END, CASE WHEN i % 6 > 0 THEN 'model ' || i / 6 % 3 END,
	CASE i % 4 WHEN 0 THEN ST_SetSRID(ST_MakePoint(180 * sign(random() - 0.5) + 0, 10 + i * 0.00001), 4326) WHEN 1 THEN ST_SetSRID(ST_MakePoint(random() * 360 - 180, 89.9999 + random() * 0.0001), 4326)
		WHEN 2 THEN ST_SetSRID(ST_MakePoint(179.9999 + random() * 0.0001, 50 + random() * 0.01), 4326) END,
	CASE WHEN i % 10 = 0 THEN 'retired' ELSE 'in_service' END, CASE WHEN i % 10 = 0 THEN date '2020-01-01' END
FROM generate_series(1, 900) AS i ON CONFLICT DO NOTHING;
CREATE TEMP TABLE pair AS
SELECT a.asset_id, b.asset_id AS other_asset_id, x.by_tag, x.by_serial, a.model = b.model AND ST_DistanceSphere(a.location, b.location) <= 40 AS is_near, ST_DistanceSphere(a.location, b.location) AS distance,
	a.serial_number IS NULL OR b.serial_number IS NULL OR cec.identifier_key(a.serial_number) = cec.identifier_key(b.serial_number) AS has_no_other
FROM twice.asset a JOIN twice.asset b ON a.asset_id < b.asset_id
	CROSS JOIN LATERAL (SELECT coalesce(a.manufacturer = b.manufacturer, true) AND (cec.identifier_key(a.asset_tag) IN (cec.identifier_key(b.asset_tag), cec.identifier_key(b.serial_number)) OR cec.identifier_key(a.serial_number) = cec.identifier_key(b.asset_tag)) AS by_tag,
		coalesce(a.manufacturer = b.manufacturer, true) AND cec.identifier_key(a.serial_number) = cec.identifier_key(b.serial_number) AS by_serial) AS x;
CREATE TEMP TABLE neighbour AS SELECT a AS asset_id FROM (SELECT asset_id AS a FROM pair WHERE is_near UNION ALL SELECT other_asset_id FROM pair WHERE is_near) AS n GROUP BY a HAVING count(*) > 20;
CREATE TEMP TABLE told AS SELECT * FROM twice.duplicate_registrations(40);
SELECT set_eq($$SELECT asset_id, other_asset_id, reason, is_likely FROM told WHERE other_asset_id IS NOT NULL$$,
	$$SELECT asset_id, other_asset_id, CASE WHEN by_tag THEN 'same_key' WHEN by_serial THEN 'same_serial' ELSE 'same_place' END, by_tag IS TRUE OR by_serial IS TRUE OR has_no_other IS TRUE FROM pair
		WHERE by_tag OR by_serial OR (is_near AND asset_id NOT IN (TABLE neighbour) AND other_asset_id NOT IN (TABLE neighbour))$$, 'duplicates are those of a comparison of all with all');
SELECT set_eq($$SELECT asset_id FROM told WHERE other_asset_id IS NULL AND reason = 'same_place' AND NOT is_likely$$, $$TABLE neighbour$$, 'who has more than 20 around has one row');
SELECT ok((SELECT count(*) > 0 FROM neighbour) AND (SELECT count(DISTINCT reason) = 3 AND count(DISTINCT is_likely) = 2 FROM told WHERE other_asset_id IS NOT NULL), 'there are some of each');
SELECT is((SELECT count(*) FROM told t JOIN pair p USING (asset_id, other_asset_id) WHERE abs(t.distance_m - p.distance) > 0.001 OR (t.distance_m IS NULL) <> (p.distance IS NULL)), 0::bigint, 'distances are those of ST_DistanceSphere');
SELECT is((SELECT count(*) FROM told WHERE asset_id >= other_asset_id), 0::bigint, 'the smaller id comes first');
SELECT is((SELECT count(*) FROM told), (SELECT count(*) FROM (SELECT DISTINCT asset_id, other_asset_id FROM told) AS t), 'one row a pair');
-- Pairs by name are those of the finding.
SELECT set_eq($$SELECT asset_id, other_asset_id FROM told WHERE reason <> 'same_place'$$, $$SELECT asset_id, other_asset_id FROM twice.finding WHERE kind = 'duplicate_in_register' AND closed_at IS NULL$$, 'pairs by name are those of duplicate_in_register');
-- A key, and a place, that thousands share.
INSERT INTO twice.asset (asset_id, asset_tag, serial_number, manufacturer, model, location) SELECT 10000 + i, 'CROWD' || i, 'UNKNOWN', 'Maker', 'crowd ' || i, NULL FROM generate_series(1, 3000) AS i;
INSERT INTO twice.asset (asset_id, asset_tag, model, location) SELECT 20000 + i, 'STORE' || i, 'stored', 'SRID=4326;POINT(7 51)' FROM generate_series(1, 3000) AS i;
SELECT results_eq($$SELECT reason, is_likely, other_asset_id, distance_m, count(*) FROM twice.duplicate_registrations() WHERE asset_id > 10000 GROUP BY 1, 2, 3, 4 ORDER BY 1$$,
	$$VALUES ('same_place', false, NULL::bigint, NULL::double precision, 3000::bigint), ('same_serial', false, NULL, NULL, 3000)$$, 'crowds are told once an asset');
SELECT is((SELECT count(*) FROM twice.duplicate_registrations(0) WHERE reason = 'same_place' AND distance_m > 0), 0::bigint, 'within 0 m: in one place');

SELECT finish();
ROLLBACK;
