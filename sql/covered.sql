-- Questions about coverage: covered, covered_on, explain_coverage, and the views for reports.
SET datestyle = ISO;
SET timezone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_fleet_admin;
SELECT cec.create_portfolio('fleet');
SELECT cec.grant_access('fleet', 'regress_fleet_admin', 'admin');
SET ROLE regress_fleet_admin;
UPDATE fleet.setting SET duplicates_allowed = true;
INSERT INTO fleet.customer (name) VALUES ('Acme');

-- Precedence. The press is listed on contracts, and goes with the line on others. Each row comes after the one above it for
-- the reason in its last column; all that is compared later speaks for the other order.
INSERT INTO fleet.service_tier (code, name, rank) VALUES ('bronze', 'Bronze', 1), ('silver', 'Silver', 2), ('gold', 'Gold', 3);
INSERT INTO fleet.asset (asset_tag) VALUES ('press'), ('line');
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('line', 2);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 1, '[2026-01-01,)');
CREATE TEMP TABLE wanted (place integer, kind text, asset_tag text, tier text, priority integer, last_day date, number text, term text, because text);
INSERT INTO wanted VALUES
	(1, 'warranty', 'line', NULL, 900, '2026-12-20', 'z', '9', NULL),
	(2, 'extended_warranty', 'line', NULL, 800, '2026-12-21', 'y', '9', 'kind'),
	(3, 'service', 'press', 'silver', 700, '2026-12-22', 'x', '9', 'kind'),
	(4, 'service', 'press', 'bronze', 20, '2026-12-23', 'w', '9', 'tier rank'),
	(5, 'service', 'press', NULL, 10, '2026-12-24', 'v', '9', 'a tier before none'),
	(6, 'service', 'press', NULL, 11, NULL, 'u', '9', 'priority'),
	(7, 'service', 'press', NULL, 11, '2026-12-31', 't', '9', 'no end before one'),
	(8, 'service', 'press', NULL, 11, '2026-12-30', 'r', '2', 'later end'),
	(9, 'service', 'press', NULL, 11, '2026-12-30', 's', '1', 'contract number'),
	(10, 'service', 'press', NULL, 11, '2026-12-30', 's', '2', 'term number'),
	(11, 'service', 'line', 'gold', 1, NULL, 'a', '1', 'stated before inherited'),
	(12, 'lease', 'press', 'gold', 1, NULL, 'b', '1', 'kind');
INSERT INTO fleet.contract (number, customer_id, kind, status, during, priority)
	SELECT DISTINCT ON (number) number, 1, kind, 'active', '[2026-01-01,)'::daterange, priority FROM wanted;
INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during)
	SELECT c.contract_id, w.term, s.tier_id, daterange('2026-01-01', w.last_day, '[]')
	FROM wanted w JOIN fleet.contract c USING (number) LEFT JOIN fleet.service_tier s ON s.code = w.tier ORDER BY w.place DESC;
INSERT INTO fleet.inclusion (term_id, listed_as, during)
	SELECT t.term_id, w.asset_tag, '[2026-01-01,)' FROM wanted w JOIN fleet.contract c USING (number)
		JOIN fleet.coverage_term t ON t.contract_id = c.contract_id AND t.number = w.term;
SELECT v.rank, v.contract_number AS number, t.number AS term, c.kind, v.is_stated, v.is_inherited, v.tier_code, c.priority, v.last_day, w.because
FROM fleet.covered_on('press', '2026-07-01') v JOIN fleet.coverage_term t USING (term_id) JOIN fleet.contract c ON c.contract_id = v.contract_id
	JOIN wanted w ON w.number = v.contract_number AND w.term = t.number ORDER BY v.rank;
-- Most rows end before the last: only what covers the day counts.
SELECT rank, contract_number, last_day FROM fleet.covered_on('press', '2026-12-31');

-- A day is that of the contract: one in each zone, all to the end of October 2020 and again the first of November.
INSERT INTO fleet.asset (asset_tag) VALUES ('clock'), ('watch');
INSERT INTO fleet.contract (number, customer_id, status, during, time_zone)
	SELECT zone || part, 1, 'active', days::daterange, zone
	FROM unnest(ARRAY['UTC', 'America/Havana', 'Pacific/Apia', 'Asia/Kolkata']) AS zone,
		(VALUES (' October', '[2020-10-01,2020-10-31]'), (' November', '[2020-11-01,2020-11-01]')) AS p(part, days);
