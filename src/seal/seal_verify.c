/*
 * seal_verify.c
 *		Verifies the log: hashes every row afresh and compares the result with what was sealed, and with digests.
 *
 * Three steps, with one snapshot: here each row of the log becomes a leaf that waits in the order of the tree;
 * seal_verify_blocks.c goes along blocks, kept leaves and these side by side and computes the tree; seal_verify_rows.c says of what
 * does not agree which row it is, and what happened to it.  Memory does not grow with the log: sorts go to disk.  What is
 * kept a block is its snapshot.
 *
 * It trusts nothing that it reads: a row may have been changed by somebody who owns the server.
 */
#include "postgres.h"

#include "init.h"
#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "audit/audit_columns.h"
#include "seal/seal_erasure.h"
#include "seal/seal_verify.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_verify_audit);

static int seal_lag = 3600;

/* The key of each column list, and whether it is the hash of what the row says. */
static const CecQuery column_lists = {
	"SELECT s.schema_hash::bytea, s.table_name::text, coalesce(s.schema_hash = (SELECT substring(sha256(string_agg("
	"convert_to(part, getdatabaseencoding()) || '\\x00'::bytea, ''::bytea ORDER BY n, p)) FOR 16)"
	" FROM (SELECT 0::bigint AS n, 0 AS p, s.table_name AS part"
	"  UNION ALL SELECT c.n, v.p, v.part FROM unnest(s.column_names, s.column_types, s.column_codes)"
	"   WITH ORDINALITY AS c(name, type, code, n)"
	"   CROSS JOIN LATERAL (VALUES (1, c.name), (2, c.type), (3, c.code)) AS v(p, part)) AS parts), false)"
	" FROM @P@.audit_schema s",
	0,
	{0},
	0,
	.results = {BYTEAOID, TEXTOID, BOOLOID}};

/* A column list that rows of the log were written with. */
typedef struct NeededList
{
	char hash[CEC_SCHEMA_HASH_LEN]; /* key */
	int64 audit_id;					/* the first row that needs it */
	int64 rows;
	bool found;
} NeededList;

/* The first step, row by row. */
typedef struct Reader
{
	CecVerifier *verifier;
	HTAB *lists; /* of NeededList */
	TimestampTz due;
	TimestampTz latest; /* what was written so far is not later than this */
	uint64 next_xid;
	int64 system_id;
	bool closing; /* the next block is to close what a dump carried along */
	int64 overdue;
	int64 overdue_audit_id;
	TimestampTz overdue_at;
} Reader;

/* Defines the setting; called once when the library is loaded. */
void
cec_seal_verify_init(void)
{
	DefineCustomIntVariable("cec.audit_seal_lag",
							"How long a row of the log may stay unsealed before verify_audit tells of it.", NULL,
							&seal_lag, 3600, 0, INT_MAX, PGC_USERSET, GUC_UNIT_S, NULL, NULL, NULL);
}

/* An erasure of a row that is not erased. */
static void
take_idle_erasure(void *arg, TupleTableSlot *slot)
{
	cec_verify_report(arg, "EXTRA", slot->tts_isnull[0] ? CEC_NO_NUMBER : DatumGetInt64(slot->tts_values[0]),
					  CEC_NO_NUMBER, "audit_erasure", "%s",
					  DatumGetBool(slot->tts_values[1]) ? "The row of the log is not erased."
														: "There is no such row in the log.");
}

static void
note_list(Reader *reader, int64 audit_id, Datum image)
{
	bytea *bytes = DatumGetByteaPP(image);
	NeededList *list;
	bool found;

	if (VARSIZE_ANY_EXHDR(bytes) < 1 + CEC_SCHEMA_HASH_LEN)
		return;
	list = hash_search(reader->lists, VARDATA_ANY(bytes) + 1, HASH_ENTER, &found);
	if (!found)
	{
		list->audit_id = audit_id;
		list->found = false;
		list->rows = 0;
	}
	list->rows++;
}

/* What no seal can take, or the engine cannot have written, of rows that are in no block; else the mark that they have. */
static int32
judge_unsealed(const Reader *reader, const CecSealedRow *row, const Datum *values, const bool *isnull, bool fine)
{
	if (row->system_id != reader->system_id)
	{
		if (!reader->closing)
			return CEC_UNSEALED_CLUSTER;
	}
	else if (row->xid >= reader->next_xid)
		return CEC_UNSEALED_XID;
	if (isnull[CEC_LOG_AT] || DatumGetTimestampTz(values[CEC_LOG_AT]) > reader->latest)
		return CEC_UNSEALED_AT;
	if (cec_leaf_is_erased(isnull))
		return CEC_UNSEALED_ERASURE;
	return fine ? row->mark : CEC_UNSEALED_DAMAGED;
}

