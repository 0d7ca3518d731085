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
#include "utils/snapmgr.h"

#include "inclusion/inclusion_lines.h"
#include "inclusion/inclusion_resolve.h"
#include "portfolio/change.h"
#include "registry/identifier_key.h"
#include "registry/identifier_named.h"
#include "support/day_set.h"

/* How many wrong lines a message names. */
#define LINES_SHOWN 10

#ifndef BOOLARRAYOID
#define BOOLARRAYOID 1000
#endif
#define DATERANGEARRAYOID 3913

#define LISTED "unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::boolean[], $5::daterange[])"
#define LINE_COLUMNS "(inclusion_id, asset_id, term_id, is_include, during)"

/*
 * What is wrong, in words: the tag of the asset, the problem (see problems[]), the facts, and what it was listed as.  Of two
 * new lines that overlap, the later one is wrong.  Lines that are not stored yet have keys below 0, and what is said of
 * them does not speak of overlaps on their own term ($6); carve-outs of it that will have other days ($7) do not count.
 * OFFSET 0 makes what belongs to a line a look-up by its key.
 */
static const CecQuery explain = {
	"WITH carved AS (SELECT x.asset_id, x.term_id, range_agg(x.during) AS days FROM " LISTED "  AS x" LINE_COLUMNS
	" WHERE NOT x.is_include GROUP BY 1, 2)"
	" SELECT a.asset_tag, p.problem,"
	" CASE p.problem"
	"  WHEN 'days' THEN pg_catalog.format('It would be listed %s, but term %s of contract %s runs %s.',"
	"   cec._days_in_words(n.during), t.number, c.number, cec._days_in_words(t.during * c.during))"
	"  WHEN 'decommissioned' THEN pg_catalog.format('It is decommissioned on %s, and its cover would start on %s.',"
	"   a.decommissioned_on, lower(d.days))"
	"  WHEN 'commissioned' THEN pg_catalog.format('It is commissioned on %s, and its cover would end on %s.',"
	"   a.commissioned_on, upper(d.days) - 1)"
	"  WHEN 'listed' THEN pg_catalog.format('It already stands on term %s of contract %s, %s.',"
	"   coalesce(t.number, n.term_id::text), coalesce(c.number, 'to come'), cec._days_in_words(s.during))"
	"  WHEN 'unscannable' THEN pg_catalog.format('\"%s\" in %s: %s.', a.asset_tag, a.tag_symbology,"
	"   (cec.check_tag(a.asset_tag, a.tag_symbology)).message)"
	"  ELSE pg_catalog.format('It already stands on term %s of the %s contract %s, %s.', e.term_number, c.kind,"
	"   e.contract_number, cec._days_in_words(e.during))"
	" END, i.listed_as, n.inclusion_id"
	" FROM " LISTED " AS n" LINE_COLUMNS
	" LEFT JOIN LATERAL (SELECT * FROM @P@.inclusion WHERE inclusion_id = n.inclusion_id OFFSET 0) AS i ON true"
	" LEFT JOIN carved v ON v.asset_id = n.asset_id AND v.term_id = n.term_id"
	/* a line may come before them, and must not overlap all the same */
	" LEFT JOIN LATERAL (SELECT * FROM @P@.coverage_term WHERE term_id = n.term_id OFFSET 0) AS t ON true"
	" LEFT JOIN LATERAL (SELECT * FROM @P@.contract WHERE contract_id = t.contract_id OFFSET 0) AS c ON true"
	" LEFT JOIN LATERAL (SELECT * FROM @P@.asset WHERE asset_id = n.asset_id OFFSET 0) AS a ON true"
	" CROSS JOIN LATERAL (SELECT n.during * t.during * c.during) AS d(days)"
	" LEFT JOIN LATERAL (SELECT o.during FROM @P@.inclusion o"
	"  WHERE $6 AND o.asset_id = n.asset_id AND o.term_id = n.term_id AND (o.effect = 'include') = n.is_include"
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
	"     WHERE x.asset_id = n.asset_id AND x.term_id = n.term_id AND x.effect = 'exclude'"
	"      AND x.inclusion_id <> ALL ($7)), '{}') - coalesce(v.days, '{}'))"
	"    && (datemultirange(o.during * ot.during * oc.during) - oc.suspensions"
	"     - coalesce((SELECT range_agg(x.during) FROM @P@.inclusion x"
	"     WHERE x.asset_id = n.asset_id AND x.term_id = o.term_id AND x.effect = 'exclude'), '{}'))"
	"  ORDER BY o.inclusion_id LIMIT 1) AS e ON true"
	" CROSS JOIN LATERAL (SELECT CASE"
	"   WHEN isempty(d.days) THEN 'days'"
	"   WHEN n.is_include AND a.decommissioned_on < lower(d.days) THEN 'decommissioned'"
	"   WHEN n.is_include AND a.commissioned_on >= upper(d.days) THEN 'commissioned'"
	"   WHEN s.during IS NOT NULL THEN 'listed'"
	"   WHEN e.contract_number IS NOT NULL THEN 'elsewhere'"
	"   WHEN n.is_include AND coalesce((SELECT refuse_unscannable FROM @P@.setting), false)"
	"    AND NOT (cec.check_tag(a.asset_tag, a.tag_symbology)).is_scannable THEN 'unscannable' END) AS p(problem)"
	" WHERE p.problem IS NOT NULL ORDER BY n.inclusion_id",
	7,
	{INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BOOLARRAYOID, DATERANGEARRAYOID, BOOLOID, INT8ARRAYOID},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID}};

