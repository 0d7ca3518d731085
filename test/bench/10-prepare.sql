-- What all measurements share: how time is taken and told, 200,000 assets, and 40 contracts with a term each: 20 that are
-- active, and as many that are drafts and cover nothing yet; assets are those of the
-- contract's customer. CEC_BENCH_ROWS makes it fewer assets, to try the parts "row" and "finding".

SET client_min_messages = warning;
\set rows 200000
\getenv rows CEC_BENCH_ROWS
CREATE EXTENSION cec CASCADE;
CREATE SCHEMA bench;

CREATE TABLE bench.sample (subject text, variant text, run integer, row_count bigint, us numeric, cpu_us numeric);
CREATE TABLE bench.goal (subject text, variant text, reference text, at_most numeric);

-- Processor time of this session (user and system, in ticks of 10 ms): what other sessions of the machine do is not in it,
-- nor what this one waits for.
CREATE FUNCTION bench.cpu_us() RETURNS numeric LANGUAGE sql VOLATILE AS $$
	SELECT (f[12]::numeric + f[13]::numeric) * 10000 FROM string_to_array(substring(pg_read_file('/proc/self/stat') FROM '\) (.*)'), ' ') AS f;
$$;

-- How many rows one-row statements are measured by.
CREATE FUNCTION bench.each_count() RETURNS bigint LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT least(5000, count(*) / 8) FROM bench.asset_source); END $$;

-- Runs a statement in a transaction of its own, on a server that has nothing else to write.
CREATE PROCEDURE bench.measure(subject text, variant text, run integer, row_count bigint, statement text)
LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz;
	cpu_begun numeric;
BEGIN
	CHECKPOINT;
	cpu_begun := bench.cpu_us();
	begun := clock_timestamp();
	EXECUTE statement;
	INSERT INTO bench.sample VALUES (subject, variant, run, row_count, extract(epoch FROM clock_timestamp() - begun) * 1e6,
		bench.cpu_us() - cpu_begun);
	COMMIT;
END;
$$;

-- One-row statements, one for each row r of a source, as a loop with kept plans, after some that are not counted: a session that has
-- been at work.
CREATE PROCEDURE bench.measure_each(subject text, variant text, run integer, source regclass, statement text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE OR REPLACE PROCEDURE bench.each(first bigint, last bigint) LANGUAGE plpgsql AS %L',
		format('DECLARE r record; found_id bigint; BEGIN FOR r IN SELECT * FROM %s WHERE place BETWEEN first AND last ORDER BY place LOOP %s; END LOOP; END;',
			source, statement));
	COMMIT;
	CALL bench.each(1, 50);
	COMMIT;
	CALL bench.measure(subject, variant, run, bench.each_count(), format('CALL bench.each(51, %s)', 50 + bench.each_count()));
END;
$$;

-- Empties tables that refuse it, and leaves their triggers as they were.
CREATE PROCEDURE bench.empty(VARIADIC tables regclass[])
LANGUAGE plpgsql AS $$
DECLARE
	guard record;
	restore text := '';
BEGIN
	FOR guard IN SELECT t.tgrelid::regclass AS on_table, t.tgname, CASE t.tgenabled WHEN 'A' THEN 'ALWAYS' ELSE '' END AS mode
		FROM pg_trigger t WHERE t.tgrelid = ANY (tables) AND t.tgtype & 32 <> 0 AND NOT t.tgisinternal
	LOOP
		EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', guard.on_table, guard.tgname);
		restore := restore || format('ALTER TABLE %s ENABLE %s TRIGGER %I; ', guard.on_table, guard.mode, guard.tgname);
	END LOOP;
	EXECUTE 'TRUNCATE ' || array_to_string(tables, ', ');
	EXECUTE restore;
	COMMIT;
END;
$$;

-- All that a list leaves in the portfolio.
CREATE PROCEDURE bench.empty_list()
LANGUAGE plpgsql AS $$
BEGIN
	CALL bench.empty('fleet.inclusion', 'fleet.audit_log', 'fleet.coverage', 'fleet.coverage_history');
END;
$$;

-- A copy of a table with the same defaults, constraints, indexes and foreign keys, and without triggers; or without CHECKs too.
CREATE PROCEDURE bench.copy_table(original regclass, copy text, with_checks boolean DEFAULT true)
LANGUAGE plpgsql AS $$
DECLARE
	foreign_key record;
BEGIN
	EXECUTE format('DROP TABLE IF EXISTS %s', copy);
	EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL %s)', copy, original, CASE WHEN with_checks THEN '' ELSE 'EXCLUDING CONSTRAINTS' END);
	FOR foreign_key IN SELECT conname, replace(pg_get_constraintdef(oid), 'REFERENCES ' || original || '(', 'REFERENCES ' || copy || '(') AS rule
		FROM pg_constraint WHERE conrelid = original AND contype = 'f'
	LOOP
		EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', copy, foreign_key.conname, foreign_key.rule);
	END LOOP;
	COMMIT;
