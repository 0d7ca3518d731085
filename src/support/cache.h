/*
 * cache.h
 *		Remembering what was read of a relation until the relation changes.
 */
#ifndef CEC_CACHE_H
#define CEC_CACHE_H

/* As of how many of its changes a relation was read.  All zero: nothing was. */
typedef struct CecAsOf
{
	const uint64 *changes; /* of the relation, so far */
	uint64 seen;
} CecAsOf;

extern CecAsOf cec_cache_as_of(Oid relid);

/* Whether nothing has changed since. */
static inline bool
cec_cache_holds(const CecAsOf *as_of)
{
	return as_of->changes != NULL && *as_of->changes == as_of->seen;
}

/* From here on it does not, whatever happens to the relation. */
static inline void
cec_cache_forget(CecAsOf *as_of)
{
	as_of->changes = NULL;
}

#endif
