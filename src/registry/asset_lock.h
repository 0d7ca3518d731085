/*
 * asset_lock.h
 *		Locking the assets that a statement concerns.
 */
#ifndef CEC_ASSET_LOCK_H
#define CEC_ASSET_LOCK_H

#include "portfolio/change.h"

extern bool cec_lock_assets(CecReading *reading, const CecIds *assets);

#endif
