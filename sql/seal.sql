-- What is told to people who seal, verify, prove and erase; test/pgtap/audit_tree.sql has the rest.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
INSERT INTO fleet.customer (name) VALUES ('Acme'), ('Bolt');
GRANT SELECT ON fleet.setting, fleet.audit_log TO regress_stranger;
GRANT USAGE ON SCHEMA fleet TO regress_stranger;
SELECT audit_id AS acme FROM fleet.audit_entry WHERE new_row ->> 'name' = 'Acme' \gset

-- Before anything was sealed.
SET ROLE regress_auditor;
SELECT fleet.audit_digest();
SELECT test.refused('SELECT fleet.audit_proof(1)');
SELECT test.refused(format('SELECT fleet.erase_audit(%s, ''request 17'')', :acme));

-- A seal.
SELECT fleet.seal_audit();
SELECT fleet.seal_audit();
SELECT regexp_replace(fleet.audit_digest(), '\d{15,} 1 (\d+) \w{64} .*Z$', 'CLUSTER 1 \1 ROOT TIME');
SELECT * FROM fleet.verify_audit(ARRAY[fleet.audit_digest()]);
SELECT jsonb_object_keys(fleet.audit_proof(:acme));
SELECT jsonb_object_keys(fleet.audit_consistency(fleet.audit_digest()));
SELECT cec.verify_audit_proof(fleet.audit_proof(:acme)), cec.verify_audit_consistency(fleet.audit_consistency(fleet.audit_digest()));

SELECT fleet.audit_digest() AS kept \gset

-- What is refused: to whom, when, and of what.
RESET ROLE;
SET ROLE regress_stranger;
SELECT test.refused($$SELECT cec.seal_audit('fleet')$$);
SELECT test.refused($$SELECT cec.erase_audit('fleet', 1, 'because')$$);
RESET ROLE;
REVOKE SELECT ON fleet.audit_log FROM regress_stranger;
SET ROLE regress_stranger;
SELECT test.refused($$SELECT * FROM cec.verify_audit('fleet', '{}')$$);
SELECT test.refused($$SELECT cec.audit_proof('fleet', 1)$$);
RESET ROLE;
BEGIN;
INSERT INTO fleet.customer (name) VALUES ('Late');
SELECT test.refused('SELECT fleet.seal_audit()');
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT test.refused('SELECT fleet.seal_audit()');
SELECT test.refused('SELECT * FROM fleet.verify_audit()');
ROLLBACK;
SET ROLE regress_auditor;
SELECT test.refused('SELECT * FROM fleet.verify_audit(ARRAY[''a line''])');
SELECT test.refused('SELECT * FROM fleet.verify_audit(ARRAY[NULL])');
SELECT test.refused('SELECT fleet.audit_consistency(''cec-digest-1 fleet 1 1 99999 0000000000000000000000000000000000000000000000000000000000000000 2026-01-01T00:00:00.000000Z'')');
SELECT test.refused('SELECT fleet.audit_proof(0)');
SELECT test.refused('SELECT fleet.erase_audit(0, ''request 17'')');
SELECT test.refused('SELECT fleet.erase_audit(1, NULL)');
SELECT test.refused('DELETE FROM fleet.audit_block');
RESET ROLE;
SELECT test.refused('UPDATE fleet.audit_leaf SET block_no = 1');
SELECT test.refused('TRUNCATE fleet.audit_node');
SELECT test.refused('UPDATE fleet.audit_erasure SET ground = ''x''');
ALTER TABLE fleet.audit_log ALTER COLUMN audit_id SET CACHE 2;
SELECT test.refused('SELECT fleet.seal_audit()');
ALTER TABLE fleet.audit_log ALTER COLUMN audit_id SET CACHE 1;

-- An erasure.
SET ROLE regress_auditor;
SET cec.actor = 'data protection officer';
SELECT fleet.erase_audit(:acme, 'request 17');
SELECT test.refused(format('SELECT fleet.erase_audit(%s, ''request 18'')', :acme));
SELECT fleet.seal_audit();
SELECT test.refused(format('SELECT fleet.erase_audit(%s, ''request 18'')', audit_id)) FROM fleet.audit_log WHERE table_name = 'audit_erasure';
RESET cec.actor;
SELECT erased_by, ground FROM fleet.audit_erasure;
SELECT kind, table_name, audit_id = :acme, regexp_replace(detail, '\(.*\) at .* UTC', '(SESSION) at TIME UTC') FROM fleet.verify_audit(ARRAY[fleet.audit_digest()]);
RESET ROLE;

-- Somebody who owns the server.
ALTER TABLE fleet.audit_log DISABLE TRIGGER append_only;
UPDATE fleet.audit_log SET actor = 'nobody' WHERE audit_id = :acme + 1;
SET ROLE regress_auditor;
SELECT kind, table_name, audit_id - :acme AS rows_after, block_no, detail FROM fleet.verify_audit() WHERE kind <> 'ERASED';
SELECT test.refused(format('SELECT fleet.audit_proof(%s)', :acme + 1));
SELECT test.refused(format('SELECT fleet.erase_audit(%s, ''to hide it'')', :acme + 1));
RESET ROLE;
-- What nobody could lawfully have put there.
BEGIN;
INSERT INTO fleet.audit_log (audit_id, xid, system_id, at, actor, session_user_name, table_name, operation, row_id, salt, row_image)
SELECT n, x::xid8, CASE n WHEN 1001 THEN 77 ELSE system_id END, t, actor, session_user_name, table_name, operation, row_id, CASE n WHEN 1004 THEN NULL ELSE salt END, CASE n WHEN 1004 THEN NULL ELSE row_image END
FROM fleet.audit_log, (VALUES (1001, pg_current_xact_id()::text, now()), (1002, '18446744073709551615', now()), (1003, pg_current_xact_id()::text, '2300-01-01'), (1004, pg_current_xact_id()::text, now())) AS v(n, x, t)
WHERE audit_id = :acme + 1;
INSERT INTO fleet.audit_erasure SELECT n, content, erased_at, erased_by, session_user_name, ground FROM fleet.audit_erasure, unnest(ARRAY[:acme + 1, 2000]) AS n;
ALTER TABLE fleet.audit_erasure DISABLE TRIGGER append_only;
UPDATE fleet.audit_erasure SET ground = 'order of the court' WHERE audit_id = :acme;
ALTER TABLE fleet.setting DISABLE TRIGGER keep;
DELETE FROM fleet.setting;
SELECT kind, table_name, CASE WHEN audit_id < 1000 THEN audit_id - :acme ELSE audit_id END AS row, detail FROM fleet.verify_audit() WHERE audit_id > 1000 OR audit_id IN (:acme, :acme + 1) OR table_name = 'setting' ORDER BY audit_id, kind;
ROLLBACK;
SELECT kind, detail FROM fleet.verify_audit(ARRAY[replace(:'kept', ' fleet ', ' north%20east ')]) WHERE kind = 'RENAMED';
ALTER TABLE fleet.audit_block DISABLE TRIGGER append_only;
UPDATE fleet.audit_block SET frontier = '' WHERE block_no = 2;
SELECT test.refused('SELECT fleet.seal_audit()');
\set include :source/sql/include/end.sql
\i :include
