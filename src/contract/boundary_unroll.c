/*
 * boundary_unroll.c
 *		Lays the ring of an outline out flat where it leaves the map, at the 180th meridian or round a pole.
 *
 * A ring is followed corner by corner, over turns of the world to the east and west, so that each edge goes the short way.  A
 * corner is kept as its longitude and how many turns are added to it: where that is none its longitude stays what it was, to the
 * last bit.  An edge that crosses the 180th meridian gets a corner there, which both sides share.
 *
 * A ring that ends a turn away from where it began goes round a pole: the one that it touches, else the one on whose side it
 * lies.  It is closed along the pole, which has no length there.
 *
 * Whoever draws an edge from longitude -180 to 180 may mean all of the world, or nothing, as at the seam of an outline that was split
 * there: it is nothing, unless the ring has no area then.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"

#include "support/ewkb.h"
#include "support/grow.h"

PG_FUNCTION_INFO_V1(cec_unroll);

#define WGS84 4326
#define TURN 360.0

/* An edge of so much is one all round the world, whatever a projection has made of it. */
#define WHOLE_TURN (TURN - 1e-9)

/* A ring within the map has no more copies that show there than these, on either side. */
#define MAX_TURNS 2

typedef struct Corner
{
	double longitude;
	double latitude;
	int turns;
} Corner;

typedef struct Ring
{
	Corner *corners;
	int64 count;
	int64 space;
} Ring;

static double
place(const Corner *corner)
{
	return corner->turns == 0 ? corner->longitude : corner->longitude + TURN * corner->turns;
}

static void
add_corner(Ring *ring, double longitude, double latitude, int turns)
{
	CEC_MAKE_ROOM(ring->corners, ring->count, ring->space, 64);
	ring->corners[ring->count++] = (Corner){longitude, latitude, turns};
}

static void
check_corner(double longitude, double latitude)
{
	if (!isfinite(longitude) || !isfinite(latitude))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the coordinates of an outline must be finite"),
				 errdetail("A corner has longitude %s, latitude %s.", float8out_internal(longitude),
						   float8out_internal(latitude))));
	if (fabs(latitude) > 90)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("an outline has a latitude beyond the poles: %s", float8out_internal(latitude)),
						errhint("Longitude comes first, latitude second: ST_FlipCoordinates swaps them. What is no "
								"longitude and latitude needs its SRID, by ST_SetSRID.")));
	if (fabs(longitude) > 1000)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("an outline has a longitude of %s", float8out_internal(longitude)),
						errhint("What is no longitude and latitude needs its SRID, by ST_SetSRID.")));
}

/* The corners of a polygon of one ring, as they are given; false for anything else. */
static bool
read_ring(FunctionCallInfo fcinfo, Ring *ring)
{
	FmgrInfo send;
	CecEwkb reader;
	uint32 count;

	cec_ewkb_find_send(fcinfo, &send);
	reader = cec_ewkb_read(&send, PG_GETARG_DATUM(0));
	if (!cec_ewkb_type(&reader, CEC_EWKB_POLYGON) || !cec_ewkb_count(&reader, &count) || count != 1 ||
		!cec_ewkb_count(&reader, &count))
		return false;
	for (uint32 i = 0; i < count; i++)
	{
		double longitude;
		double latitude;

		if (!cec_ewkb_point(&reader, &longitude, &latitude))
			return false;
		check_corner(longitude, latitude);
		add_corner(ring, longitude, latitude, 0);
	}
	return ring->count > 0;
}

static bool
is_along_pole(const Corner *one, const Corner *other)
{
	return one->latitude == other->latitude && fabs(one->latitude) == 90;
}

/* Whether an edge stays as long as it is drawn where the ring would have no area else. */
static bool
may_be_meant(const Corner *from, const Corner *to)
{
	double length = fabs(to->longitude - from->longitude);

	return length >= WHOLE_TURN || (length > TURN / 2 && is_along_pole(from, to));
}

