/*
 * seal_erasure.h
 *		What audit_erasure says of rows of the log that were erased.
 */
#ifndef CEC_SEAL_ERASURE_H
#define CEC_SEAL_ERASURE_H

#include "portfolio/portfolio_cache.h"
#include "support/merkle.h"

extern bool cec_erasure_find(CecPortfolio *portfolio, int64 audit_id, CecHash *content);
extern char *cec_erasure_tell(CecPortfolio *portfolio, int64 audit_id);
extern void cec_erasure_scan_idle(CecPortfolio *portfolio, CecRowTaker take, void *arg);

#endif
