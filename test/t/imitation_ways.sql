-- What mallory plants, and the ways in which she makes a table of her portfolio something else; each with what undoes it.
--
-- A canary is a line of the server's log: it says that what she planted ran as somebody else, or that it got away from being
-- her. Where it runs as her for somebody else, it tries to.
CREATE EXTENSION IF NOT EXISTS file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
GRANT USAGE ON FOREIGN SERVER files TO mallory;
GRANT pg_read_server_files TO mallory;
SET SESSION AUTHORIZATION mallory;

CREATE TABLE evil.bait (n integer);
GRANT ALL ON evil.bait TO PUBLIC;
CREATE FUNCTION evil.note(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 'mallory' THEN
		RAISE LOG 'CANARY % as % in %', what, current_user, current_query();
		RETURN true;
	END IF;
	IF session_user <> 'mallory' AND pg_catalog.strpos(pg_catalog.current_query(), 'SET SESSION AUTHORIZATION') = 0 THEN
		BEGIN
			EXECUTE 'RESET ROLE';
			IF current_user <> 'mallory' THEN
				RAISE LOG 'CANARY % by RESET ROLE as % in %', what, current_user, current_query();
			END IF;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
		BEGIN
			EXECUTE 'SET SESSION AUTHORIZATION DEFAULT';
			IF current_user <> 'mallory' THEN
				RAISE LOG 'CANARY % by SET SESSION AUTHORIZATION as % in %', what, current_user, current_query();
			END IF;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
		BEGIN
			EXECUTE pg_catalog.format('DECLARE %I CURSOR WITH HOLD FOR SELECT evil.note(%L)', pg_catalog.gen_random_uuid(), what || ' held');
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
		BEGIN
			INSERT INTO evil.bait VALUES (1);
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
		BEGIN
			PERFORM pg_catalog.set_config('search_path', 'evil, pg_catalog', false);
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END IF;
	RETURN true;
END $$;
CREATE FUNCTION evil.spring() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM evil.note(pg_catalog.concat_ws(' ', TG_ARGV[0], TG_TABLE_NAME, TG_NAME));
	RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON evil.bait DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evil.spring('bait');
-- What can be folded before a query runs; said to be immutable, and not.
CREATE FUNCTION evil.fold(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN evil.note(what); END $$;
CREATE FUNCTION evil.fold_row(what text, a anyelement) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN evil.note(what); END $$;
CREATE FUNCTION evil.key(a anyelement) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM evil.note('key'); RETURN 1; END $$;
CREATE DOMAIN evil.trap AS text CHECK (evil.note('domain'));
RESET SESSION AUTHORIZATION;

-- What a session is left with after a call: mallory may not have changed it.
CREATE FUNCTION test.witness(call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('search_path') <> '"$user", public' THEN
		RAISE LOG 'CANARY the session is left with search_path % after %', current_setting('search_path'), call;
		PERFORM set_config('search_path', '"$user", public', false);
	END IF;
	IF session_user <> current_user AND current_user <> 'victor' THEN
		RAISE LOG 'CANARY the session is left as % after %', current_user, call;
	END IF;
END $$;

-- Puts a copy in the place of a table, with its rows, triggers and rights, and takes it away again.
CREATE FUNCTION test.stand_in(relation regclass, create_as text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	schema_name text := (SELECT relnamespace::regnamespace FROM pg_class WHERE oid = relation);
	name text := (SELECT relname FROM pg_class WHERE oid = relation);
	copy text := format('%s.%I', schema_name, name);
	part record;
BEGIN
	EXECUTE format('ALTER TABLE %s RENAME TO %I', relation, 'was_' || name);
	EXECUTE format(create_as, copy, schema_name || '.was_' || name);
	IF (SELECT relkind FROM pg_class WHERE oid = to_regclass(copy)) NOT IN ('c', 'i', 'I') THEN
		EXECUTE format('GRANT ALL ON %s TO PUBLIC', copy);
	END IF;
	IF create_as !~ '^CREATE (UNLOGGED )?TABLE' THEN
		RETURN;
	END IF;
	IF create_as !~ 'empty' THEN
		EXECUTE format('INSERT INTO %s OVERRIDING SYSTEM VALUE SELECT * FROM %s.%I', copy, schema_name, 'was_' || name);
	END IF;
	FOR part IN SELECT pg_get_triggerdef(oid) AS definition, tgname FROM pg_trigger WHERE tgrelid = relation AND NOT tgisinternal LOOP
		EXECUTE replace(part.definition, 'was_' || name, name);
		EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', copy, part.tgname);
	END LOOP;
	FOR part IN SELECT pg_get_serial_sequence(copy, attname) AS sequence FROM pg_attribute WHERE attrelid = copy::regclass AND attidentity <> '' LOOP
		PERFORM setval(part.sequence, 1000);
		EXECUTE format('GRANT ALL ON SEQUENCE %s TO PUBLIC', part.sequence);
	END LOOP;
END $$;
CREATE FUNCTION test.stand_out(schema_name text, name text, kind text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('DROP %s %I.%I', kind, schema_name, name);
	EXECUTE format('ALTER TABLE %I.%I RENAME TO %I', schema_name, 'was_' || name, name);
END $$;

-- The ways of one table. made is run as mallory, unless it says otherwise.
CREATE FUNCTION test.ways(schema_name text, table_name text) RETURNS TABLE (way text, made text, undone text) LANGUAGE plpgsql STABLE AS $$
DECLARE
	t text := format('%I.%I', schema_name, table_name);
	key text := (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
		WHERE i.indrelid = t::regclass AND i.indisprimary);
	columns text := (SELECT string_agg(CASE WHEN a.atttypid = 'text'::regtype THEN format('CASE WHEN evil.note(%L) THEN %I END AS %2$I', 'view ' || table_name, a.attname) ELSE quote_ident(a.attname) END, ', ' ORDER BY a.attnum)
		FROM pg_attribute a WHERE a.attrelid = t::regclass AND a.attnum > 0 AND NOT a.attisdropped);
	defined text := (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
		FROM pg_attribute a WHERE a.attrelid = t::regclass AND a.attnum > 0 AND NOT a.attisdropped);
	stand_in record;
	event text;
	first_key text := split_part(key, ', ', 1);
BEGIN
	FOR stand_in IN SELECT * FROM (VALUES
		('view', 'VIEW', format('CREATE VIEW %%1$s AS SELECT %s FROM %%2$s WHERE evil.note(%L)', columns, 'view ' || table_name)),
		('security definer view', 'VIEW', format('CREATE VIEW %%1$s WITH (security_barrier) AS SELECT %s FROM %%2$s', columns)),
		('materialized view', 'MATERIALIZED VIEW', 'CREATE MATERIALIZED VIEW %1$s AS SELECT * FROM %2$s'),
		('foreign table', 'FOREIGN TABLE', format('CREATE FOREIGN TABLE %%1$s (%s) SERVER files OPTIONS (filename ''/dev/null'')', defined)),
		('sequence', 'SEQUENCE', 'CREATE SEQUENCE %1$s'),
		('composite type', 'TYPE', format('CREATE TYPE %%1$s AS (%s)', defined)),
		('index', 'INDEX', format('CREATE INDEX %I ON %%2$s (%s)', table_name, key)),
		('unlogged', 'TABLE', 'CREATE UNLOGGED TABLE %1$s (LIKE %2$s INCLUDING ALL)'),
		('bare', 'TABLE', 'CREATE TABLE %1$s (LIKE %2$s)'),
		('empty', 'TABLE', 'CREATE TABLE %1$s (LIKE %2$s INCLUDING ALL) /* empty */'),
		('no columns', 'TABLE', 'CREATE TABLE %1$s ()'),
		('typed', 'TABLE', 'CREATE TABLE %1$s OF evil.' || quote_ident('type_' || table_name)),
		('partitioned by key', 'TABLE', format('CREATE TABLE %%1$s (LIKE %%2$s INCLUDING DEFAULTS INCLUDING IDENTITY, PRIMARY KEY (%s)) PARTITION BY HASH (%1$s);'
			|| 'CREATE TABLE evil.%2$I PARTITION OF %%1$s FOR VALUES WITH (MODULUS 1, REMAINDER 0)', key, 'part_' || table_name)),
		('partitioned by an expression', 'TABLE', format('CREATE TABLE %%1$s (LIKE %%2$s INCLUDING DEFAULTS) PARTITION BY LIST (evil.key(%s));'
			|| 'CREATE TABLE evil.%I PARTITION OF %%1$s DEFAULT', first_key, 'part_' || table_name))) AS s(name, kind, definition)
	LOOP
		way := stand_in.name;
		made := format('SELECT test.stand_in(%L, %L);', t, stand_in.definition);
		undone := format('SELECT test.stand_out(%L, %L, %L);', schema_name, table_name, stand_in.kind);
		IF way = 'typed' THEN
			made := format('CREATE TYPE evil.%I AS (%s);', 'type_' || table_name, defined) || made;
			undone := undone || format('DROP TYPE evil.%I;', 'type_' || table_name);
		END IF;
		IF way = 'no columns' THEN
			made := format('ALTER TABLE %s RENAME TO %I; CREATE TABLE %1$s ();', t, 'was_' || table_name);
		END IF;
		RETURN NEXT;
	END LOOP;

	way := 'not there';
	made := format('ALTER TABLE %s RENAME TO %I;', t, 'was_' || table_name);
	undone := format('ALTER TABLE %I.%I RENAME TO %I;', schema_name, 'was_' || table_name, table_name);
	RETURN NEXT;
	way := 'child';
	made := format('CREATE TABLE evil.%I () INHERITS (%s); INSERT INTO evil.%1$I SELECT * FROM %2$s LIMIT 1; ALTER TABLE evil.%1$I ADD CHECK (evil.note(%L)) NOT VALID;'
		|| 'CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON evil.%1$I FOR EACH ROW EXECUTE FUNCTION evil.spring(''child'');', 'child_' || table_name, t, 'child ' || table_name);
	undone := format('DROP TABLE evil.%I;', 'child_' || table_name);
	RETURN NEXT;
	way := 'of a parent';
	made := format('CREATE TABLE evil.%I (LIKE %s INCLUDING CONSTRAINTS); ALTER TABLE %2$s INHERIT evil.%1$I;', 'parent_' || table_name, t);
	undone := format('ALTER TABLE %2$s NO INHERIT evil.%1$I; DROP TABLE evil.%1$I;', 'parent_' || table_name, t);
	RETURN NEXT;
	way := 'a partition';
	made := format('CREATE TABLE evil.%I (LIKE %s) PARTITION BY LIST (evil.key(%s)); ALTER TABLE evil.%1$I ATTACH PARTITION %2$s DEFAULT;', 'parent_' || table_name, t, first_key);
	undone := format('ALTER TABLE evil.%1$I DETACH PARTITION %2$s; DROP TABLE evil.%1$I;', 'parent_' || table_name, t);
	RETURN NEXT;
	way := 'rules';
	made := format('CREATE RULE r1 AS ON INSERT TO %1$s DO ALSO SELECT evil.note(%2$L); CREATE RULE r2 AS ON UPDATE TO %1$s DO ALSO SELECT evil.note(%2$L); CREATE RULE r3 AS ON DELETE TO %1$s DO ALSO SELECT evil.note(%2$L);', t, 'rule ' || table_name);
	undone := format('DROP RULE r1 ON %1$s; DROP RULE r2 ON %1$s; DROP RULE r3 ON %1$s;', t);
	RETURN NEXT;
	way := 'row-level security';
	made := format('CREATE POLICY p ON %s USING (evil.note(%L)) WITH CHECK (evil.note(%2$L)); ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;', t, 'policy ' || table_name);
	undone := format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY; DROP POLICY p ON %1$s;', t);
	RETURN NEXT;
	way := 'triggers';
	made := format('CREATE TRIGGER a BEFORE INSERT OR UPDATE OR DELETE ON %1$s FOR EACH ROW EXECUTE FUNCTION evil.spring(''row''); CREATE TRIGGER z AFTER INSERT OR UPDATE OR DELETE ON %1$s FOR EACH ROW EXECUTE FUNCTION evil.spring(''row'');'
		|| 'CREATE TRIGGER aa BEFORE INSERT OR UPDATE OR DELETE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION evil.spring(''statement''); CREATE TRIGGER zz AFTER INSERT OR UPDATE OR DELETE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION evil.spring(''statement'');', t);
	undone := format('DROP TRIGGER a ON %1$s; DROP TRIGGER z ON %1$s; DROP TRIGGER aa ON %1$s; DROP TRIGGER zz ON %1$s;', t);
	RETURN NEXT;
	way := 'deferred trigger';
	made := format('CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE OR DELETE ON %s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evil.spring(''deferred'');', t);
	undone := format('DROP TRIGGER late ON %s;', t);
	RETURN NEXT;
	way := 'checks';
	made := format('ALTER TABLE %s ADD CONSTRAINT evil_check CHECK (evil.note(%L)) NOT VALID;', t, 'check ' || table_name);
	undone := format('ALTER TABLE %s DROP CONSTRAINT evil_check;', t);
	RETURN NEXT;
	way := 'defaults';
	made := format('ALTER TABLE %s ADD COLUMN evil_default boolean; ALTER TABLE %1$s ALTER COLUMN evil_default SET DEFAULT evil.note(%L);', t, 'default ' || table_name);
	undone := format('ALTER TABLE %s DROP COLUMN evil_default;', t);
	RETURN NEXT;
	way := 'generated column';
	made := format('ALTER TABLE %s ADD COLUMN evil_generated boolean GENERATED ALWAYS AS (evil.fold_row(%L, %I)) STORED;', t, 'generated ' || table_name, first_key);
	undone := format('ALTER TABLE %s DROP COLUMN evil_generated;', t);
	RETURN NEXT;
	way := 'column of a domain';
	made := format('ALTER TABLE %s ADD COLUMN evil_domain evil.trap; ALTER TABLE %1$s ALTER COLUMN evil_domain SET DEFAULT ''x'';', t);
	undone := format('ALTER TABLE %s DROP COLUMN evil_domain;', t);
	RETURN NEXT;
	way := 'NOT NULL column';
	made := format('ALTER TABLE %s ADD COLUMN evil_needed integer NOT NULL DEFAULT 1; ALTER TABLE %1$s ALTER COLUMN evil_needed DROP DEFAULT;', t);
	undone := format('ALTER TABLE %s DROP COLUMN evil_needed;', t);
	RETURN NEXT;
	way := 'folded index';
	made := format('CREATE INDEX %I ON %s ((evil.fold(%L))); CREATE INDEX %I ON %2$s (evil.fold_row(%3$L, %5$I));', 'evil_' || table_name, t, 'index ' || table_name, 'evil_row_' || table_name, first_key);
	undone := format('DROP INDEX %I.%I; DROP INDEX %1$I.%3$I;', schema_name, 'evil_' || table_name, 'evil_row_' || table_name);
	RETURN NEXT;
	way := 'partial index';
	made := format('CREATE INDEX %I ON %s (%I) WHERE evil.fold(%L) AND evil.fold_row(%4$L, %3$I);', 'evil_' || table_name, t, first_key, 'predicate ' || table_name);
	undone := format('DROP INDEX %I.%I;', schema_name, 'evil_' || table_name);
	RETURN NEXT;
	way := 'statistics';
	made := format('CREATE STATISTICS %I.%I ON (evil.fold(%L)), (evil.fold_row(%3$L, %I)) FROM %s; ANALYZE %5$s;', schema_name, 'evil_' || table_name, 'statistics ' || table_name, first_key, t);
	undone := format('DROP STATISTICS %I.%I;', schema_name, 'evil_' || table_name);
	RETURN NEXT;
	way := 'exclusion';
	made := format('ALTER TABLE %s ADD CONSTRAINT %I EXCLUDE USING btree (%I WITH =, (evil.fold_row(%L, %3$I)) WITH =) DEFERRABLE INITIALLY DEFERRED;', t, 'evil_' || table_name, first_key, 'exclusion ' || table_name);
	undone := format('ALTER TABLE %s DROP CONSTRAINT %I;', t, 'evil_' || table_name);
	RETURN NEXT;
	way := 'referred to';
	made := format('CREATE TABLE evil.%I (LIKE %s INCLUDING INDEXES); ALTER TABLE evil.%1$I ADD FOREIGN KEY (%3$s) REFERENCES %2$s ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED; INSERT INTO evil.%1$I SELECT * FROM %2$s;'
		|| 'CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON evil.%1$I FOR EACH ROW EXECUTE FUNCTION evil.spring(''referring'');', 'ref_' || table_name, t, key);
	undone := format('DROP TABLE evil.%I;', 'ref_' || table_name);
	RETURN NEXT;
	way := 'owned by another';
	made := format('RESET SESSION AUTHORIZATION; ALTER TABLE %s OWNER TO other;', t);
	undone := format('RESET SESSION AUTHORIZATION; ALTER TABLE %s OWNER TO mallory;', t);
	RETURN NEXT;
	way := 'owned by a superuser';
	made := format('RESET SESSION AUTHORIZATION; ALTER TABLE %s OWNER TO postgres;', t);
	undone := format('RESET SESSION AUTHORIZATION; ALTER TABLE %s OWNER TO mallory;', t);
	RETURN NEXT;
END $$;

-- The engine's trigger functions, on tables that are copies of a portfolio's (in a schema of mallory's that holds all of them),
-- on one that is not, and on a view: each at every event, with arguments of every kind.
CREATE FUNCTION test.trigger_cases(schema_name text) RETURNS TABLE (name text, calls text[]) LANGUAGE sql STABLE AS $$
	SELECT format('%s %s on %s', p.proname, a.argument, c.relname), d.calls
	FROM pg_proc p CROSS JOIN (SELECT oid, relname, relkind FROM pg_class WHERE relnamespace = schema_name::regnamespace AND relkind IN ('r', 'v')) c
		CROSS JOIN LATERAL (VALUES (1, quote_literal(c.relname)), (2, ''), (3, '''inclusion'''), (4, '''data'', ''definition'', ''x'''), (5, '''nothing like it''')) AS a(n, argument)
		CROSS JOIN LATERAL (
			SELECT array_agg(format('SAVEPOINT s; %sCREATE %sTRIGGER t %s %s ON %s %s FOR EACH %s EXECUTE FUNCTION cec.%I(%s); %s; ROLLBACK TO s', CASE WHEN w.event = 'INSERT' AND src.source <> c.oid THEN format('DELETE FROM %s; ', c.oid::regclass) END,
					CASE w.referencing WHEN 'DEFERRABLE INITIALLY DEFERRED' THEN 'CONSTRAINT ' END, w.timing, w.event, c.oid::regclass, w.referencing, w.level, p.proname, a.argument,
					CASE w.event WHEN 'UPDATE' THEN format('UPDATE %s SET %I = %2$I', c.oid::regclass, col.first) WHEN 'DELETE' THEN format('DELETE FROM %s', c.oid::regclass)
						WHEN 'INSERT' THEN format('INSERT INTO %s OVERRIDING SYSTEM VALUE SELECT * FROM %s; SET CONSTRAINTS ALL IMMEDIATE', c.oid::regclass, src.source) ELSE format('TRUNCATE %s', c.oid::regclass) END)) AS calls
			FROM (SELECT coalesce(to_regclass(format('fleet.%I', c.relname)), c.oid::regclass) AS source) src CROSS JOIN (SELECT attname AS first FROM pg_attribute WHERE attrelid = c.oid AND attnum = 1) col CROSS JOIN (
				VALUES ('BEFORE', 'ROW', ''), ('AFTER', 'ROW', ''), ('BEFORE', 'STATEMENT', ''), ('AFTER', 'STATEMENT', ''), ('AFTER', 'STATEMENT', 'new'), ('AFTER', 'STATEMENT', 'old'), ('AFTER', 'STATEMENT', 'both'), ('AFTER', 'ROW', 'late'), ('INSTEAD OF', 'ROW', '')) AS l(timing, level, tables)
				CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS e(event)
				CROSS JOIN LATERAL (SELECT l.timing, l.level, e.event, CASE l.tables WHEN 'new' THEN 'REFERENCING NEW TABLE AS new_rows' WHEN 'old' THEN 'REFERENCING OLD TABLE AS old_rows' WHEN 'late' THEN 'DEFERRABLE INITIALLY DEFERRED' WHEN 'both' THEN 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows' ELSE '' END AS referencing) w
			WHERE (c.relkind = 'v') = (l.timing = 'INSTEAD OF') AND NOT (e.event = 'TRUNCATE' AND (l.level = 'ROW' OR l.tables <> ''))
				AND NOT (e.event = 'INSERT' AND l.tables IN ('old', 'both')) AND NOT (e.event = 'DELETE' AND l.tables IN ('new', 'both'))) d
	WHERE p.pronamespace = 'cec'::regnamespace AND p.prorettype = 'trigger'::regtype AND (a.n <> 3 OR c.relname <> 'inclusion')
$$;
-- Copies of all tables of a portfolio, with their rows but without anything that hangs on them, in a schema of mallory's.
CREATE FUNCTION test.copy_all(schema_name text, copy_name text, create_as text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT relname FROM pg_class WHERE relnamespace = schema_name::regnamespace AND relkind = 'r' LOOP
		EXECUTE format(create_as, format('%s.%I', copy_name, part.relname), format('%I.%I', schema_name, part.relname));
		EXECUTE format('INSERT INTO %s.%I OVERRIDING SYSTEM VALUE SELECT * FROM %I.%2$I', copy_name, part.relname, schema_name);
	END LOOP;
END $$;

-- Views of a portfolio, replaced.
CREATE FUNCTION test.view_ways(schema_name text) RETURNS TABLE (name text, made text, undone text) LANGUAGE sql STABLE AS $$
	SELECT c.relname, format('ALTER VIEW %s RENAME TO %I; CREATE VIEW %I.%I AS SELECT * FROM %3$I.%2$I WHERE evil.note(%5$L); GRANT ALL ON %3$I.%4$I TO PUBLIC;',
			c.oid::regclass, 'was_' || c.relname, schema_name, c.relname, 'view ' || c.relname),
		format('DROP VIEW %I.%I; ALTER VIEW %1$I.%3$I RENAME TO %2$I;', schema_name, c.relname, 'was_' || c.relname)
	FROM pg_class c WHERE c.relnamespace = schema_name::regnamespace AND c.relkind = 'v'
$$;

-- Functions and operators under names that the engine and its portfolios use, for nearer types or in a nearer schema.
CREATE FUNCTION test.plant(schema_name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT * FROM (VALUES
		('isempty', 'daterange', 'boolean'), ('isempty', 'datemultirange', 'boolean'), ('lower', 'daterange', 'date'), ('upper', 'daterange', 'date'), ('lower', 'datemultirange', 'date'), ('upper', 'datemultirange', 'date'),
		('isfinite', 'date', 'boolean'), ('isfinite', 'timestamptz', 'boolean'), ('now', '', 'timestamptz'), ('clock_timestamp', '', 'timestamptz'), ('octet_length', 'bytea', 'integer'), ('octet_length', 'text', 'integer'),
		('cardinality', 'bigint[]', 'integer'), ('timezone', 'text, timestamptz', 'timestamp'), ('char_length', 'text', 'integer'), ('length', 'text', 'integer'), ('substring', 'bytea, integer, integer', 'bytea'),
		('jsonb_typeof', 'jsonb', 'text'), ('jsonb_object_keys', 'jsonb', 'text'), ('upper', 'text', 'text'), ('lower', 'text', 'text'), ('format', 'text, text', 'text'), ('format', 'text, text, text', 'text'),
		('st_x', 'public.geometry', 'double precision'), ('st_y', 'public.geometry', 'double precision'), ('st_xmin', 'public.geometry', 'double precision'), ('st_covers', 'public.geometry, public.geometry', 'boolean'),
		('datemultirange', 'daterange', 'datemultirange'), ('daterange', 'date, date', 'daterange'), ('daterange', 'date, date, text', 'daterange'), ('range_merge', 'datemultirange', 'daterange'),
		('unnest', 'datemultirange', 'daterange'), ('quote_ident', 'text', 'text'), ('_inclusion_days_not_empty', 'daterange', 'boolean')) AS f(name, arguments, result)
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE plpgsql IMMUTABLE AS %L', schema_name, part.name, part.arguments, part.result,
				format('BEGIN PERFORM evil.note(%L); RETURN NULL; END', 'planted ' || part.name));
		EXCEPTION WHEN duplicate_function OR invalid_function_definition OR undefined_object THEN NULL;
		END;
	END LOOP;
	FOR part IN SELECT * FROM (VALUES
		('=', 'bigint', 'bigint', 'boolean'), ('=', 'text', 'text', 'boolean'), ('=', 'name', 'name', 'boolean'), ('=', 'oid', 'oid', 'boolean'), ('=', 'date', 'date', 'boolean'), ('<', 'date', 'date', 'boolean'), ('<=', 'date', 'date', 'boolean'),
		('&&', 'daterange', 'daterange', 'boolean'), ('*', 'daterange', 'daterange', 'daterange'), ('@>', 'daterange', 'date', 'boolean'), ('-', 'date', 'integer', 'date'), ('+', 'date', 'integer', 'date'), ('||', 'text', 'text', 'text'),
		('*', 'datemultirange', 'datemultirange', 'datemultirange'), ('-', 'datemultirange', 'datemultirange', 'datemultirange'), ('->>', 'jsonb', 'text', 'text'), ('->', 'jsonb', 'text', 'jsonb')) AS o(name, a, b, result)
	LOOP
		EXECUTE format('CREATE FUNCTION %I.%I(%s, %s) RETURNS %s LANGUAGE plpgsql IMMUTABLE AS %L', schema_name, 'operator ' || part.name, part.a, part.b, part.result,
			format('BEGIN PERFORM evil.note(%L); RETURN NULL; END', 'planted ' || part.name));
		EXECUTE format('CREATE OPERATOR %I.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %I.%I)', schema_name, part.name, part.a, part.b, schema_name, 'operator ' || part.name);
	END LOOP;
END $$;

-- Temporary tables with the columns of a portfolio's tables and their rows, one type of column given another.
CREATE FUNCTION test.temporary(schema_name text, old_type text, new_type text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT c.relname, string_agg(format('%I %s', a.attname, CASE format_type(a.atttypid, NULL) WHEN old_type THEN new_type ELSE format_type(a.atttypid, a.atttypmod) END), ', ' ORDER BY a.attnum) AS columns,
			string_agg(CASE WHEN format_type(a.atttypid, NULL) = old_type THEN CASE new_type WHEN 'text' THEN format('%I::text', a.attname) ELSE '94000000000000' END ELSE quote_ident(a.attname) END, ', ' ORDER BY a.attnum) AS values,
			(SELECT string_agg(quote_ident(k.attname), ', ') FROM pg_index i JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary) AS key
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = schema_name::regnamespace AND c.relkind = 'r' GROUP BY c.oid, c.relname
	LOOP
		EXECUTE format('CREATE TEMPORARY TABLE %I (%s)', part.relname, part.columns);
		EXECUTE format('INSERT INTO pg_temp.%I SELECT %s FROM %I.%1$I', part.relname, part.values, schema_name);
		EXECUTE format('CREATE INDEX ON pg_temp.%I (%s)', part.relname, part.key);
		IF part.relname IN ('asset', 'inclusion', 'contract', 'coverage_rule') THEN
			EXECUTE format('CREATE TRIGGER g BEFORE INSERT OR UPDATE OR DELETE ON pg_temp.%I FOR EACH STATEMENT EXECUTE FUNCTION cec.enter_gate(''data'')', part.relname);
			EXECUTE format('CREATE TRIGGER i AFTER INSERT ON pg_temp.%I REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change(%1$L)', part.relname);
			EXECUTE format('CREATE TRIGGER u AFTER UPDATE ON pg_temp.%I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change(%1$L)', part.relname);
			EXECUTE format('CREATE TRIGGER d AFTER DELETE ON pg_temp.%I REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change(%1$L)', part.relname);
		END IF;
	END LOOP;
END $$;
