-- How lists really change, for random_ops.sql: imports, amendments, swaps, transfers, renewals, terminations, and the register that moves
-- underneath. Each of these says what it has done, as words: "import valid_only", "apply swap". Where a session is alone (random.alone), what
-- a list is to be afterwards is computed here once more, by plain queries, and what was previewed is what is done.

SET check_function_bodies = off;

-- Raised where something is not as it must be: no operation catches it.
CREATE FUNCTION random_require(is_so boolean, what text, difference text DEFAULT NULL) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	IF is_so IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'assert_failure', MESSAGE = what, DETAIL = left(difference, 2000);
	END IF;
END;
$$;

CREATE FUNCTION random_is_alone() RETURNS boolean LANGUAGE sql
AS $$ SELECT coalesce(current_setting('random.alone', true) = 'on', false) $$;

CREATE FUNCTION random_tag() RETURNS text LANGUAGE sql
AS $$ SELECT asset_tag FROM law.asset ORDER BY random() LIMIT 1 $$;

-- An asset that something hangs on, so that there is something to do.
CREATE FUNCTION random_listed_tag() RETURNS text LANGUAGE sql
AS $$
	SELECT asset_tag FROM law.asset
	WHERE asset_id = (SELECT asset_id FROM (
		SELECT i.asset_id FROM law.inclusion i UNION ALL SELECT b.primary_asset_id FROM law.bundle b UNION ALL SELECT m.asset_id FROM law.bundle_member m) AS a
		ORDER BY random() LIMIT 1)
$$;

-- Rows of a list as people hand them in: most of them mean an asset, some of them nothing, or no days of the term.
CREATE FUNCTION random_rows(most integer) RETURNS jsonb LANGUAGE sql
AS $$
	SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('identifier', CASE WHEN random() < 0.9 THEN random_tag() ELSE random_name() END,
		'first_day', CASE WHEN random() < 0.7 THEN lower(d.days) END, 'last_day', CASE WHEN random() < 0.7 THEN upper(d.days) - 1 END,
		'effect', random_pick('{include,include,include,include,exclude}'), 'note', CASE WHEN random() < 0.2 THEN 'imported' END)))
	FROM (SELECT random_days() AS days FROM generate_series(1, random_id(most))) AS d
$$;

CREATE TYPE random_import_row AS (place bigint, identifier text, outcome text, sqlstate text, constraint_name text, message text, asset_id bigint,
	suggestion text, done boolean);

-- Imports a list, as one of its modes does. What is refused becomes a draft now and then.
CREATE FUNCTION random_import() RETURNS text[] LANGUAGE plpgsql
AS $$
DECLARE
	term record;
	rows jsonb := random_rows(6);
	mode text := random_pick('{check,valid_only,valid_only,all_or_nothing}');
	missing text := random_pick('{keep,keep,end}');
	fraction numeric := random_pick('{0.1,1,1,1}')::numeric;
	asked_at timestamptz := CASE WHEN random() < 0.3 THEN now() - random_id(50) * interval '1 hour' END;
	checked random_import_row[];
	made random_import_row[];
	deeds text[];
	wrong text;
	refused jsonb;
