/*
 * rule_evaluate.c
 *		Runs compiled conditions over the facts of one asset; what fails while it runs is unknown.
 *
 * People type conditions, so one may raise an error for some asset (a word where it expects a number), or take long.  The
 * conditions of an asset run in one internal subtransaction; one that raises is noted, and the rest go on in the next.
 * What is nobody's fault (classes 40, 53, 57, XX) is thrown on.  Nothing is kept of an error but its SQLSTATE, since its
 * text may hold a value that the reader may not see.
 *
 * Each evaluation has a deadline (support/attempt.c); one that is late has failed.
 *
 * Time limit.  A rule may take so long for all assets of a statement together, since others wait for their locks meanwhile.
 * The time of each evaluation is taken, and when there is none left, the rest are not run: they have failed.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "init.h"
#include "rule/rule_evaluate.h"
#include "support/act_as.h"
#include "support/attempt.h"

static int time_limit;	/* ms */
static uint64 work = 0; /* counts the statements' works: what a rule has spent counts in one of them */

/* Called once when the library is loaded. */
void
cec_rule_evaluate_init(void)
{
	DefineCustomIntVariable(
		"cec.rule_time_limit", "Longest time that a rule may take for the assets of one statement.",
		"What is not judged by then is unknown to the rule, and a finding rule_failed opens; 0 turns the "
		"limit off.",
		&time_limit, 5000, 0, INT_MAX, PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
}

/* A statement's work begins: every rule has its whole time again. */
void
cec_rule_time_begin(void)
{
	work++;
}

/* Milliseconds that a rule may still take.  A walk of refresh through many days is one work in this: late on a day, late on all. */
double
cec_rule_time_left(CecRule *rule)
{
	if (time_limit == 0)
		return (double) INT_MAX;
	if (rule->late_in != 0 && rule->late_in == cec_rule_refresh_began())
		return 0;
	if (rule->work != work)
		return time_limit;
	return time_limit - INSTR_TIME_GET_MILLISEC(rule->spent);
}

/* It has run since then. */
void
cec_rule_time_add(CecRule *rule, instr_time begun)
{
	instr_time now;

	if (rule->work != work)
		INSTR_TIME_SET_ZERO(rule->spent);
	rule->work = work;
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_ACCUM_DIFF(rule->spent, now, begun);
	if (cec_rule_time_left(rule) <= 0)
		rule->late_in = cec_rule_refresh_began();
}

/* Whether an error is the condition's and not the statement's. */
bool
cec_rule_error_is_own(int sqlstate)
{
	int category = ERRCODE_TO_CATEGORY(sqlstate);

	return category != ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK) &&
		   category != ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) &&
		   category != ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) &&
		   category != ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR);
}

/* Whether a rule acts on an asset of which its condition says this. */
bool
cec_rule_acts(const CecRule *rule, CecVerdict verdict)
{
	bool speaks_for_cover;

	if (verdict == CEC_VERDICT_UNKNOWN || verdict == CEC_VERDICT_FAILED)
		speaks_for_cover = rule->on_unknown == CEC_UNKNOWN_ALLOW;
	else
		speaks_for_cover = (verdict == CEC_VERDICT_TRUE) == (rule->effect != CEC_RULE_EXCLUDE);
	return speaks_for_cover == (rule->effect == CEC_RULE_INCLUDE);
}

typedef struct Run Run;
typedef void (*Act)(Run *run, CecJudgement *judgement);

struct Run
{
	CecRuleFacts *facts;
	CecJudgement *judgements;
	int count;
	int at; /* the judgement that something is done for */
	Act act;
	ExprContext *econtext;
	bool is_timed;
	instr_time begun;
};

/* Makes sure that the conditions are compiled. */
static void
prepare_one(Run *run, CecJudgement *judgement)
{
	(void) cec_rule_state(judgement->rule);
}

static void
compile_one(Run *run, CecJudgement *judgement)
{
	(void) cec_rule_condition(judgement->rule);
}

static void
evaluate_one(Run *run, CecJudgement *judgement)
{
	CecRule *rule = judgement->rule;
	bool isnull;
	Datum value;

	run->econtext->ecxt_scantuple = cec_rule_facts_of(run->facts, rule);
	value = ExecEvalExprSwitchContext(rule->compiled->state, run->econtext, &isnull);
	judgement->verdict = isnull ? CEC_VERDICT_UNKNOWN : DatumGetBool(value) ? CEC_VERDICT_TRUE : CEC_VERDICT_FALSE;
	ResetExprContext(run->econtext);
}

static void
fail(CecJudgement *judgement, int sqlstate)
{
	judgement->verdict = CEC_VERDICT_FAILED;
	judgement->sqlstate = sqlstate;
}

