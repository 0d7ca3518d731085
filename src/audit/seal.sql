-- Evidence that nobody rewrote the log: blocks of a Merkle tree over its rows.

CREATE FUNCTION cec._seal_audit(portfolio oid) RETURNS bigint
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_seal_audit';
CREATE FUNCTION cec._audit_digest(portfolio oid) RETURNS text
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_audit_digest';
CREATE FUNCTION cec._verify_audit(portfolio oid, digests text[])
RETURNS TABLE (kind text, audit_id bigint, block_no bigint, table_name text, detail text)
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_verify_audit';

CREATE FUNCTION cec.seal_audit(portfolio regnamespace) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN cec._seal_audit(portfolio);
END;
$$;

CREATE FUNCTION cec.audit_digest(portfolio regnamespace) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN cec._audit_digest(portfolio);
END;
$$;

-- The engine's triggers that are missing, or do not fire always; those that a portfolio is made with are read from its script.
CREATE FUNCTION cec._disarmed(portfolio regnamespace) RETURNS TABLE (table_name text, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	WITH due AS (
		SELECT m[2] AS on_table, m[1] AS trigger_name
		FROM regexp_matches(cec._portfolio_script(),
			'\nCREATE TRIGGER (\w+) [^;]*? ON @P@\.(\w+)\s[^;]*?EXECUTE FUNCTION cec\.', 'g') AS m
		UNION
		SELECT m[1], t.trigger_name
		FROM regexp_matches(cec._portfolio_arming(), 'cec\._arm_table\(@L@::regnamespace, ''(\w+)''', 'g') AS m
			CROSS JOIN (VALUES ('cec_gate_insert'), ('cec_gate_change'), ('cec_insert'), ('cec_update'), ('cec_delete'),
				('cec_truncate')) AS t(trigger_name)
	), there AS (
		SELECT c.relname::text AS on_table, t.tgname::text AS trigger_name, t.tgenabled
		FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid JOIN pg_proc p ON p.oid = t.tgfoid
		WHERE c.relnamespace = portfolio AND p.pronamespace = 'cec'::regnamespace AND NOT t.tgisinternal
	)
	SELECT coalesce(d.on_table, t.on_table), CASE
		WHEN t.on_table IS NULL THEN format('The trigger %s is missing.', d.trigger_name)
		WHEN t.tgenabled = 'D' THEN format('The trigger %s is disabled.', t.trigger_name)
		ELSE format('The trigger %s does not fire always.', t.trigger_name) END
	FROM due d FULL JOIN there t USING (on_table, trigger_name)
	WHERE t.tgenabled IS DISTINCT FROM 'A'
	ORDER BY 1, 2;
END;
$$;

CREATE FUNCTION cec.verify_audit(portfolio regnamespace, digests text[])
RETURNS TABLE (kind text, audit_id bigint, block_no bigint, table_name text, detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY SELECT v.kind, v.audit_id, v.block_no, v.table_name, v.detail FROM cec._verify_audit(portfolio, coalesce(digests, '{}')) AS v;
	RETURN QUERY SELECT 'TRIGGER_DISABLED', NULL::bigint, NULL::bigint, d.table_name, d.detail FROM cec._disarmed(portfolio) AS d;
END;
$$;

CREATE FUNCTION cec._blocks_of(portfolio oid, audit_ids bigint[], system_ids bigint[], xids xid8[]) RETURNS bigint[]
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'cec_blocks_of';

COMMENT ON FUNCTION cec._blocks_of(oid, bigint[], bigint[], xid8[]) IS 'Private. The blocks that rows of the log were sealed in, in the same order; NULL for those that are not sealed yet.';
COMMENT ON FUNCTION cec._seal_audit(oid) IS 'Private. Seals what is settled; the caller has checked the version.';
COMMENT ON FUNCTION cec._audit_digest(oid) IS 'Private. The line to keep outside.';
COMMENT ON FUNCTION cec._verify_audit(oid, text[]) IS 'Private. All differences but those of triggers.';
COMMENT ON FUNCTION cec._disarmed(regnamespace) IS 'Private. The engine''s triggers of a portfolio that are missing or do not fire always.';
COMMENT ON FUNCTION cec.seal_audit(regnamespace) IS 'Seals the log of a portfolio; see seal_audit of a portfolio.';
COMMENT ON FUNCTION cec.audit_digest(regnamespace) IS 'The digest of a portfolio''s log; see audit_digest of a portfolio.';
COMMENT ON FUNCTION cec.verify_audit(regnamespace, text[]) IS 'Verifies the log of a portfolio; see verify_audit of a portfolio.';
