-- Reports of metrics, behind the views of a portfolio. They run as the caller. To compile queries of this size just in time takes many
-- times what it saves, hence jit = off.
--
-- Keys are hashes of what tells rows apart: they stay the same from run to run and server to server, however large keys of contracts are.

-- One part of metric_month, so that a question about one metric computes no other: sampled, update, or the name of a metric.
CREATE FUNCTION cec._metric_month(portfolio regnamespace, part text)
RETURNS TABLE (metric_month_id bigint, "time" timestamptz, metric text, unit text, contract_id bigint, contract_number text, customer text,
	account_manager text, currency text, numerator numeric, denominator numeric, value numeric)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY EXECUTE cec._sql(portfolio, cec._metric_query(CASE part
WHEN 'sampled' THEN $query$
WITH measured AS (
	SELECT s.metric, 'share' AS unit, cec._month_of(s.on_day) AS month, s.contract_id, NULL AS currency, s.numerator, s.denominator, NULL::numeric AS value
	FROM @P@.metric_sample s
		JOIN (SELECT o.metric, max(o.on_day) AS on_day FROM @P@.metric_sample o GROUP BY o.metric, cec._month_of(o.on_day)) AS l
			ON l.metric = s.metric AND l.on_day = s.on_day
)$query$
WHEN 'requests_per_covered_asset' THEN $query$
WITH request_month AS (
	SELECT s.contract_id, s.month, count(*) AS requests FROM metric_service s WHERE s.contract_id IS NOT NULL AND s.is_request GROUP BY 1, 2
), measured AS (
	SELECT 'requests_per_covered_asset' AS metric, 'requests per asset' AS unit, u.month, u.contract_id, NULL AS currency,
		sum(coalesce(q.requests, 0)) AS numerator, sum(u.assets) AS denominator, NULL::numeric AS value
	FROM metric_unit_month u LEFT JOIN request_month q ON q.contract_id = u.contract_id AND q.month = u.month
	GROUP BY GROUPING SETS ((u.month, u.contract_id), (u.month))
)$query$
WHEN 'requests_per_asset_year' THEN $query$
WITH request_month AS (
	SELECT s.contract_id, s.month, count(*) AS requests FROM metric_service s WHERE s.contract_id IS NOT NULL AND s.is_request GROUP BY 1, 2
), measured AS (
	SELECT 'requests_per_asset_year' AS metric, 'requests per asset and year' AS unit, u.month, u.contract_id, NULL AS currency,
		sum(coalesce(q.requests, 0)) * 365 AS numerator, sum(u.unit_days) AS denominator, NULL::numeric AS value
	FROM metric_unit_month u LEFT JOIN request_month q ON q.contract_id = u.contract_id AND q.month = u.month
	GROUP BY GROUPING SETS ((u.month, u.contract_id), (u.month))
)$query$
WHEN 'cost_per_covered_unit' THEN $query$
WITH cost_month AS MATERIALIZED (
	SELECT s.contract_id, s.month, s.currency, sum(s.cost) AS cost FROM metric_service s WHERE s.contract_id IS NOT NULL AND s.cost IS NOT NULL GROUP BY 1, 2, 3
), measured AS (
	SELECT 'cost_per_covered_unit' AS metric, 'money per asset' AS unit, u.month, u.contract_id, y.currency,
		sum(coalesce(q.cost, 0) * u.month_days) AS numerator, sum(u.unit_days) AS denominator, NULL::numeric AS value
	FROM metric_unit_month u
		JOIN (SELECT DISTINCT month, currency FROM cost_month) AS y ON y.month = u.month
		LEFT JOIN cost_month q ON q.contract_id = u.contract_id AND q.month = u.month AND q.currency = y.currency
	GROUP BY GROUPING SETS ((u.month, y.currency, u.contract_id), (u.month, y.currency))
)$query$
WHEN 'revenue_expected' THEN $query$
WITH measured AS (
	SELECT 'revenue_expected' AS metric, 'money' AS unit, h.month, h.contract_id, h.currency, sum(h.amount) AS numerator, NULL::numeric AS denominator,
		sum(h.amount) AS value
	FROM metric_charge_month h
	GROUP BY GROUPING SETS ((h.month, h.currency, h.contract_id), (h.month, h.currency))
)$query$
WHEN 'update' THEN $query$
WITH done AS MATERIALIZED (
	SELECT a.contract_id, cec._month_of((a.applied_at AT TIME ZONE k.time_zone)::date) AS month,
		extract(epoch FROM a.applied_at - a.requested_at) / 3600 AS hours
	FROM @P@.amendment a CROSS JOIN metric_clock k
	WHERE a.status = 'applied' AND isfinite(a.requested_at) AND isfinite(a.applied_at)
), measured AS (
	SELECT 'time_to_update_mean' AS metric, 'hours' AS unit, d.month, d.contract_id, NULL AS currency, sum(d.hours) AS numerator, count(*)::numeric AS denominator,
		NULL::numeric AS value
	FROM done d GROUP BY GROUPING SETS ((d.month, d.contract_id), (d.month))
	UNION ALL
	SELECT 'time_to_update_median', 'hours', d.month, d.contract_id, NULL, NULL, count(*), (percentile_cont(0.5) WITHIN GROUP (ORDER BY d.hours))::numeric
	FROM done d GROUP BY d.month, d.contract_id
	UNION ALL
	SELECT 'time_to_update_p90', 'hours', d.month, d.contract_id, NULL, NULL, count(*), (percentile_cont(0.9) WITHIN GROUP (ORDER BY d.hours))::numeric
	FROM done d GROUP BY d.month, d.contract_id
	UNION ALL
	SELECT 'time_to_update_open', 'amendments', m.first_day, a.contract_id, NULL, count(*), NULL, count(*)
	FROM @P@.amendment a CROSS JOIN metric_clock k
		JOIN cec.calendar_month m ON m.first_day BETWEEN cec._month_of((a.requested_at AT TIME ZONE k.time_zone)::date) AND k.today
			AND (a.applied_at IS NULL OR (a.applied_at AT TIME ZONE k.time_zone)::date > m.last_day)
	WHERE a.status <> 'cancelled' AND isfinite(a.requested_at)
	GROUP BY GROUPING SETS ((m.first_day, a.contract_id), (m.first_day))
)$query$
END || $query$
SELECT hashtextextended(ROW(m.metric, extract(year FROM m.month), extract(month FROM m.month), m.contract_id, m.currency)::text, 0),
	m.month::timestamp AT TIME ZONE k.time_zone, m.metric, m.unit, m.contract_id, c.number, u.name, c.account_manager,
	m.currency, m.numerator, m.denominator, coalesce(m.value, m.numerator / nullif(m.denominator, 0))
FROM measured m
	CROSS JOIN metric_clock k
	LEFT JOIN @P@.contract c ON c.contract_id = m.contract_id
	LEFT JOIN @P@.customer u ON u.customer_id = c.customer_id
$query$));
END;
$$;

