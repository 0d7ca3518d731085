-- An asset of another customer: what is refused, who may, and what is written. docs/changing-lists.md has the cases.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include

SET ROLE regress_registry;
INSERT INTO fleet.customer (name, external_ref) VALUES ('Acme', 'ACME'), ('Brook', 'BROOK'), ('Creek', NULL);
INSERT INTO fleet.asset (asset_tag, customer_id, commissioned_on) SELECT 'PUMP-' || n, 1, '2020-01-01' FROM generate_series(1, 3) AS n;
INSERT INTO fleet.asset (asset_tag, customer_id) VALUES ('MOTOR-1', NULL), ('MOTOR-2', 3);
INSERT INTO fleet.service_request (asset_id, opened_at, severity) VALUES (1, '2025-06-10', 'high'), (4, '2025-06-10', 'high'), (5, '2025-06-10', 'low');
RESET ROLE;
SET ROLE regress_manager;
INSERT INTO fleet.contract (number, customer_id, kind, status, during) VALUES
	('A-1', 1, 'service', 'active', '[2025-01-01,2026-01-01)'), ('A-2', 1, 'warranty', 'active', '[2025-01-01,2025-04-01)'),
	('A-3', 1, 'lease', 'active', '[2025-01-01,)'), ('A-4', 1, 'service', 'void', '[2025-01-01,)'),
	('B-1', 2, 'service', 'active', '[2025-01-01,2026-01-01)'), ('B-2', 2, 'service', 'active', '[2025-01-01,2025-05-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) SELECT contract_id, '1', during FROM fleet.contract ORDER BY contract_id;
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('pump', 1), ('motor', 4);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 4, '[2025-01-01,)'), (2, 5, '[2025-01-01,)');
INSERT INTO fleet.inclusion (term_id, listed_as, effect, during) VALUES
	(1, 'PUMP-1', 'include', '[2025-01-01,2025-08-01)'), (1, 'PUMP-1', 'exclude', '[2025-02-01,2025-07-01)'), (1, 'PUMP-1', 'include', '[2025-10-01,)'),
	(2, 'PUMP-1', 'include', '[2025-01-01,)'), (3, 'PUMP-1', 'include', '[2025-03-01,2025-09-01)'), (4, 'PUMP-1', 'include', '[2025-01-01,)'),
	(5, 'PUMP-2', 'include', '[2025-01-01,)');
RESET ROLE;

-- Refused: who may do one half of it, or nothing.
SET ROLE regress_manager;
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'no_change')$$);
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'terminate')$$);
RESET ROLE;
SET ROLE regress_registry;
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'terminate')$$);
BEGIN;
SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'no_change');
ROLLBACK;
RESET ROLE;
SET ROLE regress_auditor;
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'no_change')$$);
RESET ROLE;

GRANT regress_registry TO regress_manager;
SET ROLE regress_manager;
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', NULL, 'no_change')$$);
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '-infinity', 'no_change')$$);
SELECT regexp_replace(test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2099-01-01', 'no_change')$$), 'today is .*', 'today is before.');
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'sell')$$);
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', NULL)$$);
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'transfer')$$);
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'terminate', 'B-1')$$);
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-9', 'BROOK', '2025-06-01', 'terminate')$$);
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', NULL, '2025-06-01', 'terminate')$$);
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'Creek', '2025-06-01', 'terminate')$$);
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'transfer', 'B-9')$$);
-- A source that owns to whom an asset belongs, all columns or that one, would give it back; lines of one that is its customer's already are one's own.
INSERT INTO fleet.asset_source (source, owned_columns) VALUES ('erp', NULL), ('crm', '{customer_id}'), ('cmms', '{model}');
UPDATE fleet.asset SET source = CASE asset_tag WHEN 'PUMP-1' THEN 'erp' WHEN 'PUMP-2' THEN 'crm' WHEN 'PUMP-3' THEN 'cmms' ELSE 'gis' END;
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'no_change')$$);
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-2', 'BROOK', '2025-06-01', 'terminate')$$);
BEGIN;
SELECT action, asset_tag, message FROM fleet.transfer_asset('PUMP-3', 'BROOK', '2025-06-01', 'no_change');
SELECT action, asset_tag, message FROM fleet.transfer_asset('MOTOR-2', 'BROOK', '2025-06-01', 'no_change');
SELECT action, asset_tag, term_id FROM fleet.transfer_asset('PUMP-2', 'ACME', '2025-06-01', 'terminate');
ROLLBACK;
UPDATE fleet.asset SET source = NULL;
DELETE FROM fleet.asset_source;
-- What the lists refuse: days that are none of the contract's.
SELECT test.refused($$SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'transfer', 'B-2')$$);

CREATE VIEW pg_temp.line AS SELECT i.term_id, a.asset_tag, i.listed_as, i.effect, i.during, a.customer_id
FROM fleet.inclusion i JOIN fleet.asset a USING (asset_id) ORDER BY a.asset_tag, i.term_id, lower(i.during), i.effect;
-- Lines of several contracts become one; members lose with their primary what they inherit.
BEGIN;
SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'transfer', 'B-1');
SELECT * FROM pg_temp.line;
ROLLBACK;
BEGIN;
SELECT * FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'terminate');
SELECT * FROM pg_temp.line;
ROLLBACK;
-- To whom it belongs already, where it stands already: the other lines, and the days that are not listed there.
BEGIN;
SELECT * FROM fleet.transfer_asset('PUMP-1', 'ACME', '2025-06-01', 'transfer', 'A-3');
SELECT * FROM fleet.transfer_asset('PUMP-1', 'ACME', '2025-06-01', 'transfer', 'A-3');
ROLLBACK;
-- An asset of nobody, and one whose customer has no number.
BEGIN;
SELECT * FROM fleet.transfer_asset('MOTOR-1', 'BROOK', '2025-06-01', 'no_change');
SELECT * FROM fleet.transfer_asset('MOTOR-2', 'BROOK', '2025-06-01', 'no_change');
ROLLBACK;
SET cec.actor = 'maria';
SELECT count(*) FROM fleet.transfer_asset('PUMP-1', 'BROOK', '2025-06-01', 'transfer', 'B-1');
RESET ROLE;
SELECT * FROM fleet.verify_coverage();
SELECT * FROM fleet.verify_replay();
SELECT * FROM fleet.verify_history();
SELECT table_name, operation, count(*) FROM fleet.audit_log WHERE actor = 'maria' GROUP BY 1, 2 ORDER BY 1, 2;

\set include :source/sql/include/end.sql
\i :include
