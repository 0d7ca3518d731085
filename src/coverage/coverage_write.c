/*
 * coverage_write.c
 *		Brings the rows of coverage to what was computed: differences alone, replaced states into coverage_history.
 *
 * What differs, and when states begin, coverage_differ.c has found.
 *
 * Above READ COMMITTED the rows that go are checked against the transaction's own snapshot: a row that the transaction
 * cannot see was written by somebody it does not know of, and the loser gets 40001.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "coverage/coverage.h"
#include "support/compat.h"
#include "support/heap_write.h"
#include "support/slot.h"

/* Columns of both tables; the last but one is an instant in coverage and a period in the history, the last there alone. */
typedef enum CoverColumn
{
	COVER_KEY,
	COVER_ASSET_ID,
	COVER_TERM_ID,
	COVER_DURING,
	COVER_IS_STATED,
	COVER_IS_RULED,
	COVER_IS_INHERITED,
	COVER_RECORDED,
	COVER_ID
} CoverColumn;

#define COVER_COLUMNS (COVER_ID + 1)

static const CecTarget coverage = {.table = "coverage",
								   .columns = {{"coverage_id", INT8OID},
											   {"asset_id", INT8OID},
											   {"term_id", INT8OID},
											   {"during", DATERANGEOID},
											   {"is_stated", BOOLOID},
											   {"is_ruled", BOOLOID},
											   {"is_inherited", BOOLOID},
											   {"recorded_at", TIMESTAMPTZOID}}};

static const CecTarget history = {.table = "coverage_history",
								  .columns = {{"coverage_history_id", INT8OID},
											  {"asset_id", INT8OID},
											  {"term_id", INT8OID},
											  {"during", DATERANGEOID},
											  {"is_stated", BOOLOID},
											  {"is_ruled", BOOLOID},
											  {"is_inherited", BOOLOID},
											  {"recorded", TSTZRANGEOID},
											  {"coverage_id", INT8OID}}};

/* A table that is written to. */
typedef struct Target
{
	Relation rel;
	Oid sequence;
	int count;
	const AttrNumber *columns;
	CecAppender *appender; /* NULL until the first row */
} Target;

typedef struct Writer
{
	CecPortfolio *portfolio;
	Target coverage;
	Target history; /* opened when there is something to be kept */
	Snapshot snapshot;
	const CecDelta *delta;
	MemoryContext cxt;
} Writer;

static void
open_target(Target *target, CecPortfolio *portfolio, const CecTarget *table)
{
	target->rel = cec_portfolio_open_target(portfolio, table, &target->columns, &target->sequence);
	target->count = table == &history ? COVER_COLUMNS : COVER_ID;
	target->appender = NULL;
}

static void
close_target(Target *target)
{
	if (target->appender != NULL)
		cec_append_end(target->appender);
	table_close(target->rel, NoLock);
}

static void
append(Writer *writer, Target *target, int64 asset_id, const CecCoverRow *row, Datum recorded)
{
	TupleTableSlot *slot;
	Datum values[COVER_COLUMNS];

	if (target->appender == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(writer->cxt);

		target->appender = cec_append_begin(target->rel);
		MemoryContextSwitchTo(old);
	}
	values[COVER_KEY] = Int64GetDatum(nextval_internal(target->sequence, false));
	values[COVER_ID] = Int64GetDatum(row->coverage_id);
	values[COVER_ASSET_ID] = Int64GetDatum(asset_id);
	values[COVER_TERM_ID] = Int64GetDatum(row->term_id);
	values[COVER_DURING] = cec_range_of_days(row->during);
	values[COVER_IS_STATED] = BoolGetDatum(row->is_stated);
	values[COVER_IS_RULED] = BoolGetDatum(row->is_ruled);
	values[COVER_IS_INHERITED] = BoolGetDatum(row->is_inherited);
	values[COVER_RECORDED] = recorded;
	slot = cec_append_slot(target->appender);
	for (int i = 0; i < target->count; i++)
		cec_slot_set(slot, target->columns[i], values[i]);
	cec_append_row(target->appender);
}

static Datum
make_period(TimestampTz from, TimestampTz to)
{
	TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	RangeBound lower = {TimestampTzGetDatum(from), false, true, true};
	RangeBound upper = {TimestampTzGetDatum(to), false, false, false};

	return RangeTypePGetDatum(cec_compat_make_range(type, &lower, &upper));
}

/* What the delta says that came. */
static CecCoverRow
row_of_delta(const CecDeltaRow *change)
{
	CecCoverRow row = {change->subject_id, change->during};

	row.is_stated = (change->flags & CEC_DELTA_STATED) != 0;
	row.is_ruled = (change->flags & CEC_DELTA_RULED) != 0;
	row.is_inherited = (change->flags & CEC_DELTA_INHERITED) != 0;
	return row;
}

static void
write_asset(Writer *writer, CecAssetCover *asset)
{
	const CecDeltaRow *changes = writer->delta->cover.rows + asset->first_change;
	TimestampTz beginning = asset->beginning != 0 ? asset->beginning : writer->delta->at;

	for (int i = 0; i < asset->stored_count; i++)
	{
		CecCoverRow *stored = &asset->stored[i];

		if (!stored->is_lost)
			continue;
		cec_remove_row(writer->coverage.rel, &stored->tid, writer->snapshot,
					   "Coverage of the asset was changed by another transaction.");
		if (stored->is_own)
			continue;
		if (writer->history.rel == NULL)
			open_target(&writer->history, writer->portfolio, &history);
		append(writer, &writer->history, asset->asset_id, stored, make_period(stored->recorded_at, beginning));
	}
	for (int64 i = 0; i < asset->change_count; i++)
		if (changes[i].flags & CEC_DELTA_GAINED)
		{
			CecCoverRow row = row_of_delta(&changes[i]);

			append(writer, &writer->coverage, asset->asset_id, &row, TimestampTzGetDatum(beginning));
		}
}

/* Writes what the delta says is to change, with its instant.  The caller holds the locks of the assets. */
void
cec_coverage_write(CecPortfolio *portfolio, CecCoverSet *set, Snapshot snapshot, const CecDelta *delta)
{
	Writer writer = {0};
	MemoryContext asset_cxt;

	if (delta->cover.count == 0)
		return;
	writer.portfolio = portfolio;
	writer.snapshot = snapshot;
	writer.delta = delta;
	writer.cxt = CurrentMemoryContext;
	open_target(&writer.coverage, portfolio, &coverage);
	asset_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec cover of an asset", ALLOCSET_SMALL_SIZES);
	for (int64 i = 0; i < set->count; i++)
	{
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		if (set->assets[i].change_count == 0)
			continue;
		old = MemoryContextSwitchTo(asset_cxt);
		write_asset(&writer, &set->assets[i]);
		MemoryContextSwitchTo(old);
		MemoryContextReset(asset_cxt);
	}
	MemoryContextDelete(asset_cxt);
	if (writer.history.rel != NULL)
		close_target(&writer.history);
	close_target(&writer.coverage);
}
