-- Findings about sources of the register: those that fall silent, and assets in which a sync has replaced what somebody had changed by hand.
SELECT no_plan();
SET client_min_messages = warning;
CREATE ROLE regress_owner;
CREATE ROLE regress_registry;
GRANT CREATE ON DATABASE :"DBNAME" TO regress_owner;
SELECT cec.create_portfolio('fleet', 'regress_owner') \g /dev/null
SELECT cec.grant_access('fleet', 'regress_registry', 'registry') \g /dev/null
GRANT USAGE ON SCHEMA public TO PUBLIC;
SET search_path = fleet, public;
CREATE VIEW pg_temp.told AS SELECT coalesce(string_agg(concat_ws(' ', f.kind, f.severity, a.asset_tag, nullif(f.subject, ''), f.detail ->> 'columns', f.first_day - cec.today('fleet')), '; ' ORDER BY f.kind, a.asset_tag, f.subject), '') AS findings
FROM finding f LEFT JOIN asset a USING (asset_id) WHERE f.closed_at IS NULL AND f.kind LIKE 'registry%';
CREATE FUNCTION pg_temp.refreshed() RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM fleet.refresh(cec.today('fleet')); RETURN (SELECT findings FROM pg_temp.told); END $$;
CREATE FUNCTION pg_temp.stage(tag text, model text, category text DEFAULT NULL, source text DEFAULT 'erp') RETURNS void LANGUAGE sql AS $$
	INSERT INTO fleet.asset_staging (source, asset_tag, model, category, source_key) VALUES (source, tag, model, category, lower(left(tag, 2))) $$;
CREATE FUNCTION pg_temp.sync(mode text DEFAULT 'snapshot', source text DEFAULT 'erp') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', s.outcome, s.assets), ', ') FROM fleet.sync_assets(source, mode, max_retire_fraction => 1) AS s WHERE s.assets > 0 $$;
GRANT SELECT ON pg_temp.told TO PUBLIC;

-- Silent sources.
INSERT INTO asset_source (source, owned_columns, stale_after) VALUES ('erp', '{model}', NULL), ('cmms', NULL, '100 years'), ('mdm', NULL, '3000 years');
SELECT is(pg_temp.refreshed(), 'registry_stale warning source:cmms; registry_stale warning source:mdm', 'who has never been fed');
SET ROLE regress_registry;
SELECT is(pg_temp.sync('delta', 'cmms'), NULL, 'a run that nothing was staged for');
RESET ROLE;
SELECT is(pg_temp.refreshed(), 'registry_stale warning source:cmms; registry_stale warning source:mdm', 'is no feed');
SET ROLE regress_registry;
SELECT pg_temp.stage('C1', 'M1', source => 'cmms') \g /dev/null
SELECT is(pg_temp.sync('delta', 'cmms'), 'inserted 1', 'a feed');
SELECT is((SELECT findings FROM pg_temp.told), 'registry_stale warning source:mdm', 'is noted at once');
RESET ROLE;
SELECT is(pg_temp.refreshed(), 'registry_stale warning source:mdm', 'and by the next refresh');
UPDATE asset_source SET stale_after = '1 microsecond' WHERE source = 'cmms';
UPDATE asset_source SET stale_after = NULL WHERE source = 'mdm';
SELECT is(pg_temp.refreshed(), 'registry_stale warning source:cmms 0', 'too long ago, since today');
SELECT is((SELECT message FROM finding WHERE closed_at IS NULL AND kind = 'registry_stale'), format('Source cmms was last fed on %s, which is longer ago than it may be.', to_char(cec.today('fleet'), 'YYYY-MM-DD')), 'in words');
SET DateStyle = 'German';
SET TimeZone = 'Asia/Tokyo';
SELECT is((SELECT count(*) FROM finding WHERE kind = 'registry_stale'), 3::bigint, 'so far');
SELECT pg_temp.refreshed() \g /dev/null
SELECT is((SELECT count(*) FROM finding WHERE kind = 'registry_stale'), 3::bigint, 'and nothing else in another session''s words');
RESET DateStyle;
RESET TimeZone;
SET ROLE regress_registry;
SELECT pg_temp.stage('C1', 'M1', source => 'cmms') \g /dev/null
SELECT is(pg_temp.sync('delta', 'cmms'), 'unchanged 1', 'one that changes nothing');
SELECT is((SELECT findings FROM pg_temp.told), '', 'is a feed');
RESET ROLE;
UPDATE asset_source SET stale_after = NULL;

