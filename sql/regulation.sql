-- Regulations: what is refused when one is written, what they say of covered assets, trying one out, what a list is told before it is written.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SELECT cec.grant_access('fleet', 'regress_stranger', 'admin');
CREATE ROLE regress_reader NOLOGIN;
SELECT cec.grant_access('fleet', 'regress_reader', 'analyst');
SET ROLE regress_stranger;
INSERT INTO fleet.customer (name) VALUES ('Harbour'), ('Rail');
INSERT INTO fleet.service_tier (code, name, rank, response_hours) VALUES ('gold', 'Gold', 2, 4), ('silver', 'Silver', 1, 48), ('none', 'None', 0, NULL);
INSERT INTO fleet.contract (number, customer_id, kind, status, during, governing_country, boundary) VALUES
	('C-1', 1, 'service', 'active', '[2020-01-01,2090-01-01)', 'DE', 'SRID=4326;MULTIPOLYGON(((5 47,15 47,15 55,5 55,5 47)))'),
	('C-2', 2, 'lease', 'active', '[2020-01-01,)', 'PL', NULL), ('C-3', 2, 'warranty', 'draft', '[2020-01-01,)', NULL, NULL),
	('C-4', 2, 'warranty', 'active', '[2090-01-01,)', 'PL', NULL);
INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during) VALUES
	(1, '1', 1, '(,)'), (1, '2', 2, '(,)'), (2, '1', 2, '(,)'), (3, '1', 1, '(,)'), (4, '1', 3, '(,)');
-- Places: by the register, by region alone, by jurisdictions, in none.
INSERT INTO fleet.jurisdiction (country, region, name, boundary) VALUES
	('DE', NULL, 'Germany', 'SRID=4326;MULTIPOLYGON(((6 47,15 47,15 55,6 55,6 47)))'),
	('DE', 'DE-BY', 'Bavaria', 'SRID=4326;MULTIPOLYGON(((9 47,13 47,13 50,9 50,9 47)))'),
	('PL', NULL, 'Poland', 'SRID=4326;MULTIPOLYGON(((14 49,24 49,24 55,14 55,14 49)))');
INSERT INTO fleet.asset (asset_tag, category, country, region, location, attributes) VALUES
	('register', 'pump', 'DE', NULL, 'SRID=4326;POINT(20 52)', '{"bar": 12}'), ('region', 'pump', NULL, 'DE-BY', NULL, '{"bar": 3}'),
	('munich', 'pump', NULL, NULL, 'SRID=4326;POINT(11.5 48.1)', '{"bar": 7}'), ('border', 'pump', NULL, NULL, 'SRID=4326;POINT(14.5 52)', '{}'),
	('poland', 'pump', 'PL', NULL, NULL, '{"bar": "n/a"}'), ('nowhere', 'pump', NULL, NULL, NULL, '{"bar": 1}'), ('uncovered', 'pump', 'DE', NULL, NULL, '{"bar": 1}');
INSERT INTO fleet.inclusion (term_id, listed_as, during) SELECT 2, t, '[2021-01-01,)' FROM unnest('{register,region,munich,border,nowhere}'::text[]) AS t;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, 'poland', '[2022-01-01,)'), (3, 'border', '[2022-01-01,)');

\set show 'SELECT f.subject, a.asset_tag, f.severity, f.first_day, f.last_day, f.message FROM cec._regulation_unmet(''fleet'', NULL) AS f JOIN fleet.asset a USING (asset_id) ORDER BY 1, 2;'
-- What is refused: everything that is refused of a rule, and in the same words.
SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'syntax', 'response_hours < ', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'name', 'respons_hours < 3', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'function', 'now() > cover_last_day', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'type', 'cover_days', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'query', '(SELECT true)', '(,)')$$);
SELECT test.refused(format($$INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'complex', %L, '(,)')$$, 'true' || repeat(' AND cover_days>1', 200)));
-- Rules do not know what cover they make.
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'r', 'require', 'response_hours < 24', '(,)')$$);
SELECT test.refused($$SELECT cec.check_condition('cover_days > 365')$$);
SELECT column_name, type, depends_on_day, is_indexed, meaning FROM cec.rule_column WHERE NOT is_for_rules;
-- What is doubtful is told.
SET client_min_messages = notice;
INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'doubtful', 'governing_country <> ''UK''', '(,)');
SET client_min_messages = warning;
DELETE FROM fleet.regulation;

