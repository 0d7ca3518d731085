-- A row takes the place of another one that lists and bundles refer to: no foreign key minds, and cover follows.
SET datestyle = ISO;
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE ROLE regress_fleet_admin;
SELECT cec.create_portfolio('fleet');
SELECT cec.grant_access('fleet', 'regress_fleet_admin', 'admin');
SET ROLE regress_fleet_admin;
\set show 'SELECT asset_id, term_id, valid_from, last_day, is_stated, is_inherited FROM fleet.coverage_by_asset ORDER BY 1, 2, 3; SELECT * FROM fleet.verify_coverage();'
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES
	(10, 'C-1', 1, 'active', '[2026-01-01,2027-01-01)'), (11, 'C-2', 1, 'active', '[2026-01-01,2026-03-01)');
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES
	(10, 10, '1', '[2026-01-01,2027-01-01)'), (11, 10, '2', '[2026-01-01,2026-02-01)');
INSERT INTO fleet.asset (asset_id, asset_tag, decommissioned_on) VALUES
	(10, 'pump', NULL), (11, 'old pump', '2026-06-30'), (12, 'fan', NULL), (20, 'motor', NULL);
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (10, 10, '[2026-01-01,)'), (11, 12, '[2026-01-01,)');
INSERT INTO fleet.bundle (bundle_id, name, primary_asset_id) VALUES (10, 'pump', 10), (11, 'fan', 12);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (10, 20, '[2026-01-01,)');
:show

-- Keys move on: what was number 11 is number 10 now.
BEGIN;
UPDATE fleet.asset SET asset_id = asset_id - 1 WHERE asset_id IN (10, 11);
:show
ROLLBACK;
BEGIN;
UPDATE fleet.bundle SET bundle_id = bundle_id - 1;
:show
ROLLBACK;
BEGIN;
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (100, 10, '3', '[2026-05-01,2026-08-01)');
WITH gone AS (DELETE FROM fleet.coverage_term WHERE term_id = 10 RETURNING term_id)
UPDATE fleet.coverage_term SET term_id = gone.term_id FROM gone WHERE coverage_term.term_id = 100;
:show
ROLLBACK;
BEGIN;
UPDATE fleet.contract SET contract_id = contract_id - 1;
:show
ROLLBACK;

-- One statement deletes a row and inserts another one under its key.
BEGIN;
WITH gone AS (DELETE FROM fleet.asset WHERE asset_id = 20 RETURNING asset_id)
INSERT INTO fleet.asset (asset_id, asset_tag, decommissioned_on) SELECT asset_id, 'new motor', '2026-02-28' FROM gone;
:show
ROLLBACK;
BEGIN;
WITH gone AS (DELETE FROM fleet.bundle WHERE bundle_id = 10 RETURNING bundle_id)
INSERT INTO fleet.bundle (bundle_id, name, primary_asset_id) SELECT bundle_id, 'fan', 12 FROM gone;
:show
ROLLBACK;
WITH gone AS (DELETE FROM fleet.bundle WHERE bundle_id = 10 RETURNING bundle_id)
INSERT INTO fleet.bundle (bundle_id, name, primary_asset_id) SELECT bundle_id, 'motor', 20 FROM gone;
\echo :SQLSTATE
BEGIN;
WITH gone AS (DELETE FROM fleet.coverage_term WHERE term_id = 11 RETURNING term_id)
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) SELECT term_id, 10, '2', '[2026-05-01,2026-06-01)' FROM gone;
:show
ROLLBACK;
BEGIN;
WITH gone AS (DELETE FROM fleet.contract WHERE contract_id = 10 RETURNING contract_id)
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during)
SELECT contract_id, 'C-1', 1, 'void', '[2026-01-01,2027-01-01)' FROM gone;
:show
ROLLBACK;

RESET ROLE;
SET client_min_messages = warning;
SELECT cec.drop_portfolio('fleet', 'fleet');
DROP ROLE regress_fleet_admin;
