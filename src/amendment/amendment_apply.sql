-- Amendments: what one would do to lists and cover, and doing it.

-- What a line of an amendment does to a line of a list. operation: refuse (with the reason), keep (there is nothing to do), delete, update or
-- insert; during: the days afterwards; was: those before.
CREATE TYPE cec._amendment_step AS (
	line_id bigint,
	operation text,
	inclusion_id bigint,
	asset_id bigint,
	term_id bigint,
	effect text,
	during daterange,
	was daterange,
	listed_as text,
	note text,
	sqlstate text,
	constraint_name text,
	message text
);

-- The lines of an amendment, with the asset that each means, or what is wrong with it by itself. What is listed anew is checked as a list is;
-- all else means what stands on the term, by whatever name it was ever known.
CREATE FUNCTION cec._amendment_lines(portfolio regnamespace, amendment_id bigint, is_submitted boolean)
RETURNS TABLE (line_id bigint, action text, identifier text, term_id bigint, term_days daterange, during daterange, note text, asset_id bigint,
	is_repeated boolean, sqlstate text, constraint_name text, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH line AS MATERIALIZED (
			SELECT l.line_id, l.action, l.identifier, l.term_id, t.during AS term_days, l.during, l.successor_identifier, l.note,
				CASE WHEN l.term_id IS NULL THEN ARRAY['amendment_line_has_term', 'it names no term of the contract']
					WHEN t.contract_id <> m.contract_id THEN ARRAY['amendment_line_term_of_contract', 'its term belongs to another contract']
					WHEN isempty(l.during) THEN ARRAY['amendment_line_days_not_empty', 'it has no days']
					WHEN NOT isfinite(lower(l.during)) OR NOT isfinite(upper(l.during)) THEN ARRAY['amendment_line_days_finite', 'infinity is no day']
					WHEN l.action = 'swap' THEN ARRAY['amendment_line_action_known', 'assets cannot be swapped yet']
					END AS wrong
			FROM @P@.amendment m JOIN @P@.amendment_line l ON l.amendment_id = m.amendment_id
				LEFT JOIN @P@.coverage_term t ON t.term_id = l.term_id
			WHERE m.amendment_id = $2
		), listing AS MATERIALIZED (
			SELECT l.term_id, array_agg(l.line_id ORDER BY l.line_id) AS line_ids,
				jsonb_agg(jsonb_strip_nulls(jsonb_build_object('identifier', l.identifier, 'first_day', cec._day(lower(l.during)),
					'last_day', cec._day(upper(l.during) - 1), 'effect', l.action, 'note', l.note)) ORDER BY l.line_id) AS rows
			FROM line l WHERE l.action IN ('include', 'exclude') AND l.wrong IS NULL
			GROUP BY l.term_id
		), checked AS MATERIALIZED (
			SELECT g.line_ids[c.place] AS line_id, c.outcome, c.sqlstate, c.constraint_name, c.message, c.asset_id, c.suggestion
			FROM listing g CROSS JOIN LATERAL cec._check_inclusions($1, g.term_id, g.rows) AS c
		), named AS MATERIALIZED (
			SELECT l.line_id, CASE WHEN cardinality(n.asset_ids) > 1 THEN s.asset_ids ELSE n.asset_ids END AS asset_ids,
				coalesce(cardinality(n.asset_ids), 0) AS assets
			FROM line l
				CROSS JOIN LATERAL (SELECT array_agg(n.asset_id) AS asset_ids FROM cec._named($1, ARRAY[l.identifier], NULL) AS n) AS n
				CROSS JOIN LATERAL (SELECT array_agg(DISTINCT i.asset_id) AS asset_ids FROM @P@.inclusion i
					WHERE i.asset_id = ANY (n.asset_ids) AND i.term_id = l.term_id AND i.effect = 'include') AS s
			WHERE l.action NOT IN ('include', 'exclude') AND l.wrong IS NULL
		), found AS (
			SELECT l.*, coalesce(c.asset_id, CASE WHEN cardinality(n.asset_ids) = 1 THEN n.asset_ids[1] END) AS asset_id, coalesce(c.outcome = 'duplicate', false) AS is_repeated,
				CASE WHEN l.wrong IS NOT NULL THEN '23514'
					-- How many lines there are is seen when those before it are done.
					WHEN c.outcome = 'refused' AND c.constraint_name IS DISTINCT FROM 'inclusion_no_overlap' THEN c.sqlstate
					WHEN n.assets = 0 THEN '23503' WHEN n.assets > 1 AND cardinality(n.asset_ids) IS DISTINCT FROM 1 THEN '23514' END AS sqlstate,
				CASE WHEN l.wrong IS NOT NULL THEN l.wrong[1] WHEN c.outcome = 'refused' THEN c.constraint_name
					WHEN n.assets = 0 THEN 'inclusion_listed_as_known' WHEN n.assets > 1 THEN 'inclusion_listed_as_unambiguous' END AS constraint_name,
				CASE WHEN l.wrong IS NOT NULL THEN l.wrong[2] WHEN c.outcome = 'refused' THEN c.message
						|| coalesce('. Perhaps "' || c.suggestion || '" was meant', '')
					WHEN n.assets = 0 THEN format('no asset is known as "%s"', left(l.identifier, 100))
					WHEN n.assets > 1 THEN format('several assets are known as "%s"', left(l.identifier, 100)) END AS message
			FROM line l LEFT JOIN checked c USING (line_id) LEFT JOIN named n USING (line_id)
		)
		SELECT f.line_id, f.action, f.identifier, f.term_id, f.term_days, f.during, f.note, f.asset_id, f.is_repeated,
			CASE WHEN f.sqlstate IS NULL AND NOT k.is_scannable THEN '23514' ELSE f.sqlstate END,
			CASE WHEN f.sqlstate IS NOT NULL THEN f.constraint_name WHEN NOT k.is_scannable THEN 'inclusion_tag_scannable' END,
			CASE WHEN f.sqlstate IS NOT NULL THEN rtrim(f.message, '.') WHEN NOT k.is_scannable THEN format('the tag "%s" cannot be scanned: %s', a.asset_tag, k.message) END
		FROM found f
			LEFT JOIN @P@.asset a ON a.asset_id = f.asset_id AND f.action = 'include' AND $3
			LEFT JOIN LATERAL cec.check_tag(a.asset_tag, a.tag_symbology) AS k ON a.asset_id IS NOT NULL
		$query$) USING portfolio::oid, amendment_id, is_submitted;
