/*
 * rule_match.c
 *		Judges the whole register by one rule: a query of the server's executor over the fact row.
 *
 * The query is the rule's condition, as it was compiled, over the columns that conditions may read, so that it says the
 * same as the compiled expression.  What only some conditions read costs nothing to the others.  Where the condition raises an
 * error for some asset, or the query takes too long, the assets are judged one by one instead.
 *
 * What is unknown or failed is told apart as "odd", for findings.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "rule_effect.h"
#include "rule_finding.h"
#include "rule_match.h"
#include "rule_stages.h"

#define FETCH 1000
/* Seconds that a query may take for sure, and for a million assets. */
#define PATIENCE_S 10
#define PATIENCE_PER_MILLION_S 20
/* After so many assets whose judgement took too long, the rest are not tried. */
#define MAX_SLOW 10

static const CecQuery all_assets = {"SELECT asset_id FROM @P@.asset ORDER BY asset_id"};

static const CecQuery open_findings_of_rule = {
	"SELECT asset_id FROM @P@.finding WHERE rule_id = $1 AND closed_at IS NULL AND asset_id IS NOT NULL"
	" AND kind IN ('rule_failed', 'rule_unknown') ORDER BY asset_id",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN};

/* The fact row as a query; the parameters are as_of, the term's columns, the boundary and the time zone. */
static const char fact_query[] =
	"SELECT a.asset_id, a.asset_tag, a.tag_symbology, a.serial_number, a.manufacturer, a.model, a.category, a.usage_type,"
	" a.status, a.customer_id, a.country, a.region, a.location, a.commissioned_on, a.decommissioned_on, a.out_of_service,"
	" a.successor_id, a.attributes, a.source, a.source_updated_at, $1 AS as_of, $2 AS contract_number, $3 AS contract_kind,"
	" $4 AS governing_country, $5 AS tier_code, $6 AS tier_rank, $7 AS boundary,"
	" (SELECT array_agg(m.kind ORDER BY m.event_id) FROM %1$s.maintenance_event m WHERE m.asset_id = a.asset_id)"
	"  AS maintenance_kinds,"
	" (SELECT array_agg(m.performed_on ORDER BY m.event_id) FROM %1$s.maintenance_event m WHERE m.asset_id = a.asset_id)"
	"  AS maintenance_days,"
	" (SELECT array_agg((q.opened_at AT TIME ZONE $8)::date ORDER BY q.request_id) FROM %1$s.service_request q"
	"  WHERE q.asset_id = a.asset_id AND isfinite(q.opened_at)) AS request_days"
	" FROM %1$s.asset a";

#define PARAMETERS 8

static void
pin(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

static void
add_odd(CecRuleMatch *match, int64 asset_id, CecVerdict verdict, int sqlstate)
{
	if (match->odd_count == match->odd_space)
	{
		match->odd_space = match->odd_space == 0 ? 16 : match->odd_space * 2;
		match->odd = match->odd == NULL ? palloc(match->odd_space * sizeof(CecOddMatch))
										: repalloc_huge(match->odd, match->odd_space * sizeof(CecOddMatch));
	}
	match->odd[match->odd_count++] = (CecOddMatch){asset_id, verdict, sqlstate};
}

/* WHERE … for the assets that the rule acts on or that are odd; the query's second column says which are unknown. */
static char *
make_query(CecRuleSet *set, CecRule *rule)
{
	const char *schema = quote_identifier(get_namespace_name(set->nspid));
	const char *condition = rule->is_active ? cec_rule_condition(rule)->sql : "NULL::boolean";
	bool acts_if_true = cec_rule_acts(rule, CEC_VERDICT_TRUE);
	bool wants_unknown = cec_rule_acts(rule, CEC_VERDICT_UNKNOWN) || rule->on_unknown == CEC_UNKNOWN_FLAG;
	StringInfoData sql;

	initStringInfo(&sql);
	if (wants_unknown)
		appendStringInfo(&sql, "SELECT f.asset_id, (%s) IS NULL FROM (", condition);
	else
		appendStringInfoString(&sql, "SELECT f.asset_id, false FROM (");
	appendStringInfo(&sql, fact_query, schema);
	appendStringInfo(&sql, ") AS f WHERE (%s)%s", condition,
					 wants_unknown	? acts_if_true ? " IS NOT FALSE" : " IS NOT TRUE"
					 : acts_if_true ? ""
									: " IS FALSE");
	return sql.data;
}

static void
bind_parameters(CecRuleSet *set, CecRule *rule, DateADT as_of, Oid *types, Datum *values, char *nulls)
{
	CecRuleTerm *term = rule->term;
	TupleDesc desc = cec_fact_descriptor();
	int n = 0;

	types[n] = DATEOID;
	values[n] = DateADTGetDatum(as_of);
	nulls[n++] = ' ';
	for (int i = 0; i < CEC_FACT_TERM_COLUMNS; i++, n++)
	{
		types[n] = TupleDescAttr(desc, CEC_FACT_CONTRACT_NUMBER - 1 + i)->atttypid;
		values[n] = term->values[i];
		nulls[n] = term->isnull[i] ? 'n' : ' ';
	}
	types[n] = cec_geometry_type();
	values[n] = term->boundary;
	nulls[n++] = term->boundary == 0 ? 'n' : ' ';
	types[n] = TEXTOID;
	values[n] = CStringGetTextDatum(set->zone == NULL ? "UTC" : pg_get_timezone_name(set->zone));
	nulls[n] = ' ';
}

/* Asks the executor.  Raises what the condition raises. */
static void
ask_executor(CecRuleSet *set, CecRule *rule, Snapshot snapshot, DateADT as_of, CecRuleMatch *match)
{
	MemoryContext cxt = CurrentMemoryContext;
	Oid types[PARAMETERS];
	Datum values[PARAMETERS];
	char nulls[PARAMETERS];
	int nest_level = NewGUCNestLevel();
	bool acts_if_unknown = cec_rule_acts(rule, CEC_VERDICT_UNKNOWN);
	Portal portal;
	char *sql;

	pin("DateStyle", "ISO, YMD");
	pin("IntervalStyle", "postgres");
	pin("TimeZone", "UTC");
	pin("extra_float_digits", "1");
	sql = make_query(set, rule);
	bind_parameters(set, rule, as_of, types, values, nulls);
	SPI_connect();
	PushActiveSnapshot(snapshot);
	portal = SPI_cursor_open_with_args(NULL, sql, PARAMETERS, types, values, nulls, true, CURSOR_OPT_CUSTOM_PLAN);
	for (;;)
	{
		MemoryContext spi_cxt;

		SPI_cursor_fetch(portal, true, FETCH);
		if (SPI_processed == 0)
			break;
		spi_cxt = MemoryContextSwitchTo(cxt);
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			bool isnull;
			int64 asset_id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
			bool unknown = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull));

			if (unknown)
				add_odd(match, asset_id, CEC_VERDICT_UNKNOWN, 0);
			if (!unknown || acts_if_unknown)
				cec_ids_add(&match->acting, asset_id);
		}
		MemoryContextSwitchTo(spi_cxt);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	PopActiveSnapshot();
	SPI_finish();
	AtEOXact_GUC(true, nest_level);
}

