/*
 * inclusion_check.c
 *		cec._check_inclusions: what would become of the lines of a list, all of them, changing nothing.
 *
 * Each row is read, its asset is found, and what would be wrong with it as a new line is asked once for all.  Then the rows
 * of each asset are gone through in their order, as if they were written one after the other: which line of the term a row
 * would change, and which rows say again what an earlier one has said.
 *
 * Reads with the snapshot of the caller's statement, as the caller, who must be allowed to read all that is looked at.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "inclusion/inclusion_lines.h"
#include "registry/identifier_key.h"
#include "registry/identifier_named.h"
#include "support/act_as.h"
#include "support/probe.h"

PG_FUNCTION_INFO_V1(cec_check_inclusions);

#define CHECK_COLUMNS 8

static const CecQuery require_version = {
	"SELECT cec._require_version($1::regnamespace)", 1, {OIDOID}, CURSOR_OPT_GENERIC_PLAN, .results = {VOIDOID}};

static const CecQuery find_term = {
	"SELECT t.during, c.during, t.number, c.number FROM @P@.coverage_term t JOIN @P@.contract c USING (contract_id)"
	" WHERE t.term_id = $1",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {DATERANGEOID, DATERANGEOID, TEXTOID, TEXTOID}};

/* Rows as they were given, and what of them is no row at all. */
static const CecQuery read_rows = {
	"SELECT r.row ->> 'identifier', cec.as_date(r.row ->> 'first_day'), cec.as_date(r.row ->> 'last_day'),"
	" coalesce(r.row ->> 'effect', 'include'), r.row ->> 'note',"
	" CASE WHEN jsonb_typeof(r.row) <> 'object' THEN 'a row is not an object'"
	"  WHEN u.key IS NOT NULL THEN format('\"%s\" is not a key of a row', left(u.key, 40))"
	"  WHEN coalesce(jsonb_typeof(r.row -> 'identifier'), 'null') = 'null' THEN 'a row names no asset'"
	"  WHEN jsonb_typeof(r.row -> 'identifier') NOT IN ('string', 'number') THEN 'an identifier is neither a text nor a number'"
	"  WHEN b.day IS NOT NULL THEN format('\"%s\" is not a day written as YYYY-MM-DD', left(b.day, 40))"
	"  WHEN cec.as_date(r.row ->> 'first_day') > cec.as_date(r.row ->> 'last_day')"
	"   THEN 'the first day comes after the last day' END"
	" FROM jsonb_array_elements($1) WITH ORDINALITY AS r(row, place)"
	" LEFT JOIN LATERAL (SELECT k.key FROM jsonb_object_keys(CASE jsonb_typeof(r.row) WHEN 'object' THEN r.row ELSE '{}' END)"
	"  AS k(key) WHERE k.key <> ALL ('{identifier,first_day,last_day,effect,note}') ORDER BY k.key LIMIT 1) AS u ON true"
	" LEFT JOIN LATERAL (SELECT d.day FROM (VALUES (r.row ->> 'first_day'), (r.row ->> 'last_day')) AS d(day)"
	"  WHERE d.day IS NOT NULL AND cec.as_date(d.day) IS NULL LIMIT 1) AS b ON true"
	" ORDER BY r.place",
	1,
	{JSONBOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTOID, DATEOID, DATEOID, TEXTOID, TEXTOID, TEXTOID}};

typedef enum Outcome
{
	OUTCOME_OPEN,
	OUTCOME_INSERT,
	OUTCOME_UPDATE,
	OUTCOME_UNCHANGED,
	OUTCOME_DUPLICATE,
	OUTCOME_REFUSED
} Outcome;

static const char *const outcomes[] = {NULL, "insert", "update", "unchanged", "duplicate", "refused"};

