-- Boundaries. Parts cover what the boundary covers, to the last point of its edges and cuts; they are there when the statement that changes
-- it ends, at every level of isolation; and cec.boundary makes of any outline what the column takes, and encloses what was meant.
-- The seed is printed: psql -v seed=0.1234 repeats it.
SET client_min_messages = warning;
\if :{?seed} \else
SELECT round(random()::numeric, 6) AS seed \gset
\endif
\echo # seed :seed
SELECT setseed(:seed) \g /dev/null
SELECT cec.create_portfolio('fleet') \g /dev/null
SELECT plan(42);
SET search_path = fleet, public, pg_temp;

-- A star of so many corners, with bays.
CREATE FUNCTION pg_temp.star(corners integer, longitude float8, latitude float8, radius float8) RETURNS geometry LANGUAGE sql AS $$
	SELECT ST_SetSRID(ST_MakePolygon(ST_MakeLine(ARRAY(SELECT ST_MakePoint(longitude + radius * r * cos(t), latitude + radius * r * sin(t))
		FROM generate_series(0, corners) AS g, LATERAL (SELECT 2 * pi() * (g % corners) / corners AS t) AS a, LATERAL (SELECT 0.7 + 0.25 * sin(37 * t) + 0.04 * sin(501 * t) AS r) AS b
		ORDER BY g))), 4326)
$$;
-- Parts that are not what boundaries are cut into.
CREATE FUNCTION pg_temp.breaches() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM (SELECT FROM (SELECT contract_id, part::bytea, 1 AS n FROM boundary_part UNION ALL SELECT contract_id, cec._cut(boundary)::bytea, -1 FROM contract) AS u
		GROUP BY contract_id, part HAVING sum(n) <> 0) AS b
$$;

INSERT INTO customer (name) VALUES ('Acme');
-- With lakes and an island, all alike and moved a little, so that their cuts lie elsewhere; and boxes that share edges.
INSERT INTO contract (number, customer_id, status, during, priority, boundary)
	SELECT 'S-' || g, 1, 'active', '(,)'::daterange, 10 - g, ST_Multi(ST_Union(ST_Difference(ST_Difference(pg_temp.star(3000, x, 50, 5), pg_temp.star(800, x, 50, 1.3)), pg_temp.star(7, x + 2, 50.3, 0.4)), pg_temp.star(300, x, 50, 0.3)))
	FROM generate_series(1, 3) AS g, LATERAL (SELECT 10 + g * random() AS x) AS c
	UNION ALL SELECT 'B-' || g, 1, 'active', '(,)', 100, ST_Multi(ST_Segmentize(ST_MakeEnvelope(g, 40, g + 1, 41, 4326), 0.01 * g)) FROM generate_series(1, 4) AS g;
SELECT is(pg_temp.breaches(), 0::bigint, 'boundaries are cut in the statement that brings them');
SELECT cmp_ok((SELECT max(ST_NPoints(part)) FROM boundary_part), '<=', 100, 'parts are small');
SELECT is_empty($$SELECT c.number, ST_Area(ST_SymDifference(c.boundary, p.area)), p.sum - ST_Area(c.boundary)
	FROM contract c LEFT JOIN (SELECT contract_id, ST_Union(part) AS area, sum(ST_Area(part)) AS sum FROM boundary_part GROUP BY 1) AS p USING (contract_id)
	WHERE (ST_Area(ST_SymDifference(c.boundary, p.area)) < 1e-9 AND abs(p.sum - ST_Area(c.boundary)) < 1e-9) IS NOT TRUE$$, 'together they are the boundary, and none lies on another');

