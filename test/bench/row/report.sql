\pset footer off
\echo 'The cost of a row: medians of all rounds, microseconds a row or transaction, and the ratios within each round'
SELECT g.subject, r.us_a_row AS cec_us, r.min_to_max, r.reference, b.us_a_row AS reference_us, r.ratio, r.ratio_min_to_max, r.cpu_ratio, r.goal
FROM bench.row_goal g CROSS JOIN LATERAL bench.report(g.subject) AS r
	JOIN LATERAL (SELECT DISTINCT p.variant, p.us_a_row FROM bench.report(g.subject) AS p) AS b ON b.variant = r.reference
WHERE r.reference = g.reference
UNION ALL
SELECT 'locks of a warm list line', n, NULL, NULL, NULL, NULL, NULL, NULL, CASE WHEN n <= 24 THEN '<= 24 reached' ELSE '<= 24 MISSED' END FROM bench.lock_entry;
