/*
 * seal_verify_blocks.c
 *		Goes along blocks, kept leaves and the log side by side, computes the tree, and tells where they part.
 *
 * Three witnesses say what a block's rows were: the log, as it is; audit_leaf; and the block's root.  As long as log and
 * leaves agree there is one tree.  Within a block in which they do not, there are two, and the block's root says which of
 * them is the one that was sealed.  Where the root agrees with neither, or not with the one that there is, the next block
 * decides: it goes on either from the tree (then it was the block that was changed) or from the frontier that the block
 * left (then log and leaves were).  So what was done to one block is told once and does not spread over all that follow.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "seal/seal_leaf_cursor.h"
#include "seal/seal_verify.h"
#include "seal/seal_verify_nodes.h"
#include "support/compat.h"

static const CecQuery all_blocks = {
	"SELECT block_no::bigint, row_count::bigint, tree_size::bigint, coalesce(root::bytea, ''),"
	" coalesce(frontier::bytea, ''), sealed_at::timestamptz, system_id::bigint FROM @P@.audit_block ORDER BY block_no",
	0,
	{0},
	0,
	.results = {INT8OID, INT8OID, INT8OID, BYTEAOID, BYTEAOID, TIMESTAMPTZOID, INT8OID}};

/* A row of audit_block. */
typedef struct BlockRow
{
	int64 block_no;
	int64 row_count;
	int64 tree_size;
	CecHash root;
	CecMerkle left; /* the tree that its frontier describes */
	bool left_fits; /* which has its size and its root */
	TimestampTz sealed_at;
	int64 system_id;
} BlockRow;

typedef struct BlockWalk
{
	CecVerifier *verifier;
	CecCursor block_cursor;
	CecLeafCursor leaves;

	/* The log, one by one. */
	bool has_row;
	CecSealedRow row;

	CecVerifiedTree tree;  /* of what was sealed, as far as can be told */
	CecVerifiedTree other; /* within a block: of the log, where leaves and log part */
	CecMerkle resumed;	   /* within a block: from the frontier of the one before, when that is pending */
	bool parted;
	bool leaves_broken; /* a leaf is not in its place */
	int64 leaves_read;
	BlockRow pending; /* a block that does not agree with its rows */
	bool is_pending;
	int digest_at;
} BlockWalk;

static void
next_row(BlockWalk *walk)
{
	walk->has_row = cec_leaf_sort_next(walk->verifier->rows, &walk->row);
}

static void
take_leaf_aside(BlockWalk *walk, int64 block_no)
{
	walk->leaves.leaf.block_no = block_no;
	walk->leaves.leaf.mark = CEC_FROM_LEAVES;
	cec_leaf_sort_put(walk->verifier->differences, &walk->leaves.leaf);
	walk->verifier->leaves_differ = true;
}

/* A digest of this very size says what the root was. */
static void
check_digests(BlockWalk *walk, int64 block_no, const BlockRow *damaged)
{
	CecVerifier *verifier = walk->verifier;
	CecHash root;
	bool computed = false;

	for (; walk->digest_at < verifier->digest_count &&
		   verifier->digests[walk->digest_at].tree_size <= walk->tree.merkle.size;
		 walk->digest_at++)
	{
		CecDigest *digest = &verifier->digests[walk->digest_at];

		if (!computed)
			cec_merkle_root(&walk->tree.merkle, &root);
		computed = true;
		if (digest->tree_size == walk->tree.merkle.size && cec_hash_equal(&digest->root, &root))
			continue;
		/* What is wrong with the block was told already. */
		if (damaged != NULL && damaged->tree_size == digest->tree_size && cec_hash_equal(&damaged->root, &digest->root))
			continue;
		cec_verify_report(verifier, "FORK", CEC_NO_NUMBER, block_no, NULL,
						  "The digest of block " INT64_FORMAT " with " INT64_FORMAT
						  " leaves has another root than the log has there.",
						  digest->block_no, digest->tree_size);
	}
}

/*
 * Both sides of one block, leaf by leaf.  Its leaves are those before end, its place in the tree; where the block is gone and
 * end is not known (CEC_NO_NUMBER), those that name it.
 */
