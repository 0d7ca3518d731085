/*
 * row_check_kind.c
 *		What constraints of many tables have in common: words, lengths, days, and what goes together.
 *
 * The types of the arguments are those of the columns that a check names; SQL sees to that.  Kinds that are not strict look
 * for NULL themselves.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/multirangetypes.h"
#include "utils/numeric.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "portfolio/row_check.h"
#include "support/compat.h"
#include "support/time_zone.h"

/* A word that differs in so many letters may have been meant. */
#define MAX_DISTANCE 2

static bool
is_text(const text *value, const char *word, int len)
{
	return VARSIZE_ANY_EXHDR(value) == len && memcmp(VARDATA_ANY(value), word, len) == 0;
}

/* The next word of "one, two", and behind it; NULL after the last. */
static const char *
next_word(const char *from, int *len)
{
	while (*from == ',' || *from == ' ')
		from++;
	*len = strcspn(from, ",");
	return *len == 0 ? NULL : from;
}

static bool
word_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	const text *value = PG_GETARG_TEXT_PP(0);
	int len;

	for (const char *word = check->words; (word = next_word(word, &len)) != NULL; word += len)
		if (is_text(value, word, len))
			return true;
	return false;
}

/* The word that may have been meant, or NULL: blanks and hyphens are read as underscores. */
static char *
near_word(const char *words, const char *value)
{
	char *folded = pstrdup(value);
	char *result = NULL;
	int distance = MAX_DISTANCE + 1;
	int len;

	for (char *c = folded; *c != '\0'; c++)
		*c = *c == ' ' || *c == '-' ? '_' : pg_ascii_tolower((unsigned char) *c);
	for (const char *word = words; (word = next_word(word, &len)) != NULL; word += len)
	{
		int found = varstr_levenshtein_less_equal(folded, strlen(folded), word, len, 1, 1, 1, distance, true);

		if (found < distance && found <= len / 3)
		{
			distance = found;
			result = pnstrdup(word, len);
		}
	}
	return result;
}

static void
refuse_word(const CecRefusal *refusal, FunctionCallInfo fcinfo)
{
	char *column = cec_check_column(refusal->check);
	char *value = cec_clipped(PG_GETARG_TEXT_PP(0));
	char *near = refusal->may_tell ? near_word(refusal->check->words, value) : NULL;

	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
					refusal->may_tell ? errmsg("%s \"%s\" is not known", column, value)
									  : errmsg("the %s is not known", column),
					errdetail("It is one of: %s.", refusal->check->words),
					near != NULL ? errhint("Perhaps \"%s\" was meant.", near) : errhint("Write one of these words."),
					cec_refusal_names(refusal)));
}

const CecCheckKind cec_word = {true, word_holds, refuse_word, "$column must be one of: $words"};

/* Whether each of several words is one of those. */
static bool
words_hold(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	Datum *values;
	bool *nulls;
	int count;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		bool is_known = false;
		int len;

		for (const char *word = check->words; !nulls[i] && (word = next_word(word, &len)) != NULL; word += len)
			is_known = is_known || is_text(DatumGetTextPP(values[i]), word, len);
		if (!is_known)
			return false;
	}
	return true;
}

const CecCheckKind cec_words = {true, words_hold, NULL, "$column must name only: $words"};

static bool
currency_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	const text *value = PG_GETARG_TEXT_PP(0);
	const char *c = VARDATA_ANY(value);

	if (VARSIZE_ANY_EXHDR(value) != 3)
		return false;
	for (int i = 0; i < 3; i++)
		if (c[i] < 'A' || c[i] > 'Z')
			return false;
	return true;
}

static void
refuse_currency(const CecRefusal *refusal, FunctionCallInfo fcinfo)
{
	char *value = cec_clipped(PG_GETARG_TEXT_PP(0));
	char *upper = pstrdup(value);
	bool is_form = strlen(value) == 3;

	for (char *c = upper; *c != '\0'; c++)
	{
		*c = pg_ascii_toupper((unsigned char) *c);
		is_form = is_form && *c >= 'A' && *c <= 'Z';
	}
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 refusal->may_tell ? errmsg("\"%s\" is not a currency", value) : errmsg("what is given is not a currency"),
			 errdetail("A currency is three capital letters of ISO 4217."),
			 is_form && refusal->may_tell ? errhint("Perhaps %s was meant.", upper)
										  : errhint("The euro is EUR, the US dollar USD."),
			 cec_refusal_names(refusal)));
}

const CecCheckKind cec_currency = {true, currency_holds, refuse_currency,
								   "$column must be three capital letters, as in ISO 4217"};

/* Characters of a text; it is read only where its bytes do not tell. */
static bool
length_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	const text *value = PG_GETARG_TEXT_PP(0);
	int bytes = VARSIZE_ANY_EXHDR(value);

	return bytes > 0 && (bytes <= check->most || pg_mbstrlen_with_len(VARDATA_ANY(value), bytes) <= check->most);
}

