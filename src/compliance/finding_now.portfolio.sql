-- What is wrong now, for people, and what is planned of assets and contracts together.

-- Read in the order of severity and age by an index, so a page costs what it shows: nothing here keeps the planner from that order, and what
-- belongs to a finding is looked up for those that are shown. Of an account manager it reads on until the page is full, or by his contracts.
CREATE VIEW @P@.finding_now WITH (security_invoker = true) AS
SELECT f.finding_id, f.severity, CASE f.severity WHEN 'error' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END AS severity_rank, f.kind,
	coalesce(k.is_gap, false) AS is_gap, f.asset_id, a.asset_tag, f.other_asset_id, o.asset_tag AS other_asset_tag,
	f.contract_id, c.number AS contract_number, f.term_id, t.number AS term_number, f.rule_id, u.customer_id, u.name AS customer,
	c.account_manager,
	CASE WHEN f.contract_id IS NULL THEN (
		SELECT m.account_manager
		FROM (SELECT v.term_id FROM @P@.coverage v WHERE v.asset_id = f.asset_id ORDER BY upper(v.during) DESC, v.coverage_id DESC LIMIT 1) AS v
			CROSS JOIN LATERAL (SELECT w.contract_id FROM @P@.coverage_term w WHERE w.term_id = v.term_id OFFSET 0) AS w
			CROSS JOIN LATERAL (SELECT m.account_manager FROM @P@.contract m WHERE m.contract_id = w.contract_id OFFSET 0) AS m
	) END AS asset_account_manager,
	f.subject, f.first_day, f.last_day, f.message, f.detail, f.opened_at,
	d.today - (f.opened_at AT TIME ZONE d.time_zone)::date AS days_open
FROM @P@.finding f
	CROSS JOIN (
		SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today, time_zone, four_eyes FROM @P@.setting OFFSET 0
	) AS d
	LEFT JOIN cec.finding_kind k ON k.kind = f.kind
	LEFT JOIN @P@.contract c ON c.contract_id = f.contract_id
	LEFT JOIN @P@.coverage_term t ON t.term_id = f.term_id
	LEFT JOIN @P@.asset a ON a.asset_id = f.asset_id
	LEFT JOIN @P@.asset o ON o.asset_id = f.other_asset_id
	LEFT JOIN @P@.customer u ON u.customer_id = coalesce(c.customer_id, a.customer_id)
WHERE f.closed_at IS NULL
	AND NOT EXISTS (
		SELECT FROM @P@.finding_waiver w
		WHERE w.asset_id = f.asset_id AND w.kind = f.kind AND (w.contract_id IS NULL OR w.contract_id = f.contract_id)
			AND (w.subject IS NULL OR w.subject = f.subject) AND (w.until IS NULL OR w.until >= d.today)
			AND (NOT d.four_eyes OR w.approved_by <> w.waived_by) OFFSET 0)
	AND NOT EXISTS (
		SELECT FROM @P@.finding_waiver w
		WHERE w.contract_id = f.contract_id AND w.asset_id IS NULL AND w.kind = f.kind
			AND (w.subject IS NULL OR w.subject = f.subject) AND (w.until IS NULL OR w.until >= d.today)
			AND (NOT d.four_eyes OR w.approved_by <> w.waived_by) OFFSET 0)
	AND NOT EXISTS (
		SELECT FROM @P@.finding_waiver w
		WHERE w.subject = f.subject AND w.asset_id IS NULL AND w.contract_id IS NULL AND w.kind = f.kind
			AND (w.until IS NULL OR w.until >= d.today) AND (NOT d.four_eyes OR w.approved_by <> w.waived_by) OFFSET 0);

CREATE VIEW @P@.compliance_gap WITH (security_invoker = true) AS
SELECT n.finding_id, n.severity, n.severity_rank, n.kind, n.is_gap, n.asset_id, n.asset_tag, n.other_asset_id, n.other_asset_tag, n.contract_id, n.contract_number, n.term_id, n.term_number, n.rule_id, n.customer_id, n.customer, n.account_manager, n.asset_account_manager, n.subject, n.first_day, n.last_day, n.message, n.detail, n.opened_at, n.days_open
FROM @P@.finding_now n
WHERE n.is_gap;

-- A row an asset and term that has a line which counts, or a row of cover; a row an asset that has none of them.
CREATE VIEW @P@.decommission_calendar WITH (security_invoker = true) AS
SELECT a.asset_id, a.asset_tag, u.name AS customer, c.account_manager, a.decommissioned_on, c.contract_id, c.number AS contract_number,
	t.term_id, nullif(s.cover_ends, 'infinity') - 1 AS cover_last_day, upper(c.during) - 1 AS contract_last_day,
	upper(c.during) - 1 - a.decommissioned_on AS days_apart,
	CASE WHEN s.runs_past THEN 'end_line'
		WHEN a.decommissioned_on >= v.ends_before AND a.decommissioned_on - v.ends_before < d.decommission_window_days THEN 'renew'
		WHEN a.decommissioned_on < d.today AND a.status <> 'retired' THEN 'confirm_date'
		ELSE 'none' END AS action_due
