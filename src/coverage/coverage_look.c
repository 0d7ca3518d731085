/*
 * coverage_look.c
 *		Answers the common question, one identifier and at most one covering term, by index probes.
 *
 * The query in coverage_ask.c is what the answer is; setting its plan up costs ten times what reading the rows does.
 * So this looks for itself where it must come to the same: the caller may read the tables, no row-level security
 * stands in between, and there is no more than one row, which needs no order.  Otherwise it says so, and the query
 * is asked.  Everything is read with the snapshot of the caller's statement.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "coverage.h"
#include "coverage_look.h"
#include "probe.h"

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
	int asset_count;
	CecCovering *answer;
	int row_count;
} Look;

/* Opens a table of which the caller reads all: then no check of the executor's would change what is seen.  Else NULL. */
static Relation
open_readable(Look *look, const char *table)
{
	Relation rel = cec_portfolio_open(look->portfolio, table, AccessShareLock);

	if (!rel->rd_rel->relrowsecurity &&
		pg_class_aclcheck(RelationGetRelid(rel), GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		return rel;
	relation_close(rel, NoLock);
	return NULL;
}

/* A probe of a table; NULL when the caller may not read it. */
static CecProbe *
begin_probe(Look *look, const char *table, const char *column)
{
	Relation rel = open_readable(look, table);

	return rel != NULL ? cec_probe_begin(rel, column, look->snapshot) : NULL;
}

/* The same by a column of type text. */
static CecProbe *
begin_text_probe(Look *look, const char *table, const char *column)
{
	Relation rel = open_readable(look, table);

	return rel != NULL ? cec_probe_begin_text(rel, column, look->snapshot) : NULL;
}

static void
find_asset(Look *look, int64 asset_id, Datum asset_tag)
{
	if (look->asset_count > 0 && look->asset_id == asset_id)
		return;
	look->asset_count++;
	look->asset_id = asset_id;
	look->asset_tag = asset_tag == 0 ? 0 : PointerGetDatum(DatumGetTextPCopy(asset_tag));
}

/* Assets with the identifier as tag or serial number. */
static bool
find_assets_by(Look *look, const char *column)
{
	CecProbe *probe = begin_text_probe(look, "asset", column);
	TupleTableSlot *row;

	if (probe == NULL)
		return false;
	cec_probe_seek_text(probe, look->identifier);
	while ((row = cec_probe_next(probe)) != NULL)
		find_asset(look, DatumGetInt64(row->tts_values[cec_probe_column(probe, "asset_id", INT8OID) - 1]),
				   row->tts_values[cec_probe_column(probe, "asset_tag", TEXTOID) - 1]);
	cec_probe_end(probe);
	return true;
}

static bool
contains_day(CecDays days, DateADT day)
{
	return days.from <= day && day < days.to;
}

/*
 * Assets that bear it as another identifier on the day.  Of an instant the portfolio's calendar says which day that is:
 * left to the query.
 */
static bool
find_assets_by_identifier(Look *look)
{
	CecProbe *probe = begin_text_probe(look, "asset_identifier", "value");
	TupleTableSlot *row;
	bool known = true;

	if (probe == NULL)
		return false;
	cec_probe_seek_text(probe, look->identifier);
	while (known && (row = cec_probe_next(probe)) != NULL)
	{
		known = !look->is_instant;
		if (known &&
			contains_day(cec_days_of_range(row->tts_values[cec_probe_column(probe, "during", DATERANGEOID) - 1]),
						 look->day))
			find_asset(look, DatumGetInt64(row->tts_values[cec_probe_column(probe, "asset_id", INT8OID) - 1]), 0);
	}
	cec_probe_end(probe);
	return known;
}

static Datum
copy_text(TupleTableSlot *row, AttrNumber attnum)
{
	return PointerGetDatum(DatumGetTextPCopy(row->tts_values[attnum - 1]));
}

/* The tag of an asset that was found by another identifier. */
static bool
read_tag(Look *look)
{
	CecProbe *probe = begin_probe(look, "asset", "asset_id");
	TupleTableSlot *row;

	if (probe == NULL)
		return false;
	cec_probe_seek(probe, look->asset_id);
	row = cec_probe_next(probe);
	if (row != NULL)
		look->asset_tag = copy_text(row, cec_probe_column(probe, "asset_tag", TEXTOID));
	cec_probe_end(probe);
	return row != NULL;
}

static bool
read_tier(Look *look, int64 tier_id)
{
	CecProbe *probe = begin_probe(look, "service_tier", "tier_id");
	TupleTableSlot *row;

	if (probe == NULL)
		return false;
	cec_probe_seek(probe, tier_id);
	row = cec_probe_next(probe);
	if (row != NULL)
		look->answer->tier_code = copy_text(row, cec_probe_column(probe, "code", TEXTOID));
	cec_probe_end(probe);
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
look_at_row(Look *look, CecProbe **term, CecProbe **contract, CecCoverRow *cover)
{
	TupleTableSlot *row;
	CecCovering *answer = look->answer;
	int64 contract_id;
	Datum tier_id;
	bool has_tier;

	if (*term == NULL)
		*term = begin_probe(look, "coverage_term", "term_id");
	if (*contract == NULL)
		*contract = begin_probe(look, "contract", "contract_id");
	if (*term == NULL || *contract == NULL)
		return false;
	cec_probe_seek(*term, cover->term_id);
	row = cec_probe_next(*term);
	if (row == NULL)
		return false;
	contract_id = DatumGetInt64(row->tts_values[cec_probe_column(*term, "contract_id", INT8OID) - 1]);
	has_tier = !row->tts_isnull[cec_probe_nullable_column(*term, "tier_id", INT8OID) - 1];
	tier_id = row->tts_values[cec_probe_nullable_column(*term, "tier_id", INT8OID) - 1];
	cec_probe_seek(*contract, contract_id);
	row = cec_probe_next(*contract);
	if (row == NULL)
		return false;
	if (!contains_day(cover->during,
					  local_day(look, row->tts_values[cec_probe_column(*contract, "time_zone", TEXTOID) - 1])))
		return true;
	if (look->row_count++ > 0)
		return false;
	answer->cover = *cover;
	answer->contract_id = contract_id;
	answer->contract_number = copy_text(row, cec_probe_column(*contract, "number", TEXTOID));
	answer->tier_code = 0;
	return !has_tier || read_tier(look, DatumGetInt64(tier_id));
}

/* Looks at all cover of the asset. */
static bool
look_at_cover(Look *look)
{
	CecProbe *probe = begin_probe(look, "coverage", "asset_id");
	CecProbe *term = NULL;
	CecProbe *contract = NULL;
	TupleTableSlot *row;
	bool known = probe != NULL;

	if (probe == NULL)
		return false;
	cec_probe_seek(probe, look->asset_id);
	while (known && (row = cec_probe_next(probe)) != NULL)
	{
		CecCoverRow cover = {0};

		cover.term_id = DatumGetInt64(row->tts_values[cec_probe_column(probe, "term_id", INT8OID) - 1]);
		cover.during = cec_days_of_range(row->tts_values[cec_probe_column(probe, "during", DATERANGEOID) - 1]);
		cover.is_stated = DatumGetBool(row->tts_values[cec_probe_column(probe, "is_stated", BOOLOID) - 1]);
		cover.is_ruled = DatumGetBool(row->tts_values[cec_probe_column(probe, "is_ruled", BOOLOID) - 1]);
		cover.is_inherited = DatumGetBool(row->tts_values[cec_probe_column(probe, "is_inherited", BOOLOID) - 1]);
		known = look_at_row(look, &term, &contract, &cover);
	}
	if (term != NULL)
		cec_probe_end(term);
	if (contract != NULL)
		cec_probe_end(contract);
	cec_probe_end(probe);
	return known;
}

/*
 * Looks for the one term that covers the asset that the identifier names, at an instant or (has_day) on a day.  False:
 * ask the query.  True: *found says whether there is one, answer which.  Raises nothing of its own.
 */
bool
cec_coverage_look(CecPortfolio *portfolio, Datum identifier, Datum at, Datum on_day, bool has_day, bool *found,
				  CecCovering *answer)
{
	Look look = {portfolio, GetActiveSnapshot(), identifier};
	bool known;

	look.answer = answer;
	look.is_instant = !has_day;
	look.at = at;
	look.day = has_day ? DatumGetDateADT(on_day) : 0;
	known = cec_compat_may_use_schema(portfolio->nspid, GetUserId()) && find_assets_by(&look, "asset_tag") &&
			find_assets_by(&look, "serial_number") && find_assets_by_identifier(&look) && look.asset_count == 1 &&
			look_at_cover(&look) && (look.row_count == 0 || look.asset_tag != 0 || read_tag(&look));
	*found = look.row_count > 0;
	answer->asset_id = look.asset_id;
	answer->asset_tag = look.asset_tag;
	return known;
}