END;
$$;

-- What an amendment would do to lists, as of now. Its lines follow one another, asset by asset: first what is removed, then what is changed,
-- then what is listed, as import does it: a line that it overlaps gets its days. is_submitted: tags must be scannable.
CREATE FUNCTION cec._amendment_steps(portfolio regnamespace, amendment_id bigint, is_submitted boolean)
RETURNS SETOF cec._amendment_step
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today date := cec.today(portfolio);
	line record;
	step cec._amendment_step;
	ids bigint[];
	was daterange[];
	days daterange[];
	notes text[];
	names text[];
	line_ids bigint[]; -- of the amendment's lines, the last that has touched it
	taken boolean[];
	wanted daterange;
	hits integer[];
	step_place integer;
	step_asset bigint;
	step_term bigint;
	step_effect text;
BEGIN
	FOR line IN
		SELECT l.*, CASE WHEN l.action = 'end' THEN NULL WHEN l.action = 'exclude' THEN 'exclude' ELSE 'include' END AS effect
		FROM (SELECT * FROM cec._amendment_lines(portfolio, amendment_id, is_submitted)
			-- One more, to end the last group.
			UNION ALL SELECT NULL, 'end', NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL) AS l
		ORDER BY l.action = 'end', l.asset_id, l.term_id, 13, CASE l.action WHEN 'remove' THEN 1 WHEN 'change' THEN 2 ELSE 3 END, l.line_id
	LOOP
		IF line.sqlstate IS NOT NULL THEN
			RETURN NEXT (line.line_id, 'refuse', NULL, line.asset_id, line.term_id, line.effect, line.during, NULL, line.identifier, NULL,
				line.sqlstate, line.constraint_name, line.message)::cec._amendment_step;
			CONTINUE;
		END IF;
		IF line.action = 'end' OR step_asset IS NULL OR (line.asset_id, line.term_id, line.effect) IS DISTINCT FROM (step_asset, step_term, step_effect) THEN
			FOR i IN 1 .. coalesce(cardinality(ids), 0) LOOP
				CONTINUE WHEN line_ids[i] IS NULL;
				step := (line_ids[i], CASE WHEN ids[i] IS NULL THEN 'insert' WHEN isempty(days[i]) THEN 'delete' ELSE 'update' END, ids[i],
					step_asset, step_term, step_effect, days[i], was[i], names[i], notes[i], NULL, NULL, NULL);
				RETURN NEXT step;
			END LOOP;
			EXIT WHEN line.action = 'end';
			step_asset := line.asset_id;
			step_term := line.term_id;
			step_effect := line.effect;
			EXECUTE cec._sql(portfolio, 'SELECT coalesce(array_agg(i.inclusion_id), ''{}''), coalesce(array_agg(i.during), ''{}''), coalesce(array_agg(i.note), ''{}'')
				FROM (SELECT * FROM @P@.inclusion i WHERE i.asset_id = $1 AND i.term_id = $2 AND i.effect = $3 ORDER BY lower(i.during), i.inclusion_id) AS i')
				INTO ids, was, notes USING line.asset_id, line.term_id, line.effect;
			days := was;
			names := array_fill(NULL::text, ARRAY[cardinality(ids)]);
			line_ids := array_fill(NULL::bigint, ARRAY[cardinality(ids)]);
			taken := array_fill(false, ARRAY[cardinality(ids)]);
		END IF;
		step := (line.line_id, 'keep', NULL, line.asset_id, line.term_id, line.effect, line.during, NULL, line.identifier, NULL, NULL, NULL, NULL);
		IF line.action = 'remove' THEN
			wanted := daterange(NULL, coalesce(lower(line.during), today + 1));
			hits := ARRAY(SELECT i FROM generate_subscripts(ids, 1) AS i WHERE NOT days[i] <@ wanted);
			FOREACH step_place IN ARRAY hits LOOP
				days[step_place] := days[step_place] * wanted;
				line_ids[step_place] := line.line_id;
			END LOOP;
			IF cardinality(hits) = 0 THEN
				step.message := 'no line that includes it runs on these days';
				RETURN NEXT step;
			END IF;
			CONTINUE;
		END IF;
		wanted := daterange(coalesce(lower(line.during), lower(line.term_days)), coalesce(upper(line.during), upper(line.term_days)));
		hits := ARRAY(SELECT i FROM generate_subscripts(ids, 1) AS i WHERE NOT taken[i] AND days[i] && wanted);
		IF cardinality(hits) > 1 THEN
			step.operation := 'refuse';
			step.sqlstate := '23P01';
			step.constraint_name := 'inclusion_no_overlap';
			step.message := format('asset "%s" stands on the term in %s lines; a line can set the days of one', left(line.identifier, 100), cardinality(hits));
			RETURN NEXT step;
			CONTINUE;
		END IF;
		IF EXISTS (SELECT FROM generate_subscripts(ids, 1) AS i WHERE taken[i] AND days[i] && wanted) THEN
			step.message := 'another line of the amendment says it already, for some of the same days';
			RETURN NEXT step;
			CONTINUE;
		END IF;
		-- A change may move a line to days on which it does not run.
		IF line.action = 'change' AND cardinality(hits) = 0 THEN
			hits := ARRAY(SELECT i FROM generate_subscripts(ids, 1) AS i WHERE NOT taken[i] AND NOT isempty(days[i]));
			IF cardinality(hits) <> 1 THEN
				step.operation := 'refuse';
				step.sqlstate := '23514';
				step.constraint_name := 'amendment_line_changes_one';
				step.message := format('asset "%s" has %s', left(line.identifier, 100),
					CASE cardinality(hits) WHEN 0 THEN 'no line on the term that could be changed'
						ELSE format('%s lines on the term, none of which runs on these days', cardinality(hits)) END);
				RETURN NEXT step;
				CONTINUE;
			END IF;
		END IF;
		step_place := hits[1];
		IF step_place IS NULL THEN
			step_place := cardinality(ids) + 1;
			ids[step_place] := NULL;
			was[step_place] := NULL;
			names[step_place] := line.identifier;
		ELSIF days[step_place] = wanted AND was[step_place] = wanted AND coalesce(line.note = notes[step_place], line.note IS NULL) THEN
			taken[step_place] := true;
			step.message := 'the line is there already';
			RETURN NEXT step;
			CONTINUE;
		END IF;
		days[step_place] := wanted;
		notes[step_place] := coalesce(line.note, notes[step_place]);
		line_ids[step_place] := line.line_id;
		taken[step_place] := true;
	END LOOP;
END;
$$;

-- The cover that steps would give and take: of each asset and term the ranges of days.
CREATE FUNCTION cec._amendment_cover(portfolio regnamespace, steps cec._amendment_step[])
RETURNS TABLE (asset_id bigint, term_id bigint, change text, during daterange)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH step AS MATERIALIZED (
			SELECT * FROM unnest($2) AS s WHERE s.operation IN ('delete', 'update', 'insert')
		), listed AS MATERIALIZED (
			SELECT DISTINCT s.asset_id FROM step s
		), line AS MATERIALIZED (
			SELECT i.asset_id, i.term_id, i.effect = 'include' AS is_include, coalesce(s.during, i.during) AS during
			FROM listed l JOIN @P@.inclusion i ON i.asset_id = l.asset_id LEFT JOIN step s ON s.inclusion_id = i.inclusion_id
			WHERE s.operation IS DISTINCT FROM 'delete'
			UNION ALL
			SELECT s.asset_id, s.term_id, s.effect = 'include', s.during FROM step s WHERE s.operation = 'insert'
		), lines AS (
			SELECT coalesce(array_agg(l.asset_id), '{}') AS asset_ids, coalesce(array_agg(l.term_id), '{}') AS term_ids,
				coalesce(array_agg(l.is_include), '{}') AS includes, coalesce(array_agg(l.during), '{}') AS days
			FROM line l
		), cover AS (
			SELECT c.asset_id, c.term_id, coalesce(range_agg(c.during) FILTER (WHERE NOT c.is_new), '{}') AS before,
				coalesce(range_agg(c.during) FILTER (WHERE c.is_new), '{}') AS after
			FROM lines l CROSS JOIN LATERAL cec._trial_coverage($1, ARRAY(SELECT l.asset_id FROM listed l), l.asset_ids, l.term_ids, l.includes, l.days) AS c
			GROUP BY c.asset_id, c.term_id
		)
		SELECT c.asset_id, c.term_id, d.change, r.during
		FROM cover c
			CROSS JOIN LATERAL (VALUES ('gained', c.after - c.before), ('lost', c.before - c.after)) AS d(change, days)
			CROSS JOIN LATERAL unnest(d.days) AS r(during)
		$query$) USING portfolio::oid, steps;