FROM @P@.asset a
	CROSS JOIN (
		SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today, decommission_window_days FROM @P@.setting OFFSET 0
	) AS d
	LEFT JOIN @P@.customer u ON u.customer_id = a.customer_id
	LEFT JOIN LATERAL (
		SELECT nullif(max(coalesce(upper(v.during), 'infinity')), 'infinity') AS ends_before
		FROM @P@.coverage v WHERE v.asset_id = a.asset_id OFFSET 0
	) AS v ON true
	LEFT JOIN LATERAL (
		SELECT b.term_id, max(b.cover_ends) AS cover_ends, bool_or(b.runs_past) AS runs_past
		FROM (
			-- Lines that count, as in kind.portfolio.sql; that view is the engine's.
			SELECT i.term_id, NULL::date AS cover_ends,
				coalesce(upper(i.during * w.during * e.during) - 1 > a.decommissioned_on, true) AS runs_past
			FROM @P@.inclusion i
				JOIN @P@.coverage_term w ON w.term_id = i.term_id
				JOIN @P@.contract e ON e.contract_id = w.contract_id
			WHERE i.asset_id = a.asset_id AND e.status <> 'void'
				AND coalesce(upper(i.during * w.during * e.during) > d.today, NOT isempty(i.during * w.during * e.during))
			UNION ALL
			SELECT x.term_id, coalesce(upper(x.during), 'infinity'), false FROM @P@.coverage x WHERE x.asset_id = a.asset_id
		) AS b
		GROUP BY b.term_id
	) AS s ON true
	LEFT JOIN @P@.coverage_term t ON t.term_id = s.term_id
	LEFT JOIN @P@.contract c ON c.contract_id = t.contract_id
WHERE a.decommissioned_on IS NOT NULL;

