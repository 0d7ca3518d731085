/*
 * audit_kept.h
 *		Reading what is kept of the tree.
 */
#ifndef CEC_AUDIT_KEPT_H
#define CEC_AUDIT_KEPT_H

#include "access/transam.h"

#include "audit/audit_tree.h"
#include "support/merkle_proof.h"

typedef struct CecKept
{
	CecPortfolio *portfolio;
	CecHasher *hasher;
	int64 first_leaf; /* the row of audit_leaf read last */
	int leaf_count;
	CecHash leaves[CEC_LEAVES_A_ROW];
} CecKept;

extern void cec_kept_begin(CecKept *kept, CecPortfolio *portfolio, CecHasher *hasher);
extern int64 cec_kept_find_leaf(CecKept *kept, int64 system_id, FullTransactionId xid, int64 audit_id);
extern void cec_kept_leaf(CecKept *kept, int64 index, CecHash *leaf);
extern void cec_kept_subtree(void *arg, int level, int64 position, CecHash *root);
extern void cec_kept_refuse(const char *detail);

#endif
