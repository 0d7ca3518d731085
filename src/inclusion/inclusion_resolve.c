/*
 * inclusion_resolve.c
 *		Finds the asset of a list line that gives an identifier, in the place of asset_id or beside it.
 *
 * A BEFORE ROW trigger, so that plain INSERT and COPY can list tags, and so that whoever changes the tag lists the asset that
 * bears the new one.  A line that gives both must give an identifier of that asset: of an INSERT that is seen when its lines
 * are validated, with the asset at hand (inclusion_doubt.c), of an UPDATE here; where a line is moved to another asset,
 * and its identifier is what it was, that goes unless the other asset bears it, too.  A line that cannot be resolved is taken out of
 * the statement and remembered, and the AFTER STATEMENT trigger refuses the statement with all such lines together:
 * the account manager sees every wrong line at once, and not one with each attempt.
 *
 * A line waits for the lock of its asset only when the asset is known.  Another session may meanwhile have given the
 * identifier to another asset, so once the locks are held the lines that were resolved are resolved again, if any
 * transaction has ended since, and the statement is refused with 40001 where another asset is found.
 *
 * What is remembered belongs to one statement: it is kept under table, event, trigger depth and subtransaction, and goes
 * when that subtransaction aborts.  MERGE, ON CONFLICT and a statement with several parts insert and update at once, and
 * each of their AFTER triggers takes its own.  It lives in TopTransactionContext.
 */
#include "postgres.h"

#include "init.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
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

#include "inclusion/inclusion_resolve.h"
#include "portfolio/portfolio_cache.h"
#include "registry/identifier_named.h"
#include "support/act_as.h"
#include "support/column.h"
#include "support/day_set.h"
#include "support/probe.h"

PG_FUNCTION_INFO_V1(cec_resolve_listed_as);
PG_FUNCTION_INFO_V1(cec_keep_listed_asset);

/* A line that names its asset by an identifier. */
typedef struct Resolved
{
	int64 asset_id;
	uint32 hash;   /* of listed_as */
	bool is_given; /* asset_id was given too: other assets may bear the identifier as well */
} Resolved;

typedef struct Statement
{
	Oid relid;
	bool is_update;
	int depth;
	SubTransactionId subid;
	int64 arrived;	  /* lines of an INSERT that came by */
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
find_statement(Oid relid, bool is_update)
{
	int depth = trigger_depth();
	SubTransactionId subid = GetCurrentSubTransactionId();
	ListCell *cell;

	foreach (cell, statements)
	{
		Statement *statement = lfirst(cell);

		if (statement->relid == relid && statement->is_update == is_update && statement->depth == depth &&
			statement->subid == subid)
			return statement;
	}
	return NULL;
}

/* The running statement's entry, made if there is none; in TopTransactionContext, which is current. */
static Statement *
get_statement(Oid relid, bool is_update)
{
	Statement *statement = find_statement(relid, is_update);

	if (statement == NULL)
	{
		statement = palloc0(sizeof(Statement));
		statement->relid = relid;
		statement->is_update = is_update;
		statement->depth = trigger_depth();
		statement->subid = GetCurrentSubTransactionId();
		statements = lappend(statements, statement);
	}
	return statement;
}

/* Counts a line of the running INSERT. */
static int64
count_line(Oid relid)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Statement *statement = get_statement(relid, false);

	MemoryContextSwitchTo(old);
	return ++statement->arrived;
}

static void
remember_unresolved(Oid relid, bool is_update, const CecUnresolved *unresolved)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Statement *statement = get_statement(relid, is_update);
	CecUnresolved *line = palloc(sizeof(CecUnresolved));

	*line = *unresolved;
	line->listed_as = pstrdup(unresolved->listed_as);
	statement->unresolved = lappend(statement->unresolved, line);
	MemoryContextSwitchTo(old);
}

static Resolved
make_resolved(int64 asset_id, Datum listed_as, bool is_given)
{
	text *name = DatumGetTextPP(listed_as);

	return (Resolved){asset_id, hash_bytes((const unsigned char *) VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)),
					  is_given};
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
remember_resolved(Oid relid, bool is_update, Resolved resolved, TransactionId xmax, uint32 xcnt)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Statement *statement = get_statement(relid, is_update);

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
	statement->resolved[statement->resolved_count++] = resolved;
	MemoryContextSwitchTo(old);
}

