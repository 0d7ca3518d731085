/*
 * finding_probe.h
 *		Looks up open findings, by asset and by rule.
 */
#ifndef CEC_FINDING_PROBE_H
#define CEC_FINDING_PROBE_H

#include "portfolio/portfolio_cache.h"

/* An open finding about an asset. */
typedef struct CecOpenFinding
{
	int64 finding_id;
	const char *kind;
	int64 asset_id;
	bool has_rule;
	int64 rule_id;
} CecOpenFinding;

typedef struct CecFindingProbe CecFindingProbe;

extern CecFindingProbe *cec_finding_probe_begin(CecPortfolio *portfolio);
extern void cec_finding_probe_seek(CecFindingProbe *probe, int64 asset_id);
extern bool cec_finding_probe_next(CecFindingProbe *probe, CecOpenFinding *finding);
extern void cec_finding_probe_end(CecFindingProbe *probe);
extern CecOpenFinding *cec_finding_of_rule(CecPortfolio *portfolio, int64 rule_id, int64 *count);

#endif
