-- Histories: the entries of the log about one asset or contract, by what it is called or was.
--
-- They are read as the portfolio's owner (report_history.c): a row-level policy by which somebody does not see an asset would else
-- make a name unknown to whoever is to audit it.

-- Assets that an identifier names, on whatever day; where the register knows it no more, those of which the log says that they
-- came to it or lost it. Values in an image are the text's own bytes: only images in which these are found are decoded.
CREATE FUNCTION cec._assets_ever_named(portfolio regnamespace, identifier text) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	result bigint[];
BEGIN
	result := (SELECT array_agg(n.asset_id) FROM cec._named(portfolio::oid, ARRAY[identifier], NULL) AS n);
	IF result IS NULL THEN
		EXECUTE cec._sql(portfolio, format($query$
			SELECT array_agg(DISTINCT e.asset_id)
			FROM (SELECT l.audit_id FROM @P@.audit_log l WHERE l.table_name IN ('asset', 'asset_identifier')
					AND position(convert_to($1, getdatabaseencoding()) IN l.row_image) > 0) AS l
				CROSS JOIN LATERAL (SELECT e.* FROM %s e WHERE e.audit_id = l.audit_id OFFSET 0) AS e
			WHERE $1 IN (e.old_row ->> 'asset_tag', e.new_row ->> 'asset_tag', e.old_row ->> 'serial_number',
					e.new_row ->> 'serial_number', e.old_row ->> 'value', e.new_row ->> 'value')
			$query$, cec._audit_entry())) INTO result USING identifier;
	END IF;
	RETURN result;
END;
$$;

