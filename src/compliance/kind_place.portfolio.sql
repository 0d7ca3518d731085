-- Kinds of findings about where assets stand.

CREATE VIEW @P@._finding_no_location WITH (security_invoker = true) AS
SELECT 'warning'::text AS severity, s.asset_id, NULL::bigint AS other_asset_id, s.contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, ''::text AS subject, NULL::date AS first_day, NULL::date AS last_day,
	jsonb_build_object('is_listed', s.is_listed, 'is_covered', s.is_covered) AS detail,
	format('Nobody has said where asset %s is, which contract %s %s within its boundary only.', a.asset_tag, c.number,
		CASE WHEN s.is_covered THEN 'covers' ELSE 'lists' END) AS message
FROM @P@._standing s
	JOIN @P@.asset a ON a.asset_id = s.asset_id
	JOIN @P@.contract c ON c.contract_id = s.contract_id
WHERE a.location IS NULL AND c.boundary IS NOT NULL;

CREATE VIEW @P@._finding_covered_outside_boundary WITH (security_invoker = true) AS
SELECT 'warning'::text AS severity, s.asset_id, NULL::bigint AS other_asset_id, s.contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, ''::text AS subject, NULL::date AS first_day, NULL::date AS last_day,
	jsonb_build_object('longitude', ST_X(a.location), 'latitude', ST_Y(a.location)) AS detail,
	format('Contract %s covers asset %s, which stands outside its boundary.', c.number, a.asset_tag) AS message
