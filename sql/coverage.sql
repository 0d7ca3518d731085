-- Effective coverage: what follows from lists, bundles, contracts, terms and the register, and what it was before.
SET datestyle = ISO;
\set SHOW_CONTEXT never
SET timezone = 'UTC';
CREATE ROLE regress_fleet_admin;
SELECT cec.create_portfolio('fleet');
SELECT cec.grant_access('fleet', 'regress_fleet_admin', 'admin');
SET ROLE regress_fleet_admin;
CREATE TEMP VIEW cover AS
SELECT asset_tag, contract_number || '/' || term_number AS term, valid_from, last_day, is_stated AS stated, is_inherited AS inherited
FROM fleet.coverage_by_asset;
\set show 'SELECT * FROM cover ORDER BY asset_tag, term, valid_from; SELECT * FROM fleet.verify_coverage();'

-- Contract and term run through 2026; the pump is listed from 1 March, the motor goes with it from 1 June.
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('C', 1, 'active', '[2026-01-01,2026-12-31]');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2026-12-31]');
INSERT INTO fleet.asset (asset_tag) VALUES ('pump'), ('motor');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'pump', '[2026-03-01,)');
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('pump', 1);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '[2026-06-01,)');
:show

-- Each of these by itself changes that. The pump is retired on 15 September; the motor is listed itself from 1 October.
BEGIN;
UPDATE fleet.asset SET status = 'retired', decommissioned_on = '2026-09-15' WHERE asset_tag = 'pump';
:show
SELECT fleet.include_asset(1, 'motor', '2026-10-01') > 0 AS listed;
:show
ROLLBACK;
-- The motor is carved out in July.
BEGIN;
SELECT fleet.exclude_asset(1, 'motor', '2026-07-01', '2026-07-31') > 0 AS carved_out;
:show
ROLLBACK;
-- The pump is carved out in July.
BEGIN;
SELECT fleet.exclude_asset(1, 'pump', '2026-07-01', '2026-07-31') > 0 AS carved_out;
:show
ROLLBACK;
-- The contract is suspended 10 to 14 August: the end does not move.
BEGIN;
UPDATE fleet.contract SET suspensions = '{[2026-08-10,2026-08-14]}';
:show
ROLLBACK;
-- The motor is commissioned on 20 June.
BEGIN;
UPDATE fleet.asset SET commissioned_on = '2026-06-20' WHERE asset_tag = 'motor';
:show
ROLLBACK;
-- The pump is out of service in May, and for a month of the motor's membership.
BEGIN;
UPDATE fleet.asset SET out_of_service = '{[2026-05-01,2026-05-31]}' WHERE asset_tag = 'pump';
:show
UPDATE fleet.asset SET out_of_service = out_of_service + '{[2026-10-01,2026-10-31]}' WHERE asset_tag = 'pump';
:show
ROLLBACK;
-- The term covers no bundles.
BEGIN;
UPDATE fleet.coverage_term SET covers_bundles = false;
:show
ROLLBACK;
-- Storage and repair change nothing; planned without a day is no life, with a day it is.
BEGIN;
UPDATE fleet.asset SET status = 'in_storage' WHERE asset_tag = 'pump';
UPDATE fleet.asset SET status = 'in_repair' WHERE asset_tag = 'motor';
:show
UPDATE fleet.asset SET status = 'planned' WHERE asset_tag = 'motor';
:show
UPDATE fleet.asset SET commissioned_on = '2026-11-01' WHERE asset_tag = 'motor';
:show
ROLLBACK;
-- Terminating shortens the contract.
BEGIN;
UPDATE fleet.contract SET status = 'terminated', during = '[2026-01-01,2026-06-30]';
:show
ROLLBACK;
-- The term is shortened below its list lines: they stay, and cover comes back with the days.
BEGIN;
UPDATE fleet.coverage_term SET during = '[2026-01-01,2026-02-28]';
:show
SELECT count(*) FROM fleet.inclusion;
UPDATE fleet.coverage_term SET during = '[2026-05-15,2026-06-15]';
:show
-- One day.
UPDATE fleet.coverage_term SET during = '[2026-06-01,2026-06-01]';
:show
UPDATE fleet.contract SET suspensions = '{[2026-06-01,2026-06-01]}';
:show
ROLLBACK;
-- Two terms of one contract on one asset.
BEGIN;
INSERT INTO fleet.coverage_term (contract_id, number, during, covers_bundles) VALUES (1, '2', '[2026-05-01,2026-08-31]', false)
	RETURNING term_id AS second \gset
SELECT fleet.include_asset(:second, 'pump') > 0 AS listed;
:show
ROLLBACK;
-- Flags change inside a contiguous range: one row each.
BEGIN;
SELECT fleet.include_asset(1, 'motor', '2026-04-01', '2026-07-31') > 0 AS listed;
SELECT fleet.include_asset(1, 'motor', '2026-08-01', '2026-08-31') > 0 AS listed;
:show
ROLLBACK;
-- Bounds written in other ways mean the same days; lines that touch make one range.
BEGIN;
UPDATE fleet.inclusion SET during = '(2026-02-28,2026-03-31]';
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES
	(1, 'pump', '[2026-04-01,2026-04-30]'), (1, 'pump', '(2026-05-01,2026-06-01)'), (1, 'pump', '[2026-06-01,2026-06-02)');