-- The contract of a number; where there is none any more, the last that the log says bore it.
CREATE FUNCTION cec._contract_ever_numbered(portfolio regnamespace, contract_number text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	result bigint;
	near text[];
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT contract_id FROM @P@.contract WHERE number = $1') INTO result USING contract_number;
	IF result IS NULL THEN
		EXECUTE cec._sql(portfolio, format($query$
			SELECT l.contract_id
			FROM (SELECT l.audit_id, l.contract_id FROM @P@.audit_log l WHERE l.table_name = 'contract'
					AND position(convert_to($1, getdatabaseencoding()) IN l.row_image) > 0) AS l
				CROSS JOIN LATERAL (SELECT e.* FROM %s e WHERE e.audit_id = l.audit_id OFFSET 0) AS e
			WHERE $1 IN (e.old_row ->> 'number', e.new_row ->> 'number')
			ORDER BY l.audit_id DESC LIMIT 1
			$query$, cec._audit_entry())) INTO result USING contract_number;
	END IF;
	IF result IS NULL THEN
		near := cec._near_contract_numbers(portfolio, contract_number);
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation',
			MESSAGE = format('there is no contract "%s"', left(contract_number, 100)),
			DETAIL = 'There never was a contract with this number.',
			HINT = CASE WHEN near IS NULL THEN 'The table contract has the numbers.'
				ELSE format('Perhaps "%s" was meant.', array_to_string(near, '" or "')) END;
	END IF;
	RETURN result;
END;
$$;

-- Entries about subjects of one kind: of every row that ever spoke of one, also after the row was moved to another one.
CREATE FUNCTION cec._entries_about(portfolio regnamespace, subject text, subject_ids bigint[])
RETURNS TABLE (audit_id bigint, at timestamptz, actor text, session_user_name text, application_name text,
	client_addr inet, reason text, table_name text, operation text, row_id bigint, asset_id bigint, term_id bigint,
	contract_id bigint, xid xid8, system_id bigint, old_row jsonb, new_row jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, format(
		'SELECT e.*
		FROM (SELECT DISTINCT o.table_name, o.row_id FROM unnest($1) AS s(id)
				CROSS JOIN LATERAL (SELECT o.table_name, o.row_id FROM @P@.audit_log o WHERE o.%I = s.id OFFSET 0) AS o) AS o
			CROSS JOIN LATERAL (SELECT l.audit_id FROM @P@.audit_log l WHERE l.row_id = o.row_id AND l.table_name = o.table_name OFFSET 0) AS l
			CROSS JOIN LATERAL (SELECT e.* FROM %s e WHERE e.audit_id = l.audit_id OFFSET 0) AS e
		ORDER BY e.audit_id', subject, cec._audit_entry())) USING subject_ids;
END;
$$;

-- What the histories show; for whoever may read log and register himself.
CREATE FUNCTION cec._history(portfolio regnamespace, subject text, name text)
RETURNS TABLE (audit_id bigint, at timestamptz, actor text, session_user_name text, application_name text,
	client_addr inet, reason text, table_name text, operation text, row_id bigint, asset_id bigint, term_id bigint,
	contract_id bigint, xid xid8, system_id bigint, old_row jsonb, new_row jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	subject_ids bigint[];
BEGIN
	PERFORM cec._require_version(portfolio);
	IF subject = 'contract' THEN
		RETURN QUERY SELECT e.* FROM cec._entries_about(portfolio, 'contract_id', ARRAY[cec._contract_ever_numbered(portfolio, name)]) AS e;
	ELSE
		subject_ids := cec._assets_ever_named(portfolio, name);
		IF subject_ids IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('no asset is known as "%s"', left(name, 100)),
				DETAIL = 'It never was an asset tag, a serial number or another identifier.',
				HINT = 'See find_asset for what an identifier names.';
		END IF;
		RETURN QUERY SELECT e.* FROM cec._entries_about(portfolio, 'asset_id', subject_ids) AS e;
	END IF;
END;
$$;

CREATE FUNCTION cec._history_as_owner(portfolio oid, subject text, name text)
RETURNS TABLE (audit_id bigint, at timestamptz, actor text, session_user_name text, application_name text,
	client_addr inet, reason text, table_name text, operation text, row_id bigint, asset_id bigint, term_id bigint,
	contract_id bigint, xid xid8, system_id bigint, old_row jsonb, new_row jsonb)
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'cec_history_as_owner';

CREATE FUNCTION cec.asset_history(portfolio regnamespace, identifier text)
RETURNS TABLE (audit_id bigint, at timestamptz, actor text, session_user_name text, application_name text,
	client_addr inet, reason text, table_name text, operation text, row_id bigint, asset_id bigint, term_id bigint,
	contract_id bigint, xid xid8, system_id bigint, old_row jsonb, new_row jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec._history_as_owner(portfolio::oid, 'asset', identifier);
END;

CREATE FUNCTION cec.contract_history(portfolio regnamespace, contract_number text)
RETURNS TABLE (audit_id bigint, at timestamptz, actor text, session_user_name text, application_name text,
	client_addr inet, reason text, table_name text, operation text, row_id bigint, asset_id bigint, term_id bigint,
	contract_id bigint, xid xid8, system_id bigint, old_row jsonb, new_row jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec._history_as_owner(portfolio::oid, 'contract', contract_number);
END;

COMMENT ON FUNCTION cec._assets_ever_named(regnamespace, text) IS 'Private. Assets that an identifier names or named; NULL: none.';
COMMENT ON FUNCTION cec._contract_ever_numbered(regnamespace, text) IS 'Private. The contract that has or had a number, or SQLSTATE 23503.';
COMMENT ON FUNCTION cec._entries_about(regnamespace, text, bigint[]) IS 'Private. Audit entries about subjects (asset_id, term_id or contract_id), oldest first.';
COMMENT ON FUNCTION cec._history(regnamespace, text, text) IS 'Private. Audit entries about an asset or a contract by name, as the caller may read them.';
COMMENT ON FUNCTION cec._history_as_owner(oid, text, text) IS 'Private. The same, read as the portfolio''s owner for whoever may run the portfolio''s own function.';
COMMENT ON FUNCTION cec.asset_history(regnamespace, text) IS 'Audit entries about an asset; see asset_history of a portfolio.';
COMMENT ON FUNCTION cec.contract_history(regnamespace, text) IS 'Audit entries about a contract; see contract_history of a portfolio.';
