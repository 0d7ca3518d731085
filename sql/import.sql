-- Lists that are imported: the modes, what is refused, the whole list, and who may.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SELECT cec.grant_access('fleet', 'regress_stranger', 'manager');
CREATE ROLE regress_reader NOLOGIN;
SELECT cec.grant_access('fleet', 'regress_reader', 'analyst');
SET ROLE regress_owner;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES
	('S-1', 1, 'active', '[2020-01-01,2099-01-01)'), ('S-2', 1, 'active', '[2020-01-01,2099-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '[2020-01-01,2099-01-01)'), (2, '1', '[2020-01-01,2099-01-01)');
INSERT INTO fleet.asset (asset_tag, serial_number) VALUES ('P-0001', '88-17'), ('P-0002', '88-18'), ('P-0003', '88-17'), ('P-0004', NULL), (U&'W\00F6rn', NULL);
INSERT INTO fleet.asset (asset_tag, decommissioned_on) VALUES ('OLD-1', '2019-06-30');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (2, 'P-0004', '[2020-01-01,2021-01-01)');
SET ROLE regress_stranger;
\set list '[{"identifier": "P-0001"}, {"identifier": "P-0002", "first_day": "2020-03-01", "last_day": "2020-12-31", "note": "spare"}, {"identifier": "p 0002"}, {"identifier": "P-0001", "last_day": "2020-05-01"}, {"identifier": "88-17"}, {"identifier": "OLD-1"}, {"identifier": "P-0004", "effect": "exclude", "last_day": "2020-12-31"}, {"identifier": "P-0004"}, {"identifiers": 1}, 7, {"identifier": null}, {"identifier": "P-0001", "first_day": "2026-02-30"}, {"identifier": "P-0001", "first_day": "2026-02-02", "last_day": "2026-02-01"}, {"identifier": "P-0001", "effect": "includes"}, {"identifier": true}]'

-- Each mode says the same of the rows; only valid_only has something done.
\pset null -
SELECT place, identifier, outcome, sqlstate, constraint_name, suggestion, done FROM fleet.import_inclusions(1, :'list', 'check');
SELECT place, message FROM fleet.import_inclusions(1, :'list', 'all_or_nothing') WHERE message IS NOT NULL;
SELECT count(*) FROM fleet.inclusion WHERE term_id = 1;
SELECT place, outcome FROM fleet.import_inclusions(1, :'list', 'valid_only') WHERE done ORDER BY place;
SELECT listed_as, effect, during, note FROM fleet.inclusion WHERE term_id = 1 ORDER BY listed_as, effect;
SELECT place, outcome, done FROM fleet.import_inclusions(1, :'list', 'valid_only') WHERE outcome NOT IN ('refused', 'duplicate');
-- Days are set, and notes where there is one.
SELECT outcome, message, done FROM fleet.import_inclusions(1, '[{"identifier": "P-0002", "first_day": "2020-06-01", "last_day": "2021-06-30"}, {"identifier": "P-0001", "note": "by phone"}]', 'all_or_nothing');
SELECT listed_as, during, note FROM fleet.inclusion WHERE term_id = 1 AND effect = 'include' ORDER BY listed_as;
SELECT mode, rows_given, inserted, updated, unchanged, duplicates, refused, ended, finished_at >= started_at AS in_order FROM fleet.import_run ORDER BY import_run_id;

-- The whole list: what it does not name ends, but not more of it than may, and not by a mistake.
\pset null ''
SELECT test.refused($$SELECT * FROM fleet.import_inclusions(1, '[{"identifier": "P-0004", "first_day": "2021-01-01"}]', 'valid_only', 'end')$$);
SELECT place, identifier, outcome, constraint_name, done FROM fleet.import_inclusions(1, '[{"identifier": "P-0004", "first_day": "2021-01-01"}]', 'check', 'end');
SELECT place, identifier, outcome, suggestion, done FROM fleet.import_inclusions(1, '[{"identifier": "P-0004", "first_day": "2021-01-01"}, {"identifier": "p-000l"}]', 'valid_only', 'end', 1);
SELECT place, identifier, outcome, done FROM fleet.import_inclusions(1, '[{"identifier": "P-0004", "first_day": "2021-01-01"}]', 'all_or_nothing', 'end', 0.5);
SELECT listed_as, during @> cec.today('fleet') AS today, during @> cec.today('fleet') + 1 AS tomorrow FROM fleet.inclusion WHERE term_id = 1 AND effect = 'include' ORDER BY listed_as;

-- Since when it was asked for: one amendment.
SELECT place, done FROM fleet.import_inclusions(1, '[{"identifier": "88-18", "first_day": "2030-01-01"}, {"identifier": "P-0004", "first_day": "2022-01-01"}]', 'valid_only', requested_at => now() - interval '2 days');
SELECT a.title, a.status, a.is_direct, a.applied_at > a.requested_at AS later, l.action, l.identifier, l.during FROM fleet.amendment a JOIN fleet.amendment_line l USING (amendment_id) ORDER BY l.line_id;
SELECT listed_as, amendment_id FROM fleet.inclusion WHERE amendment_id IS NOT NULL;
SELECT done FROM fleet.import_inclusions(1, '[{"identifier": "88-18", "first_day": "2030-01-01"}]', 'valid_only', requested_at => now() - interval '2 days');
SELECT count(*) FROM fleet.amendment;

-- What is refused as a whole.
SELECT test.refused($$SELECT * FROM fleet.import_inclusions(1, '[]', 'valid')$$);
SELECT test.refused($$SELECT * FROM fleet.import_inclusions(1, '[]', NULL)$$);
SELECT test.refused($$SELECT * FROM fleet.import_inclusions(1, '[]', 'check', 'remove')$$);
SELECT test.refused($$SELECT * FROM fleet.import_inclusions(1, '[]', 'check', 'end', 10)$$);
SELECT test.refused($$SELECT * FROM fleet.import_inclusions(1, '{}', 'check')$$);
SELECT test.refused($$SELECT * FROM fleet.import_inclusions(99, '[]', 'check')$$);
SELECT test.refused($$SELECT * FROM fleet.import_inclusions(1, '[{"identifier": "P-0003"}]', 'valid_only', requested_at => 'infinity')$$);
SELECT count(*) FROM fleet.inclusion WHERE asset_id = 3;
-- Nothing is written where the transaction may not write, and mode check does not need to.
BEGIN READ ONLY;
SELECT outcome, done FROM fleet.import_inclusions(1, '[{"identifier": "P-0003"}]', 'check', 'end');
ROLLBACK;
-- Tags that cannot be scanned: a remark, or refused where the portfolio says so.
SELECT outcome, message FROM fleet.check_inclusions(1, U&'[{"identifier": "W\00F6rn"}]');
SET ROLE regress_owner;
UPDATE fleet.setting SET refuse_unscannable = true;
SET ROLE regress_stranger;
SELECT outcome, sqlstate, constraint_name, message FROM fleet.check_inclusions(1, U&'[{"identifier": "W\00F6rn"}, {"identifier": "W\00F6rn", "effect": "exclude"}]');
SELECT outcome, done FROM fleet.import_inclusions(1, U&'[{"identifier": "W\00F6rn"}]', 'valid_only');
SELECT test.refused($$SELECT fleet.include_asset(1, U&'W\00F6rn')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'P-0003', '[2021-01-01,2022-01-01)'), (1, U&'W\00F6rn', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 5, '(,)')$$);
INSERT INTO fleet.inclusion (term_id, listed_as, effect, during) VALUES (1, U&'W\00F6rn', 'exclude', '(,)');
-- A line that is there stays, may become shorter and not longer.
RESET ROLE;
UPDATE fleet.setting SET refuse_unscannable = false;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (2, 5, '[2021-01-01,2022-01-01)');
UPDATE fleet.setting SET refuse_unscannable = true;
SET ROLE regress_stranger;
SELECT outcome, constraint_name FROM fleet.check_inclusions(2, U&'[{"identifier": "W\00F6rn", "first_day": "2021-01-01", "last_day": "2021-06-30"}]');
SELECT outcome, constraint_name FROM fleet.check_inclusions(2, U&'[{"identifier": "W\00F6rn", "first_day": "2021-01-01", "last_day": "2022-06-30"}]');
UPDATE fleet.inclusion SET during = '[2021-02-01,2021-07-01)' WHERE term_id = 2 AND asset_id = 5;
SELECT test.refused($$UPDATE fleet.inclusion SET during = '[2021-02-01,2021-09-01)' WHERE term_id = 2 AND asset_id = 5$$);
-- The printer changes the symbology, or the tag.
SELECT count(*) FROM fleet.import_inclusions(2, U&'[{"identifier": "W\00F6rn", "first_day": "2023-01-01", "last_day": "2023-12-31"}]', 'valid_only') WHERE done;
RESET ROLE;
UPDATE fleet.asset SET asset_tag = 'WOERN' WHERE asset_id = 5;
SET ROLE regress_stranger;
SELECT count(*) FROM fleet.import_inclusions(2, '[{"identifier": "WOERN", "first_day": "2023-01-01", "last_day": "2023-12-31"}]', 'valid_only') WHERE done;

-- Who may: a manager; not who reads, nor by the engine's own function.
SET ROLE regress_reader;
SELECT test.refused($$SELECT * FROM fleet.import_inclusions(1, '[]', 'check')$$);
SELECT test.refused($$SELECT * FROM cec.import_inclusions('fleet', 1, '[]', 'check', 'keep', 0.1, NULL)$$);
SELECT test.refused($$SELECT * FROM cec._import_inclusions('fleet'::regnamespace::oid, 1, '[]', 'valid_only', 'keep', 0.1, NULL)$$);
SELECT count(*) FROM fleet.import_run;
SET ROLE regress_stranger;
SELECT test.refused($$UPDATE fleet.import_run SET refused = 0$$);
RESET ROLE;
SELECT test.refused($$DELETE FROM fleet.import_run$$);
SELECT * FROM fleet.verify_coverage();
SELECT * FROM fleet.verify_replay();
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;

\set include :source/sql/include/end.sql
\i :include
