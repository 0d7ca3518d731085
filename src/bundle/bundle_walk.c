/*
 * bundle_walk.c
 *		Walks from assets up to the primaries of their bundles and down to the members, by index probes.
 *
 * Memberships and bundles' primaries change under the gate alone, so whoever holds the gate walks on firm ground.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "bundle_walk.h"
#include "probe.h"

/* Each probe is opened when it is needed first: most assets are in no bundle. */
struct CecBundleWalk
{
	CecPortfolio *portfolio;
	Snapshot snapshot;
	MemoryContext cxt;
	CecProbe *bundle_by_id;
	CecProbe *bundle_by_primary;
	CecProbe *member_by_asset;
	CecProbe *member_by_bundle;
	AttrNumber bundle_id;
	AttrNumber primary_id;
	AttrNumber member_bundle_id;
	AttrNumber member_asset_id;
	AttrNumber member_during;
	int space;
	CecMembership *found;
};

/* Starts walking the bundles of a portfolio as the snapshot shows them. */
CecBundleWalk *
cec_bundle_walk_begin(CecPortfolio *portfolio, Snapshot snapshot)
{
	CecBundleWalk *walk = palloc0(sizeof(CecBundleWalk));

	walk->portfolio = portfolio;
	walk->snapshot = snapshot;
	walk->cxt = CurrentMemoryContext;
	walk->space = 8;
	walk->found = palloc(walk->space * sizeof(CecMembership));
	return walk;
}

/* A probe of bundle, opened when it is needed first. */
static CecProbe *
bundle_by(CecBundleWalk *walk, CecProbe **probe, const char *column)
{
	if (*probe == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(walk->cxt);

		*probe =
			cec_probe_begin(cec_portfolio_open(walk->portfolio, "bundle", AccessShareLock), column, walk->snapshot);
		walk->bundle_id = cec_probe_column(*probe, "bundle_id", INT8OID);
		walk->primary_id = cec_probe_column(*probe, "primary_asset_id", INT8OID);
		MemoryContextSwitchTo(old);
	}
	return *probe;
}

/* A probe of bundle_member, opened when it is needed first. */
static CecProbe *
member_by(CecBundleWalk *walk, CecProbe **probe, const char *column)
{
	if (*probe == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(walk->cxt);

		*probe = cec_probe_begin(cec_portfolio_open(walk->portfolio, "bundle_member", AccessShareLock), column,
								 walk->snapshot);
		walk->member_bundle_id = cec_probe_column(*probe, "bundle_id", INT8OID);
		walk->member_asset_id = cec_probe_column(*probe, "asset_id", INT8OID);
		walk->member_during = cec_probe_column(*probe, "during", DATERANGEOID);
		MemoryContextSwitchTo(old);
	}
	return *probe;
}

static void
keep(CecBundleWalk *walk, int count, CecMembership membership)
{
	if (count == walk->space)
	{
		walk->space *= 2;
		walk->found = repalloc(walk->found, walk->space * sizeof(CecMembership));
	}
	walk->found[count] = membership;
}

/* The memberships of an asset, with the primaries it belongs to. The result stays until the next call. */
int
cec_bundle_walk_up(CecBundleWalk *walk, int64 asset_id, CecMembership **memberships)
{
	TupleTableSlot *member;
	int count = 0;

	cec_probe_seek(member_by(walk, &walk->member_by_asset, "asset_id"), asset_id);
	while ((member = cec_probe_next(walk->member_by_asset)) != NULL)
	{
		TupleTableSlot *bundle;
		CecMembership membership = {0, asset_id, cec_days_of_range(member->tts_values[walk->member_during - 1])};

		cec_probe_seek(bundle_by(walk, &walk->bundle_by_id, "bundle_id"),
					   DatumGetInt64(member->tts_values[walk->member_bundle_id - 1]));
		bundle = cec_probe_next(walk->bundle_by_id);
		if (bundle == NULL)
			continue; /* its foreign key is about to say so */
		membership.primary_id = DatumGetInt64(bundle->tts_values[walk->primary_id - 1]);
		keep(walk, count++, membership);
	}
	*memberships = walk->found;
	return count;
}

/* The members of all bundles that an asset is the primary of. The result stays until the next call. */
int
cec_bundle_walk_down(CecBundleWalk *walk, int64 asset_id, CecMembership **memberships)
{
	TupleTableSlot *bundle;
	int count = 0;

	cec_probe_seek(bundle_by(walk, &walk->bundle_by_primary, "primary_asset_id"), asset_id);
	while ((bundle = cec_probe_next(walk->bundle_by_primary)) != NULL)
	{
		TupleTableSlot *member;

		cec_probe_seek(member_by(walk, &walk->member_by_bundle, "bundle_id"),
					   DatumGetInt64(bundle->tts_values[walk->bundle_id - 1]));
		while ((member = cec_probe_next(walk->member_by_bundle)) != NULL)
		{
			CecMembership membership = {asset_id, DatumGetInt64(member->tts_values[walk->member_asset_id - 1]),
										cec_days_of_range(member->tts_values[walk->member_during - 1])};

			keep(walk, count++, membership);
		}
	}
	*memberships = walk->found;
	return count;
}

/* Lets go of the tables. */
void
cec_bundle_walk_end(CecBundleWalk *walk)
{
	CecProbe *probes[] = {walk->member_by_bundle, walk->member_by_asset, walk->bundle_by_primary, walk->bundle_by_id};

	for (int i = 0; i < lengthof(probes); i++)
		if (probes[i] != NULL)
			cec_probe_end(probes[i]);
	pfree(walk->found);
	pfree(walk);
}
