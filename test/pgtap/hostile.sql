-- What somebody can do who means harm: shadowed operators and functions, a search_path of their own, the engine's trigger
-- functions on tables of their own, row-level security, rights on one table but not on the next.
BEGIN;
SELECT plan(42);
CREATE ROLE regress_owner NOLOGIN;
CREATE ROLE regress_victim NOLOGIN;
CREATE ROLE regress_attacker NOLOGIN;
DO $$ BEGIN
	PERFORM cec.create_portfolio('fleet', 'regress_owner');
	PERFORM cec.grant_access('fleet', 'regress_victim', 'admin');
	PERFORM cec.grant_access('fleet', 'regress_attacker', 'manager');
	EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO regress_attacker', current_database());
END $$;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '[2026-01-01,2027-01-01)'), ('C-2', 1, 'active', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2027-01-01)'), (2, '1', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.asset (asset_tag, commissioned_on, decommissioned_on) VALUES ('PUMP-1', NULL, NULL), ('SECRET-1', '2010-01-01', '2011-11-11'), ('PUMP-3', NULL, NULL);
GRANT SELECT ON fleet.audit_log TO regress_attacker;
CREATE TABLE public.caught (who name, what text);
GRANT INSERT, SELECT ON public.caught TO PUBLIC;

-- An attacker's operators and functions stand first in the path; each notes who it ran as.
SET LOCAL ROLE regress_attacker;
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE FUNCTION evil.note(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.caught VALUES (current_user, what); RETURN false; END $$;
CREATE FUNCTION evil.eq(a bigint, b bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT evil.note('= bigint') $$;
CREATE FUNCTION evil.eq(a text, b text) RETURNS boolean LANGUAGE sql AS $$ SELECT evil.note('= text') $$;
CREATE FUNCTION evil.overlaps(a daterange, b daterange) RETURNS boolean LANGUAGE sql AS $$ SELECT evil.note('&& daterange') $$;
CREATE FUNCTION evil.meet(a daterange, b daterange) RETURNS daterange LANGUAGE sql AS $$ SELECT CASE WHEN evil.note('* daterange') THEN a ELSE a END $$;
CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.eq);
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq);
CREATE OPERATOR evil.&& (LEFTARG = daterange, RIGHTARG = daterange, FUNCTION = evil.overlaps);
CREATE OPERATOR evil.* (LEFTARG = daterange, RIGHTARG = daterange, FUNCTION = evil.meet);
CREATE FUNCTION evil.lower(a daterange) RETURNS date LANGUAGE sql AS $$ SELECT CASE WHEN evil.note('lower') THEN NULL::date END $$;
CREATE FUNCTION evil.isempty(a daterange) RETURNS boolean LANGUAGE sql AS $$ SELECT evil.note('isempty') $$;
CREATE FUNCTION evil.isfinite(a date) RETURNS boolean LANGUAGE sql AS $$ SELECT evil.note('isfinite') OR true $$;
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT CASE WHEN evil.note('now') THEN timestamptz '2000-01-01' END $$;
CREATE TEMP TABLE asset (asset_id bigint, asset_tag text, serial_number text);
INSERT INTO pg_temp.asset VALUES (2, 'PUMP-1', 'PUMP-1');
CREATE TEMP TABLE setting (version text, time_zone text, duplicates_allowed boolean);
INSERT INTO pg_temp.setting VALUES ('9.9', 'UTC', true);
-- Runs a statement under the attacker's path; the path of the tests themselves stays.
CREATE FUNCTION evil.try(statement text) RETURNS text LANGUAGE plpgsql SET search_path = evil, pg_temp, pg_catalog, public AS $$
BEGIN
	EXECUTE statement;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;

