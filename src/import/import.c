/*
 * import.c
 *		cec._import_inclusions: says what becomes of the rows of a list, as check_inclusions does, and does it.
 *
 * Mode check locks and writes nothing.  The others go through the gate as any writer of data does, find the assets of the rows and
 * lock them with all below them, as the statements that write will, in one go and in order; only then, with the latest
 * snapshot, is it decided what becomes of each row.  Whoever lists one of these assets too, or retires it, has committed by then
 * and is seen, or waits until this transaction ends; terms, contracts and settings change under the gate alone.  So what is accepted can
 * be written, whatever others do.  Where a name came to mean another asset while it waited, the import is refused with 40001.
 *
 * What is stated is written as the caller (import_write.c); the row of import_run is the engine's.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "bundle/bundle.h"
#include "import/import.h"
#include "registry/asset_lock.h"
#include "support/progress.h"

PG_FUNCTION_INFO_V1(cec_import_inclusions);

#define IMPORT_COLUMNS (CEC_LIST_ROW_COLUMNS + 1)
#define DATERANGEARRAYOID 3913

static const CecQuery has_regulations = {"SELECT EXISTS (SELECT FROM @P@.regulation)", .results = {BOOLOID}};

static const CecQuery regulation_notes = {
	"SELECT n.place, n.message FROM cec._regulation_notes(@O@::regnamespace, $1, $2, $3, $4) AS n",
	4,
	{INT8OID, INT8ARRAYOID, INT8ARRAYOID, DATERANGEARRAYOID},
	.results = {INT8OID, TEXTOID}};

static const CecQuery add_run = {
	"INSERT INTO @P@.import_run (term_id, mode, started_at, rows_given, inserted, updated, unchanged, duplicates, refused, ended)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
	10,
	{INT8OID, TEXTOID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID}};

static bool
is_mode(const CecImport *import, const char *mode)
{
	return strcmp(import->mode, mode) == 0;
}

static void
require_right(CecPortfolio *portfolio)
{
	static const Oid argtypes[] = {INT8OID, JSONBOID, TEXTOID, TEXTOID, NUMERICOID, TIMESTAMPTZOID};

	if (!cec_portfolio_may_run(portfolio, "import_inclusions", lengthof(argtypes), argtypes))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for function %s.import_inclusions",
							   quote_identifier(get_namespace_name(portfolio->nspid))),
						errhint("The view cec.access_privilege says which levels of access have it.")));
}

static Datum
number(const char *value)
{
	return DirectFunctionCall3(numeric_in, CStringGetDatum(value), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/* Reads the arguments behind the rows. */
static void
take_arguments(CecImport *import, FunctionCallInfo fcinfo, char **missing)
{
	for (int i = 1; i < 6; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("term, rows, mode, missing and max_end_fraction must not be NULL"),
							errhint("Leave out what is not meant, for its default.")));
	import->mode = text_to_cstring(PG_GETARG_TEXT_PP(3));
	*missing = text_to_cstring(PG_GETARG_TEXT_PP(4));
	if (!is_mode(import, "check") && !is_mode(import, "valid_only") && !is_mode(import, "all_or_nothing"))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("mode \"%.40s\" is not known", import->mode),
						errhint("It is check, valid_only or all_or_nothing.")));
	if (strcmp(*missing, "keep") != 0 && strcmp(*missing, "end") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"%.40s\" is not what lines may do that the rows do not name", *missing),
						errhint("missing is keep, or end where the rows are the whole list.")));
	if (!DatumGetBool(DirectFunctionCall2(numeric_ge, PG_GETARG_DATUM(5), number("0"))) ||
		!DatumGetBool(DirectFunctionCall2(numeric_le, PG_GETARG_DATUM(5), number("1"))))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_end_fraction is a number from 0 to 1"),
						errhint("0.1, the default, lets up to a tenth of the lines be ended.")));
	import->is_requested = !PG_ARGISNULL(6);
	import->requested_at = import->is_requested ? PG_GETARG_TIMESTAMPTZ(6) : 0;
	if (TIMESTAMP_NOT_FINITE(import->requested_at))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_FIELD_OVERFLOW), errmsg("infinity is no time to ask for a change at"),
						errhint("Give the instant at which it was asked for in requested_at, or leave it out.")));
}

