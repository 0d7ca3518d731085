/*
 * condition_error.c
 *		What is said of a condition that is refused, and where in it.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "condition/condition_error.h"

/* Position of a byte of the condition, for ereport; 0 when it is not known. */
int
cec_condition_position(const CecCompile *compile, int location)
{
	return errposition(location < 0 ? 0 : pg_mbstrlen_with_len(compile->text, location) + 1);
}

/* Refuses something that people may well write, and says what to write instead. */
void
cec_refuse_part(const CecCompile *compile, int location, const char *what, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s not allowed in a condition", what),
					errhint("%s", hint), cec_condition_position(compile, location)));
}
