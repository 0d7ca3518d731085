/*
 * import_ending.c
 *		Lines that go because a whole list does not name them.
 *
 * A list is never ended by a mistake in the row that names it: a row that is refused keeps the lines that it speaks of, one without
 * days that can be read keeps all lines of the asset, and one that names no asset or several keeps those of the assets that it
 * may have meant.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "import/import.h"
#include "registry/identifier_named.h"
#include "support/grow.h"
#include "support/search.h"

static const CecQuery find_today = {"SELECT (clock_timestamp() AT TIME ZONE time_zone)::date FROM @P@.setting",
									.results = {DATEOID}};

static const CecQuery running_lines = {
	"SELECT i.inclusion_id, i.asset_id, a.asset_tag, i.during FROM @P@.inclusion i"
	" CROSS JOIN LATERAL (SELECT asset_tag FROM @P@.asset WHERE asset_id = i.asset_id OFFSET 0) AS a"
	" WHERE i.term_id = $1 AND i.effect = 'include' AND (upper(i.during) > $2 OR upper_inf(i.during))"
	" ORDER BY a.asset_tag, lower(i.during) NULLS FIRST, i.inclusion_id",
	2,
	{INT8OID, DATEOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, INT8OID, TEXTOID, DATERANGEOID}};

/* What the rows name. */
typedef struct Named
{
	const CecListRow **rows; /* that include an asset and have days, by asset */
	int64 count;
	CecIds kept; /* assets whose lines all stay */
} Named;

static int
compare_assets(const void *one, const void *other)
{
	int64 a = (*(const CecListRow *const *) one)->asset_id;
	int64 b = (*(const CecListRow *const *) other)->asset_id;

	return a < b ? -1 : a > b;
}

/* Keeps all that a name may mean, on whatever day. */
static void
keep_named(Named *named, CecNamed *search, const char *name)
{
	CecNamedAsset asset;

	cec_named_seek(search, CStringGetTextDatum(name), NULL);
	while (cec_named_next(search, &asset))
		cec_ids_add(&named->kept, asset.asset_id);
}

static Named
take_named(const CecListCheck *check, Snapshot snapshot)
{
	Named named = {palloc_extended(Max(check->count, 1) * sizeof(CecListRow *), MCXT_ALLOC_HUGE)};
	CecNamed search;

	cec_named_begin(&search, check->portfolio, snapshot);
	for (int64 i = 0; i < check->count; i++)
	{
		const CecListRow *row = &check->rows[i];

		if (!row->is_found && row->identifier != NULL)
			keep_named(&named, &search, row->suggestion != NULL ? row->suggestion : row->identifier);
		else if (row->is_found && row->is_include && row->days.from >= row->days.to)
			cec_ids_add(&named.kept, row->asset_id);
		else if (row->is_found && row->is_include)
			named.rows[named.count++] = row;
	}
	cec_named_end(&search);
	qsort(named.rows, named.count, sizeof(CecListRow *), compare_assets);
	cec_ids_sort_unique(&named.kept);
	return named;
}

/* Whether a row speaks of a line. */
static bool
is_named(const Named *named, const CecEnding *line)
{
	int64 place;

	CEC_SEARCH(place, named->count, named->rows[middle]->asset_id < line->asset_id);
	for (; place < named->count && named->rows[place]->asset_id == line->asset_id; place++)
		if (cec_days_overlap(named->rows[place]->days, line->days))
			return true;
	return cec_ids_find(&named->kept, line->asset_id) >= 0;
}

static DateADT
read_today(CecPortfolio *portfolio)
{
	DateADT today = 0;
	bool isnull = true;

	SPI_connect();
	if (cec_query_read(portfolio->plans, &find_today, NULL, NULL) > 0)
		today = DatumGetDateADT(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	if (isnull)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the portfolio has no settings"),
						errhint("Insert the row of setting again.")));
	SPI_finish();
	return today;
}

static CecEnding
line_of(uint64 at)
{
	HeapTuple row = SPI_tuptable->vals[at];
	TupleDesc desc = SPI_tuptable->tupdesc;
	CecEnding line;
	bool isnull;

	line.inclusion_id = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	line.asset_id = DatumGetInt64(SPI_getbinval(row, desc, 2, &isnull));
	line.tag = SPI_getvalue(row, desc, 3);
	line.days = cec_days_of_range(SPI_getbinval(row, desc, 4, &isnull));
	return line;
}

/*
 * Finds the lines that run beyond today and that no row names, and how many run today or later.  With the active snapshot, which is
 * the one given; the assets of the rows are found.
 */
void
cec_import_find_endings(CecImport *import, Snapshot snapshot)
{
	MemoryContext cxt = CurrentMemoryContext;
	Named named = take_named(&import->check, snapshot);
	int64 space = 0;
	MemoryContext old;
	Datum args[2];

	import->today = read_today(import->check.portfolio);
	import->ending_count = 0;
	import->endings = NULL;
	args[0] = Int64GetDatum(import->check.term_id);
	args[1] = DateADTGetDatum(import->today);
	SPI_connect();
	import->running = cec_query_read(import->check.portfolio->plans, &running_lines, args, NULL);
	old = MemoryContextSwitchTo(cxt);
	for (int64 i = 0; i < import->running; i++)
	{
		CecEnding line = line_of(i);

		CHECK_FOR_INTERRUPTS();
		if (line.days.to <= import->today + 1 || is_named(&named, &line))
			continue;
		CEC_MAKE_ROOM(import->endings, import->ending_count, space, 64);
		import->endings[import->ending_count++] = line;
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
}
