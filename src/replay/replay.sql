-- Tables and history compared with the log.

CREATE FUNCTION cec._verify_replay(portfolio oid)
RETURNS TABLE (kind text, table_name text, row_id bigint, column_name text, detail text)
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_verify_replay';

CREATE FUNCTION cec.verify_replay(portfolio regnamespace)
RETURNS TABLE (kind text, table_name text, row_id bigint, column_name text, detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._has_settings(portfolio);
	RETURN QUERY SELECT r.* FROM cec._verify_replay(portfolio) AS r
		ORDER BY r.table_name, r.row_id NULLS FIRST, r.kind, r.column_name, r.detail;
END;
$$;

CREATE FUNCTION cec._verify_history(portfolio oid)
RETURNS TABLE (kind text, table_name text, asset_id bigint, term_id bigint, rule_id bigint, first_day date, last_day date, detail text)
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_verify_history';

CREATE FUNCTION cec.verify_history(portfolio regnamespace)
RETURNS TABLE (kind text, table_name text, asset_id bigint, term_id bigint, rule_id bigint, first_day date, last_day date, detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY SELECT h.* FROM cec._verify_history(portfolio) AS h
		ORDER BY h.asset_id NULLS FIRST, h.table_name, h.term_id, h.rule_id, h.first_day NULLS FIRST, h.kind, h.detail;
END;
$$;

COMMENT ON FUNCTION cec._verify_replay(oid) IS 'Private. Differences between log and tables, in no order.';
COMMENT ON FUNCTION cec.verify_replay(regnamespace) IS 'Differences between the log and the tables that it records; see verify_replay of a portfolio.';
COMMENT ON FUNCTION cec._verify_history(oid) IS 'Private. Differences between what the log says of cover and the tables, in no order.';
COMMENT ON FUNCTION cec.verify_history(regnamespace) IS 'Differences between what the log says of cover and what is stored of it; see verify_history of a portfolio.';
