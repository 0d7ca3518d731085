-- What changed in cover, for who follows it and for who wants to know what one change did: from the deltas of the log.

CREATE FUNCTION cec._settled_until(portfolio oid) RETURNS timestamptz
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_settled_until';

-- Of entries the days, per asset and term, that were covered before and no longer (lost), and the reverse (gained); of grounds that
-- changed alone nothing is left. The last subquery of whatever uses it: "state" is one row per entry, kind, asset, term and rule.
CREATE FUNCTION cec._net_days() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT $query$state AS MATERIALIZED (
		SELECT e.audit_id, e.at, d.kind, d.asset_id, d.term_id, d.rule_id,
			coalesce(range_agg(daterange(d.first_day, d.last_day, '[]')) FILTER (WHERE d.change = 'gained'), '{}') AS came,
			coalesce(range_agg(daterange(d.first_day, d.last_day, '[]')) FILTER (WHERE d.change = 'lost'), '{}') AS went
		FROM entry e CROSS JOIN LATERAL cec.decode_delta(e.delta) AS d
		GROUP BY e.audit_id, e.at, d.kind, d.asset_id, d.term_id, d.rule_id
	), net AS (
		SELECT s.audit_id, s.at, s.kind, s.asset_id, s.term_id, s.rule_id, n.change, r.during
		FROM state s
			CROSS JOIN LATERAL (VALUES ('lost', s.went - s.came), ('gained', s.came - s.went)) AS n(change, days)
			CROSS JOIN LATERAL unnest(n.days) AS r(during)
	)$query$
$$;

