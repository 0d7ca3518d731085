-- A contract for each country, with the area it covers, and two terms in each: standard, and premium for critical assets.
SET cec.reason = 'contracts for 2026';
INSERT INTO fleet.service_tier (code, name, rank, response_hours)
VALUES ('standard', 'Standard', 1, 48), ('premium', 'Premium', 2, 8);

INSERT INTO fleet.contract (number, customer_id, account_manager, status, during, time_zone, currency, governing_country, boundary)
SELECT 'S-2026-' || s.country, min(c.customer_id), 'anna', 'active', '[2025-07-01,2028-01-01)', 'Europe/Berlin',
	CASE s.country WHEN 'PL' THEN 'PLN' WHEN 'SE' THEN 'SEK' ELSE 'EUR' END, s.country,
	ST_Multi(ST_Expand(ST_Envelope(ST_Collect(ST_SetSRID(ST_MakePoint(s.longitude, s.latitude), 4326))), 1))
FROM public.site s JOIN fleet.customer c ON c.name = s.customer GROUP BY s.country ORDER BY s.country;

INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during, price, price_basis)
SELECT c.contract_id, t.number, s.tier_id, '[2026-01-01,2027-01-01)', t.price, 'per_unit_month'
FROM fleet.contract c, (VALUES ('1', 'standard', 18), ('2', 'premium', 64)) AS t(number, code, price)
	JOIN fleet.service_tier s USING (code)
ORDER BY c.contract_id, t.number;

-- An older contract of the same kind that still has two assets on its list.
INSERT INTO fleet.contract (number, customer_id, account_manager, status, during, currency, governing_country)
SELECT 'S-2021-DE', customer_id, 'bruno', 'active', '[2021-01-01,2026-07-01)', 'EUR', 'DE'
FROM fleet.customer WHERE name = 'Nordwerk Metall GmbH';
INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during, price, price_basis)
SELECT contract_id, '1', 1, '[2021-01-01,2026-07-01)', 15, 'per_unit_month' FROM fleet.contract WHERE number = 'S-2021-DE';
INSERT INTO fleet.inclusion (term_id, listed_as, during)
SELECT t.term_id, tag, '[2021-01-01,2026-07-01)'
FROM fleet.coverage_term t JOIN fleet.contract c USING (contract_id), unnest('{DE-000016,DE-000064}'::text[]) AS tag
WHERE c.number = 'S-2021-DE';
