-- What follows from assets that a sync retires: drafts of amendments, one for each contract and run, that swap or remove what runs on.
SELECT no_plan();
SET client_min_messages = warning;
CREATE ROLE regress_owner;
CREATE ROLE regress_registry;
CREATE ROLE regress_manager;
GRANT CREATE ON DATABASE :"DBNAME" TO regress_owner;
SELECT cec.create_portfolio('fleet', 'regress_owner') \g /dev/null
SELECT cec.grant_access('fleet', 'regress_registry', 'registry'), cec.grant_access('fleet', 'regress_manager', 'manager') \g /dev/null
GRANT USAGE ON SCHEMA public TO PUBLIC;
SET search_path = fleet, public;
INSERT INTO asset_source (source) VALUES ('erp'), ('cmms');
INSERT INTO customer (name) VALUES ('Works');
INSERT INTO contract (number, customer_id, status, during) VALUES ('A', 1, 'active', '[2020-01-01,2050-01-01)'), ('B', 1, 'draft', '[2020-01-01,2050-01-01)'), ('V', 1, 'void', '[2020-01-01,2050-01-01)'),
	('O', 1, 'active', '[2020-01-01,2021-01-01)'), ('W', 1, 'active', '[2020-01-01,2050-01-01)');
UPDATE contract SET kind = CASE number WHEN 'W' THEN 'warranty' ELSE 'lease' END WHERE number IN ('W', 'O');
INSERT INTO coverage_term (contract_id, number, during) SELECT contract_id, n, during FROM contract CROSS JOIN unnest('{1,2}'::text[]) AS n WHERE number IN ('A', 'B') OR n = '1';
-- Who has what from a source, and what of it is still there.
CREATE FUNCTION pg_temp.stage(tags text, source text DEFAULT 'erp') RETURNS void LANGUAGE sql AS $$
	INSERT INTO fleet.asset_staging (source, asset_tag, commissioned_on, source_ids)
	SELECT source, split_part(t, ':', 1), '2019-01-01', CASE WHEN t LIKE '%:%' THEN string_to_array(split_part(t, ':', 2), '+') END FROM unnest(string_to_array(tags, ' ')) AS t $$;
