-- A hundred thousand assets on lists are retired in one statement: what that writes, of findings and events, and what it takes.
--     test/bin/bench flood
SET client_min_messages = warning;
\set assets 100000
\getenv assets CEC_BENCH_ASSETS
SELECT cec.drop_portfolio('flood', 'flood') FROM pg_namespace WHERE nspname = 'flood' \g /dev/null
SELECT cec.create_portfolio('flood') \g /dev/null
INSERT INTO flood.customer (customer_id, name) VALUES (1, 'Acme');
INSERT INTO flood.contract (contract_id, number, customer_id, status, during) SELECT g, 'C-' || g, 1, 'active', daterange(current_date - 300, current_date + 300) FROM generate_series(1, 50) g;
INSERT INTO flood.coverage_term (term_id, contract_id, number, during) SELECT g, g, '1', '(,)' FROM generate_series(1, 50) g;
INSERT INTO flood.asset (asset_id, asset_tag, serial_number, customer_id, commissioned_on) SELECT g, 'T-' || g, 'S-' || g, 1, current_date - 400 FROM generate_series(1, :assets) g;
-- The lines of one in fifty have not begun: it is dead before they do.
INSERT INTO flood.inclusion (term_id, asset_id, during) SELECT 1 + g % 50, g, daterange(current_date + CASE WHEN g % 50 = 0 THEN 10 ELSE -100 END, current_date + 200) FROM generate_series(1, :assets) g;
VACUUM ANALYZE;
SELECT pg_current_wal_insert_lsn() AS begun \gset
\pset footer off
\timing on
UPDATE flood.asset SET status = 'retired', decommissioned_on = current_date - 1;
\timing off
SELECT kind, count(*) AS open FROM flood.finding WHERE closed_at IS NULL GROUP BY 1 ORDER BY 2 DESC;
SELECT type, count(*) AS events, sum((payload ->> 'count')::bigint) AS told, pg_size_pretty(max(pg_column_size(payload))::bigint) AS largest FROM flood.outbox GROUP BY 1 ORDER BY 1;
SELECT pg_size_pretty(pg_current_wal_insert_lsn() - :'begun'::pg_lsn) AS wal;
