-- Portfolios: schemas with the tables of one book of contracts.

COMMENT ON SCHEMA cec IS 'Engine of Contract Equipment Coverage. Data lives in portfolios: cec.create_portfolio.';

CREATE FUNCTION cec.enter_gate() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_enter_gate';
CREATE FUNCTION cec.record_change() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_record_change';
CREATE FUNCTION cec.refuse_truncate() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_refuse_truncate';
CREATE FUNCTION cec.keep_setting() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = 'the settings of a portfolio cannot be deleted',
		DETAIL = 'A portfolio has exactly one row of settings.', HINT = 'Use UPDATE.', CONSTRAINT = 'setting_one_row';
END;
$$;
CREATE FUNCTION cec._execute_as(owner oid, search_path text, script text) RETURNS void
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_execute_as';

-- PL/pgSQL executes queries over a portfolio's tables by these alone: what the query names is checked against what was made.
CREATE FUNCTION cec._sql(portfolio oid, query text) RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'cec_sql';
CREATE FUNCTION cec._check_tables(portfolio oid) RETURNS void
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'cec_check_tables';

-- Each CHECK constraint of a portfolio's table is one call of a function of its name, with the columns: what the functions
-- are is written down in C (src/portfolio/row_check.h), and they are made from that.
CREATE FUNCTION cec._row_checks()
RETURNS TABLE (table_name text, constraint_name text, arguments text, is_strict boolean, columns text[], meaning text, allowed_words text[])
LANGUAGE c STABLE PARALLEL SAFE ROWS 100 AS 'MODULE_PATHNAME', 'cec_row_checks';
DO $$
DECLARE
	rule record;
BEGIN
	FOR rule IN SELECT * FROM cec._row_checks() LOOP
		EXECUTE format('CREATE FUNCTION cec.%I(%s) RETURNS boolean LANGUAGE c IMMUTABLE PARALLEL SAFE %s AS %L, %L', '_' || rule.constraint_name,
			rule.arguments, CASE WHEN rule.is_strict THEN 'STRICT' END, 'MODULE_PATHNAME', 'cec_' || rule.constraint_name);
		EXECUTE format('COMMENT ON FUNCTION cec.%I IS %L', '_' || rule.constraint_name,
			format('Private. Constraint of %s: %s. True, or the error.', rule.table_name, rule.meaning));
	END LOOP;
END $$;

CREATE VIEW cec.table_rule AS
SELECT table_name, constraint_name, columns, meaning, allowed_words FROM cec._row_checks();

CREATE FUNCTION cec.require_days() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'cec_require_days';

-- Days as people say them, in messages: by the first and the last one.
CREATE FUNCTION cec._days_in_words(days daterange) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'cec_days_in_words_sql';

CREATE FUNCTION cec.version() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'cec';
END;

-- A portfolio's own version, or NULL where the caller may not read it, or there is no portfolio (a query's conditions on
-- the view below are tried on any schema). Whoever lists portfolios must not run what somebody hid behind a table of that
-- name: so no view, no row-level security, no child table, no type that needs a cast.
CREATE FUNCTION cec._portfolio_version(portfolio oid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET lock_timeout = '1ms' AS $$
DECLARE
	result text;
BEGIN
	IF has_schema_privilege(portfolio, 'USAGE')
		AND EXISTS (SELECT FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
			WHERE c.relnamespace = portfolio AND c.relname = 'setting' AND c.relkind = 'r' AND NOT c.relrowsecurity
				AND a.attname = 'version' AND a.atttypid = 'text'::regtype AND has_table_privilege(c.oid, 'SELECT')) THEN
		EXECUTE cec._sql(portfolio, 'SELECT version FROM @P@.setting') INTO result;
	END IF;
	RETURN result;
EXCEPTION WHEN object_not_in_prerequisite_state OR lock_not_available THEN
	RETURN NULL;
END;
$$;

-- What makes a schema a portfolio: a table named setting that carries the engine's trigger.
CREATE VIEW cec.portfolio AS
SELECT n.nspname AS name, pg_get_userbyid(n.nspowner) AS owner, cec._portfolio_version(n.oid) AS version
FROM pg_catalog.pg_namespace n
	JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = 'setting' AND c.relkind = 'r'
WHERE EXISTS (SELECT FROM pg_catalog.pg_trigger t
	WHERE t.tgrelid = c.oid AND t.tgfoid = 'cec.record_change'::regproc);

CREATE FUNCTION cec._require_portfolio(name text) RETURNS regnamespace
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM cec.portfolio p WHERE p.name = _require_portfolio.name) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_schema_name', MESSAGE = format('there is no portfolio "%s"', name),
			HINT = 'The view cec.portfolio lists them; cec.create_portfolio makes one.';
	END IF;
	RETURN quote_ident(name)::regnamespace;
