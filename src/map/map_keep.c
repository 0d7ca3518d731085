/*
 * map_keep.c
 *		Keeps the grid of the map: what a statement changes of assets and their cover becomes steps, from the day on that they hold.
 *
 * What an asset is on each day is a sum of two parts:
 *
 *		its life	located from ever, and not_in_service on all days that are none of its life
 *		its cover	covered, covered_by_bundle or covered_by_rule on the days of its rows of coverage
 *
 * since nothing is covered outside its life; what is located and nothing else is uncovered.  Each part counts in the cell where the asset
 * stands, with its value.
 *
 * The first follows from the row of the asset alone, so it is brought up to date from the rows that a statement changed, each once,
 * old and new.  The second follows from two things that different statements change, and also different parts of one statement (WITH), or
 * statements of triggers within it, whose own triggers run in an order of the server's.  So where it is counted, and with which value, is
 * written down: map_place has a row for each asset that has a place and rows of coverage.  What it counts for there is what
 * coverage says, before and after, by the delta of the change.  Whoever changes either holds the asset.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "coverage/coverage.h"
#include "init.h"
#include "map/map_grid.h"
#include "map/map_spot.h"
#include "portfolio/change.h"
#include "registry/asset_life.h"
#include "support/column.h"

/* Columns of asset that the grid follows from. */
enum
{
	ASSET_ID,
	ASSET_STATUS,
	ASSET_COMMISSIONED_ON,
	ASSET_DECOMMISSIONED_ON,
	ASSET_OUT_OF_SERVICE,
	ASSET_LOCATION,
	ASSET_ATTRIBUTES,
	ASSET_COLUMNS
};

static const char *const asset_columns[ASSET_COLUMNS] = {
	"asset_id", "status", "commissioned_on", "decommissioned_on", "out_of_service", "location", "attributes"};

/* Days on which an asset is covered at all, and on which by better grounds. */
typedef struct Cover
{
	CecDaySet stated;
	CecDaySet stated_or_inherited;
	CecDaySet all;
} Cover;

typedef struct Keeper
{
	CecChange *change;
	CecMapSpots spots;
	CecMapSteps steps;
	CecIds moved; /* assets that stand elsewhere now, or have another value */
	MemoryContext cxt;
	MemoryContext asset_cxt;
} Keeper;

/* On these days an asset at the place counts as of the status, or no longer does. */
static void
add_days(Keeper *keeper, const CecMapSpot *at, CecMapStatus status, const CecDaySet *days, int sign)
{
	for (int i = 0; i < days->count; i++)
	{
		cec_map_steps_add(&keeper->steps, at->cell, status, days->spans[i].from, sign, at->value);
		if (days->spans[i].to != CEC_DAY_MAX)
			cec_map_steps_add(&keeper->steps, at->cell, status, days->spans[i].to, -sign, at->value);
	}
}

static void
add_life(Keeper *keeper, const CecMapSpot *at, const CecDaySet *life, int sign)
{
	CecDays ever = {CEC_DAY_MIN, CEC_DAY_MAX};
	CecDaySet all = {1, 1, &ever};
	CecDaySet rest = cec_day_set_minus(&all, life);

	add_days(keeper, at, CEC_MAP_LOCATED, &all, sign);
	add_days(keeper, at, CEC_MAP_NOT_IN_SERVICE, &rest, sign);
}

static void
add_cover(Keeper *keeper, const CecMapSpot *at, const Cover *cover, int sign)
{
	CecDaySet days;

	add_days(keeper, at, CEC_MAP_COVERED, &cover->stated, sign);
	days = cec_day_set_minus(&cover->stated_or_inherited, &cover->stated);
	add_days(keeper, at, CEC_MAP_COVERED_BY_BUNDLE, &days, sign);
	days = cec_day_set_minus(&cover->all, &cover->stated_or_inherited);
	add_days(keeper, at, CEC_MAP_COVERED_BY_RULE, &days, sign);
}

static CecDaySet
read_life(TupleTableSlot *row, const AttrNumber *columns)
{
	CecLifeColumns life = {0};

	life.status = cec_slot_value(row, columns[ASSET_STATUS]);
	life.has_commissioned_on = !cec_slot_isnull(row, columns[ASSET_COMMISSIONED_ON]);
	if (life.has_commissioned_on)
		life.commissioned_on = DatumGetDateADT(cec_slot_value(row, columns[ASSET_COMMISSIONED_ON]));
	life.has_decommissioned_on = !cec_slot_isnull(row, columns[ASSET_DECOMMISSIONED_ON]);
	if (life.has_decommissioned_on)
		life.decommissioned_on = DatumGetDateADT(cec_slot_value(row, columns[ASSET_DECOMMISSIONED_ON]));
	life.out_of_service = cec_slot_value(row, columns[ASSET_OUT_OF_SERVICE]);
	return cec_asset_life(&life);
}

