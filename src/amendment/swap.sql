-- Another asset takes the place of one, on all lists and in all bundles.

-- What becomes of the lines of old assets: what the old one keeps, and what the new one takes. policy: carry_remaining, restart or overlap. A line
-- that is restarted may run into one that moves: then it is taken in pieces, around that one.
CREATE FUNCTION cec._swap_lines(portfolio regnamespace, swaps cec._swap[]) RETURNS SETOF cec._swap_line
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH line AS MATERIALIZED (
			SELECT s.line_id, s.old_id, s.new_id, i.inclusion_id, i.term_id, i.effect, i.during, i.note, is_moved, s.policy,
				CASE WHEN NOT is_moved THEN i.during * daterange(NULL, s.old_until, '[]') END AS kept,
				daterange(NULL, s.new_until, '[]') * CASE WHEN is_moved THEN i.during
					WHEN s.policy = 'restart' AND i.effect = 'include'
						THEN daterange(s.on_day, least(s.on_day + (upper(length) - lower(length)), upper(t.during)))
					ELSE i.during * daterange(s.on_day, NULL) END AS taken
			FROM unnest($1) AS s JOIN @P@.inclusion i ON i.asset_id = s.old_id AND (s.term_id IS NULL OR i.term_id = s.term_id)
				JOIN @P@.coverage_term t ON t.term_id = i.term_id JOIN @P@.contract c ON c.contract_id = t.contract_id
				CROSS JOIN LATERAL (SELECT i.during * t.during * c.during AS days,
					CASE WHEN lower_inf(i.during) OR upper_inf(i.during) THEN i.during * t.during ELSE i.during END AS length) AS d
				CROSS JOIN LATERAL (SELECT c.status = 'draft' OR coalesce(lower(days) >= s.on_day, false)
					AND NOT (i.effect = 'exclude' AND s.policy = 'overlap' AND lower(days) <= s.old_until) AS is_moved) AS m
			WHERE c.status <> 'void' AND NOT isempty(days) AND coalesce(upper(days) > s.on_day, true) AND NOT coalesce(lower(i.during) > s.new_until, false)
		)
		SELECT l.line_id, l.old_id, l.new_id, l.inclusion_id, l.term_id, l.effect, l.during, l.note, l.is_moved, CASE WHEN p.place = 1 THEN l.kept END, p.taken
		FROM line l
			CROSS JOIN LATERAL (SELECT range_agg(o.taken) AS days FROM line o
				WHERE l.policy = 'restart' AND NOT l.is_moved AND o.is_moved AND (o.old_id, o.term_id, o.effect) = (l.old_id, l.term_id, l.effect)) AS o
			CROSS JOIN LATERAL unnest(datemultirange(l.taken) - coalesce(o.days, '{}')) WITH ORDINALITY AS p(taken, place)
		$query$) USING swaps;
END;
$$;

-- What is done to lists for that.
CREATE FUNCTION cec._swap_steps(portfolio regnamespace, swaps cec._swap[], lines cec._swap_line[]) RETURNS SETOF cec._amendment_step
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH line AS (
			SELECT l.*, o.asset_tag AS old_tag, n.asset_tag AS new_tag, s.note AS given_note
			FROM unnest($2) AS l JOIN @P@.asset o ON o.asset_id = l.old_id JOIN @P@.asset n ON n.asset_id = l.new_id
				LEFT JOIN unnest($1) AS s ON s.line_id = l.line_id
		)
		SELECT l.line_id, 'update', l.inclusion_id, l.old_id, l.term_id, l.effect, l.kept, l.during, NULL::text, l.note, NULL::text, NULL::text, NULL::text, NULL::bigint
		FROM line l WHERE NOT l.is_moved AND l.kept <> l.during
		UNION ALL
		SELECT l.line_id, CASE WHEN l.is_moved THEN 'update' ELSE 'insert' END, CASE WHEN l.is_moved THEN l.inclusion_id END, l.new_id, l.term_id, l.effect,
			l.taken, CASE WHEN l.is_moved THEN l.during END, l.new_tag,
			coalesce(l.given_note, l.note, CASE WHEN NOT l.is_moved THEN format('in the place of %s', l.old_tag) END), NULL, NULL, NULL,
			CASE WHEN l.is_moved THEN l.old_id END
		FROM line l
		$query$) USING swaps, lines;
END;
$$;

