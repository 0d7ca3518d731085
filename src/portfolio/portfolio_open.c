/*
 * portfolio_open.c
 *		The only way from a name to a relation of a portfolio.
 *
 * Nobody's schema is trusted (README.md): a relation is handed out only after it was checked against what
 * cec.create_portfolio makes, under its lock.  That is done once an entry of the cache and again after the relation changed.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "portfolio/portfolio_cache.h"
#include "portfolio/portfolio_check.h"
#include "support/cache.h"
#include "support/column.h"
#include "support/compat.h"

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

/* Prepares an entry of the cache. */
void
cec_portfolio_open_init(CecPortfolio *portfolio)
{
	HASHCTL ctl = {0};

	ctl.keysize = NAMEDATALEN;
	ctl.entrysize = sizeof(Table);
	ctl.hcxt = portfolio->cxt;
	portfolio->tables = hash_create("cec tables", 32, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	ctl.keysize = sizeof(const CecSource *);
	ctl.entrysize = sizeof(Place);
	portfolio->places = hash_create("cec places", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
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
 * that it has: the one that compares tables with the log.
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