static void
refuse_length(const CecRefusal *refusal, FunctionCallInfo fcinfo)
{
	const text *value = PG_GETARG_TEXT_PP(0);
	int bytes = VARSIZE_ANY_EXHDR(value);
	int most = refusal->check->most;

	ereport(ERROR,
			(errcode(bytes == 0 ? ERRCODE_CHECK_VIOLATION : ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
			 bytes == 0 ? errmsg("a text that names something is empty") : errmsg("a text is too long"),
			 refusal->may_tell ? errdetail("It has %d characters; 1 to %d are allowed. It begins with \"%s\".",
										   pg_mbstrlen_with_len(VARDATA_ANY(value), bytes), most, cec_clipped(value))
							   : errdetail("1 to %d characters are allowed.", most),
			 errhint("Leave the column NULL where there is nothing to say, and see whether two columns ran together in "
					 "the source."),
			 cec_refusal_names(refusal)));
}

const CecCheckKind cec_length = {true, length_holds, refuse_length, "$column must have 1 to $most characters"};

static bool
byte_length_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	Size bytes = toast_raw_datum_size(PG_GETARG_DATUM(0)) - VARHDRSZ;

	return bytes >= 1 && bytes <= check->most;
}

const CecCheckKind cec_byte_length = {true, byte_length_holds, NULL, "$column must have 1 to $most bytes"};

static bool
not_empty_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return toast_raw_datum_size(PG_GETARG_DATUM(0)) > VARHDRSZ;
}

const CecCheckKind cec_not_empty = {true, not_empty_holds, NULL, "$column must not be empty"};

static bool
time_zone_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return cec_is_time_zone(text_to_cstring(PG_GETARG_TEXT_PP(0)));
}

const CecCheckKind cec_time_zone = {true, time_zone_holds, NULL, "$column must be the name of a time zone"};

static bool
range_not_empty_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return !RangeIsEmpty(PG_GETARG_RANGE_P(0));
}

static void
refuse_empty(const CecRefusal *refusal, FunctionCallInfo fcinfo)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION), errmsg("a range of days contains no day"),
			 errdetail("Ranges are half-open: [2026-01-01,2026-01-01) is empty, [2026-01-01,2026-01-02) is one day."),
			 errhint("To include both ends write [first_day,last_day]."), cec_refusal_names(refusal)));
}

const CecCheckKind cec_range_not_empty = {true, range_not_empty_holds, refuse_empty, "$column must not be empty"};

static void
refuse_infinite(const CecRefusal *refusal, FunctionCallInfo fcinfo)
{
	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a day is infinite"),
					errdetail("The days infinity and -infinity are not in the calendar."),
					errhint("Leave the bound of a range open, as in [2026-01-01,), or the day NULL."),
					cec_refusal_names(refusal)));
}

static bool
is_finite_bound(const RangeBound *bound)
{
	return bound->infinite || !DATE_NOT_FINITE(DatumGetDateADT(bound->val));
}

static bool
range_finite_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	RangeType *range = PG_GETARG_RANGE_P(0);
	RangeBound lower;
	RangeBound upper;
	bool is_empty;

	range_deserialize(range_get_typcache(fcinfo, RangeTypeGetOid(range)), range, &lower, &upper, &is_empty);
	return is_empty || (is_finite_bound(&lower) && is_finite_bound(&upper));
}

const CecCheckKind cec_range_finite = {true, range_finite_holds, refuse_infinite, "no day of $column may be infinite"};

/* The ranges come in order: infinite are at most the first bound and the last. */
static bool
ranges_finite_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	MultirangeType *ranges = PG_GETARG_MULTIRANGE_P(0);
	TypeCacheEntry *range_type;
	RangeBound lower;
	RangeBound upper;
	RangeBound other;

	if (ranges->rangeCount == 0)
		return true;
	range_type = multirange_get_typcache(fcinfo, MultirangeTypeGetOid(ranges))->rngtype;
	multirange_get_bounds(range_type, ranges, 0, &lower, &other);
	multirange_get_bounds(range_type, ranges, ranges->rangeCount - 1, &other, &upper);
	return is_finite_bound(&lower) && is_finite_bound(&upper);
}

const CecCheckKind cec_ranges_finite = {true, ranges_finite_holds, refuse_infinite,
										"no day of $column may be infinite"};

static bool
days_finite_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (!PG_ARGISNULL(i) && DATE_NOT_FINITE(PG_GETARG_DATEADT(i)))
			return false;
	return true;
}

const CecCheckKind cec_days_finite = {false, days_finite_holds, refuse_infinite, "no day may be infinite"};

