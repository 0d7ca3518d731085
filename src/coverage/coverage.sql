-- Effective coverage: questions about it, and the definition in plain SQL that the engine is checked against.

-- A row of covered, of the engine's functions and of a portfolio's.
CREATE TYPE cec.covering_term AS (
	rank bigint,
	asset_id bigint,
	asset_tag text,
	contract_id bigint,
	contract_number text,
	term_id bigint,
	tier_code text,
	valid_from date,
	last_day date,
	is_stated boolean,
	is_inherited boolean,
	is_ruled boolean,
	is_ambiguous boolean
);

CREATE FUNCTION cec._keep_definitions(portfolio oid) RETURNS void
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_keep_definitions';
CREATE FUNCTION cec._let_definitions() RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_let_definitions';
CREATE FUNCTION cec._recompute(portfolio oid) RETURNS bigint
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_recompute';

-- The cover of assets whose list lines, or memberships, would be those given, and of all below them: of those whose cover would be
-- another, its rows as they are and as they would be. An asset has the lines given, and no other.
CREATE FUNCTION cec._trial_coverage(portfolio oid, listed bigint[], line_asset_ids bigint[], line_term_ids bigint[], line_includes boolean[],
	line_days daterange[], members bigint[] DEFAULT '{}', membership_asset_ids bigint[] DEFAULT '{}', primary_ids bigint[] DEFAULT '{}',
	membership_days daterange[] DEFAULT '{}')
RETURNS TABLE (asset_id bigint, term_id bigint, is_new boolean, during daterange)
LANGUAGE c STABLE ROWS 100 AS 'MODULE_PATHNAME', 'cec_trial_coverage';

CREATE FUNCTION cec._covered(portfolio oid, identifier text, at timestamptz, on_day date)
RETURNS SETOF cec.covering_term
LANGUAGE c STABLE ROWS 2 AS 'MODULE_PATHNAME', 'cec_covered';

CREATE FUNCTION cec.covered(portfolio regnamespace, identifier text, at timestamptz)
RETURNS SETOF cec.covering_term
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec._covered(portfolio::oid, identifier, at, NULL);
END;

CREATE FUNCTION cec.covered_on(portfolio regnamespace, identifier text, on_day date)
RETURNS SETOF cec.covering_term
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec._covered(portfolio::oid, identifier, NULL, on_day);
END;

-- Nothing is known of infinity, neither on the day nor at the instant; NULL passes.
CREATE FUNCTION cec._require_finite(on_day date, at timestamptz) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT isfinite(on_day) OR NOT isfinite(at) THEN
		RAISE EXCEPTION USING ERRCODE = 'datetime_field_overflow', MESSAGE = 'infinity is not a day',
			HINT = 'Ask for a day or an instant on which something can be covered.';
	END IF;
END;
$$;

