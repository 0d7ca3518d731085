/*
 * replay.c
 *		cec._verify_replay: whether the tables hold what the log says they hold.
 *
 * The log is not replayed in its order, which may be wrong for changes of one row (a user's trigger may change the row
 * again before the first change is written), but added up.  Of one column of one row, the values that entries brought,
 * less those that entries took away, leave what is there now: each value between is once new and once old.  So hashes
 * of values are added and subtracted, over the log and over the tables in one pass each, and what remains must be zero.
 * The hash is keyed, with a new key each time (keyed_sum.c).
 *
 * Sums of a row meet by sorting (replay_sum.c): memory stays within work_mem, however large the log.  Rows that do
 * not come out at zero, and only they, are looked at again, value by value (replay_look.c).
 *
 * Locks: as readers take them, on the tables, to the end of the transaction.  One snapshot, taken after the locks.  Acts
 * as the owner, who sees all rows; the caller must be allowed to read the log.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "audit/audit_scan.h"
#include "replay/replay.h"
#include "support/act_as.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_verify_replay);

#define ROWS_AT_ONCE 1000

/* An entry being added up. */
typedef struct EntryReader
{
	CecReplay *replay;
	CecReplayTable *table;
	int64 audit_id;
	int64 row_id;
	bool key_changed;
	int64 old_key;
	CecSum sum;
	int nvalues;
	CecReplayItem *values; /* of columns that not all entries have */
} EntryReader;

static bool
read_key(const CecReplayPart *part, int64 *key)
{
	uint64 value = 0;

	if (part == NULL || part->bytes == NULL || part->length != sizeof(int64))
		return false;
	for (int i = 0; i < (int) sizeof(int64); i++)
		value = value << 8 | (unsigned char) part->bytes[i];
	*key = (int64) value;
	return true;
}

/* Visitor: adds a value to the row's sum, or notes it as an item of its own. */
static void
add_value(void *state, int column, const CecReplayPart *old_part, const CecReplayPart *new_part)
{
	EntryReader *reader = state;
	CecReplayItem *item;
	CecSum old_hash = {0, 0};
	CecSum sum = {0, 0};
	int64 since = reader->table->columns[column].since;

	if (old_part != NULL && new_part != NULL && column == reader->table->key)
		reader->key_changed = read_key(old_part, &reader->old_key);
	if (reader->audit_id <= since)
		return;
	if (new_part != NULL)
		sum = cec_replay_hash(reader->replay, column, new_part);
	if (old_part != NULL)
	{
		old_hash = cec_replay_hash(reader->replay, column, old_part);
		cec_sum_subtract(&sum, old_hash);
	}
	if (since == 0)
	{
		cec_sum_add(&reader->sum, sum);
		return;
	}
	item = &reader->values[reader->nvalues++];
	item->table = reader->table->number;
	item->row_id = reader->row_id;
	item->column = column;
	item->flags = old_part == NULL ? CEC_REPLAY_INSERT : CEC_REPLAY_OLD | (new_part == NULL ? CEC_REPLAY_DELETE : 0);
	item->sum = sum;
	item->old = old_hash;
}

/* audit_id, table_name, operation, row_id, row_image */
static void
add_entry(CecReplay *replay, HeapTuple tuple, TupleDesc desc)
{
	Datum values[5];
	bool isnull[5];
	CecReplayTable *table;
	CecOperation operation;
	EntryReader reader = {0};
	CecReplayItem item = {0};
	const char *trouble = NULL;

	heap_deform_tuple(tuple, desc, values, isnull);
	table = cec_replay_table(replay, TextDatumGetCString(values[1]));
	if (table == NULL)
		return; /* no table can have that name, and nothing is missing from none */
	if (table->key < 0)
	{
		table->lost_entries++;
		return;
	}

	reader.replay = replay;
	reader.table = table;
	reader.audit_id = DatumGetInt64(values[0]);
	reader.row_id = DatumGetInt64(values[3]);
	reader.values = palloc(table->count * sizeof(CecReplayItem));
	item.table = table->number;
	item.row_id = reader.row_id;
	item.column = -1;
	if (!cec_replay_operation(TextDatumGetCString(values[2]), &operation))
	{
		operation = CEC_UPDATE;
		trouble = "its operation is not known";
	}
	else if (isnull[4])
		item.flags |= CEC_REPLAY_ERASED;
	else
		trouble = cec_replay_read(replay, table, operation, DatumGetByteaPP(values[4]), add_value, &reader);

	if (operation == CEC_INSERT)
		item.flags |= CEC_REPLAY_INSERT;
	else if (operation == CEC_DELETE)
		item.flags |= CEC_REPLAY_DELETE;
	if (trouble != NULL)
	{
		item.flags |= CEC_REPLAY_UNREADABLE;
		cec_replay_report(replay, table, "UNREADABLE", &reader.row_id, NULL,
						  psprintf("Entry " INT64_FORMAT " cannot be read: %s.", reader.audit_id, trouble));
	}
	else
	{
		item.sum = reader.sum;
		for (int i = 0; i < reader.nvalues; i++)
			cec_replay_put(replay, &reader.values[i]);
		if (reader.key_changed && reader.old_key != reader.row_id)
			cec_replay_link(replay, table->number, reader.old_key, reader.row_id);
	}
	cec_replay_put(replay, &item);
}

