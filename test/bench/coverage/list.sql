-- A list of 200,000, against the rows that it leaves behind written by hand: inclusion, audit and coverage.

SET client_min_messages = warning;
CALL bench.copy_table('plant.inclusion', 'bench.hand_inclusion');
CALL bench.copy_table('plant.audit_log', 'bench.hand_audit');
CALL bench.copy_table('plant.coverage', 'bench.hand_coverage');
CREATE TABLE bench.line AS
SELECT 1 + (i - 1) / 10000 AS term_id, i AS asset_id, 'EQ-' || i AS listed_as, daterange('2025-01-01', '2030-01-01') AS during
FROM generate_series(1::bigint, 200000) i;
VACUUM ANALYZE bench.line;

CREATE PROCEDURE bench.empty(VARIADIC tables regclass[])
LANGUAGE plpgsql AS $$
BEGIN
	CALL bench.arm(false, VARIADIC tables);
	EXECUTE 'TRUNCATE ' || array_to_string(tables, ', ');
	CALL bench.arm(true, VARIADIC tables);
	COMMIT;
	CHECKPOINT;
END;
$$;

CREATE PROCEDURE bench.run_list(nth integer)
LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz;
BEGIN
	CALL bench.empty('plant.inclusion', 'plant.audit_log', 'plant.coverage', 'plant.coverage_history',
		'bench.hand_inclusion', 'bench.hand_audit', 'bench.hand_coverage');
	begun := clock_timestamp();
	INSERT INTO plant.inclusion (term_id, asset_id, listed_as, during) SELECT term_id, asset_id, listed_as, during FROM bench.line;
	CALL bench.note('list of 200,000', 'cec', nth, 200000, begun);
	COMMIT;
	-- What it wrote, as the source of what the hand writes.
	DROP TABLE IF EXISTS bench.audit_row, bench.coverage_row;
	CREATE TABLE bench.audit_row AS SELECT * FROM plant.audit_log;
	CREATE TABLE bench.coverage_row AS SELECT * FROM plant.coverage;
	ANALYZE bench.audit_row, bench.coverage_row;
	COMMIT;
	CHECKPOINT;
	begun := clock_timestamp();
	EXECUTE 'INSERT INTO bench.hand_inclusion (term_id, asset_id, listed_as, during) SELECT term_id, asset_id, listed_as, during FROM bench.line';
	EXECUTE 'INSERT INTO bench.hand_audit (xid, system_id, at, actor, session_user_name, application_name, client_addr, reason, table_name,
		operation, row_id, asset_id, term_id, contract_id, salt, row_image, delta)
		SELECT xid, system_id, at, actor, session_user_name, application_name, client_addr, reason, table_name,
			operation, row_id, asset_id, term_id, contract_id, salt, row_image, delta FROM bench.audit_row';
	EXECUTE 'INSERT INTO bench.hand_coverage (asset_id, term_id, during, is_stated, is_ruled, is_inherited, recorded_at)
		SELECT asset_id, term_id, during, is_stated, is_ruled, is_inherited, recorded_at FROM bench.coverage_row';
	CALL bench.note('list of 200,000', 'by hand', nth, 200000, begun);
	COMMIT;
END;
$$;

CALL bench.run_list(1);
CALL bench.run_list(2);
CALL bench.run_list(3);
CALL bench.run_list(4);
CALL bench.run_list(5);

INSERT INTO bench.goal (subject, variant, reference, at_most) VALUES ('list of 200,000', 'cec', 'by hand', 2);
CALL bench.empty('plant.inclusion', 'plant.audit_log', 'plant.coverage', 'plant.coverage_history');
