/*
 * inclusion_outcome.c
 *		What becomes of the rows of a list whose assets are found.
 *
 * What would be wrong with a row as a new line is asked once for all rows of which index probes say that something may be.  Then
 * the rows of each asset and effect are gone through in their order, as if they were written one after the other: which line of the
 * term a row would change, and which rows say again what an earlier one has said.
 *
 * Carve-outs come first: those that are accepted make room for the lines that they are carved out of, as they do in one
 * statement, and where a row sets the days of a carve-out, its old days count no more.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "inclusion/inclusion_check.h"
#include "inclusion/inclusion_lines.h"
#include "portfolio/reading.h"
#include "support/probe.h"
#include "support/word.h"
#include "tag/tag.h"

/* The same table as of a statement, with what is read of lines here. */
static const CecSource lines_of_asset = {"inclusion",
										 "asset_id",
										 INT8OID,
										 AccessShareLock,
										 {{"inclusion_id", INT8OID},
										  {"term_id", INT8OID},
										  {"effect", TEXTOID},
										  {"during", DATERANGEOID},
										  {"note", TEXTOID, true}}};

enum
{
	LINE_NOTE = CEC_LINE_DURING + 1
};

/* A line that stands on the term. */
typedef struct Standing
{
	int64 inclusion_id;
	CecDays days;
	char *note;
	bool is_taken; /* an earlier row has set its days */
} Standing;

/* What is read, and what is found on the way. */
typedef struct Outcomes
{
	CecListCheck *check;
	CecLook lines;
	CecLook assets;
	CecLines carved; /* carve-outs of the list that are accepted */
	CecIds taken;	 /* those of the term whose days they set */
} Outcomes;

/* A problem's message with its facts. */
static char *
problem_message(const CecProblem *problem, const char *name, const char *facts)
{
	char *message = psprintf(problem->message, cec_inclusion_shorten(name));

	return facts == NULL ? message : psprintf("%s. %s", message, facts);
}

static void
open_look(CecLook *look, CecPortfolio *portfolio, const CecSource *source, Snapshot snapshot)
{
	look->source = source;
	look->probe = cec_portfolio_look(portfolio, source, AccessShareLock, InvalidOid, snapshot, &look->columns);
}

static CecDays
in_common(CecDays one, CecDays other)
{
	return (CecDays){Max(one.from, other.from), Min(one.to, other.to)};
}

/* Whether a line of another term includes the asset of the row on some of its days. */
static bool
stands_elsewhere(Outcomes *outcomes, const CecListRow *row)
{
	const CecLook *look = &outcomes->lines;
	TupleTableSlot *line;

	cec_probe_seek(look->probe, row->asset_id);
	while ((line = cec_probe_next(look->probe)) != NULL)
		if (DatumGetInt64(cec_look_value(look, line, CEC_LINE_TERM_ID)) != outcomes->check->term_id &&
			cec_word_is(cec_look_value(look, line, CEC_LINE_EFFECT), "include") &&
			cec_days_overlap(cec_days_of_range(cec_look_value(look, line, CEC_LINE_DURING)), row->days))
			return true;
	return false;
}

/* Whether a row of an asset that is to be included may be wrong by what the register says; notes what is wrong with its tag. */
static bool
is_asset_doubtful(Outcomes *outcomes, CecListRow *row, CecDays days)
{
	const CecLook *look = &outcomes->assets;
	TupleTableSlot *asset = cec_probe_row(look->probe, row->asset_id);

	if (asset == NULL)
		return true;
	row->tag_message = cec_tag_offence(TextDatumGetCString(cec_look_value(look, asset, CEC_ASSET_TAG)),
									   TextDatumGetCString(cec_look_value(look, asset, CEC_ASSET_TAG_SYMBOLOGY)));
	return (row->tag_message != NULL && outcomes->check->refuses_unscannable) ||
		   (!cec_look_isnull(look, asset, CEC_ASSET_DECOMMISSIONED_ON) &&
			DatumGetDateADT(cec_look_value(look, asset, CEC_ASSET_DECOMMISSIONED_ON)) < days.from) ||
		   (!cec_look_isnull(look, asset, CEC_ASSET_COMMISSIONED_ON) &&
			DatumGetDateADT(cec_look_value(look, asset, CEC_ASSET_COMMISSIONED_ON)) >= days.to);
}

static bool
is_doubtful(Outcomes *outcomes, CecListRow *row)
{
	CecDays days = in_common(row->days, outcomes->check->common);

	if (days.from >= days.to)
		return true;
	return row->is_include && (is_asset_doubtful(outcomes, row, days) || stands_elsewhere(outcomes, row));
}

