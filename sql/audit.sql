-- The audit trail: who did what to which row, in all forms of statements and all types of columns.
\getenv source PG_ABS_SRCDIR
\set include :source/sql/include/begin.sql
\i :include
SET ROLE regress_owner;
INSERT INTO fleet.customer (name) VALUES ('Acme');
INSERT INTO fleet.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '[2026-01-01,2027-01-01)'), ('C-2', 1, 'draft', '[2026-01-01,2027-01-01)');
INSERT INTO fleet.coverage_term (contract_id, number, during) VALUES (1, '1', '[2026-01-01,2027-01-01)'), (2, '1', '[2026-01-01,2027-01-01)');
RESET ROLE;

-- Who acted: the session user; what PostgREST says; what the application says. The session user stands beside it.
SET ROLE regress_registry;
INSERT INTO fleet.asset (asset_tag) VALUES ('A-1');
SET request.jwt.claims = '{"sub": "maria@example.org", "role": "regress_registry"}';
INSERT INTO fleet.asset (asset_tag) VALUES ('A-2');
SET request.jwt.claims = '{"role": "regress_registry"}';
INSERT INTO fleet.asset (asset_tag) VALUES ('A-3');
SET request.jwt.claims = '{"sub": 7}';
INSERT INTO fleet.asset (asset_tag) VALUES ('A-4');
SET request.jwt.claims = '';
SET request.jwt.claim.sub = 'older@example.org';
INSERT INTO fleet.asset (asset_tag) VALUES ('A-5');
SET request.jwt.claims = '{"sub": "maria@example.org"}';
SET cec.actor = 'night import';
SET cec.reason = 'yearly count';
SET application_name = 'loader';
INSERT INTO fleet.asset (asset_tag) VALUES ('A-6');
RESET cec.actor;
SET request.jwt.claims = 'not json';
INSERT INTO fleet.asset (asset_tag) VALUES ('A-7');
RESET request.jwt.claims;
SET request.jwt.claim.sub = '';
RESET cec.reason;
RESET application_name;
RESET ROLE;
SET ROLE regress_auditor;
SELECT new_row ->> 'asset_tag', actor, session_user_name = session_user, coalesce(reason, 'no reason'), application_name = 'loader'
FROM fleet.audit_entry WHERE table_name = 'asset' ORDER BY audit_id;

-- One line through its life; another one that is moved to another asset and another contract.
RESET ROLE;
SET ROLE regress_manager;
INSERT INTO fleet.inclusion (term_id, listed_as, during, note) VALUES (1, 'A-1', '[2026-01-01,2026-07-01)', 'first');
UPDATE fleet.inclusion SET during = '[2026-01-01,2026-08-01)', note = NULL WHERE inclusion_id = 1;
UPDATE fleet.inclusion SET note = note WHERE inclusion_id = 1;
UPDATE fleet.inclusion SET note = 'nothing' WHERE false;
DELETE FROM fleet.inclusion WHERE inclusion_id = 1;
INSERT INTO fleet.inclusion (term_id, listed_as, during) VALUES (1, 'A-2', '[2026-01-01,2026-07-01)');
UPDATE fleet.inclusion SET asset_id = 3, term_id = 2, listed_as = 'A-3' WHERE inclusion_id = 2;
UPDATE fleet.inclusion SET inclusion_id = 20 WHERE inclusion_id = 2;
RESET ROLE;
SET ROLE regress_auditor;
SELECT operation, row_id, asset_id, term_id, contract_id, old_row, new_row FROM fleet.audit_entry WHERE table_name = 'inclusion' ORDER BY audit_id;
SELECT operation, row_id, column_name, old_value, new_value FROM fleet.audit_change WHERE table_name = 'inclusion' ORDER BY audit_change_id;
SELECT count(*) - count(DISTINCT audit_change_id) AS keys_that_repeat FROM fleet.audit_change;
-- Both assets and both contracts know of the move.
SELECT 1 AS asset, operation, table_name, row_id FROM fleet.asset_history('A-1');
SELECT 2 AS asset, operation, table_name, row_id FROM fleet.asset_history('A-2');
SELECT 3 AS asset, operation, table_name, row_id FROM fleet.asset_history(identifier => 'A-3');
SELECT 1 AS contract, operation, table_name, row_id FROM fleet.contract_history('C-1');
SELECT 2 AS contract, operation, table_name, row_id FROM fleet.contract_history(contract_number => 'C-2');
SELECT test.refused($$SELECT * FROM fleet.asset_history('A-99')$$);
SELECT test.refused('SELECT * FROM fleet.asset_history(NULL)');
SELECT test.refused($$SELECT * FROM fleet.contract_history('C-99')$$);
SELECT test.refused('SELECT * FROM fleet.contract_history(NULL)');
RESET ROLE;
-- Every table whose rows speak of an asset appears in its history.
SET ROLE regress_owner;
INSERT INTO fleet.asset_identifier (asset_id, scheme, value, during) VALUES (4, 'MAC', '00:11', '(,)');
INSERT INTO fleet.maintenance_event (asset_id, kind, performed_on) VALUES (4, 'inspection', '2026-01-01');
INSERT INTO fleet.service_request (asset_id, opened_at) VALUES (4, '2026-01-01');
INSERT INTO fleet.field_observation (asset_id, observed_at) VALUES (4, '2026-01-01');
INSERT INTO fleet.bundle (name, primary_asset_id) VALUES ('B', 4);
INSERT INTO fleet.bundle_member (bundle_id, asset_id, during) VALUES (1, 5, '(,)');
INSERT INTO fleet.finding_waiver (kind, asset_id, reason) VALUES ('no_location', 4, 'moves');
SELECT table_name FROM fleet.asset_history('A-4');
SELECT table_name FROM fleet.asset_history('A-5');
RESET ROLE;

