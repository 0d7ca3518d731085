/*
 * inclusion_check.c
 *		cec._check_inclusions: what would become of the lines of a list, all of them, changing nothing.
 *
 * Each row is read (inclusion_rows.c), its asset is found, and then it is said what would become of it (inclusion_outcome.c).
 * import_inclusions goes the same way and writes (src/import), so that both say the same.
 *
 * Reads with one snapshot, that of the caller's statement, or of an import the one that is active; as the caller, who must be
 * allowed to read all that is looked at.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "inclusion/inclusion_check.h"
#include "inclusion/inclusion_lines.h"
#include "registry/identifier_key.h"
#include "registry/identifier_named.h"
#include "support/act_as.h"

PG_FUNCTION_INFO_V1(cec_check_inclusions);

static const CecQuery require_version = {
	"SELECT cec._require_version($1::regnamespace)", 1, {OIDOID}, CURSOR_OPT_GENERIC_PLAN, .results = {VOIDOID}};

static const CecQuery find_term = {
	"SELECT t.during, c.during, t.number, c.number, coalesce((SELECT s.refuse_unscannable FROM @P@.setting s), false)"
	" FROM @P@.coverage_term t JOIN @P@.contract c USING (contract_id) WHERE t.term_id = $1",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {DATERANGEOID, DATERANGEOID, TEXTOID, TEXTOID, BOOLOID}};

static const char *const outcomes[CEC_OUTCOMES] = {NULL, "insert", "update", "unchanged", "duplicate", "refused"};

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

static Datum
value_of(int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, isnull);
}

/* The term, or 23503. */
static void
read_term(CecListCheck *check)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum arg = Int64GetDatum(check->term_id);
	MemoryContext old;
	CecDays contract;
	bool isnull;

	SPI_connect();
	if (cec_query_read(check->portfolio->plans, &find_term, &arg, NULL) != 1)
		ereport(ERROR, (errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
						errmsg("there is no coverage term " INT64_FORMAT, check->term_id),
						errhint("The table coverage_term lists the terms."),
						err_generic_string(PG_DIAG_CONSTRAINT_NAME, "inclusion_term_id_fkey")));
	old = MemoryContextSwitchTo(cxt);
	check->days = cec_days_of_range(value_of(1, &isnull));
	contract = cec_days_of_range(value_of(2, &isnull));
	check->common = (CecDays){Max(check->days.from, contract.from), Min(check->days.to, contract.to)};
	check->number = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);
	check->contract_number = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 4);
	check->refuses_unscannable = DatumGetBool(value_of(5, &isnull));
	MemoryContextSwitchTo(old);
	SPI_finish();
}

/* Refuses a row; the constraint is static. */
void
cec_list_refuse_row(CecListRow *row, int sqlstate, const char *constraint, char *message)
{
	row->outcome = CEC_OUTCOME_REFUSED;
	row->sqlstate = sqlstate;
	row->constraint = constraint;
	row->message = message;
}

/*
 * Starts to check a list, in the current memory context: the caller's rights, the portfolio's version, the term and the rows.  With
 * the active snapshot.  Errors: 22023 no array, 23503 no such term, 42501, 55000 another version.
 */
void
cec_list_check_begin(CecListCheck *check, CecPortfolio *portfolio, int64 term_id, Jsonb *rows)
{
	Datum schema = ObjectIdGetDatum(portfolio->nspid);

	if (!JB_ROOT_IS_ARRAY(rows) || JB_ROOT_IS_SCALAR(rows))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("rows are not a JSON array"),
				 errhint("Rows are a JSON array: [{\"identifier\": \"P-0001\", \"first_day\": \"2026-01-01\"}].")));
	memset(check, 0, sizeof(CecListCheck));
	check->portfolio = portfolio;
	check->term_id = term_id;
	SPI_connect();
	(void) cec_query_read(portfolio->plans, &require_version, &schema, NULL);
	SPI_finish();
	require_rights(portfolio);
	read_term(check);
	cec_list_take_rows(check, rows);
}

/* Finds the assets of the rows, whatever was found before; refuses rows that name none or several. */
void
cec_list_find_assets(CecListCheck *check, Snapshot snapshot)
{
	CecNear *near = NULL;
	CecNamed search;

	cec_named_begin(&search, check->portfolio, snapshot);
	for (int64 i = 0; i < check->count; i++)
	{
		CecListRow *row = &check->rows[i];
		bool has_days = row->days.from < row->days.to;
		const CecProblem *problem;
		int matches;

		CHECK_FOR_INTERRUPTS();
		if (row->is_malformed)
			continue;
		row->outcome = CEC_OUTCOME_OPEN;
		row->suggestion = NULL;
		matches =
			cec_named_find(&search, CStringGetTextDatum(row->identifier), has_days ? &row->days : NULL, &row->asset_id);
		row->is_found = matches == 1;
		if (row->is_found)
			continue;
		problem = cec_inclusion_problem(matches == 0 ? "unknown" : "ambiguous");
		cec_list_refuse_row(row, problem->sqlstate, problem->constraint,
							psprintf(problem->message, cec_inclusion_shorten(row->identifier)));
		if (matches > 0)
			continue;
		if (near == NULL)
			near = cec_near_begin(check->portfolio, snapshot);
		row->suggestion = cec_near_find(near, row->identifier, has_days ? &row->days : NULL);
	}
	cec_named_end(&search);
	if (near != NULL)
		cec_near_end(near);
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/* A row as check_inclusions returns it. */
void
cec_list_put_row(const CecListRow *row, Datum *values, bool *isnull)
{
	memset(isnull, 0, CEC_LIST_ROW_COLUMNS * sizeof(bool));
	values[0] = Int64GetDatum(row->place);
	values[1] = text_or_null(row->identifier, &isnull[1]);
	values[2] = CStringGetTextDatum(outcomes[row->outcome]);
	values[3] = text_or_null(row->sqlstate == 0 ? NULL : unpack_sql_state(row->sqlstate), &isnull[3]);
	values[4] = text_or_null(row->constraint, &isnull[4]);
	values[5] = text_or_null(row->message, &isnull[5]);
	values[6] = Int64GetDatum(row->asset_id);
	isnull[6] = !row->is_found;
	values[7] = text_or_null(row->suggestion, &isnull[7]);
}

/* cec._check_inclusions(portfolio, term_id, rows) */
Datum
cec_check_inclusions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Snapshot snapshot;
	CecListCheck check;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("term and rows must not be NULL"),
				 errhint("Rows are a JSON array: [{\"identifier\": \"P-0001\", \"first_day\": \"2026-01-01\"}].")));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	cec_portfolio_pin();
	snapshot = RegisterSnapshot(GetActiveSnapshot());
	cec_list_check_begin(&check, cec_portfolio_get(PG_GETARG_OID(0)), PG_GETARG_INT64(1), PG_GETARG_JSONB_P(2));
	cec_list_find_assets(&check, snapshot);
	cec_list_find_outcomes(&check, snapshot);
	UnregisterSnapshot(snapshot);
	cec_portfolio_unpin();
	for (int64 i = 0; i < check.count; i++)
	{
		Datum values[CEC_LIST_ROW_COLUMNS];
		bool isnull[CEC_LIST_ROW_COLUMNS];

		cec_list_put_row(&check.rows[i], values, isnull);
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
	return (Datum) 0;
}
