-- Whoever gives an asset another tag, the old one stays its identifier.
SELECT no_plan();
SET client_min_messages = warning;
CREATE ROLE regress_owner;
CREATE ROLE regress_clerk;
GRANT CREATE ON DATABASE :"DBNAME" TO regress_owner;
SELECT cec.create_portfolio('fleet', 'regress_owner') \g /dev/null
GRANT USAGE ON SCHEMA fleet, public TO regress_clerk;
GRANT SELECT, UPDATE (asset_tag, model) ON fleet.asset TO regress_clerk;
SET search_path = fleet, public;
INSERT INTO asset (asset_tag) SELECT 'T-' || g FROM generate_series(1, 20000) AS g;
CREATE VIEW pg_temp.former AS SELECT coalesce(string_agg(concat_ws(' ', a.asset_id, i.value, i.during), ', ' ORDER BY a.asset_id, i.value), '') AS tags FROM asset_identifier i JOIN asset a USING (asset_id) WHERE i.scheme = 'former_tag' AND a.asset_id < 100;
-- As many rows of identifiers as were ever tried.
CREATE FUNCTION pg_temp.tried() RETURNS bigint LANGUAGE sql AS $$ SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM fleet.asset_identifier_asset_identifier_id_seq $$;

SET ROLE regress_clerk;
UPDATE asset SET asset_tag = 'N-1' WHERE asset_tag = 'T-1';
RESET ROLE;
SELECT is((SELECT tags FROM pg_temp.former), '1 T-1 (,)', 'of who may write no identifiers, too');
SELECT results_eq($$SELECT asset_id, scheme COLLATE "default" FROM find_asset('T-1', '1999-01-01')$$, $$VALUES (1::bigint, 'former_tag')$$, 'it is found by it, whatever the day');
SELECT is((SELECT string_agg(concat_ws(' ', table_name, operation, session_user_name = session_user), ', ' ORDER BY audit_id) FROM audit_log WHERE asset_id = 1 AND operation || table_name <> 'INSERTasset'), 'asset UPDATE t, asset_identifier INSERT t', 'the log has both, in order');
UPDATE asset SET asset_tag = 'M-1' WHERE asset_tag = 'N-1';
UPDATE asset SET asset_tag = 'T-1' WHERE asset_tag = 'M-1';
UPDATE asset SET asset_tag = 'N-1' WHERE asset_tag = 'T-1';
SELECT is((SELECT tags FROM pg_temp.former), '1 M-1 (,), 1 N-1 (,), 1 T-1 (,)', 'each that it had, once');
UPDATE asset SET asset_tag = 'T-1' WHERE asset_id = 2;
UPDATE asset SET asset_tag = 'X-2' WHERE asset_id = 2;
SELECT is((SELECT tags FROM pg_temp.former), '1 M-1 (,), 1 N-1 (,), 1 T-1 (,), 2 T-2 (,)', 'one that is another asset''s former tag stays that one''s');
INSERT INTO asset_identifier (asset_id, scheme, value, during) VALUES (5, 'former_tag', 'T-3', '(,2020-01-01)');
UPDATE asset SET asset_tag = 'X-3' WHERE asset_id = 3;
SELECT is((SELECT tags FROM pg_temp.former), '1 M-1 (,), 1 N-1 (,), 1 T-1 (,), 2 T-2 (,), 5 T-3 (,2020-01-01)', 'on some days is enough for that');
INSERT INTO asset (asset_id, asset_tag) VALUES (4, 'X-4') ON CONFLICT (asset_id) DO UPDATE SET asset_tag = excluded.asset_tag;
MERGE INTO asset a USING (VALUES (6, 'X-6'), (7, 'T-7')) AS v(asset_id, asset_tag) ON a.asset_id = v.asset_id WHEN MATCHED THEN UPDATE SET asset_tag = v.asset_tag;
SELECT is((SELECT tags FROM pg_temp.former), '1 M-1 (,), 1 N-1 (,), 1 T-1 (,), 2 T-2 (,), 4 T-4 (,), 5 T-3 (,2020-01-01), 6 T-6 (,)', 'by whatever statement');
SELECT pg_temp.tried() AS tried \gset
UPDATE asset SET asset_tag = asset_tag, serial_number = 'S' || asset_id, model = 'M' WHERE asset_id > 100;
DELETE FROM asset WHERE asset_id = 8;
SELECT is(pg_temp.tried(), :tried::bigint, 'without another tag nothing is written');
UPDATE asset SET asset_tag = 'B-' || asset_id WHERE asset_id > 100;
SELECT is((SELECT count(*) FROM asset_identifier i JOIN asset a USING (asset_id) WHERE i.scheme = 'former_tag' AND i.value = 'T-' || asset_id AND a.asset_tag = 'B-' || asset_id), 19900::bigint, 'thousands at once');
SELECT is((SELECT count(DISTINCT at) FROM audit_log WHERE table_name = 'asset_identifier' AND asset_id > 100), 1::bigint, 'by one statement');
SELECT is_empty('SELECT * FROM verify_replay()', 'and the log has it');
SELECT * FROM finish();
