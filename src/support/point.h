/*
 * point.h
 *		The coordinates of a point of PostGIS.
 */
#ifndef CEC_POINT_H
#define CEC_POINT_H

#include "fmgr.h"

extern void cec_point_send(FmgrInfo *send, Oid geometry, MemoryContext cxt);
extern bool cec_point_read(FmgrInfo *send, Datum point, double *x, double *y);

#endif
