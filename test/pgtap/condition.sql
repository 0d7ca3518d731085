-- Conditions that people may write mean what the same text means as SQL, in every session; see test/rule.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir ../rule/facts.sql
\ir ../rule/legal.sql
\ir ../rule/bombs.sql
SELECT plan(22);

CREATE TEMP TABLE answer (legal_id integer, how text, row_number integer, is_met boolean);
CREATE TEMP TABLE failed (legal_id integer, how text, code text, message text);
CREATE FUNCTION pg_temp.answer(of_kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT l.*, CASE of_kind WHEN 'plain' THEN coalesce(same_as, condition) ELSE cec._condition_sql(condition) END AS text FROM legal l LOOP
		BEGIN
			EXECUTE format(E'INSERT INTO answer SELECT %s, %L, row_number, %s\nFROM %s', part.legal_id, of_kind, part.text,
				CASE of_kind WHEN 'plain' THEN 'plain' ELSE 'fact f' END);
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO failed VALUES (part.legal_id, of_kind, SQLSTATE, SQLERRM);
		END;
	END LOOP;
END $$;
SELECT cmp_ok((SELECT count(*) FROM legal), '>=', 40::bigint, 'there are conditions');
SELECT cmp_ok((SELECT count(*) FROM fact), '>=', 500::bigint, 'and assets to ask them about');
DO $$ BEGIN PERFORM pg_temp.answer('compiled'), pg_temp.answer('plain'); END $$;
SELECT is_empty('SELECT condition, how, code, message FROM failed JOIN legal USING (legal_id)', 'none fails');
SELECT is_empty($$SELECT condition, count(*) FROM answer c JOIN answer p USING (legal_id, row_number) JOIN legal USING (legal_id)
	WHERE c.how = 'compiled' AND p.how = 'plain' AND c.is_met IS DISTINCT FROM p.is_met GROUP BY 1$$, 'each says of each asset what the same text says as SQL');
SELECT is((SELECT count(*) FROM answer), (SELECT 2 * (SELECT count(*) FROM legal) * (SELECT count(*) FROM fact)), 'and all were asked');
SELECT is_empty($$SELECT condition FROM legal JOIN answer USING (legal_id) WHERE condition NOT IN ('true', 'country = NULL', 'country <> ALL (ARRAY[''DE'', NULL])')
	GROUP BY 1 HAVING NOT bool_or(coalesce(is_met, false)) OR bool_and(coalesce(is_met, false))$$, 'each is met by some assets and not by others');
SELECT is_empty($$SELECT condition, once.canonical, twice.canonical FROM legal, cec.check_condition(condition) AS once, cec.check_condition(once.canonical) AS twice
	WHERE once <> twice$$, 'the canonical form is read as itself, and says the same');

-- What an index of rules relies on: a conjunct that is not met means that the condition is false.
CREATE TEMP VIEW conjunct AS
SELECT legal_id, split_part(conjunct, ' = ', 1) AS column_name, ARRAY(SELECT btrim(v, '''') FROM unnest(string_to_array(split_part(conjunct, ' = ', 2), ', ')) AS v) AS its_values
FROM legal, cec.check_condition(condition) AS c, unnest(c.conjuncts) AS conjunct;
SELECT cmp_ok((SELECT count(*) FROM conjunct), '>=', 15::bigint, 'there are conjuncts');
SELECT is_empty($$SELECT DISTINCT condition, column_name, its_values FROM conjunct JOIN legal USING (legal_id) JOIN answer USING (legal_id) JOIN plain p USING (row_number)
	CROSS JOIN LATERAL (SELECT to_jsonb(p) ->> column_name AS is_value) AS v
	WHERE how = 'plain' AND is_met IS NOT FALSE AND is_value IS NOT NULL AND is_value <> ALL (CASE column_name WHEN 'inside_boundary' THEN '{true}' ELSE its_values END)$$,
	'where a conjunct is not met the condition is false');
SELECT results_eq($$SELECT conjuncts::text FROM cec.check_condition('country = ''DE'' AND (NOT (tier_rank = 2) OR true) AND customer_id IN (1, 5000000000) AND inside_boundary AND region = NULL')$$,
	ARRAY[$${"country = 'DE'","customer_id = 1, 5000000000",inside_boundary}$$], 'conjuncts stand at the top level and compare with no NULL');
SELECT is_empty($$SELECT conjuncts FROM cec.check_condition('country = ''DE'' OR inside_boundary') WHERE conjuncts <> '{}'$$, 'what stands beside OR is none');

-- The day.
SELECT set_eq($$SELECT column_name FROM cec.rule_column WHERE depends_on_day$$, ARRAY['as_of', 'age_years', 'cover_first_day', 'cover_last_day'], 'columns that depend on the day');
SELECT is_empty($$SELECT condition FROM legal, cec.check_condition(condition)
	WHERE depends_on_day <> (condition ~ '\m(as_of|age_years|last_maintenance|maintenance_count|request_count)\M')$$, 'conditions that mention it depend on the day');
SELECT is_empty($$SELECT condition FROM legal, cec.check_condition(condition) WHERE columns <> ARRAY(
	SELECT attname::text FROM pg_attribute WHERE attrelid = 'cec.rule_fact'::regclass AND attname IN (SELECT column_name FROM cec.rule_column)
		AND regexp_replace(condition, '''[^'']*''', '', 'g') ~ ('\m' || attname || '\M') ORDER BY attnum)$$, 'and mention the columns that they mention');

-- The same under any settings of the session.
CREATE TEMP TABLE compiled AS SELECT legal_id, cec._condition_sql(condition) AS sql FROM legal;
CREATE TEMP TABLE elsewhere (legal_id integer, settings text, sql text);
DO $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT * FROM unnest('{"ISO, MDY","SQL, DMY","German, DMY","Postgres, YMD"}'::text[]) AS style, unnest('{UTC,America/New_York,Asia/Kathmandu}'::text[]) AS zone LOOP
		PERFORM set_config('DateStyle', part.style, true), set_config('TimeZone', part.zone, true), set_config('IntervalStyle', 'sql_standard', true),
			set_config('extra_float_digits', '-15', true), set_config('standard_conforming_strings', 'off', true), set_config('escape_string_warning', 'off', true),
			set_config('transform_null_equals', 'on', true), set_config('quote_all_identifiers', 'on', true), set_config('search_path', 'pg_temp, public, cec', true),
			set_config('backslash_quote', 'on', true), set_config('array_nulls', 'off', true), set_config('timezone_abbreviations', 'India', true);
		INSERT INTO elsewhere SELECT legal_id, part::text, cec._condition_sql(condition) FROM legal;
		-- and they run alike
		PERFORM pg_temp.answer(part.style || part.zone);
	END LOOP;
	PERFORM set_config('DateStyle', 'ISO', true), set_config('TimeZone', 'UTC', true), set_config('IntervalStyle', 'postgres', true), set_config('extra_float_digits', '1', true),
		set_config('standard_conforming_strings', 'on', true), set_config('transform_null_equals', 'off', true), set_config('quote_all_identifiers', 'off', true), set_config('search_path', 'public', true),
		set_config('array_nulls', 'on', true);
END $$;
SELECT is_empty('SELECT condition, settings, e.sql, c.sql FROM elsewhere e JOIN compiled c USING (legal_id) JOIN legal USING (legal_id) WHERE e.sql <> c.sql', 'a condition is compiled to the same in every session');
SELECT is_empty($$SELECT condition, o.how, count(*) FROM answer c JOIN answer o USING (legal_id, row_number) JOIN legal USING (legal_id)
	WHERE c.how = 'compiled' AND o.how <> 'plain' AND c.is_met IS DISTINCT FROM o.is_met GROUP BY 1, 2$$, 'and says the same in every session');
SELECT is((SELECT count(*) FROM answer), (SELECT 14 * (SELECT count(*) FROM legal) * (SELECT count(*) FROM fact)), 'in twelve of them, of every asset');

-- What costs most is legal, and is answered or refused for the asset at hand; how fast is not asked here.
CREATE TEMP TABLE blast (bomb_id integer, code text);
DO $$
DECLARE
	part record;
	code text;
BEGIN
	FOR part IN SELECT bomb_id, condition, asset_id FROM bomb, heavy LOOP
		code := 'answered';
		BEGIN
			EXECUTE format('SELECT %s FROM heavy f WHERE asset_id = %s', cec._condition_sql(part.condition), part.asset_id);
		EXCEPTION WHEN OTHERS THEN
			code := SQLSTATE;
		END;
		INSERT INTO blast VALUES (part.bomb_id, code);
	END LOOP;
END $$;
SELECT cmp_ok((SELECT count(*) FROM bomb), '>=', 20::bigint, 'there are conditions that cost much');
SELECT is_empty($$SELECT what, code FROM blast JOIN bomb USING (bomb_id) WHERE code NOT IN ('answered', '54000')$$, 'each is answered, or the asset refused');

-- PostGIS elsewhere, in the session that knew it here.
DROP EXTENSION cec CASCADE;
DROP EXTENSION postgis CASCADE;
CREATE SCHEMA gis;
CREATE EXTENSION postgis SCHEMA gis;
CREATE EXTENSION cec;
SELECT is((SELECT canonical FROM cec.check_condition('inside_boundary AND st_x(location) > 5.5')), '(inside_boundary AND (gis.st_x(location) > (5.5)::double precision))', 'PostGIS is found where it is');
SELECT is(cec._condition_sql('inside_boundary'), 'gis.st_covers(f.boundary, f.location)', 'also what conditions are compiled to');
SELECT is_empty('SELECT condition, twice.canonical FROM legal, cec.check_condition(condition) AS once, cec.check_condition(once.canonical) AS twice WHERE once <> twice', 'and all conditions are understood as before');
SELECT * FROM finish();
ROLLBACK;
