/*
 * merkle.h
 *		SHA-256 and the Merkle trees of RFC 9162 over it.
 */
#ifndef CEC_MERKLE_H
#define CEC_MERKLE_H

#include "lib/stringinfo.h"

#define CEC_HASH_LEN 32
#define CEC_MERKLE_MAX_LEVEL 62

typedef struct CecHash
{
	uint8 bytes[CEC_HASH_LEN];
} CecHash;

typedef struct CecHasher CecHasher;

/* Is told of each perfect subtree as it becomes complete: 2^level leaves, the position-th of its level. */
typedef void (*CecMerkleComplete)(void *arg, int level, int64 position, const CecHash *root);

/* A tree that leaves are appended to; all that is kept are the roots of its perfect subtrees.  May be copied. */
typedef struct CecMerkle
{
	CecHasher *hasher;
	CecMerkleComplete complete; /* or NULL */
	void *arg;
	int64 size;
	int count;									/* as many as bits are set in size */
	CecHash frontier[CEC_MERKLE_MAX_LEVEL + 1]; /* the largest first */
} CecMerkle;

extern CecHasher *cec_hasher_begin(void);
extern void cec_hasher_start(CecHasher *hasher);
extern void cec_hasher_add(CecHasher *hasher, const void *bytes, Size length);
extern void cec_hasher_finish(CecHasher *hasher, CecHash *hash);
extern void cec_hasher_end(CecHasher *hasher);

extern void cec_merkle_node(CecHasher *hasher, const CecHash *left, const CecHash *right, CecHash *node);
extern void cec_merkle_begin(CecMerkle *tree, CecHasher *hasher);
extern bool cec_merkle_resume(CecMerkle *tree, CecHasher *hasher, int64 size, const char *frontier, int length);
extern void cec_merkle_append(CecMerkle *tree, const CecHash *leaf);
extern void cec_merkle_root(const CecMerkle *tree, CecHash *root);

static inline bool
cec_hash_equal(const CecHash *one, const CecHash *other)
{
	return memcmp(one->bytes, other->bytes, CEC_HASH_LEN) == 0;
}

#endif
