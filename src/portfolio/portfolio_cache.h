/*
 * portfolio_cache.h
 *		What a backend remembers of a portfolio.
 */
#ifndef CEC_PORTFOLIO_CACHE_H
#define CEC_PORTFOLIO_CACHE_H

#include "query.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

typedef struct CecPortfolio
{
	Oid nspid; /* schema; key */
	bool valid;
	MemoryContext cxt;
	Oid gate;
	Oid audit_log;
	CecPlans *plans;
} CecPortfolio;

extern void cec_portfolio_cache_init(void);
extern CecPortfolio *cec_portfolio_get(Oid nspid);
extern Oid cec_portfolio_relation(CecPortfolio *portfolio, const char *name);
extern void cec_portfolio_check_owner(CecPortfolio *portfolio, Relation rel);
extern void cec_portfolio_pin(void);
extern void cec_portfolio_unpin(void);
extern int cec_portfolio_pins(void);
extern void cec_portfolio_lock_gate(Oid nspid, LOCKMODE mode);
extern bool cec_portfolio_try_gate(Oid nspid, LOCKMODE mode);

#endif
