/*
 * regulation.h
 *		Regulations, for those who load them.
 */
#ifndef CEC_REGULATION_H
#define CEC_REGULATION_H

extern void cec_regulation_constraint_init(void);

#endif
