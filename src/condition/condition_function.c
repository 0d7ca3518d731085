/*
 * condition_function.c
 *		The functions that conditions call, pure functions of the fact row, and those that only conditions may name.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "support/compat.h"
#include "support/day_set.h"

/* Bytes of a text that may be searched, sorted or changed, digits of a number that may be multiplied or divided. */
#define MAX_TEXT 10000
#define MAX_DIGITS 1000

/* Bytes of attributes that a condition may mention often. */
#define MAX_JSONB 1000000

/* Characters of a number that as_number reads. */
#define MAX_NUMBER 100

PG_FUNCTION_INFO_V1(cec_age_years);
PG_FUNCTION_INFO_V1(cec_last_maintenance);
PG_FUNCTION_INFO_V1(cec_maintenance_count);
PG_FUNCTION_INFO_V1(cec_request_count);
PG_FUNCTION_INFO_V1(cec_bounded_text);
PG_FUNCTION_INFO_V1(cec_bounded_jsonb);
PG_FUNCTION_INFO_V1(cec_bounded_number);
PG_FUNCTION_INFO_V1(cec_as_date);
PG_FUNCTION_INFO_V1(cec_as_number);
PG_FUNCTION_INFO_V1(cec_only_in_condition);

/* cec._age_years(commissioned_on, as_of): completed years; 0 before it was commissioned. */
Datum
cec_age_years(PG_FUNCTION_ARGS)
{
	DateADT from = PG_GETARG_DATEADT(0);
	DateADT to = PG_GETARG_DATEADT(1);
	int from_year, from_month, from_day;
	int to_year, to_month, to_day;
	int years;

	if (DATE_NOT_FINITE(from) || DATE_NOT_FINITE(to))
		PG_RETURN_NULL();
	j2date(from + POSTGRES_EPOCH_JDATE, &from_year, &from_month, &from_day);
	j2date(to + POSTGRES_EPOCH_JDATE, &to_year, &to_month, &to_day);
	years = to_year - from_year;
	if (to_month < from_month || (to_month == from_month && to_day < from_day))
		years--;
	PG_RETURN_INT32(Max(years, 0));
}

/* Elements of an array argument; none for NULL. */
static int
elements(FunctionCallInfo fcinfo, int number, Oid type, Datum **values, bool **nulls)
{
	bool is_text = type == TEXTOID;
	int count = 0;

	if (!PG_ARGISNULL(number))
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(number), type, is_text ? -1 : sizeof(DateADT), !is_text, TYPALIGN_INT,
						  values, nulls, &count);
	return count;
}

static bool
is_kind(Datum element, const text *kind)
{
	text *value = DatumGetTextPP(element);

	return VARSIZE_ANY_EXHDR(value) == VARSIZE_ANY_EXHDR(kind) &&
		   memcmp(VARDATA_ANY(value), VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind)) == 0;
}

/* cec._last_maintenance(kind, on_day, kinds, days): the latest day through on_day, or NULL. */
Datum
cec_last_maintenance(PG_FUNCTION_ARGS)
{
	Datum *kinds, *days;
	bool *no_kind, *no_day;
	int count;
	bool is_found = false;
	DateADT on_day;
	DateADT last = 0;
	text *kind;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	kind = PG_GETARG_TEXT_PP(0);
	on_day = PG_GETARG_DATEADT(1);
	count = elements(fcinfo, 2, TEXTOID, &kinds, &no_kind);
	count = Min(count, elements(fcinfo, 3, DATEOID, &days, &no_day));
	for (int i = 0; i < count; i++)
	{
		if (no_kind[i] || no_day[i] || DatumGetDateADT(days[i]) > on_day || !is_kind(kinds[i], kind))
			continue;
		last = is_found ? Max(last, DatumGetDateADT(days[i])) : DatumGetDateADT(days[i]);
		is_found = true;
	}
	if (!is_found)
		PG_RETURN_NULL();
	PG_RETURN_DATEADT(last);
}

/* Whether a day is after on_day - within, and on_day at the latest. */
static bool
is_within(DateADT day, DateADT on_day, Timestamp after)
{
	return day <= on_day && date_cmp_timestamp_internal(day, after) > 0;
}

/* cec._maintenance_count(kind, within, on_day, kinds, days) */
Datum
cec_maintenance_count(PG_FUNCTION_ARGS)
{
	Datum *kinds, *days;
	bool *no_kind, *no_day;
	int count;
	int32 result = 0;
	DateADT on_day;
	Timestamp after;
	text *kind;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	kind = PG_GETARG_TEXT_PP(0);
	on_day = PG_GETARG_DATEADT(2);
	after = DatumGetTimestamp(DirectFunctionCall2(date_mi_interval, PG_GETARG_DATUM(2), PG_GETARG_DATUM(1)));
	count = elements(fcinfo, 3, TEXTOID, &kinds, &no_kind);
	count = Min(count, elements(fcinfo, 4, DATEOID, &days, &no_day));
	for (int i = 0; i < count; i++)
		result +=
			!no_kind[i] && !no_day[i] && is_within(DatumGetDateADT(days[i]), on_day, after) && is_kind(kinds[i], kind);
	PG_RETURN_INT32(result);
}

