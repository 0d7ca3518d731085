/*
 * rule_refresh.c
 *		What refresh does for rules: decides those that mention the day, day by day, and suspends those that failed.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "init.h"
#include "portfolio/own_work.h"
#include "portfolio/portfolio_today.h"
#include "finding/finding_write.h"
#include "portfolio/refresh_task.h"
#include "rule/rule_change.h"

static const CecQuery all_rules = {
	"SELECT rule_id FROM @P@.coverage_rule UNION SELECT rule_id FROM @P@.rule_effect ORDER BY 1",
	0,
	{0},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = {INT8OID}};

/* Of rules that the days have ended: nothing is said of them any more. */
static const CecQuery findings_of_ended = {
	"SELECT finding_id FROM @P@.finding WHERE closed_at IS NULL AND kind IN ('rule_failed', 'rule_unknown')"
	" AND rule_id IN (SELECT rule_id FROM @P@.coverage_rule WHERE upper(during) <= $1)",
	1,
	{DATEOID},
	.results = {INT8OID}};

static const CecQuery suspend_failing = {
	"UPDATE @P@.coverage_rule SET state = 'suspended' WHERE state = 'active' AND rule_id IN"
	" (SELECT rule_id FROM @P@.finding WHERE kind = 'rule_failed' AND closed_at IS NULL)"};

/* What the days have brought. */
typedef struct Walked
{
	int64 days;
	int64 rules;
	int64 coverage;
} Walked;

static bool
mentions_day(const CecRule *rule)
{
	return rule->compiled->condition == NULL || rule->compiled->condition->depends_on_day;
}

/*
 * Decides all rules when all is recomputed: also those that are gone and act.  What mentions the day is left to refresh where
 * that has days to walk yet: decided as of today first, it would not be decided as of these.
 */
void
cec_rule_apply_all(CecChange *change)
{
	CecIds all = {0};
	DateADT reached = cec_refresh_reached(change->portfolio);
	CecRuleSet *set;
	DateADT today;

	cec_rule_set_changed(change->portfolio);
	set = cec_rule_set_get(change->portfolio);
	today = cec_change_today(change);
	cec_rule_compile_all(set);
	cec_query_ids(change->portfolio->plans, &all_rules, NULL, &all);
	for (int64 i = 0; i < all.count; i++)
	{
		const CecRule *rule = cec_rule_find(set, all.ids[i]);

		CHECK_FOR_INTERRUPTS();
		if (reached != 0 && reached < today && rule != NULL && mentions_day(rule))
			continue;
		cec_ids_add(&cec_rule_change(change)->moved, all.ids[i]);
		cec_rule_apply(change, set, all.ids[i], today);
	}
}

/* Decides the rules that depend on the day as of one day: a change of its own. */
static void
walk_day(const CecRefresh *refresh, DateADT day, Walked *walked)
{
	CecRuleSet *set = cec_rule_set_get(refresh->portfolio);
	CecChange change;

	cec_change_begin(&change, refresh->portfolio, "coverage", CEC_REFRESH, refresh->caller);
	change.day = day;
	cec_rule_compile_all(set);
	for (int i = 0; i < set->count; i++)
	{
		const CecRule *rule = &set->rules[i];

		CHECK_FOR_INTERRUPTS();
		if (rule->during.to <= day || !mentions_day(rule))
			continue;
		cec_rule_apply(&change, set, rule->rule_id, day);
		walked->rules++;
	}
	cec_change_run(&change);
	walked->days++;
	walked->coverage += change.delta.cover.count;
	cec_change_end(&change);
}

/*
 * The task "rules".  Days that have passed are decided once; a day that is still to come again and again, until it is there.
 */
static void
walk_days(CecRefresh *refresh)
{
	Walked walked = {0};

	cec_rule_refresh_begins(GetCurrentTimestamp());
	for (DateADT day = refresh->first; day <= refresh->last; day++)
	{
		CHECK_FOR_INTERRUPTS();
		walk_day(refresh, day, &walked);
	}
	cec_rule_refresh_begins(0);
	cec_refresh_count(refresh, "days", walked.days);
	cec_refresh_count(refresh, "rules", walked.rules);
	cec_refresh_count(refresh, "coverage", walked.coverage);
}

static void
run_suspending(void *arg)
{
	CecPortfolio *portfolio = arg;

	(void) cec_query_run(portfolio->plans, &suspend_failing, NULL, NULL, 0);
}

/* The task "failing rules": suspends them; the engine's own triggers decide them anew and record it. */
static void
suspend_rules(CecRefresh *refresh)
{
	Datum arg = DateADTGetDatum(refresh->today);
	CecFindingChange findings = {0};
	CecOutbox outbox = {NIL, CurrentMemoryContext};
	int64 count;

	cec_query_ids(refresh->portfolio->plans, &findings_of_ended, &arg, &findings.closed);
	cec_finding_write(refresh->portfolio, &findings, &outbox);
	cec_outbox_write(refresh->portfolio, &outbox);
	SPI_connect();
	cec_own_work(refresh->portfolio->nspid, CEC_WORK_LIST, run_suspending, refresh->portfolio);
	count = SPI_processed;
	SPI_finish();
	cec_refresh_count(refresh, "suspended", count);
}

/*
 * Registers with the engine.  Suspending decides as of today: done before the days are walked, it would look like decisions
 * that the days before are to leave alone.
 */
void
cec_rule_refresh_init(void)
{
	cec_refresh_register("rules", 100, walk_days);
	cec_refresh_register("failing rules", 900, suspend_rules);
}
