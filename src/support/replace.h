/*
 * replace.h
 *		Replacing one row of a table past its triggers.
 */
#ifndef CEC_REPLACE_H
#define CEC_REPLACE_H

#include "executor/tuptable.h"
#include "storage/itemptr.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

extern bool cec_replace_fetch(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot);
extern void cec_replace_row(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot);

#endif
