/*
 * statement_open.c
 *		Remembers which statements have begun, and are not over: between the gate before a statement and the trigger behind it.
 *
 * A statement may be within another one: in a trigger of the user's, or beside it (WITH).  What computes from all rows of a table, and from
 * then on from what statements say they changed, must know that there is one that has not said it yet.  What a subtransaction has begun
 * is forgotten where it is taken back.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "init.h"
#include "portfolio/statement_open.h"
#include "support/grow.h"

typedef struct Open
{
	Oid relid;
	SubTransactionId subid;
} Open;

static Open *open_statements = NULL;
static int64 open_count = 0;
static int64 open_space = 0;

static void
forget_all(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		open_count = 0;
}

static void
follow_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	int64 count = 0;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	for (int64 i = 0; i < open_count; i++)
	{
		Open statement = open_statements[i];

		if (statement.subid == mine)
		{
			if (event == SUBXACT_EVENT_ABORT_SUB)
				continue;
			statement.subid = parent;
		}
		open_statements[count++] = statement;
	}
	open_count = count;
}

/* A statement on a table begins. */
void
cec_statement_begins(Oid relid)
{
	CEC_MAKE_ROOM_IN(TopMemoryContext, open_statements, open_count, open_space, 8);
	open_statements[open_count++] = (Open){relid, GetCurrentSubTransactionId()};
}

/* The trigger behind it runs: the last one that has begun on the table. */
void
cec_statement_ends(Oid relid)
{
	for (int64 i = open_count - 1; i >= 0; i--)
		if (open_statements[i].relid == relid)
		{
			memmove(&open_statements[i], &open_statements[i + 1], (open_count - i - 1) * sizeof(Open));
			open_count--;
			return;
		}
}

/* Whether one on the table is not over. */
bool
cec_statement_is_open(Oid relid)
{
	for (int64 i = 0; i < open_count; i++)
		if (open_statements[i].relid == relid)
			return true;
	return false;
}

/* Registers with the transaction machinery. */
void
cec_statement_open_init(void)
{
	RegisterXactCallback(forget_all, NULL);
	RegisterSubXactCallback(follow_subtransaction, NULL);
}
