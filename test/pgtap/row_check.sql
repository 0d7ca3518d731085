-- CHECK constraints: what they cost, what they say, and that each of them means what its expression in SQL does.
-- What is made beforehand is committed: a row is of the table that its transaction has locked for writing.
SET client_min_messages = warning;
CREATE ROLE regress_check_owner NOLOGIN;
CREATE ROLE regress_check_nobody NOLOGIN;
DO $$ BEGIN
	PERFORM cec.create_portfolio('fleet', 'regress_check_owner'), cec.create_portfolio('other', 'regress_check_owner');
END $$;
GRANT USAGE ON SCHEMA fleet TO regress_check_nobody;
GRANT INSERT, UPDATE (decommissioned_on) ON fleet.asset TO regress_check_nobody;
INSERT INTO fleet.asset (asset_tag, commissioned_on) VALUES ('PUMP-1', '2020-02-02');
CREATE TABLE public.own (LIKE fleet.asset INCLUDING ALL);
ALTER TABLE public.own OWNER TO regress_check_nobody;
BEGIN;
SET LOCAL datestyle = 'ISO, YMD';
SELECT no_plan();

-- In bytes as 15 writes a call: 16 and 18 say more of each column.
CREATE TEMP TABLE found AS
SELECT c.relname::text AS table_name, k.conname::text AS constraint_name,
	length(regexp_replace(k.conbin::text, ' :(varnullingrels \(b\)|varreturningtype 0)', '', 'g')) AS bytes,
	regexp_replace(pg_get_constraintdef(k.oid), '[ ()]+', ' ', 'g') AS definition,
	ARRAY(SELECT a.attname::text FROM unnest(k.conkey) AS key JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = key ORDER BY 1) AS columns
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.connamespace = 'fleet'::regnamespace AND k.contype = 'c';

SELECT is_empty($$SELECT table_name, sum(bytes) FROM found GROUP BY table_name HAVING sum(bytes) > 4500$$, 'no table has more than 4,500 bytes of constraints, which every statement reads');
SELECT set_eq($$SELECT table_name, constraint_name, columns FROM found$$,
	$$SELECT table_name, constraint_name, ARRAY(SELECT unnest(columns) ORDER BY 1) FROM cec.table_rule$$, 'the view is what tables have');
SELECT set_eq($$SELECT constraint_name, replace(definition, 'NOT VALID', '') FROM found$$,
	$$SELECT constraint_name, format('CHECK cec._%s %s ', constraint_name, array_to_string(columns, ', ')) FROM cec.table_rule$$, 'each is one call of the function of its name');
SELECT is_empty($$SELECT p.proname FROM found f LEFT JOIN pg_proc p ON p.pronamespace = 'cec'::regnamespace AND p.proname = '_' || f.constraint_name
	WHERE p.provolatile IS DISTINCT FROM 'i' OR p.proparallel <> 's' OR NOT has_function_privilege('regress_check_nobody', p.oid, 'EXECUTE')$$, 'immutable, and everybody''s to call');
SELECT is_empty($$SELECT constraint_name FROM cec.table_rule WHERE meaning !~ ' (must|may|needs) ' OR meaning ~ '\$|\.$|^[A-Z]'$$, 'each says what must be, as a message does');
SELECT is_empty($$SELECT constraint_name FROM cec.table_rule WHERE (allowed_words IS NOT NULL) <> (constraint_name ~ '_known$' AND constraint_name !~ 'time_zone')$$, 'words are told where a column takes words');