CREATE FUNCTION cec.gap_month(portfolio regnamespace)
RETURNS TABLE (gap_month_id bigint, month date, kind text, subjects bigint, opened bigint, open_at_end bigint)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY EXECUTE cec._sql(portfolio, cec._metric_query($query$
WITH gap AS (
	SELECT f.kind, cec._month_of((f.opened_at AT TIME ZONE k.time_zone)::date) AS opened_month,
		cec._month_of((f.closed_at AT TIME ZONE k.time_zone)::date) AS closed_month,
		f.asset_id, f.other_asset_id, f.contract_id, f.term_id, f.rule_id, f.subject
	FROM @P@.finding f JOIN cec.finding_kind n ON n.kind = f.kind CROSS JOIN metric_clock k
	WHERE n.is_gap
), opened AS (
	SELECT s.kind, s.opened_month AS month, count(*) AS subjects, sum(s.rows) AS opened
	FROM (SELECT g.kind, g.opened_month, count(*) AS rows FROM gap g
		GROUP BY g.kind, g.opened_month, g.asset_id, g.other_asset_id, g.contract_id, g.term_id, g.rule_id, g.subject) AS s
	GROUP BY 1, 2
), closed AS (
	SELECT g.kind, g.closed_month AS month, count(*) AS closed FROM gap g WHERE g.closed_month IS NOT NULL GROUP BY 1, 2
)
SELECT hashtextextended(ROW(e.kind, m.month_id)::text, 0) AS gap_month_id, m.first_day AS month, e.kind, coalesce(o.subjects, 0) AS subjects,
	coalesce(o.opened, 0)::bigint AS opened,
	(sum(coalesce(o.opened, 0) - coalesce(x.closed, 0)) OVER (PARTITION BY e.kind ORDER BY m.first_day))::bigint AS open_at_end
FROM (SELECT kind, min(month) AS first_month FROM opened GROUP BY 1) AS e
	CROSS JOIN metric_clock k
	JOIN cec.calendar_month m ON m.first_day BETWEEN e.first_month AND k.today
	LEFT JOIN opened o ON o.kind = e.kind AND o.month = m.first_day
	LEFT JOIN closed x ON x.kind = e.kind AND x.month = m.first_day
$query$));
END;
$$;

