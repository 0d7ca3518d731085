/*
 * finding_trait.c
 *		Looks up what an asset has, as far as kinds of findings need it: each thing once, and only when somebody asks.
 *
 * Most statements concern assets of which nothing is wrong.  That a kind is not possible follows from few traits, which the stages of
 * the statement have mostly read already, and costs no query.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compliance/finding_trait.h"
#include "coverage/coverage.h"
#include "portfolio/portfolio_today.h"
#include "support/day_set.h"
#include "tag/tag.h"

struct CecTraits
{
	CecReading *reading;
	int64 asset_id;
	bool is_new;		   /* nobody has stated anything that refers to it */
	uint32 looked;		   /* traits that were looked up */
	uint32 held;		   /* those of them that hold */
	CecDays life;		   /* from the first day to the last, where the row is known; -infinity to infinity */
	bool is_interrupted;   /* it is out of service for a while: its life may end before its last day */
	int64 customer_id;	   /* 0: none */
	HTAB *customers;	   /* of which it was asked whether they are bound */
	TimestampTz seen_from; /* an observation between these counts for sure */
	TimestampTz seen_to;
	MemoryContext cxt;
};

/* As the kind has it. */
#define MAX_OBSERVATION_DAYS 100000

typedef struct CustomerAsked
{
	int64 customer_id; /* key */
	bool is_bound;
} CustomerAsked;

#define BIT(trait) CEC_TRAIT_BIT(CEC_TRAIT_##trait)

/* Facts that are looked up together. */
#define OF_ROW \
	(BIT(DECOMMISSIONED_ON) | BIT(COMMISSIONED_ON) | BIT(NO_COMMISSIONED_ON) | BIT(LOCATION) | BIT(NO_LOCATION) | \
	 BIT(CUSTOMER) | BIT(UNSCANNABLE))
#define OF_CONTRACTS \
	(BIT(LISTED) | BIT(EARLY_LINE) | BIT(LATE_LINE) | BIT(DEAD_LINE) | BIT(COVERED) | BIT(COVERED_TWICE) | \
	 BIT(EARLY_END) | BIT(BOUNDARY) | BIT(OTHER_CUSTOMER))

static const CecQuery customer_has_children = {"SELECT EXISTS (SELECT FROM @P@.customer WHERE parent_id = $1)",
											   1,
											   {INT8OID},
											   CURSOR_OPT_GENERIC_PLAN,
											   .results = {BOOLOID}};

/* Whether anybody of the family of a customer has a contract that holds within a boundary. */
static const CecQuery customer_is_bound = {
	"SELECT EXISTS (WITH RECURSIVE up AS (SELECT customer_id, parent_id FROM @P@.customer WHERE customer_id = $1"
	" UNION SELECT p.customer_id, p.parent_id FROM up JOIN @P@.customer p ON p.customer_id = up.parent_id),"
	" below AS (SELECT customer_id FROM up WHERE parent_id IS NULL"
	" UNION SELECT c.customer_id FROM below b JOIN @P@.customer c ON c.parent_id = b.customer_id)"
	" SELECT FROM below b JOIN @P@.contract k ON k.customer_id = b.customer_id WHERE k.boundary IS NOT NULL)",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {BOOLOID}};

static const CecSource member = {"bundle_member", "asset_id", INT8OID, AccessShareLock, {{"bundle_id", INT8OID}}};
static const CecSource request = {"service_request", "asset_id", INT8OID, AccessShareLock, {{"request_id", INT8OID}}};
static const CecSource observation = {
	"field_observation", "asset_id", INT8OID, AccessShareLock, {{"observed_at", TIMESTAMPTZOID}}};
static const CecSource customer = {"customer", "customer_id", INT8OID, AccessShareLock, {{"parent_id", INT8OID, true}}};
static const CecSource contract_of_customer = {
	"contract", "customer_id", INT8OID, AccessShareLock, {{"boundary", CEC_GEOMETRY_RESULT, true}}};
static const CecSource finding = {
	"finding", "asset_id", INT8OID, RowExclusiveLock, {{"kind", TEXTOID}, {"closed_at", TIMESTAMPTZOID, true}}};

enum
{
	FINDING_KIND,
	FINDING_CLOSED_AT
};

