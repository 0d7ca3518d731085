/*
 * merkle.c
 *		SHA-256 and the Merkle trees of RFC 9162, section 2.1, built leaf by leaf in memory that does not grow.
 *
 * The root of no leaves is the hash of nothing, of one leaf its hash, of n leaves the node over the root of the first k
 * and the root of the rest, where k is the largest power of two below n.  So a tree is a row of perfect subtrees, the
 * largest first, one for each bit of its size: they are what is kept, and the root is folded from them from the right.
 *
 * Callers hash leaves themselves; a leaf's input must begin with a zero byte, as a node's begins with a one.
 *
 * One hash context serves all hashes, since setting one up costs more than a short hash.  It belongs to the resource
 * owner that was current when it was made, which frees it on error; it must not be kept any longer.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "port/pg_bitutils.h"

#include "support/merkle.h"

struct CecHasher
{
	pg_cryptohash_ctx *context;
};

/* Makes a hasher, to be ended by the caller. */
CecHasher *
cec_hasher_begin(void)
{
	CecHasher *hasher = palloc(sizeof(CecHasher));

	hasher->context = pg_cryptohash_create(PG_SHA256);
	if (hasher->context == NULL)
		elog(ERROR, "could not set up SHA-256");
	return hasher;
}

/* Starts a hash. */
void
cec_hasher_start(CecHasher *hasher)
{
	if (pg_cryptohash_init(hasher->context) < 0)
		elog(ERROR, "could not start SHA-256");
}

/* Adds bytes to it. */
void
cec_hasher_add(CecHasher *hasher, const void *bytes, Size length)
{
	if (pg_cryptohash_update(hasher->context, bytes, length) < 0)
		elog(ERROR, "could not compute SHA-256");
}

/* Finishes it; the next one needs a start. */
void
cec_hasher_finish(CecHasher *hasher, CecHash *hash)
{
	StaticAssertStmt(CEC_HASH_LEN == PG_SHA256_DIGEST_LENGTH, "length of a hash");
	if (pg_cryptohash_final(hasher->context, hash->bytes, CEC_HASH_LEN) < 0)
		elog(ERROR, "could not finish SHA-256");
}

/* Lets go of the hasher. */
void
cec_hasher_end(CecHasher *hasher)
{
	pg_cryptohash_free(hasher->context);
	pfree(hasher);
}

/* The node over two subtrees; it may be one of them. */
void
cec_merkle_node(CecHasher *hasher, const CecHash *left, const CecHash *right, CecHash *node)
{
	uint8 input[1 + 2 * CEC_HASH_LEN];

	input[0] = 1;
	memcpy(input + 1, left->bytes, CEC_HASH_LEN);
	memcpy(input + 1 + CEC_HASH_LEN, right->bytes, CEC_HASH_LEN);
	cec_hasher_start(hasher);
	cec_hasher_add(hasher, input, sizeof(input));
	cec_hasher_finish(hasher, node);
}

/* An empty tree. */
void
cec_merkle_begin(CecMerkle *tree, CecHasher *hasher)
{
	tree->hasher = hasher;
	tree->complete = NULL;
	tree->arg = NULL;
	tree->size = 0;
	tree->count = 0;
}

/* A tree of that size from the roots of its perfect subtrees, the largest first; false when they are not as many. */
bool
cec_merkle_resume(CecMerkle *tree, CecHasher *hasher, int64 size, const char *frontier, int length)
{
	cec_merkle_begin(tree, hasher);
	if (size < 0 || length != pg_popcount64(size) * CEC_HASH_LEN)
		return false;
	tree->size = size;
	tree->count = length / CEC_HASH_LEN;
	memcpy(tree->frontier, frontier, length);
	return true;
}

/* Appends a leaf. */
void
cec_merkle_append(CecMerkle *tree, const CecHash *leaf)
{
	CecHash *last = &tree->frontier[tree->count];

	*last = *leaf;
	for (int level = 1; (tree->size >> (level - 1) & 1) != 0; level++)
	{
		last--;
		cec_merkle_node(tree->hasher, last, last + 1, last);
		if (tree->complete != NULL)
			tree->complete(tree->arg, level, tree->size >> level, last);
	}
	tree->count = last - tree->frontier + 1;
	tree->size++;
}

/* The root of the tree as it is. */
void
cec_merkle_root(const CecMerkle *tree, CecHash *root)
{
	if (tree->count == 0)
	{
		cec_hasher_start(tree->hasher);
		cec_hasher_finish(tree->hasher, root);
		return;
	}
	*root = tree->frontier[tree->count - 1];
	for (int i = tree->count - 2; i >= 0; i--)
		cec_merkle_node(tree->hasher, &tree->frontier[i], root, root);
}
