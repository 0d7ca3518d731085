/*
 * inclusion_refuse.c
 *		Says what is wrong with list lines, all of them at once, and refuses the statement.
 *
 * One query looks at the lines that may be wrong and puts what is wrong into words.  What it finds in tables that the
 * caller may not read is not told.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "change.h"
#include "day_set.h"
#include "inclusion_lines.h"
#include "inclusion_resolve.h"

/* How many wrong lines a message names. */
#define LINES_SHOWN 10

#ifndef BOOLARRAYOID
#define BOOLARRAYOID 1000
#endif
#define DATERANGEARRAYOID 3913

#define LISTED \
	"unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::boolean[], $5::daterange[])" \
	" AS n(inclusion_id, asset_id, term_id, is_include, during)"

/*
 * What is wrong, in words: the name of the asset, the problem (see problems[]), the facts, and a name for those who may
 * not read the register.  A line that was moved to another asset may still say what it was listed as before.  Of two
 * new lines that overlap, the later one is wrong.  OFFSET 0 makes what belongs to a line a look-up by its key.
 */
static const CecQuery explain = {
	"SELECT CASE WHEN i.listed_as IN (a.asset_tag, a.serial_number) OR EXISTS (SELECT FROM @P@.asset_identifier x"
	"   WHERE x.asset_id = a.asset_id AND x.value = i.listed_as) THEN i.listed_as"
	"  ELSE coalesce(a.asset_tag, i.listed_as, pg_catalog.format('asset_id %s', n.asset_id)) END, p.problem,"
	" CASE p.problem"
	"  WHEN 'days' THEN pg_catalog.format('It would be listed for %s, but term %s of contract %s runs through %s.',"
	"   n.during, t.number, c.number, t.during * c.during)"
	"  WHEN 'decommissioned' THEN pg_catalog.format('It is decommissioned on %s, and its cover would start on %s.',"
	"   a.decommissioned_on, lower(d.days))"
	"  WHEN 'commissioned' THEN pg_catalog.format('It is commissioned on %s, and its cover would end on %s.',"
	"   a.commissioned_on, upper(d.days) - 1)"
	"  WHEN 'listed' THEN pg_catalog.format('It already stands on term %s of contract %s for %s.',"
	"   coalesce(t.number, n.term_id::text), coalesce(c.number, 'to come'), s.during)"
	"  ELSE pg_catalog.format('It already stands on term %s of the %s contract %s for %s.', e.term_number, c.kind, e.contract_number, e.during)"
	" END, coalesce(i.listed_as, pg_catalog.format('asset_id %s', n.asset_id))"
	" FROM " LISTED " JOIN @P@.inclusion i ON i.inclusion_id = n.inclusion_id"
	/* a line may come before them, and must not overlap all the same */
	" LEFT JOIN LATERAL (SELECT * FROM @P@.coverage_term WHERE term_id = n.term_id OFFSET 0) AS t ON true"
	" LEFT JOIN LATERAL (SELECT * FROM @P@.contract WHERE contract_id = t.contract_id OFFSET 0) AS c ON true"
	" LEFT JOIN LATERAL (SELECT * FROM @P@.asset WHERE asset_id = n.asset_id OFFSET 0) AS a ON true"
	" CROSS JOIN LATERAL (SELECT n.during * t.during * c.during) AS d(days)"
	" LEFT JOIN LATERAL (SELECT o.during FROM @P@.inclusion o"
	"  WHERE o.asset_id = n.asset_id AND o.term_id = n.term_id AND (o.effect = 'include') = n.is_include"
	"   AND o.during && n.during AND o.inclusion_id <> n.inclusion_id"
	"   AND (o.inclusion_id < n.inclusion_id OR o.inclusion_id <> ALL ($1))"
	"  ORDER BY o.inclusion_id LIMIT 1) AS s ON true"
	" LEFT JOIN LATERAL (SELECT oc.number AS contract_number, ot.number AS term_number, o.during"
	"  FROM @P@.inclusion o"
	"   CROSS JOIN LATERAL (SELECT * FROM @P@.coverage_term WHERE term_id = o.term_id OFFSET 0) AS ot"
	"   CROSS JOIN LATERAL (SELECT * FROM @P@.contract WHERE contract_id = ot.contract_id OFFSET 0) AS oc"
	"  WHERE n.is_include AND c.status = 'active' AND NOT coalesce((SELECT duplicates_allowed FROM @P@.setting), false)"
	"   AND o.asset_id = n.asset_id AND o.effect = 'include' AND oc.contract_id <> c.contract_id"
	"   AND oc.kind = c.kind AND oc.status = 'active' AND o.during && n.during"
	"   AND (o.inclusion_id < n.inclusion_id OR o.inclusion_id <> ALL ($1))"
	/* the days that both would really cover: without suspensions and carve-outs */
	"   AND (datemultirange(d.days) - c.suspensions - coalesce((SELECT range_agg(x.during) FROM @P@.inclusion x"
	"     WHERE x.asset_id = n.asset_id AND x.term_id = n.term_id AND x.effect = 'exclude'), '{}'))"
	"    && (datemultirange(o.during * ot.during * oc.during) - oc.suspensions"
	"     - coalesce((SELECT range_agg(x.during) FROM @P@.inclusion x"
	"     WHERE x.asset_id = n.asset_id AND x.term_id = o.term_id AND x.effect = 'exclude'), '{}'))"
	"  ORDER BY o.inclusion_id LIMIT 1) AS e ON true"
	" CROSS JOIN LATERAL (SELECT CASE"
	"   WHEN isempty(d.days) THEN 'days'"
	"   WHEN n.is_include AND a.decommissioned_on < lower(d.days) THEN 'decommissioned'"
	"   WHEN n.is_include AND a.commissioned_on >= upper(d.days) THEN 'commissioned'"
	"   WHEN s.during IS NOT NULL THEN 'listed'"
	"   WHEN e.contract_number IS NOT NULL THEN 'elsewhere' END) AS p(problem)"
	" WHERE p.problem IS NOT NULL ORDER BY n.inclusion_id",
	5,
	{INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BOOLARRAYOID, DATERANGEARRAYOID},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = {TEXTOID, TEXTOID, TEXTOID, TEXTOID}};