static const CecProblem problems[] = {
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
	 "Take it off the list, or correct its decommissioned_on in the register."},
	{"commissioned", ERRCODE_CHECK_VIOLATION, "inclusion_asset_commissioned",
	 "asset \"%s\" is commissioned only after its cover would end",
	 "Choose later days, or correct its commissioned_on in the register."},
	{"listed", ERRCODE_EXCLUSION_VIOLATION, "inclusion_no_overlap",
	 "asset \"%s\" is already listed on this term for some of these days",
	 "Change the line that is there, or choose days that do not overlap."},
	{"elsewhere", ERRCODE_UNIQUE_VIOLATION, "inclusion_one_contract_of_a_kind",
	 "asset \"%s\" already stands on another active contract of the same kind",
	 "End it there first, or allow duplicates in this portfolio's setting."},
	{"unscannable", ERRCODE_CHECK_VIOLATION, "inclusion_tag_scannable", "the tag of asset \"%s\" cannot be scanned",
	 "Give the asset another tag or symbology; cec.check_tag says which tags can be scanned."},
};

/* What may be wrong with a line, by its name. */
const CecProblem *
cec_inclusion_problem(const char *name)
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

static int
compare_ids(const void *one, const void *other)
{
	int64 a = ((const CecLine *) one)->inclusion_id;
	int64 b = ((const CecLine *) other)->inclusion_id;

	return a < b ? -1 : a > b;
}

/* What a message may say of lines: all, what the statement itself gave, or nothing. */
typedef enum Telling
{
	TELL_NOTHING,
	TELL_GIVEN,
	TELL_ALL
} Telling;

static bool
is_of_lines(const CecChange *change)
{
	return strcmp(change->table_name, "inclusion") == 0;
}

static Telling
find_telling(CecChange *change)
{
	bool may_read_list = cec_change_may_tell(change, "inclusion");

	if (may_read_list && cec_change_may_tell(change, "asset") && cec_change_may_tell(change, "coverage_term") &&
		cec_change_may_tell(change, "contract"))
		return TELL_ALL;
	/* An INSERT said it itself. */
	return may_read_list || (is_of_lines(change) && change->operation == CEC_INSERT) ? TELL_GIVEN : TELL_NOTHING;
}

