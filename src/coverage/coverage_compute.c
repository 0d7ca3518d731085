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
 * Everything is read by index probes with one snapshot, taken after the locks.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "bundle_walk.h"
#include "coverage.h"
#include "id_list.h"
#include "probe.h"

/* The tables that facts come from, and where their columns are. */
typedef struct Reader
{
	CecPortfolio *portfolio;
	CecRuleWork *rules; /* NULL when the portfolio has none */
	HTAB *assets;		/* of CecAssetCover */
	HTAB *terms;		/* of CecTermFacts */
	Snapshot snapshot;
	MemoryContext cxt;
	CecBundleWalk *walk;

	CecProbe *asset;
	AttrNumber status;
	AttrNumber commissioned_on;
	AttrNumber decommissioned_on;
	AttrNumber out_of_service;

	CecProbe *line;
	AttrNumber line_term_id;
	AttrNumber line_effect;
	AttrNumber line_during;

	CecProbe *term; /* NULL until needed, with the contract's */
	AttrNumber term_contract_id;
	AttrNumber term_during;
	AttrNumber covers_bundles;
	CecProbe *contract;
	AttrNumber contract_status;
	AttrNumber contract_during;
	AttrNumber suspensions;

	CecProbe *stored;
	AttrNumber coverage_id;
	AttrNumber term_id;
	AttrNumber during;
	AttrNumber is_stated;
	AttrNumber is_ruled;
	AttrNumber is_inherited;
	AttrNumber recorded_at;
} Reader;

