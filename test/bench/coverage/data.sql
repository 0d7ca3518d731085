-- How time is taken and told, and three portfolios: fleet (a million assets), small (10,000), vast (millions).

SET client_min_messages = warning;
CREATE EXTENSION cec CASCADE;
CREATE SCHEMA bench;

CREATE TABLE bench.sample (subject text, variant text, run integer, us numeric);
CREATE TABLE bench.goal (place serial, subject text, variant text, reference text, at_most numeric);
CREATE TABLE bench.other_figure (place serial, figure text, reached text, goal text);

-- Notes how long one of so many repetitions took. Begun: clock_timestamp() before the first.
CREATE PROCEDURE bench.note(subject text, variant text, run integer, repetitions numeric, begun timestamptz)
LANGUAGE sql AS $$
	INSERT INTO bench.sample VALUES (subject, variant, run, extract(epoch FROM clock_timestamp() - begun) * 1e6 / repetitions);
$$;

-- Medians, and ratios of what was measured in the same run: what slows the machine for a minute slows both.
CREATE VIEW bench.report AS
WITH side AS (
	SELECT subject, variant, percentile_cont(0.5) WITHIN GROUP (ORDER BY us) AS us, min(us) AS low, max(us) AS high
	FROM bench.sample WHERE run > 0 GROUP BY 1, 2
), pair AS (
	SELECT g.place, percentile_cont(0.5) WITHIN GROUP (ORDER BY a.us / b.us) AS ratio, min(a.us / b.us) AS low, max(a.us / b.us) AS high
	FROM bench.goal g
		JOIN bench.sample a ON a.subject = g.subject AND a.variant = g.variant AND a.run > 0
		JOIN bench.sample b ON b.subject = g.subject AND b.variant = g.reference AND b.run = a.run
	GROUP BY 1
)
SELECT g.subject, g.variant, round(a.us::numeric, 1) AS us, format('%s–%s', round(a.low, 1), round(a.high, 1)) AS us_min_to_max,
	g.reference, round(b.us::numeric, 1) AS reference_us, round(p.ratio::numeric, 2) AS ratio,
	format('%s–%s', round(p.low, 2), round(p.high, 2)) AS ratio_min_to_max,
	CASE WHEN g.at_most IS NULL THEN '' ELSE format('<= %s %s', g.at_most, CASE WHEN p.ratio <= g.at_most THEN 'reached' ELSE 'MISSED' END) END AS goal
FROM bench.goal g JOIN pair p USING (place)
	JOIN side a ON a.subject = g.subject AND a.variant = g.variant
	JOIN side b ON b.subject = g.subject AND b.variant = g.reference
ORDER BY g.place;

-- Switches the triggers of tables off, or on as they were: ALWAYS.
CREATE PROCEDURE bench.arm(armed boolean, VARIADIC tables regclass[])
LANGUAGE plpgsql AS $$
DECLARE
	target regclass;
	guard name;
BEGIN
	FOREACH target IN ARRAY tables LOOP
		EXECUTE format('ALTER TABLE %s %s TRIGGER ALL', target, CASE WHEN armed THEN 'ENABLE' ELSE 'DISABLE' END);
		FOR guard IN SELECT t.tgname FROM pg_trigger t
			WHERE armed AND t.tgrelid = target AND NOT t.tgisinternal AND t.tgfoid::regproc::text ~ '^cec\.(enter_gate|record_change|refuse_truncate)$'
		LOOP
			EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', target, guard);
		END LOOP;
	END LOOP;
END;
$$;

-- A copy of a table with the same defaults, constraints, indexes and foreign keys, and without triggers.
CREATE PROCEDURE bench.copy_table(original regclass, copy text)
LANGUAGE plpgsql AS $$
DECLARE
	foreign_key record;
BEGIN
	EXECUTE format('DROP TABLE IF EXISTS %s', copy);
	EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL)', copy, original);
	FOR foreign_key IN SELECT conname, replace(pg_get_constraintdef(oid), 'REFERENCES ' || original || '(', 'REFERENCES ' || copy || '(') AS rule
		FROM pg_constraint WHERE conrelid = original AND contype = 'f'
	LOOP
		EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', copy, foreign_key.conname, foreign_key.rule);
	END LOOP;
END;
$$;

-- A portfolio whose every stride-th asset stands in a list or in a bundle: first those that are listed (every seventieth
-- of them on contract 1), then the members, in chains one to three deep below every fourth listed one.
-- Loaded past the triggers, then computed; the list of contract 1 comes last, as a list does: in one statement.
CREATE PROCEDURE bench.make_portfolio(name text, assets bigint, stride bigint, listed bigint, members bigint, contracts bigint)
LANGUAGE plpgsql AS $$
DECLARE
	wide boolean := assets <= 1000000;
