-- What people ask by the names that they use: terms, histories, explanations, changes.
SET client_min_messages = warning;
SELECT no_plan();
\ir include/rows_eq.sql
DROP ROLE IF EXISTS people_auditor, people_analyst;
CREATE ROLE people_auditor NOLOGIN;
CREATE ROLE people_analyst NOLOGIN;
SELECT cec.create_portfolio('fleet') \g /dev/null
SELECT cec.grant_access('fleet', 'people_auditor', 'auditor'), cec.grant_access('fleet', 'people_analyst', 'analyst') \g /dev/null

-- Message, detail and hint of a statement that is refused.
CREATE FUNCTION pg_temp.said(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text;
	said text;
	facts text;
	advice text;
BEGIN
	EXECUTE statement;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, facts = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', code, said, nullif(facts, ''), nullif(advice, ''));
END;
$$;

INSERT INTO fleet.customer (name) VALUES ('Harbour'), ('Mill');
INSERT INTO fleet.service_tier (code, name, rank) VALUES ('gold', 'Gold', 2);
INSERT INTO fleet.contract (number, customer_id, account_manager, status, during, currency) VALUES ('S-1', 1, 'Anna', 'active', '[2026-01-01,2027-01-01)', 'EUR'),
	('S-2', 2, NULL, 'active', '[2026-01-01,)', NULL), ('Empty', 2, NULL, 'draft', '(,)', NULL), ('Many', 2, NULL, 'draft', '(,)', NULL);
INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during, price, price_basis) VALUES (1, '1', 1, '[2026-01-01,2027-01-01)', 30, 'per_unit_month'),
	(1, '2', NULL, '[2026-01-01,2026-07-01)', NULL, NULL), (2, '1', NULL, '[2026-01-01,)', NULL, NULL);
INSERT INTO fleet.coverage_term (contract_id, number, during) SELECT 4, g::text, '(,)' FROM generate_series(1, 12) g;

-- Terms.
SELECT is(fleet.find_term('S-2'), 3::bigint, 'the number of the term may be left out where there is one');
SELECT is(fleet.find_term('S-1', '2'), 2::bigint, 'a term by both numbers');
SELECT is(fleet.find_term('S-2', '1'), 3::bigint, 'also where there is one');
SELECT throws_ok($$SELECT fleet.find_term('S-3')$$, '23503', 'there is no contract "S-3"', 'an unknown contract');
SELECT throws_ok($$SELECT fleet.find_term('S-1', '9')$$, '23503', 'contract "S-1" has no term "9"', 'an unknown term');
SELECT throws_ok($$SELECT fleet.find_term('Empty')$$, '23503', 'contract "Empty" has no terms', 'no terms at all');
SELECT throws_ok($$SELECT fleet.find_term('S-1')$$, '22023', 'contract "S-1" has several terms', 'several terms');
SELECT throws_ok('SELECT fleet.find_term(NULL)', '22004', 'the contract number must not be NULL', 'no number');
SELECT is(pg_temp.said($$SELECT fleet.find_term('s 1')$$), '23503 | there is no contract "s 1" | Perhaps "S-1" was meant.', 'a number that comes near is said');
SELECT is(pg_temp.said($$SELECT fleet.find_term('S-3')$$), '23503 | there is no contract "S-3" | None of 4 contracts has a number like it; the table contract has them.', 'another number is not, and how many there are is');
SELECT is(pg_temp.said($$SELECT fleet.find_term('S-1', '9')$$), '23503 | contract "S-1" has no term "9" | It has 2 terms: 1, 2.', 'the terms that there are');
SELECT is(pg_temp.said($$SELECT fleet.find_term('S-2', '9')$$), '23503 | contract "S-2" has no term "9" | It has one term: 1.', 'the one that there is');
SELECT is(pg_temp.said($$SELECT fleet.find_term('S-1')$$), '22023 | contract "S-1" has several terms | It has 2 terms: 1, 2. | Say which one by its number, too.', 'those to choose from');
SELECT is(pg_temp.said($$SELECT fleet.find_term('Many')$$), '22023 | contract "Many" has several terms | It has 12 terms: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more. | Say which one by its number, too.', 'not all of many');
SELECT is(pg_temp.said(format('SELECT fleet.find_term(%L)', repeat('x', 5000))), format('23503 | there is no contract "%s" | None of 4 contracts has a number like it; the table contract has them.', repeat('x', 100)), 'what was typed is not repeated without end');

