/*
 * finding_probe.c
 *		Looks up open findings, by asset and by rule.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "finding/finding_probe.h"
#include "support/probe.h"

struct CecFindingProbe
{
	CecProbe *probe;
	Snapshot snapshot;
	int64 asset_id;
	AttrNumber finding_id; /* columns */
	AttrNumber kind;
	AttrNumber rule_id;
	AttrNumber closed_at;
};

static const CecQuery open_findings_of_rule = {
	"SELECT finding_id, kind, asset_id FROM @P@.finding WHERE rule_id = $1 AND closed_at IS NULL AND asset_id IS NOT NULL ORDER BY asset_id",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, TEXTOID, INT8OID}};

/* Begins to look findings up by asset, as they are now. */
CecFindingProbe *
cec_finding_probe_begin(CecPortfolio *portfolio)
{
	CecFindingProbe *probe = palloc(sizeof(CecFindingProbe));

	probe->snapshot = cec_latest_snapshot();
	probe->probe =
		cec_probe_begin(cec_portfolio_open(portfolio, "finding", AccessShareLock), "asset_id", probe->snapshot);
	probe->finding_id = cec_probe_column(probe->probe, "finding_id", INT8OID);
	probe->kind = cec_probe_column(probe->probe, "kind", TEXTOID);
	probe->rule_id = cec_probe_nullable_column(probe->probe, "rule_id", INT8OID);
	probe->closed_at = cec_probe_nullable_column(probe->probe, "closed_at", TIMESTAMPTZOID);
	return probe;
}

/* Begins with the open findings about an asset. */
void
cec_finding_probe_seek(CecFindingProbe *probe, int64 asset_id)
{
	probe->asset_id = asset_id;
	cec_probe_seek(probe->probe, asset_id);
}

/* The next of them; false where there is none. */
bool
cec_finding_probe_next(CecFindingProbe *probe, CecOpenFinding *finding)
{
	TupleTableSlot *row;

	while ((row = cec_probe_next(probe->probe)) != NULL)
	{
		if (!row->tts_isnull[probe->closed_at - 1])
			continue;
		finding->finding_id = DatumGetInt64(row->tts_values[probe->finding_id - 1]);
		finding->kind = TextDatumGetCString(row->tts_values[probe->kind - 1]);
		finding->asset_id = probe->asset_id;
		finding->has_rule = !row->tts_isnull[probe->rule_id - 1];
		finding->rule_id = finding->has_rule ? DatumGetInt64(row->tts_values[probe->rule_id - 1]) : 0;
		return true;
	}
	return false;
}

void
cec_finding_probe_end(CecFindingProbe *probe)
{
	cec_probe_end(probe->probe);
	UnregisterSnapshot(probe->snapshot);
	pfree(probe);
}

/* The open findings about a rule and an asset, in order of the asset. */
CecOpenFinding *
cec_finding_of_rule(CecPortfolio *portfolio, int64 rule_id, int64 *count)
{
	Datum arg = Int64GetDatum(rule_id);
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	CecOpenFinding *result;

	SPI_connect();
	*count = cec_query_run(portfolio->plans, &open_findings_of_rule, &arg, NULL, 0);
	old = MemoryContextSwitchTo(cxt);
	result = palloc_extended(Max(*count, 1) * sizeof(CecOpenFinding), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < *count; i++)
	{
		HeapTuple tuple = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		bool isnull;

		CHECK_FOR_INTERRUPTS();
		result[i].finding_id = DatumGetInt64(SPI_getbinval(tuple, desc, 1, &isnull));
		result[i].kind = TextDatumGetCString(SPI_getbinval(tuple, desc, 2, &isnull));
		result[i].asset_id = DatumGetInt64(SPI_getbinval(tuple, desc, 3, &isnull));
		result[i].has_rule = true;
		result[i].rule_id = rule_id;
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	return result;
}
