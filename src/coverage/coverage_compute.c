/*
 * coverage_compute.c
 *		Computes the effective coverage of a set of assets from what is stated (design: "Effective coverage").
 *
 * For asset a and term t, all of them sets of days:
 *
 *		allowed(a,t)	= life(a) ∩ base(t) − carve-outs(a,t) − exclude rules(a,t)
 *		stated(a,t)		= (lines(a,t) − require rules(a,t)) ∩ allowed(a,t)
 *		ruled(a,t)		= (include rules(a,t) − require rules(a,t)) ∩ allowed(a,t)
 *		inherited(a,t)	= ⋃ over memberships m of a: (stated ∪ ruled ∪ inherited)(primary(m), t) ∩ m.during ∩ allowed(a,t)
 *
 * The set holds with every asset all that is below it, so a primary outside the set is not touched by the change: what is
 * stored of it is right and is taken as it is.  Within the set, cover is handed down from member to member until nothing
 * is added; days only ever get more, and no day has a cycle, so this ends.  Assets may well form a cycle over different
 * days, therefore no order of assets would do in the place of the queue.
 *
 * Where the facts come from: coverage_read.c.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"

#include "bundle/bundle_walk.h"
#include "coverage/coverage_read.h"
#include "support/grow.h"
#include "support/search.h"

/* What the computation has at hand. */
typedef struct Computation
{
	CecCoverReader *reader;
	CecRuleSession *rules; /* NULL when the portfolio has none */
	CecCoverSet *set;
	CecBundleWalk *walk;
	const CecTrial *trial; /* NULL: everything is as it is stored */
} Computation;

/* The entry of an asset for a term, made if there is none; they are in order of term_id, and move when one is made. */
static CecAssetTerm *
find_asset_term(Computation *work, CecAssetCover *asset, int64 term_id)
{
	CecAssetTerm *entry;
	int place = asset->term_count;

	/* Usually it is the last: list lines are read in this order. */
	if (place > 0 && asset->terms[place - 1].term->term_id >= term_id)
		CEC_SEARCH(place, asset->term_count, asset->terms[middle].term->term_id < term_id);
	if (place < asset->term_count && asset->terms[place].term->term_id == term_id)
		return &asset->terms[place];
	CEC_MAKE_ROOM(asset->terms, asset->term_count, asset->term_space, 1);
	entry = &asset->terms[place];
	memmove(entry + 1, entry, (asset->term_count++ - place) * sizeof(CecAssetTerm));
	memset(entry, 0, sizeof(CecAssetTerm));
	entry->term = cec_cover_read_term(work->reader, term_id);
	entry->allowed = cec_day_set_intersect(&asset->life, &entry->term->base);
	return entry;
}

/*
 * The term concerns the asset: it is listed, rules qualify it, or it inherits.  From here on exclude rules have a word, once;
 * a carve-out alone calls nobody to decide.
 */
static void
concern(Computation *work, CecAssetCover *asset, CecAssetTerm *entry)
{
	CecDaySet excluded;

	if (entry->is_concerned)
		return;
	entry->is_concerned = true;
	if (work->rules == NULL)
		return;
	excluded = cec_rule_session_days(work->rules, asset->rules, entry->term->term_id, CEC_RULE_EXCLUDE);
	if (excluded.count > 0)
		entry->allowed = cec_day_set_minus(&entry->allowed, &excluded);
}

static void
add_line(Computation *work, CecAssetCover *asset, int64 term_id, bool is_include, CecDays during)
{
	CecAssetTerm *entry = find_asset_term(work, asset, term_id);

	cec_day_set_add(is_include ? &entry->listed : &entry->carved_out, during);
}

/* The lines that the asset would have. */
static void
try_lines(Computation *work, CecAssetCover *asset)
{
	const CecTrial *trial = work->trial;
	int64 place;

	CEC_SEARCH(place, trial->line_count, trial->lines[middle].asset_id < asset->asset_id);
	for (; place < trial->line_count && trial->lines[place].asset_id == asset->asset_id; place++)
		add_line(work, asset, trial->lines[place].term_id, trial->lines[place].is_include, trial->lines[place].during);
}

static void
read_lines(Computation *work, CecAssetCover *asset)
{
	CecCoverLine line;

	if (work->trial != NULL && cec_ids_find(&work->trial->listed, asset->asset_id) >= 0)
	{
		try_lines(work, asset);
		return;
	}
	cec_cover_read_lines(work->reader, asset->asset_id);
	while (cec_cover_next_line(work->reader, &line))
		add_line(work, asset, line.term_id, line.is_include, line.during);
}

