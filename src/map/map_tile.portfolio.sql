-- Tiles of the map, as tile servers find them: by arguments, result and the TileJSON of the comment.

CREATE FUNCTION @P@.mvt_assets(z integer, x integer, y integer, query_params json DEFAULT '{}') RETURNS bytea
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT cec.mvt_assets(@L@::regnamespace, z, x, y, query_params);
END;

CREATE FUNCTION @P@.mvt_contracts(z integer, x integer, y integer, query_params json DEFAULT '{}') RETURNS bytea
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT cec.mvt_contracts(@L@::regnamespace, z, x, y, query_params);
END;

CREATE FUNCTION @P@.mvt_gaps(z integer, x integer, y integer, query_params json DEFAULT '{}') RETURNS bytea
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT cec.mvt_gaps(@L@::regnamespace, z, x, y, query_params);
END;

COMMENT ON FUNCTION @P@.mvt_assets(integer, integer, integer, json) IS '{"description": "Assets on a day, as clusters up to zoom 6 and wherever a tile would have more than max_features (5000). Parameters: status, on_day (YYYY-MM-DD, default today), contract_number, customer (external_ref), account_manager, max_features. Errors: 22023 zoom, tile or parameter, 23503 contract or customer, 42501 rights.", "minzoom": 0, "maxzoom": 24, "bounds": [-180, -85.0511, 180, 85.0511], "vector_layers": [{"id": "assets", "fields": {"asset_tag": "String", "status": "String", "is_duplicate": "Boolean", "is_expiring": "Boolean", "findings": "Number", "contract_number": "String", "tier_code": "String", "last_day": "String", "customer": "String", "value": "Number", "is_cluster": "Boolean", "assets": "Number", "covered": "Number", "covered_by_bundle": "Number", "covered_by_rule": "Number", "not_in_service": "Number", "excluded": "Number", "uncovered": "Number", "uncovered_value": "Number"}}]}';
COMMENT ON FUNCTION @P@.mvt_contracts(integer, integer, integer, json) IS '{"description": "Boundaries of contracts that run on a day. Parameters: on_day (YYYY-MM-DD, default today), contract_number, customer (external_ref), account_manager; status and max_features mean nothing here. Errors: 22023 zoom, tile or parameter, 23503 contract or customer, 42501 rights.", "minzoom": 0, "maxzoom": 24, "bounds": [-180, -85.0511, 180, 85.0511], "vector_layers": [{"id": "contracts", "fields": {"contract_number": "String", "customer": "String", "account_manager": "String", "kind": "String", "status": "String", "last_day": "String", "covered": "Number"}}]}';
COMMENT ON FUNCTION @P@.mvt_gaps(integer, integer, integer, json) IS '{"description": "Cells of 20 km in which less than nine of ten assets in service are covered on a day: of a contract by it, else by any. Parameters: on_day (YYYY-MM-DD, default today), contract_number; the others mean nothing here. Errors: 22023 zoom, tile or parameter, 23503 contract, 42501 rights.", "minzoom": 0, "maxzoom": 24, "bounds": [-180, -85.0511, 180, 85.0511], "vector_layers": [{"id": "gaps", "fields": {"assets": "Number", "covered": "Number", "covered_elsewhere": "Number", "uncovered": "Number", "share": "Number", "value": "Number", "uncovered_value": "Number", "shortfall": "Number", "is_under_covered": "Boolean"}}]}';
