-- The report for a compliance review: who changed what, when and why, in and around a contract, and how it is proved.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
CREATE VIEW test.told AS
SELECT c.contract_id AS of, a.operation, a.table_name, a.row_id, a.row_contract_number AS contract_number, a.term_number, a.asset_tag, a.summary, a.proof, a.audit_id
FROM fleet.contract c CROSS JOIN LATERAL fleet.coverage_audit(c.number) AS a;
GRANT SELECT ON test.told TO PUBLIC;

SET ROLE regress_owner;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.service_tier (code, name, rank) VALUES ('gold', 'Gold', 2), ('silver', 'Silver', 1), ('other', 'Other', 0);
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES
	('C-1', 1, 'active', '[2026-01-01,2027-01-01)'), ('C-2', 1, 'draft', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during) VALUES
	(1, '1', 2, '[2026-01-01,2027-01-01)'), (2, '1', NULL, '[2026-01-01,2027-01-01)');
INSERT INTO fleet.asset (asset_tag) VALUES ('LISTED'), ('MOVED'), ('MEMBER'), ('OTHER');
RESET ROLE;
SET ROLE regress_manager;
SET cec.actor = 'maria@example.org';
SET cec.reason = 'order 3310';
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'LISTED', '[2026-01-01,2027-01-01)'), (1, 'MOVED', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('both', 1), ('none', 4);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 3, '[2026-06-01,)');
SET cec.reason = 'ticket 7';
UPDATE fleet.inclusion SET term_id = 2 WHERE inclusion_id = 2;
UPDATE fleet.inclusion SET note = 'of the other contract now' WHERE inclusion_id = 2;
INSERT INTO fleet.amendment (contract_id, title, requested_at, requested_by) VALUES (1, 'swap', '2026-02-01', 'maria@example.org');
INSERT INTO fleet.amendment_line (amendment_id, action, identifier, successor_identifier) VALUES (1, 'swap', 'LISTED', 'OTHER');
DELETE FROM fleet.amendment_line;
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'r', 'include', 'country = ''DE''', '[2026-01-01,)');
INSERT INTO fleet.finding_waiver (kind, contract_id, reason, waived_at) VALUES ('no_location', 1, 'indoors', '2026-02-01');
RESET ROLE;
RESET cec.actor;
RESET cec.reason;
SET ROLE regress_auditor;
SELECT fleet.seal_audit() AS block_no;
RESET ROLE;
SET ROLE regress_owner;
UPDATE fleet.service_tier SET response_hours = tier_id;
UPDATE fleet.asset SET model = 'M-1' WHERE asset_id IN (1, 2, 3, 4);
DELETE FROM fleet.inclusion WHERE inclusion_id = 1;
RESET ROLE;
SET ROLE regress_auditor;
SELECT operation, table_name, row_id, contract_number, term_number, asset_tag, summary, proof FROM test.told WHERE of = 1 ORDER BY audit_id;
-- Of the line that was moved contract 1 sees the move last, contract 2 first.
SELECT of, operation, summary FROM test.told WHERE table_name = 'inclusion' AND row_id = 2 ORDER BY of, audit_id;
SELECT fleet.seal_audit() AS block_no;
SELECT proof, block_no, count(*) FROM fleet.coverage_audit('C-1') GROUP BY 1, 2 ORDER BY 2;
SELECT actor, session_user_name = session_user AS logged_in, reason, before, after FROM fleet.coverage_audit(contract_number => 'C-1') WHERE table_name = 'inclusion' AND row_id = 2;
-- Of an erased entry it stays known who made it, when and of which row.
SELECT fleet.erase_audit(audit_id, 'request 7') FROM fleet.audit_log WHERE table_name = 'inclusion' AND row_id = 1 AND operation = 'INSERT';
SELECT actor, reason, operation, asset_tag, summary, before, after, block_no, proof FROM fleet.coverage_audit('C-1') WHERE table_name = 'inclusion' AND row_id = 1;
-- Every entry of the contract, its terms and lists is there, whoever changed it.
SELECT count(*) FROM (SELECT audit_id FROM fleet.audit_log WHERE contract_id = 1 EXCEPT SELECT audit_id FROM fleet.coverage_audit('C-1')) AS missing;
-- Days are those of the portfolio's time zone, both included.
RESET ROLE;
BEGIN;
SET LOCAL session_replication_role = replica;
ALTER TABLE fleet.audit_log DISABLE TRIGGER append_only;
UPDATE fleet.audit_log SET at = '2026-03-01 22:59:59.999999+00' WHERE audit_id = (SELECT min(audit_id) FROM fleet.audit_log WHERE contract_id = 1);
UPDATE fleet.audit_log SET at = '2026-03-01 23:00+00' WHERE audit_id = (SELECT max(audit_id) FROM fleet.audit_log WHERE contract_id = 1);
UPDATE fleet.setting SET time_zone = 'Europe/Berlin';
SELECT on_day, operation, table_name FROM fleet.coverage_audit('C-1', '2026-03-01', '2026-03-01');
SELECT on_day, operation, table_name FROM fleet.coverage_audit('C-1', '2026-03-02', '2026-03-02');
SELECT count(*) FROM fleet.coverage_audit('C-1', last_day => '2026-03-02');
SELECT count(*) FROM fleet.coverage_audit('C-1', '2026-03-01', '2026-03-02');
ROLLBACK;
-- A contract that was deleted is told of still; one that never was is an error.
SET ROLE regress_owner;
INSERT INTO fleet.contract (number, customer_id, during) VALUES ('C-3', 1, '[2026-01-01,2027-01-01)');
DELETE FROM fleet.contract WHERE contract_id = 3;
RESET ROLE;
SELECT operation, summary, proof FROM fleet.coverage_audit('C-3');
SELECT test.refused($$SELECT * FROM fleet.coverage_audit('C-4')$$);
SELECT test.refused('SELECT * FROM fleet.coverage_audit(NULL)');
SELECT test.refused($$SELECT * FROM fleet.coverage_audit('C-1', '2026-02-01', '2026-01-31')$$);
SET ROLE regress_manager;
SELECT test.refused($$SELECT * FROM fleet.coverage_audit('C-1')$$);
SELECT test.refused($$SELECT * FROM cec.coverage_audit('fleet', 'C-1', NULL, NULL)$$);
RESET ROLE;
\set include :source/sql/include/end.sql
\i :include
