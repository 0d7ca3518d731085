/*
 * identifier_alike.h
 *		Assets that are called alike.
 */
#ifndef CEC_IDENTIFIER_ALIKE_H
#define CEC_IDENTIFIER_ALIKE_H

#include "portfolio/change.h"

extern CecIds cec_identifier_alike(CecChange *change);

#endif
