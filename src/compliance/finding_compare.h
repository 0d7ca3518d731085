/*
 * finding_compare.h
 *		Holds what is open against what is so.
 */
#ifndef CEC_FINDING_COMPARE_H
#define CEC_FINDING_COMPARE_H

#include "compliance/finding_kind.h"
#include "finding/finding_write.h"

/* What comparing has led to. */
typedef struct CecSettled
{
	CecFindingChange findings;
	int64 count;  /* changes gathered since it was emptied */
	int64 opened; /* these two in all */
	int64 closed;
} CecSettled;

typedef void (*CecSettledWriter)(CecSettled *settled, void *arg);

extern void
cec_finding_compare(CecPortfolio *portfolio, const CecFindingKind *kind, const CecComparison *comparison,
					Datum *subjects, bool may_be_open, CecSettled *settled, CecSettledWriter write, void *arg);

#endif
