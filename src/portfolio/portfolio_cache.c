/*
 * portfolio_cache.c
 *		One cache entry a portfolio in each backend, and the only way from a name to one of its relations.
 *
 * Nobody's schema is trusted (README.md): a relation is handed out only after it was held against what
 * cec.create_portfolio makes, under its lock.  That is done once an entry and again after the relation changed.
 *
 * Key: oid of the schema, so a portfolio that was dropped and made again under its name is another one.  Lifetime:
 * the session, in a context of its own below CacheMemoryContext.  Invalidation: any change of a schema (a rename changes
 * the text of every query, a new owner who is acted as) marks the entry, which is then built anew at the next look-up; a
 * relcache message for one of its relations makes that one be checked again.  An entry whose plans may be running is not freed: while a trigger of ours is on the
 * stack (pin count above 0) a replaced entry waits in a list for the next look-up outside.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "portfolio/portfolio_cache.h"
#include "portfolio/portfolio_check.h"
#include "support/cache.h"
#include "support/column.h"
#include "support/compat.h"

static HTAB *portfolios = NULL; /* of CacheSlot */
static List *retired = NIL;		/* replaced entries, in CacheMemoryContext */
static int pins = 0;

typedef struct CacheSlot
{
	Oid nspid; /* key */
	CecPortfolio *entry;
} CacheSlot;

/* A table that was opened, and checked as of then. */
typedef struct Table
{
	NameData name; /* key */
	Oid relid;
	CecAsOf checked;
	bool is_checked_below; /* also for writing below SQL */
} Table;

/* Where a source's rows are found and its columns stand. */
typedef struct Place
{
	const CecSource *source; /* key */
	Table *table;
	CecAsOf as_of;
	Oid found; /* the index, or of a target the sequence; 0: not looked up yet */
	int natts; /* none of the columns stands behind so many */
	AttrNumber columns[CEC_SOURCE_COLUMNS];
} Place;

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
	HASHCTL ctl = {0};
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
	ctl.keysize = NAMEDATALEN;
	ctl.entrysize = sizeof(Table);
	ctl.hcxt = cxt;
	entry->tables = hash_create("cec tables", 32, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	ctl.keysize = sizeof(const CecSource *);
	ctl.entrysize = sizeof(Place);
	entry->places = hash_create("cec places", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	entry->valid = true;
	ReleaseSysCache(tuple);
	MemoryContextSetParent(cxt, CacheMemoryContext);
	return entry;
}

/* Raises unless the schema has a table of the name; tells its oid. */
static Oid
find_relation(CecPortfolio *portfolio, const char *name)
{
	Oid relid = get_relname_relid(name, portfolio->nspid);
	char *schema;

	if (OidIsValid(relid))
		return relid;
	schema = get_namespace_name(portfolio->nspid);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("schema \"%s\" is not a portfolio", schema != NULL ? schema : ""),
			 errdetail("It has no table \"%s\".", name), errhint("Portfolios are made by cec.create_portfolio.")));
}

static const CecTableShape *
shape_of(const char *name)
{
	const CecTableShape *shape = cec_shape_of_table(name);

	if (shape == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("portfolios have no table \"%s\"", name),
				 errhint("Portfolios are made by cec.create_portfolio.")));
	return shape;
}

static Table *
enter_table(CecPortfolio *portfolio, const char *name)
{
	bool found;
	Table *table = hash_search(portfolio->tables, name, HASH_ENTER, &found);

	if (!found)
	{
		table->relid = InvalidOid;
		cec_cache_forget(&table->checked);
	}
	return table;
}

static bool
is_checked(const Table *table)
{
	return cec_cache_holds(&table->checked);
}

/*
 * Checks the relation, which is open and locked, as the table.  Checks look into catalogs and may so process an
 * invalidation of this very relation: the answer is noted before, and holds no longer then.
 */
