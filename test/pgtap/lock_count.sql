-- A statement on one row takes few locks: the server gives a session 16 cheap ones, and whatever is beyond them is taken in a
-- table that all sessions share. Five of a list line's look whether there is a finding, a request or an observation; a retired asset
-- opens a finding. Two ask where on the map it counts. Counted are those of a session that has run the statement before; the plans of foreign keys are
-- the server's own, and are settled after a few executions.
SET client_min_messages = error;
SELECT plan(6);
SELECT cec.create_portfolio('fleet') \g /dev/null
SET search_path = fleet, public, pg_temp;
INSERT INTO customer (name) VALUES ('Harbour');
INSERT INTO contract (number, customer_id, status, during) SELECT 'C-' || g, 1, 'active', '[2020-01-01,2030-01-01)' FROM generate_series(1, 200) g;
INSERT INTO coverage_term (contract_id, number, during) SELECT g, '1', '[2020-01-01,2030-01-01)' FROM generate_series(1, 200) g;
INSERT INTO asset (asset_tag, serial_number, manufacturer, model, commissioned_on)
	SELECT 'T-' || g, 'S-' || g, 'M', 'N', '2019-01-01' FROM generate_series(1, 400) g;
INSERT INTO inclusion (term_id, asset_id, during) SELECT 1, g, '[2020-01-01,2030-01-01)' FROM generate_series(1, 100) g;
ANALYZE;
-- How many locks the transaction has, that of this question apart.
CREATE FUNCTION pg_temp.locks() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND NOT (locktype = 'relation' AND relation = 'pg_locks'::regclass)
$$;
PREPARE line(bigint) AS INSERT INTO inclusion (term_id, asset_id, during) VALUES (1, $1, '[2020-01-01,2030-01-01)');
PREPARE tag(text) AS INSERT INTO inclusion (term_id, listed_as, during) VALUES (1, $1, '[2020-01-01,2030-01-01)');
PREPARE new(text) AS INSERT INTO asset (asset_tag, commissioned_on) VALUES ($1, '2019-01-01');
PREPARE edit(bigint) AS UPDATE asset SET category = 'pump' WHERE asset_id = $1;
PREPARE retire(bigint) AS UPDATE asset SET status = 'retired', decommissioned_on = '2025-01-01' WHERE asset_id = $1;
PREPARE ask(text) AS SELECT count(*) FROM covered_on($1, '2026-01-01');
\o /dev/null
SELECT format('EXECUTE line(%s); EXECUTE tag(%L); EXECUTE new(%L); EXECUTE edit(%s); EXECUTE retire(%s); EXECUTE ask(%L)',
	100 + g, 'T-' || 200 + g, 'W-' || g, g, 20 + g, 'S-' || g) FROM generate_series(1, 12) g \gexec
\o
BEGIN; EXECUTE line(150); SELECT pg_temp.locks() AS n \gset
COMMIT; SELECT ok(:n <= 31, 'a list line (' || :n || ')');
BEGIN; EXECUTE tag('T-250'); SELECT pg_temp.locks() AS n \gset
COMMIT; SELECT ok(:n <= 36, 'a list line by tag (' || :n || ')');
BEGIN; EXECUTE new('W-50'); SELECT pg_temp.locks() AS n \gset
COMMIT; SELECT ok(:n <= 12, 'an asset (' || :n || ')');
BEGIN; EXECUTE edit(50); SELECT pg_temp.locks() AS n \gset
COMMIT; SELECT ok(:n <= 13, 'a column of an asset (' || :n || ')');
BEGIN; EXECUTE retire(60); SELECT pg_temp.locks() AS n \gset
COMMIT; SELECT ok(:n <= 48, 'a retired asset (' || :n || ')');
BEGIN; EXECUTE ask('S-70') \g /dev/null
SELECT pg_temp.locks() AS n \gset
COMMIT; SELECT ok(:n <= 12, 'a question (' || :n || ')');
