/*
 * boundary_part.c
 *		Keeps the parts that boundaries of contracts are cut into, in the statement that changes the boundary.
 *
 * What counts is the row of contract that there is under a key when the statement has ended, as for coverage: a statement with
 * several parts fires a trigger each, behind all of its changes.  Whoever changes or deletes a contract has the gate alone; one that
 * is new has no parts yet that others write.
 *
 * There is no foreign key to contract: it would be checked when the contract is deleted, before the parts are.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

#include "init.h"
#include "portfolio/change.h"
#include "support/column.h"
#include "support/heap_write.h"
#include "support/slot.h"

typedef enum PartColumn
{
	PART_KEY,
	PART_CONTRACT_ID,
	PART_PART
} PartColumn;

static const CecTarget target = {
	.table = "boundary_part",
	.columns = {{"boundary_part_id", INT8OID}, {"contract_id", INT8OID}, {"part", CEC_GEOMETRY_RESULT}}};

static const CecSource stored = {"boundary_part", "contract_id", INT8OID, RowExclusiveLock, {{"contract_id", INT8OID}}};

static const CecQuery cut = {
	"SELECT p.part FROM @P@.contract c CROSS JOIN LATERAL cec._cut(c.boundary) AS p(part) WHERE c.contract_id = $1",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {CEC_GEOMETRY_RESULT}};

/* Contracts whose parts are not what their boundaries would be cut into. */
static const CecQuery damaged = {
	"SELECT DISTINCT u.contract_id FROM (SELECT u.contract_id FROM (SELECT p.contract_id, p.part::bytea AS part, 1 AS n FROM @P@.boundary_part p"
	" UNION ALL SELECT c.contract_id, p.part::bytea, -1 FROM @P@.contract c CROSS JOIN LATERAL cec._cut(c.boundary) AS p(part)) AS u"
	" GROUP BY u.contract_id, u.part HAVING sum(u.n) <> 0) AS u ORDER BY 1",
	0,
	{0},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = {INT8OID}};

/* Contracts that have another boundary, or none any more, or one under another key. */
static CecIds
changed_contracts(CecChange *change)
{
	AttrNumber contract_id = cec_column_require(change->rel, "contract_id", INT8OID);
	AttrNumber boundary = cec_column_require_nullable(change->rel, "boundary", CEC_GEOMETRY_RESULT);
	CecIds ids = {0};
	CecRows rows;

	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		if (rows.old_row != NULL && rows.new_row != NULL &&
			cec_rows_same_value(rows.old_row, rows.new_row, contract_id) &&
			cec_rows_same_value(rows.old_row, rows.new_row, boundary))
			continue;
		if (rows.old_row != NULL && !cec_slot_isnull(rows.old_row, boundary))
			cec_ids_add(&ids, cec_slot_int8(rows.old_row, contract_id));
		if (rows.new_row != NULL && !cec_slot_isnull(rows.new_row, boundary))
			cec_ids_add(&ids, cec_slot_int8(rows.new_row, contract_id));
	}
	cec_rows_end(&rows);
	cec_ids_sort_unique(&ids);
	return ids;
}

static void
remove_parts(CecChange *change, Relation rel, const CecIds *contracts)
{
	Snapshot snapshot = cec_latest_snapshot();
	const AttrNumber *columns;
	CecProbe *probe =
		cec_portfolio_look(change->portfolio, &stored, RowExclusiveLock, RelationGetRelid(rel), snapshot, &columns);

	for (int64 i = 0; i < contracts->count; i++)
	{
		TupleTableSlot *row;

		CHECK_FOR_INTERRUPTS();
		cec_probe_seek(probe, contracts->ids[i]);
		while ((row = cec_probe_next(probe)) != NULL)
			cec_remove_row(rel, &row->tts_tid, snapshot, "The boundary was changed by another transaction.");
	}
	cec_probe_end(probe);
	UnregisterSnapshot(snapshot);
}

static void
add_parts(CecChange *change, CecAppender *appender, const AttrNumber *columns, Oid sequence, int64 contract_id)
{
	Datum arg = Int64GetDatum(contract_id);
	SPITupleTable *parts;

	SPI_connect();
	cec_query_run(change->portfolio->plans, &cut, &arg, NULL, 0);
	parts = SPI_tuptable;
	for (uint64 i = 0; i < parts->numvals; i++)
	{
		TupleTableSlot *slot = cec_append_slot(appender);
		bool isnull;

		cec_slot_set(slot, columns[PART_KEY], Int64GetDatum(nextval_internal(sequence, false)));
		cec_slot_set(slot, columns[PART_CONTRACT_ID], Int64GetDatum(contract_id));
		cec_slot_set(slot, columns[PART_PART], SPI_getbinval(parts->vals[i], parts->tupdesc, 1, &isnull));
		cec_append_row(appender);
	}
	SPI_finish();
}

/* Lets contracts have the parts that their boundaries are cut into, in place of those that they have. */
static void
cut_anew(CecChange *change, const CecIds *contracts)
{
	const AttrNumber *columns;
	CecAppender *appender;
	Relation rel;
	Oid sequence;

	if (contracts->count == 0)
		return;
	rel = cec_portfolio_open_target(change->portfolio, &target, &columns, &sequence);
	remove_parts(change, rel, contracts);
	appender = cec_append_begin(rel);
	for (int64 i = 0; i < contracts->count; i++)
		add_parts(change, appender, columns, sequence, contracts->ids[i]);
	cec_append_end(appender);
	table_close(rel, NoLock);
}

/* Handler of the cover stage, for contract: whoever looks for findings reads the parts. */
static void
follow_boundaries(CecChange *change)
{
	CecIds contracts = changed_contracts(change);

	cut_anew(change, &contracts);
}

/* The same for recompute_coverage, which mends what was damaged from outside. */
static void
mend_parts(CecChange *change)
{
	CecIds contracts = {0};

	if (change->operation != CEC_RECOMPUTE)
		return;
	cec_query_ids(change->portfolio->plans, &damaged, NULL, &contracts);
	cut_anew(change, &contracts);
}

/* Registers with the engine; called once when the library is loaded. */
void
cec_boundary_part_init(void)
{
	cec_change_register(CEC_STAGE_COVER, "contract", follow_boundaries);
	cec_change_register(CEC_STAGE_COVER, NULL, mend_parts);
}
