-- What pictures of maps are drawn with: text and lengths, the plane of the map, symbols, outlines, lines of longitude and latitude, the scale
-- and the legend.

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
-- It is moved to longitude 0 first, where PROJ turns nothing about. What a ring begins with is never left out: normalized, that is a
-- corner, and not where it was cut at 180°.
CREATE FUNCTION cec._svg_outline(boundary geometry, is_beyond_180 boolean, view double precision[], scale double precision, tolerance double precision)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_AsSVG(ST_SnapToGrid(ST_Simplify(ST_Affine(ST_Transform(ST_SetSRID(ST_Translate(ST_ClipByBox2D(b.g, ST_MakeEnvelope(view[1], cec._svg_latitude(view[2]),
			view[3], cec._svg_latitude(view[4]), 4326)), -b.middle, 0), 4326), 3857), k.f, 0, 0, k.f, (b.middle - view[1]) * scale, -view[4] * scale), tolerance, true), 0.1), 0, 1)
	FROM (SELECT CASE WHEN is_beyond_180 THEN ST_Normalize(ST_UnaryUnion(ST_WrapX(boundary, 0, 360))) ELSE boundary END AS g, (view[1] + view[3]) / 2 AS middle) AS b,
		(SELECT scale / (6378137 * radians(1)) AS f) AS k;
END;

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

COMMENT ON FUNCTION cec._svg_text(text) IS 'Private. Text as it may stand in XML, in one line.';
COMMENT ON FUNCTION cec._svg_short(text, integer) IS 'Private. The same, of at most so many characters.';
COMMENT ON FUNCTION cec._svg_length(double precision) IS 'Private. A length, to a tenth of a pixel.';
COMMENT ON FUNCTION cec._svg_north(double precision) IS 'Private. A latitude in the plane of web mercator, in degrees of the equator; beyond its edge: the edge.';
COMMENT ON FUNCTION cec._svg_latitude(double precision) IS 'Private. The latitude of a place in that plane.';
COMMENT ON FUNCTION cec._svg_symbol(text, double precision, double precision, double precision) IS 'Private. The symbol of a shape around a point.';
COMMENT ON FUNCTION cec._svg_span(geometry, boolean) IS 'Private. Where a boundary lies in the plane: west, south, east and north; with true by longitudes from 0 to 360.';
COMMENT ON FUNCTION cec._svg_outline(geometry, boolean, double precision[], double precision, double precision) IS 'Private. A boundary as outline of a path within a part of the plane, without what is finer than some pixels.';
COMMENT ON FUNCTION cec._svg_graticule(double precision[], double precision, double precision, double precision, double precision, double precision) IS 'Private. Lines of longitude and latitude within a frame.';
COMMENT ON FUNCTION cec._svg_scale(double precision, double precision, double precision, double precision, double precision) IS 'Private. A bar of kilometres, right for a latitude.';
COMMENT ON FUNCTION cec._svg_view(double precision[], double precision, double precision) IS 'Private. The part of the plane that a frame shows.';
COMMENT ON FUNCTION cec._svg_around(double precision[], double precision[]) IS 'Private. The smallest box around two.';
COMMENT ON FUNCTION cec._svg_legend(jsonb, boolean, boolean, text[], double precision, double precision, double precision) IS 'Private. The legend of a map.';
