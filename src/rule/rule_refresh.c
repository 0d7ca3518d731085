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

#include "refresh_task.h"
#include "rule_change.h"

/* Of rules that the days have ended: nothing is said of them any more. */
static const CecQuery close_ended = {
	"UPDATE @P@.finding SET closed_at = greatest(clock_timestamp(), opened_at) WHERE closed_at IS NULL AND kind IN ('rule_failed', 'rule_unknown')"
	" AND rule_id IN (SELECT rule_id FROM @P@.coverage_rule WHERE upper(during) <= $1)",
	1,
	{DATEOID}};

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
		if (rule->during.to <= day || (rule->code->condition != NULL && !rule->code->condition->depends_on_day))
			continue;
		cec_rule_decide(&change, set, rule->rule_id, day);
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

/* The task "failing rules": suspends them; the engine's own triggers decide them anew and record it. */
static void
suspend_rules(CecRefresh *refresh)
{
	Datum arg = DateADTGetDatum(refresh->today);
	int64 count;

	SPI_connect();
	cec_query_run(refresh->portfolio->plans, &close_ended, &arg, NULL, 0);
	count = cec_query_run(refresh->portfolio->plans, &suspend_failing, NULL, NULL, 0);
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
