/*
 * registry.h
 *		The register, for those who load it.
 */
#ifndef CEC_REGISTRY_H
#define CEC_REGISTRY_H

extern void cec_customer_cycle_init(void);
extern void cec_registry_constraint_init(void);

#endif
