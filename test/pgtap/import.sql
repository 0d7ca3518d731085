-- Imports: what check_inclusions says is what is done, whatever the list; progress; what ends.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(15);
SELECT cec.create_portfolio('fleet') \g /dev/null
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, status, during)
SELECT 'S-' || i, 1, 'active', daterange('2020-01-01', '2021-01-01') FROM generate_series(1, 3) AS i;
INSERT INTO fleet.coverage_term (contract_id, number, during) SELECT i, '1', '[2020-01-01,2021-01-01)' FROM generate_series(1, 3) AS i;
INSERT INTO fleet.asset (asset_tag, serial_number, commissioned_on, decommissioned_on)
SELECT 'T-' || i, 'SN' || i % 15, CASE WHEN i % 7 = 0 THEN date '2020-06-01' END, CASE WHEN i % 5 = 0 THEN date '2020-09-01' END FROM generate_series(1, 20) AS i;
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('B', 1);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '(,)'), (1, 3, '[2020-03-01,)');

-- Random lists of includes and carve-outs, onto lists that are there and beside lists of other contracts.
CREATE FUNCTION pg_temp.day() RETURNS date LANGUAGE sql VOLATILE AS $$ SELECT date '2019-12-01' + (random() * 430)::integer $$;
CREATE FUNCTION pg_temp.rows(size integer) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('identifier', (ARRAY['T-', 'SN', 'T-', 't', 'T-'])[1 + floor(random() * 5)::integer] || (1 + floor(random() * 21))::integer,
		'first_day', CASE WHEN random() < 0.8 THEN least(a, b) END, 'last_day', CASE WHEN random() < 0.8 THEN greatest(a, b) END,
		'effect', CASE WHEN random() < 0.3 THEN 'exclude' END, 'note', CASE WHEN random() < 0.3 THEN 'n' || (random() * 2)::integer END)))
	FROM (SELECT pg_temp.day() AS a, pg_temp.day() AS b FROM generate_series(1, size)) AS d $$;
-- The list that there is to be, by what was said of the rows.
CREATE FUNCTION pg_temp.due(of_term bigint, given jsonb, said jsonb) RETURNS TABLE (asset_id bigint, effect text, during daterange, note text) LANGUAGE sql AS $$
	WITH accepted AS (
		SELECT s.outcome, s.asset_id, coalesce(r.row ->> 'effect', 'include') AS effect, r.row ->> 'note' AS note, s.place,
			daterange(coalesce((r.row ->> 'first_day')::date, '2020-01-01'), coalesce((r.row ->> 'last_day')::date + 1, '2021-01-01')) AS during
		FROM jsonb_to_recordset(said) AS s(place bigint, outcome text, asset_id bigint) JOIN jsonb_array_elements(given) WITH ORDINALITY AS r(row, place) USING (place)
		WHERE s.outcome IN ('insert', 'update', 'unchanged')
	), line AS (
		SELECT i.*, (SELECT array_agg(a.place ORDER BY a.place) FROM accepted a WHERE a.asset_id = i.asset_id AND a.effect = i.effect AND a.during && i.during AND a.outcome <> 'insert') AS places
		FROM fleet.inclusion i WHERE i.term_id = of_term
	)
	SELECT a.asset_id, a.effect, a.during, a.note FROM accepted a WHERE a.outcome = 'insert'
	UNION ALL SELECT l.asset_id, l.effect, coalesce(a.during, l.during), coalesce(a.note, l.note) FROM line l LEFT JOIN accepted a ON a.place = l.places[1] $$;
CREATE TEMP TABLE tried (n integer, term bigint, size bigint, refused bigint, written bigint, wrong text);
DO $$
DECLARE
	given jsonb;
	said jsonb;
	foretold jsonb;
	done jsonb;
	due text;
	found text;
	term bigint;
	ambiguous boolean;
