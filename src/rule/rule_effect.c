/*
 * rule_effect.c
 *		Reads and writes rule_effect: the days on which rules act on assets.
 *
 * A decision counts from its day on; what was decided for earlier days stays.  So a row that began earlier is at most
 * cut off or prolonged, never taken away, and of several decisions in a day the last one holds.
 *
 * Written by whoever holds the lock of the asset or the gate alone, below SQL: no statement may.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "portfolio/portfolio_today.h"
#include "rule/rule_effect.h"
#include "support/column.h"
#include "support/compat.h"
#include "support/grow.h"
#include "support/heap_write.h"
#include "support/slot.h"

typedef enum EffectColumn
{
	EFFECT_ID,
	EFFECT_RULE_ID,
	EFFECT_ASSET_ID,
	EFFECT_DURING,
	EFFECT_RECORDED_AT
} EffectColumn;

#define EFFECT_COLUMNS (EFFECT_RECORDED_AT + 1)

static const char *const effect_column[EFFECT_COLUMNS] = {"rule_effect_id", "rule_id", "asset_id", "during",
														  "recorded_at"};
static const Oid effect_type[EFFECT_COLUMNS] = {INT8OID, INT8OID, INT8OID, DATERANGEOID, TIMESTAMPTZOID};

struct CecEffects
{
	CecPortfolio *portfolio;
	Relation rel;
	Snapshot snapshot;
	MemoryContext cxt;
	AttrNumber attnums[EFFECT_COLUMNS];
	CecProbe *by_asset; /* these two: NULL until needed */
	CecProbe *by_rule;
	Oid sequence;
	CecAppender *appender; /* NULL until the first row */
	CecDelta *delta;
	TimestampTz latest; /* of the rows read that were there before the statement */
	int64 changed;
};

/*
 * Starts; lives in the current memory context.  The snapshot stays registered until the end.  What is written is added to the
 * delta, and recorded with its instant.
 */
CecEffects *
cec_effects_begin(CecPortfolio *portfolio, Snapshot snapshot, CecDelta *delta)
{
	CecEffects *effects = palloc0(sizeof(CecEffects));

	effects->portfolio = portfolio;
	effects->rel = cec_portfolio_open_below(portfolio, "rule_effect");
	for (int i = 0; i < EFFECT_COLUMNS; i++)
		effects->attnums[i] = cec_column_require(effects->rel, effect_column[i], effect_type[i]);
	effects->snapshot = snapshot;
	effects->delta = delta;
	effects->cxt = CurrentMemoryContext;
	return effects;
}

/* Adds a copy of a row. */
void
cec_effect_rows_add(CecEffectRows *rows, const CecEffectRow *row)
{
	CEC_MAKE_ROOM(rows->rows, rows->count, rows->space, 1);
	rows->rows[rows->count] = *row;
	rows->count++;
}

static void
add_rows(CecEffects *effects, CecProbe *probe, CecEffectRows *rows)
{
	TupleTableSlot *slot;

	while ((slot = cec_probe_next(probe)) != NULL)
	{
		CecEffectRow row;

		row.rule_effect_id = cec_slot_int8(slot, effects->attnums[EFFECT_ID]);
		row.rule_id = cec_slot_int8(slot, effects->attnums[EFFECT_RULE_ID]);
		row.asset_id = cec_slot_int8(slot, effects->attnums[EFFECT_ASSET_ID]);
		row.during = cec_days_of_range(cec_slot_value(slot, effects->attnums[EFFECT_DURING]));
		row.recorded_at = DatumGetTimestampTz(cec_slot_value(slot, effects->attnums[EFFECT_RECORDED_AT]));
		row.tid = slot->tts_tid;
		cec_effect_rows_add(rows, &row);
		/* What the statement itself has written is not what it replaces. */
		if (!effects->delta->is_stamped || row.recorded_at != effects->delta->at)
			effects->latest = Max(effects->latest, row.recorded_at);
	}
}

static CecProbe *
probe_by(CecEffects *effects, CecProbe **probe, const char *column)
{
	if (*probe == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(effects->cxt);

		*probe = cec_probe_begin(cec_portfolio_open(effects->portfolio, "rule_effect", AccessShareLock), column,
								 effects->snapshot);
		MemoryContextSwitchTo(old);
	}
	return *probe;
}

static int
compare_rows(const void *one, const void *other)
{
	const CecEffectRow *a = one;
	const CecEffectRow *b = other;

	if (a->asset_id != b->asset_id)
		return a->asset_id < b->asset_id ? -1 : 1;
	if (a->rule_id != b->rule_id)
		return a->rule_id < b->rule_id ? -1 : 1;
	return a->during.from < b->during.from ? -1 : a->during.from > b->during.from;
}

