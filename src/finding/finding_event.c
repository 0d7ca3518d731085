/*
 * finding_event.c
 *		Tells other systems of errors that were found, and of those that are mended: the events finding.opened and finding.closed.
 *
 * One event of a type, kind and contract, however many findings were written together; the first hundred are named in it.
 *
 * Of what opens and closes in one transaction nothing is told: what is closed is taken out of the event that told of it, which nobody
 * has seen yet.  So it is remembered which events this transaction has written, and of which findings.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "finding/finding_event.h"

/* The columns of what was written (finding_write.c). */
enum
{
	FINDING_ID = 1,
	KIND,
	ASSET_ID,
	CONTRACT_ID,
	CONTRACT_NUMBER,
	SUBJECT,
	MESSAGE,
	BORN
};

/* What is told of a kind and contract. */
typedef struct Told
{
	const char *kind;
	int64 contract_id; /* 0: none */
	const char *contract_number;
	int64 count;
	int64 first_id; /* of the findings */
	int64 last_id;
	StringInfoData findings;
	CecIds taken_back; /* findings of this transaction that have closed */
} Told;

/* An event of this transaction: findings of the kind and contract, from one key to another. */
typedef struct Remembered
{
	char *id;
	char *kind;
	int64 contract_id;
	int64 first_id;
	int64 last_id;
} Remembered;

/* Lives as long as the transaction, in TopTransactionContext. */
static List *remembered = NIL;
static TimestampTz remembered_of = 0;

/* Takes findings out of an event; an event that tells of none any more is none. */
static const CecQuery take_back = {
	"WITH less AS (UPDATE @P@.outbox o SET payload = o.payload || jsonb_build_object('count', (o.payload ->> 'count')::bigint"
	" - cardinality($2::bigint[]), 'findings', (SELECT coalesce(jsonb_agg(e), '[]') FROM jsonb_array_elements(o.payload -> 'findings') AS e"
	" WHERE NOT (e ->> 'finding_id')::bigint = ANY ($2)))"
	" WHERE o.id = $1::uuid AND (o.payload ->> 'count')::bigint > cardinality($2) RETURNING o.id)"
	" DELETE FROM @P@.outbox o WHERE o.id = $1::uuid AND NOT EXISTS (SELECT FROM less)",
	2,
	{TEXTOID, INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN};

static void
forget_others(void)
{
	if (remembered_of != GetCurrentTransactionStartTimestamp())
		remembered = NIL;
	remembered_of = GetCurrentTransactionStartTimestamp();
}

static void
remember(const char *id, const Told *told)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Remembered *event = palloc(sizeof(Remembered));

	*event = (Remembered){pstrdup(id), pstrdup(told->kind), told->contract_id, told->first_id, told->last_id};
	remembered = lappend(remembered, event);
	MemoryContextSwitchTo(old);
}

static char *
draw_id(void)
{
	pg_uuid_t uuid;

	if (!pg_strong_random(uuid.data, UUID_LEN))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	uuid.data[6] = (uuid.data[6] & 0x0f) | 0x40;
	uuid.data[8] = (uuid.data[8] & 0x3f) | 0x80;
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&uuid)));
}

/* A row of what was written, in the memory context of the caller. */
typedef struct Row
{
	int64 finding_id;
	char *kind;
	int64 asset_id;
	int64 contract_id;
	char *contract_number;
	char *subject;
	char *message;
	bool is_own; /* of a closed one: opened by this transaction */
} Row;