static int
patience(CecRuleSet *set)
{
	Relation asset = RelationIdGetRelation(cec_portfolio_relation(set->portfolio, "asset"));
	double millions = asset == NULL ? 0 : Max(asset->rd_rel->reltuples, 0) / 1e6;

	if (asset != NULL)
		RelationClose(asset);
	return 2 * (PATIENCE_S + (int) (millions * PATIENCE_PER_MILLION_S));
}

/* Asks the executor in a subtransaction; false when the condition raised an error, or took too long. */
static bool
try_executor(CecRuleSet *set, CecRule *rule, Snapshot snapshot, DateADT as_of, CecRuleMatch *match)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Oid user;
	int context;
	volatile bool answered = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		GetUserIdAndSecContext(&user, &context);
		SetUserIdAndSecContext(user, context | SECURITY_RESTRICTED_OPERATION);
		cec_rule_deadline_enter(patience(set));
		ask_executor(set, rule, snapshot, as_of, match);
		(void) cec_rule_deadline_leave(); /* late, but there */
		SetUserIdAndSecContext(user, context);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData *error;
		bool passed = cec_rule_deadline_leave();

		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
		if (cec_rule_error_is_fatal(error->sqlerrcode) && !(passed && error->sqlerrcode == ERRCODE_QUERY_CANCELED))
			ReThrowError(error);
		FreeErrorData(error);
		answered = false;
	}
	PG_END_TRY();
	return answered;
}

/* One asset after the other. */
static void
ask_one_by_one(CecRuleSet *set, CecRule *rule, Snapshot snapshot, DateADT as_of, CecRuleMatch *match)
{
	CecRuleFacts *facts = cec_rule_facts_begin(set, snapshot, as_of);
	CecIds assets = {0};
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	uint64 rows;
	int slow = 0;

	SPI_connect();
	rows = cec_query_run(set->portfolio->plans, &all_assets, NULL, NULL, 0);
	old = MemoryContextSwitchTo(cxt);
	for (uint64 i = 0; i < rows; i++)
	{
		bool isnull;

		cec_ids_add(&assets, DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull)));
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	for (int64 i = 0; i < assets.count; i++)
	{
		CecJudgement judgement = {rule, CEC_VERDICT_FAILED, ERRCODE_QUERY_CANCELED};

		CHECK_FOR_INTERRUPTS();
		if (slow < MAX_SLOW && cec_rule_facts_seek(facts, assets.ids[i]))
			cec_rule_evaluate(facts, &judgement, 1);
		if (judgement.verdict == CEC_VERDICT_FAILED && judgement.sqlstate == ERRCODE_QUERY_CANCELED)
			slow++;
		if (judgement.verdict == CEC_VERDICT_FAILED || judgement.verdict == CEC_VERDICT_UNKNOWN)
			add_odd(match, assets.ids[i], judgement.verdict, judgement.sqlstate);
		if (cec_rule_acts(rule, judgement.verdict))
			cec_ids_add(&match->acting, assets.ids[i]);
	}
	cec_rule_facts_end(facts);
}

