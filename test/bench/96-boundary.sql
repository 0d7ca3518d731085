-- Boundaries: a million points in 1,000 of them, 20 of which have 20,000 corners, by the join that the engine uses, against plans
-- written by hand: parts by ST_Covers alone, which is wrong for points on edges, and whole boundaries; the contract that owns each of
-- 100,000 points; and what it costs to write a boundary. CEC_BENCH_POINTS makes it fewer points.

SET client_min_messages = warning;
\set points 1000000
\getenv points CEC_BENCH_POINTS
SELECT cec.create_portfolio('mapped') \g /dev/null
INSERT INTO mapped.customer (name) VALUES ('C');
-- A star with bays: a coast rather than a circle.
CREATE FUNCTION bench.star(corners integer, longitude float8, latitude float8, radius float8) RETURNS geometry LANGUAGE sql AS $$
	SELECT ST_Multi(ST_SetSRID(ST_MakePolygon(ST_MakeLine(ARRAY(SELECT ST_MakePoint(longitude + radius * r * cos(t), latitude + radius * r * sin(t))
		FROM generate_series(0, corners) AS g, LATERAL (SELECT 2 * pi() * (g % corners) / corners AS t) AS a, LATERAL (SELECT 0.7 + 0.25 * sin(11 * t) + 0.04 * sin(301 * t) AS r) AS b
		ORDER BY g))), 4326))
$$;
INSERT INTO mapped.contract (number, customer_id, status, during, boundary)
	SELECT 'S-' || n, 1, 'draft', '(,)', bench.star(CASE WHEN n % 50 = 0 THEN 20000 ELSE 100 + n % 900 END, -10 + n % 40, 40 + n / 40, CASE WHEN n % 50 = 0 THEN 4 ELSE 0.5 END) FROM generate_series(1, 1000) AS n;
-- Below the engine, since what is measured is reading.
SELECT setseed(0.5) \g /dev/null
ALTER TABLE mapped.asset DISABLE TRIGGER USER;
INSERT INTO mapped.asset (asset_tag, location) SELECT 'T-' || n, ST_Point(-15 + 50 * random(), 36 + 33 * random(), 4326) FROM generate_series(1, :points) AS n;
CREATE TABLE bench.large_part AS SELECT contract_id, ST_Subdivide(boundary, 256) AS part FROM mapped.contract;
CREATE INDEX ON bench.large_part USING gist (part);
VACUUM ANALYZE mapped.asset, mapped.contract, mapped.boundary_part, bench.large_part;
SELECT count(*) AS parts, round(avg(ST_NPoints(part))) AS corners, pg_size_pretty(pg_total_relation_size('mapped.boundary_part')) AS size FROM mapped.boundary_part;

CREATE PROCEDURE bench.run_boundary(run integer)
LANGUAGE plpgsql AS $$
DECLARE
	points bigint := (SELECT count(*) FROM mapped.asset);
BEGIN
	CALL bench.measure('points in boundaries', 'parts, by hand', run, points, 'SELECT count(*) FROM mapped.boundary_part p CROSS JOIN LATERAL
		(SELECT FROM mapped.asset a WHERE p.part && a.location AND ST_Covers(p.part, a.location) OFFSET 0) AS n');
	CALL bench.measure('points in boundaries', 'parts of 256 corners, by hand', run, points, 'SELECT count(*) FROM bench.large_part p CROSS JOIN LATERAL
		(SELECT FROM mapped.asset a WHERE p.part && a.location AND ST_Covers(p.part, a.location) OFFSET 0) AS n');
	CALL bench.measure('points in boundaries', 'the join of the engine', run, points, 'SELECT count(*) FROM mapped.boundary_part p JOIN mapped.contract c USING (contract_id) CROSS JOIN LATERAL
		(SELECT FROM mapped.asset a WHERE p.part && a.location AND CASE cec._part_covers(p.part, ST_X(a.location), ST_Y(a.location)) WHEN true THEN true WHEN false THEN false
			ELSE ST_Covers(c.boundary, a.location) AND NOT EXISTS (SELECT FROM mapped.boundary_part o WHERE o.contract_id = p.contract_id AND o.boundary_part_id <> p.boundary_part_id
				AND o.part && a.location AND coalesce(cec._part_covers(o.part, ST_X(a.location), ST_Y(a.location)), o.boundary_part_id < p.boundary_part_id) OFFSET 0) END OFFSET 0) AS n');
	CALL bench.measure('owners of points', 'by hand', run, points / 10, 'SELECT count(o) FROM (SELECT (SELECT c.contract_id FROM mapped.boundary_part p JOIN mapped.contract c USING (contract_id)
		WHERE p.part && a.location AND ST_Covers(p.part, a.location) ORDER BY c.priority, c.contract_id LIMIT 1) AS o FROM mapped.asset a WHERE a.asset_id % 10 = 0) AS n');
	CALL bench.measure('owners of points', 'as asset_map', run, points / 10, 'SELECT count(o) FROM (SELECT (SELECT c.contract_id FROM mapped.boundary_part p JOIN mapped.contract c USING (contract_id)
		WHERE p.part && a.location AND cec._boundary_covers(p.part, c.boundary, a.location) ORDER BY c.priority, c.contract_id LIMIT 1) AS o FROM mapped.asset a WHERE a.asset_id % 10 = 0) AS n');
	CALL bench.measure('another boundary', '20,000 corners', run, 1, 'UPDATE mapped.contract SET boundary = (SELECT shape FROM bench.shape WHERE corners = 20000) WHERE number = ''S-1''');
	CALL bench.measure('another boundary', '1,000,000 corners', run, 1, 'UPDATE mapped.contract SET boundary = (SELECT shape FROM bench.shape WHERE corners = 1000000) WHERE number = ''S-1''');
	CALL bench.measure('another boundary', 'and back', run, 1, 'UPDATE mapped.contract SET boundary = bench.star(100, 0, 40, 0.5) WHERE number = ''S-1''');
	CALL bench.measure('another boundary', 'cec.boundary of 1,000,000 corners', run, 1, 'SELECT ST_NPoints(cec.boundary(shape)) FROM bench.shape WHERE corners = 1000000');
END;
$$;
-- Far from all points: what is measured is the boundary, and no findings.
CREATE TABLE bench.shape AS SELECT n AS corners, bench.star(n, -60, -40, 5) AS shape FROM unnest('{20000,1000000}'::integer[]) AS n;
INSERT INTO bench.goal VALUES ('points in boundaries', 'the join of the engine', 'parts, by hand', 1.2), ('points in boundaries', 'the join of the engine', 'parts of 256 corners, by hand', 1.2),
	('owners of points', 'as asset_map', 'by hand', 1.2);
CALL bench.run_boundary(0);
DELETE FROM bench.sample WHERE subject IN ('points in boundaries', 'owners of points', 'another boundary');
CALL bench.run_boundary(1);
CALL bench.run_boundary(2);
CALL bench.run_boundary(3);
CALL bench.run_boundary(4);
CALL bench.run_boundary(5);
\echo 'points in 1,000 boundaries, 20 of them of 20,000 corners: microseconds a point'
SELECT * FROM bench.report('points in boundaries');
\echo 'the contract that owns a point'
SELECT * FROM bench.report('owners of points');
\echo 'another boundary of a contract: microseconds'
SELECT * FROM bench.report('another boundary');