BEGIN
	SELECT t.term_id, t.number, t.during, c.number AS contract_number INTO term
		FROM law.coverage_term t JOIN law.contract c USING (contract_id) ORDER BY random() LIMIT 1;
	IF random() < 0.4 THEN -- the list as it is, but for this
		rows := rows || coalesce((SELECT jsonb_agg(jsonb_build_object('identifier', a.asset_tag, 'first_day', lower(i.during), 'last_day', upper(i.during) - 1))
			FROM law.inclusion i JOIN law.asset a USING (asset_id)
			WHERE i.term_id = term.term_id AND i.effect = 'include' AND random() < 0.7
				AND NOT EXISTS (SELECT FROM jsonb_array_elements(rows) AS r WHERE r ->> 'identifier' = a.asset_tag)), '[]');
	END IF;
	IF random_is_alone() THEN
		checked := ARRAY(SELECT (m.place, m.identifier, m.outcome, m.sqlstate, m.constraint_name, m.message, m.asset_id, m.suggestion, NULL)::random_import_row
			FROM law.import_inclusions(term.term_id, rows, 'check', missing, fraction) AS m ORDER BY 1);
	END IF;
	made := ARRAY(SELECT (m.place, m.identifier, m.outcome, m.sqlstate, m.constraint_name, m.message, m.asset_id, m.suggestion, m.done)::random_import_row
		FROM law.import_inclusions(term.term_id, rows, mode, missing, fraction, asked_at) AS m ORDER BY 1);
	SELECT array_agg(DISTINCT d.deed) INTO deeds
		FROM unnest(made) AS m
			CROSS JOIN LATERAL (VALUES (CASE WHEN m.done OR mode = 'check' THEN 'import ' || mode END), (CASE WHEN m.done THEN 'import ' || m.outcome END)) AS d(deed)
		WHERE d.deed IS NOT NULL;
	IF random_is_alone() THEN
		PERFORM random_require(checked = ARRAY(SELECT (m.place, m.identifier, m.outcome, m.sqlstate, m.constraint_name, m.message, m.asset_id, m.suggestion,
				NULL)::random_import_row FROM unnest(made) AS m ORDER BY 1),
			'an import does what it says', format('%s %s %s %s: %s, said %s', term.term_id, mode, missing, rows, made, checked));
		PERFORM random_require(mode <> 'check' OR true <> ALL (SELECT m.done FROM unnest(made) AS m), 'check does nothing');
		SELECT string_agg(m::text, E'\n') INTO wrong
			FROM unnest(made) AS m LEFT JOIN LATERAL (SELECT rows -> (m.place::int - 1) AS row) AS r ON true
			WHERE m.done AND CASE
				WHEN m.outcome IN ('insert', 'update', 'unchanged') THEN NOT EXISTS (SELECT FROM law.inclusion i
					WHERE i.term_id = term.term_id AND i.asset_id = m.asset_id AND i.effect = coalesce(r.row ->> 'effect', 'include')
						AND i.during = daterange(coalesce((r.row ->> 'first_day')::date, lower(term.during)),
							CASE WHEN r.row ->> 'last_day' IS NULL THEN upper(term.during) ELSE (r.row ->> 'last_day')::date + 1 END))
				WHEN m.outcome = 'end' THEN EXISTS (SELECT FROM law.inclusion i WHERE i.term_id = term.term_id AND i.asset_id = m.asset_id
					AND i.effect = 'include' AND i.during && daterange(cec.today('law') + 1, NULL)
					AND NOT EXISTS (SELECT FROM unnest(made) AS o WHERE o.asset_id = m.asset_id AND o.place IS NOT NULL))
				END;
		PERFORM random_require(wrong IS NULL, 'what is imported stands on the list', format('%s %s: %s', term.term_id, rows, wrong));
	END IF;
	SELECT jsonb_agg(rows -> (m.place::int - 1) || jsonb_build_object('term_number', term.number) ORDER BY m.place) INTO refused
		FROM unnest(made) AS m WHERE m.outcome = 'refused' AND m.place IS NOT NULL;
	IF refused IS NOT NULL AND random() < 0.3 THEN
		PERFORM law.draft_amendment(term.contract_number, 'refused of an import', refused);
		deeds := array_append(deeds, 'import draft');
	END IF;
	RETURN deeds;
END;
$$;

-- Drafts what may be right.
CREATE FUNCTION random_draft() RETURNS bigint LANGUAGE plpgsql
AS $$
DECLARE
	term record;
	result bigint;
BEGIN
	SELECT t.number, t.term_id, c.number AS contract_number INTO term FROM law.coverage_term t JOIN law.contract c USING (contract_id) ORDER BY random() LIMIT 1;
	SELECT law.draft_amendment(term.contract_number, 'draft ' || random_id(100), jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
			'identifier', CASE WHEN random() < 0.05 THEN random_name() WHEN r.action IN ('include', 'exclude') THEN random_tag()
				ELSE coalesce((SELECT a.asset_tag FROM law.inclusion i JOIN law.asset a USING (asset_id) WHERE i.term_id = term.term_id ORDER BY random() LIMIT 1), random_tag()) END,
			'action', r.action, 'term_number', term.number,
			'first_day', CASE WHEN random() < 0.7 THEN lower(r.days) END,
			'last_day', CASE WHEN r.action <> 'remove' AND random() < 0.7 THEN upper(r.days) - 1 END,
			'successor_identifier', CASE WHEN r.action = 'swap' THEN random_tag() END,
			'note', CASE WHEN random() < 0.2 THEN 'amended' END))))
		INTO result
		FROM (SELECT random_pick('{include,include,exclude,remove,change,swap,swap}') AS action, random_days() AS days FROM generate_series(1, random_id(3))) AS r;
	RETURN result;
END;
$$;

-- The cover of all, or what has changed of it since: asset, term, change and days, as preview_amendment says it.
CREATE FUNCTION random_cover() RETURNS jsonb LANGUAGE sql
AS $$
	SELECT coalesce(jsonb_object_agg(c.pair, c.days), '{}') FROM (
		SELECT asset_id || ' ' || term_id AS pair, range_agg(during)::text AS days FROM law.coverage GROUP BY asset_id, term_id) AS c
$$;

