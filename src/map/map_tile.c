/*
 * map_tile.c
 *		Vector tiles: of assets, as clusters or one by one; of contracts, and of zones where cover is thin.
 *
 * Low zooms always cluster, and are answered from the grid (map_read.c) where the caller may read all that it sums and asks for no part of
 * the assets.  Everything else is read from rows, with the caller's rights and row-level security.  From zoom 7 on a tile
 * clusters only where it would have more features than are asked for.
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

/* The last zoom that always clusters. */
#define LAST_CLUSTERED 6

#define DEFAULT_FEATURES 5000

/* Degrees by which a rectangle is looked up wider than a tile is. */
#define MARGIN 1e-9

/*
 * What all queries of rows take: $1 zoom, $2 column and $3 row of the tile, $4 to $7 west, south, east and north of it, $8 the day, $9 the terms
 * to which the status is relative, $10 the terms whose assets count, $11 terms whose assets count only, $12 customer, $13 status,
 * $14 the most features, $15 whether the tile is at 180°.
 */
#define ARGS 15
#define ARGTYPES \
	{ \
		INT4OID, INT4OID, INT4OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID, DATEOID, INT8ARRAYOID, INT8ARRAYOID, \
			INT8ARRAYOID, INT8OID, TEXTOID, INT8OID, BOOLOID \
	}

/* The status of an asset "a"; terms are those of a contract, or NULL. */
#define STATUS \
	"(SELECT cec._map_status(coalesce(bool_or(v.is_stated), false), coalesce(bool_or(v.is_inherited), false)," \
	" coalesce(bool_or(v.is_ruled), false), cec._life_has(a.status, a.commissioned_on, a.decommissioned_on," \
	" a.out_of_service, $8), CASE WHEN $9 IS NULL THEN false ELSE" \
	"  EXISTS (SELECT FROM @P@.inclusion i WHERE i.asset_id = a.asset_id AND i.effect = 'exclude'" \
	"   AND i.term_id = ANY ($9) AND i.during @> $8)" \
	"  OR EXISTS (SELECT FROM @P@.rule_effect e JOIN @P@.coverage_rule r ON r.rule_id = e.rule_id" \
	"   WHERE e.asset_id = a.asset_id AND r.effect = 'exclude' AND r.term_id = ANY ($9) AND e.during @> $8) END)" \
	" FROM @P@.coverage v WHERE v.asset_id = a.asset_id AND v.during @> $8 AND ($9 IS NULL OR v.term_id = ANY ($9)))"

#define LISTED_ON_10 \
	"SELECT i.asset_id FROM @P@.inclusion i WHERE i.term_id = ANY ($10)" \
	" UNION SELECT v.asset_id FROM @P@.coverage v WHERE v.term_id = ANY ($10)"
#define LISTED_ON_11 \
	"SELECT i.asset_id FROM @P@.inclusion i WHERE i.term_id = ANY ($11)" \
	" UNION SELECT v.asset_id FROM @P@.coverage v WHERE v.term_id = ANY ($11)"

#define LONGITUDE "cec._longitude(a.location)"
#define LATITUDE "cec._latitude(a.location)"

/* Assets "a" of the tile: looked up by their place, or each by its key where lists name them. */
#define OF_BOX \
	"FROM @P@.asset a" \
	" WHERE (cec._lies_in_box(a.location, $4, $5, $6, $7) OR ($15 AND cec._lies_in_box(a.location, 180, $5, 180, $7)))"
#define OF_LISTS \
	"FROM (" LISTED_ON_10 ") AS l CROSS JOIN LATERAL (" \
	"  SELECT x.asset_id, x.asset_tag, x.customer_id, x.attributes, x.location, x.status, x.commissioned_on," \
	"   x.decommissioned_on, x.out_of_service FROM @P@.asset x WHERE x.asset_id = l.asset_id OFFSET 0) AS a" \
	" WHERE a.location IS NOT NULL"

#define IN_TILE \
	" AND cec._map_is_in(" LONGITUDE ", " LATITUDE ", $1, $2, $3)" \
	" AND ($12 IS NULL OR a.customer_id = $12) AND ($11 IS NULL OR a.asset_id IN (" LISTED_ON_11 "))" \
	" AND ($13 IS NULL OR " STATUS " = $13)"

#define COUNT(of) "SELECT count(*) FROM (SELECT " of IN_TILE " LIMIT $14 + 1) AS t"

