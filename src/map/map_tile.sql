-- Tiles of the map: what stands in them, and their bytes. src/map/README.md.

-- A cluster: what stands in a cell of the tile.
CREATE TYPE cec._map_cluster AS (
	id bigint,
	is_cluster boolean,
	assets bigint,
	covered bigint,
	covered_by_bundle bigint,
	covered_by_rule bigint,
	not_in_service bigint,
	excluded bigint,
	uncovered bigint,
	uncovered_value double precision,
	geom geometry
);

CREATE TYPE cec._map_point AS (
	id bigint,
	asset_tag text,
	status text,
	is_duplicate boolean,
	is_expiring boolean,
	findings bigint,
	contract_number text,
	tier_code text,
	last_day text,
	customer text,
	value double precision,
	geom geometry
);

CREATE TYPE cec._map_contract AS (
	id bigint,
	contract_number text,
	customer text,
	account_manager text,
	kind text,
	status text,
	last_day text,
	covered bigint,
	geom geometry
);

CREATE TYPE cec._map_gap AS (
	id bigint,
	assets bigint,
	covered bigint,
	covered_elsewhere bigint,
	uncovered bigint,
	share double precision,
	value double precision,
	uncovered_value double precision,
	shortfall bigint,
	is_under_covered boolean,
	geom geometry
);

CREATE FUNCTION cec._map_cell_column(cell bigint) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_map_cell_column';
CREATE FUNCTION cec._map_cell_row(cell bigint) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_map_cell_row';

-- A position in a tile.
CREATE FUNCTION cec._map_position(across bigint, down bigint) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_MakePoint(across, down);
END;

-- Whether a place may be in a tile: by the index. What is at 180° is at -180°.
CREATE FUNCTION cec._lies_in_box(location geometry, west double precision, south double precision, east double precision, north double precision) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT location && ST_MakeEnvelope(west, south, east, north, 4326);
END;

-- A number of any size as one that a tile can hold.
CREATE FUNCTION cec._as_double(number numeric) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT least(greatest(number, -1e300), 1e300)::double precision;
END;

CREATE FUNCTION cec._tile_of_clusters(clusters cec._map_cluster[]) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_AsMVT(c, 'assets', 4096, 'geom', 'id' ORDER BY c.id) FROM unnest(clusters) AS c;
END;

CREATE FUNCTION cec._tile_of_points(points cec._map_point[]) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_AsMVT(p, 'assets', 4096, 'geom', 'id' ORDER BY p.id) FROM unnest(points) AS p;
END;

CREATE FUNCTION cec._tile_of_contracts(contracts cec._map_contract[]) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_AsMVT(c, 'contracts', 4096, 'geom', 'id' ORDER BY c.id) FROM unnest(contracts) AS c WHERE c.geom IS NOT NULL;
END;

CREATE FUNCTION cec._tile_of_gaps(gaps cec._map_gap[]) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_AsMVT(g, 'gaps', 4096, 'geom', 'id' ORDER BY g.id) FROM unnest(gaps) AS g WHERE g.geom IS NOT NULL;
END;

-- The part of an area that a tile shows, in its coordinates; NULL where there is none. Mercator knows no poles.
CREATE FUNCTION cec._map_area(area geometry, z integer, x integer, y integer) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT ST_AsMVTGeom(ST_Transform(CASE WHEN ST_YMin(area) < -85.06 OR ST_YMax(area) > 85.06 THEN ST_ClipByBox2D(area, ST_MakeEnvelope(-180, -85.06, 180, 85.06, 4326)::box2d) ELSE area END, 3857),
		ST_TileEnvelope(z, x, y)::box2d, 4096, 0, true);
END;