SELECT is(evil.try($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-1', '[2026-01-01,2026-07-01)')$$), 'accepted', 'a line is listed under a hostile path');
SELECT is(evil.try($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-1', '[2026-06-30,2026-08-01)')$$), '23P01', 'an overlap is seen under a hostile path');
SELECT is(evil.try($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (2, 'PUMP-1', '[2026-06-30,2026-08-01)')$$), '23505', 'a duplicate is seen under a hostile path');
SELECT is(evil.try($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'SECRET-1', '[2026-06-30,2026-08-01)')$$), '23514', 'a retired asset is seen under a hostile path');
SELECT is(evil.try($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-1', 'empty')$$), '23514', 'a constraint is not shadowed');
SELECT is(evil.try($$UPDATE fleet.inclusion SET note = 'x'$$), 'accepted', 'a line is changed under a hostile path');
SELECT is(evil.try($$SELECT fleet.include_asset(1, 'PUMP-3', '2026-01-01', '2026-01-31')$$), 'accepted', 'include_asset under a hostile path');
SELECT is(evil.try($$SELECT fleet.remove_asset(1, 'PUMP-3', '2026-01-15')$$), 'accepted', 'remove_asset under a hostile path');
SELECT is(evil.try($$SELECT count(*) FROM fleet.find_asset('PUMP-1')$$), 'accepted', 'find_asset under a hostile path');
-- The victim has taken over the attacker's path; the engine must not.
RESET ROLE;
SET LOCAL ROLE regress_victim;
SELECT is(evil.try($$UPDATE fleet.coverage_term SET during = '[2026-01-02,2027-01-01)' WHERE pg_catalog.int8eq(term_id, 2)$$), 'accepted', 'a term is moved under a hostile path');
SELECT is(evil.try($$DELETE FROM fleet.asset WHERE pg_catalog.int8eq(asset_id, 1)$$), '23503', 'a listed asset stays under a hostile path');
SELECT is(evil.try($$SELECT count(*) FROM fleet.asset_history('PUMP-1')$$), 'accepted', 'asset_history under a hostile path');
RESET ROLE;
SELECT is_empty($$SELECT DISTINCT who, what FROM public.caught WHERE who <> 'regress_attacker' AND who <> 'regress_victim'$$, 'nothing of the attacker''s ran as somebody else''s owner');
SELECT is((SELECT string_agg(format('%s %s', asset_id, during), ', ' ORDER BY inclusion_id) FROM fleet.inclusion),
	'1 [2026-01-01,2026-07-01), 3 [2026-01-01,2026-01-16)', 'the results are what they are without it');
SELECT is((SELECT count(*) FROM fleet.audit_log WHERE table_name = 'inclusion'), (SELECT 4::bigint), 'and all is on record');

-- The engine's trigger functions on an attacker's own tables, whose columns are not what they should be.
SET LOCAL ROLE regress_attacker;
CREATE SCHEMA trap;
CREATE TABLE trap.alone (x bigint PRIMARY KEY);
CREATE TRIGGER a AFTER INSERT ON trap.alone REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('asset');
SELECT throws_ok($$INSERT INTO trap.alone VALUES (1)$$, '55000', NULL, 'record_change in a schema that is no portfolio');
CREATE TABLE trap.no_gate (x bigint PRIMARY KEY);
CREATE TRIGGER g BEFORE INSERT ON trap.no_gate FOR EACH STATEMENT EXECUTE FUNCTION cec.enter_gate('data');
SELECT throws_ok($$INSERT INTO trap.no_gate VALUES (1)$$, '55000', NULL, 'enter_gate in a schema that is no portfolio');
CREATE TABLE trap.bare (x bigint);
CREATE TRIGGER a AFTER INSERT ON trap.bare FOR EACH ROW EXECUTE FUNCTION cec.record_change('asset');
CREATE TRIGGER t AFTER INSERT ON trap.bare FOR EACH ROW EXECUTE FUNCTION cec.enter_gate('data');
SELECT throws_ok($$INSERT INTO trap.bare VALUES (1)$$, '39P01', NULL, 'record_change as a row trigger');
SELECT throws_ok($$SELECT cec.record_change()$$, '39P01', NULL, 'trigger functions are not called by hand');
CREATE TABLE trap.gate (gate_id bigint);
-- a log whose columns have the right names and wrong types
CREATE TABLE trap.audit_log (audit_id bigint GENERATED BY DEFAULT AS IDENTITY, xid text, system_id text, at text, actor int, session_user_name int,
	application_name int, client_addr text, reason int, table_name int, operation int, row_id text, asset_id text, term_id text, contract_id text, salt int, row_image int, delta int);
CREATE TABLE trap.audit_schema (schema_hash bytea PRIMARY KEY, table_name text, column_names text[], column_types text[], column_codes text[]);
SELECT throws_ok($$INSERT INTO trap.alone VALUES (1)$$, '55000', NULL, 'a log with columns of other types');
DROP TABLE trap.audit_log;
CREATE VIEW trap.audit_log AS SELECT 1::bigint AS audit_id, '1'::xid8 AS xid, 1::bigint AS system_id, now() AS at, ''::text AS actor, ''::text AS session_user_name,
	''::text AS application_name, '::1'::inet AS client_addr, ''::text AS reason, ''::text AS table_name, ''::text AS operation, 1::bigint AS row_id, 1::bigint AS asset_id,
	1::bigint AS term_id, 1::bigint AS contract_id, ''::bytea AS salt, ''::bytea AS row_image, ''::bytea AS delta;
SELECT throws_ok($$INSERT INTO trap.alone VALUES (1)$$, '55000', NULL, 'a log that is a view');
DROP VIEW trap.audit_log;
CREATE TABLE trap.audit_log (audit_id bigint, xid xid8, system_id bigint, at timestamptz, actor text, session_user_name text, application_name text, client_addr inet,
	reason text, table_name text, operation text, row_id bigint, asset_id bigint, term_id bigint, contract_id bigint, salt bytea, row_image bytea);
SELECT throws_ok($$INSERT INTO trap.alone VALUES (1)$$, '55000', NULL, 'a log without its sequence');
DROP TABLE trap.audit_log;
CREATE TABLE trap.audit_log (LIKE fleet.audit_log INCLUDING ALL);
SELECT throws_ok($$INSERT INTO trap.alone VALUES (1)$$, '55000', NULL, 'a log of one''s own, but a table that is not its portfolio''s');
CREATE TABLE trap.asset (asset_id bigint PRIMARY KEY, commissioned_on text, decommissioned_on text, asset_tag text, serial_number text);
CREATE TABLE trap.asset_identifier (asset_id bigint, value text, during daterange);
CREATE TABLE trap.contract (contract_id bigint, during daterange);
CREATE TABLE trap.coverage_term (term_id bigint, contract_id bigint, during daterange);
INSERT INTO trap.contract VALUES (1, '(,)');
INSERT INTO trap.coverage_term VALUES (1, 1, '(,)');
INSERT INTO trap.asset VALUES (1, 'never', 'never', 'T', 'T');
CREATE TABLE trap.missing (inclusion_id bigint PRIMARY KEY);
CREATE TRIGGER a AFTER INSERT ON trap.missing REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('inclusion');
SELECT throws_ok($$INSERT INTO trap.missing VALUES (1)$$, '55000', NULL, 'a list without its columns');
CREATE TABLE trap.other_types (inclusion_id bigint PRIMARY KEY, asset_id bigint, term_id bigint, effect int, during bigint, listed_as int);
CREATE TRIGGER a AFTER INSERT ON trap.other_types REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('inclusion');
SELECT throws_ok($$INSERT INTO trap.other_types VALUES (1, 1, 1, 1, 1, 1)$$, '55000', NULL, 'a list with columns of other types');
CREATE TABLE trap.nulls (inclusion_id bigint PRIMARY KEY, asset_id bigint, term_id bigint, effect text, during daterange, listed_as text);
CREATE INDEX ON trap.nulls (asset_id);
CREATE TRIGGER a AFTER INSERT ON trap.nulls REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('inclusion');
SELECT throws_ok($$INSERT INTO trap.nulls VALUES (1, 1, 1, NULL, NULL, NULL)$$, '55000', NULL, 'a list with columns that are NULL');
SELECT throws_ok($$INSERT INTO trap.nulls VALUES (1, 1, 1, 'include', '(,)', NULL)$$, '55000', NULL, 'a register with columns of other types');
CREATE TABLE trap.resolved (inclusion_id bigint PRIMARY KEY, asset_id text, term_id bigint, during bigint, listed_as bigint);
CREATE TRIGGER r BEFORE INSERT ON trap.resolved FOR EACH ROW EXECUTE FUNCTION cec.resolve_listed_as();
SELECT throws_ok($$INSERT INTO trap.resolved VALUES (1, NULL, 1, 1, 1)$$, '55000', NULL, 'resolve_listed_as on columns of other types');
CREATE TABLE trap.seen (observation_id bigint PRIMARY KEY, asset_id bigint, seen_tag bigint, observed_at bigint);
CREATE TRIGGER s BEFORE INSERT ON trap.seen FOR EACH ROW EXECUTE FUNCTION cec.resolve_seen_tag();
SELECT throws_ok($$INSERT INTO trap.seen VALUES (1, NULL, 1, 1)$$, '55000', NULL, 'resolve_seen_tag on columns of other types');
CREATE TABLE trap.kept (asset_id text);
CREATE TRIGGER k BEFORE DELETE ON trap.kept FOR EACH ROW EXECUTE FUNCTION cec.keep_listed_asset();
INSERT INTO trap.kept VALUES ('a');
SELECT throws_ok($$DELETE FROM trap.kept$$, '55000', NULL, 'keep_listed_asset on a column of another type');
CREATE TABLE trap.terms (term_id text, contract_id text, during text, id bigint PRIMARY KEY);
CREATE TRIGGER a AFTER INSERT ON trap.terms REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('coverage_term');
SELECT throws_ok($$INSERT INTO trap.terms VALUES ('a', 'b', 'c', 1)$$, '55000', NULL, 'terms with columns of other types');
RESET ROLE;
-- Tables and views that pass themselves off as a portfolio's settings: who lists portfolios runs nothing of theirs.
SET LOCAL ROLE regress_attacker;
CREATE FUNCTION trap.note(what text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.caught VALUES (current_user, what); RETURN what; END $$;
CREATE VIEW trap.setting AS SELECT trap.note('view') AS version;
CREATE TRIGGER a AFTER INSERT ON trap.setting FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('setting');
CREATE SCHEMA trap2;
CREATE TABLE trap2.setting (version text);
INSERT INTO trap2.setting VALUES ('1');
CREATE TRIGGER a AFTER INSERT ON trap2.setting FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('setting');
ALTER TABLE trap2.setting ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON trap2.setting USING (trap.note('policy') IS NOT NULL);
CREATE SCHEMA trap3;
CREATE TYPE trap3.number AS (n integer);
CREATE TABLE trap3.setting (version trap3.number);
INSERT INTO trap3.setting VALUES (ROW(1));
CREATE FUNCTION trap3.say(n trap3.number) RETURNS text LANGUAGE sql AS $$ SELECT trap.note('cast') $$;
CREATE CAST (trap3.number AS text) WITH FUNCTION trap3.say AS ASSIGNMENT;
CREATE TRIGGER a AFTER INSERT ON trap3.setting FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('setting');
GRANT USAGE ON SCHEMA trap, trap2, trap3 TO PUBLIC;
GRANT SELECT ON trap.setting, trap2.setting, trap3.setting TO PUBLIC;
RESET ROLE;
SELECT lives_ok($$SELECT * FROM cec.portfolio WHERE version <> '' OR version IS NULL$$, 'a superuser lists portfolios');
SET LOCAL ROLE regress_victim;
DO $$ BEGIN PERFORM * FROM cec.portfolio WHERE version <> '' OR version IS NULL; END $$;
RESET ROLE;
SELECT is_empty($$SELECT who, what FROM public.caught WHERE what IN ('view', 'policy', 'cast')$$, 'and ran nothing of the attacker''s, nor did anybody else');
-- Somebody else's rows in an attacker's table are recorded in the attacker's log, as the attacker.
GRANT USAGE ON SCHEMA trap TO PUBLIC;
GRANT INSERT ON trap.alone TO PUBLIC;
SELECT results_eq($$SELECT relowner::regrole::text FROM pg_class WHERE oid = 'fleet.audit_log'::regclass$$, ARRAY['regress_owner'], 'the portfolio''s log is still its owner''s');
-- A table given to somebody else no longer writes a log that is not theirs.
ALTER TABLE fleet.regulation OWNER TO regress_attacker;
SELECT throws_ok($$INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'x', 'true', '(,)')$$, '55000', NULL, 'a table of another owner than its schema');
ALTER TABLE fleet.regulation OWNER TO regress_owner;

-- Row-level security: forced on everybody, it hides nothing from the engine; and the engine tells nobody what it hides.
ALTER TABLE fleet.asset ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.asset FORCE ROW LEVEL SECURITY;
ALTER TABLE fleet.inclusion ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.inclusion FORCE ROW LEVEL SECURITY;
ALTER TABLE fleet.contract ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.contract FORCE ROW LEVEL SECURITY;
CREATE POLICY visible ON fleet.asset FOR SELECT TO regress_attacker USING (asset_tag <> 'SECRET-1');
CREATE POLICY listing ON fleet.inclusion FOR ALL TO regress_attacker USING (note = 'mine') WITH CHECK (true);
CREATE FUNCTION public.told(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text; facts text; advice text; code text;
BEGIN
	EXECUTE statement;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, facts = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', code, said, facts, advice);
END $$;
CREATE TEMP TABLE told (what text, text text);
GRANT ALL ON told TO PUBLIC;
SET LOCAL ROLE regress_attacker;
INSERT INTO told VALUES
	('overlap', told($$INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 1, '[2026-06-30,2026-08-01)')$$)),
	('elsewhere', told($$INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (2, 1, '[2026-06-30,2026-08-01)')$$)),
	('retired', told($$INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 2, '[2026-06-30,2026-08-01)')$$)),
	('retired tag', told($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'SECRET-1', '[2026-06-30,2026-08-01)')$$)),
	('mistyped', told($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'SECRET-2', '[2026-06-30,2026-08-01)')$$)),
	('outside', told($$INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (1, 2, '[2036-06-30,2036-08-01)')$$));
RESET ROLE;
GRANT INSERT ON fleet.coverage_term TO regress_attacker;
GRANT DELETE ON fleet.asset TO regress_attacker;
CREATE POLICY deleting ON fleet.asset FOR DELETE TO regress_attacker USING (true);
SET LOCAL ROLE regress_attacker;
INSERT INTO told VALUES
	('term', told($$INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '9', '[2036-06-30,2036-08-01)')$$)),
	('deleted', told($$DELETE FROM fleet.asset WHERE asset_id = 1$$)),
	('deleted unseen', told($$DELETE FROM fleet.asset$$));
RESET ROLE;
SELECT results_eq($$SELECT what, left(text, 5) FROM told ORDER BY what$$, $$VALUES ('deleted', '23503'), ('deleted unseen', '23503'), ('elsewhere', '23505'),
	('mistyped', '23503'), ('outside', '23514'), ('overlap', '23P01'), ('retired', '23514'), ('retired tag', '23514'), ('term', '23514')$$, 'what row-level security hides still counts');
SELECT is_empty($$SELECT what, text FROM told WHERE text ~ '2011-11-11|2026-07-01|2027-01-01|C-1|C-2'$$, 'no days and no contract of rows that are hidden');
SELECT is_empty($$SELECT what, text FROM told WHERE text ~ 'SECRET-1' AND what <> 'retired tag'$$, 'no tag that the caller did not type');
ALTER TABLE fleet.audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.audit_log FORCE ROW LEVEL SECURITY;
SET LOCAL ROLE regress_victim;
SELECT lives_ok($$INSERT INTO fleet.customer (name) VALUES ('under row-level security')$$, 'the log is written under row-level security');
RESET ROLE;
SELECT is((SELECT count(*) FROM fleet.audit_entry WHERE new_row ->> 'name' = 'under row-level security'), 1::bigint, 'and holds the row');
-- A policy's function would run as whoever asks: refused, unless it runs as its owner anyway.
RESET ROLE;
DO $$ BEGIN PERFORM cec.grant_access('fleet', 'regress_victim', 'analyst'); END $$;
SET LOCAL ROLE regress_owner;
CREATE FUNCTION fleet.shown(bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN true; END $$;
GRANT EXECUTE ON FUNCTION fleet.shown(bigint) TO PUBLIC;
ALTER TABLE fleet.coverage ENABLE ROW LEVEL SECURITY;
CREATE POLICY shown ON fleet.coverage USING (fleet.shown(asset_id));
SET LOCAL ROLE regress_victim;
SELECT throws_ok($$SELECT * FROM fleet.covered('PUMP-3')$$, '55000', NULL, 'somebody else''s function in a policy');
SET LOCAL ROLE regress_owner;
ALTER FUNCTION fleet.shown(bigint) SECURITY DEFINER;
SET LOCAL ROLE regress_victim;
SELECT throws_ok($$SELECT * FROM fleet.covered('PUMP-3')$$, '23503', NULL, 'the same as SECURITY DEFINER: policies decide, which show no asset');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
