/*
 * guard.c
 *		Keeps other people's functions from running as whoever called the engine.
 *
 * Where the engine asks on behalf of its caller, the tables are somebody else's, and so is the code that hangs on them:
 * functions in indexes, statistics, constraints, policies, triggers and types.  What hangs there can be looked at before,
 * but not held still: a function can be altered while a statement runs, an index be made between the look and the plan.
 * So what decides is the moment at which a function starts.  While a guard is up, none starts as the guarded user but the
 * server's own, those of extensions that are not volatile or that no query can call.  A function that runs as its own
 * owner (SECURITY DEFINER), and whatever runs while the engine acts as the owner of the portfolio, has another user.
 *
 * The server asks for each function when it looks it up whether somebody wants to hear of its start, so a guard must be up
 * by then; what was looked up before belongs to statements that began before.
 */
#include "postgres.h"

#include "init.h"
#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "support/grow.h"
#include "support/guard.h"

/* A guard that is up, and the nesting of transactions in which it was raised. */
typedef struct Guard
{
	Oid user;
	int level;
} Guard;

/* A function that is not the server's. */
typedef struct Known
{
	Oid function; /* key */
	bool is_trusted;
} Known;

static Guard *guards = NULL;
static int depth = 0;
static int space = 0;
static HTAB *known = NULL;
static needs_fmgr_hook_type next_needs = NULL;
static fmgr_hook_type next_hook = NULL;

/* No query has a value of type internal, so none can call what takes one. */
static bool
takes_internal(Form_pg_proc proc)
{
	for (int i = 0; i < proc->pronargs; i++)
		if (proc->proargtypes.values[i] == INTERNALOID)
			return true;
	return false;
}

static bool
find_trust(Oid function)
{
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc proc;
	bool result;

	if (!HeapTupleIsValid(tuple))
		return false;
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	result = (proc->provolatile != PROVOLATILE_VOLATILE || proc->prorettype == TRIGGEROID || takes_internal(proc)) &&
			 superuser_arg(proc->proowner) && OidIsValid(getExtensionOfObject(ProcedureRelationId, function));
	ReleaseSysCache(tuple);
	return result;
}

static bool
is_trusted(Oid function)
{
	Known *entry;
	bool found;

	if (function < FirstNormalObjectId)
		return true;
	entry = hash_search(known, &function, HASH_FIND, NULL);
	if (entry == NULL)
	{
		bool trust = find_trust(function);

		entry = hash_search(known, &function, HASH_ENTER, &found);
		entry->is_trusted = trust;
	}
	return entry->is_trusted;
}

static bool
is_guarded(Oid user)
{
	for (int i = 0; i < depth; i++)
		if (guards[i].user == user)
			return true;
	return false;
}

/* Whether the server should tell when the function starts. */
static bool
needs_watch(Oid function)
{
	return (depth > 0 && !is_trusted(function)) || (next_needs != NULL && next_needs(function));
}

static void
watch(FmgrHookEventType event, FmgrInfo *function, Datum *arg)
{
	if (event == FHET_START && depth > 0 && is_guarded(GetUserId()) && !is_trusted(function->fn_oid))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("function %s would run with your rights", format_procedure(function->fn_oid)),
						errdetail("It is attached to a table, an index, a policy, a trigger or a type that the engine "
								  "uses on your behalf."),
						errhint("Let its owner make the function SECURITY DEFINER, or ask as the owner of the "
								"portfolio.")));
	if (next_hook != NULL)
		next_hook(event, function, arg);
}

/* Raises a guard around the current user.  Returns what cec_guard_leave takes; errors take it down by themselves. */
int
cec_guard_enter(void)
{
	int before = depth;

	CEC_MAKE_ROOM_IN(TopMemoryContext, guards, depth, space, 8);
	guards[depth++] = (Guard){GetUserId(), GetCurrentTransactionNestLevel()};
	return before;
}

/* Takes it down again. */
void
cec_guard_leave(int before)
{
	depth = Min(depth, before);
}

static void
leave_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (depth > 0 && guards[depth - 1].level >= GetCurrentTransactionNestLevel())
			depth--;
}

static void
leave_transaction(XactEvent event, void *arg)
{
	depth = 0;
}

static void
forget(Datum arg, int cache, uint32 hash)
{
	HASH_SEQ_STATUS status;
	Known *entry;

	hash_seq_init(&status, known);
	while ((entry = hash_seq_search(&status)) != NULL)
		hash_search(known, &entry->function, HASH_REMOVE, NULL);
}

/* Called once when the library is loaded. */
void
cec_guard_init(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(Known);
	known = hash_create("cec trusted functions", 64, &ctl, HASH_ELEM | HASH_BLOBS);
	CacheRegisterSyscacheCallback(PROCOID, forget, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, forget, (Datum) 0);
	RegisterSubXactCallback(leave_subtransaction, NULL);
	RegisterXactCallback(leave_transaction, NULL);
	next_needs = needs_fmgr_hook;
	needs_fmgr_hook = needs_watch;
	next_hook = fmgr_hook;
	fmgr_hook = watch;
}
