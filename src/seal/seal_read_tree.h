/*
 * seal_read_tree.h
 *		Reading what is kept of the tree.
 */
#ifndef CEC_SEAL_READ_TREE_H
#define CEC_SEAL_READ_TREE_H

#include "access/transam.h"

#include "seal/seal_write_tree.h"
#include "support/merkle_proof.h"

typedef struct CecStoredTree
{
	CecPortfolio *portfolio;
	CecHasher *hasher;
	int64 first_leaf; /* the row of audit_leaf read last */
	int leaf_count;
	CecHash leaves[CEC_LEAVES_A_ROW];
} CecStoredTree;

extern void cec_stored_tree_begin(CecStoredTree *stored, CecPortfolio *portfolio, CecHasher *hasher);
extern int64 cec_stored_tree_find_leaf(CecStoredTree *stored, int64 system_id, FullTransactionId xid, int64 audit_id);
extern void cec_stored_tree_leaf(CecStoredTree *stored, int64 index, CecHash *leaf);
extern void cec_stored_tree_subtree(void *arg, int level, int64 position, CecHash *root);
extern void cec_stored_tree_refuse(const char *detail);

#endif