BEGIN
	PERFORM cec.create_portfolio(name);
	PERFORM set_config('search_path', name || ', public', true);
	CALL bench.arm(false, 'customer', 'asset', 'contract', 'coverage_term', 'inclusion', 'bundle', 'bundle_member');
	INSERT INTO customer (customer_id, name) SELECT i, 'Customer ' || i FROM generate_series(1, 100) i;
	IF NOT wide THEN
		DROP INDEX asset_location_idx;
	END IF;
	INSERT INTO asset (asset_id, asset_tag, serial_number, manufacturer, model, category, usage_type, customer_id, country, location,
		commissioned_on)
	SELECT i, 'EQ-' || i, CASE WHEN wide THEN 'SN' || md5(i::text) END, CASE WHEN wide THEN 'Maker ' || i % 17 END, CASE WHEN wide THEN 'Model ' || i % 211 END,
		CASE WHEN wide THEN 'pump' END, CASE WHEN wide THEN 'production' END, CASE WHEN wide THEN 1 + i % 100 END, CASE WHEN wide THEN 'DE' END,
		CASE WHEN wide THEN st_setsrid(st_makepoint(9 + (i * 7919 % 4000) / 1000.0, 47.5 + (i * 104729 % 2500) / 1000.0), 4326) END,
		date '2010-01-01' + (i % 3000)::integer
	FROM generate_series(1, assets) i;
	IF NOT wide THEN
		CREATE INDEX asset_location_idx ON asset USING gist (location);
	END IF;
	INSERT INTO contract (contract_id, number, customer_id, status, during)
	SELECT i, 'C-' || i, 1 + i % 100, 'active', '[2024-01-01,2034-01-01)' FROM generate_series(1, contracts) i;
	INSERT INTO coverage_term (term_id, contract_id, number, during)
	SELECT i, i, '1', '[2024-01-01,2034-01-01)' FROM generate_series(1, contracts) i;
	INSERT INTO inclusion (term_id, asset_id, during)
	SELECT 2 + i % (contracts - 1), i * stride, '[2025-01-01,2030-01-01)'
	FROM generate_series(1, listed) i WHERE i % 70 <> 1;
	CREATE TEMP TABLE link ON COMMIT DROP AS
	SELECT row_number() OVER (ORDER BY chain, level) AS place, chain, level
	FROM generate_series(1, members / 2) chain, generate_series(1, 3) level WHERE level <= 1 + chain % 3;
	INSERT INTO bundle (bundle_id, name, primary_asset_id)
	SELECT place, 'B-' || place, stride * CASE level WHEN 1 THEN listed - 4 * chain ELSE listed + place - 1 END FROM link;
	INSERT INTO bundle_member (member_id, bundle_id, asset_id, during)
	SELECT place, place, stride * (listed + place), '[2025-03-01,2029-01-01)' FROM link;
	PERFORM setval(pg_get_serial_sequence('bundle_member', 'member_id'), members + 1);
	CALL bench.arm(true, 'customer', 'asset', 'contract', 'coverage_term', 'inclusion', 'bundle', 'bundle_member');
	COMMIT;
	EXECUTE format('SELECT cec.recompute_coverage(%L)', name);
	COMMIT;
	EXECUTE format('INSERT INTO %I.inclusion (term_id, asset_id, during)
		SELECT 1, i * $1, ''[2025-01-01,2030-01-01)'' FROM generate_series(1, $2, 70) i', name) USING stride, listed;
	COMMIT;
END;
$$;

\timing on
CALL bench.make_portfolio('fleet', 1000000, 1, 700000, 300000, 2000);
\timing off
SELECT cec.create_portfolio('plant') \g /dev/null
INSERT INTO plant.customer (customer_id, name) SELECT i, 'Customer ' || i FROM generate_series(1, 100) i;
CALL bench.arm(false, 'plant.asset');
INSERT INTO plant.asset (asset_id, asset_tag, serial_number, manufacturer, model, customer_id, commissioned_on)
SELECT i, 'EQ-' || i, 'SN' || md5(i::text), 'Maker ' || i % 17, 'Model ' || i % 211, 1 + i % 100, date '2010-01-01' + (i % 3000)::integer
FROM generate_series(1, 200000) i;
CALL bench.arm(true, 'plant.asset');
INSERT INTO plant.contract (contract_id, number, customer_id, status, during)
SELECT i, 'C-' || i, i, 'active', '[2024-01-01,2034-01-01)' FROM generate_series(1, 20) i;
INSERT INTO plant.coverage_term (term_id, contract_id, number, during)
SELECT i, i, '1', '[2024-01-01,2034-01-01)' FROM generate_series(1, 20) i;
VACUUM ANALYZE;
SELECT 'fleet' AS portfolio, (SELECT count(*) FROM fleet.asset) AS assets, (SELECT count(*) FROM fleet.inclusion) AS inclusions,
	(SELECT count(*) FROM fleet.bundle_member) AS members, (SELECT count(*) FROM fleet.coverage) AS coverage;
