-- What somebody who may create anything anywhere plants for whoever reads a condition: every object leads to a canary, which
-- counts (a sequence keeps its count when the transaction is rolled back), makes a file by COPY TO PROGRAM, and warns.
CREATE SEQUENCE public.canary_count MINVALUE 0 START 0;
SELECT setval('public.canary_count', 0, false) \g /dev/null
CREATE FUNCTION public.canary(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_catalog.nextval('public.canary_count');
	EXECUTE pg_catalog.format('COPY (SELECT 1) TO PROGRAM %L', pg_catalog.concat('cat > cec_canary_', pg_catalog.current_database()));
	RAISE WARNING 'canary: %', what;
	RETURN true;
END $$;
CREATE SCHEMA atk;
CREATE DOMAIN atk.d AS integer CHECK (public.canary('domain over integer'));
CREATE DOMAIN atk.t AS text CHECK (public.canary('domain over text'));
CREATE DOMAIN public.numeric AS text CHECK (public.canary('domain named numeric'));
CREATE DOMAIN public.date AS text CHECK (public.canary('domain named date'));
CREATE DOMAIN public.text AS pg_catalog.text CHECK (public.canary('domain named text'));
CREATE DOMAIN pg_temp.jsonb AS text CHECK (public.canary('temporary domain named jsonb'));
CREATE DOMAIN pg_temp.lower AS text CHECK (public.canary('temporary domain named lower'));
CREATE TYPE atk.c AS (a integer, b atk.d);
CREATE TYPE atk.e AS ENUM ('DE', 'production');
CREATE FUNCTION atk.diff(a integer, b integer) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN public.canary('subtype_diff') THEN 1 END $$;
CREATE TYPE atk.r AS RANGE (subtype = integer, subtype_diff = atk.diff);
CREATE FUNCTION atk.c_text(c atk.c) RETURNS pg_catalog.text LANGUAGE sql IMMUTABLE AS $$ SELECT public.canary('cast')::pg_catalog.text $$;
CREATE CAST (atk.c AS pg_catalog.text) WITH FUNCTION atk.c_text(atk.c) AS IMPLICIT;
-- Only a superuser can do these: casts between the server's own types.
CREATE FUNCTION atk.text_integer(a pg_catalog.text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN public.canary('text to integer') THEN 1 END $$;
CREATE CAST (pg_catalog.text AS integer) WITH FUNCTION atk.text_integer(pg_catalog.text) AS IMPLICIT;
CREATE FUNCTION atk.date_bigint(a pg_catalog.date) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN public.canary('date to bigint') THEN 1 END $$;
CREATE CAST (pg_catalog.date AS bigint) WITH FUNCTION atk.date_bigint(pg_catalog.date) AS IMPLICIT;
CREATE FUNCTION atk.text_interval(a pg_catalog.text) RETURNS interval LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN public.canary('text to interval') THEN interval '1 day' END $$;
CREATE CAST (pg_catalog.text AS interval) WITH FUNCTION atk.text_interval(pg_catalog.text) AS ASSIGNMENT;
-- Functions that shadow the vocabulary or look like columns, and overloads beside it.
DO $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT schema, name, arguments FROM unnest('{public,pg_temp,cec,atk}'::pg_catalog.text[]) AS schema,
		(VALUES ('lower', 'a pg_catalog.text'), ('upper', 'a pg_catalog.text'), ('length', 'a pg_catalog.text'), ('length', 'a atk.d[]'), ('abs', 'a integer'),
			('round', 'a pg_catalog.numeric, b integer'), ('starts_with', 'a pg_catalog.text, b pg_catalog.text'), ('left', 'a pg_catalog.text, b integer'),
			('now', ''), ('st_x', 'a atk.d[]'), ('st_x', 'a pg_catalog.text'), ('st_y', 'a atk.d[], b integer'), ('st_covers', 'a atk.d[], b integer'),
			('usage_type', 'a cec.rule_fact'), ('usage_type', 'a anyelement'), ('evil', 'a pg_catalog.text'), ('evil', 'a atk.d[]'),
			('last_maintenance', 'a atk.d[]'), ('last_maintenance', 'a pg_catalog.text, b integer'), ('last_maintenance', 'a atk.t'), ('maintenance_count', 'a atk.d[], b atk.d[]'),
			('maintenance_count', 'a pg_catalog.text, b atk.d[]'), ('request_count', 'a atk.d[]'), ('as_date', 'a atk.d[]'), ('as_number', 'VARIADIC a atk.d[]'),
			('_age_years', 'a integer, b integer'), ('_bounded_text', 'a atk.t')) AS f(name, arguments)
	LOOP
		EXECUTE format('CREATE FUNCTION %s.%s(%s) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS %L', part.schema, part.name, part.arguments,
			'BEGIN RETURN public.canary(''function ' || part.name || '''); END');
	END LOOP;
END $$;
-- Operators that would fit better than the server's, or are the only ones.
CREATE FUNCTION atk.op(a pg_catalog.text, b pg_catalog.text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.canary('operator text text'); END $$;
CREATE FUNCTION atk.op(a pg_catalog.text, b integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.canary('operator text integer'); END $$;
CREATE FUNCTION atk.op(a integer, b integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.canary('operator integer integer'); END $$;
CREATE FUNCTION atk.op(a pg_catalog.text, b atk.d[]) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.canary('operator text d[]'); END $$;
CREATE FUNCTION atk.op(a pg_catalog.date, b atk.d[]) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.canary('operator date d[]'); END $$;
CREATE FUNCTION atk.op(a pg_catalog.text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.canary('prefix operator'); END $$;
DO $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT schema, name, l, r FROM unnest('{public,pg_temp,atk}'::pg_catalog.text[]) AS schema, unnest('{=,<>,<,~~,@@@,->,?,||}'::pg_catalog.text[]) AS name,
		(VALUES ('pg_catalog.text', 'pg_catalog.text'), ('pg_catalog.text', 'integer'), ('integer', 'integer'), ('pg_catalog.text', 'atk.d[]'), ('pg_catalog.date', 'atk.d[]')) AS o(l, r)
	LOOP
		EXECUTE format('CREATE OPERATOR %s.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = atk.op)', part.schema, part.name, part.l, part.r);
	END LOOP;
END $$;
CREATE OPERATOR public.- (RIGHTARG = pg_catalog.text, FUNCTION = atk.op);
CREATE TABLE atk.rows (a integer, b atk.d);
CREATE TABLE pg_temp.pg_class (a integer);
CREATE VIEW atk.v AS SELECT public.canary('view') AS a;
CREATE AGGREGATE public.evil_agg(integer) (SFUNC = int4pl, STYPE = integer);
CREATE COLLATION public."C" (provider = libc, locale = 'C');
