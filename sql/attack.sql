-- Roles that may little try to do more, and tables that are not what they seem.
CREATE ROLE attack_owner NOLOGIN;
CREATE ROLE attack_manager NOLOGIN;
CREATE ROLE attack_nobody NOLOGIN;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO attack_nobody', current_database()); END $$;
SELECT cec.create_portfolio('attacked', 'attack_owner');
SET ROLE attack_owner;
SELECT cec.grant_access('attacked', 'attack_manager', 'manager');
INSERT INTO attacked.customer (name) VALUES ('Acme');
INSERT INTO attacked.service_tier (code, name, rank) VALUES ('gold', 'Gold', 1);
INSERT INTO attacked.asset (asset_tag) SELECT 'A-' || g FROM generate_series(1, 3) AS g;
INSERT INTO attacked.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '[2026-01-01,2027-01-01)');
INSERT INTO attacked.coverage_term (contract_id, number, tier_id, during) VALUES (1, 1, 1, '[2026-01-01,2027-01-01)');

-- Operators of a caller's own, first in his search_path, do not run as the owner of the tables.
SET ROLE attack_nobody;
CREATE SCHEMA evil;
GRANT ALL ON SCHEMA evil TO PUBLIC;
CREATE FUNCTION evil.equal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 'attack_manager' THEN
		RAISE EXCEPTION 'ran as %', current_user;
	END IF;
	RETURN $1 OPERATOR(pg_catalog.=) $2;
END;
$$;
CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.equal);
SET ROLE attack_manager;
SET search_path = evil, pg_catalog;
INSERT INTO attacked.inclusion (term_id, listed_as, during) VALUES (1, 'A-1', '[2026-02-01,2026-03-01)');
INSERT INTO attacked.inclusion (term_id, listed_as, during) VALUES (1, 'A-1', '[2026-02-01,2026-03-01)');
RESET search_path;

-- A view in the place of the setting table does not run as the one who lists the portfolios.
SET ROLE attack_nobody;
CREATE SCHEMA posing;
CREATE FUNCTION posing.trap() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'ran as %', current_user; END; $$;
CREATE VIEW posing.setting AS SELECT posing.trap() AS version;
CREATE TRIGGER pose AFTER INSERT ON posing.setting FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('setting');
RESET ROLE;
SELECT name, version FROM cec.portfolio WHERE name = 'posing';
DROP SCHEMA posing CASCADE;
SET ROLE attack_nobody;
CREATE SCHEMA posing;
CREATE TABLE posing.setting (version text);
CREATE FUNCTION posing.trap() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'ran as %', current_user; END; $$;
CREATE POLICY trap ON posing.setting USING (posing.trap());
ALTER TABLE posing.setting ENABLE ROW LEVEL SECURITY;
INSERT INTO posing.setting VALUES ('1');
GRANT USAGE ON SCHEMA posing TO PUBLIC;
GRANT SELECT ON posing.setting TO PUBLIC;
CREATE TRIGGER pose AFTER INSERT ON posing.setting FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('setting');
SET ROLE attack_manager;
SELECT name, version FROM cec.portfolio WHERE name = 'posing';

