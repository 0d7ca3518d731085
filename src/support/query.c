/*
 * query.c
 *		Runs queries over the tables of one schema by plans that are prepared once and kept.
 *
 * The caller holds the SPI connection, because it reads SPI_tuptable before it finishes.  Every query runs with the
 * latest snapshot, so that after a lock was waited for it sees what the other transaction committed, at any
 * isolation level; this is how the server's own foreign keys read (ri_triggers.c).
 *
 * What is asked for with CURSOR_OPT_GENERIC_PLAN reads few rows of large tables, and its plan is kept while they grow.  So it is
 * planned as if all tables were large, whatever they hold at the time and whatever is known of them: tables are visited
 * in the order of the text, each by look-ups in an index.  Left to its estimates, the planner reads the whole of a table
 * that was never analyzed, or that was empty when the session first asked.
 *
 * A plan lives until its CecPlans is freed.  CecPlans belongs to a cache entry
 * (portfolio_cache.c) that is dropped when the schema is renamed or one of its tables changes.
 */
#include "postgres.h"

#include "init.h"
#include "access/htup_details.h"
#include "access/transam.h"
#include "jit/jit.h"
#include "nodes/params.h"
#include "optimizer/cost.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "optimizer/planmain.h"
#include "optimizer/planner.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

#include "support/act_as.h"
#include "support/compat.h"
#include "support/query.h"

/* The size that tables are taken to have where look-ups are planned. */
#define LARGE_TUPLES 1e8
#define LARGE_PAGES 4000000

/* What a recursive query is begun for. */
#define FEW_GROUPS 64

static planner_hook_type next_planner = NULL;
static get_relation_info_hook_type next_relation_info = NULL;
static bool plans_lookups = false; /* the query that is being planned is one of look-ups */

struct CecPlans
{
	MemoryContext cxt;
	Oid nspid;
	char *quoted_schema;
	HTAB *table;
};

/* A plan that was made for the owner is never run for a caller: what may run in it was looked at for one of them. */
typedef struct PlanKey
{
	const CecQuery *query;
	uintptr_t for_caller;
} PlanKey;

typedef struct PlanEntry
{
	PlanKey key;
	SPIPlanPtr plan;
} PlanEntry;

/* Gives a table and its indexes the size that look-ups are planned for. */
static void
take_for_large(PlannerInfo *root, Oid relid, bool inhparent, RelOptInfo *rel)
{
	ListCell *cell;

	if (next_relation_info != NULL)
		next_relation_info(root, relid, inhparent, rel);
	if (!plans_lookups || inhparent)
		return;
	rel->pages = LARGE_PAGES;
	rel->tuples = LARGE_TUPLES;
	foreach (cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, cell);

		index->pages = LARGE_PAGES / 8;
		index->tuples = LARGE_TUPLES;
		index->tree_height = 3;
	}
}

/* Plans as if this planner were not here. */
static PlannedStmt *
plan_on(Query *parse, const char *text, int cursor_options, ParamListInfo params)
{
	planner_hook_type plan = next_planner != NULL ? next_planner : standard_planner;

	return plan(parse, text, cursor_options, params);
}

/* To compile the many expressions of a view of findings takes seconds, and gains none. */
static PlannedStmt *
plan_without_jit(Query *parse, const char *text, int cursor_options, ParamListInfo params)
{
	bool jit = jit_enabled;
	PlannedStmt *result;

	PG_TRY();
	{
		jit_enabled = false;
		result = plan_on(parse, text, cursor_options, params);
	}
	PG_FINALLY();
	{
		jit_enabled = jit;
	}
	PG_END_TRY();
	return result;
}

/* Hash tables grow; one made for what a large table might hold is written whole before the first look-up. */
static void
expect_few(PlannedStmt *planned)
{
	ListCell *cell;

	foreach (cell, planned->subplans)
	{
		RecursiveUnion *plan = lfirst(cell);

		if (plan != NULL && IsA(plan, RecursiveUnion))
			plan->numGroups = Min(plan->numGroups, FEW_GROUPS);
	}
}

/*
 * Plans a query of the engine that asks for a generic plan as look-ups, and any other as it would be.  A kept plan that is
 * made anew comes by here, too.  No joins but nested loops, in the order of the text; groups by sorting; no JIT, which a large table's costs
 * would ask for.
 */
