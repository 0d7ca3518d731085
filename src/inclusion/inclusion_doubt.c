/*
 * inclusion_doubt.c
 *		Finds, of list lines that are checked, those that may be wrong.
 *
 * No query a line.  Index probes find the lines whose days do not fit, or that meet another line of the same asset on the
 * same days; one query then looks at those only, and says what is wrong in words (inclusion_check.c).
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "inclusion/inclusion_lines.h"
#include "inclusion/inclusion_resolve.h"
#include "portfolio/change.h"
#include "registry/identifier_named.h"
#include "support/day_set.h"
#include "support/grow.h"
#include "support/probe.h"
#include "support/search.h"
#include "tag/tag.h"

/* The days of a term, asked once a statement. */
typedef struct DaysOfTerm
{
	int64 term_id; /* key */
	bool is_read;
	CecDays days; /* with the contract */
	CecDays own;  /* without */
} DaysOfTerm;

/* Asked only where a tag cannot be scanned. */
static const CecSource settings = {
	"setting", "setting_id", INT8OID, AccessShareLock, {{"refuse_unscannable", BOOLOID}}};

/* The tables that lines are checked against. */
typedef struct Probes
{
	CecReading *reading;
	CecLook *assets;
	CecLook *lines;
	CecLook *terms;
	CecLook *contracts;
	DaysOfTerm first;	 /* most statements ask of one term */
	HTAB *days_of_terms; /* of DaysOfTerm; the others, NULL until there is one */
	bool knows_setting;	 /* the next is read */
	bool refuses_unscannable;
} Probes;

static void
begin_probes(Probes *probes, CecReading *reading)
{
	probes->reading = reading;
	probes->assets = cec_reading_look(reading, &cec_source_asset);
	probes->lines = cec_reading_look(reading, &cec_source_line);
	probes->terms = cec_reading_look(reading, &cec_source_term);
	probes->contracts = cec_reading_look(reading, &cec_source_contract);
	probes->first.is_read = false;
	probes->days_of_terms = NULL;
	probes->knows_setting = false;
}

static void
end_probes(Probes *probes)
{
	if (probes->days_of_terms != NULL)
		hash_destroy(probes->days_of_terms);
}

/* The days of a term, and those that it and its contract have in common; none when one of them does not exist. */
static void
read_term_days(Probes *probes, DaysOfTerm *days)
{
	TupleTableSlot *row = cec_probe_row(probes->terms->probe, days->term_id);
	CecDays contract;

	days->is_read = true;
	days->own = days->days = (CecDays){0, 0};
	if (row == NULL)
		return;
	days->own = cec_days_of_range(cec_look_value(probes->terms, row, CEC_TERM_DURING));
	row = cec_probe_row(probes->contracts->probe,
						DatumGetInt64(cec_look_value(probes->terms, row, CEC_TERM_CONTRACT_ID)));
	if (row == NULL)
		return;
	contract = cec_days_of_range(cec_look_value(probes->contracts, row, CEC_CONTRACT_DURING));
	days->days = (CecDays){Max(days->own.from, contract.from), Min(days->own.to, contract.to)};
}