/* cec._request_count(within, on_day, days) */
Datum
cec_request_count(PG_FUNCTION_ARGS)
{
	Datum *days;
	bool *no_day;
	int count;
	int32 result = 0;
	DateADT on_day;
	Timestamp after;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	on_day = PG_GETARG_DATEADT(1);
	after = DatumGetTimestamp(DirectFunctionCall2(date_mi_interval, PG_GETARG_DATUM(1), PG_GETARG_DATUM(0)));
	count = elements(fcinfo, 2, DATEOID, &days, &no_day);
	for (int i = 0; i < count; i++)
		result += !no_day[i] && is_within(DatumGetDateADT(days[i]), on_day, after);
	PG_RETURN_INT32(result);
}

/* cec._bounded_text(value): the value, or 54000 where it is too long for what comes next. */
Datum
cec_bounded_text(PG_FUNCTION_ARGS)
{
	Datum value = PG_GETARG_DATUM(0);

	CHECK_FOR_INTERRUPTS();
	if (toast_raw_datum_size(value) > MAX_TEXT + VARHDRSZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a text is too long to be searched or changed in a condition"),
						errdetail("It has more than %d bytes.", MAX_TEXT)));
	PG_RETURN_DATUM(value);
}

/* cec._bounded_jsonb(value): the value, or 54000 where it is too long to be unpacked many times. */
Datum
cec_bounded_jsonb(PG_FUNCTION_ARGS)
{
	Datum value = PG_GETARG_DATUM(0);

	CHECK_FOR_INTERRUPTS();
	if (toast_raw_datum_size(value) > MAX_JSONB + VARHDRSZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("attributes are too long for a condition that mentions them often"),
						errdetail("They have more than %d bytes.", MAX_JSONB)));
	PG_RETURN_DATUM(value);
}

/* cec._bounded_number(value): the value, or 54000 where it is too long for what comes next. */
Datum
cec_bounded_number(PG_FUNCTION_ARGS)
{
	Datum value = PG_GETARG_DATUM(0);

	CHECK_FOR_INTERRUPTS();
	if (strlen(DatumGetCString(DirectFunctionCall1(numeric_out, value))) > MAX_DIGITS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a number is too long to be multiplied or divided in a condition"),
						errdetail("It has more than %d digits.", MAX_DIGITS)));
	PG_RETURN_DATUM(value);
}

/* cec.as_date(value): a day written as YYYY-MM-DD, whatever the session's settings; NULL for any other text. */
Datum
cec_as_date(PG_FUNCTION_ARGS)
{
	text *value = PG_GETARG_TEXT_PP(0);
	DateADT day;

	if (!cec_day_read(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), &day))
		PG_RETURN_NULL();
	PG_RETURN_DATEADT(day);
}

/* Skips digits; returns how many. */
static int
skip_digits(const char **from)
{
	const char *start = *from;

	while (**from >= '0' && **from <= '9')
		(*from)++;
	return *from - start;
}

/* Whether a text is a decimal number: sign, digits, point, exponent of two digits at most. */
static bool
is_number(const char *from)
{
	int digits;
	int exponent;

	if (*from == '+' || *from == '-')
		from++;
	digits = skip_digits(&from);
	if (*from == '.')
	{
		from++;
		digits += skip_digits(&from);
	}
	if (digits == 0)
		return false;
	if (*from == 'e' || *from == 'E')
	{
		from++;
		if (*from == '+' || *from == '-')
			from++;
		exponent = skip_digits(&from);
		if (exponent < 1 || exponent > 2)
			return false;
	}
	return *from == '\0';
}

/* cec.as_number(value): a decimal number; NULL for any other text, also for one of more than 100 characters. */
Datum
cec_as_number(PG_FUNCTION_ARGS)
{
	text *value = PG_GETARG_TEXT_PP(0);
	char *number;

	if (VARSIZE_ANY_EXHDR(value) > MAX_NUMBER)
		PG_RETURN_NULL();
	number = text_to_cstring(value);
	if (!is_number(number))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(
		DirectFunctionCall3(numeric_in, CStringGetDatum(number), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* last_maintenance, maintenance_count, request_count: the parser looks them up, and compiling replaces them. */
Datum
cec_only_in_condition(PG_FUNCTION_ARGS)
{
	char *name = get_func_name(fcinfo->flinfo->fn_oid);

	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("%s has a meaning only in the condition of a rule", name != NULL ? name : "this function"),
					errhint("SELECT * FROM cec.check_condition('…') shows how a condition is understood.")));
	PG_RETURN_NULL();
}
