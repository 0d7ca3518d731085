/*
 * inclusion_resolve.c
 *		Finds the asset of a list line that gives an identifier in the place of asset_id.
 *
 * A BEFORE ROW trigger, so that plain INSERT and COPY can list tags.  A line that cannot be resolved is taken out of
 * the statement and remembered, and the AFTER STATEMENT trigger refuses the statement with all such lines together:
 * the account manager sees every wrong line at once, and not one a try.
 *
 * What is remembered belongs to one statement: it is kept under table, trigger depth and subtransaction, and goes when
 * that subtransaction aborts.  It lives in TopTransactionContext.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
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

typedef struct Statement
{
	Oid relid;
	int depth;
	SubTransactionId subid;
	List *unresolved; /* of CecUnresolved */
} Statement;

static List *statements = NIL; /* of Statement */

static const CecQuery count_lines = {
	"SELECT count(*), (SELECT asset_tag FROM @P@.asset WHERE asset_id = $1) FROM @P@.inclusion WHERE asset_id = $1",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN};

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

static void
remember_unresolved(Oid relid, const char *listed_as, int matches)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Statement *statement = find_statement(relid);
	CecUnresolved *line = palloc(sizeof(CecUnresolved));

	if (statement == NULL)
	{
		statement = palloc(sizeof(Statement));
		*statement = (Statement){relid, trigger_depth(), GetCurrentSubTransactionId(), NIL};
		statements = lappend(statements, statement);
	}
	line->listed_as = pstrdup(listed_as);
	line->matches = matches;
	statement->unresolved = lappend(statement->unresolved, line);
	MemoryContextSwitchTo(old);
}

/* The lines that the running statement could not resolve, which are forgotten by this. */
List *
cec_inclusion_take_unresolved(Oid relid)
{
	Statement *statement = statements == NIL ? NULL : find_statement(relid);

	if (statement == NULL)
		return NIL;
	statements = list_delete_ptr(statements, statement);
	return statement->unresolved;
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
	CecProbe *probe = cec_probe_begin_text(cec_portfolio_relation(portfolio, "asset"), column, snapshot);
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
	CecProbe *probe = cec_probe_begin_text(cec_portfolio_relation(portfolio, "asset_identifier"), "value", snapshot);
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
static int
find_assets(CecPortfolio *portfolio, Datum identifier, const CecDays *days, int64 *found)
{
	Snapshot snapshot = cec_latest_snapshot();
	int matches = 0;

	if (find_in_register(portfolio, "asset_tag", identifier, snapshot, found, &matches) &&
		find_in_register(portfolio, "serial_number", identifier, snapshot, found, &matches))
		find_in_identifiers(portfolio, identifier, days, snapshot, found, &matches);
	UnregisterSnapshot(snapshot);
	return matches;
}

/* cec.resolve_listed_as(): fills asset_id from listed_as. */
Datum
cec_resolve_listed_as(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc desc;
	HeapTuple row;
	int asset_id;
	Datum listed_as;
	Datum during;
	CecDays days;
	bool isnull;
	int matches;
	int64 found = 0;
	Datum found_value;
	CecPortfolio *portfolio;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!TRIGGER_FIRED_BEFORE(trigdata->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("cec.resolve_listed_as is a BEFORE INSERT row trigger of asset lists")));
	desc = RelationGetDescr(trigdata->tg_relation);
	row = trigdata->tg_trigtuple;

	asset_id = cec_column_require(trigdata->tg_relation, "asset_id", INT8OID);
	listed_as =
		SPI_getbinval(row, desc, cec_column_require_nullable(trigdata->tg_relation, "listed_as", TEXTOID), &isnull);
	if (isnull)
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION), errmsg("a list line names no asset"),
						errdetail("Both asset_id and listed_as are NULL."),
						errhint("Give a tag, serial number or other identifier in listed_as."),
						errtablecol(trigdata->tg_relation, asset_id)));
	during = SPI_getbinval(row, desc, cec_column_require(trigdata->tg_relation, "during", DATERANGEOID), &isnull);
	if (!isnull)
		days = cec_days_of_range(during);

	cec_portfolio_pin();
	portfolio = cec_portfolio_get(RelationGetNamespace(trigdata->tg_relation));
	cec_portfolio_check_owner(portfolio, trigdata->tg_relation);
	matches = find_assets(portfolio, listed_as, isnull ? NULL : &days, &found);
	cec_portfolio_unpin();

	if (matches != 1)
	{
		remember_unresolved(RelationGetRelid(trigdata->tg_relation), TextDatumGetCString(listed_as), matches);
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
	may_read = cec_may_read_all(GetUserId(), RelationGetRelid(trigdata->tg_relation)) &&
			   cec_may_read_all(GetUserId(), cec_portfolio_relation(portfolio, "inclusion"));
	cec_act_as(&act, trigdata->tg_relation->rd_rel->relowner, 0);
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
