-- What definitions are bound to: functions and operators that others planted where extensions are beat pg_catalog's
-- polymorphic ones and PostGIS's that need a cast. No portfolio and no engine is made of them, and none of
-- them runs: what has run would stand behind the refusal.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;
CREATE ROLE regress_owner NOLOGIN;
CREATE ROLE regress_planter NOLOGIN;
CREATE ROLE regress_app NOLOGIN;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_app', current_database()); END $$;
CREATE TABLE public.caught (who name, what text);
GRANT INSERT ON public.caught TO PUBLIC;
GRANT CREATE ON SCHEMA public TO PUBLIC;

-- Each of these is what one of a portfolio's definitions would be bound to, with the definition that a refusal names.
CREATE TEMP TABLE plant (what text, planted text, bound text);
INSERT INTO plant VALUES
	('a function like one of pg_catalog', $$CREATE FUNCTION public.lower(daterange) RETURNS date LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN INSERT INTO public.caught VALUES (current_user, 'lower'); RETURN NULL; END $f$ $$,
		'% is bound to function public.lower(daterange), which belongs to role regress_planter'),
	('an operator', $$CREATE FUNCTION public.planted(daterange, date) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN INSERT INTO public.caught VALUES (current_user, '@>'); RETURN true; END $f$;
		CREATE OPERATOR public.@> (LEFTARG = daterange, RIGHTARG = date, FUNCTION = public.planted)$$,
		'% on view % is bound to operator public.@>(daterange,date), which belongs to role regress_planter');