CREATE TEMP TABLE place AS
SELECT row_number() OVER () AS place_id, how, p FROM (
	SELECT 'anywhere', ST_SetSRID(ST_MakePoint(4 + random() * 15, 39.5 + random() * 17), 4326) FROM generate_series(1, 5000)
	UNION ALL SELECT 'on an edge', ST_LineInterpolatePoint(s.geom, random()) FROM contract, ST_DumpSegments(boundary) AS s
	UNION ALL SELECT 'at a corner', d.geom FROM contract, ST_DumpPoints(boundary) AS d
	UNION ALL SELECT 'at a corner of a part', d.geom FROM boundary_part, ST_DumpPoints(part) AS d
	UNION ALL SELECT 'on an edge of a part', ST_LineInterpolatePoint(s.geom, CASE WHEN random() < 0.2 THEN 0.5 ELSE random() END) FROM boundary_part, ST_DumpSegments(part) AS s
	UNION ALL SELECT 'near it', ST_Translate(ST_LineInterpolatePoint(s.geom, random()), (random() - 0.5) * 10 ^ (-7 - random() * 9), (random() - 0.5) * 10 ^ (-7 - random() * 9)) FROM boundary_part, ST_DumpSegments(part) AS s) AS u(how, p);
CREATE INDEX ON place USING gist (p);
CREATE TEMP TABLE inside AS SELECT c.contract_id, n.place_id FROM contract c CROSS JOIN LATERAL (SELECT place_id FROM place WHERE ST_Covers(c.boundary, p) OFFSET 0) AS n;
CREATE TEMP TABLE found AS SELECT DISTINCT b.contract_id, n.place_id FROM boundary_part b JOIN contract c USING (contract_id)
	CROSS JOIN LATERAL (SELECT place_id FROM place WHERE b.part && p AND cec._boundary_covers(b.part, c.boundary, p) OFFSET 0) AS n;
SELECT cmp_ok((SELECT count(*) FROM place), '>', 30000::bigint, 'there are many places to look at');
SELECT is_empty('SELECT how, count(*) FROM (TABLE inside EXCEPT TABLE found) AS d JOIN place USING (place_id) GROUP BY 1', 'no place inside a boundary is outside of its parts');
SELECT is_empty('SELECT how, count(*) FROM (TABLE found EXCEPT TABLE inside) AS d JOIN place USING (place_id) GROUP BY 1', 'nor the other way round');
SELECT is_empty($$SELECT how, count(*) FROM boundary_part b JOIN contract c USING (contract_id) CROSS JOIN LATERAL (SELECT how, p FROM place WHERE b.part && p AND how = 'anywhere' OFFSET 0) AS n
	WHERE cec._part_covers(b.part, ST_X(p), ST_Y(p)) IS DISTINCT FROM ST_Covers(b.part, p) GROUP BY 1$$, 'away from edges a part says what ST_Covers says of it');
SELECT is((SELECT cec._part_covers('SRID=4326;MULTIPOLYGON(((0 0,1 0,1 1,0 0)))', 0.6, 0.5)), NULL, 'of what is no polygon nothing is said');
SELECT is((SELECT cec._part_covers('SRID=4326;POLYGON((0 0,1 0,1 1,0 0))', 'NaN', 0.5)), NULL, 'nor of what is no place');

-- A shared edge belongs to both; one owns: the lowest priority, then the first.
CREATE FUNCTION pg_temp.around(longitude float8, latitude float8) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(', ', VARIADIC array_agg(number ORDER BY priority, contract_id))
	FROM (SELECT DISTINCT c.* FROM boundary_part b JOIN contract c USING (contract_id) WHERE b.part && ST_Point(longitude, latitude, 4326) AND cec._boundary_covers(b.part, c.boundary, ST_Point(longitude, latitude, 4326))) AS c
$$;
SELECT is(pg_temp.around(2, 40.3), 'B-1, B-2', 'an edge belongs to both');
SELECT is(pg_temp.around(2, 41), 'B-1, B-2', 'and so does a corner');
SELECT is(pg_temp.around(2.0000001, 40.3), 'B-2', 'and beside it is beside it');
UPDATE contract SET priority = 99 WHERE number = 'B-2';
SELECT is(pg_temp.around(2, 40.3), 'B-2, B-1', 'the lowest priority comes first');

