-- Amendments: what one would do to lists and cover, and doing it.

-- What a line of an amendment does to a line of a list. operation: refuse (with the reason), keep (there is nothing to do), delete, update,
-- insert, or swap (memberships of the old asset, from_asset_id, become the new one's); during: the days afterwards; was: those before.
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
	message text,
	from_asset_id bigint
);

-- An asset that takes the place of another one, on one list or (term_id NULL) on all: from on_day, through new_until at most. The old one is
-- covered through old_until.
CREATE TYPE cec._swap AS (
	line_id bigint,
	old_id bigint,
	new_id bigint,
	term_id bigint,
	on_day date,
	old_until date,
	new_until date,
	policy text,
	note text
);

-- A line of the old one: what it keeps, and what the new one takes, in pieces where need be; or it is moved whole.
CREATE TYPE cec._swap_line AS (
	line_id bigint,
	old_id bigint,
	new_id bigint,
	inclusion_id bigint,
	term_id bigint,
	effect text,
	during daterange,
	note text,
	is_moved boolean,
	kept daterange,
	taken daterange
);

-- A membership, and a piece of what it becomes: the first one keeps its key; one without a place is dropped.
CREATE TYPE cec._swap_piece AS (
	member_id bigint,
	bundle_id bigint,
	bundle_name text,
	asset_id bigint,
	primary_id bigint,
	during daterange,
	place bigint,
	now_asset_id bigint,
	now_primary_id bigint,
	now_days daterange
);

