-- What tiles cost, against raw points of the whole map, and against what one would write by hand; each way once a round.

\set rounds 5
\getenv rounds CEC_BENCH_ROUNDS
SET client_min_messages = warning;
CREATE TABLE bench.map_tile AS
SELECT z, cec._map_column(st_x(location), z) AS x, cec._map_row(st_y(location), z) AS y, count(*) AS assets
FROM atlas.asset CROSS JOIN generate_series(0, 24) z WHERE z <= 16 OR z = 24
GROUP BY 1, 2, 3;
-- All tiles up to zoom 6; further in those with most assets, and of those that draw assets one by one the fullest.
CREATE TABLE bench.map_tried AS
SELECT * FROM bench.map_tile WHERE z <= 6
UNION SELECT q.* FROM generate_series(7, 16) g, LATERAL (SELECT * FROM bench.map_tile p WHERE p.z = g ORDER BY p.assets DESC, x, y LIMIT 3) q
UNION SELECT q.* FROM generate_series(7, 16) g, LATERAL (SELECT * FROM bench.map_tile p WHERE p.z = g AND p.assets <= 5000 ORDER BY p.assets DESC, x, y LIMIT 2) q;
CREATE TABLE bench.map_sampled AS
SELECT q.* FROM (VALUES (10), (14)) AS g(z), LATERAL (SELECT * FROM bench.map_tile p WHERE p.z = g.z AND p.assets <= 5000 ORDER BY md5(format('%s/%s', x, y)) LIMIT 50) q;
CREATE TABLE bench.map_bytes (zoom text, bytes bigint);

-- The slowest tile of some, by the clock and by the processor; warm.
CREATE PROCEDURE bench.worst_tile(subject text, variant text, run integer, params json)
LANGUAGE plpgsql AS $$
DECLARE
	t record;
	begun timestamptz;
	cpu_begun numeric;
	us numeric;
	worst numeric := 0;
	worst_cpu numeric := 0;
	tile bytea;
BEGIN
	FOR t IN SELECT * FROM bench.map_tried LOOP
		begun := clock_timestamp();
		cpu_begun := bench.cpu_us();
		tile := atlas.mvt_assets(t.z, t.x::integer, t.y::integer, params);
		us := extract(epoch FROM clock_timestamp() - begun) * 1e6;
		IF us > worst THEN
			worst := us;
			worst_cpu := bench.cpu_us() - cpu_begun;
		END IF;
		INSERT INTO bench.map_bytes VALUES (t.z, length(tile));
	END LOOP;
	INSERT INTO bench.sample VALUES (subject, variant, run, 1, worst, worst_cpu);
	COMMIT;
END;
$$;

-- What one would write for the tile of a zoom past 6: the same attributes, from rows.
CREATE PROCEDURE bench.by_hand(z integer, x integer, y integer)
LANGUAGE plpgsql AS $$
DECLARE
	tile bytea;
BEGIN
	EXECUTE format($query$
		SELECT st_asmvt(q, 'assets', 4096, 'geom', 'id' ORDER BY q.id) FROM (
			SELECT a.asset_id AS id, a.asset_tag, CASE WHEN bool_or(v.is_stated) THEN 'covered' WHEN bool_or(v.is_inherited) THEN 'covered_by_bundle' WHEN bool_or(v.is_ruled) THEN 'covered_by_rule'
					WHEN coalesce(a.commissioned_on, d.today) > d.today OR coalesce(a.decommissioned_on, d.today) < d.today OR a.out_of_service @> d.today THEN 'not_in_service' ELSE 'uncovered' END AS status,
				EXISTS (SELECT FROM atlas.finding f WHERE f.closed_at IS NULL AND f.kind = 'duplicate_in_register' AND f.asset_id = a.asset_id)
					OR EXISTS (SELECT FROM atlas.finding f WHERE f.closed_at IS NULL AND f.kind = 'duplicate_in_register' AND f.other_asset_id = a.asset_id) AS is_duplicate,
				coalesce((array_agg(upper(v.during) - 1 ORDER BY c.priority, upper(v.during) DESC NULLS FIRST, c.number))[1] <= d.today + d.expiry_notice_days, false) AS is_expiring,
				(SELECT count(*) FROM atlas.finding f WHERE f.asset_id = a.asset_id AND f.closed_at IS NULL AND NOT EXISTS (
					SELECT FROM atlas.finding_waiver w WHERE w.kind = f.kind AND w.asset_id = f.asset_id)) AS findings,
				(array_agg(c.number ORDER BY c.priority, upper(v.during) DESC NULLS FIRST, c.number))[1] AS contract_number,
				(array_agg(r.code ORDER BY c.priority, upper(v.during) DESC NULLS FIRST, c.number))[1] AS tier_code,
				to_char((array_agg(upper(v.during) - 1 ORDER BY c.priority, upper(v.during) DESC NULLS FIRST, c.number))[1], 'YYYY-MM-DD') AS last_day,
				u.name AS customer, coalesce((a.attributes ->> 'value')::double precision, 0) AS value,
				st_asmvtgeom(st_transform(a.location, 3857), st_tileenvelope(%1$s, %2$s, %3$s), 4096, 0, true) AS geom
			FROM atlas.asset a CROSS JOIN (SELECT cec.today('atlas') AS today, expiry_notice_days FROM atlas.setting) d
				LEFT JOIN atlas.customer u USING (customer_id)
				LEFT JOIN atlas.coverage v ON v.asset_id = a.asset_id AND v.during @> d.today
				LEFT JOIN atlas.coverage_term t USING (term_id) LEFT JOIN atlas.contract c ON c.contract_id = t.contract_id LEFT JOIN atlas.service_tier r USING (tier_id)
			WHERE a.location && st_transform(st_tileenvelope(%1$s, %2$s, %3$s), 4326)
			GROUP BY a.asset_id, u.customer_id, d.today, d.expiry_notice_days) q WHERE geom IS NOT NULL$query$, z, x, y) INTO tile;
