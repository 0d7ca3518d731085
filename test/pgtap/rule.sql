-- Laws of rules: test_rule foretells what the rule then does, changes nothing, and sees no more than its caller.
SET client_min_messages = warning;
BEGIN;
SELECT plan(22);
CREATE ROLE tap_seer;
CREATE ROLE tap_blind;
SELECT cec.create_portfolio('fleet') \g /dev/null
INSERT INTO fleet.customer (name) VALUES ('Harbour');
-- The portfolio is where it is noon, so that no day ends meanwhile.
UPDATE fleet.setting SET duplicates_allowed = true, time_zone = 'Etc/GMT' || to_char(extract(hour FROM now() AT TIME ZONE 'UTC') - 12, 'FMSG99');
INSERT INTO fleet.contract (number, customer_id, status, during, boundary) SELECT 'C-' || g, 1, 'active', '(,)', CASE WHEN g < 4 THEN st_multi(st_makeenvelope(g, 40, g + 8, 50, 4326)) END FROM generate_series(1, 4) g;
INSERT INTO fleet.coverage_term (contract_id, number, during, covers_bundles) SELECT g, '1', '(,)', g <> 3 FROM generate_series(1, 4) g;
INSERT INTO fleet.asset (asset_tag, category, country, commissioned_on, location, attributes)
	SELECT 'T-' || g, (ARRAY['pump', 'motor', NULL])[1 + g % 3], (ARRAY['DE', 'AT', 'FR', NULL])[1 + g % 4], CASE WHEN g % 5 > 0 THEN date '2000-01-01' + g * 90 END,
		CASE WHEN g % 7 > 0 THEN st_setsrid(st_makepoint(g % 13, 45), 4326) END, jsonb_build_object('kw', g)
	FROM generate_series(1, 60) g;
UPDATE fleet.asset SET decommissioned_on = '2021-01-01', status = 'retired' WHERE asset_id % 11 = 0;
INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 1 + g % 4, g, CASE WHEN g % 4 = 0 THEN '(,)' ELSE '[2020-06-01,)' END::daterange FROM generate_series(1, 40) g WHERE g % 11 > 0;
INSERT INTO fleet.inclusion (term_id, asset_id, during, effect) SELECT 1 + g % 4, g, '(,)', 'exclude' FROM generate_series(1, 60, 9) g WHERE g % 11 > 0;
INSERT INTO fleet.bundle (name, primary_asset_id) SELECT 'B-' || g, g FROM generate_series(1, 8) g;
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) SELECT 1 + g % 8, g, '(,)' FROM generate_series(30, 58) g;
INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on) SELECT g, 'inspection', cec.today('fleet') - g FROM generate_series(1, 60, 4) g;
-- There are rules already, with unknowns and failures.
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during, on_unknown) VALUES
	(2, 'a', 'include', 'country = ''FR''', '(,)', 'flag'), (2, 'b', 'require', 'category = ''pump''', '(,)', 'allow'), (4, 'c', 'include', '10 / (asset_id % 5) > 5', '(,)', 'deny'),
	(4, 'd', 'exclude', 'asset_id % 5 = 1', '(,)', 'deny');

CREATE FUNCTION pg_temp.days(of_term bigint) RETURNS TABLE (asset_id bigint, days datemultirange) LANGUAGE sql
AS $$ SELECT asset_id, range_agg(during) FROM fleet.coverage WHERE term_id = of_term GROUP BY 1 $$;
CREATE TEMP TABLE trial (term_id bigint, effect text, condition text);
INSERT INTO trial SELECT t, e, c FROM generate_series(1, 4) t, unnest('{include,require,exclude}'::text[]) e, unnest(ARRAY['true', 'false', 'NULL::boolean', 'country = ''DE''', 'inside_boundary',
	'category = ''pump'' AND age_years < 15', 'last_maintenance(''inspection'') > as_of - 20', 'as_number(attributes ->> ''kw'') % 2 = 0', 'distance_to_boundary_m > 100000']) c;