-- INSERT, UPDATE and DELETE by one MERGE, by ON CONFLICT, by COPY, by a data-modifying WITH.
SET ROLE regress_owner;
CREATE TEMP TABLE before AS SELECT max(audit_id) AS audit_id FROM fleet.audit_log;
MERGE INTO fleet.customer c USING (VALUES ('Acme', 'A'), ('Beta', 'B')) AS n(name, ref) ON c.name = n.name
	WHEN MATCHED THEN UPDATE SET external_ref = n.ref WHEN NOT MATCHED THEN INSERT (name, external_ref) VALUES (n.name, n.ref);
MERGE INTO fleet.customer c USING (VALUES ('Beta')) AS n(name) ON c.name = n.name WHEN MATCHED THEN DELETE;
INSERT INTO fleet.customer (name, external_ref) VALUES ('Acme Ltd', 'A'), ('Ceta', 'C') ON CONFLICT (external_ref) DO UPDATE SET name = excluded.name;
INSERT INTO fleet.customer (name, external_ref) VALUES ('Never', 'A') ON CONFLICT DO NOTHING;
COPY fleet.customer (name, external_ref) FROM stdin;
Delta	D
\.
WITH gone AS (DELETE FROM fleet.customer WHERE external_ref = 'D' RETURNING name)
INSERT INTO fleet.customer (name, external_ref) SELECT name || ' again', 'E' FROM gone;
SELECT operation, old_row - 'customer_id', new_row - 'customer_id' FROM fleet.audit_entry, before WHERE audit_entry.audit_id > before.audit_id ORDER BY audit_entry.audit_id;

-- As many entries as rows, salted each; none of what was rolled back.
UPDATE before SET audit_id = (SELECT max(audit_id) FROM fleet.audit_log);
INSERT INTO fleet.asset (asset_tag) SELECT 'BULK-' || n FROM generate_series(1, 10000) AS n;
UPDATE fleet.asset SET category = 'bulk' WHERE asset_tag LIKE 'BULK-%';
DELETE FROM fleet.asset WHERE asset_tag LIKE 'BULK-%';
SELECT operation, count(*), count(DISTINCT row_id), count(DISTINCT salt), min(length(salt)), count(DISTINCT xid)
FROM fleet.audit_log, before WHERE audit_log.audit_id > before.audit_id GROUP BY operation ORDER BY min(audit_log.audit_id);
SELECT count(*) AS out_of_order FROM (SELECT new_row ->> 'asset_tag' AS tag, row_number() OVER (ORDER BY audit_entry.audit_id) AS n
	FROM fleet.audit_entry, before WHERE audit_entry.audit_id > before.audit_id AND operation = 'INSERT') AS bulk WHERE tag <> 'BULK-' || n;
UPDATE before SET audit_id = (SELECT max(audit_id) FROM fleet.audit_log);
BEGIN;
INSERT INTO fleet.customer (name) VALUES ('gone with the transaction');
ROLLBACK;
BEGIN;
INSERT INTO fleet.customer (name) VALUES ('stays');
SAVEPOINT s;
INSERT INTO fleet.customer (name) VALUES ('gone with the savepoint');
ROLLBACK TO s;
UPDATE fleet.customer SET name = 'stays on' WHERE name = 'stays';
COMMIT;
SELECT operation, new_row ->> 'name', count(*) OVER (PARTITION BY xid) FROM fleet.audit_entry, before
WHERE audit_entry.audit_id > before.audit_id ORDER BY audit_entry.audit_id;

