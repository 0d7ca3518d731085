/*
 * duplicate_notice.c
 *		Tells whoever moves a contract or a term, or lets a rule act, that assets are now covered twice.
 *
 * A single line that would do so is refused (inclusion_validate.c).  A contract that becomes active or moves its dates
 * is not: the lists were right before, and what is to be done about them is for people to decide.  Nor is a rule that covers
 * what another contract covers.
 *
 * Told is of days that an asset has gained under a contract.  Most changes gain none, and pay for no more than a look at the
 * delta; for each asset that has gained some its stored cover is looked up, and one query says who they are that were found.
 */
#include "postgres.h"

#include "init.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "coverage/coverage.h"
#include "portfolio/change.h"

/* Given what was found: assets, each with a contract under which it has gained days and another one that covers them. */
static const CecQuery duplicates = {
	"SELECT c.number, o.number, count(DISTINCT g.asset_id),"
	" (SELECT asset_tag FROM @P@.asset WHERE asset_id = min(g.asset_id))"
	" FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS g(asset_id, contract_id, other_id)"
	" JOIN @P@.contract c ON c.contract_id = g.contract_id JOIN @P@.contract o ON o.contract_id = g.other_id"
	" WHERE NOT coalesce((SELECT duplicates_allowed FROM @P@.setting), false)"
	" GROUP BY c.contract_id, c.number, o.contract_id, o.number ORDER BY c.number, o.number LIMIT 10",
	3,
	{INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTOID, TEXTOID, INT8OID, TEXTOID}};

/* The contract of a term. */
typedef struct ContractOfTerm
{
	int64 term_id; /* key */
	int64 contract_id;
	const char *kind; /* NULL when the contract is not active */
} ContractOfTerm;

typedef struct Search
{
	CecChange *change;
	uint8 ground;		/* on which days are gained: CEC_DELTA_STATED or CEC_DELTA_RULED */
	uint8 held_against; /* the grounds of others: lists are checked against lists, rules against both */
	CecReading *reading;
	HTAB *contracts; /* of ContractOfTerm */
	MemoryContext cxt;
	CecIds assets; /* found: three parallel arrays */
	CecIds own;
	CecIds others;
} Search;

/* What the delta says of an asset, by terms. */
typedef struct AssetParts
{
	int count;
	int space;
	CecDeltaPart *parts;
} AssetParts;