static HTAB *
make_table(const char *name, Size entry_size, int64 size)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(int64);
	ctl.entrysize = entry_size;
	ctl.hcxt = CurrentMemoryContext;
	return hash_create(name, size, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
begin_reading(Reader *reader, CecPortfolio *portfolio, CecRuleWork *rules, int64 count, Snapshot snapshot)
{
	memset(reader, 0, sizeof(Reader));
	reader->portfolio = portfolio;
	reader->rules = rules;
	reader->snapshot = snapshot;
	reader->cxt = CurrentMemoryContext;
	reader->assets = make_table("cec assets to cover", sizeof(CecAssetCover), Max(count, 8));
	reader->terms = make_table("cec terms that cover", sizeof(CecTermFacts), 32);
	reader->walk = cec_bundle_walk_begin(portfolio, snapshot);

	reader->asset = cec_probe_begin(cec_portfolio_open(portfolio, "asset", AccessShareLock), "asset_id", snapshot);
	reader->status = cec_probe_column(reader->asset, "status", TEXTOID);
	reader->commissioned_on = cec_probe_nullable_column(reader->asset, "commissioned_on", DATEOID);
	reader->decommissioned_on = cec_probe_nullable_column(reader->asset, "decommissioned_on", DATEOID);
	reader->out_of_service = cec_probe_column(reader->asset, "out_of_service", DATEMULTIRANGEOID);

	reader->line = cec_probe_begin(cec_portfolio_open(portfolio, "inclusion", AccessShareLock), "asset_id", snapshot);
	reader->line_term_id = cec_probe_column(reader->line, "term_id", INT8OID);
	reader->line_effect = cec_probe_column(reader->line, "effect", TEXTOID);
	reader->line_during = cec_probe_column(reader->line, "during", DATERANGEOID);

	reader->stored = cec_probe_begin(cec_portfolio_open(portfolio, "coverage", AccessShareLock), "asset_id", snapshot);
	reader->coverage_id = cec_probe_column(reader->stored, "coverage_id", INT8OID);
	reader->term_id = cec_probe_column(reader->stored, "term_id", INT8OID);
	reader->during = cec_probe_column(reader->stored, "during", DATERANGEOID);
	reader->is_stated = cec_probe_column(reader->stored, "is_stated", BOOLOID);
	reader->is_ruled = cec_probe_column(reader->stored, "is_ruled", BOOLOID);
	reader->is_inherited = cec_probe_column(reader->stored, "is_inherited", BOOLOID);
	reader->recorded_at = cec_probe_column(reader->stored, "recorded_at", TIMESTAMPTZOID);
}

static void
end_reading(Reader *reader)
{
	cec_probe_end(reader->stored);
	cec_probe_end(reader->line);
	cec_probe_end(reader->asset);
	if (reader->term != NULL)
	{
		cec_probe_end(reader->contract);
		cec_probe_end(reader->term);
	}
	cec_bundle_walk_end(reader->walk);
}

static void
begin_reading_terms(Reader *reader)
{
	MemoryContext old = MemoryContextSwitchTo(reader->cxt);

	reader->term = cec_probe_begin(cec_portfolio_open(reader->portfolio, "coverage_term", AccessShareLock), "term_id",
								   reader->snapshot);
	reader->term_contract_id = cec_probe_column(reader->term, "contract_id", INT8OID);
	reader->term_during = cec_probe_column(reader->term, "during", DATERANGEOID);
	reader->covers_bundles = cec_probe_column(reader->term, "covers_bundles", BOOLOID);

	reader->contract = cec_probe_begin(cec_portfolio_open(reader->portfolio, "contract", AccessShareLock),
									   "contract_id", reader->snapshot);
	reader->contract_status = cec_probe_column(reader->contract, "status", TEXTOID);
	reader->contract_during = cec_probe_column(reader->contract, "during", DATERANGEOID);
	reader->suspensions = cec_probe_column(reader->contract, "suspensions", DATEMULTIRANGEOID);
	MemoryContextSwitchTo(old);
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
	TupleTableSlot *row;
	TupleTableSlot *contract;
	CecDays days;
	CecDays within;
	CecDaySet pauses;

	if (reader->term == NULL)
		begin_reading_terms(reader);
	cec_probe_seek(reader->term, term->term_id);
	row = cec_probe_next(reader->term);
	if (row == NULL)
		return;
	term->covers_bundles = DatumGetBool(row->tts_values[reader->covers_bundles - 1]);
	cec_probe_seek(reader->contract, DatumGetInt64(row->tts_values[reader->term_contract_id - 1]));
	contract = cec_probe_next(reader->contract);
	if (contract == NULL || text_is(contract->tts_values[reader->contract_status - 1], "draft") ||
		text_is(contract->tts_values[reader->contract_status - 1], "void"))
		return;
	days = cec_days_of_range(row->tts_values[reader->term_during - 1]);
	within = cec_days_of_range(contract->tts_values[reader->contract_during - 1]);
	days.from = Max(days.from, within.from);
	days.to = Min(days.to, within.to);
	if (days.from >= days.to)
		return;
	cec_day_set_add(&term->base, days);
	pauses = cec_day_set_of_multirange(contract->tts_values[reader->suspensions - 1]);
	if (pauses.count > 0)
		term->base = cec_day_set_minus(&term->base, &pauses);
}

/* What a term offers, asked once. */
static CecTermFacts *
find_term(Reader *reader, int64 term_id)
{
	bool found;
	CecTermFacts *term = hash_search(reader->terms, &term_id, HASH_ENTER, &found);

	if (!found)
	{
		memset(&term->base, 0, sizeof(CecDaySet));
		term->covers_bundles = false;
		read_term(reader, term);
	}
	return term;
}

/* [commissioned_on .. decommissioned_on] − out_of_service; nothing for a planned asset without a date. */
static CecDaySet
read_life(Reader *reader, int64 asset_id)
{
	CecDaySet life = {0};
	CecDaySet pauses;
	TupleTableSlot *row;
	CecDays days = {CEC_DAY_MIN, CEC_DAY_MAX};

	cec_probe_seek(reader->asset, asset_id);
	row = cec_probe_next(reader->asset);
	if (row == NULL)
		return life;
	if (!row->tts_isnull[reader->commissioned_on - 1])
		days.from = DatumGetDateADT(row->tts_values[reader->commissioned_on - 1]);
	else if (text_is(row->tts_values[reader->status - 1], "planned"))
		return life;
	if (!row->tts_isnull[reader->decommissioned_on - 1])
	{
		DateADT last = DatumGetDateADT(row->tts_values[reader->decommissioned_on - 1]);

		if (IS_VALID_DATE(last + 1)) /* no day comes after the last one of all: open */
			days.to = last + 1;
	}
	cec_day_set_add(&life, days);
	pauses = cec_day_set_of_multirange(row->tts_values[reader->out_of_service - 1]);
	return pauses.count == 0 ? life : cec_day_set_minus(&life, &pauses);
}

/* The entry of an asset for a term, made if there is none; they are in order of term_id, and move when one is made. */
static CecAssetTerm *
find_asset_term(Reader *reader, CecAssetCover *asset, int64 term_id)
{
	CecAssetTerm *entry;
	int low = 0;
	int high = asset->term_count;

	if (high > 0 && asset->terms[high - 1].term->term_id < term_id)
		low = high; /* the usual case: list lines come in this order */
	while (low < high)
	{
		int middle = (low + high) / 2;

		if (asset->terms[middle].term->term_id < term_id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < asset->term_count && asset->terms[low].term->term_id == term_id)
		return &asset->terms[low];
	if (asset->term_count == asset->term_space)
	{
		asset->term_space = asset->term_space == 0 ? 1 : asset->term_space * 2;
		asset->terms = asset->terms == NULL ? palloc(asset->term_space * sizeof(CecAssetTerm))
											: repalloc(asset->terms, asset->term_space * sizeof(CecAssetTerm));
	}
	entry = &asset->terms[low];
	memmove(entry + 1, entry, (asset->term_count++ - low) * sizeof(CecAssetTerm));
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
	excluded = cec_rule_work_decide(reader->rules, asset->rules, entry->term->term_id, CEC_RULE_EXCLUDE);
	if (excluded.count > 0)
		entry->allowed = cec_day_set_minus(&entry->allowed, &excluded);
}

static void
read_lines(Reader *reader, CecAssetCover *asset)
{
	TupleTableSlot *row;

	cec_probe_seek(reader->line, asset->asset_id);
	while ((row = cec_probe_next(reader->line)) != NULL)
	{
		CecAssetTerm *entry = find_asset_term(reader, asset, DatumGetInt64(row->tts_values[reader->line_term_id - 1]));
		text *effect = DatumGetTextPP(row->tts_values[reader->line_effect - 1]);
		bool is_include = VARSIZE_ANY_EXHDR(effect) == 7 && memcmp(VARDATA_ANY(effect), "include", 7) == 0;

		cec_day_set_add(is_include ? &entry->listed : &entry->carved_out,
						cec_days_of_range(row->tts_values[reader->line_during - 1]));
	}
}

/* What include rules qualify the asset for. */
static void
read_qualified(Reader *reader, CecAssetCover *asset)
{
	CecQualified *qualified;
	int count = reader->rules == NULL ? 0 : cec_rule_work_qualified(reader->rules, asset->rules, &qualified);

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
			CecDaySet unmet = cec_rule_work_decide(reader->rules, asset->rules, entry->term->term_id, CEC_RULE_REQUIRE);

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
	CecCoverRow cover;
	bool isnull;
	Datum xmin = slot_getsysattr(row, MinTransactionIdAttributeNumber, &isnull);

	cover.term_id = DatumGetInt64(row->tts_values[reader->term_id - 1]);
	cover.during = cec_days_of_range(row->tts_values[reader->during - 1]);
	cover.is_stated = DatumGetBool(row->tts_values[reader->is_stated - 1]);
	cover.is_ruled = DatumGetBool(row->tts_values[reader->is_ruled - 1]);
	cover.is_inherited = DatumGetBool(row->tts_values[reader->is_inherited - 1]);
	cover.tid = row->tts_tid;
	cover.coverage_id = DatumGetInt64(row->tts_values[reader->coverage_id - 1]);
	cover.recorded_at = DatumGetTimestampTz(row->tts_values[reader->recorded_at - 1]);
	cover.is_own = TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
	cover.is_lost = false;
	return cover;
}

static void
read_stored(Reader *reader, CecAssetCover *asset)
{
	TupleTableSlot *row;

	cec_probe_seek(reader->stored, asset->asset_id);
	while ((row = cec_probe_next(reader->stored)) != NULL)
	{
		if (asset->stored_count == asset->stored_space)
		{
			asset->stored_space = asset->stored_space == 0 ? 2 : asset->stored_space * 2;
			asset->stored = asset->stored == NULL ? palloc(asset->stored_space * sizeof(CecCoverRow))
												  : repalloc(asset->stored, asset->stored_space * sizeof(CecCoverRow));
		}
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

	cec_probe_seek(reader->stored, membership->primary_id);
	while ((row = cec_probe_next(reader->stored)) != NULL)
	{
		CecDays covered = cec_days_of_range(row->tts_values[reader->during - 1]);
		CecDays common = {Max(covered.from, membership->during.from), Min(covered.to, membership->during.to)};
		CecDaySet days = {1, 1, &common};

		if (common.from < common.to)
			(void) inherit(reader, asset, DatumGetInt64(row->tts_values[reader->term_id - 1]), &days);
	}
}

static void
add_heir(CecAssetCover *primary, CecAssetCover *member, CecDays during)
{
	if (primary->heir_count == primary->heir_space)
	{
		primary->heir_space = primary->heir_space == 0 ? 2 : primary->heir_space * 2;
		primary->heirs = primary->heirs == NULL ? palloc(primary->heir_space * sizeof(CecHeir))
												: repalloc(primary->heirs, primary->heir_space * sizeof(CecHeir));
	}
	primary->heirs[primary->heir_count++] = (CecHeir){member, during};
}

static void
read_memberships(Reader *reader, CecAssetCover *asset)
{
	CecMembership *memberships;
	int count = cec_bundle_walk_up(reader->walk, asset->asset_id, &memberships);

	for (int i = 0; i < count; i++)
	{
		CecAssetCover *primary = hash_search(reader->assets, &memberships[i].primary_id, HASH_FIND, NULL);

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
		if (set->assets[i]->heir_count > 0)
		{
			set->assets[i]->is_queued = true;
			queue = lappend(queue, set->assets[i]);
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
cec_coverage_compute(CecPortfolio *portfolio, const CecIds *assets, CecRuleWork *rules, Snapshot snapshot)
{
	CecCoverSet *set = palloc(sizeof(CecCoverSet));
	Reader reader;

	begin_reading(&reader, portfolio, rules, assets->count, snapshot);
	set->count = assets->count;
	set->assets = palloc_extended(Max(assets->count, 1) * sizeof(CecAssetCover *), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < assets->count; i++)
	{
		CecAssetCover *asset = hash_search(reader.assets, &assets->ids[i], HASH_ENTER, NULL);

		memset((char *) asset + sizeof(int64), 0, sizeof(CecAssetCover) - sizeof(int64));
		set->assets[i] = asset;
	}
	for (int64 i = 0; i < set->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (rules != NULL)
			set->assets[i]->rules = cec_rule_work_asset(rules, set->assets[i]->asset_id);
		set->assets[i]->life = read_life(&reader, set->assets[i]->asset_id);
		find_own_cover(&reader, set->assets[i]);
		if (rules != NULL)
			cec_rule_work_own_found(rules, set->assets[i]->rules);
		read_stored(&reader, set->assets[i]);
	}
	/* Not before the own cover of all is found: what rules say of an heir is kept from here on. */
	for (int64 i = 0; i < set->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		read_memberships(&reader, set->assets[i]);
	}
	hand_down_all(&reader, set);
	end_reading(&reader);
	return set;
}
