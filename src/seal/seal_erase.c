/*
 * seal_erase.c
 *		Erases what a row of the log holds: its salt and its image.  That it was there, when and by whom it was made stays.
 *
 * The leaf of a row is made of its header and of a hash of salt and image.  That hash is kept in audit_erasure, with who
 * erased, when and on what ground; so the leaf, and with it every proof, stays what it was.  audit_erasure is written by
 * SQL, as the owner, so that the engine records it as any change.  The log itself refuses every UPDATE: the row is
 * replaced below SQL, as the engine wrote it.
 *
 * Only a row that is sealed and is as it was sealed can be erased: else its erasure would do away with evidence.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "audit/audit.h"
#include "audit/audit_scan.h"
#include "seal/seal_leaf.h"
#include "seal/seal_read_tree.h"
#include "support/act_as.h"
#include "support/column.h"
#include "support/compat.h"
#include "support/heap_write.h"
#include "support/slot.h"
#include "support/word.h"

PG_FUNCTION_INFO_V1(cec_erase_audit);

static const CecQuery insert_erasure = {
	"INSERT INTO @P@.audit_erasure (audit_id, content, erased_at, erased_by, session_user_name, ground)"
	" VALUES ($1, $2, $3, $4, $5, $6)",
	6,
	{INT8OID, BYTEAOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID},
	CURSOR_OPT_GENERIC_PLAN};

/* A partitioned log keeps its rows in other tables. */
static const CecQuery place_of_row = {"SELECT tableoid, ctid FROM @P@.audit_log WHERE audit_id = $1",
									  1,
									  {INT8OID},
									  CURSOR_OPT_GENERIC_PLAN,
									  .results = {OIDOID, TIDOID}};

typedef struct Eraser
{
	CecPortfolio *portfolio;
	int64 audit_id;
	bool found;
	bool erased;
	bool is_erasure;
	int64 system_id;
	FullTransactionId xid;
	CecLeafMaker maker;
	bool whole; /* salt and image are what the engine writes */
	CecHash content;
	CecHash leaf;
} Eraser;

/* The level says who may: EXECUTE on the portfolio's own function. */
static void
check_right(CecPortfolio *portfolio)
{
	const Oid argtypes[2] = {INT8OID, TEXTOID};

	if (!cec_portfolio_may_run(portfolio, "erase_audit", 2, argtypes))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to erase rows of the audit log"),
				 errhint("It needs EXECUTE on the portfolio's erase_audit, which level auditor has.")));
}

static void
take_row(void *arg, TupleTableSlot *slot)
{
	Eraser *eraser = arg;
	const Datum *values = slot->tts_values;

	eraser->found = true;
	eraser->erased = cec_leaf_is_erased(slot->tts_isnull);
	eraser->is_erasure =
		!slot->tts_isnull[CEC_LOG_TABLE_NAME] && cec_word_is(values[CEC_LOG_TABLE_NAME], "audit_erasure");
	eraser->system_id = DatumGetInt64(values[CEC_LOG_SYSTEM_ID]);
	eraser->xid = DatumGetFullTransactionId(values[CEC_LOG_XID]);
	eraser->whole = cec_leaf_content(&eraser->maker, values, slot->tts_isnull, &eraser->content);
	cec_leaf_make(&eraser->maker, values, slot->tts_isnull, &eraser->content, &eraser->leaf);
}

/* Whether the row gives the leaf that was sealed.  Error: 55000 when none was. */
static bool
is_as_sealed(Eraser *eraser)
{
	CecStoredTree *stored = palloc(sizeof(CecStoredTree));
	CecHash sealed;

	cec_stored_tree_begin(stored, eraser->portfolio, eraser->maker.hasher);
	cec_stored_tree_leaf(stored, cec_stored_tree_find_leaf(stored, eraser->system_id, eraser->xid, eraser->audit_id),
						 &sealed);
	pfree(stored);
	return eraser->whole && cec_hash_equal(&eraser->leaf, &sealed);
}

