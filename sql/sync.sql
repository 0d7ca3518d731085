-- The registry connector: what becomes of rows that a source stages.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SET ROLE regress_registry;
INSERT INTO fleet.asset_source (source) VALUES ('erp');
INSERT INTO fleet.asset_source (source, owned_columns, null_means, makes_customers) VALUES ('cmms', '{status,decommissioned_on,customer_id,model}', 'clear', false);
SELECT test.refused($$INSERT INTO fleet.asset_source (source) VALUES ('erp')$$);
SELECT test.refused($$INSERT INTO fleet.asset_source (source) VALUES (repeat('x', 29))$$);
SELECT test.refused($$INSERT INTO fleet.asset_source (source, owned_columns) VALUES ('x', '{status,asset_tag}')$$);
SELECT test.refused($$INSERT INTO fleet.asset_source (source, null_means) VALUES ('x', 'cleared')$$);
SELECT test.refused($$INSERT INTO fleet.asset_source (source, stale_after) VALUES ('x', '-1 day')$$);

-- Days are shown from today: 0 is today. Whoever shows them is where it is noon.
RESET ROLE;
UPDATE fleet.setting SET time_zone = 'Etc/GMT' || to_char(extract(hour FROM now() AT TIME ZONE 'UTC') - 12, 'FMSG99');
CREATE VIEW test.registered AS
SELECT a.asset_tag, a.serial_number AS serial, a.model, a.status, c.external_ref AS customer, a.decommissioned_on - cec.today('fleet') AS last_day, s.asset_tag AS successor, a.source,
	(SELECT string_agg(format('%s %s%s', i.scheme, i.value, CASE WHEN upper(i.during) <= cec.today('fleet') THEN ' (ended)' END), ', ' ORDER BY i.scheme, i.value) FROM fleet.asset_identifier i WHERE i.asset_id = a.asset_id) AS identifiers
FROM fleet.asset a LEFT JOIN fleet.customer c USING (customer_id) LEFT JOIN fleet.asset s ON s.asset_id = a.successor_id;
GRANT SELECT ON test.registered TO PUBLIC;
\set show 'SELECT * FROM test.registered ORDER BY 1;'
\set preview 'SELECT asset_tag, asset_id, outcome, columns, message FROM fleet.sync_preview(''erp'', ''snapshot'', 1);'
\set sync 'SELECT * FROM fleet.sync_assets(''erp'', ''snapshot'', max_retire_fraction => 1) WHERE assets > 0;'
\set sync_delta 'SELECT * FROM fleet.sync_assets(''erp'', ''delta'') WHERE assets > 0;'
SET ROLE regress_registry;

