-- What the scripts of this folder begin with: roles of every level, the portfolio "fleet" with a few contracts, and
-- refused(), which shows a refusal as a person receives it.
\set ECHO none
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
\pset format unaligned
\pset tuples_only on
\pset null NULL
CREATE ROLE regress_owner NOLOGIN;
CREATE ROLE regress_manager NOLOGIN;
CREATE ROLE regress_registry NOLOGIN;
CREATE ROLE regress_auditor NOLOGIN;
CREATE ROLE regress_stranger NOLOGIN;
DO $$ BEGIN
	PERFORM cec.create_portfolio('fleet', 'regress_owner');
	PERFORM cec.grant_access('fleet', 'regress_manager', 'manager');
	PERFORM cec.grant_access('fleet', 'regress_registry', 'registry');
	PERFORM cec.grant_access('fleet', 'regress_auditor', 'auditor');
END $$;

CREATE SCHEMA test;
GRANT USAGE ON SCHEMA test TO PUBLIC;

-- How many rows the portfolio holds that a statement could have left behind.
CREATE FUNCTION test.row_count() RETURNS text LANGUAGE sql SECURITY DEFINER
RETURN (SELECT format('%s assets, %s list lines, %s log entries', (SELECT count(*) FROM fleet.asset),
	(SELECT count(*) FROM fleet.inclusion), (SELECT count(*) FROM fleet.audit_log)));

-- Runs a statement that is to be refused.
CREATE FUNCTION test.refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before text := test.row_count();
	code text;
	rule text;
	said text;
	facts text;
	advice text;
BEGIN
	BEGIN
		EXECUTE statement;
		RETURN NEXT 'ACCEPTED';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, rule = CONSTRAINT_NAME, said = MESSAGE_TEXT,
			facts = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT;
		RETURN NEXT concat_ws(' ', code, rule);
		RETURN NEXT said;
		IF facts <> '' THEN RETURN NEXT 'DETAIL: ' || facts; END IF;
		IF advice <> '' THEN RETURN NEXT 'HINT: ' || advice; END IF;
	END;
	IF before IS DISTINCT FROM test.row_count() THEN
		RETURN NEXT format('LEFT BEHIND: %s, was %s', test.row_count(), before);
	END IF;
	RETURN NEXT '';
END $$;
\set ECHO all
