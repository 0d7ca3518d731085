-- The law of findings: what is open is what the views of the kinds list, no more and no less, word for word.
--
-- finding_breaches(portfolio) returns each difference: "missing" is listed and not open, "stale" is open and not listed. A row that says
-- something else than its view is both. It reads as whoever asks. As long as the day has not turned, and no setting, jurisdiction or
-- regulation has changed since, it returns nothing behind any statement, and behind refresh in any case.

-- Kinds of which statements do not compare all yet: they are right behind refresh.
CREATE FUNCTION public.finding_left_to_refresh() RETURNS text[] LANGUAGE sql IMMUTABLE
AS $$ SELECT '{}'::text[] $$;

-- is_refreshed: refresh has just run, so these too.
CREATE FUNCTION public.finding_breaches(portfolio regnamespace, is_refreshed boolean DEFAULT false) RETURNS TABLE (difference text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	compared text := 'severity::text, asset_id, other_asset_id, contract_id, term_id, rule_id, subject::text, first_day, last_day, detail::text, message';
	kind text;
BEGIN
	FOR kind IN
		SELECT k.kind FROM cec.finding_kind k
		WHERE k.hears <> '{}' AND (is_refreshed OR k.kind <> ALL (public.finding_left_to_refresh())) ORDER BY k.kind
	LOOP
		RETURN QUERY EXECUTE format($query$
			WITH listed AS MATERIALIZED (SELECT %1$s FROM %2$s.%3$I),
				open AS MATERIALIZED (SELECT %1$s FROM %2$s.finding WHERE kind = %4$L AND closed_at IS NULL)
			SELECT format('%%s %%s %%s', d.side, %4$L, d.r)
			FROM (
				SELECT 'missing' AS side, l::text AS r FROM (TABLE listed EXCEPT ALL TABLE open) AS l
				UNION ALL
				SELECT 'stale', o::text FROM (TABLE open EXCEPT ALL TABLE listed) AS o
			) AS d ORDER BY d.side, d.r
			$query$, compared, portfolio, '_finding_' || kind, kind);
	END LOOP;
END;
$$;

-- The differences in one text, for a test that expects none.
CREATE FUNCTION public.finding_law(portfolio regnamespace, is_refreshed boolean DEFAULT false) RETURNS text LANGUAGE sql
AS $$ SELECT coalesce(string_agg(difference, E'\n'), 'findings are as listed') FROM public.finding_breaches(portfolio, is_refreshed) $$;