END;
$$;

-- Today in the portfolio's time zone, never in the session's: by the clock, as the engine and the views read it. now() is
-- the day on which the transaction began, which may be over.
CREATE FUNCTION cec.today(portfolio regnamespace) RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result date;
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT (clock_timestamp() AT TIME ZONE time_zone)::date FROM @P@.setting') INTO result;
	RETURN result;
END;
$$;

-- Functions other than triggers serve a portfolio of the installed version only.
CREATE FUNCTION cec._require_version(portfolio regnamespace) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_version text;
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT version FROM @P@.setting') INTO found_version;
	IF found_version IS DISTINCT FROM cec.version() THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('portfolio %s has version %s, the extension %s', portfolio, found_version, cec.version()),
			HINT = format('Run SELECT cec.upgrade_portfolio(%L).', (SELECT nspname FROM pg_namespace WHERE oid = portfolio));
	END IF;
END;
$$;

-- Levels of access give the portfolio's own function of that name; the engine's is everybody's to call. Others who may create functions in
-- the schema give no rights by theirs.
CREATE FUNCTION cec._require_execute(portfolio regnamespace, function_name text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = portfolio AND p.proname = function_name
		AND p.proowner = (SELECT n.nspowner FROM pg_namespace n WHERE n.oid = portfolio) AND has_function_privilege(p.oid, 'EXECUTE')) THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('permission denied for function %s.%I', portfolio, function_name),
			HINT = 'The view cec.access_privilege says which levels of access have it.';
	END IF;
END;
$$;

-- What verifies goes on where the row of settings is gone, and says so: whether it is there.
CREATE FUNCTION cec._has_settings(portfolio regnamespace) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE cec._sql(portfolio, 'SELECT EXISTS (SELECT FROM @P@.setting)') INTO result;
	IF result THEN
		PERFORM cec._require_version(portfolio);
	END IF;
	RETURN result;
END;
$$;