static bool
times_finite_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (!PG_ARGISNULL(i) && TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(i)))
			return false;
	return true;
}

const CecCheckKind cec_times_finite = {false, times_finite_holds, refuse_infinite, "no time may be infinite"};

static bool
days_in_order_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return (check->also == NULL || days_finite_holds(check, fcinfo)) &&
		   (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_GETARG_DATEADT(0) <= PG_GETARG_DATEADT(1));
}

static void
refuse_order(const CecRefusal *refusal, FunctionCallInfo fcinfo)
{
	CecRefusal also = *refusal;

	also.constraint = refusal->check->also;
	if (also.constraint != NULL && !days_finite_holds(refusal->check, fcinfo))
		refuse_infinite(&also, fcinfo);
	cec_refuse_by_rule(refusal, fcinfo);
}

const CecCheckKind cec_days_in_order = {false, days_in_order_holds, refuse_order, NULL};

static bool
times_in_order_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return PG_GETARG_TIMESTAMPTZ(0) <= PG_GETARG_TIMESTAMPTZ(1);
}

const CecCheckKind cec_times_in_order = {true, times_in_order_holds, NULL, NULL};

static bool
needs_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(0) || !PG_ARGISNULL(1);
}

const CecCheckKind cec_needs = {false, needs_holds, NULL, NULL};

static bool
is_when(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return is_text(PG_GETARG_TEXT_PP(0), check->when, strlen(check->when));
}

static bool
needs_when_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return !PG_ARGISNULL(1) || PG_ARGISNULL(0) || !is_when(check, fcinfo);
}

const CecCheckKind cec_needs_when = {false, needs_when_holds, NULL, NULL};

static bool
has_when_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(0) || PG_ARGISNULL(1) != is_when(check, fcinfo);
}

const CecCheckKind cec_has_when = {false, has_when_holds, NULL, NULL};

static bool
lacks_when_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(1) || PG_ARGISNULL(0) || !is_when(check, fcinfo);
}

const CecCheckKind cec_lacks_when = {false, lacks_when_holds, NULL, NULL};

static bool
both_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(0) == PG_ARGISNULL(1);
}

const CecCheckKind cec_both = {false, both_holds, NULL, NULL};

static bool
any_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (!PG_ARGISNULL(i))
			return true;
	return false;
}

const CecCheckKind cec_any = {false, any_holds, NULL, NULL};

/* A NULL is not known to be false. */
static bool
any_true_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i) || PG_GETARG_BOOL(i))
			return true;
	return false;
}

const CecCheckKind cec_any_true = {false, any_true_holds, NULL, NULL};

static bool
different_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return PG_GETARG_INT64(0) != PG_GETARG_INT64(1);
}

const CecCheckKind cec_different = {true, different_holds, NULL, NULL};

/* The sign of a number; -1 for NaN, which is greater than all of them, and for infinity, which is no amount either. */
static int
sign_of(FunctionCallInfo fcinfo)
{
	Numeric value = PG_GETARG_NUMERIC(0);

	if (numeric_is_nan(value) || numeric_is_inf(value))
		return -1;
	return DatumGetInt32(
		DirectFunctionCall2(numeric_cmp, NumericGetDatum(value), NumericGetDatum(int64_to_numeric(0))));
}

static bool
positive_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return sign_of(fcinfo) > 0;
}

const CecCheckKind cec_positive = {true, positive_holds, NULL, "$column must be a finite number above 0"};

static bool
interval_positive_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	Interval zero = {0};

	return DatumGetBool(DirectFunctionCall2(interval_gt, PG_GETARG_DATUM(0), IntervalPGetDatum(&zero)));
}

const CecCheckKind cec_interval_positive = {true, interval_positive_holds, NULL, "$column must be more than no time"};

static bool
not_negative_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return sign_of(fcinfo) >= 0;
}

const CecCheckKind cec_not_negative = {true, not_negative_holds, NULL, "$column must be a finite number, 0 or more"};

static bool
number_finite_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	Numeric number = PG_GETARG_NUMERIC(0);

	return !numeric_is_nan(number) && !numeric_is_inf(number);
}

const CecCheckKind cec_number_finite = {true, number_finite_holds, NULL, "$column must be a finite number"};

static bool
count_not_negative_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return PG_GETARG_INT32(0) >= 0;
}

const CecCheckKind cec_count_not_negative = {true, count_not_negative_holds, NULL, "$column must be 0 or more"};

static bool
json_object_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(0));
}

const CecCheckKind cec_json_object = {true, json_object_holds, NULL, "$column must be a JSON object"};

static bool
bytes_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return toast_raw_datum_size(PG_GETARG_DATUM(0)) - VARHDRSZ == check->most;
}

const CecCheckKind cec_bytes = {true, bytes_holds, NULL, "$column must have $most bytes"};
