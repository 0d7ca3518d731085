/*
 * seal_append.c
 *		Closes a block of the log: the rows that are settled since the block before become leaves of the tree.
 *
 * Settled is what the block's snapshot shows.  The snapshot is taken after audit_block is locked, so that blocks follow
 * each other, and the scan sees exactly what the snapshot says; writers take no notice of that lock.  The transaction must
 * not have written before, nor seal twice: its own rows would be seen and yet count as in progress, and the commit of
 * the block must not get lost while what came after it does not (ForceSyncCommit).
 *
 * How far back new rows can be: a transaction takes its xid before its first number of the log.  A block remembers the
 * number that was handed out last before its snapshot (last_audit_id), and which xid was the next after it (next_xid): from
 * there on transactions have numbers above.  So the log is read from the last block on, or, if a transaction has settled
 * since that had begun before it, from the last block before that one began; up to the number that was handed out last.  A snapshot's xmax would not do for next_xid: above it there can
 * be transactions in progress.  This holds while the sequence hands out numbers one by one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_sequence.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "audit/audit_scan.h"
#include "seal/seal_block.h"
#include "seal/seal_erasure.h"
#include "seal/seal_leaf.h"
#include "seal/seal_sort_leaves.h"
#include "seal/seal_write_tree.h"
#include "support/act_as.h"
#include "support/column.h"
#include "support/compat.h"
#include "support/grow.h"

PG_FUNCTION_INFO_V1(cec_seal_audit);

static const CecQuery last_block = {
	"SELECT block_no::bigint, system_id::bigint, coalesce(snapshot::pg_snapshot, '1:1:'), tree_size::bigint,"
	" coalesce(frontier::bytea, ''), last_audit_id::bigint, next_xid::xid8, coalesce(root::bytea, '') FROM @P@.audit_block ORDER BY block_no DESC LIMIT 1",
	0,
	{0},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, INT8OID, PG_SNAPSHOTOID, INT8OID, BYTEAOID, INT8OID, XID8OID, BYTEAOID}};

static const CecQuery leaf_beyond = {
	"SELECT FROM @P@.audit_leaf WHERE first_leaf >= $1 LIMIT 1", 1, {INT8OID}, CURSOR_OPT_GENERIC_PLAN};

/* The last block before a transaction began; since the log came to this cluster, where its numbers began anew. */
static const CecQuery block_before = {
	"SELECT last_audit_id::bigint FROM @P@.audit_block WHERE system_id = $1 AND next_xid <= $2"
	" AND block_no >= (SELECT coalesce(max(c.block_no), 0) FROM @P@.audit_block c WHERE c.carried IS NOT NULL)"
	" ORDER BY next_xid DESC, block_no DESC LIMIT 1",
	2,
	{INT8OID, XID8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

static const CecQuery insert_block = {
	"INSERT INTO @P@.audit_block (block_no, system_id, snapshot, row_count, tree_size, root, frontier, last_audit_id,"
	" next_xid, sealed_at, carried) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
	11,
	{INT8OID, INT8OID, PG_SNAPSHOTOID, INT8OID, INT8OID, BYTEAOID, BYTEAOID, INT8OID, XID8OID, TIMESTAMPTZOID,
	 BYTEAOID},
	CURSOR_OPT_GENERIC_PLAN};

typedef struct Sealer
{
	CecPortfolio *portfolio;
	int64 system_id;
	CecBlocks sealed; /* the blocks that a new row must not be in */
	CecShown shown;	  /* what the new block's snapshot shows */
	Datum snapshot;
	int64 last_audit_id;
	FullTransactionId next_xid;
	int64 block_no; /* of the new block */
	bool closing;
	CecCarried *carried; /* by a closing block */
	int carried_count;
	MemoryContext cxt; /* of the whole seal */
	CecMerkle tree;
	CecLeafMaker maker;
	CecLeafSort *sort;
	int64 count;
} Sealer;

static bytea *
make_bytea(const void *bytes, Size length)
{
	bytea *result = palloc(VARHDRSZ + length);

	SET_VARSIZE(result, VARHDRSZ + length);
	memcpy(VARDATA(result), bytes, length);
	return result;
}

static void
require_fresh_transaction(void)
{
	if (FullTransactionIdIsValid(GetTopFullTransactionIdIfAny()))
		ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
						errmsg("the log cannot be sealed by a transaction that has written"),
						errdetail("Rows that the transaction still writes would belong to a block already sealed."),
						errhint("Call seal_audit once, in a transaction of its own.")));
}

