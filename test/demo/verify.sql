\set ECHO queries

\echo
\echo -- The auditor has all cover computed afresh, by other code than keeps it. A difference would be a row.
SELECT problem, asset_id, term_id, valid_from, last_day FROM fleet.verify_coverage();
SELECT count(DISTINCT asset_id) AS covered_assets, count(*) AS stored_rows, count(*) FILTER (WHERE is_inherited) AS inherited
FROM fleet.coverage;
