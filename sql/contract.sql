-- Contracts, their terms, tiers and regulations: what is refused.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SELECT cec.grant_access('fleet', 'regress_stranger', 'admin');
SET ROLE regress_stranger;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.service_tier (code, name, rank, response_hours) VALUES ('gold', 'Gold', 10, 4.5);
INSERT INTO fleet.contract (number, customer_id, during) VALUES ('C-1', 1, '[2026-01-01,2027-01-01)'), ('C-2', 1, '[2026-01-01,)');
INSERT INTO fleet.contract (number, customer_id, status, during, boundary, suspensions) VALUES ('C-3', 1, 'active', '(,)',
	'SRID=4326;MULTIPOLYGON(((5 47,15 47,15 55,5 55,5 47)))', '{[2026-03-01,2026-04-01),[2026-05-01,2026-05-02)}');
INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during, price, price_basis) VALUES
	(1, '1', 1, '[2026-12-31,2028-01-01)', 12.50, 'per_unit_month'), (3, '1', NULL, '(,)', NULL, NULL);
SELECT number, kind, status, time_zone, priority, suspensions FROM fleet.contract ORDER BY number;
SELECT contract_id, number, proration, covers_bundles, bundle_billing, price FROM fleet.coverage_term ORDER BY term_id;

-- Prices that change, what a contract renews, notice.
INSERT INTO fleet.term_price (term_id, first_day, price, reason) VALUES (1, '2027-01-01', 13.20, 'index'), (1, '2027-07-01', 0, NULL);
SELECT first_day, price, reason FROM fleet.term_price ORDER BY first_day;
UPDATE fleet.contract SET predecessor_id = 1, notice_days = 90 WHERE number = 'C-2';
SELECT table_name, operation, term_id, contract_id, new_row -> 'price' AS price FROM fleet.audit_entry WHERE table_name = 'term_price' ORDER BY audit_id;
SELECT test.refused($$INSERT INTO fleet.term_price (term_id, first_day, price) VALUES (1, '2027-01-01', 14)$$);
SELECT test.refused($$INSERT INTO fleet.term_price (term_id, first_day, price) VALUES (1, '-infinity', 14)$$);
SELECT test.refused($$INSERT INTO fleet.term_price (term_id, first_day, price) VALUES (1, '2027-02-01', -1)$$);
SELECT test.refused($$INSERT INTO fleet.term_price (term_id, first_day, price) VALUES (1, '2027-02-01', 'NaN')$$);
SELECT test.refused($$INSERT INTO fleet.term_price (term_id, first_day) VALUES (1, '2027-02-01')$$);
SELECT test.refused($$INSERT INTO fleet.term_price (term_id, first_day, price) VALUES (9, '2027-01-01', 14)$$);
SELECT test.refused($$DELETE FROM fleet.coverage_term WHERE term_id = 1$$);
SELECT test.refused($$UPDATE fleet.contract SET predecessor_id = contract_id WHERE number = 'C-2'$$);
SELECT test.refused($$UPDATE fleet.contract SET predecessor_id = 9 WHERE number = 'C-2'$$);
SELECT test.refused($$UPDATE fleet.contract SET notice_days = -1 WHERE number = 'C-2'$$);
SELECT test.refused($$DELETE FROM fleet.contract WHERE number = 'C-1'$$);
UPDATE fleet.contract SET predecessor_id = NULL WHERE number = 'C-2';