/* The number that the log handed out last.  Error 55000 where it hands them out in any other way than one by one. */
static int64
read_last_number(Sealer *sealer)
{
	Relation log = cec_portfolio_open(sealer->portfolio, "audit_log", AccessShareLock);
	AttrNumber attnum = cec_column_require_nullable(log, "audit_id", INT8OID);
	LOCAL_FCINFO(fcinfo, 1);
	Oid sequence;
	HeapTuple tuple;
	Form_pg_sequence form;
	Datum last;

	if (TupleDescAttr(RelationGetDescr(log), attnum - 1)->attidentity == '\0')
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("column \"audit_id\" of the audit log is no longer an identity column"),
						errhint("Make audit_id an identity column again."), errtable(log)));
	sequence = cec_compat_identity_sequence(log, attnum);
	tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(sequence));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for sequence %u", sequence);
	form = (Form_pg_sequence) GETSTRUCT(tuple);
	if (form->seqcache != 1 || form->seqincrement < 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the audit log does not number its rows one after the other"),
				 errhint("Run ALTER TABLE … ALTER COLUMN audit_id SET CACHE 1 SET INCREMENT 1."), errtable(log)));
	ReleaseSysCache(tuple);
	table_close(log, NoLock);

	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = ObjectIdGetDatum(sequence);
	fcinfo->args[0].isnull = false;
	last = pg_sequence_last_value(fcinfo);
	return fcinfo->isnull ? 0 : DatumGetInt64(last);
}

/*
 * The first transaction that had begun before the previous block, was not shown by it, and may be settled by now; false when
 * there is none.  Above a snapshot's xmax nobody says which transactions are in progress: any of them may be.
 */
static bool
find_oldest_settled(const Sealer *sealer, const CecShown *previous, uint64 next_xid, uint64 *xid)
{
	for (int i = 0; i < previous->count; i++)
		if (cec_shown_has(&sealer->shown, previous->in_progress[i]))
		{
			*xid = previous->in_progress[i];
			return true;
		}
	*xid = previous->xmax;
	return previous->xmax < next_xid && previous->xmax < sealer->shown.xmax;
}

static void
refuse_damage(const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("cannot continue sealing the audit log"),
					errdetail("%s", detail), errhint("See what verify_audit says.")));
}

/* Nothing is built on what is not as it was sealed, as far as it can be told at once. */
static void
check_root(Sealer *sealer, const bytea *root)
{
	CecHash computed;

	cec_merkle_root(&sealer->tree, &computed);
	if (VARSIZE_ANY_EXHDR(root) != CEC_HASH_LEN || memcmp(VARDATA_ANY(root), computed.bytes, CEC_HASH_LEN) != 0)
		refuse_damage("The root of the last block does not follow from its frontier.");
}

static void
check_leaves(Sealer *sealer)
{
	Datum size = Int64GetDatum(sealer->tree.size);

	if (cec_query_read(sealer->portfolio->plans, &leaf_beyond, &size, NULL) > 0)
		refuse_damage("There are leaves of a block that is gone.");
}

/* The number from which on the log can have rows that are in no block yet. */
static int64
find_beginning(Sealer *sealer, const CecShown *previous, int64 last_audit_id, uint64 next_xid)
{
	Datum args[2];
	uint64 xid;
	bool null;

	if (!find_oldest_settled(sealer, previous, next_xid, &xid))
		return last_audit_id + 1;
	args[0] = Int64GetDatum(sealer->system_id);
	args[1] = FullTransactionIdGetDatum(FullTransactionIdFromU64(xid));
	if (cec_query_read(sealer->portfolio->plans, &block_before, args, NULL) == 0)
		return PG_INT64_MIN;
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null)) + 1;
}

/*
 * Reads the block before, whose tree is gone on with, and returns the number from which on the log can have new rows.
 */
