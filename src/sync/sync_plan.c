/*
 * sync_plan.c
 *		The plan of a sync: read from cec._sync_plan (sync.sql), counted, held against what guards it, and shown or kept.
 *
 * It is kept in a tuplestore, which goes to disk where it is large; rows that change nothing are only counted.  So memory does not
 * grow with what is staged.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "support/word.h"
#include "sync/sync_run.h"

const char *const cec_sync_outcomes[] = {"inserted", "updated",	   "unchanged",	 "adopted",	 "retagged", "merged",
										 "retired",	 "reappeared", "superseded", "outdated", "rejected"};

/* Columns of cec._sync_row, from 1. */
enum
{
	PLAN_SEQ = 1,
	PLAN_STAGED_NO,
	PLAN_ASSET_ID,
	PLAN_ASSET_TAG,
	PLAN_OUTCOME,
	PLAN_COLUMNS,
	PLAN_MESSAGE,
	PLAN_SQLSTATE,
	PLAN_CONSTRAINT,
	PLAN_STEP,
	PLAN_IS_LIVING,
	PLAN_STATUS = 22,
	PLAN_WIDTH = 32
};

static const CecQuery count_staged = {
	"SELECT count(*) FROM @P@.asset_staging s WHERE s.source = $1", 1, {TEXTOID}, .results = {INT8OID}};

#define PLAN_TYPES \
	INT8OID, INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, TEXTOID, \
		INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, \
		INT8OID, TEXTOID, TEXTOID, CEC_GEOMETRY_RESULT, DATEOID, DATEOID, DATEMULTIRANGEOID, INT8OID, JSONBOID, \
		TIMESTAMPTZOID

static const CecQuery plan_rows = {"SELECT * FROM cec._sync_plan($1, $2, $3, $4)",
								   4,
								   {REGNAMESPACEOID, TEXTOID, TEXTOID, DATEOID},
								   .results = {PLAN_TYPES}};

/* Of what is to be done but retiring, so many rows in the order of tags. */
static const CecQuery plan_of_batch = {
	"SELECT * FROM cec._sync_plan($1, $2, $3, $4) AS p WHERE p.step IS NOT NULL AND p.outcome NOT IN ('merged', 'retired')"
	" AND p.asset_tag COLLATE \"C\" > $5 ORDER BY p.asset_tag COLLATE \"C\" LIMIT $6",
	6,
	{REGNAMESPACEOID, TEXTOID, TEXTOID, DATEOID, TEXTOID, INT8OID},
	.results = {PLAN_TYPES}};

static const CecQuery compare_leaving = {
	"SELECT $2 > $3 * count(*), count(*) FROM @P@.asset a WHERE a.source = $1 AND a.status <> 'retired'",
	3,
	{TEXTOID, INT8OID, NUMERICOID},
	.results = {BOOLOID, INT8OID}};

static void
put_shown(CecSync *sync, TupleTableSlot *row)
{
	static const int columns[] = {PLAN_ASSET_TAG, PLAN_ASSET_ID, PLAN_OUTCOME, PLAN_COLUMNS, PLAN_MESSAGE};
	Datum values[lengthof(columns)];
	bool isnull[lengthof(columns)];

	for (int i = 0; i < lengthof(columns); i++)
	{
		values[i] = row->tts_values[columns[i] - 1];
		isnull[i] = row->tts_isnull[columns[i] - 1];
	}
	tuplestore_putvalues(sync->shown->setResult, sync->shown->setDesc, values, isnull);
}

static void
note_tag(CecSync *sync, Datum tag, bool isnull)
{
	MemoryContext old = MemoryContextSwitchTo(sync->cxt);

	if (sync->last_tag != NULL)
		pfree(sync->last_tag);
	sync->last_tag = isnull ? NULL : TextDatumGetCString(tag);
	MemoryContextSwitchTo(old);
}

/* The place of an outcome in counts. */
int
cec_sync_outcome(Datum outcome)
{
	text *word = DatumGetTextPP(outcome);
	size_t len = VARSIZE_ANY_EXHDR(word);

	for (int i = 0; i < CEC_SYNC_OUTCOMES; i++)
		if (strlen(cec_sync_outcomes[i]) == len && memcmp(cec_sync_outcomes[i], VARDATA_ANY(word), len) == 0)
			return i;
	elog(ERROR, "a sync has no outcome %s", text_to_cstring(word));
}

