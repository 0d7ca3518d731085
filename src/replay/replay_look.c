/*
 * replay_look.c
 *		Looks at one row whose sum did not come out at zero: which of its values differ, and from what; and reports.
 *
 * Values of the table are told only to those who may read all of it.  A value of the log may have been forged, so that
 * it cannot be shown: then only that is said.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "replay/replay.h"
#include "support/attempt.h"
#include "support/grow.h"

#define VALUE_SHOWN 100

/* One change of a value. */
typedef struct Event
{
	bool has_old;
	bool has_new;
	CecSum old_hash;
	CecSum new_hash;
	CecReplayPart new_part;
} Event;

/* All changes of one value, in the order of audit_id. */
typedef struct History
{
	Event *events;
	int count;
	int64 inserted;
	int64 deleted;
	CecSum logged;
	CecSum present;
	CecReplayPart present_part;
} History;

typedef struct Looker
{
	CecReplay *replay;
	CecReplayTable *table;
	int64 audit_id;
	History *histories; /* of the table's columns */
	int present;
} Looker;

/* Adds a row to the answer; row_id and column may be NULL. */
void
cec_replay_report(CecReplay *replay, const CecReplayTable *table, const char *kind, const int64 *row_id,
				  const char *column, const char *detail)
{
	Datum values[5] = {CStringGetTextDatum(kind), CStringGetTextDatum(table->name),
					   row_id != NULL ? Int64GetDatum(*row_id) : (Datum) 0,
					   column != NULL ? CStringGetTextDatum(column) : (Datum) 0, CStringGetTextDatum(detail)};
	bool isnull[5] = {false, false, row_id == NULL, column == NULL, false};

	tuplestore_putvalues(replay->result->setResult, replay->result->setDesc, values, isnull);
}

/* Visitor: notes a change. */
static void
note_change(void *state, int column, const CecReplayPart *old_part, const CecReplayPart *new_part)
{
	Looker *looker = state;
	History *history = &looker->histories[column];
	Event event = {0};

	if (looker->audit_id <= looker->table->columns[column].since)
		return;
	event.has_old = old_part != NULL;
	event.has_new = new_part != NULL;
	if (event.has_new)
	{
		event.new_part = *new_part;
		event.new_hash = cec_replay_hash(looker->replay, column, new_part);
		cec_sum_add(&history->logged, event.new_hash);
	}
	if (event.has_old)
	{
		event.old_hash = cec_replay_hash(looker->replay, column, old_part);
		cec_sum_subtract(&history->logged, event.old_hash);
	}
	history->inserted += !event.has_old;
	history->deleted += !event.has_new;
	history->events = cec_grow(CurrentMemoryContext, history->events, (history->count + 1) * sizeof(Event));
	history->events[history->count++] = event;
}

static SPIPlanPtr
prepare(const char *query, int nargs, Oid *argtypes)
{
	SPIPlanPtr plan = SPI_prepare(query, nargs, argtypes);

	if (plan == NULL)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
	return plan;
}

static void
run(SPIPlanPtr plan, Datum *args)
{
	if (SPI_execute_plan(plan, args, NULL, true, 0) < 0)
		elog(ERROR, "could not look at a row");
}

static void
read_entries(Looker *looker, Datum row_ids)
{
	CecReplay *replay = looker->replay;
	Oid argtypes[] = {INT8ARRAYOID, TEXTOID};
	Datum args[] = {row_ids, CStringGetTextDatum(looker->table->name)};

	if (replay->row_entries == NULL)
		replay->row_entries =
			prepare(cec_replay_sql(replay, "SELECT audit_id, operation, row_image FROM @P@.audit_log"
										   " WHERE row_id = ANY ($1) AND table_name = $2 ORDER BY audit_id"),
					2, argtypes);
	run(replay->row_entries, args);
	for (int i = 0; i < (int) SPI_processed; i++)
	{
		bool isnull;
		CecOperation operation;
		Datum image = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 3, &isnull);

		if (isnull || !cec_replay_operation(SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2), &operation))
			continue;
		looker->audit_id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		(void) cec_replay_read(replay, looker->table, operation, DatumGetByteaPCopy(image), note_change, looker);
	}
}