int64
cec_import_count(const CecImport *import, CecOutcome outcome)
{
	int64 count = 0;

	for (int64 i = 0; i < import->check.count; i++)
		count += import->check.rows[i].outcome == outcome;
	return count;
}

/* The assets of rows and of lines that may end, in order. */
static CecIds
collect_assets(const CecImport *import)
{
	CecIds assets = {0};

	for (int64 i = 0; i < import->check.count; i++)
		if (import->check.rows[i].is_found)
			cec_ids_add(&assets, import->check.rows[i].asset_id);
	for (int64 i = 0; i < import->ending_count; i++)
		cec_ids_add(&assets, import->endings[i].asset_id);
	cec_ids_sort_unique(&assets);
	return assets;
}

/* Locks the assets and all below them, in order; they are told with these. */
static void
lock_assets(const CecImport *import, CecIds *assets)
{
	CecReading *reading;
	CecActAs act;

	cec_portfolio_act(&act, import->check.portfolio);
	reading = cec_reading_begin(import->check.portfolio, InvalidOid);
	(void) cec_add_all_below(reading, assets);
	cec_ids_sort_unique(assets);
	(void) cec_lock_assets(reading, assets);
	cec_reading_end(reading);
	cec_act_as_self(&act);
}

static void
forget_unlocked_endings(CecImport *import, const CecIds *locked)
{
	int64 kept = 0;

	/* One that was listed meanwhile came after this import. */
	for (int64 i = 0; i < import->ending_count; i++)
		if (cec_ids_find(locked, import->endings[i].asset_id) >= 0)
			import->endings[kept++] = import->endings[i];
	import->running -= import->ending_count - kept;
	import->ending_count = kept;
}

static void
require_locked(const CecImport *import, const CecIds *locked)
{
	for (int64 i = 0; i < import->check.count; i++)
	{
		const CecListRow *row = &import->check.rows[i];

		if (row->is_found && cec_ids_find(locked, row->asset_id) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not serialize access due to concurrent update"),
					 errdetail("\"%.100s\" came to name another asset while the import waited.", row->identifier),
					 errhint("The transaction might succeed if retried.")));
	}
}

/* Goes on with another snapshot, which is the active one. */
static Snapshot
renew_snapshot(Snapshot before)
{
	Snapshot snapshot = cec_latest_snapshot();

	PopActiveSnapshot();
	UnregisterSnapshot(before);
	PushActiveSnapshot(snapshot);
	return snapshot;
}

/* Locks what rows and endings concern, and finds both again where any transaction has ended meanwhile. */
static Snapshot
lock_found(CecImport *import, Snapshot snapshot, bool ends_missing)
{
	TransactionId xmax = snapshot->xmax;
	uint32 xcnt = snapshot->xcnt;
	CecIds assets = collect_assets(import);

	lock_assets(import, &assets);
	snapshot = renew_snapshot(snapshot);
	if (snapshot->xmax == xmax && snapshot->xcnt == xcnt)
		return snapshot;
	cec_list_find_assets(&import->check, snapshot);
	require_locked(import, &assets);
	if (ends_missing)
	{
		cec_import_find_endings(import, snapshot);
		forget_unlocked_endings(import, &assets);
	}
	return snapshot;
}

