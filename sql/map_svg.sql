-- A map as a picture: what is in it, to the byte; text that would break it; places that are hard to draw; who may.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SELECT cec.grant_access('fleet', 'regress_stranger', 'admin');
CREATE ROLE regress_reader NOLOGIN;
CREATE ROLE regress_nobody NOLOGIN;
SELECT cec.grant_access('fleet', 'regress_reader', 'analyst');
SET ROLE regress_stranger;
INSERT INTO fleet.customer (name) VALUES ('Bits & Pieces <Ltd>'), ('Rail');
INSERT INTO fleet.contract (number, customer_id, kind, status, during, boundary) VALUES
	('S-1', 1, 'service', 'active', '[2020-01-01,)', 'SRID=4326;MULTIPOLYGON(((10 50,12 50,12 52,10 52,10 50),(10.5 50.5,10.5 51,11 51,11 50.5,10.5 50.5)))'),
	(E'"A" <&>\x01\t\x1b', 2, 'extended_warranty', 'draft', '[2020-01-01,)', NULL),
	('FIJI', 1, 'lease', 'active', '[2020-01-01,)', 'SRID=4326;MULTIPOLYGON(((177 -19,180 -19,180 -16,177 -16,177 -19)),((-180 -19,-179 -19,-179 -16,-180 -16,-180 -19)))'),
	('EMPTY', 1, 'service', 'terminated', '[2020-01-01,2095-01-01)', NULL),
	('FAR', 1, 'service', 'active', '[2020-01-01,)', 'SRID=4326;MULTIPOLYGON(((5 5,6 5,6 6,5 6,5 5)))'),
	('POLE', 1, 'service', 'active', '[2020-01-01,)', 'SRID=4326;MULTIPOLYGON(((-180 80,-60 80,60 80,180 80,180 90,-180 90,-180 80)))');
INSERT INTO fleet.coverage_term (contract_id, number, during) SELECT contract_id, '1', '(,)' FROM fleet.contract;
INSERT INTO fleet.asset (asset_tag, category, location, decommissioned_on) VALUES
	('listed', 'pump', 'SRID=4326;POINT(10.2 51.5)', NULL), ('of a bundle', 'motor', 'SRID=4326;POINT(10.3 51.2)', NULL),
	('by a rule', 'valve', 'SRID=4326;POINT(11.5 50.25)', NULL), ('gone', 'pump', 'SRID=4326;POINT(11.8 51.8)', '2023-12-31'),
	('carved out', 'pump', 'SRID=4326;POINT(11.2 51.6)', NULL), ('ruled out', 'crane', 'SRID=4326;POINT(11.4 51.6)', NULL),
	('listed before', 'pump', 'SRID=4326;POINT(10.75 50.75)', NULL), ('nowhere', 'pump', NULL, NULL),
	('at the pole', 'pump', 'SRID=4326;POINT(0 90)', NULL), ('beside it', 'pump', 'SRID=4326;POINT(10.2 51.5)', NULL),
	('west of 180', 'pump', 'SRID=4326;POINT(179.5 -17)', NULL), ('east of 180', 'pump', 'SRID=4326;POINT(-179.5 -17)', NULL),
	('elsewhere', 'pump', 'SRID=4326;POINT(100 60)', NULL), ('inside', 'pump', 'SRID=4326;POINT(5.5 5.5)', NULL);
INSERT INTO fleet.inclusion (term_id, listed_as, during) SELECT 1, t, '[2020-01-01,)' FROM unnest('{listed,gone,carved out,ruled out,nowhere,at the pole,beside it}'::text[]) AS t;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'listed before', '[2020-01-01,2022-01-01)');
INSERT INTO fleet.inclusion (term_id, listed_as, during, effect) VALUES (1, 'carved out', '[2090-01-01,2090-02-01)', 'exclude');
INSERT INTO fleet.inclusion (term_id, listed_as, during) SELECT 3, t, '[2020-01-01,)' FROM unnest('{west of 180,east of 180}'::text[]) AS t;
INSERT INTO fleet.inclusion (term_id, listed_as, during) SELECT 5, t, '[2020-01-01,)' FROM unnest('{elsewhere,inside}'::text[]) AS t;
-- Rules decide from today on.
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES
	(1, 'valves', 'include', 'category = ''valve''', '(,)'), (1, 'no cranes', 'exclude', 'category = ''crane''', '(,)');
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('b', 1);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '(,)');
RESET ROLE;

SET ROLE regress_reader;
-- Line by line, as nobody sends it.
SELECT replace(fleet.coverage_map_svg('S-1', '2090-01-15'), '><', E'>\n<') AS svg \gset
\echo :svg
-- It is XML, its title comes first, and it refers to nothing.
SELECT s::xml IS DOCUMENT AS is_document, (xpath('name(/*)', s::xml))[1] AS root, (xpath('name(/*/*[1])', s::xml))[1] AS first, (xpath('/*/*[1]/text()', s::xml))[1] AS title,
	s ~* 'href|url\(|@import|<image|<script|<foreignObject' AS refers, s = fleet.coverage_map_svg(number, '2090-01-15') AS is_the_same
