-- Alerts: what a statement on asset tells other systems of, each contract once; in the transaction that makes it true; bounded,
-- whatever the statement does.
SET client_min_messages = warning;
SET timezone = 'UTC';
-- A transaction that is prepared by mistake would hold its locks.
SET lock_timeout = '1min';
SELECT no_plan();
SELECT cec.create_portfolio('fleet') \g /dev/null
CREATE ROLE alert_registry;
CREATE ROLE alert_analyst;
CREATE ROLE alert_billing;
SELECT cec.grant_access('fleet', 'alert_registry', 'registry'), cec.grant_access('fleet', 'alert_analyst', 'analyst'), cec.grant_access('fleet', 'alert_billing', 'billing') \g /dev/null

INSERT INTO fleet.customer (customer_id, name) VALUES (1, 'Acme'), (2, 'Other');
INSERT INTO fleet.contract (contract_id, number, customer_id, account_manager, status, during) VALUES
	(1, 'C-1', 1, 'Anna', 'active', '[2026-01-01,)'),
	(2, 'C-2', 1, NULL, 'draft', '[2026-01-01,)'),
	(3, 'over', 1, NULL, 'active', '[2020-01-01,2021-01-01)'),
	(4, 'void', 1, NULL, 'void', '[2026-01-01,)'),
	(5, 'by rule', 1, NULL, 'active', '[2026-01-01,)'),
	(6, 'carved out of', 1, NULL, 'active', '[2026-01-01,)');
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) SELECT 10 + contract_id, contract_id, 'T' || contract_id, during FROM fleet.contract;
INSERT INTO fleet.asset (asset_id, asset_tag, customer_id) SELECT n, 'P-' || n, 1 FROM generate_series(1, 20) AS n;
INSERT INTO fleet.bundle (bundle_id, name, primary_asset_id) VALUES (1, 'B', 1);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 9, '[2026-06-01,)');
INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 11, n, '[2026-03-01,)' FROM generate_series(1, 5) AS n;
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (12, 1, '[2026-03-01,)'), (13, 1, '[2020-03-01,)'), (14, 1, '[2026-03-01,)'), (13, 6, '[2020-03-01,)');
INSERT INTO fleet.inclusion (term_id, asset_id, effect, during) VALUES (16, 1, 'exclude', '[2026-03-01,)');
INSERT INTO fleet.coverage_rule (rule_id, term_id, name, effect, condition, during) VALUES (1, 15, 'seven', 'include', 'asset_tag = ''P-7''', '[2026-01-01,)');

-- What was told since it was asked last, without who and why.
CREATE TABLE pg_temp.seen (outbox_id bigint);
CREATE FUNCTION pg_temp.told() RETURNS TABLE (place bigint, type text, aggregate text, payload jsonb) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT row_number() OVER (ORDER BY o.outbox_id), o.type::text, (o.aggregatetype || ' ' || o.aggregateid)::text, o.payload - '{actor,reason}'::text[]
		FROM fleet.outbox o WHERE o.outbox_id > coalesce((SELECT max(s.outbox_id) FROM pg_temp.seen s), 0);
	INSERT INTO pg_temp.seen SELECT max(o.outbox_id) FROM fleet.outbox o;
END $$;
CREATE FUNCTION pg_temp.contracts() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(split_part(type, '.', 2) || ' ' || aggregate || ' ' || (payload ->> 'count'), ', ' ORDER BY place) FROM pg_temp.told() $$;

-- Which statements.
SELECT is(pg_temp.contracts(), NULL, 'what is listed tells nobody');
UPDATE fleet.asset SET model = 'x', serial_number = asset_tag, attributes = '{"a": 1}', country = 'DE', usage_type = 'test';
SELECT is(pg_temp.contracts(), NULL, 'nor does another model, serial number, attribute, country or use');
UPDATE fleet.asset SET status = 'in_service', customer_id = 1, out_of_service = '{}';
SELECT is(pg_temp.contracts(), NULL, 'nor what is as it was');
UPDATE fleet.asset SET status = 'retired', decommissioned_on = '2026-09-15' WHERE asset_id = 20;
SELECT is(pg_temp.contracts(), NULL, 'nor an asset that no contract knows');
UPDATE fleet.asset SET customer_id = 2 WHERE asset_id = 6;
SELECT is(pg_temp.contracts(), NULL, 'nor one whose contract is over');

