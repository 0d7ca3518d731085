-- Takes away what begin.sql made.
\set ECHO none
RESET ROLE;
RESET client_encoding;
SET client_min_messages = warning;
\pset tuples_only on
DO $$ BEGIN
	PERFORM cec.drop_portfolio('fleet', 'fleet');
END $$;
DROP SCHEMA test CASCADE;
DROP SCHEMA IF EXISTS depot CASCADE;
DROP OWNED BY regress_owner, regress_manager, regress_registry, regress_auditor, regress_stranger;
DROP ROLE regress_owner, regress_manager, regress_registry, regress_auditor, regress_stranger;
