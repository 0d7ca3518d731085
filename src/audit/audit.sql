-- The audit trail: reading row images and entries.

CREATE FUNCTION cec._actor() RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'cec_actor';
-- The cost is that of a whole row: where only some rows are wanted, the planner is to choose them first.
CREATE FUNCTION cec.decode_row_image(row_image bytea, operation text, side text, column_names text[], column_codes text[])
RETURNS jsonb
LANGUAGE c STABLE PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'cec_decode_row_image';
CREATE FUNCTION cec.decode_delta(delta bytea)
RETURNS TABLE (ordinal integer, kind text, asset_id bigint, term_id bigint, rule_id bigint, change text, first_day date, last_day date,
	is_stated boolean, is_ruled boolean, is_inherited boolean)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_decode_delta';
CREATE FUNCTION cec._note_columns(portfolio oid, table_name text) RETURNS void
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_note_columns';

-- The column lists of all recorded tables of a portfolio, by the argument of their trigger.
CREATE FUNCTION cec._note_all_columns(portfolio regnamespace) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._note_columns(portfolio, convert_from(substring(t.tgargs FOR octet_length(t.tgargs) - 1), getdatabaseencoding()))
	FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE c.relnamespace = portfolio AND t.tgname = 'cec_insert' AND t.tgfoid = 'cec.record_change'::regproc
	ORDER BY c.relname;
END;
$$;

CREATE FUNCTION cec._geometry_text(ewkb bytea) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT st_asewkt(st_geomfromewkb(ewkb));
END;

-- What the view audit_entry of a portfolio shows, for queries of the engine: they read tables only, since a view is what its
-- owner makes of it.
CREATE FUNCTION cec._audit_entry() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT $query$(SELECT l.audit_id, l.at, l.actor, l.session_user_name, l.application_name, l.client_addr, l.reason,
		l.table_name, l.operation, l.row_id, l.asset_id, l.term_id, l.contract_id, l.xid, l.system_id,
		cec.decode_row_image(l.row_image, l.operation, 'old', s.column_names, s.column_codes) AS old_row,
		cec.decode_row_image(l.row_image, l.operation, 'new', s.column_names, s.column_codes) AS new_row
	FROM @P@.audit_log l LEFT JOIN @P@.audit_schema s ON s.schema_hash = substring(l.row_image FROM 2 FOR 16))$query$
$$;

COMMENT ON FUNCTION cec._actor() IS 'Private. Who acts, as the log will have it.';
COMMENT ON FUNCTION cec.decode_row_image(bytea, text, text, text[], text[]) IS 'A row image as jsonb: side old or new; for UPDATE the changed columns only. NULL where there was no such row or the image was erased. SQLSTATE XX001: the image does not fit its column list.';
COMMENT ON FUNCTION cec.decode_delta(bytea) IS 'The rows of a delta of audit_log: states of cover that were gained or lost, and decisions of rules; see audit_delta of a portfolio. SQLSTATE XX001: it is damaged.';
COMMENT ON FUNCTION cec._note_columns(oid, text) IS 'Private. Records the column list of a table before its first change does.';
COMMENT ON FUNCTION cec._note_all_columns(regnamespace) IS 'Private. Records the column lists of all tables of a portfolio.';
COMMENT ON FUNCTION cec._geometry_text(bytea) IS 'Private. A geometry for people (EWKT), from its binary form.';
COMMENT ON FUNCTION cec._audit_entry() IS 'Private. The query behind audit_entry.';
