-- Portfolios: made, named, owned, upgraded, refused, dropped.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include

SELECT name, owner, version = cec.version() AS is_current FROM cec.portfolio;
-- By a role of one's own: whoever may create schemas and act as the owner.
SELECT test.refused($$SELECT cec.create_portfolio('fleet')$$);
SELECT test.refused($$SELECT cec.create_portfolio('pg_fleet')$$);
SELECT test.refused($$SELECT cec.create_portfolio('')$$);
SELECT test.refused($$SELECT cec.create_portfolio(NULL)$$);
SELECT test.refused($$SELECT cec.create_portfolio('cec')$$);
SELECT test.refused($$SELECT cec.create_portfolio(repeat('x', 64))$$);
SELECT test.refused($$SELECT cec.create_portfolio('depot', 'regress_not_there')$$);
SELECT test.refused($$SELECT cec.create_portfolio('depot', NULL)$$);
SET ROLE regress_stranger;
SELECT test.refused($$SELECT cec.create_portfolio('depot')$$);
RESET ROLE;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_stranger', current_database()); END $$;
SET ROLE regress_stranger;
-- Each major version of the server words this in its own way.
SELECT regexp_replace(line, 'must be .* "', 'must be … "') FROM test.refused($$SELECT cec.create_portfolio('depot', 'regress_owner')$$) AS line;
SELECT cec.create_portfolio('depot');
SELECT name, owner, version = cec.version() AS is_current FROM cec.portfolio ORDER BY name;
INSERT INTO depot.customer (name) VALUES ('Acme');
SELECT table_name, operation, new_row FROM depot.audit_entry WHERE table_name = 'customer';
SELECT test.refused($$SELECT cec.drop_portfolio('fleet', 'fleet')$$);
SELECT test.refused($$SELECT cec.rename_portfolio('fleet', 'mine')$$);
SELECT test.refused($$SELECT cec.upgrade_portfolio('fleet')$$);
-- What others put where extensions are is not built upon, where it would take the place of what is meant.
RESET ROLE;
GRANT CREATE ON SCHEMA public TO regress_stranger;
SET ROLE regress_stranger;
CREATE FUNCTION public.lower(daterange) RETURNS date LANGUAGE sql IMMUTABLE AS 'SELECT NULL::date';
RESET ROLE;
SELECT test.refused($$SELECT cec.create_portfolio('open')$$);
SELECT cec.upgrade_portfolio('depot') = cec.version();
DROP FUNCTION public.lower(daterange);
REVOKE CREATE ON SCHEMA public FROM regress_stranger;

-- Names that need quotes; a new name; the way back.
SELECT cec.rename_portfolio('depot', 'Fleet "North"');
SELECT name FROM cec.portfolio ORDER BY name;
INSERT INTO "Fleet ""North""".customer (name) VALUES ('Beta');
SELECT new_row ->> 'name' FROM "Fleet ""North""".audit_entry WHERE table_name = 'customer' ORDER BY audit_id;
INSERT INTO "Fleet ""North""".asset (asset_tag) VALUES ('N-1');
SELECT asset_tag, scheme FROM "Fleet ""North""".find_asset('N-1');
SELECT test.refused($$SELECT cec.rename_portfolio('depot', 'x')$$);
SELECT test.refused($$SELECT cec.rename_portfolio('fleet', 'public')$$);
SELECT test.refused($$SELECT cec.rename_portfolio('public', 'x')$$);
SELECT cec.create_portfolio('it''s; DROP SCHEMA "fleet" --');
SELECT cec.grant_access('it''s; DROP SCHEMA "fleet" --', 'regress_manager', 'manager');
SELECT asset_tag FROM "it's; DROP SCHEMA ""fleet"" --".find_asset('x');

-- A portfolio of another version: triggers work on, functions say what to do.
UPDATE "Fleet ""North""".setting SET version = '0.0.9';
SELECT name, version FROM cec.portfolio WHERE version <> cec.version();
INSERT INTO "Fleet ""North""".customer (name) VALUES ('Ceta');
SELECT test.refused($$SELECT * FROM "Fleet ""North""".find_asset('N-1')$$);
SELECT test.refused($$SELECT "Fleet ""North""".include_asset(1, 'N-1')$$);
SELECT test.refused($$SELECT * FROM "Fleet ""North""".covered('N-1')$$);
SELECT test.refused($$SELECT * FROM "Fleet ""North""".covered_on('N-1', '2026-06-01')$$);
SELECT test.refused($$SELECT "Fleet ""North""".mvt_assets(0, 0, 0)$$);
SELECT test.refused($$SELECT "Fleet ""North""".mvt_contracts(0, 0, 0)$$);
SELECT test.refused($$SELECT "Fleet ""North""".remove_asset(1, 'N-1')$$);
SELECT test.refused($$SELECT * FROM "Fleet ""North""".asset_history('N-1')$$);
SELECT cec.upgrade_portfolio('Fleet "North"') = cec.version();
SELECT asset_tag FROM "Fleet ""North""".find_asset('N-1');
SELECT cec.upgrade_portfolio('Fleet "North"') = cec.version();
SELECT old_row, new_row ->> 'version' = cec.version() FROM "Fleet ""North""".audit_entry WHERE table_name = 'setting' AND operation = 'UPDATE' ORDER BY audit_id;
SELECT test.refused($$SELECT cec.upgrade_portfolio('nowhere')$$);
-- Views that the engine reads: without one, what needs it is refused, and upgrade_portfolio makes it again.
DROP VIEW "Fleet ""North"""._finding_expiring;
SELECT test.refused($$INSERT INTO "Fleet ""North""".contract (number, customer_id, during) VALUES ('C-1', 1, '(,)')$$);
SELECT cec.upgrade_portfolio('Fleet "North"') = cec.version();
INSERT INTO "Fleet ""North""".contract (number, customer_id, during) VALUES ('C-1', 1, '(,)');
-- The gate stays empty.
SELECT test.refused('INSERT INTO fleet.gate DEFAULT VALUES');

-- Dropped only when asked for by name.
SELECT test.refused($$SELECT cec.drop_portfolio('fleet', 'flet')$$);
SELECT test.refused($$SELECT cec.drop_portfolio('fleet', NULL)$$);
SELECT test.refused($$SELECT cec.drop_portfolio('nowhere', 'nowhere')$$);
SELECT test.refused($$SELECT cec.drop_portfolio('public', 'public')$$);
SELECT cec.drop_portfolio('Fleet "North"', 'Fleet "North"');
SELECT cec.drop_portfolio('it''s; DROP SCHEMA "fleet" --', 'it''s; DROP SCHEMA "fleet" --');
SELECT name FROM cec.portfolio;
-- The extension is not dropped from below its portfolios.
SELECT line FROM test.refused('DROP EXTENSION cec') AS line WHERE line !~ '^DETAIL';

\set include :source/sql/include/end.sql
\i :include