CREATE FUNCTION random_cover_changed(was jsonb) RETURNS text[] LANGUAGE sql
AS $$
	SELECT ARRAY(
		SELECT format('%s %s %s', pair, d.change, r.days)
		FROM jsonb_each_text(was) AS o(pair, days) FULL JOIN jsonb_each_text(random_cover()) AS n(pair, days) USING (pair)
			CROSS JOIN LATERAL (SELECT coalesce(o.days, '{}')::datemultirange AS before, coalesce(n.days, '{}')::datemultirange AS after) AS c
			CROSS JOIN LATERAL (VALUES ('gained', c.after - c.before), ('lost', c.before - c.after)) AS d(change, days)
			CROSS JOIN LATERAL unnest(d.days) AS r(days)
		ORDER BY 1)
$$;

-- Applies what is approved. What was previewed of cover is what becomes of it, and what no line is refused for is not refused.
CREATE FUNCTION random_apply(amendment_id bigint) RETURNS text[] LANGUAGE plpgsql
AS $$
DECLARE
	hash text;
	said text[];
	refused bigint;
	was jsonb;
	became text[];
	now_is text;
	reasons text;
BEGIN
	IF random_is_alone() THEN
		SELECT min(p.effect_hash), coalesce(array_agg(format('%s %s %s %s', p.asset_id, p.term_id, p.message, daterange(p.first_day, p.last_day, '[]')) ORDER BY
				format('%s %s %s %s', p.asset_id, p.term_id, p.message, daterange(p.first_day, p.last_day, '[]')))
				FILTER (WHERE p.section = 'coverage' AND p.asset_id IS NOT NULL), '{}'),
				count(*) FILTER (WHERE p.section = 'finding' AND p.message ~ '^line [0-9]+ is refused')
			INTO hash, said, refused FROM law.preview_amendment(random_apply.amendment_id) AS p;
		was := random_cover();
	END IF;
	SELECT min(a.status), string_agg(a::text, E'\n') INTO now_is, reasons FROM law.apply_amendment(random_apply.amendment_id, hash) AS a;
	IF random_is_alone() THEN
		became := random_cover_changed(was);
		-- That a bundle would inherit from itself is seen only when it is done.
		PERFORM random_require((now_is = 'applied') = (refused = 0) OR (refused = 0 AND reasons LIKE '%bundle_member_no_cycle%'), 'an amendment is applied unless its preview says why not',
			format('amendment %s: %s lines refused, %s', amendment_id, refused, reasons));
		PERFORM random_require(became = CASE WHEN now_is = 'applied' THEN said ELSE '{}' END, 'what was previewed is what is done',
			format('amendment %s: previewed %s, became %s', amendment_id, said, became));
	END IF;
	IF now_is <> 'applied' THEN
		RETURN '{"apply refused"}';
	END IF;
	RETURN ARRAY(SELECT DISTINCT 'apply ' || l.action FROM law.amendment_line l WHERE l.amendment_id = random_apply.amendment_id);
END;
$$;

-- A step of an amendment's life, whatever it refuses.
CREATE FUNCTION random_amend_step() RETURNS text[] LANGUAGE plpgsql
AS $$
DECLARE
	amendment record;
BEGIN
	IF random() < 0.3 THEN
		PERFORM random_draft();
	END IF;
	SELECT m.amendment_id, m.status INTO amendment FROM law.amendment m WHERE m.status NOT IN ('applied', 'cancelled')
		ORDER BY random() + CASE m.status WHEN 'draft' THEN 0.3 ELSE 0 END LIMIT 1;
	IF NOT FOUND THEN
		RETURN NULL;
	ELSIF random() < 0.15 THEN
		PERFORM law.preview_amendment(amendment.amendment_id);
		RETURN '{preview}';
	ELSIF random() < 0.15 THEN
		PERFORM law.cancel_amendment(amendment.amendment_id);
		RETURN '{cancel}';
	ELSIF amendment.status = 'draft' THEN
		PERFORM law.submit_amendment(amendment.amendment_id);
		RETURN '{submit}';
	ELSIF random() < 0.2 THEN
		PERFORM law.reopen_amendment(amendment.amendment_id);
		RETURN '{reopen}';
	ELSIF amendment.status = 'submitted' THEN
		PERFORM law.approve_amendment(amendment.amendment_id);
		RETURN '{approve}';
	END IF;
	RETURN random_apply(amendment.amendment_id);
END;
$$;

-- All of its life at once; now and then under rules of the house that let nothing else through.
CREATE FUNCTION random_amend_through(is_strict boolean) RETURNS text[] LANGUAGE plpgsql
AS $$
DECLARE
	amendment bigint;
	deeds text[];