/* Has each edge go the short way, by turns that are added; or those that may be meant as they are drawn. */
static void
follow(Ring *ring, bool as_drawn)
{
	Corner *first = &ring->corners[0];

	first->turns = fabs(first->longitude) <= TURN / 2 ? 0 : -(int) floor((first->longitude + TURN / 2) / TURN);
	for (int64 i = 1; i < ring->count; i++)
	{
		Corner *from = &ring->corners[i - 1];
		Corner *to = &ring->corners[i];
		double length = to->longitude - from->longitude;

		to->turns = from->turns;
		if (!as_drawn || !may_be_meant(from, to))
			to->turns -= (int) (length > 0 ? ceil((length - TURN / 2) / TURN) : floor((length + TURN / 2) / TURN));
	}
}

static double
area_of(const Ring *ring)
{
	double area = 0;

	for (int64 i = 1; i < ring->count; i++)
	{
		const Corner *from = &ring->corners[i - 1];
		const Corner *to = &ring->corners[i];

		area += (place(to) - place(from)) * (to->latitude + from->latitude) / 2;
	}
	return area;
}

static bool
is_closed(const Ring *ring)
{
	return ring->corners[0].turns == ring->corners[ring->count - 1].turns;
}

/* The pole that a ring goes round. */
static double
pole_of(const Ring *ring)
{
	double north = 0;

	for (int64 i = 1; i < ring->count; i++)
	{
		const Corner *from = &ring->corners[i - 1];
		const Corner *to = &ring->corners[i];

		if (fabs(to->latitude) == 90)
			return to->latitude;
		north += fabs(place(to) - place(from)) * (to->latitude + from->latitude);
	}
	return north < 0 ? -90 : 90;
}

/* Lets the turns be what the ring means, and closes it. */
static void
lay_out(Ring *ring)
{
	follow(ring, false);
	if (is_closed(ring) && fabs(area_of(ring)) < 1e-12)
	{
		follow(ring, true);
		if (!is_closed(ring))
			follow(ring, false);
	}
	if (!is_closed(ring))
	{
		Corner first = ring->corners[0];
		double pole = pole_of(ring);

		add_corner(ring, first.longitude, pole, ring->corners[ring->count - 1].turns);
		add_corner(ring, first.longitude, pole, first.turns);
		add_corner(ring, first.longitude, first.latitude, first.turns);
	}
}

/* Adds the corners of an edge, but its first: where it crosses the 180th meridian, and half way of one that is too long. */
static void
add_edge(Ring *ring, const Corner *from, const Corner *to)
{
	double west = Min(place(from), place(to));
	double east = Max(place(from), place(to));
	bool goes_east = place(from) < place(to);
	int64 begun = ring->count;

	/* In the order from west to east: at odd halves of a turn, and where need be at even ones. */
	for (double halves = floor(west / (TURN / 2)) + 1; halves * (TURN / 2) < east; halves++)
	{
		double share = (halves * (TURN / 2) - west) / (east - west);
		bool is_seam = fmod(halves, 2) != 0;

		if (!is_seam && (east - west <= TURN / 2 || is_along_pole(from, to)))
			continue;
		add_corner(ring, is_seam ? -TURN / 2 : 0,
				   goes_east ? from->latitude + share * (to->latitude - from->latitude)
							 : to->latitude + share * (from->latitude - to->latitude),
				   (int) floor((halves + 1) / 2));
	}
	for (int64 i = begun, j = ring->count - 1; !goes_east && i < j; i++, j--)
	{
		Corner corner = ring->corners[i];

		ring->corners[i] = ring->corners[j];
		ring->corners[j] = corner;
	}
	add_corner(ring, to->longitude, to->latitude, to->turns);
}

