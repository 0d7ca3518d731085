/*
 * rule_finding.c
 *		Opens and closes the findings rule_unknown (on_unknown = flag) and rule_failed of assets that were judged.
 *
 * Of a failure nothing is kept but the SQLSTATE: the text of an error may hold what its reader may not see.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/elog.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "id_list.h"
#include "probe.h"
#include "rule_finding.h"

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

struct CecRuleFindings
{
	CecPortfolio *portfolio;
	Snapshot snapshot;
	MemoryContext cxt;
	CecProbe *probe; /* NULL until needed */
	AttrNumber finding_id;
	AttrNumber kind;
	AttrNumber rule_id;
	AttrNumber closed_at;

	CecIds close;
	CecIds open_assets; /* these go side by side */
	CecIds open_contracts;
	CecIds open_terms;
	CecIds open_rules;
	List *open_states;
};

/* Starts; lives in the current memory context. */
CecRuleFindings *
cec_rule_findings_begin(CecPortfolio *portfolio, Snapshot snapshot)
{
	CecRuleFindings *findings = palloc0(sizeof(CecRuleFindings));

	findings->portfolio = portfolio;
	findings->snapshot = snapshot;
	findings->cxt = CurrentMemoryContext;
	return findings;
}

/* Whether a judgement calls for a finding. */
bool
cec_rule_is_odd(const CecJudgement *judgement)
{
	return judgement->verdict == CEC_VERDICT_FAILED ||
		   (judgement->verdict == CEC_VERDICT_UNKNOWN && judgement->rule->on_unknown == CEC_UNKNOWN_FLAG &&
			judgement->rule->is_active);
}

/* Whether a finding outlives that its rule is not run: why a rule is suspended stays open while it is. */
bool
cec_rule_finding_waits(const CecRule *rule, bool failed, DateADT today)
{
	return failed && !rule->is_active && rule->during.to > today;
}

/* A finding that is open no longer says what is. */
void
cec_rule_findings_close(CecRuleFindings *findings, int64 finding_id)
{
	MemoryContext old = MemoryContextSwitchTo(findings->cxt);

	cec_ids_add(&findings->close, finding_id);
	MemoryContextSwitchTo(old);
}

/* There is a finding to open, unless there is one. */
void
cec_rule_findings_open(CecRuleFindings *findings, int64 asset_id, const CecJudgement *judgement)
{
	MemoryContext old = MemoryContextSwitchTo(findings->cxt);

	cec_ids_add(&findings->open_assets, asset_id);
	cec_ids_add(&findings->open_contracts, judgement->rule->term->contract_id);
	cec_ids_add(&findings->open_terms, judgement->rule->term->term_id);
	cec_ids_add(&findings->open_rules, judgement->rule->rule_id);
	findings->open_states =
		lappend(findings->open_states,
				judgement->verdict == CEC_VERDICT_FAILED ? pstrdup(unpack_sql_state(judgement->sqlstate)) : "");
	MemoryContextSwitchTo(old);
}

static void
begin_reading(CecRuleFindings *findings)
{
	MemoryContext old = MemoryContextSwitchTo(findings->cxt);

	findings->probe = cec_probe_begin(cec_portfolio_open(findings->portfolio, "finding", AccessShareLock), "asset_id",
									  findings->snapshot);
	findings->finding_id = cec_probe_column(findings->probe, "finding_id", INT8OID);
	findings->kind = cec_probe_column(findings->probe, "kind", TEXTOID);
	findings->rule_id = cec_probe_nullable_column(findings->probe, "rule_id", INT8OID);
	findings->closed_at = cec_probe_nullable_column(findings->probe, "closed_at", TIMESTAMPTZOID);
	MemoryContextSwitchTo(old);
}

static const CecJudgement *
find_odd(const CecJudgement *odd, int odd_count, int64 rule_id, bool failed)
{
	for (int i = 0; i < odd_count; i++)
		if (odd[i].rule->rule_id == rule_id && (odd[i].verdict == CEC_VERDICT_FAILED) == failed)
			return &odd[i];
	return NULL;
}

/* Whether an open finding about the rule still says what is. */
static bool
still_holds(const CecRule *rule, const CecJudgement *odd, bool facts_changed)
{
	if (odd != NULL)
		return true;
	return rule->effect == CEC_RULE_INCLUDE && rule->is_active && !facts_changed; /* it was not judged */
}

/*
 * Opens and closes what there is to say of an asset whose cover was computed: odd are the judgements that call for a finding.
 * All rules that take cover away from it have been judged; those that qualify assets only when its facts have changed.
 */
void
cec_rule_findings_settle(CecRuleFindings *findings, CecRuleSet *set, int64 asset_id, bool facts_changed, DateADT today,
						 const CecJudgement *odd, int odd_count)
{
	TupleTableSlot *row;

	if (findings->probe == NULL)
		begin_reading(findings);
	cec_probe_seek(findings->probe, asset_id);
	while ((row = cec_probe_next(findings->probe)) != NULL)
	{
		int64 rule_id;
		CecRule *rule;
		char *kind;
		bool failed;

		if (!row->tts_isnull[findings->closed_at - 1] || row->tts_isnull[findings->rule_id - 1])
			continue;
		kind = TextDatumGetCString(row->tts_values[findings->kind - 1]);
		failed = strcmp(kind, "rule_failed") == 0;
		if (!failed && strcmp(kind, "rule_unknown") != 0)
			continue;
		rule_id = DatumGetInt64(row->tts_values[findings->rule_id - 1]);
		rule = cec_rule_find(set, rule_id);
		if (rule == NULL || !(cec_rule_finding_waits(rule, failed, today) ||
							  still_holds(rule, find_odd(odd, odd_count, rule_id, failed), facts_changed)))
			cec_rule_findings_close(findings, DatumGetInt64(row->tts_values[findings->finding_id - 1]));
	}
	for (int i = 0; i < odd_count; i++)
		cec_rule_findings_open(findings, asset_id, &odd[i]);
}

static void
write_findings(CecRuleFindings *findings)
{
	Datum args[5];
	Datum *states;
	int count = 0;
	ListCell *cell;

	SPI_connect();
	if (findings->close.count > 0)
	{
		args[0] = cec_ids_as_array(&findings->close);
		cec_query_run(findings->portfolio->plans, &close_findings, args, NULL, 0);
	}
	if (findings->open_assets.count > 0)
	{
		states = palloc_extended(findings->open_assets.count * sizeof(Datum), MCXT_ALLOC_HUGE);
		foreach (cell, findings->open_states)
			states[count++] = CStringGetTextDatum(lfirst(cell));
		args[0] = PointerGetDatum(construct_array(states, count, TEXTOID, -1, false, TYPALIGN_INT));
		args[1] = cec_ids_as_array(&findings->open_assets);
		args[2] = cec_ids_as_array(&findings->open_contracts);
		args[3] = cec_ids_as_array(&findings->open_terms);
		args[4] = cec_ids_as_array(&findings->open_rules);
		cec_query_run(findings->portfolio->plans, &open_findings, args, NULL, 0);
	}
	SPI_finish();
}

/* Writes what differs. */
void
cec_rule_findings_end(CecRuleFindings *findings)
{
	if (findings->probe != NULL)
		cec_probe_end(findings->probe);
	if (findings->close.count > 0 || findings->open_assets.count > 0)
		write_findings(findings);
	pfree(findings);
}

/*
 * What is open about rules that were moved to another term, or whose term was moved to another contract, is open there from
 * now on: of include rules and suspended ones too, which nobody asks again for that.
 */
void
cec_rule_findings_move(CecPortfolio *portfolio, const CecIds *rules)
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
