-- Whoever owns a portfolio may hang code on its tables at any time, also while a statement runs: none of it runs as the
-- superuser who calls the engine.  Each way here had him run it when code was only looked at beforehand.  Indexes, which a
-- session computes once, are in test/isolation/specs/planted-index.spec.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(17);
CREATE ROLE guard_owner NOLOGIN;
CREATE ROLE guard_victim NOLOGIN;
SELECT cec.create_portfolio('fleet', 'guard_owner') \g /dev/null
SELECT cec.grant_access('fleet', 'guard_victim', 'manager') \g /dev/null
CREATE TABLE public.canary (who name, what text);
GRANT INSERT, SELECT ON public.canary TO PUBLIC;
CREATE SCHEMA planted AUTHORIZATION guard_owner;
GRANT USAGE ON SCHEMA planted TO PUBLIC;
INSERT INTO fleet.asset (asset_tag) VALUES ('A1'), ('A2');
INSERT INTO fleet.customer (customer_id, name) VALUES (1, 'Acme');
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (1, 'C1', 1, 'active', '[2026-01-01,2028-01-01)');
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (1, 1, '1', '[2026-01-01,2027-01-01)');
SELECT current_user AS caller \gset

SET LOCAL ROLE guard_owner;
CREATE FUNCTION planted.note(what text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.canary VALUES (current_user, what); RETURN 0; END $$;
CREATE FUNCTION planted.folded(what text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN planted.note(what); END $$;
CREATE FUNCTION planted.holds(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN planted.note('domain') = 0; END $$;
CREATE DOMAIN planted.checked AS int CHECK (planted.holds(VALUE));
CREATE DOMAIN planted.setting_one AS int CHECK (set_config('cec.reason', 'planted', false) IS NOT NULL); -- the server's own function
CREATE VIEW planted.noting AS SELECT planted.note('table_to_xml');
CREATE FUNCTION planted.harmless() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION planted.later() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM planted.note('swapped trigger'); RETURN NULL; END $$;
CREATE FUNCTION planted.earlier() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN ALTER FUNCTION planted.later() SECURITY INVOKER; RETURN NULL; END $$;
GRANT SELECT ON planted.noting TO PUBLIC;
RESET ROLE;
TRUNCATE public.canary;

-- Does as the owner what plants something, asks as the caller, takes it back.
CREATE FUNCTION pg_temp.try(plant text, asker name, ask text, code text, about text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	BEGIN
		SET LOCAL ROLE guard_owner;
		EXECUTE plant;
		PERFORM set_config('role', asker, true);
		said := throws_ok(ask, code, NULL, about);
		RESET ROLE;
		IF EXISTS (SELECT FROM public.canary WHERE who = asker) THEN
			said := ok(false, about || ': ran with the rights of ' || asker);
		END IF;
		RAISE EXCEPTION USING ERRCODE = 'CEC00';
	EXCEPTION WHEN SQLSTATE 'CEC00' THEN NULL;
	END;
	RETURN said;
END;
$$;
\set list 'SELECT fleet.include_asset(1, ''A2'')'
SELECT pg_temp.try($$DROP INDEX fleet.asset_asset_tag_key_idx; CREATE INDEX ON fleet.asset (cec.identifier_key(asset_tag) text_pattern_ops) WHERE planted.folded('predicate') = 0;
	CREATE INDEX ON fleet.asset (cec.identifier_key(asset_tag) text_pattern_ops)$$,
	:'caller', $$SELECT * FROM fleet.check_inclusions(1, '[{"identifier": "A-2"}, {"identifier": "A1", "first_day": "2030-01-01", "last_day": "2030-01-31"}]')$$, '55000', 'the predicate of an index that the engine looks for');
SELECT pg_temp.try($$CREATE STATISTICS fleet.s ON (planted.folded('statistics') + asset_id), term_id FROM fleet.coverage$$, :'caller', $$SELECT * FROM fleet.explain_coverage('A1', '2026-03-01')$$, '55000', 'statistics');
SELECT pg_temp.try($$ALTER TABLE fleet.inclusion ADD CONSTRAINT e CHECK (planted.folded('constraint') = 0)$$, :'caller', :'list', '55000', 'a constraint');
SELECT pg_temp.try($$ALTER TABLE fleet.inclusion ADD CONSTRAINT e CHECK (('{' || term_id::text || '}')::planted.checked[] IS NOT NULL)$$, :'caller', :'list', '55000', 'a domain, by the input of an array');
SELECT pg_temp.try($$ALTER TABLE fleet.inclusion ADD CONSTRAINT e CHECK (table_to_xml('planted.noting'::regclass, true, true, '') IS NOT NULL)$$, :'caller', :'list', '55000', 'a function of the server that runs a view');
SELECT pg_temp.try($$CREATE TRIGGER e AFTER INSERT ON fleet.inclusion FOR EACH ROW WHEN (cec._execute_as(10, 'pg_catalog', 'SELECT planted.note(''as'')') IS NULL) EXECUTE FUNCTION planted.harmless()$$,
	:'caller', :'list', '55000', 'a function of the engine in the condition of a trigger');
SELECT pg_temp.try($$CREATE TRIGGER e1 AFTER INSERT ON fleet.inclusion FOR EACH ROW EXECUTE FUNCTION planted.earlier();
	CREATE TRIGGER e2 AFTER INSERT ON fleet.inclusion FOR EACH ROW EXECUTE FUNCTION planted.later()$$, :'caller', :'list', '55000', 'a trigger that makes the next one run as the caller');
SELECT pg_temp.try('ALTER TABLE fleet.asset ENABLE ROW LEVEL SECURITY; CREATE POLICY e ON fleet.asset USING (' || policy || ')', 'guard_victim',
	$$SELECT * FROM fleet.find_asset('A1')$$, '55000', 'a policy: ' || policy)
FROM unnest(ARRAY[$$('{' || asset_id::text || '}')::planted.checked[] IS NOT NULL$$, $$table_to_xml('planted.noting'::regclass, true, true, '') IS NOT NULL$$,
	$$cec._execute_as((SELECT oid FROM pg_roles WHERE rolname = current_user), 'pg_catalog', 'SELECT planted.note(''as'')') IS NULL$$,
	$$set_config('search_path', 'planted', false) IS NOT NULL$$,
	$$EXISTS (SELECT FROM json_to_record('{"a": 1}') AS r(a planted.setting_one))$$,
	$$EXISTS (SELECT FROM XMLTABLE('/a' PASSING '<a>1</a>' COLUMNS x planted.setting_one PATH '.') AS x)$$]) AS policy;
-- What the engine records is written as it records it.
SELECT pg_temp.try(format('CREATE TRIGGER e BEFORE INSERT ON fleet.%I FOR EACH ROW EXECUTE FUNCTION planted.harmless()', t), :'caller', ask, '55000', 'a trigger that swallows rows of ' || t)
FROM (VALUES ('refresh_run', 'SELECT * FROM fleet.refresh()'), ('audit_log', 'UPDATE fleet.asset SET model = ''x''')) AS v(t, ask);
-- Not in vain: the engine goes on, and what is the owner's runs where the owner asks.
SELECT lives_ok(:'list', 'a line is listed');
SELECT is((SELECT count(*) FROM public.canary), 0::bigint, 'nothing was noted');
SELECT * FROM finish();
ROLLBACK;
