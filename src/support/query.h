/*
 * query.h
 *		Kept plans over the tables of one schema.
 */
#ifndef CEC_QUERY_H
#define CEC_QUERY_H

#include "executor/spi.h"
#include "utils/hsearch.h"
#include "utils/snapshot.h"

#define CEC_QUERY_MAX_ARGS 20

/*
 * A query, as a static constant of the code that runs it: its address is its key.  "@P@" in the text stands for
 * the quoted name of the schema.
 */
typedef struct CecQuery
{
	const char *text;
	int nargs;
	Oid argtypes[CEC_QUERY_MAX_ARGS];
	int cursor_options; /* 0, CURSOR_OPT_GENERIC_PLAN or CURSOR_OPT_CUSTOM_PLAN */
} CecQuery;

/* The plans kept for one schema. */
typedef struct CecPlans CecPlans;

extern CecPlans *cec_plans_create(MemoryContext cxt, const char *quoted_schema);
extern void cec_plans_free(CecPlans *plans);
extern Snapshot cec_latest_snapshot(void);
extern uint64 cec_query_run(CecPlans *plans, const CecQuery *query, Datum *args, const char *nulls, long limit);

extern uint64 cec_query_read(CecPlans *plans, const CecQuery *query, Datum *args, const char *nulls);

#endif
