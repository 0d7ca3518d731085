/*
 * map_spot.c
 *		Where an asset counts on the grid: where its row says that it stands, and where map_place says that its cover was counted.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "map/map_grid.h"
#include "map/map_spot.h"
#include "portfolio/portfolio_today.h"
#include "registry/asset_value.h"
#include "support/column.h"
#include "support/ewkb.h"
#include "support/slot.h"

static const CecSource place = {
	"map_place", "asset_id", INT8OID, RowExclusiveLock, {{"cell", INT8OID}, {"value", NUMERICOID}}};

static const char *const changed_meanwhile = "The place of the asset on the map was changed by another transaction.";

/* Begins for a change; all that is kept lives in the current memory context. */
void
cec_map_spots_begin(CecMapSpots *spots, CecChange *change)
{
	memset(spots, 0, sizeof(CecMapSpots));
	spots->change = change;
	spots->reading = cec_change_reading(change);
	cec_reading_keep_up(spots->reading);
	spots->value_key = cec_portfolio_value_attribute(change->portfolio);
	spots->value_key_length = strlen(spots->value_key);
	spots->cxt = CurrentMemoryContext;
}

static Datum
nothing(void)
{
	return DirectFunctionCall1(int4_numeric, Int32GetDatum(0));
}

/* The value where it is not 0. */
static Numeric
unless_nothing(Numeric value)
{
	if (value == NULL || DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(value), nothing())))
		return NULL;
	return value;
}

/* Where a row of asset says that it stands; the row is deformed. */
CecMapSpot
cec_map_spot_of_row(CecMapSpots *spots, TupleTableSlot *row, AttrNumber location, AttrNumber attributes)
{
	CecMapSpot found = {0};
	CecMapPlace at;
	CecEwkb reader;
	double x;
	double y;

	if (cec_slot_isnull(row, location))
		return found;
	if (!OidIsValid(spots->send.fn_oid))
		cec_ewkb_send_of(&spots->send, TupleDescAttr(row->tts_tupleDescriptor, location - 1)->atttypid, spots->cxt);
	reader = cec_ewkb_read(&spots->send, cec_slot_value(row, location));
	if (!cec_ewkb_type(&reader, CEC_EWKB_POINT) || !cec_ewkb_point(&reader, &x, &y) || !cec_map_project(x, y, &at))
		return found;
	found.is_known = true;
	found.cell = cec_map_cell(at);
	found.value = unless_nothing(
		cec_asset_worth(DatumGetJsonbP(cec_slot_value(row, attributes)), spots->value_key, spots->value_key_length));
	return found;
}

/* Where it stands now: a statement within this one may have moved it once more. */
CecMapSpot
cec_map_spot_now(CecMapSpots *spots, int64 asset_id)
{
	const CecLook *look = cec_reading_look(spots->reading, &cec_source_asset);
	TupleTableSlot *row = cec_probe_row(look->probe, asset_id);

	if (row == NULL)
		return (CecMapSpot){0};
	return cec_map_spot_of_row(spots, row, look->columns[CEC_ASSET_LOCATION], look->columns[CEC_ASSET_ATTRIBUTES]);
}

/* Where its cover was counted last. */
CecMapSpot
cec_map_spot_accounted(CecMapSpots *spots, int64 asset_id)
{
	const CecLook *look = cec_reading_look(spots->reading, &place);
	TupleTableSlot *row = cec_probe_row(look->probe, asset_id);
	CecMapSpot found = {0};

	if (row == NULL)
		return found;
	found.is_known = true;
	found.cell = DatumGetInt64(cec_look_value(look, row, 0));
	found.value = unless_nothing(DatumGetNumericCopy(cec_look_value(look, row, 1)));
	found.tid = row->tts_tid;
	return found;
}

/* Whether an asset counts the same there. */
bool
cec_map_spot_equal(const CecMapSpot *one, const CecMapSpot *other)
{
	if (one->is_known != other->is_known)
		return false;
	if (!one->is_known)
		return true;
	if (one->cell != other->cell || (one->value == NULL) != (other->value == NULL))
		return false;
	return one->value == NULL ||
		   DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(one->value), NumericGetDatum(other->value)));
}

static void
open_places(CecMapSpots *spots)
{
	MemoryContext old = MemoryContextSwitchTo(spots->cxt);

	spots->rel = cec_portfolio_open_below(spots->change->portfolio, "map_place");
	spots->columns[0] = cec_column_require(spots->rel, "asset_id", INT8OID);
	spots->columns[1] = cec_column_require(spots->rel, "cell", INT8OID);
	spots->columns[2] = cec_column_require(spots->rel, "value", NUMERICOID);
	MemoryContextSwitchTo(old);
}

static void
fill(const CecMapSpots *spots, TupleTableSlot *slot, int64 asset_id, const CecMapSpot *is)
{
	cec_slot_set(slot, spots->columns[0], Int64GetDatum(asset_id));
	cec_slot_set(slot, spots->columns[1], Int64GetDatum(is->cell));
	cec_slot_set(slot, spots->columns[2], is->value == NULL ? nothing() : NumericGetDatum(is->value));
}

static void
append_place(CecMapSpots *spots, int64 asset_id, const CecMapSpot *is)
{
	if (spots->appender == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(spots->cxt);

		spots->appender = cec_append_begin(spots->rel);
		MemoryContextSwitchTo(old);
	}
	fill(spots, cec_append_slot(spots->appender), asset_id, is);
	cec_append_row(spots->appender);
}

static void
replace_place(CecMapSpots *spots, int64 asset_id, const CecMapSpot *was, const CecMapSpot *is)
{
	if (spots->replacer == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(spots->cxt);

		spots->replacer = cec_replace_begin(spots->rel);
		spots->slot = MakeSingleTupleTableSlot(RelationGetDescr(spots->rel), &TTSOpsVirtual);
		MemoryContextSwitchTo(old);
	}
	ExecClearTuple(spots->slot);
	memset(spots->slot->tts_isnull, true, RelationGetNumberOfAttributes(spots->rel) * sizeof(bool));
	fill(spots, spots->slot, asset_id, is);
	ExecStoreVirtualTuple(spots->slot);
	cec_replace_row(spots->replacer, (ItemPointer) &was->tid, spots->reading->snapshot, spots->slot, changed_meanwhile);
}

/* Writes down that its cover is counted elsewhere now, or with another value, or no longer. */
void
cec_map_spot_account(CecMapSpots *spots, int64 asset_id, const CecMapSpot *was, const CecMapSpot *is)
{
	if (spots->rel == NULL)
		open_places(spots);
	if (was->is_known && is->is_known)
		replace_place(spots, asset_id, was, is);
	else if (was->is_known)
		cec_remove_row(spots->rel, (ItemPointer) &was->tid, spots->reading->snapshot, changed_meanwhile);
	else if (is->is_known)
		append_place(spots, asset_id, is);
}

/* Writes the rest. */
void
cec_map_spots_end(CecMapSpots *spots)
{
	if (spots->appender != NULL)
		cec_append_end(spots->appender);
	if (spots->replacer != NULL)
	{
		cec_replace_end(spots->replacer);
		ExecDropSingleTupleTableSlot(spots->slot);
	}
	if (spots->rel != NULL)
		table_close(spots->rel, NoLock);
}
