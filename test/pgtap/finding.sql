-- Findings open, say something else, close and open anew, as statements make them so and not so; whatever triggers on them do; whatever the
-- owner makes of the views; whoever damages what is stored. After each of these what is open is what the views list.
SET client_min_messages = warning;
SELECT no_plan();
\ir include/finding_law.sql
CREATE ROLE finding_owner;
CREATE ROLE finding_analyst;
CREATE ROLE finding_manager;
CREATE ROLE finding_registry;
SELECT cec.create_portfolio('fleet', 'finding_owner') \g /dev/null
SELECT cec.grant_access('fleet', 'finding_analyst', 'analyst'), cec.grant_access('fleet', 'finding_manager', 'manager'), cec.grant_access('fleet', 'finding_registry', 'registry') \g /dev/null

CREATE FUNCTION pg_temp.day(distance integer) RETURNS date LANGUAGE sql AS $$ SELECT cec.today('fleet') + distance $$;
CREATE FUNCTION pg_temp.days(first_day integer, last_day integer) RETURNS daterange LANGUAGE sql AS
$$ SELECT daterange(pg_temp.day(first_day), pg_temp.day(last_day), '[]') $$;
-- All rows there have been of a kind, in order: severity, asset and whether it is open.
CREATE FUNCTION pg_temp.story(of_kind text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', severity, asset_id, nullif(subject, ''), CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END), ', ' ORDER BY finding_id)
	FROM fleet.finding WHERE kind = of_kind $$;
CREATE FUNCTION pg_temp.said(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE sql;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' ', SQLSTATE, SQLERRM, nullif(hint, ''));
END $$;

INSERT INTO fleet.customer (name) VALUES ('Acme'), ('Other');
INSERT INTO fleet.contract (number, customer_id, status, during) SELECT 'C-' || g, 1, 'active', pg_temp.days(-300, 300) FROM generate_series(1, 2) g;
INSERT INTO fleet.coverage_term (contract_id, number, during) SELECT g, '1', '(,)' FROM generate_series(1, 2) g;
INSERT INTO fleet.asset (asset_tag, customer_id) SELECT 'A-' || g, 1 FROM generate_series(1, 12) g;

-- One of its kind and subject is open; what is seen again is another row.
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'A-1', '(,)');
SELECT is(pg_temp.story('no_commissioning_date'), 'info 1 open', 'listed, and nobody has said when it was commissioned');
SELECT is(finding_law('fleet'), 'findings are as listed', 'so it is');
CREATE TEMPORARY TABLE first_one AS SELECT * FROM fleet.finding WHERE kind = 'no_commissioning_date';
UPDATE fleet.asset SET asset_tag = 'A-01' WHERE asset_id = 1;
SELECT is(pg_temp.story('no_commissioning_date'), 'info 1 open', 'called otherwise it stays');
SELECT is((SELECT message FROM fleet.finding WHERE finding_id = f.finding_id), replace(f.message, 'A-1', 'A-01'), 'and says the new name') FROM first_one f;
SELECT is((SELECT opened_at FROM fleet.finding WHERE finding_id = f.finding_id), f.opened_at, 'since when it was') FROM first_one f;
UPDATE fleet.asset SET model = 'M' WHERE asset_id = 1;
UPDATE fleet.inclusion SET note = 'seen';
SELECT is(pg_temp.story('no_commissioning_date'), 'info 1 open', 'whatever else changes');
UPDATE fleet.asset SET commissioned_on = '2020-01-01' WHERE asset_id = 1;
UPDATE fleet.asset SET commissioned_on = NULL WHERE asset_id = 1;
SELECT is(pg_temp.story('no_commissioning_date'), 'info 1 closed, info 1 open', 'closed, and open anew');
SELECT ok(closed_at >= opened_at, 'closed behind its beginning') FROM fleet.finding WHERE closed_at IS NOT NULL;
BEGIN;
UPDATE fleet.asset SET commissioned_on = '2020-01-01' WHERE asset_id = 1;
SAVEPOINT s;
UPDATE fleet.asset SET commissioned_on = NULL WHERE asset_id = 1;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'A-2', '(,)');
ROLLBACK TO s;
SELECT is(pg_temp.story('no_commissioning_date'), 'info 1 closed, info 1 closed', 'what is rolled back to a savepoint was not found');
SELECT is(finding_law('fleet'), 'findings are as listed', 'nor is it within the transaction');
ROLLBACK;
SELECT is(pg_temp.story('no_commissioning_date'), 'info 1 closed, info 1 open', 'nor what is rolled back');

