-- Rules: what an account manager sees of a condition that qualifies assets, or takes their cover away.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include

-- Days are shown from today: 0 is today, NULL is open. The portfolio is where it is noon, so that no day ends meanwhile.
SET ROLE regress_owner;
UPDATE fleet.setting SET time_zone = 'Etc/GMT' || to_char(extract(hour FROM now() AT TIME ZONE 'UTC') - 12, 'FMSG99');
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.service_tier (code, name, rank) VALUES ('gold', 'Gold', 2);
INSERT INTO fleet.contract (number, customer_id, kind, status, during, boundary) VALUES
	('S-1', 1, 'service', 'active', '(,)', NULL),
	('X-1', 1, 'extended_warranty', 'active', '(,)', 'SRID=4326;MULTIPOLYGON(((10 47,13 47,13 50,10 50,10 47)))');
INSERT INTO fleet.coverage_term (contract_id, number, during, tier_id) VALUES (1, '1', '(,)', 1), (2, '1', '(,)', NULL);
INSERT INTO fleet.asset (asset_tag, category, country, commissioned_on, location, attributes) VALUES
	('pump', 'pump', 'DE', cec.today('fleet') - 1000, 'SRID=4326;POINT(11 48)', '{"kw": 90}'),
	('motor', 'motor', 'DE', NULL, NULL, '{}'),
	('old pump', 'pump', 'AT', cec.today('fleet') - 9000, 'SRID=4326;POINT(12 47.5)', '{"kw": "n/a"}'),
	('far pump', 'pump', 'FR', cec.today('fleet') - 1000, 'SRID=4326;POINT(2 48)', '{"kw": 12}');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'pump', '(,)'), (1, 'old pump', '(,)');
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('pump and motor', 1);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '(,)');
CREATE VIEW fleet.cover AS
SELECT asset_tag, contract_number, valid_from - cec.today('fleet') AS from_day, last_day - cec.today('fleet') AS last_day,
	concat_ws(' ', CASE WHEN is_stated THEN 'stated' END, CASE WHEN is_ruled THEN 'ruled' END, CASE WHEN is_inherited THEN 'inherited' END) AS why
FROM fleet.coverage_by_asset;
-- The owner does what a manager, a connector and an administrator would do each for themselves.
\set show 'SELECT * FROM fleet.cover ORDER BY 1, 2, 3; SELECT * FROM fleet.verify_coverage();'
\set ruled 'SELECT r.name, a.asset_tag, lower(e.during) - cec.today(''fleet'') AS from_day, upper(e.during) - cec.today(''fleet'') AS until FROM fleet.rule_effect e JOIN fleet.coverage_rule r USING (rule_id) JOIN fleet.asset a USING (asset_id) ORDER BY 1, 2, 3;'
\set found 'SELECT f.kind, f.severity, a.asset_tag, r.name, f.detail FROM fleet.finding f JOIN fleet.asset a USING (asset_id) JOIN fleet.coverage_rule r USING (rule_id) WHERE f.closed_at IS NULL ORDER BY 1, 3, 4;'
:show

-- What a rule would do, before it is one.
RESET ROLE;
SET ROLE regress_manager;
SELECT asset_tag, change FROM fleet.test_rule(2, 'include', $$category = 'pump' AND age_years < 12$$) JOIN fleet.asset USING (asset_id) ORDER BY 1;
SELECT asset_tag, change FROM fleet.test_rule(2, 'include', $$category = 'pump' AND inside_boundary$$) JOIN fleet.asset USING (asset_id) ORDER BY 1;
SELECT asset_tag, change FROM fleet.test_rule(1, 'require', $$country = 'DE'$$) JOIN fleet.asset USING (asset_id) ORDER BY 1;
SELECT asset_tag, change FROM fleet.test_rule(1, 'exclude', $$age_years < 12$$) JOIN fleet.asset USING (asset_id) ORDER BY 1;
SELECT test.refused($$SELECT * FROM fleet.test_rule(1, 'includes', 'true')$$);
SELECT test.refused($$SELECT * FROM fleet.test_rule(9, 'include', 'true')$$);
SELECT test.refused($$SELECT * FROM fleet.test_rule(1, 'include', NULL)$$);
SELECT test.refused($$SELECT * FROM fleet.test_rule(1, 'include', 'countri = ''DE''')$$);
SELECT test.refused($$SELECT * FROM fleet.test_rule(1, 'include', '(attributes ->> ''kw'')::integer > 50')$$);
RESET ROLE;
SET ROLE regress_owner;
:show

-- Include: units like this qualify by themselves, from today on.
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES
	(2, 'young pumps', 'include', $$category = 'pump' AND age_years < 12 AND inside_boundary$$, '(,)');
