-- Laws of regulations: what the engine says of covered assets is what SQL says of the same rows, whole or for a few; the view is the
-- function; nothing typed by people runs but what is on the lists, as nobody, and what fails or is late is unknown; nobody learns of rows
-- that are hidden from him.
SET client_min_messages = warning;
SET search_path = fleet, public, pg_temp;
SELECT no_plan();
CREATE ROLE tap_owner;
CREATE ROLE tap_seer;
GRANT CREATE ON DATABASE :DBNAME TO tap_owner;
SELECT cec.create_portfolio('fleet', 'tap_owner') \g /dev/null
SELECT cec.grant_access('fleet', 'tap_seer', 'manager') \g /dev/null
INSERT INTO customer (name) VALUES ('Harbour');
-- The portfolio is where it is noon, so that no day ends meanwhile.
UPDATE setting SET duplicates_allowed = true, time_zone = 'Etc/GMT' || to_char(extract(hour FROM now() AT TIME ZONE 'UTC') - 12, 'FMSG99');
INSERT INTO service_tier (code, name, rank, response_hours) VALUES ('gold', 'Gold', 2, 4.5), ('silver', 'Silver', 1, 48), ('none', 'None', 0, NULL);
INSERT INTO contract (number, customer_id, kind, status, during, governing_country, boundary)
	SELECT 'C-' || g, 1, (ARRAY['service', 'lease', 'warranty'])[1 + g % 3], CASE WHEN g = 9 THEN 'draft' ELSE 'active' END, CASE WHEN g % 2 = 0 THEN '(,)' ELSE '[2020-01-01,2120-01-01)' END::daterange,
		(ARRAY['DE', 'PL', NULL])[1 + g % 3], CASE WHEN g % 2 = 1 THEN st_multi(st_makeenvelope(g, 45, g + 8, 55, 4326)) END FROM generate_series(1, 9) g;
INSERT INTO coverage_term (contract_id, number, tier_id, during) SELECT g, '1', nullif(g % 4, 0), '(,)' FROM generate_series(1, 9) g;
INSERT INTO jurisdiction (country, region, name, boundary) VALUES ('DE', NULL, 'W', st_multi(st_makeenvelope(5, 47, 15, 55, 4326))), ('DE', 'DE-BY', 'S', st_multi(st_makeenvelope(9, 47, 14, 50, 4326))),
	('PL', NULL, 'E', st_multi(st_makeenvelope(14, 49, 24, 55, 4326))), ('PL', 'PL-02', 'E2', st_multi(st_makeenvelope(14, 50, 18, 52, 4326)));
INSERT INTO asset (asset_tag, category, country, region, commissioned_on, location, attributes)
	SELECT 'T-' || g, (ARRAY['pump', 'motor', NULL])[1 + g % 3], CASE g % 5 WHEN 0 THEN 'DE' WHEN 1 THEN 'PL' END, CASE g % 15 WHEN 0 THEN 'DE-BY' WHEN 1 THEN 'PL-02' WHEN 2 THEN 'DE-BE' END,
		CASE WHEN g % 7 > 0 THEN date '2000-01-01' + g * 20 END, CASE WHEN g % 11 > 0 THEN st_setsrid(st_makepoint(5 + g % 19, 46 + g % 9), 4326) END,
		jsonb_build_object('kw', CASE WHEN g % 13 = 0 THEN to_jsonb('n/a'::text) ELSE to_jsonb(g) END)
	FROM generate_series(1, 300) g;
INSERT INTO inclusion (term_id, asset_id, during) SELECT 1 + g % 9, g, CASE WHEN g % 3 = 0 THEN '(,)' ELSE daterange('2021-01-01', date '2060-01-01' + g) END FROM generate_series(1, 280) g;
INSERT INTO inclusion (term_id, asset_id, during) SELECT 1 + (g * 5) % 9, g, daterange('2022-01-01', NULL) FROM generate_series(1, 280, 2) g WHERE g % 9 <> (g * 5) % 9;
INSERT INTO inclusion (term_id, asset_id, during, effect) SELECT 1 + g % 9, g, '[2022-03-01,2022-04-01)', 'exclude' FROM generate_series(1, 280, 9) g;
INSERT INTO maintenance_event (asset_id, kind, performed_on) SELECT g, 'inspection', cec.today('fleet') - g FROM generate_series(1, 300, 4) g;
INSERT INTO service_request (asset_id, opened_at) SELECT g, now() - g * interval '1 day' FROM generate_series(1, 300, 3) g;

