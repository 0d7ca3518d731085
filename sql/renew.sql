-- A contract that is renewed: what is refused, who may, and what is written. docs/changing-lists.md has the cases.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include

SET ROLE regress_registry;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.asset (asset_tag, status, commissioned_on, decommissioned_on, out_of_service, tag_symbology) VALUES
	('PUMP-1', 'in_service', '2020-01-01', NULL, '{}', 'code39'), ('PUMP-2', 'in_service', '2020-01-01', '2040-12-31', '{}', 'code39'),
	('PUMP-3', 'in_service', '2020-01-01', NULL, '{[2040-12-01,2041-02-01)}', 'code39'), ('PUMP-4', 'planned', '2041-06-01', NULL, '{}', 'code39'),
	('PUMP-5', 'in_service', NULL, '2041-01-01', '{}', 'code39'), ('pump-6', 'in_service', NULL, NULL, '{}', 'code39'),
	('PUMP-7', 'in_storage', NULL, NULL, '{}', 'code39'), ('MOTOR-1', 'in_service', NULL, NULL, '{}', 'code39');
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (1, 'former_tag', 'P1', '[2020-01-01,2040-06-01)');
RESET ROLE;
SET ROLE regress_owner;
INSERT INTO fleet.service_tier (code, name, rank) VALUES ('gold', 'Gold', 1);
RESET ROLE;
SET ROLE regress_manager;
INSERT INTO fleet.contract (number, customer_id, account_manager, kind, status, during, time_zone, currency, governing_country, boundary, suspensions, priority, notice_days) VALUES
	('L-1', 1, 'maria', 'lease', 'active', '[2040-01-01,2041-01-01)', 'Europe/Berlin', 'EUR', 'DE',
		'SRID=4326;MULTIPOLYGON(((5 47,15 47,15 55,5 55,5 47)))', '{[2040-08-01,2040-08-15)}', 7, 90),
	('O-1', 1, NULL, 'service', 'active', '[2040-01-01,)', 'UTC', NULL, NULL, NULL, '{}', 100, NULL),
	('V-1', 1, NULL, 'service', 'void', '[2040-01-01,2041-01-01)', 'UTC', NULL, NULL, NULL, '{}', 100, NULL),
	('E-1', 1, NULL, 'service', 'terminated', '[2040-01-01,2040-07-01)', 'UTC', NULL, NULL, NULL, '{}', 100, NULL);
INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during, price, price_basis, proration, covers_bundles, bundle_billing) VALUES
	(1, '1', 1, '[2040-01-01,2041-01-01)', 930, 'per_unit_month', 'thirty_360', true, 'included'),
	(1, '2', NULL, '[2040-03-01,)', NULL, NULL, 'actual_days', false, 'each'),
	(1, '10', NULL, '[2040-01-01,2040-12-31)', 100, 'per_unit_day', 'actual_days', true, 'each');
INSERT INTO fleet.term_price (term_id, first_day, price) VALUES (1, '2040-02-01', 950), (1, '2040-11-01', 1000.10), (1, '2041-01-01', 7);
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES
	(1, 'runs', 'require', 'asset_tag <> ''X''', '[2040-01-01,)'), (2, 'ends', 'exclude', 'status = ''in_repair''', '[2040-01-01,2041-01-01)'),
	(1, 'ended', 'exclude', 'status = ''in_repair''', '[2040-01-01,2040-12-31)'), (3, 'of a term that ends', 'exclude', 'status = ''in_repair''', '[2040-01-01,)');
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('pump', 1);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 8, '[2040-01-01,)');
INSERT INTO fleet.inclusion (term_id, listed_as, effect, during, note) VALUES
	(1, 'P1', 'include', '[2040-01-01,2040-03-01)', NULL), (1, 'PUMP-1', 'include', '[2040-05-01,)', 'kept'), (1, 'PUMP-1', 'exclude', '[2040-12-01,)', NULL),
	(1, 'PUMP-2', 'include', '[2040-01-01,)', NULL), (1, 'PUMP-3', 'include', '[2040-01-01,)', NULL),
	(2, 'PUMP-5', 'include', '[2040-01-01,2042-01-01)', NULL), (1, 'pump-6', 'include', '[2040-12-31,2041-01-01)', NULL),
	(1, 'PUMP-7', 'include', '[2040-01-01,2040-12-31)', NULL), (3, 'PUMP-7', 'include', '[2040-01-01,)', NULL);
UPDATE fleet.inclusion SET during = '[2040-01-01,)' WHERE false;
RESET ROLE;
-- What was accepted before is planned for later by now.
SET ROLE regress_registry;
UPDATE fleet.asset SET commissioned_on = NULL, status = 'in_service' WHERE asset_tag = 'PUMP-4';
RESET ROLE;
SET ROLE regress_manager;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-4', '[2040-01-01,)');
RESET ROLE;
SET ROLE regress_registry;
UPDATE fleet.asset SET commissioned_on = '2041-06-01', status = 'planned' WHERE asset_tag = 'PUMP-4';
RESET ROLE;

