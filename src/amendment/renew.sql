-- A contract that goes on as another one.

-- The new one is a draft: it covers nothing before people have looked at it, and its list may name what the old one still has.
CREATE FUNCTION cec.renew_contract(portfolio regnamespace, contract_number text, new_number text, from_day date, to_day date, price_percent numeric)
RETURNS TABLE (action text, asset_id bigint, asset_tag text, term_id bigint, first_day date, last_day date, message text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old record;
	old_last date;
	new_id bigint;
	days daterange;
	old_terms bigint[];
	new_terms bigint[];
BEGIN
	PERFORM cec._contract_numbered(portfolio, contract_number);
	PERFORM cec._require_day('first_day', from_day);
	PERFORM cec._require_day('last_day', to_day);
	IF new_number IS NULL OR price_percent IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = format('%s must not be NULL', CASE WHEN new_number IS NULL THEN 'new_number' ELSE 'price_percent' END);
	ELSIF from_day > to_day THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'the first day comes after the last day',
			DETAIL = format('first_day is %s, last_day is %s.', cec._day(from_day), cec._day(to_day)),
			HINT = 'Both days are included; for one day give it twice.';
	ELSIF NOT price_percent BETWEEN -100 AND 1000000 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'price_percent must be -100 or more, and a million at most',
			DETAIL = format('It is %s.', price_percent), HINT = 'It is what prices rise by: 3 makes 103 of 100, 0 leaves them.';
	END IF;
	-- No row, and yet the gate alone: what is read from here on stays, and no asset needs a lock of its own.
	EXECUTE cec._sql(portfolio, 'UPDATE @P@.contract SET status = status WHERE false');
	EXECUTE cec._sql(portfolio, 'SELECT contract_id, number, status, during FROM @P@.contract WHERE contract_id = $1')
		INTO old USING cec._contract_numbered(portfolio, contract_number);
	IF upper_inf(old.during) OR old.status = 'void' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('contract "%s" cannot be renewed', contract_number),
			DETAIL = CASE WHEN old.status = 'void' THEN 'It is void.' ELSE 'It has no end.' END,
			HINT = CASE WHEN old.status = 'void' THEN 'Renew the one that took its place, or make a new one.'
				ELSE 'What has no end goes on; end it first, by terminate_contract.' END;
	END IF;
	EXECUTE cec._sql(portfolio, 'SELECT contract_id FROM @P@.contract WHERE number = $1') INTO new_id USING new_number;
	IF new_id IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = format('there is a contract "%s" already', left(new_number, 100)),
			HINT = 'Choose a number that no contract has.', CONSTRAINT = 'contract_number_key';
	END IF;
	old_last := upper(old.during) - 1;
	days := daterange(from_day, to_day, '[]');

	EXECUTE cec._sql(portfolio, 'INSERT INTO @P@.contract (number, customer_id, account_manager, kind, status, during, time_zone, currency, governing_country,
			boundary, priority, notice_days, predecessor_id)
		SELECT $2, customer_id, account_manager, kind, ''draft'', $3, time_zone, currency, governing_country, boundary, priority, notice_days, contract_id
		FROM @P@.contract WHERE contract_id = $1 RETURNING contract_id') INTO new_id USING old.contract_id, new_number, days;
	RETURN QUERY SELECT 'copied', NULL::bigint, NULL::text, NULL::bigint, from_day, to_day,
		format('contract %s, a draft, renews %s', new_number, old.number);

	-- Terms, at the price of the last day.
	RETURN QUERY EXECUTE cec._sql(portfolio, 'WITH term AS (
			SELECT t.*, coalesce((SELECT p.price FROM @P@.term_price p WHERE p.term_id = t.term_id AND p.first_day <= $4
				ORDER BY p.first_day DESC LIMIT 1), t.price) AS last_price, coalesce(upper(t.during) > $4, true) AS is_copied
			FROM @P@.coverage_term t WHERE t.contract_id = $1
		), copied AS (
			INSERT INTO @P@.coverage_term (contract_id, number, tier_id, during, price, price_basis, proration, covers_bundles, bundle_billing)
			SELECT $2, number, tier_id, $3, trim_scale(last_price * (100 + $5) * 0.01), price_basis, proration, covers_bundles, bundle_billing
			FROM term WHERE is_copied ORDER BY length(number), number
			RETURNING term_id, number, price
		)
		SELECT CASE WHEN is_copied THEN ''copied'' ELSE ''dropped'' END, NULL::bigint, NULL::text, coalesce(n.term_id, t.term_id),
			lower(CASE WHEN is_copied THEN $3 ELSE t.during END), upper(CASE WHEN is_copied THEN $3 ELSE t.during END) - 1,
			CASE WHEN NOT is_copied THEN format(''term %s ends before the contract'', t.number)
				WHEN last_price IS NULL THEN format(''term %s'', t.number)
				ELSE format(''term %s; its price is %s, and was %s'', t.number, n.price, trim_scale(last_price)) END
		FROM term t LEFT JOIN copied n ON n.number = t.number
		ORDER BY length(t.number), t.number') USING old.contract_id, new_id, days, old_last, price_percent;
	EXECUTE cec._sql(portfolio, 'SELECT coalesce(array_agg(o.term_id ORDER BY o.term_id), ''{}''), coalesce(array_agg(n.term_id ORDER BY o.term_id), ''{}'')
		FROM @P@.coverage_term n JOIN @P@.coverage_term o ON o.number = n.number AND o.contract_id = $1 WHERE n.contract_id = $2')
		INTO old_terms, new_terms USING old.contract_id, new_id;

	-- Rules that run on the last day. One without end has none again.
	RETURN QUERY EXECUTE cec._sql(portfolio, 'WITH copied AS (
			INSERT INTO @P@.coverage_rule (term_id, name, effect, condition, during, on_unknown, state)
			SELECT m.new_id, r.name, r.effect, r.condition, CASE WHEN upper_inf(r.during) THEN daterange(lower($3), NULL) ELSE $3 END, r.on_unknown, r.state
			FROM unnest($1, $2) AS m(old_id, new_id) JOIN @P@.coverage_rule r ON r.term_id = m.old_id
			WHERE r.during @> $4 ORDER BY r.rule_id
			RETURNING term_id, name, effect, during
		)
		SELECT ''copied'', NULL::bigint, NULL::text, term_id, lower(during), upper(during) - 1, format(''rule "%s" (%s)'', name, effect)
		FROM copied ORDER BY term_id, name') USING old_terms, new_terms, days, old_last;

	-- Lines of the last day, of assets that are in life on the new first day and may be listed.
	RETURN QUERY EXECUTE cec._sql(portfolio, 'WITH line AS MATERIALIZED (
			SELECT i.inclusion_id, i.asset_id, a.asset_tag, m.old_id, m.new_id, i.effect, i.during, i.note, CASE
					WHEN i.effect = ''exclude'' THEN ''a carve-out is not carried over''
					WHEN cec._life(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service) @> lower($3) THEN
						CASE WHEN s.refuse_unscannable THEN (SELECT format(''its tag cannot be scanned: %s'', c.message)
							FROM cec.check_tag(a.asset_tag, a.tag_symbology) AS c WHERE NOT c.is_scannable) END
					WHEN a.decommissioned_on < lower($3) THEN format(''it is decommissioned on %s'', cec._day(a.decommissioned_on))
					WHEN a.commissioned_on > lower($3) THEN format(''it is commissioned only on %s'', cec._day(a.commissioned_on))
					WHEN a.status = ''planned'' AND a.commissioned_on IS NULL THEN ''it is planned, and nobody has said when it is commissioned''
					ELSE format(''it is out of service on %s'', cec._day(lower($3))) END AS reason
			FROM unnest($1, $2) AS m(old_id, new_id) JOIN @P@.inclusion i ON i.term_id = m.old_id JOIN @P@.asset a ON a.asset_id = i.asset_id
				CROSS JOIN @P@.setting s
			WHERE i.during @> $4
		), carried AS (
			INSERT INTO @P@.inclusion (term_id, asset_id, listed_as, during, note)
			SELECT new_id, asset_id, asset_tag, $3, note FROM line WHERE reason IS NULL ORDER BY asset_id
		)
		SELECT CASE WHEN l.reason IS NULL THEN ''carried'' ELSE ''dropped'' END, l.asset_id, l.asset_tag,
			CASE WHEN l.reason IS NULL THEN l.new_id ELSE l.old_id END, lower(d.during), upper(d.during) - 1,
			coalesce(l.reason, format(''listed on the last day of %s'', $5))
		FROM line l CROSS JOIN LATERAL (SELECT CASE WHEN l.reason IS NULL THEN $3 ELSE l.during END) AS d(during)
		ORDER BY l.reason IS NOT NULL, l.new_id, l.asset_tag, l.effect DESC, l.inclusion_id') USING old_terms, new_terms, days, old_last, old.number;
END;
$$;

COMMENT ON FUNCTION cec.renew_contract(regnamespace, text, text, date, date, numeric) IS 'Makes a draft that renews a contract; see renew_contract of a portfolio.';
