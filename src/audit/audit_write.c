/*
 * audit_write.c
 *		Writes one audit_log row for each row that a statement changed, and what the statement changed in cover.
 *
 * The encoding of rows is what an audit trail costs, so it is done here and compactly (src/audit/README.md has it byte
 * by byte), and rows go in as COPY would write them (heap_write.c).  Who acted is read from the session before anything
 * is written; the trigger has already switched to the owner, who the session user is is not changed by that.
 *
 * A log that is partitioned is written through the executor, which finds the partition.
 */
#include "postgres.h"

#include "init.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inet.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "audit/audit.h"
#include "audit/audit_columns.h"
#include "audit/audit_delta.h"
#include "audit/audit_log.h"
#include "support/column.h"
#include "support/compat.h"
#include "support/heap_write.h"
#include "support/slot.h"

PG_FUNCTION_INFO_V1(cec_actor);

static char *actor_setting = NULL;
static char *reason_setting = NULL;

static const char *const operation_name[] = {"INSERT", "UPDATE", "DELETE", "REFRESH", "RECOMPUTE"};

static const CecQuery contract_of_amendment = {"SELECT contract_id::bigint FROM @P@.amendment WHERE amendment_id = $1",
											   1,
											   {INT8OID},
											   CURSOR_OPT_GENERIC_PLAN,
											   .results = {INT8OID}};

/* In the order of CecLogColumn. */
static const CecQuery insert_log_row = {
	"INSERT INTO @P@.audit_log (audit_id, xid, system_id, at, actor, session_user_name, application_name, client_addr,"
	" reason, table_name, operation, row_id, asset_id, term_id, contract_id, salt, row_image, delta)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
	CEC_LOG_COLUMNS, CEC_LOG_COLUMN_TYPES, CURSOR_OPT_GENERIC_PLAN};

/* Whose contract it is. */
typedef struct ContractKey
{
	int64 id; /* of the term or amendment */
	uint64 is_amendment;
} ContractKey;

typedef struct FoundContract
{
	ContractKey key;
	bool is_read;
	int64 contract_id; /* 0 when there is none */
} FoundContract;

/* What one statement's rows have in common, and what is reused from row to row. */
typedef struct LogWriter
{
	CecPortfolio *portfolio;
	CecAuditColumns *columns; /* NULL for entries of the engine's own */
	CecDeltaWriter delta;
	Relation log;
	CecLogShape shape; /* our own: user code may write to another portfolio's log between two rows */
	CecAppender *appender;
	Datum values[CEC_LOG_COLUMNS];
	bool isnull[CEC_LOG_COLUMNS];
	StringInfoData image;
	int image_head;
	CecChange *change;	 /* NULL for entries of the engine's own */
	FoundContract first; /* asked for first, and mostly the only one */
	HTAB *contracts;	 /* of FoundContract, the others; NULL until there is one */
	MemoryContext row_cxt;
} LogWriter;

static void record_rows(CecChange *change);

/* Registers with the engine and defines the settings; called once when the library is loaded. */
void
cec_audit_init(void)
{
	DefineCustomStringVariable("cec.actor", "Who acts, for the audit log.",
							   "Empty: the subject of PostgREST's JWT claims, else the session user.", &actor_setting,
							   "", PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("cec.reason", "Why changes are made, for the audit log.", NULL, &reason_setting, "",
							   PGC_USERSET, 0, NULL, NULL, NULL);
	cec_change_register(CEC_STAGE_AUDIT, NULL, record_rows);
}

/* The subject that PostgREST was called by: request.jwt.claims, or the setting of its older versions; NULL if none. */
static char *
jwt_subject(void)
{
	const char *claims = GetConfigOption("request.jwt.claims", true, false);
	const char *subject = GetConfigOption("request.jwt.claim.sub", true, false);

	if (claims != NULL && claims[0] != '\0')
	{
		Jsonb *jsonb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(claims)));
		JsonbValue value;

		if (JB_ROOT_IS_OBJECT(jsonb) && getKeyJsonValueFromContainer(&jsonb->root, "sub", 3, &value) != NULL &&
			value.type == jbvString && value.val.string.len > 0)
			return pnstrdup(value.val.string.val, value.val.string.len);
	}
	return subject != NULL && subject[0] != '\0' ? pstrdup(subject) : NULL;
}