-- An UPDATE leaves an entry of the rows that it changed: none of those whose values are what they were, however they are
-- stored (a long value outside the row, a value that the column came with), and only the columns that differ.
INSERT INTO fleet.customer (name, external_ref) SELECT 'unchanged ' || n, 'U' || n FROM generate_series(1, 5) AS n;
UPDATE fleet.customer SET name = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 500) AS n) WHERE external_ref = 'U4';
ALTER TABLE fleet.customer ADD region text DEFAULT 'EU';
UPDATE before SET audit_id = (SELECT max(audit_id) FROM fleet.audit_log);
UPDATE fleet.customer SET name = name, external_ref = 'U' || customer_id * 0 + substr(external_ref, 2)::int WHERE external_ref LIKE 'U_';
UPDATE fleet.customer SET name = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 500) AS n) WHERE external_ref = 'U4';
INSERT INTO fleet.customer (name, external_ref) VALUES ('unchanged 1', 'U1') ON CONFLICT (external_ref) DO UPDATE SET name = excluded.name;
SELECT count(*) FROM fleet.audit_log, before WHERE audit_log.audit_id > before.audit_id;
UPDATE fleet.customer SET region = CASE external_ref WHEN 'U2' THEN 'UK' ELSE 'EU' END WHERE external_ref LIKE 'U_';
INSERT INTO fleet.customer (name, external_ref) SELECT CASE WHEN n = 3 THEN 'changed' ELSE 'unchanged ' || n END, 'U' || n FROM unnest('{1,2,3,5,6}'::int[]) AS n
	ON CONFLICT (external_ref) DO UPDATE SET name = excluded.name;
SELECT operation, old_row - 'customer_id', new_row - 'customer_id' FROM fleet.audit_entry, before WHERE audit_entry.audit_id > before.audit_id ORDER BY audit_entry.audit_id;
SELECT * FROM fleet.verify_replay() WHERE kind <> 'SCHEMA_CHANGED';
ALTER TABLE fleet.customer DROP region;

-- Columns of any type, added by whoever owns the portfolio: the same bytes whatever the session's settings.
CREATE TYPE fleet.grade AS ENUM ('a', 'b');
CREATE TYPE fleet.pair AS (x timestamptz, y text);
CREATE DOMAIN fleet.percent AS numeric CHECK (VALUE <= 100);
ALTER TABLE fleet.customer
	ADD i2 smallint, ADD i4s integer[], ADD grid text[][], ADD iv interval, ADD num numeric, ADD f4 real, ADD f8 double precision,
	ADD b bytea, ADD u uuid, ADD g fleet.grade, ADD j jsonb, ADD js json, ADD tr tstzrange, ADD tm tstzmultirange, ADD p fleet.percent,
	ADD ts timestamp, ADD tz timestamptz, ADD t time, ADD m money, ADD ip inet, ADD bits bit(3), ADD pr fleet.pair, ADD ps fleet.percent[],
	ADD c char(5), ADD vc varchar(5), ADD bl boolean, ADD geo geometry, ADD x xml, ADD nr numrange, ADD pt point, ADD n name, ADD nothing text;
RESET ROLE;
CREATE FUNCTION test.add_all(ref text) RETURNS void LANGUAGE sql AS $$
INSERT INTO fleet.customer (name, external_ref, i2, i4s, grid, iv, num, f4, f8, b, u, g, j, js, tr, tm, p, ts, tz, t, m, ip, bits, pr, ps, c, vc, bl, geo, x, nr, pt, n)
VALUES ('types', ref, -2, '[0:2]={1,NULL,3}', '{{a,"b c"},{NULL,"\"q\""}}', '1 mon -2 days 03:04:05.6', 'NaN', 1.1, 0.1::float8 + 0.2::float8,
	'\x00ff10', '0e37df36-f698-11e6-8dd4-cb9ced3df976', 'b', '{"b": 1.50, "a": [null, "x"]}', '{"b":1,  "b":2}',
	tstzrange('2026-01-01 00:00+00', 'infinity', '[]'), '{[2026-01-01 00:00+00,2026-01-02 00:00+00),[2026-02-01 00:00+00,)}', 99.90,
	timestamp '2026-03-04 05:06:07.000008', timestamptz '2026-03-04 05:06:07.000008+00', '05:06:07', 12::money, '10.0.0.1/8', B'101', ROW('2026-03-04 05:06:07+00', 'y z'),
	ARRAY[1.5, 2]::fleet.percent[], 'ab', 'abc', true, ST_SetSRID(ST_MakePoint(11.5, 48.1, 3), 4326), '<a/>', '(1,2]', point(0.1::float8 + 0.2::float8, 2.5), 'a name') $$;
