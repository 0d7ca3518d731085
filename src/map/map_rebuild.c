/*
 * map_rebuild.c
 *		Makes the grid of the map anew: where the attribute that says what assets are worth is another one, and where recompute_coverage
 *		finds it damaged.
 *
 * The portfolio is held alone.  All is read with the latest snapshot, at every level of isolation, as the rest of the engine reads; above READ
 * COMMITTED rows that the transaction cannot see are not deleted by it, and it gets 40001.  There what was made is left to refresh to
 * fold.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "init.h"
#include "map/map_grid.h"
#include "portfolio/change.h"
#include "portfolio/portfolio_today.h"
#include "portfolio/statement_open.h"

static const CecQuery empty[] = {{"DELETE FROM @P@.map_step"},
								 {"DELETE FROM @P@.map_sum"},
								 {"DELETE FROM @P@.map_total"},
								 {"DELETE FROM @P@.map_fold"},
								 {"DELETE FROM @P@.map_place"}};

static const CecQuery fill[] = {
	{"INSERT INTO @P@.map_step (level, cell, status, on_day, assets, value)"
	 " SELECT 10, d.cell, d.status, d.on_day, d.assets, d.value FROM cec._map_definition(@O@::regnamespace) AS d"},
	{"INSERT INTO @P@.map_place (asset_id, cell, value)"
	 " SELECT p.asset_id, p.cell, p.value FROM cec._map_places(@O@::regnamespace) AS p"}};

static const CecQuery fold = {
	"SELECT cec._map_fold(@O@::regnamespace, $1)", 1, {DATEOID}, CURSOR_OPT_CUSTOM_PLAN, .results = {INT8OID}};

static const CecQuery is_damaged = {"SELECT EXISTS (SELECT FROM cec._map_breaches(@O@::regnamespace))",
									.results = {BOOLOID}};

/*
 * Whether a statement on asset is not over: its rows are there, and what it changed of them is still to be counted by the trigger behind
 * it.  A grid made of these rows would have it twice.
 */
static bool
assets_are_changing(CecChange *change)
{
	return cec_statement_is_open(cec_portfolio_table(change->portfolio, "asset"));
}

/* Makes it anew; the owner is acted as. */
static void
rebuild(CecChange *change)
{
	CecPlans *plans = change->portfolio->plans;

	SPI_connect();
	for (int i = 0; i < lengthof(empty); i++)
		cec_query_run(plans, &empty[i], NULL, NULL, 0);
	for (int i = 0; i < lengthof(fill); i++)
		cec_query_run(plans, &fill[i], NULL, NULL, 0);
	if (!IsolationUsesXactSnapshot())
	{
		Datum args[] = {DateADTGetDatum(cec_change_today(change))};

		cec_query_run(plans, &fold, args, NULL, 0);
	}
	SPI_finish();
}

/* Handler of the audit stage for what is the engine's own. */
static void
mend(CecChange *change)
{
	bool isnull;
	bool damaged;

	if (change->operation != CEC_RECOMPUTE || assets_are_changing(change))
		return;
	SPI_connect();
	cec_query_run(change->portfolio->plans, &is_damaged, NULL, NULL, 0);
	damaged = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	if (damaged)
		rebuild(change);
}

/* Handler of the audit stage for settings. */
static void
follow_value(CecChange *change)
{
	CecRows rows;
	bool differs = false;

	if (change->operation != CEC_UPDATE)
		return;
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		differs |= cec_rows_differ(change, &rows, "value_attribute");
	}
	cec_rows_end(&rows);
	if (!differs)
		return;
	if (assets_are_changing(change))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("value_attribute cannot be changed within a statement that changes assets"),
						errhint("Change it by a statement of its own.")));
	rebuild(change);
}

/* Registers with the engine, behind what keeps the grid. */
void
cec_map_rebuild_init(void)
{
	cec_change_register(CEC_STAGE_AUDIT, NULL, mend);
	cec_change_register(CEC_STAGE_AUDIT, "setting", follow_value);
}
