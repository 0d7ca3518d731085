/*
 * replace.c
 *		Replaces one row of a table, with its index entries: no triggers, no constraints but unique ones, no privileges.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "executor/executor.h"

#include "support/compat.h"
#include "support/replace.h"

/* Fetches a row into a slot made by table_slot_create, deformed; false when the snapshot does not show it. */
bool
cec_replace_fetch(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	if (!table_tuple_fetch_row_version(rel, tid, snapshot, slot))
		return false;
	slot_getallattrs(slot);
	return true;
}

/*
 * Puts the row in the slot, a virtual one, in the place of the row at tid.  The caller has opened the table with
 * RowExclusiveLock.  An error is raised when somebody else changed the row meanwhile.
 */
void
cec_replace_row(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	EState *estate = CreateExecutorState();
	ResultRelInfo *target = makeNode(ResultRelInfo);
	bool indexes_change;

	InitResultRelInfo(target, rel, 0, NULL, 0);
	ExecOpenIndices(target, false);
	slot->tts_tableOid = RelationGetRelid(rel);
	indexes_change = cec_compat_update_tuple(rel, tid, slot, snapshot);
	if (indexes_change && target->ri_NumIndices > 0)
		cec_compat_insert_index_tuples(target, slot, estate);
	ExecCloseIndices(target);
	FreeExecutorState(estate);
}