-- What test_rule says, and what then happens; each rule is taken back.
CREATE TEMP TABLE told AS SELECT t.*, r.asset_id, r.change FROM trial t, fleet.test_rule(t.term_id, t.effect, t.condition) r;
CREATE TEMP TABLE happened (LIKE told);
CREATE TEMP TABLE before AS SELECT t AS term_id, d.* FROM generate_series(1, 4) t, pg_temp.days(t) d;
DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT * FROM trial LOOP
		BEGIN
			INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (t.term_id, 'trial', t.effect, t.condition, '(,)');
			INSERT INTO happened SELECT t.term_id, t.effect, t.condition, coalesce(a.asset_id, b.asset_id), c.change
				FROM pg_temp.days(t.term_id) a FULL JOIN (SELECT * FROM before WHERE term_id = t.term_id) b USING (asset_id)
					CROSS JOIN LATERAL (VALUES ('gain', coalesce(a.days, '{}') - coalesce(b.days, '{}')), ('lose', coalesce(b.days, '{}') - coalesce(a.days, '{}'))) AS c(change, days)
				WHERE NOT isempty(c.days);
			DELETE FROM fleet.coverage_rule WHERE name = 'trial';
		END;
	END LOOP;
END $$;
SELECT is_empty('(TABLE told EXCEPT TABLE happened) UNION ALL (TABLE happened EXCEPT TABLE told)', 'test_rule foretells who gains and who loses');
SELECT cmp_ok((SELECT count(*) FROM told), '>=', 300::bigint, 'and that is many');
SELECT is((SELECT string_agg(e, ' ' ORDER BY e) FROM (SELECT DISTINCT effect || ' ' || change FROM told) AS x(e)), 'exclude lose include gain require lose', 'by each effect in its way');
SELECT isnt_empty($$SELECT 1 FROM told t JOIN fleet.bundle_member m USING (asset_id) WHERE effect = 'include' AND change = 'gain' AND NOT EXISTS
	(SELECT FROM cec._scan_rule('fleet'::regnamespace::oid, t.term_id, 'include', 'deny', t.condition, cec.today('fleet')) m2 WHERE m2 = t.asset_id)$$, 'members with their primaries');
SELECT is_empty('TABLE before EXCEPT SELECT t, d.* FROM generate_series(1, 4) t, pg_temp.days(t) d', 'a rule that was taken back the same day leaves cover as it was');
SELECT is_empty('SELECT * FROM fleet.verify_coverage()', 'and all as defined');

-- Nothing changes.
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$ SELECT concat_ws(' ', (SELECT count(*) FROM fleet.audit_log), (SELECT md5(string_agg(c::text, '' ORDER BY c)) FROM fleet.coverage c),
	(SELECT md5(string_agg(e::text, '' ORDER BY e)) FROM fleet.rule_effect e), (SELECT md5(string_agg(f::text, '' ORDER BY finding_id)) FROM fleet.finding f),
	(SELECT count(*) FROM fleet.coverage_history), (SELECT count(*) FROM fleet.coverage_rule), (SELECT count(*) FROM fleet.refresh_run)) $$;
CREATE TEMP TABLE was AS SELECT pg_temp.state() AS state;
SELECT lives_ok('SELECT count(*) FROM trial t, fleet.test_rule(t.term_id, t.effect, t.condition) r', 'all are tried once more');
SELECT is(pg_temp.state(), (SELECT state FROM was), 'nothing has changed: neither log nor coverage, effects, findings');
SELECT throws_ok($$SELECT * FROM fleet.test_rule(4, 'include', '10 / (asset_id % 5) > 5')$$, '22012', NULL, 'what fails is told to who asks');
SELECT is(pg_temp.state(), (SELECT state FROM was), 'and nothing has changed');