static void
merge_rows(BlockWalk *walk, int64 block_no, int64 end)
{
	CecVerifier *verifier = walk->verifier;

	for (;;)
	{
		bool leaf = walk->leaves.has_leaf &&
					(end == CEC_NO_NUMBER ? walk->leaves.leaf.block_no == block_no : walk->leaves.index < end);
		bool row = walk->has_row && walk->row.block_no == block_no;
		bool same = leaf && row && cec_hash_equal(&walk->leaves.leaf.leaf, &walk->row.leaf);

		if (!leaf && !row)
			break;
		CHECK_FOR_INTERRUPTS();
		if (!same && !walk->parted)
		{
			walk->parted = true;
			cec_verify_nodes_begin(&walk->other, walk->verifier, &walk->tree.merkle);
			walk->other.wrong = list_copy(walk->tree.wrong);
		}
		if (leaf)
		{
			/* The hash is sealed; what stands beside it is not. */
			if (walk->leaves.index != walk->tree.merkle.size || walk->leaves.leaf.block_no != block_no ||
				(same && walk->leaves.leaf.audit_id != walk->row.audit_id))
				walk->leaves_broken = true;
			walk->leaves_read++;
			cec_merkle_append(&walk->tree.merkle, &walk->leaves.leaf.leaf);
			if (walk->is_pending)
				cec_merkle_append(&walk->resumed, &walk->leaves.leaf.leaf);
			if (!same)
				take_leaf_aside(walk, block_no);
			cec_leaf_cursor_next(&walk->leaves);
			if (walk->digest_at < verifier->digest_count && walk->tree.merkle.size != end &&
				verifier->digests[walk->digest_at].tree_size == walk->tree.merkle.size)
				check_digests(walk, block_no, NULL);
		}
		if (row)
		{
			if (walk->parted)
				cec_merkle_append(&walk->other.merkle, &walk->row.leaf);
			if (!same)
				cec_leaf_sort_put(verifier->differences, &walk->row);
			else if (walk->row.mark == CEC_FROM_LOG_ERASED)
				cec_verify_erased(verifier, &walk->row);
			next_row(walk);
		}
	}
}

static bool
agrees(const BlockRow *block, const CecMerkle *tree)
{
	CecHash root;

	if (tree->size != block->tree_size)
		return false;
	cec_merkle_root(tree, &root);
	return cec_hash_equal(&root, &block->root);
}

static void
report_block(BlockWalk *walk, const BlockRow *block)
{
	cec_verify_block(walk->verifier, block->block_no, "The block is not what its rows give.");
	walk->is_pending = false;
}

/* What was wrong with the block before, now that this one agrees with one of the ways to go on. */
static void
settle_pending(BlockWalk *walk, const BlockRow *block)
{
	if (agrees(block, &walk->tree.merkle) || !walk->pending.left_fits || !agrees(block, &walk->resumed))
	{
		report_block(walk, &walk->pending);
		return;
	}
	cec_verify_report(walk->verifier, "EDITED", CEC_NO_NUMBER, walk->pending.block_no, "audit_log",
					  "Rows of the block, and the leaves kept of them, are not those that were sealed.");
	cec_verify_nodes_begin(&walk->tree, walk->verifier, &walk->resumed);
	walk->is_pending = false;
}

/* The log is right and the leaves are not. */
static void
distrust_leaves(BlockWalk *walk, int64 block_no)
{
	CecVerifier *verifier = walk->verifier;

	cec_verify_report(verifier, walk->leaves_read == 0 ? "MISSING" : "EDITED", CEC_NO_NUMBER, block_no, "audit_leaf",
					  "Leaves kept of the block are not those of its rows, which are right.");
	verifier->unheard = cec_verify_note(verifier, verifier->unheard, block_no);
	cec_verify_nodes_begin(&walk->tree, walk->verifier, &walk->other.merkle);
	walk->tree.wrong = walk->other.wrong;
}

