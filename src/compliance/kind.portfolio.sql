-- Kinds of findings about lines of lists, cover and the days of assets and contracts; what is common to all of them.
--
-- Each view is read for a few assets or contracts, or whole. Its asset_id and contract_id are columns of the table that is searched by
-- them, and what is looked up for each row stays behind a fence (OFFSET 0) where the planner would rather read all of it. Where either may be
-- given, tables stand side by side, and not as JOIN has them follow each other. Today is read once a view.

-- Lines that count: they end today or later, clipped to term and contract, and the contract is not void.
CREATE VIEW @P@._counting_line WITH (security_invoker = true) AS
SELECT i.inclusion_id, i.asset_id, t.contract_id, i.term_id, i.effect, i.during * t.during * c.during AS days,
	c.number AS contract_number, t.number AS term_number
FROM @P@.inclusion i, @P@.coverage_term t, @P@.contract c,
	(SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
WHERE t.term_id = i.term_id AND c.contract_id = t.contract_id AND c.status <> 'void'
	AND coalesce(upper(i.during * t.during * c.during) > d.today, NOT isempty(i.during * t.during * c.during));

-- Assets that a contract lists, by a line that counts, or covers today.
CREATE VIEW @P@._standing WITH (security_invoker = true) AS
SELECT s.asset_id, s.contract_id, bool_or(s.is_listed) AS is_listed, bool_or(NOT s.is_listed) AS is_covered
FROM (
	SELECT l.asset_id, l.contract_id, true AS is_listed FROM @P@._counting_line l WHERE l.effect = 'include'
	UNION ALL
	SELECT v.asset_id, t.contract_id, false
	FROM @P@.coverage v, @P@.coverage_term t,
		(SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
	WHERE t.term_id = v.term_id AND v.during @> d.today
) AS s
GROUP BY s.asset_id, s.contract_id;

CREATE VIEW @P@._finding_decommissioned_before_activation WITH (security_invoker = true) AS
SELECT 'error'::text AS severity, l.asset_id, NULL::bigint AS other_asset_id, l.contract_id, l.term_id, NULL::bigint AS rule_id,
	''::text AS subject, min(lower(l.days)) AS first_day, nullif(max(coalesce(upper(l.days), 'infinity')), 'infinity') - 1 AS last_day,
	jsonb_build_object('decommissioned_on', a.decommissioned_on, 'life_ends_on', coalesce(upper(a.life) - 1, a.decommissioned_on)) AS detail,
	format('The life of asset %s ends on %s, before its line of term %s of contract %s begins on %s.', a.asset_tag,
		cec._day(coalesce(upper(a.life) - 1, a.decommissioned_on)), l.term_number, l.contract_number, cec._day(min(lower(l.days)))) AS message
FROM @P@._counting_line l
	CROSS JOIN LATERAL (
		SELECT a.asset_tag, a.decommissioned_on, cec._life(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service) AS life
		FROM @P@.asset a WHERE a.asset_id = l.asset_id AND (a.decommissioned_on IS NOT NULL OR upper_inf(a.out_of_service)) OFFSET 0
	) AS a
WHERE coalesce(upper(a.life) <= lower(l.days), a.decommissioned_on < lower(l.days))
GROUP BY l.asset_id, l.contract_id, l.term_id, l.contract_number, l.term_number, a.asset_tag, a.decommissioned_on, a.life;

CREATE VIEW @P@._finding_outlives_decommissioning WITH (security_invoker = true) AS
SELECT 'warning'::text AS severity, l.asset_id, NULL::bigint AS other_asset_id, l.contract_id, l.term_id, NULL::bigint AS rule_id,
	''::text AS subject, a.decommissioned_on + 1 AS first_day, nullif(max(coalesce(upper(l.days), 'infinity')), 'infinity') - 1 AS last_day,
	jsonb_build_object('decommissioned_on', a.decommissioned_on) AS detail,
	format('Asset %s is decommissioned on %s, but its line of term %s of contract %s runs %s.', a.asset_tag, cec._day(a.decommissioned_on),
		l.term_number, l.contract_number,
		CASE WHEN bool_or(upper_inf(l.days)) THEN 'on without end' ELSE 'through ' || cec._day(max(upper(l.days)) - 1) END) AS message
FROM @P@._counting_line l
	CROSS JOIN LATERAL (
		SELECT a.asset_tag, a.decommissioned_on, cec._life(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service) AS life
		FROM @P@.asset a WHERE a.asset_id = l.asset_id AND a.decommissioned_on < '5874897-12-31' OFFSET 0
	) AS a
GROUP BY l.asset_id, l.contract_id, l.term_id, l.contract_number, l.term_number, a.asset_tag, a.decommissioned_on, a.life
HAVING bool_or(coalesce(upper(l.days) - 1 > a.decommissioned_on, true))
	AND NOT coalesce(bool_or(coalesce(upper(a.life) <= lower(l.days), a.decommissioned_on < lower(l.days))), false);

CREATE VIEW @P@._finding_starts_before_commissioning WITH (security_invoker = true) AS
SELECT 'info'::text AS severity, l.asset_id, NULL::bigint AS other_asset_id, l.contract_id, l.term_id, NULL::bigint AS rule_id,
	''::text AS subject, nullif(min(coalesce(lower(l.days), '-infinity')), '-infinity') AS first_day,
	least(a.commissioned_on, max(coalesce(upper(l.days), 'infinity'))) - 1 AS last_day,
	jsonb_build_object('commissioned_on', a.commissioned_on) AS detail,
	format('Asset %s is commissioned on %s, but its line of term %s of contract %s begins %s.', a.asset_tag, cec._day(a.commissioned_on),
		l.term_number, l.contract_number,
		CASE WHEN bool_or(lower_inf(l.days)) THEN 'without a first day' ELSE 'on ' || cec._day(min(lower(l.days))) END) AS message
FROM @P@._counting_line l
	JOIN @P@.asset a ON a.asset_id = l.asset_id
WHERE coalesce(lower(l.days) < a.commissioned_on, a.commissioned_on > '4713-01-01 BC')
GROUP BY l.asset_id, l.contract_id, l.term_id, l.contract_number, l.term_number, a.asset_tag, a.commissioned_on;

-- The days are those of the first run of days that is not over.
CREATE VIEW @P@._finding_duplicate_cover WITH (security_invoker = true) AS
SELECT 'error'::text AS severity, p.asset_id, NULL::bigint AS other_asset_id, p.contract_id, NULL::bigint AS term_id, NULL::bigint AS rule_id,
	'contract:' || p.other_contract_id AS subject, lower(r.days) AS first_day, upper(r.days) - 1 AS last_day,
	jsonb_build_object('contracts', jsonb_build_array(p.contract_number, p.other_number), 'contract_kind', p.kind) AS detail,
	format('Asset %s is covered by both contract %s and contract %s, of kind %s, %s.', a.asset_tag, p.contract_number, p.other_number,
		p.kind, cec._days_in_words(r.days)) AS message
FROM (
	SELECT v.asset_id, v.contract_id, w.contract_id AS other_contract_id, v.number AS contract_number, w.number AS other_number, v.kind,
		d.today, v.days * w.days AS days
	FROM (
			SELECT v.asset_id, c.contract_id, c.number, c.kind, range_agg(v.during) AS days
			FROM @P@.coverage v
				JOIN @P@.coverage_term t ON t.term_id = v.term_id
				JOIN @P@.contract c ON c.contract_id = t.contract_id
			WHERE c.status = 'active' AND EXISTS (SELECT FROM @P@.coverage w WHERE w.asset_id = v.asset_id AND w.coverage_id <> v.coverage_id)
			GROUP BY v.asset_id, c.contract_id
		) AS v
		CROSS JOIN LATERAL (
			SELECT c.contract_id, c.number, range_agg(w.during) AS days
			FROM @P@.coverage w
				JOIN @P@.coverage_term t ON t.term_id = w.term_id
				JOIN @P@.contract c ON c.contract_id = t.contract_id
			WHERE w.asset_id = v.asset_id AND c.status = 'active' AND c.kind = v.kind AND c.contract_id > v.contract_id
			GROUP BY c.contract_id
			OFFSET 0
		) AS w
		CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
	WHERE v.days && w.days
) AS p
	JOIN @P@.asset a ON a.asset_id = p.asset_id
	CROSS JOIN LATERAL (SELECT r.days FROM unnest(p.days) AS r(days) WHERE coalesce(upper(r.days) > p.today, true) ORDER BY r.days LIMIT 1) AS r;

-- The days on which cover of an asset begins and ends, in order, with how many rows cover it from then on: a gap lies between two of them.
-- Linear, also where an asset has thousands of stretches.
CREATE VIEW @P@._finding_cover_gap WITH (security_invoker = true) AS
SELECT 'warning'::text AS severity, g.asset_id, NULL::bigint AS other_asset_id, NULL::bigint AS contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, cec._day(lower(r.days)) AS subject, lower(r.days) AS first_day, upper(r.days) - 1 AS last_day,
	jsonb_build_object('days', upper(r.days) - lower(r.days), 'covered_before_by', b.numbers, 'covered_after_by', f.numbers) AS detail,
	format('Asset %s is not covered %s: cover by contract %s ends before, cover by contract %s begins after.', a.asset_tag,
		cec._days_in_words(r.days), array_to_string(b.numbers, ', '), array_to_string(f.numbers, ', ')) AS message
FROM (
	SELECT e.asset_id, e.day, e.ending, lead(e.day) OVER w AS next_day, lead(e.beginning) OVER w AS beginning, sum(e.rows) OVER w AS depth
	FROM (
		SELECT v.asset_id, x.day, sum(x.rows) AS rows, array_agg(DISTINCT v.term_id) FILTER (WHERE x.rows < 0) AS ending,
			array_agg(DISTINCT v.term_id) FILTER (WHERE x.rows > 0) AS beginning
		FROM @P@.coverage v
			CROSS JOIN LATERAL (VALUES (coalesce(lower(v.during), '-infinity'), 1), (coalesce(upper(v.during), 'infinity'), -1)) AS x(day, rows)
		WHERE EXISTS (SELECT FROM @P@.coverage w WHERE w.asset_id = v.asset_id AND w.coverage_id <> v.coverage_id)
		GROUP BY v.asset_id, x.day
	) AS e
	WINDOW w AS (PARTITION BY e.asset_id ORDER BY e.day)
) AS g
	CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
	JOIN @P@.asset a ON a.asset_id = g.asset_id
	-- Days that a term which covers the day before has let go on purpose.
	CROSS JOIN LATERAL (
		SELECT coalesce(range_agg(x.days), '{}') AS days
		FROM (
				SELECT n.days
				FROM @P@.coverage_term t
					JOIN @P@.contract c ON c.contract_id = t.contract_id
					CROSS JOIN LATERAL unnest(c.suspensions) AS n(days)
				WHERE t.term_id = ANY (g.ending)
				UNION ALL
				SELECT i.during FROM @P@.inclusion i WHERE i.asset_id = g.asset_id AND i.term_id = ANY (g.ending) AND i.effect = 'exclude'
				UNION ALL
				SELECT e.during
				FROM @P@.rule_effect e
					JOIN @P@.coverage_rule u ON u.rule_id = e.rule_id
				WHERE e.asset_id = g.asset_id AND u.term_id = ANY (g.ending) AND u.effect = 'exclude'
			) AS x(days)
		OFFSET 0
	) AS x
	CROSS JOIN LATERAL unnest(datemultirange(daterange(g.day, g.next_day))
		* cec._life(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service) - x.days) AS r(days)
	CROSS JOIN LATERAL (
		SELECT array_agg(DISTINCT c.number ORDER BY c.number) AS numbers
		FROM @P@.coverage_term t
			JOIN @P@.contract c ON c.contract_id = t.contract_id
		WHERE t.term_id = ANY (g.ending)
		OFFSET 0
	) AS b
	CROSS JOIN LATERAL (
		SELECT array_agg(DISTINCT c.number ORDER BY c.number) AS numbers
		FROM @P@.coverage_term t
			JOIN @P@.contract c ON c.contract_id = t.contract_id
		WHERE t.term_id = ANY (g.beginning)
		OFFSET 0
	) AS f
WHERE g.depth = 0 AND g.next_day > d.today AND upper(r.days) > d.today;

-- Of several bundles the one in which it is alone first.
CREATE VIEW @P@._finding_orphaned_member WITH (security_invoker = true) AS
SELECT DISTINCT ON (m.asset_id) 'warning'::text AS severity, m.asset_id, NULL::bigint AS other_asset_id, NULL::bigint AS contract_id,
	NULL::bigint AS term_id, NULL::bigint AS rule_id, ''::text AS subject, lower(r.days) AS first_day, upper(r.days) - 1 AS last_day,
	jsonb_build_object('bundle', b.name, 'primary', p.asset_tag) AS detail,
	format('Asset %s is covered by nothing %s, since its primary %s in bundle %s is not in service then.', a.asset_tag,
		cec._days_in_words(r.days), p.asset_tag, b.name) AS message
FROM @P@.bundle_member m
	CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
	JOIN @P@.asset a ON a.asset_id = m.asset_id
	JOIN @P@.bundle b ON b.bundle_id = m.bundle_id
	JOIN @P@.asset p ON p.asset_id = b.primary_asset_id
	CROSS JOIN LATERAL (
		SELECT coalesce(range_agg(v.during), '{}') AS cover FROM @P@.coverage v WHERE v.asset_id = m.asset_id OFFSET 0
	) AS v
	CROSS JOIN LATERAL unnest(datemultirange(m.during) * cec._life(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service) - v.cover
		- cec._life(p.status, p.commissioned_on, p.decommissioned_on, p.out_of_service)) AS r(days)
WHERE coalesce(upper(m.during) > d.today, true) AND coalesce(upper(r.days) > d.today, true)
	AND EXISTS (SELECT FROM @P@.coverage w WHERE w.asset_id = b.primary_asset_id OFFSET 0)
ORDER BY m.asset_id, r.days, m.member_id;

CREATE VIEW @P@._finding_served_while_uncovered WITH (security_invoker = true) AS
SELECT 'warning'::text AS severity, q.asset_id, NULL::bigint AS other_asset_id, NULL::bigint AS contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, 'request:' || q.request_id AS subject, (q.opened_at AT TIME ZONE s.time_zone)::date AS first_day, NULL::date AS last_day,
	jsonb_build_object('request_id', q.request_id) AS detail,
	format('Asset %s needed service on %s, when no contract covered it.', a.asset_tag, cec._day((q.opened_at AT TIME ZONE s.time_zone)::date)) AS message
FROM @P@.service_request q
	CROSS JOIN (SELECT time_zone FROM @P@.setting OFFSET 0) AS s
	JOIN @P@.asset a ON a.asset_id = q.asset_id
WHERE EXISTS (SELECT FROM @P@.coverage v WHERE v.asset_id = q.asset_id OFFSET 0)
	AND NOT EXISTS (
		SELECT
		FROM @P@.coverage v
			JOIN @P@.coverage_term t ON t.term_id = v.term_id
			JOIN @P@.contract c ON c.contract_id = t.contract_id
		WHERE v.asset_id = q.asset_id AND v.during @> (q.opened_at AT TIME ZONE c.time_zone)::date
		OFFSET 0);

CREATE VIEW @P@._finding_no_commissioning_date WITH (security_invoker = true) AS
SELECT 'info'::text AS severity, a.asset_id, NULL::bigint AS other_asset_id, NULL::bigint AS contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, ''::text AS subject, NULL::date AS first_day, NULL::date AS last_day, '{}'::jsonb AS detail,
	format('Asset %s is covered, but the day of its commissioning is not known.', a.asset_tag) AS message
FROM @P@.asset a
	CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
WHERE a.commissioned_on IS NULL
	AND EXISTS (SELECT FROM @P@.coverage v WHERE v.asset_id = a.asset_id AND v.during @> d.today OFFSET 0);

CREATE VIEW @P@._finding_ends_before_decommissioning WITH (security_invoker = true) AS
SELECT 'info'::text AS severity, a.asset_id, NULL::bigint AS other_asset_id, NULL::bigint AS contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, ''::text AS subject, v.ends_before AS first_day, a.decommissioned_on AS last_day,
	jsonb_build_object('decommissioned_on', a.decommissioned_on, 'covered_until', v.ends_before - 1) AS detail,
	format('Asset %s is decommissioned on %s, but its last cover ends on %s.', a.asset_tag, cec._day(a.decommissioned_on),
		cec._day(v.ends_before - 1)) AS message
FROM @P@.asset a
	CROSS JOIN (
		SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today, decommission_window_days FROM @P@.setting OFFSET 0
	) AS d
	CROSS JOIN LATERAL (
		SELECT nullif(max(coalesce(upper(v.during), 'infinity')), 'infinity') AS ends_before
		FROM @P@.coverage v WHERE v.asset_id = a.asset_id OFFSET 0
	) AS v
WHERE a.decommissioned_on >= d.today AND a.decommissioned_on >= v.ends_before
	AND a.decommissioned_on - v.ends_before < d.decommission_window_days;

-- It holds from the first day of the notice.
CREATE VIEW @P@._finding_expiring WITH (security_invoker = true) AS
SELECT 'info'::text AS severity, NULL::bigint AS asset_id, NULL::bigint AS other_asset_id, c.contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, ''::text AS subject,
	greatest(upper(c.during) - 1 - least(d.expiry_notice_days, 100000), lower(c.during)) AS first_day, upper(c.during) - 1 AS last_day,
	jsonb_build_object('last_day', upper(c.during) - 1, 'notice_days', c.notice_days) AS detail,
	format('Contract %s ends on %s, and no active contract renews it.', c.number, cec._day(upper(c.during) - 1)) AS message
FROM @P@.contract c
	CROSS JOIN (
		SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today, expiry_notice_days FROM @P@.setting OFFSET 0
	) AS d
WHERE c.status = 'active' AND upper(c.during) > d.today AND upper(c.during) - d.today <= d.expiry_notice_days::bigint + 1
	AND NOT EXISTS (SELECT FROM @P@.contract n WHERE n.predecessor_id = c.contract_id AND n.status = 'active' OFFSET 0);

-- Customers that belong to one company, however many are between, are one.
CREATE VIEW @P@._finding_customer_mismatch WITH (security_invoker = true) AS
SELECT 'warning'::text AS severity, s.asset_id, NULL::bigint AS other_asset_id, s.contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, ''::text AS subject, NULL::date AS first_day, NULL::date AS last_day,
	jsonb_build_object('asset_customer', u.name, 'contract_customer', w.name, 'is_listed', s.is_listed, 'is_covered', s.is_covered) AS detail,
	format('Contract %s of %s %s asset %s, which stands at %s.', c.number, w.name, CASE WHEN s.is_covered THEN 'covers' ELSE 'lists' END,
		a.asset_tag, u.name) AS message
FROM @P@._standing s
	JOIN @P@.asset a ON a.asset_id = s.asset_id
	JOIN @P@.contract c ON c.contract_id = s.contract_id
	JOIN @P@.customer u ON u.customer_id = a.customer_id
	JOIN @P@.customer w ON w.customer_id = c.customer_id
WHERE a.customer_id <> c.customer_id AND (
	u.parent_id IS NULL AND w.parent_id IS NULL
	OR (WITH RECURSIVE up AS (
			SELECT u.customer_id, u.parent_id
			UNION
			SELECT n.customer_id, n.parent_id
			FROM up CROSS JOIN LATERAL (SELECT p.customer_id, p.parent_id FROM @P@.customer p WHERE p.customer_id = up.parent_id OFFSET 0) AS n
		) SELECT up.customer_id FROM up WHERE up.parent_id IS NULL)
	<> (WITH RECURSIVE up AS (
			SELECT w.customer_id, w.parent_id
			UNION
			SELECT n.customer_id, n.parent_id
			FROM up CROSS JOIN LATERAL (SELECT p.customer_id, p.parent_id FROM @P@.customer p WHERE p.customer_id = up.parent_id OFFSET 0) AS n
		) SELECT up.customer_id FROM up WHERE up.parent_id IS NULL));

-- Seen is what somebody has observed within the days of the setting; of an asset that nobody ever sees, where others of its contract are.
CREATE VIEW @P@._finding_covered_not_deployed WITH (security_invoker = true) AS
SELECT 'warning'::text AS severity, v.asset_id, NULL::bigint AS other_asset_id, t.contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, ''::text AS subject, NULL::date AS first_day, NULL::date AS last_day,
	jsonb_build_object('seen_last_on', (
		SELECT max((o.observed_at AT TIME ZONE d.time_zone)::date) FROM @P@.field_observation o
		WHERE o.asset_id = v.asset_id AND o.observed_at < d.until)) AS detail,
	format('Contract %s covers asset %s, which nobody has seen for %s days, while others were seen.', c.number, a.asset_tag, d.observation_days) AS message
FROM @P@.coverage v, @P@.coverage_term t, @P@.contract c, @P@.asset a, (
		SELECT s.today, s.time_zone, s.observation_days,
			(s.today - least(s.observation_days, 100000))::timestamp AT TIME ZONE s.time_zone AS since,
			(s.today + 1)::timestamp AT TIME ZONE s.time_zone AS until
		FROM (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today, time_zone, observation_days FROM @P@.setting OFFSET 0) AS s
		OFFSET 0
	) AS d
WHERE t.term_id = v.term_id AND c.contract_id = t.contract_id AND a.asset_id = v.asset_id AND v.during @> d.today
	AND NOT EXISTS (
		SELECT FROM @P@.field_observation o
		WHERE o.asset_id = v.asset_id AND o.observed_at >= d.since AND o.observed_at < d.until OFFSET 0)
	-- Asked once: where nothing is ever seen, no contract is looked through.
	AND EXISTS (SELECT FROM @P@.field_observation o WHERE o.asset_id IS NOT NULL OFFSET 0)
	AND EXISTS (
		SELECT
		FROM @P@.coverage_term u
			CROSS JOIN LATERAL (
				SELECT FROM @P@.coverage w
					CROSS JOIN LATERAL (
						SELECT FROM @P@.field_observation o
						WHERE o.asset_id = w.asset_id AND o.observed_at >= d.since AND o.observed_at < d.until LIMIT 1
					) AS o
				WHERE w.term_id = u.term_id AND w.during @> d.today
				LIMIT 1
			) AS w
		WHERE u.contract_id = t.contract_id
		OFFSET 0)
GROUP BY v.asset_id, t.contract_id, c.number, a.asset_tag, d.time_zone, d.until, d.observation_days;

SELECT cec._describe_kind(@L@::regnamespace, k.kind)
FROM unnest(ARRAY['decommissioned_before_activation', 'outlives_decommissioning', 'starts_before_commissioning', 'duplicate_cover', 'cover_gap',
	'orphaned_member', 'served_while_uncovered', 'no_commissioning_date', 'ends_before_decommissioning', 'expiring', 'customer_mismatch',
	'covered_not_deployed']) AS k(kind);

COMMENT ON VIEW @P@._counting_line IS 'Private. Lines of lists that findings are about: they end today or later, clipped to term and contract, and the contract is not void.';
COMMENT ON COLUMN @P@._counting_line.inclusion_id IS 'Line.';
COMMENT ON COLUMN @P@._counting_line.asset_id IS 'Its asset.';
COMMENT ON COLUMN @P@._counting_line.contract_id IS 'Contract whose list it is on.';
COMMENT ON COLUMN @P@._counting_line.term_id IS 'Term whose list it is on.';
COMMENT ON COLUMN @P@._counting_line.effect IS 'include or exclude.';
COMMENT ON COLUMN @P@._counting_line.days IS 'Its days, clipped to term and contract.';
COMMENT ON COLUMN @P@._counting_line.contract_number IS 'Number of the contract.';
COMMENT ON COLUMN @P@._counting_line.term_number IS 'Number of the term.';
COMMENT ON VIEW @P@._standing IS 'Private. Assets that a contract lists or covers today.';
COMMENT ON COLUMN @P@._standing.asset_id IS 'Asset.';
COMMENT ON COLUMN @P@._standing.contract_id IS 'Contract.';
COMMENT ON COLUMN @P@._standing.is_listed IS 'Whether a line that counts includes it.';
COMMENT ON COLUMN @P@._standing.is_covered IS 'Whether it is covered today.';
