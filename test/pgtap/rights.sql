-- Who may do what: every level × every table, view, column, sequence and function × every privilege, from the catalog.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();
CREATE ROLE regress_owner NOLOGIN;
CREATE ROLE regress_nobody NOLOGIN;
DO $$ DECLARE l text; BEGIN
	PERFORM cec.create_portfolio('fleet', 'regress_owner');
	FOR l IN SELECT DISTINCT level FROM cec.access_level LOOP
		EXECUTE format('CREATE ROLE %I NOLOGIN', 'regress_' || l);
		PERFORM cec.grant_access('fleet', 'regress_' || l, l);
	END LOOP;
END $$;

SELECT set_eq('SELECT DISTINCT level FROM cec.access_level', ARRAY['analyst', 'manager', 'registry', 'billing', 'auditor', 'admin'], 'the levels are those of the design');

-- What the matrix says, one privilege a row, and what the catalog says.
CREATE TEMP TABLE due AS
SELECT 'regress_' || level AS role, object, upper(btrim(p)) AS privilege FROM cec.access_privilege, regexp_split_to_table(privileges, ',') AS p;
CREATE TEMP TABLE relation AS
SELECT c.oid, c.relname::text AS name, c.relkind FROM pg_class c WHERE c.relnamespace = 'fleet'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S');
CREATE TEMP TABLE routine AS
SELECT p.oid, p.proname::text AS name FROM pg_proc p WHERE p.pronamespace = 'fleet'::regnamespace;
CREATE TEMP TABLE role AS SELECT rolname::text AS name FROM pg_roles WHERE rolname IN (SELECT role FROM due) OR rolname = 'regress_nobody';

SELECT bag_eq('SELECT object FROM cec._access_row', $$SELECT name FROM relation WHERE relkind <> 'S' UNION ALL SELECT DISTINCT name FROM routine$$, 'each table, view and function is declared by a room, once');
SELECT is_empty($$SELECT object, l FROM cec._access_row, unnest(read_by || write_by || run_by) AS l WHERE l <> 'all' AND l NOT IN (SELECT level FROM cec.access_level)$$, 'of levels that there are');
SELECT is_empty($$SELECT object FROM cec._access_row WHERE run_by = '{}' AND object IN (SELECT name FROM routine) OR NOT 'all' = ANY (read_by) AND NOT write_by <@ read_by$$, 'somebody runs each function, and who writes reads');
SELECT set_eq($$SELECT r.name AS role, t.name AS object, p FROM role r, relation t, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p
		WHERE t.relkind <> 'S' AND has_table_privilege(r.name, t.oid, p)$$,
	$$SELECT role, object, privilege FROM due WHERE privilege <> 'EXECUTE'$$, 'privileges on tables are the matrix, no more and no less');
SELECT is_empty($$SELECT r.name AS role, t.name AS object, a.attname, p FROM role r, relation t JOIN pg_attribute a ON a.attrelid = t.oid, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS p
	WHERE t.relkind <> 'S' AND a.attnum > 0 AND has_column_privilege(r.name, t.oid, a.attnum, p) AND NOT has_table_privilege(r.name, t.oid, p)$$, 'no privilege on a single column');
SELECT is_empty($$SELECT r.name AS role, t.name AS object, p FROM role r, relation t, unnest(ARRAY['SELECT', 'UPDATE', 'USAGE']) AS p WHERE t.relkind = 'S' AND has_sequence_privilege(r.name, t.oid, p)$$, 'no privilege on a sequence');
SELECT set_eq($$SELECT r.name AS role, f.name AS object FROM role r, routine f WHERE has_function_privilege(r.name, f.oid, 'EXECUTE')$$,
	$$SELECT role, object FROM due WHERE privilege = 'EXECUTE'$$, 'functions are the matrix, no more and no less');
SELECT set_eq($$SELECT name FROM role WHERE has_schema_privilege(name, 'fleet', 'USAGE')$$, $$SELECT DISTINCT role FROM due$$, 'the levels enter the schema, nobody else does');
SELECT is_empty($$SELECT name FROM role WHERE has_schema_privilege(name, 'fleet', 'CREATE')$$, 'nobody creates in it');
SELECT is_empty($$SELECT objid::regclass FROM (SELECT oid AS objid, relacl AS acl FROM pg_class WHERE relnamespace = 'fleet'::regnamespace
		UNION ALL SELECT oid, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc WHERE pronamespace = 'fleet'::regnamespace
		UNION ALL SELECT oid, nspacl FROM pg_namespace WHERE nspname = 'fleet') AS o, aclexplode(acl) AS x WHERE x.grantee = 0$$, 'a portfolio grants nothing to PUBLIC');
