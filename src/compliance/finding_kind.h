/*
 * finding_kind.h
 *		The kinds of findings that are views, and what can change them.
 */
#ifndef CEC_FINDING_KIND_H
#define CEC_FINDING_KIND_H

#include "portfolio/portfolio_cache.h"

/* What an asset has, or what a statement did to it: a kind needs some of them to be possible (table cec.finding_kind). */
typedef enum CecTrait
{
	CEC_TRAIT_DECOMMISSIONED_ON,
	CEC_TRAIT_COMMISSIONED_ON,
	CEC_TRAIT_NO_COMMISSIONED_ON,
	CEC_TRAIT_LOCATION,
	CEC_TRAIT_NO_LOCATION,
	CEC_TRAIT_CUSTOMER,
	CEC_TRAIT_UNSCANNABLE,
	CEC_TRAIT_LISTED,
	CEC_TRAIT_EARLY_LINE,	  /* a line begins before the asset is commissioned */
	CEC_TRAIT_LATE_LINE,	  /* a line ends after it is decommissioned */
	CEC_TRAIT_DEAD_LINE,	  /* a line begins after its life has ended, or may */
	CEC_TRAIT_COVERED,		  /* a row of coverage */
	CEC_TRAIT_COVERED_TWICE,  /* two rows */
	CEC_TRAIT_EARLY_END,	  /* its last cover ends before it is decommissioned */
	CEC_TRAIT_BOUNDARY,		  /* a contract that lists or covers it has a boundary */
	CEC_TRAIT_OTHER_CUSTOMER, /* one of these is of another customer than the asset */
	CEC_TRAIT_MEMBER,
	CEC_TRAIT_REQUEST,
	CEC_TRAIT_SEEN,			  /* an observation of it */
	CEC_TRAIT_UNSEEN,		  /* no observation of it that counts for sure */
	CEC_TRAIT_OBSERVED,		  /* somebody has seen something in the field */
	CEC_TRAIT_REGULATED,	  /* there is a regulation */
	CEC_TRAIT_MAPPED,		  /* there is a jurisdiction */
	CEC_TRAIT_BOUND_CUSTOMER, /* its customer, or one above or beside that, has a contract with a boundary */
	CEC_TRAIT_NOT_JUST_GAINED /* the statement does not only add lines by which it gains cover */
} CecTrait;

#define CEC_TRAIT_BIT(trait) (UINT32_C(1) << (trait))

typedef enum CecScope
{
	CEC_SCOPE_ASSET,
	CEC_SCOPE_CONTRACT,
	CEC_SCOPE_PAIR,
	CEC_SCOPE_IDENTIFIER
} CecScope;

/* A table, or a column of it, that a kind hears of. */
typedef struct CecHeard
{
	const char *table;
	const char *column; /* NULL: any */
} CecHeard;

/* What is so now, and what is open, of some subjects: queries with the same columns and order. */
typedef struct CecComparison
{
	CecQuery now;
	CecQuery open;
} CecComparison;

typedef struct CecFindingKind
{
	const char *name;
	const char *view;
	CecScope scope;
	uint32 needs; /* traits */
	bool hears_cover;
	int heard_count;
	CecHeard *heard;
	CecComparison of_assets;
	CecComparison of_contracts;
	CecComparison of_subjects; /* by text; only where the scope is identifier */
	CecComparison all;
} CecFindingKind;

/* Kinds are numbered as they stand here: at most 64. */
typedef struct CecFindingKinds
{
	int count;
	CecFindingKind *kinds;
} CecFindingKinds;

#define CEC_MAX_KINDS 64
#define CEC_KIND_BIT(i) (UINT64_C(1) << (i))

extern const CecFindingKinds *cec_finding_kinds(CecPortfolio *portfolio);
extern int cec_finding_kind_number(const CecFindingKinds *kinds, const char *name);

#endif
