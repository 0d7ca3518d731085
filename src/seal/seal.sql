-- Evidence that nobody rewrote the log: blocks of a Merkle tree over its rows.

CREATE FUNCTION cec._seal_audit(portfolio oid) RETURNS bigint
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_seal_audit';
CREATE FUNCTION cec._audit_digest(portfolio oid) RETURNS text
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_audit_digest';
CREATE FUNCTION cec._verify_audit(portfolio oid, digests text[])
RETURNS TABLE (kind text, audit_id bigint, block_no bigint, table_name text, detail text)
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_verify_audit';

CREATE FUNCTION cec._audit_proof(portfolio oid, audit_id bigint) RETURNS jsonb
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'cec_audit_proof';
CREATE FUNCTION cec._audit_consistency(portfolio oid, digest text) RETURNS jsonb
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'cec_audit_consistency';

CREATE FUNCTION cec._erase_audit(portfolio oid, audit_id bigint, ground text) RETURNS void
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_erase_audit';

CREATE FUNCTION cec._blocks_of(portfolio oid, audit_ids bigint[], system_ids bigint[], xids xid8[]) RETURNS bigint[]
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'cec_blocks_of';

-- Proofs and trees by themselves: they read no table.
CREATE FUNCTION cec.verify_audit_proof(proof jsonb) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_verify_audit_proof';
CREATE FUNCTION cec.verify_audit_consistency(proof jsonb) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_verify_audit_consistency';

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

-- Deferrable constraints of tables that the engine writes below SQL, past them: all but the stated ones, and the erasures,
-- which are recorded as stated ones are.
CREATE FUNCTION cec._deferrable(portfolio regnamespace) RETURNS TABLE (table_name text, constraint_name text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT DISTINCT c.relname::text, coalesce(k.conname, t.tgname)::text
	FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint
	WHERE c.relnamespace = portfolio AND t.tgdeferrable
		AND c.relname IN (SELECT m[1] FROM regexp_matches(cec._portfolio_script(), '\nCREATE TABLE @P@\.(\w+)', 'g') AS m)
		AND (c.relname = 'audit_erasure' OR c.relname NOT IN (SELECT p.table_name FROM cec._trigger_shape p WHERE p.is_recorded))
	ORDER BY 1, 2;
END;
$$;

CREATE FUNCTION cec.verify_audit(portfolio regnamespace, digests text[])
RETURNS TABLE (kind text, audit_id bigint, block_no bigint, table_name text, detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT cec._has_settings(portfolio) THEN
		RETURN QUERY SELECT 'MISSING', NULL::bigint, NULL::bigint, 'setting', 'The row of settings is gone.';
	END IF;
	RETURN QUERY SELECT v.kind, v.audit_id, v.block_no, v.table_name, v.detail FROM cec._verify_audit(portfolio, coalesce(digests, '{}')) AS v;
	RETURN QUERY SELECT 'TRIGGER_DISABLED', NULL::bigint, NULL::bigint, d.table_name, d.detail FROM cec._disarmed(portfolio) AS d;
	RETURN QUERY SELECT 'TRIGGER_DISABLED', NULL::bigint, NULL::bigint, d.table_name,
		format('The constraint %s is deferrable: what it does, it does later than the engine.', d.constraint_name) FROM cec._deferrable(portfolio) AS d;
END;
$$;

CREATE FUNCTION cec.audit_proof(portfolio regnamespace, audit_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN cec._audit_proof(portfolio, audit_id);
END;
$$;

CREATE FUNCTION cec.audit_consistency(portfolio regnamespace, digest text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN cec._audit_consistency(portfolio, digest);
END;
$$;

CREATE FUNCTION cec.erase_audit(portfolio regnamespace, audit_id bigint, ground text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._erase_audit(portfolio, audit_id, coalesce(ground, ''));
END;
$$;

COMMENT ON FUNCTION cec._seal_audit(oid) IS 'Private. Seals what is settled; the caller has checked the version.';
COMMENT ON FUNCTION cec._audit_digest(oid) IS 'Private. The line to keep outside.';
COMMENT ON FUNCTION cec._blocks_of(oid, bigint[], bigint[], xid8[]) IS 'Private. The blocks that rows of the log were sealed in, in the same order; NULL for those that are not sealed yet.';
COMMENT ON FUNCTION cec._verify_audit(oid, text[]) IS 'Private. All differences but those of triggers.';
COMMENT ON FUNCTION cec._deferrable(regnamespace) IS 'Private. Deferrable constraints of derived, recorded and promised tables.';
COMMENT ON FUNCTION cec.seal_audit(regnamespace) IS 'Seals the log of a portfolio; see seal_audit of a portfolio.';
COMMENT ON FUNCTION cec.audit_digest(regnamespace) IS 'The digest of a portfolio''s log; see audit_digest of a portfolio.';
COMMENT ON FUNCTION cec.verify_audit(regnamespace, text[]) IS 'Verifies the log of a portfolio; see verify_audit of a portfolio.';
COMMENT ON FUNCTION cec._audit_proof(oid, bigint) IS 'Private. The proof of one row.';
COMMENT ON FUNCTION cec._audit_consistency(oid, text) IS 'Private. The proof that the tree goes on from a digest.';
COMMENT ON FUNCTION cec.audit_proof(regnamespace, bigint) IS 'The proof of one row of a portfolio''s log; see audit_proof of a portfolio.';
COMMENT ON FUNCTION cec.audit_consistency(regnamespace, text) IS 'The proof that a portfolio''s log goes on from a digest; see audit_consistency of a portfolio.';
COMMENT ON FUNCTION cec.verify_audit_proof(jsonb) IS 'Whether a proof of audit_proof holds: its leaf is made of its header and content, its path leads to its root, its digest says the same. That the digest is the one kept outside is for the caller to see.';
COMMENT ON FUNCTION cec.verify_audit_consistency(jsonb) IS 'Whether a proof of audit_consistency holds: the tree of second_size leaves begins with that of first_size.';
COMMENT ON FUNCTION cec._erase_audit(oid, bigint, text) IS 'Private. Erases salt and image of a row of the log.';
COMMENT ON FUNCTION cec.erase_audit(regnamespace, bigint, text) IS 'Erases a row of a portfolio''s log; see erase_audit of a portfolio.';
