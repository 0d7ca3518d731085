/*
 * audit_sort.h
 *		Leaves in the order in which the tree takes them.
 */
#ifndef CEC_AUDIT_SORT_H
#define CEC_AUDIT_SORT_H

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

typedef enum CecSealedOrder
{
	CEC_BY_TRANSACTION, /* xid, audit_id */
	CEC_BY_BLOCK,		/* block_no, system_id, xid, audit_id */
	CEC_BY_AUDIT_ID		/* audit_id, mark */
} CecSealedOrder;

typedef struct CecSealedSort CecSealedSort;

extern CecSealedSort *cec_sealed_sort_begin(CecSealedOrder order);
extern void cec_sealed_sort_put(CecSealedSort *sort, const CecSealedRow *row);
extern void cec_sealed_sort_perform(CecSealedSort *sort);
extern bool cec_sealed_sort_next(CecSealedSort *sort, CecSealedRow *row);
extern void cec_sealed_sort_end(CecSealedSort *sort);

#endif
