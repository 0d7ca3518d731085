/*
 * bundle_cycle.c
 *		Refuses memberships that would make an asset inherit from itself on some day.
 *
 * Over disjoint days a cycle is legal: the pump goes with the motor in spring, the motor with the pump in autumn.  So
 * the walk up from a membership carries the days on which all its steps hold, and stops when none are left.  What was
 * walked already on the same days is not walked again, so diamonds cost no more than their edges.
 *
 * Nearly always there is no cycle at all, whatever the days.  So the assets are peeled off first, from the top: those
 * that have no primary among the rest.  Only what is left, a cycle and all below it, is walked.
 *
 * Memberships change under the gate alone: four sessions that build a cycle of four edges come one after the other,
 * and the last one sees the other three.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "init.h"
#include "bundle/bundle.h"
#include "bundle/bundle_walk.h"
#include "catalog/pg_type.h"
#include "portfolio/change.h"
#include "support/probe.h"

/* Assets of a cycle that a message holds. */
#define ASSETS_SHOWN 10

static const CecQuery tag_of_asset = {
	"SELECT asset_tag FROM @P@.asset WHERE asset_id = $1", 1, {INT8OID}, CURSOR_OPT_GENERIC_PLAN, .results = {TEXTOID}};

/* A step of the path that is being walked; the first one is the membership in question. */
typedef struct Step
{
	const struct Step *below;
	int64 asset_id;
} Step;

/* The days on which an asset was reached in this walk. */
typedef struct Reached
{
	int64 asset_id; /* key */
	CecDaySet days;
} Reached;

typedef struct CycleSearch
{
	CecChange *change;
	CecBundleWalk *walk;
	HTAB *reached;
	int64 target; /* the member that must not be met again */
} CycleSearch;

static char *
describe_asset(CecChange *change, int64 asset_id)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum arg = Int64GetDatum(asset_id);
	char *tag = NULL;

	SPI_connect();
	if (cec_query_run(change->portfolio->plans, &tag_of_asset, &arg, NULL, 1) > 0)
	{
		MemoryContext old = MemoryContextSwitchTo(cxt);

		tag = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return tag != NULL ? tag : psprintf(INT64_FORMAT, asset_id);
}

static void
refuse_cycle(CycleSearch *search, const Step *last, const CecDaySet *days)
{
	StringInfoData path;
	int64 between = 0;

	if (!cec_change_may_tell(search->change, "asset") || !cec_change_may_tell(search->change, "bundle") ||
		!cec_change_may_tell(search->change, "bundle_member"))
		ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("an asset would inherit from itself"),
						errhint("Ask somebody who may read the register and all bundles to look at it."),
						errtableconstraint(search->change->rel, "bundle_member_no_cycle")));
	initStringInfo(&path);
	for (const Step *step = last; step != NULL; step = step->below)
		if (between++ < ASSETS_SHOWN)
			appendStringInfo(&path, "\"%s\" -> ", describe_asset(search->change, step->asset_id));
	if (between > ASSETS_SHOWN)
		appendStringInfo(&path, INT64_FORMAT " more -> ", between - ASSETS_SHOWN);
	appendStringInfo(&path, "\"%s\"", describe_asset(search->change, search->target));
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("asset \"%s\" would inherit from itself", describe_asset(search->change, search->target)),
			 errdetail("From primary to member: %s, all of them %s.", path.data, cec_days_in_words(days->spans[0])),
			 errhint("End one of these memberships, or choose days on which they do not all hold."),
			 errtableconstraint(search->change->rel, "bundle_member_no_cycle")));
}