/*
 * A digest that was taken of this very block, whose rows agree with it: also what no root tells.  Rows put behind the last
 * one leave the root of those before as it was.
 */
static void
check_own_digest(CecVerifier *verifier, const CecDigest *digest, const BlockRow *block)
{
	if (digest->block_no != block->block_no)
		return;
	if (digest->tree_size < block->tree_size)
		cec_verify_report(verifier, "FORK", CEC_NO_NUMBER, block->block_no, NULL,
						  "The digest of the block has " INT64_FORMAT " leaves, and the block goes on to " INT64_FORMAT
						  ".",
						  digest->tree_size, block->tree_size);
	else if (digest->tree_size == block->tree_size && cec_hash_equal(&digest->root, &block->root) &&
			 (digest->sealed_at != block->sealed_at || digest->system_id != block->system_id))
		cec_verify_block(verifier, block->block_no, "The digest of the block says another time or cluster.");
}

static void
check_block(BlockWalk *walk, const BlockRow *block, int64 size_before)
{
	CecVerifier *verifier = walk->verifier;
	bool fine = agrees(block, &walk->tree.merkle);
	bool leaves_heard = true;
	bool was_pending = walk->is_pending;

	if (walk->is_pending)
	{
		settle_pending(walk, block);
		fine = agrees(block, &walk->tree.merkle);
	}
	if (!fine && walk->parted && agrees(block, &walk->other.merkle))
	{
		distrust_leaves(walk, block->block_no);
		fine = true;
		leaves_heard = false;
	}
	if (!fine)
	{
		walk->pending = *block;
		walk->is_pending = true;
		walk->resumed = block->left;
		/* Without leaves, the log is all that there is to go on with. */
		if (walk->leaves_read == 0 && walk->parted)
			cec_verify_nodes_begin(&walk->tree, walk->verifier, &walk->other.merkle);
	}
	else
	{
		cec_verify_nodes_report(&walk->tree, block->block_no);
		if (!block->left_fits || (block->row_count != block->tree_size - size_before && !was_pending))
			report_block(walk, block);
		if (walk->leaves_broken && leaves_heard && !was_pending)
			cec_verify_report(verifier, "EDITED", CEC_NO_NUMBER, block->block_no, "audit_leaf",
							  "Leaves kept of the block do not stand where they were put.");
	}
	walk->tree.wrong = NIL;
	check_digests(walk, block->block_no, fine ? NULL : block);
	for (int i = 0; fine && i < verifier->digest_count; i++)
		check_own_digest(verifier, &verifier->digests[i], block);
}

static void
begin_block(BlockWalk *walk)
{
	walk->parted = false;
	walk->leaves_broken = false;
	walk->leaves_read = 0;
}

static void
read_block(BlockWalk *walk, BlockRow *block, const Datum *values, const bool *isnull)
{
	bytea *root = DatumGetByteaPP(values[3]);
	bytea *frontier = DatumGetByteaPP(values[4]);

	memset(&block->root, 0, sizeof(CecHash));
	block->block_no = DatumGetInt64(values[0]);
	block->row_count = DatumGetInt64(values[1]);
	block->tree_size = DatumGetInt64(values[2]);
	block->sealed_at = DatumGetTimestampTz(values[5]);
	block->system_id = DatumGetInt64(values[6]);
	if (VARSIZE_ANY_EXHDR(root) == CEC_HASH_LEN)
		memcpy(block->root.bytes, VARDATA_ANY(root), CEC_HASH_LEN);
	block->left_fits = cec_merkle_resume(&block->left, walk->verifier->maker.hasher, block->tree_size,
										 VARDATA_ANY(frontier), VARSIZE_ANY_EXHDR(frontier)) &&
					   agrees(block, &block->left);
}

/* A block whose row is gone: its leaves may be there. */
static void
pass_missing_block(BlockWalk *walk, int64 block_no)
{
	CecVerifier *verifier = walk->verifier;

	begin_block(walk);
	cec_verify_report(verifier, "MISSING", CEC_NO_NUMBER, block_no, "audit_block", "The block is gone.");
	verifier->missing = cec_verify_note(verifier, verifier->missing, block_no);
	merge_rows(walk, block_no, CEC_NO_NUMBER);
	walk->tree.wrong = NIL;
	check_digests(walk, block_no, NULL);
	if (walk->is_pending)
		report_block(walk, &walk->pending);
}