-- The view of terms, and what people group reports by.
INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer, category, country, customer_id) VALUES ('P-1', '4711', 'A', 'pump', 'NL', 1), ('P-2', '4711', 'B', 'pump', 'BE', 1),
	('M-1', NULL, NULL, 'motor', 'NL', 2), ('M-2', NULL, NULL, 'motor', 'NL', NULL);
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'P-1', '[2026-01-01,2027-01-01)'), (2, 'P-2', '[2026-01-01,2027-01-01)'), (3, 'M-1', '[2026-01-01,)');
INSERT INTO fleet.inclusion (term_id, listed_as, effect, during) VALUES (3, 'M-1', 'exclude', '[2026-03-01,2026-04-01)');
SELECT pg_temp.rows_eq($$SELECT term_id, contract_number, term_number, customer, account_manager, tier_code, valid_from, last_day, valid_to, price, currency, price_basis, line_count FROM fleet.term WHERE contract_id < 3 ORDER BY term_id$$,
	$$VALUES (1::bigint, 'S-1', '1', 'Harbour', 'Anna', 'gold', date '2026-01-01', date '2026-12-31', date '2027-01-01', 30::numeric, 'EUR', 'per_unit_month', 1::bigint),
		(2, 'S-1', '2', 'Harbour', 'Anna', NULL, '2026-01-01', '2026-06-30', '2026-07-01', NULL, 'EUR', NULL, 1), (3, 'S-2', '1', 'Mill', NULL, NULL, '2026-01-01', NULL, NULL, NULL, NULL, NULL, 2)$$, 'terms with contract, customer, tier, days and price');
INSERT INTO fleet.term_price (term_id, first_day, price) VALUES (1, cec.today('fleet') - 30, 31), (1, cec.today('fleet'), 32), (1, cec.today('fleet') + 1, 33);
SELECT pg_temp.rows_eq('SELECT term_id, price FROM fleet.term WHERE contract_id < 3 ORDER BY 1', 'VALUES (1::bigint, 32::numeric), (2, NULL), (3, NULL)', 'the price is the one that holds today');
SELECT pg_temp.rows_eq('SELECT t.term_id, t.covered_count FROM fleet.term t ORDER BY 1', $$SELECT t.term_id, (SELECT count(DISTINCT v.asset_id) FROM fleet.coverage v WHERE v.term_id = t.term_id AND v.during @> cec.today('fleet')) FROM fleet.coverage_term t ORDER BY 1$$, 'and the assets that they cover today');
SELECT pg_temp.rows_eq('SELECT t.term_id, t.is_current FROM fleet.term t ORDER BY 1', $$SELECT t.term_id, t.during @> cec.today('fleet') FROM fleet.coverage_term t ORDER BY 1$$, 'current where today is one of their days');
SELECT set_eq($$SELECT asset_tag, customer, account_manager, category, country FROM fleet.coverage_by_asset$$, $$VALUES ('P-1', 'Harbour', 'Anna', 'pump', 'NL'), ('P-2', 'Harbour', 'Anna', 'pump', 'BE'), ('M-1', 'Mill', NULL, 'motor', 'NL')$$, 'coverage_by_asset has what people group by');
SELECT set_eq($$SELECT coverage_id, asset_tag, customer_id, customer, account_manager, category, country FROM fleet.coverage_by_contract$$, $$SELECT coverage_id, asset_tag, customer_id, customer, account_manager, category, country FROM fleet.coverage_by_asset$$, 'coverage_by_contract has the same');
SELECT set_eq($$SELECT coverage_id, asset_tag, customer_id, customer, account_manager, category, country FROM fleet.coverage_now$$, $$SELECT coverage_id, asset_tag, customer_id, customer, account_manager, category, country FROM fleet.coverage_by_asset WHERE is_current$$, 'so has coverage_now');
SELECT set_eq($$SELECT asset_tag, customer, account_manager FROM fleet.uncovered_asset WHERE asset_tag IN ('P-2', 'M-2')$$, $$VALUES ('P-2', 'Harbour', 'Anna'), ('M-2', NULL, NULL)$$, 'uncovered_asset says who looked after it last');
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
	WHERE c.relnamespace = 'fleet'::regnamespace AND c.relname IN ('term', 'coverage_by_asset', 'coverage_by_contract', 'coverage_now', 'uncovered_asset') AND a.attnum > 0 AND (t.typtype IN ('r', 'm') OR t.typcategory = 'A')$$, 'without ranges and arrays');

