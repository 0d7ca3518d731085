/*
 * rule_match.c
 *		Answers for a rule that is nowhere yet which assets it would act on.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/snapmgr.h"

#include "rule/rule_scan.h"
#include "support/act_as.h"

static const CecQuery term_facts = {
	"SELECT c.number, c.kind, c.governing_country, s.code, s.rank, c.boundary FROM @P@.coverage_term t"
	" JOIN @P@.contract c USING (contract_id) LEFT JOIN @P@.service_tier s USING (tier_id) WHERE t.term_id = $1",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, CEC_GEOMETRY_RESULT}};

static const CecQuery time_zone = {"SELECT time_zone FROM @P@.setting", .results = {TEXTOID}};

PG_FUNCTION_INFO_V1(cec_scan_rule);

/* What a condition may read of a term, as far as the caller may. */
static CecRuleTerm *
read_term(CecRuleSet *set, int64 term_id)
{
	CecRuleTerm *term = palloc0(sizeof(CecRuleTerm));
	Datum arg = Int64GetDatum(term_id);
	MemoryContext cxt = CurrentMemoryContext;

	term->term_id = term_id;
	memset(term->isnull, true, sizeof(term->isnull)); /* what there is no term for */
	SPI_connect();
	if (cec_query_read(set->portfolio->plans, &term_facts, &arg, NULL) > 0)
	{
		MemoryContext old = MemoryContextSwitchTo(cxt);
		TupleDesc desc = SPI_tuptable->tupdesc;
		bool isnull;

		for (int i = 0; i < CEC_FACT_TERM_COLUMNS; i++)
		{
			term->values[i] = SPI_getbinval(SPI_tuptable->vals[0], desc, i + 1, &term->isnull[i]);
			if (!term->isnull[i])
				term->values[i] =
					datumCopy(term->values[i], TupleDescAttr(desc, i)->attbyval, TupleDescAttr(desc, i)->attlen);
		}
		term->boundary = SPI_getbinval(SPI_tuptable->vals[0], desc, CEC_FACT_TERM_COLUMNS + 1, &isnull);
		term->boundary = isnull ? 0 : PointerGetDatum(PG_DETOAST_DATUM_COPY(term->boundary));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return term;
}

static pg_tz *
read_zone(CecPortfolio *portfolio)
{
	pg_tz *zone = NULL;

	SPI_connect();
	if (cec_query_read(portfolio->plans, &time_zone, NULL, NULL) > 0)
		zone = pg_tzset(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1));
	SPI_finish();
	return zone;
}

/* A rule that is nowhere but here. */
static CecRule *
make_rule(CecRuleSet *set, int64 term_id, const char *effect, const char *on_unknown, const char *condition)
{
	CecRule *rule = palloc0(sizeof(CecRule));

	rule->term = read_term(set, term_id);
	rule->effect = cec_rule_effect_of(effect);
	rule->on_unknown = cec_rule_on_unknown_of(on_unknown);
	rule->is_active = condition != NULL;
	rule->compiled = palloc0(sizeof(CecCompiledCondition));
	rule->compiled->cxt = CurrentMemoryContext;
	rule->compiled->text = condition;
	return rule;
}

/*
 * cec._scan_rule(portfolio, term_id, effect, on_unknown, condition, on_day): the assets that such a rule would act on, with the
 * rights of the caller and the snapshot of the statement.  What the condition raises is the caller's to see: it is about rows
 * that the caller may read.
 */
Datum
cec_scan_rule(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CecRuleSet set = {0};
	CecRuleScan match;
	CecRule *rule;
	pg_tz *zone;
	CecActAs act;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = 0; i < 6; i++)
		if (i != 4 && PG_ARGISNULL(i))
			return (Datum) 0;
	cec_portfolio_pin();
	set.nspid = PG_GETARG_OID(0);
	set.portfolio = cec_portfolio_get(set.nspid);
	zone = read_zone(set.portfolio);
	rule = make_rule(&set, PG_GETARG_INT64(1), text_to_cstring(PG_GETARG_TEXT_PP(2)),
					 text_to_cstring(PG_GETARG_TEXT_PP(3)),
					 PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4)));
	cec_act_restricted(&act);
	match = cec_rule_scan_as_caller(&set, rule, GetActiveSnapshot(), PG_GETARG_DATEADT(5), zone);
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	for (int64 i = 0; i < match.acting.count; i++)
	{
		Datum value = Int64GetDatum(match.acting.ids[i]);
		bool isnull = false;

		tuplestore_putvalues(result->setResult, result->setDesc, &value, &isnull);
	}
	return (Datum) 0;
}
