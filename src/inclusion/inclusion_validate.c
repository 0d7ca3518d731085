/*
 * inclusion_validate.c
 *		Checks new and changed list lines against the register, the terms and each other.
 *
 * The assets of the lines are locked by now; reading is with the snapshot taken then.  Whoever retires one of them, or lists it
 * too, has committed by then and is seen, or waits until we have.  Terms and contracts cannot change meanwhile: that
 * needs the gate alone.  The foreign keys have already said that asset and term exist, or will where they are deferrable:
 * then a line is checked against the lines that there are, and against everything when the row comes that it waits for.
 *
 * No query a line.  Index probes find the lines that may be wrong: days that do not fit, or another line of the same
 * asset on the same days.  One query then looks at those only, and says what is wrong in words.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"

#include "inclusion/inclusion.h"
#include "inclusion/inclusion_lines.h"
#include "inclusion/inclusion_resolve.h"
#include "portfolio/change.h"
#include "registry/identifier_named.h"
#include "support/column.h"
#include "support/day_set.h"
#include "support/grow.h"
#include "support/probe.h"
#include "support/search.h"
#include "support/slot.h"
#include "support/word.h"

/* The days of a term, asked once a statement. */
typedef struct DaysOfTerm
{
	int64 term_id; /* key */
	bool is_read;
	CecDays days; /* with the contract */
	CecDays own;  /* without */
} DaysOfTerm;

static void validate_lines(CecChange *change);
static void validate_early_lines(CecChange *change);

/* Registers with the engine; called once when the library is loaded. */
void
cec_inclusion_init(void)
{
	cec_inclusion_resolve_init();
	cec_change_register(CEC_STAGE_VALIDATE, "inclusion", validate_lines);
	cec_change_register(CEC_STAGE_VALIDATE, "coverage_term", validate_early_lines);
	cec_change_register(CEC_STAGE_VALIDATE, "contract", validate_early_lines);
	cec_change_register(CEC_STAGE_VALIDATE, "asset", validate_early_lines);
}

/* The columns of a list line. */
typedef struct LineColumns
{
	AttrNumber inclusion_id;
	AttrNumber asset_id;
	AttrNumber term_id;
	AttrNumber effect;
	AttrNumber during;
	AttrNumber listed_as;
} LineColumns;

static LineColumns
find_columns(Relation rel)
{
	LineColumns columns;

	columns.inclusion_id = cec_column_require(rel, "inclusion_id", INT8OID);
	columns.asset_id = cec_column_require(rel, "asset_id", INT8OID);
	columns.term_id = cec_column_require(rel, "term_id", INT8OID);
	columns.effect = cec_column_require(rel, "effect", TEXTOID);
	columns.during = cec_column_require(rel, "during", DATERANGEOID);
	columns.listed_as = cec_column_require_nullable(rel, "listed_as", TEXTOID);
	return columns;
}

/*
 * Whether a changed line promises nothing that the old one did not: same asset, term and effect, and days within the
 * old days.  What was accepted once stays acceptable, even where the register has moved on.
 */
static bool
promises_nothing_new(TupleTableSlot *old_row, TupleTableSlot *new_row, const LineColumns *columns)
{
	CecDays old_days = cec_days_of_range(cec_slot_value(old_row, columns->during));
	CecDays new_days = cec_days_of_range(cec_slot_value(new_row, columns->during));

	return cec_rows_same_value(old_row, new_row, columns->asset_id) &&
		   cec_rows_same_value(old_row, new_row, columns->term_id) &&
		   cec_rows_same_value(old_row, new_row, columns->effect) && old_days.from <= new_days.from &&
		   new_days.to <= old_days.to;
}

static void
add_line(CecLines *lines, CecLine line)
{
	CEC_MAKE_ROOM(lines->lines, lines->count, lines->space, 8);
	lines->lines[lines->count++] = line;
}