-- Whoever comes in the place of another by its key brings what is found of it.
BEGIN;
ALTER TABLE fleet.coverage_term ALTER CONSTRAINT coverage_term_contract_id_fkey DEFERRABLE;
SET CONSTRAINTS ALL DEFERRED;
UPDATE fleet.inclusion SET during = pg_temp.days(-100, 100);
UPDATE fleet.asset SET commissioned_on = pg_temp.day(-50) WHERE asset_id = 1;
UPDATE fleet.contract SET contract_id = -1 WHERE contract_id = 1;
UPDATE fleet.contract SET contract_id = 1 WHERE contract_id = 2;
UPDATE fleet.contract SET contract_id = 2 WHERE contract_id = -1;
SELECT is(finding_law('fleet'), 'findings are as listed', 'contracts exchange their keys');
SELECT is((SELECT message ~ 'of contract C-2 begins' FROM fleet.finding WHERE kind = 'starts_before_commissioning' AND closed_at IS NULL), true, 'and the message names the one that is there now');
ROLLBACK;

-- Another severity is another finding.
INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'pumps', 'category = ''pump''', '(,)');
UPDATE fleet.asset SET country = 'DE' WHERE asset_id = 1;
SELECT is(pg_temp.story('regulation_unmet'), 'warning 1 regulation:1 open', 'nobody knows');
UPDATE fleet.asset SET category = 'motor' WHERE asset_id = 1;
SELECT is(pg_temp.story('regulation_unmet'), 'warning 1 regulation:1 closed, error 1 regulation:1 open', 'now it is known not to be met');
SELECT is(finding_law('fleet'), 'findings are as listed', 'and that is open');
UPDATE fleet.asset SET category = 'pump' WHERE asset_id = 1;
SELECT is(pg_temp.story('regulation_unmet'), 'warning 1 regulation:1 closed, error 1 regulation:1 closed', 'now it is met');
DELETE FROM fleet.regulation;

-- Others of the contract: the first one that is seen, and the last one that is seen no more.
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (2, 'A-3', '(,)'), (2, 'A-4', '(,)'), (2, 'A-5', '(,)');
INSERT INTO fleet.field_observation (asset_id, observed_at) VALUES (3, now() - interval '1 day');
SELECT is(pg_temp.story('covered_not_deployed'), 'warning 4 open, warning 5 open', 'one is seen: so the others are not');
INSERT INTO fleet.field_observation (asset_id, observed_at) VALUES (4, now() - interval '1 day');
SELECT is(pg_temp.story('covered_not_deployed'), 'warning 4 closed, warning 5 open', 'another one is');
DELETE FROM fleet.inclusion WHERE asset_id = 3;
SELECT is(finding_law('fleet'), 'findings are as listed', 'one that is seen leaves the contract');
UPDATE fleet.field_observation SET observed_at = observed_at - interval '900 days' WHERE asset_id = 4;
SELECT is(pg_temp.story('covered_not_deployed'), 'warning 4 closed, warning 5 closed', 'and the last one was seen too long ago');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (2, 'A-3', '(,)');
SELECT is(finding_law('fleet'), 'findings are as listed', 'one that was seen comes back');
DELETE FROM fleet.field_observation;
SELECT is(finding_law('fleet'), 'findings are as listed', 'nobody was seen');
-- The same of more assets than are looked at one by one.
INSERT INTO fleet.asset (asset_id, asset_tag, customer_id, commissioned_on) SELECT 1000 + g, 'L-' || g, 1, pg_temp.day(-400) FROM generate_series(1, 120) g;
INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 2, 1000 + g, '(,)' FROM generate_series(1, 119) g;
CREATE FUNCTION pg_temp.unseen() RETURNS text LANGUAGE sql AS $$
	SELECT count(*) FILTER (WHERE closed_at IS NULL) || CASE WHEN finding_law('fleet') = 'findings are as listed' THEN '' ELSE ' and not as listed' END
	FROM fleet.finding WHERE kind = 'covered_not_deployed' AND asset_id > 1000 $$;
