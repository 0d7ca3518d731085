/*
 * portfolio_cache.h
 *		What a backend remembers of a portfolio, and the only way to its relations.
 */
#ifndef CEC_PORTFOLIO_CACHE_H
#define CEC_PORTFOLIO_CACHE_H

#include "portfolio/source.h"
#include "support/act_as.h"
#include "support/cache.h"
#include "support/probe.h"
#include "support/query.h"
#include "fmgr.h"
#include "pgtime.h"
#include "storage/lockdefs.h"
#include "utils/hsearch.h"
#include "utils/relcache.h"

/* A key of 200 characters, and its end. */
#define CEC_VALUE_ATTRIBUTE_SIZE (200 * 4 + 1)

typedef struct CecPortfolio
{
	Oid nspid; /* schema; key */
	Oid owner; /* of the schema, and of every relation that is opened */
	bool valid;
	MemoryContext cxt;
	HTAB *tables; /* those opened so far, by name */
	HTAB *places; /* where sources are looked into, by source */
	CecPlans *plans;
	/* Of the setting; see portfolio_today.c. */
	CecAsOf zone_as_of;
	uint64 zone_taken_back;
	pg_tz *zone;
	bool takes_drafts_only;
	int observation_days;
	char value_attribute[CEC_VALUE_ATTRIBUTE_SIZE];
	bool is_current; /* of the extension's version */
} CecPortfolio;

extern CecPortfolio *cec_portfolio_get(Oid nspid);
extern Oid cec_portfolio_argument(FunctionCallInfo fcinfo);
extern void cec_portfolio_open_init(CecPortfolio *portfolio);
extern Relation cec_portfolio_open(CecPortfolio *portfolio, const char *table_name, LOCKMODE lock);
extern Relation cec_portfolio_open_below(CecPortfolio *portfolio, const char *table_name);
extern Relation cec_portfolio_open_any(CecPortfolio *portfolio, const char *table_name, LOCKMODE lock);
extern CecProbe *cec_portfolio_look(CecPortfolio *portfolio, const CecSource *source, LOCKMODE lock, Oid locked,
									Snapshot snapshot, const AttrNumber **columns);
extern Relation
cec_portfolio_open_target(CecPortfolio *portfolio, const CecTarget *target, const AttrNumber **columns, Oid *sequence);
extern Oid cec_portfolio_table(CecPortfolio *portfolio, const char *table_name);
extern void cec_portfolio_adopt(CecPortfolio *portfolio, Relation rel, const char *table_name);
extern void cec_portfolio_check_written(CecPortfolio *portfolio, const char *table_name);
extern void cec_portfolio_check_code(CecPortfolio *portfolio, const char *table_name, bool is_written);
extern void cec_portfolio_act(CecActAs *act, CecPortfolio *portfolio);
extern bool cec_portfolio_may_run(CecPortfolio *portfolio, const char *function_name, int count, const Oid *argtypes);
extern void cec_portfolio_pin(void);
extern void cec_portfolio_unpin(void);
extern int cec_portfolio_pins(void);
extern void cec_portfolio_lock_gate(Oid nspid, LOCKMODE mode);
extern bool cec_portfolio_holds_gate(CecPortfolio *portfolio, LOCKMODE mode);
extern bool cec_portfolio_try_gate(Oid nspid, LOCKMODE mode);

#endif