CREATE FUNCTION cec.leakage(portfolio regnamespace)
RETURNS TABLE (leakage_id bigint, month date, reason text, contract_id bigint, currency text, amount numeric, days bigint, rows bigint)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY EXECUTE cec._sql(portfolio, cec._metric_query($query$
SELECT hashtextextended(ROW(l.reason, extract(year FROM l.month), extract(month FROM l.month), l.contract_id, l.currency)::text, 0) AS leakage_id,
	l.month, l.reason, l.contract_id, l.currency, l.amount, l.days, l.rows
FROM (SELECT o.month, 'over_cover' AS reason, o.contract_id, o.currency, sum(o.amount) AS amount, sum(o.days)::bigint AS days, sum(o.rows)::bigint AS rows
	FROM metric_over_cover o
	GROUP BY 1, 3, 4
	UNION ALL
	SELECT s.month, 'under_cover', NULL, s.currency, sum(s.cost), count(DISTINCT (s.asset_id, s.day)), count(*)
	FROM metric_service s
	WHERE s.is_under_cover AND s.cost IS NOT NULL
	GROUP BY 1, 4) AS l
$query$));
END;
$$;

CREATE FUNCTION cec.contract_profitability(portfolio regnamespace)
RETURNS TABLE (contract_profitability_id bigint, month date, contract_id bigint, contract_number text, customer text, account_manager text,
	currency text, revenue_billed numeric, revenue_expected numeric, service_cost numeric, over_cover numeric, under_cover numeric, margin numeric)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY EXECUTE cec._sql(portfolio, cec._metric_query($query$
SELECT hashtextextended(ROW(extract(year FROM p.month), extract(month FROM p.month), p.contract_id, p.currency)::text, 0) AS contract_profitability_id,
	p.month, p.contract_id, c.number AS contract_number, u.name AS customer, c.account_manager, p.currency, NULL::numeric AS revenue_billed,
	p.revenue_expected, p.service_cost, p.over_cover, p.under_cover,
	coalesce(p.revenue_expected, 0) - p.service_cost - p.under_cover AS margin
FROM (SELECT x.month, x.contract_id, x.currency, sum(x.revenue) AS revenue_expected, coalesce(sum(x.cost), 0) AS service_cost,
		coalesce(sum(x.over_cover), 0) AS over_cover, coalesce(sum(x.under_cover), 0) AS under_cover
	FROM (SELECT h.month, h.contract_id, h.currency, h.amount AS revenue, NULL::numeric AS cost, NULL::numeric AS over_cover, NULL::numeric AS under_cover
		FROM metric_charge_month h
		UNION ALL
		SELECT s.month, s.contract_id, s.currency, NULL, CASE WHEN NOT s.is_under_cover THEN s.cost END, NULL, CASE WHEN s.is_under_cover THEN s.cost END
		FROM metric_service s
		WHERE s.cost IS NOT NULL AND (s.contract_id IS NOT NULL OR s.is_under_cover)
		UNION ALL
		SELECT o.month, o.contract_id, o.currency, NULL, NULL, o.amount, NULL
		FROM metric_over_cover o) AS x
	GROUP BY 1, 2, 3) AS p
	LEFT JOIN @P@.contract c ON c.contract_id = p.contract_id
	LEFT JOIN @P@.customer u ON u.customer_id = c.customer_id
$query$));
END;
$$;

