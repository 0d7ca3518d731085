/*
 * inclusion_resolve.c
 *		Finds the asset of a list line that gives an identifier in the place of asset_id.
 *
 * A BEFORE ROW trigger, so that plain INSERT and COPY can list tags.  A line that cannot be resolved is taken out of
 * the statement and remembered, and the AFTER STATEMENT trigger refuses the statement with all such lines together:
 * the account manager sees every wrong line at once, and not one a try.
 *
 * A line waits for the lock of its asset only when the asset is known.  Another session may meanwhile have given the
 * identifier to another asset, so once the locks are held the lines that were resolved are resolved again, if any
 * transaction has ended since, and the statement is refused with 40001 where another asset is found.
 *
 * What is remembered belongs to one statement: it is kept under table, trigger depth and subtransaction, and goes when
 * that subtransaction aborts.  It lives in TopTransactionContext.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "act_as.h"
#include "column.h"
#include "day_set.h"
#include "inclusion_resolve.h"
#include "portfolio_cache.h"
#include "probe.h"

PG_FUNCTION_INFO_V1(cec_resolve_listed_as);
PG_FUNCTION_INFO_V1(cec_keep_listed_asset);

/* A line whose asset was filled in. */
typedef struct Resolved
{
	int64 asset_id;
	uint32 hash; /* of listed_as */
} Resolved;

typedef struct Statement
{
	Oid relid;
	int depth;
	SubTransactionId subid;
	int64 arrived;	  /* lines that came by */
	List *unresolved; /* of CecUnresolved, in the order of their places */
	/* As its first line was resolved; as long as these stay what they are no transaction has ended. */
	TransactionId xmax;
	uint32 xcnt;
	Resolved *resolved;
	int64 resolved_count;
	int64 resolved_space;
} Statement;

static List *statements = NIL; /* of Statement */

static const CecQuery count_lines = {
	"SELECT count(*), (SELECT asset_tag FROM @P@.asset WHERE asset_id = $1) FROM @P@.inclusion WHERE asset_id = $1",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, TEXTOID}};

static void
forget_subtransaction(SubXactEvent event, SubTransactionId subid, SubTransactionId parent, void *arg)
{
	ListCell *cell;

	if (event == SUBXACT_EVENT_ABORT_SUB)
		foreach (cell, statements)
		{
			if (((Statement *) lfirst(cell))->subid == subid)
				statements = foreach_delete_current(statements, cell);
		}
}

static void
forget_transaction(XactEvent event, void *arg)
{
	/* The memory goes with the transaction. */
	statements = NIL;
}

/* Registers with the transaction machinery; called once when the library is loaded. */
void
cec_inclusion_resolve_init(void)
{
	RegisterSubXactCallback(forget_subtransaction, NULL);
	RegisterXactCallback(forget_transaction, NULL);
}

static int
trigger_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

static Statement *
find_statement(Oid relid)
{
	int depth = trigger_depth();
	SubTransactionId subid = GetCurrentSubTransactionId();
	ListCell *cell;

	foreach (cell, statements)
	{
		Statement *statement = lfirst(cell);

		if (statement->relid == relid && statement->depth == depth && statement->subid == subid)
			return statement;
	}
	return NULL;
}

/* The running statement's entry, made if there is none; in TopTransactionContext, which is current. */
static Statement *
get_statement(Oid relid)
{
	Statement *statement = find_statement(relid);

	if (statement == NULL)
	{
		statement = palloc0(sizeof(Statement));
		statement->relid = relid;
		statement->depth = trigger_depth();
		statement->subid = GetCurrentSubTransactionId();
		statements = lappend(statements, statement);
	}
	return statement;
}

/* Counts a line of the running statement. */
static int64
count_line(Oid relid)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Statement *statement = get_statement(relid);

	MemoryContextSwitchTo(old);
	return ++statement->arrived;
}

