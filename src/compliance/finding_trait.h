/*
 * finding_trait.h
 *		What an asset has, as far as kinds of findings need it.
 */
#ifndef CEC_FINDING_TRAIT_H
#define CEC_FINDING_TRAIT_H

#include "compliance/finding_kind.h"
#include "portfolio/change.h"

typedef struct CecTraits CecTraits;

extern CecTraits *cec_traits_begin(CecChange *change);
extern void cec_traits_seek(CecTraits *traits, int64 asset_id, bool cover_changed, bool just_gained);
extern bool cec_traits_hold(CecTraits *traits, uint32 needs);
extern bool cec_traits_was_seen(CecTraits *traits, int64 asset_id);
extern uint64 cec_traits_open_kinds(CecTraits *traits, const CecFindingKinds *kinds);

#endif
