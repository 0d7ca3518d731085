-- Four times as many assets again, past the engine.
SET client_min_messages = warning;
\set assets 1000000
\getenv assets CEC_BENCH_ASSETS
BEGIN;
SET LOCAL session_replication_role = replica;
CREATE TEMP TABLE armed ON COMMIT DROP AS SELECT tgname FROM pg_trigger WHERE tgrelid = 'synced.asset'::regclass AND tgenabled = 'A';
ALTER TABLE synced.asset DISABLE TRIGGER ALL;
INSERT INTO synced.asset (asset_id, asset_tag, serial_number, manufacturer, model, category, customer_id, country, commissioned_on, source)
SELECT 10 * :assets + g, 'U-' || g, 'S-U-' || g, 'Maker ' || g % 17, 'Model ' || g % 211, 'pump', 1 + g % 100, 'DE', date '2015-01-01' + (g % 3000)::integer, 'erp' FROM generate_series(1, 4 * :assets) g;
ALTER TABLE synced.asset ENABLE TRIGGER ALL;
DO $$
DECLARE
	a_trigger name;
BEGIN
	FOR a_trigger IN SELECT tgname FROM armed LOOP
		EXECUTE format('ALTER TABLE synced.asset ENABLE ALWAYS TRIGGER %I', a_trigger);
	END LOOP;
END $$;
COMMIT;
VACUUM ANALYZE synced.asset;
