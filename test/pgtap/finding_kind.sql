-- Kinds of findings: for each, what people state that makes its view list a row, and what makes it go; what every view is; that none
-- reads a register, a list or a cover whole for a few assets or contracts. Days are said by their distance from today.
SET client_min_messages = warning;
SET search_path = fleet, public, pg_temp;
SELECT cec.create_portfolio('fleet');
SELECT no_plan();

CREATE FUNCTION pg_temp.day(distance integer) RETURNS date LANGUAGE sql AS $$ SELECT cec.today('fleet') + distance $$;
CREATE FUNCTION pg_temp.days(first_day integer, last_day integer) RETURNS daterange LANGUAGE sql AS
$$ SELECT daterange(pg_temp.day(first_day), pg_temp.day(last_day), '[]') $$;
-- What a view lists: a line a row, of severity, what the row names and its days.
CREATE FUNCTION pg_temp.listed(kind text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	EXECUTE format($query$
		SELECT string_agg(concat_ws(' ', f.severity, a.asset_tag, o.asset_tag, c.number, t.number, nullif(f.subject, ''),
			'[' || (f.first_day - pg_temp.day(0)) || ',' || coalesce(f.last_day - pg_temp.day(0) || ']', '')), E'\n' ORDER BY a.asset_tag, o.asset_tag, c.number, t.number, f.subject)
		FROM %I f LEFT JOIN asset a USING (asset_id) LEFT JOIN asset o ON o.asset_id = f.other_asset_id
			LEFT JOIN contract c USING (contract_id) LEFT JOIN coverage_term t USING (term_id)
		$query$, '_finding_' || kind) INTO result;
	RETURN coalesce(result, 'nothing');
END $$;


INSERT INTO customer (name, parent_id) VALUES ('Acme', NULL), ('Acme North', 1), ('Acme Far North', 2), ('Other', NULL);
INSERT INTO contract (number, customer_id, status, during) SELECT 'C-' || g, 1, 'active', pg_temp.days(-300, 300) FROM generate_series(1, 3) g;
INSERT INTO coverage_term (contract_id, number, during) SELECT g, '1', '(,)' FROM generate_series(1, 3) g;
-- An asset is there for one kind alone, whose name its tag bears.
CREATE FUNCTION pg_temp.register(tag text) RETURNS void LANGUAGE sql AS
$$ INSERT INTO asset (asset_tag, customer_id, commissioned_on, location) VALUES (tag, 1, pg_temp.day(-400), ST_Point(10, 50, 4326)) $$;

-- decommissioned_before_activation: learned after listing, of lines of whatever effect, of drafts too; not where the line has ended, nor where
-- the life is cut short on days before it.
SELECT pg_temp.register('early');
INSERT INTO inclusion (term_id, listed_as, during) VALUES (1, 'early', pg_temp.days(20, 50)), (1, 'early', pg_temp.days(60, 70)), (2, 'early', pg_temp.days(-90, -50));
SELECT is(pg_temp.listed('decommissioned_before_activation'), 'nothing', 'early: in life when its line begins');
UPDATE asset SET decommissioned_on = pg_temp.day(19) WHERE asset_tag = 'early';
SELECT is(pg_temp.listed('decommissioned_before_activation'), 'error early C-1 1 [20,70]', 'early: its life ends before');
SELECT is(pg_temp.listed('outlives_decommissioning'), 'nothing', 'and that is said once');
SELECT is((SELECT message FROM _finding_decommissioned_before_activation), format('The life of asset early ends on %s, before its line of term 1 of contract C-1 begins on %s.', to_char(pg_temp.day(19), 'YYYY-MM-DD'), to_char(pg_temp.day(20), 'YYYY-MM-DD')), 'in words');
UPDATE contract SET status = 'draft' WHERE number = 'C-1';
SELECT is(pg_temp.listed('decommissioned_before_activation'), 'error early C-1 1 [20,70]', 'early: on a draft too');
UPDATE contract SET status = 'void' WHERE number = 'C-1';
SELECT is(pg_temp.listed('decommissioned_before_activation'), 'nothing', 'early: not on what is void');
UPDATE contract SET status = 'active' WHERE number = 'C-1';
UPDATE coverage_term SET during = pg_temp.days(0, 15) WHERE term_id = 1;
SELECT is(pg_temp.listed('decommissioned_before_activation'), 'nothing', 'early: not where term and line never meet');
UPDATE coverage_term SET during = '(,)' WHERE term_id = 1;
UPDATE asset SET decommissioned_on = pg_temp.day(65) WHERE asset_tag = 'early';
SELECT is(pg_temp.listed('decommissioned_before_activation'), 'nothing', 'early: lives on');
SELECT is(pg_temp.listed('outlives_decommissioning'), 'warning early C-1 1 [66,70]', 'through a part of a line');
UPDATE asset SET out_of_service = datemultirange(pg_temp.days(10, 90)) WHERE asset_tag = 'early';
SELECT is(pg_temp.listed('decommissioned_before_activation'), 'error early C-1 1 [20,70]', 'early: out of service from before its line to its end');
UPDATE asset SET out_of_service = '{}' WHERE asset_tag = 'early';
SELECT is(pg_temp.listed('decommissioned_before_activation'), 'nothing', 'early: back in service');
DELETE FROM inclusion WHERE listed_as = 'early';

-- outlives_decommissioning: an open line runs to the end of term and contract.
SELECT pg_temp.register('outlives');
INSERT INTO inclusion (term_id, listed_as, during) VALUES (1, 'outlives', daterange(pg_temp.day(-10), NULL));
SELECT is(pg_temp.listed('outlives_decommissioning'), 'nothing', 'outlives: no end known');
UPDATE asset SET decommissioned_on = pg_temp.day(299) WHERE asset_tag = 'outlives';
SELECT is(pg_temp.listed('outlives_decommissioning'), 'warning outlives C-1 1 [300,300]', 'outlives: by a day');
UPDATE contract SET during = daterange(lower(during), NULL) WHERE number = 'C-1';
SELECT is(pg_temp.listed('outlives_decommissioning'), 'warning outlives C-1 1 [300,', 'outlives: without end');
SELECT matches((SELECT message FROM _finding_outlives_decommissioning), '^Asset outlives is decommissioned on ....-..-.., but its line of term 1 of contract C-1 runs on without end\.$', 'in words');
UPDATE contract SET during = pg_temp.days(-300, 300) WHERE number = 'C-1';
UPDATE asset SET decommissioned_on = pg_temp.day(300) WHERE asset_tag = 'outlives';
SELECT is(pg_temp.listed('outlives_decommissioning'), 'nothing', 'outlives: with the contract');
UPDATE asset SET decommissioned_on = '5874897-12-31' WHERE asset_tag = 'outlives';
UPDATE contract SET during = '(,)' WHERE number = 'C-1';
SELECT is(pg_temp.listed('outlives_decommissioning'), 'nothing', 'the last day that there is breaks nothing');
UPDATE contract SET during = pg_temp.days(-300, 300) WHERE number = 'C-1';
DELETE FROM inclusion WHERE listed_as = 'outlives';

-- starts_before_commissioning
SELECT pg_temp.register('starts');
INSERT INTO inclusion (term_id, listed_as, during) VALUES (1, 'starts', '(,)');
SELECT is(pg_temp.listed('starts_before_commissioning'), 'nothing', 'starts: an open line begins with the contract');
UPDATE asset SET commissioned_on = pg_temp.day(-299) WHERE asset_tag = 'starts';
SELECT is(pg_temp.listed('starts_before_commissioning'), 'info starts C-1 1 [-300,-300]', 'starts: a day before');
UPDATE contract SET during = daterange(NULL, upper(during)) WHERE number = 'C-1';
SELECT is((SELECT first_day::text FROM _finding_starts_before_commissioning WHERE asset_id = (SELECT asset_id FROM asset WHERE asset_tag = 'starts')), NULL, 'starts: without a first day');
UPDATE contract SET during = pg_temp.days(-300, 300) WHERE number = 'C-1';
UPDATE inclusion SET during = daterange(pg_temp.day(-299), NULL) WHERE listed_as = 'starts';
SELECT is(pg_temp.listed('starts_before_commissioning'), 'nothing', 'starts: with it');

-- duplicate_cover: the smaller contract first, whatever was listed first; stated, inherited and ruled cover alike.
SELECT pg_temp.register('twice');
UPDATE setting SET duplicates_allowed = true;
INSERT INTO inclusion (term_id, listed_as, during) VALUES (3, 'twice', pg_temp.days(-30, 5)), (2, 'twice', pg_temp.days(-20, 30));
SELECT is(pg_temp.listed('duplicate_cover'), 'error twice C-2 contract:3 [-20,5]', 'twice: from the first day that both cover');
UPDATE contract SET kind = 'lease' WHERE number = 'C-3';
SELECT is(pg_temp.listed('duplicate_cover'), 'nothing', 'twice: by contracts of two kinds');
UPDATE contract SET kind = 'service', status = 'terminated' WHERE number = 'C-3';
SELECT is(pg_temp.listed('duplicate_cover'), 'nothing', 'twice: one is terminated');
UPDATE contract SET status = 'active' WHERE number = 'C-3';
INSERT INTO inclusion (term_id, listed_as, effect, during) VALUES (3, 'twice', 'exclude', pg_temp.days(-3, 1));
SELECT is(pg_temp.listed('duplicate_cover'), 'error twice C-2 contract:3 [2,5]', 'twice: carved out for a while');
UPDATE inclusion SET during = pg_temp.days(-3, 5) WHERE listed_as = 'twice' AND effect = 'exclude';
SELECT is(pg_temp.listed('duplicate_cover'), 'nothing', 'twice: on days that are over');
DELETE FROM inclusion WHERE listed_as = 'twice';
SELECT pg_temp.register('below');
INSERT INTO bundle (name, primary_asset_id) SELECT 'B', asset_id FROM asset WHERE asset_tag = 'twice';
INSERT INTO bundle_member (bundle_id, asset_id, during) SELECT bundle_id, asset_id, '(,)' FROM bundle, asset WHERE name = 'B' AND asset_tag = 'below';
INSERT INTO inclusion (term_id, listed_as, during) VALUES (3, 'twice', '(,)'), (2, 'below', '(,)');
SELECT is(pg_temp.listed('duplicate_cover'), 'error below C-2 contract:3 [-300,300]', 'below: listed, and with its primary');
UPDATE coverage_term SET covers_bundles = false WHERE term_id = 3;
SELECT is(pg_temp.listed('duplicate_cover'), 'nothing', 'below: listed alone');
DELETE FROM inclusion WHERE listed_as IN ('twice', 'below');
DELETE FROM bundle_member;
INSERT INTO coverage_rule (term_id, name, effect, condition, during) VALUES (3, 'of that name', 'include', $$asset_tag = 'twice'$$, '(,)');
INSERT INTO inclusion (term_id, listed_as, during) VALUES (2, 'twice', '(,)');
SELECT is(pg_temp.listed('duplicate_cover'), 'error twice C-2 contract:3 [0,300]', 'twice: by a rule');
UPDATE coverage_rule SET during = pg_temp.days(-9, 0);
DELETE FROM inclusion WHERE listed_as = 'twice';
UPDATE setting SET duplicates_allowed = false;

-- cover_gap: over all terms; less what was let go on purpose by the term before; in life only.
SELECT pg_temp.register('gap');
INSERT INTO inclusion (term_id, listed_as, during) VALUES (1, 'gap', pg_temp.days(-90, -80)), (1, 'gap', pg_temp.days(-70, -5)), (2, 'gap', pg_temp.days(10, 20)), (2, 'gap', pg_temp.days(30, 40));
SELECT is(pg_temp.listed('cover_gap'), concat_ws(E'\n', format('warning gap %s [-4,9]', to_char(pg_temp.day(-4), 'YYYY-MM-DD')), format('warning gap %s [21,29]', to_char(pg_temp.day(21), 'YYYY-MM-DD'))), 'gap: two, and one that is over');
SELECT is((SELECT message FROM _finding_cover_gap ORDER BY first_day LIMIT 1), format('Asset gap is not covered %s to %s: cover by contract C-1 ends before, cover by contract C-2 begins after.', to_char(pg_temp.day(-4), 'YYYY-MM-DD'), to_char(pg_temp.day(9), 'YYYY-MM-DD')), 'in words');
UPDATE inclusion SET during = pg_temp.days(21, 40) WHERE listed_as = 'gap' AND lower(during) = pg_temp.day(30);
SELECT is(pg_temp.listed('cover_gap'), format('warning gap %s [-4,9]', to_char(pg_temp.day(-4), 'YYYY-MM-DD')), 'gap: closed by another line');

UPDATE contract SET suspensions = datemultirange(pg_temp.days(-2, 0)) WHERE number = 'C-1';
SELECT is(pg_temp.listed('cover_gap'), format('warning gap %s [1,9]', to_char(pg_temp.day(1), 'YYYY-MM-DD')), 'gap: a suspension divides it; what is before today is over');
INSERT INTO inclusion (term_id, listed_as, effect, during) VALUES (2, 'gap', 'exclude', pg_temp.days(1, 9));
SELECT is(pg_temp.listed('cover_gap'), format('warning gap %s [1,9]', to_char(pg_temp.day(1), 'YYYY-MM-DD')), 'gap: carved out of the term that comes after');
INSERT INTO inclusion (term_id, listed_as, effect, during) VALUES (1, 'gap', 'exclude', pg_temp.days(1, 3));
SELECT is(pg_temp.listed('cover_gap'), format('warning gap %s [4,9]', to_char(pg_temp.day(4), 'YYYY-MM-DD')), 'gap: carved out of the term before');
INSERT INTO coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'no gaps', 'exclude', $$asset_tag = 'gap'$$, pg_temp.days(0, 4));
SELECT is(pg_temp.listed('cover_gap'), format('warning gap %s [5,9]', to_char(pg_temp.day(5), 'YYYY-MM-DD')), 'gap: carved out by a rule');
UPDATE asset SET out_of_service = datemultirange(pg_temp.days(6, 7)) WHERE asset_tag = 'gap';
SELECT is(pg_temp.listed('cover_gap'), concat_ws(E'\n', format('warning gap %s [5,5]', to_char(pg_temp.day(5), 'YYYY-MM-DD')), format('warning gap %s [8,9]', to_char(pg_temp.day(8), 'YYYY-MM-DD'))), 'gap: out of service within');
UPDATE asset SET out_of_service = datemultirange(pg_temp.days(5, 9)) WHERE asset_tag = 'gap';
SELECT is(pg_temp.listed('cover_gap'), 'nothing', 'gap: not in life');
UPDATE asset SET out_of_service = '{}' WHERE asset_tag = 'gap';
UPDATE contract SET suspensions = '{}' WHERE number = 'C-1';
DELETE FROM inclusion WHERE listed_as = 'gap';

