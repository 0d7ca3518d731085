/*
 * asset_value.h
 *		What an asset is worth, as the attribute says that setting.value_attribute names.
 */
#ifndef CEC_ASSET_VALUE_H
#define CEC_ASSET_VALUE_H

#include "utils/jsonb.h"
#include "utils/numeric.h"

extern Numeric cec_asset_worth(Jsonb *attributes, const char *key, int length);

#endif
