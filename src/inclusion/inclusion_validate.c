/*
 * inclusion_validate.c
 *		Holds new and changed list lines against the register, the terms and each other.
 *
 * The assets of the lines are locked by now; reading is with the latest snapshot.  Whoever retires one of them, or lists it
 * too, has committed by then and is seen, or waits until we have.  Terms and contracts cannot change meanwhile: that
 * needs the gate alone.  The foreign keys have already said that asset and term exist.
 *
 * No query a line.  Index probes find the lines that may be wrong: days that do not fit, or another line of the same
 * asset on the same days.  One query then looks at those only, and says what is wrong in words.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lockdefs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"
#include "utils/varlena.h"

#include "act_as.h"
#include "change.h"
#include "column.h"
#include "inclusion.h"
#include "inclusion_resolve.h"
#include "day_set.h"
#include "probe.h"

/* How many wrong lines a message names. */
#define LINES_SHOWN 10

#ifndef BOOLARRAYOID
#define BOOLARRAYOID 1000
#endif
#define DATERANGEARRAYOID 3913

#define LISTED \
	"unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::boolean[], $5::daterange[])" \
	" AS n(inclusion_id, asset_id, term_id, is_include, during)"

/*
 * What is wrong, in words: the name of the asset, the problem (see problems[]), the facts, and a name for those who may
 * not read the register.  A line that was moved to another asset may still say what it was listed as before.  Of two
 * new lines that overlap, the later one is wrong.
 */
static const CecQuery explain = {
	"SELECT CASE WHEN i.listed_as IN (a.asset_tag, a.serial_number) OR EXISTS (SELECT FROM @P@.asset_identifier x"
	"   WHERE x.asset_id = a.asset_id AND x.value = i.listed_as) THEN i.listed_as ELSE a.asset_tag END, p.problem,"
	" CASE p.problem"
	"  WHEN 'days' THEN pg_catalog.format('It would be listed for %s, but term %s of contract %s runs through %s.',"
	"   n.during, t.number, c.number, t.during * c.during)"
	"  WHEN 'decommissioned' THEN pg_catalog.format('It is decommissioned on %s, and its cover would start on %s.',"
	"   a.decommissioned_on, lower(d.days))"
	"  WHEN 'commissioned' THEN pg_catalog.format('It is commissioned on %s, and its cover would end on %s.',"
	"   a.commissioned_on, upper(d.days) - 1)"
	"  WHEN 'listed' THEN pg_catalog.format('It already stands on term %s of contract %s for %s.', t.number, c.number, s.during)"
	"  ELSE pg_catalog.format('It already stands on term %s of the %s contract %s for %s.', e.term_number, c.kind, e.contract_number, e.during)"
	" END, coalesce(i.listed_as, pg_catalog.format('asset_id %s', n.asset_id))"
	" FROM " LISTED " JOIN @P@.inclusion i ON i.inclusion_id = n.inclusion_id"
	" JOIN @P@.coverage_term t ON t.term_id = n.term_id"
	" JOIN @P@.contract c ON c.contract_id = t.contract_id"
	" JOIN @P@.asset a ON a.asset_id = n.asset_id"
	" CROSS JOIN LATERAL (SELECT n.during * t.during * c.during) AS d(days)"
	" LEFT JOIN LATERAL (SELECT o.during FROM @P@.inclusion o"
	"  WHERE o.asset_id = n.asset_id AND o.term_id = n.term_id AND (o.effect = 'include') = n.is_include"
	"   AND o.during && n.during AND o.inclusion_id <> n.inclusion_id"
	"   AND (o.inclusion_id < n.inclusion_id OR o.inclusion_id <> ALL ($1))"
	"  ORDER BY o.inclusion_id LIMIT 1) AS s ON true"
	" LEFT JOIN LATERAL (SELECT oc.number AS contract_number, ot.number AS term_number, o.during"
	"  FROM @P@.inclusion o"
	"   JOIN @P@.coverage_term ot ON ot.term_id = o.term_id"
	"   JOIN @P@.contract oc ON oc.contract_id = ot.contract_id"
	"  WHERE n.is_include AND c.status <> 'void' AND NOT coalesce((SELECT duplicates_allowed FROM @P@.setting), false)"
	"   AND o.asset_id = n.asset_id AND o.effect = 'include' AND oc.contract_id <> c.contract_id"
	"   AND oc.kind = c.kind AND oc.status = 'active' AND o.during && n.during"
	"   AND (o.inclusion_id < n.inclusion_id OR o.inclusion_id <> ALL ($1))"
	/* the days that both would really cover: without suspensions and carve-outs */
	"   AND (datemultirange(d.days) - c.suspensions - coalesce((SELECT range_agg(x.during) FROM @P@.inclusion x"
	"     WHERE x.asset_id = n.asset_id AND x.term_id = n.term_id AND x.effect = 'exclude'), '{}'))"
	"    && (datemultirange(o.during * ot.during * oc.during) - oc.suspensions"
	"     - coalesce((SELECT range_agg(x.during) FROM @P@.inclusion x"
	"     WHERE x.asset_id = n.asset_id AND x.term_id = o.term_id AND x.effect = 'exclude'), '{}'))"
	"  ORDER BY o.inclusion_id LIMIT 1) AS e ON true"
	" CROSS JOIN LATERAL (SELECT CASE"
	"   WHEN isempty(d.days) THEN 'days'"
	"   WHEN n.is_include AND a.decommissioned_on < lower(d.days) THEN 'decommissioned'"
	"   WHEN n.is_include AND a.commissioned_on >= upper(d.days) THEN 'commissioned'"
	"   WHEN s.during IS NOT NULL THEN 'listed'"
	"   WHEN e.contract_number IS NOT NULL THEN 'elsewhere' END) AS p(problem)"
	" WHERE p.problem IS NOT NULL ORDER BY n.inclusion_id",
	5,
	{INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BOOLARRAYOID, DATERANGEARRAYOID},
	CURSOR_OPT_CUSTOM_PLAN};

