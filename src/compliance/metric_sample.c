/*
 * metric_sample.c
 *		What refresh samples of today, for metrics of months that are over by then; and what samples must be.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "init.h"
#include "portfolio/refresh_task.h"
#include "portfolio/row_check.h"

/* Behind what changes cover or findings. */
#define SAMPLE_ORDER 950

#define CHECKS(CHECK) \
	CHECK( \
		metric_sample_metric_known, "metric_sample", "metric text", &cec_word, \
		.words = \
			"complete_definition, adherence, observed_share, attach_rate, attach_rate_service, attach_rate_warranty") \
	CHECK(metric_sample_day_finite, "metric_sample", "on_day date", &cec_days_finite)

CEC_ROW_CHECKS(metric, CHECKS)

static const CecQuery sample = {
	"SELECT cec._sample_metrics($1, $2)", 2, {OIDOID, DATEOID}, CURSOR_OPT_CUSTOM_PLAN, .results = {INT8OID}};

/* The task "metrics".  Only today can be seen: days that went by without a run have no sample, and a forecast makes none. */
static void
sample_metrics(CecRefresh *refresh)
{
	Datum args[] = {ObjectIdGetDatum(refresh->portfolio->nspid), DateADTGetDatum(refresh->today)};
	int64 count;
	bool isnull;

	if (refresh->first > refresh->today || refresh->last < refresh->today)
		return;
	SPI_connect();
	if (cec_query_run(refresh->portfolio->plans, &sample, args, NULL, 1) != 1)
		elog(ERROR, "no count of samples");
	count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	cec_refresh_count(refresh, "samples", count);
}

/* Registers with refresh. */
void
cec_metric_init(void)
{
	cec_refresh_register("metrics", SAMPLE_ORDER, sample_metrics);
}
