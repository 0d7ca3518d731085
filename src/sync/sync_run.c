/*
 * sync_run.c
 *		Runs of a sync: shows what one would do, does it in one transaction, or a batch of it.
 *
 * Locks: the gate alone, before anything is read.  A sync waits for those who write, and then they for it: whatever it locks
 * afterwards, nobody holds who would wait for something else of it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "portfolio/portfolio_today.h"
#include "support/attempt.h"
#include "support/progress.h"
#include "sync/sync_run.h"

PG_FUNCTION_INFO_V1(cec_sync_preview);
PG_FUNCTION_INFO_V1(cec_sync_assets);
PG_FUNCTION_INFO_V1(cec_run_sync_batch);
PG_FUNCTION_INFO_V1(cec_raise_sync_error);

static const CecQuery delete_staged = {"DELETE FROM @P@.asset_staging WHERE source = $1", 1, {TEXTOID}};

/* Error: 42501 for who may not run the portfolio's own function. */
static void
check_right(CecPortfolio *portfolio, const char *function_name, int count, const Oid *types)
{
	if (!cec_portfolio_may_run(portfolio, function_name, count, types))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for function %s.%s",
							   quote_identifier(get_namespace_name(portfolio->nspid)), function_name),
						errhint("The view cec.access_privilege says which levels of access have it.")));
}

static void
check_may_sync(CecPortfolio *portfolio)
{
	static const Oid types[] = {TEXTOID, TEXTOID, BOOLOID, NUMERICOID, INT8OID};

	check_right(portfolio, "sync_assets", lengthof(types), types);
}

/* The arguments that all have; those that must not be NULL were looked at (cec._require_sync), or somebody calls this himself. */
static void
begin_sync(CecSync *sync, FunctionCallInfo fcinfo, int fraction)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(fraction))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a sync needs a portfolio, a source and a mode")));
	sync->cxt = CurrentMemoryContext;
	sync->source = PG_GETARG_TEXT_PP(1);
	sync->mode = PG_GETARG_TEXT_PP(2);
	sync->fraction = PG_GETARG_DATUM(fraction);
	sync->has_expected = !PG_ARGISNULL(fraction + 1);
	sync->expected = sync->has_expected ? PG_GETARG_INT64(fraction + 1) : 0;
	sync->started_at = GetCurrentTimestamp();
	sync->portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	sync->today = cec_portfolio_today(sync->portfolio);
}

/* cec._sync_preview(portfolio, source, mode, max_retire_fraction, expected_rows) */
Datum
cec_sync_preview(PG_FUNCTION_ARGS)
{
	static const Oid types[] = {TEXTOID, TEXTOID, NUMERICOID, INT8OID};
	CecSync sync = {0};

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	cec_portfolio_pin();
	begin_sync(&sync, fcinfo, 3);
	check_right(sync.portfolio, "sync_preview", lengthof(types), types);
	sync.shown = (ReturnSetInfo *) fcinfo->resultinfo;
	sync.snapshot = RegisterSnapshot(GetActiveSnapshot());
	SPI_connect();
	cec_sync_plan(&sync);
	SPI_finish();
	UnregisterSnapshot(sync.snapshot);
	cec_portfolio_unpin();
	return (Datum) 0;
}

static void
return_counts(FunctionCallInfo fcinfo, const CecSync *sync)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	for (int i = 0; i < CEC_SYNC_OUTCOMES; i++)
	{
		Datum values[] = {CStringGetTextDatum(cec_sync_outcomes[i]), Int64GetDatum(sync->counts[i])};
		bool isnull[lengthof(values)] = {0};

		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
}

/* Alone in the portfolio, all that is staged by now. */
static void
sync_all(CecSync *sync)
{
	Datum arg = PointerGetDatum(sync->source);

	sync->store = tuplestore_begin_heap(true, false, work_mem);
	cec_sync_plan(sync);
	cec_sync_apply(sync);
	cec_sync_record(sync);
	cec_query_run_at(sync->portfolio->plans, &delete_staged, &arg, NULL, sync->snapshot);
}

/* cec._sync_assets(portfolio, source, mode, dry_run, max_retire_fraction, expected_rows) */
Datum
cec_sync_assets(PG_FUNCTION_ARGS)
{
	CecSync sync = {0};
	bool dry_run = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	cec_portfolio_pin();
	begin_sync(&sync, fcinfo, 4);
	check_may_sync(sync.portfolio);
	if (!dry_run)
		cec_portfolio_lock_gate(sync.portfolio->nspid, ShareRowExclusiveLock);
	sync.portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	sync.today = cec_portfolio_today(sync.portfolio);
	sync.snapshot = RegisterSnapshot(dry_run ? GetActiveSnapshot() : GetLatestSnapshot());
	SPI_connect();
	if (dry_run)
		cec_sync_plan(&sync);
	else
	{
		sync_all(&sync);
		cec_progress_end();
	}
	SPI_finish();
	UnregisterSnapshot(sync.snapshot);
	cec_portfolio_unpin();
	return_counts(fcinfo, &sync);
	return (Datum) 0;
}

