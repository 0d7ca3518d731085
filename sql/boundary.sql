-- Boundaries: from an outline to what contract.boundary takes, what is refused, and the parts that they are cut into.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SELECT cec.grant_access('fleet', 'regress_stranger', 'admin');
SET ROLE regress_stranger;
INSERT INTO fleet.customer (name) VALUES ('Acme');

-- What is fine stays as it is, but for being a MultiPolygon. Where rings begin is up to GEOS: they are shown from their lowest corner.
CREATE FUNCTION pg_temp.made(outline text) RETURNS TABLE (boundary text, is_fine boolean, area numeric) LANGUAGE sql AS $$
	SELECT ST_AsText(ST_Normalize(b), 6), ST_SRID(b) = 4326 AND ST_IsValid(b) AND ST_Within(b, ST_MakeEnvelope(-180, -90, 180, 90, 4326)), ST_Area(b)::numeric(12, 4) FROM cec.boundary(outline::geometry) AS b
$$;
SELECT * FROM pg_temp.made('SRID=4326;POLYGON((5 47,15 47,15 55,5 55,5 47),(8 49,9 49,9 50,8 50,8 49))');
-- No SRID: longitude and latitude. Z and M are left out; of a collection its polygons are taken, and those that overlap become one.
SELECT * FROM pg_temp.made('POLYGON((5 47,15 47,15 55,5 55,5 47))');
SELECT * FROM pg_temp.made('SRID=4326;POLYGON ZM((5 47 1 2,15 47 1 2,15 55 1 2,5 55 1 2,5 47 1 2))');
SELECT * FROM pg_temp.made('SRID=4326;GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,9 9),POLYGON((0 0,2 0,2 2,0 2,0 0)),GEOMETRYCOLLECTION(POLYGON((1 1,3 1,3 3,1 3,1 1))))');
-- Other coordinates are transformed, and what is invalid is mended.
SELECT * FROM pg_temp.made('SRID=3857;POLYGON((0 0,1000000 0,1000000 1000000,0 1000000,0 0))');
SELECT * FROM pg_temp.made('SRID=4326;POLYGON((0 0,2 2,2 0,0 2,0 0))');
-- Across the 180th meridian: the short way round, longitudes past 180, an outline that somebody has split there, a hole across it.
SELECT * FROM pg_temp.made('SRID=4326;POLYGON((170 -10,-170 -10,-170 10,170 10,170 -10))');
SELECT * FROM pg_temp.made('SRID=4326;POLYGON((170 -10,190 -10,190 10,170 10,170 -10))');
SELECT * FROM pg_temp.made('SRID=4326;POLYGON((190 0,200 0,200 10,190 10,190 0))');
SELECT * FROM pg_temp.made('SRID=4326;POLYGON((170 0,180 0,-180 0,-170 0,-170 10,-180 10,180 10,170 10,170 0))');
SELECT * FROM pg_temp.made('SRID=4326;POLYGON((160 -20,-160 -20,-160 20,160 20,160 -20),(170 -10,-170 -10,-170 10,170 10,170 -10))');
-- Round a pole, with a hole round it, to a pole and along it; all of the world, and a belt round it.
SELECT * FROM pg_temp.made('SRID=4326;POLYGON((0 60,90 60,180 60,-90 60,0 60))');
SELECT * FROM pg_temp.made('SRID=4326;POLYGON((0 -60,-90 -60,180 -60,90 -60,0 -60),(0 -80,-90 -80,180 -80,90 -80,0 -80))');
SELECT * FROM pg_temp.made('SRID=4326;POLYGON((170 60,-170 60,-170 90,170 90,170 60))');
SELECT * FROM pg_temp.made('SRID=4326;POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))');
SELECT * FROM pg_temp.made('SRID=4326;POLYGON((-180 -90,180 -90,180 -60,-180 -60,-180 -90))');