static CecLine
line_of_row(TupleTableSlot *row, const LineColumns *columns, bool is_name_new)
{
	CecLine line = {0};

	line.inclusion_id = cec_slot_int8(row, columns->inclusion_id);
	line.asset_id = cec_slot_int8(row, columns->asset_id);
	line.term_id = cec_slot_int8(row, columns->term_id);
	line.during = cec_days_of_range(cec_slot_value(row, columns->during));
	line.is_include = cec_word_is(cec_slot_value(row, columns->effect), "include");
	if (is_name_new && !cec_slot_isnull(row, columns->listed_as))
		line.listed_as = DatumGetTextPCopy(cec_slot_value(row, columns->listed_as));
	return line;
}

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

/* Lines that name days which their term has not, the first of them with the days that it has. */
typedef struct Clipped
{
	int64 count;
	CecLine first;
	CecDays term;
} Clipped;

/* Whether a line names a day that is not one of its term; an open end, or the term's own, names none. */
static bool
is_clipped(const CecLine *line, const DaysOfTerm *term)
{
	return (line->during.from < term->days.from && line->during.from != CEC_DAY_MIN &&
			line->during.from != term->own.from) ||
		   (line->during.to > term->days.to && line->during.to != CEC_DAY_MAX && line->during.to != term->own.to);
}

/* Tells that lines were stored as they are and cover less. */
static void
notice_clipped(CecChange *change, const Clipped *clipped)
{
	bool may_tell;

	if (clipped->count == 0)
		return;
	may_tell = cec_change_may_tell(change, "inclusion") && cec_change_may_tell(change, "coverage_term") &&
			   cec_change_may_tell(change, "contract");
	ereport(NOTICE, (errmsg_plural(INT64_FORMAT " list line goes beyond its term, and covers only within it",
								   INT64_FORMAT " list lines go beyond their term, and cover only within it",
								   clipped->count, clipped->count),
					 may_tell ? errdetail("One of them is listed %s; term and contract run %s.",
										  cec_days_in_words(clipped->first.during), cec_days_in_words(clipped->term))
							  : 0,
					 errhint("Shorten the line, or extend the term and its contract.")));
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
 * The lines that may be wrong, and in misnamed, as CecUnresolved, those that are listed as something else; puts all in order of their
 * assets.  Counts those that are right and go beyond their term.
 */
static CecLines
find_doubtful(CecChange *change, CecLines *lines, List **misnamed, Clipped *clipped)
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
		else if (days.from >= days.to ||
				 (asset != NULL && line->is_include && is_outside_life(probes.assets, asset, days)) || meets[i])
			add_line(&doubtful, *line);
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

/* The place of the next line that was not taken out of the statement; unresolved is where the last call left it. */
static int64
next_place(int64 place, List *unresolved, ListCell **cell)
{
	for (place++; *cell != NULL && ((CecUnresolved *) lfirst(*cell))->place == place; place++)
		*cell = lnext(unresolved, *cell);
	return place;
}

/* The lines that promise something new; those that name no asset are not among them. */
static CecLines
collect_lines(CecChange *change, List *unresolved, bool has_places)
{
	CecLines lines = {0};
	LineColumns columns;
	CecRows rows;
	ListCell *cell = list_head(unresolved);
	int64 place = 0;

	columns = find_columns(change->rel);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		CecLine line;

		slot_getallattrs(rows.new_row);
		if (rows.old_row != NULL)
		{
			slot_getallattrs(rows.old_row);
			if (promises_nothing_new(rows.old_row, rows.new_row, &columns))
				continue;
		}
		line = line_of_row(rows.new_row, &columns, rows.old_row == NULL);
		if (has_places)
			line.place = place = next_place(place, unresolved, &cell);
		add_line(&lines, line);
	}
	cec_rows_end(&rows);
	return lines;
}

