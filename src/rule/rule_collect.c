/*
 * rule_collect.c
 *		What a change means to rules: assets to be judged anew, and what rules that were defined anew do to the register.
 *
 * Data (assets, their maintenance, their requests) names assets; they are judged when their cover is computed
 * (rule_session.c).  Definitions name rules (rule_define.c).  Those that qualify assets are decided here, for all assets at once,
 * and of the others the assets are collected that the term concerns; what was decided is recorded in the cover stage, before
 * cover is computed.  The gate is held alone in between, and nobody's code runs.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/rel.h"

#include "rule/rule.h"
#include "rule/rule_change.h"
#include "support/column.h"
#include "support/slot.h"

/* The key of what is kept of a change. */
static const char key_of_change;

/* What a change means to rules. */
CecRuleChange *
cec_rule_change(CecChange *change)
{
	return cec_change_keep(change, &key_of_change, sizeof(CecRuleChange));
}

/* The same, NULL when it has meant nothing so far. */
CecRuleChange *
cec_rule_change_if_any(CecChange *change)
{
	return cec_change_kept(change, &key_of_change);
}

/* The day as of which a change decides: the one that refresh has come to, else that of the statement's instant. */
DateADT
cec_rule_change_today(CecChange *change)
{
	if (change->operation == CEC_REFRESH)
		return change->day;
	return cec_rule_local_day(cec_rule_set_get(change->portfolio), cec_delta_clock(&change->delta));
}

static void
add_facts(CecChange *change, int64 asset_id)
{
	cec_ids_add(&change->facts, asset_id);
	cec_ids_add(&change->assets, asset_id);
}

/* The rules, when there are any that data can matter to; with all their conditions compiled. */
static CecRuleSet *
rules_for_data(CecChange *change)
{
	CecRuleSet *set;

	if (cec_change_is_empty(change))
		return NULL;
	set = cec_rule_set_get(change->portfolio);
	if (set->count == 0)
		return NULL;
	cec_rule_compile_all(set);
	return set;
}

/* Whether an asset's row says something else to any rule. */
static bool
asset_differs(CecChange *change, CecRows *rows, CecRuleSet *set, const AttrNumber *columns)
{
	if (rows->old_row == NULL)
		return set->has_include; /* no other rule concerns a new asset */
	if (rows->new_row == NULL)
		return true;
	for (int i = CEC_FACT_ASSET_ID; i <= CEC_FACT_SOURCE_UPDATED_AT; i++)
		if ((i == CEC_FACT_ASSET_ID || bms_is_member(i, set->facts)) &&
			!cec_rows_same_value(rows->old_row, rows->new_row, columns[i]))
			return true;
	return false;
}

static void
collect_from_assets(CecChange *change)
{
	CecRuleSet *set = rules_for_data(change);
	AttrNumber columns[CEC_FACT_SOURCE_UPDATED_AT + 1];
	AttrNumber asset_id;
	CecRows rows;

	if (set == NULL)
		return;
	asset_id = cec_column_require(change->rel, "asset_id", INT8OID);
	for (int i = CEC_FACT_ASSET_ID; i <= CEC_FACT_SOURCE_UPDATED_AT; i++)
	{
		Form_pg_attribute att = TupleDescAttr(cec_fact_descriptor(), i - 1);

		columns[i] = cec_column_require_nullable(change->rel, NameStr(att->attname), att->atttypid);
	}
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		if (!asset_differs(change, &rows, set, columns))
			continue;
		if (rows.new_row != NULL)
			add_facts(change, cec_slot_int8(rows.new_row, asset_id));
		if (rows.old_row != NULL && cec_rows_differ(change, &rows, "asset_id"))
			add_facts(change, cec_slot_int8(rows.old_row, asset_id));
	}
	cec_rows_end(&rows);
}

/* From rows about assets, when any rule reads one of these facts. */
static void
collect_from_events(CecChange *change, CecFact fact)
{
	CecRuleSet *set = rules_for_data(change);
	AttrNumber asset_id;
	CecRows rows;

	if (set == NULL || !bms_is_member(fact, set->facts))
		return;
	asset_id = cec_column_require(change->rel, "asset_id", INT8OID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		if (rows.new_row != NULL)
			add_facts(change, cec_slot_int8(rows.new_row, asset_id));
		if (rows.old_row != NULL && cec_rows_differ(change, &rows, "asset_id"))
			add_facts(change, cec_slot_int8(rows.old_row, asset_id));
	}
	cec_rows_end(&rows);
}

static void
collect_from_maintenance(CecChange *change)
{
	collect_from_events(change, CEC_FACT_MAINTENANCE_DAYS);
}

static void
collect_from_requests(CecChange *change)
{
	collect_from_events(change, CEC_FACT_REQUEST_DAYS);
}

/* Handler of the collect stage, for tables that hold definitions. */
static void
collect_from_definitions(CecChange *change)
{
	CecRuleChange *state = cec_rule_change_if_any(change);
	DateADT today;
	CecRuleSet *set;

	if (state == NULL || state->rules.count == 0)
		return;
	today = cec_rule_change_today(change);
	set = cec_rule_set_get(change->portfolio);
	for (int64 i = 0; i < state->rules.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		cec_rule_apply(change, set, state->rules.ids[i], today);
	}
}

/* Handler of the cover stage, before cover is computed: records what was decided for the register. */
static void
record_decisions(CecChange *change)
{
	CecRuleChange *state = cec_rule_change_if_any(change);

	if (state != NULL)
		cec_effects_carry_out(change->portfolio, &change->delta, &state->plan);
}

/* Registers with the engine. */
void
cec_rule_collect_init(void)
{
	static const char *const definitions[] = {"coverage_rule", "contract", "coverage_term", "service_tier", "setting"};

	cec_change_register(CEC_STAGE_COLLECT, "asset", collect_from_assets);
	cec_change_register(CEC_STAGE_COLLECT, "maintenance_event", collect_from_maintenance);
	cec_change_register(CEC_STAGE_COLLECT, "service_request", collect_from_requests);
	for (int i = 0; i < lengthof(definitions); i++)
		cec_change_register(CEC_STAGE_COLLECT, definitions[i], collect_from_definitions);
	cec_change_register(CEC_STAGE_COVER, NULL, record_decisions);
}

/* Registers all of the rules with the engine; called once when the library is loaded, before coverage's. */
void
cec_rule_init(void)
{
	cec_condition_init();
	cec_rule_set_init();
	cec_rule_evaluate_init();
	cec_rule_define_init();
	cec_rule_collect_init();
	cec_rule_finding_init();
	cec_rule_refresh_init();
}
