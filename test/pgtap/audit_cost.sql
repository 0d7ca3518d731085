-- Reports of the log cost by the lines that they show. A damaged image raises when it is decoded, so it tells who decodes what
-- nobody wanted; how many rows of a table a transaction has read is the server's own count.
SET client_min_messages = warning;
SET track_functions = 'all';
SET max_parallel_workers_per_gather = 0; -- what workers read is counted elsewhere
SELECT plan(15);
SELECT cec.create_portfolio('fleet') \g /dev/null
INSERT INTO fleet.customer (name) VALUES ('Harbour');
INSERT INTO fleet.contract (number, customer_id, status, during) SELECT 'C-' || g, 1, 'active', '(,)' FROM generate_series(1, 2) g;
INSERT INTO fleet.coverage_term (contract_id, number, during) SELECT g, '1', '(,)' FROM generate_series(1, 2) g;
INSERT INTO fleet.asset (asset_tag, commissioned_on) SELECT 'T-' || g, '2019-01-01' FROM generate_series(1, 20001) g;
INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 1, g, '[2020-01-01,)' FROM generate_series(1, 20000) g;
UPDATE fleet.contract SET during = '[2021-01-01,)' WHERE number = 'C-1';
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (2, 20001, '[2020-01-01,)');

CREATE FUNCTION pg_temp.rows_read() RETURNS bigint LANGUAGE sql AS $$
	SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables WHERE schemaname = 'fleet'
$$;
CREATE FUNCTION pg_temp.decoded() RETURNS bigint LANGUAGE sql AS $$
	SELECT coalesce(pg_stat_get_xact_function_calls('cec.decode_row_image'::regproc), 0)
$$;
CREATE FUNCTION pg_temp.ask(said text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before bigint := pg_temp.rows_read();
BEGIN
	RETURN NEXT is((SELECT count(*) FROM fleet.coverage_audit('C-2')), 4::bigint, said || ': a contract, its term, a line and an asset');
	RETURN NEXT cmp_ok(pg_temp.rows_read() - before, '<', 500::bigint, said || ': and few rows are read for it');
	before := pg_temp.rows_read();
	RETURN NEXT is((SELECT count(*) FROM fleet.contract_history('C-2')), 3::bigint, said || ': a contract, its term and a line');
	RETURN NEXT cmp_ok(pg_temp.rows_read() - before, '<', 500::bigint, said || ': and few rows are read for it');
	before := pg_temp.rows_read();
	RETURN NEXT is((SELECT count(*) FROM fleet.asset_history('T-20001')), 2::bigint, said || ': an asset and a line');
	RETURN NEXT cmp_ok(pg_temp.rows_read() - before, '<', 500::bigint, said || ': and few rows are read for it');
END;
$$;
BEGIN;
SELECT pg_temp.ask('never analyzed');
ROLLBACK;
ANALYZE;
BEGIN;
SELECT pg_temp.ask('analyzed');
ROLLBACK;

BEGIN;
CREATE TEMP TABLE before AS SELECT pg_temp.decoded();
SELECT count(*) AS changes FROM fleet.audit_change WHERE audit_id BETWEEN 1000 AND 1099 \g /dev/null
SELECT cmp_ok(pg_temp.decoded() - decoded, '<=', 200::bigint, 'an entry is decoded once for each side, not for each column') FROM before;
ROLLBACK;

-- The damaged one is the last by key, and the oldest.
INSERT INTO fleet.audit_log (audit_id, xid, system_id, at, actor, session_user_name, table_name, operation, row_id, row_image)
	SELECT audit_id + 1000, xid, system_id, '2000-01-01', actor, session_user_name, table_name, operation, row_id, substring(row_image FOR 20)
	FROM fleet.audit_log ORDER BY audit_id DESC LIMIT 1;
SELECT lives_ok($$SELECT count(old_row) + count(new_row) FROM (SELECT * FROM fleet.audit_entry ORDER BY at DESC LIMIT 50) AS e$$, 'the latest entries: only they are decoded');
SELECT lives_ok($$SELECT * FROM fleet.audit_change WHERE audit_id >= 7 AND audit_change_id > 14003 ORDER BY audit_id, audit_change_id LIMIT 50$$,
	'a page of changes: only it is decoded');
SELECT * FROM finish();
