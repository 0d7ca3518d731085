/*
 * audit_scan.h
 *		Reading the log.
 */
#ifndef CEC_AUDIT_SCAN_H
#define CEC_AUDIT_SCAN_H

#include "audit/audit_log.h"
#include "portfolio/portfolio_cache.h"
#include "support/act_as.h"

extern void cec_audit_require_read_committed(const char *what);
extern void cec_audit_begin(CecPortfolio *portfolio, CecActAs *act, const char *verb);
extern void cec_audit_read_row(CecPortfolio *portfolio, int64 audit_id, CecRowTaker take, void *arg);
extern void cec_audit_scan_log(CecPortfolio *portfolio, int64 from, int64 to, CecRowTaker take, void *arg);

#endif
