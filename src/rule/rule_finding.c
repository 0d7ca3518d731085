/*
 * rule_finding.c
 *		Opens and closes the findings rule_unknown (on_unknown = flag) and rule_failed of assets that were judged.
 *
 * Judgements are noted while cover is computed, and told when all of the change is recorded: finding is a table on which users
 * may have triggers.
 *
 * Of a failure nothing is kept but the SQLSTATE: the text of an error may hold what its reader may not see.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/elog.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "rule/rule_change.h"
#include "rule/rule_odd.h"
#include "support/id_list.h"
#include "support/probe.h"

static const CecQuery open_findings = {
	"INSERT INTO @P@.finding (kind, severity, asset_id, contract_id, term_id, rule_id, detail)"
	" SELECT CASE WHEN state = '' THEN 'rule_unknown' ELSE 'rule_failed' END,"
	"  CASE WHEN state = '' THEN 'warning' ELSE 'error' END, asset_id, contract_id, term_id, rule_id,"
	"  CASE WHEN state = '' THEN '{}' ELSE jsonb_build_object('sqlstate', state) END"
	" FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])"
	"  AS n(state, asset_id, contract_id, term_id, rule_id) ON CONFLICT DO NOTHING",
	5,
	{TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN};

static const CecQuery close_findings = {
	"UPDATE @P@.finding SET closed_at = greatest(clock_timestamp(), opened_at) WHERE finding_id = ANY ($1) AND closed_at IS NULL",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN};

#define IS_ELSEWHERE \
	"f.rule_id = ANY ($1) AND f.closed_at IS NULL" \
	" AND f.kind IN ('rule_failed', 'rule_unknown') AND (f.contract_id, f.term_id) IS DISTINCT FROM (t.contract_id, t.term_id)"

static const CecQuery is_to_move = {
	"SELECT f.finding_id FROM @P@.finding f JOIN @P@.coverage_rule r USING (rule_id) JOIN @P@.coverage_term t ON t.term_id = r.term_id WHERE " IS_ELSEWHERE,
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

static const CecQuery move_findings = {
	"WITH moved AS (UPDATE @P@.finding f SET closed_at = greatest(clock_timestamp(), f.opened_at)"
	"  FROM @P@.coverage_rule r JOIN @P@.coverage_term t USING (term_id) WHERE r.rule_id = f.rule_id AND " IS_ELSEWHERE
	"  RETURNING f.kind, f.severity, f.asset_id, t.contract_id, t.term_id, f.rule_id, f.detail)"
	" INSERT INTO @P@.finding (kind, severity, asset_id, contract_id, term_id, rule_id, detail)"
	" SELECT * FROM moved ON CONFLICT DO NOTHING",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN};

static const CecQuery open_findings_of_rule = {
	"SELECT finding_id, asset_id, (kind = 'rule_failed')::int::bigint FROM @P@.finding"
	" WHERE rule_id = $1 AND closed_at IS NULL"
	" AND asset_id IS NOT NULL AND kind IN ('rule_failed', 'rule_unknown') ORDER BY asset_id",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, INT8OID, INT8OID}};

/* What is to be written. */
typedef struct Settling
{
	CecPortfolio *portfolio;
	CecRuleSet *set;
	DateADT today;
	CecIds close;
	CecIds open_assets; /* these are parallel arrays */
	CecIds open_contracts;
	CecIds open_terms;
	CecIds open_rules;
	List *open_states;
} Settling;

/* Whether a finding outlives that its rule is not run: why a rule is suspended stays open while it is. */
static bool
waits(const Settling *settling, const CecRule *rule, bool failed)
{
	return failed && !rule->is_active && rule->during.to > settling->today;
}

/* There is a finding to open, unless there is one. */
static void
open_finding(Settling *settling, const CecOdd *odd)
{
	cec_ids_add(&settling->open_assets, odd->asset_id);
	cec_ids_add(&settling->open_contracts, odd->contract_id);
	cec_ids_add(&settling->open_terms, odd->term_id);
	cec_ids_add(&settling->open_rules, odd->rule_id);
	settling->open_states =
		lappend(settling->open_states, odd->sqlstate != 0 ? pstrdup(unpack_sql_state(odd->sqlstate)) : "");
}