-- Cover lost, by the asset and by the members of its bundle; a draft that lists it is told without days.
UPDATE fleet.asset SET status = 'retired', decommissioned_on = '2026-09-15' WHERE asset_id = 1;
SELECT results_eq('SELECT * FROM pg_temp.told()', $$VALUES
	(1::bigint, 'asset.status_affects_coverage', 'contract 1', '{"contract_id": 1, "contract_number": "C-1", "account_manager": "Anna",
		"columns": ["status", "decommissioned_on"], "terms": ["T1"], "count": 2, "assets": [
		{"asset_id": 1, "asset_tag": "P-1", "status": "retired", "columns": ["status", "decommissioned_on"], "terms": [
			{"term_id": 11, "term_number": "T1", "lost": [{"first_day": "2026-09-16", "last_day": null}], "gained": []}]},
		{"asset_id": 9, "asset_tag": "P-9", "status": "in_service", "columns": [], "terms": [
			{"term_id": 11, "term_number": "T1", "lost": [{"first_day": "2026-09-16", "last_day": null}], "gained": []}]}]}'::jsonb),
	(2, 'asset.status_affects_coverage', 'contract 2', '{"contract_id": 2, "contract_number": "C-2", "account_manager": null,
		"columns": ["status", "decommissioned_on"], "terms": ["T2"], "count": 1, "assets": [
		{"asset_id": 1, "asset_tag": "P-1", "status": "retired", "columns": ["status", "decommissioned_on"], "terms": [
			{"term_id": 12, "term_number": "T2", "lost": [], "gained": []}]}]}')$$, 'an asset retired');
UPDATE fleet.asset SET status = 'in_service', decommissioned_on = NULL, out_of_service = '{[2026-08-01,2026-08-11),[2026-09-01,2026-09-02)}' WHERE asset_id = 1;
SELECT results_eq($$SELECT payload #> '{columns}', payload #> '{assets,0,terms,0,lost}', payload #> '{assets,0,terms,0,gained}' FROM pg_temp.told() WHERE aggregate = 'contract 1'$$,
	$$VALUES ('["status", "decommissioned_on", "out_of_service"]'::jsonb, '[{"first_day": "2026-08-01", "last_day": "2026-08-10"}, {"first_day": "2026-09-01", "last_day": "2026-09-01"}]'::jsonb,
		'[{"first_day": "2026-09-16", "last_day": null}]'::jsonb)$$, 'days lost and gained');
UPDATE fleet.asset SET commissioned_on = '2026-04-01' WHERE asset_id IN (3, 1);
SELECT results_eq($$SELECT payload #> '{columns}', jsonb_path_query_array(payload, '$.assets[*].asset_id'), payload #> '{assets,1,terms,0,lost}' FROM pg_temp.told() WHERE aggregate = 'contract 1'$$,
	$$VALUES ('["commissioned_on"]'::jsonb, '[1, 3]'::jsonb, '[{"first_day": "2026-03-01", "last_day": "2026-03-31"}]'::jsonb)$$, 'several assets, in order; a member that had no such day is none of them');

-- Cover as it was.
UPDATE fleet.asset SET customer_id = 2, status = 'in_repair' WHERE asset_id = 2;
SELECT results_eq('SELECT * FROM pg_temp.told()', $$VALUES
	(1::bigint, 'asset.status_affects_coverage', 'contract 1', '{"contract_id": 1, "contract_number": "C-1", "account_manager": "Anna",
		"columns": ["status", "customer_id"], "terms": ["T1"], "count": 1, "assets": [
		{"asset_id": 2, "asset_tag": "P-2", "status": "in_repair", "columns": ["status", "customer_id"], "terms": [
			{"term_id": 11, "term_number": "T1", "lost": [], "gained": []}]}]}'::jsonb)$$, 'another customer: no days, but told');
UPDATE fleet.asset SET location = ST_SetSRID(ST_MakePoint(10, 50), 4326) WHERE asset_id IN (2, 4, 19);
SELECT is(pg_temp.contracts(), 'status_affects_coverage contract 1 2', 'another place');
UPDATE fleet.asset SET location = ST_SetSRID(ST_MakePoint(10, 50), 4326) WHERE asset_id IN (2, 4, 19);
SELECT is(pg_temp.contracts(), NULL, 'the same place');
UPDATE fleet.asset SET customer_id = 2 WHERE asset_id IN (7, 9);
SELECT is(pg_temp.contracts(), 'status_affects_coverage contract 1 1, status_affects_coverage contract 5 1', 'assets that are covered by a bundle, or by a rule');
INSERT INTO fleet.asset (asset_id, asset_tag, status) VALUES (4, 'P-4', 'in_repair'), (21, 'P-21', 'in_repair') ON CONFLICT (asset_id) DO UPDATE SET status = excluded.status;
SELECT is(pg_temp.contracts(), 'status_affects_coverage contract 1 1', 'one statement that inserts and updates');
MERGE INTO fleet.asset a USING (VALUES (4, 'P-4'), (22, 'P-22')) AS n (asset_id, asset_tag) ON a.asset_id = n.asset_id
	WHEN MATCHED THEN UPDATE SET status = 'retired', decommissioned_on = '2026-07-01' WHEN NOT MATCHED THEN INSERT (asset_id, asset_tag) VALUES (n.asset_id, n.asset_tag);
SELECT is((SELECT payload #>> '{assets,0,terms,0,lost,0,first_day}' FROM pg_temp.told()), '2026-07-02', 'or merges: the days that it takes');
UPDATE fleet.coverage_term SET covers_bundles = false WHERE term_id = 11;
UPDATE fleet.coverage_term SET covers_bundles = true WHERE term_id = 11;
DELETE FROM fleet.inclusion WHERE asset_id = 4;
SELECT is(pg_temp.contracts(), NULL, 'terms and lists are not the register');

-- Decommissioning that is still to come.
UPDATE fleet.asset SET decommissioned_on = cec.today('fleet') WHERE asset_id = 3;
SELECT is(pg_temp.contracts(), 'status_affects_coverage contract 1 1', 'today is not planned');
UPDATE fleet.asset SET decommissioned_on = cec.today('fleet') + asset_id::integer WHERE asset_id IN (3, 5, 18);
SELECT results_eq($$SELECT type, aggregate, payload - 'contract_id' - 'contract_number' - 'account_manager' FROM pg_temp.told() WHERE type LIKE '%planned'$$,
	$$SELECT 'asset.decommissioning_planned', 'contract 1', format('{"count": 2, "assets": [{"asset_id": 3, "asset_tag": "P-3", "status": "in_service", "decommissioned_on": "%s", "before": "%s"},
			{"asset_id": 5, "asset_tag": "P-5", "status": "in_service", "decommissioned_on": "%s", "before": null}]}', d + 3, d, d + 5)::jsonb FROM cec.today('fleet') AS d
	UNION ALL SELECT 'asset.decommissioning_planned', 'portfolio fleet', format('{"count": 1, "assets": [{"asset_id": 18, "asset_tag": "P-18", "status": "in_service", "decommissioned_on": "%s", "before": null}]}', d + 18)::jsonb FROM cec.today('fleet') AS d$$,
	'it becomes a day to come, or moves to one; assets of no contract together');
UPDATE fleet.asset SET decommissioned_on = cec.today('fleet') + 4 WHERE asset_id = 3;
SELECT is(pg_temp.contracts(), 'status_affects_coverage contract 1 1, decommissioning_planned contract 1 1', 'it moves, after what it does to cover');
UPDATE fleet.asset SET customer_id = 2 WHERE asset_id IN (3, 18);
SELECT is(pg_temp.contracts(), 'status_affects_coverage contract 1 1', 'it stays');
UPDATE fleet.asset SET decommissioned_on = NULL WHERE asset_id IN (3, 18);
SELECT is(pg_temp.contracts(), 'status_affects_coverage contract 1 1', 'it is given up');
-- An asset may come with it: nothing else of it has changed, whatever covers it at once.
BEGIN;
UPDATE fleet.coverage_rule SET condition = 'asset_tag IN (''P-7'', ''P-77'')';
SELECT pg_temp.contracts() \g /dev/null
INSERT INTO fleet.asset (asset_id, asset_tag, decommissioned_on) VALUES (76, 'P-76', cec.today('fleet') + 1), (77, 'P-77', cec.today('fleet') + 2), (78, 'P-78', cec.today('fleet')), (79, 'P-79', NULL);
SELECT results_eq($$SELECT type, aggregate, payload - 'contract_id' - 'contract_number' - 'account_manager' FROM pg_temp.told()$$,
	$$SELECT 'asset.decommissioning_planned', a, format('{"count": 1, "assets": [{"asset_id": %1$s, "asset_tag": "P-%1$s", "status": "in_service", "decommissioned_on": "%2$s", "before": null}]}', n, cec.today('fleet') + n - 75)::jsonb
		FROM (VALUES ('contract 5', 77), ('portfolio fleet', 76)) AS e(a, n)$$, 'or the asset comes with it: the contract that covers it by a rule is told');
ROLLBACK;

-- Who, why, and when it counts.
SET cec.actor = 'Anna "A"';
SET cec.reason = 'sold';
BEGIN;
SAVEPOINT one;
UPDATE fleet.asset SET customer_id = 1 WHERE asset_id = 3;
ROLLBACK TO one;
SELECT is((SELECT count(*) FROM fleet.outbox o WHERE o.outbox_id > (SELECT max(outbox_id) FROM pg_temp.seen)), 0::bigint, 'what is undone leaves none');
UPDATE fleet.asset SET customer_id = NULL WHERE asset_id = 3;
SELECT results_eq($$SELECT o.payload ->> 'actor', o.payload ->> 'reason', o.xid FROM fleet.outbox o ORDER BY outbox_id DESC LIMIT 1$$,
	$$SELECT l.actor::text, l.reason::text, l.xid FROM fleet.audit_log l ORDER BY audit_id DESC LIMIT 1$$, 'who, why, and the transaction: as in the log');
COMMIT;
RESET cec.actor;
RESET cec.reason;
SELECT is(pg_temp.contracts(), 'status_affects_coverage contract 1 1', 'it is there with what it tells of');
SET ROLE alert_registry;
UPDATE fleet.asset SET customer_id = 1 WHERE asset_id = 3;
SELECT throws_ok('SELECT * FROM fleet.outbox', '42501', NULL, 'whoever writes the register need not read what it tells');
SET ROLE alert_analyst;
SELECT throws_ok('SELECT * FROM fleet.outbox', '42501', NULL, 'nor does whoever reads it');
SET ROLE alert_billing;
SELECT throws_ok($$INSERT INTO fleet.outbox (aggregatetype, aggregateid, type, payload) VALUES ('contract', '1', 'x', '{}')$$, '42501', NULL, 'whoever reads events writes none');
SELECT is((SELECT payload ->> 'actor' FROM fleet.outbox ORDER BY outbox_id DESC LIMIT 1), 'postgres', 'the session user, whatever the role');
RESET ROLE;
SELECT is(pg_temp.contracts(), 'status_affects_coverage contract 1 1', 'but what is told is');

-- Transactions that are prepared; notifications refuse them, so there are none unless asked for.
BEGIN;
UPDATE fleet.asset SET customer_id = NULL WHERE asset_id = 3;
PREPARE TRANSACTION 'alert';
COMMIT PREPARED 'alert';
SELECT is(pg_temp.contracts(), 'status_affects_coverage contract 1 1', 'a transaction that is prepared');
UPDATE fleet.setting SET notify = true;
BEGIN;
UPDATE fleet.asset SET customer_id = 1 WHERE asset_id = 3;
\set ON_ERROR_STOP 0
\set VERBOSITY sqlstate
PREPARE TRANSACTION 'alert';
\set refused :SQLSTATE
\set ON_ERROR_STOP 1
\set VERBOSITY default
SELECT is(:'refused'::text, '0A000', 'with notifications the server prepares none');
UPDATE fleet.setting SET notify = false;

-- A flood: so many events as contracts, so much of each.
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) SELECT n, 'F-' || n, 1, 'active', '[2026-01-01,)' FROM generate_series(101, 103) AS n;
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) SELECT 1000 * c + n, c, 'T' || n, '[2026-01-01,)' FROM generate_series(101, 103) AS c, generate_series(1, 150) AS n;
INSERT INTO fleet.asset (asset_id, asset_tag) SELECT 1000000 + n, repeat('F', 150) || n FROM generate_series(1, 20000) AS n;
INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 1000 * (101 + n % 3) + 1 + n % 150, 1000000 + n, '[2026-01-01,)' FROM generate_series(1, 20000) AS n;
INSERT INTO fleet.inclusion (term_id, asset_id, during) SELECT 101000 + n, 1000003, '[2026-01-01,)' FROM generate_series(1, 150) AS n WHERE n <> 4;
UPDATE fleet.asset SET status = 'retired', decommissioned_on = '2026-09-15' WHERE asset_id > 1000000;
SELECT results_eq($$SELECT aggregateid COLLATE "default", (payload ->> 'count')::integer, jsonb_array_length(payload -> 'assets'), jsonb_array_length(payload -> 'terms'), length(payload::text) < 100000
	FROM fleet.outbox WHERE outbox_id > (SELECT max(outbox_id) FROM pg_temp.seen) ORDER BY outbox_id$$,
	$$VALUES ('101', 6666, 100, 100, true), ('102', 6667, 100, 50, true), ('103', 6667, 100, 50, true)$$, 'twenty thousand assets: three events');
SELECT results_eq($$SELECT jsonb_array_length(payload #> '{assets,0,terms}'), payload #>> '{assets,0,more_terms}', payload #>> '{assets,1,more_terms}' FROM pg_temp.told() WHERE aggregate = 'contract 101'$$,
	$$VALUES (10, '140', NULL)$$, 'of an asset ten terms, the rest is counted');
UPDATE fleet.asset SET status = 'in_service', decommissioned_on = NULL,
	out_of_service = (SELECT range_agg(daterange('2027-01-01'::date + 3 * n, '2027-01-02'::date + 3 * n)) FROM generate_series(1, 1000) AS n) WHERE asset_id = 1000001;
SELECT results_eq($$SELECT aggregate, jsonb_array_length(payload #> '{assets,0,terms,0,gained}'), payload #>> '{assets,0,terms,0,more_gained}', payload #>> '{assets,0,terms,0,more_lost}' FROM pg_temp.told()$$,
	$$VALUES ('contract 102', 10, '991', NULL)$$, 'of a term ten stretches of days, the rest is counted');
UPDATE fleet.asset SET decommissioned_on = '9999-12-31' WHERE asset_id > 1000000 AND asset_id <= 1015000;
SELECT is((SELECT count(*) || ' events, ' || max(length(payload::text)) / 100000 FROM pg_temp.told()), '6 events, 0', 'and so of what is planned');

-- Afterwards all is as it is to be.
SELECT is_empty('SELECT * FROM fleet.verify_coverage()', 'cover is as defined');
SELECT is_empty('SELECT * FROM fleet.verify_history()', 'and so is its history');
SELECT finish();