END;
$$;

CREATE PROCEDURE bench.each_tile(zoom integer, by_hand boolean)
LANGUAGE plpgsql AS $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT * FROM bench.map_sampled WHERE z = zoom LOOP
		IF by_hand THEN
			CALL bench.by_hand(zoom, t.x::integer, t.y::integer);
		ELSE
			PERFORM atlas.mvt_assets(zoom, t.x::integer, t.y::integer);
		END IF;
	END LOOP;
END;
$$;

CREATE PROCEDURE bench.tiles(round integer)
LANGUAGE plpgsql AS $$
DECLARE
	day date := cec.today('atlas');
BEGIN
	CALL bench.measure('map', 'raw points of the whole map', round, 1, 'SELECT length(st_asmvt(q, ''a'', 4096, ''geom'')) FROM (SELECT asset_id, st_asmvtgeom(st_transform(location, 3857), st_tileenvelope(0, 0, 0)) AS geom FROM atlas.asset) q');
	CALL bench.measure('map', 'zoom 0, today', round, 1, 'SELECT atlas.mvt_assets(0, 0, 0)');
	CALL bench.worst_tile('map', 'the worst tile, today', round, '{}');
	CALL bench.worst_tile('map', 'the worst tile, in 2009', round, '{"on_day": "2009-03-17"}');
	CALL bench.worst_tile('map', 'the worst tile, a year ago', round, json_build_object('on_day', day - 365));
	CALL bench.worst_tile('map', 'the worst tile, in three years', round, json_build_object('on_day', day + 1095));
	CALL bench.measure('map', 'tiles of zoom 10 by hand', round, 50, 'CALL bench.each_tile(10, true)');
	CALL bench.measure('map', 'tiles of zoom 10', round, 50, 'CALL bench.each_tile(10, false)');
	CALL bench.measure('map', 'tiles of zoom 14 by hand', round, 50, 'CALL bench.each_tile(14, true)');
	CALL bench.measure('map', 'tiles of zoom 14', round, 50, 'CALL bench.each_tile(14, false)');
	CALL bench.measure('map', 'a contract of 60,000 by hand, zoom 0', round, 1, $hand$
		SELECT cell, status, count(*), sum(value) FROM (
			SELECT floor((st_x(a.location) + 180) / 360 * 16) + 16 * floor((1 - asinh(tan(radians(st_y(a.location)))) / pi()) / 2 * 16) AS cell, coalesce((a.attributes ->> 'value')::numeric, 0) AS value,
				CASE WHEN bool_or(v.is_stated) THEN 'covered' WHEN bool_or(v.is_inherited) THEN 'covered_by_bundle' WHEN bool_or(v.is_ruled) THEN 'covered_by_rule'
					WHEN coalesce(a.commissioned_on, d.today) > d.today OR coalesce(a.decommissioned_on, d.today) < d.today OR a.out_of_service @> d.today THEN 'not_in_service'
					WHEN bool_or(l.effect = 'exclude' AND l.during @> d.today) THEN 'excluded' ELSE 'uncovered' END AS status
			FROM (SELECT i.asset_id, i.effect, i.during FROM atlas.inclusion i JOIN atlas.coverage_term t USING (term_id) WHERE t.contract_id = 1) AS l
				JOIN atlas.asset a USING (asset_id) CROSS JOIN (SELECT cec.today('atlas') AS today) d
				LEFT JOIN (SELECT v.asset_id, v.is_stated, v.is_inherited, v.is_ruled, v.during FROM atlas.coverage v JOIN atlas.coverage_term t USING (term_id) WHERE t.contract_id = 1) AS v ON v.asset_id = a.asset_id AND v.during @> d.today
			GROUP BY a.asset_id, d.today) AS s
		GROUP BY cell, status$hand$);
	CALL bench.measure('map', 'a contract of 60,000, zoom 0', round, 1, 'SELECT atlas.mvt_assets(0, 0, 0, ''{"contract_number": "C-1"}'')');
	CALL bench.measure('map', 'zoom 0, nothing to fold', round, 1, 'SELECT atlas.mvt_assets(0, 0, 0)');
