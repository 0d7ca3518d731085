-- The portfolio "found", with the assets and contracts of fleet, and as it would be in the field: places, customers, a boundary on half of
-- the contracts, requests and observations. Made anew for each round, so that both variants begin alike.

DROP TABLE IF EXISTS bench.heard, bench.finding_goal;
CREATE TABLE bench.heard AS SELECT kind, hears FROM cec.finding_kind;
CREATE TABLE bench.finding_goal (place serial, subject text, at_most numeric);
INSERT INTO bench.finding_goal (subject, at_most) VALUES ('a list line', 1.5), ('200,000 list lines', 1.3), ('an asset retired', 1.5),
	('an asset inserted', NULL), ('200,000 assets inserted', NULL);
INSERT INTO bench.goal (subject, variant, reference, at_most)
SELECT 'findings: ' || subject, 'with findings', 'without findings', at_most FROM bench.finding_goal;
UPDATE bench.finding_goal SET subject = 'findings: ' || subject;

CREATE OR REPLACE PROCEDURE bench.run_findings(nth integer, variant text)
LANGUAGE plpgsql AS $$
DECLARE
	n bigint := (SELECT count(*) FROM bench.line_source);
	others text := (SELECT string_agg('r.' || c, ', ') FROM unnest('{manufacturer,model,category,usage_type,customer_id,country,region,location,commissioned_on,attributes}'::text[]) AS c);
	columns text := 'asset_tag, serial_number, manufacturer, model, category, usage_type, customer_id, country, region, location, commissioned_on, attributes';
BEGIN
	IF to_regnamespace('found') IS NOT NULL THEN
		PERFORM cec.drop_portfolio('found', 'found');
	END IF;
	PERFORM cec.create_portfolio('found');
	INSERT INTO found.customer (customer_id, name) SELECT customer_id, name FROM fleet.customer;
	INSERT INTO found.contract (contract_id, number, customer_id, status, during, boundary)
	SELECT contract_id, number, customer_id, status, during,
		CASE WHEN contract_id % 2 = 0 THEN st_multi(st_makeenvelope(8, 47, 14, 51, 4326)) END
	FROM fleet.contract;
	INSERT INTO found.coverage_term (term_id, contract_id, number, during) SELECT term_id, contract_id, number, during FROM fleet.coverage_term;
	COMMIT;
	CALL bench.measure('findings: 200,000 assets inserted', variant, nth, n,
		format('INSERT INTO found.asset (asset_id, %s) SELECT place, %1$s FROM bench.asset_source', columns));
	PERFORM setval(pg_get_serial_sequence('found.asset', 'asset_id'), n);
	INSERT INTO found.service_request (asset_id, opened_at) SELECT place, '2026-02-01' FROM bench.asset_source WHERE place % 20 = 0;
	INSERT INTO found.field_observation (asset_id, seen_tag, observed_at, location)
	SELECT place, asset_tag, now() - interval '10 days', location FROM bench.asset_source WHERE place % 2 = 0;
	COMMIT;
	ANALYZE found.asset, found.contract, found.coverage_term, found.service_request, found.field_observation;
	CALL bench.measure_each('findings: a list line', variant, nth, 'bench.line_source',
		'INSERT INTO found.inclusion (term_id, asset_id, during) VALUES (r.term_id, r.asset_id, r.during)');
	CALL bench.measure('findings: 200,000 list lines', variant, nth, n - 50 - bench.each_count(),
		format('INSERT INTO found.inclusion (term_id, asset_id, during) SELECT term_id, asset_id, during FROM bench.line_source WHERE place > %s', 50 + bench.each_count()));
	ANALYZE found.inclusion, found.coverage, found.finding;
	CALL bench.measure_each('findings: an asset retired', variant, nth, 'bench.line_source',
		'UPDATE found.asset SET status = ''retired'', decommissioned_on = ''2026-06-01'' WHERE asset_id = r.asset_id');
	CALL bench.measure_each('findings: an asset inserted', variant, nth, 'bench.asset_source',
		format('INSERT INTO found.asset (%s) SELECT ''N-'' || r.asset_tag, ''N-'' || r.serial_number, %s', columns, others));
END;
$$;
