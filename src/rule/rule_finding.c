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
	"UPDATE @P@.finding SET closed_at = clock_timestamp() WHERE finding_id = ANY ($1) AND closed_at IS NULL",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN};

/* An open finding about a rule and the asset in hand. */
typedef struct OpenFinding
{
	int64 finding_id;
	int64 rule_id;
	bool failed;
	bool is_settled; /* a judgement has said what becomes of it */
} OpenFinding;

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

	int64 asset_id; /* whose judgements follow */
	bool facts_changed;
	int open_count; /* its open findings */
	int open_space;
	OpenFinding *open;

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

static bool
wants_finding(const CecJudgement *judgement)
{
	return judgement->verdict == CEC_VERDICT_FAILED ||
		   (judgement->verdict == CEC_VERDICT_UNKNOWN && judgement->rule->on_unknown == CEC_UNKNOWN_FLAG &&
			judgement->rule->is_active);
}

static void
add_finding(CecRuleFindings *findings, const CecJudgement *judgement)
{
	cec_ids_add(&findings->open_assets, findings->asset_id);
	cec_ids_add(&findings->open_contracts, judgement->rule->term->contract_id);
	cec_ids_add(&findings->open_terms, judgement->rule->term->term_id);
	cec_ids_add(&findings->open_rules, judgement->rule->rule_id);
	findings->open_states =
		lappend(findings->open_states, judgement->verdict == CEC_VERDICT_FAILED
										   ? pstrdup(unpack_sql_state(judgement->sqlstate))
										   : "");
}

static void
begin_reading(CecRuleFindings *findings)
{
	findings->probe =
		cec_probe_begin(cec_portfolio_relation(findings->portfolio, "finding"), "asset_id", findings->snapshot);
	findings->finding_id = cec_probe_column(findings->probe, "finding_id", INT8OID);
	findings->kind = cec_probe_column(findings->probe, "kind", TEXTOID);
	findings->rule_id = cec_probe_nullable_column(findings->probe, "rule_id", INT8OID);
	findings->closed_at = cec_probe_nullable_column(findings->probe, "closed_at", TIMESTAMPTZOID);
}

static void
add_open(CecRuleFindings *findings, OpenFinding finding)
{
	if (findings->open_count == findings->open_space)
	{
		findings->open_space = findings->open_space == 0 ? 8 : findings->open_space * 2;
		findings->open = findings->open == NULL ? palloc(findings->open_space * sizeof(OpenFinding))
												: repalloc_huge(findings->open, findings->open_space * sizeof(OpenFinding));
	}
	findings->open[findings->open_count++] = finding;
}

static void
read_open(CecRuleFindings *findings)
{
	TupleTableSlot *row;

	findings->open_count = 0;
	if (findings->probe == NULL)
		begin_reading(findings);
	cec_probe_seek(findings->probe, findings->asset_id);
	while ((row = cec_probe_next(findings->probe)) != NULL)
	{
		char *kind;

		if (!row->tts_isnull[findings->closed_at - 1] || row->tts_isnull[findings->rule_id - 1])
			continue;
		kind = TextDatumGetCString(row->tts_values[findings->kind - 1]);
		if (strcmp(kind, "rule_failed") == 0 || strcmp(kind, "rule_unknown") == 0)
			add_open(findings, (OpenFinding){DatumGetInt64(row->tts_values[findings->finding_id - 1]),
											 DatumGetInt64(row->tts_values[findings->rule_id - 1]), kind[5] == 'f'});
	}
}

/* What no judgement has spoken of goes when the asset was judged by all that can say something of it. */
static void
finish_asset(CecRuleFindings *findings)
{
	for (int i = 0; findings->facts_changed && i < findings->open_count; i++)
		if (!findings->open[i].is_settled)
			cec_ids_add(&findings->close, findings->open[i].finding_id);
	findings->open_count = 0;
	findings->facts_changed = false;
}

static void
go_to_asset(CecRuleFindings *findings, int64 asset_id)
{
	if (findings->asset_id == asset_id)
		return;
	finish_asset(findings);
	findings->asset_id = asset_id;
	read_open(findings);
}

/* Takes a judgement into account; those of one asset come together. */
void
cec_rule_findings_judged(CecRuleFindings *findings, int64 asset_id, const CecJudgement *judgement)
{
	MemoryContext old = MemoryContextSwitchTo(findings->cxt);
	bool wanted = wants_finding(judgement);

	go_to_asset(findings, asset_id);
	for (int i = 0; i < findings->open_count; i++)
	{
		OpenFinding *open = &findings->open[i];

		if (open->rule_id != judgement->rule->rule_id || open->is_settled)
			continue;
		open->is_settled = true;
		/* A suspended rule is not run: why it is suspended stays open. */
		if (!judgement->rule->is_active || (wanted && open->failed == (judgement->verdict == CEC_VERDICT_FAILED)))
			wanted = false;
		else
			cec_ids_add(&findings->close, open->finding_id);
	}
	if (wanted)
		add_finding(findings, judgement);
	MemoryContextSwitchTo(old);
}

/* The asset was judged by all include rules that can match it: the others have nothing to say of it any more. */
void
cec_rule_findings_facts_changed(CecRuleFindings *findings, int64 asset_id)
{
	MemoryContext old = MemoryContextSwitchTo(findings->cxt);

	go_to_asset(findings, asset_id);
	findings->facts_changed = true;
	MemoryContextSwitchTo(old);
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
	finish_asset(findings);
	if (findings->probe != NULL)
		cec_probe_end(findings->probe);
	if (findings->close.count > 0 || findings->open_assets.count > 0)
		write_findings(findings);
	pfree(findings);
}