CREATE FUNCTION cec.asset_utilisation(portfolio regnamespace)
RETURNS TABLE (asset_id bigint, asset_tag text, customer text, category text, covered_days bigint, requests bigint,
	requests_per_asset_year numeric, cost numeric, currency text, rank bigint)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY EXECUTE cec._sql(portfolio, cec._metric_query($query$
WITH used AS (
	SELECT v.asset_id, cec._day_count(range_agg(v.during) * datemultirange(daterange(k.today - 364, k.today, '[]'))) AS covered_days
	FROM @P@.coverage v CROSS JOIN metric_clock k
	WHERE v.during && daterange(k.today - 364, k.today, '[]')
	GROUP BY v.asset_id, k.today
), service AS MATERIALIZED (
	SELECT s.asset_id, s.is_request, s.cost, s.currency
	FROM metric_service s CROSS JOIN metric_clock k
	WHERE s.contract_id IS NOT NULL AND s.day > k.today - 365
), cost AS (
	SELECT DISTINCT ON (s.asset_id) s.asset_id, s.currency, sum(s.cost) AS cost
	FROM service s WHERE s.cost IS NOT NULL
	GROUP BY s.asset_id, s.currency
	ORDER BY s.asset_id, count(*) DESC, s.currency
)
SELECT d.asset_id, a.asset_tag, u.name AS customer, a.category, d.covered_days, coalesce(q.requests, 0) AS requests,
	coalesce(q.requests, 0) * 365::numeric / d.covered_days AS requests_per_asset_year, coalesce(x.cost, 0) AS cost, x.currency,
	rank() OVER (ORDER BY coalesce(q.requests, 0) * 365::numeric / d.covered_days DESC) AS rank
FROM used d
	JOIN @P@.asset a ON a.asset_id = d.asset_id
	LEFT JOIN @P@.customer u ON u.customer_id = a.customer_id
	LEFT JOIN (SELECT s.asset_id, count(*) AS requests FROM service s WHERE s.is_request GROUP BY 1) AS q ON q.asset_id = d.asset_id
	LEFT JOIN cost x ON x.asset_id = d.asset_id
$query$));
END;
$$;

