/*
 * portfolio_cache.c
 *		One cache entry a portfolio in each backend: the relations and plans that its triggers need.
 *
 * Key: oid of the schema, so a portfolio that was dropped and made again under its name is another one.  Lifetime:
 * the session, in a context of its own below CacheMemoryContext.  Invalidation: a relcache message for one of its
 * relations, or any change of a schema (a rename changes the text of every query); the entry is then marked and
 * built anew at the next look-up.  An entry whose plans may be running is not freed: while a trigger of ours is on the
 * stack (pin count above 0) a replaced entry waits in a list for the next look-up outside.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "nodes/pg_list.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "portfolio_cache.h"

static HTAB *portfolios = NULL; /* of CacheSlot */
static List *retired = NIL;		/* replaced entries, in CacheMemoryContext */
static int pins = 0;

typedef struct CacheSlot
{
	Oid nspid; /* key */
	CecPortfolio *entry;
} CacheSlot;

static void
invalidate_by_relation(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	CacheSlot *slot;

	hash_seq_init(&status, portfolios);
	while ((slot = hash_seq_search(&status)) != NULL)
		if (slot->entry != NULL &&
			(relid == InvalidOid || relid == slot->entry->gate || relid == slot->entry->audit_log))
			slot->entry->valid = false;
}

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
	CacheRegisterRelcacheCallback(invalidate_by_relation, (Datum) 0);
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

/* Oid of a table of the portfolio; 55000 when there is none, and so the schema is no portfolio. */
Oid
cec_portfolio_relation(CecPortfolio *portfolio, const char *name)
{
	Oid relid = get_relname_relid(name, portfolio->nspid);

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("schema \"%s\" is not a portfolio", get_namespace_name(portfolio->nspid)),
				 errdetail("It has no table \"%s\".", name), errhint("Portfolios are made by cec.create_portfolio.")));
	return relid;
}

/*
 * Holds a table against the portfolio's log.  The engine reads and writes a portfolio past all privileges: a table on
 * which it does so must belong to whoever owns the log, not just lie in the same schema.  Error: 42501.
 */
void
cec_portfolio_check_owner(CecPortfolio *portfolio, Relation rel)
{
	Relation log = table_open(portfolio->audit_log, AccessShareLock);
	Oid owner = log->rd_rel->relowner;

	table_close(log, NoLock);
	if (owner != rel->rd_rel->relowner)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("table \"%s\" and the audit log of its portfolio have different owners",
							   RelationGetRelationName(rel)),
						errhint("Give all tables of a portfolio to one role.")));
}

static CecPortfolio *
build_entry(Oid nspid)
{
	char *schema = get_namespace_name(nspid);
	MemoryContext cxt;
	CecPortfolio *entry;

	if (schema == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_SCHEMA), errmsg("schema with OID %u does not exist", nspid)));

	cxt = AllocSetContextCreate(CacheMemoryContext, "cec portfolio", ALLOCSET_SMALL_SIZES);
	entry = MemoryContextAllocZero(cxt, sizeof(CecPortfolio));
	entry->nspid = nspid;
	entry->cxt = cxt;
	entry->plans = cec_plans_create(cxt, quote_identifier(schema));
	return entry;
}

/* Fills in the relations and says that the entry is valid; after an error it is not. */
static void
find_relations(CecPortfolio *entry)
{
	/* Look-ups below may process an invalidation of this very entry: say valid before, so that it can be taken back. */
	entry->valid = true;
	PG_TRY();
	{
		entry->gate = cec_portfolio_relation(entry, "gate");
		entry->audit_log = cec_portfolio_relation(entry, "audit_log");
	}
	PG_CATCH();
	{
		entry->valid = false;
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/*
 * The entry of a portfolio, built if there is none that is valid.  It stays usable until the caller's pin is let go.
 * Errors: 55000 when the schema is not a portfolio.
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

	find_relations(entry);
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

/*
 * Takes the portfolio's gate for the rest of the transaction.  A relation lock, because waiting for one processes
 * invalidations: whoever wakes sees the rules and settings that the holder committed.
 */
void
cec_portfolio_lock_gate(Oid nspid, LOCKMODE mode)
{
	LockRelationOid(cec_portfolio_get(nspid)->gate, mode);
}

/* The same without waiting; false when somebody is in the way. */
bool
cec_portfolio_try_gate(Oid nspid, LOCKMODE mode)
{
	return ConditionalLockRelationOid(cec_portfolio_get(nspid)->gate, mode);
}
