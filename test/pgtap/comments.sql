-- Everything that a user can see says what it is.
SELECT cec.create_portfolio('fleet');
SELECT plan(5);

SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p
	WHERE p.pronamespace IN ('cec'::regnamespace, 'fleet'::regnamespace) AND obj_description(p.oid, 'pg_proc') IS NULL
$$, 'every function has a comment');

SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class c
	WHERE c.relnamespace IN ('cec'::regnamespace, 'fleet'::regnamespace) AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
		AND obj_description(c.oid, 'pg_class') IS NULL
$$, 'every table and view has a comment');

SELECT is_empty($$
	SELECT c.oid::regclass, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relnamespace IN ('cec'::regnamespace, 'fleet'::regnamespace) AND c.relkind IN ('r', 'v', 'm', 'p', 'f', 'c')
		AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL
$$, 'every column has a comment');

SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class c
	WHERE c.relnamespace IN ('cec'::regnamespace, 'fleet'::regnamespace) AND c.relkind = 'c' AND obj_description(c.reltype, 'pg_type') IS NULL
$$, 'every type has a comment');

SELECT is_empty($$
	SELECT n.nspname FROM pg_namespace n
	WHERE n.nspname IN ('cec', 'fleet') AND obj_description(n.oid, 'pg_namespace') IS NULL
$$, 'every schema has a comment');

SELECT * FROM finish();