CREATE FUNCTION cec.contract_adherence(portfolio regnamespace)
RETURNS TABLE (contract_id bigint, contract_number text, customer text, account_manager text, covered bigint, seen bigint,
	deployed bigint, in_both bigint, adherence numeric, observed_share numeric)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY EXECUTE cec._sql(portfolio, cec._metric_query($query$
SELECT c.contract_id, c.number AS contract_number, u.name AS customer, c.account_manager, coalesce(d.covered, 0) AS covered, coalesce(d.seen, 0) AS seen,
	coalesce(d.deployed, 0) AS deployed, coalesce(d.in_both, 0) AS in_both, d.in_both::numeric / nullif(d.in_any, 0) AS adherence,
	d.seen::numeric / nullif(d.covered, 0) AS observed_share
FROM @P@.contract c
	CROSS JOIN metric_clock k
	LEFT JOIN @P@.customer u ON u.customer_id = c.customer_id
	LEFT JOIN (SELECT p.contract_id, count(*) FILTER (WHERE p.is_covered) AS covered, count(*) FILTER (WHERE p.is_covered AND p.is_seen) AS seen,
			count(*) FILTER (WHERE p.is_deployed) AS deployed, count(*) FILTER (WHERE p.is_covered AND p.is_deployed) AS in_both,
			count(*) FILTER (WHERE p.is_seen) AS in_any
		FROM metric_deployment p GROUP BY 1) AS d ON d.contract_id = c.contract_id
WHERE c.status IN ('active', 'terminated') AND c.during @> k.today AND NOT c.suspensions @> k.today
$query$));
END;
$$;

CREATE FUNCTION cec.adherence_issue(portfolio regnamespace)
RETURNS TABLE (adherence_issue_id bigint, grouped_by text, group_value text, compared bigint, covered_not_in_place bigint,
	in_place_not_covered bigint, differences bigint, share numeric)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY EXECUTE cec._sql(portfolio, cec._metric_query($query$
WITH compared AS MATERIALIZED (
	SELECT p.contract_id, p.asset_id, p.source, p.seen_on, p.is_covered, p.is_deployed FROM metric_deployment p WHERE p.is_seen
)
SELECT hashtextextended(ROW(g.grouped_by, g.group_key)::text, 0) AS adherence_issue_id, g.grouped_by, min(g.group_value) AS group_value,
	count(*) AS compared, count(*) FILTER (WHERE p.is_covered AND NOT p.is_deployed) AS covered_not_in_place,
	count(*) FILTER (WHERE NOT p.is_covered) AS in_place_not_covered, count(*) FILTER (WHERE p.is_covered <> p.is_deployed) AS differences,
	(count(*) FILTER (WHERE p.is_covered <> p.is_deployed))::numeric
		/ nullif((SELECT count(*) FROM compared o WHERE o.is_covered <> o.is_deployed), 0) AS share
FROM compared p
	JOIN @P@.contract c ON c.contract_id = p.contract_id
	JOIN @P@.customer u ON u.customer_id = c.customer_id
	JOIN @P@.asset a ON a.asset_id = p.asset_id
	CROSS JOIN LATERAL (VALUES ('source', p.source, p.source), ('customer', u.customer_id::text, u.name), ('account_manager', c.account_manager, c.account_manager),
		('category', a.category, a.category), ('month', cec._month_of(p.seen_on)::text, to_char(p.seen_on, 'YYYY-MM'))) AS g(grouped_by, group_key, group_value)
GROUP BY g.grouped_by, g.group_key
$query$));
END;
$$;

CREATE FUNCTION cec.attach_rate(portfolio regnamespace)
RETURNS TABLE (attach_rate_id bigint, grouped_by text, group_value text, active bigint, covered bigint, rate numeric,
	value numeric, covered_value numeric, value_rate numeric)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY EXECUTE cec._sql(portfolio, cec._metric_query($query$
WITH attachment AS MATERIALIZED (
	SELECT p.asset_id, p.customer_id, p.country, p.category, p.model, p.value, p.is_covered FROM metric_attachment p
), grouped AS (
	SELECT g.grouped_by, g.group_key, g.group_value, p.value, p.is_covered
	FROM attachment p
		LEFT JOIN @P@.customer u ON u.customer_id = p.customer_id
		CROSS JOIN LATERAL (VALUES ('customer', u.customer_id::text, u.name), ('country', p.country, p.country), ('category', p.category, p.category),
			('model', p.model, p.model)) AS g(grouped_by, group_key, group_value)
	UNION ALL
	SELECT 'account_manager', m.account_manager, m.account_manager, p.value, p.is_covered
	FROM attachment p
		LEFT JOIN (SELECT DISTINCT c.customer_id, c.account_manager FROM @P@.contract c
			WHERE c.status IN ('active', 'terminated') AND c.account_manager IS NOT NULL) AS m ON m.customer_id = p.customer_id
)
SELECT hashtextextended(ROW(g.grouped_by, g.group_key)::text, 0) AS attach_rate_id, g.grouped_by, min(g.group_value) AS group_value, count(*) AS active,
	count(*) FILTER (WHERE g.is_covered) AS covered, (count(*) FILTER (WHERE g.is_covered))::numeric / count(*) AS rate, sum(g.value) AS value,
	coalesce(sum(g.value) FILTER (WHERE g.is_covered), 0) AS covered_value, coalesce(sum(g.value) FILTER (WHERE g.is_covered), 0) / nullif(sum(g.value), 0) AS value_rate
FROM grouped g
GROUP BY g.grouped_by, g.group_key
$query$));
END;
$$;

