-- A contract that ends early: what is refused, who may, and what is written. docs/changing-lists.md has the cases.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include

SET ROLE regress_registry;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.asset (asset_tag, commissioned_on) SELECT 'PUMP-' || n, '2020-01-01' FROM generate_series(1, 5) AS n;
INSERT INTO fleet.service_request (asset_id, opened_at, closed_at, severity) VALUES
	(1, '2040-03-10', NULL, 'high'), (1, '2040-08-10', NULL, 'high'), (2, '2040-08-11', NULL, 'low'), (1, '2040-08-12', '2040-08-13', 'low');
RESET ROLE;
-- Contracts and terms are the manager's, too.
SET ROLE regress_manager;
INSERT INTO fleet.contract (number, customer_id, kind, status, during) VALUES
	('S-1', 1, 'service', 'active', '[2040-01-01,2041-01-01)'), ('S-2', 1, 'lease', 'active', '[2040-01-01,)'),
	('D-1', 1, 'service', 'draft', '[2040-01-01,2041-01-01)'), ('V-1', 1, 'service', 'void', '[2040-01-01,2041-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES
	(1, '1', '[2040-01-01,2041-01-01)'), (1, '2', '[2040-09-01,2041-01-01)'), (2, '1', '[2040-01-01,)');
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('pump', 1);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 3, '[2040-03-01,2040-11-01)');
INSERT INTO fleet.inclusion (term_id, listed_as, effect, during) VALUES
	(1, 'PUMP-1', 'include', '[2040-01-01,)'), (1, 'PUMP-1', 'exclude', '[2040-02-01,2040-02-15)'), (2, 'PUMP-4', 'include', '[2040-01-01,)'),
	(1, 'PUMP-5', 'include', '[2040-01-01,2040-03-01)'), (3, 'PUMP-2', 'include', '[2040-01-01,)');

SELECT test.refused($$SELECT * FROM fleet.terminate_contract(NULL, '2040-06-30')$$);
SELECT test.refused($$SELECT * FROM fleet.terminate_contract('S-7', '2040-06-30')$$);
SELECT test.refused($$SELECT * FROM fleet.terminate_contract('S-1', NULL)$$);
SELECT test.refused($$SELECT * FROM fleet.terminate_contract('S-1', '-infinity')$$);
SELECT test.refused($$SELECT * FROM fleet.terminate_contract('S-1', '2039-12-31')$$);
SELECT test.refused($$SELECT * FROM fleet.terminate_contract('S-1', '2041-01-01')$$);
SELECT test.refused($$SELECT * FROM fleet.terminate_contract('D-1', '2040-06-30')$$);
SELECT test.refused($$SELECT * FROM fleet.terminate_contract('V-1', '2040-06-30')$$);
RESET ROLE;
SET ROLE regress_registry;
SELECT test.refused($$SELECT * FROM fleet.terminate_contract('S-1', '2040-06-30')$$);
SELECT test.refused($$SELECT * FROM cec.terminate_contract('fleet', 'S-1', '2040-06-30')$$);
RESET ROLE;

SET ROLE regress_manager;
SET cec.actor = 'maria';
CREATE VIEW pg_temp.cover AS SELECT a.asset_tag, v.term_id, v.during, v.is_stated, v.is_inherited
FROM fleet.coverage v JOIN fleet.asset a USING (asset_id) ORDER BY a.asset_tag, v.term_id, v.during;
SELECT * FROM fleet.terminate_contract('S-1', '2040-06-30');
SELECT * FROM pg_temp.cover;
-- Earlier still; a term is dropped once. One without end.
SELECT * FROM fleet.terminate_contract('S-1', '2040-02-10');
SELECT * FROM fleet.terminate_contract('S-2', '2040-07-31');
SELECT * FROM pg_temp.cover;
SELECT number, status, during FROM fleet.contract ORDER BY number;
-- With its own last day: its status alone.
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('S-3', 1, 'active', '[2040-01-01,2041-01-01)');
SELECT * FROM fleet.terminate_contract('S-3', '2040-12-31');
RESET ROLE;
SELECT * FROM fleet.verify_coverage();
SELECT * FROM fleet.verify_replay();
SELECT * FROM fleet.verify_history();
SELECT table_name, operation, contract_id, count(*) FROM fleet.audit_log WHERE actor = 'maria' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

\set include :source/sql/include/end.sql
\i :include
