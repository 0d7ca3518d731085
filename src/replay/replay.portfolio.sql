-- Tables and history compared with the log.

CREATE FUNCTION @P@.verify_replay()
RETURNS TABLE (kind text, table_name text, row_id bigint, column_name text, detail text)
LANGUAGE sql
BEGIN ATOMIC
	SELECT * FROM cec.verify_replay(@L@::regnamespace);
END;

CREATE FUNCTION @P@.verify_history()
RETURNS TABLE (kind text, table_name text, asset_id bigint, term_id bigint, rule_id bigint, first_day date, last_day date, detail text)
LANGUAGE sql
BEGIN ATOMIC
	SELECT * FROM cec.verify_history(@L@::regnamespace);
END;

COMMENT ON FUNCTION @P@.verify_replay() IS 'Compares all recorded tables with the log and returns what was changed past it, as by triggers switched off: EDITED (a value is not what the log says), MISSING (the log knows a row that is not there), EXTRA (a row is there that the log does not know, or says was deleted). Not faults: ERASED (a row that cannot be compared because an entry of it was erased), SCHEMA_CHANGED (a column that came or was retyped later: how many rows could not be compared in it). UNREADABLE: an entry of the log is damaged. No row: nothing was changed past the log. One snapshot; writers go on. Needs SELECT on the log (level auditor), and READ COMMITTED (SQLSTATE 25001).';
COMMENT ON FUNCTION @P@.verify_history() IS 'Folds what the log says of changes in cover and of decisions, and compares it row by row with coverage, coverage_history and rule_effect: whether cover was ever other than these tables tell. No definition is run again. Returns EDITED (the row is there, with other times than the log says), MISSING (the log knows a row that is not there), EXTRA (a row is there that the log does not know), LOST (the log takes away what it never gave: an entry is gone), UNREADABLE (an entry is damaged). No row: nothing was rewritten. One snapshot; writers go on. Needs SELECT on the log (level auditor), and READ COMMITTED (SQLSTATE 25001).';