BEGIN
	IF is_strict THEN
		UPDATE law.setting SET four_eyes = true, direct_changes = 'draft_only', shared_login = ARRAY[session_user], refuse_unscannable = true;
		PERFORM set_config('cec.actor', 'one', true);
	END IF;
	amendment := random_draft();
	PERFORM law.submit_amendment(amendment);
	IF is_strict THEN
		BEGIN
			PERFORM law.approve_amendment(amendment);
			PERFORM random_require(false, 'nobody approves what he wrote');
		EXCEPTION WHEN check_violation THEN
			PERFORM set_config('cec.actor', 'another', true);
		END;
	END IF;
	PERFORM law.approve_amendment(amendment);
	deeds := random_apply(amendment);
	IF is_strict THEN
		UPDATE law.setting SET four_eyes = false, direct_changes = 'allowed', shared_login = NULL, refuse_unscannable = false;
		PERFORM set_config('cec.actor', '', true);
		deeds := array_append(deeds, 'strict');
	END IF;
	RETURN '{draft}' || deeds;
END;
$$;

-- The lines of two assets, and what of their days counts.
CREATE FUNCTION random_lines(assets bigint[]) RETURNS TABLE (asset_id bigint, term_id bigint, effect text, during daterange, days daterange, term_days daterange,
	contract_days daterange, status text) LANGUAGE sql
AS $$
	SELECT i.asset_id, i.term_id, i.effect, i.during, i.during * t.during * c.during, t.during, c.during, c.status
	FROM law.inclusion i JOIN law.coverage_term t USING (term_id) JOIN law.contract c USING (contract_id)
	WHERE i.asset_id = ANY (assets) AND c.status <> 'void'
$$;

-- What lists and bundles say of assets, by days that count.
CREATE FUNCTION random_stated(assets bigint[]) RETURNS text[] LANGUAGE sql
AS $$
	SELECT ARRAY(
		SELECT format('asset %s term %s %s %s', asset_id, term_id, effect, range_agg(days)) FROM random_lines(assets)
			WHERE NOT isempty(days) GROUP BY asset_id, term_id, effect
		UNION ALL
		SELECT format('member %s of %s %s', m.asset_id, b.primary_asset_id, range_agg(m.during)) FROM law.bundle_member m JOIN law.bundle b USING (bundle_id)
			WHERE m.asset_id = ANY (assets) OR b.primary_asset_id = ANY (assets) GROUP BY m.asset_id, b.primary_asset_id
		ORDER BY 1)
$$;

-- And what they are to say once new_id takes the place of old_id, by the words of the design.
CREATE FUNCTION random_swapped(old_id bigint, new_id bigint, on_day date, policy text, overlap_until date) RETURNS text[] LANGUAGE sql
AS $$
	WITH until AS (
		SELECT coalesce(overlap_until, on_day - 1) AS old_until
	), line AS (
		SELECT l.*, l.asset_id = old_id AND NOT isempty(l.days) AND coalesce(upper(l.days) > on_day, true) AS goes_on,
			l.status = 'draft' OR (coalesce(lower(l.days) >= on_day, false) AND NOT (l.effect = 'exclude' AND coalesce(lower(l.days) <= overlap_until, false))) AS goes_whole,
			CASE WHEN NOT (lower_inf(l.during) OR upper_inf(l.during)) THEN upper(l.during) - lower(l.during)
				ELSE upper(l.during * l.term_days) - lower(l.during * l.term_days) END AS length
		FROM random_lines(ARRAY[old_id, new_id]) AS l
	), piece AS (
		SELECT asset_id, term_id, effect, days FROM line WHERE NOT goes_on
		UNION ALL
		SELECT new_id, term_id, effect, days FROM line WHERE goes_on AND goes_whole
		UNION ALL
		SELECT old_id, term_id, effect, days * daterange(NULL, old_until, '[]') FROM line, until WHERE goes_on AND NOT goes_whole
		UNION ALL
		SELECT new_id, term_id, effect, CASE WHEN policy = 'restart' AND effect = 'include' THEN daterange(on_day, on_day + length) * term_days * contract_days
			ELSE days * daterange(on_day, NULL) END
		FROM line WHERE goes_on AND NOT goes_whole
	), member AS (
		SELECT m.asset_id, b.primary_asset_id, m.during FROM law.bundle_member m JOIN law.bundle b USING (bundle_id)
		WHERE m.asset_id IN (old_id, new_id) OR b.primary_asset_id IN (old_id, new_id)
	), of_member AS ( -- the member changes, if it is the old one
		SELECT asset_id, primary_asset_id, during FROM member WHERE asset_id <> old_id
		UNION ALL
		SELECT old_id, primary_asset_id, during * daterange(NULL, old_until, '[]') FROM member, until WHERE asset_id = old_id AND coalesce(lower(during) < on_day, true)
		UNION ALL
		SELECT new_id, primary_asset_id, during * daterange(on_day, NULL) FROM member WHERE asset_id = old_id
	), of_primary AS ( -- and so does the primary
		SELECT asset_id, primary_asset_id, during FROM of_member WHERE primary_asset_id <> old_id
		UNION ALL
		SELECT asset_id, old_id, during * daterange(NULL, on_day) FROM of_member WHERE primary_asset_id = old_id
		UNION ALL
		SELECT asset_id, new_id, during * daterange(on_day, NULL) FROM of_member WHERE primary_asset_id = old_id
	)
	SELECT ARRAY(
		SELECT format('asset %s term %s %s %s', asset_id, term_id, effect, range_agg(days)) FROM piece WHERE NOT isempty(days) GROUP BY asset_id, term_id, effect
		UNION ALL
		SELECT format('member %s of %s %s', asset_id, primary_asset_id, range_agg(during)) FROM of_primary
			WHERE NOT isempty(during) AND asset_id <> primary_asset_id GROUP BY asset_id, primary_asset_id
		ORDER BY 1)
