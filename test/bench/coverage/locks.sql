-- How many entries of the lock table one statement of 100,000 assets takes.

SET client_min_messages = warning;
VACUUM ANALYZE plant.asset;

CREATE PROCEDURE bench.note_locks(figure text, statement text)
LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
	changed bigint;
BEGIN
	EXECUTE statement;
	GET DIAGNOSTICS changed = ROW_COUNT;
	SELECT count(*) INTO n FROM pg_locks WHERE pid = pg_backend_pid();
	INSERT INTO bench.other_figure (figure, reached, goal)
	VALUES (format('lock entries: %s (%s rows)', figure, changed), n, CASE WHEN n <= 64 THEN '<= 64 reached' ELSE '<= 64 MISSED' END);
	COMMIT;
END;
$$;

CALL bench.note_locks('list of 100,000', 'INSERT INTO plant.inclusion (term_id, asset_id, during)
	SELECT 1, i, ''[2025-01-01,2030-01-01)'' FROM generate_series(1, 100000) i');
CALL bench.note_locks('suspension of a contract with 100,000', 'UPDATE plant.contract SET suspensions = ''{[2026-08-10,2026-08-15)}'' WHERE contract_id = 1');
CALL bench.note_locks('retirement of 100,000', 'UPDATE plant.asset SET status = ''retired'', decommissioned_on = ''2027-06-30'' WHERE asset_id <= 100000');
INSERT INTO bench.other_figure (figure, reached, goal)
SELECT 'plant: verify_coverage()', count(*) || ' differences', CASE count(*) WHEN 0 THEN 'none reached' ELSE 'none MISSED' END FROM plant.verify_coverage();