/* Who acts, as the application states it; else the session user. */
const char *
cec_audit_actor(void)
{
	const char *actor = actor_setting != NULL && actor_setting[0] != '\0' ? actor_setting : jwt_subject();

	return actor != NULL && actor[0] != '\0' ? actor : GetUserNameFromId(GetSessionUserId(), false);
}

/* cec._actor() */
Datum
cec_actor(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(cec_audit_actor()));
}

/* Why changes are made; NULL: nobody has said. */
const char *
cec_audit_reason(void)
{
	return reason_setting != NULL && reason_setting[0] != '\0' ? reason_setting : NULL;
}

static void
set_text(LogWriter *writer, CecLogColumn column, const char *text)
{
	writer->isnull[column] = text == NULL || text[0] == '\0';
	if (!writer->isnull[column])
		writer->values[column] = CStringGetTextDatum(text);
}

static void
set_client_addr(LogWriter *writer)
{
	LOCAL_FCINFO(fcinfo, 0);

	InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
	writer->values[CEC_LOG_CLIENT_ADDR] = inet_client_addr(fcinfo);
	writer->isnull[CEC_LOG_CLIENT_ADDR] = fcinfo->isnull;
}

/* What all rows of the statement say of transaction and session. */
static void
set_circumstances(LogWriter *writer, TimestampTz at, const char *table_name, const char *operation)
{
	char *session_user = GetUserNameFromId(GetSessionUserId(), false);

	writer->values[CEC_LOG_XID] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	writer->values[CEC_LOG_SYSTEM_ID] = Int64GetDatum((int64) GetSystemIdentifier());
	writer->values[CEC_LOG_AT] = TimestampTzGetDatum(at);
	set_text(writer, CEC_LOG_ACTOR, cec_audit_actor());
	set_text(writer, CEC_LOG_SESSION_USER_NAME, session_user);
	set_text(writer, CEC_LOG_APPLICATION_NAME, application_name);
	set_client_addr(writer);
	set_text(writer, CEC_LOG_REASON, cec_audit_reason());
	set_text(writer, CEC_LOG_TABLE_NAME, table_name);
	set_text(writer, CEC_LOG_OPERATION, operation);
}

/* Starts writing rows, of a table with these columns, or of the engine's own. */
static void
begin_writing(LogWriter *writer, CecPortfolio *portfolio, CecAuditColumns *columns, CecDelta *delta,
			  const char *table_name, const char *operation)
{
	memset(writer, 0, sizeof(LogWriter));
	writer->portfolio = portfolio;
	writer->columns = columns;
	writer->delta.delta = delta;
	writer->log = cec_portfolio_open_below(portfolio, "audit_log");
	cec_audit_log_shape(&writer->shape, writer->log);
	set_circumstances(writer, cec_delta_instant(delta, 0), table_name, operation);

	initStringInfo(&writer->image);
	appendStringInfoSpaces(&writer->image, VARHDRSZ);
	if (columns != NULL)
	{
		appendStringInfoChar(&writer->image, CEC_IMAGE_FORMAT);
		appendBinaryStringInfo(&writer->image, columns->hash, CEC_SCHEMA_HASH_LEN);
	}
	writer->image_head = writer->image.len;
	writer->isnull[CEC_LOG_DELTA] = true;
	writer->row_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec audit row", ALLOCSET_SMALL_SIZES);
	writer->appender = writer->log->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? NULL : cec_append_begin(writer->log);
}

static void
end_writing(LogWriter *writer)
{
	if (writer->appender != NULL)
		cec_append_end(writer->appender);
	table_close(writer->log, NoLock);
	MemoryContextDelete(writer->row_cxt);
}

/* Appends the columns to the image: all of them, or those that differ, old and new, behind a bitmap. */
static void
append_image(LogWriter *writer, TupleTableSlot *old_row, TupleTableSlot *new_row)
{
	CecAuditColumns *columns = writer->columns;
	StringInfo image = &writer->image;
	int bitmap;

	if (old_row == NULL || new_row == NULL)
	{
		TupleTableSlot *row = old_row != NULL ? old_row : new_row;

		for (int i = 0; i < columns->count; i++)
		{
			int at = columns->attnums[i] - 1;

			cec_canon_append_part(image, columns->types[i], row->tts_values[at], row->tts_isnull[at]);
		}
		return;
	}

	bitmap = image->len;
	for (int i = 0; i < (columns->count + 7) / 8; i++)
		appendStringInfoCharMacro(image, 0);
	for (int i = 0; i < columns->count; i++)
	{
		int at = columns->attnums[i] - 1;

		if (cec_rows_same_value(old_row, new_row, columns->attnums[i]))
			continue;
		image->data[bitmap + i / 8] |= 1 << (i % 8);
		cec_canon_append_part(image, columns->types[i], old_row->tts_values[at], old_row->tts_isnull[at]);
		cec_canon_append_part(image, columns->types[i], new_row->tts_values[at], new_row->tts_isnull[at]);
	}
}