typedef struct CheckRow
{
	int64 place; /* from 1 */
	char *identifier;
	char *note;
	CecDays days;
	bool is_include;
	bool is_found; /* asset_id is set */
	int64 asset_id;
	Outcome outcome;
	int sqlstate; /* of a refused row, or of one that would be refused as a new line */
	const char *constraint;
	char *message;
	char *suggestion;
} CheckRow;

typedef struct CheckTerm
{
	int64 term_id;
	CecDays days;
	CecDays common; /* with the contract */
	char *number;
	char *contract_number;
} CheckTerm;

/* A line that stands on the term. */
typedef struct Standing
{
	int64 inclusion_id;
	CecDays days;
	char *note;
	bool is_taken; /* an earlier row has set its days */
} Standing;

static const char *const tables[] = {"asset", "asset_identifier", "inclusion", "contract", "coverage_term", "setting"};

/* Raises 42501 for a caller who may not read everything that is looked at. */
static void
require_rights(CecPortfolio *portfolio)
{
	for (int i = 0; i < lengthof(tables); i++)
	{
		Oid relid = cec_portfolio_table(portfolio, tables[i]);

		if (cec_may_read_all(GetUserId(), relid))
			continue;
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for table %s", tables[i]),
						errdetail("Lists are checked against the whole register, all contracts and all lists."),
						errhint("It needs SELECT on the table %s, without row-level security.", tables[i])));
	}
}

static char *
text_of(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

static Datum
value_of(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

/* The term, or 23503; in cxt. */
static CheckTerm
read_term(CecPortfolio *portfolio, int64 term_id, MemoryContext cxt)
{
	CheckTerm term = {.term_id = term_id};
	Datum arg = Int64GetDatum(term_id);
	MemoryContext old;
	CecDays contract;
	bool isnull;

	SPI_connect();
	if (cec_query_read(portfolio->plans, &find_term, &arg, NULL) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION), errmsg("there is no coverage term " INT64_FORMAT, term_id),
				 errhint("The table coverage_term lists the terms."),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "inclusion_term_id_fkey")));
	old = MemoryContextSwitchTo(cxt);
	term.days = cec_days_of_range(value_of(0, 1, &isnull));
	contract = cec_days_of_range(value_of(0, 2, &isnull));
	term.common = (CecDays){Max(term.days.from, contract.from), Min(term.days.to, contract.to)};
	term.number = text_of(0, 3);
	term.contract_number = text_of(0, 4);
	MemoryContextSwitchTo(old);
	SPI_finish();
	return term;
}

static void
refuse_row(CheckRow *row, int sqlstate, const char *constraint, const char *message)
{
	row->outcome = OUTCOME_REFUSED;
	row->sqlstate = sqlstate;
	row->constraint = constraint;
	row->message = pstrdup(message);
}

/* A problem's message with its facts. */
static char *
problem_message(const CecProblem *problem, const char *name, const char *facts)
{
	char *message = psprintf(problem->message, cec_inclusion_shorten(name));

	return facts == NULL ? message : psprintf("%s. %s", message, facts);
}

