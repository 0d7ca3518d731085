/*
 * regulation_call.c
 *		cec._judge_regulations: what regulations say of assets, for the functions in SQL; and the check of a requirement that
 *		is written.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "init.h"
#include "portfolio/change.h"
#include "regulation/regulation_judge.h"
#include "support/act_as.h"
#include "support/column.h"
#include "support/slot.h"

PG_FUNCTION_INFO_V1(cec_judge_regulations);

static const CecQuery in_force = {
	"SELECT regulation_id, coalesce(region, country), requirement, applies_by = 'governing_country', met_by = 'every_term'"
	" FROM @P@.regulation WHERE during @> $1 ORDER BY regulation_id",
	1,
	{DATEOID},
	.results = {INT8OID, TEXTOID, TEXTOID, BOOLOID, BOOLOID}};

/* The arguments of cec._judge_regulations. */
enum
{
	ARG_PORTFOLIO,
	ARG_DAY,
	ARG_ASSETS,
	ARG_PROPOSED_ASSETS,
	ARG_PROPOSED_TERMS,
	ARG_PROPOSED_DAYS,
	ARG_PLACE,
	ARG_REQUIREMENT,
	ARG_WITH_MET
};

typedef struct Answer
{
	ReturnSetInfo *result;
	bool with_met;
} Answer;

static void
take_verdict(void *arg, const CecRegulationVerdict *verdict)
{
	Answer *answer = arg;
	const CecRegulation *regulation = verdict->regulation;
	Datum values[5];
	bool nulls[5] = {false, false, verdict->is_unknown, false, regulation->sqlstate == 0};

	if (verdict->is_met && !answer->with_met)
		return;
	values[0] = Int64GetDatum(verdict->asset_id);
	values[1] = Int64GetDatum(regulation->regulation_id);
	values[2] = BoolGetDatum(verdict->is_met);
	values[3] = cec_ids_as_array(&regulation->not_met);
	values[4] = regulation->sqlstate == 0 ? 0 : CStringGetTextDatum(unpack_sql_state(regulation->sqlstate));
	tuplestore_putvalues(answer->result->setResult, answer->result->setDesc, values, nulls);
}

/* Regulations in force on the day; in the current memory context. */
CecRegulation *
cec_regulations_in_force(CecPortfolio *portfolio, DateADT on_day, int *count)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum arg = DateADTGetDatum(on_day);
	CecRegulation *result;

	SPI_connect();
	*count = cec_query_read(portfolio->plans, &in_force, &arg, NULL);
	MemoryContextSwitchTo(cxt);
	result = palloc0(Max(*count, 1) * sizeof(CecRegulation));
	for (int i = 0; i < *count; i++)
	{
		HeapTuple row = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		bool isnull;

		result[i].regulation_id = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
		result[i].place = TextDatumGetCString(SPI_getbinval(row, desc, 2, &isnull));
		result[i].requirement = TextDatumGetCString(SPI_getbinval(row, desc, 3, &isnull));
		result[i].by_country = DatumGetBool(SPI_getbinval(row, desc, 4, &isnull));
		result[i].every_term = DatumGetBool(SPI_getbinval(row, desc, 5, &isnull));
	}
	SPI_finish();
	return result;
}

/* The one that is tried.  Raises what is wrong with its requirement. */
static CecRegulation *
make_regulation(FunctionCallInfo fcinfo, int *count)
{
	CecRegulation *result = palloc0(sizeof(CecRegulation));
	CecCondition *condition;
	CecActAs act;

	result->place = text_to_cstring(PG_GETARG_TEXT_PP(ARG_PLACE));
	result->requirement = text_to_cstring(PG_GETARG_TEXT_PP(ARG_REQUIREMENT));
	cec_act_restricted(&act);
	condition = cec_condition_compile(result->requirement, CEC_SPEAKER_REGULATION);
	cec_act_as_self(&act);
	cec_condition_tell_doubts(condition);
	*count = 1;
	return result;
}

/* The keys in an array of bigint, in its order. */
CecIds
cec_regulation_ids(Datum array)
{
	CecIds result = {0};
	Datum *values;
	bool *nulls;
	int count;

	deconstruct_array(DatumGetArrayTypeP(array), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values,
					  &nulls, &count);
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			cec_ids_add(&result, DatumGetInt64(values[i]));
	return result;
}

static int
compare_proposals(const void *one, const void *other)
{
	const CecProposal *a = one;
	const CecProposal *b = other;

	return a->asset_id < b->asset_id ? -1 : a->asset_id > b->asset_id;
}

