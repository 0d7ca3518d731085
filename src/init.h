/*
 * init.h
 *		What is called once when the library is loaded: the one list of it, for whoever defines such a function and for cec.c.
 *
 * Rooms come in the order of LAYERS in the Makefile.  Within a stage of a change, handlers run in this order.
 */
#ifndef CEC_INIT_H
#define CEC_INIT_H

#define CEC_INITS(ROW) \
	/* support */ \
	ROW(cec_cache_init) \
	ROW(cec_attempt_init) \
	ROW(cec_guard_init) \
	ROW(cec_query_init) \
	/* portfolio */ \
	ROW(cec_portfolio_cache_init) \
	ROW(cec_portfolio_query_init) \
	ROW(cec_statement_open_init) \
	ROW(cec_portfolio_today_init) \
	ROW(cec_portfolio_constraint_init) \
	/* audit */ \
	ROW(cec_audit_columns_init) \
	ROW(cec_audit_init) \
	ROW(cec_audit_constraint_init) \
	/* seal */ \
	ROW(cec_seal_verify_init) \
	/* outbox */ \
	ROW(cec_outbox_init) \
	/* finding */ \
	ROW(cec_finding_constraint_init) \
	ROW(cec_finding_event_init) \
	/* registry */ \
	ROW(cec_asset_lock_init) \
	ROW(cec_customer_cycle_init) \
	ROW(cec_identifier_alike_init) \
	ROW(cec_former_tag_init) \
	ROW(cec_registry_constraint_init) \
	/* contract */ \
	ROW(cec_contract_init) \
	ROW(cec_boundary_part_init) \
	ROW(cec_contract_constraint_init) \
	/* bundle */ \
	ROW(cec_bundle_init) \
	ROW(cec_bundle_cycle_init) \
	ROW(cec_bundle_constraint_init) \
	/* amendment */ \
	ROW(cec_amendment_guard_init) \
	ROW(cec_direct_change_init) \
	ROW(cec_amendment_constraint_init) \
	/* inclusion */ \
	ROW(cec_inclusion_resolve_init) \
	ROW(cec_inclusion_init) \
	ROW(cec_inclusion_constraint_init) \
	/* condition */ \
	ROW(cec_condition_init) \
	/* rule */ \
	ROW(cec_rule_set_init) \
	ROW(cec_rule_evaluate_init) \
	ROW(cec_rule_define_init) \
	ROW(cec_rule_collect_init) \
	ROW(cec_rule_apply_init) \
	ROW(cec_rule_finding_init) \
	ROW(cec_rule_refresh_init) \
	ROW(cec_rule_constraint_init) \
	/* coverage */ \
	ROW(cec_coverage_await_init) \
	ROW(cec_coverage_init) \
	ROW(cec_coverage_update_init) \
	ROW(cec_duplicate_notice_init) \
	ROW(cec_terminate_notice_init) \
	ROW(cec_coverage_constraint_init) \
	/* regulation */ \
	ROW(cec_regulation_init) \
	ROW(cec_regulation_constraint_init) \
	/* compliance */ \
	ROW(cec_alert_init) \
	ROW(cec_waiver_kind_init) \
	ROW(cec_finding_suspect_init) \
	ROW(cec_finding_settle_init) \
	ROW(cec_metric_init) \
	ROW(cec_metric_constraint_init) \
	/* map */ \
	ROW(cec_map_init) \
	ROW(cec_map_rebuild_init) \
	ROW(cec_map_refresh_init) \
	/* import */ \
	ROW(cec_import_constraint_init) \
	/* sync */ \
	ROW(cec_sync_constraint_init)

#define CEC_DECLARE_INIT(function) extern void function(void);
CEC_INITS(CEC_DECLARE_INIT)

#endif
