/*
 * boundary_cover.c
 *		Whether a part of a boundary covers a point.
 *
 * Parts are cut out of a boundary, and where an edge is cut its two halves differ from it by a rounding: a point right on the edge may
 * be inside of one and outside of the other.  So what is nearer to an edge than NEAR is not answered here: the whole boundary
 * is asked about it, by ST_Covers.  Farther away both must say the same, since no rounding comes near it.
 *
 * What was made of a part is kept for the next call, as PostGIS keeps what it prepares: parts are the outer side of joins.
 */
#include "postgres.h"

#include <math.h>

#include "support/compat.h"
#include "support/ewkb.h"

PG_FUNCTION_INFO_V1(cec_part_covers);

/* In degrees: a tenth of a millimetre, thousands of times what coordinates are rounded by. */
#define NEAR 1e-9

typedef struct Edge
{
	double from_x;
	double from_y;
	double to_x;
	double to_y;
} Edge;

/* A part; of what is no polygon, known is false. */
typedef struct Part
{
	FmgrInfo send;
	struct varlena *value; /* what it was made of, or NULL */
	bool is_known;
	double west;
	double east;
	double south;
	double north;
	int count;
	int space;
	Edge *edges;
} Part;

typedef enum Answer
{
	OUTSIDE,
	INSIDE,
	TOO_NEAR
} Answer;

static void
add_edge(Part *part, MemoryContext cxt, const Edge *edge)
{
	if (part->count == part->space)
	{
		part->space = Max(part->space * 2, 64);
		part->edges = part->edges == NULL ? MemoryContextAllocHuge(cxt, part->space * sizeof(Edge))
										  : repalloc_huge(part->edges, part->space * sizeof(Edge));
	}
	part->edges[part->count++] = *edge;
	part->west = Min(part->west, Min(edge->from_x, edge->to_x));
	part->east = Max(part->east, Max(edge->from_x, edge->to_x));
	part->south = Min(part->south, Min(edge->from_y, edge->to_y));
	part->north = Max(part->north, Max(edge->from_y, edge->to_y));
}

/* Reads the rings of a polygon; false for anything else. */
static bool
read_polygon(Part *part, MemoryContext cxt, Datum value)
{
	CecEwkb reader = cec_ewkb_read(&part->send, value);
	uint32 rings;

	part->count = 0;
	part->west = part->south = INFINITY;
	part->east = part->north = -INFINITY;
	if (!cec_ewkb_type(&reader, CEC_EWKB_POLYGON) || !cec_ewkb_count(&reader, &rings))
		return false;
	for (uint32 i = 0; i < rings; i++)
	{
		Edge edge;
		uint32 points;

		if (!cec_ewkb_count(&reader, &points))
			return false;
		for (uint32 j = 0; j < points; j++)
		{
			if (!cec_ewkb_point(&reader, &edge.to_x, &edge.to_y))
				return false;
			if (j > 0)
				add_edge(part, cxt, &edge);
			edge.from_x = edge.to_x;
			edge.from_y = edge.to_y;
		}
	}
	return true;
}

/* What is kept of the part of the call before, or made of another one. */
static Part *
get_part(FunctionCallInfo fcinfo)
{
	MemoryContext cxt = fcinfo->flinfo->fn_mcxt;
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	Part *part = fcinfo->flinfo->fn_extra;

	if (part == NULL)
	{
		part = MemoryContextAllocZero(cxt, sizeof(Part));
		cec_ewkb_find_send(fcinfo, &part->send);
		fcinfo->flinfo->fn_extra = part;
	}
	if (part->value == NULL || VARSIZE_ANY(part->value) != VARSIZE_ANY(value) ||
		memcmp(part->value, value, VARSIZE_ANY(value)) != 0)
	{
		struct varlena *before = part->value;

		part->value = NULL;
		if (before != NULL)
			pfree(before);
		part->is_known = read_polygon(part, cxt, PointerGetDatum(value));
		before = MemoryContextAlloc(cxt, VARSIZE_ANY(value));
		memcpy(before, value, VARSIZE_ANY(value));
		part->value = before;
	}
	if ((Pointer) value != DatumGetPointer(PG_GETARG_DATUM(0)))
		pfree(value);
	return part;
}

/* Whether a point is nearer to an edge than NEAR. */
static bool
is_near(const Edge *edge, double x, double y)
{
	double along_x = edge->to_x - edge->from_x;
	double along_y = edge->to_y - edge->from_y;
	double length = along_x * along_x + along_y * along_y;
	double share = length > 0 ? ((x - edge->from_x) * along_x + (y - edge->from_y) * along_y) / length : 0;
	double off_x;
	double off_y;

	share = Min(Max(share, 0), 1);
	off_x = edge->from_x + share * along_x - x;
	off_y = edge->from_y + share * along_y - y;
	return off_x * off_x + off_y * off_y < NEAR * NEAR;
}

/* Counts the edges that a line from the point to the east crosses. */
static Answer
locate(const Part *part, double x, double y)
{
	bool is_inside = false;

	if (x < part->west - NEAR || x > part->east + NEAR || y < part->south - NEAR || y > part->north + NEAR)
		return OUTSIDE;
	for (int i = 0; i < part->count; i++)
	{
		const Edge *edge = &part->edges[i];
		bool crosses = (edge->from_y > y) != (edge->to_y > y);

		/* Most edges are far to the north, south or west. */
		if (!crosses && fabs(edge->from_y - y) > NEAR && fabs(edge->to_y - y) > NEAR)
			continue;
		if (edge->from_x < x - NEAR && edge->to_x < x - NEAR)
			continue;
		if (edge->from_x > x + NEAR && edge->to_x > x + NEAR)
		{
			is_inside ^= crosses;
			continue;
		}
		if (is_near(edge, x, y))
			return TOO_NEAR;
		if (crosses)
		{
			double side =
				(edge->to_x - edge->from_x) * (y - edge->from_y) - (edge->to_y - edge->from_y) * (x - edge->from_x);

			is_inside ^= (edge->to_y > edge->from_y) ? side > 0 : side < 0;
		}
	}
	return is_inside ? INSIDE : OUTSIDE;
}

/*
 * cec._part_covers(part, longitude, latitude): whether a polygon covers a point; NULL right on an edge or very near to it, and of what is
 * no polygon.
 */
Datum
cec_part_covers(PG_FUNCTION_ARGS)
{
	const Part *part = get_part(fcinfo);
	double x = PG_GETARG_FLOAT8(1);
	double y = PG_GETARG_FLOAT8(2);
	Answer answer = part->is_known ? locate(part, x, y) : TOO_NEAR;

	if (answer == TOO_NEAR || isnan(x) || isnan(y))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(answer == INSIDE);
}
