/*
 * rule_work.h
 *		What rules do to the assets of one statement: decided, and recorded at the end.
 */
#ifndef CEC_RULE_WORK_H
#define CEC_RULE_WORK_H

#include "portfolio/change.h"
#include "rule/rule_set.h"
#include "utils/snapshot.h"

typedef struct CecRuleWork CecRuleWork;
typedef struct CecAssetRules CecAssetRules;

/* Days that the include rules of a term give an asset. */
typedef struct CecQualified
{
	int64 term_id;
	CecDaySet days;
} CecQualified;

extern CecRuleWork *cec_rule_work_begin(CecChange *change, Snapshot snapshot);
extern TimestampTz cec_rule_work_latest(const CecRuleWork *work);
extern CecAssetRules *cec_rule_work_asset(CecRuleWork *work, int64 asset_id);
extern void cec_rule_work_own_found(CecRuleWork *work, CecAssetRules *asset);
extern int cec_rule_work_qualified(CecRuleWork *work, CecAssetRules *asset, CecQualified **qualified);
extern CecDaySet cec_rule_work_decide(CecRuleWork *work, CecAssetRules *asset, int64 term_id, CecRuleEffect effect);
extern void cec_rule_work_end(CecRuleWork *work);

#endif
