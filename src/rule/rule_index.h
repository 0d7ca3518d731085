/*
 * rule_index.h
 *		From the facts of an asset to the include rules that can match it.
 */
#ifndef CEC_RULE_INDEX_H
#define CEC_RULE_INDEX_H

#include "rule/rule_set.h"

extern bool cec_rule_can_match(CecRuleSet *set, CecRule *rule, TupleTableSlot *asset);
extern int cec_rule_candidates(CecRuleSet *set, TupleTableSlot *asset, CecRule ***candidates);
extern bool cec_rule_is_candidate(CecRuleSet *set, CecRule *rule, TupleTableSlot *asset);

#endif
