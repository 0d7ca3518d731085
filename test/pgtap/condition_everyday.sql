-- A hundred conditions of account managers: nearly all are accepted, and what is refused says how to write it. A hundred slips.
BEGIN;
SET LOCAL client_min_messages = warning;
\ir ../rule/everyday.sql
\ir ../rule/slips.sql
CREATE TEMP TABLE outcome (everyday_id integer, code text, message text, hint text);
CREATE FUNCTION pg_temp.try(condition text, OUT code text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	code := 'accepted';
	PERFORM FROM cec.check_condition(condition);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END $$;
INSERT INTO outcome SELECT everyday_id, t.* FROM everyday, pg_temp.try(condition) AS t;

SELECT plan(18);
SELECT cmp_ok((SELECT count(*) FROM everyday), '>=', 100::bigint, 'there are a hundred');
SELECT is_empty($$SELECT wanted, condition, message, hint FROM everyday JOIN outcome USING (everyday_id) WHERE code <> 'accepted' AND mended IS NULL$$, 'what is to be accepted is');
SELECT cmp_ok((SELECT 100 * count(*) FILTER (WHERE code = 'accepted') / count(*) FROM outcome), '>=', 95::bigint, 'nearly all are');
SELECT is_empty($$SELECT wanted, condition FROM everyday JOIN outcome USING (everyday_id) WHERE code = 'accepted' AND mended IS NOT NULL$$, 'the others are refused');
SELECT is_empty($$SELECT wanted, hint FROM everyday JOIN outcome USING (everyday_id) WHERE code <> 'accepted' AND coalesce(hint, '') = ''$$, 'with a hint');
SELECT is_empty($$SELECT wanted, mended, t.message FROM everyday, pg_temp.try(mended) AS t WHERE mended IS NOT NULL AND t.code <> 'accepted'$$, 'that leads to one which is accepted');
-- What the hints say.
CREATE FUNCTION pg_temp.says(condition text) RETURNS text LANGUAGE sql AS $$ SELECT format('%s | %s', t.message, t.hint) FROM pg_temp.try(condition) AS t $$;
SELECT is(pg_temp.says($$country = 'DE' AND$$), 'the condition ends after AND | Something is missing after it, or a parenthesis or quote before it was not closed.', 'a condition that ends too early');
SELECT is(pg_temp.says(E'\u00E9 = ''DE'' AND (country = ''DE'' '), E'the condition ends after ''DE'' | Something is missing after it, or a parenthesis or quote before it was not closed.', 'also behind letters of two bytes');
SELECT matches(pg_temp.says($$attributes->>'n' > 5$$), 'as_number\(attributes ->> ''n''\) > 5', 'a text and a number');
SELECT matches(pg_temp.says($$commissioned_on < '01.01.2019'$$), 'YYYY-MM-DD: ''2019-01-31''', 'a day in another order');
SELECT matches(pg_temp.says($$commissioned_on < 'January'$$), 'YYYY-MM-DD: ''2019-01-31''', 'what is no day');
SELECT matches(pg_temp.says($$commissioned_on < 2019-01-01$$), 'A day stands in single quotes: ''2019-01-31''', 'a day without quotes');
SELECT matches(pg_temp.says($$country = 'DE' ) AND$$), 'syntax error at or near', 'a mistake in the middle is told as it is');
SELECT matches(pg_temp.says($$distance_to_point_m(51.92, 104.48) < 5$$), 'Longitude \(-180 to 180\) comes first', 'a point that is swapped');
-- Slips.
SELECT cmp_ok((SELECT count(*) FROM slip), '>=', 100::bigint, 'there are a hundred slips');
SELECT is_empty($$SELECT condition, slip.hint, t.code, t.hint FROM slip, pg_temp.try(condition) AS t WHERE t.hint IS DISTINCT FROM translate(slip.hint, '«»', '')$$,
	'each is refused with the hint that leads out');
SELECT is_empty($$SELECT condition, hint, mended FROM slip WHERE position(substring(hint, '«(.*)»') in mended) = 0$$, 'what the hint shows is taken');
SELECT is_empty($$SELECT mended, t.message FROM slip, pg_temp.try(mended) AS t WHERE t.code <> 'accepted'$$, 'and accepted');
SELECT * FROM finish();
ROLLBACK;
