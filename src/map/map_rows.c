/*
 * map_rows.c
 *		Tiles of assets from rows, as clusters or one by one.
 *
 * From zoom 7 on a tile clusters only where it would have more features than are asked for.  A tile of all assets looks them up by
 * their place; one of those that lists name looks each of these up by its key.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "map/map_grid.h"
#include "map/map_tile.h"

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

static bool
has_more_features(const CecTileQuestion *question, const CecQuery *query, Datum *args, const char *nulls)
{
	bool isnull;

	cec_query_read(question->portfolio->plans, query, args, nulls);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)) >
		   question->max_features;
}

/* A tile of assets, with the caller's rights. */
Datum
cec_tile_of_rows(const CecTileQuestion *question)
{
	MemoryContext cxt = CurrentMemoryContext;
	bool by_lists = question->has_contract || question->has_manager;
	char nulls[ARGS + 1] = "        nnnnn  ";
	const CecQuery *query = &clusters_of[by_lists];
	Datum args[ARGS] = {0};
	Datum tile;

	cec_tile_box(question, args);
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
	if (question->z > CEC_MAP_LAST_CLUSTERED && !has_more_features(question, &count_of[by_lists], args, nulls))
		query = &points_of[by_lists];
	cec_query_read(question->portfolio->plans, query, args, nulls);
	tile = cec_tile_result(cxt);
	SPI_finish();
	return tile;
}
