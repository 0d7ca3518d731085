-- A flood: most of a register retired in one statement. All findings that follow from it open in the same transaction, other systems are told
-- in as many events as contracts are concerned, and each event is as small as of a hundred assets.
-- What is read for it grows with what is retired and no faster: nothing is timed here, rows are counted.
--   psql -v assets=100000 -f test/pgtap/finding_flood.sql    (a multiple of 100)
SET client_min_messages = warning;
SET timezone = 'UTC';
\if :{?assets}
\else
	\set assets 20000
\endif
SELECT plan(14);
SELECT cec.create_portfolio('fleet') \g /dev/null
SET search_path = fleet, public, pg_temp;

-- 50 contracts of ten customers, each with a boundary of its own, in which its assets stand. Of a hundred assets ten have a line that begins
-- later, ten are the primary of a member that is on no list, two are served today; half have no day of commissioning.
CREATE FUNCTION pg_temp.today() RETURNS date LANGUAGE sql AS $$ SELECT cec.today('fleet') $$;
INSERT INTO customer (customer_id, name) SELECT g, 'Customer ' || g FROM generate_series(1, 10) AS g;
INSERT INTO contract (contract_id, number, customer_id, status, during, boundary)
	SELECT g, 'C-' || g, 1 + g % 10, 'active', daterange(pg_temp.today() - 300, NULL), ST_Multi(ST_MakeEnvelope(g, 10, g + 1, 20, 4326)) FROM generate_series(1, 50) AS g;
INSERT INTO coverage_term (term_id, contract_id, number, during) SELECT g, g, '1', '(,)' FROM generate_series(1, 50) AS g;
INSERT INTO asset (asset_id, asset_tag, customer_id, location, commissioned_on)
	SELECT g, 'T-' || g, 1 + (1 + g % 50) % 10, ST_Point(1.5 + g % 50, 15, 4326), CASE WHEN g % 100 < 50 THEN pg_temp.today() - 400 END FROM generate_series(1, :assets) AS g;
INSERT INTO asset (asset_id, asset_tag, customer_id, location, commissioned_on)
	SELECT :assets + g, 'M-' || g, 1 + (1 + g % 50) % 10, ST_Point(1.5 + g % 50, 15, 4326), pg_temp.today() - 400 FROM generate_series(1, :assets) AS g WHERE g % 10 = 3;
INSERT INTO bundle (bundle_id, name, primary_asset_id) SELECT g, 'B-' || g, g FROM generate_series(1, :assets) AS g WHERE g % 10 = 3;
INSERT INTO bundle_member (bundle_id, asset_id, during) SELECT g, :assets + g, '(,)' FROM generate_series(1, :assets) AS g WHERE g % 10 = 3;
INSERT INTO inclusion (term_id, asset_id, during)
	SELECT 1 + g % 50, g, daterange(CASE WHEN g % 10 = 7 THEN pg_temp.today() + 10 ELSE pg_temp.today() - 300 END, NULL) FROM generate_series(1, :assets) AS g;
INSERT INTO service_request (asset_id, opened_at) SELECT g, pg_temp.today()::timestamptz FROM generate_series(1, :assets) AS g WHERE g % 50 = 1;
ANALYZE;
-- What follows is news to the planner.
ALTER TABLE finding SET (autovacuum_enabled = off);

-- All kinds as their views have them.
CREATE FUNCTION pg_temp.listed() RETURNS TABLE (kind text, severity text, asset_id bigint, other_asset_id bigint, contract_id bigint, term_id bigint,
	rule_id bigint, subject text, first_day date, last_day date, detail jsonb, message text) LANGUAGE plpgsql AS $$
DECLARE k record;
BEGIN
	FOR k IN SELECT f.kind FROM cec.finding_kind f WHERE f.hears <> '{}' LOOP
		RETURN QUERY EXECUTE format('SELECT %L, v.* FROM %I v', k.kind, '_finding_' || k.kind);
	END LOOP;
END $$;
CREATE VIEW pg_temp.open AS
	SELECT kind, severity, asset_id, other_asset_id, contract_id, term_id, rule_id, subject, first_day, last_day, detail, message FROM finding WHERE closed_at IS NULL;
CREATE FUNCTION pg_temp.differing() RETURNS TABLE (side text, kind text, n bigint) LANGUAGE sql AS $$
	WITH now AS MATERIALIZED (SELECT * FROM pg_temp.listed()), open AS MATERIALIZED (SELECT * FROM pg_temp.open)
	SELECT 'open only', o.kind, count(*) FROM (TABLE open EXCEPT ALL TABLE now) AS o GROUP BY o.kind
	UNION ALL SELECT 'in the view only', n.kind, count(*) FROM (TABLE now EXCEPT ALL TABLE open) AS n GROUP BY n.kind
