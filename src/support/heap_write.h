/*
 * heap_write.h
 *		Writing rows of a table below SQL.
 */
#ifndef CEC_HEAP_WRITE_H
#define CEC_HEAP_WRITE_H

#include "executor/tuptable.h"
#include "storage/itemptr.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

typedef struct CecAppender CecAppender;
typedef struct CecReplacer CecReplacer;

extern CecAppender *cec_append_begin(Relation rel);
extern TupleTableSlot *cec_append_slot(CecAppender *appender);
extern void cec_append_row(CecAppender *appender);
extern void cec_append_end(CecAppender *appender);
extern bool cec_replace_fetch(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot);
extern CecReplacer *cec_replace_begin(Relation rel);
extern void
cec_replace_row(CecReplacer *replacer, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot, const char *detail);
extern void cec_replace_end(CecReplacer *replacer);
extern void cec_remove_row(Relation rel, ItemPointer tid, Snapshot snapshot, const char *detail);

#endif
