/*
 * seal_verify.h
 *		The later steps of verifying the log.
 */
#ifndef CEC_SEAL_VERIFY_H
#define CEC_SEAL_VERIFY_H

#include "seal/seal_report.h"

extern void cec_verify_blocks(CecVerifier *verifier);
extern void cec_verify_rows(CecVerifier *verifier);

#endif