SELECT test.refused($$INSERT INTO fleet.service_tier (code, name, rank) VALUES ('gold', 'Again', 1)$$);
SELECT test.refused($$INSERT INTO fleet.service_tier (code, name, rank) VALUES ('', 'Nameless', 1)$$);
SELECT test.refused($$INSERT INTO fleet.service_tier (code, name, rank, response_hours) VALUES ('fast', 'Fast', 1, 0)$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during) VALUES ('C-1', 1, '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during) VALUES (repeat('9', 201), 1, '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during) VALUES ('N-1', 9, '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during) VALUES ('N-1', 1, 'empty')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during) VALUES ('N-1', 1, '[2026-01-01,infinity)')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during, suspensions) VALUES ('N-1', 1, '(,)', '{[2026-01-01,infinity)}')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during, kind) VALUES ('N-1', 1, '(,)', 'gift')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during, status) VALUES ('N-1', 1, '(,)', 'expired')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during, time_zone) VALUES ('N-1', 1, '(,)', 'Mars/Olympus')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during, currency) VALUES ('N-1', 1, '(,)', 'Euro')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during, governing_country) VALUES ('N-1', 1, '(,)', 'Germany')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during, boundary) VALUES ('N-1', 1, '(,)', 'SRID=4326;MULTIPOLYGON(((0 0,2 2,2 0,0 2,0 0)))')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during, boundary) VALUES ('N-1', 1, '(,)', 'SRID=4326;MULTIPOLYGON(((-34 150,-33 150,-33 152,-34 152,-34 150)))')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during, boundary) VALUES ('N-1', 1, '(,)', 'SRID=3857;MULTIPOLYGON(((0 0,1 0,1 1,0 1,0 0)))')$$);
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id, during, boundary) VALUES ('N-1', 1, '(,)', 'SRID=4326;POINT(0 0)')$$);
SELECT test.refused($$DELETE FROM fleet.contract WHERE number = 'C-1'$$);

-- A term has to meet its contract's days: when it is made, and when it is moved.
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '2', '[2027-01-01,2028-01-01)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (2, '1', '[2026-01-01,)'), (2, '2', '(,2026-01-01)')$$);
SELECT test.refused($$UPDATE fleet.coverage_term SET during = '[2025-01-01,2026-01-01)' WHERE contract_id = 1$$);
UPDATE fleet.contract SET during = '[2026-01-01,2026-07-01)' WHERE number = 'C-1';
UPDATE fleet.coverage_term SET price = 13 WHERE contract_id = 1;
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (9, '1', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during) VALUES (1, '2', 9, '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '2', 'empty')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '2', '[-infinity,2026-02-01)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during, price) VALUES (1, '2', '(,)', 1)$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during, price, price_basis) VALUES (1, '2', '(,)', -1, 'per_unit_day')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during, price, price_basis) VALUES (1, '2', '(,)', 'Infinity', 'per_unit_day')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during, price, price_basis) VALUES (1, '2', '(,)', 1, 'per_moon')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during, proration) VALUES (1, '2', '(,)', 'none')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number, during, bundle_billing) VALUES (1, '2', '(,)', 'include')$$);
-- All bases and prorations there are.
INSERT INTO fleet.coverage_term (contract_id, number, during, price, price_basis, proration)
SELECT 3, b || ' ' || p, '(,)', 1, b, p
FROM unnest(ARRAY['per_unit_day', 'per_unit_month', 'per_unit_year', 'flat_month', 'flat_year', 'flat_once']) AS b, unnest(ARRAY['actual_days', 'actual_months', 'thirty_360', 'full_month']) AS p;
SELECT count(*) FROM fleet.coverage_term WHERE contract_id = 3 AND price IS NOT NULL;


-- What days cost.
SELECT proration, round(cec.charge_amount(5000, 'per_unit_year', proration, '{[2019-08-12,2019-12-22]}', '2019-08-12'), 2) AS amount
FROM unnest(ARRAY['actual_days', 'actual_months', 'thirty_360', 'full_month']) AS proration;
SELECT test.refused($$SELECT cec.charge_amount(930, 'per_unit_week', 'actual_days', '{[2026-01-01,2026-01-23]}', NULL)$$);
SELECT test.refused($$SELECT cec.charge_amount(930, 'per_unit_month', 'actual', '{[2026-01-01,2026-01-23]}', NULL)$$);
SELECT test.refused($$SELECT cec.charge_amount(930, 'flat_month', 'actual_days', '{[2026-01-01,2026-01-23]}', NULL)$$);
SELECT test.refused($$SELECT cec.charge_amount(930, 'per_unit_month', 'actual_days', '{[2026-01-01,)}', NULL)$$);
SELECT test.refused($$SELECT cec.charge_amount('NaN', 'per_unit_month', 'actual_days', '{[2026-01-01,2026-01-23]}', NULL)$$);
SELECT test.refused($$SELECT cec.charge_amount(930, 'per_unit_year', 'actual_days', '{[2026-01-01,2026-01-23]}', 'infinity')$$);

SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('Germany', 'T', 'true', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, region, title, requirement, during) VALUES ('AT', 'DE-BY', 'T', 'true', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'T', repeat('x', 4001), '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'T', 'true', 'empty')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'T', 'true', '(,infinity)')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement, during, met_by) VALUES ('DE', 'T', 'true', '(,)', 'all')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement, during, applies_by) VALUES ('DE', 'T', 'true', '(,)', 'customer')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, region, title, requirement, during, applies_by) VALUES ('DE', 'DE-BY', 'T', 'true', '(,)', 'governing_country')$$);
INSERT INTO fleet.regulation (country, title, requirement, during, applies_by) VALUES ('DE', 'T', 'true', '(,)', 'governing_country');
SELECT country, region, met_by, applies_by FROM fleet.regulation;
SELECT test.refused($$INSERT INTO fleet.jurisdiction (country, name, boundary) VALUES ('UK', 'Kent', 'SRID=4326;MULTIPOLYGON(((0 51,1 51,1 52,0 52,0 51)))')$$);
SELECT test.refused($$INSERT INTO fleet.jurisdiction (country, region, name, boundary) VALUES ('GB', 'Kent', 'Kent', 'SRID=4326;MULTIPOLYGON(((0 51,1 51,1 52,0 52,0 51)))')$$);
SELECT test.refused($$INSERT INTO fleet.jurisdiction (country, name, boundary) VALUES ('GB', '', 'SRID=4326;MULTIPOLYGON(((0 51,1 51,1 52,0 52,0 51)))')$$);
SELECT test.refused($$INSERT INTO fleet.jurisdiction (country, name, boundary) VALUES ('GB', 'Kent', 'SRID=4326;MULTIPOLYGON(((0 51,1 52,1 51,0 52,0 51)))')$$);
SELECT test.refused($$INSERT INTO fleet.jurisdiction (country, name, boundary) VALUES ('FJ', 'Fiji', 'SRID=4326;MULTIPOLYGON(((177 -19,182 -19,182 -16,177 -16,177 -19)))')$$);
SELECT test.refused($$INSERT INTO fleet.jurisdiction (country, name) VALUES ('GB', 'Kent')$$);

SELECT test.refused($$UPDATE fleet.setting SET time_zone = 'Mars/Olympus'$$);
-- Two hours west; an abbreviation; a number; forms that the server reads as names.
SELECT test.refused($$UPDATE fleet.setting SET time_zone = 'UTC+2'$$);
SELECT zone, test.refused(format('UPDATE fleet.contract SET time_zone = %L', zone)) FROM unnest(ARRAY['CET+1x', 'CEST', '+2', '2', '<W>+3', 'Etc/GMT+13', ':UTC', '', 'right/UTC', 'EST5EDT4']) AS zone;
-- Names, in any case.
BEGIN;
UPDATE fleet.contract SET time_zone = 'EUROPE/berlin' WHERE contract_id = 1;
UPDATE fleet.setting SET time_zone = 'GMT';
DO $$
DECLARE
	zone text;
BEGIN
	FOR zone IN SELECT name FROM pg_timezone_names WHERE name !~ '^posix/' LOOP
		PERFORM cec._contract_time_zone_known(zone);
		PERFORM cec._contract_time_zone_known(lower(zone));
	END LOOP;
END $$;
ROLLBACK;
SELECT test.refused($$UPDATE fleet.setting SET expiry_notice_days = -1$$);
SELECT observation_days, decommission_window_days, value_attribute FROM fleet.setting;
SELECT test.refused($$UPDATE fleet.setting SET observation_days = -1$$);
SELECT test.refused(format('UPDATE fleet.setting SET value_attribute = %L', repeat('x', 201)));
SELECT test.refused($$UPDATE fleet.setting SET decommission_window_days = -1$$);
SELECT test.refused($$UPDATE fleet.setting SET value_attribute = ''$$);
SELECT test.refused($$INSERT INTO fleet.amendment (contract_id, title, status, requested_at, applied_at, is_direct) VALUES (1, 'T', 'applied', '2026-02-02', '2026-02-01', true)$$);
SELECT test.refused($$INSERT INTO fleet.setting (setting_id, version) VALUES (2, 'x')$$);

\set include :source/sql/include/end.sql
\i :include