/* Begins to look traits up, as they are behind what the statement has done so far; ends with the reading of the change. */
CecTraits *
cec_traits_begin(CecChange *change)
{
	CecTraits *traits = palloc0(sizeof(CecTraits));

	traits->reading = cec_change_reading(change);
	cec_reading_keep_up(traits->reading);
	traits->is_new = change->rel != NULL && change->operation == CEC_INSERT &&
					 strcmp(change->table_name, "asset") == 0 && !cec_change_may_dangle(change);
	/* A day begins at most so much before or after that of UTC. */
	traits->seen_to = GetCurrentTimestamp();
	traits->seen_from = (TimestampTz) (cec_portfolio_local_day(change->portfolio, traits->seen_to) + 1 -
									   Min(cec_portfolio_observation_days(change->portfolio), MAX_OBSERVATION_DAYS)) *
						USECS_PER_DAY;
	traits->cxt = AllocSetContextCreate(CurrentMemoryContext, "cec traits of an asset", ALLOCSET_SMALL_SIZES);
	return traits;
}

/*
 * Goes on with another asset: whether its cover has changed, as that of a new one does where rules include it, and whether all that the
 * statement did is to add its lines and gain cover by them.
 */
void
cec_traits_seek(CecTraits *traits, int64 asset_id, bool cover_changed, bool just_gained)
{
	const uint32 of_assets = ~(BIT(OBSERVED) | BIT(REGULATED) | BIT(MAPPED));

	MemoryContextReset(traits->cxt);
	traits->asset_id = asset_id;
	traits->looked &= ~of_assets;
	traits->held &= ~of_assets;
	traits->looked |= BIT(NOT_JUST_GAINED);
	if (!just_gained)
		traits->held |= BIT(NOT_JUST_GAINED);
	if (traits->is_new)
		traits->looked |= BIT(MEMBER) | BIT(REQUEST);
	if (traits->is_new && !cover_changed)
		traits->looked |= OF_CONTRACTS;
}

static void
hold(CecTraits *traits, uint32 trait, bool holds)
{
	traits->looked |= trait;
	if (holds)
		traits->held |= trait;
}

static void
look_at_row(CecTraits *traits)
{
	const CecLook *look = cec_reading_look(traits->reading, &cec_source_asset);
	TupleTableSlot *row = cec_probe_row(look->probe, traits->asset_id);

	traits->looked |= OF_ROW;
	traits->life = (CecDays){CEC_DAY_MIN, CEC_DAY_MAX};
	traits->customer_id = 0;
	traits->is_interrupted = false;
	if (row == NULL)
		return;
	if (!cec_look_isnull(look, row, CEC_ASSET_COMMISSIONED_ON))
		traits->life.from = DatumGetDateADT(cec_look_value(look, row, CEC_ASSET_COMMISSIONED_ON));
	if (!cec_look_isnull(look, row, CEC_ASSET_DECOMMISSIONED_ON))
		traits->life.to = DatumGetDateADT(cec_look_value(look, row, CEC_ASSET_DECOMMISSIONED_ON)) + 1;
	if (!cec_look_isnull(look, row, CEC_ASSET_CUSTOMER_ID))
		traits->customer_id = DatumGetInt64(cec_look_value(look, row, CEC_ASSET_CUSTOMER_ID));
	traits->is_interrupted = cec_day_set_of_multirange(cec_look_value(look, row, CEC_ASSET_OUT_OF_SERVICE)).count > 0;
	hold(traits, BIT(COMMISSIONED_ON), traits->life.from != CEC_DAY_MIN);
	hold(traits, BIT(NO_COMMISSIONED_ON), traits->life.from == CEC_DAY_MIN);
	hold(traits, BIT(DECOMMISSIONED_ON), traits->life.to != CEC_DAY_MAX);
	hold(traits, BIT(LOCATION), !cec_look_isnull(look, row, CEC_ASSET_LOCATION));
	hold(traits, BIT(NO_LOCATION), cec_look_isnull(look, row, CEC_ASSET_LOCATION));
	hold(traits, BIT(CUSTOMER), traits->customer_id != 0);
	hold(traits, BIT(UNSCANNABLE),
		 !cec_tag_is_scannable(TextDatumGetCString(cec_look_value(look, row, CEC_ASSET_TAG)),
							   TextDatumGetCString(cec_look_value(look, row, CEC_ASSET_TAG_SYMBOLOGY))));
}

static CecDays
days_in_common(CecDays one, CecDays other)
{
	return (CecDays){Max(one.from, other.from), Min(one.to, other.to)};
}

