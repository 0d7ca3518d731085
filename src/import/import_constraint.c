/*
 * import_constraint.c
 *		The CHECK constraints of runs of imports.
 */
#include "postgres.h"

#include "portfolio/row_check.h"

#define CHECKS(CHECK) \
	CHECK(import_run_mode_known, "import_run", "mode text", &cec_word, .words = "valid_only, all_or_nothing")

CEC_ROW_CHECKS(import, CHECKS)
