/*
 * point.c
 *		Reads the coordinates of a point of PostGIS.
 *
 * A geometry is read by its send form, extended well-known binary, which PostGIS documents; what it keeps on disk is its own.
 */
#include "postgres.h"

#include <math.h>

#include "port/pg_bswap.h"
#include "utils/lsyscache.h"

#include "support/point.h"

#define EWKB_SRID 0x20000000
#define EWKB_POINT 1

/* Byte order, type, SRID where there is one, and two numbers. */
#define PLAIN_SIZE (1 + 4 + 16)
#define SIZE_WITH_SRID (PLAIN_SIZE + 4)

/* Finds the function that sends values of the type geometry; it lives in the context given. */
void
cec_point_send(FmgrInfo *send, Oid geometry, MemoryContext cxt)
{
	Oid function;
	bool is_varlena;

	getTypeBinaryOutputInfo(geometry, &function, &is_varlena);
	fmgr_info_cxt(function, send, cxt);
}

static uint32
read_int(const char *at, bool is_swapped)
{
	uint32 number;

	memcpy(&number, at, sizeof(number));
	return is_swapped ? pg_bswap32(number) : number;
}

static double
read_double(const char *at, bool is_swapped)
{
	uint64 bits;
	double number;

	memcpy(&bits, at, sizeof(bits));
	if (is_swapped)
		bits = pg_bswap64(bits);
	memcpy(&number, &bits, sizeof(number));
	return number;
}

/* False for what is no point in two dimensions, or an empty one. */
bool
cec_point_read(FmgrInfo *send, Datum point, double *x, double *y)
{
	bytea *bytes = SendFunctionCall(send, point);
	const char *at = VARDATA(bytes);
	Size size = VARSIZE(bytes) - VARHDRSZ;
	bool is_swapped;
	uint32 type;

	if (size != PLAIN_SIZE && size != SIZE_WITH_SRID)
		return false;
#ifdef WORDS_BIGENDIAN
	is_swapped = at[0] != 0;
#else
	is_swapped = at[0] == 0;
#endif
	type = read_int(at + 1, is_swapped);
	if (type != (size == PLAIN_SIZE ? EWKB_POINT : (EWKB_POINT | EWKB_SRID)))
		return false;
	*x = read_double(at + size - 16, is_swapped);
	*y = read_double(at + size - 8, is_swapped);
	pfree(bytes);
	return !isnan(*x) && !isnan(*y);
}