/* Tags next to an unknown one in alphabetical order: where a typing mistake leads. */
static const CecQuery neighbours = {
	"(SELECT asset_tag FROM @P@.asset WHERE asset_tag < $1 ORDER BY asset_tag DESC LIMIT 5)"
	" UNION ALL (SELECT asset_tag FROM @P@.asset WHERE asset_tag > $1 ORDER BY asset_tag LIMIT 5)",
	1,
	{TEXTOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTOID}};

typedef struct Problem
{
	const char *name; /* as in explain */
	int sqlstate;
	const char *constraint;
	const char *message; /* %s: what the asset was listed as */
	const char *hint;
} Problem;

static const Problem problems[] = {
	{"unknown", ERRCODE_FOREIGN_KEY_VIOLATION, "inclusion_listed_as_known", "no asset is known as \"%s\"",
	 "Register the asset first, or see find_asset for what an identifier names."},
	{"ambiguous", ERRCODE_CHECK_VIOLATION, "inclusion_listed_as_unambiguous", "several assets are known as \"%s\"",
	 "List it by its asset tag; find_asset shows the assets that the identifier names."},
	{"another", ERRCODE_CHECK_VIOLATION, "inclusion_listed_as_agrees",
	 "listed_as \"%s\" and asset_id name different assets",
	 "Give one of the two; listed_as alone says which asset it is."},
	{"days", ERRCODE_CHECK_VIOLATION, "inclusion_days_meet_term",
	 "asset \"%s\" would be listed on days outside the term", "Choose days within the term, or extend the term first."},
	{"decommissioned", ERRCODE_CHECK_VIOLATION, "inclusion_asset_not_decommissioned",
	 "asset \"%s\" is decommissioned before its cover would start",
	 "Take it off the list, or mend its decommissioned_on in the register."},
	{"commissioned", ERRCODE_CHECK_VIOLATION, "inclusion_asset_commissioned",
	 "asset \"%s\" is commissioned only after its cover would end",
	 "Choose later days, or mend its commissioned_on in the register."},
	{"listed", ERRCODE_EXCLUSION_VIOLATION, "inclusion_no_overlap",
	 "asset \"%s\" is already listed on this term for some of these days",
	 "Change the line that is there, or choose days that do not overlap."},
	{"elsewhere", ERRCODE_UNIQUE_VIOLATION, "inclusion_one_contract_of_a_kind",
	 "asset \"%s\" already stands on another active contract of the same kind",
	 "End it there first, or allow duplicates in this portfolio's setting."},
};