static void
remember_unresolved(Oid relid, const CecUnresolved *unresolved)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Statement *statement = get_statement(relid);
	CecUnresolved *line = palloc(sizeof(CecUnresolved));

	*line = *unresolved;
	line->listed_as = pstrdup(unresolved->listed_as);
	statement->unresolved = lappend(statement->unresolved, line);
	MemoryContextSwitchTo(old);
}

static Resolved
make_resolved(int64 asset_id, Datum listed_as)
{
	text *name = DatumGetTextPP(listed_as);

	return (Resolved){asset_id, hash_bytes((const unsigned char *) VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name))};
}

static int
compare_resolved(const void *one, const void *other)
{
	const Resolved *a = one;
	const Resolved *b = other;

	if (a->asset_id != b->asset_id)
		return a->asset_id < b->asset_id ? -1 : 1;
	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static void
remember_resolved(Oid relid, int64 asset_id, Datum listed_as, TransactionId xmax, uint32 xcnt)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Statement *statement = get_statement(relid);

	if (statement->resolved_count == 0)
	{
		statement->xmax = xmax;
		statement->xcnt = xcnt;
	}
	if (statement->resolved_count == statement->resolved_space)
	{
		statement->resolved_space = statement->resolved_space == 0 ? 4 : statement->resolved_space * 2;
		statement->resolved = statement->resolved == NULL
								  ? palloc(statement->resolved_space * sizeof(Resolved))
								  : repalloc_huge(statement->resolved, statement->resolved_space * sizeof(Resolved));
	}
	statement->resolved[statement->resolved_count++] = make_resolved(asset_id, listed_as);
	MemoryContextSwitchTo(old);
}

/* The lines that the running statement could not resolve; all that was remembered of it is forgotten by this. */
List *
cec_inclusion_take_unresolved(Oid relid)
{
	Statement *statement = statements == NIL ? NULL : find_statement(relid);
	List *unresolved;

	if (statement == NULL)
		return NIL;
	statements = list_delete_ptr(statements, statement);
	unresolved = statement->unresolved;
	if (statement->resolved != NULL)
		pfree(statement->resolved);
	pfree(statement);
	return unresolved;
}

/* Adds an asset to what was found; false when that makes it two. */
static bool
add_found(Datum asset_id, int64 *found, int *matches)
{
	if (*matches == 1 && DatumGetInt64(asset_id) == *found)
		return true;
	*found = DatumGetInt64(asset_id);
	return ++*matches == 1;
}

/* Looks an identifier up in a column of asset; false when two assets are found by now. */
static bool
find_in_register(CecPortfolio *portfolio, const char *column, Datum identifier, Snapshot snapshot, int64 *found,
				 int *matches)
{
	CecProbe *probe = cec_probe_begin_text(cec_portfolio_open(portfolio, "asset", AccessShareLock), column, snapshot);
	AttrNumber asset_id = cec_probe_column(probe, "asset_id", INT8OID);
	TupleTableSlot *row;
	bool go_on = true;

	cec_probe_seek_text(probe, identifier);
	while (go_on && (row = cec_probe_next(probe)) != NULL)
		go_on = add_found(row->tts_values[asset_id - 1], found, matches);
	cec_probe_end(probe);
	return go_on;
}

/* The same among the further identifiers, of which only those count that hold on some of the days; NULL: all. */
static void
find_in_identifiers(CecPortfolio *portfolio, Datum identifier, const CecDays *days, Snapshot snapshot, int64 *found,
					int *matches)
{
	CecProbe *probe =
		cec_probe_begin_text(cec_portfolio_open(portfolio, "asset_identifier", AccessShareLock), "value", snapshot);
	AttrNumber asset_id = cec_probe_column(probe, "asset_id", INT8OID);
	AttrNumber during = cec_probe_column(probe, "during", DATERANGEOID);
	TupleTableSlot *row;

	cec_probe_seek_text(probe, identifier);
	while ((row = cec_probe_next(probe)) != NULL)
		if ((days == NULL || cec_days_overlap(cec_days_of_range(row->tts_values[during - 1]), *days)) &&
			!add_found(row->tts_values[asset_id - 1], found, matches))
			break;
	cec_probe_end(probe);
}

