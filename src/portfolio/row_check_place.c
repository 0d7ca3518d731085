/*
 * row_check_place.c
 *		Constraints of columns of PostGIS: longitudes and latitudes, and areas that are none.
 *
 * Other kinds of geometry than a column of the check has are in no range.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "portfolio/row_check.h"
#include "support/ewkb.h"

typedef struct Extent
{
	double west;
	double east;
	double south;
	double north;
} Extent;

/* The send form of the first argument; the function that makes it is looked up once a statement. */
static CecEwkb
send_form(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		FmgrInfo *send = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(FmgrInfo));

		cec_ewkb_find_send(fcinfo, send);
		fcinfo->flinfo->fn_extra = send;
	}
	return cec_ewkb_read(fcinfo->flinfo->fn_extra, PG_GETARG_DATUM(0));
}

/* A point that is no place, as PostGIS sends an empty one, is in no range. */
static bool
read_point(FunctionCallInfo fcinfo, double *x, double *y)
{
	CecEwkb reader = send_form(fcinfo);

	return cec_ewkb_type(&reader, CEC_EWKB_POINT) && cec_ewkb_point(&reader, x, y);
}

static bool
point_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	double x;
	double y;

	return read_point(fcinfo, &x, &y) && x >= -180 && x <= 180 && y >= -90 && y <= 90;
}

static char *
number_in_words(double number)
{
	return isnan(number) ? pstrdup("none") : float8out_internal(number);
}

static void
refuse_point(const CecRefusal *refusal, FunctionCallInfo fcinfo)
{
	double x = get_float8_nan();
	double y = get_float8_nan();

	(void) read_point(fcinfo, &x, &y);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("the %s is outside the range of longitude and latitude", cec_check_column(refusal->check)),
			 refusal->may_tell ? errdetail("Longitude %s, latitude %s.", number_in_words(x), number_in_words(y)) : 0,
			 errhint("Longitude (-180 to 180) comes first, latitude (-90 to 90) second; the two may be swapped."),
			 cec_refusal_names(refusal)));
}

const CecCheckKind cec_point_in_range = {true, point_holds, refuse_point,
										 "$column must be a longitude from -180 to 180 and a latitude from -90 to 90"};

/* Is handed each point of each ring, in order; false: that will do. */
typedef bool (*TakePoint)(void *arg, bool is_first, double x, double y);

static bool
walk_ring(CecEwkb *reader, TakePoint take, void *arg)
{
	uint32 points;

	if (!cec_ewkb_count(reader, &points))
		return false;
	for (uint32 i = 0; i < points; i++)
	{
		double x;
		double y;

		if (!cec_ewkb_point(reader, &x, &y) || !take(arg, i == 0, x, y))
			return false;
	}
	return true;
}

/* Whether all points of all rings were taken; false also for what is no multipolygon. */
static bool
walk_area(FunctionCallInfo fcinfo, TakePoint take, void *arg)
{
	CecEwkb reader = send_form(fcinfo);
	uint32 polygons;

	if (!cec_ewkb_type(&reader, CEC_EWKB_MULTIPOLYGON) || !cec_ewkb_count(&reader, &polygons))
		return false;
	for (uint32 i = 0; i < polygons; i++)
	{
		uint32 rings;

		if (!cec_ewkb_type(&reader, CEC_EWKB_POLYGON) || !cec_ewkb_count(&reader, &rings))
			return false;
		for (uint32 j = 0; j < rings; j++)
			if (!walk_ring(&reader, take, arg))
				return false;
	}
	return true;
}

static bool
extend(void *arg, bool is_first, double x, double y)
{
	Extent *extent = arg;

	extent->west = Min(extent->west, x);
	extent->east = Max(extent->east, x);
	extent->south = Min(extent->south, y);
	extent->north = Max(extent->north, y);
	return true;
}

/* West, east, south and north of the polygons of the first argument; turned around where there is no point. */
static bool
read_extent(FunctionCallInfo fcinfo, Extent *extent)
{
	extent->west = extent->south = get_float8_infinity();
	extent->east = extent->north = -get_float8_infinity();
	return walk_area(fcinfo, extend, extent);
}

