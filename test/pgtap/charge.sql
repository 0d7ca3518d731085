-- What days cost: the examples of the rules, and random days, prices and terms against a computation day by day in SQL.
BEGIN;
SELECT plan(19);

-- Examples that were worked out by hand.
CREATE TEMP TABLE example (price numeric, price_basis text, proration text, days datemultirange, term_first_day date, digits integer, amount numeric);
INSERT INTO example VALUES
	(5000, 'per_unit_year', 'actual_days', '{[2019-08-12,2019-12-22]}', '2019-08-12', 2, 1816.94),
	(5000, 'per_unit_year', 'actual_months', '{[2019-08-12,2019-12-22]}', '2019-08-12', 2, 1814.52),
	(5000, 'per_unit_year', 'thirty_360', '{[2019-08-12,2019-12-22]}', '2019-08-12', 2, 1819.44),
	(5000, 'per_unit_year', 'full_month', '{[2019-08-12,2019-12-22]}', '2019-08-12', 2, 2083.33),
	(5000, 'per_unit_year', 'actual_days', '{[2019-08-12,2019-12-22]}', NULL, 2, 1821.92),
	(12000, 'per_unit_year', 'actual_days', '{[2023-08-01,2023-12-31]}', '2023-08-01', 2, 5016.39),
	(12000, 'per_unit_year', 'actual_months', '{[2023-08-01,2023-12-31]}', '2023-08-01', 2, 5000),
	(930, 'per_unit_month', 'actual_days', '{[2026-01-09,2026-01-31]}', NULL, 2, 690),
	(930, 'per_unit_month', 'actual_days', '{[2026-01-01,2026-01-16]}', NULL, 2, 480),
	(930, 'per_unit_month', 'actual_days', '{[2026-01-01,2026-01-28]}', NULL, 2, 840),
	(930, 'per_unit_month', 'actual_days', '{[2026-01-01,2026-01-27]}', NULL, 2, 810),
	(580, 'per_unit_month', 'actual_days', '{[2028-02-01,2028-02-09],[2028-02-15,2028-02-29]}', NULL, 2, 480),
	(580, 'per_unit_month', 'actual_months', '{[2028-02-01,2028-02-09],[2028-02-15,2028-02-29]}', NULL, 2, 480),
	(580, 'per_unit_month', 'thirty_360', '{[2028-02-01,2028-02-09],[2028-02-15,2028-02-29]}', NULL, 2, 483.33),
	(580, 'per_unit_month', 'full_month', '{[2028-02-01,2028-02-09],[2028-02-15,2028-02-29]}', NULL, 2, 580),
	(6960, 'per_unit_year', 'actual_days', '{[2028-02-01,2028-02-09],[2028-02-15,2028-02-29]}', '2027-03-01', 2, 456.39),
	(6960, 'per_unit_year', 'actual_months', '{[2028-02-01,2028-02-09],[2028-02-15,2028-02-29]}', '2027-03-01', 2, 480),
	(300, 'per_unit_month', 'actual_days', '{[2026-01-01,2026-01-15]}', NULL, 2, 145.16),
	(310, 'per_unit_month', 'actual_days', '{[2026-01-16,2026-01-31]}', NULL, 2, 160),
	(10.00, 'per_unit_month', 'actual_days', '{[2026-01-01,2026-01-10]}', NULL, 2, 3.23),
	(1000, 'per_unit_month', 'actual_days', '{[2026-01-01,2026-01-10]}', NULL, 0, 323),
	(1, 'per_unit_month', 'actual_days', '{[2026-01-01,2026-01-10]}', NULL, 3, 0.323),
	(32.50, 'per_unit_month', 'actual_days', '{[2026-01-01,2026-01-20]}', NULL, 2, 20.97),
	(0.07, 'per_unit_day', 'full_month', '{[2026-01-01,2026-01-20],[2026-03-01,2026-03-01]}', NULL, 4, 1.47),
	(0, 'per_unit_year', 'actual_days', '{[2026-01-01,2026-01-20]}', NULL, 2, 0),
	(100, 'per_unit_year', 'actual_days', '{}', NULL, 2, 0),
	-- Years that begin on 29 February begin on the 28th where there is none.
	(36500, 'per_unit_year', 'actual_days', '{[2024-02-28,2024-02-28]}', '2020-02-29', 2, 99.73),
	(36500, 'per_unit_year', 'actual_days', '{[2024-02-29,2024-02-29]}', '2020-02-29', 2, 100),
	(36500, 'per_unit_year', 'actual_days', '{[2023-02-27,2023-02-27]}', '2020-02-29', 2, 100),
	(36500, 'per_unit_year', 'actual_days', '{[2023-02-28,2023-02-28]}', '2020-02-29', 2, 99.73);
