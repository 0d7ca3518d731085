-- A register of which all comes from one source, and the same rows in a table without triggers and CHECKs.
SET client_min_messages = warning;
\set assets 1000000
\getenv assets CEC_BENCH_ASSETS
SELECT cec.drop_portfolio('synced', 'synced') FROM pg_namespace WHERE nspname = 'synced' \g /dev/null
SELECT cec.create_portfolio('synced') \g /dev/null
INSERT INTO synced.customer (customer_id, name, external_ref) SELECT g, 'Customer ' || g, 'K' || g FROM generate_series(1, 100) g;
INSERT INTO synced.asset_source (source) VALUES ('erp');
DROP TABLE IF EXISTS bench.snapshot, bench.bare;
CREATE TABLE bench.snapshot AS
SELECT 'T-' || g AS asset_tag, 'S-' || g AS serial_number, 'Maker ' || g % 17 AS manufacturer, 'Model ' || g % 211 AS model, 'pump' AS category, 'K' || 1 + g % 100 AS customer_ref,
	'DE' AS country, date '2015-01-01' + (g % 3000)::integer AS commissioned_on, g AS place
FROM generate_series(1, :assets) g;
-- One in twenty has another model than the time before.
CREATE OR REPLACE PROCEDURE bench.stage(nth integer, times integer DEFAULT 1) LANGUAGE sql AS $$
	UPDATE bench.snapshot SET model = 'Model ' || nth || '-' || place % 211 WHERE nth > 0 AND place % 20 = nth % 20;
	INSERT INTO synced.asset_staging (source, asset_tag, serial_number, manufacturer, model, category, customer_ref, country, commissioned_on)
	SELECT 'erp', asset_tag, serial_number, manufacturer, model, category, customer_ref, country, commissioned_on FROM bench.snapshot;
$$;
\pset footer off
CALL bench.stage(0);
VACUUM ANALYZE synced.asset_staging;
\timing on
SELECT outcome, assets FROM synced.sync_assets('erp', 'snapshot') WHERE assets > 0;
\timing off
CALL bench.copy_table('synced.asset', 'bench.bare', false);
INSERT INTO bench.bare SELECT * FROM synced.asset;
VACUUM ANALYZE;
INSERT INTO bench.goal VALUES ('sync', 'sync_assets', 'INSERT … ON CONFLICT', 3);
