/*
 * key_probe.c
 *		Looks rows up by a function of a text column, through a btree index with text_pattern_ops over the function.
 *
 * That class keeps keys in the order of their bytes, whatever the collation: so a stretch of keys that begin alike is one
 * range of the index.  Ranges are read from the index alone, without visiting rows; they may hold keys of rows that are
 * gone, and whoever needs the row seeks its key.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/itup.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "nodes/nodes.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "support/column.h"
#include "support/compat.h"
#include "support/key_probe.h"

struct CecKeyProbe
{
	Relation rel;
	Relation index;
	IndexScanDesc equal;
	IndexScanDesc range;
	TupleTableSlot *slot;
	Datum bounds[2]; /* of the scan that runs */
	MemoryContext cxt;
};

/*
 * Whether an index is in use, leaves no row out, and has only the function of the column, in the order of bytes.  Its
 * expression is read as it is stored: the relation cache would run what can be computed beforehand.
 */
static bool
is_over(Relation index, Oid function, AttrNumber attnum)
{
	FuncExpr *expr;
	HeapTuple tuple;
	Datum stored;
	bool is_whole;
	bool isnull;

	if (!index->rd_index->indisvalid || index->rd_index->indnatts != 1 || index->rd_index->indkey.values[0] != 0 ||
		index->rd_rel->relam != BTREE_AM_OID || index->rd_opfamily[0] != TEXT_PATTERN_BTREE_FAM_OID)
		return false;
	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(RelationGetRelid(index)));
	if (!HeapTupleIsValid(tuple))
		return false;
	stored = SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indexprs, &isnull);
	is_whole = !isnull && heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	expr = is_whole ? linitial((List *) stringToNode(TextDatumGetCString(stored))) : NULL;
	ReleaseSysCache(tuple);
	return is_whole && IsA(expr, FuncExpr) && expr->funcid == function && list_length(expr->args) == 1 &&
		   IsA(linitial(expr->args), Var) && linitial_node(Var, expr->args)->varattno == attnum;
}

static Relation
find_index(Relation rel, Oid function, AttrNumber attnum)
{
	List *indexes = RelationGetIndexList(rel);
	Relation result = NULL;
	ListCell *cell;

	foreach (cell, indexes)
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		if (is_over(index, function, attnum))
		{
			result = index;
			break;
		}
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	return result;
}

/*
 * Starts looking rows of an open table up by function(column), as the snapshot shows them; it must stay registered.  NULL
 * when there is no index for that.
 */
CecKeyProbe *
cec_key_probe_begin(Relation rel, const char *column, Oid function, Snapshot snapshot)
{
	Relation index = find_index(rel, function, cec_column_require_nullable(rel, column, TEXTOID));
	CecKeyProbe *probe;

	if (index == NULL)
		return NULL;
	probe = palloc0(sizeof(CecKeyProbe));
	probe->cxt = CurrentMemoryContext;
	probe->rel = rel;
	probe->index = index;
	probe->slot = table_slot_create(rel, NULL);
	probe->equal = cec_compat_index_beginscan(rel, index, snapshot, 1);
	probe->range = cec_compat_index_beginscan(rel, index, snapshot, 2);
	probe->range->xs_want_itup = true;
	return probe;
}

static void
keep_bound(CecKeyProbe *probe, int place, CecKey key)
{
	if (probe->bounds[place] != (Datum) 0)
		pfree(DatumGetPointer(probe->bounds[place]));
	probe->bounds[place] = PointerGetDatum(cstring_to_text_with_len(key.bytes, key.len));
}

/* Goes to the rows of a key. */
void
cec_key_probe_seek(CecKeyProbe *probe, CecKey key)
{
	ScanKeyData scankey;
	MemoryContext old = MemoryContextSwitchTo(probe->cxt);

	keep_bound(probe, 0, key);
	ScanKeyEntryInitialize(&scankey, 0, 1, BTEqualStrategyNumber, InvalidOid, probe->index->rd_indcollation[0],
						   F_TEXTEQ, probe->bounds[0]);
	index_rescan(probe->equal, &scankey, 1, NULL, 0);
	MemoryContextSwitchTo(old);
}

/* The next row of the key, deformed, or NULL; it stays until the next call. */
TupleTableSlot *
cec_key_probe_next(CecKeyProbe *probe)
{
	MemoryContext old = MemoryContextSwitchTo(probe->cxt);
	bool found = index_getnext_slot(probe->equal, ForwardScanDirection, probe->slot);

	MemoryContextSwitchTo(old);
	if (!found)
		return NULL;
	slot_getallattrs(probe->slot);
	return probe->slot;
}

/* Goes to the keys from one on, that included, to another one, which is not. */
void
cec_key_probe_seek_range(CecKeyProbe *probe, CecKey from, CecKey to)
{
	ScanKeyData scankeys[2];
	MemoryContext old = MemoryContextSwitchTo(probe->cxt);

	keep_bound(probe, 0, from);
	keep_bound(probe, 1, to);
	ScanKeyEntryInitialize(&scankeys[0], 0, 1, BTGreaterEqualStrategyNumber, InvalidOid,
						   probe->index->rd_indcollation[0], F_TEXT_PATTERN_GE, probe->bounds[0]);
	ScanKeyEntryInitialize(&scankeys[1], 0, 1, BTLessStrategyNumber, InvalidOid, probe->index->rd_indcollation[0],
						   F_TEXT_PATTERN_LT, probe->bounds[1]);
	index_rescan(probe->range, scankeys, 2, NULL, 0);
	MemoryContextSwitchTo(old);
}

/* The next key of the range, in the order of bytes, which stays until the next call; false after the last. */
bool
cec_key_probe_next_key(CecKeyProbe *probe, CecKey *key)
{
	MemoryContext old = MemoryContextSwitchTo(probe->cxt);
	bool found = index_getnext_tid(probe->range, ForwardScanDirection) != NULL;
	bool isnull;
	Datum value;
	text *unpacked;

	MemoryContextSwitchTo(old);
	if (!found)
		return false;
	value = index_getattr(probe->range->xs_itup, 1, probe->range->xs_itupdesc, &isnull);
	if (isnull)
		elog(ERROR, "a range of keys in index \"%s\" has a NULL", RelationGetRelationName(probe->index));
	unpacked = DatumGetTextPP(value);
	key->bytes = VARDATA_ANY(unpacked);
	key->len = VARSIZE_ANY_EXHDR(unpacked);
	return true;
}

/* Lets go of the index; its lock stays until the end of the transaction. */
void
cec_key_probe_end(CecKeyProbe *probe)
{
	index_endscan(probe->range);
	index_endscan(probe->equal);
	ExecDropSingleTupleTableSlot(probe->slot);
	index_close(probe->index, NoLock);
	pfree(probe);
}
