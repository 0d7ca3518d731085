/*
 * rule_finding.h
 *		Findings about conditions that were unknown or failed.
 */
#ifndef CEC_RULE_FINDING_H
#define CEC_RULE_FINDING_H

#include "rule_evaluate.h"

typedef struct CecRuleFindings CecRuleFindings;

extern CecRuleFindings *cec_rule_findings_begin(CecRuleSet *set, Snapshot snapshot);
extern void cec_rule_findings_judged(CecRuleFindings *findings, int64 asset_id, const CecJudgement *judgement);
extern bool cec_rule_wants_finding(const CecJudgement *judgement);
extern void cec_rule_findings_computed(CecRuleFindings *findings, int64 asset_id, bool facts_changed);
extern void cec_rule_findings_end(CecRuleFindings *findings);

#endif