SELECT is(pg_temp.unseen(), '0', 'large: nobody was seen');
INSERT INTO fleet.field_observation (asset_id, observed_at) VALUES (1119, now() - interval '1 day');
SELECT is(pg_temp.unseen(), '118', 'large: the last one listed is');
INSERT INTO fleet.field_observation (asset_id, observed_at) VALUES (1118, now() - interval '1 day'), (1120, now() - interval '1 day');
SELECT is(pg_temp.unseen(), '117', 'large: another one is');
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (2, 1120, '(,)');
SELECT is(pg_temp.unseen(), '117', 'large: one that was seen is listed');
DELETE FROM fleet.inclusion WHERE asset_id IN (1118, 1120);
SELECT is(pg_temp.unseen(), '117', 'large: one that was seen stays');
DELETE FROM fleet.inclusion WHERE asset_id = 1119;
SELECT is(pg_temp.unseen(), '0', 'large: none does');
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (2, 1119, '(,)'), (2, 1120, daterange(pg_temp.day(1), NULL));
SELECT is(pg_temp.unseen(), '117', 'large: one comes back');
UPDATE fleet.inclusion SET during = daterange(pg_temp.day(1), NULL) WHERE asset_id = 1119;
SELECT is(pg_temp.unseen(), '0', 'large: from tomorrow on');
DELETE FROM fleet.field_observation;
DELETE FROM fleet.inclusion WHERE asset_id > 1000;

-- What a rule gives to a primary concerns the members whose own cover stays what it is; and a life ends without a day of decommissioning, too.
BEGIN;
UPDATE fleet.coverage_term SET covers_bundles = false;
INSERT INTO fleet.bundle (bundle_id, name, primary_asset_id) VALUES (1, 'B', 9);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 10, '(,)');
UPDATE fleet.asset SET decommissioned_on = pg_temp.day(20) WHERE asset_id = 9;
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'checked', 'include', $$last_maintenance('check') IS NOT NULL$$, '(,)');
INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on) VALUES (9, 'check', pg_temp.day(-1));
SELECT is(pg_temp.story('orphaned_member'), 'warning 10 open', 'a primary that ends is covered since it was maintained, and its member is not');
SELECT is(finding_law('fleet'), 'findings are as listed', '  as is open');
DELETE FROM fleet.maintenance_event WHERE asset_id = 9;
SELECT is(pg_temp.story('orphaned_member'), 'warning 10 closed', '  and no more without the maintenance');
SELECT is(finding_law('fleet'), 'findings are as listed', '  as is open');
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'nine', 'include', $$asset_tag = 'A-9'$$, '(,)');
SELECT is(pg_temp.story('orphaned_member'), 'warning 10 closed, warning 10 open', 'a rule covers a primary that ends: its member is alone then');
SELECT is(finding_law('fleet'), 'findings are as listed', 'and that is open');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'A-11', pg_temp.days(30, 40));
UPDATE fleet.asset SET out_of_service = datemultirange(daterange(pg_temp.day(10), NULL)) WHERE asset_id = 11;
SELECT is(pg_temp.story('decommissioned_before_activation'), 'error 11 open', 'out of service for good before its line begins');
SELECT is(finding_law('fleet'), 'findings are as listed', 'and that is open, too');
ROLLBACK;

-- Triggers of users on findings change what findings are about. The owner's run as the owner.
SET ROLE finding_owner;
CREATE FUNCTION fleet.mend() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.kind = 'no_commissioning_date' AND NEW.closed_at IS NULL THEN
		UPDATE fleet.asset SET commissioned_on = '2020-01-01' WHERE asset_id = NEW.asset_id;
	END IF;
	RETURN NEW;
END $$;
CREATE FUNCTION fleet.put_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.closed_at IS NOT NULL THEN
		UPDATE fleet.asset SET customer_id = 1 WHERE customer_id <> 1;
	END IF;
	RETURN NEW;
END $$;
CREATE FUNCTION fleet.make_worse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE fleet.asset SET commissioned_on = CASE WHEN NEW.closed_at IS NOT NULL THEN NULL ELSE '2020-01-01'::date END WHERE asset_id = 6;
	RETURN NEW;
