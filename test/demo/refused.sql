\set ECHO queries

\echo
\echo -- a typing mistake
SELECT fleet.include_asset(3, 'DE-OOO266');
\echo
\echo -- a serial number that two makers have given
SELECT fleet.include_asset(3, '100200');
\echo
\echo -- an asset that has left service
SELECT fleet.include_asset(3, 'DE-001696');
\echo
\echo -- an asset on the list of an older contract that still runs
SELECT fleet.include_asset(3, 'DE-000016');
\echo
\echo -- days the wrong way round
SELECT fleet.include_asset(3, 'DE-000080', '2026-06-30', '2026-01-01');
\echo
\echo -- the register belongs to its feed
UPDATE fleet.asset SET decommissioned_on = NULL WHERE asset_tag = 'DE-001696';
\echo
\echo -- and one that is right: by its former tag, from March on
SELECT fleet.include_asset(3, 'HH-OLD-17', '2026-03-01');
