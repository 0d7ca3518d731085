/*
 * inclusion_resolve.h
 *		List lines of the running statement that were given by an identifier.
 */
#ifndef CEC_INCLUSION_RESOLVE_H
#define CEC_INCLUSION_RESOLVE_H

#include "portfolio/change.h"
#include "support/day_set.h"
#include "nodes/pg_list.h"

#define CEC_NAMES_ANOTHER (-1)

typedef struct CecUnresolved
{
	int64 place; /* in the statement, from 1; 0 where lines have none */
	char *listed_as;
	int matches; /* 0: unknown; 2: several; CEC_NAMES_ANOTHER: not the asset that asset_id gives */
	CecDays days;
	bool has_days; /* if not, they are NULL */
} CecUnresolved;

extern void cec_inclusion_check_names(CecChange *change);
extern List *cec_inclusion_take_unresolved(CecChange *change, bool *has_places);

#endif
