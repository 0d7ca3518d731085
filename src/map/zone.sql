-- Zones: cells of equal area in which fewer assets are covered than should be.
--
-- The grid is centred on the contract's boundary, or else on the assets that are counted, so that cells are nearly square on the ground;
-- src/map/zone_project.c has the projection, and how zones are numbered.

CREATE FUNCTION cec._zone_of(longitude double precision, latitude double precision, centre_longitude integer, centre_latitude integer,
	cell_size_m double precision) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_zone_of';
CREATE FUNCTION cec._zone_middle(zone_id bigint, centre_longitude integer, centre_latitude integer, cell_size_m double precision) RETURNS point
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_zone_middle';
CREATE FUNCTION cec._zone_outline(zone_id bigint, centre_longitude integer, centre_latitude integer, cell_size_m double precision) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_zone_outline';
CREATE FUNCTION cec._area_mean(area bytea) RETURNS double precision[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_area_mean';

-- Longitudes of an outline go on beyond 180: what does is moved around the earth.
CREATE FUNCTION cec._zone_polygon(zone_id bigint, centre_longitude integer, centre_latitude integer, cell_size_m double precision) RETURNS geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_GeomFromWKB(cec._zone_outline(zone_id, centre_longitude, centre_latitude, cell_size_m), 4326);
END;

CREATE FUNCTION cec._zone_geometry(outline geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_Multi(CASE WHEN ST_XMin(outline) >= -180 AND ST_XMax(outline) <= 180 THEN outline
		ELSE ST_CollectionExtract(ST_WrapX(ST_WrapX(outline, -180, 360), 180, -360), 3) END);
END;

CREATE FUNCTION cec._zone_geojson(zone geometry) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_AsGeoJSON(zone, 7);
END;

CREATE FUNCTION cec._boundary_mean(boundary geometry) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT cec._area_mean(ST_AsBinary(boundary, 'NDR'));
END;

-- Where a vector points to, in whole degrees: longitude and latitude. Vectors that cancel out point to where both are 0.
CREATE FUNCTION cec._centre(x double precision, y double precision, z double precision) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ARRAY[round(atan2d(y, x)), round(atan2d(z, sqrt(x * x + y * y)))]::integer[];
END;

-- All customers that have the same one at the top as the customer of a contract.
CREATE FUNCTION cec._customers_of(portfolio regnamespace, contract_id bigint) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result bigint[];
BEGIN
	EXECUTE cec._sql(portfolio, $query$
		WITH RECURSIVE up AS (
			SELECT u.customer_id, u.parent_id FROM @P@.contract c JOIN @P@.customer u ON u.customer_id = c.customer_id WHERE c.contract_id = $1
			UNION
			SELECT u.customer_id, u.parent_id FROM up JOIN @P@.customer u ON u.customer_id = up.parent_id
		), down AS (
			SELECT up.customer_id FROM up
			UNION
			SELECT u.customer_id FROM down JOIN @P@.customer u ON u.parent_id = down.customer_id
		)
		SELECT array_agg(down.customer_id) FROM down
		$query$) INTO result USING contract_id;
	RETURN coalesce(result, '{}');
END;
$$;

-- Assets that a contract (NULL: the portfolio) should cover on a day, each with its zone: those of its customers (NULL: all) that are in service
-- and stand inside the boundary (NULL: anywhere), the carved-out ones too. The boundary is a constant of the query: so the planner knows how
-- much of the register lies in it, and PostGIS prepares it once. Unit vectors are added as whole numbers: their sum does not depend on
-- the order of rows.
CREATE FUNCTION cec._zone_assets(portfolio regnamespace, contract_id bigint, boundary geometry, cell_size_m double precision, on_day date)
RETURNS TABLE (zone_id bigint, centre_longitude integer, centre_latitude integer, asset_id bigint, value numeric, is_covered boolean,
	is_covered_elsewhere boolean)
LANGUAGE plpgsql STABLE ROWS 10000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	customers bigint[];
BEGIN
	IF contract_id IS NOT NULL THEN
		customers := cec._customers_of(portfolio, contract_id);
	END IF;
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH expected AS MATERIALIZED (
			SELECT a.asset_id, cec._longitude(a.location) AS longitude, cec._latitude(a.location) AS latitude,
				cec._asset_value(a.attributes, s.value_attribute) AS value
			FROM @P@.asset a CROSS JOIN (SELECT s.value_attribute FROM @P@.setting s OFFSET 0) AS s
			WHERE a.location IS NOT NULL AND ($2 IS NULL OR a.customer_id = ANY ($2))
				AND cec._life_has(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service, $4)
				AND ($3 IS NULL OR cec._lies_inside($3, a.location))
		), cover AS (
			SELECT v.asset_id, bool_or($1 IS NULL OR t.contract_id = $1) AS is_here
			FROM expected e JOIN @P@.coverage v ON v.asset_id = e.asset_id JOIN @P@.coverage_term t ON t.term_id = v.term_id
			WHERE v.during @> $4
			GROUP BY v.asset_id
		), mean AS MATERIALIZED (
			SELECT CASE WHEN $3 IS NOT NULL THEN cec._boundary_mean($3)
				ELSE (SELECT ARRAY[sum((cosd(e.latitude) * cosd(e.longitude) * 1e15)::bigint), sum((cosd(e.latitude) * sind(e.longitude) * 1e15)::bigint),
					sum((sind(e.latitude) * 1e15)::bigint)]::double precision[] FROM expected e) END AS sums
		), centre AS MATERIALIZED (
			SELECT c.degrees[1] AS longitude, c.degrees[2] AS latitude
			FROM (SELECT cec._centre(m.sums[1], m.sums[2], m.sums[3]) AS degrees FROM mean m OFFSET 0) AS c
		)
		SELECT cec._zone_of(e.longitude, e.latitude, c.longitude, c.latitude, $5), c.longitude, c.latitude, e.asset_id, e.value,
			coalesce(v.is_here, false), coalesce(NOT v.is_here, false)
		FROM centre c CROSS JOIN expected e LEFT JOIN cover v ON v.asset_id = e.asset_id
		$query$) USING contract_id, customers, boundary, on_day, cell_size_m;
END;
$$;

-- All zones in which a contract should cover something, with the place of their middle.
CREATE FUNCTION cec._zones(portfolio regnamespace, contract_number text, cell_size_m double precision, on_day date, min_share numeric)
RETURNS TABLE (zone_id bigint, assets bigint, covered bigint, covered_elsewhere bigint, uncovered bigint, share numeric, value numeric,
	uncovered_value numeric, shortfall bigint, is_under_covered boolean, geometry geometry, longitude double precision, latitude double precision)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	of_contract bigint;
BEGIN
	PERFORM cec._require_version(portfolio);
	IF cell_size_m IS NULL OR min_share IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'cell_size_m and min_share must not be NULL',
			HINT = 'Leave out what is not meant: zones are then 20,000 m wide, and nine of ten assets should be covered.';
	ELSIF NOT (cell_size_m >= 1 AND cell_size_m < 'infinity') THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'cell_size_m is a number of metres from 1 on',
			DETAIL = format('It is %s.', cell_size_m);
	ELSIF NOT min_share BETWEEN 0 AND 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'min_share is a number from 0 to 1',
			DETAIL = format('It is %s.', min_share), HINT = 'For 90 % give 0.9.';
	END IF;
	PERFORM cec._require_finite(on_day, NULL);
	IF contract_number IS NOT NULL THEN
		of_contract := cec._contract_numbered(portfolio, contract_number);
	END IF;
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		SELECT z.zone_id, z.assets, z.covered, z.covered_elsewhere, z.uncovered, z.covered::numeric / z.assets, z.value, z.uncovered_value,
			s.shortfall, s.shortfall > 0, cec._zone_geometry(m.outline), m.middle[0], m.middle[1]
		FROM (
				SELECT a.zone_id, min(a.centre_longitude) AS centre_longitude, min(a.centre_latitude) AS centre_latitude, count(*) AS assets,
					count(*) FILTER (WHERE a.is_covered) AS covered, count(*) FILTER (WHERE a.is_covered_elsewhere) AS covered_elsewhere,
					count(*) FILTER (WHERE NOT a.is_covered AND NOT a.is_covered_elsewhere) AS uncovered, sum(a.value) AS value,
					coalesce(sum(a.value) FILTER (WHERE NOT a.is_covered AND NOT a.is_covered_elsewhere), 0) AS uncovered_value
				FROM (SELECT $2) AS k(contract_id) LEFT JOIN @P@.contract c ON c.contract_id = k.contract_id
					CROSS JOIN LATERAL cec._zone_assets($1, $2, c.boundary, $3, $4) AS a
				GROUP BY a.zone_id
			) AS z
			CROSS JOIN LATERAL (SELECT greatest(0, ceil($5 * z.assets)::bigint - z.covered) AS shortfall OFFSET 0) AS s
			CROSS JOIN LATERAL (SELECT cec._zone_polygon(z.zone_id, z.centre_longitude, z.centre_latitude, $3) AS outline,
				cec._zone_middle(z.zone_id, z.centre_longitude, z.centre_latitude, $3) AS middle OFFSET 0) AS m
		ORDER BY z.uncovered_value DESC, z.uncovered DESC, z.zone_id
		$query$) USING portfolio, of_contract, cell_size_m, coalesce(on_day, cec.today(portfolio)), min_share;
