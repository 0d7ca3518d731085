/*
 * sync_run.h
 *		A run of a sync: its plan, and what is done with it.
 */
#ifndef CEC_SYNC_RUN_H
#define CEC_SYNC_RUN_H

#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/date.h"
#include "utils/snapshot.h"
#include "utils/tuplestore.h"

#include "portfolio/portfolio_cache.h"
#include "support/id_list.h"

/* What comes of a row, in the order of sync_run's columns. */
enum
{
	CEC_SYNC_INSERTED,
	CEC_SYNC_UPDATED,
	CEC_SYNC_UNCHANGED,
	CEC_SYNC_ADOPTED,
	CEC_SYNC_RETAGGED,
	CEC_SYNC_MERGED,
	CEC_SYNC_RETIRED,
	CEC_SYNC_REAPPEARED,
	CEC_SYNC_SUPERSEDED,
	CEC_SYNC_OUTDATED,
	CEC_SYNC_REJECTED,
	CEC_SYNC_OUTCOMES
};

extern const char *const cec_sync_outcomes[CEC_SYNC_OUTCOMES];

typedef struct CecSync
{
	CecPortfolio *portfolio;
	text *source;
	text *mode;
	Datum fraction;
	bool has_expected;
	int64 expected;
	Snapshot snapshot; /* what is staged, and what is deleted of it in the end */
	MemoryContext cxt;
	Tuplestorestate *store; /* what is to be done, or shown */
	TupleDesc desc;			/* of the plan; NULL: it has no row */
	ReturnSetInfo *shown;	/* where the plan goes row by row; NULL: it is counted, and carried out */
	int64 rows;				/* in store */
	int64 staged;
	int64 leaving; /* living assets that are merged or retired */
	int64 retired; /* rows in store whose asset is retired after the run */
	int64 counts[CEC_SYNC_OUTCOMES];
	int64 applied; /* of the last batch: rows that the others have carried out, and counted */
	TimestampTz started_at;
	int batch_no;	/* 0: it is no batch */
	char *last_tag; /* of the rows taken so far */
	DateADT today;
	CecIds refused; /* rows of the plan that are not carried out */
	List *refusals; /* what they were refused with, in sync_apply.c */
} CecSync;

extern int cec_sync_outcome(Datum outcome);
extern void cec_sync_plan(CecSync *sync);
extern void cec_sync_check_plan(CecSync *sync);
extern bool cec_sync_plan_batch(CecSync *sync, text *after, int64 limit);
extern void cec_sync_apply(CecSync *sync);
extern void cec_sync_record(CecSync *sync);
extern int64 cec_sync_add_run(CecSync *sync, const char *error);
extern void cec_sync_draft_consequences(CecSync *sync, int64 run_id);
extern void cec_sync_tell_overwritten(CecSync *sync, int64 run_id);
extern void cec_sync_close_stale(CecSync *sync);

#endif