SELECT is_empty($$SELECT e, round(cec.charge_amount(price, price_basis, proration, days, term_first_day), digits) FROM example e
	WHERE round(cec.charge_amount(price, price_basis, proration, days, term_first_day), digits) IS DISTINCT FROM amount$$, 'examples');
SELECT is(cec.charge_amount(930, 'per_unit_month', 'actual_days', '{[2026-01-09,2026-01-31]}', NULL)::text, '690', 'without zeros that say nothing');
SELECT cmp_ok(scale(cec.charge_amount(1234567890123.45, 'per_unit_month', 'actual_days', '{[2026-01-01,2026-01-10]}', NULL)), '>=', 14, 'twelve digits more than the price has');

-- Day by day: the share of a price that each day costs, with a hundred digits.
CREATE FUNCTION pg_temp.month_days(day date) RETURNS numeric LANGUAGE sql IMMUTABLE AS
$$ SELECT extract(day FROM date_trunc('month', day::timestamp) + interval '1 month' - interval '1 day') $$;
CREATE FUNCTION pg_temp.year_days(day date, first date) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
	SELECT (first + make_interval(years => n + 1))::date - (first + make_interval(years => n))::date
	FROM generate_series(extract(year FROM day)::integer - extract(year FROM first)::integer - 1, extract(year FROM day)::integer - extract(year FROM first)::integer) AS n
	WHERE day >= (first + make_interval(years => n))::date ORDER BY n DESC LIMIT 1 $$;
CREATE FUNCTION pg_temp.commercial(day date) RETURNS numeric LANGUAGE sql IMMUTABLE AS
$$ SELECT 360 * extract(year FROM day) + 30 * (extract(month FROM day) - 1) + least(extract(day FROM day), 30) $$;
CREATE FUNCTION pg_temp.exact(price numeric, price_basis text, proration text, days datemultirange, first date) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(CASE
		WHEN price_basis = 'per_unit_day' THEN sum(price)
		WHEN proration = 'full_month' THEN round(price, 100) * count(DISTINCT date_trunc('month', day::timestamp)) / CASE price_basis WHEN 'per_unit_year' THEN 12 ELSE 1 END
		WHEN proration = 'thirty_360' THEN round(price, 100) * sum(pg_temp.commercial(day + 1) - pg_temp.commercial(day)) / CASE price_basis WHEN 'per_unit_year' THEN 360 ELSE 30 END
		WHEN price_basis = 'per_unit_month' THEN sum(round(price, 100) / pg_temp.month_days(day))
		WHEN proration = 'actual_months' THEN sum(round(price, 100) / 12 / pg_temp.month_days(day))
		ELSE sum(round(price, 100) / pg_temp.year_days(day, coalesce(first, '2000-01-01'))) END, 0)
	FROM unnest(days) AS span, LATERAL (SELECT lower(span) + n AS day FROM generate_series(0, upper(span) - lower(span) - 1) AS n) AS d $$;
SELECT setseed(0.15);
CREATE TEMP TABLE random_days AS
SELECT n, (SELECT range_agg(daterange(first, first + length)) FROM (SELECT date '2019-12-01' + (n % 9) * 300 + (random() * 900)::integer AS first, 1 + (random() * (10 ^ (n % 4)))::integer AS length
	FROM generate_series(1, 1 + n % 5)) AS spans) AS days,
	CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN date '2020-02-29' WHEN 2 THEN date '2018-01-01' + (random() * 1500)::integer ELSE make_date(2016 + n % 8, 2, 27) + (random() * 3)::integer END AS term_first_day,
	round((random() * 10 ^ (n % 14))::numeric + random()::numeric, n % 7) AS price
