-- Amendments: their life, from draft to applied or cancelled.
--
-- What changes the status is a pair of functions: cec.NAME, in C, notes that the engine is at work, and calls cec._NAME, which does it as
-- the caller (src/portfolio/own_work.c). Whoever calls cec._NAME himself is refused by the trigger on amendment.

CREATE FUNCTION cec._amendment_writers(portfolio oid, amendment_id bigint)
RETURNS TABLE (actor text, session_user_name text)
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'cec_amendment_writers';

-- Rows of a list as they were given, and what of them is no row at all: days are both included, and of a remove last_day is the last
-- one that is left. Days that cannot be read are none, and given_days says them. A note is whatever was given, as an import takes it.
CREATE FUNCTION cec._amendment_rows(rows jsonb)
RETURNS TABLE (place bigint, action text, identifier text, term_number text, during daterange, successor_identifier text, note text, given_days text,
	malformed text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT g.place, g.action, g.row ->> 'identifier', g.row ->> 'term_number',
			CASE WHEN g.malformed IS NOT NULL OR g.given_days IS NULL AND num_nulls(g.first_day, g.last_day) = 2 THEN NULL
				WHEN g.given_days IS NOT NULL THEN 'empty'
				WHEN g.action = 'remove' THEN daterange(coalesce(g.first_day, g.last_day + 1), NULL)
				ELSE daterange(g.first_day, g.last_day, '[]') END,
			g.row ->> 'successor_identifier', g.row ->> 'note', g.given_days, g.malformed
		FROM (SELECT r.place, r.row, d.first_day, d.last_day, d.action,
				CASE WHEN b.day IS NOT NULL OR d.first_day > d.last_day THEN concat(c.cells ->> 'first_day', '/', c.cells ->> 'last_day') END AS given_days,
				CASE WHEN jsonb_typeof(r.row) <> 'object' THEN 'a row is not an object'
					WHEN u.key IS NOT NULL THEN format('"%s" is not a key of a row', left(u.key, 40))
					WHEN coalesce(jsonb_typeof(r.row -> 'identifier'), 'null') = 'null' THEN 'a row names no asset'
					WHEN o.key IS NOT NULL THEN format('%s is neither a text nor a number: %s', o.key, left(o.value, 40))
					WHEN d.action NOT IN ('include', 'exclude', 'remove', 'swap', 'change') THEN format('the action "%s" is not known', left(d.action, 40))
					WHEN d.effect NOT IN ('include', 'exclude') THEN format('the effect "%s" is not known', left(d.effect, 40))
					WHEN d.effect <> CASE d.action WHEN 'exclude' THEN 'exclude' ELSE 'include' END THEN format('the action %s has not the effect %s', d.action, d.effect)
					WHEN d.action = 'remove' AND num_nulls(d.first_day, d.last_day) = 0 THEN 'remove takes a first day that is removed, or a last day that is left'
					WHEN d.action <> 'swap' AND r.row ->> 'successor_identifier' IS NOT NULL THEN format('the action %s takes no successor', d.action)
					END AS malformed
			FROM jsonb_array_elements(rows) WITH ORDINALITY AS r(row, place)
				CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(r.row) WHEN 'object' THEN r.row ELSE '{}' END AS cells) AS c
				CROSS JOIN LATERAL (SELECT cec.as_date(c.cells ->> 'first_day') AS first_day, cec.as_date(c.cells ->> 'last_day') AS last_day,
					coalesce(c.cells ->> 'action', c.cells ->> 'effect', 'include') AS action, c.cells ->> 'effect' AS effect) AS d
				LEFT JOIN LATERAL (SELECT k.key FROM jsonb_object_keys(c.cells) AS k(key)
					WHERE k.key <> ALL ('{identifier,first_day,last_day,effect,note,action,term_number,successor_identifier}') ORDER BY k.key LIMIT 1) AS u ON true
				LEFT JOIN LATERAL (SELECT k.key, k.value::text FROM jsonb_each(c.cells) AS k(key, value)
					WHERE k.key NOT IN ('first_day', 'last_day', 'note') AND jsonb_typeof(k.value) NOT IN ('string', 'number', 'null')
					ORDER BY k.key LIMIT 1) AS o ON true
				LEFT JOIN LATERAL (SELECT n.day FROM (VALUES (c.cells ->> 'first_day'), (c.cells ->> 'last_day')) AS n(day)
					WHERE n.day IS NOT NULL AND cec.as_date(n.day) IS NULL LIMIT 1) AS b ON true) AS g
		ORDER BY g.place;
