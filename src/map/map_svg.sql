-- A map as one picture that leaves the database: an SVG for a mail or a report.
--
-- The plane is web mercator's, as on the maps that people know, in degrees of the equator: east is the longitude, north is stretched with
-- the latitude. What is drawn is rounded to a tenth of a pixel, and everything that is put together has an order: the same data give the
-- same bytes. Nothing refers to anything: no style sheet, font, image or link, not even one within the picture.

-- What text may be in XML. Characters that it does not allow, and those that would turn the order of others about, are shown as such.
CREATE FUNCTION cec._svg_text(said text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT replace(replace(replace(replace(regexp_replace(regexp_replace(said COLLATE "C", '[\t\n\r]', ' ', 'g'),
		'[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]', '�', 'g'),
		'&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;');
END;

-- The same, shortened to what has room.
CREATE FUNCTION cec._svg_short(said text, most integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT cec._svg_text(CASE WHEN length(said) > most THEN left(said, most - 1) || '…' ELSE said END);
END;

-- A length in pixels. By numeric: how many digits a double shows is a setting.
CREATE FUNCTION cec._svg_length(pixels double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT trim_scale(round(pixels::numeric, 1))::text;
END;

CREATE FUNCTION cec._svg_north(latitude double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT degrees(ln(tan(radians(45 + greatest(-85.0511, least(85.0511, latitude)) / 2))));
END;

CREATE FUNCTION cec._svg_latitude(north double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT 2 * degrees(atan(exp(radians(north)))) - 90;
END;

-- A symbol of a legend around a point: shapes look equally large.
CREATE FUNCTION cec._svg_symbol(shape text, x double precision, y double precision, radius double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE shape
		WHEN 'circle' THEN format('<circle cx="%s" cy="%s" r="%s"/>', cec._svg_length(x), cec._svg_length(y), cec._svg_length(radius))
		ELSE format('<path d="M%s %s%sz"/>', cec._svg_length(x), cec._svg_length(y), CASE shape
			WHEN 'square' THEN (SELECT format('m-%1$s-%1$sh%2$sv%2$sh-%2$s', cec._svg_length(radius * 0.9), cec._svg_length(2 * round((radius * 0.9)::numeric, 1))))
			WHEN 'diamond' THEN (SELECT format('m0-%1$sl%1$s %1$s-%1$s %1$s-%1$s-%1$s', cec._svg_length(radius * 1.25)))
			WHEN 'triangle' THEN (SELECT format('m0-%1$sl%2$s %3$sh-%4$s', cec._svg_length(radius * 1.35), cec._svg_length(radius * 1.2),
				cec._svg_length(radius * 2.05), cec._svg_length(2 * round((radius * 1.2)::numeric, 1))))
			WHEN 'pentagon' THEN (SELECT format('m0-%1$sl%2$s %3$s-%4$s %5$sh-%6$sl-%4$s-%5$s', cec._svg_length(radius * 1.2), cec._svg_length(radius * 1.14),
				cec._svg_length(radius * 0.83), cec._svg_length(radius * 0.44), cec._svg_length(radius * 1.34), cec._svg_length(radius * 1.4)))
			WHEN 'cross' THEN (SELECT format('m0-%1$sl%2$s-%2$s %1$s %1$s-%2$s %2$s %2$s %2$s-%1$s %1$s-%2$s-%2$s-%2$s %2$s-%1$s-%1$s %2$s-%2$s-%2$s-%2$s %1$s-%1$s',
				cec._svg_length(radius * 0.45), cec._svg_length(radius * 0.75)))
			END) END;
END;

-- Where a boundary lies in the plane: west, south, east, north. Beyond 180 degrees: by longitudes from 0 to 360, where a part on both sides
-- of 0 goes all around.
CREATE FUNCTION cec._svg_span(boundary geometry, is_beyond_180 boolean) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN NOT is_beyond_180 THEN ARRAY[ST_XMin(boundary), cec._svg_north(ST_YMin(boundary)), ST_XMax(boundary), cec._svg_north(ST_YMax(boundary))]
		ELSE (SELECT ARRAY[min(CASE WHEN p.west >= 0 THEN p.west WHEN p.east <= 0 THEN p.west + 360 ELSE 0 END), cec._svg_north(min(p.south)),
				max(CASE WHEN p.west >= 0 THEN p.east WHEN p.east <= 0 THEN p.east + 360 ELSE 360 END), cec._svg_north(max(p.north))]
			FROM ST_Dump(boundary) AS d
				CROSS JOIN LATERAL (SELECT ST_XMin(d.geom) AS west, ST_XMax(d.geom) AS east, ST_YMin(d.geom) AS south, ST_YMax(d.geom) AS north) AS p) END;
END;

-- A boundary as the outline of a path, in pixels from the upper left corner of a part of the plane, without what is finer than some pixels.
-- It is moved to longitude 0 first, where PROJ turns nothing about.
CREATE FUNCTION cec._svg_outline(boundary geometry, is_beyond_180 boolean, view double precision[], scale double precision, tolerance double precision)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_AsSVG(ST_SnapToGrid(ST_Simplify(ST_Affine(ST_Transform(ST_SetSRID(ST_Translate(ST_ClipByBox2D(b.g, ST_MakeEnvelope(view[1], cec._svg_latitude(view[2]),
			view[3], cec._svg_latitude(view[4]), 4326)), -b.middle, 0), 4326), 3857), k.f, 0, 0, k.f, (b.middle - view[1]) * scale, -view[4] * scale), tolerance, true), 0.1), 0, 1)
	FROM (SELECT CASE WHEN is_beyond_180 THEN ST_UnaryUnion(ST_WrapX(boundary, 0, 360)) ELSE boundary END AS g, (view[1] + view[3]) / 2 AS middle) AS b,
		(SELECT scale / (6378137 * radians(1)) AS f) AS k;
END;

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

-- Lines of longitude and latitude within a frame, with what they are called. They tell where the map is when nothing else does.
CREATE FUNCTION cec._svg_graticule(view double precision[], scale double precision, x double precision, y double precision, width double precision, height double precision)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH step AS (
		SELECT min(s) AS s FROM unnest('{0.0001,0.0002,0.0005,0.001,0.002,0.005,0.01,0.02,0.05,0.1,0.2,0.5,1,2,5,10,20,45}'::numeric[]) AS s
		WHERE (view[3] - view[1]) / s <= 7 OR s = 45
	), line AS (
		SELECT 1 AS place, n * s AS degrees, (n * s + 540) % 360 - 180 AS named, (n * s - view[1]) * scale AS at, 'E' AS above, 'W' AS below
		FROM step CROSS JOIN LATERAL generate_series(ceil(view[1] / s)::bigint, floor(view[3] / s)::bigint) AS n
		UNION ALL
		SELECT 2, n * s, n * s, (view[4] - cec._svg_north(n * s)) * scale, 'N', 'S'
		FROM step CROSS JOIN LATERAL generate_series(ceil(greatest(cec._svg_latitude(view[2]), -85) / s)::bigint, floor(least(cec._svg_latitude(view[4]), 85) / s)::bigint) AS n
	)
	SELECT coalesce(format('<path d="%s" fill="none" stroke="#d5dae0" stroke-width="0.7"/>', string_agg(CASE place
				WHEN 1 THEN format('M%s %sv%s', cec._svg_length(x + at), cec._svg_length(y), cec._svg_length(height))
				ELSE format('M%s %sh%s', cec._svg_length(x), cec._svg_length(y + at), cec._svg_length(width)) END, '' ORDER BY place, degrees))
		|| format('<g font-size="9" fill="#6b7580">%s</g>', string_agg(CASE place
				WHEN 1 THEN format('<text x="%s" y="%s" text-anchor="middle">%s</text>', cec._svg_length(x + at), cec._svg_length(y + height + 11), called)
				ELSE format('<text x="%s" y="%s" text-anchor="end">%s</text>', cec._svg_length(x - 4), cec._svg_length(y + at + 3), called) END, '' ORDER BY place, degrees)), '')
	FROM line CROSS JOIN LATERAL (
		SELECT trim_scale(abs(named))::text || '°' || CASE WHEN named = 0 OR abs(named) = 180 THEN '' WHEN named > 0 THEN above ELSE below END AS called) AS c;
END;

-- A bar of a round number of kilometres, at most this many pixels long, right for one latitude: on a map of mercator's a kilometre is longer
-- the farther it is from the equator.
CREATE FUNCTION cec._svg_scale(latitude double precision, scale double precision, most double precision, x double precision, y double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	-- Along the parallel of the ellipsoid of WGS 84.
	WITH pixel AS (
		SELECT scale / (111.3194908 * cos(radians(latitude)) / sqrt(1 - 0.00669438 * sin(radians(latitude)) ^ 2)) AS per_km
	), bar AS (
		SELECT max(f * 10::numeric ^ e) AS km, per_km
		FROM pixel, generate_series(-3, 4) AS e, unnest('{1,2,5}'::numeric[]) AS f
		WHERE f * 10::numeric ^ e * per_km <= most
		GROUP BY per_km
	)
	SELECT format('<g id="scale"><path d="M%1$s %2$sv6h%3$sv-6" fill="none" stroke="#1f2933" stroke-width="1.4"/><text x="%4$s" y="%5$s" font-size="11">%6$s at %7$s</text></g>',
		cec._svg_length(x), cec._svg_length(y), cec._svg_length(km * per_km), cec._svg_length(x + km * per_km + 8), cec._svg_length(y + 7),
		CASE WHEN km < 1 THEN trim_scale(km * 1000)::text || ' m' ELSE trim_scale(km)::text || ' km' END,
		round(abs(latitude))::text || '°' || CASE WHEN round(latitude) = 0 THEN '' WHEN latitude > 0 THEN ' N' ELSE ' S' END)
	FROM bar;
END;

-- The part of the plane that a picture shows: what is to be seen with some room around it, in the shape of the frame.
CREATE FUNCTION cec._svg_view(box double precision[], width double precision, height double precision) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ARRAY[b.x - b.half_width, b.y - b.half_height, b.x + b.half_width, b.y + b.half_height]
	FROM (
		SELECT (box[1] + box[3]) / 2 AS x, (box[2] + box[4]) / 2 AS y, greatest(room.w, room.h * width / height) / 2 AS half_width,
			greatest(room.h, room.w * height / width) / 2 AS half_height
		FROM (SELECT greatest(box[3] - box[1], 0.01) * 1.12 AS w, greatest(box[4] - box[2], 0.01) * 1.12 AS h) AS room
	) AS b;
END;

-- The smallest box around two of them; of one, where the other is missing.
CREATE FUNCTION cec._svg_around(box double precision[], other double precision[]) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN box[1] IS NULL THEN other WHEN other[1] IS NULL THEN box ELSE
		ARRAY[least(box[1], other[1]), least(box[2], other[2]), greatest(box[3], other[3]), greatest(box[4], other[4])] END;
END;

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

-- The right side of a picture: how much is covered, what symbols mean with how many there are of each, and what is to be known of them.
-- Rows are counts by status; excluded is a status of contracts alone.
CREATE FUNCTION cec._svg_legend(counts jsonb, is_of_contract boolean, has_outlines boolean, notes text[], x double precision, y double precision, right_end double precision)
RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
	WITH total AS (
		SELECT coalesce(sum(c.value::bigint), 0) AS assets,
			coalesce(sum(c.value::bigint) FILTER (WHERE c.key LIKE 'covered%'), 0) AS covered,
			coalesce(sum(c.value::bigint) FILTER (WHERE c.key <> 'not_in_service'), 0) AS in_service
		FROM jsonb_each_text(counts -> 'all') AS c
	), entry AS (
		SELECT row_number() OVER (ORDER BY s.place) AS n, s.place, s.status, s.label, s.colour, s.shape, s.is_drawn,
			coalesce((counts -> 'legend' ->> s.status)::bigint, 0) AS assets
		FROM cec._map_symbol s
		WHERE CASE WHEN s.status = 'excluded' THEN is_of_contract ELSE s.is_drawn OR counts -> 'legend' ? s.status END
	), row AS (
		SELECT e.*, y + 74 + 21 * e.n AS at FROM entry e
	), below AS (
		SELECT max(r.at) + 12 AS at FROM row r
	), further AS (
		SELECT b.at + 40 + CASE WHEN has_outlines THEN 22 ELSE 0 END AS at FROM below b
	), part AS (
		-- Of a bar: what is drawn, as wide as it is many.
		SELECT s.place, s.colour, c.value::bigint AS assets, sum(c.value::bigint) OVER (ORDER BY s.place) - c.value::bigint AS before
		FROM jsonb_each_text(counts -> 'all') AS c JOIN cec._map_symbol s ON s.status = c.key
	)
	SELECT format('<g id="legend"><text x="%s" y="%s" font-size="30" font-weight="bold">%s</text>', cec._svg_length(x), cec._svg_length(y + 24),
			CASE WHEN t.in_service = 0 THEN '–' ELSE floor(100.0 * t.covered / t.in_service)::text || ' %' END)
		|| format('<text x="%s" y="%s">%s</text>', cec._svg_length(x), cec._svg_length(y + 44),
			CASE WHEN t.assets = 0 THEN 'no assets' WHEN t.in_service = 0 THEN 'no asset is in service'
				ELSE format('%s of %s in service are covered', t.covered, t.in_service) END)
		|| coalesce((SELECT string_agg(format('<rect x="%s" y="%s" width="%s" height="8" fill="%s" stroke="#ffffff" stroke-width="0.7"/>',
				cec._svg_length(x + (right_end - x) * (p.before / t.assets)::double precision), cec._svg_length(y + 54),
				cec._svg_length((right_end - x) * (p.assets / t.assets)::double precision), p.colour), '' ORDER BY p.place) FROM part p), '')
		|| (SELECT string_agg(format('<g data-status="%s" data-assets="%s">', r.status, r.assets)
				|| CASE WHEN r.is_drawn THEN format('<g fill="%s" stroke="%s" stroke-width="0.7">%s</g>', r.colour, CASE r.status WHEN 'uncovered' THEN '#000000' ELSE '#ffffff' END,
					cec._svg_symbol(r.shape, x + 7, r.at - 4, 5.5)) ELSE '' END
				|| format('<text x="%s" y="%s">%s</text>', cec._svg_length(x + 22), cec._svg_length(r.at), cec._svg_text(r.label))
				|| format('<text x="%s" y="%s" text-anchor="end">%s</text></g>', cec._svg_length(right_end), cec._svg_length(r.at), r.assets), '' ORDER BY r.place) FROM row r)
		|| format('<path d="M%s %sH%s" stroke="#9aa5b1" stroke-width="0.8"/>', cec._svg_length(x), cec._svg_length(b.at - 4), cec._svg_length(right_end))
		|| format('<text x="%s" y="%s" font-weight="bold">all assets</text>', cec._svg_length(x + 22), cec._svg_length(b.at + 13))
		|| format('<text x="%s" y="%s" text-anchor="end" font-weight="bold">%s</text>', cec._svg_length(right_end), cec._svg_length(b.at + 13), t.assets)
		|| CASE WHEN has_outlines THEN format('<rect x="%s" y="%s" width="14" height="10" fill="#ffffff" stroke="#52606d" stroke-width="1.2"/><text x="%s" y="%s">%s</text>',
			cec._svg_length(x), cec._svg_length(b.at + 27), cec._svg_length(x + 22), cec._svg_length(b.at + 36),
			CASE WHEN is_of_contract THEN 'boundary of the contract' ELSE 'boundary of a contract' END) ELSE '' END
		|| coalesce((SELECT string_agg(format('<text x="%s" y="%s" font-size="10" fill="#52606d">%s</text>', cec._svg_length(x),
			cec._svg_length(f.at + 13 * n.place), cec._svg_text(n.line)), '' ORDER BY n.place) FROM unnest(notes) WITH ORDINALITY AS n(line, place)), '')
		|| '</g>'
	FROM total t, below b, further f;
END;

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

COMMENT ON FUNCTION cec._svg_text(text) IS 'Private. Text as it may stand in XML, in one line.';
COMMENT ON FUNCTION cec._svg_short(text, integer) IS 'Private. The same, of at most so many characters.';
COMMENT ON FUNCTION cec._svg_length(double precision) IS 'Private. A length, to a tenth of a pixel.';
COMMENT ON FUNCTION cec._svg_north(double precision) IS 'Private. A latitude in the plane of web mercator, in degrees of the equator; beyond its edge: the edge.';
COMMENT ON FUNCTION cec._svg_latitude(double precision) IS 'Private. The latitude of a place in that plane.';
COMMENT ON FUNCTION cec._svg_symbol(text, double precision, double precision, double precision) IS 'Private. The symbol of a shape around a point.';
COMMENT ON FUNCTION cec._svg_span(geometry, boolean) IS 'Private. Where a boundary lies in the plane: west, south, east and north; with true by longitudes from 0 to 360.';
COMMENT ON FUNCTION cec._svg_outline(geometry, boolean, double precision[], double precision, double precision) IS 'Private. A boundary as outline of a path within a part of the plane, without what is finer than some pixels.';
COMMENT ON FUNCTION cec._svg_assets(regnamespace, bigint, date) IS 'Private. Assets, of a contract or all, with what they are on a day and where they stand.';
COMMENT ON FUNCTION cec._svg_boundaries(regnamespace, bigint, date, boolean, double precision[], double precision) IS 'Private. Boundaries, of a contract or of those that run on a day, as outlines of a path; NULL: none.';
COMMENT ON FUNCTION cec._svg_graticule(double precision[], double precision, double precision, double precision, double precision, double precision) IS 'Private. Lines of longitude and latitude within a frame.';
COMMENT ON FUNCTION cec._svg_scale(double precision, double precision, double precision, double precision, double precision) IS 'Private. A bar of kilometres, right for a latitude.';
COMMENT ON FUNCTION cec._svg_view(double precision[], double precision, double precision) IS 'Private. The part of the plane that a frame shows.';
COMMENT ON FUNCTION cec._svg_around(double precision[], double precision[]) IS 'Private. The smallest box around two.';
COMMENT ON FUNCTION cec._svg_box(regnamespace, bigint, date, double precision[], double precision[], boolean) IS 'Private. The box around assets and boundaries; NULLs: there are none.';
COMMENT ON FUNCTION cec._svg_symbols(text[], double precision[], double precision[], boolean, double precision[], double precision, double precision, double precision) IS 'Private. Symbols of assets within a frame, joined where there are too many, and how many stand outside.';
COMMENT ON FUNCTION cec._svg_legend(jsonb, boolean, boolean, text[], double precision, double precision, double precision) IS 'Private. The legend of a map.';
COMMENT ON FUNCTION cec.coverage_map_svg(regnamespace, text, date) IS 'A map as a picture; see coverage_map_svg of a portfolio.';