-- The lines of an amendment, with the asset that each means, or what is wrong with it by itself. What is listed anew is checked as a list is, and
-- so are the days of a change; all but what is listed means what stands on the term, by whatever name it was ever known; of several the one
-- whose tag it is, since a register that knows an asset under another one now calls that one by the tag, too.
CREATE FUNCTION cec._amendment_lines(portfolio regnamespace, amendment_id bigint, is_submitted boolean)
RETURNS TABLE (line_id bigint, action text, identifier text, term_id bigint, term_days daterange, during daterange, note text, asset_id bigint,
	is_repeated boolean, sqlstate text, constraint_name text, message text, successor_id bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH line AS MATERIALIZED (
			SELECT l.line_id, l.action, l.identifier, l.term_id, t.during AS term_days, l.during, l.successor_identifier, l.note,
				CASE WHEN l.term_id IS NULL THEN ARRAY['amendment_line_has_term', 'it names no term of the contract (term_number of a row, term_id of the line)']
					WHEN t.contract_id <> m.contract_id THEN ARRAY['amendment_line_term_of_contract', 'its term belongs to another contract']
					WHEN isempty(l.during) THEN ARRAY['amendment_line_days_not_empty', CASE WHEN l.given_days IS NULL THEN 'it has no days'
						ELSE format('its days cannot be read in "%s": first/last, each as YYYY-MM-DD, and in order', left(l.given_days, 100)) END]
					WHEN NOT isfinite(lower(l.during)) OR NOT isfinite(upper(l.during)) THEN ARRAY['amendment_line_days_finite', 'infinity is no day']
					WHEN l.action = 'swap' AND l.successor_identifier IS NULL THEN ARRAY['amendment_line_has_successor', 'it names no asset that takes the place of the old one']
					WHEN l.action = 'swap' AND upper(l.during) <= $4 AND lower_inf(l.during)
						THEN ARRAY['amendment_line_days_not_empty', format('it ends before %s, when the new asset would come', cec._day($4))]
					WHEN l.action = 'change' AND NOT l.during && t.during
						THEN ARRAY['inclusion_days_meet_term', format('it would be listed on days outside the term, which runs %s', cec._days_in_words(t.during))]
					END AS wrong, coalesce(lower(l.during), $4) AS on_day
			FROM @P@.amendment m JOIN @P@.amendment_line l ON l.amendment_id = m.amendment_id
				LEFT JOIN @P@.coverage_term t ON t.term_id = l.term_id
			WHERE m.amendment_id = $2
		), named AS MATERIALIZED (
			SELECT l.line_id, CASE WHEN cardinality(n.asset_ids) > 1 THEN s.asset_ids ELSE n.asset_ids END AS asset_ids,
				coalesce(cardinality(n.asset_ids), 0) AS assets
			FROM line l
				CROSS JOIN LATERAL (SELECT array_agg(n.asset_id) AS asset_ids FROM cec._named($1, ARRAY[l.identifier], NULL) AS n) AS n
				CROSS JOIN LATERAL (SELECT CASE WHEN count(*) > 1 AND bool_or(i.is_tag) THEN array_agg(i.asset_id) FILTER (WHERE i.is_tag) ELSE array_agg(i.asset_id) END AS asset_ids
					FROM (SELECT DISTINCT i.asset_id, a.asset_tag = l.identifier AS is_tag FROM @P@.inclusion i JOIN @P@.asset a ON a.asset_id = i.asset_id
						WHERE i.asset_id = ANY (n.asset_ids) AND i.term_id = l.term_id AND i.effect = 'include') AS i) AS s
			WHERE l.action NOT IN ('include', 'exclude') AND l.wrong IS NULL
		), successor AS MATERIALIZED (
			SELECT l.line_id, coalesce(cardinality(n.asset_ids), 0) AS assets, CASE WHEN cardinality(n.asset_ids) = 1 THEN n.asset_ids[1] END AS asset_id
			FROM line l
				CROSS JOIN LATERAL (SELECT array_agg(n.asset_id) AS asset_ids FROM cec._named($1, ARRAY[l.successor_identifier], l.on_day) AS n) AS n
			WHERE l.action = 'swap' AND l.wrong IS NULL
		), taken AS MATERIALIZED ( -- what a new asset is listed for
			SELECT t.line_id, t.term_id, t.effect, t.taken
			FROM cec._swap_lines($1, ARRAY(
				SELECT (l.line_id, n.asset_ids[1], s.asset_id, l.term_id, l.on_day, l.on_day - 1, upper(l.during) - 1, 'carry_remaining', l.note)::cec._swap
				FROM line l JOIN named n USING (line_id) JOIN successor s USING (line_id)
				WHERE cardinality(n.asset_ids) = 1 AND s.asset_id <> n.asset_ids[1])) AS t
		), listing AS MATERIALIZED (
			SELECT r.term_id, array_agg(r.line_id ORDER BY r.place, r.line_id, r.days) AS line_ids,
				jsonb_agg(jsonb_strip_nulls(jsonb_build_object('identifier', r.identifier, 'first_day', cec._day(lower(r.days)),
					'last_day', cec._day(upper(r.days) - 1), 'effect', r.effect, 'note', r.note)) ORDER BY r.place, r.line_id, r.days) AS rows
			FROM (SELECT 1 AS place, l.term_id, l.line_id, a.asset_tag AS identifier, l.during AS days, 'include' AS effect, l.note
					FROM line l JOIN named n USING (line_id) JOIN @P@.asset a ON a.asset_id = n.asset_ids[1]
					WHERE l.action = 'change' AND cardinality(n.asset_ids) = 1
				UNION ALL
				SELECT 2, l.term_id, l.line_id, l.identifier, l.during, l.action, l.note
					FROM line l WHERE l.action IN ('include', 'exclude') AND l.wrong IS NULL
				UNION ALL
				SELECT 2, t.term_id, t.line_id, l.successor_identifier, t.taken, t.effect, NULL FROM taken t JOIN line l USING (line_id)) AS r
			GROUP BY r.term_id
		), checked AS MATERIALIZED ( -- of a swap the first thing that is wrong: what is taken stands on no line yet
			SELECT DISTINCT ON (r.line_id) r.*
			FROM (SELECT g.line_ids[c.place] AS line_id, c.outcome, c.sqlstate, c.constraint_name, c.message, c.asset_id, c.suggestion, c.place
				FROM listing g CROSS JOIN LATERAL cec._check_inclusions($1, g.term_id, g.rows) AS c) AS r
			ORDER BY r.line_id, r.outcome <> 'refused', r.outcome = 'insert', r.place
		), swap AS MATERIALIZED (
			SELECT l.line_id, l.term_id, n.asset_ids[1] AS old_id, s.asset_id AS new_id, l.on_day
			FROM line l JOIN named n USING (line_id) JOIN successor s USING (line_id) WHERE cardinality(n.asset_ids) = 1
		), spoken AS MATERIALIZED ( -- of which assets lines speak
			SELECT c.line_id, c.asset_id, l.term_id FROM checked c JOIN line l USING (line_id) WHERE l.action IN ('include', 'exclude')
			UNION ALL SELECT n.line_id, n.asset_ids[1], l.term_id FROM named n JOIN line l USING (line_id) WHERE cardinality(n.asset_ids) = 1
			UNION ALL SELECT s.line_id, s.asset_id, l.term_id FROM successor s JOIN line l USING (line_id)
		), entangled AS MATERIALIZED ( -- swaps that other lines of the amendment meddle with
			SELECT s.line_id, min(s.other_id) AS other_id
			FROM (SELECT s.line_id, o.line_id AS other_id FROM swap s CROSS JOIN LATERAL (VALUES (s.old_id), (s.new_id)) AS a(asset_id)
					JOIN spoken o ON o.asset_id = a.asset_id AND o.term_id = s.term_id
				UNION ALL SELECT s.line_id, o.line_id FROM swap s JOIN swap o ON o.old_id = s.old_id AND (o.new_id, o.on_day) <> (s.new_id, s.on_day)
				UNION ALL SELECT l.line_id, l.other_id FROM swap s JOIN swap o ON o.old_id = s.new_id
					CROSS JOIN LATERAL (VALUES (s.line_id, o.line_id), (o.line_id, s.line_id)) AS l(line_id, other_id)) AS s
			WHERE s.other_id <> s.line_id
			GROUP BY s.line_id
		), found AS (
			SELECT l.*, coalesce(CASE WHEN l.action IN ('include', 'exclude') THEN c.asset_id END, CASE WHEN cardinality(n.asset_ids) = 1 THEN n.asset_ids[1] END) AS asset_id,
				s.asset_id AS successor_id, coalesce(c.outcome = 'duplicate', false) AS is_repeated,
				CASE WHEN l.wrong IS NOT NULL THEN ARRAY['23514'] || l.wrong
					WHEN n.assets = 0 THEN ARRAY['23503', 'inclusion_listed_as_known', format('no asset is known as "%s"', left(l.identifier, 100))]
					WHEN n.assets > 1 AND cardinality(n.asset_ids) IS DISTINCT FROM 1
						THEN ARRAY['23514', 'inclusion_listed_as_unambiguous', format('several assets are known as "%s"', left(l.identifier, 100))]
					WHEN s.assets = 0 THEN ARRAY['23503', 'inclusion_listed_as_known', format('no asset is known as "%s"', left(l.successor_identifier, 100))]
					WHEN s.assets > 1 THEN ARRAY['23514', 'inclusion_listed_as_unambiguous', format('several assets are known as "%s"', left(l.successor_identifier, 100))]
					WHEN s.asset_id = n.asset_ids[1] THEN ARRAY['22023', NULL, 'an asset cannot take its own place']
					WHEN e.line_id IS NOT NULL THEN ARRAY['23514', 'amendment_line_swap_alone', format('line %s speaks of the same asset', e.other_id)]
					-- How many lines there are is seen when those before it are done; which asset is changed is known here.
					WHEN c.outcome = 'refused' AND (l.action = 'swap' OR c.constraint_name IS DISTINCT FROM 'inclusion_no_overlap')
						AND (l.action <> 'change' OR coalesce(c.constraint_name NOT IN ('inclusion_listed_as_known', 'inclusion_listed_as_unambiguous'), true))
						THEN ARRAY[c.sqlstate, c.constraint_name, c.message || coalesce('. Perhaps "' || c.suggestion || '" was meant', '')]
					WHEN l.action = 'swap' AND c.outcome <> 'insert'
						THEN ARRAY['23P01', 'inclusion_no_overlap', format('asset "%s" stands on the term already on some of these days', left(l.successor_identifier, 100))]
					END AS refusal
			FROM line l LEFT JOIN checked c USING (line_id) LEFT JOIN named n USING (line_id) LEFT JOIN successor s USING (line_id)
				LEFT JOIN entangled e USING (line_id)
		)
		SELECT f.line_id, f.action, f.identifier, f.term_id, f.term_days, CASE WHEN f.action = 'swap' AND f.wrong IS NULL THEN daterange(f.on_day, upper(f.during)) ELSE f.during END,
			f.note, f.asset_id, f.is_repeated,
			CASE WHEN f.refusal IS NULL AND NOT k.is_scannable THEN '23514' ELSE f.refusal[1] END,
			CASE WHEN f.refusal IS NOT NULL THEN f.refusal[2] WHEN NOT k.is_scannable THEN 'inclusion_tag_scannable' END,
			CASE WHEN f.refusal IS NOT NULL THEN rtrim(f.refusal[3], '.') WHEN NOT k.is_scannable THEN format('the tag "%s" cannot be scanned: %s', a.asset_tag, k.message) END,
			f.successor_id
		FROM found f
			LEFT JOIN @P@.asset a ON a.asset_id = CASE f.action WHEN 'include' THEN f.asset_id WHEN 'swap' THEN f.successor_id END AND $3
			LEFT JOIN LATERAL cec.check_tag(a.asset_tag, a.tag_symbology) AS k ON a.asset_id IS NOT NULL
		$query$) USING portfolio::oid, amendment_id, is_submitted, cec.today(portfolio) + 1;
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
	swaps cec._swap[] := '{}';
	swap_lines cec._swap_line[];