-- Engine triggers on tables that lack what they need, or have it otherwise: errors, and nothing worse.
SET ROLE attack_nobody;
CREATE TABLE posing.gate ();
CREATE VIEW posing.audit_log AS SELECT;
CREATE TABLE posing.untyped (inclusion_id text PRIMARY KEY, asset_id text, term_id text, during text, effect integer, listed_as integer);
CREATE TRIGGER pose AFTER INSERT ON posing.untyped REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('inclusion');
INSERT INTO posing.untyped VALUES ('1', '1', '1', '1', 1, 1);
DROP VIEW posing.audit_log;
CREATE TABLE posing.audit_log ();
INSERT INTO posing.untyped VALUES ('1', '1', '1', '1', 1, 1);
DROP TRIGGER pose ON posing.untyped;
CREATE TRIGGER pose AFTER INSERT ON posing.untyped REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('coverage_term');
INSERT INTO posing.untyped VALUES ('1', '1', '1', '1', 1, 1);
DROP TRIGGER pose ON posing.untyped;
CREATE TRIGGER pose BEFORE INSERT ON posing.untyped FOR EACH ROW EXECUTE FUNCTION cec.resolve_listed_as();
INSERT INTO posing.untyped VALUES ('1', '1', '1', '1', 1, 1);
DROP TRIGGER pose ON posing.untyped;
CREATE TRIGGER pose BEFORE DELETE ON posing.untyped FOR EACH ROW EXECUTE FUNCTION cec.keep_listed_asset();
INSERT INTO posing.untyped VALUES ('1', '1', '1', '1', 1, 1);
DELETE FROM posing.untyped;
CREATE TABLE posing.empty ();
CREATE TRIGGER pose AFTER INSERT ON posing.empty REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('inclusion');
INSERT INTO posing.empty DEFAULT VALUES;
DROP TRIGGER pose ON posing.empty;
CREATE TRIGGER pose AFTER INSERT ON posing.empty REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('customer');
INSERT INTO posing.empty DEFAULT VALUES;
CREATE TABLE posing.keyed (keyed_id bigint PRIMARY KEY);
CREATE TRIGGER pose AFTER INSERT ON posing.keyed REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('keyed');
DROP TABLE posing.audit_log;
RESET ROLE;
GRANT SELECT ON attacked.audit_log, attacked.audit_schema TO attack_nobody;
GRANT USAGE ON SCHEMA attacked TO attack_nobody;
SET ROLE attack_nobody;
CREATE TABLE posing.audit_schema (LIKE attacked.audit_schema INCLUDING ALL);
CREATE VIEW posing.audit_log AS SELECT * FROM attacked.audit_log;
INSERT INTO posing.keyed VALUES (1);
DROP VIEW posing.audit_log;
CREATE TABLE posing.audit_log (LIKE attacked.audit_log INCLUDING ALL);
ALTER TABLE posing.audit_log ALTER COLUMN row_image TYPE integer USING NULL;
INSERT INTO posing.keyed VALUES (1);
ALTER TABLE posing.audit_log ALTER COLUMN row_image TYPE bytea USING NULL;
ALTER TABLE posing.audit_log ADD COLUMN extra text NOT NULL;
INSERT INTO posing.keyed VALUES (1);
ALTER TABLE posing.audit_log ALTER COLUMN extra DROP NOT NULL;
INSERT INTO posing.keyed VALUES (1);
SELECT table_name, operation, row_id, extra FROM posing.audit_log;

-- NULL where the owner took the NOT NULL away.
SET ROLE attack_owner;
ALTER TABLE attacked.inclusion ALTER effect DROP NOT NULL;
INSERT INTO attacked.inclusion (term_id, asset_id, during, effect) VALUES (1, 2, '[2026-02-01,2026-03-01)', NULL);
ALTER TABLE attacked.inclusion ALTER effect SET NOT NULL;

-- Row images made up to exhaust the stack or to smuggle in bytes that are no text.
SET ROLE attack_nobody;
WITH nest AS (
	SELECT n, 15 * (100000 - n) + 1 AS length FROM generate_series(0, 100000) AS n
), image AS (
	SELECT string_agg(decode(CASE WHEN n > 0 THEN '010000000100000000' ELSE '' END || lpad(to_hex(128 | (length & 127)), 2, '0')
		|| lpad(to_hex(128 | ((length >> 7) & 127)), 2, '0') || lpad(to_hex(128 | ((length >> 14) & 127)), 2, '0') || '808000', 'hex'), '' ORDER BY n) AS bytes
	FROM nest
)
SELECT cec.decode_row_image('\x01'::bytea || decode(repeat('00', 16), 'hex') || bytes, 'INSERT', 'new', ARRAY['a'],
	ARRAY[repeat('array:', 99999) || 'int4']) FROM image;
SELECT cec.decode_row_image('\x01'::bytea || decode(repeat('00', 16), 'hex') || '\x0522fffe22'::bytea, 'INSERT', 'new', ARRAY['a'], ARRAY['json']);

-- The privilege TRIGGER does not let forge rows of the log.
SET ROLE attack_owner;
GRANT TRIGGER, INSERT ON attacked.customer TO attack_nobody;
SET ROLE attack_nobody;
CREATE TRIGGER forge AFTER INSERT ON attacked.customer REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION cec.record_change('contract');
INSERT INTO attacked.customer (name) VALUES ('Forged');

-- A name with marks of the portfolio script in it is a name.
RESET ROLE;
SET client_min_messages = warning;
SELECT cec.create_portfolio('x@L@y@P@''"z');
INSERT INTO "x@L@y@P@'""z".customer (name) VALUES ('Acme');
SELECT name FROM cec.portfolio WHERE name ~ '@';
SELECT cec.drop_portfolio('x@L@y@P@''"z', 'x@L@y@P@''"z');

DROP SCHEMA posing CASCADE;
DROP SCHEMA evil CASCADE;
SELECT cec.drop_portfolio('attacked', 'attacked');
DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM attack_nobody', current_database()); END $$;
DROP ROLE attack_owner, attack_manager, attack_nobody;
