-- Who may do what: levels of access to a portfolio.

CREATE VIEW cec.access_level AS
SELECT v.level, v.meaning
FROM (VALUES
	('analyst', 'Reads register, contracts, lists and coverage, and asks.'),
	('manager', 'Writes lists, bundles, rules, amendments, contracts, terms and prices.'),
	('registry', 'Writes the register.'),
	('billing', 'Reads what is handed over to billing.'),
	('auditor', 'Reads and verifies the log, and erases entries.'),
	('admin', 'Writes everything that is stated, and reads the log.')
) AS v(level, meaning);

-- The matrix. Each room says in a file of its own, NAME.access.sql, who may do what with its tables, views and functions; '{all}'
-- stands for all levels.
CREATE TABLE cec._access_row (
	object text COLLATE "C" NOT NULL,
	read_by text[] NOT NULL DEFAULT '{}',
	write_by text[] NOT NULL DEFAULT '{}',
	run_by text[] NOT NULL DEFAULT '{}',
	CONSTRAINT _access_row_pkey PRIMARY KEY (object)
);

CREATE VIEW cec.access_privilege AS
SELECT l.level, r.object, p.privileges
FROM cec._access_row r
	CROSS JOIN LATERAL (VALUES ('SELECT', r.read_by), ('INSERT, UPDATE, DELETE', r.write_by), ('EXECUTE', r.run_by)) AS p(privileges, levels)
	JOIN cec.access_level l ON l.level = ANY (p.levels) OR 'all' = ANY (p.levels);

-- The schema of a portfolio whose levels the caller may give and take. Errors: 22004, 22023 (level, PUBLIC), 3F000, 42501, 42704.
CREATE FUNCTION cec._require_access(portfolio text, role name, level text) RETURNS regnamespace
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	schema regnamespace;
BEGIN
	IF portfolio IS NULL OR role IS NULL OR level IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'access needs a portfolio, a role and a level',
			DETAIL = format('Portfolio %s, role %s, level %s.', coalesce(portfolio, 'NULL'), coalesce(role, 'NULL'), coalesce(level, 'NULL'));
	END IF;
	schema := cec._require_portfolio(portfolio);
	IF NOT EXISTS (SELECT FROM cec.access_level l WHERE l.level = _require_access.level) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('there is no level of access "%s"', level),
			HINT = (SELECT format('Levels are %s.', string_agg(l.level, ', ' ORDER BY l.level)) FROM cec.access_level l);
	END IF;
	-- No role can have this name: GRANT takes it for everyone.
	IF role = 'public' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'levels of access are given to roles, not to everyone',
			HINT = 'Make a role, give it the level, and grant that role to whoever is to have it.';
	END IF;
	-- GRANT by somebody who holds a privilege but may not pass it on is a mere warning.
	IF NOT pg_has_role((SELECT nspowner FROM pg_namespace WHERE oid = schema), 'USAGE') THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of portfolio %s', schema),
			HINT = 'The view cec.portfolio says who owns it.';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object', MESSAGE = format('role "%s" does not exist', role);
	END IF;
	RETURN schema;
END;
$$;

-- What levels give to run is nobody else's; a restore without privileges leaves it to PUBLIC.
CREATE FUNCTION cec._close_to_public(portfolio regnamespace) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	function regprocedure;
BEGIN
	FOR function IN
		SELECT p.oid
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspowner = p.proowner
		WHERE n.oid = portfolio AND p.proname IN (SELECT a.object FROM cec.access_privilege a WHERE a.privileges = 'EXECUTE')
			AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) AS a WHERE a.grantee = 0))
	LOOP
		EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', function);
	END LOOP;
END;
$$;