static void
read_present(Looker *looker, Datum row_ids)
{
	CecReplayTable *table = looker->table;
	Oid argtypes[] = {INT8ARRAYOID};

	if (table->one_row == NULL)
		table->one_row = prepare(
			psprintf("%s WHERE %s = ANY ($1)", table->select, quote_identifier(table->columns[table->key].name)), 1,
			argtypes);
	run(table->one_row, &row_ids);
	looker->present = (int) SPI_processed;
	for (int row = 0; row < (int) SPI_processed; row++)
		for (int i = 0; i < table->count; i++)
		{
			History *history = &looker->histories[i];
			CecReplayPart part = {NULL, 0};
			bool isnull;
			Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, i + 1, &isnull);

			if (!isnull)
			{
				StringInfoData bytes;

				initStringInfo(&bytes);
				cec_canon_append(&bytes, table->columns[i].type, value);
				part.bytes = bytes.data;
				part.length = bytes.len;
			}
			cec_sum_add(&history->present, cec_replay_hash(looker->replay, i, &part));
			history->present_part = part;
		}
}

/* A value to be shown. */
typedef struct Showing
{
	const CecReplayColumn *column;
	const CecReplayPart *part;
	StringInfoData json;
} Showing;

static void
decode(void *arg)
{
	Showing *showing = arg;

	cec_canon_to_json(&showing->json, showing->column->code, showing->part->bytes, showing->part->length);
}

static bool
says_unreadable(int sqlstate)
{
	return sqlstate == ERRCODE_DATA_CORRUPTED || ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_DATA_EXCEPTION;
}

/* A value as JSON, cut where it is long; what cannot be decoded is an error inside, and none to the caller. */
static char *
show_value(const CecReplayColumn *column, const CecReplayPart *part)
{
	Showing showing = {column, part};
	int length;

	if (part->bytes == NULL)
		return "NULL";
	initStringInfo(&showing.json);
	if (cec_attempt(decode, &showing, says_unreadable) != 0)
		return "a value that cannot be read";
	length = pg_mbcliplen(showing.json.data, showing.json.len, VALUE_SHOWN);
	return length == showing.json.len ? showing.json.data : psprintf("%.*s …", length, showing.json.data);
}

/* Whether a value is what the log says; see value_fits of replay_sum.c, which sees only the sums. */
static bool
fits(const Looker *looker, const History *history)
{
	CecSum first = history->present;
	bool any_old = false;

	cec_sum_subtract(&first, history->logged);
	if (cec_sum_is_zero(first))
		return true;
	if (looker->present == 0)
		return history->inserted != history->deleted; /* its first value was not in the log */
	if (history->inserted - history->deleted >= looker->present)
		return false;
	for (int i = 0; i < history->count; i++)
	{
		if (history->events[i].has_old && cec_sum_equal(first, history->events[i].old_hash))
			return true;
		any_old = any_old || history->events[i].has_old;
	}
	return !any_old;
}

/* In words, what is wrong with a value. */
static char *
explain(const Looker *looker, const CecReplayColumn *column, const History *history)
{
	const Event *last = NULL;
	bool leads_there = false;
	char *there = looker->table->may_show ? show_value(column, &history->present_part) : "another value";

	if (looker->present == 0)
		return "It was changed past the log before the row was deleted.";
	for (int i = 0; i < history->count; i++)
		if (history->events[i].has_new)
		{
			if (!leads_there)
				last = &history->events[i];
			if (cec_sum_equal(history->events[i].new_hash, history->logged))
			{
				last = &history->events[i];
				leads_there = true;
			}
		}
	if (looker->present > 1)
		return "It was changed past the log.";
	if (last == NULL)
		return psprintf("The log has no value of it, and the table has %s.", there);
	if (leads_there || history->inserted <= history->deleted)
		return psprintf("The log has %s, and the table has %s.", show_value(column, &last->new_part), there);
	return psprintf("A change of it is missing from the log, where it ends with %s; the table has %s.",
					show_value(column, &last->new_part), there);
}

/* Reports what differs in a row, or in rows that were one: values that were changed past the log. */
void
cec_replay_look(CecReplay *replay, CecReplayTable *table, const int64 *row_ids, int count)
{
	Looker looker = {0};
	MemoryContext cxt;
	MemoryContext old;
	Datum *ids;
	Datum array;

	CHECK_FOR_INTERRUPTS();
	cxt = AllocSetContextCreate(CurrentMemoryContext, "cec look at a row", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(cxt);
	looker.replay = replay;
	looker.table = table;
	looker.histories = palloc0(table->count * sizeof(History));
	ids = palloc(count * sizeof(Datum));
	for (int i = 0; i < count; i++)
		ids[i] = Int64GetDatum(row_ids[i]);
	array = PointerGetDatum(construct_array(ids, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	read_entries(&looker, array);
	SPI_freetuptable(SPI_tuptable);
	read_present(&looker, array);
	for (int i = 0; i < table->count; i++)
		if (!fits(&looker, &looker.histories[i]))
			cec_replay_report(replay, table, "EDITED", row_ids, table->columns[i].name,
							  explain(&looker, &table->columns[i], &looker.histories[i]));
	SPI_freetuptable(SPI_tuptable);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}