END;
$$;

-- Drafts what a list asks for. Lines may be wrong; what is no line at all is refused, since it could not be kept as it is.
CREATE FUNCTION cec.draft_amendment(portfolio regnamespace, contract_number text, title text, rows jsonb) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	of_contract bigint := cec._contract_numbered(portfolio, contract_number);
	result bigint;
	malformed text[];
BEGIN
	PERFORM cec._require_execute(portfolio, 'draft_amendment');
	IF title IS NULL OR rows IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'an amendment needs a title, and rows',
			HINT = 'Rows are a JSON array: [{"identifier": "P-0001", "first_day": "2026-01-01"}].';
	END IF;
	IF jsonb_typeof(rows) <> 'array' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'rows are not a JSON array',
			HINT = 'Rows are a JSON array: [{"identifier": "P-0001", "first_day": "2026-01-01"}].';
	END IF;
	malformed := ARRAY(SELECT format('Row %s: %s.', r.place, r.malformed) FROM cec._amendment_rows(rows) AS r WHERE r.malformed IS NOT NULL ORDER BY r.place);
	IF cardinality(malformed) > 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('%s of %s rows cannot be lines of an amendment', cardinality(malformed), jsonb_array_length(rows)),
			DETAIL = array_to_string(malformed[1:10], E'\n') || CASE WHEN cardinality(malformed) > 10 THEN format(E'\nAnd %s more.', cardinality(malformed) - 10) ELSE '' END,
			HINT = 'A row has the keys identifier, first_day, last_day, effect, note, action, term_number and successor_identifier, days as YYYY-MM-DD.';
	END IF;
	EXECUTE cec._sql(portfolio, 'INSERT INTO @P@.amendment (contract_id, title, requested_by) VALUES ($1, $2, $3) RETURNING amendment_id')
		INTO result USING of_contract, title, cec._actor();
	-- Of a contract with one term it is that one.
	EXECUTE cec._sql(portfolio, $query$
		INSERT INTO @P@.amendment_line (amendment_id, action, identifier, term_id, during, successor_identifier, note, given_days)
		SELECT $1, r.action, r.identifier, t.term_id, r.during, r.successor_identifier, r.note, r.given_days
		FROM cec._amendment_rows($2) AS r
			LEFT JOIN (SELECT t.term_id, t.number, count(*) OVER () AS terms FROM @P@.coverage_term t WHERE t.contract_id = $3) AS t
				ON t.number = r.term_number OR (r.term_number IS NULL AND t.terms = 1)
		ORDER BY r.place
		$query$) USING result, rows, of_contract;
	RETURN result;
END;
$$;

