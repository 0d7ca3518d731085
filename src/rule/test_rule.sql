-- Trying a rule out before it is written.

-- Who would gain and who would lose cover: the definition with the rule and without it.
CREATE FUNCTION cec.test_rule(portfolio regnamespace, term_id bigint, effect text, condition text)
RETURNS TABLE (asset_id bigint, change text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today date;
	effects text[];
	acting bigint[];
	days daterange[];
	other record;
	is_known boolean;
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._require_execute(portfolio, 'test_rule');
	IF effect IS NULL OR effect NOT IN ('include', 'require', 'exclude') THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('"%s" is not an effect of a rule', effect),
			HINT = 'Effects are include, require and exclude.';
	END IF;
	EXECUTE cec._sql(portfolio, 'SELECT EXISTS (SELECT FROM @P@.coverage_term t WHERE t.term_id = $1)') INTO is_known USING term_id;
	IF NOT is_known THEN
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('there is no term %s', coalesce(term_id::text, 'NULL')),
			HINT = 'See coverage_term for the terms of a contract.';
	END IF;
	IF condition IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'a rule needs a condition',
			HINT = 'Write it as a WHERE clause; see cec.rule_column for what it may mention.';
	END IF;
	today := cec.today(portfolio);
	acting := ARRAY(SELECT cec._scan_rule(portfolio::oid, term_id, effect, 'deny', condition, today));
	effects := array_fill(effect, ARRAY[cardinality(acting)]);
	days := array_fill(daterange(today, NULL), ARRAY[cardinality(acting)]);
	-- Assets that the term has not concerned so far meet its other rules now. Of one that fails there is what is recorded.
	FOR other IN EXECUTE cec._sql(portfolio, 'SELECT * FROM @P@.coverage_rule r WHERE r.term_id = $1 AND r.effect <> ''include''
			AND NOT r.during << daterange($2, NULL) AND $3 = ''include''') USING term_id, today, effect
	LOOP
		BEGIN
			SELECT effects || array_agg(other.effect), acting || array_agg(m), days || array_agg(other.during * daterange(today, NULL))
			INTO effects, acting, days
			FROM cec._scan_rule(portfolio::oid, term_id, other.effect, other.on_unknown, CASE WHEN other.state = 'active' THEN other.condition END, today) AS m;
		EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
			NULL;
		END;
	END LOOP;
	RETURN QUERY
		WITH before AS (
			SELECT d.asset_id, range_agg(d.during) AS days FROM cec._define_coverage(portfolio, NULL) d
			WHERE d.term_id = test_rule.term_id GROUP BY d.asset_id
		), after AS (
			SELECT d.asset_id, range_agg(d.during) AS days
			FROM cec._define_coverage(portfolio, NULL, test_rule.term_id, effects, acting, days) d
			WHERE d.term_id = test_rule.term_id GROUP BY d.asset_id
		)
		SELECT coalesce(a.asset_id, b.asset_id), c.change
		FROM before b FULL JOIN after a USING (asset_id)
			CROSS JOIN LATERAL (VALUES
				('gain', coalesce(a.days, '{}') - coalesce(b.days, '{}')),
				('lose', coalesce(b.days, '{}') - coalesce(a.days, '{}'))) AS c(change, days)
		WHERE NOT isempty(c.days)
		ORDER BY 1, 2;
END;
$$;

COMMENT ON FUNCTION cec.test_rule(regnamespace, bigint, text, text) IS 'Who would gain or lose cover by a rule; see test_rule of a portfolio.';