$$;

CREATE FUNCTION random_swap_asset() RETURNS text[] LANGUAGE plpgsql
AS $$
DECLARE
	old_tag text := random_listed_tag();
	new_tag text := random_tag();
	on_day date := random_day();
	policy text := random_pick('{carry_remaining,restart,overlap}');
	overlap_until date := CASE WHEN policy = 'overlap' THEN on_day + random_id(60)::int - 1 END;
	-- The tag may name another asset, too: then it is the one that stands somewhere.
	old_id bigint := cec._asset_to_leave('law', old_tag, on_day);
	new_id bigint := (SELECT asset_id FROM law.asset WHERE asset_tag = new_tag);
	expected text[] := CASE WHEN random_is_alone() THEN random_swapped(old_id, new_id, on_day, policy, overlap_until) END;
	stated text[];
	done bigint;
BEGIN
	SELECT count(*) INTO done FROM law.swap_asset(old_tag, new_tag, on_day, policy, overlap_until);
	IF random_is_alone() THEN
		stated := random_stated(ARRAY[old_id, new_id]);
		PERFORM random_require(stated = expected, 'a swap leaves what it is to leave', format('%s by %s on %s, %s %s: %s, expected %s', old_id, new_id, on_day,
			policy, overlap_until, ARRAY(SELECT unnest(stated) EXCEPT ALL SELECT unnest(expected)), ARRAY(SELECT unnest(expected) EXCEPT ALL SELECT unnest(stated))));
	END IF;
	RETURN CASE WHEN done > 0 THEN ARRAY['swap_asset ' || policy] END;
END;
$$;

CREATE FUNCTION random_transfer() RETURNS text[] LANGUAGE plpgsql
AS $$
DECLARE
	tag text := random_listed_tag();
	policy text := random_pick('{no_change,transfer,transfer,terminate}');
	on_day date := least(random_day(), random_today() - random_id(10)::int);
	asset bigint := cec._asset_to_leave('law', tag, on_day);
	customer text := 'CU-' || random_id(5);
	target record;
	expected text[];
	stated text[];
	done bigint;
BEGIN
	IF policy = 'transfer' THEN
		SELECT c.number AS contract_number, t.number, t.term_id, t.during * c.during AS days, c.status INTO target
			FROM law.coverage_term t JOIN law.contract c USING (contract_id) WHERE c.status <> 'void' ORDER BY random() LIMIT 1;
	ELSE
		SELECT NULL AS contract_number, NULL AS number, NULL::bigint AS term_id, NULL::daterange AS days, NULL AS status INTO target;
	END IF;
	IF random_is_alone() THEN
		expected := ARRAY(
			WITH line AS (
				SELECT l.*, l.effect = 'include' AND l.term_id IS DISTINCT FROM target.term_id AND policy <> 'no_change'
					AND NOT isempty(l.days) AND coalesce(upper(l.days) > on_day, true) AS goes_on
				FROM random_lines(ARRAY[asset]) AS l
			), piece AS (
				SELECT term_id, effect, days * CASE WHEN goes_on THEN daterange(NULL, on_day) ELSE '(,)' END AS days FROM line
				UNION ALL
				SELECT target.term_id, 'include', during * daterange(on_day, NULL) * target.days FROM line WHERE goes_on AND target.term_id IS NOT NULL
			)
			SELECT format('asset %s term %s %s %s', asset, term_id, effect, range_agg(days)) FROM piece WHERE NOT isempty(days) GROUP BY term_id, effect ORDER BY 1);
	END IF;
	SELECT count(*) INTO done FROM law.transfer_asset(tag, customer, on_day, policy, target.contract_number, target.number);
	IF random_is_alone() THEN
		stated := ARRAY(SELECT s FROM unnest(random_stated(ARRAY[asset])) AS s WHERE s LIKE 'asset %' ORDER BY 1);
		PERFORM random_require(stated = expected, 'a transfer leaves what it is to leave', format('%s on %s, %s to %s: %s, expected %s', asset, on_day, policy,
			target.term_id, stated, expected));
		PERFORM random_require((SELECT c.external_ref = customer FROM law.asset a JOIN law.customer c USING (customer_id) WHERE a.asset_id = asset), 'and gives the asset away');
	END IF;
	RETURN CASE WHEN done > 0 THEN ARRAY['transfer ' || policy] END;
