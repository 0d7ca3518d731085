/*
 * country.h
 *		Countries and regions in constraints.
 */
#ifndef CEC_COUNTRY_H
#define CEC_COUNTRY_H

#include "row_check.h"

extern const CecCheckKind cec_country;
extern const CecCheckKind cec_region; /* the region, then its country */

#endif