/* Notes at rows what would be wrong with them as new lines; they are not refused yet, since they may change a line. */
static void
explain_rows(Outcomes *outcomes, bool is_include)
{
	CecListCheck *check = outcomes->check;
	const CecProblem *outside = cec_inclusion_problem("days");
	CecLines lines = {0};
	ListCell *cell;

	for (int64 i = 0; i < check->count; i++)
	{
		CecListRow *row = &check->rows[i];

		CHECK_FOR_INTERRUPTS();
		if (row->outcome != CEC_OUTCOME_OPEN || row->is_include != is_include)
			continue;
		row->sqlstate = 0;
		row->constraint = NULL;
		row->message = row->tag_message = NULL;
		if (row->days.from >= row->days.to)
			cec_list_refuse_row(row, outside->sqlstate, outside->constraint,
								problem_message(outside, row->identifier,
												psprintf("Term %s of contract %s runs %s.", check->number,
														 check->contract_number, cec_days_in_words(check->common))));
		else if (is_doubtful(outcomes, row))
			cec_inclusion_add_line(&lines,
								   (CecLine){row->place, 0, row->asset_id, check->term_id, row->days, row->is_include});
	}
	if (lines.count == 0)
		return;
	for (int64 i = 0; is_include && i < outcomes->carved.count; i++)
		cec_inclusion_add_line(&lines, outcomes->carved.lines[i]);
	foreach (cell, cec_inclusion_explain_new(check->portfolio, &lines, &outcomes->taken))
	{
		CecWrongLine *wrong = lfirst(cell);
		CecListRow *row = &check->rows[wrong->place - 1];

		row->sqlstate = wrong->problem->sqlstate;
		row->constraint = wrong->problem->constraint;
		row->message = problem_message(wrong->problem, row->identifier, wrong->facts);
	}
}

/* The lines of an asset on the term, with one effect. */
static Standing *
read_standing(Outcomes *outcomes, const CecListRow *row, int *count)
{
	const CecLook *look = &outcomes->lines;
	int space = 4;
	Standing *result = palloc(space * sizeof(Standing));
	TupleTableSlot *line;

	*count = 0;
	cec_probe_seek(look->probe, row->asset_id);
	while ((line = cec_probe_next(look->probe)) != NULL)
	{
		if (DatumGetInt64(cec_look_value(look, line, CEC_LINE_TERM_ID)) != outcomes->check->term_id ||
			cec_word_is(cec_look_value(look, line, CEC_LINE_EFFECT), "include") != row->is_include)
			continue;
		if (*count == space)
			result = repalloc_huge(result, (space *= 2) * sizeof(Standing));
		result[(*count)++] = (Standing){
			DatumGetInt64(cec_look_value(look, line, CEC_LINE_ID)),
			cec_days_of_range(cec_look_value(look, line, CEC_LINE_DURING)),
			cec_look_isnull(look, line, LINE_NOTE) ? NULL : TextDatumGetCString(cec_look_value(look, line, LINE_NOTE)),
			false};
	}
	return result;
}

/* An earlier row of the asset that speaks of some of the same days and is not refused, or NULL. */
static const CecListRow *
find_earlier(CecListRow **group, int at)
{
	for (int i = 0; i < at; i++)
		if (group[i]->outcome != CEC_OUTCOME_REFUSED && cec_days_overlap(group[i]->days, group[at]->days))
			return group[i];
	return NULL;
}

/* Adds what else is to be said of a row to its message. */
void
cec_list_add_to_message(CecListRow *row, char *message)
{
	row->message = row->message == NULL ? message : psprintf("%s; %s", row->message, message);
}

/* Says that a row is accepted, where its days go beyond the term, and what is wrong with the tag of the asset. */
static void
accept_row(CecListRow *row, CecOutcome outcome, const CecListCheck *check, char *message)
{
	row->outcome = outcome;
	row->sqlstate = 0;
	row->constraint = NULL;
	row->message = message;
	if ((row->days.from < check->common.from || row->days.to > check->common.to) &&
		(row->days.from != check->days.from || row->days.to != check->days.to))
		cec_list_add_to_message(
			row, psprintf("the term has only some of these days: it runs %s", cec_days_in_words(check->common)));
	if (row->tag_message != NULL && (outcome == CEC_OUTCOME_INSERT || outcome == CEC_OUTCOME_UPDATE))
		cec_list_add_to_message(row, psprintf("its tag cannot be scanned: %s", row->tag_message));
}

