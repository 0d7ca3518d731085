/*
 * regulation_judge.c
 *		Judges assets that are covered on a day by all regulations in force where they stand.
 *
 * Assets are gone through in batches.  The rows of a batch are read by the server's executor, with what the conditions of
 * the regulations that concern them ask for, and compiled conditions run over them: as those of rules do, restricted, in an
 * internal subtransaction each time one has failed, with a deadline for each and a time limit for each regulation in all
 * (cec.rule_time_limit).  What fails, or is not judged for want of time, is unknown; only its SQLSTATE is told.
 *
 * Conditions are compiled for each call, and only those that concern an asset of it: that costs some 10 µs.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"

#include "regulation/regulation_judge.h"
#include "support/act_as.h"
#include "support/attempt.h"
#include "support/grow.h"

#define BATCH 1000

/* A regulation that concerns an asset under a term. */
typedef struct Task
{
	CecCoveredAsset *asset;
	CecRegulation *regulation;
	CecVerdict verdict;
	int sqlstate;
} Task;

typedef struct Judge Judge;
typedef void (*Act)(Judge *judge, Task *task);

struct Judge
{
	CecRegulationFacts *facts;
	MemoryContext cxt; /* of compiled conditions */
	CecRegulation *regulations;
	int regulation_count;
	TupleTableSlot *slot;
	ExprContext *econtext;
	CecCoveredAsset *in_slot;
	int64 count;
	int64 space;
	Task *tasks;
	int64 at; /* the task that something is done for */
	Act act;
	bool is_timed;
	instr_time begun;
};

static void
compile_one(Judge *judge, Task *task)
{
	CecRegulation *regulation = task->regulation;
	MemoryContext old;

	if (regulation->state != NULL)
		return;
	old = MemoryContextSwitchTo(judge->cxt);
	regulation->condition = cec_condition_compile_to_keep(regulation->requirement, CEC_SPEAKER_REGULATION);
	regulation->state = ExecInitExpr(expression_planner(copyObject(regulation->condition->expr)), NULL);
	MemoryContextSwitchTo(old);
}

static void
evaluate_one(Judge *judge, Task *task)
{
	TupleTableSlot *slot = judge->slot;
	bool isnull;
	Datum value;

	if (bms_is_member(CEC_FACT_BOUNDARY_ON_GLOBE, task->regulation->condition->facts))
	{
		cec_regulation_facts_project(judge->facts, task->asset);
		judge->in_slot = NULL;
	}
	if (judge->in_slot != task->asset)
	{
		ExecClearTuple(slot);
		memcpy(slot->tts_values, task->asset->values, sizeof(task->asset->values));
		memcpy(slot->tts_isnull, task->asset->isnull, sizeof(task->asset->isnull));
		ExecStoreVirtualTuple(slot);
		judge->in_slot = task->asset;
	}
	judge->econtext->ecxt_scantuple = slot;
	value = ExecEvalExprSwitchContext(task->regulation->state, judge->econtext, &isnull);
	task->verdict = isnull ? CEC_VERDICT_UNKNOWN : DatumGetBool(value) ? CEC_VERDICT_TRUE : CEC_VERDICT_FALSE;
	ResetExprContext(judge->econtext);
}

static void
fail(Task *task, int sqlstate)
{
	task->verdict = CEC_VERDICT_FAILED;
	task->sqlstate = sqlstate;
}

/* Does something for the tasks from one on, until all are through or one raises. */
static void
go_on(void *arg)
{
	Judge *judge = arg;
	bool is_restricted = cec_act_is_restricted();
	CecActAs restricted;

	if (!is_restricted)
		cec_act_restricted(&restricted);
	for (; judge->at < judge->count; judge->at++)
	{
		Task *task = &judge->tasks[judge->at];

		CHECK_FOR_INTERRUPTS();
		if (task->verdict == CEC_VERDICT_FAILED)
			continue;
		if (judge->is_timed && cec_rule_time_left(&task->regulation->clock) <= 0)
		{
			fail(task, ERRCODE_QUERY_CANCELED);
			continue;
		}
		INSTR_TIME_SET_CURRENT(judge->begun);
		cec_deadline_enter();
		judge->act(judge, task);
		if (judge->is_timed)
			cec_rule_time_add(&task->regulation->clock, judge->begun);
		if (cec_deadline_leave())
			fail(task, ERRCODE_QUERY_CANCELED);
	}
	if (!is_restricted)
		cec_act_as_self(&restricted);
}

/* Does something for all tasks, in a subtransaction, and after each that raises in another one. */
static void
do_for_all(Judge *judge, Act act, bool is_timed)
{
	judge->act = act;
	judge->is_timed = is_timed;
	judge->at = 0;
	while (judge->at < judge->count)
	{
		int sqlstate = cec_attempt(go_on, judge, cec_rule_error_is_own);

		if (sqlstate == 0)
			break;
		if (is_timed)
			cec_rule_time_add(&judge->tasks[judge->at].regulation->clock, judge->begun);
		fail(&judge->tasks[judge->at], sqlstate);
		judge->in_slot = NULL;
		ResetExprContext(judge->econtext);
		judge->at++;
	}
}

