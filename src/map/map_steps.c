/*
 * map_steps.c
 *		Steps of the grid that one statement makes, summed, and written to map_step.
 *
 * They are collected in an array.  When it is full it is put in order and what belongs together is summed; only where that did not make
 * much room it grows.  Values live in a context of their own, which is made anew each time: sums of numerics leave much behind.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "map/map_grid.h"
#include "support/day_set.h"
#include "support/heap_write.h"
#include "support/slot.h"

/* As many fit into the first array, which is not put in order before. */
#define FIRST_SPACE 64

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
	const CecMapStep *a = one;
	const CecMapStep *b = other;

	if (a->cell != b->cell)
		return a->cell < b->cell ? -1 : 1;
	if (a->on_day != b->on_day)
		return a->on_day < b->on_day ? -1 : 1;
	return (int) a->status - (int) b->status;
}

static Numeric
add_values(Numeric one, Numeric other, Datum nothing)
{
	Datum sum;

	if (one == NULL || other == NULL)
		return one == NULL ? other : one;
	sum = DirectFunctionCall2(numeric_add, NumericGetDatum(one), NumericGetDatum(other));
	return DatumGetBool(DirectFunctionCall2(numeric_eq, sum, nothing)) ? NULL : DatumGetNumeric(sum);
}

/* Sums what belongs together, and leaves out what comes to nothing. */
static void
sum_up(CecMapSteps *steps)
{
	MemoryContext before = steps->value_cxt;
	Datum nothing = DirectFunctionCall1(int4_numeric, Int32GetDatum(0));
	int64 count = 0;

	qsort(steps->steps, steps->count, sizeof(CecMapStep), compare_steps);
	steps->value_cxt = NULL;
	if (before != NULL)
		steps->value_cxt = AllocSetContextCreate(steps->cxt, "cec values of steps", ALLOCSET_DEFAULT_SIZES);
	for (int64 i = 0, end; i < steps->count; i = end)
	{
		CecMapStep sum = steps->steps[i];

		CHECK_FOR_INTERRUPTS();
		for (end = i + 1; end < steps->count && compare_steps(&sum, &steps->steps[end]) == 0; end++)
		{
			sum.assets += steps->steps[end].assets;
			if (before != NULL)
			{
				MemoryContext old = MemoryContextSwitchTo(before);

				sum.value = add_values(sum.value, steps->steps[end].value, nothing);
				MemoryContextSwitchTo(old);
			}
		}
		if (sum.assets == 0 && sum.value == NULL)
			continue;
		if (sum.value != NULL)
		{
			MemoryContext old = MemoryContextSwitchTo(steps->value_cxt);

			sum.value = DatumGetNumeric(datumCopy(NumericGetDatum(sum.value), false, -1));
			MemoryContextSwitchTo(old);
		}
		steps->steps[count++] = sum;
	}
	steps->count = count;
	if (before != NULL)
		MemoryContextDelete(before);
	pfree(DatumGetPointer(nothing));
}

static void
make_room(CecMapSteps *steps)
{
	if (steps->space > 0)
	{
		sum_up(steps);
		if (steps->count <= steps->space / 2)
			return;
	}
	steps->space = steps->space == 0 ? FIRST_SPACE : steps->space * 2;
	if (steps->steps == NULL)
		steps->steps = MemoryContextAlloc(steps->cxt, steps->space * sizeof(CecMapStep));
	else
		steps->steps = repalloc_huge(steps->steps, steps->space * sizeof(CecMapStep));
}

/* Adds one asset of a value (NULL: 0), or takes one away, from a day on. */
void
cec_map_steps_add(CecMapSteps *steps, int64 cell, CecMapStatus status, DateADT on_day, int sign, Numeric value)
{
	CecMapStep *step;

	if (steps->count == steps->space)
		make_room(steps);
	step = &steps->steps[steps->count++];
	step->cell = cell;
	step->status = status;
	step->on_day = on_day;
	step->assets = sign;
	step->value = NULL;
	if (value != NULL)
	{
		MemoryContext old;

		if (steps->value_cxt == NULL)
			steps->value_cxt = AllocSetContextCreate(steps->cxt, "cec values of steps", ALLOCSET_DEFAULT_SIZES);
		old = MemoryContextSwitchTo(steps->value_cxt);
		if (sign < 0)
			step->value = DatumGetNumeric(DirectFunctionCall1(numeric_uminus, NumericGetDatum(value)));
		else
			step->value = DatumGetNumeric(datumCopy(NumericGetDatum(value), false, -1));
		MemoryContextSwitchTo(old);
	}
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
	Datum nothing;

	if (steps->count > 0)
		sum_up(steps);
	if (steps->count == 0)
		return;
	for (int i = 0; i < CEC_MAP_STATUS_COUNT; i++)
		names[i] = CStringGetTextDatum(cec_map_status_name[i]);
	nothing = DirectFunctionCall1(int4_numeric, Int32GetDatum(0));
	rel = cec_portfolio_open_target(portfolio, &map_step, &columns, &sequence);
	appender = cec_append_begin(rel);
	for (int64 i = 0; i < steps->count; i++)
	{
		const CecMapStep *step = &steps->steps[i];
		TupleTableSlot *slot = cec_append_slot(appender);

		cec_slot_set(slot, columns[STEP_ID], Int64GetDatum(nextval_internal(sequence, false)));
		cec_slot_set(slot, columns[STEP_LEVEL], Int16GetDatum(CEC_MAP_LEVEL));
		cec_slot_set(slot, columns[STEP_CELL], Int64GetDatum(step->cell));
		cec_slot_set(slot, columns[STEP_STATUS], names[step->status]);
		if (step->on_day != CEC_DAY_MIN)
			cec_slot_set(slot, columns[STEP_ON_DAY], DateADTGetDatum(step->on_day));
		cec_slot_set(slot, columns[STEP_ASSETS], Int64GetDatum(step->assets));
		cec_slot_set(slot, columns[STEP_VALUE], step->value == NULL ? nothing : NumericGetDatum(step->value));
		cec_append_row(appender);
	}
	cec_append_end(appender);
	table_close(rel, NoLock);
}