static void
read_proposals(FunctionCallInfo fcinfo, CecRegulationFacts *facts)
{
	CecIds assets;
	CecIds terms;
	CecProposal *proposals;
	Datum *days;
	bool *nulls;
	int count;

	if (PG_ARGISNULL(ARG_PROPOSED_ASSETS) || PG_ARGISNULL(ARG_PROPOSED_TERMS) || PG_ARGISNULL(ARG_PROPOSED_DAYS))
		return;
	assets = cec_regulation_ids(PG_GETARG_DATUM(ARG_PROPOSED_ASSETS));
	terms = cec_regulation_ids(PG_GETARG_DATUM(ARG_PROPOSED_TERMS));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARG_PROPOSED_DAYS), DATERANGEOID, -1, false, TYPALIGN_INT, &days, &nulls,
					  &count);
	if (assets.count != count || terms.count != count)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("proposed cover is not complete"),
						errhint("Give an asset, a term and days for each.")));
	proposals = palloc_extended(Max(count, 1) * sizeof(CecProposal), MCXT_ALLOC_HUGE);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			continue;
		proposals[facts->proposal_count++] = (CecProposal){assets.ids[i], terms.ids[i], days[i]};
	}
	if (facts->proposal_count > 1)
		qsort(proposals, facts->proposal_count, sizeof(CecProposal), compare_proposals);
	facts->proposals = proposals;
}

/*
 * cec._judge_regulations(portfolio, on_day, assets, proposed assets, terms and days, place, requirement, with_met): what the
 * regulations in force on the day, or one that is tried, say of the assets (NULL: all) that are covered on it, or would be.
 */
Datum
cec_judge_regulations(PG_FUNCTION_ARGS)
{
	Answer answer = {(ReturnSetInfo *) fcinfo->resultinfo};
	CecRegulationFacts facts;
	CecRegulation *regulations;
	CecPortfolio *portfolio;
	CecIds assets;
	int count;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(ARG_PORTFOLIO) || PG_ARGISNULL(ARG_DAY) || PG_ARGISNULL(ARG_WITH_MET))
		return (Datum) 0;
	answer.with_met = PG_GETARG_BOOL(ARG_WITH_MET);
	cec_portfolio_pin();
	portfolio = cec_portfolio_get(PG_GETARG_OID(ARG_PORTFOLIO));
	/* Also where one is tried: whoever may not read the others is told nothing. */
	regulations = cec_regulations_in_force(portfolio, PG_GETARG_DATEADT(ARG_DAY), &count);
	if (!PG_ARGISNULL(ARG_PLACE) && !PG_ARGISNULL(ARG_REQUIREMENT))
		regulations = make_regulation(fcinfo, &count);
	if (count > 0)
	{
		cec_regulation_facts_begin(&facts, portfolio, PG_GETARG_DATEADT(ARG_DAY));
		read_proposals(fcinfo, &facts);
		if (PG_ARGISNULL(ARG_ASSETS))
			assets = cec_regulation_covered(&facts);
		else
		{
			assets = cec_regulation_ids(PG_GETARG_DATUM(ARG_ASSETS));
			cec_ids_sort_unique(&assets);
		}
		cec_regulation_judge(&facts, regulations, count, &assets, take_verdict, &answer);
	}
	cec_portfolio_unpin();
	return (Datum) 0;
}

static void
name_regulation(void *arg)
{
	errcontext("requirement of regulation \"%.100s\"", (const char *) arg);
}

/* What is typed must compile; as the owner, who can do nothing with it.  What is doubtful is told. */
static void
check_requirement(CecChange *change, TupleTableSlot *row)
{
	char *title = TextDatumGetCString(cec_slot_value(row, cec_column_require(change->rel, "title", TEXTOID)));
	char *requirement =
		TextDatumGetCString(cec_slot_value(row, cec_column_require(change->rel, "requirement", TEXTOID)));
	ErrorContextCallback callback = {error_context_stack, name_regulation, title};
	CecCondition *condition;
	CecActAs act;

	if (cec_change_may_tell(change, "regulation"))
		error_context_stack = &callback;
	cec_portfolio_act(&act, change->portfolio);
	condition = cec_condition_compile(requirement, CEC_SPEAKER_REGULATION);
	cec_act_as_self(&act);
	cec_condition_tell_doubts(condition);
	error_context_stack = callback.previous;
}

/* Handler of the define stage, for regulation. */
static void
define_regulations(CecChange *change)
{
	CecRows rows;

	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		CHECK_FOR_INTERRUPTS();
		cec_rows_deform(&rows);
		if (rows.new_row != NULL && cec_rows_differ(change, &rows, "requirement"))
			check_requirement(change, rows.new_row);
	}
	cec_rows_end(&rows);
}

/* Registers with the engine. */
void
cec_regulation_init(void)
{
	cec_change_register(CEC_STAGE_DEFINE, "regulation", define_regulations);
}
