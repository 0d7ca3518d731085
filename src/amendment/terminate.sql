-- A contract ends before its time.

-- Its lists stay as they are: what its days end, its lines cannot cover. So what is lost is known before: cover behind the last day.
CREATE FUNCTION cec.terminate_contract(portfolio regnamespace, contract_number text, ends_on date)
RETURNS TABLE (action text, asset_id bigint, asset_tag text, term_id bigint, first_day date, last_day date, message text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	contract record;
	concerned bigint[];
	were_covered bigint[];
	suffix text;
BEGIN
	PERFORM cec._contract_numbered(portfolio, contract_number);
	PERFORM cec._require_day('last_day', ends_on);
	-- No row, and yet the gate alone: what is read from here on stays. Above READ COMMITTED the contract may have changed since, and to say
	-- that nothing is to be done would be wrong: the lock of its row makes the transaction try again.
	EXECUTE cec._sql(portfolio, 'UPDATE @P@.contract SET status = status WHERE false');
	EXECUTE cec._sql(portfolio, 'SELECT contract_id, status, during FROM @P@.contract WHERE contract_id = $1 FOR NO KEY UPDATE')
		INTO contract USING cec._contract_numbered(portfolio, contract_number);
	IF contract.status NOT IN ('active', 'terminated') THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('contract "%s" cannot be terminated', contract_number),
			DETAIL = format('Its status is %s: it covers nothing.', contract.status),
			HINT = 'Set the status of a contract that is not to begin to void.';
	ELSIF ends_on < lower(contract.during) OR ends_on >= upper(contract.during) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'the last day is none of the contract''s days',
			DETAIL = format('Contract "%s" runs %s.', contract_number, cec._days_in_words(contract.during)),
			HINT = 'Terminating ends a contract earlier. To void one that is not to begin, set its status; to prolong one, change its days (during).';
	END IF;
	IF contract.status = 'terminated' AND ends_on + 1 = upper(contract.during) THEN
		RAISE NOTICE USING MESSAGE = format('contract "%s" is terminated already', contract_number),
			DETAIL = format('It ends on %s.', cec._day(ends_on));
		RETURN;
	END IF;
	suffix := CASE WHEN ends_on + 1 < cec.today(portfolio) THEN '; backdated' ELSE '' END;
	EXECUTE cec._sql(portfolio, 'SELECT array_agg(DISTINCT v.asset_id) FROM @P@.coverage v JOIN @P@.coverage_term t ON t.term_id = v.term_id
		WHERE t.contract_id = $1 AND NOT v.during <@ daterange(NULL, $2, ''[]'')') INTO concerned USING contract.contract_id, ends_on;
	were_covered := cec._requests_covered(portfolio, concerned);
	RETURN QUERY EXECUTE cec._sql(portfolio, 'WITH changed AS (
			UPDATE @P@.contract SET status = ''terminated'', during = during * daterange(NULL, $2, ''[]'') WHERE contract_id = $1
			RETURNING during
		), cover AS (
			SELECT v.asset_id, v.term_id, range_agg(v.during) AS days
			FROM @P@.coverage v JOIN @P@.coverage_term t ON t.term_id = v.term_id
			WHERE t.contract_id = $1
			GROUP BY v.asset_id, v.term_id
			HAVING NOT range_agg(v.during) <@ daterange(NULL, $2, ''[]'')
		), told (place, action, asset_id, term_id, days, message) AS (
			SELECT 1, ''changed'', NULL::bigint, NULL::bigint, during, format(''contract %s is terminated; it ran %s'', $3, cec._days_in_words($4))
			FROM changed
			UNION ALL
			SELECT 2, ''dropped'', NULL, t.term_id, t.during, format(''term %s would begin after the end of the contract'', t.number)
			FROM @P@.coverage_term t WHERE t.contract_id = $1 AND lower(t.during) > $2 AND t.during && $4
			UNION ALL
			SELECT 3, ''ended'', asset_id, term_id, r.days * daterange(NULL, $2, ''[]''),
				CASE WHEN upper_inf(c.days) THEN ''it was covered without end'' ELSE format(''it was covered through %s'', cec._day(upper(c.days) - 1)) END
			FROM cover c CROSS JOIN LATERAL unnest(c.days) AS r(days) WHERE r.days @> $2
			UNION ALL
			SELECT 4, ''dropped'', asset_id, term_id, range_merge(days * datemultirange(daterange($2, NULL, ''()''))),
				''its cover would begin after the end of the contract''
			FROM cover WHERE NOT days @> $2
		)
		SELECT t.action, t.asset_id, a.asset_tag, t.term_id, lower(t.days), upper(t.days) - 1, t.message || $5
		FROM told t LEFT JOIN @P@.asset a ON a.asset_id = t.asset_id
		ORDER BY least(t.place, 3), t.term_id, a.asset_tag, t.place')
		USING contract.contract_id, ends_on, contract_number, contract.during, suffix;
	RETURN QUERY SELECT * FROM cec._requests_dropped(portfolio, concerned, were_covered);
END;
$$;

COMMENT ON FUNCTION cec.terminate_contract(regnamespace, text, date) IS 'Ends a contract early; see terminate_contract of a portfolio.';
