-- What people are told: which words a column takes, what a code or a day should be, and what a statement did beside what was asked.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include

SET ROLE regress_owner;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, kind, status, during) VALUES
	('S-1', 1, 'service', 'active', '[2026-01-01,2099-01-01)'), ('S-2', 1, 'service', 'active', '[2026-01-01,2099-01-01)'), ('S-3', 1, 'service', 'active', '[2026-01-01,)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2099-01-01)'), (2, '1', '[2026-01-01,2099-01-01)'), (3, '1', '[2026-01-01,)');
INSERT INTO fleet.asset (asset_tag, serial_number, category) VALUES ('P-0001', '88-17', 'pump'), ('P-0002', '88-18', 'pump'), ('M-0001', '88-17', 'motor');

-- Closed words.
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, status) VALUES ('X', 'in service')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, status) VALUES ('X', 'broken')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, tag_symbology) VALUES ('X', 'Code-128')$$);
SELECT test.refused($$UPDATE fleet.contract SET status = 'cancelled'$$);
SELECT test.refused($$UPDATE fleet.contract SET kind = 'Service'$$);
SELECT test.refused($$UPDATE fleet.coverage_term SET price = 1, price_basis = 'per_unit_months'$$);
SELECT test.refused($$UPDATE fleet.coverage_term SET proration = 'daily'$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, effect, during) VALUES (1, 'P-0001', 'included', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'r', 'requires', 'true', '(,)')$$);
-- Countries and currencies.
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, country) VALUES ('X', 'UK')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, country) VALUES ('X', 'XX')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, country) VALUES ('X', 'de')$$);
SELECT test.refused($$INSERT INTO fleet.asset (asset_tag, country) VALUES ('X', '')$$);
SELECT test.refused($$UPDATE fleet.contract SET governing_country = 'EL'$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DEU', 't', 'true', '(,)')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, region, title, requirement, during) VALUES ('DE', 'AT-5', 't', 'true', '(,)')$$);
SELECT test.refused($$UPDATE fleet.contract SET currency = 'eur'$$);
SELECT test.refused($$UPDATE fleet.contract SET currency = 'Euro'$$);
INSERT INTO fleet.asset (asset_tag, country) SELECT 'C-' || code, code FROM cec.country;
SELECT count(*) FROM cec.country;
SET client_min_messages = notice;
DO $$
DECLARE
	accepted integer := 0;
BEGIN
	FOR a IN 65..90 LOOP
		FOR b IN 65..90 LOOP
			BEGIN
				accepted := accepted + cec._asset_country_form(chr(a) || chr(b))::integer;
			EXCEPTION WHEN check_violation THEN
				NULL;
			END;
		END LOOP;
	END LOOP;
	RAISE NOTICE '% codes are accepted', accepted;
END $$;
SET client_min_messages = warning;
-- Days that are missing.
SELECT test.refused($$INSERT INTO fleet.contract (number, customer_id) VALUES ('S-9', 1)$$);
SELECT test.refused($$INSERT INTO fleet.coverage_term (contract_id, number) VALUES (1, '9')$$);
SELECT test.refused($$UPDATE fleet.contract SET during = NULL$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as) VALUES (1, 'P-0001')$$);
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, asset_id) VALUES (1, 1)$$);
SELECT test.refused($$INSERT INTO fleet.bundle_member (bundle_id, asset_id) VALUES (1, 1)$$);
SELECT test.refused($$INSERT INTO fleet.coverage_rule (term_id, name, effect, condition) VALUES (1, 'r', 'include', 'true')$$);
SELECT test.refused($$INSERT INTO fleet.regulation (country, title, requirement) VALUES ('DE', 't', 'true')$$);
RESET ROLE;

-- A typed client may leave asset_id out: the catalog says that it has a default.
SELECT column_default IS NOT NULL AS has_default FROM information_schema.columns WHERE table_schema = 'fleet' AND table_name = 'inclusion' AND column_name = 'asset_id';

