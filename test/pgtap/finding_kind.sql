-- Kinds of findings: for each, what people state that makes its view list a row, and what makes it go; what every view is; that none
-- reads a register, a list or a cover whole for a few assets or contracts. Days are said by their distance from today.
SET client_min_messages = warning;
SET search_path = fleet, public, pg_temp;
SELECT cec.create_portfolio('fleet');
SELECT no_plan();

-- Every view has the columns that the engine reads, and every kind that hears of something its view.
SELECT is((SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, NULL), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = ('_finding_' || k.kind)::regclass AND a.attnum > 0),
	'severity text, asset_id bigint, other_asset_id bigint, contract_id bigint, term_id bigint, rule_id bigint, subject text, first_day date, last_day date, detail jsonb, message text', k.kind || ': columns')
FROM cec.finding_kind k WHERE k.hears <> '{}' ORDER BY k.kind;
SELECT set_eq($$SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'fleet'::regnamespace AND c.relname LIKE '\_finding\_%'$$, $$SELECT '_finding_' || kind FROM cec.finding_kind WHERE hears <> '{}'$$, 'and no others');
SELECT is_empty($$SELECT kind FROM cec.finding_kind WHERE meaning !~ '^[A-Z].*[.]$'$$, 'each kind has a sentence');

CREATE FUNCTION pg_temp.day(distance integer) RETURNS date LANGUAGE sql AS $$ SELECT cec.today('fleet') + distance $$;
CREATE FUNCTION pg_temp.days(first_day integer, last_day integer) RETURNS daterange LANGUAGE sql AS
$$ SELECT daterange(pg_temp.day(first_day), pg_temp.day(last_day), '[]') $$;
-- What a view lists: a line a row, of severity, what the row names and its days.
CREATE FUNCTION pg_temp.listed(kind text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; said text;
BEGIN
	EXECUTE format($query$
		SELECT string_agg(concat_ws(' ', f.severity, a.asset_tag, o.asset_tag, c.number, t.number, nullif(f.subject, ''),
			'[' || (f.first_day - pg_temp.day(0)) || ',' || coalesce(f.last_day - pg_temp.day(0) || ']', '')), E'\n' ORDER BY a.asset_tag, o.asset_tag, c.number, t.number, f.subject)
		FROM %I f LEFT JOIN asset a USING (asset_id) LEFT JOIN asset o ON o.asset_id = f.other_asset_id
			LEFT JOIN contract c USING (contract_id) LEFT JOIN coverage_term t USING (term_id)
		$query$, '_finding_' || kind) INTO result;
	-- Whatever is listed says so in a sentence, which names the asset and the contract, and has the severity of its kind.
	EXECUTE format($query$
		SELECT E'but: ' || f.message FROM %I f LEFT JOIN asset a USING (asset_id) LEFT JOIN contract c USING (contract_id) JOIN cec.finding_kind k ON k.kind = %L
		WHERE f.message !~ '^[A-Z].*[.]$' OR strpos(f.message, coalesce(a.asset_tag, '')) = 0 AND a.asset_tag IS NOT NULL
			OR strpos(f.message, c.number) = 0 OR f.severity <> k.severity OR f.subject IS NULL OR f.detail IS NULL LIMIT 1
		$query$, '_finding_' || kind, kind) INTO said;
	RETURN coalesce(said, result, 'nothing');
END $$;


INSERT INTO customer (name, parent_id) VALUES ('Acme', NULL), ('Acme North', 1), ('Acme Far North', 2), ('Other', NULL);
INSERT INTO contract (number, customer_id, status, during) SELECT 'C-' || g, 1, 'active', pg_temp.days(-300, 300) FROM generate_series(1, 4) g;
INSERT INTO coverage_term (contract_id, number, during) SELECT g, '1', '(,)' FROM generate_series(1, 4) g;
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
UPDATE inclusion SET during = pg_temp.days(20, 30) WHERE listed_as = 'starts';
UPDATE asset SET commissioned_on = pg_temp.day(40) WHERE asset_tag = 'starts';
SELECT is(pg_temp.listed('starts_before_commissioning'), 'info starts C-1 1 [20,30]', 'starts: no further than its line');
UPDATE asset SET commissioned_on = pg_temp.day(-299) WHERE asset_tag = 'starts';
UPDATE inclusion SET during = daterange(pg_temp.day(-299), NULL) WHERE listed_as = 'starts';

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
INSERT INTO coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'as it comes', 'include', $$category = 'ruled'$$, '(,)');
INSERT INTO asset (asset_tag, customer_id, category, location) VALUES ('as it comes', 1, 'ruled', ST_Point(10, 50, 4326)), ('not ruled', 1, NULL, ST_Point(10, 50, 4326));
SELECT is(pg_temp.listed('no_commissioning_date'), 'info as it comes', 'undated: covered by a rule as it is registered');
UPDATE coverage_rule SET during = pg_temp.days(-9, -1) WHERE name = 'as it comes';
DELETE FROM asset WHERE asset_tag = 'not ruled';
UPDATE asset SET commissioned_on = pg_temp.day(0) WHERE asset_tag = 'as it comes';

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
SELECT is((SELECT count(*) FROM _finding_expiring), 6::bigint, 'however long the notice is');
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

