/*
 * rule_collect.h
 *		Deciding a rule anew.
 */
#ifndef CEC_RULE_COLLECT_H
#define CEC_RULE_COLLECT_H

#include "delta.h"
#include "id_list.h"
#include "rule_set.h"

extern void cec_rule_decide(CecRuleSet *set, CecRule *rule, DateADT today, CecDelta *delta, CecIds *assets);

#endif
