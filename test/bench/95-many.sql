-- covered_many of 10,000 tags at 500,000 assets, most of them under a term or two, against plain joins of as many: as the planner
-- likes, and by index. The joins know tags alone, rank nothing, and say nothing of what is unknown or ambiguous.

SET client_min_messages = warning;
SELECT cec.create_portfolio('many') \g /dev/null
INSERT INTO many.customer (name) SELECT 'C' || n FROM generate_series(1, 50) AS n;
INSERT INTO many.service_tier (code, name, rank) VALUES ('gold', 'Gold', 2), ('silver', 'Silver', 1);
INSERT INTO many.contract (number, customer_id, kind, status, during)
SELECT 'S-' || n, 1 + n % 50, CASE n % 10 WHEN 0 THEN 'warranty' ELSE 'service' END, 'active', '[2024-01-01,2044-01-01)' FROM generate_series(1, 500) AS n;
INSERT INTO many.coverage_term (contract_id, number, tier_id, during) SELECT n, '1', 1 + n % 2, '[2024-01-01,2044-01-01)' FROM generate_series(1, 500) AS n;
INSERT INTO many.asset (asset_tag, serial_number, manufacturer, commissioned_on)
SELECT 'P-' || lpad(((n * 7919::bigint) % 500009)::text, 6, '0'), 'SN' || n, 'M', '2020-01-01' FROM generate_series(1, 500000) AS n;
INSERT INTO many.inclusion (term_id, asset_id, during) SELECT 1 + (asset_id * 31) % 500, asset_id, '[2024-01-01,2044-01-01)' FROM many.asset WHERE asset_id % 10 < 9;
INSERT INTO many.inclusion (term_id, asset_id, during)
SELECT 10 * (1 + asset_id % 50), asset_id, '[2024-01-01,2044-01-01)' FROM many.asset WHERE asset_id % 10 = 1 AND (1 + (asset_id * 31) % 500) % 10 <> 0;
VACUUM ANALYZE many.asset, many.coverage, many.contract, many.coverage_term;
CREATE TABLE bench.asked AS SELECT array_agg(asset_tag ORDER BY hashint8(asset_id)) AS tags FROM many.asset WHERE asset_id % 50 = 7;

CREATE PROCEDURE bench.run_many(run integer)
LANGUAGE plpgsql AS $$
DECLARE
	tags text[] := (SELECT a.tags FROM bench.asked a);
	joined text := format('SELECT i.place, i.identifier, a.asset_id, a.asset_tag, c.contract_id, c.number, t.term_id, s.code, lower(v.during), upper(v.during) - 1, v.is_stated, v.is_inherited, v.is_ruled
		FROM unnest(%L::text[]) WITH ORDINALITY AS i(identifier, place) LEFT JOIN many.asset a ON a.asset_tag = i.identifier
			LEFT JOIN (many.coverage v JOIN many.coverage_term t USING (term_id) JOIN many.contract c USING (contract_id) LEFT JOIN many.service_tier s ON s.tier_id = t.tier_id)
				ON v.asset_id = a.asset_id AND v.during @> date ''2026-06-01''', tags);
	hashes text := current_setting('enable_hashjoin');
BEGIN
	CALL bench.measure('many', 'plain join', run, cardinality(tags), joined);
	PERFORM set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false), set_config('enable_seqscan', 'off', false);
	CALL bench.measure('many', 'plain join by index', run, cardinality(tags), joined);
	PERFORM set_config('enable_hashjoin', hashes, false), set_config('enable_mergejoin', 'on', false), set_config('enable_seqscan', 'on', false);
	CALL bench.measure('many', 'covered_many', run, cardinality(tags), format('SELECT * FROM many.covered_many(%L, ''2026-06-01'')', tags));
END;
$$;
INSERT INTO bench.goal VALUES ('many', 'covered_many', 'plain join', 2), ('many', 'covered_many', 'plain join by index', 2);
CALL bench.run_many(0);
DELETE FROM bench.sample WHERE subject = 'many';
CALL bench.run_many(1);
CALL bench.run_many(2);
CALL bench.run_many(3);
CALL bench.run_many(4);
CALL bench.run_many(5);
\echo 'covered_many of 10,000 tags at 500,000 assets'
SELECT * FROM bench.report('many');
