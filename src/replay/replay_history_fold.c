/*
 * replay_history_fold.c
 *		What the entries of the log come to for one asset, compared with what the tables have of it.
 *
 * Entries of an asset follow one another as statements did: in order of audit_id, since each statement takes its numbers
 * while it holds the asset's lock.  Only within a transaction a statement that a user's trigger ran may have been recorded
 * before the statement that fired it; there the instants say which came first.  An asset whose entries come from several
 * clusters, which number their logs apart, has them in the order of their instants.
 *
 * A statement takes rows away and brings others, which begin at its instant.  A row that goes leaves its time in
 * coverage_history, but for one that the same transaction brought: that leaves nothing, and what replaces it begins where
 * it did (coverage_differ.c says the same).
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "replay/replay_history.h"
#include "support/compat.h"
#include "support/grow.h"

/* Adds an item to a list, in the memory context in which the list began. */
void
cec_history_add(CecHistoryItems *items, const CecHistoryItem *item)
{
	CEC_MAKE_ROOM(items->items, items->count, items->space, 16);
	items->items[items->count++] = *item;
}

/* Returns a difference; without an item it is about the log as a whole. */
void
cec_history_report(ReturnSetInfo *result, const char *kind, const char *table_name, const int64 *asset_id,
				   const CecHistoryItem *item, bool is_decision, const char *detail)
{
	Datum values[8] = {CStringGetTextDatum(kind), CStringGetTextDatum(table_name)};
	bool isnull[8] = {false, false, true, true, true, true, true, false};

	if (asset_id != NULL)
	{
		isnull[2] = false;
		values[2] = Int64GetDatum(*asset_id);
	}
	if (item != NULL)
	{
		isnull[is_decision ? 4 : 3] = false;
		values[3] = values[4] = Int64GetDatum(item->subject_id);
		isnull[5] = item->during.from == CEC_DAY_MIN;
		values[5] = DateADTGetDatum(item->during.from);
		isnull[6] = item->during.to == CEC_DAY_MAX;
		values[6] = DateADTGetDatum(item->during.to - 1);
	}
	values[7] = CStringGetTextDatum(detail);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

static int
compare_numbers(int64 one, int64 other)
{
	return one < other ? -1 : one > other;
}

static int
compare_place(const void *one, const void *other)
{
	const CecHistoryItem *a = one;
	const CecHistoryItem *b = other;
	int order = compare_numbers(a->audit_id, b->audit_id);

	return order != 0 ? order : compare_numbers(a->ordinal, b->ordinal);
}

static int
compare_instant(const void *one, const void *other)
{
	int order = compare_numbers(((const CecHistoryItem *) one)->from, ((const CecHistoryItem *) other)->from);

	return order != 0 ? order : compare_place(one, other);
}

/* What a row says, but for its times. */
static int
compare_said(const void *one, const void *other)
{
	const CecHistoryItem *a = one;
	const CecHistoryItem *b = other;
	int order = compare_numbers(a->subject_id, b->subject_id);

	if (order == 0)
		order = compare_numbers(a->during.from, b->during.from);
	if (order == 0)
		order = compare_numbers(a->during.to, b->during.to);
	return order != 0 ? order : (int) a->flags - (int) b->flags;
}

static int
compare_rows(const void *one, const void *other)
{
	const CecHistoryItem *a = one;
	const CecHistoryItem *b = other;
	int order = compare_said(one, other);

	if (order == 0)
		order = compare_numbers(a->from, b->from);
	if (order == 0 && a->source == CEC_HISTORY_PAST)
		order = compare_numbers(a->to, b->to);
	return order;
}

static void
sort(CecHistoryItem *items, int64 count, int (*compare)(const void *, const void *))
{
	bool sorted = true;

	for (int64 i = 1; i < count && sorted; i++)
		sorted = compare(&items[i - 1], &items[i]) <= 0;
	if (!sorted)
		qsort(items, count, sizeof(CecHistoryItem), compare);
}

static bool
same_transaction(const CecHistoryItem *one, const CecHistoryItem *other)
{
	return one->xid == other->xid && one->system == other->system;
}

/* Puts the rows of entries into the order in which they were written. */
static void
order_entries(CecHistoryItems *list)
{
	CecHistoryItem *items = list->items;
	bool is_mixed = false;

	for (int64 i = 1; i < list->count; i++)
		is_mixed |= items[i].system != items[0].system;
	sort(items, list->count, is_mixed ? compare_instant : compare_place);
	for (int64 first = 0, end; first < list->count; first = end)
	{
		for (end = first + 1; end < list->count && same_transaction(&items[first], &items[end]); end++)
			;
		sort(items + first, end - first, compare_instant);
	}
}

static bool
same_said(const CecHistoryItem *row, const CecHistoryItem *change)
{
	return row->subject_id == change->subject_id && row->during.from == change->during.from &&
		   row->during.to == change->during.to && row->flags == (change->flags & ~CEC_DELTA_GAINED);
}

/* The row that goes with a change that takes one away; -1 when there is none. */
static int64
find_live(const CecHistoryItems *live, const CecHistoryItem *change)
{
	for (int64 i = live->count - 1; i >= 0; i--)
		if (same_said(&live->items[i], change))
			return i;
	return -1;
}

/* Where states begin that a statement of the transaction brings. */
static TimestampTz
find_beginning(const CecHistoryAsset *asset, const CecHistoryItem *change, const CecHistoryItem *last_past,
			   TimestampTz past_end)
{
	for (int64 i = 0; i < asset->live.count; i++)
		if (same_transaction(&asset->live.items[i], change))
			return asset->live.items[i].from;
	return last_past != NULL && same_transaction(last_past, change) ? past_end : change->from;
}

static void
take_away(CecHistoryAsset *asset, const CecHistoryItem *change, bool is_decision, TimestampTz end, bool *left_past)
{
	int64 at = find_live(&asset->live, change);

	*left_past = false;
	if (at < 0)
	{
		cec_history_report(
			asset->result, "LOST", "audit_log", &asset->asset_id, change, is_decision,
			psprintf("Entry " INT64_FORMAT " takes this away, and no entry before it gave it.", change->audit_id));
		return;
	}
	if (!is_decision && !same_transaction(&asset->live.items[at], change))
	{
		CecHistoryItem past = asset->live.items[at];

		past.source = CEC_HISTORY_PAST;
		past.to = end;
		cec_history_add(&asset->past, &past);
		*left_past = true;
	}
	asset->live.items[at] = asset->live.items[--asset->live.count];
}

/* Folds the entries: what there is to be now, and, of cover, what there was. */
static void
fold(CecHistoryAsset *asset, CecHistorySource source)
{
	CecHistoryItems *list = &asset->of[source];
	bool is_decision = source == CEC_HISTORY_LOGGED_DECISION;
	const CecHistoryItem *last_past = NULL; /* the change that left a past state last */
	TimestampTz past_end = 0;
	TimestampTz beginning = 0;

	asset->live.count = 0;
	asset->past.count = 0;
	order_entries(list);
	for (int64 i = 0; i < list->count; i++)
	{
		const CecHistoryItem *change = &list->items[i];
		bool is_next_statement = i == 0 || change->from != change[-1].from || !same_transaction(change, change - 1);
		bool left_past;

		if (is_decision)
			beginning = change->from;
		else if (is_next_statement)
			beginning = find_beginning(asset, change, last_past, past_end);
		if (change->flags & CEC_DELTA_GAINED)
		{
			CecHistoryItem row = *change;

			row.source = is_decision ? CEC_HISTORY_EFFECT : CEC_HISTORY_COVERAGE;
			row.flags &= ~CEC_DELTA_GAINED;
			row.from = beginning;
			cec_history_add(&asset->live, &row);
			continue;
		}
		take_away(asset, change, is_decision, beginning, &left_past);
		if (left_past)
		{
			last_past = change;
			past_end = beginning;
		}
	}
}

static char *
describe_times(const CecHistoryItem *row)
{
	char *from = pstrdup(timestamptz_to_str(row->from));

	return row->source == CEC_HISTORY_PAST ? psprintf("from %s to %s", from, timestamptz_to_str(row->to))
										   : psprintf("since %s", from);
}

static char *
describe_grounds(const CecHistoryItem *row)
{
	if (row->source == CEC_HISTORY_EFFECT)
		return "";
	return psprintf(" (%s)", row->flags == 0										  ? "on no ground"
							 : row->flags == CEC_DELTA_STATED						  ? "stated"
							 : row->flags == CEC_DELTA_RULED						  ? "ruled"
							 : row->flags == CEC_DELTA_INHERITED					  ? "inherited"
							 : row->flags == (CEC_DELTA_STATED | CEC_DELTA_RULED)	  ? "stated, ruled"
							 : row->flags == (CEC_DELTA_STATED | CEC_DELTA_INHERITED) ? "stated, inherited"
							 : row->flags == (CEC_DELTA_RULED | CEC_DELTA_INHERITED)  ? "ruled, inherited"
																					  : "stated, ruled, inherited");
}

/* Drops what both lists, in order, have; says whether anything is left. */
static bool
drop_equal(CecHistoryItems *due, CecHistoryItems *there)
{
	int64 i = 0;
	int64 j = 0;
	int64 due_left = 0;
	int64 there_left = 0;

	while (i < due->count || j < there->count)
	{
		int order = i == due->count ? 1 : j == there->count ? -1 : compare_rows(&due->items[i], &there->items[j]);

		if (order == 0)
		{
			i++;
			j++;
		}
		else if (order < 0)
			due->items[due_left++] = due->items[i++];
		else
			there->items[there_left++] = there->items[j++];
	}
	due->count = due_left;
	there->count = there_left;
	return due_left > 0 || there_left > 0;
}

/* Reports what differs between the rows that are due and those that are there. */
static void
compare(CecHistoryAsset *asset, CecHistoryItems *due, CecHistorySource source, const char *table_name)
{
	CecHistoryItems *there = &asset->of[source];
	bool is_decision = source == CEC_HISTORY_EFFECT;
	int64 i = 0;
	int64 j = 0;

	sort(due->items, due->count, compare_rows);
	sort(there->items, there->count, compare_rows);
	if (!drop_equal(due, there))
		return;
	while (i < due->count || j < there->count)
	{
		int order = i == due->count ? 1 : j == there->count ? -1 : compare_said(&due->items[i], &there->items[j]);
		const char *kind = order == 0 ? "EDITED" : order < 0 ? "MISSING" : "EXTRA";
		const CecHistoryItem *row = order < 0 ? &due->items[i] : &there->items[j];
		char *detail;

		if (order == 0)
			detail =
				psprintf("It is recorded %s; the log says %s.", describe_times(row), describe_times(&due->items[i]));
		else if (order < 0)
			detail =
				psprintf("The log knows it %s%s, and it is not there.", describe_times(row), describe_grounds(row));
		else
			detail = psprintf("It is recorded %s%s, and the log does not know it.", describe_times(row),
							  describe_grounds(row));
		cec_history_report(asset->result, kind, table_name, &asset->asset_id, row, is_decision, detail);
		i += order <= 0;
		j += order >= 0;
	}
}

/* Judges an asset of which all is gathered, reports what differs, and empties it for the next. */
void
cec_history_judge(CecHistoryAsset *asset)
{
	fold(asset, CEC_HISTORY_LOGGED_COVER);
	compare(asset, &asset->live, CEC_HISTORY_COVERAGE, "coverage");
	compare(asset, &asset->past, CEC_HISTORY_PAST, "coverage_history");
	fold(asset, CEC_HISTORY_LOGGED_DECISION);
	compare(asset, &asset->live, CEC_HISTORY_EFFECT, "rule_effect");
	for (int i = 0; i < CEC_HISTORY_SOURCES; i++)
		asset->of[i].count = 0;
}
