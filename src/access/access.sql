-- Who may do what: levels of access to a portfolio.

-- The matrix: which level has which privileges on which table, view or function. "all" stands for every table and view.
CREATE VIEW cec.access_level AS
SELECT v.level, v.object, v.privileges
FROM (VALUES
	('analyst', 'register and contracts', 'SELECT'),
	('analyst', 'find_asset', 'EXECUTE'),
	('analyst', 'coverage questions', 'EXECUTE'),
	('manager', 'register and contracts', 'SELECT'),
	('manager', 'inclusion', 'INSERT, UPDATE, DELETE'),
	('manager', 'bundle', 'INSERT, UPDATE, DELETE'),
	('manager', 'bundle_member', 'INSERT, UPDATE, DELETE'),
	('manager', 'coverage_rule', 'INSERT, UPDATE, DELETE'),
	('manager', 'amendment', 'INSERT, UPDATE, DELETE'),
	('manager', 'amendment_line', 'INSERT, UPDATE, DELETE'),
	('manager', 'finding_waiver', 'INSERT, UPDATE, DELETE'),
	('manager', 'find_asset', 'EXECUTE'),
	('manager', 'coverage questions', 'EXECUTE'),
	('manager', 'include_asset', 'EXECUTE'),
	('manager', 'exclude_asset', 'EXECUTE'),
	('manager', 'remove_asset', 'EXECUTE'),
	('manager', 'check_inclusions', 'EXECUTE'),
	('manager', 'test_rule', 'EXECUTE'),
	('registry', 'register and contracts', 'SELECT'),
	('registry', 'customer', 'INSERT, UPDATE, DELETE'),
	('registry', 'asset', 'INSERT, UPDATE, DELETE'),
	('registry', 'asset_identifier', 'INSERT, UPDATE, DELETE'),
	('registry', 'maintenance_event', 'INSERT, UPDATE, DELETE'),
	('registry', 'service_request', 'INSERT, UPDATE, DELETE'),
	('registry', 'field_observation', 'INSERT, UPDATE, DELETE'),
	('registry', 'find_asset', 'EXECUTE'),
	('registry', 'coverage questions', 'EXECUTE'),
	('billing', 'register and contracts', 'SELECT'),
	('billing', 'outbox', 'SELECT'),
	('billing', 'find_asset', 'EXECUTE'),
	('billing', 'coverage questions', 'EXECUTE'),
	('auditor', 'register and contracts', 'SELECT'),
	('auditor', 'outbox', 'SELECT'),
	('auditor', 'audit_log', 'SELECT'),
	('auditor', 'audit_schema', 'SELECT'),
	('auditor', 'audit_entry', 'SELECT'),
	('auditor', 'audit_change', 'SELECT'),
	('auditor', 'audit_block', 'SELECT'),
	('auditor', 'audit_leaf', 'SELECT'),
	('auditor', 'audit_node', 'SELECT'),
	('auditor', 'audit_erasure', 'SELECT'),
	('auditor', 'seal_audit', 'EXECUTE'),
	('auditor', 'audit_digest', 'EXECUTE'),
	('auditor', 'verify_audit', 'EXECUTE'),
	('auditor', 'audit_proof', 'EXECUTE'),
	('auditor', 'audit_consistency', 'EXECUTE'),
	('auditor', 'erase_audit', 'EXECUTE'),
	('auditor', 'find_asset', 'EXECUTE'),
	('auditor', 'coverage questions', 'EXECUTE'),
	('auditor', 'verify_coverage', 'EXECUTE'),
	('auditor', 'verify_replay', 'EXECUTE'),
	('auditor', 'asset_history', 'EXECUTE'),
	('auditor', 'contract_history', 'EXECUTE'),
	('auditor', 'coverage_audit', 'EXECUTE'),
	('admin', 'register and contracts', 'SELECT'),
	('admin', 'stated tables', 'INSERT, UPDATE, DELETE'),
	('admin', 'outbox', 'SELECT'),
	('admin', 'audit_log', 'SELECT'),
	('admin', 'audit_schema', 'SELECT'),
	('admin', 'audit_entry', 'SELECT'),
	('admin', 'audit_change', 'SELECT'),
	('admin', 'audit_block', 'SELECT'),
	('admin', 'audit_leaf', 'SELECT'),
	('admin', 'audit_node', 'SELECT'),
	('admin', 'audit_erasure', 'SELECT'),
	('admin', 'seal_audit', 'EXECUTE'),
	('admin', 'audit_digest', 'EXECUTE'),
	('admin', 'verify_audit', 'EXECUTE'),
	('admin', 'audit_proof', 'EXECUTE'),
	('admin', 'audit_consistency', 'EXECUTE'),
	('admin', 'find_asset', 'EXECUTE'),
	('admin', 'coverage questions', 'EXECUTE'),
	('admin', 'include_asset', 'EXECUTE'),
	('admin', 'exclude_asset', 'EXECUTE'),
	('admin', 'remove_asset', 'EXECUTE'),
	('admin', 'check_inclusions', 'EXECUTE'),
	('admin', 'verify_coverage', 'EXECUTE'),
	('admin', 'verify_replay', 'EXECUTE'),
	('admin', 'recompute_coverage', 'EXECUTE'),
	('admin', 'test_rule', 'EXECUTE'),
	('admin', 'refresh', 'EXECUTE'),
	('admin', 'asset_history', 'EXECUTE'),
	('admin', 'contract_history', 'EXECUTE'),
	('admin', 'coverage_audit', 'EXECUTE')
) AS v(level, object, privileges);

