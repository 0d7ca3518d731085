-- What definitions are bound to.
--
-- A name in SQL binds to the best match, not to the nearest: isempty(daterange) planted in any schema of the path beats
-- pg_catalog's isempty(anyrange), and whoever owns the database owns public. So what was bound is held, by oid as it stands
-- in pg_depend, against what may be trusted, and before anything of it has run. What pg_depend does not say: objects that
-- initdb made; what PL/pgSQL finds when it runs (the path is pinned at each function); operators of exclusion constraints
-- (the server takes none but those of the operator class, which it says).

-- Raises 55000 where a table, constraint, view, default, trigger, policy, type or function of a schema is bound to anything
-- but what initdb made, what is the schema's own and belongs to its owner, and members of cec, postgis and btree_gist that
-- belong to a superuser: the owner of an extension may make any function of his a member of it. Given the script that made
-- the schema, only what is named in it is looked at: what people added is theirs. NULL: everything in the schema.
CREATE FUNCTION cec._check_binding(checked regnamespace, script text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- No pg_shdepend names the bootstrap superuser's objects; oids below the second are given by initdb alone.
	bootstrap_superuser CONSTANT oid := 10;
	first_normal_object CONSTANT oid := 16384;
	found record;
BEGIN
	WITH part (classid, objid, names) AS (
		SELECT 'pg_class'::regclass, oid, ARRAY[relname] FROM pg_class WHERE relnamespace = checked
		UNION ALL SELECT 'pg_type'::regclass, oid, ARRAY[typname] FROM pg_type WHERE typnamespace = checked
		UNION ALL SELECT 'pg_proc'::regclass, oid, ARRAY[proname] FROM pg_proc WHERE pronamespace = checked
		UNION ALL SELECT 'pg_operator'::regclass, oid, ARRAY[oprname] FROM pg_operator WHERE oprnamespace = checked
		UNION ALL SELECT 'pg_constraint'::regclass, oid, ARRAY[conname] FROM pg_constraint WHERE connamespace = checked
		UNION ALL SELECT 'pg_attrdef'::regclass, d.oid, ARRAY[c.relname, a.attname]
			FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
				JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
			WHERE c.relnamespace = checked
		UNION ALL SELECT 'pg_rewrite'::regclass, r.oid, ARRAY[c.relname, nullif(r.rulename, '_RETURN')]
			FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE c.relnamespace = checked
		-- The script calls _arm_table, which names its triggers itself.
		UNION ALL SELECT 'pg_trigger'::regclass, t.oid, ARRAY[c.relname, CASE WHEN t.tgname !~ '^cec_' THEN t.tgname END]
			FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = checked
		UNION ALL SELECT 'pg_policy'::regclass, p.oid, ARRAY[c.relname, p.polname]
			FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = checked
	), bound AS (
		SELECT p.classid, p.objid, p.names, d.refclassid, d.refobjid, coalesce(s.refobjid, bootstrap_superuser) AS owner_id,
			EXISTS (SELECT FROM part o WHERE o.classid = d.refclassid AND o.objid = d.refobjid) AS is_own,
			e.extname
		FROM part p
			JOIN pg_depend d USING (classid, objid)
			LEFT JOIN pg_shdepend s ON s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
				AND s.classid = d.refclassid AND s.objid = d.refobjid AND s.objsubid = 0 AND s.deptype = 'o'
			LEFT JOIN pg_depend m ON m.classid = d.refclassid AND m.objid = d.refobjid AND m.objsubid = 0
				AND m.refclassid = 'pg_extension'::regclass AND m.deptype = 'e'
			LEFT JOIN pg_extension e ON e.oid = m.refobjid
		WHERE d.refobjid >= first_normal_object AND d.refclassid NOT IN ('pg_namespace'::regclass, 'pg_extension'::regclass)
	), planted AS MATERIALIZED (
		SELECT b.*
		FROM bound b
		WHERE NOT (b.is_own AND b.owner_id = (SELECT nspowner FROM pg_namespace WHERE oid = checked))
			AND NOT (b.extname IN ('cec', 'postgis', 'btree_gist', 'plpgsql')
				AND (SELECT rolsuper FROM pg_roles WHERE oid = b.owner_id))
	), told AS (
		SELECT DISTINCT pg_describe_object(classid, objid, 0) AS part, pg_describe_object(refclassid, refobjid, 0) AS bound_to,
			owner_id::regrole AS owner, extname
		FROM planted p
		WHERE script IS NULL OR NOT EXISTS (SELECT FROM unnest(p.names) AS n(name)
			WHERE n.name::text <> ALL (ARRAY(
				-- Words of the script, but for comments and literals.
				SELECT (regexp_matches(regexp_replace(script, '--[^\n]*|''[^'']*''', ' ', 'g'), '\w+', 'g'))[1])))
	), placed AS (
		SELECT *, row_number() OVER (ORDER BY part, bound_to) AS place, count(*) OVER () AS places FROM told
	)
	SELECT min(p.part) FILTER (WHERE p.place = 1) AS part, min(p.bound_to) FILTER (WHERE p.place = 1) AS bound_to,
			min(p.owner::text) FILTER (WHERE p.place = 1) AS owner, min(p.extname) FILTER (WHERE p.place = 1) AS extension,
			string_agg(format('%s to %s of role %s', p.part, p.bound_to, p.owner), '; ' ORDER BY p.place) AS parts,
			max(p.places) - count(*) AS further
		INTO found FROM placed p WHERE p.place <= 10;
	IF found.part IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('%s is bound to %s, which belongs to role %s', found.part, found.bound_to, found.owner),
			DETAIL = format('Bound are: %s%s.', found.parts, CASE WHEN found.further > 0 THEN format('; and %s more', found.further) ELSE '' END),
			HINT = CASE WHEN found.extension IN ('cec', 'postgis', 'btree_gist')
				THEN format('A member of extension %s is trusted where a superuser owns it: change its owner, or drop it.', found.extension)
				WHEN script IS NULL THEN 'It took the place of what is meant. Drop it, or move it to another schema, and try again.'
				ELSE 'It took the place of what is meant. Drop it with what is bound to it, and restore again.' END;
	END IF;
END;
$$;

COMMENT ON FUNCTION cec._check_binding(regnamespace, text) IS 'Private. Raises SQLSTATE 55000 where a definition of a schema (only what the script names; NULL: all) is bound to what is neither the server''s, nor the schema''s own, nor a superuser''s member of cec, postgis or btree_gist.';
