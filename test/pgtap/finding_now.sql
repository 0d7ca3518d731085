-- What is wrong now: which open findings finding_now shows, what it says of them, and whose they are; waivers; the calendar of assets that
-- are to be decommissioned. Days are said by their distance from today.
SET client_min_messages = warning;
SET search_path = fleet, public, pg_temp;
SELECT cec.create_portfolio('fleet');
SELECT no_plan();
CREATE FUNCTION pg_temp.day(distance integer) RETURNS date LANGUAGE sql AS $$ SELECT cec.today('fleet') + distance $$;
CREATE FUNCTION pg_temp.days(first_day integer, last_day integer) RETURNS daterange LANGUAGE sql AS
$$ SELECT daterange(pg_temp.day(first_day), pg_temp.day(last_day), '[]') $$;
INSERT INTO customer (name) VALUES ('Acme'), ('Other');
INSERT INTO contract (number, customer_id, account_manager, status, during) VALUES ('C-1', 1, 'Ann', 'active', pg_temp.days(-300, 300)), ('C-2', 2, 'Bob', 'active', pg_temp.days(-300, 100));
INSERT INTO coverage_term (contract_id, number, during) VALUES (1, '1', '(,)'), (2, '7', '(,)');
INSERT INTO asset (asset_tag, customer_id, commissioned_on) SELECT 'A-' || g, 1 + g % 2, pg_temp.day(-400) FROM generate_series(1, 4) g;
INSERT INTO inclusion (term_id, listed_as, during) VALUES (1, 'A-1', pg_temp.days(-90, -50)), (2, 'A-1', pg_temp.days(-20, 30)), (1, 'A-2', '(,)');

-- The engine's findings are not what is tested here: these stand alone.
DELETE FROM finding;
INSERT INTO finding (finding_id, kind, severity, asset_id, other_asset_id, contract_id, term_id, subject, message, opened_at, closed_at) VALUES
	(1, 'customer_mismatch', 'warning', 2, NULL, 1, NULL, '', 'm1', pg_temp.day(-3)::timestamp AT TIME ZONE 'UTC', NULL),
	(2, 'customer_mismatch', 'warning', 2, NULL, 2, NULL, '', 'm2', pg_temp.day(-2)::timestamp AT TIME ZONE 'UTC' - interval '1 s', now()),
	(3, 'duplicate_cover', 'error', 1, NULL, 1, NULL, 'contract:2', 'm3', pg_temp.day(0)::timestamp AT TIME ZONE 'UTC', NULL),
	(4, 'cover_gap', 'warning', 1, NULL, NULL, NULL, '2026-01-01', 'm4', pg_temp.day(-9)::timestamp AT TIME ZONE 'UTC', NULL),
	(5, 'duplicate_in_register', 'warning', 3, 4, NULL, NULL, '', 'm5', pg_temp.day(-8)::timestamp AT TIME ZONE 'UTC', NULL),
	(6, 'not_in_register', 'error', NULL, NULL, NULL, NULL, 'seen:X', 'm6', pg_temp.day(-7)::timestamp AT TIME ZONE 'UTC', NULL),
	(7, 'expiring', 'info', NULL, NULL, 2, NULL, '', 'm7', pg_temp.day(-6)::timestamp AT TIME ZONE 'UTC', NULL),
	(8, 'outlives_decommissioning', 'warning', 1, NULL, 2, 2, '', 'm8', pg_temp.day(-5)::timestamp AT TIME ZONE 'UTC', NULL),
	(9, 'of a later version', 'info', 1, NULL, 2, NULL, '', 'm9', pg_temp.day(-4)::timestamp AT TIME ZONE 'UTC', NULL);
SELECT is((SELECT string_agg(format('%s: %s days, %s %s, %s %s, %s, %s', finding_id, days_open, asset_tag, other_asset_tag, contract_number, term_number, customer, account_manager), E'\n' ORDER BY severity_rank, opened_at) FROM finding_now),
	E'6: 7 days,  ,  , , \n3: 0 days, A-1 , C-1 , Acme, Ann\n4: 9 days, A-1 ,  , Other, \n5: 8 days, A-3 A-4,  , Other, \n8: 5 days, A-1 , C-2 7, Other, Bob\n1: 3 days, A-2 , C-1 , Acme, Ann\n7: 6 days,  , C-2 , Other, Bob\n9: 4 days, A-1 , C-2 , Other, Bob',
	'what is open, in words, the worst first and of these the oldest');