-- Statements of all kinds.
CREATE FUNCTION pg_temp.box(g integer, step float8) RETURNS geometry LANGUAGE sql AS $$ SELECT ST_Multi(ST_Segmentize(ST_MakeEnvelope(g, 30, g + 1, 31, 4326), step)) $$;
UPDATE contract SET account_manager = 'Kim';
SELECT is((SELECT count(*) FROM boundary_part WHERE xmin = pg_current_xact_id()::xid), 0::bigint, 'what leaves boundaries as they are writes no part');
UPDATE contract SET boundary = boundary WHERE number = 'B-1';
SELECT is(pg_temp.breaches(), 0::bigint, 'nor does the same boundary once more');
UPDATE contract c SET boundary = pg_temp.box(c.contract_id::integer, 0.02) WHERE number LIKE 'B%';
SELECT is(pg_temp.breaches(), 0::bigint, 'several boundaries in one statement');
UPDATE contract SET boundary = NULL WHERE number = 'B-3';
SELECT is(pg_temp.breaches(), 0::bigint, 'one goes');
UPDATE contract SET contract_id = contract_id + 100 WHERE number LIKE 'B%';
SELECT is(pg_temp.breaches(), 0::bigint, 'other keys');
UPDATE contract a SET boundary = b.boundary FROM contract b WHERE a.number = 'B-1' AND b.number = 'B-2' OR a.number = 'B-2' AND b.number = 'B-1';
SELECT is(pg_temp.breaches(), 0::bigint, 'two exchange theirs');
MERGE INTO contract c USING (VALUES ('B-1'), ('B-2'), ('B-9')) AS v(number) ON v.number = c.number
	WHEN MATCHED AND v.number = 'B-1' THEN DELETE WHEN MATCHED THEN UPDATE SET boundary = pg_temp.box(50, 0.01)
	WHEN NOT MATCHED THEN INSERT (number, customer_id, during, boundary) VALUES (v.number, 1, '(,)', pg_temp.box(60, 0.01));
SELECT is(pg_temp.breaches(), 0::bigint, 'insert, update and delete in one statement');
WITH other AS (UPDATE contract SET boundary = pg_temp.box(70, 0.01) WHERE number = 'B-4') INSERT INTO contract (number, customer_id, during, boundary) VALUES ('B-5', 1, '(,)', pg_temp.box(71, 0.01));
SELECT is(pg_temp.breaches(), 0::bigint, 'and in one with several parts');
INSERT INTO contract (number, customer_id, during, boundary) VALUES ('B-5', 1, '(,)', pg_temp.box(72, 0.03)) ON CONFLICT (number) DO UPDATE SET boundary = excluded.boundary;
SELECT is(pg_temp.breaches(), 0::bigint, 'ON CONFLICT DO UPDATE');
BEGIN;
SAVEPOINT a;
UPDATE contract SET boundary = pg_temp.box(73, 0.01) WHERE number = 'B-5';
ROLLBACK TO a;
SELECT is(pg_temp.breaches(), 0::bigint, 'what is rolled back');
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE contract SET boundary = pg_temp.box(74, 0.01) WHERE number = 'B-5';
UPDATE contract SET boundary = pg_temp.box(75, 0.01) WHERE number = 'B-5';
SELECT is(pg_temp.breaches(), 0::bigint, 'twice in a transaction, REPEATABLE READ');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO contract (number, customer_id, during, boundary) VALUES ('B-6', 1, '(,)', pg_temp.box(76, 0.01));
DELETE FROM contract WHERE number = 'B-6';
SELECT is(pg_temp.breaches(), 0::bigint, 'there and gone again, SERIALIZABLE');
COMMIT;
ALTER TABLE boundary_part DISABLE TRIGGER derived;
DELETE FROM boundary_part WHERE boundary_part_id % 7 = 1;
UPDATE boundary_part SET part = ST_Translate(part, 1, 0) WHERE boundary_part_id % 7 = 2;
INSERT INTO boundary_part (contract_id, part) VALUES (9999, 'SRID=4326;POLYGON((0 0,1 0,1 1,0 0))');
ALTER TABLE boundary_part ENABLE ALWAYS TRIGGER derived;
SELECT cmp_ok(pg_temp.breaches(), '>', 2::bigint, 'who writes past the engine damages parts');
SELECT recompute_coverage() \g /dev/null
SELECT is(pg_temp.breaches(), 0::bigint, 'and recompute_coverage mends them');
SELECT throws_ok('TRUNCATE boundary_part', '42501', NULL, 'nobody empties them');