static PlannedStmt *
plan_query(Query *parse, const char *text, int cursor_options, ParamListInfo params)
{
	bool lookups_before = plans_lookups;
	bool seqscan = enable_seqscan;
	bool hashjoin = enable_hashjoin;
	bool mergejoin = enable_mergejoin;
	bool nestloop = enable_nestloop;
	bool indexscan = enable_indexscan;
	bool material = enable_material;
	bool memoize = enable_memoize;
	bool hashagg = enable_hashagg;
	bool jit = jit_enabled;
	int collapse = join_collapse_limit;
	PlannedStmt *result;

	if (text == NULL || strncmp(text, CEC_QUERY_MARK, strlen(CEC_QUERY_MARK)) != 0)
		return plan_on(parse, text, cursor_options, params);
	if ((cursor_options & CURSOR_OPT_GENERIC_PLAN) == 0)
		return plan_without_jit(parse, text, cursor_options, params);
	PG_TRY();
	{
		plans_lookups = true;
		enable_seqscan = enable_hashjoin = enable_mergejoin = enable_material = enable_memoize = enable_hashagg =
			jit_enabled = false;
		enable_nestloop = enable_indexscan = true;
		join_collapse_limit = 1;
		result = plan_on(parse, text, cursor_options, params);
		expect_few(result);
	}
	PG_FINALLY();
	{
		plans_lookups = lookups_before;
		enable_seqscan = seqscan;
		enable_hashjoin = hashjoin;
		enable_mergejoin = mergejoin;
		enable_nestloop = nestloop;
		enable_indexscan = indexscan;
		enable_material = material;
		enable_memoize = memoize;
		enable_hashagg = hashagg;
		jit_enabled = jit;
		join_collapse_limit = collapse;
	}
	PG_END_TRY();
	return result;
}

/* Plans look-ups from here on; called once when the library is loaded. */
void
cec_query_init(void)
{
	next_planner = planner_hook;
	planner_hook = plan_query;
	next_relation_info = get_relation_info_hook;
	get_relation_info_hook = take_for_large;
}

/* Makes an empty set of plans in cxt, over the tables of a schema. */
CecPlans *
cec_plans_create(MemoryContext cxt, Oid nspid, const char *quoted_schema)
{
	CecPlans *plans = MemoryContextAllocZero(cxt, sizeof(CecPlans));
	HASHCTL ctl = {0};

	plans->cxt = cxt;
	plans->nspid = nspid;
	plans->quoted_schema = MemoryContextStrdup(cxt, quoted_schema);
	ctl.keysize = sizeof(PlanKey);
	ctl.entrysize = sizeof(PlanEntry);
	ctl.hcxt = cxt;
	plans->table = hash_create("cec plans", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return plans;
}

/* Frees the plans; the memory of the set itself goes with its context. */
void
cec_plans_free(CecPlans *plans)
{
	HASH_SEQ_STATUS status;
	PlanEntry *entry;

	hash_seq_init(&status, plans->table);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->plan != NULL)
			SPI_freeplan(entry->plan);
		entry->plan = NULL;
	}
}

/* The text of a query as it is run: marked for the schema, whose quoted name stands in the place of every "@P@", and its oid of "@O@". */
char *
cec_query_text(Oid nspid, const char *quoted_schema, const char *text)
{
	StringInfoData buf;
	const char *from = text;
	const char *hit;

	initStringInfo(&buf);
	appendStringInfo(&buf, CEC_QUERY_MARK "%u */ ", nspid);
	while ((hit = strchr(from, '@')) != NULL)
	{
		appendBinaryStringInfo(&buf, from, hit - from);
		from = hit + 3;
		if (strncmp(hit, "@P@", 3) == 0)
			appendStringInfoString(&buf, quoted_schema);
		else if (strncmp(hit, "@O@", 3) == 0)
			appendStringInfo(&buf, "%u", nspid);
		else
		{
			appendStringInfoChar(&buf, '@');
			from = hit + 1;
		}
	}
	appendStringInfoString(&buf, from);
	return buf.data;
}

