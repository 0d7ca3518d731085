-- Amendments: who may write what of them, four eyes, what was previewed is what is applied, all or nothing, and lists that change by them alone.
SELECT no_plan();
SET client_min_messages = warning;
CREATE ROLE regress_owner;
CREATE ROLE regress_ann;
CREATE ROLE regress_bob;
CREATE ROLE regress_app;
CREATE ROLE regress_reader;
CREATE ROLE regress_stranger;
GRANT CREATE ON DATABASE :"DBNAME" TO regress_owner;
GRANT regress_owner TO CURRENT_USER;
SELECT cec.create_portfolio('law', 'regress_owner') \g /dev/null
SELECT cec.grant_access('law', r, 'manager') FROM unnest(ARRAY['regress_ann', 'regress_bob', 'regress_app']::name[]) AS r \g /dev/null
SELECT cec.grant_access('law', 'regress_reader', 'analyst') \g /dev/null
GRANT EXECUTE ON FUNCTION law.preview_amendment(bigint) TO regress_reader;
SET search_path = law, public;
INSERT INTO customer (name) VALUES ('Works');
INSERT INTO service_tier (code, name, rank) VALUES ('G', 'gold', 1);
INSERT INTO contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '[2020-01-01,2040-01-01)'), ('C-2', 1, 'active', '[2020-01-01,2040-01-01)'), ('D', 1, 'draft', '[2020-01-01,2040-01-01)');
INSERT INTO coverage_term (contract_id, number, tier_id, during) SELECT c, '1', 1, '[2020-01-01,2040-01-01)' FROM unnest(ARRAY[1, 2, 3]) AS c;
INSERT INTO coverage_term (contract_id, number, tier_id, during) VALUES (1, '2', 1, '[2020-01-01,2040-01-01)');
INSERT INTO asset (asset_tag, commissioned_on, category, customer_id) SELECT 'T-' || g, '2019-01-01', CASE WHEN g % 5 = 0 THEN 'hot' END, 1 FROM generate_series(1, 60) AS g;
INSERT INTO bundle (name, primary_asset_id) VALUES ('one', 1), ('deep', 2);
INSERT INTO bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '[2021-01-01,)'), (2, 3, '[2022-01-01,)');
INSERT INTO inclusion (term_id, asset_id, during) VALUES (1, 1, '[2020-01-01,2030-01-01)'), (1, 10, '(,)'), (1, 11, '[2020-01-01,2025-01-01)'), (1, 11, '[2026-01-01,)'), (4, 12, '(,)');
INSERT INTO coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'cold', 'exclude', 'category = ''hot''', '[2020-01-01,)');

-- What is refused is undone; what is accepted stays.
CREATE FUNCTION pg_temp.try(statement text, OUT result text) LANGUAGE plpgsql AS $$
DECLARE named text;
BEGIN
	EXECUTE statement;
	result := 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS named = CONSTRAINT_NAME;
	result := concat_ws(' ', SQLSTATE, nullif(named, ''));
END $$;
CREATE FUNCTION pg_temp.hash(amendment bigint) RETURNS text LANGUAGE sql AS $$ SELECT min(p.effect_hash) FROM law.preview_amendment(amendment) AS p $$;
CREATE FUNCTION pg_temp.applied(amendment bigint, expected text DEFAULT NULL) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(concat_ws(' ', a.status, a.line_id, a.sqlstate, a.constraint_name), '; ' ORDER BY a.line_id) FROM law.apply_amendment(amendment, expected) AS a $$;
GRANT USAGE ON SCHEMA public TO PUBLIC;