-- Why, by whatever it is called; of several assets, of each.
SELECT set_eq($$SELECT DISTINCT asset_id FROM fleet.explain_coverage('4711', '2026-06-01')$$, ARRAY[1::bigint, 2], 'an explanation of each asset that is meant');
SELECT pg_temp.rows_eq($$SELECT asset_id, term_id, outcome FROM fleet.explain_coverage('P-2', '2026-08-01') WHERE outcome ~ 'covered'$$, $$VALUES (2::bigint, 2::bigint, 'not covered')$$, 'a term that is over');
SELECT throws_ok($$SELECT * FROM fleet.explain_coverage('P-9', '2026-06-01')$$, '23503', 'no asset is known as "P-9"', 'of what nobody knows there is none');
SELECT throws_ok($$SELECT * FROM fleet.explain_coverage(NULL)$$, '22004', 'the identifier must not be NULL', 'nor of nothing');

-- Many at once.
SELECT pg_temp.rows_eq($$SELECT place, identifier, outcome, asset_tag FROM fleet.covered_many('{M-1,P-2,4711,P-9,M-1,NULL}', '2026-08-01')$$,
	$$VALUES (1::bigint, 'M-1', 'covered', 'M-1'), (2, 'P-2', 'uncovered', 'P-2'), (3, '4711', 'ambiguous', 'P-1'), (4, 'P-9', 'unknown', NULL), (5, 'M-1', 'covered', 'M-1'), (6, NULL, 'unknown', NULL)$$, 'each identifier has its row and outcome');
SELECT is_empty($$SELECT * FROM fleet.covered_many('{}')$$, 'of none, none');
SELECT throws_ok('SELECT * FROM fleet.covered_many(NULL)', '22004', 'the identifiers must not be NULL', 'no array');
SELECT throws_ok($$SELECT * FROM fleet.covered_many('{P-1}', 'infinity')$$, '22008', 'infinity is not a day', 'no day');

-- Histories: by what it is called, or was. The asset bears another tag, then a third, and is gone in the end.
INSERT INTO fleet.asset (asset_tag, serial_number) VALUES ('V-1', 'no 1');
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (5, 'berth', 'B 7', '(,2020-01-01)');
UPDATE fleet.asset SET asset_tag = 'V-2', serial_number = NULL WHERE asset_tag = 'V-1';
SELECT is((SELECT count(*) FROM fleet.asset_history('V-2')), 4::bigint, 'the history of an asset, with the tag that it bore');
SELECT pg_temp.rows_eq($$SELECT audit_id FROM fleet.asset_history('V-1')$$, $$SELECT audit_id FROM fleet.asset_history('V-2')$$, 'by the tag that it bore');
SELECT pg_temp.rows_eq($$SELECT audit_id FROM fleet.asset_history('no 1')$$, $$SELECT audit_id FROM fleet.asset_history('V-2')$$, 'by a serial number that is gone');
SELECT pg_temp.rows_eq($$SELECT audit_id FROM fleet.asset_history('B 7')$$, $$SELECT audit_id FROM fleet.asset_history('V-2')$$, 'by an identifier of other days');
SELECT is((SELECT array_agg(DISTINCT asset_id ORDER BY asset_id) FROM fleet.asset_history('4711') WHERE table_name = 'asset'), '{1,2}', 'of several assets, the entries of all');
UPDATE fleet.asset_identifier SET asset_id = 4 WHERE value = 'B 7';
DELETE FROM fleet.asset_identifier;
DELETE FROM fleet.asset WHERE asset_id = 5;
SELECT is((SELECT array_agg(table_name || ' ' || operation ORDER BY audit_id) FROM fleet.asset_history('V-2')),
	'{asset INSERT,asset_identifier INSERT,asset UPDATE,asset_identifier INSERT,asset_identifier UPDATE,asset_identifier DELETE,asset_identifier DELETE,asset DELETE}', 'the history of an asset that was deleted');
