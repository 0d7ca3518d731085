/*
 * regulation_facts.h
 *		What regulations judge: an asset under a term that covers it on a day, and where it stands.
 */
#ifndef CEC_REGULATION_FACTS_H
#define CEC_REGULATION_FACTS_H

#include "utils/date.h"

#include "condition/condition.h"
#include "portfolio/portfolio_cache.h"
#include "support/id_list.h"

/* Cover that there is not yet, in order of assets: it counts beside that which there is. */
typedef struct CecProposal
{
	int64 asset_id;
	int64 term_id;
	Datum during; /* of days */
} CecProposal;

/* An asset under a term, as far as all regulations ask; the rest by cec_regulation_facts_fill. */
typedef struct CecCoveredAsset
{
	int64 asset_id;
	int64 term_id;
	int64 contract_id;
	int place_count;
	char **places; /* codes of the country and region that it stands in, or of several */
	char *governing_country;
	Datum values[CEC_FACT_COUNT]; /* the fact row */
	bool isnull[CEC_FACT_COUNT];
} CecCoveredAsset;

typedef struct CecRegulationFacts
{
	CecPortfolio *portfolio;
	DateADT on_day;
	MemoryContext cxt; /* of what is kept from one batch of assets to the next */
	const CecProposal *proposals;
	int64 proposal_count;
	HTAB *boundaries; /* of contracts */
} CecRegulationFacts;

extern void cec_regulation_facts_begin(CecRegulationFacts *facts, CecPortfolio *portfolio, DateADT on_day);
extern CecIds cec_regulation_covered(CecRegulationFacts *facts);
extern CecCoveredAsset *
cec_regulation_facts_read(CecRegulationFacts *facts, const int64 *asset_ids, int64 count, int64 *found);
extern void
cec_regulation_facts_fill(CecRegulationFacts *facts, CecCoveredAsset *assets, int64 count, const Bitmapset *needs);
extern void cec_regulation_facts_project(CecRegulationFacts *facts, CecCoveredAsset *asset);

#endif