/* What a line is called that explain has found: as it was listed where its asset bears that on any day, else by its tag. */
static char *
name_line(CecPortfolio *portfolio, const CecLine *line, uint64 row, Telling telling)
{
	char *tag = result_text(row, 1);
	char *listed_as = result_text(row, 4);
	bool is_borne = listed_as != NULL;

	if (telling == TELL_NOTHING)
		return "...";
	if (telling == TELL_ALL && tag != NULL && listed_as != NULL)
	{
		Snapshot snapshot = cec_latest_snapshot();

		is_borne = cec_named_bears(portfolio, line->asset_id, CStringGetTextDatum(listed_as), NULL, snapshot);
		UnregisterSnapshot(snapshot);
	}
	if (telling == TELL_ALL && tag != NULL && !is_borne)
		return tag;
	return listed_as != NULL ? listed_as : psprintf("asset_id " INT64_FORMAT, line->asset_id);
}

/* What explain has found, as CecWrongLine in the current memory context; what it is about only where that may be told. */
static List *
take_wrong_lines(CecPortfolio *portfolio, CecLines *lines, uint64 rows, Telling telling, MemoryContext cxt)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);
	List *wrong = NIL;

	for (uint64 i = 0; i < rows; i++)
	{
		CecWrongLine *line = palloc(sizeof(CecWrongLine));
		CecLine key = {0};
		const CecLine *about;
		bool isnull;

		key.inclusion_id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 5, &isnull));
		line->inclusion_id = key.inclusion_id;
		about = bsearch(&key, lines->lines, lines->count, sizeof(CecLine), compare_ids);
		line->place = about->place;
		line->listed_as = name_line(portfolio, about, i, telling);
		line->problem = cec_inclusion_problem(result_text(i, 2));
		line->facts = telling == TELL_ALL ? result_text(i, 3) : NULL;
		wrong = lappend(wrong, line);
	}
	MemoryContextSwitchTo(old);
	return wrong;
}

/*
 * What is wrong with the doubtful lines, as CecWrongLine; those with which nothing is are not in it.  Puts the lines in order
 * of their keys.
 */
List *
cec_inclusion_explain_lines(CecChange *change, CecLines *doubtful)
{
	MemoryContext cxt = CurrentMemoryContext;
	List *wrong;
	CecIds taken = {0};
	Datum args[7];

	qsort(doubtful->lines, doubtful->count, sizeof(CecLine), compare_ids);
	lines_as_args(doubtful, args);
	args[5] = BoolGetDatum(true);
	args[6] = cec_ids_as_array(&taken);
	SPI_connect();
	wrong =
		take_wrong_lines(change->portfolio, doubtful, cec_query_run(change->portfolio->plans, &explain, args, NULL, 0),
						 find_telling(change), cxt);
	SPI_finish();
	return wrong;
}

/*
 * The same for lines that are not stored, and get keys below 0 by their places; but not whether they overlap others of their
 * term.  The days of carve-outs that are taken are those of lines given.  With the caller's rights and the active snapshot.
 */
List *
cec_inclusion_explain_new(CecPortfolio *portfolio, CecLines *lines, const CecIds *taken)
{
	MemoryContext cxt = CurrentMemoryContext;
	List *wrong;
	Datum args[7];

	for (int64 i = 0; i < lines->count; i++)
		lines->lines[i].inclusion_id = -lines->lines[i].place;
	qsort(lines->lines, lines->count, sizeof(CecLine), compare_ids);
	lines_as_args(lines, args);
	args[5] = BoolGetDatum(false);
	args[6] = cec_ids_as_array(taken);
	SPI_connect();
	wrong = take_wrong_lines(portfolio, lines, cec_query_read(portfolio->plans, &explain, args, NULL), TELL_ALL, cxt);
	SPI_finish();
	return wrong;
}

/* At most so many bytes of a text that somebody typed, cut between characters. */
char *
cec_inclusion_shorten(const char *text)
{
	int len = strlen(text);

	if (len <= 100)
		return pstrdup(text);
	return psprintf("%.*s...", pg_mbcliplen(text, len, 100), text);
}

/* Starts looking for names that may have been meant; NULL when the caller may not read all that are registered. */
static CecNear *
begin_near(CecChange *change, Snapshot snapshot)
{
	if (!cec_change_may_tell(change, "asset") || !cec_change_may_tell(change, "asset_identifier"))
		return NULL;
	return cec_near_begin(change->portfolio, snapshot);
}