-- New ones; a customer is made from its ref. What is refused is kept, and the rest goes on.
INSERT INTO fleet.asset_staging (source, asset_tag, serial_number, manufacturer, model, customer_ref, longitude, latitude, identifiers, source_ids) VALUES
	('erp', 'P-1', 'S1', 'Alpha', 'M1', 'C-1', 11.5, 48.1, '{"eic": ["E1"]}', '{r1,r2}'), ('erp', 'P-2', 'S2', 'Alpha', 'M1', 'C-1', NULL, NULL, '{"eic": ["E2"], "mac": "00:01"}', '{r3}'),
	('erp', 'P-3', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{r4,r5}'), ('erp', 'P-4', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('erp', 'P-5', 'S2', 'Alpha', 'M1', NULL, NULL, NULL, NULL, NULL), ('erp', 'P-6', NULL, NULL, NULL, NULL, 190, 0, '{"eic": ["E1"]}', NULL),
	('erp', 'P-7', NULL, NULL, NULL, NULL, NULL, NULL, '{"eic": ["E1", "E7"]}', NULL), ('erp', 'P-8', NULL, NULL, NULL, NULL, NULL, NULL, '"E8"', NULL),
	('erp', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
:preview
SELECT * FROM fleet.sync_assets('erp', 'snapshot', true) WHERE assets > 0;
:sync
:show
SELECT asset_tag, sqlstate, constraint_name, message, staged ->> 'source' AS source FROM fleet.sync_reject ORDER BY sync_reject_id;
SELECT count(*) FROM fleet.asset_staging;

-- The next one: P-1 has another tag, P-2 is P-3 now, P-4 is gone; of two rows of a tag the newer one counts.
INSERT INTO fleet.asset_staging (source, asset_tag, model, serial_number, manufacturer, source_ids, source_updated_at) VALUES
	('erp', 'P-1/A', NULL, NULL, NULL, '{r1,r2}', NULL), ('erp', 'P-3', 'M3', NULL, NULL, '{r3,r4,r5}', '2026-01-02'), ('erp', 'P-3', 'M0', NULL, NULL, NULL, '2026-01-01'),
	('erp', 'P-7', NULL, NULL, NULL, NULL, NULL);
:preview
:sync
:show
SELECT f.kind, f.severity, a.asset_tag, f.message FROM fleet.finding f JOIN fleet.asset a USING (asset_id) WHERE f.closed_at IS NULL AND f.kind IN ('merged_in_register', 'reappeared') ORDER BY 1, 3;

-- P-2 comes back, and P-4; P-3 is what it was a day before. Another serial number is another asset.
INSERT INTO fleet.asset_staging (source, asset_tag, serial_number, source_ids, model, source_updated_at) VALUES ('erp', 'P-2', 'S2', '{r9}', NULL, NULL), ('erp', 'P-4', NULL, NULL, NULL, NULL),
	('erp', 'P-3', NULL, NULL, 'M0', '2026-01-01'), ('erp', 'P-1/A', 'S9', NULL, NULL, NULL), ('erp', 'P-7', NULL, NULL, NULL, NULL);
:preview
:sync
:show
SELECT f.kind, a.asset_tag, f.closed_at IS NULL AS is_open, f.message FROM fleet.finding f JOIN fleet.asset a USING (asset_id) WHERE f.kind IN ('merged_in_register', 'reappeared') ORDER BY 1, 2;

-- What changed alone: an asset that had no source, one that is another source's, one that is deleted, one that nobody knows.
INSERT INTO fleet.asset (asset_tag, model, manufacturer) VALUES ('Q-1', 'M9', 'Omega');
INSERT INTO fleet.asset_staging (source, asset_tag, customer_ref, is_deleted) VALUES ('cmms', 'Q-1', NULL, NULL), ('cmms', 'P-7', NULL, NULL), ('cmms', 'Q-2', 'C-9', NULL), ('cmms', 'Q-3', 'C-1', NULL),
	('cmms', 'Q-4', NULL, true);
SELECT * FROM fleet.sync_assets('cmms', 'delta') WHERE assets > 0;
SELECT asset_tag, sqlstate, constraint_name, message FROM fleet.sync_reject WHERE sync_run_id = (SELECT max(sync_run_id) FROM fleet.sync_run) ORDER BY 1;
SELECT asset_tag, manufacturer, model, source FROM fleet.asset WHERE asset_tag LIKE 'Q%' ORDER BY 1;
INSERT INTO fleet.asset_staging (source, asset_tag, is_deleted) VALUES ('cmms', 'Q-1', true), ('cmms', 'Q-3', false);
SELECT asset_tag, outcome, columns, message FROM fleet.sync_preview('cmms', 'delta');
SELECT * FROM fleet.sync_assets('cmms', 'delta') WHERE assets > 0;
SELECT asset_tag, status FROM fleet.asset WHERE asset_tag LIKE 'Q%' ORDER BY 1;

-- What only writing shows: a unique index of the owner's.
RESET ROLE;
CREATE UNIQUE INDEX asset_one_of_a_category ON fleet.asset (category);
SET ROLE regress_registry;
INSERT INTO fleet.asset_staging (source, asset_tag, category) SELECT 'erp', 'U-' || n, CASE WHEN n IN (2, 5) THEN 'twin' ELSE 'c' || n END FROM generate_series(1, 9) AS n;
SELECT * FROM fleet.sync_assets('erp', 'delta') WHERE assets > 0;
SELECT asset_tag, sqlstate, constraint_name, message FROM fleet.sync_reject WHERE sync_run_id = (SELECT max(sync_run_id) FROM fleet.sync_run) ORDER BY 1;
SELECT sync_run_id, source, mode, staged, inserted, updated, unchanged, adopted, retagged, merged, retired, reappeared, superseded, outdated, rejected FROM fleet.sync_run ORDER BY 1;

-- Refused.
INSERT INTO fleet.asset_staging (source, asset_tag) VALUES ('erp', 'U-1'), ('nobody', 'X');
SELECT test.refused($$SELECT * FROM fleet.sync_assets('erp', 'snapshot')$$);
SELECT test.refused($$SELECT * FROM fleet.sync_assets('erp', 'snapshot', true)$$);
SELECT test.refused($$SELECT * FROM fleet.sync_preview('erp', 'snapshot', 0.5)$$);
SELECT test.refused($$SELECT * FROM fleet.sync_assets('erp', 'delta', expected_rows => 2)$$);
SELECT test.refused($$SELECT * FROM fleet.sync_assets('nobody', 'delta')$$);
SELECT test.refused($$SELECT * FROM fleet.sync_assets('erp', 'full')$$);
SELECT test.refused($$SELECT * FROM fleet.sync_assets('erp', 'delta', max_retire_fraction => 2)$$);
SELECT test.refused($$SELECT * FROM fleet.sync_assets(NULL, 'delta')$$);
SELECT test.refused($$UPDATE fleet.sync_run SET error = 'x'$$);
\set SHOW_CONTEXT never
CALL cec.sync_assets_batched('nowhere', 'erp', 'delta');
SELECT test.refused($$CALL cec.sync_assets_batched('fleet', 'erp', 'delta', batch_rows => 0)$$);
CALL cec.sync_assets_batched('fleet', 'erp', 'delta', expected_rows => 7);

-- In batches: each is committed, and the last one has what is left. Nothing of the caller's path is looked up.
INSERT INTO fleet.asset_staging (source, asset_tag) SELECT 'erp', 'V-' || n FROM generate_series(1, 7) AS n;
CALL cec.sync_assets_batched('fleet', 'erp', 'delta', batch_rows => 3);
SELECT sync_run_id, mode, batch_no, staged, inserted, unchanged, rejected, error FROM fleet.sync_run WHERE batch_no > 0 ORDER BY 1;
SELECT count(*), max(asset_tag) FROM fleet.asset WHERE asset_tag LIKE 'V%';
SELECT source, count(*) FROM fleet.asset_staging GROUP BY 1;
BEGIN;
CALL cec.sync_assets_batched('fleet', 'erp', 'delta');
ROLLBACK;
-- A plan that is larger than memory allows leaves no file behind: nothing warns.
SET work_mem = '64kB';
INSERT INTO fleet.asset_staging (source, asset_tag, model) SELECT 'erp', 'W-' || n, repeat('w', 100) FROM generate_series(1, 2000) AS n;
CALL cec.sync_assets_batched('fleet', 'erp', 'delta', batch_rows => 1500);
INSERT INTO fleet.asset_staging (source, asset_tag, model) SELECT 'erp', 'W-' || n, repeat('v', 100) FROM generate_series(1, 2000) AS n;
:sync_delta
RESET work_mem;
RESET ROLE;
SET ROLE regress_manager;
SELECT test.refused($$SELECT * FROM fleet.sync_assets('erp', 'delta')$$);
CALL cec.sync_assets_batched('fleet', 'erp', 'delta');
SELECT test.refused($$SELECT * FROM cec.sync_assets('fleet', 'erp', 'delta', false, 0.1, NULL)$$);
SELECT test.refused($$SELECT * FROM fleet.asset_staging$$);
RESET ROLE;

-- Of what is deleted nothing else is taken, whatever tag the row has: another one, or that of another asset.
SET ROLE regress_registry;
INSERT INTO fleet.asset_source (source) VALUES ('mdm');
INSERT INTO fleet.asset_staging (source, asset_tag, source_key) VALUES ('mdm', 'D-1', 'k1'), ('mdm', 'D-2', 'k2'), ('mdm', 'D-3', 'k3');
SELECT * FROM fleet.sync_assets('mdm', 'delta') WHERE assets > 0;
INSERT INTO fleet.asset_staging (source, asset_tag, source_key, is_deleted) VALUES ('mdm', 'D-9', 'k1', true), ('mdm', 'D-3', 'k2', true);
SELECT asset_tag, outcome, columns, message FROM fleet.sync_preview('mdm', 'delta');
SELECT * FROM fleet.sync_assets('mdm', 'delta') WHERE assets > 0;
SELECT asset_tag, status, identifiers FROM test.registered WHERE asset_tag LIKE 'D-%' ORDER BY 1;
-- Several rows of one key. Without a tag they are of the one that others give it, or that the asset has; with another one's tag they are that one.
-- What was synced once changes nothing the second time.
PREPARE several AS INSERT INTO fleet.asset_staging (source, asset_tag, source_key, model, source_updated_at) VALUES
	('mdm', 'K-1', 'k10', 'a', '2026-01-01'), ('mdm', 'K-2', 'k10', 'b', '2026-01-02'), ('mdm', 'K-3', 'k30', 'a', '2026-01-01'), ('mdm', NULL, 'k30', 'b', '2026-01-02'),
	('mdm', NULL, 'k99', 'c', NULL);
PREPARE planned AS SELECT asset_tag, outcome, columns, message FROM fleet.sync_preview('mdm', 'delta');
EXECUTE several;
EXECUTE planned;
SELECT * FROM fleet.sync_assets('mdm', 'delta') WHERE assets > 0;
EXECUTE several;
EXECUTE planned;
SELECT * FROM fleet.sync_assets('mdm', 'delta') WHERE assets > 0;
-- The newest says what an asset is called that is known by its key.
PREPARE renamed AS INSERT INTO fleet.asset_staging (source, asset_tag, source_key, model, source_updated_at) VALUES
	('mdm', 'K-4', 'k30', 'a', '2026-02-01'), ('mdm', 'K-5', 'k30', 'b', '2026-02-02'), ('mdm', NULL, 'k30', 'c', '2026-02-03'), ('mdm', NULL, 'k10', 'd', '2026-02-01'),
	('mdm', NULL, 'k10', 'e', '2026-02-02');
EXECUTE renamed;
EXECUTE planned;
SELECT * FROM fleet.sync_assets('mdm', 'delta') WHERE assets > 0;
EXECUTE renamed;
EXECUTE planned;
SELECT * FROM fleet.sync_assets('mdm', 'delta') WHERE assets > 0;
SELECT asset_tag, model, identifiers FROM test.registered WHERE asset_tag LIKE 'K-%' ORDER BY 1;
RESET ROLE;
SELECT count(*) FROM fleet.verify_coverage();
SELECT count(*) FROM fleet.verify_replay();
\set include :source/sql/include/end.sql
\i :include
