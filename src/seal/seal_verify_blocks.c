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

typedef struct Merger
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
} Merger;

static void
next_row(Merger *merger)
{
	merger->has_row = cec_leaf_sort_next(merger->verifier->rows, &merger->row);
}

static void
take_leaf_aside(Merger *merger, int64 block_no)
{
	merger->leaves.leaf.block_no = block_no;
	merger->leaves.leaf.mark = CEC_FROM_LEAVES;
	cec_leaf_sort_put(merger->verifier->differences, &merger->leaves.leaf);
	merger->verifier->leaves_differ = true;
}

/* A digest of this very size says what the root was. */
static void
check_digests(Merger *merger, int64 block_no, const BlockRow *damaged)
{
	CecVerifier *verifier = merger->verifier;
	CecHash root;
	bool computed = false;

	for (; merger->digest_at < verifier->digest_count &&
		   verifier->digests[merger->digest_at].tree_size <= merger->tree.merkle.size;
		 merger->digest_at++)
	{
		CecDigest *digest = &verifier->digests[merger->digest_at];

		if (!computed)
			cec_merkle_root(&merger->tree.merkle, &root);
		computed = true;
		if (digest->tree_size == merger->tree.merkle.size && cec_hash_equal(&digest->root, &root))
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
merge_rows(Merger *merger, int64 block_no, int64 end)
{
	CecVerifier *verifier = merger->verifier;

	for (;;)
	{
		bool leaf = merger->leaves.has_leaf &&
					(end == CEC_NO_NUMBER ? merger->leaves.leaf.block_no == block_no : merger->leaves.index < end);
		bool row = merger->has_row && merger->row.block_no == block_no;
		bool same = leaf && row && cec_hash_equal(&merger->leaves.leaf.leaf, &merger->row.leaf);

		if (!leaf && !row)
			break;
		CHECK_FOR_INTERRUPTS();
		if (!same && !merger->parted)
		{
			merger->parted = true;
			cec_verify_nodes_begin(&merger->other, merger->verifier, &merger->tree.merkle);
			merger->other.wrong = list_copy(merger->tree.wrong);
		}
		if (leaf)
		{
			/* The hash is sealed; what stands beside it is not. */
			if (merger->leaves.index != merger->tree.merkle.size || merger->leaves.leaf.block_no != block_no ||
				(same && merger->leaves.leaf.audit_id != merger->row.audit_id))
				merger->leaves_broken = true;
			merger->leaves_read++;
			cec_merkle_append(&merger->tree.merkle, &merger->leaves.leaf.leaf);
			if (merger->is_pending)
				cec_merkle_append(&merger->resumed, &merger->leaves.leaf.leaf);
			if (!same)
				take_leaf_aside(merger, block_no);
			cec_leaf_cursor_next(&merger->leaves);
			if (merger->digest_at < verifier->digest_count && merger->tree.merkle.size != end &&
				verifier->digests[merger->digest_at].tree_size == merger->tree.merkle.size)
				check_digests(merger, block_no, NULL);
		}
		if (row)
		{
			if (merger->parted)
				cec_merkle_append(&merger->other.merkle, &merger->row.leaf);
			if (!same)
				cec_leaf_sort_put(verifier->differences, &merger->row);
			else if (merger->row.mark == CEC_FROM_LOG_ERASED)
				cec_verify_erased(verifier, &merger->row);
			next_row(merger);
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
report_block(Merger *merger, const BlockRow *block)
{
	cec_verify_block(merger->verifier, block->block_no, "The block is not what its rows give.");
	merger->is_pending = false;
}

/* What was wrong with the block before, now that this one agrees with one of the ways to go on. */
static void
settle_pending(Merger *merger, const BlockRow *block)
{
	if (agrees(block, &merger->tree.merkle) || !merger->pending.left_fits || !agrees(block, &merger->resumed))
	{
		report_block(merger, &merger->pending);
		return;
	}
	cec_verify_report(merger->verifier, "EDITED", CEC_NO_NUMBER, merger->pending.block_no, "audit_log",
					  "Rows of the block, and the leaves kept of them, are not those that were sealed.");
	cec_verify_nodes_begin(&merger->tree, merger->verifier, &merger->resumed);
	merger->is_pending = false;
}

/* The log is right and the leaves are not. */
static void
distrust_leaves(Merger *merger, int64 block_no)
{
	CecVerifier *verifier = merger->verifier;

	cec_verify_report(verifier, merger->leaves_read == 0 ? "MISSING" : "EDITED", CEC_NO_NUMBER, block_no, "audit_leaf",
					  "Leaves kept of the block are not those of its rows, which are right.");
	verifier->unheard = cec_verify_note(verifier, verifier->unheard, block_no);
	cec_verify_nodes_begin(&merger->tree, merger->verifier, &merger->other.merkle);
	merger->tree.wrong = merger->other.wrong;
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
check_block(Merger *merger, const BlockRow *block, int64 size_before)
{
	CecVerifier *verifier = merger->verifier;
	bool fine = agrees(block, &merger->tree.merkle);
	bool leaves_heard = true;
	bool was_pending = merger->is_pending;

	if (merger->is_pending)
	{
		settle_pending(merger, block);
		fine = agrees(block, &merger->tree.merkle);
	}
	if (!fine && merger->parted && agrees(block, &merger->other.merkle))
	{
		distrust_leaves(merger, block->block_no);
		fine = true;
		leaves_heard = false;
	}
	if (!fine)
	{
		merger->pending = *block;
		merger->is_pending = true;
		merger->resumed = block->left;
		/* Without leaves, the log is all that there is to go on with. */
		if (merger->leaves_read == 0 && merger->parted)
			cec_verify_nodes_begin(&merger->tree, merger->verifier, &merger->other.merkle);
	}
	else
	{
		cec_verify_nodes_report(&merger->tree, block->block_no);
		if (!block->left_fits || (block->row_count != block->tree_size - size_before && !was_pending))
			report_block(merger, block);
		if (merger->leaves_broken && leaves_heard && !was_pending)
			cec_verify_report(verifier, "EDITED", CEC_NO_NUMBER, block->block_no, "audit_leaf",
							  "Leaves kept of the block do not stand where they were put.");
	}
	merger->tree.wrong = NIL;
	check_digests(merger, block->block_no, fine ? NULL : block);
	for (int i = 0; fine && i < verifier->digest_count; i++)
		check_own_digest(verifier, &verifier->digests[i], block);
}

static void
begin_block(Merger *merger)
{
	merger->parted = false;
	merger->leaves_broken = false;
	merger->leaves_read = 0;
}

static void
read_block(Merger *merger, BlockRow *block, const Datum *values, const bool *isnull)
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
	block->left_fits = cec_merkle_resume(&block->left, merger->verifier->maker.hasher, block->tree_size,
										 VARDATA_ANY(frontier), VARSIZE_ANY_EXHDR(frontier)) &&
					   agrees(block, &block->left);
}

/* A block whose row is gone: its leaves may be there. */
static void
pass_missing_block(Merger *merger, int64 block_no)
{
	CecVerifier *verifier = merger->verifier;

	begin_block(merger);
	cec_verify_report(verifier, "MISSING", CEC_NO_NUMBER, block_no, "audit_block", "The block is gone.");
	verifier->missing = cec_verify_note(verifier, verifier->missing, block_no);
	merge_rows(merger, block_no, CEC_NO_NUMBER);
	merger->tree.wrong = NIL;
	check_digests(merger, block_no, NULL);
	if (merger->is_pending)
		report_block(merger, &merger->pending);
}

/* However many are said to be missing, their leaves are gone along; only so many are told one by one. */
static void
pass_missing_blocks(Merger *merger, int64 first, int64 last)
{
	const int64 told = 1000;

	for (int64 block_no = first; block_no <= last && block_no - first < told; block_no++)
		pass_missing_block(merger, block_no);
	if (last - first >= told)
		cec_verify_report(merger->verifier, "MISSING", CEC_NO_NUMBER, first + told, "audit_block",
						  "This block and all up to " INT64_FORMAT " are gone.", last);
}

/* What is left when all blocks have been passed. */
static void
finish(Merger *merger, int64 last_block_no)
{
	CecVerifier *verifier = merger->verifier;

	while (merger->leaves.has_leaf)
		if (merger->leaves.leaf.block_no > last_block_no)
		{
			last_block_no = merger->leaves.leaf.block_no;
			pass_missing_block(merger, last_block_no);
		}
		else
		{
			cec_verify_report(verifier, "EXTRA", merger->leaves.leaf.audit_id, merger->leaves.leaf.block_no,
							  "audit_leaf", "A leaf is kept of the block that is not in the tree.");
			cec_leaf_cursor_next(&merger->leaves);
		}
	if (merger->is_pending)
		report_block(merger, &merger->pending);
	cec_verify_nodes_report_strays(&merger->tree);
	for (; merger->digest_at < verifier->digest_count; merger->digest_at++)
		cec_verify_report(verifier, "TRUNCATED_TAIL", CEC_NO_NUMBER, last_block_no > 0 ? last_block_no : CEC_NO_NUMBER,
						  NULL,
						  "The digest of block " INT64_FORMAT " has " INT64_FORMAT " leaves, the log " INT64_FORMAT ".",
						  verifier->digests[merger->digest_at].block_no, verifier->digests[merger->digest_at].tree_size,
						  merger->tree.merkle.size);
	/*
	 * Rows that are sealed nowhere matter where a leaf has no row: somebody may have changed their transaction; and where
	 * something is wrong with them by themselves.
	 */
	for (; merger->has_row; next_row(merger))
		if (verifier->leaves_differ || merger->row.block_no != CEC_UNSEALED || merger->row.mark != CEC_FROM_LOG)
			cec_leaf_sort_put(verifier->differences, &merger->row);
}

/* The second step: reports what is wrong with blocks, kept leaves and subtrees, and puts rows that differ aside. */
void
cec_verify_blocks(CecVerifier *verifier)
{
	Merger *merger = palloc0(sizeof(Merger));
	CecMerkle empty;
	Datum values[7];
	bool isnull[7];
	int64 block_no = 0;

	merger->verifier = verifier;
	cec_merkle_begin(&empty, verifier->maker.hasher);
	cec_verify_nodes_begin(&merger->tree, merger->verifier, &empty);
	SPI_connect();
	cec_cursor_open(&merger->block_cursor, verifier->portfolio->plans, &all_blocks, NULL);
	cec_leaf_cursor_begin(&merger->leaves, verifier->portfolio);
	next_row(merger);
	check_digests(merger, CEC_NO_NUMBER, NULL);
	while (cec_cursor_next(&merger->block_cursor, values, isnull))
	{
		BlockRow block;
		int64 size_before;

		read_block(merger, &block, values, isnull);
		pass_missing_blocks(merger, block_no + 1, block.block_no - 1);
		block_no = block.block_no;
		begin_block(merger);
		size_before = merger->tree.merkle.size;
		merge_rows(merger, block_no, block.tree_size);
		check_block(merger, &block, size_before);
	}
	finish(merger, block_no);
	cec_leaf_cursor_end(&merger->leaves);
	cec_cursor_close(&merger->block_cursor);
	SPI_finish();
	pfree(merger);
}
