/*
 * amendment_writers.c
 *		Whether the caller has requested an amendment or written lines of it, by the log, which most who approve cannot read.
 *
 * Read as the owner, for whoever may approve, lines that a policy hides from him included.  What is told is as whom he himself,
 * or his login, has done so, and of an amendment that he cannot read nothing: it is as if there were none.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "audit/audit.h"
#include "portfolio/portfolio_cache.h"

PG_FUNCTION_INFO_V1(cec_amendment_writers);

static const CecQuery is_readable = {
	"SELECT FROM @P@.amendment m WHERE m.amendment_id = $1", 1, {INT8OID}, CURSOR_OPT_GENERIC_PLAN};

static const CecQuery writers = {
	"SELECT DISTINCT l.actor, l.session_user_name"
	" FROM (SELECT 'amendment' AS table_name, $1 AS row_id"
	"  UNION ALL SELECT 'amendment_line', n.line_id FROM @P@.amendment_line n WHERE n.amendment_id = $1) AS w"
	" JOIN @P@.audit_log l ON l.row_id = w.row_id AND l.table_name = w.table_name"
	" WHERE (l.table_name = 'amendment_line' OR l.operation = 'INSERT') AND (l.actor = $2 OR l.session_user_name = $3)"
	" ORDER BY 1, 2",
	3,
	{INT8OID, TEXTOID, TEXTOID},
	.results = {TEXTOID, TEXTOID}};

static void
put_writer(void *arg, TupleTableSlot *row)
{
	ReturnSetInfo *result = arg;

	tuplestore_putvalues(result->setResult, result->setDesc, row->tts_values, row->tts_isnull);
}

/* cec._amendment_writers(portfolio, amendment_id).  Error: 42501 for who may not approve. */
Datum
cec_amendment_writers(PG_FUNCTION_ARGS)
{
	const Oid argtypes[] = {INT8OID, TEXTOID};
	Datum args[3];
	CecPortfolio *portfolio;
	bool may_read;
	CecActAs act;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	cec_portfolio_pin();
	portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	if (!cec_portfolio_may_run(portfolio, "approve_amendment", lengthof(argtypes), argtypes))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for function %s.approve_amendment",
							   quote_identifier(get_namespace_name(portfolio->nspid))),
						errhint("The view cec.access_privilege says which levels of access have it.")));
	args[0] = PG_GETARG_DATUM(1);
	args[1] = CStringGetTextDatum(cec_audit_actor());
	args[2] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	SPI_connect();
	may_read = cec_query_run(portfolio->plans, &is_readable, args, NULL, 1) > 0;
	SPI_finish();
	if (may_read)
	{
		cec_portfolio_act(&act, portfolio);
		SPI_connect();
		cec_query_stream(portfolio->plans, &writers, args, put_writer, fcinfo->resultinfo);
		SPI_finish();
		cec_act_as_self(&act);
	}
	cec_portfolio_unpin();
	return (Datum) 0;
}
