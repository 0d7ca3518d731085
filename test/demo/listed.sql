SELECT c.number AS contract, u.name AS customer, s.code AS tier, count(i.inclusion_id) AS assets,
	to_char(count(i.inclusion_id) * t.price, 'FM999G999') || ' ' || c.currency AS per_month
FROM fleet.contract c
	JOIN fleet.customer u USING (customer_id)
	JOIN fleet.coverage_term t USING (contract_id)
	JOIN fleet.service_tier s USING (tier_id)
	LEFT JOIN fleet.inclusion i USING (term_id)
GROUP BY c.contract_id, u.customer_id, t.term_id, s.tier_id ORDER BY c.number, t.number;

\echo A few lines of the premium list in Germany.
SELECT a.asset_tag, a.serial_number, a.manufacturer, a.model, a.attributes ->> 'town' AS town,
	lower(i.during) AS first_day, upper(i.during) - 1 AS last_day
FROM fleet.inclusion i JOIN fleet.asset a USING (asset_id)
WHERE i.term_id = 4 ORDER BY a.asset_tag LIMIT 5;
