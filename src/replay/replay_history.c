/*
 * replay_history.c
 *		cec._verify_history: whether cover was ever other than coverage, coverage_history and rule_effect tell.
 *
 * No definition is run again.  Each entry of the log says which rows came and went, so folding the entries of an asset
 * gives what the tables must hold of it, with all times (replay_history_fold.c).  It trusts the log; whether the log is what
 * it was is verify_audit's question.
 *
 * Log and tables are read once; what they say is sorted by asset, on disk where it is much, and judged asset by asset.  So
 * memory grows with what there is of one asset, not with the log.
 *
 * Locks: as readers take them, on the four tables, to the end of the transaction.  One snapshot, taken after the locks.
 * Acts as the owner; the caller must be allowed to read all four.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "audit/audit_delta.h"
#include "audit/audit_scan.h"
#include "replay/replay_history.h"
#include "support/act_as.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_verify_history);

static const CecQuery log_deltas = {
	"SELECT audit_id::bigint, xid::xid8, system_id::bigint, at::timestamptz, delta::bytea FROM @P@.audit_log"
	" WHERE delta IS NOT NULL",
	0,
	{0},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = {INT8OID, XID8OID, INT8OID, TIMESTAMPTZOID, BYTEAOID}};

#define ROW_TYPES \
	{ \
		INT8OID, INT8OID, DATEOID, DATEOID, TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID, BOOLOID, BOOLOID \
	}

/* Each: asset, term or rule, first day, day after the last, since when, until when, grounds. */
static const CecQuery coverage_rows = {
	"SELECT asset_id::bigint, term_id::bigint, lower(during::daterange), upper(during::daterange), recorded_at::timestamptz,"
	" recorded_at::timestamptz, is_stated::boolean, is_ruled::boolean, is_inherited::boolean FROM @P@.coverage",
	0,
	{0},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = ROW_TYPES};

static const CecQuery past_rows = {
	"SELECT asset_id::bigint, term_id::bigint, lower(during::daterange), upper(during::daterange),"
	/* Half-open, as the engine writes it: a bound that was moved in or out is another instant. */
	" lower(recorded::tstzrange) + CASE WHEN lower_inc(recorded) THEN interval '0' ELSE interval '1 microsecond' END,"
	" upper(recorded::tstzrange) + CASE WHEN upper_inc(recorded) THEN interval '1 microsecond' ELSE interval '0' END,"
	" is_stated::boolean, is_ruled::boolean, is_inherited::boolean FROM @P@.coverage_history",
	0,
	{0},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = ROW_TYPES};

static const CecQuery effect_rows = {
	"SELECT asset_id::bigint, rule_id::bigint, lower(during::daterange), upper(during::daterange), recorded_at::timestamptz,"
	" recorded_at::timestamptz, false, false, false FROM @P@.rule_effect",
	0,
	{0},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = ROW_TYPES};

typedef struct History
{
	CecPortfolio *portfolio;
	ReturnSetInfo *result;
	Tuplesortstate *sort; /* asset, item as bytes */
	TupleTableSlot *in;
	TupleTableSlot *out;
	CecHistorySource source; /* of the rows being read */
	CecIds systems;			 /* that the log names */
	MemoryContext cxt;
	union
	{
		bytea header;
		char space[VARHDRSZ + sizeof(CecHistoryItem)];
	} bytes;
} History;

static void
put(History *history, int64 asset_id, const CecHistoryItem *item)
{
	ExecClearTuple(history->in);
	history->in->tts_values[0] = Int64GetDatum(asset_id);
	memcpy(VARDATA(&history->bytes.header), item, sizeof(CecHistoryItem));
	history->in->tts_values[1] = PointerGetDatum(&history->bytes.header);
	ExecStoreVirtualTuple(history->in);
	tuplesort_puttupleslot(history->sort, history->in);
}

static int16
number_system(History *history, int64 system_id)
{
	MemoryContext old;
	int16 number = 0;

	while (number < history->systems.count && history->systems.ids[number] != system_id)
		number++;
	if (number < history->systems.count || number == PG_INT16_MAX)
		return number;
	old = MemoryContextSwitchTo(history->cxt);
	cec_ids_add(&history->systems, system_id);
	MemoryContextSwitchTo(old);
	return number;
}

