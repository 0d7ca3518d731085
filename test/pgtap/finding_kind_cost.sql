-- Kinds of findings cost what they are asked about: for a few assets or contracts no view reads a table whole that grows with the
-- register, whatever the planner knows of the data. The views are those of the catalog, so a new kind joins by itself.
SET client_min_messages = warning;
SELECT cec.create_portfolio('fleet');
SELECT no_plan();
SET search_path = fleet, public, pg_temp;

-- 200,000 assets on the lists of 200 contracts, as the engine would have them; below it, since what is measured is reading.
SET session_replication_role = replica;
DO $$
DECLARE a_table regclass;
BEGIN
	FOR a_table IN SELECT oid FROM pg_class WHERE relnamespace = 'fleet'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', a_table);
	END LOOP;
END $$;
INSERT INTO customer (customer_id, name, parent_id) SELECT g, 'Customer ' || g, nullif(g / 10, 0) FROM generate_series(1, 1000) g;
INSERT INTO contract (contract_id, number, customer_id, status, during, boundary)
	SELECT g, 'C-' || g, g, 'active', daterange(current_date - 300, current_date + 300), ST_Multi(ST_MakeEnvelope(g % 20, g / 20, g % 20 + 1, g / 20 + 1, 4326)) FROM generate_series(1, 200) g;
INSERT INTO boundary_part (contract_id, part) SELECT contract_id, cec._cut(boundary) FROM contract;
INSERT INTO coverage_term (term_id, contract_id, number, during) SELECT g, (g + 1) / 2, 1 + g % 2, '(,)' FROM generate_series(1, 400) g;
INSERT INTO asset (asset_id, asset_tag, serial_number, manufacturer, customer_id, location, commissioned_on, decommissioned_on)
	SELECT g, 'T-' || g, 'S-' || g, 'M-' || g % 20, 1 + g % 1000, ST_Point(g % 200 / 10.0, g % 1000 / 100.0, 4326), current_date - 400, current_date + 30 FROM generate_series(1, 200000) g;
INSERT INTO asset_identifier (asset_id, scheme, value, during) SELECT g, 'old', 'O-' || g, '(,)' FROM generate_series(1, 2000) g;
INSERT INTO inclusion (term_id, asset_id, effect, during) SELECT 1 + g % 400, g, CASE WHEN g % 10 = 0 THEN 'exclude' ELSE 'include' END, '(,)' FROM generate_series(1, 200000) g;
INSERT INTO coverage (asset_id, term_id, during, is_stated, is_ruled, is_inherited, recorded_at)
	SELECT g, 1 + g % 400, daterange(current_date - 300, current_date + 30), true, false, false, now() FROM generate_series(1, 200000) g;
INSERT INTO bundle (bundle_id, name, primary_asset_id) SELECT g, 'B-' || g, g FROM generate_series(1, 20000) g;
INSERT INTO bundle_member (bundle_id, asset_id, during) SELECT g, 100000 + g, '(,)' FROM generate_series(1, 20000) g;
INSERT INTO coverage_rule (rule_id, term_id, name, effect, condition, during) SELECT g, g, 'R-' || g, 'exclude', 'true', '(,)' FROM generate_series(1, 400) g;
INSERT INTO rule_effect (rule_id, asset_id, during, recorded_at) SELECT 1 + g % 400, g, '(,)', now() FROM generate_series(1, 20000) g;
INSERT INTO service_request (asset_id, opened_at) SELECT g, now() FROM generate_series(1, 20000) g;
INSERT INTO field_observation (asset_id, seen_tag, observed_at) SELECT CASE WHEN g % 10 <> 0 THEN g END, 'T-' || g, now() FROM generate_series(1, 20000) g;
INSERT INTO amendment (amendment_id, contract_id, title) SELECT g, 1 + g % 200, 'A-' || g FROM generate_series(1, 2000) g;
INSERT INTO amendment_line (amendment_id, action, identifier, successor_identifier) SELECT 1 + g % 2000, 'swap', 'T-' || g, 'X-' || g FROM generate_series(1, 20000) g;
RESET session_replication_role;

-- Tables that a plan reads whole, by scan of the table or of an index without a condition.
CREATE FUNCTION pg_temp.read_whole(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN QUERY
		SELECT DISTINCT n ->> 'Relation Name'
		FROM jsonb_path_query(plan, 'strict $.**{0 to last} ? (@."Relation Name" != null)') AS n
		WHERE n ->> 'Relation Name' <> 'setting' AND n ->> 'Node Type' <> 'Bitmap Heap Scan' AND NOT n ? 'Index Cond';
END $$;
-- As the engine plans look-ups (src/support/query.c): by assets, of pairs by either asset, and by contracts where the kind is compared so.
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_memoize = off;
SET jit = off; SET join_collapse_limit = 1; SET plan_cache_mode = force_generic_plan;
CREATE TEMP TABLE asked AS
SELECT k.kind, key
FROM cec.finding_kind k CROSS JOIN (VALUES ('asset_id', '{asset,contract,pair}'::text[]), ('other_asset_id', '{pair}'), ('contract_id', '{contract,identifier}')) AS v(key, scopes)
WHERE k.hears <> '{}' AND pg_get_viewdef(('_finding_' || k.kind)::regclass) !~ ('NULL::bigint AS ' || key) AND k.scope = ANY (v.scopes);
CREATE FUNCTION pg_temp.told(said text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE a record; whole text;
BEGIN
	FOR a IN SELECT * FROM asked ORDER BY kind, key LOOP
		EXECUTE format('PREPARE asked (bigint[]) AS SELECT * FROM %I WHERE %I = ANY ($1)', '_finding_' || a.kind, a.key);
		-- The engine takes all tables for large; of the few contracts here nothing is known before they are analyzed, and few terms are read faster whole.
		SELECT string_agg(w, ', ') INTO whole FROM pg_temp.read_whole('EXECUTE asked (''{1,2,3}'')') AS w
		WHERE (w <> 'contract' OR said = 'analyzed') AND (w <> 'coverage_term' OR a.key <> 'contract_id');
		RETURN NEXT is(whole, NULL, format('%s by %s, %s', a.kind, a.key, said));
		DEALLOCATE asked;
	END LOOP;
END $$;
SELECT pg_temp.told('never analyzed');
ANALYZE;
SELECT pg_temp.told('analyzed');
SELECT * FROM finish();
