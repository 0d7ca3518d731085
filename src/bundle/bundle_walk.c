/*
 * bundle_walk.c
 *		Walks from assets up to the primaries of their bundles and down to the members, by index probes.
 *
 * Memberships and bundles' primaries change under the gate alone, so whoever holds the gate walks on firm ground.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "bundle/bundle_walk.h"
#include "support/grow.h"

struct CecBundleWalk
{
	CecReading *reading; /* opens what is looked into when it is needed first: most assets are in no bundle */
	int space;
	CecMembership *found;
};

enum
{
	BUNDLE_ID,
	BUNDLE_PRIMARY
};

static const CecSource bundle_by_id = {
	"bundle", "bundle_id", INT8OID, AccessShareLock, {{"bundle_id", INT8OID}, {"primary_asset_id", INT8OID}}};
static const CecSource bundle_by_primary = {
	"bundle", "primary_asset_id", INT8OID, AccessShareLock, {{"bundle_id", INT8OID}, {"primary_asset_id", INT8OID}}};

enum
{
	MEMBER_BUNDLE_ID,
	MEMBER_ASSET_ID,
	MEMBER_DURING
};

static const CecSource member_by_asset = {"bundle_member",
										  "asset_id",
										  INT8OID,
										  AccessShareLock,
										  {{"bundle_id", INT8OID}, {"asset_id", INT8OID}, {"during", DATERANGEOID}}};
static const CecSource member_by_bundle = {"bundle_member",
										   "bundle_id",
										   INT8OID,
										   AccessShareLock,
										   {{"bundle_id", INT8OID}, {"asset_id", INT8OID}, {"during", DATERANGEOID}}};

/* Starts walking the bundles of a portfolio as the reading shows them. */
CecBundleWalk *
cec_bundle_walk_begin(CecReading *reading)
{
	CecBundleWalk *walk = palloc0(sizeof(CecBundleWalk));

	walk->reading = reading;
	CEC_MAKE_ROOM(walk->found, 0, walk->space, 8);
	return walk;
}

static void
keep(CecBundleWalk *walk, int count, CecMembership membership)
{
	CEC_MAKE_ROOM(walk->found, count, walk->space, 8);
	walk->found[count] = membership;
}

/* The memberships of an asset, with the primaries it belongs to. The result stays until the next call. */
int
cec_bundle_walk_up(CecBundleWalk *walk, int64 asset_id, CecMembership **memberships)
{
	const CecLook *members = cec_reading_look(walk->reading, &member_by_asset);
	TupleTableSlot *member;
	int count = 0;

	cec_probe_seek(members->probe, asset_id);
	while ((member = cec_probe_next(members->probe)) != NULL)
	{
		const CecLook *bundles = cec_reading_look(walk->reading, &bundle_by_id);
		TupleTableSlot *bundle;
		CecMembership membership = {0, asset_id, cec_days_of_range(cec_look_value(members, member, MEMBER_DURING))};

		bundle = cec_probe_row(bundles->probe, DatumGetInt64(cec_look_value(members, member, MEMBER_BUNDLE_ID)));
		if (bundle == NULL)
			continue; /* its foreign key is about to say so */
		membership.primary_id = DatumGetInt64(cec_look_value(bundles, bundle, BUNDLE_PRIMARY));
		keep(walk, count++, membership);
	}
	*memberships = walk->found;
	return count;
}

/* The members of all bundles that an asset is the primary of. The result stays until the next call. */
int
cec_bundle_walk_down(CecBundleWalk *walk, int64 asset_id, CecMembership **memberships)
{
	const CecLook *bundles = cec_reading_look(walk->reading, &bundle_by_primary);
	TupleTableSlot *bundle;
	int count = 0;

	cec_probe_seek(bundles->probe, asset_id);
	while ((bundle = cec_probe_next(bundles->probe)) != NULL)
	{
		const CecLook *members = cec_reading_look(walk->reading, &member_by_bundle);
		TupleTableSlot *member;

		cec_probe_seek(members->probe, DatumGetInt64(cec_look_value(bundles, bundle, BUNDLE_ID)));
		while ((member = cec_probe_next(members->probe)) != NULL)
		{
			CecMembership membership = {asset_id, DatumGetInt64(cec_look_value(members, member, MEMBER_ASSET_ID)),
										cec_days_of_range(cec_look_value(members, member, MEMBER_DURING))};

			keep(walk, count++, membership);
		}
	}
	*memberships = walk->found;
	return count;
}

/* Ends it; what it has looked into is the reading's. */
void
cec_bundle_walk_end(CecBundleWalk *walk)
{
	pfree(walk->found);
	pfree(walk);
}
