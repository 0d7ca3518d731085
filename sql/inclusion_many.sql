-- Many lines of one asset, and long chains of bundles: the same rules, and not the square of the time.
SET datestyle = ISO;
\set SHOW_CONTEXT never
CREATE ROLE regress_fleet_admin;
SELECT cec.create_portfolio('fleet');
SELECT cec.grant_access('fleet', 'regress_fleet_admin', 'admin');
SET ROLE regress_fleet_admin;
SET statement_timeout = '60s';
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES
	('C-1', 1, 'active', '[1900-01-01,2200-01-01)'), ('C-2', 1, 'active', '[1900-01-01,2200-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES
	(1, '1', '[1900-01-01,2200-01-01)'), (2, '1', '[1900-01-01,2200-01-01)');
INSERT INTO fleet.asset (asset_tag) SELECT 'unit ' || n FROM generate_series(1, 3000) AS n;

-- 20,000 lines on every other day; then one that meets one of them, among many that do not.
INSERT INTO fleet.inclusion (term_id, asset_id, during)
SELECT 1, 1, daterange(day, day + 1) FROM (SELECT date '1950-01-01' + 2 * n AS day FROM generate_series(0, 19999) AS n) AS days;
SELECT count(*), min(valid_from), max(last_day) FROM fleet.coverage_by_asset WHERE asset_id = 1;
INSERT INTO fleet.inclusion (term_id, asset_id, during)
SELECT 1, 1, CASE n WHEN 77 THEN daterange(day, day + 2) ELSE daterange(day, day + 1) END
FROM (SELECT n, date '1950-01-02' + 2 * n AS day FROM generate_series(0, 99) AS n) AS days;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 2, '[2026-01-01,2026-02-01)'), (1, 2, '[2026-02-01,)'), (1, 3, '(,)');
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 4, '[2026-01-01,2026-02-01)'), (1, 5, '(,)'), (1, 4, '[2026-01-31,)');
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 4, '[2026-01-01,2026-02-01)'), (2, 4, '[2026-03-01,)'), (1, 4, '[2026-02-01,2026-04-01)');
-- Those that were there fill up to one range.
UPDATE fleet.inclusion SET during = daterange(lower(during), lower(during) + 2) WHERE asset_id = 1;
SELECT valid_from, last_day FROM fleet.coverage_by_asset WHERE asset_id = 1;

-- A chain of 2,000 members in one statement, one more above it, and one that would close it.
INSERT INTO fleet.bundle (bundle_id, name, primary_asset_id) SELECT n, 'bundle', n FROM generate_series(1, 2500) AS n;
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) SELECT n, n + 1, '[2026-01-01,)' FROM generate_series(2, 2001) AS n;
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '[2026-06-01,)');
SELECT valid_from, last_day, is_inherited FROM fleet.coverage_by_asset WHERE asset_id = 2002 ORDER BY 1;
\set VERBOSITY terse
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (2002, 1, '[2026-06-01,)');
\echo :SQLSTATE
-- On other days it may; what is below a cycle of that kind is searched still.
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (2002, 1, '[2025-01-01,2026-01-01)');
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (2002, 2100, '(,)'), (2100, 2101, '(,)');
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (2101, 2100, '[2026-01-01,2026-01-02)');
\echo :SQLSTATE
SELECT count(*) FROM fleet.coverage_by_asset WHERE asset_id = 2101;
RESET statement_timeout;
SELECT * FROM fleet.verify_coverage();

RESET ROLE;
SET client_min_messages = warning;
SELECT cec.drop_portfolio('fleet', 'fleet');
DROP ROLE regress_fleet_admin;