-- By hand. The source owns model alone.
SET ROLE regress_registry;
SELECT pg_temp.stage('P1', 'M1', 'a'), pg_temp.stage('P2', 'M1', 'a'), pg_temp.stage('P3', 'M1', 'a'), pg_temp.stage('P4', 'M1', 'a') \g /dev/null
SELECT is(pg_temp.sync(), 'inserted 4', 'four assets');
RESET ROLE;
UPDATE asset SET model = 'X' WHERE asset_tag = 'P1';
UPDATE asset SET model = 'M2' WHERE asset_tag = 'P2';
UPDATE asset SET category = 'x' WHERE asset_tag = 'P3';
UPDATE asset SET asset_tag = 'P4/B' WHERE asset_tag = 'P4';
SET cec.reason = 'as every night';
SET ROLE regress_registry;
SELECT pg_temp.stage('P1', 'M1', 'a'), pg_temp.stage('P2', 'M2', 'a'), pg_temp.stage('P3', 'M3', 'a'), pg_temp.stage('P4', 'M1', 'a') \g /dev/null
SELECT is(pg_temp.sync(), 'updated 2, unchanged 1, retagged 1', 'what the source has');
SELECT is((SELECT findings FROM pg_temp.told), 'registry_overwrote info P1 ["model"] 0; registry_overwrote info P4 ["asset_tag"] 0', 'replaces what was changed by hand, in what is its own');
SELECT is((SELECT message FROM finding WHERE closed_at IS NULL AND kind LIKE 'registry%' ORDER BY asset_id LIMIT 1), 'Source erp has replaced what somebody had changed of asset P1 by hand: model.', 'in words');
SELECT pg_temp.stage('P1', 'M5', 'a'), pg_temp.stage('P2', 'M5', 'a'), pg_temp.stage('P3', 'M5', 'a'), pg_temp.stage('P4', 'M5', 'a') \g /dev/null
SELECT is(pg_temp.sync(), 'updated 4', 'what it replaces of its own, or has agreed to');
SELECT is((SELECT count(*) FROM finding WHERE kind = 'registry_overwrote'), 2::bigint, 'is nothing to tell');
RESET ROLE;
RESET cec.reason;
-- Of what has changed alone: however long ago it was changed by hand, unless the source came in between. A rule for each column.
UPDATE asset SET model = 'Y' WHERE asset_tag IN ('P1', 'P2', 'P3');
SET ROLE regress_registry;
SELECT pg_temp.stage('P1', 'M6') \g /dev/null
SELECT is(pg_temp.sync('delta'), 'updated 1', 'one');
SELECT pg_temp.stage('P1', 'M7'), pg_temp.stage('P2', 'M7') \g /dev/null
SELECT is(pg_temp.sync('delta'), 'updated 2', 'that one once more, and another one');
SELECT is((SELECT findings FROM pg_temp.told), 'registry_overwrote info P1 ["model"] 0; registry_overwrote info P2 ["model"] 0; registry_overwrote info P4 ["asset_tag"] 0', 'each is told of');
SELECT is((SELECT string_agg(a.asset_tag, ' ' ORDER BY f.finding_id) FROM finding f JOIN asset a USING (asset_id) WHERE f.kind = 'registry_overwrote'), 'P1 P4 P1 P2', 'once for each time');
-- In batches: what an earlier batch has written is not by hand.
SELECT pg_temp.stage('P1', 'M8'), pg_temp.stage('P2', 'M8'), pg_temp.stage('P3', 'M8'), pg_temp.stage('P4', 'M8') \g /dev/null
CALL cec.sync_assets_batched('fleet', 'erp', 'snapshot', 1, batch_rows => 1);
SELECT is((SELECT string_agg(a.asset_tag, ' ' ORDER BY f.finding_id) FROM finding f JOIN asset a USING (asset_id) WHERE f.kind = 'registry_overwrote'), 'P1 P4 P1 P2 P3', 'the one that was changed by hand');
SELECT pg_temp.stage('P1', 'M9'), pg_temp.stage('P2', 'M9'), pg_temp.stage('P3', 'M9'), pg_temp.stage('P4', 'M9') \g /dev/null
SELECT is(pg_temp.sync('delta'), 'updated 4', 'over what batches have written');
SELECT is((SELECT count(*) FROM finding WHERE kind = 'registry_overwrote'), 5::bigint, 'that is nothing to tell');
RESET ROLE;
SELECT is((SELECT count(*) FROM audit_log l WHERE l.table_name = 'asset' AND l.xid IN (SELECT xid FROM sync_run)), 23::bigint, 'the log says which changes a run has made');
SELECT is_empty('SELECT * FROM verify_replay()', 'and all of them');
SELECT * FROM finish();