-- The same conditions, and what they say in SQL of a row "w" of asset, term, contract and cover.
CREATE TEMP TABLE law (n integer GENERATED ALWAYS AS IDENTITY, requirement text, meaning text);
INSERT INTO law (requirement, meaning) VALUES
	('true', 'true'), ('NULL::boolean', 'NULL::boolean'), ('response_hours <= 24', 'w.response_hours <= 24'), ('category = ''pump'' OR tier_rank > 1', 'w.category = ''pump'' OR w.tier_rank > 1'),
	('cover_first_day < ''2021-06-01''', 'w.cover_first < ''2021-06-01'''), ('cover_last_day >= ''2060-05-01''', 'w.cover_last >= ''2060-05-01'''), ('cover_days > 14000', 'w.cover_days > 14000'),
	('contract_kind <> ''lease'' AND contract_number < ''C-5''', 'w.kind <> ''lease'' AND w.number < ''C-5'''), ('inside_boundary', 'st_covers(w.boundary, w.location)'),
	('last_maintenance(''inspection'') > as_of - 100', '(SELECT max(performed_on) FROM maintenance_event m WHERE m.asset_id = w.asset_id AND performed_on <= w.today) > w.today - 100'),
	('request_count(interval ''60 days'') = 0', 'NOT EXISTS (SELECT FROM service_request q WHERE q.asset_id = w.asset_id AND (q.opened_at AT TIME ZONE w.zone)::date > w.today - 60)'),
	('age_years < 12', 'extract(year FROM age(w.today, w.commissioned_on)) < 12'), ('(attributes ->> ''kw'')::integer % 2 = 0', 'CASE WHEN w.attributes ->> ''kw'' <> ''n/a'' THEN (w.attributes ->> ''kw'')::integer % 2 = 0 END');
INSERT INTO regulation (country, region, title, requirement, during, met_by, applies_by)
	SELECT p.country, p.region, l.n::text, l.requirement, '(,)', m, p.applies_by
	FROM law l, unnest('{any_term,every_term}'::text[]) m, (VALUES ('DE', NULL, 'location'), ('DE', 'DE-BY', 'location'), ('PL', 'PL-02', 'location'), ('PL', NULL, 'location'), ('DE', NULL, 'governing_country'), ('FR', NULL, 'location')) AS p(country, region, applies_by);
CREATE FUNCTION pg_temp.defined() RETURNS TABLE (asset_id bigint, regulation_id bigint, is_met boolean) LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE row_of AS
	SELECT a.*, c.number, c.kind, c.governing_country, c.boundary, s.rank AS tier_rank, s.response_hours, v.term_id, d.today, d.zone,
		lower(r.span) AS cover_first, upper(r.span) - 1 AS cover_last, CASE WHEN NOT lower_inf(k.days) AND NOT upper_inf(k.days) THEN (SELECT sum(upper(x) - lower(x)) FROM unnest(k.days) x) END AS cover_days,
		CASE WHEN a.country IS NULL AND a.region IS NULL THEN (SELECT array_agg(j.country) || array_agg(j.region) FROM jurisdiction j WHERE st_intersects(j.boundary, a.location))
			ELSE ARRAY[coalesce(a.country, substr(a.region, 1, 2)), a.region] END AS places
	FROM (SELECT cec.today('fleet') AS today, (SELECT time_zone FROM setting) AS zone) d JOIN coverage v ON v.during @> d.today JOIN asset a USING (asset_id) JOIN coverage_term t USING (term_id) JOIN contract c USING (contract_id)
		LEFT JOIN service_tier s USING (tier_id) CROSS JOIN LATERAL (SELECT range_agg(o.during) AS days FROM coverage o WHERE o.asset_id = a.asset_id AND o.term_id = t.term_id) k
		CROSS JOIN LATERAL (SELECT x AS span FROM unnest(k.days) x WHERE x @> d.today) r;
	CREATE TEMP TABLE say (n integer, asset_id bigint, term_id bigint, answer boolean);
	EXECUTE (SELECT string_agg(format('INSERT INTO say SELECT %s, w.asset_id, w.term_id, %s FROM row_of w;', n, meaning), '') FROM law);
	RETURN QUERY
		SELECT s.asset_id, r.regulation_id, CASE r.met_by WHEN 'any_term' THEN bool_or(s.answer) OR CASE WHEN bool_or(s.answer IS NULL) THEN NULL::boolean ELSE false END
			ELSE bool_and(s.answer) AND CASE WHEN bool_or(s.answer IS NULL) THEN NULL::boolean ELSE true END END
		FROM regulation r JOIN say s ON s.n::text = r.title JOIN row_of w ON w.asset_id = s.asset_id AND w.term_id = s.term_id
		WHERE CASE r.applies_by WHEN 'location' THEN coalesce(r.region, r.country) = ANY (w.places) ELSE w.governing_country = r.country END
		GROUP BY s.asset_id, r.regulation_id, r.met_by;
