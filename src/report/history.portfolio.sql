-- Histories: the entries of the log about one asset or contract.

CREATE FUNCTION @P@.asset_history(identifier text) RETURNS SETOF @P@.audit_entry
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec.asset_history(@L@::regnamespace, identifier);
END;

CREATE FUNCTION @P@.contract_history(contract_number text) RETURNS SETOF @P@.audit_entry
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec.contract_history(@L@::regnamespace, contract_number);
END;

COMMENT ON FUNCTION @P@.asset_history(text) IS 'All audit entries about the asset that the identifier names, oldest first: the asset itself and every list line, identifier, bundle, event or request that ever spoke of it. By asset tag, serial number or any other identifier, whatever its days; by a name that the register has no more, as of an asset that was deleted, the assets that bore it. Of several assets, the entries of all. Log and register are read as the owner of the portfolio: row-level security hides nothing here. Needs EXECUTE on this function (level auditor). Errors: 22004 NULL, 23503 nothing ever was called so.';
COMMENT ON FUNCTION @P@.contract_history(text) IS 'All audit entries about the contract with the number, its terms, rules and list lines, oldest first; by a number that no contract has any more, those of the last contract that bore it. Log and contracts are read as the owner of the portfolio: row-level security hides nothing here. Needs EXECUTE on this function (level auditor). Errors: 22004 NULL, 23503 there never was such a contract.';