/* A row of the log becomes a leaf. */
static void
take_row(void *arg, TupleTableSlot *slot)
{
	Reader *reader = arg;
	CecVerifier *verifier = reader->verifier;
	const Datum *values = slot->tts_values;
	const bool *isnull = slot->tts_isnull;
	CecSealedRow row = {0};
	CecBlock *block;
	CecHash content;
	bool fine;

	row.audit_id = DatumGetInt64(values[CEC_LOG_AUDIT_ID]);
	row.xid = U64FromFullTransactionId(DatumGetFullTransactionId(values[CEC_LOG_XID]));
	row.system_id = DatumGetInt64(values[CEC_LOG_SYSTEM_ID]);
	block = cec_blocks_find(&verifier->blocks, row.system_id, row.xid, row.audit_id);
	row.block_no = block != NULL ? block->block_no : CEC_UNSEALED;
	row.mark = CEC_FROM_LOG;
	fine = cec_leaf_content(&verifier->maker, values, isnull, &content);
	if (cec_leaf_is_erased(isnull))
	{
		fine = cec_erasure_find(verifier->portfolio, row.audit_id, &content);
		row.mark = fine ? CEC_FROM_LOG_ERASED : CEC_FORGED_ERASURE;
	}
	else if (!isnull[CEC_LOG_ROW_IMAGE])
		note_list(reader, row.audit_id, values[CEC_LOG_ROW_IMAGE]);
	/* What the engine cannot have written stays zero, which no leaf is. */
	if (fine)
		cec_leaf_make(&verifier->maker, values, isnull, &content, &row.leaf);
	if (block == NULL)
		row.mark = judge_unsealed(reader, &row, values, isnull, fine);
	cec_leaf_sort_put(verifier->rows, &row);

	if (block == NULL && row.mark == CEC_FROM_LOG && DatumGetTimestampTz(values[CEC_LOG_AT]) < reader->due)
	{
		if (reader->overdue++ == 0 || DatumGetTimestampTz(values[CEC_LOG_AT]) < reader->overdue_at)
		{
			reader->overdue_audit_id = row.audit_id;
			reader->overdue_at = DatumGetTimestampTz(values[CEC_LOG_AT]);
		}
	}
}

