SET work_mem = '512MB';
INSERT INTO bench.other_figure (figure, reached, goal)
SELECT format('wait at the gate among 8 sessions, µs (%s samples): median, 99th percentile, maximum', count(*)),
	format('%s, %s, %s', round((percentile_cont(0.5) WITHIN GROUP (ORDER BY us))::numeric), round((percentile_cont(0.99) WITHIN GROUP (ORDER BY us))::numeric), round(max(us))), ''
FROM bench.gate_wait;
INSERT INTO bench.other_figure (figure, reached, goal)
SELECT 'fleet after the load: verify_coverage()', count(*) || ' differences', CASE count(*) WHEN 0 THEN 'none reached' ELSE 'none MISSED' END FROM fleet.verify_coverage();