static int
compare_odd(const void *one, const void *other)
{
	const CecOddMatch *a = one;
	const CecOddMatch *b = other;

	return a->asset_id < b->asset_id ? -1 : a->asset_id > b->asset_id;
}

/* What a rule says of every asset that the snapshot shows, on a day.  The result is in the current memory context. */
CecRuleMatch
cec_rule_match(CecRuleSet *set, CecRule *rule, Snapshot snapshot, DateADT as_of)
{
	CecRuleMatch match = {0};

	if (!rule->is_active && !cec_rule_acts(rule, CEC_VERDICT_UNKNOWN))
		return match;
	cec_rule_read_boundary(set, rule->term);
	cec_rule_deadline_start();
	if (!try_executor(set, rule, snapshot, as_of, &match))
	{
		match = (CecRuleMatch){0};
		ask_one_by_one(set, rule, snapshot, as_of, &match);
	}
	cec_rule_deadline_stop();
	cec_ids_sort_unique(&match.acting);
	if (match.odd_count > 1)
		qsort(match.odd, match.odd_count, sizeof(CecOddMatch), compare_odd);
	return match;
}

static void
put_findings(CecRuleSet *set, CecRule *rule, Snapshot snapshot, const CecRuleMatch *match)
{
	CecRuleFindings *findings = cec_rule_findings_begin(set->portfolio, snapshot);
	CecIds open = {0};
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext old;
	Datum arg = Int64GetDatum(rule->rule_id);
	uint64 rows;
	int64 j = 0;

	SPI_connect();
	rows = cec_query_run(set->portfolio->plans, &open_findings_of_rule, &arg, NULL, 0);
	old = MemoryContextSwitchTo(cxt);
	for (uint64 i = 0; i < rows; i++)
	{
		bool isnull;

		cec_ids_add(&open, DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull)));
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	for (int64 i = 0; i < match->odd_count; i++)
	{
		CecJudgement judgement = {rule, match->odd[i].verdict, match->odd[i].sqlstate};

		CHECK_FOR_INTERRUPTS();
		cec_rule_findings_judged(findings, match->odd[i].asset_id, &judgement);
	}
	for (int64 i = 0; i < open.count; i++)
	{
		CecJudgement judgement = {rule, CEC_VERDICT_FALSE, 0};

		while (j < match->odd_count && match->odd[j].asset_id < open.ids[i])
			j++;
		if (j == match->odd_count || match->odd[j].asset_id != open.ids[i])
			cec_rule_findings_judged(findings, open.ids[i], &judgement);
	}
	cec_rule_findings_end(findings);
}

/* Decides for every asset whether the rule, NULL for one that is gone, acts on it; acting is in order. */
static void
put_effects(CecPortfolio *portfolio, int64 rule_id, CecRule *rule, Snapshot snapshot, DateADT today,
			const CecIds *acting, CecIds *changed)
{
	CecEffects *effects = cec_effects_begin(portfolio, snapshot);
	CecEffectRows rows = {0};
	int64 i = 0;
	int64 j = 0;

	cec_effects_of_rule(effects, rule_id, &rows);
	while (i < rows.count || j < acting->count)
	{
		int64 asset_id = i == rows.count ? acting->ids[j] : rows.rows[i].asset_id;
		bool acts;
		int64 count = 0;
		CecDaySet days;

		CHECK_FOR_INTERRUPTS();
		if (j < acting->count)
			asset_id = Min(asset_id, acting->ids[j]);
		acts = j < acting->count && acting->ids[j] == asset_id;
		while (i + count < rows.count && rows.rows[i + count].asset_id == asset_id)
			count++;
		days = cec_effect_decide(rows.rows + i, count, rule, today, acts);
		if (cec_effects_put(effects, rule_id, asset_id, rows.rows + i, count, &days))
			cec_ids_add(changed, asset_id);
		if (days.spans != NULL)
			pfree(days.spans);
		i += count;
		j += acts;
	}
	(void) cec_effects_end(effects);
}

/*
 * Decides for the whole register whether the rule acts, from today on; adds the assets for which that changed something.  The
 * caller has the portfolio alone.
 */
void
cec_rule_decide_all(CecRuleSet *set, CecRule *rule, Snapshot snapshot, DateADT today, CecIds *changed)
{
	CecRuleMatch match = {0};

	if (rule->during.to > today)
		match = cec_rule_match(set, rule, snapshot, today);
	put_effects(set->portfolio, rule->rule_id, rule, snapshot, today, &match.acting, changed);
	put_findings(set, rule, snapshot, &match);
}

/* Takes back what a rule that is gone was to do from today on. */
void
cec_rule_forget(CecPortfolio *portfolio, int64 rule_id, Snapshot snapshot, DateADT today, CecIds *changed)
{
	CecIds none = {0};

	put_effects(portfolio, rule_id, NULL, snapshot, today, &none, changed);
}