SELECT is_empty($$SELECT objid FROM (SELECT relacl AS acl, oid AS objid FROM pg_class WHERE relnamespace = 'fleet'::regnamespace
		UNION ALL SELECT proacl, oid FROM pg_proc WHERE pronamespace = 'fleet'::regnamespace) AS o, aclexplode(acl) AS x
	WHERE x.is_grantable AND x.grantee <> 'regress_owner'::regrole$$, 'nothing can be granted on');
SELECT is_empty($$SELECT relname FROM pg_class WHERE relnamespace = 'fleet'::regnamespace AND relowner <> 'regress_owner'::regrole
	UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'fleet'::regnamespace AND proowner <> 'regress_owner'::regrole
	UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 'fleet' AND nspowner <> 'regress_owner'::regrole$$, 'all of it belongs to the owner');
SELECT is_empty($$SELECT oid::regclass FROM pg_class WHERE relnamespace = 'fleet'::regnamespace AND relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)$$, 'views look with the eyes of the caller');
SELECT is_empty($$SELECT oid::regprocedure FROM pg_proc WHERE pronamespace IN ('fleet'::regnamespace, 'cec'::regnamespace) AND (prosecdef OR proleakproof)$$, 'no function has its owner''s rights or is leakproof');
SELECT set_eq($$SELECT x.privilege_type FROM pg_namespace, aclexplode(nspacl) AS x WHERE nspname = 'cec' AND x.grantee = 0$$, ARRAY['USAGE'], 'PUBLIC may use the engine''s schema only');
SELECT is_empty($$SELECT c.relname, x.privilege_type FROM pg_class c, aclexplode(c.relacl) AS x WHERE c.relnamespace = 'cec'::regnamespace AND x.grantee = 0 AND x.privilege_type <> 'SELECT'$$, 'and only read its views');

