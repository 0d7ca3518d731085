/*
 * zone_project.c
 *		The Lambert azimuthal equal-area projection of the WGS 84 ellipsoid, and the square cells that it is cut into.
 *
 * J. P. Snyder, Map Projections: A Working Manual, US Geological Survey Professional Paper 1395 (1987), pp. 187-190: places
 * go to the sphere of the same area by their authalic latitude, (3-11) and (3-12), and from there to the plane, (24-17) to
 * (24-20).  Back it is (24-26) to (24-29) and the series (3-18), which is right to a millimetre; poles need nothing of their
 * own, since the sphere is left and entered by vectors.
 *
 * The plane ends at an ellipse, each place of whose edge is the antipode of the centre, and so is what lies beyond it.  Where
 * that is a pole, each direction has its longitude.
 *
 * A zone is numbered by the column and row of its cell, counted from the centre to the east and north: row + 2^25, then, in
 * 26 bits, column + 2^25.  Cells of a metre or more fit, and the number is positive and exact as a double.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/geo_decls.h"

#include "map/zone_project.h"

PG_FUNCTION_INFO_V1(cec_zone_of);
PG_FUNCTION_INFO_V1(cec_zone_middle);

#define SEMI_MAJOR 6378137.0
#define FLATTENING (1 / 298.257223563)
#define ECCENTRICITY2 (FLATTENING * (2 - FLATTENING))

#define CELL_BITS 26
#define CELL_ORIGIN (INT64CONST(1) << (CELL_BITS - 1))

/* A metre or two from the antipode: of the radius of the plane's edge, and of what (24-2) divides by. */
#define AT_EDGE (1 - 1e-14)
#define AT_ANTIPODE 1e-14

#define RADIANS(degrees) ((degrees) * (M_PI / 180))
#define DEGREES(radians) ((radians) * (180 / M_PI))

/* q of a latitude, by its sine. */
static double
authalic_q(double sine)
{
	double e = sqrt(ECCENTRICITY2);

	return (1 - ECCENTRICITY2) * (sine / (1 - ECCENTRICITY2 * sine * sine) + atanh(e * sine) / e);
}

/* Sine and cosine of the authalic latitude. */
static void
authalic(double latitude, double *sine, double *cosine)
{
	double sin_latitude = fabs(latitude) == 90 ? copysign(1, latitude) : sin(RADIANS(latitude));

	*sine = authalic_q(sin_latitude) / authalic_q(1);
	*sine = Max(-1, Min(1, *sine));
	*cosine = sqrt((1 - *sine) * (1 + *sine));
}

/* The latitude of which this is the authalic one, both in radians. */
static double
geodetic(double beta)
{
	double e2 = ECCENTRICITY2;
	double e4 = e2 * e2;
	double e6 = e4 * e2;

	return beta + (e2 / 3 + 31 * e4 / 180 + 517 * e6 / 5040) * sin(2 * beta) +
		   (23 * e4 / 360 + 251 * e6 / 3780) * sin(4 * beta) + 761 * e6 / 45360 * sin(6 * beta);
}

/* Radius of the sphere of the same area. */
static double
authalic_radius(void)
{
	return SEMI_MAJOR * sqrt(authalic_q(1) / 2);
}

/* Whether there is such a grid; its centre is given in whole degrees. */
bool
cec_zone_grid(CecZoneGrid *grid, int32 longitude, int32 latitude, double cell_size)
{
	double sine;

	if (longitude < -180 || longitude > 180 || latitude < -90 || latitude > 90 || !(cell_size >= 1) || isinf(cell_size))
		return false;
	grid->longitude = longitude;
	grid->latitude = latitude;
	grid->cell_size = cell_size;
	authalic(latitude, &grid->sin_centre, &grid->cos_centre);
	sine = sin(RADIANS(latitude));
	grid->stretch = 1;
	if (abs(latitude) != 90)
		grid->stretch = SEMI_MAJOR * cos(RADIANS(latitude)) /
						(sqrt(1 - ECCENTRICITY2 * sine * sine) * authalic_radius() * grid->cos_centre);
	return true;
}

