/*
 * seal_verify_nodes.h
 *		A tree that is checked against audit_node as it grows.
 */
#ifndef CEC_SEAL_VERIFY_NODES_H
#define CEC_SEAL_VERIFY_NODES_H

#include "seal/seal_report.h"

typedef struct CecVerifiedTree
{
	CecMerkle merkle;
	CecVerifier *verifier;
	List *wrong; /* subtrees that audit_node does not have as they are; the caller empties it */
} CecVerifiedTree;

extern void cec_verify_nodes_begin(CecVerifiedTree *tree, CecVerifier *verifier, const CecMerkle *from);
extern void cec_verify_nodes_report(const CecVerifiedTree *tree, int64 block_no);
extern void cec_verify_nodes_report_strays(const CecVerifiedTree *tree);

#endif