BEGIN
	FOR line IN
		SELECT l.*, CASE WHEN l.action = 'end' THEN NULL WHEN l.action = 'exclude' THEN 'exclude' ELSE 'include' END AS effect
		FROM (SELECT * FROM cec._amendment_lines(portfolio, amendment_id, is_submitted)
			-- One more, to end the last group.
			UNION ALL SELECT NULL, 'end', NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL) AS l
		ORDER BY l.action = 'end', l.asset_id, l.term_id, effect, CASE l.action WHEN 'remove' THEN 1 WHEN 'change' THEN 2 ELSE 3 END, l.line_id
	LOOP
		IF line.sqlstate IS NOT NULL THEN
			RETURN NEXT (line.line_id, 'refuse', NULL, line.asset_id, line.term_id, line.effect, line.during, NULL, line.identifier, NULL,
				line.sqlstate, line.constraint_name, line.message, NULL)::cec._amendment_step;
			CONTINUE;
		END IF;
		IF line.action = 'swap' THEN
			swaps := array_append(swaps, (line.line_id, line.asset_id, line.successor_id, line.term_id, lower(line.during), lower(line.during) - 1,
				upper(line.during) - 1, 'carry_remaining', line.note)::cec._swap);
			CONTINUE;
		END IF;
		IF line.action = 'end' OR step_asset IS NULL OR (line.asset_id, line.term_id, line.effect) IS DISTINCT FROM (step_asset, step_term, step_effect) THEN
			FOR i IN 1 .. coalesce(cardinality(ids), 0) LOOP
				CONTINUE WHEN line_ids[i] IS NULL;
				step := (line_ids[i], CASE WHEN ids[i] IS NULL THEN 'insert' WHEN isempty(days[i]) THEN 'delete' ELSE 'update' END, ids[i],
					step_asset, step_term, step_effect, days[i], was[i], names[i], notes[i], NULL, NULL, NULL, NULL);
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
		step := (line.line_id, 'keep', NULL, line.asset_id, line.term_id, line.effect, line.during, NULL, line.identifier, NULL, NULL, NULL, NULL, NULL);
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
	IF swaps <> '{}' THEN
		swap_lines := ARRAY(SELECT l FROM cec._swap_lines(portfolio, swaps) AS l);
		RETURN QUERY SELECT * FROM cec._swap_steps(portfolio, swaps, swap_lines);
		RETURN QUERY
			SELECT s.line_id, CASE WHEN l.line_id IS NULL THEN 'keep' ELSE 'swap' END, NULL::bigint, s.new_id, s.term_id, NULL::text, daterange(s.on_day, NULL),
				NULL::daterange, NULL::text, NULL::text, NULL::text, NULL::text,
				CASE WHEN l.line_id IS NULL THEN 'no line of the old asset runs on these days' END, s.old_id
			FROM unnest(swaps) AS s LEFT JOIN (SELECT DISTINCT l.line_id FROM unnest(swap_lines) AS l) AS l ON l.line_id = s.line_id;
	END IF;