-- What becomes of memberships of old assets, and of those in bundles of which they are the primary: the pieces of each, by who is in it, and
-- in whose. A new asset is no member of its own bundle.
CREATE FUNCTION cec._swap_pieces(portfolio regnamespace, swaps cec._swap[]) RETURNS SETOF cec._swap_piece
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH swap AS MATERIALIZED (
			SELECT DISTINCT ON (s.old_id) s.* FROM unnest($1) AS s ORDER BY s.old_id, s.on_day
		), concerned AS (
			SELECT m.member_id FROM swap s JOIN @P@.bundle_member m ON m.asset_id = s.old_id AND NOT m.during << daterange(s.on_day, NULL)
			UNION
			SELECT m.member_id FROM swap s JOIN @P@.bundle b ON b.primary_asset_id = s.old_id
				JOIN @P@.bundle_member m ON m.bundle_id = b.bundle_id AND NOT m.during << daterange(s.on_day, NULL)
		), piece AS (
			SELECT m.member_id, m.bundle_id, b.name, m.asset_id, b.primary_asset_id, m.during, a.asset_id AS now_asset_id, p.asset_id AS now_primary_id,
				a.days * p.days AS now_days, a.asset_id = p.asset_id AS is_dropped
			FROM concerned c JOIN @P@.bundle_member m ON m.member_id = c.member_id JOIN @P@.bundle b ON b.bundle_id = m.bundle_id
				LEFT JOIN swap o ON o.old_id = m.asset_id LEFT JOIN swap q ON q.old_id = b.primary_asset_id
				CROSS JOIN LATERAL (
					SELECT m.asset_id, CASE WHEN o.old_id IS NULL THEN m.during WHEN lower(m.during) >= o.on_day THEN 'empty'
						ELSE m.during * daterange(NULL, o.old_until, '[]') END AS days
					UNION ALL
					SELECT o.new_id, m.during * daterange(o.on_day, NULL) WHERE o.old_id IS NOT NULL) AS a
				CROSS JOIN LATERAL (
					SELECT b.primary_asset_id AS asset_id, CASE WHEN q.old_id IS NULL THEN m.during ELSE m.during * daterange(NULL, q.on_day) END AS days
					UNION ALL
					SELECT q.new_id, m.during * daterange(q.on_day, NULL) WHERE q.old_id IS NOT NULL) AS p
			WHERE NOT isempty(a.days * p.days)
		)
		SELECT p.member_id, p.bundle_id, p.name, p.asset_id, p.primary_asset_id, p.during, CASE WHEN NOT p.is_dropped
			THEN row_number() OVER (PARTITION BY p.member_id, p.is_dropped ORDER BY p.now_days, p.now_asset_id <> p.asset_id, p.now_primary_id <> p.primary_asset_id) END,
			p.now_asset_id, p.now_primary_id, p.now_days
		FROM piece p
		$query$) USING swaps;
END;
$$;

