/*
 * seal_leaf_cursor.h
 *		The leaves that are kept, one by one.
 */
#ifndef CEC_SEAL_LEAF_CURSOR_H
#define CEC_SEAL_LEAF_CURSOR_H

#include "portfolio/portfolio_cache.h"
#include "seal/seal_sort_leaves.h"

typedef struct CecLeafCursor
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
} CecLeafCursor;

extern void cec_leaf_cursor_begin(CecLeafCursor *stream, CecPortfolio *portfolio);
extern void cec_leaf_cursor_next(CecLeafCursor *stream);
extern void cec_leaf_cursor_end(CecLeafCursor *stream);

#endif
