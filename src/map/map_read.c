/*
 * map_read.c
 *		Tiles of low zooms, from the grid.
 *
 * The grid of a day is what it was on the day of the last fold, and what came since, or without what went before: whole months by their
 * sums, days at both ends by theirs; and the steps that were not folded yet.  It is read as the owner of the portfolio: who may
 * not read all of what it sums is not answered from it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/datetime.h"
#include "utils/snapmgr.h"

#include "map/map_grid.h"
#include "map/map_tile.h"

static const CecQuery fold_day = {"SELECT on_day FROM @P@.map_fold", .results = {DATEOID}};

/*
 * $1 level of clusters, $2 the first cell of level 10 and $3 the one behind the last, $4 the sign of what is between, $5 the first month
 * that is between and $6 the one behind the last, $7 days that are between, $8 the day, $9 column and $10 row of the first cell of a
 * cluster, $11 the status that counts.  Months that there are none of are gone past: somebody may have typed a day in the year 50000.
 */
static const CecQuery clusters = {
	"WITH RECURSIVE months (first_day) AS ("
	" (SELECT m.first_day FROM @P@.map_sum m WHERE m.period = 'month' AND m.first_day >= $5 AND m.first_day < $6"
	"  ORDER BY m.first_day LIMIT 1)"
	" UNION ALL"
	" SELECT (SELECT n.first_day FROM @P@.map_sum n"
	"  WHERE n.period = 'month' AND n.first_day > m.first_day AND n.first_day < $6 ORDER BY n.first_day LIMIT 1)"
	" FROM months m WHERE m.first_day IS NOT NULL"
	"), summed AS ("
	" SELECT g.cell, g.status, sum(g.assets)::bigint AS assets, sum(g.value) AS value FROM ("
	"  SELECT t.cell, t.status, t.assets, t.value FROM @P@.map_total t"
	"   WHERE t.level = $1 AND t.cell >= $2 >> (2 * (10 - $1)) AND t.cell < $3 >> (2 * (10 - $1))"
	"  UNION ALL"
	"  SELECT s.cell, s.status, $4 * s.assets, $4 * s.value FROM @P@.map_sum s"
	"   WHERE s.period = 'month' AND s.first_day = ANY (ARRAY(SELECT m.first_day FROM months m))"
	"    AND s.level = $1 AND s.cell >= $2 >> (2 * (10 - $1)) AND s.cell < $3 >> (2 * (10 - $1))"
	"  UNION ALL"
	"  SELECT s.cell >> (2 * (10 - $1)), s.status, $4 * s.assets, $4 * s.value FROM @P@.map_sum s"
	"   WHERE s.period = 'day' AND s.first_day = ANY ($7) AND s.level = 10 AND s.cell >= $2 AND s.cell < $3"
	"  UNION ALL"
	"  SELECT p.cell >> (2 * (10 - $1)), p.status, p.assets, p.value FROM @P@.map_step p"
	"   WHERE p.cell >= $2 AND p.cell < $3 AND (p.on_day IS NULL OR p.on_day <= $8)"
	" ) AS g WHERE $11 IS NULL OR g.status = $11 GROUP BY g.cell, g.status"
	"), placed AS ("
	" SELECT cec._map_cell_column(s.cell) AS col, cec._map_cell_row(s.cell) AS row, sum(s.assets)::bigint AS assets,"
	"  coalesce(sum(s.assets) FILTER (WHERE s.status = 'covered'), 0)::bigint AS covered,"
	"  coalesce(sum(s.assets) FILTER (WHERE s.status = 'covered_by_bundle'), 0)::bigint AS covered_by_bundle,"
	"  coalesce(sum(s.assets) FILTER (WHERE s.status = 'covered_by_rule'), 0)::bigint AS covered_by_rule,"
	"  coalesce(sum(s.assets) FILTER (WHERE s.status = 'not_in_service'), 0)::bigint AS not_in_service,"
	"  coalesce(sum(s.assets) FILTER (WHERE s.status = 'uncovered'), 0)::bigint AS uncovered,"
	"  cec._as_double(coalesce(sum(s.value) FILTER (WHERE s.status = 'uncovered'), 0)) AS uncovered_value"
	" FROM summed s GROUP BY s.cell HAVING sum(s.assets) > 0"
	") SELECT cec._tile_of_clusters(array_agg(ROW((p.row << $1) + p.col, true, p.assets, p.covered, p.covered_by_bundle,"
	" p.covered_by_rule, p.not_in_service, 0, p.uncovered, p.uncovered_value,"
	" cec._map_position((p.col - $9) * 256 + 128, (p.row - $10) * 256 + 128))::cec._map_cluster))"
	" FROM placed p",
	11,
	{INT4OID, INT8OID, INT8OID, INT4OID, DATEOID, DATEOID, DATEARRAYOID, DATEOID, INT8OID, INT8OID, TEXTOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {BYTEAOID}};

/* Days that are summed one by one. */
typedef struct Days
{
	int count;
	int space;
	Datum *days;
} Days;

static void
add_day(Days *days, DateADT day)
{
	if (days->count == days->space)
	{
		days->space = days->space == 0 ? 64 : days->space * 2;
		days->days = days->days == NULL ? palloc(days->space * sizeof(Datum))
										: repalloc_huge(days->days, days->space * sizeof(Datum));
	}
	days->days[days->count++] = DateADTGetDatum(day);
}

static Datum
array_of_days(const Days *days)
{
	return PointerGetDatum(construct_array(days->days, days->count, DATEOID, sizeof(DateADT), true, TYPALIGN_INT));
}

static bool
is_first_of_month(DateADT day)
{
	int year;
	int month;
	int day_of_month;

	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &day_of_month);
	return day_of_month == 1;
}