BEGIN
	PERFORM setseed(0.42);
	FOR n IN 1..150 LOOP
		term := 1 + floor(random() * 3);
		given := pg_temp.rows(1 + floor(random() * 14)::integer);
		IF n % 25 = 0 THEN
			DELETE FROM fleet.inclusion WHERE random() < 0.7;
		END IF;
		SELECT jsonb_agg(to_jsonb(c) ORDER BY place) INTO said FROM fleet.check_inclusions(term, given) AS c;
		SELECT jsonb_agg(to_jsonb(c) - 'done' ORDER BY place) INTO foretold FROM fleet.import_inclusions(term, given, 'check') AS c;
		SELECT string_agg(d::text, ' ' ORDER BY d::text COLLATE "C") INTO due FROM pg_temp.due(term, given, said) AS d;
		SELECT jsonb_agg(to_jsonb(c) ORDER BY place) INTO done FROM fleet.import_inclusions(term, given, 'valid_only') AS c;
		SELECT string_agg((i.asset_id, i.effect, i.during, i.note)::text, ' ' ORDER BY (i.asset_id, i.effect, i.during, i.note)::text COLLATE "C") INTO found
		FROM fleet.inclusion i WHERE i.term_id = term;
		-- Where rows move lines onto each other's old days, which line a row has set is not told by days alone.
		ambiguous := EXISTS (SELECT FROM jsonb_to_recordset(said) AS s(outcome text, asset_id bigint) WHERE outcome IN ('update', 'unchanged') GROUP BY asset_id HAVING count(*) > 1);
		INSERT INTO tried
		SELECT n, term, jsonb_array_length(given), count(*) FILTER (WHERE d ->> 'outcome' = 'refused'), count(*) FILTER (WHERE (d ->> 'done')::boolean),
			concat_ws(', ', CASE WHEN said IS DISTINCT FROM foretold THEN 'check says otherwise' END,
				CASE WHEN said <> (SELECT jsonb_agg(e - 'done') FROM jsonb_array_elements(done) AS e) THEN 'import says otherwise' END,
				CASE WHEN NOT ambiguous AND due IS DISTINCT FROM found THEN format('%s is %s', due, found) END,
				CASE WHEN bool_or((d ->> 'done')::boolean <> (d ->> 'outcome' IN ('insert', 'update'))) THEN 'done otherwise' END)
		FROM jsonb_array_elements(done) AS d;
	END LOOP;
END $$;
SELECT is_empty($$SELECT n, term, wrong FROM tried WHERE wrong <> ''$$, 'what check_inclusions says is what is done');
SELECT cmp_ok((SELECT sum(written) FROM tried), '>', 150::numeric, 'much was written');
SELECT cmp_ok((SELECT sum(refused) FROM tried), '>', 150::numeric, 'much was refused');
SELECT is_empty('SELECT * FROM fleet.verify_coverage()', 'coverage is what is defined');
SELECT is_empty('SELECT * FROM fleet.verify_replay()', 'all of it is in the log');
SELECT is((SELECT array_agg(i::text ORDER BY i.import_run_id) FROM (SELECT import_run_id, term_id, rows_given, inserted + updated AS written, refused FROM fleet.import_run) AS i),
	(SELECT array_agg((n, term, size, written, refused)::text ORDER BY n) FROM tried), 'each run has a row, with its counts');

-- What a carve-out of the list makes room for, and what it does not: one that is refused, one that moves.
DELETE FROM fleet.inclusion;
INSERT INTO fleet.inclusion (term_id, asset_id, effect, during) VALUES (2, 1, 'include', '[2020-01-01,2021-01-01)'), (1, 1, 'exclude', '[2020-02-01,2020-04-01)');
CREATE FUNCTION pg_temp.outcomes(rows jsonb) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(outcome || CASE WHEN done THEN '!' ELSE '' END, ' ' ORDER BY place) FROM fleet.import_inclusions(1, rows, 'valid_only') $$;
SELECT is(pg_temp.outcomes('[{"identifier": "T-1", "first_day": "2020-02-10", "last_day": "2020-03-10"}, {"identifier": "T-1", "effect": "exclude", "first_day": "2020-03-01", "last_day": "2020-05-31"}]'),
	'refused update!', 'old days of a carve-out that moves do not count');
