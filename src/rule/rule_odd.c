/*
 * rule_odd.c
 *		Notes judgements that call for a finding; rule_finding.c opens and closes findings when all of the change is recorded.
 */
#include "postgres.h"

#include "rule/rule_odd.h"

/* Whether a judgement calls for a finding. */
bool
cec_rule_is_odd(const CecJudgement *judgement)
{
	return judgement->verdict == CEC_VERDICT_FAILED ||
		   (judgement->verdict == CEC_VERDICT_UNKNOWN && judgement->rule->on_unknown == CEC_UNKNOWN_FLAG &&
			judgement->rule->is_active);
}

/* The finding that a judgement calls for. */
CecOdd
cec_rule_odd(int64 asset_id, const CecJudgement *judgement)
{
	const CecRule *rule = judgement->rule;

	return (CecOdd){asset_id, rule->term->contract_id, rule->term->term_id, rule->rule_id,
					judgement->verdict == CEC_VERDICT_FAILED ? judgement->sqlstate : 0};
}

static CecTold *
make_told(int64 id, bool facts_changed, const CecOdd *odd, int64 count)
{
	CecTold *told = palloc(sizeof(CecTold));

	*told = (CecTold){id, facts_changed, odd, count};
	return told;
}

/*
 * Notes what there is to tell of an asset whose cover was computed; odd stays until then.  All rules that take cover away
 * from it have been judged; those that qualify assets only when its facts have changed.
 */
void
cec_rule_findings_of_asset(CecRuleFindings *findings, int64 asset_id, bool facts_changed, const CecOdd *odd,
						   int64 count)
{
	findings->assets = lappend(findings->assets, make_told(asset_id, facts_changed, odd, count));
}

/* Notes what there is to tell of a rule, also of one that is gone, after it was decided for the register; odd, which stays
 * until then, is in order of asset_id. */
void
cec_rule_findings_of_rule(CecRuleFindings *findings, int64 rule_id, const CecOdd *odd, int64 count)
{
	findings->rules = lappend(findings->rules, make_told(rule_id, false, odd, count));
}
