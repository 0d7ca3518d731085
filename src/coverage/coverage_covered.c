/*
 * coverage_covered.c
 *		Answers which terms cover an asset; keeps people from typing what is derived.
 *
 * Questions run as the caller, with the caller's rights and row-level security: the query is an ordinary kept plan.
 * Where that is sure to make no difference, coverage_lookup.c answers faster.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "coverage/coverage.h"
#include "coverage/coverage_lookup.h"
#include "portfolio/portfolio_today.h"
#include "support/act_as.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_covered);

#define COVERED_COLUMNS 13

/* Of an instant the portfolio's calendar says the day; its default where the caller may not see the setting. */
#define NAMED \
	"SELECT asset_id FROM cec._named($4, ARRAY[$1]," \
	" coalesce($3, ($2 AT TIME ZONE coalesce((SELECT time_zone FROM @P@.setting), 'UTC'))::date))"

static const CecQuery covered = {
	"WITH named AS (" NAMED ")"
	" SELECT row_number() OVER (ORDER BY CASE c.kind WHEN 'warranty' THEN 1 WHEN 'extended_warranty' THEN 2"
	"   WHEN 'service' THEN 3 ELSE 4 END,"
	"  CASE WHEN v.is_stated THEN 1 WHEN v.is_inherited THEN 2 ELSE 3 END, s.rank DESC NULLS LAST, c.priority,"
	"  upper(v.during) DESC NULLS FIRST, c.number, t.number, v.coverage_id),"
	" n.asset_id, a.asset_tag, c.contract_id, c.number, t.term_id, s.code, lower(v.during), upper(v.during) - 1,"
	" v.is_stated, v.is_inherited, v.is_ruled, (SELECT count(*) FROM named) > 1"
	" FROM named n"
	" JOIN @P@.asset a ON a.asset_id = n.asset_id"
	" JOIN @P@.coverage v ON v.asset_id = n.asset_id"
	" JOIN @P@.coverage_term t ON t.term_id = v.term_id"
	" JOIN @P@.contract c ON c.contract_id = t.contract_id"
	" LEFT JOIN @P@.service_tier s ON s.tier_id = t.tier_id"
	" WHERE v.during @> coalesce($3, ($2 AT TIME ZONE c.time_zone)::date)"
	" ORDER BY 1",
	4,
	{TEXTOID, TIMESTAMPTZOID, DATEOID, OIDOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, INT8OID, TEXTOID, INT8OID, TEXTOID, INT8OID, TEXTOID, DATEOID, DATEOID, BOOLOID, BOOLOID,
				BOOLOID, BOOLOID}};

static const CecQuery is_known = {
	NAMED, 4, {TEXTOID, TIMESTAMPTZOID, DATEOID, OIDOID}, CURSOR_OPT_GENERIC_PLAN, .results = {INT8OID}};

static void
refuse_infinity(void)
{
	ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("infinity is not a day"),
					errhint("Ask for a day or an instant on which something can be covered.")));
}

/* The one covering term as a row of the answer. */
static void
put_covering(ReturnSetInfo *result, const CecCovering *covering)
{
	const CecCoverRow *cover = &covering->cover;
	Datum values[COVERED_COLUMNS] = {Int64GetDatum(1),
									 Int64GetDatum(covering->asset_id),
									 covering->asset_tag,
									 Int64GetDatum(covering->contract_id),
									 covering->contract_number,
									 Int64GetDatum(cover->term_id),
									 covering->tier_code,
									 DateADTGetDatum(cover->during.from),
									 DateADTGetDatum(cover->during.to - 1),
									 BoolGetDatum(cover->is_stated),
									 BoolGetDatum(cover->is_inherited),
									 BoolGetDatum(cover->is_ruled),
									 BoolGetDatum(false)};
	bool isnull[COVERED_COLUMNS] = {0};

	isnull[6] = covering->tier_code == 0;
	isnull[7] = cover->during.from == CEC_DAY_MIN;
	isnull[8] = cover->during.to == CEC_DAY_MAX;
	tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
}

/*
 * An instant that has a day in every time zone: a zone may be seven days away, and has no name for the first and last days
 * of all.  So these are asked for as of eight days further in.  Error: 22008.
 */
static Datum
answerable_instant(TimestampTz at)
{
	const TimestampTz margin = 8 * USECS_PER_DAY;

	if (TIMESTAMP_NOT_FINITE(at))
		refuse_infinity();
	return TimestampTzGetDatum(Max(MIN_TIMESTAMP + margin, Min(END_TIMESTAMP - margin, at)));
}

/* cec._covered(portfolio, identifier, at, on_day): at is NULL or on_day is. */
Datum
cec_covered(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CecPortfolio *portfolio;
	Datum args[4];
	char nulls[] = "    ";
	uint64 rows;
	bool found;
	CecCovering covering;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	if (PG_ARGISNULL(1) || (PG_ARGISNULL(2) && PG_ARGISNULL(3)))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("identifier and day must not be NULL"),
						errhint("Give a tag, serial number or other identifier, and a day or an instant.")));
	for (int i = 0; i < 3; i++)
	{
		args[i] = PG_GETARG_DATUM(i + 1);
		nulls[i] = PG_ARGISNULL(i + 1) ? 'n' : ' ';
	}
	args[3] = PG_GETARG_DATUM(0);
	if (!PG_ARGISNULL(2))
		args[1] = answerable_instant(PG_GETARG_TIMESTAMPTZ(2));
	if (!PG_ARGISNULL(3) && DATE_NOT_FINITE(PG_GETARG_DATEADT(3)))
		refuse_infinity();

	cec_portfolio_pin();
	portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	cec_portfolio_require_version(portfolio);
	if (cec_coverage_lookup(portfolio, args[0], args[1], args[2], !PG_ARGISNULL(3), &found, &covering))
	{
		if (found)
			put_covering(result, &covering);
		cec_portfolio_unpin();
		return (Datum) 0;
	}
	SPI_connect();
	rows = cec_query_read(portfolio->plans, &covered, args, nulls);
	for (uint64 i = 0; i < rows; i++)
	{
		Datum values[COVERED_COLUMNS];
		bool isnull[COVERED_COLUMNS];

		heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values, isnull);
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
	if (rows == 0 && cec_query_read(portfolio->plans, &is_known, args, nulls) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("no asset is known as \"%.100s\"", text_to_cstring(PG_GETARG_TEXT_PP(1))),
				 errdetail("It is not an asset tag, a serial number or an identifier that was valid on that day."),
				 errhint("See find_asset for what an identifier names.")));
	SPI_finish();
	cec_portfolio_unpin();
	return (Datum) 0;
}
