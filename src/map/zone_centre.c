/*
 * zone_centre.c
 *		The middle of an area on the sphere: the mean of the unit vectors of all its places.
 *
 * Edges are straight in longitude and latitude, as PostGIS has them.  By Green's theorem the mean is a sum of integrals along
 * them; each is taken in pieces of ten degrees at most by Gauss's rule of three points, which is right to some 1e-12 there.
 * Angles are counted from a vertex of the ring, so that the sum of a small area does not drown in what cancels out.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(cec_area_mean);

#define WKB_POLYGON 3
#define WKB_MULTIPOLYGON 6
#define LONGEST_PIECE (10 * (M_PI / 180))

typedef struct Wkb
{
	const char *at;
	const char *end;
} Wkb;

typedef struct Vector
{
	double x;
	double y;
	double z;
} Vector;

static void
read_bytes(Wkb *wkb, void *into, int size)
{
	if (wkb->end - wkb->at < size)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("an area ends too early")));
	memcpy(into, wkb->at, size);
	wkb->at += size;
}

static uint32
read_count(Wkb *wkb)
{
	uint32 count;

	read_bytes(wkb, &count, sizeof(count));
#ifdef WORDS_BIGENDIAN
	count = pg_bswap32(count);
#endif
	return count;
}

static double
read_radians(Wkb *wkb)
{
	uint64 bits;
	double degrees;

	read_bytes(wkb, &bits, sizeof(bits));
#ifdef WORDS_BIGENDIAN
	bits = pg_bswap64(bits);
#endif
	memcpy(&degrees, &bits, sizeof(degrees));
	return degrees * (M_PI / 180);
}

static uint32
read_kind(Wkb *wkb)
{
	uint8 order;

	read_bytes(wkb, &order, 1);
	return order == 1 ? read_count(wkb) : 0;
}

/* Adds what an edge contributes: longitudes are counted from the ring's first vertex, as are its sines of latitude. */
static void
add_edge(Vector *sum, double base, double longitude, double latitude, double next_longitude, double next_latitude)
{
	static const double nodes[] = {0.11270166537925831, 0.5, 0.88729833462074169};
	static const double weights[] = {5.0 / 18, 8.0 / 18, 5.0 / 18};
	double width = next_longitude - longitude;
	double height = next_latitude - latitude;
	int pieces = Max(1, (int) ceil(Max(fabs(width), fabs(height)) / LONGEST_PIECE));

	for (int i = 0; i < pieces * 3; i++)
	{
		int piece = i / 3;
		double along = (piece + nodes[i % 3]) / pieces;
		double weight = weights[i % 3] / pieces;
		double east = longitude + along * width;
		double north = latitude + along * height;
		double cosine2 = cos(north) * cos(north);
		double half = sin(east / 2);

		sum->x += weight * height * cosine2 * sin(east);
		sum->y += weight * height * cosine2 * 2 * half * half;
		sum->z -= weight * width * sin(north - base) * sin(north + base) / 2;
	}
}

/* Adds the sum over what a ring encloses, or takes it away. */
static void
add_ring(Wkb *wkb, bool is_hole, Vector *total)
{
	uint32 points = read_count(wkb);
	Vector sum = {0, 0, 0};
	double area = 0;
	double first_longitude = 0;
	double base = 0;
	double longitude = 0;
	double latitude = 0;
	double sign;

	for (uint32 i = 0; i < points; i++)
	{
		double next_longitude = read_radians(wkb);
		double next_latitude = read_radians(wkb);

		CHECK_FOR_INTERRUPTS();
		if (i == 0)
		{
			first_longitude = next_longitude;
			base = next_latitude;
		}
		next_longitude -= first_longitude;
		if (i > 0)
		{
			add_edge(&sum, base, longitude, latitude, next_longitude, next_latitude);
			area += longitude * (next_latitude - base) - next_longitude * (latitude - base);
		}
		longitude = next_longitude;
		latitude = next_latitude;
	}
	/* Rings go around either way. */
	sign = (area < 0) != is_hole ? -1 : 1;
	total->x += sign * (sum.x * cos(first_longitude) - sum.y * sin(first_longitude));
	total->y += sign * (sum.x * sin(first_longitude) + sum.y * cos(first_longitude));
	total->z += sign * sum.z;
}

static void
add_polygon(Wkb *wkb, Vector *total)
{
	uint32 rings = read_count(wkb);

	for (uint32 i = 0; i < rings; i++)
		add_ring(wkb, i > 0, total);
}

/* cec._area_mean(area): x, y and z of the sum over a polygon or several, given as little-endian well-known binary */
Datum
cec_area_mean(PG_FUNCTION_ARGS)
{
	bytea *area = PG_GETARG_BYTEA_PP(0);
	Wkb wkb = {VARDATA_ANY(area), VARDATA_ANY(area) + VARSIZE_ANY_EXHDR(area)};
	uint32 kind = read_kind(&wkb);
	uint32 polygons = kind == WKB_MULTIPOLYGON ? read_count(&wkb) : 1;
	Vector total = {0, 0, 0};
	Datum values[3];

	for (uint32 i = 0; i < polygons; i++)
	{
		if (kind == WKB_MULTIPOLYGON && read_kind(&wkb) != WKB_POLYGON)
			kind = 0;
		if (kind != WKB_POLYGON && kind != WKB_MULTIPOLYGON)
			ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("an area consists of polygons")));
		add_polygon(&wkb, &total);
	}
	values[0] = Float8GetDatum(total.x);
	values[1] = Float8GetDatum(total.y);
	values[2] = Float8GetDatum(total.z);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, 3, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
