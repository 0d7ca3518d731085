-- Lists held against the register without writing: what check_inclusions says, what an INSERT does, and which names are meant.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION fuzzystrmatch;
SELECT plan(19);
SELECT cec.create_portfolio('fleet') \g /dev/null

-- The key, by its rule.
SELECT is(cec.identifier_key('Eq-o0l1'), 'EQ0011', 'the key of an identifier');
SELECT is(cec.identifier_key(E'\uFF25\uFF31\uFF0D\uFF10\uFF0E\uFF11\u3000i'), 'EQ011', 'full-width forms are ASCII');
SELECT is(cec.identifier_key(E' \u00A0\u2003-\u2010\u2011\u2012\u2013\u2014\u2015\u2212.\t\n'), NULL, 'of nothing but dashes, dots and blanks nothing is left');
SELECT is(cec.identifier_key(E'\u00E9\u4E2D/_#'), E'\u00E9\u4E2D/_#', 'all else is kept');
SELECT is(cec.identifier_key(NULL), NULL, 'NULL has none');

-- A register whose serials have neighbours, with further names, and two assets that people confuse.
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES
	('S-1', 1, 'active', '[2026-01-01,2027-01-01)'), ('S-2', 1, 'active', '[2026-01-01,2027-01-01)'), ('D-3', 1, 'draft', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES
	(1, '1', '[2026-01-01,2027-01-01)'), (2, '1', '[2026-01-01,2027-01-01)'), (3, '1', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer, commissioned_on, decommissioned_on)
SELECT format('T-%s', lpad((i * 37)::text, 7, '0')), format('SN-%s-%s', lpad(((i * 7919) % 100003)::text, 6, '0'), chr(65 + i % 13)), 'Alpha',
	CASE WHEN i % 50 = 7 THEN date '2027-03-01' END, CASE WHEN i % 50 = 9 THEN date '2025-06-30' END
FROM generate_series(1, 3000) AS i;
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during)
SELECT i, 'eic', format('11W%s---', lpad((i * 7919)::text, 8, '0')), CASE i % 3 WHEN 0 THEN daterange('2020-01-01', '2021-01-01') ELSE daterange('2020-01-01', NULL) END
FROM generate_series(1, 3000, 5) AS i;
INSERT INTO fleet.asset (asset_tag, serial_number) VALUES (E'\u4E2D\u6587-1', E'\u00C4-77'), ('EQ-00001', NULL), ('EQ 00001.', NULL), ('X-1', 'X1-7'), ('X2', NULL), ('X3', NULL);

-- 500 serials, of which 184 are wrong in seven ways.
CREATE TEMP TABLE typed AS
SELECT n, way, serial_number AS meant, CASE way
		WHEN 'case' THEN lower(serial_number)
		WHEN 'blanks' THEN replace(serial_number, '-', ' ')
		WHEN 'dashes' THEN replace(serial_number, '-', E'\u2013')
		WHEN 'O/0' THEN 'SN-' || translate(substr(serial_number, 4), '0', 'O')
		WHEN 'I/1' THEN 'SN-' || translate(substr(serial_number, 4), '1', 'I')
		WHEN 'wrong' THEN overlay(serial_number placing chr(90 - n % 6) from 4 + n % 6 for 1)
		WHEN 'missing' THEN overlay(serial_number placing '' from 4 + n % 6 for 1)
		WHEN 'extra' THEN overlay(serial_number placing chr(48 + n % 10) from 4 + n % 6 for 0)
		WHEN 'unknown' THEN 'ZZ' || md5(serial_number)
		ELSE serial_number END AS identifier
FROM (SELECT n, serial_number, CASE WHEN n <= 184 THEN (ARRAY['case', 'blanks', 'dashes', 'O/0', 'I/1', 'wrong', 'missing', 'extra', 'unknown'])[1 + n % 9] END AS way
	FROM (SELECT row_number() OVER (ORDER BY hashint8(asset_id))::integer AS n, serial_number FROM fleet.asset WHERE asset_id <= 3000 LIMIT 500) AS s) AS w;
CREATE TEMP TABLE checked AS
SELECT * FROM fleet.check_inclusions(1, (SELECT jsonb_agg(jsonb_build_object('identifier', identifier) ORDER BY n) FROM typed));
SELECT is((SELECT array_agg(place ORDER BY place) FROM checked), (SELECT array_agg(n::bigint ORDER BY n) FROM generate_series(1, 500) AS n), 'a row for each row, with its place');
SELECT is_empty('SELECT place, c.identifier FROM checked c JOIN typed t ON t.n = c.place WHERE c.identifier <> t.identifier', 'which names what was given');
SELECT is_empty($$SELECT * FROM checked JOIN typed ON n = place WHERE suggestion IS NOT NULL AND suggestion <> meant$$, 'never is a wrong asset suggested');
SELECT cmp_ok((SELECT count(*) FROM checked WHERE suggestion IS NOT NULL), '>', 120::bigint, 'and mostly the right one is');
SELECT is_empty($$SELECT way, identifier FROM checked JOIN typed USING (identifier) WHERE way IN ('case', 'blanks', 'dashes') AND suggestion IS DISTINCT FROM meant$$, 'always for what differs in case, blanks and dashes');

