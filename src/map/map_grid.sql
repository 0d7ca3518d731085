-- The grid of the map: what it is by definition, how refresh folds it, and what is wrong with it. src/map/README.md.

CREATE FUNCTION cec._map_column(longitude double precision, shift integer) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_map_column';
CREATE FUNCTION cec._map_row(latitude double precision, shift integer) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_map_row';
CREATE FUNCTION cec._map_is_in(longitude double precision, latitude double precision, z integer, x integer, y integer) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_map_is_in';
CREATE FUNCTION cec._map_cell(longitude double precision, latitude double precision) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_map_cell_at';

-- The first day of a month, of any day that there is: timestamps end before dates do. The first month of all has no first day.
CREATE FUNCTION cec._map_month(day date) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN day < '4714-12-01 BC' THEN '4714-11-24 BC' ELSE day - (extract(day FROM day)::integer - 1) END;
END;

-- Days of an asset by what is counted of it: its status, where it has another one than uncovered, and that it is there. Written apart from
-- map_keep.c, which is held against it.
CREATE FUNCTION cec._map_days(stated datemultirange, inherited datemultirange, ruled datemultirange, life datemultirange)
RETURNS TABLE (status text, days datemultirange)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT s.status, s.days
	FROM (VALUES
		('covered', stated),
		('covered_by_bundle', inherited - stated),
		('covered_by_rule', ruled - inherited - stated),
		('not_in_service', datemultirange(daterange(NULL, NULL)) - life - stated - inherited - ruled),
		('located', datemultirange(daterange(NULL, NULL)))) AS s(status, days)
	WHERE NOT isempty(s.days);
END;

-- What the grid follows from: all steps of all assets, at level 10.
CREATE FUNCTION cec._map_definition(portfolio regnamespace)
RETURNS TABLE (cell bigint, status text, on_day date, assets bigint, value numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, 'WITH located AS (
			SELECT a.asset_id, cec._map_cell(cec._longitude(a.location), cec._latitude(a.location)) AS cell,
				cec._asset_value(a.attributes, s.value_attribute) AS value, datemultirange(cec._life(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service)) AS life
			FROM @P@.asset a CROSS JOIN @P@.setting s
		), cover AS (
			SELECT v.asset_id, coalesce(range_agg(v.during) FILTER (WHERE v.is_stated), ''{}'') AS stated,
				coalesce(range_agg(v.during) FILTER (WHERE v.is_inherited), ''{}'') AS inherited, coalesce(range_agg(v.during) FILTER (WHERE v.is_ruled), ''{}'') AS ruled
			FROM @P@.coverage v
			GROUP BY v.asset_id
		), spans AS (
			SELECT l.cell, l.value, d.status, r.span
			FROM located l
				LEFT JOIN cover c ON c.asset_id = l.asset_id
				CROSS JOIN LATERAL cec._map_days(coalesce(c.stated, ''{}''), coalesce(c.inherited, ''{}''), coalesce(c.ruled, ''{}''), l.life) AS d
				CROSS JOIN LATERAL unnest(d.days) AS r(span)
			WHERE l.cell IS NOT NULL
		)
		SELECT s.cell, s.status, s.on_day, sum(s.assets)::bigint, sum(s.value)
		FROM (
			SELECT cell, status, lower(span) AS on_day, 1 AS assets, value FROM spans
			UNION ALL
			SELECT cell, status, upper(span), -1, -value FROM spans WHERE NOT upper_inf(span)
		) AS s
		GROUP BY s.cell, s.status, s.on_day
		HAVING sum(s.assets) <> 0 OR sum(s.value) <> 0');
END;
$$;