/* Goes through what is open about a rule. */
static void
settle_rule(Settling *settling, const CecTold *told)
{
	const CecRule *rule = cec_rule_find(settling->set, told->id);
	Datum arg = Int64GetDatum(told->id);
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	uint64 rows;
	int64 j = 0;

	SPI_connect();
	rows = cec_query_run(settling->portfolio->plans, &open_findings_of_rule, &arg, NULL, 0);
	old = MemoryContextSwitchTo(cxt);
	for (uint64 i = 0; i < rows; i++)
	{
		bool isnull;
		HeapTuple tuple = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		int64 asset_id = DatumGetInt64(SPI_getbinval(tuple, desc, 2, &isnull));
		bool failed = DatumGetInt64(SPI_getbinval(tuple, desc, 3, &isnull)) != 0;
		bool is_odd;

		CHECK_FOR_INTERRUPTS();
		while (j < told->count && told->odd[j].asset_id < asset_id)
			j++;
		is_odd = j < told->count && told->odd[j].asset_id == asset_id && failed == (told->odd[j].sqlstate != 0);
		if (!is_odd && (rule == NULL || !waits(settling, rule, failed)))
			cec_ids_add(&settling->close, DatumGetInt64(SPI_getbinval(tuple, desc, 1, &isnull)));
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
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

/* The columns of findings. */
typedef struct FindingColumns
{
	AttrNumber finding_id;
	AttrNumber kind;
	AttrNumber rule_id;
	AttrNumber closed_at;
} FindingColumns;

/* Goes through what is open about an asset. */
static void
settle_asset(Settling *settling, CecProbe *probe, const FindingColumns *columns, const CecTold *told)
{
	TupleTableSlot *row;

	cec_probe_seek(probe, told->id);
	while ((row = cec_probe_next(probe)) != NULL)
	{
		int64 rule_id;
		char *kind;
		bool failed;

		if (!row->tts_isnull[columns->closed_at - 1] || row->tts_isnull[columns->rule_id - 1])
			continue;
		kind = TextDatumGetCString(row->tts_values[columns->kind - 1]);
		failed = strcmp(kind, "rule_failed") == 0;
		if (!failed && strcmp(kind, "rule_unknown") != 0)
			continue;
		rule_id = DatumGetInt64(row->tts_values[columns->rule_id - 1]);
		if (!still_holds(settling, told, cec_rule_find(settling->set, rule_id), failed))
			cec_ids_add(&settling->close, DatumGetInt64(row->tts_values[columns->finding_id - 1]));
	}
	for (int64 i = 0; i < told->count; i++)
		open_finding(settling, &told->odd[i]);
}

static void
settle_assets(Settling *settling, const List *assets)
{
	Snapshot snapshot = cec_latest_snapshot();
	CecProbe *probe =
		cec_probe_begin(cec_portfolio_open(settling->portfolio, "finding", AccessShareLock), "asset_id", snapshot);
	FindingColumns columns = {cec_probe_column(probe, "finding_id", INT8OID), cec_probe_column(probe, "kind", TEXTOID),
							  cec_probe_nullable_column(probe, "rule_id", INT8OID),
							  cec_probe_nullable_column(probe, "closed_at", TIMESTAMPTZOID)};
	ListCell *cell;

	foreach (cell, assets)
	{
		CHECK_FOR_INTERRUPTS();
		settle_asset(settling, probe, &columns, lfirst(cell));
	}
	cec_probe_end(probe);
	UnregisterSnapshot(snapshot);
}

static void
write_findings(Settling *settling)
{
	Datum args[5];
	Datum *states;
	int count = 0;
	ListCell *cell;

	if (settling->close.count == 0 && settling->open_assets.count == 0)
		return;
	SPI_connect();
	if (settling->close.count > 0)
	{
		args[0] = cec_ids_as_array(&settling->close);
		cec_query_run(settling->portfolio->plans, &close_findings, args, NULL, 0);
	}
	if (settling->open_assets.count > 0)
	{
		states = palloc_extended(settling->open_assets.count * sizeof(Datum), MCXT_ALLOC_HUGE);
		foreach (cell, settling->open_states)
			states[count++] = CStringGetTextDatum(lfirst(cell));
		args[0] = PointerGetDatum(construct_array(states, count, TEXTOID, -1, false, TYPALIGN_INT));
		args[1] = cec_ids_as_array(&settling->open_assets);
		args[2] = cec_ids_as_array(&settling->open_contracts);
		args[3] = cec_ids_as_array(&settling->open_terms);
		args[4] = cec_ids_as_array(&settling->open_rules);
		cec_query_run(settling->portfolio->plans, &open_findings, args, NULL, 0);
	}
	SPI_finish();
}

/*
 * What is open about rules that were moved to another term, or whose term was moved to another contract, is open there from
 * now on: of include rules and suspended ones too, which nobody asks again for that.
 */
static void
move_open(CecPortfolio *portfolio, const CecIds *rules)
{
	Datum arg;

	if (rules->count == 0)
		return;
	arg = cec_ids_as_array(rules);
	SPI_connect();
	if (cec_query_run(portfolio->plans, &is_to_move, &arg, NULL, 1) > 0)
		cec_query_run(portfolio->plans, &move_findings, &arg, NULL, 0);
	SPI_finish();
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
	settling.today = cec_rule_change_today(change);
	settling.set = cec_rule_set_get(change->portfolio);
	foreach (cell, state->findings.rules)
	{
		settle_rule(&settling, lfirst(cell));
	}
	if (state->findings.assets != NIL)
		settle_assets(&settling, state->findings.assets);
	write_findings(&settling);
	move_open(change->portfolio, &state->moved);
}

/* Registers with the engine. */
void
cec_rule_finding_init(void)
{
	cec_change_register(CEC_STAGE_FIND, NULL, tell_of_rules);
}
