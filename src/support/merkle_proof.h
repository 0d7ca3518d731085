/*
 * merkle_proof.h
 *		Proofs over the Merkle trees of RFC 9162.
 */
#ifndef CEC_MERKLE_PROOF_H
#define CEC_MERKLE_PROOF_H

#include "support/merkle.h"

/* Longer than any proof of a tree that merkle.h can hold. */
#define CEC_PROOF_SPACE 128

typedef struct CecProof
{
	int count;
	CecHash path[CEC_PROOF_SPACE];
} CecProof;

/* Says the root of a perfect subtree: 2^level leaves, the position-th of its level. */
typedef void (*CecSubtree)(void *arg, int level, int64 position, CecHash *root);

typedef struct CecTreeReader
{
	CecHasher *hasher;
	CecSubtree subtree;
	void *arg;
} CecTreeReader;

extern void cec_root_hash(const CecTreeReader *reader, int64 size, CecHash *root);
extern void cec_inclusion_proof(const CecTreeReader *reader, int64 index, int64 size, CecProof *proof);
extern void cec_consistency_proof(const CecTreeReader *reader, int64 first, int64 second, CecProof *proof);
extern bool cec_verify_inclusion_proof(CecHasher *hasher, const CecHash *leaf, int64 index, int64 size,
									   const CecHash *path, int count, const CecHash *root);
extern bool cec_verify_consistency_proof(CecHasher *hasher, int64 first, const CecHash *first_root, int64 second,
										 const CecHash *second_root, const CecHash *path, int count);

#endif