-- The same for the engine, which calls PostGIS.
CREATE TEMP TABLE plant_near_postgis AS SELECT $$CREATE FUNCTION public.st_xmin(geometry) RETURNS double precision LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN INSERT INTO public.caught VALUES (current_user, 'st_xmin'); RETURN 0; END $f$ $$ AS planted;
CREATE FUNCTION pg_temp.said(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text;
BEGIN
	EXECUTE statement;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
	RETURN SQLSTATE || ': ' || message;
END $$;
-- What a statement says while something is planted.
CREATE FUNCTION pg_temp.said_over(planted text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text;
BEGIN
	BEGIN
		SET LOCAL ROLE regress_planter;
		EXECUTE planted;
		RESET ROLE;
		said := pg_temp.said(statement) || (SELECT coalesce(string_agg(format('; %s ran as %s', what, who), ''), '') FROM public.caught);
		RAISE EXCEPTION USING ERRCODE = 'RB000';
	EXCEPTION WHEN SQLSTATE 'RB000' THEN NULL;
	END;
	RETURN said;
END $$;
SELECT alike(pg_temp.said_over(planted, $$SELECT cec.create_portfolio('fleet')$$), '55000: ' || bound, what || ' is not bound') FROM plant;
SELECT alike(pg_temp.said_over(planted, $$SELECT cec.create_portfolio('fleet', 'regress_owner')$$), '55000: ' || bound, what || ' is not bound for another owner') FROM plant;
SELECT is_empty($$SELECT FROM pg_namespace WHERE nspname = 'fleet'$$, 'nothing is left of them');

-- The owner of an extension makes what it likes a member of it.
SELECT alike(pg_temp.said_over(planted || '; RESET ROLE; ALTER EXTENSION postgis ADD FUNCTION public.lower(daterange)',
	$$SELECT cec.create_portfolio('fleet')$$), '55000: ' || bound, 'a member of an extension counts where a superuser owns it') FROM plant WHERE planted ~ 'lower';

-- The usual set-up: whoever owns the database owns public, where PostGIS is, and nothing is planted there.
ALTER SCHEMA public OWNER TO regress_app;
SET LOCAL ROLE regress_app;
SELECT lives_ok($$SELECT cec.create_portfolio('fleet')$$, 'the owner of public makes a portfolio');
SELECT lives_ok($$SELECT cec.upgrade_portfolio('fleet')$$, 'and upgrades it');
RESET ROLE;
-- The owner of public plants there as anybody else.
SELECT alike(pg_temp.said_over(replace(planted, 'regress_planter', 'regress_app') || '; RESET ROLE; ALTER FUNCTION public.lower(daterange) OWNER TO regress_app',
	$$SELECT cec.create_portfolio('tanks', 'regress_app')$$), '55000: % is bound to function public.lower(daterange), which belongs to role regress_app', 'the owner of public is not believed either') FROM plant WHERE planted ~ 'lower';

-- What restored definitions were bound to is looked at by upgrade_portfolio.
CREATE FUNCTION pg_temp.upgraded_after(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text := 'nothing';
BEGIN
	BEGIN
		SET LOCAL ROLE regress_planter;
		CREATE FUNCTION public.isempty(daterange) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
		CREATE FUNCTION public.planted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
		RESET ROLE;
		EXECUTE statement;
		said := pg_temp.said($s$SELECT cec.upgrade_portfolio('fleet')$s$);
		RAISE EXCEPTION USING ERRCODE = 'RB000';
	EXCEPTION WHEN SQLSTATE 'RB000' THEN NULL;
	END;
	RETURN said;
END $$;
SELECT is(pg_temp.upgraded_after('SELECT 1'), 'accepted', 'upgrade_portfolio does not mind what is bound by nobody');
SELECT is(pg_temp.upgraded_after('ALTER TABLE fleet.inclusion DROP CONSTRAINT inclusion_days_not_empty, ADD CONSTRAINT inclusion_days_not_empty CHECK (NOT public.isempty(during))'),
	'55000: constraint inclusion_days_not_empty on table fleet.inclusion is bound to function public.isempty(daterange), which belongs to role regress_planter', 'it refuses a constraint');
SELECT is(pg_temp.upgraded_after('CREATE OR REPLACE VIEW fleet.coverage_now WITH (security_invoker = true) AS SELECT * FROM fleet.coverage_by_asset WHERE is_current AND NOT public.isempty(NULL)'),
	'55000: rule _RETURN on view fleet.coverage_now is bound to function public.isempty(daterange), which belongs to role regress_planter', 'a view');
SELECT is(pg_temp.upgraded_after('ALTER TABLE fleet.setting ALTER four_eyes SET DEFAULT public.isempty(NULL::daterange)'),
	'55000: default value for column four_eyes of table fleet.setting is bound to function public.isempty(daterange), which belongs to role regress_planter', 'a default');
SELECT is(pg_temp.upgraded_after('CREATE OR REPLACE TRIGGER cec_insert AFTER INSERT ON fleet.asset FOR EACH STATEMENT EXECUTE FUNCTION public.planted()'),
	'55000: trigger cec_insert on table fleet.asset is bound to function public.planted(), which belongs to role regress_planter', 'a trigger');
SELECT is(pg_temp.upgraded_after($s$CREATE OR REPLACE FUNCTION fleet.my_term(x text) RETURNS boolean LANGUAGE sql BEGIN ATOMIC SELECT public.isempty(NULL); END;
	CREATE OR REPLACE FUNCTION fleet.recompute_coverage() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT public.isempty(NULL)::int::bigint; END$s$),
	'55000: function fleet.recompute_coverage() is bound to function public.isempty(daterange), which belongs to role regress_planter', 'a function, of those that the script makes');
SELECT is(pg_temp.upgraded_after('DROP INDEX fleet.audit_log_row_id_idx; CREATE INDEX audit_log_row_id_idx ON fleet.audit_log (public.isempty(daterange(NULL, NULL)), row_id)'),
	'55000: index fleet.audit_log_row_id_idx is bound to function public.isempty(daterange), which belongs to role regress_planter', 'an index');
SELECT is(pg_temp.upgraded_after($s$CREATE VIEW cec.planted AS SELECT public.isempty(NULL) AS x$s$),
	'55000: rule _RETURN on view cec.planted is bound to function public.isempty(daterange), which belongs to role regress_planter', 'and the engine''s');
-- In the portfolio itself others may plant, too, where its owner lets them.
SELECT is(pg_temp.upgraded_after($s$GRANT CREATE, USAGE ON SCHEMA fleet TO regress_planter; SET LOCAL ROLE regress_planter; CREATE FUNCTION fleet.isempty(daterange) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false'; RESET ROLE;
	ALTER TABLE fleet.inclusion DROP CONSTRAINT inclusion_days_not_empty, ADD CONSTRAINT inclusion_days_not_empty CHECK (NOT fleet.isempty(during))$s$),
	'55000: constraint inclusion_days_not_empty on table fleet.inclusion is bound to function fleet.isempty(daterange), which belongs to role regress_planter', 'what others have in its schema is not its own');
-- What people add of their own is theirs.
SELECT is(pg_temp.upgraded_after($s$ALTER TABLE fleet.inclusion ADD CONSTRAINT mine CHECK (NOT public.isempty(during)), ADD own boolean DEFAULT public.isempty(NULL::daterange);
	CREATE VIEW fleet.mine AS SELECT public.isempty(NULL) AS x;
	CREATE TRIGGER mine AFTER INSERT ON fleet.asset FOR EACH STATEMENT EXECUTE FUNCTION public.planted();
	CREATE POLICY mine ON fleet.asset USING (public.isempty(NULL));
	CREATE INDEX mine_too ON fleet.inclusion (public.isempty(during))$s$), 'accepted', 'what people have added of their own is left to them');

-- The engine.
DROP SCHEMA fleet CASCADE;
DROP EXTENSION cec;
SELECT alike(pg_temp.said_over(planted, 'CREATE EXTENSION cec'), '55000: function cec._bounds(public.geometry) is bound to function public.st_xmin(public.geometry), which belongs to role regress_planter', 'the engine is not made of it') FROM plant_near_postgis;
SELECT is(pg_temp.said('CREATE EXTENSION cec'), 'accepted', 'it is made without it, in a schema that is open to all');
SELECT * FROM finish();
ROLLBACK;
