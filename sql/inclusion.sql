-- Asset lists: what an account manager sees when lines are right, and when they are wrong.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include

SET ROLE regress_owner;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, kind, status, during) VALUES
	('S-1', 1, 'service', 'active', '[2026-01-01,2027-01-01)'),
	('S-2', 1, 'service', 'active', '[2026-01-01,2027-01-01)'),
	('W-1', 1, 'warranty', 'active', '[2026-01-01,2027-01-01)'),
	('D-1', 1, 'service', 'draft', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES
	(1, '1', '[2026-01-01,2027-01-01)'),
	(1, '2', '[2026-07-01,2027-01-01)'),
	(2, '1', '[2026-01-01,2027-01-01)'),
	(3, '1', '[2026-01-01,2027-01-01)'),
	(4, '1', '[2026-01-01,2027-01-01)');
RESET ROLE;
SET ROLE regress_registry;
INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer, status, commissioned_on, decommissioned_on) VALUES
	('PUMP-1', 'SN-100', 'Alpha', 'in_service', '2020-01-01', NULL),
	('PUMP-2', 'SN-200', 'Alpha', 'in_service', NULL, NULL),
	('PUMP-3', 'SN-200', 'Beta', 'in_service', NULL, NULL),
	('OLD-1', NULL, NULL, 'retired', '2010-01-01', '2025-06-30'),
	('LEAVING-1', NULL, NULL, 'in_service', NULL, '2026-03-31'),
	('NEW-1', NULL, NULL, 'planned', '2027-02-01', NULL),
	('NEW-2', NULL, NULL, 'planned', '2026-06-01', NULL),
	('000123', NULL, NULL, 'in_service', NULL, NULL),
	('123', NULL, NULL, 'in_service', NULL, NULL),
	(U&'\041E-1', NULL, NULL, 'in_service', NULL, NULL),
	(U&'\4E2D\6587-1', NULL, NULL, 'in_service', NULL, NULL);
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES
	(1, 'EIC', '11WPUMP-1------X', '[2020-01-01,)'),
	(2, 'former_tag', 'P2', '[2020-01-01,2026-01-01)'),
	(3, 'former_tag', 'P2', '[2026-01-01,)');
RESET ROLE;
SET ROLE regress_manager;

-- A line by tag, by serial number, by another identifier, by key.
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-1', '[2026-01-01,2026-02-01)');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'SN-100', '[2026-02-01,2026-03-01)');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, '11WPUMP-1------X', '[2026-03-01,2026-04-01)');
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 1, '[2026-04-01,2026-05-01)');
-- An identifier names whom it named on the days of the line: P2 was PUMP-2 and is PUMP-3.
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'P2', '[2026-01-01,2026-02-01)');
-- Leading zeros and look-alikes: as given, and two assets.
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES
	(1, '000123', '[2026-01-01,2026-02-01)'), (1, '123', '[2026-01-01,2026-02-01)'),
	(1, U&'\041E-1', '[2026-01-01,2026-02-01)');
-- Planned for later and leaving early are accepted where a day of cover is left.
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES
	(1, 'NEW-2', '[2026-01-01,2027-01-01)'), (1, 'LEAVING-1', '[2026-03-31,2027-01-01)');
-- A line that reaches beyond its term is accepted; the term limits what it covers.
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (2, 'PUMP-1', '[2026-01-01,)');
SELECT i.term_id, a.asset_tag, i.listed_as, i.effect, i.during
FROM fleet.inclusion i JOIN fleet.asset a USING (asset_id) ORDER BY i.inclusion_id;

