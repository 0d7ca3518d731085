/*
 * word.h
 *		Columns of type text that hold one of a few words.
 */
#ifndef CEC_WORD_H
#define CEC_WORD_H

#include "support/compat.h"

/* Whether a text is this word. */
static inline bool
cec_word_is(Datum value, const char *word)
{
	text *unpacked = DatumGetTextPP(value);
	int len = strlen(word);

	return VARSIZE_ANY_EXHDR(unpacked) == len && memcmp(VARDATA_ANY(unpacked), word, len) == 0;
}

#endif