END $$;
CREATE TEMP TABLE defined AS SELECT * FROM pg_temp.defined();
CREATE TEMP TABLE judged AS SELECT j.asset_id, j.regulation_id, j.is_met FROM cec._judge_regulations('fleet'::regnamespace::oid, cec.today('fleet'), NULL, NULL, NULL, NULL, NULL, NULL, true) j;
SELECT is_empty('(TABLE defined EXCEPT ALL TABLE judged) UNION ALL (TABLE judged EXCEPT ALL TABLE defined)', 'regulations say what their conditions mean in SQL');
SELECT is((SELECT array_agg(DISTINCT coalesce(is_met::text, 'unknown') ORDER BY coalesce(is_met::text, 'unknown')) FROM judged), '{false,true,unknown}', 'all three');
SELECT cmp_ok((SELECT count(*) FROM judged), '>=', 5000::bigint, 'and that is many');
SELECT is_empty($$SELECT FROM judged JOIN regulation USING (regulation_id) WHERE country = 'FR'$$, 'of assets that stand there alone');

-- Kinds are functions and views: whole, for a few, and one by one.
CREATE TEMP TABLE unmet AS SELECT * FROM cec._regulation_unmet('fleet', NULL);
SELECT set_eq($$SELECT asset_id, subject, severity FROM unmet$$, $$SELECT asset_id, 'regulation:' || regulation_id, CASE WHEN is_met IS NULL THEN 'warning' ELSE 'error' END FROM judged WHERE is_met IS NOT TRUE$$, 'what is not met is found, as a warning where that is unknown');
SELECT is_empty('(TABLE unmet EXCEPT ALL SELECT * FROM _finding_regulation_unmet) UNION ALL (SELECT * FROM _finding_regulation_unmet EXCEPT ALL TABLE unmet)', 'the view is the function');
SELECT is_empty($$SELECT * FROM cec._regulation_unmet('fleet', '{5,5,17,NULL,9999,230}') EXCEPT ALL SELECT * FROM unmet WHERE asset_id IN (5, 17, 230)$$, 'for a few, once each');
SELECT is_empty($$SELECT * FROM unmet WHERE asset_id IN (5, 17, 230) EXCEPT ALL SELECT * FROM cec._regulation_unmet('fleet', '{5,17,230}')$$, 'all of it');
SELECT is_empty($$SELECT FROM unmet WHERE message = '' OR message !~ '\.$' OR message !~ (SELECT asset_tag FROM asset a WHERE a.asset_id = unmet.asset_id) OR NOT detail ?& '{title,requirement,country,contracts}'$$, 'each says in words what is wrong, and the facts');
SELECT is((SELECT count(*) FROM unmet WHERE other_asset_id IS NOT NULL OR contract_id IS NOT NULL OR term_id IS NOT NULL OR rule_id IS NOT NULL), 0::bigint, 'and names asset and regulation alone');
SELECT results_eq($$SELECT sum(unmet)::bigint, sum(unknown)::bigint, sum(met)::bigint FROM regulation_review('C-2')$$, $$SELECT count(*) FILTER (WHERE NOT is_met), count(*) FILTER (WHERE is_met IS NULL), count(*) FILTER (WHERE is_met) FROM judged
	WHERE asset_id IN (SELECT asset_id FROM coverage WHERE term_id = 2 AND during @> cec.today('fleet'))$$, 'the review of a contract counts the same');
