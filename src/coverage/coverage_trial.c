/*
 * coverage_trial.c
 *		cec._trial_coverage: what the cover of assets would be with other list lines or memberships, writing nothing.
 *
 * It is what a statement that makes them would compute, rules decided as of today included: the same code, which is handed lines
 * and memberships instead of reading them.  It writes nothing, so it runs in a transaction that is READ ONLY, and in a standby.
 *
 * Reads with the snapshot of the caller's statement and without locks of rows, so what is told is what would be if nobody else
 * changed anything meanwhile.  It reads as the owner, as triggers do; so the caller must be allowed to read all that is looked at.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "bundle/bundle.h"
#include "coverage/coverage.h"
#include "portfolio/change.h"
#include "support/act_as.h"

PG_FUNCTION_INFO_V1(cec_trial_coverage);

/* The arguments of cec._trial_coverage: of lines and of memberships, whose they are, and what they are, side by side. */
enum
{
	ARG_PORTFOLIO,
	ARG_LISTED,
	ARG_LINE_ASSETS,
	ARG_LINE_TERMS,
	ARG_LINE_INCLUDES,
	ARG_LINE_DAYS,
	ARG_MEMBERS,
	ARG_MEMBERSHIP_ASSETS,
	ARG_MEMBERSHIP_PRIMARIES,
	ARG_MEMBERSHIP_DAYS,
	ARG_COUNT
};

static const char *const read_tables[] = {
	"asset",	 "bundle",		"bundle_member", "contract", "coverage",		  "coverage_rule",	"coverage_term",
	"inclusion", "rule_effect", "service_tier",	 "setting",	 "maintenance_event", "service_request"};

static void
require_rights(CecPortfolio *portfolio)
{
	for (int i = 0; i < lengthof(read_tables); i++)
	{
		if (cec_may_read_all(GetUserId(), cec_portfolio_table(portfolio, read_tables[i])))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for table %s", read_tables[i]),
				 errdetail("What cover would become follows from the whole register, all lists and all rules."),
				 errhint("It needs SELECT on the table %s, without row-level security.", read_tables[i])));
	}
}

/* The elements of an array of a type that is passed as it is or by reference; none may be NULL. */
static Datum *
take_array(FunctionCallInfo fcinfo, int arg, Oid typid, int *count)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(arg);
	int16 typlen;
	bool typbyval;
	char typalign;
	Datum *values;
	bool *nulls;

	get_typlenbyvalalign(typid, &typlen, &typbyval, &typalign);
	deconstruct_array(array, typid, typlen, typbyval, typalign, &values, &nulls, count);
	for (int i = 0; i < *count; i++)
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("lines and memberships must not be NULL")));
	return values;
}

static void
require_count(int count, int expected)
{
	if (count != expected)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the columns of lines and memberships are not equally long")));
}

static CecIds
take_ids(FunctionCallInfo fcinfo, int arg)
{
	CecIds ids = {0};
	int count;
	Datum *values = take_array(fcinfo, arg, INT8OID, &count);

	for (int i = 0; i < count; i++)
		cec_ids_add(&ids, DatumGetInt64(values[i]));
	cec_ids_sort_unique(&ids);
	return ids;
}

static int
compare_lines(const void *one, const void *other)
{
	const CecTrialLine *a = one;
	const CecTrialLine *b = other;

	if (a->asset_id != b->asset_id)
		return a->asset_id < b->asset_id ? -1 : 1;
	return a->term_id < b->term_id ? -1 : a->term_id > b->term_id;
}

static int
compare_memberships(const void *one, const void *other)
{
	const CecTrialMembership *a = one;
	const CecTrialMembership *b = other;

	return a->asset_id < b->asset_id ? -1 : a->asset_id > b->asset_id;
}

static void
take_lines(FunctionCallInfo fcinfo, CecTrial *trial)
{
	int count, other;
	Datum *assets = take_array(fcinfo, ARG_LINE_ASSETS, INT8OID, &count);
	Datum *terms = take_array(fcinfo, ARG_LINE_TERMS, INT8OID, &other);
	Datum *includes;
	Datum *days;

	require_count(other, count);
	includes = take_array(fcinfo, ARG_LINE_INCLUDES, BOOLOID, &other);
	require_count(other, count);
	days = take_array(fcinfo, ARG_LINE_DAYS, DATERANGEOID, &other);
	require_count(other, count);
	trial->listed = take_ids(fcinfo, ARG_LISTED);
	trial->lines = palloc_extended(Max(count, 1) * sizeof(CecTrialLine), MCXT_ALLOC_HUGE);
	for (int i = 0; i < count; i++)
	{
		CecTrialLine line = {DatumGetInt64(assets[i]), DatumGetInt64(terms[i]), DatumGetBool(includes[i]),
							 cec_days_of_range(days[i])};

		if (line.during.from < line.during.to)
			trial->lines[trial->line_count++] = line;
	}
	qsort(trial->lines, trial->line_count, sizeof(CecTrialLine), compare_lines);
}

