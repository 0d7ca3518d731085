/*
 * finding_kind.c
 *		Reads which kinds of findings there are, and makes the queries that compare each with what is open.
 *
 * The kinds are the extension's and change with it alone, so they are read once a session.
 *
 * A kind is a view of the portfolio.  It is read as the owner of the portfolio, who may replace it: then it says what he has it
 * say, as his tables do.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compliance/finding_kind.h"

static const char *const trait_names[] = {"decommissioned_on",
										  "commissioned_on",
										  "no_commissioned_on",
										  "location",
										  "no_location",
										  "customer",
										  "unscannable",
										  "listed",
										  "early_line",
										  "late_line",
										  "dead_line",
										  "covered",
										  "covered_twice",
										  "early_end",
										  "boundary",
										  "other_customer",
										  "member",
										  "request",
										  "seen",
										  "unseen",
										  "observed",
										  "regulated",
										  "mapped",
										  "bound_customer",
										  "not_just_gained"};

static const char *const scope_names[] = {"asset", "contract", "pair", "identifier"};

static const CecQuery all_kinds = {
	"SELECT kind::text, scope::text, hears::text[], needs::text[], is_function FROM cec.finding_kind WHERE hears <> '{}' ORDER BY kind",
	0,
	{0},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = {TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, BOOLOID}};

/* Lifetime: the session, since plans are kept by the addresses of their queries. */
static CecFindingKinds known = {0};
static bool is_known = false;

#define VIEW_COLUMNS \
	"severity, asset_id, other_asset_id, contract_id, term_id, rule_id, subject, first_day, last_day, detail, message"
#define COLUMNS \
	"severity::text, asset_id, other_asset_id, contract_id, term_id, rule_id, subject::text, first_day, last_day, detail::text, message"
#define OPEN_COLUMNS "finding_id, kind, " VIEW_COLUMNS
#define OF_SUBJECTS "subject = ANY ($1) AND asset_id IS NULL AND subject <> ''"
#define IN_ORDER \
	" ORDER BY coalesce(asset_id, 0), coalesce(other_asset_id, 0), coalesce(contract_id, 0), coalesce(term_id, 0)," \
	" coalesce(rule_id, 0), subject COLLATE \"C\""

static int
number_of(const char *const *names, int count, const char *name, const char *kind, const char *what)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	elog(ERROR, "kind of findings \"%s\" has an unknown %s \"%s\"", kind, what, name);
}

/* A query about what is in an array of the type; 0: about all. */
static CecQuery
make_query(const char *text, Oid type)
{
	CecQuery query = {text,
					  type != 0 ? 1 : 0,
					  {type},
					  type != 0 ? CURSOR_OPT_GENERIC_PLAN : CURSOR_OPT_CUSTOM_PLAN,
					  .results = {INT8OID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID, DATEOID,
								  DATEOID, TEXTOID, TEXTOID}};

	return query;
}

/*
 * Compares rows of a view with findings, of subjects in an array of the type.
 *
 * Of which kind the open ones are is asked last.  Of a kind that was rare when statistics were gathered the planner would
 * otherwise rather read all that is open of it.
 */
static CecComparison
make_comparison(const char *kind, const char *now, const char *open, Oid type)
{
	CecComparison comparison;

	comparison.now = make_query(psprintf("SELECT NULL::bigint, " COLUMNS " FROM (%s) AS n" IN_ORDER, now), type);
	comparison.open = make_query(
		psprintf("SELECT finding_id, " COLUMNS " FROM (%s OFFSET 0) AS o WHERE kind = '%s'" IN_ORDER, open, kind),
		type);
	return comparison;
}

/* The rows of a view that meet a condition. */
static char *
rows_that(const char *source, const char *condition)
{
	return psprintf("SELECT " VIEW_COLUMNS " FROM %s WHERE %s", source, condition);
}

/* Open findings that meet a condition. */
static char *
open_that(const char *condition)
{
	return psprintf("SELECT " OPEN_COLUMNS " FROM @P@.finding WHERE closed_at IS NULL AND %s", condition);
}

/* Open findings of a kind about assets, each of them looked up by both: an index on open ones begins so. */
static char *
open_of_assets(const char *kind)
{
	return psprintf("SELECT f.* FROM unnest($1) AS s(id) CROSS JOIN LATERAL (%s AND kind = '%s' OFFSET 0) AS f",
					open_that("asset_id = s.id"), kind);
}

static char **
texts_of(Datum array, int *count)
{
	Datum *elements;
	char **texts;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, count);
	texts = palloc((*count + 1) * sizeof(char *));
	for (int i = 0; i < *count; i++)
		texts[i] = TextDatumGetCString(elements[i]);
	return texts;
}