END;
$$;

-- There are few contracts that renew others: of those that no amendment names the eldest goes when another one comes.
CREATE FUNCTION random_renew() RETURNS text[] LANGUAGE plpgsql
AS $$
DECLARE
	old record;
	eldest bigint;
	new_number text := 'R-' || random_id(1000);
	first_day date;
	actions text[];
	wrong text;
BEGIN
	IF (SELECT count(*) FROM law.contract WHERE number LIKE 'R-%') > 2 THEN
		SELECT c.contract_id INTO eldest FROM law.contract c WHERE c.number LIKE 'R-%'
			AND NOT EXISTS (SELECT FROM law.amendment m WHERE m.contract_id = c.contract_id)
			AND NOT EXISTS (SELECT FROM law.amendment_line l JOIN law.coverage_term t USING (term_id) WHERE t.contract_id = c.contract_id) ORDER BY c.contract_id LIMIT 1;
		UPDATE law.contract c SET predecessor_id = NULL WHERE c.predecessor_id = eldest;
		DELETE FROM law.inclusion i USING law.coverage_term t WHERE t.term_id = i.term_id AND t.contract_id = eldest;
		DELETE FROM law.coverage_rule r USING law.coverage_term t WHERE t.term_id = r.term_id AND t.contract_id = eldest;
		DELETE FROM law.coverage_term t WHERE t.contract_id = eldest;
		DELETE FROM law.contract c WHERE c.contract_id = eldest;
		IF (SELECT count(*) FROM law.contract WHERE number LIKE 'R-%') > 10 THEN
			RETURN NULL;
		END IF;
	END IF;
	SELECT c.contract_id, c.number, upper(c.during) - 1 AS last_day INTO old FROM law.contract c
		WHERE EXISTS (SELECT FROM law.coverage_term t WHERE t.contract_id = c.contract_id) ORDER BY random() LIMIT 1;
	IF random() < 0.2 THEN -- what is left behind
		PERFORM law.exclude_asset(t.term_id, random_tag(), old.last_day - 5, old.last_day) FROM law.coverage_term t WHERE t.contract_id = old.contract_id LIMIT 1;
	END IF;
	first_day := coalesce(old.last_day + 1, random_day());
	SELECT array_agg(DISTINCT 'renew ' || r.action) INTO actions
		FROM law.renew_contract(old.number, new_number, first_day, first_day + 364, random_id(5)) AS r;
	IF random_is_alone() THEN
		-- Whoever is listed on the last day and in life on the first one, as far as the term goes on, and nobody else.
		SELECT string_agg(format('%s on %s', asset_id, number), ', ') INTO wrong
			FROM (SELECT i.asset_id, t.number FROM law.contract c JOIN law.coverage_term t USING (contract_id) JOIN law.inclusion i USING (term_id) WHERE c.number = new_number
				) AS n FULL JOIN (
				SELECT DISTINCT i.asset_id, t.number FROM law.coverage_term t JOIN law.inclusion i USING (term_id) JOIN law.asset a USING (asset_id)
				WHERE t.contract_id = old.contract_id AND i.during @> old.last_day AND i.effect = 'include' AND coalesce(upper(t.during) > old.last_day, true)
					AND NOT a.out_of_service @> first_day AND coalesce(a.commissioned_on <= first_day, a.status <> 'planned') AND coalesce(a.decommissioned_on >= first_day, true)
				) AS d USING (asset_id, number)
			WHERE n.asset_id IS NULL OR d.asset_id IS NULL;
		PERFORM random_require(wrong IS NULL, 'a renewal carries over what it is to', format('%s as %s from %s: %s', old.number, new_number, first_day, wrong));
	END IF;
	IF random() < 0.5 THEN
		UPDATE law.contract SET status = 'active' WHERE number = new_number;
	END IF;
	RETURN actions;
END;
$$;

CREATE FUNCTION random_terminate() RETURNS text[] LANGUAGE plpgsql
AS $$
DECLARE
	old record;
	last_day date := random_day();
	done bigint;
