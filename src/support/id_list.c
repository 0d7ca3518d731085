/*
 * id_list.c
 *		Lists of bigint keys, in the memory context that is current when they grow first.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "lib/qunique.h"
#include "utils/array.h"
#include "utils/memutils.h"

#include "support/id_list.h"

/* Adds a key. */
void
cec_ids_add(CecIds *list, int64 id)
{
	if (list->count == list->space)
	{
		list->space = list->space == 0 ? 8 : list->space * 2;
		list->ids = list->ids == NULL ? palloc(list->space * sizeof(int64))
									  : repalloc_huge(list->ids, list->space * sizeof(int64));
	}
	list->ids[list->count++] = id;
}

static int
compare_ids(const void *one, const void *other)
{
	int64 a = *(const int64 *) one;
	int64 b = *(const int64 *) other;

	return a < b ? -1 : a > b;
}

/* Puts the keys in order, each once. */
void
cec_ids_sort_unique(CecIds *list)
{
	bool sorted = true;

	for (int64 i = 1; i < list->count && sorted; i++)
		sorted = list->ids[i - 1] < list->ids[i];
	if (sorted)
		return;
	qsort(list->ids, list->count, sizeof(int64), compare_ids);
	list->count = qunique(list->ids, list->count, sizeof(int64), compare_ids);
}

/* The keys as a bigint array. */
Datum
cec_ids_as_array(const CecIds *list)
{
	Datum *elements = palloc_extended(Max(list->count, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);

	for (int64 i = 0; i < list->count; i++)
		elements[i] = Int64GetDatum(list->ids[i]);
	return PointerGetDatum(
		construct_array(elements, list->count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
