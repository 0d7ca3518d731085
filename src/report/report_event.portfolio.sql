-- The month's report of each contract, as an event.

CREATE FUNCTION @P@.report_audit(month date DEFAULT NULL) RETURNS bigint
LANGUAGE sql
BEGIN ATOMIC
	SELECT cec.report_audit(@L@::regnamespace, month);
END;

COMMENT ON FUNCTION @P@.report_audit(date) IS 'Tells other systems, by an event audit.report of each contract, what its coverage_audit of the month that holds the day (NULL: the last one that is over) comes to: how many lines, their SHA-256, and the digest of the log. Contracts whose days meet the month, and others that changed in it. Each contract and month once, however often it runs. Returns how many events it has written. cec.schedule runs it as the task report. Needs EXECUTE on this function (levels auditor and admin); refuses isolation above READ COMMITTED (25001). Errors: 22008 infinity, 22023 the month is not over.';