-- What each means, in SQL. $c stands for its first column; a constraint holds where its expression is not false.
CREATE TEMP TABLE law (pattern text, expression text);
INSERT INTO law VALUES
	('_(asset_tag|number|manufacturer|model|code|value|external_ref|value_attribute)_length$', 'char_length($c) BETWEEN 1 AND 200'),
	('seen_tag_length$', 'char_length($c) BETWEEN 1 AND 500'), ('scheme_length$', 'char_length($c) BETWEEN 1 AND 40'), ('source_source_length$', 'char_length($c) BETWEEN 1 AND 28'), ('stale_after_positive$', '$c > interval ''0'''),
	('(condition|requirement)_length$', 'octet_length($c) BETWEEN 1 AND 4000'),
	('hash_length$', 'octet_length($c) = 16'), ('content_length$', 'octet_length($c) = 32'),
	('as_many$', 'octet_length(leaf_hashes) = 32 * cardinality(audit_ids)'),
	('(name|reason|waiver_subject)_not_empty$|ground_given$', '$c <> '''''), ('(days|recorded)_not_empty$', 'NOT isempty($c)'),
	('^(asset_identifier|contract|coverage|coverage_history|coverage_rule|coverage_term|regulation|rule_effect|bundle_member|inclusion)_days_finite$|suspensions_finite$|^asset_days_finite$',
		'isfinite(lower($c)) IS NOT FALSE AND isfinite(upper($c)) IS NOT FALSE'),
	('_(day|first_day|time|until)_finite$', 'isfinite($c)'), ('times_finite$', 'isfinite(opened_at) IS NOT FALSE AND isfinite(closed_at) IS NOT FALSE'),
	('currency_form$', '$c ~ ''^[A-Z]{3}$'''), ('country_form$', '$c IN (SELECT code FROM cec.country)'),
	('region_form$', 'region ~ ''^[A-Z]{2}-[A-Z0-9]{1,3}$'' AND (country IS NULL OR left(region, 2) = country)'),
	('closed_after_opened$', 'closed_at >= opened_at'), ('applied_after_requested$', 'applied_at >= requested_at'), ('own_predecessor$', 'predecessor_id <> contract_id'), ('days_in_order$', 'last_day >= first_day'),
	('^asset_commissioned_before_decommissioned$', 'isfinite(commissioned_on) IS NOT FALSE AND isfinite(decommissioned_on) IS NOT FALSE AND (commissioned_on <= decommissioned_on) IS NOT FALSE'),
	('cost_finite$', '$c > ''-Infinity'' AND $c < ''Infinity'''), ('cost_has_currency$', 'cost IS NULL OR currency IS NOT NULL'), ('price_has_basis$', 'price IS NULL OR price_basis IS NOT NULL'),
	('retired_needs', 'status <> ''retired'' OR decommissioned_on IS NOT NULL'), ('applied_has_time$', '(status = ''applied'') = (applied_at IS NOT NULL)'),
	('approval_complete$', '(approved_at IS NULL) = (approved_by IS NULL)'), ('speaks_of_something$', 'asset_id IS NOT NULL OR seen_tag IS NOT NULL'), ('says_of_what$', 'asset_id IS NOT NULL OR contract_id IS NOT NULL OR subject IS NOT NULL'),
	('governing_country_whole$', 'applies_by <> ''governing_country'' OR region IS NULL'),
	('has_ground$', 'is_stated OR is_ruled OR is_inherited'), ('own_successor$', 'successor_id <> asset_id'),
	('hours_positive$', '$c > 0 AND $c < ''Infinity'''), ('price_not_negative$', '$c >= 0 AND $c < ''Infinity'''), ('days_not_negative$', '$c >= 0'), ('attributes_object$', 'jsonb_typeof($c) = ''object'''),
	('location_in_range$', 'location IS NULL OR (st_x(location) BETWEEN -180 AND 180 AND st_y(location) BETWEEN -90 AND 90) IS TRUE'),
	('boundary_valid$', 'st_isvalid($c)'), ('boundary_in_range$', 'st_xmin($c) >= -180 AND st_xmax($c) <= 180 AND st_ymin($c) >= -90 AND st_ymax($c) <= 90'),
	('boundary_edge_short$', 'NOT EXISTS (SELECT FROM st_dumpsegments(st_boundary($c)) AS s CROSS JOIN LATERAL (SELECT st_startpoint(s.geom) AS a, st_endpoint(s.geom) AS b) AS e
		WHERE abs(st_x(e.a) - st_x(e.b)) > 180 AND NOT (st_y(e.a) = st_y(e.b) AND abs(st_y(e.a)) = 90))'),
	('time_zone_known$', 'true'), ('one_row$', 'setting_id = 1'), ('gate_is_empty', 'false');