CREATE FUNCTION cec.coverage_as_of(portfolio regnamespace, on_day date, known_at timestamptz)
RETURNS TABLE (coverage_id bigint, asset_id bigint, term_id bigint, valid_from date, last_day date,
	is_stated boolean, is_ruled boolean, is_inherited boolean, recorded_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	IF on_day IS NULL OR known_at IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'day and instant must not be NULL',
			HINT = 'Give a day, and an instant, or leave the instant out for now.';
	END IF;
	PERFORM cec._require_finite(on_day, known_at);
	RETURN QUERY EXECUTE cec._sql(portfolio,
		'SELECT coverage_id, asset_id, term_id, lower(during), upper(during) - 1, is_stated, is_ruled, is_inherited, recorded_at
		FROM @P@.coverage WHERE during @> $1 AND recorded_at <= $2
		UNION ALL
		SELECT coverage_id, asset_id, term_id, lower(during), upper(during) - 1, is_stated, is_ruled, is_inherited, lower(recorded)
		FROM @P@.coverage_history WHERE during @> $1 AND recorded @> $2
		ORDER BY 2, 3, 4') USING on_day, known_at;
END;
$$;

-- The definition in plain SQL, in three functions: shares no code with the engine. What rules decided is taken as it is
-- recorded; a trial adds rules of a term that act on the assets given, side by side, on the days given. Sets of days are
-- multiranges.
--
-- The time it takes must not hang on statistics, which a portfolio just loaded has none of, nor on how many ways lead down
-- to a member. Hence: reach holds each range of days of an asset under a term once, however it got there (UNION, not UNION
-- ALL: with all ways told apart, two primaries a level double them with each level). All joins are hash joins. What a step of
-- the recursion looks into comes from functions that say ROWS 1, which is not so, but makes them the side that is hashed,
-- once, and not what the last step found, with all else read again in each. It is to stay in memory, therefore the multiplier.

-- Who belongs to whom, and the days on which that counts: those of the membership that are in the member's life.
CREATE FUNCTION cec._define_heirs(portfolio regnamespace)
RETURNS TABLE (primary_id bigint, asset_id bigint, days datemultirange)
LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		SELECT b.primary_asset_id, m.asset_id,
			datemultirange(m.during * daterange(a.commissioned_on, nullif(a.decommissioned_on, '5874897-12-31'), '[]')) - a.out_of_service
		FROM @P@.bundle_member m JOIN @P@.bundle b USING (bundle_id) JOIN @P@.asset a ON a.asset_id = m.asset_id
		WHERE NOT (a.status = 'planned' AND a.commissioned_on IS NULL)
		$query$);
END;
$$;

-- The days that an asset is taken out of a term, by list lines and by rules.
CREATE FUNCTION cec._define_carve_outs(portfolio regnamespace, trial_term_id bigint, trial_effects text[], trial_asset_ids bigint[],
	trial_days daterange[])
RETURNS TABLE (asset_id bigint, term_id bigint, days datemultirange)
LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		SELECT x.asset_id, x.term_id, range_agg(x.during)
		FROM (SELECT i.asset_id, i.term_id, i.during FROM @P@.inclusion i WHERE i.effect = 'exclude'
			UNION ALL
			SELECT e.asset_id, r.term_id, e.during FROM @P@.rule_effect e JOIN @P@.coverage_rule r USING (rule_id) WHERE r.effect = 'exclude'
			UNION ALL
			SELECT t.asset_id, $1, t.during FROM unnest($2, $3, $4) AS t(effect, asset_id, during) WHERE t.effect = 'exclude') AS x
		GROUP BY x.asset_id, x.term_id
		$query$) USING trial_term_id, trial_effects, trial_asset_ids, trial_days;
END;
$$;

-- Coverage of the assets given (NULL: all). The recursion takes its hash table at once, as large as memory allows: memory is set here,
-- lest a session with half a gigabyte of work_mem asks for 24.
CREATE FUNCTION cec._define_coverage(portfolio regnamespace, asset_ids bigint[], trial_term_id bigint DEFAULT NULL,
	trial_effects text[] DEFAULT NULL, trial_asset_ids bigint[] DEFAULT NULL, trial_days daterange[] DEFAULT NULL)