-- orphaned_member: on some day from today on the primary has ended, and the member is alone.
SELECT pg_temp.register('primary'), pg_temp.register('member');
INSERT INTO bundle (name, primary_asset_id) SELECT 'P', asset_id FROM asset WHERE asset_tag = 'primary';
INSERT INTO bundle_member (bundle_id, asset_id, during) SELECT bundle_id, asset_id, pg_temp.days(-100, 100) FROM bundle, asset WHERE name = 'P' AND asset_tag = 'member';
UPDATE asset SET decommissioned_on = pg_temp.day(20) WHERE asset_tag = 'primary';
SELECT is(pg_temp.listed('orphaned_member'), 'nothing', 'member: the primary was never covered');
INSERT INTO inclusion (term_id, listed_as, during) VALUES (1, 'primary', '(,)');
SELECT is(pg_temp.listed('orphaned_member'), 'warning member [21,100]', 'member: the primary ends before the membership');
INSERT INTO inclusion (term_id, listed_as, during) VALUES (2, 'member', pg_temp.days(15, 30));
SELECT is(pg_temp.listed('orphaned_member'), 'warning member [31,100]', 'member: for a while covered by itself');
UPDATE bundle_member SET during = pg_temp.days(-100, 30);
SELECT is(pg_temp.listed('orphaned_member'), 'nothing', 'member: as long as it is one');
UPDATE bundle_member SET during = '(,)';
UPDATE asset SET decommissioned_on = pg_temp.day(-40) WHERE asset_tag = 'primary';
SELECT is(pg_temp.listed('orphaned_member'), 'warning member [-39,14]', 'member: since a day that is over');
UPDATE asset SET decommissioned_on = pg_temp.day(30) WHERE asset_tag = 'member';
UPDATE inclusion SET during = pg_temp.days(-50, 30) WHERE listed_as = 'member';
SELECT is(pg_temp.listed('orphaned_member'), 'nothing', 'member: covered to its end');
DELETE FROM bundle_member;

