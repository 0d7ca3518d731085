/*
 * grow.c
 *		Memory for arrays that grow.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "support/grow.h"

/* Gives an array this size in bytes; one that is NULL is made in the context, which another one stays in. */
void *
cec_grow(MemoryContext cxt, void *elements, Size size)
{
	return elements == NULL ? MemoryContextAllocHuge(cxt, size) : repalloc_huge(elements, size);
}
