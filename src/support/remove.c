/*
 * remove.c
 *		Deletes a row that was read before.  No triggers, no privileges: the caller guarantees what they would.
 *
 * Above READ COMMITTED the row is held against the transaction's own snapshot: one that the transaction cannot see was
 * written by somebody it does not know of, and the loser gets 40001.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "utils/snapmgr.h"

#include "support/remove.h"

/* Deletes the row; the detail says in a full sentence what another transaction has changed. */
void
cec_remove_row(Relation rel, ItemPointer tid, Snapshot snapshot, const char *detail)
{
	TM_FailureData failure;
	TM_Result result = table_tuple_delete(rel, tid, GetCurrentCommandId(true), snapshot,
										  IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : InvalidSnapshot,
										  true, &failure, false);

	if (result != TM_Ok)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("could not serialize access due to concurrent update"), errdetail("%s", detail),
						errhint("The transaction might succeed if retried.")));
}
