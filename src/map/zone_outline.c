/*
 * zone_outline.c
 *		The outline of a cell, as a polygon in longitude and latitude.
 *
 * Edges of a cell are straight in the plane of its projection, and curves elsewhere: they are halved until none strays from
 * the straight line between its ends by more than a hundred-thousandth of the cell's width.  Longitudes go on beyond 180 where
 * the cell does, so that the ring is one; who calls splits it.
 *
 * The poles stand on the axis of the plane, which is an edge of cells: none has a pole inside, and some have one on an edge or
 * at a corner.  There the ring, which goes around counter-clockwise, walks along the pole from one longitude to the other:
 * westwards at the north pole, eastwards at the south pole, and the cell is always at its left.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

#include "map/zone_project.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_zone_outline);

#define WKB_POLYGON 3
#define MAX_VERTICES 8 /* four corners, and two poles on each of two edges */
#define MIN_DEPTH 2	   /* an edge is four lines at least: what is bent both ways may have its middle in place */
#define MAX_DEPTH 48
#define MAX_TURN 30.0	/* degrees of longitude that a line may span */
#define STRAY 1e-5		/* of the cell's width */
#define POLE_REACH 1e-6 /* metres: a corner as near as that is the pole */
#define POLE_STEP 1e-3	/* metres: in which direction it is left */
#define DEGREE_M 111195.0

/* A corner, or a pole on an edge: pole is 1 (north), -1 (south) or 0. */
typedef struct Vertex
{
	double x;
	double y;
	int pole;
} Vertex;

typedef struct Place
{
	double x;
	double y;
	double longitude;
	double latitude;
} Place;

typedef struct Outline
{
	const CecZoneGrid *grid;
	double tolerance; /* degrees of latitude */
	float8 (*points)[2];
	int count;
	int space;
} Outline;

/* The difference of two longitudes, the shorter way. */
static double
turn(double from, double to)
{
	double difference = to - from;

	return difference - 360 * rint(difference / 360);
}

static void
append_point(Outline *outline, double longitude, double latitude)
{
	float8(*last)[2] = outline->points + outline->count - 1;

	if (outline->count > 0 && (*last)[0] == longitude && (*last)[1] == latitude)
		return;
	/* Along a pole it is one line, wherever the cell's edge strays beyond the plane. */
	if (fabs(latitude) == 90 && outline->count > 1 && last[0][1] == latitude && last[-1][1] == latitude)
		outline->count--;
	if (outline->count == outline->space)
		outline->points = repalloc(outline->points, (outline->space *= 2) * sizeof(*outline->points));
	outline->points[outline->count][0] = longitude;
	outline->points[outline->count][1] = latitude;
	outline->count++;
}

/* A pole is met and left along meridians: so lines that meet there do not cross. */
static void
add_point(Outline *outline, double longitude, double latitude)
{
	if (outline->count > 0)
	{
		float8 *last = outline->points[outline->count - 1];

		if (fabs(latitude) == 90 && fabs(last[1]) != 90)
			append_point(outline, last[0], latitude);
		else if (fabs(latitude) != 90 && fabs(last[1]) == 90)
			append_point(outline, longitude, last[1]);
	}
	append_point(outline, longitude, latitude);
}

/* Goes on to a place, the shorter way around the earth. */
static void
go_to(Outline *outline, double longitude, double latitude)
{
	if (outline->count > 0)
		longitude -= 360 * rint((longitude - outline->points[outline->count - 1][0]) / 360);
	add_point(outline, longitude, latitude);
}

/* At a pole: goes along it to the longitude in which it is left. */
static void
turn_to(Outline *outline, int pole, double longitude)
{
	double from = outline->points[outline->count - 1][0];
	double way = longitude - from;

	way -= 360 * (pole > 0 ? ceil(way / 360) : floor(way / 360));
	add_point(outline, from + way, pole * 90);
}

static Place
place_at(const CecZoneGrid *grid, double x, double y)
{
	Place place = {x, y, 0, 0};

	cec_zone_unproject(grid, x, y, &place.longitude, &place.latitude);
	return place;
}

/* A vertex as an end of the edge to or from another one: a pole has the longitude in which that edge meets it. */
static Place
end_at(const CecZoneGrid *grid, const Vertex *vertex, const Vertex *other)
{
	Place place;
	double length;

	if (vertex->pole == 0)
		return place_at(grid, vertex->x, vertex->y);
	length = hypot(other->x - vertex->x, other->y - vertex->y);
	place = place_at(grid, vertex->x + (other->x - vertex->x) * POLE_STEP / length,
					 vertex->y + (other->y - vertex->y) * POLE_STEP / length);
	return (Place){vertex->x, vertex->y, place.longitude, vertex->pole * 90};
}

