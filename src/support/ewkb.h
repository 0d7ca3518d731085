/*
 * ewkb.h
 *		Reading a geometry of PostGIS by its send form, extended well-known binary, which PostGIS documents; what it keeps on disk
 *		is its own.
 */
#ifndef CEC_EWKB_H
#define CEC_EWKB_H

#include "fmgr.h"

#define CEC_EWKB_SRID 0x20000000
#define CEC_EWKB_POINT 1
#define CEC_EWKB_POLYGON 3
#define CEC_EWKB_MULTIPOLYGON 6

typedef struct CecEwkb
{
	const char *at;
	const char *end;
	bool is_swapped;
} CecEwkb;

extern Oid cec_ewkb_argument_type(FunctionCallInfo fcinfo);
extern void cec_ewkb_send_of(FmgrInfo *send, Oid type, MemoryContext cxt);
extern void cec_ewkb_find_send(FunctionCallInfo fcinfo, FmgrInfo *send);
extern CecEwkb cec_ewkb_read(FmgrInfo *send, Datum geometry);
extern bool cec_ewkb_type(CecEwkb *reader, uint32 type);
extern bool cec_ewkb_count(CecEwkb *reader, uint32 *count);
extern bool cec_ewkb_point(CecEwkb *reader, double *x, double *y);

#endif
