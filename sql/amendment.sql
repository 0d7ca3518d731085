-- Amendments: a change of lists from draft to applied, and what is refused on the way.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SET ROLE regress_owner;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '[2026-01-01,2027-01-01)'), ('C-2', 1, 'active', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2027-01-01)'), (1, '2', '[2026-01-01,2027-01-01)'), (2, '1', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.asset (asset_tag, commissioned_on) SELECT 'PUMP-' || g, '2020-01-01' FROM generate_series(1, 6) AS g;
INSERT INTO fleet.asset (asset_tag, serial_number, commissioned_on) VALUES ('TWIN-1', 'S-1', '2020-01-01'), ('TWIN-2', 'S-1', '2020-01-01'), ('pümp', 'S-2', '2020-01-01');
SET ROLE regress_manager;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-1', '[2026-01-01,2027-01-01)'), (1, 'PUMP-2', '[2026-01-01,2027-01-01)'), (1, 'PUMP-3', '[2026-01-01,2026-03-01)'),
	(1, 'PUMP-3', '[2026-06-01,2026-09-01)'), (1, 'PUMP-6', '[2026-01-01,2027-01-01)');

-- From a list to cover.
SELECT fleet.draft_amendment('C-1', 'spring list', $$[
	{"identifier": "PUMP-4", "term_number": "1", "first_day": "2026-04-01", "note": "new"},
	{"identifier": "PUMP-1", "term_number": "1", "action": "remove", "last_day": "2026-06-30"},
	{"identifier": "PUMP-2", "term_number": "1", "effect": "exclude", "first_day": "2026-07-01", "last_day": "2026-07-31"},
	{"identifier": "PUMP-6", "term_number": "1", "action": "change", "first_day": "2026-02-01", "last_day": "2026-12-31"},
	{"identifier": "PUMP-5", "term_number": "2", "last_day": "2026-08-31"}]$$);
SELECT line_id, action, identifier, term_id, during, note FROM fleet.amendment_line ORDER BY line_id;
SELECT section, asset_tag, term_id, first_day, last_day, message FROM fleet.preview_amendment(1) WHERE section = 'coverage';
SELECT min(effect_hash) AS effect FROM fleet.preview_amendment(1) \gset
SELECT fleet.submit_amendment(1);
SELECT fleet.approve_amendment(1, :'effect');
SELECT * FROM fleet.apply_amendment(1, :'effect');
SELECT * FROM fleet.apply_amendment(1, :'effect');
SELECT i.inclusion_id, a.asset_tag, i.term_id, i.effect, i.during, i.amendment_id, i.note FROM fleet.inclusion i JOIN fleet.asset a USING (asset_id) ORDER BY 2, 5;
SELECT status, requested_by = session_user AS requested, approved_by = session_user AS approved, applied_at >= approved_at AS in_order FROM fleet.amendment;

-- What is wrong with lines.
SELECT fleet.draft_amendment('C-1', 'wrong', $$[
	{"identifier": "PUMP 4", "term_number": "1"},
	{"identifier": "S-1", "term_number": "1"},
	{"identifier": "PUMP-5"},
	{"identifier": "pümp", "term_number": "1"},
	{"identifier": "PUMP-3", "term_number": "1"},
	{"identifier": "PUMP-5", "term_number": "1", "first_day": "2030-01-01"},
	{"identifier": "PUMP-5", "term_number": "1", "action": "change"},
	{"identifier": "PUMP-3", "term_number": "1", "action": "change", "first_day": "2026-10-01"},
	{"identifier": "PUMP-9", "term_number": "1", "action": "remove"},
	{"identifier": "S-1", "term_number": "1", "action": "remove"},
	{"identifier": "PUMP-1", "term_number": "1", "action": "swap"},
	{"identifier": "PUMP-6", "term_number": "1", "action": "swap", "successor_identifier": "PUMP-6"},
	{"identifier": "PUMP-2", "term_number": "1", "action": "swap", "successor_identifier": "PUMP-1", "first_day": "2026-05-01"},
	{"identifier": "PUMP-7", "term_number": "2", "action": "swap", "successor_identifier": "PUMP-4"},
	{"identifier": "PUMP-5", "term_number": "2", "action": "swap", "successor_identifier": "PUMP-7", "first_day": "2026-05-01"},
	{"identifier": "PUMP-5", "term_number": "2", "action": "swap", "successor_identifier": "PUMP-4", "first_day": "2026-06-01"}]$$);
INSERT INTO fleet.amendment_line (amendment_id, action, identifier, term_id, during) VALUES (2, 'include', 'PUMP-5', 3, NULL), (2, 'include', 'PUMP-5', 1, 'empty'), (2, 'include', 'PUMP-5', 1, '[-infinity,2026-05-01)');
-- Whether the line of a tag that cannot be scanned counts hangs on the day.
SELECT message FROM fleet.preview_amendment(2) WHERE section = 'finding' AND message NOT LIKE 'tag_not_scannable%' ORDER BY message;
SELECT test.refused($$SELECT fleet.submit_amendment(2)$$);
UPDATE fleet.amendment_line SET action = 'remove', identifier = 'PUMP-4', during = NULL, term_id = 1 WHERE amendment_id = 2;
SELECT fleet.submit_amendment(2);

