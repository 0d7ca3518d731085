/*
 * finding_typed.h
 *		Identifiers that people have typed or seen, and that name no asset, or several.
 */
#ifndef CEC_FINDING_TYPED_H
#define CEC_FINDING_TYPED_H

#include "portfolio/change.h"

extern Datum cec_finding_typed(CecChange *change);

#endif
