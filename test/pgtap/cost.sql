-- What a question costs hangs on what it is about: not on how many ways lead to an asset, and not on statistics. Nothing here
-- is committed, so nobody else analyzes the tables; what is too slow runs into a timeout.
SET client_min_messages = warning;
SET statement_timeout = '50s'; -- a second each is enough; as it was, each took minutes at least
BEGIN;
SELECT plan(19);

-- A portfolio with one term, of which assets 1 and 2 are on the list.
CREATE FUNCTION pg_temp.make(portfolio text, assets integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM cec.create_portfolio(portfolio);
	PERFORM set_config('search_path', portfolio || ', public, pg_temp', true);
	INSERT INTO customer (name) VALUES ('Harbour');
	INSERT INTO contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '[2020-01-01,2100-01-01)');
	INSERT INTO coverage_term (contract_id, number, during) VALUES (1, '1', '[2020-01-01,2100-01-01)');
	INSERT INTO asset (asset_tag, commissioned_on) SELECT 'T-' || g, '2019-01-01' FROM generate_series(1, assets) g;
	INSERT INTO inclusion (term_id, asset_id, during) VALUES (1, 1, '[2020-01-01,2100-01-01)'), (1, 2, '[2020-01-01,2100-01-01)');
	INSERT INTO bundle (name, primary_asset_id) SELECT 'B-' || g, g FROM generate_series(1, assets - 1) g;
END;
$$;
-- Each asset is a member of the one before.
SELECT pg_temp.make('chain', 30000);
INSERT INTO bundle_member (bundle_id, asset_id, during) SELECT g, g + 1, '(,)' FROM generate_series(1, 29999) g;
-- Each two assets of a level are primaries of both of the next: 2^39 ways to the last.
SELECT pg_temp.make('lattice', 80);
INSERT INTO bundle_member (bundle_id, asset_id, during) SELECT g, ((g - 1) / 2 + 1) * 2 + j, '(,)' FROM generate_series(1, 78) g, generate_series(1, 2) j;
-- The same, each on days of its own, and some taken out for a while.
SELECT pg_temp.make('mixed', 80);
INSERT INTO bundle_member (bundle_id, asset_id, during)
	SELECT g, ((g - 1) / 2 + 1) * 2 + j, daterange('2020-01-01'::date + (g * 37 + j * 11) % 400, '2090-01-01'::date + (g * 53 + j * 29) % 900)
	FROM generate_series(1, 78) g, generate_series(1, 2) j;
INSERT INTO inclusion (term_id, asset_id, effect, during)
	SELECT 1, g, 'exclude', daterange('2030-01-01'::date + g * 20, '2030-01-01'::date + g * 20 + g) FROM generate_series(3, 80, 7) g;

CREATE FUNCTION pg_temp.ask(portfolio text, assets integer, said text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('search_path', portfolio || ', public, pg_temp', true);
	RETURN NEXT is_empty('SELECT * FROM verify_coverage()', format('%s, %s: verified', portfolio, said));
	RETURN NEXT is((SELECT count(*) FROM explain_coverage('T-' || assets)), 7::bigint, format('%s, %s: explained', portfolio, said));
	RETURN NEXT is((SELECT count(*) FROM test_rule(1, 'exclude', 'asset_id > 0')), (SELECT count(DISTINCT asset_id) FROM coverage),
		format('%s, %s: a rule tried', portfolio, said));
END;
$$;
SELECT pg_temp.ask('chain', 30000, 'never analyzed');
SELECT pg_temp.ask('lattice', 80, 'never analyzed');
SELECT pg_temp.ask('mixed', 80, 'never analyzed');
ANALYZE;
SELECT pg_temp.ask('chain', 30000, 'analyzed');
SELECT pg_temp.ask('lattice', 80, 'analyzed');
SELECT pg_temp.ask('mixed', 80, 'analyzed');
-- Nor on the memory that the session allows each sort and hash table.
SELECT is_empty($$SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'cec'::regnamespace
	AND proconfig::text LIKE '%hash_mem_multiplier=%' AND proconfig::text NOT LIKE '%work_mem=%'$$, 'a factor of work_mem is set together with work_mem');
SELECT * FROM finish();
ROLLBACK;
