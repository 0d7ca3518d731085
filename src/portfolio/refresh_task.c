/*
 * refresh_task.c
 *		Who has registered for the turn of the day.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/elog.h"
#include "utils/memutils.h"

#include "portfolio/refresh_task.h"

/* A run in a time zone in which it was tomorrow came to today alone: when the zone was changed, all was decided anew. */
static const CecQuery last_run = {"SELECT max(least(r.on_day, (r.recorded_at AT TIME ZONE s.time_zone)::date))"
								  " FROM @P@.refresh_run r CROSS JOIN @P@.setting s",
								  .results = {DATEOID}};

typedef struct Task
{
	const char *name;
	int order;
	CecRefreshTask run;
} Task;

static List *tasks = NIL; /* by order; kept as long as the session */

/* Registers a task; it runs after those of a lower order.  Name and order are its own. */
void
cec_refresh_register(const char *name, int order, CecRefreshTask run)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	Task *task = palloc(sizeof(Task));
	int at = 0;

	*task = (Task){name, order, run};
	for (; at < list_length(tasks); at++)
	{
		const Task *other = list_nth(tasks, at);

		if (other->order == order || strcmp(other->name, name) == 0)
			elog(ERROR, "refresh tasks \"%s\" and \"%s\" have the same name or order", other->name, name);
		if (other->order > order)
			break;
	}
	tasks = list_insert_nth(tasks, at, task);
	MemoryContextSwitchTo(old);
}

static void
name_task(void *arg)
{
	errcontext("task \"%s\" of refresh", ((const Task *) arg)->name);
}

/* Runs all tasks, in order. */
void
cec_refresh_run(CecRefresh *refresh)
{
	ListCell *cell;

	foreach (cell, tasks)
	{
		Task *task = lfirst(cell);
		ErrorContextCallback callback = {error_context_stack, name_task, task};

		error_context_stack = &callback;
		task->run(refresh);
		error_context_stack = callback.previous;
	}
}

/* Adds a row to what refresh returns; what is a constant. */
void
cec_refresh_count(CecRefresh *refresh, const char *what, int64 count)
{
	CecRefreshCount *row = palloc(sizeof(CecRefreshCount));

	*row = (CecRefreshCount){what, count};
	refresh->counts = lappend(refresh->counts, row);
}

/* The day that the last run reached; 0 when there was none. */
DateADT
cec_refresh_reached(CecPortfolio *portfolio)
{
	DateADT day = 0;
	bool isnull = true;

	SPI_connect();
	if (cec_query_run(portfolio->plans, &last_run, NULL, NULL, 1) > 0)
	{
		Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		day = isnull ? 0 : DatumGetDateADT(value);
	}
	SPI_finish();
	return day;
}
