-- What a session remembers of portfolios is right after they were dropped, made again, renamed, changed, and beside others.
SELECT plan(34);
SET client_min_messages = warning;
CREATE FUNCTION make(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM cec.create_portfolio(name);
	EXECUTE format($f$INSERT INTO %1$I.customer (name) VALUES ('%1$s');
		INSERT INTO %1$I.contract (number, customer_id, status, during) VALUES ('C-%1$s', 1, 'active', '[2026-01-01,2027-01-01)');
		INSERT INTO %1$I.coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2027-01-01)');
		INSERT INTO %1$I.asset (asset_tag) VALUES ('only in %1$s'), ('PUMP-1'), ('PUMP-2');
		INSERT INTO %1$I.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-1', '[2026-01-01,2026-07-01)')$f$, name);
END $$;
-- Which portfolio wrote how many log entries.
CREATE FUNCTION logged(name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint; BEGIN EXECUTE format('SELECT count(*) FROM %I.audit_log', name) INTO n; RETURN n; END $$;

SELECT make('fleet');
SELECT make('depot');
SELECT is(logged('fleet'), 8::bigint, 'fleet has its log');
SELECT is(logged('depot'), 8::bigint, 'depot has its own');
UPDATE fleet.asset SET category = 'f';
UPDATE depot.asset SET category = 'd' WHERE asset_id = 1;
UPDATE fleet.asset SET category = 'g' WHERE asset_id = 1;
SELECT is(logged('fleet'), 12::bigint, 'changes in turns go to fleet''s log');
SELECT is(logged('depot'), 9::bigint, 'and to depot''s');
SELECT throws_ok($$INSERT INTO depot.inclusion (term_id, listed_as, during) VALUES (1, 'only in fleet', '[2026-01-01,)')$$, '23503', NULL, 'an asset of another portfolio is unknown');
SELECT is((SELECT asset_tag FROM depot.find_asset('only in depot')), 'only in depot', 'find_asset looks in its own portfolio');
SELECT throws_ok($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-1', '[2026-06-30,2026-08-01)')$$, '23P01',
	'asset "PUMP-1" is already listed on this term for some of these days', 'fleet knows its lines');

-- Dropped and made again under its name.
SELECT cec.drop_portfolio('fleet', 'fleet');
SELECT make('fleet');
SELECT is(logged('fleet'), 8::bigint, 'a portfolio made again begins anew');
SELECT lives_ok($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-2', '[2026-06-30,2026-08-01)')$$, 'and lists');
SELECT throws_ok($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-1', '[2026-06-30,2026-08-01)')$$, '23P01', NULL, 'and validates');
SELECT is((SELECT asset_tag FROM fleet.find_asset('only in fleet')), 'only in fleet', 'and finds');

-- The two change names.
SELECT cec.rename_portfolio('fleet', 'swap');
SELECT cec.rename_portfolio('depot', 'fleet');
SELECT cec.rename_portfolio('swap', 'depot');
SELECT is((SELECT asset_tag FROM fleet.find_asset('only in depot')), 'only in depot', 'functions follow their portfolio');
UPDATE fleet.asset SET category = 'after' WHERE asset_id = 1;
SELECT is(logged('fleet'), 10::bigint, 'triggers write the log of their own portfolio');
SELECT is(logged('depot'), 9::bigint, 'and of no other');
SELECT throws_ok($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'only in fleet', '[2026-01-01,)')$$, '23503', NULL, 'identifiers are looked up there');
SELECT lives_ok($$SELECT depot.include_asset(1, 'only in fleet')$$, 'include_asset too');

-- A change of table that is rolled back; a portfolio that is rolled back.
BEGIN;
ALTER TABLE fleet.customer ADD colour text;
INSERT INTO fleet.customer (name, colour) VALUES ('blue', 'blue');
ROLLBACK;
INSERT INTO fleet.customer (name) VALUES ('plain');
SELECT is((SELECT new_row - 'customer_id' FROM fleet.audit_entry ORDER BY audit_id DESC LIMIT 1), '{"name": "plain", "parent_id": null, "external_ref": null}', 'columns of a rolled back change are forgotten');
BEGIN;
SELECT make('brief');
ROLLBACK;
SELECT make('brief');
SELECT is(logged('brief'), 8::bigint, 'a portfolio that was rolled back and made again');

-- The log moved aside and made anew: nothing is written to where it was.
ALTER TABLE brief.audit_log RENAME TO audit_log_2026;
SELECT throws_ok($$INSERT INTO brief.customer (name) VALUES ('unrecorded')$$, '55000', NULL, 'without a log nothing is changed');
ALTER TABLE brief.audit_log_2026 RENAME TO audit_log;
SELECT lives_ok($$INSERT INTO brief.customer (name) VALUES ('recorded')$$, 'with it, it is');
-- A log that lost a column is refused, and its neighbour's is not mistaken for it.
ALTER TABLE brief.audit_log RENAME salt TO pepper;
INSERT INTO depot.customer (name) VALUES ('before');
DO $$ BEGIN INSERT INTO brief.customer (name) VALUES ('x'); EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL; END $$;
SELECT lives_ok($$INSERT INTO depot.customer (name) VALUES ('neighbour')$$, 'a damaged log does no harm to another one');
SELECT is_empty($$SELECT audit_id FROM depot.audit_log WHERE salt IS NULL OR row_image IS NULL$$, 'whose entries are whole');

-- Indexes, columns and sequences that were looked up once are looked up again when they are other ones.
SELECT make('yard');
UPDATE yard.inclusion SET during = '[2026-01-01,2026-06-01)';
DROP INDEX yard.coverage_asset_id_idx;
SELECT throws_ok($$INSERT INTO yard.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-2', '[2026-01-01,2026-07-01)')$$, '55000', NULL, 'an index is gone');
CREATE INDEX ON yard.coverage (asset_id);
ALTER TABLE yard.coverage ALTER coverage_id DROP IDENTITY;
ALTER TABLE yard.coverage ALTER coverage_id ADD GENERATED BY DEFAULT AS IDENTITY (START 1000);
ALTER TABLE yard.coverage_term DROP COLUMN covers_bundles CASCADE; -- with the view of terms
ALTER TABLE yard.coverage_term ADD COLUMN covers_bundles boolean NOT NULL DEFAULT true;
SELECT lives_ok($$INSERT INTO yard.inclusion (term_id, listed_as, during) VALUES (1, 'PUMP-2', '[2026-01-01,2026-07-01)')$$, 'and there again');
SELECT is((SELECT max(coverage_id) FROM yard.coverage), 1000::bigint, 'rows are numbered by another sequence');
SELECT is_empty($$SELECT * FROM yard.verify_coverage()$$, 'a column stands elsewhere');

-- Today, in a portfolio whose time zone changes and is taken back: in these two it is never the same day.
SELECT make('dawn');
UPDATE dawn.contract SET during = '(,)';
UPDATE dawn.coverage_term SET during = '(,)';
UPDATE dawn.setting SET time_zone = 'Etc/GMT-14';
INSERT INTO dawn.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'late', 'include', 'model = ''late''', '(,)');
CREATE FUNCTION decided_today(tag text, zone text) RETURNS boolean LANGUAGE sql
AS $$ SELECT lower(e.during) = (clock_timestamp() AT TIME ZONE zone)::date FROM dawn.rule_effect e JOIN dawn.asset USING (asset_id) WHERE asset_tag = tag $$;
INSERT INTO dawn.asset (asset_tag, model) VALUES ('LATE-1', 'late');
SELECT ok(decided_today('LATE-1', 'Etc/GMT-14'), 'a rule decides from today on, in the portfolio''s time zone');
BEGIN;
SAVEPOINT before;
UPDATE dawn.setting SET time_zone = 'Etc/GMT+12';
INSERT INTO dawn.asset (asset_tag, model) VALUES ('LATE-2', 'late');
SELECT ok(decided_today('LATE-2', 'Etc/GMT+12'), 'in another one as soon as the setting says so');
ROLLBACK TO before;
INSERT INTO dawn.asset (asset_tag, model) VALUES ('LATE-3', 'late');
SELECT ok(decided_today('LATE-3', 'Etc/GMT-14'), 'and in the one of before where that was taken back');
COMMIT;
-- Read while the setting changes, before our trigger hears of it, which it never does.
CREATE FUNCTION fail_late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO dawn.asset (asset_tag, model) VALUES ('EARLY-1', 'late');
	RAISE no_data_found USING MESSAGE = decided_today('EARLY-1', 'Etc/GMT+12');
END $$;
CREATE TRIGGER fail_late AFTER UPDATE ON dawn.setting FOR EACH ROW EXECUTE FUNCTION fail_late();
SELECT throws_ok($$UPDATE dawn.setting SET time_zone = 'Etc/GMT+12'$$, 'P0002', 't', 'in the other one while it changes');
INSERT INTO dawn.asset (asset_tag, model) VALUES ('EARLY-2', 'late');
SELECT ok(decided_today('EARLY-2', 'Etc/GMT-14'), 'and as before where that fails');
DROP TRIGGER fail_late ON dawn.setting;

-- Rows below SQL get their entries in whatever indexes the owner has added.
CREATE UNIQUE INDEX by_expression ON dawn.coverage ((asset_id + 1), term_id, during);
CREATE INDEX by_half ON dawn.coverage (asset_id) WHERE term_id > 0;
CREATE INDEX by_asset ON dawn.audit_log (operation) WHERE asset_id IS NOT NULL;
INSERT INTO dawn.asset (asset_tag, model) VALUES ('LATE-4', 'late'), ('LATE-5', 'late');
INSERT INTO dawn.customer (name) VALUES ('no asset');
DROP INDEX dawn.audit_log_asset_id_idx;
SET enable_seqscan = off;
SELECT is((SELECT count(*) FROM dawn.coverage c JOIN dawn.asset a ON c.asset_id + 1 = a.asset_id + 1 WHERE a.asset_tag ~ 'LATE' AND c.asset_id + 1 > 0), 4::bigint, 'one over an expression');
SELECT is((SELECT count(*) FROM dawn.coverage c WHERE c.asset_id IN (SELECT asset_id FROM dawn.asset WHERE asset_tag ~ 'LATE') AND c.term_id > 0), 4::bigint, 'one of some rows');
SELECT is((SELECT count(*) FROM dawn.audit_log WHERE asset_id IS NOT NULL AND operation = 'INSERT'), (SELECT count(asset_id) FROM (SELECT asset_id FROM dawn.audit_log WHERE operation || '' = 'INSERT' OFFSET 0) AS l), 'one of the rows that have an asset');
RESET enable_seqscan;
SELECT * FROM finish();