/* Adds what is recorded of an asset, in order of rule and days. */
void
cec_effects_of_asset(CecEffects *effects, int64 asset_id, CecEffectRows *rows)
{
	CecProbe *probe = probe_by(effects, &effects->by_asset, "asset_id");

	cec_probe_seek(probe, asset_id);
	add_rows(effects, probe, rows);
	if (rows->count > 1)
		qsort(rows->rows, rows->count, sizeof(CecEffectRow), compare_rows);
}

/* Adds what is recorded of a rule, in order of asset and days. */
void
cec_effects_of_rule(CecEffects *effects, int64 rule_id, CecEffectRows *rows)
{
	CecProbe *probe = probe_by(effects, &effects->by_rule, "rule_id");

	cec_probe_seek(probe, rule_id);
	add_rows(effects, probe, rows);
	if (rows->count > 1)
		qsort(rows->rows, rows->count, sizeof(CecEffectRow), compare_rows);
}

/*
 * Whether the rule was decided for the asset on a later day than the one that refresh has come to: with the facts of that
 * later day, which are not those of this one.  What refresh itself has written since it began does not count.
 */
static bool
is_decided_later(const CecRuleSet *set, const CecEffectRow *rows, int64 count, DateADT day)
{
	TimestampTz began = cec_rule_refresh_began();

	if (began == 0)
		return false;
	for (int64 i = 0; i < count; i++)
		if (rows[i].recorded_at < began && cec_portfolio_local_day(set->portfolio, rows[i].recorded_at) > day)
			return true;
	return false;
}

/*
 * The days on which a rule acts on an asset once it was decided today whether it does; rows is what was recorded.  Without a
 * rule there is no more than what was decided before today.
 */
CecDaySet
cec_effect_decide(const CecRuleSet *set, const CecEffectRow *rows, int64 count, const CecRule *rule, DateADT today,
				  bool acts)
{
	CecDaySet days = {0};
	bool stays = rule != NULL && is_decided_later(set, rows, count, today);

	for (int64 i = 0; i < count; i++)
	{
		CecDays past = {rows[i].during.from, stays ? rows[i].during.to : Min(rows[i].during.to, today)};

		if (past.from < past.to)
			cec_day_set_add(&days, past);
	}
	if (stays)
		return days;
	if (acts && rule != NULL)
	{
		CecDays future = {Max(rule->during.from, today), rule->during.to};

		if (future.from < future.to)
			cec_day_set_add(&days, future);
	}
	return days;
}

static void
append(CecEffects *effects, int64 rule_effect_id, int64 rule_id, int64 asset_id, CecDays during)
{
	TupleTableSlot *slot;
	Datum values[EFFECT_COLUMNS];

	if (effects->appender == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(effects->cxt);

		effects->appender = cec_append_begin(effects->rel);
		effects->sequence = cec_compat_identity_sequence(effects->rel, effects->attnums[EFFECT_ID]);
		MemoryContextSwitchTo(old);
	}
	values[EFFECT_ID] =
		Int64GetDatum(rule_effect_id != 0 ? rule_effect_id : nextval_internal(effects->sequence, false));
	values[EFFECT_RULE_ID] = Int64GetDatum(rule_id);
	values[EFFECT_ASSET_ID] = Int64GetDatum(asset_id);
	values[EFFECT_DURING] = cec_range_of_days(during);
	values[EFFECT_RECORDED_AT] = TimestampTzGetDatum(cec_delta_instant(effects->delta, effects->latest));
	slot = cec_append_slot(effects->appender);
	for (int i = 0; i < EFFECT_COLUMNS; i++)
		cec_slot_set(slot, effects->attnums[i], values[i]);
	cec_append_row(effects->appender);
	effects->delta->is_stamped = true;
	effects->changed++;
}

/* Takes a row away, now or, with a plan, later. */
static void
lose(CecEffects *effects, const CecEffectRow *row, CecEffectPlan *plan)
{
	ItemPointerData tid = row->tid;

	if (plan != NULL)
	{
		cec_effect_rows_add(&plan->rows, row);
		return;
	}
	cec_remove_row(effects->rel, &tid, effects->snapshot,
				   "What a rule does to the asset was changed by another transaction.");
	cec_delta_add(effects->delta, &effects->delta->decisions, row->asset_id, row->rule_id, row->during, 0);
}

/* Adds a row, now or, with a plan, later; key 0: a new one. */
static void
gain(CecEffects *effects, int64 rule_effect_id, int64 rule_id, int64 asset_id, CecDays during, CecEffectPlan *plan)
{
	if (plan != NULL)
	{
		CecEffectRow row = {rule_effect_id, rule_id, asset_id, during};

		ItemPointerSetInvalid(&row.tid);
		cec_effect_rows_add(&plan->rows, &row);
		return;
	}
	cec_delta_add(effects->delta, &effects->delta->decisions, asset_id, rule_id, during, CEC_DELTA_GAINED);
	append(effects, rule_effect_id, rule_id, asset_id, during);
}

