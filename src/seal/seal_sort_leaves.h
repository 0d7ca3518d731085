/*
 * seal_sort_leaves.h
 *		Leaves in the order in which the tree takes them.
 */
#ifndef CEC_SEAL_SORT_LEAVES_H
#define CEC_SEAL_SORT_LEAVES_H

#include "support/merkle.h"

typedef struct CecSealedRow
{
	int64 block_no;
	int64 system_id;
	uint64 xid;
	int64 audit_id;
	CecHash leaf;
	int32 mark; /* the caller's */
} CecSealedRow;

typedef enum CecLeafOrder
{
	CEC_BY_TRANSACTION, /* xid, audit_id */
	CEC_BY_BLOCK,		/* block_no, system_id, xid, audit_id */
	CEC_BY_AUDIT_ID		/* audit_id, mark */
} CecLeafOrder;

typedef struct CecLeafSort CecLeafSort;

extern CecLeafSort *cec_leaf_sort_begin(CecLeafOrder order);
extern void cec_leaf_sort_put(CecLeafSort *sort, const CecSealedRow *row);
extern void cec_leaf_sort_perform(CecLeafSort *sort);
extern bool cec_leaf_sort_next(CecLeafSort *sort, CecSealedRow *row);
extern void cec_leaf_sort_end(CecLeafSort *sort);

#endif
