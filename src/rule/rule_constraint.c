/*
 * rule_constraint.c
 *		The CHECK constraints of rules, what they did, and refreshes.
 */
#include "postgres.h"

#include "portfolio/row_check.h"

#define CHECKS(CHECK) \
	CHECK(coverage_rule_effect_known, "coverage_rule", "effect text", &cec_word, .words = "include, require, exclude") \
	CHECK(coverage_rule_on_unknown_known, "coverage_rule", "on_unknown text", &cec_word, .words = "deny, allow, flag") \
	CHECK(coverage_rule_state_known, "coverage_rule", "state text", &cec_word, .words = "active, suspended") \
	CHECK(coverage_rule_condition_length, "coverage_rule", "condition text", &cec_byte_length, .most = 4000, \
		  .hint = "A long condition can be divided among several rules.") \
	CHECK(coverage_rule_days_not_empty, "coverage_rule", "during daterange", &cec_range_not_empty) \
	CHECK(coverage_rule_days_finite, "coverage_rule", "during daterange", &cec_range_finite) \
	CHECK(rule_effect_days_not_empty, "rule_effect", "during daterange", &cec_range_not_empty) \
	CHECK(rule_effect_days_finite, "rule_effect", "during daterange", &cec_range_finite) \
	CHECK(refresh_run_day_finite, "refresh_run", "on_day date", &cec_days_finite)

CEC_ROW_CHECKS(rule, CHECKS)
