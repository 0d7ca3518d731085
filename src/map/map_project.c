/*
 * map_project.c
 *		Where a place is on the map: web Mercator, as tiles have it, and the cells of the grid.
 *
 * Tiles and cells are half-open: one that begins on a line has it.  All zooms are computed from the same two shares by powers of two, so a
 * cell is in one tile of each lower zoom, for sure.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

#include "map/map_grid.h"

/* Beyond it nothing is drawn; the square of the map ends at 85.05112878. */
#define MAX_LATITUDE 85.0511

/* Of a position: a tile of the highest zoom is 4096 wide. */
#define MAX_SHIFT (CEC_MAP_MAX_ZOOM + 12)

PG_FUNCTION_INFO_V1(cec_map_column);
PG_FUNCTION_INFO_V1(cec_map_row);
PG_FUNCTION_INFO_V1(cec_map_is_in);
PG_FUNCTION_INFO_V1(cec_map_cell_at);
PG_FUNCTION_INFO_V1(cec_map_cell_column);
PG_FUNCTION_INFO_V1(cec_map_cell_row);

const char *const cec_map_status_name[CEC_MAP_STATUS_COUNT] = {"covered", "covered_by_bundle", "covered_by_rule",
															   "not_in_service", "located"};

static double
clamp_share(double share)
{
	return Min(Max(share, 0.0), nextafter(1.0, 0.0));
}

/* Longitude 180 is -180. */
static double
share_of_longitude(double longitude)
{
	return longitude >= 180 ? 0 : clamp_share((longitude + 180) / 360);
}

static double
share_of_latitude(double latitude)
{
	return clamp_share((1 - asinh(tan(latitude * M_PI / 180)) / M_PI) / 2);
}

/* False beyond the map. */
bool
cec_map_project(double longitude, double latitude, CecMapPlace *place)
{
	if (!(fabs(latitude) <= MAX_LATITUDE && fabs(longitude) <= 180))
		return false;
	place->across = share_of_longitude(longitude);
	place->down = share_of_latitude(latitude);
	return true;
}

/* The bits of a number, each followed by a 0. */
static uint64
spread(uint32 number)
{
	uint64 bits = number;

	bits = (bits | (bits << 16)) & UINT64CONST(0x0000FFFF0000FFFF);
	bits = (bits | (bits << 8)) & UINT64CONST(0x00FF00FF00FF00FF);
	bits = (bits | (bits << 4)) & UINT64CONST(0x0F0F0F0F0F0F0F0F);
	bits = (bits | (bits << 2)) & UINT64CONST(0x3333333333333333);
	bits = (bits | (bits << 1)) & UINT64CONST(0x5555555555555555);
	return bits;
}

/*
 * The cell of a place: bits of row and column in turn (a Morton code), so that the cells of a tile of any lower zoom follow each other,
 * and the cell of a lower level is what is left without the last two bits for each.
 */
int64
cec_map_cell(CecMapPlace place)
{
	uint32 column = (uint32) (place.across * (1 << CEC_MAP_LEVEL));
	uint32 row = (uint32) (place.down * (1 << CEC_MAP_LEVEL));

	return (int64) (spread(row) << 1 | spread(column));
}

static int
shift_of(int32 shift)
{
	if (shift < 0 || shift > MAX_SHIFT)
		elog(ERROR, "no zoom has a shift of %d", shift);
	return shift;
}

/* cec._map_column(longitude, shift): which of the 2^shift columns of the map it is in, from the west. */
Datum
cec_map_column(PG_FUNCTION_ARGS)
{
	double longitude = PG_GETARG_FLOAT8(0);

	PG_RETURN_INT64((int64) ldexp(share_of_longitude(longitude), shift_of(PG_GETARG_INT32(1))));
}

/* cec._map_row(latitude, shift): which of the 2^shift rows of the map it is in, from the north; NULL beyond the map. */
Datum
cec_map_row(PG_FUNCTION_ARGS)
{
	double latitude = PG_GETARG_FLOAT8(0);

	if (!(fabs(latitude) <= MAX_LATITUDE))
		PG_RETURN_NULL();
	PG_RETURN_INT64((int64) ldexp(share_of_latitude(latitude), shift_of(PG_GETARG_INT32(1))));
}

/* cec._map_is_in(longitude, latitude, z, x, y): whether a place is in a tile. */
Datum
cec_map_is_in(PG_FUNCTION_ARGS)
{
	CecMapPlace place;
	int z = shift_of(PG_GETARG_INT32(2));

	PG_RETURN_BOOL(cec_map_project(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), &place) &&
				   (int64) ldexp(place.across, z) == PG_GETARG_INT32(3) &&
				   (int64) ldexp(place.down, z) == PG_GETARG_INT32(4));
}

/* cec._map_cell(longitude, latitude): the cell of the grid; NULL beyond the map. */
Datum
cec_map_cell_at(PG_FUNCTION_ARGS)
{
	CecMapPlace place;

	if (!cec_map_project(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), &place))
		PG_RETURN_NULL();
	PG_RETURN_INT64(cec_map_cell(place));
}

/* Every second bit of a number, from the lowest. */
static uint32
gather(uint64 bits)
{
	bits &= UINT64CONST(0x5555555555555555);
	bits = (bits | (bits >> 1)) & UINT64CONST(0x3333333333333333);
	bits = (bits | (bits >> 2)) & UINT64CONST(0x0F0F0F0F0F0F0F0F);
	bits = (bits | (bits >> 4)) & UINT64CONST(0x00FF00FF00FF00FF);
	bits = (bits | (bits >> 8)) & UINT64CONST(0x0000FFFF0000FFFF);
	bits = (bits | (bits >> 16)) & UINT64CONST(0x00000000FFFFFFFF);
	return (uint32) bits;
}

/* The first cell of a level that is in a tile of a lower zoom; how many follow it, 4 to the power of the difference says. */
int64
cec_map_first_cell(int z, int32 x, int32 y, int level)
{
	return (int64) ((spread(y) << 1 | spread(x)) << (2 * (level - z)));
}

/* cec._map_cell_column(cell) */
Datum
cec_map_cell_column(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(gather(PG_GETARG_INT64(0)));
}

/* cec._map_cell_row(cell) */
Datum
cec_map_cell_row(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(gather((uint64) PG_GETARG_INT64(0) >> 1));
}
