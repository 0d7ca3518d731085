-- Conditions that are accepted and cannot mean what was meant: a NOTICE when they are asked about and when a rule is written.
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.ask(condition text) RETURNS text LANGUAGE sql AS $$ SELECT canonical FROM cec.check_condition(condition) $$;
-- Words that a column never has.
SELECT pg_temp.ask($$status = 'active'$$);
SELECT pg_temp.ask($$'In_Service' = status$$);
SELECT pg_temp.ask($$status IN ('in_service', 'active') AND status <> 'gone'$$);
SELECT pg_temp.ask($$contract_kind = 'maintenance' OR NOT tag_symbology = 'ean'$$);
-- No countries.
SELECT pg_temp.ask($$country = 'UK'$$);
SELECT pg_temp.ask($$governing_country IN ('Germany', 'DE', 'fr')$$);
-- Texts as numbers.
SELECT pg_temp.ask($$attributes ->> 'kw' > '5'$$);
SELECT pg_temp.ask($$serial_number BETWEEN '100' AND '200.5' AND '-7' < lower(model)$$);
-- Patterns, and NULL.
SELECT pg_temp.ask($$asset_tag LIKE 'EQ-*'$$);
SELECT pg_temp.ask($$asset_tag NOT ILIKE ALL (ARRAY['*-01', 'x%*'])$$);
SELECT pg_temp.ask($$category = NULL$$);
-- What is long is cut.
SELECT pg_temp.ask(format('status = %L', repeat(U&'\20AC', 100))) IS NOT NULL AS is_accepted;
-- Nothing is said of what may well be meant.
SELECT pg_temp.ask($$status IN ('planned', 'in_service') AND country = 'DE' AND serial_number > 'S100' AND attributes ->> 'since' > '2019-01-01'
	AND asset_tag LIKE '%*' AND lower(status) = 'active' AND coalesce(country, 'none') <> 'none' AND category = 'active'$$);
-- Words are those of the constraints.
SET client_min_messages = warning;
SELECT cec.create_portfolio('doubt');
RESET client_min_messages;
SELECT count(pg_temp.ask(format('%s = %L', CASE constraint_name WHEN 'contract_kind_known' THEN 'contract_kind' ELSE columns[1] END, word))) AS words
FROM cec.table_rule, unnest(allowed_words) AS word WHERE constraint_name IN ('asset_status_known', 'asset_tag_symbology_known', 'contract_kind_known');
-- When a rule is written: once, with the text that changed.
INSERT INTO doubt.customer (name) VALUES ('Acme');
INSERT INTO doubt.contract (number, customer_id, status, during) VALUES ('C1', 1, 'active', '[2026-01-01,2028-01-01)');
INSERT INTO doubt.coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2028-01-01)');
\set SHOW_CONTEXT always
INSERT INTO doubt.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'British', 'include', $$country = 'UK'$$, '[2026-01-01,2028-01-01)'),
	(1, 'German', 'include', $$country = 'DE'$$, '[2026-01-01,2028-01-01)');
\set SHOW_CONTEXT never
UPDATE doubt.coverage_rule SET name = upper(name), on_unknown = 'flag';
UPDATE doubt.coverage_rule SET condition = $$status = 'active'$$ WHERE name = 'GERMAN';
SET client_min_messages = warning;
SELECT cec.drop_portfolio('doubt', 'doubt');
