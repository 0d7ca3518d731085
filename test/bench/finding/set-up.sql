-- The portfolio "found", with the assets of fleet, and as it would be in the field: places, customers, requests and observations. Made anew
-- for each round, so that both variants begin alike.
--
-- Three in four assets are fine: they were seen, and no contract holds within a boundary there; their lines change no finding. The others
-- were never seen, and stand inside the boundary of a contract of their customer: each of their lines closes one finding and opens another.

DROP TABLE IF EXISTS bench.heard, bench.finding_goal, bench.found_source;
CREATE TABLE bench.heard AS SELECT kind, hears FROM cec.finding_kind;
CREATE TABLE bench.finding_goal (place serial, subject text, at_most numeric);
INSERT INTO bench.finding_goal (subject, at_most) VALUES ('a list line', 1.5), ('a list line that settles two findings', NULL),
	('three quarters of the list lines at once', 1.3), ('a quarter of the list lines at once, each settling two findings', NULL),
	('an asset to be decommissioned with its line', 1.5), ('an asset retired, which opens a finding', 1.5), ('an asset inserted', NULL), ('an asset inserted that opens a finding', NULL), ('all assets inserted at once', NULL);
INSERT INTO bench.goal (subject, variant, reference, at_most)
SELECT 'findings: ' || subject, 'with findings', 'without findings', at_most FROM bench.finding_goal;
UPDATE bench.finding_goal SET subject = 'findings: ' || subject;

-- Of customers 1 to 20, and 21 to 40.
CREATE TABLE bench.found_source AS
SELECT a.place AS asset_id, a.place % 4 = 0 AS is_troubled, row_number() OVER (PARTITION BY a.place % 4 = 0 ORDER BY a.place) AS place,
	CASE WHEN a.place % 4 = 0 THEN 20 ELSE 0 END + a.customer_id AS customer_id, CASE WHEN a.place % 4 = 0 THEN 20 ELSE 0 END + l.term_id AS term_id, l.during,
	a.asset_tag, a.serial_number, a.manufacturer, a.model, a.category, a.usage_type, a.country, a.region, a.location, a.commissioned_on, a.attributes
FROM bench.asset_source a JOIN bench.line_source l ON l.asset_id = a.place;
CREATE UNIQUE INDEX ON bench.found_source (is_troubled, place);
CREATE OR REPLACE VIEW bench.fine AS SELECT * FROM bench.found_source WHERE NOT is_troubled;
CREATE OR REPLACE VIEW bench.troubled AS SELECT * FROM bench.found_source WHERE is_troubled;
VACUUM ANALYZE bench.found_source;

CREATE OR REPLACE PROCEDURE bench.run_findings(nth integer, variant text)
LANGUAGE plpgsql AS $$
DECLARE
	n bigint := (SELECT count(*) FROM bench.found_source);
	each bigint := 50 + bench.each_count();
	others text := 'manufacturer, model, category, usage_type, customer_id, country, region, location, commissioned_on, attributes';
	others_of_row text := regexp_replace(others, '([a-z_]+)', 'r.\1', 'g');
	one_line text := 'INSERT INTO found.inclusion (term_id, asset_id, during) VALUES (r.term_id, r.asset_id, r.during)';
	all_lines text := format('INSERT INTO found.inclusion (term_id, asset_id, during) SELECT term_id, asset_id, during FROM bench.%%I WHERE place > %s', each);
	one_asset text := format('INSERT INTO found.asset (asset_tag, serial_number, %s) VALUES (''N-'' || r.asset_tag, ''N-'' || r.serial_number, %s)', others, others_of_row);
BEGIN
	IF to_regnamespace('found') IS NOT NULL THEN
		PERFORM cec.drop_portfolio('found', 'found');
	END IF;
	PERFORM cec.create_portfolio('found');
	INSERT INTO found.customer (customer_id, name) SELECT customer_id, name FROM fleet.customer;
	INSERT INTO found.contract (contract_id, number, customer_id, status, during, boundary)
	SELECT contract_id, number, contract_id, 'active', during,
		CASE WHEN contract_id > 20 THEN st_multi(st_makeenvelope(8, 47, 14, 51, 4326)) END
	FROM fleet.contract;
	INSERT INTO found.coverage_term (term_id, contract_id, number, during) SELECT term_id, contract_id, number, during FROM fleet.coverage_term;
	COMMIT;
	CALL bench.measure('findings: all assets inserted at once', variant, nth, n,
		format('INSERT INTO found.asset (asset_id, asset_tag, serial_number, %s) SELECT asset_id, asset_tag, serial_number, %1$s FROM bench.found_source', others));
	PERFORM setval(pg_get_serial_sequence('found.asset', 'asset_id'), n);
	INSERT INTO found.service_request (asset_id, opened_at) SELECT asset_id, '2026-02-01' FROM bench.found_source WHERE asset_id % 20 = 0;
	INSERT INTO found.field_observation (asset_id, seen_tag, observed_at, location)
	SELECT asset_id, asset_tag, now() - interval '10 days', location FROM bench.fine;
	-- One of the troubled of each customer was seen, so that the others stand out.
	INSERT INTO found.field_observation (asset_id, seen_tag, observed_at, location)
	SELECT DISTINCT ON (customer_id) asset_id, asset_tag, now() - interval '10 days', location FROM bench.troubled ORDER BY customer_id, asset_id;
	COMMIT;
	ANALYZE found.asset, found.contract, found.coverage_term, found.service_request, found.field_observation, found.finding;
	CALL bench.measure_each('findings: a list line', variant, nth, 'bench.fine', one_line);
	CALL bench.measure_each('findings: a list line that settles two findings', variant, nth, 'bench.troubled', one_line);
	CALL bench.measure('findings: three quarters of the list lines at once', variant, nth, n - n / 4 - each, format(all_lines, 'fine'));
	CALL bench.measure('findings: a quarter of the list lines at once, each settling two findings', variant, nth, n / 4 - each, format(all_lines, 'troubled'));
	ANALYZE found.inclusion, found.coverage, found.finding;
	CALL bench.measure_each('findings: an asset to be decommissioned with its line', variant, nth, 'bench.fine',
		'UPDATE found.asset SET decommissioned_on = ''2029-12-31'' WHERE asset_id = r.asset_id');
	CALL bench.measure_each('findings: an asset retired, which opens a finding', variant, nth, 'bench.fine',
		'UPDATE found.asset SET status = ''retired'', decommissioned_on = ''2026-06-01'' WHERE asset_id = r.asset_id');
	CALL bench.measure_each('findings: an asset inserted', variant, nth, 'bench.fine', one_asset);
	CALL bench.measure_each('findings: an asset inserted that opens a finding', variant, nth, 'bench.troubled', one_asset);
END;
$$;
