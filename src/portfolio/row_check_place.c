/*
 * row_check_place.c
 *		Constraints of columns of PostGIS: longitudes and latitudes, and areas that are none.
 *
 * A geometry is read by its send form, extended well-known binary, which PostGIS documents; what it keeps on disk is its own.
 * Other kinds of geometry than a column of the check has are in no range.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "portfolio/row_check.h"

#define EWKB_SRID 0x20000000
#define EWKB_POINT 1
#define EWKB_POLYGON 3
#define EWKB_MULTIPOLYGON 6

typedef struct Reader
{
	const char *at;
	const char *end;
	bool is_swapped;
} Reader;

typedef struct Extent
{
	double west;
	double east;
	double south;
	double north;
} Extent;

static Oid
type_of_geometry(FunctionCallInfo fcinfo)
{
	Oid *types;
	int ntypes;

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &ntypes);
	return types[0];
}

/* The send form of the first argument; the function that makes it is looked up once a statement. */
static Reader
send_form(FunctionCallInfo fcinfo)
{
	FmgrInfo *send = fcinfo->flinfo->fn_extra;
	bytea *bytes;
	Reader reader = {0};

	if (send == NULL)
	{
		Oid function;
		bool is_varlena;

		getTypeBinaryOutputInfo(type_of_geometry(fcinfo), &function, &is_varlena);
		send = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(FmgrInfo));
		fmgr_info_cxt(function, send, fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = send;
	}
	bytes = SendFunctionCall(send, PG_GETARG_DATUM(0));
	reader.at = VARDATA(bytes);
	reader.end = reader.at + VARSIZE(bytes) - VARHDRSZ;
	return reader;
}

static bool
read_bytes(Reader *reader, void *into, int size)
{
	if (reader->end - reader->at < size)
		return false;
	memcpy(into, reader->at, size);
	reader->at += size;
	return true;
}

static bool
read_count(Reader *reader, uint32 *count)
{
	if (!read_bytes(reader, count, sizeof(uint32)))
		return false;
	if (reader->is_swapped)
		*count = pg_bswap32(*count);
	return true;
}

static bool
read_number(Reader *reader, double *number)
{
	uint64 bits;

	if (!read_bytes(reader, &bits, sizeof(bits)))
		return false;
	if (reader->is_swapped)
		bits = pg_bswap64(bits);
	memcpy(number, &bits, sizeof(bits));
	return true;
}

/* Byte order, type and SRID; whether it is a geometry of this type, in two dimensions. */
static bool
read_type(Reader *reader, uint32 type)
{
	uint8 order;
	uint32 found;
	uint32 srid;

	if (!read_bytes(reader, &order, 1))
		return false;
#ifdef WORDS_BIGENDIAN
	reader->is_swapped = order != 0;
#else
	reader->is_swapped = order == 0;
#endif
	return read_count(reader, &found) && (found & ~EWKB_SRID) == type &&
		   ((found & EWKB_SRID) == 0 || read_count(reader, &srid));
}

/* A point that is no place, as PostGIS sends an empty one, is in no range. */
static bool
read_point(FunctionCallInfo fcinfo, double *x, double *y)
{
	Reader reader = send_form(fcinfo);

	return read_type(&reader, EWKB_POINT) && read_number(&reader, x) && read_number(&reader, y);
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

static bool
extend_by_points(Reader *reader, Extent *extent)
{
	uint32 points;

	if (!read_count(reader, &points))
		return false;
	for (uint32 i = 0; i < points; i++)
	{
		double x;
		double y;

		if (!read_number(reader, &x) || !read_number(reader, &y))
			return false;
		extent->west = Min(extent->west, x);
		extent->east = Max(extent->east, x);
		extent->south = Min(extent->south, y);
		extent->north = Max(extent->north, y);
	}
	return true;
}

/* West, east, south and north of the polygons of the first argument; turned around where there is no point. */
static bool
read_extent(FunctionCallInfo fcinfo, Extent *extent)
{
	Reader reader = send_form(fcinfo);
	uint32 polygons;

	extent->west = extent->south = get_float8_infinity();
	extent->east = extent->north = -get_float8_infinity();
	if (!read_type(&reader, EWKB_MULTIPOLYGON) || !read_count(&reader, &polygons))
		return false;
	for (uint32 i = 0; i < polygons; i++)
	{
		uint32 rings;

		if (!read_type(&reader, EWKB_POLYGON) || !read_count(&reader, &rings))
			return false;
		for (uint32 j = 0; j < rings; j++)
			if (!extend_by_points(&reader, extent))
				return false;
	}
	return true;
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
	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
					errmsg("the %s is outside the range of longitude and latitude", cec_check_column(refusal->check)),
					refusal->may_tell ? errdetail("Longitude %s to %s, latitude %s to %s.",
												  float8out_internal(extent.west), float8out_internal(extent.east),
												  float8out_internal(extent.south), float8out_internal(extent.north))
									  : 0,
					errhint("Longitude (-180 to 180) comes first; split an outline that crosses the 180th meridian."),
					cec_refusal_names(refusal)));
}

const CecCheckKind cec_area_in_range = {
	true, area_in_range_holds, refuse_range,
	"$column must lie within the longitudes -180 to 180 and the latitudes -90 to 90"};

/* Calls a function of PostGIS by its name: one of the schema that the type is in, and of that type alone. */
static Datum
call_postgis(FunctionCallInfo fcinfo, const char *name)
{
	Oid type = type_of_geometry(fcinfo);
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
			 reason != NULL ? errdetail("%s.", reason) : 0, errhint("ST_MakeValid mends most outlines."),
			 cec_refusal_names(refusal)));
}

const CecCheckKind cec_area_valid = {true, area_valid_holds, refuse_invalid,
									 "$column must be a valid area, by ST_IsValid"};
