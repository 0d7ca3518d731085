-- Assets and contracts as layers of a map, for QGIS and BI tools, and what its symbols mean. OFFSET 0: today is read once, and what is
-- looked up for an asset is looked up by its key, whatever statistics say.

CREATE VIEW @P@.asset_map WITH (security_invoker = true) AS
SELECT a.asset_id, a.location, ST_X(a.location) AS longitude, ST_Y(a.location) AS latitude, a.asset_tag, a.serial_number,
	a.manufacturer, a.model, a.category,
	cec._map_status(v.is_stated, v.is_inherited, v.is_ruled,
		cec._life_has(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service, d.today), false) AS status,
	cec._asset_value(a.attributes, d.value_attribute) AS asset_value,
	a.customer_id, u.name AS customer, a.country, a.region,
	f.contract_id, f.contract_number, f.term_id, f.term_number, f.account_manager, f.tier_code, f.last_day,
	(SELECT o.contract_id FROM @P@.contract o
		WHERE ST_Covers(o.boundary, a.location) AND o.status IN ('active', 'terminated') AND o.during @> d.today
		ORDER BY o.priority, o.contract_id LIMIT 1) AS owning_contract_id
FROM @P@.asset a
	CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today, value_attribute FROM @P@.setting OFFSET 0) AS d
	LEFT JOIN @P@.customer u ON u.customer_id = a.customer_id
	LEFT JOIN LATERAL (
		SELECT bool_or(v.is_stated) AS is_stated, bool_or(v.is_inherited) AS is_inherited, bool_or(v.is_ruled) AS is_ruled
		FROM @P@.coverage v WHERE v.asset_id = a.asset_id AND v.during @> d.today
	) AS v ON true
	-- The first row of covered_on. min() of one row is that row, and says to the planner that it may leave it out.
	LEFT JOIN LATERAL (
		SELECT min(x.contract_id) AS contract_id, min(x.contract_number) AS contract_number, min(x.term_id) AS term_id, min(x.term_number) AS term_number,
			min(x.account_manager) AS account_manager, min(x.tier_code) AS tier_code, min(x.last_day) AS last_day
		FROM (
			SELECT t.contract_id, c.number AS contract_number, v.term_id, t.number AS term_number, c.account_manager, s.code AS tier_code,
				upper(v.during) - 1 AS last_day
			FROM @P@.coverage v
				CROSS JOIN LATERAL (SELECT t.contract_id, t.tier_id, t.number FROM @P@.coverage_term t WHERE t.term_id = v.term_id OFFSET 0) AS t
				CROSS JOIN LATERAL (SELECT c.kind, c.priority, c.number, c.account_manager FROM @P@.contract c WHERE c.contract_id = t.contract_id OFFSET 0) AS c
				LEFT JOIN LATERAL (SELECT s.code, s.rank FROM @P@.service_tier s WHERE s.tier_id = t.tier_id OFFSET 0) AS s ON true
			WHERE v.asset_id = a.asset_id AND v.during @> d.today
			ORDER BY CASE c.kind WHEN 'warranty' THEN 1 WHEN 'extended_warranty' THEN 2 WHEN 'service' THEN 3 ELSE 4 END,
				CASE WHEN v.is_stated THEN 1 WHEN v.is_inherited THEN 2 ELSE 3 END, s.rank DESC NULLS LAST, c.priority,
				upper(v.during) DESC NULLS FIRST, c.number, t.number, v.coverage_id
			LIMIT 1
		) AS x
	) AS f ON true;

CREATE VIEW @P@.contract_map WITH (security_invoker = true) AS
SELECT c.contract_id, c.boundary, ST_AsGeoJSON(c.boundary, 6, 0) AS geojson, c.number AS contract_number, c.customer_id,
	u.name AS customer, c.account_manager, c.kind, c.status, c.governing_country, c.priority,
	lower(c.during) AS valid_from, upper(c.during) - 1 AS last_day, upper(c.during) AS valid_to, c.during @> d.today AS is_current,
	-- The boundary stays the same from asset to asset, and is prepared once.
	(SELECT count(*) FROM @P@.asset a WHERE ST_Covers(c.boundary, a.location)) AS assets_inside,
	(SELECT count(DISTINCT v.asset_id)
		FROM @P@.coverage_term t
			CROSS JOIN LATERAL (SELECT v.asset_id FROM @P@.coverage v WHERE v.term_id = t.term_id AND v.during @> d.today OFFSET 0) AS v
		WHERE t.contract_id = c.contract_id) AS covered
