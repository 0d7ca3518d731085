/*
 * rule_evaluate.c
 *		Runs compiled conditions over the facts of one asset; what fails while it runs is unknown.
 *
 * People type conditions, so one may raise an error for some asset (a word where it expects a number), or take long.  The
 * conditions of an asset run in one internal subtransaction; one that raises is noted, and the rest go on in the next.
 * What is nobody's fault (classes 40, 53, 57, XX) is thrown on.  Nothing is kept of an error but its SQLSTATE, since its
 * text may hold a value that the reader may not see.
 *
 * Deadline.  A timer ticks twice a second; an evaluation that was running at one tick and still is at the next is
 * cancelled the way a statement is, and has failed.  So none runs longer than a second, as long as the function that it is in
 * looks for interrupts, and no timer is set for a single evaluation.
 *
 * Time limit.  A rule may take so long for all assets of a statement together, since others wait for their locks meanwhile.
 * The time of each evaluation is taken, and when there is none left, the rest are not run: they have failed.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "rule/rule_evaluate.h"
#include "support/act_as.h"

#define TICK_MS 500

static TimeoutId timer = MAX_TIMEOUTS;
static volatile sig_atomic_t evaluating = false;
static volatile sig_atomic_t deadline_passed = false;
static volatile sig_atomic_t progress = 0;
static volatile sig_atomic_t seen = -1;
static volatile TimestampTz until = 0; /* when an evaluation with a time of its own is late; 0: it goes by ticks */
static int time_limit;				   /* ms */
static uint64 work = 0;				   /* counts the statements' works: what a rule has spent counts in one of them */
static SubTransactionId started_in = InvalidSubTransactionId; /* where the timer was set; invalid: it is not */

/* Runs inside a signal handler. */
static void
tick(void)
{
	bool is_late = until != 0 ? GetCurrentTimestamp() >= until : progress == seen;

	if (evaluating && is_late && !QueryCancelPending)
	{
		deadline_passed = true;
		InterruptPending = true;
		QueryCancelPending = true;
	}
	seen = progress;
}

/* An error that is caught further up leaves nobody who would stop the timer. */
static void
stop_taken_back(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && started_in >= mine)
		cec_rule_deadline_stop();
}

/* The server itself stops all timers when a transaction ends by an error. */
static void
forget_at_end(XactEvent event, void *arg)
{
	started_in = InvalidSubTransactionId;
}

/* Called once when the library is loaded. */
void
cec_rule_evaluate_init(void)
{
	DefineCustomIntVariable(
		"cec.rule_time_limit", "Longest time that a rule may take for the assets of one statement.",
		"What is not judged by then is unknown to the rule, and a finding rule_failed opens; 0 turns the "
		"limit off.",
		&time_limit, 5000, 0, INT_MAX, PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
	RegisterSubXactCallback(stop_taken_back, NULL);
	RegisterXactCallback(forget_at_end, NULL);
}

/* Starts watching; until cec_rule_deadline_stop, or the end of the (sub)transaction by an error. */
void
cec_rule_deadline_start(void)
{
	if (timer == MAX_TIMEOUTS)
		timer = RegisterTimeout(USER_TIMEOUT, tick);
	evaluating = false;
	started_in = GetCurrentSubTransactionId();
	enable_timeout_every(timer, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), TICK_MS), TICK_MS);
}

void
cec_rule_deadline_stop(void)
{
	evaluating = false;
	started_in = InvalidSubTransactionId;
	disable_timeout(timer, false);
}

/* From here on an evaluation runs, which may take half a second to a second. */
void
cec_rule_deadline_enter(void)
{
	until = 0;
	progress = (progress + 1) & 0x3fffffff;
	deadline_passed = false;
	evaluating = true;
}

/* From here on one runs that may take so many milliseconds; what follows it starts watching anew. */
void
cec_rule_deadline_enter_for(double ms)
{
	until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), (int64) ms);
	enable_timeout_every(timer, until, TICK_MS);
	deadline_passed = false;
	evaluating = true;
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

/* Whether the statement has run out of time of its own; both may ask for the same cancellation. */
static bool
statement_is_late(void)
{
	return StatementTimeout > 0 && get_timeout_finish_time(STATEMENT_TIMEOUT) != 0 &&
		   get_timeout_finish_time(STATEMENT_TIMEOUT) <= GetCurrentTimestamp();
}

/* It has ended, also by an error; true when the deadline was what ended it, or passed while nobody looked. */
bool
cec_rule_deadline_leave(void)
{
	bool passed = deadline_passed;

	evaluating = false;
	deadline_passed = false;
	if (passed && statement_is_late())
		return false; /* it would end the statement anyway */
	if (passed)
		QueryCancelPending = false;
	return passed;
}

/* Whether an error, caught, is the deadline's and not that of a timeout that the statement has. */
bool
cec_rule_error_is_deadline(bool passed, const ErrorData *error)
{
	return passed && error->sqlerrcode == ERRCODE_QUERY_CANCELED &&
		   (error->message_id == NULL || strstr(error->message_id, "timeout") == NULL);
}