END $$;
RESET ROLE;
CREATE TRIGGER mend AFTER INSERT ON fleet.finding FOR EACH ROW EXECUTE FUNCTION fleet.mend();
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'A-7', '(,)');
SELECT is((SELECT commissioned_on FROM fleet.asset WHERE asset_id = 7), '2020-01-01'::date, 'a trigger behind a finding mends it');
SELECT is(finding_law('fleet'), 'findings are as listed', 'and so it is closed');
DROP TRIGGER mend ON fleet.finding;
CREATE TRIGGER mend BEFORE INSERT ON fleet.finding FOR EACH ROW EXECUTE FUNCTION fleet.mend();
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'A-8', '(,)');
SELECT is((SELECT commissioned_on FROM fleet.asset WHERE asset_id = 8), '2020-01-01'::date, 'a trigger mends it before it is there');
SELECT is(finding_law('fleet'), 'findings are as listed', 'and it is closed, too');
DROP TRIGGER mend ON fleet.finding;
CREATE TRIGGER put_back AFTER UPDATE ON fleet.finding FOR EACH ROW EXECUTE FUNCTION fleet.put_back();
UPDATE fleet.asset SET commissioned_on = '2020-01-01', customer_id = 2 WHERE asset_id = 1;
SELECT is((SELECT customer_id FROM fleet.asset WHERE asset_id = 1), 1::bigint, 'as one closes, a trigger changes what another one that opens is about');
SELECT is(finding_law('fleet'), 'findings are as listed', 'which is not so any more');
DROP TRIGGER put_back ON fleet.finding;
CREATE TRIGGER make_worse AFTER INSERT OR UPDATE ON fleet.finding FOR EACH STATEMENT EXECUTE FUNCTION fleet.make_worse();
DROP TRIGGER make_worse ON fleet.finding;
CREATE TRIGGER make_worse AFTER INSERT OR UPDATE ON fleet.finding FOR EACH ROW WHEN (NEW.asset_id = 6 AND pg_trigger_depth() < 12) EXECUTE FUNCTION fleet.make_worse();
SELECT lives_ok($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'A-6', '(,)')$$, 'one that never leaves it alone ends');
DROP TRIGGER make_worse ON fleet.finding;
SELECT is((SELECT count(*) > 0 FROM fleet.refresh()), true, 'refresh');
SELECT is(finding_law('fleet', true), 'findings are as listed', 'and refresh puts it right');

-- Who may read and write.
SET ROLE finding_analyst;
SELECT lives_ok('SELECT * FROM fleet.finding', 'an analyst reads findings');
SELECT throws_ok('UPDATE fleet.finding SET message = ''x''', '42501', NULL, 'and writes none');
SELECT throws_ok('INSERT INTO fleet.finding (kind, severity) VALUES (''x'', ''info'')', '42501', NULL, 'nor adds one');
SELECT throws_ok('DELETE FROM fleet.finding', '42501', NULL, 'nor takes one away');
SELECT throws_ok('SELECT * FROM fleet._finding_expiring', '42501', NULL, 'the views are the engine''s');
SET ROLE finding_manager;
SELECT throws_ok('UPDATE fleet.finding SET closed_at = now()', '42501', NULL, 'nor does a manager close one');
SET ROLE finding_registry;
SELECT throws_ok('UPDATE fleet.finding SET closed_at = now()', '42501', NULL, 'nor who keeps the register');
SELECT lives_ok('UPDATE fleet.asset SET commissioned_on = NULL WHERE asset_id IN (1, 2)', 'but what he changes opens and closes them');
RESET ROLE;
SELECT is(finding_law('fleet'), 'findings are as listed', 'as they are listed');

-- Damage that no statement has done: refresh brings all back.
DELETE FROM fleet.finding WHERE asset_id = 1;
UPDATE fleet.finding SET closed_at = opened_at WHERE closed_at IS NULL AND asset_id = 3;
UPDATE fleet.finding SET message = 'x', detail = '{"x": 1}', first_day = '2020-01-01' WHERE closed_at IS NULL AND asset_id = 4;
UPDATE fleet.finding SET severity = 'error' WHERE closed_at IS NULL AND asset_id = 5;
INSERT INTO fleet.finding (kind, severity, asset_id, contract_id) VALUES ('expiring', 'info', NULL, 77), ('customer_mismatch', 'info', 1, 1), ('cover_gap', 'error', 99, NULL);
SELECT isnt(finding_law('fleet'), 'findings are as listed', 'what is damaged is told');
SELECT lives_ok('SELECT fleet.refresh()', 'refresh');
SELECT is(finding_law('fleet', true), 'findings are as listed', 'brings all back');
CREATE TEMPORARY TABLE before AS SELECT f.*, f.xmin AS born FROM fleet.finding f;
SELECT lives_ok('SELECT fleet.refresh()', 'refresh again');
SELECT is_empty('SELECT * FROM before EXCEPT SELECT f.*, f.xmin FROM fleet.finding f', 'touches nothing');

