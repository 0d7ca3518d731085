-- Contracts and terms: finding a term by its numbers.

-- Numbers that somebody may have meant, at most three: those whose key is the same or differs by a slip.
CREATE FUNCTION cec._near_contract_numbers(portfolio regnamespace, contract_number text) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result text[];
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT (array_agg(c.number ORDER BY c.number))[1:3] FROM @P@.contract c
		WHERE cec._identifier_may_mean($1, c.number)') INTO result USING contract_number;
	RETURN result;
END;
$$;

CREATE FUNCTION cec._contract_numbered(portfolio regnamespace, contract_number text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	of_contract bigint;
	near text[];
	contracts bigint;
BEGIN
	PERFORM cec._require_version(portfolio);
	IF contract_number IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the contract number must not be NULL',
			HINT = 'The table contract has the numbers.';
	END IF;
	EXECUTE cec._sql(portfolio, 'SELECT contract_id FROM @P@.contract WHERE number = $1') INTO of_contract USING contract_number;
	IF of_contract IS NULL THEN
		near := cec._near_contract_numbers(portfolio, contract_number);
		EXECUTE cec._sql(portfolio, 'SELECT count(*) FROM @P@.contract') INTO contracts;
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('there is no contract "%s"', left(contract_number, 100)),
			HINT = CASE WHEN near IS NULL THEN format('None of %s contracts has a number like it; the table contract has them.', contracts)
				ELSE format('Perhaps "%s" was meant.', array_to_string(near, '" or "')) END;
	END IF;
	RETURN of_contract;
END;
$$;

CREATE FUNCTION cec.find_term(portfolio regnamespace, contract_number text, term_number text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	of_contract bigint := cec._contract_numbered(portfolio, contract_number);
	term_ids bigint[];
	numbers text[];
	listed text;
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT array_agg(term_id ORDER BY length(number), number), array_agg(number ORDER BY length(number), number)
		FROM @P@.coverage_term WHERE contract_id = $1') INTO term_ids, numbers USING of_contract;
	listed := CASE WHEN cardinality(numbers) > 10
		THEN format('%s and %s more', array_to_string(numbers[1:10], ', '), cardinality(numbers) - 10)
		ELSE array_to_string(numbers, ', ') END;
	IF term_ids IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('contract "%s" has no terms', contract_number),
			HINT = 'Its terms are rows of the table coverage_term.';
	ELSIF term_number IS NOT NULL AND array_position(numbers, term_number) IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('contract "%s" has no term "%s"', contract_number, left(term_number, 100)),
			HINT = CASE cardinality(numbers) WHEN 1 THEN format('It has one term: %s.', listed)
				ELSE format('It has %s terms: %s.', cardinality(numbers), listed) END;
	ELSIF term_number IS NULL AND cardinality(term_ids) > 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('contract "%s" has several terms', contract_number),
			DETAIL = format('It has %s terms: %s.', cardinality(numbers), listed), HINT = 'Say which one by its number, too.';
	END IF;
	RETURN CASE WHEN term_number IS NULL THEN term_ids[1] ELSE term_ids[array_position(numbers, term_number)] END;
END;
$$;

COMMENT ON FUNCTION cec._near_contract_numbers(regnamespace, text) IS 'Private. Numbers of contracts that may have been meant; NULL: none.';
COMMENT ON FUNCTION cec._contract_numbered(regnamespace, text) IS 'Private. The contract with a number, or SQLSTATE 22004 or 23503 with numbers that come near.';
COMMENT ON FUNCTION cec.find_term(regnamespace, text, text) IS 'The term of a contract by its numbers; see find_term of a portfolio.';
