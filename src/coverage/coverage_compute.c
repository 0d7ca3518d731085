/*
 * coverage_compute.c
 *		Computes the effective coverage of a set of assets from the stated facts (design: "Effective coverage").
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
 * Everything is read by index probes with one snapshot, taken after the locks (portfolio/reading.c).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "bundle/bundle_walk.h"
#include "coverage/coverage.h"
#include "portfolio/reading.h"
#include "support/grow.h"
#include "support/id_list.h"
#include "support/search.h"

/* The tables that facts come from. */
typedef struct Reader
{
	CecRuleSession *rules; /* NULL when the portfolio has none */
	CecCoverSet *set;
	CecTermFacts *term; /* asked for first */
	HTAB *terms;		/* of CecTermFacts, the others; NULL until there is one */
	CecReading *reading;
	MemoryContext cxt;
	CecBundleWalk *walk;
	CecLook *assets;
	CecLook *lines;
	CecLook *stored;
} Reader;

enum
{
	STORED_ID,
	STORED_TERM_ID,
	STORED_DURING,
	STORED_IS_STATED,
	STORED_IS_RULED,
	STORED_IS_INHERITED,
	STORED_RECORDED_AT
};

/* What differs is written by the same statement. */
static const CecSource stored_cover = {"coverage",
									   "asset_id",
									   INT8OID,
									   RowExclusiveLock,
									   {{"coverage_id", INT8OID},
										{"term_id", INT8OID},
										{"during", DATERANGEOID},
										{"is_stated", BOOLOID},
										{"is_ruled", BOOLOID},
										{"is_inherited", BOOLOID},
										{"recorded_at", TIMESTAMPTZOID}}};

static void
begin_reading(Reader *reader, CecReading *reading, CecRuleSession *rules, CecCoverSet *set)
{
	memset(reader, 0, sizeof(Reader));
	reader->rules = rules;
	reader->set = set;
	reader->reading = reading;
	reader->cxt = CurrentMemoryContext;
	reader->walk = cec_bundle_walk_begin(reading);
	reader->assets = cec_reading_look(reading, &cec_source_asset);
	reader->lines = cec_reading_look(reading, &cec_source_line);
	reader->stored = cec_reading_look(reading, &stored_cover);
}

static bool
text_is(Datum datum, const char *word)
{
	text *value = DatumGetTextPP(datum);
	int len = strlen(word);

	return VARSIZE_ANY_EXHDR(value) == len && memcmp(VARDATA_ANY(value), word, len) == 0;
}

/* during ∩ the contract's during − suspensions; nothing while the contract is draft or void. */
static void
read_term(Reader *reader, CecTermFacts *term)
{
	const CecLook *terms = cec_reading_look(reader->reading, &cec_source_term);
	const CecLook *contracts = cec_reading_look(reader->reading, &cec_source_contract);
	TupleTableSlot *row = cec_probe_row(terms->probe, term->term_id);
	TupleTableSlot *contract;
	CecDays days;
	CecDays within;
	CecDaySet pauses;

	memset(&term->base, 0, sizeof(CecDaySet));
	term->covers_bundles = false;
	if (row == NULL)
		return;
	term->covers_bundles = DatumGetBool(cec_look_value(terms, row, CEC_TERM_COVERS_BUNDLES));
	contract = cec_probe_row(contracts->probe, DatumGetInt64(cec_look_value(terms, row, CEC_TERM_CONTRACT_ID)));
	if (contract == NULL || text_is(cec_look_value(contracts, contract, CEC_CONTRACT_STATUS), "draft") ||
		text_is(cec_look_value(contracts, contract, CEC_CONTRACT_STATUS), "void"))
		return;
	days = cec_days_of_range(cec_look_value(terms, row, CEC_TERM_DURING));
	within = cec_days_of_range(cec_look_value(contracts, contract, CEC_CONTRACT_DURING));
	days.from = Max(days.from, within.from);
	days.to = Min(days.to, within.to);
	if (days.from >= days.to)
		return;
	cec_day_set_add(&term->base, days);
	pauses = cec_day_set_of_multirange(cec_look_value(contracts, contract, CEC_CONTRACT_SUSPENSIONS));
	if (pauses.count > 0)
		term->base = cec_day_set_minus(&term->base, &pauses);
}

