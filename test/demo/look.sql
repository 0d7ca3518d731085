SELECT country, count(*) AS assets, count(*) FILTER (WHERE status = 'in_service') AS in_service,
	count(*) FILTER (WHERE status = 'retired') AS retired, count(*) FILTER (WHERE status = 'planned') AS planned
FROM fleet.asset GROUP BY country ORDER BY country;

\echo The German contracts and their terms. Anna, the account manager, fills their lists.
SELECT t.term_id, c.number AS contract, t.number AS line, s.code AS tier, lower(t.during) AS first_day, upper(t.during) - 1 AS last_day
FROM fleet.contract c JOIN fleet.coverage_term t USING (contract_id) JOIN fleet.service_tier s USING (tier_id)
WHERE c.governing_country = 'DE' ORDER BY t.term_id;
