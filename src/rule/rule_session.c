/*
 * rule_session.c
 *		What rules do to the assets whose cover a statement computes.
 *
 * Include rules are decided for the assets whose facts have changed: those that can match (rule_index.c) and those that
 * act now.  Rules that take cover away are decided whenever the cover of an asset under their term is computed, and for
 * no other asset: an asset that the term does not concern is of no interest to them, and most are not.  All this is done
 * with the facts of the moment, so deciding more than is needed changes nothing that was right.
 *
 * Decisions are written as they are made; what there is to tell of conditions that were unknown or failed is noted.
 *
 * Memory.  What is known of an asset's rules lives in own_cxt until its own cover is found, and is forgotten then: hundreds of
 * thousands of assets may be computed together.  Little is kept of each: who it is, and what calls for a finding.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "portfolio/portfolio_today.h"
#include "rule/rule_change.h"
#include "rule/rule_index.h"
#include "rule/rule_session.h"
#include "support/attempt.h"
#include "support/grow.h"
#include "support/search.h"

/* A rule that acts or acted on an asset, or was judged. */
typedef struct RuleDays
{
	int64 rule_id;
	CecRule *rule; /* NULL: there is none any more */
	int64 first;   /* of its recorded rows */
	int64 count;
	bool is_decided;
	CecDaySet days;
} RuleDays;

struct CecAssetRules
{
	int64 asset_id;
	bool facts_changed;
	int odd_count;
	int odd_space;
	CecOdd *odd; /* what calls for a finding */
	CecEffectRows recorded;
	int recorded_rules; /* so many of the rules below were recorded; they are in order of rule_id, those decided since follow */
	int count;
	int space;
	RuleDays *rules;
	CecAssetRules *next;
};

struct CecRuleSession
{
	CecChange *change;
	CecRuleSet *set;
	DateADT today;
	bool is_forecast; /* of a day to come: findings speak of what is */
	CecRuleFacts *reader;
	CecEffects *effects;
	CecAssetRules *assets;
	MemoryContext cxt;
	MemoryContext own_cxt; /* of the asset begun last, and of all that came to rules again since */
	bool is_trial;		   /* nothing is recorded */
	bool watching;		   /* the deadline */
	CecJudgement *judgements;
	int judgement_space;
};

/*
 * Starts, for the assets of a change.  What is decided is added to its delta.  NULL when the portfolio has no rules.  The
 * caller acts as the owner, holds the locks and has pinned the portfolio; everything lives in the current memory context.
 */
CecRuleSession *
cec_rule_session_begin(CecChange *change, Snapshot snapshot)
{
	DateADT today = cec_change_today(change);
	CecRuleSet *set = cec_rule_set_get(change->portfolio);
	CecRuleSession *session;

	if (set->count == 0)
		return NULL;
	cec_rule_time_begin();
	session = palloc0(sizeof(CecRuleSession));
	session->change = change;
	session->set = set;
	session->today = today;
	session->is_forecast = session->today > cec_portfolio_today(set->portfolio);
	session->cxt = CurrentMemoryContext;
	session->own_cxt = AllocSetContextCreate(session->cxt, "cec rules of an asset", ALLOCSET_DEFAULT_SIZES);
	session->reader = cec_rule_facts_begin(set, snapshot, session->today);
	session->effects = cec_effects_begin(change->portfolio, snapshot, &change->delta);
	return session;
}

/* The same, for a trial: what is decided is neither recorded nor told. */
CecRuleSession *
cec_rule_session_try(CecChange *change, Snapshot snapshot)
{
	CecRuleSession *session = cec_rule_session_begin(change, snapshot);

	if (session != NULL)
		session->is_trial = true;
	return session;
}

static bool
facts_changed(CecRuleSession *session, int64 asset_id)
{
	return cec_ids_find(&session->change->facts, asset_id) >= 0;
}

static RuleDays *
add_rule(CecAssetRules *asset, int64 rule_id, CecRule *rule)
{
	RuleDays *days;

	CEC_MAKE_ROOM(asset->rules, asset->count, asset->space, 1);
	days = &asset->rules[asset->count++];
	memset(days, 0, sizeof(RuleDays));
	days->rule_id = rule_id;
	days->rule = rule;
	return days;
}

