-- The master register: finding an asset by whatever it is called.

-- Every asset that an identifier names, once each, with the scheme that matched first.
CREATE FUNCTION cec.find_asset(portfolio regnamespace, identifier text, on_day date)
RETURNS TABLE (asset_id bigint, asset_tag text, tag_symbology text, serial_number text, manufacturer text,
	model text, category text, usage_type text, status text, customer_id bigint, country text, region text,
	location geometry, commissioned_on date, decommissioned_on date, out_of_service datemultirange,
	successor_id bigint, attributes jsonb, source text, source_updated_at timestamptz, scheme text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY EXECUTE cec._sql(portfolio,
		'SELECT a.asset_id, a.asset_tag, a.tag_symbology, a.serial_number, a.manufacturer, a.model, a.category,
			a.usage_type, a.status, a.customer_id, a.country, a.region, a.location, a.commissioned_on,
			a.decommissioned_on, a.out_of_service, a.successor_id, a.attributes, a.source, a.source_updated_at, m.scheme
		FROM (SELECT DISTINCT ON (asset_id) asset_id, scheme
			FROM (SELECT asset_id, ''asset_tag'' AS scheme, 1 AS place FROM @P@.asset WHERE asset_tag = $1
				UNION ALL SELECT asset_id, ''serial_number'', 2 FROM @P@.asset WHERE serial_number = $1
				UNION ALL SELECT asset_id, scheme, 3 FROM @P@.asset_identifier WHERE value = $1 AND during @> $2) AS every
			ORDER BY asset_id, place, scheme) AS m
			JOIN @P@.asset a USING (asset_id)
		ORDER BY a.asset_id')
		USING identifier, coalesce(on_day, cec.today(portfolio));
END;
$$;

COMMENT ON FUNCTION cec.find_asset(regnamespace, text, date) IS 'Assets that an identifier names on a day (NULL: today); see find_asset of a portfolio.';