INSERT INTO law SELECT '^' || constraint_name || '$', format(CASE WHEN constraint_name ~ 'owned_columns' THEN '$c <@ %L::text[]' ELSE '$c = ANY (%L::text[])' END, allowed_words) FROM cec.table_rule WHERE allowed_words IS NOT NULL;
SELECT set_eq($$SELECT constraint_name, 1 FROM found$$, $$SELECT constraint_name, count(*)::integer FROM found JOIN law ON constraint_name ~ pattern GROUP BY 1$$, 'each has one meaning here');

-- Values of every type that they take.
CREATE TEMP TABLE sample (type text, value text);
INSERT INTO sample SELECT 'text', v FROM unnest(ARRAY[NULL, '', 'x', 'retired', 'applied', 'Applied', 'retired ', 'EUR', 'eur', 'EUROS', 'DE', 'XX', 'D', 'DEU', 'DE-BY', 'DE-', 'DE-BYAB', 'de-by', 'AT-5', 'DE_BY', 'DE-B-', 'DE-BY' || chr(10),
	repeat('x', 40), repeat('x', 41), repeat('x', 200), repeat('x', 201), repeat('ü', 200), repeat('ü', 201), repeat('x', 4000), repeat('x', 4001), repeat('ü', 2001), repeat('x', 100000)]) AS v;
INSERT INTO sample SELECT 'text', w FROM cec.table_rule, unnest(allowed_words) AS w UNION SELECT 'text', w || ',' FROM cec.table_rule, unnest(allowed_words) AS w WHERE table_name = 'asset'
	UNION SELECT 'text', left(w, -1) FROM cec.table_rule, unnest(allowed_words) AS w WHERE table_name = 'asset' UNION SELECT 'text', array_to_string(allowed_words, ', ') FROM cec.table_rule WHERE allowed_words IS NOT NULL;
