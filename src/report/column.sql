-- What the columns of a portfolio's views are, for tools that draw reports. Filled from the views themselves at the end of the install
-- script (src/portfolio/shape.sql), so that no list is kept beside them.

CREATE TABLE cec.report_column (
	view_name text COLLATE "C" NOT NULL,
	column_name text COLLATE "C" NOT NULL,
	column_type text COLLATE "C" NOT NULL,
	meaning text NOT NULL,
	unit text COLLATE "C",
	semantic_type text COLLATE "C" NOT NULL,
	refers_to text COLLATE "C",
	CONSTRAINT report_column_pkey PRIMARY KEY (view_name, column_name)
);

-- By name and type of the column. Whoever names one so that it is told wrongly finds another name, or adds a line.
CREATE FUNCTION cec._note_report_columns(template regnamespace) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM cec.report_column;
	INSERT INTO cec.report_column (view_name, column_name, column_type, meaning, unit, semantic_type, refers_to)
	SELECT c.relname, a.attname, regexp_replace(format_type(a.atttypid, a.atttypmod), '^\w+\.', ''), replace(col_description(c.oid, a.attnum), template::text, 'P'),
		CASE
			WHEN a.attname IN ('adherence', 'observed_share', 'share', 'rate', 'value_rate') THEN 'share'
			WHEN a.attname = 'requests_per_asset_year' THEN 'requests per asset and year'
			WHEN a.attname IN ('days', 'covered_days') THEN 'days'
			WHEN a.attname = 'response_hours' THEN 'hours'
			WHEN a.attname IN ('longitude', 'latitude') THEN 'degrees'
			WHEN a.attname IN ('price', 'cost', 'amount', 'revenue_billed', 'revenue_expected', 'service_cost', 'over_cover', 'under_cover', 'margin', 'revenue_at_risk') THEN 'money'
			END,
		CASE
			WHEN a.attnum = 1 AND a.attname ~ '_id$' THEN 'key'
			WHEN a.attname ~ '_id$' THEN 'reference'
			WHEN a.atttypid = 'boolean'::regtype THEN 'flag'
			WHEN a.attname = 'month' OR a.attname = 'time' THEN 'month'
			WHEN a.atttypid = 'date'::regtype THEN 'day'
			WHEN a.atttypid = 'timestamptz'::regtype THEN 'time'
			WHEN a.attname = 'currency' THEN 'currency'
			WHEN a.attname IN ('adherence', 'observed_share', 'share', 'rate', 'value_rate') THEN 'share'
			WHEN a.attname IN ('price', 'cost', 'amount', 'revenue_billed', 'revenue_expected', 'service_cost', 'over_cover', 'under_cover', 'margin', 'revenue_at_risk') THEN 'amount'
			WHEN a.attname = 'country' THEN 'country'
			WHEN a.attname IN ('longitude', 'latitude') THEN a.attname
			WHEN a.atttypid = 'bigint'::regtype OR a.atttypid = 'integer'::regtype THEN 'count'
			WHEN a.atttypid = 'numeric'::regtype THEN 'number'
			WHEN a.attname IN ('asset_tag', 'contract_number', 'term_number', 'serial_number', 'customer') THEN 'name'
			WHEN a.atttypid = 'text'::regtype AND a.attname IN ('account_manager', 'metric', 'unit', 'kind', 'reason', 'grouped_by', 'group_value', 'category', 'status', 'severity',
				'tier_code', 'contract_kind', 'contract_status', 'price_basis', 'proration', 'region', 'model', 'manufacturer', 'label', 'colour', 'shape') THEN 'category'
			WHEN format_type(a.atttypid, NULL) ~ '\mgeometry$' OR a.attname = 'geojson' THEN 'location'
			WHEN a.atttypid = 'text'::regtype THEN 'text'
			ELSE 'other' END,
		CASE WHEN a.attnum > 1 OR a.attname IN ('asset_id', 'contract_id', 'term_id') THEN CASE a.attname
			WHEN 'asset_id' THEN 'asset' WHEN 'other_asset_id' THEN 'asset' WHEN 'contract_id' THEN 'contract' WHEN 'owning_contract_id' THEN 'contract' WHEN 'term_id' THEN 'coverage_term' WHEN 'customer_id' THEN 'customer'
			WHEN 'tier_id' THEN 'service_tier' WHEN 'rule_id' THEN 'coverage_rule' WHEN 'finding_id' THEN 'finding' WHEN 'audit_id' THEN 'audit_log' END END
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relnamespace = template AND c.relkind = 'v' AND c.relname !~ '^_' AND a.attnum > 0 AND NOT a.attisdropped
		AND col_description(c.oid, a.attnum) IS NOT NULL;
END;
$$;

REVOKE ALL ON FUNCTION cec._note_report_columns(regnamespace) FROM PUBLIC;
GRANT SELECT ON cec.report_column TO PUBLIC;

COMMENT ON TABLE cec.report_column IS 'The columns of a portfolio''s views: what they mean, in what unit, and what they are, for tools that draw reports.';
COMMENT ON COLUMN cec.report_column.view_name IS 'View.';
COMMENT ON COLUMN cec.report_column.column_name IS 'Column.';
COMMENT ON COLUMN cec.report_column.column_type IS 'Its type in SQL.';
COMMENT ON COLUMN cec.report_column.meaning IS 'What it says: its comment.';
COMMENT ON COLUMN cec.report_column.unit IS 'Unit of a number: share (of 1), money (in the row''s currency), days, hours, degrees, …; NULL: none, or it stands in the row.';
COMMENT ON COLUMN cec.report_column.semantic_type IS 'What it is: key, reference, name, category, month, day, time, amount, currency, share, count, number, country, location, longitude, latitude, flag, text or other.';
COMMENT ON COLUMN cec.report_column.refers_to IS 'Table of the portfolio whose key it holds; NULL: none.';
COMMENT ON FUNCTION cec._note_report_columns(regnamespace) IS 'Private. Takes what report_column says from the views of a template; run once, at the end of the install script.';