-- served_while_uncovered: by the contract's own calendar; only of what is covered at some time.
SELECT pg_temp.register('served');
INSERT INTO service_request (asset_id, opened_at) SELECT asset_id, pg_temp.day(-10)::timestamp AT TIME ZONE 'UTC' + interval '23:30' FROM asset WHERE asset_tag = 'served';
SELECT is(pg_temp.listed('served_while_uncovered'), 'nothing', 'served: never covered');
INSERT INTO inclusion (term_id, listed_as, during) VALUES (1, 'served', daterange(pg_temp.day(-9), NULL));
SELECT is(pg_temp.listed('served_while_uncovered'), 'warning served request:1 [-10,', 'served: half an hour too early');
UPDATE contract SET time_zone = 'Europe/Berlin' WHERE number = 'C-1';
SELECT is(pg_temp.listed('served_while_uncovered'), 'nothing', 'served: in Berlin it was the next day');
UPDATE contract SET time_zone = 'UTC' WHERE number = 'C-1';
UPDATE service_request SET opened_at = opened_at + interval '30 min';
SELECT is(pg_temp.listed('served_while_uncovered'), 'nothing', 'served: on the first day of cover');

-- no_commissioning_date
SELECT pg_temp.register('undated');
INSERT INTO inclusion (term_id, listed_as, during) VALUES (1, 'undated', pg_temp.days(0, 9));
UPDATE asset SET commissioned_on = NULL WHERE asset_tag = 'undated';
SELECT is(pg_temp.listed('no_commissioning_date'), 'info undated', 'undated: covered today');
UPDATE inclusion SET during = pg_temp.days(1, 9) WHERE listed_as = 'undated';
SELECT is(pg_temp.listed('no_commissioning_date'), 'nothing', 'undated: from tomorrow on');
UPDATE inclusion SET during = pg_temp.days(0, 9) WHERE listed_as = 'undated';
UPDATE asset SET status = 'planned' WHERE asset_tag = 'undated';
SELECT is(pg_temp.listed('no_commissioning_date'), 'nothing', 'undated: planned, so covered by nothing');
UPDATE asset SET status = 'in_service' WHERE asset_tag = 'undated';
UPDATE asset SET commissioned_on = pg_temp.day(0) WHERE asset_tag = 'undated';
SELECT is(pg_temp.listed('no_commissioning_date'), 'nothing', 'undated: somebody has said it');