-- uncovered_in_boundary: on days on which the contract runs, of assets in service of its own customer alone, the carved-out ones aside.
SELECT pg_temp.register('near');
UPDATE asset SET location = ST_Point(5, 45, 4326) WHERE asset_tag = 'near';
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'nothing', 'near: nobody has drawn a boundary');
UPDATE contract SET customer_id = 1, status = 'draft', boundary = ST_Multi(ST_MakeEnvelope(0, 40, 5, 45, 4326)) WHERE number = 'L-1';
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'nothing', 'near: nor does a draft count');
UPDATE contract SET status = 'active' WHERE number = 'L-1';
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'warning near L-1', 'near: at the corner');
SELECT is((SELECT message FROM _finding_uncovered_in_boundary), 'Asset near of Acme stands inside the boundary of contract L-1, which does not cover it.', 'in words');
UPDATE contract SET status = 'terminated' WHERE number = 'L-1';
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'warning near L-1', 'near: terminated, but it runs today');
UPDATE contract SET during = pg_temp.days(-300, -1) WHERE number = 'L-1';
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'nothing', 'near: it has ended');
UPDATE contract SET during = pg_temp.days(-300, 300), suspensions = datemultirange(pg_temp.days(0, 0)) WHERE number = 'L-1';
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'nothing', 'near: suspended today');
UPDATE contract SET suspensions = '{}' WHERE number = 'L-1';
UPDATE asset SET out_of_service = datemultirange(pg_temp.days(0, 0)) WHERE asset_tag = 'near';
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'nothing', 'near: out of service today');
UPDATE asset SET out_of_service = '{}', customer_id = 4 WHERE asset_tag = 'near';
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'nothing', 'near: another customer''s');
UPDATE asset SET customer_id = 3 WHERE asset_tag = 'near';
UPDATE customer SET parent_id = 2 WHERE customer_id = 3;
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'warning near L-1', 'near: of a company two steps below');
UPDATE contract SET customer_id = 2 WHERE number = 'L-1';
UPDATE asset SET customer_id = 1 WHERE asset_tag = 'near';
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'warning near L-1', 'near: of one above');
INSERT INTO inclusion (term_id, listed_as, effect, during) SELECT find_term('L-1'), 'near', 'exclude', pg_temp.days(0, 0);
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'nothing', 'near: carved out today');
UPDATE inclusion SET during = pg_temp.days(1, 9) WHERE listed_as = 'near';
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'warning near L-1', 'near: carved out from tomorrow on');
DELETE FROM inclusion WHERE listed_as = 'near';
INSERT INTO inclusion (term_id, listed_as, during) SELECT find_term('L-1'), 'near', pg_temp.days(5, 9);
INSERT INTO coverage_rule (term_id, name, effect, condition, during) SELECT find_term('L-1'), 'not this one', 'exclude', $$asset_tag = 'near'$$, '(,)';
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'nothing', 'near: carved out by a rule');
UPDATE coverage_rule SET condition = $$asset_tag = 'somewhere else'$$ WHERE name = 'not this one';
INSERT INTO inclusion (term_id, listed_as, during) VALUES (1, 'near', '(,)');
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'warning near L-1', 'near: covered by another contract');
UPDATE setting SET duplicates_allowed = true;
INSERT INTO inclusion (term_id, listed_as, during) SELECT find_term('L-1'), 'near', pg_temp.days(-9, 0);
SELECT is(pg_temp.listed('uncovered_in_boundary'), 'nothing', 'near: covered by it');
UPDATE contract SET status = 'draft' WHERE number = 'L-1';

