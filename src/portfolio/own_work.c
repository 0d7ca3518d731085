/*
 * own_work.c
 *		What functions of the engine are doing right now, for triggers that let them write what statements may not.
 *
 * A function cec.NAME that may is written in C, as one of the entries below: it calls cec._NAME, a function of the same arguments
 * that does the work as the caller, and notes meanwhile for which portfolio and for what.  Nothing else can set the note: no
 * setting, and no statement, since who calls cec._NAME himself is not noted.  It is taken back however the function ends.
 *
 * It holds for statements of that function alone, at the depth of triggers at which it was called: what somebody's trigger does
 * meanwhile goes one deeper, and is told apart.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/syscache.h"

#include "portfolio/own_work.h"

PG_FUNCTION_INFO_V1(cec_amendment_work);
PG_FUNCTION_INFO_V1(cec_list_work);

/* What is being done; of the innermost function. */
typedef struct Doing
{
	Oid nspid;
	int work; /* of CecOwnWork */
	int depth;
} Doing;

static Doing doing = {0};

static int
trigger_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

/* Whether the statement whose trigger runs is of a function of the engine that does such work.  Asked by triggers. */
bool
cec_own_work_is(const CecPortfolio *portfolio, CecOwnWork work)
{
	return (doing.work & work) != 0 && doing.nspid == portfolio->nspid && trigger_depth() == doing.depth + 1;
}

/* Does such work on a portfolio, in C. */
void
cec_own_work(Oid nspid, CecOwnWork work, void (*act)(void *arg), void *arg)
{
	const Doing before = doing;

	doing = (Doing){nspid, work, trigger_depth()};
	PG_TRY();
	{
		act(arg);
	}
	PG_FINALLY();
	{
		doing = before;
	}
	PG_END_TRY();
}

/* A function of the engine's that is called in the place of another one. */
typedef struct Call
{
	FunctionCallInfo fcinfo;
	FmgrInfo body;
	Datum result;
} Call;

/* Of cec.NAME(…) the function cec._NAME(…). */
static void
find_body(Call *call)
{
	Oid own = call->fcinfo->flinfo->fn_oid;
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(own));
	Form_pg_proc proc;
	char *name;
	Oid body;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", own);
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	name = psprintf("_%s", NameStr(proc->proname));
	body = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(&proc->proargtypes), ObjectIdGetDatum(proc->pronamespace));
	ReleaseSysCache(tuple);
	if (!OidIsValid(body))
		elog(ERROR, "there is no function \"%s\"", name);
	fmgr_info(body, &call->body);
	call->body.fn_expr = call->fcinfo->flinfo->fn_expr;
}

/* With the arguments of the other one, and its set of rows where it returns one. */
static void
call_body(void *arg)
{
	Call *call = arg;
	FunctionCallInfo fcinfo = call->fcinfo;
	LOCAL_FCINFO(body, FUNC_MAX_ARGS);

	InitFunctionCallInfoData(*body, &call->body, fcinfo->nargs, fcinfo->fncollation, NULL, fcinfo->resultinfo);
	for (int i = 0; i < fcinfo->nargs; i++)
		body->args[i] = fcinfo->args[i];
	call->result = FunctionCallInvoke(body);
	fcinfo->isnull = body->isnull;
}

/* A function whose first argument is a portfolio: does what the one of its name with an underscore does. */
static Datum
do_work(FunctionCallInfo fcinfo, CecOwnWork work)
{
	Call call = {.fcinfo = fcinfo};
	Oid nspid = cec_portfolio_argument(fcinfo);

	find_body(&call);
	cec_own_work(nspid, work, call_body, &call);
	return call.result;
}

/* Any function of the engine's that writes amendments. */
Datum
cec_amendment_work(PG_FUNCTION_ARGS)
{
	return do_work(fcinfo, CEC_WORK_AMENDMENT);
}

/* Any one that changes lists although they are changed by amendments alone, or that writes amendments. */
Datum
cec_list_work(PG_FUNCTION_ARGS)
{
	return do_work(fcinfo, CEC_WORK_LIST | CEC_WORK_AMENDMENT);
}