-- ends_before_decommissioning: 1 to 365 days.
SELECT pg_temp.register('short');
UPDATE asset SET decommissioned_on = pg_temp.day(301) WHERE asset_tag = 'short';
SELECT is(pg_temp.listed('ends_before_decommissioning'), 'nothing', 'short: never covered');
INSERT INTO inclusion (term_id, listed_as, during) VALUES (1, 'short', '(,)');
SELECT is(pg_temp.listed('ends_before_decommissioning'), 'info short [301,301]', 'short: by a day');
UPDATE asset SET decommissioned_on = pg_temp.day(665) WHERE asset_tag = 'short';
SELECT is(pg_temp.listed('ends_before_decommissioning'), 'info short [301,665]', 'short: by 365');
UPDATE asset SET decommissioned_on = pg_temp.day(666) WHERE asset_tag = 'short';
SELECT is(pg_temp.listed('ends_before_decommissioning'), 'nothing', 'short: by more');
UPDATE setting SET decommission_window_days = 366;
SELECT is(pg_temp.listed('ends_before_decommissioning'), 'info short [301,666]', 'short: as the setting says');
UPDATE setting SET decommission_window_days = 2147483647;
SELECT is(pg_temp.listed('ends_before_decommissioning'), 'info short [301,666]', 'short: however long that is');
UPDATE setting SET decommission_window_days = 365;
UPDATE asset SET decommissioned_on = pg_temp.day(300) WHERE asset_tag = 'short';
SELECT is(pg_temp.listed('ends_before_decommissioning'), 'nothing', 'short: covered to the end');
UPDATE asset SET decommissioned_on = pg_temp.day(-1) WHERE asset_tag = 'short';
UPDATE inclusion SET during = pg_temp.days(-30, -20) WHERE listed_as = 'short';
SELECT is(pg_temp.listed('ends_before_decommissioning'), 'nothing', 'short: it is over');
UPDATE asset SET decommissioned_on = pg_temp.day(0) WHERE asset_tag = 'short';
SELECT is(pg_temp.listed('ends_before_decommissioning'), 'info short [-19,0]', 'short: today is its last');