-- A draft is written by hand, or by draft_amendment; whatever else an amendment is, functions have made it.
SET SESSION AUTHORIZATION regress_ann;
SELECT is(pg_temp.try($$INSERT INTO amendment (contract_id, title) VALUES (1, 'by hand')$$), 'accepted', 'a draft is written by hand');
SELECT is(pg_temp.try($$INSERT INTO amendment (contract_id, title, requested_by) VALUES (1, 'x', 'somebody')$$), '23514 amendment_written_by_functions', 'not in somebody else''s name');
SELECT is(pg_temp.try($$INSERT INTO amendment (contract_id, title, status, approved_at, approved_by) VALUES (1, 'x', 'approved', now(), 'me')$$), '23514 amendment_written_by_functions', 'nor as approved');
SELECT is(pg_temp.try($$INSERT INTO amendment (contract_id, title, status, requested_at, applied_at) VALUES (1, 'x', 'applied', '2020-01-01', now())$$), '23514 amendment_written_by_functions', 'nor as applied');
SELECT is(pg_temp.try($$INSERT INTO amendment (contract_id, title, is_direct) VALUES (1, 'x', true)$$), '23514 amendment_written_by_functions', 'nor as a direct change');
SELECT is(pg_temp.try($$UPDATE amendment SET status = 'submitted'$$), '23514 amendment_written_by_functions', 'the status is not typed');
SELECT is(pg_temp.try($$UPDATE amendment SET approved_at = now(), approved_by = 'x'$$), '23514 amendment_written_by_functions', 'nor the approval');
SELECT is(pg_temp.try($$UPDATE amendment SET requested_by = 'x'$$), '23514 amendment_written_by_functions', 'nor the requester');
SELECT is(pg_temp.try($$UPDATE amendment SET title = 'anew', reason = 'why', requested_at = '2024-01-01'$$), 'accepted', 'what it is about is');
SELECT is(pg_temp.try($$INSERT INTO amendment_line (amendment_id, action, identifier, term_id) VALUES (1, 'include', 'T-20', 1)$$), 'accepted', 'and its lines');
SELECT is(pg_temp.try($$SELECT cec._submit_amendment('law', 1)$$), '23514 amendment_written_by_functions', 'who calls what is behind a function is nobody');
SELECT is(pg_temp.try($$SELECT submit_amendment(1)$$), 'accepted', 'the function may');
SELECT is(pg_temp.try($$UPDATE amendment_line SET note = 'x'$$), '23514 amendment_line_frozen', 'then lines stay');
SELECT is(pg_temp.try($$DELETE FROM amendment_line$$), '23514 amendment_line_frozen', 'all of them');
SELECT is(pg_temp.try($$INSERT INTO amendment_line (amendment_id, action, identifier, term_id) VALUES (1, 'include', 'T-21', 1)$$), '23514 amendment_line_frozen', 'and none comes');
SELECT is(pg_temp.try($$UPDATE amendment SET title = 'x'$$), '23514 amendment_frozen', 'and so does what it is about');
SELECT is(pg_temp.try($$DELETE FROM amendment$$), '23503 amendment_line_amendment_id_fkey', 'and it itself');
SET cec.actor = 'engine';
SET cec.reason = 'apply_amendment';
SELECT is(pg_temp.try($$UPDATE amendment SET status = 'approved', approved_at = now(), approved_by = 'engine'$$), '23514 amendment_frozen', 'no setting helps');
RESET cec.actor;
RESET cec.reason;
SELECT is(reopen_amendment(1), 'draft', 'it is made a draft again');
SELECT is(pg_temp.try($$INSERT INTO amendment (contract_id, title) VALUES (1, 'two')$$), 'accepted', 'another one');
SELECT is(submit_amendment(1), 'submitted', 'one is submitted');
SELECT is(pg_temp.try($$UPDATE amendment_line SET amendment_id = (SELECT amendment_id FROM amendment WHERE title = 'two')$$), '23514 amendment_line_frozen', 'its line does not move');
SELECT is(pg_temp.try($$DELETE FROM amendment WHERE title = 'two'$$), 'accepted', 'a draft may go');
SELECT is(pg_temp.try($$SELECT submit_amendment(99)$$), '23503', 'there is no such amendment');
RESET SESSION AUTHORIZATION;
SET ROLE regress_owner;
SELECT is(pg_temp.try($$UPDATE amendment SET status = 'approved', approved_at = now(), approved_by = 'owner'$$), '23514 amendment_frozen', 'the owner of the portfolio is told the same');
-- While a function of the engine works, statements of somebody's trigger are not its own.
CREATE FUNCTION law.cheat() RETURNS trigger LANGUAGE plpgsql SET search_path = law, pg_catalog, pg_temp AS
$$ BEGIN UPDATE law.amendment SET status = 'approved', approved_at = now(), approved_by = 'cheat' WHERE amendment_id <> 1 AND status = 'draft'; RETURN NULL; END $$;
CREATE TRIGGER zz_cheat AFTER UPDATE ON law.amendment FOR EACH STATEMENT EXECUTE FUNCTION law.cheat();
INSERT INTO amendment (contract_id, title) VALUES (1, 'to be slipped in');
SELECT is(pg_temp.try($$SELECT law.reopen_amendment(1)$$), '23514 amendment_written_by_functions', 'a trigger that rides along is refused');
DROP TRIGGER zz_cheat ON law.amendment;
DELETE FROM amendment WHERE title = 'to be slipped in';
SELECT is((SELECT status FROM amendment WHERE amendment_id = 1), 'submitted', 'and with it what it rode on');
SELECT is(cancel_amendment(1), 'cancelled', 'it is given up');
SELECT is(pg_temp.try($$SELECT reopen_amendment(1)$$), '23514 amendment_status_in_order', 'for good');
SELECT is(pg_temp.try($$SELECT submit_amendment(1)$$), '23514 amendment_status_in_order', 'and is not submitted');
RESET ROLE;

-- A list as import takes it, with actions.
SET SESSION AUTHORIZATION regress_ann;
SELECT is(pg_temp.try($$SELECT draft_amendment('C-1', 'x', '[{"identifier": "T-1", "colour": 1}]')$$), '22023', 'an unknown key');
SELECT is(pg_temp.try($$SELECT draft_amendment('C-1', 'x', '[{"identifier": "T-1", "term_number": ["1"]}]')$$), '22023', 'a number that is none');
SELECT is(pg_temp.try($$SELECT draft_amendment('C-1', 'x', '[{"first_day": "2026-02-01"}]')$$), '22023', 'no identifier');
SELECT is(pg_temp.try($$SELECT draft_amendment('C-1', 'x', '[7]')$$), '22023', 'no object');
SELECT is(pg_temp.try($$SELECT draft_amendment('C-1', 'x', '{}')$$), '22023', 'no array');
SELECT is(pg_temp.try($$SELECT draft_amendment('C-9', 'x', '[]')$$), '23503', 'no such contract');
SELECT is(pg_temp.try($$SELECT draft_amendment('C-1', NULL, '[]')$$), '22004', 'no title');
SELECT draft_amendment('C-1', 'wrong', '[{"identifier": "T-13", "term_number": "1"}, {"identifier": "T 14", "term_number": "1"}, {"identifier": "T-15"}, {"identifier": "T-11", "term_number": "1"},
	{"identifier": "T-16", "term_number": "1", "first_day": "2050-01-01"}, {"identifier": "T-16", "term_number": "1", "action": "change"}]') AS wrong \gset
SELECT results_eq(format($$SELECT action COLLATE "default", term_id, lower(during) FROM amendment_line WHERE amendment_id = %s ORDER BY line_id$$, :wrong),
	$$VALUES ('include', 1::bigint, NULL::date), ('include', 1, NULL), ('include', NULL, NULL), ('include', 1, NULL), ('include', 1, '2050-01-01'), ('change', 1, NULL)$$, 'a draft takes lines that are wrong');
SELECT is((SELECT string_agg(kind, ' ') FROM finding WHERE closed_at IS NULL AND subject LIKE 'line:%'), 'not_in_register', 'and findings speak of them');
SELECT is(pg_temp.try(format('SELECT submit_amendment(%s)', :wrong)), '23514 amendment_lines_right', 'it is not submitted');
SELECT results_eq(format($$SELECT constraint_name FROM cec._amendment_steps('law', %s, true) WHERE operation = 'refuse' ORDER BY line_id$$, :wrong),
	$$VALUES ('inclusion_listed_as_known'), ('amendment_line_has_term'), ('inclusion_no_overlap'), ('inclusion_days_meet_term'), ('amendment_line_changes_one')$$, 'for five reasons');