-- The same by another way: the distance of all keys to all.
CREATE TEMP TABLE known AS
SELECT asset_id, name, is_now, translate(translate(regexp_replace(upper(name), E'[-\\s.\u2010-\u2015\u2212]', '', 'g'), 'O', '0'), 'IL', '11') AS key
FROM (SELECT asset_id, asset_tag AS name, true AS is_now FROM fleet.asset
	UNION ALL SELECT asset_id, serial_number, true FROM fleet.asset WHERE serial_number IS NOT NULL
	UNION ALL SELECT asset_id, value, upper(during) IS NULL FROM fleet.asset_identifier) AS n;
CREATE TEMP TABLE question AS
SELECT identifier FROM typed WHERE way IS NOT NULL
UNION SELECT unnest(ARRAY['t 0000037', 'T-000037', '11W00007919', '11w00007919--X', E'\u4E2D-1', E'\u4E2D\u65871', E'\u00C477', E'A-77', E'\u00D6-77', 'EQ-00001x', 'eq00001',
	'X4', '1', '-', '', '0', 'X', 'x1', repeat('X', 900), 'SN-', '11W0000791', E'\u6587-1'])
UNION SELECT overlay(value placing 'Q' from 5 + asset_id::integer % 7 for asset_id::integer % 2) FROM fleet.asset_identifier WHERE asset_id < 300;
DELETE FROM question WHERE EXISTS (SELECT FROM known WHERE name = identifier AND is_now);
CREATE TEMP TABLE answer AS
SELECT identifier, max(suggestion) AS suggestion FROM fleet.check_inclusions(1, (SELECT jsonb_agg(jsonb_build_object('identifier', identifier)) FROM question)) GROUP BY 1;
CREATE TEMP TABLE expected AS
SELECT identifier, CASE WHEN same.assets = 1 THEN same.names WHEN same.assets = 0 AND near.assets = 1 THEN near.names END AS names
FROM (SELECT identifier, translate(translate(regexp_replace(upper(identifier), E'[-\\s.\u2010-\u2015\u2212]', '', 'g'), 'O', '0'), 'IL', '11') AS key FROM question) AS q
	CROSS JOIN LATERAL (SELECT count(DISTINCT asset_id) AS assets, array_agg(name) FILTER (WHERE is_now) AS names FROM known k WHERE k.key = q.key AND q.key <> '') AS same
	CROSS JOIN LATERAL (SELECT count(DISTINCT asset_id) AS assets, array_agg(name) FILTER (WHERE is_now) AS names FROM known k
		WHERE q.key <> '' AND length(q.key) < 100 AND abs(length(k.key) - length(q.key)) < 2 AND levenshtein(k.key, q.key) = 1) AS near;
SELECT cmp_ok((SELECT count(*) FROM expected WHERE names IS NOT NULL), '>', 150::bigint, 'there are names to be meant');
SELECT is_empty($$SELECT identifier, names, suggestion FROM expected JOIN answer USING (identifier)
	WHERE (suggestion IS NULL) <> (names IS NULL) OR suggestion <> ALL (names)$$, 'what is suggested is what all keys say');

-- What it says of each row is what the INSERT of that row does.
INSERT INTO fleet.inclusion (term_id, listed_as, during, note)
SELECT 1, serial_number, CASE asset_id % 3 WHEN 0 THEN daterange('2026-01-01', '2027-01-01') WHEN 1 THEN daterange('2026-02-01', '2026-04-01') ELSE daterange('2026-10-01', NULL) END, 'as listed'
FROM fleet.asset WHERE asset_id BETWEEN 1 AND 200 AND commissioned_on IS NULL AND decommissioned_on IS NULL;
INSERT INTO fleet.inclusion (term_id, listed_as, during)
SELECT 1, serial_number, '[2026-06-01,2026-07-01)' FROM fleet.asset WHERE asset_id BETWEEN 100 AND 200 AND asset_id % 3 = 1 AND commissioned_on IS NULL AND decommissioned_on IS NULL;
INSERT INTO fleet.inclusion (term_id, listed_as, effect, during) SELECT 1, serial_number, 'exclude', '[2026-05-01,2026-06-01)' FROM fleet.asset WHERE asset_id BETWEEN 1 AND 90 AND asset_id % 2 = 0;
INSERT INTO fleet.inclusion (term_id, listed_as, during) SELECT 2, serial_number, '[2026-05-10,2026-06-10)' FROM fleet.asset
WHERE asset_id BETWEEN 201 AND 320 AND commissioned_on IS NULL AND decommissioned_on IS NULL;
CREATE TEMP TABLE given AS
SELECT row_number() OVER (ORDER BY asset_id, first_day, effect) AS n, asset_id, identifier, first_day, last_day, effect, term_id
FROM (SELECT asset_id, CASE asset_id % 4 WHEN 0 THEN asset_tag WHEN 1 THEN lower(asset_tag) ELSE serial_number END AS identifier, d.first_day, d.last_day, e.effect, t.term_id
	FROM fleet.asset
		CROSS JOIN (VALUES (date '2026-01-01', date '2026-12-31'), ('2026-03-01', '2026-03-31'), ('2026-05-12', '2026-06-15'), ('2025-01-01', '2025-12-31'), ('2027-01-01', NULL), (NULL, NULL), ('2026-11-01', NULL)) AS d(first_day, last_day)
		CROSS JOIN (VALUES ('include'), ('exclude')) AS e(effect)
		CROSS JOIN (VALUES (1), (3)) AS t(term_id)
	WHERE asset_id BETWEEN 1 AND 320 AND (asset_id < 120 OR asset_id > 190)) AS g;