-- expiring
INSERT INTO contract (number, customer_id, status, during) VALUES ('E-1', 1, 'active', pg_temp.days(-300, 90));
SELECT is(pg_temp.listed('expiring'), 'info E-1 [0,90]', 'expiring: in 90 days');
UPDATE contract SET during = pg_temp.days(-300, 91) WHERE number = 'E-1';
SELECT is(pg_temp.listed('expiring'), 'nothing', 'expiring: in 91');
UPDATE contract SET during = pg_temp.days(-300, 0) WHERE number = 'E-1';
SELECT is(pg_temp.listed('expiring'), 'info E-1 [-90,0]', 'expiring: today');
UPDATE contract SET during = pg_temp.days(-300, -1) WHERE number = 'E-1';
SELECT is(pg_temp.listed('expiring'), 'nothing', 'expiring: expired');
UPDATE contract SET during = pg_temp.days(-300, 9) WHERE number = 'E-1';
INSERT INTO contract (number, customer_id, during, predecessor_id) SELECT 'E-2', 1, pg_temp.days(10, 400), contract_id FROM contract WHERE number = 'E-1';
SELECT is(pg_temp.listed('expiring'), 'info E-1 [-81,9]', 'expiring: its successor is a draft');
UPDATE contract SET status = 'active' WHERE number = 'E-2';
SELECT is(pg_temp.listed('expiring'), 'nothing', 'expiring: renewed');
UPDATE contract SET predecessor_id = NULL WHERE number = 'E-2';
UPDATE setting SET expiry_notice_days = 2147483647;
SELECT is((SELECT count(*) FROM _finding_expiring), 5::bigint, 'however long the notice is');
UPDATE setting SET expiry_notice_days = 90;
UPDATE contract SET during = daterange(lower(during), NULL) WHERE number = 'E-1';
SELECT is(pg_temp.listed('expiring'), 'nothing', 'expiring: it has no end');