FROM @P@.contract c
	CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
	LEFT JOIN @P@.customer u ON u.customer_id = c.customer_id
WHERE c.boundary IS NOT NULL;

-- Everything is counted, so cover is read as a whole and not asset by asset.
CREATE VIEW @P@.map_legend WITH (security_invoker = true) AS
SELECT s.place::bigint AS map_legend_id, s.status, s.label, s.colour, s.shape, coalesce(n.assets, 0) AS assets
FROM cec._map_symbol s
	LEFT JOIN (
		SELECT CASE WHEN a.location IS NULL THEN 'no_location' WHEN abs(ST_Y(a.location)) > 85.0511 THEN 'beyond_map'
				ELSE cec._map_status(v.is_stated, v.is_inherited, v.is_ruled,
					cec._life_has(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service, d.today), false) END AS status,
			count(*) AS assets
		FROM @P@.asset a
			CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
			LEFT JOIN (
				SELECT v.asset_id, bool_or(v.is_stated) AS is_stated, bool_or(v.is_inherited) AS is_inherited, bool_or(v.is_ruled) AS is_ruled
				FROM @P@.coverage v
					CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
				WHERE v.during @> d.today
				GROUP BY v.asset_id
			) AS v ON v.asset_id = a.asset_id
		GROUP BY 1
	) AS n ON n.status = s.status;

