-- The first page of what is wrong, among a million findings that are open and ten million that are closed: by severity and age, and of one
-- account manager, by his contracts and by the assets that he looks after.
--     test/bin/bench page
-- Written past the engine, since what is measured is reading. Goal: 20 ms a page.
SET client_min_messages = warning;
SELECT cec.drop_portfolio('paged', 'paged') FROM pg_namespace WHERE nspname = 'paged' \g /dev/null
SELECT cec.create_portfolio('paged') \g /dev/null
SET session_replication_role = replica;
DO $$
DECLARE a_table regclass;
BEGIN
	FOR a_table IN SELECT oid FROM pg_class WHERE relnamespace = 'paged'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', a_table);
	END LOOP;
END $$;
INSERT INTO paged.customer (customer_id, name) SELECT g, 'Customer ' || g FROM generate_series(1, 1000) g;
-- Forty account managers, who look after fifty contracts each.
INSERT INTO paged.contract (contract_id, number, customer_id, status, during, account_manager)
SELECT g, 'C-' || g, 1 + g % 1000, 'active', daterange(current_date - 300, current_date + 300), 'Manager ' || g % 40 FROM generate_series(1, 2000) g;
INSERT INTO paged.coverage_term (term_id, contract_id, number, during) SELECT g, g, '1', daterange(current_date - 300, current_date + 300) FROM generate_series(1, 2000) g;
INSERT INTO paged.asset (asset_id, asset_tag, customer_id) SELECT g, 'T-' || g, 1 + g % 1000 FROM generate_series(1, 1000000) g;
INSERT INTO paged.coverage (asset_id, term_id, during, is_stated, is_ruled, is_inherited, recorded_at)
SELECT g, 1 + g % 2000, daterange(current_date - 300, current_date + 300), true, false, false, now() FROM generate_series(1, 1000000) g;
-- Of an asset, or of an asset and its contract; one in a thousand is waived.
CREATE PROCEDURE bench.add_findings(how_many bigint, closed boolean) LANGUAGE sql AS $$
	INSERT INTO paged.finding (kind, severity, asset_id, contract_id, subject, message, detail, opened_at, closed_at)
	SELECT k.kind, k.severity, 1 + g % 1000000, CASE WHEN g % 3 > 0 THEN 1 + (1 + g % 1000000) % 2000 END, CASE WHEN closed THEN 'run:' || g ELSE '' END,
		'Something is wrong with asset T-' || 1 + g % 1000000 || ', and this says what.', '{}', now() - (g % 86400000) * interval '1 second',
		CASE WHEN closed THEN now() END
	FROM generate_series(1, how_many) g
		JOIN (SELECT kind, severity, row_number() OVER (ORDER BY kind) - 1 AS place, count(*) OVER () AS kinds FROM cec.finding_kind) AS k ON k.place = g * 7919 / 1000 % k.kinds
$$;
CALL bench.add_findings(10000000, true);
CALL bench.add_findings(1000000, false);
INSERT INTO paged.finding_waiver (kind, asset_id, reason, waived_by)
SELECT 'customer_mismatch', g * 1000, 'Agreed.', 'bench' FROM generate_series(1, 1000) g;
RESET session_replication_role;
VACUUM ANALYZE paged.finding, paged.contract, paged.coverage_term, paged.coverage, paged.asset, paged.customer, paged.finding_waiver;
SELECT count(*) FILTER (WHERE closed_at IS NULL) AS open, count(*) FILTER (WHERE closed_at IS NOT NULL) AS closed FROM paged.finding;

CREATE PROCEDURE bench.page(subject text, query text) LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz;
	shown bigint;
BEGIN
	FOR run IN 0..20 LOOP
		begun := clock_timestamp();
		EXECUTE format('SELECT count(*) FROM (SELECT severity, days_open, account_manager, customer, asset_tag, message FROM paged.finding_now %s LIMIT 50) AS n', query) INTO shown;
		IF run > 0 THEN
			INSERT INTO bench.sample VALUES (subject, 'page', run, shown, extract(epoch FROM clock_timestamp() - begun) * 1e6, NULL);
		END IF;
		COMMIT;
	END LOOP;
END $$;
CALL bench.page('page: all', 'ORDER BY severity_rank, opened_at');
CALL bench.page('page: the gaps', 'WHERE is_gap ORDER BY severity_rank, opened_at');
CALL bench.page('page: an account manager', $$WHERE account_manager = 'Manager 7' ORDER BY severity_rank, opened_at$$);
CALL bench.page('page: an account manager, by assets', $$WHERE asset_account_manager = 'Manager 7' ORDER BY severity_rank, opened_at$$);
CALL bench.page('page: nobody by this name', $$WHERE account_manager = 'Nobody' ORDER BY severity_rank, opened_at$$);
\pset footer off
SELECT subject, min(row_count) AS rows, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY us)::numeric / 1000, 2) AS ms, round(max(us) / 1000, 2) AS max_ms,
	CASE WHEN percentile_cont(0.5) WITHIN GROUP (ORDER BY us) <= 20000 THEN 'reached' ELSE 'MISSED' END AS "goal <= 20 ms"
FROM bench.sample WHERE subject LIKE 'page:%' GROUP BY subject ORDER BY min(ctid);
