/*
 * rule_facts.h
 *		The row that a condition is about: one asset under one term on one day.
 */
#ifndef CEC_RULE_FACTS_H
#define CEC_RULE_FACTS_H

#include "executor/tuptable.h"

#include "rule/rule_set.h"

typedef struct CecRuleFacts CecRuleFacts;

extern CecRuleFacts *cec_rule_facts_begin(CecRuleSet *set, Snapshot snapshot, DateADT as_of);
extern bool cec_rule_facts_seek(CecRuleFacts *facts, int64 asset_id);
extern CecRuleSet *cec_rule_facts_set(CecRuleFacts *facts);
extern TupleTableSlot *cec_rule_facts_of(CecRuleFacts *facts, CecRule *rule);
extern TupleTableSlot *cec_rule_facts_asset(CecRuleFacts *facts);
extern void cec_rule_facts_end(CecRuleFacts *facts);
extern void cec_rule_read_boundary(CecRuleSet *set, CecRuleTerm *term);
extern void cec_rule_project_boundary(CecRuleSet *set, CecRuleTerm *term);

#endif
