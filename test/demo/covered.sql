\set ECHO queries

\echo -- A technician scans the sensor on 15 July. Is it covered?
SELECT asset_tag, contract_number, tier_code, valid_from, last_day, is_inherited FROM fleet.covered_on('DE-000112-S', '2026-07-15');
\echo -- Why?
SELECT step, outcome, reason
FROM fleet.explain_coverage('DE-000112-S', '2026-07-15');
\echo -- The heat exchanger that Anna carved out for July: no row, not covered.
SELECT asset_tag, contract_number, tier_code FROM fleet.covered_on('DE-000096', '2026-07-15');
\echo -- Why not?
SELECT step, outcome, reason
FROM fleet.explain_coverage('DE-000096', '2026-07-15');
\echo -- Asked for an instant, the calendar of each contract says which day that is; here it is that of Berlin.
SELECT i.at, c.contract_number, c.last_day
FROM (VALUES (timestamptz '2026-12-31 22:59:59 UTC'), ('2026-12-31 23:00:00 UTC')) AS i(at)
	LEFT JOIN LATERAL fleet.covered('DE-000112', i.at) AS c ON true ORDER BY i.at;
