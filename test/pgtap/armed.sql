-- Every stated table carries all of the engine's triggers, and they fire always.
BEGIN;
SELECT plan(49);
SET LOCAL client_min_messages = warning;
CREATE ROLE regress_owner NOLOGIN;
SELECT lives_ok($$SELECT cec.create_portfolio('fleet', 'regress_owner')$$, 'a portfolio');

-- The stated tables are those that a level of access may write; the erasures of the log, which people write by a function, are armed
-- like them. What connectors hand over states nothing. The others are written by the engine alone.
CREATE TEMP TABLE stated AS SELECT object AS name FROM cec._access_row WHERE write_by <> '{}' AND object <> 'asset_staging' UNION ALL VALUES ('audit_erasure');
CREATE TEMP TABLE kept AS SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'fleet' AND tablename <> 'gate' AND tablename NOT IN (SELECT object FROM cec._access_row WHERE write_by <> '{}');
CREATE TEMP VIEW pg_temp.attached AS
SELECT c.relname::text AS name, t.tgname::text AS trigger, t.tgfoid::regproc::text AS function, t.tgtype & 66 AS timing, t.tgtype & 1 AS is_row,
	t.tgtype & 4 > 0 AS on_insert, t.tgtype & 8 > 0 AS on_delete, t.tgtype & 16 > 0 AS on_update, t.tgtype & 32 > 0 AS on_truncate,
	convert_from(rtrim(t.tgargs, '\x00'), 'UTF8') AS argument, t.tgoldtable, t.tgnewtable, t.tgenabled, t.tgqual
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'fleet'::regnamespace AND NOT t.tgisinternal;

SELECT cmp_ok((SELECT count(*) FROM stated JOIN pg_tables ON schemaname = 'fleet' AND tablename = name), '>=', 19::bigint, 'there are stated tables to look at');
SELECT set_eq($$SELECT name FROM attached WHERE function = 'cec.record_change'$$, $$SELECT name FROM stated$$, 'they and no others are recorded');
SELECT set_eq($$SELECT name, on_insert, on_update, on_delete, argument, tgoldtable, tgnewtable FROM attached WHERE function = 'cec.record_change'$$,
	$$SELECT name, o.i, o.u, o.d, name AS argument, o.old_name, o.new_name FROM stated, (VALUES (true, false, false, NULL::name, 'new_rows'::name),
		(false, true, false, 'old_rows', 'new_rows'), (false, false, true, 'old_rows', NULL)) AS o(i, u, d, old_name, new_name)$$,
	'INSERT, UPDATE and DELETE are recorded with their transition rows');
SELECT set_eq($$SELECT name, on_insert, on_update AND on_delete AS on_change FROM attached WHERE function = 'cec.enter_gate'$$,
	$$SELECT name, way, NOT way FROM stated, (VALUES (true), (false)) AS w(way)$$, 'each way in leads through the gate');
-- Which mode it is shows in expected/surface.out.
SELECT is_empty($$SELECT name, string_agg(argument, ', ' ORDER BY on_insert DESC) FROM attached WHERE function = 'cec.enter_gate' GROUP BY name
	HAVING string_agg(argument, ', ' ORDER BY on_insert DESC) NOT IN ('data, data', 'data, definition', 'definition, definition')$$, 'as data or as a definition; what is added as a definition is changed as one');
SELECT set_eq($$SELECT name FROM attached WHERE function = 'cec.refuse_truncate' AND on_truncate$$, $$SELECT name FROM stated$$, 'none can be truncated');
SELECT is_empty($$SELECT name FROM attached WHERE function IN ('cec.refuse_typing', 'cec.refuse_rewrite') AND NOT (on_update AND on_delete AND on_truncate AND on_insert = (function = 'cec.refuse_typing'))$$, 'nobody types into what is derived, or rewrites what is recorded');
SELECT bag_eq($$SELECT name FROM attached WHERE function IN ('cec.refuse_typing', 'cec.refuse_rewrite')$$, $$SELECT name FROM kept WHERE name NOT IN ('finding', 'finding_bucket', 'outbox', 'metric_sample', 'map_step', 'map_sum', 'map_total', 'map_fold', 'map_place')$$, 'the log and its evidence are append-only, or derived, all but what the engine writes by SQL');
SELECT set_eq($$SELECT name, is_row <> 0 AS is_row, on_insert, on_update, on_delete, on_truncate FROM attached WHERE function = 'cec.keep_samples'$$,
	$$VALUES ('metric_sample', true, false, true, true, false), ('metric_sample', false, false, false, false, true)$$, 'samples of days that are over are kept');
