/*
 * inclusion_resolve.h
 *		List lines of the running statement whose identifier names no asset, or several.
 */
#ifndef CEC_INCLUSION_RESOLVE_H
#define CEC_INCLUSION_RESOLVE_H

#include "nodes/pg_list.h"

typedef struct CecUnresolved
{
	char *listed_as;
	int matches; /* 0: unknown; 2: several */
} CecUnresolved;

extern void cec_inclusion_resolve_init(void);
extern List *cec_inclusion_take_unresolved(Oid relid);

#endif
