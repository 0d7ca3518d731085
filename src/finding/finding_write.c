/*
 * finding_write.c
 *		Opens and closes findings.
 *
 * finding is a table on which users may have triggers, and what they do may change what other findings are about.  So whoever
 * settles findings reads all that they follow from first, and writes them together, when all of the change is recorded.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "finding/finding_write.h"

static const CecQuery open_findings = {
	"INSERT INTO @P@.finding (kind, severity, asset_id, contract_id, term_id, rule_id, detail)"
	" SELECT kind, severity, asset_id, contract_id, term_id, rule_id, detail::jsonb"
	" FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])"
	"  AS n(kind, severity, asset_id, contract_id, term_id, rule_id, detail) ON CONFLICT DO NOTHING",
	7,
	{TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TEXTARRAYOID},
	CURSOR_OPT_GENERIC_PLAN};

static const CecQuery close_findings = {
	"UPDATE @P@.finding SET closed_at = greatest(clock_timestamp(), opened_at) WHERE finding_id = ANY ($1) AND closed_at IS NULL",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN};

/* Has a finding opened, unless one of its kind and subject is open by then.  The finding is copied, its texts are not. */
void
cec_finding_open(CecFindingChange *change, const CecFinding *finding)
{
	CecFinding *copy = palloc(sizeof(CecFinding));

	*copy = *finding;
	change->opened = lappend(change->opened, copy);
}

/* Has a finding closed, unless it is closed by then. */
void
cec_finding_close(CecFindingChange *change, int64 finding_id)
{
	cec_ids_add(&change->closed, finding_id);
}

static Datum
text_array(Datum *texts, int count)
{
	return PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
write_opened(CecPortfolio *portfolio, const List *opened)
{
	Size size = list_length(opened) * sizeof(Datum);
	Datum *kinds = palloc_extended(size, MCXT_ALLOC_HUGE);
	Datum *severities = palloc_extended(size, MCXT_ALLOC_HUGE);
	Datum *details = palloc_extended(size, MCXT_ALLOC_HUGE);
	CecIds assets = {0};
	CecIds contracts = {0};
	CecIds terms = {0};
	CecIds rules = {0};
	Datum args[7];
	int count = 0;
	ListCell *cell;

	foreach (cell, opened)
	{
		const CecFinding *finding = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		kinds[count] = CStringGetTextDatum(finding->kind);
		severities[count] = CStringGetTextDatum(finding->severity);
		details[count++] = CStringGetTextDatum(finding->detail);
		cec_ids_add(&assets, finding->asset_id);
		cec_ids_add(&contracts, finding->contract_id);
		cec_ids_add(&terms, finding->term_id);
		cec_ids_add(&rules, finding->rule_id);
	}
	args[0] = text_array(kinds, count);
	args[1] = text_array(severities, count);
	args[2] = cec_ids_as_array(&assets);
	args[3] = cec_ids_as_array(&contracts);
	args[4] = cec_ids_as_array(&terms);
	args[5] = cec_ids_as_array(&rules);
	args[6] = text_array(details, count);
	cec_query_run(portfolio->plans, &open_findings, args, NULL, 0);
}

/* Closes and opens what is to be; acting as the owner of the portfolio is the caller's business. */
void
cec_finding_write(CecPortfolio *portfolio, CecFindingChange *change)
{
	if (change->closed.count == 0 && change->opened == NIL)
		return;
	SPI_connect();
	if (change->closed.count > 0)
	{
		Datum arg = cec_ids_as_array(&change->closed);

		cec_query_run(portfolio->plans, &close_findings, &arg, NULL, 0);
	}
	if (change->opened != NIL)
		write_opened(portfolio, change->opened);
	SPI_finish();
}
