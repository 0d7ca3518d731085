/*
 * portfolio_constraint.c
 *		The CHECK constraints of gate and settings.
 */
#include "postgres.h"

#include "portfolio/row_check.h"

static bool
never_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return false;
}

static bool
one_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return PG_GETARG_INT64(0) == 1;
}

static const CecCheckKind never = {false, never_holds, NULL, NULL};
static const CecCheckKind one = {true, one_holds, NULL, NULL};

#define CHECKS(CHECK) \
	CHECK(gate_is_empty, "gate", "gate_id bigint", &never, .rule = "the gate of a portfolio must stay empty", \
		  .hint = "It is there to be locked by those who write.") \
	CHECK(setting_one_row, "setting", "setting_id bigint", &one, \
		  .rule = "the settings of a portfolio must be one row, number 1", .hint = "Use UPDATE.") \
	CHECK( \
		setting_time_zone_known, "setting", "time_zone text", &cec_time_zone, \
		.hint = \
			"Write a place, as Europe/Berlin; two hours east of Greenwich all year is Etc/GMT-2. The view pg_timezone_names has all names.") \
	CHECK(setting_expiry_notice_days_not_negative, "setting", "expiry_notice_days integer", &cec_count_not_negative) \
	CHECK(setting_observation_days_not_negative, "setting", "observation_days integer", &cec_count_not_negative) \
	CHECK(setting_decommission_window_days_not_negative, "setting", "decommission_window_days integer", \
		  &cec_count_not_negative) \
	CHECK(setting_value_attribute_length, "setting", "value_attribute text", &cec_length, .most = 200) \
	CHECK(setting_direct_changes_known, "setting", "direct_changes text", &cec_word, .words = "allowed, draft_only")

CEC_ROW_CHECKS(portfolio, CHECKS)
