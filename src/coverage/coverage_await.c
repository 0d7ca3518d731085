/*
 * coverage_await.c
 *		List lines and terms that refer to what is not there yet: has the portfolio alone until the transaction ends.
 *
 * Whoever owns the tables may make their foreign keys deferrable: then a line may come before its term, asset or contract.
 * INSERT of these is data, and goes beside other writers, since nobody refers to them yet.  So the exception is on the side of
 * the row that came too early: from here on the transaction is alone, and what is awaited can come from itself alone, which
 * finds the row (coverage_collect.c, rule_define.c), or has come from somebody who has committed by now, and is seen.
 *
 * This waits for others while it holds locks, and so do they perhaps for it: one of the two then gets 40P01.  Rules,
 * memberships, and rows that were deleted or have another key now need nothing here: these statements have the gate alone.
 * Assets are looked after where they are locked (bundle_lock.c).
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "init.h"
#include "coverage/coverage.h"
#include "portfolio/change.h"
#include "support/column.h"
#include "support/slot.h"

/* Waits for the gate when one of the rows that the new rows refer to by a column is not there. */
static void
await_referred(CecChange *change, const char *column, const char *table)
{
	AttrNumber attnum;
	CecIds referred = {0};
	CecRows rows;

	if (change->new_rows == NULL || !cec_change_may_dangle(change))
		return;
	attnum = cec_column_require(change->rel, column, INT8OID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		slot_getallattrs(rows.new_row);
		cec_ids_add(&referred, cec_slot_int8(rows.new_row, attnum));
	}
	cec_rows_end(&rows);
	cec_ids_sort_unique(&referred);
	if (cec_change_follow(change, &referred, table, column, column).count < referred.count)
		cec_portfolio_lock_gate(change->portfolio->nspid, ShareRowExclusiveLock);
}

static void
await_from_lines(CecChange *change)
{
	await_referred(change, "term_id", "coverage_term");
}

static void
await_from_terms(CecChange *change)
{
	await_referred(change, "contract_id", "contract");
}

/* Registers with the engine; before whoever collects. */
void
cec_coverage_await_init(void)
{
	cec_change_register(CEC_STAGE_COLLECT, "inclusion", await_from_lines);
	cec_change_register(CEC_STAGE_COLLECT, "coverage_term", await_from_terms);
}
