-- Audit alone: the asset table of a portfolio against the same table without triggers (bare). CHECKs and foreign keys
-- cost more than the audit on some statements; so, without a goal, also against the same indexes and nothing else.

SET client_min_messages = warning;
CREATE TABLE bench.asset_variant (name text, target text);
INSERT INTO bench.asset_variant VALUES ('indexes only', 'bench.indexed_asset'), ('bare', 'bench.bare_asset'), ('cec', 'yard.asset');

CREATE PROCEDURE bench.run_assets(run integer)
LANGUAGE plpgsql AS $$
DECLARE
	columns text := 'asset_tag, serial_number, manufacturer, model, category, usage_type, customer_id, country, region, location, commissioned_on, attributes';
	variant record;
BEGIN
	IF to_regnamespace('yard') IS NOT NULL THEN
		PERFORM cec.drop_portfolio('yard', 'yard');
	END IF;
	PERFORM cec.create_portfolio('yard');
	INSERT INTO yard.customer (customer_id, name) SELECT customer_id, name FROM fleet.customer;
	CALL bench.copy_table('yard.asset', 'bench.bare_asset');
	DROP TABLE IF EXISTS bench.indexed_asset;
	CREATE TABLE bench.indexed_asset (LIKE bench.bare_asset INCLUDING ALL EXCLUDING CONSTRAINTS);
	COMMIT;
	FOR variant IN SELECT * FROM bench.asset_variant LOOP
		CALL bench.measure('insert', variant.name, run, 200000,
			format('INSERT INTO %s (%s) SELECT %2$s FROM bench.asset_source', variant.target, columns));
	END LOOP;
	FOR variant IN SELECT * FROM bench.asset_variant LOOP
		CALL bench.measure('update', variant.name, run, 200000, format('UPDATE %s SET usage_type = ''standby''', variant.target));
	END LOOP;
	FOR variant IN SELECT * FROM bench.asset_variant LOOP
		CALL bench.measure_one_row('one row', variant.name, run, variant.target::regclass, columns, 'bench.new_asset_source');
	END LOOP;
END;
$$;

CREATE TABLE bench.new_asset_source AS SELECT * FROM bench.asset_source WHERE place <= 5050;
UPDATE bench.new_asset_source SET asset_tag = 'NEW-' || place, serial_number = 'NEW-' || place;
CREATE UNIQUE INDEX ON bench.new_asset_source (place);
VACUUM ANALYZE bench.new_asset_source;

CALL bench.run_assets(1);
CALL bench.run_assets(2);
CALL bench.run_assets(3);
CALL bench.run_assets(4);
CALL bench.run_assets(5);

INSERT INTO bench.goal VALUES ('insert', 'cec', 'bare', 3.5), ('update', 'cec', 'bare', 2.5), ('one row', 'cec', 'bare', 2.8);
INSERT INTO bench.goal SELECT subject, variant, 'indexes only', NULL FROM bench.goal WHERE subject IN ('insert', 'update', 'one row');
\echo 'Asset: INSERT of 200,000 rows'
SELECT * FROM bench.report('insert');
\echo 'Asset: UPDATE of one column of 200,000 rows'
SELECT * FROM bench.report('update');
\echo 'Asset: one-row INSERT statements'
SELECT * FROM bench.report('one row');
