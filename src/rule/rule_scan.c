/*
 * rule_scan.c
 *		Judges the whole register by one rule: a query of the server's executor over the fact row.
 *
 * The query is the rule's condition, as it was compiled, over the columns that conditions may read, so that it says the
 * same as the compiled expression.  What only some conditions read costs nothing to the others.  Where the condition raises an
 * error for some asset, or the query takes too long, the assets are judged one by one instead.
 *
 * What is unknown or failed is told apart as "odd", for findings.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "condition/condition_compile.h"
#include "portfolio/portfolio_today.h"
#include "rule/rule_index.h"
#include "rule/rule_scan.h"
#include "support/attempt.h"
#include "support/grow.h"

#define FETCH 1000
#define FEW 4
/*
 * Milliseconds that a query may take for sure, and for a million assets.  While everybody waits for the rule to be decided it is
 * given little, since there is another way, and no more than the better part of what the rule may take at all; somebody who
 * only asks may wait.
 */
#define PATIENCE 1000.0
#define PATIENCE_OF_ASKER 10000.0
#define PATIENCE_PER_MILLION 60000.0
#define QUERY_SHARE 0.8
#define ASSETS_PER_PAGE 30
/* After so many assets whose judgement took too long, and when the rule's time is up, the rest are not tried. */
#define MAX_SLOW 3

static const CecQuery all_assets = {"SELECT asset_id FROM @P@.asset ORDER BY asset_id", .results = {INT8OID}};

/* The fact row as a query; the parameters are as_of, the term's columns, the boundary, the time zone, the boundary as geography. */
static const char fact_query[] =
	"SELECT a.asset_id, a.asset_tag, a.tag_symbology, a.serial_number, a.manufacturer, a.model, a.category, a.usage_type,"
	" a.status, a.customer_id, a.country, a.region, a.location, a.commissioned_on, a.decommissioned_on, a.out_of_service,"
	" a.successor_id, a.attributes, a.source, a.source_updated_at, $1 AS as_of, $2 COLLATE \"C\" AS contract_number,"
	" $3 COLLATE \"C\" AS contract_kind, $4 COLLATE \"C\" AS governing_country, $5 COLLATE \"C\" AS tier_code, $6 AS tier_rank, $7 AS boundary, $9 AS boundary_on_globe,"
	" (SELECT array_agg(m.kind ORDER BY m.event_id) FROM %1$s.maintenance_event m WHERE m.asset_id = a.asset_id)"
	"  AS maintenance_kinds,"
	" (SELECT array_agg(m.performed_on ORDER BY m.event_id) FROM %1$s.maintenance_event m WHERE m.asset_id = a.asset_id)"
	"  AS maintenance_days,"
	" (SELECT array_agg((q.opened_at AT TIME ZONE $8)::date ORDER BY q.request_id) FROM %1$s.service_request q"
	"  WHERE q.asset_id = a.asset_id AND isfinite(q.opened_at)) AS request_days"
	" FROM %1$s.asset a";

#define PARAMETERS 9

/* A rule, and what is asked of it. */
typedef struct Asking
{
	CecRuleSet *set;
	CecRule *rule;
	Snapshot snapshot;
	DateADT as_of;
	pg_tz *zone;	   /* of the portfolio; NULL: the caller may not see it */
	CecRuleScan *scan; /* the answer */
} Asking;

static void
add_odd(CecRuleScan *scan, int64 asset_id, CecVerdict verdict, int sqlstate)
{
	CEC_MAKE_ROOM(scan->odd, scan->odd_count, scan->odd_space, 16);
	scan->odd[scan->odd_count++] = (CecOddAsset){asset_id, verdict, sqlstate};
}

/* How often a condition looks at what is gathered from the tables of events. */
static int
count_gathered(const CecCondition *condition)
{
	List *vars = pull_var_clause((Node *) condition->expr, 0);
	ListCell *cell;
	int count = 0;

	foreach (cell, vars)
		count += lfirst_node(Var, cell)->varattno > CEC_FACT_BOUNDARY_ON_GLOBE;
	return count;
}

/*
 * WHERE … for the assets that the rule acts on or that are odd; the query's second column says which are unknown.  The
 * planner takes an AND apart and runs what is cheap first, and so perhaps what the part before it was to keep from failing.
 * Therefore a condition that may raise stands inside a test even where that says the same, and what is known beforehand of
 * the term must not be folded into it: it would raise less than the compiled condition does.
 */
