/*
 * rule_odd.h
 *		Conditions that were unknown or failed, noted until there may be findings about them.
 */
#ifndef CEC_RULE_ODD_H
#define CEC_RULE_ODD_H

#include "rule/rule_evaluate.h"

/* A judgement that calls for a finding. */
typedef struct CecOdd
{
	int64 asset_id;
	int64 contract_id;
	int64 term_id;
	int64 rule_id;
	int sqlstate; /* 0: it was unknown */
} CecOdd;

/* What there is to tell of an asset whose cover was computed, or of a rule that was decided for the register. */
typedef struct CecTold
{
	int64 id;			/* of the asset, or of the rule */
	bool facts_changed; /* of an asset */
	const CecOdd *odd;	/* of a rule in order of asset_id */
	int64 count;
} CecTold;

/* What a change has to tell, as CecTold: of assets whose cover was computed, and of rules that were decided for the register. */
typedef struct CecRuleFindings
{
	List *assets;
	List *rules;
} CecRuleFindings;

extern bool cec_rule_is_odd(const CecJudgement *judgement);
extern CecOdd cec_rule_odd(int64 asset_id, const CecJudgement *judgement);
extern void cec_rule_findings_of_asset(CecRuleFindings *findings, int64 asset_id, bool facts_changed, const CecOdd *odd,
									   int64 count);
extern void cec_rule_findings_of_rule(CecRuleFindings *findings, int64 rule_id, const CecOdd *odd, int64 count);

#endif