/* The values of a row that is there, with the opposite sign where they go into the row's sum. */
static void
add_present_row(CecReplay *replay, CecReplayTable *table, HeapTuple tuple, TupleDesc desc)
{
	Datum *values = palloc(table->count * sizeof(Datum));
	bool *isnull = palloc(table->count * sizeof(bool));
	CecReplayItem row = {0};
	StringInfoData bytes;

	heap_deform_tuple(tuple, desc, values, isnull);
	row.table = table->number;
	row.row_id = DatumGetInt64(values[table->key]);
	row.column = -1;
	row.flags = CEC_REPLAY_PRESENT;
	initStringInfo(&bytes);
	for (int i = 0; i < table->count; i++)
	{
		CecReplayPart part = {NULL, 0};
		CecSum hash;

		if (!isnull[i])
		{
			resetStringInfo(&bytes);
			cec_canon_append(&bytes, table->columns[i].type, values[i]);
			part.bytes = bytes.data;
			part.length = bytes.len;
		}
		hash = cec_replay_hash(replay, i, &part);
		if (table->columns[i].since == 0)
			cec_sum_subtract(&row.sum, hash);
		else
		{
			CecReplayItem item = row;

			item.column = i;
			item.sum = hash;
			cec_replay_put(replay, &item);
		}
	}
	cec_replay_put(replay, &row);
}

/* Reads all rows of a query, in the order in which they lie; table NULL: entries of the log. */
static void
add_all(CecReplay *replay, const char *query, CecReplayTable *table)
{
	Portal portal = SPI_cursor_open_with_args(NULL, query, 0, NULL, NULL, NULL, true, CURSOR_OPT_NO_SCROLL);

	for (;;)
	{
		SPI_cursor_fetch(portal, true, ROWS_AT_ONCE);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			MemoryContext old = MemoryContextSwitchTo(replay->row_cxt);

			if (table == NULL)
				add_entry(replay, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
			else
				add_present_row(replay, table, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
			MemoryContextSwitchTo(old);
			MemoryContextReset(replay->row_cxt);
		}
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_freetuptable(SPI_tuptable);
	SPI_cursor_close(portal);
}

/* What concerns a table as a whole. */
static void
report_table(CecReplay *replay, CecReplayTable *table)
{
	if (table->lost_entries > 0)
		cec_replay_report(
			replay, table, "MISSING", NULL, NULL,
			psprintf("The log has " INT64_FORMAT " entries of this table, and %s.", table->lost_entries,
					 OidIsValid(table->relid) ? "it has no bigint key to find rows by" : "there is no such table"));
	for (int i = 0; i < table->count; i++)
	{
		CecReplayColumn *column = &table->columns[i];

		if (column->left_out > 0)
			cec_replay_report(
				replay, table, "SCHEMA_CHANGED", NULL, column->name,
				psprintf("The table did not have this column, or had it with another type, up to entry " INT64_FORMAT
						 ": in " INT64_FORMAT " rows its value was not compared.",
						 column->since, column->left_out));
	}
}

static void
compare_all(CecReplay *replay)
{
	HASHCTL ctl = {0};

	ctl.keysize = NAMEDATALEN;
	ctl.entrysize = sizeof(CecReplayTable);
	ctl.hcxt = CurrentMemoryContext;
	replay->tables = hash_create("cec replayed tables", 32, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	ctl.keysize = CEC_SCHEMA_HASH_LEN;
	ctl.entrysize = sizeof(CecReplayList);
	replay->lists = hash_create("cec column lists", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	replay->row_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec replayed row", ALLOCSET_DEFAULT_SIZES);

	cec_replay_find_tables(replay);
	PushActiveSnapshot(GetLatestSnapshot());
	cec_replay_find_lists(replay);
	cec_replay_begin_sums(replay);
	add_all(replay,
			cec_replay_sql(replay, "SELECT audit_id, table_name, operation, row_id, row_image FROM @P@.audit_log"
								   " WHERE table_name <> 'coverage'"),
			NULL);
	for (int i = 0; i < replay->ntables; i++)
		if (replay->by_number[i]->key >= 0)
			add_all(replay, replay->by_number[i]->select, replay->by_number[i]);
	cec_replay_judge(replay);
	for (int i = 0; i < replay->ntables; i++)
		report_table(replay, replay->by_number[i]);
	PopActiveSnapshot();
}

/* cec._verify_replay(portfolio): rows (kind, table_name, row_id, column_name, detail). */
Datum
cec_verify_replay(PG_FUNCTION_ARGS)
{
	CecReplay replay = {0};
	CecActAs act;

	cec_audit_require_read_committed("verify_replay");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	replay.result = (ReturnSetInfo *) fcinfo->resultinfo;
	cec_portfolio_pin();
	replay.portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	replay.caller = GetUserId();
	replay.key = cec_sum_random_key();
	if (!cec_may_read_all(replay.caller, cec_portfolio_table(replay.portfolio, "audit_log")))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, "audit_log");

	cec_portfolio_act(&act, replay.portfolio);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	compare_all(&replay);
	SPI_finish();
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	return (Datum) 0;
}
