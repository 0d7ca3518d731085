/*
 * seal_leaf.h
 *		The leaf of a row of the log.
 */
#ifndef CEC_SEAL_LEAF_H
#define CEC_SEAL_LEAF_H

#include "lib/stringinfo.h"

#include "audit/audit_log.h"
#include "support/merkle.h"

#define CEC_HEADER_FORMAT 1
#define CEC_HEADER_FIXED_LEN 33

typedef struct CecLeafMaker
{
	CecHasher *hasher;
	StringInfoData input; /* of the last leaf: zero byte, header, content */
} CecLeafMaker;

extern void cec_leaf_begin(CecLeafMaker *maker, CecHasher *hasher);
extern bool cec_leaf_content(CecLeafMaker *maker, const Datum *values, const bool *isnull, CecHash *content);
extern void
cec_leaf_make(CecLeafMaker *maker, const Datum *values, const bool *isnull, const CecHash *content, CecHash *leaf);
extern bool cec_leaf_is_erased(const bool *isnull);

#endif
