/*
 * portfolio_cache.c
 *		One cache entry a portfolio in each backend.
 *
 * Key: oid of the schema, so a portfolio that was dropped and made again under its name is another one.  Lifetime:
 * the session, in a context of its own below CacheMemoryContext.  Invalidation: any change of a schema (a rename changes
 * the text of every query, a new owner who is acted as) marks the entry, which is then built anew at the next look-up.  What it
 * remembers of its relations is portfolio_open.c's.  An entry whose plans may be running is not freed: while a trigger of ours is
 * on the stack (pin count above 0) a replaced entry waits in a list for the next look-up outside.
 */
#include "postgres.h"

#include "init.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "portfolio/portfolio_cache.h"
#include "support/compat.h"

static HTAB *portfolios = NULL; /* of CacheSlot */
static List *retired = NIL;		/* replaced entries, in CacheMemoryContext */
static int pins = 0;

typedef struct CacheSlot
{
	Oid nspid; /* key */
	CecPortfolio *entry;
} CacheSlot;

static void
invalidate_by_schema(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS status;
	CacheSlot *slot;

	hash_seq_init(&status, portfolios);
	while ((slot = hash_seq_search(&status)) != NULL)
		if (slot->entry != NULL)
			slot->entry->valid = false;
}

/* An aborted transaction may have unwound past the unpin; at top level nothing of ours can be running. */
static void
unpin_at_end(XactEvent event, void *arg)
{
	pins = 0;
}

/* The same for a subtransaction: what was running when it began is still running. */
static void
unpin_at_subabort(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	static int *pins_before = NULL; /* by nesting level */
	static int levels = 0;
	int level = GetCurrentTransactionNestLevel();

	if (event == SUBXACT_EVENT_START_SUB && level >= levels)
	{
		int *larger = MemoryContextAllocZero(TopMemoryContext, 2 * (level + 1) * sizeof(int));

		if (levels > 0)
		{
			memcpy(larger, pins_before, levels * sizeof(int));
			pfree(pins_before);
		}
		pins_before = larger;
		levels = 2 * (level + 1);
	}
	if (event == SUBXACT_EVENT_START_SUB)
		pins_before[level] = pins;
	else if (event == SUBXACT_EVENT_ABORT_SUB && level < levels)
		pins = pins_before[level];
}

/* Prepares the cache; called once when the library is loaded. */
void
cec_portfolio_cache_init(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(CacheSlot);
	ctl.hcxt = CacheMemoryContext;
	portfolios = hash_create("cec portfolios", 8, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterSyscacheCallback(NAMESPACEOID, invalidate_by_schema, (Datum) 0);
	RegisterXactCallback(unpin_at_end, NULL);
	RegisterSubXactCallback(unpin_at_subabort, NULL);
}

static void
free_entry(CecPortfolio *entry)
{
	cec_plans_free(entry->plans);
	MemoryContextDelete(entry->cxt);
}

static CecPortfolio *
build_entry(Oid nspid)
{
	HeapTuple tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(nspid));
	MemoryContext cxt;
	CecPortfolio *entry;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_SCHEMA), errmsg("schema with OID %u does not exist", nspid)));

	cxt = AllocSetContextCreate(CurrentMemoryContext, "cec portfolio", ALLOCSET_SMALL_SIZES);
	entry = MemoryContextAllocZero(cxt, sizeof(CecPortfolio));
	entry->nspid = nspid;
	entry->owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	entry->cxt = cxt;
	entry->plans =
		cec_plans_create(cxt, nspid, quote_identifier(NameStr(((Form_pg_namespace) GETSTRUCT(tuple))->nspname)));
	cec_portfolio_open_init(entry);
	entry->valid = true;
	ReleaseSysCache(tuple);
	MemoryContextSetParent(cxt, CacheMemoryContext);
	return entry;
}

/*
 * Acts as the owner of the portfolio from here on, as cec_act_as says, until cec_act_as_self.  The owner is the schema's,
 * and every relation that is opened is his: nobody is acted for whose tables these are not.  What he attached to them runs
 * restricted: it can leave nothing behind that runs as the caller later.
 */
void
cec_portfolio_act(CecActAs *act, CecPortfolio *portfolio)
{
	cec_act_as(act, portfolio->owner, SECURITY_RESTRICTED_OPERATION);
}

/*
 * Whether the current user may run the portfolio's own function of that name, as levels of access let him.  Others who may create
 * functions in the schema give no rights by theirs.
 */
bool
cec_portfolio_may_run(CecPortfolio *portfolio, const char *function_name, int count, const Oid *argtypes)
{
	char *schema = get_namespace_name(portfolio->nspid);
	Oid function;
	HeapTuple tuple;
	bool is_own;
	bool is_open;

	if (schema == NULL)
		return false;
	function =
		LookupFuncName(list_make2(makeString(schema), makeString(pstrdup(function_name))), count, argtypes, true);
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		return false;
	is_own = ((Form_pg_proc) GETSTRUCT(tuple))->proowner == portfolio->owner;
	/* As where privileges were not restored: nobody but the owner was given it. */
	is_open = heap_attisnull(tuple, Anum_pg_proc_proacl, NULL);
	ReleaseSysCache(tuple);
	return is_own && (!is_open || has_privs_of_role(GetUserId(), portfolio->owner)) &&
		   cec_compat_may_run(function, GetUserId());
}

/* The schema that is the first argument of a function.  Errors: 22004. */
Oid
cec_portfolio_argument(FunctionCallInfo fcinfo)
{
	if (PG_NARGS() == 0 || PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the portfolio must not be NULL")));
	return PG_GETARG_OID(0);
}

/*
 * The entry of a schema, built if there is none that is valid.  It stays usable until the caller's pin is let go.  That
 * the schema is a portfolio shows when its tables are opened.  Errors: 3F000 when there is no such schema.
 */
CecPortfolio *
cec_portfolio_get(Oid nspid)
{
	bool found;
	CacheSlot *slot;
	CecPortfolio *entry;

	if (pins == 0 && retired != NIL)
	{
		while (retired != NIL)
		{
			entry = linitial(retired);
			retired = list_delete_first(retired);
			free_entry(entry);
		}
	}

	slot = hash_search(portfolios, &nspid, HASH_ENTER, &found);
	if (!found)
		slot->entry = NULL;
	if (slot->entry != NULL && slot->entry->valid)
		return slot->entry;

	if (slot->entry != NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(CacheMemoryContext);

		retired = lappend(retired, slot->entry);
		slot->entry = NULL;
		MemoryContextSwitchTo(old);
	}

	entry = build_entry(nspid);
	slot->entry = entry;
	return entry;
}

/* From here on entries that are handed out stay allocated, until as many unpins or the end of the (sub)transaction. */
void
cec_portfolio_pin(void)
{
	pins++;
}

/* Undoes one cec_portfolio_pin; after an error the end of the (sub)transaction does. */
void
cec_portfolio_unpin(void)
{
	Assert(pins > 0);
	pins--;
}

/* How many pins there are: with one alone nothing further up the stack uses what was cached. */
int
cec_portfolio_pins(void)
{
	return pins;
}
