/*
 * canonical.h
 *		Values as bytes that depend on nothing but the value.
 */
#ifndef CEC_CANONICAL_H
#define CEC_CANONICAL_H

#include "lib/stringinfo.h"
#include "utils/typcache.h"

typedef struct CecCanonType CecCanonType;

/* First byte of a range. */
#define CEC_RANGE_EMPTY 0x01
#define CEC_RANGE_LOWER_INC 0x02
#define CEC_RANGE_UPPER_INC 0x04
#define CEC_RANGE_LOWER_OPEN 0x08
#define CEC_RANGE_UPPER_OPEN 0x10

extern CecCanonType *cec_canon_type(Oid typid);
extern char *cec_canon_code(const CecCanonType *type);
extern void cec_canon_append(StringInfo buf, CecCanonType *type, Datum value);
extern void cec_canon_append_part(StringInfo buf, CecCanonType *type, Datum value, bool isnull);
extern void cec_canon_append_length(StringInfo buf, uint64 length);
extern uint64 cec_canon_read_length(const char **at, const char *end);
extern void cec_canon_to_json(StringInfo json, const char *code, const char *bytes, uint64 length);

#endif
