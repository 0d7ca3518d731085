-- The kind of findings about regulations: cec._regulation_unmet for all assets that are asked for, one at a time.

CREATE VIEW @P@._finding_regulation_unmet WITH (security_invoker = true) AS
SELECT f.severity, v.asset_id, NULL::bigint AS other_asset_id, NULL::bigint AS contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, f.subject, f.first_day, f.last_day, f.detail, f.message
FROM (
	SELECT DISTINCT c.asset_id
	FROM @P@.coverage c
		CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
	WHERE c.during @> d.today
) AS v
	CROSS JOIN LATERAL cec._regulation_unmet(@L@::regnamespace, ARRAY[v.asset_id]) AS f;

SELECT cec._describe_kind(@L@::regnamespace, 'regulation_unmet');