/* A batch of a run, in a subtransaction, since what it fails with is noted. */
typedef struct Batch
{
	CecSync *sync;
	Oid nspid;
	text *after;
	int64 limit;
	int64 applied; /* rows that earlier batches have done, and this one */
	bool is_done;
} Batch;

static bool
is_any(int sqlstate)
{
	return true;
}

static void
run_batch(void *arg)
{
	Batch *batch = arg;
	CecSync *sync = batch->sync;

	cec_portfolio_lock_gate(batch->nspid, ShareRowExclusiveLock);
	sync->portfolio = cec_portfolio_get(batch->nspid);
	sync->today = cec_portfolio_today(sync->portfolio);
	sync->snapshot = RegisterSnapshot(GetLatestSnapshot());
	SPI_connect();
	if (sync->batch_no == 1)
		cec_sync_check_plan(sync);
	if (cec_sync_plan_batch(sync, batch->after, batch->limit))
	{
		cec_sync_apply(sync);
		/* What was refused stays staged, and is again by the last batch, which keeps it. */
		sync->counts[CEC_SYNC_REJECTED] = 0;
		for (int i = 0; i < CEC_SYNC_OUTCOMES; i++)
			batch->applied += sync->counts[i];
		cec_sync_record(sync);
	}
	else
	{
		sync->applied = batch->applied;
		sync_all(sync);
		batch->is_done = true;
	}
	SPI_finish();
	UnregisterSnapshot(sync->snapshot);
}

/* Notes that a batch has failed, in the transaction that is left of it. */
static void
note_failure(CecSync *sync, Oid nspid, const ErrorData *error)
{
	CecActAs act;

	memset(sync->counts, 0, sizeof(sync->counts));
	sync->staged = 0;
	sync->portfolio = cec_portfolio_get(nspid);
	cec_portfolio_act(&act, sync->portfolio);
	SPI_connect();
	(void) cec_sync_add_run(
		sync, psprintf("%s: %s", unpack_sql_state(error->sqlerrcode), error->message == NULL ? "" : error->message));
	SPI_finish();
	cec_act_as_self(&act);
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/*
 * cec._run_sync_batch(portfolio, source, mode, max_retire_fraction, expected_rows, batch_no, after_tag, batch_rows, started_at,
 * applied): the last tag of the batch, whether the run is done, how many rows have been applied by now; and where the batch failed,
 * with what.
 */
Datum
cec_run_sync_batch(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CecSync sync = {0};
	Batch batch = {&sync};
	ErrorData *error;
	Datum values[8];
	bool isnull[8] = {false};

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = 5; i < 10; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a batch needs its number and size")));
	cec_portfolio_pin();
	begin_sync(&sync, fcinfo, 3);
	check_may_sync(sync.portfolio);
	sync.batch_no = Max(PG_GETARG_INT32(5), 1);
	sync.started_at = PG_GETARG_TIMESTAMPTZ(8);
	batch.nspid = PG_GETARG_OID(0);
	batch.after = PG_GETARG_TEXT_PP(6);
	batch.limit = Max(PG_GETARG_INT64(7), 1);
	batch.applied = PG_GETARG_INT64(9);
	error = cec_attempt_told(run_batch, &batch, is_any);
	cec_progress_end();
	if (error != NULL)
		note_failure(&sync, batch.nspid, error);
	cec_portfolio_unpin();
	values[0] = text_or_null(sync.last_tag, &isnull[0]);
	values[1] = BoolGetDatum(batch.is_done || error != NULL);
	values[2] = Int64GetDatum(batch.applied);
	values[3] = text_or_null(error == NULL ? NULL : unpack_sql_state(error->sqlerrcode), &isnull[3]);
	values[4] = text_or_null(error == NULL ? NULL : error->message, &isnull[4]);
	values[5] = text_or_null(error == NULL ? NULL : error->detail, &isnull[5]);
	values[6] = text_or_null(error == NULL ? NULL : error->hint, &isnull[6]);
	values[7] = text_or_null(error == NULL ? NULL : error->constraint_name, &isnull[7]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	return (Datum) 0;
}

/* cec._raise_sync_error(error_code, error_message, error_detail, error_hint, error_constraint): what a batch has failed with. */
Datum
cec_raise_sync_error(PG_FUNCTION_ARGS)
{
	char *texts[5];

	for (int i = 0; i < lengthof(texts); i++)
		texts[i] = PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
	ereport(ERROR,
			(errcode(texts[0] == NULL || strlen(texts[0]) != 5
						 ? ERRCODE_INTERNAL_ERROR
						 : MAKE_SQLSTATE(texts[0][0], texts[0][1], texts[0][2], texts[0][3], texts[0][4])),
			 errmsg_internal("%s", texts[1] == NULL ? "a batch has failed" : texts[1]),
			 texts[2] == NULL ? 0 : errdetail_internal("%s", texts[2]), texts[3] == NULL ? 0 : errhint("%s", texts[3]),
			 texts[4] == NULL ? 0 : err_generic_string(PG_DIAG_CONSTRAINT_NAME, texts[4])));
}
