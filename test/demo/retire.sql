\set ECHO queries

\echo -- the register follows
SET cec.reason = 'ERP sync';
UPDATE fleet.asset SET status = 'retired', decommissioned_on = '2026-11-15' WHERE asset_tag = 'DE-000096';
