/*
 * heap_write.c
 *		Appends, replaces and removes rows of a table, with their index entries: no triggers, no constraints but unique ones, no
 *		privileges.  The caller guarantees what they would, and has opened the table with RowExclusiveLock.
 *
 * Appending goes as in COPY: many tuples a page with one WAL record each, then their index entries.  One row is written at
 * once; buffered writing, with its slots and its pinned page, starts with the second row only, since it costs more than
 * a row does.  All is allocated in the context that was current at cec_append_begin.  cec_append_end must be reached, or the
 * transaction aborts and its resource owner lets go of page and relations.
 *
 * A row that is replaced or removed was read before.  One that somebody else has changed meanwhile raises 40001; for a row that
 * is removed above READ COMMITTED also one that the transaction's own snapshot does not show: it was written by somebody whom
 * the transaction does not know of.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "support/compat.h"
#include "support/heap_write.h"
#include "support/slot.h"

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

/* Starts appending to a table. */
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

/* A slot for the next row, all NULL: set the columns that are not, then call cec_append_row. */
TupleTableSlot *
cec_append_slot(CecAppender *appender)
{
	TupleTableSlot *slot;

	if (appender->used == appender->nslots)
	{
		MemoryContext old = MemoryContextSwitchTo(appender->cxt);

		appender->slots[appender->nslots++] = table_slot_create(appender->rel, NULL);
		MemoryContextSwitchTo(old);
	}
	slot = ExecClearTuple(appender->slots[appender->used]);
	cec_slot_set_all_null(slot);
	return slot;
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

/* Fetches a row into a slot made by table_slot_create, deformed; false when the snapshot does not show it. */
bool
cec_replace_fetch(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	if (!table_tuple_fetch_row_version(rel, tid, snapshot, slot))
		return false;
	slot_getallattrs(slot);
	return true;
}

/* Puts the row in the slot, a virtual one, in the place of the row at tid. */
void
cec_replace_row(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	EState *estate = CreateExecutorState();
	ResultRelInfo *target = makeNode(ResultRelInfo);
	bool indexes_change;

	InitResultRelInfo(target, rel, 0, NULL, 0);
	ExecOpenIndices(target, false);
	slot->tts_tableOid = RelationGetRelid(rel);
	indexes_change = cec_compat_update_tuple(rel, tid, slot, snapshot);
	if (indexes_change && target->ri_NumIndices > 0)
		cec_compat_insert_index_tuples(target, slot, estate);
	ExecCloseIndices(target);
	FreeExecutorState(estate);
}

/* Deletes the row at tid; the detail says in a full sentence what another transaction has changed. */
void
cec_remove_row(Relation rel, ItemPointer tid, Snapshot snapshot, const char *detail)
{
	TM_FailureData failure;
	TM_Result result = table_tuple_delete(rel, tid, GetCurrentCommandId(true), snapshot,
										  IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : InvalidSnapshot,
										  true, &failure, false);

	if (result != TM_Ok)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("could not serialize access due to concurrent update"), errdetail("%s", detail),
						errhint("The transaction might succeed if retried.")));
}
