/*
 * portfolio_shape.c
 *		Reads what the tables of a portfolio look like, as it was taken from a template when the extension was installed.
 *
 * The extension keeps it in two tables of its own (shape.sql), which nobody but its owner writes.  A backend reads them
 * once, into a context of its own below CacheMemoryContext, and again after either of them changed (an update of the
 * extension).
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "portfolio/portfolio_shape.h"
#include "support/cache.h"
#include "support/grow.h"

static HTAB *shapes = NULL; /* of CecTableShape; NULL until read */
static MemoryContext shape_cxt = NULL;
static CecAsOf columns_as_of = {NULL};
static CecAsOf constraints_as_of = {NULL};

static CecTableShape *
enter_shape(HTAB *table, Name name)
{
	bool found;
	CecTableShape *shape = hash_search(table, NameStr(*name), HASH_ENTER, &found);

	if (!found)
		memset((char *) shape + sizeof(NameData), 0, sizeof(CecTableShape) - sizeof(NameData));
	return shape;
}

static void
take_column(HTAB *table, TupleTableSlot *row)
{
	CecTableShape *shape = enter_shape(table, DatumGetName(row->tts_values[0]));
	CecColumnShape *column;

	shape->columns = cec_grow(CurrentMemoryContext, shape->columns, (shape->ncolumns + 1) * sizeof(CecColumnShape));
	column = &shape->columns[shape->ncolumns++];
	shape->is_stated = DatumGetBool(row->tts_values[1]);
	column->name = *DatumGetName(row->tts_values[2]);
	column->type = DatumGetObjectId(row->tts_values[3]);
	column->typmod = DatumGetInt32(row->tts_values[4]);
	column->collation = DatumGetObjectId(row->tts_values[5]);
	column->is_not_null = DatumGetBool(row->tts_values[6]);
	column->generated = DatumGetChar(row->tts_values[7]);
	column->identity = DatumGetChar(row->tts_values[8]);
}

static void
take_constraint(HTAB *table, TupleTableSlot *row)
{
	CecTableShape *shape = enter_shape(table, DatumGetName(row->tts_values[0]));

	shape->constraints =
		cec_grow(CurrentMemoryContext, shape->constraints, (shape->nconstraints + 1) * sizeof(NameData));
	shape->constraints[shape->nconstraints++] = *DatumGetName(row->tts_values[1]);
}

static CecAsOf
read_rows(const char *name, HTAB *table, void (*take)(HTAB *table, TupleTableSlot *row))
{
	Oid relid = get_relname_relid(name, get_namespace_oid("cec", false));
	CecAsOf as_of;
	Relation rel;
	Snapshot snapshot;
	TableScanDesc scan;
	TupleTableSlot *slot;

	if (!OidIsValid(relid))
		elog(ERROR, "table cec.%s is missing", name);
	rel = table_open(relid, AccessShareLock);
	as_of = cec_cache_as_of(relid);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(rel, NULL);
	scan = table_beginscan(rel, snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		slot_getallattrs(slot);
		take(table, slot);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return as_of;
}

static void
read_shapes(void)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "cec shapes", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	HASHCTL ctl = {0};
	HTAB *table;
	CecAsOf columns;
	CecAsOf constraints;

	ctl.keysize = sizeof(NameData);
	ctl.entrysize = sizeof(CecTableShape);
	ctl.hcxt = cxt;
	table = hash_create("cec shapes", 64, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	columns = read_rows("_column_shape", table, take_column);
	constraints = read_rows("_constraint_shape", table, take_constraint);
	MemoryContextSwitchTo(old);

	/* Shapes that were handed out are used no longer than a check takes, and a check reads none anew. */
	if (shape_cxt != NULL)
		MemoryContextDelete(shape_cxt);
	MemoryContextSetParent(cxt, CacheMemoryContext);
	shape_cxt = cxt;
	shapes = table;
	columns_as_of = columns;
	constraints_as_of = constraints;
}

static void
make_sure_of_shapes(void)
{
	if (!cec_cache_holds(&columns_as_of) || !cec_cache_holds(&constraints_as_of))
		read_shapes();
}

/* The shape of a table of a portfolio; NULL when portfolios have none of that name.  It holds until the next call. */
const CecTableShape *
cec_shape_of_table(const char *table_name)
{
	make_sure_of_shapes();
	return hash_search(shapes, table_name, HASH_FIND, NULL);
}

/* The names of the tables of a portfolio, as a list of strings in the current memory context. */
List *
cec_shape_names(void)
{
	HASH_SEQ_STATUS status;
	CecTableShape *shape;
	List *names = NIL;

	make_sure_of_shapes();
	hash_seq_init(&status, shapes);
	while ((shape = hash_seq_search(&status)) != NULL)
		names = lappend(names, pstrdup(NameStr(shape->name)));
	return names;
}
