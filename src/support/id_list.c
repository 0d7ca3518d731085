/*
 * id_list.c
 *		Lists of bigint keys, in the memory context that is current when they grow first.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "lib/qunique.h"
#include "utils/array.h"

#include "support/grow.h"
#include "support/id_list.h"
#include "support/search.h"

/* Adds a key. */
void
cec_ids_add(CecIds *list, int64 id)
{
	CEC_MAKE_ROOM(list->ids, list->count, list->space, 8);
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

/* The place of a key in a list in order; -1 when it is not there. */
int64
cec_ids_find(const CecIds *list, int64 id)
{
	int64 place;

	CEC_SEARCH(place, list->count, list->ids[middle] < id);
	return place < list->count && list->ids[place] == id ? place : -1;
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
