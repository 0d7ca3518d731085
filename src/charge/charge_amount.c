/*
 * charge_amount.c
 *		cec.charge_amount: what some days of cover cost, by a price per day, month or year.
 *
 * Days are counted as whole parts of a month or year: a month is 377,580 parts, which 28, 29, 30 and 31 divide, a year
 * 133,590, which 365 and 366 divide.  So nothing is lost before the one division at the end, and that goes on for twelve
 * digits behind those of the price: whoever rounds its result to a currency's minor unit gets what the exact value
 * rounds to, since no fraction of so small a divisor comes nearer to a half without being it.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/numeric.h"

#include "support/compat.h"
#include "support/day_set.h"

PG_FUNCTION_INFO_V1(cec_charge_amount);

#define MONTH_PARTS 377580
#define YEAR_PARTS 133590
#define MORE_DIGITS 12

typedef enum PriceBasis
{
	PER_UNIT_DAY,
	PER_UNIT_MONTH,
	PER_UNIT_YEAR,
	FLAT /* and those behind it */
} PriceBasis;

static const char *const basis_words[] = {"per_unit_day", "per_unit_month", "per_unit_year",
										  "flat_month",	  "flat_year",		"flat_once"};

typedef enum Proration
{
	ACTUAL_DAYS,
	ACTUAL_MONTHS,
	THIRTY_360,
	FULL_MONTH
} Proration;

static const char *const proration_words[] = {"actual_days", "actual_months", "thirty_360", "full_month"};

/* So many of so many parts of the price. */
typedef struct Share
{
	int64 parts;
	int64 of;
} Share;

typedef struct Day
{
	int year;
	int month;
	int day;
} Day;

static Day
day_of(DateADT date)
{
	Day day;

	j2date(date + POSTGRES_EPOCH_JDATE, &day.year, &day.month, &day.day);
	return day;
}

/* Covered days as parts of their calendar months. */
static int64
month_parts(const CecDaySet *days)
{
	int64 parts = 0;

	for (int i = 0; i < days->count; i++)
	{
		CecDays span = days->spans[i];
		Day at = day_of(span.from);
		DateADT month = span.from - (at.day - 1);

		while (month < span.to)
		{
			int length = day_tab[isleap(at.year)][at.month - 1];

			CHECK_FOR_INTERRUPTS();
			parts += (int64) (Min(span.to, month + length) - Max(span.from, month)) * (MONTH_PARTS / length);
			month += length;
			if (++at.month > MONTHS_PER_YEAR)
			{
				at.month = 1;
				at.year++;
			}
		}
	}
	return parts;
}

/* Calendar months with a covered day. */
static int64
months_touched(const CecDaySet *days)
{
	int64 months = 0;
	int64 last = PG_INT64_MIN;

	for (int i = 0; i < days->count; i++)
	{
		Day from = day_of(days->spans[i].from);
		Day to = day_of(days->spans[i].to - 1);
		int64 first = Max((int64) from.year * MONTHS_PER_YEAR + from.month, last + 1);

		last = (int64) to.year * MONTHS_PER_YEAR + to.month;
		months += last - first + 1;
	}
	return months;
}

/*
 * Covered days as parts of the years that begin on the day of the anchor in each calendar year; on 28 February where that
 * is the 29th and the year has none.
 */
static int64
year_parts(const CecDaySet *days, Day anchor)
{
	bool is_last_of_february = anchor.month == 2 && anchor.day == 29;
	bool ends_after_february = anchor.month > 2 || is_last_of_february;
	int64 parts = 0;

	for (int i = 0; i < days->count; i++)
	{
		CecDays span = days->spans[i];
		int at = day_of(span.from).year;
		DateADT year = 0;

		for (int before = 0; before < 2; before++, at--)
		{
			int day = is_last_of_february && !isleap(at) ? 28 : anchor.day;

			year = date2j(at, anchor.month, day) - POSTGRES_EPOCH_JDATE;
			if (year <= span.from)
				break;
		}
		for (; year < span.to; at++)
		{
			int length = isleap(ends_after_february ? at + 1 : at) ? 366 : 365;

			parts += (int64) (Min(span.to, year + length) - Max(span.from, year)) * (YEAR_PARTS / length);
			year += length;
		}
	}
	return parts;
}

/* Days in a calendar of twelve months of thirty days each. */
static int64
commercial_days(const CecDaySet *days)
{
	int64 sum = 0;

	for (int i = 0; i < days->count; i++)
	{
		Day from = day_of(days->spans[i].from);
		Day to = day_of(days->spans[i].to);

		sum += 360 * (int64) (to.year - from.year) + 30 * (to.month - from.month) + Min(to.day, 30) - Min(from.day, 30);
	}
	return sum;
}