-- no_location, covered_outside_boundary
SELECT pg_temp.register('place');
UPDATE asset SET location = NULL WHERE asset_tag = 'place';
INSERT INTO contract (number, customer_id, during, boundary) VALUES ('L-1', 1, pg_temp.days(-300, 300), ST_Multi(ST_MakeEnvelope(0, 40, 10, 50, 4326)));
INSERT INTO coverage_term (contract_id, number, during) SELECT contract_id, '1', '(,)' FROM contract WHERE number = 'L-1';
SELECT is(pg_temp.listed('no_location'), 'nothing', 'place: on no list');
INSERT INTO inclusion (term_id, listed_as, during) SELECT find_term('L-1'), 'place', pg_temp.days(5, 9);
SELECT is(pg_temp.listed('no_location'), 'warning place L-1', 'place: listed by a draft, for days to come');
SELECT is((SELECT message FROM _finding_no_location), 'Nobody has said where asset place is, which contract L-1 lists within its boundary only.', 'in words');
UPDATE inclusion SET effect = 'exclude' WHERE listed_as = 'place';
SELECT is(pg_temp.listed('no_location'), 'nothing', 'place: a carve-out lists nothing');
UPDATE inclusion SET effect = 'include', during = pg_temp.days(-5, -1) WHERE listed_as = 'place';
SELECT is(pg_temp.listed('no_location'), 'nothing', 'place: no more');
UPDATE inclusion SET during = pg_temp.days(-5, 0) WHERE listed_as = 'place';
UPDATE contract SET status = 'active' WHERE number = 'L-1';
SELECT is((SELECT message FROM _finding_no_location), 'Nobody has said where asset place is, which contract L-1 covers within its boundary only.', 'place: covered today');
SELECT is(pg_temp.listed('covered_outside_boundary'), 'nothing', 'place: nowhere is not outside');
UPDATE asset SET location = ST_Point(10, 50, 4326) WHERE asset_tag = 'place';
SELECT is(pg_temp.listed('no_location') || pg_temp.listed('covered_outside_boundary'), 'nothingnothing', 'place: at the corner is inside');
UPDATE asset SET location = ST_Point(10, 50.001, 4326) WHERE asset_tag = 'place';
SELECT is(pg_temp.listed('covered_outside_boundary'), 'warning place L-1', 'place: outside');
UPDATE inclusion SET during = pg_temp.days(1, 9) WHERE listed_as = 'place';
SELECT is(pg_temp.listed('covered_outside_boundary'), 'nothing', 'place: from tomorrow on');
UPDATE inclusion SET during = pg_temp.days(0, 9) WHERE listed_as = 'place';
UPDATE contract SET boundary = NULL WHERE number = 'L-1';
SELECT is(pg_temp.listed('covered_outside_boundary'), 'nothing', 'place: there is no boundary');

