-- Reports that draw on several nouns.

CREATE FUNCTION @P@.coverage_audit(contract_id bigint, first_day date DEFAULT NULL, last_day date DEFAULT NULL)
RETURNS TABLE (audit_id bigint, on_day date, at timestamptz, actor text, session_user_name text, client_addr inet, reason text,
	operation text, table_name text, row_id bigint, contract_number text, term_number text, asset_id bigint, asset_tag text,
	summary text, before jsonb, after jsonb, block_no bigint, proof text)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec.coverage_audit(@L@::regnamespace, contract_id, first_day, last_day);
END;

COMMENT ON FUNCTION @P@.coverage_audit(bigint, date, date) IS 'The report for a compliance review: one line for each change from first_day through last_day (days of the portfolio''s time zone, NULL: open), oldest first, with who (actor as stated, session_user_name as logged in), when, why (reason), what, before and after, the block that sealed it, and proof: sealed, unsealed (not yet) or erased (lawfully; the values are gone, the proof stands). In it are the contract, its terms, list lines, rules, amendments with their lines, waivers, and its tiers; and, whatever the day they stood on its lists or were covered through a bundle, its assets with their identifiers, bundles and memberships. Not in it: maintenance, requests, observations, customers. Of a row that was moved elsewhere the move is the last that is told. Tag and numbers are those of today, NULL for what is deleted. Needs SELECT on the log (level auditor). Errors: 23503 there never was such a contract, 22023 the first day comes after the last.';
