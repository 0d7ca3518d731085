/*
 * coverage_update.c
 *		Brings stored coverage to what its definition says: of the assets of a change, or of all.
 */
#include "postgres.h"

#include "init.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "storage/lmgr.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "coverage/coverage.h"
#include "rule/rule_change.h"
#include "support/act_as.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_recompute);
PG_FUNCTION_INFO_V1(cec_keep_definitions);
PG_FUNCTION_INFO_V1(cec_let_definitions);

static const CecQuery all_assets = {
	"SELECT asset_id FROM @P@.inclusion UNION SELECT asset_id FROM @P@.bundle_member"
	" UNION SELECT asset_id FROM @P@.coverage UNION SELECT asset_id FROM @P@.rule_effect ORDER BY 1",
	0,
	{0},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = {INT8OID}};

/*
 * Handler of the cover stage: computes the cover of the change's assets, which are in order, complete downwards and locked, and
 * writes what differs.  What changed, and why, is added to the change's delta, which has the statement's instant then.
 */
static void
update_coverage(CecChange *change)
{
	CecReading *reading;
	CecRuleSession *rules;
	CecCoverSet *set;

	if (change->assets.count == 0)
		return;
	reading = cec_change_reading(change);
	cec_reading_keep_up(reading);
	rules = cec_rule_session_begin(change, reading->snapshot);
	set = cec_coverage_compute(reading, &change->assets, rules, NULL);
	cec_coverage_differ(reading, set, rules != NULL ? cec_rule_session_latest(rules) : 0, &change->delta);
	if (rules != NULL)
		cec_rule_session_end(rules);
	cec_coverage_write(change->portfolio, set, reading->snapshot, &change->delta);
	cec_effects_restamp(change->portfolio, &change->delta);
}

/* cec._recompute(portfolio): all rules and assets, alone in the portfolio.  The caller has checked the right to. */
Datum
cec_recompute(PG_FUNCTION_ARGS)
{
	Oid nspid = PG_GETARG_OID(0);
	CecPortfolio *portfolio;
	CecActAs act;
	CecChange change;
	int64 changed;

	cec_portfolio_pin();
	/* Before the gate: whoever waits for it keeps all others waiting. */
	if (pg_class_aclcheck(cec_portfolio_table(cec_portfolio_get(nspid), "setting"), GetUserId(), ACL_UPDATE) !=
		ACLCHECK_OK)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to recompute coverage")));
	cec_portfolio_lock_gate(nspid, ShareRowExclusiveLock);
	portfolio = cec_portfolio_get(nspid);
	cec_portfolio_act(&act, portfolio);
	cec_change_begin(&change, portfolio, "coverage", CEC_RECOMPUTE, act.saved_user);
	cec_rule_apply_all(&change);
	cec_query_ids(portfolio->plans, &all_assets, NULL, &change.assets);
	cec_change_run(&change);
	changed = change.delta.cover.count;
	cec_change_end(&change);
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	PG_RETURN_INT64(changed);
}

/* What cec._keep_definitions has locked last, to be let go by nobody else than whoever took it. */
typedef struct Kept
{
	Oid gate;
	ResourceOwner owner;
	SubTransactionId taken_in;
} Kept;

static Kept kept = {0};

/* Nothing is locked any more. */
static void
forget_kept(XactEvent event, void *arg)
{
	kept.gate = InvalidOid;
}

/* Called once when the library is loaded. */
void
cec_coverage_update_init(void)
{
	RegisterXactCallback(forget_kept, NULL);
	cec_change_register(CEC_STAGE_COVER, NULL, update_coverage);
}

/*
 * cec._keep_definitions(portfolio): definitions wait until cec._let_definitions, or the end of the (sub)transaction by an
 * error.  For those who verify: nobody else may keep others waiting without a right to write.
 */
Datum
cec_keep_definitions(PG_FUNCTION_ARGS)
{
	Oid nspid = PG_GETARG_OID(0);

	if (pg_class_aclcheck(cec_portfolio_table(cec_portfolio_get(nspid), "audit_log"), GetUserId(), ACL_SELECT) !=
		ACLCHECK_OK)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to keep definitions")));
	cec_portfolio_lock_gate(nspid, RowExclusiveLock);
	kept = (Kept){cec_portfolio_table(cec_portfolio_get(nspid), "gate"), CurrentResourceOwner,
				  GetCurrentSubTransactionId()};
	PG_RETURN_VOID();
}

/*
 * cec._let_definitions(): undoes cec._keep_definitions in the same function.  Takes away nothing that a statement of the
 * transaction has locked for itself: locks are counted, and only what was added here is subtracted.
 */
Datum
cec_let_definitions(PG_FUNCTION_ARGS)
{
	Oid gate = kept.gate;

	kept.gate = InvalidOid;
	if (OidIsValid(gate) && kept.owner == CurrentResourceOwner && kept.taken_in == GetCurrentSubTransactionId() &&
		cec_compat_lock_held(gate, RowExclusiveLock))
		UnlockRelationOid(gate, RowExclusiveLock);
	PG_RETURN_VOID();
}