/* Takes a row of the plan. */
static void
take_row(void *arg, TupleTableSlot *row)
{
	CecSync *sync = arg;
	int at = cec_sync_outcome(row->tts_values[PLAN_OUTCOME - 1]);

	sync->counts[at]++;
	if ((at == CEC_SYNC_MERGED || at == CEC_SYNC_RETIRED) && !row->tts_isnull[PLAN_IS_LIVING - 1] &&
		DatumGetBool(row->tts_values[PLAN_IS_LIVING - 1]))
		sync->leaving++;
	if (sync->desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(sync->cxt);

		sync->desc = CreateTupleDescCopy(row->tts_tupleDescriptor);
		MemoryContextSwitchTo(old);
	}
	if (sync->shown != NULL)
		put_shown(sync, row);
	else if (sync->store != NULL && (!row->tts_isnull[PLAN_STEP - 1] || !row->tts_isnull[PLAN_SQLSTATE - 1]))
	{
		Datum values[PLAN_WIDTH];

		memcpy(values, row->tts_values, sizeof(values));
		values[PLAN_SEQ - 1] = Int64GetDatum(++sync->rows);
		if (!row->tts_isnull[PLAN_STATUS - 1] && cec_word_is(row->tts_values[PLAN_STATUS - 1], "retired"))
			sync->retired++;
		tuplestore_putvalues(sync->store, sync->desc, values, row->tts_isnull);
		if (sync->batch_no > 0)
			note_tag(sync, row->tts_values[PLAN_ASSET_TAG - 1], row->tts_isnull[PLAN_ASSET_TAG - 1]);
	}
}

static Datum
found(int column)
{
	bool isnull;

	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);
}

/* For ereport. */
static int
name_constraint(const char *constraint)
{
	err_generic_string(PG_DIAG_TABLE_NAME, "asset_source");
	return err_generic_string(PG_DIAG_CONSTRAINT_NAME, constraint);
}

/* Error: 23514 where not what was expected is staged. */
static void
check_expected(CecSync *sync)
{
	Datum arg = PointerGetDatum(sync->source);

	if (cec_query_run_at(sync->portfolio->plans, &count_staged, &arg, NULL, sync->snapshot) != 1)
		elog(ERROR, "staged rows were not counted");
	sync->staged = DatumGetInt64(found(1));
	if (sync->has_expected && sync->staged != sync->expected)
		ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
						errmsg(INT64_FORMAT " rows of source \"%s\" are staged, not " INT64_FORMAT, sync->staged,
							   text_to_cstring(sync->source), sync->expected),
						errhint("Stage all of them before they are taken; delete from asset_staging what is left of a "
								"transfer that failed."),
						name_constraint("asset_source_expected_rows")));
}

/* Error: 23514 where more would go than may. */
static void
check_leaving(CecSync *sync)
{
	Datum args[] = {PointerGetDatum(sync->source), Int64GetDatum(sync->leaving), sync->fraction};
	char *source = text_to_cstring(sync->source);
	int64 living;

	if (sync->leaving == 0 || strcmp(text_to_cstring(sync->mode), "snapshot") != 0)
		return;
	if (cec_query_run_at(sync->portfolio->plans, &compare_leaving, args, NULL, sync->snapshot) != 1)
		elog(ERROR, "assets were not counted");
	living = DatumGetInt64(found(2));
	if (DatumGetBool(found(1)))
		ereport(
			ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg(INT64_FORMAT " of " INT64_FORMAT " living assets of source \"%s\" would be retired or merged",
					sync->leaving, living, source),
			 errdetail("No more than a fraction of %s may be.", OidOutputFunctionCall(F_NUMERIC_OUT, sync->fraction)),
			 errhint(
				 "With a larger max_retire_fraction, sync_preview says which they are. If they are gone, sync with it; "
				 "if the transfer was cut short, stage it again."),
			 name_constraint("asset_source_retire_fraction")));
}

/* Has the plan computed, and held against what guards it. */
void
cec_sync_plan(CecSync *sync)
{
	Datum args[] = {ObjectIdGetDatum(sync->portfolio->nspid), PointerGetDatum(sync->source),
					PointerGetDatum(sync->mode), DateADTGetDatum(sync->today)};

	check_expected(sync);
	PushActiveSnapshot(sync->snapshot);
	cec_query_stream(sync->portfolio->plans, &plan_rows, args, take_row, sync);
	PopActiveSnapshot();
	check_leaving(sync);
}

/* The plan whole, for its guards alone. */
void
cec_sync_check_plan(CecSync *sync)
{
	cec_sync_plan(sync);
	memset(sync->counts, 0, sizeof(sync->counts));
	sync->leaving = 0;
	sync->staged = 0;
}

/* Reads the next rows that are to be done; false where there are not enough of them for a batch: the run may as well be ended. */
bool
cec_sync_plan_batch(CecSync *sync, text *after, int64 limit)
{
	Datum args[] = {ObjectIdGetDatum(sync->portfolio->nspid),
					PointerGetDatum(sync->source),
					PointerGetDatum(sync->mode),
					DateADTGetDatum(sync->today),
					PointerGetDatum(after),
					Int64GetDatum(limit)};

	sync->store = tuplestore_begin_heap(true, false, work_mem);
	PushActiveSnapshot(sync->snapshot);
	cec_query_stream(sync->portfolio->plans, &plan_of_batch, args, take_row, sync);
	PopActiveSnapshot();
	if (sync->rows == limit)
		return true;
	tuplestore_end(sync->store);
	memset(sync->counts, 0, sizeof(sync->counts));
	sync->rows = 0;
	sync->retired = 0;
	return false;
}
