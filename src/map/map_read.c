/*
 * map_read.c
 *		Tiles of low zooms, from the grid.
 *
 * The grid of a day is what it was on the day of the last fold, and what came since, or without what went before: whole months by their
 * sums, days at both ends by theirs; and the steps that were not folded yet.  It is read as the owner of the portfolio: who may
 * not read all of what it sums is not answered from it.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "map/map_grid.h"
#include "map/map_tile.h"
#include "support/column.h"
#include "support/slot.h"
#include "support/word.h"

#define NUMERICARRAYOID 1231

static const CecQuery fold_day = {"SELECT max(on_day) FROM @P@.map_fold", .results = {DATEOID}};

/*
 * $1 level of clusters, $2 the first cell of level 10 and $3 the one behind the last, $4 the sign of what is between, $5 the first month
 * that is between and $6 the one behind the last, $7 days that are between, $8 the level of months, $9 column and $10 row of the first cell
 * of a cluster, $11 the status that counts, $12 to $15 steps that were not folded.  Months that there are none of are gone past: somebody may
 * have typed a day in the year 50000.
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
	"  SELECT s.cell >> (2 * ($8 - $1)), s.status, $4 * s.assets, $4 * s.value FROM @P@.map_sum s"
	"   WHERE s.period = 'month' AND s.first_day = ANY (ARRAY(SELECT m.first_day FROM months m))"
	"    AND s.level = $8 AND s.cell >= $2 >> (2 * (10 - $8)) AND s.cell < $3 >> (2 * (10 - $8))"
	"  UNION ALL"
	"  SELECT s.cell >> (2 * (10 - $1)), s.status, $4 * s.assets, $4 * s.value FROM @P@.map_sum s"
	"   WHERE s.period = 'day' AND s.first_day = ANY ($7) AND s.level = 10 AND s.cell >= $2 AND s.cell < $3"
	"  UNION ALL"
	"  SELECT u.cell, u.status, u.assets, u.value FROM unnest($12, $13, $14, $15) AS u(cell, status, assets, value)"
	" ) AS g GROUP BY g.cell, g.status"
	"), split AS ("
	" SELECT s.cell, coalesce(sum(s.assets) FILTER (WHERE s.status = 'covered'), 0) AS covered,"
	"  coalesce(sum(s.assets) FILTER (WHERE s.status = 'covered_by_bundle'), 0) AS covered_by_bundle,"
	"  coalesce(sum(s.assets) FILTER (WHERE s.status = 'covered_by_rule'), 0) AS covered_by_rule,"
	"  coalesce(sum(s.assets) FILTER (WHERE s.status = 'not_in_service'), 0) AS not_in_service,"
	"  sum(CASE s.status WHEN 'located' THEN s.assets ELSE -s.assets END) AS uncovered,"
	"  sum(CASE s.status WHEN 'located' THEN s.value ELSE -s.value END) AS uncovered_value"
	" FROM summed s GROUP BY s.cell"
	"), placed AS ("
	" SELECT cec._map_cell_column(s.cell) AS col, cec._map_cell_row(s.cell) AS row,"
	"  CASE WHEN $11 IS NULL OR $11 = 'covered' THEN s.covered ELSE 0 END::bigint AS covered,"
	"  CASE WHEN $11 IS NULL OR $11 = 'covered_by_bundle' THEN s.covered_by_bundle ELSE 0 END::bigint AS covered_by_bundle,"
	"  CASE WHEN $11 IS NULL OR $11 = 'covered_by_rule' THEN s.covered_by_rule ELSE 0 END::bigint AS covered_by_rule,"
	"  CASE WHEN $11 IS NULL OR $11 = 'not_in_service' THEN s.not_in_service ELSE 0 END::bigint AS not_in_service,"
	"  CASE WHEN $11 IS NULL OR $11 = 'uncovered' THEN s.uncovered ELSE 0 END::bigint AS uncovered,"
	"  CASE WHEN $11 IS NULL OR $11 = 'uncovered' THEN cec._as_double(s.uncovered_value) ELSE 0 END AS uncovered_value"
	" FROM split s"
	"), counted AS ("
	" SELECT p.*, p.covered + p.covered_by_bundle + p.covered_by_rule + p.not_in_service + p.uncovered AS assets FROM placed p"
	") SELECT cec._tile_of_clusters(array_agg(ROW((p.row << $1) + p.col, true, p.assets, p.covered, p.covered_by_bundle,"
	" p.covered_by_rule, p.not_in_service, 0, p.uncovered, p.uncovered_value,"
	" cec._map_position((p.col - $9) * 256 + 128, (p.row - $10) * 256 + 128))::cec._map_cluster))"
	" FROM counted p WHERE p.assets > 0",
	15,
	{INT4OID, INT8OID, INT8OID, INT4OID, DATEOID, DATEOID, DATEARRAYOID, INT4OID, INT8OID, INT8OID, TEXTOID,
	 INT8ARRAYOID, TEXTARRAYOID, INT8ARRAYOID, NUMERICARRAYOID},
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
	for (int64 at = between.behind_months; at <= last; at++)
		add_day(&between.days, (DateADT) at);
	return between;
}

/* The day of the totals; the day asked for where there are none. */
static DateADT
day_of_fold(CecPortfolio *portfolio, DateADT on_day)
{
	bool isnull;
	DateADT day;

	cec_query_run_at(portfolio->plans, &fold_day, NULL, NULL, GetActiveSnapshot());
	day = DatumGetDateADT(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	if (isnull)
		return on_day;
	if (DATE_NOT_FINITE(day))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the grid of the map is damaged"),
						errdetail("Its totals are of no day."), errhint("Run recompute_coverage.")));
	return day;
}

