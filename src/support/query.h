/*
 * query.h
 *		Kept plans over the tables of one schema.
 */
#ifndef CEC_QUERY_H
#define CEC_QUERY_H

#include "executor/spi.h"
#include "utils/hsearch.h"
#include "utils/snapshot.h"

#include "support/id_list.h"

#define CEC_QUERY_MAX_ARGS 20
#define CEC_QUERY_MAX_RESULTS 36

/*
 * How the text of a query begins as it is run; the oid of the schema and the end of the comment follow, or first "any
 * columns" where the code that reads the rows does not rely on what columns there are.
 */
#define CEC_QUERY_MARK "/* cec portfolio "

/* In the place of the type of a result that is a geometry, whose oid differs from database to database. */
#define CEC_GEOMETRY_RESULT ((Oid) 1)

/*
 * A query, as a static constant of the code that runs it: its address is its key.  "@P@" in the text stands for
 * the quoted name of the schema, "@O@" for its oid.
 */
typedef struct CecQuery
{
	const char *text;
	int nargs;
	Oid argtypes[CEC_QUERY_MAX_ARGS];
	int cursor_options;					/* CURSOR_OPT_GENERIC_PLAN: look-ups (query.c); 0 or CURSOR_OPT_CUSTOM_PLAN */
	Oid results[CEC_QUERY_MAX_RESULTS]; /* types of its columns; none: it returns no rows */
} CecQuery;

/* The plans kept for one schema. */
typedef struct CecPlans CecPlans;

extern CecPlans *cec_plans_create(MemoryContext cxt, Oid nspid, const char *quoted_schema);
extern void cec_plans_free(CecPlans *plans);
extern char *cec_query_text(Oid nspid, const char *quoted_schema, const char *text);
extern Snapshot cec_latest_snapshot(void);
extern uint64 cec_query_run(CecPlans *plans, const CecQuery *query, Datum *args, const char *nulls, long limit);
extern uint64
cec_query_run_at(CecPlans *plans, const CecQuery *query, Datum *args, const char *nulls, Snapshot snapshot);
extern uint64
cec_query_once(CecPlans *plans, const char *text, int nargs, Oid *argtypes, Datum *args, const char *nulls);

/* Is handed each row of a query; it stays until the call returns. */
typedef void (*CecRowTaker)(void *arg, TupleTableSlot *row);

extern void cec_query_stream(CecPlans *plans, const CecQuery *query, Datum *args, CecRowTaker take, void *arg);
/* A query whose rows are fetched as they are asked for. */
typedef struct CecCursor
{
	Portal portal;
	SPITupleTable *rows;
	uint64 at;
} CecCursor;

extern void cec_cursor_open(CecCursor *cursor, CecPlans *plans, const CecQuery *query, Datum *args);
extern bool cec_cursor_next(CecCursor *cursor, Datum *values, bool *isnull);
extern void cec_cursor_close(CecCursor *cursor);
extern void cec_query_ids(CecPlans *plans, const CecQuery *query, Datum *args, CecIds *ids);
extern uint64 cec_query_write(CecPlans *plans, const CecQuery *query, Datum *args, const char *nulls);
extern uint64 cec_query_read(CecPlans *plans, const CecQuery *query, Datum *args, const char *nulls);

#endif
