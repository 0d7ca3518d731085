/*
 * seal_proof.c
 *		Proofs for people outside: that a row of the log is in the tree, and that the tree goes on from a digest.
 *
 * A proof is a jsonb object with all that is needed to check it by hand; src/seal/README.md says how.  It is made from
 * the leaves and subtrees that are kept, and is checked against the block's root before it is given out.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "audit/audit_scan.h"
#include "seal/seal_digest.h"
#include "seal/seal_erasure.h"
#include "seal/seal_leaf.h"
#include "seal/seal_read_tree.h"
#include "support/act_as.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_audit_proof);
PG_FUNCTION_INFO_V1(cec_audit_consistency);

typedef struct Prover
{
	CecStoredTree stored;
	CecDigest digest; /* of the last block */
} Prover;

/* A row of the log, and what its leaf is made of. */
typedef struct ProvenRow
{
	CecPortfolio *portfolio;
	bool found;
	int64 audit_id;
	int64 system_id;
	FullTransactionId xid;
	CecLeafMaker maker;
	CecHash content;
	CecHash leaf;
	bool whole;
} ProvenRow;

static void
begin_proof(Prover *prover, CecPortfolio *portfolio)
{
	cec_stored_tree_begin(&prover->stored, portfolio, cec_hasher_begin());
	if (!cec_digest_last(portfolio, &prover->digest))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("nothing of the audit log has been sealed yet"), errhint("Call seal_audit first.")));
}

static void
append_hex(StringInfo json, const void *bytes, int length)
{
	appendStringInfoChar(json, '"');
	for (int i = 0; i < length; i++)
		appendStringInfo(json, "%02x", ((const uint8 *) bytes)[i]);
	appendStringInfoChar(json, '"');
}

/* The path and the digest of the last block, which end every proof. */
static Datum
finish_json(Prover *prover, StringInfo json, const CecProof *proof)
{
	appendStringInfoString(json, ", \"path\": [");
	for (int i = 0; i < proof->count; i++)
	{
		appendStringInfoString(json, i > 0 ? ", " : "");
		append_hex(json, proof->path[i].bytes, CEC_HASH_LEN);
	}
	appendStringInfo(json, "], \"digest\": \"%s\"}",
					 cec_digest_write(&prover->digest, get_namespace_name(prover->stored.portfolio->nspid)));
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json->data));
}

static void
take_row(void *arg, TupleTableSlot *slot)
{
	ProvenRow *row = arg;

	row->found = true;
	row->system_id = DatumGetInt64(slot->tts_values[CEC_LOG_SYSTEM_ID]);
	row->xid = DatumGetFullTransactionId(slot->tts_values[CEC_LOG_XID]);
	row->whole = cec_leaf_content(&row->maker, slot->tts_values, slot->tts_isnull, &row->content);
	if (cec_leaf_is_erased(slot->tts_isnull))
		row->whole = cec_erasure_find(row->portfolio, row->audit_id, &row->content);
	cec_leaf_make(&row->maker, slot->tts_values, slot->tts_isnull, &row->content, &row->leaf);
}