SELECT is_empty($$SELECT name, trigger FROM attached WHERE tgenabled <> 'A'$$, 'all fire always');
SELECT is_empty($$SELECT name, trigger FROM attached WHERE is_row <> 0 AND function NOT IN ('cec.resolve_listed_as', 'cec.resolve_seen_tag', 'cec.keep_listed_asset', 'cec.keep_setting', 'cec.require_days', 'cec.keep_samples')$$, 'all but six are statement triggers');
SELECT set_eq($$SELECT name FROM attached WHERE function = 'cec.require_days' AND on_insert AND on_update$$, $$SELECT name FROM stated JOIN pg_attribute ON attrelid = format('fleet.%I', name)::regclass AND attname = 'during' AND attnotnull WHERE name <> 'asset_identifier'$$, 'days are asked for');
SELECT is_empty($$SELECT name, trigger FROM attached WHERE (timing = 2) <> (function <> 'cec.record_change')$$, 'what decides comes before, what records after');
SELECT is_empty($$SELECT name, trigger FROM attached WHERE tgqual IS NOT NULL AND function NOT IN ('cec.require_days', 'cec.resolve_listed_as')$$, 'no condition lets a statement past');

-- Disabled, dropped or made ordinary: upgrade_portfolio puts it right.
CREATE TEMP TABLE made AS SELECT name, trigger FROM attached;
ALTER TABLE fleet.asset DISABLE TRIGGER ALL;
ALTER TABLE fleet.inclusion ENABLE TRIGGER ALL;
ALTER TABLE fleet.audit_log DISABLE TRIGGER append_only;
DROP TRIGGER cec_update ON fleet.contract;
DO $$ BEGIN PERFORM cec.upgrade_portfolio('fleet'); END $$;
SELECT is_empty($$SELECT name, trigger FROM attached WHERE tgenabled <> 'A'$$, 'upgrade_portfolio arms again');
SELECT bag_eq('SELECT name, trigger FROM attached', 'SELECT name, trigger FROM made', 'and nothing is missing or twice');

