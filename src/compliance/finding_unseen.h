/*
 * finding_unseen.h
 *		Of which contracts all that they cover is concerned by whether one asset was seen.
 */
#ifndef CEC_FINDING_UNSEEN_H
#define CEC_FINDING_UNSEEN_H

#include "compliance/finding_trait.h"

typedef struct CecUnseen
{
	CecChange *change;
	CecTraits *traits;
	int kind;	   /* its number; -1: there is none */
	bool observes; /* the statement changes observations */
	CecIds seen;   /* assets of the statement that were seen, or were until it */
} CecUnseen;

extern CecUnseen cec_unseen_begin(CecChange *change, const CecFindingKinds *kinds, CecTraits *traits);
extern void cec_unseen_take(CecUnseen *unseen, int64 asset_id, uint64 heard);
extern void cec_unseen_end(CecUnseen *unseen, CecIds *contracts);

#endif