SELECT pg_temp.rows_eq($$SELECT audit_id FROM fleet.asset_history('no 1')$$, $$SELECT audit_id FROM fleet.asset_history('V-1')$$, 'by whatever it once was called');
SELECT is((SELECT array_agg(DISTINCT asset_id ORDER BY asset_id) FROM fleet.asset_history('B 7') WHERE table_name = 'asset'), '{4,5}', 'an identifier that is gone names all that bore it');
INSERT INTO fleet.asset (asset_tag) VALUES ('V-1');
SELECT is((SELECT count(*) FROM fleet.asset_history('V-1')), 1::bigint, 'what bears the name now comes first');
SELECT throws_ok($$SELECT * FROM fleet.asset_history('V-9')$$, '23503', 'no asset is known as "V-9"', 'a name that nothing ever bore');
SELECT throws_ok($$SELECT * FROM fleet.asset_history('asset_tag')$$, '23503', 'no asset is known as "asset_tag"', 'nor one that only stands in the log');
SELECT throws_ok('SELECT * FROM fleet.asset_history(NULL)', '22004', 'the identifier must not be NULL', 'no name');
INSERT INTO fleet.contract (number, customer_id, during) VALUES ('T-1', 1, '[2026-01-01,2027-01-01)');
UPDATE fleet.contract SET number = 'T-2' WHERE number = 'T-1';
DELETE FROM fleet.contract WHERE number = 'T-2';
SELECT is((SELECT array_agg(operation ORDER BY audit_id) FROM fleet.contract_history('T-2')), '{INSERT,UPDATE,DELETE}', 'the history of a contract that was deleted');
SELECT pg_temp.rows_eq($$SELECT audit_id FROM fleet.contract_history('T-1')$$, $$SELECT audit_id FROM fleet.contract_history('T-2')$$, 'by the number that it bore before');
INSERT INTO fleet.contract (number, customer_id, during) VALUES ('T-1', 1, '(,)');
DELETE FROM fleet.contract WHERE number = 'T-1';
SELECT is((SELECT array_agg(operation ORDER BY audit_id) FROM fleet.contract_history('T-1')), '{INSERT,DELETE}', 'of several that are gone, of the last');
SELECT is((SELECT count(*) FROM fleet.coverage_audit('T-2')), 3::bigint, 'coverage_audit tells of it, too');
SELECT throws_ok($$SELECT * FROM fleet.contract_history('T-9')$$, '23503', 'there is no contract "T-9"', 'a number that no contract ever had');
SELECT throws_ok('SELECT * FROM fleet.contract_history(NULL)', '22004', 'the contract number must not be NULL', 'no number');
SELECT throws_ok($$SELECT * FROM fleet.coverage_audit('T-9')$$, '23503', 'there is no contract "T-9"', 'nor a report of it');
SELECT is(pg_temp.said($$SELECT * FROM fleet.contract_history('s 2')$$), '23503 | there is no contract "s 2" | There never was a contract with this number. | Perhaps "S-2" was meant.', 'but a number that comes near is said');