-- covered_not_deployed: of a contract of which somebody has seen another asset; by the calendar of the portfolio.
SELECT pg_temp.register('seen'), pg_temp.register('unseen');
INSERT INTO inclusion (term_id, listed_as, during) SELECT 4, t, '(,)' FROM unnest('{seen,unseen}'::text[]) t;
SELECT is(pg_temp.listed('covered_not_deployed'), 'nothing', 'unseen: nobody looks at all');
INSERT INTO field_observation (asset_id, seen_tag, observed_at) SELECT asset_id, asset_tag, pg_temp.day(-365)::timestamp AT TIME ZONE 'UTC' FROM asset WHERE asset_tag = 'seen';
SELECT is(pg_temp.listed('covered_not_deployed'), 'warning unseen C-4', 'unseen: another was, 365 days ago');
SELECT is((SELECT message FROM _finding_covered_not_deployed), 'Contract C-4 covers asset unseen, which nobody has seen for 365 days, while others were seen.', 'in words');
UPDATE field_observation SET observed_at = observed_at - interval '1 us';
SELECT is(pg_temp.listed('covered_not_deployed'), 'nothing', 'unseen: that was too long ago');
UPDATE setting SET observation_days = 366;
SELECT is(pg_temp.listed('covered_not_deployed'), 'warning unseen C-4', 'unseen: as the setting says');
UPDATE setting SET observation_days = 2147483647;
SELECT is(pg_temp.listed('covered_not_deployed'), 'warning unseen C-4', 'unseen: however long that is');
UPDATE setting SET observation_days = 365;
UPDATE field_observation SET observed_at = (pg_temp.day(1))::timestamp AT TIME ZONE 'UTC';
SELECT is(pg_temp.listed('covered_not_deployed'), 'nothing', 'unseen: tomorrow has not been');
UPDATE field_observation SET observed_at = (pg_temp.day(0))::timestamp AT TIME ZONE 'UTC';
UPDATE inclusion SET during = pg_temp.days(-9, -1) WHERE listed_as = 'seen';
SELECT is(pg_temp.listed('covered_not_deployed'), 'nothing', 'unseen: the other is covered no more');
UPDATE inclusion SET during = '(,)' WHERE listed_as = 'seen';
INSERT INTO field_observation (asset_id, observed_at) SELECT asset_id, pg_temp.day(-3)::timestamp AT TIME ZONE 'UTC' FROM asset WHERE asset_tag = 'unseen';
SELECT is(pg_temp.listed('covered_not_deployed'), 'nothing', 'unseen: seen, too');
DELETE FROM field_observation;

-- country_mismatch
SELECT pg_temp.register('abroad');
UPDATE asset SET location = ST_Point(31, 41, 4326) WHERE asset_tag = 'abroad';
INSERT INTO jurisdiction (country, name, boundary) VALUES ('AT', 'Austria', ST_Multi(ST_MakeEnvelope(30, 40, 32, 42, 4326)));
SELECT is(pg_temp.listed('country_mismatch'), 'nothing', 'abroad: the register says no country');
UPDATE asset SET country = 'DE' WHERE asset_tag = 'abroad';
SELECT is(pg_temp.listed('country_mismatch'), 'info abroad', 'abroad: it says another');
SELECT is((SELECT message FROM _finding_country_mismatch), 'Asset abroad is registered in DE, but stands in AT.', 'in words');
INSERT INTO jurisdiction (country, name, boundary) VALUES ('DE', 'Germany', ST_Multi(ST_MakeEnvelope(31, 41, 33, 43, 4326)));
SELECT is(pg_temp.listed('country_mismatch'), 'nothing', 'abroad: on the border of both');
UPDATE asset SET location = ST_Point(31, 40.9, 4326) WHERE asset_tag = 'abroad';
SELECT is(pg_temp.listed('country_mismatch'), 'info abroad', 'abroad: beyond it');
UPDATE asset SET location = ST_Point(1, 1, 4326) WHERE asset_tag = 'abroad';
SELECT is(pg_temp.listed('country_mismatch'), 'nothing', 'abroad: nobody says whose that is');