/* Looks at the contract of a term; narrows the days to those of both.  False when there is none, or it is void. */
static bool
look_at_contract(CecTraits *traits, int64 term_id, CecDays *days)
{
	const CecLook *terms = cec_reading_look(traits->reading, &cec_source_term);
	const CecLook *contracts = cec_reading_look(traits->reading, &cec_source_contract);
	TupleTableSlot *row = cec_probe_row(terms->probe, term_id);

	if (row == NULL)
		return false;
	*days = days_in_common(*days, cec_days_of_range(cec_look_value(terms, row, CEC_TERM_DURING)));
	row = cec_probe_row(contracts->probe, DatumGetInt64(cec_look_value(terms, row, CEC_TERM_CONTRACT_ID)));
	if (row == NULL)
		return false;
	*days = days_in_common(*days, cec_days_of_range(cec_look_value(contracts, row, CEC_CONTRACT_DURING)));
	hold(traits, BIT(BOUNDARY), !cec_look_isnull(contracts, row, CEC_CONTRACT_BOUNDARY));
	hold(traits, BIT(OTHER_CUSTOMER),
		 traits->customer_id != 0 &&
			 DatumGetInt64(cec_look_value(contracts, row, CEC_CONTRACT_CUSTOMER_ID)) != traits->customer_id);
	return strcmp(TextDatumGetCString(cec_look_value(contracts, row, CEC_CONTRACT_STATUS)), "void") != 0;
}

/* What lists and covers the asset. */
static void
look_at_contracts(CecTraits *traits)
{
	const CecLook *lines = cec_reading_look(traits->reading, &cec_source_line);
	const CecLook *cover = cec_reading_look(traits->reading, &cec_source_cover);
	TupleTableSlot *row;
	DateADT end = CEC_DAY_MIN;
	int count = 0;

	if ((traits->looked & OF_ROW) != OF_ROW)
		look_at_row(traits);
	traits->looked |= OF_CONTRACTS;
	cec_probe_seek(lines->probe, traits->asset_id);
	while ((row = cec_probe_next(lines->probe)) != NULL)
	{
		CecDays days = cec_days_of_range(cec_look_value(lines, row, CEC_LINE_DURING));

		if (!look_at_contract(traits, DatumGetInt64(cec_look_value(lines, row, CEC_LINE_TERM_ID)), &days))
			continue;
		hold(traits, BIT(LISTED), true);
		hold(traits, BIT(EARLY_LINE), days.from < traits->life.from);
		hold(traits, BIT(LATE_LINE), days.to > traits->life.to);
		hold(traits, BIT(DEAD_LINE), days.from >= traits->life.to || traits->is_interrupted);
	}
	cec_probe_seek(cover->probe, traits->asset_id);
	while ((row = cec_probe_next(cover->probe)) != NULL)
	{
		CecDays days = cec_days_of_range(cec_look_value(cover, row, CEC_COVER_DURING));

		end = Max(end, days.to);
		(void) look_at_contract(traits, DatumGetInt64(cec_look_value(cover, row, CEC_COVER_TERM_ID)), &days);
		count++;
	}
	hold(traits, BIT(COVERED), count > 0);
	hold(traits, BIT(COVERED_TWICE), count > 1);
	hold(traits, BIT(EARLY_END), count > 0 && end < traits->life.to && traits->life.to != CEC_DAY_MAX);
}

static bool
has_row(CecTraits *traits, const CecSource *source)
{
	const CecLook *look = cec_reading_look(traits->reading, source);

	cec_probe_seek(look->probe, traits->asset_id);
	return cec_probe_next(look->probe) != NULL;
}

/* Whether a table has ever held a row that vacuum has left: no more is asked of it. */
static bool
has_pages(CecTraits *traits, const char *table)
{
	Relation rel = cec_portfolio_open(traits->reading->portfolio, table, AccessShareLock);
	bool has = RelationGetNumberOfBlocks(rel) > 0;

	relation_close(rel, NoLock);
	return has;
}

/* Whether an asset was seen of late, as far as that is sure: today's last hours and the first day that counts are left to the kind. */
bool
cec_traits_was_seen(CecTraits *traits, int64 asset_id)
{
	const CecLook *look = cec_reading_look(traits->reading, &observation);
	TupleTableSlot *row;

	cec_probe_seek(look->probe, asset_id);
	while ((row = cec_probe_next(look->probe)) != NULL)
	{
		TimestampTz at = DatumGetTimestampTz(cec_look_value(look, row, 0));

		if (at >= traits->seen_from && at <= traits->seen_to)
			return true;
	}
	return false;
}

static bool
ask_of_customer(CecTraits *traits, const CecQuery *query)
{
	Datum arg = Int64GetDatum(traits->customer_id);
	bool isnull;
	bool result;

	SPI_connect();
	cec_query_run(traits->reading->portfolio->plans, query, &arg, NULL, 1);
	result = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return result;
}

