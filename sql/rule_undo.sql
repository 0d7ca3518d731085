-- Rules that were taken back are forgotten: savepoints, errors, prepared transactions, triggers that catch.
\set ON_ERROR_STOP 0
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT cec.create_portfolio('undo');
-- The portfolio is where it is noon, so that no day ends meanwhile.
UPDATE undo.setting SET time_zone = 'Etc/GMT' || to_char(extract(hour FROM now() AT TIME ZONE 'UTC') - 12, 'FMSG99');
INSERT INTO undo.customer (name) VALUES ('Acme');
INSERT INTO undo.contract (number, customer_id, status, during) VALUES ('C-1', 1, 'active', '(,)');
INSERT INTO undo.coverage_term (contract_id, number, during) VALUES (1, '1', '(,)');
INSERT INTO undo.asset (asset_tag, model) VALUES ('A-1', 'x'), ('A-2', 'x'), ('A-3', 'y');
INSERT INTO undo.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'n', 'include', 'model = ''n''', '(,)');
SET client_min_messages = notice;
CREATE FUNCTION covered_now() RETURNS text LANGUAGE sql
AS $$ SELECT coalesce(string_agg(asset_id::text, ',' ORDER BY asset_id), 'none') || coalesce((SELECT ' but ' || count(*) || ' wrong' FROM undo.verify_coverage() HAVING count(*) > 0), '') FROM undo.coverage $$;

-- A condition that is taken back, with a change of an asset in the same transaction and after it.
BEGIN;
SAVEPOINT a;
UPDATE undo.coverage_rule SET condition = 'model IN (''x'', ''z'')';
UPDATE undo.asset SET model = 'z' WHERE asset_id = 3;
SELECT covered_now();
ROLLBACK TO a;
UPDATE undo.asset SET model = 'z' WHERE asset_id = 3;
SELECT covered_now();
COMMIT;
UPDATE undo.asset SET model = 'z' WHERE asset_id = 2;
SELECT covered_now();

-- A statement that is refused after its first row was read as a rule; with a trigger of the user's in between.
CREATE FUNCTION counts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM count(*) FROM undo.asset; RETURN NULL; END $$;
CREATE TRIGGER counts AFTER INSERT ON undo.coverage_rule FOR EACH ROW EXECUTE FUNCTION counts();
DO $$
BEGIN
	BEGIN
		INSERT INTO undo.coverage_rule (term_id, name, effect, condition, during)
			VALUES (1, 'q', 'include', 'model = ''q''', '(,)'), (1, 'wrong', 'include', 'no_such = 1', '(,)');
	EXCEPTION WHEN undefined_column THEN
		RAISE NOTICE '%', SQLERRM;
	END;
	UPDATE undo.asset SET model = 'q' WHERE asset_id = 1;
END;
$$;
SELECT covered_now();
INSERT INTO undo.coverage_rule (term_id, name, effect, condition, during)
	VALUES (1, 'q', 'include', 'model = ''q''', '(,)'), (1, 'wrong', 'include', 'no_such = 1', '(,)');
UPDATE undo.asset SET model = 'q' WHERE asset_id = 2;
SELECT covered_now();
DROP TRIGGER counts ON undo.coverage_rule;

-- A trigger of the user's that catches an error around statements that make rules run.
CREATE FUNCTION catches() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
	BEGIN
		UPDATE undo.asset SET model = 'n' WHERE asset_id = 3;
		UPDATE undo.coverage_rule SET condition = 'model = ''x''' WHERE rule_id = 1;
		INSERT INTO undo.asset (asset_tag) VALUES ('A-1');
	EXCEPTION WHEN unique_violation THEN
		RAISE NOTICE 'caught';
	END;
	UPDATE undo.asset SET model = 'n' WHERE asset_id = 2;
	RETURN NULL;
END;
$$;
CREATE TRIGGER aa_catches AFTER INSERT ON undo.maintenance_event FOR EACH STATEMENT EXECUTE FUNCTION catches();
CREATE TRIGGER aa_catches AFTER INSERT ON undo.finding FOR EACH STATEMENT EXECUTE FUNCTION catches();
INSERT INTO undo.maintenance_event (asset_id, kind, performed_on) VALUES (1, 'inspection', '2026-01-01');
SELECT covered_now();
-- The finding of a rule that fails sets it off in the middle of the engine's work.
INSERT INTO undo.coverage_rule (term_id, name, effect, condition, during) VALUES
	(1, 'kw', 'include', '(attributes ->> ''kw'')::int > 5', '(,)'), (1, 'kw again', 'require', 'attributes = ''{}'' OR (attributes ->> ''kw'')::int > 5', '(,)');
