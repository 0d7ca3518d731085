-- Zones of a portfolio: where fewer assets are covered than should be.

CREATE FUNCTION @P@.under_covered_zones(contract_number text, cell_size_m double precision DEFAULT 20000, on_day date DEFAULT NULL,
	min_share numeric DEFAULT 0.9)
RETURNS TABLE (zone_id bigint, assets bigint, covered bigint, covered_elsewhere bigint, uncovered bigint, share numeric, value numeric,
	uncovered_value numeric, shortfall bigint, is_under_covered boolean, geometry geometry)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec.under_covered_zones(@L@::regnamespace, contract_number, cell_size_m, on_day, min_share);
END;

CREATE FUNCTION @P@.zone_candidates(contract_number text, zone_id bigint, on_day date DEFAULT NULL)
RETURNS TABLE (asset_id bigint, identifier text, first_day date, last_day date, effect text, note text)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec.zone_candidates(@L@::regnamespace, contract_number, zone_id, on_day);
END;

CREATE VIEW @P@.gap_map WITH (security_invoker = true) AS
SELECT z.zone_id, z.geometry::geometry(MultiPolygon, 4326) AS geometry, cec._zone_geojson(z.geometry) AS geojson, z.longitude, z.latitude,
	z.assets, z.covered, z.uncovered, z.share, z.value, z.uncovered_value, z.shortfall
FROM cec._zones(@L@::regnamespace, NULL, 20000, NULL, 0.9) AS z
WHERE z.is_under_covered;

COMMENT ON FUNCTION @P@.under_covered_zones(text, double precision, date, numeric) IS 'Where a contract covers fewer assets than it should: one row for each square cell of equal area, cell_size_m wide, in which an asset stands that it should cover on a day (NULL: today), those with most uncovered value first. It should cover the assets of its customer (those of companies above and below, too) that are in service and stand inside its boundary; carved-out ones count. contract_number NULL: all assets of the portfolio, by any contract. covered: by this contract; covered_elsewhere: by others alone; uncovered: by none; share: covered ÷ assets; shortfall: how many more it takes for min_share of the assets. value is the attribute that setting.value_attribute names. geometry: the whole cell, split at 180°. The grid is Lambert''s azimuthal equal-area projection centred, in whole degrees, on the middle of the boundary or else of the assets: a zone_id is that of its contract, cell size and, without a boundary, assets. Errors: 22004 NULL, 22008 infinity, 22023 cell_size_m under 1 or infinite, min_share outside 0 to 1, 23503 no such contract.';
COMMENT ON FUNCTION @P@.zone_candidates(text, bigint, date) IS 'Assets that nothing covers in a zone of under_covered_zones with cells of 20,000 m, for the same contract and day (NULL: today): those of most value first. Without asset_id the rows are what check_inclusions and import_inclusions take: jsonb_agg(to_jsonb(c) - ''asset_id''). Errors: 22004 no zone, 22008 infinity, 23503 no such contract.';
COMMENT ON VIEW @P@.gap_map IS 'Zones of 20,000 m in which today fewer than nine of ten assets are covered by any contract, for maps.';
COMMENT ON COLUMN @P@.gap_map.zone_id IS 'Key: column and row of the cell; see under_covered_zones.';
COMMENT ON COLUMN @P@.gap_map.geometry IS 'The whole cell.';
COMMENT ON COLUMN @P@.gap_map.geojson IS 'The same as GeoJSON.';
COMMENT ON COLUMN @P@.gap_map.longitude IS 'Longitude of its middle.';
COMMENT ON COLUMN @P@.gap_map.latitude IS 'Latitude of its middle.';
COMMENT ON COLUMN @P@.gap_map.assets IS 'Assets in service that stand in it.';
COMMENT ON COLUMN @P@.gap_map.covered IS 'Of these, covered ones.';
COMMENT ON COLUMN @P@.gap_map.uncovered IS 'And the others.';
COMMENT ON COLUMN @P@.gap_map.share IS 'covered ÷ assets.';
COMMENT ON COLUMN @P@.gap_map.value IS 'What the assets are worth: the attribute that setting.value_attribute names, 0 where it is missing.';
COMMENT ON COLUMN @P@.gap_map.uncovered_value IS 'What the uncovered ones are worth.';
COMMENT ON COLUMN @P@.gap_map.shortfall IS 'How many more it takes for nine of ten.';
