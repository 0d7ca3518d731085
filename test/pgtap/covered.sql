-- covered answers by index probes where it may, and by its query otherwise: both must say the same. So must covered_many of each
-- identifier.
SET client_min_messages = warning;
BEGIN;
SELECT plan(9);
\ir include/rows_eq.sql
SELECT cec.create_portfolio('fleet') \g /dev/null


INSERT INTO fleet.customer (customer_id, name) VALUES (1, 'Harbour');
INSERT INTO fleet.service_tier (tier_id, code, name, rank) VALUES (1, 'gold', 'Gold', 3), (2, 'basic', 'Basic', 1);
INSERT INTO fleet.asset (asset_id, asset_tag, serial_number, manufacturer, commissioned_on, decommissioned_on)
SELECT i, 'A' || i, 'S' || CASE WHEN i % 10 = 0 THEN i - 1 ELSE i END, CASE WHEN i % 10 = 0 THEN 'Other' ELSE 'Maker' END,
	CASE WHEN i % 3 > 0 THEN date '2026-01-01' END, CASE WHEN i % 7 = 0 THEN date '2026-06-30' END
FROM generate_series(1, 200) i;
-- Some identifiers are the tag of another asset, some hold for part of the year only.
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during)
SELECT i, 'former', CASE WHEN i % 20 = 0 THEN 'A' || i - 1 ELSE 'F' || i END,
	CASE i % 3 WHEN 0 THEN '(,)' WHEN 1 THEN '[2026-03-31,2026-07-01)' ELSE '(,2026-04-01)' END::daterange
FROM generate_series(1, 200, 5) i;
INSERT INTO fleet.contract (contract_id, number, customer_id, kind, status, during, time_zone, priority)
SELECT i, 'C' || i, 1, (ARRAY['service', 'warranty', 'lease'])[1 + i % 3], 'active', CASE WHEN i % 2 = 0 THEN '(,)' ELSE '[2026-01-01,2027-01-01)' END::daterange,
	(ARRAY['UTC', 'Pacific/Apia', 'America/Havana', 'Asia/Kolkata'])[1 + i % 4], 100 + i % 2
FROM generate_series(1, 12) i;
INSERT INTO fleet.coverage_term (term_id, contract_id, number, tier_id, during)
SELECT i, i, '1', CASE i % 3 WHEN 0 THEN NULL ELSE i % 3 END, CASE WHEN i % 4 = 0 THEN '(,)' ELSE '[2026-02-01,2026-12-01)' END::daterange
FROM generate_series(1, 12) i;
INSERT INTO fleet.inclusion (term_id, asset_id, during)
SELECT 1 + i % 12, i, CASE WHEN i % 5 = 0 THEN '(,)' ELSE daterange(date '2026-01-01' + i, date '2026-10-01' - i % 40) END
FROM generate_series(1, 150) i WHERE i % 7 > 0 OR i < 100;
INSERT INTO fleet.inclusion (term_id, asset_id, during)
SELECT 1 + (i + 1) % 12, i, '[2026-02-01,2026-05-01)' FROM generate_series(3, 60, 6) i;
INSERT INTO fleet.bundle (bundle_id, name, primary_asset_id) VALUES (1, 'line', 11), (2, 'cell', 23);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) SELECT 1 + i % 2, i, '[2026-02-01,)' FROM generate_series(151, 190) i;

CREATE TEMP TABLE question AS
SELECT name, at FROM (SELECT asset_tag FROM fleet.asset UNION SELECT serial_number FROM fleet.asset UNION SELECT value FROM fleet.asset_identifier) AS n(name),
	(VALUES ('2026-01-15 12:00Z'::timestamptz), ('2026-03-31 12:00Z'), ('2026-03-31 23:59Z'), ('2026-06-30 02:30Z'), ('2026-11-30 22:00Z'), ('2031-01-01 00:00Z'))
	AS i(at);
-- An identifier of another day is unknown on this one; that error is a test of its own.
CREATE FUNCTION pg_temp.answers(OUT name text, OUT at timestamptz, OUT by_day boolean, OUT answer text) RETURNS SETOF record
LANGUAGE plpgsql AS $$
DECLARE
	q record;
BEGIN
	FOR q IN SELECT * FROM question, (VALUES (true), (false)) AS b(by_day) LOOP
		name := q.name;
		at := q.at;
		by_day := q.by_day;
		BEGIN
			answer := CASE WHEN q.by_day THEN (SELECT string_agg(c::text, ' ' ORDER BY rank, asset_id) FROM fleet.covered_on(q.name, (q.at AT TIME ZONE 'UTC')::date) c)
				ELSE (SELECT string_agg(c::text, ' ' ORDER BY rank, asset_id) FROM fleet.covered(q.name, q.at) c) END;
		EXCEPTION WHEN foreign_key_violation THEN
			answer := SQLERRM;
		END;
		RETURN NEXT;
	END LOOP;
END;
$$;

