/*
 * finding_event.c
 *		Tells other systems of errors that were found, and of those that are mended: the events finding.opened and finding.closed.
 *
 * One event of a type, kind and contract, however many findings were written together; the first hundred are named in it.
 *
 * Of what opens and closes in one transaction nothing is told: what is closed is taken out of the event that told of it, which nobody
 * has seen yet.  So it is remembered which findings this transaction has opened, and which event told of each.
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
#include "init.h"
#include "support/grow.h"

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
	IS_TOLD
};

/* What is told of a kind and contract. */
typedef struct Told
{
	const char *kind;
	int64 contract_id; /* 0: none */
	const char *contract_number;
	int64 count;
	const char *id; /* of the event, where it is remembered */
	StringInfoData findings;
} Told;

/* Findings that this transaction has opened, from one key to another. */
typedef struct Opened
{
	Oid portfolio;
	int64 first_id;
	int64 last_id;
	const char *event_id; /* that told of them; NULL: none did, they were waived */
} Opened;

/* What is taken out of an event. */
typedef struct TakenBack
{
	const char *event_id;
	CecIds findings;
} TakenBack;

/* They live as long as the transaction, in TopTransactionContext; forget_at_end lets go of them. */
static Opened *opened = NULL;
static int64 opened_count = 0;
static int64 opened_space = 0;
static bool is_in_order = true;

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
forget_at_end(XactEvent event, void *arg)
{
	opened = NULL;
	opened_count = 0;
	opened_space = 0;
	is_in_order = true;
}

/* Registers with the transaction machinery; called once when the library is loaded. */
void
cec_finding_event_init(void)
{
	RegisterXactCallback(forget_at_end, NULL);
}

static int
compare_opened(const void *one, const void *other)
{
	const Opened *a = one;
	const Opened *b = other;

	if (a->portfolio != b->portfolio)
		return a->portfolio < b->portfolio ? -1 : 1;
	return a->last_id < b->first_id ? -1 : a->first_id > b->last_id;
}

static void
remember(const CecPortfolio *portfolio, int64 finding_id, const char *event_id)
{
	Opened one = {portfolio->nspid, finding_id, finding_id, event_id};
	Opened *last = opened_count == 0 ? NULL : &opened[opened_count - 1];

	if (last != NULL && last->portfolio == one.portfolio && last->event_id == event_id &&
		last->last_id == finding_id - 1)
	{
		last->last_id = finding_id;
		return;
	}
	/* A trigger on finding may have opened others meanwhile. */
	if (last != NULL && compare_opened(last, &one) > 0)
		is_in_order = false;
	CEC_MAKE_ROOM_IN(TopTransactionContext, opened, opened_count, opened_space, 4);
	opened[opened_count++] = one;
}

/* Whether this transaction has opened a finding, and with which others; NULL: it was there before. */
static const Opened *
find_opened(const CecPortfolio *portfolio, int64 finding_id)
{
	Opened one = {portfolio->nspid, finding_id, finding_id};

	if (opened_count == 0)
		return NULL;
	if (!is_in_order)
		qsort(opened, opened_count, sizeof(Opened), compare_opened);
	is_in_order = true;
	return bsearch(&one, opened, opened_count, sizeof(Opened), compare_opened);
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
	bool is_told; /* nobody waives it */
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
	Datum is_told = SPI_getbinval(tuple, desc, IS_TOLD, &isnull);
	Row row = {id_at(tuple, FINDING_ID),
			   SPI_getvalue(tuple, desc, KIND),
			   id_at(tuple, ASSET_ID),
			   id_at(tuple, CONTRACT_ID),
			   SPI_getvalue(tuple, desc, CONTRACT_NUMBER),
			   SPI_getvalue(tuple, desc, SUBJECT),
			   SPI_getvalue(tuple, desc, MESSAGE),
			   !isnull && DatumGetBool(is_told)};

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

	if (++told->count > CEC_EVENT_SUBJECTS)
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

static void
add_events(CecPortfolio *portfolio, CecOutbox *outbox, const List *all, const char *type)
{
	ListCell *cell;

	foreach (cell, all)
	{
		const Told *told = lfirst(cell);

		add_event(portfolio, outbox, told, type, told->id);
	}
}

/*
 * Adds events of what was opened: the rows of SPI_tuptable, as finding_write.c makes them.  Where the caller's memory is, the outbox is: in
 * the context in which he has connected.
 */
void
cec_finding_tell_opened(CecPortfolio *portfolio, CecOutbox *outbox)
{
	MemoryContext old = MemoryContextSwitchTo(outbox->cxt);
	List *all = NIL;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Row row;
		Told *told;

		CHECK_FOR_INTERRUPTS();
		row = read_row(SPI_tuptable->vals[i]);
		if (!row.is_told)
		{
			remember(portfolio, row.finding_id, NULL);
			continue;
		}
		told = find_told(&all, &row);
		if (told->id == NULL)
			told->id = MemoryContextStrdup(TopTransactionContext, draw_id());
		remember(portfolio, row.finding_id, told->id);
		add_finding(told, &row);
	}
	add_events(portfolio, outbox, all, "finding.opened");
	MemoryContextSwitchTo(old);
}

/* Has a finding taken out of an event.  What was opened together comes together. */
static void
add_taken_back(List **all, const char *event_id, int64 finding_id)
{
	TakenBack *taken = *all == NIL ? NULL : llast(*all);
	ListCell *cell;

	if (taken == NULL || taken->event_id != event_id)
	{
		taken = NULL;
		foreach (cell, *all)
			if (((TakenBack *) lfirst(cell))->event_id == event_id)
				taken = lfirst(cell);
	}
	if (taken == NULL)
	{
		taken = palloc0(sizeof(TakenBack));
		taken->event_id = event_id;
		*all = lappend(*all, taken);
	}
	cec_ids_add(&taken->findings, finding_id);
}

/* The same of what was closed; what this transaction has opened itself is taken back. */
void
cec_finding_tell_closed(CecPortfolio *portfolio, CecOutbox *outbox)
{
	MemoryContext old = MemoryContextSwitchTo(outbox->cxt);
	List *all = NIL;
	List *taken_back = NIL;
	ListCell *cell;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Row row;
		const Opened *own;

		CHECK_FOR_INTERRUPTS();
		row = read_row(SPI_tuptable->vals[i]);
		own = find_opened(portfolio, row.finding_id);
		if (own == NULL && row.is_told)
			add_finding(find_told(&all, &row), &row);
		else if (own != NULL && own->event_id != NULL)
			add_taken_back(&taken_back, own->event_id, row.finding_id);
	}
	add_events(portfolio, outbox, all, "finding.closed");
	foreach (cell, taken_back)
	{
		const TakenBack *taken = lfirst(cell);
		Datum args[2] = {CStringGetTextDatum(taken->event_id), cec_ids_as_array(&taken->findings)};

		cec_query_run(portfolio->plans, &take_back, args, NULL, 0);
	}
	MemoryContextSwitchTo(old);
}
