-- What changed in cover, and what a change did.

CREATE FUNCTION @P@.coverage_changes(since timestamptz, until timestamptz DEFAULT NULL)
RETURNS TABLE (asset_id bigint, asset_tag text, contract_number text, term_number text, change text, first_day date, last_day date,
	audit_id bigint, next_since timestamptz)
LANGUAGE sql
BEGIN ATOMIC
	SELECT * FROM cec.coverage_changes(@L@::regnamespace, since, until);
END;

CREATE FUNCTION @P@.explain_change(audit_id bigint)
RETURNS TABLE (section text, asset_id bigint, term_id bigint, rule_id bigint, first_day date, last_day date, message text)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT * FROM cec.explain_change(@L@::regnamespace, audit_id);
END;

COMMENT ON FUNCTION @P@.coverage_changes(timestamptz, timestamptz) IS 'Days of cover that were gained and lost by what was recorded after since, through until (NULL, or later than that: the last instant before the oldest open writer), in the order in which it was recorded: one row per range of days and entry of the log. Who calls again with next_since, or with the same since where no row came, misses nothing and sees nothing twice, whoever writes meanwhile. An entry in which days stay covered on other grounds has no row. Tag and numbers are those of today, NULL for what is deleted. Needs SELECT on the log (level auditor). On a standby until must be given. Errors: 22004 NULL, 22008 infinity, 25001 above READ COMMITTED, 55000 on a standby without until, or a prepared transaction has written.';
COMMENT ON FUNCTION @P@.explain_change(bigint) IS 'What the statement did that an entry of the log belongs to: section statement (the row of the entry, and how many more the statement changed), decision (what rules decided about assets, and from when to when), coverage (days that were gained and lost) and finding (what it closed and opened), each with a sentence. Tag, names and numbers are those of today. Needs SELECT on the log (level auditor). Error 23503: there is no such entry.';