static Datum
prove_row(CecPortfolio *portfolio, int64 audit_id)
{
	Prover *prover = palloc(sizeof(Prover));
	CecProof *proof = palloc(sizeof(CecProof));
	ProvenRow row = {0};
	StringInfoData json;
	int64 index;

	begin_proof(prover, portfolio);
	row.portfolio = portfolio;
	row.audit_id = audit_id;
	cec_leaf_begin(&row.maker, prover->stored.hasher);
	cec_audit_read_row(portfolio, audit_id, take_row, &row);
	if (!row.found)
		ereport(ERROR, (errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
						errmsg("there is no row " INT64_FORMAT " in the audit log", audit_id),
						errhint("Gaps in audit_id are normal; verify_audit tells which rows are missing.")));
	index = cec_stored_tree_find_leaf(&prover->stored, row.system_id, row.xid, audit_id);
	if (index < 0 || index >= prover->digest.tree_size)
		cec_stored_tree_refuse("A leaf does not stand where it was put.");
	cec_inclusion_proof(&(CecTreeReader){prover->stored.hasher, cec_stored_tree_subtree, &prover->stored}, index,
						prover->digest.tree_size, proof);
	if (!row.whole || !cec_verify_inclusion_proof(prover->stored.hasher, &row.leaf, index, prover->digest.tree_size,
												  proof->path, proof->count, &prover->digest.root))
		cec_stored_tree_refuse("The row is not what was sealed, or the tree is not what it was.");
	cec_hasher_end(prover->stored.hasher);

	initStringInfo(&json);
	appendStringInfo(&json,
					 "{\"audit_id\": " INT64_FORMAT ", \"leaf_index\": " INT64_FORMAT ", \"tree_size\": " INT64_FORMAT,
					 audit_id, index, prover->digest.tree_size);
	appendStringInfoString(&json, ", \"header\": ");
	append_hex(&json, row.maker.input.data + 1, row.maker.input.len - 1 - CEC_HASH_LEN);
	appendStringInfoString(&json, ", \"content\": ");
	append_hex(&json, row.content.bytes, CEC_HASH_LEN);
	appendStringInfoString(&json, ", \"leaf\": ");
	append_hex(&json, row.leaf.bytes, CEC_HASH_LEN);
	appendStringInfoString(&json, ", \"root\": ");
	append_hex(&json, prover->digest.root.bytes, CEC_HASH_LEN);
	return finish_json(prover, &json, proof);
}

static Datum
prove_growth(CecPortfolio *portfolio, const char *line)
{
	Prover *prover = palloc(sizeof(Prover));
	CecProof *proof = palloc(sizeof(CecProof));
	CecDigest first;
	StringInfoData json;

	cec_digest_read(&first, line);
	begin_proof(prover, portfolio);
	if (first.tree_size > prover->digest.tree_size)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the digest has more leaves than the audit log"),
				 errdetail("It has " INT64_FORMAT ", the log has " INT64_FORMAT ".", first.tree_size,
						   prover->digest.tree_size),
				 errhint("It is another log's, or the end of this one is gone; see what verify_audit says.")));
	cec_consistency_proof(&(CecTreeReader){prover->stored.hasher, cec_stored_tree_subtree, &prover->stored},
						  first.tree_size, prover->digest.tree_size, proof);
	cec_hasher_end(prover->stored.hasher);

	initStringInfo(&json);
	appendStringInfo(&json, "{\"first_size\": " INT64_FORMAT ", \"first_root\": ", first.tree_size);
	append_hex(&json, first.root.bytes, CEC_HASH_LEN);
	appendStringInfo(&json, ", \"second_size\": " INT64_FORMAT ", \"second_root\": ", prover->digest.tree_size);
	append_hex(&json, prover->digest.root.bytes, CEC_HASH_LEN);
	return finish_json(prover, &json, proof);
}

/* Proves with one snapshot, as the owner, for whoever may read the log. */
static Datum
prove(Oid nspid, int64 audit_id, const char *line)
{
	CecPortfolio *portfolio;
	CecActAs act;
	Snapshot snapshot;
	Datum result;

	cec_portfolio_pin();
	portfolio = cec_portfolio_get(nspid);
	cec_audit_begin(portfolio, &act, "prove rows of");
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	PushActiveSnapshot(snapshot);
	result = line != NULL ? prove_growth(portfolio, line) : prove_row(portfolio, audit_id);
	PopActiveSnapshot();
	UnregisterSnapshot(snapshot);
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	return result;
}

/* cec._audit_proof(portfolio, audit_id) */
Datum
cec_audit_proof(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(prove(PG_GETARG_OID(0), PG_GETARG_INT64(1), NULL));
}

/* cec._audit_consistency(portfolio, digest) */
Datum
cec_audit_consistency(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(prove(PG_GETARG_OID(0), 0, text_to_cstring(PG_GETARG_TEXT_PP(1))));
}
