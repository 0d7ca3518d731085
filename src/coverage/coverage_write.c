/*
 * coverage_write.c
 *		Brings the rows of coverage to what was computed: differences alone, replaced states into coverage_history.
 *
 * What differs, and when states begin, coverage_differ.c has found.
 *
 * Above READ COMMITTED the rows that go are held against the transaction's own snapshot: a row that the transaction
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

#include "append.h"
#include "column.h"
#include "compat.h"
#include "coverage.h"
#include "remove.h"

/* Columns of coverage and coverage_history; recorded_at is "recorded" in the history. */
typedef enum CoverColumn
{
	COVER_KEY, /* coverage_id; in the history its own key */
	COVER_ID,  /* only in the history */
	COVER_ASSET_ID,
	COVER_TERM_ID,
	COVER_DURING,
	COVER_IS_STATED,
	COVER_IS_RULED,
	COVER_IS_INHERITED,
	COVER_RECORDED
} CoverColumn;

#define COVER_COLUMNS (COVER_RECORDED + 1)

static const char *const coverage_column[COVER_COLUMNS] = {
	"coverage_id", NULL, "asset_id", "term_id", "during", "is_stated", "is_ruled", "is_inherited", "recorded_at"};
static const char *const history_column[COVER_COLUMNS] = {
	"coverage_history_id", "coverage_id", "asset_id",	  "term_id", "during",
	"is_stated",		   "is_ruled",	  "is_inherited", "recorded"};

/* Types of all but the last, which is an instant in coverage and a period in the history. */
static const Oid cover_type[COVER_RECORDED] = {INT8OID,		 INT8OID, INT8OID, INT8OID,
											   DATERANGEOID, BOOLOID, BOOLOID, BOOLOID};

/* A table that is written to. */
typedef struct Target
{
	Relation rel;
	Oid sequence;
	AttrNumber attnums[COVER_COLUMNS];
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
open_target(Target *target, CecPortfolio *portfolio, const char *table, const char *const *columns)
{
	bool history = columns == history_column;

	target->rel = cec_portfolio_open_below(portfolio, table);
	for (int i = 0; i < COVER_COLUMNS; i++)
		if (columns[i] != NULL)
			target->attnums[i] = cec_column_require(target->rel, columns[i],
													i < COVER_RECORDED ? cover_type[i]
													: history		   ? TSTZRANGEOID
																	   : TIMESTAMPTZOID);
	target->sequence = cec_compat_identity_sequence(target->rel, target->attnums[COVER_KEY]);
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
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
	for (int i = 0; i < COVER_COLUMNS; i++)
		if (target->attnums[i] != InvalidAttrNumber)
		{
			slot->tts_values[target->attnums[i] - 1] = values[i];
			slot->tts_isnull[target->attnums[i] - 1] = false;
		}
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
			open_target(&writer->history, writer->portfolio, "coverage_history", history_column);
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
	open_target(&writer.coverage, portfolio, "coverage", coverage_column);
	asset_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec cover of an asset", ALLOCSET_SMALL_SIZES);
	for (int64 i = 0; i < set->count; i++)
	{
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		if (set->assets[i]->change_count == 0)
			continue;
		old = MemoryContextSwitchTo(asset_cxt);
		write_asset(&writer, set->assets[i]);
		MemoryContextSwitchTo(old);
		MemoryContextReset(asset_cxt);
	}
	MemoryContextDelete(asset_cxt);
	if (writer.history.rel != NULL)
		close_target(&writer.history);
	close_target(&writer.coverage);
}
