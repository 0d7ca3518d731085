/*
 * inclusion_constraint.c
 *		The CHECK constraints of list lines.
 */
#include "postgres.h"

#include "portfolio/row_check.h"

#define CHECKS(CHECK) \
	CHECK(inclusion_effect_known, "inclusion", "effect text", &cec_word, .words = "include, exclude") \
	CHECK(inclusion_days_not_empty, "inclusion", "during daterange", &cec_range_not_empty) \
	CHECK(inclusion_days_finite, "inclusion", "during daterange", &cec_range_finite)

CEC_ROW_CHECKS(inclusion, CHECKS)
