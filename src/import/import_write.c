/*
 * import_write.c
 *		Writes an imported list, as the caller.
 *
 * Lines come, change and go in one statement, so that each is checked against what all of them leave.  A long list is written in
 * several, so that its progress can be seen: all rows of an asset in one of them, since what a line is checked against are the
 * others of its asset.  The assets are locked by then, and the rows were decided from what the locks hold; so the engine's triggers
 * find nothing to refuse that was not told.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "import/import.h"
#include "portfolio/own_work.h"
#include "support/progress.h"

#define DATERANGEARRAYOID 3913

/* From so many changes on the next ones are written by another statement. */
#define FULL 10000

static const CecQuery write_lines = {
	"WITH changed AS (UPDATE @P@.inclusion AS i SET during = v.during, note = coalesce(v.note, i.note)"
	"  FROM unnest($8, $9, $10) AS v(inclusion_id, during, note) WHERE i.inclusion_id = v.inclusion_id"
	"  RETURNING i.inclusion_id),"
	" gone AS (DELETE FROM @P@.inclusion AS i WHERE i.inclusion_id = ANY ($11) RETURNING i.inclusion_id),"
	" come AS (INSERT INTO @P@.inclusion (term_id, asset_id, listed_as, effect, during, amendment_id, note)"
	"  SELECT $1, v.asset_id, v.listed_as, v.effect, v.during, $7, v.note"
	"  FROM unnest($2, $3, $4, $5, $6) AS v(asset_id, listed_as, effect, during, note) RETURNING inclusion_id)"
	" SELECT (SELECT count(*) FROM come) + (SELECT count(*) FROM changed) + (SELECT count(*) FROM gone)",
	11,
	{INT8OID, INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, DATERANGEARRAYOID, TEXTARRAYOID, INT8OID, INT8ARRAYOID,
	 DATERANGEARRAYOID, TEXTARRAYOID, INT8ARRAYOID},
	.results = {INT8OID}};

static const CecQuery begin_amendment = {
	"INSERT INTO @P@.amendment (contract_id, title, status, requested_at, requested_by, applied_at, is_direct)"
	" SELECT t.contract_id, $1, 'applied', $2, cec._actor(), clock_timestamp(), true FROM @P@.coverage_term t WHERE t.term_id = $3"
	" RETURNING amendment_id",
	3,
	{TEXTOID, TIMESTAMPTZOID, INT8OID},
	.results = {INT8OID}};

static const CecQuery add_amendment_lines = {
	"WITH come AS (INSERT INTO @P@.amendment_line (amendment_id, action, identifier, term_id, during)"
	"  SELECT $1, l.action, l.identifier, $2, l.during FROM unnest($3, $4, $5) AS l(action, identifier, during)"
	"  RETURNING line_id) SELECT count(*) FROM come",
	5,
	{INT8OID, INT8OID, TEXTARRAYOID, TEXTARRAYOID, DATERANGEARRAYOID},
	.results = {INT8OID}};

/* What is written of an asset: a row, or the end of a line. */
typedef struct Written
{
	int64 asset_id;
	const CecListRow *row; /* or */
	const CecEnding *ending;
} Written;

/* Values that become an array. */
typedef struct Column
{
	Oid type;
	int count;
	Datum *values;
	bool *nulls;
} Column;

enum
{
	/* lines that come */
	ASSET_IDS,
	LISTED_AS,
	EFFECTS,
	DAYS,
	NOTES,
	/* lines that change */
	CHANGED_IDS,
	CHANGED_DAYS,
	CHANGED_NOTES,
	/* lines that go */
	GONE_IDS,
	/* lines of the amendment */
	ACTIONS,
	IDENTIFIERS,
	ACTION_DAYS,
	COLUMNS
};

static const Oid column_types[COLUMNS] = {INT8OID,		TEXTOID, TEXTOID, DATERANGEOID, TEXTOID, INT8OID,
										  DATERANGEOID, TEXTOID, INT8OID, TEXTOID,		TEXTOID, DATERANGEOID};