static void
check_relation(CecPortfolio *portfolio, Table *table, Relation rel, bool below)
{
	const CecTableShape *shape = shape_of(NameStr(table->name));

	table->checked = cec_cache_as_of(table->relid);
	table->is_checked_below = below;
	PG_TRY();
	{
		cec_check_table(rel, portfolio->owner, shape);
		if (below && rel->rd_rel->relkind == RELKIND_RELATION)
			cec_check_written_below(rel, shape);
		else if (below)
			cec_check_written(rel, shape);
	}
	PG_CATCH();
	{
		cec_cache_forget(&table->checked);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/* lock NoLock: whoever asks has locked the relation. */
static Relation
open_entry(CecPortfolio *portfolio, Table *table, LOCKMODE lock, bool below)
{
	const char *name = NameStr(table->name);
	Relation rel;

	for (;;)
	{
		Oid relid;

		if (!is_checked(table))
			table->relid = find_relation(portfolio, name);
		relid = table->relid;
		if (lock == NoLock)
			break;
		LockRelationOid(relid, lock);
		/* Waiting for the lock, another relation may have taken the name. */
		if (is_checked(table) || get_relname_relid(name, portfolio->nspid) == relid)
			break;
		UnlockRelationOid(relid, lock);
	}
	rel = relation_open(table->relid, NoLock);
	if (!is_checked(table) || (below && !table->is_checked_below))
		check_relation(portfolio, table, rel, below);
	return rel;
}

static Relation
open_table(CecPortfolio *portfolio, const char *name, LOCKMODE lock, bool below)
{
	return open_entry(portfolio, enter_table(portfolio, name), lock, below);
}

/*
 * Opens a table of the portfolio, locked.  It is an ordinary table of the schema's owner, with the columns and types that
 * the engine expects, and stays so while the lock is held.  The caller closes it.  Errors: 55000, naming what differs.
 */
Relation
cec_portfolio_open(CecPortfolio *portfolio, const char *table_name, LOCKMODE lock)
{
	return open_table(portfolio, table_name, lock, false);
}

/*
 * The same for a table whose rows are written without the server's executor: nothing is attached to it that would be
 * skipped.  Locked with RowExclusiveLock.
 */
Relation
cec_portfolio_open_below(CecPortfolio *portfolio, const char *table_name)
{
	return open_table(portfolio, table_name, RowExclusiveLock, true);
}

/*
 * Opens an ordinary table of the schema's owner, whatever its columns are, for code that reads each column by the type
 * that it has: the one that holds tables against the log.
 */
Relation
cec_portfolio_open_any(CecPortfolio *portfolio, const char *table_name, LOCKMODE lock)
{
	Oid relid;
	Relation rel;

	for (;;)
	{
		relid = find_relation(portfolio, table_name);
		LockRelationOid(relid, lock);
		if (get_relname_relid(table_name, portfolio->nspid) == relid)
			break;
		UnlockRelationOid(relid, lock);
	}
	rel = relation_open(relid, NoLock);
	cec_check_kind(rel, portfolio->owner);
	return rel;
}

/* Raises where a statement that writes the table would leave something behind for whoever commits.  Errors: 55000. */
void
cec_portfolio_check_written(CecPortfolio *portfolio, const char *table_name)
{
	Relation rel = cec_portfolio_open(portfolio, table_name, AccessShareLock);

	cec_check_written(rel, shape_of(table_name));
	relation_close(rel, NoLock);
}

static Place *
enter_place(CecPortfolio *portfolio, const CecSource *source)
{
	bool found;
	Place *place = hash_search(portfolio->places, &source, HASH_ENTER, &found);

	if (!found)
	{
		place->table = NULL; /* what comes now can fail */
		place->found = InvalidOid;
	}
	if (place->table == NULL)
		place->table = enter_table(portfolio, source->table);
	return place;
}

/* Finds columns and index in the table, which is open and locked. */
static void
find_place(Place *place, Relation rel)
{
	const CecSource *source = place->source;

	/* Looking into catalogs can process an invalidation of this very relation: then it is all found again next time. */
	place->as_of = cec_cache_as_of(RelationGetRelid(rel));
	place->found = InvalidOid;
	place->natts = 0;
	for (int i = 0; i < CEC_SOURCE_COLUMNS && source->columns[i].name != NULL; i++)
	{
		const CecSourceColumn *column = &source->columns[i];

		place->columns[i] = column->is_nullable ? cec_column_require_nullable(rel, column->name, column->type)
												: cec_column_require(rel, column->name, column->type);
		place->natts = Max(place->natts, place->columns[i]);
	}
	place->found = source->key != NULL ? cec_probe_index(rel, source->key, source->key_type)
									   : cec_compat_identity_sequence(rel, place->columns[0]);
}

/*
 * Starts looking into a source: its table is opened as cec_portfolio_open does, and it and the index are locked in this mode;
 * the table is not, where it is the one that the caller has locked (locked).  The columns are told in the order of the source.
 */
CecProbe *
cec_portfolio_look(CecPortfolio *portfolio, const CecSource *source, LOCKMODE lock, Oid locked, Snapshot snapshot,
				   const AttrNumber **columns)
{
	Place *place = enter_place(portfolio, source);
	Relation rel =
		open_entry(portfolio, place->table, OidIsValid(locked) && place->table->relid == locked ? NoLock : lock, false);

	if (!OidIsValid(place->found) || !cec_cache_holds(&place->as_of))
		find_place(place, rel);
	*columns = place->columns;
	return cec_probe_begin_at(rel, place->found, lock, place->natts, snapshot);
}

/*
 * Opens a target as cec_portfolio_open_below does, and tells its columns, in the order of the target, and the sequence that
 * numbers the first.
 */
Relation
cec_portfolio_open_target(CecPortfolio *portfolio, const CecTarget *target, const AttrNumber **columns, Oid *sequence)
{
	Place *place = enter_place(portfolio, target);
	Relation rel = open_entry(portfolio, place->table, RowExclusiveLock, true);

	if (!OidIsValid(place->found) || !cec_cache_holds(&place->as_of))
		find_place(place, rel);
	*columns = place->columns;
	*sequence = place->found;
	return rel;
}

/* Oid of a table, checked as cec_portfolio_open does; it stays locked as a reader locks it until the transaction ends. */
Oid
cec_portfolio_table(CecPortfolio *portfolio, const char *table_name)
{
	Relation rel = cec_portfolio_open(portfolio, table_name, AccessShareLock);
	Oid relid = RelationGetRelid(rel);

	relation_close(rel, NoLock);
	return relid;
}

/*
 * Makes sure that a relation, open and locked by whoever fired a trigger of ours on it, is that table of the portfolio.
 * A trigger function can be attached to any table.  Errors: 55000.
 */
void
cec_portfolio_adopt(CecPortfolio *portfolio, Relation rel, const char *table_name)
{
	Table *table = enter_table(portfolio, table_name);

	if (is_checked(table) && table->relid == RelationGetRelid(rel))
		return;
	table->relid = find_relation(portfolio, table_name);
	if (table->relid != RelationGetRelid(rel))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"%s\" is not the table \"%s\" of its schema", RelationGetRelationName(rel), table_name),
				 errhint("Triggers of the engine are attached by cec.create_portfolio and cec.upgrade_portfolio."),
				 errtable(rel)));
	check_relation(portfolio, table, rel, false);
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

/*
 * Takes the portfolio's gate for the rest of the transaction.  A relation lock, because waiting for one processes
 * invalidations: whoever wakes sees the rules and settings that the holder committed.
 */
void
cec_portfolio_lock_gate(Oid nspid, LOCKMODE mode)
{
	relation_close(cec_portfolio_open(cec_portfolio_get(nspid), "gate", mode), NoLock);
}

/* The same without waiting; false when somebody is in the way. */
bool
cec_portfolio_try_gate(Oid nspid, LOCKMODE mode)
{
	CecPortfolio *portfolio = cec_portfolio_get(nspid);
	Table *gate = enter_table(portfolio, "gate");

	if (!is_checked(gate))
		relation_close(cec_portfolio_open(portfolio, "gate", AccessShareLock), AccessShareLock);
	return ConditionalLockRelationOid(gate->relid, mode);
}

/* Whether this transaction has the portfolio's gate in just this mode. */
bool
cec_portfolio_holds_gate(CecPortfolio *portfolio, LOCKMODE mode)
{
	Table *gate = enter_table(portfolio, "gate");

	return OidIsValid(gate->relid) && cec_compat_lock_held(gate->relid, mode);
}