/* Tags next to an unknown one in alphabetical order: where a typing mistake leads. */
static const CecQuery neighbours = {
	"(SELECT asset_tag FROM @P@.asset WHERE asset_tag < $1 ORDER BY asset_tag DESC LIMIT 5)"
	" UNION ALL (SELECT asset_tag FROM @P@.asset WHERE asset_tag > $1 ORDER BY asset_tag LIMIT 5)",
	1,
	{TEXTOID},
	CURSOR_OPT_GENERIC_PLAN};

typedef struct Problem
{
	const char *name; /* as in explain */
	int sqlstate;
	const char *constraint;
	const char *message; /* %s: what the asset was listed as */
	const char *hint;
} Problem;

static const Problem problems[] = {
	{"unknown", ERRCODE_FOREIGN_KEY_VIOLATION, "inclusion_listed_as_known", "no asset is known as \"%s\"",
	 "Register the asset first, or see find_asset for what an identifier names."},
	{"ambiguous", ERRCODE_CHECK_VIOLATION, "inclusion_listed_as_unambiguous", "several assets are known as \"%s\"",
	 "List it by its asset tag; find_asset shows the assets that the identifier names."},
	{"days", ERRCODE_CHECK_VIOLATION, "inclusion_days_meet_term",
	 "asset \"%s\" would be listed on days outside the term", "Choose days within the term, or extend the term first."},
	{"decommissioned", ERRCODE_CHECK_VIOLATION, "inclusion_asset_not_decommissioned",
	 "asset \"%s\" is decommissioned before its cover would start",
	 "Take it off the list, or mend its decommissioned_on in the register."},
	{"commissioned", ERRCODE_CHECK_VIOLATION, "inclusion_asset_commissioned",
	 "asset \"%s\" is commissioned only after its cover would end",
	 "Choose later days, or mend its commissioned_on in the register."},
	{"listed", ERRCODE_EXCLUSION_VIOLATION, "inclusion_no_overlap",
	 "asset \"%s\" is already listed on this term for some of these days",
	 "Change the line that is there, or choose days that do not overlap."},
	{"elsewhere", ERRCODE_UNIQUE_VIOLATION, "inclusion_one_contract_of_a_kind",
	 "asset \"%s\" already stands on another active contract of the same kind",
	 "End it there first, or allow duplicates in this portfolio's setting."},
};

