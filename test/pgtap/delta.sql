-- What the log says of changes in cover: the example of src/audit/README.md, which entries carry a delta, that the instant is
-- one, and that verify_history tells whatever is rewritten past the engine.
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT no_plan();
SELECT cec.create_portfolio('fleet') \g /dev/null
CREATE ROLE delta_auditor;
CREATE ROLE delta_analyst;
SELECT cec.grant_access('fleet', 'delta_auditor', 'auditor'), cec.grant_access('fleet', 'delta_analyst', 'analyst') \g /dev/null

-- Reading.
\set example '01040e0106a895018c9a0100090000d501020400b801d601000c0000d501010e2802c49901'
SELECT results_eq(format('SELECT * FROM cec.decode_delta(decode(%L, ''hex''))', :'example'), $$VALUES
	(1, 'coverage', 7::bigint, 3::bigint, NULL::bigint, 'lost', DATE '2026-03-01', DATE '2026-12-31', true, false, false),
	(2, 'coverage', 7, 3, NULL, 'gained', '2026-03-01', '2026-09-15', true, false, false),
	(3, 'coverage', 8, 3, NULL, 'lost', '2026-06-01', '2026-12-31', false, false, true),
	(4, 'coverage', 8, 3, NULL, 'gained', '2026-06-01', '2026-09-15', false, false, true),
	(5, 'decision', 7, NULL, 1, 'gained', '2026-11-26', NULL, NULL, NULL, NULL)$$, 'the example');