-- customer_mismatch: by the roots of both.
SELECT is(pg_temp.listed('customer_mismatch'), 'nothing', 'place: with its own customer');
UPDATE asset SET customer_id = 4 WHERE asset_tag = 'place';
SELECT is(pg_temp.listed('customer_mismatch'), 'warning place L-1', 'place: with another');
SELECT is((SELECT message FROM _finding_customer_mismatch), 'Contract L-1 of Acme covers asset place, which stands at Other.', 'in words');
UPDATE asset SET customer_id = 3 WHERE asset_tag = 'place';
SELECT is(pg_temp.listed('customer_mismatch'), 'nothing', 'place: with a company that belongs to it');
UPDATE contract SET customer_id = 2 WHERE number = 'L-1';
SELECT is(pg_temp.listed('customer_mismatch'), 'nothing', 'place: with one that belongs to the contract''s');
UPDATE customer SET parent_id = 4 WHERE customer_id = 3;
SELECT is(pg_temp.listed('customer_mismatch'), 'warning place L-1', 'place: which is sold');
UPDATE customer SET parent_id = NULL WHERE customer_id = 3;
UPDATE asset SET customer_id = NULL WHERE asset_tag = 'place';
SELECT is(pg_temp.listed('customer_mismatch'), 'nothing', 'place: with nobody');

SELECT * FROM finish();
