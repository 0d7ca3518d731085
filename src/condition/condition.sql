-- Conditions of rules and regulations: what they may mention, how they are understood, and the functions that they are compiled to.

-- The row that a condition speaks of: an asset, a term and a day. The columns behind cover_days have no name in conditions.
CREATE TYPE cec.rule_fact AS (
	asset_id bigint,
	asset_tag text COLLATE "C",
	tag_symbology text COLLATE "C",
	serial_number text COLLATE "C",
	manufacturer text COLLATE "C",
	model text COLLATE "C",
	category text COLLATE "C",
	usage_type text COLLATE "C",
	status text COLLATE "C",
	customer_id bigint,
	country text COLLATE "C",
	region text COLLATE "C",
	location geometry(Point, 4326),
	commissioned_on date,
	decommissioned_on date,
	out_of_service datemultirange,
	successor_id bigint,
	attributes jsonb,
	source text COLLATE "C",
	source_updated_at timestamptz,
	as_of date,
	age_years integer,
	inside_boundary boolean,
	distance_to_boundary_m double precision,
	contract_number text COLLATE "C",
	contract_kind text COLLATE "C",
	governing_country text COLLATE "C",
	tier_code text COLLATE "C",
	tier_rank integer,
	response_hours numeric,
	cover_first_day date,
	cover_last_day date,
	cover_days integer,
	boundary geometry(MultiPolygon, 4326),
	boundary_on_globe geography,
	maintenance_kinds text[] COLLATE "C",
	maintenance_days date[],
	request_days date[]
);

