/*
 * map_tile.c
 *		Vector tiles: what is asked for; of assets who answers it; of contracts, and of zones where cover is thin, the answer.
 *
 * Tiles of assets of low zooms always cluster, and are answered from the grid (map_read.c) where the caller may read all that it sums and
 * asks for no part of the assets.  Everything else is read from rows (map_rows.c), with the caller's rights and row-level security.
 *
 * Equal data make equal bytes: features are in order of their ids, and nothing depends on settings of the caller.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "map/map_grid.h"
#include "map/map_tile.h"
#include "portfolio/portfolio_today.h"

PG_FUNCTION_INFO_V1(cec_mvt_assets);
PG_FUNCTION_INFO_V1(cec_mvt_contracts);
PG_FUNCTION_INFO_V1(cec_mvt_gaps);

#define DEFAULT_FEATURES 5000

/* Degrees by which a rectangle is looked up wider than a tile is. */
#define MARGIN 1e-9

static const CecQuery ask = {
	"SELECT q.status, q.on_day, q.contract_id, q.term_ids, q.customer_id, q.account_manager, q.manager_term_ids, q.max_features, q.contract_number"
	" FROM cec._map_question(@O@::regnamespace, $1) AS q",
	1,
	{JSONOID},
	.results = {TEXTOID, DATEOID, INT8OID, INT8ARRAYOID, INT8OID, TEXTOID, INT8ARRAYOID, INT8OID, TEXTOID}};

/* $1 to $3 zoom, column and row, $4 to $7 west, south, east and north, $8 the day, $9 contract, $10 customer, $11 account manager. */
static const CecQuery contracts = {
	"SELECT cec._tile_of_contracts(array_agg(ROW(c.contract_id, c.number, u.name, c.account_manager, c.kind, c.status,"
	" cec._day(upper(c.during) - 1), (SELECT count(DISTINCT v.asset_id) FROM @P@.coverage_term t"
	"  JOIN @P@.coverage v ON v.term_id = t.term_id WHERE t.contract_id = c.contract_id AND v.during @> $8),"
	" cec._map_area(c.boundary, $1, $2, $3))::cec._map_contract))"
	" FROM @P@.contract c LEFT JOIN @P@.customer u ON u.customer_id = c.customer_id"
	" WHERE cec._lies_in_box(c.boundary, $4, $5, $6, $7) AND c.status IN ('active', 'terminated') AND c.during @> $8"
	" AND ($9 IS NULL OR c.contract_id = $9) AND ($10 IS NULL OR c.customer_id = $10)"
	" AND ($11 IS NULL OR c.account_manager = $11)",
	11,
	{INT4OID, INT4OID, INT4OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, DATEOID, INT8OID, INT8OID, TEXTOID},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = {BYTEAOID}};

/* $1 to $3 zoom, column and row, $4 to $7 west, south, east and north, $8 the day, $9 number of the contract. */
static const CecQuery gaps = {
	"SELECT cec._tile_of_gaps(array_agg(ROW(g.zone_id, g.assets, g.covered, g.covered_elsewhere, g.uncovered,"
	" g.share::double precision, cec._as_double(g.value), cec._as_double(g.uncovered_value), g.shortfall,"
	" g.is_under_covered, cec._map_area(g.geometry, $1, $2, $3))::cec._map_gap))"
	" FROM cec.under_covered_zones(@O@::regnamespace, $9, 20000, $8, 0.9) AS g"
	" WHERE g.is_under_covered AND cec._lies_in_box(g.geometry, $4, $5, $6, $7)",
	9,
	{INT4OID, INT4OID, INT4OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, DATEOID, TEXTOID},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = {BYTEAOID}};

/* What tables say that the grid sums; whoever may not read all of one is answered from rows. */
static bool
may_read_grid(CecPortfolio *portfolio)
{
	static const char *const tables[] = {"asset", "inclusion", "coverage", "contract", "finding"};

	for (int i = 0; i < lengthof(tables); i++)
		if (!cec_may_read_all(GetUserId(), cec_portfolio_table(portfolio, tables[i])))
			return false;
	return true;
}

static double
longitude_of_column(int64 column, int z)
{
	return ldexp(column, -z) * 360 - 180;
}

static double
latitude_of_row(int64 row, int z)
{
	return atan(sinh(M_PI * (1 - 2 * ldexp(row, -z)))) * 180 / M_PI;
}

static Datum
copy_of(int column, bool *has, bool by_value, MemoryContext cxt)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);
	MemoryContext old;

	*has = !isnull;
	if (isnull || by_value)
		return value;
	old = MemoryContextSwitchTo(cxt);
	value = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	MemoryContextSwitchTo(old);
	return value;
}

static void
read_parameters(CecTileQuestion *question, Datum query_params)
{
	MemoryContext cxt = CurrentMemoryContext;
	bool has;

	SPI_connect();
	if (cec_query_read(question->portfolio->plans, &ask, &query_params, NULL) != 1)
		elog(ERROR, "no answer to the parameters of a tile");
	question->status = copy_of(1, &question->has_status, false, cxt);
	question->on_day = DatumGetDateADT(copy_of(2, &has, true, cxt));
	question->contract_id = copy_of(3, &question->has_contract, true, cxt);
	question->term_ids = copy_of(4, &has, false, cxt);
	question->customer_id = copy_of(5, &question->has_customer, true, cxt);
	question->account_manager = copy_of(6, &question->has_manager, false, cxt);
	question->manager_term_ids = copy_of(7, &has, false, cxt);
	question->max_features = DatumGetInt64(copy_of(8, &has, true, cxt));
	question->contract_number = copy_of(9, &has, false, cxt);
	SPI_finish();
}