GRANT EXECUTE ON FUNCTION test.add_all TO regress_owner;
SET ROLE regress_owner;
SELECT test.add_all('settings one');
SET datestyle = 'German'; SET timezone = 'Asia/Kathmandu'; SET bytea_output = 'escape'; SET intervalstyle = 'iso_8601';
SET extra_float_digits = 0; SET xmloption = 'document'; SET client_encoding = 'LATIN1';
SELECT test.add_all('settings two');
SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; RESET bytea_output; RESET intervalstyle; RESET extra_float_digits; RESET xmloption; RESET client_encoding;
-- The two rows differ in key and external_ref only.
SELECT count(*) AS images, count(DISTINCT replace(substring(encode(row_image, 'hex') FROM 53), encode('settings two', 'hex'), encode('settings one', 'hex'))) AS distinct_images
FROM fleet.audit_entry JOIN fleet.audit_log USING (audit_id) WHERE new_row ->> 'name' = 'types';
SELECT key, value FROM fleet.audit_entry, jsonb_each(new_row) WHERE new_row ->> 'external_ref' = 'settings one' ORDER BY key COLLATE "C";
-- Decoding does not follow the reader's settings either.
SET datestyle = 'German'; SET timezone = 'Asia/Kathmandu'; SET bytea_output = 'escape'; SET intervalstyle = 'iso_8601'; SET extra_float_digits = 0;
CREATE TEMP TABLE read_elsewhere AS SELECT new_row FROM fleet.audit_entry WHERE new_row ->> 'name' = 'types';
SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; RESET bytea_output; RESET intervalstyle; RESET extra_float_digits;
SELECT count(*) AS entries_that_read_differently FROM fleet.audit_entry e
WHERE new_row ->> 'name' = 'types' AND NOT EXISTS (SELECT FROM read_elsewhere r WHERE r.new_row = e.new_row);
-- What is written is what is read: the values go back into their columns.
SELECT count(*) AS columns_that_do_not_return FROM (
	SELECT key, value FROM fleet.customer AS stored, jsonb_each_text(to_jsonb(stored)) WHERE external_ref = 'settings one'
		AND key NOT IN ('js', 'geo', 'pr', 'i4s', 'tm', 'tr', 'iv', 'b')) AS stored
	LEFT JOIN (SELECT key, value FROM fleet.audit_entry, jsonb_each_text(new_row) WHERE new_row ->> 'external_ref' = 'settings one') AS logged USING (key)
WHERE stored.value IS DISTINCT FROM logged.value;
-- NULL, and to and from it.
UPDATE fleet.customer SET num = NULL, i4s = NULL, tr = 'empty', nothing = 'something' WHERE external_ref = 'settings one';
SELECT column_name, old_value, new_value FROM fleet.audit_change
WHERE table_name = 'customer' AND operation = 'UPDATE' AND row_id = (SELECT customer_id FROM fleet.customer WHERE external_ref = 'settings one') ORDER BY column_name COLLATE "C";

-- Columns renamed, retyped, dropped, types dropped: old entries still say what they said.
ALTER TABLE fleet.customer RENAME num TO amount;
ALTER TABLE fleet.customer ALTER amount TYPE text;
ALTER TABLE fleet.customer DROP g, DROP pr, DROP p, DROP ps;
DROP TYPE fleet.grade, fleet.pair;
DROP DOMAIN fleet.percent;
UPDATE fleet.customer SET amount = 'twelve' WHERE external_ref = 'settings two';
SELECT old_row, new_row FROM fleet.audit_entry WHERE operation = 'UPDATE' ORDER BY audit_id DESC LIMIT 1;
SELECT new_row -> 'num' AS num, new_row -> 'g' AS g, new_row -> 'ps' AS ps, new_row ->> 'pr' AS pr FROM fleet.audit_entry
WHERE new_row ->> 'external_ref' = 'settings two' ORDER BY audit_id LIMIT 1;
SELECT cardinality(column_names) AS columns, count(*) FROM fleet.audit_schema WHERE table_name = 'customer' GROUP BY 1 ORDER BY 1;
-- The column list of a transaction that was rolled back is written by the next one.
BEGIN;
ALTER TABLE fleet.service_tier ADD extra integer;
INSERT INTO fleet.service_tier (code, name, rank, extra) VALUES ('t', 'T', 1, 1);
ROLLBACK;
INSERT INTO fleet.service_tier (code, name, rank) VALUES ('t', 'T', 1);
BEGIN;
INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'rolled back', 'true', '(,)');
ROLLBACK;
INSERT INTO fleet.regulation (country, title, requirement, during) VALUES ('DE', 'kept', 'true', '(,)');
SELECT table_name, new_row FROM fleet.audit_entry WHERE table_name IN ('service_tier', 'regulation') ORDER BY audit_id;
SELECT count(*) AS entries_without_columns FROM fleet.audit_entry WHERE old_row IS NULL AND new_row IS NULL;