-- Refused: the identifier.
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-11', '[2026-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'nothing like it', '[2026-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'pump-1', '[2026-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'O-1', '[2026-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, '0123', '[2026-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, '', '[2026-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'SN-200', '[2026-08-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'P2', '[2025-12-01,2026-12-01)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, during) VALUES (1, '[2026-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 999, '[2026-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, repeat('A', 1048576), '[2026-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, repeat('é', 60), '[2026-01-01,)')$$);

-- Refused: the asset's life.
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'OLD-1', '[2026-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'LEAVING-1', '[2026-04-01,2026-05-01)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'NEW-1', '[2026-01-01,2027-12-31)')$$);

-- Refused: the days, the term, the effect.
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-2', 'empty')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-2', '[2026-05-01,2026-04-01)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-2', '[2026-05-01,infinity)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-2', '[-infinity,2026-05-01)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-2', NULL)$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (2, 'PUMP-2', '[2026-01-01,2026-07-01)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (99, 'PUMP-2', '[2026-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (NULL, 'PUMP-2', '[2026-01-01,)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, effect, during) VALUES (1, 'PUMP-2', 'maybe', '[2026-01-01,)')$$);

-- Refused: listed twice; by another statement, within one statement. Days that only touch are accepted.
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-1', '[2026-01-31,2026-02-01)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES
	(1, 'PUMP-2', '[2026-02-01,2026-04-01)'), (1, 'PUMP-2', '[2026-03-31,2026-05-01)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES
	(1, 2, '(,2026-04-01)'), (1, 2, '[2026-03-31,)')$$);
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES
	(1, 'PUMP-2', '[2026-02-01,2026-04-01)'), (1, 'PUMP-2', '[2026-04-01,2026-05-01)');
-- Another effect or another term of the contract is another matter.
INSERT INTO fleet.inclusion (term_id, listed_as, effect, during) VALUES (1, 'PUMP-1', 'exclude', '[2026-01-10,2026-01-12)');
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, effect, during) VALUES (1, 'PUMP-1', 'exclude', '[2026-01-11,2026-01-20)')$$);

-- Refused: on another active contract of the same kind. Accepted: another kind; a draft covers nothing, so its lines are
-- neither in the way nor refused, whichever comes first.
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, 'PUMP-1', '[2026-01-31,2026-02-01)')$$);
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (4, 'PUMP-1', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (5, 'PUMP-1', '[2026-01-31,2026-02-01)');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (5, '123', '[2026-06-01,2026-07-01)');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, '123', '[2026-06-01,2026-07-01)');
-- Accepted where the other line covers nothing: carved out there, or carved out here.
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, 'PUMP-1', '[2026-01-10,2026-01-12)');
-- Accepted: the other contract is suspended on these days.
RESET ROLE;
UPDATE fleet.contract SET suspensions = '{[2026-02-10,2026-02-15)}' WHERE number = 'S-1';
SET ROLE regress_manager;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, 'PUMP-1', '[2026-02-10,2026-02-15)');
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, 'PUMP-1', '[2026-02-15,2026-02-16)')$$);
-- Accepted where the portfolio allows duplicates.
RESET ROLE;
UPDATE fleet.setting SET duplicates_allowed = true;
SET ROLE regress_manager;
BEGIN;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, 'PUMP-1', '[2026-02-15,2026-02-16)');
ROLLBACK;
RESET ROLE;
UPDATE fleet.setting SET duplicates_allowed = false;
SET ROLE regress_manager;

-- The same refusals by UPDATE, MERGE, ON CONFLICT, INSERT … SELECT.
SELECT test.refused($$UPDATE fleet.inclusion SET during = '[2026-01-01,2026-02-02)' WHERE inclusion_id = 1$$);
SELECT test.refused($$UPDATE fleet.inclusion SET asset_id = 4 WHERE inclusion_id = 1$$);
SELECT test.refused($$UPDATE fleet.inclusion SET term_id = 3, during = '[2026-02-15,2026-02-20)' WHERE inclusion_id = 3$$);
SELECT test.refused($$MERGE INTO fleet.inclusion i USING (VALUES ('PUMP-1', daterange('2026-01-15', '2026-01-16')), ('NO-1', '[2026-01-01,)'))
	AS n(tag, during) ON i.listed_as = n.tag AND i.during = n.during
	WHEN MATCHED THEN UPDATE SET note = 'merged' WHEN NOT MATCHED THEN INSERT (term_id, listed_as, during) VALUES (1, n.tag, n.during)$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (inclusion_id, term_id, listed_as, during) VALUES (1, 1, 'PUMP-1', '[2026-01-01,2026-02-02)')
	ON CONFLICT (inclusion_id) DO UPDATE SET during = excluded.during$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during)
	SELECT 1, asset_tag, '[2026-09-01,2026-10-01)' FROM fleet.asset$$);
-- No places where rows were left out on the way: those of the others are not known.
SELECT test.refused($$INSERT INTO fleet.inclusion (inclusion_id, term_id, listed_as, during) VALUES (1, 1, 'PUMP-2', '[2026-12-01,)'),
	(901, 1, 'PUMP-1', '[2026-01-01,2026-02-02)'), (902, 1, 'PUMP-1', '[2026-01-01,2026-02-03)') ON CONFLICT DO NOTHING$$);
-- Accepted by the same ways.
UPDATE fleet.inclusion SET during = '[2026-01-01,2026-01-31)', note = 'a day less' WHERE inclusion_id = 1;
MERGE INTO fleet.inclusion i USING (VALUES ('SN-100', daterange('2026-02-01', '2026-03-01')), ('PUMP-1', '[2026-05-01,2026-06-01)'))
	AS n(tag, during) ON i.listed_as = n.tag AND i.during = n.during
	WHEN MATCHED THEN UPDATE SET note = 'merged' WHEN NOT MATCHED THEN INSERT (term_id, listed_as, during, note) VALUES (1, n.tag, n.during, 'merged');
