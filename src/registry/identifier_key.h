/*
 * identifier_key.h
 *		The form in which people confuse identifiers, and the names that somebody may have meant.
 */
#ifndef CEC_IDENTIFIER_KEY_H
#define CEC_IDENTIFIER_KEY_H

#include "mb/pg_wchar.h"
#include "utils/snapshot.h"

#include "portfolio/portfolio_cache.h"
#include "support/day_set.h"

/* Looks for registered names that are nearly what somebody typed. */
typedef struct CecNear CecNear;

/* A character of a key, and how it was written. */
typedef struct CecKeyChar
{
	pg_wchar c;
	bool is_digit; /* as a digit, not as a letter that reads as one */
	bool is_apart; /* behind something that the key drops */
} CecKeyChar;

/* The key of an identifier, character for character. */
typedef struct CecKeyChars
{
	CecKeyChar *chars;
	int count;
} CecKeyChars;

extern text *cec_identifier_key_of(const text *value);
extern CecKeyChars cec_identifier_read(const char *value);
extern bool cec_identifier_may_mean(CecKeyChars typed, CecKeyChars name);
extern CecNear *cec_near_begin(CecPortfolio *portfolio, Snapshot snapshot);
extern char *cec_near_find(CecNear *near, const char *typed, const CecDays *days);
extern void cec_near_end(CecNear *near);

#endif