SELECT is((SELECT count(*) FROM preview_amendment(:wrong) WHERE section = 'finding' AND message LIKE 'line % is refused: %'), 5::bigint, 'which the preview has, too');
DELETE FROM amendment_line WHERE amendment_id = :wrong AND identifier <> 'T-13';
-- A list that an import refuses is a draft by one call, whatever its days and notes are.
SELECT draft_amendment('C-1', 'given', '[{"identifier": "T-31", "term_number": "1", "first_day": "1.2.2026", "note": {"by": "mail"}}, {"identifier": "T-32", "term_number": "1", "first_day": "2026-02-01", "last_day": "2026-01-01", "note": true},
	{"identifier": "T-33", "term_number": "1", "last_day": false}, {"identifier": "T-34", "term_number": "1", "first_day": "2026-02-01", "note": 7}]') AS given \gset
SELECT results_eq(format('SELECT identifier COLLATE "default", during, given_days COLLATE "default", note FROM amendment_line WHERE amendment_id = %s ORDER BY line_id', :given),
	$$VALUES ('T-31', 'empty'::daterange, '1.2.2026/', '{"by": "mail"}'), ('T-32', 'empty', '2026-02-01/2026-01-01', 'true'), ('T-33', 'empty', '/false', NULL), ('T-34', '[2026-02-01,)', NULL, '7')$$, 'days that cannot be read are kept as they are given');
SELECT results_eq(format($$SELECT constraint_name FROM cec._amendment_steps('law', %s, true) WHERE operation = 'refuse' ORDER BY line_id$$, :given),
	$$VALUES ('amendment_line_days_not_empty'), ('amendment_line_days_not_empty'), ('amendment_line_days_not_empty')$$, 'and are to be mended');
UPDATE amendment_line SET during = '[2026-02-01,)' WHERE amendment_id = :given AND isempty(during);
SELECT is(pg_temp.try(format('SELECT submit_amendment(%s)', :given)), 'accepted', 'which is to say them');
SELECT cancel_amendment(:given) \g /dev/null
SELECT is(submit_amendment(:wrong), 'submitted', 'mended, it is');
SELECT is(pg_temp.try($$SELECT submit_amendment(draft_amendment('C-1', 'empty', '[]'))$$), '23514 amendment_has_lines', 'without lines there is nothing to submit');
RESET SESSION AUTHORIZATION;
INSERT INTO asset (asset_tag, commissioned_on) VALUES ('wörn', '2019-01-01');
SET SESSION AUTHORIZATION regress_ann;
SELECT is(pg_temp.try($$SELECT submit_amendment(draft_amendment('C-2', 'worn', '[{"identifier": "wörn"}]'))$$), '23514 amendment_lines_right', 'a tag that cannot be scanned is to be mended');
SELECT is(pg_temp.try($$SELECT submit_amendment(draft_amendment('C-2', 'ours', '[{"identifier": "T-13"}]'))$$), 'accepted', 'what an approval of another one will make wrong is right as yet');

-- Four eyes.
SELECT is(approve_amendment(:wrong), 'approved', 'without four eyes whoever asks may approve');
SELECT is(reopen_amendment(:wrong), 'draft', 'taken back');
SELECT is((SELECT approved_at IS NULL AND approved_by IS NULL FROM amendment WHERE amendment_id = :wrong), true, 'with the approval');
RESET SESSION AUTHORIZATION;
UPDATE setting SET four_eyes = true;
SET SESSION AUTHORIZATION regress_bob;
INSERT INTO amendment_line (amendment_id, action, identifier, term_id) VALUES (:wrong, 'remove', 'T-10', 1);
SELECT is(submit_amendment(:wrong), 'submitted', 'submitted by a second one');
SELECT is(pg_temp.try(format('SELECT approve_amendment(%s)', :wrong)), '23514 amendment_four_eyes', 'who wrote a line may not approve');
SET cec.actor = 'carol';
SELECT is(pg_temp.try(format('SELECT approve_amendment(%s)', :wrong)), '23514 amendment_four_eyes', 'whatever name he gives himself');
RESET cec.actor;
SET SESSION AUTHORIZATION regress_ann;
SELECT is(pg_temp.try(format('SELECT approve_amendment(%s)', :wrong)), '23514 amendment_four_eyes', 'who asked may not');
SELECT is((SELECT string_agg(concat_ws(' ', w.actor, w.session_user_name), '; ') FROM cec._amendment_writers('law'::regnamespace, :wrong) AS w), 'regress_ann regress_ann', 'she is told of herself alone');
-- Keys are what writers are known by.
SELECT reopen_amendment(:wrong) \g /dev/null
SET SESSION AUTHORIZATION regress_bob;
SELECT is(pg_temp.try(format('UPDATE amendment_line SET line_id = 9000 + line_id WHERE amendment_id = %s', :wrong)), '23514 amendment_line_key_stays', 'a line is not made another one');
SELECT is(pg_temp.try(format('WITH lines AS (UPDATE amendment_line SET amendment_id = 9000 WHERE amendment_id = %1$s) UPDATE amendment SET amendment_id = 9000 WHERE amendment_id = %1$s', :wrong)), '23514 amendment_key_stays', 'nor an amendment');
SELECT submit_amendment(:wrong) \g /dev/null
-- Of what a policy hides nobody is told who wrote it, a part in it neither.
RESET SESSION AUTHORIZATION;
ALTER TABLE law.amendment ENABLE ROW LEVEL SECURITY;
CREATE POLICY but_one ON law.amendment USING (title <> 'wrong');
SET SESSION AUTHORIZATION regress_bob;
SELECT is_empty(format($$SELECT * FROM cec._amendment_writers('law'::regnamespace, %s)$$, :wrong), 'of an amendment that he cannot read he is told nothing');
SELECT is(pg_temp.try(format('SELECT approve_amendment(%s)', :wrong)), '23503', 'there is none for him');
RESET SESSION AUTHORIZATION;
DROP POLICY but_one ON law.amendment;
ALTER TABLE law.amendment DISABLE ROW LEVEL SECURITY;
SET SESSION AUTHORIZATION regress_app;
SET cec.actor = 'regress_ann';
SELECT is(pg_temp.try(format('SELECT approve_amendment(%s)', :wrong)), '23514 amendment_four_eyes', 'who acts as the one who asked may not');
SET cec.actor = 'ann@example.org';
SELECT draft_amendment('C-2', 'by the application', '[{"identifier": "T-30"}]') AS shared \gset
SELECT submit_amendment(:shared) \g /dev/null
SET cec.actor = 'bob@example.org';
SELECT is(pg_temp.try(format('SELECT approve_amendment(%s)', :shared)), '23514 amendment_four_eyes', 'one login, two names');
RESET SESSION AUTHORIZATION;
UPDATE setting SET shared_login = '{regress_app}';
SET SESSION AUTHORIZATION regress_app;
SET cec.actor = 'ann@example.org';
SELECT is(pg_temp.try(format('SELECT approve_amendment(%s)', :shared)), '23514 amendment_four_eyes', 'of a shared login the same name');
SET cec.actor = 'bob@example.org';
SELECT is(approve_amendment(:shared), 'approved', 'of a shared login another name');
SELECT is(approve_amendment(:wrong), 'approved', 'and of another login');
RESET cec.actor;
SELECT is((SELECT approved_by FROM amendment WHERE amendment_id = :wrong), 'bob@example.org', 'it says who');