CREATE FUNCTION cec.grant_access(portfolio text, role name, level text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	schema regnamespace := cec._require_access(portfolio, role, level);
	part record;
BEGIN
	PERFORM cec._close_to_public(schema);
	EXECUTE format('GRANT USAGE ON SCHEMA %s TO %I', schema, role);
	FOR part IN SELECT p.object, p.privileges FROM cec.access_privilege p WHERE p.level = grant_access.level LOOP
		EXECUTE format('GRANT %s ON %s %s.%I TO %I', part.privileges,
			CASE part.privileges WHEN 'EXECUTE' THEN 'FUNCTION' ELSE 'TABLE' END, schema, part.object, role);
	END LOOP;
END;
$$;

-- The matrix, one row for each privilege.
CREATE VIEW cec._access_needed AS
SELECT DISTINCT p.level, p.object, v.privilege
FROM cec.access_privilege p
	JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('EXECUTE')) AS v(privilege)
		ON pg_catalog.strpos(p.privileges, v.privilege) > 0;
GRANT SELECT ON cec._access_needed TO PUBLIC;

-- What roles other than the owner have been granted by name in a portfolio; the schema's own row has no object.
CREATE FUNCTION cec._access_granted(portfolio regnamespace) RETURNS TABLE (role oid, object text, privilege text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT DISTINCT a.grantee, o.name, a.privilege_type
		FROM (SELECT relname::text, relowner, relacl FROM pg_class WHERE relnamespace = portfolio
			UNION ALL SELECT proname, proowner, proacl FROM pg_proc WHERE pronamespace = portfolio
			UNION ALL SELECT NULL, nspowner, nspacl FROM pg_namespace WHERE oid = portfolio) AS o(name, owner, acl)
			CROSS JOIN LATERAL aclexplode(o.acl) AS a
		WHERE a.grantee NOT IN (0, o.owner);
END;
$$;

CREATE FUNCTION cec.access_grant(portfolio regnamespace) RETURNS TABLE (level text, role name, is_covered boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		WITH needed AS MATERIALIZED (
			SELECT n.level, array_agg(ROW(n.object, n.privilege)::text) || ARRAY['(,USAGE)'] AS rights FROM cec._access_needed n GROUP BY n.level
		), granted AS MATERIALIZED (
			SELECT g.role, array_agg(ROW(g.object, g.privilege)::text) AS rights FROM cec._access_granted(portfolio) g GROUP BY g.role
		), held AS MATERIALIZED (
			SELECT n.level, g.role, n.rights FROM needed n JOIN granted g ON n.rights <@ g.rights
		)
		SELECT h.level, pg_get_userbyid(h.role),
			EXISTS (SELECT FROM held o WHERE o.role = h.role AND o.level <> h.level AND h.rights <@ o.rights)
		FROM held h
		ORDER BY 2, 1;
END;
$$;

CREATE FUNCTION cec.revoke_access(portfolio text, role name, level text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	schema regnamespace := cec._require_access(portfolio, role, level);
	held text[] := ARRAY(SELECT g.level FROM cec.access_grant(schema) g WHERE g.role = revoke_access.role);
	is_held boolean := level = ANY (held);
	kept text[];
	part record;
	is_any boolean := false;
BEGIN
	-- What a level covers was not given apart from it, and goes with it.
	kept := ARRAY(SELECT h FROM unnest(held) AS h
		WHERE h <> level AND NOT (is_held AND NOT EXISTS (
			SELECT n.object, n.privilege FROM cec._access_needed n WHERE n.level = h
			EXCEPT SELECT n.object, n.privilege FROM cec._access_needed n WHERE n.level = revoke_access.level)));
	FOR part IN SELECT g.object, string_agg(g.privilege, ', ') AS privileges
		FROM cec._access_granted(schema) g
			JOIN cec._access_needed n ON n.level = revoke_access.level AND n.object = g.object AND n.privilege = g.privilege
		WHERE g.role = quote_ident(revoke_access.role)::regrole
			AND NOT EXISTS (SELECT FROM cec._access_needed k
				WHERE k.level = ANY (kept) AND k.object = g.object AND k.privilege = g.privilege)
		GROUP BY g.object
	LOOP
		is_any := true;
		EXECUTE format('REVOKE %s ON %s %s.%I FROM %I', part.privileges,
			CASE part.privileges WHEN 'EXECUTE' THEN 'FUNCTION' ELSE 'TABLE' END, schema, part.object, role);
	END LOOP;
	IF NOT is_any THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_grant_operation',
			MESSAGE = format('role "%s" has nothing of level %s to take away in portfolio %s', role, level, schema),
			DETAIL = CASE WHEN is_held THEN format('Other levels that it holds have the same rights: %s.', array_to_string(kept, ', '))
				WHEN role = (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE oid = schema) THEN 'It owns the portfolio.'
				WHEN held = '{}' THEN 'It holds no level.' ELSE format('It holds: %s.', array_to_string(held, ', ')) END,
			HINT = format('The view %s.access_grant says who holds which level. What a role has as a member of another is taken from that one.', schema);
	END IF;
	IF NOT EXISTS (SELECT FROM cec._access_granted(schema) g WHERE g.role = quote_ident(revoke_access.role)::regrole AND g.object IS NOT NULL) THEN
		EXECUTE format('REVOKE USAGE ON SCHEMA %s FROM %I', schema, role);
	END IF;
END;
$$;

COMMENT ON VIEW cec.access_level IS 'The levels of access; see access_privilege for what each may do.';
COMMENT ON COLUMN cec.access_level.level IS 'analyst, manager, registry, billing, auditor or admin.';
COMMENT ON COLUMN cec.access_level.meaning IS 'What it is for.';
COMMENT ON TABLE cec._access_row IS 'Private. Which levels may do what with a table, view or function of a portfolio, as its room declares it.';
COMMENT ON COLUMN cec._access_row.object IS 'Table, view or function of a portfolio.';
COMMENT ON COLUMN cec._access_row.read_by IS 'Levels that read it; {all}: every level.';
COMMENT ON COLUMN cec._access_row.write_by IS 'Levels that insert, update and delete its rows.';
COMMENT ON COLUMN cec._access_row.run_by IS 'Levels that run it.';
COMMENT ON VIEW cec.access_privilege IS 'The matrix of rights: what cec.grant_access grants.';
COMMENT ON COLUMN cec.access_privilege.level IS 'analyst, manager, registry, billing, auditor or admin.';
COMMENT ON COLUMN cec.access_privilege.object IS 'Table, view or function of a portfolio.';
COMMENT ON COLUMN cec.access_privilege.privileges IS 'Privileges, as in GRANT.';
COMMENT ON VIEW cec._access_needed IS 'Private. The matrix of rights, one row for each privilege.';
COMMENT ON COLUMN cec._access_needed.level IS 'Level of access.';
COMMENT ON COLUMN cec._access_needed.object IS 'Table, view or function of a portfolio.';
COMMENT ON COLUMN cec._access_needed.privilege IS 'Privilege, as in GRANT.';
COMMENT ON FUNCTION cec._close_to_public(regnamespace) IS 'Private. Takes from PUBLIC what levels of access give to run.';
COMMENT ON FUNCTION cec._require_access(text, name, text) IS 'Private. The schema of a portfolio whose levels of access the caller may give and take; errors as grant_access.';
COMMENT ON FUNCTION cec._access_granted(regnamespace) IS 'Private. Privileges granted by name in a portfolio, to others than its owner; the schema''s own have no object.';
COMMENT ON FUNCTION cec.grant_access(text, name, text) IS 'Gives a role a level of access to a portfolio: analyst (read), manager (lists, bundles, rules, amendments, contracts, terms, prices), registry (the register), billing (read, outbox), auditor (read, log) or admin (all stated tables, log). Run by the owner. Not for PUBLIC. Errors: 22004 NULL, 22023 level or PUBLIC, 3F000 portfolio, 42704 role, 42501 rights.';
COMMENT ON FUNCTION cec.revoke_access(text, name, text) IS 'Takes a level of access to a portfolio from a role: the privileges of that level which no other level needs that the role holds. Levels that it covers (all their privileges are its own) go with it: grant them again where they are to stay. USAGE of the schema goes with the last privilege in it. Run by the owner. Errors: 0LP01 there is nothing to take, 22004 NULL, 22023 level or PUBLIC, 3F000 portfolio, 42704 role, 42501 rights.';
COMMENT ON FUNCTION cec.access_grant(regnamespace) IS 'Who holds which level of access; see access_grant of a portfolio.';