-- Who may read a history reads it whole: what he sees of the register does not matter. Who may not, does not.
BEGIN;
CREATE POLICY nothing ON fleet.asset TO people_auditor USING (false);
CREATE POLICY nothing ON fleet.contract TO people_auditor USING (false);
CREATE POLICY nothing ON fleet.audit_log TO people_auditor USING (false);
ALTER TABLE fleet.asset ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.contract ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE TEMP TABLE whole AS SELECT (SELECT count(*) FROM fleet.asset_history('P-1')) AS of_asset, (SELECT count(*) FROM fleet.contract_history('S-1')) AS of_contract;
GRANT SELECT ON whole TO people_auditor;
SET LOCAL ROLE people_auditor;
SELECT is_empty('SELECT asset_id FROM fleet.asset UNION ALL SELECT contract_id FROM fleet.contract UNION ALL SELECT audit_id FROM fleet.audit_log', 'a policy shows an auditor nothing');
SELECT pg_temp.rows_eq($$SELECT (SELECT count(*) FROM fleet.asset_history('P-1')), (SELECT count(*) FROM fleet.contract_history('S-1'))$$, 'SELECT of_asset, of_contract FROM whole', 'the histories are whole all the same');
SELECT cmp_ok((SELECT of_asset FROM whole), '>', 1::bigint, 'and not empty');
SELECT is(current_user::text, 'people_auditor', 'nobody stays the owner');
ROLLBACK;
BEGIN;
SET LOCAL ROLE people_analyst;
SELECT throws_ok($$SELECT * FROM fleet.asset_history('P-1')$$, '42501', 'permission denied for function asset_history', 'an analyst has no histories');
SELECT throws_ok($$SELECT * FROM cec.asset_history('fleet', 'P-1')$$, '42501', 'permission denied for function fleet.asset_history', 'nor by the engine');
SELECT throws_ok($$SELECT * FROM cec.contract_history('fleet', 'S-1')$$, '42501', 'permission denied for function fleet.contract_history', 'of contracts, either');
SELECT throws_ok($$SELECT * FROM cec._history('fleet', 'asset', 'P-1')$$, '42501', 'permission denied for table audit_log', 'nor behind it');
SELECT throws_ok($$SELECT * FROM cec.coverage_changes('fleet', '-infinity', NULL)$$, '42501', 'permission denied to follow the audit log', 'no changes');
SELECT throws_ok($$SELECT * FROM cec.explain_change('fleet', 1)$$, '42501', 'permission denied for table audit_log', 'and no explanations of them');
ROLLBACK;

-- Changes: net days. P-1 is retired: what it loses is the rest of its year; a note changes nothing; another ground, neither.
CREATE TEMP TABLE change AS SELECT row_number() OVER () AS place, c.* FROM fleet.coverage_changes('-infinity') AS c;
SELECT pg_temp.rows_eq('SELECT asset_tag, contract_number, term_number, change, first_day, last_day FROM change ORDER BY place', $$VALUES ('P-1', 'S-1', '1', 'gained', date '2026-01-01', date '2026-12-31'),
	('P-2', 'S-1', '2', 'gained', '2026-01-01', '2026-06-30'), ('M-1', 'S-2', '1', 'gained', '2026-01-01', NULL), ('M-1', 'S-2', '1', 'lost', '2026-03-01', '2026-03-31')$$, 'all changes, in their order');
SELECT is((SELECT count(DISTINCT next_since) FROM change), 1::bigint, 'all say where to go on');
SELECT next_since AS since FROM change LIMIT 1 \gset
SELECT is_empty(format('SELECT * FROM fleet.coverage_changes(%L)', :'since'), 'where nothing came, nothing comes');
UPDATE fleet.asset SET status = 'retired', decommissioned_on = '2026-10-31' WHERE asset_tag = 'P-1';
UPDATE fleet.inclusion SET note = 'spare' WHERE listed_as = 'P-2';
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (3, 'motors', 'include', 'asset_tag = ''M-1''', '[2026-01-01,)');
SELECT pg_temp.rows_eq(format('SELECT asset_tag, change, first_day, last_day, audit_id FROM fleet.coverage_changes(%L)', :'since'), $$SELECT 'P-1', 'lost', date '2026-11-01', date '2026-12-31', max(audit_id) FROM fleet.audit_log WHERE table_name = 'asset' AND operation = 'UPDATE'$$, 'days that were lost; other grounds are no change');
SELECT is_empty(format('SELECT * FROM fleet.coverage_changes(%L, %L)', :'since', :'since'), 'until is where it ends');
SELECT pg_temp.rows_eq(format('SELECT next_since FROM fleet.coverage_changes(''-infinity'', %L) LIMIT 1', :'since'), format('SELECT %L::timestamptz', :'since'), 'and where to go on');
SELECT cmp_ok((SELECT max(next_since) FROM fleet.coverage_changes('-infinity', '2999-01-01')), '<', clock_timestamp(), 'what is still to come is not promised');
SELECT throws_ok('SELECT * FROM fleet.coverage_changes(NULL)', '22004', 'the instant to begin at must not be NULL', 'no instant');
SELECT throws_ok($$SELECT * FROM fleet.coverage_changes('-infinity', 'infinity')$$, '22008', 'infinity is no instant to end at', 'no end');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT throws_ok($$SELECT * FROM fleet.coverage_changes('-infinity')$$, '25001', 'coverage_changes needs isolation level READ COMMITTED', 'no snapshot from before');
ROLLBACK;
BEGIN;
DELETE FROM fleet.inclusion WHERE listed_as = 'P-2';
SELECT is_empty(format('SELECT * FROM fleet.coverage_changes(%L) WHERE asset_tag = ''P-2''', :'since'), 'what the transaction itself has written is not settled');
ROLLBACK;
DELETE FROM fleet.inclusion WHERE listed_as = 'P-2';
DELETE FROM fleet.asset WHERE asset_tag = 'P-2';
SELECT pg_temp.rows_eq($$SELECT asset_id, asset_tag, change FROM fleet.coverage_changes('-infinity') WHERE asset_id = 2$$, $$VALUES (2::bigint, NULL::text, 'gained'), (2, NULL, 'lost')$$, 'of an asset that was deleted the key is left');