-- not_in_register, identifier_ambiguous: lines of amendments that are not applied, both identifiers of a swap, and tags that were seen; an
-- identifier names what it names today.
INSERT INTO amendment (contract_id, title) VALUES (1, 'Spring');
INSERT INTO amendment_line (amendment_id, action, identifier, term_id, successor_identifier) VALUES (1, 'swap', 'typed', 1, 'typed too'), (1, 'include', 'typed', NULL, NULL);
SELECT is(pg_temp.listed('not_in_register'), E'error C-1 1 line:1:typed\nerror C-1 1 line:1:typed too\nerror C-1 line:2:typed', 'typed: both of a swap, and another line');
SELECT is((SELECT message FROM _finding_not_in_register WHERE subject = 'line:2:typed'), 'Amendment Spring of contract C-1 names typed, and no asset of the register is called so.', 'in words');
SELECT pg_temp.register('typed');
SELECT is(pg_temp.listed('not_in_register'), 'error C-1 1 line:1:typed too', 'typed: it has come');
INSERT INTO asset_identifier (asset_id, scheme, value, during) SELECT asset_id, 'old', 'typed too', pg_temp.days(-9, -1) FROM asset WHERE asset_tag = 'typed';
SELECT is(pg_temp.listed('not_in_register'), 'error C-1 1 line:1:typed too', 'typed too: a name of the past');
UPDATE asset_identifier SET during = pg_temp.days(-9, 0) WHERE value = 'typed too';
SELECT is(pg_temp.listed('not_in_register'), 'nothing', 'typed too: a name of today');
SELECT is(pg_temp.listed('identifier_ambiguous'), 'nothing', 'typed: each names one');
SELECT pg_temp.register('typed three');
UPDATE asset SET serial_number = 'typed' WHERE asset_tag = 'typed three';
SELECT is(pg_temp.listed('identifier_ambiguous'), E'error C-1 1 line:1:typed\nerror C-1 line:2:typed', 'typed: it names two');
SELECT is((SELECT message FROM _finding_identifier_ambiguous WHERE subject = 'line:2:typed'), 'Amendment Spring of contract C-1 names typed, and 2 assets of the register are called so.', 'in words');
SELECT cancel_amendment(1) \g /dev/null
SELECT is(pg_temp.listed('identifier_ambiguous'), 'nothing', 'typed: in an amendment that is cancelled');
INSERT INTO amendment (contract_id, title) VALUES (1, 'Summer');
INSERT INTO amendment_line (amendment_id, action, identifier) VALUES (2, 'include', 'typed');
SELECT is(pg_temp.listed('identifier_ambiguous'), 'error C-1 line:3:typed', 'typed: in another amendment');
DELETE FROM amendment_line WHERE amendment_id = 2;
SELECT is(pg_temp.listed('identifier_ambiguous'), 'nothing', 'typed: no more');
INSERT INTO field_observation (seen_tag, observed_at, source) VALUES ('typed', pg_temp.day(-5)::timestamp AT TIME ZONE 'UTC', 'scan'), ('found', pg_temp.day(-4)::timestamp AT TIME ZONE 'UTC', 'scan'),
	('found', pg_temp.day(-3)::timestamp AT TIME ZONE 'UTC', 'walk');
SELECT is(pg_temp.listed('not_in_register'), 'error seen:found [-4,', 'found: seen twice, and said once');
SELECT is((SELECT message FROM _finding_not_in_register), 'Somebody saw the tag found, and no asset of the register is called so.', 'in words');
SELECT is(pg_temp.listed('identifier_ambiguous'), 'error seen:typed [-5,', 'typed: seen');
UPDATE asset SET asset_tag = 'found' WHERE asset_tag = 'typed three';
SELECT is(pg_temp.listed('not_in_register'), 'nothing', 'found: it is one of ours');
UPDATE asset SET serial_number = NULL WHERE asset_tag = 'found';
SELECT is(pg_temp.listed('identifier_ambiguous'), 'nothing', 'typed: it names one');
DELETE FROM field_observation;

