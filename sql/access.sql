-- Levels of access: the matrix as a person reads it, and who may give them.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include

SELECT level, meaning FROM cec.access_level ORDER BY level;
SELECT object, privileges, string_agg(level, ', ' ORDER BY level) FROM cec.access_privilege GROUP BY object, privileges ORDER BY object, privileges;
SELECT level, count(*) AS objects, count(DISTINCT object) AS distinct_objects FROM cec.access_privilege GROUP BY level ORDER BY level;

SELECT test.refused($$SELECT cec.grant_access('fleet', 'regress_stranger', 'king')$$);
SELECT test.refused($$SELECT cec.grant_access('fleet', 'regress_stranger', NULL)$$);
SELECT test.refused($$SELECT cec.grant_access('nowhere', 'regress_stranger', 'analyst')$$);
SELECT test.refused($$SELECT cec.grant_access('fleet', 'regress_not_there', 'analyst')$$);
SET ROLE regress_manager;
SELECT test.refused($$SELECT cec.grant_access('fleet', 'regress_stranger', 'analyst')$$);
RESET ROLE;
SET ROLE regress_stranger;
SELECT test.refused($$SELECT cec.grant_access('fleet', 'regress_stranger', 'analyst')$$);
SELECT test.refused($$SELECT * FROM fleet.asset$$);
SELECT test.refused($$SELECT * FROM fleet.find_asset('X')$$);
SELECT test.refused($$SELECT * FROM cec.find_asset('fleet', 'X', NULL)$$);
RESET ROLE;
SET ROLE regress_owner;
SELECT cec.grant_access('fleet', 'regress_stranger', 'analyst');
SELECT cec.grant_access(portfolio => 'fleet', role => 'regress_stranger', level => 'analyst');
RESET ROLE;
SET ROLE regress_stranger;
SELECT count(*) FROM fleet.asset;
SELECT count(*) FROM fleet.find_asset('X');
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag) VALUES ('X')$$);
SELECT test.refused($$SELECT * FROM fleet.audit_entry$$);
SELECT test.refused($$SELECT fleet.include_asset(1, 'X')$$);
RESET ROLE;

-- Who holds what, and how it is taken away.
SET ROLE regress_owner;
SELECT cec.grant_access('fleet', 'regress_stranger', 'registry');
SELECT * FROM fleet.access_grant ORDER BY role, level;
SELECT cec.revoke_access('fleet', 'regress_stranger', 'registry');
SELECT test.refused($$SELECT cec.revoke_access('fleet', 'regress_stranger', 'registry')$$);
SELECT test.refused($$SELECT cec.revoke_access('fleet', 'regress_manager', 'analyst')$$);
SELECT cec.grant_access('fleet', 'regress_manager', 'registry');
SELECT test.refused($$SELECT cec.revoke_access('fleet', 'regress_manager', 'billing')$$);
SELECT cec.revoke_access('fleet', 'regress_manager', 'manager');
SELECT test.refused($$SELECT cec.revoke_access('fleet', 'regress_owner', 'admin')$$);
SELECT test.refused($$SELECT cec.revoke_access('fleet', 'regress_stranger', 'king')$$);
SELECT test.refused($$SELECT cec.revoke_access('fleet', 'regress_not_there', 'analyst')$$);
SELECT test.refused($$SELECT cec.revoke_access('nowhere', 'regress_stranger', 'analyst')$$);
SELECT test.refused($$SELECT cec.revoke_access('fleet', NULL, 'analyst')$$);
SELECT test.refused($$SELECT cec.grant_access('fleet', NULL, 'analyst')$$);
SELECT test.refused($$SELECT cec.grant_access(NULL, 'regress_stranger', 'analyst')$$);
-- Never to everyone.
SELECT test.refused($$SELECT cec.grant_access('fleet', 'public', 'analyst')$$);
SELECT test.refused($$SELECT cec.revoke_access('fleet', 'public', 'analyst')$$);
SELECT * FROM fleet.access_grant ORDER BY role, level;
SELECT has_schema_privilege('regress_stranger', 'fleet', 'USAGE');
RESET ROLE;
-- Taken by nobody but the owner.
SET ROLE regress_manager;
SELECT test.refused($$SELECT cec.revoke_access('fleet', 'regress_registry', 'registry')$$);
-- The engine's own functions go by the same levels.
SELECT test.refused($$SELECT * FROM cec.test_rule('fleet', 1, 'include', 'true')$$);
SELECT test.refused($$SELECT * FROM cec.verify_coverage('fleet')$$);
RESET ROLE;

\set include :source/sql/include/end.sql
\i :include