#define CLUSTERS(of) \
	"WITH shown AS MATERIALIZED (" \
	" SELECT cec._map_column(" LONGITUDE ", $1 + 4) AS col, cec._map_row(" LATITUDE ", $1 + 4) AS row," \
	"  " STATUS " AS status," \
	"  cec._asset_value(a.attributes, (SELECT s.value_attribute FROM @P@.setting s)) AS value " of IN_TILE \
	"), placed AS (" \
	" SELECT s.col, s.row, count(*) AS assets," \
	"  count(*) FILTER (WHERE s.status = 'covered') AS covered," \
	"  count(*) FILTER (WHERE s.status = 'covered_by_bundle') AS covered_by_bundle," \
	"  count(*) FILTER (WHERE s.status = 'covered_by_rule') AS covered_by_rule," \
	"  count(*) FILTER (WHERE s.status = 'not_in_service') AS not_in_service," \
	"  count(*) FILTER (WHERE s.status = 'excluded') AS excluded," \
	"  count(*) FILTER (WHERE s.status = 'uncovered') AS uncovered," \
	"  cec._as_double(coalesce(sum(s.value) FILTER (WHERE s.status = 'uncovered'), 0)) AS uncovered_value" \
	" FROM shown s GROUP BY s.col, s.row" \
	") SELECT cec._tile_of_clusters(array_agg(ROW((p.row << ($1 + 4)) + p.col, true, p.assets, p.covered," \
	" p.covered_by_bundle, p.covered_by_rule, p.not_in_service, p.excluded, p.uncovered, p.uncovered_value," \
	" cec._map_position((p.col - ($2::bigint << 4)) * 256 + 128, (p.row - ($3::bigint << 4)) * 256 + 128))" \
	"::cec._map_cluster)) FROM placed p"

/* Of what covers an asset the first, as covered_on has it. */
#define FIRST_COVER \
	" LEFT JOIN LATERAL (" \
	" SELECT c.number, r.code, v.during FROM @P@.coverage v" \
	"  JOIN @P@.coverage_term t ON t.term_id = v.term_id JOIN @P@.contract c ON c.contract_id = t.contract_id" \
	"  LEFT JOIN @P@.service_tier r ON r.tier_id = t.tier_id" \
	" WHERE v.asset_id = s.asset_id AND v.during @> $8 AND ($9 IS NULL OR v.term_id = ANY ($9))" \
	" ORDER BY CASE c.kind WHEN 'warranty' THEN 1 WHEN 'extended_warranty' THEN 2 WHEN 'service' THEN 3 ELSE 4 END," \
	"  CASE WHEN v.is_stated THEN 1 WHEN v.is_inherited THEN 2 ELSE 3 END, r.rank DESC NULLS LAST, c.priority," \
	"  upper(v.during) DESC NULLS FIRST, c.number, t.number, v.coverage_id LIMIT 1) AS f ON true"

/* Open findings about it that are not waived, and whether one says that it is registered twice: that may name it second. */
#define FINDINGS \
	" CROSS JOIN LATERAL (" \
	" SELECT count(*) FILTER (WHERE NOT EXISTS (" \
	"   SELECT FROM @P@.finding_waiver w WHERE w.kind = f.kind AND (w.asset_id IS NULL OR w.asset_id = f.asset_id)" \
	"   AND (w.contract_id IS NULL OR w.contract_id = f.contract_id) AND (w.subject IS NULL OR w.subject = f.subject)" \
	"   AND (w.until IS NULL OR w.until >= d.today) AND (NOT d.four_eyes OR w.approved_by <> w.waived_by))) AS open," \
	"  coalesce(bool_or(f.kind = 'duplicate_in_register'), false) AS is_duplicate" \
	" FROM @P@.finding f WHERE f.asset_id = s.asset_id AND f.closed_at IS NULL) AS n"

#define IS_SECOND \
	"EXISTS (SELECT FROM @P@.finding f WHERE f.other_asset_id = s.asset_id AND f.closed_at IS NULL" \
	"  AND f.kind = 'duplicate_in_register')"

#define POINTS(of) \
	"WITH d AS MATERIALIZED (" \
	" SELECT g.value_attribute, g.expiry_notice_days, g.four_eyes," \
	"  (clock_timestamp() AT TIME ZONE g.time_zone)::date AS today FROM @P@.setting g" \
	"), shown AS MATERIALIZED (" \
	" SELECT a.asset_id, a.asset_tag, a.customer_id, a.attributes, cec._map_column(" LONGITUDE ", $1 + 12) AS col," \
	"  cec._map_row(" LATITUDE ", $1 + 12) AS row, " STATUS " AS status " of IN_TILE \
	") SELECT cec._tile_of_points(array_agg(ROW(s.asset_id, s.asset_tag, s.status, n.is_duplicate OR " IS_SECOND "," \
	" coalesce(upper(f.during) - 1 - $8 <= d.expiry_notice_days, false), n.open, f.number, f.code," \
	" cec._day(upper(f.during) - 1), (SELECT u.name FROM @P@.customer u WHERE u.customer_id = s.customer_id)," \
	" cec._as_double(cec._asset_value(s.attributes, d.value_attribute))," \
	" cec._map_position(s.col - ($2::bigint << 12), s.row - ($3::bigint << 12)))::cec._map_point))" \
	" FROM shown s CROSS JOIN d" FIRST_COVER FINDINGS

