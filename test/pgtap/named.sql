-- Whoever is given a name of an asset takes it for the same assets, on the day that he means (src/registry/README.md): all callers
-- against one definition in plain SQL.
SET client_min_messages = warning;
BEGIN;
SELECT plan(24);
SELECT cec.create_portfolio('fleet') \g /dev/null
-- Midnight is far, so that today does not change, and so is UTC.
UPDATE fleet.setting SET time_zone = format('Etc/GMT%s', to_char(CASE WHEN hour BETWEEN 10 AND 14 THEN hour - 17 ELSE hour - 12 END, 'FMSG90'))
FROM (SELECT extract(hour FROM now() AT TIME ZONE 'UTC')::integer) AS n(hour);

INSERT INTO fleet.customer (name) VALUES ('Harbour');
INSERT INTO fleet.asset (asset_id, asset_tag, serial_number, manufacturer) VALUES
	(1, 'T-1', 'S-1', 'Alpha'), (2, 'T-2', 'SHARED', 'Alpha'), (3, 'T-3', 'SHARED', 'Beta'), (4, 'SAME', 'SAME', 'Alpha'),
	(5, 'BOTH', NULL, NULL), (6, 'T-6', 'BOTH', 'Alpha'), (7, 'T-7', NULL, NULL), (8, 'T-8', NULL, NULL), (9, 'T-9', 'S-9', NULL),
	(10, 'T-10', 'S-10', 'Alpha'), (11, 'T-11', 'MIXED', 'Alpha'), (12, 'AGAIN', NULL, NULL), (13, 'T-13', 'S-13', 'Beta');
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES
	(7, 'former_tag', 'OVER', '(,2025-07-01)'), (8, 'former_tag', 'RUNNING', '[2025-07-01,)'),
	(7, 'former_tag', 'MOVED', '(,2025-07-01)'), (8, 'former_tag', 'MOVED', '[2025-07-01,)'),
	(9, 'eic', 'EIC-1', '(,)'), (9, 'mac', 'T-9', '[2025-03-01,2025-07-01)'),
	(9, 'giai', 'SCHEMES', '[2025-03-01,2025-07-01)'), (9, 'eic', 'SCHEMES', '[2025-06-30,2025-09-01)'), (9, 'Mac', 'SCHEMES', '[2025-03-01,2025-03-02)'),
	(10, 'eic', 'MIXED', '[2025-03-01,2025-09-01)'), (13, 'former_tag', 'AGAIN', '(,2025-07-01)'),
	(10, 'eic', 'ONE DAY', '[2025-06-15,2025-06-16)'), (1, 'eic', 'TWICE', '(,2025-06-16)'), (13, 'giai', 'TWICE', '[2025-06-15,)'),
	(6, 'former_tag', 'YESTERDAY', daterange(NULL, cec.today('fleet'))), (6, 'former_tag', 'TODAY', daterange(cec.today('fleet'), cec.today('fleet') + 1));
CREATE TEMP TABLE name AS
SELECT * FROM unnest(ARRAY['T-1', 'S-1', 'SHARED', 'SAME', 'BOTH', 'OVER', 'RUNNING', 'MOVED', 'EIC-1', 'T-9', 'SCHEMES', 'MIXED', 'AGAIN', 'ONE DAY', 'TWICE', 'YESTERDAY', 'TODAY',
	't-1', 'T1', 'T-I', E'S\u20101', 'EIC-l', ' T-1', 'T-1 ', 'NOBODY', '', '  ', NULL]) WITH ORDINALITY AS n(name, place);
-- Each a day, the first also an instant of it that has another date in UTC.
CREATE TEMP TABLE day AS
SELECT on_day, on_day + CASE WHEN extract(hour FROM (on_day + time '12:00') AT TIME ZONE time_zone AT TIME ZONE 'UTC') < 12 THEN time '00:01' ELSE time '23:59' END AS local_time, time_zone
FROM unnest('{2024-12-31,2025-02-28,2025-03-01,2025-06-14,2025-06-15,2025-06-16,2025-06-30,2025-07-01,2025-09-01}'::date[]) AS d(on_day), fleet.setting;

