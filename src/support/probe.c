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
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "column.h"
#include "compat.h"
#include "probe.h"

struct CecProbe
{
	Relation rel;
	Relation index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
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

/* An index in use whose first column is the given one, of this type, and that leaves no row out. */
static Relation
open_index(Relation rel, const char *column, Oid typid)
{
	AttrNumber attnum = cec_column_require_nullable(rel, column, typid);
	Oid family = typid == TEXTOID ? TEXT_BTREE_FAM_OID : INTEGER_BTREE_FAM_OID;
	List *indexes = RelationGetIndexList(rel);
	ListCell *cell;

	foreach (cell, indexes)
	{
		Relation index;

		if (!begins_with(lfirst_oid(cell), attnum))
			continue;
		index = index_open(lfirst_oid(cell), AccessShareLock);
		if (index->rd_rel->relkind == RELKIND_INDEX && index->rd_rel->relam == BTREE_AM_OID &&
			index->rd_opfamily[0] == family)
		{
			list_free(indexes);
			return index;
		}
		index_close(index, AccessShareLock);
	}
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("table \"%s\" has no btree index on \"%s\"", RelationGetRelationName(rel), column),
					errhint("Restore the indexes that cec.create_portfolio made.")));
	return NULL;
}

static CecProbe *
begin_probe(Relation rel, const char *column, Oid typid, Snapshot snapshot)
{
	CecProbe *probe = palloc(sizeof(CecProbe));

	probe->cxt = CurrentMemoryContext;
	probe->rel = rel;
	probe->index = open_index(probe->rel, column, typid);
	probe->slot = table_slot_create(probe->rel, NULL);
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
	return begin_probe(rel, column, INT8OID, snapshot);
}

/* The same by a column of type text. */
CecProbe *
cec_probe_begin_text(Relation rel, const char *column, Snapshot snapshot)
{
	return begin_probe(rel, column, TEXTOID, snapshot);
}

/* Goes to the rows of a bigint key. */
void
cec_probe_seek(CecProbe *probe, int64 key)
{
	ScanKeyData scankey;
	MemoryContext old;

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
	if (!found)
		return NULL;
	slot_getallattrs(probe->slot);
	return probe->slot;
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
	ExecDropSingleTupleTableSlot(probe->slot);
	index_close(probe->index, NoLock);
	table_close(probe->rel, NoLock);
	pfree(probe);
}