CREATE FUNCTION pg_temp.sync(mode text DEFAULT 'snapshot', source text DEFAULT 'erp', dry_run boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', s.outcome, s.assets), ', ') FROM fleet.sync_assets(source, mode, dry_run, 1) AS s WHERE s.assets > 0 AND s.outcome <> 'unchanged' $$;
-- Drafts that are new since this was asked last; days from today.
CREATE TEMPORARY TABLE seen (amendment_id bigint);
CREATE FUNCTION pg_temp.drafts() RETURNS text LANGUAGE sql AS $$
	WITH fresh AS (INSERT INTO pg_temp.seen SELECT m.amendment_id FROM fleet.amendment m WHERE m.amendment_id NOT IN (SELECT amendment_id FROM pg_temp.seen) RETURNING *)
	SELECT string_agg(concat_ws(E'\n', m.title || ' on ' || c.number, (
		SELECT string_agg(concat_ws(' ', ' ', l.action, l.identifier, 'of', t.number, 'from', lower(l.during) - cec.today('fleet'), upper(l.during), 'to ' || l.successor_identifier), E'\n' ORDER BY l.line_id)
		FROM fleet.amendment_line l JOIN fleet.coverage_term t USING (term_id) WHERE l.amendment_id = m.amendment_id)), E'\n' ORDER BY c.number)
	FROM fresh JOIN fleet.amendment m USING (amendment_id) JOIN fleet.contract c USING (contract_id) $$;
GRANT ALL ON pg_temp.seen TO PUBLIC;
SET ROLE regress_registry;
SELECT pg_temp.stage('P-1:1 P-2:2 P-3:3 P-4:4 P-5:5 P-6:6 P-7:7 P-8:8 P-9:9 N-1:n') \g /dev/null
SELECT is(pg_temp.sync(), 'inserted 10', 'ten assets');
SELECT is(pg_temp.drafts(), NULL, 'nothing follows from what is new');
RESET ROLE;
INSERT INTO inclusion (term_id, listed_as, during) SELECT find_term('A', '1'), 'P-' || g, '[2020-01-01,)' FROM generate_series(1, 8) AS g;
INSERT INTO inclusion (term_id, listed_as, during) VALUES (find_term('A', '2'), 'P-1', '[2020-01-01,)'), (find_term('B', '2'), 'P-1', '[2020-01-01,)'), (find_term('V'), 'P-1', '[2020-01-01,)'), (find_term('O'), 'P-1', '[2020-01-01,)'),
	(find_term('W'), 'P-2', '[2020-01-01,)');
INSERT INTO inclusion (term_id, listed_as, effect, during) VALUES (find_term('W'), 'P-1', 'exclude', '[2020-01-01,)');

-- Missing (P-1, and P-9, which is not listed), retagged (P-7), merged: P-2 and P-3 into one that is not on the list, P-4 into one that is.
SET ROLE regress_registry;
SELECT pg_temp.stage('N-1:n+2+3 P-5:5+4 P-6:6 P-7/A:7 P-8:8') \g /dev/null
SELECT is(pg_temp.sync(dry_run => true), 'updated 2, retagged 1, merged 3, retired 2', 'what would become of them');
SELECT is(pg_temp.drafts(), NULL, 'what is only counted has no consequences');
SELECT is(pg_temp.sync(), 'updated 2, retagged 1, merged 3, retired 2', 'what becomes of them');
SELECT is(pg_temp.drafts(), 'assets gone from erp on A
  remove P-1 of 1 from 1
  remove P-1 of 2 from 1
  swap P-2 of 1 from 1 to N-1
  remove P-3 of 1 from 1
  remove P-4 of 1 from 1
assets gone from erp on B
  remove P-1 of 2 from 1
assets gone from erp on W
  swap P-2 of 1 from 1 to N-1', 'drafts of the contracts that are concerned');
SELECT results_eq('SELECT DISTINCT status COLLATE "default", requested_by, reason, requested_at = (SELECT max(started_at) FROM sync_run) FROM amendment',
	$$VALUES ('draft', session_user::text COLLATE "default", 'retired by run 2 of source erp', true)$$, 'as whoever syncs asks for them');
SELECT results_eq('SELECT DISTINCT note FROM amendment_line ORDER BY 1', $$VALUES ('erp has P-1 no more'), ('erp has P-2 as N-1'), ('erp has P-3 as N-1'), ('erp has P-4 as P-5')$$, 'with the reasons');
SELECT pg_temp.stage('N-1:n+2+3 P-5:5+4 P-6:6 P-7/A:7 P-8:8') \g /dev/null
SELECT is(pg_temp.sync(), NULL, 'the same once more');
SELECT is(pg_temp.drafts(), NULL, 'has no consequences');

-- They are ready: applied, they leave no line that runs on.
RESET ROLE;
UPDATE setting SET direct_changes = 'draft_only', four_eyes = true;
SET SESSION AUTHORIZATION regress_manager;
SELECT submit_amendment(amendment_id), approve_amendment(amendment_id) FROM amendment \g /dev/null
SELECT results_eq('SELECT a.status FROM amendment m CROSS JOIN LATERAL apply_amendment(m.amendment_id) AS a', $$VALUES ('applied'), ('applied'), ('applied')$$, 'all of them are applied');
RESET SESSION AUTHORIZATION;
UPDATE setting SET direct_changes = 'allowed', four_eyes = false;
SELECT is((SELECT string_agg(concat_ws(' ', c.number || t.number, a.asset_tag, lower(i.during) - cec.today('fleet'), upper(i.during) - cec.today('fleet')), '; ' ORDER BY c.number, t.number, a.asset_tag)
	FROM inclusion i JOIN asset a USING (asset_id) JOIN coverage_term t USING (term_id) JOIN contract c USING (contract_id) WHERE upper(i.during) <= cec.today('fleet') + 1 OR lower(i.during) > '2020-01-01'),
	'A1 N-1 1; A1 P-1 ' || (date '2020-01-01' - cec.today('fleet')) || ' 1; A1 P-2 ' || (date '2020-01-01' - cec.today('fleet')) || ' 1; A1 P-3 ' || (date '2020-01-01' - cec.today('fleet')) || ' 1; A1 P-4 ' || (date '2020-01-01' - cec.today('fleet')) || ' 1; A2 P-1 ' || (date '2020-01-01' - cec.today('fleet')) || ' 1; B2 P-1 ' || (date '2020-01-01' - cec.today('fleet')) || ' 1; W1 N-1 1; W1 P-2 ' || (date '2020-01-01' - cec.today('fleet')) || ' 1', 'lists are as the drafts say');
SELECT is((SELECT count(*) FROM finding WHERE kind = 'outlives_decommissioning' AND closed_at IS NULL), 1::bigint, 'no line outlives its asset but a carve-out, which covers nothing');
SELECT is_empty('SELECT * FROM verify_coverage()', 'cover is as it is defined');

-- What a source says to be retired, and what it deletes; nothing of what is rejected. An earlier last day stays.
SET ROLE regress_registry;
INSERT INTO asset_staging (source, asset_tag, status, decommissioned_on, is_deleted) VALUES ('erp', 'P-5', 'retired', cec.today('fleet') - 10, NULL), ('erp', 'P-6', NULL, NULL, true), ('erp', 'P-8', 'retired', '2018-01-01', NULL);
SELECT is(pg_temp.sync('delta'), 'updated 1, retired 1, rejected 1', 'one is retired, one deleted, one nonsense');
SELECT is(pg_temp.drafts(), 'assets gone from erp on A
  remove P-5 of 1 from -9
  remove P-6 of 1 from 1', 'two lines');
SELECT is((SELECT string_agg(note, ', ' ORDER BY line_id DESC) FROM amendment_line WHERE amendment_id = (SELECT max(amendment_id) FROM amendment)), 'erp has P-6 no more, erp says that P-5 is retired', 'with the reasons');
-- Back, and gone again: as long as the draft is open nobody needs another one of the same.
INSERT INTO asset_staging (source, asset_tag) VALUES ('erp', 'P-6');
SELECT is(pg_temp.sync('delta'), 'reappeared 1', 'one is back');
INSERT INTO asset_staging (source, asset_tag, is_deleted) VALUES ('erp', 'P-6', true);
SELECT is(pg_temp.sync('delta'), 'retired 1', 'and gone again');
SELECT is(pg_temp.drafts(), NULL, 'which the draft says already');
RESET ROLE;
SELECT cancel_amendment(max(amendment_id)) FROM amendment \g /dev/null
SET ROLE regress_registry;
INSERT INTO asset_staging (source, asset_tag) VALUES ('erp', 'P-6');
SELECT pg_temp.sync('delta') \g /dev/null
INSERT INTO asset_staging (source, asset_tag, is_deleted) VALUES ('erp', 'P-6', true);
SELECT pg_temp.sync('delta') \g /dev/null
SELECT is(pg_temp.drafts(), 'assets gone from erp on A
  remove P-6 of 1 from 1', 'a draft that was cancelled says nothing');

-- Merged later than retired: what is known of it now is another consequence. In one that is retired itself, it is none but its end.
RESET ROLE;
INSERT INTO asset (asset_tag, source, commissioned_on) SELECT 'Q-' || g, 'cmms', '2019-01-01' FROM generate_series(1, 6) AS g;
INSERT INTO asset_identifier (asset_id, scheme, value, during) SELECT asset_id, 'eic', asset_tag, '[2020-01-01,)' FROM asset WHERE asset_tag LIKE 'Q%';
INSERT INTO inclusion (term_id, listed_as, during) SELECT find_term('A', '2'), 'Q-' || g, '[2020-01-01,)' FROM generate_series(1, 4) AS g;
UPDATE asset SET status = 'retired', decommissioned_on = cec.today('fleet') - 5 WHERE asset_tag = 'Q-1';
SET ROLE regress_registry;
INSERT INTO asset_staging (source, asset_tag, identifiers, status, decommissioned_on) VALUES ('cmms', 'Q-5', '{"eic": ["Q-1", "Q-5"]}', NULL, NULL), ('cmms', 'Q-6', '{"eic": ["Q-2", "Q-6"]}', 'retired', '2030-01-01'), ('cmms', 'Q-3', NULL, NULL, NULL), ('cmms', 'Q-4', NULL, NULL, NULL);
SELECT is(pg_temp.sync(source => 'cmms'), 'updated 2, merged 2', 'two are merged');
SELECT is(pg_temp.drafts(), 'assets gone from cmms on A
  swap Q-1 of 2 from -4 to Q-5
  remove Q-2 of 2 from 1', 'one of them into a living one');
-- In batches: one draft of all that a run retires, and one of the next run.
INSERT INTO asset_staging (source, asset_tag, status, decommissioned_on) VALUES ('cmms', 'Q-3', 'retired', cec.today('fleet')), ('cmms', 'Q-5', NULL, NULL), ('cmms', 'Q-6', NULL, NULL);
CALL cec.sync_assets_batched('fleet', 'cmms', 'snapshot', 1, batch_rows => 1);
SELECT is((SELECT count(*) FROM sync_run WHERE batch_no > 0), 3::bigint, 'three batches');
SELECT is(pg_temp.drafts(), 'assets gone from cmms on A
  remove Q-3 of 2 from 1
  remove Q-4 of 2 from 1', 'and one draft');
-- A batch gives Q-5 another model, and the last one an identifier that another asset has until then: one row that is updated.
INSERT INTO asset_staging (source, asset_tag, identifiers) VALUES ('cmms', 'Q-5', NULL), ('cmms', 'Q-6', NULL), ('cmms', 'Q-7', '{"eic": ["E-7"]}');
SELECT count(*) FROM sync_assets('cmms', 'delta') \g /dev/null
SELECT max(sync_run_id) AS last_run FROM sync_run \gset
INSERT INTO asset_staging (source, asset_tag, model, identifiers) VALUES ('cmms', 'Q-5', 'anew', '{"eic": ["E-7"]}');
CALL cec.sync_assets_batched('fleet', 'cmms', 'snapshot', 1, batch_rows => 1);
SELECT results_eq(format($$SELECT batch_no, updated, unchanged, merged FROM sync_run WHERE sync_run_id > %s ORDER BY batch_no$$, :last_run),
	$$VALUES (1, 1::bigint, 0::bigint, 0::bigint), (2, 0, 0, 1)$$, 'a row is counted once, and nothing below zero');
-- Nor beside rows that nothing is done with.
INSERT INTO asset_staging (source, asset_tag, identifiers) VALUES ('cmms', 'Q-5', NULL), ('cmms', 'Q-6', NULL), ('cmms', 'Q-8', '{"eic": ["E-8"]}');
SELECT count(*) FROM sync_assets('cmms', 'delta') \g /dev/null
SELECT max(sync_run_id) AS last_run FROM sync_run \gset
INSERT INTO asset_staging (source, asset_tag, model, identifiers) VALUES ('cmms', 'Q-5', 'anew again', '{"eic": ["E-8"]}'), ('cmms', 'Q-6', NULL, NULL);
CALL cec.sync_assets_batched('fleet', 'cmms', 'snapshot', 1, batch_rows => 1);
SELECT results_eq(format($$SELECT batch_no, updated, unchanged, merged FROM sync_run WHERE sync_run_id > %s ORDER BY batch_no$$, :last_run),
	$$VALUES (1, 1::bigint, 0::bigint, 0::bigint), (2, 0, 1, 1)$$, 'and what is unchanged is, too');
RESET ROLE;

-- What a source ends that never began: no day of it is covered by that. What it has again, but only as something that is over, is not back.
INSERT INTO asset (asset_tag, status, source, commissioned_on, decommissioned_on) SELECT 'L-' || n, CASE WHEN n < 4 THEN 'planned' ELSE 'retired' END, 'erp',
	CASE n WHEN 2 THEN cec.today('fleet') + 9 WHEN 4 THEN DATE '2019-01-01' END, CASE n WHEN 3 THEN cec.today('fleet') + 99 WHEN 4 THEN DATE '2022-01-01' END FROM generate_series(1, 4) AS n;
INSERT INTO inclusion (term_id, listed_as, during) SELECT find_term('A', '1'), 'L-' || n, '[2020-01-01,)' FROM generate_series(1, 3) AS n;
SET ROLE regress_registry;
INSERT INTO asset_staging (source, asset_tag, is_deleted, status, decommissioned_on) VALUES ('erp', 'L-1', true, NULL, NULL), ('erp', 'L-2', true, NULL, NULL), ('erp', 'L-3', true, NULL, NULL),
	('erp', 'L-4', NULL, 'in_storage', cec.today('fleet') - 1);
SELECT is(pg_temp.sync('delta'), 'updated 1, retired 3', 'three that are gone before they began, and one that was');
SELECT is_empty($$SELECT asset_tag, during FROM coverage JOIN asset USING (asset_id) WHERE asset_tag LIKE 'L-%'$$, 'what never was in life is covered on no day');
SELECT results_eq($$SELECT asset_tag COLLATE "default", decommissioned_on - cec.today('fleet'), upper(out_of_service) - cec.today('fleet') FROM asset WHERE asset_tag LIKE 'L-%' AND status = 'retired' ORDER BY 1$$,
	$$VALUES ('L-1', 0, 1), ('L-2', 9, 10), ('L-3', 0, 1)$$, 'and has no day of life');
SELECT is_empty($$SELECT f.message FROM finding f JOIN asset USING (asset_id) WHERE f.kind = 'reappeared' AND asset_tag LIKE 'L-%'$$, 'and what is over has not reappeared');
RESET ROLE;
SELECT is_empty('SELECT * FROM verify_coverage()', 'cover is as it is defined');
SELECT is_empty('SELECT * FROM verify_replay()', 'and the log has it');
SELECT * FROM finish();
