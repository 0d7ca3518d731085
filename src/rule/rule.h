/*
 * rule.h
 *		Conditional rules, for those who load them.
 */
#ifndef CEC_RULE_H
#define CEC_RULE_H

extern void cec_rule_init(void);
extern void cec_rule_constraint_init(void);

#endif