END;
$$;

-- 100,000 steps that are not folded, of assets that were moved.
CREATE PROCEDURE bench.unfolded(round integer)
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO atlas.map_step (level, cell, status, on_day, assets, value)
		SELECT 10, cell, status, first_day, s.sign * assets, s.sign * value
		FROM (SELECT cell, status, first_day, assets, value FROM atlas.map_sum WHERE period = 'day' ORDER BY md5(cell::text || first_day) LIMIT 50000) AS p, (VALUES (1), (-1)) AS s(sign);
	CALL bench.measure('map', 'zoom 0, 100,000 steps to fold', round, 1, 'SELECT atlas.mvt_assets(0, 0, 0)');
	DELETE FROM atlas.map_step;
	COMMIT;
END;
$$;

SELECT count(*) FROM atlas.refresh() \g /dev/null
VACUUM ANALYZE;
SELECT format(statement, g) FROM generate_series(0, :rounds) g, (VALUES (1, 'CALL bench.tiles(%s)'), (2, 'CALL bench.unfolded(%s)'), (3, 'VACUUM atlas.map_step')) AS s(place, statement) ORDER BY g, place \gexec
DELETE FROM bench.sample WHERE run = 0 AND subject = 'map';
INSERT INTO bench.goal VALUES
	('map', 'zoom 0, today', 'raw points of the whole map', 1.0 / 200),
	('map', 'the worst tile, today', 'raw points of the whole map', 1.0 / 15),
	('map', 'the worst tile, in 2009', 'raw points of the whole map', 1.0 / 8),
	('map', 'the worst tile, a year ago', 'raw points of the whole map', 1.0 / 8),
	('map', 'the worst tile, in three years', 'raw points of the whole map', 1.0 / 8),
	('map', 'tiles of zoom 10', 'tiles of zoom 10 by hand', 1.2),
	('map', 'tiles of zoom 14', 'tiles of zoom 14 by hand', 1.2),
	('map', 'a contract of 60,000, zoom 0', 'a contract of 60,000 by hand, zoom 0', 1.5);
\pset title 'Tiles of a million assets; microseconds'
SELECT a.variant, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY a.us / a.row_count)::numeric) AS us, format('%s–%s', round(min(a.us / a.row_count)), round(max(a.us / a.row_count))) AS min_to_max,
	g.reference, CASE WHEN g.at_most < 1 THEN format('1/%s', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY b.us / a.us)::numeric, 1)) ELSE round(percentile_cont(0.5) WITHIN GROUP (ORDER BY a.us / b.us)::numeric, 2)::text END AS ratio,
	CASE WHEN g.at_most IS NULL THEN '' ELSE format('<= %s %s', CASE WHEN g.at_most < 1 THEN '1/' || round(1 / g.at_most) ELSE g.at_most::text END,
		CASE WHEN percentile_cont(0.5) WITHIN GROUP (ORDER BY a.us / b.us) <= g.at_most THEN 'reached' ELSE 'MISSED' END) END AS goal
FROM bench.sample a LEFT JOIN bench.goal g ON g.subject = a.subject AND g.variant = a.variant LEFT JOIN bench.sample b ON b.subject = g.subject AND b.variant = g.reference AND b.run = a.run
WHERE a.subject = 'map' GROUP BY a.variant, g.reference, g.at_most ORDER BY min(a.ctid);
\pset title 'The largest tile, bytes'
SELECT max(bytes) AS bytes, CASE WHEN max(bytes) <= 500000 THEN 'reached' ELSE 'MISSED' END AS "<= 500000" FROM bench.map_bytes;
\pset title