INSERT INTO fleet.coverage_term (contract_id, number, during)
	SELECT contract_id, '1', during FROM fleet.contract WHERE time_zone <> 'UTC' OR number ~ '^UTC' ORDER BY number;
INSERT INTO fleet.inclusion (term_id, listed_as, during)
	SELECT t.term_id, 'clock', t.during FROM fleet.coverage_term t JOIN fleet.contract c USING (contract_id) WHERE c.number ~ 'October|November';
CREATE TEMP VIEW asked AS
SELECT at::timestamptz AS at, what FROM (VALUES
	('2020-10-31 09:59:59.999999Z', 'last instant of October in Apia'),
	('2020-10-31 10:00:00Z', 'first of November in Apia'),
	('2020-10-31 18:29:59.999999Z', 'last instant of October in India'),
	('2020-10-31 18:30:00Z', 'first of November in India'),
	('2020-10-31 23:59:59.999999Z', 'last instant of October in UTC'),
	('2020-11-01 00:00:00Z', 'first of November in UTC'),
	('2020-11-01 03:59:59.999999Z', 'last instant of October in Havana'),
	('2020-11-01 04:00:00Z', 'midnight in Havana'),
	('2020-11-01 04:59:59.999999Z', '00:59:59 in Havana'),
	('2020-11-01 05:00:00Z', 'midnight in Havana once more'),
	('2020-11-01 10:00:00Z', 'over in Apia'),
	('2020-11-02 04:59:59.999999Z', 'last instant of 1 November in Havana'),
	('2020-11-02 05:00:00Z', 'over in Havana')) AS a(at, what);
SELECT a.at, a.what, string_agg(v.contract_number, ', ' ORDER BY v.contract_number) AS covered
FROM asked a LEFT JOIN fleet.covered('clock', a.at) v ON true GROUP BY a.at, a.what ORDER BY a.at;
-- The session's zone makes no difference, nor does the portfolio's.
SET timezone = 'Pacific/Kiritimati';
UPDATE fleet.setting SET time_zone = 'Pacific/Pago_Pago';
SELECT count(*) AS differences FROM (
	SELECT a.at, v.contract_number FROM asked a, fleet.covered('clock', a.at) v
	EXCEPT SELECT a.at, c.number FROM asked a, fleet.contract c
	WHERE c.number ~ 'October|November' AND c.during @> (a.at AT TIME ZONE c.time_zone)::date) AS d;
SET timezone = 'UTC';
UPDATE fleet.setting SET time_zone = 'UTC';
-- Midnight that is not: in Havana 2020-03-08 begins at one o'clock.
INSERT INTO fleet.contract (number, customer_id, status, during, time_zone) VALUES
	('spring', 1, 'active', '[2020-03-08,2020-03-08]', 'America/Havana'),
	('before', 1, 'active', '[2011-12-29,2011-12-29]', 'Pacific/Apia'),
	('missing', 1, 'active', '[2011-12-30,2011-12-30]', 'Pacific/Apia'),
	('after', 1, 'active', '[2011-12-31,2011-12-31]', 'Pacific/Apia');
INSERT INTO fleet.coverage_term (contract_id, number, during)
	SELECT contract_id, '1', during FROM fleet.contract WHERE number IN ('spring', 'before', 'missing', 'after');
INSERT INTO fleet.inclusion (term_id, listed_as, during)
	SELECT t.term_id, 'watch', t.during FROM fleet.coverage_term t JOIN fleet.contract c USING (contract_id)
	WHERE c.number IN ('spring', 'before', 'missing', 'after');
-- In Apia 2011-12-29 was followed by the 31st: no instant lies in the 30th, though the day can be asked for.
SELECT a.at, v.contract_number
FROM unnest(ARRAY['2020-03-08 04:59:59.999999Z', '2020-03-08 05:00Z', '2020-03-09 03:59:59.999999Z', '2020-03-09 04:00Z',
	'2011-12-29 09:59:59.999999Z', '2011-12-29 10:00Z', '2011-12-30 09:59:59.999999Z', '2011-12-30 10:00Z',
	'2011-12-31 09:59:59.999999Z', '2011-12-31 10:00Z']::timestamptz[]) AS a(at)
	LEFT JOIN fleet.covered('watch', a.at) v ON true ORDER BY 1, 2;