/* Mostly a customer has no family. */
static bool
family_is_bound(CecTraits *traits)
{
	const CecLook *customers = cec_reading_look(traits->reading, &customer);
	const CecLook *contracts;
	TupleTableSlot *row = cec_probe_row(customers->probe, traits->customer_id);

	if (row == NULL || !cec_look_isnull(customers, row, 0) || ask_of_customer(traits, &customer_has_children))
		return ask_of_customer(traits, &customer_is_bound);
	contracts = cec_reading_look(traits->reading, &contract_of_customer);
	cec_probe_seek(contracts->probe, traits->customer_id);
	while ((row = cec_probe_next(contracts->probe)) != NULL)
		if (!cec_look_isnull(contracts, row, 0))
			return true;
	return false;
}

static bool
is_bound(CecTraits *traits)
{
	CustomerAsked *asked;
	bool found;

	if (traits->customers == NULL)
	{
		HASHCTL ctl = {
			.keysize = sizeof(int64), .entrysize = sizeof(CustomerAsked), .hcxt = GetMemoryChunkContext(traits)};

		traits->customers = hash_create("cec customers", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	asked = hash_search(traits->customers, &traits->customer_id, HASH_ENTER, &found);
	if (!found)
		asked->is_bound = family_is_bound(traits);
	return asked->is_bound;
}

static bool
hold_all(const CecTraits *traits, uint32 needs)
{
	return (needs & traits->looked & ~traits->held) == 0;
}

/* Whether the asset has all of these; what is cheap is asked first. */
bool
cec_traits_hold(CecTraits *traits, uint32 needs)
{
	MemoryContext old;

	if (!hold_all(traits, needs) || (needs & ~traits->looked) == 0)
		return hold_all(traits, needs);
	old = MemoryContextSwitchTo(traits->cxt);
	if ((needs & OF_ROW & ~traits->looked) != 0)
		look_at_row(traits);
	if (hold_all(traits, needs) && (needs & BIT(OBSERVED) & ~traits->looked) != 0)
		hold(traits, BIT(OBSERVED), has_pages(traits, "field_observation"));
	if (hold_all(traits, needs) && (needs & BIT(REGULATED) & ~traits->looked) != 0)
		hold(traits, BIT(REGULATED), has_pages(traits, "regulation"));
	if (hold_all(traits, needs) && (needs & BIT(MAPPED) & ~traits->looked) != 0)
		hold(traits, BIT(MAPPED), has_pages(traits, "jurisdiction"));
	if (hold_all(traits, needs) && (needs & OF_CONTRACTS & ~traits->looked) != 0)
		look_at_contracts(traits);
	if (hold_all(traits, needs) && (needs & BIT(MEMBER) & ~traits->looked) != 0)
		hold(traits, BIT(MEMBER), has_row(traits, &member));
	if (hold_all(traits, needs) && (needs & BIT(REQUEST) & ~traits->looked) != 0)
		hold(traits, BIT(REQUEST), has_row(traits, &request));
	if (hold_all(traits, needs) && (needs & BIT(SEEN) & ~traits->looked) != 0)
		hold(traits, BIT(SEEN), has_row(traits, &observation));
	if (hold_all(traits, needs) && (needs & BIT(UNSEEN) & ~traits->looked) != 0)
		hold(traits, BIT(UNSEEN), !cec_traits_was_seen(traits, traits->asset_id));
	if (hold_all(traits, needs) && (needs & BIT(BOUND_CUSTOMER) & ~traits->looked) != 0)
		hold(traits, BIT(BOUND_CUSTOMER), traits->customer_id != 0 && is_bound(traits));
	MemoryContextSwitchTo(old);
	return hold_all(traits, needs);
}

/* The kinds of which a finding about the asset is open. */
uint64
cec_traits_open_kinds(CecTraits *traits, const CecFindingKinds *kinds)
{
	const CecLook *look;
	TupleTableSlot *row;
	uint64 open = 0;
	MemoryContext old;

	if (traits->is_new)
		return 0;
	old = MemoryContextSwitchTo(traits->cxt);
	look = cec_reading_look(traits->reading, &finding);
	cec_probe_seek(look->probe, traits->asset_id);
	while ((row = cec_probe_next(look->probe)) != NULL)
		if (cec_look_isnull(look, row, FINDING_CLOSED_AT))
		{
			int kind = cec_finding_kind_number(kinds, TextDatumGetCString(cec_look_value(look, row, FINDING_KIND)));

			if (kind >= 0)
				open |= CEC_KIND_BIT(kind);
		}
	MemoryContextSwitchTo(old);
	return open;
}