-- What the owner makes of the views.
CREATE TEMPORARY TABLE views AS SELECT c.relname, c.oid, c.xmin AS born, pg_get_viewdef(c.oid) AS definition, obj_description(c.oid) AS comment,
	(SELECT string_agg(col_description(c.oid, g), '|' ORDER BY g) FROM generate_series(1, 20) g) AS comments
	FROM pg_class c WHERE relnamespace = 'fleet'::regnamespace AND relkind = 'v' AND relname LIKE '\_%';
SELECT is(cec.upgrade_portfolio('fleet'), cec.version(), 'where they are as they were made');
SELECT is_empty('SELECT relname FROM views v WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = v.oid AND c.xmin = v.born)', 'upgrade_portfolio leaves them alone');
CREATE FUNCTION pg_temp.mended() RETURNS text LANGUAGE sql AS $$
	SELECT cec.upgrade_portfolio('fleet');
	SELECT coalesce(string_agg(v.relname, ', '), 'all') FROM views v WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'fleet'::regnamespace AND c.relname = v.relname AND c.relowner = 'finding_owner'::regrole
		AND pg_get_viewdef(c.oid) = v.definition AND obj_description(c.oid) IS NOT DISTINCT FROM v.comment AND c.reloptions = '{security_invoker=true}'
		AND (SELECT string_agg(col_description(c.oid, g), '|' ORDER BY g) FROM generate_series(1, 20) g) = v.comments) $$;

