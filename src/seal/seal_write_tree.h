/*
 * seal_write_tree.h
 *		What is kept of the tree beside the blocks: leaves, and the roots of some subtrees.
 */
#ifndef CEC_SEAL_WRITE_TREE_H
#define CEC_SEAL_WRITE_TREE_H

#include "portfolio/portfolio_cache.h"
#include "support/merkle.h"

/* audit_leaf holds so many leaves a row at most, and none of them crosses a multiple of it. */
#define CEC_LEAVES_A_ROW 64

/* audit_node holds the roots of perfect subtrees of these levels: 8, 16, 24 … */
#define CEC_NODE_LEVELS 8

typedef struct CecTreeWriter CecTreeWriter;

extern CecTreeWriter *cec_tree_write_begin(CecPortfolio *portfolio, CecMerkle *tree, int64 block_no);
extern void cec_tree_write_leaf(CecTreeWriter *writer, int64 audit_id, const CecHash *leaf);
extern void cec_tree_write_end(CecTreeWriter *writer);

#endif
