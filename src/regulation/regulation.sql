-- What regulations say of the cover of assets.

-- Private: whether a place is in an area; the index of areas is used.
CREATE FUNCTION cec._is_in(location geometry, area geometry) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT st_covers(area, location);
END;

-- A sentence for a manager.
CREATE FUNCTION cec._regulation_message(asset_tag text, contracts text[], title text, citation text, place text, is_unknown boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT format(CASE WHEN is_unknown THEN 'Whether the cover of %s by %s meets "%s"%s of %s cannot be told.'
			ELSE 'The cover of %s by %s does not meet "%s"%s of %s.' END,
		asset_tag,
		CASE WHEN cardinality(contracts) > 1 THEN 'contracts ' ELSE 'contract ' END || array_to_string(contracts[1:5], ', ')
			|| CASE WHEN cardinality(contracts) > 5 THEN format(' and %s more', cardinality(contracts) - 5) ELSE '' END,
		title, ' (' || citation || ')', place);
END;

CREATE FUNCTION cec._judge_regulations(portfolio oid, on_day date, assets bigint[], proposed_assets bigint[], proposed_terms bigint[],
	proposed_days daterange[], place text, requirement text, with_met boolean)
RETURNS TABLE (asset_id bigint, regulation_id bigint, is_met boolean, term_ids bigint[], sqlstate text)
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'cec_judge_regulations';

CREATE FUNCTION cec._regulation_unmet(portfolio regnamespace, assets bigint[])
RETURNS TABLE (severity text, asset_id bigint, other_asset_id bigint, contract_id bigint, term_id bigint, rule_id bigint, subject text,
	first_day date, last_day date, detail jsonb, message text)
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'cec_regulation_unmet';

CREATE FUNCTION cec.test_regulation(portfolio regnamespace, country text, region text, condition text)
RETURNS TABLE (asset_id bigint, change text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._require_execute(portfolio, 'test_regulation');
	IF country IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'a regulation needs a country',
			HINT = 'Give its code, as in DE; the table cec.country lists them.';
	END IF;
	IF condition IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'a regulation needs a requirement',
			HINT = 'Write it as a WHERE clause; see cec.rule_column for what it may mention.';
	END IF;
	IF NOT EXISTS (SELECT FROM cec.country c WHERE c.code = test_regulation.country) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('"%s" is not the code of a country', left(country, 100)),
			HINT = 'Germany is DE, the United Kingdom GB. The table cec.country lists them.';
	END IF;
	IF region !~ '^[A-Z]{2}-[A-Z0-9]{1,3}$' OR left(region, 2) <> country THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('"%s" is not the code of a region of %s', left(region, 100), country),
			HINT = 'Codes are those of ISO 3166-2: Bavaria is DE-BY, with country DE.';
	END IF;
	RETURN QUERY
		SELECT j.asset_id, CASE WHEN j.is_met IS NULL THEN 'unknown' ELSE 'unmet' END
		FROM cec._judge_regulations(portfolio::oid, cec.today(portfolio), NULL, NULL, NULL, NULL, coalesce(region, country), condition, false) AS j
		ORDER BY j.asset_id;
END;
$$;

CREATE FUNCTION cec.regulation_review(portfolio regnamespace, contract_number text)
RETURNS TABLE (regulation_id bigint, country text, region text, title text, citation text, assets bigint, met bigint, unmet bigint,
	unknown bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	contract_id bigint := cec._contract_numbered(portfolio, contract_number);
	today date := cec.today(portfolio);
	covered bigint[];
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT array_agg(DISTINCT v.asset_id) FROM @P@.coverage_term t JOIN @P@.coverage v USING (term_id)
		WHERE t.contract_id = $1 AND v.during @> $2') INTO covered USING contract_id, today;
	RETURN QUERY EXECUTE cec._sql(portfolio, 'SELECT r.regulation_id, r.country, r.region, r.title, r.citation, count(*),
			count(*) FILTER (WHERE j.is_met), count(*) FILTER (WHERE NOT j.is_met), count(*) FILTER (WHERE j.is_met IS NULL)
		FROM cec._judge_regulations($1, $2, $3, NULL, NULL, NULL, NULL, NULL, true) AS j JOIN @P@.regulation r USING (regulation_id)
		GROUP BY r.regulation_id ORDER BY r.regulation_id')
		USING portfolio::oid, today, coalesce(covered, '{}');
END;
$$;

-- What regulations would say of the cover that lines of a list would give: a row for each line, by its place, of which there is
-- something to say. Judged on the first day from today on that the line would cover.
CREATE FUNCTION cec._regulation_notes(portfolio regnamespace, term_id bigint, places bigint[], asset_ids bigint[], lines daterange[])
RETURNS TABLE (place bigint, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today date := cec.today(portfolio);
	proposed_assets bigint[];
	proposed_terms bigint[];
	proposed_days daterange[];
	proposed_places bigint[];
	day_of date;
BEGIN
	EXECUTE cec._sql(portfolio, $query$
		SELECT array_agg(l.asset_id ORDER BY l.place), array_agg($1 ORDER BY l.place), array_agg(d.during ORDER BY l.place),
			array_agg(l.place ORDER BY l.place)
		FROM unnest($2, $3, $4) AS l(place, asset_id, line)
			JOIN @P@.asset a ON a.asset_id = l.asset_id
			JOIN @P@.coverage_term t ON t.term_id = $1
			JOIN @P@.contract c ON c.contract_id = t.contract_id AND c.status IN ('active', 'terminated')
			CROSS JOIN LATERAL unnest(datemultirange(l.line * t.during * c.during) - c.suspensions
				* CASE WHEN a.status = 'planned' AND a.commissioned_on IS NULL THEN '{}'::datemultirange
					ELSE datemultirange(daterange(a.commissioned_on, nullif(a.decommissioned_on, '5874897-12-31'), '[]')) - a.out_of_service END
				- coalesce((SELECT range_agg(i.during) FROM @P@.inclusion i
					WHERE i.asset_id = l.asset_id AND i.term_id = $1 AND i.effect = 'exclude'), '{}')
				- coalesce((SELECT range_agg(e.during) FROM @P@.rule_effect e JOIN @P@.coverage_rule r USING (rule_id)
					WHERE e.asset_id = l.asset_id AND r.term_id = $1 AND r.effect <> 'include'), '{}')) AS d(during)
		WHERE upper(d.during) > $5 OR upper_inf(d.during)
		$query$) INTO proposed_assets, proposed_terms, proposed_days, proposed_places USING term_id, places, asset_ids, lines, today;
	FOR day_of IN SELECT DISTINCT greatest(lower(d), today) FROM unnest(proposed_days) AS d ORDER BY 1 LOOP
		RETURN QUERY EXECUTE cec._sql(portfolio, $query$
			WITH line AS MATERIALIZED (
				-- Of several ranges of a line the first counts.
				SELECT p.place, p.asset_id FROM unnest($3, $4, $5, $6) AS p(asset_id, term_id, during, place)
				GROUP BY p.place, p.asset_id HAVING min(greatest(lower(p.during), $7)) = $2
			)
			SELECT l.place, string_agg(format(CASE WHEN j.is_met IS NULL THEN 'whether its cover would meet "%s"%s of %s cannot be told'
				ELSE 'its cover would not meet "%s"%s of %s' END, r.title, ' (' || r.citation || ')', coalesce(r.region, r.country)),
				'; ' ORDER BY r.regulation_id)
			FROM cec._judge_regulations($1, $2, ARRAY(SELECT l.asset_id FROM line l), $3, $4, $5, NULL, NULL, false) AS j
				JOIN line l USING (asset_id) JOIN @P@.regulation r USING (regulation_id)
			GROUP BY l.place
			$query$) USING portfolio::oid, day_of, proposed_assets, proposed_terms, proposed_days, proposed_places, today;
	END LOOP;
END;
$$;

CREATE FUNCTION cec.check_inclusions(portfolio regnamespace, term_id bigint, rows jsonb)
RETURNS TABLE (place bigint, identifier text, outcome text, sqlstate text, constraint_name text, message text, asset_id bigint,
	suggestion text)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	has_regulations boolean;
	places bigint[];
	asset_ids bigint[];
	lines daterange[];
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT EXISTS (SELECT FROM @P@.regulation)') INTO has_regulations;
	IF NOT has_regulations THEN
		RETURN QUERY SELECT * FROM cec._check_inclusions(portfolio::oid, term_id, rows);
		RETURN;
	END IF;
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH checked AS MATERIALIZED (
			SELECT * FROM cec._check_inclusions($1, $2, $3)
		), line AS MATERIALIZED (
			SELECT c.place, c.asset_id, daterange(coalesce(cec.as_date(r.row ->> 'first_day'), lower(t.during)),
				coalesce(cec.as_date(r.row ->> 'last_day') + 1, upper(t.during))) AS during
			FROM checked c JOIN jsonb_array_elements($3) WITH ORDINALITY AS r(row, place) USING (place)
				JOIN @P@.coverage_term t ON t.term_id = $2
			WHERE c.outcome IN ('insert', 'update') AND coalesce(r.row ->> 'effect', 'include') = 'include'
		)
		SELECT c.place, c.identifier, c.outcome, c.sqlstate, c.constraint_name, nullif(concat_ws('; ', c.message, n.message), ''),
			c.asset_id, c.suggestion
		FROM checked c LEFT JOIN cec._regulation_notes($1, $2, ARRAY(SELECT l.place FROM line l ORDER BY l.place),
			ARRAY(SELECT l.asset_id FROM line l ORDER BY l.place), ARRAY(SELECT l.during FROM line l ORDER BY l.place)) AS n USING (place)
		ORDER BY c.place
		$query$) USING portfolio::oid, term_id, rows;
END;
$$;

COMMENT ON FUNCTION cec._is_in(geometry, geometry) IS 'Private. Whether a place is in an area or on its edge.';
COMMENT ON FUNCTION cec._regulation_message(text, text[], text, text, text, boolean) IS 'Private. What a finding regulation_unmet says.';
COMMENT ON FUNCTION cec._judge_regulations(oid, date, bigint[], bigint[], bigint[], daterange[], text, text, boolean) IS 'Private. What the regulations in force on a day, or a requirement for a place that is tried, say of the assets (NULL: all) that are covered on it, also by proposed cover, among those that the caller may read: met, or NULL where that is unknown, with the terms that do not meet it.';
COMMENT ON FUNCTION cec._regulation_unmet(regnamespace, bigint[]) IS 'Private. What there is today of findings regulation_unmet about the assets (NULL: all), with the columns of the views of kinds.';
COMMENT ON FUNCTION cec.test_regulation(regnamespace, text, text, text) IS 'Whose cover would not meet a regulation; see test_regulation of a portfolio.';
COMMENT ON FUNCTION cec.regulation_review(regnamespace, text) IS 'What regulations say of the assets of a contract; see regulation_review of a portfolio.';
COMMENT ON FUNCTION cec._regulation_notes(regnamespace, bigint, bigint[], bigint[], daterange[]) IS 'Private. What regulations would say of the cover of lines that are not stored yet.';
COMMENT ON FUNCTION cec.check_inclusions(regnamespace, bigint, jsonb) IS 'What would become of the rows of a list; see check_inclusions of a portfolio.';