/* The columns must have the types that the code reads them by: what is declared once is compared once. */
static void
check_results(SPIPlanPtr plan, const CecQuery *query)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));
	int natts = source->resultDesc == NULL ? 0 : source->resultDesc->natts;

	for (int i = 0; i < CEC_QUERY_MAX_RESULTS; i++)
	{
		Oid type = i < natts ? TupleDescAttr(source->resultDesc, i)->atttypid : InvalidOid;

		if (query->results[i] == CEC_GEOMETRY_RESULT ? get_typisdefined(type) && type < FirstNormalObjectId
													 : query->results[i] != type)
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							errmsg("a query of the engine returns type %s in column %d",
								   OidIsValid(type) ? format_type_be(type) : "none", i + 1),
							errdetail_internal("%s", query->text),
							errhint("Restore the columns that cec.create_portfolio made.")));
	}
}

/*
 * The kept plan of a query, prepared now if there is none.  One that no longer holds is kept too: the plan cache makes
 * it anew from the text, which names what it named before, and a statement further up the stack may be running it.
 */
static SPIPlanPtr
get_plan(CecPlans *plans, const CecQuery *query, bool for_caller)
{
	bool found;
	PlanKey key = {query, for_caller};
	PlanEntry *entry = hash_search(plans->table, &key, HASH_ENTER, &found);
	SPIPlanPtr plan;

	if (!found)
		entry->plan = NULL;
	if (entry->plan != NULL)
		return entry->plan;

	plan = SPI_prepare_cursor(cec_query_text(plans->nspid, plans->quoted_schema, query->text), query->nargs,
							  (Oid *) query->argtypes, query->cursor_options);
	if (plan == NULL)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
	check_results(plan, query);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep a plan");
	entry->plan = plan;
	return plan;
}

/*
 * Runs a query with the latest snapshot inside the caller's SPI connection and returns the number of rows processed;
 * the rows themselves are in SPI_tuptable.  nulls as in SPI_execute_plan; limit 0 means all rows.
 */