SET ROLE regress_manager;
SELECT test.refused($$SELECT * FROM fleet.renew_contract(NULL, 'L-2', '2041-01-01', '2041-12-31')$$);
SELECT test.refused($$SELECT * FROM fleet.renew_contract('L-1', NULL, '2041-01-01', '2041-12-31')$$);
SELECT test.refused($$SELECT * FROM fleet.renew_contract('L-1', 'L-2', NULL, '2041-12-31')$$);
SELECT test.refused($$SELECT * FROM fleet.renew_contract('L-1', 'L-2', '2041-01-01', 'infinity')$$);
SELECT test.refused($$SELECT * FROM fleet.renew_contract('L-1', 'L-2', '2041-12-31', '2041-01-01')$$);
SELECT test.refused($$SELECT * FROM fleet.renew_contract('L-1', 'L-2', '2041-01-01', '2041-12-31', -100.1)$$);
SELECT test.refused($$SELECT * FROM fleet.renew_contract('L-1', 'L-2', '2041-01-01', '2041-12-31', 'NaN')$$);
SELECT test.refused($$SELECT * FROM fleet.renew_contract('L-1', 'L-2', '2041-01-01', '2041-12-31', NULL)$$);
SELECT test.refused($$SELECT * FROM fleet.renew_contract('L-9', 'L-2', '2041-01-01', '2041-12-31')$$);
SELECT test.refused($$SELECT * FROM fleet.renew_contract('L-1', 'O-1', '2041-01-01', '2041-12-31')$$);
SELECT test.refused($$SELECT * FROM fleet.renew_contract('L-1', '', '2041-01-01', '2041-12-31')$$);
SELECT test.refused($$SELECT * FROM fleet.renew_contract('O-1', 'L-2', '2041-01-01', '2041-12-31')$$);
SELECT test.refused($$SELECT * FROM fleet.renew_contract('V-1', 'L-2', '2041-01-01', '2041-12-31')$$);
RESET ROLE;
SET ROLE regress_registry;
SELECT test.refused($$SELECT * FROM fleet.renew_contract('L-1', 'L-2', '2041-01-01', '2041-12-31')$$);
SELECT test.refused($$SELECT * FROM cec.renew_contract('fleet', 'L-1', 'L-2', '2041-01-01', '2041-12-31', 0)$$);
RESET ROLE;

SET ROLE regress_manager;
SET cec.actor = 'maria';
SELECT * FROM fleet.renew_contract('L-1', 'L-2', '2041-01-01', '2041-12-31', 3.5);
SELECT number, customer_id, account_manager, kind, status, during, time_zone, currency, governing_country, ST_AsText(boundary), suspensions, priority,
	notice_days, predecessor_id FROM fleet.contract WHERE number IN ('L-1', 'L-2') ORDER BY number;
SELECT t.number, t.tier_id, t.during, t.price, t.price_basis, t.proration, t.covers_bundles, t.bundle_billing
FROM fleet.coverage_term t JOIN fleet.contract c USING (contract_id) WHERE c.number = 'L-2' ORDER BY length(t.number), t.number;
SELECT r.term_id, r.name, r.effect, r.condition, r.during, r.on_unknown, r.state FROM fleet.coverage_rule r ORDER BY r.term_id, r.name;
SELECT i.term_id, a.asset_tag, i.listed_as, i.effect, i.during, i.note FROM fleet.inclusion i JOIN fleet.asset a USING (asset_id)
	JOIN fleet.coverage_term t USING (term_id) JOIN fleet.contract c USING (contract_id) WHERE c.number = 'L-2' ORDER BY a.asset_tag;
-- A draft covers nothing; what it renews is no duplicate when it begins.
SELECT count(*) FROM fleet.coverage v JOIN fleet.coverage_term t USING (term_id) JOIN fleet.contract c USING (contract_id) WHERE c.number = 'L-2';
SET client_min_messages = notice;
UPDATE fleet.contract SET status = 'active' WHERE number = 'L-2';
RESET client_min_messages;
-- One that was terminated, without terms, for a single day, at no price.
SELECT * FROM fleet.renew_contract('E-1', 'E-2', '2040-07-01', '2040-07-01', -100);
RESET ROLE;
-- Tags that cannot be scanned, where the setting says so.
SET ROLE regress_owner;
UPDATE fleet.setting SET refuse_unscannable = true;
SELECT action, asset_tag, term_id, first_day, last_day, message FROM fleet.renew_contract('L-1', 'L-3', '2042-01-01', '2042-12-31', -100)
WHERE asset_tag IS NULL OR asset_tag = 'pump-6';
RESET ROLE;
SELECT asset_id, term_id, valid_from FROM fleet.verify_coverage();
SELECT * FROM fleet.verify_replay();
SELECT * FROM fleet.verify_history();
SELECT table_name, operation, count(*) FROM fleet.audit_log WHERE actor = 'maria' GROUP BY 1, 2 ORDER BY 1, 2;

\set include :source/sql/include/end.sql
\i :include