-- A minimum: any term that meets it will do.
INSERT INTO fleet.regulation (country, title, requirement, during, citation) VALUES ('DE', 'Response in a day', 'response_hours <= 24', '[2019-01-01,)', '§ 4');
:show
SELECT detail FROM cec._regulation_unmet('fleet', ARRAY[1]);
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'munich', '[2021-06-01,)');
:show
-- A prohibition: every term has to meet it.
UPDATE fleet.regulation SET met_by = 'every_term';
:show
-- Of a region; of the law that governs the contract, wherever the asset stands.
INSERT INTO fleet.regulation (country, region, title, requirement, during) VALUES ('DE', 'DE-BY', 'Bavarian', 'category = ''valve''', '(,)');
INSERT INTO fleet.regulation (country, title, requirement, during, applies_by) VALUES ('PL', 'Under Polish law', 'contract_kind <> ''lease''', '(,)', 'governing_country');
DELETE FROM fleet.regulation WHERE title = 'Response in a day';
:show
-- Unknown, also since the condition fails: a warning.
DELETE FROM fleet.regulation;
INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('PL', 'Pressure', '(attributes ->> ''bar'')::integer < 10', '(,)');
:show
SELECT detail ->> 'sqlstate' AS sqlstate FROM cec._regulation_unmet('fleet', NULL) ORDER BY 1;
-- What terms and contracts say, and days of cover; events; the boundary.
DELETE FROM fleet.regulation;
INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'Days', 'cover_first_day = ''2021-01-01'' AND cover_last_day = ''2089-12-31'' AND cover_days = 25202', '(,)'),
	('DE', 'Inspected', 'last_maintenance(''inspection'') > as_of - 100 AND request_count(interval ''1 month'') = 0', '(,)'),
	('DE', 'Near', 'distance_to_boundary_m = 0', '(,)');
INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on) VALUES (1, 'inspection', cec.today('fleet') - 10), (2, 'inspection', cec.today('fleet') - 110), (3, 'inspection', cec.today('fleet'));
INSERT INTO fleet.service_request (asset_id, opened_at) VALUES (3, now() - interval '2 days');
:show
-- Not yet, and no more.
UPDATE fleet.regulation SET during = daterange(cec.today('fleet') + 1, NULL) WHERE title = 'Days';
UPDATE fleet.regulation SET during = daterange(NULL, cec.today('fleet')) WHERE title = 'Inspected';
UPDATE fleet.regulation SET during = daterange(cec.today('fleet'), cec.today('fleet') + 1) WHERE title = 'Near';
SELECT DISTINCT subject FROM cec._regulation_unmet('fleet', NULL);
DELETE FROM fleet.regulation;

-- Trying one out.
SELECT a.asset_tag, t.change FROM fleet.test_regulation('DE', NULL, 'as_number(attributes ->> ''bar'') < 10') AS t JOIN fleet.asset a USING (asset_id) ORDER BY 1;
SELECT a.asset_tag, t.change FROM fleet.test_regulation('DE', 'DE-BY', 'cover_last_day IS NULL') AS t JOIN fleet.asset a USING (asset_id) ORDER BY 1;
SELECT test.refused($$SELECT * FROM fleet.test_regulation(NULL, NULL, 'true')$$);
SELECT test.refused($$SELECT * FROM fleet.test_regulation('Germany', NULL, 'true')$$);
SELECT test.refused($$SELECT * FROM fleet.test_regulation('DE', 'AT-9', 'true')$$);
SELECT test.refused($$SELECT * FROM fleet.test_regulation('DE', NULL, NULL)$$);
SELECT test.refused($$SELECT * FROM fleet.test_regulation('DE', NULL, 'cover_last_day > ''2026-01-32''')$$);

