-- The portfolio "yard", made anew for each round, and the tables that it is measured against.

CREATE SEQUENCE bench.next_tag;
CREATE SEQUENCE bench.next_line;
CREATE TABLE bench.new_asset_source AS SELECT * FROM bench.asset_source WHERE place <= 50 + bench.each_count();
UPDATE bench.new_asset_source SET asset_tag = 'NEW-' || place, serial_number = 'NEW-' || place;
CREATE UNIQUE INDEX ON bench.new_asset_source (place);
VACUUM ANALYZE bench.new_asset_source;

-- The columns of a table but its key, behind a prefix; and those of an asset that are given.
CREATE FUNCTION bench.columns(of_table regclass, prefix text DEFAULT '') RETURNS text LANGUAGE sql STABLE AS $$
	SELECT string_agg(prefix || attname, ', ' ORDER BY attnum) FROM pg_attribute
	WHERE attrelid = of_table AND attnum > 0 AND NOT attisdropped AND attidentity = ''
$$;
CREATE FUNCTION bench.asset_columns(prefix text DEFAULT '') RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT string_agg(prefix || c, ', ') FROM unnest('{asset_tag,serial_number,manufacturer,model,category,usage_type,customer_id,country,
		region,location,commissioned_on,attributes}'::text[]) AS c
$$;

-- keyed_asset has keys, indexes and foreign keys, indexed_asset only keys and indexes. What a line is by hand are three rows: one of
-- limit_list, limit_log and limit_cover each.
CREATE PROCEDURE bench.make_yard()
LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS bench.indexed_asset, bench.keyed_asset, bench.limit_list, bench.limit_log, bench.limit_cover;
	IF to_regnamespace('yard') IS NOT NULL THEN
		PERFORM cec.drop_portfolio('yard', 'yard');
	END IF;
	PERFORM cec.create_portfolio('yard');
	INSERT INTO yard.customer (customer_id, name) SELECT customer_id, name FROM fleet.customer;
	INSERT INTO yard.contract (contract_id, number, customer_id, status, during)
	SELECT contract_id, number, customer_id, status, during FROM fleet.contract;
	INSERT INTO yard.coverage_term (term_id, contract_id, number, during) SELECT term_id, contract_id, number, during FROM fleet.coverage_term;
	CALL bench.copy_table('yard.asset', 'bench.keyed_asset', false);
	CREATE TABLE bench.indexed_asset (LIKE yard.asset INCLUDING ALL EXCLUDING CONSTRAINTS);
	CALL bench.copy_table('yard.inclusion', 'bench.limit_list');
	CALL bench.copy_table('yard.audit_log', 'bench.limit_log');
	-- Without foreign keys: cec knows that asset and term exist, and does not look again.
	CREATE TABLE bench.limit_cover (LIKE yard.coverage INCLUDING ALL);
	COMMIT;
END;
$$;

CREATE PROCEDURE bench.empty_yard_list()
LANGUAGE plpgsql AS $$
BEGIN
	CALL bench.empty('yard.inclusion', 'yard.audit_log', 'yard.coverage', 'yard.coverage_history',
		'bench.limit_list', 'bench.limit_log', 'bench.limit_cover');
END;
$$;

-- Assets: many in one statement, then one by one. Those of yard and keyed_asset have the places of their source as keys.
CREATE PROCEDURE bench.run_assets(nth integer)
LANGUAGE plpgsql AS $$
DECLARE
	n bigint := (SELECT count(*) FROM bench.asset_source);
	variant record;
	variants text := $variants$VALUES (1, 'indexes only', 'bench.indexed_asset'), (2, 'keys, indexes, foreign keys', 'bench.keyed_asset'), (3, 'cec', 'yard.asset')$variants$;
BEGIN
	CALL bench.make_yard();
	FOR variant IN EXECUTE variants LOOP
		CALL bench.measure('INSERT of many assets', variant.column2, nth, n,
			format('INSERT INTO %s (%s) SELECT %2$s FROM bench.asset_source', variant.column3, bench.asset_columns()));
	END LOOP;
	FOR variant IN EXECUTE variants LOOP
		CALL bench.measure('UPDATE of one column of many', variant.column2, nth, n, format('UPDATE %s SET usage_type = ''standby''', variant.column3));
	END LOOP;
	FOR variant IN EXECUTE variants LOOP
		CONTINUE WHEN variant.column1 = 1;
		EXECUTE 'ANALYZE ' || variant.column3;
		CALL bench.measure_each('INSERT of one asset', variant.column2, nth, 'bench.new_asset_source',
			format('INSERT INTO %s (%s) VALUES (%s)', variant.column3, bench.asset_columns(), bench.asset_columns('r.')));
	END LOOP;
	FOR variant IN EXECUTE variants LOOP
		CONTINUE WHEN variant.column1 = 1;
		CALL bench.measure_each('UPDATE of one column', variant.column2, nth, 'bench.asset_source',
			format('UPDATE %s SET usage_type = ''spare'' WHERE asset_id = r.place', variant.column3));
	END LOOP;
