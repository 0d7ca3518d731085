-- What docs/errors.md lists and no other script shows with its SQLSTATE: questions that ask for nothing, calls without the right, and
-- portfolios that are not as they were made.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include

SET ROLE regress_owner;
INSERT INTO fleet.asset (asset_id, asset_tag) VALUES (1, 'P-0001');
-- Questions.
SELECT test.refused($$SELECT * FROM fleet.covered('P-0001', 'infinity')$$);
SELECT test.refused($$SELECT * FROM fleet.covered_on(NULL, '2026-01-01')$$);
SELECT test.refused($$SELECT * FROM fleet.coverage_as_of('-infinity')$$);
SELECT test.refused($$SELECT * FROM fleet.coverage_as_of(NULL)$$);
SELECT test.refused($$SELECT * FROM fleet.explain_coverage(NULL)$$);
SELECT test.refused($$SELECT * FROM cec.check_condition('distance_to_point_m(200, 0) < 5')$$);
SELECT test.refused($$DELETE FROM fleet.setting$$);
-- Functions of schema cec are told of which portfolio.
SELECT test.refused($$SELECT * FROM cec.under_covered_zones(NULL, NULL, 20000, NULL, 0.9)$$);
SELECT test.refused($$SELECT * FROM cec._zones(NULL, NULL, 20000, NULL, 0.9)$$);
SELECT test.refused($$SELECT * FROM cec.zone_candidates(NULL, NULL, 1, NULL)$$);
SELECT test.refused($$SELECT * FROM cec.duplicate_registrations(NULL, 25)$$);
SELECT test.refused($$SELECT cec.coverage_map_svg(NULL, 'C-1', NULL)$$);
SELECT test.refused($$SELECT cec.mvt_gaps(NULL, 0, 0, 0, NULL)$$);
SELECT test.refused($$SELECT cec.today(NULL)$$);
SELECT cec._sql('fleet'::regnamespace, NULL) IS NULL AS is_null;

-- Rights.
SET ROLE regress_registry;
SELECT test.refused($$SELECT * FROM cec.refresh('fleet', NULL)$$);
SELECT test.refused($$SELECT cec.recompute_coverage('fleet')$$);
SELECT test.refused($$SELECT cec.grant_access('fleet', 'regress_stranger', 'analyst')$$);

-- What is no portfolio, or no longer one.
RESET ROLE;
SELECT test.refused($$SELECT * FROM cec.covered('test', 'P-0001', now())$$);
BEGIN;
ALTER TABLE fleet.audit_log ALTER COLUMN audit_id DROP IDENTITY;
SELECT test.refused($$INSERT INTO fleet.customer (name) VALUES ('Acme')$$);
ROLLBACK;
BEGIN;
DROP INDEX fleet.inclusion_asset_id_idx;
INSERT INTO fleet.customer (customer_id, name) VALUES (1, 'Acme');
INSERT INTO fleet.contract (contract_id, number, customer_id, status, during) VALUES (1, 'C-1', 1, 'active', '[2026-01-01,)');
INSERT INTO fleet.coverage_term (term_id, contract_id, number, during) VALUES (1, 1, '1', '[2026-01-01,)');
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'P-0001', '[2026-01-01,)')$$);
ROLLBACK;
BEGIN;
CREATE FUNCTION test.peek() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE POLICY peek ON fleet.asset USING (test.peek());
ALTER TABLE fleet.asset ENABLE ROW LEVEL SECURITY;
SET LOCAL ROLE regress_manager;
SELECT test.refused($$SELECT * FROM fleet.covered('P-0001')$$);
ROLLBACK;
BEGIN;
CREATE TRIGGER again AFTER INSERT ON fleet.customer REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('customer');
SELECT test.refused($$INSERT INTO fleet.customer (name) VALUES ('Acme')$$);
ROLLBACK;

\set include :source/sql/include/end.sql
\i :include