/* The rows, in order; those that are none are refused. */
static CheckRow *
take_rows(CecPortfolio *portfolio, Datum given, const CheckTerm *term, int64 *count)
{
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	CheckRow *rows;

	SPI_connect();
	*count = cec_query_read(portfolio->plans, &read_rows, &given, NULL);
	old = MemoryContextSwitchTo(cxt);
	rows = palloc_extended(Max(*count, 1) * sizeof(CheckRow), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 i = 0; i < *count; i++)
	{
		CheckRow *row = &rows[i];
		const char *effect = text_of(i, 4);
		char *malformed = text_of(i, 6);
		bool no_first, no_last;
		Datum first = value_of(i, 2, &no_first);
		Datum last = value_of(i, 3, &no_last);

		row->place = i + 1;
		row->identifier = text_of(i, 1);
		row->note = text_of(i, 5);
		row->is_include = strcmp(effect, "include") == 0;
		row->days.from = no_first ? term->days.from : DatumGetDateADT(first);
		row->days.to = no_last ? term->days.to : DatumGetDateADT(last) + 1;
		if (malformed != NULL)
			refuse_row(row, ERRCODE_INVALID_PARAMETER_VALUE, NULL, malformed);
		else if (!row->is_include && strcmp(effect, "exclude") != 0)
			refuse_row(row, ERRCODE_CHECK_VIOLATION, "inclusion_effect_known",
					   psprintf("the effect \"%.40s\" is not known. It is include or exclude.", effect));
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	return rows;
}

/* Finds the assets of the rows; refuses those that name none or several. */
static void
find_assets(CecPortfolio *portfolio, CheckRow *rows, int64 count, Snapshot snapshot)
{
	CecNear *near = NULL;
	CecNamed search;

	cec_named_begin(&search, portfolio, snapshot);
	for (int64 i = 0; i < count; i++)
	{
		CheckRow *row = &rows[i];
		bool has_days = row->days.from < row->days.to;
		const CecProblem *problem;
		int matches;

		CHECK_FOR_INTERRUPTS();
		if (row->outcome == OUTCOME_REFUSED)
			continue;
		matches =
			cec_named_find(&search, CStringGetTextDatum(row->identifier), has_days ? &row->days : NULL, &row->asset_id);
		row->is_found = matches == 1;
		if (row->is_found)
			continue;
		problem = cec_inclusion_problem(matches == 0 ? "unknown" : "ambiguous");
		refuse_row(row, problem->sqlstate, problem->constraint, problem_message(problem, row->identifier, NULL));
		if (matches > 0)
			continue;
		if (near == NULL)
			near = cec_near_begin(portfolio, snapshot);
		row->suggestion = cec_near_find(near, row->identifier, has_days ? &row->days : NULL);
	}
	cec_named_end(&search);
	if (near != NULL)
		cec_near_end(near);
}

/* Notes at rows what would be wrong with them as new lines; they are not refused yet, since they may change a line. */
static void
explain_rows(CecPortfolio *portfolio, const CheckTerm *term, CheckRow *rows, int64 count)
{
	const CecProblem *outside = cec_inclusion_problem("days");
	CecLines lines = {0};
	ListCell *cell;

	lines.lines = palloc_extended(Max(count, 1) * sizeof(CecLine), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < count; i++)
	{
		CheckRow *row = &rows[i];

		if (!row->is_found)
			continue;
		if (row->days.from >= row->days.to)
			refuse_row(row, outside->sqlstate, outside->constraint,
					   problem_message(outside, row->identifier,
									   psprintf("Term %s of contract %s runs %s.", term->number, term->contract_number,
												cec_days_in_words(term->common))));
		else
			lines.lines[lines.count++] =
				(CecLine){row->place, 0, row->asset_id, term->term_id, row->days, row->is_include};
	}
	foreach (cell, cec_inclusion_explain_new(portfolio, &lines))
	{
		CecWrongLine *wrong = lfirst(cell);
		CheckRow *row = &rows[wrong->place - 1];

		row->sqlstate = wrong->problem->sqlstate;
		row->constraint = wrong->problem->constraint;
		row->message = problem_message(wrong->problem, row->identifier, wrong->facts);
	}
}

/* The lines of an asset on the term, with one effect. */
static Standing *
read_standing(CecProbe *probe, int64 asset_id, int64 term_id, bool is_include, int *count)
{
	AttrNumber inclusion_id = cec_probe_column(probe, "inclusion_id", INT8OID);
	AttrNumber term = cec_probe_column(probe, "term_id", INT8OID);
	AttrNumber effect = cec_probe_column(probe, "effect", TEXTOID);
	AttrNumber during = cec_probe_column(probe, "during", DATERANGEOID);
	AttrNumber note = cec_probe_nullable_column(probe, "note", TEXTOID);
	int space = 4;
	Standing *result = palloc(space * sizeof(Standing));
	TupleTableSlot *line;

	*count = 0;
	cec_probe_seek(probe, asset_id);
	while ((line = cec_probe_next(probe)) != NULL)
	{
		Standing *standing;

		if (DatumGetInt64(line->tts_values[term - 1]) != term_id ||
			(strcmp(TextDatumGetCString(line->tts_values[effect - 1]), "include") == 0) != is_include)
			continue;
		if (*count == space)
			result = repalloc_huge(result, (space *= 2) * sizeof(Standing));
		standing = &result[(*count)++];
		standing->inclusion_id = DatumGetInt64(line->tts_values[inclusion_id - 1]);
		standing->days = cec_days_of_range(line->tts_values[during - 1]);
		standing->note = line->tts_isnull[note - 1] ? NULL : TextDatumGetCString(line->tts_values[note - 1]);
		standing->is_taken = false;
	}
	return result;
}

/* An earlier row of the asset that speaks of some of the same days and is not refused, or NULL. */
static const CheckRow *
find_earlier(CheckRow **group, int at)
{
	for (int i = 0; i < at; i++)
		if (group[i]->outcome != OUTCOME_REFUSED && cec_days_overlap(group[i]->days, group[at]->days))
			return group[i];
	return NULL;
}

/* Says that a row is accepted, and where its days go beyond the term. */
static void
accept_row(CheckRow *row, Outcome outcome, const CheckTerm *term, char *message)
{
	row->outcome = outcome;
	row->sqlstate = 0;
	row->constraint = NULL;
	row->message = message;
	if ((row->days.from < term->common.from || row->days.to > term->common.to) &&
		(row->days.from != term->days.from || row->days.to != term->days.to))
		row->message = psprintf("%s%sthe term has only some of these days: it runs %s", message == NULL ? "" : message,
								message == NULL ? "" : "; ", cec_days_in_words(term->common));
}

/* What becomes of a row, given the lines that stand there and the rows before it. */
static void
find_outcome(CheckRow **group, int at, Standing *standing, int standing_count, const CheckTerm *term)
{
	CheckRow *row = group[at];
	Standing *line = NULL;
	const CheckRow *earlier;
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

		refuse_row(
			row, listed->sqlstate, listed->constraint,
			problem_message(listed, row->identifier,
							psprintf("It stands there in %d lines; a row can set the days of one.", overlapped)));
		return;
	}
	/* A line that keeps its days, or some of them, promises nothing new: inclusion_validate.c does not ask either. */
	if (row->sqlstate != 0 && !(line != NULL && line->days.from <= row->days.from && row->days.to <= line->days.to))
	{
		row->outcome = OUTCOME_REFUSED;
		return;
	}
	earlier = find_earlier(group, at);
	if (earlier != NULL)
	{
		accept_row(
			row, OUTCOME_DUPLICATE, term,
			psprintf("the asset stands in row " INT64_FORMAT " already, for some of the same days", earlier->place));
		return;
	}
	if (line == NULL)
	{
		accept_row(row, OUTCOME_INSERT, term, NULL);
		return;
	}
	line->is_taken = true;
	if (line->days.from == row->days.from && line->days.to == row->days.to &&
		(row->note == NULL || (line->note != NULL && strcmp(row->note, line->note) == 0)))
		accept_row(row, OUTCOME_UNCHANGED, term, NULL);
	else
		accept_row(row, OUTCOME_UPDATE, term, psprintf("the line is there %s", cec_days_in_words(line->days)));
}