/* A line that is refused. */
typedef struct WrongLine
{
	const Problem *problem;
	char *listed_as;
	char *facts; /* NULL: nothing to add */
} WrongLine;

/* A line that is held against the register. */
typedef struct Line
{
	int64 inclusion_id;
	int64 asset_id;
	int64 term_id;
	CecDays during;
	bool is_include;
} Line;

typedef struct Lines
{
	int64 count;
	int64 space;
	Line *lines;
} Lines;

/* The days of a term, asked once a statement. */
typedef struct DaysOfTerm
{
	int64 term_id; /* key */
	CecDays days;
} DaysOfTerm;

static void validate_lines(CecChange *change);

/* Registers with the engine; called once when the library is loaded. */
void
cec_inclusion_init(void)
{
	cec_inclusion_resolve_init();
	cec_change_register(CEC_STAGE_VALIDATE, "inclusion", validate_lines);
}

static const Problem *
find_problem(const char *name)
{
	for (int i = 0; i < (int) lengthof(problems); i++)
		if (strcmp(problems[i].name, name) == 0)
			return &problems[i];
	elog(ERROR, "unknown problem \"%s\"", name);
	return NULL;
}

/* The columns of a list line. */
typedef struct LineColumns
{
	AttrNumber inclusion_id;
	AttrNumber asset_id;
	AttrNumber term_id;
	AttrNumber effect;
	AttrNumber during;
} LineColumns;

/*
 * Whether a changed line promises nothing that the old one did not: same asset, term and effect, and days within the
 * old days.  What was accepted once stays acceptable, even where the register has moved on.
 */
static bool
promises_nothing_new(TupleTableSlot *old_row, TupleTableSlot *new_row, const LineColumns *columns)
{
	CecDays old_days = cec_days_of_range(old_row->tts_values[columns->during - 1]);
	CecDays new_days = cec_days_of_range(new_row->tts_values[columns->during - 1]);

	return cec_rows_same_value(old_row, new_row, columns->asset_id) &&
		   cec_rows_same_value(old_row, new_row, columns->term_id) &&
		   cec_rows_same_value(old_row, new_row, columns->effect) && old_days.from <= new_days.from &&
		   new_days.to <= old_days.to;
}

static bool
is_include(Datum effect)
{
	text *value = DatumGetTextPP(effect);

	return VARSIZE_ANY_EXHDR(value) == 7 && memcmp(VARDATA_ANY(value), "include", 7) == 0;
}

static void
add_line(Lines *lines, Line line)
{
	if (lines->count == lines->space)
	{
		lines->space = lines->space == 0 ? 8 : lines->space * 2;
		lines->lines = lines->lines == NULL ? palloc(lines->space * sizeof(Line))
											: repalloc_huge(lines->lines, lines->space * sizeof(Line));
	}
	lines->lines[lines->count++] = line;
}

static Line
line_of_row(TupleTableSlot *row, const LineColumns *columns)
{
	Line line;

	line.inclusion_id = DatumGetInt64(row->tts_values[columns->inclusion_id - 1]);
	line.asset_id = DatumGetInt64(row->tts_values[columns->asset_id - 1]);
	line.term_id = DatumGetInt64(row->tts_values[columns->term_id - 1]);
	line.during = cec_days_of_range(row->tts_values[columns->during - 1]);
	line.is_include = is_include(row->tts_values[columns->effect - 1]);
	return line;
}

