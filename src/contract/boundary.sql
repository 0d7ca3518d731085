-- Boundaries: from an outline as somebody has drawn it to an area that contract.boundary takes, and the parts that it is cut into.

-- So many corners has a part at most. Its row is then short enough to be kept as it is, neither compressed nor elsewhere.
CREATE FUNCTION cec._cut(boundary geometry) RETURNS SETOF geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT part FROM st_subdivide(boundary, 100) AS part WHERE NOT st_isempty(part);
END;

CREATE FUNCTION cec._part_covers(part geometry, longitude double precision, latitude double precision) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'cec_part_covers';

-- Whether a part of a boundary covers a point; where roundings of the cut might tell, the boundary itself is asked.
CREATE FUNCTION cec._boundary_covers(part geometry, boundary geometry, location geometry) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(cec._part_covers(part, st_x(location), st_y(location)), st_covers(boundary, location));
END;

CREATE FUNCTION cec._is_srid(srid integer) RETURNS boolean
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT EXISTS (SELECT FROM spatial_ref_sys s WHERE s.srid = _is_srid.srid);
END;

-- What PostGIS would raise is no error of a user's. As immutable as ST_Transform, which reads the same table.
CREATE FUNCTION cec._known_srid(srid integer) RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT cec._is_srid(srid) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('there is no reference system with SRID %s', srid),
			HINT = 'The table spatial_ref_sys has those that there are. Longitude and latitude of WGS 84 are 4326.';
	END IF;
	RETURN srid;
END;
$$;

-- The polygons of an outline, in longitude and latitude. One that does not say what its coordinates are has these.
CREATE FUNCTION cec._outline_polygons(outline geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT st_collectionextract(st_curvetoline(CASE st_srid(n.flat) WHEN 4326 THEN n.flat WHEN 0 THEN st_setsrid(n.flat, 4326) ELSE st_transform(st_setsrid(n.flat, cec._known_srid(st_srid(n.flat))), 4326) END), 3)
	FROM (SELECT st_force2d(outline) AS flat) AS n;
END;

CREATE FUNCTION cec._unroll(ring geometry) RETURNS geometry
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_unroll';

-- What a ring encloses on the map, by the copies of it that _unroll makes.
CREATE FUNCTION cec._fold(copies geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT st_union(st_intersection(st_collectionextract(st_makevalid(c.geom), 3), st_makeenvelope(-180, -90, 180, 90, 4326))) FROM st_dump(copies) AS c;
END;

-- A polygon as a valid area on the map. Its holes are taken out behind: each ring may leave the map for itself.
CREATE FUNCTION cec._lay_on_map(polygon geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN count(u.copies) = 0 THEN st_makevalid(polygon)
		WHEN count(*) = 1 THEN st_union(u.area)
		ELSE st_difference(st_union(u.area) FILTER (WHERE NOT u.is_hole), st_union(u.area) FILTER (WHERE u.is_hole)) END
	FROM (
		SELECT r.path[1] > 0 AS is_hole, n.copies, CASE WHEN n.copies IS NULL THEN st_makevalid(r.geom) ELSE cec._fold(n.copies) END AS area
		FROM st_dumprings(polygon) AS r CROSS JOIN LATERAL (SELECT cec._unroll(r.geom) AS copies OFFSET 0) AS n
	) AS u;
END;

-- Whether polygons lie on the map as they are.
CREATE FUNCTION cec._lies_on_map(polygons geometry) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(bool_and(cec._unroll(r.geom) IS NULL), true) FROM st_dump(polygons) AS p CROSS JOIN LATERAL st_dumprings(p.geom) AS r;
END;

-- By its reason, since st_isvalid also says it to the caller, who is not to mend anything.
CREATE FUNCTION cec._lay_all_on_map(polygons geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN cec._lies_on_map(polygons) AND st_isvalidreason(polygons) = 'Valid Geometry' THEN st_multi(polygons)
		ELSE (SELECT st_multi(st_collectionextract(st_union(cec._lay_on_map(p.geom)), 3)) FROM st_dump(polygons) AS p) END;
END;

CREATE FUNCTION cec._has_area(area geometry) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(st_area(area) > 0, false);
END;

CREATE FUNCTION cec._shape_in_words(shape geometry) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT upper(substr(st_geometrytype(shape), 4)) || CASE WHEN st_isempty(shape) THEN ' EMPTY' ELSE '' END;
END;

CREATE FUNCTION cec.boundary(outline geometry) RETURNS geometry(MultiPolygon, 4326)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	shape text := cec._shape_in_words(outline);
BEGIN
	outline := cec._lay_all_on_map(cec._outline_polygons(outline));
	IF NOT cec._has_area(outline) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'the outline encloses no area',
			DETAIL = format('It is a %s.', shape),
			HINT = 'A boundary is made of polygons. ST_Polygonize makes them of lines; ST_Buffer of a geography, of what is within some metres of a point or line.';
	END IF;
	RETURN outline;
END;
$$;

COMMENT ON FUNCTION cec._cut(geometry) IS 'Private. The parts that a boundary is cut into.';
COMMENT ON FUNCTION cec._part_covers(geometry, double precision, double precision) IS 'Private. Whether a polygon covers a point; NULL right on an edge or very near to it.';
COMMENT ON FUNCTION cec._boundary_covers(geometry, geometry, geometry) IS 'Private. Whether a part of a boundary covers a point, as ST_Covers says of the boundary.';
COMMENT ON FUNCTION cec._is_srid(integer) IS 'Private. Whether there is a reference system with this SRID.';
COMMENT ON FUNCTION cec._known_srid(integer) IS 'Private. The SRID, or SQLSTATE 22023 where there is no such reference system.';
COMMENT ON FUNCTION cec._outline_polygons(geometry) IS 'Private. The polygons of an outline, in longitude and latitude.';
COMMENT ON FUNCTION cec._unroll(geometry) IS 'Private. The copies of a ring that lie on the map and beyond its edge; NULL: it lies on the map as it is.';
COMMENT ON FUNCTION cec._fold(geometry) IS 'Private. What a ring encloses on the map, by its copies.';
COMMENT ON FUNCTION cec._lay_on_map(geometry) IS 'Private. A polygon as a valid area on the map.';
COMMENT ON FUNCTION cec._lies_on_map(geometry) IS 'Private. Whether polygons lie on the map as they are.';
COMMENT ON FUNCTION cec._lay_all_on_map(geometry) IS 'Private. Polygons as one valid area on the map.';
COMMENT ON FUNCTION cec._has_area(geometry) IS 'Private. Whether a geometry is an area.';
COMMENT ON FUNCTION cec._shape_in_words(geometry) IS 'Private. What a geometry is, for messages.';
COMMENT ON FUNCTION cec.boundary(geometry) IS 'What contract.boundary takes, made of an outline: its polygons, transformed to longitude and latitude (SRID 0: it has them already), in two dimensions, valid, an edge over 180 degrees of longitude taken the short way round, a ring round a pole closed at it, longitudes like 190 taken modulo 360, and split at the 180th meridian. What is fine stays as it is, to the last bit. Errors: 22023 no area, a latitude beyond 90, coordinates that are not finite, an outline that goes round the world more than once, no such SRID; those of ST_Transform.';