static bool
area_in_range_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	Extent extent;

	return read_extent(fcinfo, &extent) && extent.west >= -180 && extent.east <= 180 && extent.south >= -90 &&
		   extent.north <= 90;
}

static void
refuse_range(const CecRefusal *refusal, FunctionCallInfo fcinfo)
{
	Extent extent;

	(void) read_extent(fcinfo, &extent);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("the %s is outside the range of longitude and latitude", cec_check_column(refusal->check)),
			 refusal->may_tell ? errdetail("Longitude %s to %s, latitude %s to %s.", float8out_internal(extent.west),
										   float8out_internal(extent.east), float8out_internal(extent.south),
										   float8out_internal(extent.north))
							   : 0,
			 errhint("Longitude (-180 to 180) comes first, latitude (-90 to 90) second; cec.boundary splits an outline "
					 "that crosses the 180th meridian."),
			 cec_refusal_names(refusal)));
}

const CecCheckKind cec_area_in_range = {
	true, area_in_range_holds, refuse_range,
	"$column must lie within the longitudes -180 to 180 and the latitudes -90 to 90"};

/* An edge of a ring, and whether it is one that nobody means. */
typedef struct Edge
{
	double from_x;
	double from_y;
	double to_x;
	double to_y;
	bool is_long;
} Edge;

/* Moves on to a point.  Along a pole all ways are one, however long they are drawn. */
static bool
go_along(void *arg, bool is_first, double x, double y)
{
	Edge *edge = arg;

	edge->from_x = is_first ? x : edge->to_x;
	edge->from_y = is_first ? y : edge->to_y;
	edge->to_x = x;
	edge->to_y = y;
	edge->is_long = fabs(x - edge->from_x) > 180 && !(y == edge->from_y && fabs(y) == 90);
	return !edge->is_long;
}

static bool
edge_short_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	Edge edge = {0};

	(void) walk_area(fcinfo, go_along, &edge);
	return !edge.is_long;
}

static void
refuse_edge(const CecRefusal *refusal, FunctionCallInfo fcinfo)
{
	Edge edge = {0};

	(void) walk_area(fcinfo, go_along, &edge);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("the %s has an edge longer than 180 degrees of longitude", cec_check_column(refusal->check)),
			 refusal->may_tell ? errdetail("It runs from longitude %s, latitude %s to longitude %s, latitude %s.",
										   float8out_internal(edge.from_x), float8out_internal(edge.from_y),
										   float8out_internal(edge.to_x), float8out_internal(edge.to_y))
							   : 0,
			 errhint("cec.boundary takes such an edge the short way round, across the 180th meridian."),
			 cec_refusal_names(refusal)));
}

const CecCheckKind cec_area_edge_short = {true, edge_short_holds, refuse_edge,
										  "no edge of $column must be longer than 180 degrees of longitude"};

/* Calls a function of PostGIS by its name: one of the schema that the type is in, and of that type alone. */
static Datum
call_postgis(FunctionCallInfo fcinfo, const char *name)
{
	Oid type = cec_ewkb_argument_type(fcinfo);
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	char *schema;
	Oid function;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	schema = get_namespace_name(((Form_pg_type) GETSTRUCT(tuple))->typnamespace);
	ReleaseSysCache(tuple);
	function = LookupFuncName(list_make2(makeString(schema), makeString(pstrdup(name))), 1, &type, false);
	return OidFunctionCall1(function, PG_GETARG_DATUM(0));
}

static bool
area_valid_holds(const CecRowCheck *check, FunctionCallInfo fcinfo)
{
	return DatumGetBool(call_postgis(fcinfo, "st_isvalid"));
}

static void
refuse_invalid(const CecRefusal *refusal, FunctionCallInfo fcinfo)
{
	char *reason = refusal->may_tell ? text_to_cstring(DatumGetTextPP(call_postgis(fcinfo, "st_isvalidreason"))) : NULL;

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION), errmsg("the %s is not a valid area", cec_check_column(refusal->check)),
			 reason != NULL ? errdetail("%s.", reason) : 0, errhint("cec.boundary mends most outlines."),
			 cec_refusal_names(refusal)));
}

const CecCheckKind cec_area_valid = {true, area_valid_holds, refuse_invalid,
									 "$column must be a valid area, by ST_IsValid"};