INSERT INTO fleet.inclusion (inclusion_id, term_id, listed_as, during) VALUES (1, 1, 'PUMP-1', '[2026-01-01,2026-02-01)')
	ON CONFLICT (inclusion_id) DO UPDATE SET during = excluded.during, note = 'upserted';
INSERT INTO fleet.inclusion (term_id, listed_as, during)
	SELECT 1, asset_tag, '[2026-09-01,2026-10-01)' FROM fleet.asset WHERE asset_tag LIKE '%23' ORDER BY asset_tag;
SELECT i.term_id, a.asset_tag, i.listed_as, i.effect, i.during, i.note
FROM fleet.inclusion i JOIN fleet.asset a USING (asset_id)
WHERE i.note IS NOT NULL OR lower(i.during) = '2026-09-01' ORDER BY a.asset_tag, i.during;

-- COPY: all wrong lines are told at once, the first ten by name.
SELECT test.row_count();
COPY fleet.inclusion (term_id, listed_as, during) FROM stdin;
3	PUMP-2	[2026-11-01,2026-12-01)
3	GONE-01	[2026-11-01,2026-12-01)
3	GONE-02	[2026-11-01,2026-12-01)
3	SN-200	[2026-11-01,2026-12-01)
3	OLD-1	[2026-11-01,2026-12-01)
3	NEW-1	[2026-11-01,2026-12-01)
3	GONE-03	[2026-11-01,2026-12-01)
3	GONE-04	[2026-11-01,2026-12-01)
3	GONE-05	[2026-11-01,2026-12-01)
3	GONE-06	[2026-11-01,2026-12-01)
3	GONE-07	[2026-11-01,2026-12-01)
3	GONE-08	[2026-11-01,2026-12-01)
3	PUMP-2	[2026-11-30,2027-01-01)
\.
SELECT test.row_count();
COPY fleet.inclusion (term_id, listed_as, during) FROM stdin;
3	\xff	[2026-11-01,2026-12-01)
\.
COPY fleet.inclusion (term_id, listed_as, during) FROM stdin;
3	PUMP-2	[2026-11-01
\.
\set VERBOSITY sqlstate
COPY fleet.inclusion (term_id, listed_as, during) FROM stdin;
3	GONE-01	[2026-11-01,2026-12-01)
\.
\set VERBOSITY default
SELECT test.row_count();
COPY fleet.inclusion (term_id, listed_as, during, note) FROM stdin;
3	PUMP-2	[2026-11-01,2026-12-01)	\N
3	000123	[2026-11-01,2026-12-01)	one day left, and a tab:\t.
\.
SELECT test.row_count();
SELECT listed_as, note FROM fleet.inclusion WHERE lower(during) = '2026-11-01' ORDER BY 1;

-- A statement that fails in a savepoint forgets its wrong lines.
BEGIN;
SAVEPOINT s;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, 'GONE-01', '[2026-12-01,)');
ROLLBACK TO s;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, 'PUMP-2', '[2026-12-01,)');
COMMIT;
-- What was accepted stays acceptable: days may be given up after the register has moved on.
RESET ROLE;
UPDATE fleet.asset SET status = 'retired', decommissioned_on = '2025-12-31' WHERE asset_tag = 'PUMP-2';
SET ROLE regress_manager;
UPDATE fleet.inclusion SET during = '[2026-12-01,2026-12-31)' WHERE term_id = 3 AND during = '[2026-12-01,)';
SELECT test.refused($$UPDATE fleet.inclusion SET during = '[2026-12-01,)' WHERE term_id = 3 AND during = '[2026-12-01,2026-12-31)'$$);