-- The definition: on some of the days, NULL: on any day.
CREATE FUNCTION pg_temp.named(name text, days daterange) RETURNS bigint[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(DISTINCT asset_id ORDER BY asset_id), '{}')
	FROM (SELECT asset_id FROM fleet.asset WHERE asset_tag = name OR serial_number = name
		UNION ALL SELECT asset_id FROM fleet.asset_identifier WHERE value = name AND (days IS NULL OR during && days)) AS n
$$;
CREATE FUNCTION pg_temp.scheme(name text, days daterange, named_id bigint) RETURNS text LANGUAGE sql AS $$
	SELECT scheme FROM (SELECT 1, 'asset_tag' FROM fleet.asset WHERE asset_tag = name AND asset_id = named_id
		UNION ALL SELECT 2, 'serial_number' FROM fleet.asset WHERE serial_number = name AND asset_id = named_id
		UNION ALL SELECT 3, scheme FROM fleet.asset_identifier WHERE value = name AND (days IS NULL OR during && days) AND asset_id = named_id) AS n(rank, scheme)
	ORDER BY rank, scheme COLLATE "C" LIMIT 1
$$;
-- Who needs one asset.
CREATE FUNCTION pg_temp.one(name text, days daterange) RETURNS text LANGUAGE sql AS $$
	SELECT CASE cardinality(n) WHEN 0 THEN 'unknown' WHEN 1 THEN n[1]::text ELSE 'ambiguous' END FROM pg_temp.named(name, days) AS n
$$;
CREATE FUNCTION pg_temp.on_day(on_day date) RETURNS daterange LANGUAGE sql RETURN daterange(on_day, on_day, '[]');
-- Runs it and takes it back: the asset that it returns, or how it was refused.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	broken text;
BEGIN
	EXECUTE statement INTO result;
	RAISE SQLSTATE 'ZZ001' USING MESSAGE = coalesce(result, 'nothing');
EXCEPTION WHEN SQLSTATE 'ZZ001' THEN RETURN SQLERRM;
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
		RETURN CASE broken WHEN 'inclusion_listed_as_known' THEN 'unknown' WHEN 'inclusion_listed_as_unambiguous' THEN 'ambiguous'
			WHEN 'inclusion_listed_as_agrees' THEN 'another' WHEN 'inclusion_days_meet_term' THEN SQLERRM
			ELSE CASE WHEN SQLERRM LIKE 'no asset is known as%' THEN 'unknown' ELSE SQLSTATE || ' ' || SQLERRM END END;
END;
$$;

SELECT cmp_ok((SELECT count(*) FROM name, day WHERE cardinality(pg_temp.named(name, pg_temp.on_day(on_day))) = 0), '>=', 100::bigint, 'many names are unknown on a day');
SELECT cmp_ok((SELECT count(*) FROM name, day WHERE cardinality(pg_temp.named(name, pg_temp.on_day(on_day))) = 1), '>=', 60::bigint, 'many name an asset');
SELECT cmp_ok((SELECT count(*) FROM name, day WHERE cardinality(pg_temp.named(name, pg_temp.on_day(on_day))) > 1), '>=', 25::bigint, 'many are ambiguous');