-- Cover that ends in the months ahead, where nothing covers the asset on the next day. What is at risk is what a year of it costs at the
-- price of its last day.
CREATE FUNCTION cec.expiring_cover(portfolio regnamespace)
RETURNS TABLE (expiring_cover_id bigint, month date, contract_id bigint, contract_number text, customer text, account_manager text,
	currency text, assets bigint, first_last_day date, revenue_at_risk numeric)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
BEGIN
	PERFORM cec._require_version(portfolio);
	RETURN QUERY EXECUTE cec._sql(portfolio, cec._metric_query($query$
WITH ending AS MATERIALIZED (
	SELECT v.asset_id, v.term_id, t.contract_id, upper(v.during) - 1 AS last_day, cec._month_of(upper(v.during) - 1) AS month
	FROM @P@.coverage v JOIN @P@.coverage_term t ON t.term_id = v.term_id CROSS JOIN metric_clock k
	WHERE upper(v.during) > k.today AND upper(v.during) <= (cec._month_of(k.today) + interval '24 months')::date
		AND NOT EXISTS (SELECT FROM @P@.coverage n WHERE n.asset_id = v.asset_id AND n.during @> upper(v.during))
), risk AS (
	SELECT e.contract_id, e.month, sum(CASE WHEN p.price_basis LIKE 'flat%' THEN 1 ELSE e.assets END
			* cec.charge_amount(p.price, replace(p.price_basis, 'flat_', 'per_unit_'), p.proration,
				datemultirange(daterange(e.last_day - 364, e.last_day, '[]')), e.last_day - 364)) AS amount
	FROM (SELECT n.term_id, n.contract_id, n.month, n.last_day, count(DISTINCT n.asset_id) AS assets FROM ending n GROUP BY 1, 2, 3, 4) AS e
		JOIN metric_price p ON p.term_id = e.term_id AND p.days @> e.last_day
	WHERE p.price_basis <> 'flat_once'
	GROUP BY 1, 2
)
SELECT hashtextextended(ROW(extract(year FROM e.month), extract(month FROM e.month), c.contract_id)::text, 0), e.month, c.contract_id, c.number,
	u.name, c.account_manager, c.currency, e.assets, e.first_end, r.amount
FROM (SELECT n.contract_id, n.month, count(DISTINCT n.asset_id) AS assets, min(n.last_day) AS first_end FROM ending n GROUP BY 1, 2) AS e
	JOIN @P@.contract c ON c.contract_id = e.contract_id
	LEFT JOIN @P@.customer u ON u.customer_id = c.customer_id
	LEFT JOIN risk r ON r.contract_id = e.contract_id AND r.month = e.month
$query$));
END;
$$;

