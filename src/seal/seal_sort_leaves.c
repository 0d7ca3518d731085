/*
 * seal_sort_leaves.c
 *		Puts leaves into the order of the tree: the server's own sort, which goes to disk above maintenance_work_mem.
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/tuplesort.h"

#include "seal/seal_sort_leaves.h"
#include "support/compat.h"

enum
{
	SORT_BLOCK_NO,
	SORT_SYSTEM_ID,
	SORT_XID,
	SORT_AUDIT_ID,
	SORT_MARK,
	SORT_LEAF
};

#define SORT_COLUMNS (SORT_LEAF + 1)
#define SIGN_BIT UINT64CONST(0x8000000000000000)

struct CecLeafSort
{
	Tuplesortstate *state;
	TupleTableSlot *in;
	TupleTableSlot *out;
	union
	{
		bytea header;
		char space[VARHDRSZ + CEC_HASH_LEN];
	} leaf;
};

/* Starts a sort; the caller ends it. */
CecLeafSort *
cec_leaf_sort_begin(CecLeafOrder order)
{
	static const struct
	{
		int count;
		AttrNumber keys[4];
	} orders[] = {
		[CEC_BY_TRANSACTION] = {2, {SORT_XID + 1, SORT_AUDIT_ID + 1}},
		[CEC_BY_BLOCK] = {4, {SORT_BLOCK_NO + 1, SORT_SYSTEM_ID + 1, SORT_XID + 1, SORT_AUDIT_ID + 1}},
		[CEC_BY_AUDIT_ID] = {2, {SORT_AUDIT_ID + 1, SORT_MARK + 1}},
	};
	CecLeafSort *sort = palloc(sizeof(CecLeafSort));
	TupleDesc desc = CreateTemplateTupleDesc(SORT_COLUMNS);
	AttrNumber keys[4];
	Oid operators[4];
	Oid collations[4] = {0};
	bool nulls_first[4] = {0};

	for (int i = 0; i < SORT_COLUMNS; i++)
		TupleDescInitEntry(desc, i + 1, NULL, i == SORT_LEAF ? BYTEAOID : INT8OID, -1, 0);
	memcpy(keys, orders[order].keys, sizeof(keys));
	for (int i = 0; i < 4; i++)
		operators[i] = Int8LessOperator;
	sort->state = tuplesort_begin_heap(desc, orders[order].count, keys, operators, collations, nulls_first,
									   maintenance_work_mem, NULL, TUPLESORT_NONE);
	sort->in = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	sort->out = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	memset(sort->in->tts_isnull, false, SORT_COLUMNS * sizeof(bool));
	SET_VARSIZE(&sort->leaf.header, VARHDRSZ + CEC_HASH_LEN);
	return sort;
}

/* Takes a row. */
void
cec_leaf_sort_put(CecLeafSort *sort, const CecSealedRow *row)
{
	Datum *values = sort->in->tts_values;

	ExecClearTuple(sort->in);
	values[SORT_BLOCK_NO] = Int64GetDatum(row->block_no);
	values[SORT_SYSTEM_ID] = Int64GetDatum(row->system_id);
	/* Numbers of transactions have no sign. */
	values[SORT_XID] = Int64GetDatum((int64) (row->xid ^ SIGN_BIT));
	values[SORT_AUDIT_ID] = Int64GetDatum(row->audit_id);
	values[SORT_MARK] = Int64GetDatum(row->mark);
	memcpy(VARDATA(&sort->leaf.header), row->leaf.bytes, CEC_HASH_LEN);
	values[SORT_LEAF] = PointerGetDatum(&sort->leaf.header);
	ExecStoreVirtualTuple(sort->in);
	tuplesort_puttupleslot(sort->state, sort->in);
}

/* Sorts what was put. */
void
cec_leaf_sort_perform(CecLeafSort *sort)
{
	tuplesort_performsort(sort->state);
}

/* The next row; false after the last. */
bool
cec_leaf_sort_next(CecLeafSort *sort, CecSealedRow *row)
{
	Datum *values = sort->out->tts_values;

	if (!tuplesort_gettupleslot(sort->state, true, false, sort->out, NULL))
		return false;
	slot_getallattrs(sort->out);
	row->block_no = DatumGetInt64(values[SORT_BLOCK_NO]);
	row->system_id = DatumGetInt64(values[SORT_SYSTEM_ID]);
	row->xid = (uint64) DatumGetInt64(values[SORT_XID]) ^ SIGN_BIT;
	row->audit_id = DatumGetInt64(values[SORT_AUDIT_ID]);
	row->mark = (int32) DatumGetInt64(values[SORT_MARK]);
	memcpy(row->leaf.bytes, VARDATA_ANY(DatumGetPointer(values[SORT_LEAF])), CEC_HASH_LEN);
	return true;
}

/* Lets go of the sort and its files. */
void
cec_leaf_sort_end(CecLeafSort *sort)
{
	ExecDropSingleTupleTableSlot(sort->in);
	ExecDropSingleTupleTableSlot(sort->out);
	tuplesort_end(sort->state);
	pfree(sort);
}