-- An amendment, locked until the transaction ends; SQLSTATE 23503 where there is none. Whoever changes its status asks for it first.
CREATE FUNCTION cec._lock_amendment(portfolio regnamespace, amendment_id bigint, OUT status text, OUT title text, OUT requested_by text,
	OUT contract_number text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	EXECUTE cec._sql(portfolio, 'SELECT m.status, m.title, m.requested_by, c.number FROM @P@.amendment m JOIN @P@.contract c ON c.contract_id = m.contract_id
		WHERE m.amendment_id = $1 FOR NO KEY UPDATE OF m') INTO status, title, requested_by, contract_number USING amendment_id;
	IF status IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('there is no amendment %s', coalesce(amendment_id::text, 'NULL')),
			HINT = format('The table %s.amendment has them.', portfolio);
	END IF;
END;
$$;

-- What is done to an amendment follows in order.
CREATE FUNCTION cec._require_status(amendment_id bigint, status text, wanted text[], deed text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF status <> ALL (wanted) THEN
		RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = format('amendment %s is %s and cannot be %s', amendment_id, status, deed),
			DETAIL = format('What is %s was %s before.', deed, array_to_string(wanted, ' or ')),
			HINT = 'A draft is submitted, approved and applied in this order; reopen_amendment makes what is submitted or approved a draft again.',
			CONSTRAINT = 'amendment_status_in_order';
	END IF;
END;
$$;

CREATE FUNCTION cec._submit_amendment(portfolio regnamespace, amendment_id bigint) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	amendment record;
	lines bigint;
	wrong text[];
BEGIN
	PERFORM cec._require_execute(portfolio, 'submit_amendment');
	amendment := cec._lock_amendment(portfolio, amendment_id);
	IF amendment.status = 'submitted' THEN
		RETURN amendment.status;
	END IF;
	PERFORM cec._require_status(amendment_id, amendment.status, '{draft}', 'submitted');
	EXECUTE cec._sql(portfolio, 'SELECT count(*) FROM @P@.amendment_line WHERE amendment_id = $1') INTO lines USING amendment_id;
	IF lines = 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = format('amendment %s has no lines', amendment_id),
			HINT = format('Lines are rows of the table %s.amendment_line.', portfolio), CONSTRAINT = 'amendment_has_lines';
	END IF;
	wrong := ARRAY(SELECT format('Line %s: %s.', s.line_id, s.message) FROM cec._amendment_steps(portfolio, amendment_id, true) AS s
		WHERE s.operation = 'refuse' ORDER BY s.line_id);
	IF cardinality(wrong) > 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'check_violation',
			MESSAGE = format('%s of %s lines of amendment %s are wrong', cardinality(wrong), lines, amendment_id),
			DETAIL = array_to_string(wrong[1:10], E'\n') || CASE WHEN cardinality(wrong) > 10 THEN format(E'\nAnd %s more.', cardinality(wrong) - 10) ELSE '' END,
			HINT = 'Mend or delete these lines, or mend the register; preview_amendment shows what is left.', CONSTRAINT = 'amendment_lines_right';
	END IF;
	EXECUTE cec._sql(portfolio, 'UPDATE @P@.amendment SET status = ''submitted'' WHERE amendment_id = $1') USING amendment_id;
	RETURN 'submitted';
END;
$$;

-- Four eyes: the approver neither asked for it nor wrote any line of it. Who shares a login is told apart by what the application says.
CREATE FUNCTION cec._require_other_eyes(portfolio regnamespace, amendment_id bigint, requested_by text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	four_eyes boolean;
	shared text[];
	met record;
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT four_eyes, coalesce(shared_login, ''{}'') FROM @P@.setting') INTO four_eyes, shared;
	IF NOT four_eyes THEN
		RETURN;
	END IF;
	SELECT w.actor, w.session_user_name, w.actor = cec._actor() AS by_actor INTO met
	FROM (SELECT * FROM cec._amendment_writers(portfolio::oid, amendment_id) UNION ALL SELECT requested_by, NULL) AS w
	WHERE w.actor = cec._actor() OR (w.session_user_name = session_user AND session_user <> ALL (shared))
	ORDER BY 3 DESC, 1, 2 LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = format('amendment %s needs the approval of somebody else', amendment_id),
			DETAIL = CASE WHEN met.by_actor THEN format('%s has requested it or written a line of it.', met.actor)
				ELSE format('%s has requested it or written a line of it, logged in as %s too.', met.actor, met.session_user_name) END,
			HINT = 'setting.four_eyes says so. A login that an application shares among its users is named in setting.shared_login.',
			CONSTRAINT = 'amendment_four_eyes';
	END IF;
END;
$$;

CREATE FUNCTION cec._approve_amendment(portfolio regnamespace, amendment_id bigint, expected text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	amendment record;
BEGIN
	PERFORM cec._require_execute(portfolio, 'approve_amendment');
	amendment := cec._lock_amendment(portfolio, amendment_id);
	IF amendment.status = 'approved' THEN
		RETURN amendment.status;
	END IF;
	PERFORM cec._require_status(amendment_id, amendment.status, '{submitted}', 'approved');
	PERFORM cec._require_other_eyes(portfolio, amendment_id, amendment.requested_by);
	IF expected IS NOT NULL AND expected <> cec._amendment_effect_hash(portfolio, amendment_id) THEN
		RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = format('amendment %s has another effect by now', amendment_id),
			DETAIL = 'Lists, contracts, rules or the register have changed since that effect was previewed.',
			HINT = 'See preview_amendment again, and pass its effect_hash.', CONSTRAINT = 'amendment_effect_expected';
	END IF;
	EXECUTE cec._sql(portfolio, 'UPDATE @P@.amendment SET status = ''approved'', approved_at = clock_timestamp(), approved_by = $2 WHERE amendment_id = $1')
		USING amendment_id, cec._actor();
	RETURN 'approved';
END;
$$;

CREATE FUNCTION cec._cancel_amendment(portfolio regnamespace, amendment_id bigint) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	amendment record;
BEGIN
	PERFORM cec._require_execute(portfolio, 'cancel_amendment');
	amendment := cec._lock_amendment(portfolio, amendment_id);
	IF amendment.status <> 'cancelled' THEN
		PERFORM cec._require_status(amendment_id, amendment.status, '{draft,submitted,approved}', 'cancelled');
		EXECUTE cec._sql(portfolio, 'UPDATE @P@.amendment SET status = ''cancelled'' WHERE amendment_id = $1') USING amendment_id;
	END IF;
	RETURN 'cancelled';
END;
$$;

CREATE FUNCTION cec._reopen_amendment(portfolio regnamespace, amendment_id bigint) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	amendment record;
BEGIN
	PERFORM cec._require_execute(portfolio, 'reopen_amendment');
	amendment := cec._lock_amendment(portfolio, amendment_id);
	IF amendment.status <> 'draft' THEN
		PERFORM cec._require_status(amendment_id, amendment.status, '{submitted,approved}', 'reopened');
		EXECUTE cec._sql(portfolio, 'UPDATE @P@.amendment SET status = ''draft'', approved_at = NULL, approved_by = NULL WHERE amendment_id = $1')
			USING amendment_id;
	END IF;
	RETURN 'draft';
END;
$$;

CREATE FUNCTION cec.submit_amendment(portfolio regnamespace, amendment_id bigint) RETURNS text
LANGUAGE c SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'cec_amendment_work';
CREATE FUNCTION cec.approve_amendment(portfolio regnamespace, amendment_id bigint, expected text) RETURNS text
LANGUAGE c SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'cec_amendment_work';
CREATE FUNCTION cec.cancel_amendment(portfolio regnamespace, amendment_id bigint) RETURNS text
LANGUAGE c SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'cec_amendment_work';
CREATE FUNCTION cec.reopen_amendment(portfolio regnamespace, amendment_id bigint) RETURNS text
LANGUAGE c SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'cec_amendment_work';

COMMENT ON FUNCTION cec._amendment_writers(oid, bigint) IS 'Private. As whom the caller, or his login, has written an amendment or lines of it, by the log; nothing of one that he cannot read.';
COMMENT ON FUNCTION cec._amendment_rows(jsonb) IS 'Private. The rows of a list as lines of an amendment, and what of them cannot be one.';
COMMENT ON FUNCTION cec.draft_amendment(regnamespace, text, text, jsonb) IS 'Drafts an amendment; see draft_amendment of a portfolio.';
COMMENT ON FUNCTION cec._lock_amendment(regnamespace, bigint) IS 'Private. An amendment, locked, or SQLSTATE 23503.';
COMMENT ON FUNCTION cec._require_status(bigint, text, text[], text) IS 'Private. Raises SQLSTATE 23514 where the status of an amendment is none of these.';
COMMENT ON FUNCTION cec._require_other_eyes(regnamespace, bigint, text) IS 'Private. Raises SQLSTATE 23514 where four eyes are wanted and the caller has requested the amendment or written a line of it.';
COMMENT ON FUNCTION cec._submit_amendment(regnamespace, bigint) IS 'Private. What submit_amendment does.';
COMMENT ON FUNCTION cec._approve_amendment(regnamespace, bigint, text) IS 'Private. What approve_amendment does.';
COMMENT ON FUNCTION cec._cancel_amendment(regnamespace, bigint) IS 'Private. What cancel_amendment does.';
COMMENT ON FUNCTION cec._reopen_amendment(regnamespace, bigint) IS 'Private. What reopen_amendment does.';
COMMENT ON FUNCTION cec.submit_amendment(regnamespace, bigint) IS 'Submits an amendment; see submit_amendment of a portfolio.';
COMMENT ON FUNCTION cec.approve_amendment(regnamespace, bigint, text) IS 'Approves an amendment; see approve_amendment of a portfolio.';
COMMENT ON FUNCTION cec.cancel_amendment(regnamespace, bigint) IS 'Cancels an amendment; see cancel_amendment of a portfolio.';
COMMENT ON FUNCTION cec.reopen_amendment(regnamespace, bigint) IS 'Makes a draft of an amendment again; see reopen_amendment of a portfolio.';
