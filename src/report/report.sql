-- Reports that draw on several nouns.

-- All that changed in and around a contract. Rows are followed through the log, not through the tables: what was deleted,
-- or moved to another contract, belongs to the story. A row is told while it is the contract's, and when it ceases to be.
-- The log is looked into by its indexes, as LATERAL with OFFSET 0 makes it, with statistics and without; sets in hand are hashed.
-- What the planner expects of it is far too much where there are none: it would compile, and send for others to help.
CREATE FUNCTION cec.coverage_audit(portfolio regnamespace, contract_number text, first_day date, last_day date)
RETURNS TABLE (audit_id bigint, on_day date, at timestamptz, actor text, session_user_name text, client_addr inet, reason text,
	operation text, table_name text, row_id bigint, row_contract_number text, term_number text, asset_id bigint, asset_tag text,
	summary text, before jsonb, after jsonb, block_no bigint, proof text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_nestloop = off
	SET enable_mergejoin = off SET jit = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
	contract_id bigint;
BEGIN
	PERFORM cec._require_version(portfolio);
	IF contract_number IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the contract number must not be NULL',
			HINT = 'The table contract has the numbers.';
	END IF;
	IF first_day > last_day THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'the first day comes after the last day',
			DETAIL = format('The first day is %s, the last day %s.', first_day, last_day);
	END IF;
	contract_id := cec._contract_ever_numbered(portfolio, contract_number);
	RETURN QUERY EXECUTE cec._sql(portfolio, replace($query$
		WITH part AS MATERIALIZED (
			SELECT l.audit_id, l.table_name, l.row_id, l.asset_id, l.term_id
			FROM @P@.audit_log l WHERE l.contract_id = $1
		), term AS (
			SELECT DISTINCT p.row_id AS term_id FROM part p WHERE p.table_name = 'coverage_term'
		), listed AS MATERIALIZED (
			SELECT p.asset_id FROM part p WHERE p.table_name = 'inclusion' AND p.asset_id IS NOT NULL
			UNION
			SELECT h.asset_id FROM term t
				CROSS JOIN LATERAL (SELECT h.asset_id FROM @P@.coverage_history h WHERE h.term_id = t.term_id OFFSET 0) AS h
			UNION
			SELECT v.asset_id FROM term t
				CROSS JOIN LATERAL (SELECT v.asset_id FROM @P@.coverage v WHERE v.term_id = t.term_id OFFSET 0) AS v
		), tier AS (
			SELECT DISTINCT (coalesce(e.new_row, e.old_row) ->> 'tier_id')::bigint AS tier_id
			FROM part p CROSS JOIN LATERAL (SELECT e.old_row, e.new_row FROM @P@.audit_entry e WHERE e.audit_id = p.audit_id OFFSET 0) AS e
			WHERE p.table_name = 'coverage_term'
		), told AS (
			SELECT p.table_name, p.row_id FROM part p
			UNION
			SELECT l.table_name, l.row_id FROM listed
				CROSS JOIN LATERAL (SELECT l.table_name, l.row_id FROM @P@.audit_log l WHERE l.asset_id = listed.asset_id OFFSET 0) AS l
			WHERE l.table_name IN ('asset', 'asset_identifier', 'bundle', 'bundle_member')
			UNION
			SELECT 'service_tier', t.tier_id FROM tier t
		), followed AS (
			SELECT l.audit_id, l.table_name, l.contract_id, l.asset_id,
				lag(l.contract_id) OVER row_in_time AS contract_before, lag(l.asset_id) OVER row_in_time AS asset_before
			FROM told CROSS JOIN LATERAL (SELECT l.* FROM @P@.audit_log l
				WHERE l.row_id = told.row_id AND l.table_name = told.table_name OFFSET 0) AS l
			WINDOW row_in_time AS (PARTITION BY l.table_name, l.row_id ORDER BY l.audit_id)
		), chosen AS MATERIALIZED (
			SELECT f.audit_id
			FROM followed f
				LEFT JOIN listed n ON n.asset_id = f.asset_id
				LEFT JOIN listed o ON o.asset_id = f.asset_before
			WHERE f.contract_id = $1 OR f.contract_before = $1 OR f.table_name = 'service_tier'
				OR (f.table_name IN ('asset', 'asset_identifier', 'bundle', 'bundle_member')
					AND (n.asset_id IS NOT NULL OR o.asset_id IS NOT NULL))
		), entry AS MATERIALIZED (
			SELECT e.*, (e.at AT TIME ZONE s.time_zone)::date AS on_day
			FROM chosen
				CROSS JOIN @P@.setting s
				CROSS JOIN LATERAL (SELECT e.*, l.row_image IS NULL AS is_erased
					FROM @P@.audit_log l JOIN @P@.audit_entry e USING (audit_id)
					WHERE l.audit_id = chosen.audit_id AND e.audit_id = chosen.audit_id
						AND ($2 IS NULL OR l.at >= $2::timestamp AT TIME ZONE s.time_zone)
						AND ($3 IS NULL OR l.at < ($3 + 1)::timestamp AT TIME ZONE s.time_zone) OFFSET 0) AS e
		), place AS (
			SELECT b.audit_id, b.block_no
			FROM (SELECT array_agg(e.audit_id ORDER BY e.audit_id) AS audit_ids, array_agg(e.system_id ORDER BY e.audit_id) AS system_ids,
				array_agg(e.xid ORDER BY e.audit_id) AS xids FROM entry e) AS a
				CROSS JOIN LATERAL unnest(a.audit_ids, cec._blocks_of($4, a.audit_ids, a.system_ids, a.xids)) AS b(audit_id, block_no)
		)
		SELECT e.audit_id, e.on_day, e.at, e.actor, e.session_user_name, e.client_addr, e.reason, e.operation, e.table_name, e.row_id,
			c.number, t.number, e.asset_id, a.asset_tag,
			CASE WHEN e.is_erased THEN 'erased' ELSE cec._summary(e.operation, cec._abbreviate(e.old_row), cec._abbreviate(e.new_row)) END,
			cec._abbreviate(CASE e.operation WHEN 'DELETE' THEN jsonb_strip_nulls(e.old_row) ELSE e.old_row END),
			cec._abbreviate(CASE e.operation WHEN 'INSERT' THEN jsonb_strip_nulls(e.new_row) ELSE e.new_row END),
			p.block_no, CASE WHEN e.is_erased THEN 'erased' WHEN p.block_no IS NULL THEN 'unsealed' ELSE 'sealed' END
		FROM entry e
			LEFT JOIN place p USING (audit_id)
			LEFT JOIN LATERAL (SELECT c.number FROM @P@.contract c WHERE c.contract_id = e.contract_id OFFSET 0) AS c ON true
			LEFT JOIN LATERAL (SELECT t.number FROM @P@.coverage_term t WHERE t.term_id = e.term_id OFFSET 0) AS t ON true
			LEFT JOIN LATERAL (SELECT a.asset_tag FROM @P@.asset a WHERE a.asset_id = e.asset_id OFFSET 0) AS a ON true
		ORDER BY e.audit_id
		$query$, '@P@.audit_entry', cec._audit_entry())) USING contract_id, first_day, last_day, portfolio::oid;
END;
$$;

-- A row without the many corners of its geometry; audit_entry has them.
CREATE FUNCTION cec._abbreviate(image jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT image || coalesce((SELECT jsonb_object_agg(k.key, format('%s… (%s characters)', left(k.value, 42), length(k.value)))
		FROM jsonb_each_text(image) AS k WHERE k.key IN ('location', 'boundary') AND length(k.value) > 60), '{}');
END;

-- A value of a column as people say it.
CREATE FUNCTION cec._value_in_words(column_name text, value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN value IS NULL THEN 'none' WHEN column_name = 'during' THEN cec._days_in_words(value::daterange) ELSE value END;
END;

-- One line for people: which columns took which values.
CREATE FUNCTION cec._summary(operation text, old_row jsonb, new_row jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT string_agg(CASE operation
			WHEN 'UPDATE' THEN format('%s: %s -> %s', k.key, cec._value_in_words(k.key, old_row ->> k.key), cec._value_in_words(k.key, new_row ->> k.key))
			ELSE format('%s: %s', k.key, cec._value_in_words(k.key, k.value)) END, '; ' ORDER BY k.key)
	FROM jsonb_each_text(coalesce(new_row, old_row)) AS k
	WHERE operation = 'UPDATE' OR k.value IS NOT NULL;
END;

COMMENT ON FUNCTION cec.coverage_audit(regnamespace, text, date, date) IS 'Who changed what, when and why, in and around a contract; see coverage_audit of a portfolio.';
COMMENT ON FUNCTION cec._abbreviate(jsonb) IS 'Private. A row of the log with its geometry shortened.';
COMMENT ON FUNCTION cec._value_in_words(text, text) IS 'Private. A value of a column for people.';
COMMENT ON FUNCTION cec._summary(text, jsonb, jsonb) IS 'Private. A change in one line for people.';
