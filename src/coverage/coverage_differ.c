/*
 * coverage_differ.c
 *		What is to change in stored coverage, and when the new states begin.
 *
 * Time.  A statement's states begin at its instant, which is later than all states that the assets had whose cover
 * changes, history included.  Only what replaces states of the transaction itself begins where those did, so that there is
 * one state for each instant: states born and replaced in one transaction leave no history.  Where a transaction had taken
 * all cover of an asset away before it gives some again, the beginning is found in the history that it wrote then.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "coverage/coverage.h"

typedef struct Differ
{
	CecReading *reading;
	CecDelta *delta;
	TimestampTz past; /* the latest of the states met */
} Differ;

/* What is replaced is kept there by the same statement. */
static const CecSource history = {
	"coverage_history", "asset_id", INT8OID, RowExclusiveLock, {{"recorded", TSTZRANGEOID}}};

static int
flags_of_row(const CecCoverRow *row)
{
	return (row->is_stated ? CEC_DELTA_STATED : 0) | (row->is_ruled ? CEC_DELTA_RULED : 0) |
		   (row->is_inherited ? CEC_DELTA_INHERITED : 0);
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

/* When the states of an asset ended that were replaced: of this transaction, which is returned, 0 for none, and of all. */
static TimestampTz
read_history(Differ *differ, int64 asset_id)
{
	const CecLook *look = cec_reading_look(differ->reading, &history);
	TypeCacheEntry *period = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	TupleTableSlot *row;
	TimestampTz own = 0;

	cec_probe_seek(look->probe, asset_id);
	while ((row = cec_probe_next(look->probe)) != NULL)
	{
		bool isnull;
		bool empty;
		RangeBound lower;
		RangeBound upper;
		TimestampTz end;

		range_deserialize(period, DatumGetRangeTypeP(cec_look_value(look, row, 0)), &lower, &upper, &empty);
		end = empty || upper.infinite ? 0 : DatumGetTimestampTz(upper.val);
		differ->past = Max(differ->past, end);
		if (end > own && TransactionIdIsCurrentTransactionId(
							 DatumGetTransactionId(slot_getsysattr(row, MinTransactionIdAttributeNumber, &isnull))))
			own = end;
	}
	return own;
}

/* Where the new states of an asset begin, if not at the statement's instant; else that is to be later than its states. */
static TimestampTz
find_beginning(Differ *differ, const CecAssetCover *asset)
{
	TimestampTz own = read_history(differ, asset->asset_id);

	for (int i = 0; i < asset->stored_count; i++)
	{
		differ->past = Max(differ->past, asset->stored[i].recorded_at);
		if (asset->stored[i].is_own)
			own = asset->stored[i].recorded_at;
	}
	return own;
}

/* Adds what goes and what comes of one term. */
static void
add_term(Differ *differ, CecAssetCover *asset, CecCoverRow *stored, int stored_count, CecCoverRow *rows, int count)
{
	CecDelta *delta = differ->delta;

	for (int i = 0; i < stored_count; i++)
		if (stored[i].is_lost)
			cec_delta_add(delta, &delta->cover, asset->asset_id, stored[i].term_id, stored[i].during,
						  flags_of_row(&stored[i]));
	for (int i = 0; i < count; i++)
		if (!rows[i].is_lost)
			cec_delta_add(delta, &delta->cover, asset->asset_id, rows[i].term_id, rows[i].during,
						  flags_of_row(&rows[i]) | CEC_DELTA_GAINED);
}

/* The rows of the first of the terms that the two lists, in order, go on with. */
static int
count_of_term(const CecCoverRow *rows, int count, int64 term_id)
{
	int same = 0;

	while (same < count && rows[same].term_id == term_id)
		same++;
	return same;
}

/* The differences of one asset; of the computed rows is_lost says that they are stored already. */
static void
compare_asset(Differ *differ, CecAssetCover *asset)
{
	int count;
	CecCoverRow *rows = cec_coverage_ranges(asset, &count);
	CecCoverRow *stored = asset->stored;
	int i = 0;
	int j = 0;

	if (asset->stored_count > 1)
		qsort(stored, asset->stored_count, sizeof(CecCoverRow), compare_rows);
	asset->first_change = differ->delta->cover.count;
	while (i < asset->stored_count || j < count)
	{
		int order = i == asset->stored_count ? 1 : j == count ? -1 : compare_rows(&stored[i], &rows[j]);

		if (order <= 0)
			stored[i++].is_lost = order < 0;
		if (order >= 0)
			rows[j++].is_lost = order == 0;
	}
	for (i = 0, j = 0; i < asset->stored_count || j < count;)
	{
		int64 term_id = i == asset->stored_count ? rows[j].term_id
						: j == count			 ? stored[i].term_id
												 : Min(stored[i].term_id, rows[j].term_id);
		int old_count = count_of_term(stored + i, asset->stored_count - i, term_id);
		int new_count = count_of_term(rows + j, count - j, term_id);

		add_term(differ, asset, stored + i, old_count, rows + j, new_count);
		i += old_count;
		j += new_count;
	}
	asset->change_count = differ->delta->cover.count - asset->first_change;
	if (asset->change_count > 0)
		asset->beginning = find_beginning(differ, asset);
}

/*
 * Adds to the delta what is to change, says of each asset where it stands there, and takes the statement's instant: later than
 * the past that is given.  The caller holds the locks of the assets.
 */
void
cec_coverage_differ(CecReading *reading, CecCoverSet *set, TimestampTz past, CecDelta *delta)
{
	Differ differ = {0};
	MemoryContext asset_cxt;

	differ.reading = reading;
	differ.delta = delta;
	differ.past = past;
	asset_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec cover of an asset", ALLOCSET_SMALL_SIZES);
	for (int64 i = 0; i < set->count; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(asset_cxt);

		CHECK_FOR_INTERRUPTS();
		compare_asset(&differ, &set->assets[i]);
		MemoryContextSwitchTo(old);
		MemoryContextReset(asset_cxt);
	}
	MemoryContextDelete(asset_cxt);
	(void) cec_delta_instant(delta, differ.past);
}