SELECT is_empty('SELECT * FROM cec.decode_delta(NULL)', 'no delta, no rows');
CREATE FUNCTION pg_temp.code_of(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'accepted'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
SELECT is_empty(format($$SELECT n FROM generate_series(0, octet_length(decode(%1$L, 'hex')) - 1) AS n
	WHERE pg_temp.code_of(format('SELECT * FROM cec.decode_delta(%%L)', substring(decode(%1$L, 'hex') FOR n))) <> 'XX001'$$, :'example'), 'what is cut off anywhere is damaged');
SELECT is_empty($$SELECT d FROM unnest('{"\\x", "\\x02", "\\x010000ff", "\\x0101", "\\x01010e0906a895", "\\x01010e0006a895018c9a0100", "\\x010e8906a895018c9a0100", "\\x01010e0906a89501a8950100", "\\x01ffffffffffffffffff7f", "\\x01010e2906a89501", "\\x01010e0906ffffffffffffff7f8c9a0100", "\\x0100010e0902a895018c9a01"}'::bytea[]) AS d
	WHERE pg_temp.code_of(format('SELECT * FROM cec.decode_delta(%L)', d)) <> 'XX001'$$, 'and so is what the engine never writes');

-- Writing, in the entry of the one row.
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (1, 'C', 1, 'active', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (3, 1, '1', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.asset (asset_id, asset_tag, country) SELECT n, 'P-' || n, 'DE' FROM generate_series(7, 12) AS n;
INSERT INTO fleet.bundle (bundle_id, name, primary_asset_id) VALUES (1, 'B', 7);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 8, '[2026-06-01,)');
CREATE VIEW pg_temp.deltas AS SELECT table_name COLLATE "default" AS table_name, operation COLLATE "default" AS operation, row_id, encode(delta, 'hex') AS delta FROM fleet.audit_log WHERE delta IS NOT NULL ORDER BY audit_id;
SELECT is_empty('SELECT * FROM pg_temp.deltas', 'what changes no cover has no delta');
INSERT INTO fleet.inclusion (inclusion_id, term_id, asset_id, during) VALUES (900007, 3, 7, '[2026-03-01,)');
UPDATE fleet.asset SET status = 'retired', decommissioned_on = '2026-09-15' WHERE asset_id = 7;
SELECT results_eq('SELECT * FROM pg_temp.deltas', $$VALUES ('inclusion', 'INSERT', 900007::bigint, '01020e0906a895018c9a01020c00b8010000'),
	('asset', 'UPDATE', 7, '01040e0106a895018c9a0100090000d501020400b801d601000c0000d50100')$$, 'rows of one statement, bytes of the example');
INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 3, n, '[2026-03-01,)' FROM generate_series(9, 12) AS n;
SELECT results_eq('SELECT * FROM pg_temp.deltas OFFSET 2', $$VALUES ('coverage', 'COVER', 0::bigint, '0104120906a895018c9a0102490249024900')$$, 'several rows: an entry of its own, two bytes an asset');
SELECT results_eq($$SELECT old_row, new_row, asset_id, xid = (SELECT xid FROM fleet.audit_log WHERE row_id = 2 AND table_name = 'inclusion'), at = (SELECT at FROM fleet.audit_log WHERE row_id = 2 AND table_name = 'inclusion')
	FROM fleet.audit_entry WHERE operation = 'COVER'$$, 'SELECT NULL::jsonb, NULL::jsonb, NULL::bigint, true, true', 'which has no row, and the instant of the others');
SELECT is_empty($$SELECT * FROM fleet.audit_change WHERE table_name = 'coverage'$$, 'and is no change of a column');
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES (1, 3, 'not in France', 'require', 'country <> ''FR''', '[2026-01-01,)');
UPDATE fleet.asset SET country = 'FR' WHERE asset_id IN (9, 10);
UPDATE fleet.asset SET country = 'DE' WHERE asset_id = 10;
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES (2, 3, 'eleven', 'include', 'asset_tag = ''P-11''', '[2026-01-01,)');
DELETE FROM fleet.inclusion WHERE asset_id = 12;
INSERT INTO fleet.inclusion (inclusion_id, term_id, asset_id, during) VALUES (900050, 3, 12, '[2026-03-01,)');

-- Within one transaction: states that nobody saw, subtransactions that are undone, cover taken and given again.
BEGIN;
UPDATE fleet.inclusion SET during = '[2026-04-01,)' WHERE inclusion_id = 900050;
SAVEPOINT one;
UPDATE fleet.inclusion SET during = '[2026-05-01,)' WHERE inclusion_id = 900050;
ROLLBACK TO one;
DELETE FROM fleet.inclusion WHERE inclusion_id = 900050;
INSERT INTO fleet.inclusion (inclusion_id, term_id, asset_id, during) VALUES (900051, 3, 12, '[2026-06-01,)');
SAVEPOINT two;
UPDATE fleet.inclusion SET during = '[2026-07-01,)' WHERE inclusion_id = 900051;
RELEASE two;
COMMIT;
BEGIN;
INSERT INTO fleet.asset (asset_id, asset_tag) VALUES (13, 'P-13');
INSERT INTO fleet.inclusion (inclusion_id, term_id, asset_id, during) VALUES (900052, 3, 13, '[2026-06-01,)');
DELETE FROM fleet.inclusion WHERE inclusion_id = 900052;
INSERT INTO fleet.inclusion (inclusion_id, term_id, asset_id, during) VALUES (900053, 3, 13, '[2026-07-01,)');
COMMIT;
-- A trigger of the user's changes the row again before the first change is recorded.
CREATE FUNCTION pg_temp.again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE fleet.inclusion SET during = '[2026-10-01,)' WHERE inclusion_id = 900053 AND note = 'again' AND lower(during) < '2026-10-01'; RETURN NULL; END $$;
CREATE TRIGGER again AFTER UPDATE ON fleet.inclusion FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION pg_temp.again();
UPDATE fleet.inclusion SET note = 'again', during = '[2026-08-01,)' WHERE inclusion_id = 900053;
DROP TRIGGER again ON fleet.inclusion;
SELECT is_empty('SELECT * FROM fleet.verify_history()', 'the tables are what the log comes to');
SELECT is_empty('SELECT * FROM fleet.verify_replay()', 'and nothing was changed past it');
SELECT is_empty($$SELECT c.asset_id FROM fleet.coverage c WHERE NOT EXISTS (SELECT FROM fleet.audit_log l WHERE l.at = c.recorded_at AND l.delta IS NOT NULL)
	UNION ALL SELECT e.asset_id FROM fleet.rule_effect e WHERE NOT EXISTS (SELECT FROM fleet.audit_log l WHERE l.at = e.recorded_at AND l.delta IS NOT NULL)$$, 'one instant for the log and what is recorded beside it');

-- A trigger of the user's on findings changes cover: what it is about was recorded before, also what a rule was decided to do.
UPDATE fleet.contract SET during = '[2026-01-01,2100-01-01)' WHERE contract_id = 1;
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (4, 1, '2', '[2026-01-01,2100-01-01)');
INSERT INTO fleet.asset (asset_id, asset_tag, country, model) SELECT n, 'F-' || n, CASE WHEN n > 21 THEN 'DE' END, 'm' FROM generate_series(21, 25) AS n;
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES (11, 4, 'x', 'include', 'model = ''x''', '[2026-01-01,)');
CREATE FUNCTION pg_temp.meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	UPDATE fleet.asset SET country = 'FR' WHERE asset_id = 22;
	UPDATE fleet.asset SET model = 'x' WHERE asset_id = 23;
	RETURN NULL;
END $$;
CREATE TRIGGER meddle AFTER INSERT ON fleet.finding FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.meddle();
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during, on_unknown) VALUES (12, 4, 'in Germany', 'include', 'country = ''DE'' AND asset_tag LIKE ''F-%''', '[2026-01-01,)', 'flag');
SELECT is((SELECT string_agg(asset_id || ' ' || kind, ', ') FROM fleet.finding WHERE rule_id = 12), '21 rule_unknown', 'it is told once');
SELECT is_empty('SELECT * FROM fleet.verify_history()', 'a trigger on findings that changes cover: no false alarm');
SELECT is_empty('SELECT * FROM fleet.verify_coverage()', 'nor anything wrong');
SELECT results_eq($$SELECT table_name COLLATE "default", row_id FROM fleet.audit_log WHERE delta IS NOT NULL ORDER BY audit_id DESC LIMIT 3$$,
	$$VALUES ('asset', 23::bigint), ('asset', 22), ('coverage_rule', 12)$$, 'in the order in which it was done');
DROP TRIGGER meddle ON fleet.finding;

-- The day turns, and damage is mended: entries of their own.
UPDATE fleet.contract SET during = '[2026-01-01,)';
UPDATE fleet.coverage_term SET during = '[2026-01-01,)';
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES (3, 3, 'ahead', 'exclude', 'as_of > ' || quote_literal(cec.today('fleet')) || ' AND asset_tag = ''P-9''', '[2026-01-01,)');
SELECT fleet.refresh(cec.today('fleet') + 2) \g /dev/null
SELECT results_eq($$SELECT d.rule_id, d.asset_id, d.change, d.first_day FROM fleet.audit_delta d JOIN fleet.audit_log l USING (audit_id) WHERE l.operation = 'REFRESH' AND kind = 'decision' ORDER BY d.audit_delta_id$$,
	$$SELECT 3::bigint, 9::bigint, 'gained', cec.today('fleet') + 1$$, 'what refresh decides, once');
ALTER TABLE fleet.inclusion DISABLE TRIGGER USER;
DELETE FROM fleet.inclusion WHERE asset_id = 11;
SELECT cec.upgrade_portfolio('fleet') \g /dev/null
SELECT fleet.recompute_coverage() \g /dev/null
SELECT results_eq($$SELECT d.asset_id, d.change, l.table_name COLLATE "default", l.row_id FROM fleet.audit_delta d JOIN fleet.audit_log l USING (audit_id) WHERE l.operation = 'RECOMPUTE' AND d.is_stated ORDER BY d.audit_delta_id LIMIT 1$$,
	$$VALUES (11::bigint, 'lost', 'coverage', 0::bigint)$$, 'what recompute_coverage changes');
-- Rules as well, all kinds: what they read was changed past the triggers, they were, or they have gone.
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES (4, 3, 'twelve', 'include', 'asset_tag = ''P-12''', '[2026-01-01,)');
ALTER TABLE fleet.asset DISABLE TRIGGER USER;
ALTER TABLE fleet.coverage_rule DISABLE TRIGGER USER;
UPDATE fleet.asset SET asset_tag = 'P-11 too' WHERE asset_id = 11;
UPDATE fleet.asset SET asset_tag = 'P-11' WHERE asset_id = 10;
UPDATE fleet.asset SET country = 'FR' WHERE asset_id = 12;
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES (5, 3, 'nine', 'include', 'asset_tag = ''P-9''', '[2026-01-01,)');
DELETE FROM fleet.coverage_rule WHERE rule_id = 4;
SELECT cec.upgrade_portfolio('fleet') \g /dev/null
SELECT results_eq('SELECT problem, asset_id, is_ruled FROM fleet.verify_coverage() WHERE valid_from = last_day',
	'VALUES (''rule missing'', 9::bigint, true), (''rule missing'', 10, true), (''rule extra'', 11, true), (''rule missing'', 12, false)', 'rules changed past the triggers');
SELECT ok(fleet.recompute_coverage() > 0, 'are decided anew');
SELECT is_empty('SELECT * FROM fleet.verify_coverage()', 'so that all is as defined');
SELECT results_eq('SELECT asset_id, rule_id, upper(during) IS NULL FROM fleet.rule_effect WHERE rule_id NOT IN (3, 11, 12) ORDER BY 1, 2', 'VALUES (9::bigint, 1::bigint, true), (9, 5, true), (10, 2, true), (12, 1, true), (13, 1, true)', 'and what is gone no longer acts');
SELECT is(fleet.recompute_coverage(), 0::bigint, 'nothing is left');
SELECT is_empty('SELECT * FROM fleet.verify_history()', 'the tables are still what the log comes to');
SELECT is((SELECT count(*) FROM fleet.audit_delta), (SELECT count(DISTINCT audit_delta_id) FROM fleet.audit_delta), 'the key is one');

-- Sealed, and in proofs by its hash.
SELECT fleet.seal_audit() \g /dev/null
SELECT is_empty('SELECT * FROM fleet.verify_audit()', 'the log can be sealed');
SELECT is_empty($$SELECT audit_id FROM fleet.audit_log WHERE NOT cec.verify_audit_proof(fleet.audit_proof(audit_id)) OR fleet.audit_proof(audit_id) ->> 'header' NOT LIKE '%' || coalesce('21' || encode(sha256(delta), 'hex'), '00')$$, 'the header ends with the hash of the delta');
SELECT fleet.erase_audit((SELECT min(audit_id) FROM fleet.audit_log WHERE delta IS NOT NULL), 'test') \g /dev/null
SELECT ok((SELECT delta IS NOT NULL AND row_image IS NULL FROM fleet.audit_log WHERE delta IS NOT NULL ORDER BY audit_id LIMIT 1), 'a delta is not erased');
SELECT results_eq('SELECT kind FROM fleet.verify_audit()', $$VALUES ('ERASED')$$, 'and the erased entry still verifies');
SELECT is_empty('SELECT * FROM fleet.verify_history()', 'erasure does not matter');

-- Rewritten past the engine. Each is made, looked at and undone.
CREATE FUNCTION pg_temp.told(rewriting text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	BEGIN
		ALTER TABLE fleet.audit_log DISABLE TRIGGER USER;
		ALTER TABLE fleet.coverage DISABLE TRIGGER USER;
		ALTER TABLE fleet.coverage_history DISABLE TRIGGER USER;
		ALTER TABLE fleet.rule_effect DISABLE TRIGGER USER;
		EXECUTE rewriting;
		SELECT coalesce(string_agg(concat_ws(' ', v.kind, v.table_name, 'asset ' || v.asset_id, 'term ' || v.term_id, 'rule ' || v.rule_id), ', ' ORDER BY v.table_name, v.kind, v.asset_id), 'nothing') INTO result
		FROM fleet.verify_history() AS v;
		RAISE EXCEPTION USING ERRCODE = 'RB000';
	EXCEPTION WHEN SQLSTATE 'RB000' THEN
		RETURN result;
	END;
END $$;
SELECT is(pg_temp.told('SELECT 1'), 'nothing', 'nothing was done');
SELECT is(pg_temp.told($$UPDATE fleet.rule_effect SET during = daterange('2025-02-01', upper(during)) WHERE rule_id = 1 AND asset_id = 9$$), 'EXTRA rule_effect asset 9 rule 1, MISSING rule_effect asset 9 rule 1', 'a decision moved into the past');
SELECT is(pg_temp.told($$UPDATE fleet.rule_effect SET recorded_at = recorded_at - interval '30 days' WHERE rule_id = 1 AND asset_id = 9$$), 'EDITED rule_effect asset 9 rule 1', 'a decision backdated');
SELECT is(pg_temp.told($$DELETE FROM fleet.rule_effect WHERE rule_id = 2$$), 'MISSING rule_effect asset 10 rule 2', 'a decision gone');
SELECT is(pg_temp.told($$INSERT INTO fleet.rule_effect (rule_id, asset_id, during, recorded_at) VALUES (2, 8, '[2026-01-01,)', now())$$), 'EXTRA rule_effect asset 8 rule 2', 'a decision made up');
SELECT is(pg_temp.told($$DELETE FROM fleet.coverage_history WHERE asset_id = 7$$), 'MISSING coverage_history asset 7 term 3', 'history gone');
SELECT is(pg_temp.told($$UPDATE fleet.coverage_history SET recorded = tstzrange(lower(recorded), upper(recorded) + interval '1 microsecond') WHERE asset_id = 7$$), 'EDITED coverage_history asset 7 term 3', 'history prolonged by a microsecond');
SELECT is(pg_temp.told($$UPDATE fleet.coverage_history SET recorded = tstzrange(lower(recorded), upper(recorded), '[]') WHERE asset_id = 7$$), 'EDITED coverage_history asset 7 term 3', 'history with its last instant');
SELECT is(pg_temp.told($$UPDATE fleet.coverage_history SET is_inherited = true WHERE asset_id = 7$$), 'EXTRA coverage_history asset 7 term 3, MISSING coverage_history asset 7 term 3', 'history on other grounds');
SELECT is(pg_temp.told($$UPDATE fleet.coverage SET recorded_at = recorded_at - interval '1 microsecond' WHERE asset_id = 7$$), 'EDITED coverage asset 7 term 3', 'cover backdated');
SELECT is(pg_temp.told($$UPDATE fleet.coverage SET during = daterange('2026-01-01', upper(during)) WHERE asset_id = 7$$), 'EXTRA coverage asset 7 term 3, MISSING coverage asset 7 term 3', 'cover made longer');
SELECT is(pg_temp.told($$DELETE FROM fleet.coverage WHERE asset_id = 7$$), 'MISSING coverage asset 7 term 3', 'cover gone');
SELECT is(pg_temp.told($$INSERT INTO fleet.coverage (asset_id, term_id, during, is_stated, is_ruled, is_inherited, recorded_at) SELECT asset_id, term_id, during, is_stated, is_ruled, is_inherited, recorded_at FROM fleet.coverage WHERE asset_id = 7$$), 'EXTRA coverage asset 7 term 3', 'cover twice');
SELECT is(pg_temp.told($$UPDATE fleet.audit_log SET delta = NULL WHERE delta IS NOT NULL AND table_name = 'asset' AND row_id = 7$$), 'EXTRA coverage asset 7 term 3, EXTRA coverage asset 8 term 3, MISSING coverage asset 7 term 3, MISSING coverage asset 8 term 3, EXTRA coverage_history asset 7 term 3, EXTRA coverage_history asset 8 term 3', 'a delta dropped');
SELECT is(pg_temp.told($$DELETE FROM fleet.audit_log WHERE table_name = 'inclusion' AND row_id = 900007$$), 'LOST audit_log asset 7 term 3, LOST audit_log asset 8 term 3, EXTRA coverage_history asset 7 term 3, EXTRA coverage_history asset 8 term 3', 'an entry dropped whose cover was taken away since');
SELECT is(pg_temp.told($$UPDATE fleet.audit_log SET at = at + interval '1 hour' WHERE table_name = 'asset' AND row_id = 7$$), 'EDITED coverage asset 7 term 3, EDITED coverage asset 8 term 3, EDITED coverage_history asset 7 term 3, EDITED coverage_history asset 8 term 3', 'an entry moved in time');
SELECT matches(pg_temp.told($$UPDATE fleet.audit_log SET delta = substring(delta FOR 9) WHERE operation = 'COVER'$$), 'UNREADABLE audit_log', 'a delta cut off');

-- Who may ask.
SET ROLE delta_auditor;
SELECT is_empty('SELECT * FROM fleet.verify_history()', 'an auditor may');
SELECT isnt_empty('SELECT * FROM fleet.audit_delta', 'and may read deltas');
RESET ROLE;
SET ROLE delta_analyst;
SELECT throws_ok('SELECT * FROM fleet.verify_history()', '42501', NULL, 'others may not');
SELECT throws_ok($$SELECT * FROM cec.verify_history('fleet')$$, '42501', NULL, 'nor by the engine''s function');
SELECT throws_ok('SELECT * FROM fleet.audit_delta', '42501', NULL, 'nor read deltas');
RESET ROLE;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT throws_ok('SELECT * FROM fleet.verify_history()', '25001', NULL, 'not above READ COMMITTED');
ROLLBACK;

-- Many: an entry holds 65,536 rows, and those of its last asset.
INSERT INTO fleet.asset (asset_id, asset_tag, country) SELECT n, 'Q-' || n, 'DE' FROM generate_series(1001, 67000) AS n;
INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 3, n, '[2026-01-01,)' FROM generate_series(1001, 67000) AS n;
SELECT results_eq($$SELECT (SELECT count(*) FROM cec.decode_delta(delta)) FROM fleet.audit_log WHERE operation = 'COVER' ORDER BY audit_id DESC LIMIT 2$$, 'VALUES (464::bigint), (65536)', 'a long list: two entries');
UPDATE fleet.contract SET suspensions = '{[2026-06-01,2026-06-02)}' WHERE contract_id = 1;
SELECT results_eq($$SELECT table_name COLLATE "default", delta IS NULL FROM fleet.audit_log ORDER BY audit_id DESC LIMIT 4$$, $$VALUES ('coverage', false), ('coverage', false), ('coverage', false), ('coverage', false)$$, 'also of one row''s statement');
SELECT is_empty('SELECT * FROM fleet.verify_history()', 'and they come to the same');
SELECT * FROM finish();
