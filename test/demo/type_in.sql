\echo -- Cover follows from what is stated. Nobody types it in, the owner neither.
\set ECHO queries
SET ROLE fleet_owner;
DELETE FROM fleet.coverage;