END;
$$;

CREATE FUNCTION cec.under_covered_zones(portfolio regnamespace, contract_number text, cell_size_m double precision, on_day date, min_share numeric)
RETURNS TABLE (zone_id bigint, assets bigint, covered bigint, covered_elsewhere bigint, uncovered bigint, share numeric, value numeric,
	uncovered_value numeric, shortfall bigint, is_under_covered boolean, geometry geometry)
LANGUAGE sql STABLE ROWS 1000
BEGIN ATOMIC
	SELECT z.zone_id, z.assets, z.covered, z.covered_elsewhere, z.uncovered, z.share, z.value, z.uncovered_value, z.shortfall, z.is_under_covered,
		z.geometry
	FROM cec._zones(portfolio, contract_number, cell_size_m, on_day, min_share) AS z;
END;

CREATE FUNCTION cec.zone_candidates(portfolio regnamespace, contract_number text, zone_id bigint, on_day date)
RETURNS TABLE (asset_id bigint, identifier text, first_day date, last_day date, effect text, note text)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	of_contract bigint;
BEGIN
	PERFORM cec._require_version(portfolio);
	IF zone_id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the zone must not be NULL',
			HINT = 'The function under_covered_zones has the zones.';
	END IF;
	PERFORM cec._require_finite(on_day, NULL);
	IF contract_number IS NOT NULL THEN
		of_contract := cec._contract_numbered(portfolio, contract_number);
	END IF;
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		SELECT a.asset_id, a.asset_tag, $4, NULL::date, 'include', format('not covered in zone %s on %s', z.zone_id, cec._day($4))
		FROM (SELECT $2) AS k(contract_id) LEFT JOIN @P@.contract c ON c.contract_id = k.contract_id
			CROSS JOIN LATERAL cec._zone_assets($1, $2, c.boundary, 20000, $4) AS z
			JOIN @P@.asset a ON a.asset_id = z.asset_id
		WHERE z.zone_id = $3 AND NOT z.is_covered AND NOT z.is_covered_elsewhere
		ORDER BY z.value DESC, a.asset_id
		$query$) USING portfolio, of_contract, zone_id, coalesce(on_day, cec.today(portfolio));
