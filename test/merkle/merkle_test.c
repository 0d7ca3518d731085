/*
 * merkle_test.c
 *		Merkle trees and proofs over arrays of leaves, for tests alone: with src/support/merkle.c and merkle_proof.c, of which it
 *		has its own copy, a module of the server (test/bin/lib.sh).  Names are those of RFC 9162, section 2.1.
 *
 * Hashes are bytea of 32 bytes; others are refused (22023).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

#include "support/compat.h"
#include "support/merkle_proof.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(root_hash);
PG_FUNCTION_INFO_V1(inclusion_proof);
PG_FUNCTION_INFO_V1(consistency_proof);
PG_FUNCTION_INFO_V1(verify_inclusion);
PG_FUNCTION_INFO_V1(verify_consistency);

typedef struct Leaves
{
	int count;
	CecHash *hashes;
	CecHasher *hasher;
} Leaves;

static CecHash
hash_of(Datum value, bool isnull)
{
	bytea *bytes = isnull ? NULL : DatumGetByteaPP(value);
	CecHash hash;

	if (bytes == NULL || VARSIZE_ANY_EXHDR(bytes) != CEC_HASH_LEN)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a hash must have %d bytes", CEC_HASH_LEN)));
	memcpy(hash.bytes, VARDATA_ANY(bytes), CEC_HASH_LEN);
	return hash;
}

static Datum
bytea_of(const CecHash *hash)
{
	bytea *result = palloc(VARHDRSZ + CEC_HASH_LEN);

	SET_VARSIZE(result, VARHDRSZ + CEC_HASH_LEN);
	memcpy(VARDATA(result), hash->bytes, CEC_HASH_LEN);
	return PointerGetDatum(result);
}

static void
read_hashes(Leaves *leaves, ArrayType *array)
{
	Datum *values;
	bool *isnull;

	deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &values, &isnull, &leaves->count);
	leaves->hashes = palloc((leaves->count + 1) * sizeof(CecHash));
	for (int i = 0; i < leaves->count; i++)
		leaves->hashes[i] = hash_of(values[i], isnull[i]);
}

static void
subtree_of(void *arg, int level, int64 position, CecHash *root)
{
	Leaves *leaves = arg;
	CecMerkle tree;

	cec_merkle_begin(&tree, leaves->hasher);
	for (int64 i = position << level; i < (position + 1) << level; i++)
		cec_merkle_append(&tree, &leaves->hashes[i]);
	cec_merkle_root(&tree, root);
}

static Datum
array_of(const CecProof *proof)
{
	Datum values[CEC_PROOF_SPACE];

	for (int i = 0; i < proof->count; i++)
		values[i] = bytea_of(&proof->path[i]);
	return PointerGetDatum(construct_array(values, proof->count, BYTEAOID, -1, false, TYPALIGN_INT));
}

static void
require_number(int64 number, int64 lowest, int64 highest, const char *what)
{
	if (number < lowest || number > highest)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be between " INT64_FORMAT " and " INT64_FORMAT, what, lowest, highest)));
}

/* merkle.root_hash(leaves) */
Datum
root_hash(PG_FUNCTION_ARGS)
{
	Leaves leaves;
	CecMerkle tree;
	CecHash root;

	read_hashes(&leaves, PG_GETARG_ARRAYTYPE_P(0));
	leaves.hasher = cec_hasher_begin();
	cec_merkle_begin(&tree, leaves.hasher);
	for (int i = 0; i < leaves.count; i++)
		cec_merkle_append(&tree, &leaves.hashes[i]);
	cec_merkle_root(&tree, &root);
	cec_hasher_end(leaves.hasher);
	PG_RETURN_DATUM(bytea_of(&root));
}

/* merkle.inclusion_proof(leaves, leaf_index) */
Datum
inclusion_proof(PG_FUNCTION_ARGS)
{
	Leaves leaves;
	CecProof proof;

	read_hashes(&leaves, PG_GETARG_ARRAYTYPE_P(0));
	if (leaves.count == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there are no leaves")));
	require_number(PG_GETARG_INT64(1), 0, (int64) leaves.count - 1, "leaf_index");
	leaves.hasher = cec_hasher_begin();
	cec_inclusion_proof(&(CecTreeReader){leaves.hasher, subtree_of, &leaves}, PG_GETARG_INT64(1), leaves.count, &proof);
	cec_hasher_end(leaves.hasher);
	PG_RETURN_DATUM(array_of(&proof));
}

/* merkle.consistency_proof(leaves, first) */
Datum
consistency_proof(PG_FUNCTION_ARGS)
{
	Leaves leaves;
	CecProof proof;

	read_hashes(&leaves, PG_GETARG_ARRAYTYPE_P(0));
	require_number(PG_GETARG_INT64(1), 0, leaves.count, "first");
	leaves.hasher = cec_hasher_begin();
	cec_consistency_proof(&(CecTreeReader){leaves.hasher, subtree_of, &leaves}, PG_GETARG_INT64(1), leaves.count,
						  &proof);
	cec_hasher_end(leaves.hasher);
	PG_RETURN_DATUM(array_of(&proof));
}

/* merkle.verify_inclusion(hash, leaf_index, tree_size, inclusion_path, root_hash) */
Datum
verify_inclusion(PG_FUNCTION_ARGS)
{
	CecHash leaf = hash_of(PG_GETARG_DATUM(0), false);
	CecHash root = hash_of(PG_GETARG_DATUM(4), false);
	Leaves path;
	bool result;

	read_hashes(&path, PG_GETARG_ARRAYTYPE_P(3));
	path.hasher = cec_hasher_begin();
	result = cec_verify_inclusion_proof(path.hasher, &leaf, PG_GETARG_INT64(1), PG_GETARG_INT64(2), path.hashes,
										path.count, &root);
	cec_hasher_end(path.hasher);
	PG_RETURN_BOOL(result);
}

/* merkle.verify_consistency(first, first_hash, second, second_hash, consistency_path) */
Datum
verify_consistency(PG_FUNCTION_ARGS)
{
	CecHash first = hash_of(PG_GETARG_DATUM(1), false);
	CecHash second = hash_of(PG_GETARG_DATUM(3), false);
	Leaves path;
	bool result;

	read_hashes(&path, PG_GETARG_ARRAYTYPE_P(4));
	path.hasher = cec_hasher_begin();
	result = cec_verify_consistency_proof(path.hasher, PG_GETARG_INT64(0), &first, PG_GETARG_INT64(2), &second,
										  path.hashes, path.count);
	cec_hasher_end(path.hasher);
	PG_RETURN_BOOL(result);
}