/* What include rules qualify the asset for. */
static void
read_qualified(Computation *work, CecAssetCover *asset)
{
	CecQualified *qualified;
	int count = work->rules == NULL ? 0 : cec_rule_session_qualified(work->rules, asset->rules, &qualified);

	for (int i = 0; i < count; i++)
		cec_day_set_union(&find_asset_term(work, asset, qualified[i].term_id)->qualified, &qualified[i].days);
}

/* The asset's own cover: from its list lines and from rules. */
static void
find_own_cover(Computation *work, CecAssetCover *asset)
{
	read_lines(work, asset);
	read_qualified(work, asset);
	for (int i = 0; i < asset->term_count; i++)
	{
		CecAssetTerm *entry = &asset->terms[i];
		CecDaySet own;

		if (entry->carved_out.count > 0)
			entry->allowed = cec_day_set_minus(&entry->allowed, &entry->carved_out);
		if (entry->listed.count == 0 && entry->qualified.count == 0)
			continue;
		concern(work, asset, entry);
		own = entry->allowed;
		if (work->rules != NULL)
		{
			CecDaySet unmet = cec_rule_session_days(work->rules, asset->rules, entry->term->term_id, CEC_RULE_REQUIRE);

			if (unmet.count > 0)
				own = cec_day_set_minus(&own, &unmet);
		}
		entry->stated = cec_day_set_intersect(&entry->listed, &own);
		entry->ruled = cec_day_set_intersect(&entry->qualified, &own);
	}
}

static void
read_stored(Computation *work, CecAssetCover *asset)
{
	CecCoverRow row;

	cec_cover_read_stored(work->reader, asset->asset_id);
	while (cec_cover_next_stored(work->reader, &row))
	{
		CEC_MAKE_ROOM(asset->stored, asset->stored_count, asset->stored_space, 2);
		asset->stored[asset->stored_count++] = row;
	}
}

/* Adds days inherited under a term, as far as they are allowed; true when there was something new. */
static bool
inherit(Computation *work, CecAssetCover *asset, int64 term_id, const CecDaySet *days)
{
	CecAssetTerm *entry;
	CecDaySet gained;

	if (!cec_cover_read_term(work->reader, term_id)->covers_bundles)
		return false;
	entry = find_asset_term(work, asset, term_id);
	concern(work, asset, entry);
	gained = cec_day_set_intersect(days, &entry->allowed);
	if (cec_day_set_contains(&entry->inherited, &gained))
		return false;
	cec_day_set_union(&entry->inherited, &gained);
	return true;
}

/* What an asset inherits from a primary outside the set: that primary's stored cover is right. */
static void
inherit_from_stored(Computation *work, CecAssetCover *asset, const CecMembership *membership)
{
	CecCoverRow row;

	cec_cover_read_stored(work->reader, membership->primary_id);
	while (cec_cover_next_stored(work->reader, &row))
	{
		CecDays common = {Max(row.during.from, membership->during.from), Min(row.during.to, membership->during.to)};
		CecDaySet days = {1, 1, &common};

		if (common.from < common.to)
			(void) inherit(work, asset, row.term_id, &days);
	}
}

static void
add_heir(CecAssetCover *primary, CecAssetCover *member, CecDays during)
{
	CEC_MAKE_ROOM(primary->heirs, primary->heir_count, primary->heir_space, 2);
	primary->heirs[primary->heir_count++] = (CecHeir){member, during};
}

/* An asset of the set, or NULL. */
static CecAssetCover *
find_in_set(const CecCoverSet *set, int64 asset_id)
{
	int64 place;

	CEC_SEARCH(place, set->count, set->assets[middle].asset_id < asset_id);
	return place < set->count && set->assets[place].asset_id == asset_id ? &set->assets[place] : NULL;
}

static void
add_membership(Computation *work, CecAssetCover *asset, const CecMembership *membership)
{
	CecAssetCover *primary = find_in_set(work->set, membership->primary_id);

	if (primary != NULL)
		add_heir(primary, asset, membership->during);
	else
		inherit_from_stored(work, asset, membership);
}

