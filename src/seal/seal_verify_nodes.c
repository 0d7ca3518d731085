/*
 * seal_verify_nodes.c
 *		A tree that is checked against audit_node as it grows: each perfect subtree that is kept must have the root kept of it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "seal/seal_verify_nodes.h"
#include "seal/seal_write_tree.h"
#include "support/compat.h"

static const CecQuery node_at = {"SELECT hash::bytea FROM @P@.audit_node WHERE level = $1 AND position = $2",
								 2,
								 {INT4OID, INT8OID},
								 CURSOR_OPT_GENERIC_PLAN,
								 .results = {BYTEAOID}};

static const CecQuery nodes_beyond = {
	"SELECT level::integer, position::bigint FROM @P@.audit_node"
	" WHERE level NOT IN (8, 16, 24, 32, 40, 48, 56) OR position < 0 OR position >= $1 >> least(level, 62)",
	1,
	{INT8OID},
	0,
	.results = {INT4OID, INT8OID}};

/* A subtree that audit_node does not have as it is. */
typedef struct WrongNode
{
	int level;
	int64 position;
	bool missing;
} WrongNode;

static void
check_node(void *arg, int level, int64 position, const CecHash *root)
{
	CecVerifiedTree *tree = arg;
	CecVerifier *verifier = tree->verifier;
	Datum args[2] = {Int32GetDatum(level), Int64GetDatum(position)};
	bool missing;
	bool wrong = true;

	if (level % CEC_NODE_LEVELS != 0)
		return;
	SPI_connect();
	missing = cec_query_read(verifier->portfolio->plans, &node_at, args, NULL) == 0;
	if (!missing)
	{
		bool null;
		Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
		bytea *hash = null ? NULL : DatumGetByteaPP(value);

		wrong = hash == NULL || VARSIZE_ANY_EXHDR(hash) != CEC_HASH_LEN ||
				memcmp(VARDATA_ANY(hash), root->bytes, CEC_HASH_LEN) != 0;
	}
	SPI_finish();
	if (wrong)
	{
		WrongNode *node = palloc(sizeof(WrongNode));

		*node = (WrongNode){level, position, missing};
		tree->wrong = lappend(tree->wrong, node);
	}
}

/* Goes on from another tree, which is left as it is. */
void
cec_verify_nodes_begin(CecVerifiedTree *tree, CecVerifier *verifier, const CecMerkle *from)
{
	tree->merkle = *from;
	tree->merkle.complete = check_node;
	tree->merkle.arg = tree;
	tree->verifier = verifier;
	tree->wrong = NIL;
}

/* Tells what was found wrong. */
void
cec_verify_nodes_report(const CecVerifiedTree *tree, int64 block_no)
{
	ListCell *cell;

	foreach (cell, tree->wrong)
	{
		const WrongNode *node = lfirst(cell);

		cec_verify_report(tree->verifier, node->missing ? "MISSING" : "EDITED", CEC_NO_NUMBER, block_no, "audit_node",
						  "The subtree of level %d at position " INT64_FORMAT " %s.", node->level, node->position,
						  node->missing ? "is gone" : "is not what its leaves give");
	}
}

/* Tells of subtrees that are kept and are none of the tree's. */
void
cec_verify_nodes_report_strays(const CecVerifiedTree *tree)
{
	Datum size = Int64GetDatum(tree->merkle.size);
	CecCursor cursor;
	Datum values[2];
	bool isnull[2];

	cec_cursor_open(&cursor, tree->verifier->portfolio->plans, &nodes_beyond, &size);
	while (cec_cursor_next(&cursor, values, isnull))
		cec_verify_report(tree->verifier, "EXTRA", CEC_NO_NUMBER, CEC_NO_NUMBER, "audit_node",
						  "There is no subtree of level %d at position " INT64_FORMAT ".", DatumGetInt32(values[0]),
						  DatumGetInt64(values[1]));
	cec_cursor_close(&cursor);
}
