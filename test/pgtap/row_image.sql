-- Row images are, byte by byte, what src/audit/README.md says.
SET client_min_messages = warning;
SELECT cec.create_portfolio('fleet');
SELECT plan(6);

INSERT INTO fleet.service_tier (tier_id, code, name, rank) VALUES (7, 'gold', 'Größte', 2);
UPDATE fleet.service_tier SET rank = 3, response_hours = 4.5 WHERE tier_id = 7;
UPDATE fleet.service_tier SET rank = 3;
INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'Example', 'true', '[2026-01-01,)');

SELECT is(encode(row_image, 'hex'),
	'015d3bfcc5a446f007a4870951f4bb04b609000000000000000705676f6c64094772c3b6c39f7465050000000200', 'an INSERT')
FROM fleet.audit_log WHERE table_name = 'service_tier' AND operation = 'INSERT';

SELECT results_eq($$SELECT encode(row_image, 'hex') FROM fleet.audit_log
	WHERE table_name = 'service_tier' AND operation = 'UPDATE' ORDER BY audit_id$$,
	ARRAY['015d3bfcc5a446f007a4870951f4bb04b61805000000020500000003000d000200000000000100041388'],
	'an UPDATE, and none of one that changes nothing');

SELECT matches(encode(row_image, 'hex'), '071205000025190009616e795f7465726d096c6f636174696f6e$', 'a range of days, and a NULL behind it')
FROM fleet.audit_log WHERE table_name = 'regulation';

-- From 18 on a column can be computed when it is read: there is nothing to record.
SELECT current_setting('server_version_num')::integer >= 180000 AS is_computed \gset
SELECT format('ALTER TABLE fleet.regulation ADD COLUMN heading text GENERATED ALWAYS AS (upper(title)) %s', CASE WHEN :'is_computed' THEN 'VIRTUAL' ELSE 'STORED' END) \gexec
UPDATE fleet.regulation SET title = 'Another';
SELECT is((SELECT count(*) FROM fleet.audit_schema WHERE 'heading' = ANY (column_names)), CASE WHEN :'is_computed' THEN 0 ELSE 1 END::bigint,
	'a column that is generated is recorded where it is stored');
SELECT is_empty('SELECT * FROM fleet.verify_replay()', 'and replayed');

SELECT is_empty($$
	SELECT s.table_name FROM fleet.audit_schema s
	WHERE s.schema_hash <> (SELECT substring(sha256(string_agg(convert_to(part, 'UTF8') || '\x00', '' ORDER BY n, p)) FOR 16)
		FROM (SELECT 0 AS n, 0 AS p, s.table_name AS part
			UNION ALL SELECT n, p, part
			FROM unnest(s.column_names, s.column_types, s.column_codes) WITH ORDINALITY AS c(name, type, code, n)
				CROSS JOIN LATERAL (VALUES (1, name), (2, type), (3, code)) AS v(p, part)) AS parts)
$$, 'the hash of every column list');

SELECT * FROM finish();
