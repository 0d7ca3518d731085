-- 500 serials as people type them against a million assets: 184 of them are wrong in seven ways.

SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;
SELECT cec.create_portfolio('typed') \g /dev/null
INSERT INTO typed.customer (customer_id, name) VALUES (1, 'Customer');
INSERT INTO typed.contract (number, customer_id, status, during) VALUES ('C', 1, 'active', '[2024-01-01,2044-01-01)');
INSERT INTO typed.coverage_term (contract_id, number, during) VALUES (1, '1', '[2024-01-01,2044-01-01)');
INSERT INTO typed.asset (asset_id, asset_tag, serial_number, manufacturer, commissioned_on)
SELECT i, 'EQ-' || lpad(i::text, 8, '0'), 'SN-' || upper(substr(md5(i::text), 1, 4)) || '-' || lpad((i * 7919 % 100000007)::text, 8, '0') || '-' || chr(65 + i::integer % 13),
	'Maker ' || i % 17, date '2010-01-01' + (i % 3000)::integer
FROM generate_series(1::bigint, 1000000) i;
VACUUM ANALYZE typed.asset;

-- Case, blanks for dashes, O for 0, I for 1, one character wrong, one missing, and serials that nobody has.
CREATE TABLE bench.typed AS
SELECT n, way, serial_number AS meant, CASE way
	WHEN 'case' THEN lower(serial_number)
	WHEN 'blanks' THEN replace(serial_number, '-', ' ')
	WHEN 'O for 0' THEN 'SN-' || translate(substr(serial_number, 4), '0', 'O')
	WHEN 'I for 1' THEN 'SN-' || translate(substr(serial_number, 4), '1', 'I')
	WHEN 'one wrong' THEN overlay(serial_number placing chr(90 - n % 6) from 9 + n % 6 for 1)
	WHEN 'one missing' THEN overlay(serial_number placing '' from 9 + n % 6 for 1)
	WHEN 'nobody''s' THEN 'ZZ' || md5(serial_number)
	ELSE serial_number END AS identifier
FROM (SELECT n, serial_number, CASE WHEN n % 125 < 46 THEN (ARRAY['case', 'blanks', 'O for 0', 'I for 1', 'one wrong', 'one missing', 'nobody''s'])[1 + n % 7] END AS way
	FROM (SELECT row_number() OVER (ORDER BY hashint8(asset_id))::integer AS n, serial_number
		FROM typed.asset WHERE asset_id % 1999 = 7 LIMIT 500) AS s) AS w;
CREATE TABLE bench.typed_list AS
SELECT 'the good ones' AS variant, jsonb_agg(jsonb_build_object('identifier', identifier) ORDER BY n) AS list FROM bench.typed WHERE way IS NULL
UNION ALL SELECT 'all', jsonb_agg(jsonb_build_object('identifier', identifier) ORDER BY n) FROM bench.typed;

CREATE PROCEDURE bench.run_check(run integer)
LANGUAGE plpgsql AS $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT variant, list FROM bench.typed_list ORDER BY variant DESC LOOP
		CALL bench.measure('check', part.variant, run, 1, format('SELECT count(*) FROM typed.check_inclusions(1, %L)', part.list));
	END LOOP;
END;
$$;
CALL bench.run_check(0);
DELETE FROM bench.sample WHERE subject = 'check';
CALL bench.run_check(1);
CALL bench.run_check(2);
CALL bench.run_check(3);
CALL bench.run_check(4);
CALL bench.run_check(5);
CALL bench.run_check(6);
CALL bench.run_check(7);
CALL bench.run_check(8);
CALL bench.run_check(9);

\echo 'check_inclusions of 500 serials, 184 of them wrong, at a million assets'
SELECT coalesce(t.way, 'good') AS way, count(*), count(*) FILTER (WHERE c.outcome = 'refused') AS refused, count(c.suggestion) AS suggested,
	count(*) FILTER (WHERE c.suggestion <> t.meant) AS suggested_wrongly
FROM typed.check_inclusions(1, (SELECT list FROM bench.typed_list WHERE variant = 'all')) c JOIN bench.typed t ON t.n = c.place
GROUP BY 1 ORDER BY 1;
SELECT round((percentile_cont(0.5) WITHIN GROUP (ORDER BY g.us) / 1000)::numeric, 1) AS good_ms,
	round((percentile_cont(0.5) WITHIN GROUP (ORDER BY a.us) / 1000)::numeric, 1) AS all_ms,
	round((percentile_cont(0.5) WITHIN GROUP (ORDER BY a.us - g.us) / 1000)::numeric, 1) AS beyond_ms,
	format('%s–%s', round(min(a.us - g.us) / 1000, 1), round(max(a.us - g.us) / 1000, 1)) AS min_to_max,
	CASE WHEN percentile_cont(0.5) WITHIN GROUP (ORDER BY a.us - g.us) <= 100000 THEN '<= 100 reached' ELSE '<= 100 MISSED' END AS goal
FROM bench.sample g JOIN bench.sample a USING (subject, run) WHERE subject = 'check' AND g.variant = 'the good ones' AND a.variant = 'all';