/* The same, read once a statement. */
static const DaysOfTerm *
find_term_days(Probes *probes, int64 term_id)
{
	bool found;
	DaysOfTerm *entry = &probes->first;

	if (!entry->is_read)
	{
		entry->term_id = term_id;
		read_term_days(probes, entry);
	}
	if (entry->term_id == term_id)
		return entry;
	if (probes->days_of_terms == NULL)
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(int64);
		ctl.entrysize = sizeof(DaysOfTerm);
		ctl.hcxt = CurrentMemoryContext;
		probes->days_of_terms = hash_create("cec days of terms", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(probes->days_of_terms, &term_id, HASH_ENTER, &found);
	if (!found)
		read_term_days(probes, entry);
	return entry;
}

/* Whether the asset's life has ended before the cover would start, or begins only after its end. */
static bool
is_outside_life(const CecLook *look, TupleTableSlot *asset, CecDays days)
{
	return (!cec_look_isnull(look, asset, CEC_ASSET_DECOMMISSIONED_ON) &&
			DatumGetDateADT(cec_look_value(look, asset, CEC_ASSET_DECOMMISSIONED_ON)) < days.from) ||
		   (!cec_look_isnull(look, asset, CEC_ASSET_COMMISSIONED_ON) &&
			DatumGetDateADT(cec_look_value(look, asset, CEC_ASSET_COMMISSIONED_ON)) >= days.to);
}

/* Whether the portfolio refuses assets whose tags cannot be scanned; asked once a statement at most. */
static bool
refuses_unscannable(Probes *probes)
{
	const AttrNumber *columns;
	CecProbe *probe;
	TupleTableSlot *row;

	if (probes->knows_setting)
		return probes->refuses_unscannable;
	probe = cec_portfolio_look(probes->reading->portfolio, &settings, AccessShareLock, InvalidOid,
							   probes->reading->snapshot, &columns);
	row = cec_probe_row(probe, 1);
	probes->refuses_unscannable = row != NULL && DatumGetBool(cec_slot_value(row, columns[0]));
	probes->knows_setting = true;
	cec_probe_end(probe);
	return probes->refuses_unscannable;
}

static bool
is_unscannable(Probes *probes, TupleTableSlot *asset)
{
	return !cec_tag_is_scannable(TextDatumGetCString(cec_look_value(probes->assets, asset, CEC_ASSET_TAG)),
								 TextDatumGetCString(cec_look_value(probes->assets, asset, CEC_ASSET_TAG_SYMBOLOGY))) &&
		   refuses_unscannable(probes);
}

/* Whether a line is listed as what names other assets, if any; most are listed by tag. */
static bool
names_another(const Probes *probes, const CecLine *line, TupleTableSlot *asset)
{
	Datum name = PointerGetDatum(line->listed_as);

	return line->listed_as != NULL &&
		   !DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, name,
												 cec_look_value(probes->assets, asset, CEC_ASSET_TAG))) &&
		   !cec_named_bears(probes->reading->portfolio, line->asset_id, name, &line->during, probes->reading->snapshot);
}

/* Whether another line speaks of the same asset on some of the same days, on whatever term. */
static bool
meets_another_line(Probes *probes, const CecLine *line)
{
	const CecLook *look = probes->lines;
	TupleTableSlot *other;

	cec_probe_seek(look->probe, line->asset_id);
	while ((other = cec_probe_next(look->probe)) != NULL)
		if (DatumGetInt64(cec_look_value(look, other, CEC_LINE_ID)) != line->inclusion_id &&
			cec_days_overlap(cec_days_of_range(cec_look_value(look, other, CEC_LINE_DURING)), line->during))
			return true;
	return false;
}

static int
compare_lines(const void *one, const void *other)
{
	int64 a = ((const CecLine *) one)->asset_id;
	int64 b = ((const CecLine *) other)->asset_id;

	return a < b ? -1 : a > b;
}

static int
compare_days(const void *one, const void *other)
{
	DateADT a = *(const DateADT *) one;
	DateADT b = *(const DateADT *) other;

	return a < b ? -1 : a > b;
}

/* How many of the days, which are in order, come before a day. */
static int64
count_before(const DateADT *days, int64 count, DateADT day)
{
	int64 place;

	CEC_SEARCH(place, count, days[middle] < day);
	return place;
}

/* First and last days of all lines of one asset, each in order. */
typedef struct AssetDays
{
	int64 count;
	int64 from_space;
	int64 to_space;
	DateADT *from;
	DateADT *to;
} AssetDays;

static void
read_asset_days(Probes *probes, int64 asset_id, AssetDays *days)
{
	TupleTableSlot *row;

	days->count = 0;
	cec_probe_seek(probes->lines->probe, asset_id);
	while ((row = cec_probe_next(probes->lines->probe)) != NULL)
	{
		CecDays line = cec_days_of_range(cec_look_value(probes->lines, row, CEC_LINE_DURING));

		CEC_MAKE_ROOM(days->from, days->count, days->from_space, 64);
		CEC_MAKE_ROOM(days->to, days->count, days->to_space, 64);
		days->from[days->count] = line.from;
		days->to[days->count++] = line.to;
	}
	qsort(days->from, days->count, sizeof(DateADT), compare_days);
	qsort(days->to, days->count, sizeof(DateADT), compare_days);
}