COMMENT ON VIEW @P@.asset_map IS 'Assets as a layer of a map, with what covers them today: one row an asset, located or not. Made for rectangles (location && ST_MakeEnvelope(…, 4326)) and single assets; what is not asked for costs nothing.';
COMMENT ON COLUMN @P@.asset_map.asset_id IS 'Key: the asset.';
COMMENT ON COLUMN @P@.asset_map.location IS 'Where it stands, WGS 84 (SRID 4326); NULL: unknown.';
COMMENT ON COLUMN @P@.asset_map.longitude IS 'Longitude of it.';
COMMENT ON COLUMN @P@.asset_map.latitude IS 'Latitude of it.';
COMMENT ON COLUMN @P@.asset_map.asset_tag IS 'Its tag.';
COMMENT ON COLUMN @P@.asset_map.serial_number IS 'Its serial number.';
COMMENT ON COLUMN @P@.asset_map.manufacturer IS 'Manufacturer.';
COMMENT ON COLUMN @P@.asset_map.model IS 'Model or type.';
COMMENT ON COLUMN @P@.asset_map.category IS 'What kind of equipment it is.';
COMMENT ON COLUMN @P@.asset_map.status IS 'What it is on the map today, over all terms, the first that holds: covered (listed itself), covered_by_bundle, covered_by_rule, not_in_service, uncovered. map_legend has colours and shapes. The register''s own status is asset.status.';
COMMENT ON COLUMN @P@.asset_map.asset_value IS 'What it is worth: the attribute that setting.value_attribute names, a number or a text that reads as one; 0 where there is none.';
COMMENT ON COLUMN @P@.asset_map.customer_id IS 'Customer that it stands at.';
COMMENT ON COLUMN @P@.asset_map.customer IS 'Name of that customer.';
COMMENT ON COLUMN @P@.asset_map.country IS 'Country by the register, ISO 3166-1 alpha-2.';
COMMENT ON COLUMN @P@.asset_map.region IS 'Region by the register, ISO 3166-2.';
COMMENT ON COLUMN @P@.asset_map.contract_id IS 'Contract that covers it today, of several the best: the first row of covered_on. NULL: none.';
COMMENT ON COLUMN @P@.asset_map.contract_number IS 'Its number.';
COMMENT ON COLUMN @P@.asset_map.term_id IS 'Term of that contract which covers it.';
COMMENT ON COLUMN @P@.asset_map.term_number IS 'Number of the term in the contract.';
COMMENT ON COLUMN @P@.asset_map.account_manager IS 'Who looks after the contract.';
COMMENT ON COLUMN @P@.asset_map.tier_code IS 'Service tier of the term.';
COMMENT ON COLUMN @P@.asset_map.last_day IS 'Last day of this range of cover, included; NULL when open, or without cover.';
COMMENT ON COLUMN @P@.asset_map.owning_contract_id IS 'Contract whose ground it stands on: of those that are active or terminated, run today (suspended ones too) and have it inside their boundary or on its edge, the one of lowest priority, then of lowest key. On an edge that two share it is inside both, and one owns it. NULL: none.';
COMMENT ON VIEW @P@.contract_map IS 'Contracts with a boundary as a layer of a map: one row a contract, whatever its status and days.';
COMMENT ON COLUMN @P@.contract_map.contract_id IS 'Key: the contract.';
COMMENT ON COLUMN @P@.contract_map.boundary IS 'Its boundary, WGS 84 (SRID 4326).';
COMMENT ON COLUMN @P@.contract_map.geojson IS 'The boundary as GeoJSON, for tools that read no geometry; six decimals, a tenth of a metre.';
COMMENT ON COLUMN @P@.contract_map.contract_number IS 'Number of the contract.';
COMMENT ON COLUMN @P@.contract_map.customer_id IS 'Customer of the contract.';
COMMENT ON COLUMN @P@.contract_map.customer IS 'Name of that customer.';
COMMENT ON COLUMN @P@.contract_map.account_manager IS 'Who looks after it.';
COMMENT ON COLUMN @P@.contract_map.kind IS 'Kind of the contract.';
COMMENT ON COLUMN @P@.contract_map.status IS 'Status of the contract: draft, active, terminated or void.';
COMMENT ON COLUMN @P@.contract_map.governing_country IS 'Country whose law governs it.';
COMMENT ON COLUMN @P@.contract_map.priority IS 'Of contracts that share ground the one with the lowest owns it.';
COMMENT ON COLUMN @P@.contract_map.valid_from IS 'First day of the contract; NULL when unbounded.';
COMMENT ON COLUMN @P@.contract_map.last_day IS 'Last day, included; NULL when open.';
COMMENT ON COLUMN @P@.contract_map.valid_to IS 'The day after the last, for half-open joins; NULL when open.';
COMMENT ON COLUMN @P@.contract_map.is_current IS 'Whether today (in the portfolio''s time zone) is one of its days.';
COMMENT ON COLUMN @P@.contract_map.assets_inside IS 'How many assets stand inside the boundary or on its edge, whosever they are and whatever their status.';
COMMENT ON COLUMN @P@.contract_map.covered IS 'How many assets it covers today, wherever they stand.';
COMMENT ON VIEW @P@.map_legend IS 'What assets are on a map today, with how it is drawn and how many there are: one row a status, and one each for those that are counted and never drawn (no_location; beyond_map, more than 85.0511 degrees north or south). All assets together; nothing is excluded but by one contract, so here that is 0.';
COMMENT ON COLUMN @P@.map_legend.map_legend_id IS 'Key: its place in a legend. Of statuses the first that holds is an asset''s.';
COMMENT ON COLUMN @P@.map_legend.status IS 'covered, covered_by_bundle, covered_by_rule, not_in_service, excluded, uncovered; no_location, beyond_map.';
COMMENT ON COLUMN @P@.map_legend.label IS 'What people call it.';
COMMENT ON COLUMN @P@.map_legend.colour IS 'Colour of its symbol, as #rrggbb; told apart by people who do not tell red from green.';
COMMENT ON COLUMN @P@.map_legend.shape IS 'Shape of its symbol: circle, diamond, square, cross, pentagon or triangle, to be told apart in grey; none: never drawn.';
COMMENT ON COLUMN @P@.map_legend.assets IS 'How many assets there are of it today.';
