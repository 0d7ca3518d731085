-- What cover leaves in the log: bytes of delta a row of cover, and holding a million such rows against coverage and its history.

SET client_min_messages = warning;
SELECT cec.create_portfolio('recorded') \g /dev/null
INSERT INTO recorded.customer (customer_id, name) VALUES (1, 'Customer');
INSERT INTO recorded.contract (number, customer_id, status, during) VALUES ('C', 1, 'active', '[2024-01-01,2044-01-01)');
INSERT INTO recorded.coverage_term (contract_id, number, during) VALUES (1, '1', '[2024-01-01,2044-01-01)'), (1, '2', '[2024-01-01,2044-01-01)');
INSERT INTO recorded.asset (asset_id, asset_tag, usage_type, commissioned_on)
SELECT place, asset_tag, usage_type, commissioned_on FROM bench.asset_source;
-- A list, a rule, other days for each line, and back.
INSERT INTO recorded.inclusion (term_id, asset_id, during) SELECT 1, place, '[2025-01-01,2030-01-01)' FROM bench.asset_source;
INSERT INTO recorded.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'production', 'include', 'usage_type = ''production''', '[2024-01-01,)');
UPDATE recorded.inclusion SET during = '[2025-01-01,2031-01-01)';
UPDATE recorded.inclusion SET during = '[2025-01-01,2030-01-01)';
VACUUM ANALYZE;

\echo 'Delta in the log: bytes a row of it, by the table that was changed'
SELECT table_name, count(*) AS pieces, sum(length(delta)) AS bytes, d.rows, round(sum(length(delta))::numeric / d.rows, 2) AS bytes_a_row
FROM recorded.audit_log JOIN (SELECT table_name, count(*) AS rows FROM recorded.audit_delta JOIN recorded.audit_log USING (audit_id) GROUP BY 1) d USING (table_name)
WHERE delta IS NOT NULL GROUP BY table_name, d.rows ORDER BY 1;

SELECT count(*) AS delta_rows FROM recorded.audit_delta \gset
CREATE PROCEDURE bench.run_history(run integer, delta_rows bigint)
LANGUAGE plpgsql AS $$
BEGIN
	CALL bench.measure('history', 'decoded', run, delta_rows, 'SELECT count(*) FROM recorded.audit_delta');
	CALL bench.measure('history', 'verify_history', run, delta_rows, 'SELECT * FROM recorded.verify_history()');
END;
$$;
CALL bench.run_history(1, :delta_rows);
CALL bench.run_history(2, :delta_rows);
CALL bench.run_history(3, :delta_rows);
CALL bench.run_history(4, :delta_rows);
CALL bench.run_history(5, :delta_rows);
INSERT INTO bench.goal VALUES ('history', 'verify_history', 'decoded', NULL);
\echo 'Evidence of cover: us a row of the delta (goal: verify_history at most 1.5)'
SELECT * FROM bench.report('history');
