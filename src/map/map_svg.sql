-- A map as one picture that leaves the database: an SVG for a mail or a report.
--
-- The plane is web mercator's, as on the maps that people know, in degrees of the equator: east is the longitude, north is stretched with
-- the latitude. What is drawn is rounded to a tenth of a pixel, and everything that is put together has an order: the same data give the
-- same bytes. Nothing refers to anything: no style sheet, font, image or link, not even one within the picture.
-- What needs no portfolio is in map_svg_draw.sql.

-- Assets with what they are on a day. Of a contract: those that were ever listed, carved out or covered under it, and what they are by its
-- terms alone.
CREATE FUNCTION cec._svg_assets(portfolio regnamespace, of_contract bigint, on_day date)
RETURNS TABLE (status text, longitude double precision, latitude double precision)
LANGUAGE plpgsql STABLE ROWS 10000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF of_contract IS NULL THEN
		RETURN QUERY EXECUTE cec._sql(portfolio, $query$
			SELECT cec._map_status(v.is_stated, v.is_inherited, v.is_ruled,
					cec._life_has(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service, $1), false),
				cec._longitude(a.location), cec._latitude(a.location)
			FROM @P@.asset a
				LEFT JOIN (
					SELECT v.asset_id, bool_or(v.is_stated) AS is_stated, bool_or(v.is_inherited) AS is_inherited, bool_or(v.is_ruled) AS is_ruled
					FROM @P@.coverage v WHERE v.during @> $1 GROUP BY v.asset_id
				) AS v ON v.asset_id = a.asset_id
			$query$) USING on_day;
		RETURN;
	END IF;
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH term AS MATERIALIZED (
			SELECT t.term_id FROM @P@.coverage_term t WHERE t.contract_id = $2
		), line AS MATERIALIZED (
			SELECT i.asset_id, i.effect = 'exclude' AND i.during @> $1 AS is_excluded
			FROM term CROSS JOIN LATERAL (SELECT i.asset_id, i.effect, i.during FROM @P@.inclusion i WHERE i.term_id = term.term_id OFFSET 0) AS i
		), cover AS MATERIALIZED (
			SELECT v.asset_id, v.during @> $1 AS is_now, v.is_stated, v.is_inherited, v.is_ruled
			FROM term CROSS JOIN LATERAL (SELECT v.* FROM @P@.coverage v WHERE v.term_id = term.term_id OFFSET 0) AS v
		), ruled_out AS MATERIALIZED (
			SELECT e.asset_id
			FROM term
				CROSS JOIN LATERAL (SELECT r.rule_id FROM @P@.coverage_rule r WHERE r.term_id = term.term_id AND r.effect = 'exclude' OFFSET 0) AS r
				CROSS JOIN LATERAL (SELECT e.asset_id FROM @P@.rule_effect e WHERE e.rule_id = r.rule_id AND e.during @> $1 OFFSET 0) AS e
		), member AS MATERIALIZED (
			SELECT m.asset_id, bool_or(m.is_stated) AS is_stated, bool_or(m.is_inherited) AS is_inherited, bool_or(m.is_ruled) AS is_ruled,
				bool_or(m.is_excluded) AS is_excluded
			FROM (
				SELECT l.asset_id, false AS is_stated, false AS is_inherited, false AS is_ruled, l.is_excluded FROM line l
				UNION ALL
				SELECT v.asset_id, v.is_now AND v.is_stated, v.is_now AND v.is_inherited, v.is_now AND v.is_ruled, false FROM cover v
			) AS m
			GROUP BY m.asset_id
		)
		SELECT cec._map_status(m.is_stated, m.is_inherited, m.is_ruled,
				cec._life_has(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service, $1),
				m.is_excluded OR m.asset_id IN (SELECT r.asset_id FROM ruled_out r)),
			cec._longitude(a.location), cec._latitude(a.location)
		FROM member m JOIN @P@.asset a ON a.asset_id = m.asset_id
		$query$) USING on_day, of_contract;
END;
$$;

-- The boundaries of a map as outlines of one path. The more there is to draw the coarser it becomes, so that it stays within 150,000 bytes;
-- what is then smaller than a pixel is left out.
CREATE FUNCTION cec._svg_boundaries(portfolio regnamespace, of_contract bigint, on_day date, is_beyond_180 boolean, view double precision[], scale double precision)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tolerance double precision := 0.3;
	outlines text;
