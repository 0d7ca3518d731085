/*
 * coverage_ranges.c
 *		From the days of an asset's cover to the rows that say them.
 */
#include "postgres.h"

#include "coverage/coverage.h"

static int
compare_days(const void *one, const void *other)
{
	DateADT a = *(const DateADT *) one;
	DateADT b = *(const DateADT *) other;

	return a < b ? -1 : a > b;
}

/* Whether a day is in a set; asked with ever later days, next moves on past the spans that have ended. */
static bool
covers_day(const CecDaySet *set, int *next, DateADT day)
{
	while (*next < set->count && set->spans[*next].to <= day)
		(*next)++;
	return *next < set->count && set->spans[*next].from <= day;
}

/* Rows of one term: the days cut wherever a flag changes. */
static int
append_rows(CecAssetTerm *entry, CecCoverRow *rows)
{
	int cut_count = 0;
	int count = 0;
	const CecDaySet *grounds[] = {&entry->stated, &entry->ruled, &entry->inherited};
	int next[lengthof(grounds)] = {0};
	DateADT *cuts = palloc(2 * (entry->stated.count + entry->ruled.count + entry->inherited.count) * sizeof(DateADT));

	for (int ground = 0; ground < lengthof(grounds); ground++)
		for (int i = 0; i < grounds[ground]->count; i++)
		{
			cuts[cut_count++] = grounds[ground]->spans[i].from;
			cuts[cut_count++] = grounds[ground]->spans[i].to;
		}
	qsort(cuts, cut_count, sizeof(DateADT), compare_days);
	for (int i = 0; i + 1 < cut_count; i++)
	{
		CecCoverRow row = {entry->term->term_id, {cuts[i], cuts[i + 1]}};

		if (cuts[i] == cuts[i + 1])
			continue;
		row.is_stated = covers_day(grounds[0], &next[0], cuts[i]);
		row.is_ruled = covers_day(grounds[1], &next[1], cuts[i]);
		row.is_inherited = covers_day(grounds[2], &next[2], cuts[i]);
		if (row.is_stated || row.is_ruled || row.is_inherited)
			rows[count++] = row;
	}
	pfree(cuts);
	return count;
}

/* The rows that an asset's cover ought to have, in order of term and days: one per maximal range of equal flags. */
CecCoverRow *
cec_coverage_ranges(CecAssetCover *asset, int *count)
{
	int space = 0;
	CecCoverRow *rows;

	for (int i = 0; i < asset->term_count; i++)
		space += 2 * (asset->terms[i].stated.count + asset->terms[i].ruled.count + asset->terms[i].inherited.count);
	rows = palloc(Max(space, 1) * sizeof(CecCoverRow));
	*count = 0;
	for (int i = 0; i < asset->term_count; i++)
		*count += append_rows(&asset->terms[i], rows + *count);
	return rows;
}