-- What one change did.
SELECT max(audit_id) AS retired FROM fleet.audit_log WHERE table_name = 'asset' AND operation = 'UPDATE' \gset
SELECT pg_temp.rows_eq(format('SELECT section, asset_id, term_id, rule_id, first_day, last_day, message FROM fleet.explain_change(%s) WHERE section <> ''finding''', :retired), format($$VALUES
	('statement', 1::bigint, NULL::bigint, NULL::bigint, NULL::date, NULL::date, 'UPDATE of asset 1 by %s: decommissioned_on: none -> 2026-10-31; status: in_service -> retired.'),
	('coverage', 1, 1, NULL, '2026-11-01', '2026-12-31', 'Asset "P-1" lost cover under term 1 of contract S-1: 2026-11-01 to 2026-12-31.')$$, session_user), 'a statement that changed one row, and what it did');
SET cec.reason = 'order 12';
INSERT INTO fleet.asset (asset_tag, category) VALUES ('X-1', 'fan'), ('X-2', 'fan'), ('X-3', 'saw');
SET cec.reason = 'order 13';
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (3, 'fans', 'include', 'category = ''fan''', '[2026-01-01,)');
UPDATE fleet.asset SET category = 'saw' WHERE asset_tag IN ('X-1', 'X-2');
RESET cec.reason;
SELECT audit_id AS covered FROM fleet.audit_log WHERE table_name = 'coverage' AND operation = 'COVER' ORDER BY audit_id DESC LIMIT 1 \gset
SELECT pg_temp.rows_eq(format('SELECT section, asset_id, rule_id, message FROM fleet.explain_change(%s) WHERE section <> ''finding''', :covered), format($$
	SELECT 'statement', NULL::bigint, NULL::bigint, 'UPDATE of 2 rows of asset by %s (order 13).'
	UNION ALL (SELECT 'decision', a.asset_id, 2, format('Asset "%%s" no longer qualifies for term 1 of contract S-2 by rule "fans": from %%s on.', a.asset_tag, cec.today('fleet')) FROM fleet.asset a WHERE a.asset_tag IN ('X-1', 'X-2') ORDER BY a.asset_id)
	UNION ALL (SELECT 'coverage', a.asset_id, NULL, format('Asset "%%s" lost cover under term 1 of contract S-2: from %%s on.', a.asset_tag, cec.today('fleet')) FROM fleet.asset a WHERE a.asset_tag IN ('X-1', 'X-2') ORDER BY a.asset_id)$$, session_user), 'of several rows, with what a rule decided');
SELECT pg_temp.rows_eq(format('SELECT section, message FROM fleet.explain_change(%s) WHERE section = ''statement''', :covered - 1), format($$
	VALUES ('statement', 'UPDATE of asset %s by %s (order 13): category: fan -> saw.'), ('statement', 'The same statement: UPDATE of 1 further row of asset.')$$, (SELECT row_id FROM fleet.audit_log WHERE audit_id = :covered - 1), session_user), 'one row of them');
SELECT pg_temp.rows_eq(format('SELECT asset_id, message FROM fleet.explain_change(%s) WHERE section <> ''statement''', :covered - 1), format('SELECT asset_id, message FROM fleet.explain_change(%s) WHERE section <> ''statement''', :covered), 'the statement did the same, whichever of its entries is asked about');
SELECT is((SELECT string_agg(message, ' ') FROM fleet.explain_change((SELECT max(audit_id) FROM fleet.audit_log WHERE table_name = 'coverage_rule')) WHERE section = 'decision' AND asset_id = (SELECT asset_id FROM fleet.asset WHERE asset_tag = 'X-1')),
	format('Asset "X-1" qualifies for term 1 of contract S-2 by rule "fans": from %s on.', cec.today('fleet')), 'a rule that came');
