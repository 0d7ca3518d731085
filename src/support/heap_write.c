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
 * Index entries are made as the server makes those of its own catalogs, without an executor's state.  Only an index with
 * expressions, a predicate that says more than that a column is not NULL, or a constraint that is an exclusion or deferrable
 * needs one; the engine declares no such index on what it writes here, whoever owns the tables may.
 *
 * A row that is replaced or removed was read before.  One that somebody else has changed meanwhile raises 40001; for a row that
 * is removed above READ COMMITTED also one that the transaction's own snapshot does not show: it was written by somebody whom
 * the transaction does not know of.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "support/compat.h"
#include "support/heap_write.h"
#include "support/slot.h"

/* Rows are buffered up to so many, and so many bytes, as COPY does. */
#define BATCH 500
#define BATCH_BYTES 65535

/* The indexes of a table that is written. */
typedef struct Indexes
{
	Relation rel;
	ResultRelInfo *target;
	AttrNumber *not_null; /* of each, the column without which a row has no entry; 0: there is none such */
	EState *estate;		  /* NULL: no index needs it */
} Indexes;

struct CecAppender
{
	Relation rel;
	Indexes indexes;
	BulkInsertState bulk;
	CommandId cid;
	MemoryContext cxt;
	MemoryContext batch_cxt; /* NULL before the first batch */
	int used;
	Size bytes;
	TupleTableSlot *slots[BATCH];
	int nslots;
};

struct CecReplacer
{
	Relation rel;
	Indexes indexes; /* rel is NULL until they are open */
	MemoryContext cxt;
};

/* The column of which a predicate says that it is not NULL, and nothing else; 0: there is no predicate, or another one. */
static AttrNumber
find_not_null(const IndexInfo *info)
{
	const NullTest *test = list_length(info->ii_Predicate) == 1 ? linitial(info->ii_Predicate) : NULL;

	if (test == NULL || !IsA(test, NullTest) || test->nulltesttype != IS_NOT_NULL || test->argisrow ||
		!IsA(test->arg, Var))
		return 0;
	return Max(((const Var *) test->arg)->varattno, 0);
}

static bool
needs_executor(Relation index, const IndexInfo *info)
{
	return info->ii_Expressions != NIL || (info->ii_Predicate != NIL && find_not_null(info) == 0) ||
		   info->ii_ExclusionOps != NULL || !index->rd_index->indimmediate;
}

static void
open_indexes(Indexes *indexes, Relation rel)
{
	bool needs = false;
	ResultRelInfo *target = makeNode(ResultRelInfo);

	indexes->rel = rel;
	indexes->target = target;
	target->ri_RelationDesc = rel;
	ExecOpenIndices(target, false);
	indexes->not_null = palloc(Max(target->ri_NumIndices, 1) * sizeof(AttrNumber));
	for (int i = 0; i < target->ri_NumIndices; i++)
	{
		indexes->not_null[i] = find_not_null(target->ri_IndexRelationInfo[i]);
		needs |= needs_executor(target->ri_IndexRelationDescs[i], target->ri_IndexRelationInfo[i]);
	}
	indexes->estate = needs ? CreateExecutorState() : NULL;
}