-- Applied as a whole, by the facts of now.
RESET SESSION AUTHORIZATION;
UPDATE asset SET status = 'retired', decommissioned_on = '2019-06-01' WHERE asset_tag = 'T-13';
SET SESSION AUTHORIZATION regress_ann;
SELECT is(pg_temp.applied(:wrong), format('approved %s 23514 inclusion_asset_not_decommissioned', (SELECT line_id FROM amendment_line WHERE amendment_id = :wrong AND identifier = 'T-13')), 'refused for what has happened since');
SELECT is((SELECT during FROM inclusion WHERE asset_id = 10), '(,)', 'nothing of it is done');
RESET SESSION AUTHORIZATION;
UPDATE asset SET status = 'in_service', decommissioned_on = NULL WHERE asset_tag = 'T-13';
CREATE FUNCTION public.never() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RAISE EXCEPTION 'not on my watch' USING CONSTRAINT = 'never', ERRCODE = '23514'; END $$;
ALTER FUNCTION public.never() OWNER TO regress_owner;
CREATE TRIGGER zz_never AFTER INSERT ON law.inclusion FOR EACH STATEMENT EXECUTE FUNCTION public.never();
SELECT is(pg_temp.applied(:wrong), 'approved 23514 never', 'what others refuse is a reason, too');
DROP TRIGGER zz_never ON law.inclusion;
SELECT is((SELECT during FROM inclusion WHERE asset_id = 10), '(,)', 'what was done before is undone');
SELECT is((SELECT status FROM amendment WHERE amendment_id = :wrong), 'approved', 'and it stays approved');
SELECT pg_temp.hash(:wrong) AS hash \gset
INSERT INTO inclusion (term_id, asset_id, during) VALUES (1, 13, '[2020-01-01,2021-01-01)');
SELECT isnt(pg_temp.hash(:wrong), :'hash', 'its effect is another by now');
SELECT is(pg_temp.applied(:wrong, :'hash'), 'approved 23514 amendment_effect_expected', 'which is refused to who expects what it was');
DELETE FROM inclusion WHERE asset_id = 13;
SELECT is(pg_temp.hash(:wrong), :'hash', 'and the same once more');
SET SESSION AUTHORIZATION regress_ann;
SELECT is(pg_temp.applied(:wrong, :'hash'), 'applied', 'it is done');
SELECT is((SELECT count(*) FROM inclusion WHERE amendment_id = :wrong), 2::bigint, 'and lists name it');
SELECT is(pg_temp.applied(:wrong), 'applied', 'a second time');
SELECT is((SELECT count(*) FROM inclusion WHERE amendment_id = :wrong), 2::bigint, 'does nothing');
SELECT is(pg_temp.try(format('SELECT cancel_amendment(%s)', :wrong)), '23514 amendment_status_in_order', 'what is applied is not given up');
SELECT is(pg_temp.try(format('SELECT * FROM apply_amendment(%s)', :shared + 100)), '23503', 'there is no such amendment');
RESET SESSION AUTHORIZATION;
UPDATE setting SET four_eyes = false, shared_login = NULL;

-- What is previewed is what happens: random lines of all kinds, inherited cover and rules included; by the definition of cover, too.
CREATE TABLE public.cover_before AS TABLE law.coverage WITH NO DATA;
CREATE FUNCTION pg_temp.round(seed float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	amendment bigint;
	problem text;
BEGIN
	PERFORM setseed(seed);
	PERFORM CASE WHEN random() < 0.3 THEN law.remove_asset(1, 'T-1', (current_date + (random() * 900)::integer)::date) END;
	amendment := law.draft_amendment('C-1', 'round ' || seed, (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('identifier', 'T-' || 1 + (random() * 24)::integer,
		'action', r.action, 'term_number', 1 + floor(random() * 2)::integer, 'successor_identifier', CASE WHEN r.action = 'swap' THEN 'T-' || 14 + (random() * 26)::integer END,
		'first_day', CASE WHEN r.action = 'swap' AND random() < 0.8 THEN (date '2024-01-01' + (random() * 1500)::integer)::text END,
		'last_day', CASE WHEN random() < CASE r.action WHEN 'swap' THEN 0.1 ELSE 0.6 END THEN (date '2028-06-01' + (random() * 2100)::integer)::text END)))
		FROM (SELECT (ARRAY['include', 'include', 'exclude', 'remove', 'change', 'swap', 'swap'])[1 + floor(random() * 7)::integer] AS action FROM generate_series(1, 12)) AS r));
	DELETE FROM law.amendment_line l USING cec._amendment_steps('law', amendment, true) AS s WHERE s.operation = 'refuse' AND l.line_id = s.line_id;
	IF NOT EXISTS (SELECT FROM law.amendment_line WHERE amendment_id = amendment) THEN
		RETURN 'empty';
	END IF;
	PERFORM law.submit_amendment(amendment), law.approve_amendment(amendment);
	TRUNCATE cover_before;
	INSERT INTO cover_before TABLE law.coverage;
	CREATE TEMP TABLE told AS SELECT * FROM law.preview_amendment(amendment) WHERE section = 'coverage' AND asset_id IS NOT NULL;
	SELECT string_agg(concat_ws(' ', a.status, a.sqlstate, a.message), '; ') INTO problem FROM law.apply_amendment(amendment, pg_temp.hash(amendment)) AS a WHERE a.status <> 'applied';
	IF problem LIKE '%would inherit from itself%' THEN
		DROP TABLE told;
		RETURN 'as told';
	END IF;
	SELECT concat_ws('; ', problem, string_agg(concat_ws(' ', d.asset_id, d.term_id, d.change, d.days), '; ')) INTO problem
	FROM (SELECT asset_id, term_id, change, days FROM
			(SELECT asset_id, term_id, coalesce(b.days, '{}') AS before, coalesce(n.days, '{}') AS after
				FROM (SELECT asset_id, term_id, range_agg(during) AS days FROM cover_before GROUP BY 1, 2) AS b
					FULL JOIN (SELECT asset_id, term_id, range_agg(during) AS days FROM law.coverage GROUP BY 1, 2) AS n USING (asset_id, term_id)) AS c
			CROSS JOIN LATERAL (VALUES ('gained', after - before), ('lost', before - after)) AS v(change, days) WHERE NOT isempty(days)) AS d
		FULL JOIN (SELECT asset_id, term_id, message AS change, range_agg(daterange(first_day, last_day, '[]')) AS days FROM told GROUP BY 1, 2, 3) AS t USING (asset_id, term_id, change, days)
	WHERE d.asset_id IS NULL OR t.asset_id IS NULL;
	DROP TABLE told;
	RETURN coalesce(nullif(problem, ''), 'as told');