static void
read_contract(LogWriter *writer, FoundContract *found)
{
	found->is_read = true;
	found->contract_id = 0;
	if (found->key.is_amendment)
	{
		Datum id = Int64GetDatum(found->key.id);
		bool isnull;

		SPI_connect();
		if (cec_query_run(writer->portfolio->plans, &contract_of_amendment, &id, NULL, 1) > 0)
			found->contract_id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		SPI_finish();
	}
	else
	{
		const CecLook *terms = cec_reading_look(cec_change_reading(writer->change), &cec_source_term);
		TupleTableSlot *row = cec_probe_row(terms->probe, found->key.id);

		if (row != NULL)
			found->contract_id = DatumGetInt64(cec_look_value(terms, row, CEC_TERM_CONTRACT_ID));
	}
}

/* The contract of a term or of an amendment, asked once a statement; 0 when there is none. */
static int64
find_contract(LogWriter *writer, int64 id, bool is_amendment)
{
	bool found;
	ContractKey key = {id, is_amendment};
	FoundContract *entry = &writer->first;

	if (!entry->is_read)
	{
		entry->key = key;
		read_contract(writer, entry);
	}
	if (entry->key.id == id && entry->key.is_amendment == is_amendment)
		return entry->contract_id;
	if (writer->contracts == NULL)
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(ContractKey);
		ctl.entrysize = sizeof(FoundContract);
		ctl.hcxt = GetMemoryChunkContext(writer->image.data);
		writer->contracts = hash_create("cec contracts", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(writer->contracts, &key, HASH_ENTER, &found);
	if (!found)
		read_contract(writer, entry);
	return entry->contract_id;
}

/* The contract of a row that does not name it: that of its term, or of its amendment. */
static void
set_contract(LogWriter *writer, TupleTableSlot *row)
{
	AttrNumber amendment_id = writer->columns->amendment_id;
	int64 contract_id = 0;

	if (!writer->isnull[CEC_LOG_TERM_ID])
		contract_id = find_contract(writer, DatumGetInt64(writer->values[CEC_LOG_TERM_ID]), false);
	else if (amendment_id != InvalidAttrNumber && !cec_slot_isnull(row, amendment_id))
		contract_id = find_contract(writer, cec_slot_int8(row, amendment_id), true);
	writer->isnull[CEC_LOG_CONTRACT_ID] = contract_id == 0;
	writer->values[CEC_LOG_CONTRACT_ID] = Int64GetDatum(contract_id);
}

static void
set_reference(LogWriter *writer, CecLogColumn column, TupleTableSlot *row, AttrNumber attnum)
{
	writer->isnull[column] = attnum == InvalidAttrNumber || cec_slot_isnull(row, attnum);
	if (!writer->isnull[column])
		writer->values[column] = cec_slot_value(row, attnum);
}

static void
write_through_executor(LogWriter *writer)
{
	char nulls[CEC_LOG_COLUMNS + 1] = {0};

	for (int i = 0; i < CEC_LOG_COLUMNS; i++)
		nulls[i] = writer->isnull[i] ? 'n' : ' ';
	SPI_connect();
	cec_query_run(writer->portfolio->plans, &insert_log_row, writer->values, nulls, 0);
	SPI_finish();
}

static void
write_values(LogWriter *writer)
{
	TupleTableSlot *slot;

	if (writer->appender == NULL)
	{
		write_through_executor(writer);
		return;
	}
	slot = cec_append_slot(writer->appender);
	for (int i = 0; i < CEC_LOG_COLUMNS; i++)
		if (!writer->isnull[i])
			cec_slot_set(slot, writer->shape.attnums[i], writer->values[i]);
	cec_append_row(writer->appender);
}

/* Writes the row with a salt and the image as it is. */
static void
write_image(LogWriter *writer)
{
	union
	{
		bytea header;
		char space[VARHDRSZ + CEC_SALT_LEN];
	} salt;

	SET_VARSIZE(writer->image.data, writer->image.len);
	writer->values[CEC_LOG_ROW_IMAGE] = PointerGetDatum(writer->image.data);
	SET_VARSIZE(&salt.header, sizeof(salt.space));
	cec_audit_draw_salt(VARDATA(&salt.header));
	writer->values[CEC_LOG_SALT] = PointerGetDatum(&salt.header);
	write_values(writer);
}

/* Puts the next piece of the delta into the row that is written next; false when there is none. */
static bool
take_delta(LogWriter *writer)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	appendStringInfoSpaces(&bytes, VARHDRSZ);
	writer->isnull[CEC_LOG_DELTA] = !cec_delta_write(&writer->delta, &bytes);
	SET_VARSIZE(bytes.data, bytes.len);
	writer->values[CEC_LOG_DELTA] = PointerGetDatum(bytes.data);
	return !writer->isnull[CEC_LOG_DELTA];
}

