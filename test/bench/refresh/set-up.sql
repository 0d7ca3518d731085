-- refresh() of a large portfolio: a million assets, half of them on lists. The first run finds all that the day and the settings say; the next
-- one finds nothing.
SET client_min_messages = warning;
\set assets 1000000
\getenv assets CEC_BENCH_ASSETS
SELECT cec.drop_portfolio('daily', 'daily') FROM pg_namespace WHERE nspname = 'daily' \g /dev/null
SELECT cec.create_portfolio('daily') \g /dev/null
INSERT INTO daily.customer (customer_id, name) SELECT g, 'Customer ' || g FROM generate_series(1, 100) g;
INSERT INTO daily.contract (contract_id, number, customer_id, status, during, boundary)
SELECT g, 'C-' || g, 1 + g % 100, 'active', daterange(current_date - 300, current_date + 300), CASE WHEN g % 4 = 0 THEN st_multi(st_makeenvelope(8, 47, 14, 51, 4326)) END FROM generate_series(1, 200) g;
INSERT INTO daily.coverage_term (term_id, contract_id, number, during) SELECT g, g, '1', '(,)' FROM generate_series(1, 200) g;
INSERT INTO daily.coverage_rule (term_id, name, effect, condition, during) SELECT g, 'old ones', 'exclude', $$commissioned_on < as_of - 5000$$, '(,)' FROM generate_series(1, 10) g;
\timing on
INSERT INTO daily.asset (asset_id, asset_tag, serial_number, manufacturer, category, customer_id, country, location, commissioned_on, decommissioned_on)
SELECT g, 'T-' || g, 'S-' || g, 'Maker ' || g % 17, 'pump', 1 + (1 + g % 200) % 100, 'DE',
	st_setsrid(st_makepoint(9 + (g * 7919 % 4000) / 1000.0, 47.5 + (g * 104729 % 2500) / 1000.0), 4326),
	current_date - 6000 + (g % 5000)::integer, CASE WHEN g % 50 = 0 THEN current_date + (g % 700)::integer END
FROM generate_series(1, :assets::bigint) g;
INSERT INTO daily.inclusion (term_id, asset_id, during) SELECT 1 + g % 200, g, daterange(current_date - 100, current_date + 200) FROM generate_series(1, :assets::bigint / 2) g;
\timing off
INSERT INTO daily.field_observation (asset_id, observed_at) SELECT g, now() - interval '10 days' FROM generate_series(1, :assets::bigint / 2) g WHERE g % 19 <> 0;
VACUUM ANALYZE;
SELECT kind, count(*) AS open FROM daily.finding WHERE closed_at IS NULL GROUP BY 1 ORDER BY 2 DESC;
-- Observations count for a few days only from now on; and some findings are missing, as after damage.
UPDATE daily.setting SET observation_days = 5;
