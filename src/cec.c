/*
 * cec.c
 *		Module magic and load-time initialisation, which is all delegated.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "amendment/amendment.h"
#include "audit/audit.h"
#include "bundle/bundle.h"
#include "contract/contract.h"
#include "coverage/coverage.h"
#include "finding/finding.h"
#include "inclusion/inclusion.h"
#include "outbox/outbox.h"
#include "portfolio/portfolio_cache.h"
#include "portfolio/portfolio_query.h"
#include "portfolio/row_check.h"
#include "registry/asset_lock.h"
#include "registry/registry.h"
#include "regulation/regulation.h"
#include "rule/rule.h"
#include "seal/seal.h"
#include "support/attempt.h"
#include "support/cache.h"
#include "support/guard.h"
#include "support/query.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void
_PG_init(void)
{
	cec_cache_init();
	cec_attempt_init();
	cec_guard_init();
	cec_query_init();
	cec_portfolio_cache_init();
	cec_portfolio_query_init();
	cec_audit_init();
	cec_seal_verify_init();
	cec_outbox_init();
	cec_asset_lock_init();
	cec_customer_cycle_init();
	cec_contract_init();
	cec_bundle_init();
	cec_inclusion_init();
	cec_rule_init();
	cec_coverage_init();
	cec_portfolio_constraint_init();
	cec_audit_constraint_init();
	cec_finding_constraint_init();
	cec_registry_constraint_init();
	cec_contract_constraint_init();
	cec_bundle_constraint_init();
	cec_amendment_constraint_init();
	cec_inclusion_constraint_init();
	cec_rule_constraint_init();
	cec_coverage_constraint_init();
	cec_regulation_constraint_init();
	MarkGUCPrefixReserved("cec");
}