static int
compare_rows(const void *one, const void *other)
{
	const CheckRow *a = *(CheckRow *const *) one;
	const CheckRow *b = *(CheckRow *const *) other;

	if (a->asset_id != b->asset_id)
		return a->asset_id < b->asset_id ? -1 : 1;
	if (a->is_include != b->is_include)
		return a->is_include ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

/* Goes through the rows of each asset and effect in their order. */
static void
find_outcomes(CecPortfolio *portfolio, const CheckTerm *term, CheckRow *rows, int64 count, Snapshot snapshot)
{
	CheckRow **open = palloc_extended(Max(count, 1) * sizeof(CheckRow *), MCXT_ALLOC_HUGE);
	CecProbe *probe =
		cec_probe_begin(cec_portfolio_open(portfolio, "inclusion", AccessShareLock), "asset_id", snapshot);
	int64 open_count = 0;

	for (int64 i = 0; i < count; i++)
		if (rows[i].outcome == OUTCOME_OPEN)
			open[open_count++] = &rows[i];
	qsort(open, open_count, sizeof(CheckRow *), compare_rows);
	for (int64 i = 0, size; i < open_count; i += size)
	{
		int standing_count;
		Standing *standing =
			read_standing(probe, open[i]->asset_id, term->term_id, open[i]->is_include, &standing_count);

		CHECK_FOR_INTERRUPTS();
		for (size = 0; i + size < open_count && open[i + size]->asset_id == open[i]->asset_id &&
					   open[i + size]->is_include == open[i]->is_include;
			 size++)
			find_outcome(&open[i], size, standing, standing_count, term);
	}
	cec_probe_end(probe);
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

static void
put_row(ReturnSetInfo *result, const CheckRow *row)
{
	Datum values[CHECK_COLUMNS] = {Int64GetDatum(row->place)};
	bool isnull[CHECK_COLUMNS] = {false};

	values[1] = text_or_null(row->identifier, &isnull[1]);
	values[2] = CStringGetTextDatum(outcomes[row->outcome]);
	values[3] = text_or_null(row->sqlstate == 0 ? NULL : unpack_sql_state(row->sqlstate), &isnull[3]);
	values[4] = text_or_null(row->constraint, &isnull[4]);
	values[5] = text_or_null(row->message, &isnull[5]);
	values[6] = Int64GetDatum(row->asset_id);
	isnull[6] = !row->is_found;
	values[7] = text_or_null(row->suggestion, &isnull[7]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

static void
check_arguments(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("term and rows must not be NULL"),
				 errhint("Rows are a JSON array: [{\"identifier\": \"P-0001\", \"first_day\": \"2026-01-01\"}].")));
	if (!JB_ROOT_IS_ARRAY(PG_GETARG_JSONB_P(2)) || JB_ROOT_IS_SCALAR(PG_GETARG_JSONB_P(2)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("rows are not a JSON array"),
				 errhint("Rows are a JSON array: [{\"identifier\": \"P-0001\", \"first_day\": \"2026-01-01\"}].")));
}

/* cec._check_inclusions(portfolio, term_id, rows) */
Datum
cec_check_inclusions(PG_FUNCTION_ARGS)
{
	CecPortfolio *portfolio;
	Datum schema = PG_GETARG_DATUM(0);
	Snapshot snapshot;
	CheckTerm term;
	CheckRow *rows;
	int64 count;

	check_arguments(fcinfo);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	cec_portfolio_pin();
	portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	SPI_connect();
	(void) cec_query_read(portfolio->plans, &require_version, &schema, NULL);
	SPI_finish();
	require_rights(portfolio);
	snapshot = RegisterSnapshot(GetActiveSnapshot());
	term = read_term(portfolio, PG_GETARG_INT64(1), CurrentMemoryContext);
	rows = take_rows(portfolio, PG_GETARG_DATUM(2), &term, &count);
	find_assets(portfolio, rows, count, snapshot);
	explain_rows(portfolio, &term, rows, count);
	find_outcomes(portfolio, &term, rows, count, snapshot);
	UnregisterSnapshot(snapshot);
	cec_portfolio_unpin();
	for (int64 i = 0; i < count; i++)
		put_row((ReturnSetInfo *) fcinfo->resultinfo, &rows[i]);
	return (Datum) 0;
}