/* Goes from a place where the ring is to another one, along a straight line of the plane. */
static void
trace(Outline *outline, const Place *from, const Place *to, int depth)
{
	Place middle = place_at(outline->grid, (from->x + to->x) / 2, (from->y + to->y) / 2);
	double way = turn(from->longitude, to->longitude);
	double aside = turn(from->longitude + way / 2, middle.longitude) * cos(middle.latitude * (M_PI / 180));
	double away = middle.latitude - (from->latitude + to->latitude) / 2;

	if (depth < MAX_DEPTH && (depth < MIN_DEPTH || fabs(way) > MAX_TURN || hypot(aside, away) > outline->tolerance))
	{
		trace(outline, from, &middle, depth + 1);
		trace(outline, &middle, to, depth + 1);
	}
	else
		go_to(outline, to->longitude, to->latitude);
}

static int
add_vertex(Vertex *vertices, int count, double x, double y, int pole)
{
	vertices[count] = (Vertex){x, y, pole};
	return count + 1;
}

/* The corner, and the poles on the edge that begins there, in the order in which they come. */
static int
add_edge(const CecZoneGrid *grid, Vertex *vertices, int count, double x, double y, double next_x, double next_y)
{
	double poles[2]; /* south, north: the latter is above */
	bool has[2];
	int pole = 0;

	for (int i = 0; i < 2; i++)
	{
		has[i] = x == 0 && cec_zone_pole(grid, 2 * i - 1, &poles[i]);
		if (has[i] && fabs(y - poles[i]) <= POLE_REACH)
			pole = 2 * i - 1;
	}
	count = add_vertex(vertices, count, x, y, pole);
	if (next_x != x)
		return count;
	for (int i = 0; i < 2; i++)
	{
		int which = next_y > y ? i : 1 - i;

		if (has[which] && poles[which] > Min(y, next_y) + POLE_REACH && poles[which] < Max(y, next_y) - POLE_REACH)
			count = add_vertex(vertices, count, x, poles[which], 2 * which - 1);
	}
	return count;
}

static void
trace_cell(Outline *outline, int64 column, int64 row)
{
	const CecZoneGrid *grid = outline->grid;
	double west = column * grid->cell_size;
	double east = (column + 1) * grid->cell_size;
	double south = row * grid->cell_size;
	double north = (row + 1) * grid->cell_size;
	Vertex vertices[MAX_VERTICES];
	int count = 0;
	int first = 0;

	count = add_edge(grid, vertices, count, west, south, east, south);
	count = add_edge(grid, vertices, count, east, south, east, north);
	count = add_edge(grid, vertices, count, east, north, west, north);
	count = add_edge(grid, vertices, count, west, north, west, south);
	/* The corner next to the centre of the plane is on it, and at least one other is no pole. */
	while (first < count - 1 && fabs(end_at(grid, &vertices[first], &vertices[first + 1]).latitude) == 90)
		first++;
	for (int i = 0; i < count; i++)
	{
		const Vertex *vertex = &vertices[(first + i) % count];
		const Vertex *next = &vertices[(first + i + 1) % count];
		Place from = end_at(grid, vertex, next);
		Place to = end_at(grid, next, vertex);

		if (vertex->pole != 0)
			turn_to(outline, vertex->pole, from.longitude);
		else
			go_to(outline, from.longitude, from.latitude);
		trace(outline, &from, &to, 0);
	}
	/* It ends where it began, to the bit. */
	outline->points[outline->count - 1][0] = outline->points[0][0];
	outline->points[outline->count - 1][1] = outline->points[0][1];
}

/* cec._zone_outline(zone_id, centre_longitude, centre_latitude, cell_size_m): a polygon, as well-known binary */
Datum
cec_zone_outline(PG_FUNCTION_ARGS)
{
	CecZoneGrid grid;
	Outline outline = {&grid, 0, palloc(64 * sizeof(*outline.points)), 0, 64};
	int64 column;
	int64 row;
	bytea *result;
	char *to;
	Size size;
#ifdef WORDS_BIGENDIAN
	uint8 order = 0;
#else
	uint8 order = 1;
#endif
	uint32 head[3] = {WKB_POLYGON, 1, 0};

	if (!cec_zone_grid(&grid, PG_GETARG_INT32(1), PG_GETARG_INT32(2), PG_GETARG_FLOAT8(3)))
		PG_RETURN_NULL();
	outline.tolerance = grid.cell_size * STRAY / DEGREE_M;
	cec_zone_cell(PG_GETARG_INT64(0), &column, &row);
	trace_cell(&outline, column, row);
	head[2] = outline.count;
	size = VARHDRSZ + sizeof(order) + sizeof(head) + outline.count * sizeof(*outline.points);
	result = palloc(size);
	SET_VARSIZE(result, size);
	to = VARDATA(result);
	*to++ = order;
	memcpy(to, head, sizeof(head));
	memcpy(to + sizeof(head), outline.points, outline.count * sizeof(*outline.points));
	PG_RETURN_BYTEA_P(result);
}