/* Whether a regulation concerns an asset under a term. */
static bool
concerns(const CecRegulation *regulation, const CecCoveredAsset *asset)
{
	if (regulation->by_country)
		return asset->governing_country != NULL && strcmp(asset->governing_country, regulation->place) == 0;
	for (int i = 0; i < asset->place_count; i++)
		if (strcmp(asset->places[i], regulation->place) == 0)
			return true;
	return false;
}

static void
list_tasks(Judge *judge, CecCoveredAsset *assets, int64 count)
{
	for (int64 i = 0; i < count; i++)
		for (int j = 0; j < judge->regulation_count; j++)
		{
			if (!concerns(&judge->regulations[j], &assets[i]))
				continue;
			CEC_MAKE_ROOM(judge->tasks, judge->count, judge->space, 64);
			judge->tasks[judge->count++] = (Task){&assets[i], &judge->regulations[j], CEC_VERDICT_FALSE, 0};
		}
}

static Bitmapset *
needs_of(Judge *judge)
{
	Bitmapset *needs = NULL;

	for (int64 i = 0; i < judge->count; i++)
		if (judge->tasks[i].regulation->condition != NULL)
			needs = bms_add_members(needs, judge->tasks[i].regulation->condition->facts);
	return needs;
}

/* Hands on what the regulations say of an asset, which has been counted, and counts anew. */
static void
hand_on(Judge *judge, int64 asset_id, CecRegulationTaker take, void *arg)
{
	for (int i = 0; i < judge->regulation_count; i++)
	{
		CecRegulation *regulation = &judge->regulations[i];
		CecRegulationVerdict verdict = {asset_id, regulation};

		if (regulation->terms == 0)
			continue;
		if (regulation->every_term)
			verdict.is_met = regulation->met == regulation->terms;
		else
			verdict.is_met = regulation->met > 0;
		/* What is known decides: one term that meets a minimum, one that breaks a prohibition. */
		verdict.is_unknown = !verdict.is_met &&
							 (regulation->every_term ? regulation->unmet == 0 : regulation->unmet < regulation->terms);
		take(arg, &verdict);
		regulation->terms = regulation->met = regulation->unmet = regulation->sqlstate = 0;
		regulation->not_met.count = 0;
	}
}

/* What was found of each term, by asset. */
static void
count_terms(Judge *judge, CecRegulationTaker take, void *arg)
{
	for (int64 i = 0; i < judge->count; i++)
	{
		Task *task = &judge->tasks[i];
		CecRegulation *regulation = task->regulation;

		regulation->terms++;
		regulation->met += task->verdict == CEC_VERDICT_TRUE;
		regulation->unmet += task->verdict == CEC_VERDICT_FALSE;
		if (task->verdict != CEC_VERDICT_TRUE)
			cec_ids_add(&regulation->not_met, task->asset->term_id);
		if (task->verdict == CEC_VERDICT_FAILED && regulation->sqlstate == 0)
			regulation->sqlstate = task->sqlstate;
		if (i + 1 == judge->count || judge->tasks[i + 1].asset->asset_id != task->asset->asset_id)
			hand_on(judge, task->asset->asset_id, take, arg);
	}
}

static void
judge_batch(Judge *judge, const int64 *ids, int64 count, CecRegulationTaker take, void *arg)
{
	int64 found;
	CecCoveredAsset *assets = cec_regulation_facts_read(judge->facts, ids, count, &found);

	judge->tasks = NULL;
	judge->count = judge->space = 0;
	judge->in_slot = NULL;
	list_tasks(judge, assets, found);
	if (judge->count == 0)
		return;
	cec_deadline_start();
	do_for_all(judge, compile_one, false);
	cec_deadline_stop();
	/* Reading opens tables, which must not belong to the subtransaction. */
	cec_regulation_facts_fill(judge->facts, assets, found, needs_of(judge));
	cec_deadline_start();
	do_for_all(judge, evaluate_one, true);
	cec_deadline_stop();
	count_terms(judge, take, arg);
}

/*
 * Judges the assets, which are in order, by the regulations; those that are covered on the day of the facts, as far as the
 * caller may read them.  What concerns an asset is handed on asset by asset; a verdict lasts as long as the call that takes it.
 */
void
cec_regulation_judge(CecRegulationFacts *facts, CecRegulation *regulations, int count, const CecIds *assets,
					 CecRegulationTaker take, void *arg)
{
	Judge judge = {facts, CurrentMemoryContext, regulations, count};
	MemoryContext batch_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec regulations", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;

	if (count == 0)
		return;
	cec_rule_time_begin();
	judge.slot = MakeSingleTupleTableSlot(cec_fact_descriptor(), &TTSOpsVirtual);
	judge.econtext = CreateStandaloneExprContext();
	for (int64 i = 0; i < assets->count; i += BATCH)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(batch_cxt);
		old = MemoryContextSwitchTo(batch_cxt);
		for (int j = 0; j < count; j++)
			regulations[j].not_met = (CecIds){0};
		judge_batch(&judge, assets->ids + i, Min(BATCH, assets->count - i), take, arg);
		MemoryContextSwitchTo(old);
	}
	FreeExprContext(judge.econtext, true);
	ExecDropSingleTupleTableSlot(judge.slot);
	MemoryContextDelete(batch_cxt);
}
