/*
 * identifier_alike.h
 *		Assets that are called alike.
 */
#ifndef CEC_IDENTIFIER_ALIKE_H
#define CEC_IDENTIFIER_ALIKE_H

#include "portfolio/change.h"

/* Assets that have another tag now, and the tags that they had, side by side. */
typedef struct CecRetagged
{
	CecIds assets;
	int64 space; /* of tags */
	Datum *tags;
} CecRetagged;

extern CecIds cec_identifier_alike(CecChange *change);
extern const CecRetagged *cec_identifier_retagged(CecChange *change);

#endif