-- Day by day how many assets a contract covers, from its first day of cover through its last; at most ten years back where cover has no
-- beginning, and two years ahead.
CREATE FUNCTION cec._contract_day(portfolio regnamespace, contract_id bigint) RETURNS TABLE (contract_day_id bigint, on_day date, covered bigint)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	today date := cec.today(portfolio);
BEGIN
	RETURN QUERY EXECUTE cec._sql(portfolio, $query$
		WITH unit AS (
			SELECT range_agg(v.during * CASE WHEN lower_inf(v.during) THEN daterange($2 - 3652, NULL) ELSE v.during END)
				* datemultirange(daterange('1970-01-01', $2 + 730, '[]')) AS days
			FROM @P@.coverage_term t JOIN @P@.coverage v ON v.term_id = t.term_id
			WHERE t.contract_id = $1
			GROUP BY v.asset_id
		), bound AS (
			SELECT b.day, sum(b.step) AS step
			FROM unit n CROSS JOIN LATERAL unnest(n.days) AS r(span) CROSS JOIN LATERAL (VALUES (lower(r.span), 1), (upper(r.span), -1)) AS b(day, step)
			GROUP BY 1
		)
		SELECT hashtextextended(ROW($1, g.day - date '1970-01-01')::text, 0), g.day, (sum(b.step) OVER (ORDER BY g.day))::bigint
		FROM (SELECT min(day) AS first_day, max(day) AS next_day FROM bound) AS e
			CROSS JOIN LATERAL (SELECT e.first_day + n AS day FROM generate_series(0, e.next_day - e.first_day - 1) AS n) AS g
			LEFT JOIN bound b ON b.day = g.day
		ORDER BY g.day
		$query$) USING contract_id, today;
END;
$$;

