/*
 * condition.h
 *		Conditions of rules and regulations, compiled: from the text that somebody typed to an expression over the fact row.
 */
#ifndef CEC_CONDITION_H
#define CEC_CONDITION_H

#include "access/attnum.h"
#include "access/tupdesc.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

/* Limits of a condition. */
#define CEC_CONDITION_MAX_BYTES 4000
#define CEC_CONDITION_MAX_NODES 300
#define CEC_CONDITION_MAX_BOUNDARY_COST 8 /* inside_boundary is 1 */
#define CEC_CONDITION_DISTANCE_COST 4

/* The columns of cec.rule_fact, by attribute number; condition_vocabulary.c checks the type against this. */
typedef enum CecFact
{
	CEC_FACT_ASSET_ID = 1,
	CEC_FACT_ASSET_TAG,
	CEC_FACT_TAG_SYMBOLOGY,
	CEC_FACT_SERIAL_NUMBER,
	CEC_FACT_MANUFACTURER,
	CEC_FACT_MODEL,
	CEC_FACT_CATEGORY,
	CEC_FACT_USAGE_TYPE,
	CEC_FACT_STATUS,
	CEC_FACT_CUSTOMER_ID,
	CEC_FACT_COUNTRY,
	CEC_FACT_REGION,
	CEC_FACT_LOCATION,
	CEC_FACT_COMMISSIONED_ON,
	CEC_FACT_DECOMMISSIONED_ON,
	CEC_FACT_OUT_OF_SERVICE,
	CEC_FACT_SUCCESSOR_ID,
	CEC_FACT_ATTRIBUTES,
	CEC_FACT_SOURCE,
	CEC_FACT_SOURCE_UPDATED_AT,
	CEC_FACT_AS_OF,
	/* derived: never filled in, since compiling replaces them by what they are computed from */
	CEC_FACT_AGE_YEARS,
	CEC_FACT_INSIDE_BOUNDARY,
	CEC_FACT_DISTANCE_TO_BOUNDARY_M,
	/* of contract and term */
	CEC_FACT_CONTRACT_NUMBER,
	CEC_FACT_CONTRACT_KIND,
	CEC_FACT_GOVERNING_COUNTRY,
	CEC_FACT_TIER_CODE,
	CEC_FACT_TIER_RANK,
	CEC_FACT_RESPONSE_HOURS,
	/* of the asset's cover under the term */
	CEC_FACT_COVER_FIRST_DAY,
	CEC_FACT_COVER_LAST_DAY,
	CEC_FACT_COVER_DAYS,
	/* hidden: nobody can name them, what is derived reads them */
	CEC_FACT_BOUNDARY,
	CEC_FACT_BOUNDARY_ON_GLOBE, /* made once of the other: that takes longer than to measure a distance */
	CEC_FACT_MAINTENANCE_KINDS,
	CEC_FACT_MAINTENANCE_DAYS,
	CEC_FACT_REQUEST_DAYS
} CecFact;

#define CEC_FACT_COUNT CEC_FACT_REQUEST_DAYS
#define CEC_FACT_LAST_NAMED CEC_FACT_COVER_DAYS

/* Whose condition it is: rules decide what is covered, so they cannot ask for it; regulations judge what is covered. */
typedef enum CecSpeaker
{
	CEC_SPEAKER_RULE,
	CEC_SPEAKER_REGULATION
} CecSpeaker;

/*
 * A part of the condition that an index of rules can use. It stands at the top level of the condition, joined by AND,
 * and compares with no NULL: so where the column is not NULL and equals none of the values (the asset's location is known
 * and outside), the condition is false, whatever the rest of it says. Where the column is NULL nothing follows.
 */
typedef enum CecConjunctKind
{
	CEC_CONJUNCT_EQUAL,	  /* column = constant, column IN (…), column = ANY (ARRAY[…]) */
	CEC_CONJUNCT_BOUNDARY /* inside_boundary */
} CecConjunctKind;

typedef struct CecConjunct
{
	CecConjunctKind kind;
	AttrNumber column; /* of the fact row; of inside_boundary for CEC_CONJUNCT_BOUNDARY */
	Oid type;		   /* of the column: text, bigint or integer */
	int count;
	Datum *values; /* of that type, none NULL */
} CecConjunct;

typedef struct CecCondition
{
	Expr *expr;			/* boolean; Vars have varno 1 and attribute numbers of cec.rule_fact; nothing derived is left */
	char *canonical;	/* for people, and legal input that gives itself again */
	char *sql;			/* of expr: for WHERE over a relation with alias f and the columns of cec.rule_fact, under
						  * search_path pg_catalog, pg_temp */
	Bitmapset *columns; /* published columns that the text mentions, by attribute number */
	Bitmapset *facts;	/* columns that expr reads */
	bool depends_on_day; /* mentions as_of or what is computed from it */
	List *conjuncts;	 /* of CecConjunct */
	List *doubts;		 /* what cec_condition_tell_doubts tells; not kept */
} CecCondition;

extern CecCondition *cec_condition_compile(const char *text, CecSpeaker speaker);
extern CecCondition *cec_condition_compile_to_keep(const char *text, CecSpeaker speaker);
extern void cec_condition_tell_doubts(const CecCondition *condition);
extern bool cec_condition_may_raise(const CecCondition *condition);
extern void cec_condition_pin_settings(void);
extern TupleDesc cec_fact_descriptor(void);

#endif
