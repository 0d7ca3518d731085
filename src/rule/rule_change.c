/*
 * rule_change.c
 *		What is kept of a change for rules while it goes through its stages, and the day as of which it decides.
 */
#include "postgres.h"

#include "rule/rule.h"
#include "rule/rule_change.h"

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

/* Registers all of the rules with the engine; called once when the library is loaded, before coverage's. */
void
cec_rule_init(void)
{
	cec_condition_init();
	cec_rule_set_init();
	cec_rule_evaluate_init();
	cec_rule_define_init();
	cec_rule_collect_init();
	cec_rule_apply_init();
	cec_rule_finding_init();
	cec_rule_refresh_init();
}
