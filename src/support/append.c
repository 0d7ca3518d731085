/*
 * append.c
 *		Appends rows to a table as COPY does: many tuples a page with one WAL record each, then their index entries.
 *
 * No triggers, no constraints, no privileges: the caller guarantees what they would.  One row is written at once;
 * buffered writing, with its slots and its pinned page, starts with the second row only, since it costs more than
 * a row does.
 *
 * All is allocated in the context that was current at cec_append_begin.  cec_append_end must be reached, or the
 * transaction aborts and its resource owner lets go of page and relations.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "support/append.h"
#include "support/compat.h"

/* Rows are buffered up to so many, and so many bytes, as COPY does. */
#define BATCH 500
#define BATCH_BYTES 65535

struct CecAppender
{
	Relation rel;
	EState *estate;
	ResultRelInfo *target;
	BulkInsertState bulk;
	CommandId cid;
	MemoryContext cxt;
	int used;
	Size bytes;
	TupleTableSlot *slots[BATCH];
	int nslots;
};

/* Starts appending to rel, which the caller has opened with RowExclusiveLock. */
CecAppender *
cec_append_begin(Relation rel)
{
	CecAppender *appender = palloc(sizeof(CecAppender));

	appender->rel = rel;
	appender->cxt = CurrentMemoryContext;
	appender->estate = CreateExecutorState();
	appender->target = makeNode(ResultRelInfo);
	InitResultRelInfo(appender->target, rel, 0, NULL, 0);
	ExecOpenIndices(appender->target, false);
	appender->bulk = NULL;
	appender->cid = GetCurrentCommandId(true);
	appender->used = 0;
	appender->bytes = 0;
	appender->nslots = 0;
	return appender;
}

/* An empty slot for the next row: fill tts_values and tts_isnull of all columns, then call cec_append_row. */
TupleTableSlot *
cec_append_slot(CecAppender *appender)
{
	if (appender->used == appender->nslots)
	{
		MemoryContext old = MemoryContextSwitchTo(appender->cxt);

		appender->slots[appender->nslots++] = table_slot_create(appender->rel, NULL);
		MemoryContextSwitchTo(old);
	}
	return ExecClearTuple(appender->slots[appender->used]);
}

static void
index_row(CecAppender *appender, TupleTableSlot *slot)
{
	if (appender->target->ri_NumIndices > 0)
	{
		cec_compat_insert_index_tuples(appender->target, slot, appender->estate);
		ResetPerTupleExprContext(appender->estate);
	}
}

/* Writes what is buffered. */
static void
flush_rows(CecAppender *appender)
{
	if (appender->used == 1)
		table_tuple_insert(appender->rel, appender->slots[0], appender->cid, 0, appender->bulk);
	else if (appender->used > 1)
	{
		MemoryContext old = MemoryContextSwitchTo(appender->cxt);

		if (appender->bulk == NULL && appender->bytes >= BATCH_BYTES / 2)
			appender->bulk = GetBulkInsertState();
		/* heap_multi_insert leaks what it builds. */
		MemoryContextSwitchTo(GetPerTupleMemoryContext(appender->estate));
		table_multi_insert(appender->rel, appender->slots, appender->used, appender->cid, 0, appender->bulk);
		MemoryContextSwitchTo(old);
	}

	for (int i = 0; i < appender->used; i++)
		index_row(appender, appender->slots[i]);
	/* Cleared last: the tuples of heap_multi_insert live in the per-tuple context no longer than this. */
	for (int i = 0; i < appender->used; i++)
		ExecClearTuple(appender->slots[i]);
	ResetPerTupleExprContext(appender->estate);
	appender->used = 0;
	appender->bytes = 0;
	CHECK_FOR_INTERRUPTS();
}

/*
 * Takes the row in the slot that cec_append_slot gave.  Its values must stay until the row is written: materialised
 * here, since they come from the caller's per-row memory.
 */
void
cec_append_row(CecAppender *appender)
{
	TupleTableSlot *slot = appender->slots[appender->used];

	ExecStoreVirtualTuple(slot);
	ExecMaterializeSlot(slot);
	slot->tts_tableOid = RelationGetRelid(appender->rel);
	appender->bytes += ExecFetchSlotHeapTuple(slot, true, NULL)->t_len;
	if (++appender->used == BATCH || appender->bytes >= BATCH_BYTES)
		flush_rows(appender);
}

/* Writes the rest and lets go of everything but the relation, which is the caller's. */
void
cec_append_end(CecAppender *appender)
{
	flush_rows(appender);
	for (int i = 0; i < appender->nslots; i++)
		ExecDropSingleTupleTableSlot(appender->slots[i]);
	if (appender->bulk != NULL)
		FreeBulkInsertState(appender->bulk);
	table_finish_bulk_insert(appender->rel, 0);
	ExecCloseIndices(appender->target);
	FreeExecutorState(appender->estate);
	pfree(appender);
}
