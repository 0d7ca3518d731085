-- One asset in the place of another: what is refused, who may, and what is written. docs/changing-lists.md has the cases.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include

SET ROLE regress_owner;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, kind, status, during) VALUES
	('S-1', 1, 'service', 'active', '[2040-01-01,2041-01-01)'),
	('S-2', 1, 'service', 'active', '[2040-01-01,2041-01-01)'),
	('D-1', 1, 'service', 'draft', '[2040-01-01,2041-01-01)'),
	('V-1', 1, 'service', 'void', '[2040-01-01,2041-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during)
SELECT contract_id, '1', '[2040-01-01,2041-01-01)' FROM fleet.contract;
RESET ROLE;
SET ROLE regress_registry;
INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer, commissioned_on, decommissioned_on) VALUES
	('PUMP-1', 'SN-1', 'Alpha', '2020-01-01', NULL),
	('PUMP-2', 'SN-2', 'Alpha', '2020-01-01', NULL),
	('PUMP-3', 'SN-2', 'Beta', '2020-01-01', NULL),
	('PUMP-4', 'SN-4', 'Beta', '2020-01-01', '2040-03-31'),
	('MOTOR-1', NULL, NULL, '2020-01-01', NULL),
	('MOTOR-2', NULL, NULL, '2020-01-01', NULL),
	('STATION-1', NULL, NULL, '2020-01-01', NULL);
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (1, 'former_tag', 'P1', '[2020-01-01,2040-01-01)');
RESET ROLE;
SET ROLE regress_manager;
INSERT INTO fleet.inclusion (term_id, listed_as, effect, during, note) VALUES
	(1, 'PUMP-1', 'include', '[2040-01-01,2040-07-01)', 'first'),
	(1, 'PUMP-1', 'include', '[2040-09-01,)', NULL),
	(1, 'PUMP-1', 'exclude', '[2040-02-15,2040-03-15)', 'overhaul'),
	(1, 'PUMP-1', 'exclude', '[2040-03-20,2040-03-25)', NULL),
	(3, 'PUMP-1', 'include', '[2040-01-01,2041-01-01)', NULL),
	(4, 'PUMP-1', 'include', '[2040-01-01,2041-01-01)', NULL),
	(2, 'PUMP-2', 'include', '[2040-06-01,2041-01-01)', NULL);
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('pump', 1), ('station', 7);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES
	(1, 5, '[2040-01-01,2041-01-01)'), (1, 6, '[2040-04-01,2041-01-01)'), (2, 1, '[2040-01-01,2041-01-01)'), (2, 1, '[2041-03-01,2042-01-01)');

-- Refused: arguments.
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-3', NULL, 'restart')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-3', 'infinity', 'restart')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-3', '2040-05-01', 'overlap', 'infinity')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-3', '2040-05-01', 'replace')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-3', '2040-05-01', NULL)$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-3', '2040-05-01', 'overlap')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-3', '2040-05-01', 'overlap', '2040-04-30')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-3', '2040-05-01', 'restart', '2040-05-14')$$);
-- Names: none, unknown, ambiguous; the new asset by what it is called on the day.
SELECT test.refused($$SELECT * FROM fleet.swap_asset(NULL, 'PUMP-3', '2040-05-01', 'restart')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', NULL, '2040-05-01', 'restart')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-9', 'PUMP-3', '2040-05-01', 'restart')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-9', '2040-05-01', 'restart')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'SN-2', '2040-05-01', 'restart')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-2', 'P1', '2040-05-01', 'restart')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'SN-1', '2040-05-01', 'restart')$$);
-- What the lists refuse: already listed, on another contract of the kind, retired, its own primary.
BEGIN;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-3', '[2040-12-01,2041-01-01)');
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-3', '2040-05-01', 'restart')$$);
ROLLBACK;
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-2', '2040-05-01', 'carry_remaining')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-4', '2040-05-01', 'carry_remaining')$$);
SELECT test.refused($$SELECT * FROM fleet.swap_asset('MOTOR-1', 'STATION-1', '2040-05-01', 'carry_remaining')$$);
RESET ROLE;

