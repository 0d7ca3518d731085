/*
 * probe.c
 *		Looks rows up by a bigint or text key through a btree index, a microsecond a look-up.
 *
 * For statements that ask the same question of many keys: it is what a nested loop over an index does, without a plan
 * to set up, and it neither sorts nor spills.
 *
 * Where a column stands and which index serves it is remembered: one entry a table and column in each backend, for
 * the session, until a relcache message for the table, which creating or dropping an index sends too.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

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

/* The literal that names a column stands for it: two literals of one name make two entries, which does no harm. */
typedef struct ColumnKey
{
	const char *column;
	uintptr_t relid; /* as wide as a pointer, or the padding would be part of the key */
} ColumnKey;

typedef struct ColumnEntry
{
	ColumnKey key;
	AttrNumber attnum;
	Oid index; /* invalid until it was asked for */
} ColumnEntry;

static HTAB *columns = NULL; /* of ColumnEntry */

static void
forget_columns(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	ColumnEntry *entry;

	hash_seq_init(&status, columns);
	while ((entry = hash_seq_search(&status)) != NULL)
		if (relid == InvalidOid || entry->key.relid == relid)
			hash_search(columns, &entry->key, HASH_REMOVE, NULL);
}

/* Prepares what is remembered; called once when the library is loaded. */
void
cec_probe_init(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(ColumnKey);
	ctl.entrysize = sizeof(ColumnEntry);
	ctl.hcxt = CacheMemoryContext;
	columns = hash_create("cec columns", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(forget_columns, (Datum) 0);
}

/* The entry stays until the next relcache message, so until the next lock at the latest. */
static ColumnEntry *
find_column(Oid relid, const char *column)
{
	ColumnKey key = {column, relid};
	ColumnEntry *entry = hash_search(columns, &key, HASH_FIND, NULL);

	if (entry == NULL)
	{
		/* Looked up first: this may process messages. */
		AttrNumber attnum = get_attnum(relid, column);

		entry = hash_search(columns, &key, HASH_ENTER, NULL);
		entry->attnum = attnum;
		entry->index = InvalidOid;
	}
	return entry;
}

/* Attribute number of a column, which is a literal; an error when there is none of that name. */
AttrNumber
cec_column_number(Oid relid, const char *column)
{
	AttrNumber attnum = find_column(relid, column)->attnum;

	if (attnum == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of table \"%s\" does not exist", column, get_rel_name(relid))));
	return attnum;
}

/* An index in use whose first column is the given one and that leaves no row out. */
static Relation
open_index(Relation rel, const char *column)
{
	ColumnEntry *entry = find_column(RelationGetRelid(rel), column);
	AttrNumber attnum = entry->attnum;
	List *indexes;
	ListCell *cell;

	if (OidIsValid(entry->index))
		return index_open(entry->index, AccessShareLock);
	indexes = RelationGetIndexList(rel);
	foreach (cell, indexes)
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		if (index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indisvalid &&
			index->rd_index->indkey.values[0] == attnum && RelationGetIndexPredicate(index) == NIL)
		{
			find_column(RelationGetRelid(rel), column)->index = RelationGetRelid(index);
			return index;
		}
		index_close(index, AccessShareLock);
	}
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("table \"%s\" has no index on \"%s\"", RelationGetRelationName(rel), column),
					errhint("Give it back the indexes that cec.create_portfolio made.")));
	return NULL;
}

/* Starts looking rows of a table up by a column, as the snapshot shows them; it must stay registered. */
CecProbe *
cec_probe_begin(Oid relid, const char *column, Snapshot snapshot)
{
	CecProbe *probe = palloc(sizeof(CecProbe));

	probe->cxt = CurrentMemoryContext;
	probe->rel = table_open(relid, AccessShareLock);
	probe->index = open_index(probe->rel, column);
	probe->slot = table_slot_create(probe->rel, NULL);
	probe->scan = cec_compat_index_beginscan(probe->rel, probe->index, snapshot, 1);
	return probe;
}

static void
seek(CecProbe *probe, ScanKey key)
{
	MemoryContext old = MemoryContextSwitchTo(probe->cxt);

	index_rescan(probe->scan, key, 1, NULL, 0);
	MemoryContextSwitchTo(old);
}

/* Goes to the rows of a key. */
void
cec_probe_seek(CecProbe *probe, int64 key)
{
	ScanKeyData scankey;

	ScanKeyInit(&scankey, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(key));
	seek(probe, &scankey);
}

/* Goes to the rows of a key that is a text. */
void
cec_probe_seek_text(CecProbe *probe, Datum key)
{
	ScanKeyData scankey;

	ScanKeyEntryInitialize(&scankey, 0, 1, BTEqualStrategyNumber, TEXTOID, probe->index->rd_indcollation[0], F_TEXTEQ,
						   key);
	seek(probe, &scankey);
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

/* Attribute number of a column of the table. */
AttrNumber
cec_probe_column(CecProbe *probe, const char *column)
{
	return cec_column_number(RelationGetRelid(probe->rel), column);
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