-- Findings read them in the statement; on a cut one finding is enough.
INSERT INTO asset (asset_tag, customer_id, commissioned_on, location) SELECT 'A-' || n, 1, '2020-01-01', p
	FROM (SELECT row_number() OVER () AS n, p FROM (SELECT DISTINCT d.geom AS p FROM boundary_part b JOIN contract c USING (contract_id), ST_DumpPoints(b.part) AS d WHERE c.number IN ('S-1', 'S-2') ORDER BY 1 LIMIT 400) AS d
		UNION ALL SELECT 1000 + g, ST_Point(4 + random() * 15, 45 + random() * 10, 4326) FROM generate_series(1, 200) AS g) AS n;
CREATE FUNCTION pg_temp.differences() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM (SELECT FROM (SELECT asset_id, contract_id, 1 AS n FROM finding WHERE kind = 'uncovered_in_boundary' AND closed_at IS NULL
		UNION ALL SELECT a.asset_id, c.contract_id, -1 FROM asset a, contract c WHERE ST_Covers(c.boundary, a.location) AND c.status = 'active') AS u GROUP BY asset_id, contract_id HAVING sum(n) <> 0) AS d
$$;
SELECT cmp_ok((SELECT count(*) FROM finding WHERE kind = 'uncovered_in_boundary'), '>', 300::bigint, 'assets stand inside boundaries');
SELECT is(pg_temp.differences(), 0::bigint, 'each is found, of those that its boundary covers');
SELECT is_empty('SELECT asset_id, contract_id FROM _finding_uncovered_in_boundary GROUP BY 1, 2 HAVING count(*) > 1', 'and one of the parts that meet tells of it');
UPDATE contract SET boundary = ST_Multi(ST_Translate(boundary, 0.013, 0.007)) WHERE number LIKE 'S%';
SELECT is(pg_temp.differences(), 0::bigint, 'so when boundaries move');
SELECT refresh() \g /dev/null
SELECT is(pg_temp.differences(), 0::bigint, 'and behind refresh');

-- Who does not see a contract does not see its parts: nobody but admins does, and these by a policy of the owner's.
CREATE ROLE boundary_reader;
SELECT cec.grant_access('fleet', 'boundary_reader', 'analyst') \g /dev/null
SET ROLE boundary_reader;
SELECT throws_ok('SELECT FROM boundary_part', '42501', NULL, 'analysts read no parts');
RESET ROLE;
SELECT cec.grant_access('fleet', 'boundary_reader', 'admin') \g /dev/null
ALTER TABLE contract ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON contract FOR SELECT TO boundary_reader USING (number = 'S-1');
ALTER TABLE boundary_part ENABLE ROW LEVEL SECURITY;
CREATE POLICY as_contract ON boundary_part FOR SELECT USING (EXISTS (SELECT FROM contract c WHERE c.contract_id = boundary_part.contract_id));
SET ROLE boundary_reader;
SELECT set_eq('SELECT DISTINCT number FROM boundary_part b LEFT JOIN contract c USING (contract_id)', ARRAY['S-1'], 'who sees one contract sees the parts of that');
RESET ROLE;
UPDATE contract SET boundary = pg_temp.box(77, 0.01) WHERE number = 'B-5';
SELECT is(pg_temp.breaches(), 0::bigint, 'and the engine writes them as before');
DROP POLICY as_contract ON boundary_part; DROP POLICY seen ON contract;
ALTER TABLE contract DISABLE ROW LEVEL SECURITY; ALTER TABLE boundary_part DISABLE ROW LEVEL SECURITY;
SELECT cec.revoke_access('fleet', 'boundary_reader', 'admin') \g /dev/null
DROP ROLE boundary_reader;

