/*
 * coverage_lookup.c
 *		Answers the common question, one identifier and at most one covering term, by index probes.
 *
 * The query in coverage_covered.c is what the answer is; setting its plan up costs ten times what reading the rows does.
 * So this looks for itself where it must come to the same: the caller may read the tables, no row-level security
 * stands in between, and there is no more than one row, which needs no order.  Otherwise it says so, and the query
 * is asked.  Everything is read with the snapshot of the caller's statement.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "coverage/coverage.h"
#include "coverage/coverage_lookup.h"
#include "portfolio/reading.h"
#include "registry/identifier_named.h"

/* What is looked for, and what was found so far. */
typedef struct Look
{
	CecPortfolio *portfolio;
	Snapshot snapshot;
	Datum identifier;
	Datum at;	 /* when is_instant */
	DateADT day; /* when not is_instant */
	bool is_instant;
	int64 asset_id;
	Datum asset_tag; /* 0: not read yet */
	bool is_found;	 /* asset_id is set */
	CecCovering *answer;
	int row_count;
} Look;

static const CecSource asset_by_id = {"asset", "asset_id", INT8OID, AccessShareLock, {{"asset_tag", TEXTOID}}};
static const CecSource tier_by_id = {"service_tier", "tier_id", INT8OID, AccessShareLock, {{"code", TEXTOID}}};

enum
{
	TERM_CONTRACT_ID,
	TERM_TIER_ID
};

static const CecSource term_by_id = {
	"coverage_term", "term_id", INT8OID, AccessShareLock, {{"contract_id", INT8OID}, {"tier_id", INT8OID, true}}};

enum
{
	CONTRACT_NUMBER,
	CONTRACT_TIME_ZONE
};

static const CecSource contract_by_id = {
	"contract", "contract_id", INT8OID, AccessShareLock, {{"number", TEXTOID}, {"time_zone", TEXTOID}}};

enum
{
	COVER_TERM_ID,
	COVER_DURING,
	COVER_IS_STATED,
	COVER_IS_RULED,
	COVER_IS_INHERITED
};

static const CecSource cover_by_asset = {"coverage",
										 "asset_id",
										 INT8OID,
										 AccessShareLock,
										 {{"term_id", INT8OID},
										  {"during", DATERANGEOID},
										  {"is_stated", BOOLOID},
										  {"is_ruled", BOOLOID},
										  {"is_inherited", BOOLOID}}};

/*
 * Opens a source of which the caller, who may use the schema, reads all: then no check of the executor's would change what is
 * seen.  Else its probe is NULL.
 */
