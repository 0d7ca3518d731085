/*
 * map_steps.c
 *		Steps of the grid that one statement makes, summed, and written to map_step.
 *
 * They are summed in a hash table by cell, day and status, and written in that order.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "map/map_grid.h"
#include "support/day_set.h"
#include "support/heap_write.h"
#include "support/slot.h"

/* As many fit into the first table: those of one asset that moves. */
#define FIRST_SPACE 16

#define SH_PREFIX cec_step_table
#define SH_ELEMENT_TYPE CecMapStep
#define SH_KEY_TYPE CecMapStepKey
#define SH_KEY key
#define SH_HASH_KEY(table, key) hash_bytes((const unsigned char *) &(key), sizeof(CecMapStepKey))
#define SH_EQUAL(table, one, other) (memcmp(&(one), &(other), sizeof(CecMapStepKey)) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

enum
{
	STEP_ID,
	STEP_LEVEL,
	STEP_CELL,
	STEP_STATUS,
	STEP_ON_DAY,
	STEP_ASSETS,
	STEP_VALUE
};

static const CecTarget map_step = {.table = "map_step",
								   .columns = {{"map_step_id", INT8OID},
											   {"level", INT2OID},
											   {"cell", INT8OID},
											   {"status", TEXTOID},
											   {"on_day", DATEOID, true},
											   {"assets", INT8OID},
											   {"value", NUMERICOID}}};

/* Begins to collect, in the current memory context. */
void
cec_map_steps_begin(CecMapSteps *steps)
{
	memset(steps, 0, sizeof(CecMapSteps));
	steps->cxt = CurrentMemoryContext;
}

static int
compare_steps(const void *one, const void *other)
{
	const CecMapStepKey *a = &(*(const CecMapStep *const *) one)->key;
	const CecMapStepKey *b = &(*(const CecMapStep *const *) other)->key;

	if (a->cell != b->cell)
		return a->cell < b->cell ? -1 : 1;
	if (a->on_day != b->on_day)
		return a->on_day < b->on_day ? -1 : 1;
	return (int) a->status - (int) b->status;
}

/* Adds a value to that of a step, or takes it away. */
static void
add_value(CecMapStep *step, Numeric value, int sign)
{
	Numeric sum;

	if (step->value == NULL)
	{
		if (sign < 0)
			step->value = DatumGetNumeric(DirectFunctionCall1(numeric_uminus, NumericGetDatum(value)));
		else
			step->value = DatumGetNumeric(datumCopy(NumericGetDatum(value), false, -1));
		return;
	}
	sum = DatumGetNumeric(DirectFunctionCall2(sign < 0 ? numeric_sub : numeric_add, NumericGetDatum(step->value),
											  NumericGetDatum(value)));
	pfree(step->value);
	step->value = sum;
}

/* Adds one asset of a value (NULL: 0), or takes one away, from a day on. */
void
cec_map_steps_add(CecMapSteps *steps, int64 cell, CecMapStatus status, DateADT on_day, int sign, Numeric value)
{
	CecMapStepKey key = {cell, on_day, status};
	MemoryContext old = MemoryContextSwitchTo(steps->cxt);
	CecMapStep *step;
	bool found;

	if (steps->table == NULL)
		steps->table = cec_step_table_create(steps->cxt, FIRST_SPACE, NULL);
	step = cec_step_table_insert(steps->table, key, &found);
	if (!found)
	{
		step->assets = 0;
		step->value = NULL;
	}
	step->assets += sign;
	if (value != NULL)
		add_value(step, value, sign);
	MemoryContextSwitchTo(old);
}

/* Those that come to something, in order. */
static CecMapStep **
sort_steps(CecMapSteps *steps, Numeric nothing, int64 *count)
{
	CecMapStep **sorted = palloc_extended(steps->table->members * sizeof(CecMapStep *), MCXT_ALLOC_HUGE);
	cec_step_table_iterator iterator;
	CecMapStep *step;

	*count = 0;
	cec_step_table_start_iterate(steps->table, &iterator);
	while ((step = cec_step_table_iterate(steps->table, &iterator)) != NULL)
		if (step->assets != 0 ||
			(step->value != NULL &&
			 !DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(step->value), NumericGetDatum(nothing)))))
			sorted[(*count)++] = step;
	qsort(sorted, *count, sizeof(CecMapStep *), compare_steps);
	return sorted;
}

/* Writes them, and is done with them.  The owner is acted as. */
void
cec_map_steps_write(CecMapSteps *steps, CecPortfolio *portfolio)
{
	const AttrNumber *columns;
	Oid sequence;
	Relation rel;
	CecAppender *appender;
	Datum names[CEC_MAP_STATUS_COUNT];
	Numeric nothing = DatumGetNumeric(DirectFunctionCall1(int4_numeric, Int32GetDatum(0)));
	CecMapStep **sorted;
	int64 count;

	if (steps->table == NULL)
		return;
	sorted = sort_steps(steps, nothing, &count);
	if (count == 0)
		return;
	for (int i = 0; i < CEC_MAP_STATUS_COUNT; i++)
		names[i] = CStringGetTextDatum(cec_map_status_name[i]);
	rel = cec_portfolio_open_target(portfolio, &map_step, &columns, &sequence);
	appender = cec_append_begin(rel);
	for (int64 i = 0; i < count; i++)
	{
		const CecMapStep *step = sorted[i];
		TupleTableSlot *slot = cec_append_slot(appender);

		CHECK_FOR_INTERRUPTS();
		cec_slot_set(slot, columns[STEP_ID], Int64GetDatum(nextval_internal(sequence, false)));
		cec_slot_set(slot, columns[STEP_LEVEL], Int16GetDatum(CEC_MAP_LEVEL));
		cec_slot_set(slot, columns[STEP_CELL], Int64GetDatum(step->key.cell));
		cec_slot_set(slot, columns[STEP_STATUS], names[step->key.status]);
		if (step->key.on_day != CEC_DAY_MIN)
			cec_slot_set(slot, columns[STEP_ON_DAY], DateADTGetDatum(step->key.on_day));
		cec_slot_set(slot, columns[STEP_ASSETS], Int64GetDatum(step->assets));
		cec_slot_set(slot, columns[STEP_VALUE], NumericGetDatum(step->value == NULL ? nothing : step->value));
		cec_append_row(appender);
	}
	cec_append_end(appender);
	table_close(rel, NoLock);
}