/* What becomes of a row, given the lines that stand there and the rows before it. */
static void
find_outcome(const CecListCheck *check, CecListRow **group, int at, Standing *standing, int standing_count)
{
	CecListRow *row = group[at];
	Standing *line = NULL;
	const CecListRow *earlier;
	int overlapped = 0;

	for (int i = 0; i < standing_count; i++)
	{
		if (standing[i].is_taken || !cec_days_overlap(standing[i].days, row->days))
			continue;
		overlapped++;
		line = &standing[i];
	}
	if (overlapped > 1)
	{
		const CecProblem *listed = cec_inclusion_problem("listed");

		cec_list_refuse_row(
			row, listed->sqlstate, listed->constraint,
			problem_message(listed, row->identifier,
							psprintf("It stands there in %d lines; a row can set the days of one.", overlapped)));
		return;
	}
	/* A line that keeps its days, or some of them, promises nothing new: inclusion_validate.c does not ask either. */
	if (row->sqlstate != 0 && !(line != NULL && line->days.from <= row->days.from && row->days.to <= line->days.to))
	{
		row->outcome = CEC_OUTCOME_REFUSED;
		return;
	}
	earlier = find_earlier(group, at);
	if (earlier != NULL)
	{
		accept_row(
			row, CEC_OUTCOME_DUPLICATE, check,
			psprintf("the asset stands in row " INT64_FORMAT " already, for some of the same days", earlier->place));
		return;
	}
	if (line == NULL)
	{
		accept_row(row, CEC_OUTCOME_INSERT, check, NULL);
		return;
	}
	line->is_taken = true;
	row->inclusion_id = line->inclusion_id;
	if (line->days.from == row->days.from && line->days.to == row->days.to &&
		(row->note == NULL || (line->note != NULL && strcmp(row->note, line->note) == 0)))
		accept_row(row, CEC_OUTCOME_UNCHANGED, check, NULL);
	else
		accept_row(row, CEC_OUTCOME_UPDATE, check, psprintf("the line is there %s", cec_days_in_words(line->days)));
}

static int
compare_rows(const void *one, const void *other)
{
	const CecListRow *a = *(CecListRow *const *) one;
	const CecListRow *b = *(CecListRow *const *) other;

	if (a->asset_id != b->asset_id)
		return a->asset_id < b->asset_id ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

/* Goes through the rows of one effect, asset by asset, in their order. */
static void
decide_rows(Outcomes *outcomes, bool is_include)
{
	CecListCheck *check = outcomes->check;
	CecListRow **open = palloc_extended(Max(check->count, 1) * sizeof(CecListRow *), MCXT_ALLOC_HUGE);
	int64 open_count = 0;

	for (int64 i = 0; i < check->count; i++)
		if (check->rows[i].outcome == CEC_OUTCOME_OPEN && check->rows[i].is_include == is_include)
			open[open_count++] = &check->rows[i];
	qsort(open, open_count, sizeof(CecListRow *), compare_rows);
	for (int64 i = 0, size; i < open_count; i += size)
	{
		int standing_count;
		Standing *standing = read_standing(outcomes, open[i], &standing_count);

		CHECK_FOR_INTERRUPTS();
		for (size = 0; i + size < open_count && open[i + size]->asset_id == open[i]->asset_id; size++)
			find_outcome(check, &open[i], size, standing, standing_count);
		pfree(standing);
	}
	pfree(open);
}

/* Takes down the carve-outs that there will be, and the lines of which they are made. */
static void
take_carved(Outcomes *outcomes)
{
	CecListCheck *check = outcomes->check;

	for (int64 i = 0; i < check->count; i++)
	{
		CecListRow *row = &check->rows[i];

		if (row->is_include || row->outcome == CEC_OUTCOME_REFUSED || row->outcome == CEC_OUTCOME_DUPLICATE)
			continue;
		cec_inclusion_add_line(&outcomes->carved,
							   (CecLine){row->place, 0, row->asset_id, check->term_id, row->days, false});
		if (row->inclusion_id != 0)
			cec_ids_add(&outcomes->taken, row->inclusion_id);
	}
}

/* Says what becomes of the rows whose assets were found, as the snapshot, which is the active one, shows lists and register. */
void
cec_list_find_outcomes(CecListCheck *check, Snapshot snapshot)
{
	Outcomes outcomes = {check};

	open_look(&outcomes.lines, check->portfolio, &lines_of_asset, snapshot);
	open_look(&outcomes.assets, check->portfolio, &cec_source_asset, snapshot);
	explain_rows(&outcomes, false);
	decide_rows(&outcomes, false);
	take_carved(&outcomes);
	explain_rows(&outcomes, true);
	decide_rows(&outcomes, true);
	cec_probe_end(outcomes.assets.probe);
	cec_probe_end(outcomes.lines.probe);
}
