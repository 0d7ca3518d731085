/*
 * amendment_constraint.c
 *		The CHECK constraints of amendments.
 */
#include "postgres.h"

#include "portfolio/row_check.h"

#define CHECKS(CHECK) \
	CHECK(amendment_status_known, "amendment", "status text", &cec_word, \
		  .words = "draft, submitted, approved, applied, cancelled") \
	CHECK(amendment_approval_complete, "amendment", "approved_at timestamptz, approved_by text", &cec_both, \
		  .rule = "an approval needs both its time and who gave it", \
		  .hint = "Set approved_at and approved_by together.") \
	CHECK(amendment_applied_has_time, "amendment", "status text, applied_at timestamptz", &cec_has_when, \
		  .when = "applied", .rule = "an applied amendment needs the time it was applied, and no other may have one", \
		  .hint = "Set applied_at together with the status.") \
	CHECK(amendment_applied_after_requested, "amendment", "requested_at timestamptz, applied_at timestamptz", \
		  &cec_times_in_order, .rule = "an amendment must not be applied before it is requested", \
		  .hint = "Set requested_at to when the change was asked for.") \
	CHECK(amendment_line_action_known, "amendment_line", "action text", &cec_word, \
		  .words = "include, exclude, remove, swap, change")

CEC_ROW_CHECKS(amendment, CHECKS)