SELECT is(pg_temp.outcomes('[{"identifier": "T-1", "first_day": "2020-04-10", "last_day": "2020-06-10"}, {"identifier": "T-1", "effect": "exclude", "first_day": "2020-06-02", "last_day": "2020-06-20"}]'),
	'refused insert!', 'nor does a day between two');
SELECT is(pg_temp.outcomes('[{"identifier": "T-1", "first_day": "2020-06-01", "last_day": "2020-06-01"}, {"identifier": "T-1", "effect": "exclude", "first_day": "2020-05-20", "last_day": "2020-06-10"}]'),
	'refused refused', 'nor one that is refused');
SELECT is(pg_temp.outcomes('[{"identifier": "T-1", "first_day": "2020-07-10", "last_day": "2020-08-10"}, {"identifier": "T-1", "effect": "exclude", "first_day": "2020-07-02", "last_day": "2020-08-20"}]'),
	'insert! insert!', 'but one that comes with it does');

-- Progress, of a list that is written in several parts.
DELETE FROM fleet.inclusion;
INSERT INTO fleet.asset (asset_tag) SELECT 'L-' || i FROM generate_series(1, 10050) AS i;
CREATE TABLE public.seen (id integer GENERATED ALWAYS AS IDENTITY, said text);
CREATE FUNCTION pg_temp.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	PERFORM pg_stat_clear_snapshot();
	INSERT INTO public.seen (said) SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid() AND EXISTS (SELECT FROM new_rows);
	RETURN NULL;
END $$;
CREATE TRIGGER look AFTER INSERT ON fleet.inclusion REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.look();
SELECT is((SELECT count(*) FROM fleet.import_inclusions(3, (SELECT jsonb_agg(jsonb_build_object('identifier', 'L-' || i)) FROM generate_series(0, 10050) AS i), 'valid_only') WHERE done), 10050::bigint, 'a long list');
SELECT is((SELECT array_agg(said ORDER BY id) FROM public.seen), ARRAY['cec import: 0 of 10051', 'cec import: 10001 of 10051'], 'tells how far it is');
SELECT pg_stat_clear_snapshot() \g /dev/null
SELECT matches((SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()), '^SELECT matches', 'and then again what the session does');
DROP TRIGGER look ON fleet.inclusion;
-- Its lines go with a whole list; the fraction counts exactly.
UPDATE fleet.contract SET during = '[2020-01-01,2999-01-01)' WHERE contract_id = 3;
UPDATE fleet.coverage_term SET during = '[2020-01-01,2999-01-01)' WHERE term_id = 3;
DELETE FROM fleet.inclusion WHERE asset_id > 120;
UPDATE fleet.inclusion SET during = CASE asset_id % 2 WHEN 0 THEN daterange('2020-01-01', '2999-01-01') ELSE daterange('2990-01-01', '2999-01-01') END;
CREATE TEMP TABLE whole AS SELECT jsonb_agg(jsonb_build_object('identifier', asset_tag, 'first_day', lower(during))) AS list, count(*) AS lines
FROM fleet.inclusion JOIN fleet.asset USING (asset_id) WHERE asset_id > 49;
SELECT throws_ok($$SELECT fleet.import_inclusions(3, list, 'valid_only', 'end', 0.28999) FROM whole$$, '23514', 'too many list lines would be ended', '29 of 100 are more');
SELECT is((SELECT array_agg(DISTINCT (outcome, done, count) ORDER BY (outcome, done, count)) FROM (SELECT outcome, done, count(*) FROM whole, fleet.import_inclusions(3, list, 'valid_only', 'end', 0.29) GROUP BY 1, 2) AS c)::text,
	'{"(end,t,29)","(unchanged,f,71)"}', 'and not more than 0.29');
SELECT * FROM finish();
ROLLBACK;
