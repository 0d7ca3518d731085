/*
 * finding_suspect.h
 *		Of whom a statement may have changed which findings.
 */
#ifndef CEC_FINDING_SUSPECT_H
#define CEC_FINDING_SUSPECT_H

#include "compliance/finding_kind.h"
#include "portfolio/change.h"

/* Of each kind, by its number, the assets and contracts of which it is to be compared. */
typedef struct CecSuspects
{
	CecIds *assets;
	CecIds *contracts;
	uint64 open; /* kinds of which a finding about one of the assets was open */
	Datum typed; /* of kinds of scope identifier: an array of subjects; 0: none */
} CecSuspects;

extern CecSuspects *cec_finding_suspects(CecChange *change);

#endif