-- What has no area, is no longitude and latitude, or goes nowhere.
SELECT test.refused($$SELECT cec.boundary('SRID=4326;POINT(10 50)')$$);
SELECT test.refused($$SELECT cec.boundary('SRID=4326;LINESTRING(0 0,1 0,1 1,0 0)')$$);
SELECT test.refused($$SELECT cec.boundary('SRID=4326;POLYGON EMPTY')$$);
SELECT test.refused($$SELECT cec.boundary('SRID=4326;POLYGON((50 150,51 150,51 152,50 152,50 150))')$$);
SELECT test.refused($$SELECT cec.boundary('POLYGON((500000 50,600000 50,600000 60,500000 50))')$$);
SELECT test.refused($$SELECT cec.boundary('SRID=4326;POLYGON((0 0,NaN 0,1 1,0 0))')$$);
SELECT test.refused($$SELECT cec.boundary(ST_SetSRID(ST_MakePolygon(ST_MakeLine(ARRAY(SELECT ST_MakePoint(CASE WHEN g < 10 THEN g ELSE 19 - g END * 100, g / 10) FROM generate_series(0, 19) AS g) || ST_MakePoint(0, 0))), 4326))$$);
SELECT test.refused($$SELECT cec.boundary('SRID=99999;POLYGON((0 0,1 0,1 1,0 0))')$$);
SELECT cec.boundary(NULL) IS NULL AS is_null;

-- The column takes no edge the long way round the world; along a pole all ways are one.
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during, boundary) VALUES ('P-1', 1, '(,)', 'SRID=4326;MULTIPOLYGON(((170 -10,-170 -10,-170 10,170 10,170 -10)))')$$);
SELECT test.refused($$INSERT INTO fleet.jurisdiction (country, name, boundary) VALUES ('FJ', 'Fiji', 'SRID=4326;MULTIPOLYGON(((177 -19,-178 -19,-178 -16,177 -16,177 -19)))')$$);
INSERT INTO fleet.contract (number, customer_id, during, boundary) VALUES
	('P-1', 1, '(,)', cec.boundary('SRID=4326;POLYGON((170 -10,-170 -10,-170 10,170 10,170 -10))')),
	('P-2', 1, '(,)', 'SRID=4326;MULTIPOLYGON(((-180 -90,180 -90,180 90,-180 90,-180 -90)))');

-- Parts come and go in the statement; nobody types them in.
SELECT contract_id, ST_AsText(part) FROM fleet.boundary_part ORDER BY boundary_part_id;
UPDATE fleet.contract SET contract_id = contract_id + 10, boundary = CASE number WHEN 'P-1' THEN ST_Multi(ST_Segmentize(ST_MakeEnvelope(0, 40, 10, 50, 4326), 0.1)) END;
SELECT contract_id, count(*) > 1 AS are_several, max(ST_NPoints(part)) <= 100 AS are_small, sum(ST_Area(part))::numeric(8, 4) AS area FROM fleet.boundary_part GROUP BY 1;
-- On an edge and on a corner is inside; on a cut it is once.
SELECT ST_AsText(p) AS point, count(DISTINCT c.contract_id) AS contracts
FROM unnest(ARRAY['SRID=4326;POINT(0 45)', 'SRID=4326;POINT(10 50)', 'SRID=4326;POINT(5 45)', 'SRID=4326;POINT(10.0000001 45)']::geometry[]) AS p
	LEFT JOIN (fleet.boundary_part b JOIN fleet.contract c USING (contract_id)) ON b.part && p AND cec._boundary_covers(b.part, c.boundary, p)
GROUP BY p ORDER BY p;
DELETE FROM fleet.contract;
SELECT count(*) AS parts FROM fleet.boundary_part;
RESET ROLE;
SELECT test.refused($$INSERT INTO fleet.boundary_part (contract_id, part) VALUES (1, 'SRID=4326;POLYGON((0 0,1 0,1 1,0 0))')$$);
\set include :source/sql/include/end.sql
\i :include
