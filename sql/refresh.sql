-- What depends on the day, and who hears of cover that changes by a statement, by refresh and by recompute_coverage.
\set ON_ERROR_STOP 0
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT cec.create_portfolio('days');
-- The portfolio is where it is noon, so that no day ends meanwhile.
UPDATE days.setting SET time_zone = 'Etc/GMT' || to_char(extract(hour FROM now() AT TIME ZONE 'UTC') - 12, 'FMSG99');
INSERT INTO days.customer (name) VALUES ('Acme');
INSERT INTO days.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '(,)'), ('C-2', 1, 'active', '(,)'), ('C-3', 1, 'draft', '(,)');
INSERT INTO days.coverage_term (contract_id, number, during) VALUES (1, '1', '[2020-01-01,)'), (2, '1', '[2020-01-01,)'), (3, '1', '[2020-01-01,)'), (3, '2', '[2040-01-01,)');
INSERT INTO days.asset (asset_tag) VALUES ('A-1'), ('A-2'), ('A-3');
INSERT INTO days.inclusion (term_id, asset_id, during) VALUES (1, 1, '[2020-01-01,)'), (3, 1, '[2020-01-01,)'), (4, 1, '[2020-01-01,)');
SET client_min_messages = notice;
SELECT * FROM days.refresh();

-- A rule that acts from tomorrow on: the run that finds it does so says what it covers twice; a forecast is made anew, and says so again.
DO $$ BEGIN EXECUTE format('INSERT INTO days.coverage_rule (term_id, name, effect, condition, during) VALUES (2, ''soon'', ''include'', %L, ''(,)'')', format('as_of > date %L AND asset_tag <> ''A-3''', to_char(cec.today('days'), 'YYYY-MM-DD'))); END $$;
SELECT * FROM days.refresh(cec.today('days') + 1);
SELECT * FROM days.refresh(cec.today('days') + 1);
SELECT asset_id, term_id, lower(during) = cec.today('days') + 1 AS from_tomorrow, is_stated, is_ruled FROM days.coverage ORDER BY 1, 2;

-- A contract that becomes active; and one that is suspended on days on which it covers nothing.
UPDATE days.contract SET status = 'active' WHERE number = 'C-3';
UPDATE days.contract SET suspensions = '{[2010-01-01,2010-02-01)}' WHERE number = 'C-3';
-- Days that are merely taken away, from a contract whose assets are covered twice, and from a term, are told of by nobody; days given back are.
UPDATE days.contract SET during = '(,2090-01-01)' WHERE number = 'C-3';
UPDATE days.coverage_term SET during = '[2021-01-01,)' WHERE term_id = 3;
UPDATE days.coverage_term SET during = '[2020-01-01,)' WHERE term_id = 3;
-- Nor when a term begins earlier on days on which another term of its contract covers already.
UPDATE days.coverage_term SET during = '[2030-01-01,)' WHERE term_id = 4;


-- Damage that is mended, as of today: a forecast is not.
ALTER TABLE days.coverage DISABLE TRIGGER derived;
DELETE FROM days.coverage WHERE asset_id = 1 AND term_id = 3;
SELECT cec.upgrade_portfolio('days');
SELECT days.recompute_coverage();
ALTER TABLE days.coverage DISABLE TRIGGER derived;
DELETE FROM days.coverage WHERE asset_id = 1 AND term_id = 1;
SELECT cec.upgrade_portfolio('days');
SELECT days.recompute_coverage();
SELECT days.recompute_coverage();
SELECT * FROM days.verify_coverage();
SET client_min_messages = warning;
SELECT cec.drop_portfolio('days', 'days');
