/*
 * outbox_write.c
 *		Writes events for other systems, in the transaction that made them true.
 *
 * Events are gathered while a statement is worked on and written together, in the order in which they were added, when all that
 * it changes is recorded: users may have triggers on the outbox.  Who acted, and why, stands in each as in the log.
 *
 * NOTIFY is sent where the portfolio's setting says so and nowhere else, since the server refuses PREPARE TRANSACTION behind it.
 * Whoever may connect may listen, so it says no more than the type.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/async.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

#include "init.h"
#include "audit/audit.h"
#include "outbox/outbox_write.h"

/* How many events are written by one statement: an array of texts has its limit. */
#define BATCH 1000

/* Each row says whether it is to be announced. */
#define RETURNING_NOTIFY " RETURNING (SELECT s.notify FROM @P@.setting s)"

static const CecQuery write_events = {
	"INSERT INTO @P@.outbox (aggregatetype, aggregateid, type, payload, id)"
	" SELECT e.aggregatetype, e.aggregateid, e.type, e.payload::jsonb, coalesce(nullif(e.id, '')::uuid, gen_random_uuid())"
	" FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])"
	"  AS e(aggregatetype, aggregateid, type, payload, id)" RETURNING_NOTIFY,
	5,
	{TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {BOOLOID}};

/* The same for one, as most statements have it. */
static const CecQuery write_event = {
	"INSERT INTO @P@.outbox (aggregatetype, aggregateid, type, payload, id)"
	" VALUES ($1, $2, $3, $4::jsonb, coalesce(nullif($5, '')::uuid, gen_random_uuid()))" RETURNING_NOTIFY,
	5,
	{TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {BOOLOID}};

static const char change_key;

/* Has an event written.  It is copied, its texts are not. */
void
cec_outbox_add(CecOutbox *outbox, const CecEvent *event)
{
	CecEvent *copy = palloc(sizeof(CecEvent));

	*copy = *event;
	outbox->events = lappend(outbox->events, copy);
}

/* The events of a change.  What is added to them until the end of the stage FIND, in its context, is written behind it. */
CecOutbox *
cec_outbox_of(CecChange *change)
{
	CecOutbox *outbox = cec_change_keep(change, &change_key, sizeof(CecOutbox));

	outbox->cxt = change->cxt;
	return outbox;
}

/* Who acts, and why: how each payload begins. */
static char *
circumstances(void)
{
	const char *reason = cec_audit_reason();
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoString(&json, "{\"actor\": ");
	escape_json(&json, cec_audit_actor());
	if (reason != NULL)
	{
		appendStringInfoString(&json, ", \"reason\": ");
		escape_json(&json, reason);
	}
	return json.data;
}

/* A payload with who acts, and why. */
static Datum
complete(const char *payload, const char *circumstances)
{
	bool is_empty = strcmp(payload, "{}") == 0;

	Assert(payload[0] == '{');
	return CStringGetTextDatum(psprintf("%s%s%s", circumstances, is_empty ? "" : ", ", payload + 1));
}

static Datum
text_array(Datum *texts, int count)
{
	return PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Whether the events that were just written are to be announced. */
static bool
is_announced(uint64 count)
{
	bool isnull = true;
	Datum notify = count == 0 ? 0 : SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

	return !isnull && DatumGetBool(notify);
}

/* Announces events.  Of one type there is one notification a transaction: the server leaves out those that are the same. */
static void
announce(CecPortfolio *portfolio, const List *events, int first, int count)
{
	char *channel = get_namespace_name(portfolio->nspid);

	for (int i = first; i < first + count; i++)
		Async_Notify(channel, ((const CecEvent *) list_nth(events, i))->type);
}

static void
write_batch(CecPortfolio *portfolio, const List *events, int first, const char *circumstances)
{
	Datum columns[5][BATCH];
	Datum args[lengthof(columns)];
	int count = Min(list_length(events) - first, BATCH);

	for (int i = 0; i < count; i++)
	{
		const CecEvent *event = list_nth(events, first + i);

		columns[0][i] = CStringGetTextDatum(event->aggregate_type);
		columns[1][i] = CStringGetTextDatum(event->aggregate_id);
		columns[2][i] = CStringGetTextDatum(event->type);
		columns[3][i] = complete(event->payload, circumstances);
		columns[4][i] = CStringGetTextDatum(event->id == NULL ? "" : event->id);
	}
	for (int i = 0; i < lengthof(columns); i++)
		args[i] = count == 1 ? columns[i][0] : text_array(columns[i], count);
	SPI_connect();
	if (is_announced(cec_query_run(portfolio->plans, count == 1 ? &write_event : &write_events, args, NULL, 0)))
		announce(portfolio, events, first, count);
	SPI_finish();
}

/* Writes what is to be, and empties the list; acting as the owner of the portfolio is the caller's business. */
void
cec_outbox_write(CecPortfolio *portfolio, CecOutbox *outbox)
{
	List *events = outbox->events;
	char *common;

	outbox->events = NIL;
	if (events == NIL)
		return;
	common = circumstances();
	for (int first = 0; first < list_length(events); first += BATCH)
	{
		CHECK_FOR_INTERRUPTS();
		write_batch(portfolio, events, first, common);
	}
}

/* Handler of the publish stage. */
static void
publish(CecChange *change)
{
	CecOutbox *outbox = cec_change_kept(change, &change_key);

	if (outbox != NULL)
		cec_outbox_write(change->portfolio, outbox);
}

/* Registers with the engine. */
void
cec_outbox_init(void)
{
	cec_change_register(CEC_STAGE_PUBLISH, NULL, publish);
}
