/*
 * rule_change.c
 *		What is kept of a change for rules while it goes through its stages.
 */
#include "postgres.h"

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
