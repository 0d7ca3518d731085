-- What depends on the day.

CREATE FUNCTION cec._refresh(portfolio oid, on_day date) RETURNS TABLE (task text, count bigint)
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_refresh';

CREATE FUNCTION cec.refresh(portfolio regnamespace, on_day date) RETURNS TABLE (task text, count bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._require_read_committed('refresh');
	IF NOT has_table_privilege(format('%s.setting', portfolio)::regclass, 'UPDATE') THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('permission denied to refresh portfolio %s', portfolio),
			HINT = 'It needs UPDATE on the table setting, which level admin has.';
	END IF;
	RETURN QUERY SELECT r.task, r.count FROM cec._refresh(portfolio::oid, on_day) r;
END;
$$;

COMMENT ON FUNCTION cec._refresh(oid, date) IS 'Private. Runs the tasks that depend on the day, alone in the portfolio; returns what they count.';
COMMENT ON FUNCTION cec.refresh(regnamespace, date) IS 'Does what depends on the day; see refresh of a portfolio.';
