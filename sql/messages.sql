-- Messages tell values of rows to those who may read them: not to who may merely write, nor to whom row-level security hides rows.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include

SET client_min_messages = notice;
CREATE ROLE regress_blind NOLOGIN;
CREATE ROLE regress_narrow NOLOGIN;
GRANT USAGE ON SCHEMA fleet TO regress_blind, regress_narrow;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA fleet TO regress_blind;
REVOKE INSERT, UPDATE, DELETE ON fleet.coverage, fleet.coverage_history, fleet.audit_log FROM regress_blind;
SELECT cec.grant_access('fleet', 'regress_narrow', 'admin');
INSERT INTO fleet.customer (customer_id, name) VALUES (901, 'SECRET-A');
INSERT INTO fleet.asset (asset_id, asset_tag, serial_number, commissioned_on, country) VALUES (901, 'SECRET-1', 'S-1', '2020-02-02', 'DE'), (902, 'SECRET-2', 'S-2', NULL, NULL), (903, 'SECRET-3', NULL, NULL, NULL);
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (901, 'SECRET-C', 901, 'draft', '[2026-01-01,)'), (902, 'SECRET-D', 901, 'draft', '[2026-01-01,)');
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (901, 901, 'SECRET-T', '[2026-01-01,)'), (902, 902, 'SECRET-U', '[2026-01-01,)');
INSERT INTO fleet.inclusion (inclusion_id, term_id, listed_as, during) VALUES (901, 901, 'SECRET-1', '[2026-01-01,2027-01-01)'), (902, 902, 'SECRET-1', '[2026-01-01,2027-01-01)');
UPDATE fleet.contract SET status = 'active' WHERE contract_id = 901;
INSERT INTO fleet.bundle (bundle_id, name, primary_asset_id) VALUES (901, 'SECRET-B', 902), (902, 'SECRET-E', 903);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (901, 903, '[2026-03-03,2026-04-04)');
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES (901, 901, 'SECRET-R', 'include', $$asset_tag = 'SECRET-2'$$, '(,)');

-- Each of these is refused, or warned of, with values of rows.
CREATE TABLE test.act (act_id integer, statement text);
INSERT INTO test.act VALUES
	(1, $$UPDATE fleet.asset SET decommissioned_on = '1999-09-09'$$),
	(2, $$UPDATE fleet.asset SET status = 'retired'$$),
	(3, $$UPDATE fleet.asset SET region = 'x'$$),
	(4, $$UPDATE fleet.asset SET asset_tag = repeat('y', 300)$$),
	(5, $$UPDATE fleet.contract SET number = ''$$),
	(6, $$UPDATE fleet.coverage_term SET during = '[2020-01-01,2021-01-01)'$$),
	(7, $$UPDATE fleet.inclusion SET during = '[2020-01-01,2021-01-01)'$$),
	(8, $$UPDATE fleet.inclusion SET term_id = 901$$),
	(9, $$INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (901, 901, '[2026-05-01,2026-06-01)')$$),
	(10, $$INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (902, 902, '[2026-01-01,2027-01-01)')$$),
	(11, $$DELETE FROM fleet.asset$$),
	(12, $$UPDATE fleet.contract SET status = 'active'$$),
	(13, $$UPDATE fleet.coverage_rule SET effect = 'exclude'$$),
	(14, $$UPDATE fleet.coverage_rule SET condition = 'nonsense'$$),
	(15, $$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (901, 'SECRET-1X', '[2026-05-01,2026-06-01)')$$),
	(16, $$UPDATE fleet.asset SET status = 'in service'$$),
	(17, $$UPDATE fleet.contract SET currency = 'eur'$$),
	(18, $$UPDATE fleet.asset SET country = 'UK'$$);
GRANT SELECT ON test.act TO PUBLIC;

-- As the owner: all of it is told.
SELECT test.refused(statement) FROM test.act WHERE act_id <> 12 ORDER BY act_id;
BEGIN;
UPDATE fleet.contract SET status = 'active';
ROLLBACK;
BEGIN;
DELETE FROM fleet.inclusion;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (901, 903, '[2025-01-01,)');
UPDATE fleet.contract SET status = 'terminated';
ROLLBACK;
-- By who may write and read nothing.
SET ROLE regress_blind;
SELECT line FROM test.act, test.refused(statement) AS line WHERE act_id <> 12 ORDER BY act_id;
BEGIN;
UPDATE fleet.contract SET status = 'active';
ROLLBACK;
BEGIN;
DELETE FROM fleet.inclusion;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (901, 903, '[2025-01-01,)');
UPDATE fleet.contract SET status = 'terminated';
ROLLBACK;
RESET ROLE;
-- By who may do everything, but not see past row-level security.
DO $$ DECLARE t text; BEGIN
	FOREACH t IN ARRAY ARRAY['asset', 'contract', 'coverage_term', 'inclusion', 'bundle', 'bundle_member', 'coverage_rule'] LOOP
		EXECUTE format('ALTER TABLE fleet.%I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY narrow ON fleet.%I TO regress_narrow USING (true)', t);
	END LOOP;
END $$;
SET ROLE regress_narrow;
SELECT line FROM test.act, test.refused(statement) AS line WHERE act_id <> 12 ORDER BY act_id;
BEGIN;
UPDATE fleet.contract SET status = 'active';
ROLLBACK;
BEGIN;
DELETE FROM fleet.inclusion;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (901, 903, '[2025-01-01,)');
UPDATE fleet.contract SET status = 'terminated';
ROLLBACK;
RESET ROLE;

DROP OWNED BY regress_blind, regress_narrow;
DROP ROLE regress_blind, regress_narrow;
\set include :source/sql/include/end.sql
\i :include
