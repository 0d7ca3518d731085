-- What rules may cost those who wait: their time for all assets of a statement is bounded, and they leave neither memory nor a
-- timer behind.
SET client_min_messages = warning;
SELECT plan(11);
CREATE ROLE tap_owner;
SELECT cec.create_portfolio('fleet', 'tap_owner') \g /dev/null
GRANT USAGE ON SCHEMA fleet TO PUBLIC;
INSERT INTO fleet.customer (name) VALUES ('Harbour');
-- A boundary of 20,000 corners.
INSERT INTO fleet.contract (number, customer_id, status, during, boundary)
	SELECT 'C-1', 1, 'active', '(,)', st_multi(st_setsrid(st_makepolygon(st_makeline(array_agg(st_makepoint(10 + cos(a) * r, 50 + sin(a) * r) ORDER BY g))), 4326))
	FROM generate_series(0, 20000) g, LATERAL (VALUES (2 * pi() * (g % 20000) / 20000, 3 + 0.02 * (g % 2))) AS v(a, r);
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)');
INSERT INTO fleet.asset (asset_tag, commissioned_on, location)
	SELECT 'T-' || g, '2019-01-01', st_setsrid(st_makepoint(5 + g % 100 / 10.0, 45 + g % 90 / 9.0), 4326) FROM generate_series(1, 2000) g;
CREATE FUNCTION pg_temp.failed() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM fleet.finding WHERE kind = 'rule_failed' AND closed_at IS NULL AND detail = '{"sqlstate": "57014"}'
$$;

-- Time. Without a limit the rule says something of every asset; with one it runs out of time, and says so.
SET cec.rule_time_limit = 0;
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'r', 'include', 'distance_to_boundary_m < 100000', '(,)');
SELECT cmp_ok((SELECT count(*) FROM fleet.rule_effect), '>', 500::bigint, 'a distance without a limit: qualified');
SELECT is(pg_temp.failed(), 0::bigint, 'nothing has failed');
SET cec.rule_time_limit = '10ms';
SELECT lives_ok($$UPDATE fleet.asset SET location = st_translate(location, 0.001, 0)$$, 'assets change, whatever rules take');
SELECT cmp_ok(pg_temp.failed(), '>', 1000::bigint, 'asset by asset: late for most');
SELECT cmp_ok(pg_temp.failed(), '<', 2000::bigint, 'not for those that were in time');
SELECT lives_ok($$UPDATE fleet.coverage_rule SET condition = 'distance_to_boundary_m + distance_to_boundary_m < 400000'$$, 'a rule changes, whatever it takes');
SELECT cmp_ok(pg_temp.failed(), '>', 1000::bigint, 'all assets: late for most');
RESET cec.rule_time_limit;
SET ROLE tap_owner;
SELECT throws_ok('SET cec.rule_time_limit = 0', '42501', NULL, 'who owns a portfolio does not say how long all wait');
RESET ROLE;

-- The timer: an error that is caught ends the evaluation, and then nothing wakes the session.
CREATE FUNCTION pg_temp.wakes() RETURNS bigint LANGUAGE sql AS $$
	SELECT (regexp_match(pg_read_file('/proc/self/status'), '\mvoluntary_ctxt_switches:\s+(\d+)'))[1]::bigint
$$;
SET statement_timeout = '400ms';
DO $$
BEGIN
	FOR i IN 1 .. 20 LOOP
		UPDATE fleet.asset SET location = st_translate(location, 0.001, 0);
	END LOOP;
	RAISE 'this ends by the timeout';
EXCEPTION WHEN query_canceled THEN NULL;
END;
$$;
RESET statement_timeout;
CREATE TEMP TABLE woken AS SELECT pg_temp.wakes() AS before;
SELECT pg_sleep(4) \g /dev/null
SELECT cmp_ok(pg_temp.wakes() - before, '<', 6::bigint, 'no timer wakes the session') FROM woken;

-- Memory: a condition that cannot be made ready is tried for each asset anew, and leaves nothing.
UPDATE fleet.coverage_rule SET condition = 'upper(category) <> ''X''';
CREATE FUNCTION pg_temp.memory() RETURNS bigint LANGUAGE sql AS $$ SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts $$;
DO $$ BEGIN EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', 'pg_catalog.upper(text)'); END; $$;
UPDATE fleet.asset SET category = coalesce(category, '') || 'a' WHERE asset_id <= 100;
CREATE TEMP TABLE memory AS SELECT pg_temp.memory() AS before;
UPDATE fleet.asset SET category = coalesce(category, '') || 'b';
SELECT cmp_ok((SELECT count(*) FROM fleet.finding WHERE closed_at IS NULL AND detail = '{"sqlstate": "42501"}'), '=', 2000::bigint, 'it fails for all');
SELECT cmp_ok(pg_temp.memory() - before, '<', 1000000::bigint, 'and leaves nothing') FROM memory;
SELECT * FROM finish();
SELECT cec.drop_portfolio('fleet', 'fleet') \g /dev/null
DROP ROLE tap_owner;
