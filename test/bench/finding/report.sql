\pset footer off
\echo 'Findings: medians of all rounds, microseconds a row, and the ratios within each round'
SELECT g.subject, r.us_a_row AS with_us, r.min_to_max, b.us_a_row AS without_us, r.ratio, r.ratio_min_to_max, r.goal
FROM bench.finding_goal g CROSS JOIN LATERAL bench.report(g.subject) AS r CROSS JOIN LATERAL bench.report(g.subject) AS b
WHERE r.variant = 'with findings' AND b.variant = 'without findings'
ORDER BY g.place;
SELECT kind, count(*) AS open FROM found.finding WHERE closed_at IS NULL GROUP BY 1 ORDER BY 2 DESC;