static Statement *
find_statement_of(CecChange *change)
{
	return statements == NIL || change->operation == CEC_DELETE
			   ? NULL
			   : find_statement(RelationGetRelid(change->rel), change->operation == CEC_UPDATE);
}

/*
 * The lines that the running statement could not resolve; all that was remembered of it is forgotten by this.  has_places says
 * whether all other lines that came by are rows now, in their order: ON CONFLICT and others' triggers may keep some out.
 */
List *
cec_inclusion_take_unresolved(CecChange *change, bool *has_places)
{
	Statement *statement = find_statement_of(change);
	List *unresolved;

	*has_places = false;
	if (statement == NULL)
		return NIL;
	*has_places = change->operation == CEC_INSERT &&
				  statement->arrived - list_length(statement->unresolved) ==
					  (change->new_rows == NULL ? 0 : tuplestore_tuple_count(change->new_rows));
	statements = list_delete_ptr(statements, statement);
	unresolved = statement->unresolved;
	if (statement->resolved != NULL)
		pfree(statement->resolved);
	pfree(statement);
	return unresolved;
}

/* Whether a line that was resolved still names the asset that it names. */
static bool
still_names(CecNamed *search, const Resolved *resolved, Datum listed_as, const CecDays *days, Snapshot snapshot)
{
	int64 found = 0;

	if (resolved->is_given)
		return cec_named_bears(search->portfolio, resolved->asset_id, listed_as, days, snapshot);
	return cec_named_find(search, listed_as, days, &found) == 1 && found == resolved->asset_id;
}

/*
 * Makes sure that the lines of the running statement that name their asset by an identifier still name that asset.  To be called once
 * the assets are locked.  Error: 40001.
 */
void
cec_inclusion_check_names(CecChange *change)
{
	Statement *statement = find_statement_of(change);
	Snapshot snapshot;
	CecRows rows;
	AttrNumber asset_id;
	AttrNumber listed_as;
	AttrNumber during;
	CecNamed search;

	if (statement == NULL || statement->resolved_count == 0)
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
	cec_named_begin(&search, change->portfolio, snapshot);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		TupleTableSlot *row = rows.new_row;
		Resolved key;
		const Resolved *resolved;
		CecDays days;

		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(row);
		if (row->tts_isnull[listed_as - 1])
			continue;
		key = make_resolved(DatumGetInt64(row->tts_values[asset_id - 1]), row->tts_values[listed_as - 1], false);
		resolved = bsearch(&key, statement->resolved, statement->resolved_count, sizeof(Resolved), compare_resolved);
		if (resolved == NULL)
			continue;
		days = cec_days_of_range(row->tts_values[during - 1]);
		if (!still_names(&search, resolved, row->tts_values[listed_as - 1], &days, snapshot))
			ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
							errmsg("could not serialize access due to concurrent update"),
							errdetail("\"%.100s\" came to name another asset while the list line waited.",
									  TextDatumGetCString(row->tts_values[listed_as - 1])),
							errhint("The transaction might succeed if retried."), errtable(change->rel)));
	}
	cec_rows_end(&rows);
	cec_named_end(&search);
	UnregisterSnapshot(snapshot);
}

/* Whether the asset is there; where a foreign key is deferrable, or keys move, it may come yet. */
static bool
is_registered(CecPortfolio *portfolio, int64 asset_id, Snapshot snapshot)
{
	CecProbe *probe = cec_probe_begin(cec_portfolio_open(portfolio, "asset", AccessShareLock), "asset_id", snapshot);
	bool result;

	cec_probe_seek(probe, asset_id);
	result = cec_probe_next(probe) != NULL;
	cec_probe_end(probe);
	return result;
}

/* Whether an UPDATE leaves a text as it was. */
static bool
keeps_text(TriggerData *trigdata, AttrNumber attnum, Datum value)
{
	bool isnull;
	Datum old = SPI_getbinval(trigdata->tg_trigtuple, RelationGetDescr(trigdata->tg_relation), attnum, &isnull);

	return !isnull && DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, old, value));
}

/*
 * Whether the row says which asset is meant: that of an INSERT comes here only if it does not, and where an UPDATE says no more
 * than before, what it says of the name counts.
 */