/* Makes the entries of a row that has its place. */
static void
index_row(const Indexes *indexes, TupleTableSlot *slot)
{
	const ResultRelInfo *target = indexes->target;

	if (indexes->estate != NULL)
	{
		cec_compat_insert_index_tuples(indexes->target, slot, indexes->estate);
		ResetPerTupleExprContext(indexes->estate);
		return;
	}
	for (int i = 0; i < target->ri_NumIndices; i++)
	{
		Relation index = target->ri_IndexRelationDescs[i];
		IndexInfo *info = target->ri_IndexRelationInfo[i];
		Datum values[INDEX_MAX_KEYS];
		bool isnull[INDEX_MAX_KEYS];

		if (!info->ii_ReadyForInserts || (indexes->not_null[i] != 0 && slot_attisnull(slot, indexes->not_null[i])))
			continue;
		FormIndexDatum(info, slot, NULL, values, isnull);
		index_insert(index, values, isnull, &slot->tts_tid, indexes->rel,
					 index->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
	}
}

static void
close_indexes(Indexes *indexes)
{
	ExecCloseIndices(indexes->target);
	if (indexes->estate != NULL)
		FreeExecutorState(indexes->estate);
	pfree(indexes->not_null);
	pfree(indexes->target);
}

/* Starts appending to a table. */
CecAppender *
cec_append_begin(Relation rel)
{
	CecAppender *appender = palloc(sizeof(CecAppender));

	appender->rel = rel;
	appender->cxt = CurrentMemoryContext;
	appender->batch_cxt = NULL;
	open_indexes(&appender->indexes, rel);
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

/* Writes what is buffered. */
static void
flush_rows(CecAppender *appender)
{
	MemoryContext old = CurrentMemoryContext;

	if (appender->used == 1)
		table_tuple_insert(appender->rel, appender->slots[0], appender->cid, 0, appender->bulk);
	else if (appender->used > 1)
	{
		MemoryContextSwitchTo(appender->cxt);
		if (appender->bulk == NULL && appender->bytes >= BATCH_BYTES / 2)
			appender->bulk = GetBulkInsertState();
		if (appender->batch_cxt == NULL)
			appender->batch_cxt = AllocSetContextCreate(appender->cxt, "cec batch", ALLOCSET_DEFAULT_SIZES);
		/* heap_multi_insert leaks what it builds, and so may indexes. */
		MemoryContextSwitchTo(appender->batch_cxt);
		table_multi_insert(appender->rel, appender->slots, appender->used, appender->cid, 0, appender->bulk);
	}

	for (int i = 0; i < appender->used; i++)
		index_row(&appender->indexes, appender->slots[i]);
	/* Cleared last: the tuples of heap_multi_insert live no longer than this. */
	for (int i = 0; i < appender->used; i++)
		ExecClearTuple(appender->slots[i]);
	MemoryContextSwitchTo(old);
	if (appender->batch_cxt != NULL)
		MemoryContextReset(appender->batch_cxt);
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
	close_indexes(&appender->indexes);
	if (appender->batch_cxt != NULL)
		MemoryContextDelete(appender->batch_cxt);
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

/* Begins to replace rows, in the current memory context. */
CecReplacer *
cec_replace_begin(Relation rel)
{
	CecReplacer *replacer = palloc0(sizeof(CecReplacer));

	replacer->rel = rel;
	replacer->cxt = CurrentMemoryContext;
	return replacer;
}

/* A transaction that keeps its snapshot may not change what it cannot see. */
static Snapshot
crosscheck(void)
{
	return IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : InvalidSnapshot;
}

static void
check_result(TM_Result result, const char *detail)
{
	if (result != TM_Ok)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("could not serialize access due to concurrent update"), errdetail("%s", detail),
						errhint("The transaction might succeed if retried.")));
}

/*
 * Puts the row in the slot, a virtual one, in the place of the row at tid; the detail says in a full sentence what another transaction
 * has changed.  Indexes are opened when a row needs new entries: most do not, since what they are found by stays.
 */
void
cec_replace_row(CecReplacer *replacer, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot, const char *detail)
{
	bool is_indexed;

	slot->tts_tableOid = RelationGetRelid(replacer->rel);
	check_result(cec_compat_update_tuple(replacer->rel, tid, slot, snapshot, crosscheck(), &is_indexed), detail);
	if (!is_indexed)
		return;
	if (replacer->indexes.rel == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(replacer->cxt);

		open_indexes(&replacer->indexes, replacer->rel);
		MemoryContextSwitchTo(old);
	}
	index_row(&replacer->indexes, slot);
}

/* Is done with replacing rows. */
void
cec_replace_end(CecReplacer *replacer)
{
	if (replacer->indexes.rel != NULL)
		close_indexes(&replacer->indexes);
	pfree(replacer);
}

/* Deletes the row at tid; the detail as above. */
void
cec_remove_row(Relation rel, ItemPointer tid, Snapshot snapshot, const char *detail)
{
	TM_FailureData failure;

	check_result(table_tuple_delete(rel, tid, GetCurrentCommandId(true), snapshot, crosscheck(), true, &failure, false),
				 detail);
}