-- Attaches the engine's triggers to a table; that they fire always is said once all tables are there (close.portfolio.sql). The
-- modes say how an INSERT, and how an UPDATE or DELETE, goes through the gate: "data" beside others, "definition" (what other
-- rows rest on) alone. Each noun's portfolio part arms its own tables.
CREATE FUNCTION cec._arm_table(portfolio regnamespace, table_name text, insert_mode text, change_mode text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	portfolio_table regclass := format('%s.%I', portfolio, table_name);
	part record;
BEGIN
	FOR part IN SELECT * FROM (VALUES
		('cec_gate_insert', 'BEFORE INSERT ON %s FOR EACH STATEMENT EXECUTE FUNCTION cec.enter_gate(%L)', insert_mode),
		('cec_gate_change', 'BEFORE UPDATE OR DELETE ON %s FOR EACH STATEMENT EXECUTE FUNCTION cec.enter_gate(%L)', change_mode),
		('cec_insert', 'AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change(%L)', table_name),
		('cec_update', 'AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change(%L)', table_name),
		('cec_delete', 'AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change(%L)', table_name),
		('cec_truncate', 'BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION cec.refuse_truncate()', NULL)
		) AS p(trigger_name, definition, argument)
	LOOP
		EXECUTE format('CREATE TRIGGER %I ' || part.definition, part.trigger_name, portfolio_table, part.argument);
	END LOOP;
END;
$$;

-- Of the engine's triggers of a portfolio those that are not what they were made as, or do not fire always: what they are to
-- be (NULL: there is to be none), and whether what is there must go first.
CREATE FUNCTION cec._disarmed(portfolio regnamespace)
RETURNS TABLE (table_name text, trigger_name text, definition text, is_other boolean, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	WITH due AS (
		SELECT p.table_name AS on_table, p.trigger_name AS named, replace(p.definition, '@T@', format('%s.%I', portfolio, p.table_name)) AS definition
		FROM cec._trigger_shape p
	), there AS (
		SELECT c.relname::text AS on_table, t.tgname::text AS named, pg_get_triggerdef(t.oid) AS definition, t.tgenabled
		FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid JOIN pg_proc p ON p.oid = t.tgfoid
		WHERE c.relnamespace = portfolio AND NOT t.tgisinternal AND c.relname IN (SELECT d.on_table FROM due d)
			AND (p.pronamespace = 'cec'::regnamespace OR (c.relname, t.tgname) IN (SELECT d.on_table, d.named FROM due d))
	)
	SELECT on_table, named, d.definition, t.definition <> coalesce(d.definition, ''), format(CASE
		WHEN t.definition IS NULL THEN 'The trigger %s is missing.'
		WHEN d.definition IS NULL THEN 'The trigger %s is none that the engine made.'
		WHEN t.definition <> d.definition THEN 'The trigger %s is not what it was made as.'
		WHEN t.tgenabled = 'D' THEN 'The trigger %s is disabled.'
		ELSE 'The trigger %s does not fire always.' END, named)
	FROM due d FULL JOIN there t USING (on_table, named)
	WHERE t.definition IS DISTINCT FROM d.definition OR t.tgenabled <> 'A'
	ORDER BY 1, 2;
END;
$$;

CREATE FUNCTION cec._arm(portfolio regnamespace) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT * FROM cec._disarmed(portfolio) LOOP
		IF part.is_other THEN
			EXECUTE format('DROP TRIGGER %I ON %s.%I', part.trigger_name, portfolio, part.table_name);
		END IF;
		IF coalesce(part.is_other, true) AND part.definition IS NOT NULL THEN
			EXECUTE part.definition;
		END IF;
		IF part.definition IS NOT NULL THEN
			EXECUTE format('ALTER TABLE %s.%I ENABLE ALWAYS TRIGGER %I', portfolio, part.table_name, part.trigger_name);
		END IF;
	END LOOP;
END;
$$;

-- The columns of a view, with their types.
CREATE FUNCTION cec._view_columns(view oid) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
	FROM pg_attribute a
	WHERE a.attrelid = view AND a.attnum > 0 AND NOT a.attisdropped;
END;

-- Makes the views that the engine reads what they are to be. One that has other columns goes first, and with it those that may read it.
-- What settings decide how definitions are written is as in _take_shape.
CREATE FUNCTION cec._mend_views(portfolio regnamespace) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET quote_all_identifiers = off AS $$
DECLARE
	name text := (SELECT nspname FROM pg_namespace WHERE oid = portfolio);
	other boolean;
	part record;
BEGIN
	other := EXISTS (
		SELECT FROM cec._view_shape v JOIN pg_class c ON c.relnamespace = portfolio AND c.relname = v.view_name AND c.relkind = 'v'
		WHERE cec._view_columns(c.oid) <> v.columns);
	IF other THEN
		FOR part IN
			SELECT v.view_name FROM cec._view_shape v JOIN pg_class c ON c.relnamespace = portfolio AND c.relname = v.view_name AND c.relkind = 'v'
			ORDER BY v.place DESC
		LOOP
			EXECUTE format('DROP VIEW %s.%I', portfolio, part.view_name);
		END LOOP;
	END IF;
	FOR part IN
		SELECT v.view_name, cec._script_for(v.definition, name) AS definition, cec._script_for(v.comments, name) AS comments
		FROM cec._view_shape v LEFT JOIN pg_class c ON c.relnamespace = portfolio AND c.relname = v.view_name AND c.relkind = 'v'
		WHERE c.oid IS NULL OR pg_get_viewdef(c.oid) <> cec._script_for(v.definition, name) OR NOT coalesce(c.reloptions @> '{security_invoker=true}', false)
		ORDER BY v.place
	LOOP
		EXECUTE format('CREATE OR REPLACE VIEW %s.%I WITH (security_invoker = true) AS %s', portfolio, part.view_name, part.definition);
		EXECUTE part.comments;
	END LOOP;
END;
$$;

-- The path that a portfolio's own definitions are read with. Others may create in schemas of it: what was bound is looked at
-- before it runs (_check_binding).
CREATE FUNCTION cec._definition_path(portfolio name) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN format('pg_catalog, %I, cec, %s, pg_temp', portfolio, (SELECT string_agg(DISTINCT quote_ident(n.nspname), ', ')
		FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
		WHERE e.extname IN ('postgis', 'btree_gist')));
END;
$$;

-- A part of a portfolio's script for the portfolio of this name. Cut at one mark and joined again, so that no mark is looked
-- for inside the name.
CREATE FUNCTION cec._script_for(script text, name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT string_agg(replace(part, '@P@', quote_ident(name)), quote_literal(quote_ident(name)) ORDER BY place)
	FROM string_to_table(script, '@L@') WITH ORDINALITY AS s(part, place);
END;

CREATE FUNCTION cec.create_portfolio(name text, owner name DEFAULT current_user) RETURNS regnamespace
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	portfolio regnamespace;
	owner_id oid := (SELECT r.oid FROM pg_roles r WHERE r.rolname = owner);
BEGIN
	IF name IS NULL OR name = '' OR octet_length(name) > 63 OR name ~ '^pg_' OR name = 'cec' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('"%s" cannot be the name of a portfolio', name),
			DETAIL = 'A portfolio is a schema: its name has 1 to 63 bytes and does not begin with "pg_".';
	END IF;
	IF owner_id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object', MESSAGE = format('role "%s" does not exist', owner),
			HINT = 'Make a role that nobody logs in as: CREATE ROLE … NOLOGIN.';
	END IF;
	EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', name, owner);
	portfolio := quote_ident(name)::regnamespace;
	PERFORM cec._execute_as(owner_id, cec._definition_path(name), cec._script_for(cec._portfolio_script(), name));
	-- Before any of it runs.
	PERFORM cec._check_binding(portfolio, NULL);
	PERFORM cec._execute_as(owner_id, cec._definition_path(name), cec._script_for(cec._portfolio_closing(), name));
	RETURN portfolio;
END;
$$;

CREATE FUNCTION cec.upgrade_portfolio(name text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	portfolio regnamespace := cec._require_portfolio(name);
BEGIN
	PERFORM cec._check_binding('cec', NULL);
	PERFORM cec._check_binding(portfolio, cec._portfolio_script());
	PERFORM cec._check_tables(portfolio);
	PERFORM cec._execute_as((SELECT nspowner FROM pg_namespace WHERE oid = portfolio), cec._definition_path(name),
		'SELECT cec._arm(' || quote_literal(quote_ident(name)) || '::regnamespace);'
		|| 'SELECT cec._mend_views(' || quote_literal(quote_ident(name)) || '::regnamespace);'
		|| 'SELECT cec._note_all_columns(' || quote_literal(quote_ident(name)) || '::regnamespace);'
		|| 'SELECT cec._close_to_public(' || quote_literal(quote_ident(name)) || '::regnamespace);'
		|| format('UPDATE %I.setting SET version = %L WHERE version IS DISTINCT FROM %L;', name, cec.version(), cec.version()));
	RETURN cec.version();
END;
$$;

CREATE FUNCTION cec.rename_portfolio(name text, new_name text) RETURNS regnamespace
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	portfolio regnamespace := cec._require_portfolio(name);
BEGIN
	EXECUTE format('ALTER SCHEMA %I RENAME TO %I', name, new_name);
	RETURN portfolio;
END;
$$;

CREATE FUNCTION cec.drop_portfolio(name text, confirm text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	portfolio regnamespace := cec._require_portfolio(name);
BEGIN
	IF confirm IS DISTINCT FROM name THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'the portfolio was not dropped',
			DETAIL = 'All contracts, lists and the audit log of the portfolio would be gone for good.',
			HINT = format('To confirm, repeat the name: SELECT cec.drop_portfolio(%L, %L).', name, name);
	END IF;
	EXECUTE format('DROP SCHEMA %I CASCADE', name);
END;
$$;

COMMENT ON FUNCTION cec.enter_gate() IS 'Engine trigger, before a statement: takes the gate of the portfolio in the mode given (data or definition).';
COMMENT ON FUNCTION cec.record_change() IS 'Engine trigger, after a statement: validates and records its rows.';
COMMENT ON FUNCTION cec._row_checks() IS 'Private. The CHECK constraints of a portfolio''s tables, with the arguments of the functions that they call.';
COMMENT ON VIEW cec.table_rule IS 'What rows of a portfolio''s tables must be, for forms and documents: one row for each CHECK constraint.';
COMMENT ON COLUMN cec.table_rule.table_name IS 'Table.';
COMMENT ON COLUMN cec.table_rule.constraint_name IS 'Name of the constraint, which errors bear.';
COMMENT ON COLUMN cec.table_rule.columns IS 'Columns that it looks at.';
COMMENT ON COLUMN cec.table_rule.meaning IS 'What must be, in words.';
COMMENT ON COLUMN cec.table_rule.allowed_words IS 'The words that the column takes; NULL where it takes others. Countries are in cec.country.';
COMMENT ON FUNCTION cec.refuse_truncate() IS 'Engine trigger: refuses TRUNCATE (SQLSTATE 23001).';
COMMENT ON FUNCTION cec.keep_setting() IS 'Trigger: refuses to delete the settings of a portfolio (SQLSTATE 23001).';
COMMENT ON FUNCTION cec._script_for(text, text) IS 'Private. A part of a portfolio''s script, for the portfolio of this name.';
COMMENT ON FUNCTION cec._sql(oid, text) IS 'Private. A query over a portfolio''s tables (@P@ in the place of the schema) as the engine runs it: what it names must be what cec.create_portfolio made (SQLSTATE 55000).';
COMMENT ON FUNCTION cec._check_tables(oid) IS 'Private. Raises SQLSTATE 55000 unless what has the names of a portfolio''s tables are ordinary tables of the schema''s owner, whatever their columns.';
COMMENT ON FUNCTION cec._execute_as(oid, text, text) IS 'Private. Runs a portfolio script as its owner, for callers that may SET ROLE to it.';
COMMENT ON FUNCTION cec.require_days() IS 'Engine trigger: refuses a row without days (SQLSTATE 23502).';
COMMENT ON FUNCTION cec._days_in_words(daterange) IS 'Private. Days by the first and the last one, for messages.';
COMMENT ON FUNCTION cec.version() IS 'Version of the installed extension.';
COMMENT ON FUNCTION cec._portfolio_version(oid) IS 'Private. Version of a portfolio; NULL where the caller may not read its settings, or somebody has locked them.';
COMMENT ON VIEW cec.portfolio IS 'All portfolios of this database.';
COMMENT ON COLUMN cec.portfolio.name IS 'Name: that of its schema.';
COMMENT ON COLUMN cec.portfolio.owner IS 'Role that owns it.';
COMMENT ON COLUMN cec.portfolio.version IS 'Version of the extension that last shaped it; NULL where the caller may not read its settings, or somebody has locked them.';
COMMENT ON FUNCTION cec._require_portfolio(text) IS 'Private. The schema of a portfolio, or SQLSTATE 3F000.';
COMMENT ON FUNCTION cec.today(regnamespace) IS 'Today in the time zone of the portfolio''s setting.';
COMMENT ON FUNCTION cec._require_version(regnamespace) IS 'Private. Raises SQLSTATE 55000 for a portfolio of another version, with a hint to upgrade it.';
COMMENT ON FUNCTION cec._require_execute(regnamespace, text) IS 'Private. Raises SQLSTATE 42501 for who may not run the portfolio''s own function of that name.';
COMMENT ON FUNCTION cec._arm_table(regnamespace, text, text, text) IS 'Private. Attaches the engine''s triggers to a table of a portfolio.';
COMMENT ON FUNCTION cec._definition_path(name) IS 'Private. The search_path for a portfolio''s definitions.';
COMMENT ON FUNCTION cec.create_portfolio(text, name) IS 'Makes a portfolio: a schema of that name with all its tables, owned by owner (default: the caller; best a NOLOGIN role that the caller is a member of). Errors: 22023 name, 42704 owner, 42P06 schema exists, 42501 rights, 55000 definitions would be bound to what is neither the server''s nor an extension''s.';
COMMENT ON FUNCTION cec.upgrade_portfolio(text) IS 'Brings a portfolio to the installed version, switches its triggers on again and makes the views that the engine reads what they were, as its owner. Returns the version. To be run after ALTER EXTENSION cec UPDATE and after every restore. Error 55000: definitions are bound to what is neither the server''s nor an extension''s.';
COMMENT ON FUNCTION cec._has_settings(regnamespace) IS 'Private. Whether the row of settings is there; SQLSTATE 55000 where it is of another version.';
COMMENT ON FUNCTION cec._disarmed(regnamespace) IS 'Private. The engine''s triggers of a portfolio that are not what they were made as.';
COMMENT ON FUNCTION cec._arm(regnamespace) IS 'Private. Makes the engine''s triggers of a portfolio what they are to be.';
COMMENT ON FUNCTION cec._view_columns(oid) IS 'Private. The columns of a view, with their types.';
COMMENT ON FUNCTION cec._mend_views(regnamespace) IS 'Private. Makes the views of a portfolio that the engine reads what they are to be.';
COMMENT ON FUNCTION cec.rename_portfolio(text, text) IS 'Renames a portfolio. Open sessions follow.';
COMMENT ON FUNCTION cec.drop_portfolio(text, text) IS 'Drops a portfolio with all its data and its log, when confirm repeats its name (SQLSTATE 22023 otherwise).';