/* What is recorded, rule by rule. */
static void
read_recorded(CecRuleSession *session, CecAssetRules *asset)
{
	cec_effects_of_asset(session->effects, asset->asset_id, &asset->recorded);
	for (int64 i = 0; i < asset->recorded.count; i++)
	{
		const CecEffectRow *row = &asset->recorded.rows[i];

		if (asset->count == 0 || asset->rules[asset->count - 1].rule_id != row->rule_id)
			add_rule(asset, row->rule_id, cec_rule_find(session->set, row->rule_id))->first = i;
		asset->rules[asset->count - 1].count++;
		cec_day_set_add(&asset->rules[asset->count - 1].days, row->during);
	}
	asset->recorded_rules = asset->count;
}

static RuleDays *
find_recorded(CecAssetRules *asset, int64 rule_id)
{
	int place;

	CEC_SEARCH(place, asset->recorded_rules, asset->rules[middle].rule_id < rule_id);
	return place < asset->recorded_rules && asset->rules[place].rule_id == rule_id ? &asset->rules[place] : NULL;
}

/* Room for one more judgement. */
static void
add_judgement(CecRuleSession *session, int *count, CecRule *rule)
{
	CEC_MAKE_ROOM_IN(session->cxt, session->judgements, *count, session->judgement_space, 16);
	session->judgements[(*count)++] = (CecJudgement){rule};
}

/* A rule is decided once for an asset; what was decided is written. */
static void
decide(CecRuleSession *session, CecAssetRules *asset, CecRule *rule, bool acts)
{
	RuleDays *days = find_recorded(asset, rule->rule_id);

	if (days == NULL)
	{
		if (!acts)
			return;
		days = add_rule(asset, rule->rule_id, rule);
	}
	days->days =
		cec_effect_decide(session->set, asset->recorded.rows + days->first, days->count, rule, session->today, acts);
	days->is_decided = true;
	if (session->is_trial)
		return;
	(void) cec_effects_put(session->effects, rule->rule_id, asset->asset_id, asset->recorded.rows + days->first,
						   days->count, &days->days, NULL);
}

static void
add_odd(CecRuleSession *session, CecAssetRules *asset, const CecJudgement *judgement)
{
	CEC_MAKE_ROOM_IN(session->cxt, asset->odd, asset->odd_count, asset->odd_space, 2);
	asset->odd[asset->odd_count++] = cec_rule_odd(asset->asset_id, judgement);
}

/* Judges the asset by the rules and decides each. */
static void
judge(CecRuleSession *session, CecAssetRules *asset, int count)
{
	bool exists;

	if (count == 0)
		return;
	exists = cec_rule_facts_seek(session->reader, asset->asset_id);
	if (exists)
	{
		if (!session->watching)
			cec_deadline_start();
		session->watching = true;
		cec_rule_evaluate(session->reader, session->judgements, count);
	}
	for (int i = 0; i < count; i++)
	{
		CecJudgement *judgement = &session->judgements[i];

		decide(session, asset, judgement->rule, exists && cec_rule_acts(judgement->rule, judgement->verdict));
		if (exists && cec_rule_is_odd(judgement))
			add_odd(session, asset, judgement);
	}
}

static bool
is_over(const CecRuleSession *session, const CecRule *rule)
{
	return rule->during.to <= session->today;
}

static void
decide_include_rules(CecRuleSession *session, CecAssetRules *asset)
{
	CecRule **candidates = NULL;
	int candidate_count = 0;
	int count = 0;

	if (cec_rule_facts_seek(session->reader, asset->asset_id))
		candidate_count = cec_rule_candidates(session->set, cec_rule_facts_asset(session->reader), &candidates);
	for (int i = 0; i < candidate_count; i++)
		if (!is_over(session, candidates[i]))
			add_judgement(session, &count, candidates[i]);
	judge(session, asset, count);
	/* What cannot match no longer acts, and neither does what is over. */
	for (int i = 0; i < asset->recorded_rules; i++)
	{
		RuleDays *days = &asset->rules[i];

		if (days->rule != NULL && days->rule->effect == CEC_RULE_INCLUDE && !days->is_decided)
			decide(session, asset, days->rule, false);
	}
	asset->facts_changed = true;
}

/* A recorded rule that takes cover away and was not decided: the asset may come to its term by inheriting, or not. */
static bool
waits_for_the_end(const RuleDays *days)
{
	return !days->is_decided && days->rule != NULL && days->rule->effect != CEC_RULE_INCLUDE;
}