/* Reads the arguments: portfolio, z, x, y, query_params.  Errors: 22004, 22023, 23503. */
static CecTileQuestion
read_question(FunctionCallInfo fcinfo)
{
	CecTileQuestion question = {0};
	Oid nspid = cec_portfolio_argument(fcinfo);

	for (int i = 1; i < 4; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("z, x and y must not be NULL"),
					 errhint("A tile is named by its zoom, its column from the west and its row from the north.")));
	question.portfolio = cec_portfolio_get(nspid);
	cec_portfolio_require_version(question.portfolio);
	question.z = PG_GETARG_INT32(1);
	question.x = PG_GETARG_INT32(2);
	question.y = PG_GETARG_INT32(3);
	if (question.z < 0 || question.z > CEC_MAP_MAX_ZOOM)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there are no tiles of zoom %d", question.z),
						errhint("Zooms go from 0 to %d.", CEC_MAP_MAX_ZOOM)));
	if (question.x < 0 || question.y < 0 || question.x >= 1 << question.z || question.y >= 1 << question.z)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("there is no tile %d/%d/%d", question.z, question.x, question.y),
						errhint("At zoom %d, columns and rows go from 0 to %d.", question.z, (1 << question.z) - 1)));
	if (!PG_ARGISNULL(4) && strcmp(text_to_cstring(PG_GETARG_TEXT_PP(4)), "{}") != 0)
		read_parameters(&question, PG_GETARG_DATUM(4));
	else
	{
		CecActAs act;

		cec_portfolio_act(&act, question.portfolio);
		question.on_day = cec_portfolio_today(question.portfolio);
		cec_act_as_self(&act);
		question.max_features = DEFAULT_FEATURES;
	}
	return question;
}

/* The first eight arguments of queries of rows: zoom, column and row; west, south, east and north, a little wider; the day. */
void
cec_tile_box(const CecTileQuestion *question, Datum *args)
{
	args[0] = Int32GetDatum(question->z);
	args[1] = Int32GetDatum(question->x);
	args[2] = Int32GetDatum(question->y);
	args[3] = Float8GetDatum(longitude_of_column(question->x, question->z) - MARGIN);
	args[4] = Float8GetDatum(latitude_of_row(question->y + (int64) 1, question->z) - MARGIN);
	args[5] = Float8GetDatum(longitude_of_column(question->x + (int64) 1, question->z) + MARGIN);
	args[6] = Float8GetDatum(latitude_of_row(question->y, question->z) + MARGIN);
	args[7] = DateADTGetDatum(question->on_day);
}

/* The tile that a query has, with the caller's rights. */
static Datum
read_tile(const CecTileQuestion *question, const CecQuery *query, Datum *args, const char *nulls)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum tile;

	SPI_connect();
	cec_query_read(question->portfolio->plans, query, args, nulls);
	tile = cec_tile_result(cxt);
	SPI_finish();
	return tile;
}

/* cec.mvt_assets(portfolio, z, x, y, query_params) */
Datum
cec_mvt_assets(PG_FUNCTION_ARGS)
{
	CecTileQuestion question;
	Datum tile;

	cec_portfolio_pin();
	question = read_question(fcinfo);
	if (question.z <= CEC_MAP_LAST_CLUSTERED && !question.has_contract && !question.has_customer &&
		!question.has_manager && may_read_grid(question.portfolio))
		tile = cec_tile_of_grid(&question);
	else
		tile = cec_tile_of_rows(&question);
	cec_portfolio_unpin();
	PG_RETURN_DATUM(tile);
}

/* cec.mvt_contracts(portfolio, z, x, y, query_params) */
Datum
cec_mvt_contracts(PG_FUNCTION_ARGS)
{
	CecTileQuestion question;
	char nulls[] = "           ";
	Datum args[11];
	Datum tile;

	cec_portfolio_pin();
	question = read_question(fcinfo);
	cec_tile_box(&question, args);
	args[8] = question.contract_id;
	nulls[8] = question.has_contract ? ' ' : 'n';
	args[9] = question.customer_id;
	nulls[9] = question.has_customer ? ' ' : 'n';
	args[10] = question.account_manager;
	nulls[10] = question.has_manager ? ' ' : 'n';
	tile = read_tile(&question, &contracts, args, nulls);
	cec_portfolio_unpin();
	PG_RETURN_DATUM(tile);
}

/* cec.mvt_gaps(portfolio, z, x, y, query_params) */
Datum
cec_mvt_gaps(PG_FUNCTION_ARGS)
{
	CecTileQuestion question;
	char nulls[] = "         ";
	Datum args[9];
	Datum tile;

	cec_portfolio_pin();
	question = read_question(fcinfo);
	cec_tile_box(&question, args);
	args[8] = question.contract_number;
	nulls[8] = question.has_contract ? ' ' : 'n';
	tile = read_tile(&question, &gaps, args, nulls);
	cec_portfolio_unpin();
	PG_RETURN_DATUM(tile);
}
