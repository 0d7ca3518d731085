/*
 * identifier_key.h
 *		The form in which people confuse identifiers, and the names that somebody may have meant.
 */
#ifndef CEC_IDENTIFIER_KEY_H
#define CEC_IDENTIFIER_KEY_H

#include "utils/snapshot.h"

#include "day_set.h"
#include "portfolio_cache.h"

/* Looks for registered names that are nearly what somebody typed. */
typedef struct CecNear CecNear;

extern text *cec_identifier_key_of(const text *value);
extern CecNear *cec_near_begin(CecPortfolio *portfolio, Snapshot snapshot);
extern char *cec_near_find(CecNear *near, const char *typed, const CecDays *days);
extern void cec_near_end(CecNear *near);

#endif
