/*
 * rule_set.h
 *		The rules of a portfolio as a backend remembers them, and what decides which of them can match an asset.
 */
#ifndef CEC_RULE_SET_H
#define CEC_RULE_SET_H

#include "pgtime.h"
#include "portability/instr_time.h"
#include "utils/plancache.h"

#include "condition/condition.h"
#include "portfolio/portfolio_cache.h"
#include "support/cache.h"
#include "support/day_set.h"

#define CEC_FACT_TERM_COLUMNS 5 /* contract_number to tier_rank */

typedef enum CecRuleEffect
{
	CEC_RULE_INCLUDE,
	CEC_RULE_REQUIRE,
	CEC_RULE_EXCLUDE
} CecRuleEffect;

typedef enum CecOnUnknown
{
	CEC_UNKNOWN_DENY,
	CEC_UNKNOWN_ALLOW,
	CEC_UNKNOWN_FLAG
} CecOnUnknown;

/* What a condition reads that the row of an asset does not hold. */
#define CEC_NEEDS_TERM 0x01 /* also the boundary */
#define CEC_NEEDS_BOUNDARY 0x02
#define CEC_NEEDS_MAINTENANCE 0x04
#define CEC_NEEDS_REQUESTS 0x08
#define CEC_NEEDS_BOUNDARY_ON_GLOBE 0x10

/* A condition ready to run; rules with the same text share it. */
typedef struct CecCompiledCondition
{
	const char *text; /* key */
	MemoryContext cxt;
	CecCondition *condition; /* NULL until it was compiled, and when it cannot be */
	int needs;
	CachedExpression *cached;
	ExprState *state;
	MemoryContext state_cxt;
} CecCompiledCondition;

/* What a condition may read of a term: the last columns of the fact row. */
typedef struct CecRuleTerm
{
	int64 term_id; /* key */
	int64 contract_id;
	Datum values[CEC_FACT_TERM_COLUMNS];
	bool isnull[CEC_FACT_TERM_COLUMNS];
	bool has_box; /* the contract has a boundary */
	double box[4];
	Datum boundary; /* 0 until needed, and so the next */
	Datum boundary_on_globe;
} CecRuleTerm;

typedef struct CecRule
{
	int64 rule_id;
	CecRuleTerm *term;
	CecRuleEffect effect;
	CecOnUnknown on_unknown;
	bool is_active; /* not suspended */
	CecDays during;
	CecCompiledCondition *compiled;
	uint64 work;		 /* that it was run for last (rule_evaluate.c) */
	instr_time spent;	 /* in that work */
	TimestampTz late_in; /* the run of refresh in which it took too long, or 0 */
} CecRule;

typedef struct CecRuleIndex CecRuleIndex;

typedef struct CecRuleSet
{
	Oid nspid;	   /* key */
	CecAsOf as_of; /* of coverage_rule */
	MemoryContext cxt;
	CecPortfolio *portfolio;
	int count;
	CecRule *rules;	   /* in order of rule_id */
	CecRule **by_term; /* in order of term_id, rule_id */
	HTAB *terms;
	HTAB *codes;
	CecRuleIndex *index; /* of the include rules; NULL until needed */
	bool is_compiled;	 /* all conditions were compiled that can be, and so: */
	Bitmapset *facts;	 /* columns that any condition reads */
	bool has_include;	 /* there are include rules */
	bool has_dangling;	 /* there are others, whose term or contract is yet to come */
} CecRuleSet;

extern CecRuleEffect cec_rule_effect_of(const char *word);
extern CecOnUnknown cec_rule_on_unknown_of(const char *word);
extern CecRuleSet *cec_rule_set_get(CecPortfolio *portfolio);
extern void cec_rule_set_changed(CecPortfolio *portfolio);
extern void cec_rule_refresh_begins(TimestampTz at);
extern TimestampTz cec_rule_refresh_began(void);
extern CecRule *cec_rule_find(CecRuleSet *set, int64 rule_id);
extern int cec_rules_of_term(CecRuleSet *set, int64 term_id, CecRule ***rules);
extern HTAB *cec_rule_compiled_create(MemoryContext cxt);
extern void cec_rule_compiled_free(HTAB *codes);
extern CecCompiledCondition *cec_rule_compiled_find(CecRuleSet *set, CecRuleSet *old, const char *text);
extern CecCondition *cec_rule_condition(CecRule *rule);
extern ExprState *cec_rule_state(CecRule *rule);

#endif