/* The life of an asset where a row of it says that it stands. */
static CecMapSpot
account_row(Keeper *keeper, TupleTableSlot *row, const AttrNumber *columns, int sign)
{
	CecMapSpot at = {0};
	CecDaySet life;

	if (row == NULL)
		return at;
	at = cec_map_spot_of_row(&keeper->spots, row, columns[ASSET_LOCATION], columns[ASSET_ATTRIBUTES]);
	if (!at.is_known)
		return at;
	life = read_life(row, columns);
	add_life(keeper, &at, &life, sign);
	return at;
}

static bool
is_touched(CecRows *rows, const AttrNumber *columns)
{
	if (rows->old_row == NULL || rows->new_row == NULL)
		return true;
	for (int i = 0; i < ASSET_COLUMNS; i++)
		if (!cec_rows_same_value(rows->old_row, rows->new_row, columns[i]))
			return true;
	return false;
}

static void
add_moved(Keeper *keeper, TupleTableSlot *row, AttrNumber asset_id)
{
	MemoryContext old = MemoryContextSwitchTo(keeper->cxt);

	cec_ids_add(&keeper->moved, cec_slot_int8(row, asset_id));
	MemoryContextSwitchTo(old);
}

/* What a statement on asset changed of lives, and which assets it moved.  A new one has no cover but what the delta tells of. */
static void
account_rows(Keeper *keeper)
{
	CecRows rows;
	AttrNumber columns[ASSET_COLUMNS];

	for (int i = 0; i < ASSET_COLUMNS; i++)
		columns[i] = cec_column_find(keeper->change->rel, asset_columns[i]);
	cec_rows_begin(&rows, keeper->change);
	while (cec_rows_next(&rows))
	{
		CecMapSpot was;
		CecMapSpot is;
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		cec_rows_deform(&rows);
		if (!is_touched(&rows, columns))
			continue;
		old = MemoryContextSwitchTo(keeper->asset_cxt);
		was = account_row(keeper, rows.old_row, columns, -1);
		is = account_row(keeper, rows.new_row, columns, 1);
		if (rows.old_row != NULL && rows.new_row != NULL &&
			!cec_rows_same_value(rows.old_row, rows.new_row, columns[ASSET_ID]))
		{
			add_moved(keeper, rows.old_row, columns[ASSET_ID]);
			add_moved(keeper, rows.new_row, columns[ASSET_ID]);
		}
		else if (rows.old_row != NULL && !cec_map_spot_equal(&was, &is))
			add_moved(keeper, rows.old_row, columns[ASSET_ID]);
		MemoryContextSwitchTo(old);
		MemoryContextReset(keeper->asset_cxt);
	}
	cec_rows_end(&rows);
	cec_ids_sort_unique(&keeper->moved);
}

static void
add_row_of_cover(Cover *cover, CecDays during, bool is_stated, bool is_inherited)
{
	cec_day_set_add(&cover->all, during);
	if (is_stated || is_inherited)
		cec_day_set_add(&cover->stated_or_inherited, during);
	if (is_stated)
		cec_day_set_add(&cover->stated, during);
}

static int
compare_delta_rows(const void *one, const void *other)
{
	const CecDeltaRow *a = one;
	const CecDeltaRow *b = other;

	return a->during.from < b->during.from ? -1 : a->during.from > b->during.from;
}

/* Days of rows in whatever order and of several terms. */
static Cover
sum_cover(CecDeltaRow *rows, int64 count)
{
	Cover cover = {0};

	qsort(rows, count, sizeof(CecDeltaRow), compare_delta_rows);
	for (int64 i = 0; i < count; i++)
		add_row_of_cover(&cover, rows[i].during, rows[i].flags & CEC_DELTA_STATED, rows[i].flags & CEC_DELTA_INHERITED);
	return cover;
}

typedef struct CoverRows
{
	int64 count;
	int64 space;
	CecDeltaRow *rows;
} CoverRows;

static void
add_cover_row(CoverRows *rows, CecDeltaRow row)
{
	if (rows->count == rows->space)
	{
		rows->space = rows->space == 0 ? 8 : rows->space * 2;
		rows->rows = rows->rows == NULL ? palloc(rows->space * sizeof(CecDeltaRow))
										: repalloc_huge(rows->rows, rows->space * sizeof(CecDeltaRow));
	}
	rows->rows[rows->count++] = row;
}

