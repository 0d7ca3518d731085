-- What the tables of a portfolio look like: taken from a template when the extension is installed, so that there is no second list.

CREATE TABLE cec._column_shape (
	table_name name NOT NULL,
	is_stated boolean NOT NULL,
	column_name name NOT NULL,
	type_id oid NOT NULL,
	type_modifier integer NOT NULL,
	collation_id oid NOT NULL,
	is_not_null boolean NOT NULL,
	generated "char" NOT NULL,
	identity "char" NOT NULL,
	CONSTRAINT _column_shape_pkey PRIMARY KEY (table_name, column_name)
);
CREATE TABLE cec._constraint_shape (
	table_name name NOT NULL,
	constraint_name name NOT NULL,
	CONSTRAINT _constraint_shape_pkey PRIMARY KEY (table_name, constraint_name)
);

CREATE TABLE cec._trigger_shape (
	table_name text COLLATE "C" NOT NULL,
	trigger_name text COLLATE "C" NOT NULL,
	definition text NOT NULL,
	is_recorded boolean NOT NULL,
	CONSTRAINT _trigger_shape_pkey PRIMARY KEY (table_name, trigger_name)
);
GRANT SELECT ON cec._trigger_shape TO PUBLIC;

-- Views that are private are read by the engine.
CREATE TABLE cec._view_shape (
	view_name text COLLATE "C" NOT NULL,
	place integer NOT NULL,
	definition text NOT NULL,
	columns text NOT NULL,
	comments text NOT NULL,
	CONSTRAINT _view_shape_pkey PRIMARY KEY (view_name)
);
GRANT SELECT ON cec._view_shape TO PUBLIC;

-- Makes a portfolio without its closing part, looks at its tables and drops it again.
CREATE FUNCTION cec._take_shape() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET quote_all_identifiers = off AS $$
DECLARE
	template text := 'cec_template_' || pg_backend_pid();
BEGIN
	EXECUTE format('CREATE SCHEMA %I', template);
	PERFORM cec._execute_as(current_user::regrole::oid, cec._definition_path(template), cec._script_for(cec._portfolio_script(), template));
	DELETE FROM cec._column_shape;
	INSERT INTO cec._column_shape
	SELECT c.relname, EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid = 'cec.record_change'::regproc),
		a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, a.attgenerated, a.attidentity
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relnamespace = template::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped;
	DELETE FROM cec._constraint_shape;
	INSERT INTO cec._constraint_shape
	SELECT c.relname, o.conname
	FROM pg_class c JOIN pg_constraint o ON c.oid IN (o.conrelid, o.confrelid)
	WHERE c.relnamespace = template::regnamespace AND c.relkind = 'r'
	GROUP BY c.relname, o.conname;
	DELETE FROM cec._trigger_shape;
	INSERT INTO cec._trigger_shape
	SELECT c.relname, t.tgname, replace(pg_get_triggerdef(t.oid), format(' ON %I.%I ', template, c.relname), ' ON @T@ '),
		t.tgfoid = 'cec.record_change'::regproc
	FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE c.relnamespace = template::regnamespace AND NOT t.tgisinternal;
	PERFORM cec._note_report_columns(quote_ident(template)::regnamespace);
	DELETE FROM cec._view_shape;
	INSERT INTO cec._view_shape
	SELECT c.relname, row_number() OVER (ORDER BY c.oid), replace(replace(pg_get_viewdef(c.oid), quote_literal(template) || '::', '@L@::'), template || '.', '@P@.'),
		cec._view_columns(c.oid),
		(SELECT string_agg(format('COMMENT ON %s IS %L;', CASE WHEN d.objsubid = 0 THEN 'VIEW @P@.' || quote_ident(c.relname)
				ELSE format('COLUMN @P@.%I.%I', c.relname, a.attname) END, d.description), ' ' ORDER BY d.objsubid)
			FROM pg_description d LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
			WHERE d.classoid = 'pg_class'::regclass AND d.objoid = c.oid)
	FROM pg_class c
	WHERE c.relnamespace = template::regnamespace AND c.relkind = 'v' AND c.relname LIKE '\_%';
	EXECUTE format('DROP SCHEMA %I CASCADE', template);
END;
$$;

REVOKE ALL ON FUNCTION cec._take_shape() FROM PUBLIC;

COMMENT ON TABLE cec._column_shape IS 'Private. The columns of the tables of a portfolio, as cec.create_portfolio makes them.';
COMMENT ON COLUMN cec._column_shape.table_name IS 'Table.';
COMMENT ON COLUMN cec._column_shape.is_stated IS 'Whether people write the table, and the engine records what they do.';
COMMENT ON COLUMN cec._column_shape.column_name IS 'Column.';
COMMENT ON COLUMN cec._column_shape.type_id IS 'Its type.';
COMMENT ON COLUMN cec._column_shape.type_modifier IS 'The modifier of its type.';
COMMENT ON COLUMN cec._column_shape.collation_id IS 'Its collation.';
COMMENT ON COLUMN cec._column_shape.is_not_null IS 'Whether it is NOT NULL.';
COMMENT ON COLUMN cec._column_shape.generated IS 'As pg_attribute.attgenerated.';
COMMENT ON COLUMN cec._column_shape.identity IS 'As pg_attribute.attidentity.';
COMMENT ON TABLE cec._constraint_shape IS 'Private. The constraints on the tables of a portfolio, and the foreign keys to them, as cec.create_portfolio makes them.';
COMMENT ON COLUMN cec._constraint_shape.table_name IS 'Table.';
COMMENT ON COLUMN cec._constraint_shape.constraint_name IS 'Constraint.';
COMMENT ON TABLE cec._trigger_shape IS 'Private. The triggers of the tables of a portfolio, as cec.create_portfolio makes them.';
COMMENT ON COLUMN cec._trigger_shape.table_name IS 'Table that it is on.';
COMMENT ON COLUMN cec._trigger_shape.trigger_name IS 'Its name.';
COMMENT ON COLUMN cec._trigger_shape.definition IS 'The statement that makes it, @T@ in the place of the table.';
COMMENT ON COLUMN cec._trigger_shape.is_recorded IS 'Whether it writes the log.';
COMMENT ON TABLE cec._view_shape IS 'Private. The views of a portfolio that the engine reads, as cec.create_portfolio makes them.';
COMMENT ON COLUMN cec._view_shape.view_name IS 'View.';
COMMENT ON COLUMN cec._view_shape.place IS 'In which order they are made.';
COMMENT ON COLUMN cec._view_shape.definition IS 'Its query, with the marks of a portfolio''s script.';
COMMENT ON COLUMN cec._view_shape.columns IS 'Its columns, as cec._view_columns says them.';
COMMENT ON COLUMN cec._view_shape.comments IS 'The statements that say what it and its columns are.';
COMMENT ON FUNCTION cec._take_shape() IS 'Private. Takes the shape of a portfolio''s tables from a template; run once, at the end of the install script.';
