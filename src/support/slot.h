/*
 * slot.h
 *		The columns of a row in a slot, by attribute number.
 *
 * For reading the slot is deformed as far as the column; for writing it is one that is being filled.
 */
#ifndef CEC_SLOT_H
#define CEC_SLOT_H

#include "executor/tuptable.h"

static inline bool
cec_slot_isnull(const TupleTableSlot *slot, AttrNumber attnum)
{
	return slot->tts_isnull[attnum - 1];
}

static inline Datum
cec_slot_value(const TupleTableSlot *slot, AttrNumber attnum)
{
	return slot->tts_values[attnum - 1];
}

/* The value of a bigint column that is not NULL. */
static inline int64
cec_slot_int8(const TupleTableSlot *slot, AttrNumber attnum)
{
	return DatumGetInt64(slot->tts_values[attnum - 1]);
}

static inline void
cec_slot_set(TupleTableSlot *slot, AttrNumber attnum, Datum value)
{
	slot->tts_values[attnum - 1] = value;
	slot->tts_isnull[attnum - 1] = false;
}

static inline void
cec_slot_set_null(TupleTableSlot *slot, AttrNumber attnum)
{
	slot->tts_isnull[attnum - 1] = true;
}

static inline void
cec_slot_set_all_null(TupleTableSlot *slot)
{
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
}

#endif
