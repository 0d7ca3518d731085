/*
 * merkle_proof.c
 *		Proofs that a leaf is in a tree, and that a tree goes on from another: RFC 9162, sections 2.1.3 and 2.1.4.
 *
 * Making a proof needs roots of ranges of leaves, which are put together from perfect subtrees; whoever asks says those.
 * Checking a proof needs nothing but the proof, and is written from the RFC's steps, not from how proofs are made here.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "support/merkle_proof.h"

/* The largest power of two below a number of leaves above 1. */
static int64
split_point(int64 count)
{
	return INT64CONST(1) << pg_leftmost_one_pos64((uint64) count - 1);
}

/* The root of the leaves from first to the one before end, a range as the definition of the tree makes them. */
static void
range_root(const CecTreeReader *reader, int64 first, int64 end, CecHash *root)
{
	int64 count = end - first;
	CecHash left;
	CecHash right;

	check_stack_depth();
	if (count > 0 && (count & (count - 1)) == 0 && first % count == 0)
	{
		int level = pg_leftmost_one_pos64((uint64) count);

		reader->subtree(reader->arg, level, first >> level, root);
		return;
	}
	range_root(reader, first, first + split_point(count), &left);
	range_root(reader, first + split_point(count), end, &right);
	cec_merkle_node(reader->hasher, &left, &right, root);
}

static void
add_range(const CecTreeReader *reader, int64 first, int64 end, CecProof *proof)
{
	if (proof->count == CEC_PROOF_SPACE)
		elog(ERROR, "a proof is too long");
	range_root(reader, first, end, &proof->path[proof->count++]);
}

/* The root of the first leaves. */
void
cec_root_hash(const CecTreeReader *reader, int64 size, CecHash *root)
{
	if (size == 0)
	{
		cec_hasher_start(reader->hasher);
		cec_hasher_finish(reader->hasher, root);
	}
	else
		range_root(reader, 0, size, root);
}

static void
add_inclusion(const CecTreeReader *reader, int64 index, int64 first, int64 end, CecProof *proof)
{
	int64 split;

	if (end - first == 1)
		return;
	split = first + split_point(end - first);
	if (index < split)
	{
		add_inclusion(reader, index, first, split, proof);
		add_range(reader, split, end, proof);
	}
	else
	{
		add_inclusion(reader, index, split, end, proof);
		add_range(reader, first, split, proof);
	}
}

/* The path from a leaf (0 <= index < size) to the root of the first size leaves. */
void
cec_inclusion_proof(const CecTreeReader *reader, int64 index, int64 size, CecProof *proof)
{
	proof->count = 0;
	add_inclusion(reader, index, 0, size, proof);
}

/* upto counts from first; whole: the verifier knows the root of those leaves. */
static void
add_consistency(const CecTreeReader *reader, int64 upto, int64 first, int64 end, bool whole, CecProof *proof)
{
	int64 split;

	if (first + upto == end)
	{
		if (!whole)
			add_range(reader, first, end, proof);
		return;
	}
	split = split_point(end - first);
	if (upto <= split)
	{
		add_consistency(reader, upto, first, first + split, whole, proof);
		add_range(reader, first + split, end, proof);
	}
	else
	{
		add_consistency(reader, upto - split, first + split, end, false, proof);
		add_range(reader, first, first + split, proof);
	}
}

/* What shows that the tree of first leaves (0 <= first <= second) is the beginning of that of second leaves. */
void
cec_consistency_proof(const CecTreeReader *reader, int64 first, int64 second, CecProof *proof)
{
	proof->count = 0;
	if (first > 0)
		add_consistency(reader, first, 0, second, true, proof);
}

/* Whether a path leads from a leaf to a root: RFC 9162, 2.1.3.2. */
bool
cec_verify_inclusion_proof(CecHasher *hasher, const CecHash *leaf, int64 index, int64 size, const CecHash *path,
						   int count, const CecHash *root)
{
	uint64 fn = (uint64) index;
	uint64 sn = (uint64) size - 1;
	CecHash hash = *leaf;

	if (index < 0 || index >= size)
		return false;
	for (int i = 0; i < count; i++)
	{
		if (sn == 0)
			return false;
		if ((fn & 1) != 0 || fn == sn)
		{
			cec_merkle_node(hasher, &path[i], &hash, &hash);
			while ((fn & 1) == 0 && fn != 0)
			{
				fn >>= 1;
				sn >>= 1;
			}
		}
		else
			cec_merkle_node(hasher, &hash, &path[i], &hash);
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && cec_hash_equal(&hash, root);
}

/* Whether a path shows that one tree is the beginning of another: RFC 9162, 2.1.4.2. */
bool
cec_verify_consistency_proof(CecHasher *hasher, int64 first, const CecHash *first_root, int64 second,
							 const CecHash *second_root, const CecHash *path, int count)
{
	uint64 fn = (uint64) first - 1;
	uint64 sn = (uint64) second - 1;
	const CecHash *begin = first_root;
	CecHash first_hash;
	CecHash second_hash;

	if (first < 0 || first > second)
		return false;
	if (first == 0)
	{
		cec_hasher_start(hasher);
		cec_hasher_finish(hasher, &first_hash);
		return count == 0 && cec_hash_equal(&first_hash, first_root) &&
			   (second > 0 || cec_hash_equal(&first_hash, second_root));
	}
	if (first == second)
		return count == 0 && cec_hash_equal(first_root, second_root);
	if ((first & (first - 1)) != 0)
	{
		if (count-- == 0)
			return false;
		begin = path++;
	}
	else if (count == 0)
		return false;
	while ((fn & 1) != 0)
	{
		fn >>= 1;
		sn >>= 1;
	}
	first_hash = *begin;
	second_hash = *begin;
	for (int i = 0; i < count; i++)
	{
		if (sn == 0)
			return false;
		if ((fn & 1) != 0 || fn == sn)
		{
			cec_merkle_node(hasher, &path[i], &first_hash, &first_hash);
			cec_merkle_node(hasher, &path[i], &second_hash, &second_hash);
			while ((fn & 1) == 0 && fn != 0)
			{
				fn >>= 1;
				sn >>= 1;
			}
		}
		else
			cec_merkle_node(hasher, &second_hash, &path[i], &second_hash);
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && cec_hash_equal(&first_hash, first_root) && cec_hash_equal(&second_hash, second_root);
}