SELECT results_eq($$SELECT finding_id FROM compliance_gap ORDER BY 1$$, ARRAY[1, 3, 4, 6]::bigint[], 'those that are gaps');
SELECT results_eq($$SELECT finding_id FROM finding_now WHERE account_manager = 'Bob' ORDER BY severity_rank, opened_at$$, ARRAY[8, 7, 9]::bigint[], 'of one who looks after contracts');
SELECT results_eq($$SELECT finding_id FROM finding_now WHERE asset_account_manager = 'Bob'$$, ARRAY[4]::bigint[], 'and after what these covered last');
SELECT is_empty($$SELECT a.attname, a.atttypid FROM pg_attribute a WHERE a.attrelid = 'compliance_gap'::regclass AND a.attnum > 0 EXCEPT SELECT a.attname, a.atttypid FROM pg_attribute a WHERE a.attrelid = 'finding_now'::regclass AND a.attnum > 0$$, 'both say the same of a finding');

-- Waivers: each id and the subject equal or NULL, of the kind alone; until its last day.
CREATE FUNCTION pg_temp.waives(columns text, vals text) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE before bigint[] := ARRAY(SELECT finding_id FROM finding_now); result bigint[];
BEGIN
	EXECUTE format('INSERT INTO finding_waiver (reason, kind, %s) VALUES (''known'', %s)', columns, vals);
	result := ARRAY(SELECT unnest(before) EXCEPT SELECT finding_id FROM finding_now ORDER BY 1);
	DELETE FROM finding_waiver;
	RETURN result;
