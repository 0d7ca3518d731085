/*
 * bundle.h
 *		Bundles, for those who load them.
 */
#ifndef CEC_BUNDLE_H
#define CEC_BUNDLE_H

#include "portfolio/reading.h"
#include "support/id_list.h"

extern bool cec_add_all_below(CecReading *reading, CecIds *assets);

#endif