/* What is wrong with lines that name no asset or several, as CecWrongLine. */
List *
cec_inclusion_explain_unresolved(CecChange *change, List *unresolved)
{
	Snapshot snapshot;
	CecNear *near;
	List *wrong = NIL;
	ListCell *cell;

	if (unresolved == NIL)
		return NIL;
	snapshot = cec_latest_snapshot();
	near = begin_near(change, snapshot);
	foreach (cell, unresolved)
	{
		CecUnresolved *from = lfirst(cell);
		CecWrongLine *line = palloc(sizeof(CecWrongLine));

		line->place = from->place;
		line->listed_as = from->listed_as;
		line->problem = cec_inclusion_problem(from->matches == 0				   ? "unknown"
											  : from->matches == CEC_NAMES_ANOTHER ? "another"
																				   : "ambiguous");
		line->facts = NULL;
		if (from->matches == 0 && near != NULL && list_length(wrong) < LINES_SHOWN)
		{
			char *meant = cec_near_find(near, from->listed_as, from->has_days ? &from->days : NULL);

			if (meant != NULL)
				line->facts = psprintf("Perhaps \"%s\" was meant.", cec_inclusion_shorten(meant));
		}
		else if (from->matches == CEC_NAMES_ANOTHER)
			line->facts = "The asset that asset_id gives does not bear it as tag, serial number or other identifier.";
		else if (from->matches > 0)
			line->facts = "More than one asset bears it as tag, serial number or other identifier.";
		wrong = lappend(wrong, line);
	}
	if (near != NULL)
		cec_near_end(near);
	UnregisterSnapshot(snapshot);
	return wrong;
}

static void
append_line(StringInfo detail, const CecWrongLine *line)
{
	if (line->place > 0)
		appendStringInfo(detail, "Line " INT64_FORMAT ": ", line->place);
	appendStringInfo(detail, line->problem->message, cec_inclusion_shorten(line->listed_as));
	appendStringInfoChar(detail, '.');
	if (line->facts != NULL)
		appendStringInfo(detail, " %s", line->facts);
}

static int
compare_places(const ListCell *one, const ListCell *other)
{
	int64 a = ((const CecWrongLine *) lfirst(one))->place;
	int64 b = ((const CecWrongLine *) lfirst(other))->place;

	return a < b ? -1 : a > b;
}

/* The facts of the only line that is wrong. */
static void
append_facts(StringInfo detail, const CecWrongLine *line, int64 line_count, bool is_early)
{
	if (is_early)
		appendStringInfoString(detail, "It was listed before what it refers to.");
	else if (line_count > 1 && line->place > 0)
		appendStringInfo(detail, "It is line " INT64_FORMAT " of " INT64_FORMAT " in this statement; none was stored.",
						 line->place, line_count);
	else if (line_count > 1)
		appendStringInfo(detail, "It is one of " INT64_FORMAT " lines in this statement; none was stored.", line_count);
	else if (line->facts == NULL)
		appendStringInfoString(detail, "The line was not stored.");
	if (line->facts != NULL)
		appendStringInfo(detail, "%s%s", detail->len > 0 ? " " : "", line->facts);
}

/*
 * Refuses the statement: one wrong line with its facts, several as a list in the order of the statement, which may also be one
 * that brings what lines of statements before it refer to.
 */
void
cec_inclusion_refuse(CecChange *change, List *wrong, int64 line_count)
{
	CecWrongLine *first;
	StringInfoData detail;
	char *message;
	int shown = 0;
	ListCell *cell;

	list_sort(wrong, compare_places);
	first = linitial(wrong);
	initStringInfo(&detail);
	if (list_length(wrong) == 1)
	{
		message = psprintf(first->problem->message, cec_inclusion_shorten(first->listed_as));
		append_facts(&detail, first, line_count, !is_of_lines(change));
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
	ereport(ERROR, (errcode(first->problem->sqlstate), errmsg_internal("%s", message),
					errdetail_internal("%s", detail.data), errhint("%s", first->problem->hint),
					errtableconstraint(cec_portfolio_open(change->portfolio, "inclusion", AccessShareLock),
									   first->problem->constraint)));
}
