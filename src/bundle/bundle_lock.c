/*
 * bundle_lock.c
 *		Locks the assets that a statement concerns together with all that inherit from them, at any depth.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/hsearch.h"

#include "init.h"
#include "bundle/bundle.h"
#include "bundle/bundle_walk.h"
#include "portfolio/change.h"
#include "registry/asset_lock.h"

/*
 * Adds all members below the assets; a list that comes in order stays in order while nothing is added.  Returns whether any of them has
 * members.
 */
bool
cec_add_all_below(CecReading *reading, CecIds *assets)
{
	CecBundleWalk *walk = cec_bundle_walk_begin(reading);
	HTAB *seen = NULL;
	bool has_members;

	for (int64 i = 0; i < assets->count; i++)
	{
		CecMembership *members;
		int count = cec_bundle_walk_down(walk, assets->ids[i], &members);

		CHECK_FOR_INTERRUPTS();
		if (count > 0 && seen == NULL)
		{
			HASHCTL ctl = {0};

			ctl.keysize = sizeof(int64);
			ctl.entrysize = sizeof(int64);
			ctl.hcxt = CurrentMemoryContext;
			seen = hash_create("cec assets below", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
			for (int64 j = 0; j < assets->count; j++)
				hash_search(seen, &assets->ids[j], HASH_ENTER, NULL);
		}
		for (int j = 0; j < count; j++)
		{
			bool found;

			hash_search(seen, &members[j].asset_id, HASH_ENTER, &found);
			if (!found)
				cec_ids_add(assets, members[j].asset_id);
		}
	}
	has_members = seen != NULL;
	if (has_members)
		hash_destroy(seen);
	cec_bundle_walk_end(walk);
	return has_members;
}

/* All assets to be locked, in order. */
static CecIds
with_concerned(const CecChange *change)
{
	CecIds all = {0};

	if (change->concerned.count == 0)
		return change->assets;
	for (int64 i = 0; i < change->assets.count; i++)
		cec_ids_add(&all, change->assets.ids[i]);
	for (int64 i = 0; i < change->concerned.count; i++)
		cec_ids_add(&all, change->concerned.ids[i]);
	cec_ids_sort_unique(&all);
	return all;
}

/* Completes change->assets, puts it in order and locks it. */
static void
lock_with_all_below(CecChange *change, CecReading *reading)
{
	int64 count = change->assets.count;
	CecIds all;

	change->has_members = cec_add_all_below(reading, &change->assets);
	/* Assets that the statement itself has just updated need no second lock. */
	if (change->assets.count == count && strcmp(change->table_name, "asset") == 0)
		return;
	cec_ids_sort_unique(&change->assets);
	all = with_concerned(change);
	/* Where a row may come before its asset, the transaction goes on alone: see coverage_await.c. */
	if (!cec_lock_assets(reading, &all) && cec_change_may_dangle(change) && strcmp(change->table_name, "asset") != 0)
		cec_portfolio_lock_gate(change->portfolio->nspid, ShareRowExclusiveLock);
	cec_reading_renew(reading);
}

/* Handler of the lock stage. */
static void
lock_assets(CecChange *change)
{
	if (change->assets.count == 0 && change->concerned.count == 0)
		return;
	cec_ids_sort_unique(&change->assets);
	cec_ids_sort_unique(&change->facts);
	lock_with_all_below(change, cec_change_reading(change));
}

/* Registers with the engine; called once when the library is loaded. */
void
cec_bundle_init(void)
{
	cec_change_register(CEC_STAGE_LOCK, NULL, lock_assets);
}
