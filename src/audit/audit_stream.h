/*
 * audit_stream.h
 *		The leaves that are kept, one by one.
 */
#ifndef CEC_AUDIT_STREAM_H
#define CEC_AUDIT_STREAM_H

#include "audit/audit_sort.h"
#include "portfolio/portfolio_cache.h"

typedef struct CecLeafStream
{
	CecCursor cursor;
	bool has_leaf;
	CecSealedRow leaf; /* its block, row and hash */
	int64 index;	   /* where in the tree it is said to be */

	/* The row of audit_leaf that it comes from. */
	int at;
	int count;
	Datum *ids;
	bool *nulls;
	const uint8 *hashes;
} CecLeafStream;

extern void cec_leaf_stream_begin(CecLeafStream *stream, CecPortfolio *portfolio);
extern void cec_leaf_stream_next(CecLeafStream *stream);
extern void cec_leaf_stream_end(CecLeafStream *stream);

#endif