END $$;
SELECT is(pg_temp.waives('asset_id', $$'outlives_decommissioning', 1$$), '{8}', 'of an asset, whatever the contract');
SELECT is(pg_temp.waives('asset_id, contract_id', $$'outlives_decommissioning', 1, 2$$), '{8}', 'of both');
SELECT is(pg_temp.waives('asset_id, contract_id', $$'outlives_decommissioning', 1, 1$$), '{}', 'not of another contract');
SELECT is(pg_temp.waives('asset_id, contract_id', $$'cover_gap', 1, 1$$), '{}', 'not of a contract where the finding names none');
SELECT is(pg_temp.waives('contract_id', $$'outlives_decommissioning', 2$$), '{8}', 'of a contract, whatever the asset');
SELECT is(pg_temp.waives('contract_id', $$'expiring', 2$$), '{7}', 'of a contract alone');
SELECT is(pg_temp.waives('asset_id', $$'duplicate_in_register', 3$$), '{5}', 'of the first of a pair');
SELECT is(pg_temp.waives('asset_id', $$'duplicate_in_register', 4$$), '{}', 'not by the second');
SELECT is(pg_temp.waives('subject', $$'not_in_register', 'seen:X'$$), '{6}', 'of a subject');
SELECT is(pg_temp.waives('subject', $$'not_in_register', 'seen:x'$$), '{}', 'byte for byte');
SELECT is(pg_temp.waives('subject', $$'duplicate_cover', 'contract:2'$$), '{3}', 'of a subject, whatever the ids');
SELECT is(pg_temp.waives('asset_id, subject', $$'duplicate_cover', 1, 'contract:2'$$), '{3}', 'of an asset and a subject');
SELECT is(pg_temp.waives('asset_id, subject', $$'duplicate_cover', 1, 'contract:3'$$), '{}', 'not of another subject');
SELECT is(pg_temp.waives('contract_id, subject', $$'duplicate_cover', 1, 'contract:3'$$), '{}', 'nor with a contract');
SELECT is(pg_temp.waives('asset_id, until', $$'cover_gap', 1, pg_temp.day(0)$$), '{4}', 'until today');
SELECT is(pg_temp.waives('asset_id, until', $$'cover_gap', 1, pg_temp.day(-1)$$), '{}', 'until yesterday');
UPDATE setting SET four_eyes = true;
SELECT is(pg_temp.waives('asset_id', $$'cover_gap', 1$$), '{}', 'four eyes: nobody has approved');
SELECT is(pg_temp.waives('asset_id, waived_by, approved_by', $$'cover_gap', 1, 'Ann', 'Ann'$$), '{}', 'four eyes: the same has');
SELECT is(pg_temp.waives('asset_id, waived_by, approved_by', $$'cover_gap', 1, 'Ann', 'Bob'$$), '{4}', 'four eyes: another has');
SELECT is(pg_temp.waives('contract_id', $$'expiring', 2$$) || pg_temp.waives('subject', $$'not_in_register', 'seen:X'$$), '{}', 'four eyes: of a contract, and of a subject');
UPDATE setting SET four_eyes = false;
SELECT throws_ok($$SELECT pg_temp.waives('contract_id', '''of a later version'', 2')$$, '23514', 'kind "of a later version" is not known', 'not of a kind that there is not');
INSERT INTO finding_waiver (kind, asset_id, reason) VALUES ('cover_gap', 1, 'known');
SELECT is((SELECT format('%s %s %s', waived_by = session_user, waived_at BETWEEN now() - interval '1 min' AND now(), approved_by) FROM finding_waiver), 't t ', 'who waives, and when');
SELECT is((SELECT count(*) FROM finding WHERE closed_at IS NULL), 8::bigint, 'what is waived stays open');

-- The calendar.
CREATE FUNCTION pg_temp.due() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(concat_ws(' ', c.asset_tag, c.contract_number, 'cover ' || (c.cover_last_day - pg_temp.day(0)), 'contract ' || (c.contract_last_day - pg_temp.day(0)), 'apart ' || c.days_apart, c.action_due),
		E'\n' ORDER BY c.asset_tag, c.contract_number), 'nothing') FROM decommission_calendar c
$$;
DELETE FROM inclusion;
SELECT is(pg_temp.due(), 'nothing', 'no day is known');
UPDATE asset SET decommissioned_on = pg_temp.day(40) WHERE asset_id = 1;
SELECT is(pg_temp.due(), 'A-1 none', 'on no list');
INSERT INTO inclusion (term_id, listed_as, during) VALUES (1, 'A-1', '(,)');
SELECT is(pg_temp.due(), 'A-1 C-1 cover 40 contract 300 apart 260 end_line', 'its line runs past');
UPDATE inclusion SET during = pg_temp.days(-9, 39);
SELECT is(pg_temp.due(), 'A-1 C-1 cover 39 contract 300 apart 260 renew', 'its cover ends a day before');
UPDATE setting SET decommission_window_days = 0;
SELECT is(pg_temp.due(), 'A-1 C-1 cover 39 contract 300 apart 260 none', 'which the setting lets pass');
UPDATE setting SET decommission_window_days = 2147483647;
SELECT is(pg_temp.due(), 'A-1 C-1 cover 39 contract 300 apart 260 renew', 'or not, however long that is');
UPDATE setting SET decommission_window_days = 365, duplicates_allowed = true;
INSERT INTO inclusion (term_id, listed_as, during) VALUES (2, 'A-1', pg_temp.days(20, 40));
SELECT is(pg_temp.due(), E'A-1 C-1 cover 39 contract 300 apart 260 none\nA-1 C-2 cover 40 contract 100 apart 60 none', 'another contract covers it to the end');
UPDATE inclusion SET during = pg_temp.days(-9, -5);
UPDATE asset SET decommissioned_on = pg_temp.day(-1) WHERE asset_id = 1;
UPDATE setting SET decommission_window_days = 3;
SELECT is(pg_temp.due(), E'A-1 C-1 cover -5 contract 300 apart 301 confirm_date\nA-1 C-2 cover -5 contract 100 apart 101 confirm_date', 'the day is past');
UPDATE asset SET status = 'retired' WHERE asset_id = 1;
SELECT is(pg_temp.due(), E'A-1 C-1 cover -5 contract 300 apart 301 none\nA-1 C-2 cover -5 contract 100 apart 101 none', 'and the asset retired');
UPDATE asset SET status = 'in_service', decommissioned_on = pg_temp.day(500) WHERE asset_id = 1;
UPDATE inclusion SET during = daterange(pg_temp.day(-9), NULL) WHERE term_id = 1;
UPDATE contract SET during = daterange(lower(during), NULL) WHERE contract_id = 1;
SELECT is(pg_temp.due(), E'A-1 C-1 cover 500 end_line\nA-1 C-2 cover -5 contract 100 apart -400 none', 'a contract without end');
SELECT * FROM finish();
