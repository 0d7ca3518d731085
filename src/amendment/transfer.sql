-- An asset comes to belong to another customer.

-- Its bundles stay: whose they are to be is not ours to say.
CREATE FUNCTION cec.transfer_asset(portfolio regnamespace, identifier text, customer_ref text, on_day date, policy text, to_contract_number text,
	to_term_number text)
RETURNS TABLE (action text, asset_id bigint, asset_tag text, term_id bigint, first_day date, last_day date, message text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today date;
	moved_id bigint;
	customer bigint;
	to_term bigint;
	tag text;
	owner text;
	concerned bigint[];
	were_covered bigint[];
	suffix text;
	done bigint;
	code text;
	said text;
	facts text;
	advice text;
	rule text;
	on_table text;
	on_schema text;
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._require_day('on_day', on_day);
	PERFORM cec._require_policy(policy, '{no_change,transfer,terminate}');
	IF policy = 'transfer' AND to_contract_number IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'policy transfer needs to_contract_number',
			HINT = 'It is the contract on which the asset is listed from on_day; other policies have none.';
	ELSIF policy <> 'transfer' AND (to_contract_number IS NOT NULL OR to_term_number IS NOT NULL) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('policy %s has no to_contract_number', policy),
			HINT = 'It is the contract on which the asset is listed from on_day; other policies have none.';
	END IF;
	today := cec.today(portfolio);
	IF on_day > today THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'on_day must not come after today',
			DETAIL = format('It is %s, today is %s.', cec._day(on_day), cec._day(today)),
			HINT = 'The register says to whom an asset belongs now: transfer it on that day, or later.';
	END IF;
	moved_id := cec._asset_to_leave(portfolio, identifier, on_day);
	IF customer_ref IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'customer_ref must not be NULL',
			HINT = 'Give the external_ref of the customer.';
	END IF;
	EXECUTE cec._sql(portfolio, 'SELECT customer_id FROM @P@.customer WHERE external_ref = $1') INTO customer USING customer_ref;
	IF customer IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('no customer is known as "%s"', left(customer_ref, 100)),
			HINT = 'Give the external_ref of the customer; the table customer has them.', CONSTRAINT = 'asset_customer_known';
	END IF;
	EXECUTE cec._sql(portfolio, 'SELECT a.asset_tag, s.source FROM @P@.asset a JOIN @P@.asset_source s ON s.source = a.source
		WHERE a.asset_id = $1 AND a.customer_id IS DISTINCT FROM $2 AND coalesce(''customer_id'' = ANY (s.owned_columns), true)')
		INTO tag, owner USING moved_id, customer;
	IF owner IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = format('source "%s" says whose asset "%s" is', owner, tag),
			DETAIL = 'The source owns customer_id: its next sync would give the asset back.',
			HINT = 'Transfer it there, and here once it has been synced; or leave customer_id out of the source''s owned_columns.',
			CONSTRAINT = 'asset_source_owns';
	END IF;
	IF policy = 'transfer' THEN
		to_term := cec.find_term(portfolio, to_contract_number, to_term_number);
	END IF;

	IF policy <> 'no_change' THEN
		PERFORM cec._lock_listed(portfolio, '{}');
		EXECUTE cec._sql(portfolio, 'SELECT FROM @P@.inclusion WHERE asset_id = $1 AND NOT during << daterange($2, NULL)
			ORDER BY term_id, lower(during) FOR UPDATE') USING moved_id, on_day;
		PERFORM cec._lock_listed(portfolio, ARRAY[moved_id]);
	END IF;
	suffix := CASE WHEN on_day < today THEN '; backdated' ELSE '' END;
	concerned := cec._with_members(portfolio, ARRAY[moved_id], on_day);
	were_covered := cec._requests_covered(portfolio, concerned);
	BEGIN
		RETURN QUERY EXECUTE cec._sql(portfolio, 'WITH was AS MATERIALIZED (
				SELECT a.asset_id, c.name, c.external_ref FROM @P@.asset a LEFT JOIN @P@.customer c ON c.customer_id = a.customer_id
				WHERE a.asset_id = $1 AND a.customer_id IS DISTINCT FROM $2
			), owned AS (
				UPDATE @P@.asset a SET customer_id = $2 FROM was w WHERE a.asset_id = w.asset_id RETURNING a.asset_id
			)' || CASE WHEN policy <> 'no_change' THEN ', line AS MATERIALIZED (
				SELECT i.inclusion_id, i.term_id, i.during, i.during * daterange($3, NULL) AS taken, coalesce(lower(days) >= $3, false) AS is_dropped
				FROM @P@.inclusion i JOIN @P@.coverage_term t ON t.term_id = i.term_id JOIN @P@.contract c ON c.contract_id = t.contract_id
					CROSS JOIN LATERAL (SELECT i.during * t.during * c.during AS days) AS d
				WHERE i.asset_id = $1 AND i.effect = ''include'' AND c.status <> ''void'' AND i.term_id IS DISTINCT FROM $4
					AND NOT isempty(days) AND coalesce(upper(days) > $3, true)
			), ended AS (
				UPDATE @P@.inclusion i SET during = i.during * daterange(NULL, $3) FROM line l
				WHERE i.inclusion_id = l.inclusion_id AND NOT l.is_dropped RETURNING i.inclusion_id
			), gone AS (
				DELETE FROM @P@.inclusion i USING line l WHERE i.inclusion_id = l.inclusion_id AND l.is_dropped RETURNING i.inclusion_id
			)' ELSE '' END || CASE WHEN policy = 'transfer' THEN ', begun AS (
				INSERT INTO @P@.inclusion (term_id, asset_id, listed_as, during)
				SELECT $4, $1, a.asset_tag, r.days
				FROM @P@.asset a CROSS JOIN (SELECT range_agg(taken) - coalesce((SELECT range_agg(o.during) FROM @P@.inclusion o
						WHERE o.asset_id = $1 AND o.term_id = $4 AND o.effect = ''include''), ''{}'') AS days FROM line) AS l
					CROSS JOIN LATERAL unnest(l.days) AS r(days)
				WHERE a.asset_id = $1
				RETURNING during
			)' ELSE '' END || ', told (place, action, term_id, days, message) AS (
				SELECT 1, ''changed'', NULL::bigint, daterange($3, NULL), format(''belongs to %s (%s)'', c.name, c.external_ref)
					|| coalesce(''; it belonged to '' || w.name || coalesce('' ('' || w.external_ref || '')'', ''''), '''')
				FROM was w, @P@.customer c WHERE c.customer_id = $2' || CASE WHEN policy <> 'no_change' THEN '
				UNION ALL
				SELECT 2, ''ended'', l.term_id, l.during * daterange(NULL, $3), format(''it was listed %s'', cec._days_in_words(l.during))
				FROM line l WHERE NOT is_dropped
				UNION ALL
				SELECT 2, ''dropped'', l.term_id, l.during, ''the line had not begun''
				FROM line l WHERE is_dropped' ELSE '' END || CASE WHEN policy = 'transfer' THEN '
				UNION ALL
				SELECT 3, ''begun'', $4, b.during, format(''on term %s of contract %s'', t.number, c.number)
				FROM begun b, @P@.coverage_term t JOIN @P@.contract c ON c.contract_id = t.contract_id WHERE t.term_id = $4' ELSE '' END || '
			)
			SELECT t.action, a.asset_id, a.asset_tag, t.term_id, lower(t.days), upper(t.days) - 1, t.message || $5
			FROM told t JOIN @P@.asset a ON a.asset_id = $1
			ORDER BY t.place, t.term_id, t.days')
			USING moved_id, customer, on_day, to_term, suffix;
		GET DIAGNOSTICS done = ROW_COUNT;
	EXCEPTION WHEN integrity_constraint_violation THEN
		-- As it is, but for a context that repeats the statement above.
		GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, facts = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT,
			rule = CONSTRAINT_NAME, on_table = TABLE_NAME, on_schema = SCHEMA_NAME;
		RAISE EXCEPTION USING ERRCODE = code, MESSAGE = said, DETAIL = facts, HINT = advice, CONSTRAINT = rule, TABLE = on_table, SCHEMA = on_schema;
	END;
	IF done = 0 THEN
		RAISE NOTICE USING MESSAGE = format('nothing had to be changed for "%s"', left(identifier, 100)),
			DETAIL = format('It belongs to customer "%s" already.', left(customer_ref, 100));
	END IF;
	RETURN QUERY SELECT * FROM cec._requests_dropped(portfolio, concerned, were_covered);
END;
$$;

COMMENT ON FUNCTION cec.transfer_asset(regnamespace, text, text, date, text, text, text) IS 'Gives an asset to another customer; see transfer_asset of a portfolio.';