-- What the parameters of a tile ask for. NULL: whatever it is.
CREATE FUNCTION cec._map_question(portfolio regnamespace, query_params json,
	OUT status text, OUT on_day date, OUT contract_id bigint, OUT contract_number text, OUT term_ids bigint[], OUT customer_id bigint, OUT account_manager text, OUT manager_term_ids bigint[], OUT max_features bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known constant text[] := '{status,on_day,contract_number,customer,account_manager,max_features}';
	parameter record;
	statuses text[];
BEGIN
	on_day := cec.today(portfolio);
	max_features := 5000;
	IF query_params IS NULL OR json_typeof(query_params) = 'null' THEN
		RETURN;
	END IF;
	IF json_typeof(query_params) <> 'object' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'the parameters of a tile must be a JSON object',
			DETAIL = format('They are %s.', CASE json_typeof(query_params) WHEN 'array' THEN 'an array' ELSE 'a ' || json_typeof(query_params) END),
			HINT = format('It may have the keys %s.', array_to_string(known, ', '));
	END IF;
	BEGIN
		PERFORM p.key, p.value #>> '{}' FROM json_each(query_params) AS p;
	EXCEPTION WHEN untranslatable_character OR invalid_text_representation THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'a parameter of a tile has a character that is no text',
			HINT = format('Tiles have the parameters %s.', array_to_string(known, ', '));
	END;
	FOR parameter IN SELECT p.key, json_typeof(p.value) AS type, p.value #>> '{}' AS said FROM json_each(query_params) AS p LOOP
		IF parameter.key <> ALL (known) THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('tiles have no parameter "%s"', left(parameter.key, 100)),
				HINT = format('They have %s.', array_to_string(known, ', '));
		ELSIF parameter.type = 'null' THEN
			CONTINUE;
		ELSIF parameter.type NOT IN ('string', 'number') THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('the parameter "%s" of a tile is neither a text nor a number', parameter.key),
				HINT = format('Tiles have the parameters %s.', array_to_string(known, ', '));
		END IF;
		CASE parameter.key
		WHEN 'status' THEN
			SELECT array_agg(m.status ORDER BY m.place) INTO statuses FROM cec._map_symbol AS m WHERE m.is_drawn;
			IF parameter.said <> ALL (statuses) THEN
				RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('there is no status "%s" on the map', left(parameter.said, 100)),
					HINT = format('There are %s. Tiles have the parameters %s.', array_to_string(statuses, ', '), array_to_string(known, ', '));
			END IF;
			status := parameter.said;
		WHEN 'on_day' THEN
			IF parameter.said !~ '^[0-9]{4,7}-[0-9]{2}-[0-9]{2}$' THEN
				RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('"%s" is no day', left(parameter.said, 100)),
					HINT = format('Write a day as YYYY-MM-DD. Tiles have the parameters %s.', array_to_string(known, ', '));
			END IF;
			BEGIN
				on_day := parameter.said::date;
			EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
				RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('"%s" is no day', left(parameter.said, 100)),
					HINT = format('Write a day as YYYY-MM-DD. Tiles have the parameters %s.', array_to_string(known, ', '));
			END;
		WHEN 'max_features' THEN
			IF parameter.said !~ '^[0-9]{1,6}$' OR parameter.said::bigint > 100000 THEN
				RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('"%s" is no number of features', left(parameter.said, 100)),
					HINT = format('Write a number from 0 to 100000. Tiles have the parameters %s.', array_to_string(known, ', '));
			END IF;
			max_features := parameter.said::bigint;
		WHEN 'contract_number' THEN
			contract_id := cec._contract_numbered(portfolio, parameter.said);
			contract_number := parameter.said;
			EXECUTE cec._sql(portfolio, 'SELECT coalesce(array_agg(term_id ORDER BY term_id), ''{}'') FROM @P@.coverage_term WHERE contract_id = $1') INTO term_ids USING contract_id;
		WHEN 'customer' THEN
			EXECUTE cec._sql(portfolio, 'SELECT customer_id FROM @P@.customer WHERE external_ref = $1') INTO customer_id USING parameter.said;
			IF customer_id IS NULL THEN
				RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('there is no customer "%s"', left(parameter.said, 100)),
					HINT = 'Customers are known by their external_ref.';
			END IF;
		WHEN 'account_manager' THEN
			account_manager := parameter.said;
			EXECUTE cec._sql(portfolio, 'SELECT coalesce(array_agg(t.term_id ORDER BY t.term_id), ''{}'') FROM @P@.coverage_term t JOIN @P@.contract c ON c.contract_id = t.contract_id
				WHERE c.account_manager = $1') INTO manager_term_ids USING parameter.said;
		END CASE;
	END LOOP;
END;
$$;

CREATE FUNCTION cec.mvt_assets(portfolio regnamespace, z integer, x integer, y integer, query_params json) RETURNS bytea
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'cec_mvt_assets';
CREATE FUNCTION cec.mvt_contracts(portfolio regnamespace, z integer, x integer, y integer, query_params json) RETURNS bytea
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'cec_mvt_contracts';

CREATE FUNCTION cec.mvt_gaps(portfolio regnamespace, z integer, x integer, y integer, query_params json) RETURNS bytea
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'cec_mvt_gaps';

COMMENT ON TYPE cec._map_cluster IS 'Private. A feature of a tile of assets: those of a cell.';
COMMENT ON TYPE cec._map_point IS 'Private. A feature of a tile of assets: one of them.';
COMMENT ON TYPE cec._map_contract IS 'Private. A feature of a tile of contracts.';
COMMENT ON COLUMN cec._map_cluster.id IS 'Private. Key: the cell, row by row.';
COMMENT ON COLUMN cec._map_cluster.is_cluster IS 'Private. Always true.';
COMMENT ON COLUMN cec._map_cluster.assets IS 'Private. How many assets.';
COMMENT ON COLUMN cec._map_cluster.covered IS 'Private. How many of them are covered: listed themselves.';
COMMENT ON COLUMN cec._map_cluster.covered_by_bundle IS 'Private. How many are covered because their primary is.';
COMMENT ON COLUMN cec._map_cluster.covered_by_rule IS 'Private. How many are covered by a rule.';
COMMENT ON COLUMN cec._map_cluster.not_in_service IS 'Private. How many are not in service.';
COMMENT ON COLUMN cec._map_cluster.excluded IS 'Private. How many a contract has carved out.';
COMMENT ON COLUMN cec._map_cluster.uncovered IS 'Private. How many are not covered.';
COMMENT ON COLUMN cec._map_cluster.uncovered_value IS 'Private. What these are worth.';
COMMENT ON COLUMN cec._map_cluster.geom IS 'Private. Where it is in the tile.';
COMMENT ON COLUMN cec._map_point.id IS 'Private. Key: the asset.';
COMMENT ON COLUMN cec._map_point.asset_tag IS 'Private. Its tag.';
COMMENT ON COLUMN cec._map_point.status IS 'Private. What it is on the day.';
COMMENT ON COLUMN cec._map_point.is_duplicate IS 'Private. Whether a finding says that it is registered twice.';
COMMENT ON COLUMN cec._map_point.is_expiring IS 'Private. Whether its cover ends within the days of notice.';
COMMENT ON COLUMN cec._map_point.findings IS 'Private. How many findings about it are open, and not waived.';
COMMENT ON COLUMN cec._map_point.contract_number IS 'Private. Of what covers it the first: the contract.';
COMMENT ON COLUMN cec._map_point.tier_code IS 'Private. Its tier.';
COMMENT ON COLUMN cec._map_point.last_day IS 'Private. The last day of its cover.';
COMMENT ON COLUMN cec._map_point.customer IS 'Private. Name of its customer.';
COMMENT ON COLUMN cec._map_point.value IS 'Private. What it is worth.';
COMMENT ON COLUMN cec._map_point.geom IS 'Private. Where it is in the tile.';
COMMENT ON COLUMN cec._map_contract.id IS 'Private. Key: the contract.';
COMMENT ON COLUMN cec._map_contract.contract_number IS 'Private. Its number.';
COMMENT ON COLUMN cec._map_contract.customer IS 'Private. Name of its customer.';
COMMENT ON COLUMN cec._map_contract.account_manager IS 'Private. Who is in charge of it.';
COMMENT ON COLUMN cec._map_contract.kind IS 'Private. Its kind.';
COMMENT ON COLUMN cec._map_contract.status IS 'Private. Its status.';
COMMENT ON COLUMN cec._map_contract.last_day IS 'Private. Its last day.';
COMMENT ON COLUMN cec._map_contract.covered IS 'Private. How many assets it covers on the day.';
COMMENT ON COLUMN cec._map_contract.geom IS 'Private. What the tile shows of its boundary.';
COMMENT ON TYPE cec._map_gap IS 'Private. A feature of a tile of zones.';
COMMENT ON COLUMN cec._map_gap.id IS 'Private. Key: the zone.';
COMMENT ON COLUMN cec._map_gap.assets IS 'Private. How many assets in service are in it.';
COMMENT ON COLUMN cec._map_gap.covered IS 'Private. How many of them are covered.';
COMMENT ON COLUMN cec._map_gap.covered_elsewhere IS 'Private. How many another contract covers.';
COMMENT ON COLUMN cec._map_gap.uncovered IS 'Private. How many nobody covers.';
COMMENT ON COLUMN cec._map_gap.share IS 'Private. Covered of assets.';
COMMENT ON COLUMN cec._map_gap.value IS 'Private. What its assets are worth.';
COMMENT ON COLUMN cec._map_gap.uncovered_value IS 'Private. What those are worth that nobody covers.';
COMMENT ON COLUMN cec._map_gap.shortfall IS 'Private. How many more would have to be covered.';
COMMENT ON COLUMN cec._map_gap.is_under_covered IS 'Private. Always true.';
COMMENT ON COLUMN cec._map_gap.geom IS 'Private. What the tile shows of it.';
COMMENT ON FUNCTION cec._map_cell_column(bigint) IS 'Private. The column of a cell of the grid, at the level of the cell.';
COMMENT ON FUNCTION cec._map_cell_row(bigint) IS 'Private. The row of a cell of the grid, at the level of the cell.';
COMMENT ON FUNCTION cec._map_position(bigint, bigint) IS 'Private. A position in a tile.';
COMMENT ON FUNCTION cec._lies_in_box(geometry, double precision, double precision, double precision, double precision) IS 'Private. Whether a place lies in a rectangle of longitudes and latitudes; answered by an index.';
COMMENT ON FUNCTION cec._as_double(numeric) IS 'Private. A number of any size as one that a tile can hold.';
COMMENT ON FUNCTION cec._tile_of_clusters(cec._map_cluster[]) IS 'Private. A tile of clusters.';
COMMENT ON FUNCTION cec._tile_of_points(cec._map_point[]) IS 'Private. A tile of assets.';
COMMENT ON FUNCTION cec._tile_of_contracts(cec._map_contract[]) IS 'Private. A tile of contracts.';
COMMENT ON FUNCTION cec._tile_of_gaps(cec._map_gap[]) IS 'Private. A tile of zones.';
COMMENT ON FUNCTION cec._map_area(geometry, integer, integer, integer) IS 'Private. The part of an area that a tile shows, in its coordinates; NULL where there is none.';
COMMENT ON FUNCTION cec._map_question(regnamespace, json) IS 'Private. What the parameters of a tile ask for, or SQLSTATE 22023 or 23503.';
COMMENT ON FUNCTION cec.mvt_assets(regnamespace, integer, integer, integer, json) IS 'A vector tile of assets; see mvt_assets of a portfolio.';
COMMENT ON FUNCTION cec.mvt_contracts(regnamespace, integer, integer, integer, json) IS 'A vector tile of contracts; see mvt_contracts of a portfolio.';
COMMENT ON FUNCTION cec.mvt_gaps(regnamespace, integer, integer, integer, json) IS 'A vector tile of zones where cover is thin; see mvt_gaps of a portfolio.';
