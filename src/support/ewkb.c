/*
 * ewkb.c
 *		Reads a geometry of PostGIS by its send form.
 */
#include "postgres.h"

#include "port/pg_bswap.h"
#include "utils/lsyscache.h"

#include "support/compat.h"
#include "support/ewkb.h"

/* The type of the first argument of a function: geometry, wherever PostGIS is. */
Oid
cec_ewkb_argument_type(FunctionCallInfo fcinfo)
{
	Oid *types;
	int ntypes;

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &ntypes);
	return types[0];
}

/* Finds the function that sends values of the type geometry; it lives in the context. */
void
cec_ewkb_send_of(FmgrInfo *send, Oid type, MemoryContext cxt)
{
	Oid function;
	bool is_varlena;

	getTypeBinaryOutputInfo(type, &function, &is_varlena);
	fmgr_info_cxt(function, send, cxt);
}

/* The same for the first argument; it lives as long as what is known of the call. */
void
cec_ewkb_find_send(FunctionCallInfo fcinfo, FmgrInfo *send)
{
	cec_ewkb_send_of(send, cec_ewkb_argument_type(fcinfo), fcinfo->flinfo->fn_mcxt);
}

/* Starts reading a geometry. */
CecEwkb
cec_ewkb_read(FmgrInfo *send, Datum geometry)
{
	bytea *bytes = SendFunctionCall(send, geometry);
	CecEwkb reader = {VARDATA(bytes), VARDATA(bytes) + VARSIZE(bytes) - VARHDRSZ, false};

	return reader;
}

static bool
read_bytes(CecEwkb *reader, void *into, int size)
{
	if (reader->end - reader->at < size)
		return false;
	memcpy(into, reader->at, size);
	reader->at += size;
	return true;
}

/* A number of what follows; false where the form ends. */
bool
cec_ewkb_count(CecEwkb *reader, uint32 *count)
{
	if (!read_bytes(reader, count, sizeof(uint32)))
		return false;
	if (reader->is_swapped)
		*count = pg_bswap32(*count);
	return true;
}

static bool
read_number(CecEwkb *reader, double *number)
{
	uint64 bits;

	if (!read_bytes(reader, &bits, sizeof(bits)))
		return false;
	if (reader->is_swapped)
		bits = pg_bswap64(bits);
	memcpy(number, &bits, sizeof(bits));
	return true;
}

/* A point's two coordinates; false where the form ends. */
bool
cec_ewkb_point(CecEwkb *reader, double *x, double *y)
{
	return read_number(reader, x) && read_number(reader, y);
}

/* Byte order, type and SRID; whether it is a geometry of this type, in two dimensions. */
bool
cec_ewkb_type(CecEwkb *reader, uint32 type)
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
	return cec_ewkb_count(reader, &found) && (found & ~CEC_EWKB_SRID) == type &&
		   ((found & CEC_EWKB_SRID) == 0 || cec_ewkb_count(reader, &srid));
}