-- Row-level security: who sees some assets learns nothing of the others, and no error speaks of them.
SELECT cec.grant_access('fleet', 'tap_seer', 'manager') \g /dev/null
GRANT SELECT ON trial TO tap_seer;
ALTER TABLE fleet.asset ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON fleet.asset FOR SELECT TO tap_seer USING (asset_id % 5 > 0 AND asset_id < 50);
SET ROLE tap_seer;
SELECT is((SELECT count(*) FROM fleet.asset), 40::bigint, 'some are to be seen');
SELECT is_empty($$SELECT * FROM fleet.test_rule(4, 'include', 'true') WHERE asset_id % 5 = 0 OR asset_id >= 50$$, 'others neither gain');
SELECT is_empty($$SELECT * FROM trial t, fleet.test_rule(t.term_id, t.effect, t.condition) WHERE asset_id % 5 = 0 OR asset_id >= 50$$, 'nor lose, by any rule');
SELECT lives_ok($$SELECT * FROM fleet.test_rule(4, 'include', '10 / (asset_id % 5) > 5')$$, 'and make nothing fail');
SELECT isnt_empty($$SELECT * FROM fleet.test_rule(4, 'include', 'true')$$, 'what is seen gains');
SELECT is_empty($$SELECT m FROM cec._scan_rule('fleet'::regnamespace::oid, 4, 'include', 'allow', NULL, '2026-01-01') m WHERE m % 5 = 0$$, 'nor does what is behind it tell');
RESET ROLE;
SET ROLE tap_blind;
SELECT throws_ok($$SELECT * FROM cec.test_rule('fleet', 1, 'include', 'true')$$, '42501', NULL, 'who may read nothing is refused');
SELECT throws_ok($$SELECT * FROM cec._scan_rule('fleet'::regnamespace::oid, 1, 'include', 'deny', 'true', '2026-01-01')$$, '42501', NULL, 'also behind it');
RESET ROLE;
SELECT is(pg_temp.state(), (SELECT state FROM was), 'and nothing has changed');
-- Exclude rules decide about heirs of primaries that a statement does not touch, many at once.
SELECT cec.create_portfolio('heirs') \g /dev/null
INSERT INTO heirs.customer (name) VALUES ('Harbour');
UPDATE heirs.setting SET duplicates_allowed = true;
INSERT INTO heirs.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '(,)');
INSERT INTO heirs.coverage_term (contract_id, number, during, covers_bundles) SELECT 1, g, '(,)', true FROM generate_series(1, 3) g;
INSERT INTO heirs.asset (asset_tag, country) SELECT 'T-' || g, 'DE' FROM generate_series(1, 80) g;
INSERT INTO heirs.bundle (name, primary_asset_id) SELECT 'B-' || g, g FROM generate_series(1, 40) g;
INSERT INTO heirs.bundle_member (bundle_id, asset_id, during) SELECT g, 40 + g, '(,)' FROM generate_series(1, 40) g;
INSERT INTO heirs.inclusion (term_id, asset_id, during) SELECT t, g, '(,)' FROM generate_series(1, 40) g, generate_series(1, 3) t;
INSERT INTO heirs.coverage_rule (term_id, name, effect, condition, during) SELECT t, t || '-' || g, 'exclude', format('country = %L AND asset_id %% %s = 0', 'AT', g), '(,)' FROM generate_series(1, 9) g, generate_series(1, 3) t;
UPDATE heirs.asset SET country = CASE WHEN country = 'DE' THEN 'AT' ELSE 'DE' END WHERE asset_id > 40;
SELECT isnt_empty('SELECT FROM heirs.rule_effect', 'rules take cover of heirs away');
SELECT is_empty('SELECT * FROM heirs.verify_coverage()', 'rules decide about many heirs whose primaries a statement leaves alone');
UPDATE heirs.asset SET country = CASE WHEN country = 'DE' THEN 'AT' ELSE 'DE' END WHERE asset_id > 40;
SELECT is_empty('SELECT * FROM heirs.verify_coverage()', 'and take it back');
SELECT * FROM finish();
ROLLBACK;
