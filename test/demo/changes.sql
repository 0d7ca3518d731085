\set ECHO queries

SET cec.actor = 'anna.berg';
SET cec.reason = 'ticket 4711: overhaul in July';
SELECT fleet.exclude_asset(3, 'DE-000096', '2026-07-01', '2026-07-31');

SET cec.reason = 'ticket 5023: sold on 15 November';
SELECT fleet.remove_asset(3, 'DE-000096', '2026-11-15');