SELECT is_empty($$SELECT l.requirement, t.asset_id, t.change FROM law l, test_regulation('DE', NULL, l.requirement) t
	EXCEPT SELECT r.requirement, j.asset_id, CASE WHEN j.is_met IS NULL THEN 'unknown' ELSE 'unmet' END FROM judged j JOIN regulation r USING (regulation_id) WHERE r.country = 'DE' AND r.region IS NULL AND r.met_by = 'any_term' AND r.applies_by = 'location'$$, 'test_regulation foretells it');
SELECT is((SELECT count(*) FROM law l, test_regulation('DE', NULL, l.requirement)), (SELECT count(*) FROM judged j JOIN regulation r USING (regulation_id)
	WHERE j.is_met IS NOT TRUE AND r.country = 'DE' AND r.region IS NULL AND r.met_by = 'any_term' AND r.applies_by = 'location'), 'all of it');
-- Many assets are gone through in batches.
INSERT INTO asset (asset_tag, country) SELECT 'M-' || g, 'FR' FROM generate_series(1, 2500) g;
INSERT INTO inclusion (term_id, listed_as, during) SELECT 1 + g % 2, 'M-' || g, '(,)' FROM generate_series(1, 2500) g;
SELECT results_eq($$SELECT count(*), count(DISTINCT asset_id) FROM test_regulation('FR', NULL, 'response_hours > 10')$$, 'VALUES (1250::bigint, 1250::bigint)', 'in batches, each once');
DELETE FROM regulation;

-- What is foretold of lines is so once they are there.
INSERT INTO regulation (country, title, requirement, during, met_by) SELECT 'FR', n::text, requirement, '(,)', m FROM law, unnest('{any_term,every_term}'::text[]) m;
INSERT INTO asset (asset_tag, country, category, location, attributes, commissioned_on) SELECT 'N-' || g, 'FR', 'pump', st_setsrid(st_makepoint(g, 50), 4326), jsonb_build_object('kw', g), date '2015-01-01' + g * 100 FROM generate_series(1, 20) g;
INSERT INTO inclusion (term_id, listed_as, during) SELECT 3, 'N-' || g, '(,)' FROM generate_series(1, 20, 2) g;
INSERT INTO inclusion (term_id, listed_as, during, effect) VALUES (4, 'N-4', '(,)', 'exclude'), (4, 'N-5', daterange(cec.today('fleet') + 5, NULL), 'exclude');
CREATE TEMP TABLE told AS SELECT asset_id, message FROM check_inclusions(4, (SELECT jsonb_agg(jsonb_build_object('identifier', 'N-' || g, 'first_day', '2026-01-01')) FROM generate_series(1, 20) g));
INSERT INTO inclusion (term_id, listed_as, during) SELECT 4, 'N-' || g, '[2026-01-01,)' FROM generate_series(1, 20) g;
CREATE FUNCTION pg_temp.note(of_asset bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format(CASE WHEN u.severity = 'error' THEN 'its cover would not meet "%s" of FR' ELSE 'whether its cover would meet "%s" of FR cannot be told' END, r.title), '; ' ORDER BY r.regulation_id)
	FROM cec._regulation_unmet('fleet', ARRAY[of_asset]) u JOIN regulation r ON u.subject = 'regulation:' || r.regulation_id
$$;
SELECT results_eq('SELECT asset_id, message FROM told WHERE asset_id <> (SELECT asset_id FROM asset WHERE asset_tag = ''N-4'') ORDER BY 1', 'SELECT asset_id, pg_temp.note(asset_id) FROM told WHERE asset_id <> (SELECT asset_id FROM asset WHERE asset_tag = ''N-4'') ORDER BY 1', 'check_inclusions foretells what is found of a line');
SELECT is((SELECT message FROM told JOIN asset USING (asset_id) WHERE asset_tag = 'N-4'), NULL, 'and says nothing of one that covers nothing');
DELETE FROM regulation;

