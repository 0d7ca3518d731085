-- What rules do: the set-based way of running a condition, and trying one out.

-- For the index of rules: xmin, ymin, xmax, ymax of a boundary.
CREATE FUNCTION cec._bounds(boundary geometry) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN st_xmin(boundary) IS NOT NULL
		THEN ARRAY[st_xmin(boundary), st_ymin(boundary), st_xmax(boundary), st_ymax(boundary)] END;
END;

CREATE FUNCTION cec._scan_rule(portfolio oid, term_id bigint, effect text, on_unknown text, condition text, on_day date)
RETURNS SETOF bigint
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'cec_scan_rule';

COMMENT ON FUNCTION cec._bounds(geometry) IS 'Private. West, south, east and north of a boundary; NULL when there is none or it is empty.';
COMMENT ON FUNCTION cec._scan_rule(oid, bigint, text, text, text, date) IS 'Private. Assets that a rule would act on, on a day, among those that the caller may read. Condition NULL: as a suspended rule.';