static char *
make_query(CecRuleSet *set, CecRule *rule, bool *may_raise, bool *measures)
{
	const char *schema = quote_identifier(get_namespace_name(set->nspid));
	CecCondition *compiled = rule->is_active ? cec_condition_compile(rule->compiled->text, CEC_SPEAKER_RULE) : NULL;
	const char *condition = compiled != NULL ? compiled->sql : "NULL::boolean";
	bool acts_if_true = cec_rule_acts(rule, CEC_VERDICT_TRUE);
	bool wants_unknown = cec_rule_acts(rule, CEC_VERDICT_UNKNOWN) || rule->on_unknown == CEC_UNKNOWN_FLAG;
	const char *test;
	StringInfoData sql;

	*may_raise = compiled != NULL && cec_condition_may_raise(compiled);
	*measures = compiled != NULL && bms_is_member(CEC_FACT_BOUNDARY_ON_GLOBE, compiled->facts);
	if (acts_if_true)
		test = wants_unknown ? "IS NOT FALSE" : *may_raise ? "IS TRUE" : "";
	else
		test = wants_unknown ? "IS NOT TRUE" : "IS FALSE";
	initStringInfo(&sql);
	/* The schema is put in here and not by looking for a mark, which a condition may hold, too. */
	appendStringInfo(&sql, CEC_QUERY_MARK "%u */ ", set->nspid);
	if (wants_unknown)
		appendStringInfo(&sql, "SELECT f.asset_id, (%s) IS NULL FROM (", condition);
	else
		appendStringInfoString(&sql, "SELECT f.asset_id, false FROM (");
	appendStringInfo(&sql, fact_query, schema);
	/* The planner would gather events anew for each place that looks at them. */
	if (compiled != NULL && count_gathered(compiled) > FEW)
		appendStringInfoString(&sql, " OFFSET 0");
	appendStringInfo(&sql, ") AS f WHERE (%s) %s", condition, test);
	return sql.data;
}

static void
bind_parameters(const Asking *asking, Oid *types, Datum *values, char *nulls)
{
	CecRuleTerm *term = asking->rule->term;
	TupleDesc desc = cec_fact_descriptor();
	int n = 0;

	types[n] = DATEOID;
	values[n] = DateADTGetDatum(asking->as_of);
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
	values[n] = CStringGetTextDatum(asking->zone == NULL ? "UTC" : pg_get_timezone_name(asking->zone));
	nulls[n++] = ' ';
	types[n] = cec_geography_type();
	values[n] = term->boundary_on_globe;
	nulls[n] = term->boundary_on_globe == 0 ? 'n' : ' ';
}

/* Asks the executor.  Raises what the condition raises. */
static void
scan_by_executor(const Asking *asking)
{
	CecRule *rule = asking->rule;
	MemoryContext cxt = CurrentMemoryContext;
	Oid types[PARAMETERS];
	Datum values[PARAMETERS];
	char nulls[PARAMETERS];
	int nest_level = NewGUCNestLevel();
	bool acts_if_unknown = cec_rule_acts(rule, CEC_VERDICT_UNKNOWN);
	Portal portal;
	char *sql;
	bool may_raise;
	bool measures;

	cec_condition_pin_settings();
	sql = make_query(asking->set, rule, &may_raise, &measures);
	if (measures)
		cec_rule_project_boundary(asking->set, rule->term);
	bind_parameters(asking, types, values, nulls);
	SPI_connect();
	PushActiveSnapshot(asking->snapshot);
	portal = SPI_cursor_open_with_args(NULL, sql, PARAMETERS, types, values, nulls, true,
									   may_raise ? CURSOR_OPT_GENERIC_PLAN : CURSOR_OPT_CUSTOM_PLAN);
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
				add_odd(asking->scan, asset_id, CEC_VERDICT_UNKNOWN, 0);
			if (!unknown || acts_if_unknown)
				cec_ids_add(&asking->scan->acting, asset_id);
		}
		MemoryContextSwitchTo(spi_cxt);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	PopActiveSnapshot();
	SPI_finish();
	AtEOXact_GUC(false, nest_level);
}

/* Milliseconds, by the size of the table: statistics may be older than what is in it. */
static double
patience(CecRuleSet *set, double ms)
{
	Relation asset = cec_portfolio_open(set->portfolio, "asset", AccessShareLock);
	double millions = RelationGetNumberOfBlocks(asset) * ASSETS_PER_PAGE / 1e6;

	table_close(asset, NoLock);
	return ms + millions * PATIENCE_PER_MILLION;
}

/* The executor, with little time. */
static void
try_executor(void *arg)
{
	const Asking *asking = arg;
	CecActAs act;

	cec_act_restricted(&act);
	cec_deadline_enter_for(Min(patience(asking->set, PATIENCE), QUERY_SHARE * cec_rule_time_left(asking->rule)));
	scan_by_executor(asking);
	(void) cec_deadline_leave(); /* late, but there */
	cec_act_as_self(&act);
}

