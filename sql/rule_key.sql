-- A row that rules read takes the place of another one: in one statement, or because its key was changed. Rules are decided
-- by what there is under the key afterwards, and what is open about them stands where they do.
SET datestyle = ISO;
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE ROLE regress_fleet_admin;
SELECT cec.create_portfolio('fleet');
SELECT cec.grant_access('fleet', 'regress_fleet_admin', 'admin');
SET ROLE regress_fleet_admin;
\pset null NULL
\set show 'SELECT asset_tag, contract_number, term_number, tier_code, is_stated, is_ruled FROM fleet.coverage_by_asset WHERE is_current ORDER BY 1, 2, 3; SELECT * FROM fleet.verify_coverage();'
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.service_tier (tier_id, code, name, rank) VALUES (1, 'GOLD', 'Gold', 2), (2, 'BASE', 'Base', 1);
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (1, 'C-1', 1, 'active', '(,)'), (2, 'C-2', 1, 'active', '(,)');
INSERT INTO fleet.coverage_term (term_id, contract_id, number, tier_id, during) VALUES (1, 1, '1', 1, '(,)'), (2, 2, '1', 2, '(,)');
INSERT INTO fleet.asset (asset_tag, category) VALUES ('pump', 'pump'), ('fan', 'fan');
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 2, '(,)');
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES
	(1, 1, 'golden pumps', 'include', 'category = ''pump'' AND tier_code = ''GOLD''', '(,)'),
	(2, 1, 'golden', 'require', 'tier_code = ''GOLD''', '(,)'),
	(3, 2, 'of C-2', 'include', 'contract_number = ''C-2''', '(,)');
:show

-- A tier, a term, a contract in the place of the one that was there.
BEGIN;
WITH gone AS (DELETE FROM fleet.service_tier WHERE tier_id = 1 RETURNING tier_id)
INSERT INTO fleet.service_tier (tier_id, code, name, rank) SELECT tier_id, 'SILVER', 'Silver', 1 FROM gone;
:show
ROLLBACK;
BEGIN;
WITH gone AS (DELETE FROM fleet.coverage_term WHERE term_id = 1 RETURNING *)
INSERT INTO fleet.coverage_term (term_id, contract_id, number, tier_id, during) SELECT term_id, contract_id, number, 2, during FROM gone;
:show
ROLLBACK;
BEGIN;
WITH gone AS (DELETE FROM fleet.contract WHERE contract_id = 2 RETURNING *)
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) SELECT contract_id, 'C-3', customer_id, status, during FROM gone;
:show
ROLLBACK;
-- By a key that was changed.
BEGIN;
UPDATE fleet.coverage_term SET tier_id = NULL WHERE term_id = 2;
WITH gone AS (DELETE FROM fleet.service_tier WHERE tier_id = 1 RETURNING tier_id)
UPDATE fleet.service_tier t SET tier_id = gone.tier_id FROM gone WHERE t.tier_id = 2;
:show
ROLLBACK;
-- And by MERGE.
BEGIN;
MERGE INTO fleet.service_tier t USING (VALUES (1, 'x'), (3, 'GOLD')) AS s(tier_id, code) ON t.tier_id = s.tier_id
	WHEN MATCHED THEN DELETE
	WHEN NOT MATCHED THEN INSERT (tier_id, code, name, rank) VALUES (1, s.code || '!', 'Other', 3);
:show
ROLLBACK;

-- A rule in the place of another one, and a rule whose key was changed. One that has acted on a day before cannot be deleted, and
-- midnight may strike at any time: so the one that goes is suspended. For the same reason nothing is said of cover twice.
SET client_min_messages = warning;
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during, state) VALUES (7, 2, 'pumps', 'include', 'category = ''pump''', '(,)', 'suspended');
BEGIN;
WITH gone AS (DELETE FROM fleet.coverage_rule WHERE rule_id = 7 RETURNING *)
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) SELECT rule_id, 1, 'fans', 'include', 'category = ''fan''', during FROM gone;
:show
ROLLBACK;
BEGIN;
MERGE INTO fleet.coverage_rule r USING (VALUES (7, 7), (3, 3), (9, 7)) AS s(rule_id, new_id) ON r.rule_id = s.rule_id
	WHEN MATCHED AND s.rule_id = 7 THEN DELETE
	WHEN MATCHED THEN UPDATE SET condition = 'category = ''pump'''
	WHEN NOT MATCHED THEN INSERT (rule_id, term_id, name, effect, condition, during) VALUES (s.new_id, 1, 'fans', 'include', 'category = ''fan''', '(,)');
:show
ROLLBACK;
DELETE FROM fleet.coverage_rule WHERE rule_id = 7;
RESET client_min_messages;

-- What is open about rules goes with their term and their key; nothing of it has acted.
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during, on_unknown) VALUES
	(11, 2, 'known', 'include', 'country = ''DE''', '(,)', 'flag'), (12, 2, 'fails', 'include', '1 / (asset_id - 1) > 5', '(,)', 'deny'), (13, 2, 'waits', 'include', '1 / (asset_id - 1) > 5', '(,)', 'deny');
UPDATE fleet.coverage_rule SET state = 'suspended' WHERE rule_id = 13;
\set open 'SELECT rule_id, asset_id, kind, contract_id, term_id, detail FROM fleet.finding WHERE closed_at IS NULL AND rule_id IS NOT NULL ORDER BY 1, 2;'
:open
UPDATE fleet.coverage_term SET contract_id = 1, number = '2' WHERE term_id = 2;
:open
UPDATE fleet.coverage_rule SET term_id = 1 WHERE rule_id = 12;
UPDATE fleet.coverage_rule SET rule_id = 21 WHERE rule_id = 11;
:open
WITH gone AS (DELETE FROM fleet.coverage_term WHERE term_id = 2 RETURNING *)
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) SELECT term_id, 2, number, during FROM gone;
:open
SELECT count(*) FROM fleet.verify_replay();

RESET ROLE;
SET client_min_messages = warning;
SELECT cec.drop_portfolio('fleet', 'fleet');
DROP ROLE regress_fleet_admin;
