/*
 * seal_write_tree.c
 *		Keeps leaves and some subtrees of the tree: audit_leaf and audit_node.
 *
 * Neither is needed to know the root.  The leaves tell which row it is that was tampered with, and with the subtrees a
 * proof reads some hundred hashes instead of the whole log.  Both are appended to as the log is, past all triggers.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "utils/array.h"

#include "seal/seal_write_tree.h"
#include "support/column.h"
#include "support/compat.h"
#include "support/heap_write.h"
#include "support/slot.h"

struct CecTreeWriter
{
	CecMerkle *tree;
	int64 block_no;

	Relation leaf_rel;
	CecAppender *leaves;
	AttrNumber first_leaf;
	AttrNumber leaf_block_no;
	AttrNumber audit_ids;
	AttrNumber leaf_hashes;

	Relation node_rel;
	CecAppender *nodes;
	AttrNumber level;
	AttrNumber position;
	AttrNumber hash;

	/* Not yet written. */
	int64 first;
	int count;
	Datum ids[CEC_LEAVES_A_ROW];
	CecHash hashes[CEC_LEAVES_A_ROW];
};

static bytea *
make_bytea(const void *bytes, Size length)
{
	bytea *result = palloc(VARHDRSZ + length);

	SET_VARSIZE(result, VARHDRSZ + length);
	memcpy(VARDATA(result), bytes, length);
	return result;
}

static void
write_node(void *arg, int level, int64 position, const CecHash *root)
{
	CecTreeWriter *writer = arg;
	TupleTableSlot *slot;
	bytea *hash;

	if (level % CEC_NODE_LEVELS != 0)
		return;
	slot = cec_append_slot(writer->nodes);
	hash = make_bytea(root->bytes, CEC_HASH_LEN);
	cec_slot_set(slot, writer->level, Int32GetDatum(level));
	cec_slot_set(slot, writer->position, Int64GetDatum(position));
	cec_slot_set(slot, writer->hash, PointerGetDatum(hash));
	cec_append_row(writer->nodes);
	pfree(hash);
}

static void
write_leaves(CecTreeWriter *writer)
{
	TupleTableSlot *slot = cec_append_slot(writer->leaves);
	ArrayType *ids = construct_array(writer->ids, writer->count, INT8OID, sizeof(int64), true, TYPALIGN_DOUBLE);
	bytea *hashes = make_bytea(writer->hashes, writer->count * sizeof(CecHash));

	cec_slot_set(slot, writer->first_leaf, Int64GetDatum(writer->first));
	cec_slot_set(slot, writer->leaf_block_no, Int64GetDatum(writer->block_no));
	cec_slot_set(slot, writer->audit_ids, PointerGetDatum(ids));
	cec_slot_set(slot, writer->leaf_hashes, PointerGetDatum(hashes));
	cec_append_row(writer->leaves);
	pfree(ids);
	pfree(hashes);
	writer->count = 0;
}

/* Starts appending the leaves of a block to the tree and to what is kept of it. */
CecTreeWriter *
cec_tree_write_begin(CecPortfolio *portfolio, CecMerkle *tree, int64 block_no)
{
	CecTreeWriter *writer = palloc0(sizeof(CecTreeWriter));

	writer->tree = tree;
	tree->complete = write_node;
	tree->arg = writer;
	writer->block_no = block_no;
	writer->leaf_rel = cec_portfolio_open_below(portfolio, "audit_leaf");
	writer->first_leaf = cec_column_require(writer->leaf_rel, "first_leaf", INT8OID);
	writer->leaf_block_no = cec_column_require(writer->leaf_rel, "block_no", INT8OID);
	writer->audit_ids = cec_column_require(writer->leaf_rel, "audit_ids", INT8ARRAYOID);
	writer->leaf_hashes = cec_column_require(writer->leaf_rel, "leaf_hashes", BYTEAOID);
	writer->leaves = cec_append_begin(writer->leaf_rel);
	writer->node_rel = cec_portfolio_open_below(portfolio, "audit_node");
	writer->level = cec_column_require(writer->node_rel, "level", INT4OID);
	writer->position = cec_column_require(writer->node_rel, "position", INT8OID);
	writer->hash = cec_column_require(writer->node_rel, "hash", BYTEAOID);
	writer->nodes = cec_append_begin(writer->node_rel);
	return writer;
}

/* Appends a leaf. */
void
cec_tree_write_leaf(CecTreeWriter *writer, int64 audit_id, const CecHash *leaf)
{
	if (writer->count == 0)
		writer->first = writer->tree->size;
	writer->ids[writer->count] = Int64GetDatum(audit_id);
	writer->hashes[writer->count] = *leaf;
	writer->count++;
	cec_merkle_append(writer->tree, leaf);
	if (writer->tree->size % CEC_LEAVES_A_ROW == 0)
		write_leaves(writer);
}

/* Writes the rest; the tree goes on without being written. */
void
cec_tree_write_end(CecTreeWriter *writer)
{
	if (writer->count > 0)
		write_leaves(writer);
	cec_append_end(writer->leaves);
	cec_append_end(writer->nodes);
	table_close(writer->leaf_rel, NoLock);
	table_close(writer->node_rel, NoLock);
	writer->tree->complete = NULL;
	pfree(writer);
}
