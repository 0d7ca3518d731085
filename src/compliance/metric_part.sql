-- What reports of metrics compute with: named queries over the tables of a portfolio, each of which may use those before it.
--
-- Days are numbers of days, months their first days. What a month comes to is found from where ranges of days begin and end: sums over
-- these up to the month's end. So it costs what there are ranges and months, and not their product.

CREATE FUNCTION cec._metric_part() RETURNS TABLE (place integer, name text, is_single boolean, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $function$
VALUES
-- Today, and the first day that is known of: cover without a beginning counts from there.
	(1, 'metric_clock', true, $part$
SELECT d.today, d.time_zone, d.observation_days,
	greatest(date '1970-01-01', least(d.today, (SELECT min(lower(v.during)) FROM @P@.coverage v), (SELECT min(e.performed_on) FROM @P@.maintenance_event e),
		(SELECT min((q.opened_at AT TIME ZONE z.time_zone)::date) FROM (SELECT min(opened_at) AS opened_at FROM @P@.service_request) AS q
			CROSS JOIN (SELECT d.time_zone UNION SELECT c.time_zone FROM @P@.contract c) AS z))) AS first_day
FROM (SELECT (clock_timestamp() AT TIME ZONE s.time_zone)::date AS today, s.time_zone, s.observation_days FROM @P@.setting s OFFSET 0) AS d
OFFSET 0$part$),
-- Cover by precedence, as covered has it: place 1 is the best of the asset's rows; own_days are those on which no better one covers it.
	(2, 'metric_cover', false, $part$
SELECT v.coverage_id, v.asset_id, v.term_id, t.contract_id, c.kind AS contract_kind, c.time_zone, v.during, row_number() OVER best AS place,
	datemultirange(v.during) - coalesce(range_agg(v.during) OVER (best ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), '{}') AS own_days
FROM @P@.coverage v
	JOIN @P@.coverage_term t ON t.term_id = v.term_id
	JOIN @P@.contract c ON c.contract_id = t.contract_id
	LEFT JOIN @P@.service_tier s ON s.tier_id = t.tier_id
WINDOW best AS (PARTITION BY v.asset_id
	ORDER BY CASE c.kind WHEN 'warranty' THEN 1 WHEN 'extended_warranty' THEN 2 WHEN 'service' THEN 3 ELSE 4 END,
		CASE WHEN v.is_stated THEN 1 WHEN v.is_inherited THEN 2 ELSE 3 END, s.rank DESC NULLS LAST, c.priority,
		upper(v.during) DESC NULLS FIRST, c.number, t.number, v.coverage_id)$part$),
-- Days of cover by contract and month, each day of an asset once, and assets with one.
	(3, 'metric_unit_month', false, $part$
WITH unit AS MATERIALIZED (
	SELECT o.contract_id, o.days, count(*) AS assets
	FROM (SELECT v.contract_id, range_agg(v.own_days) * datemultirange(daterange(k.first_day, k.today, '[]')) AS days
		FROM metric_cover v CROSS JOIN metric_clock k
		WHERE NOT isempty(v.own_days)
		GROUP BY v.contract_id, v.asset_id, k.first_day, k.today) AS o
	GROUP BY 1, 2
), bound AS (
	SELECT u.contract_id, cec._month_of(b.day) AS month, sum(b.step * u.assets) AS step, sum(b.step * u.assets * (b.day - date '1970-01-01')) AS weight, 0 AS asset_step
	FROM unit u CROSS JOIN LATERAL unnest(u.days) AS r(span) CROSS JOIN LATERAL (VALUES (lower(r.span), 1), (upper(r.span), -1)) AS b(day, step)
	GROUP BY 1, 2
	UNION ALL
	SELECT u.contract_id, b.month, 0, 0, sum(b.step * u.assets)
	FROM unit u
		CROSS JOIN LATERAL (SELECT range_agg(daterange(cec._month_of(lower(r.span)), cec._month_after(upper(r.span) - 1))) AS months
			FROM unnest(u.days) AS r(span)) AS m
		CROSS JOIN LATERAL unnest(m.months) AS r(span) CROSS JOIN LATERAL (VALUES (lower(r.span), 1), (upper(r.span), -1)) AS b(month, step)
	GROUP BY 1, 2
), bound_month AS (
	SELECT contract_id, month, sum(step) AS step, sum(weight) AS weight, sum(asset_step) AS asset_step FROM bound GROUP BY 1, 2
), run AS (
	SELECT e.contract_id, m.month_id, m.first_day, m.last_day + 1 AS next_day, b.step, b.weight,
		sum(b.step) OVER upto AS steps, sum(b.weight) OVER upto AS weights, sum(b.asset_step) OVER upto AS assets
	FROM (SELECT contract_id, min(month) AS first_month, max(month) AS last_month FROM bound_month GROUP BY 1) AS e
		JOIN cec.calendar_month m ON m.first_day BETWEEN e.first_month AND e.last_month
		LEFT JOIN bound_month b ON b.contract_id = e.contract_id AND b.month = m.first_day
	WINDOW upto AS (PARTITION BY e.contract_id ORDER BY m.first_day)
), counted AS (
	SELECT contract_id, month_id, first_day, next_day, assets::bigint AS assets,
		(((next_day - date '1970-01-01') * steps - weights)
			- ((first_day - date '1970-01-01') * (steps - coalesce(step, 0)) - (weights - coalesce(weight, 0))))::bigint AS unit_days
	FROM run
)
SELECT n.contract_id, n.month_id, n.first_day AS month, least(n.next_day, k.today + 1) - n.first_day AS month_days, n.unit_days, n.assets
FROM counted n CROSS JOIN metric_clock k
WHERE n.unit_days > 0$part$),
-- Requests and costs, each with the contract that covered the asset on its day, by the contract's own calendar; none: off cover.
	(4, 'metric_service', false, $part$
WITH cover AS MATERIALIZED (
	SELECT v.asset_id, v.contract_id, v.time_zone, v.during, v.place FROM metric_cover v
), service AS (
	SELECT DISTINCT ON (q.request_id) true AS is_request, q.asset_id, q.cost, q.currency, v.contract_id,
		(q.opened_at AT TIME ZONE coalesce(v.time_zone, k.time_zone))::date AS day
	FROM @P@.service_request q CROSS JOIN metric_clock k
		LEFT JOIN cover v ON v.asset_id = q.asset_id AND v.during @> (q.opened_at AT TIME ZONE v.time_zone)::date
	ORDER BY q.request_id, v.place
), maintenance AS (
	SELECT DISTINCT ON (e.event_id) false AS is_request, e.asset_id, e.cost, e.currency, v.contract_id, e.performed_on AS day
	FROM @P@.maintenance_event e
		LEFT JOIN cover v ON v.asset_id = e.asset_id AND v.during @> e.performed_on
	WHERE e.cost IS NOT NULL
	ORDER BY e.event_id, v.place
)
SELECT s.is_request, s.asset_id, s.cost, s.currency, s.contract_id, s.day, cec._month_of(s.day) AS month,
	s.contract_id IS NULL AND cec._life_has(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service, s.day) AS is_under_cover
FROM (TABLE service UNION ALL TABLE maintenance) AS s
	JOIN @P@.asset a ON a.asset_id = s.asset_id
	CROSS JOIN metric_clock k
WHERE s.day BETWEEN k.first_day AND k.today$part$),
-- Prices of terms, and the days on which they hold.
	(5, 'metric_price', false, $part$
SELECT t.term_id, t.contract_id, c.currency, t.price_basis, t.proration, lower(t.during) AS term_first_day, p.price, p.days
FROM @P@.coverage_term t
	JOIN @P@.contract c ON c.contract_id = t.contract_id
	CROSS JOIN LATERAL (
		SELECT t.price, daterange(NULL, (SELECT min(f.first_day) FROM @P@.term_price f WHERE f.term_id = t.term_id)) AS days
		UNION ALL
		SELECT n.price, daterange(n.first_day, lead(n.first_day) OVER (ORDER BY n.first_day)) FROM @P@.term_price n WHERE n.term_id = t.term_id
	) AS p
WHERE p.price IS NOT NULL AND t.price_basis IS NOT NULL$part$),
-- What terms are expected to charge, month by month. Months that an asset is covered in whole are counted, parts of months are charged by
-- the sets of days that they have.
	(6, 'metric_charge_month', false, $part$
WITH unit AS (
	SELECT v.term_id, range_agg(v.during) * datemultirange(daterange(k.first_day, k.today, '[]')) AS days
	FROM @P@.coverage v JOIN @P@.coverage_term t ON t.term_id = v.term_id CROSS JOIN metric_clock k
	WHERE t.price_basis LIKE 'per\_unit%' AND NOT (t.bundle_billing = 'included' AND v.is_inherited AND NOT v.is_stated AND NOT v.is_ruled)
	GROUP BY v.term_id, v.asset_id, k.first_day, k.today
), pattern AS (
	SELECT u.term_id, u.days, count(*) AS assets FROM unit u WHERE NOT isempty(u.days) GROUP BY 1, 2
), span AS MATERIALIZED (
	SELECT p.term_id, p.days, p.assets, lower(r.span) AS first_day, upper(r.span) AS next_day,
		cec._month_after(lower(r.span) - 1) AS first_full, cec._month_of(upper(r.span)) AS after_full
	FROM pattern p CROSS JOIN LATERAL unnest(p.days) AS r(span)
), bound_month AS (
	SELECT s.term_id, b.month, sum(b.step * s.assets) AS step
	FROM span s CROSS JOIN LATERAL (VALUES (s.first_full, 1), (s.after_full, -1)) AS b(month, step)
	WHERE s.first_full < s.after_full
	GROUP BY 1, 2
), full_month AS (
	SELECT e.term_id, m.first_day AS month, datemultirange(daterange(m.first_day, m.last_day, '[]')) AS days,
		sum(b.step) OVER (PARTITION BY e.term_id ORDER BY m.first_day) AS assets
	FROM (SELECT term_id, min(month) AS first_month, max(month) AS last_month FROM bound_month GROUP BY 1) AS e
		JOIN cec.calendar_month m ON m.first_day BETWEEN e.first_month AND e.last_month
		LEFT JOIN bound_month b ON b.term_id = e.term_id AND b.month = m.first_day
), part AS (
	SELECT s.term_id, s.days AS pattern, s.assets, x.month, range_agg(x.days) AS days
	FROM span s CROSS JOIN LATERAL (
		SELECT cec._month_of(s.first_day) AS month, daterange(s.first_day, least(s.first_full, s.next_day)) AS days WHERE s.first_day < s.first_full
		UNION ALL
		SELECT s.after_full, daterange(s.after_full, s.next_day) WHERE s.after_full < s.next_day AND s.after_full >= s.first_full
	) AS x
	GROUP BY 1, 2, 3, 4
), flat AS (
	SELECT t.term_id, m.first_day AS month, t.price_basis = 'flat_once' AS is_once,
		((datemultirange(t.during * c.during) - c.suspensions)
			* datemultirange(daterange(coalesce(lower(t.during * c.during), k.first_day), greatest(k.today, lower(t.during * c.during) - 1), '[]')))
			* datemultirange(daterange(m.first_day, m.last_day, '[]')) AS days
	FROM @P@.coverage_term t JOIN @P@.contract c ON c.contract_id = t.contract_id CROSS JOIN metric_clock k
		JOIN cec.calendar_month m ON m.first_day BETWEEN cec._month_of(coalesce(lower(t.during), lower(t.during * c.during), k.first_day)) AND k.today
	WHERE t.price_basis LIKE 'flat%' AND c.status NOT IN ('draft', 'void')
		AND (t.price_basis <> 'flat_once' OR m.first_day = cec._month_of(lower(t.during)) AND lower(t.during) <= k.today)
), charged AS (
	SELECT f.term_id, f.month, f.days, f.assets FROM full_month f WHERE f.assets > 0
	UNION ALL
	SELECT p.term_id, p.month, p.days, sum(p.assets) FROM part p GROUP BY 1, 2, 3
	UNION ALL
	SELECT f.term_id, f.month, f.days, 1 FROM flat f WHERE f.is_once OR NOT isempty(f.days)
)
SELECT h.term_id, p.contract_id, h.month, p.currency,
	sum(h.assets * cec._charge_part(p.price, p.price_basis, p.proration, h.days, p.days, p.term_first_day)) AS amount
FROM charged h
	JOIN metric_price p ON p.term_id = h.term_id AND (p.days && h.days OR p.price_basis = 'flat_once')
GROUP BY 1, 2, 3, 4$part$),
-- What is charged for cover of no use: on days on which a better contract of the kind covers too, or of which a finding says that the
-- asset is not deployed or outside the boundary. A day costs the charge of its month by the covered days of that.
	(7, 'metric_over_cover', false, $part$
WITH cover AS MATERIALIZED (
	SELECT v.asset_id, v.term_id, v.contract_id, v.contract_kind, v.during, v.place FROM metric_cover v
), useless AS (
	SELECT v.asset_id, v.term_id, v.during * w.during AS days
	FROM cover v JOIN cover w ON w.asset_id = v.asset_id AND w.contract_kind = v.contract_kind
	WHERE w.contract_id <> v.contract_id AND w.place < v.place AND w.during && v.during
	UNION ALL
	SELECT f.asset_id, t.term_id, f.days
	FROM (SELECT f.asset_id, f.contract_id,
			daterange(coalesce(f.first_day, (f.opened_at AT TIME ZONE k.time_zone)::date),
				least(f.last_day + 1, (f.closed_at AT TIME ZONE k.time_zone)::date)) AS days
		FROM @P@.finding f CROSS JOIN metric_clock k
		WHERE f.kind IN ('covered_not_deployed', 'covered_outside_boundary') AND f.asset_id IS NOT NULL
			AND coalesce(f.first_day, (f.opened_at AT TIME ZONE k.time_zone)::date)
				<= coalesce(least(f.last_day + 1, (f.closed_at AT TIME ZONE k.time_zone)::date), 'infinity')) AS f
		JOIN @P@.coverage_term t ON t.contract_id = f.contract_id
), useless_unit AS (
	SELECT u.asset_id, u.term_id, range_agg(u.days) AS days FROM useless u WHERE NOT isempty(u.days) GROUP BY 1, 2
), unit AS (
	SELECT u.term_id, u.asset_id, range_agg(v.during) * datemultirange(daterange(k.first_day, k.today, '[]')) AS days, u.days AS useless_days
	FROM useless_unit u
		JOIN @P@.coverage v ON v.asset_id = u.asset_id AND v.term_id = u.term_id
		JOIN @P@.coverage_term t ON t.term_id = u.term_id
		CROSS JOIN metric_clock k
	WHERE t.price_basis LIKE 'per\_unit%' AND NOT (t.bundle_billing = 'included' AND v.is_inherited AND NOT v.is_stated AND NOT v.is_ruled)
	GROUP BY 1, 2, 4, k.first_day, k.today
), pattern AS (
	SELECT u.term_id, u.days, u.days * u.useless_days AS useless_days, count(*) AS assets
	FROM unit u WHERE NOT isempty(u.days * u.useless_days)
	GROUP BY 1, 2, 3
), useless_month AS (
	SELECT p.term_id, p.assets, m.first_day AS month, p.days * datemultirange(daterange(m.first_day, m.last_day, '[]')) AS days,
		p.useless_days * datemultirange(daterange(m.first_day, m.last_day, '[]')) AS useless_days
	FROM pattern p
		JOIN cec.calendar_month m ON m.first_day BETWEEN cec._month_of(lower(p.useless_days)) AND upper(p.useless_days)
			AND p.useless_days && daterange(m.first_day, m.last_day, '[]')
), charged AS (
	SELECT u.term_id, u.month, u.days, u.useless_days, sum(u.assets) AS assets FROM useless_month u GROUP BY 1, 2, 3, 4
)
SELECT h.term_id, p.contract_id, h.month, p.currency,
	sum(h.assets * g.amount * cec._day_count(h.useless_days) / cec._day_count(h.days)) AS amount,
	sum(h.assets * cec._day_count(h.useless_days))::bigint AS days, sum(h.assets)::bigint AS rows
FROM charged h
	JOIN (SELECT DISTINCT f.term_id, f.contract_id, f.currency FROM metric_price f) AS p ON p.term_id = h.term_id
	CROSS JOIN LATERAL (SELECT sum(cec._charge_part(f.price, f.price_basis, f.proration, h.days, f.days, f.term_first_day)) AS amount
		FROM metric_price f WHERE f.term_id = h.term_id AND f.days && h.days) AS g
WHERE g.amount IS NOT NULL
GROUP BY 1, 2, 3, 4$part$),
-- Who belongs to whom: a customer and the one at the top.
	(8, 'metric_root', false, $part$
WITH RECURSIVE root AS (
	SELECT u.customer_id, u.customer_id AS root_id FROM @P@.customer u WHERE u.parent_id IS NULL
	UNION ALL
	SELECT u.customer_id, r.root_id FROM root r JOIN @P@.customer u ON u.parent_id = r.customer_id
)
SELECT root.customer_id, root.root_id FROM root$part$),
-- Assets that contracts which run today cover, or that were found in place for them, by the last observation of each that counts.
	(9, 'metric_deployment', false, $part$
WITH seen AS MATERIALIZED (
	SELECT DISTINCT ON (o.asset_id) o.asset_id, o.location, o.source, (o.observed_at AT TIME ZONE k.time_zone)::date AS seen_on
	FROM @P@.field_observation o CROSS JOIN metric_clock k
	WHERE o.asset_id IS NOT NULL AND (o.observed_at AT TIME ZONE k.time_zone)::date BETWEEN k.today - k.observation_days AND k.today
	ORDER BY o.asset_id, o.observed_at DESC, o.observation_id DESC
), running AS MATERIALIZED (
	SELECT c.contract_id, c.boundary, r.root_id
	FROM @P@.contract c JOIN metric_root r ON r.customer_id = c.customer_id CROSS JOIN metric_clock k
	WHERE c.status IN ('active', 'terminated') AND c.during @> k.today AND NOT c.suspensions @> k.today
), covered AS MATERIALIZED (
	SELECT DISTINCT t.contract_id, v.asset_id
	FROM @P@.coverage v JOIN @P@.coverage_term t ON t.term_id = v.term_id CROSS JOIN metric_clock k
	WHERE v.during @> k.today
)
SELECT v.contract_id, v.asset_id, true AS is_covered, s.asset_id IS NOT NULL AS is_seen, s.source, s.seen_on,
	s.asset_id IS NOT NULL AND CASE WHEN c.boundary IS NOT NULL AND s.location IS NOT NULL THEN cec._lies_inside(c.boundary, s.location)
		ELSE coalesce(r.root_id = c.root_id, false) END AS is_deployed
FROM covered v
	JOIN running c ON c.contract_id = v.contract_id
	JOIN @P@.asset a ON a.asset_id = v.asset_id
	LEFT JOIN metric_root r ON r.customer_id = a.customer_id
	LEFT JOIN seen s ON s.asset_id = v.asset_id
UNION ALL
SELECT c.contract_id, s.asset_id, false, true, s.source, s.seen_on, true
FROM seen s
	JOIN @P@.asset a ON a.asset_id = s.asset_id
	JOIN metric_root r ON r.customer_id = a.customer_id
	JOIN running c ON c.root_id = r.root_id
	CROSS JOIN metric_clock k
WHERE cec._life_has(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service, k.today)
	AND NOT EXISTS (SELECT FROM covered v WHERE v.contract_id = c.contract_id AND v.asset_id = s.asset_id)
	AND (c.boundary IS NULL OR s.location IS NULL OR cec._lies_inside(c.boundary, s.location))$part$),
-- Pairs of contract and asset that are covered today, and whether their definition is complete.
	(10, 'metric_definition', false, $part$
WITH term AS MATERIALIZED (
	SELECT t.term_id, t.contract_id, c.boundary IS NOT NULL AS has_boundary,
		t.tier_id IS NOT NULL AND (NOT upper_inf(t.during * c.during) OR c.notice_days IS NOT NULL)
			AND EXISTS (SELECT FROM metric_price p WHERE p.term_id = t.term_id AND p.days @> k.today) AS is_complete
	FROM @P@.coverage_term t JOIN @P@.contract c ON c.contract_id = t.contract_id CROSS JOIN metric_clock k
), pair AS (
	SELECT t.contract_id, v.asset_id, t.has_boundary, bool_and(t.is_complete) AS is_complete
	FROM @P@.coverage v JOIN term t ON t.term_id = v.term_id CROSS JOIN metric_clock k
	WHERE v.during @> k.today
	GROUP BY 1, 2, 3
), wrong AS MATERIALIZED (
	SELECT DISTINCT f.asset_id, f.contract_id
	FROM @P@.finding f CROSS JOIN metric_clock k
	WHERE f.closed_at IS NULL AND f.severity = 'error' AND f.asset_id IS NOT NULL
		-- As finding_now judges it, which reports do not read: its owner may have made it another.
		AND NOT EXISTS (SELECT FROM @P@.finding_waiver w CROSS JOIN @P@.setting s
			WHERE w.kind = f.kind AND coalesce(w.asset_id = f.asset_id, w.asset_id IS NULL) AND coalesce(w.contract_id = f.contract_id, w.contract_id IS NULL)
				AND coalesce(w.subject = f.subject, true) AND coalesce(w.until >= k.today, true) AND (NOT s.four_eyes OR w.approved_by <> w.waived_by))
)
SELECT p.contract_id, p.asset_id,
	p.is_complete AND (a.location IS NOT NULL OR NOT p.has_boundary) AND (cec.check_tag(a.asset_tag, a.tag_symbology)).is_scannable
		AND NOT EXISTS (SELECT FROM wrong w WHERE w.asset_id = p.asset_id AND w.contract_id = p.contract_id)
		AND NOT EXISTS (SELECT FROM wrong w WHERE w.asset_id = p.asset_id AND w.contract_id IS NULL) AS is_complete
FROM pair p JOIN @P@.asset a ON a.asset_id = p.asset_id$part$),
-- Assets that are in service today, and what covers them.
	(11, 'metric_attachment', false, $part$
SELECT a.asset_id, a.customer_id, a.country, a.category, a.model, cec._asset_value(a.attributes, s.value_attribute) AS value,
	v.asset_id IS NOT NULL AS is_covered, coalesce(v.has_service, false) AS has_service, coalesce(v.has_warranty, false) AS has_warranty
FROM @P@.asset a
	CROSS JOIN metric_clock k
	CROSS JOIN @P@.setting s
	LEFT JOIN (SELECT o.asset_id, bool_or(c.kind IN ('service', 'lease')) AS has_service,
			bool_or(c.kind IN ('warranty', 'extended_warranty')) AS has_warranty
		FROM @P@.coverage o JOIN @P@.coverage_term t ON t.term_id = o.term_id JOIN @P@.contract c ON c.contract_id = t.contract_id
			CROSS JOIN metric_clock k
		WHERE o.during @> k.today
		GROUP BY o.asset_id) AS v ON v.asset_id = a.asset_id
WHERE cec._life_has(a.status, a.commissioned_on, a.decommissioned_on, a.out_of_service, k.today)$part$)
$function$;

-- A query that may use these, with those that it does use before it.
CREATE FUNCTION cec._metric_query(query text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part record;
	parts text;
BEGIN
	FOR part IN SELECT * FROM cec._metric_part() ORDER BY place DESC LOOP
		IF concat(query, parts) ~ format('\m%s\M', part.name) THEN
			parts := format(E'%s AS %s(%s)', part.name, CASE WHEN part.is_single THEN 'MATERIALIZED ' END, part.body) || coalesce(E',\n' || parts, '');
		END IF;
	END LOOP;
	RETURN 'WITH RECURSIVE ' || parts || regexp_replace(query, '^\s*WITH ', E',\n');
END;
$$;

COMMENT ON FUNCTION cec._metric_part() IS 'Private. Named queries that reports of metrics are made of.';
COMMENT ON FUNCTION cec._metric_query(text) IS 'Private. A query with the named queries that it uses.';