uint64
cec_query_run(CecPlans *plans, const CecQuery *query, Datum *args, const char *nulls, long limit)
{
	SPIPlanPtr plan = get_plan(plans, query, false);
	int result;

	CommandCounterIncrement();
	result = SPI_execute_snapshot(plan, args, nulls, GetLatestSnapshot(),
								  IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : InvalidSnapshot, false, true,
								  limit);
	if (result < 0)
		elog(ERROR, "could not run a query: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/* The same with a snapshot of the caller's, by which also what was written since is not seen. */
uint64
cec_query_run_at(CecPlans *plans, const CecQuery *query, Datum *args, const char *nulls, Snapshot snapshot)
{
	int result =
		SPI_execute_snapshot(get_plan(plans, query, false), args, nulls, snapshot, InvalidSnapshot, false, true, 0);

	if (result < 0)
		elog(ERROR, "could not run a query: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/*
 * Runs a query that is planned for this once, since it reads relations of the SPI connection, whose size decides how.  It sees what a
 * statement of the caller would.
 */
uint64
cec_query_once(CecPlans *plans, const char *text, int nargs, Oid *argtypes, Datum *args, const char *nulls)
{
	int result = SPI_execute_with_args(cec_query_text(plans->nspid, plans->quoted_schema, text), nargs, argtypes, args,
									   nulls, false, 0);

	if (result < 0)
		elog(ERROR, "could not run a query: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/*
 * Runs a query whose first column is a bigint key, in an SPI connection of its own, and adds the keys to a list in the
 * current memory context.
 */
void
cec_query_ids(CecPlans *plans, const CecQuery *query, Datum *args, CecIds *ids)
{
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	uint64 rows;

	SPI_connect();
	rows = cec_query_run(plans, query, args, NULL, 0);
	old = MemoryContextSwitchTo(cxt);
	for (uint64 i = 0; i < rows; i++)
	{
		bool isnull;

		cec_ids_add(ids, DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull)));
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
}

/*
 * Runs a query that only reads, for a question of the caller's: with the snapshot of the caller's statement, and the
 * caller's rights.
 */
uint64
cec_query_read(CecPlans *plans, const CecQuery *query, Datum *args, const char *nulls)
{
	CecActAs act;
	int result;

	cec_act_restricted(&act);
	result = SPI_execute_plan(get_plan(plans, query, true), args, nulls, true, 0);
	if (result < 0)
		elog(ERROR, "could not run a query: %s", SPI_result_code_string(result));
	cec_act_as_self(&act);
	return SPI_processed;
}

/*
 * Runs a query that writes for the caller, with the latest snapshot and the caller's rights, as a statement of his own; the caller of
 * this has pinned the search_path.  Its plan is not kept: what may run in it is looked at for whoever asks.
 */
uint64
cec_query_write(CecPlans *plans, const CecQuery *query, Datum *args, const char *nulls)
{
	SPIPlanPtr plan = SPI_prepare_cursor(cec_query_text(plans->nspid, plans->quoted_schema, query->text), query->nargs,
										 (Oid *) query->argtypes, query->cursor_options);
	int result;

	if (plan == NULL)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
	check_results(plan, query);
	CommandCounterIncrement();
	result =
		SPI_execute_snapshot(plan, args, nulls, GetLatestSnapshot(),
							 IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : InvalidSnapshot, false, true, 0);
	if (result < 0)
		elog(ERROR, "could not run a query: %s", SPI_result_code_string(result));
	SPI_freeplan(plan);
	return SPI_processed;
}

typedef struct RowReceiver
{
	DestReceiver receiver; /* must be first */
	CecRowTaker take;
	void *arg;
	MemoryContext row_cxt;
} RowReceiver;

static bool
take_row(TupleTableSlot *row, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(receiver->row_cxt);

	slot_getallattrs(row);
	receiver->take(receiver->arg, row);
	MemoryContextSwitchTo(old);
	MemoryContextReset(receiver->row_cxt);
	return true;
}

static void
start_rows(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
end_rows(DestReceiver *self)
{
}

/*
 * Runs a query that only reads, with the active snapshot, and hands over its rows one by one, deformed, in a memory
 * context that is reset after each: nothing is gathered, however many they are.  No argument is NULL.
 */
void
cec_query_stream(CecPlans *plans, const CecQuery *query, Datum *args, CecRowTaker take, void *arg)
{
	SPIExecuteOptions options = {0};
	RowReceiver receiver = {{take_row, start_rows, end_rows, end_rows, DestNone}, take, arg, NULL};
	int result;

	receiver.row_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec row", ALLOCSET_DEFAULT_SIZES);
	options.read_only = true;
	options.dest = &receiver.receiver;
	options.params = makeParamList(query->nargs);
	for (int i = 0; i < query->nargs; i++)
		options.params->params[i] = (ParamExternData){args[i], false, PARAM_FLAG_CONST, query->argtypes[i]};
	result = SPI_execute_plan_extended(get_plan(plans, query, false), &options);
	if (result < 0)
		elog(ERROR, "could not run a query: %s", SPI_result_code_string(result));
	MemoryContextDelete(receiver.row_cxt);
}

#define CURSOR_ROWS 64

/* Opens a query that only reads, with the active snapshot, inside the caller's SPI connection.  No argument is NULL. */
void
cec_cursor_open(CecCursor *cursor, CecPlans *plans, const CecQuery *query, Datum *args)
{
	cursor->portal = SPI_cursor_open(NULL, get_plan(plans, query, false), args, NULL, true);
	cursor->rows = NULL;
	cursor->at = 0;
}

/* The values of the next row, which stay until the next call; false after the last. */
bool
cec_cursor_next(CecCursor *cursor, Datum *values, bool *isnull)
{
	if (cursor->rows == NULL || cursor->at == cursor->rows->numvals)
	{
		MemoryContext old = CurrentMemoryContext;

		if (cursor->rows != NULL)
			SPI_freetuptable(cursor->rows);
		SPI_cursor_fetch(cursor->portal, true, CURSOR_ROWS);
		MemoryContextSwitchTo(old); /* that of the connection is the current one behind a fetch */
		cursor->rows = SPI_tuptable;
		cursor->at = 0;
		if (cursor->rows->numvals == 0)
			return false;
	}
	heap_deform_tuple(cursor->rows->vals[cursor->at++], cursor->rows->tupdesc, values, isnull);
	return true;
}

/* Lets go of it. */
void
cec_cursor_close(CecCursor *cursor)
{
	if (cursor->rows != NULL)
		SPI_freetuptable(cursor->rows);
	SPI_cursor_close(cursor->portal);
}

/*
 * The latest snapshot, which also shows all that this transaction has done, registered: for reading without a query.  The
 * caller unregisters it.
 */
Snapshot
cec_latest_snapshot(void)
{
	CommandCounterIncrement();
	return RegisterSnapshot(GetLatestSnapshot());
}
