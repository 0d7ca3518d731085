-- Assets that may be registered twice.

CREATE FUNCTION cec._near_pairs(asset_ids bigint[], models bigint[], longitudes double precision[], latitudes double precision[],
	within_m double precision, at_most integer)
RETURNS TABLE (asset_id bigint, other_asset_id bigint, distance_m double precision)
LANGUAGE c IMMUTABLE STRICT ROWS 1000 AS 'MODULE_PATHNAME', 'cec_near_pairs';
CREATE FUNCTION cec._distance_m(longitude double precision, latitude double precision, other_longitude double precision, other_latitude double precision)
RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_distance_m';

-- A key that more than 20 assets have, and a place with more than 20 others around, are no pairs: 5,000 serial numbers UNKNOWN would be twelve
-- million. Each of these assets has then one row without another asset, as the finding duplicate_in_register has it.
CREATE FUNCTION cec.duplicate_registrations(portfolio regnamespace, within_m double precision)
RETURNS TABLE (asset_id bigint, other_asset_id bigint, reason text, distance_m double precision, is_likely boolean)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	IF within_m IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'within_m must not be NULL',
			HINT = 'Leave it out for 25 metres.';
	ELSIF NOT (within_m >= 0 AND within_m < 'infinity') THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'within_m is a number of metres from 0 on',
			DETAIL = format('It is %s.', within_m);
	END IF;
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH name AS MATERIALIZED (
			SELECT n.asset_id, n.key, n.is_tag, n.manufacturer
			FROM (
				SELECT a.asset_id, cec.identifier_key(a.asset_tag) AS key, true AS is_tag, a.manufacturer FROM @P@.asset a
				UNION ALL
				SELECT a.asset_id, cec.identifier_key(a.serial_number), false, a.manufacturer FROM @P@.asset a WHERE a.serial_number IS NOT NULL
			) AS n
			WHERE length(n.key) >= 5
		), shared AS MATERIALIZED (
			SELECT n.key FROM name n GROUP BY n.key HAVING count(*) > 1
		), named AS MATERIALIZED (
			SELECT n.asset_id, n.key, n.is_tag, n.manufacturer, k.assets, k.has_tag
			FROM (SELECT n.key, count(DISTINCT n.asset_id) AS assets, bool_or(n.is_tag) AS has_tag FROM shared s JOIN name n ON n.key = s.key GROUP BY n.key) AS k
				JOIN name n ON n.key = k.key
			WHERE k.assets > 1
		), stand AS MATERIALIZED (
			SELECT a.asset_id, dense_rank() OVER (ORDER BY a.model) AS model, cec._longitude(a.location) AS longitude, cec._latitude(a.location) AS latitude
			FROM @P@.asset a WHERE a.model IS NOT NULL AND a.location IS NOT NULL
		), near AS MATERIALIZED (
			SELECT p.asset_id, p.other_asset_id
			FROM (SELECT array_agg(s.asset_id) AS asset_ids, array_agg(s.model) AS models, array_agg(s.longitude) AS longitudes, array_agg(s.latitude) AS latitudes
					FROM stand s) AS l
				CROSS JOIN LATERAL cec._near_pairs(l.asset_ids, l.models, l.longitudes, l.latitudes, $1, 20) AS p
		), found AS (
			-- Of reasons the first: 1 same_key, 2 same_serial, 3 same_place.
			SELECT f.asset_id, f.other_asset_id, min(f.reason) AS reason
			FROM (
				SELECT n.asset_id, o.asset_id AS other_asset_id, CASE WHEN n.is_tag OR o.is_tag THEN 1 ELSE 2 END AS reason
				FROM named n JOIN named o ON o.key = n.key
				WHERE n.assets <= 20 AND o.assets <= 20 AND n.asset_id < o.asset_id
					AND (n.manufacturer = o.manufacturer OR n.manufacturer IS NULL OR o.manufacturer IS NULL)
				UNION ALL
				SELECT n.asset_id, NULL, CASE WHEN n.has_tag THEN 1 ELSE 2 END FROM named n WHERE n.assets > 20
				UNION ALL
				SELECT p.asset_id, p.other_asset_id, 3 FROM near p
			) AS f
			GROUP BY f.asset_id, f.other_asset_id
		)
		SELECT f.asset_id, f.other_asset_id, (ARRAY['same_key', 'same_serial', 'same_place'])[f.reason],
			cec._distance_m(cec._longitude(a.location), cec._latitude(a.location), cec._longitude(o.location), cec._latitude(o.location)),
			f.other_asset_id IS NOT NULL AND (f.reason < 3 OR a.serial_number IS NULL OR o.serial_number IS NULL
				OR coalesce(cec.identifier_key(a.serial_number) = cec.identifier_key(o.serial_number), false))
		FROM found f JOIN @P@.asset a ON a.asset_id = f.asset_id LEFT JOIN @P@.asset o ON o.asset_id = f.other_asset_id
		ORDER BY f.asset_id, f.other_asset_id
		$query$) USING within_m;
END;
$$;

COMMENT ON FUNCTION cec._near_pairs(bigint[], bigint[], double precision[], double precision[], double precision, integer) IS 'Private. Pairs of assets of one model within a distance, the smaller id first; one row without another for an asset that has more than at_most of them around, and no pair with it.';
COMMENT ON FUNCTION cec._distance_m(double precision, double precision, double precision, double precision) IS 'Private. Metres between two places on a sphere, as ST_DistanceSphere has them.';
COMMENT ON FUNCTION cec.duplicate_registrations(regnamespace, double precision) IS 'Assets that may be registered twice; see duplicate_registrations of a portfolio.';
