-- Another asset takes the place of one, on all lists and in all bundles.

-- One statement changes lines and memberships alike, so that no member is uncovered for a moment, and nobody is told so. Memberships are
-- definitions, and change alone in the portfolio: where there are none, lines are changed beside other writers.
CREATE FUNCTION cec.swap_asset(portfolio regnamespace, old_identifier text, new_identifier text, on_day date, policy text, overlap_until date)
RETURNS TABLE (action text, asset_id bigint, asset_tag text, term_id bigint, first_day date, last_day date, message text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	in_bundles CONSTANT text := 'SELECT EXISTS (SELECT FROM @P@.bundle_member m WHERE (m.asset_id = $1
			OR m.bundle_id IN (SELECT b.bundle_id FROM @P@.bundle b WHERE b.primary_asset_id = $1)) AND NOT m.during << daterange($2, NULL))';
	old_id bigint;
	new_id bigint;
	old_tag text;
	new_tag text;
	old_until date;
	concerned bigint[];
	were_covered bigint[];
	old_bundles bigint[] := '{}';
	new_bundles bigint[] := '{}';
	has_bundles boolean;
	found_bundles boolean;
	bundle record;
	made bigint;
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
	IF policy IS NULL OR policy NOT IN ('carry_remaining', 'restart', 'overlap') THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('policy "%s" is not known', left(policy, 100)),
			DETAIL = 'A policy is one of: carry_remaining, restart, overlap.';
	ELSIF policy = 'overlap' AND (overlap_until IS NULL OR overlap_until < on_day) OR policy <> 'overlap' AND overlap_until IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = CASE WHEN policy <> 'overlap' THEN format('policy %s has no overlap_until', policy)
				WHEN overlap_until IS NULL THEN 'policy overlap needs overlap_until'
				ELSE 'overlap_until must not come before on_day' END,
			HINT = 'It is the last day on which the old asset is covered beside the new one; other policies have none.';
	END IF;
	IF overlap_until IS NOT NULL THEN
		PERFORM cec._require_day('overlap_until', overlap_until);
	END IF;
	old_until := coalesce(overlap_until, on_day - 1);
	old_id := cec._asset_to_leave(portfolio, old_identifier, on_day);
	new_id := cec._asset_to_come(portfolio, new_identifier, on_day);
	IF old_id = new_id THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'an asset cannot take its own place',
			DETAIL = format('Both "%s" and "%s" name one asset.', left(old_identifier, 100), left(new_identifier, 100)),
			HINT = 'To end its lines, use remove_asset.';
	END IF;

	EXECUTE cec._sql(portfolio, in_bundles) INTO has_bundles USING old_id, on_day;
	IF has_bundles THEN
		-- No row, and yet the gate alone.
		EXECUTE cec._sql(portfolio, 'UPDATE @P@.bundle_member SET during = during WHERE false');
	ELSE
		PERFORM cec._lock_listed(portfolio, '{}');
		EXECUTE cec._sql(portfolio, in_bundles) INTO found_bundles USING old_id, on_day;
		IF found_bundles THEN
			RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = 'could not serialize access due to concurrent update',
				DETAIL = format('"%s" came into a bundle while it was to be swapped.', left(old_identifier, 100)),
				HINT = 'The transaction might succeed if retried.';
		END IF;
		EXECUTE cec._sql(portfolio, 'SELECT FROM @P@.inclusion WHERE asset_id = $1 AND NOT during << daterange($2, NULL)
			ORDER BY term_id, lower(during) FOR UPDATE') USING old_id, on_day;
		PERFORM cec._lock_listed(portfolio, ARRAY[old_id, new_id]);
	END IF;
	EXECUTE cec._sql(portfolio, 'SELECT o.asset_tag, n.asset_tag FROM @P@.asset o, @P@.asset n WHERE o.asset_id = $1 AND n.asset_id = $2')
		INTO old_tag, new_tag USING old_id, new_id;
	suffix := CASE WHEN on_day < cec.today(portfolio) THEN '; backdated' ELSE '' END;

	concerned := cec._with_members(portfolio, ARRAY[old_id, new_id], on_day);
	IF has_bundles THEN
		FOR bundle IN EXECUTE cec._sql(portfolio, 'SELECT b.bundle_id, b.name, array_agg(DISTINCT m.asset_id) AS members
			FROM @P@.bundle b JOIN @P@.bundle_member m ON m.bundle_id = b.bundle_id
			WHERE b.primary_asset_id = $1 AND NOT m.during << daterange($2, NULL) GROUP BY b.bundle_id, b.name ORDER BY b.bundle_id')
			USING old_id, on_day
		LOOP
			CONTINUE WHEN bundle.members = ARRAY[new_id];
			EXECUTE cec._sql(portfolio, 'INSERT INTO @P@.bundle (name, primary_asset_id) VALUES ($1, $2) RETURNING bundle_id')
				INTO made USING bundle.name, new_id;
			old_bundles := old_bundles || bundle.bundle_id;
			new_bundles := new_bundles || made;
		END LOOP;
	END IF;
	were_covered := cec._requests_covered(portfolio, concerned);

	BEGIN
		RETURN QUERY EXECUTE cec._sql(portfolio,
			-- What becomes of each line: what the old asset keeps of it, and what the new one takes.
			'WITH line AS MATERIALIZED (
				SELECT i.inclusion_id, i.term_id, i.effect, i.during, i.note, is_moved,
					CASE WHEN NOT is_moved THEN i.during * daterange(NULL, $4, ''[]'') END AS kept,
					CASE WHEN is_moved THEN i.during
						WHEN $5 = ''restart'' AND i.effect = ''include'' THEN daterange($3, least($3 + (upper(length) - lower(length)), upper(t.during)))
						ELSE i.during * daterange($3, NULL) END AS taken
				FROM @P@.inclusion i JOIN @P@.coverage_term t ON t.term_id = i.term_id JOIN @P@.contract c ON c.contract_id = t.contract_id
					CROSS JOIN LATERAL (SELECT i.during * t.during * c.during AS days,
						CASE WHEN lower_inf(i.during) OR upper_inf(i.during) THEN i.during * t.during ELSE i.during END AS length) AS d
					CROSS JOIN LATERAL (SELECT c.status = ''draft'' OR coalesce(lower(days) >= $3, false)
						AND NOT (i.effect = ''exclude'' AND $5 = ''overlap'' AND lower(days) <= $4) AS is_moved) AS m
				WHERE i.asset_id = $1 AND c.status <> ''void'' AND NOT isempty(days) AND coalesce(upper(days) > $3, true)
			), changed AS (
				UPDATE @P@.inclusion i
				SET during = coalesce(l.kept, l.during), asset_id = CASE WHEN is_moved THEN $2 ELSE i.asset_id END,
					listed_as = CASE WHEN is_moved THEN $7 ELSE i.listed_as END
				FROM line l WHERE i.inclusion_id = l.inclusion_id AND (is_moved OR l.kept <> l.during)
				RETURNING i.inclusion_id
			), begun AS (
				INSERT INTO @P@.inclusion (term_id, asset_id, listed_as, effect, during, note)
				SELECT l.term_id, $2, $7, l.effect, l.taken, coalesce(l.note, format(''in the place of %s'', $6)) FROM line l WHERE NOT is_moved
				RETURNING inclusion_id
			)' || CASE WHEN has_bundles THEN ', member AS MATERIALIZED (
				SELECT m.member_id, m.bundle_id, m.asset_id, m.during, b.name, b.primary_asset_id, s.successor, is_own,
					is_own AND b.primary_asset_id = $2 OR m.asset_id = $2 AS is_dropped,
					CASE WHEN is_own THEN $4 ELSE $3 - 1 END AS last_day,
					m.during * daterange($3, NULL) AS taken, coalesce(lower(m.during) >= $3, false) AS is_moved
				FROM @P@.bundle b JOIN @P@.bundle_member m ON m.bundle_id = b.bundle_id
					LEFT JOIN unnest($9, $10) AS s(bundle_id, successor) ON s.bundle_id = b.bundle_id
					CROSS JOIN LATERAL (SELECT m.asset_id = $1 AS is_own) AS o
				WHERE (m.asset_id = $1 OR b.primary_asset_id = $1) AND NOT m.during << daterange($3, NULL)
			), member_dropped AS (
				DELETE FROM @P@.bundle_member m USING member x WHERE m.member_id = x.member_id AND x.is_dropped AND x.is_moved
				RETURNING m.member_id
			), member_changed AS (
				UPDATE @P@.bundle_member m
				SET during = CASE WHEN x.is_moved THEN m.during ELSE m.during * daterange(NULL, x.last_day, ''[]'') END,
					asset_id = CASE WHEN x.is_moved AND x.is_own THEN $2 ELSE m.asset_id END,
					bundle_id = CASE WHEN x.is_moved AND NOT x.is_own THEN x.successor ELSE m.bundle_id END
				FROM member x WHERE m.member_id = x.member_id AND NOT (x.is_dropped AND x.is_moved)
					AND (x.is_moved OR NOT m.during <@ daterange(NULL, x.last_day, ''[]''))
				RETURNING m.member_id
			), member_begun AS (
				INSERT INTO @P@.bundle_member (bundle_id, asset_id, during)
				SELECT CASE WHEN is_own THEN bundle_id ELSE successor END, CASE WHEN is_own THEN $2 ELSE asset_id END, taken
				FROM member WHERE NOT is_moved AND NOT is_dropped
				RETURNING member_id
			)' ELSE '' END || ', told (place, action, asset_id, term_id, days, message) AS (
				SELECT 1, CASE WHEN effect = ''exclude'' THEN ''divided'' ELSE ''ended'' END, $1, l.term_id, l.kept,
					CASE WHEN effect = ''exclude'' THEN format(''carved out; %s goes on with the carve-out from %s'', $7, cec._day(lower(l.taken)))
						ELSE format(''%s takes its place from %s; it was listed %s'', $7, cec._day($3), cec._days_in_words(l.during)) END
				FROM line l WHERE NOT is_moved AND l.kept <> l.during
				UNION ALL
				SELECT 2, CASE WHEN effect = ''exclude'' THEN ''divided'' ELSE ''begun'' END, $2, l.term_id, l.taken,
					format(CASE WHEN effect = ''exclude'' THEN ''carved out in the place of %s'' ELSE ''in the place of %s'' END, $6)
				FROM line l WHERE NOT is_moved
				UNION ALL
				SELECT 3, ''moved'', $2, l.term_id, l.taken,
					format(CASE WHEN effect = ''exclude'' THEN ''carved out in the place of %s'' ELSE ''in the place of %s'' END, $6)
				FROM line l WHERE is_moved' || CASE WHEN has_bundles THEN '
				UNION ALL
				SELECT 4, ''begun'', $2, NULL, daterange($3, NULL), format(''is the primary of bundle "%s" in the place of %s'', b.name, $6)
				FROM unnest($9, $10) AS s(bundle_id, successor) JOIN @P@.bundle b ON b.bundle_id = s.bundle_id
				UNION ALL
				SELECT 5, ''ended'', asset_id, NULL, during * daterange(NULL, last_day, ''[]''), format(''member of bundle "%s"'', name)
				FROM member WHERE (is_own OR is_dropped) AND NOT is_moved AND NOT during <@ daterange(NULL, last_day, ''[]'')
				UNION ALL
				SELECT 6, ''begun'', $2, NULL, taken, format(''member of bundle "%s" in the place of %s'', name, $6)
				FROM member WHERE is_own AND NOT is_moved AND NOT is_dropped
				UNION ALL
				SELECT 7, ''moved'', CASE WHEN is_own THEN $2 ELSE asset_id END, NULL, taken,
					CASE WHEN is_own THEN format(''member of bundle "%s" in the place of %s'', name, $6)
						ELSE format(''member of bundle "%s" of %s'', name, $7) END
				FROM member WHERE NOT is_dropped AND (is_moved OR NOT is_own)
				UNION ALL
				SELECT 8, ''dropped'', $2, NULL, taken, format(''is no member of bundle "%s", being its primary'', name)
				FROM member WHERE is_dropped AND (is_own OR is_moved)' ELSE '' END || '
			)
			SELECT t.action, t.asset_id, a.asset_tag, t.term_id, lower(t.days), upper(t.days) - 1, t.message || $8
			FROM told t JOIN @P@.asset a ON a.asset_id = t.asset_id
			ORDER BY t.place, t.term_id, a.asset_tag, t.days, t.message')
			USING old_id, new_id, on_day, old_until, policy, old_tag, new_tag, suffix, old_bundles, new_bundles;
		GET DIAGNOSTICS done = ROW_COUNT;
	EXCEPTION WHEN integrity_constraint_violation THEN
		-- As it is, but for a context that repeats the statement above.
		GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, facts = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT,
			rule = CONSTRAINT_NAME, on_table = TABLE_NAME, on_schema = SCHEMA_NAME;
		RAISE EXCEPTION USING ERRCODE = code, MESSAGE = said, DETAIL = facts, HINT = advice, CONSTRAINT = rule, TABLE = on_table, SCHEMA = on_schema;
	END;
	IF done = 0 THEN
		RAISE NOTICE USING MESSAGE = format('nothing had to be changed for "%s"', left(old_identifier, 100)),
			DETAIL = format('It stands on no list and in no bundle on %s or later.', cec._day(on_day)),
			HINT = 'The table inclusion has the lines of an asset; include_asset lists another one.';
	END IF;
	RETURN QUERY SELECT * FROM cec._requests_dropped(portfolio, concerned, were_covered);
END;
$$;

COMMENT ON FUNCTION cec.swap_asset(regnamespace, text, text, date, text, date) IS 'Puts an asset in the place of another one; see swap_asset of a portfolio.';