/* However many are said to be missing, their leaves are gone along; only so many are told one by one. */
static void
pass_missing_blocks(BlockWalk *walk, int64 first, int64 last)
{
	const int64 told = 1000;

	for (int64 block_no = first; block_no <= last && block_no - first < told; block_no++)
		pass_missing_block(walk, block_no);
	if (last - first >= told)
		cec_verify_report(walk->verifier, "MISSING", CEC_NO_NUMBER, first + told, "audit_block",
						  "This block and all up to " INT64_FORMAT " are gone.", last);
}

/* What is left when all blocks have been passed. */
static void
finish(BlockWalk *walk, int64 last_block_no)
{
	CecVerifier *verifier = walk->verifier;

	while (walk->leaves.has_leaf)
		if (walk->leaves.leaf.block_no > last_block_no)
		{
			last_block_no = walk->leaves.leaf.block_no;
			pass_missing_block(walk, last_block_no);
		}
		else
		{
			cec_verify_report(verifier, "EXTRA", walk->leaves.leaf.audit_id, walk->leaves.leaf.block_no, "audit_leaf",
							  "A leaf is kept of the block that is not in the tree.");
			cec_leaf_cursor_next(&walk->leaves);
		}
	if (walk->is_pending)
		report_block(walk, &walk->pending);
	cec_verify_nodes_report_strays(&walk->tree);
	for (; walk->digest_at < verifier->digest_count; walk->digest_at++)
		cec_verify_report(verifier, "TRUNCATED_TAIL", CEC_NO_NUMBER, last_block_no > 0 ? last_block_no : CEC_NO_NUMBER,
						  NULL,
						  "The digest of block " INT64_FORMAT " has " INT64_FORMAT " leaves, the log " INT64_FORMAT ".",
						  verifier->digests[walk->digest_at].block_no, verifier->digests[walk->digest_at].tree_size,
						  walk->tree.merkle.size);
	/*
	 * Rows that are sealed nowhere matter where a leaf has no row: somebody may have changed their transaction; and where
	 * something is wrong with them by themselves.
	 */
	for (; walk->has_row; next_row(walk))
		if (verifier->leaves_differ || walk->row.block_no != CEC_UNSEALED || walk->row.mark != CEC_FROM_LOG)
			cec_leaf_sort_put(verifier->differences, &walk->row);
}

/* The second step: reports what is wrong with blocks, kept leaves and subtrees, and puts rows that differ aside. */
void
cec_verify_blocks(CecVerifier *verifier)
{
	BlockWalk *walk = palloc0(sizeof(BlockWalk));
	CecMerkle empty;
	Datum values[7];
	bool isnull[7];
	int64 block_no = 0;

	walk->verifier = verifier;
	cec_merkle_begin(&empty, verifier->maker.hasher);
	cec_verify_nodes_begin(&walk->tree, walk->verifier, &empty);
	SPI_connect();
	cec_cursor_open(&walk->block_cursor, verifier->portfolio->plans, &all_blocks, NULL);
	cec_leaf_cursor_begin(&walk->leaves, verifier->portfolio);
	next_row(walk);
	check_digests(walk, CEC_NO_NUMBER, NULL);
	while (cec_cursor_next(&walk->block_cursor, values, isnull))
	{
		BlockRow block;
		int64 size_before;

		read_block(walk, &block, values, isnull);
		pass_missing_blocks(walk, block_no + 1, block.block_no - 1);
		block_no = block.block_no;
		begin_block(walk);
		size_before = walk->tree.merkle.size;
		merge_rows(walk, block_no, block.tree_size);
		check_block(walk, &block, size_before);
	}
	finish(walk, block_no);
	cec_leaf_cursor_end(&walk->leaves);
	cec_cursor_close(&walk->block_cursor);
	SPI_finish();
	pfree(walk);
}