static void
begin_columns(Column *columns, int64 count)
{
	for (int i = 0; i < COLUMNS; i++)
		columns[i] =
			(Column){column_types[i], 0, palloc(Max(count, 1) * sizeof(Datum)), palloc(Max(count, 1) * sizeof(bool))};
}

static void
add_value(Column *column, Datum value)
{
	column->nulls[column->count] = false;
	column->values[column->count++] = value;
}

static void
add_text(Column *column, const char *text)
{
	column->nulls[column->count] = text == NULL;
	column->values[column->count++] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

static Datum
as_array(const Column *column)
{
	bool is_id = column->type == INT8OID;
	int lower = 1;

	return PointerGetDatum(construct_md_array(column->values, column->nulls, 1, (int *) &column->count, &lower,
											  column->type, is_id ? (int) sizeof(int64) : -1, is_id && FLOAT8PASSBYVAL,
											  is_id ? TYPALIGN_DOUBLE : TYPALIGN_INT));
}

static void
add_row(Column *columns, const CecListRow *row)
{
	Datum days = cec_range_of_days(row->days);
	const char *effect = row->is_include ? "include" : "exclude";

	if (row->outcome == CEC_OUTCOME_INSERT)
	{
		add_value(&columns[ASSET_IDS], Int64GetDatum(row->asset_id));
		add_text(&columns[LISTED_AS], row->identifier);
		add_text(&columns[EFFECTS], effect);
		add_value(&columns[DAYS], days);
		add_text(&columns[NOTES], row->note);
	}
	else
	{
		add_value(&columns[CHANGED_IDS], Int64GetDatum(row->inclusion_id));
		add_value(&columns[CHANGED_DAYS], days);
		add_text(&columns[CHANGED_NOTES], row->note);
	}
	add_text(&columns[ACTIONS], effect);
	add_text(&columns[IDENTIFIERS], row->identifier);
	add_value(&columns[ACTION_DAYS], days);
}

static void
add_ending(Column *columns, const CecImport *import, const CecEnding *ending)
{
	if (cec_ending_is_deleted(import, ending))
		add_value(&columns[GONE_IDS], Int64GetDatum(ending->inclusion_id));
	else
	{
		add_value(&columns[CHANGED_IDS], Int64GetDatum(ending->inclusion_id));
		add_value(&columns[CHANGED_DAYS], cec_range_of_days((CecDays){ending->days.from, import->today + 1}));
		add_text(&columns[CHANGED_NOTES], NULL);
	}
	add_text(&columns[ACTIONS], "remove");
	add_text(&columns[IDENTIFIERS], ending->tag);
	add_value(&columns[ACTION_DAYS], cec_range_of_days((CecDays){import->today + 1, CEC_DAY_MAX}));
}

/* An answer of one number. */
static int64
ask_number(const CecImport *import, const CecQuery *query, Datum *args, const char *nulls)
{
	int64 number = 0;
	bool isnull;

	SPI_connect();
	if (cec_query_write(import->check.portfolio->plans, query, args, nulls) == 1)
		number = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return number;
}

/* A statement on the amendment of the import, which is applied as it is written. */
typedef struct OwnWork
{
	const CecImport *import;
	const CecQuery *query;
	Datum *args;
	int64 result;
} OwnWork;

static void
do_own_work(void *arg)
{
	OwnWork *work = arg;

	work->result = ask_number(work->import, work->query, work->args, NULL);
}

static int64
write_amendment(const CecImport *import, const CecQuery *query, Datum *args)
{
	OwnWork work = {import, query, args, 0};

	cec_own_work(import->check.portfolio->nspid, CEC_WORK_AMENDMENT, do_own_work, &work);
	return work.result;
}

/* Writes some of the changes by one statement; amendment_id 0: there is none. */
static void
write_some(const CecImport *import, const Written *written, int64 count, int64 amendment_id)
{
	Column columns[COLUMNS];
	Datum args[11];
	int64 done;

	begin_columns(columns, count);
	for (int64 i = 0; i < count; i++)
	{
		if (written[i].row != NULL)
			add_row(columns, written[i].row);
		else
			add_ending(columns, import, written[i].ending);
	}
	args[0] = Int64GetDatum(import->check.term_id);
	for (int i = ASSET_IDS; i <= NOTES; i++)
		args[1 + i] = as_array(&columns[i]);
	args[6] = Int64GetDatum(amendment_id);
	for (int i = CHANGED_IDS; i <= GONE_IDS; i++)
		args[2 + i] = as_array(&columns[i]);
	done = ask_number(import, &write_lines, args, amendment_id == 0 ? "      n    " : NULL);
	if (done != count)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg(INT64_FORMAT " of " INT64_FORMAT " list lines were not written", count - done, count),
						errdetail("A trigger of the table inclusion keeps them out."),
						errhint("Look at the triggers that the owner of the portfolio has made.")));
	if (amendment_id == 0)
		return;
	args[0] = Int64GetDatum(amendment_id);
	args[1] = Int64GetDatum(import->check.term_id);
	for (int i = ACTIONS; i <= ACTION_DAYS; i++)
		args[2 + i - ACTIONS] = as_array(&columns[i]);
	(void) write_amendment(import, &add_amendment_lines, args);
}

