/*
 * country.h
 *		Codes of countries.
 */
#ifndef CEC_COUNTRY_H
#define CEC_COUNTRY_H

extern bool cec_country_is(const char *value);
extern char *cec_country_meant(const char *value);

#endif