SELECT contract_number, valid_from, last_day FROM fleet.covered_on('watch', '2011-12-30');

-- An identifier may name several assets: rows of each, and it says so.
INSERT INTO fleet.asset (asset_tag, serial_number, manufacturer) VALUES ('A-1', '4711', 'Alpha'), ('B-1', '4711', 'Beta'), ('C-1', '4712', 'Beta');
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) SELECT asset_id, 'former tag', 'OLD-1', '[2026-01-01,2026-06-30]' FROM fleet.asset WHERE asset_tag = 'A-1';
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) SELECT asset_id, 'former tag', 'OLD-1', '[2026-07-01,)' FROM fleet.asset WHERE asset_tag = 'C-1';
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('several', 1, 'active', '[2026-01-01,2026-12-31]');
INSERT INTO fleet.coverage_term (contract_id, number, during)
	SELECT contract_id, '1', during FROM fleet.contract WHERE number = 'several' RETURNING term_id AS several \gset
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (:several, 'A-1', '[2026-01-01,)'), (:several, 'B-1', '[2026-02-01,)');
SELECT rank, asset_tag, valid_from, last_day, is_stated, is_inherited, is_ruled, is_ambiguous FROM fleet.covered_on('4711', '2026-03-01');
SELECT rank, asset_tag, is_ambiguous FROM fleet.covered_on('4711', '2026-01-31');
SELECT rank, asset_tag, is_ambiguous FROM fleet.covered_on('A-1', '2026-03-01');
-- A former tag names what bore it on the day.
SELECT rank, asset_tag, is_ambiguous FROM fleet.covered_on('OLD-1', '2026-06-30');
SELECT rank, asset_tag, is_ambiguous FROM fleet.covered_on('OLD-1', '2026-07-01');
SELECT rank, asset_tag, is_ambiguous FROM fleet.covered('OLD-1', '2026-06-30 23:59:59.999999Z');
-- Known and not covered is no row; unknown is an error.
SELECT * FROM fleet.covered_on('4712', '2026-03-01');
SELECT * FROM fleet.covered_on('A-1', '2027-01-01');
SELECT * FROM fleet.covered_on('OLD-1', '2025-12-31');
\echo :SQLSTATE
SELECT * FROM fleet.covered('nobody');
SELECT * FROM fleet.covered_on(NULL, '2026-03-01');
\echo :SQLSTATE
SELECT * FROM fleet.covered_on('A-1', NULL);
SELECT * FROM fleet.covered('A-1', 'infinity');
SELECT * FROM fleet.covered_on('press', '-infinity');
SELECT * FROM fleet.coverage_as_of('infinity');
SELECT * FROM fleet.coverage_as_of('2026-07-01', '-infinity');
SELECT * FROM fleet.coverage_as_of(NULL);
SELECT * FROM fleet.coverage_as_of('2026-07-01', NULL);
SELECT * FROM fleet.explain_coverage('press', '-infinity');
-- The first and the last instants of all have a day in any zone; by probes and by the query.
INSERT INTO fleet.asset (asset_tag) VALUES ('ever');
INSERT INTO fleet.contract (number, customer_id, status, during, time_zone)
	SELECT 'ever ' || zone, 1, 'active', '(,)', zone FROM unnest(ARRAY['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Etc/GMT+12', 'Etc/GMT-14']) AS zone;
INSERT INTO fleet.coverage_term (contract_id, number, during) SELECT contract_id, '1', during FROM fleet.contract WHERE number ~ '^ever';
INSERT INTO fleet.inclusion (term_id, listed_as, during)
	SELECT t.term_id, 'ever', t.during FROM fleet.coverage_term t JOIN fleet.contract c USING (contract_id) WHERE c.number ~ '^ever';