/* Handler of the validate stage; the assets are locked. */
static void
validate_lines(CecChange *change)
{
	List *unresolved;
	List *wrong;
	Clipped clipped = {0};
	bool has_places;
	int64 line_count;

	cec_inclusion_check_names(change);
	unresolved = cec_inclusion_take_unresolved(change, &has_places);
	wrong = cec_inclusion_explain_unresolved(change, unresolved);
	line_count = list_length(wrong);
	if (change->new_rows != NULL && !cec_change_is_empty(change))
	{
		CecLines lines = collect_lines(change, unresolved, has_places);
		List *misnamed = NIL;
		CecLines doubtful = find_doubtful(change, &lines, &misnamed, &clipped);

		line_count += lines.count;
		wrong = list_concat(wrong, cec_inclusion_explain_unresolved(change, misnamed));
		if (doubtful.count > 0)
			wrong = list_concat(wrong, cec_inclusion_explain_lines(change, &doubtful));
	}
	if (wrong != NIL)
		cec_inclusion_refuse(change, wrong, line_count);
	notice_clipped(change, &clipped);
}

/* The keys of rows that came, or came to have them. */
static CecIds
collect_new_keys(CecChange *change, const char *column)
{
	CecIds keys = {0};
	CecRows rows;
	AttrNumber key = cec_column_require(change->rel, column, INT8OID);

	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		slot_getallattrs(rows.new_row);
		if (rows.old_row != NULL)
		{
			slot_getallattrs(rows.old_row);
			if (cec_rows_same_value(rows.old_row, rows.new_row, key))
				continue;
		}
		cec_ids_add(&keys, cec_slot_int8(rows.new_row, key));
	}
	cec_rows_end(&rows);
	cec_ids_sort_unique(&keys);
	return keys;
}

/*
 * The lines that refer to the keys by a column, of those that the transaction has written: others were checked against the rows of
 * their time, and stay as they are when such a row goes and another one takes its place.
 */
static CecLines
find_own_lines(CecChange *change, const CecIds *keys, const char *column, bool is_name_new)
{
	CecLines lines = {0};
	Snapshot snapshot = cec_latest_snapshot();
	CecProbe *probe =
		cec_probe_begin(cec_portfolio_open(change->portfolio, "inclusion", AccessShareLock), column, snapshot);
	LineColumns columns = find_columns(cec_probe_relation(probe));

	for (int64 i = 0; i < keys->count; i++)
	{
		TupleTableSlot *row;

		CHECK_FOR_INTERRUPTS();
		cec_probe_seek(probe, keys->ids[i]);
		while ((row = cec_probe_next(probe)) != NULL)
		{
			bool isnull;
			Datum xmin = slot_getsysattr(row, MinTransactionIdAttributeNumber, &isnull);

			if (TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin)))
			{
				slot_getallattrs(row);
				add_line(&lines, line_of_row(row, &columns, is_name_new));
			}
		}
	}
	cec_probe_end(probe);
	UnregisterSnapshot(snapshot);
	return lines;
}

/*
 * Handler of the validate stage, for terms, contracts and assets: where a line may come before them, it is checked against
 * everything now.  The transaction is alone since it came (coverage_await.c, bundle_lock.c).
 */
static void
validate_early_lines(CecChange *change)
{
	bool is_asset = strcmp(change->table_name, "asset") == 0;
	CecIds keys;
	CecLines lines;
	CecLines doubtful;
	Clipped clipped = {0};
	List *misnamed = NIL;
	List *wrong;

	if (change->operation == CEC_DELETE || cec_change_is_empty(change) || !cec_change_may_dangle(change))
		return;
	if (strcmp(change->table_name, "contract") == 0)
	{
		CecIds contracts = collect_new_keys(change, "contract_id");

		keys = cec_change_follow(change, &contracts, "coverage_term", "contract_id", "term_id");
	}
	else
		keys = collect_new_keys(change, is_asset ? "asset_id" : "term_id");
	if (keys.count == 0)
		return;
	lines = find_own_lines(change, &keys, is_asset ? "asset_id" : "term_id", is_asset);
	doubtful = find_doubtful(change, &lines, &misnamed, &clipped);
	wrong = cec_inclusion_explain_unresolved(change, misnamed);
	if (doubtful.count > 0)
		wrong = list_concat(wrong, cec_inclusion_explain_lines(change, &doubtful));
	if (wrong != NIL)
		cec_inclusion_refuse(change, wrong, lines.count);
	notice_clipped(change, &clipped);
}
