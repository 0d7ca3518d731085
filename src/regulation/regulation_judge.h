/*
 * regulation_judge.h
 *		Whether the cover of assets meets what regulations demand.
 */
#ifndef CEC_REGULATION_JUDGE_H
#define CEC_REGULATION_JUDGE_H

#include "executor/executor.h"

#include "regulation/regulation_facts.h"
#include "rule/rule_evaluate.h"

/* A regulation, and what the terms that cover an asset say of it. */
typedef struct CecRegulation
{
	int64 regulation_id; /* 0: it is only tried */
	const char *place;	 /* code of its country or region */
	const char *requirement;
	bool by_country;		 /* it applies by governing country */
	bool every_term;		 /* it is met by every term, or by any */
	CecCondition *condition; /* NULL until it was compiled */
	ExprState *state;
	CecRule clock; /* for the time that it may take; nothing else of it is used */
	int terms;	   /* of the asset that is judged */
	int met;
	int unmet;
	CecIds not_met; /* terms of which it is not true */
	int sqlstate;	/* of the first that failed, or 0 */
} CecRegulation;

typedef struct CecRegulationVerdict
{
	int64 asset_id;
	const CecRegulation *regulation;
	bool is_met;
	bool is_unknown;
} CecRegulationVerdict;

typedef void (*CecRegulationTaker)(void *arg, const CecRegulationVerdict *verdict);

extern void cec_regulation_judge(CecRegulationFacts *facts, CecRegulation *regulations, int count, const CecIds *assets,
								 CecRegulationTaker take, void *arg);

extern CecRegulation *cec_regulations_in_force(CecPortfolio *portfolio, DateADT on_day, int *count);
extern CecIds cec_regulation_ids(Datum array);

#endif
