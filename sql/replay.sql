-- Replay: what was changed past the log shows, and what was changed lawfully does not.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
CREATE VIEW test.replay AS SELECT kind, table_name, row_id, column_name, detail FROM fleet.verify_replay();
GRANT SELECT ON test.replay TO PUBLIC;

-- Lawful changes of every form: through functions, by several statements of a row, also within each other; a key that
-- moves to where another row was.
SET ROLE regress_owner;
INSERT INTO fleet.customer (name, external_ref) VALUES ('Acme', 'a'), ('Bolt', 'b');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.asset (asset_tag, attributes, location, out_of_service) SELECT 'A-' || n, jsonb_build_object('n', n),
	ST_SetSRID(ST_MakePoint(n, n), 4326), '{[2026-05-01,2026-06-01)}' FROM generate_series(1, 20) AS n;
CREATE FUNCTION fleet.also() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE fleet.asset SET model = NEW.model || '+' WHERE asset_id = NEW.asset_id AND model NOT LIKE '%+%';
	RETURN NULL;
END $$;
CREATE TRIGGER also AFTER UPDATE ON fleet.asset FOR EACH ROW WHEN (NEW.model IS DISTINCT FROM OLD.model) EXECUTE FUNCTION fleet.also();
UPDATE fleet.asset SET model = 'm' WHERE asset_id = 1;
SELECT operation, old_row, new_row FROM fleet.audit_entry WHERE table_name = 'asset' AND row_id = 1 ORDER BY audit_id OFFSET 1;
DROP FUNCTION fleet.also() CASCADE;
SELECT fleet.include_asset(1, 'A-' || n) FROM generate_series(1, 10) AS n;
SELECT fleet.remove_asset(1, 'A-2', '2026-03-31');
DELETE FROM fleet.inclusion WHERE inclusion_id = 4;
UPDATE fleet.inclusion SET inclusion_id = 4, note = 'moved' WHERE inclusion_id = 5;
UPDATE fleet.inclusion SET inclusion_id = 5 WHERE inclusion_id = 6;
RESET ROLE;
SET ROLE regress_auditor;
SELECT * FROM test.replay;
RESET ROLE;

-- Columns that come, change their type or name: rows count from their next change on.
SET ROLE regress_owner;
ALTER TABLE fleet.asset ADD COLUMN cost_centre text DEFAULT 'none';
ALTER TABLE fleet.customer ALTER COLUMN external_ref TYPE varchar(50) USING upper(external_ref);
UPDATE fleet.asset SET cost_centre = '4711' WHERE asset_id <= 3;
UPDATE fleet.asset SET cost_centre = '4712' WHERE asset_id = 3;
INSERT INTO fleet.asset (asset_tag, cost_centre) VALUES ('A-21', '4713');
DELETE FROM fleet.asset WHERE asset_id = 19;
INSERT INTO fleet.asset (asset_id, asset_tag) VALUES (19, 'A-19');
-- One that goes and comes again is another one, once there is an entry without it.
ALTER TABLE fleet.contract ADD COLUMN remark text;
UPDATE fleet.contract SET remark = 'first', account_manager = 'maria';
ALTER TABLE fleet.contract DROP COLUMN remark;
UPDATE fleet.contract SET account_manager = 'mona';
ALTER TABLE fleet.contract ADD COLUMN remark text DEFAULT 'second';
RESET ROLE;
SET ROLE regress_auditor;
SELECT * FROM test.replay;
RESET ROLE;