/* A line that is refused. */
typedef struct WrongLine
{
	const Problem *problem;
	char *listed_as;
	char *facts; /* NULL: nothing to add */
} WrongLine;

static const Problem *
find_problem(const char *name)
{
	for (int i = 0; i < (int) lengthof(problems); i++)
		if (strcmp(problems[i].name, name) == 0)
			return &problems[i];
	elog(ERROR, "unknown problem \"%s\"", name);
	return NULL;
}

/* Lines as the arguments of explain. */
static void
lines_as_args(const CecLines *lines, Datum *args)
{
	Datum *columns[5];

	for (int i = 0; i < 5; i++)
		columns[i] = palloc_extended(lines->count * sizeof(Datum), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < lines->count; i++)
	{
		columns[0][i] = Int64GetDatum(lines->lines[i].inclusion_id);
		columns[1][i] = Int64GetDatum(lines->lines[i].asset_id);
		columns[2][i] = Int64GetDatum(lines->lines[i].term_id);
		columns[3][i] = BoolGetDatum(lines->lines[i].is_include);
		columns[4][i] = cec_range_of_days(lines->lines[i].during);
	}
	for (int i = 0; i < 3; i++)
		args[i] = PointerGetDatum(
			construct_array(columns[i], lines->count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	args[3] = PointerGetDatum(construct_array(columns[3], lines->count, BOOLOID, sizeof(bool), true, TYPALIGN_CHAR));
	args[4] = PointerGetDatum(construct_array(columns[4], lines->count, DATERANGEOID, -1, false, TYPALIGN_INT));
}

static char *
result_text(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

/* What is wrong with the doubtful lines, as WrongLine; those with which nothing is are not in it. */
List *
cec_inclusion_explain_lines(CecChange *change, const CecLines *doubtful)
{
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	List *wrong = NIL;
	Datum args[5];
	uint64 rows;
	bool may_read_list = cec_change_may_tell(change, "inclusion");
	bool may_read = may_read_list && cec_change_may_tell(change, "asset") &&
					cec_change_may_tell(change, "coverage_term") && cec_change_may_tell(change, "contract");

	lines_as_args(doubtful, args);
	SPI_connect();
	rows = cec_query_run(change->portfolio->plans, &explain, args, NULL, 0);
	old = MemoryContextSwitchTo(cxt);
	for (uint64 i = 0; i < rows; i++)
	{
		WrongLine *line = palloc(sizeof(WrongLine));

		/* An INSERT said it itself. */
		if (may_read_list || change->operation == CEC_INSERT)
			line->listed_as = result_text(i, may_read ? 1 : 4);
		else
			line->listed_as = "...";
		line->problem = find_problem(result_text(i, 2));
		line->facts = may_read ? result_text(i, 3) : NULL;
		wrong = lappend(wrong, line);
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	return wrong;
}

/* A registered tag that is nearly what was typed, or NULL. */
static char *
find_similar_tag(CecChange *change, const char *typed)
{
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	Datum arg = CStringGetTextDatum(typed);
	char *best = NULL;
	int best_distance = 3;
	uint64 rows;

	/* varstr_levenshtein takes no more than 255 bytes. */
	if (strlen(typed) > 255 || !cec_change_may_tell(change, "asset"))
		return NULL;
	SPI_connect();
	rows = cec_query_run(change->portfolio->plans, &neighbours, &arg, NULL, 0);
	old = MemoryContextSwitchTo(cxt);
	for (uint64 i = 0; i < rows; i++)
	{
		char *tag = result_text(i, 1);
		int distance;

		if (strlen(tag) > 255)
			continue;
		distance = varstr_levenshtein_less_equal(typed, strlen(typed), tag, strlen(tag), 1, 1, 1, best_distance, true);
		if (distance < best_distance)
		{
			best = tag;
			best_distance = distance;
		}
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	return best;
}

/* What is wrong with lines that name no asset or several, as WrongLine. */
List *
cec_inclusion_explain_unresolved(CecChange *change, List *unresolved)
{
	List *wrong = NIL;
	ListCell *cell;

	foreach (cell, unresolved)
	{
		CecUnresolved *from = lfirst(cell);
		WrongLine *line = palloc(sizeof(WrongLine));

		line->listed_as = from->listed_as;
		line->problem = find_problem(from->matches == 0					  ? "unknown"
									 : from->matches == CEC_NAMES_ANOTHER ? "another"
																		  : "ambiguous");
		line->facts = NULL;
		if (from->matches == 0 && list_length(wrong) < LINES_SHOWN)
		{
			char *similar = find_similar_tag(change, from->listed_as);

			if (similar != NULL)
				line->facts = psprintf("Perhaps \"%s\" was meant.", similar);
		}
		else if (from->matches == CEC_NAMES_ANOTHER)
			line->facts = "The asset that asset_id gives does not bear it as tag, serial number or other identifier.";
		else if (from->matches > 0)
			line->facts = "More than one asset bears it as tag, serial number or other identifier.";
		wrong = lappend(wrong, line);
	}
	return wrong;
}

/* At most so many bytes of a text that somebody typed, cut between characters. */
static char *
shorten(const char *text)
{
	int len = strlen(text);

	if (len <= 100)
		return pstrdup(text);
	return psprintf("%.*s...", pg_mbcliplen(text, len, 100), text);
}

static void
append_line(StringInfo detail, const WrongLine *line)
{
	appendStringInfo(detail, line->problem->message, shorten(line->listed_as));
	appendStringInfoChar(detail, '.');
	if (line->facts != NULL)
		appendStringInfo(detail, " %s", line->facts);
}

/* Refuses the statement: one wrong line with its facts, several as a list. */
void
cec_inclusion_refuse(CecChange *change, List *wrong, int64 line_count)
{
	WrongLine *first = linitial(wrong);
	StringInfoData detail;
	char *message;
	int shown = 0;
	ListCell *cell;

	initStringInfo(&detail);
	if (list_length(wrong) == 1)
	{
		message = psprintf(first->problem->message, shorten(first->listed_as));
		if (first->facts != NULL)
			appendStringInfoString(&detail, first->facts);
		else
			appendStringInfo(&detail, "It is one of " INT64_FORMAT " line(s) in this statement; none was stored.",
							 line_count);
	}
	else
	{
		message = psprintf("%d of " INT64_FORMAT " list lines are refused", list_length(wrong), line_count);
		foreach (cell, wrong)
		{
			if (shown > 0)
				appendStringInfoChar(&detail, '\n');
			if (shown++ == LINES_SHOWN)
			{
				appendStringInfo(&detail, "And %d more.", list_length(wrong) - LINES_SHOWN);
				break;
			}
			append_line(&detail, lfirst(cell));
		}
	}
	ereport(ERROR,
			(errcode(first->problem->sqlstate), errmsg_internal("%s", message), errdetail_internal("%s", detail.data),
			 errhint("%s", first->problem->hint), errtableconstraint(change->rel, first->problem->constraint)));
}
