/*
 * rule_finding.h
 *		Findings about conditions that were unknown or failed.
 */
#ifndef CEC_RULE_FINDING_H
#define CEC_RULE_FINDING_H

#include "rule_evaluate.h"

typedef struct CecRuleFindings CecRuleFindings;

extern CecRuleFindings *cec_rule_findings_begin(CecPortfolio *portfolio, Snapshot snapshot);
extern bool cec_rule_is_odd(const CecJudgement *judgement);
extern bool cec_rule_finding_waits(const CecRule *rule, bool failed, DateADT today);
extern void cec_rule_findings_close(CecRuleFindings *findings, int64 finding_id);
extern void cec_rule_findings_open(CecRuleFindings *findings, int64 asset_id, const CecJudgement *judgement);
extern void cec_rule_findings_settle(CecRuleFindings *findings, CecRuleSet *set, int64 asset_id, bool facts_changed,
									 DateADT today, const CecJudgement *odd, int odd_count);
extern void cec_rule_findings_end(CecRuleFindings *findings);
extern void cec_rule_findings_move(CecPortfolio *portfolio, const CecIds *rules);

#endif
