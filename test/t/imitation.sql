-- What imitation.pl and retyped.pl share: a portfolio with a row in every table, the calls of all that can be called on it,
-- read from the catalog, and the ways in which its owner can make it something else.
--
-- mallory owns it, victor has been given every right on it by her, and neither has any other right.
CREATE ROLE mallory LOGIN;
CREATE ROLE victor LOGIN;
CREATE ROLE other LOGIN;
CREATE SCHEMA test;
-- Domains over the types that columns have, which note who reads or writes them.
CREATE SCHEMA evil AUTHORIZATION mallory;
GRANT USAGE, CREATE ON SCHEMA evil TO PUBLIC;
SET SESSION AUTHORIZATION mallory;
CREATE FUNCTION evil.is_hers(value anyelement) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 'mallory' THEN
		RAISE LOG 'CANARY domain over % as % in %', pg_catalog.pg_typeof(value), current_user, current_query();
	END IF;
	RETURN true;
END $$;
DO $$
DECLARE
	type text;
BEGIN
	FOREACH type IN ARRAY '{bigint,integer,text,date,timestamp with time zone,boolean,numeric,daterange,datemultirange,jsonb,bytea,xid8,pg_snapshot,inet,uuid,geometry,text[],bigint[]}'::text[] LOOP
		EXECUTE format('CREATE DOMAIN evil.%I AS %s CHECK (evil.is_hers(VALUE))', 'like ' || type, type);
	END LOOP;
END $$;
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SCHEMA test TO PUBLIC;
DO $$ BEGIN EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO mallory', current_database()); END $$;