#define TILE_QUERY(text, type) \
	{ \
		text, ARGS, ARGTYPES, CURSOR_OPT_CUSTOM_PLAN, .results = { type } \
	}

/* The first of each for a tile, the second for assets that lists name. */
static const CecQuery count_of[] = {TILE_QUERY(COUNT(OF_BOX), INT8OID), TILE_QUERY(COUNT(OF_LISTS), INT8OID)};
static const CecQuery clusters_of[] = {TILE_QUERY(CLUSTERS(OF_BOX), BYTEAOID),
									   TILE_QUERY(CLUSTERS(OF_LISTS), BYTEAOID)};
static const CecQuery points_of[] = {TILE_QUERY(POINTS(OF_BOX), BYTEAOID), TILE_QUERY(POINTS(OF_LISTS), BYTEAOID)};

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

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the portfolio must not be NULL")));
	for (int i = 1; i < 4; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("z, x and y must not be NULL"),
					 errhint("A tile is named by its zoom, its column from the west and its row from the north.")));
	question.portfolio = cec_portfolio_get(PG_GETARG_OID(0));
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

static void
add_box(const CecTileQuestion *question, Datum *args)
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

static bool
has_more_features(const CecTileQuestion *question, const CecQuery *query, Datum *args, const char *nulls)
{
	bool isnull;

	cec_query_read(question->portfolio->plans, query, args, nulls);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)) >
		   question->max_features;
}

static Datum
tile_of_rows(const CecTileQuestion *question)
{
	MemoryContext cxt = CurrentMemoryContext;
	bool by_lists = question->has_contract || question->has_manager;
	char nulls[ARGS + 1] = "        nnnnn  ";
	const CecQuery *query = &clusters_of[by_lists];
	Datum args[ARGS] = {0};
	Datum tile;

	add_box(question, args);
	if (question->has_contract)
	{
		args[8] = question->term_ids;
		nulls[8] = ' ';
	}
	if (by_lists)
	{
		args[9] = question->has_contract ? question->term_ids : question->manager_term_ids;
		nulls[9] = ' ';
	}
	if (question->has_contract && question->has_manager)
	{
		args[10] = question->manager_term_ids;
		nulls[10] = ' ';
	}
	if (question->has_customer)
	{
		args[11] = question->customer_id;
		nulls[11] = ' ';
	}
	if (question->has_status)
	{
		args[12] = question->status;
		nulls[12] = ' ';
	}
	args[13] = Int64GetDatum(question->max_features);
	args[14] = BoolGetDatum(question->x == 0);
	SPI_connect();
	if (question->z > LAST_CLUSTERED && !has_more_features(question, &count_of[by_lists], args, nulls))
		query = &points_of[by_lists];
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
	if (question.z <= LAST_CLUSTERED && !question.has_contract && !question.has_customer && !question.has_manager &&
		may_read_grid(question.portfolio))
		tile = cec_tile_of_grid(&question);
	else
		tile = tile_of_rows(&question);
	cec_portfolio_unpin();
	PG_RETURN_DATUM(tile);
}

/* cec.mvt_contracts(portfolio, z, x, y, query_params) */
Datum
cec_mvt_contracts(PG_FUNCTION_ARGS)
{
	MemoryContext cxt = CurrentMemoryContext;
	CecTileQuestion question;
	char nulls[] = "           ";
	Datum args[11];
	Datum tile;

	cec_portfolio_pin();
	question = read_question(fcinfo);
	add_box(&question, args);
	args[8] = question.contract_id;
	nulls[8] = question.has_contract ? ' ' : 'n';
	args[9] = question.customer_id;
	nulls[9] = question.has_customer ? ' ' : 'n';
	args[10] = question.account_manager;
	nulls[10] = question.has_manager ? ' ' : 'n';
	SPI_connect();
	cec_query_read(question.portfolio->plans, &contracts, args, nulls);
	tile = cec_tile_result(cxt);
	SPI_finish();
	cec_portfolio_unpin();
	PG_RETURN_DATUM(tile);
}

/* cec.mvt_gaps(portfolio, z, x, y, query_params) */
Datum
cec_mvt_gaps(PG_FUNCTION_ARGS)
{
	MemoryContext cxt = CurrentMemoryContext;
	CecTileQuestion question;
	char nulls[] = "         ";
	Datum args[9];
	Datum tile;

	cec_portfolio_pin();
	question = read_question(fcinfo);
	add_box(&question, args);
	args[8] = question.contract_number;
	nulls[8] = question.has_contract ? ' ' : 'n';
	SPI_connect();
	cec_query_read(question.portfolio->plans, &gaps, args, nulls);
	tile = cec_tile_result(cxt);
	SPI_finish();
	cec_portfolio_unpin();
	PG_RETURN_DATUM(tile);
}