/* The rows of coverage of an asset, as they are stored now. */
static CoverRows
read_stored(Keeper *keeper, int64 asset_id)
{
	const CecLook *look = cec_reading_look(keeper->spots.reading, &cec_source_cover);
	CoverRows rows = {0};
	TupleTableSlot *row;

	cec_probe_seek(look->probe, asset_id);
	while ((row = cec_probe_next(look->probe)) != NULL)
	{
		CecDeltaRow stored = {asset_id, DatumGetInt64(cec_look_value(look, row, CEC_COVER_TERM_ID)),
							  cec_days_of_range(cec_look_value(look, row, CEC_COVER_DURING))};

		if (DatumGetBool(cec_look_value(look, row, CEC_COVER_IS_STATED)))
			stored.flags |= CEC_DELTA_STATED;
		if (DatumGetBool(cec_look_value(look, row, CEC_COVER_IS_INHERITED)))
			stored.flags |= CEC_DELTA_INHERITED;
		add_cover_row(&rows, stored);
	}
	return rows;
}

/* The rows as they were before the change: those that came are among the stored ones. */
static CoverRows
rows_before(const CoverRows *stored, const CecDeltaRow *delta, int64 count)
{
	CoverRows before = {0};

	for (int64 i = 0; i < stored->count; i++)
	{
		const CecDeltaRow *row = &stored->rows[i];
		bool came = false;

		for (int64 j = 0; j < count && !came; j++)
			came = (delta[j].flags & CEC_DELTA_GAINED) && delta[j].subject_id == row->subject_id &&
				   delta[j].during.from == row->during.from && delta[j].during.to == row->during.to;
		if (!came)
			add_cover_row(&before, *row);
	}
	for (int64 j = 0; j < count; j++)
		if (!(delta[j].flags & CEC_DELTA_GAINED))
			add_cover_row(&before, delta[j]);
	return before;
}

/* The cover of an asset that was moved, or of which the delta tells. */
static void
account_cover(Keeper *keeper, int64 asset_id, const CecDeltaRow *delta, int64 count, bool is_moved)
{
	CoverRows stored;
	CoverRows before;
	Cover old_cover;
	Cover new_cover;
	CecMapSpot was = cec_map_spot_accounted(&keeper->spots, asset_id);
	CecMapSpot is = was;

	stored = read_stored(keeper, asset_id);
	if (!was.is_known && stored.count == 0)
		return;
	before = rows_before(&stored, delta, count);
	/* One that had cover, and yet no place, has none now unless it was moved. */
	if (stored.count == 0)
		is.is_known = false;
	else if (is_moved || (!was.is_known && before.count == 0))
		is = cec_map_spot_now(&keeper->spots, asset_id);
	if (!was.is_known && !is.is_known)
		return;
	old_cover = sum_cover(before.rows, before.count);
	new_cover = sum_cover(stored.rows, stored.count);
	if (was.is_known)
		add_cover(keeper, &was, &old_cover, -1);
	if (is.is_known)
		add_cover(keeper, &is, &new_cover, 1);
	if (!cec_map_spot_equal(&was, &is))
		cec_map_spot_account(&keeper->spots, asset_id, &was, &is);
}

/* Goes through the assets of the delta and those that were moved, which both are in order. */
static void
account_assets(Keeper *keeper)
{
	const CecDeltaRows *delta = &keeper->change->delta.cover;
	int64 at = 0;
	int64 moved = 0;

	while (at < delta->count || moved < keeper->moved.count)
	{
		bool is_moved;
		int64 asset_id;
		int64 first = at;
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		if (at == delta->count || (moved < keeper->moved.count && keeper->moved.ids[moved] < delta->rows[at].asset_id))
			asset_id = keeper->moved.ids[moved];
		else
			asset_id = delta->rows[at].asset_id;
		while (at < delta->count && delta->rows[at].asset_id == asset_id)
			at++;
		is_moved = moved < keeper->moved.count && keeper->moved.ids[moved] == asset_id;
		if (is_moved)
			moved++;
		old = MemoryContextSwitchTo(keeper->asset_cxt);
		account_cover(keeper, asset_id, delta->rows + first, at - first, is_moved);
		MemoryContextSwitchTo(old);
		MemoryContextReset(keeper->asset_cxt);
	}
}

static void
account(CecChange *change, bool is_asset)
{
	Keeper keeper = {.change = change, .cxt = CurrentMemoryContext};

	cec_map_spots_begin(&keeper.spots, change);
	cec_map_steps_begin(&keeper.steps);
	keeper.asset_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec asset on the map", ALLOCSET_SMALL_SIZES);
	if (is_asset)
		account_rows(&keeper);
	account_assets(&keeper);
	cec_map_spots_end(&keeper.spots);
	cec_map_steps_write(&keeper.steps, change->portfolio);
	MemoryContextDelete(keeper.asset_cxt);
}

/* Handler of the audit stage, before triggers of the user's may run. */
static void
keep_map(CecChange *change)
{
	bool is_asset = change->rel != NULL && strcmp(change->table_name, "asset") == 0;

	if (is_asset || change->delta.cover.count > 0)
		account(change, is_asset);
}

/* Registers with the engine. */
void
cec_map_init(void)
{
	cec_change_register(CEC_STAGE_AUDIT, NULL, keep_map);
}