static int64
follow_last_block(Sealer *sealer)
{
	MemoryContext cxt = CurrentMemoryContext;
	int64 from = PG_INT64_MIN;

	SPI_connect();
	if (cec_query_read(sealer->portfolio->plans, &last_block, NULL, NULL) > 0)
	{
		Datum values[8];
		bool isnull[8];
		bytea *frontier;

		heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, values, isnull);
		frontier = DatumGetByteaPP(values[4]);
		if (!cec_merkle_resume(&sealer->tree, sealer->maker.hasher, DatumGetInt64(values[3]), VARDATA_ANY(frontier),
							   VARSIZE_ANY_EXHDR(frontier)))
			refuse_damage("The frontier of the last block does not belong to a tree of its size.");
		check_root(sealer, DatumGetByteaPP(values[7]));
		sealer->block_no = DatumGetInt64(values[0]) + 1;
		sealer->closing = DatumGetInt64(values[1]) != sealer->system_id;
		if (!sealer->closing)
		{
			MemoryContext old = MemoryContextSwitchTo(cxt);

			cec_blocks_add(&sealer->sealed, DatumGetInt64(values[0]), sealer->system_id, values[2], NULL);
			MemoryContextSwitchTo(old);
			from = find_beginning(sealer, &sealer->sealed.blocks[0].shown, DatumGetInt64(values[5]),
								  U64FromFullTransactionId(DatumGetFullTransactionId(values[6])));
		}
	}
	check_leaves(sealer);
	SPI_finish();
	return from;
}

/* Notes what the block takes over of another cluster. */
static void
note_carried(Sealer *sealer, const CecSealedRow *row)
{
	CecCarried *carried = sealer->carried;
	int i = 0;

	while (i < sealer->carried_count && carried[i].system_id != row->system_id)
		i++;
	if (i == sealer->carried_count)
	{
		carried = cec_grow(sealer->cxt, carried, (i + 1) * sizeof(CecCarried));
		carried[i] = (CecCarried){row->system_id, row->xid, row->audit_id};
		sealer->carried = carried;
		sealer->carried_count++;
	}
	carried[i].last_xid = Max(carried[i].last_xid, row->xid);
	carried[i].last_audit_id = Max(carried[i].last_audit_id, row->audit_id);
}

/* A row of the log: if it is new and settled, its leaf waits to be put in order. */
static void
take_row(void *arg, TupleTableSlot *slot)
{
	Sealer *sealer = arg;
	const Datum *values = slot->tts_values;
	CecSealedRow row = {0};
	CecHash content;

	row.audit_id = DatumGetInt64(values[CEC_LOG_AUDIT_ID]);
	row.xid = U64FromFullTransactionId(DatumGetFullTransactionId(values[CEC_LOG_XID]));
	row.system_id = DatumGetInt64(values[CEC_LOG_SYSTEM_ID]);
	if (row.system_id == sealer->system_id ? !cec_shown_has(&sealer->shown, row.xid) : !sealer->closing)
		return;
	if (cec_blocks_find(&sealer->sealed, row.system_id, row.xid, row.audit_id) != NULL)
		return;
	(void) cec_leaf_content(&sealer->maker, values, slot->tts_isnull, &content);
	/* Only where a log that was sealed before is sealed anew. */
	if (cec_leaf_is_erased(slot->tts_isnull))
		(void) cec_erasure_find(sealer->portfolio, row.audit_id, &content);
	cec_leaf_make(&sealer->maker, values, slot->tts_isnull, &content, &row.leaf);
	cec_leaf_sort_put(sealer->sort, &row);
	sealer->count++;
	if (row.system_id != sealer->system_id)
		note_carried(sealer, &row);
}