/* The memberships that the asset would have. */
static void
try_memberships(Computation *work, CecAssetCover *asset)
{
	const CecTrial *trial = work->trial;
	int64 place;

	CEC_SEARCH(place, trial->membership_count, trial->memberships[middle].asset_id < asset->asset_id);
	for (; place < trial->membership_count && trial->memberships[place].asset_id == asset->asset_id; place++)
	{
		const CecTrialMembership *tried = &trial->memberships[place];
		CecMembership membership = {tried->primary_id, tried->asset_id, tried->during};

		add_membership(work, asset, &membership);
	}
}

static void
read_memberships(Computation *work, CecAssetCover *asset)
{
	CecMembership *memberships;
	int count;

	if (work->trial != NULL && cec_ids_find(&work->trial->members, asset->asset_id) >= 0)
	{
		try_memberships(work, asset);
		return;
	}
	count = cec_bundle_walk_up(work->walk, asset->asset_id, &memberships);
	for (int i = 0; i < count; i++)
		add_membership(work, asset, &memberships[i]);
}

/* Hands the cover of an asset to one heir; true when the heir gained something. */
static bool
hand_down(Computation *work, CecAssetCover *asset, CecHeir *heir)
{
	bool gained = false;
	CecDaySet during = {1, 1, &heir->during};

	for (int i = 0; i < asset->term_count; i++)
	{
		CecAssetTerm *entry = &asset->terms[i];
		CecDaySet days;

		days = cec_day_set_intersect(&entry->stated, &during);
		gained |= days.count > 0 && inherit(work, heir->member, entry->term->term_id, &days);
		entry = &asset->terms[i]; /* an asset may be its own heir over other days, and its terms have moved */
		days = cec_day_set_intersect(&entry->ruled, &during);
		gained |= days.count > 0 && inherit(work, heir->member, entry->term->term_id, &days);
		entry = &asset->terms[i];
		days = cec_day_set_intersect(&entry->inherited, &during);
		gained |= days.count > 0 && inherit(work, heir->member, entry->term->term_id, &days);
	}
	return gained;
}

/* Hands cover down until nothing is added. */
static void
hand_down_all(Computation *work, CecCoverSet *set)
{
	List *queue = NIL;

	for (int64 i = 0; i < set->count; i++)
		if (set->assets[i].heir_count > 0)
		{
			set->assets[i].is_queued = true;
			queue = lappend(queue, &set->assets[i]);
		}
	while (queue != NIL)
	{
		CecAssetCover *asset = llast(queue);

		CHECK_FOR_INTERRUPTS();
		queue = list_delete_last(queue);
		asset->is_queued = false;
		for (int i = 0; i < asset->heir_count; i++)
		{
			CecAssetCover *member = asset->heirs[i].member;

			if (hand_down(work, asset, &asset->heirs[i]) && member->heir_count > 0 && !member->is_queued)
			{
				member->is_queued = true;
				queue = lappend(queue, member);
			}
		}
	}
}

/*
 * The cover of the assets, which are in order and complete downwards, with what is stored of it.  With a
 * trial (NULL: none) it is what the cover would be; the set then has all whose lines or memberships are tried.  The result
 * lives in the current memory context.
 */
CecCoverSet *
cec_coverage_compute(CecReading *reading, const CecIds *assets, CecRuleSession *rules, const CecTrial *trial)
{
	CecCoverSet *set = palloc(sizeof(CecCoverSet));
	Computation work = {cec_cover_reader_begin(reading), rules, set, cec_bundle_walk_begin(reading), trial};

	set->count = assets->count;
	set->assets = palloc_extended(Max(assets->count, 1) * sizeof(CecAssetCover), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 i = 0; i < set->count; i++)
		set->assets[i].asset_id = assets->ids[i];
	for (int64 i = 0; i < set->count; i++)
	{
		CecAssetCover *asset = &set->assets[i];

		CHECK_FOR_INTERRUPTS();
		if (rules != NULL)
			asset->rules = cec_rule_session_asset(rules, asset->asset_id);
		asset->life = cec_cover_read_life(work.reader, asset->asset_id);
		find_own_cover(&work, asset);
		if (rules != NULL)
			cec_rule_session_own_found(rules, asset->rules);
		read_stored(&work, asset);
	}
	/* Not before the own cover of all is found: what rules say of an heir is kept from here on. */
	for (int64 i = 0; i < set->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		read_memberships(&work, &set->assets[i]);
	}
	hand_down_all(&work, set);
	cec_bundle_walk_end(work.walk);
	return set;
}