SET ROLE regress_manager;
-- A list before it is written.
SELECT place, identifier, outcome, sqlstate, constraint_name, message, asset_id, suggestion FROM fleet.check_inclusions(1, $$[
	{"identifier": "P-0001"}, {"identifier": "p 0001"}, {"identifier": "P-0003", "last_day": "2026-12-31"}, {"identifier": "88-17"},
	{"identifier": "P-0001", "first_day": "2026-05-01"}, {"identifier": "P-0002", "first_day": "2025-01-01"}, {"identifier": "M-0001", "effect": "include", "note": "spare"},
	{"identifier": "M-0001", "first_day": "01.05.2026"}, {"identifier": "M-0001", "last": "2026-05-01"}, {"identifier": null}, {"identifier": ["M-0001"]}, "M-0001",
	{"identifier": "P-0002", "first_day": "2026-06-01", "last_day": "2026-05-01"}, {"identifier": "P-0002", "effect": "add"}]$$);
SELECT count(*) FROM fleet.inclusion;
SELECT test.refused('SELECT * FROM fleet.check_inclusions(1, NULL)');
SELECT test.refused($$SELECT * FROM fleet.check_inclusions(1, '{"identifier": "P-0001"}')$$);
SELECT test.refused($$SELECT * FROM fleet.check_inclusions(99, '[]')$$);
RESET ROLE;
SET ROLE regress_stranger;
SELECT test.refused($$SELECT * FROM cec.check_inclusions('fleet', 1, '[]')$$);
RESET ROLE;

SET ROLE regress_manager;
SET client_min_messages = notice;
-- A line that goes beyond its term is stored, and told of; an open end is not.
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'P-0001', '[2025-01-01,2099-01-01)'), (1, 'P-0002', '[2026-01-01,2100-01-01)'), (1, 'M-0001', '(,)');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, 'C-DE', '[2026-01-01,)');
-- What check_inclusions says of a line that is there and would go beyond the term; it does not repeat all that somebody typed.
SELECT outcome, message FROM fleet.check_inclusions(1, '[{"identifier": "M-0001", "first_day": "2025-01-01", "last_day": "2026-12-31"}]');
SELECT outcome, length(message) FROM fleet.check_inclusions(1, jsonb_build_array(jsonb_build_object('identifier', repeat('x', 5000))));
-- A line that names no asset is refused with its place.
SELECT test.refused($$INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, 'P-0001', '[2027-01-01,2027-02-01)'), (3, NULL, '[2026-01-01,)')$$);
-- Nothing to remove.
SELECT fleet.remove_asset(2, 'P-0001', '2026-05-05');
-- A rule that covers what is covered.
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'pumps', 'include', 'category = ''pump''', '[2026-01-01,)');
RESET ROLE;
SET ROLE regress_owner;
-- Terminated, and nothing else: cover goes on.
UPDATE fleet.contract SET status = 'terminated' WHERE number IN ('S-1', 'S-3');
UPDATE fleet.contract SET status = 'active' WHERE number = 'S-1';
UPDATE fleet.contract SET status = 'terminated', during = '[2026-01-01,2026-02-01)' WHERE number = 'S-1';
-- What changed, for people: days by the first and the last one, geometry without its corners.
UPDATE fleet.contract SET boundary = st_multi(st_buffer(st_setsrid(st_makepoint(4, 51), 4326), 1)) WHERE number = 'S-2';
RESET ROLE;
SELECT summary, after ->> 'boundary' AS boundary FROM fleet.coverage_audit('S-1') WHERE table_name = 'contract' AND summary LIKE '%during%' ORDER BY audit_id;
SELECT regexp_replace(summary, '\d{3,} char', 'N char') AS summary, length(after ->> 'boundary') < 100 AS is_short FROM fleet.coverage_audit('S-2') WHERE summary LIKE 'boundary%';

\set include :source/sql/include/end.sql
\i :include
