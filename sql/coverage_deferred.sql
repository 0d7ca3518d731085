-- Foreign keys of stated tables that their owner has made deferrable: what is referred to comes last, and cover is what it would have been.
SET datestyle = ISO;
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT cec.create_portfolio('fleet');
-- The portfolio is where it is noon, so that no day ends meanwhile.
UPDATE fleet.setting SET time_zone = 'Etc/GMT' || to_char(extract(hour FROM now() AT TIME ZONE 'UTC') - 12, 'FMSG99');
DO $$
DECLARE
	key record;
BEGIN
	FOR key IN SELECT conrelid::regclass AS of_table, conname FROM pg_constraint WHERE connamespace = 'fleet'::regnamespace AND contype = 'f' AND conrelid <> 'fleet.coverage'::regclass LOOP
		EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE INITIALLY IMMEDIATE', key.of_table, key.conname);
	END LOOP;
END $$;
\set show 'SELECT asset_tag, contract_number, tier_code, nullif(valid_from, cec.today(''fleet'')) AS valid_from, is_stated, is_ruled, is_inherited FROM fleet.coverage_by_asset ORDER BY 1, 2, 4; SELECT * FROM fleet.verify_coverage(); SELECT count(*) FROM fleet.verify_replay();'
INSERT INTO fleet.customer (name) VALUES ('Acme');

-- Everything in the wrong order.
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 1, '[2026-01-01,)');
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '[2026-02-01,)');
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES
	(1, 'gold', 'include', 'tier_code = ''GOLD'' AND contract_kind = ''service'' AND category = ''fan''', '[2026-03-01,)'), (1, 'in Germany', 'require', 'governing_country = ''DE''', '[2026-03-01,)');
INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on) VALUES (3, 'inspection', '2026-01-01');
INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during) VALUES (1, '1', 1, '[2026-01-01,)');
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('pump', 1);
INSERT INTO fleet.asset (asset_tag, category) VALUES ('PUMP', 'pump'), ('MOTOR', 'motor'), ('FAN', 'fan');
:show
INSERT INTO fleet.contract (number, customer_id, status, during, governing_country) VALUES ('C-1', 1, 'active', '[2026-01-01,)', 'DE');
:show
INSERT INTO fleet.service_tier (code, name, rank) VALUES ('GOLD', 'Gold', 1);
COMMIT;
:show

-- One that refers to nothing yet is checked against its like all the same, and what never comes is refused at the end.
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (77, 1, '[2026-01-01,)');
\set VERBOSITY default
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (77, 1, '[2026-06-01,2026-07-01)');
\set VERBOSITY terse
ROLLBACK;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (77, 1, '[2026-01-01,)');
COMMIT;

-- A row goes and comes again, in a statement of its own each; and keys move with what refers to them behind.
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
DELETE FROM fleet.contract;
:show
INSERT INTO fleet.contract (contract_id, number, customer_id, kind, status, during) VALUES (1, 'C-1', 1, 'lease', 'active', '[2026-01-15,)');
:show
ROLLBACK;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
UPDATE fleet.contract SET contract_id = 50, number = 'C-50';
:show
UPDATE fleet.coverage_term SET contract_id = 50, term_id = 60;
:show
UPDATE fleet.inclusion SET term_id = 60;
:show
ROLLBACK;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
UPDATE fleet.service_tier SET tier_id = 50;
UPDATE fleet.coverage_term SET tier_id = 50;
:show
UPDATE fleet.contract SET status = 'draft';
UPDATE fleet.asset SET asset_id = asset_id + 100;
:show
UPDATE fleet.bundle SET primary_asset_id = primary_asset_id + 100, bundle_id = 9;
UPDATE fleet.bundle_member SET asset_id = asset_id + 100, bundle_id = 9;
UPDATE fleet.inclusion SET asset_id = asset_id + 100;
UPDATE fleet.maintenance_event SET asset_id = asset_id + 100;
UPDATE fleet.contract SET status = 'active';
COMMIT;
:show

-- What comes before its contract, term or asset is checked against all of the register when that comes, as if it came now.
INSERT INTO fleet.asset (asset_id, asset_tag, commissioned_on, status, decommissioned_on) VALUES (21, 'LATE', '2026-06-01', 'in_service', NULL), (22, 'OLD', NULL, 'retired', '2026-03-31');
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (20, 'C-20', 1, 'active', '[2026-01-01,2027-01-01)');
\set VERBOSITY default
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (80, 21, '[2027-06-01,)'), (80, 22, '[2026-01-01,)');
SAVEPOINT lines;
-- Days outside; beyond the term, which is told; after its last day, and before its first; twice on contracts of one kind.
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (80, 20, '80', '[2026-01-01,)');
ROLLBACK TO lines;
UPDATE fleet.inclusion SET during = '[2026-01-01,2028-01-01)' WHERE asset_id = 21;
SAVEPOINT lines;
SET client_min_messages = notice;
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (80, 20, '80', '[2026-01-01,)');
SET client_min_messages = warning;
:show
ROLLBACK TO lines;
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (80, 20, '80', '[2026-04-01,)');
ROLLBACK TO lines;
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (80, 20, '80', '[2026-01-01,2026-06-01)');
ROLLBACK TO lines;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (80, 101, '[2026-06-01,)');
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (80, 20, '80', '[2026-01-01,)');
ROLLBACK TO lines;
UPDATE fleet.contract SET kind = 'lease' WHERE number = 'C-20';
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (80, 101, '[2026-06-01,)');
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (80, 20, '80', '[2026-01-01,)');
ROLLBACK;
\set VERBOSITY terse
-- The contract last; a row that comes by its key; the asset last.
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (81, 23, '[2026-05-01,2026-08-01)');
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (81, 21, '81', '[2026-01-01,)');
SAVEPOINT lines;
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (21, 'C-21', 1, 'active', '[2025-01-01,2026-01-01)');
ROLLBACK TO lines;
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (21, 'C-21', 1, 'active', '[2026-08-01,2027-01-01)');
ROLLBACK TO lines;
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (30, 'C-21', 1, 'active', '[2026-08-01,2027-01-01)');
UPDATE fleet.contract SET contract_id = 21 WHERE contract_id = 30;
ROLLBACK TO lines;
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (21, 'C-21', 1, 'active', '[2026-06-01,2027-01-01)');
SAVEPOINT contract;
INSERT INTO fleet.asset (asset_id, asset_tag, status, decommissioned_on) VALUES (23, 'GONE', 'retired', '2026-05-31');
ROLLBACK TO contract;
INSERT INTO fleet.asset (asset_id, asset_tag) VALUES (23, 'HERE');
COMMIT;
:show
-- Lines that were there before stay, as where a contract is shortened.
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
DELETE FROM fleet.contract WHERE contract_id = 21;
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (21, 'C-21', 1, 'active', '[2026-09-01,2027-01-01)');
SELECT number, during FROM fleet.contract WHERE contract_id = 21;
ROLLBACK;

SELECT cec.drop_portfolio('fleet', 'fleet');
