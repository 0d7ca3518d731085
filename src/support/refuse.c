/*
 * refuse.c
 *		What CHECK constraints call where they fail, to say more than a constraint can: CHECK (fine OR cec.refuse(…)).
 *
 * In C, because whoever gets the error is not to read a line about the function that raised it.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "act_as.h"

PG_FUNCTION_INFO_V1(cec_refuse);
PG_FUNCTION_INFO_V1(cec_refuse_length);
PG_FUNCTION_INFO_V1(cec_refuse_empty);
PG_FUNCTION_INFO_V1(cec_refuse_infinity);

static char *
text_argument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? pstrdup("") : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

static int
set_constraint(const char *name)
{
	return err_generic_string(PG_DIAG_CONSTRAINT_NAME, name);
}

/*
 * Whether the caller may read the row that a constraint refuses: its table is argument 0 (tableoid).  Of an UPDATE it need
 * not have given all of it.
 */
static bool
may_tell(FunctionCallInfo fcinfo)
{
	return !PG_ARGISNULL(0) && cec_may_read_all(GetUserId(), PG_GETARG_OID(0));
}

/* cec.refuse(table_id, constraint_name, message, detail, hint): only the detail may hold values of the row. */
Datum
cec_refuse(PG_FUNCTION_ARGS)
{
	char *constraint = text_argument(fcinfo, 1);
	char *message = text_argument(fcinfo, 2);
	char *detail = text_argument(fcinfo, 3);
	char *hint = text_argument(fcinfo, 4);

	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg_internal("%s", message),
					detail[0] != '\0' && may_tell(fcinfo) ? errdetail_internal("%s", detail) : 0,
					hint[0] != '\0' ? errhint("%s", hint) : 0, set_constraint(constraint)));
	PG_RETURN_NULL();
}

/* cec.refuse_length(table_id, constraint_name, value, most): a text that must have 1 to so many characters. */
Datum
cec_refuse_length(PG_FUNCTION_ARGS)
{
	char *constraint = text_argument(fcinfo, 1);
	char *value = text_argument(fcinfo, 2);
	int most = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT32(3);
	int length = strlen(value);

	ereport(ERROR,
			(errcode(length == 0 ? ERRCODE_CHECK_VIOLATION : ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
			 length == 0 ? errmsg("a text that names something is empty") : errmsg("a text is too long"),
			 may_tell(fcinfo)
				 ? errdetail("It has %d characters; 1 to %d are allowed. It begins with \"%.*s\".",
							 pg_mbstrlen_with_len(value, length), most, pg_mbcharcliplen(value, length, 40), value)
				 : errdetail("1 to %d characters are allowed.", most),
			 errhint("Leave the column NULL where there is nothing to say, and see whether two columns ran together in "
					 "the source."),
			 set_constraint(constraint)));
	PG_RETURN_NULL();
}

/* cec.refuse_empty(constraint_name): a range without a day. */
Datum
cec_refuse_empty(PG_FUNCTION_ARGS)
{
	char *constraint = text_argument(fcinfo, 0);

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION), errmsg("a range of days contains no day"),
			 errdetail("Ranges are half-open: [2026-01-01,2026-01-01) is empty, [2026-01-01,2026-01-02) is one day."),
			 errhint("To include both ends write [first_day,last_day]."), set_constraint(constraint)));
	PG_RETURN_NULL();
}

/* cec.refuse_infinity(constraint_name): a day that is not in the calendar. */
Datum
cec_refuse_infinity(PG_FUNCTION_ARGS)
{
	char *constraint = text_argument(fcinfo, 0);

	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a day is infinite"),
					errdetail("The days infinity and -infinity are not in the calendar."),
					errhint("Leave the bound of a range open, as in [2026-01-01,), or the day NULL."),
					set_constraint(constraint)));
	PG_RETURN_NULL();
}