static void
record_row(LogWriter *writer, TupleTableSlot *old_row, TupleTableSlot *new_row)
{
	CecAuditColumns *columns = writer->columns;
	TupleTableSlot *row = new_row != NULL ? new_row : old_row;

	if (old_row != NULL)
		slot_getallattrs(old_row);
	if (new_row != NULL)
		slot_getallattrs(new_row);

	writer->values[CEC_LOG_AUDIT_ID] = Int64GetDatum(nextval_internal(writer->shape.sequence, false));
	set_reference(writer, CEC_LOG_ROW_ID, row, columns->row_id);
	set_reference(writer, CEC_LOG_ASSET_ID, row, columns->asset_id);
	set_reference(writer, CEC_LOG_TERM_ID, row, columns->term_id);
	set_reference(writer, CEC_LOG_CONTRACT_ID, row, columns->contract_id);
	if (columns->contract_id == InvalidAttrNumber)
		set_contract(writer, row);

	writer->image.len = writer->image_head;
	append_image(writer, old_row, new_row);
	write_image(writer);
}

/*
 * Writes what changed in cover as entries of the engine's own, which speak of no row: their image is empty.  The operation
 * says whose doing it was.  Nothing is written when nothing changed.
 */
static void
record_delta(CecPortfolio *portfolio, CecDelta *delta, const char *operation)
{
	int pieces = cec_delta_pieces(delta);
	LogWriter *writer;

	if (pieces == 0)
		return;
	writer = palloc(sizeof(LogWriter));
	begin_writing(writer, portfolio, NULL, delta, "coverage", operation);
	writer->isnull[CEC_LOG_ASSET_ID] = true;
	writer->isnull[CEC_LOG_TERM_ID] = true;
	writer->isnull[CEC_LOG_CONTRACT_ID] = true;
	writer->values[CEC_LOG_ROW_ID] = Int64GetDatum(0);
	for (int i = 0; i < pieces; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(writer->row_cxt);

		take_delta(writer);
		writer->values[CEC_LOG_AUDIT_ID] = Int64GetDatum(nextval_internal(writer->shape.sequence, false));
		write_image(writer);
		MemoryContextSwitchTo(old);
		MemoryContextReset(writer->row_cxt);
	}
	end_writing(writer);
	pfree(writer);
}

/* Handler of the audit stage. */
static void
record_rows(CecChange *change)
{
	LogWriter *writer;
	CecAuditColumns *columns;
	CecRows rows;
	int64 count;
	bool within; /* the delta of one row's statement goes into that row's entry */

	if (change->rel == NULL)
		record_delta(change->portfolio, &change->delta, operation_name[change->operation]);
	if (cec_change_is_empty(change))
		return;
	count = tuplestore_tuple_count(change->new_rows != NULL ? change->new_rows : change->old_rows);
	within = count == 1 && cec_delta_pieces(&change->delta) == 1;
	columns = cec_audit_columns_get(change);
	cec_audit_columns_record(columns, change);
	writer = palloc(sizeof(LogWriter));
	begin_writing(writer, change->portfolio, columns, &change->delta, change->table_name,
				  operation_name[change->operation]);
	writer->change = change;
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		MemoryContext old = MemoryContextSwitchTo(writer->row_cxt);

		if (within)
			take_delta(writer);
		record_row(writer, rows.old_row, rows.new_row);
		MemoryContextSwitchTo(old);
		MemoryContextReset(writer->row_cxt);
	}
	cec_rows_end(&rows);
	end_writing(writer);
	pfree(writer);
	if (!within)
		record_delta(change->portfolio, &change->delta, "COVER");
}
