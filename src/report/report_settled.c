/*
 * report_settled.c
 *		Until when the log of a portfolio is settled: whatever is recorded as of that instant or before is committed, or gone.
 *
 * An entry bears an instant that its statement read from the clock after it had taken the portfolio's gate, and the gate is kept
 * until the transaction ends.  So what is not settled belongs to a holder of the gate, and bears an instant no earlier than that
 * transaction's beginning; who takes the gate later than this looks reads the clock later.  Whoever held it before and is no
 * longer among the holders is finished, and shows in a snapshot taken from now on.
 *
 * The clock must not be set back meanwhile.  When a prepared transaction began is known to nobody.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/twophase.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "portfolio/portfolio_cache.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_settled_until);

static void
refuse_prepared(TransactionId xid)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("a prepared transaction has written, and nobody knows since when"),
					errdetail("It is transaction %u.", xid),
					errhint("The view pg_prepared_xacts has its name: COMMIT PREPARED or ROLLBACK PREPARED ends it.")));
}

/* What a process said of itself when its words were copied. */
static const PgBackendStatus *
find_status(int pid)
{
	int count = pgstat_fetch_stat_numbackends();

	for (int i = 1; i <= count; i++)
	{
		const PgBackendStatus *status = cec_compat_backend_status(i);

		if (status->st_procpid == pid)
			return status;
	}
	elog(ERROR, "process %d says nothing of itself", pid);
}

/*
 * The earliest beginning among those who hold the gate, but for this transaction.  What processes say of themselves is copied
 * before it is looked whether they still run the transaction: so what they said was of that one.  Who says nothing
 * (track_activities) cannot have begun before the process did.
 */
static TimestampTz
oldest_beginning(Oid gate)
{
	LOCKTAG tag;
	int count;
	VirtualTransactionId *holders;
	TimestampTz oldest = DT_NOEND;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, gate);
	holders = GetLockConflicts(&tag, ShareLock, &count);
	pgstat_clear_backend_activity_snapshot();
	(void) pgstat_fetch_stat_numbackends();
	for (int i = 0; i < count; i++)
	{
		int pid;
		TransactionId xid;
		bool have_more;

		if (VirtualTransactionIdIsRecoveredPreparedXact(holders[i]))
			refuse_prepared(holders[i].localTransactionId);
		pid = cec_compat_pid_of(holders[i]);
		if (pid == 0)
		{
			xid = TwoPhaseGetXidByVirtualXID(holders[i], &have_more);
			if (TransactionIdIsValid(xid))
				refuse_prepared(xid);
		}
		else
		{
			const PgBackendStatus *status = find_status(pid);

			oldest = Min(oldest, status->st_xact_start_timestamp != 0 ? status->st_xact_start_timestamp
																	  : status->st_proc_start_timestamp);
		}
	}
	return oldest;
}

/* cec._settled_until(portfolio) */
Datum
cec_settled_until(PG_FUNCTION_ARGS)
{
	CecPortfolio *portfolio;
	Relation gate;
	TimestampTz settled = GetCurrentTimestamp();

	if (RecoveryInProgress())
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("a standby does not know who is still writing")));
	cec_portfolio_pin();
	portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	if (!cec_may_read_all(GetUserId(), cec_portfolio_table(portfolio, "audit_log")))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to follow the audit log"),
						errhint("It needs SELECT on audit_log, which levels auditor and admin have.")));
	gate = cec_portfolio_open(portfolio, "gate", AccessShareLock);
	if (cec_portfolio_holds_gate(portfolio, RowExclusiveLock) ||
		cec_portfolio_holds_gate(portfolio, ShareRowExclusiveLock))
		settled = Min(settled, GetCurrentTransactionStartTimestamp());
	settled = Min(settled, oldest_beginning(RelationGetRelid(gate)));
	table_close(gate, AccessShareLock);
	cec_portfolio_unpin();
	PG_RETURN_TIMESTAMPTZ(settled - 1);
}
