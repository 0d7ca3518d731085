/*
 * probe.c
 *		Looks rows up by a bigint or text key through a btree index, a microsecond a look-up.
 *
 * For statements that ask the same question of many keys: it is what a nested loop over an index does, without a plan
 * to set up, and it neither sorts nor spills.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "support/column.h"
#include "support/compat.h"
#include "support/probe.h"

struct CecProbe
{
	Relation rel;
	Relation index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	TupleTableSlot *locked; /* the row as cec_probe_lock has locked it; NULL until then */
	int natts;				/* so many columns of a row are deformed */
	bool is_at_row;			/* cec_probe_row was asked for the key last, and nobody has sought another one since */
	int64 key;
	bool found;
	MemoryContext cxt; /* where the scan lives: the index keeps memory of its own from look-up to look-up */
};

/* Whether an index is in use, begins with the column, and leaves no row out; found without opening it. */
static bool
begins_with(Oid indexid, AttrNumber attnum)
{
	HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(indexid));
	Form_pg_index index;
	bool result;

	if (!HeapTupleIsValid(tuple))
		return false;
	index = (Form_pg_index) GETSTRUCT(tuple);
	result =
		index->indisvalid && index->indkey.values[0] == attnum && heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	ReleaseSysCache(tuple);
	return result;
}

/* An index in use whose first column is the given one, of this type, and that leaves no row out.  Errors: 55000. */
Oid
cec_probe_index(Relation rel, const char *column, Oid typid)
{
	AttrNumber attnum = cec_column_require_nullable(rel, column, typid);
	Oid family = typid == TEXTOID ? TEXT_BTREE_FAM_OID : INTEGER_BTREE_FAM_OID;
	List *indexes = RelationGetIndexList(rel);
	ListCell *cell;

	foreach (cell, indexes)
	{
		Oid indexid = lfirst_oid(cell);
		Relation index;
		bool fits;

		if (!begins_with(indexid, attnum))
			continue;
		index = index_open(indexid, AccessShareLock);
		fits = index->rd_rel->relkind == RELKIND_INDEX && index->rd_rel->relam == BTREE_AM_OID &&
			   index->rd_opfamily[0] == family;
		index_close(index, AccessShareLock);
		if (fits)
		{
			list_free(indexes);
			return indexid;
		}
	}
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("table \"%s\" has no btree index on \"%s\"", RelationGetRelationName(rel), column),
					errhint("Restore the indexes that cec.create_portfolio made.")));
	return InvalidOid;
}

/*
 * Starts looking rows of an open table up by an index that cec_probe_index has found, locked in this mode.  Of each row the
 * first natts columns are deformed.  Otherwise as cec_probe_begin.
 */
CecProbe *
cec_probe_begin_at(Relation rel, Oid indexid, LOCKMODE lock, int natts, Snapshot snapshot)
{
	CecProbe *probe = palloc(sizeof(CecProbe));

	probe->cxt = CurrentMemoryContext;
	probe->rel = rel;
	probe->index = index_open(indexid, lock);
	probe->slot = table_slot_create(probe->rel, NULL);
	probe->locked = NULL;
	probe->natts = natts;
	probe->is_at_row = false;
	probe->scan = cec_compat_index_beginscan(probe->rel, probe->index, snapshot, 1);
	return probe;
}

/*
 * Starts looking rows of an open table up by a bigint column, as the snapshot shows them; it must stay registered.  The probe
 * closes the table.
 */
CecProbe *
cec_probe_begin(Relation rel, const char *column, Snapshot snapshot)
{
	return cec_probe_begin_at(rel, cec_probe_index(rel, column, INT8OID), AccessShareLock, RelationGetDescr(rel)->natts,
							  snapshot);
}

/* The same by a column of type text. */
CecProbe *
cec_probe_begin_text(Relation rel, const char *column, Snapshot snapshot)
{
	return cec_probe_begin_at(rel, cec_probe_index(rel, column, TEXTOID), AccessShareLock, RelationGetDescr(rel)->natts,
							  snapshot);
}

/* Goes to the rows of a bigint key. */
void
cec_probe_seek(CecProbe *probe, int64 key)
{
	ScanKeyData scankey;
	MemoryContext old;

	probe->is_at_row = false;
	ScanKeyInit(&scankey, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(key));
	old = MemoryContextSwitchTo(probe->cxt);
	index_rescan(probe->scan, &scankey, 1, NULL, 0);
	MemoryContextSwitchTo(old);
}