RETURNS TABLE (asset_id bigint, term_id bigint, during daterange, is_stated boolean, is_ruled boolean, is_inherited boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off SET jit = off
	SET work_mem = '4MB' SET hash_mem_multiplier = 32 AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH RECURSIVE base AS MATERIALIZED (
			SELECT t.term_id, t.covers_bundles,
				CASE WHEN c.status IN ('draft', 'void') THEN '{}'::datemultirange
					ELSE datemultirange(t.during * c.during) - c.suspensions END AS days
			FROM @P@.coverage_term t JOIN @P@.contract c USING (contract_id)
		), life AS NOT MATERIALIZED (
			SELECT a.asset_id,
				CASE WHEN a.status = 'planned' AND a.commissioned_on IS NULL THEN '{}'::datemultirange
					ELSE datemultirange(daterange(a.commissioned_on, nullif(a.decommissioned_on, '5874897-12-31'), '[]')) - a.out_of_service END AS days
			FROM @P@.asset a
		), acting AS (
			SELECT e.asset_id, r.term_id, r.effect, e.during FROM @P@.rule_effect e JOIN @P@.coverage_rule r USING (rule_id)
			UNION ALL
			SELECT t.asset_id, $2, t.effect, t.during FROM unnest($3, $4, $5) AS t(effect, asset_id, during)
		), listed AS (
			SELECT l.asset_id, l.term_id, range_agg(l.during) FILTER (WHERE NOT l.is_ruled) AS stated,
				range_agg(l.during) FILTER (WHERE l.is_ruled) AS ruled
			FROM (SELECT i.asset_id, i.term_id, false AS is_ruled, i.during FROM @P@.inclusion i WHERE i.effect = 'include'
				UNION ALL
				SELECT e.asset_id, e.term_id, true, e.during FROM acting e WHERE e.effect = 'include') AS l
			GROUP BY l.asset_id, l.term_id
		), unmet AS (
			SELECT e.asset_id, e.term_id, range_agg(e.during) AS days
			FROM acting e WHERE e.effect = 'require' GROUP BY e.asset_id, e.term_id
		), carved_out AS MATERIALIZED (
			SELECT * FROM cec._define_carve_outs($6, $2, $3, $4, $5)
		), own AS MATERIALIZED (
			SELECT d.asset_id, d.term_id, coalesce(d.stated * d.days, '{}') AS stated, coalesce(d.ruled * d.days, '{}') AS ruled
			FROM (SELECT l.*, f.days * b.days - coalesce(x.days, '{}') - coalesce(u.days, '{}') AS days
				FROM listed l
					JOIN base b USING (term_id)
					JOIN life f USING (asset_id)
					LEFT JOIN carved_out x USING (asset_id, term_id)
					LEFT JOIN unmet u USING (asset_id, term_id)) AS d
		), reach AS (
			SELECT o.asset_id, o.term_id, unnest(o.stated + o.ruled) AS days, false AS is_inherited
			FROM own o JOIN base b USING (term_id)
			WHERE b.covers_bundles AND o.asset_id IN (SELECT p.primary_asset_id FROM @P@.bundle p)
			UNION
			SELECT h.asset_id, r.term_id, unnest(datemultirange(r.days) * h.days - coalesce(x.days, '{}')), true
			FROM reach r
				JOIN cec._define_heirs($6) h ON h.primary_id = r.asset_id
				LEFT JOIN carved_out x ON x.asset_id = h.asset_id AND x.term_id = r.term_id
		), grounds AS (
			SELECT g.*
			FROM (SELECT asset_id, term_id, coalesce(o.stated, '{}') AS stated, coalesce(o.ruled, '{}') AS ruled,
					coalesce(i.inherited, '{}') AS inherited
				FROM own o FULL JOIN (SELECT r.asset_id, r.term_id, range_agg(r.days) AS inherited
					FROM reach r WHERE r.is_inherited GROUP BY r.asset_id, r.term_id) AS i USING (asset_id, term_id)) AS g
			WHERE $1 IS NULL OR g.asset_id = ANY ($1)
		)
		SELECT g.asset_id, g.term_id, d.during, s.is_stated, s.is_ruled, s.is_inherited
		FROM grounds g
			CROSS JOIN LATERAL (VALUES
				(g.stated - g.ruled - g.inherited, true, false, false),
				(g.stated * g.ruled - g.inherited, true, true, false),
				(g.stated * g.ruled * g.inherited, true, true, true),
				(g.stated * g.inherited - g.ruled, true, false, true),
				(g.ruled - g.stated - g.inherited, false, true, false),
				(g.ruled * g.inherited - g.stated, false, true, true),
				(g.inherited - g.stated - g.ruled, false, false, true)) AS s(days, is_stated, is_ruled, is_inherited)
			CROSS JOIN LATERAL unnest(s.days) AS d(during)
		$query$) USING asset_ids, trial_term_id, trial_effects, trial_asset_ids, trial_days, portfolio;
END;
$$;