-- Fills a portfolio: at least two rows in every table that people write, decisions, cover that was replaced, two blocks.
CREATE FUNCTION test.fill(schema_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('search_path', quote_ident(schema_name) || ', public, pg_catalog', true);
	INSERT INTO customer (name, external_ref, parent_id) VALUES ('Acme', '7', 2), ('Other', '8', NULL);
	INSERT INTO asset (asset_tag, serial_number, manufacturer, model, customer_id, country, region, location, commissioned_on, attributes, out_of_service)
		SELECT 'PUMP-' || n, '00' || n, 'Maker', 'M', 1, 'DE', 'DE-BY', ST_SetSRID(ST_MakePoint(11, 48), 4326), '2020-01-01', '{"n": 1}',
			CASE WHEN n = 2 THEN '{[2026-05-01,2026-06-01)}' ELSE '{}' END::datemultirange
		FROM generate_series(1, 6) AS n;
	INSERT INTO asset_identifier (asset_id, scheme, value, during) VALUES (1, 'eic', 'E-1', '[2020-01-01,)'), (2, 'eic', 'E-2', '(,)');
	INSERT INTO maintenance_event (asset_id, kind, performed_on) VALUES (1, 'inspection', '2026-01-05'), (2, 'repair', '2026-01-05');
	INSERT INTO service_request (asset_id, opened_at, severity) VALUES (1, '2026-02-01 10:00+01', 'high'), (2, '2026-02-01 10:00+08', 'low');
	INSERT INTO field_observation (asset_id, seen_tag, observed_at, location) VALUES (1, 'PUMP-1', '2026-03-01', ST_SetSRID(ST_MakePoint(1, 2), 4326)), (NULL, 'X', '2026-03-01', NULL);
	INSERT INTO service_tier (code, name, rank, response_hours) VALUES ('gold', 'Gold', 2, 4), ('silver', 'Silver', 1, 8.5);
	INSERT INTO contract (number, customer_id, status, during, boundary, suspensions) VALUES
		('C-1', 1, 'active', '[2026-01-01,2027-01-01)', 'SRID=4326;MULTIPOLYGON(((10 47,13 47,13 50,10 50,10 47)))', '{[2026-08-10,2026-08-15)}'),
		('C-2', 2, 'active', '[2026-01-01,)', NULL, '{}');
	INSERT INTO coverage_term (contract_id, number, tier_id, during, price, price_basis) VALUES
		(1, '1', 1, '[2026-01-01,2027-01-01)', 0.10, 'per_unit_day'), (2, '1', 2, '[2026-01-01,)', NULL, NULL);
	INSERT INTO term_price (term_id, first_day, price, reason) VALUES (1, '2026-07-01', 0.11, 'index'), (1, '2026-10-01', 0.12, NULL);
	INSERT INTO regulation (country, region, title, requirement, during) VALUES ('DE', 'DE-BY', 'T', 'category = ''pump''', '[2026-01-01,)');
	INSERT INTO jurisdiction (country, region, name, boundary) VALUES ('DE', 'DE-BY', 'Bavaria', 'SRID=4326;MULTIPOLYGON(((9 47,14 47,14 50,9 50,9 47)))');
	INSERT INTO amendment (contract_id, title) VALUES (1, 'more'), (2, 'less');
	INSERT INTO amendment_line (amendment_id, action, identifier, term_id, during) VALUES (1, 'include', 'PUMP-1', 1, '[2026-02-01,)');
	INSERT INTO inclusion (term_id, listed_as, during, amendment_id, note) VALUES (1, 'PUMP-1', '[2026-03-01,2026-06-01)', 1, 'n'), (1, 'PUMP-2', '[2026-03-01,)', NULL, NULL), (2, 'PUMP-3', '(,)', NULL, NULL);
	INSERT INTO inclusion (term_id, asset_id, effect, during) VALUES (1, 1, 'exclude', '[2026-04-01,2026-04-10)');
	INSERT INTO bundle (name, primary_asset_id) VALUES ('pump and motor', 1), ('second', 2);
	INSERT INTO bundle_member (bundle_id, asset_id, during) VALUES (1, 4, '[2026-03-01,)'), (2, 5, '(,)');
	INSERT INTO coverage_rule (term_id, name, effect, condition, during) VALUES
		(1, 'german', 'include', 'country = ''DE'' AND inside_boundary', '[2026-01-01,)'),
		(2, 'cared for', 'require', 'last_maintenance(''inspection'') > as_of - interval ''12 months''', '[2026-01-01,)'),
		(2, 'fails', 'exclude', '(attributes ->> ''n'')::integer / 0 > 1', '[2026-01-01,)');
	UPDATE asset SET status = 'in_repair' WHERE asset_id = 4;
	PERFORM refresh();
	INSERT INTO finding_waiver (kind, asset_id, reason, until) VALUES ('no_location', 1, 'inside', '2027-01-01');
	INSERT INTO finding (kind, severity, asset_id, detail) VALUES ('no_location', 'error', 3, '{"a": 1}');
	INSERT INTO asset_source (source) VALUES ('erp');
	INSERT INTO asset_staging (source, asset_tag, serial_number, customer_ref, identifiers) VALUES ('erp', 'STAGED-1', '001', '7', '{"eic": ["E-1"]}'), ('erp', 'PUMP-6', '9', '8', NULL);
	INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('contract', '1', 'changed', '{"a": [1, null]}');
END $$;

-- What a parameter is given: by its name where that says something, else by its type. kind 0: what is there; 1: NULL;
-- 2: what is not there.
CREATE FUNCTION test.argument(schema_name text, kind integer, name text, type regtype) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	value text;
BEGIN
	value := CASE
		WHEN type = 'regnamespace'::regtype OR type = 'oid'::regtype AND name = 'portfolio' THEN format('%L::regnamespace%s', schema_name, CASE WHEN type = 'oid'::regtype THEN '::oid' ELSE '' END)
		WHEN name = 'portfolio' OR name = 'name' AND type IN ('text'::regtype, 'name'::regtype) THEN quote_literal(schema_name)
		WHEN kind = 1 THEN format('NULL::%s', type)
		WHEN kind = 2 THEN CASE
			WHEN type IN ('bigint'::regtype, 'integer'::regtype) THEN '99'
			WHEN type = 'text'::regtype THEN quote_literal('no such thing')
			WHEN type = 'date'::regtype THEN quote_literal('2000-01-02')
			WHEN type = 'timestamptz'::regtype THEN quote_literal('-infinity')
			WHEN type = 'daterange[]'::regtype THEN $q$'{empty}'$q$
			WHEN type IN ('bigint[]'::regtype, 'text[]'::regtype) THEN $q$'{NULL}'$q$ END
		END;
	IF name = 'new_name' THEN
		RETURN quote_literal(schema_name);
	ELSIF value IS NOT NULL THEN
		RETURN value;
	END IF;
	RETURN CASE name
		WHEN 'identifier' THEN $q$'PUMP-1'$q$ WHEN 'old_identifier' THEN $q$'PUMP-1'$q$ WHEN 'new_identifier' THEN $q$'PUMP-6'$q$
		WHEN 'identifiers' THEN $q$'{PUMP-1,PUMP-2,X}'$q$ WHEN 'contract_number' THEN $q$'C-1'$q$ WHEN 'term_number' THEN $q$'1'$q$
		WHEN 'subject' THEN $q$'asset_id'$q$ WHEN 'effect' THEN $q$'require'$q$ WHEN 'on_unknown' THEN $q$'flag'$q$
		WHEN 'condition' THEN $q$'country = ''DE'' AND maintenance_count(''inspection'', interval ''1 year'') >= 0 AND inside_boundary'$q$
		WHEN 'rule_ids' THEN $q$'{1,2}'$q$ WHEN 'asset_ids' THEN $q$'{1,2,3}'$q$
		WHEN 'table_name' THEN $q$'asset'$q$ WHEN 'insert_mode' THEN $q$'data'$q$ WHEN 'change_mode' THEN $q$'definition'$q$
		WHEN 'owner' THEN CASE type WHEN 'oid'::regtype THEN $q$'mallory'::regrole::oid$q$ ELSE $q$'mallory'$q$ END
		WHEN 'search_path' THEN $q$'pg_catalog'$q$ WHEN 'script' THEN $q$'SELECT 1'$q$
		WHEN 'role' THEN $q$'other'$q$ WHEN 'level' THEN $q$'admin'$q$ WHEN 'confirm' THEN $q$'no'$q$
		WHEN 'digest' THEN $q$(SELECT test.digest())$q$ WHEN 'digests' THEN $q$ARRAY[(SELECT test.digest())]$q$
		WHEN 'country' THEN $q$'DE'$q$ WHEN 'region' THEN $q$'DE-BY'$q$ WHEN 'mode of import' THEN $q$'valid_only'$q$ WHEN 'mode of sync' THEN $q$'snapshot'$q$
		WHEN 'policy of swap' THEN $q$'restart'$q$ WHEN 'policy of transfer' THEN $q$'transfer'$q$ WHEN 'customer_ref' THEN $q$'8'$q$ WHEN 'to_contract_number' THEN $q$'C-2'$q$
		WHEN 'to_term_number' THEN $q$'1'$q$ WHEN 'source' THEN $q$'erp'$q$ WHEN 'dry_run' THEN 'false' WHEN 'max_retire_fraction' THEN '1' WHEN 'expected_rows' THEN 'NULL'
		WHEN 'query' THEN $q$'SELECT * FROM @P@.asset'$q$ WHEN 'what' THEN $q$'it'$q$
		WHEN 'rows' THEN $q$'[{"identifier": "PUMP-6", "first_day": "2026-02-01"}]'$q$
		WHEN 'known' THEN 'pg_current_snapshot()' WHEN 'z' THEN '0' WHEN 'x' THEN '0' WHEN 'y' THEN '0'
		ELSE CASE type::text
			WHEN 'bigint' THEN '1' WHEN 'integer' THEN '1' WHEN 'numeric' THEN '0.5' WHEN 'double precision' THEN '25' WHEN 'boolean' THEN 'true'
			WHEN 'text' THEN $q$'x'$q$ WHEN 'name' THEN $q$'x'$q$ WHEN 'date' THEN $q$'2026-04-15'$q$
			WHEN 'timestamp with time zone' THEN $q$'2026-04-15 12:00Z'$q$
			WHEN 'jsonb' THEN $q$'{}'$q$ WHEN 'json' THEN $q$'{}'$q$ WHEN 'bytea' THEN $q$'\x00'$q$ WHEN 'regclass' THEN quote_literal(quote_ident(schema_name) || '.asset')
			WHEN 'bigint[]' THEN $q$'{1,2}'$q$ WHEN 'text[]' THEN $q$'{include}'$q$ WHEN 'daterange[]' THEN $q$'{"[2026-01-01,)"}'$q$ WHEN 'xid8[]' THEN $q$'{1,2}'$q$
			WHEN 'uuid[]' THEN $q$'{}'$q$ WHEN 'daterange' THEN $q$'[2026-01-01,)'$q$ WHEN 'datemultirange' THEN $q$'{[2026-01-01,)}'$q$
			ELSE 'NULL' END || '::' || type
		END;
END $$;

-- A digest that was kept outside.
CREATE TABLE test.kept (digest text);
GRANT SELECT ON test.kept TO PUBLIC;
CREATE FUNCTION test.digest() RETURNS text LANGUAGE sql STABLE AS 'SELECT digest FROM test.kept LIMIT 1';

-- All calls, in up to as many ways as there are kinds of arguments: of every function of cec whose first parameter is a
-- portfolio, and of every function in it.
CREATE FUNCTION test.calls(schema_name text, kinds integer) RETURNS TABLE (name text, call text) LANGUAGE sql STABLE AS $$
	SELECT p.pronamespace::regnamespace || '.' || p.proname, c.call
	FROM pg_proc p CROSS JOIN LATERAL (
		SELECT b.call, min(b.kind) AS kind FROM (
			SELECT CASE p.prokind WHEN 'p' THEN 'CALL ' ELSE 'SELECT * FROM ' END || format('%s.%I(%s)', p.pronamespace::regnamespace, p.proname,
				coalesce(string_agg(test.argument(schema_name, k.kind,
					CASE WHEN p.proargnames[a.n] IN ('mode', 'policy') THEN format('%s of %s', p.proargnames[a.n], substring(p.proname FROM 'import|swap|transfer|sync')) ELSE p.proargnames[a.n] END, a.type::regtype), ', ' ORDER BY a.n), '')) AS call, k.kind
			FROM generate_series(0, kinds - 1) AS k(kind) LEFT JOIN LATERAL unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(type, n) ON true
			GROUP BY k.kind) b
		GROUP BY b.call) c
	WHERE p.prorettype <> 'trigger'::regtype AND (p.pronamespace = to_regnamespace(schema_name)
		OR p.pronamespace = 'cec'::regnamespace AND (p.proargtypes[0] IN ('regnamespace'::regtype, 'regclass'::regtype) OR p.proargnames[1] = 'portfolio'
			OR p.proname ~ '_portfolio$' AND p.proname <> 'create_portfolio' AND p.pronargs > 0))
	ORDER BY p.proname LIKE 'drop%', p.proname, c.kind
$$;

-- Changes of every table that people write, over rows that are there: all columns to what they are, a row once more, a row away.
CREATE FUNCTION test.changes(schema_name text) RETURNS TABLE (name text, call text) LANGUAGE sql STABLE AS $$
	WITH t AS (
		SELECT c.oid, c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT (a.attidentity <> '' OR a.attgenerated <> '')) AS columns,
			string_agg(quote_ident(a.attname) || ' = ' || quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attidentity = '' AND a.attgenerated = '') AS same,
			string_agg(CASE WHEN a.attname IN ('asset_tag', 'code', 'number', 'external_ref', 'value', 'serial_number') THEN '''77'''
				WHEN a.attname = 'during' THEN '''[2031-01-01,2032-01-01)''' ELSE quote_ident(a.attname) END, ', ' ORDER BY a.attnum)
				FILTER (WHERE a.attidentity = '' AND a.attgenerated = '') AS values
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = to_regnamespace(schema_name) AND c.relkind IN ('r', 'p')
			AND EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgfoid = 'cec.record_change()'::regprocedure)
		GROUP BY c.oid, c.relname)
	SELECT relname || ' ' || c.what, c.call
	FROM t CROSS JOIN LATERAL (VALUES
		('UPDATE', format('UPDATE %s SET %s', oid::regclass, same)),
		('INSERT', format('INSERT INTO %s (%s) SELECT %s FROM %1$s LIMIT 1', oid::regclass, columns, t.values)),
		('DELETE', format('DELETE FROM %s', oid::regclass))) AS c(what, call)
	ORDER BY t.relname, c.what DESC