INSERT INTO fleet.coverage_rule (term_id, name, effect, condition, during) VALUES (3, 'no motors', 'exclude', 'asset_tag = ''M-1''', '[2026-01-01,)'), (3, 'fans only', 'require', 'category = ''fan''', '[2026-01-01,)');
SELECT set_eq($$SELECT regexp_replace(message, ': .*', '') FROM fleet.explain_change((SELECT max(audit_id) FROM fleet.audit_log)) WHERE section = 'decision' AND asset_id = 3$$,
	$$VALUES ('Asset "M-1" is excluded from term 1 of contract S-2 by rule "no motors"'), ('Asset "M-1" does not meet what rule "fans only" of term 1 of contract S-2 requires')$$, 'rules that take cover away');
UPDATE fleet.asset SET category = 'fan', asset_tag = 'M-10' WHERE asset_tag = 'M-1';
SELECT set_eq($$SELECT regexp_replace(message, ': .*', '') FROM fleet.explain_change((SELECT max(audit_id) FROM fleet.audit_log WHERE table_name = 'asset')) WHERE section = 'decision' AND rule_id > 2$$,
	$$VALUES ('Asset "M-10" is no longer excluded from term 1 of contract S-2 by rule "no motors"'), ('Asset "M-10" meets again what rule "fans only" of term 1 of contract S-2 requires')$$, 'and give it back');
SELECT throws_ok('SELECT * FROM fleet.explain_change(99999)', '23503', 'there is no entry 99999 in the audit log', 'an entry that is not there');
SELECT throws_ok('SELECT * FROM fleet.explain_change(NULL)', '23503', 'there is no entry NULL in the audit log', 'no entry');
-- Findings bear the instant of the statement that opens or closes them.
INSERT INTO fleet.asset (asset_tag, commissioned_on) VALUES ('Z-1', '2026-02-01');
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (3, 'Z-1', '[2026-02-01,2099-01-01)');
CREATE FUNCTION pg_temp.told() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', e.term_id, e.first_day, e.last_day, e.message), E'\n')
	FROM fleet.explain_change((SELECT max(audit_id) FROM fleet.audit_log WHERE table_name = 'asset')) AS e WHERE e.section = 'finding' $$;
UPDATE fleet.asset SET decommissioned_on = '2090-10-31' WHERE asset_tag = 'Z-1';
SELECT is(pg_temp.told(), '3 2090-11-01 2098-12-31 Opens outlives_decommissioning: Asset Z-1 is decommissioned on 2090-10-31, but its line of term 1 of contract S-2 runs through 2098-12-31.', 'a finding that a change opened');
UPDATE fleet.asset SET decommissioned_on = NULL WHERE asset_tag = 'Z-1';
SELECT is(pg_temp.told(), '3 2090-11-01 2098-12-31 Closes outlives_decommissioning: Asset Z-1 is decommissioned on 2090-10-31, but its line of term 1 of contract S-2 runs through 2098-12-31.', 'and that another one closed');
-- An erased one says so, and what it did stays.
SELECT fleet.seal_audit() \g /dev/null
SELECT fleet.erase_audit(:retired, 'request 7') \g /dev/null
SELECT pg_temp.rows_eq(format('SELECT section, regexp_replace(message, '' by .*:'', '':'') FROM fleet.explain_change(%s) WHERE section <> ''finding''', :retired), $$VALUES
	('statement', 'UPDATE of asset 1: its values were erased.'), ('coverage', 'Asset "P-1" lost cover under term 1 of contract S-1: 2026-11-01 to 2026-12-31.')$$, 'an entry that was erased');
-- By refresh and recompute_coverage.
SELECT is((SELECT fleet.recompute_coverage()), 0::bigint, 'all is as defined');
SELECT is_empty('SELECT * FROM fleet.verify_history()', 'and was never other than the log says');
SELECT * FROM finish();
DROP OWNED BY people_auditor, people_analyst;
DROP ROLE people_auditor, people_analyst;