END;
$$;

CREATE FUNCTION cec._swaps_of(steps cec._amendment_step[]) RETURNS cec._swap[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT ARRAY(SELECT (s.line_id, s.from_asset_id, s.asset_id, s.term_id, lower(s.during), lower(s.during) - 1, NULL, 'carry_remaining', NULL)::cec._swap
		FROM unnest(steps) AS s WHERE s.operation = 'swap');
END;

-- What becomes of memberships by steps.
CREATE FUNCTION cec._amendment_pieces(portfolio regnamespace, steps cec._amendment_step[]) RETURNS SETOF cec._swap_piece
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	swaps CONSTANT cec._swap[] := cec._swaps_of(steps);
BEGIN
	IF swaps <> '{}' THEN
		RETURN QUERY SELECT * FROM cec._swap_pieces(portfolio, swaps);
	END IF;
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
			SELECT s.asset_id FROM step s UNION SELECT s.from_asset_id FROM step s WHERE s.from_asset_id IS NOT NULL
		), line AS MATERIALIZED (
			SELECT CASE WHEN s.from_asset_id IS NULL THEN i.asset_id ELSE s.asset_id END AS asset_id, i.term_id, i.effect = 'include' AS is_include, coalesce(s.during, i.during) AS during
			FROM listed l JOIN @P@.inclusion i ON i.asset_id = l.asset_id LEFT JOIN step s ON s.inclusion_id = i.inclusion_id
			WHERE s.operation IS DISTINCT FROM 'delete'
			UNION ALL
			SELECT s.asset_id, s.term_id, s.effect = 'include', s.during FROM step s WHERE s.operation = 'insert'
		), lines AS (
			SELECT coalesce(array_agg(l.asset_id), '{}') AS asset_ids, coalesce(array_agg(l.term_id), '{}') AS term_ids,
				coalesce(array_agg(l.is_include), '{}') AS includes, coalesce(array_agg(l.during), '{}') AS days
			FROM line l
		), piece AS MATERIALIZED (
			SELECT * FROM cec._amendment_pieces($1, $2)
		), member AS MATERIALIZED ( -- whose memberships change, and all that they have then
			SELECT p.asset_id FROM piece p UNION SELECT p.now_asset_id FROM piece p
		), membership AS (
			SELECT m.asset_id, b.primary_asset_id AS primary_id, m.during
			FROM member a JOIN @P@.bundle_member m ON m.asset_id = a.asset_id JOIN @P@.bundle b ON b.bundle_id = m.bundle_id
			WHERE NOT EXISTS (SELECT FROM piece p WHERE p.member_id = m.member_id)
			UNION ALL
			SELECT p.now_asset_id, p.now_primary_id, p.now_days FROM piece p WHERE p.place IS NOT NULL
		), memberships AS (
			SELECT coalesce(array_agg(m.asset_id), '{}') AS asset_ids, coalesce(array_agg(m.primary_id), '{}') AS primary_ids,
				coalesce(array_agg(m.during), '{}') AS days
			FROM membership m
		), cover AS (
			SELECT c.asset_id, c.term_id, coalesce(range_agg(c.during) FILTER (WHERE NOT c.is_new), '{}') AS before,
				coalesce(range_agg(c.during) FILTER (WHERE c.is_new), '{}') AS after
			FROM lines l CROSS JOIN memberships m CROSS JOIN LATERAL cec._trial_coverage($1, ARRAY(SELECT l.asset_id FROM listed l), l.asset_ids, l.term_ids,
				l.includes, l.days, ARRAY(SELECT a.asset_id FROM member a), m.asset_ids, m.primary_ids, m.days) AS c
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
				coalesce(cec._day(lower(s.during)), '-'), coalesce(cec._day(upper(s.during)), '-'), s.constraint_name, s.from_asset_id) AS entry
			FROM unnest(steps) AS s WHERE s.operation <> 'keep'
			UNION ALL
			SELECT concat_ws('|', 'member', p.member_id, p.now_asset_id, p.now_primary_id, coalesce(cec._day(lower(p.now_days)), '-'), coalesce(cec._day(upper(p.now_days)), '-'))
			FROM cec._amendment_pieces(portfolio, steps) AS p WHERE p.place IS NOT NULL
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

