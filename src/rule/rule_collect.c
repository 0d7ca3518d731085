/*
 * rule_collect.c
 *		Collects the assets whose facts have changed: from rows of assets, of their maintenance and of their requests.
 *
 * They are judged when their cover is computed (rule_session.c).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/rel.h"

#include "init.h"
#include "rule/rule_change.h"
#include "support/column.h"
#include "support/slot.h"

static void
add_facts(CecChange *change, int64 asset_id)
{
	cec_ids_add(&change->facts, asset_id);
	cec_ids_add(&change->assets, asset_id);
}

/* Those that a row speaks of, or spoke of. */
static void
add_assets(CecChange *change, CecRows *rows, AttrNumber asset_id)
{
	if (rows->new_row != NULL)
		add_facts(change, cec_slot_int8(rows->new_row, asset_id));
	if (rows->old_row != NULL && cec_rows_differ(change, rows, "asset_id"))
		add_facts(change, cec_slot_int8(rows->old_row, asset_id));
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
		add_assets(change, &rows, asset_id);
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
		add_assets(change, &rows, asset_id);
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

/* Registers with the engine. */
void
cec_rule_collect_init(void)
{
	cec_change_register(CEC_STAGE_COLLECT, "asset", collect_from_assets);
	cec_change_register(CEC_STAGE_COLLECT, "maintenance_event", collect_from_maintenance);
	cec_change_register(CEC_STAGE_COLLECT, "service_request", collect_from_requests);
}
