-- Conditions that are typed to do harm, as superuser, with canaries planted wherever a name could lead; see test/rule.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE FUNCTION pg_temp.canary_file() RETURNS text LANGUAGE sql AS $$ SELECT 'cec_canary_' || current_database() $$;
DO $$ BEGIN EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'cat > /dev/null; rm -f ' || pg_temp.canary_file()); END $$;
\ir ../rule/legal.sql
\ir ../rule/hostile.sql
\ir ../rule/facts.sql
CREATE TEMP TABLE compiled AS SELECT legal_id, cec._condition_sql(condition) AS sql FROM legal;
\ir ../rule/planted.sql

CREATE FUNCTION pg_temp.canaries() RETURNS bigint LANGUAGE sql AS $$ SELECT CASE WHEN is_called THEN last_value + 1 ELSE 0 END FROM public.canary_count $$;
CREATE FUNCTION pg_temp.is_file_there() RETURNS boolean LANGUAGE sql AS $$ SELECT (pg_catalog.pg_stat_file(pg_temp.canary_file(), true)).size IS NOT NULL $$;
CREATE TEMP TABLE outcome (path pg_catalog.text, hostile_id integer, code pg_catalog.text, message pg_catalog.text, canaries bigint);
-- Hands every condition to a statement with a %L in the place of the condition.
CREATE FUNCTION pg_temp.try(statement pg_catalog.text, path pg_catalog.text, kinds pg_catalog.text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	part record;
	code pg_catalog.text;
	message pg_catalog.text;
	before bigint;
BEGIN
	FOR part IN SELECT hostile_id, condition FROM hostile WHERE kind ~ kinds ORDER BY hostile_id LOOP
		before := pg_temp.canaries();
		code := 'accepted';
		message := NULL;
		BEGIN
			PERFORM pg_catalog.set_config('search_path', path, true);
			EXECUTE pg_catalog.format(statement, part.condition);
		EXCEPTION WHEN OTHERS THEN
			code := SQLSTATE;
			message := SQLERRM;
		END;
		INSERT INTO outcome VALUES (path, part.hostile_id, code, message, pg_temp.canaries() - before);
	END LOOP;
	PERFORM pg_catalog.set_config('search_path', 'public', true);
END $$;
DO $$ BEGIN PERFORM pg_temp.try('SELECT * FROM cec.check_condition(%L)', path, '') FROM unnest('{public,"pg_temp, public, atk, cec, pg_catalog","atk, pg_catalog, pg_temp"}'::pg_catalog.text[]) AS path; END $$;
-- What people may write, among all that was planted.
DO $$ BEGIN PERFORM pg_catalog.set_config('search_path', 'pg_temp, public, atk, pg_catalog', true); END $$;
CREATE TEMP TABLE among_planted AS SELECT legal_id, cec._condition_sql(condition) AS sql FROM legal;
SET LOCAL search_path = public;
CREATE FUNCTION pg_temp.ask() RETURNS integer LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part record;
	asked integer := 0;
BEGIN
	FOR part IN SELECT sql FROM pg_temp.among_planted LOOP
		EXECUTE 'SELECT count(*) FROM pg_temp.fact f WHERE ' || part.sql;
		asked := asked + 1;
	END LOOP;
	RETURN asked;
END $$;
SELECT pg_temp.ask() AS asked \gset
SELECT pg_temp.canaries() AS run, pg_temp.is_file_there() AS is_there \gset
-- The canaries sing: some of the same texts as plain SQL.
CREATE TEMP TABLE refused AS SELECT * FROM outcome;
DELETE FROM outcome;
CREATE FUNCTION pg_temp.as_sql(condition pg_catalog.text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE pg_catalog.concat('SELECT ', condition, E'\nFROM pg_temp.fact AS f LIMIT 1'); END $$;
DO $$ BEGIN PERFORM pg_temp.try('SELECT pg_temp.as_sql(%L)', 'pg_temp, public, atk, cec, pg_catalog', '^(domain|operator)$'); END $$;
SELECT pg_temp.canaries() AS run_as_sql, pg_temp.is_file_there() AS is_there_as_sql \gset
DO $$ BEGIN EXECUTE pg_catalog.format('COPY (SELECT 1) TO PROGRAM %L', 'cat > /dev/null; rm -f ' || pg_temp.canary_file()); END $$;
-- pgTAP does not bear all that is planted.
DROP SCHEMA atk CASCADE;

SELECT plan(14);
SELECT cmp_ok((SELECT count(*) FROM hostile), '>=', 150::bigint, 'there are conditions');
SELECT is((SELECT count(*) FROM refused), (SELECT 3 * count(*) FROM hostile), 'each was tried under three paths');
SELECT is_empty($$SELECT path, condition FROM refused JOIN hostile USING (hostile_id) WHERE code = 'accepted'$$, 'none is accepted');
SELECT is_empty($$SELECT path, condition, canaries FROM refused JOIN hostile USING (hostile_id) WHERE canaries > 0$$, 'none runs anything');
SELECT is_empty($$SELECT path, condition, code, message FROM refused JOIN hostile USING (hostile_id) WHERE code !~ '^(42601|42703|42883|42725|42804|0A000|54000|22.*)$'$$,
	'each is refused on purpose: no error of another class');
SELECT is_empty($$SELECT condition, min(message), max(message) FROM refused JOIN hostile USING (hostile_id) GROUP BY 1 HAVING count(DISTINCT (code, message)) > 1$$, 'for the same reason under every path');
SELECT is_empty('SELECT condition, p.sql FROM among_planted p JOIN compiled c USING (legal_id) JOIN legal USING (legal_id) WHERE p.sql <> c.sql', 'legal conditions are compiled to the same among what was planted');
SELECT is(:asked::bigint, (SELECT count(*) FROM legal), 'and run');
SELECT is(:run::bigint, 0::bigint, 'no canary was called');
SELECT is(:'is_there'::boolean, false, 'no canary made its file');
SELECT cmp_ok((SELECT count(*) FROM outcome WHERE canaries > 0), '>=', 25::bigint, 'as plain SQL many of them run something');
SELECT cmp_ok(:run_as_sql::bigint, '>=', 25::bigint, 'which is counted');
SELECT is(:'is_there_as_sql'::boolean, true, 'and makes its file');
SELECT is_empty($$SELECT condition FROM hostile WHERE condition IN (SELECT condition FROM legal)$$, 'no condition is both');
SELECT * FROM finish();
ROLLBACK;
