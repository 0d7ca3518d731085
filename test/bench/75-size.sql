-- What a million rows take on disk, tables with their indexes, in a portfolio of its own: measured on 100,000 and multiplied.
-- docs/operations.md has these figures.

SET client_min_messages = warning;
SELECT cec.create_portfolio('sized') \g /dev/null
CREATE TABLE bench.size (place integer GENERATED ALWAYS AS IDENTITY, what text, mb_a_million_rows integer);

-- How much relations have grown since they were last looked at.
CREATE TABLE bench.seen (relation regclass PRIMARY KEY, bytes bigint);
CREATE FUNCTION bench.grown(relations regclass[]) RETURNS bigint LANGUAGE sql VOLATILE AS $$
	WITH now AS (SELECT r AS relation, pg_total_relation_size(r) AS bytes FROM unnest(relations) r),
	put AS (INSERT INTO bench.seen SELECT relation, bytes FROM now ON CONFLICT (relation) DO UPDATE SET bytes = excluded.bytes)
	SELECT sum(n.bytes - coalesce(s.bytes, 0)) FROM now n LEFT JOIN bench.seen s USING (relation);
$$;
CREATE PROCEDURE bench.tell(what text, row_count bigint, VARIADIC relations regclass[]) LANGUAGE sql AS $$
	INSERT INTO bench.size (what, mb_a_million_rows) SELECT what, round(bench.grown(relations) * 1e6 / row_count / 1e6);
$$;

INSERT INTO sized.customer (customer_id, name) SELECT customer_id, name FROM fleet.customer;
INSERT INTO sized.contract (contract_id, number, customer_id, status, during) VALUES (1, 'C-1', 1, 'active', '[2024-01-01,2034-01-01)');
INSERT INTO sized.coverage_term (term_id, contract_id, number, during) VALUES (1, 1, '1', '[2024-01-01,2034-01-01)');
INSERT INTO sized.asset (asset_tag, serial_number, manufacturer, model, category, usage_type, customer_id, country, region,
	location, commissioned_on, attributes)
SELECT asset_tag, serial_number, manufacturer, model, category, usage_type, customer_id, country, region,
	location, commissioned_on, attributes
FROM bench.asset_source WHERE place <= 100000;
CALL bench.tell('assets', 100000, 'sized.asset');
CALL bench.tell('log: assets inserted', 100000, 'sized.audit_log');
INSERT INTO sized.inclusion (term_id, listed_as, during) SELECT 1, asset_tag, daterange('2025-01-01', '2030-01-01') FROM sized.asset;
CALL bench.tell('list lines', 100000, 'sized.inclusion');
CALL bench.tell('ranges of coverage', 100000, 'sized.coverage');
CALL bench.tell('log: lines listed, with what that changed in cover', 100000, 'sized.audit_log');
UPDATE sized.asset SET attributes = attributes || '{"checked": true}';
CALL bench.tell('log: one column of assets changed, cover as it was', 100000, 'sized.audit_log');
UPDATE sized.asset SET status = 'retired', decommissioned_on = '2028-06-30';
CALL bench.tell('log: assets retired, with what that changed in cover', 100000, 'sized.audit_log');
CALL bench.tell('earlier states of coverage', 100000, 'sized.coverage_history');
SELECT sized.seal_audit() \g /dev/null
CALL bench.tell('tree: rows of the log sealed', 400000, 'sized.audit_leaf', 'sized.audit_node');
\echo 'What a million rows take on disk, with indexes, in MB'
SELECT what, mb_a_million_rows FROM bench.size ORDER BY place;
SELECT cec.drop_portfolio('sized', 'sized') \g /dev/null
