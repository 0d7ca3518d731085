-- Other systems are told of errors that are found and of those that are mended: once a kind, contract and statement, and of none that
-- opens and closes in one transaction, or that somebody waives.
SET client_min_messages = error;
SELECT plan(14);
SELECT cec.create_portfolio('fleet') \g /dev/null
SET search_path = fleet, public, pg_temp;
UPDATE setting SET duplicates_allowed = true;
INSERT INTO customer (name) VALUES ('Harbour');
INSERT INTO contract (number, customer_id, status, during) SELECT 'C-' || g, 1, 'active', '(,)' FROM generate_series(1, 2) g;
INSERT INTO coverage_term (contract_id, number, during) SELECT g, '1', '(,)' FROM generate_series(1, 2) g;
INSERT INTO asset (asset_tag, commissioned_on) SELECT 'T-' || g, '2019-01-01' FROM generate_series(1, 300) g;
INSERT INTO inclusion (term_id, asset_id, during) SELECT 1, g, '(,)' FROM generate_series(1, 200) g;
CREATE FUNCTION pg_temp.told() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s/%s', type, payload ->> 'count', jsonb_array_length(payload -> 'findings')), ', ' ORDER BY outbox_id)
	FROM fleet.outbox WHERE type LIKE 'finding.%' AND xid = pg_current_xact_id()
$$;
BEGIN;
INSERT INTO inclusion (term_id, asset_id, during) SELECT 2, g, '(,)' FROM generate_series(1, 150) g;
SELECT is(pg_temp.told(), 'finding.opened 150/100', 'one event, the first hundred in it');
SELECT is((SELECT payload - 'findings' - 'actor' FROM outbox WHERE type = 'finding.opened'),
	'{"kind": "duplicate_cover", "severity": "error", "contract_id": 1, "contract_number": "C-1", "count": 150}'::jsonb, 'what it says');
SELECT is((SELECT (payload -> 'findings' -> 0) - 'finding_id' FROM outbox WHERE type = 'finding.opened'),
	'{"asset_id": 1, "subject": "contract:2", "message": "Asset T-1 is covered by both contract C-1 and contract C-2, of kind service, from 2019-01-01 on."}'::jsonb,
	'and of a finding');
COMMIT;
BEGIN;
DELETE FROM inclusion WHERE term_id = 2 AND asset_id > 140;
SELECT is(pg_temp.told(), 'finding.closed 10/10', 'mended');
INSERT INTO inclusion (term_id, asset_id, during) SELECT 2, g, '(,)' FROM generate_series(160, 170) g;
SAVEPOINT a;
DELETE FROM inclusion WHERE term_id = 2 AND asset_id BETWEEN 161 AND 170;
SELECT is(pg_temp.told(), 'finding.closed 10/10, finding.opened 1/1', 'what opened before in the transaction was not there');
ROLLBACK TO a;
SELECT is(pg_temp.told(), 'finding.closed 10/10, finding.opened 11/11', 'until that is undone');
DELETE FROM inclusion WHERE term_id = 2 AND asset_id >= 160;
SELECT is(pg_temp.told(), 'finding.closed 10/10', 'none of them');
COMMIT;
BEGIN;
INSERT INTO finding_waiver (kind, contract_id, reason, waived_by) VALUES ('duplicate_cover', 1, 'known', 'me');
INSERT INTO inclusion (term_id, asset_id, during) SELECT 2, g, '(,)' FROM generate_series(160, 170) g;
SELECT is(pg_temp.told(), NULL, 'nothing of what is waived');
UPDATE asset SET status = 'retired', decommissioned_on = '2020-01-01' WHERE asset_id = 1;
SELECT is((SELECT count(*) FROM outbox WHERE xid = pg_current_xact_id() AND type = 'finding.opened'), 0::bigint, 'nor of warnings');
COMMIT;

BEGIN;
SELECT is(pg_temp.told(), NULL, 'nothing has happened yet');
DELETE FROM inclusion WHERE term_id = 2 AND asset_id = 160;
INSERT INTO inclusion (term_id, asset_id, during) VALUES (2, 171, '(,)');
DELETE FROM finding_waiver;
DELETE FROM inclusion WHERE term_id = 2 AND asset_id = 171;
SELECT is(pg_temp.told(), NULL, 'nor of what was waived when it opened in the transaction that closes it');
-- One that was there before says something else first, and is closed then.
UPDATE asset SET asset_tag = 'renamed' WHERE asset_id = 2;
DELETE FROM inclusion WHERE term_id = 2 AND asset_id = 2;
SELECT is(pg_temp.told(), 'finding.closed 1/1', 'one that was renamed in the transaction was there before');
-- Another portfolio has findings of the same numbers.
SELECT cec.create_portfolio('other') \g /dev/null
INSERT INTO other.setting SELECT * FROM setting ON CONFLICT (setting_id) DO UPDATE SET duplicates_allowed = true;
INSERT INTO other.customer (name) VALUES ('Harbour');
INSERT INTO other.contract (number, customer_id, status, during) SELECT 'C-' || g, 1, 'active', '[2019-01-01,)' FROM generate_series(1, 2) g;
INSERT INTO other.coverage_term (contract_id, number, during) SELECT g, '1', '(,)' FROM generate_series(1, 2) g;
INSERT INTO other.asset (asset_tag, commissioned_on) SELECT 'T-' || g, '2019-01-01' FROM generate_series(1, 250) g;
INSERT INTO other.inclusion (term_id, asset_id, during) SELECT t, g, '(,)' FROM generate_series(1, 250) g, generate_series(1, 2) t;
DELETE FROM inclusion WHERE term_id = 2 AND asset_id = 3;
SELECT is(pg_temp.told(), 'finding.closed 1/1, finding.closed 1/1', 'nor is one opened by it of another portfolio with the same number');
COMMIT;
-- Transactions that come in one query begin at one instant.
DELETE FROM outbox;
BEGIN\; INSERT INTO inclusion (term_id, asset_id, during) VALUES (2, 180, '(,)')\; COMMIT\; BEGIN\; DELETE FROM inclusion WHERE term_id = 2 AND asset_id = 180\; INSERT INTO inclusion (term_id, asset_id, during) VALUES (2, 180, '(,)')\; COMMIT\; BEGIN\; DELETE FROM inclusion WHERE term_id = 2 AND asset_id = 180\; COMMIT;
SELECT is((SELECT string_agg(type, ', ' ORDER BY outbox_id) FROM outbox), 'finding.opened, finding.closed, finding.opened, finding.closed', 'transactions of one query are told apart');
