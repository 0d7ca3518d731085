-- Bundles, rules, amendments and waivers: what is accepted and what is refused today.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SET ROLE regress_owner;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.asset (asset_tag) VALUES ('PUMP-1'), ('MOTOR-1');
SET ROLE regress_manager;
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('Pump station', 1);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '[2026-06-01,)');
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'Alpha only', 'include', 'manufacturer = ''Alpha''', '[2026-01-01,)');
INSERT INTO fleet.amendment (contract_id, title) VALUES (1, 'Add the motor');
INSERT INTO fleet.amendment_line (amendment_id, action, identifier, term_id) VALUES (1, 'include', 'MOTOR-9', 1);
INSERT INTO fleet.inclusion (term_id, listed_as, during, amendment_id) VALUES (1, 'MOTOR-1', '[2026-01-01,)', 1);
INSERT INTO fleet.finding_waiver (kind, asset_id, reason) VALUES ('no_location', 1, 'moves about');
SELECT status, requested_by = session_user AS is_mine FROM fleet.amendment;
SELECT on_unknown, state FROM fleet.coverage_rule;

SELECT test.refused($$INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('', 1)$$);
SELECT test.refused($$INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('B', 9)$$);
SELECT test.refused($$INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, 'empty')$$);
SELECT test.refused($$INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 2, '[2026-01-01,infinity)')$$);
SELECT test.refused($$INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (9, 2, '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 9, '(,)')$$);
SELECT test.refused($$DELETE FROM fleet.bundle$$);

SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (9, 'R', 'include', 'true', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'R', 'allow', 'true', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'R', 'include', '', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during, on_unknown) VALUES (1, 'R', 'include', 'true', '(,)', 'guess')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during, state) VALUES (1, 'R', 'include', 'true', '(,)', 'off')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'R', 'include', 'true', 'empty')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'R', 'include', 'true', '[2026-01-01,infinity)')$$);

SELECT test.refused($$INSERT INTO fleet.amendment (contract_id, title) VALUES (9, 'A')$$);
SELECT test.refused($$INSERT INTO fleet.amendment (contract_id, title, status, requested_at, requested_by) VALUES (1, 'A', 'lost', '2026-01-01', 'me')$$);
SELECT test.refused($$INSERT INTO fleet.amendment (contract_id, title, status, requested_at, requested_by) VALUES (1, 'A', 'applied', '2026-01-01', 'me')$$);
SELECT test.refused($$INSERT INTO fleet.amendment (contract_id, title, requested_at, requested_by, approved_by) VALUES (1, 'A', '2026-01-01', 'me', 'me')$$);
SELECT test.refused($$INSERT INTO fleet.amendment_line (amendment_id, action, identifier) VALUES (1, 'forget', 'X')$$);
SELECT test.refused($$INSERT INTO fleet.amendment_line (amendment_id, action, identifier) VALUES (9, 'include', 'X')$$);
SELECT test.refused($$INSERT INTO fleet.amendment_line (amendment_id, action, identifier, term_id) VALUES (1, 'include', 'X', 9)$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during, amendment_id) VALUES (1, 'PUMP-1', '(,)', 9)$$);

SELECT test.refused($$INSERT INTO fleet.finding_waiver (kind, asset_id, reason) VALUES ('no_location', 1, '')$$);
SELECT test.refused($$INSERT INTO fleet.finding_waiver (kind, asset_id, reason, until) VALUES ('no_location', 1, 'for ever', 'infinity')$$);
SELECT test.refused($$INSERT INTO fleet.finding_waiver (kind, reason) VALUES ('no_location', 'of all')$$);
SELECT test.refused($$INSERT INTO fleet.finding_waiver (kind, asset_id, reason) VALUES ('cover_gap', 1, 'known'), ('cover_gaps', 1, 'not known')$$);
SELECT test.refused($$UPDATE fleet.finding_waiver SET kind = 'cover gap'$$);
SELECT test.refused($$INSERT INTO fleet.finding_waiver (kind, asset_id, subject, reason) VALUES ('cover_gap', 1, '', 'of none')$$);
SELECT test.refused($$INSERT INTO fleet.finding_waiver (kind, reason, asset_id) VALUES ('no_location', 'who', 9)$$);

\set include :source/sql/include/end.sql
\i :include
