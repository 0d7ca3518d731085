\echo The log only grows, also for the role that owns it.
\set ECHO queries
SET ROLE fleet_owner;
DELETE FROM fleet.audit_log;