UPDATE fleet.bundle_member SET during = '(,2026-04-15]';
:show
ROLLBACK;
-- The line moves to another asset, and goes.
BEGIN;
UPDATE fleet.inclusion SET asset_id = 2;
:show
DELETE FROM fleet.inclusion;
:show
ROLLBACK;
:show

-- History. Active, void and active again: what was believed in between stays believed for then.
SELECT clock_timestamp() AS known_active \gset
UPDATE fleet.contract SET status = 'void';
:show
SELECT clock_timestamp() AS known_void \gset
UPDATE fleet.contract SET status = 'active';
:show
SELECT asset_id, valid_from, last_day FROM fleet.coverage_as_of('2026-07-01', :'known_active');
SELECT asset_id, valid_from, last_day FROM fleet.coverage_as_of('2026-07-01', :'known_void');
SELECT asset_id, valid_from, last_day FROM fleet.coverage_as_of('2026-07-01');
SELECT asset_id, valid_from, last_day FROM fleet.coverage_as_of('2026-05-31');
SELECT count(*) FROM fleet.coverage_as_of('2026-02-28');
SELECT count(*) FROM fleet.coverage_as_of('2026-07-01', '2000-01-01 00:00Z');
-- Back to draft: the same.
SELECT clock_timestamp() AS known_active \gset
UPDATE fleet.contract SET status = 'draft';
SELECT count(*) FROM fleet.coverage;
SELECT asset_id, valid_from, last_day FROM fleet.coverage_as_of('2026-07-01', :'known_active');
UPDATE fleet.contract SET status = 'active';

-- Decommissioning is learned late: now the pump was not covered in the summer, but then it was believed to be.
SELECT clock_timestamp() AS known_before \gset
UPDATE fleet.asset SET status = 'retired', decommissioned_on = '2026-04-15' WHERE asset_tag = 'pump';
:show
SELECT asset_id, valid_from, last_day FROM fleet.coverage_as_of('2026-07-01');
SELECT asset_id, valid_from, last_day FROM fleet.coverage_as_of('2026-07-01', :'known_before');
UPDATE fleet.asset SET status = 'in_service', decommissioned_on = NULL WHERE asset_tag = 'pump';

-- Replaced twice in one transaction: the state in between was never believed, and the last follows the first at once.
CREATE TEMP VIEW belief AS
SELECT asset_id, term_id, during, tstzrange(recorded_at, NULL) AS recorded FROM fleet.coverage
UNION ALL SELECT asset_id, term_id, during, recorded FROM fleet.coverage_history;
-- Days of one asset and term believed twice at one instant; and in how many pieces of time anything was believed.
CREATE TEMP VIEW doubly_believed AS
SELECT a.* FROM belief a WHERE (SELECT count(*) FROM belief b WHERE b.asset_id = a.asset_id AND b.term_id = a.term_id
	AND b.during && a.during AND b.recorded && a.recorded) > 1;
\set history 'SELECT asset_id, lower(during) AS valid_from, upper(during) - 1 AS last_day, upper_inf(recorded) AS is_present, lower(recorded) >= :''since'' AS is_new FROM belief WHERE recorded && tstzrange(:''since'', NULL) ORDER BY 1, lower(recorded), 2; SELECT asset_id, count(*) AS pieces FROM (SELECT asset_id, unnest(range_agg(recorded * tstzrange(:''since'', NULL))) FROM belief WHERE recorded && tstzrange(:''since'', NULL) GROUP BY asset_id) AS p GROUP BY asset_id ORDER BY asset_id; SELECT * FROM doubly_believed; SELECT * FROM fleet.verify_coverage();'
SELECT clock_timestamp() AS since \gset
BEGIN;
UPDATE fleet.inclusion SET during = '[2026-04-01,)';
UPDATE fleet.inclusion SET during = '[2026-05-01,)';
COMMIT;
:history
-- The same where all cover was gone in between, and where it came back as it had been.
SELECT clock_timestamp() AS since \gset
BEGIN;
UPDATE fleet.contract SET status = 'void';
UPDATE fleet.contract SET status = 'active';
UPDATE fleet.inclusion SET during = '[2026-07-01,)';
COMMIT;
:history
-- A savepoint that is rolled back leaves nothing; one that is kept belongs to the transaction.
SELECT clock_timestamp() AS since \gset
BEGIN;
UPDATE fleet.inclusion SET during = '[2026-03-01,)';
SAVEPOINT back;
UPDATE fleet.contract SET status = 'void';
ROLLBACK TO back;
SAVEPOINT kept;
UPDATE fleet.inclusion SET during = '[2026-03-15,)';
RELEASE kept;
UPDATE fleet.bundle_member SET during = '[2026-03-01,2026-03-31]';
COMMIT;
:history
SELECT clock_timestamp() AS since \gset
BEGIN;
SAVEPOINT back;
UPDATE fleet.inclusion SET during = '[2026-08-01,)';
ROLLBACK TO back;
COMMIT;
SELECT count(*) FROM belief WHERE lower(recorded) >= :'since';
-- A statement that changes nothing that cover follows from writes nothing.
UPDATE fleet.asset SET model = 'X', status = 'in_repair';
UPDATE fleet.coverage_term SET price = 10, price_basis = 'per_unit_day';
UPDATE fleet.inclusion SET note = 'as agreed';
UPDATE fleet.asset SET status = 'in_service';
SELECT count(*) FROM belief WHERE lower(recorded) >= :'since';