FROM (
	SELECT v.asset_id, t.contract_id
	FROM @P@.coverage v, @P@.coverage_term t,
		(SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d
	WHERE t.term_id = v.term_id AND v.during @> d.today
	GROUP BY v.asset_id, t.contract_id
) AS s
	JOIN @P@.asset a ON a.asset_id = s.asset_id
	JOIN @P@.contract c ON c.contract_id = s.contract_id
WHERE c.boundary IS NOT NULL AND a.location IS NOT NULL
	-- A boundary that stands in its row answers itself sooner than its parts are looked up.
	AND NOT CASE WHEN pg_column_size(c.boundary) < 2000 THEN ST_Covers(c.boundary, a.location) ELSE EXISTS (
		SELECT FROM @P@.boundary_part p
		WHERE p.contract_id = c.contract_id AND p.part && a.location AND cec._boundary_covers(p.part, c.boundary, a.location) OFFSET 0) END;

-- Asked for by assets or by contracts, so the tables stand side by side, and the planner begins with what is given: by assets it looks for
-- parts of boundaries around them, by contracts for assets around their parts, part by part.
CREATE VIEW @P@._finding_uncovered_in_boundary WITH (security_invoker = true) AS
SELECT 'warning'::text AS severity, a.asset_id, NULL::bigint AS other_asset_id, c.contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, ''::text AS subject, NULL::date AS first_day, NULL::date AS last_day,
	jsonb_build_object('customer', u.name, 'longitude', ST_X(a.location), 'latitude', ST_Y(a.location)) AS detail,
	format('Asset %s of %s stands inside the boundary of contract %s, which does not cover it.', a.asset_tag, u.name, c.number) AS message
FROM @P@.contract c, @P@.boundary_part p, @P@.asset a, @P@.customer u, @P@.customer w,
	(SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM @P@.setting OFFSET 0) AS d,
	-- Looked at last, for the few contracts around an asset that are of its customers.
	LATERAL (
		SELECT
		WHERE u.customer_id = a.customer_id AND w.customer_id = c.customer_id
			AND CASE cec._part_covers(p.part, ST_X(a.location), ST_Y(a.location)) WHEN true THEN true WHEN false THEN false
				-- Right on an edge, where parts may meet: the boundary itself knows, and one of them tells.
				ELSE ST_Covers(c.boundary, a.location) AND NOT EXISTS (
					SELECT FROM @P@.boundary_part o
					WHERE o.contract_id = p.contract_id AND o.boundary_part_id <> p.boundary_part_id AND o.part && a.location
						AND coalesce(cec._part_covers(o.part, ST_X(a.location), ST_Y(a.location)), o.boundary_part_id < p.boundary_part_id) OFFSET 0) END
			AND NOT EXISTS (
				SELECT FROM @P@.coverage v CROSS JOIN LATERAL (SELECT t.contract_id FROM @P@.coverage_term t WHERE t.term_id = v.term_id OFFSET 0) AS t
				WHERE v.asset_id = a.asset_id AND t.contract_id = c.contract_id AND v.during @> d.today OFFSET 0)
			AND NOT EXISTS (
				SELECT FROM @P@.inclusion i CROSS JOIN LATERAL (SELECT t.contract_id FROM @P@.coverage_term t WHERE t.term_id = i.term_id OFFSET 0) AS t
				WHERE i.asset_id = a.asset_id AND t.contract_id = c.contract_id AND i.effect = 'exclude' AND i.during @> d.today OFFSET 0)
			AND NOT EXISTS (
				SELECT
				FROM @P@.rule_effect e
					CROSS JOIN LATERAL (SELECT r.term_id FROM @P@.coverage_rule r WHERE r.rule_id = e.rule_id AND r.effect = 'exclude' OFFSET 0) AS r
					CROSS JOIN LATERAL (SELECT t.contract_id FROM @P@.coverage_term t WHERE t.term_id = r.term_id OFFSET 0) AS t
				WHERE e.asset_id = a.asset_id AND t.contract_id = c.contract_id AND e.during @> d.today OFFSET 0)
		OFFSET 0
	) AS n
WHERE c.status IN ('active', 'terminated') AND c.during @> d.today AND NOT c.suspensions @> d.today
	AND p.contract_id = c.contract_id AND p.part && a.location
	AND cec._life(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service) @> d.today
	AND u.customer_id = a.customer_id AND w.customer_id = c.customer_id
	AND (u.customer_id = w.customer_id OR (u.parent_id IS NOT NULL OR w.parent_id IS NOT NULL)
		AND (WITH RECURSIVE up AS (
				SELECT u.customer_id, u.parent_id
				UNION
				SELECT n.customer_id, n.parent_id
				FROM up CROSS JOIN LATERAL (SELECT p.customer_id, p.parent_id FROM @P@.customer p WHERE p.customer_id = up.parent_id OFFSET 0) AS n
			) SELECT up.customer_id FROM up WHERE up.parent_id IS NULL)
		= (WITH RECURSIVE up AS (
				SELECT w.customer_id, w.parent_id
				UNION
				SELECT n.customer_id, n.parent_id
				FROM up CROSS JOIN LATERAL (SELECT p.customer_id, p.parent_id FROM @P@.customer p WHERE p.customer_id = up.parent_id OFFSET 0) AS n
			) SELECT up.customer_id FROM up WHERE up.parent_id IS NULL));

-- Of several jurisdictions around it one of the register's country is enough.
CREATE VIEW @P@._finding_country_mismatch WITH (security_invoker = true) AS
SELECT 'info'::text AS severity, a.asset_id, NULL::bigint AS other_asset_id, NULL::bigint AS contract_id, NULL::bigint AS term_id,
	NULL::bigint AS rule_id, ''::text AS subject, NULL::date AS first_day, NULL::date AS last_day,
	jsonb_build_object('country', a.country, 'stands_in', to_jsonb(j.countries), 'longitude', ST_X(a.location), 'latitude', ST_Y(a.location)) AS detail,
	format('Asset %s is registered in %s, but stands in %s.', a.asset_tag, a.country, array_to_string(j.countries, ', ')) AS message
FROM @P@.asset a
	CROSS JOIN LATERAL (
		SELECT array_agg(DISTINCT j.country ORDER BY j.country) AS countries
		FROM @P@.jurisdiction j
		WHERE ST_Covers(j.boundary, a.location)
		OFFSET 0
	) AS j
WHERE a.location IS NOT NULL AND a.country <> ALL (j.countries);

SELECT cec._describe_kind(@L@::regnamespace, k.kind)
FROM unnest(ARRAY['no_location', 'covered_outside_boundary', 'uncovered_in_boundary', 'country_mismatch']) AS k(kind);
