/*
 * seal.h
 *		The seal of the log, for those who load it.
 */
#ifndef CEC_SEAL_H
#define CEC_SEAL_H

extern void cec_seal_verify_init(void);

#endif