-- One statement changes lines and memberships alike, so that no member is uncovered for a moment, and nobody is told so. Memberships are
-- definitions, and change alone in the portfolio: where there are none, lines are changed beside other writers.
CREATE FUNCTION cec.swap_asset(portfolio regnamespace, old_identifier text, new_identifier text, on_day date, policy text, overlap_until date)
RETURNS TABLE (action text, asset_id bigint, asset_tag text, term_id bigint, first_day date, last_day date, message text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	swap cec._swap;
	old_tag text;
	new_tag text;
	concerned bigint[];
	were_covered bigint[];
	lines cec._swap_line[];
	pieces cec._swap_piece[];
	has_bundles boolean;
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
	PERFORM cec._require_policy(policy, '{carry_remaining,restart,overlap}');
	IF policy = 'overlap' AND (overlap_until IS NULL OR overlap_until < on_day) OR policy <> 'overlap' AND overlap_until IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = CASE WHEN policy <> 'overlap' THEN format('policy %s has no overlap_until', policy)
				WHEN overlap_until IS NULL THEN 'policy overlap needs overlap_until'
				ELSE 'overlap_until must not come before on_day' END,
			HINT = 'It is the last day on which the old asset is covered beside the new one; other policies have none.';
	END IF;
	IF overlap_until IS NOT NULL THEN
		PERFORM cec._require_day('overlap_until', overlap_until);
	END IF;
	swap.on_day := on_day;
	swap.old_until := coalesce(overlap_until, on_day - 1);
	swap.policy := policy;
	swap.old_id := cec._asset_to_leave(portfolio, old_identifier, on_day);
	swap.new_id := cec._asset_to_come(portfolio, new_identifier, on_day);
	IF swap.old_id = swap.new_id THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'an asset cannot take its own place',
			DETAIL = format('Both "%s" and "%s" name one asset.', left(old_identifier, 100), left(new_identifier, 100)),
			HINT = 'To end its lines, use remove_asset.';
	END IF;

	has_bundles := cec._enter_swap(portfolio, ARRAY[swap]);
	IF NOT has_bundles THEN
		EXECUTE cec._sql(portfolio, 'SELECT FROM @P@.inclusion WHERE asset_id = $1 AND NOT during << daterange($2, NULL)
			ORDER BY term_id, lower(during) FOR UPDATE') USING swap.old_id, on_day;
		PERFORM cec._lock_listed(portfolio, ARRAY[swap.old_id, swap.new_id]);
	END IF;
	EXECUTE cec._sql(portfolio, 'SELECT o.asset_tag, n.asset_tag FROM @P@.asset o, @P@.asset n WHERE o.asset_id = $1 AND n.asset_id = $2')
		INTO old_tag, new_tag USING swap.old_id, swap.new_id;
	suffix := CASE WHEN on_day < cec.today(portfolio) THEN '; backdated' ELSE '' END;

	concerned := cec._with_members(portfolio, ARRAY[swap.old_id, swap.new_id], on_day);
	lines := ARRAY(SELECT l FROM cec._swap_lines(portfolio, ARRAY[swap]) AS l);
	pieces := CASE WHEN has_bundles THEN ARRAY(SELECT p FROM cec._swap_pieces(portfolio, ARRAY[swap]) AS p) ELSE '{}' END;
	were_covered := cec._requests_covered(portfolio, concerned);

	BEGIN
		PERFORM cec._take_steps(portfolio, NULL, ARRAY(SELECT s FROM cec._swap_steps(portfolio, ARRAY[swap], lines) AS s), pieces);
	EXCEPTION WHEN integrity_constraint_violation THEN
		-- As it is, but for a context that repeats the statement.
		GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, facts = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT,
			rule = CONSTRAINT_NAME, on_table = TABLE_NAME, on_schema = SCHEMA_NAME;
		RAISE EXCEPTION USING ERRCODE = code, MESSAGE = said, DETAIL = facts, HINT = advice, CONSTRAINT = rule, TABLE = on_table, SCHEMA = on_schema;
	END;
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH line AS (
			SELECT * FROM unnest($1)
		), piece AS (
			SELECT p.*, p.asset_id = $3 AS is_own, bool_or(p.place IS NULL) OVER (PARTITION BY p.member_id) AS is_dropped,
				p.now_asset_id = p.asset_id AND p.now_primary_id = p.primary_id AS is_kept,
				bool_or(p.now_asset_id = p.asset_id AND p.now_primary_id = p.primary_id) OVER (PARTITION BY p.member_id) AS stays
			FROM unnest($2) AS p
		), told (place, action, asset_id, term_id, days, message) AS (
			SELECT 1, CASE WHEN effect = 'exclude' THEN 'divided' ELSE 'ended' END, $3, l.term_id, l.kept,
				CASE WHEN effect = 'exclude' THEN format('carved out; %s goes on with the carve-out from %s', $6, cec._day(lower(l.taken)))
					ELSE format('%s takes its place from %s; it was listed %s', $6, cec._day($7), cec._days_in_words(l.during)) END
			FROM line l WHERE NOT is_moved AND l.kept <> l.during
			UNION ALL
			SELECT 2, CASE WHEN effect = 'exclude' THEN 'divided' ELSE 'begun' END, $4, l.term_id, l.taken,
				format(CASE WHEN effect = 'exclude' THEN 'carved out in the place of %s' ELSE 'in the place of %s' END, $5)
			FROM line l WHERE NOT is_moved
			UNION ALL
			SELECT 3, 'moved', $4, l.term_id, l.taken,
				format(CASE WHEN effect = 'exclude' THEN 'carved out in the place of %s' ELSE 'in the place of %s' END, $5)
			FROM line l WHERE is_moved
			UNION ALL
			SELECT 4, 'begun', $4, NULL, daterange($7, NULL), format('is the primary of bundle "%s" in the place of %s', b.bundle_name, $5)
			FROM (SELECT DISTINCT p.bundle_id, p.bundle_name FROM piece p WHERE p.place IS NOT NULL AND p.now_primary_id <> p.primary_id) AS b
			UNION ALL
			SELECT 5, 'ended', p.asset_id, NULL, p.now_days, format('member of bundle "%s"', p.bundle_name)
			FROM piece p WHERE (p.is_own OR p.is_dropped) AND p.is_kept AND p.now_days <> p.during
			UNION ALL
			SELECT 6, 'begun', $4, NULL, p.now_days, format('member of bundle "%s" in the place of %s', p.bundle_name, $5)
			FROM piece p WHERE p.is_own AND NOT p.is_dropped AND NOT p.is_kept AND p.stays
			UNION ALL
			SELECT 7, 'moved', p.now_asset_id, NULL, p.now_days,
				CASE WHEN is_own THEN format('member of bundle "%s" in the place of %s', p.bundle_name, $5)
					ELSE format('member of bundle "%s" of %s', p.bundle_name, $6) END
			FROM piece p WHERE NOT p.is_dropped AND NOT p.is_kept AND NOT (p.is_own AND p.stays)
			UNION ALL
			SELECT 8, 'dropped', $4, NULL, p.now_days, format('is no member of bundle "%s", being its primary', p.bundle_name)
			FROM piece p WHERE p.place IS NULL AND (p.is_own OR NOT p.stays)
		)
		SELECT t.action, t.asset_id, a.asset_tag, t.term_id, lower(t.days), upper(t.days) - 1, t.message || $8
		FROM told t JOIN @P@.asset a ON a.asset_id = t.asset_id
		ORDER BY t.place, t.term_id, a.asset_tag, t.days, t.message
		$query$) USING lines, pieces, swap.old_id, swap.new_id, old_tag, new_tag, on_day, suffix;
	GET DIAGNOSTICS done = ROW_COUNT;
	IF done = 0 THEN
		RAISE NOTICE USING MESSAGE = format('nothing had to be changed for "%s"', left(old_identifier, 100)),
			DETAIL = format('It stands on no list and in no bundle on %s or later.', cec._day(on_day)),
			HINT = 'The table inclusion has the lines of an asset; include_asset lists another one.';
	END IF;
	RETURN QUERY SELECT * FROM cec._requests_dropped(portfolio, concerned, were_covered);
END;
$$;

-- Goes through the gate: alone, where memberships are concerned, else as data do. Returns which.
CREATE FUNCTION cec._enter_swap(portfolio regnamespace, swaps cec._swap[]) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF swaps <> '{}' AND EXISTS (SELECT FROM cec._swap_pieces(portfolio, swaps)) THEN
		-- No row, and yet the gate alone.
		EXECUTE cec._sql(portfolio, 'UPDATE @P@.bundle_member SET during = during WHERE false');
		RETURN true;
	END IF;
	PERFORM cec._lock_listed(portfolio, '{}');
	IF swaps <> '{}' AND EXISTS (SELECT FROM cec._swap_pieces(portfolio, swaps)) THEN
		PERFORM cec._refuse_joined();
	END IF;
	RETURN false;
END;
$$;

CREATE FUNCTION cec._refuse_joined() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = 'could not serialize access due to concurrent update',
		DETAIL = 'An asset came into a bundle while it was to be swapped.', HINT = 'The transaction might succeed if retried.';
END;
$$;

COMMENT ON FUNCTION cec._swap_lines(regnamespace, cec._swap[]) IS 'Private. What becomes of the lines of old assets.';
COMMENT ON FUNCTION cec._swap_steps(regnamespace, cec._swap[], cec._swap_line[]) IS 'Private. What is done to lists for that.';
COMMENT ON FUNCTION cec._swap_pieces(regnamespace, cec._swap[]) IS 'Private. What becomes of memberships that old assets have a part in.';
COMMENT ON FUNCTION cec._enter_swap(regnamespace, cec._swap[]) IS 'Private. Goes through the gate for swaps, and returns whether alone, since memberships change.';
COMMENT ON FUNCTION cec._refuse_joined() IS 'Private. Raises SQLSTATE 40001, since memberships are concerned by now.';
COMMENT ON FUNCTION cec.swap_asset(regnamespace, text, text, date, text, date) IS 'Puts an asset in the place of another one; see swap_asset of a portfolio.';
