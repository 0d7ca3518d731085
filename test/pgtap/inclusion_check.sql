-- Lists checked against the register without writing: what check_inclusions says, what an INSERT does, and which names are meant.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION fuzzystrmatch;
SELECT plan(24);
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
-- Names that are counted, and names that part their digits.
INSERT INTO fleet.asset (asset_tag) VALUES ('B1-12'), ('0815-4711'), ('88.17'), ('LIFT-1'), ('PUMP 7'), ('HALL-1-2'), ('Q-10X'), ('K-7.5.A'), ('4711-23'), ('M21'), ('N-A1');
INSERT INTO fleet.asset (asset_tag, serial_number) SELECT 'U' || 100000 + i * 7, 1000000 + i * 137 FROM generate_series(1, 120) AS i;

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
SELECT cmp_ok((SELECT count(*) FROM checked WHERE suggestion IS NOT NULL), '>', 100::bigint, 'and mostly the right one is');
SELECT is_empty($$SELECT way, identifier FROM checked JOIN typed USING (identifier) WHERE way IN ('case', 'blanks', 'dashes') AND suggestion IS DISTINCT FROM meant$$, 'always for what differs in case, blanks and dashes');

-- The same by another way: the distance of all keys to all.
CREATE FUNCTION pg_temp.bare(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT regexp_replace(upper(name), E'[-\\s.\u2010-\u2015\u2212]', '', 'g') $$;
CREATE FUNCTION pg_temp.key(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT translate(translate(pg_temp.bare(name), 'O', '0'), 'IL', '11') $$;
-- The first of two neighbours that changed places; NULL: the keys do not differ so.
CREATE FUNCTION pg_temp.swapped(one text, other text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
	SELECT min(i) FROM generate_series(1, length(one) - 1) AS i WHERE one <> other AND overlay(one placing reverse(substr(one, i, 2)) from i for 2) = other $$;
-- The character that the first key has more than the other; NULL: it has none.
CREATE FUNCTION pg_temp.more(one text, other text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
	SELECT min(i) FROM generate_series(1, length(one)) AS i WHERE overlay(one placing '' from i for 1) = other $$;
CREATE FUNCTION pg_temp.parted_at(name text) RETURNS integer[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(DISTINCT length(pg_temp.bare(left(name, i)))) FROM generate_series(1, length(name)) AS i WHERE pg_temp.bare(substr(name, i, 1)) = '' $$;
CREATE FUNCTION pg_temp.may_mean(typed text, name text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	keys text[] := ARRAY[pg_temp.key(typed), pg_temp.key(name)];
	bare text[] := ARRAY[pg_temp.bare(typed), pg_temp.bare(name)];
	parted integer[];
	other_parted integer[];
	more integer := coalesce(pg_temp.more(keys[1], keys[2]), pg_temp.more(keys[2], keys[1]));
	longer integer := CASE WHEN length(keys[1]) > length(keys[2]) THEN 1 ELSE 2 END;
	at integer;
BEGIN
	IF keys[1] <> keys[2] THEN
		IF more IS NOT NULL THEN
			IF substr(keys[longer], more, 1) ~ '\d' THEN RETURN false; END IF;
			at := more;
		ELSIF pg_temp.swapped(keys[1], keys[2]) IS NOT NULL THEN
			IF substr(keys[1], pg_temp.swapped(keys[1], keys[2]), 2) ~ '\d\d' THEN RETURN false; END IF;
		ELSE
			SELECT i INTO at FROM generate_series(1, length(keys[1])) AS i WHERE substr(keys[1], i, 1) <> substr(keys[2], i, 1);
			IF substr(keys[1], at, 1) ~ '\d' AND substr(keys[2], at, 1) ~ '\d' THEN RETURN false; END IF;
		END IF;
		IF keys[1] ~ '^\d+$' OR (keys[2] ~ '^\d+$' AND keys[1] !~ '^\d+[^\d]\d+$') THEN RETURN false; END IF;
	END IF;
	parted := pg_temp.parted_at(typed);
	other_parted := pg_temp.parted_at(name);
	IF more IS NOT NULL THEN
		bare[longer] := overlay(bare[longer] placing '' from more for 1);
		IF longer = 1 THEN
			parted := ARRAY(SELECT CASE WHEN p >= more THEN p - 1 ELSE p END FROM unnest(parted) AS p);
		ELSE
			other_parted := ARRAY(SELECT CASE WHEN p >= more THEN p - 1 ELSE p END FROM unnest(other_parted) AS p);
		END IF;
	END IF;
	parted := ARRAY(SELECT DISTINCT p FROM unnest(parted) AS p WHERE substr(bare[1], p, 2) ~ '\d\d' OR substr(bare[2], p, 2) ~ '\d\d' ORDER BY 1);
	other_parted := ARRAY(SELECT DISTINCT p FROM unnest(other_parted) AS p WHERE substr(bare[1], p, 2) ~ '\d\d' OR substr(bare[2], p, 2) ~ '\d\d' ORDER BY 1);
	RETURN parted = '{}' OR other_parted = '{}' OR parted = other_parted;
END $$;
CREATE TEMP TABLE known AS
SELECT asset_id, name, is_now, pg_temp.key(name) AS key
FROM (SELECT asset_id, asset_tag AS name, true AS is_now FROM fleet.asset
	UNION ALL SELECT asset_id, serial_number, true FROM fleet.asset WHERE serial_number IS NOT NULL
	UNION ALL SELECT asset_id, value, upper(during) IS NULL FROM fleet.asset_identifier) AS n;
CREATE TEMP TABLE question AS
SELECT identifier FROM typed WHERE way IS NOT NULL
UNION SELECT unnest(ARRAY['t 0000037', 'T-000037', '11W00007919', '11w00007919--X', E'\u4E2D-1', E'\u4E2D\u65871', E'\u00C477', E'A-77', E'\u00D6-77', 'EQ-00001x', 'eq00001',
	'X4', '1', '-', '', '0', 'X', 'x1', repeat('X', 900), 'SN-', '11W0000791', E'\u6587-1'])
UNION SELECT overlay(value placing 'Q' from 5 + asset_id::integer % 7 for asset_id::integer % 2) FROM fleet.asset_identifier WHERE asset_id < 300
UNION SELECT unnest(ARRAY['B11-2', 'B112', 'B1-1-2', 'B1-I2', 'B1I-2', 'B11-2X', 'BX1-12', '081-54711', '081-S4711', '8.817', '8817', '88-17', '88.17.', 'LIFT-2', 'LIFT-11', 'LFIT-1', 'LIFT1', 'LFT-1', 'LI-FT-1',
	'PUMP 8', 'PMUP 7', 'PUMP7', 'PUMP 77', 'HALL1 2', 'HAL-L12', 'HALL-12', 'HALL 1-2', 'HALL-1-3', 'Q1-0X', 'Q-1X0', 'QX-10', 'Q-1-0X', 'QQ-1-0X', 'K7-5A', 'K75.A', 'K7.5A', 'K-7.A5', 'K7.5',
	'47112-3', '4711A23', '47A1-23', 'A711-23', '471-123', '4711-2E', 'M-12', 'M2I', '2M1', 'N1A', 'N-1A', 'NA-7', 'NA-B'])
UNION SELECT overlay(serial_number placing CASE asset_id % 4 WHEN 0 THEN 'E' WHEN 1 THEN '7' WHEN 2 THEN '' ELSE reverse(substr(serial_number, 1 + asset_id::integer % 7, 2)) END
		from 1 + asset_id::integer % 7 for CASE WHEN asset_id % 4 = 3 THEN 2 ELSE 1 END) FROM fleet.asset WHERE asset_tag ~ '^U'
UNION SELECT overlay(asset_tag placing CASE asset_id % 3 WHEN 0 THEN '1' WHEN 1 THEN 'V' ELSE '' END from 1 for 1) FROM fleet.asset WHERE asset_tag ~ '^U'
UNION SELECT overlay(serial_number placing reverse(substr(serial_number, i, 2)) from i for 2) FROM (SELECT serial_number, 3 + n % 7 AS i FROM (SELECT serial_number, asset_id::integer AS n FROM fleet.asset WHERE asset_id BETWEEN 500 AND 560) AS s) AS s;
ALTER TABLE question ADD COLUMN key text;
UPDATE question SET key = pg_temp.key(identifier);
DELETE FROM question WHERE EXISTS (SELECT FROM known WHERE name = identifier AND is_now);
CREATE TEMP TABLE answer AS
SELECT identifier, max(suggestion) AS suggestion FROM fleet.check_inclusions(1, (SELECT jsonb_agg(jsonb_build_object('identifier', identifier)) FROM question)) GROUP BY 1;
CREATE TEMP TABLE expected AS
SELECT identifier, same.assets = 1 OR (same.assets = 0 AND near.assets = 1) AS is_one, CASE WHEN same.assets = 1 THEN same.names WHEN same.assets = 0 AND near.assets = 1 THEN near.names END AS names
FROM question q
	CROSS JOIN LATERAL (SELECT count(DISTINCT asset_id) AS assets, array_agg(name) FILTER (WHERE is_now AND pg_temp.may_mean(q.identifier, name)) AS names
		FROM known k WHERE k.key = q.key AND q.key <> '') AS same
	CROSS JOIN LATERAL (SELECT count(DISTINCT asset_id) AS assets, array_agg(name) FILTER (WHERE is_now AND pg_temp.may_mean(q.identifier, name)) AS names
		FROM known k WHERE same.assets = 0 AND q.key <> '' AND length(q.key) < 100 AND abs(length(k.key) - length(q.key)) < 2
			AND CASE levenshtein_less_equal(k.key, q.key, 2) WHEN 1 THEN true WHEN 2 THEN pg_temp.swapped(k.key, q.key) IS NOT NULL END) AS near;
SELECT cmp_ok((SELECT count(*) FROM expected WHERE names IS NOT NULL), '>', 150::bigint, 'there are names to be meant');
SELECT cmp_ok((SELECT count(*) FROM expected WHERE is_one AND names IS NULL), '>', 100::bigint, 'and names that come near and are not meant');
SELECT is_empty($$SELECT identifier, names, suggestion FROM expected JOIN answer USING (identifier)
	WHERE (suggestion IS NULL) <> (names IS NULL) OR suggestion <> ALL (names)$$, 'what is suggested is what all keys say');
SELECT is_empty($$SELECT * FROM answer WHERE suggestion IS NOT NULL AND identifier IN ('B11-2', '081-54711', '8.817', 'LIFT-2', 'PUMP 8', 'A711-23')$$, 'no other number, and no other place between digits');
SELECT is((SELECT array_agg(suggestion ORDER BY identifier COLLATE "C") FROM answer WHERE identifier IN ('B112', '8817', '88-17', 'LFIT-1', 'PMUP 7', 'HALL1 2', '47A1-23')),
	'{4711-23,88.17,88.17,B1-12,HALL-1-2,LIFT-1,PUMP 7}', 'but a slip of the hand');

-- Numbers that nobody has, among as many as a register of 50,000 would hold, and numbers with two digits exchanged.
SELECT setseed(0.3), cec.create_portfolio('dense') \g /dev/null
INSERT INTO dense.customer (name) VALUES ('Acme');
INSERT INTO dense.contract (number, customer_id, status, during) VALUES ('C', 1, 'active', '[2026-01-01,2027-01-01)');
INSERT INTO dense.coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2027-01-01)');
INSERT INTO dense.asset (asset_tag, serial_number, manufacturer)
SELECT 'T' || to_char(i * 10, 'FM000000'), (1000000 + floor(random() * 900000))::integer::text, 'm' || i FROM generate_series(1, 5000) AS i;
CREATE TEMP TABLE number AS
SELECT 'nobody''s' AS way, (1000000 + floor(random() * 900000))::integer::text AS identifier FROM generate_series(1, 1500)
UNION SELECT 'nobody''s tag', 'T' || to_char(i * 70 + 1 + i % 9, 'FM000000') FROM generate_series(1, 500) AS i
UNION SELECT 'exchanged', overlay(serial_number placing reverse(substr(serial_number, i, 2)) from i for 2)
FROM (SELECT serial_number, 1 + asset_id::integer % 6 AS i FROM dense.asset WHERE asset_id <= 1500) AS s;
DELETE FROM number WHERE EXISTS (SELECT FROM dense.asset WHERE identifier IN (serial_number, asset_tag));
SELECT cmp_ok((SELECT min(count) FROM (SELECT count(*) FROM number GROUP BY way) AS s), '>', 400::bigint, 'numbers that are not registered');
SELECT is_empty($$SELECT way, c.identifier, suggestion FROM dense.check_inclusions(1, (SELECT jsonb_agg(jsonb_build_object('identifier', identifier)) FROM number)) c
	JOIN number USING (identifier) WHERE suggestion IS NOT NULL$$, 'mean no number that is');

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