UPDATE undo.asset SET attributes = '{"kw": "many"}' WHERE asset_id IN (1, 2);
SELECT covered_now();
SELECT asset_id, kind, name, detail, closed_at IS NULL AS is_open FROM undo.finding JOIN undo.coverage_rule USING (rule_id) ORDER BY 1, 2, 3;
DROP TRIGGER aa_catches ON undo.finding;
SELECT * FROM undo.refresh() WHERE task = 'suspended';
SELECT covered_now();
UPDATE undo.asset SET attributes = '{"kw": 7}';
UPDATE undo.coverage_rule SET state = 'active';
SELECT asset_id, kind, name, closed_at IS NULL AS is_open FROM undo.finding JOIN undo.coverage_rule USING (rule_id) ORDER BY 1, 2, 3;
SELECT covered_now();

-- A trigger of the user's on findings that takes back what the statement has just done.
CREATE FUNCTION takes_back() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN UPDATE undo.asset SET model = 'z', attributes = '{}' WHERE asset_id = 2; RETURN NULL; END $$;
DELETE FROM undo.coverage_rule WHERE name = 'kw again';
UPDATE undo.asset SET model = 'none', attributes = '{}';
CREATE TRIGGER takes_back AFTER INSERT ON undo.finding FOR EACH STATEMENT EXECUTE FUNCTION takes_back();
UPDATE undo.asset SET model = 'n', attributes = '{"kw": "many"}' WHERE asset_id = 2;
SELECT covered_now();
DROP TRIGGER takes_back ON undo.finding;
SELECT kind, name, count(*) FROM undo.finding JOIN undo.coverage_rule USING (rule_id) WHERE closed_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2;

-- Errors that are caught, in one transaction: rules that were replaced meanwhile do not pile up.
DO $$
BEGIN
	FOR i IN 1 .. 20 LOOP
		UPDATE undo.coverage_rule SET condition = 'model = ''' || i || '''' WHERE name = 'q' OR rule_id = 1;
		BEGIN
			INSERT INTO undo.coverage_rule (term_id, name, effect, condition, during) VALUES (1, 'wrong', 'include', 'no_such = 1', '(,)');
		EXCEPTION WHEN undefined_column THEN
			NULL;
		END;
	END LOOP;
	RAISE NOTICE '%', (SELECT CASE WHEN count(*) < 4 THEN 'few' ELSE count(*)::text END FROM pg_backend_memory_contexts WHERE name = 'cec rule set');
	UPDATE undo.coverage_rule SET condition = 'model = ''n''' WHERE rule_id = 1;
END;
$$;
SELECT covered_now();

-- Cancelled in the middle of it all.
SET statement_timeout = '50ms';
INSERT INTO undo.asset (asset_tag, model, attributes) SELECT 'B-' || n, 'n', '{"kw": "bad"}' FROM generate_series(1, 50000) n;
RESET statement_timeout;
UPDATE undo.asset SET model = 'n', attributes = '{}' WHERE asset_id = 1;
SELECT covered_now();

-- A statement that is refused after the rules were read in it: what they then knew of the contract, gone for that moment, is
-- forgotten, and the next statement decides by what is there.
INSERT INTO undo.contract (number, customer_id, status, during) VALUES ('C-2', 1, 'active', '(,)');
INSERT INTO undo.coverage_term (contract_id, number, during) VALUES (2, '1', '(,)');
INSERT INTO undo.asset (asset_id, asset_tag, model) VALUES (-1, 'C-1', 'n');
INSERT INTO undo.inclusion (term_id, asset_id, during) VALUES (2, -1, '(,)');
INSERT INTO undo.coverage_rule (term_id, name, effect, condition, during) VALUES (2, 'only pumps', 'require', 'category = ''pump''', '(,)');
WITH gone AS (DELETE FROM undo.contract WHERE number = 'C-2') UPDATE undo.asset SET model = 'x' WHERE asset_id = -1;
UPDATE undo.asset SET commissioned_on = '2020-01-01' WHERE asset_id = -1;
SELECT count(*) AS differences FROM undo.verify_coverage();

DROP FUNCTION counts, covered_now CASCADE;
SET client_min_messages = warning;
SELECT cec.drop_portfolio('undo', 'undo');
DROP FUNCTION catches, takes_back;
