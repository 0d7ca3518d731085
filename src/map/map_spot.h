/*
 * map_spot.h
 *		Where an asset counts on the grid, and with which value: by its row, and by what was written down.
 */
#ifndef CEC_MAP_SPOT_H
#define CEC_MAP_SPOT_H

#include "fmgr.h"
#include "storage/itemptr.h"
#include "utils/numeric.h"

#include "portfolio/change.h"
#include "support/heap_write.h"

typedef struct CecMapSpot
{
	bool is_known; /* it has a place on the map */
	int64 cell;
	Numeric value;		 /* NULL: 0 */
	ItemPointerData tid; /* of the row of map_place that says so, where it is from there */
} CecMapSpot;

/* Reads and writes them for one change. */
typedef struct CecMapSpots
{
	CecChange *change;
	CecReading *reading;
	FmgrInfo send; /* of locations; fn_oid is 0 until there is one */
	const char *value_key;
	int value_key_length;
	Relation rel; /* map_place; NULL until something is written */
	AttrNumber columns[3];
	CecAppender *appender;
	CecReplacer *replacer;
	TupleTableSlot *slot; /* of rows that are replaced */
	MemoryContext cxt;
} CecMapSpots;

extern void cec_map_spots_begin(CecMapSpots *spots, CecChange *change);
extern CecMapSpot
cec_map_spot_of_row(CecMapSpots *spots, TupleTableSlot *row, AttrNumber location, AttrNumber attributes);
extern CecMapSpot cec_map_spot_now(CecMapSpots *spots, int64 asset_id);
extern CecMapSpot cec_map_spot_accounted(CecMapSpots *spots, int64 asset_id);
extern bool cec_map_spot_equal(const CecMapSpot *one, const CecMapSpot *other);
extern void cec_map_spot_account(CecMapSpots *spots, int64 asset_id, const CecMapSpot *was, const CecMapSpot *is);
extern void cec_map_spots_end(CecMapSpots *spots);

#endif