static CecLook
open_readable(Look *look, const CecSource *source)
{
	CecLook found = {source, NULL, NULL};
	CecProbe *probe =
		cec_portfolio_look(look->portfolio, source, source->lock, InvalidOid, look->snapshot, &found.columns);
	Relation rel = cec_probe_relation(probe);

	if (!rel->rd_rel->relrowsecurity &&
		pg_class_aclcheck(RelationGetRelid(rel), GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		found.probe = probe;
	else
		cec_probe_end(probe);
	return found;
}

static bool
contains_day(CecDays days, DateADT day)
{
	return days.from <= day && day < days.to;
}

static Datum
copy_text(Datum value)
{
	return PointerGetDatum(DatumGetTextPCopy(value));
}

/*
 * The one asset that the identifier names.  Of an instant the portfolio's calendar says on which day further identifiers must
 * hold: left to the query.
 */
static bool
find_asset(Look *look)
{
	CecDays day = {look->day, look->day + 1};
	CecNamed search;
	CecNamedAsset asset;
	bool known;

	cec_named_begin(&search, look->portfolio, look->snapshot);
	known = cec_named_may_read(&search);
	if (known)
		cec_named_seek(&search, look->identifier, look->is_instant ? NULL : &day);
	while (known && cec_named_next(&search, &asset))
	{
		bool is_first = !look->is_found;

		known = (is_first || look->asset_id == asset.asset_id) && !(look->is_instant && asset.rank == CEC_NAME_FURTHER);
		look->is_found = true;
		look->asset_id = asset.asset_id;
		if (is_first && asset.asset_tag != 0)
			look->asset_tag = copy_text(asset.asset_tag);
	}
	cec_named_end(&search);
	return known && look->is_found;
}

/* The tag of an asset that was found by another identifier. */
static bool
read_tag(Look *look)
{
	CecLook assets = open_readable(look, &asset_by_id);
	TupleTableSlot *row;

	if (assets.probe == NULL)
		return false;
	row = cec_probe_row(assets.probe, look->asset_id);
	if (row != NULL)
		look->asset_tag = copy_text(cec_look_value(&assets, row, 0));
	cec_probe_end(assets.probe);
	return row != NULL;
}

static bool
read_tier(Look *look, int64 tier_id)
{
	CecLook tiers = open_readable(look, &tier_by_id);
	TupleTableSlot *row;

	if (tiers.probe == NULL)
		return false;
	row = cec_probe_row(tiers.probe, tier_id);
	if (row != NULL)
		look->answer->tier_code = copy_text(cec_look_value(&tiers, row, 0));
	cec_probe_end(tiers.probe);
	return true;
}

/* The day of the instant in the contract's calendar. */
static DateADT
local_day(Look *look, Datum time_zone)
{
	if (!look->is_instant)
		return look->day;
	return DatumGetDateADT(
		DirectFunctionCall1(timestamp_date, DirectFunctionCall2(timestamptz_zone, time_zone, look->at)));
}

/* Takes a row of coverage for the answer if its days hold the day asked for. */
static bool
look_at_row(Look *look, CecLook *terms, CecLook *contracts, CecCoverRow *cover)
{
	TupleTableSlot *row;
	CecCovering *answer = look->answer;
	int64 contract_id;
	int64 tier_id;
	bool has_tier;

	if (terms->probe == NULL)
		*terms = open_readable(look, &term_by_id);
	if (contracts->probe == NULL)
		*contracts = open_readable(look, &contract_by_id);
	if (terms->probe == NULL || contracts->probe == NULL)
		return false;
	row = cec_probe_row(terms->probe, cover->term_id);
	if (row == NULL)
		return false;
	contract_id = DatumGetInt64(cec_look_value(terms, row, TERM_CONTRACT_ID));
	has_tier = !cec_look_isnull(terms, row, TERM_TIER_ID);
	tier_id = has_tier ? DatumGetInt64(cec_look_value(terms, row, TERM_TIER_ID)) : 0;
	row = cec_probe_row(contracts->probe, contract_id);
	if (row == NULL)
		return false;
	if (!contains_day(cover->during, local_day(look, cec_look_value(contracts, row, CONTRACT_TIME_ZONE))))
		return true;
	if (look->row_count++ > 0)
		return false;
	answer->cover = *cover;
	answer->contract_id = contract_id;
	answer->contract_number = copy_text(cec_look_value(contracts, row, CONTRACT_NUMBER));
	answer->tier_code = 0;
	return !has_tier || read_tier(look, tier_id);
}

/* Looks at all cover of the asset. */
static bool
look_at_cover(Look *look)
{
	CecLook rows = open_readable(look, &cover_by_asset);
	CecLook terms = {0};
	CecLook contracts = {0};
	TupleTableSlot *row;
	bool known = rows.probe != NULL;

	if (!known)
		return false;
	cec_probe_seek(rows.probe, look->asset_id);
	while (known && (row = cec_probe_next(rows.probe)) != NULL)
	{
		CecCoverRow cover = {0};

		cover.term_id = DatumGetInt64(cec_look_value(&rows, row, COVER_TERM_ID));
		cover.during = cec_days_of_range(cec_look_value(&rows, row, COVER_DURING));
		cover.is_stated = DatumGetBool(cec_look_value(&rows, row, COVER_IS_STATED));
		cover.is_ruled = DatumGetBool(cec_look_value(&rows, row, COVER_IS_RULED));
		cover.is_inherited = DatumGetBool(cec_look_value(&rows, row, COVER_IS_INHERITED));
		known = look_at_row(look, &terms, &contracts, &cover);
	}
	if (contracts.probe != NULL)
		cec_probe_end(contracts.probe);
	if (terms.probe != NULL)
		cec_probe_end(terms.probe);
	cec_probe_end(rows.probe);
	return known;
}

/*
 * Looks for the one term that covers the asset that the identifier names, at an instant or (has_day) on a day.  False:
 * ask the query.  True: *found says whether there is one, answer which.  Raises nothing of its own.
 */
bool
cec_coverage_lookup(CecPortfolio *portfolio, Datum identifier, Datum at, Datum on_day, bool has_day, bool *found,
					CecCovering *answer)
{
	Look look = {portfolio, GetActiveSnapshot(), identifier};
	bool known;

	look.answer = answer;
	look.is_instant = !has_day;
	look.at = at;
	look.day = has_day ? DatumGetDateADT(on_day) : 0;
	known =
		find_asset(&look) && look_at_cover(&look) && (look.row_count == 0 || look.asset_tag != 0 || read_tag(&look));
	*found = look.row_count > 0;
	answer->asset_id = look.asset_id;
	answer->asset_tag = look.asset_tag;
	return known;
}