-- tag_not_scannable: on a line that counts, or named in an amendment that is not applied, by whatever name.
SELECT pg_temp.register('wörn');
SELECT is(pg_temp.listed('tag_not_scannable'), 'nothing', 'worn: on no list');
INSERT INTO inclusion (term_id, listed_as, effect, during) VALUES (2, 'wörn', 'exclude', pg_temp.days(0, 9));
SELECT is(pg_temp.listed('tag_not_scannable'), 'warning wörn', 'worn: on a line, be it a carve-out');
SELECT is((SELECT message FROM _finding_tag_not_scannable), 'The tag of asset wörn cannot be scanned: "ö" is not ASCII, and readers differ in what they make of it.', 'in words');
UPDATE inclusion SET during = pg_temp.days(-9, -1) WHERE listed_as = 'wörn';
SELECT is(pg_temp.listed('tag_not_scannable'), 'nothing', 'worn: on a line that has ended');
INSERT INTO amendment_line (amendment_id, action, identifier, successor_identifier) VALUES (2, 'swap', 'typed', 'W-77');
UPDATE asset SET serial_number = 'W-77' WHERE asset_tag = 'wörn';
SELECT is(pg_temp.listed('tag_not_scannable'), 'warning wörn', 'worn: named by its serial number');
UPDATE asset SET asset_tag = 'worn' WHERE asset_tag = 'wörn';
SELECT is(pg_temp.listed('tag_not_scannable'), 'nothing', 'worn: with a new tag');
UPDATE asset SET tag_symbology = 'code39' WHERE asset_tag = 'worn';
SELECT is(pg_temp.listed('tag_not_scannable'), 'warning worn', 'worn: in another symbology');
UPDATE amendment_line SET action = 'remove', identifier = 'W-77', successor_identifier = NULL, term_id = (SELECT min(term_id) FROM coverage_term WHERE contract_id = 1)
	WHERE amendment_id = 2;
SELECT submit_amendment(2), approve_amendment(2) \g /dev/null
SELECT is(pg_temp.listed('tag_not_scannable'), 'warning worn', 'worn: approved');
SELECT * FROM apply_amendment(2) \g /dev/null
SELECT is(pg_temp.listed('tag_not_scannable'), 'nothing', 'worn: applied');

-- duplicate_in_register: by key, of five characters or more, and manufacturer; of more than twenty each by itself.
INSERT INTO asset (asset_tag, serial_number, manufacturer, model) VALUES ('DUP-01', NULL, 'M', 'a'), ('X-1', 'dup O1', NULL, 'a'), ('D.U.P.0-L', 'X', 'N', 'a'), ('UP-1', 'UP.1', 'M', 'a'), ('U-P-I', NULL, 'M', 'b');
SELECT is(pg_temp.listed('duplicate_in_register'), E'warning DUP-01 X-1\nwarning X-1 D.U.P.0-L', 'dup: three of one key, two of which have manufacturers that differ; a short key is none');
SELECT is((SELECT message FROM _finding_duplicate_in_register ORDER BY asset_id, other_asset_id LIMIT 1), 'Assets DUP-01 and X-1 may be one: tag or serial number of both are like DUP01.', 'in words');
UPDATE asset SET manufacturer = 'M' WHERE asset_tag = 'X-1';
SELECT is(pg_temp.listed('duplicate_in_register'), 'warning DUP-01 X-1', 'dup: the manufacturer is known');
UPDATE asset SET serial_number = 'dup O2' WHERE asset_tag = 'X-1';
SELECT is(pg_temp.listed('duplicate_in_register'), 'nothing', 'dup: and the number mended');
INSERT INTO asset (asset_tag, serial_number, model) SELECT 'N-' || g, 'unknown', g FROM generate_series(1, 20) g;
SELECT is((SELECT count(*) FROM _finding_duplicate_in_register WHERE other_asset_id IS NOT NULL), 190::bigint, 'unknown: twenty, each with each');
INSERT INTO asset (asset_tag, serial_number) VALUES ('UNKN-OWN', 'Unknown');
SELECT is((SELECT format('%s %s %s', count(*), count(other_asset_id), min(detail ->> 'assets')) FROM _finding_duplicate_in_register), '21 0 21', 'unknown: twenty-one, each by itself');
SELECT is((SELECT message FROM _finding_duplicate_in_register ORDER BY asset_id LIMIT 1), 'Asset N-1 is one of 21 assets of which tag or serial number are like UNKN0WN.', 'in words');
UPDATE asset SET serial_number = NULL WHERE serial_number = 'unknown';
SELECT is(pg_temp.listed('duplicate_in_register'), 'nothing', 'unknown: nobody says so');

SELECT * FROM finish();
