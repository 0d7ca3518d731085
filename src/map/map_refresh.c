/*
 * map_refresh.c
 *		What refresh does for the map: folds the steps that statements have left into sums.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "init.h"
#include "portfolio/refresh_task.h"

/* Behind what changes cover. */
#define FOLD_ORDER 850

static const CecQuery fold = {
	"SELECT cec._map_fold($1, $2)", 2, {OIDOID, DATEOID}, CURSOR_OPT_CUSTOM_PLAN, .results = {INT8OID}};

/* The task "map".  A forecast folds as of today. */
static void
fold_steps(CecRefresh *refresh)
{
	Datum args[] = {ObjectIdGetDatum(refresh->portfolio->nspid), DateADTGetDatum(refresh->today)};
	int64 count;
	bool isnull;

	SPI_connect();
	if (cec_query_run(refresh->portfolio->plans, &fold, args, NULL, 1) != 1)
		elog(ERROR, "no count of steps");
	count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	cec_refresh_count(refresh, "map steps", count);
}

/* Registers with refresh. */
void
cec_map_refresh_init(void)
{
	cec_refresh_register("map", FOLD_ORDER, fold_steps);
}