FROM generate_series(1, 120) AS n;
CREATE TEMP TABLE charged AS
SELECT d.n, d.price, b AS price_basis, p AS proration, d.days, d.term_first_day, cec.charge_amount(d.price, b, p, d.days, d.term_first_day) AS amount, pg_temp.exact(d.price, b, p, d.days, d.term_first_day) AS exact
FROM random_days d, unnest(ARRAY['per_unit_day', 'per_unit_month', 'per_unit_year']) AS b, unnest(ARRAY['actual_days', 'actual_months', 'thirty_360', 'full_month']) AS p;
-- Sums of the computation lose something at their hundredth digit.
SELECT is_empty($$SELECT c FROM charged c WHERE abs(amount - exact) > 0.6 * format('1e-%s', scale(price) + 12)::numeric$$, 'random days, day by day');
SELECT is_empty($$SELECT c, m FROM charged c, generate_series(0, 4) AS m WHERE round(amount, m) <> round(round(exact, 80), m)$$, 'to whatever digit of a currency, it rounds as the exact value does');
SELECT cmp_ok((SELECT count(DISTINCT amount) FROM charged), '>', 800::bigint, 'of many amounts');
SELECT cmp_ok((SELECT count(*) FROM charged WHERE amount <> round(amount, 4)), '>', 500::bigint, 'most of which are no round ones');

-- Parts of the days sum to the whole: by days of the month, of the year, and by day; over years that begin where they like.
SELECT is_empty($$SELECT c.n FROM charged c, generate_series(0, 1000, 250) AS k,
		LATERAL (SELECT '{(,2020-01-01)}'::datemultirange + datemultirange(daterange('2020-01-01', date '2020-01-01' + k::integer)) AS before) AS b
	WHERE proration IN ('actual_days', 'actual_months') AND abs(amount - cec.charge_amount(price, price_basis, proration, days * before, term_first_day)
		- cec.charge_amount(price, price_basis, proration, days - before, term_first_day)) > 2 * format('1e-%s', scale(price) + 12)::numeric$$, 'parts sum to the whole');

-- At the ends of the calendar.
SELECT is(round(cec.charge_amount(366, 'per_unit_year', 'actual_days', '{[5874896-01-01,5874897-12-31)}', '2020-12-31'), 3), 731.000, 'the last years of the calendar');
SELECT is(round(cec.charge_amount(365, 'per_unit_year', 'actual_days', '{[4713-01-01 BC,4713-01-02 BC)}', '2020-03-01'), 2), 1.00, 'and the first');

SELECT is(cec.charge_amount(NULL, 'per_unit_day', 'actual_days', '{}', NULL), NULL, 'without a price there is no charge');
SELECT is(cec.charge_amount(1, NULL, 'actual_days', '{}', NULL) IS NULL AND cec.charge_amount(1, 'per_unit_day', NULL, '{}', NULL) IS NULL AND cec.charge_amount(1, 'per_unit_day', 'actual_days', NULL, NULL) IS NULL, true, 'nor without basis, proration or days');
SELECT throws_ok($$SELECT cec.charge_amount(1, 'per_unit_week', 'actual_days', '{}', NULL)$$, '22023', 'price_basis "per_unit_week" is not known', 'another basis');
SELECT throws_ok($$SELECT cec.charge_amount(1, 'per_unit_day', 'actual', '{}', NULL)$$, '22023', 'proration "actual" is not known', 'another proration');
SELECT throws_ok(format($$SELECT cec.charge_amount(1, %L, 'actual_days', '{}', NULL)$$, flat), '22023', format('a price of basis %s is not charged by the unit', flat), flat) FROM unnest(ARRAY['flat_month', 'flat_once']) AS flat;
SELECT throws_ok($$SELECT cec.charge_amount(1, 'per_unit_day', 'actual_days', '{[2026-01-01,)}', NULL)$$, '22023', NULL, 'days without an end');
SELECT throws_ok($$SELECT cec.charge_amount('NaN', 'per_unit_day', 'actual_days', '{}', NULL)$$, '22023', 'a price must be a finite number', 'a price that is no number');
SELECT throws_ok($$SELECT cec.charge_amount(1, 'per_unit_year', 'actual_days', '{}', '-infinity')$$, '22008', NULL, 'a term that begins on no day');
SELECT * FROM finish();
ROLLBACK;
