/*
 * coverage_lookup.h
 *		Looking up the one term that covers an asset.
 */
#ifndef CEC_COVERAGE_LOOKUP_H
#define CEC_COVERAGE_LOOKUP_H

#include "coverage/coverage.h"

/* A covering term; texts as Datum. */
typedef struct CecCovering
{
	int64 asset_id;
	Datum asset_tag;
	int64 contract_id;
	Datum contract_number;
	Datum tier_code; /* 0: none */
	CecCoverRow cover;
} CecCovering;

extern bool cec_coverage_lookup(CecPortfolio *portfolio, Datum identifier, Datum at, Datum on_day, bool has_day,
								bool *found, CecCovering *answer);

#endif
