/*
 * remove.h
 *		Deleting a row that was read before.
 */
#ifndef CEC_REMOVE_H
#define CEC_REMOVE_H

#include "storage/itemptr.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

extern void cec_remove_row(Relation rel, ItemPointer tid, Snapshot snapshot, const char *detail);

#endif