static int
compare_written(const void *one, const void *other)
{
	const Written *a = one;
	const Written *b = other;
	int64 a_place = a->row == NULL ? PG_INT64_MAX : a->row->place;
	int64 b_place = b->row == NULL ? PG_INT64_MAX : b->row->place;

	if (a->asset_id != b->asset_id)
		return a->asset_id < b->asset_id ? -1 : 1;
	return a_place < b_place ? -1 : a_place > b_place;
}

static int64
collect_written(const CecImport *import, Written *written)
{
	int64 count = 0;

	for (int64 i = 0; i < import->check.count; i++)
	{
		const CecListRow *row = &import->check.rows[i];

		if (row->outcome == CEC_OUTCOME_INSERT || row->outcome == CEC_OUTCOME_UPDATE)
			written[count++] = (Written){row->asset_id, row, NULL};
	}
	for (int64 i = 0; i < import->ending_count; i++)
		written[count++] = (Written){import->endings[i].asset_id, NULL, &import->endings[i]};
	qsort(written, count, sizeof(Written), compare_written);
	return count;
}

/* The amendment that says since when the import was asked for. */
static int64
begin_direct_change(const CecImport *import, int64 count)
{
	Datum args[3];

	args[0] = CStringGetTextDatum(psprintf("import of " INT64_FORMAT " changes", count));
	args[1] = TimestampTzGetDatum(import->requested_at);
	args[2] = Int64GetDatum(import->check.term_id);
	return write_amendment(import, &begin_amendment, args);
}

/* Writes all that the list changes.  The assets are locked; with the caller's rights. */
void
cec_import_write(CecImport *import)
{
	Written *written =
		palloc_extended(Max(import->check.count + import->ending_count, 1) * sizeof(Written), MCXT_ALLOC_HUGE);
	int64 count = collect_written(import, written);
	int64 given = import->check.count + import->ending_count;
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "cec import", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	int64 amendment_id = import->is_requested && count > 0 ? begin_direct_change(import, count) : 0;

	for (int64 i = 0, size; i < count; i += size)
	{
		CHECK_FOR_INTERRUPTS();
		for (size = 1;
			 i + size < count && (size < FULL || written[i + size].asset_id == written[i + size - 1].asset_id); size++)
			;
		write_some(import, &written[i], size, amendment_id);
		cec_progress_tell("import", given - count + i + size, given);
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
	pfree(written);
	import->is_written = true;
}
