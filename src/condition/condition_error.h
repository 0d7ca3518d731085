/*
 * condition_error.h
 *		Refusing a condition, with the place in it.
 */
#ifndef CEC_CONDITION_ERROR_H
#define CEC_CONDITION_ERROR_H

#include "condition/condition_compile.h"

extern int cec_condition_position(const CecCompile *compile, int location);
pg_noreturn extern void cec_refuse_part(const CecCompile *compile, int location, const char *what, const char *hint);

#endif
