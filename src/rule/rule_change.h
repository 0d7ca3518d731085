/*
 * rule_change.h
 *		What a change means to rules, from stage to stage.
 *
 * DEFINE says which rules are to be decided anew, COLLECT decides what those that qualify assets do to the register, COVER
 * records it, and FIND tells of it.
 */
#ifndef CEC_RULE_CHANGE_H
#define CEC_RULE_CHANGE_H

#include "portfolio/change.h"
#include "rule/rule_effect.h"
#include "rule/rule_odd.h"
#include "rule/rule_set.h"
#include "support/id_list.h"

typedef struct CecRuleChange
{
	CecIds rules;		/* to be decided for whomever they concern, in order; there need not be such rules any more */
	CecIds moved;		/* that open findings may have to follow */
	CecEffectPlan plan; /* what was decided for the register, and is yet to be recorded */
	CecRuleFindings findings;
} CecRuleChange;

extern CecRuleChange *cec_rule_change(CecChange *change);
extern CecRuleChange *cec_rule_change_if_any(CecChange *change);
extern void cec_rule_apply(CecChange *change, CecRuleSet *set, int64 rule_id, DateADT today);
extern void cec_rule_apply_all(CecChange *change);

#endif