END $$;
INSERT INTO bundle (name, primary_asset_id) SELECT 'set ' || g, g FROM generate_series(4, 9) AS g;
INSERT INTO bundle_member (bundle_id, asset_id, during) SELECT b.bundle_id, b.primary_asset_id + n, '[2024-06-01,)' FROM bundle b CROSS JOIN generate_series(1, 2) AS n WHERE b.name LIKE 'set %';
SELECT is((SELECT string_agg(DISTINCT pg_temp.round(g / 60.0::float8), ' | ') FROM generate_series(1, 60) AS g), 'as told', 'sixty amendments do to cover what their previews have told');
SELECT cmp_ok((SELECT count(*) FROM amendment_line l JOIN amendment m USING (amendment_id) WHERE l.action = 'swap' AND m.status = 'applied'), '>', 20::bigint, 'swaps among them');
SELECT cmp_ok((SELECT count(*) FROM bundle), '>', 8::bigint, 'and bundles that have another primary by now');
SELECT cmp_ok((SELECT count(*) FROM inclusion WHERE amendment_id IS NOT NULL), '>', 20::bigint, 'and do something');
SELECT is_empty('SELECT * FROM verify_coverage()', 'cover is as it is defined');

-- A swap: what swap_asset does, on one term, and with the memberships.
RESET SESSION AUTHORIZATION;
INSERT INTO contract (number, customer_id, status, during) VALUES ('S', 1, 'active', '[2020-01-01,2040-01-01)'), ('S-draft', 1, 'draft', '[2020-01-01,2040-01-01)');
INSERT INTO coverage_term (contract_id, number, tier_id, during) SELECT contract_id, n, 1, '[2020-01-01,2040-01-01)' FROM contract CROSS JOIN unnest('{1,2}'::text[]) AS n WHERE number LIKE 'S%';
INSERT INTO asset (asset_tag, serial_number, manufacturer, commissioned_on, customer_id) SELECT 'S-' || g, CASE WHEN g IN (7, 8) THEN 'TWIN' END, 'M' || g, '2019-01-01', 1 FROM generate_series(0, 12) AS g;
INSERT INTO inclusion (term_id, listed_as, effect, during, note) SELECT find_term('S', '1'), v.* FROM (VALUES ('S-0', 'include', '[2020-01-01,2028-01-01)'::daterange, 'first'), ('S-0', 'include', '[2030-01-01,)', NULL),
	('S-0', 'exclude', '[2026-06-01,2026-08-01)', NULL), ('S-9', 'include', '[2031-01-01,)', NULL), ('S-10', 'include', '(,)', NULL)) AS v;
INSERT INTO inclusion (term_id, listed_as, during) VALUES (find_term('S', '2'), 'S-0', '(,)'), (find_term('S-draft', '1'), 'S-0', '(,)');
INSERT INTO bundle (name, primary_asset_id) SELECT 'of S-0', asset_id FROM asset WHERE asset_tag = 'S-0';
INSERT INTO bundle_member (bundle_id, asset_id, during) SELECT b.bundle_id, a.asset_id, '[2026-01-01,)' FROM bundle b, asset a WHERE b.name = 'of S-0' AND a.asset_tag IN ('S-11', 'S-1');
CREATE VIEW pg_temp.list AS SELECT coalesce(string_agg(concat_ws(' ', c.number || t.number, a.asset_tag, i.effect, i.during, i.listed_as, i.note), E'\n' ORDER BY c.number, t.number, a.asset_tag, i.effect, i.during), '') AS lines
FROM inclusion i JOIN asset a USING (asset_id) JOIN coverage_term t USING (term_id) JOIN contract c USING (contract_id) WHERE c.number LIKE 'S%';
CREATE VIEW pg_temp.bundles AS SELECT string_agg(concat_ws(' ', p.asset_tag, a.asset_tag, m.during), E'\n' ORDER BY p.asset_tag, a.asset_tag, m.during) AS members
FROM bundle b JOIN asset p ON p.asset_id = b.primary_asset_id JOIN bundle_member m USING (bundle_id) JOIN asset a ON a.asset_id = m.asset_id WHERE b.name = 'of S-0';
CREATE FUNCTION pg_temp.drafted(rows jsonb, number text DEFAULT 'S') RETURNS bigint LANGUAGE sql AS $$ SELECT law.draft_amendment(number, 'swap', rows) $$;
CREATE FUNCTION pg_temp.wrong(rows jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE amendment bigint := pg_temp.drafted(rows);
BEGIN
	RETURN coalesce(string_agg(concat_ws(' ', s.sqlstate, s.constraint_name), '; ' ORDER BY s.line_id), 'right') FROM cec._amendment_steps('law', amendment, true) AS s WHERE s.operation = 'refuse';
END $$;
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1"}]'), '23514 amendment_line_has_successor', 'a swap names who comes');
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-99"}]'), '23503 inclusion_listed_as_known', 'who is known');
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "TWIN"}]'), '23514 inclusion_listed_as_unambiguous', 'and one');
SELECT is(pg_temp.wrong('[{"identifier": "S-99", "action": "swap", "term_number": "1", "successor_identifier": "S-2"}]'), '23503 inclusion_listed_as_known', 'as is who goes');
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-0"}]'), '22023', 'and another one');
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "successor_identifier": "S-2"}]'), '23514 amendment_line_has_term', 'it has a term');
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-9", "first_day": "2026-01-01"}]'), '23P01 inclusion_no_overlap', 'who stands there already does not come');
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-9", "first_day": "2026-01-01", "last_day": "2027-12-31"}]'), 'right', 'but on other days');
SELECT is(pg_temp.wrong('[{"identifier": "S-10", "action": "swap", "term_number": "1", "successor_identifier": "S-10"}, {"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "wörn"}]'), '22023; 23514 inclusion_tag_scannable', 'nor one whose tag cannot be scanned');
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-2"}, {"identifier": "S-0", "action": "remove", "term_number": "1"}]'), '23514 amendment_line_swap_alone', 'one line for the old one');
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-2"}, {"identifier": "S-2", "term_number": "1", "last_day": "2024-12-31"}]'), '23514 amendment_line_swap_alone', 'and one for the new one');
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-2"}, {"identifier": "S-2", "term_number": "2"}]'), 'right', 'of each term');
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-2"}, {"identifier": "S-10", "action": "swap", "term_number": "1", "successor_identifier": "S-2"}]'), '23514 amendment_line_swap_alone; 23514 amendment_line_swap_alone', 'two do not become one');
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-2"}, {"identifier": "S-0", "action": "swap", "term_number": "2", "successor_identifier": "S-3"}]'), '23514 amendment_line_swap_alone; 23514 amendment_line_swap_alone', 'one does not become two');
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-12"}, {"identifier": "S-12", "action": "swap", "term_number": "2", "successor_identifier": "S-3"}]'), '23514 amendment_line_swap_alone; 23514 amendment_line_swap_alone', 'nor does one come that goes');
BEGIN;
UPDATE asset SET serial_number = 'S-0' WHERE asset_tag = 'S-10';
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-2"}, {"identifier": "S-0", "action": "remove", "term_number": "2"}, {"identifier": "S-0", "action": "exclude", "term_number": "2"}]'),
	'23514 inclusion_listed_as_unambiguous', 'of those that stand on the term a name means the one whose tag it is');
