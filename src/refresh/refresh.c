/*
 * refresh.c
 *		Does what depends on the day: runs the tasks that rooms have registered, and remembers the day that was reached.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"

#include "portfolio/portfolio_today.h"
#include "portfolio/refresh_task.h"

/* Days. */
#define MAX_FORECAST 3660

PG_FUNCTION_INFO_V1(cec_refresh);

static const CecQuery add_run = {"INSERT INTO @P@.refresh_run (on_day) VALUES ($1)", 1, {DATEOID}};

static void
record_run(CecPortfolio *portfolio, DateADT day)
{
	Datum arg = DateADTGetDatum(day);

	SPI_connect();
	cec_query_run(portfolio->plans, &add_run, &arg, NULL, 0);
	SPI_finish();
}

/* Everybody waits while the days are walked. */
static void
check_forecast(DateADT day, DateADT today)
{
	if (DATE_NOT_FINITE(day) || day > today + MAX_FORECAST)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is too far ahead", DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(day)))),
				 errhint("A forecast walks day by day; it goes ten years ahead at most.")));
}

/* Returns the counts, in the order in which they were made. */
static void
return_counts(FunctionCallInfo fcinfo, const CecRefresh *refresh)
{
	ReturnSetInfo *result;
	ListCell *cell;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	foreach (cell, refresh->counts)
	{
		const CecRefreshCount *count = lfirst(cell);
		Datum values[] = {CStringGetTextDatum(count->what), Int64GetDatum(count->count)};
		bool isnull[lengthof(values)] = {0};

		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
}

/*
 * cec._refresh(portfolio, on_day): runs all tasks from the day after the last run to the day (NULL: today), alone in the
 * portfolio.  Returns what they count.  The caller has checked rights and isolation level.
 */
Datum
cec_refresh(PG_FUNCTION_ARGS)
{
	Oid nspid = PG_GETARG_OID(0);
	CecRefresh refresh = {0};
	DateADT reached;
	CecActAs act;

	cec_portfolio_pin();
	if (pg_class_aclcheck(cec_portfolio_table(cec_portfolio_get(nspid), "setting"), GetUserId(), ACL_UPDATE) !=
		ACLCHECK_OK)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to refresh")));
	cec_portfolio_lock_gate(nspid, ShareRowExclusiveLock);
	refresh.caller = GetUserId();
	refresh.portfolio = cec_portfolio_get(nspid);
	cec_portfolio_act(&act, refresh.portfolio);
	refresh.today = cec_portfolio_today(refresh.portfolio);
	refresh.last = PG_ARGISNULL(1) ? refresh.today : PG_GETARG_DATEADT(1);
	check_forecast(refresh.last, refresh.today);
	/* Today is done once more, never a day before it; what statements decided before the first run stays. */
	reached = cec_refresh_reached(refresh.portfolio);
	refresh.first = reached == 0 ? refresh.today : Min(reached + 1, refresh.today);
	cec_refresh_run(&refresh);
	if (refresh.first <= refresh.last && Min(refresh.last, refresh.today) > reached)
		record_run(refresh.portfolio, Min(refresh.last, refresh.today));
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	return_counts(fcinfo, &refresh);
	return (Datum) 0;
}