CREATE TEMP TABLE said AS
SELECT g.*, c.outcome, c.sqlstate, c.constraint_name, c.asset_id AS found
FROM given g CROSS JOIN LATERAL fleet.check_inclusions(g.term_id, jsonb_build_array(jsonb_build_object('identifier', g.identifier, 'first_day', g.first_day, 'last_day', g.last_day, 'effect', g.effect))) AS c;
CREATE TEMP TABLE done (n bigint, code text, constraint_name text);
DO $$
DECLARE
	part record;
	code text;
	name text;
	days daterange;
BEGIN
	FOR part IN SELECT * FROM said LOOP
		code := NULL;
		name := NULL;
		days := CASE WHEN coalesce(part.first_day, '2026-01-01') <= coalesce(part.last_day, '2026-12-31')
			THEN daterange(coalesce(part.first_day, '2026-01-01'), coalesce(part.last_day + 1, '2027-01-01')) ELSE daterange(part.first_day, part.last_day + 1) END;
		BEGIN
			IF part.outcome IN ('update', 'unchanged') THEN
				UPDATE fleet.inclusion i SET during = days WHERE i.term_id = part.term_id AND i.asset_id = part.found AND i.effect = part.effect AND i.during && days;
			ELSE
				INSERT INTO fleet.inclusion (term_id, listed_as, during, effect) VALUES (part.term_id, part.identifier, days, part.effect);
			END IF;
			RAISE EXCEPTION USING ERRCODE = 'CEC00';
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, name = CONSTRAINT_NAME;
		END;
		INSERT INTO done VALUES (part.n, nullif(code, 'CEC00'), nullif(name, ''));
	END LOOP;
END $$;
SELECT is((SELECT array_agg(DISTINCT outcome ORDER BY outcome) FROM said), '{insert,refused,unchanged,update}'::text[], 'rows of all kinds are there');
SELECT is((SELECT count(DISTINCT constraint_name) FROM said), 6::bigint, 'refused for six reasons');
SELECT is_empty('SELECT said.*, done FROM said JOIN done USING (n) WHERE (sqlstate, said.constraint_name) IS DISTINCT FROM (code, done.constraint_name)',
	'each row is refused by a statement as it is by check_inclusions, and accepted likewise');

-- Several rows of an asset, in their order.
CREATE TEMP TABLE several AS SELECT * FROM fleet.check_inclusions(1, $$[
	{"identifier": "X-1", "last_day": "2026-03-31"}, {"identifier": "X1-7", "first_day": "2026-03-31"}, {"identifier": "X-1", "first_day": "2026-04-01"},
	{"identifier": "X-1", "first_day": "2026-03-01", "effect": "exclude"}, {"identifier": "X2", "first_day": "2028-01-01"}, {"identifier": "X2"}]$$);
SELECT is((SELECT string_agg(outcome, ',' ORDER BY place) FROM several), 'insert,duplicate,duplicate,insert,refused,insert', 'an earlier row that is not refused makes a later one a duplicate');
SELECT is((SELECT message FROM several WHERE place = 2), 'the asset stands in row 1 already, for some of the same days', 'which names its place');
-- A carve-out in the same list counts, as it does in one statement.
SELECT is((SELECT array_agg(outcome ORDER BY place) FROM fleet.check_inclusions(1, jsonb_build_array(
	jsonb_build_object('identifier', (SELECT asset_tag FROM fleet.asset WHERE asset_id = 202)),
	jsonb_build_object('identifier', (SELECT asset_tag FROM fleet.asset WHERE asset_id = 202), 'effect', 'exclude', 'first_day', '2026-05-10', 'last_day', '2026-06-09')))),
	'{insert,insert}'::text[], 'a carve-out in the list makes room for it');
-- Nothing is written, and nothing needs to be.
SELECT throws_ok($$SELECT * FROM fleet.check_inclusions(99, '[]')$$, '23503', 'there is no coverage term 99', 'an unknown term');
SELECT * FROM finish();
ROLLBACK;