/* The same for a key of type text, which must stay until the last of its rows was read. */
void
cec_probe_seek_text(CecProbe *probe, Datum key)
{
	ScanKeyData scankey;
	MemoryContext old;

	probe->is_at_row = false;
	ScanKeyEntryInitialize(&scankey, 0, 1, BTEqualStrategyNumber, InvalidOid, probe->index->rd_indcollation[0],
						   F_TEXTEQ, key);
	old = MemoryContextSwitchTo(probe->cxt);
	index_rescan(probe->scan, &scankey, 1, NULL, 0);
	MemoryContextSwitchTo(old);
}

/* The next row of the key, deformed, or NULL; it stays until the next call. */
TupleTableSlot *
cec_probe_next(CecProbe *probe)
{
	MemoryContext old = MemoryContextSwitchTo(probe->cxt);
	bool found = index_getnext_slot(probe->scan, ForwardScanDirection, probe->slot);

	MemoryContextSwitchTo(old);
	probe->is_at_row = false;
	if (!found)
		return NULL;
	slot_getsomeattrs(probe->slot, probe->natts);
	return probe->slot;
}

/*
 * The one row of a key that is unique, or NULL.  Asked for the same key again, it is not read again; whoever comes by a
 * shared probe with other questions in between only costs that.
 */
TupleTableSlot *
cec_probe_row(CecProbe *probe, int64 key)
{
	if (!probe->is_at_row || probe->key != key)
	{
		cec_probe_seek(probe, key);
		probe->found = cec_probe_next(probe) != NULL;
		probe->key = key;
		probe->is_at_row = true;
	}
	return probe->found ? probe->slot : NULL;
}

static void
refuse_changed(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("could not serialize access due to concurrent update"),
			 errhint("The transaction might succeed if retried.")));
}

/*
 * Locks the row of a key that is unique, until the end of the transaction, as SELECT … FOR NO KEY UPDATE does: waits for
 * whoever is changing it, and locks what the row has become.  False when there is none, or none of that key any more.  Above
 * READ COMMITTED a row that was changed meanwhile raises 40001.  The table is locked with RowShareLock or more.
 */
bool
cec_probe_lock(CecProbe *probe, int64 key)
{
	TM_FailureData failure;
	ItemPointerData tid;
	TM_Result result;
	MemoryContext old;
	bool isnull;
	Datum value;

	cec_probe_seek(probe, key);
	if (cec_probe_next(probe) == NULL)
		return false;
	if (probe->locked == NULL)
	{
		old = MemoryContextSwitchTo(probe->cxt);
		probe->locked = table_slot_create(probe->rel, NULL);
		MemoryContextSwitchTo(old);
	}
	tid = probe->slot->tts_tid;
	old = MemoryContextSwitchTo(probe->cxt);
	result = table_tuple_lock(probe->rel, &tid, probe->scan->xs_snapshot, probe->locked, GetCurrentCommandId(true),
							  LockTupleNoKeyExclusive, LockWaitBlock,
							  TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS |
								  (IsolationUsesXactSnapshot() ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION),
							  &failure);
	MemoryContextSwitchTo(old);
	switch (result)
	{
		case TM_Ok:
			if (!failure.traversed)
				return true;
			value = slot_getattr(probe->locked, probe->index->rd_index->indkey.values[0], &isnull);
			return !isnull && DatumGetInt64(value) == key;
		case TM_SelfModified:
			return false;
		case TM_Updated:
		case TM_Deleted:
			if (IsolationUsesXactSnapshot())
				refuse_changed();
			if (result == TM_Deleted)
				return false;
			break;
		default:
			break;
	}
	elog(ERROR, "could not lock a row: %d", (int) result);
	return false;
}

/* Reads as another snapshot shows rows from here on; it must stay registered. */
void
cec_probe_use_snapshot(CecProbe *probe, Snapshot snapshot)
{
	probe->is_at_row = false;
	probe->scan->xs_snapshot = snapshot;
}

/* Attribute number of a column of the table, which must have this type and may be NULL. */
AttrNumber
cec_probe_nullable_column(CecProbe *probe, const char *column, Oid typid)
{
	return cec_column_require_nullable(probe->rel, column, typid);
}

/* Attribute number of a column of the table, which must have this type and is never NULL. */
AttrNumber
cec_probe_column(CecProbe *probe, const char *column, Oid typid)
{
	return cec_column_require(probe->rel, column, typid);
}

/* The table that is looked into. */
Relation
cec_probe_relation(CecProbe *probe)
{
	return probe->rel;
}

/* Lets go of table and index; their locks stay until the end of the transaction. */
void
cec_probe_end(CecProbe *probe)
{
	index_endscan(probe->scan);
	if (probe->locked != NULL)
		ExecDropSingleTupleTableSlot(probe->locked);
	ExecDropSingleTupleTableSlot(probe->slot);
	index_close(probe->index, NoLock);
	table_close(probe->rel, NoLock);
	pfree(probe);
}