-- The one function in SQL: as it searches, and as it asks for those whom row-level security may bind. All names at once.
CREATE TEMP VIEW said AS
SELECT d.on_day, n.place, n.asset_id, n.scheme
FROM (SELECT on_day FROM day UNION ALL SELECT NULL) AS d, LATERAL cec._named('fleet'::regnamespace::oid, (SELECT array_agg(name ORDER BY place) FROM name), d.on_day) AS n;
CREATE TEMP VIEW meant AS
SELECT d.on_day, n.place, a.asset_id, pg_temp.scheme(n.name, d.days, a.asset_id) AS scheme
FROM (SELECT on_day, pg_temp.on_day(on_day) AS days FROM day UNION ALL SELECT NULL, NULL) AS d, name n, unnest(pg_temp.named(n.name, d.days)) AS a(asset_id);
SELECT results_eq('SELECT * FROM said ORDER BY on_day, place, asset_id', 'SELECT * FROM meant ORDER BY on_day, place, asset_id', 'cec._named, by its search');
SELECT results_eq($$SELECT place, asset_id FROM cec._named('fleet'::regnamespace::oid, (SELECT array_agg(name ORDER BY place) FROM name), '2025-06-15')$$,
	$$SELECT place, asset_id FROM meant WHERE on_day = '2025-06-15' ORDER BY place, asset_id$$, 'in the order of place and asset');
ALTER TABLE fleet.asset ENABLE ROW LEVEL SECURITY;
SELECT results_eq('SELECT * FROM said ORDER BY on_day, place, asset_id', 'SELECT * FROM meant ORDER BY on_day, place, asset_id', 'cec._named, by its query');
ALTER TABLE fleet.asset DISABLE ROW LEVEL SECURITY;

-- On a day, or today.
SELECT is_empty($$SELECT name, on_day FROM name, day WHERE
	(SELECT coalesce(array_agg(f.asset_id::text || f.scheme ORDER BY f.asset_id), '{}') FROM fleet.find_asset(name, on_day) f)
	<> ARRAY(SELECT a::text || pg_temp.scheme(name, pg_temp.on_day(on_day), a) FROM unnest(pg_temp.named(name, pg_temp.on_day(on_day))) AS a)$$, 'find_asset');
SELECT is_empty($$SELECT name FROM name WHERE
	(SELECT coalesce(array_agg(f.asset_id ORDER BY f.asset_id), '{}') FROM fleet.find_asset(name) f) <> pg_temp.named(name, pg_temp.on_day(cec.today('fleet')))$$, 'find_asset, today');

-- On the day, or the day of the instant in the portfolio's calendar. All assets are covered on all days, in a calendar of its own.
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during, time_zone) VALUES (1, 'C', 1, 'active', '(,)', 'UTC'), (2, 'D', 1, 'draft', '(,)', 'UTC');
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES
	(1, 1, '1', '(,)'), (2, 2, '1', '(,)'), (3, 2, '2', '[2025-06-16,2025-07-02)'), (4, 2, '3', '(,)'), (5, 2, '4', '[2024-01-01,2027-01-01)');
INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT t.term_id, a.asset_id, '(,)' FROM fleet.asset a, (VALUES (1), (4)) AS t(term_id);
CREATE FUNCTION pg_temp.covered(statement text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.try(format('SELECT array_agg(asset_id ORDER BY asset_id)::text || bool_and(is_ambiguous) FROM %s', statement))
$$;
CREATE FUNCTION pg_temp.due(name text, on_day date) RETURNS text LANGUAGE sql AS $$
	SELECT CASE cardinality(n) WHEN 0 THEN 'unknown' ELSE n::text || (cardinality(n) > 1) END FROM pg_temp.named(name, pg_temp.on_day(on_day)) AS n
$$;
CREATE TEMP VIEW wrong_day AS
SELECT name, on_day FROM name, day WHERE name IS NOT NULL AND pg_temp.covered(format('fleet.covered_on(%L, %L)', name, on_day)) <> pg_temp.due(name, on_day);
CREATE TEMP VIEW wrong_instant AS
SELECT name, on_day FROM name, day WHERE name IS NOT NULL AND pg_temp.covered(format('fleet.covered(%L, %L)', name, local_time AT TIME ZONE time_zone)) <> pg_temp.due(name, on_day);
SELECT is_empty('TABLE wrong_day', 'covered_on');
SELECT is_empty('TABLE wrong_instant', 'covered');
ALTER TABLE fleet.contract ENABLE ROW LEVEL SECURITY;
SELECT is_empty('TABLE wrong_day', 'covered_on, by its query');
SELECT is_empty('TABLE wrong_instant', 'covered, by its query');
ALTER TABLE fleet.contract DISABLE ROW LEVEL SECURITY;

-- On some of the days of the line; NULL days are the term's.
CREATE TEMP TABLE days AS
SELECT pg_temp.on_day(on_day) AS days FROM day UNION ALL VALUES ('[2025-06-15,2025-07-02)'::daterange), ('[2025-07-01,)'), ('(,2025-03-01)');
SELECT is_empty($$SELECT name, days FROM name, days WHERE name IS NOT NULL
	AND pg_temp.try(format('INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (2, %L, %L) RETURNING asset_id', name, days)) <> pg_temp.one(name, days)$$, 'a line by its name');
SELECT is_empty($$SELECT name, asset_id, days FROM name, fleet.asset, days WHERE name IS NOT NULL AND (length(name) > 3 OR asset_id = 1) AND lower(days) > '2025-06-01'
	AND pg_temp.try(format('INSERT INTO fleet.inclusion (term_id, asset_id, listed_as, during) VALUES (2, %s, %L, %L) RETURNING asset_id', asset_id, name, days))
		<> CASE WHEN asset_id = ANY (pg_temp.named(name, days)) THEN asset_id::text ELSE 'another' END$$, 'a line by asset and name');
INSERT INTO fleet.inclusion (inclusion_id, term_id, asset_id, during) SELECT 1000, 2, 3, '[2020-01-01,2020-02-01)';
SELECT is_empty($$SELECT name, days FROM name, days WHERE name IS NOT NULL
	AND pg_temp.try(format('UPDATE fleet.inclusion SET listed_as = %L, during = %L WHERE inclusion_id = 1000 RETURNING asset_id', name, days)) <> pg_temp.one(name, days)$$, 'a line that gets another name');
CREATE FUNCTION pg_temp.included(name text, on_day date) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	line bigint := fleet.include_asset(2, name, on_day, on_day);
BEGIN
	RETURN (SELECT asset_id FROM fleet.inclusion WHERE inclusion_id = line);
END;
$$;
SELECT is_empty($$SELECT name, on_day FROM name, day WHERE name IS NOT NULL
	AND pg_temp.try(format('SELECT pg_temp.included(%L, %L)', name, on_day)) <> pg_temp.one(name, pg_temp.on_day(on_day))$$, 'include_asset');
SELECT is_empty($$SELECT name, on_day FROM name, day WHERE name <> ''
	AND pg_temp.try(format('INSERT INTO fleet.field_observation (seen_tag, observed_at) VALUES (%L, %L) RETURNING coalesce(asset_id::text, ''not recognised'')', name, local_time AT TIME ZONE time_zone))
		<> CASE cardinality(pg_temp.named(name, pg_temp.on_day(on_day))) WHEN 1 THEN pg_temp.one(name, pg_temp.on_day(on_day)) ELSE 'not recognised' END$$, 'what was seen in the field');
SELECT is_empty($$SELECT d.days, c.identifier, c.outcome, c.asset_id
	FROM (SELECT days FROM days WHERE NOT lower_inf(days) AND NOT upper_inf(days) UNION ALL SELECT NULL) AS d,
		LATERAL fleet.check_inclusions(CASE WHEN d.days IS NULL THEN 3 ELSE 2 END, (SELECT jsonb_agg(jsonb_build_object('identifier', name, 'first_day', lower(d.days), 'last_day', upper(d.days) - 1)) FROM name WHERE name IS NOT NULL)) AS c
	WHERE CASE c.constraint_name WHEN 'inclusion_listed_as_known' THEN 'unknown' WHEN 'inclusion_listed_as_unambiguous' THEN 'ambiguous' ELSE c.asset_id::text END
		IS DISTINCT FROM pg_temp.one(c.identifier, coalesce(d.days, '[2025-06-16,2025-07-02)'))$$, 'check_inclusions');

-- On any day: what is on the list must be able to leave it, and keeps what it was listed as.
SELECT is_empty($$SELECT name, last_day FROM name, (VALUES (date '2025-03-01'), ('2026-01-01')) AS d(last_day)
	WHERE pg_temp.try(format('WITH r AS MATERIALIZED (SELECT fleet.remove_asset(4, %L, %L) AS removed) SELECT removed FROM r', name, last_day))
		<> CASE WHEN pg_temp.one(name, NULL) ~ '^\d' THEN '1' ELSE pg_temp.one(name, NULL) END$$, 'remove_asset finds one asset');
DO $$ BEGIN PERFORM fleet.remove_asset(4, 'OVER', '2025-12-31'); PERFORM fleet.remove_asset(4, 'ONE DAY', '2025-12-31'); END $$;
SELECT is((SELECT array_agg(asset_id ORDER BY asset_id) FROM fleet.inclusion WHERE term_id = 4 AND NOT upper_inf(during)), pg_temp.named('OVER', NULL) || pg_temp.named('ONE DAY', NULL), 'and that one');
INSERT INTO fleet.inclusion (inclusion_id, term_id, asset_id, during)
SELECT 2000 + 100 * a.asset_id + n.place, 5, a.asset_id, daterange('2026-01-01'::date + n.place::integer, '2026-01-02'::date + n.place::integer)
FROM fleet.asset a, name n WHERE n.name IS NOT NULL;
ALTER TABLE fleet.inclusion DISABLE TRIGGER resolve_listed_as_anew;
UPDATE fleet.inclusion i SET listed_as = n.name FROM name n WHERE i.inclusion_id > 2000 AND n.place = (i.inclusion_id - 2000) % 100;
ALTER TABLE fleet.inclusion ENABLE TRIGGER resolve_listed_as_anew;
SELECT is_empty($$SELECT a.asset_tag, i.listed_as FROM fleet.inclusion i JOIN fleet.asset a USING (asset_id) WHERE i.inclusion_id > 2000
	AND pg_temp.try(format('UPDATE fleet.inclusion SET during = ''[2030-01-01,2030-02-01)'' WHERE inclusion_id = %s RETURNING asset_id', i.inclusion_id))
		<> format('asset "%s" would be listed on days outside the term', CASE WHEN a.asset_id = ANY (pg_temp.named(i.listed_as, NULL)) THEN i.listed_as ELSE a.asset_tag END)$$, 'what a refused line is called');

-- Never more than the caller may read.
SELECT throws_ok($$SELECT * FROM cec._named('fleet'::regnamespace::oid, '{T-1}', 'infinity')$$, '22008', 'infinity is not a day', 'infinity');
CREATE ROLE cec_test_reader;
SET LOCAL ROLE cec_test_reader;
SELECT throws_ok($$SELECT * FROM cec._named('fleet'::regnamespace::oid, '{T-1}', NULL)$$, '42501', NULL, 'no names past a missing right');
RESET ROLE;
GRANT USAGE ON SCHEMA fleet TO cec_test_reader;
GRANT SELECT ON fleet.asset, fleet.asset_identifier TO cec_test_reader;
ALTER TABLE fleet.asset ENABLE ROW LEVEL SECURITY;
CREATE POLICY beta ON fleet.asset TO cec_test_reader USING (manufacturer = 'Beta');
SET LOCAL ROLE cec_test_reader;
SELECT results_eq($$SELECT * FROM cec._named('fleet'::regnamespace::oid, '{SHARED,T-1,SAME,T-3}', NULL)$$, $$VALUES (1::bigint, 3::bigint, 'serial_number'), (4, 3, 'asset_tag')$$, 'no names past row-level security');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