/* Adds to messages what regulations say of the cover that rows would give. */
static void
add_regulation_notes(CecListCheck *check)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum *places = palloc_extended(Max(check->count, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);
	Datum *assets = palloc_extended(Max(check->count, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);
	Datum *days = palloc_extended(Max(check->count, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);
	int count = 0;
	uint64 notes;
	bool isnull;
	Datum args[4];

	SPI_connect();
	if (cec_query_read(check->portfolio->plans, &has_regulations, NULL, NULL) != 1 ||
		!DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)))
	{
		SPI_finish();
		return;
	}
	for (int64 i = 0; i < check->count; i++)
	{
		const CecListRow *row = &check->rows[i];

		if (!row->is_include || (row->outcome != CEC_OUTCOME_INSERT && row->outcome != CEC_OUTCOME_UPDATE))
			continue;
		places[count] = Int64GetDatum(row->place);
		assets[count] = Int64GetDatum(row->asset_id);
		days[count++] = cec_range_of_days(row->days);
	}
	args[0] = Int64GetDatum(check->term_id);
	args[1] = PointerGetDatum(construct_array(places, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	args[2] = PointerGetDatum(construct_array(assets, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	args[3] = PointerGetDatum(construct_array(days, count, DATERANGEOID, -1, false, TYPALIGN_INT));
	notes = cec_query_read(check->portfolio->plans, &regulation_notes, args, NULL);
	for (uint64 i = 0; i < notes; i++)
	{
		HeapTuple note = SPI_tuptable->vals[i];
		int64 place = DatumGetInt64(SPI_getbinval(note, SPI_tuptable->tupdesc, 1, &isnull));
		MemoryContext old = MemoryContextSwitchTo(cxt);

		cec_list_add_to_message(&check->rows[place - 1], SPI_getvalue(note, SPI_tuptable->tupdesc, 2));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
}

/* Finds whether more lines would be ended than may be. */
static void
weigh_endings(CecImport *import, Datum fraction)
{
	Datum most = DirectFunctionCall2(numeric_mul, fraction, NumericGetDatum(int64_to_numeric(import->running)));

	import->is_excessive =
		DatumGetBool(DirectFunctionCall2(numeric_gt, NumericGetDatum(int64_to_numeric(import->ending_count)), most));
}

static char *
excess_in_words(const CecImport *import, Datum fraction)
{
	return psprintf(INT64_FORMAT " of " INT64_FORMAT
								 " lines that run today or later would be ended, and the most is a share of %s",
					import->ending_count, import->running, DatumGetCString(DirectFunctionCall1(numeric_out, fraction)));
}

/* Finds what becomes of the rows, and which lines end. */
static void
decide(CecImport *import, Jsonb *rows, bool ends_missing, bool writes)
{
	Snapshot snapshot;

	snapshot = writes ? cec_latest_snapshot() : RegisterSnapshot(GetActiveSnapshot());
	PushActiveSnapshot(snapshot);
	cec_list_check_begin(&import->check, import->check.portfolio, import->check.term_id, rows);
	if (writes)
		cec_progress_tell("import", 0, import->check.count);
	cec_list_find_assets(&import->check, snapshot);
	if (ends_missing)
		cec_import_find_endings(import, snapshot);
	if (writes)
		snapshot = lock_found(import, snapshot, ends_missing);
	cec_list_find_outcomes(&import->check, snapshot);
	add_regulation_notes(&import->check);
	PopActiveSnapshot();
	UnregisterSnapshot(snapshot);
}

/* Writes the row of the run, as the owner. */
static void
record_run(const CecImport *import, TimestampTz started_at)
{
	Datum args[10];
	CecActAs act;

	args[0] = Int64GetDatum(import->check.term_id);
	args[1] = CStringGetTextDatum(import->mode);
	args[2] = TimestampTzGetDatum(started_at);
	args[3] = Int64GetDatum(import->check.count);
	args[4] = Int64GetDatum(import->is_written ? cec_import_count(import, CEC_OUTCOME_INSERT) : 0);
	args[5] = Int64GetDatum(import->is_written ? cec_import_count(import, CEC_OUTCOME_UPDATE) : 0);
	args[6] = Int64GetDatum(cec_import_count(import, CEC_OUTCOME_UNCHANGED));
	args[7] = Int64GetDatum(cec_import_count(import, CEC_OUTCOME_DUPLICATE));
	args[8] = Int64GetDatum(cec_import_count(import, CEC_OUTCOME_REFUSED));
	args[9] = Int64GetDatum(import->is_written ? import->ending_count : 0);
	cec_portfolio_act(&act, import->check.portfolio);
	SPI_connect();
	cec_query_run(import->check.portfolio->plans, &add_run, args, NULL, 0);
	SPI_finish();
	cec_act_as_self(&act);
}

static void
put_endings(const CecImport *import, ReturnSetInfo *result, const char *excess)
{
	for (int64 i = 0; i < import->ending_count; i++)
	{
		const CecEnding *ending = &import->endings[i];
		char *message = psprintf("the line is there %s; %s", cec_days_in_words(ending->days),
								 cec_ending_is_deleted(import, ending) ? "it has not begun and is deleted"
																	   : "its last day is today");
		Datum values[IMPORT_COLUMNS] = {0};
		bool isnull[IMPORT_COLUMNS] = {true, false, false, true, true, false, false, true, false};

		if (excess != NULL)
		{
			message = psprintf("%s; %s", message, excess);
			isnull[3] = isnull[4] = false;
			values[3] = CStringGetTextDatum(unpack_sql_state(ERRCODE_CHECK_VIOLATION));
			values[4] = CStringGetTextDatum("inclusion_end_fraction");
		}
		values[1] = CStringGetTextDatum(ending->tag);
		values[2] = CStringGetTextDatum("end");
		values[5] = CStringGetTextDatum(message);
		values[6] = Int64GetDatum(ending->asset_id);
		values[8] = BoolGetDatum(import->is_written);
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
}

static void
put_rows(const CecImport *import, ReturnSetInfo *result)
{
	for (int64 i = 0; i < import->check.count; i++)
	{
		const CecListRow *row = &import->check.rows[i];
		Datum values[IMPORT_COLUMNS];
		bool isnull[IMPORT_COLUMNS];

		cec_list_put_row(row, values, isnull);
		values[CEC_LIST_ROW_COLUMNS] = BoolGetDatum(
			import->is_written && (row->outcome == CEC_OUTCOME_INSERT || row->outcome == CEC_OUTCOME_UPDATE));
		isnull[CEC_LIST_ROW_COLUMNS] = false;
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
}

/* cec._import_inclusions(portfolio, term_id, rows, mode, missing, max_end_fraction, requested_at) */
Datum
cec_import_inclusions(PG_FUNCTION_ARGS)
{
	TimestampTz started_at = GetCurrentTimestamp();
	CecImport import = {0};
	char *missing;
	bool ends_missing;
	bool writes;
	char *excess = NULL;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	cec_portfolio_pin();
	import.check.portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	require_right(import.check.portfolio);
	take_arguments(&import, fcinfo, &missing);
	import.check.term_id = PG_GETARG_INT64(1);
	ends_missing = strcmp(missing, "end") == 0;
	writes = !is_mode(&import, "check");
	if (writes)
		cec_portfolio_lock_gate(PG_GETARG_OID(0), RowExclusiveLock);
	decide(&import, PG_GETARG_JSONB_P(2), ends_missing, writes);
	if (ends_missing)
		weigh_endings(&import, PG_GETARG_DATUM(5));
	if (import.is_excessive)
		excess = excess_in_words(&import, PG_GETARG_DATUM(5));
	if (writes && (is_mode(&import, "valid_only") || cec_import_count(&import, CEC_OUTCOME_REFUSED) == 0))
	{
		if (import.is_excessive)
			ereport(
				ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION), errmsg("too many list lines would be ended"),
				 errdetail_internal("%s.", excess),
				 errhint("Is it the whole list? If so, give a larger max_end_fraction; mode check tells the lines."),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "inclusion_end_fraction")));
		cec_import_write(&import);
	}
	if (writes)
	{
		record_run(&import, started_at);
		cec_progress_end();
	}
	cec_portfolio_unpin();
	put_rows(&import, (ReturnSetInfo *) fcinfo->resultinfo);
	put_endings(&import, (ReturnSetInfo *) fcinfo->resultinfo, excess);
	return (Datum) 0;
}
