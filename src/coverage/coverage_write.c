/*
 * coverage_write.c
 *		Brings the rows of coverage to what was computed: differences alone, replaced states into coverage_history.
 *
 * Time.  A state begins when the clock is read after the locks, at least a microsecond past the states that it replaces.
 * States born and replaced in one transaction leave no history; what replaces them begins where they did, so that
 * there is one state for each instant.  Where a transaction had taken all cover of an asset away before it gives some
 * again, the beginning is found in the history that it wrote then.
 *
 * Above READ COMMITTED the rows that go are held against the transaction's own snapshot: a row that the transaction
 * cannot see was written by somebody it does not know of, and the loser gets 40001.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/sysattr.h"
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
#include "probe.h"
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
	Target history;
	CecProbe *history_probe; /* NULL until needed */
	Snapshot snapshot;
	TimestampTz now;
	int64 changed;
	MemoryContext cxt;
} Writer;

/* The last top-level transaction of this session that wrote coverage: only it can meet states of its own. */
static FullTransactionId writing_xid = {0};

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

/* When this transaction changed the asset's cover first, as its history says; 0 when it has not. */
static TimestampTz
find_own_beginning(Writer *writer, int64 asset_id)
{
	TupleTableSlot *row;
	TimestampTz beginning = 0;
	TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);

	if (!FullTransactionIdEquals(writing_xid, GetTopFullTransactionIdIfAny()))
		return 0;
	if (writer->history_probe == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(writer->cxt);

		writer->history_probe = cec_probe_begin(
			cec_portfolio_open(writer->portfolio, "coverage_history", AccessShareLock), "asset_id", writer->snapshot);
		MemoryContextSwitchTo(old);
	}
	cec_probe_seek(writer->history_probe, asset_id);
	while ((row = cec_probe_next(writer->history_probe)) != NULL)
	{
		bool isnull;
		bool empty;
		RangeBound lower;
		RangeBound upper;

		if (!TransactionIdIsCurrentTransactionId(
				DatumGetTransactionId(slot_getsysattr(row, MinTransactionIdAttributeNumber, &isnull))))
			continue;
		range_deserialize(type, DatumGetRangeTypeP(row->tts_values[writer->history.attnums[COVER_RECORDED] - 1]),
						  &lower, &upper, &empty);
		beginning = Max(beginning, DatumGetTimestampTz(upper.val));
	}
	return beginning;
}

/* When the new state of an asset begins. */
static TimestampTz
find_beginning(Writer *writer, const CecAssetCover *asset)
{
	TimestampTz beginning;

	for (int i = 0; i < asset->stored_count; i++)
		if (asset->stored[i].is_own)
			return asset->stored[i].recorded_at;
	beginning = find_own_beginning(writer, asset->asset_id);
	if (beginning != 0)
		return beginning;
	beginning = writer->now;
	for (int i = 0; i < asset->stored_count; i++)
		beginning = Max(beginning, asset->stored[i].recorded_at + 1);
	return beginning;
}

static int
flags_of_row(const CecCoverRow *row)
{
	return row->is_stated << 2 | row->is_ruled << 1 | row->is_inherited;
}

/* By term, days and flags; 0: they say the same. */
static int
compare_rows(const void *one, const void *other)
{
	const CecCoverRow *a = one;
	const CecCoverRow *b = other;

	if (a->term_id != b->term_id)
		return a->term_id < b->term_id ? -1 : 1;
	if (a->during.from != b->during.from)
		return a->during.from < b->during.from ? -1 : 1;
	if (a->during.to != b->during.to)
		return a->during.to < b->during.to ? -1 : 1;
	return flags_of_row(a) - flags_of_row(b);
}

static void
write_asset(Writer *writer, CecAssetCover *asset)
{
	int count;
	CecCoverRow *rows = cec_coverage_rows(asset, &count);
	TimestampTz beginning = 0;
	int i = 0;
	int j = 0;

	if (asset->stored_count > 1)
		qsort(asset->stored, asset->stored_count, sizeof(CecCoverRow), compare_rows);
	while (i < asset->stored_count || j < count)
	{
		CecCoverRow *stored = &asset->stored[i];
		int order = i == asset->stored_count ? 1 : j == count ? -1 : compare_rows(stored, &rows[j]);

		if (order == 0)
		{
			i++;
			j++;
			continue;
		}
		if (beginning == 0)
			beginning = find_beginning(writer, asset);
		if (order < 0)
		{
			cec_remove_row(writer->coverage.rel, &stored->tid, writer->snapshot,
						   "Coverage of the asset was changed by another transaction.");
			if (!stored->is_own)
				append(writer, &writer->history, asset->asset_id, stored, make_period(stored->recorded_at, beginning));
			i++;
		}
		else
			append(writer, &writer->coverage, asset->asset_id, &rows[j++], TimestampTzGetDatum(beginning));
		writer->changed++;
	}
}

/* Writes what differs and returns how many rows that were.  The caller holds the locks of the assets. */
int64
cec_coverage_write(CecPortfolio *portfolio, CecCoverSet *set, Snapshot snapshot)
{
	Writer writer = {0};
	MemoryContext asset_cxt;

	writer.portfolio = portfolio;
	writer.snapshot = snapshot;
	writer.now = GetCurrentTimestamp();
	writer.cxt = CurrentMemoryContext;
	open_target(&writer.coverage, portfolio, "coverage", coverage_column);
	open_target(&writer.history, portfolio, "coverage_history", history_column);
	asset_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec cover of an asset", ALLOCSET_SMALL_SIZES);
	for (int64 i = 0; i < set->count; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(asset_cxt);

		CHECK_FOR_INTERRUPTS();
		write_asset(&writer, set->assets[i]);
		MemoryContextSwitchTo(old);
		MemoryContextReset(asset_cxt);
	}
	MemoryContextDelete(asset_cxt);
	if (writer.history_probe != NULL)
		cec_probe_end(writer.history_probe);
	close_target(&writer.history);
	close_target(&writer.coverage);
	if (writer.changed > 0)
		writing_xid = GetTopFullTransactionId();
	return writer.changed;
}