/* What is between two days, as far as it goes by whole months, and the days that are left at both ends. */
typedef struct Between
{
	DateADT first_month; /* and the day behind the last one; the same where there is none */
	DateADT behind_months;
	Days days;
} Between;

/* The days from one through another. */
static Between
split_days(DateADT first, DateADT last)
{
	Between between = {0};
	int year;
	int month;
	int day;

	while (first <= last && !is_first_of_month(first))
		add_day(&between.days, first++);
	between.first_month = between.behind_months = first;
	if (first > last)
		return between;
	/* The last month counts as a whole where the day is its last one. */
	j2date(last + 1 + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	between.behind_months = last + 1 - (day - 1);
	for (DateADT at = between.behind_months; at <= last; at++)
		add_day(&between.days, at);
	return between;
}

/* The day of the totals; the day asked for where there are none. */
static DateADT
day_of_fold(CecPortfolio *portfolio, DateADT on_day)
{
	DateADT day = on_day;
	bool isnull;

	if (cec_query_run_at(portfolio->plans, &fold_day, NULL, NULL, GetActiveSnapshot()) > 0)
		day = DatumGetDateADT(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	return day;
}

/* The bytes of the first row of a query, in a context that outlives it; those of an empty tile where there are none. */
Datum
cec_tile_result(MemoryContext cxt)
{
	bool isnull = true;
	Datum tile = 0;
	MemoryContext old;

	if (SPI_processed > 0)
		tile = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	old = MemoryContextSwitchTo(cxt);
	if (isnull)
	{
		bytea *empty = palloc(VARHDRSZ);

		SET_VARSIZE(empty, VARHDRSZ);
		tile = PointerGetDatum(empty);
	}
	else
		tile = PointerGetDatum(PG_DETOAST_DATUM_COPY(tile));
	MemoryContextSwitchTo(old);
	return tile;
}

/* A tile of clusters, of zoom 0 to 6; the snapshot is that of the caller's statement. */
Datum
cec_tile_of_grid(const CecTileQuestion *question)
{
	MemoryContext cxt = CurrentMemoryContext;
	int level = question->z + CEC_MAP_CLUSTER_ZOOMS;
	int64 first = cec_map_first_cell(question->z, question->x, question->y, CEC_MAP_LEVEL);
	int64 count = INT64CONST(1) << (2 * (CEC_MAP_LEVEL - question->z));
	DateADT fold;
	Between between;
	Datum tile;
	char nulls[] = "           ";
	CecActAs act;
	Datum args[11];

	cec_portfolio_act(&act, question->portfolio);
	SPI_connect();
	fold = day_of_fold(question->portfolio, question->on_day);
	if (question->on_day >= fold)
		between = split_days(fold + 1, question->on_day);
	else
		between = split_days(question->on_day + 1, fold);
	args[0] = Int32GetDatum(level);
	args[1] = Int64GetDatum(first);
	args[2] = Int64GetDatum(first + count);
	args[3] = Int32GetDatum(question->on_day >= fold ? 1 : -1);
	args[4] = DateADTGetDatum(between.first_month);
	args[5] = DateADTGetDatum(between.behind_months);
	args[6] = array_of_days(&between.days);
	args[7] = DateADTGetDatum(question->on_day);
	args[8] = Int64GetDatum((int64) question->x << CEC_MAP_CLUSTER_ZOOMS);
	args[9] = Int64GetDatum((int64) question->y << CEC_MAP_CLUSTER_ZOOMS);
	args[10] = question->status;
	nulls[10] = question->has_status ? ' ' : 'n';
	cec_query_run_at(question->portfolio->plans, &clusters, args, nulls, GetActiveSnapshot());
	tile = cec_tile_result(cxt);
	SPI_finish();
	cec_act_as_self(&act);
	return tile;
}
