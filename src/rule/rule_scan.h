/*
 * rule_scan.h
 *		One rule over the whole register.
 */
#ifndef CEC_RULE_SCAN_H
#define CEC_RULE_SCAN_H

#include "portfolio/delta.h"
#include "rule/rule_evaluate.h"
#include "support/id_list.h"
#include "utils/snapshot.h"

/* What a rule says of the register: assets that it acts on, and those that a finding may be about. */
typedef struct CecRuleScan
{
	CecIds acting; /* in order */
	int64 odd_count;
	int64 odd_space;
	struct CecOddAsset *odd; /* unknown or failed, in order of asset_id */
} CecRuleScan;

typedef struct CecOddAsset
{
	int64 asset_id;
	CecVerdict verdict;
	int sqlstate;
} CecOddAsset;

extern CecRuleScan cec_rule_scan(CecRuleSet *set, CecRule *rule, Snapshot snapshot, DateADT as_of);
extern CecRuleScan
cec_rule_scan_as_caller(CecRuleSet *set, CecRule *rule, Snapshot snapshot, DateADT as_of, pg_tz *zone);

#endif