/* Walks up from an asset that was reached on the days. */
static void
walk_up(CycleSearch *search, const Step *step, const CecDaySet *days)
{
	Reached *reached;
	CecDaySet fresh;
	CecMembership *found;
	CecMembership *memberships;
	int count;
	bool known;

	CHECK_FOR_INTERRUPTS();
	check_stack_depth();
	if (step->asset_id == search->target)
		refuse_cycle(search, step, days);

	reached = hash_search(search->reached, &step->asset_id, HASH_ENTER, &known);
	if (!known)
		memset(&reached->days, 0, sizeof(CecDaySet));
	fresh = cec_day_set_minus(days, &reached->days);
	if (fresh.count == 0)
		return;
	cec_day_set_union(&reached->days, &fresh);

	count = cec_bundle_walk_up(search->walk, step->asset_id, &found);
	memberships = palloc(Max(count, 1) * sizeof(CecMembership));
	memcpy(memberships, found, count * sizeof(CecMembership));
	for (int i = 0; i < count; i++)
	{
		Step next = {step, memberships[i].primary_id};
		CecDaySet during = {1, 1, &memberships[i].during};
		CecDaySet common = cec_day_set_intersect(&fresh, &during);

		if (common.count > 0)
			walk_up(search, &next, &common);
	}
	pfree(memberships);
}

static void
check_membership(CecChange *change, CecBundleWalk *walk, const CecMembership *membership)
{
	CycleSearch search = {change, walk, NULL, membership->asset_id};
	Step first = {NULL, membership->primary_id};
	CecDays span = membership->during;
	CecDaySet days = {1, 1, &span};
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(int64);
	ctl.entrysize = sizeof(Reached);
	ctl.hcxt = CurrentMemoryContext;
	search.reached = hash_create("cec reached primaries", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	walk_up(&search, &first, &days);
	hash_destroy(search.reached);
}

/* Checks every membership of the assets in the list, once each. */
static void
check_members(CecChange *change, CecBundleWalk *walk, const CecIds *assets)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "cec cycle search", ALLOCSET_DEFAULT_SIZES);

	for (int64 i = 0; i < assets->count; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(cxt);
		CecMembership *found;
		int count = cec_bundle_walk_up(walk, assets->ids[i], &found);
		CecMembership *memberships = palloc(Max(count, 1) * sizeof(CecMembership));

		memcpy(memberships, found, count * sizeof(CecMembership));
		for (int j = 0; j < count; j++)
			check_membership(change, walk, &memberships[j]);
		MemoryContextSwitchTo(old);
		MemoryContextReset(cxt);
	}
	MemoryContextDelete(cxt);
}

/* The assets, without those that no cycle among them leads to: each has a primary in the result. */
static CecIds
peel(CecBundleWalk *walk, const CecIds *assets)
{
	CecIds rest = {0};
	CecIds free = {0}; /* places of the assets whose primaries are all peeled off */
	CecMembership *found;
	int64 *primaries = palloc_extended(assets->count * sizeof(int64), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int64 i = 0; i < assets->count; i++)
	{
		int count = cec_bundle_walk_up(walk, assets->ids[i], &found);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < count; j++)
			if (cec_ids_find(assets, found[j].primary_id) >= 0)
				primaries[i]++;
		if (primaries[i] == 0)
			cec_ids_add(&free, i);
	}
	while (free.count > 0)
	{
		int count = cec_bundle_walk_down(walk, assets->ids[free.ids[--free.count]], &found);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < count; j++)
		{
			int64 place = cec_ids_find(assets, found[j].asset_id);

			if (place >= 0 && --primaries[place] == 0)
				cec_ids_add(&free, place);
		}
	}
	for (int64 i = 0; i < assets->count; i++)
		if (primaries[i] > 0)
			cec_ids_add(&rest, assets->ids[i]);
	pfree(primaries);
	return rest;
}

/*
 * Handler of the validate stage for bundle_member and bundle: change->assets holds the members concerned and all below
 * them; a new cycle goes through one of the members and thus through these alone, so checking them is enough.
 */
static void
validate_memberships(CecChange *change)
{
	CecBundleWalk *walk;
	CecIds rest;

	if (change->new_rows == NULL || change->assets.count == 0)
		return;
	walk = cec_bundle_walk_begin(cec_change_reading(change));
	rest = peel(walk, &change->assets);
	check_members(change, walk, &rest);
	cec_bundle_walk_end(walk);
}

/* Registers with the engine. */
void
cec_bundle_cycle_init(void)
{
	cec_change_register(CEC_STAGE_VALIDATE, "bundle_member", validate_memberships);
	cec_change_register(CEC_STAGE_VALIDATE, "bundle", validate_memberships);
}
