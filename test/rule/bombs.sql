-- Conditions that are legal and cost as much as the lists let them, and assets that make them cost most. Whoever evaluates
-- conditions stops each of them in time; a new line is a new case.
CREATE TEMP TABLE bomb (bomb_id integer GENERATED ALWAYS AS IDENTITY, what text NOT NULL, condition text NOT NULL);
INSERT INTO bomb (what, condition) VALUES
	('patterns with many gaps', 'category LIKE ''' || repeat('%a', 1900) || 'b'''),
	('one long pattern', 'category LIKE ''%' || repeat('a', 3900) || 'b'''),
	('patterns in any case', 'false' || repeat(' OR category ILIKE ''%aaaaaaaaaaaaaaaab''', 90)),
	('patterns of an array', 'category LIKE ANY (ARRAY[' || repeat('''%aaaaaaaaaab'',', 200) || '''b''])'),
	('long texts, joined', repeat('category || ', 140) || 'category = ''a'''),
	('long texts, in small letters', repeat('lower(', 290) || 'category' || repeat(')', 290) || ' = ''b'''),
	('long texts, compared', 'false' || repeat(' OR category < source', 90)),
	('long texts, counted', '0 < ' || repeat('length(category) + ', 95) || '0'),
	('a huge text out of jsonb', 'false' || repeat(' OR attributes ->> ''text'' = ''b''', 55)),
	('a huge text out of jsonb, changed', 'false' || repeat(' OR upper(attributes ->> ''text'') = ''b''', 45)),
	('a huge array in jsonb, searched', 'false' || repeat(' OR attributes -> ''list'' @> ''[-1]''', 50)),
	('a huge array in jsonb, searched for many', 'attributes -> ''list'' @> ''[' || repeat('1,', 1900) || '-1]'''),
	('huge jsonb, compared', 'false' || repeat(' OR attributes <> attributes', 90)),
	('huge jsonb, many times', 'false' || repeat(' OR attributes ? ''a''', 90)),
	('long numbers, multiplied', repeat('(attributes ->> ''number'')::numeric * ', 55) || '1 < 0'),
	('long numbers, divided', '1' || repeat(' / (attributes ->> ''number'')::numeric', 55) || ' < 0'),
	('long numbers, rounded', repeat('round(', 90) || '(attributes ->> ''number'')::numeric / 3' || repeat(', 2000)', 90) || ' < 0'),
	('many maintenances', repeat('maintenance_count(''a'', ''100 years'') + ', 45) || '0 < 0'),
	('many requests', repeat('request_count(''100 years'') + ', 70) || '0 < 0'),
	('the last of many maintenances', 'false' || repeat(' OR last_maintenance(''b'') IS NOT NULL', 70)),
	('a boundary of many corners', 'false' || repeat(' OR inside_boundary IS NULL', 8)),
	('the way to a boundary of many corners', 'distance_to_boundary_m NOT BETWEEN 0 AND 1 OR distance_to_boundary_m NOT BETWEEN 0 AND 1'),
	('deep CASE', repeat('CASE WHEN category < source THEN false ELSE ', 40) || 'true' || repeat(' END', 40)),
	('a large IN', 'asset_id IN (' || repeat('-1,', 290) || '-1)');
CREATE TEMP TABLE heavy AS SELECT f.* FROM cec.rule_column LEFT JOIN LATERAL (SELECT (NULL::cec.rule_fact).*) AS f ON true LIMIT 1;
UPDATE heavy SET asset_id = 1, category = repeat('a', 10000), source = repeat('a', 10000), as_of = '2026-11-01',
	attributes = jsonb_build_object('text', (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300000) AS n), 'number', repeat('7', 900) || '.' || repeat('3', 90),
		'list', (SELECT jsonb_agg(n) FROM generate_series(1, 200000) AS n)),
	maintenance_kinds = (SELECT array_agg('a'::text) FROM generate_series(1, 50000)), maintenance_days = (SELECT array_agg(date '2000-01-01' + n % 9000) FROM generate_series(1, 50000) AS n),
	request_days = (SELECT array_agg(date '2000-01-01' + n % 9000) FROM generate_series(1, 50000) AS n),
	location = 'SRID=4326;POINT(30 10)', boundary = st_multi(st_buffer('SRID=4326;POINT(10 50)'::geometry, 1, 25000));
-- As heavy as the bounds of the functions behind conditions let it be.
INSERT INTO heavy SELECT (h).* FROM heavy AS h;
UPDATE heavy SET asset_id = 2, attributes = jsonb_build_object('text', repeat('a', 9999), 'number', '7.' || repeat('3', 90),
	'list', (SELECT jsonb_agg(n) FROM generate_series(1, 55000) AS n))
WHERE ctid = (SELECT max(ctid) FROM heavy);
