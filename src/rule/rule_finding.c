/*
 * rule_finding.c
 *		Says which findings rule_unknown (on_unknown = flag) and rule_failed there are about assets that were judged.
 *
 * Judgements are noted while cover is computed, and told when all of the change is recorded (finding/finding_write.c).
 *
 * Of a failure nothing is kept but the SQLSTATE: the text of an error may hold what its reader may not see.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "init.h"
#include "portfolio/portfolio_today.h"
#include "finding/finding_probe.h"
#include "finding/finding_write.h"
#include "rule/rule_change.h"

#define UNKNOWN "rule_unknown"
#define FAILED "rule_failed"

/* Open findings about rules, of which the rule belongs to another term by now, or the term to another contract. */
static const CecQuery findings_elsewhere = {
	"SELECT f.finding_id, f.kind, f.severity, f.asset_id, t.contract_id, t.term_id, f.rule_id, f.detail::text"
	" FROM @P@.finding f JOIN @P@.coverage_rule r USING (rule_id) JOIN @P@.coverage_term t ON t.term_id = r.term_id"
	" WHERE f.rule_id = ANY ($1) AND f.closed_at IS NULL AND f.asset_id IS NOT NULL"
	" AND f.kind IN ('" FAILED "', '" UNKNOWN
	"') AND (f.contract_id, f.term_id) IS DISTINCT FROM (t.contract_id, t.term_id)",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID}};

/* What findings say, in their order: whether each is of a failure, the asset, the rule. */
static const CecQuery messages = {
	"SELECT format(CASE WHEN n.failed THEN 'Rule \"%s\" of contract %s fails for asset %s.'"
	" ELSE 'Rule \"%s\" of contract %s cannot be decided for asset %s: a fact that it asks for is not known.' END,"
	" r.name, c.number, coalesce(a.asset_tag, n.asset_id::text))"
	" FROM unnest($1::boolean[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS n(failed, asset_id, rule_id, place)"
	" LEFT JOIN @P@.asset a ON a.asset_id = n.asset_id LEFT JOIN @P@.coverage_rule r ON r.rule_id = n.rule_id"
	" LEFT JOIN @P@.coverage_term t ON t.term_id = r.term_id LEFT JOIN @P@.contract c ON c.contract_id = t.contract_id"
	" ORDER BY n.place",
	3,
	{BOOLARRAYOID, INT8ARRAYOID, INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTOID}};

/* What follows from what was judged. */
typedef struct Settling
{
	CecPortfolio *portfolio;
	CecRuleSet *set;
	DateADT today;
	CecFindingChange findings;
} Settling;

/* Whether a finding outlives that its rule is not run: why a rule is suspended stays open while it is. */
static bool
waits(const Settling *settling, const CecRule *rule, bool failed)
{
	return failed && !rule->is_active && rule->during.to > settling->today;
}

/* Whether an open finding is about a rule that failed, or about one that was unknown. */
static bool
is_about_rule(const CecOpenFinding *finding, bool *failed)
{
	*failed = strcmp(finding->kind, FAILED) == 0;
	return finding->has_rule && (*failed || strcmp(finding->kind, UNKNOWN) == 0);
}

/* There is a finding to open, unless there is one. */
static void
open_finding(Settling *settling, const CecOdd *odd)
{
	CecFinding finding = {.kind = UNKNOWN,
						  .severity = "warning",
						  .asset_id = odd->asset_id,
						  .contract_id = odd->contract_id,
						  .term_id = odd->term_id,
						  .rule_id = odd->rule_id,
						  .detail = "{}"};

	if (odd->sqlstate != 0)
	{
		finding.kind = FAILED;
		finding.severity = "error";
		finding.detail = psprintf("{\"sqlstate\": \"%s\"}", unpack_sql_state(odd->sqlstate));
	}
	cec_finding_open(&settling->findings, &finding);
}

/* Goes through what is open about a rule. */
static void
settle_rule(Settling *settling, const CecTold *told)
{
	const CecRule *rule = cec_rule_find(settling->set, told->id);
	int64 count;
	CecOpenFinding *open = cec_finding_of_rule(settling->portfolio, told->id, &count);
	int64 j = 0;

	for (int64 i = 0; i < count; i++)
	{
		bool failed;
		bool is_odd;

		CHECK_FOR_INTERRUPTS();
		if (!is_about_rule(&open[i], &failed))
			continue;
		while (j < told->count && told->odd[j].asset_id < open[i].asset_id)
			j++;
		is_odd = j < told->count && told->odd[j].asset_id == open[i].asset_id && failed == (told->odd[j].sqlstate != 0);
		if (!is_odd && (rule == NULL || !waits(settling, rule, failed)))
			cec_finding_close(&settling->findings, open[i].finding_id, true);
	}
	for (int64 i = 0; i < told->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		open_finding(settling, &told->odd[i]);
	}
}

static bool
calls_for(const CecTold *told, int64 rule_id, bool failed)
{
	for (int64 i = 0; i < told->count; i++)
		if (told->odd[i].rule_id == rule_id && (told->odd[i].sqlstate != 0) == failed)
			return true;
	return false;
}

/* Whether an open finding about an asset and a rule still says what is. */
static bool
still_holds(const Settling *settling, const CecTold *told, const CecRule *rule, bool failed)
{
	if (rule == NULL)
		return false;
	if (waits(settling, rule, failed) || calls_for(told, rule->rule_id, failed))
		return true;
	return rule->effect == CEC_RULE_INCLUDE && rule->is_active && !told->facts_changed; /* it was not judged */
}

