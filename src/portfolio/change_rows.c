/*
 * change_rows.c
 *		Reads the rows of a changed statement.
 *
 * Transition rows are read from their tuplestores, each through a read pointer of its own; SQL never sees them.  Rows that
 * an UPDATE left as they were are none of the change.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/datum.h"

#include "portfolio/change.h"
#include "support/column.h"
#include "support/slot.h"

/* Starts reading the rows of a change; several readers of one change do not disturb each other. */
void
cec_rows_begin(CecRows *rows, CecChange *change)
{
	TupleDesc desc = RelationGetDescr(change->rel);

	memset(rows, 0, sizeof(CecRows));
	rows->change = change;
	if (change->old_rows != NULL)
	{
		rows->old_slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
		rows->old_pointer = tuplestore_alloc_read_pointer(change->old_rows, EXEC_FLAG_REWIND);
		tuplestore_select_read_pointer(change->old_rows, rows->old_pointer);
		tuplestore_rescan(change->old_rows);
	}
	if (change->new_rows != NULL)
	{
		rows->new_slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
		rows->new_pointer = tuplestore_alloc_read_pointer(change->new_rows, EXEC_FLAG_REWIND);
		tuplestore_select_read_pointer(change->new_rows, rows->new_pointer);
		tuplestore_rescan(change->new_rows);
	}
}

/* Moves to the next row; false after the last.  The slots hold it until the next call. */
bool
cec_rows_next(CecRows *rows)
{
	if (rows->old_slot != NULL)
	{
		tuplestore_select_read_pointer(rows->change->old_rows, rows->old_pointer);
		rows->old_row =
			tuplestore_gettupleslot(rows->change->old_rows, true, false, rows->old_slot) ? rows->old_slot : NULL;
	}
	if (rows->new_slot != NULL)
	{
		tuplestore_select_read_pointer(rows->change->new_rows, rows->new_pointer);
		rows->new_row =
			tuplestore_gettupleslot(rows->change->new_rows, true, false, rows->new_slot) ? rows->new_slot : NULL;
	}
	if (rows->old_slot != NULL && rows->new_slot != NULL && (rows->old_row == NULL) != (rows->new_row == NULL))
		elog(ERROR, "transition tables differ in length");
	return rows->old_row != NULL || rows->new_row != NULL;
}

/* Lets go of the reader's slots. */
void
cec_rows_end(CecRows *rows)
{
	if (rows->old_slot != NULL)
		ExecDropSingleTupleTableSlot(rows->old_slot);
	if (rows->new_slot != NULL)
		ExecDropSingleTupleTableSlot(rows->new_slot);
}

/* Whether a column has the same value in two rows of the changed table, bit by bit; both are deformed. */
bool
cec_rows_same_value(TupleTableSlot *one, TupleTableSlot *other, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(one->tts_tupleDescriptor, attnum - 1);
	bool null = cec_slot_isnull(one, attnum);

	return null == cec_slot_isnull(other, attnum) &&
		   (null ||
			datum_image_eq(cec_slot_value(one, attnum), cec_slot_value(other, attnum), att->attbyval, att->attlen));
}

/* Makes the values of both rows readable. */
void
cec_rows_deform(CecRows *rows)
{
	if (rows->old_row != NULL)
		slot_getallattrs(rows->old_row);
	if (rows->new_row != NULL)
		slot_getallattrs(rows->new_row);
}

/* Whether a row is new or gone, or says something else in a column; what there is of both is deformed. */
bool
cec_rows_differ(CecChange *change, CecRows *rows, const char *column)
{
	return rows->old_row == NULL || rows->new_row == NULL ||
		   !cec_rows_same_value(rows->old_row, rows->new_row, cec_column_find(change->rel, column));
}

/* Whether the statement touched no row at all. */
bool
cec_change_is_empty(CecChange *change)
{
	return (change->old_rows == NULL || tuplestore_tuple_count(change->old_rows) == 0) &&
		   (change->new_rows == NULL || tuplestore_tuple_count(change->new_rows) == 0);
}

/* Whether two rows are the same to the byte, as those of an UPDATE that sets what is there already mostly are. */
static bool
same_bytes(TupleTableSlot *one, TupleTableSlot *other)
{
	MinimalTuple a = ((MinimalTupleTableSlot *) one)->mintuple;
	MinimalTuple b = ((MinimalTupleTableSlot *) other)->mintuple;

	return a->t_len == b->t_len && a->t_hoff == b->t_hoff &&
		   (a->t_infomask2 & HEAP_NATTS_MASK) == (b->t_infomask2 & HEAP_NATTS_MASK) &&
		   (a->t_infomask & HEAP_HASNULL) == (b->t_infomask & HEAP_HASNULL) &&
		   memcmp(a->t_bits, b->t_bits, a->t_len - offsetof(MinimalTupleData, t_bits)) == 0;
}

static bool
same_row(TupleTableSlot *one, TupleTableSlot *other)
{
	TupleDesc desc = one->tts_tupleDescriptor;

	if (same_bytes(one, other))
		return true;
	slot_getallattrs(one);
	slot_getallattrs(other);
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped && !cec_rows_same_value(one, other, i + 1))
			return false;
	return true;
}

/*
 * Takes out of an UPDATE the rows that it left as they were: nothing is recorded of them, nor follows from them.  What is
 * left, if that is less, is in tuplestores of the change's own, for the caller to let go of.
 */
void
cec_rows_leave_out_unchanged(CecChange *change)
{
	Tuplestorestate *old_rows;
	Tuplestorestate *new_rows;
	int64 same = 0;
	CecRows rows;

	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
		same += same_row(rows.old_row, rows.new_row);
	cec_rows_end(&rows);
	if (same == 0)
		return;
	old_rows = tuplestore_begin_heap(true, false, work_mem);
	new_rows = tuplestore_begin_heap(true, false, work_mem);
	if (same < tuplestore_tuple_count(change->new_rows))
	{
		cec_rows_begin(&rows, change);
		while (cec_rows_next(&rows))
			if (!same_row(rows.old_row, rows.new_row))
			{
				tuplestore_puttupleslot(old_rows, rows.old_row);
				tuplestore_puttupleslot(new_rows, rows.new_row);
			}
		cec_rows_end(&rows);
	}
	change->old_rows = old_rows;
	change->new_rows = new_rows;
}
