-- Every stated table carries all of the engine's triggers, and they fire always.
BEGIN;
SELECT plan(15);
SET LOCAL client_min_messages = warning;
CREATE ROLE regress_owner NOLOGIN;
SELECT lives_ok($$SELECT cec.create_portfolio('fleet', 'regress_owner')$$, 'a portfolio');

-- The stated tables, as the design lists them, with the erasures of the log, and how they go through the gate on INSERT, and on UPDATE and DELETE.
CREATE TEMP TABLE stated (name text, insert_mode text, change_mode text);
INSERT INTO stated VALUES
	('customer', 'data', 'data'), ('asset', 'data', 'data'), ('asset_identifier', 'data', 'data'), ('maintenance_event', 'data', 'data'),
	('service_request', 'data', 'data'), ('field_observation', 'data', 'data'), ('service_tier', 'data', 'definition'),
	('contract', 'data', 'definition'), ('coverage_term', 'data', 'definition'), ('inclusion', 'data', 'data'), ('bundle', 'data', 'definition'),
	('bundle_member', 'definition', 'definition'), ('coverage_rule', 'definition', 'definition'), ('regulation', 'definition', 'definition'),
	('amendment', 'data', 'data'), ('amendment_line', 'data', 'data'), ('finding_waiver', 'data', 'data'), ('setting', 'definition', 'definition'), ('audit_erasure', 'data', 'data');
CREATE TEMP VIEW pg_temp.attached AS
SELECT c.relname::text AS name, t.tgname::text AS trigger, t.tgfoid::regproc::text AS function, t.tgtype & 66 AS timing, t.tgtype & 1 AS is_row,
	t.tgtype & 4 > 0 AS on_insert, t.tgtype & 8 > 0 AS on_delete, t.tgtype & 16 > 0 AS on_update, t.tgtype & 32 > 0 AS on_truncate,
	convert_from(rtrim(t.tgargs, '\x00'), 'UTF8') AS argument, t.tgoldtable, t.tgnewtable, t.tgenabled, t.tgqual
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'fleet'::regnamespace AND NOT t.tgisinternal;

SELECT is_empty($$SELECT name FROM stated EXCEPT SELECT tablename FROM pg_tables WHERE schemaname = 'fleet'$$, 'all of them exist');
SELECT set_eq($$SELECT name FROM attached WHERE function = 'cec.record_change'$$, $$SELECT name FROM stated$$, 'they and no others are recorded');
SELECT set_eq($$SELECT name, on_insert, on_update, on_delete, argument, tgoldtable, tgnewtable FROM attached WHERE function = 'cec.record_change'$$,
	$$SELECT name, o.i, o.u, o.d, name AS argument, o.old_name, o.new_name FROM stated, (VALUES (true, false, false, NULL::name, 'new_rows'::name),
		(false, true, false, 'old_rows', 'new_rows'), (false, false, true, 'old_rows', NULL)) AS o(i, u, d, old_name, new_name)$$,
	'INSERT, UPDATE and DELETE are recorded with their transition rows');
SELECT set_eq($$SELECT name, on_insert, on_update AND on_delete AS on_change, argument FROM attached WHERE function = 'cec.enter_gate'$$,
	$$SELECT name, true AS i, false AS c, insert_mode FROM stated UNION ALL SELECT name, false, true, change_mode FROM stated$$, 'each way in leads through the gate, in its mode');
SELECT set_eq($$SELECT name FROM attached WHERE function = 'cec.refuse_truncate' AND on_truncate$$, $$SELECT name FROM stated$$, 'none can be truncated');
SELECT set_eq($$SELECT name FROM attached WHERE function = 'cec.refuse_typing' AND on_update AND on_delete AND on_truncate$$, $$VALUES ('coverage'), ('coverage_history'), ('rule_effect')$$, 'nobody types into what is derived');
SELECT set_eq($$SELECT name FROM attached WHERE function = 'cec.refuse_rewrite' AND on_update AND on_delete AND on_truncate$$, $$VALUES ('audit_log'), ('audit_schema'), ('audit_block'), ('audit_leaf'), ('audit_node'), ('audit_erasure'), ('refresh_run')$$, 'the log and its evidence are append-only');
SELECT is_empty($$SELECT name, trigger FROM attached WHERE tgenabled <> 'A'$$, 'all fire always');
SELECT is_empty($$SELECT name, trigger FROM attached WHERE is_row <> 0 AND function NOT IN ('cec.resolve_listed_as', 'cec.keep_listed_asset', 'cec.keep_setting', 'cec.require_days')$$, 'all but four are statement triggers');
SELECT set_eq($$SELECT name FROM attached WHERE function = 'cec.require_days' AND on_insert AND on_update$$, $$VALUES ('contract'), ('coverage_term'), ('regulation'), ('bundle_member'), ('inclusion'), ('coverage_rule')$$, 'days are asked for');
SELECT is_empty($$SELECT name, trigger FROM attached WHERE (timing = 2) <> (function <> 'cec.record_change')$$, 'what decides comes before, what records after');
SELECT is_empty($$SELECT name, trigger FROM attached WHERE tgqual IS NOT NULL AND function <> 'cec.require_days'$$, 'no condition lets a statement past');

-- Disabled, dropped or made ordinary: upgrade_portfolio puts it right.
ALTER TABLE fleet.asset DISABLE TRIGGER ALL;
ALTER TABLE fleet.inclusion ENABLE TRIGGER ALL;
ALTER TABLE fleet.audit_log DISABLE TRIGGER append_only;
DROP TRIGGER cec_update ON fleet.contract;
DO $$ BEGIN PERFORM cec.upgrade_portfolio('fleet'); END $$;
SELECT is_empty($$SELECT name, trigger FROM attached WHERE tgenabled <> 'A'$$, 'upgrade_portfolio arms again');
SELECT is((SELECT count(*) FROM attached), (SELECT 6 * count(*) + 19 FROM stated), 'and nothing is missing or twice');
SELECT * FROM finish();
ROLLBACK;