static Ring
cut_at_seams(const Ring *ring)
{
	Ring cut = {0};

	add_corner(&cut, ring->corners[0].longitude, ring->corners[0].latitude, ring->corners[0].turns);
	for (int64 i = 1; i < ring->count; i++)
		add_edge(&cut, &ring->corners[i - 1], &ring->corners[i]);
	return cut;
}

static bool
is_as_given(const Ring *ring, int64 given)
{
	for (int64 i = 0; i < ring->count; i++)
		if (ring->corners[i].turns != 0 || fabs(ring->corners[i].longitude) > TURN / 2)
			return false;
	return ring->count == given;
}

static void
append_header(StringInfo form, uint32 type, uint32 count)
{
#ifdef WORDS_BIGENDIAN
	appendStringInfoChar(form, 0);
#else
	appendStringInfoChar(form, 1);
#endif
	appendBinaryStringInfo(form, (char *) &type, sizeof(type));
	if (type & CEC_EWKB_SRID)
	{
		uint32 srid = WGS84;

		appendBinaryStringInfo(form, (char *) &srid, sizeof(srid));
	}
	appendBinaryStringInfo(form, (char *) &count, sizeof(count));
}

static void
append_copy(StringInfo form, const Ring *ring, int turns)
{
	uint32 count = ring->count;

	append_header(form, CEC_EWKB_POLYGON, 1);
	appendBinaryStringInfo(form, (char *) &count, sizeof(count));
	for (int64 i = 0; i < ring->count; i++)
	{
		Corner corner = ring->corners[i];
		double longitude;

		corner.turns += turns;
		longitude = place(&corner);
		appendBinaryStringInfo(form, (char *) &longitude, sizeof(longitude));
		appendBinaryStringInfo(form, (char *) &corner.latitude, sizeof(corner.latitude));
	}
}

/* Whether a copy of the ring shows on the map, and not just along its edge. */
static bool
shows(const Ring *ring, int turns)
{
	double west = INFINITY;
	double east = -INFINITY;

	for (int64 i = 0; i < ring->count; i++)
	{
		west = Min(west, place(&ring->corners[i]) + TURN * turns);
		east = Max(east, place(&ring->corners[i]) + TURN * turns);
	}
	return west < TURN / 2 && east > -TURN / 2;
}

/* What is laid out, as a multipolygon of the copies that show on the map. */
static Datum
make_copies(FunctionCallInfo fcinfo, const Ring *ring)
{
	StringInfoData form;
	Oid receive;
	Oid argument;
	uint32 copies = 0;

	for (int turns = -MAX_TURNS; turns <= MAX_TURNS; turns++)
		copies += shows(ring, turns);
	initStringInfo(&form);
	append_header(&form, CEC_EWKB_MULTIPOLYGON | CEC_EWKB_SRID, copies);
	for (int turns = -MAX_TURNS; turns <= MAX_TURNS; turns++)
		if (shows(ring, turns))
			append_copy(&form, ring, turns);
	getTypeBinaryInputInfo(cec_ewkb_argument_type(fcinfo), &receive, &argument);
	return OidReceiveFunctionCall(receive, &form, argument, -1);
}

/*
 * cec._unroll(ring): of a polygon of one ring, the copies of it that lie on the map, and beyond its edge; NULL where it lies on
 * the map as it is.  Their overlaps with the map are what the ring encloses.
 */
Datum
cec_unroll(PG_FUNCTION_ARGS)
{
	Ring ring = {0};
	int64 given;

	if (!read_ring(fcinfo, &ring))
		PG_RETURN_NULL();
	given = ring.count;
	lay_out(&ring);
	ring = cut_at_seams(&ring);
	if (is_as_given(&ring, given))
		PG_RETURN_NULL();
	for (int64 i = 0; i < ring.count; i++)
		if (fabs(place(&ring.corners[i])) > TURN * MAX_TURNS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("an outline goes round the world more than once"),
					 errhint("Draw it as several polygons.")));
	PG_RETURN_DATUM(make_copies(fcinfo, &ring));
}