END;
$$;

COMMENT ON FUNCTION cec._zone_of(double precision, double precision, integer, integer, double precision) IS 'Private. The zone of a place, in the grid that is centred there: row + 2^25, then, in 26 bits, column + 2^25, counted from the centre. NULL: there is no such place or grid.';
COMMENT ON FUNCTION cec._zone_middle(bigint, integer, integer, double precision) IS 'Private. Longitude and latitude of the middle of a zone.';
COMMENT ON FUNCTION cec._zone_outline(bigint, integer, integer, double precision) IS 'Private. The outline of a zone as well-known binary of a polygon, whose longitudes go on beyond 180 where it does.';
COMMENT ON FUNCTION cec._area_mean(bytea) IS 'Private. The sum of the unit vectors of all places of polygons, given as little-endian well-known binary: x, y, z.';
COMMENT ON FUNCTION cec._zone_polygon(bigint, integer, integer, double precision) IS 'Private. The outline of a zone; its longitudes go on beyond 180 where it does.';
COMMENT ON FUNCTION cec._zone_geometry(geometry) IS 'Private. A zone as an area, from its outline: the whole cell, split at 180 degrees.';
COMMENT ON FUNCTION cec._zone_geojson(geometry) IS 'Private. An area as GeoJSON.';
COMMENT ON FUNCTION cec._boundary_mean(geometry) IS 'Private. The sum of the unit vectors of all places of an area: x, y, z.';
COMMENT ON FUNCTION cec._centre(double precision, double precision, double precision) IS 'Private. Longitude and latitude that a vector points to, in whole degrees.';
COMMENT ON FUNCTION cec._customers_of(regnamespace, bigint) IS 'Private. The customers that have the same one at the top as the customer of a contract.';
COMMENT ON FUNCTION cec._zone_assets(regnamespace, bigint, geometry, double precision, date) IS 'Private. Assets that a contract with a boundary (NULL: the portfolio) should cover on a day, each with its zone, the centre of the grid, what it is worth, and what covers it.';
COMMENT ON FUNCTION cec._zones(regnamespace, text, double precision, date, numeric) IS 'Private. What under_covered_zones returns, with the place of the middle of each zone.';
COMMENT ON FUNCTION cec.under_covered_zones(regnamespace, text, double precision, date, numeric) IS 'Zones and what of them is covered; see under_covered_zones of a portfolio.';
COMMENT ON FUNCTION cec.zone_candidates(regnamespace, text, bigint, date) IS 'Assets of a zone that nothing covers; see zone_candidates of a portfolio.';