-- The log only grows, also for its owner and for a superuser, also past the triggers' usual off-switch.
SELECT test.refused('UPDATE fleet.audit_log SET actor = $q$nobody$q$');
SELECT test.refused('DELETE FROM fleet.audit_log');
SELECT test.refused('TRUNCATE fleet.audit_log');
SELECT test.refused('DELETE FROM fleet.audit_schema');
SELECT test.refused('UPDATE fleet.audit_schema SET table_name = table_name WHERE false');
RESET ROLE;
SELECT test.refused('DELETE FROM fleet.audit_log');
SET session_replication_role = replica;
SELECT test.refused('DELETE FROM fleet.audit_log');
CREATE TEMP TABLE superuser_before AS SELECT max(audit_id) AS audit_id FROM fleet.audit_log;
INSERT INTO fleet.customer (name) VALUES ('as a replica');
RESET session_replication_role;
SELECT count(*) FROM fleet.audit_log, superuser_before WHERE audit_log.audit_id > superuser_before.audit_id;
SET ROLE regress_manager;
SELECT test.refused($$INSERT INTO fleet.audit_log (xid, system_id, at, actor, session_user_name, table_name, operation, row_id)
	VALUES ('1', 1, now(), 'me', 'me', 'asset', 'INSERT', 1)$$);
SELECT test.refused($$SELECT * FROM fleet.asset_history('A-1')$$);
RESET ROLE;
-- An image that does not fit is said to be damaged, and nothing worse; an erased one reads as NULL.
SELECT test.refused($$SELECT cec.decode_row_image('\x01', 'INSERT', 'new', '{a}', '{text}')$$);
SELECT test.refused($$SELECT cec.decode_row_image('\x01' || decode(repeat('00', 16), 'hex') || '\x05', 'INSERT', 'new', '{a}', '{text}')$$);
SELECT test.refused($$SELECT cec.decode_row_image('\x01' || decode(repeat('00', 16), 'hex') || '\x0241', 'INSERT', 'new', '{a}', '{rune}')$$);
SELECT test.refused($$SELECT cec.decode_row_image('\x01' || decode(repeat('00', 16), 'hex') || '\x024142', 'INSERT', 'new', '{a}', '{text}')$$);
SELECT test.refused($$SELECT cec.decode_row_image('\x01' || decode(repeat('00', 16), 'hex') || '\x02ff', 'INSERT', 'new', '{a}', '{text}')$$);
SELECT test.refused($$SELECT cec.decode_row_image('\x01' || decode(repeat('00', 16), 'hex') || '\x027b', 'INSERT', 'new', '{a}', '{json}')$$);
SELECT test.refused($$SELECT cec.decode_row_image('\x01' || decode(repeat('00', 16), 'hex') || '\x0201', 'INSERT', 'new', '{a}', '{int8}')$$);
SELECT test.refused($$SELECT cec.decode_row_image('\x01' || decode(repeat('00', 16), 'hex') || '\x0a01' || '\x7fffffff00000001', 'INSERT', 'new', '{a}', '{array:text}')$$);
SELECT test.refused($$SELECT cec.decode_row_image('\x01' || decode(repeat('00', 16), 'hex') || '\x0201', 'INSERT', 'new', '{a,NULL}', '{text,NULL}')$$);
SELECT test.refused($$SELECT cec.decode_row_image('\x01' || decode(repeat('00', 16), 'hex') || '\x0261', 'INSERT', 'new', '{{a,b}}', '{text,text}')$$);
SELECT cec.decode_row_image('\x01' || decode(repeat('00', 16), 'hex') || '\x0261', 'INSERT', 'new', '{a}', '{text}'),
	cec.decode_row_image(NULL, 'INSERT', 'new', '{a}', '{text}'), cec.decode_row_image('\x00', 'DELETE', 'new', '{a}', '{text}');

\set include :source/sql/include/end.sql
\i :include