/* Whether an error is the statement's and not the condition's. */
bool
cec_rule_error_is_fatal(int sqlstate)
{
	int category = ERRCODE_TO_CATEGORY(sqlstate);

	return category == ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK) ||
		   category == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) ||
		   category == ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) ||
		   category == ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR);
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

typedef struct Run
{
	CecRuleFacts *facts;
	CecJudgement *judgements;
	int count;
	ExprContext *econtext;
	bool is_timed;
	instr_time begun;
} Run;

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
	value = ExecEvalExprSwitchContext(rule->code->state, run->econtext, &isnull);
	judgement->verdict = isnull ? CEC_VERDICT_UNKNOWN : DatumGetBool(value) ? CEC_VERDICT_TRUE : CEC_VERDICT_FALSE;
	ResetExprContext(run->econtext);
}

/*
 * Does something for the judgements from one on, in a subtransaction, until all are through or one raises.  Returns where to
 * go on.
 */
static int
attempt(Run *run, int from, void (*act)(Run *run, CecJudgement *judgement))
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	CecActAs restricted;
	bool is_restricted = cec_act_is_restricted();
	volatile int at = from;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		if (!is_restricted)
			cec_act_restricted(&restricted);
		while (at < run->count)
		{
			CecJudgement *judgement = &run->judgements[at];

			if (judgement->verdict != CEC_VERDICT_FAILED && run->is_timed && cec_rule_time_left(judgement->rule) <= 0)
			{
				judgement->verdict = CEC_VERDICT_FAILED;
				judgement->sqlstate = ERRCODE_QUERY_CANCELED;
			}
			else if (judgement->verdict != CEC_VERDICT_FAILED)
			{
				if (run->is_timed)
					INSTR_TIME_SET_CURRENT(run->begun);
				cec_rule_deadline_enter();
				act(run, judgement);
				if (run->is_timed)
					cec_rule_time_add(judgement->rule, run->begun);
				if (cec_rule_deadline_leave())
				{
					judgement->verdict = CEC_VERDICT_FAILED;
					judgement->sqlstate = ERRCODE_QUERY_CANCELED;
				}
			}
			at++;
		}
		if (!is_restricted)
			cec_act_as_self(&restricted);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData *error;
		bool passed = cec_rule_deadline_leave();

		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
		if (cec_rule_error_is_fatal(error->sqlerrcode) && !cec_rule_error_is_deadline(passed, error))
			ReThrowError(error);
		if (run->is_timed)
			cec_rule_time_add(run->judgements[at].rule, run->begun);
		run->judgements[at].verdict = CEC_VERDICT_FAILED;
		run->judgements[at].sqlstate = error->sqlerrcode;
		FreeErrorData(error);
		if (run->econtext != NULL)
			ResetExprContext(run->econtext);
		at++;
	}
	PG_END_TRY();
	return at;
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
	for (int from = 0; from < run.count;)
		from = attempt(&run, from, compile_one);
	pfree(run.judgements);
	old = MemoryContextSwitchTo(set->cxt);
	for (int i = 0; i < set->count; i++)
	{
		CecCondition *condition = set->rules[i].code->condition;

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
	if (judgement->rule->code->needs & CEC_NEEDS_BOUNDARY_ON_GLOBE)
		cec_rule_project_boundary(cec_rule_facts_set(run->facts), judgement->rule->term);
}

static bool
is_ready(const CecRule *rule)
{
	const CecCompiledCondition *code = rule->code;

	return code->state != NULL && code->cached->is_valid &&
		   (!(code->needs & CEC_NEEDS_BOUNDARY_ON_GLOBE) || !rule->term->has_box || rule->term->boundary_on_globe != 0);
}

/*
 * Judges the asset that the facts have gone to by the rules named in the judgements.  Between cec_rule_deadline_start and
 * _stop.  Suspended rules are not run: they are unknown.
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
		needs |= judgements[i].rule->code->needs;
	}
	if (live > 0)
	{
		run.econtext = CreateStandaloneExprContext();
		for (int from = 0; !ready && from < count;)
			from = attempt(&run, from, prepare_one);
		/* Reading opens tables, which must not belong to the subtransaction. */
		for (int i = 0; (!ready || needs != 0) && i < count; i++)
			if (judgements[i].verdict != CEC_VERDICT_FAILED)
				(void) cec_rule_facts_of(facts, judgements[i].rule);
		for (int from = 0; !ready && from < count;)
			from = attempt(&run, from, project_one);
		run.is_timed = true;
		for (int from = 0; from < count;)
			from = attempt(&run, from, evaluate_one);
		FreeExprContext(run.econtext, true);
	}
	for (int i = 0; live < count && i < count; i++)
		if (!judgements[i].rule->is_active)
			judgements[i].verdict = CEC_VERDICT_UNKNOWN;
}
