-- The list that the account manager was sent: nearly all assets, and some lines that are wrong.
CREATE TEMPORARY TABLE line AS
SELECT row_number() OVER (ORDER BY a.asset_tag) AS place, t.term_id, a.asset_tag AS listed_as, '[2026-01-01,2027-01-01)' AS during, false AS wrong
FROM fleet.asset a
	JOIN fleet.contract c ON c.number = 'S-2026-' || a.country
	JOIN fleet.coverage_term t ON t.contract_id = c.contract_id AND t.number = CASE a.usage_type WHEN 'critical' THEN '2' ELSE '1' END
WHERE a.status = 'in_service' AND a.serial_number <> '100200' AND a.asset_tag NOT IN ('DE-000016', 'DE-000064', 'DE-000080');
INSERT INTO line
SELECT place, term_id, listed_as, during, true
FROM (VALUES (205, 'DE-0002660', '[2026-01-01,2027-01-01)'), (310, 'DE-OO0448', '[2026-01-01,2027-01-01)'),
	(400, '100200', '[2026-01-01,2027-01-01)'), (501, 'DE-001696', '[2026-01-01,2027-01-01)'),
	(502, 'DE-000970', '[2026-01-01,2027-01-01)'), (601, 'DE-000096', '[2028-01-01,2029-01-01)'),
	(702, 'DE-000112', '[2026-06-01,2027-01-01)'), (703, 'DE-000016', '[2026-01-01,2027-01-01)')
	) AS x(place, listed_as, during),
	(SELECT term_id FROM fleet.coverage_term JOIN fleet.contract c USING (contract_id) WHERE c.number = 'S-2026-DE' ORDER BY 1 LIMIT 1) AS t;
\o :list
COPY (SELECT term_id, listed_as, during FROM line ORDER BY place, wrong) TO STDOUT WITH (FORMAT csv);
\o :mended
COPY (SELECT term_id, listed_as, during FROM line WHERE NOT wrong ORDER BY place) TO STDOUT WITH (FORMAT csv);
\o
