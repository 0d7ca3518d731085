/*
 * append.h
 *		Appending many rows to one table.
 */
#ifndef CEC_APPEND_H
#define CEC_APPEND_H

#include "executor/tuptable.h"
#include "utils/rel.h"

typedef struct CecAppender CecAppender;

extern CecAppender *cec_append_begin(Relation rel);
extern TupleTableSlot *cec_append_slot(CecAppender *appender);
extern void cec_append_row(CecAppender *appender);
extern void cec_append_end(CecAppender *appender);

#endif