END;
$$;

-- Medians, and ratios of what was measured in the same run: what slows the machine for a minute slows both.
CREATE FUNCTION bench.report(about text)
RETURNS TABLE (variant text, us_a_row numeric, min_to_max text, cpu_us numeric, reference text, ratio numeric, ratio_min_to_max text, cpu_ratio numeric, goal text)
LANGUAGE sql AS $$
	WITH s AS (
		SELECT s.variant, s.run, s.us / s.row_count AS us, s.cpu_us / s.row_count AS cpu_us FROM bench.sample s WHERE s.subject = about
	), m AS (
		SELECT s.variant, percentile_cont(0.5) WITHIN GROUP (ORDER BY s.us) AS us, percentile_cont(0.5) WITHIN GROUP (ORDER BY s.cpu_us) AS cpu_us, min(s.us) AS low, max(s.us) AS high, min(ctid_order) AS place
		FROM s JOIN (SELECT p.variant, min(p.ctid) AS ctid_order FROM bench.sample p WHERE p.subject = about GROUP BY 1) p USING (variant)
		GROUP BY 1
	), pairs AS (
		SELECT g.variant, g.reference, g.at_most, percentile_cont(0.5) WITHIN GROUP (ORDER BY a.us / b.us) AS ratio,
			min(a.us / b.us) AS low, max(a.us / b.us) AS high,
			percentile_cont(0.5) WITHIN GROUP (ORDER BY a.cpu_us / nullif(b.cpu_us, 0)) AS cpu_ratio
		FROM bench.goal g JOIN s a ON a.variant = g.variant JOIN s b ON b.variant = g.reference AND b.run = a.run
		WHERE g.subject = about GROUP BY 1, 2, 3
	)
	SELECT m.variant, round(m.us::numeric, 2), format('%s–%s', round(m.low, 2), round(m.high, 2)), round(m.cpu_us::numeric, 2), p.reference,
		round(p.ratio::numeric, 2), CASE WHEN p.low IS NOT NULL THEN format('%s–%s', round(p.low, 2), round(p.high, 2)) END, round(p.cpu_ratio::numeric, 2),
		CASE WHEN p.at_most IS NULL THEN '' ELSE format('<= %s %s', p.at_most, CASE WHEN p.ratio <= p.at_most THEN 'reached' ELSE 'MISSED' END) END
	FROM m LEFT JOIN pairs p USING (variant) ORDER BY m.place, p.reference;
$$;

SELECT cec.create_portfolio('fleet') \g /dev/null

INSERT INTO fleet.customer (customer_id, name) SELECT i, 'Customer ' || i FROM generate_series(1, 100) i;

CREATE TABLE bench.asset_source AS
SELECT i AS place, 'EQ-' || lpad(i::text, 8, '0') AS asset_tag, 'SN' || md5(i::text) AS serial_number,
	'Maker ' || i % 17 AS manufacturer, 'Model ' || i % 211 AS model, (ARRAY['pump', 'press', 'robot', 'oven'])[1 + i % 4] AS category,
	'production' AS usage_type, 1 + (i - 1) / 10000 AS customer_id, 'DE' AS country, 'DE-BY' AS region,
	st_setsrid(st_makepoint(9 + (i * 7919 % 4000) / 1000.0, 47.5 + (i * 104729 % 2500) / 1000.0), 4326)::geometry(Point, 4326) AS location,
	date '2010-01-01' + (i % 3000)::integer AS commissioned_on, jsonb_build_object('line', i % 9, 'hall', 'H' || i % 5) AS attributes
FROM generate_series(1::bigint, :rows) i;

INSERT INTO fleet.asset (asset_id, asset_tag, serial_number, manufacturer, model, category, usage_type, customer_id, country, region,
	location, commissioned_on, attributes)
SELECT place, asset_tag, serial_number, manufacturer, model, category, usage_type, customer_id, country, region,
	location, commissioned_on, attributes
FROM bench.asset_source;

INSERT INTO fleet.contract (contract_id, number, customer_id, status, during)
SELECT i, 'C-' || i, 1 + (i - 1) % 20, CASE WHEN i <= 20 THEN 'active' ELSE 'draft' END, '[2024-01-01,2034-01-01)' FROM generate_series(1, 40) i;
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during)
SELECT i, i, '1', '[2024-01-01,2034-01-01)' FROM generate_series(1, 40) i;

CREATE TABLE bench.line_source AS
SELECT place, 1 + (place - 1) / 10000 AS term_id, place AS asset_id, asset_tag AS listed_as, daterange('2025-01-01', '2030-01-01') AS during
FROM bench.asset_source;

CREATE UNIQUE INDEX ON bench.asset_source (place);
CREATE UNIQUE INDEX ON bench.line_source (place);
VACUUM ANALYZE;
\pset footer off