/*
 * Marks, of several lines of one asset, those that meet another line of it.  Those that begin before a line's end, less
 * those that have ended by its beginning, are the ones that it meets: itself, and if there are more, another one.
 */
static void
mark_meeting(Probes *probes, const CecLine *lines, int64 count, bool *meets, AssetDays *days)
{
	read_asset_days(probes, lines[0].asset_id, days);
	for (int64 i = 0; i < count; i++)
		meets[i] = count_before(days->from, days->count, lines[i].during.to) -
					   count_before(days->to, days->count, lines[i].during.from + 1) >
				   1;
}

/* Whether a line names a day that is not one of its term; an open end, or the term's own, names none. */
static bool
is_clipped(const CecLine *line, const DaysOfTerm *term)
{
	return (line->during.from < term->days.from && line->during.from != CEC_DAY_MIN &&
			line->during.from != term->own.from) ||
		   (line->during.to > term->days.to && line->during.to != CEC_DAY_MAX && line->during.to != term->own.to);
}

/* Adds a line to a list in the current memory context. */
void
cec_inclusion_add_line(CecLines *lines, CecLine line)
{
	CEC_MAKE_ROOM(lines->lines, lines->count, lines->space, 8);
	lines->lines[lines->count++] = line;
}

static CecUnresolved *
make_misnamed(const CecLine *line)
{
	CecUnresolved *misnamed = palloc0(sizeof(CecUnresolved));

	misnamed->place = line->place;
	misnamed->listed_as = text_to_cstring(line->listed_as);
	misnamed->matches = CEC_NAMES_ANOTHER;
	misnamed->days = line->during;
	misnamed->has_days = true;
	return misnamed;
}

/*
 * Those of the lines that may be wrong, and added to misnamed, as CecUnresolved, those that are listed as something else; puts all
 * lines in order of their assets.  Adds to clipped those that are right and go beyond their term.
 */
CecLines
cec_inclusion_find_doubtful(CecChange *change, CecLines *lines, List **misnamed, CecClipped *clipped)
{
	CecLines doubtful = {0};
	AssetDays asset_days = {0};
	bool *meets = palloc_extended(Max(lines->count, 1) * sizeof(bool), MCXT_ALLOC_HUGE);
	Probes probes;

	begin_probes(&probes, cec_change_reading(change));
	if (lines->count > 1)
		qsort(lines->lines, lines->count, sizeof(CecLine), compare_lines);
	for (int64 i = 0, count; i < lines->count; i += count)
	{
		CecLine *line = &lines->lines[i];

		CHECK_FOR_INTERRUPTS();
		for (count = 1; i + count < lines->count && line[count].asset_id == line->asset_id; count++)
			;
		if (count == 1)
			meets[i] = meets_another_line(&probes, line);
		else
			mark_meeting(&probes, line, count, meets + i, &asset_days);
	}
	for (int64 i = 0; i < lines->count; i++)
	{
		CecLine *line = &lines->lines[i];
		const DaysOfTerm *term = find_term_days(&probes, line->term_id);
		CecDays days = {Max(term->days.from, line->during.from), Min(term->days.to, line->during.to)};
		/* Where there is none, the foreign key has a word on that. */
		TupleTableSlot *asset =
			line->is_include || line->listed_as != NULL ? cec_probe_row(probes.assets->probe, line->asset_id) : NULL;

		CHECK_FOR_INTERRUPTS();
		if (asset != NULL && names_another(&probes, line, asset))
			*misnamed = lappend(*misnamed, make_misnamed(line));
		else if (days.from >= days.to || meets[i] ||
				 (asset != NULL && line->is_include &&
				  (is_outside_life(probes.assets, asset, days) || is_unscannable(&probes, asset))))
			cec_inclusion_add_line(&doubtful, *line);
		else if (is_clipped(line, term))
		{
			if (clipped->count++ == 0)
			{
				clipped->first = *line;
				clipped->term = term->days;
			}
		}
	}

	end_probes(&probes);
	return doubtful;
}
