/*
 * inclusion.h
 *		The asset lists, for those who load them.
 */
#ifndef CEC_INCLUSION_H
#define CEC_INCLUSION_H

extern void cec_inclusion_init(void);
extern void cec_inclusion_constraint_init(void);

#endif
