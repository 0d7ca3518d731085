/*
 * probe.h
 *		Looking rows up by a bigint or text key through a btree index.
 */
#ifndef CEC_PROBE_H
#define CEC_PROBE_H

#include "executor/tuptable.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

typedef struct CecProbe CecProbe;

extern CecProbe *cec_probe_begin(Relation rel, const char *column, Snapshot snapshot);
extern CecProbe *cec_probe_begin_text(Relation rel, const char *column, Snapshot snapshot);
extern Oid cec_probe_index(Relation rel, const char *column, Oid typid);
extern CecProbe *cec_probe_begin_at(Relation rel, Oid indexid, LOCKMODE lock, int natts, Snapshot snapshot);
extern TupleTableSlot *cec_probe_row(CecProbe *probe, int64 key);
extern bool cec_probe_lock(CecProbe *probe, int64 key);
extern void cec_probe_use_snapshot(CecProbe *probe, Snapshot snapshot);
extern void cec_probe_seek(CecProbe *probe, int64 key);
extern void cec_probe_seek_text(CecProbe *probe, Datum key);
extern TupleTableSlot *cec_probe_next(CecProbe *probe);
extern AttrNumber cec_probe_column(CecProbe *probe, const char *column, Oid typid);
extern AttrNumber cec_probe_nullable_column(CecProbe *probe, const char *column, Oid typid);
extern Relation cec_probe_relation(CecProbe *probe);
extern void cec_probe_end(CecProbe *probe);

#endif