-- Days that cannot be read are kept as they were given, and notes that are no text.
SELECT fleet.draft_amendment('C-1', 'given', $$[{"identifier": "PUMP-5", "term_number": "1", "first_day": "1.4.2026", "note": ["new"]}, {"identifier": "PUMP-5", "term_number": "2", "first_day": "2026-02-01", "last_day": "2026-01-01"}]$$) AS given \gset
SELECT identifier, term_id, during, given_days, note FROM fleet.amendment_line WHERE amendment_id = :given ORDER BY line_id;
SELECT test.refused(format('SELECT fleet.submit_amendment(%s)', :given));
DELETE FROM fleet.amendment_line WHERE amendment_id = :given;
DELETE FROM fleet.amendment WHERE amendment_id = :given;
SELECT test.refused($$SELECT fleet.draft_amendment('C-1', 'x', '[{"identifier": "PUMP-4", "action": "sell"}, {"identifier": "PUMP-4", "effect": "x"},
	{"identifier": "PUMP-4", "action": "remove", "effect": "exclude"}, {"identifier": "PUMP-4", "action": "remove", "first_day": "2026-01-01", "last_day": "2026-01-01"},
	{"identifier": "PUMP-4", "successor_identifier": "PUMP-5"}, {"identifier": ["PUMP-4"]}, {"tag": "PUMP-4"}, {}, 7]')$$);
SELECT test.refused($$SELECT fleet.draft_amendment('C-1', 'x', '"PUMP-4"')$$);
SELECT test.refused($$SELECT fleet.draft_amendment('C-1', 'x', NULL)$$);
SELECT test.refused($$SELECT fleet.submit_amendment(fleet.draft_amendment('C-1', 'x', '[]'))$$);
SELECT test.refused($$SELECT fleet.submit_amendment(9)$$);
SELECT test.refused($$SELECT * FROM fleet.preview_amendment(9)$$);
SELECT test.refused($$SELECT * FROM fleet.apply_amendment(2)$$);
SELECT test.refused($$SELECT fleet.reopen_amendment(1)$$);
SELECT test.refused($$SELECT fleet.approve_amendment(2, 'another')$$);
SELECT fleet.approve_amendment(2);
SELECT * FROM fleet.apply_amendment(2, 'another');

-- Who may write what.
SELECT test.refused($$INSERT INTO fleet.amendment (contract_id, title, status, approved_at, approved_by) VALUES (1, 'A', 'approved', '2026-01-01', 'me')$$);
SELECT test.refused($$UPDATE fleet.amendment SET title = 'B'$$);
SELECT test.refused($$UPDATE fleet.amendment_line SET identifier = 'PUMP-5'$$);
SELECT test.refused($$SELECT cec.cancel_amendment(NULL, 1)$$);
SELECT fleet.reopen_amendment(2);
-- Keys are what writers are known by.
SELECT test.refused($$UPDATE fleet.amendment_line SET line_id = line_id + 100 WHERE amendment_id = 2$$);
SELECT test.refused($$WITH lines AS (UPDATE fleet.amendment_line SET amendment_id = 100 WHERE amendment_id = 2) UPDATE fleet.amendment SET amendment_id = 100 WHERE amendment_id = 2$$);
SELECT fleet.submit_amendment(2);
SET ROLE regress_owner;
UPDATE fleet.setting SET four_eyes = true;
SET ROLE regress_manager;
SELECT test.refused($$SELECT fleet.approve_amendment(2)$$);
SET cec.actor = 'another';
SELECT test.refused($$SELECT fleet.approve_amendment(2)$$);
RESET cec.actor;
SELECT fleet.cancel_amendment(2);

-- Lists that change by amendments alone.
SET ROLE regress_owner;
SELECT test.refused($$UPDATE fleet.setting SET direct_changes = 'never'$$);
UPDATE fleet.setting SET direct_changes = 'draft_only', four_eyes = false;
SET ROLE regress_manager;
SELECT test.refused($$SELECT fleet.include_asset(1, 'PUMP-5')$$);
-- Nor by a way round.
SELECT test.refused($$UPDATE fleet.contract SET status = 'draft' WHERE number = 'C-1'$$);
BEGIN;
UPDATE fleet.contract SET status = 'void' WHERE number = 'C-1';
SELECT test.refused($$UPDATE fleet.contract SET status = 'active' WHERE number = 'C-1'$$);
ROLLBACK;
SELECT test.refused($$UPDATE fleet.coverage_term SET contract_id = 2, number = '9' WHERE term_id = 1$$);
SELECT fleet.draft_amendment('C-2', 'one more', '[{"identifier": "PUMP-5", "action": "include", "first_day": "2026-10-01"}]') AS amendment \gset
SELECT fleet.submit_amendment(:amendment), fleet.approve_amendment(:amendment);
SELECT status, sqlstate, constraint_name, message FROM fleet.apply_amendment(:amendment);
-- One asset in the place of another.
SELECT fleet.draft_amendment('C-1', 'swap', $$[{"identifier": "PUMP-1", "term_number": "1", "action": "swap", "successor_identifier": "PUMP-3", "first_day": "2026-03-01", "last_day": "2026-05-31"},
	{"identifier": "PUMP-2", "term_number": "1", "action": "swap", "successor_identifier": "TWIN-1", "first_day": "2026-07-15"}]$$) AS amendment \gset
SELECT section, asset_tag, term_id, first_day, last_day, message FROM fleet.preview_amendment(:amendment) WHERE section = 'coverage';
SELECT fleet.submit_amendment(:amendment), fleet.approve_amendment(:amendment);
SELECT status, sqlstate, message FROM fleet.apply_amendment(:amendment);
SELECT a.asset_tag, i.effect, i.during, i.listed_as, i.note, i.amendment_id = :amendment AS by_it FROM fleet.inclusion i JOIN fleet.asset a USING (asset_id) WHERE i.term_id = 1 AND a.asset_tag IN ('PUMP-1', 'PUMP-2', 'PUMP-3', 'TWIN-1') ORDER BY 1, 3;
\set include :source/sql/include/end.sql
\i :include
