-- The month's report of each contract, as an event for other systems.
--
-- The event holds how many lines the report has and their digest, not the lines: these stay in the log, and whoever has the event can
-- tell whether a report that he is shown is the one of then (docs/events.md). It is named after what it is about, so that a
-- month is reported once, also when its event was delivered and is gone.

CREATE FUNCTION cec._report_audit(portfolio oid, first_day date) RETURNS bigint
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'cec_report_audit';

CREATE FUNCTION cec.report_audit(portfolio regnamespace, month date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	this_month date;
	first_day date;
BEGIN
	PERFORM cec._require_version(portfolio);
	PERFORM cec._require_read_committed('report_audit');
	PERFORM cec._require_execute(portfolio, 'report_audit');
	IF NOT isfinite(month) THEN
		RAISE EXCEPTION USING ERRCODE = 'datetime_field_overflow', MESSAGE = 'the month must not be infinite';
	END IF;
	this_month := date_trunc('month', cec.today(portfolio)::timestamp)::date;
	first_day := coalesce(date_trunc('month', month::timestamp)::date, (this_month - interval '1 month')::date);
	IF first_day >= this_month THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('%s is not over', to_char(first_day, 'YYYY-MM')),
			HINT = 'A month is reported once, when it is over; without a month it is the last one.';
	END IF;
	RETURN cec._report_audit(portfolio::oid, first_day);
END;
$$;

-- A value as COPY writes it in its text format.
CREATE FUNCTION cec._copy_text(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(replace(replace(replace(replace(replace(replace(replace(value, E'\\', E'\\\\'), E'\b', '\b'), E'\f', '\f'), E'\n', '\n'),
		E'\r', '\r'), E'\t', '\t'), E'\x0b', '\v'), '\N');
END;

-- What the event of a contract says of days of its report. The digest is that of the file that COPY … TO STDOUT (HEADER) writes in
-- UTF-8 of these columns: what a later erasure, seal or change of numbers does to the report is not in them, save that an erased row has no values.
CREATE FUNCTION cec._audit_report(portfolio regnamespace, contract_id bigint, contract_number text, account_manager text, first_day date, last_day date) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result jsonb;
BEGIN
	WITH line AS MATERIALIZED (
		SELECT a.audit_id, a.table_name, a.proof, concat_ws(E'\t', a.audit_id, to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
			cec._copy_text(a.actor), cec._copy_text(a.session_user_name), cec._copy_text(host(a.client_addr)), cec._copy_text(a.reason),
			cec._copy_text(a.operation), cec._copy_text(a.table_name), a.row_id, cec._copy_text(a.before::text), cec._copy_text(a.after::text)) AS text
		FROM cec.coverage_audit(portfolio, contract_number, first_day, last_day) AS a
	), counted AS (
		SELECT l.table_name, count(*) AS lines FROM line l GROUP BY l.table_name
	)
	SELECT jsonb_build_object('contract_id', contract_id, 'contract_number', contract_number, 'account_manager', account_manager,
		'first_day', first_day, 'last_day', last_day, 'count', count(*), 'unsealed', count(*) FILTER (WHERE l.proof = 'unsealed'),
		'tables', coalesce((SELECT jsonb_object_agg(c.table_name, c.lines) FROM counted c), '{}'),
		'sha256', encode(sha256(convert_to(concat_ws(E'\t', 'audit_id', 'at', 'actor', 'session_user_name', 'client_addr', 'reason', 'operation',
			'table_name', 'row_id', 'before', 'after') || E'\n' || coalesce(string_agg(l.text || E'\n', '' ORDER BY l.audit_id), ''), 'UTF8')), 'hex'),
		'audit_digest', cec.audit_digest(portfolio))
	INTO result
	FROM line l;
	RETURN result;
END;
$$;

INSERT INTO cec._task (task, function_name, command) VALUES
	('report', 'report_audit', 'SELECT @P@.report_audit()');

COMMENT ON FUNCTION cec._report_audit(oid, date) IS 'Private. Writes the events of the month that begins on the day; the caller has checked it.';
COMMENT ON FUNCTION cec.report_audit(regnamespace, date) IS 'Tells other systems what the month''s report of each contract comes to; see report_audit of a portfolio.';
COMMENT ON FUNCTION cec._copy_text(text) IS 'Private. A value as COPY writes it.';
COMMENT ON FUNCTION cec._audit_report(regnamespace, bigint, text, text, date, date) IS 'Private. What the event of a contract says of its report.';