$$;

-- Makes a column something else, with what depends on it out of the way, and as much of it kept as can be: the name of a type, or
-- missing, renamed, null (in every row), odd, odder (values that its type has and its constraints forbid), domain, collation.
CREATE FUNCTION test.change_column(relation regclass, column_name name, way text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	part record;
	number smallint := (SELECT attnum FROM pg_attribute WHERE attrelid = relation AND attname = column_name);
	old_type text := (SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = relation AND attname = column_name);
	type text := CASE way WHEN 'domain' THEN 'evil.' || quote_ident('like ' || old_type) WHEN 'collation' THEN old_type || ' COLLATE test.another' ELSE way END;
	value text;
	triggers text[] := '{}';
	indexes_dropped boolean := false;
BEGIN
	FOR part IN SELECT oid, oid::regclass AS view FROM pg_class WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = relation) AND relkind = 'v' LOOP
		IF EXISTS (SELECT FROM pg_class WHERE oid = part.oid) THEN
			EXECUTE format('DROP VIEW %s CASCADE', part.view);
		END IF;
	END LOOP;
	FOR part IN SELECT conrelid::regclass AS owner, conname FROM pg_constraint
		WHERE contype = 'f' AND (conrelid = relation AND number = ANY (conkey) OR confrelid = relation AND number = ANY (confkey))
			OR contype = 'c' AND conrelid = relation AND number = ANY (conkey)
	LOOP
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', part.owner, part.conname);
	END LOOP;
	FOR part IN SELECT tgname, pg_get_triggerdef(oid) AS definition FROM pg_trigger t WHERE tgrelid = relation AND NOT tgisinternal
		AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.refobjid = relation AND d.refobjsubid = number)
	LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', part.tgname, relation);
		triggers := triggers || part.definition;
	END LOOP;
	IF way = 'missing' THEN
		EXECUTE format('ALTER TABLE %s DROP COLUMN %I CASCADE', relation, column_name);
		RETURN;
	ELSIF way = 'renamed' THEN
		EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', relation, column_name, 'was_' || column_name);
		RETURN;
	END IF;
	EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY IF EXISTS', relation, column_name);
	EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', relation, column_name);
	value := CASE way WHEN 'null' THEN 'NULL'
		WHEN 'odd' THEN coalesce((SELECT quote_literal(v.value) FROM (VALUES ('text', ''), ('bytea', ''), ('bigint', '-1'), ('integer', '-1'), ('date', 'infinity'), ('daterange', 'empty'),
			('timestamp with time zone', 'infinity'), ('datemultirange', '{}'), ('jsonb', 'null'), ('numeric', 'NaN'), ('xid8', '0'), ('pg_snapshot', '1:1:'), ('boolean', 'false'), ('inet', '::1'),
			('uuid', '00000000-0000-0000-0000-000000000000'), ('bigint[]', '{NULL}'), ('text[]', '{NULL}')) AS v(type, value) WHERE v.type = old_type),
			format('st_geomfromtext(%L, 4326)', CASE column_name WHEN 'boundary' THEN 'MULTIPOLYGON EMPTY' ELSE 'POINT EMPTY' END))
		WHEN 'odder' THEN coalesce((SELECT quote_literal(v.value) FROM (VALUES ('text', repeat('x', 100000)), ('bytea', '\xffffffffff'), ('bigint', '9223372036854775807'), ('integer', '2147483647'), ('date', '-infinity'),
			('daterange', '[-infinity,infinity)'), ('timestamp with time zone', '-infinity'), ('datemultirange', '{[-infinity,2000-01-01),(2001-01-01,infinity)}'), ('jsonb', '[]'), ('numeric', '1e100'),
			('xid8', '18446744073709551615'), ('pg_snapshot', '1:9223372036854775807:2,3'), ('bigint[]', '{{1,2},{3,4}}'), ('text[]', '{{a,b},{c,d}}')) AS v(type, value) WHERE v.type = old_type), quote_ident(column_name)) END;
	IF value IS NOT NULL AND EXISTS (SELECT FROM pg_index WHERE indrelid = relation AND indisprimary AND number = ANY (indkey)) THEN
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', relation, (SELECT conname FROM pg_constraint WHERE conrelid = relation AND contype = 'p'));
	END IF;
	IF value IS NOT NULL THEN
		EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', relation, column_name);
	ELSE
		value := CASE WHEN old_type = 'jsonb' AND way NOT IN ('text', 'domain') THEN '7::' || type
			WHEN way IN ('domain', 'collation', 'text') OR EXISTS (SELECT FROM pg_cast WHERE castsource = old_type::regtype AND casttarget = to_regtype(type)) THEN format('%I::%s', column_name, type)
			WHEN EXISTS (SELECT FROM pg_constraint WHERE conrelid = relation AND contype IN ('p', 'u') AND conkey = ARRAY[number]) AND type = 'bigint' THEN 'substr(ctid::text, 4, 1)::' || type
			WHEN type = 'jsonb' THEN '''{"a": 1}''::jsonb' WHEN type = 'bytea' THEN '''\x07''::bytea' WHEN type = 'boolean' THEN 'true' WHEN type = 'daterange' THEN 'NULL::daterange' ELSE '7::' || type END;
	END IF;
	LOOP
		BEGIN
			IF way IN ('null', 'odd', 'odder') THEN
				EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', relation);
				EXECUTE format('UPDATE %s SET %I = %s', relation, column_name, value);
				FOR part IN SELECT tgname FROM pg_trigger WHERE tgrelid = relation AND NOT tgisinternal LOOP
					EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', relation, part.tgname);
				END LOOP;
			ELSE
				EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s USING %s', relation, column_name, type, value);
			END IF;
			EXIT;
		EXCEPTION WHEN OTHERS THEN
			IF indexes_dropped THEN
				RAISE;
			END IF;
			indexes_dropped := true;
		END;
		FOR part IN SELECT i.indexrelid::regclass AS index, c.conname FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid
			WHERE i.indrelid = relation AND EXISTS (SELECT FROM pg_depend d WHERE d.refobjid = relation AND d.refobjsubid = number AND d.objid IN (i.indexrelid, c.oid))
		LOOP
			IF part.conname IS NULL THEN
				EXECUTE format('DROP INDEX %s', part.index);
			ELSE
				EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', relation, part.conname);
			END IF;
		END LOOP;
		EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', relation, column_name);
	END LOOP;
	FOR part IN SELECT unnest(triggers) AS definition LOOP
		EXECUTE part.definition;
	END LOOP;
END $$;
CREATE COLLATION test.another (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- All columns of one type at once.
CREATE FUNCTION test.change_columns(schema_name text, type regtype, way text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT c.oid::regclass AS relation, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = schema_name::regnamespace AND c.relkind = 'r' AND a.atttypid = change_columns.type AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2
	LOOP
		PERFORM test.change_column(part.relation, part.attname, way);
	END LOOP;
END $$;

-- Ways in which a column can be changed: three other types, then the others.
CREATE FUNCTION test.column_ways(type regtype) RETURNS TABLE (way text, n bigint) LANGUAGE sql STABLE AS $$
	SELECT w.way, row_number() OVER (ORDER BY w.n) FROM unnest(CASE type::text WHEN 'bigint' THEN '{text,jsonb,numeric,renamed,null,odd,odder,domain,missing}' WHEN 'text' THEN '{bigint,boolean,bytea,renamed,null,odd,odder,domain,missing,collation}'
		ELSE '{bigint,text,jsonb,boolean,renamed,null,odd,odder,domain,missing}'::text[] END) WITH ORDINALITY AS w(way, n)
	WHERE w.way <> type::text AND NOT (w.way = 'boolean' AND type::text NOT IN ('text', 'jsonb', 'boolean'))
$$;