BEGIN
	SELECT c.contract_id, c.number INTO old FROM law.contract c WHERE c.status IN ('active', 'terminated') ORDER BY random() LIMIT 1;
	SELECT count(*) INTO done FROM law.terminate_contract(old.number, last_day);
	PERFORM random_require(EXISTS (SELECT FROM law.contract c WHERE c.contract_id = old.contract_id AND c.status = 'terminated' AND upper(c.during) = last_day + 1)
		AND NOT (random_is_alone() AND EXISTS (SELECT FROM law.coverage v JOIN law.coverage_term t USING (term_id) WHERE t.contract_id = old.contract_id AND NOT v.during << daterange(last_day + 1, NULL))),
		'a contract that is terminated covers nothing behind its last day', old.number);
	RETURN CASE WHEN done > 0 THEN '{terminate}'::text[] END;
END;
$$;

-- What a source says: of assets that it has and others, of new ones; in a snapshot of most that it has. Some have another tag now. Of what is
-- messy some is refused.
CREATE FUNCTION random_stage(source text, is_snapshot boolean) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO law.asset_staging (source, asset_tag, source_key, source_ids, serial_number, manufacturer, model, status, country, category, customer_ref,
		longitude, latitude, commissioned_on, decommissioned_on, out_of_service, attributes, identifiers, is_deleted, source_updated_at)
	SELECT random_stage.source,
		CASE WHEN random() < 0.1 THEN 'Y-' || random_id(CASE WHEN is_messy THEN 12 ELSE 1000 END) ELSE r.asset_tag END,
		CASE WHEN random() < 0.5 THEN 'K' || CASE WHEN is_messy THEN random_id(30) ELSE coalesce(r.asset_id, 100 + random_id(200)) END END,
		CASE WHEN random() < 0.5 THEN ARRAY['I' || CASE WHEN is_messy THEN random_id(30) ELSE coalesce(r.asset_id, 100 + random_id(200)) END] END,
		CASE WHEN random() < 0.6 THEN r.serial_number WHEN is_messy THEN random_serial() END, r.manufacturer, r.model,
		random_pick(CASE WHEN is_messy THEN '{NULL,planned,retired}' ELSE '{NULL,NULL,in_service,in_service,in_service,in_storage}' END::text[]),
		CASE WHEN is_messy AND random() < 0.1 THEN 'XX' ELSE random_pick('{NULL,DE,AT,FR}') END, random_pick('{NULL,pump,motor}'), CASE WHEN random() < 0.4 THEN 'CU-' || random_id(CASE WHEN is_messy THEN 7 ELSE 5 END) END,
		CASE WHEN random() < 0.3 THEN 9 + random_id(5) END, CASE WHEN random() < 0.3 THEN 47 + random_id(3) END,
		CASE WHEN is_messy AND random() < 0.3 THEN random_day() END, CASE WHEN random() < 0.2 THEN random_day() + CASE WHEN is_messy THEN 60 ELSE 220 END END,
		CASE WHEN random() < 0.1 THEN datemultirange(random_days()) END,
		CASE WHEN random() < 0.3 THEN jsonb_build_object('kw', random_id(100), 'fuel', random_pick('{gas,oil}')) END,
		CASE WHEN random() < 0.2 THEN jsonb_build_object('eic', jsonb_build_array('E' || random_id(CASE WHEN is_messy THEN 20 ELSE 1000000 END))) END,
		CASE WHEN random() < 0.1 THEN true END,
		CASE WHEN random() < 0.5 THEN now() - random() * interval '20 days' END
	FROM (SELECT random() < 0.4 AS is_messy) AS m CROSS JOIN LATERAL (
		SELECT a.asset_id, a.asset_tag, a.serial_number, a.manufacturer, a.model FROM law.asset a
		WHERE CASE WHEN a.source = random_stage.source THEN random() < CASE WHEN is_snapshot THEN 0.85 ELSE 0.3 END
			WHEN a.source IS NULL THEN random() < 0.15 ELSE is_messy AND random() < 0.05 END
		UNION ALL
		SELECT NULL, format('X-%s-%s', random_stage.source, n), 'S-' || random_stage.source || n, 'Acme', 'M' FROM generate_series(1, 12) AS n WHERE random() < 0.2
	) AS r
$$;

CREATE FUNCTION random_source() RETURNS text LANGUAGE sql
AS $$ SELECT source FROM law.asset_source ORDER BY random() LIMIT 1 $$;