/* What a term offers, asked once; most statements ask of one. */
static CecTermFacts *
find_term(Reader *reader, int64 term_id)
{
	bool found;
	CecTermFacts *term;

	if (reader->term == NULL)
	{
		reader->term = MemoryContextAlloc(reader->cxt, sizeof(CecTermFacts));
		reader->term->term_id = term_id;
		read_term(reader, reader->term);
	}
	if (reader->term->term_id == term_id)
		return reader->term;
	if (reader->terms == NULL)
	{
		HASHCTL ctl = {0};

		ctl.keysize = sizeof(int64);
		ctl.entrysize = sizeof(CecTermFacts);
		ctl.hcxt = reader->cxt;
		reader->terms = hash_create("cec terms that cover", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	term = hash_search(reader->terms, &term_id, HASH_ENTER, &found);
	if (!found)
		read_term(reader, term);
	return term;
}

/* [commissioned_on .. decommissioned_on] − out_of_service; nothing for a planned asset without a date. */
static CecDaySet
read_life(Reader *reader, int64 asset_id)
{
	const CecLook *assets = reader->assets;
	CecDaySet life = {0};
	CecDaySet pauses;
	TupleTableSlot *row = cec_probe_row(assets->probe, asset_id);
	CecDays days = {CEC_DAY_MIN, CEC_DAY_MAX};

	if (row == NULL)
		return life;
	if (!cec_look_isnull(assets, row, CEC_ASSET_COMMISSIONED_ON))
		days.from = DatumGetDateADT(cec_look_value(assets, row, CEC_ASSET_COMMISSIONED_ON));
	else if (text_is(cec_look_value(assets, row, CEC_ASSET_STATUS), "planned"))
		return life;
	if (!cec_look_isnull(assets, row, CEC_ASSET_DECOMMISSIONED_ON))
	{
		DateADT last = DatumGetDateADT(cec_look_value(assets, row, CEC_ASSET_DECOMMISSIONED_ON));

		if (IS_VALID_DATE(last + 1)) /* no day comes after the last one of all: open */
			days.to = last + 1;
	}
	cec_day_set_add(&life, days);
	pauses = cec_day_set_of_multirange(cec_look_value(assets, row, CEC_ASSET_OUT_OF_SERVICE));
	return pauses.count == 0 ? life : cec_day_set_minus(&life, &pauses);
}

/* The entry of an asset for a term, made if there is none; they are in order of term_id, and move when one is made. */
static CecAssetTerm *
find_asset_term(Reader *reader, CecAssetCover *asset, int64 term_id)
{
	CecAssetTerm *entry;
	int place = asset->term_count;

	/* Usually it comes last: list lines are read in this order. */
	if (place > 0 && asset->terms[place - 1].term->term_id >= term_id)
		CEC_SEARCH(place, asset->term_count, asset->terms[middle].term->term_id < term_id);
	if (place < asset->term_count && asset->terms[place].term->term_id == term_id)
		return &asset->terms[place];
	CEC_MAKE_ROOM(asset->terms, asset->term_count, asset->term_space, 1);
	entry = &asset->terms[place];
	memmove(entry + 1, entry, (asset->term_count++ - place) * sizeof(CecAssetTerm));
	memset(entry, 0, sizeof(CecAssetTerm));
	entry->term = find_term(reader, term_id);
	entry->allowed = cec_day_set_intersect(&asset->life, &entry->term->base);
	return entry;
}

/*
 * The term concerns the asset: it is listed, rules qualify it, or it inherits.  From here on exclude rules have a word, once;
 * a carve-out alone calls nobody to decide.
 */
static void
concern(Reader *reader, CecAssetCover *asset, CecAssetTerm *entry)
{
	CecDaySet excluded;

	if (entry->is_concerned)
		return;
	entry->is_concerned = true;
	if (reader->rules == NULL)
		return;
	excluded = cec_rule_session_days(reader->rules, asset->rules, entry->term->term_id, CEC_RULE_EXCLUDE);
	if (excluded.count > 0)
		entry->allowed = cec_day_set_minus(&entry->allowed, &excluded);
}

static void
read_lines(Reader *reader, CecAssetCover *asset)
{
	const CecLook *lines = reader->lines;
	TupleTableSlot *row;

	cec_probe_seek(lines->probe, asset->asset_id);
	while ((row = cec_probe_next(lines->probe)) != NULL)
	{
		CecAssetTerm *entry =
			find_asset_term(reader, asset, DatumGetInt64(cec_look_value(lines, row, CEC_LINE_TERM_ID)));
		bool is_include = text_is(cec_look_value(lines, row, CEC_LINE_EFFECT), "include");

		cec_day_set_add(is_include ? &entry->listed : &entry->carved_out,
						cec_days_of_range(cec_look_value(lines, row, CEC_LINE_DURING)));
	}
}

/* What include rules qualify the asset for. */
static void
read_qualified(Reader *reader, CecAssetCover *asset)
{
	CecQualified *qualified;
	int count = reader->rules == NULL ? 0 : cec_rule_session_qualified(reader->rules, asset->rules, &qualified);

	for (int i = 0; i < count; i++)
		cec_day_set_union(&find_asset_term(reader, asset, qualified[i].term_id)->qualified, &qualified[i].days);
}

/* The asset's own cover: from its list lines and from rules. */
static void
find_own_cover(Reader *reader, CecAssetCover *asset)
{
	read_lines(reader, asset);
	read_qualified(reader, asset);
	for (int i = 0; i < asset->term_count; i++)
	{
		CecAssetTerm *entry = &asset->terms[i];
		CecDaySet own;

		if (entry->carved_out.count > 0)
			entry->allowed = cec_day_set_minus(&entry->allowed, &entry->carved_out);
		if (entry->listed.count == 0 && entry->qualified.count == 0)
			continue;
		concern(reader, asset, entry);
		own = entry->allowed;
		if (reader->rules != NULL)
		{
			CecDaySet unmet =
				cec_rule_session_days(reader->rules, asset->rules, entry->term->term_id, CEC_RULE_REQUIRE);

			if (unmet.count > 0)
				own = cec_day_set_minus(&own, &unmet);
		}
		entry->stated = cec_day_set_intersect(&entry->listed, &own);
		entry->ruled = cec_day_set_intersect(&entry->qualified, &own);
	}
}

static CecCoverRow
read_stored_row(Reader *reader, TupleTableSlot *row)
{
	const CecLook *look = reader->stored;
	CecCoverRow cover;
	bool isnull;
	Datum xmin = slot_getsysattr(row, MinTransactionIdAttributeNumber, &isnull);

	cover.term_id = DatumGetInt64(cec_look_value(look, row, STORED_TERM_ID));
	cover.during = cec_days_of_range(cec_look_value(look, row, STORED_DURING));
	cover.is_stated = DatumGetBool(cec_look_value(look, row, STORED_IS_STATED));
	cover.is_ruled = DatumGetBool(cec_look_value(look, row, STORED_IS_RULED));
	cover.is_inherited = DatumGetBool(cec_look_value(look, row, STORED_IS_INHERITED));
	cover.tid = row->tts_tid;
	cover.coverage_id = DatumGetInt64(cec_look_value(look, row, STORED_ID));
	cover.recorded_at = DatumGetTimestampTz(cec_look_value(look, row, STORED_RECORDED_AT));
	cover.is_own = TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
	cover.is_lost = false;
	return cover;
}

static void
read_stored(Reader *reader, CecAssetCover *asset)
{
	TupleTableSlot *row;

	cec_probe_seek(reader->stored->probe, asset->asset_id);
	while ((row = cec_probe_next(reader->stored->probe)) != NULL)
	{
		CEC_MAKE_ROOM(asset->stored, asset->stored_count, asset->stored_space, 2);
		asset->stored[asset->stored_count++] = read_stored_row(reader, row);
	}
}

/* Adds days inherited under a term, as far as they are allowed; true when there was something new. */
static bool
inherit(Reader *reader, CecAssetCover *asset, int64 term_id, const CecDaySet *days)
{
	CecAssetTerm *entry;
	CecDaySet gained;

	if (!find_term(reader, term_id)->covers_bundles)
		return false;
	entry = find_asset_term(reader, asset, term_id);
	concern(reader, asset, entry);
	gained = cec_day_set_intersect(days, &entry->allowed);
	if (cec_day_set_contains(&entry->inherited, &gained))
		return false;
	cec_day_set_union(&entry->inherited, &gained);
	return true;
}

/* What an asset inherits from a primary outside the set: that primary's stored cover is right. */
static void
inherit_from_stored(Reader *reader, CecAssetCover *asset, const CecMembership *membership)
{
	TupleTableSlot *row;

	cec_probe_seek(reader->stored->probe, membership->primary_id);
	while ((row = cec_probe_next(reader->stored->probe)) != NULL)
	{
		CecDays covered = cec_days_of_range(cec_look_value(reader->stored, row, STORED_DURING));
		CecDays common = {Max(covered.from, membership->during.from), Min(covered.to, membership->during.to)};
		CecDaySet days = {1, 1, &common};

		if (common.from < common.to)
			(void) inherit(reader, asset, DatumGetInt64(cec_look_value(reader->stored, row, STORED_TERM_ID)), &days);
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
read_memberships(Reader *reader, CecAssetCover *asset)
{
	CecMembership *memberships;
	int count = cec_bundle_walk_up(reader->walk, asset->asset_id, &memberships);

	for (int i = 0; i < count; i++)
	{
		CecAssetCover *primary = find_in_set(reader->set, memberships[i].primary_id);

		if (primary != NULL)
			add_heir(primary, asset, memberships[i].during);
		else
			inherit_from_stored(reader, asset, &memberships[i]);
	}
}

/* Hands the cover of an asset to one heir; true when the heir gained something. */
static bool
hand_down(Reader *reader, CecAssetCover *asset, CecHeir *heir)
{
	bool gained = false;
	CecDaySet during = {1, 1, &heir->during};

	for (int i = 0; i < asset->term_count; i++)
	{
		CecAssetTerm *entry = &asset->terms[i];
		CecDaySet days;

		days = cec_day_set_intersect(&entry->stated, &during);
		gained |= days.count > 0 && inherit(reader, heir->member, entry->term->term_id, &days);
		entry = &asset->terms[i]; /* an asset may be its own heir over other days, and its terms have moved */
		days = cec_day_set_intersect(&entry->ruled, &during);
		gained |= days.count > 0 && inherit(reader, heir->member, entry->term->term_id, &days);
		entry = &asset->terms[i];
		days = cec_day_set_intersect(&entry->inherited, &during);
		gained |= days.count > 0 && inherit(reader, heir->member, entry->term->term_id, &days);
	}
	return gained;
}

/* Hands cover down until nothing is added. */
static void
hand_down_all(Reader *reader, CecCoverSet *set)
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

			if (hand_down(reader, asset, &asset->heirs[i]) && member->heir_count > 0 && !member->is_queued)
			{
				member->is_queued = true;
				queue = lappend(queue, member);
			}
		}
	}
}

/*
 * The cover of the assets, which are in order and complete downwards, with what is stored of it.  The result lives in the
 * current memory context.
 */
CecCoverSet *
cec_coverage_compute(CecReading *reading, const CecIds *assets, CecRuleSession *rules)
{
	CecCoverSet *set = palloc(sizeof(CecCoverSet));
	Reader reader;

	begin_reading(&reader, reading, rules, set);
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
		asset->life = read_life(&reader, asset->asset_id);
		find_own_cover(&reader, asset);
		if (rules != NULL)
			cec_rule_session_own_found(rules, asset->rules);
		read_stored(&reader, asset);
	}
	/* Not before the own cover of all is found: what rules say of an heir is kept from here on. */
	for (int64 i = 0; i < set->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		read_memberships(&reader, &set->assets[i]);
	}
	hand_down_all(&reader, set);
	cec_bundle_walk_end(reader.walk);
	return set;
}