-- Outlines anywhere, also across the 180th meridian, and drawn in longitudes past 180: what they enclose is told by the same shape drawn at
-- longitude 0.
CREATE TEMP TABLE outline AS
SELECT n, x, y, home, CASE WHEN n % 3 = 0 THEN moved WHEN n % 3 = 1 THEN ST_Multi(ST_Translate(moved, 360 * (n % 2), 0)) ELSE wrapped END AS outline
FROM generate_series(1, 150) AS n, LATERAL (SELECT random() * 360 - 180 + 0 * n AS x, random() * 100 - 50 AS y, 3 + (random() * 300)::integer AS corners, 1 + random() * 30 AS r) AS v,
	LATERAL (SELECT ST_Difference(pg_temp.star(corners, 0, 0, r), pg_temp.star(5, 0.1 * r, 0, 0.2 * r)) AS home) AS h, LATERAL (SELECT ST_Multi(ST_Translate(home, x, y)) AS moved) AS m,
	-- Each corner brought to between -180 and 180, as most programs have it.
	LATERAL (SELECT ST_Collect(p.polygon) AS wrapped FROM (SELECT ST_MakePolygon((array_agg(l.line ORDER BY l.ring))[1], (array_agg(l.line ORDER BY l.ring))[2:]) AS polygon
		FROM (SELECT d.path[1] AS part, d.path[2] AS ring, ST_MakeLine(ST_SetSRID(ST_MakePoint(ST_X(d.geom) - 360 * floor((ST_X(d.geom) + 180) / 360), ST_Y(d.geom)), 4326) ORDER BY d.path) AS line FROM ST_DumpPoints(moved) AS d GROUP BY 1, 2) AS l GROUP BY l.part) AS p) AS w;
CREATE TEMP TABLE made AS SELECT *, cec.boundary(outline) AS area FROM outline;
SELECT cmp_ok((SELECT count(*) FROM made WHERE ST_NumGeometries(area) > ST_NumGeometries(ST_Multi(home))), '>', 3::bigint, 'some are split');
SELECT is_empty($$SELECT n FROM made WHERE NOT (ST_IsValid(area) AND ST_SRID(area) = 4326 AND ST_XMin(area) >= -180 AND ST_XMax(area) <= 180 AND cec._contract_boundary_edge_short(area))$$, 'the column takes them all');
SELECT is_empty($$SELECT n FROM made WHERE cec.boundary(area)::bytea <> area::bytea$$, 'and what it takes stays as it is, to the last bit');
SELECT is_empty($$SELECT n, ST_Area(area) - ST_Area(home) FROM made WHERE abs(ST_Area(area) - ST_Area(home)) > 1e-6$$, 'areas are those that were drawn');
SELECT is_empty($$SELECT n, p.dx, p.dy FROM made, LATERAL (SELECT r * cos(t) AS dx, r * sin(t) AS dy FROM (SELECT 32 * random() AS r, 2 * pi() * random() AS t FROM generate_series(1, 40) WHERE n > 0) AS q) AS p
	WHERE ST_Covers(area, ST_Point(x + p.dx - 360 * floor((x + p.dx + 180) / 360), y + p.dy, 4326)) <> ST_Covers(home, ST_Point(p.dx, p.dy, 4326)) AND ST_Distance(ST_Boundary(home), ST_Point(p.dx, p.dy, 4326)) > 1e-9$$, 'and so are the places in them');
SELECT is_empty($$SELECT x, y FROM (SELECT random() * 360 - 180 AS x, random() * 180 - 90 AS y FROM generate_series(1, 500)) AS p, (SELECT cec.boundary('SRID=4326;POLYGON((0 50,120 60,-120 70,0 50),(10 80,130 80,-110 80,10 80))') AS cap) AS c
	WHERE y NOT BETWEEN 50 AND 70 AND ST_Covers(cap, ST_Point(x, y, 4326)) <> (y > 70 AND y < 80)$$, 'round a pole, with a hole round it');
SELECT * FROM finish();
