/*
 * cache.c
 *		Counts the changes of relations, for whoever remembers something that was read of one.
 *
 * A server has ten slots for functions that are told of them, and each is called for every relation that changes: the library
 * takes one, and looks the relation up once.  Nobody is called back.  Who reads takes the count first, keeps it beside what he
 * has read, and compares: so a change that is told of while he reads counts, too.
 *
 * Key: oid of the relation.  Lifetime: the session.  Entries are never removed and never move; there are as many as relations
 * that were asked about.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "init.h"
#include "support/cache.h"

typedef struct Changes
{
	Oid relid; /* key */
	uint64 count;
} Changes;

static HTAB *relations = NULL; /* of Changes */

static void
count_change(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	Changes *changes;

	if (OidIsValid(relid))
	{
		changes = hash_search(relations, &relid, HASH_FIND, NULL);
		if (changes != NULL)
			changes->count++;
		return;
	}
	hash_seq_init(&status, relations);
	while ((changes = hash_seq_search(&status)) != NULL)
		changes->count++;
}

/* Prepares the cache; called once when the library is loaded. */
void
cec_cache_init(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(Changes);
	ctl.hcxt = CacheMemoryContext;
	relations = hash_create("cec relations", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(count_change, (Datum) 0);
}

/* The relation as it is now; to be asked for before it is read. */
CecAsOf
cec_cache_as_of(Oid relid)
{
	bool found;
	Changes *changes = hash_search(relations, &relid, HASH_ENTER, &found);

	if (!found)
		changes->count = 0;
	return (CecAsOf){&changes->count, changes->count};
}
