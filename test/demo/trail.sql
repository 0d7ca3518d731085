\pset tuples_only on
\pset format unaligned
-- One line an entry, one below it for each column that changed; of new rows only the columns that matter here.
SELECT line FROM (
	SELECT audit_id, 0 AS place, format(E'\n%s %s, logged in as %s: %s %s (%s)', to_char(at, 'YYYY-MM-DD HH24:MI:SS'), actor, session_user_name, operation, table_name, reason) AS line
	FROM fleet.asset_history('DE-000096')
	UNION ALL
	SELECT c.audit_id, c.audit_change_id, format('    %s %s %s', rpad(column_name, 18), rpad(coalesce(old_value, '-'), 25), coalesce(new_value, '-'))
	FROM fleet.audit_change c JOIN fleet.asset a USING (asset_id)
	WHERE a.asset_tag = 'DE-000096'
		AND (operation = 'UPDATE' OR column_name IN ('asset_tag', 'status', 'commissioned_on', 'listed_as', 'effect', 'during'))
) AS entry ORDER BY audit_id, place;
\echo