static void
project(const CecZoneGrid *grid, double longitude, double latitude, double *x, double *y)
{
	double east = longitude - grid->longitude;
	double sine;
	double cosine;
	double along;
	double reach;
	double scale;

	/* 180 is -180: where both are written, a place is in one cell. */
	east -= 360 * floor((east + 180) / 360);
	authalic(latitude, &sine, &cosine);
	along = cosine * cos(RADIANS(east));
	reach = 1 + grid->sin_centre * sine + grid->cos_centre * along;
	if (reach < AT_ANTIPODE)
	{
		*x = 0;
		*y = -2 * authalic_radius() / grid->stretch;
		return;
	}
	scale = authalic_radius() * sqrt(2 / reach);
	*x = scale * grid->stretch * cosine * sin(RADIANS(east));
	*y = scale / grid->stretch * (grid->cos_centre * sine - grid->sin_centre * along);
}

/* The place in degrees; its longitude may be beyond 180. */
void
cec_zone_unproject(const CecZoneGrid *grid, double x, double y, double *longitude, double *latitude)
{
	double diameter = 2 * authalic_radius();
	double u = x / grid->stretch / diameter;
	double v = y * grid->stretch / diameter;
	double half = hypot(u, v); /* sine of half the angle from the centre */
	double cosine;
	double fore;
	double east;
	double north;

	if (half >= AT_EDGE)
	{
		bool is_pole = fabs(grid->latitude) == 90;

		*longitude = grid->longitude + (is_pole ? DEGREES(atan2(u, -grid->sin_centre * v)) : 180);
		*latitude = -grid->latitude;
		return;
	}
	cosine = 2 * sqrt((1 - half) * (1 + half));
	fore = grid->cos_centre * (1 - 2 * half * half) - grid->sin_centre * v * cosine;
	east = u * cosine;
	north = grid->sin_centre * (1 - 2 * half * half) + grid->cos_centre * v * cosine;
	*longitude = grid->longitude + DEGREES(atan2(east, fore));
	*latitude = DEGREES(geodetic(atan2(north, hypot(fore, east))));
}

/* Where a pole (1 north, -1 south) stands above the centre of the plane, unless it is the edge of it. */
bool
cec_zone_pole(const CecZoneGrid *grid, int which, double *y)
{
	double reach = 1 + which * grid->sin_centre;

	if (reach < AT_ANTIPODE)
		return false;
	*y = which * authalic_radius() * sqrt(2 / reach) / grid->stretch * grid->cos_centre;
	return true;
}

void
cec_zone_cell(int64 zone_id, int64 *column, int64 *row)
{
	*column = (zone_id & (2 * CELL_ORIGIN - 1)) - CELL_ORIGIN;
	*row = (zone_id >> CELL_BITS) - CELL_ORIGIN;
}

/* cec._zone_of(longitude, latitude, centre_longitude, centre_latitude, cell_size_m) */
Datum
cec_zone_of(PG_FUNCTION_ARGS)
{
	double longitude = PG_GETARG_FLOAT8(0);
	double latitude = PG_GETARG_FLOAT8(1);
	CecZoneGrid grid;
	double x;
	double y;

	if (!cec_zone_grid(&grid, PG_GETARG_INT32(2), PG_GETARG_INT32(3), PG_GETARG_FLOAT8(4)) ||
		!(fabs(longitude) <= 180) || !(fabs(latitude) <= 90))
		PG_RETURN_NULL();
	project(&grid, longitude, latitude, &x, &y);
	PG_RETURN_INT64((((int64) floor(y / grid.cell_size) + CELL_ORIGIN) << CELL_BITS) +
					(int64) floor(x / grid.cell_size) + CELL_ORIGIN);
}

/* cec._zone_middle(zone_id, centre_longitude, centre_latitude, cell_size_m): longitude and latitude */
Datum
cec_zone_middle(PG_FUNCTION_ARGS)
{
	CecZoneGrid grid;
	int64 column;
	int64 row;
	Point *result;

	if (!cec_zone_grid(&grid, PG_GETARG_INT32(1), PG_GETARG_INT32(2), PG_GETARG_FLOAT8(3)))
		PG_RETURN_NULL();
	cec_zone_cell(PG_GETARG_INT64(0), &column, &row);
	result = palloc(sizeof(Point));
	cec_zone_unproject(&grid, (column + 0.5) * grid.cell_size, (row + 0.5) * grid.cell_size, &result->x, &result->y);
	result->x -= 360 * floor((result->x + 180) / 360);
	PG_RETURN_POINT_P(result);
}