-- Two snapshots would make differences where there are none.
CREATE FUNCTION cec._require_read_committed(what text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		RAISE EXCEPTION USING ERRCODE = 'active_sql_transaction',
			MESSAGE = format('%s needs isolation level READ COMMITTED', what),
			DETAIL = format('The transaction runs at %s.', upper(current_setting('transaction_isolation'))),
			HINT = 'Run it in a transaction of its own: BEGIN ISOLATION LEVEL READ COMMITTED.';
	END IF;
END;
$$;

-- Rules of today, judged again by one query each: pairs of asset and rule for which something else is recorded. Rules
-- that depend on the day are judged where refresh has come as far as today; rules that fail for some asset are not.
-- A rule that takes cover away is checked against the assets that its term concerns for sure: those on its list, those that
-- rules qualify by today, and those that inherit by today. Whom a forecast qualifies for days to come is judged as of these.
CREATE FUNCTION cec._verify_rules(portfolio regnamespace)
RETURNS TABLE (problem text, asset_id bigint, term_id bigint, effect text, on_day date)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
	rule record;
	is_refreshed boolean;
BEGIN
	on_day := cec.today(portfolio);
	EXECUTE cec._sql(portfolio, 'SELECT EXISTS (SELECT FROM @P@.refresh_run r CROSS JOIN @P@.setting s
		WHERE r.on_day >= $1 AND (r.recorded_at AT TIME ZONE s.time_zone)::date >= $1)') INTO is_refreshed USING on_day;
	FOR rule IN EXECUTE cec._sql(portfolio,
		'SELECT * FROM @P@.coverage_rule r WHERE r.during @> $1
			AND EXISTS (SELECT FROM @P@.coverage_term t JOIN @P@.contract c USING (contract_id) WHERE t.term_id = r.term_id)
			AND NOT EXISTS (SELECT FROM @P@.finding f WHERE f.rule_id = r.rule_id AND f.kind = ''rule_failed'' AND f.closed_at IS NULL)') USING on_day
	LOOP
		CONTINUE WHEN NOT is_refreshed AND rule.state = 'active'
			AND (SELECT c.depends_on_day FROM cec.check_condition(rule.condition) c);
		BEGIN
			RETURN QUERY EXECUTE cec._sql(portfolio, $query$
				WITH judged AS MATERIALIZED (
					SELECT m AS asset_id FROM cec._scan_rule($1, $2, $3, $4, $5, $6) AS m
				), recorded AS MATERIALIZED (
					SELECT e.asset_id FROM @P@.rule_effect e WHERE e.rule_id = $7 AND e.during @> $6
				), concerned AS MATERIALIZED (
					SELECT i.asset_id FROM @P@.inclusion i WHERE i.term_id = $2 AND i.effect = 'include'
					UNION SELECT e.asset_id FROM @P@.rule_effect e JOIN @P@.coverage_rule r USING (rule_id)
						WHERE r.term_id = $2 AND r.effect = 'include' AND e.during && daterange(NULL, $6, '[]')
					UNION SELECT v.asset_id FROM @P@.coverage v
						WHERE v.term_id = $2 AND v.is_inherited AND $3 = 'exclude' AND v.during && daterange(NULL, $6, '[]')
				)
				SELECT d.problem, d.asset_id, $2, $3, $6
				FROM (SELECT 'rule missing' AS problem, m.* FROM (TABLE judged EXCEPT TABLE recorded) AS m
					UNION ALL SELECT 'rule extra', x.* FROM (TABLE recorded EXCEPT TABLE judged) AS x) AS d
					LEFT JOIN concerned c USING (asset_id)
				WHERE $3 = 'include' OR c.asset_id IS NOT NULL
				$query$) USING portfolio::oid, rule.term_id, rule.effect, rule.on_unknown,
					CASE WHEN rule.state = 'active' THEN rule.condition END, on_day, rule.rule_id;
		-- It fails for an asset that the engine need not ask it of: no finding tells. Or it takes too long over all of them.
		EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
			NULL;
		END;
	END LOOP;
END;
$$;

-- The same, once more where the day has turned meanwhile: others may have decided for the new one what was judged for the old.
CREATE FUNCTION cec._verify_rules_of_a_day(portfolio regnamespace)
RETURNS TABLE (problem text, asset_id bigint, term_id bigint, effect text, on_day date)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found jsonb;
	began_on date;
BEGIN
	LOOP
		began_on := cec.today(portfolio);
		SELECT coalesce(jsonb_agg(v), '[]') INTO found FROM cec._verify_rules(portfolio) AS v;
		EXIT WHEN cec.today(portfolio) IS NOT DISTINCT FROM began_on;
	END LOOP;
	RETURN QUERY SELECT r.* FROM jsonb_to_recordset(found) AS r(problem text, asset_id bigint, term_id bigint, effect text, on_day date);
END;
$$;

CREATE FUNCTION cec.verify_coverage(portfolio regnamespace)
RETURNS TABLE (problem text, asset_id bigint, term_id bigint, valid_from date, last_day date,
	is_stated boolean, is_ruled boolean, is_inherited boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wrong_rules jsonb;
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._require_execute(portfolio, 'verify_coverage');
	PERFORM cec._require_read_committed('verify_coverage');
	-- Rules, contracts and bundles stay as they are while this reads them with several snapshots.
	IF NOT pg_is_in_recovery() AND has_table_privilege(format('%s.audit_log', portfolio)::regclass, 'SELECT') THEN
		PERFORM cec._keep_definitions(portfolio);
	END IF;
	SELECT coalesce(jsonb_agg(r), '[]') INTO wrong_rules FROM cec._verify_rules_of_a_day(portfolio) AS r;
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH defined AS MATERIALIZED (SELECT * FROM cec._define_coverage($1, NULL)),
			stored AS MATERIALIZED (SELECT v.asset_id, v.term_id, v.during, v.is_stated, v.is_ruled, v.is_inherited FROM @P@.coverage v),
			difference AS (
				SELECT 'missing' AS problem, m.* FROM (TABLE defined EXCEPT ALL TABLE stored) AS m
				UNION ALL
				SELECT 'extra', e.* FROM (TABLE stored EXCEPT ALL TABLE defined) AS e)
		SELECT d.problem, d.asset_id, d.term_id, lower(d.during), upper(d.during) - 1, d.is_stated, d.is_ruled, d.is_inherited
		FROM difference d
		UNION ALL
		SELECT r.problem, r.asset_id, r.term_id, r.on_day, r.on_day, false, r.effect = 'include', false
		FROM jsonb_to_recordset($2) AS r(problem text, asset_id bigint, term_id bigint, effect text, on_day date)
		ORDER BY 2, 3, 4, 1
		$query$) USING portfolio, wrong_rules;
	PERFORM cec._let_definitions();
END;
$$;

CREATE FUNCTION cec.recompute_coverage(portfolio regnamespace) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._require_read_committed('recompute_coverage');
	IF NOT has_table_privilege(format('%s.setting', portfolio)::regclass, 'UPDATE') THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('permission denied to recompute the coverage of portfolio %s', portfolio),
			HINT = 'It needs UPDATE on the table setting, which level admin has.';
	END IF;
	RETURN cec._recompute(portfolio);
END;
$$;

-- The reasons, term by term, in the order of the definition. Each step up is a look-up by an index, as OFFSET 0 makes it: left
-- to join as it likes, the planner reads all bundles again for each step, where no statistics tell that an asset is in few.
CREATE FUNCTION cec._explain_coverage(portfolio regnamespace, asset_id bigint, asset_tag text, on_day date)
RETURNS TABLE (step integer, term_id bigint, outcome text, reason text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found boolean := false;
BEGIN
	FOR step, term_id, outcome, reason IN EXECUTE cec._sql(portfolio, $query$
		WITH RECURSIVE above AS (
			SELECT $1 AS asset_id
			UNION
			SELECT b.primary_asset_id
			FROM above a
				CROSS JOIN LATERAL (SELECT m.bundle_id FROM @P@.bundle_member m WHERE m.asset_id = a.asset_id AND m.during @> $2 OFFSET 0) AS m
				CROSS JOIN LATERAL (SELECT b.primary_asset_id FROM @P@.bundle b WHERE b.bundle_id = m.bundle_id OFFSET 0) AS b
		), primaries AS (
			SELECT DISTINCT p.asset_id, p.asset_tag
			FROM @P@.bundle_member m JOIN @P@.bundle b USING (bundle_id) JOIN @P@.asset p ON p.asset_id = b.primary_asset_id
			WHERE m.asset_id = $1 AND m.during @> $2
		), considered AS (
			SELECT i.term_id FROM above a CROSS JOIN LATERAL (SELECT i.term_id FROM @P@.inclusion i WHERE i.asset_id = a.asset_id OFFSET 0) AS i
			UNION
			SELECT r.term_id
			FROM above a
				CROSS JOIN LATERAL (SELECT e.rule_id FROM @P@.rule_effect e WHERE e.asset_id = a.asset_id OFFSET 0) AS e
				CROSS JOIN LATERAL (SELECT r.term_id FROM @P@.coverage_rule r WHERE r.rule_id = e.rule_id OFFSET 0) AS r
			UNION SELECT v.term_id FROM @P@.coverage v WHERE v.asset_id = $1
		), input AS (
			SELECT t.term_id, c.number AS contract, t.number AS term, c.status, c.during AS contract_days, c.suspensions,
				t.during AS term_days, t.covers_bundles, a.asset_tag, a.status AS asset_status, a.commissioned_on,
				a.decommissioned_on, a.out_of_service,
				(SELECT i.during FROM @P@.inclusion i WHERE i.asset_id = $1 AND i.term_id = t.term_id
					AND i.effect = 'include' AND i.during @> $2 LIMIT 1) AS listed,
				(SELECT i.during FROM @P@.inclusion i WHERE i.asset_id = $1 AND i.term_id = t.term_id
					AND i.effect = 'include' ORDER BY i.during LIMIT 1) AS listed_elsewhen,
				(SELECT i.during FROM @P@.inclusion i WHERE i.asset_id = $1 AND i.term_id = t.term_id
					AND i.effect = 'exclude' AND i.during @> $2 LIMIT 1) AS carved_out,
				(SELECT p.asset_tag FROM primaries p WHERE EXISTS (SELECT FROM @P@.coverage v
					WHERE v.asset_id = p.asset_id AND v.term_id = t.term_id AND v.during @> $2) ORDER BY 1 LIMIT 1) AS covered_primary,
				(SELECT min(p.asset_tag) FROM primaries p) AS primary_tag,
				(SELECT string_agg(format('"%s"', r.name), ', ' ORDER BY r.rule_id) FROM @P@.rule_effect e JOIN @P@.coverage_rule r USING (rule_id)
					WHERE e.asset_id = $1 AND e.during @> $2 AND r.term_id = t.term_id AND r.effect = 'include') AS qualified_by,
				(SELECT string_agg(format('"%s"', r.name), ', ' ORDER BY r.rule_id) FROM @P@.rule_effect e JOIN @P@.coverage_rule r USING (rule_id)
					WHERE e.asset_id = $1 AND e.during @> $2 AND r.term_id = t.term_id AND r.effect = 'require') AS unmet,
				(SELECT string_agg(format('"%s"', r.name), ', ' ORDER BY r.rule_id) FROM @P@.rule_effect e JOIN @P@.coverage_rule r USING (rule_id)
					WHERE e.asset_id = $1 AND e.during @> $2 AND r.term_id = t.term_id AND r.effect = 'exclude') AS excluded_by,
				ARRAY(SELECT r.effect FROM @P@.coverage_rule r WHERE r.term_id = t.term_id AND r.during @> $2) AS rule_effects,
				EXISTS (SELECT FROM @P@.coverage v WHERE v.asset_id = $1 AND v.term_id = t.term_id AND v.during @> $2) AS is_covered
			FROM considered JOIN @P@.coverage_term t USING (term_id) JOIN @P@.contract c USING (contract_id)
				CROSS JOIN @P@.asset a
			WHERE a.asset_id = $1
		)
		SELECT row_number() OVER (PARTITION BY f.term_id ORDER BY s.step)::integer, f.term_id, s.outcome, s.reason
		FROM input f CROSS JOIN LATERAL (VALUES
			(1, CASE WHEN f.status IN ('draft', 'void') OR NOT f.contract_days @> $2 OR f.suspensions @> $2 THEN 'no' ELSE 'yes' END,
				CASE WHEN f.status IN ('draft', 'void') THEN format('Contract %s is %s and covers nothing.', f.contract, f.status)
					WHEN NOT f.contract_days @> $2 THEN format('Contract %s runs %s, which leaves the day out.', f.contract, cec._days_in_words(f.contract_days))
					WHEN f.suspensions @> $2 THEN format('Contract %s is suspended on the day.', f.contract)
					ELSE format('Contract %s is %s and runs on the day.', f.contract, f.status) END),
			(2, CASE WHEN f.term_days @> $2 THEN 'yes' ELSE 'no' END,
				CASE WHEN f.term_days @> $2 THEN format('Term %s runs on the day.', f.term)
					ELSE format('Term %s runs %s, which leaves the day out.', f.term, cec._days_in_words(f.term_days)) END),
			(3, CASE WHEN (f.asset_status = 'planned' AND f.commissioned_on IS NULL) OR f.commissioned_on > $2
					OR f.decommissioned_on < $2 OR f.out_of_service @> $2 THEN 'no' ELSE 'yes' END,
				CASE WHEN f.asset_status = 'planned' AND f.commissioned_on IS NULL THEN format('Asset "%s" is planned and has no day of commissioning.', f.asset_tag)
					WHEN f.commissioned_on > $2 THEN format('Asset "%s" is commissioned only on %s.', f.asset_tag, f.commissioned_on)
					WHEN f.decommissioned_on < $2 THEN format('Asset "%s" was decommissioned on %s.', f.asset_tag, f.decommissioned_on)
					WHEN f.out_of_service @> $2 THEN format('Asset "%s" is out of service on the day.', f.asset_tag)
					ELSE format('Asset "%s" is in its life on the day.', f.asset_tag) END),
			(4, CASE WHEN f.listed IS NOT NULL THEN 'yes' ELSE 'no' END,
				CASE WHEN f.listed IS NOT NULL THEN format('It is listed %s.', cec._days_in_words(f.listed))
					WHEN f.listed_elsewhen IS NOT NULL THEN format('It is listed %s, which leaves the day out.', cec._days_in_words(f.listed_elsewhen))
					ELSE 'It is not listed on this term.' END),
			(5, CASE WHEN f.qualified_by IS NOT NULL THEN 'yes' WHEN 'include' = ANY (f.rule_effects) THEN 'no' END,
				CASE WHEN f.qualified_by IS NOT NULL THEN format('It qualifies by rule %s.', f.qualified_by)
					ELSE 'It qualifies by no rule of this term on the day.' END),
			(6, CASE WHEN f.unmet IS NOT NULL THEN 'no' WHEN 'require' = ANY (f.rule_effects) THEN 'yes' END,
				CASE WHEN f.unmet IS NOT NULL THEN format('It does not meet what rule %s requires.', f.unmet)
					ELSE 'It meets what the rules of this term require.' END),
			(7, CASE WHEN f.covered_primary IS NOT NULL AND f.covers_bundles THEN 'yes' ELSE 'no' END,
				CASE WHEN f.covered_primary IS NOT NULL AND f.covers_bundles THEN format('It belongs to the bundle of "%s", which this term covers.', f.covered_primary)
					WHEN f.covered_primary IS NOT NULL THEN format('It belongs to the bundle of "%s", but this term does not cover bundles.', f.covered_primary)
					WHEN f.primary_tag IS NOT NULL THEN format('It belongs to the bundle of "%s", which this term does not cover on the day.', f.primary_tag)
					ELSE 'It belongs to no bundle on the day.' END),
			(8, CASE WHEN f.carved_out IS NULL THEN 'yes' ELSE 'no' END,
				CASE WHEN f.carved_out IS NULL THEN 'It is not carved out of this term on the day.'
					ELSE format('It is carved out of this term %s.', cec._days_in_words(f.carved_out)) END),
			(9, CASE WHEN f.excluded_by IS NOT NULL THEN 'no' WHEN 'exclude' = ANY (f.rule_effects) THEN 'yes' END,
				CASE WHEN f.excluded_by IS NOT NULL THEN format('It is excluded by rule %s.', f.excluded_by)
					ELSE 'It is excluded by no rule of this term on the day.' END),
			(10, CASE WHEN f.is_covered THEN 'covered' ELSE 'not covered' END,
				format('Asset "%s" is %s under term %s of contract %s on %s.', f.asset_tag,
					CASE WHEN f.is_covered THEN 'covered' ELSE 'not covered' END, f.term, f.contract, $2))
			) AS s(step, outcome, reason)
		WHERE s.outcome IS NOT NULL -- rules are mentioned where the term has any
		ORDER BY 2, 1
		$query$) USING asset_id, on_day
	LOOP
		found := true;
		RETURN NEXT;
	END LOOP;
	IF NOT found THEN
		step := 7;
		term_id := NULL;
		outcome := 'not covered';
		reason := format('Asset "%s" stands on no list and qualifies by no rule, and no primary that it belongs to on %s does.', asset_tag, on_day);
		RETURN NEXT;
	END IF;
END;
$$;

CREATE FUNCTION cec.explain_coverage(portfolio regnamespace, identifier text, on_day date)
RETURNS TABLE (step integer, asset_id bigint, term_id bigint, outcome text, reason text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
	asked_day date;
	asset record;
BEGIN
	PERFORM cec._require_version(portfolio);
	IF identifier IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the identifier must not be NULL',
			HINT = 'Give a tag, serial number or other identifier.';
	END IF;
	PERFORM cec._require_finite(on_day, NULL);
	asked_day := coalesce(on_day, cec.today(portfolio));
	FOR asset IN SELECT a.asset_id, a.asset_tag FROM cec.find_asset(portfolio, identifier, asked_day) AS a LOOP
		RETURN QUERY SELECT e.step, asset.asset_id, e.term_id, e.outcome, e.reason
			FROM cec._explain_coverage(portfolio, asset.asset_id, asset.asset_tag, asked_day) AS e;
	END LOOP;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('no asset is known as "%s"', left(identifier, 100)),
			DETAIL = 'It is not an asset tag, a serial number or an identifier that was valid on that day.',
			HINT = 'See find_asset for what an identifier names.';
	END IF;
END;
$$;

COMMENT ON TYPE cec.covering_term IS 'A term that covers an asset, as covered and covered_on answer.';
COMMENT ON COLUMN cec.covering_term.rank IS 'From 1, the best term.';
COMMENT ON COLUMN cec.covering_term.asset_id IS 'Asset that is covered.';
COMMENT ON COLUMN cec.covering_term.asset_tag IS 'Its tag.';
COMMENT ON COLUMN cec.covering_term.contract_id IS 'Contract.';
COMMENT ON COLUMN cec.covering_term.contract_number IS 'Its number.';
COMMENT ON COLUMN cec.covering_term.term_id IS 'Term that covers the asset.';
COMMENT ON COLUMN cec.covering_term.tier_code IS 'Service tier of the term; NULL when it has none.';
COMMENT ON COLUMN cec.covering_term.valid_from IS 'First day of this range of cover; NULL when unbounded.';
COMMENT ON COLUMN cec.covering_term.last_day IS 'Last day, included; NULL when open.';
COMMENT ON COLUMN cec.covering_term.is_stated IS 'Covered because it is listed itself.';
COMMENT ON COLUMN cec.covering_term.is_inherited IS 'Covered because it belongs to the bundle of a covered primary.';
COMMENT ON COLUMN cec.covering_term.is_ruled IS 'Covered because a rule includes it.';
COMMENT ON COLUMN cec.covering_term.is_ambiguous IS 'Whether the identifier names several assets.';
COMMENT ON FUNCTION cec._recompute(oid) IS 'Private. Decides all rules, computes and writes the coverage of all assets; returns the number of rows of coverage changed.';
COMMENT ON FUNCTION cec._trial_coverage(oid, bigint[], bigint[], bigint[], boolean[], daterange[], bigint[], bigint[], bigint[], daterange[]) IS 'Private. What the cover of assets would be with other list lines or memberships.';
COMMENT ON FUNCTION cec._covered(oid, text, timestamptz, date) IS 'Private. Terms that cover an asset at an instant, or on a day.';
COMMENT ON FUNCTION cec.covered(regnamespace, text, timestamptz) IS 'Terms that cover an asset at an instant; see covered of a portfolio.';
COMMENT ON FUNCTION cec.covered_on(regnamespace, text, date) IS 'Terms that cover an asset on a day; see covered_on of a portfolio.';
COMMENT ON FUNCTION cec.coverage_as_of(regnamespace, date, timestamptz) IS 'Coverage of a day as it was known at an instant; see coverage_as_of of a portfolio.';
COMMENT ON FUNCTION cec._require_finite(date, timestamptz) IS 'Private. Raises SQLSTATE 22008 for infinity.';
COMMENT ON FUNCTION cec._define_coverage(regnamespace, bigint[], bigint, text[], bigint[], daterange[]) IS 'Private. The definition of coverage in plain SQL, for some assets or all (NULL); with what other rules of a term would do on some days.';
COMMENT ON FUNCTION cec._define_heirs(regnamespace) IS 'Private. Members and their primaries in plain SQL, with the days on which membership counts.';
COMMENT ON FUNCTION cec._define_carve_outs(regnamespace, bigint, text[], bigint[], daterange[]) IS 'Private. The days that assets are taken out of terms, in plain SQL.';
COMMENT ON FUNCTION cec._keep_definitions(oid) IS 'Private. Keeps definitions from changing, as any writer of data does, until _let_definitions.';
COMMENT ON FUNCTION cec._let_definitions() IS 'Private. Lets definitions change again, as far as _keep_definitions of the same function kept them.';
COMMENT ON FUNCTION cec._verify_rules(regnamespace) IS 'Private. Pairs of asset and rule for which rule_effect says something else than the condition says today.';
COMMENT ON FUNCTION cec._verify_rules_of_a_day(regnamespace) IS 'Private. The same, for a day that did not end meanwhile.';
COMMENT ON FUNCTION cec._require_read_committed(text) IS 'Private. Raises SQLSTATE 25001 above READ COMMITTED.';
COMMENT ON FUNCTION cec.verify_coverage(regnamespace) IS 'Every difference between stored coverage and its definition; see verify_coverage of a portfolio.';
COMMENT ON FUNCTION cec.recompute_coverage(regnamespace) IS 'Brings stored coverage back to its definition; see recompute_coverage of a portfolio.';
COMMENT ON FUNCTION cec._explain_coverage(regnamespace, bigint, text, date) IS 'Private. Why an asset, whose tag is given, is or is not covered on a day.';
COMMENT ON FUNCTION cec.explain_coverage(regnamespace, text, date) IS 'Why an asset is or is not covered on a day; see explain_coverage of a portfolio.';