$$;
CREATE FUNCTION pg_temp.counted() RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(f.kind || ' ' || f.n, ', ' ORDER BY f.kind) FROM (SELECT kind, count(*) AS n FROM pg_temp.open GROUP BY kind) AS f $$;
-- Of this transaction.
CREATE FUNCTION pg_temp.told() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s of %s contracts, %s in all', type, events, contracts, total), ', ' ORDER BY type)
	FROM (SELECT type, count(*) AS events, count(DISTINCT aggregateid) AS contracts, sum((payload ->> 'count')::bigint) AS total
		FROM outbox WHERE xid = pg_current_xact_id() GROUP BY type) AS t
$$;
CREATE FUNCTION pg_temp.most_named() RETURNS integer LANGUAGE sql AS $$
	SELECT max(jsonb_array_length(coalesce(payload -> 'assets', payload -> 'findings'))) FROM outbox WHERE xid = pg_current_xact_id()
$$;
-- Tables of which more rows were read in this transaction than it can need, for each asset that it changed. What was counted before is flushed first.
CREATE FUNCTION pg_temp.read_often(assets integer, rows integer) RETURNS TABLE (name name, rows_an_asset bigint) LANGUAGE sql AS $$
	SELECT relname, (seq_tup_read + coalesce(idx_tup_fetch, 0)) / assets FROM pg_stat_xact_user_tables
	WHERE schemaname = 'fleet' AND seq_tup_read + coalesce(idx_tup_fetch, 0) > assets::bigint * rows
$$;
CREATE TABLE pg_temp.before AS TABLE pg_temp.open;

SELECT is(pg_temp.counted(), format('no_commissioning_date %s, uncovered_in_boundary %s', :assets * 45 / 100, :assets / 10), 'before: a register with what it lacks');
SELECT pg_stat_force_next_flush() \g /dev/null
BEGIN;
UPDATE asset SET status = 'retired', decommissioned_on = pg_temp.today() - 1 WHERE asset_id <= :assets;
SELECT is_empty(format('SELECT * FROM pg_temp.read_often(%s, 20)', :assets), 'retired: no table is read again and again');
SELECT is(pg_temp.counted(), format('decommissioned_before_activation %1$s, orphaned_member %1$s, outlives_decommissioning %2$s, served_while_uncovered %3$s, uncovered_in_boundary %1$s',
	:assets / 10, :assets * 9 / 10, :assets / 50), 'findings of those that are retired, and of those that stay');
SELECT is(pg_temp.told(), format('asset.status_affects_coverage 50 of 50 contracts, %s in all, finding.opened 5 of 5 contracts, %s in all', :assets * 11 / 10, :assets / 10),
	'one event a contract, and one of those where an error is found');
SELECT is(pg_temp.most_named(), least(100, :assets / 25), 'no more than a hundred are named in an event');
COMMIT;
SELECT is_empty('SELECT * FROM pg_temp.differing()', 'what is open is what the views list');

-- Behind a flood a statement on an asset is as cheap as before.
SELECT pg_stat_force_next_flush() \g /dev/null
BEGIN;
UPDATE asset SET decommissioned_on = pg_temp.today() WHERE asset_id = 3;
SELECT is_empty('SELECT * FROM pg_temp.read_often(1, 200)', 'an asset more: what is open of others is not read');
COMMIT;

-- They were retired by mistake.
SELECT pg_stat_force_next_flush() \g /dev/null
BEGIN;
UPDATE asset SET status = 'in_service', decommissioned_on = NULL WHERE asset_id <= :assets;
SELECT is_empty(format('SELECT * FROM pg_temp.read_often(%s, 20)', :assets), 'back in service: no table is read again and again');
SELECT is(pg_temp.told(), format('asset.status_affects_coverage 50 of 50 contracts, %s in all, finding.closed 5 of 5 contracts, %s in all', :assets * 11 / 10, :assets / 10),
	'one event a contract, and one of those where an error is mended');
SELECT is(pg_temp.most_named(), least(100, :assets / 25), 'no more than a hundred are named in an event');
COMMIT;
SELECT is_empty('TABLE pg_temp.before EXCEPT TABLE pg_temp.open', 'all that was found before is found again');
SELECT is_empty('TABLE pg_temp.open EXCEPT TABLE pg_temp.before', 'and no more');
SELECT is_empty('SELECT * FROM pg_temp.differing()', 'what is open is what the views list');
SELECT is_empty($$SELECT kind, asset_id, subject FROM finding WHERE closed_at IS NULL GROUP BY 1, 2, 3 HAVING count(*) > 1$$, 'each once');
SELECT * FROM finish();
