/*
 * day_set.h
 *		Sets of days.
 */
#ifndef CEC_DAY_SET_H
#define CEC_DAY_SET_H

#include "utils/date.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

/* Days from one to another, half-open; the ends of the type say that a bound is open. */
typedef struct CecDays
{
	DateADT from;
	DateADT to; /* the day after the last */
} CecDays;

#define CEC_DAY_MIN PG_INT32_MIN
#define CEC_DAY_MAX PG_INT32_MAX

/* A set: spans in order, not empty, neither overlapping nor touching. All zero: the empty set. */
typedef struct CecDaySet
{
	int count;
	int space;
	CecDays *spans;
} CecDaySet;

extern CecDays cec_days_of_range(Datum range);
extern Datum cec_range_of_days(CecDays days);
extern bool cec_day_read(const char *from, size_t len, DateADT *day);
extern char *cec_day_in_words(DateADT day);
extern char *cec_days_in_words(CecDays days);
extern CecDaySet cec_day_set_of_multirange(Datum multirange);
extern void cec_day_set_add(CecDaySet *set, CecDays days);
extern void cec_day_set_union(CecDaySet *set, const CecDaySet *other);
extern CecDaySet cec_day_set_intersect(const CecDaySet *one, const CecDaySet *other);
extern CecDaySet cec_day_set_minus(const CecDaySet *one, const CecDaySet *other);
extern bool cec_day_set_contains(const CecDaySet *set, const CecDaySet *other);

/* Whether two stretches of days have a day in common. */
static inline bool
cec_days_overlap(CecDays one, CecDays other)
{
	return Max(one.from, other.from) < Min(one.to, other.to);
}

#endif