ROLLBACK;
SELECT is(pg_temp.wrong('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-2", "last_day": "2021-01-01"}]'), '23514 amendment_line_days_not_empty', 'nor one tomorrow until years ago');
-- Days of a change are those of a line.
SELECT is(pg_temp.wrong('[{"identifier": "S-10", "action": "change", "term_number": "1", "last_day": "2018-12-31"}, {"identifier": "S-9", "action": "change", "term_number": "1", "first_day": "2040-01-01"}]'), '23514 inclusion_days_meet_term; 23514 inclusion_days_meet_term', 'no line is changed to days outside the term');
UPDATE asset SET decommissioned_on = '2027-01-01' WHERE asset_tag = 'S-9';
SELECT is(pg_temp.wrong('[{"identifier": "S-9", "action": "change", "term_number": "1", "first_day": "2030-01-01"}]'), '23514 inclusion_asset_not_decommissioned', 'nor to days on which none could be');
SELECT is(pg_temp.wrong('[{"identifier": "S-9", "action": "change", "term_number": "1", "first_day": "2026-01-01"}, {"identifier": "S-10", "action": "change", "term_number": "1", "last_day": "2029-12-31"}]'), 'right', 'but to others');
UPDATE asset SET decommissioned_on = NULL WHERE asset_tag = 'S-9';
-- The same by swap_asset, where that is asked for one term alone.
BEGIN;
DELETE FROM inclusion WHERE term_id IN (find_term('S', '2'), find_term('S-draft', '1'));
SELECT count(*) FROM swap_asset('S-0', 'S-1', '2026-07-01', 'carry_remaining') \g /dev/null
SELECT lines FROM pg_temp.list \gset
SELECT members FROM pg_temp.bundles \gset
ROLLBACK;
SELECT is(submit_amendment(pg_temp.drafted('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-1", "first_day": "2026-07-01"}]')), 'submitted', 'a swap');
SELECT max(amendment_id) AS swap FROM amendment \gset
SELECT is(approve_amendment(:swap, pg_temp.hash(:swap)), 'approved', 'its effect is approved');
SELECT pg_temp.hash(:swap) AS hash \gset
UPDATE bundle_member SET during = '[2026-02-01,)' WHERE asset_id = (SELECT asset_id FROM asset WHERE asset_tag = 'S-11');
SELECT isnt(pg_temp.hash(:swap), :'hash', 'memberships are of its effect');
UPDATE bundle_member SET during = '[2026-01-01,)' WHERE asset_id = (SELECT asset_id FROM asset WHERE asset_tag = 'S-11');
UPDATE setting SET direct_changes = 'draft_only';
SET SESSION AUTHORIZATION regress_ann;
SELECT is(pg_temp.applied(:swap, :'hash'), 'applied', 'it is done, by amendments alone');
RESET SESSION AUTHORIZATION;
UPDATE setting SET direct_changes = 'allowed';
SELECT is((SELECT l.lines FROM pg_temp.list l), :'lines' || E'\nS2 S-0 include (,) S-0\nS-draft1 S-0 include (,) S-0', 'as swap_asset does it, on that term alone');
SELECT is((SELECT b.members FROM pg_temp.bundles b), :'members', 'with its memberships');
SELECT is((SELECT count(*) FROM inclusion WHERE amendment_id = :swap), 5::bigint, 'all that it has touched bears its number');
SELECT submit_amendment(pg_temp.drafted('[{"identifier": "S-0", "action": "swap", "term_number": "2", "successor_identifier": "S-1", "first_day": "2026-07-01", "last_day": "2026-12-31", "note": "on loan"}, {"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-1", "first_day": "2026-07-01"}]')) AS said \gset
SELECT max(amendment_id) AS swap FROM amendment \gset
SELECT approve_amendment(:swap) \g /dev/null
SELECT is(pg_temp.applied(:swap), 'applied', 'on another term, and once more where it is done');
SELECT is((SELECT string_agg(concat_ws(' ', a.asset_tag, i.during, i.note), '; ' ORDER BY i.during) FROM inclusion i JOIN asset a USING (asset_id) WHERE i.term_id = find_term('S', '2')), 'S-0 (,2026-07-01); S-1 [2026-07-01,2027-01-01) on loan', 'through the last day that it has, with its note');
SELECT is((SELECT b.members FROM pg_temp.bundles b), :'members', 'memberships stay as they are by now');
SELECT submit_amendment(pg_temp.drafted('[{"identifier": "S-0", "action": "swap", "term_number": "1", "successor_identifier": "S-12", "first_day": "2030-01-01"}]', 'S-draft')) AS said \gset
SELECT max(amendment_id) AS swap FROM amendment \gset
SELECT approve_amendment(:swap) \g /dev/null
SELECT is(pg_temp.applied(:swap), 'applied', 'on a draft');
SELECT is((SELECT string_agg(concat_ws(' ', a.asset_tag, i.during), '; ') FROM inclusion i JOIN asset a USING (asset_id) WHERE i.term_id = find_term('S-draft', '1')), 'S-12 (,)', 'lines move whole');
SELECT submit_amendment(pg_temp.drafted('[{"identifier": "S-10", "action": "swap", "term_number": "1", "successor_identifier": "S-4"}]')) AS said \gset
SELECT max(amendment_id) AS swap FROM amendment \gset
SELECT approve_amendment(:swap) \g /dev/null
SELECT is(pg_temp.applied(:swap), 'applied', 'without a day');
SELECT is((SELECT during FROM inclusion i JOIN asset a USING (asset_id) WHERE a.asset_tag = 'S-10'), daterange(NULL, cec.today('law') + 1), 'the old one stays through the day on which it is applied');
SELECT is_empty('SELECT * FROM verify_coverage()', 'cover is as it is defined');