-- As it is, not only as the catalog has it: each role tries each table in each way.
CREATE FUNCTION try(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text := 'accepted';
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	BEGIN
		EXECUTE statement;
		RAISE EXCEPTION USING ERRCODE = 'RB000';
	EXCEPTION WHEN SQLSTATE 'RB000' THEN result := 'accepted';
		WHEN OTHERS THEN result := SQLSTATE;
	END;
	RESET ROLE;
	RETURN result;
END $$;
CREATE TEMP TABLE tried AS
SELECT r.name AS role, t.name AS object, v.privilege, try(r.name, format(v.statement, 'fleet.' || quote_ident(t.name), (SELECT attname FROM pg_attribute WHERE attrelid = t.oid AND attnum = 1))) AS result
FROM role r, relation t, (VALUES ('SELECT', 'SELECT count(*) FROM %1$s'), ('INSERT', 'INSERT INTO %1$s SELECT * FROM %1$s WHERE false'),
	('UPDATE', 'UPDATE %1$s SET %2$I = %2$I WHERE false'), ('DELETE', 'DELETE FROM %1$s WHERE false')) AS v(privilege, statement)
WHERE t.relkind <> 'S' AND NOT (t.relkind = 'v' AND v.privilege <> 'SELECT');
SELECT set_eq($$SELECT role, object, privilege FROM tried WHERE result = 'accepted'$$, $$SELECT role, object, privilege FROM due WHERE privilege <> 'EXECUTE'$$, 'what is accepted is the matrix');
SELECT set_eq($$SELECT DISTINCT result FROM tried$$, ARRAY['accepted', '42501'], 'and the rest is refused for want of rights');

-- A role without rights gets nothing out of the engine's functions, whatever it hands them.
CREATE TEMP TABLE call (statement text, code text);
INSERT INTO call VALUES
	($$SELECT cec._net_days()$$, 'accepted'),
	($$SELECT cec._scanned_names('x')$$, 'accepted'),
	($$SELECT cec._identifier_may_mean('x', 'y')$$, 'accepted'),
	($$SELECT * FROM cec._named('fleet'::regnamespace, '{X}', NULL)$$, '42501'),
	($$SELECT cec.grant_access('fleet', 'regress_nobody', 'admin')$$, '42501'),
	($$SELECT cec.revoke_access('fleet', 'regress_manager', 'manager')$$, '42501'),
	($$SELECT cec._require_access('fleet', 'regress_nobody', 'admin')$$, '42501'),
	($$SELECT cec.access_grant('fleet'), cec._access_granted('fleet')$$, 'accepted'),
	($$SELECT level FROM cec.access_level JOIN cec.access_privilege USING (level)$$, 'accepted'),
	($$SELECT * FROM cec._access_row$$, '42501'),
	($$SELECT cec.drop_portfolio('fleet', 'fleet')$$, '42501'),
	($$SELECT cec.rename_portfolio('fleet', 'mine')$$, '42501'),
	($$SELECT cec.upgrade_portfolio('fleet')$$, '42501'),
	($$SELECT cec.create_portfolio('mine')$$, '42501'),
	($$SELECT cec.create_portfolio('mine', 'regress_owner')$$, '42501'),
	($$SELECT cec._execute_as('regress_owner'::regrole, 'public', 'SELECT 1')$$, '42501'),
	($$SELECT cec._execute_as(10, 'public', 'SELECT 1')$$, '42501'),
	($$SELECT cec._portfolio_version('fleet'::regnamespace)$$, 'accepted'),
	($$SELECT cec._portfolio_version(0)$$, 'accepted'),
	($$SELECT cec._portfolio_version(NULL)$$, 'accepted'),
	($$SELECT name, owner, version FROM cec.portfolio$$, 'accepted'),
	($$SELECT cec.version(), cec._portfolio_script(), cec._portfolio_closing()$$, 'accepted'),
	($$SELECT cec._definition_path('x')$$, 'accepted'),
	($$SELECT cec._check_binding('cec', NULL), cec._check_binding('fleet', 'x'), cec._check_binding(NULL, NULL)$$, 'accepted'),
	($$SELECT cec._require_portfolio('fleet')$$, 'accepted'),
	($$SELECT cec.decode_row_image('\x01', 'INSERT', 'new', '{a}', '{text}')$$, 'XX001'),
	($$SELECT * FROM cec.decode_delta('\x01')$$, 'XX001'),
	($$SELECT cec._geometry_text('\x01')$$, 'XX000'),
	($$SELECT cec.enter_gate()$$, '39P01'),
	($$SELECT cec.record_change()$$, '39P01'),
	($$SELECT cec.refuse_truncate()$$, '39P01'),
	($$SELECT cec.refuse_rewrite()$$, '39P01'),
	($$SELECT cec.resolve_listed_as()$$, '39P01'),
	($$SELECT cec.resolve_seen_tag()$$, '39P01'),
	($$SELECT cec.keep_listed_asset()$$, '39P01'),
	($$SELECT cec.refuse_typing()$$, '39P01'),
	($$SELECT cec._sql('fleet'::regnamespace, 'SELECT 1'), cec._script_for('', 'x'), cec._audit_entry()$$, 'accepted'),
	($$SELECT cec._check_tables('fleet'::regnamespace)$$, 'accepted'),
	($$SELECT cec._take_shape()$$, '42501'),
	($$SELECT cec.keep_setting()$$, '0A000'),
	($$SELECT cec._require_finite('2026-01-01', now())$$, 'accepted'),
	($$SELECT cec._let_definitions()$$, 'accepted'),
	($$SELECT cec._bounds(NULL)$$, 'accepted'),
	($$SELECT * FROM cec.check_condition('country = ''DE''')$$, 'accepted'),
	($$SELECT * FROM cec.check_condition('asset_id IN (SELECT asset_id FROM fleet.asset)')$$, '0A000'),
	($$SELECT cec._condition_sql('inside_boundary')$$, 'accepted'),
	($$SELECT column_name, function_name FROM cec.rule_column, cec.rule_function$$, 'accepted'),
	($$SELECT cec._rule_columns(), cec._rule_functions()$$, 'accepted'),
	($$SELECT cec.last_maintenance('x')$$, '0A000'),
	($$SELECT cec.maintenance_count('x', '1 day')$$, '0A000'),
	($$SELECT cec.request_count('1 day')$$, '0A000'),
	($$SELECT cec.as_date('x'), cec.as_number('x'), cec._age_years('2020-01-01', '2026-01-01'), cec._bounded_text('x'), cec._bounded_jsonb('1'), cec._bounded_number(1)$$, 'accepted'),
	($$SELECT cec._last_maintenance('a', '2026-01-01', '{{a,NULL},{b,c}}', '{2026-01-01}')$$, 'accepted'),
	($$SELECT cec._maintenance_count('a', '1 day', '2026-01-01', '{a,b}', '{{2026-01-01},{NULL}}')$$, 'accepted'),
	($$SELECT cec._maintenance_count('a', '999999 years', '2026-01-01', NULL, NULL)$$, '22008'),
	($$SELECT cec._request_count('1 day', 'infinity', '{2026-01-01,-infinity}')$$, 'accepted'),
	($$SELECT cec._summary('INSERT', NULL, '{}')$$, 'accepted'),
	($$SELECT cec._abbreviate('{}'), cec._value_in_words('during', '(,)'), cec._days_in_words('(,)'), cec.identifier_key('x')$$, 'accepted'),
	($$SELECT constraint_name FROM cec.table_rule$$, 'accepted'),
	($$SELECT cec.check_tag('x', 'qr'), cec.check_digit('gs1', '1')$$, 'accepted'),
	($$SELECT cec._life('planned', NULL, NULL, '{}'), cec._day('2026-01-01')$$, 'accepted'),
	($$SELECT cec.charge_amount(1, 'per_unit_day', 'actual_days', '{}', NULL)$$, 'accepted'),
	($$SELECT cec._is_in(NULL, NULL), cec._regulation_message('x', '{}', 'x', NULL, 'x', true)$$, 'accepted'),
	($$SELECT * FROM cec._row_checks()$$, 'accepted'),
	($$SELECT cec._month_of('2026-01-01'), cec._month_after('2026-01-01'), cec._day_count('{}'), cec._asset_value('{}', 'value'), cec._life_has('planned', NULL, NULL, '{}', '2026-01-01')$$, 'accepted'),
	($$SELECT cec._map_status(NULL, NULL, NULL, NULL, NULL), cec._cut(NULL), cec._part_covers(NULL, 1, 1), cec._boundary_covers(NULL, NULL, NULL), cec._outline_polygons(NULL), cec._unroll(NULL), cec._fold(NULL)$$, 'accepted'),
	($$SELECT cec._lay_on_map(NULL), cec._lies_on_map(NULL), cec._lay_all_on_map(NULL), cec._has_area(NULL), cec._shape_in_words(NULL), cec.boundary(NULL)$$, 'accepted'),
	($$SELECT cec.boundary('POINT(1 1)')$$, '22023'),
	($$SELECT cec._charge_part(1, 'per_unit_day', 'actual_days', '{}', '(,)', NULL), cec._lies_inside(NULL, NULL)$$, 'accepted'),
	($$SELECT cec._zone_of(9, 50, 9, 50, 1000), cec._zone_middle(2251799847239680, 9, 50, 1000), length(cec._zone_outline(2251799847239680, 9, 50, 1000)), cec._zone_geojson(cec._zone_geometry(cec._zone_polygon(2251799847239680, 9, 50, 1000)))$$, 'accepted'),
	($$SELECT cec._longitude(NULL), cec._latitude(NULL), cec._boundary_mean(NULL), cec._area_mean(NULL), cec._centre(1, 0, 0), cec._distance_m(0, 0, 0, 1), (SELECT count(*) FROM cec._near_pairs('{}', '{}', '{}', '{}', 1, 1))$$, 'accepted'),
	($$SELECT cec._metric_query('SELECT FROM metric_clock'), cec._metric_part()$$, 'accepted'),
	($$SELECT * FROM cec.fleet_metric_month(), cec.calendar_month$$, 'accepted'),
	($$SELECT * FROM cec.report_column$$, 'accepted'),
	($$SELECT cec._note_report_columns('fleet')$$, '42501'),
	($$SELECT cec.keep_samples()$$, '0A000'),
	($$SELECT cec._note_direct_change('fleet', 'include', 1, 'x', NULL, '2026-01-01')$$, '42501'),
	($$SELECT cec.__note_direct_change('fleet', 'include', 1, 'x', NULL, '2026-01-01')$$, '42501'),
	($$SELECT cec._actor()$$, 'accepted'),
	($$SELECT * FROM cec._amendment_rows('[]')$$, 'accepted'),
	($$SELECT cec._require_status(1, 'draft', '{draft}', 'done')$$, 'accepted'),
	($$SELECT cec.require_days()$$, '39P01'),
	($$SELECT cec.distance_to_point_m(1, 2)$$, '0A000'),
	($$SELECT cec._require_day('a day', NULL)$$, '22004'),
	($$SELECT cec._require_policy(NULL, '{restart}')$$, '22004'),
	($$SELECT cec._is_srid(4326)$$, 'accepted'),
	($$SELECT cec._known_srid(99999)$$, '22023'),
	($$SELECT cec._refuse_name('x', NULL)$$, '23503'),
	($$SELECT cec._refuse_joined()$$, '40001'),
	($$SELECT cec._swaps_of('{}'), p FROM cec._amendment_pieces('fleet', '{}') AS p$$, 'accepted'),
	($$SELECT cec._amendment_pieces('fleet', ARRAY[(1, 'swap', NULL, 1, 1, NULL, '[2026-01-01,)', NULL, NULL, NULL, NULL, NULL, NULL, 2)::cec._amendment_step])$$, '42501'),
	($$SELECT cec._require_read_committed('this')$$, 'accepted'),
	($$SELECT cec._seal_audit('fleet'::regnamespace)$$, '25001'),
	($$SELECT * FROM cec._disarmed('fleet')$$, 'accepted'),
	($$SELECT * FROM cec._deferrable('fleet')$$, 'accepted'),
	($$SELECT cec._arm('fleet')$$, 'accepted'),
	($$SELECT cec._mend_views('fleet')$$, 'accepted'),
	($$SELECT cec._view_columns('pg_class'::regclass)$$, 'accepted'),
	($$SELECT cec._close_to_public('fleet')$$, 'accepted'),
	($$SELECT * FROM cec._trigger_shape$$, 'accepted'),
	($$DELETE FROM cec._trigger_shape$$, '42501'),
	($$SELECT * FROM cec._view_shape$$, 'accepted'),
	($$DELETE FROM cec._view_shape$$, '42501'),
	($$SELECT cec._copy_text('x'), cec._shell_word('x'), cec._pg_cron('schedule', '{}')$$, 'accepted'),
	($$SELECT cec._pg_cron_job()$$, '55000'),
	($$SELECT cec._require_task('fleet', 'seal')$$, '42501'),
	($$SELECT cec.schedule('fleet', 'seal', '* * * * *')$$, '42501'),
	($$SELECT cec.unschedule('fleet', 'seal')$$, '42501'),
	($$CALL cec.sync_assets_batched('fleet', 'erp', 'delta')$$, '42501'),
	($$SELECT cec._svg_text('<'), cec._svg_short('x', 1), cec._svg_length(1), cec._svg_north(1), cec._svg_latitude(1), cec._svg_symbol('circle', 1, 1, 1), cec._svg_span(NULL, true), cec._svg_around(NULL, NULL)$$, 'accepted'),
	($$SELECT cec._svg_outline(NULL, true, '{1,1,2,2}', 1, 1), cec._svg_graticule('{1,1,2,2}', 1, 1, 1, 1, 1), cec._svg_scale(1, 1, 1, 1, 1), cec._svg_view('{1,1,2,2}', 1, 1)$$, 'accepted'),
	($$SELECT cec._svg_symbols('{covered}', '{1}', '{1}', true, '{1,1,2,2}', 1, 1, 1), cec._svg_legend('{}', true, true, '{}', 1, 1, 1)$$, 'accepted'),
	($$SELECT cec._raise_sync_error('22023', 'said by whoever asks', NULL, NULL, NULL)$$, '22023'),
	($$SELECT cec._sync_batch('fleet', 'erp', 'delta', 0.1, NULL, 10, NULL)$$, '42501'),
	($$SELECT cec._point(11, 48), cec._is_elsewhere(NULL, NULL), cec._retired('planned', NULL, NULL, '{}', '2026-01-01')$$, 'accepted'),
	($$SELECT cec._map_column(1, 1), cec._map_row(1, 1), cec._map_is_in(1, 1, 0, 0, 0), cec._map_cell(1, 1), cec._map_cell_column(1), cec._map_cell_row(1), cec._map_position(1, 1), cec._as_double(1)$$, 'accepted'),
	($$SELECT cec._longitude('POINT(1 1)'), cec._latitude('POINT(1 1)'), cec._lies_in_box('SRID=4326;POINT(1 1)', 0, 0, 2, 2), cec._map_area('SRID=4326;POINT(1 1)', 0, 0, 0)$$, 'accepted'),
	($$SELECT cec._map_status(true, true, true, true, true), cec._map_days('{}', '{}', '{}', '{}'), cec._map_month('2026-01-05'), cec._tile_of_clusters('{}'), cec._tile_of_points('{}'), cec._tile_of_contracts('{}'), cec._tile_of_gaps('{}')$$, 'accepted'),
	($$SELECT cec.verify_audit_proof('{}'), cec.verify_audit_consistency('{}')$$, 'accepted');
-- What takes a portfolio first, and is not called above, is refused whatever else it is handed.
INSERT INTO call
SELECT format('SELECT * FROM cec.%I(%s)', p.proname, (SELECT string_agg(format('%L::%s', CASE WHEN n > 1 THEN s.value WHEN t = 'oid'::regtype THEN 'fleet'::regnamespace::oid::text ELSE 'fleet' END, t::regtype), ', ' ORDER BY n)
	FROM unnest(p.proargtypes) WITH ORDINALITY AS a(t, n), LATERAL (SELECT CASE WHEN t IN ('bigint[]'::regtype, 'xid8[]'::regtype) THEN '{1}' WHEN t::regtype::text LIKE '%[]' THEN '{}'
		WHEN t IN ('date'::regtype, 'timestamptz'::regtype) THEN '2026-01-01' WHEN t = 'jsonb'::regtype THEN '[]' WHEN t = 'geometry'::regtype THEN 'POINT(1 1)' WHEN t = 'datemultirange'::regtype THEN '{}' ELSE '1' END AS value) AS s)), '42501'
FROM pg_proc p WHERE p.pronamespace = 'cec'::regnamespace AND p.proargnames[1] = 'portfolio' AND NOT EXISTS (SELECT FROM call WHERE statement ~ ('cec\.' || p.proname || '\('));
-- Those of constraints are row_check.sql's to hand things.
INSERT INTO call SELECT format('SELECT cec._%s(%s)', constraint_name, regexp_replace(arguments, '\w+ (\S+?)(,|$)', 'NULL::\1\2', 'g')), CASE WHEN constraint_name ~ '^(gate_is_empty|field_observation_speaks_of_something|finding_waiver_says_of_what)$' THEN '23514' ELSE 'accepted' END FROM cec._row_checks();
SELECT is(try('regress_nobody', statement), code, statement) FROM call;
SELECT is_empty($$SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'cec'::regnamespace AND NOT EXISTS (SELECT FROM call WHERE statement ~ ('cec\.' || p.proname || '\('))$$,
	'no function of the engine is left out here');
SELECT results_eq($$SELECT name, owner, version FROM cec.portfolio$$, $$SELECT 'fleet'::name, 'regress_owner'::name, cec.version()$$, 'the portfolio is as it was');
SET LOCAL ROLE regress_nobody;
SELECT results_eq($$SELECT version FROM cec.portfolio$$, ARRAY[NULL::text], 'who may not read the settings sees no version');
RESET ROLE;

-- A level does its work through the functions: the manager lists, the analyst may not.
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.asset (asset_tag) VALUES ('PUMP-1');
SELECT is(try('regress_manager', $$SELECT fleet.include_asset(1, 'PUMP-1')$$), 'accepted', 'a manager lists by function');
SELECT is(try('regress_manager', $$SELECT cec.list_asset('fleet', 'include', 1, 'PUMP-1', NULL, NULL, NULL, NULL)$$), 'accepted', 'or by the engine''s');
SELECT is(try('regress_analyst', $$SELECT cec.list_asset('fleet', 'include', 1, 'PUMP-1', NULL, NULL, NULL, NULL)$$), '42501', 'an analyst may not, by neither');
SELECT is(try('regress_analyst', $$SELECT * FROM cec.asset_history('fleet', 'PUMP-1')$$), '42501', 'an analyst reads no log');
SELECT is(try('regress_auditor', $$SELECT * FROM fleet.asset_history('PUMP-1')$$), 'accepted', 'an auditor does');
SELECT is(try('regress_admin', $$UPDATE fleet.audit_log SET actor = 'x'$$), '42501', 'an admin does not change it');
SELECT is(try('regress_admin', $$SELECT cec.grant_access('fleet', 'regress_nobody', 'analyst')$$), '42501', 'and does not grant');
SELECT is(try('regress_owner', $$SELECT cec.grant_access('fleet', 'regress_nobody', 'analyst')$$), 'accepted', 'the owner does');

-- The engine's functions are everybody's to call and go by the same levels: whoever may not run a portfolio's own does not
-- get it from the engine's.
CREATE TEMP TABLE direct (name text, statement text);
INSERT INTO direct VALUES ('verify_coverage', $$SELECT * FROM cec.verify_coverage('fleet')$$), ('test_rule', $$SELECT * FROM cec.test_rule('fleet', 1, 'include', 'true')$$),
	('asset_history', $$SELECT * FROM cec.asset_history('fleet', 'PUMP-1')$$), ('contract_history', $$SELECT * FROM cec.contract_history('fleet', 'C-1')$$);
SELECT set_eq($$SELECT r.name AS role, d.name AS object FROM role r, direct d WHERE try(r.name, d.statement) = 'accepted'$$,
	$$SELECT role, object FROM due WHERE object IN (SELECT name FROM direct)$$, 'the engine''s own functions go by the matrix');

-- Levels are told and taken: each pair of levels given to one role, and the second taken from it.
CREATE ROLE regress_pair NOLOGIN;
CREATE TEMP VIEW pg_temp.right_of AS SELECT level, object || ' ' || upper(btrim(p)) AS what FROM cec.access_privilege, regexp_split_to_table(privileges, ',') AS p;
CREATE FUNCTION pg_temp.rights() RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(t.name || ' ' || p ORDER BY t.name || ' ' || p) FROM (
		SELECT t.name, p FROM relation t, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p WHERE t.relkind <> 'S' AND has_table_privilege('regress_pair', t.oid, p)
		UNION ALL SELECT f.name, 'EXECUTE' FROM routine f WHERE has_function_privilege('regress_pair', f.oid, 'EXECUTE')) AS t(name, p) $$;
CREATE FUNCTION pg_temp.rights_of(of_level text) RETURNS text[] LANGUAGE sql AS $$ SELECT array_agg(what ORDER BY what) FROM pg_temp.right_of WHERE level = of_level $$;
CREATE TEMP TABLE pair AS SELECT a.level AS stays, b.level AS goes, NULL::text AS result, NULL::text[] AS told, NULL::text[] AS rights, NULL::boolean AS enters
FROM (SELECT DISTINCT level FROM cec.access_level) AS a, (SELECT DISTINCT level FROM cec.access_level) AS b;
DO $$ DECLARE p pair; BEGIN
	FOR p IN SELECT * FROM pair LOOP
		BEGIN
			PERFORM cec.grant_access('fleet', 'regress_pair', p.stays), cec.grant_access('fleet', 'regress_pair', p.goes);
			p.told := ARRAY(SELECT level FROM fleet.access_grant WHERE role = 'regress_pair' AND NOT is_covered ORDER BY level);
			BEGIN
				PERFORM cec.revoke_access('fleet', 'regress_pair', p.goes);
				p.result := 'taken';
			EXCEPTION WHEN invalid_grant_operation THEN p.result := 'refused';
			END;
			p.rights := pg_temp.rights();
			p.enters := has_schema_privilege('regress_pair', 'fleet', 'USAGE');
			RAISE EXCEPTION USING ERRCODE = 'RB000';
		EXCEPTION WHEN SQLSTATE 'RB000' THEN NULL;
		END;
		UPDATE pair SET result = p.result, told = p.told, rights = p.rights, enters = p.enters WHERE stays = p.stays AND goes = p.goes;
	END LOOP;
END $$;
SELECT cmp_ok((SELECT count(*) FROM pair WHERE result = 'taken'), '>', 20::bigint, 'pairs of levels were tried');
SELECT is_empty($$SELECT stays, goes, result FROM pair WHERE (result = 'refused') <> (stays <> goes AND pg_temp.rights_of(goes) <@ pg_temp.rights_of(stays))$$, 'a level that another one covers is not taken');
SELECT is_empty($$SELECT stays, goes, rights FROM pair WHERE result = 'taken' AND rights IS DISTINCT FROM
	CASE WHEN NOT pg_temp.rights_of(stays) <@ pg_temp.rights_of(goes) THEN pg_temp.rights_of(stays) END$$, 'what stays is the other level, and nothing where it was covered');
SELECT is_empty($$SELECT stays, goes FROM pair WHERE enters <> (rights IS NOT NULL)$$, 'the schema is closed with the last right');
SELECT is_empty($$SELECT stays, goes, told FROM pair WHERE told <> ARRAY(SELECT l FROM unnest(ARRAY[stays, goes]) AS l
	WHERE l = stays OR NOT pg_temp.rights_of(l) <@ pg_temp.rights_of(stays) GROUP BY l HAVING NOT (l = stays AND stays <> goes AND pg_temp.rights_of(stays) <@ pg_temp.rights_of(goes)) ORDER BY l)$$,
	'access_grant tells the levels given, and what they cover apart');
DO $$ BEGIN PERFORM cec.grant_access('fleet', 'regress_pair', 'manager'); END $$;
REVOKE SELECT ON fleet.asset FROM regress_pair;
SELECT is_empty($$SELECT level FROM fleet.access_grant WHERE role = 'regress_pair'$$, 'one right short is no level');
SELECT lives_ok($$SELECT cec.revoke_access('fleet', 'regress_pair', 'manager')$$, 'what there is of it can be taken');
SELECT is(pg_temp.rights(), NULL, 'and is');

-- Who may create functions in the schema gives himself no rights by functions of his own, called as those of the portfolio.
CREATE ROLE regress_creator NOLOGIN;
SELECT cec.grant_access('fleet', 'regress_creator', 'manager') \g /dev/null
GRANT CREATE ON SCHEMA fleet TO regress_creator;
REVOKE EXECUTE ON FUNCTION fleet.test_rule(bigint, text, text) FROM regress_creator;
ALTER FUNCTION fleet.asset_history(text) RENAME TO other_history;
SET ROLE regress_creator;
CREATE FUNCTION fleet.test_rule(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION fleet.verify_coverage(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION fleet.asset_history(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
SELECT throws_ok($$SELECT cec.test_rule('fleet', 1, 'include', 'true')$$, '42501', NULL, 'no rule is tried');
SELECT throws_ok($$SELECT cec.verify_coverage('fleet')$$, '42501', NULL, 'nothing is verified');
SELECT throws_ok($$SELECT cec.asset_history('fleet', 'X')$$, '42501', NULL, 'no history is read');
RESET ROLE;

-- As after a restore without privileges: EXECUTE is PUBLIC's by default. Nobody but the owner reads a history then; upgrading and
-- granting close it.
UPDATE pg_proc SET proacl = NULL WHERE pronamespace = 'fleet'::regnamespace AND proname IN ('contract_history', 'seal_audit', 'erase_audit');
SET ROLE regress_creator;
SELECT throws_ok($$SELECT cec.contract_history('fleet', 'X')$$, '42501', NULL, 'no history is read where nobody was given it');
RESET ROLE;
SELECT cec.upgrade_portfolio('fleet') \g /dev/null
SELECT ok(NOT has_function_privilege('regress_creator', 'fleet.contract_history(text)', 'EXECUTE'), 'an upgrade takes it from PUBLIC');
UPDATE pg_proc SET proacl = NULL WHERE pronamespace = 'fleet'::regnamespace AND proname = 'seal_audit';
SELECT cec.grant_access('fleet', 'regress_creator', 'analyst') \g /dev/null
SELECT ok(NOT has_function_privilege('regress_creator', 'fleet.seal_audit()', 'EXECUTE'), 'so does granting a level');
SELECT * FROM finish();
ROLLBACK;
