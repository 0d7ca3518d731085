-- A list of 200,000 lines in one statement, on drafts: against what many would write.  What it costs beyond the INSERTs of the same
-- rows is among the goals of 45-row.sh.

SET client_min_messages = warning;
CALL bench.copy_table('fleet.inclusion', 'bench.bare_list');
CALL bench.copy_table('fleet.inclusion', 'bench.row_list');
CALL bench.copy_table('fleet.audit_log', 'bench.row_log');
ALTER TABLE bench.row_log DROP COLUMN salt, DROP COLUMN row_image, ADD COLUMN row_image jsonb;

-- What many would write: validation and audit by row triggers in PL/pgSQL.
CREATE FUNCTION bench.validate_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	asset record;
	term record;
BEGIN
	SELECT a.asset_id, a.commissioned_on, a.decommissioned_on INTO asset
	FROM fleet.asset a WHERE a.asset_id = NEW.asset_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE foreign_key_violation USING MESSAGE = format('no asset %s', NEW.asset_id);
	END IF;
	SELECT t.during * c.during * NEW.during AS days, c.contract_id, c.kind INTO term
	FROM fleet.coverage_term t JOIN fleet.contract c USING (contract_id) WHERE t.term_id = NEW.term_id;
	IF isempty(term.days) OR asset.decommissioned_on < lower(term.days) OR asset.commissioned_on >= upper(term.days) THEN
		RAISE check_violation USING MESSAGE = format('asset %s cannot be covered for %s', NEW.asset_id, NEW.during);
	END IF;
	IF EXISTS (SELECT FROM bench.row_list o WHERE o.asset_id = NEW.asset_id AND o.term_id = NEW.term_id
		AND o.effect = NEW.effect AND o.during && NEW.during)
	THEN
		RAISE exclusion_violation USING MESSAGE = format('asset %s is listed', NEW.asset_id);
	END IF;
	IF EXISTS (SELECT FROM bench.row_list o
			JOIN fleet.coverage_term t ON t.term_id = o.term_id JOIN fleet.contract c ON c.contract_id = t.contract_id
		WHERE o.asset_id = NEW.asset_id AND o.during && NEW.during
			AND c.contract_id <> term.contract_id AND c.kind = term.kind AND c.status = 'active')
	THEN
		RAISE unique_violation USING MESSAGE = format('asset %s is listed elsewhere', NEW.asset_id);
	END IF;
	RETURN NEW;
END;
$$;

CREATE FUNCTION bench.record_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO bench.row_log (xid, system_id, at, actor, session_user_name, application_name, client_addr, reason,
		table_name, operation, row_id, asset_id, term_id, contract_id, row_image)
	VALUES (pg_current_xact_id(), 1, clock_timestamp(), session_user, session_user, current_setting('application_name'),
		inet_client_addr(), current_setting('cec.reason', true), TG_TABLE_NAME, TG_OP, NEW.inclusion_id, NEW.asset_id, NEW.term_id,
		(SELECT contract_id FROM fleet.coverage_term WHERE term_id = NEW.term_id), to_jsonb(NEW));
	RETURN NULL;
END;
$$;

CREATE TRIGGER validate BEFORE INSERT ON bench.row_list FOR EACH ROW EXECUTE FUNCTION bench.validate_row();
CREATE TRIGGER record AFTER INSERT ON bench.row_list FOR EACH ROW EXECUTE FUNCTION bench.record_row();

CREATE PROCEDURE bench.run_list(nth integer)
LANGUAGE plpgsql AS $$
DECLARE
	lines text := '(term_id, asset_id, listed_as, during) SELECT term_id + 20, asset_id, listed_as, during FROM bench.line_source';
BEGIN
	CALL bench.empty_list();
	CALL bench.empty('bench.bare_list', 'bench.row_list', 'bench.row_log');
	CALL bench.measure('list', 'bare insert', nth, 200000, 'INSERT INTO bench.bare_list ' || lines);
	CALL bench.measure('list', 'cec', nth, 200000, 'INSERT INTO fleet.inclusion ' || lines);
	CALL bench.measure('list', 'row triggers', nth, 200000, 'INSERT INTO bench.row_list ' || lines);
	-- As samples of their own: what is added to the bare insert.
	INSERT INTO bench.sample
	SELECT 'list', 'added by ' || a.variant, nth, a.row_count, a.us - b.us, a.cpu_us - b.cpu_us
	FROM bench.sample a JOIN bench.sample b ON b.subject = a.subject AND b.run = a.run AND b.variant = 'bare insert'
	WHERE a.subject = 'list' AND a.run = nth AND a.variant IN ('cec', 'row triggers');
	COMMIT;
END;
$$;

CALL bench.run_list(1);
CALL bench.run_list(2);
CALL bench.run_list(3);
CALL bench.run_list(4);
CALL bench.run_list(5);

INSERT INTO bench.goal VALUES
	('list', 'cec', 'bare insert', NULL), ('list', 'row triggers', 'bare insert', NULL), ('list', 'added by cec', 'added by row triggers', 0.333);
\echo 'List of 200,000 lines in one statement, drafts'
SELECT * FROM bench.report('list');
