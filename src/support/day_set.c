/*
 * day_set.c
 *		Sets of days as sorted spans, with union, intersection and difference.
 *
 * Sets live in the memory context that is current when they grow; nothing is freed one by one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/multirangetypes.h"

#include "support/compat.h"
#include "support/day_set.h"
#include "support/grow.h"

PG_FUNCTION_INFO_V1(cec_days_in_words_sql);

static TypeCacheEntry *
daterange_type(void)
{
	return lookup_type_cache(DATERANGEOID, TYPECACHE_RANGE_INFO);
}

static CecDays
days_of(const RangeType *range)
{
	RangeBound lower;
	RangeBound upper;
	bool empty;
	CecDays days = {0, 0};

	range_deserialize(daterange_type(), range, &lower, &upper, &empty);
	if (!empty)
	{
		days.from = lower.infinite ? CEC_DAY_MIN : DatumGetDateADT(lower.val);
		days.to = upper.infinite ? CEC_DAY_MAX : DatumGetDateADT(upper.val);
	}
	return days;
}

/* The days of a daterange; from = to when it is empty. */
CecDays
cec_days_of_range(Datum range)
{
	return days_of(DatumGetRangeTypeP(range));
}

/* Days that are not empty as a daterange. */
Datum
cec_range_of_days(CecDays days)
{
	RangeBound lower = {DateADTGetDatum(days.from), days.from == CEC_DAY_MIN, true, true};
	RangeBound upper = {DateADTGetDatum(days.to), days.to == CEC_DAY_MAX, false, false};

	return RangeTypePGetDatum(cec_compat_make_range(daterange_type(), &lower, &upper));
}

/* So many digits from here on, or -1. */
static int
read_digits(const char *from, int count)
{
	int result = 0;

	for (int i = 0; i < count; i++)
	{
		if (from[i] < '0' || from[i] > '9')
			return -1;
		result = result * 10 + (from[i] - '0');
	}
	return result;
}

/* Reads a day written as YYYY-MM-DD, whatever the session's settings; false for any other text. */
bool
cec_day_read(const char *from, size_t len, DateADT *day)
{
	int year, month, mday;

	if (len != strlen("YYYY-MM-DD") || from[4] != '-' || from[7] != '-')
		return false;
	year = read_digits(from, 4);
	month = read_digits(from + 5, 2);
	mday = read_digits(from + 8, 2);
	if (year < 1 || month < 1 || month > MONTHS_PER_YEAR || mday < 1 || mday > day_tab[isleap(year)][month - 1])
		return false;
	*day = date2j(year, month, mday) - POSTGRES_EPOCH_JDATE;
	return true;
}

/* A day as YYYY-MM-DD, whatever the session's settings. */
char *
cec_day_in_words(DateADT day)
{
	struct pg_tm tm = {0};
	char words[MAXDATELEN + 1];

	if (DATE_NOT_FINITE(day))
		EncodeSpecialDate(day, words);
	else
	{
		j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		EncodeDateOnly(&tm, USE_ISO_DATES, words);
	}
	return pstrdup(words);
}

/* Days as people say them, by the first and the last one: "2026-01-01 to 2026-12-31". */
char *
cec_days_in_words(CecDays days)
{
	bool is_open_left = days.from == CEC_DAY_MIN;
	bool is_open_right = days.to == CEC_DAY_MAX;

	if (days.from >= days.to)
		return pstrdup("on no day");
	if (is_open_left && is_open_right)
		return pstrdup("on all days");
	if (is_open_left)
		return psprintf("through %s", cec_day_in_words(days.to - 1));
	if (is_open_right)
		return psprintf("from %s on", cec_day_in_words(days.from));
	if (days.from == days.to - 1)
		return psprintf("on %s", cec_day_in_words(days.from));
	return psprintf("%s to %s", cec_day_in_words(days.from), cec_day_in_words(days.to - 1));
}

/* cec._days_in_words(days) */
Datum
cec_days_in_words_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(cec_days_in_words(cec_days_of_range(PG_GETARG_DATUM(0)))));
}

/* The days of a datemultirange. */
CecDaySet
cec_day_set_of_multirange(Datum multirange)
{
	CecDaySet set = {0};
	int32 count;
	RangeType **ranges;

	multirange_deserialize(daterange_type(), DatumGetMultirangeTypeP(multirange), &count, &ranges);
	for (int32 i = 0; i < count; i++)
		cec_day_set_add(&set, days_of(ranges[i]));
	return set;
}

static void
append_span(CecDaySet *set, CecDays days)
{
	if (set->count > 0 && set->spans[set->count - 1].to >= days.from)
	{
		set->spans[set->count - 1].to = Max(set->spans[set->count - 1].to, days.to);
		return;
	}
	CEC_MAKE_ROOM(set->spans, set->count, set->space, 1);
	set->spans[set->count++] = days;
}

/* Adds days to a set. */
void
cec_day_set_add(CecDaySet *set, CecDays days)
{
	CecDaySet one = {1, 1, &days};

	if (days.from >= days.to)
		return;
	if (set->count == 0 || set->spans[set->count - 1].from <= days.from)
		append_span(set, days);
	else
		cec_day_set_union(set, &one);
}

/* Adds all days of another set. */
void
cec_day_set_union(CecDaySet *set, const CecDaySet *other)
{
	CecDaySet sum = {0};
	int i = 0;
	int j = 0;

	if (other->count == 0)
		return;
	while (i < set->count || j < other->count)
	{
		if (j == other->count || (i < set->count && set->spans[i].from <= other->spans[j].from))
			append_span(&sum, set->spans[i++]);
		else
			append_span(&sum, other->spans[j++]);
	}
	*set = sum;
}

/* The days that are in both sets. */
CecDaySet
cec_day_set_intersect(const CecDaySet *one, const CecDaySet *other)
{
	CecDaySet common = {0};
	int i = 0;
	int j = 0;

	while (i < one->count && j < other->count)
	{
		CecDays days = {Max(one->spans[i].from, other->spans[j].from), Min(one->spans[i].to, other->spans[j].to)};

		if (days.from < days.to)
			append_span(&common, days);
		if (one->spans[i].to < other->spans[j].to)
			i++;
		else
			j++;
	}
	return common;
}

/* The days of one set that are not in the other. */
CecDaySet
cec_day_set_minus(const CecDaySet *one, const CecDaySet *other)
{
	CecDaySet rest = {0};
	int j = 0;

	for (int i = 0; i < one->count; i++)
	{
		CecDays days = one->spans[i];

		while (j < other->count && other->spans[j].to <= days.from)
			j++;
		for (int k = j; k < other->count && other->spans[k].from < days.to && days.from < days.to; k++)
		{
			if (other->spans[k].from > days.from)
				append_span(&rest, (CecDays){days.from, other->spans[k].from});
			days.from = other->spans[k].to;
		}
		if (days.from < days.to)
			append_span(&rest, days);
	}
	return rest;
}

/* Whether every day of the other set is in the first. */
bool
cec_day_set_contains(const CecDaySet *set, const CecDaySet *other)
{
	return cec_day_set_minus(other, set).count == 0;
}
