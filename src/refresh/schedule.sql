-- Periodic tasks, run by pg_cron where the database has it; else whoever asks is told the line for cron.
--
-- Whoever may create schemas may make one called cron. So what is called is found as a member of the extension
-- pg_cron that a superuser owns, never by its name.

-- What may be scheduled: rooms add their tasks. The function says who may; the command is run, with @P@ for the portfolio.
CREATE TABLE cec._task (
	task text COLLATE "C" NOT NULL,
	function_name text COLLATE "C" NOT NULL,
	command text NOT NULL,
	CONSTRAINT _task_pkey PRIMARY KEY (task)
);
GRANT SELECT ON cec._task TO PUBLIC;

INSERT INTO cec._task (task, function_name, command) VALUES
	('refresh', 'refresh', 'SELECT * FROM @P@.refresh()'),
	('seal', 'seal_audit', 'SELECT @P@.seal_audit()'),
	('sync:SOURCE', 'sync_assets', 'SELECT * FROM @P@.sync_assets(@SOURCE@, ''delta'')');

-- The command of a task of a portfolio, by somebody who may run it. Errors: 22004, 3F000, 22023, 42501.
CREATE FUNCTION cec._require_task(portfolio text, task text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	schema regnamespace;
	found cec._task;
BEGIN
	IF portfolio IS NULL OR task IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'a schedule needs a portfolio and a task',
			DETAIL = format('Portfolio %s, task %s.', coalesce(portfolio, 'NULL'), coalesce(task, 'NULL'));
	END IF;
	schema := cec._require_portfolio(portfolio);
	SELECT * INTO found FROM cec._task t
	WHERE t.task = CASE WHEN _require_task.task ~ '^sync:.' THEN 'sync:SOURCE' ELSE _require_task.task END;
	IF found.task IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('there is no task "%s"', left(task, 100)),
			HINT = (SELECT format('Tasks are %s.', string_agg(t.task, ', ' ORDER BY t.task)) FROM cec._task t);
	END IF;
	PERFORM cec._require_execute(schema, found.function_name);
	-- Cut at the mark, so that none is looked for inside a name.
	RETURN replace(split_part(found.command, '@SOURCE@', 1), '@P@', schema::text)
		|| CASE WHEN found.command ~ '@SOURCE@' THEN quote_literal(substr(task, 6)) || split_part(found.command, '@SOURCE@', 2) ELSE '' END;
END;
$$;

-- How the functions of pg_cron are called here, by what it calls them; no row: it is not installed. Errors: 55000, 42501.
CREATE FUNCTION cec._pg_cron(function_name text, argument_types regtype[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	extension oid := (SELECT e.oid FROM pg_extension e WHERE e.extname = 'pg_cron');
	called record;
BEGIN
	IF extension IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT p.oid, n.oid AS schema, n.nspname, format('%I.%I', n.nspname, p.proname) AS name, r.rolsuper INTO called
	FROM pg_proc p
		JOIN pg_namespace n ON n.oid = p.pronamespace
		JOIN pg_roles r ON r.oid = p.proowner
		JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
			AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = extension
	-- A slice, since an oidvector counts from 0.
	WHERE p.proname = function_name AND (p.proargtypes::oid[])[:] = argument_types::oid[];
	IF called.rolsuper IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format('extension pg_cron has no function %s that a superuser owns', function_name),
			DETAIL = 'What is called would run with your rights.', HINT = 'Drop the extension and let a superuser create it again.';
	END IF;
	IF NOT has_schema_privilege(called.schema, 'USAGE') OR NOT has_function_privilege(called.oid, 'EXECUTE') THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('permission denied for function %s of pg_cron', called.name),
			HINT = format('Let a superuser GRANT USAGE ON SCHEMA %I TO %I.', called.nspname, current_user);
	END IF;
	RETURN called.name;
END;
$$;

-- A word of a command line, in single quotes; cron takes % for the end of the line.
CREATE FUNCTION cec._shell_word(word text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT replace(format('''%s''', replace(word, '''', '''\''''')), '%', '\%');
END;

CREATE FUNCTION cec.schedule(portfolio text, task text, cron text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	command text := cec._require_task(portfolio, task);
	called text;
	job bigint;
	said text;
BEGIN
	IF cron IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'a schedule needs its times',
			HINT = 'Five fields as in a crontab: ''5 0 * * *'' is five minutes past midnight.';
	END IF;
	IF cron !~ '^[[:alnum:] *,/@$-]{1,200}$' OR cron ~ '\n' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('"%s" is no schedule', left(cron, 100)),
			HINT = 'Five fields as in a crontab: ''5 0 * * *'' is five minutes past midnight.';
	END IF;
	called := cec._pg_cron('schedule', '{text,text,text}');
	IF called IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('database %s has no pg_cron', current_database()),
			DETAIL = CASE WHEN current_setting('cron.database_name', true) <> current_database()
				THEN format('pg_cron of this server is for database %s (cron.database_name).', current_setting('cron.database_name', true))
				ELSE 'The extension pg_cron is not installed in it.' END,
			HINT = format('A line for the crontab: %s psql -X -q -o /dev/null -d %s -c %s', cron, cec._shell_word(current_database()), cec._shell_word(command));
	END IF;
	BEGIN
		EXECUTE format('SELECT %s($1, $2, $3)', called) INTO job USING format('cec %s %s', portfolio, task), cron, command;
	EXCEPTION WHEN invalid_parameter_value OR internal_error THEN
		GET STACKED DIAGNOSTICS said = MESSAGE_TEXT;
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('"%s" is no schedule', left(cron, 100)),
			DETAIL = format('pg_cron says: %s', said), HINT = 'Five fields as in a crontab: ''5 0 * * *'' is five minutes past midnight.';
	END;
	RETURN job;
END;
$$;

CREATE FUNCTION cec.unschedule(portfolio text, task text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	command text := cec._require_task(portfolio, task);
	called text := cec._pg_cron('unschedule', '{bigint}');
	job bigint;
BEGIN
	IF called IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('database %s has no pg_cron', current_database()),
			HINT = format('Take the line out of the crontab that holds: %s', command);
	END IF;
	-- A job belongs to a role and has a name: asked for in the table beside the function, which is a member like it.
	EXECUTE format('SELECT j.jobid FROM %s j WHERE j.jobname = $1 AND j.username = current_user', cec._pg_cron_job()) INTO job USING format('cec %s %s', portfolio, task);
	IF job IS NULL THEN
		RETURN false;
	END IF;
	EXECUTE format('SELECT %s($1)', called) USING job;
	RETURN true;
END;
$$;

-- The table of jobs. Errors: 55000.
CREATE FUNCTION cec._pg_cron_job() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result text;
BEGIN
	SELECT format('%I.%I', n.nspname, c.relname) INTO result
	FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_roles r ON r.oid = c.relowner
		JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
		JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pg_cron'
	WHERE c.relname = 'job' AND c.relkind = 'r' AND r.rolsuper;
	IF result IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'extension pg_cron has no table job that a superuser owns',
			HINT = 'Drop the extension and let a superuser create it again.';
	END IF;
	RETURN result;
END;
$$;

COMMENT ON TABLE cec._task IS 'Private. Tasks that cec.schedule knows.';
COMMENT ON COLUMN cec._task.task IS 'Its name.';
COMMENT ON COLUMN cec._task.function_name IS 'Function of a portfolio: whoever may run it may schedule the task.';
COMMENT ON COLUMN cec._task.command IS 'What is run, with @P@ for the portfolio.';
COMMENT ON FUNCTION cec._require_task(text, text) IS 'Private. The command of a task, or the error of whoever may not schedule it.';
COMMENT ON FUNCTION cec._pg_cron(text, regtype[]) IS 'Private. The name of a function of pg_cron, found as a member that a superuser owns; NULL where it is not installed.';
COMMENT ON FUNCTION cec._pg_cron_job() IS 'Private. The name of pg_cron''s table of jobs.';
COMMENT ON FUNCTION cec._shell_word(text) IS 'Private. A word of a line in a crontab.';
COMMENT ON FUNCTION cec.schedule(text, text, text) IS 'Has pg_cron run a task of a portfolio: refresh, seal, report or sync:SOURCE (what is staged of that source, as a delta), at the times that cron says (five fields), as the role that calls. Returns pg_cron''s job, called cec PORTFOLIO TASK; scheduled again it runs at the new times. For whoever may run the portfolio''s own function. Errors: 0A000 no pg_cron in this database (the HINT is a line for the crontab), 22004 NULL, 22023 task or times, 3F000 portfolio, 42501 rights, 55000 pg_cron is not a superuser''s.';
COMMENT ON FUNCTION cec.unschedule(text, text) IS 'Takes a task of a portfolio that the calling role has scheduled from pg_cron. False: there was none. Errors as cec.schedule.';
