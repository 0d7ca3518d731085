/*
 * bundle_constraint.c
 *		The CHECK constraints of bundles and their members.
 */
#include "postgres.h"

#include "portfolio/row_check.h"

#define CHECKS(CHECK) \
	CHECK(bundle_name_not_empty, "bundle", "name text", &cec_not_empty, .hint = "Give the bundle a name.") \
	CHECK(bundle_member_days_not_empty, "bundle_member", "during daterange", &cec_range_not_empty) \
	CHECK(bundle_member_days_finite, "bundle_member", "during daterange", &cec_range_finite)

CEC_ROW_CHECKS(bundle, CHECKS)