-- Past the triggers, in the ways there are. Those who may read the log and not the tables are not told what is in them.
BEGIN;
SET LOCAL session_replication_role = replica;
ALTER TABLE fleet.asset DISABLE TRIGGER USER;
ALTER TABLE fleet.inclusion DISABLE TRIGGER USER;
ALTER TABLE fleet.contract DISABLE TRIGGER cec_update;
UPDATE fleet.asset SET serial_number = '1', attributes = '{}' WHERE asset_id = 1;
UPDATE fleet.asset SET cost_centre = 'forged' WHERE asset_id IN (2, 3, 21);
UPDATE fleet.asset SET location = NULL WHERE asset_id = 4;
UPDATE fleet.asset SET asset_tag = 'B-12' WHERE asset_id = 12;
DELETE FROM fleet.asset WHERE asset_id = 20;
INSERT INTO fleet.asset (asset_id, asset_tag) VALUES (100, 'A-100');
UPDATE fleet.asset SET asset_id = 101 WHERE asset_id = 18;
UPDATE fleet.inclusion SET note = 'forged' WHERE inclusion_id = 4;
INSERT INTO fleet.inclusion (inclusion_id, term_id, asset_id, during) VALUES (6, 1, 6, '[2026-01-01,2027-01-01)');
DELETE FROM fleet.inclusion WHERE inclusion_id = 10;
UPDATE fleet.contract SET status = 'void';
ALTER TABLE fleet.contract ENABLE ALWAYS TRIGGER cec_update;
UPDATE fleet.contract SET status = 'terminated';
UPDATE fleet.inclusion SET note = 'forged' WHERE inclusion_id IN (7, 8, 9);
ALTER TABLE fleet.inclusion ENABLE ALWAYS TRIGGER cec_update, ENABLE ALWAYS TRIGGER cec_delete;
UPDATE fleet.inclusion SET note = 'then lawful' WHERE inclusion_id = 8;
DELETE FROM fleet.inclusion WHERE inclusion_id = 9;
SET ROLE regress_auditor;
SELECT * FROM test.replay WHERE kind <> 'SCHEMA_CHANGED';
RESET ROLE;
GRANT USAGE ON SCHEMA fleet TO regress_stranger;
GRANT SELECT ON fleet.audit_log, fleet.setting TO regress_stranger;
SET ROLE regress_stranger;
SELECT column_name, detail FROM cec.verify_replay('fleet') WHERE table_name = 'asset' AND row_id = 1;
ROLLBACK;

-- The log itself, forged: what cannot be read does not stop the rest.
BEGIN;
ALTER TABLE fleet.audit_log DISABLE TRIGGER append_only;
ALTER TABLE fleet.audit_schema DISABLE TRIGGER append_only;
UPDATE fleet.audit_log SET row_image = NULL, salt = NULL WHERE table_name = 'asset' AND row_id IN (4, 21);
UPDATE fleet.audit_log SET row_image = substring(row_image FOR 40) WHERE table_name = 'asset' AND row_id = 5;
UPDATE fleet.audit_log SET row_image = '\x02' WHERE table_name = 'asset' AND row_id = 6;
UPDATE fleet.audit_log SET row_image = row_image || '\x00' WHERE table_name = 'asset' AND row_id = 7;
UPDATE fleet.audit_log SET row_image = (SELECT row_image FROM fleet.audit_log WHERE table_name = 'contract' LIMIT 1) WHERE table_name = 'asset' AND row_id = 8;
UPDATE fleet.audit_log SET row_image = overlay(row_image PLACING '\xffffffffffffffffffff7f' FROM 18) WHERE table_name = 'asset' AND row_id = 9;
UPDATE fleet.audit_log SET row_image = decode(replace(encode(row_image, 'hex'), '0000000a', '0000ffff'), 'hex') WHERE table_name = 'asset' AND row_id = 10;
DELETE FROM fleet.audit_log WHERE table_name = 'asset' AND row_id = 11;
INSERT INTO fleet.audit_log (xid, system_id, at, actor, session_user_name, table_name, operation, row_id)
SELECT xid, system_id, at, actor, session_user_name, t, 'INSERT', 1 FROM fleet.audit_log, unnest('{never,asset}'::text[]) AS t WHERE audit_id = 1;
DELETE FROM fleet.audit_schema WHERE table_name = 'contract';
DELETE FROM fleet.audit_log WHERE table_name = 'inclusion' AND row_id = 7;
UPDATE fleet.audit_log SET operation = 'UPDATE' WHERE table_name = 'coverage_term';
SELECT * FROM test.replay WHERE kind <> 'SCHEMA_CHANGED';
ROLLBACK;
-- A table that is gone, and one that lost its key.
BEGIN;
DROP TABLE fleet.finding_waiver, fleet.field_observation CASCADE;
ALTER TABLE fleet.inclusion DROP CONSTRAINT inclusion_pkey;
ALTER TABLE fleet.customer DROP CONSTRAINT customer_pkey CASCADE, ALTER COLUMN customer_id DROP IDENTITY;
ALTER TABLE fleet.inclusion DISABLE TRIGGER USER;
INSERT INTO fleet.inclusion SELECT * FROM fleet.inclusion WHERE inclusion_id = 1;
SELECT * FROM test.replay WHERE kind <> 'SCHEMA_CHANGED';
ROLLBACK;

-- Refused above READ COMMITTED, and to those who may not read the log.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT test.refused('SELECT * FROM fleet.verify_replay()');
ROLLBACK;
SET ROLE regress_manager;
SELECT test.refused('SELECT * FROM fleet.verify_replay()');
SELECT test.refused($$SELECT * FROM cec.verify_replay('fleet')$$);
RESET ROLE;
SELECT * FROM test.replay WHERE kind <> 'SCHEMA_CHANGED';
\set include :source/sql/include/end.sql
\i :include