BEGIN
	LOOP
		EXECUTE cec._sql(portfolio, $query$
			SELECT string_agg(cec._svg_outline(c.boundary, $3, $4, $5, $6), ' ' ORDER BY c.contract_id)
			FROM @P@.contract c
			WHERE c.boundary IS NOT NULL
				AND (c.contract_id = $1 OR $1 IS NULL AND c.status IN ('active', 'terminated') AND c.during @> $2)
				AND ($6 < 0.5 OR (SELECT greatest(s[3] - s[1], s[4] - s[2]) * $5 > $6 FROM cec._svg_span(c.boundary, $3) AS s))
			$query$) INTO outlines USING of_contract, on_day, is_beyond_180, view, scale, tolerance;
		EXIT WHEN outlines IS NULL OR octet_length(outlines) <= 150000 OR tolerance > 1000;
		tolerance := tolerance * 2;
	END LOOP;
	RETURN outlines;
END;
$$;

-- Where assets and boundaries lie. The boundary of a contract is shown as a whole: what stands much farther off than it is wide does not
-- make it small.
CREATE FUNCTION cec._svg_box(portfolio regnamespace, of_contract bigint, on_day date, longitudes double precision[], latitudes double precision[], is_beyond_180 boolean)
RETURNS double precision[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	around_assets double precision[];
	around_boundaries double precision[];
	around_all double precision[];
	most double precision;
BEGIN
	around_assets := (SELECT ARRAY[min(x), cec._svg_north(min(a.latitude)), max(x), cec._svg_north(max(a.latitude))]
		FROM unnest(longitudes, latitudes) AS a(longitude, latitude)
			CROSS JOIN LATERAL (SELECT CASE WHEN is_beyond_180 AND a.longitude < 0 THEN a.longitude + 360 ELSE a.longitude END AS x) AS b);
	EXECUTE cec._sql(portfolio, $query$
		SELECT ARRAY[min(s[1]), min(s[2]), max(s[3]), max(s[4])]
		FROM @P@.contract c CROSS JOIN LATERAL cec._svg_span(c.boundary, $3) AS s
		WHERE c.boundary IS NOT NULL
			AND (c.contract_id = $1 OR $1 IS NULL AND c.status IN ('active', 'terminated') AND c.during @> $2)
		$query$) INTO around_boundaries USING of_contract, on_day, is_beyond_180;
	around_all := cec._svg_around(around_boundaries, around_assets);
	most := 2 * greatest(around_boundaries[3] - around_boundaries[1], around_boundaries[4] - around_boundaries[2]);
	IF of_contract IS NOT NULL AND (around_all[3] - around_all[1] > most OR around_all[4] - around_all[2] > most) THEN
		RETURN ARRAY[around_boundaries[1] - most / 16, around_boundaries[2] - most / 16, around_boundaries[3] + most / 16, around_boundaries[4] + most / 16];
	END IF;
	RETURN around_all;
END;
$$;

-- Symbols of the assets within a frame, a group a status. Where there are more than can be told apart, those of a status that stand close
-- together become one symbol in their middle, the larger the more they are; cell is how close, in pixels (0: at one place).
CREATE FUNCTION cec._svg_symbols(statuses text[], longitudes double precision[], latitudes double precision[], is_beyond_180 boolean, view double precision[],
	scale double precision, x double precision, y double precision, OUT symbols text, OUT cell integer, OUT outside bigint, OUT is_joined boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	most integer := 3000;
	drawn integer;
	-- Of each symbol: its place in the legend, how many assets it stands for, and the sums of where they stand, in tenths of a pixel.
	places integer[];
	counts bigint[];
	easts bigint[];
	souths bigint[];
	radius double precision;
	growth double precision;
BEGIN
	cell := 0;
	SELECT array_agg(g.place), array_agg(g.n), array_agg(g.n * g.east), array_agg(g.n * g.south), count(*) FILTER (WHERE g.east IS NOT NULL)
	INTO places, counts, easts, souths, drawn
	FROM (
		SELECT s.place, e.east, e.south, count(*) AS n
		FROM unnest(statuses, longitudes, latitudes) AS a(status, longitude, latitude)
			JOIN cec._map_symbol s USING (status)
			CROSS JOIN LATERAL (SELECT (CASE WHEN is_beyond_180 AND a.longitude < 0 THEN a.longitude + 360 ELSE a.longitude END - view[1]) * scale AS px,
				(view[4] - cec._svg_north(a.latitude)) * scale AS py) AS p
			CROSS JOIN LATERAL (SELECT p.px BETWEEN 0 AND (view[3] - view[1]) * scale AND p.py BETWEEN 0 AND (view[4] - view[2]) * scale AS is_inside) AS i
			CROSS JOIN LATERAL (SELECT CASE WHEN i.is_inside THEN round(p.px * 10)::bigint END AS east, CASE WHEN i.is_inside THEN round(p.py * 10)::bigint END AS south) AS e
		GROUP BY s.place, e.east, e.south
	) AS g;
	WHILE drawn > most LOOP
		cell := CASE WHEN cell < 8 THEN cell + 4 ELSE cell * 3 / 2 END;
		SELECT array_agg(g.place), array_agg(g.n), array_agg(g.east), array_agg(g.south), count(*) FILTER (WHERE g.east IS NOT NULL)
		INTO places, counts, easts, souths, drawn
		FROM (
			SELECT m.place, sum(m.n)::bigint AS n, sum(m.east)::bigint AS east, sum(m.south)::bigint AS south
			FROM unnest(places, counts, easts, souths) AS m(place, n, east, south)
			GROUP BY m.place, m.east / m.n / (cell * 10), m.south / m.n / (cell * 10)
		) AS g;
	END LOOP;
	-- Symbols that were joined do not cover each other.
	radius := CASE WHEN cell > 0 THEN greatest(2.4, cell * 0.3) WHEN drawn <= 150 THEN 5 WHEN drawn <= 600 THEN 4.2 WHEN drawn <= 1500 THEN 3.5 ELSE 3 END;
	growth := CASE WHEN cell > 0 THEN greatest(0.7, cell * 0.1) ELSE 1.2 END;
	SELECT string_agg(g.symbols, '' ORDER BY g.place), coalesce(sum(g.outside), 0), coalesce(bool_or(g.is_joined), false)
	INTO symbols, outside, is_joined
	FROM (
		SELECT s.place, format('<g fill="%s" stroke="%s" stroke-width="0.7">%s</g>', s.colour, CASE s.status WHEN 'uncovered' THEN '#000000' ELSE '#ffffff' END,
				string_agg(cec._svg_symbol(s.shape, x + m.east / m.n / 10.0, y + m.south / m.n / 10.0, radius + growth * least(3, log(m.n))), ''
					ORDER BY m.n DESC, m.south, m.east) FILTER (WHERE m.east IS NOT NULL)) AS symbols,
			sum(m.n) FILTER (WHERE m.east IS NULL) AS outside, bool_or(m.n > 1 AND m.east IS NOT NULL) AS is_joined
		FROM unnest(places, counts, easts, souths) AS m(place, n, east, south) JOIN cec._map_symbol s USING (place)
		GROUP BY s.place, s.colour, s.shape, s.status
	) AS g;
END;
$$;

CREATE FUNCTION cec.coverage_map_svg(portfolio regnamespace, contract_number text, on_day date) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET jit = off AS $$
DECLARE
	of_contract bigint := CASE WHEN contract_number IS NOT NULL THEN cec._contract_numbered(portfolio, contract_number) END;
	day date;
	named text;
	about text;
	statuses text[];
	longitudes double precision[];
	latitudes double precision[];
	counts jsonb;
	is_beyond_180 boolean := false;
	box double precision[];
	other double precision[];
	width double precision := 600;
	height double precision;
	x double precision := 44;
	y double precision := 66;
	view double precision[];
	scale double precision;
	latitude double precision;
	outlines text;
	drawn record;
	close_km numeric;
	notes text[] := '{}';
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._require_finite(on_day, NULL);
	day := coalesce(on_day, cec.today(portfolio));
	IF of_contract IS NULL THEN
		named := format('portfolio %s', (SELECT n.nspname FROM pg_namespace n WHERE n.oid = portfolio));
		about := day::text;
	ELSE
		named := format('contract %s', contract_number);
		EXECUTE cec._sql(portfolio, $query$
			SELECT concat_ws(' · ', u.name, $2, replace(c.kind, '_', ' ') || CASE c.kind WHEN 'lease' THEN '' ELSE ' contract' END, nullif(c.status, 'active'),
				CASE WHEN NOT c.during @> $2 THEN 'does not run on this day' WHEN c.suspensions @> $2 THEN 'suspended on this day' END)
			FROM @P@.contract c LEFT JOIN @P@.customer u ON u.customer_id = c.customer_id WHERE c.contract_id = $1
			$query$) INTO about USING of_contract, day;
	END IF;

	SELECT array_agg(s.status), array_agg(s.longitude), array_agg(s.latitude) INTO statuses, longitudes, latitudes
	FROM cec._svg_assets(portfolio, of_contract, day) AS s;
	counts := (
		WITH asset AS (
			SELECT a.status, CASE WHEN a.longitude IS NULL THEN 'no_location' WHEN abs(a.latitude) > 85.0511 THEN 'beyond_map' ELSE a.status END AS in_legend
			FROM unnest(statuses, longitudes, latitudes) AS a(status, longitude, latitude)
		)
		SELECT jsonb_build_object(
			'all', (SELECT coalesce(jsonb_object_agg(g.status, g.n), '{}') FROM (SELECT a.status, count(*) AS n FROM asset a GROUP BY a.status) AS g),
			'legend', (SELECT coalesce(jsonb_object_agg(g.in_legend, g.n), '{}') FROM (SELECT a.in_legend, count(*) AS n FROM asset a GROUP BY a.in_legend) AS g)));
	SELECT array_agg(a.status), array_agg(a.longitude), array_agg(a.latitude) INTO statuses, longitudes, latitudes
	FROM unnest(statuses, longitudes, latitudes) AS a(status, longitude, latitude) WHERE abs(a.latitude) <= 85.0511;

	box := cec._svg_box(portfolio, of_contract, day, longitudes, latitudes, false);
	IF box[3] - box[1] > 180 THEN
		other := cec._svg_box(portfolio, of_contract, day, longitudes, latitudes, true);
		is_beyond_180 := other[3] - other[1] < box[3] - box[1];
		box := CASE WHEN is_beyond_180 THEN other ELSE box END;
	END IF;
	box := CASE WHEN box[1] IS NULL THEN ARRAY[-180, cec._svg_north(-60), 180, cec._svg_north(75)] ELSE box END;
	height := greatest(400, least(620, width * greatest(box[4] - box[2], 0.01) / greatest(box[3] - box[1], 0.01)));
	view := cec._svg_view(box, width, height);
	scale := width / (view[3] - view[1]);
	latitude := cec._svg_latitude((view[2] + view[4]) / 2);
	outlines := cec._svg_boundaries(portfolio, of_contract, day, is_beyond_180, view, scale);
	SELECT * INTO drawn FROM cec._svg_symbols(statuses, longitudes, latitudes, is_beyond_180, view, scale, x, y);

	IF drawn.cell > 0 THEN
		close_km := drawn.cell / scale * 111.32 * cos(radians(latitude));
		notes := notes || format('Assets of a kind within %s km are one symbol;', CASE WHEN close_km >= 10 THEN round(close_km) ELSE round(close_km, 1) END)
			|| 'the larger it is, the more they are.'::text;
	ELSIF drawn.is_joined THEN
		notes := notes || 'A larger symbol: several at one place.'::text;
	END IF;
	IF drawn.outside > 0 THEN
		notes := notes || format('%s %s outside of this picture.', drawn.outside, CASE drawn.outside WHEN 1 THEN 'stands' ELSE 'stand' END);
	END IF;

	RETURN format('<svg xmlns="http://www.w3.org/2000/svg" width="900" height="%1$s" viewBox="0 0 900 %1$s" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#1f2933">',
			cec._svg_length(y + height + 44))
		|| format('<title>%s</title>', cec._svg_text(format('Coverage of %s on %s', named, day)))
		|| '<rect width="100%" height="100%" fill="#ffffff"/>'
		|| format('<text x="%1$s" y="30" font-size="20" font-weight="bold">%2$s</text><text x="%1$s" y="50" fill="#52606d">%3$s</text>',
			cec._svg_length(x), cec._svg_short(upper(left(named, 1)) || substr(named, 2), 70), cec._svg_short(about, 120))
		|| format('<rect x="%s" y="%s" width="%s" height="%s" fill="#eef1f4"/>', cec._svg_length(x), cec._svg_length(y), cec._svg_length(width), cec._svg_length(height))
		|| CASE WHEN outlines > '' THEN format('<path transform="translate(%s %s)" d="%s" fill="#ffffff" fill-rule="evenodd" stroke="#52606d" stroke-width="1.2" stroke-linejoin="round"/>',
			cec._svg_length(x), cec._svg_length(y), outlines) ELSE '' END
		|| cec._svg_graticule(view, scale, x, y, width, height)
		|| coalesce(drawn.symbols, '')
		|| format('<rect x="%s" y="%s" width="%s" height="%s" fill="none" stroke="#9aa5b1"/>', cec._svg_length(x), cec._svg_length(y), cec._svg_length(width), cec._svg_length(height))
		|| coalesce(cec._svg_scale(latitude, scale, 160, x, y + height + 24), '')
		|| cec._svg_legend(counts, of_contract IS NOT NULL, outlines > '', notes, 664, y, 884)
		|| '</svg>';
END;
$$;

COMMENT ON FUNCTION cec._svg_assets(regnamespace, bigint, date) IS 'Private. Assets, of a contract or all, with what they are on a day and where they stand.';
COMMENT ON FUNCTION cec._svg_boundaries(regnamespace, bigint, date, boolean, double precision[], double precision) IS 'Private. Boundaries, of a contract or of those that run on a day, as outlines of a path; NULL: none.';
COMMENT ON FUNCTION cec._svg_box(regnamespace, bigint, date, double precision[], double precision[], boolean) IS 'Private. The box around assets and boundaries; NULLs: there are none.';
COMMENT ON FUNCTION cec._svg_symbols(text[], double precision[], double precision[], boolean, double precision[], double precision, double precision, double precision) IS 'Private. Symbols of assets within a frame, joined where there are too many, and how many stand outside.';
COMMENT ON FUNCTION cec.coverage_map_svg(regnamespace, text, date) IS 'A map as a picture; see coverage_map_svg of a portfolio.';
