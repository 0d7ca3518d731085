/*
 * coverage_constraint.c
 *		The CHECK constraints of effective coverage.
 */
#include "postgres.h"

#include "portfolio/row_check.h"

#define CHECKS(CHECK) \
	CHECK(coverage_days_not_empty, "coverage", "during daterange", &cec_range_not_empty) \
	CHECK(coverage_days_finite, "coverage", "during daterange", &cec_range_finite) \
	CHECK(coverage_has_ground, "coverage", "is_stated boolean, is_ruled boolean, is_inherited boolean", &cec_any_true, \
		  .rule = "cover must be stated, ruled or inherited") \
	CHECK(coverage_history_days_not_empty, "coverage_history", "during daterange", &cec_range_not_empty) \
	CHECK(coverage_history_days_finite, "coverage_history", "during daterange", &cec_range_finite) \
	CHECK(coverage_history_recorded_not_empty, "coverage_history", "recorded tstzrange", &cec_range_not_empty)

CEC_ROW_CHECKS(coverage, CHECKS)
