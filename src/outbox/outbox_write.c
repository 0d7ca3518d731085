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

/* Returns the types that are to be announced. */
static const CecQuery write_events = {
	"WITH written AS (INSERT INTO @P@.outbox (aggregatetype, aggregateid, type, payload)"
	" SELECT e.aggregatetype, e.aggregateid, e.type, e.payload::jsonb || $5::jsonb"
	" FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY"
	"  AS e(aggregatetype, aggregateid, type, payload, place) ORDER BY e.place RETURNING type)"
	" SELECT DISTINCT w.type::text FROM written w CROSS JOIN @P@.setting s WHERE s.notify",
	5,
	{TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTOID}};

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
	return cec_change_keep(change, &change_key, sizeof(CecOutbox));
}

/* Who acts, and why: a JSON object. */
static Datum
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
	appendStringInfoChar(&json, '}');
	return CStringGetTextDatum(json.data);
}

static Datum
text_array(Datum *texts, int count)
{
	return PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* One notification of a type and transaction: the server leaves out those that are the same. */
static void
announce(CecPortfolio *portfolio, uint64 count)
{
	char *channel = get_namespace_name(portfolio->nspid);

	for (uint64 i = 0; i < count; i++)
		Async_Notify(channel, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
}

static void
write_batch(CecPortfolio *portfolio, const List *events, int first, Datum circumstances)
{
	Datum types[BATCH];
	Datum aggregate_types[BATCH];
	Datum aggregate_ids[BATCH];
	Datum payloads[BATCH];
	int count = Min(list_length(events) - first, BATCH);
	Datum args[5];

	for (int i = 0; i < count; i++)
	{
		const CecEvent *event = list_nth(events, first + i);

		aggregate_types[i] = CStringGetTextDatum(event->aggregate_type);
		aggregate_ids[i] = CStringGetTextDatum(event->aggregate_id);
		types[i] = CStringGetTextDatum(event->type);
		payloads[i] = CStringGetTextDatum(event->payload);
	}
	args[0] = text_array(aggregate_types, count);
	args[1] = text_array(aggregate_ids, count);
	args[2] = text_array(types, count);
	args[3] = text_array(payloads, count);
	args[4] = circumstances;
	SPI_connect();
	announce(portfolio, cec_query_run(portfolio->plans, &write_events, args, NULL, 0));
	SPI_finish();
}

/* Writes what is to be, and empties the list; acting as the owner of the portfolio is the caller's business. */
void
cec_outbox_write(CecPortfolio *portfolio, CecOutbox *outbox)
{
	List *events = outbox->events;
	Datum common;

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
