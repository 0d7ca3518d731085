-- Metrics: the figures of the rules' own example, a portfolio of twenty assets worked out on paper, and another recomputed day by day by
-- what covered says, which shares no code with the views. All days are of years that are over, but for what is about today.
SET client_min_messages = warning;
SET jit = off;
BEGIN;
SELECT no_plan();
CREATE ROLE regress_reader NOLOGIN;

-- The example: June, P covered 1-30, M 11-30, Q 1-15, R not at all.
SELECT cec.create_portfolio('june') \g /dev/null
INSERT INTO june.customer (customer_id, name) VALUES (1, 'Harbour');
INSERT INTO june.contract (contract_id, number, customer_id, status, during, currency) VALUES (1, 'K', 1, 'active', '[2024-01-01,2025-01-01)', 'EUR');
INSERT INTO june.coverage_term (term_id, contract_id, number, during, price, price_basis) VALUES (1, 1, '1', '[2024-01-01,2025-01-01)', 30, 'per_unit_month');
INSERT INTO june.asset (asset_id, asset_tag, customer_id) VALUES (1, 'P', 1), (2, 'M', 1), (3, 'Q', 1), (4, 'R', 1);
INSERT INTO june.inclusion (term_id, asset_id, during) VALUES (1, 1, '[2024-06-01,2024-07-01)'), (1, 2, '[2024-06-11,2024-07-01)'), (1, 3, '[2024-06-01,2024-06-16)');
INSERT INTO june.service_request (asset_id, opened_at, cost, currency)
VALUES (1, '2024-06-05 12:00Z', 130, 'EUR'), (1, '2024-06-08 12:00Z', 13, 'USD'), (2, '2024-06-20 12:00Z', 65, 'EUR'), (2, '2024-06-03 12:00Z', 40, 'EUR');
INSERT INTO june.maintenance_event (asset_id, kind, performed_on, cost, currency) VALUES (4, 'repair', '2024-06-09', 70, 'EUR');
CREATE FUNCTION pg_temp.month_value(portfolio text, metric text, month text, contract text, currency text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE result numeric; BEGIN
	EXECUTE format('SELECT round(m.value, 4) FROM %I.metric_month m CROSS JOIN %I.setting s WHERE m.metric = $1 AND to_char(m.time AT TIME ZONE s.time_zone, ''YYYY-MM'') = $2
		AND m.contract_number IS NOT DISTINCT FROM $3 AND m.currency IS NOT DISTINCT FROM $4', portfolio, portfolio) INTO STRICT result USING metric, month, contract, currency;
	RETURN result;
END $$;
SELECT is(pg_temp.month_value('june', 'cost_per_covered_unit', '2024-06', 'K', 'EUR'), 90.0000, 'the example: 90.00 EUR a unit');
SELECT is(pg_temp.month_value('june', 'cost_per_covered_unit', '2024-06', NULL, 'USD'), 6.0000, 'and 6.00 USD, of the portfolio too');
SELECT is(pg_temp.month_value('june', 'requests_per_asset_year', '2024-06', 'K', NULL), 16.8462, '16.8462 requests an asset and year');
SELECT is(pg_temp.month_value('june', 'requests_per_covered_asset', '2024-06', 'K', NULL), 1.0000, '3 requests for 3 assets');
SELECT is(pg_temp.month_value('june', 'revenue_expected', '2024-06', 'K', 'EUR'), 65.0000, '65 unit-days at 1 a day');
SELECT results_eq($$SELECT month, reason, contract_id, currency, amount, days, rows FROM june.leakage$$,
	$$VALUES (date '2024-06-01', 'under_cover', NULL::bigint, 'EUR', 110::numeric, 2::bigint, 2::bigint)$$, 'and 110 EUR off cover');
SELECT results_eq($$SELECT on_day, covered FROM june.contract_day ORDER BY on_day$$, $$SELECT d::date, 1 + (d >= '2024-06-11')::int + (d <= '2024-06-15')::int::bigint
	FROM generate_series(timestamp '2024-06-01', timestamp '2024-06-30', '1 day') AS d$$, 'day by day');

-- Twenty assets, in 2023, Berlin's calendar.
--
-- S-1 service, North, EUR, 30 a month (33 from April), by days, what is only inherited free. Its days are Berlin's.
-- W-1 warranty, North, EUR, 0.10 a day, March to August. S-2 service, South, USD, 365 a year, New York. S-3 service, North, 2 EUR a day.
-- 1-5 on S-1 all year; 6 on S-1 11-20 March; 7 on S-1 1 February-15 April; 8 on S-1 and W-1; 9 on W-1; 10 on W-1, gone after 30 June;
-- 11 on S-2; 12 on S-2 from July; 13 on S-2, there from 15 March; 14 on S-2, out of service in April; 15 on S-1 and, in June, S-3;
-- 16 belongs to 1 from May; 17 on nothing; 18 planned; 19 on S-1 but for July; 20 on S-1.
SELECT cec.create_portfolio('works') \g /dev/null
UPDATE works.setting SET time_zone = 'Europe/Berlin', duplicates_allowed = true;
INSERT INTO works.customer (customer_id, name) VALUES (1, 'North'), (2, 'South');
INSERT INTO works.contract (contract_id, number, customer_id, account_manager, kind, status, during, time_zone, currency, priority) VALUES
	(1, 'S-1', 1, 'Ada', 'service', 'active', '[2023-01-01,2024-01-01)', 'Europe/Berlin', 'EUR', 100),
	(2, 'W-1', 1, 'Ada', 'warranty', 'active', '[2023-03-01,2023-09-01)', 'UTC', 'EUR', 100),
	(3, 'S-2', 2, 'Ben', 'service', 'active', '[2023-01-01,2024-01-01)', 'America/New_York', 'USD', 100),
	(4, 'S-3', 1, 'Ben', 'service', 'active', '[2023-01-01,2024-01-01)', 'Europe/Berlin', 'EUR', 200);
INSERT INTO works.coverage_term (term_id, contract_id, number, during, price, price_basis, bundle_billing) VALUES
	(1, 1, '1', '[2023-01-01,2024-01-01)', 30, 'per_unit_month', 'included'), (2, 2, '1', '(,)', 0.10, 'per_unit_day', 'each'),
	(3, 3, '1', '[2023-01-01,2024-01-01)', 365, 'per_unit_year', 'each'), (4, 4, '1', '[2023-01-01,2024-01-01)', 2, 'per_unit_day', 'each');
INSERT INTO works.term_price (term_id, first_day, price) VALUES (1, '2023-04-01', 33);
INSERT INTO works.asset (asset_id, asset_tag, customer_id, status, commissioned_on, decommissioned_on, out_of_service)
SELECT i, 'A' || i, CASE WHEN i BETWEEN 11 AND 14 THEN 2 ELSE 1 END, CASE WHEN i = 18 THEN 'planned' ELSE 'in_service' END,
	CASE WHEN i = 13 THEN date '2023-03-15' END, CASE WHEN i = 10 THEN date '2023-06-30' END,
	CASE WHEN i = 14 THEN '{[2023-04-01,2023-05-01)}' ELSE '{}' END::datemultirange
FROM generate_series(1, 20) i;
INSERT INTO works.bundle (bundle_id, name, primary_asset_id) VALUES (1, 'line', 1);
INSERT INTO works.bundle_member (bundle_id, asset_id, during) VALUES (1, 16, '[2023-05-01,)');
INSERT INTO works.inclusion (term_id, asset_id, during)
SELECT 1, i, '[2023-01-01,2024-01-01)'::daterange FROM unnest('{1,2,3,4,5,8,15,19,20}'::int[]) AS i
UNION ALL VALUES (1, 6, '[2023-03-11,2023-03-21)'::daterange), (1, 7, '[2023-02-01,2023-04-16)'), (2, 8, '[2023-03-01,2023-09-01)'), (2, 9, '[2023-03-01,2023-09-01)'),
	(2, 10, '[2023-03-01,2023-09-01)'), (3, 11, '[2023-01-01,2024-01-01)'), (3, 12, '[2023-07-01,2024-01-01)'), (3, 13, '[2023-01-01,2024-01-01)'),
	(3, 14, '[2023-01-01,2024-01-01)'), (4, 15, '[2023-06-01,2023-07-01)');
INSERT INTO works.inclusion (term_id, asset_id, effect, during) VALUES (1, 19, 'exclude', '[2023-07-01,2023-08-01)');
INSERT INTO works.service_request (asset_id, opened_at, cost, currency) VALUES
	(20, '2023-03-31 22:30Z', 10, 'EUR'),   -- 1 April in Berlin
	(1, '2023-03-25 23:30Z', NULL, NULL),   -- 26 March, the day of 23 hours
	(11, '2023-04-01 03:30Z', 7, 'USD'),    -- 31 March in New York
	(6, '2023-03-20 22:30Z', 20, 'EUR'),    -- still the 20th: covered
	(6, '2023-03-20 23:30Z', 25, 'EUR'),    -- the 21st: off cover
	(17, '2023-03-31 22:30Z', 4, 'EUR'),    -- off cover, 1 April
	(20, '2023-10-31 23:30Z', 3, 'EUR'),    -- 1 November, after the change
	(12, '2023-07-01 02:00Z', 9, 'USD'),    -- 30 June in New York, a day before its cover begins; 1 July in Berlin
	(20, '2023-10-31 22:30Z', 2, 'EUR');    -- 31 October
INSERT INTO works.maintenance_event (asset_id, kind, performed_on, cost, currency) VALUES
	(17, 'repair', '2023-03-10', 50, 'EUR'), (18, 'repair', '2023-03-10', 5, 'EUR'), (8, 'repair', '2023-03-05', 12, 'EUR'),
	(15, 'repair', '2023-06-10', 8, 'EUR'), (9, 'inspection', '2023-03-06', NULL, NULL);
-- That 2 is outside the boundary was found on 10 May and mended on the 20th.
INSERT INTO works.finding (kind, severity, asset_id, contract_id, opened_at, closed_at)
VALUES ('covered_outside_boundary', 'warning', 2, 1, '2023-05-10 08:00Z', '2023-05-20 08:00Z');

-- Unit-days of March: S-1 5 × 31 + 10 + 4 × 31 (7, 15, 19, 20; 8 is W-1's) = 289 of 10 assets; W-1 3 × 31; S-2 31 + 17 + 31 = 79.
-- April: S-1 150 + 15 + 3 × 30 = 255 of 9; S-2 60 of 2. June: S-1 9 × 30 (15 is S-1's, by priority). July: S-1 8 × 31, W-1 2 × 31.
SELECT results_eq($$SELECT contract_number, to_char(time AT TIME ZONE 'Europe/Berlin', 'YYYY-MM') AS month, denominator FROM works.metric_month
		WHERE metric = 'requests_per_asset_year' AND time BETWEEN '2023-03-01 00:00+01' AND '2023-07-01 00:00+02' ORDER BY 2, 1$$,
	$$VALUES ('S-1', '2023-03', 289.0), ('S-2', '2023-03', 79), ('W-1', '2023-03', 93), (NULL, '2023-03', 461),
		('S-1', '2023-04', 255), ('S-2', '2023-04', 60), ('W-1', '2023-04', 90), (NULL, '2023-04', 405),
		('S-1', '2023-05', 279), ('S-2', '2023-05', 93), ('W-1', '2023-05', 93), (NULL, '2023-05', 465),
		('S-1', '2023-06', 270), ('S-2', '2023-06', 90), ('W-1', '2023-06', 90), (NULL, '2023-06', 450),
		('S-1', '2023-07', 248), ('S-2', '2023-07', 124), ('W-1', '2023-07', 62), (NULL, '2023-07', 434)$$, 'unit-days');
SELECT results_eq($$SELECT contract_number, numerator, denominator FROM works.metric_month WHERE metric = 'requests_per_covered_asset' AND time = '2023-03-01 00:00+01' ORDER BY 1$$,
	$$VALUES ('S-1', 2.0, 10.0), ('S-2', 1, 3), ('W-1', 0, 3), (NULL, 3, 16)$$, 'requests fall on the days of their contract''s calendar');
SELECT is(pg_temp.month_value('works', 'cost_per_covered_unit', '2023-03', 'S-1', 'EUR'), round(20 * 31 / 289.0, 4), 'March, S-1: 20 EUR');
SELECT is(pg_temp.month_value('works', 'cost_per_covered_unit', '2023-03', 'W-1', 'EUR'), 4.0000, 'W-1: 12 EUR, 3 assets');
SELECT is(pg_temp.month_value('works', 'cost_per_covered_unit', '2023-03', 'S-2', 'EUR'), 0.0000, 'S-2: nothing in EUR');
SELECT is(pg_temp.month_value('works', 'cost_per_covered_unit', '2023-03', NULL, 'EUR'), round(32 * 31 / 461.0, 4), 'the portfolio: all unit-days');
SELECT is(pg_temp.month_value('works', 'cost_per_covered_unit', '2023-03', NULL, 'USD'), round(7 * 31 / 461.0, 4), 'and each currency apart');
SELECT is(pg_temp.month_value('works', 'cost_per_covered_unit', '2023-11', 'S-1', 'EUR'), round(3 * 30 / 300.0, 4), 'November begins at midnight in Berlin');
-- Revenue: S-1 March 9 × 30 (1-5, 7, 8, 15, 19, 20 is ten: 10 × 30) + 6: 30 × 10/31; April 9 × 33 + 33 × 15/30; W-1 a tenth a unit-day.
SELECT results_eq($$SELECT contract_number, currency, round(revenue_expected, 2), service_cost, round(over_cover, 2), under_cover, round(margin, 2)
		FROM works.contract_profitability WHERE month = '2023-03-01' ORDER BY 1$$,
	$$VALUES ('S-1', 'EUR', 309.68, 20.0, 0.00, 0.0, 289.68), ('S-2', 'USD', 79.00, 7, 0.00, 0, 72.00), ('W-1', 'EUR', 9.30, 12, 0.00, 0, -2.70),
		(NULL, 'EUR', NULL, 0, 0.00, 75, -75.00)$$, 'March: revenue, cost, margin');
SELECT results_eq($$SELECT contract_number, currency, round(revenue_expected, 2), service_cost, round(over_cover, 2), under_cover, round(margin, 2)
		FROM works.contract_profitability WHERE month IN ('2023-04-01', '2023-06-01') AND currency = 'EUR' ORDER BY month, 1$$,
	$$VALUES ('S-1', 'EUR', 313.50, 10.0, 0.00, 0.0, 303.50), ('W-1', 'EUR', 9.00, 0, 0.00, 0, 9.00), (NULL, 'EUR', NULL, 0, 0.00, 4, -4.00),
		('S-1', 'EUR', 297.00, 8, 0.00, 0, 289.00), ('S-3', 'EUR', 60.00, 0, 60.00, 0, 60.00), ('W-1', 'EUR', 9.00, 0, 0.00, 0, 9.00)$$, 'April and June');
-- Over-cover: S-3 in June, 30 days at 2; 2 on 10-19 May, ten days of 33 a month of 31 days.
SELECT results_eq($$SELECT l.month, l.reason, c.number COLLATE "default", l.currency, round(l.amount, 2), l.days, l.rows FROM works.leakage l LEFT JOIN works.contract c USING (contract_id)
		ORDER BY l.month, 2$$,
	$$VALUES (date '2023-03-01', 'under_cover', NULL, 'EUR', 75.00, 2::bigint, 2::bigint), ('2023-04-01', 'under_cover', NULL, 'EUR', 4.00, 1, 1),
		('2023-05-01', 'over_cover', 'S-1', 'EUR', 10.65, 10, 1), ('2023-06-01', 'over_cover', 'S-3', 'EUR', 60.00, 30, 1),
		('2023-07-01', 'under_cover', NULL, 'USD', 9.00, 1, 1)$$, 'leakage');
SELECT results_eq($$SELECT DISTINCT time FROM works.metric_month WHERE metric = 'revenue_expected' AND time BETWEEN '2023-02-28 12:00Z' AND '2023-12-31' ORDER BY 1$$,
	$$SELECT m AT TIME ZONE 'Europe/Berlin' FROM generate_series(timestamp '2023-03-01', timestamp '2023-12-01', '1 month') AS m$$, 'months begin at midnight there');
SELECT is_empty($$(SELECT metric, time, currency, sum(numerator), sum(denominator) FROM works.metric_month WHERE contract_id IS NOT NULL GROUP BY 1, 2, 3)
	EXCEPT (SELECT metric, time, currency, numerator, denominator FROM works.metric_month WHERE contract_id IS NULL)$$, 'the portfolio is the sum of its contracts');

-- Flat prices: by the days of the term, whoever is on its list; once, in the month of the term's first day. A whole month as soon as it is touched.
INSERT INTO works.contract (contract_id, number, customer_id, status, during, currency, suspensions) VALUES (5, 'F', 1, 'active', '[2023-02-15,2023-05-01)', 'CHF', '{[2023-03-10,2023-03-20)}');
INSERT INTO works.coverage_term (term_id, contract_id, number, during, price, price_basis, proration) VALUES
	(51, 5, 'month', '[2023-02-15,2023-05-01)', 310, 'flat_month', 'actual_days'), (52, 5, 'once', '[2023-02-15,)', 1000, 'flat_once', 'actual_days'),
	(53, 5, 'unit', '[2023-02-15,)', 5, 'per_unit_month', 'full_month');
INSERT INTO works.term_price (term_id, first_day, price) VALUES (53, '2023-03-15', 6);
INSERT INTO works.asset (asset_id, asset_tag) VALUES (30, 'F1');
INSERT INTO works.inclusion (term_id, asset_id, during) VALUES (53, 30, '[2023-03-05,2023-04-02)');
-- February: 310 × 14/28 + 1000. March: 310 × 21/31 + 5 (the price of the month's first covered day). April: 310 + 6.
SELECT results_eq($$SELECT to_char(time AT TIME ZONE 'Europe/Berlin', 'MM'), round(value, 2) FROM works.metric_month WHERE metric = 'revenue_expected' AND contract_number = 'F' ORDER BY 1$$,
	$$VALUES ('02', 1155.00), ('03', 215.00), ('04', 316.00)$$, 'flat prices, and whole months');

-- What is known first is a request on the evening before, by the calendar of its contract.
SELECT cec.create_portfolio('evening') \g /dev/null
INSERT INTO evening.customer (customer_id, name) VALUES (1, 'West');
INSERT INTO evening.contract (contract_id, number, customer_id, status, during, time_zone) VALUES (1, 'LA', 1, 'active', '(,)', 'America/Los_Angeles');
INSERT INTO evening.coverage_term (term_id, contract_id, number, during) VALUES (1, 1, '1', '(,)');
INSERT INTO evening.asset (asset_id, asset_tag) VALUES (1, 'E');
INSERT INTO evening.inclusion (term_id, asset_id, during) VALUES (1, 1, '(,)');
INSERT INTO evening.service_request (asset_id, opened_at) VALUES (1, '2023-07-01 02:00Z');
SELECT is(pg_temp.month_value('evening', 'requests_per_covered_asset', '2023-06', 'LA', NULL), 1.0000, 'a request in the evening of the day before the first one');
SELECT cec.drop_portfolio('evening', 'evening') \g /dev/null

-- Recomputed day by day: who covers each asset on each day is what covered says.
SELECT cec.create_portfolio('chance') \g /dev/null
UPDATE chance.setting SET duplicates_allowed = true;
INSERT INTO chance.customer (customer_id, name) VALUES (1, 'All');
INSERT INTO chance.service_tier (tier_id, code, name, rank) VALUES (1, 'gold', 'Gold', 3), (2, 'basic', 'Basic', 1);
INSERT INTO chance.contract (contract_id, number, customer_id, kind, status, during, currency, priority, suspensions)
SELECT i, 'C' || i, 1, (ARRAY['service', 'warranty', 'lease', 'service'])[1 + i % 4], 'active', CASE WHEN i = 3 THEN '(,2022-06-01)' ELSE '[2022-01-10,2022-06-20)' END::daterange,
	CASE WHEN i % 3 = 0 THEN 'USD' ELSE 'EUR' END, 100 + i % 2, CASE WHEN i = 5 THEN '{[2022-03-03,2022-03-12)}' ELSE '{}' END::datemultirange
FROM generate_series(1, 8) i;
INSERT INTO chance.coverage_term (term_id, contract_id, number, tier_id, during, price, price_basis, proration)
SELECT i, 1 + i % 8, i::text, CASE i % 3 WHEN 0 THEN NULL ELSE i % 3 END, CASE WHEN i % 2 = 0 THEN '(,)' ELSE '[2022-01-20,2022-06-10)' END::daterange, i,
	(ARRAY['per_unit_day', 'per_unit_month', 'per_unit_year'])[1 + i % 3], (ARRAY['actual_days', 'actual_months', 'thirty_360', 'full_month'])[1 + i % 4]
FROM generate_series(1, 12) i;
INSERT INTO chance.asset (asset_id, asset_tag, commissioned_on) SELECT i, 'A' || i, CASE WHEN i % 4 = 0 THEN date '2022-02-10' + i % 7 END FROM generate_series(1, 40) i;
DO $$ DECLARE i integer; j integer; BEGIN
	FOR i IN 1..40 LOOP FOR j IN 1..4 LOOP
		BEGIN
			INSERT INTO chance.inclusion (term_id, asset_id, during)
			VALUES (1 + (i * j) % 12, i, daterange(date '2022-01-05' + (i * 7 + j * 31) % 120, date '2022-01-05' + (i * 7 + j * 31) % 120 + 1 + (i * 13 + j) % 70));
		EXCEPTION WHEN integrity_constraint_violation THEN NULL;
		END;
	END LOOP; END LOOP;
END $$;
INSERT INTO chance.maintenance_event (asset_id, kind, performed_on, cost, currency)
SELECT 1 + (i * 17) % 40, 'repair', date '2022-01-01' + (i * 37) % 200, i % 11, CASE WHEN i % 3 = 0 THEN 'USD' ELSE 'EUR' END FROM generate_series(1, 150) i;
CREATE TEMP TABLE asset_day AS
SELECT a.asset_id, d::date AS day, date_trunc('month', d)::date AS month, v.rank, v.contract_id, v.term_id, c.kind
FROM chance.asset a CROSS JOIN generate_series(timestamp '2022-01-01', timestamp '2022-06-30', '1 day') AS d
	CROSS JOIN LATERAL chance.covered_on(a.asset_tag, d::date) AS v JOIN chance.contract c ON c.contract_id = v.contract_id;
CREATE INDEX ON asset_day (asset_id, day);
ANALYZE asset_day;
SELECT cmp_ok((SELECT count(*) FROM asset_day WHERE rank > 1), '>', 500::bigint, 'days with several terms are there');
SELECT bag_eq($$SELECT contract_id, time::date, denominator FROM chance.metric_month WHERE metric = 'requests_per_asset_year' AND contract_id IS NOT NULL AND time < '2022-07-01'$$,
	$$SELECT contract_id, month, count(*)::numeric FROM asset_day WHERE rank = 1 GROUP BY 1, 2$$, 'unit-days');
SELECT bag_eq($$SELECT contract_id, time::date, denominator FROM chance.metric_month WHERE metric = 'requests_per_covered_asset' AND contract_id IS NOT NULL AND time < '2022-07-01'$$,
	$$SELECT contract_id, month, count(DISTINCT asset_id)::numeric FROM asset_day WHERE rank = 1 GROUP BY 1, 2$$, 'assets with a unit-day');
-- A term of an asset, month by month: its days, its charge, and the days on which a better contract of the kind covers.
CREATE TEMP TABLE term_month AS
SELECT x.*, cec.charge_amount(t.price, t.price_basis, t.proration, x.days, lower(t.during)) AS charge
FROM (SELECT d.asset_id, d.term_id, d.contract_id, d.month, range_agg(daterange(d.day, d.day + 1)) AS days, count(*) AS day_count,
		count(*) FILTER (WHERE EXISTS (SELECT FROM asset_day o WHERE o.asset_id = d.asset_id AND o.day = d.day AND o.rank < d.rank AND o.kind = d.kind
			AND o.contract_id <> d.contract_id)) AS useless
	FROM asset_day d GROUP BY 1, 2, 3, 4) AS x JOIN chance.coverage_term t ON t.term_id = x.term_id;
SELECT cmp_ok((SELECT count(*) FROM term_month WHERE useless > 0), '>', 20::bigint, 'and days of no use');
CREATE TEMP TABLE own_profit AS
SELECT x.month, x.contract_id, x.currency, round(sum(x.revenue), 6) AS revenue, coalesce(sum(x.cost), 0) AS cost, coalesce(round(sum(x.useless), 6), 0) AS useless, coalesce(sum(x.off_cover), 0) AS off_cover
FROM (SELECT m.month, m.contract_id, c.currency, m.charge AS revenue, NULL::numeric AS cost, CASE WHEN m.useless > 0 THEN m.charge * m.useless / m.day_count END AS useless, NULL::numeric AS off_cover
	FROM term_month m JOIN chance.contract c ON c.contract_id = m.contract_id
	UNION ALL
	SELECT date_trunc('month', e.performed_on)::date, d.contract_id, e.currency, NULL, CASE WHEN d.contract_id IS NOT NULL THEN e.cost END, NULL, CASE WHEN d.contract_id IS NULL THEN e.cost END
	FROM chance.maintenance_event e JOIN chance.asset a ON a.asset_id = e.asset_id LEFT JOIN asset_day d ON d.asset_id = e.asset_id AND d.day = e.performed_on AND d.rank = 1
	WHERE d.contract_id IS NOT NULL OR coalesce(a.commissioned_on, e.performed_on) <= e.performed_on) AS x
WHERE x.month < '2022-07-01'
GROUP BY 1, 2, 3;
SELECT bag_eq($$SELECT month, contract_id, currency, round(revenue_expected, 6) AS revenue, service_cost, round(over_cover, 6) AS useless, under_cover FROM chance.contract_profitability WHERE month < '2022-07-01'$$,
	$$SELECT * FROM own_profit$$, 'profitability, day by day');
SELECT bag_eq($$SELECT month, reason, contract_id, currency, round(amount, 6) AS amount, days FROM chance.leakage WHERE month < '2022-07-01'$$, $$
	SELECT m.month, 'over_cover' AS reason, m.contract_id, c.currency, round(sum(m.charge * m.useless / m.day_count), 6) AS amount, sum(m.useless)::bigint AS days
	FROM term_month m JOIN chance.contract c ON c.contract_id = m.contract_id WHERE m.useless > 0 GROUP BY 1, 3, 4
	UNION ALL
	SELECT date_trunc('month', e.performed_on)::date, 'under_cover', NULL, e.currency, sum(e.cost), count(DISTINCT (e.asset_id, e.performed_on))
	FROM chance.maintenance_event e JOIN chance.asset a ON a.asset_id = e.asset_id
	WHERE coalesce(a.commissioned_on, e.performed_on) <= e.performed_on AND e.performed_on < '2022-07-01'
		AND NOT EXISTS (SELECT FROM asset_day d WHERE d.asset_id = e.asset_id AND d.day = e.performed_on)
	GROUP BY 1, 4$$, 'leakage, day by day');
SELECT bag_eq($$SELECT contract_id, on_day, covered FROM chance.contract_day WHERE covered > 0 AND on_day <= '2022-06-30'$$,
	$$SELECT contract_id, day, count(DISTINCT asset_id) FROM asset_day GROUP BY 1, 2$$, 'contracts day by day');

-- What is about today. P M S T are covered by A; P, M and U were seen in its area, S elsewhere, T never.
SELECT cec.create_portfolio('now') \g /dev/null
-- Midnight is far away in its calendar, whatever the clock says.
CREATE FUNCTION pg_temp.noon() RETURNS text LANGUAGE sql AS $$ SELECT 'Etc/GMT' || to_char(extract(hour FROM clock_timestamp() AT TIME ZONE 'UTC') - 12, 'SG99') $$;
UPDATE now.setting SET time_zone = replace(pg_temp.noon(), ' ', '');
CREATE FUNCTION pg_temp.today() RETURNS date LANGUAGE sql AS $$ SELECT cec.today('now') $$;
INSERT INTO now.customer (customer_id, name, parent_id) VALUES (1, 'North', NULL), (2, 'South', NULL), (3, 'North, branch', 1);
INSERT INTO now.service_tier (tier_id, code, name, rank) VALUES (1, 'gold', 'Gold', 1);
INSERT INTO now.contract (contract_id, number, customer_id, account_manager, kind, status, during, currency, boundary) VALUES
	(1, 'A', 1, 'Ada', 'service', 'active', daterange(pg_temp.today() - 100, pg_temp.today() + 400), 'EUR', ST_GeomFromText('MULTIPOLYGON(((0 0,10 0,10 10,0 10,0 0)))', 4326)),
	(2, 'K', 2, 'Ben', 'warranty', 'active', daterange(pg_temp.today() - 100, pg_temp.today() + 31), 'EUR', NULL),
	(3, 'L', 2, 'Ben', 'lease', 'active', daterange(pg_temp.today() - 100, NULL), 'EUR', ST_GeomFromText('MULTIPOLYGON(((0 0,10 0,10 10,0 10,0 0)))', 4326));
UPDATE now.contract SET notice_days = 30 WHERE contract_id = 3;
INSERT INTO now.coverage_term (term_id, contract_id, number, tier_id, during, price, price_basis) VALUES
	(1, 1, '1', NULL, daterange(pg_temp.today() - 100, pg_temp.today() + 400), 1, 'per_unit_day'), (2, 2, '1', 1, '(,)', 0, 'per_unit_day'), (3, 3, '1', 1, '(,)', 365, 'per_unit_year');
INSERT INTO now.asset (asset_id, asset_tag, customer_id, country, category, location, attributes) VALUES
	(1, 'P', 3, 'DE', 'pump', 'SRID=4326;POINT(1 1)', '{"value": 10}'), (2, 'M', 1, 'DE', 'motor', 'SRID=4326;POINT(1 1)', '{"value": "2.5"}'),
	(3, 'S', 1, 'DE', 'pump', 'SRID=4326;POINT(1 1)', '{"value": "none"}'), (4, 'T', 1, 'AT', 'pump', 'SRID=4326;POINT(1 1)', '{}'), (5, 'U', 1, 'AT', 'pump', NULL, '{}'),
	(6, 'V', 2, 'AT', 'pump', 'SRID=4326;POINT(1 1)', '{}'), (7, 'W', 2, 'FR', NULL, 'SRID=4326;POINT(2 2)', '{}'), (8, 'Xü', 2, 'FR', NULL, NULL, '{}'), (9, 'Y', 2, 'FR', NULL, NULL, '{}');
INSERT INTO now.inclusion (term_id, asset_id, during) SELECT 1, i, daterange(pg_temp.today() - 50, NULL) FROM generate_series(1, 4) i
UNION ALL SELECT 2, i, daterange(pg_temp.today() - 50, NULL) FROM generate_series(6, 8) i
UNION ALL SELECT 3, i, daterange(pg_temp.today() - 50, NULL) FROM unnest('{6,9}'::int[]) i;
INSERT INTO now.field_observation (asset_id, observed_at, location, source) VALUES
	(1, clock_timestamp() - interval '30 days', 'SRID=4326;POINT(20 20)', 'van'), (1, clock_timestamp() - interval '3 days', 'SRID=4326;POINT(5 5)', 'van'),
	(2, clock_timestamp() - interval '2 days', 'SRID=4326;POINT(10 5)', 'van'), (3, clock_timestamp() - interval '2 days', 'SRID=4326;POINT(20 5)', 'drone'),
	(5, clock_timestamp() - interval '2 days', NULL, 'drone'), (4, clock_timestamp() - interval '400 days', 'SRID=4326;POINT(5 5)', 'van'),
	(9, clock_timestamp() - interval '2 days', 'SRID=4326;POINT(5 5)', 'van');
SELECT results_eq($$SELECT contract_number, covered, seen, deployed, in_both, adherence, observed_share FROM now.contract_adherence ORDER BY 1$$,
	$$VALUES ('A', 4::bigint, 3::bigint, 3::bigint, 2::bigint, 2 / 4::numeric, 3 / 4::numeric), ('K', 3, 0, 1, 0, 0 / 1::numeric, 0 / 3::numeric),
		('L', 2, 1, 1, 1, 1 / 1::numeric, 1 / 2::numeric)$$, 'adherence 2 of 4, observed 3 of 4');
SELECT results_eq($$SELECT grouped_by, group_value, compared, covered_not_in_place, in_place_not_covered, differences, round(share, 4) FROM now.adherence_issue
		WHERE grouped_by IN ('source', 'account_manager') ORDER BY 1, 2$$,
	$$VALUES ('account_manager', 'Ada', 4::bigint, 1::bigint, 1::bigint, 2::bigint, 0.6667), ('account_manager', 'Ben', 2, 0, 1, 1, 0.3333),
		('source', 'drone', 2, 1, 1, 2, 0.6667), ('source', 'van', 4, 0, 1, 1, 0.3333)$$, 'and where the differences are');
SELECT results_eq($$SELECT grouped_by, group_value, active, covered, round(rate, 4), value, covered_value, round(value_rate, 4) FROM now.attach_rate WHERE grouped_by IN ('country', 'account_manager') ORDER BY 1, 2$$,
	$$VALUES ('account_manager', 'Ada', 4::bigint, 3::bigint, 0.7500, 2.5, 2.5, 1.0000), ('account_manager', 'Ben', 4, 4, 1.0000, 0, 0, NULL), ('account_manager', NULL, 1, 1, 1.0000, 10, 10, 1.0000),
		('country', 'AT', 3, 2, 0.6667, 0, 0, NULL), ('country', 'DE', 3, 3, 1.0000, 12.5, 12.5, 1.0000), ('country', 'FR', 3, 3, 1.0000, 0, 0, NULL)$$, 'attach rates');
SELECT results_eq($$SELECT month, contract_number, assets, first_last_day, revenue_at_risk FROM now.expiring_cover ORDER BY 2$$,
	$$SELECT date_trunc('month', pg_temp.today() + d)::date, n, a::bigint, pg_temp.today() + d, r::numeric FROM (VALUES ('A', 399, 4, 1460), ('K', 30, 2, 0)) AS e(n, d, a, r)$$,
	'what ends: 4 assets a year at 1 a day; of K 2, since one goes on under L');
-- Complete: K 2 of 3 (the tag of X), L 1 of 2 (Y has no place), A none (no tier).
CREATE FUNCTION pg_temp.complete(contract text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; BEGIN
	SET CONSTRAINTS ALL IMMEDIATE;
	PERFORM now.refresh();
	SELECT numerator || '/' || denominator INTO result FROM now.metric_month WHERE metric = 'complete_definition' AND contract_number IS NOT DISTINCT FROM contract;
	RETURN result;
END $$;
SELECT is(pg_temp.complete('K'), '2/3', 'K: 2 of 3');
SELECT is(pg_temp.complete('L'), '1/2', 'L: 1 of 2');
SELECT is(pg_temp.complete('A'), '0/4', 'A: no tier');
UPDATE now.contract SET status = 'draft' WHERE contract_id = 1;
SELECT is(pg_temp.complete(NULL), '3/5', 'the portfolio 3 of 5');
SELECT is(pg_temp.complete('A'), NULL, 'a contract that covers nobody is sampled no more today');
INSERT INTO now.finding (kind, severity, asset_id, contract_id) VALUES ('merged_in_register', 'error', 7, 2);
SELECT is(pg_temp.complete('K'), '1/3', 'an error');
INSERT INTO now.finding_waiver (kind, asset_id, reason, until) VALUES ('merged_in_register', 7, 'known', pg_temp.today());
SELECT is(pg_temp.complete('K'), '2/3', 'waived');
UPDATE now.finding_waiver SET until = pg_temp.today() - 1;
SELECT is(pg_temp.complete('K'), '1/3', 'until yesterday');
UPDATE now.finding_waiver SET until = NULL, contract_id = 1;
SELECT is(pg_temp.complete('K'), '1/3', 'for another contract');
UPDATE now.finding_waiver SET contract_id = NULL, subject = 'of something else';
SELECT is(pg_temp.complete('K'), '1/3', 'of another subject');
UPDATE now.finding_waiver SET subject = NULL, waived_by = 'Ada';
UPDATE now.setting SET four_eyes = true;
SELECT is(pg_temp.complete('K'), '1/3', 'by one pair of eyes where two are asked for');
UPDATE now.finding_waiver SET approved_by = 'Ben';
SELECT is(pg_temp.complete('K'), '2/3', 'by two');
UPDATE now.setting SET four_eyes = false;
UPDATE now.finding SET closed_at = clock_timestamp() WHERE kind = 'merged_in_register';
INSERT INTO now.finding (kind, severity, asset_id) VALUES ('merged_in_register', 'error', 6), ('merged_in_register', 'warning', 7);
SELECT is(pg_temp.complete('K'), '1/3', 'an error without a contract');
SELECT is(pg_temp.complete('L'), '0/2', 'counts for each');
UPDATE now.finding SET closed_at = clock_timestamp() WHERE kind = 'merged_in_register';
UPDATE now.contract SET notice_days = NULL WHERE contract_id = 3;
SELECT is(pg_temp.complete('L'), '0/2', 'no end and no notice');
UPDATE now.coverage_term SET price = NULL, price_basis = NULL WHERE term_id = 2;
SELECT is(pg_temp.complete('K'), '0/3', 'no price');

-- Samples: today's in the place of what was sampled before, those of days that are over for good.
SELECT results_eq($$SELECT metric COLLATE "default", numerator, denominator FROM now.metric_sample WHERE contract_id IS NULL ORDER BY 1$$, $$VALUES ('adherence', 1.0, 2.0), ('attach_rate', 4, 9), ('attach_rate_service', 2, 9),
	('attach_rate_warranty', 3, 9), ('complete_definition', 0, 5), ('observed_share', 1, 5)$$, 'samples of the portfolio');
CREATE TEMP TABLE sampled AS SELECT * FROM now.metric_sample;
SELECT now.refresh() \g /dev/null
SELECT bag_eq('SELECT * FROM now.metric_sample', 'SELECT * FROM sampled', 'again: nothing is written anew');
INSERT INTO now.metric_sample (metric, contract_id, on_day, numerator, denominator) VALUES ('adherence', 2, '2023-05-10', 1, 2), ('adherence', NULL, '2023-05-10', 1, 2),
	('adherence', 3, '2023-05-20', 1, 4), ('adherence', NULL, '2023-05-20', 1, 4);
SELECT results_eq($$SELECT contract_id, value FROM now.metric_month WHERE metric = 'adherence' AND time BETWEEN '2023-04-30' AND '2023-05-02' ORDER BY 1$$,
	$$VALUES (3::bigint, 1 / 4::numeric), (NULL, 1 / 4::numeric)$$, 'a month is what its last day says');
SELECT throws_ok($$UPDATE now.metric_sample SET numerator = 2 WHERE on_day = '2023-05-10'$$, '42501', NULL, 'no sample of the past is changed');
SELECT throws_ok($$DELETE FROM now.metric_sample WHERE on_day = '2023-05-10'$$, '42501', NULL, 'or removed');
SELECT throws_ok($$TRUNCATE now.metric_sample$$, '42501', NULL, 'not even all of them');
SELECT now.refresh(cec.today('now') - 1) \g /dev/null
SELECT bag_eq($$SELECT * FROM now.metric_sample WHERE on_day > '2023-12-31'$$, 'SELECT * FROM sampled', 'a day that is over is not sampled');

-- Time to update: 10, 20 and 40 hours: mean 23.3333, median 20, nine of ten within 36.
SELECT now.include_asset(1, 'U', requested_at => clock_timestamp() - interval '10 hours') \g /dev/null
SELECT now.exclude_asset(1, 'U', pg_temp.today(), pg_temp.today(), 'for a day', clock_timestamp() - interval '20 hours') \g /dev/null
SELECT now.remove_asset(1, 'U', requested_at => clock_timestamp() - interval '40 hours') \g /dev/null
SELECT now.remove_asset(1, 'U', requested_at => clock_timestamp() - interval '80 hours') \g /dev/null
SELECT now.include_asset(1, 'V') \g /dev/null
SELECT results_eq($$SELECT a.title, l.action COLLATE "default", l.identifier COLLATE "default", l.term_id, a.status COLLATE "default", a.is_direct, a.contract_id FROM now.amendment a JOIN now.amendment_line l USING (amendment_id) ORDER BY amendment_id$$,
	$$VALUES ('include U', 'include', 'U', 1::bigint, 'applied', true, 1::bigint), ('exclude U', 'exclude', 'U', 1, 'applied', true, 1), ('remove U', 'remove', 'U', 1, 'applied', true, 1)$$,
	'a direct change that says since when it was asked for is an amendment; one that changes nothing, or does not say, is none');
SELECT results_eq($$SELECT i.effect COLLATE "default", i.amendment_id IS NOT NULL FROM now.inclusion i WHERE i.asset_id IN (5, 6) AND i.term_id = 1 ORDER BY 1, 2$$, $$VALUES ('exclude', true), ('include', false), ('include', true)$$, 'and its line names it');
INSERT INTO now.amendment (contract_id, title, requested_at) VALUES (2, 'more', '2023-05-10 12:00Z'), (2, 'none', '2023-05-11 12:00Z');
SELECT now.cancel_amendment(amendment_id) FROM now.amendment WHERE title = 'none' \g /dev/null
SELECT results_eq($$SELECT metric, contract_number, round(numerator, 2), denominator, round(value, 2) FROM now.metric_month WHERE metric ~ '^time_to' AND time > '2024-01-01' AND time > now() - interval '32 days' AND metric <> 'time_to_update_open' ORDER BY 1, 2$$,
	$$VALUES ('time_to_update_mean', 'A', 70.00, 3.0, 23.33), ('time_to_update_mean', NULL, 70.00, 3, 23.33), ('time_to_update_median', 'A', NULL, 3, 20.00), ('time_to_update_p90', 'A', NULL, 3, 36.00)$$, 'time to update');
UPDATE now.setting SET time_zone = 'UTC';
SELECT is_empty($$SELECT m.first_day FROM cec.calendar_month m LEFT JOIN now.metric_month o ON o.time::date = m.first_day AND o.metric = 'time_to_update_open' AND o.contract_number = 'K'
	WHERE m.first_day BETWEEN '2023-05-01' AND pg_temp.today() AND o.value IS DISTINCT FROM 1$$, 'one was open at the end of each month since');
SELECT throws_ok($$SELECT now.include_asset(1, 'W', requested_at => clock_timestamp() + interval '1 day')$$, '23514', NULL, 'asked for tomorrow');
SELECT throws_ok($$SELECT now.include_asset(1, 'W', requested_at => '-infinity')$$, '22008', NULL, 'or ever');

-- Gaps: opened twice in May and once in June, closed in May and July; a second subject stays open.
INSERT INTO cec.finding_kind (kind, severity, is_gap, depends_on_day, hears, meaning) VALUES ('test_gap', 'warning', true, false, '{}', 'A test.');
INSERT INTO now.finding (kind, severity, asset_id, opened_at, closed_at) VALUES ('test_gap', 'warning', 1, '2023-05-02 00:00Z', '2023-05-03 00:00Z'), ('test_gap', 'warning', 1, '2023-05-31 23:59Z', '2023-07-01 00:00Z'),
	('test_gap', 'error', 1, '2023-06-10 00:00Z', '2023-06-11 00:00Z'), ('test_gap', 'warning', 2, '2023-07-31 23:00Z', NULL);
SELECT results_eq($$SELECT month, subjects, opened, open_at_end FROM now.gap_month WHERE kind = 'test_gap' AND month < '2023-09-01' ORDER BY 1$$,
	$$VALUES (date '2023-05-01', 1::bigint, 2::bigint, 1::bigint), ('2023-06-01', 1, 1, 1), ('2023-07-01', 1, 1, 1), ('2023-08-01', 0, 0, 1)$$, 'gaps by month');
UPDATE now.setting SET time_zone = 'Asia/Tokyo';
SELECT results_eq($$SELECT month, subjects, opened, open_at_end FROM now.gap_month WHERE kind = 'test_gap' AND month < '2023-09-01' ORDER BY 1$$,
	$$VALUES (date '2023-05-01', 1::bigint, 1::bigint, 0::bigint), ('2023-06-01', 1, 2, 1), ('2023-07-01', 0, 0, 0), ('2023-08-01', 1, 1, 1)$$, 'months are those of the portfolio''s time zone');
UPDATE now.setting SET time_zone = replace(pg_temp.noon(), ' ', '');

-- Utilisation: the last 365 days.
INSERT INTO now.service_request (asset_id, opened_at, cost, currency) SELECT 6, clock_timestamp() - d * interval '1 day', 5, 'EUR' FROM unnest('{1,2,3,49,70,400}'::int[]) AS d;
INSERT INTO now.service_request (asset_id, opened_at, cost, currency) VALUES (7, clock_timestamp() - interval '1 day', 1, 'USD'), (7, clock_timestamp() - interval '2 days', 2, 'CHF');
SELECT results_eq($$SELECT asset_tag, covered_days, requests, round(requests_per_asset_year, 4), cost, currency, rank FROM now.asset_utilisation WHERE asset_id IN (6, 7, 9) ORDER BY 1$$,
	$$VALUES ('V', 51::bigint, 4::bigint, round(4 * 365 / 51.0, 4), 20.0, 'EUR', 1::bigint), ('W', 51, 2, round(2 * 365 / 51.0, 4), 2, 'CHF', 2), ('Y', 51, 0, 0.0000, 0, NULL, 3)$$, 'utilisation');

-- Keys tell rows apart.
SELECT is_empty($$SELECT metric_month_id FROM works.metric_month GROUP BY 1 HAVING count(*) > 1 UNION ALL SELECT leakage_id FROM works.leakage GROUP BY 1 HAVING count(*) > 1
	UNION ALL SELECT contract_profitability_id FROM chance.contract_profitability GROUP BY 1 HAVING count(*) > 1 UNION ALL SELECT attach_rate_id FROM now.attach_rate GROUP BY 1 HAVING count(*) > 1
	UNION ALL SELECT adherence_issue_id FROM now.adherence_issue GROUP BY 1 HAVING count(*) > 1 UNION ALL SELECT contract_day_id FROM chance.contract_day GROUP BY 1 HAVING count(*) > 1
	UNION ALL SELECT gap_month_id FROM now.gap_month GROUP BY 1 HAVING count(*) > 1 UNION ALL SELECT asset_id FROM now.asset_utilisation GROUP BY 1 HAVING count(*) > 1$$, 'keys are unique');
CREATE TEMP TABLE told AS SELECT * FROM works.metric_month;
SET LOCAL TimeZone = 'Pacific/Apia';
SET LOCAL DateStyle = 'SQL, DMY';
SELECT bag_eq('SELECT * FROM works.metric_month', 'SELECT * FROM told', 'the session''s settings change nothing');
RESET TimeZone;
RESET DateStyle;

-- What tools are told of columns is what the catalog has.
SELECT bag_eq($$SELECT view_name::text AS view, column_name::text AS name, column_type::text AS type, meaning FROM cec.report_column$$,
	$$SELECT c.relname::text AS view, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, col_description(c.oid, a.attnum) AS meaning FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'works'::regnamespace AND c.relkind = 'v' AND c.relname !~ '^_' AND a.attnum > 0$$, 'each column of each view, with type and meaning');
SELECT is_empty($$SELECT view_name, column_name FROM cec.report_column WHERE semantic_type = 'other' AND column_type NOT IN ('jsonb', 'xid8', 'inet', 'name') OR semantic_type = 'amount' AND view_name NOT IN
	(SELECT view_name FROM cec.report_column WHERE column_name = 'currency')$$, 'each is something, and amounts have a currency');
SELECT is_empty($$SELECT refers_to FROM cec.report_column WHERE to_regclass('works.' || refers_to) IS NULL AND refers_to IS NOT NULL$$, 'and what they refer to is there');

-- All portfolios that the caller may read, and nothing that only looks like one.
SELECT cec.grant_access('works', 'regress_reader', 'analyst') \g /dev/null
CREATE SCHEMA fake;
CREATE TABLE fake.setting AS SELECT cec.version() AS version, 'UTC' AS time_zone, 1 AS observation_days;
CREATE TRIGGER cec_update AFTER UPDATE ON fake.setting REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('setting');
GRANT USAGE ON SCHEMA fake TO PUBLIC;
GRANT SELECT ON fake.setting TO PUBLIC;
SELECT set_eq('SELECT DISTINCT portfolio FROM cec.fleet_metric_month()', ARRAY['june', 'works', 'chance', 'now'], 'a superuser: all');
SET LOCAL ROLE regress_reader;
SELECT set_eq('SELECT DISTINCT portfolio FROM cec.fleet_metric_month()', ARRAY['works'], 'a reader: his');
SELECT bag_eq($$SELECT metric_month_id, time, metric, unit, contract_id, contract_number, customer, account_manager, currency, numerator, denominator, value FROM cec.fleet_metric_month()$$,
	'SELECT * FROM works.metric_month', 'with what its view says');
RESET ROLE;
REVOKE SELECT ON works.asset FROM regress_reader;
SET LOCAL ROLE regress_reader;
SELECT is_empty('SELECT * FROM cec.fleet_metric_month()', 'not where he may not read everything');
RESET ROLE;
SELECT is_empty('TABLE fake.setting LIMIT 0', 'the other one is still there');
SELECT * FROM finish();
ROLLBACK;