CREATE TEMP TABLE by_probes AS SELECT * FROM pg_temp.answers();
-- Row-level security, even of those whom it does not bind, makes it ask the query.
ALTER TABLE fleet.contract ENABLE ROW LEVEL SECURITY;
CREATE TEMP TABLE by_query AS SELECT * FROM pg_temp.answers();
ALTER TABLE fleet.contract DISABLE ROW LEVEL SECURITY;

SELECT cmp_ok((SELECT count(*) FROM by_probes WHERE answer LIKE '(%' AND answer NOT LIKE '%) (%'), '>', 500::bigint, 'many questions have one row as answer');
SELECT cmp_ok((SELECT count(*) FROM by_probes WHERE answer LIKE '%) (%'), '>', 20::bigint, 'some have several');
SELECT cmp_ok((SELECT count(*) FROM by_probes WHERE answer IS NULL), '>', 500::bigint, 'many have none');
SELECT is((SELECT count(*) FROM (TABLE by_probes EXCEPT TABLE by_query) d), 0::bigint, 'probes say nothing that the query does not say');
SELECT is((SELECT count(*) FROM (TABLE by_query EXCEPT TABLE by_probes) d), 0::bigint, 'the query says nothing that probes do not say');

-- Many at once: the best row of each, in the order in which they were given, once for each time that they were.
CREATE FUNCTION pg_temp.one_by_one(names text[], asked_day date) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	q record;
	named record;
	best record;
	known bigint;
BEGIN
	FOR q IN SELECT * FROM unnest(names) WITH ORDINALITY AS n(name, place) LOOP
		SELECT count(*) AS count, min(asset_id) AS asset_id, min(asset_tag) AS asset_tag INTO named
			FROM fleet.find_asset(q.name, coalesce(asked_day, (now() AT TIME ZONE 'UTC')::date));
		best := NULL;
		IF named.count = 0 THEN
			RETURN NEXT ROW(q.place, q.name, 'unknown', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::text;
			CONTINUE;
		END IF;
		IF asked_day IS NULL THEN
			SELECT * INTO best FROM fleet.covered(q.name) WHERE rank = 1;
		ELSE
			SELECT * INTO best FROM fleet.covered_on(q.name, asked_day) WHERE rank = 1;
		END IF;
		RETURN NEXT ROW(q.place, q.name, CASE WHEN named.count > 1 THEN 'ambiguous' WHEN best.rank IS NULL THEN 'uncovered' ELSE 'covered' END,
			CASE WHEN named.count > 1 THEN best.asset_id ELSE named.asset_id END, CASE WHEN named.count > 1 THEN best.asset_tag ELSE named.asset_tag END,
			best.contract_id, best.contract_number, best.term_id, best.tier_code, best.valid_from, best.last_day, best.is_stated, best.is_inherited, best.is_ruled)::text;
	END LOOP;
END;
$$;
CREATE TEMP TABLE asked AS
SELECT d.day, (SELECT array_agg(name ORDER BY hashtext(name || coalesce(d.day::text, ''))) FROM (SELECT DISTINCT name FROM question) AS q) || '{nobody,A7,A7}' || NULL::text AS names
FROM (VALUES ('2026-01-15'::date), ('2026-03-31'), ('2026-06-30'), ('2031-01-01'), (NULL)) AS d(day);
CREATE TEMP TABLE of_many AS
SELECT a.day, m.place, m.outcome, m::text AS answer FROM asked a, fleet.covered_many(a.names, a.day) AS m;
SELECT pg_temp.rows_eq('SELECT answer FROM of_many ORDER BY day, place', 'SELECT o FROM asked a, pg_temp.one_by_one(a.names, a.day) WITH ORDINALITY AS o(o, place) ORDER BY a.day, o.place',
	'of many at once each is told the best that covered tells');
SELECT is((SELECT array_agg(DISTINCT outcome ORDER BY outcome) FROM of_many), '{ambiguous,covered,uncovered,unknown}', 'with every outcome among them');

-- Rights: what the query would refuse is refused.
CREATE ROLE cec_test_reader;
GRANT USAGE ON SCHEMA fleet TO cec_test_reader;
GRANT SELECT ON fleet.setting, fleet.asset, fleet.asset_identifier, fleet.coverage, fleet.coverage_term, fleet.service_tier TO cec_test_reader;
GRANT EXECUTE ON FUNCTION fleet.covered(text, timestamptz) TO cec_test_reader;
SET LOCAL ROLE cec_test_reader;
SELECT throws_ok($$SELECT * FROM fleet.covered('A1', '2026-06-01 12:00Z')$$, '42501', 'permission denied for table contract', 'no reading past a missing right');
RESET ROLE;
GRANT SELECT ON fleet.contract TO cec_test_reader;
ALTER TABLE fleet.contract ENABLE ROW LEVEL SECURITY;
CREATE POLICY none ON fleet.contract TO cec_test_reader USING (false);
SET LOCAL ROLE cec_test_reader;
SELECT is_empty($$SELECT * FROM fleet.covered('A1', '2026-06-01 12:00Z')$$, 'no reading past row-level security');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
