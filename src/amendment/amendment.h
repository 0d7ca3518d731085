/*
 * amendment.h
 *		Amendments, for those who load them.
 */
#ifndef CEC_AMENDMENT_H
#define CEC_AMENDMENT_H

extern void cec_amendment_constraint_init(void);

#endif
