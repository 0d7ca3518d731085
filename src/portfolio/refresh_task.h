/*
 * refresh_task.h
 *		What depends on the day: tasks that rooms register, as they register for changes, and that refresh runs (src/refresh).
 */
#ifndef CEC_REFRESH_TASK_H
#define CEC_REFRESH_TASK_H

#include "nodes/pg_list.h"
#include "utils/date.h"

#include "portfolio/portfolio_cache.h"

/* One run of refresh: from the first day through the last; the portfolio is pinned, its gate held alone, its owner acted as. */
typedef struct CecRefresh
{
	CecPortfolio *portfolio;
	Oid caller;	   /* who runs it */
	DateADT today; /* in the portfolio's time zone */
	DateADT first; /* the day after the last run, today at the latest */
	DateADT last;  /* the day asked for: before the first there is nothing to do, after today it is a forecast */
	List *counts;  /* of CecRefreshCount */
} CecRefresh;

/* A row of what refresh returns. */
typedef struct CecRefreshCount
{
	const char *what;
	int64 count;
} CecRefreshCount;

typedef void (*CecRefreshTask)(CecRefresh *refresh);

extern void cec_refresh_register(const char *name, int order, CecRefreshTask run);
extern DateADT cec_refresh_reached(CecPortfolio *portfolio);
extern void cec_refresh_run(CecRefresh *refresh);
extern void cec_refresh_count(CecRefresh *refresh, const char *what, int64 count);

#endif