static bool
gives_asset(TriggerData *trigdata, HeapTuple row, AttrNumber attnum, int64 *asset_id)
{
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	bool isnull;
	Datum value = SPI_getbinval(row, desc, attnum, &isnull);

	if (isnull)
		return false;
	*asset_id = DatumGetInt64(value);
	value = SPI_getbinval(trigdata->tg_trigtuple, desc, attnum, &isnull);
	return isnull || DatumGetInt64(value) != *asset_id;
}

/*
 * cec.resolve_listed_as(): counts a line of an INSERT; fills asset_id from listed_as, on INSERT where it is NULL, on UPDATE where
 * listed_as alone was changed; where an UPDATE gives both, both must name the asset.  Where it gives the asset alone, listed_as is
 * NULL from then on if it does not name it.
 */
Datum
cec_resolve_listed_as(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc desc;
	HeapTuple row;
	int asset_id;
	int listed_as_column;
	Datum listed_as;
	Datum during;
	CecUnresolved line = {0};
	bool isnull;
	bool is_update;
	bool is_given;
	bool is_left_over = false;
	int64 found = 0;
	Datum found_value;
	Oid relid;
	CecPortfolio *portfolio;
	Snapshot snapshot;
	CecNamed search;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!TRIGGER_FIRED_BEFORE(trigdata->tg_event) || TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("cec.resolve_listed_as is a BEFORE INSERT or UPDATE row trigger of asset lists")));
	desc = RelationGetDescr(trigdata->tg_relation);
	relid = RelationGetRelid(trigdata->tg_relation);
	is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	row = is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;

	if (!is_update)
		line.place = count_line(relid);
	asset_id = cec_column_require(trigdata->tg_relation, "asset_id", INT8OID);
	listed_as_column = cec_column_require_nullable(trigdata->tg_relation, "listed_as", TEXTOID);
	listed_as = SPI_getbinval(row, desc, listed_as_column, &isnull);
	if (!heap_attisnull(row, asset_id, desc) && (isnull || !is_update))
		return PointerGetDatum(row);
	if (isnull)
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION), errmsg("a list line names no asset"),
						line.place > 1 ? errdetail("Both asset_id and listed_as are NULL in line " INT64_FORMAT
												   " of this statement.",
												   line.place)
									   : errdetail("Both asset_id and listed_as are NULL."),
						errhint("Give a tag, serial number or other identifier in listed_as."),
						errtablecol(trigdata->tg_relation, asset_id)));
	during = SPI_getbinval(row, desc, cec_column_require(trigdata->tg_relation, "during", DATERANGEOID), &isnull);
	line.has_days = !isnull;
	if (line.has_days)
		line.days = cec_days_of_range(during);
	is_given = gives_asset(trigdata, row, asset_id, &found);

	cec_portfolio_pin();
	portfolio = cec_portfolio_get(RelationGetNamespace(trigdata->tg_relation));
	cec_portfolio_adopt(portfolio, trigdata->tg_relation, "inclusion");
	snapshot = cec_latest_snapshot();
	if (is_given)
		line.matches = cec_named_bears(portfolio, found, listed_as, line.has_days ? &line.days : NULL, snapshot)
						   ? 1
						   : CEC_NAMES_ANOTHER;
	else
	{
		cec_named_begin(&search, portfolio, snapshot);
		line.matches = cec_named_find(&search, listed_as, line.has_days ? &line.days : NULL, &found);
		cec_named_end(&search);
	}
	if (line.matches == 1)
		remember_resolved(relid, is_update, make_resolved(found, listed_as, is_given), snapshot->xmax, snapshot->xcnt);
	else if (is_given && keeps_text(trigdata, listed_as_column, listed_as))
	{
		/* The line was moved to another asset, and this is what the one before was listed as. */
		is_left_over = is_registered(portfolio, found, snapshot);
		line.matches = 1;
	}
	UnregisterSnapshot(snapshot);
	cec_portfolio_unpin();

	if (is_left_over)
	{
		found_value = (Datum) 0;
		isnull = true;
		return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, 1, &listed_as_column, &found_value, &isnull));
	}
	if (line.matches != 1)
	{
		line.listed_as = TextDatumGetCString(listed_as);
		remember_unresolved(relid, is_update, &line);
		return PointerGetDatum(NULL);
	}
	if (is_given)
		return PointerGetDatum(row);
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
