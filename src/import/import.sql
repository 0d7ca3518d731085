-- Lists that are imported: what check_inclusions says, done.

CREATE FUNCTION cec._import_inclusions(portfolio oid, term_id bigint, rows jsonb, mode text, missing text, max_end_fraction numeric,
	requested_at timestamptz)
RETURNS TABLE (place bigint, identifier text, outcome text, sqlstate text, constraint_name text, message text, asset_id bigint,
	suggestion text, done boolean)
LANGUAGE c ROWS 1000 SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'cec_import_inclusions';

CREATE FUNCTION cec.import_inclusions(portfolio regnamespace, term_id bigint, rows jsonb, mode text, missing text, max_end_fraction numeric,
	requested_at timestamptz)
RETURNS TABLE (place bigint, identifier text, outcome text, sqlstate text, constraint_name text, message text, asset_id bigint,
	suggestion text, done boolean)
LANGUAGE sql ROWS 1000
BEGIN ATOMIC
	SELECT i.place, i.identifier, i.outcome, i.sqlstate, i.constraint_name, i.message, i.asset_id, i.suggestion, i.done
	FROM cec._import_inclusions(portfolio::oid, term_id, rows, mode, missing, max_end_fraction, requested_at) AS i;
END;

COMMENT ON FUNCTION cec._import_inclusions(oid, bigint, jsonb, text, text, numeric, timestamptz) IS 'Private. Says what becomes of the rows of a list, and does it unless mode is check.';
COMMENT ON FUNCTION cec.import_inclusions(regnamespace, bigint, jsonb, text, text, numeric, timestamptz) IS 'Imports a list; see import_inclusions of a portfolio.';