/* Goes through what is open about an asset. */
static void
settle_asset(Settling *settling, CecFindingProbe *probe, const CecTold *told)
{
	CecOpenFinding finding;
	bool failed;

	cec_finding_probe_seek(probe, told->id);
	while (cec_finding_probe_next(probe, &finding))
		if (is_about_rule(&finding, &failed) &&
			!still_holds(settling, told, cec_rule_find(settling->set, finding.rule_id), failed))
			cec_finding_close(&settling->findings, finding.finding_id, true);
	for (int64 i = 0; i < told->count; i++)
		open_finding(settling, &told->odd[i]);
}

static void
settle_assets(Settling *settling, const List *assets)
{
	CecFindingProbe *probe = cec_finding_probe_begin(settling->portfolio);
	ListCell *cell;

	foreach (cell, assets)
	{
		CHECK_FOR_INTERRUPTS();
		settle_asset(settling, probe, lfirst(cell));
	}
	cec_finding_probe_end(probe);
}

/* Says of the findings that are to open what is wrong, for people. */
static void
add_messages(CecPortfolio *portfolio, List *opened)
{
	int count = list_length(opened);
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	Datum *failed;
	CecIds assets = {0};
	CecIds rules = {0};
	Datum args[3];
	int at = 0;
	ListCell *cell;

	if (count == 0)
		return;
	failed = palloc_extended(count * sizeof(Datum), MCXT_ALLOC_HUGE);
	foreach (cell, opened)
	{
		const CecFinding *finding = lfirst(cell);

		failed[at++] = BoolGetDatum(strcmp(finding->kind, FAILED) == 0);
		cec_ids_add(&assets, finding->asset_id);
		cec_ids_add(&rules, finding->rule_id);
	}
	args[0] = PointerGetDatum(construct_array(failed, count, BOOLOID, 1, true, TYPALIGN_CHAR));
	args[1] = cec_ids_as_array(&assets);
	args[2] = cec_ids_as_array(&rules);
	SPI_connect();
	if (cec_query_run(portfolio->plans, &messages, args, NULL, 0) != (uint64) count)
		elog(ERROR, "findings about rules were not described");
	old = MemoryContextSwitchTo(cxt);
	at = 0;
	foreach (cell, opened)
	{
		CecFinding *finding = lfirst(cell);
		bool isnull;

		CHECK_FOR_INTERRUPTS();
		finding->message =
			TextDatumGetCString(SPI_getbinval(SPI_tuptable->vals[at++], SPI_tuptable->tupdesc, 1, &isnull));
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
}

/*
 * What is open about rules that were moved to another term, or whose term was moved to another contract, is open there from
 * now on: of include rules and suspended ones too, which nobody asks again for that.
 */
static void
move_open(CecChange *change, const CecIds *rules)
{
	CecPortfolio *portfolio = change->portfolio;
	CecFindingChange findings = {.at = cec_delta_instant(&change->delta, 0)};
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	Datum arg;
	uint64 rows;

	if (rules->count == 0)
		return;
	arg = cec_ids_as_array(rules);
	SPI_connect();
	rows = cec_query_run(portfolio->plans, &findings_elsewhere, &arg, NULL, 0);
	old = MemoryContextSwitchTo(cxt);
	for (uint64 i = 0; i < rows; i++)
	{
		HeapTuple tuple = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		bool isnull;
		CecFinding there = {.kind = TextDatumGetCString(SPI_getbinval(tuple, desc, 2, &isnull)),
							.severity = TextDatumGetCString(SPI_getbinval(tuple, desc, 3, &isnull)),
							.asset_id = DatumGetInt64(SPI_getbinval(tuple, desc, 4, &isnull)),
							.contract_id = DatumGetInt64(SPI_getbinval(tuple, desc, 5, &isnull)),
							.term_id = DatumGetInt64(SPI_getbinval(tuple, desc, 6, &isnull)),
							.rule_id = DatumGetInt64(SPI_getbinval(tuple, desc, 7, &isnull)),
							.detail = TextDatumGetCString(SPI_getbinval(tuple, desc, 8, &isnull))};

		CHECK_FOR_INTERRUPTS();
		cec_finding_close(&findings, DatumGetInt64(SPI_getbinval(tuple, desc, 1, &isnull)), true);
		cec_finding_open(&findings, &there);
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	add_messages(portfolio, findings.opened);
	cec_finding_write(portfolio, &findings, cec_outbox_of(change));
}

/*
 * Handler of the find stage: opens and closes what there is to tell.  All is read before anything is written, since a trigger
 * of the user's on findings may change what this is about; what follows it is told by the statements of that trigger.
 */
static void
tell_of_rules(CecChange *change)
{
	CecRuleChange *state = cec_rule_change_if_any(change);
	Settling settling = {0};
	ListCell *cell;

	if (state == NULL)
		return;
	settling.portfolio = change->portfolio;
	settling.findings.at = cec_delta_instant(&change->delta, 0);
	settling.today = cec_change_today(change);
	settling.set = cec_rule_set_get(change->portfolio);
	foreach (cell, state->findings.rules)
	{
		settle_rule(&settling, lfirst(cell));
	}
	if (state->findings.assets != NIL)
		settle_assets(&settling, state->findings.assets);
	add_messages(settling.portfolio, settling.findings.opened);
	cec_finding_write(settling.portfolio, &settling.findings, cec_outbox_of(change));
	move_open(change, &state->moved);
}

/* Registers with the engine. */
void
cec_rule_finding_init(void)
{
	cec_change_register(CEC_STAGE_FIND, NULL, tell_of_rules);
}