:ruled
:show
-- The asset changes, and with it what rules say.
UPDATE fleet.asset SET location = 'SRID=4326;POINT(12 49)' WHERE asset_tag = 'far pump';
UPDATE fleet.asset SET category = 'valve' WHERE asset_tag = 'pump';
:ruled
UPDATE fleet.asset SET category = 'pump' WHERE asset_tag = 'pump';
-- So it does when the boundary changes.
UPDATE fleet.contract SET boundary = 'SRID=4326;MULTIPOLYGON(((11.5 47,13 47,13 50,11.5 50,11.5 47)))' WHERE number = 'X-1';
:ruled
SELECT step, term_id, outcome, reason FROM fleet.explain_coverage('far pump') WHERE term_id = 2 AND step IN (4, 5, 6, 9);

-- Require: what is on the list keeps its cover only while it meets this. What goes with it loses it too.
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'inspected', 'require', $$maintenance_count('inspection', interval '1 year') > 0$$, '(,)');
:ruled
:show
INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on) VALUES (1, 'inspection', cec.today('fleet') - 10);
:show
-- Exclude: takes cover away, also what is inherited.
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'no motors', 'exclude', $$category = 'motor'$$, '(,)');
:show
DELETE FROM fleet.coverage_rule WHERE name = 'no motors';
-- A rule may begin later, and end.
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES
	(2, 'next week', 'include', $$category = 'motor'$$, daterange(cec.today('fleet') + 7, cec.today('fleet') + 14)),
	(2, 'last week', 'include', $$category = 'motor'$$, daterange(cec.today('fleet') - 14, cec.today('fleet') - 7));
:ruled
DELETE FROM fleet.coverage_rule WHERE name LIKE '% week';

-- Unknown: an asset that was commissioned nobody knows when. deny is as if it spoke against cover, allow as if for it, flag as deny and a finding.
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during, on_unknown) SELECT 2, u, 'include', $$commissioned_on < '1990-01-01'$$, '(,)', u FROM unnest('{deny,allow,flag}'::text[]) u;
:ruled
:found
DELETE FROM fleet.coverage_rule WHERE term_id = 2;
:found

-- A condition that fails for an asset is unknown for that asset; nothing is kept of the error but its SQLSTATE.
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'strong', 'include', $$(attributes ->> 'kw')::integer > 50$$, '(,)');
:ruled
:found
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'strong, said well', 'include', $$as_number(attributes ->> 'kw') > 50$$, '(,)');
SELECT * FROM fleet.refresh();
SELECT name, state FROM fleet.coverage_rule ORDER BY rule_id;
:ruled
UPDATE fleet.coverage_rule SET condition = $$as_number(attributes ->> 'kw') > 5$$, state = 'active' WHERE name = 'strong';
:ruled
:found
SELECT * FROM fleet.refresh();
SELECT * FROM fleet.refresh(cec.today('fleet') - 1);
SELECT * FROM fleet.verify_coverage();

-- What is refused.
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'n', 'include', 'usage_typ = ''x''', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'n', 'include', 'country', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'n', 'include', 'now() > as_of', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'n', 'include', '', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'n', 'includes', 'true', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during, on_unknown) VALUES (2, 'n', 'include', 'true', '(,)', 'maybe')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'n', 'include', 'true', 'empty')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'n', 'include', 'true', '[2026-01-01,infinity)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (99, 'n', 'include', 'true', '(,)')$$);
SELECT test.refused($$UPDATE fleet.coverage_rule SET effect = 'exclude' WHERE name = 'strong'$$);
SELECT test.refused($$UPDATE fleet.coverage_rule SET term_id = 1 WHERE name = 'strong'$$);
SELECT test.refused($$UPDATE fleet.coverage_rule SET rule_id = 99 WHERE name = 'strong'$$);
SELECT test.refused($$INSERT INTO fleet.rule_effect (rule_id, asset_id, during, recorded_at) VALUES (1, 1, '(,)', now())$$);
SELECT test.refused($$SELECT * FROM fleet.refresh('infinity')$$);
SELECT test.refused($$SELECT * FROM fleet.refresh('2999-01-01')$$);
-- Of a term that is not there nothing is known.
SELECT count(*) FROM cec._scan_rule('fleet'::regnamespace, 999, 'include', 'deny', 'contract_kind = ''service''', '2026-01-01');
SELECT test.refused($$UPDATE fleet.rule_effect SET during = '(,)'$$);
SELECT test.refused($$DELETE FROM fleet.rule_effect$$);
SELECT test.refused($$TRUNCATE fleet.rule_effect$$);
SELECT test.refused($$UPDATE fleet.refresh_run SET on_day = on_day - 1$$);
RESET ROLE;
SET ROLE regress_registry;
SELECT test.refused($$SELECT * FROM fleet.refresh()$$);
SELECT test.refused($$SELECT * FROM fleet.test_rule(2, 'include', 'true')$$);
RESET ROLE;
SET ROLE regress_stranger;
SELECT test.refused($$SELECT * FROM cec.test_rule('fleet', 2, 'include', 'true')$$);
SELECT test.refused($$SELECT * FROM cec.refresh('fleet', NULL)$$);
RESET ROLE;
\set include :source/sql/include/end.sql
\i :include
