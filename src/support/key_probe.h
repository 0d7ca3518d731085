/*
 * key_probe.h
 *		Looking rows up by a function of a text column, through a btree index over the function.
 */
#ifndef CEC_KEY_PROBE_H
#define CEC_KEY_PROBE_H

#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

typedef struct CecKeyProbe CecKeyProbe;

/* A stretch of keys in byte order, with its length in bytes. */
typedef struct CecKey
{
	const char *bytes;
	int len;
} CecKey;

extern CecKeyProbe *cec_key_probe_begin(Relation rel, const char *column, Oid function, Snapshot snapshot);
extern void cec_key_probe_seek(CecKeyProbe *probe, CecKey key);
extern TupleTableSlot *cec_key_probe_next(CecKeyProbe *probe);
extern void cec_key_probe_seek_range(CecKeyProbe *probe, CecKey from, CecKey to);
extern bool cec_key_probe_next_key(CecKeyProbe *probe, CecKey *key);
extern void cec_key_probe_end(CecKeyProbe *probe);

#endif