/* Lines as the arguments of explain. */
static void
lines_as_args(const Lines *lines, Datum *args)
{
	Datum *columns[5];

	for (int i = 0; i < 5; i++)
		columns[i] = palloc_extended(lines->count * sizeof(Datum), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < lines->count; i++)
	{
		columns[0][i] = Int64GetDatum(lines->lines[i].inclusion_id);
		columns[1][i] = Int64GetDatum(lines->lines[i].asset_id);
		columns[2][i] = Int64GetDatum(lines->lines[i].term_id);
		columns[3][i] = BoolGetDatum(lines->lines[i].is_include);
		columns[4][i] = cec_range_of_days(lines->lines[i].during);
	}
	for (int i = 0; i < 3; i++)
		args[i] = PointerGetDatum(
			construct_array(columns[i], lines->count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	args[3] = PointerGetDatum(construct_array(columns[3], lines->count, BOOLOID, sizeof(bool), true, TYPALIGN_CHAR));
	args[4] = PointerGetDatum(construct_array(columns[4], lines->count, DATERANGEOID, -1, false, TYPALIGN_INT));
}

/* Whether the one who runs the statement may read all of a table; if not, no message tells what is in it. */
static bool
caller_may_read(CecChange *change, const char *table_name)
{
	return cec_may_read_all(change->caller, get_relname_relid(table_name, change->portfolio->nspid));
}

static char *
result_text(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

/* The tables that lines are held against, and where their columns are. */
typedef struct Probes
{
	CecProbe *assets;
	AttrNumber commissioned_on;
	AttrNumber decommissioned_on;
	CecProbe *lines;
	AttrNumber inclusion_id;
	AttrNumber during;
	CecProbe *terms;
	AttrNumber term_during;
	AttrNumber term_contract_id;
	CecProbe *contracts;
	AttrNumber contract_during;
	HTAB *days_of_terms; /* of DaysOfTerm */
} Probes;

static void
begin_probes(Probes *probes, CecChange *change, Snapshot snapshot)
{
	HASHCTL ctl = {0};

	probes->assets = cec_probe_begin(cec_portfolio_relation(change->portfolio, "asset"), "asset_id", snapshot);
	probes->commissioned_on = cec_probe_nullable_column(probes->assets, "commissioned_on", DATEOID);
	probes->decommissioned_on = cec_probe_nullable_column(probes->assets, "decommissioned_on", DATEOID);
	probes->lines = cec_probe_begin(RelationGetRelid(change->rel), "asset_id", snapshot);
	probes->inclusion_id = cec_probe_column(probes->lines, "inclusion_id", INT8OID);
	probes->during = cec_probe_column(probes->lines, "during", DATERANGEOID);
	probes->terms = cec_probe_begin(cec_portfolio_relation(change->portfolio, "coverage_term"), "term_id", snapshot);
	probes->term_during = cec_probe_column(probes->terms, "during", DATERANGEOID);
	probes->term_contract_id = cec_probe_column(probes->terms, "contract_id", INT8OID);
	probes->contracts = cec_probe_begin(cec_portfolio_relation(change->portfolio, "contract"), "contract_id", snapshot);
	probes->contract_during = cec_probe_column(probes->contracts, "during", DATERANGEOID);
	ctl.keysize = sizeof(int64);
	ctl.entrysize = sizeof(DaysOfTerm);
	ctl.hcxt = CurrentMemoryContext;
	probes->days_of_terms = hash_create("cec days of terms", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
end_probes(Probes *probes)
{
	hash_destroy(probes->days_of_terms);
	cec_probe_end(probes->contracts);
	cec_probe_end(probes->terms);
	cec_probe_end(probes->lines);
	cec_probe_end(probes->assets);
}

/* The days that a term and its contract have in common; none when one of them does not exist. */
static CecDays
read_term_days(Probes *probes, int64 term_id)
{
	TupleTableSlot *row;
	CecDays term;
	CecDays contract;

	cec_probe_seek(probes->terms, term_id);
	row = cec_probe_next(probes->terms);
	if (row == NULL)
		return (CecDays){0, 0};
	term = cec_days_of_range(row->tts_values[probes->term_during - 1]);
	cec_probe_seek(probes->contracts, DatumGetInt64(row->tts_values[probes->term_contract_id - 1]));
	row = cec_probe_next(probes->contracts);
	if (row == NULL)
		return (CecDays){0, 0};
	contract = cec_days_of_range(row->tts_values[probes->contract_during - 1]);
	return (CecDays){Max(term.from, contract.from), Min(term.to, contract.to)};
}

/* The same, read once a statement. */
static CecDays
find_term_days(Probes *probes, int64 term_id)
{
	bool found;
	DaysOfTerm *entry = hash_search(probes->days_of_terms, &term_id, HASH_ENTER, &found);

	if (!found)
		entry->days = read_term_days(probes, term_id);
	return entry->days;
}

/* Whether the asset's life has ended before the cover would start, or begins only after its end. */
static bool
is_outside_life(Probes *probes, const Line *line, CecDays days)
{
	TupleTableSlot *asset;
	int first = probes->commissioned_on - 1;
	int last = probes->decommissioned_on - 1;

	cec_probe_seek(probes->assets, line->asset_id);
	asset = cec_probe_next(probes->assets);
	if (asset == NULL)
		return false; /* the foreign key has a word on that */
	return (!asset->tts_isnull[last] && DatumGetDateADT(asset->tts_values[last]) < days.from) ||
		   (!asset->tts_isnull[first] && DatumGetDateADT(asset->tts_values[first]) >= days.to);
}

/* Whether another line speaks of the same asset on some of the same days, on whatever term. */
static bool
meets_another_line(Probes *probes, const Line *line)
{
	TupleTableSlot *other;

	cec_probe_seek(probes->lines, line->asset_id);
	while ((other = cec_probe_next(probes->lines)) != NULL)
		if (DatumGetInt64(other->tts_values[probes->inclusion_id - 1]) != line->inclusion_id &&
			cec_days_overlap(cec_days_of_range(other->tts_values[probes->during - 1]), line->during))
			return true;
	return false;
}

static int
compare_lines(const void *one, const void *other)
{
	int64 a = ((const Line *) one)->asset_id;
	int64 b = ((const Line *) other)->asset_id;

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
	int64 low = 0;
	int64 high = count;

	while (low < high)
	{
		int64 middle = low + (high - low) / 2;

		if (days[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* First and last days of all lines of one asset, each in order. */
typedef struct AssetDays
{
	int64 count;
	int64 space;
	DateADT *from;
	DateADT *to;
} AssetDays;

static void
read_asset_days(Probes *probes, int64 asset_id, AssetDays *days)
{
	TupleTableSlot *row;

	days->count = 0;
	cec_probe_seek(probes->lines, asset_id);
	while ((row = cec_probe_next(probes->lines)) != NULL)
	{
		CecDays line = cec_days_of_range(row->tts_values[probes->during - 1]);

		if (days->count == days->space)
		{
			days->space = days->space == 0 ? 64 : days->space * 2;
			days->from = days->from == NULL ? palloc(days->space * sizeof(DateADT))
											: repalloc_huge(days->from, days->space * sizeof(DateADT));
			days->to = days->to == NULL ? palloc(days->space * sizeof(DateADT))
										: repalloc_huge(days->to, days->space * sizeof(DateADT));
		}
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
mark_meeting(Probes *probes, const Line *lines, int64 count, bool *meets, AssetDays *days)
{
	read_asset_days(probes, lines[0].asset_id, days);
	for (int64 i = 0; i < count; i++)
		meets[i] = count_before(days->from, days->count, lines[i].during.to) -
					   count_before(days->to, days->count, lines[i].during.from + 1) >
				   1;
}

/* The lines that may be wrong; puts all in order of their assets. */
static Lines
find_doubtful(CecChange *change, Lines *lines)
{
	Lines doubtful = {0};
	AssetDays asset_days = {0};
	bool *meets = palloc_extended(Max(lines->count, 1) * sizeof(bool), MCXT_ALLOC_HUGE);
	Probes probes;
	Snapshot snapshot;

	snapshot = cec_latest_snapshot();
	begin_probes(&probes, change, snapshot);
	if (lines->count > 1)
		qsort(lines->lines, lines->count, sizeof(Line), compare_lines);
	for (int64 i = 0, count; i < lines->count; i += count)
	{
		Line *line = &lines->lines[i];

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
		Line *line = &lines->lines[i];
		CecDays term = find_term_days(&probes, line->term_id);
		CecDays days = {Max(term.from, line->during.from), Min(term.to, line->during.to)};

		CHECK_FOR_INTERRUPTS();
		if (days.from >= days.to || (line->is_include && is_outside_life(&probes, line, days)) || meets[i])
			add_line(&doubtful, *line);
	}

	end_probes(&probes);
	UnregisterSnapshot(snapshot);
	return doubtful;
}

/* What is wrong with the doubtful lines, as WrongLine; those with which nothing is are not in it. */
static List *
explain_lines(CecChange *change, const Lines *doubtful)
{
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	List *wrong = NIL;
	Datum args[5];
	uint64 rows;
	bool may_read = caller_may_read(change, "asset") && caller_may_read(change, "inclusion") &&
					caller_may_read(change, "coverage_term") && caller_may_read(change, "contract");

	lines_as_args(doubtful, args);
	SPI_connect();
	rows = cec_query_run(change->portfolio->plans, &explain, args, NULL, 0);
	old = MemoryContextSwitchTo(cxt);
	for (uint64 i = 0; i < rows; i++)
	{
		WrongLine *line = palloc(sizeof(WrongLine));

		line->listed_as = result_text(i, may_read ? 1 : 4);
		line->problem = find_problem(result_text(i, 2));
		line->facts = may_read ? result_text(i, 3) : NULL;
		wrong = lappend(wrong, line);
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	return wrong;
}

/* A registered tag that is nearly what was typed, or NULL. */
static char *
find_similar_tag(CecChange *change, const char *typed)
{
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	Datum arg = CStringGetTextDatum(typed);
	char *best = NULL;
	int best_distance = 3;
	uint64 rows;

	/* varstr_levenshtein takes no more than 255 bytes. */
	if (strlen(typed) > 255 || !caller_may_read(change, "asset"))
		return NULL;
	SPI_connect();
	rows = cec_query_run(change->portfolio->plans, &neighbours, &arg, NULL, 0);
	old = MemoryContextSwitchTo(cxt);
	for (uint64 i = 0; i < rows; i++)
	{
		char *tag = result_text(i, 1);
		int distance;

		if (strlen(tag) > 255)
			continue;
		distance = varstr_levenshtein_less_equal(typed, strlen(typed), tag, strlen(tag), 1, 1, 1, best_distance, true);
		if (distance < best_distance)
		{
			best = tag;
			best_distance = distance;
		}
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	return best;
}

static List *
explain_unresolved(CecChange *change, List *unresolved)
{
	List *wrong = NIL;
	ListCell *cell;

	foreach (cell, unresolved)
	{
		CecUnresolved *from = lfirst(cell);
		WrongLine *line = palloc(sizeof(WrongLine));

		line->listed_as = from->listed_as;
		line->problem = find_problem(from->matches == 0 ? "unknown" : "ambiguous");
		line->facts = NULL;
		if (from->matches == 0 && list_length(wrong) < LINES_SHOWN)
		{
			char *similar = find_similar_tag(change, from->listed_as);

			if (similar != NULL)
				line->facts = psprintf("Perhaps \"%s\" was meant.", similar);
		}
		else if (from->matches > 0)
			line->facts = "More than one asset bears it as tag, serial number or other identifier.";
		wrong = lappend(wrong, line);
	}
	return wrong;
}

/* At most so many bytes of a text that somebody typed, cut between characters. */
static char *
shorten(const char *text)
{
	int len = strlen(text);

	if (len <= 100)
		return pstrdup(text);
	return psprintf("%.*s...", pg_mbcliplen(text, len, 100), text);
}

static void
append_line(StringInfo detail, const WrongLine *line)
{
	appendStringInfo(detail, line->problem->message, shorten(line->listed_as));
	appendStringInfoChar(detail, '.');
	if (line->facts != NULL)
		appendStringInfo(detail, " %s", line->facts);
}

/* Refuses the statement: one wrong line with its facts, several as a list. */
static void
refuse(CecChange *change, List *wrong, int64 line_count)
{
	WrongLine *first = linitial(wrong);
	StringInfoData detail;
	char *message;
	int shown = 0;
	ListCell *cell;

	initStringInfo(&detail);
	if (list_length(wrong) == 1)
	{
		message = psprintf(first->problem->message, shorten(first->listed_as));
		if (first->facts != NULL)
			appendStringInfoString(&detail, first->facts);
		else
			appendStringInfo(&detail, "It is one of " INT64_FORMAT " line(s) in this statement; none was stored.",
							 line_count);
	}
	else
	{
		message = psprintf("%d of " INT64_FORMAT " list lines are refused", list_length(wrong), line_count);
		foreach (cell, wrong)
		{
			if (shown > 0)
				appendStringInfoChar(&detail, '\n');
			if (shown++ == LINES_SHOWN)
			{
				appendStringInfo(&detail, "And %d more.", list_length(wrong) - LINES_SHOWN);
				break;
			}
			append_line(&detail, lfirst(cell));
		}
	}
	ereport(ERROR,
			(errcode(first->problem->sqlstate), errmsg_internal("%s", message), errdetail_internal("%s", detail.data),
			 errhint("%s", first->problem->hint), errtableconstraint(change->rel, first->problem->constraint)));
}

/* The lines that promise something new. */
static Lines
collect_lines(CecChange *change)
{
	Lines lines = {0};
	LineColumns columns;
	CecRows rows;

	columns.inclusion_id = cec_column_require(change->rel, "inclusion_id", INT8OID);
	columns.asset_id = cec_column_require(change->rel, "asset_id", INT8OID);
	columns.term_id = cec_column_require(change->rel, "term_id", INT8OID);
	columns.effect = cec_column_require(change->rel, "effect", TEXTOID);
	columns.during = cec_column_require(change->rel, "during", DATERANGEOID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		slot_getallattrs(rows.new_row);
		if (rows.old_row != NULL)
		{
			slot_getallattrs(rows.old_row);
			if (promises_nothing_new(rows.old_row, rows.new_row, &columns))
				continue;
		}
		add_line(&lines, line_of_row(rows.new_row, &columns));
	}
	cec_rows_end(&rows);
	return lines;
}

/* Handler of the validate stage; the assets are locked. */
static void
validate_lines(CecChange *change)
{
	List *wrong;
	int64 line_count;

	cec_inclusion_check_names(change);
	wrong = explain_unresolved(change, cec_inclusion_take_unresolved(RelationGetRelid(change->rel)));
	line_count = list_length(wrong);
	if (change->new_rows != NULL && !cec_change_is_empty(change))
	{
		Lines lines = collect_lines(change);
		Lines doubtful = find_doubtful(change, &lines);

		line_count += lines.count;
		if (doubtful.count > 0)
			wrong = list_concat(wrong, explain_lines(change, &doubtful));
	}
	if (wrong != NIL)
		refuse(change, wrong, line_count);
}