/* Begins with an asset.  What rules do to it is asked for by the two functions below. */
CecAssetRules *
cec_rule_session_asset(CecRuleSession *session, int64 asset_id)
{
	CecAssetRules *asset = MemoryContextAllocZero(session->cxt, sizeof(CecAssetRules));
	MemoryContext old = MemoryContextSwitchTo(session->own_cxt);

	asset->asset_id = asset_id;
	read_recorded(session, asset);
	if (facts_changed(session, asset_id))
		decide_include_rules(session, asset);
	MemoryContextSwitchTo(old);
	asset->next = session->assets;
	session->assets = asset;
	return asset;
}

/* The terms for which include rules qualify the asset, now or on days decided before; stays until cec_rule_session_own_found. */
int
cec_rule_session_qualified(CecRuleSession *session, CecAssetRules *asset, CecQualified **qualified)
{
	int count = 0;

	if (asset->count == 0)
		return 0;
	*qualified = MemoryContextAlloc(session->own_cxt, asset->count * sizeof(CecQualified));
	for (int i = 0; i < asset->count; i++)
	{
		RuleDays *days = &asset->rules[i];

		if (days->rule != NULL && days->rule->effect == CEC_RULE_INCLUDE && days->days.count > 0)
			(*qualified)[count++] = (CecQualified){days->rule->term->term_id, days->days};
	}
	return count;
}

/*
 * The asset's own cover is found: what is left to be asked are rules that exclude it under terms by which it inherits, which
 * have not been asked for before.  Forgets what was recorded, unless the end has to come back to it.
 */
void
cec_rule_session_own_found(CecRuleSession *session, CecAssetRules *asset)
{
	CecAssetRules rest = {0};
	MemoryContext old = MemoryContextSwitchTo(session->cxt);

	for (int i = 0; i < asset->recorded_rules; i++)
	{
		const RuleDays *days = &asset->rules[i];

		if (!waits_for_the_end(days))
			continue;
		add_rule(&rest, days->rule_id, days->rule)->first = rest.recorded.count;
		rest.rules[rest.count - 1].count = days->count;
		for (int64 j = 0; j < days->count; j++)
			cec_effect_rows_add(&rest.recorded, &asset->recorded.rows[days->first + j]);
	}
	MemoryContextSwitchTo(old);
	asset->recorded = rest.recorded;
	asset->recorded_rules = asset->count = rest.count;
	asset->space = rest.space;
	asset->rules = rest.rules;
	MemoryContextReset(session->own_cxt);
}

/*
 * The days on which the require or exclude rules of a term act on the asset; stays like the above.  Asked once for a term and
 * effect: this decides them for today.
 */
CecDaySet
cec_rule_session_days(CecRuleSession *session, CecAssetRules *asset, int64 term_id, CecRuleEffect effect)
{
	CecRule **rules;
	int rule_count = cec_rules_of_term(session->set, term_id, &rules);
	int count = 0;
	CecDaySet result = {0};
	MemoryContext old = MemoryContextSwitchTo(session->own_cxt);

	for (int i = 0; i < rule_count; i++)
		if (rules[i]->effect == effect && !is_over(session, rules[i]))
			add_judgement(session, &count, rules[i]);
	judge(session, asset, count);
	for (int i = 0; i < asset->count; i++)
	{
		RuleDays *days = &asset->rules[i];

		if (days->rule == NULL || days->rule->effect != effect || days->rule->term->term_id != term_id)
			continue;
		if (!days->is_decided) /* it is over */
			decide(session, asset, days->rule, false);
		cec_day_set_union(&result, &days->days);
	}
	MemoryContextSwitchTo(old);
	return result;
}

/* When the latest of the decisions so far on the assets was recorded; 0 when there is none. */
TimestampTz
cec_rule_session_latest(const CecRuleSession *session)
{
	return cec_effects_latest(session->effects);
}

/* Records what was decided, and notes what there is to tell; after a trial neither. */
void
cec_rule_session_end(CecRuleSession *session)
{
	if (session->watching)
		cec_deadline_stop();
	for (CecAssetRules *asset = session->is_trial ? NULL : session->assets; asset != NULL; asset = asset->next)
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < asset->count; i++)
		{
			/* The term of a rule that nobody asked about does not concern the asset any more. */
			if (waits_for_the_end(&asset->rules[i]))
				decide(session, asset, asset->rules[i].rule, false);
		}
		if (!session->is_forecast)
			cec_rule_findings_of_asset(&cec_rule_change(session->change)->findings, asset->asset_id,
									   asset->facts_changed, asset->odd, asset->odd_count);
	}
	cec_rule_facts_end(session->reader);
	(void) cec_effects_end(session->effects);
}
