/*
 * bundle_walk.h
 *		Walking from assets to their primaries and members.
 */
#ifndef CEC_BUNDLE_WALK_H
#define CEC_BUNDLE_WALK_H

#include "portfolio/reading.h"
#include "support/day_set.h"

typedef struct CecBundleWalk CecBundleWalk;

/* A membership: an asset belongs to a primary's bundle on some days. */
typedef struct CecMembership
{
	int64 primary_id;
	int64 asset_id;
	CecDays during;
} CecMembership;

extern CecBundleWalk *cec_bundle_walk_begin(CecReading *reading);
extern int cec_bundle_walk_up(CecBundleWalk *walk, int64 asset_id, CecMembership **memberships);
extern int cec_bundle_walk_down(CecBundleWalk *walk, int64 asset_id, CecMembership **memberships);
extern void cec_bundle_walk_end(CecBundleWalk *walk);

#endif
