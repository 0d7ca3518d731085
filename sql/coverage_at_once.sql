-- Statements with several parts fire a trigger each, all of them after all rows have changed: MERGE, ON CONFLICT, WITH over
-- lists, bundles, rules, contracts, terms and the register. Cover is what the definition says after each, and so is the log.
SET datestyle = ISO;
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT cec.create_portfolio('fleet');
\set show 'SELECT asset_tag, contract_number, term_number, is_stated AS s, is_ruled AS r, is_inherited AS i FROM fleet.coverage_now ORDER BY 1, 2, 3; SELECT * FROM fleet.verify_coverage(); SELECT * FROM fleet.verify_replay();'
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.service_tier (code, name, rank) VALUES ('BASE', 'Base', 1), ('GOLD', 'Gold', 2);
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '(,)'), ('C-2', 1, 'draft', '(,)');
INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during) VALUES (1, '1', 1, '(,)'), (2, '1', 2, '(,)');
INSERT INTO fleet.asset (asset_tag, category) VALUES ('pump', 'pump'), ('motor', 'motor'), ('fan', 'fan'), ('gauge', NULL);
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('pump', 1);

-- WITH: a list, a bundle and a rule at once; then the other way round.
BEGIN;
WITH member AS (INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '(,)')),
	rule AS (INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'fans', 'include', 'category = ''fan''', '(,)'), (1, 'no motors', 'exclude', 'category = ''motor'' AND tier_code = ''GOLD''', '(,)'))
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 1, '(,)'), (2, 4, '(,)');
:show
WITH line AS (DELETE FROM fleet.inclusion WHERE asset_id = 1), fact AS (UPDATE fleet.asset SET category = 'fan' WHERE asset_id = 1),
	tier AS (UPDATE fleet.service_tier SET code = code || '!', rank = 3 WHERE tier_id = 1), contract AS (UPDATE fleet.contract SET status = 'active' WHERE contract_id = 2),
	term AS (UPDATE fleet.coverage_term SET tier_id = 2 WHERE term_id = 1)
UPDATE fleet.coverage_rule SET condition = condition || ' AND true';
:show
-- A rule takes the place of another one that has acted today.
WITH gone AS (DELETE FROM fleet.coverage_rule RETURNING *), member AS (DELETE FROM fleet.bundle_member), fact AS (UPDATE fleet.asset SET category = 'motor')
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) SELECT rule_id, 3 - term_id, name, 'include', condition, during FROM gone WHERE name = 'fans';
:show
ROLLBACK;
-- A rule that has never acted goes to another term, and a line comes to the term that it leaves.
BEGIN;
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'none', 'exclude', 'true', '(,)');
WITH rule AS (UPDATE fleet.coverage_rule SET term_id = 2 RETURNING 1)
INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 1, 1, '(,)' FROM rule;
:show
ROLLBACK;

-- MERGE with all three kinds.
BEGIN;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 1, '(,)'), (1, 3, '(,)');
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '(,)'), (1, 3, '(,)');
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES (1, 1, 'a', 'include', 'category IS NULL', '(,)'), (2, 1, 'b', 'require', 'category <> ''fan''', '(,)');
MERGE INTO fleet.inclusion i USING (VALUES (1), (3), (4)) AS s(asset_id) ON i.asset_id = s.asset_id
	WHEN MATCHED AND s.asset_id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET asset_id = 1 WHEN NOT MATCHED THEN INSERT (term_id, asset_id, during) VALUES (1, s.asset_id, '(,)');
:show
MERGE INTO fleet.bundle_member m USING (VALUES (2), (3), (4)) AS s(asset_id) ON m.asset_id = s.asset_id
	WHEN MATCHED AND s.asset_id = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET asset_id = 2 WHEN NOT MATCHED THEN INSERT (bundle_id, asset_id, during) VALUES (1, 3, '(,)');
:show
MERGE INTO fleet.coverage_rule r USING (VALUES (1), (2), (3)) AS s(rule_id) ON r.rule_id = s.rule_id
	WHEN MATCHED AND s.rule_id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET condition = 'category = ''motor'''
	WHEN NOT MATCHED THEN INSERT (rule_id, term_id, name, effect, condition, during) VALUES (1, 1, 'c', 'include', 'category = ''fan''', '(,)');
:show
ROLLBACK;

-- ON CONFLICT: rows that are new and rows that are there.
BEGIN;
INSERT INTO fleet.inclusion (inclusion_id, term_id, asset_id, during) VALUES (1, 1, 1, '(,)');
INSERT INTO fleet.inclusion (inclusion_id, term_id, asset_id, during) VALUES (1, 1, 2, '(,)'), (2, 1, 1, '(,)') ON CONFLICT (inclusion_id) DO UPDATE SET asset_id = excluded.asset_id;
:show
INSERT INTO fleet.bundle (bundle_id, name, primary_asset_id) VALUES (1, 'motor', 2), (2, 'pump', 1) ON CONFLICT (bundle_id) DO UPDATE SET primary_asset_id = excluded.primary_asset_id;
INSERT INTO fleet.bundle_member (member_id, bundle_id, asset_id, during) VALUES (1, 1, 3, '(,)'), (2, 2, 4, '(,)');
INSERT INTO fleet.bundle_member (member_id, bundle_id, asset_id, during) VALUES (1, 2, 4, '(,)'), (3, 1, 4, '(,)') ON CONFLICT (member_id) DO UPDATE SET asset_id = excluded.asset_id, during = '(,2020-01-01)';
:show
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES (1, 1, 'a', 'exclude', 'category = ''pump''', '(,)');
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES (1, 1, 'a', 'exclude', 'category IS NULL', '(,)'), (2, 1, 'b', 'include', 'category = ''fan''', '(,)')
	ON CONFLICT (rule_id) DO UPDATE SET condition = excluded.condition;
:show
INSERT INTO fleet.asset (asset_id, asset_tag, category) VALUES (1, 'x', 'fan'), (5, 'fifth', 'fan') ON CONFLICT (asset_id) DO UPDATE SET category = NULL, status = 'planned';
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (1, 'x', 1, 'active', '(,)'), (3, 'C-3', 1, 'active', '(,)') ON CONFLICT (contract_id) DO UPDATE SET suspensions = '{[2020-01-01,2020-02-01)}', number = excluded.number;
:show
ROLLBACK;
SELECT cec.drop_portfolio('fleet', 'fleet');