/*
 * Makes the recorded rows of a rule and asset, which are in order of days, those of the set: with a plan (NULL: at once) when
 * it is carried out, until when nobody else may change them.  A row keeps its key while it keeps its first day.  False: there
 * was nothing to change.
 */
bool
cec_effects_put(CecEffects *effects, int64 rule_id, int64 asset_id, const CecEffectRow *rows, int64 count,
				const CecDaySet *days, CecEffectPlan *plan)
{
	int64 i = 0;
	int j = 0;
	bool changed = false;

	while (i < count || j < days->count)
	{
		int64 rule_effect_id = 0;

		if (i < count && j < days->count && rows[i].during.from == days->spans[j].from &&
			rows[i].during.to == days->spans[j].to)
		{
			i++;
			j++;
			continue;
		}
		changed = true;
		if (i < count && (j == days->count || rows[i].during.from <= days->spans[j].from))
		{
			lose(effects, &rows[i], plan);
			if (j < days->count && rows[i].during.from == days->spans[j].from)
				rule_effect_id = rows[i].rule_effect_id;
			i++;
			if (rule_effect_id == 0)
				continue;
		}
		gain(effects, rule_effect_id, rule_id, asset_id, days->spans[j++], plan);
	}
	if (plan != NULL)
		plan->latest = Max(plan->latest, effects->latest);
	return changed;
}

/* Records what was planned. */
void
cec_effects_carry_out(CecPortfolio *portfolio, CecDelta *delta, CecEffectPlan *plan)
{
	Snapshot snapshot;
	CecEffects *effects;

	if (plan->rows.count == 0)
		return;
	snapshot = cec_latest_snapshot();
	effects = cec_effects_begin(portfolio, snapshot, delta);
	effects->latest = plan->latest;
	for (int64 i = 0; i < plan->rows.count; i++)
	{
		const CecEffectRow *row = &plan->rows.rows[i];

		CHECK_FOR_INTERRUPTS();
		if (ItemPointerIsValid(&row->tid))
			lose(effects, row, NULL);
		else
			gain(effects, row->rule_effect_id, row->rule_id, row->asset_id, row->during, NULL);
	}
	(void) cec_effects_end(effects);
	UnregisterSnapshot(snapshot);
}

/* When the latest of the rows read so far was recorded that were there before the statement; 0 when there was none. */
TimestampTz
cec_effects_latest(const CecEffects *effects)
{
	return effects->latest;
}

/*
 * Gives the rows that the statement wrote its instant, where that was moved after they were written: only a clock that was
 * set back does so.
 */
void
cec_effects_restamp(CecPortfolio *portfolio, CecDelta *delta)
{
	const CecDeltaRows written = delta->decisions; /* nothing is decided here */
	Snapshot snapshot;
	CecEffects *effects;

	if (!delta->was_moved)
		return;
	snapshot = cec_latest_snapshot();
	effects = cec_effects_begin(portfolio, snapshot, delta);
	for (int64 i = 0; i < written.count; i++)
	{
		CecEffectRows rows = {0};

		CHECK_FOR_INTERRUPTS();
		if (!(written.rows[i].flags & CEC_DELTA_GAINED))
			continue;
		cec_effects_of_asset(effects, written.rows[i].asset_id, &rows);
		for (int64 j = 0; j < rows.count; j++)
			if (rows.rows[j].rule_id == written.rows[i].subject_id && rows.rows[j].recorded_at != delta->at &&
				rows.rows[j].during.from == written.rows[i].during.from &&
				rows.rows[j].during.to == written.rows[i].during.to)
			{
				cec_remove_row(effects->rel, &rows.rows[j].tid, snapshot,
							   "What a rule does to the asset was changed by another transaction.");
				append(effects, rows.rows[j].rule_effect_id, rows.rows[j].rule_id, rows.rows[j].asset_id,
					   rows.rows[j].during);
			}
		if (rows.rows != NULL)
			pfree(rows.rows);
	}
	(void) cec_effects_end(effects);
	UnregisterSnapshot(snapshot);
	delta->was_moved = false;
}

/* Writes what is buffered, lets go of the table, and returns how many rows there are new. */
int64
cec_effects_end(CecEffects *effects)
{
	int64 changed = effects->changed;

	if (effects->appender != NULL)
		cec_append_end(effects->appender);
	if (effects->by_asset != NULL)
		cec_probe_end(effects->by_asset);
	if (effects->by_rule != NULL)
		cec_probe_end(effects->by_rule);
	table_close(effects->rel, NoLock);
	pfree(effects);
	return changed;
}