static void
read_log(Reader *reader, CecVerifier *verifier)
{
	HASHCTL ctl = {0};

	memset(reader, 0, sizeof(Reader));
	reader->verifier = verifier;
	reader->due = GetCurrentTimestamp() - (TimestampTz) seal_lag * USECS_PER_SEC;
	ctl.keysize = CEC_SCHEMA_HASH_LEN;
	ctl.entrysize = sizeof(NeededList);
	ctl.hcxt = CurrentMemoryContext;
	reader->lists = hash_create("cec column lists of images", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	/* A clock may be set back. */
	reader->latest = GetCurrentTimestamp() + (TimestampTz) seal_lag * USECS_PER_SEC;
	reader->next_xid = U64FromFullTransactionId(ReadNextFullTransactionId());
	reader->system_id = (int64) GetSystemIdentifier();
	cec_blocks_scan(verifier->portfolio, &verifier->blocks);
	reader->closing = verifier->blocks.count == 0 ||
					  verifier->blocks.blocks[verifier->blocks.count - 1].system_id != reader->system_id;
	cec_audit_scan_log(verifier->portfolio, PG_INT64_MIN, PG_INT64_MAX, take_row, reader);
	cec_leaf_sort_perform(verifier->rows);
}

static void
take_list(void *arg, TupleTableSlot *slot)
{
	Reader *reader = arg;
	bytea *hash = slot->tts_isnull[0] ? NULL : DatumGetByteaPP(slot->tts_values[0]);
	NeededList *list = NULL;

	if (hash != NULL && VARSIZE_ANY_EXHDR(hash) == CEC_SCHEMA_HASH_LEN)
		list = hash_search(reader->lists, VARDATA_ANY(hash), HASH_FIND, NULL);
	if (list != NULL)
		list->found = true;
	if (!DatumGetBool(slot->tts_values[2]))
		cec_verify_report(reader->verifier, "SCHEMA_CHANGED", list != NULL ? list->audit_id : CEC_NO_NUMBER,
						  CEC_NO_NUMBER, "audit_schema",
						  "A column list of table %s is not the one that its key was computed of.",
						  slot->tts_isnull[1] ? "unknown" : TextDatumGetCString(slot->tts_values[1]));
}

/* Column lists: each is what its key says, and those that rows need are there. */
static void
check_lists(Reader *reader)
{
	HASH_SEQ_STATUS status;
	NeededList *list;

	SPI_connect();
	cec_query_stream(reader->verifier->portfolio->plans, &column_lists, NULL, take_list, reader);
	SPI_finish();
	hash_seq_init(&status, reader->lists);
	while ((list = hash_seq_search(&status)) != NULL)
		/* A row whose image was edited may name a list that never was. */
		if (!list->found && !(list->rows == 1 && cec_verify_noted(reader->verifier->edited, list->audit_id)))
			cec_verify_report(reader->verifier, "SCHEMA_CHANGED", list->audit_id, CEC_NO_NUMBER, "audit_schema",
							  "The column list that this row and perhaps others were written with is gone.");
}

static int
compare_digests(const void *one, const void *other)
{
	const CecDigest *a = one;
	const CecDigest *b = other;

	return a->tree_size < b->tree_size ? -1 : a->tree_size > b->tree_size;
}

static void
read_digests(CecVerifier *verifier, ArrayType *lines)
{
	Datum *values;
	bool *isnull;

	deconstruct_array(lines, TEXTOID, -1, false, TYPALIGN_INT, &values, &isnull, &verifier->digest_count);
	verifier->digests = palloc((verifier->digest_count + 1) * sizeof(CecDigest));
	for (int i = 0; i < verifier->digest_count; i++)
	{
		if (isnull[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a digest must not be NULL"),
							errhint("Give the lines that audit_digest returned.")));
		cec_digest_read(&verifier->digests[i], TextDatumGetCString(values[i]));
	}
	qsort(verifier->digests, verifier->digest_count, sizeof(CecDigest), compare_digests);
}

/* Digests in another name are of a portfolio that was renamed, or of another one, of which this may be a copy. */
static void
check_names(CecVerifier *verifier)
{
	const char *name = cec_digest_name(get_namespace_name(verifier->portfolio->nspid));

	for (int i = 0; i < verifier->digest_count; i++)
		if (strcmp(verifier->digests[i].portfolio, name) != 0)
			cec_verify_report(verifier, "RENAMED", CEC_NO_NUMBER, verifier->digests[i].block_no, NULL,
							  "The digest is of a portfolio named %s, and this is %s.", verifier->digests[i].portfolio,
							  name);
}

static void
verify(CecVerifier *verifier)
{
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	Reader reader;

	PushActiveSnapshot(snapshot);
	cec_leaf_begin(&verifier->maker, cec_hasher_begin());
	verifier->rows = cec_leaf_sort_begin(CEC_BY_BLOCK);
	verifier->differences = cec_leaf_sort_begin(CEC_BY_AUDIT_ID);
	read_log(&reader, verifier);
	cec_verify_blocks(verifier);
	cec_verify_rows(verifier);
	check_names(verifier);
	check_lists(&reader);
	cec_erasure_scan_idle(verifier->portfolio, take_idle_erasure, verifier);
	if (reader.overdue > 0)
		cec_verify_report(verifier, "UNSEALED_TOO_OLD", reader.overdue_audit_id, CEC_NO_NUMBER, "audit_log",
						  INT64_FORMAT
						  " rows were written more than %d seconds ago and are not sealed; this is the oldest.",
						  reader.overdue, seal_lag);
	cec_leaf_sort_end(verifier->rows);
	cec_leaf_sort_end(verifier->differences);
	cec_hasher_end(verifier->maker.hasher);
	PopActiveSnapshot();
	UnregisterSnapshot(snapshot);
}

/* cec._verify_audit(portfolio, digests): all that does not agree. */
Datum
cec_verify_audit(PG_FUNCTION_ARGS)
{
	CecVerifier verifier = {0};
	CecActAs act;

	cec_audit_require_read_committed("verify_audit");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	verifier.result = (ReturnSetInfo *) fcinfo->resultinfo;
	verifier.cxt = CurrentMemoryContext;
	read_digests(&verifier, PG_GETARG_ARRAYTYPE_P(1));
	cec_portfolio_pin();
	verifier.portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	cec_audit_begin(verifier.portfolio, &act, "verify");
	verify(&verifier);
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	return (Datum) 0;
}