static int64
count_days(const CecDaySet *days)
{
	int64 count = 0;

	for (int i = 0; i < days->count; i++)
		count += (int64) days->spans[i].to - days->spans[i].from;
	return count;
}

/* The share of the price that the days cost. */
static Share
share_of(PriceBasis basis, Proration proration, const CecDaySet *days, Day anchor)
{
	int64 months = basis == PER_UNIT_YEAR ? MONTHS_PER_YEAR : 1; /* that the price is for */

	if (basis == PER_UNIT_DAY)
		return (Share){count_days(days), 1};
	switch (proration)
	{
		case THIRTY_360:
			return (Share){commercial_days(days), 30 * months};
		case FULL_MONTH:
			return (Share){months_touched(days), months};
		case ACTUAL_DAYS:
			if (basis == PER_UNIT_YEAR)
				return (Share){year_parts(days, anchor), YEAR_PARTS};
			break;
		case ACTUAL_MONTHS:
			break;
	}
	return (Share){month_parts(days), MONTH_PARTS * months};
}

/* Price × parts ÷ of, without zeros at its end. */
static Datum
multiply(Datum price, Share share)
{
	Datum amount = DirectFunctionCall2(numeric_mul, price, NumericGetDatum(int64_to_numeric(share.parts)));

	if (share.of > 1)
	{
		int digits = DatumGetInt32(DirectFunctionCall1(numeric_scale, price)) + MORE_DIGITS;
		/* A quotient has no fewer digits than the divisor. */
		Datum divisor =
			DirectFunctionCall2(numeric_round, NumericGetDatum(int64_to_numeric(share.of)), Int32GetDatum(digits));

		amount = DirectFunctionCall2(numeric_div, amount, divisor);
	}
	return DirectFunctionCall1(numeric_trim_scale, amount);
}

/* The place of a word among others; an error when it is none of them. */
static int
place_of(const char *argument, const text *word, const char *const *words, int count)
{
	StringInfoData all;

	for (int i = 0; i < count; i++)
		if (VARSIZE_ANY_EXHDR(word) == strlen(words[i]) &&
			memcmp(VARDATA_ANY(word), words[i], VARSIZE_ANY_EXHDR(word)) == 0)
			return i;
	initStringInfo(&all);
	for (int i = 0; i < count; i++)
		appendStringInfo(&all, "%s%s", i == 0 ? "" : ", ", words[i]);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s \"%s\" is not known", argument, text_to_cstring(word)),
					errdetail("It is one of: %s.", all.data), errhint("Write one of these words.")));
}

static void
require_end(const CecDaySet *days)
{
	if (days->count == 0 || (days->spans[0].from != CEC_DAY_MIN && days->spans[days->count - 1].to != CEC_DAY_MAX))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("days without a beginning or an end have no charge"),
			 errhint("Charge those of a period: the days times {[first_day,last_day]}.")));
}

static void
require_finite_price(Numeric price)
{
	if (numeric_is_nan(price) || numeric_is_inf(price))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a price must be a finite number"),
						errhint("A price that is not agreed is NULL, and so is its charge.")));
}

/* Where years begin: with the term, or with the calendar's. */
static Day
year_anchor(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(4))
		return (Day){2000, 1, 1};
	if (DATE_NOT_FINITE(PG_GETARG_DATEADT(4)))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("the first day of a term is infinite"),
						errhint("Leave it NULL where the term has no beginning.")));
	return day_of(PG_GETARG_DATEADT(4));
}

/* cec.charge_amount(price, price_basis, proration, days, term_first_day): see above; NULL where all but the last is not given. */
Datum
cec_charge_amount(PG_FUNCTION_ARGS)
{
	PriceBasis basis;
	Proration proration;
	CecDaySet days;

	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	basis = place_of("price_basis", PG_GETARG_TEXT_PP(1), basis_words, lengthof(basis_words));
	proration = place_of("proration", PG_GETARG_TEXT_PP(2), proration_words, lengthof(proration_words));
	if (basis >= FLAT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a price of basis %s is not charged by the unit", basis_words[basis]),
						errdetail("It is the same however many assets the term covers."),
						errhint("Charge the units of terms whose price_basis begins with per_unit.")));
	require_finite_price(PG_GETARG_NUMERIC(0));
	days = cec_day_set_of_multirange(PG_GETARG_DATUM(3));
	require_end(&days);
	PG_RETURN_DATUM(multiply(PG_GETARG_DATUM(0), share_of(basis, proration, &days, year_anchor(fcinfo))));
}