-- include_asset, exclude_asset, remove_asset.
SELECT inclusion_id > 0 AS is_listed FROM fleet.include_asset(2, 'PUMP-3', note => 'by function') AS inclusion_id;
SELECT fleet.include_asset(4, 'PUMP-3', '2026-03-01', '2026-03-01') > 0 AS is_listed;
SELECT fleet.include_asset(term_id => 4, identifier => 'PUMP-3', first_day => '2026-06-01', last_day => NULL, note => NULL) > 0 AS is_listed;
SELECT fleet.exclude_asset(4, 'PUMP-3', '2026-07-01', '2026-07-31', 'on loan') > 0 AS is_listed;
SELECT term_id, listed_as, effect, during, note FROM fleet.inclusion WHERE asset_id = 3 ORDER BY during, effect, term_id;
SELECT test.refused($$SELECT fleet.include_asset(99, 'PUMP-3')$$);
SELECT test.refused($$SELECT fleet.include_asset(NULL, 'PUMP-3')$$);
SELECT test.refused($$SELECT fleet.include_asset(4, NULL)$$);
SELECT test.refused($$SELECT fleet.include_asset(4, 'NO-1')$$);
SELECT test.refused($$SELECT fleet.include_asset(4, 'PUMP-3', '2026-05-02', '2026-05-01')$$);
SELECT test.refused($$SELECT fleet.include_asset(4, 'PUMP-3', 'infinity')$$);
SELECT test.refused($$SELECT fleet.include_asset(4, 'PUMP-3', '2028-01-01')$$);
SELECT test.refused($$SELECT fleet.include_asset(4, 'PUMP-3', NULL, '2024-12-31')$$);
SELECT test.refused($$SELECT fleet.exclude_asset(4, 'PUMP-3', '2026-07-31', '2026-08-01')$$);
-- remove_asset shortens what has begun, deletes what has not, leaves carve-outs and what ends earlier alone.
SELECT fleet.remove_asset(4, 'PUMP-3', '2026-06-15') AS rows_changed;
SELECT term_id, effect, during FROM fleet.inclusion WHERE asset_id = 3 AND term_id = 4 ORDER BY during, effect;
SELECT fleet.remove_asset(4, 'PUMP-3', '2026-02-28') AS rows_changed;
SELECT fleet.remove_asset(4, 'PUMP-3', '2026-02-28') AS rows_changed;
SELECT term_id, effect, during FROM fleet.inclusion WHERE asset_id = 3 AND term_id = 4 ORDER BY during, effect;
SELECT test.refused($$SELECT fleet.remove_asset(4, 'NO-1')$$);
SELECT test.refused($$SELECT fleet.remove_asset(99, 'PUMP-3')$$);
SELECT test.refused($$SELECT fleet.remove_asset(4, 'PUMP-3', 'infinity')$$);
-- Ambiguous only where both stand on the term.
SELECT fleet.include_asset(4, 'PUMP-3', '2026-08-01', '2026-08-31') > 0 AS is_listed;
SELECT fleet.remove_asset(4, 'SN-200', '2026-08-15') AS rows_changed;
RESET ROLE;
UPDATE fleet.asset SET status = 'in_service', decommissioned_on = NULL WHERE asset_tag = 'PUMP-2';
SET ROLE regress_manager;
SELECT fleet.include_asset(4, 'PUMP-2', '2026-08-01', '2026-08-31') > 0 AS is_listed;
SELECT test.refused($$SELECT fleet.remove_asset(4, 'SN-200', '2026-08-10')$$);
-- Without a day: today is the last one.
SELECT fleet.remove_asset(4, 'PUMP-3') >= 0 AS is_done;

-- Neither a list nor an asset on one goes unseen.
SELECT test.refused('TRUNCATE fleet.inclusion');
RESET ROLE;
SELECT test.refused('TRUNCATE fleet.inclusion');
SELECT test.refused('TRUNCATE fleet.customer CASCADE');
SET ROLE regress_registry;
SELECT test.refused($$DELETE FROM fleet.asset WHERE asset_tag = 'PUMP-1'$$);
DELETE FROM fleet.asset WHERE asset_tag = 'OLD-1';
RESET ROLE;

-- A client that cannot say it: stored, changed and recorded all the same.
SET ROLE regress_manager;
SET client_encoding = LATIN1;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, U&'\4E2D\6587-1', '[2026-01-01,2026-02-01)');
INSERT INTO fleet.inclusion (term_id, asset_id, during, note) VALUES (1, 11, '[2026-02-01,2026-03-01)', U&'caf\00E9 \4E2D');
UPDATE fleet.inclusion SET note = U&'\6587' WHERE asset_id = 11;
SELECT during FROM fleet.inclusion WHERE asset_id = 11 ORDER BY during;
-- The refusal names the line in characters that the client has not got: the server says that instead.
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, U&'\4E2D\6587-1', '[2026-01-31,2026-02-01)');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM fleet.inclusion WHERE asset_id = 11 AND during = '[2026-02-01,2026-03-01)';
RESET client_encoding;
SELECT listed_as, note FROM fleet.inclusion WHERE asset_id = 11;
RESET ROLE;
SELECT operation, old_row ->> 'note', new_row ->> 'note' FROM fleet.audit_entry
WHERE table_name = 'inclusion' AND asset_id = 11 ORDER BY audit_id;

\set include :source/sql/include/end.sql
\i :include