-- A preview writes nothing, and takes no more than to read.
SELECT draft_amendment('C-1', 'seen', '[{"identifier": "T-41", "term_number": "1"}, {"identifier": "T-42", "term_number": "2"}, {"identifier": "T-1", "action": "remove", "term_number": "1", "first_day": "2021-01-01"}]') AS seen \gset
SET SESSION AUTHORIZATION regress_reader;
BEGIN READ ONLY;
SELECT cmp_ok((SELECT count(*) FROM preview_amendment(:seen)), '>', 1::bigint, 'by who may only read, in a transaction that may only read');
SELECT is((SELECT count(DISTINCT effect_hash) FROM preview_amendment(:seen)), 1::bigint, 'with one hash');
COMMIT;
SELECT is(pg_temp.try(format('SELECT submit_amendment(%s)', :seen)), '42501', 'he submits nothing');
SELECT is(pg_temp.try(format($$SELECT cec.submit_amendment('law', %s)$$, :seen)), '42501', 'nor by the function of the engine');
SELECT is(pg_temp.try(format($$SELECT * FROM cec.apply_amendment('law', %s, NULL)$$, :seen)), '42501', 'and applies nothing');
SELECT is(pg_temp.try(format($$SELECT * FROM cec._amendment_writers('law'::regnamespace, %s)$$, :seen)), '42501', 'nor is he told who wrote it');
SET SESSION AUTHORIZATION regress_stranger;
SELECT is(pg_temp.try(format($$SELECT * FROM cec.preview_amendment('law', %s)$$, :seen)), '42501', 'others are told nothing');
SELECT is(pg_temp.try($$SELECT * FROM cec._trial_coverage('law'::regnamespace, '{1}', '{}', '{}', '{}', '{}')$$), '42501', 'of what cover would be, either');
RESET SESSION AUTHORIZATION;
SELECT draft_amendment('C-1', 'nothing', '[{"identifier": "T-59", "action": "remove", "term_number": "1"}]') AS nothing \gset
SELECT is((SELECT string_agg(section || ' ' || message, '; ') FROM preview_amendment(:nothing)),
	'coverage nothing changes', 'one row where nothing changes');
SELECT is(pg_temp.try($$SELECT * FROM preview_amendment(9999)$$), '23503', 'there is no such amendment');
SELECT is(pg_temp.try($$SELECT * FROM cec._trial_coverage('law'::regnamespace, '{1}', '{1}', '{1,1}', '{t}', '{"(,)"}')$$), '22023', 'columns of other lengths');
SELECT is(pg_temp.try($$SELECT * FROM cec._trial_coverage('law'::regnamespace, '{1}', '{NULL}', '{1}', '{t}', '{"(,)"}')$$), '22004', 'NULL');

