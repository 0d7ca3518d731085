/*
 * audit_checked.h
 *		A tree that is held against audit_node as it grows.
 */
#ifndef CEC_AUDIT_CHECKED_H
#define CEC_AUDIT_CHECKED_H

#include "audit/audit_verify.h"

typedef struct CecCheckedTree
{
	CecMerkle merkle;
	CecVerifier *verifier;
	List *wrong; /* subtrees that audit_node does not have as they are; the caller empties it */
} CecCheckedTree;

extern void cec_checked_begin(CecCheckedTree *tree, CecVerifier *verifier, const CecMerkle *from);
extern void cec_checked_report(const CecCheckedTree *tree, int64 block_no);
extern void cec_checked_report_strays(const CecCheckedTree *tree);

#endif
