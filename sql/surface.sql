-- The whole public interface: whoever changes it changes this file's expected output. What is private (_name) and
-- the text of checks are not part of it.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include

-- Functions: arguments with defaults, result, language, volatility, parallel safety; strict and definer's rights where so.
SELECT format('%s.%s(%s) -> %s %s%s%s%s%s', n.nspname, p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
	l.lanname, CASE p.provolatile WHEN 'i' THEN ' immutable' WHEN 's' THEN ' stable' ELSE ' volatile' END,
	CASE p.proparallel WHEN 's' THEN ' parallel safe' WHEN 'r' THEN ' parallel restricted' ELSE '' END,
	CASE WHEN p.proisstrict THEN ' strict' ELSE '' END, CASE WHEN p.prosecdef THEN ' SECURITY DEFINER' ELSE '' END)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE n.nspname IN ('cec', 'fleet') AND p.proname !~ '^_'
ORDER BY n.nspname COLLATE "C", p.proname COLLATE "C", pg_get_function_identity_arguments(p.oid) COLLATE "C";

-- Relations.
SELECT format('%s.%s %s%s', n.nspname, c.relname, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'c' THEN 'type' ELSE c.relkind::text END,
	' (' || array_to_string(c.reloptions, ', ') || ')')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('cec', 'fleet') AND c.relkind NOT IN ('i', 'S') AND c.relname !~ '^_'
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C";

-- Columns.
SELECT format('%s.%s.%s %s%s%s%s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
	CASE WHEN a.attnotnull THEN ' not null' ELSE '' END,
	CASE a.attidentity WHEN 'd' THEN ' identity by default' WHEN 'a' THEN ' identity always' ELSE '' END,
	' default ' || pg_get_expr(d.adbin, d.adrelid))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
	LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE n.nspname IN ('cec', 'fleet') AND c.relkind NOT IN ('i', 'S') AND c.relname !~ '^_' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum;

-- Constraints by name: a program that catches an error knows them.
SELECT format('%s: %s%s', conrelid::regclass, conname,
	CASE WHEN contype <> 'c' THEN ' ' || pg_get_constraintdef(oid) ELSE ' CHECK' END)
FROM pg_constraint WHERE connamespace = 'fleet'::regnamespace AND contype <> 'n'
ORDER BY conrelid::regclass::text COLLATE "C", conname COLLATE "C";

-- Indexes beside those of constraints.
SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = 'fleet'::regnamespace
	AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid AND contype IN ('p', 'u', 'x'))
ORDER BY c.relname COLLATE "C";

-- Triggers, with the mode in which they pass the gate.
SELECT format('%s: %s %s %s', c.relname,
	string_agg(t.tgname || CASE WHEN t.tgfoid = 'cec.enter_gate'::regproc THEN '(' || convert_from(rtrim(t.tgargs, '\x00'), 'UTF8') || ')' ELSE '' END, ', ' ORDER BY t.tgname COLLATE "C"), t.tgfoid::regproc,
	CASE t.tgenabled WHEN 'A' THEN 'always' ELSE t.tgenabled::text END)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'fleet'::regnamespace AND NOT t.tgisinternal
GROUP BY c.relname, t.tgfoid, t.tgenabled ORDER BY c.relname COLLATE "C", t.tgfoid::regproc::text COLLATE "C";

-- Settings; what the extension needs; which operators, casts and the like of its own it has (types
-- are those of its tables and views, and as members they differ by version).
SELECT name, vartype, context, boot_val FROM pg_settings WHERE name LIKE 'cec.%' ORDER BY name;
SELECT unnest(requires) FROM pg_available_extension_versions WHERE name = 'cec' AND installed ORDER BY 1;
SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'cec')
	AND deptype = 'e' AND classid NOT IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_type'::regclass) ORDER BY 1;

\set include :source/sql/include/end.sql
\i :include
