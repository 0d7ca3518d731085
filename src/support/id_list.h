/*
 * id_list.h
 *		Lists of bigint keys.
 */
#ifndef CEC_ID_LIST_H
#define CEC_ID_LIST_H

typedef struct CecIds
{
	int64 count;
	int64 space;
	int64 *ids;
} CecIds;

extern void cec_ids_add(CecIds *list, int64 id);
extern void cec_ids_sort_unique(CecIds *list);
extern int64 cec_ids_find(const CecIds *list, int64 id);
extern Datum cec_ids_as_array(const CecIds *list);

#endif
