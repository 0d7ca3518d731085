\set ECHO queries

\echo -- Anna says what goes with the pump DE-000112: from April on its motor, from June on a sensor on that motor.
INSERT INTO fleet.bundle (bundle_id, name, primary_asset_id)
SELECT 1, 'Cooling pump', asset_id FROM fleet.asset WHERE asset_tag = 'DE-000112';
INSERT INTO fleet.bundle (bundle_id, name, primary_asset_id)
SELECT 2, 'Motor of the cooling pump', asset_id FROM fleet.asset WHERE asset_tag = 'DE-000112-M';
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during)
SELECT 1, asset_id, '[2026-04-01,)' FROM fleet.asset WHERE asset_tag = 'DE-000112-M';
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during)
SELECT 2, asset_id, '[2026-06-01,)' FROM fleet.asset WHERE asset_tag = 'DE-000112-S';
\echo
\echo -- Only the pump is on a list. Motor and sensor are covered because the pump is.
SELECT asset_tag, contract_number, tier_code, valid_from, last_day, is_stated, is_inherited
FROM fleet.coverage_by_asset WHERE asset_tag LIKE 'DE-000112%' ORDER BY asset_tag;
\echo -- Nothing may inherit from itself.
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during)
SELECT 2, asset_id, '[2026-08-01,)' FROM fleet.asset WHERE asset_tag = 'DE-000112';