static int64
id_at(HeapTuple tuple, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(tuple, SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static Row
read_row(HeapTuple tuple)
{
	TupleDesc desc = SPI_tuptable->tupdesc;
	bool isnull;
	Datum born = SPI_getbinval(tuple, desc, BORN, &isnull);
	Row row = {id_at(tuple, FINDING_ID),
			   SPI_getvalue(tuple, desc, KIND),
			   id_at(tuple, ASSET_ID),
			   id_at(tuple, CONTRACT_ID),
			   SPI_getvalue(tuple, desc, CONTRACT_NUMBER),
			   SPI_getvalue(tuple, desc, SUBJECT),
			   SPI_getvalue(tuple, desc, MESSAGE),
			   !isnull && TransactionIdIsCurrentTransactionId(DatumGetTransactionId(born))};

	return row;
}

/* Kinds and contracts are few in one statement, or come one behind the other. */
static Told *
find_told(List **all, const Row *row)
{
	Told *told;
	ListCell *cell;

	foreach (cell, *all)
	{
		told = lfirst(cell);
		if (told->contract_id == row->contract_id && strcmp(told->kind, row->kind) == 0)
			return told;
	}
	told = palloc0(sizeof(Told));
	told->kind = row->kind;
	told->contract_id = row->contract_id;
	told->contract_number = row->contract_number;
	initStringInfo(&told->findings);
	*all = lappend(*all, told);
	return told;
}

static void
add_finding(Told *told, const Row *row)
{
	StringInfo json = &told->findings;

	if (told->count++ == 0)
		told->first_id = row->finding_id;
	told->last_id = row->finding_id;
	if (told->count > CEC_EVENT_SUBJECTS)
		return;
	if (told->count > 1)
		appendStringInfoString(json, ", ");
	appendStringInfo(json, "{\"finding_id\": " INT64_FORMAT ", \"asset_id\": ", row->finding_id);
	if (row->asset_id == 0)
		appendStringInfoString(json, "null");
	else
		appendStringInfo(json, INT64_FORMAT, row->asset_id);
	appendStringInfoString(json, ", \"subject\": ");
	escape_json(json, row->subject);
	appendStringInfoString(json, ", \"message\": ");
	escape_json(json, row->message);
	appendStringInfoChar(json, '}');
}

static void
add_event(CecPortfolio *portfolio, CecOutbox *outbox, const Told *told, const char *type, const char *id)
{
	CecEvent event = {"portfolio", get_namespace_name(portfolio->nspid), type, NULL, id};
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoString(&json, "{\"kind\": ");
	escape_json(&json, told->kind);
	appendStringInfoString(&json, ", \"severity\": \"error\"");
	if (told->contract_id != 0)
	{
		event.aggregate_type = "contract";
		event.aggregate_id = psprintf(INT64_FORMAT, told->contract_id);
		appendStringInfo(&json, ", \"contract_id\": %s, \"contract_number\": ", event.aggregate_id);
		if (told->contract_number == NULL)
			appendStringInfoString(&json, "null");
		else
			escape_json(&json, told->contract_number);
	}
	appendStringInfo(&json, ", \"count\": " INT64_FORMAT ", \"findings\": [%s]}", told->count, told->findings.data);
	event.payload = json.data;
	cec_outbox_add(outbox, &event);
}

/* Goes through the rows of SPI_tuptable in the context given; what this transaction has opened itself is set apart. */
static List *
gather(MemoryContext cxt)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);
	List *all = NIL;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Row row;
		Told *told;

		CHECK_FOR_INTERRUPTS();
		row = read_row(SPI_tuptable->vals[i]);
		told = find_told(&all, &row);
		if (row.is_own)
			cec_ids_add(&told->taken_back, row.finding_id);
		else
			add_finding(told, &row);
	}
	MemoryContextSwitchTo(old);
	return all;
}

/*
 * Adds events of what was opened: the rows of SPI_tuptable, as finding_write.c makes them.  Where the caller's memory is, the outbox is: in
 * the context in which he has connected.
 */
void
cec_finding_tell_opened(CecPortfolio *portfolio, CecOutbox *outbox)
{
	MemoryContext cxt = outbox->cxt;
	MemoryContext old;
	List *all;
	ListCell *cell;

	if (SPI_processed == 0)
		return;
	all = gather(cxt);
	forget_others();
	old = MemoryContextSwitchTo(cxt);
	foreach (cell, all)
	{
		Told *told = lfirst(cell);
		char *id = draw_id();

		remember(id, told);
		add_event(portfolio, outbox, told, "finding.opened", id);
	}
	MemoryContextSwitchTo(old);
}

/* Takes what was opened in this transaction out of the events that told of it. */
static void
take_back_opened(CecPortfolio *portfolio, const Told *told)
{
	ListCell *cell;

	forget_others();
	foreach (cell, remembered)
	{
		const Remembered *event = lfirst(cell);
		CecIds ids = {0};
		Datum args[2];

		if (event->contract_id != told->contract_id || strcmp(event->kind, told->kind) != 0)
			continue;
		for (int64 i = 0; i < told->taken_back.count; i++)
			if (told->taken_back.ids[i] >= event->first_id && told->taken_back.ids[i] <= event->last_id)
				cec_ids_add(&ids, told->taken_back.ids[i]);
		if (ids.count == 0)
			continue;
		args[0] = CStringGetTextDatum(event->id);
		args[1] = cec_ids_as_array(&ids);
		cec_query_run(portfolio->plans, &take_back, args, NULL, 0);
	}
}

/* The same of what was closed. */
void
cec_finding_tell_closed(CecPortfolio *portfolio, CecOutbox *outbox)
{
	MemoryContext old;
	List *all;
	ListCell *cell;

	if (SPI_processed == 0)
		return;
	all = gather(outbox->cxt);
	old = MemoryContextSwitchTo(outbox->cxt);
	foreach (cell, all)
	{
		const Told *told = lfirst(cell);

		if (told->count > 0)
			add_event(portfolio, outbox, told, "finding.closed", NULL);
		if (told->taken_back.count > 0)
			take_back_opened(portfolio, told);
	}
	MemoryContextSwitchTo(old);
}
