/*
 * rule_effect.h
 *		The days on which rules act on assets, as they are recorded.
 */
#ifndef CEC_RULE_EFFECT_H
#define CEC_RULE_EFFECT_H

#include "storage/itemptr.h"
#include "utils/timestamp.h"

#include "portfolio/delta.h"
#include "rule/rule_set.h"
#include "support/id_list.h"
#include "support/probe.h"

typedef struct CecEffectRow
{
	int64 rule_effect_id;
	int64 rule_id;
	int64 asset_id;
	CecDays during;
	TimestampTz recorded_at;
	ItemPointerData tid;
} CecEffectRow;

typedef struct CecEffectRows
{
	int64 count;
	int64 space;
	CecEffectRow *rows;
} CecEffectRows;

/* Rows of rule_effect that are to go (they have a place) and to come, in the order in which they were decided. */
typedef struct CecEffectPlan
{
	CecEffectRows rows;
	TimestampTz latest; /* of what was recorded before */
} CecEffectPlan;

typedef struct CecEffects CecEffects;

extern CecEffects *cec_effects_begin(CecPortfolio *portfolio, Snapshot snapshot, CecDelta *delta);
extern void cec_effect_rows_add(CecEffectRows *rows, const CecEffectRow *row);
extern void cec_effects_of_asset(CecEffects *effects, int64 asset_id, CecEffectRows *rows);
extern void cec_effects_of_rule(CecEffects *effects, int64 rule_id, CecEffectRows *rows);
extern CecDaySet cec_effect_decide(const CecRuleSet *set, const CecEffectRow *rows, int64 count, const CecRule *rule,
								   DateADT today, bool acts);
extern bool cec_effects_put(CecEffects *effects, int64 rule_id, int64 asset_id, const CecEffectRow *rows, int64 count,
							const CecDaySet *days, CecEffectPlan *plan);
extern void cec_effects_carry_out(CecPortfolio *portfolio, CecDelta *delta, CecEffectPlan *plan);
extern TimestampTz cec_effects_latest(const CecEffects *effects);
extern void cec_effects_restamp(CecPortfolio *portfolio, CecDelta *delta);
extern int64 cec_effects_end(CecEffects *effects);

#endif