SELECT at, count(*) FROM unnest(ARRAY['4714-11-24 00:00:00+00 BC', '294276-12-31 23:59:59.999999+00']::timestamptz[]) AS at, fleet.covered('ever', at) GROUP BY 1 ORDER BY 1;
BEGIN;
DELETE FROM fleet.inclusion i USING fleet.coverage_term t JOIN fleet.contract c USING (contract_id) WHERE i.term_id = t.term_id AND c.number ~ '^ever' AND c.number <> 'ever Etc/GMT-14';
SELECT contract_number FROM fleet.covered('ever', '294276-12-31 23:59:59.999999+00');
SELECT contract_number FROM fleet.covered('ever', '4714-11-24 00:00:00+00 BC');
UPDATE fleet.inclusion i SET term_id = t.term_id FROM fleet.coverage_term t JOIN fleet.contract c USING (contract_id) WHERE i.listed_as = 'ever' AND c.number = 'ever Etc/GMT+12';
SELECT contract_number FROM fleet.covered('ever', '294276-12-31 23:59:59.999999+00');
SELECT contract_number FROM fleet.covered('ever', '4714-11-24 00:00:00+00 BC');
ROLLBACK;

-- Why, and why not: the steps of the definition, of which those that say no.
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('why', 1, 'active', '[2026-01-01,2026-12-31]');
INSERT INTO fleet.coverage_term (contract_id, number, during)
	SELECT contract_id, '1', '[2026-02-01,2026-11-30]' FROM fleet.contract WHERE number = 'why' RETURNING term_id AS why \gset
INSERT INTO fleet.asset (asset_tag) VALUES ('pump') RETURNING asset_id AS pump \gset
INSERT INTO fleet.asset (asset_tag) VALUES ('motor') RETURNING asset_id AS motor \gset
INSERT INTO fleet.asset (asset_tag) VALUES ('gauge') RETURNING asset_id AS gauge \gset
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('pump', :pump) RETURNING bundle_id AS of_pump \gset
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('motor', :motor) RETURNING bundle_id AS of_motor \gset
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (:of_pump, :motor, '[2026-06-01,)'), (:of_motor, :gauge, '[2026-07-01,)');
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (:why, :pump, '[2026-03-01,2026-09-30]');
SELECT step, outcome, reason FROM fleet.explain_coverage('pump', '2026-07-01');
SELECT step, outcome, reason FROM fleet.explain_coverage('motor', '2026-07-01');
SELECT step, outcome, reason FROM fleet.explain_coverage('gauge', '2026-07-01');
\set why_not 'SELECT step, reason FROM fleet.explain_coverage(:''asset'', :''day'') WHERE outcome <> ''yes'' ORDER BY step;'
\set day 2026-07-01
-- The contract.
\set asset pump
BEGIN;
UPDATE fleet.contract SET status = 'draft' WHERE number = 'why';
:why_not
UPDATE fleet.contract SET status = 'void' WHERE number = 'why';
:why_not
UPDATE fleet.contract SET status = 'active', suspensions = '{[2026-06-30,2026-07-02)}' WHERE number = 'why';
:why_not
UPDATE fleet.contract SET status = 'terminated', suspensions = '{}', during = '[2026-01-01,2026-06-30]' WHERE number = 'why';
:why_not
ROLLBACK;
-- The term.
BEGIN;
UPDATE fleet.coverage_term SET during = '[2026-07-02,)' WHERE term_id = :why;
:why_not
ROLLBACK;
-- The asset's life.
BEGIN;
UPDATE fleet.asset SET status = 'planned' WHERE asset_tag = :'asset';
:why_not
UPDATE fleet.asset SET status = 'planned', commissioned_on = '2026-07-02' WHERE asset_tag = :'asset';
:why_not
UPDATE fleet.asset SET status = 'retired', commissioned_on = NULL, decommissioned_on = '2026-06-30' WHERE asset_tag = :'asset';
:why_not
UPDATE fleet.asset SET status = 'in_service', decommissioned_on = NULL, out_of_service = '{[2026-07-01,2026-07-01]}' WHERE asset_tag = :'asset';
:why_not
ROLLBACK;
-- The list, and a carve-out.
\set day 2026-10-01
:why_not
\set day 2026-07-01
BEGIN;
SELECT fleet.exclude_asset(:why, 'pump', :'day', :'day') > 0 AS carved_out;
:why_not
ROLLBACK;
-- The bundle.
\set asset motor
\set day 2026-05-31
:why_not
\set day 2026-10-01
:why_not
\set day 2026-07-01
BEGIN;
UPDATE fleet.coverage_term SET covers_bundles = false WHERE term_id = :why;
:why_not
\set asset gauge
:why_not
ROLLBACK;
BEGIN;
SELECT fleet.exclude_asset(:why, 'motor', :'day', :'day') > 0 AS carved_out;
:why_not
ROLLBACK;
-- On no list at all, and a primary on no list.
DELETE FROM fleet.inclusion WHERE term_id = :why;
SELECT * FROM fleet.explain_coverage('pump', '2026-07-01');
SELECT * FROM fleet.explain_coverage('gauge', '2026-07-01');
SELECT * FROM fleet.explain_coverage('nobody', '2026-07-01');
\echo :SQLSTATE
SELECT * FROM fleet.explain_coverage(NULL);

