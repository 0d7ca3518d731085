-- What it costs to keep the grid: assets that move to other cells of it, against the same that move by a hand's breadth. Everything else of
-- the two statements is the same: register, log, findings. All of them are covered, under contracts without a boundary.

\set moved 200000
\getenv moved CEC_BENCH_MAP_MOVED
SELECT cec.create_portfolio('moves') \g /dev/null
INSERT INTO moves.customer (name) VALUES ('Mover');
INSERT INTO moves.contract (number, customer_id, status, during) SELECT 'C-' || i, 1, 'active', '[2024-01-01,2034-01-01)' FROM generate_series(1, 100) i;
INSERT INTO moves.coverage_term (contract_id, number, during) SELECT i, '1', '(,)' FROM generate_series(1, 100) i;
INSERT INTO moves.asset (asset_id, asset_tag, serial_number, manufacturer, model, customer_id, location, commissioned_on, attributes)
SELECT i, 'MV-' || lpad(i::text, 8, '0'), 'SN' || md5(i::text), 'Maker ' || i % 17, 'Model ' || i % 211, 1,
	st_setsrid(st_makepoint(5 + (i * 7919 % 10000) / 1000.0, 45 + (i * 104729 % 10000) / 1000.0), 4326), date '2010-01-01' + (i % 3000)::integer, jsonb_build_object('value', i % 1000)
FROM generate_series(1::bigint, :moved) i;
INSERT INTO moves.inclusion (term_id, asset_id, during) SELECT 1 + i % 100, i, '[2025-01-01,2030-01-01)' FROM generate_series(1::bigint, :moved) i;
SELECT count(*) FROM moves.refresh() \g /dev/null
VACUUM ANALYZE;

-- Back and forth, so that both ways begin with the same rows; what is left of either is cleaned away.
CREATE PROCEDURE bench.move(variant text, run integer, distance double precision, is_one boolean)
LANGUAGE plpgsql AS $$
DECLARE
	many constant text := 'UPDATE moves.asset SET location = st_translate(location, %s, 0) WHERE asset_id <= 100000';
BEGIN
	IF is_one THEN
		CALL bench.measure('moves', 'one asset, ' || variant, run, 2000, format($one$DO 'BEGIN FOR i IN 100001 .. 102000 LOOP UPDATE moves.asset SET location = public.st_translate(location, %s, 0) WHERE asset_id = i; END LOOP; END'$one$, distance));
	ELSE
		CALL bench.measure('moves', '100,000 assets, ' || variant, run, 100000, format(many, distance));
		EXECUTE format(many, -distance);
	END IF;
	PERFORM cec._map_fold('moves', cec.today('moves'));
	COMMIT;
END;
$$;

SELECT statement FROM generate_series(0, :rounds) g, LATERAL (VALUES
	(1, format('CALL bench.move(''by a hand'', %s, 0.0000001, false)', g)), (2, 'VACUUM moves.asset, moves.map_place, moves.map_step'), (3, format('CALL bench.move(''to other cells'', %s, 0.5, false)', g)),
	(4, 'VACUUM moves.asset, moves.map_place, moves.map_step'), (5, format('CALL bench.move(''by a hand'', %s, 0.0000001, true)', g)), (6, format('CALL bench.move(''to other cells'', %s, 0.5, true)', g)),
	(7, 'VACUUM moves.asset, moves.map_place, moves.map_step')) AS s(place, statement) ORDER BY g, place \gexec
DELETE FROM bench.sample WHERE run = 0 AND subject = 'moves';
INSERT INTO bench.goal VALUES ('moves', '100,000 assets, to other cells', '100,000 assets, by a hand', 1.2), ('moves', 'one asset, to other cells', 'one asset, by a hand', 1.1);
\pset title 'Assets that move; microseconds an asset'
SELECT * FROM bench.report('moves');
\pset title