-- Lists that change by amendments alone.
INSERT INTO inclusion (term_id, asset_id, during) VALUES (4, 60, '(,)');
UPDATE setting SET direct_changes = 'draft_only';
SET SESSION AUTHORIZATION regress_ann;
SELECT is(pg_temp.try($$SELECT include_asset(1, 'T-50')$$), '23514 setting_direct_changes', 'nothing is listed');
SELECT is(pg_temp.try($$SELECT remove_asset(4, 'T-60')$$), '23514 setting_direct_changes', 'nor removed');
SELECT is(pg_temp.try($$UPDATE inclusion SET note = 'x' WHERE asset_id = 60$$), '23514 setting_direct_changes', 'nor changed');
SELECT is(pg_temp.try($$DELETE FROM inclusion WHERE asset_id = 60$$), '23514 setting_direct_changes', 'nor deleted');
SELECT is(pg_temp.try($$UPDATE coverage_rule SET name = 'x'$$), '23514 setting_direct_changes', 'nor a rule');
SELECT is(pg_temp.try($$INSERT INTO bundle_member (bundle_id, asset_id, during) VALUES (1, 41, '[2026-01-01,)')$$), '23514 setting_direct_changes', 'nor a membership');
SELECT is(pg_temp.try($$SELECT include_asset(3, 'T-50')$$), 'accepted', 'a draft of a contract is free');
SELECT is(pg_temp.try($$UPDATE inclusion SET term_id = 1 WHERE asset_id = 50 AND term_id = 3$$), '23514 setting_direct_changes', 'but no way in');
SELECT is(pg_temp.try($$UPDATE inclusion SET note = 'x' WHERE false$$), 'accepted', 'what changes nothing is none');
UPDATE contract SET status = 'terminated' WHERE number = 'C-2';
SELECT is(pg_temp.try($$INSERT INTO inclusion (term_id, asset_id, during) VALUES (2, 49, '(,)')$$), '23514 setting_direct_changes', 'a terminated contract is not free: it covers until it ends');
UPDATE contract SET status = 'active' WHERE number = 'C-2';
-- No way round: a list that comes out of reach and back.
INSERT INTO contract (number, customer_id, status, during) VALUES ('W', 1, 'draft', '[2020-01-01,2040-01-01)'), ('W-bare', 1, 'draft', '[2020-01-01,2040-01-01)');
INSERT INTO coverage_term (contract_id, number, tier_id, during) SELECT contract_id, '1', 1, '[2020-01-01,2040-01-01)' FROM contract WHERE number LIKE 'W%';
INSERT INTO coverage_term (contract_id, number, tier_id, during) SELECT contract_id, '2', 1, '[2020-01-01,2040-01-01)' FROM contract WHERE number = 'W';
INSERT INTO inclusion (term_id, asset_id, during) VALUES (find_term('W', '1'), 55, '(,)');
SELECT is(pg_temp.try($$UPDATE contract SET status = 'active' WHERE number LIKE 'W%'$$), 'accepted', 'a draft with its list becomes active');
SELECT is(pg_temp.try($$UPDATE contract SET status = 'draft' WHERE number = 'W'$$), '23514 setting_direct_changes', 'and no draft again');
SELECT is(pg_temp.try($$UPDATE contract SET status = 'terminated' WHERE number = 'W'$$), 'accepted', 'it is terminated');
SELECT is(pg_temp.try($$UPDATE contract SET status = 'draft' WHERE number = 'W'$$), '23514 setting_direct_changes', 'and no draft, either');
SELECT is(pg_temp.try($$UPDATE contract SET status = 'active', account_manager = 'x' WHERE number = 'W'$$), 'accepted', 'which changes no list');
SELECT is(pg_temp.try($$UPDATE contract SET status = 'draft' WHERE number = 'W-bare'$$), 'accepted', 'without lists it does as it likes');
SELECT is(pg_temp.try($$WITH gone AS (DELETE FROM contract WHERE number = 'W' RETURNING *) INSERT INTO contract (contract_id, number, customer_id, status, during) SELECT contract_id, number, customer_id, 'draft', during FROM gone$$),
	'23514 setting_direct_changes', 'nor does another one take its key');
SELECT is(pg_temp.try($$UPDATE coverage_term SET contract_id = (SELECT contract_id FROM contract WHERE number = 'W-bare'), number = '9' WHERE term_id = find_term('W', '1')$$), '23514 setting_direct_changes', 'a list does not leave it with its term');
SELECT is(pg_temp.try($$UPDATE coverage_term SET contract_id = 1, number = '9' WHERE contract_id = 3$$), '23514 setting_direct_changes', 'nor does one come with the term of a draft');
SELECT is(pg_temp.try($$WITH gone AS (DELETE FROM coverage_term WHERE term_id = find_term('W', '1') RETURNING *) INSERT INTO coverage_term (term_id, contract_id, number, during) SELECT term_id, 3, '9', during FROM gone$$),
	'23514 setting_direct_changes', 'nor does a term come in the place of another');
SELECT is(pg_temp.try($$UPDATE coverage_term SET contract_id = 3, number = '9' WHERE term_id = find_term('W', '2')$$), 'accepted', 'a term without lines moves');
SELECT is(pg_temp.try($$UPDATE coverage_term SET price = 7, price_basis = 'per_unit_day' WHERE term_id = find_term('W', '1')$$), 'accepted', 'what else a term says is free');
SELECT is(pg_temp.try($$DELETE FROM coverage_term WHERE contract_id = 3 AND number = '9'$$), 'accepted', 'and a term that nobody is listed on');
SELECT is(pg_temp.try($$UPDATE contract SET status = 'void' WHERE number = 'W'$$), 'accepted', 'a contract is made void');
SELECT is(pg_temp.try($$INSERT INTO inclusion (term_id, asset_id, during) VALUES (find_term('W', '1'), 56, '(,)')$$), 'accepted', 'its list is free by then');
SELECT is(pg_temp.try($$UPDATE contract SET status = 'active' WHERE number = 'W'$$), '23514 setting_direct_changes', 'so it does not come back');
SELECT is(pg_temp.try($$UPDATE contract SET status = 'draft' WHERE number = 'W'$$), '23514 setting_direct_changes', 'by way of a draft, either');
SELECT is(pg_temp.try(format('SELECT submit_amendment(%s), approve_amendment(%s)', :seen, :seen)), 'accepted', 'an amendment');
SELECT is(pg_temp.applied(:seen), 'applied', 'changes them');
SELECT is(pg_temp.try($$SELECT include_asset(1, 'T-50')$$), '23514 setting_direct_changes', 'and only itself');
RESET SESSION AUTHORIZATION;
CREATE FUNCTION law.ride() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = law, pg_catalog, pg_temp AS
$$ BEGIN INSERT INTO law.inclusion (term_id, asset_id, during) SELECT 4, 51, '(,)' WHERE pg_trigger_depth() = 1; RETURN NULL; END $$;
ALTER FUNCTION law.ride() OWNER TO regress_owner;
CREATE TRIGGER zz_ride AFTER INSERT ON law.inclusion FOR EACH STATEMENT EXECUTE FUNCTION law.ride();
SELECT draft_amendment('C-1', 'ridden', '[{"identifier": "T-52", "term_number": "1"}]') AS ridden \gset
SELECT submit_amendment(:ridden), approve_amendment(:ridden) \g /dev/null
SELECT is(pg_temp.applied(:ridden), 'approved 23514 setting_direct_changes', 'what rides along is refused');
DROP TRIGGER zz_ride ON law.inclusion;
UPDATE setting SET direct_changes = 'allowed';
SELECT is(pg_temp.try($$SELECT include_asset(1, 'T-53', requested_at => now())$$), 'accepted', 'direct changes again');
SELECT is((SELECT concat_ws(' ', status, is_direct) FROM amendment ORDER BY amendment_id DESC LIMIT 1), 'applied t', 'which are amendments of their own');
SELECT is_empty('SELECT * FROM verify_coverage()', 'cover is as it is defined');
SELECT * FROM finish();