-- Sums the steps that statements have left, alone in the portfolio, and brings the totals to the day. Cost follows the steps, and those that
-- the days have brought since.
CREATE FUNCTION cec._map_fold(portfolio regnamespace, today date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	folded bigint;
	before date;
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT max(on_day) FROM @P@.map_fold') INTO before;
	-- The totals first: of the days since, what is summed already counts as well.
	EXECUTE cec._sql(portfolio, 'INSERT INTO @P@.map_total AS t (level, cell, status, assets, value)
		SELECT l.level, s.cell >> (2 * (10 - l.level)), s.status, sum(s.assets), sum(s.value)
		FROM (
				SELECT cell, status, sum(assets) AS assets, sum(value) AS value
				FROM (
					SELECT cell, status, assets, value FROM @P@.map_step WHERE on_day IS NULL OR on_day <= $1
					UNION ALL
					SELECT cell, status, assets, value FROM @P@.map_sum WHERE period = ''day'' AND first_day > $2 AND first_day <= $1
					UNION ALL
					SELECT cell, status, -assets, -value FROM @P@.map_sum WHERE period = ''day'' AND first_day > $1 AND first_day <= $2
				) AS p
				GROUP BY cell, status
				HAVING sum(assets) <> 0 OR sum(value) <> 0
			) AS s
			CROSS JOIN generate_series(4, 10) AS l(level)
		GROUP BY l.level, s.cell >> (2 * (10 - l.level)), s.status
		HAVING sum(s.assets) <> 0 OR sum(s.value) <> 0
		ORDER BY 1, 2, 3
		ON CONFLICT (level, cell, status) DO UPDATE SET assets = t.assets + excluded.assets, value = t.value + excluded.value') USING today, coalesce(before, today);
	EXECUTE cec._sql(portfolio, 'WITH gone AS (
			DELETE FROM @P@.map_step RETURNING cell, status, on_day, assets, value
		), d AS MATERIALIZED (
			SELECT cell, status, on_day, sum(assets) AS assets, sum(value) AS value
			FROM gone
			WHERE on_day IS NOT NULL
			GROUP BY cell, status, on_day
			HAVING sum(assets) <> 0 OR sum(value) <> 0
		), m AS MATERIALIZED (
			SELECT cell, status, cec._map_month(on_day) AS first_day, sum(assets) AS assets, sum(value) AS value FROM d GROUP BY 1, 2, 3
		), summed AS (
			INSERT INTO @P@.map_sum AS s (period, first_day, level, cell, status, assets, value)
			SELECT ''day'', on_day, 10, cell, status, assets, value FROM d
			UNION ALL
			SELECT ''month'', m.first_day, l.level, m.cell >> (2 * (10 - l.level)), m.status, sum(m.assets), sum(m.value)
			FROM m CROSS JOIN generate_series(4, 10, 2) AS l(level)
			GROUP BY m.first_day, l.level, m.cell >> (2 * (10 - l.level)), m.status
			HAVING sum(m.assets) <> 0 OR sum(m.value) <> 0
			ORDER BY 1, 2, 3, 4, 5
			ON CONFLICT (period, first_day, level, cell, status) DO UPDATE SET assets = s.assets + excluded.assets, value = s.value + excluded.value
		)
		SELECT count(*) FROM gone') INTO folded;
	EXECUTE cec._sql(portfolio, 'DELETE FROM @P@.map_sum WHERE assets = 0 AND value = 0');
	EXECUTE cec._sql(portfolio, 'DELETE FROM @P@.map_total WHERE assets = 0 AND value = 0');
	IF before IS NULL THEN
		EXECUTE cec._sql(portfolio, 'INSERT INTO @P@.map_fold (on_day) VALUES ($1)') USING today;
	ELSIF before <> today THEN
		EXECUTE cec._sql(portfolio, 'UPDATE @P@.map_fold SET on_day = $1') USING today;
	END IF;
	RETURN folded;
END;
$$;

-- Where assets with cover are to be counted.
CREATE FUNCTION cec._map_places(portfolio regnamespace) RETURNS TABLE (asset_id bigint, cell bigint, value numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, 'SELECT a.asset_id, c.cell, cec._asset_value(a.attributes, s.value_attribute)
		FROM @P@.asset a
			CROSS JOIN @P@.setting s
			CROSS JOIN LATERAL (SELECT cec._map_cell(cec._longitude(a.location), cec._latitude(a.location)) OFFSET 0) AS c(cell)
		WHERE c.cell IS NOT NULL AND EXISTS (SELECT FROM @P@.coverage v WHERE v.asset_id = a.asset_id)');
END;
$$;

-- What of the grid is not as it follows from assets and their cover.
CREATE FUNCTION cec._map_breaches(portfolio regnamespace) RETURNS TABLE (difference text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, 'WITH fold AS (
			SELECT max(on_day) AS on_day FROM @P@.map_fold
		), parts AS (
			SELECT cell, status, coalesce(on_day, ''-infinity'') AS day, assets, value FROM @P@.map_step
			UNION ALL
			SELECT cell, status, first_day, assets, value FROM @P@.map_sum WHERE period = ''day''
			UNION ALL
			SELECT cell, status, ''-infinity'', assets, value FROM @P@.map_total WHERE level = 10
			UNION ALL
			SELECT s.cell, s.status, ''-infinity'', -s.assets, -s.value FROM @P@.map_sum s, fold f WHERE s.period = ''day'' AND s.first_day <= f.on_day
		), kept AS (
			SELECT cell, status, day, sum(assets) AS assets, sum(value) AS value FROM parts
			GROUP BY cell, status, day HAVING sum(assets) <> 0 OR sum(value) <> 0
		), months AS (
			SELECT s.first_day, s.level, s.cell, s.status, sum(s.assets) AS assets, sum(s.value) AS value
			FROM (
				SELECT first_day, level, cell, status, assets, value FROM @P@.map_sum WHERE period = ''month''
				UNION ALL
				SELECT cec._map_month(d.first_day), l.level, d.cell >> (2 * (10 - l.level)), d.status, -d.assets, -d.value
				FROM @P@.map_sum d CROSS JOIN generate_series(4, 10, 2) AS l(level)
				WHERE d.period = ''day''
			) AS s
			GROUP BY s.first_day, s.level, s.cell, s.status HAVING sum(s.assets) <> 0 OR sum(s.value) <> 0
		), totals AS (
			SELECT s.level, s.cell, s.status, sum(s.assets) AS assets, sum(s.value) AS value
			FROM (
				SELECT level, cell, status, assets, value FROM @P@.map_total
				UNION ALL
				SELECT l.level, d.cell >> (2 * (10 - l.level)), d.status, -d.assets, -d.value
				FROM @P@.map_total d CROSS JOIN generate_series(4, 10) AS l(level)
				WHERE d.level = 10
			) AS s
			GROUP BY s.level, s.cell, s.status HAVING sum(s.assets) <> 0 OR sum(s.value) <> 0
		)
		SELECT format(''cell %s %s from %s: %s assets worth %s are kept, %s worth %s are so'', cell, status, day, k.assets, k.value, d.assets, d.value)
		FROM kept k
			FULL JOIN (SELECT cell, status, coalesce(on_day, ''-infinity'') AS day, assets, value FROM cec._map_definition($1)) AS d USING (cell, status, day)
		WHERE k.assets IS DISTINCT FROM d.assets OR k.value IS DISTINCT FROM d.value
		UNION ALL
		SELECT format(''month %s level %s cell %s %s: %s assets worth %s too many'', first_day, level, cell, status, assets, value) FROM months
		UNION ALL
		SELECT format(''total level %s cell %s %s: %s assets worth %s too many'', level, cell, status, assets, value) FROM totals
		UNION ALL
		SELECT format(''asset %s is counted in cell %s worth %s, and is in %s worth %s'', asset_id, k.cell, k.value, d.cell, d.value)
		FROM @P@.map_place k FULL JOIN cec._map_places($1) AS d USING (asset_id)
		WHERE k.cell IS DISTINCT FROM d.cell OR k.value IS DISTINCT FROM d.value
		UNION ALL
		SELECT format(''%s days of totals, the last one %s'', count(*), max(on_day)) FROM @P@.map_fold HAVING count(*) > 1 OR NOT isfinite(max(on_day))') USING portfolio;
END;
$$;

COMMENT ON FUNCTION cec._map_column(double precision, integer) IS 'Private. Which of 2^shift columns of the map a longitude is in, from the west; 180 is -180.';
COMMENT ON FUNCTION cec._map_row(double precision, integer) IS 'Private. Which of 2^shift rows of the map a latitude is in, from the north; NULL beyond the map.';
COMMENT ON FUNCTION cec._map_is_in(double precision, double precision, integer, integer, integer) IS 'Private. Whether a longitude and latitude are in a tile.';
COMMENT ON FUNCTION cec._map_cell(double precision, double precision) IS 'Private. The cell of the grid at a longitude and latitude; NULL beyond the map.';
COMMENT ON FUNCTION cec._map_month(date) IS 'Private. The first day of the month of a day.';
COMMENT ON FUNCTION cec._map_days(datemultirange, datemultirange, datemultirange, datemultirange) IS 'Private. The days of an asset by its status on the map.';
COMMENT ON FUNCTION cec._map_definition(regnamespace) IS 'Private. What the grid of the map is by definition: changes from a day on, by cell and status.';
COMMENT ON FUNCTION cec._map_fold(regnamespace, date) IS 'Private. Sums the steps that statements have left; how many.';
COMMENT ON FUNCTION cec._map_places(regnamespace) IS 'Private. Where assets with cover are to be counted on the grid.';
COMMENT ON FUNCTION cec._map_breaches(regnamespace) IS 'Private. What of the grid of the map is not as it follows from assets and their cover.';