-- Volatile: what is settled is known first, and the log is read with a later snapshot, which shows it all.
CREATE FUNCTION cec.coverage_changes(portfolio regnamespace, since timestamptz, until timestamptz)
RETURNS TABLE (asset_id bigint, asset_tag text, contract_number text, term_number text, change text, first_day date, last_day date,
	audit_id bigint, next_since timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
	ends_at timestamptz := until;
BEGIN
	PERFORM cec._require_version(portfolio);
	IF since IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the instant to begin at must not be NULL',
			HINT = 'Give next_since of the last call, or ''-infinity'' for all changes.';
	END IF;
	IF NOT isfinite(until) THEN
		RAISE EXCEPTION USING ERRCODE = 'datetime_field_overflow', MESSAGE = 'infinity is no instant to end at',
			HINT = 'Leave until out: it is as late then as it can be.';
	END IF;
	IF NOT pg_is_in_recovery() THEN
		PERFORM cec._require_read_committed('coverage_changes');
		ends_at := least(until, cec._settled_until(portfolio));
	ELSIF until IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = 'a standby does not know who is still writing',
			DETAIL = 'What is recorded as of an instant may come later than what is recorded as of a later one.',
			HINT = 'Give until: what the primary returned as next_since, once the standby has come as far. Or ask the primary.';
	END IF;
	RETURN QUERY EXECUTE cec._sql(portfolio, format($query$
		WITH entry AS (
			SELECT l.audit_id, l.at, l.delta FROM @P@.audit_log l WHERE l.delta IS NOT NULL AND l.at > $1 AND l.at <= $2
		), %s
		SELECT n.asset_id, a.asset_tag, c.number, t.number, n.change, lower(n.during), upper(n.during) - 1, n.audit_id, $2
		FROM net n
			LEFT JOIN @P@.asset a ON a.asset_id = n.asset_id
			LEFT JOIN @P@.coverage_term t ON t.term_id = n.term_id
			LEFT JOIN @P@.contract c ON c.contract_id = t.contract_id
		WHERE n.kind = 'coverage'
		ORDER BY n.at, n.audit_id, n.asset_id, n.term_id, lower(n.during) NULLS FIRST
		$query$, cec._net_days())) USING since, ends_at;
END;
$$;

-- The statement is told by whatever entry of it is given: its rows, and what holds its delta, bear one transaction and instant.
CREATE FUNCTION cec.explain_change(portfolio regnamespace, audit_id bigint)
RETURNS TABLE (section text, asset_id bigint, term_id bigint, rule_id bigint, first_day date, last_day date, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
	asked record;
BEGIN
	PERFORM cec._require_version(portfolio);
	EXECUTE cec._sql(portfolio, 'SELECT l.at, l.xid, l.system_id FROM @P@.audit_log l WHERE l.audit_id = $1') INTO asked USING audit_id;
	IF asked.at IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('there is no entry %s in the audit log', coalesce(audit_id::text, 'NULL')),
			HINT = 'The view audit_entry shows the entries, with their audit_id.';
	END IF;
	RETURN QUERY EXECUTE cec._sql(portfolio, format($query$
		WITH entry AS MATERIALIZED (
			SELECT l.audit_id, l.at, l.actor, l.reason, l.table_name, l.operation, l.row_id, l.asset_id, l.term_id, l.delta, l.row_image IS NULL AS is_erased
			FROM @P@.audit_log l WHERE l.at = $2 AND l.xid = $3 AND l.system_id = $4
		), %1$s, statement AS (
			SELECT 1 AS place, e.asset_id, e.term_id,
				format('%%s of %%s %%s by %%s%%s: %%s.', e.operation, e.table_name, e.row_id, e.actor, coalesce(' (' || e.reason || ')', ''),
					CASE WHEN e.is_erased THEN 'its values were erased'
						ELSE coalesce(cec._summary(e.operation, cec._abbreviate(i.old_row), cec._abbreviate(i.new_row)), 'no values') END) AS message
			FROM entry e CROSS JOIN LATERAL (SELECT i.* FROM %2$s i WHERE i.audit_id = e.audit_id OFFSET 0) AS i
			WHERE e.audit_id = $1 AND e.table_name <> 'coverage'
			UNION ALL
			SELECT 2, NULL, NULL, format('The same statement: %%s of %%s %%s of %%s.', e.operation, count(*),
				CASE count(*) WHEN 1 THEN 'further row' ELSE 'further rows' END, e.table_name)
			FROM entry e WHERE e.audit_id <> $1 AND e.table_name <> 'coverage'
				AND (SELECT a.table_name FROM entry a WHERE a.audit_id = $1) <> 'coverage'
			GROUP BY e.operation, e.table_name
			UNION ALL
			SELECT 3, NULL, NULL, format('%%s of %%s %%s of %%s by %%s%%s.', e.operation, count(*),
				CASE count(*) WHEN 1 THEN 'row' ELSE 'rows' END, e.table_name, e.actor, coalesce(' (' || e.reason || ')', ''))
			FROM entry e WHERE e.table_name <> 'coverage' AND (SELECT a.table_name FROM entry a WHERE a.audit_id = $1) = 'coverage'
			GROUP BY e.operation, e.table_name, e.actor, e.reason
			UNION ALL
			SELECT 4, NULL, NULL, format('%%s by %%s%%s.', CASE e.operation WHEN 'REFRESH' THEN 'refresh' ELSE 'recompute_coverage' END, e.actor,
				coalesce(' (' || e.reason || ')', ''))
			FROM entry e WHERE e.audit_id = $1 AND e.operation IN ('REFRESH', 'RECOMPUTE')
		), told AS (
			SELECT n.*, coalesce('"' || a.asset_tag || '"', n.asset_id::text) AS asset,
				coalesce('"' || r.name || '"', n.rule_id::text) AS rule, coalesce(r.effect, '') AS effect,
				coalesce('term ' || t.number || ' of contract ' || c.number, 'term ' || coalesce(n.term_id, r.term_id)) AS term,
				coalesce(n.term_id, r.term_id) AS of_term_id, cec._days_in_words(n.during) AS days
			FROM net n
				LEFT JOIN LATERAL (SELECT a.asset_tag FROM @P@.asset a WHERE a.asset_id = n.asset_id OFFSET 0) AS a ON true
				LEFT JOIN LATERAL (SELECT r.name, r.effect, r.term_id FROM @P@.coverage_rule r WHERE r.rule_id = n.rule_id OFFSET 0) AS r ON true
				LEFT JOIN LATERAL (SELECT t.number, t.contract_id FROM @P@.coverage_term t WHERE t.term_id = coalesce(n.term_id, r.term_id) OFFSET 0) AS t ON true
				LEFT JOIN LATERAL (SELECT c.number FROM @P@.contract c WHERE c.contract_id = t.contract_id OFFSET 0) AS c ON true
		)
		SELECT x.section, x.asset_id, x.term_id, x.rule_id, lower(x.during), upper(x.during) - 1, x.message
		FROM (SELECT 1 AS place, s.place AS step, 'statement' AS section, s.asset_id, s.term_id, NULL::bigint AS rule_id, NULL::daterange AS during, s.message
			FROM statement s
			UNION ALL
			SELECT CASE d.kind WHEN 'decision' THEN 2 ELSE 3 END, 0, d.kind, d.asset_id, d.of_term_id, d.rule_id, d.during,
				CASE WHEN d.kind = 'coverage' THEN format('Asset %%s %%s cover under %%s: %%s.', d.asset, d.change, d.term, d.days)
					ELSE format(CASE d.effect || ' ' || d.change
						WHEN 'include gained' THEN 'Asset %%1$s qualifies for %%3$s by rule %%2$s: %%4$s.'
						WHEN 'include lost' THEN 'Asset %%1$s no longer qualifies for %%3$s by rule %%2$s: %%4$s.'
						WHEN 'require gained' THEN 'Asset %%1$s does not meet what rule %%2$s of %%3$s requires: %%4$s.'
						WHEN 'require lost' THEN 'Asset %%1$s meets again what rule %%2$s of %%3$s requires: %%4$s.'
						WHEN 'exclude gained' THEN 'Asset %%1$s is excluded from %%3$s by rule %%2$s: %%4$s.'
						WHEN 'exclude lost' THEN 'Asset %%1$s is no longer excluded from %%3$s by rule %%2$s: %%4$s.'
						WHEN ' gained' THEN 'Rule %%2$s, which is gone, acts on asset %%1$s: %%4$s.'
						ELSE 'Rule %%2$s, which is gone, acts no longer on asset %%1$s: %%4$s.' END, d.asset, d.rule, d.term, d.days) END
			FROM told d
			UNION ALL
			SELECT 4, CASE WHEN f.closed_at = $2 THEN 0 ELSE 1 END, 'finding', f.asset_id, f.term_id, f.rule_id,
				CASE WHEN coalesce(f.first_day <= f.last_day, true) THEN daterange(f.first_day, f.last_day, '[]') END,
				format('%%s %%s: %%s', CASE WHEN f.closed_at = $2 THEN 'Closes' ELSE 'Opens' END, f.kind, f.message)
			FROM @P@.finding f WHERE f.opened_at = $2 OR f.closed_at = $2) AS x
		ORDER BY x.place, x.step, x.asset_id, x.term_id, x.rule_id, lower(x.during) NULLS FIRST, x.message
		$query$, cec._net_days(), cec._audit_entry())) USING audit_id, asked.at, asked.xid, asked.system_id;
END;
$$;

COMMENT ON FUNCTION cec._settled_until(oid) IS 'Private. The last instant before the oldest open writer: all that was recorded as of it or before is committed or gone.';
COMMENT ON FUNCTION cec._net_days() IS 'Private. Part of a query: the days that each entry gives and takes.';
COMMENT ON FUNCTION cec.coverage_changes(regnamespace, timestamptz, timestamptz) IS 'Days of cover gained and lost since an instant; see coverage_changes of a portfolio.';
COMMENT ON FUNCTION cec.explain_change(regnamespace, bigint) IS 'What a change did, and why; see explain_change of a portfolio.';
