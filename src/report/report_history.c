/*
 * report_history.c
 *		Reads the history of an asset or a contract as the owner of the portfolio.
 *
 * Who is to read a history has EXECUTE on the portfolio's own function; what he sees of the register does not matter then.
 * The owner is acted for while cec._history (history.sql) looks the name up and reads the log, and for nothing else.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "portfolio/portfolio_cache.h"

PG_FUNCTION_INFO_V1(cec_history_as_owner);

static const CecQuery entries = {"SELECT * FROM cec._history($1, $2, $3)",
								 3,
								 {REGNAMESPACEOID, TEXTOID, TEXTOID},
								 .results = {INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, INETOID, TEXTOID,
											 TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, XID8OID, INT8OID,
											 JSONBOID, JSONBOID}};

/* Error: 42501 for who may not run the portfolio's own function. */
static void
check_right(CecPortfolio *portfolio, const char *function_name)
{
	const Oid argtype = TEXTOID;

	if (!cec_portfolio_may_run(portfolio, function_name, 1, &argtype))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for function %s.%s",
							   quote_identifier(get_namespace_name(portfolio->nspid)), function_name),
						errhint("The view cec.access_privilege says which levels of access have it.")));
}

static void
put_entry(void *arg, TupleTableSlot *row)
{
	ReturnSetInfo *result = arg;

	tuplestore_putvalues(result->setResult, result->setDesc, row->tts_values, row->tts_isnull);
}

/* cec._history_as_owner(portfolio, subject, name): subject is "asset" or "contract". */
Datum
cec_history_as_owner(PG_FUNCTION_ARGS)
{
	bool of_contract = !PG_ARGISNULL(1) && strcmp(TextDatumGetCString(PG_GETARG_DATUM(1)), "contract") == 0;
	CecPortfolio *portfolio;
	CecActAs act;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	cec_portfolio_pin();
	portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	check_right(portfolio, of_contract ? "contract_history" : "asset_history");
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s must not be NULL", of_contract ? "the contract number" : "the identifier"),
						errhint("Give what it is called, or was.")));
	cec_portfolio_act(&act, portfolio);
	SPI_connect();
	cec_query_stream(portfolio->plans, &entries,
					 (Datum[]){ObjectIdGetDatum(portfolio->nspid), PG_GETARG_DATUM(1), PG_GETARG_DATUM(2)}, put_entry,
					 fcinfo->resultinfo);
	SPI_finish();
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	return (Datum) 0;
}