-- The same, table by table: what grant_access grants.
CREATE VIEW cec.access_privilege AS
SELECT l.level, o.object, l.privileges
FROM cec.access_level l
	CROSS JOIN LATERAL unnest(CASE l.object
		WHEN 'register and contracts' THEN ARRAY['setting', 'customer', 'asset', 'asset_identifier', 'maintenance_event',
			'service_request', 'field_observation', 'service_tier', 'contract', 'coverage_term', 'regulation', 'bundle',
			'bundle_member', 'amendment', 'amendment_line', 'inclusion', 'coverage_rule', 'rule_effect', 'refresh_run',
			'finding', 'finding_waiver', 'coverage', 'coverage_history', 'coverage_by_asset', 'coverage_by_contract', 'coverage_now', 'uncovered_asset']
		WHEN 'coverage questions' THEN ARRAY['covered', 'covered_on', 'explain_coverage', 'coverage_as_of']
		WHEN 'stated tables' THEN ARRAY['setting', 'customer', 'asset', 'asset_identifier', 'maintenance_event',
			'service_request', 'field_observation', 'service_tier', 'contract', 'coverage_term', 'regulation', 'bundle',
			'bundle_member', 'amendment', 'amendment_line', 'inclusion', 'coverage_rule', 'finding_waiver']
		ELSE ARRAY[l.object] END) AS o(object);

CREATE FUNCTION cec.grant_access(portfolio text, role name, level text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	schema regnamespace := cec._require_portfolio(portfolio);
	part record;
BEGIN
	IF NOT EXISTS (SELECT FROM cec.access_level l WHERE l.level = grant_access.level) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('there is no level of access "%s"', level),
			HINT = (SELECT format('Levels are %s.', string_agg(DISTINCT l.level, ', ')) FROM cec.access_level l);
	END IF;
	-- GRANT by somebody who holds a privilege but may not pass it on is a mere warning.
	IF NOT pg_has_role((SELECT nspowner FROM pg_namespace WHERE oid = schema), 'USAGE') THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of portfolio %s', schema),
			HINT = 'The view cec.portfolio says who owns it.';
	END IF;
	EXECUTE format('GRANT USAGE ON SCHEMA %s TO %I', schema, role);
	FOR part IN SELECT p.object, p.privileges FROM cec.access_privilege p WHERE p.level = grant_access.level LOOP
		IF part.privileges = 'EXECUTE' THEN
			EXECUTE format('GRANT EXECUTE ON FUNCTION %s.%I TO %I', schema, part.object, role);
		ELSE
			EXECUTE format('GRANT %s ON %s.%I TO %I', part.privileges, schema, part.object, role);
		END IF;
	END LOOP;
END;
$$;

COMMENT ON VIEW cec.access_level IS 'The matrix of rights: which level has which privileges on what.';
COMMENT ON COLUMN cec.access_level.level IS 'analyst, manager, registry, billing, auditor or admin.';
COMMENT ON COLUMN cec.access_level.object IS 'Table, view or function of a portfolio; "register and contracts", "stated tables" and "coverage questions" stand for several, see access_privilege.';
COMMENT ON COLUMN cec.access_level.privileges IS 'Privileges, as in GRANT.';
COMMENT ON VIEW cec.access_privilege IS 'The matrix of rights, object by object: what cec.grant_access grants.';
COMMENT ON COLUMN cec.access_privilege.level IS 'analyst, manager, registry, billing, auditor or admin.';
COMMENT ON COLUMN cec.access_privilege.object IS 'Table, view or function of a portfolio.';
COMMENT ON COLUMN cec.access_privilege.privileges IS 'Privileges, as in GRANT.';
COMMENT ON FUNCTION cec.grant_access(text, name, text) IS 'Gives a role a level of access to a portfolio: analyst (read), manager (lists, bundles, rules, amendments), registry (the register), billing (read, outbox), auditor (read, log) or admin (all stated tables, log). Run by the owner. Errors: 22023 level, 3F000 portfolio, 42704 role, 42501 rights.';