FROM fleet.contract c CROSS JOIN LATERAL fleet.coverage_map_svg(c.number, '2090-01-15') AS s ORDER BY c.contract_id;

-- Of a picture: its rows of the legend, what is said about it, how many symbols there are.
RESET ROLE;
CREATE FUNCTION test.seen(svg text) RETURNS TABLE (part text, said text) LANGUAGE sql AS $$
	SELECT 'rows', string_agg(m[1] || ' ' || m[2], ', ') FROM regexp_matches(svg, 'data-status="(\w+)" data-assets="(\d+)"', 'g') AS m
	UNION ALL SELECT 'texts', string_agg(m[1], ' | ') FROM regexp_matches(regexp_replace(svg, '<g data-status.*?</g>(?=<g data|<path)', '', 'g'), '<text[^>]*>([^<]*)', 'g') AS m
	UNION ALL SELECT 'symbols', (SELECT count(*)::text FROM regexp_matches(regexp_replace(svg, '<g id="legend">.*', ''), '(<circle|<path d="M[^"]*z")', 'g'))
	UNION ALL SELECT 'size', (regexp_match(svg, 'viewBox="[^"]*"'))[1]
	UNION ALL SELECT 'outline', (regexp_match(svg, 'transform="translate[^"]*" d="([^"]*)"'))[1]
$$;
GRANT USAGE ON SCHEMA test TO regress_reader;
SET ROLE regress_reader;
\echo before, with nothing carved out; of a day on which the contract does not run
SELECT * FROM test.seen(fleet.coverage_map_svg('S-1', '2023-06-01'));
SELECT * FROM test.seen(fleet.coverage_map_svg('S-1', '2019-06-01'));
\echo across 180 degrees
SELECT * FROM test.seen(fleet.coverage_map_svg('FIJI', '2090-01-15'));
\echo without boundary and assets
SELECT * FROM test.seen(fleet.coverage_map_svg('EMPTY', '2090-01-15'));
\echo text that would break it
SELECT * FROM test.seen(fleet.coverage_map_svg(E'"A" <&>\x01\t\x1b', '2090-01-15'));
\echo something far off
SELECT * FROM test.seen(fleet.coverage_map_svg('FAR', '2090-01-15'));
\echo up to the pole
SELECT * FROM test.seen(fleet.coverage_map_svg('POLE', '2090-01-15'));
\echo the portfolio
SELECT * FROM test.seen(fleet.coverage_map_svg(NULL, '2090-01-15'));
-- By default of today; settings of the session change nothing.
SELECT fleet.coverage_map_svg('S-1') = fleet.coverage_map_svg('S-1', cec.today('fleet')) AS is_of_today;
SET DateStyle = 'German';
SET extra_float_digits = -10;
SET TimeZone = 'Pacific/Apia';
SELECT fleet.coverage_map_svg('S-1', '2090-01-15') = replace(:'svg', E'>\n<', '><') AS is_the_same;
RESET DateStyle;
RESET extra_float_digits;
RESET TimeZone;

SELECT test.refused($$SELECT fleet.coverage_map_svg('S-2')$$);
SELECT test.refused($$SELECT fleet.coverage_map_svg('S-1', 'infinity')$$);
RESET ROLE;
SET ROLE regress_nobody;
SELECT test.refused($$SELECT fleet.coverage_map_svg('S-1')$$);
SELECT test.refused($$SELECT cec.coverage_map_svg('fleet', 'S-1', NULL)$$);
RESET ROLE;
-- What a policy hides is not in the picture.
ALTER TABLE fleet.asset ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON fleet.asset TO regress_reader USING (asset_id <= 3);
SET ROLE regress_reader;
SELECT * FROM test.seen(fleet.coverage_map_svg('S-1', '2090-01-15')) WHERE part = 'rows';
RESET ROLE;
-- Many assets are few symbols: 20,000, of which each tenth is listed.
ALTER TABLE fleet.asset DISABLE ROW LEVEL SECURITY;
INSERT INTO fleet.asset (asset_tag, category, location) SELECT 'M' || g, 'pump', ST_SetSRID(ST_MakePoint(10 + (g::bigint * 7919 % 20011) / 10005.0, 50 + (g::bigint * 104729 % 19997) / 9998.0), 4326) FROM generate_series(1, 20000) AS g;
INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 1, asset_id, CASE WHEN asset_id % 10 = 0 THEN '[2020-01-01,)' ELSE '[2020-01-01,2021-01-01)' END::daterange FROM fleet.asset WHERE asset_tag LIKE 'M%';
SELECT part, said FROM test.seen(fleet.coverage_map_svg('S-1', '2090-01-15')) WHERE part <> 'outline';
SELECT octet_length(fleet.coverage_map_svg('S-1', '2090-01-15')) < 500000 AS is_small;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
DROP ROLE regress_nobody;

\set include :source/sql/include/end.sql
\i :include