-- Conditions are people's. The hostile ones are refused as those of rules are, before anything of them runs, also as superuser.
\ir ../rule/hostile.sql
SELECT cmp_ok((SELECT count(*) FROM hostile), '>=', 150::bigint, 'there are hostile requirements');
CREATE FUNCTION pg_temp.written(requirement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO regulation (country, title, requirement, during) VALUES ('DE', 't', requirement, '(,)');
	DELETE FROM regulation;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE FUNCTION pg_temp.tried(requirement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM test_regulation('DE', NULL, requirement);
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE attack AS SELECT condition, pg_temp.written(condition) AS written, pg_temp.tried(condition) AS tried FROM hostile;
SELECT is_empty($$SELECT condition FROM attack WHERE written = 'accepted' OR tried = 'accepted'$$, 'none is accepted, written or tried');
SELECT is_empty($$SELECT condition, written FROM attack WHERE written !~ '^(42|0A|22|54|23)'$$, 'each by an error of its own');

-- What fails or takes too long is unknown, and nothing else is held up by it; what is written past the checks is unknown, too.
INSERT INTO regulation (country, title, requirement, during) VALUES ('DE', 'fails', '10 / (asset_id - asset_id) > 1', '(,)'), ('DE', 'works', 'false', '(,)');
SELECT set_eq($$SELECT DISTINCT severity, detail ->> 'title' AS title, detail ->> 'sqlstate' AS sqlstate FROM cec._regulation_unmet('fleet', NULL)$$, $$VALUES ('warning', 'fails', '22012'), ('error', 'works', NULL)$$, 'a requirement that fails is unknown, and others are judged');
ALTER TABLE regulation DISABLE TRIGGER USER;
INSERT INTO regulation (country, title, requirement, during) VALUES ('DE', 'past', 'pg_sleep(1) IS NULL', '(,)');
ALTER TABLE regulation ENABLE TRIGGER USER;
SELECT cec.upgrade_portfolio('fleet') \g /dev/null
SELECT set_eq($$SELECT DISTINCT severity, detail ->> 'title' AS title, detail ->> 'sqlstate' AS sqlstate FROM cec._regulation_unmet('fleet', NULL)$$, $$VALUES ('warning', 'fails', '22012'), ('error', 'works', NULL), ('warning', 'past', '42883')$$, 'also one that was written past the checks');
DELETE FROM regulation;
INSERT INTO regulation (country, title, requirement, during) VALUES ('DE', 'slow', 'age_years IS NULL OR age_years > -1', '(,)');
SET cec.rule_time_limit = '1ms';
UPDATE contract SET boundary = (SELECT st_multi(st_buffer(st_setsrid(st_makepoint(10, 50), 4326), 20, 20000))) WHERE contract_id = 1;
INSERT INTO regulation (country, title, requirement, during) VALUES ('DE', 'late', 'distance_to_boundary_m >= 0 AND distance_to_boundary_m >= 0', '(,)');
SELECT is((SELECT array_agg(DISTINCT detail ->> 'sqlstate') FROM cec._regulation_unmet('fleet', NULL) WHERE detail ->> 'title' = 'late' AND detail ? 'sqlstate'), '{57014}', 'what is late is unknown');
RESET cec.rule_time_limit;
DELETE FROM regulation;

-- Nobody learns of rows that are hidden from him, by what is found, tried or reviewed.
INSERT INTO regulation (country, title, requirement, during) VALUES ('DE', 'never', 'false', '(,)');
SELECT cmp_ok((SELECT count(*) FROM test_regulation('DE', NULL, 'false')), '>', 20::bigint, 'there is what could be learned');
ALTER TABLE asset ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON asset FOR SELECT TO tap_seer USING (asset_id < 50);
ALTER TABLE maintenance_event ENABLE ROW LEVEL SECURITY;
SET ROLE tap_seer;
SELECT is((SELECT max(asset_id) < 50 AND count(*) > 2 FROM test_regulation('DE', NULL, 'false')), true, 'test_regulation: rows that the caller may read');
SELECT is((SELECT array_agg(DISTINCT change) FROM test_regulation('DE', NULL, 'maintenance_count(''inspection'', interval ''1000 days'') > 0')), '{unmet}', 'and events');
SELECT is((SELECT max(asset_id) < 50 FROM cec._regulation_unmet('fleet', NULL)), true, 'the kind too');
SELECT cmp_ok((SELECT sum(assets) FROM regulation_review('C-2')), '<', 20::numeric, 'and the review');
RESET ROLE;
CREATE ROLE tap_nobody;
SET ROLE tap_nobody;
SELECT throws_ok($$SELECT * FROM cec._regulation_unmet('fleet', NULL)$$, '42501', NULL, 'who may read nothing learns nothing');
SELECT throws_ok($$SELECT * FROM cec._judge_regulations('fleet'::regnamespace::oid, '2026-01-01', NULL, NULL, NULL, NULL, 'DE', 'true', true)$$, '42501', NULL, 'not by the engine''s function either');
SELECT throws_ok($$SELECT * FROM cec.test_regulation('fleet', 'DE', NULL, 'true')$$, '42501', NULL, 'nor by trying');
RESET ROLE;
ALTER TABLE asset DISABLE ROW LEVEL SECURITY;
ALTER TABLE maintenance_event DISABLE ROW LEVEL SECURITY;

-- Findings: opened by what people state of an asset and its cover, by refresh after a change of regulations and jurisdictions; closed likewise.
DELETE FROM regulation;
SELECT refresh() \g /dev/null
CREATE FUNCTION pg_temp.found(tag text) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(concat_ws(' ', severity, subject), ', ' ORDER BY subject) FROM finding JOIN asset a USING (asset_id) WHERE kind = 'regulation_unmet' AND closed_at IS NULL AND asset_tag = tag $$;
INSERT INTO regulation (regulation_id, country, title, requirement, during) VALUES (9001, 'CH', 'r', 'category = ''pump'' AND maintenance_count(''inspection'', interval ''10 days'') > 0', '(,)');
INSERT INTO asset (asset_tag, country, category) VALUES ('F', 'CH', 'motor'), ('G', NULL, 'motor');
UPDATE asset SET location = ST_Point(8, 47, 4326) WHERE asset_tag = 'G';
SELECT is(pg_temp.found('F'), NULL, 'an asset that is not covered has no finding');
INSERT INTO inclusion (term_id, listed_as, during) VALUES (2, 'F', '(,)'), (2, 'G', '(,)');
SELECT is(pg_temp.found('F'), 'error regulation:9001', 'one comes with cover');
UPDATE asset SET category = NULL WHERE asset_tag = 'F';
SELECT is(pg_temp.found('F'), 'error regulation:9001', 'false, whatever is not known');
INSERT INTO maintenance_event (asset_id, kind, performed_on) SELECT asset_id, 'inspection', cec.today('fleet') - 1 FROM asset WHERE asset_tag = 'F';
SELECT is(pg_temp.found('F'), 'warning regulation:9001', 'with an event it is unknown');
SELECT is((SELECT count(*) FROM finding JOIN asset USING (asset_id) WHERE kind = 'regulation_unmet' AND asset_tag = 'F'), 2::bigint, 'which is another finding');
UPDATE asset SET category = 'pump' WHERE asset_tag = 'F';
SELECT is(pg_temp.found('F'), NULL, 'met');
UPDATE maintenance_event SET performed_on = cec.today('fleet') - 20 WHERE asset_id = (SELECT asset_id FROM asset WHERE asset_tag = 'F');
SELECT is(pg_temp.found('F'), 'error regulation:9001', 'an event that moved');
UPDATE asset SET country = 'AT' WHERE asset_tag = 'F';
SELECT is(pg_temp.found('F'), NULL, 'and an asset that moved');
INSERT INTO jurisdiction (country, name, boundary) VALUES ('CH', 'S', st_multi(st_makeenvelope(6, 45.9, 10, 47.8, 4326)));
SELECT is(pg_temp.found('G'), NULL, 'a jurisdiction is asked by refresh');
SELECT refresh() \g /dev/null
SELECT is(pg_temp.found('G'), 'error regulation:9001', 'and then it counts');
SELECT is_empty($$SELECT asset_id, subject, severity, message FROM _finding_regulation_unmet EXCEPT SELECT asset_id, subject, severity, message FROM finding WHERE kind = 'regulation_unmet' AND closed_at IS NULL$$, 'what is open is what the view lists');
SELECT is_empty($$SELECT asset_id, subject, severity, message FROM finding WHERE kind = 'regulation_unmet' AND closed_at IS NULL EXCEPT SELECT asset_id, subject, severity, message FROM _finding_regulation_unmet$$, 'both ways');
DELETE FROM inclusion WHERE listed_as = 'G';
SELECT is(pg_temp.found('G'), NULL, 'it goes with cover');
UPDATE regulation SET country = 'AT';
SELECT refresh() \g /dev/null
SELECT is(pg_temp.found('F'), 'error regulation:9001', 'a regulation that changed, too');
DELETE FROM regulation;
SELECT refresh() \g /dev/null
SELECT is((SELECT count(*) FROM finding WHERE kind = 'regulation_unmet' AND closed_at IS NULL), 0::bigint, 'and one that went');
SELECT * FROM finish();