/* How many assets an identifier names on the days: none, one, or 2 for several.  found is the one. */
int
cec_inclusion_find_assets(CecPortfolio *portfolio, Datum identifier, const CecDays *days, Snapshot snapshot,
						  int64 *found)
{
	int matches = 0;

	if (find_in_register(portfolio, "asset_tag", identifier, snapshot, found, &matches) &&
		find_in_register(portfolio, "serial_number", identifier, snapshot, found, &matches))
		find_in_identifiers(portfolio, identifier, days, snapshot, found, &matches);
	return matches;
}

/*
 * Makes sure that the lines of the running statement whose asset was filled in still name that asset.  To be called once
 * the assets are locked.  Error: 40001.
 */
void
cec_inclusion_check_names(CecChange *change)
{
	Statement *statement = statements == NIL ? NULL : find_statement(RelationGetRelid(change->rel));
	Snapshot snapshot;
	CecRows rows;
	AttrNumber asset_id;
	AttrNumber listed_as;
	AttrNumber during;

	if (statement == NULL || statement->resolved_count == 0 || change->operation != CEC_INSERT)
		return;
	snapshot = cec_latest_snapshot();
	if (snapshot->xmax == statement->xmax && snapshot->xcnt == statement->xcnt)
	{
		UnregisterSnapshot(snapshot);
		return;
	}
	qsort(statement->resolved, statement->resolved_count, sizeof(Resolved), compare_resolved);
	asset_id = cec_column_require(change->rel, "asset_id", INT8OID);
	listed_as = cec_column_require_nullable(change->rel, "listed_as", TEXTOID);
	during = cec_column_require(change->rel, "during", DATERANGEOID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		TupleTableSlot *row = rows.new_row;
		Resolved resolved;
		CecDays days;
		int64 found = 0;

		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(row);
		if (row->tts_isnull[listed_as - 1])
			continue;
		resolved = make_resolved(DatumGetInt64(row->tts_values[asset_id - 1]), row->tts_values[listed_as - 1]);
		if (bsearch(&resolved, statement->resolved, statement->resolved_count, sizeof(Resolved), compare_resolved) ==
			NULL)
			continue;
		days = cec_days_of_range(row->tts_values[during - 1]);
		if (cec_inclusion_find_assets(change->portfolio, row->tts_values[listed_as - 1], &days, snapshot, &found) !=
				1 ||
			found != resolved.asset_id)
			ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
							errmsg("could not serialize access due to concurrent update"),
							errdetail("\"%.100s\" came to name another asset while the list line waited.",
									  TextDatumGetCString(row->tts_values[listed_as - 1])),
							errhint("The transaction might succeed if retried."), errtable(change->rel)));
	}
	cec_rows_end(&rows);
	UnregisterSnapshot(snapshot);
}

