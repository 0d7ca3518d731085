-- How many locks the transaction of a list line holds, in a session that has listed before.
CALL bench.empty_yard_list();
PREPARE line(bigint) AS INSERT INTO yard.inclusion (term_id, asset_id, during) VALUES (1, $1, '[2025-01-01,2030-01-01)');
SELECT format('EXECUTE line(%s)', g) FROM generate_series(1, 12) g \gexec
BEGIN;
EXECUTE line(13);
SELECT count(*) AS n FROM pg_locks WHERE pid = pg_backend_pid() AND NOT (locktype = 'relation' AND relation = 'pg_locks'::regclass) \gset
COMMIT;
INSERT INTO bench.lock_entry VALUES (:n);
