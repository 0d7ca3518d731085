/*
 * rule_evaluate.h
 *		What conditions say of one asset.
 */
#ifndef CEC_RULE_EVALUATE_H
#define CEC_RULE_EVALUATE_H

#include "rule/rule_facts.h"

typedef enum CecVerdict
{
	CEC_VERDICT_FALSE,
	CEC_VERDICT_TRUE,
	CEC_VERDICT_UNKNOWN,
	CEC_VERDICT_FAILED /* acts as unknown */
} CecVerdict;

typedef struct CecJudgement
{
	CecRule *rule;
	CecVerdict verdict;
	int sqlstate; /* when it failed */
} CecJudgement;

extern bool cec_rule_error_is_own(int sqlstate);
extern void cec_rule_time_begin(void);
extern double cec_rule_time_left(CecRule *rule);
extern void cec_rule_time_add(CecRule *rule, instr_time begun);
extern void cec_rule_compile_all(CecRuleSet *set);
extern void cec_rule_evaluate(CecRuleFacts *facts, CecJudgement *judgements, int count);
extern bool cec_rule_acts(const CecRule *rule, CecVerdict verdict);

#endif