-- Stages and syncs. Above READ COMMITTED there is no sync: what is staged waits for one.
CREATE FUNCTION random_sync() RETURNS text[] LANGUAGE plpgsql
AS $$
DECLARE
	from_source text := random_source();
	mode text := random_pick('{delta,snapshot}');
	fraction numeric := random_pick('{0.1,1,1,1}')::numeric;
	owns_life boolean := (SELECT coalesce(owned_columns @> '{status,decommissioned_on}', true) FROM law.asset_source s WHERE s.source = from_source);
	living bigint[];
	staged law.asset_staging[];
	outcomes text[];
	said text[];
	previewed text[];
	made text[];
	wrong text;
BEGIN
	PERFORM random_stage(from_source, mode = 'snapshot');
	said := ARRAY(SELECT s.outcome || ' ' || s.assets FROM law.sync_assets(from_source, mode, true, fraction) AS s WHERE s.assets > 0 ORDER BY 1);
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RETURN '{stage}';
	END IF;
	IF random_is_alone() THEN
		previewed := ARRAY(SELECT s.outcome || ' ' || count(*) FROM law.sync_preview(from_source, mode, fraction) AS s GROUP BY s.outcome ORDER BY 1);
		PERFORM random_require(said = previewed, 'a dry run counts what is previewed', format('%s %s: %s, previewed %s', from_source, mode, said, previewed));
		staged := ARRAY(SELECT s FROM law.asset_staging s WHERE s.source = from_source);
		living := ARRAY(SELECT asset_id FROM law.asset WHERE status <> 'retired');
	END IF;
	SELECT coalesce(array_agg(s.outcome || ' ' || s.assets ORDER BY s.outcome || ' ' || s.assets), '{}'), coalesce(array_agg('sync ' || s.outcome), '{}')
		INTO made, outcomes FROM law.sync_assets(from_source, mode, false, fraction) AS s WHERE s.assets > 0;
	IF random_is_alone() THEN
		PERFORM random_require(said = made, 'a sync does what its dry run says', format('%s %s: %s, said %s; %s', from_source, mode, made, said,
			(SELECT string_agg(r::text, E'\n' ORDER BY r.sync_reject_id) FROM law.sync_reject r WHERE r.sync_run_id = (SELECT max(sync_run_id) FROM law.sync_run))));
		PERFORM random_require(NOT EXISTS (SELECT FROM law.asset_staging s WHERE s.source = from_source), 'and takes all that is staged');
		-- Who is retired by it, and who is not.
		SELECT string_agg(format('%s %s', a.asset_tag, a.status), ', ') INTO wrong
			FROM law.asset a
				CROSS JOIN LATERAL (SELECT coalesce(bool_or(s.is_deleted IS NOT TRUE), false) AS is_there, coalesce(bool_or(s.is_deleted OR s.status = 'retired'), false) AS is_over
					FROM unnest(staged) AS s WHERE s.asset_tag = a.asset_tag OR EXISTS (SELECT FROM law.asset_identifier i
						WHERE i.asset_id = a.asset_id AND i.scheme = 'source_key:' || from_source AND i.value = s.source_key)) AS s
			WHERE CASE WHEN a.status = 'retired' THEN a.asset_id = ANY (living) AND NOT (owns_life AND a.source = from_source AND (s.is_over OR (mode = 'snapshot' AND NOT s.is_there)
						OR ('sync merged' = ANY (outcomes) AND a.successor_id IS NOT NULL)))
				ELSE mode = 'snapshot' AND owns_life AND a.source = from_source AND NOT s.is_there AND NOT outcomes && '{sync rejected,sync outdated}' END;
		PERFORM random_require(wrong IS NULL, 'retired is what the source has no more', format('%s %s: %s', from_source, mode, wrong));
		IF NOT outcomes && '{sync rejected,sync reappeared}' THEN
			INSERT INTO law.asset_staging SELECT s.* FROM unnest(staged) AS s;
			SELECT string_agg(s::text, ', ') INTO wrong FROM law.sync_assets(from_source, mode, true, fraction) AS s
				WHERE s.assets > 0 AND s.outcome NOT IN ('unchanged', 'superseded', 'outdated');
			PERFORM random_require(wrong IS NULL, 'the same again changes nothing', format('%s %s: %s', from_source, mode, wrong));
			DELETE FROM law.asset_staging s WHERE s.source = from_source;
		END IF;
	END IF;
	RETURN outcomes || ('sync ' || mode);
END;
$$;

-- The same in batches that commit; a transaction of its own each.
CREATE PROCEDURE random_sync_batched(batch integer, session integer) LANGUAGE plpgsql
AS $$
DECLARE
	from_source text := random_source();
BEGIN
	PERFORM random_stage(from_source, false);
	COMMIT;
	CALL cec.sync_assets_batched('law', from_source, 'delta', 1, NULL, 3);
	INSERT INTO random_result VALUES (batch, session, 1, 0, 0, '{sync batched}');
	COMMIT;
END;
$$;