static void
begin_reading(Search *search)
{
	HASHCTL ctl = {0};
	MemoryContext old;

	if (search->reading != NULL)
		return;
	old = MemoryContextSwitchTo(search->cxt);
	ctl.keysize = sizeof(int64);
	ctl.entrysize = sizeof(ContractOfTerm);
	ctl.hcxt = search->cxt;
	search->contracts = hash_create("cec contracts of terms", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	/* The cover that this statement has written is to be seen. */
	CommandCounterIncrement();
	search->reading = cec_reading_begin(
		search->change->portfolio, search->change->rel == NULL ? InvalidOid : RelationGetRelid(search->change->rel));
	MemoryContextSwitchTo(old);
}

static const ContractOfTerm *
find_contract(Search *search, int64 term_id)
{
	const CecLook *terms;
	const CecLook *contracts;
	TupleTableSlot *row;
	bool found;
	ContractOfTerm *entry = hash_search(search->contracts, &term_id, HASH_ENTER, &found);

	if (found)
		return entry;
	entry->contract_id = 0;
	entry->kind = NULL;
	terms = cec_reading_look(search->reading, &cec_source_term);
	contracts = cec_reading_look(search->reading, &cec_source_contract);
	row = cec_probe_row(terms->probe, term_id);
	if (row == NULL)
		return entry;
	entry->contract_id = DatumGetInt64(cec_look_value(terms, row, CEC_TERM_CONTRACT_ID));
	row = cec_probe_row(contracts->probe, entry->contract_id);
	if (row != NULL && strcmp(TextDatumGetCString(cec_look_value(contracts, row, CEC_CONTRACT_STATUS)), "active") == 0)
		entry->kind =
			MemoryContextStrdup(search->cxt, TextDatumGetCString(cec_look_value(contracts, row, CEC_CONTRACT_KIND)));
	return entry;
}

static int
compare_rows(const void *one, const void *other)
{
	const CecDeltaRow *a = one;
	const CecDeltaRow *b = other;

	if (a->subject_id != b->subject_id)
		return a->subject_id < b->subject_id ? -1 : 1;
	return a->during.from < b->during.from ? -1 : a->during.from > b->during.from;
}

/* The stored cover of an asset, in order of term and days. */
static CecDeltaRow *
read_stored(Search *search, int64 asset_id, int64 *count)
{
	const CecLook *look = cec_reading_look(search->reading, &cec_source_cover);
	int64 space = 8;
	CecDeltaRow *rows = palloc(space * sizeof(CecDeltaRow));
	TupleTableSlot *row;

	*count = 0;
	cec_probe_seek(look->probe, asset_id);
	while ((row = cec_probe_next(look->probe)) != NULL)
	{
		CecDeltaRow *stored;

		if (*count == space)
			rows = repalloc_huge(rows, (space *= 2) * sizeof(CecDeltaRow));
		stored = &rows[(*count)++];
		stored->asset_id = asset_id;
		stored->subject_id = DatumGetInt64(cec_look_value(look, row, CEC_COVER_TERM_ID));
		stored->during = cec_days_of_range(cec_look_value(look, row, CEC_COVER_DURING));
		stored->flags = (DatumGetBool(cec_look_value(look, row, CEC_COVER_IS_STATED)) ? CEC_DELTA_STATED : 0) |
						(DatumGetBool(cec_look_value(look, row, CEC_COVER_IS_RULED)) ? CEC_DELTA_RULED : 0);
	}
	qsort(rows, *count, sizeof(CecDeltaRow), compare_rows);
	return rows;
}

/* The days of rows of one term, which are in order, that have one of these grounds. */
static CecDaySet
days_of(const CecDeltaRow *rows, int64 count, uint8 grounds)
{
	CecDaySet days = {0};

	for (int64 i = 0; i < count; i++)
		if (rows[i].flags & grounds)
			cec_day_set_add(&days, rows[i].during);
	return days;
}

/* The days that an asset has gained under a term. */
static CecDaySet
gained_under_term(const CecDeltaPart *part, uint8 ground)
{
	CecDaySet came = days_of(part->new_rows, part->new_count, ground);
	CecDaySet went = days_of(part->old_rows, part->old_count, ground);

	return cec_day_set_minus(&came, &went);
}

static bool
gains(const CecDeltaPart *part, uint8 ground)
{
	return gained_under_term(part, ground).count > 0;
}

static const CecDeltaPart *
part_of_term(const AssetParts *parts, int64 term_id)
{
	for (int i = 0; i < parts->count; i++)
		if (parts->parts[i].term_id == term_id)
			return &parts->parts[i];
	return NULL;
}

/* The end of the stored rows of the first of the terms that they go on with. */
static int64
end_of_term(const CecDeltaRow *rows, int64 count, int64 from)
{
	int64 end = from;

	while (end < count && rows[end].subject_id == rows[from].subject_id)
		end++;
	return end;
}

/* The days on which the contract has covered the asset under its other terms before. */
static CecDaySet
days_before(Search *search, const AssetParts *parts, const ContractOfTerm *own, const CecDeltaRow *stored, int64 count)
{
	CecDaySet before = {0};

	for (int i = 0; i < parts->count; i++)
	{
		const CecDeltaPart *part = &parts->parts[i];
		CecDaySet went;

		if (part->term_id == own->term_id || find_contract(search, part->term_id)->contract_id != own->contract_id)
			continue;
		went = days_of(part->old_rows, part->old_count, search->ground);
		cec_day_set_union(&before, &went);
	}
	for (int64 from = 0, end; from < count; from = end)
	{
		int64 term_id = stored[from].subject_id;
		const CecDeltaPart *part = part_of_term(parts, term_id);
		CecDaySet stayed;

		end = end_of_term(stored, count, from);
		if (term_id == own->term_id || find_contract(search, term_id)->contract_id != own->contract_id)
			continue;
		stayed = days_of(stored + from, end - from, search->ground);
		if (part != NULL)
		{
			CecDaySet came = days_of(part->new_rows, part->new_count, search->ground);

			stayed = cec_day_set_minus(&stayed, &came);
		}
		cec_day_set_union(&before, &stayed);
	}
	return before;
}

static void
add_found(Search *search, int64 asset_id, int64 own, int64 other)
{
	MemoryContext old = MemoryContextSwitchTo(search->cxt);

	cec_ids_add(&search->assets, asset_id);
	cec_ids_add(&search->own, own);
	cec_ids_add(&search->others, other);
	MemoryContextSwitchTo(old);
}

/* Holds what an asset has gained under a term against the other contracts that cover it. */
static void
search_term(Search *search, const AssetParts *parts, const CecDeltaPart *part, const CecDeltaRow *stored, int64 count)
{
	const ContractOfTerm *own = find_contract(search, part->term_id);
	CecDaySet gained;
	CecDaySet before;

	if (own->kind == NULL)
		return;
	gained = gained_under_term(part, search->ground);
	before = days_before(search, parts, own, stored, count);
	gained = cec_day_set_minus(&gained, &before);
	for (int64 from = 0, end; from < count && gained.count > 0; from = end)
	{
		const ContractOfTerm *other = find_contract(search, stored[from].subject_id);
		CecDaySet days;

		end = end_of_term(stored, count, from);
		if (other->contract_id == own->contract_id || other->kind == NULL || strcmp(other->kind, own->kind) != 0)
			continue;
		days = days_of(stored + from, end - from, search->held_against);
		if (cec_day_set_intersect(&gained, &days).count > 0)
			add_found(search, part->asset_id, own->contract_id, other->contract_id);
	}
}

static void
search_asset(Search *search, const AssetParts *parts)
{
	CecDeltaRow *stored = NULL;
	int64 count = 0;

	for (int i = 0; i < parts->count; i++)
	{
		if (!gains(&parts->parts[i], search->ground))
			continue;
		if (stored == NULL)
		{
			begin_reading(search);
			stored = read_stored(search, parts->parts[i].asset_id, &count);
		}
		search_term(search, parts, &parts->parts[i], stored, count);
	}
}

static void
add_part(AssetParts *parts, const CecDeltaPart *part)
{
	if (parts->count == parts->space)
	{
		parts->space = parts->space == 0 ? 4 : parts->space * 2;
		parts->parts = parts->parts == NULL ? palloc(parts->space * sizeof(CecDeltaPart))
											: repalloc(parts->parts, parts->space * sizeof(CecDeltaPart));
	}
	parts->parts[parts->count++] = *part;
}

/* Finds the assets that are covered twice because of days that they have gained. */
static void
search_delta(Search *search)
{
	AssetParts parts = {0};
	CecDeltaPart part = {0};
	MemoryContext asset_cxt = AllocSetContextCreate(search->cxt, "cec cover of an asset", ALLOCSET_SMALL_SIZES);
	bool more = cec_delta_next(&search->change->delta, &part);

	while (more)
	{
		MemoryContext old;
		int64 asset_id = part.asset_id;

		CHECK_FOR_INTERRUPTS();
		for (parts.count = 0; more && part.asset_id == asset_id; more = cec_delta_next(&search->change->delta, &part))
			add_part(&parts, &part);
		old = MemoryContextSwitchTo(asset_cxt);
		search_asset(search, &parts);
		MemoryContextSwitchTo(old);
		MemoryContextReset(asset_cxt);
	}
	MemoryContextDelete(asset_cxt);
	if (search->reading != NULL)
		cec_reading_end(search->reading);
}

/* Says who they are that were found. */
static void
tell_duplicates(const Search *search)
{
	CecChange *change = search->change;
	bool may_tell = cec_change_may_tell(change, "asset") && cec_change_may_tell(change, "contract") &&
					cec_change_may_tell(change, "coverage_term") && cec_change_may_tell(change, "coverage");
	Datum args[] = {cec_ids_as_array(&search->assets), cec_ids_as_array(&search->own),
					cec_ids_as_array(&search->others)};
	uint64 count;

	SPI_connect();
	count = cec_query_run(change->portfolio->plans, &duplicates, args, NULL, 0);
	for (uint64 i = 0; i < count; i++)
	{
		HeapTuple tuple = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;

		if (!may_tell)
		{
			ereport(NOTICE, (errmsg("contracts of the same kind now cover assets twice"),
							 errhint("Ask somebody who may read the register and all contracts to look at it.")));
			break;
		}
		ereport(NOTICE,
				(errmsg("contracts %s and %s now cover %s asset(s) twice", SPI_getvalue(tuple, desc, 1),
						SPI_getvalue(tuple, desc, 2), SPI_getvalue(tuple, desc, 3)),
				 errdetail("They are of the same kind; one of the assets is \"%s\".", SPI_getvalue(tuple, desc, 4)),
				 search->ground == CEC_DELTA_RULED
					 ? errhint("Narrow the rule, or carve the assets out.")
					 : errhint("End the lines on one of them, or carve the assets out.")));
	}
	SPI_finish();
}

static void
notice_ground(CecChange *change, uint8 ground, uint8 held_against)
{
	Search search = {.change = change, .ground = ground, .held_against = held_against, .cxt = CurrentMemoryContext};

	search_delta(&search);
	if (search.assets.count > 0)
		tell_duplicates(&search);
}

/*
 * Coverage handler.  Whoever changes contracts and terms is told of their lists, whoever changes rules of what rules cover; from
 * refresh and recompute_coverage both are heard.  Nobody else has done it: lines that would are refused.
 */
static void
notice_duplicates(CecChange *change)
{
	bool is_own = change->rel == NULL;

	if (is_own || (change->operation == CEC_UPDATE &&
				   (strcmp(change->table_name, "contract") == 0 || strcmp(change->table_name, "coverage_term") == 0)))
		notice_ground(change, CEC_DELTA_STATED, CEC_DELTA_STATED);
	if (is_own || (change->operation != CEC_DELETE && strcmp(change->table_name, "coverage_rule") == 0))
		notice_ground(change, CEC_DELTA_RULED, CEC_DELTA_STATED | CEC_DELTA_RULED);
}

/* Registers with the engine. */
void
cec_duplicate_notice_init(void)
{
	cec_cover_register(CEC_STAGE_FIND, notice_duplicates);
}