/* Sums of what was not folded, by cell of a cluster and what is counted. */
typedef struct Unfolded
{
	int cells; /* of the tile */
	int64 *assets;
	Numeric *values; /* NULL: 0 */
} Unfolded;

static int
status_of(Datum name)
{
	for (int i = 0; i < CEC_MAP_STATUS_COUNT; i++)
		if (cec_word_is(name, cec_map_status_name[i]))
			return i;
	elog(ERROR, "there is no such status on the grid of the map");
}

/* Most assets are worth nothing that anybody has said. */
static bool
is_nothing(Numeric value, Numeric nothing)
{
	return VARSIZE_ANY(value) == VARSIZE_ANY(nothing) && memcmp(value, nothing, VARSIZE_ANY(nothing)) == 0;
}

static void
add_value(Numeric *sum, Numeric value)
{
	Numeric before = *sum;

	if (before == NULL)
		*sum = DatumGetNumericCopy(NumericGetDatum(value));
	else
	{
		*sum = DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(before), NumericGetDatum(value)));
		pfree(before);
	}
}

/* Reads map_step as a whole: refresh keeps it short. */
static Unfolded
read_unfolded(const CecTileQuestion *question, int64 first, int64 count)
{
	Unfolded unfolded = {1 << (2 * CEC_MAP_CLUSTER_ZOOMS)};
	int shift = 2 * (CEC_MAP_LEVEL - question->z - CEC_MAP_CLUSTER_ZOOMS);
	Numeric nothing = DatumGetNumeric(DirectFunctionCall1(int4_numeric, Int32GetDatum(0)));
	Relation rel = cec_portfolio_open(question->portfolio, "map_step", AccessShareLock);
	AttrNumber cell = cec_column_require(rel, "cell", INT8OID);
	AttrNumber status = cec_column_require(rel, "status", TEXTOID);
	AttrNumber on_day = cec_column_require_nullable(rel, "on_day", DATEOID);
	AttrNumber assets = cec_column_require(rel, "assets", INT8OID);
	AttrNumber value = cec_column_require(rel, "value", NUMERICOID);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);

	unfolded.assets = palloc0(unfolded.cells * CEC_MAP_STATUS_COUNT * sizeof(int64));
	unfolded.values = palloc0(unfolded.cells * CEC_MAP_STATUS_COUNT * sizeof(Numeric));
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		int64 at;
		int place;

		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		at = cec_slot_int8(slot, cell) - first;
		if (at < 0 || at >= count ||
			(!cec_slot_isnull(slot, on_day) && DatumGetDateADT(cec_slot_value(slot, on_day)) > question->on_day))
			continue;
		place = (int) (at >> shift) * CEC_MAP_STATUS_COUNT + status_of(cec_slot_value(slot, status));
		unfolded.assets[place] += cec_slot_int8(slot, assets);
		if (!is_nothing(DatumGetNumeric(cec_slot_value(slot, value)), nothing))
			add_value(&unfolded.values[place], DatumGetNumeric(cec_slot_value(slot, value)));
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);
	return unfolded;
}

/* What was not folded as four arrays: cells of clusters, what is counted, how many, what they are worth. */
static void
put_unfolded(const Unfolded *unfolded, int64 first_cell, Datum *args)
{
	int count = unfolded->cells * CEC_MAP_STATUS_COUNT;
	Datum *columns[4];
	Datum nothing = DirectFunctionCall1(int4_numeric, Int32GetDatum(0));
	int used = 0;

	for (int i = 0; i < lengthof(columns); i++)
		columns[i] = palloc(count * sizeof(Datum));
	for (int i = 0; i < count; i++)
	{
		if (unfolded->assets[i] == 0 && unfolded->values[i] == NULL)
			continue;
		columns[0][used] = Int64GetDatum(first_cell + i / CEC_MAP_STATUS_COUNT);
		columns[1][used] = CStringGetTextDatum(cec_map_status_name[i % CEC_MAP_STATUS_COUNT]);
		columns[2][used] = Int64GetDatum(unfolded->assets[i]);
		columns[3][used++] = unfolded->values[i] == NULL ? nothing : NumericGetDatum(unfolded->values[i]);
	}
	args[0] = PointerGetDatum(construct_array(columns[0], used, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	args[1] = PointerGetDatum(construct_array(columns[1], used, TEXTOID, -1, false, TYPALIGN_INT));
	args[2] = PointerGetDatum(construct_array(columns[2], used, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	args[3] = PointerGetDatum(construct_array(columns[3], used, NUMERICOID, -1, false, TYPALIGN_INT));
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
	char nulls[] = "               ";
	Unfolded unfolded;
	CecActAs act;
	Datum args[15];

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
	args[7] = Int32GetDatum(level + level % 2);
	args[8] = Int64GetDatum((int64) question->x << CEC_MAP_CLUSTER_ZOOMS);
	args[9] = Int64GetDatum((int64) question->y << CEC_MAP_CLUSTER_ZOOMS);
	args[10] = question->status;
	nulls[10] = question->has_status ? ' ' : 'n';
	unfolded = read_unfolded(question, first, count);
	put_unfolded(&unfolded, first >> (2 * (CEC_MAP_LEVEL - level)), args + 11);
	cec_query_run_at(question->portfolio->plans, &clusters, args, nulls, GetActiveSnapshot());
	tile = cec_tile_result(cxt);
	SPI_finish();
	cec_act_as_self(&act);
	return tile;
}
