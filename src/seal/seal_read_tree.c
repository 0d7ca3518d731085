/*
 * seal_read_tree.c
 *		Reads what is kept of the tree: where a row's leaf is, leaves, and the roots of perfect subtrees.
 *
 * Of a subtree that is not kept the root is computed from those below it that are: 2^7 at most, or 2^8 leaves.  Runs with the
 * active snapshot.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/xid8.h"

#include "seal/seal_read_tree.h"
#include "support/compat.h"

/* Where a row's leaf is: in the first block of its own cluster whose snapshot shows it (seal_block.c) … */
static const CecQuery leaf_of_row = {
	"SELECT l.first_leaf::bigint + array_position(l.audit_ids::bigint[], $3) - 1 FROM"
	" (SELECT tree_size - row_count AS first_leaf, tree_size FROM @P@.audit_block"
	"  WHERE system_id = $1 AND next_xid > $2 AND pg_visible_in_snapshot($2, snapshot)"
	"  ORDER BY next_xid, block_no LIMIT 1) AS b"
	" JOIN @P@.audit_leaf l ON l.first_leaf >= b.first_leaf AND l.first_leaf < b.tree_size"
	" WHERE $3 = ANY (l.audit_ids::bigint[]) LIMIT 1",
	3,
	{INT8OID, XID8OID, INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

/* … or in one that took over what a dump carried along. */
static const CecQuery leaf_carried = {
	"SELECT l.first_leaf::bigint + array_position(l.audit_ids::bigint[], $2) - 1 FROM @P@.audit_block b"
	" JOIN @P@.audit_leaf l ON l.first_leaf >= b.tree_size - b.row_count AND l.first_leaf < b.tree_size"
	" WHERE b.carried IS NOT NULL AND b.system_id <> $1 AND $2 = ANY (l.audit_ids::bigint[])"
	" ORDER BY b.block_no LIMIT 1",
	2,
	{INT8OID, INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

static const CecQuery leaves_at = {
	"SELECT first_leaf::bigint, coalesce(leaf_hashes::bytea, '') FROM @P@.audit_leaf WHERE first_leaf <= $1"
	" ORDER BY first_leaf DESC LIMIT 1",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, BYTEAOID}};

static const CecQuery node_at = {
	"SELECT coalesce(hash::bytea, '') FROM @P@.audit_node WHERE level = $1 AND position = $2",
	2,
	{INT4OID, INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {BYTEAOID}};

/* Starts reading. */
void
cec_stored_tree_begin(CecStoredTree *stored, CecPortfolio *portfolio, CecHasher *hasher)
{
	memset(stored, 0, sizeof(CecStoredTree));
	stored->portfolio = portfolio;
	stored->hasher = hasher;
}

/* Error: XX001. */
void
cec_stored_tree_refuse(const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("the audit log cannot prove this"), errdetail("%s", detail),
					errhint("See what verify_audit says.")));
}

/* The place of a row's leaf in the tree.  Error: 55000 when it is not sealed yet. */
int64
cec_stored_tree_find_leaf(CecStoredTree *stored, int64 system_id, FullTransactionId xid, int64 audit_id)
{
	Datum args[3] = {Int64GetDatum(system_id), FullTransactionIdGetDatum(xid), Int64GetDatum(audit_id)};
	Datum carried_args[2] = {args[0], args[2]};
	int64 index;
	bool null;

	SPI_connect();
	if (cec_query_read(stored->portfolio->plans, &leaf_of_row, args, NULL) == 0 &&
		cec_query_read(stored->portfolio->plans, &leaf_carried, carried_args, NULL) == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("row " INT64_FORMAT " of the audit log is not sealed yet", audit_id),
						errhint("Call seal_audit first.")));
	index = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null));
	SPI_finish();
	return index;
}

/* A leaf that is kept; XX001 when it is gone. */
void
cec_stored_tree_leaf(CecStoredTree *stored, int64 index, CecHash *leaf)
{
	if (index < stored->first_leaf || index >= stored->first_leaf + stored->leaf_count)
	{
		Datum arg = Int64GetDatum(index);

		stored->leaf_count = 0;
		SPI_connect();
		if (cec_query_read(stored->portfolio->plans, &leaves_at, &arg, NULL) > 0)
		{
			bool null;
			bytea *hashes = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &null));

			stored->first_leaf = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null));
			stored->leaf_count = Min(VARSIZE_ANY_EXHDR(hashes) / CEC_HASH_LEN, CEC_LEAVES_A_ROW);
			memcpy(stored->leaves, VARDATA_ANY(hashes), stored->leaf_count * sizeof(CecHash));
		}
		SPI_finish();
		if (index >= stored->first_leaf + stored->leaf_count)
			cec_stored_tree_refuse("A leaf that was kept of the tree is gone.");
	}
	*leaf = stored->leaves[index - stored->first_leaf];
}

static void
read_node(CecStoredTree *stored, int level, int64 position, CecHash *hash)
{
	Datum args[2] = {Int32GetDatum(level), Int64GetDatum(position)};
	bool found = false;

	SPI_connect();
	if (cec_query_read(stored->portfolio->plans, &node_at, args, NULL) > 0)
	{
		bool null;
		bytea *bytes = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null));

		found = VARSIZE_ANY_EXHDR(bytes) == CEC_HASH_LEN;
		if (found)
			memcpy(hash->bytes, VARDATA_ANY(bytes), CEC_HASH_LEN);
	}
	SPI_finish();
	if (!found)
		cec_stored_tree_refuse("A subtree that was kept of the tree is gone.");
}

/* The root of a perfect subtree, from what is kept: nodes of some levels, and the leaves. */
void
cec_stored_tree_subtree(void *arg, int level, int64 position, CecHash *root)
{
	CecStoredTree *stored = arg;
	CecHash left;
	CecHash right;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (level == 0)
		cec_stored_tree_leaf(stored, position, root);
	else if (level % CEC_NODE_LEVELS == 0)
		read_node(stored, level, position, root);
	else
	{
		cec_stored_tree_subtree(arg, level - 1, position * 2, &left);
		cec_stored_tree_subtree(arg, level - 1, position * 2 + 1, &right);
		cec_merkle_node(stored->hasher, &left, &right, root);
	}
}
