-- A contract ends before its time.

CREATE FUNCTION @P@.terminate_contract(contract_number text, last_day date)
RETURNS TABLE (action text, asset_id bigint, asset_tag text, term_id bigint, first_day date, last_day date, message text)
LANGUAGE sql
BEGIN ATOMIC
	SELECT * FROM cec.terminate_contract(@L@::regnamespace, contract_number, last_day);
END;

COMMENT ON FUNCTION @P@.terminate_contract(text, date) IS 'Ends an active contract with last_day, that day still included, and sets it to terminated; a terminated one can be ended earlier still. Terms and lists stay as they are, and cover nothing behind it. One row for the contract (action changed), and one for each asset and term that loses days: ended, with the days of the stretch that ends now, or dropped, where its cover would begin only later, with the days lost; dropped are also terms that would begin later, and open service requests that are not covered any more. Errors: 22004, 22008, 22023 last_day is none of its days, or it is a draft or void, 23503 no such contract.';
