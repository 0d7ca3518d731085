/*
 * rule_session.h
 *		What rules do to the assets of one statement: decided, and recorded at the end.
 */
#ifndef CEC_RULE_SESSION_H
#define CEC_RULE_SESSION_H

#include "portfolio/change.h"
#include "rule/rule_set.h"
#include "utils/snapshot.h"

typedef struct CecRuleSession CecRuleSession;
typedef struct CecAssetRules CecAssetRules;

/* Days that the include rules of a term give an asset. */
typedef struct CecQualified
{
	int64 term_id;
	CecDaySet days;
} CecQualified;

extern CecRuleSession *cec_rule_session_begin(CecChange *change, Snapshot snapshot);
extern CecRuleSession *cec_rule_session_try(CecChange *change, Snapshot snapshot);
extern TimestampTz cec_rule_session_latest(const CecRuleSession *session);
extern CecAssetRules *cec_rule_session_asset(CecRuleSession *session, int64 asset_id);
extern void cec_rule_session_own_found(CecRuleSession *session, CecAssetRules *asset);
extern int cec_rule_session_qualified(CecRuleSession *session, CecAssetRules *asset, CecQualified **qualified);
extern CecDaySet
cec_rule_session_days(CecRuleSession *session, CecAssetRules *asset, int64 term_id, CecRuleEffect effect);
extern void cec_rule_session_end(CecRuleSession *session);

#endif