/* cec.resolve_listed_as(): counts a line, and fills its asset_id from listed_as where it has none. */
Datum
cec_resolve_listed_as(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc desc;
	HeapTuple row;
	int asset_id;
	Datum listed_as;
	Datum during;
	CecUnresolved line = {0};
	bool isnull;
	int64 found = 0;
	Datum found_value;
	CecPortfolio *portfolio;
	Snapshot snapshot;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!TRIGGER_FIRED_BEFORE(trigdata->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("cec.resolve_listed_as is a BEFORE INSERT row trigger of asset lists")));
	desc = RelationGetDescr(trigdata->tg_relation);
	row = trigdata->tg_trigtuple;

	line.place = count_line(RelationGetRelid(trigdata->tg_relation));
	asset_id = cec_column_require(trigdata->tg_relation, "asset_id", INT8OID);
	if (!heap_attisnull(row, asset_id, desc))
		return PointerGetDatum(row);
	listed_as =
		SPI_getbinval(row, desc, cec_column_require_nullable(trigdata->tg_relation, "listed_as", TEXTOID), &isnull);
	if (isnull)
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION), errmsg("a list line names no asset"),
						errdetail("Both asset_id and listed_as are NULL."),
						errhint("Give a tag, serial number or other identifier in listed_as."),
						errtablecol(trigdata->tg_relation, asset_id)));
	during = SPI_getbinval(row, desc, cec_column_require(trigdata->tg_relation, "during", DATERANGEOID), &isnull);
	line.has_days = !isnull;
	if (line.has_days)
		line.days = cec_days_of_range(during);

	cec_portfolio_pin();
	portfolio = cec_portfolio_get(RelationGetNamespace(trigdata->tg_relation));
	cec_portfolio_adopt(portfolio, trigdata->tg_relation, "inclusion");
	snapshot = cec_latest_snapshot();
	line.matches = cec_inclusion_find_assets(portfolio, listed_as, line.has_days ? &line.days : NULL, snapshot, &found);
	if (line.matches == 1)
		remember_resolved(RelationGetRelid(trigdata->tg_relation), found, listed_as, snapshot->xmax, snapshot->xcnt);
	UnregisterSnapshot(snapshot);
	cec_portfolio_unpin();

	if (line.matches != 1)
	{
		line.listed_as = TextDatumGetCString(listed_as);
		remember_unresolved(RelationGetRelid(trigdata->tg_relation), &line);
		return PointerGetDatum(NULL);
	}
	found_value = Int64GetDatum(found);
	isnull = false;
	return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, 1, &asset_id, &found_value, &isnull));
}

/* cec.keep_listed_asset(): says, before the foreign key does, why a listed asset stays and what to do instead. */
Datum
cec_keep_listed_asset(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc desc;
	Datum asset_id;
	bool isnull;
	int64 lines = 0;
	char *tag = NULL;
	bool may_read;
	CecActAs act;
	CecPortfolio *portfolio;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!TRIGGER_FIRED_BEFORE(trigdata->tg_event) || !TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("cec.keep_listed_asset is a BEFORE DELETE row trigger of the asset table")));
	desc = RelationGetDescr(trigdata->tg_relation);
	asset_id = SPI_getbinval(trigdata->tg_trigtuple, desc,
							 cec_column_require(trigdata->tg_relation, "asset_id", INT8OID), &isnull);

	cec_portfolio_pin();
	portfolio = cec_portfolio_get(RelationGetNamespace(trigdata->tg_relation));
	cec_portfolio_adopt(portfolio, trigdata->tg_relation, "asset");
	may_read = cec_may_read_all(GetUserId(), RelationGetRelid(trigdata->tg_relation)) &&
			   cec_may_read_all(GetUserId(), cec_portfolio_table(portfolio, "inclusion"));
	cec_portfolio_act(&act, portfolio);
	SPI_connect();
	if (cec_query_run(portfolio->plans, &count_lines, &asset_id, NULL, 0) == 1)
	{
		MemoryContext old = MemoryContextSwitchTo(CurTransactionContext);

		lines = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		if (lines > 0)
			tag = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	cec_act_as_self(&act);
	cec_portfolio_unpin();

	if (lines > 0)
		ereport(ERROR, (errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
						may_read ? errmsg("asset \"%s\" is listed on a contract and cannot be deleted", tag)
								 : errmsg("an asset is listed on a contract and cannot be deleted"),
						may_read ? errdetail("It stands on " INT64_FORMAT " list line(s).", lines) : 0,
						errhint("Retire it: set status to retired and decommissioned_on to its last day of service."),
						errtableconstraint(trigdata->tg_relation, "asset_listed_is_kept")));
	return PointerGetDatum(trigdata->tg_trigtuple);
}
