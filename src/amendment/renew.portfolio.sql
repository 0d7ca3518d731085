-- A contract that goes on as another one.

CREATE FUNCTION @P@.renew_contract(contract_number text, new_number text, first_day date, last_day date, price_percent numeric DEFAULT 0)
RETURNS TABLE (action text, asset_id bigint, asset_tag text, term_id bigint, first_day date, last_day date, message text)
LANGUAGE sql
BEGIN ATOMIC
	SELECT * FROM cec.renew_contract(@L@::regnamespace, contract_number, new_number, first_day, last_day, price_percent);
END;

COMMENT ON FUNCTION @P@.renew_contract(text, text, date, date, numeric) IS 'Makes a draft from first_day to last_day, both included, that renews a contract (predecessor_id): with its terms that end with it, at the price of its last day and price_percent more (0: the same; below 0: less), the rules that run on that day, and the assets that have a line of their own on it and are in life on first_day. Suspensions and carve-outs are left behind. One row for each thing done: action copied (contract, terms, rules) and carried, or dropped, with the reason, of a term that ends before and a line that is not carried over (term_id is that of the old contract there). Errors: 22004, 22008, 22023 days, price_percent, a contract that is void or has no end, 23503 no such contract, 23505 there is one of the new number.';
