-- Bundles: members inherit the cover of their primary, to any depth, for the days of their membership.
SET datestyle = ISO;
CREATE ROLE regress_fleet_admin;
SELECT cec.create_portfolio('fleet');
SELECT cec.grant_access('fleet', 'regress_fleet_admin', 'admin');
SET ROLE regress_fleet_admin;
CREATE TEMP VIEW cover AS
SELECT asset_tag, term_number AS term, valid_from, last_day, is_stated AS stated, is_inherited AS inherited
FROM fleet.coverage_by_asset;
\set show 'SELECT * FROM cover ORDER BY term, asset_tag, valid_from; SELECT * FROM fleet.verify_coverage();'

INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '[2026-01-01,2026-12-31]');
INSERT INTO fleet.coverage_term (contract_id, number, during, covers_bundles) VALUES
	(1, 'all', '[2026-01-01,2026-12-31]', true), (1, 'single', '[2026-01-01,2026-12-31]', false);
INSERT INTO fleet.asset (asset_tag) VALUES ('1-pump'), ('2-motor'), ('3-gauge'), ('4-valve'), ('5-fan');
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('pump', 1), ('motor', 2), ('gauge', 3), ('valve', 4), ('fan', 5);

-- A member that is added later inherits at once; one that leaves does so no more.
SELECT fleet.include_asset(1, '1-pump', '2026-03-01');
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '[2026-06-01,)');
:show
UPDATE fleet.bundle_member SET during = '[2026-06-01,2026-09-30]' WHERE asset_id = 2;
:show
UPDATE fleet.bundle_member SET asset_id = 5 WHERE asset_id = 2;
:show
DELETE FROM fleet.bundle_member;
:show

-- Three deep: each step keeps only the days that all steps above it have.
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES
	(3, 4, '[2026-04-01,2026-10-31]'), (2, 3, '[2026-05-01,2026-11-30]'), (1, 2, '[2026-01-01,2026-09-30]');
:show
-- What happens in the middle reaches the end: the motor carved out in July, out of service in August.
BEGIN;
SELECT fleet.exclude_asset(1, '2-motor', '2026-07-01', '2026-07-31') > 0 AS carved_out;
UPDATE fleet.asset SET out_of_service = '{[2026-08-01,2026-08-31]}' WHERE asset_tag = '2-motor';
:show
-- The gauge listed itself fills that in, for the valve as well.
SELECT fleet.include_asset(1, '3-gauge', '2026-07-15', '2026-08-15') > 0 AS listed;
:show
ROLLBACK;
-- A term that covers no bundles covers what is listed alone.
BEGIN;
SELECT fleet.include_asset(2, '1-pump', '2026-06-01', '2026-06-30') > 0 AS listed;
SELECT * FROM cover WHERE term = 'single' ORDER BY asset_tag;
UPDATE fleet.coverage_term SET covers_bundles = NOT covers_bundles;
:show
ROLLBACK;
-- The bundle gets another primary.
BEGIN;
UPDATE fleet.bundle SET primary_asset_id = 5 WHERE name = 'pump';
:show
SELECT fleet.include_asset(1, '5-fan', '2026-02-01', '2026-05-31') > 0 AS listed;
:show
ROLLBACK;

-- A diamond: the gauge belongs to motor and fan, both belong to the pump. It is covered once, also where both apply.
DELETE FROM fleet.bundle_member WHERE asset_id = 4;
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES
	(1, 5, '[2026-03-01,2026-12-31]'), (5, 3, '[2026-07-01,2026-12-31]');
:show
-- One side falls away, and then a part of the other.
BEGIN;
DELETE FROM fleet.bundle_member WHERE bundle_id = 2;
:show
UPDATE fleet.asset SET commissioned_on = '2026-08-01' WHERE asset_tag = '5-fan';
:show
ROLLBACK;
-- The same membership stated twice counts once.
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (5, 3, '[2026-10-01,2026-10-31]');
SELECT * FROM cover WHERE asset_tag = '3-gauge';
SELECT * FROM fleet.verify_coverage();
DELETE FROM fleet.bundle_member;

-- No asset inherits from itself: the path is named.
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES
	(1, 2, '[2026-01-01,2026-06-30]'), (2, 3, '[2026-02-01,2026-08-31]'), (3, 4, '[2026-03-01,2026-09-30]');
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (4, 1, '[2026-05-15,)');
\echo :SQLSTATE
-- The primary itself.
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (5, 5, '[2026-01-01,2026-01-01]');
-- By moving days, by moving a member, by another primary, by one statement with both edges.
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (4, 1, '[2026-07-01,2026-12-31]');
UPDATE fleet.bundle_member SET during = '[2026-06-30,2026-12-31]' WHERE bundle_id = 4;
UPDATE fleet.bundle_member SET bundle_id = 5, asset_id = 5 WHERE bundle_id = 4;
UPDATE fleet.bundle SET primary_asset_id = 4 WHERE name = 'pump';
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (5, 2, '[2027-01-01,)'), (2, 5, '[2027-06-01,)');
-- None of these was stored.
SELECT b.name, a.asset_tag, lower(m.during) AS valid_from, upper(m.during) - 1 AS last_day
FROM fleet.bundle_member m JOIN fleet.bundle b USING (bundle_id) JOIN fleet.asset a USING (asset_id) ORDER BY 1, 2;

-- Over disjoint days a cycle is legal, and its cover goes round as far as the days go.
:show
UPDATE fleet.bundle_member SET during = '[2026-01-01,2026-03-31]' WHERE bundle_id = 1;
UPDATE fleet.bundle_member SET during = '[2026-01-01,)' WHERE bundle_id IN (2, 3);
UPDATE fleet.bundle_member SET during = '[2026-04-01,)' WHERE bundle_id = 4;
SELECT fleet.include_asset(1, '3-gauge', '2026-02-01', '2026-07-31') > 0 AS listed;
:show
UPDATE fleet.asset SET status = 'retired', decommissioned_on = '2026-05-31' WHERE asset_tag = '4-valve';
:show

-- What has members stays.
DELETE FROM fleet.bundle WHERE name = 'pump';
DELETE FROM fleet.bundle_member;
DELETE FROM fleet.bundle;
:show

RESET ROLE;
DROP VIEW cover;
SET client_min_messages = warning;
SELECT cec.drop_portfolio('fleet', 'fleet');
DROP ROLE regress_fleet_admin;