-- A contract's review.
INSERT INTO fleet.regulation (country, title, requirement, during, citation) VALUES ('DE', 'Response in a day', 'response_hours <= 24', '(,)', '§ 4'),
	('DE', 'Pressure', 'as_number(attributes ->> ''bar'') < 10', '(,)', NULL), ('PL', 'Abroad', 'tier_rank > 1', '(,)', NULL);
INSERT INTO fleet.regulation (country, region, title, requirement, during) VALUES ('DE', 'DE-BY', 'Bavarian', 'true', '(,)');
SELECT country, region, title, citation, assets, met, unmet, unknown FROM fleet.regulation_review('C-1');
SELECT country, region, title, citation, assets, met, unmet, unknown FROM fleet.regulation_review('C-2');
SELECT count(*) FROM fleet.regulation_review('C-3');
SELECT test.refused($$SELECT * FROM fleet.regulation_review('C-11')$$);
SELECT test.refused($$SELECT * FROM fleet.regulation_review(NULL)$$);

-- Across borders.
SELECT contract_number, customer, governing_country, countries, assets, assets_abroad FROM fleet.cross_border_contract ORDER BY contract_id;
UPDATE fleet.contract SET governing_country = NULL WHERE number = 'C-1';
UPDATE fleet.asset SET country = 'PL' WHERE asset_tag = 'border';
SELECT contract_number, customer, governing_country, countries, assets, assets_abroad FROM fleet.cross_border_contract ORDER BY contract_id;
UPDATE fleet.contract SET governing_country = 'AT' WHERE number = 'C-1';
SELECT contract_number, customer, governing_country, countries, assets, assets_abroad FROM fleet.cross_border_contract ORDER BY contract_id;

-- Before a line is written: nothing for carve-outs, for what is refused, and for drafts, which cover nothing.
SELECT place, outcome, message FROM fleet.check_inclusions(2, $$[{"identifier": "uncovered"}, {"identifier": "poland"}, {"identifier": "register", "effect": "exclude"}, {"identifier": "nobody"},
	{"identifier": "uncovered", "first_day": "2091-01-01"}, {"identifier": "register", "first_day": "2021-01-01"}]$$);
SELECT place, outcome, message FROM fleet.check_inclusions(1, '[{"identifier": "uncovered"}, {"identifier": "poland", "first_day": "2020-06-01", "last_day": "2020-07-01"}]');
SELECT place, outcome, message FROM fleet.check_inclusions(4, '[{"identifier": "poland"}]');
-- On its first day, with what is in force then.
SELECT place, outcome, message FROM fleet.check_inclusions(5, '[{"identifier": "poland"}, {"identifier": "uncovered"}]');
UPDATE fleet.regulation SET during = '[2020-01-01,2080-01-01)';
SELECT place, outcome, message FROM fleet.check_inclusions(5, '[{"identifier": "poland"}, {"identifier": "uncovered"}]');
-- What was said is so once the line is there.
SELECT message FROM fleet.check_inclusions(2, '[{"identifier": "uncovered", "first_day": "2025-01-01"}]');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (2, 'uncovered', '[2025-01-01,)');
SELECT message FROM cec._regulation_unmet('fleet', (SELECT array_agg(asset_id) FROM fleet.asset WHERE asset_tag = 'uncovered'));

-- Who may: everybody reads, admin writes, manager and admin try out.
SET ROLE regress_reader;
SELECT count(*) FROM fleet.regulation_review('C-1');
SELECT test.refused($$SELECT * FROM fleet.test_regulation('DE', NULL, 'true')$$);
SELECT test.refused($$SELECT * FROM cec.test_regulation('fleet', 'DE', NULL, 'true')$$);
SELECT test.refused($$INSERT INTO fleet.jurisdiction (country, name, boundary) VALUES ('DE', 'x', 'SRID=4326;MULTIPOLYGON EMPTY')$$);
SET ROLE regress_manager;
SELECT count(*) FROM fleet.test_regulation('DE', NULL, 'response_hours <= 24');
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;

\set include :source/sql/include/end.sql
\i :include