-- Refused: who may not change lists.
SET ROLE regress_registry;
SELECT test.refused($$SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-3', '2040-05-01', 'carry_remaining')$$);
SELECT test.refused($$SELECT * FROM cec.swap_asset('fleet', 'PUMP-1', 'PUMP-3', '2040-05-01', 'carry_remaining', NULL)$$);
SELECT test.refused($$SELECT cec._lock_listed('fleet'::regnamespace, '{1}')$$);
RESET ROLE;

-- All of it at once; the old one by a name that it had, the new one by its serial number.
SET ROLE regress_manager;
SET cec.actor = 'maria';
CREATE VIEW pg_temp.line AS SELECT i.term_id, a.asset_tag, i.listed_as, i.effect, i.during, i.note
FROM fleet.inclusion i JOIN fleet.asset a USING (asset_id) ORDER BY i.term_id, lower(i.during), a.asset_tag, i.effect;
CREATE VIEW pg_temp.membership AS SELECT b.bundle_id, b.name, p.asset_tag AS primary_asset, a.asset_tag, m.during
FROM fleet.bundle b JOIN fleet.asset p ON p.asset_id = b.primary_asset_id LEFT JOIN fleet.bundle_member m USING (bundle_id)
	LEFT JOIN fleet.asset a ON a.asset_id = m.asset_id ORDER BY b.bundle_id, a.asset_tag, m.during;
SELECT test.refused($$SELECT * FROM fleet.swap_asset('P1', 'SN-4', '2040-03-01', 'carry_remaining')$$);
BEGIN;
SELECT * FROM fleet.swap_asset('P1', 'PUMP-3', '2040-03-01', 'carry_remaining');
SELECT * FROM pg_temp.line;
SELECT * FROM pg_temp.membership;
SELECT a.asset_tag, v.term_id, v.during, v.is_stated, v.is_inherited FROM fleet.coverage v JOIN fleet.asset a USING (asset_id)
ORDER BY a.asset_tag, v.term_id, v.during;
-- Back again.
SELECT * FROM fleet.swap_asset('PUMP-3', 'PUMP-1', '2040-06-01', 'carry_remaining');
ROLLBACK;
-- The new one is the primary of a bundle that the old one is a member of, and has members of the old one's bundle below it.
BEGIN;
SELECT * FROM fleet.swap_asset('PUMP-1', 'STATION-1', '2040-10-01', 'carry_remaining');
SELECT * FROM pg_temp.membership;
ROLLBACK;
-- Side by side: a carve-out is kept as long as the old one is covered.
BEGIN;
SELECT * FROM fleet.swap_asset('P1', 'PUMP-3', '2040-03-01', 'overlap', '2040-03-21');
SELECT * FROM pg_temp.line;
SELECT * FROM pg_temp.membership;
ROLLBACK;
-- The end of the old one's line comes before the end of the overlap.
BEGIN;
SELECT * FROM fleet.swap_asset('PUMP-2', 'PUMP-3', '2040-12-01', 'overlap', '2041-06-30');
ROLLBACK;
-- Restarted: for the length of the line, and not past the term.
BEGIN;
DELETE FROM fleet.inclusion WHERE term_id = 1 AND lower(during) = '2040-09-01';
SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-3', '2040-05-01', 'restart');
ROLLBACK;
BEGIN;
SELECT * FROM fleet.swap_asset('PUMP-2', 'PUMP-3', '2040-12-01', 'restart');
ROLLBACK;
-- What is restarted runs around lines that move: two that adjoin, one of a few days, one that begins later.
BEGIN;
UPDATE fleet.inclusion SET during = '[2040-07-01,2040-07-11)' WHERE term_id = 1 AND lower(during) = '2040-09-01';
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-1', '[2040-10-20,)');
SELECT * FROM fleet.swap_asset('PUMP-1', 'PUMP-3', '2040-05-01', 'restart');
SELECT * FROM pg_temp.line WHERE term_id = 1 AND effect = 'include';
ROLLBACK;
-- Nothing before it was covered is lost or gained, and every change is recorded.
SELECT count(*) FROM fleet.swap_asset('P1', 'PUMP-3', '2040-03-01', 'carry_remaining');
RESET ROLE;
SELECT * FROM fleet.verify_coverage();
SELECT * FROM fleet.verify_replay();
SELECT * FROM fleet.verify_history();
SELECT table_name, operation, actor, count(*) FROM fleet.audit_log WHERE actor = 'maria' GROUP BY 1, 2, 3 ORDER BY 1, 2;

\set include :source/sql/include/end.sql
\i :include
