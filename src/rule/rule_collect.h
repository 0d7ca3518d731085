/*
 * rule_collect.h
 *		Deciding a rule anew, and the day as of which a changed statement does.
 */
#ifndef CEC_RULE_COLLECT_H
#define CEC_RULE_COLLECT_H

#include "change.h"
#include "id_list.h"
#include "rule_set.h"

extern DateADT cec_rule_change_today(CecChange *change);
extern void cec_rule_decide(CecRuleSet *set, CecRule *rule, DateADT today, CecDelta *delta, CecIds *assets);
extern void
cec_rule_decide_keys(CecPortfolio *portfolio, const CecIds *keys, DateADT today, CecDelta *delta, CecIds *assets);

#endif