CREATE FUNCTION pg_temp.refused_after(ddl text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
	count_before bigint := (SELECT count(*) FROM fleet.audit_log);
BEGIN
	SET LOCAL ROLE finding_owner;
	EXECUTE ddl;
	RESET ROLE;
	said := pg_temp.said($s$UPDATE fleet.contract SET during = daterange(pg_temp.day(-300), pg_temp.day(11)) WHERE contract_id = 2$s$);
	IF said = 'done' THEN
		said := finding_law('fleet');
		UPDATE fleet.contract SET during = pg_temp.days(-300, 300) WHERE contract_id = 2;
	ELSIF (SELECT count(*) FROM fleet.audit_log) <> count_before OR (SELECT upper(during) FROM fleet.contract WHERE contract_id = 2) <> pg_temp.day(301) THEN
		said := 'half done: ' || said;
	END IF;
	RETURN said;
END $$;
SELECT is(pg_temp.refused_after('DROP VIEW fleet._finding_expiring'), '55000 view fleet._finding_expiring is not what cec.create_portfolio made Run SELECT cec.upgrade_portfolio(''fleet'').', 'dropped: statements that need it are refused');
SELECT is(pg_temp.said('SELECT fleet.refresh()'), '55000 view fleet._finding_expiring is not what cec.create_portfolio made Run SELECT cec.upgrade_portfolio(''fleet'').', 'and refresh');
SELECT lives_ok('UPDATE fleet.asset SET commissioned_on = NULL WHERE asset_id = 2', 'others are not');
SELECT is(pg_temp.mended(), 'all', 'upgrade_portfolio makes it again');
SELECT is(pg_temp.said('SELECT fleet.refresh()'), 'done', 'and refresh goes on');
SELECT is(pg_temp.refused_after('DROP VIEW fleet._finding_expiring; CREATE VIEW fleet._finding_expiring AS SELECT 1 AS x'), '55000 view fleet._finding_expiring is not what cec.create_portfolio made Run SELECT cec.upgrade_portfolio(''fleet'').', 'other columns');
SELECT is(pg_temp.mended(), 'all', 'are mended');
SELECT is(pg_temp.refused_after('DROP VIEW fleet._finding_expiring; CREATE TABLE fleet._finding_expiring AS SELECT 1 AS x'), '55000 view fleet._finding_expiring is not what cec.create_portfolio made Run SELECT cec.upgrade_portfolio(''fleet'').', 'a table');
SELECT is(pg_temp.said('SELECT cec.upgrade_portfolio(''fleet'')'), '42809 "_finding_expiring" is not a view', 'is not taken away by the engine');
DROP TABLE fleet._finding_expiring;
SELECT is(pg_temp.mended(), 'all', 'but by the owner');
SELECT is(pg_temp.refused_after($$DROP VIEW fleet._finding_expiring; CREATE VIEW fleet._finding_expiring AS SELECT 'info'::text AS severity, NULL::integer AS asset_id, NULL::bigint AS other_asset_id,
	2::bigint AS contract_id, NULL::bigint AS term_id, NULL::bigint AS rule_id, ''::text AS subject, NULL::date AS first_day, NULL::date AS last_day, '{}'::jsonb AS detail, ''::text AS message$$),
	'55000 view fleet._finding_expiring is not what cec.create_portfolio made Run SELECT cec.upgrade_portfolio(''fleet'').', 'a column of another type');
SELECT is(pg_temp.mended(), 'all', 'is mended');
-- With its columns it says what the owner has it say: oddly enough, and the server stays up.
CREATE FUNCTION pg_temp.odd(severity text, contract_id text, subject text, days text, detail text, message text, rows integer) RETURNS text LANGUAGE sql AS $$
	SELECT format('CREATE OR REPLACE VIEW fleet._finding_expiring AS SELECT %s AS severity, NULL::bigint AS asset_id, NULL::bigint AS other_asset_id, %s AS contract_id, NULL::bigint AS term_id,
		NULL::bigint AS rule_id, %s AS subject, %s, %s AS detail, (%s) COLLATE "C" AS message FROM generate_series(1, %s) AS g', severity, contract_id, subject, days, detail, message, rows) $$;
SELECT is(pg_temp.refused_after(pg_temp.odd('''info''::text', '2::bigint', 'repeat(''é'', 20000)', 'NULL::date AS first_day, NULL::date AS last_day', '''{}''::jsonb', 'repeat(''x'', 20000)', 1)), 'findings are as listed', 'long texts');
SELECT isnt(pg_temp.refused_after(pg_temp.odd('NULL::text', '2::bigint', 'NULL::text', 'NULL::date AS first_day, NULL::date AS last_day', 'NULL::jsonb', 'NULL::text', 1)), NULL, 'nothing at all');
SELECT matches(pg_temp.refused_after(pg_temp.odd('''dire''::text', '2::bigint', '''''::text', 'NULL::date AS first_day, NULL::date AS last_day', '''{}''::jsonb', '''''::text', 1)), '^23514 ', 'a severity that there is not');
SELECT matches(pg_temp.refused_after(pg_temp.odd('''info''::text', '2::bigint', '''''::text', 'date ''2026-02-01'' AS first_day, date ''2026-01-01'' AS last_day', '''{}''::jsonb', '''''::text', 1)), '^23514 ', 'days in no order');
SELECT isnt(pg_temp.refused_after(pg_temp.odd('''info''::text', '2::bigint', '''''::text', '''-infinity''::date AS first_day, ''infinity''::date AS last_day', '''{}''::jsonb', '''''::text', 3)), NULL, 'days without end, and the same row three times');
SELECT isnt(pg_temp.refused_after(pg_temp.odd('''info''::text', 'g::bigint', 'g::text', 'NULL::date AS first_day, NULL::date AS last_day', 'jsonb_build_object(''at'', clock_timestamp())', 'random()::text', 30000)), NULL, 'thirty thousand rows that say something else each time');
SELECT matches(pg_temp.refused_after(pg_temp.odd('''info''::text', '(1 / (g - 1))::bigint', '''''::text', 'NULL::date AS first_day, NULL::date AS last_day', '''{}''::jsonb', '''''::text', 1)), '^22012 ', 'an error');
SELECT is(pg_temp.mended(), 'all', 'all that is mended');
SELECT is(pg_temp.said('SELECT fleet.refresh()'), 'done', 'and behind refresh');
SELECT is(finding_law('fleet', true), 'findings are as listed', 'findings are as listed');
-- What views are made of, and another name.
SET ROLE finding_owner;
DROP VIEW fleet._counting_line CASCADE;
CREATE VIEW fleet._counting_line AS SELECT 1 AS inclusion_id;
RESET ROLE;
SELECT is(pg_temp.mended(), 'all', 'what other views read is made again, and they behind it');
SELECT cec.rename_portfolio('fleet', 'Fleet "2"') \g /dev/null
CREATE TEMPORARY TABLE again AS SELECT c.oid, c.xmin AS born FROM pg_class c WHERE relnamespace = '"Fleet ""2"""'::regnamespace AND relkind = 'v';
SELECT is(cec.upgrade_portfolio('Fleet "2"'), cec.version(), 'by another name');
SELECT is_empty('SELECT a.oid::regclass FROM again a JOIN pg_class c USING (oid) WHERE c.xmin <> a.born', 'they are as they were made, too');
DROP VIEW "Fleet ""2""".	_finding_not_in_register;
SELECT is(cec.upgrade_portfolio('Fleet "2"'), cec.version(), 'and made again');
SELECT lives_ok('SELECT "Fleet ""2""".refresh()', 'and read');
SELECT is(finding_law('"Fleet ""2"""', true), 'findings are as listed', 'by that name');
SELECT * FROM finish();