/* One asset after the other. */
static void
scan_one_by_one(const Asking *asking)
{
	CecRuleSet *set = asking->set;
	CecRule *rule = asking->rule;
	CecRuleScan *scan = asking->scan;
	CecRuleFacts *facts = cec_rule_facts_begin(set, asking->snapshot, asking->as_of);
	CecIds assets = {0};
	int slow = 0;

	cec_query_ids(set->portfolio->plans, &all_assets, NULL, &assets);
	for (int64 i = 0; i < assets.count; i++)
	{
		CecJudgement judgement = {rule, CEC_VERDICT_FAILED, ERRCODE_QUERY_CANCELED};

		CHECK_FOR_INTERRUPTS();
		if (slow < MAX_SLOW && cec_rule_time_left(rule) > 0 && cec_rule_facts_seek(facts, assets.ids[i]))
		{
			/* As when the asset changes: what is no candidate is not run, whatever it would raise. */
			if (cec_rule_is_candidate(set, rule, cec_rule_facts_asset(facts)))
				cec_rule_evaluate(facts, &judgement, 1);
			else
				judgement.verdict = CEC_VERDICT_FALSE;
		}
		if (judgement.verdict == CEC_VERDICT_FAILED && judgement.sqlstate == ERRCODE_QUERY_CANCELED)
			slow++;
		if (judgement.verdict == CEC_VERDICT_FAILED || judgement.verdict == CEC_VERDICT_UNKNOWN)
			add_odd(scan, assets.ids[i], judgement.verdict, judgement.sqlstate);
		if (cec_rule_acts(rule, judgement.verdict))
			cec_ids_add(&scan->acting, assets.ids[i]);
	}
	cec_rule_facts_end(facts);
}

static int
compare_odd(const void *one, const void *other)
{
	const CecOddAsset *a = one;
	const CecOddAsset *b = other;

	return a->asset_id < b->asset_id ? -1 : a->asset_id > b->asset_id;
}

/* What a rule says of every asset that the snapshot shows, on a day.  The result is in the current memory context. */
CecRuleScan
cec_rule_scan(CecRuleSet *set, CecRule *rule, Snapshot snapshot, DateADT as_of)
{
	CecRuleScan scan = {0};
	Asking asking = {set, rule, snapshot, as_of, cec_portfolio_zone(set->portfolio), &scan};
	instr_time begun;
	bool answered;

	if (!rule->is_active && !cec_rule_acts(rule, CEC_VERDICT_UNKNOWN))
		return scan;
	cec_rule_read_boundary(set, rule->term);
	cec_rule_time_begin();
	cec_deadline_start();
	INSTR_TIME_SET_CURRENT(begun);
	answered = cec_rule_time_left(rule) > 0 && cec_attempt(try_executor, &asking, cec_rule_error_is_own) == 0;
	cec_rule_time_add(rule, begun);
	if (!answered)
	{
		scan = (CecRuleScan){0};
		cec_deadline_start();
		scan_one_by_one(&asking);
	}
	cec_deadline_stop();
	cec_ids_sort_unique(&scan.acting);
	if (scan.odd_count > 1)
		qsort(scan.odd, scan.odd_count, sizeof(CecOddAsset), compare_odd);
	return scan;
}

/*
 * The assets that a rule acts on and those that are odd, with the rights of the caller, who acts restricted.  Raises what the
 * condition raises, and 54001 when it takes too long.
 */
CecRuleScan
cec_rule_scan_as_caller(CecRuleSet *set, CecRule *rule, Snapshot snapshot, DateADT as_of, pg_tz *zone)
{
	CecRuleScan scan = {0};
	MemoryContext cxt = CurrentMemoryContext;
	Asking asking = {set, rule, snapshot, as_of, zone, &scan};

	if (!rule->is_active && !cec_rule_acts(rule, CEC_VERDICT_UNKNOWN))
		return scan;
	cec_deadline_start();
	PG_TRY();
	{
		cec_deadline_enter_for(patience(set, PATIENCE_OF_ASKER));
		scan_by_executor(&asking);
		(void) cec_deadline_leave();
	}
	PG_CATCH();
	{
		bool passed = cec_deadline_leave();
		ErrorData *error;

		cec_deadline_stop();
		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		if (cec_deadline_raised(passed, error))
		{
			FlushErrorState();
			ereport(ERROR, (errcode(ERRCODE_STATEMENT_TOO_COMPLEX), errmsg("the condition takes too long"),
							errhint("Compare columns first; leave out what multiplies or searches long texts.")));
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
	cec_deadline_stop();
	return scan;
}