END;
$$;

-- What cec writes for lists, salts and images included: taken once, the source of what is written by hand.
CREATE PROCEDURE bench.take_lists()
LANGUAGE plpgsql AS $$
DECLARE
	lines text := 'INSERT INTO yard.inclusion (term_id, asset_id, listed_as, during) SELECT term_id + %s, asset_id, listed_as, during FROM bench.line_source';
BEGIN
	CALL bench.empty_yard_list();
	EXECUTE format(lines, 20);
	CREATE TABLE bench.draft_log AS SELECT * FROM yard.audit_log;
	CALL bench.empty_yard_list();
	EXECUTE format(lines, 0);
	CREATE TABLE bench.active_log AS SELECT * FROM yard.audit_log;
	CREATE TABLE bench.active_cover AS SELECT * FROM yard.coverage;
	CALL bench.empty_yard_list();
	FOR i IN 1 .. 50 + bench.each_count() LOOP
		EXECUTE format(lines || ' WHERE place = $1', 0) USING i;
	END LOOP;
	EXECUTE format('CREATE TABLE bench.one_source AS SELECT i.asset_id AS place, i.term_id, i.asset_id, i.listed_as, i.during, %s, %s
		FROM yard.inclusion i JOIN yard.audit_log l USING (asset_id) JOIN yard.coverage v USING (asset_id)',
		(SELECT string_agg(format('l.%s AS log_%1$s', c), ', ') FROM string_to_table(bench.columns('yard.audit_log'), ', ') AS c),
		(SELECT string_agg(format('v.%s AS cover_%1$s', c), ', ') FROM string_to_table(bench.columns('yard.coverage'), ', ') AS c));
	CREATE UNIQUE INDEX ON bench.one_source (place);
	ANALYZE bench.draft_log, bench.active_log, bench.active_cover, bench.one_source;
	COMMIT;
END;
$$;

-- Lists: many lines in one statement, then one by one; questions about what they cover; and the assets on them retired.
CREATE PROCEDURE bench.run_lists(nth integer)
LANGUAGE plpgsql AS $$
DECLARE
	n bigint := (SELECT count(*) FROM bench.line_source);
	columns text := '(term_id, asset_id, listed_as, during)';
	lines text := columns || ' SELECT term_id + %s, asset_id, listed_as, during FROM bench.line_source; ';
	logged text := format('INSERT INTO bench.limit_log (%s) SELECT %1$s FROM bench.%%s_log; ', bench.columns('yard.audit_log'));
	covered text := format('INSERT INTO bench.limit_cover (%s) SELECT %1$s FROM bench.active_cover', bench.columns('yard.coverage'));
	line text := columns || ' VALUES (r.term_id, r.asset_id, r.listed_as, r.during)';
	target text;
