-- Row locks on the assets of a statement against the portfolio's gate: GATE_THRESHOLD in src/registry/asset_lock.c.
-- The assets bear the foreign key's lock already, as they do when cec locks them.

SET client_min_messages = warning;

CREATE TABLE bench.lock_sample (asset_count integer, run integer, rows_us numeric, rows_wal numeric, gate_us numeric, statement_us numeric);

CREATE PROCEDURE bench.run_locks(nth integer)
LANGUAGE plpgsql AS $$
DECLARE
	sizes integer[] := '{10, 100, 1000, 3000, 10000, 30000, 100000}';
	asset_count integer;
	assets bigint[];
	begun timestamptz;
	wal pg_lsn;
	took numeric[];
	wal_bytes numeric;
BEGIN
	FOREACH asset_count IN ARRAY sizes LOOP
		assets := ARRAY(SELECT s.asset_id FROM bench.line_source s WHERE s.place <= asset_count);
		CALL bench.empty_list();
		CHECKPOINT;
		INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 200000, '[2025-01-01,2026-01-01)');
		COMMIT;
		PERFORM FROM fleet.asset WHERE asset_id = ANY (assets) FOR KEY SHARE;
		wal := pg_current_wal_insert_lsn();
		begun := clock_timestamp();
		PERFORM FROM fleet.asset WHERE asset_id = ANY (assets) ORDER BY asset_id FOR NO KEY UPDATE;
		took[1] := extract(epoch FROM clock_timestamp() - begun) * 1e6;
		wal_bytes := pg_current_wal_insert_lsn() - wal;
		COMMIT;
		begun := clock_timestamp();
		LOCK TABLE fleet.gate IN SHARE ROW EXCLUSIVE MODE NOWAIT;
		took[2] := extract(epoch FROM clock_timestamp() - begun) * 1e6;
		COMMIT;
		begun := clock_timestamp();
		INSERT INTO fleet.inclusion (term_id, asset_id, listed_as, during)
		SELECT s.term_id, s.asset_id, s.listed_as, s.during FROM bench.line_source s WHERE s.place <= asset_count;
		took[3] := extract(epoch FROM clock_timestamp() - begun) * 1e6;
		COMMIT;
		INSERT INTO bench.lock_sample VALUES (asset_count, nth, took[1], wal_bytes, took[2], took[3]);
		COMMIT;
	END LOOP;
END;
$$;

-- The first run only warms up.
CALL bench.run_locks(0);
CALL bench.run_locks(1);
CALL bench.run_locks(2);
CALL bench.run_locks(3);
CALL bench.run_locks(4);
CALL bench.run_locks(5);

\echo 'Locks of one statement: rows or gate (medians; what row locks take is lost to the statement, and what the statement takes is how long a gate keeps others out)'
SELECT asset_count AS assets,
	round((percentile_cont(0.5) WITHIN GROUP (ORDER BY rows_us))::numeric) AS row_locks_us,
	format('%s–%s', round(min(rows_us)), round(max(rows_us))) AS min_to_max,
	round((percentile_cont(0.5) WITHIN GROUP (ORDER BY rows_us / asset_count))::numeric, 2) AS us_an_asset,
	round((percentile_cont(0.5) WITHIN GROUP (ORDER BY rows_wal / asset_count))::numeric) AS wal_bytes_an_asset,
	round((percentile_cont(0.5) WITHIN GROUP (ORDER BY gate_us))::numeric) AS gate_us,
	round((percentile_cont(0.5) WITHIN GROUP (ORDER BY statement_us))::numeric) AS cec_statement_us,
	format('%s–%s', round(min(statement_us)), round(max(statement_us))) AS statement_min_to_max
FROM bench.lock_sample WHERE run > 0 GROUP BY 1 ORDER BY 1;
