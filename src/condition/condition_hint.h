/*
 * condition_hint.h
 *		What hints are made of, for those who make them.
 */
#ifndef CEC_CONDITION_HINT_H
#define CEC_CONDITION_HINT_H

#include "condition/condition_compile.h"
#include "condition/condition_token.h"

#define CEC_HINT_COMPARE "A condition is true or false: country = 'DE', age_years < 10 or decommissioned_on IS NULL."

extern const CecColumn *cec_hint_column(const CecTokens *tokens, int i);
extern bool cec_hint_is_number(Oid type);
extern const char *cec_hint_syntax(const CecTokens *tokens, int i);
extern const char *cec_hint_time(const CecTokens *tokens, int i);
extern const char *cec_hint_value(const CecTokens *tokens, int i);
extern const char *cec_hint_type(const CecTokens *tokens, int i);
extern const char *cec_hint_boolean(const CecTokens *tokens, int i);

#endif
