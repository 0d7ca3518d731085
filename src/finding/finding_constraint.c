/*
 * finding_constraint.c
 *		The CHECK constraints of findings and waivers.
 */
#include "postgres.h"

#include "portfolio/row_check.h"

#define CHECKS(CHECK) \
	CHECK(finding_severity_known, "finding", "severity text", &cec_word, .words = "info, warning, error") \
	CHECK(finding_closed_after_opened, "finding", "opened_at timestamptz, closed_at timestamptz", &cec_times_in_order, \
		  .rule = "a finding must not be closed before it is opened") \
	CHECK(finding_days_in_order, "finding", "first_day date, last_day date", &cec_days_in_order, \
		  .rule = "the first day of a finding must not be after its last") \
	CHECK(finding_waiver_reason_not_empty, "finding_waiver", "reason text", &cec_not_empty, \
		  .hint = "Say why it is accepted.") \
	CHECK(finding_waiver_says_of_what, "finding_waiver", "asset_id bigint, contract_id bigint, subject text", \
		  &cec_any, .rule = "a waiver needs an asset, a contract or a subject", \
		  .hint = "Name the asset or the contract of the findings that are accepted, or their subject.") \
	CHECK(finding_waiver_subject_not_empty, "finding_waiver", "subject text", &cec_not_empty, \
		  .hint = "Leave it NULL for a waiver of whatever subject.") \
	CHECK(finding_waiver_until_finite, "finding_waiver", "until date", &cec_days_finite)

CEC_ROW_CHECKS(finding, CHECKS)