static void
check_row(Eraser *eraser)
{
	cec_leaf_begin(&eraser->maker, cec_hasher_begin());
	cec_audit_read_row(eraser->portfolio, eraser->audit_id, take_row, eraser);
	if (!eraser->found)
		ereport(ERROR, (errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
						errmsg("there is no row " INT64_FORMAT " in the audit log", eraser->audit_id),
						errhint("Gaps in audit_id are normal; verify_audit tells which rows are missing.")));
	if (eraser->erased)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("row " INT64_FORMAT " of the audit log is erased already", eraser->audit_id),
						errhint("See audit_erasure for who erased it, and why.")));
	if (eraser->is_erasure)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("row " INT64_FORMAT " of the audit log records an erasure", eraser->audit_id),
						errhint("Records of erasures are kept.")));
	if (!is_as_sealed(eraser))
		cec_stored_tree_refuse("The row is not what was sealed; to erase it would do away with the evidence.");
	cec_hasher_end(eraser->maker.hasher);
}

static void
record_erasure(Eraser *eraser, Datum ground)
{
	bytea *content = palloc(VARHDRSZ + CEC_HASH_LEN);
	Datum args[6];

	SET_VARSIZE(content, VARHDRSZ + CEC_HASH_LEN);
	memcpy(VARDATA(content), eraser->content.bytes, CEC_HASH_LEN);
	args[0] = Int64GetDatum(eraser->audit_id);
	args[1] = PointerGetDatum(content);
	args[2] = TimestampTzGetDatum(GetCurrentTimestamp());
	args[3] = CStringGetTextDatum(cec_audit_actor());
	args[4] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	args[5] = ground;
	SPI_connect();
	cec_query_run(eraser->portfolio->plans, &insert_erasure, args, NULL, 0);
	SPI_finish();
}

/* Finds the table and the place in it that hold the row. */
static Oid
find_place(Eraser *eraser, ItemPointer tid)
{
	Datum key = Int64GetDatum(eraser->audit_id);
	Oid relid = InvalidOid;
	bool null;

	SPI_connect();
	if (cec_query_read(eraser->portfolio->plans, &place_of_row, &key, NULL) > 0)
	{
		relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null));
		*tid = *(ItemPointer) DatumGetPointer(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &null));
	}
	SPI_finish();
	return relid;
}

static void
clear_row(Eraser *eraser, Snapshot snapshot)
{
	ItemPointerData tid;
	Relation rel = table_open(find_place(eraser, &tid), RowExclusiveLock); /* the checked log, or a leaf of it */
	AttrNumber salt = cec_column_require_nullable(rel, "salt", BYTEAOID);
	AttrNumber image = cec_column_require_nullable(rel, "row_image", BYTEAOID);
	TupleTableSlot *old = table_slot_create(rel, NULL);
	TupleTableSlot *new = table_slot_create(rel, NULL);
	CecReplacer *replacer;
	int columns = RelationGetDescr(rel)->natts;

	if (!cec_replace_fetch(rel, &tid, snapshot, old))
		elog(ERROR, "a row of the audit log is gone");
	ExecClearTuple(new);
	memcpy(new->tts_values, old->tts_values, columns * sizeof(Datum));
	memcpy(new->tts_isnull, old->tts_isnull, columns * sizeof(bool));
	cec_slot_set_null(new, salt);
	cec_slot_set_null(new, image);
	ExecStoreVirtualTuple(new);
	ExecMaterializeSlot(new);
	replacer = cec_replace_begin(rel);
	cec_replace_row(replacer, &tid, snapshot, new, "The row of the audit log was changed by another transaction.");
	cec_replace_end(replacer);
	ExecDropSingleTupleTableSlot(new);
	ExecDropSingleTupleTableSlot(old);
	table_close(rel, NoLock);
}

/* cec._erase_audit(portfolio, audit_id, ground) */
Datum
cec_erase_audit(PG_FUNCTION_ARGS)
{
	Eraser eraser = {0};
	text *ground = PG_GETARG_TEXT_PP(2);
	CecActAs act;
	Snapshot snapshot;

	if (VARSIZE_ANY_EXHDR(ground) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("no ground is given for the erasure"),
						errhint("Say why; it will be kept in audit_erasure.")));
	cec_portfolio_pin();
	eraser.portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	check_right(eraser.portfolio);
	eraser.audit_id = PG_GETARG_INT64(1);
	cec_audit_begin(eraser.portfolio, &act, "erase rows of");
	/* The gate first, as every writer does; whoever erased the row meanwhile is then to be seen. */
	cec_portfolio_lock_gate(PG_GETARG_OID(0), RowExclusiveLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	PushActiveSnapshot(snapshot);
	check_row(&eraser);
	record_erasure(&eraser, PointerGetDatum(ground));
	clear_row(&eraser, snapshot);
	PopActiveSnapshot();
	UnregisterSnapshot(snapshot);
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	PG_RETURN_VOID();
}