INSERT INTO sample SELECT 'text', repeat(c, n) FROM unnest(ARRAY['x', 'ü']) AS c, unnest(ARRAY[28, 29]) AS n;
INSERT INTO sample SELECT 'text[]', v FROM unnest(ARRAY[NULL, '{}', '{status}', '{status,location}', '{status,asset_tag}', '{NULL}', '{status,NULL}', '{""}', '{Status}', '{"status, location"}', '{{status,model},{region,country}}']) AS v;
INSERT INTO sample SELECT 'interval', v FROM unnest(ARRAY[NULL, '0', '1 day', '-1 day', '1 month -30 days', '1 month -31 days', '1 microsecond']) AS v;
INSERT INTO sample SELECT 'date', v FROM unnest(ARRAY[NULL, 'infinity', '-infinity', '2026-01-01', '2026-01-02', '4713-01-01 BC', '5874897-12-31']) AS v;
INSERT INTO sample SELECT 'timestamptz', v FROM unnest(ARRAY[NULL, 'infinity', '-infinity', '2026-01-01 00:00:00+00', '2026-01-01 00:00:00.000001+00', '294276-12-31 00:00:00+00']) AS v;
INSERT INTO sample SELECT t, v FROM unnest(ARRAY['daterange', 'tstzrange']) AS t, unnest(ARRAY[NULL, 'empty', '(,)', '[2026-01-01,)', '(,2026-01-01]', '[2026-01-01,2026-01-02)', '[2026-01-01,2026-01-01)', '[2026-01-01,infinity)', '[2026-01-01,infinity]', '[-infinity,2026-01-01)', '[-infinity,infinity]']) AS v;
INSERT INTO sample SELECT 'datemultirange', v FROM unnest(ARRAY[NULL, '{}', '{(,)}', '{[2026-01-01,2026-02-01)}', '{[2026-01-01,2026-02-01),[2026-03-01,infinity)}', '{[-infinity,2026-02-01),[2026-03-01,)}', '{(,2020-01-01),[2026-03-01,)}']) AS v;
INSERT INTO sample SELECT t, v FROM unnest(ARRAY['numeric', 'integer', 'bigint']) AS t, unnest(ARRAY[NULL, '0', '1', '-1', '2', '2147483647', '-2147483648']) AS v;
INSERT INTO sample SELECT 'numeric', v FROM unnest(ARRAY['NaN', 'Infinity', '-Infinity', '0.0000000001', '-0.0000000001', '0.00']) AS v;
INSERT INTO sample SELECT 'boolean', v FROM unnest(ARRAY[NULL, 'true', 'false']) AS v;
INSERT INTO sample SELECT 'jsonb', v FROM unnest(ARRAY[NULL, '{}', '[]', 'null', '"{}"', '1', '{"a": []}', '[{}]']) AS v;
INSERT INTO sample SELECT 'bytea', '\x' || repeat('00', n) FROM unnest(ARRAY[NULL, 0, 1, 15, 16, 17, 31, 32, 33, 64, 10000]) AS n;
INSERT INTO sample SELECT 'bigint[]', v FROM unnest(ARRAY[NULL, '{}', '{1}', '{1,2}', '{NULL}', '{{1},{2}}']) AS v;
INSERT INTO sample SELECT 'geometry', v FROM unnest(ARRAY[NULL, 'SRID=4326;POINT(0 0)', 'SRID=4326;POINT(180 90)', 'SRID=4326;POINT(-180 -90)', 'SRID=4326;POINT(180.0000001 0)', 'SRID=4326;POINT(0 -90.0000001)', 'SRID=4326;POINT(0 90.1)',
	'SRID=4326;POINT(-181 0)', 'SRID=4326;POINT EMPTY', 'SRID=4326;POINT(NaN 0)', 'POINT(1 1)']) AS v;
INSERT INTO sample SELECT 'area', v FROM unnest(ARRAY[NULL, 'SRID=4326;MULTIPOLYGON EMPTY', 'SRID=4326;MULTIPOLYGON(((0 0,1 0,1 1,0 1,0 0)))', 'SRID=4326;MULTIPOLYGON(((0 0,9 0,9 9,0 9,0 0),(1 1,1 2,2 2,2 1,1 1)),((-180 -90,-170 -90,-170 -80,-180 -80,-180 -90)))',
	'SRID=4326;MULTIPOLYGON(((0 0,2 2,2 0,0 2,0 0)))', 'SRID=4326;MULTIPOLYGON(((-34 150,-33 150,-33 152,-34 152,-34 150)))', 'SRID=4326;MULTIPOLYGON(((0 0,1 0,1 1,0 1,0 0)),((170 0,181 0,181 1,170 1,170 0)))',
	'SRID=4326;MULTIPOLYGON(((170 0,-170 0,-170 1,170 1,170 0)))', 'SRID=4326;MULTIPOLYGON(((-90 0,90 0,90 1,-90 1,-90 0)))', 'SRID=4326;MULTIPOLYGON(((0 0,9 0,9 9,0 9,0 0)),((-179 80,0 80,179 80,179 90,-179 90,-179 80)))',
	'SRID=4326;MULTIPOLYGON(((-90 -90,90 -90,90 90,-90.1 90,-90.1 -90,-90 -90)))', 'SRID=4326;MULTIPOLYGON(((-100 -90,90 -89,90 0,-100 -90)))', 'MULTIPOLYGON(((-180 -90,180 -90,180 90,-180 90,-180 -90)))']) AS v;