COMMENT ON VIEW @P@.finding_now IS 'Findings that are open and not waived, with what they are about in words: one row a finding.';
COMMENT ON COLUMN @P@.finding_now.finding_id IS 'Key.';
COMMENT ON COLUMN @P@.finding_now.severity IS 'info, warning or error.';
COMMENT ON COLUMN @P@.finding_now.severity_rank IS '1 for error, 2 for warning, 3 for info: ORDER BY severity_rank, opened_at has the worst first, then the oldest, and reads no more than it shows.';
COMMENT ON COLUMN @P@.finding_now.kind IS 'What is wrong; the table cec.finding_kind says what each means.';
COMMENT ON COLUMN @P@.finding_now.is_gap IS 'Whether it counts as a gap in compliance.';
COMMENT ON COLUMN @P@.finding_now.asset_id IS 'Asset concerned, if any.';
COMMENT ON COLUMN @P@.finding_now.asset_tag IS 'Its tag.';
COMMENT ON COLUMN @P@.finding_now.other_asset_id IS 'Second asset of a pair, if any.';
COMMENT ON COLUMN @P@.finding_now.other_asset_tag IS 'Its tag.';
COMMENT ON COLUMN @P@.finding_now.contract_id IS 'Contract concerned, if any.';
COMMENT ON COLUMN @P@.finding_now.contract_number IS 'Its number.';
COMMENT ON COLUMN @P@.finding_now.term_id IS 'Coverage term concerned, if any.';
COMMENT ON COLUMN @P@.finding_now.term_number IS 'Its number in the contract.';
COMMENT ON COLUMN @P@.finding_now.rule_id IS 'Coverage rule concerned, if any.';
COMMENT ON COLUMN @P@.finding_now.customer_id IS 'Customer of the contract; where none is concerned, of the asset.';
COMMENT ON COLUMN @P@.finding_now.customer IS 'Name of the customer.';
COMMENT ON COLUMN @P@.finding_now.account_manager IS 'Who looks after the contract concerned, if any.';
COMMENT ON COLUMN @P@.finding_now.asset_account_manager IS 'Where no contract is concerned, who looks after the one that covers the asset, or covered it last.';
COMMENT ON COLUMN @P@.finding_now.subject IS 'What else tells it from others of its kind: a day, a period, or key:value; empty where the ids do.';
COMMENT ON COLUMN @P@.finding_now.first_day IS 'First day concerned; NULL: unbounded or not about days.';
COMMENT ON COLUMN @P@.finding_now.last_day IS 'Last day concerned, included; NULL: unbounded or not about days.';
COMMENT ON COLUMN @P@.finding_now.message IS 'What is wrong, in one sentence.';
COMMENT ON COLUMN @P@.finding_now.detail IS 'Facts of the finding.';
COMMENT ON COLUMN @P@.finding_now.opened_at IS 'When it was first seen.';
COMMENT ON COLUMN @P@.finding_now.days_open IS 'For how many days it has been open, in the portfolio''s time zone: 0 on the day it was seen.';
COMMENT ON VIEW @P@.compliance_gap IS 'Gaps in compliance: the rows of finding_now whose kind counts as one.';
COMMENT ON COLUMN @P@.compliance_gap.finding_id IS 'Key.';
COMMENT ON COLUMN @P@.compliance_gap.severity IS 'info, warning or error.';
COMMENT ON COLUMN @P@.compliance_gap.severity_rank IS '1 for error, 2 for warning, 3 for info: ORDER BY severity_rank, opened_at has the worst first, then the oldest, and reads no more than it shows.';
COMMENT ON COLUMN @P@.compliance_gap.kind IS 'What is wrong; the table cec.finding_kind says what each means.';
COMMENT ON COLUMN @P@.compliance_gap.is_gap IS 'Whether it counts as a gap in compliance.';
COMMENT ON COLUMN @P@.compliance_gap.asset_id IS 'Asset concerned, if any.';
COMMENT ON COLUMN @P@.compliance_gap.asset_tag IS 'Its tag.';
COMMENT ON COLUMN @P@.compliance_gap.other_asset_id IS 'Second asset of a pair, if any.';
COMMENT ON COLUMN @P@.compliance_gap.other_asset_tag IS 'Its tag.';
COMMENT ON COLUMN @P@.compliance_gap.contract_id IS 'Contract concerned, if any.';
COMMENT ON COLUMN @P@.compliance_gap.contract_number IS 'Its number.';
COMMENT ON COLUMN @P@.compliance_gap.term_id IS 'Coverage term concerned, if any.';
COMMENT ON COLUMN @P@.compliance_gap.term_number IS 'Its number in the contract.';
COMMENT ON COLUMN @P@.compliance_gap.rule_id IS 'Coverage rule concerned, if any.';
COMMENT ON COLUMN @P@.compliance_gap.customer_id IS 'Customer of the contract; where none is concerned, of the asset.';
COMMENT ON COLUMN @P@.compliance_gap.customer IS 'Name of the customer.';
COMMENT ON COLUMN @P@.compliance_gap.account_manager IS 'Who looks after the contract concerned, if any.';
COMMENT ON COLUMN @P@.compliance_gap.asset_account_manager IS 'Where no contract is concerned, who looks after the one that covers the asset, or covered it last.';
COMMENT ON COLUMN @P@.compliance_gap.subject IS 'What else tells it from others of its kind: a day, a period, or key:value; empty where the ids do.';
COMMENT ON COLUMN @P@.compliance_gap.first_day IS 'First day concerned; NULL: unbounded or not about days.';
COMMENT ON COLUMN @P@.compliance_gap.last_day IS 'Last day concerned, included; NULL: unbounded or not about days.';
COMMENT ON COLUMN @P@.compliance_gap.message IS 'What is wrong, in one sentence.';
COMMENT ON COLUMN @P@.compliance_gap.detail IS 'Facts of the finding.';
COMMENT ON COLUMN @P@.compliance_gap.opened_at IS 'When it was first seen.';
COMMENT ON COLUMN @P@.compliance_gap.days_open IS 'For how many days it has been open, in the portfolio''s time zone: 0 on the day it was seen.';
COMMENT ON VIEW @P@.decommission_calendar IS 'Assets of which the day of decommissioning is known, against the contracts that list or cover them: one row an asset and term; one without a contract where there is none.';
COMMENT ON COLUMN @P@.decommission_calendar.asset_id IS 'Asset.';
COMMENT ON COLUMN @P@.decommission_calendar.asset_tag IS 'Its tag.';
COMMENT ON COLUMN @P@.decommission_calendar.customer IS 'Name of the customer that it stands at.';
COMMENT ON COLUMN @P@.decommission_calendar.account_manager IS 'Who looks after the contract.';
COMMENT ON COLUMN @P@.decommission_calendar.decommissioned_on IS 'Last day of its life, planned or past.';
COMMENT ON COLUMN @P@.decommission_calendar.contract_id IS 'Contract; NULL: none lists it from today on, and none has covered it.';
COMMENT ON COLUMN @P@.decommission_calendar.contract_number IS 'Its number.';
COMMENT ON COLUMN @P@.decommission_calendar.term_id IS 'Term of the contract.';
COMMENT ON COLUMN @P@.decommission_calendar.cover_last_day IS 'Last day on which the term covers it; NULL: it has no end, or there is none.';
COMMENT ON COLUMN @P@.decommission_calendar.contract_last_day IS 'Last day of the contract; NULL: open.';
COMMENT ON COLUMN @P@.decommission_calendar.days_apart IS 'From decommissioned_on to contract_last_day: above 0 where the contract runs on, below 0 where it ends before.';
COMMENT ON COLUMN @P@.decommission_calendar.action_due IS 'The first that holds of end_line (a line of the term runs past decommissioned_on), renew (the last cover of the asset, over all terms, ends 1 to setting.decommission_window_days days before), confirm_date (the day is past and the asset not retired); else none.';
