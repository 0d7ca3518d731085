/*
 * contract.h
 *		Contracts and terms, for those who load them.
 */
#ifndef CEC_CONTRACT_H
#define CEC_CONTRACT_H

extern void cec_contract_init(void);
extern void cec_contract_constraint_init(void);

#endif
