/*
 * asset_refusal.c
 *		Whether the table of assets would refuse a row by its NOT NULL and CHECK constraints, and with what words.
 *
 * The constraints themselves are asked, those that users added too, as the server asks them for a row that is written.  Columns that
 * users added are NULL here: what is wrong with them is seen when the row is written.  Unique keys are not looked at.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "portfolio/portfolio_cache.h"
#include "support/attempt.h"
#include "sync/sync.h"

PG_FUNCTION_INFO_V1(cec_asset_refusal);

/* In the order of the arguments, behind the portfolio. */
static const char *const columns[] = {
	"asset_id",		  "asset_tag",	  "tag_symbology", "serial_number",	  "manufacturer",
	"model",		  "category",	  "usage_type",	   "status",		  "customer_id",
	"country",		  "region",		  "location",	   "commissioned_on", "decommissioned_on",
	"out_of_service", "successor_id", "attributes",	   "source",		  "source_updated_at"};

typedef struct Check
{
	const char *name;
	ExprState *state;
} Check;

/* What is kept for the calls of one query, which has the table locked. */
typedef struct Refusing
{
	TupleTableSlot *slot;
	ExprContext *econtext;
	int attributes[lengthof(columns)]; /* where the columns stand, from 0 */
	Check *checks;
	int count;
} Refusing;

bool
cec_sync_is_refusal(int sqlstate)
{
	int category = ERRCODE_TO_CATEGORY(sqlstate);

	return category == ERRCODE_DATA_EXCEPTION || category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
		   sqlstate == ERRCODE_RAISE_EXCEPTION;
}

static int
find_column(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped && strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return i;
	elog(ERROR, "assets have no column %s", name);
}

static Refusing *
begin(Oid nspid)
{
	Refusing *refusing = palloc0(sizeof(Refusing));
	CecPortfolio *portfolio;
	AclResult aclresult;
	Relation rel;
	TupleDesc desc;

	cec_portfolio_pin();
	portfolio = cec_portfolio_get(nspid);
	aclresult = pg_class_aclcheck(cec_portfolio_table(portfolio, "asset"), GetUserId(), ACL_SELECT);
	if (aclresult != ACLCHECK_OK)
		aclcheck_error(aclresult, OBJECT_TABLE, "asset");
	rel = cec_portfolio_open(portfolio, "asset", AccessShareLock);
	cec_portfolio_check_code(portfolio, "asset", true);
	desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	relation_close(rel, NoLock);
	cec_portfolio_unpin();
	refusing->slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	refusing->econtext = CreateStandaloneExprContext();
	for (int i = 0; i < lengthof(columns); i++)
		refusing->attributes[i] = find_column(desc, columns[i]);
	refusing->count = desc->constr == NULL ? 0 : desc->constr->num_check;
	refusing->checks = palloc0(refusing->count * sizeof(Check));
	for (int i = 0; i < refusing->count; i++)
	{
		Expr *expr = stringToNode(desc->constr->check[i].ccbin);

		refusing->checks[i] = (Check){desc->constr->check[i].ccname, ExecInitExpr(expression_planner(expr), NULL)};
	}
	return refusing;
}

/* Raises what the table would raise. */
static void
check_row(void *arg)
{
	Refusing *refusing = arg;
	TupleTableSlot *slot = refusing->slot;

	/* The key is given to a new asset when it is written. */
	for (int i = 1; i < lengthof(columns); i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(slot->tts_tupleDescriptor, refusing->attributes[i]);

		if (attribute->attnotnull && slot->tts_isnull[refusing->attributes[i]])
			ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
							errmsg("there is no value for %s, which needs one", columns[i])));
	}
	refusing->econtext->ecxt_scantuple = slot;
	for (int i = 0; i < refusing->count; i++)
	{
		bool isnull;
		Datum holds = ExecEvalExprSwitchContext(refusing->checks[i].state, refusing->econtext, &isnull);

		if (!isnull && !DatumGetBool(holds))
			ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
							errmsg("the row violates check constraint \"%s\"", refusing->checks[i].name),
							err_generic_string(PG_DIAG_CONSTRAINT_NAME, refusing->checks[i].name)));
	}
}

/* cec._asset_refusal(portfolio, asset_id, …): SQLSTATE, constraint and message, or NULL. */
Datum
cec_asset_refusal(PG_FUNCTION_ARGS)
{
	Refusing *refusing = fcinfo->flinfo->fn_extra;
	TupleTableSlot *slot;
	ErrorData *error;
	Datum parts[3];
	bool nulls[3] = {false};
	int dims[1] = {3};
	int bounds[1] = {1};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (refusing == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		refusing = begin(PG_GETARG_OID(0));
		fcinfo->flinfo->fn_extra = refusing;
		MemoryContextSwitchTo(old);
	}
	slot = refusing->slot;
	ExecClearTuple(slot);
	ExecStoreAllNullTuple(slot);
	for (int i = 0; i < lengthof(columns); i++)
	{
		slot->tts_isnull[refusing->attributes[i]] = PG_ARGISNULL(i + 1);
		slot->tts_values[refusing->attributes[i]] = PG_GETARG_DATUM(i + 1);
	}
	ResetExprContext(refusing->econtext);
	error = cec_attempt_told(check_row, refusing, cec_sync_is_refusal);
	if (error == NULL)
		PG_RETURN_NULL();
	parts[0] = CStringGetTextDatum(unpack_sql_state(error->sqlerrcode));
	nulls[1] = error->constraint_name == NULL;
	parts[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(error->constraint_name);
	parts[2] = CStringGetTextDatum(error->message == NULL ? "" : error->message);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(parts, nulls, 1, dims, bounds, TEXTOID, -1, false, TYPALIGN_INT));
}