/* An entry of the log: its rows one by one. */
static void
take_entry(void *arg, TupleTableSlot *slot)
{
	History *history = arg;
	const Datum *values = slot->tts_values;
	bytea *bytes = DatumGetByteaPP(values[4]);
	CecDeltaReader reader;
	CecHistoryItem item = {0};

	CHECK_FOR_INTERRUPTS();
	item.audit_id = DatumGetInt64(values[0]);
	item.xid = U64FromFullTransactionId(DatumGetFullTransactionId(values[1]));
	item.system = number_system(history, DatumGetInt64(values[2]));
	item.from = DatumGetTimestampTz(values[3]);
	cec_delta_read_begin(&reader, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	while (cec_delta_read(&reader))
	{
		item.source = reader.section == 1 ? CEC_HISTORY_LOGGED_COVER : CEC_HISTORY_LOGGED_DECISION;
		item.subject_id = reader.row.subject_id;
		item.during = reader.row.during;
		item.flags = reader.row.flags;
		item.ordinal++;
		put(history, reader.row.asset_id, &item);
	}
	if (reader.is_damaged)
		cec_history_report(history->result, "UNREADABLE", "audit_log", NULL, NULL, false,
						   psprintf("The delta of entry " INT64_FORMAT " is damaged.", item.audit_id));
}

/* A row of one of the tables; what is NULL there stands for nothing that the engine writes. */
static void
take_row(void *arg, TupleTableSlot *slot)
{
	History *history = arg;
	const Datum *values = slot->tts_values;
	const bool *isnull = slot->tts_isnull;
	CecHistoryItem item = {0};

	CHECK_FOR_INTERRUPTS();
	item.source = history->source;
	item.subject_id = isnull[1] ? 0 : DatumGetInt64(values[1]);
	item.during.from = isnull[2] ? CEC_DAY_MIN : DatumGetDateADT(values[2]);
	item.during.to = isnull[3] ? CEC_DAY_MAX : DatumGetDateADT(values[3]);
	item.from = isnull[4] ? DT_NOBEGIN : DatumGetTimestampTz(values[4]);
	if (history->source == CEC_HISTORY_PAST)
		item.to = isnull[5] ? DT_NOEND : DatumGetTimestampTz(values[5]);
	for (int i = 0; i < 3; i++)
		if (!isnull[6 + i] && DatumGetBool(values[6 + i]))
			item.flags |= CEC_DELTA_STATED << i;
	put(history, isnull[0] ? 0 : DatumGetInt64(values[0]), &item);
}

static void
begin_sort(History *history)
{
	TupleDesc desc = CreateTemplateTupleDesc(2);
	AttrNumber key = 1;
	Oid order = Int8LessOperator;
	Oid collation = InvalidOid;
	bool nulls_first = false;

	TupleDescInitEntry(desc, 1, NULL, INT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, NULL, BYTEAOID, -1, 0);
	history->sort =
		tuplesort_begin_heap(desc, 1, &key, &order, &collation, &nulls_first, work_mem, NULL, TUPLESORT_NONE);
	history->in = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	history->out = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	memset(history->in->tts_isnull, false, 2 * sizeof(bool));
	SET_VARSIZE(&history->bytes.header, sizeof(history->bytes));
}

static void
read_all(History *history)
{
	static const struct
	{
		CecHistorySource source;
		const CecQuery *query;
	} tables[] = {
		{CEC_HISTORY_COVERAGE, &coverage_rows}, {CEC_HISTORY_PAST, &past_rows}, {CEC_HISTORY_EFFECT, &effect_rows}};

	cec_query_stream(history->portfolio->plans, &log_deltas, NULL, take_entry, history);
	for (int i = 0; i < (int) lengthof(tables); i++)
	{
		history->source = tables[i].source;
		cec_query_stream(history->portfolio->plans, tables[i].query, NULL, take_row, history);
	}
}

static void
judge(CecHistoryAsset *asset, MemoryContext cxt)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);

	cec_history_judge(asset);
	MemoryContextSwitchTo(old);
	MemoryContextReset(cxt);
}

static void
judge_all(History *history)
{
	CecHistoryAsset *asset = palloc0(sizeof(CecHistoryAsset));
	MemoryContext report_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec history report", ALLOCSET_SMALL_SIZES);
	CecHistoryItem none = {0};
	bool any = false;

	asset->result = history->result;
	/* These two grow while an asset is judged, in memory that goes with the asset, unless they began here. */
	cec_history_add(&asset->live, &none);
	cec_history_add(&asset->past, &none);
	tuplesort_performsort(history->sort);
	while (tuplesort_gettupleslot(history->sort, true, false, history->out, NULL))
	{
		CecHistoryItem item;
		int64 asset_id;

		slot_getallattrs(history->out);
		asset_id = DatumGetInt64(history->out->tts_values[0]);
		memcpy(&item, VARDATA_ANY(DatumGetPointer(history->out->tts_values[1])), sizeof(CecHistoryItem));
		if (any && asset_id != asset->asset_id)
		{
			judge(asset, report_cxt);
			CHECK_FOR_INTERRUPTS();
		}
		asset->asset_id = asset_id;
		any = true;
		cec_history_add(&asset->of[item.source], &item);
	}
	if (any)
		judge(asset, report_cxt);
	MemoryContextDelete(report_cxt);
	ExecDropSingleTupleTableSlot(history->in);
	ExecDropSingleTupleTableSlot(history->out);
	tuplesort_end(history->sort);
}

/* Locks the tables, which the caller must be allowed to read. */
static void
lock_tables(CecPortfolio *portfolio)
{
	static const char *const tables[] = {"audit_log", "coverage", "coverage_history", "rule_effect"};

	for (int i = 0; i < (int) lengthof(tables); i++)
	{
		if (!cec_may_read_all(GetUserId(), cec_portfolio_table(portfolio, tables[i])))
			aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, tables[i]);
		table_close(cec_portfolio_open(portfolio, tables[i], AccessShareLock), NoLock);
	}
}

/* cec._verify_history(portfolio): rows (kind, table_name, asset_id, term_id, rule_id, first_day, last_day, detail). */
Datum
cec_verify_history(PG_FUNCTION_ARGS)
{
	History *history = palloc0(sizeof(History));
	CecActAs act;

	cec_audit_require_read_committed("verify_history");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	history->result = (ReturnSetInfo *) fcinfo->resultinfo;
	history->cxt = CurrentMemoryContext;
	cec_portfolio_pin();
	history->portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	lock_tables(history->portfolio);
	cec_portfolio_act(&act, history->portfolio);
	begin_sort(history);
	SPI_connect();
	PushActiveSnapshot(GetLatestSnapshot());
	read_all(history);
	PopActiveSnapshot();
	SPI_finish();
	judge_all(history);
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	return (Datum) 0;
}