/* Does something for the judgements from one on, until all are through or one raises. */
static void
go_on(void *arg)
{
	Run *run = arg;
	CecActAs restricted;
	bool is_restricted = cec_act_is_restricted();

	if (!is_restricted)
		cec_act_restricted(&restricted);
	for (; run->at < run->count; run->at++)
	{
		CecJudgement *judgement = &run->judgements[run->at];

		if (judgement->verdict == CEC_VERDICT_FAILED)
			continue;
		if (run->is_timed && cec_rule_time_left(judgement->rule) <= 0)
		{
			fail(judgement, ERRCODE_QUERY_CANCELED);
			continue;
		}
		if (run->is_timed)
			INSTR_TIME_SET_CURRENT(run->begun);
		cec_deadline_enter();
		run->act(run, judgement);
		if (run->is_timed)
			cec_rule_time_add(judgement->rule, run->begun);
		if (cec_deadline_leave())
			fail(judgement, ERRCODE_QUERY_CANCELED);
	}
	if (!is_restricted)
		cec_act_as_self(&restricted);
}

/* Does something for all judgements, in a subtransaction, and after each that raises in another one. */
static void
do_for_all(Run *run, Act act)
{
	run->act = act;
	run->at = 0;
	while (run->at < run->count)
	{
		int sqlstate = cec_attempt(go_on, run, cec_rule_error_is_own);

		if (sqlstate == 0)
			break;
		if (run->is_timed)
			cec_rule_time_add(run->judgements[run->at].rule, run->begun);
		fail(&run->judgements[run->at], sqlstate);
		if (run->econtext != NULL)
			ResetExprContext(run->econtext);
		run->at++;
	}
}

/* Compiles the conditions of all rules; one that cannot be compiled stays without, and may read any fact. */
void
cec_rule_compile_all(CecRuleSet *set)
{
	Run run = {0};
	MemoryContext old;

	if (set->is_compiled)
		return;
	run.judgements = palloc_extended(Max(set->count, 1) * sizeof(CecJudgement), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < set->count; i++)
		run.judgements[run.count++].rule = &set->rules[i];
	do_for_all(&run, compile_one);
	pfree(run.judgements);
	old = MemoryContextSwitchTo(set->cxt);
	for (int i = 0; i < set->count; i++)
	{
		CecCondition *condition = set->rules[i].compiled->condition;

		if (condition == NULL)
			set->facts = bms_add_range(set->facts, 1, CEC_FACT_COUNT);
		else
			set->facts = bms_add_members(set->facts, condition->facts);
	}
	MemoryContextSwitchTo(old);
	set->is_compiled = true;
}

/* Makes what distances are measured to. */
static void
project_one(Run *run, CecJudgement *judgement)
{
	if (judgement->rule->compiled->needs & CEC_NEEDS_BOUNDARY_ON_GLOBE)
		cec_rule_project_boundary(cec_rule_facts_set(run->facts), judgement->rule->term);
}

static bool
is_ready(const CecRule *rule)
{
	const CecCompiledCondition *compiled = rule->compiled;

	return compiled->state != NULL && compiled->cached->is_valid &&
		   (!(compiled->needs & CEC_NEEDS_BOUNDARY_ON_GLOBE) || !rule->term->has_box ||
			rule->term->boundary_on_globe != 0);
}

/*
 * Judges the asset that the facts have gone to by the rules named in the judgements.  Between cec_deadline_start and _stop.
 * Suspended rules are not run: they are unknown.
 */
void
cec_rule_evaluate(CecRuleFacts *facts, CecJudgement *judgements, int count)
{
	Run run = {facts, judgements, count};
	bool ready = true;
	int needs = 0;
	int live = 0;

	for (int i = 0; i < count; i++)
	{
		/* "failed" keeps it from being run; put right at the end */
		judgements[i].verdict = judgements[i].rule->is_active ? CEC_VERDICT_FALSE : CEC_VERDICT_FAILED;
		judgements[i].sqlstate = 0;
		if (!judgements[i].rule->is_active)
			continue;
		live++;
		ready &= is_ready(judgements[i].rule);
		needs |= judgements[i].rule->compiled->needs;
	}
	if (live > 0)
	{
		run.econtext = CreateStandaloneExprContext();
		if (!ready)
			do_for_all(&run, prepare_one);
		/* Reading opens tables, which must not belong to the subtransaction. */
		for (int i = 0; (!ready || needs != 0) && i < count; i++)
			if (judgements[i].verdict != CEC_VERDICT_FAILED)
				(void) cec_rule_facts_of(facts, judgements[i].rule);
		if (!ready)
			do_for_all(&run, project_one);
		run.is_timed = true;
		do_for_all(&run, evaluate_one);
		FreeExprContext(run.econtext, true);
	}
	for (int i = 0; live < count && i < count; i++)
		if (!judgements[i].rule->is_active)
			judgements[i].verdict = CEC_VERDICT_UNKNOWN;
}
