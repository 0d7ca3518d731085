/*
 * finding.h
 *		Findings, for those who load them.
 */
#ifndef CEC_FINDING_H
#define CEC_FINDING_H

extern void cec_finding_constraint_init(void);

#endif