static void
write_block(Sealer *sealer)
{
	CecTreeWriter *writer = cec_tree_write_begin(sealer->portfolio, &sealer->tree, sealer->block_no);
	CecSealedRow row;
	CecHash root;
	Datum args[11];
	char nulls[11 + 1];

	cec_leaf_sort_perform(sealer->sort);
	while (cec_leaf_sort_next(sealer->sort, &row))
		cec_tree_write_leaf(writer, row.audit_id, &row.leaf);
	cec_tree_write_end(writer);

	cec_merkle_root(&sealer->tree, &root);
	args[0] = Int64GetDatum(sealer->block_no);
	args[1] = Int64GetDatum(sealer->system_id);
	args[2] = sealer->snapshot;
	args[3] = Int64GetDatum(sealer->count);
	args[4] = Int64GetDatum(sealer->tree.size);
	args[5] = PointerGetDatum(make_bytea(root.bytes, CEC_HASH_LEN));
	args[6] = PointerGetDatum(make_bytea(sealer->tree.frontier, sealer->tree.count * sizeof(CecHash)));
	args[7] = Int64GetDatum(sealer->last_audit_id);
	args[8] = FullTransactionIdGetDatum(sealer->next_xid);
	args[9] = TimestampTzGetDatum(GetCurrentTimestamp());
	args[10] = PointerGetDatum(cec_carried_write(sealer->carried, sealer->carried_count));
	memset(nulls, ' ', sizeof(nulls));
	nulls[10] = sealer->closing ? ' ' : 'n';
	SPI_connect();
	cec_query_run(sealer->portfolio->plans, &insert_block, args, nulls, 0);
	SPI_finish();
}

/* Seals as the owner, with the lock; returns whether there was anything to seal. */
static bool
seal(Sealer *sealer)
{
	LOCAL_FCINFO(fcinfo, 0);
	Snapshot snapshot;
	int64 from;
	int64 to;

	/* In this order. */
	sealer->last_audit_id = read_last_number(sealer);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	sealer->next_xid = ReadNextFullTransactionId();
	to = read_last_number(sealer);
	PushActiveSnapshot(snapshot);
	InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
	sealer->snapshot = pg_current_snapshot(fcinfo);
	cec_shown_read(&sealer->shown, sealer->snapshot);
	sealer->system_id = (int64) GetSystemIdentifier();
	sealer->block_no = 1;
	sealer->closing = true;
	sealer->cxt = CurrentMemoryContext;
	cec_leaf_begin(&sealer->maker, cec_hasher_begin());
	cec_merkle_begin(&sealer->tree, sealer->maker.hasher);
	from = follow_last_block(sealer);
	if (sealer->closing)
		cec_blocks_scan(sealer->portfolio, &sealer->sealed);
	sealer->sort = cec_leaf_sort_begin(sealer->closing ? CEC_BY_BLOCK : CEC_BY_TRANSACTION);
	/* The planner may not know yet how few rows are new; the setting ends with the owner's. */
	if (from != PG_INT64_MIN)
		(void) set_config_option("enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	/* What this cluster has written has numbers up to here; what others have, only closing blocks take. */
	cec_audit_scan_log(sealer->portfolio, from, sealer->closing ? PG_INT64_MAX : to, take_row, sealer);
	if (sealer->count > 0)
	{
		write_block(sealer);
		ForceSyncCommit();
	}
	cec_leaf_sort_end(sealer->sort);
	cec_hasher_end(sealer->maker.hasher);
	PopActiveSnapshot();
	UnregisterSnapshot(snapshot);
	return sealer->count > 0;
}

/* cec._seal_audit(portfolio): the number of the new block; NULL when there was nothing to seal. */
Datum
cec_seal_audit(PG_FUNCTION_ARGS)
{
	Sealer sealer = {0};
	CecActAs act;
	bool sealed;

	cec_audit_require_read_committed("seal_audit");
	require_fresh_transaction();
	cec_portfolio_pin();
	sealer.portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	/* Before the lock: whoever waits for it keeps others waiting. */
	if (!cec_may_read_all(GetUserId(), cec_portfolio_table(sealer.portfolio, "audit_block")))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to seal the audit log"),
						errhint("It needs SELECT on audit_block, which levels auditor and admin have.")));
	table_close(cec_portfolio_open(sealer.portfolio, "audit_block", ShareRowExclusiveLock), NoLock);
	cec_portfolio_act(&act, sealer.portfolio);
	sealed = seal(&sealer);
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	if (!sealed)
		PG_RETURN_NULL();
	PG_RETURN_INT64(sealer.block_no);
}