END;
$$;

-- What is approved: the changes of lists, and those of cover.
CREATE FUNCTION cec._hash_effect(portfolio regnamespace, steps cec._amendment_step[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT encode(sha256(convert_to(coalesce(string_agg(e.entry, E'\n' ORDER BY e.entry COLLATE "C"), ''), 'UTF8')), 'hex')
		FROM (
			SELECT concat_ws('|', s.operation, s.asset_id, s.term_id, s.effect, coalesce(cec._day(lower(s.was)), '-'), coalesce(cec._day(upper(s.was)), '-'),
				coalesce(cec._day(lower(s.during)), '-'), coalesce(cec._day(upper(s.during)), '-'), s.constraint_name) AS entry
			FROM unnest(steps) AS s WHERE s.operation <> 'keep'
			UNION ALL
			SELECT concat_ws('|', c.change, c.asset_id, c.term_id, coalesce(cec._day(lower(c.during)), '-'), coalesce(cec._day(upper(c.during)), '-'))
			FROM cec._amendment_cover(portfolio, steps) AS c) AS e);
END;
$$;

CREATE FUNCTION cec._amendment_effect_hash(portfolio regnamespace, amendment_id bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN cec._hash_effect(portfolio, ARRAY(SELECT s FROM cec._amendment_steps(portfolio, amendment_id, false) AS s));
END;
$$;

-- What findings would speak of, by steps and the cover that they give and take: what a line is accepted with, and what it is refused for. Of
-- kinds that speak of cover, those that follow from the amendment's own assets.
CREATE FUNCTION cec._amendment_findings(portfolio regnamespace, steps cec._amendment_step[], cover jsonb)
RETURNS TABLE (line_id bigint, asset_id bigint, term_id bigint, first_day date, last_day date, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT s.line_id, s.asset_id, s.term_id, lower(s.during), upper(s.during) - 1, format('line %s is refused: %s', s.line_id, s.message)
		FROM unnest(steps) AS s WHERE s.operation = 'refuse';
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH RECURSIVE changed AS MATERIALIZED (
			SELECT c.asset_id, c.term_id, c.change, c.during FROM jsonb_to_recordset($2) AS c(asset_id bigint, term_id bigint, change text, during daterange)
		), gained AS (
			SELECT c.asset_id, c.term_id, t.contract_id, range_agg(c.during) AS days
			FROM changed c JOIN @P@.coverage_term t ON t.term_id = c.term_id WHERE c.change = 'gained' GROUP BY c.asset_id, c.term_id, t.contract_id
		), counting AS (
			SELECT s.line_id, s.asset_id, s.term_id, c.contract_id, s.during * t.during * c.during AS days, c.number, c.boundary, c.customer_id
			FROM unnest($1) AS s JOIN @P@.coverage_term t ON t.term_id = s.term_id JOIN @P@.contract c ON c.contract_id = t.contract_id
			WHERE s.operation IN ('insert', 'update') AND s.effect = 'include' AND c.status <> 'void'
				AND NOT isempty(s.during * t.during * c.during * daterange($3, NULL))
		), up AS (
			SELECT u.customer_id AS of_customer, u.customer_id, u.parent_id
			FROM @P@.customer u
			WHERE u.customer_id IN (SELECT l.customer_id FROM counting l UNION ALL SELECT a.customer_id FROM counting l JOIN @P@.asset a ON a.asset_id = l.asset_id)
			UNION
			SELECT up.of_customer, p.customer_id, p.parent_id FROM up JOIN @P@.customer p ON p.customer_id = up.parent_id
		), root AS (
			SELECT up.of_customer, up.customer_id AS root_id FROM up WHERE up.parent_id IS NULL
		)
		SELECT l.line_id, a.asset_id, l.term_id, lower(l.days), upper(l.days) - 1, m.message
		FROM counting l JOIN @P@.asset a ON a.asset_id = l.asset_id
			LEFT JOIN LATERAL cec.check_tag(a.asset_tag, a.tag_symbology) AS k ON true
			CROSS JOIN LATERAL (VALUES
				(a.decommissioned_on < coalesce(upper(l.days) - 1, '5874897-12-31'),
					format('outlives_decommissioning: %s is to be decommissioned on %s, before the line ends', a.asset_tag, a.decommissioned_on)),
				(a.commissioned_on > coalesce(lower(l.days), '4713-01-01 BC'),
					format('starts_before_commissioning: the line begins before %s is commissioned on %s', a.asset_tag, a.commissioned_on)),
				(NOT k.is_scannable, format('tag_not_scannable: the tag %s cannot be scanned: %s', a.asset_tag, k.message)),
				(a.location IS NULL AND l.boundary IS NOT NULL, format('no_location: nobody has said where %s is, which contract %s lists within its boundary only', a.asset_tag, l.number)),
				((SELECT r.root_id FROM root r WHERE r.of_customer = a.customer_id) <> (SELECT r.root_id FROM root r WHERE r.of_customer = l.customer_id),
					format('customer_mismatch: %s belongs to another customer than contract %s', a.asset_tag, l.number))
				) AS m(holds, message)
		WHERE m.holds
		UNION ALL
		SELECT NULL, a.asset_id, g.term_id, lower(range_merge(g.days)), upper(range_merge(g.days)) - 1, m.message
		FROM gained g JOIN @P@.asset a ON a.asset_id = g.asset_id JOIN @P@.contract c ON c.contract_id = g.contract_id
			CROSS JOIN LATERAL (VALUES
				(a.commissioned_on IS NULL, format('no_commissioning_date: nobody has said when %s was commissioned', a.asset_tag)),
				(NOT cec._is_in(a.location, c.boundary), format('covered_outside_boundary: %s stands outside the boundary of contract %s', a.asset_tag, c.number))
				) AS m(holds, message)
		WHERE m.holds
		UNION ALL
		SELECT NULL, a.asset_id, g.term_id, lower(range_merge(d.days)), upper(range_merge(d.days)) - 1,
			format('duplicate_cover: contracts %s and %s would both cover %s', c.number, o.number, a.asset_tag)
		FROM gained g JOIN @P@.asset a ON a.asset_id = g.asset_id JOIN @P@.contract c ON c.contract_id = g.contract_id AND c.status = 'active'
			JOIN @P@.coverage v ON v.asset_id = g.asset_id
			JOIN @P@.coverage_term t ON t.term_id = v.term_id AND t.contract_id <> c.contract_id
			JOIN @P@.contract o ON o.contract_id = t.contract_id AND o.status = 'active' AND o.kind = c.kind
			CROSS JOIN LATERAL (SELECT g.days * datemultirange(v.during * daterange($3, NULL)) AS days) AS d
		WHERE NOT isempty(d.days)
		UNION ALL
		SELECT NULL, a.asset_id, c.term_id, (r.opened_at AT TIME ZONE o.time_zone)::date, NULL,
			format('served_while_uncovered: service request %s of %s is open, and its day loses its cover', r.request_id, a.asset_tag)
		FROM changed c JOIN @P@.asset a ON a.asset_id = c.asset_id
			JOIN @P@.coverage_term t ON t.term_id = c.term_id JOIN @P@.contract o ON o.contract_id = t.contract_id
			JOIN @P@.service_request r ON r.asset_id = c.asset_id AND r.closed_at IS NULL
		WHERE c.change = 'lost' AND c.during @> (r.opened_at AT TIME ZONE o.time_zone)::date
			AND NOT EXISTS (SELECT FROM @P@.coverage v JOIN @P@.coverage_term w ON w.term_id = v.term_id JOIN @P@.contract x ON x.contract_id = w.contract_id
				WHERE v.asset_id = c.asset_id AND v.during @> (r.opened_at AT TIME ZONE x.time_zone)::date
					AND NOT EXISTS (SELECT FROM changed n WHERE n.asset_id = v.asset_id AND n.term_id = v.term_id AND n.change = 'lost'
						AND n.during @> (r.opened_at AT TIME ZONE x.time_zone)::date))
		$query$) USING steps, cover, cec.today(portfolio);
END;
$$;

CREATE FUNCTION cec.preview_amendment(portfolio regnamespace, amendment_id bigint)
RETURNS TABLE (section text, asset_id bigint, asset_tag text, term_id bigint, first_day date, last_day date, message text, amount numeric,
	currency text, effect_hash text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	is_known boolean;
	has_regulations boolean;
	steps cec._amendment_step[];
	cover jsonb;
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._require_execute(portfolio, 'preview_amendment');
	EXECUTE cec._sql(portfolio, 'SELECT EXISTS (SELECT FROM @P@.amendment WHERE amendment_id = $1), EXISTS (SELECT FROM @P@.regulation)')
		INTO is_known, has_regulations USING amendment_id;
	IF NOT is_known THEN
		RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = format('there is no amendment %s', coalesce(amendment_id::text, 'NULL')),
			HINT = format('The table %s.amendment has them.', portfolio);
	END IF;
	steps := ARRAY(SELECT s FROM cec._amendment_steps(portfolio, amendment_id, false) AS s);
	effect_hash := cec._hash_effect(portfolio, steps);
	cover := (SELECT coalesce(jsonb_agg(c), '[]') FROM cec._amendment_cover(portfolio, steps) AS c);
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH told AS MATERIALIZED (
			SELECT 1 AS place, 'coverage' AS section, c.asset_id, c.term_id, lower(c.during) AS first_day, upper(c.during) - 1 AS last_day, c.change AS message
			FROM jsonb_to_recordset($3) AS c(asset_id bigint, term_id bigint, change text, during daterange)
			UNION ALL
			SELECT 2, 'finding', f.asset_id, f.term_id, f.first_day, f.last_day, f.message FROM cec._amendment_findings($1, $2, $3) AS f
			UNION ALL
			SELECT 3, 'regulation', s.asset_id, s.term_id, lower(s.during), upper(s.during) - 1, n.message
			FROM (SELECT s.term_id, array_agg(s.line_id ORDER BY s.line_id) AS line_ids, array_agg(s.asset_id ORDER BY s.line_id) AS asset_ids,
						array_agg(s.during ORDER BY s.line_id) AS lines
					FROM unnest($2) AS s WHERE $5 AND s.operation IN ('insert', 'update') AND s.effect = 'include' GROUP BY s.term_id) AS g
				CROSS JOIN LATERAL cec._regulation_notes($1, g.term_id, g.line_ids, g.asset_ids, g.lines) AS n
				JOIN unnest($2) AS s ON s.line_id = n.place AND s.operation IN ('insert', 'update')
		)
		SELECT t.section, t.asset_id, a.asset_tag, t.term_id, t.first_day, t.last_day, t.message, NULL::numeric, NULL::text, $4
		FROM (TABLE told UNION ALL SELECT 1, 'coverage', NULL, NULL, NULL, NULL, 'nothing changes' WHERE NOT EXISTS (TABLE told)) AS t
			LEFT JOIN @P@.asset a ON a.asset_id = t.asset_id
		ORDER BY t.place, a.asset_tag, t.asset_id, t.term_id, t.first_day NULLS FIRST, t.message
		$query$) USING portfolio, steps, cover, effect_hash, has_regulations;
END;
$$;

-- Carries steps out, as the caller: what the triggers refuse raises.
CREATE FUNCTION cec._take_steps(portfolio regnamespace, amendment_id bigint, steps cec._amendment_step[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE cec._sql(portfolio, 'DELETE FROM @P@.inclusion i USING unnest($1) AS s WHERE s.operation = ''delete'' AND i.inclusion_id = s.inclusion_id') USING steps;
	EXECUTE cec._sql(portfolio, 'UPDATE @P@.inclusion i SET during = s.during, note = s.note, amendment_id = $2
		FROM unnest($1) AS s WHERE s.operation = ''update'' AND i.inclusion_id = s.inclusion_id') USING steps, amendment_id;
	EXECUTE cec._sql(portfolio, 'INSERT INTO @P@.inclusion (term_id, asset_id, listed_as, effect, during, amendment_id, note)
		SELECT s.term_id, s.asset_id, s.listed_as, s.effect, s.during, $2, s.note FROM unnest($1) AS s WHERE s.operation = ''insert'' ORDER BY s.line_id')
		USING steps, amendment_id;
END;
$$;

-- All or nothing. Lists are locked as their own statements lock them, but all at once: the gate, their lines, and then the assets.
CREATE FUNCTION cec._apply_amendment(portfolio regnamespace, amendment_id bigint, expected text)
RETURNS TABLE (status text, line_id bigint, sqlstate text, constraint_name text, message text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	amendment record;
	steps cec._amendment_step[];
	asset_ids bigint[];
	code text;
	detail text;
BEGIN
	PERFORM cec._require_execute(portfolio, 'apply_amendment');
	amendment := cec._lock_amendment(portfolio, amendment_id);
	status := amendment.status;
	IF status = 'applied' THEN
		RETURN NEXT;
		RETURN;
	END IF;
	PERFORM cec._require_status(amendment_id, status, '{approved}', 'applied');
	PERFORM cec._lock_listed(portfolio, '{}');
	asset_ids := ARRAY(SELECT DISTINCT s.asset_id FROM cec._amendment_steps(portfolio, amendment_id, false) AS s WHERE s.operation <> 'refuse' ORDER BY 1);
	EXECUTE cec._sql(portfolio, 'SELECT FROM @P@.inclusion i WHERE i.asset_id = ANY ($1) ORDER BY i.term_id, i.asset_id, i.inclusion_id FOR UPDATE') USING asset_ids;
	PERFORM cec._lock_listed(portfolio, asset_ids);
	steps := ARRAY(SELECT s FROM cec._amendment_steps(portfolio, amendment_id, false) AS s);
	FOR line_id, sqlstate, constraint_name, message IN
		SELECT s.line_id, s.sqlstate, s.constraint_name, s.message FROM unnest(steps) AS s WHERE s.operation = 'refuse' ORDER BY s.line_id
	LOOP
		RETURN NEXT;
	END LOOP;
	IF FOUND THEN
		RETURN;
	END IF;
	IF expected IS NOT NULL AND expected <> cec._hash_effect(portfolio, steps) THEN
		sqlstate := '23514';
		constraint_name := 'amendment_effect_expected';
		message := format('amendment %s has another effect by now; see preview_amendment', amendment_id);
		RETURN NEXT;
		RETURN;
	END IF;
	BEGIN
		PERFORM cec._take_steps(portfolio, amendment_id, steps);
		EXECUTE cec._sql(portfolio, 'UPDATE @P@.amendment SET status = ''applied'', applied_at = clock_timestamp() WHERE amendment_id = $1') USING amendment_id;
		status := 'applied';
	EXCEPTION WHEN integrity_constraint_violation OR data_exception OR raise_exception THEN
		GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, constraint_name = CONSTRAINT_NAME, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
		_apply_amendment.sqlstate := code;
		constraint_name := nullif(constraint_name, '');
		message := concat_ws('. ', message, nullif(detail, ''));
	END;
	RETURN NEXT;
END;
$$;

CREATE FUNCTION cec.apply_amendment(portfolio regnamespace, amendment_id bigint, expected text)
RETURNS TABLE (status text, line_id bigint, sqlstate text, constraint_name text, message text)
LANGUAGE c SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'cec_list_work';

COMMENT ON TYPE cec._amendment_step IS 'Private. What a line of an amendment does to a line of a list.';
COMMENT ON COLUMN cec._amendment_step.line_id IS 'Private. Line of the amendment.';
COMMENT ON COLUMN cec._amendment_step.operation IS 'Private. refuse, keep, delete, update or insert.';
COMMENT ON COLUMN cec._amendment_step.inclusion_id IS 'Private. Line of the list, unless it is a new one.';
COMMENT ON COLUMN cec._amendment_step.asset_id IS 'Private. Asset; NULL where none was found.';
COMMENT ON COLUMN cec._amendment_step.term_id IS 'Private. Term whose list it is.';
COMMENT ON COLUMN cec._amendment_step.effect IS 'Private. include or exclude.';
COMMENT ON COLUMN cec._amendment_step.during IS 'Private. Its days afterwards; of what is refused those that were asked for.';
COMMENT ON COLUMN cec._amendment_step.was IS 'Private. Its days before.';
COMMENT ON COLUMN cec._amendment_step.listed_as IS 'Private. Identifier of a new line, as typed.';
COMMENT ON COLUMN cec._amendment_step.note IS 'Private. Its remark afterwards.';
COMMENT ON COLUMN cec._amendment_step.sqlstate IS 'Private. Of what is refused.';
COMMENT ON COLUMN cec._amendment_step.constraint_name IS 'Private. Of what is refused.';
COMMENT ON COLUMN cec._amendment_step.message IS 'Private. Why it is refused, or nothing is done.';
COMMENT ON FUNCTION cec._amendment_lines(regnamespace, bigint, boolean) IS 'Private. The lines of an amendment, with the asset that each means, or what is wrong with it.';
COMMENT ON FUNCTION cec._amendment_steps(regnamespace, bigint, boolean) IS 'Private. What an amendment would do to lists, as of now.';
COMMENT ON FUNCTION cec._amendment_cover(regnamespace, cec._amendment_step[]) IS 'Private. The cover that steps of an amendment would give and take.';
COMMENT ON FUNCTION cec._hash_effect(regnamespace, cec._amendment_step[]) IS 'Private. The hash of the effect of steps of an amendment.';
COMMENT ON FUNCTION cec._amendment_effect_hash(regnamespace, bigint) IS 'Private. The hash of the effect that an amendment would have.';
COMMENT ON FUNCTION cec._amendment_findings(regnamespace, cec._amendment_step[], jsonb) IS 'Private. What findings would speak of once an amendment is applied.';
COMMENT ON FUNCTION cec._take_steps(regnamespace, bigint, cec._amendment_step[]) IS 'Private. Carries out the steps of an amendment.';
COMMENT ON FUNCTION cec._apply_amendment(regnamespace, bigint, text) IS 'Private. What apply_amendment does.';
COMMENT ON FUNCTION cec.preview_amendment(regnamespace, bigint) IS 'What an amendment would do; see preview_amendment of a portfolio.';
COMMENT ON FUNCTION cec.apply_amendment(regnamespace, bigint, text) IS 'Applies an amendment; see apply_amendment of a portfolio.';
