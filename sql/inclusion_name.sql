-- What a list line is listed as and which asset it lists: the name alone says which, and both together must agree.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SET ROLE regress_owner;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('S-1', 1, 'active', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer) VALUES ('PUMP', 'SN-1', 'Alpha'), ('FAN', 'SN-1', 'Beta'), ('MOTOR', NULL, NULL);
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (3, 'former', 'OLD', '(,2026-07-01)'), (2, 'former', 'OLD', '[2026-07-01,)');
\set lines 'SELECT i.inclusion_id, a.asset_tag, i.listed_as, i.during FROM fleet.inclusion i JOIN fleet.asset a USING (asset_id) ORDER BY 1; SELECT asset_tag, valid_from, last_day FROM fleet.coverage_by_asset ORDER BY 1, 2; SELECT count(*) FROM fleet.verify_coverage();'
RESET ROLE;
SET ROLE regress_manager;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP', '[2026-01-01,2026-06-01)');

-- Another name is another asset; none is no other asset; NULL for the asset asks again.
UPDATE fleet.inclusion SET listed_as = 'FAN';
RESET ROLE;
:lines
SET ROLE regress_manager;
UPDATE fleet.inclusion SET listed_as = 'OLD';
UPDATE fleet.inclusion SET note = 'the same', listed_as = listed_as;
RESET ROLE;
:lines
SET ROLE regress_manager;
UPDATE fleet.inclusion SET listed_as = NULL;
UPDATE fleet.inclusion SET asset_id = NULL, listed_as = 'PUMP';
RESET ROLE;
:lines
SET ROLE regress_manager;
SELECT test.refused($$UPDATE fleet.inclusion SET listed_as = 'NOBODY'$$);
SELECT test.refused($$UPDATE fleet.inclusion SET listed_as = 'SN-1'$$);
SELECT test.refused($$UPDATE fleet.inclusion SET asset_id = NULL, listed_as = NULL$$);

-- Both: where they agree, also by a name that others bear; else neither is believed.
INSERT INTO fleet.inclusion (term_id, asset_id, listed_as, during) VALUES (1, 2, 'SN-1', '[2026-01-01,2026-02-01)'), (1, 3, 'OLD', '[2026-03-01,2026-04-01)'), (1, 3, 'MOTOR', '[2026-04-01,2026-05-01)');
RESET ROLE;
:lines
SET ROLE regress_manager;
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, asset_id, listed_as, during) VALUES (1, 3, 'SN-1', '[2026-06-01,2026-07-01)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, asset_id, listed_as, during) VALUES (1, 3, 'OLD', '[2026-08-01,2026-09-01)'), (1, 1, 'NOBODY', '[2026-08-01,2026-09-01)')$$);
SELECT test.refused($$UPDATE fleet.inclusion SET asset_id = 3, listed_as = 'FAN' WHERE inclusion_id = 1$$);
UPDATE fleet.inclusion SET asset_id = 3, listed_as = 'OLD', during = '[2026-05-01,2026-06-01)' WHERE inclusion_id = 1;

-- Moved to another asset: what was typed for the one before goes, also where it is set to what it was, unless both bear it.
INSERT INTO fleet.inclusion (inclusion_id, term_id, listed_as, during) VALUES (51, 1, 'PUMP', '[2026-10-01,2026-10-05)'), (52, 1, 'PUMP', '[2026-10-11,2026-10-15)'), (54, 1, 'PUMP', '[2026-10-21,2026-10-25)');
INSERT INTO fleet.inclusion (inclusion_id, term_id, asset_id, listed_as, during) VALUES (53, 1, 1, 'SN-1', '[2026-10-16,2026-10-20)');
UPDATE fleet.inclusion SET asset_id = 2 WHERE inclusion_id IN (51, 53);
UPDATE fleet.inclusion SET asset_id = 3, listed_as = 'PUMP', note = 'a form sends all columns' WHERE inclusion_id = 52;
UPDATE fleet.inclusion SET asset_id = 1, note = 'the same' WHERE inclusion_id = 54;
SELECT inclusion_id, asset_id, listed_as FROM fleet.inclusion WHERE inclusion_id > 50 ORDER BY 1;
UPDATE fleet.inclusion SET asset_id = 1, listed_as = 'PUMP' WHERE inclusion_id = 51;
SELECT test.refused($$UPDATE fleet.inclusion SET asset_id = 999 WHERE inclusion_id = 51$$);
DELETE FROM fleet.inclusion WHERE inclusion_id > 50;

-- In statements that insert and update at once each part tells of its own lines.
SELECT test.refused($$MERGE INTO fleet.inclusion i USING (VALUES (1, 'NOBODY'), (99, 'NEMO')) AS s(inclusion_id, listed_as) ON i.inclusion_id = s.inclusion_id
	WHEN MATCHED THEN UPDATE SET listed_as = s.listed_as WHEN NOT MATCHED THEN INSERT (term_id, listed_as, during) VALUES (1, s.listed_as, '[2026-11-01,2026-12-01)')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (inclusion_id, term_id, listed_as, during) VALUES (1, 1, 'FAN', '[2026-11-01,2026-12-01)'), (99, 1, 'NEMO', '[2026-11-01,2026-12-01)')
	ON CONFLICT (inclusion_id) DO UPDATE SET listed_as = excluded.listed_as$$);
INSERT INTO fleet.inclusion (inclusion_id, term_id, listed_as, during) VALUES (1, 1, 'FAN', '[2026-11-01,2026-12-01)'), (99, 1, 'MOTOR', '[2026-11-01,2026-12-01)')
	ON CONFLICT (inclusion_id) DO UPDATE SET listed_as = excluded.listed_as, during = excluded.during;
WITH moved AS (UPDATE fleet.inclusion SET listed_as = 'PUMP' WHERE inclusion_id = 1 RETURNING 1)
INSERT INTO fleet.inclusion (term_id, listed_as, during) SELECT 1, 'FAN', '[2026-09-01,2026-10-01)' FROM moved;
RESET ROLE;
:lines
SELECT count(*) FROM fleet.verify_replay();
\set include :source/sql/include/end.sql
\i :include