static void
read_heard(CecFindingKind *kind, Datum array)
{
	int count;
	char **texts = texts_of(array, &count);

	kind->heard = palloc((count + 1) * sizeof(CecHeard));
	for (int i = 0; i < count; i++)
	{
		char *dot = strchr(texts[i], '.');

		if (strcmp(texts[i], "coverage") == 0 || strcmp(texts[i], "rule_effect") == 0)
		{
			kind->hears_cover = true;
			continue;
		}
		if (dot != NULL)
			*dot = '\0';
		kind->heard[kind->heard_count++] = (CecHeard){texts[i], dot == NULL ? NULL : dot + 1};
	}
}

static void
read_needs(CecFindingKind *kind, Datum array)
{
	int count;
	char **texts = texts_of(array, &count);

	for (int i = 0; i < count; i++)
		kind->needs |= CEC_TRAIT_BIT(number_of(trait_names, lengthof(trait_names), texts[i], kind->name, "need"));
}

static void
read_kind(CecFindingKind *kind, HeapTuple row, TupleDesc desc)
{
	bool isnull;
	char *scope = TextDatumGetCString(SPI_getbinval(row, desc, 2, &isnull));
	char *view;
	char *now;
	char *open;
	bool is_function;

	memset(kind, 0, sizeof(CecFindingKind));
	kind->name = TextDatumGetCString(SPI_getbinval(row, desc, 1, &isnull));
	kind->view = psprintf("_finding_%s", kind->name);
	kind->scope = number_of(scope_names, lengthof(scope_names), scope, kind->name, "scope");
	read_heard(kind, SPI_getbinval(row, desc, 3, &isnull));
	read_needs(kind, SPI_getbinval(row, desc, 4, &isnull));
	view = psprintf("@P@._finding_%s", kind->name);
	is_function = DatumGetBool(SPI_getbinval(row, desc, 5, &isnull));
	now = rows_that(is_function ? psprintf("cec._%s(@O@, $1)", kind->name) : view, "asset_id = ANY ($1)");
	open = open_of_assets(kind->name);
	if (kind->scope == CEC_SCOPE_PAIR)
	{
		now = psprintf("%s UNION %s", now, rows_that(view, "other_asset_id = ANY ($1)"));
		open = psprintf("%s UNION %s", open, open_that("other_asset_id = ANY ($1)"));
	}
	kind->of_assets = make_comparison(kind->name, now, open, INT8ARRAYOID);
	kind->of_contracts = make_comparison(kind->name, rows_that(view, "contract_id = ANY ($1)"),
										 open_that("contract_id = ANY ($1)"), INT8ARRAYOID);
	kind->of_subjects = make_comparison(kind->name, rows_that(view, OF_SUBJECTS), open_that(OF_SUBJECTS), TEXTARRAYOID);
	kind->all =
		make_comparison(kind->name, rows_that(is_function ? psprintf("cec._%s(@O@, NULL)", kind->name) : view, "true"),
						open_that(psprintf("kind = '%s'", kind->name)), InvalidOid);
}

static void
read_kinds(CecPortfolio *portfolio)
{
	MemoryContext cxt = AllocSetContextCreate(CacheMemoryContext, "cec kinds of findings", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	CecFindingKinds kinds = {0};
	uint64 count;

	SPI_connect();
	count = cec_query_run(portfolio->plans, &all_kinds, NULL, NULL, 0);
	if (count > CEC_MAX_KINDS)
		elog(ERROR, "there are more than %d kinds of findings", CEC_MAX_KINDS);
	old = MemoryContextSwitchTo(cxt);
	kinds.kinds = palloc((count + 1) * sizeof(CecFindingKind));
	for (uint64 i = 0; i < count; i++)
		read_kind(&kinds.kinds[kinds.count++], SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
	MemoryContextSwitchTo(old);
	SPI_finish();
	known = kinds;
	is_known = true;
}

/* The kinds that are views, in order of their names; acts as the owner of the portfolio. */
const CecFindingKinds *
cec_finding_kinds(CecPortfolio *portfolio)
{
	if (!is_known)
		read_kinds(portfolio);
	return &known;
}

/* The number of a kind by its name; -1 where it is none of the views. */
int
cec_finding_kind_number(const CecFindingKinds *kinds, const char *name)
{
	int low = 0;
	int high = kinds->count;

	while (low < high)
	{
		int middle = (low + high) / 2;
		int order = strcmp(kinds->kinds[middle].name, name);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}