-- Views. What covers today began long ago or has no end; the rest is far away.
UPDATE fleet.bundle_member SET during = '(,1995-12-31]';
INSERT INTO fleet.contract (number, customer_id, account_manager, kind, status, during) VALUES ('always', 1, 'Anna', 'lease', 'active', '(,)');
UPDATE fleet.asset SET category = 'pump', country = 'NL', customer_id = 1 WHERE asset_tag IN ('pump', 'motor');
INSERT INTO fleet.coverage_term (contract_id, number, tier_id, during)
	SELECT contract_id, '1', 1, '[1990-01-01,)' FROM fleet.contract WHERE number = 'always' RETURNING term_id AS always \gset
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (:always, :pump, '(,)'), (:always, :gauge, '[2999-01-01,2999-12-31]'),
	(:always, :motor, '(,1999-12-31]');
SELECT asset_tag, contract_number, contract_kind, term_number, tier_code, customer, account_manager, category, country, valid_from, last_day, valid_to, is_current, is_stated, is_inherited, is_ruled
FROM fleet.coverage_by_asset WHERE term_id = :always ORDER BY asset_tag, valid_from;
SELECT contract_number, contract_status, term_number, asset_tag, valid_from, last_day, valid_to, is_current
FROM fleet.coverage_by_contract WHERE contract_number = 'always' ORDER BY asset_tag, valid_from;
SELECT asset_tag, contract_number, valid_from, last_day, is_current FROM fleet.coverage_now WHERE term_id = :always ORDER BY asset_tag, valid_from;
-- In its life and covered by nothing: when it was last, and when it will be again.
INSERT INTO fleet.asset (asset_tag, status, commissioned_on, decommissioned_on, out_of_service) VALUES
	('uncovered', 'in_service', NULL, NULL, '{}'), ('planned', 'planned', NULL, NULL, '{}'),
	('planned long ago', 'planned', '1990-01-01', NULL, '{}'), ('to come', 'in_service', '2999-01-01', NULL, '{}'),
	('retired', 'retired', NULL, '1999-01-01', '{}'), ('leaving', 'retired', NULL, '2999-01-01', '{}'), ('gone', 'in_storage', NULL, '1999-01-01', '{}'),
	('absent', 'in_repair', NULL, NULL, '{[1990-01-01,2999-12-31]}');
SELECT asset_tag, status, covered_until, covered_from, customer, account_manager FROM fleet.uncovered_asset
WHERE asset_tag IN ('pump', 'motor', 'gauge', 'uncovered', 'planned', 'planned long ago', 'to come', 'retired', 'leaving', 'gone', 'absent') ORDER BY asset_tag;
SELECT * FROM fleet.verify_coverage();

-- At an instant, an identifier names what it names on the portfolio's day.
BEGIN;
UPDATE fleet.setting SET time_zone = 'Pacific/Apia';
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES
	(:pump, 'berth', 'BERTH-1', '(,2026-06-01)'), (:gauge, 'berth', 'BERTH-1', '[2026-06-01,)');
INSERT INTO fleet.inclusion (term_id, asset_id, during) VALUES (:always, :gauge, '(,2026-12-31]');
SELECT DISTINCT at, c.asset_tag FROM (VALUES ('2026-05-31 23:59 Pacific/Apia'::timestamptz), ('2026-06-01 00:00 Pacific/Apia')) AS v(at),
	fleet.covered('BERTH-1', at) AS c ORDER BY 1;
ROLLBACK;

DROP VIEW asked;
DROP TABLE wanted;
RESET ROLE;
SET client_min_messages = warning;
SELECT cec.drop_portfolio('fleet', 'fleet');
DROP ROLE regress_fleet_admin;
