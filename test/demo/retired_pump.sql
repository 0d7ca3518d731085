\set ECHO queries

\echo
\echo -- No list and no bundle was touched. Pump, motor and sensor are covered through that day only.
SELECT asset_tag, valid_from, last_day, is_stated, is_inherited
FROM fleet.coverage_by_asset WHERE asset_tag LIKE 'DE-000112%' ORDER BY asset_tag;
\echo -- What did we believe about 1 October, before we knew?
SELECT a.asset_tag, c.valid_from, c.last_day, c.is_inherited
FROM fleet.coverage_as_of('2026-10-01', known_at => :'before') AS c JOIN fleet.asset a USING (asset_id)
WHERE a.asset_tag LIKE 'DE-000112%' ORDER BY a.asset_tag;
