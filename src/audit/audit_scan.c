/*
 * audit_scan.c
 *		Reads the log and its blocks, row by row, with the active snapshot, as the owner.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/rel.h"

#include "audit_scan.h"

/* In the order of CecLogColumn; the casts keep a column that somebody retyped from being read as what it was. */
#define SELECT_LOG \
	"SELECT audit_id::bigint, xid::xid8, system_id::bigint, at::timestamptz, actor::text, session_user_name::text," \
	" application_name::text, client_addr::inet, reason::text, table_name::text, operation::text, row_id::bigint," \
	" asset_id::bigint, term_id::bigint, contract_id::bigint, salt::bytea, row_image::bytea FROM @P@.audit_log"

static const CecQuery log_rows = {
	SELECT_LOG " WHERE audit_id >= $1", 1, {INT8OID}, CURSOR_OPT_CUSTOM_PLAN, .results = CEC_LOG_COLUMN_TYPES};

static const CecQuery one_log_row = {
	SELECT_LOG " WHERE audit_id = $1", 1, {INT8OID}, CURSOR_OPT_GENERIC_PLAN, .results = CEC_LOG_COLUMN_TYPES};

static const CecQuery block_rows = {
	"SELECT block_no::bigint, system_id::bigint, coalesce(snapshot::pg_snapshot, '1:1:'), last_audit_id::bigint"
	" FROM @P@.audit_block ORDER BY block_no",
	0,
	{0},
	0,
	.results = {INT8OID, INT8OID, PG_SNAPSHOTOID, INT8OID}};

/* An erasure counts when the engine recorded it. */
static const CecQuery erasure_of = {
	"SELECT e.content::bytea FROM @P@.audit_erasure e WHERE e.audit_id = $1 AND EXISTS (SELECT FROM @P@.audit_log l"
	" WHERE l.row_id = $1 AND l.table_name = 'audit_erasure' AND l.operation = 'INSERT')",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {BYTEAOID}};

typedef struct BlockReader
{
	CecBlocks *blocks;
	MemoryContext cxt;
} BlockReader;

/* Two snapshots would not fit together.  Error: 25001. */
void
cec_audit_require_read_committed(const char *what)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION), errmsg("%s needs isolation level READ COMMITTED", what),
				 errdetail("The transaction runs at %s.",
						   XactIsoLevel == XACT_SERIALIZABLE ? "SERIALIZABLE" : "REPEATABLE READ"),
				 errhint("Run it in a transaction of its own: BEGIN ISOLATION LEVEL READ COMMITTED.")));
}

/* Acts as the owner of the portfolio, for a caller who may read all of it.  Error: 42501. */
void
cec_audit_begin(CecPortfolio *portfolio, CecActAs *act, const char *verb)
{
	if (!cec_may_read_all(GetUserId(), cec_portfolio_table(portfolio, "audit_log")))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to %s the audit log", verb),
						errhint("It needs SELECT on audit_log, as levels auditor and admin have it.")));
	cec_portfolio_act(act, portfolio);
}

/* What an erased row's content hashed to, if its erasure was recorded. */
bool
cec_audit_find_erasure(CecPortfolio *portfolio, int64 audit_id, CecHash *content)
{
	Datum key = Int64GetDatum(audit_id);
	bool found = false;

	SPI_connect();
	if (cec_query_read(portfolio->plans, &erasure_of, &key, NULL) > 0)
	{
		bool null;
		Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);

		if (!null)
		{
			bytea *bytes = DatumGetByteaPP(value);

			found = VARSIZE_ANY_EXHDR(bytes) == CEC_HASH_LEN;
			if (found)
				memcpy(content->bytes, VARDATA_ANY(bytes), CEC_HASH_LEN);
		}
	}
	SPI_finish();
	return found;
}

/* Hands over the rows of the log from a number on, in any order, as values in the order of CecLogColumn. */
void
cec_audit_scan_log(CecPortfolio *portfolio, int64 from_audit_id, CecRowTaker take, void *arg)
{
	Datum from = Int64GetDatum(from_audit_id);

	SPI_connect();
	cec_query_stream(portfolio->plans, &log_rows, &from, take, arg);
	SPI_finish();
}

/* Hands over the row of the log that has a number; none, if there is none. */
void
cec_audit_read_row(CecPortfolio *portfolio, int64 audit_id, CecRowTaker take, void *arg)
{
	Datum key = Int64GetDatum(audit_id);

	SPI_connect();
	cec_query_stream(portfolio->plans, &one_log_row, &key, take, arg);
	SPI_finish();
}

static void
take_block(void *arg, TupleTableSlot *row)
{
	BlockReader *reader = arg;
	MemoryContext old = MemoryContextSwitchTo(reader->cxt);

	cec_blocks_add(reader->blocks, DatumGetInt64(row->tts_values[0]), DatumGetInt64(row->tts_values[1]),
				   row->tts_values[2], DatumGetInt64(row->tts_values[3]));
	MemoryContextSwitchTo(old);
}

/* Reads all blocks into memory of the current context. */
void
cec_audit_scan_blocks(CecPortfolio *portfolio, CecBlocks *blocks)
{
	BlockReader reader = {blocks, CurrentMemoryContext};

	SPI_connect();
	cec_query_stream(portfolio->plans, &block_rows, NULL, take_block, &reader);
	SPI_finish();
}
