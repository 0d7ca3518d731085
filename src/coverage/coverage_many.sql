-- The question that covered answers, of many identifiers at once: what each names and what covers it is looked up by index, and
-- the answer comes from one query.

CREATE FUNCTION cec.covered_many(portfolio regnamespace, identifiers text[], on_day date)
RETURNS TABLE (place bigint, identifier text, outcome text, asset_id bigint, asset_tag text, contract_id bigint, contract_number text,
	term_id bigint, tier_code text, valid_from date, last_day date, is_stated boolean, is_inherited boolean, is_ruled boolean)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	IF identifiers IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the identifiers must not be NULL',
			HINT = 'Give an array of tags, serial numbers or other identifiers.';
	END IF;
	PERFORM cec._require_finite(on_day, NULL);
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH asked AS MATERIALIZED (
			SELECT i.place, i.identifier FROM unnest($1) WITH ORDINALITY AS i(identifier, place)
		), day AS MATERIALIZED (
			SELECT coalesce($2, (now() AT TIME ZONE s.time_zone)::date) AS named_on FROM @P@.setting s
		), named AS MATERIALIZED (
			SELECT n.place, n.asset_id, a.asset_tag
			FROM day d CROSS JOIN LATERAL cec._named($3::oid, $1, d.named_on) AS n JOIN @P@.asset a ON a.asset_id = n.asset_id
		), best AS MATERIALIZED (
			SELECT DISTINCT ON (n.place) n.place, n.asset_id, n.asset_tag, c.contract_id, c.number AS contract_number, t.term_id,
				s.code AS tier_code, lower(v.during) AS valid_from, upper(v.during) - 1 AS last_day, v.is_stated, v.is_inherited, v.is_ruled
			FROM named n
				CROSS JOIN LATERAL (SELECT v.* FROM @P@.coverage v WHERE v.asset_id = n.asset_id OFFSET 0) AS v
				JOIN @P@.coverage_term t ON t.term_id = v.term_id
				JOIN @P@.contract c ON c.contract_id = t.contract_id
				LEFT JOIN @P@.service_tier s ON s.tier_id = t.tier_id
			WHERE v.during @> coalesce($2, (now() AT TIME ZONE c.time_zone)::date)
			ORDER BY n.place, CASE c.kind WHEN 'warranty' THEN 1 WHEN 'extended_warranty' THEN 2 WHEN 'service' THEN 3 ELSE 4 END,
				CASE WHEN v.is_stated THEN 1 WHEN v.is_inherited THEN 2 ELSE 3 END, s.rank DESC NULLS LAST, c.priority,
				upper(v.during) DESC NULLS FIRST, c.number, t.number, v.coverage_id
		), known AS MATERIALIZED (
			SELECT n.place, count(*) > 1 AS is_ambiguous, min(n.asset_id) AS asset_id, min(n.asset_tag) AS asset_tag FROM named n GROUP BY n.place
		)
		SELECT q.place, q.identifier,
			CASE WHEN k.place IS NULL THEN 'unknown' WHEN k.is_ambiguous THEN 'ambiguous' WHEN b.place IS NULL THEN 'uncovered' ELSE 'covered' END,
			CASE WHEN k.is_ambiguous THEN b.asset_id ELSE k.asset_id END, CASE WHEN k.is_ambiguous THEN b.asset_tag ELSE k.asset_tag END,
			b.contract_id, b.contract_number, b.term_id, b.tier_code, b.valid_from, b.last_day, b.is_stated, b.is_inherited, b.is_ruled
		FROM asked q LEFT JOIN known k USING (place) LEFT JOIN best b USING (place)
		ORDER BY q.place
		$query$) USING identifiers, on_day, portfolio;
END;
$$;

COMMENT ON FUNCTION cec.covered_many(regnamespace, text[], date) IS 'Which of many identifiers are covered on a day (NULL: each contract''s today), and by which term; see covered_many of a portfolio.';
