/*
 * country.h
 *		Countries and regions in constraints.
 */
#ifndef CEC_COUNTRY_H
#define CEC_COUNTRY_H

#include "portfolio/row_check.h"

extern const CecCheckKind cec_country;
extern const CecCheckKind cec_region; /* the region, then its country */

extern bool cec_country_is(const char *value, int len);
extern char *cec_country_meant(const char *value);

#endif