-- Carries steps out, as the caller: what the triggers refuse raises. One statement changes lines and memberships, so that nobody is uncovered
-- for a moment, and told so. Memberships are definitions, and left alone where there are none.
CREATE FUNCTION cec._take_steps(portfolio regnamespace, amendment_id bigint, steps cec._amendment_step[], pieces cec._swap_piece[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	moves CONSTANT boolean := EXISTS (SELECT FROM unnest(steps) AS s WHERE s.operation = 'update' AND s.from_asset_id IS NOT NULL);
	bundle record;
	made bigint;
	old_bundles bigint[] := '{}';
	new_primaries bigint[] := '{}';
	new_bundles bigint[] := '{}';
BEGIN
	FOR bundle IN
		SELECT DISTINCT p.bundle_id, p.bundle_name, p.now_primary_id FROM unnest(pieces) AS p
		WHERE p.place IS NOT NULL AND p.now_primary_id <> p.primary_id ORDER BY 1, 3
	LOOP
		EXECUTE cec._sql(portfolio, 'INSERT INTO @P@.bundle (name, primary_asset_id) VALUES ($1, $2) RETURNING bundle_id')
			INTO made USING bundle.bundle_name, bundle.now_primary_id;
		old_bundles := old_bundles || bundle.bundle_id;
		new_primaries := new_primaries || bundle.now_primary_id;
		new_bundles := new_bundles || made;
	END LOOP;
	EXECUTE cec._sql(portfolio, $query$
		WITH deleted AS (
			DELETE FROM @P@.inclusion i USING unnest($1) AS s WHERE s.operation = 'delete' AND i.inclusion_id = s.inclusion_id
		), updated AS (
			UPDATE @P@.inclusion i SET during = s.during, note = s.note, amendment_id = coalesce($2, i.amendment_id)$query$
			|| CASE WHEN moves THEN ', asset_id = CASE WHEN s.from_asset_id IS NULL THEN i.asset_id ELSE s.asset_id END,
				listed_as = CASE WHEN s.from_asset_id IS NULL THEN i.listed_as ELSE s.listed_as END' ELSE '' END || $query$
			FROM unnest($1) AS s WHERE s.operation = 'update' AND i.inclusion_id = s.inclusion_id
		), inserted AS (
			INSERT INTO @P@.inclusion (term_id, asset_id, listed_as, effect, during, amendment_id, note)
			SELECT s.term_id, s.asset_id, s.listed_as, s.effect, s.during, $2, s.note FROM unnest($1) AS s WHERE s.operation = 'insert' ORDER BY s.line_id, s.during
		)$query$ || CASE WHEN pieces = '{}' THEN '' ELSE $query$, piece AS MATERIALIZED (
			SELECT p.*, coalesce(n.bundle_id, p.bundle_id) AS now_bundle_id
			FROM unnest($3) AS p LEFT JOIN unnest($4, $5, $6) AS n(old_id, primary_id, bundle_id) ON n.old_id = p.bundle_id AND n.primary_id = p.now_primary_id
		), member_deleted AS (
			DELETE FROM @P@.bundle_member m
			WHERE m.member_id IN (SELECT p.member_id FROM piece p GROUP BY p.member_id HAVING count(p.place) = 0)
		), member_updated AS (
			UPDATE @P@.bundle_member m SET during = p.now_days, asset_id = p.now_asset_id, bundle_id = p.now_bundle_id
			FROM piece p WHERE p.place = 1 AND m.member_id = p.member_id
				AND (p.now_days, p.now_asset_id, p.now_bundle_id) <> (p.during, p.asset_id, p.bundle_id)
		), member_inserted AS (
			INSERT INTO @P@.bundle_member (bundle_id, asset_id, during)
			SELECT p.now_bundle_id, p.now_asset_id, p.now_days FROM piece p WHERE p.place > 1 ORDER BY p.member_id, p.place
		)$query$ END || ' SELECT') USING steps, amendment_id, pieces, old_bundles, new_primaries, new_bundles;
END;
$$;

-- All or nothing. Lists are locked as their own statements lock them, but all at once: the gate, their lines, and then the assets.
CREATE FUNCTION cec._apply_amendment(portfolio regnamespace, amendment_id bigint, expected text)
RETURNS TABLE (status text, line_id bigint, sqlstate text, constraint_name text, message text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	amendment record;
	steps cec._amendment_step[];
	pieces cec._swap_piece[];
	has_swaps boolean;
	is_alone boolean;
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
	EXECUTE cec._sql(portfolio, 'SELECT EXISTS (SELECT FROM @P@.amendment_line l WHERE l.amendment_id = $1 AND l.action = ''swap'')') INTO has_swaps USING amendment_id;
	is_alone := cec._enter_swap(portfolio, CASE WHEN has_swaps
		THEN cec._swaps_of(ARRAY(SELECT s FROM cec._amendment_steps(portfolio, amendment_id, false) AS s)) ELSE '{}' END);
	asset_ids := ARRAY(SELECT DISTINCT a.asset_id FROM cec._amendment_steps(portfolio, amendment_id, false) AS s
		CROSS JOIN LATERAL (VALUES (s.asset_id), (s.from_asset_id)) AS a(asset_id) WHERE s.operation <> 'refuse' AND a.asset_id IS NOT NULL ORDER BY 1);
	EXECUTE cec._sql(portfolio, 'SELECT FROM @P@.inclusion i WHERE i.asset_id = ANY ($1) ORDER BY i.term_id, i.asset_id, i.inclusion_id FOR UPDATE') USING asset_ids;
	PERFORM cec._lock_listed(portfolio, asset_ids);
	steps := ARRAY(SELECT s FROM cec._amendment_steps(portfolio, amendment_id, false) AS s);
	pieces := ARRAY(SELECT p FROM cec._amendment_pieces(portfolio, steps) AS p);
	IF pieces <> '{}' AND NOT is_alone THEN
		PERFORM cec._refuse_joined();
	END IF;
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
		PERFORM cec._take_steps(portfolio, amendment_id, steps, pieces);
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
COMMENT ON COLUMN cec._amendment_step.operation IS 'Private. refuse, keep, delete, update, insert or swap.';
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
COMMENT ON COLUMN cec._amendment_step.from_asset_id IS 'Private. Asset that it was about before; NULL: the same.';
COMMENT ON TYPE cec._swap IS 'Private. An asset that takes the place of another one.';
COMMENT ON COLUMN cec._swap.line_id IS 'Private. Line of the amendment, if any.';
COMMENT ON COLUMN cec._swap.old_id IS 'Private. The old asset.';
COMMENT ON COLUMN cec._swap.new_id IS 'Private. The new one.';
COMMENT ON COLUMN cec._swap.term_id IS 'Private. Term on whose list it does; NULL: all.';
COMMENT ON COLUMN cec._swap.on_day IS 'Private. First day of the new one.';
COMMENT ON COLUMN cec._swap.old_until IS 'Private. Last day of the old one.';
COMMENT ON COLUMN cec._swap.new_until IS 'Private. Last day of the new one at most; NULL: that of the line.';
COMMENT ON COLUMN cec._swap.policy IS 'Private. carry_remaining, restart or overlap.';
COMMENT ON COLUMN cec._swap.note IS 'Private. Remark for what the new one is listed by; NULL: none.';
COMMENT ON TYPE cec._swap_line IS 'Private. What becomes of a line of an old asset.';
COMMENT ON COLUMN cec._swap_line.line_id IS 'Private. Line of the amendment, if any.';
COMMENT ON COLUMN cec._swap_line.old_id IS 'Private. The old asset.';
COMMENT ON COLUMN cec._swap_line.new_id IS 'Private. The new one.';
COMMENT ON COLUMN cec._swap_line.inclusion_id IS 'Private. Its line.';
COMMENT ON COLUMN cec._swap_line.term_id IS 'Private. Term of the line.';
COMMENT ON COLUMN cec._swap_line.effect IS 'Private. include or exclude.';
COMMENT ON COLUMN cec._swap_line.during IS 'Private. Its days before.';
COMMENT ON COLUMN cec._swap_line.note IS 'Private. Its remark.';
COMMENT ON COLUMN cec._swap_line.is_moved IS 'Private. Whether it becomes a line of the new asset.';
COMMENT ON COLUMN cec._swap_line.kept IS 'Private. Days that the old asset keeps; NULL where it is moved, and of a further piece.';
COMMENT ON COLUMN cec._swap_line.taken IS 'Private. Days that the new asset takes; those of a piece.';
COMMENT ON TYPE cec._swap_piece IS 'Private. A piece of what becomes of a membership.';
COMMENT ON COLUMN cec._swap_piece.member_id IS 'Private. The membership.';
COMMENT ON COLUMN cec._swap_piece.bundle_id IS 'Private. Its bundle.';
COMMENT ON COLUMN cec._swap_piece.bundle_name IS 'Private. Name of that.';
COMMENT ON COLUMN cec._swap_piece.asset_id IS 'Private. Its member.';
COMMENT ON COLUMN cec._swap_piece.primary_id IS 'Private. Primary of the bundle.';
COMMENT ON COLUMN cec._swap_piece.during IS 'Private. Its days.';
COMMENT ON COLUMN cec._swap_piece.place IS 'Private. Place among what is left of it, from 1; NULL: dropped, since nobody is a member of his own bundle.';
COMMENT ON COLUMN cec._swap_piece.now_asset_id IS 'Private. Member afterwards.';
COMMENT ON COLUMN cec._swap_piece.now_primary_id IS 'Private. Primary afterwards; where it is another one, of another bundle.';
COMMENT ON COLUMN cec._swap_piece.now_days IS 'Private. Days afterwards.';
COMMENT ON FUNCTION cec._swaps_of(cec._amendment_step[]) IS 'Private. The swaps among the steps of an amendment.';
COMMENT ON FUNCTION cec._amendment_pieces(regnamespace, cec._amendment_step[]) IS 'Private. What becomes of memberships by steps of an amendment.';
COMMENT ON FUNCTION cec._amendment_lines(regnamespace, bigint, boolean) IS 'Private. The lines of an amendment, with the asset that each means, or what is wrong with it.';
COMMENT ON FUNCTION cec._amendment_steps(regnamespace, bigint, boolean) IS 'Private. What an amendment would do to lists, as of now.';
COMMENT ON FUNCTION cec._amendment_cover(regnamespace, cec._amendment_step[]) IS 'Private. The cover that steps of an amendment would give and take.';
COMMENT ON FUNCTION cec._hash_effect(regnamespace, cec._amendment_step[]) IS 'Private. The hash of the effect of steps of an amendment.';
COMMENT ON FUNCTION cec._amendment_effect_hash(regnamespace, bigint) IS 'Private. The hash of the effect that an amendment would have.';
COMMENT ON FUNCTION cec._amendment_findings(regnamespace, cec._amendment_step[], jsonb) IS 'Private. What findings would speak of once an amendment is applied.';
COMMENT ON FUNCTION cec._take_steps(regnamespace, bigint, cec._amendment_step[], cec._swap_piece[]) IS 'Private. Carries out steps of an amendment, and what becomes of memberships by them.';
COMMENT ON FUNCTION cec._apply_amendment(regnamespace, bigint, text) IS 'Private. What apply_amendment does.';
COMMENT ON FUNCTION cec.preview_amendment(regnamespace, bigint) IS 'What an amendment would do; see preview_amendment of a portfolio.';
COMMENT ON FUNCTION cec.apply_amendment(regnamespace, bigint, text) IS 'Applies an amendment; see apply_amendment of a portfolio.';
