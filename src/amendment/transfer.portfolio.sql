-- An asset comes to belong to another customer.

CREATE FUNCTION @P@.transfer_asset(identifier text, customer_ref text, on_day date, policy text, to_contract_number text DEFAULT NULL,
	to_term_number text DEFAULT NULL)
RETURNS TABLE (action text, asset_id bigint, asset_tag text, term_id bigint, first_day date, last_day date, message text)
LANGUAGE sql
BEGIN ATOMIC
	SELECT * FROM cec.transfer_asset(@L@::regnamespace, identifier, customer_ref, on_day, policy, to_contract_number, to_term_number);
END;

COMMENT ON FUNCTION @P@.transfer_asset(text, text, date, text, text, text) IS 'Gives an asset to the customer of that external_ref. What becomes of its lines that run on on_day or later says the policy: no_change: nothing; terminate: they end the day before on_day, and those that have not begun by then are deleted; transfer: the same, and on the given contract and term (its number may be left out where there is one) the asset is listed from on_day for the days that they had left. Carve-outs and bundles stay. One row for each thing done: action changed (the customer), ended, begun, or dropped (a line that had not begun; an open service request that is not covered any more). Needs levels registry and manager. Errors: 22004, 22008, 22023 policy, on_day after today, to_contract_number, 23503 customer or contract, 42501; those of include_asset.';