BEGIN
	CALL bench.empty_yard_list();
	CALL bench.measure('list of many, drafts', 'two inserts', nth, n, 'INSERT INTO bench.limit_list ' || format(lines, 20) || format(logged, 'draft'));
	CALL bench.measure('list of many, drafts', 'cec', nth, n, 'INSERT INTO yard.inclusion ' || format(lines, 20));
	CALL bench.empty_yard_list();
	CALL bench.measure('list of many, active contracts', 'three inserts', nth, n,
		'INSERT INTO bench.limit_list ' || format(lines, 0) || format(logged, 'active') || covered);
	CALL bench.measure('list of many, active contracts', 'cec', nth, n, 'INSERT INTO yard.inclusion ' || format(lines, 0));
	CALL bench.empty_yard_list();
	CALL bench.measure_each('a list line', 'three inserts', nth, 'bench.one_source', concat_ws('; ', 'INSERT INTO bench.limit_list ' || line,
		format('INSERT INTO bench.limit_log (%s) VALUES (%s)', bench.columns('yard.audit_log'), bench.columns('yard.audit_log', 'r.log_')),
		format('INSERT INTO bench.limit_cover (%s) VALUES (%s)', bench.columns('yard.coverage'), bench.columns('yard.coverage', 'r.cover_'))));
	CALL bench.measure_each('a list line', 'cec', nth, 'bench.one_source', 'INSERT INTO yard.inclusion ' || line);
	ANALYZE yard.asset, yard.coverage, yard.contract, yard.coverage_term;
	CALL bench.measure_each('who covers a serial', 'primary-key read', nth, 'bench.asset_source', 'SELECT customer_id INTO found_id FROM yard.asset WHERE asset_id = r.place');
	SET plan_cache_mode = force_generic_plan;
	CALL bench.measure_each('who covers a serial', 'join by hand', nth, 'bench.asset_source', 'SELECT t.term_id INTO found_id
		FROM yard.asset a JOIN yard.coverage v USING (asset_id) JOIN yard.coverage_term t USING (term_id) JOIN yard.contract c USING (contract_id)
			LEFT JOIN yard.service_tier s USING (tier_id)
		WHERE a.serial_number = r.serial_number AND v.during @> (now() AT TIME ZONE c.time_zone)::date
		ORDER BY c.kind, v.is_stated DESC, s.rank DESC NULLS LAST, c.priority, c.number');
	RESET plan_cache_mode;
	CALL bench.measure_each('who covers a serial', 'cec', nth, 'bench.asset_source', 'SELECT term_id INTO found_id FROM yard.covered(r.serial_number)');
	FOREACH target IN ARRAY '{bench.keyed_asset,yard.asset}'::text[] LOOP
		CALL bench.measure_each('retire one on a list', CASE target WHEN 'yard.asset' THEN 'cec' ELSE 'the same without CHECKs' END, nth, 'bench.one_source',
			format('UPDATE %s SET status = ''retired'', decommissioned_on = ''2027-06-30'' WHERE asset_id = r.place', target));
	END LOOP;
END;
$$;

-- The values of a row that cec has written, those of the asset taken from n.
CREATE FUNCTION bench.literals(of_table regclass, prefix text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT string_agg(CASE WHEN attname IN ('asset_id', 'row_id') THEN 'n' WHEN attname = 'term_id' THEN '1 + (n - 1) / 10000'
			ELSE format('%L::%s', s.one ->> (prefix || attname), format_type(atttypid, atttypmod)) END, ', ' ORDER BY attnum)
		FROM pg_attribute, (SELECT to_jsonb(o) AS one FROM bench.one_source o WHERE place = 1) AS s
		WHERE attrelid = of_table AND attnum > 0 AND NOT attisdropped AND attidentity = '');
END;
$$;

-- A pgbench script: the next asset is listed, by cec, or by three inserts of rows as cec has written them, in one statement too.
CREATE FUNCTION bench.line_script(is_cec boolean) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN is_cec
		THEN 'INSERT INTO yard.inclusion (term_id, asset_id, during) SELECT 1 + (n - 1) / 10000, n, ''[2025-01-01,2030-01-01)'' FROM nextval(''bench.next_line'') AS n;'
		ELSE format('WITH n AS MATERIALIZED (SELECT nextval(''bench.next_line'') AS n),'
			' line AS (INSERT INTO bench.limit_list (term_id, asset_id, during) SELECT 1 + (n - 1) / 10000, n, ''[2025-01-01,2030-01-01)'' FROM n),'
			' log AS (INSERT INTO bench.limit_log (%s) SELECT %s FROM n)'
			' INSERT INTO bench.limit_cover (%s) SELECT %s FROM n;',
			bench.columns('fleet.audit_log'), bench.literals('fleet.audit_log', 'log_'), bench.columns('fleet.coverage'), bench.literals('fleet.coverage', 'cover_'))
		END
$$;

CREATE TABLE bench.row_goal (place integer GENERATED ALWAYS AS IDENTITY, subject text, reference text, at_most numeric);
INSERT INTO bench.row_goal (subject, reference, at_most) VALUES
	('INSERT of one asset', 'keys, indexes, foreign keys', 2.5),
	('UPDATE of one column', 'keys, indexes, foreign keys', 2.5),
	('INSERT of one asset, a transaction', 'keys, indexes, foreign keys', 1.8),
	('UPDATE of one column, a transaction', 'keys, indexes, foreign keys', 1.8),
	('a list line', 'three inserts', 1.8),
	('retire one on a list', 'the same without CHECKs', 3),
	('who covers a serial', 'primary-key read', 3),
	('who covers a serial', 'join by hand', 1.1),
	('list lines of 16 clients', 'three inserts', NULL),
	('INSERT of many assets', 'indexes only', 1.6),
	('INSERT of many assets', 'keys, indexes, foreign keys', NULL),
	('UPDATE of one column of many', 'keys, indexes, foreign keys', NULL),
	('list of many, drafts', 'two inserts', 1.25),
	('list of many, active contracts', 'three inserts', 1.25);
INSERT INTO bench.goal (subject, variant, reference, at_most) SELECT subject, 'cec', reference, at_most FROM bench.row_goal;
CREATE TABLE bench.lock_entry (n bigint);
