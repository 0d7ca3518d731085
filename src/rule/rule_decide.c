/*
 * rule_decide.c
 *		Decides for the whole register what one rule does, and records it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"

#include "rule_effect.h"
#include "rule_finding.h"
#include "rule_match.h"

static const CecQuery open_findings_of_rule = {
	"SELECT finding_id, asset_id, (kind = 'rule_failed')::int::bigint FROM @P@.finding"
	" WHERE rule_id = $1 AND closed_at IS NULL"
	" AND asset_id IS NOT NULL AND kind IN ('rule_failed', 'rule_unknown') ORDER BY asset_id",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, INT8OID, INT8OID}};

/* What there is open about a rule, side by side; failed is 0 or 1. */
typedef struct OpenFindings
{
	CecIds ids;
	CecIds assets; /* in order */
	CecIds failed;
} OpenFindings;

static OpenFindings
read_open(CecPortfolio *portfolio, int64 rule_id)
{
	OpenFindings open = {0};
	CecIds *const columns[] = {&open.ids, &open.assets, &open.failed};
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	Datum arg = Int64GetDatum(rule_id);
	uint64 rows;

	SPI_connect();
	rows = cec_query_run(portfolio->plans, &open_findings_of_rule, &arg, NULL, 0);
	old = MemoryContextSwitchTo(cxt);
	for (uint64 i = 0; i < rows; i++)
		for (int column = 0; column < lengthof(columns); column++)
		{
			bool isnull;

			cec_ids_add(columns[column], DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
																	 column + 1, &isnull)));
		}
	MemoryContextSwitchTo(old);
	SPI_finish();
	return open;
}

static CecJudgement
judgement_of(CecRule *rule, const CecOddMatch *match)
{
	return (CecJudgement){rule, match->verdict, match->sqlstate};
}

/* Opens and closes findings about a rule, NULL for one that is gone. */
static void
put_findings(CecPortfolio *portfolio, int64 rule_id, CecRule *rule, Snapshot snapshot, DateADT today,
			 const CecRuleMatch *match)
{
	CecRuleFindings *findings = cec_rule_findings_begin(portfolio, snapshot);
	OpenFindings open = read_open(portfolio, rule_id);
	int64 j = 0;

	for (int64 i = 0; i < open.ids.count; i++)
	{
		bool failed = open.failed.ids[i] != 0;
		bool is_odd = false;

		while (j < match->odd_count && match->odd[j].asset_id < open.assets.ids[i])
			j++;
		if (j < match->odd_count && match->odd[j].asset_id == open.assets.ids[i])
		{
			CecJudgement judgement = judgement_of(rule, &match->odd[j]);

			is_odd = cec_rule_is_odd(&judgement) && failed == (judgement.verdict == CEC_VERDICT_FAILED);
		}
		if (!is_odd && (rule == NULL || !cec_rule_finding_waits(rule, failed, today)))
			cec_rule_findings_close(findings, open.ids.ids[i]);
	}
	for (int64 i = 0; i < match->odd_count; i++)
	{
		CecJudgement judgement = judgement_of(rule, &match->odd[i]);

		CHECK_FOR_INTERRUPTS();
		if (cec_rule_is_odd(&judgement))
			cec_rule_findings_open(findings, match->odd[i].asset_id, &judgement);
	}
	cec_rule_findings_end(findings);
}

/* Decides for every asset whether the rule, NULL as its set for one that is gone, acts on it; acting is in order. */
static void
put_effects(CecPortfolio *portfolio, const CecRuleSet *set, int64 rule_id, CecRule *rule, Snapshot snapshot,
			DateADT today, const CecIds *acting, CecDelta *delta, CecIds *changed)
{
	CecEffects *effects = cec_effects_begin(portfolio, snapshot, delta);
	CecEffectRows rows = {0};
	int64 i = 0;
	int64 j = 0;

	cec_effects_of_rule(effects, rule_id, &rows);
	while (i < rows.count || j < acting->count)
	{
		int64 asset_id = i == rows.count ? acting->ids[j] : rows.rows[i].asset_id;
		bool acts;
		int64 count = 0;
		CecDaySet days;

		CHECK_FOR_INTERRUPTS();
		if (j < acting->count)
			asset_id = Min(asset_id, acting->ids[j]);
		acts = j < acting->count && acting->ids[j] == asset_id;
		while (i + count < rows.count && rows.rows[i + count].asset_id == asset_id)
			count++;
		days = cec_effect_decide(set, rows.rows + i, count, rule, today, acts);
		if (cec_effects_put(effects, rule_id, asset_id, rows.rows + i, count, &days))
			cec_ids_add(changed, asset_id);
		if (days.spans != NULL)
			pfree(days.spans);
		i += count;
		j += acts;
	}
	(void) cec_effects_end(effects);
}

/*
 * Decides for the whole register whether the rule acts, from today on; adds the assets for which that changed something.  The
 * caller has the portfolio alone.
 */
void
cec_rule_decide_all(CecRuleSet *set, CecRule *rule, Snapshot snapshot, DateADT today, CecDelta *delta, CecIds *changed)
{
	CecRuleMatch match = {0};

	if (rule->during.to > today)
		match = cec_rule_match(set, rule, snapshot, today);
	put_effects(set->portfolio, set, rule->rule_id, rule, snapshot, today, &match.acting, delta, changed);
	if (today <= cec_rule_today(set)) /* a forecast opens and closes nothing: findings speak of what is */
		put_findings(set->portfolio, rule->rule_id, rule, snapshot, today, &match);
}

/* Takes back what a rule that is gone was to do from today on, and closes what was open about it. */
void
cec_rule_forget(CecPortfolio *portfolio, int64 rule_id, Snapshot snapshot, DateADT today, CecDelta *delta,
				CecIds *changed)
{
	CecRuleMatch none = {0};

	put_effects(portfolio, NULL, rule_id, NULL, snapshot, today, &none.acting, delta, changed);
	put_findings(portfolio, rule_id, NULL, snapshot, today, &none);
}
