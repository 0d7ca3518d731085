/*
 * change.h
 *		A changed statement on a table of a portfolio, or a change of the engine's own, and who wants to know of it.
 */
#ifndef CEC_CHANGE_H
#define CEC_CHANGE_H

#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "utils/date.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "portfolio/delta.h"
#include "portfolio/reading.h"
#include "support/id_list.h"

typedef enum CecOperation
{
	CEC_INSERT,
	CEC_UPDATE,
	CEC_DELETE,
	CEC_REFRESH, /* these two are the engine's own: the day turned, or damage is mended */
	CEC_RECOMPUTE
} CecOperation;

/* What happens after a statement, in this order. */
typedef enum CecStage
{
	CEC_STAGE_DEFINE,  /* definitions are checked, and all sessions told that they changed */
	CEC_STAGE_COLLECT, /* the assets whose cover may change; nothing is written */
	CEC_STAGE_LOCK,
	CEC_STAGE_VALIDATE,
	CEC_STAGE_COVER,
	CEC_STAGE_AUDIT,  /* after cover, since the log tells what changed in it */
	CEC_STAGE_FIND,	  /* from here on triggers of the user's may run: all that they can change is recorded */
	CEC_STAGE_PUBLISH /* the outbox alone: events are added before (src/outbox/outbox_write.h) */
} CecStage;

#define CEC_STAGE_COUNT (CEC_STAGE_PUBLISH + 1)

typedef struct CecChange
{
	CecPortfolio *portfolio;
	Relation rel;			/* NULL when the change is the engine's own */
	const char *table_name; /* as the design names it; a shard's relation name differs */
	CecOperation operation;
	Tuplestorestate *old_rows; /* NULL for INSERT, and for what is the engine's own */
	Tuplestorestate *new_rows; /* NULL for DELETE, and for what is the engine's own */
	Oid caller;				   /* who ran the statement; the engine itself acts as the table's owner */
	DateADT day;			   /* of a refresh: the day that it has come to */
	CecIds assets;			   /* whose cover may change; from LOCK on with all below them, in order, locked */
	bool has_members;		   /* from LOCK on: some of them have others below them */
	CecIds facts;			   /* those of them that rules may judge otherwise now; from LOCK on in order */
	CecIds concerned;	 /* other assets that something is decided about, and that are locked with them; in order */
	CecReading *reading; /* cec_change_reading says it */
	CecDelta delta;		 /* the statement's instant, what rules decided, and from COVER on what changed in cover */
	struct CecStoredTree *kept; /* see cec_change_keep */
	MemoryContext cxt;			/* everything lives there */
	MemoryContext outer_cxt;
} CecChange;

/* Reads the rows of a change; old and new rows of an UPDATE come in pairs. */
typedef struct CecRows
{
	CecChange *change;
	TupleTableSlot *old_row; /* NULL when there is none */
	TupleTableSlot *new_row;
	TupleTableSlot *old_slot;
	TupleTableSlot *new_slot;
	int old_pointer;
	int new_pointer;
} CecRows;

typedef void (*CecChangeHandler)(CecChange *change);

extern void cec_change_register(CecStage stage, const char *table_name, CecChangeHandler handler);
extern void cec_cover_register(CecStage stage, CecChangeHandler handler);
extern void cec_change_begin(CecChange *change, CecPortfolio *portfolio, const char *table_name, CecOperation operation,
							 Oid caller);
extern void cec_change_run(CecChange *change);
extern void cec_change_end(CecChange *change);
extern void *cec_change_keep(CecChange *change, const void *key, Size size);
extern void *cec_change_kept(CecChange *change, const void *key);
extern void cec_rows_begin(CecRows *rows, CecChange *change);
extern bool cec_rows_next(CecRows *rows);
extern void cec_rows_end(CecRows *rows);
extern bool cec_rows_same_value(TupleTableSlot *one, TupleTableSlot *other, AttrNumber attnum);
extern void cec_rows_deform(CecRows *rows);
extern bool cec_rows_differ(CecChange *change, CecRows *rows, const char *column);
extern bool cec_change_is_empty(CecChange *change);
extern void cec_rows_leave_out_unchanged(CecChange *change);
extern bool cec_change_may_tell(CecChange *change, const char *table_name);
extern CecReading *cec_change_reading(CecChange *change);
extern bool cec_change_may_dangle(CecChange *change);
extern CecIds
cec_change_follow(CecChange *change, const CecIds *keys, const char *table, const char *key_column, const char *column);

#endif