-- Nothing derived is typed in, whoever tries.
INSERT INTO fleet.coverage (asset_id, term_id, during, is_stated, is_ruled, is_inherited, recorded_at)
	VALUES (2, 1, '[2026-01-01,)', true, false, false, now());
RESET ROLE;
INSERT INTO fleet.coverage (asset_id, term_id, during, is_stated, is_ruled, is_inherited, recorded_at)
	VALUES (2, 1, '[2026-01-01,)', true, false, false, now());
\echo :SQLSTATE
UPDATE fleet.coverage SET is_stated = true;
\echo :SQLSTATE
DELETE FROM fleet.coverage;
\echo :SQLSTATE
TRUNCATE fleet.coverage;
\echo :SQLSTATE
DELETE FROM fleet.coverage_history;
\echo :SQLSTATE
UPDATE fleet.coverage_history SET recorded = tstzrange(lower(recorded), NULL);
\echo :SQLSTATE
-- No day comes after the last one that there is.
BEGIN;
UPDATE fleet.contract SET during = '[2026-01-01,)';
UPDATE fleet.coverage_term SET during = '[2026-01-01,)';
UPDATE fleet.asset SET decommissioned_on = '5874897-12-31';
SELECT asset_id, during::text::daterange FROM fleet.coverage ORDER BY 1, 2;
SELECT * FROM fleet.verify_coverage();
ROLLBACK;
-- Done past the trigger, it is found, and mended.
ALTER TABLE fleet.coverage DISABLE TRIGGER derived;
INSERT INTO fleet.coverage (asset_id, term_id, during, is_stated, is_ruled, is_inherited, recorded_at)
	VALUES (2, 1, '[2026-10-01,2026-10-31]', true, false, false, now());
UPDATE fleet.coverage SET during = '[2026-03-15,2026-11-30]' WHERE asset_id = 1;
DELETE FROM fleet.coverage WHERE asset_id = 2 AND is_inherited;
INSERT INTO fleet.coverage (asset_id, term_id, during, is_stated, is_ruled, is_inherited, recorded_at)
SELECT asset_id, term_id, during, is_stated, is_ruled, is_inherited, recorded_at FROM fleet.coverage WHERE asset_id = 1;
ALTER TABLE fleet.coverage ENABLE ALWAYS TRIGGER derived;
SELECT * FROM fleet.verify_coverage();
SET ROLE regress_fleet_admin;
SELECT fleet.recompute_coverage();
:show
SELECT fleet.recompute_coverage();
-- Both need to see what is: their own snapshot must be the latest.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM fleet.verify_coverage();
\echo :SQLSTATE
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT fleet.recompute_coverage();
\echo :SQLSTATE
ROLLBACK;
RESET ROLE;
-- Whoever has verified keeps no definition waiting, though the transaction goes on; also when it failed, and was caught.
CREATE FUNCTION gate_locks() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM pg_locks WHERE relation = 'fleet.gate'::regclass AND pid = pg_backend_pid() AND mode = 'RowExclusiveLock' $$;
BEGIN;
SELECT count(*) AS differences, gate_locks() FROM fleet.verify_coverage();
SELECT gate_locks() AS then;
SAVEPOINT here;
SELECT 1 / (count(*) - count(*)) FROM fleet.verify_coverage();
ROLLBACK TO here;
SELECT gate_locks() AS caught;
-- What a statement has locked for itself stays.
UPDATE fleet.asset SET region = region;
SELECT count(*) FROM fleet.verify_coverage();
SELECT cec._let_definitions();
SELECT gate_locks() AS of_the_update;
ROLLBACK;
DROP FUNCTION gate_locks;
CREATE ROLE regress_fleet_analyst;
SELECT cec.grant_access('fleet', 'regress_fleet_analyst', 'analyst');
SET ROLE regress_fleet_analyst;
SELECT cec.recompute_coverage('fleet');
\echo :SQLSTATE
SELECT cec._recompute('fleet'::regnamespace);
SELECT rank, asset_tag, contract_number, valid_from, last_day FROM fleet.covered_on('pump', '2026-04-01');
RESET ROLE;
SET client_min_messages = warning;
DROP VIEW cover, belief CASCADE;
SELECT cec.drop_portfolio('fleet', 'fleet');
DROP ROLE regress_fleet_admin, regress_fleet_analyst;