-- A trigger of the same name that is another one, or fires at other times, for other columns, with other arguments or rows:
-- verify_audit tells, upgrade_portfolio makes it what it was.
CREATE TEMP TABLE definition AS SELECT tgrelid, tgname, pg_get_triggerdef(oid) AS text FROM pg_trigger t WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'fleet.%';
CREATE FUNCTION fleet.noop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION fleet.let_by() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION pg_temp.told() RETURNS text LANGUAGE sql AS
$$ SELECT coalesce(string_agg(concat_ws(' ', kind, table_name, substring(detail FROM 'The (?:trigger|constraint) (\w+)')), ', ' ORDER BY table_name, detail), 'nothing') FROM fleet.verify_audit() $$;
-- Made again with something of its definition replaced: what is told then, and what after upgrade_portfolio.
CREATE FUNCTION pg_temp.made_again(on_table text, name text, old text, new text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	definition text := (SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE t.tgrelid = format('fleet.%I', on_table)::regclass AND t.tgname = name);
	other text := regexp_replace(definition, old, new);
	result text;
BEGIN
	BEGIN
		IF other = definition THEN RAISE EXCEPTION 'nothing of % is replaced by %', definition, new; END IF;
		EXECUTE format('DROP TRIGGER %I ON fleet.%I', name, on_table);
		EXECUTE other;
		EXECUTE format('ALTER TABLE fleet.%I ENABLE ALWAYS TRIGGER %I', on_table, substring(other FROM 'TRIGGER (\w+)'));
		result := pg_temp.told() || '; then ';
		PERFORM cec.upgrade_portfolio('fleet');
		SELECT result || pg_temp.told() || coalesce(' but ' || string_agg(coalesce(d.text, 'extra ' || t.tgname), ', '), '') INTO result
		FROM definition d FULL JOIN (SELECT * FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'fleet.%') AS t ON t.tgrelid = d.tgrelid AND t.tgname = d.tgname
		WHERE pg_get_triggerdef(t.oid) IS DISTINCT FROM d.text OR t.tgenabled <> 'A';
		RAISE EXCEPTION USING ERRCODE = 'RB000';
	EXCEPTION WHEN SQLSTATE 'RB000' THEN
		RETURN result;
	END;
END $$;
SELECT is(pg_temp.told(), 'nothing', 'nothing is told of a portfolio as it was made');
SELECT is(pg_temp.made_again(t, name, old, new), format('TRIGGER_DISABLED %s %s; then nothing', t, name), format('%s of %s: %s', name, t, what))
FROM (VALUES
	('asset', 'cec_update', 'FOR EACH STATEMENT', '\& WHEN (false)', 'WHEN (false)'),
	('asset', 'cec_update', 'AFTER UPDATE(.*)OLD TABLE AS old_rows', 'AFTER INSERT\1', 'another event'),
	('asset', 'cec_update', 'record_change\(''asset''\)', 'record_change(''customer'')', 'another argument'),
	('asset', 'cec_update', 'record_change\(''asset''\)', 'record_change(''asset'', ''x'')', 'one argument more'),
	('asset', 'cec_update', 'cec\.record_change\(.*\)', 'fleet.noop()', 'another function'),
	('asset', 'cec_update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows', 'OLD TABLE AS new_rows NEW TABLE AS old_rows', 'transition tables exchanged'),
	('asset', 'cec_update', 'NEW TABLE AS new_rows', '', 'a transition table less'),
	('asset', 'cec_update', 'REFERENCING .* new_rows', '', 'no transition tables'),
	('asset', 'cec_update', 'AFTER UPDATE ON fleet\.asset REFERENCING .* new_rows', 'AFTER UPDATE OF asset_id ON fleet.asset', 'a column list'),
	('inclusion', 'cec_insert', 'FOR EACH STATEMENT', '\& WHEN (false)', 'WHEN (false)'),
	('inclusion', 'cec_gate_insert', '''data''', '''definition''', 'another mode'),
	('contract', 'cec_gate_change', '''definition''', '''data''', 'another mode'),
	('contract', 'cec_gate_change', 'DELETE OR ', '', 'an event less'),
	('contract', 'cec_delete', 'FOR EACH STATEMENT', '\& WHEN (pg_trigger_depth() > 9)', 'WHEN (…)'),
	('asset', 'cec_truncate', 'FOR EACH STATEMENT', '\& WHEN (false)', 'WHEN (false)'),
	('inclusion', 'resolve_listed_as_anew', 'WHEN \(.*\) EXECUTE', 'EXECUTE', 'without its WHEN'),
	('inclusion', 'resolve_listed_as_anew', 'asset_id IS NULL', 'asset_id = 0', 'another WHEN'),
	('asset', 'keep_listed', 'FOR EACH ROW', '\& WHEN (old.asset_id < 0)', 'WHEN (…)'),
	('asset', 'keep_listed', 'CREATE TRIGGER keep_listed BEFORE', 'CREATE CONSTRAINT TRIGGER keep_listed AFTER', 'a constraint trigger'),
	('setting', 'keep', 'cec\.keep_setting', 'fleet.let_by', 'another function'),
	('audit_log', 'append_only', 'FOR EACH STATEMENT', '\& WHEN (false)', 'WHEN (false)'),
	('audit_log', 'append_only', 'DELETE OR UPDATE OR TRUNCATE', 'TRUNCATE', 'one event alone'),
	('audit_log', 'append_only', 'UPDATE', 'UPDATE OF salt', 'a column list'),
	('audit_block', 'append_only', 'cec\.refuse_rewrite', 'fleet.let_by', 'another function'),
	('audit_erasure', 'append_only', 'FOR EACH STATEMENT', '\& WHEN (false)', 'WHEN (false)'),
	('refresh_run', 'append_only', 'FOR EACH STATEMENT', '\& WHEN (false)', 'WHEN (false)'),
	('coverage', 'derived', 'FOR EACH STATEMENT', '\& WHEN (false)', 'WHEN (false)'),
	('coverage_history', 'derived', 'DELETE OR ', '', 'an event less'),
	('rule_effect', 'derived', 'cec\.refuse_typing', 'cec.refuse_rewrite', 'another function')) AS v(t, name, old, new, what);
SELECT is(pg_temp.made_again('asset', 'cec_update', 'TRIGGER cec_update', 'TRIGGER zz_update'), 'TRIGGER_DISABLED asset cec_update, TRIGGER_DISABLED asset zz_update; then nothing', 'a trigger that was renamed');

-- What waits for the end of the transaction is passed by where the engine writes below SQL.
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON fleet.rule_effect DEFERRABLE FOR EACH ROW EXECUTE FUNCTION fleet.noop();
ALTER TABLE fleet.coverage ALTER CONSTRAINT coverage_asset_id_fkey DEFERRABLE;
ALTER TABLE fleet.audit_erasure ADD CONSTRAINT once UNIQUE (ground) DEFERRABLE;
ALTER TABLE fleet.inclusion ALTER CONSTRAINT inclusion_asset_id_fkey DEFERRABLE;
SELECT is(pg_temp.told(), 'TRIGGER_DISABLED audit_erasure once, TRIGGER_DISABLED coverage coverage_asset_id_fkey, TRIGGER_DISABLED rule_effect later', 'deferrable constraints of tables that the engine writes are told; those of stated tables are not');
SELECT * FROM finish();
ROLLBACK;
