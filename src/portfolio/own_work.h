/*
 * own_work.h
 *		What functions of the engine are doing right now, for triggers that let them write what statements may not.
 */
#ifndef CEC_OWN_WORK_H
#define CEC_OWN_WORK_H

#include "portfolio/portfolio_cache.h"

/* What is let through; several are added. */
typedef enum CecOwnWork
{
	CEC_WORK_NONE = 0,
	CEC_WORK_AMENDMENT = 1, /* status and approval of amendments, and lines of those that are no drafts */
	CEC_WORK_LIST = 2		/* lists, rules and memberships, however setting.direct_changes is */
} CecOwnWork;

extern bool cec_own_work_is(const CecPortfolio *portfolio, CecOwnWork work);
extern void cec_own_work(Oid nspid, CecOwnWork work, void (*act)(void *arg), void *arg);

#endif
