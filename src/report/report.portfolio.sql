-- Reports that draw on several nouns.

CREATE FUNCTION @P@.coverage_audit(contract_number text, first_day date DEFAULT NULL, last_day date DEFAULT NULL)
RETURNS TABLE (audit_id bigint, on_day date, at timestamptz, actor text, session_user_name text, client_addr inet, reason text,
	operation text, table_name text, row_id bigint, row_contract_number text, term_number text, asset_id bigint, asset_tag text,
	summary text, before jsonb, after jsonb, block_no bigint, proof text)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec.coverage_audit(@L@::regnamespace, contract_number, first_day, last_day);
END;

COMMENT ON FUNCTION @P@.coverage_audit(text, date, date) IS 'The report for a compliance review: one line for each change from first_day through last_day (days of the portfolio''s time zone, NULL: open), oldest first, in and around the contract with the number (where none has it any more: the last that bore it), with who (actor as stated, session_user_name as logged in), when, why (reason), what, before and after, the block that sealed it, and proof: sealed, unsealed (not yet) or erased (lawfully; the values are gone, the proof stands). In it are the contract, its terms, list lines, rules, amendments with their lines, waivers, and its tiers; and, whatever the day they stood on its lists or were covered through a bundle, its assets with their identifiers, bundles and memberships. Not in it: maintenance, requests, observations, customers. Of a row that was moved elsewhere the move is the last that is told. Tag and numbers are those of today, NULL for what is deleted. Needs SELECT on the log (level auditor). Errors: 22004 no number, 23503 there never was such a contract, 22023 the first day comes after the last.';

CREATE VIEW @P@.term WITH (security_invoker = true) AS
SELECT t.term_id, t.contract_id, c.customer_id, t.tier_id, c.number AS contract_number, t.number AS term_number,
	c.kind AS contract_kind, c.status AS contract_status, u.name AS customer, c.account_manager, s.code AS tier_code,
	lower(t.during) AS valid_from, upper(t.during) - 1 AS last_day, upper(t.during) AS valid_to, t.during @> d.today AS is_current,
	coalesce((
		SELECT p.price FROM @P@.term_price p WHERE p.term_id = t.term_id AND p.first_day <= d.today ORDER BY p.first_day DESC LIMIT 1
	), t.price) AS price,
	c.currency, t.price_basis, t.proration, t.covers_bundles,
	(SELECT count(*) FROM @P@.inclusion i WHERE i.term_id = t.term_id) AS line_count,
	(SELECT count(DISTINCT v.asset_id) FROM @P@.coverage v WHERE v.term_id = t.term_id AND v.during @> d.today) AS covered_count
FROM @P@.coverage_term t
	CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
	LEFT JOIN @P@.contract c ON c.contract_id = t.contract_id
	LEFT JOIN @P@.customer u ON u.customer_id = c.customer_id
	LEFT JOIN @P@.service_tier s ON s.tier_id = t.tier_id;

COMMENT ON VIEW @P@.term IS 'Terms with their contract, customer and tier, for reports: one row a term.';
COMMENT ON COLUMN @P@.term.term_id IS 'Key: the term.';
COMMENT ON COLUMN @P@.term.contract_id IS 'Contract.';
COMMENT ON COLUMN @P@.term.customer_id IS 'Customer of the contract.';
COMMENT ON COLUMN @P@.term.tier_id IS 'Service tier.';
COMMENT ON COLUMN @P@.term.contract_number IS 'Number of the contract.';
COMMENT ON COLUMN @P@.term.term_number IS 'Number of the term in the contract.';
COMMENT ON COLUMN @P@.term.contract_kind IS 'Kind of the contract.';
COMMENT ON COLUMN @P@.term.contract_status IS 'Status of the contract.';
COMMENT ON COLUMN @P@.term.customer IS 'Name of the customer.';
COMMENT ON COLUMN @P@.term.account_manager IS 'Who looks after the contract.';
COMMENT ON COLUMN @P@.term.tier_code IS 'Short name of the service tier.';
COMMENT ON COLUMN @P@.term.valid_from IS 'First day of the term; NULL when unbounded.';
COMMENT ON COLUMN @P@.term.last_day IS 'Last day of the term, included; NULL when open.';
COMMENT ON COLUMN @P@.term.valid_to IS 'The day after the last, for half-open joins; NULL when open.';
COMMENT ON COLUMN @P@.term.is_current IS 'Whether today (in the portfolio''s time zone) is one of the term''s days, whatever the contract''s are.';
COMMENT ON COLUMN @P@.term.price IS 'Price per price_basis that holds today, by term_price too.';
COMMENT ON COLUMN @P@.term.currency IS 'ISO 4217 code of the price.';
COMMENT ON COLUMN @P@.term.price_basis IS 'What the price is for: per_unit_day, per_unit_month or per_unit_year, flat_month, flat_year or flat_once.';
COMMENT ON COLUMN @P@.term.proration IS 'How parts of a month or year are charged.';
COMMENT ON COLUMN @P@.term.covers_bundles IS 'True: secondary equipment inherits the term from its primary.';
COMMENT ON COLUMN @P@.term.line_count IS 'How many lines its list has, carve-outs among them.';
COMMENT ON COLUMN @P@.term.covered_count IS 'How many assets it covers today.';
