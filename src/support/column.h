/*
 * column.h
 *		Finding the columns that code relies on.
 */
#ifndef CEC_COLUMN_H
#define CEC_COLUMN_H

#include "executor/tuptable.h"
#include "utils/relcache.h"

extern AttrNumber cec_column_find(Relation rel, const char *name);
extern AttrNumber cec_column_require(Relation rel, const char *name, Oid typid);
extern Datum cec_column_value(Relation rel, TupleTableSlot *row, AttrNumber attnum);

#endif