-- Samples today, in the place of what was sampled today before; how many rows there are.
CREATE FUNCTION cec._sample_metrics(portfolio oid, on_day date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
DECLARE
	samples bigint;
BEGIN
	EXECUTE cec._sql(portfolio, cec._metric_query($query$
WITH sample AS MATERIALIZED (
	SELECT 'complete_definition' AS metric, d.contract_id, (count(*) FILTER (WHERE d.is_complete))::numeric AS numerator, count(*)::numeric AS denominator
	FROM metric_definition d GROUP BY GROUPING SETS ((d.contract_id), ())
	UNION ALL
	SELECT m.metric, d.contract_id, CASE m.metric WHEN 'adherence' THEN d.in_both ELSE d.seen END, CASE m.metric WHEN 'adherence' THEN d.in_any ELSE d.covered END
	FROM (SELECT p.contract_id, count(*) FILTER (WHERE p.is_covered) AS covered, count(*) FILTER (WHERE p.is_covered AND p.is_seen) AS seen,
			count(*) FILTER (WHERE p.is_covered AND p.is_deployed) AS in_both, count(*) FILTER (WHERE p.is_seen) AS in_any
		FROM metric_deployment p GROUP BY GROUPING SETS ((p.contract_id), ())) AS d
		CROSS JOIN (VALUES ('adherence'), ('observed_share')) AS m(metric)
	UNION ALL
	SELECT m.metric, NULL, CASE m.metric WHEN 'attach_rate' THEN d.covered WHEN 'attach_rate_service' THEN d.serviced ELSE d.warranted END, d.active
	FROM (SELECT count(*) AS active, count(*) FILTER (WHERE p.is_covered) AS covered, count(*) FILTER (WHERE p.has_service) AS serviced,
			count(*) FILTER (WHERE p.has_warranty) AS warranted
		FROM metric_attachment p) AS d
		CROSS JOIN (VALUES ('attach_rate'), ('attach_rate_service'), ('attach_rate_warranty')) AS m(metric)
), gone AS (
	DELETE FROM @P@.metric_sample s WHERE s.on_day = $1
		AND NOT EXISTS (SELECT FROM sample n WHERE n.metric = s.metric AND n.contract_id IS NOT DISTINCT FROM s.contract_id)
), kept AS (
	INSERT INTO @P@.metric_sample AS s (metric, contract_id, on_day, numerator, denominator)
	SELECT n.metric, n.contract_id, $1, n.numerator, n.denominator FROM sample n
	ON CONFLICT ON CONSTRAINT metric_sample_one_a_day DO UPDATE SET numerator = excluded.numerator, denominator = excluded.denominator
		WHERE (s.numerator, s.denominator) IS DISTINCT FROM (excluded.numerator, excluded.denominator)
)
SELECT count(*) FROM sample
$query$)) INTO samples USING on_day;
	RETURN samples;
END;
$$;

-- Of all portfolios that the caller may read and that are of the installed version. What only looks like one is passed over.
CREATE FUNCTION cec.fleet_metric_month()
RETURNS TABLE (portfolio text, metric_month_id bigint, "time" timestamptz, metric text, unit text, contract_id bigint, contract_number text, customer text,
	account_manager text, currency text, numerator numeric, denominator numeric, value numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	found record;
	part text;
BEGIN
	FOR found IN SELECT p.name FROM cec.portfolio p WHERE p.version = cec.version() ORDER BY p.name COLLATE "C" LOOP
		CONTINUE WHEN EXISTS (SELECT FROM unnest(ARRAY['setting', 'customer', 'asset', 'maintenance_event', 'service_request', 'service_tier', 'contract',
				'coverage_term', 'term_price', 'amendment', 'coverage', 'metric_sample']) AS t(name)
			WHERE NOT coalesce(has_table_privilege(to_regclass(format('%I.%I', found.name, t.name)), 'SELECT'), false));
		BEGIN
			FOREACH part IN ARRAY ARRAY['sampled', 'requests_per_covered_asset', 'requests_per_asset_year', 'cost_per_covered_unit', 'revenue_expected', 'update'] LOOP
				RETURN QUERY SELECT found.name::text, m.* FROM cec._metric_month(quote_ident(found.name)::regnamespace, part) AS m;
			END LOOP;
		EXCEPTION WHEN insufficient_privilege OR object_not_in_prerequisite_state OR undefined_table OR invalid_schema_name THEN
			NULL;
		END;
	END LOOP;
END;
$$;

COMMENT ON FUNCTION cec._metric_month(regnamespace, text) IS 'Private. One part of metric_month of a portfolio.';
COMMENT ON FUNCTION cec._contract_day(regnamespace, bigint) IS 'Private. Day by day how many assets a contract covers.';
COMMENT ON FUNCTION cec._sample_metrics(oid, date) IS 'Private. Writes the samples of today; returns how many there are.';
COMMENT ON FUNCTION cec.gap_month(regnamespace) IS 'Gaps by month and kind; see the view of a portfolio.';
COMMENT ON FUNCTION cec.leakage(regnamespace) IS 'Money that is lost by cover that is missing or of no use; see the view of a portfolio.';
COMMENT ON FUNCTION cec.contract_profitability(regnamespace) IS 'Revenue and cost of contracts by month; see the view of a portfolio.';
COMMENT ON FUNCTION cec.asset_utilisation(regnamespace) IS 'How much service assets ask for; see the view of a portfolio.';
COMMENT ON FUNCTION cec.contract_adherence(regnamespace) IS 'How far contracts and the field agree; see the view of a portfolio.';
COMMENT ON FUNCTION cec.adherence_issue(regnamespace) IS 'Where contracts and the field differ; see the view of a portfolio.';
COMMENT ON FUNCTION cec.attach_rate(regnamespace) IS 'Shares of assets that are covered; see the view of a portfolio.';
COMMENT ON FUNCTION cec.expiring_cover(regnamespace) IS 'Cover that ends in the months ahead; see the view of a portfolio.';
COMMENT ON FUNCTION cec.fleet_metric_month() IS 'metric_month of all portfolios that the caller may read, with the name of each. Portfolios of another version of the extension, and those of which the caller may not read all that metrics follow from, are left out.';