static void
take_memberships(FunctionCallInfo fcinfo, CecTrial *trial)
{
	int count, other;
	Datum *assets = take_array(fcinfo, ARG_MEMBERSHIP_ASSETS, INT8OID, &count);
	Datum *primaries = take_array(fcinfo, ARG_MEMBERSHIP_PRIMARIES, INT8OID, &other);
	Datum *days;

	require_count(other, count);
	days = take_array(fcinfo, ARG_MEMBERSHIP_DAYS, DATERANGEOID, &other);
	require_count(other, count);
	trial->members = take_ids(fcinfo, ARG_MEMBERS);
	trial->memberships = palloc_extended(Max(count, 1) * sizeof(CecTrialMembership), MCXT_ALLOC_HUGE);
	for (int i = 0; i < count; i++)
	{
		CecTrialMembership membership = {DatumGetInt64(assets[i]), DatumGetInt64(primaries[i]),
										 cec_days_of_range(days[i])};

		if (membership.during.from < membership.during.to)
			trial->memberships[trial->membership_count++] = membership;
	}
	qsort(trial->memberships, trial->membership_count, sizeof(CecTrialMembership), compare_memberships);
}

/* All whose lines or memberships are tried, with all below them as it is stored: whose memberships would begin is among them. */
static CecIds
concerned_assets(CecReading *reading, const CecTrial *trial)
{
	CecIds assets = {0};

	for (int64 i = 0; i < trial->listed.count; i++)
		cec_ids_add(&assets, trial->listed.ids[i]);
	for (int64 i = 0; i < trial->members.count; i++)
		cec_ids_add(&assets, trial->members.ids[i]);
	cec_ids_sort_unique(&assets);
	(void) cec_add_all_below(reading, &assets);
	cec_ids_sort_unique(&assets);
	return assets;
}

static bool
is_same_cover(const CecCoverRow *rows, int count, const CecAssetCover *asset)
{
	if (count != asset->stored_count)
		return false;
	for (int i = 0; i < count; i++)
	{
		bool found = false;

		for (int j = 0; j < count && !found; j++)
			found = rows[i].term_id == asset->stored[j].term_id &&
					rows[i].during.from == asset->stored[j].during.from &&
					rows[i].during.to == asset->stored[j].during.to;
		if (!found)
			return false;
	}
	return true;
}

static void
put_rows(ReturnSetInfo *result, int64 asset_id, const CecCoverRow *rows, int count, bool is_new)
{
	for (int i = 0; i < count; i++)
	{
		Datum values[4] = {Int64GetDatum(asset_id), Int64GetDatum(rows[i].term_id), BoolGetDatum(is_new),
						   cec_range_of_days(rows[i].during)};
		bool isnull[4] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
}

/*
 * cec._trial_coverage(portfolio, listed, …): of the assets whose cover would be another, the rows of coverage as they are and
 * as they would be.
 */
Datum
cec_trial_coverage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CecPortfolio *portfolio;
	CecTrial trial = {0};
	CecActAs act;
	CecChange change;
	CecReading *reading;
	CecIds assets;
	CecRuleSession *rules;
	CecCoverSet *set;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = 0; i < ARG_COUNT; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("lines and memberships must not be NULL")));
	cec_portfolio_pin();
	portfolio = cec_portfolio_get(PG_GETARG_OID(ARG_PORTFOLIO));
	require_rights(portfolio);
	cec_portfolio_act(&act, portfolio);
	cec_change_begin(&change, portfolio, "coverage", CEC_RECOMPUTE, act.saved_user);
	take_lines(fcinfo, &trial);
	take_memberships(fcinfo, &trial);
	reading = cec_reading_begin_at(portfolio, GetActiveSnapshot());
	assets = concerned_assets(reading, &trial);
	rules = cec_rule_session_try(&change, reading->snapshot);
	set = cec_coverage_compute(reading, &assets, rules, &trial);
	if (rules != NULL)
		cec_rule_session_end(rules);
	cec_reading_end(reading);
	for (int64 i = 0; i < set->count; i++)
	{
		CecAssetCover *asset = &set->assets[i];
		int count;
		CecCoverRow *rows = cec_coverage_ranges(asset, &count);

		if (is_same_cover(rows, count, asset))
			continue;
		put_rows(result, asset->asset_id, asset->stored, asset->stored_count, false);
		put_rows(result, asset->asset_id, rows, count, true);
	}
	cec_change_end(&change);
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	return (Datum) 0;
}
