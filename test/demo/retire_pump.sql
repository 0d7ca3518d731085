\set ECHO queries

\echo -- The register learns that the pump was taken out on 15 September.
SET cec.reason = 'ERP sync';
UPDATE fleet.asset SET status = 'retired', decommissioned_on = '2026-09-15' WHERE asset_tag = 'DE-000112';