-- Whether a constraint holds; its error names it, and says more than that.
CREATE FUNCTION holds(statement text, name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	code text;
	constraint_name text;
	message text;
	hint text;
BEGIN
	EXECUTE statement INTO result;
	RETURN coalesce(result, 'true');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, constraint_name = CONSTRAINT_NAME, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	IF message = 'a day is infinite' AND name = 'asset_commissioned_before_decommissioned' THEN
		name := 'asset_days_finite';
	END IF;
	IF code NOT IN ('23514', '22001') OR constraint_name <> name OR message = '' OR message ~ 'violates' THEN
		RETURN concat_ws(' ', code, constraint_name, message);
	END IF;
	RETURN 'false';
END $$;
CREATE TEMP TABLE argument AS
SELECT r.constraint_name, a.n, split_part(a.argument, ' ', 1) AS column_name, split_part(a.argument, ' ', 2) AS type,
	CASE WHEN a.argument = 'boundary geometry' THEN 'area' ELSE split_part(a.argument, ' ', 2) END AS sampled
FROM cec._row_checks() AS r, regexp_split_to_table(r.arguments, ', ') WITH ORDINALITY AS a(argument, n) WHERE r.constraint_name !~ 'time_zone';
CREATE TEMP TABLE combination AS
SELECT a.constraint_name, ARRAY[x.value, y.value, z.value] AS given
FROM argument a JOIN sample x ON x.type = a.sampled
	LEFT JOIN argument b ON b.constraint_name = a.constraint_name AND b.n = 2 LEFT JOIN sample y ON y.type = b.sampled AND (y.type <> 'text' OR coalesce(y.value, '') IN ('', 'x', 'EUR', 'DE', 'AT', 'D', 'DEU'))
	LEFT JOIN argument c ON c.constraint_name = a.constraint_name AND c.n = 3 LEFT JOIN sample z ON z.type = c.sampled
WHERE a.n = 1;
CREATE TEMP TABLE tried AS
SELECT k.constraint_name, k.given, holds(format('SELECT cec._%s(%s)', k.constraint_name, call.arguments), k.constraint_name) AS function_says,
	holds(format('SELECT (%s) IS NOT FALSE FROM (SELECT %s) AS row', replace(l.expression, '$c', call.first), call.columns), k.constraint_name) AS expression_says
FROM combination k JOIN law l ON k.constraint_name ~ l.pattern,
	LATERAL (SELECT string_agg(format('%L::%s', k.given[a.n], a.type), ', ' ORDER BY a.n) AS arguments, string_agg(format('%L::%s AS %I', k.given[a.n], a.type, a.column_name), ', ' ORDER BY a.n) AS columns,
		min(a.column_name) FILTER (WHERE a.n = 1) AS first FROM argument a WHERE a.constraint_name = k.constraint_name) AS call;
SELECT is_empty($$SELECT constraint_name, left(given::text, 60), left(function_says, 80), expression_says FROM tried WHERE function_says <> expression_says$$, 'each says of every value what its expression says, and names itself where it refuses');
SELECT cmp_ok((SELECT count(*) FROM tried), '>', 3000::bigint, 'of many values');
SELECT set_eq($$SELECT DISTINCT constraint_name, function_says FROM tried WHERE constraint_name !~ 'gate'$$,
	$$SELECT constraint_name, says FROM found, unnest(ARRAY['true', 'false']) AS says WHERE constraint_name !~ 'gate|time_zone'$$, 'each accepts something and refuses something');
SELECT throws_ok($$SELECT cec._contract_time_zone_known('Mars/Olympus')$$, '23514', NULL, 'a time zone is one of the server''s names');
SELECT ok(cec._contract_time_zone_known('Europe/Berlin') AND cec._setting_time_zone_known('UTC'), 'and those that it knows are fine');

-- Whatever they are handed.
SELECT throws_ok(format('SELECT cec._asset_status_known(repeat(%L, 30000000))', 'ü'), '23514', NULL, 'a very long word');
SELECT throws_ok($$SELECT cec._asset_location_in_range('LINESTRING(1 1,2 2)')$$, '23514', NULL, 'a line is no location');
SELECT throws_ok($$SELECT cec._asset_location_in_range('POINT ZM(1 1 1 1)')$$, '23514', NULL, 'nor is what has more than two dimensions');
SELECT throws_ok($$SELECT cec._contract_boundary_in_range('GEOMETRYCOLLECTION(POINT(1 1))')$$, '23514', NULL, 'a collection is no area');

-- Which table a row was refused of, and what is told of it.
CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE schema_name text; table_name text; column_name text; constraint_name text; detail text; message text;
BEGIN
	EXECUTE statement;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS schema_name = SCHEMA_NAME, table_name = TABLE_NAME, column_name = COLUMN_NAME, constraint_name = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL, message = MESSAGE_TEXT;
	RETURN concat_ws('|', schema_name, table_name, column_name, constraint_name, message || ' ' || detail ~ 'SECRET|1999-09-09');
END $$;
CREATE FUNCTION said_to(role name, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	result := refused(statement);
	RESET ROLE;
	RETURN result;
END $$;
CREATE FUNCTION undone(first text, role name, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	EXECUTE first;
	result := said_to(role, statement);
	RAISE EXCEPTION USING ERRCODE = 'RB000', MESSAGE = result;
EXCEPTION WHEN SQLSTATE 'RB000' THEN RETURN SQLERRM;
END $$;
SELECT is(said_to('regress_check_owner', $$INSERT INTO fleet.asset (asset_tag, status) VALUES ('A', 'SECRET')$$), 'fleet|asset|status|asset_status_known|t', 'schema, table, column and constraint, and the value');
SELECT is(refused($$SELECT cec._asset_status_known('SECRET')$$), '|asset|status|asset_status_known|f', 'a function that is called by itself knows no table');
SELECT is(said_to('regress_check_nobody', $$INSERT INTO fleet.asset (asset_tag, status) VALUES ('A', 'SECRET')$$), 'fleet|asset|status|asset_status_known|f', 'no values for those who may not read them');
SELECT is(undone('LOCK TABLE other.asset IN ROW EXCLUSIVE MODE', 'regress_check_owner', $$INSERT INTO fleet.asset (asset_tag, status) VALUES ('A', 'SECRET')$$), '|asset|status|asset_status_known|t', 'two portfolios in a transaction: whose it is is not known');
SELECT is(undone('LOCK TABLE other.asset IN ACCESS SHARE MODE', 'regress_check_owner', $$INSERT INTO fleet.asset (asset_tag, status) VALUES ('A', 'SECRET')$$), 'fleet|asset|status|asset_status_known|t', 'one that is only read is not taken for it');
SELECT is(said_to('regress_check_nobody', $$INSERT INTO public.own (asset_id, asset_tag, status) VALUES (1, 'A', 'SECRET')$$), 'public|own|status|asset_status_known|t', 'a table like it is checked like it');
SELECT is(undone('LOCK TABLE public.own IN ROW EXCLUSIVE MODE', 'regress_check_nobody', $$INSERT INTO fleet.asset (asset_tag, status) VALUES ('A', 'SECRET')$$), '|asset|status|asset_status_known|f', 'a table of one''s own beside it opens nothing');
SELECT is(said_to('regress_check_nobody', $$UPDATE fleet.asset SET decommissioned_on = '1999-09-09'$$), 'fleet|asset||asset_commissioned_before_decommissioned|f', 'what is beside the column that may be written is not told');
SELECT is(said_to('regress_check_owner', $$UPDATE fleet.asset SET decommissioned_on = '1999-09-09'$$), 'fleet|asset||asset_commissioned_before_decommissioned|t', 'save to the owner');
SELECT * FROM finish();
ROLLBACK;
DROP TABLE public.own;
DROP SCHEMA fleet, other CASCADE;
DROP ROLE regress_check_owner, regress_check_nobody;
