/*
 * finding_typed.c
 *		Identifiers that people have typed or seen: which of them a statement may have settled, or unsettled.
 *
 * A name that comes or goes (of an asset, or another identifier) concerns what was typed alike; an observation concerns what it has seen.  Lines
 * of amendments are compared by their contracts.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "compliance/finding_typed.h"
#include "support/column.h"
#include "support/grow.h"
#include "support/slot.h"

/* The subjects, as the views of these kinds have them, of what was typed like one of the names. */
static const CecQuery subjects_of_names = {
	"SELECT array_agg(DISTINCT s.subject) FROM unnest($1::text[]) AS n(name) CROSS JOIN LATERAL ("
	"(SELECT 'seen:' || n.name AS subject FROM @P@.field_observation o"
	"  WHERE 'seen:' || o.seen_tag = 'seen:' || n.name AND o.asset_id IS NULL LIMIT 1)"
	" UNION ALL SELECT 'line:' || l.line_id || ':' || n.name FROM @P@.amendment_line l WHERE l.identifier = n.name"
	" UNION ALL SELECT 'line:' || l.line_id || ':' || n.name FROM @P@.amendment_line l WHERE l.successor_identifier = n.name) AS s",
	1,
	{TEXTARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTARRAYOID}};

/* Where names stand in a table. */
typedef struct NameColumns
{
	const char *table;
	const char *columns[2];
} NameColumns;

static const NameColumns name_columns[] = {
	{"asset", {"asset_tag", "serial_number"}}, {"asset_identifier", {"value"}}, {"field_observation", {"seen_tag"}}};

typedef struct Names
{
	int64 count;
	int64 space;
	Datum *names;
} Names;

static void
add_name(Names *names, const TupleTableSlot *row, AttrNumber column, const char *prefix)
{
	if (row == NULL || cec_slot_isnull(row, column))
		return;
	CEC_MAKE_ROOM(names->names, names->count, names->space, 8);
	names->names[names->count++] =
		CStringGetTextDatum(psprintf("%s%s", prefix, TextDatumGetCString(cec_slot_value(row, column))));
}

/* The names that the rows speak of; of assets that are updated those alone that change. */
static Names
read_names(CecChange *change, const NameColumns *columns, const char *prefix)
{
	bool only_changed = strcmp(columns->table, "asset") == 0;
	AttrNumber attnums[2] = {InvalidAttrNumber, InvalidAttrNumber};
	Names names = {0};
	CecRows rows;

	for (int i = 0; i < 2 && columns->columns[i] != NULL; i++)
		attnums[i] = cec_column_require_nullable(change->rel, columns->columns[i], TEXTOID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		CHECK_FOR_INTERRUPTS();
		cec_rows_deform(&rows);
		for (int i = 0; i < 2 && attnums[i] != InvalidAttrNumber; i++)
		{
			if (only_changed && rows.old_row != NULL && rows.new_row != NULL &&
				cec_rows_same_value(rows.old_row, rows.new_row, attnums[i]))
				continue;
			add_name(&names, rows.old_row, attnums[i], prefix);
			add_name(&names, rows.new_row, attnums[i], prefix);
		}
	}
	cec_rows_end(&rows);
	return names;
}

static bool
has_pages(CecChange *change, const char *table)
{
	Relation rel = cec_portfolio_open(change->portfolio, table, AccessShareLock);
	bool has = RelationGetNumberOfBlocks(rel) > 0;

	relation_close(rel, NoLock);
	return has;
}

static Datum
as_array(const Names *names)
{
	return PointerGetDatum(construct_array(names->names, names->count, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
find_subjects(CecChange *change, const Names *names)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum arg = as_array(names);
	Datum subjects;
	bool isnull;

	SPI_connect();
	if (cec_query_run(change->portfolio->plans, &subjects_of_names, &arg, NULL, 0) != 1)
		elog(ERROR, "an aggregate returned no row");
	subjects = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
	{
		MemoryContext old = MemoryContextSwitchTo(cxt);

		subjects = PointerGetDatum(DatumGetArrayTypePCopy(subjects));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return isnull ? 0 : subjects;
}

/* The subjects, an array of texts, that are to be compared behind a changed statement; 0: none. */
Datum
cec_finding_typed(CecChange *change)
{
	for (int i = 0; i < lengthof(name_columns); i++)
	{
		bool seen = strcmp(name_columns[i].table, "field_observation") == 0;
		Names names;

		if (strcmp(name_columns[i].table, change->table_name) != 0)
			continue;
		if (!seen && !has_pages(change, "field_observation") && !has_pages(change, "amendment_line"))
			return 0;
		names = read_names(change, &name_columns[i], seen ? "seen:" : "");
		if (names.count == 0)
			return 0;
		return seen ? as_array(&names) : find_subjects(change, &names);
	}
	return 0;
}
