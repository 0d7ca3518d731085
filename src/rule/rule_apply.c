/*
 * rule_apply.c
 *		Decides for the whole register what rules do that were defined anew (rule_define.c).
 *
 * Rules that qualify assets are decided for all assets at once; of the others the assets are collected that the term concerns.
 * What was decided is recorded in the cover stage, before cover is computed.  The gate is held alone in between, and nobody's
 * code runs.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

#include "init.h"
#include "portfolio/portfolio_today.h"
#include "rule/rule_change.h"
#include "rule/rule_scan.h"

/* From 17 on the planner would read what a UNION consists of in the order of assets, and so a table whole; not behind OFFSET 0. */
static const CecQuery concerned = {
	"SELECT i.asset_id FROM (SELECT asset_id FROM @P@.inclusion WHERE term_id = $1 AND effect = 'include' OFFSET 0) AS i"
	" UNION SELECT e.asset_id FROM @P@.coverage_rule r"
	"  CROSS JOIN LATERAL (SELECT asset_id FROM @P@.rule_effect WHERE rule_id = r.rule_id OFFSET 0) AS e"
	"  WHERE r.term_id = $1 AND r.effect = 'include'"
	" UNION SELECT e.asset_id FROM (SELECT asset_id FROM @P@.rule_effect WHERE rule_id = $2 OFFSET 0) AS e"
	" UNION SELECT f.asset_id FROM"
	"  (SELECT asset_id FROM @P@.finding WHERE rule_id = $2 AND closed_at IS NULL AND asset_id IS NOT NULL OFFSET 0) AS f",
	2,
	{INT8OID, INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

/*
 * Plans what a rule, NULL for one that is gone, is to do to each asset; acting: those that it acts on, in order.  Adds the
 * assets for which that changes something.
 */
static void
plan_effects(CecChange *change, CecRuleSet *set, int64 rule_id, CecRule *rule, Snapshot snapshot, DateADT today,
			 const CecIds *acting)
{
	CecEffectPlan *plan = &cec_rule_change(change)->plan;
	CecEffects *effects = cec_effects_begin(change->portfolio, snapshot, &change->delta);
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
		if (cec_effects_put(effects, rule_id, asset_id, rows.rows + i, count, &days, plan))
			cec_ids_add(&change->assets, asset_id);
		if (days.spans != NULL)
			pfree(days.spans);
		i += count;
		j += acts;
	}
	(void) cec_effects_end(effects);
}

/* What is to be told of a rule, NULL for one that is gone.  A forecast tells nothing: findings speak of what is. */
static void
note_findings(CecChange *change, CecRuleSet *set, int64 rule_id, CecRule *rule, DateADT today, const CecRuleScan *scan)
{
	CecOdd *odd;
	int64 count = 0;

	if (today > cec_portfolio_today(set->portfolio))
		return;
	odd = palloc_extended(Max(scan->odd_count, 1) * sizeof(CecOdd), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < scan->odd_count; i++)
	{
		CecJudgement judgement = {rule, scan->odd[i].verdict, scan->odd[i].sqlstate};

		if (cec_rule_is_odd(&judgement))
			odd[count++] = cec_rule_odd(scan->odd[i].asset_id, &judgement);
	}
	cec_rule_findings_of_rule(&cec_rule_change(change)->findings, rule_id, odd, count);
}

/*
 * Decides an include rule, or one that is gone, for the whole register, from today on, and collects the assets for
 * which that changes something; or collects those that another rule concerns.  Under the gate held alone.  Writes nothing.
 * What is below these assets is not added.
 */
void
cec_rule_apply(CecChange *change, CecRuleSet *set, int64 rule_id, DateADT today)
{
	/* By its key: another row may have taken the place of one that was deleted, or whose key was changed. */
	CecRule *rule = cec_rule_find(set, rule_id);
	CecRuleScan scan = {0};
	Snapshot snapshot;

	if (rule != NULL && rule->effect != CEC_RULE_INCLUDE)
	{
		Datum args[] = {Int64GetDatum(rule->term->term_id), Int64GetDatum(rule_id)};

		cec_query_ids(change->portfolio->plans, &concerned, args, &change->assets);
		return;
	}
	snapshot = cec_latest_snapshot();
	if (rule != NULL && rule->during.to > today)
		scan = cec_rule_scan(set, rule, snapshot, today);
	plan_effects(change, set, rule_id, rule, snapshot, today, &scan.acting);
	note_findings(change, set, rule_id, rule, today, &scan);
	UnregisterSnapshot(snapshot);
}

/* Handler of the collect stage, for tables that hold definitions. */
static void
collect_from_definitions(CecChange *change)
{
	CecRuleChange *state = cec_rule_change_if_any(change);
	DateADT today;
	CecRuleSet *set;

	if (state == NULL || state->rules.count == 0)
		return;
	today = cec_change_today(change);
	set = cec_rule_set_get(change->portfolio);
	for (int64 i = 0; i < state->rules.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		cec_rule_apply(change, set, state->rules.ids[i], today);
	}
}

/* Handler of the cover stage, before cover is computed: records what was decided for the register. */
static void
record_decisions(CecChange *change)
{
	CecRuleChange *state = cec_rule_change_if_any(change);

	if (state != NULL)
		cec_effects_carry_out(change->portfolio, &change->delta, &state->plan);
}

/* Registers with the engine. */
void
cec_rule_apply_init(void)
{
	static const char *const definitions[] = {"coverage_rule", "contract", "coverage_term", "service_tier", "setting"};

	for (int i = 0; i < lengthof(definitions); i++)
		cec_change_register(CEC_STAGE_COLLECT, definitions[i], collect_from_definitions);
	cec_change_register(CEC_STAGE_COVER, NULL, record_decisions);
}