-- What conditions are compiled to. Pure, so that both ways of running a rule agree, on any day and in any session.
CREATE FUNCTION cec._age_years(commissioned_on date, on_day date) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_age_years';
CREATE FUNCTION cec._last_maintenance(kind text, on_day date, kinds text[], days date[]) RETURNS date
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_last_maintenance';
CREATE FUNCTION cec._maintenance_count(kind text, within interval, on_day date, kinds text[], days date[]) RETURNS integer
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_maintenance_count';
CREATE FUNCTION cec._request_count(within interval, on_day date, days date[]) RETURNS integer
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_request_count';
CREATE FUNCTION cec._bounded_text(value text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_bounded_text';
CREATE FUNCTION cec._bounded_jsonb(value jsonb) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_bounded_jsonb';
CREATE FUNCTION cec._bounded_number(value numeric) RETURNS numeric
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_bounded_number';

-- What people write. The first three stand for the functions above, with the fact row's columns as further arguments.
CREATE FUNCTION cec.last_maintenance(kind text) RETURNS date
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_only_in_condition';
CREATE FUNCTION cec.maintenance_count(kind text, within interval) RETURNS integer
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_only_in_condition';
CREATE FUNCTION cec.request_count(within interval) RETURNS integer
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_only_in_condition';
CREATE FUNCTION cec.distance_to_point_m(longitude double precision, latitude double precision) RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_only_in_condition';
CREATE FUNCTION cec.as_date(value text) RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_as_date';
CREATE FUNCTION cec.as_number(value text) RETURNS numeric
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_as_number';

CREATE FUNCTION cec.check_condition(condition text)
RETURNS TABLE (canonical text, columns text[], depends_on_day boolean, conjuncts text[])
LANGUAGE c STABLE ROWS 1 AS 'MODULE_PATHNAME', 'cec_check_condition';

CREATE FUNCTION cec._condition_sql(condition text) RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'cec_condition_sql';

CREATE FUNCTION cec._rule_columns() RETURNS TABLE (place smallint, depends_on_day boolean, is_indexed boolean, is_for_rules boolean)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_rule_columns';
CREATE FUNCTION cec._rule_functions()
RETURNS TABLE (place integer, function_name text, arguments text, result text, meaning text, depends_on_day boolean)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_rule_functions';

CREATE VIEW cec.rule_column AS
SELECT a.attname::text AS column_name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
	pg_catalog.col_description(a.attrelid, a.attnum) AS meaning, c.depends_on_day, c.is_indexed,
	c.is_for_rules
FROM pg_catalog.pg_type t
	JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid
	JOIN cec._rule_columns() AS c ON c.place = a.attnum
WHERE t.oid = 'cec.rule_fact'::regtype
ORDER BY a.attnum;

CREATE VIEW cec.rule_function AS
SELECT f.function_name, f.arguments, f.result, f.meaning, f.depends_on_day
FROM cec._rule_functions() AS f
ORDER BY f.place;

GRANT SELECT ON cec.rule_column, cec.rule_function TO PUBLIC;

COMMENT ON TYPE cec.rule_fact IS 'What a condition speaks of: an asset, a term and a day. Columns behind cover_days have no name in conditions.';
COMMENT ON COLUMN cec.rule_fact.asset_id IS 'the asset''s key';
COMMENT ON COLUMN cec.rule_fact.asset_tag IS 'the asset''s tag';
COMMENT ON COLUMN cec.rule_fact.tag_symbology IS 'how the tag is printed';
COMMENT ON COLUMN cec.rule_fact.serial_number IS 'serial number';
COMMENT ON COLUMN cec.rule_fact.manufacturer IS 'who made it';
COMMENT ON COLUMN cec.rule_fact.model IS 'its model';
COMMENT ON COLUMN cec.rule_fact.category IS 'what it is';
COMMENT ON COLUMN cec.rule_fact.usage_type IS 'what it is used for';
COMMENT ON COLUMN cec.rule_fact.status IS 'planned, in_service, in_storage, in_repair or retired';
COMMENT ON COLUMN cec.rule_fact.customer_id IS 'whose it is';
COMMENT ON COLUMN cec.rule_fact.country IS 'where it stands, ISO 3166-1 alpha-2';
COMMENT ON COLUMN cec.rule_fact.region IS 'where it stands, ISO 3166-2';
COMMENT ON COLUMN cec.rule_fact.location IS 'where it stands; for IS NULL, st_x and st_y';
COMMENT ON COLUMN cec.rule_fact.commissioned_on IS 'its first day';
COMMENT ON COLUMN cec.rule_fact.decommissioned_on IS 'its last day';
COMMENT ON COLUMN cec.rule_fact.out_of_service IS 'days in between on which it was no unit of its contract: out_of_service @> as_of';
COMMENT ON COLUMN cec.rule_fact.successor_id IS 'the asset that replaced it';
COMMENT ON COLUMN cec.rule_fact.attributes IS 'everything else that the register knows: attributes ->> ''fuel'' = ''gas''';
COMMENT ON COLUMN cec.rule_fact.source IS 'where the register has it from';
COMMENT ON COLUMN cec.rule_fact.source_updated_at IS 'when that was last updated';
COMMENT ON COLUMN cec.rule_fact.as_of IS 'the day for which the condition is asked';
COMMENT ON COLUMN cec.rule_fact.age_years IS 'completed years from commissioned_on to as_of; 0 before, NULL when commissioned_on is';
COMMENT ON COLUMN cec.rule_fact.inside_boundary IS 'whether the location is in the contract''s boundary or on its edge; NULL without location or boundary';
COMMENT ON COLUMN cec.rule_fact.distance_to_boundary_m IS 'metres from the location to the boundary, 0 inside; NULL without location or boundary';
COMMENT ON COLUMN cec.rule_fact.contract_number IS 'number of the contract';
COMMENT ON COLUMN cec.rule_fact.contract_kind IS 'service, warranty, extended_warranty or lease';
COMMENT ON COLUMN cec.rule_fact.governing_country IS 'country whose law governs the contract';
COMMENT ON COLUMN cec.rule_fact.tier_code IS 'code of the term''s tier; NULL when it has none';
COMMENT ON COLUMN cec.rule_fact.tier_rank IS 'rank of the term''s tier, higher is better';
COMMENT ON COLUMN cec.rule_fact.response_hours IS 'hours within which the term''s tier promises service; NULL when it promises none';
COMMENT ON COLUMN cec.rule_fact.cover_first_day IS 'first of the covered days, under the term, in which as_of lies without a gap; NULL when there is none';
COMMENT ON COLUMN cec.rule_fact.cover_last_day IS 'last of them; NULL when they do not end';
COMMENT ON COLUMN cec.rule_fact.cover_days IS 'how many days the asset is covered under the term, past and to come; NULL when they do not end';
COMMENT ON COLUMN cec.rule_fact.boundary IS 'Private. The contract''s boundary.';
COMMENT ON COLUMN cec.rule_fact.boundary_on_globe IS 'Private. The same as geography: what distances are measured to.';
COMMENT ON COLUMN cec.rule_fact.maintenance_kinds IS 'Private. Kinds of the asset''s maintenances; NULL is none.';
COMMENT ON COLUMN cec.rule_fact.maintenance_days IS 'Private. Their days, in the same order.';
COMMENT ON COLUMN cec.rule_fact.request_days IS 'Private. Days on which service requests of the asset were opened; NULL is none.';
COMMENT ON FUNCTION cec._age_years(date, date) IS 'Private. Completed years through a day; 0 before the first.';
COMMENT ON FUNCTION cec._last_maintenance(text, date, text[], date[]) IS 'Private. The latest of the days that have this kind, through a day.';
COMMENT ON FUNCTION cec._maintenance_count(text, interval, date, text[], date[]) IS 'Private. How many of the days have this kind and are within so much time before a day.';
COMMENT ON FUNCTION cec._request_count(interval, date, date[]) IS 'Private. How many of the days are within so much time before a day.';
COMMENT ON FUNCTION cec._bounded_text(text) IS 'Private. The text itself, or SQLSTATE 54000 when it is too long to be searched.';
COMMENT ON FUNCTION cec._bounded_jsonb(jsonb) IS 'Private. The value itself, or SQLSTATE 54000 when it is too long to be unpacked many times.';
COMMENT ON FUNCTION cec._bounded_number(numeric) IS 'Private. The number itself, or SQLSTATE 54000 when it is too long to compute with.';
COMMENT ON FUNCTION cec.last_maintenance(text) IS 'In conditions: the latest day, as_of at most, of a maintenance of that kind. Elsewhere SQLSTATE 0A000.';
COMMENT ON FUNCTION cec.maintenance_count(text, interval) IS 'In conditions: how many maintenances of that kind there were after as_of - within, through as_of. Elsewhere SQLSTATE 0A000.';
COMMENT ON FUNCTION cec.request_count(interval) IS 'In conditions: how many service requests were opened after as_of - within, through as_of. Elsewhere SQLSTATE 0A000.';
COMMENT ON FUNCTION cec.distance_to_point_m(double precision, double precision) IS 'In conditions: metres from the asset''s location to a point, longitude first. Elsewhere SQLSTATE 0A000.';
COMMENT ON FUNCTION cec.as_date(text) IS 'The day that a text says as YYYY-MM-DD; NULL for any other text.';
COMMENT ON FUNCTION cec.as_number(text) IS 'The number that a text says in decimal digits, of at most 100 characters; NULL for any other text.';
COMMENT ON FUNCTION cec.check_condition(text) IS 'How a condition is understood: its canonical form, the columns that it mentions, whether it depends on the day, and the parts by which rules are found. Errors, with the position in the condition: 22004 NULL, 42601 syntax, 42703 column, 42883 function or operator, 42804 not a boolean, 0A000 not allowed, 54000 too long or complex, 22xxx constants.';
COMMENT ON FUNCTION cec._condition_sql(text) IS 'Private. The SQL that a condition is compiled to, over a relation f with the columns of cec.rule_fact; errors as check_condition.';
COMMENT ON FUNCTION cec._rule_columns() IS 'Private. The columns of cec.rule_fact that conditions may name.';
COMMENT ON FUNCTION cec._rule_functions() IS 'Private. The functions that conditions may call.';
COMMENT ON VIEW cec.rule_column IS 'Columns that a condition may name.';
COMMENT ON COLUMN cec.rule_column.column_name IS 'Name in conditions.';
COMMENT ON COLUMN cec.rule_column.type IS 'Type.';
COMMENT ON COLUMN cec.rule_column.meaning IS 'What it says.';
COMMENT ON COLUMN cec.rule_column.depends_on_day IS 'Whether it changes with the day: rules that mention it are asked again every day.';
COMMENT ON COLUMN cec.rule_column.is_indexed IS 'Whether "column = constant", joined to the rest by AND, spares asking the rule for assets that it cannot match.';
COMMENT ON COLUMN cec.rule_column.is_for_rules IS 'Whether conditions of rules may name it. Those of regulations may name all.';
COMMENT ON VIEW cec.rule_function IS 'Functions that a condition may call, a row for each kind of arguments.';
COMMENT ON COLUMN cec.rule_function.function_name IS 'Name in conditions.';
COMMENT ON COLUMN cec.rule_function.arguments IS 'Arguments, or their types.';
COMMENT ON COLUMN cec.rule_function.result IS 'Type of the result.';
COMMENT ON COLUMN cec.rule_function.meaning IS 'What it returns.';
COMMENT ON COLUMN cec.rule_function.depends_on_day IS 'Whether it changes with the day.';
