/*
 * coverage_update.c
 *		Brings stored coverage to what the facts say: of some assets, of all, and day by day for rules that mention the day.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "act_as.h"
#include "audit_delta.h"
#include "bundle.h"
#include "compat.h"
#include "coverage.h"
#include "rule_collect.h"
#include "rule_effect.h"
#include "rule_evaluate.h"

/* Days. */
#define MAX_FORECAST 3660

PG_FUNCTION_INFO_V1(cec_recompute);
PG_FUNCTION_INFO_V1(cec_keep_definitions);
PG_FUNCTION_INFO_V1(cec_let_definitions);
PG_FUNCTION_INFO_V1(cec_refresh_rules);

static const CecQuery all_assets = {
	"SELECT asset_id FROM @P@.inclusion UNION SELECT asset_id FROM @P@.bundle_member"
	" UNION SELECT asset_id FROM @P@.coverage UNION SELECT asset_id FROM @P@.rule_effect ORDER BY 1",
	0,
	{0},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = {INT8OID}};

static const CecQuery all_rules = {
	"SELECT rule_id FROM @P@.coverage_rule UNION SELECT rule_id FROM @P@.rule_effect ORDER BY 1",
	0,
	{0},
	CURSOR_OPT_CUSTOM_PLAN,
	.results = {INT8OID}};

static const CecQuery last_run = {"SELECT max(on_day) FROM @P@.refresh_run", .results = {DATEOID}};

static const CecQuery add_run = {"INSERT INTO @P@.refresh_run (on_day) VALUES ($1)", 1, {DATEOID}};

/* Of rules that the days have ended: nothing is said of them any more. */
static const CecQuery close_ended = {
	"UPDATE @P@.finding SET closed_at = greatest(clock_timestamp(), opened_at) WHERE closed_at IS NULL AND kind IN ('rule_failed', 'rule_unknown')"
	" AND rule_id IN (SELECT rule_id FROM @P@.coverage_rule WHERE upper(during) <= $1)",
	1,
	{DATEOID}};

static const CecQuery suspend_failing = {
	"UPDATE @P@.coverage_rule SET state = 'suspended' WHERE state = 'active' AND rule_id IN"
	" (SELECT rule_id FROM @P@.finding WHERE kind = 'rule_failed' AND closed_at IS NULL)"};

/*
 * Computes the cover of assets, which are in order, complete downwards and locked, and writes what differs.  facts: those
 * of them that include rules have to judge, in order, or NULL.  Acts as the owner.  Returns how many
 * rows of coverage changed.  What changed, and why, is added to the delta, which has the statement's instant then.
 */
int64
cec_coverage_update(CecPortfolio *portfolio, const CecIds *assets, const CecIds *facts, DateADT today, CecDelta *delta)
{
	Snapshot snapshot = cec_latest_snapshot();
	CecRuleWork *rules = cec_rule_work_begin(portfolio, snapshot, facts, today, delta);
	CecCoverSet *set = cec_coverage_compute(portfolio, assets, rules, snapshot);
	int64 changed;

	cec_coverage_differ(portfolio, set, rules != NULL ? cec_rule_work_latest(rules) : 0, snapshot, delta);
	if (rules != NULL)
		(void) cec_rule_work_end(rules);
	changed = cec_coverage_write(portfolio, set, snapshot, delta);
	cec_effects_restamp(portfolio, delta);
	if (rules != NULL)
		cec_rule_work_tell(rules);
	UnregisterSnapshot(snapshot);
	return changed;
}

/* The day that the last run of refresh reached; 0 when there was none. */
static DateADT
last_refreshed(CecPortfolio *portfolio)
{
	DateADT day = 0;
	bool isnull = true;

	SPI_connect();
	if (cec_query_run(portfolio->plans, &last_run, NULL, NULL, 1) > 0)
	{
		Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		day = isnull ? 0 : DatumGetDateADT(value);
	}
	SPI_finish();
	return day;
}

static bool
mentions_day(const CecRule *rule)
{
	return rule->code->condition == NULL || rule->code->condition->depends_on_day;
}

/*
 * The rules to be decided when all is: also those that are gone and act.  What mentions the day is left to refresh where that
 * has days to walk yet: decided as of today first, it would not be decided as of these.
 */
static CecIds
find_rules_to_decide(CecPortfolio *portfolio, DateADT today)
{
	CecRuleSet *set = cec_rule_set_get(portfolio);
	DateADT reached = last_refreshed(portfolio);
	CecIds all = {0};
	CecIds rules = {0};

	cec_rule_compile_all(set);
	cec_query_ids(portfolio->plans, &all_rules, NULL, &all);
	for (int64 i = 0; i < all.count; i++)
	{
		const CecRule *rule = cec_rule_find(set, all.ids[i]);

		if (reached == 0 || reached >= today || rule == NULL || !mentions_day(rule))
			cec_ids_add(&rules, all.ids[i]);
	}
	return rules;
}

/* cec._recompute(portfolio): all rules and assets, alone in the portfolio.  The caller has checked the right to. */
Datum
cec_recompute(PG_FUNCTION_ARGS)
{
	Oid nspid = PG_GETARG_OID(0);
	CecPortfolio *portfolio;
	CecIds assets = {0};
	CecIds rules;
	CecActAs act;
	CecDelta delta;
	DateADT today;
	int64 changed;

	cec_portfolio_pin();
	/* Before the gate: whoever waits for it keeps all others waiting. */
	if (pg_class_aclcheck(cec_portfolio_table(cec_portfolio_get(nspid), "setting"), GetUserId(), ACL_UPDATE) !=
		ACLCHECK_OK)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to recompute coverage")));
	cec_portfolio_lock_gate(nspid, ShareRowExclusiveLock);
	portfolio = cec_portfolio_get(nspid);
	cec_portfolio_act(&act, portfolio);
	cec_delta_begin(&delta);
	cec_rule_set_changed(portfolio);
	today = cec_rule_local_day(cec_rule_set_get(portfolio), cec_delta_clock(&delta));
	rules = find_rules_to_decide(portfolio, today);
	cec_rule_decide_keys(portfolio, &rules, today, &delta, &assets);
	cec_query_ids(portfolio->plans, &all_assets, NULL, &assets);
	cec_ids_sort_unique(&assets);
	changed = cec_coverage_update(portfolio, &assets, NULL, today, &delta);
	cec_audit_write_delta(portfolio, &delta, "RECOMPUTE");
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	PG_RETURN_INT64(changed);
}

/* What refresh did, to be told. */
typedef struct Refresh
{
	int64 days;
	int64 rules;
	int64 coverage;
	int64 suspended;
} Refresh;

/* Decides the rules that depend on the day as of one day. */
static void
walk_day(CecPortfolio *portfolio, DateADT day, Refresh *refresh)
{
	CecRuleSet *set = cec_rule_set_get(portfolio);
	CecIds assets = {0};
	CecDelta delta;

	cec_delta_begin(&delta);
	refresh->days++;
	cec_rule_compile_all(set);
	for (int i = 0; i < set->count; i++)
	{
		CecRule *rule = &set->rules[i];

		CHECK_FOR_INTERRUPTS();
		if (rule->during.to <= day || !mentions_day(rule))
			continue;
		cec_rule_decide(set, rule, day, &delta, &assets);
		refresh->rules++;
	}
	if (assets.count == 0)
		return;
	cec_ids_sort_unique(&assets);
	cec_add_all_below(portfolio, &assets);
	cec_ids_sort_unique(&assets);
	refresh->coverage += cec_coverage_update(portfolio, &assets, NULL, day, &delta);
	cec_audit_write_delta(portfolio, &delta, "REFRESH");
}

/* Suspends rules that failed; the engine's own triggers decide them anew and record it. */
static int64
suspend_rules(CecPortfolio *portfolio, DateADT today)
{
	Datum arg = DateADTGetDatum(today);
	int64 count;

	SPI_connect();
	cec_query_run(portfolio->plans, &close_ended, &arg, NULL, 0);
	count = cec_query_run(portfolio->plans, &suspend_failing, NULL, NULL, 0);
	SPI_finish();
	return count;
}

static void
record_run(CecPortfolio *portfolio, DateADT day)
{
	Datum arg = DateADTGetDatum(day);

	SPI_connect();
	cec_query_run(portfolio->plans, &add_run, &arg, NULL, 0);
	SPI_finish();
}

/* What cec._keep_definitions has locked last, to be let go by nobody else than whoever took it. */
typedef struct Kept
{
	Oid gate;
	ResourceOwner owner;
	SubTransactionId taken_in;
} Kept;

static Kept kept = {0};

/* Nothing is locked any more. */
static void
forget_kept(XactEvent event, void *arg)
{
	kept.gate = InvalidOid;
}

/* Called once when the library is loaded. */
void
cec_coverage_update_init(void)
{
	RegisterXactCallback(forget_kept, NULL);
}

/*
 * cec._keep_definitions(portfolio): definitions wait until cec._let_definitions, or the end of the (sub)transaction by an
 * error.  For those who verify: nobody else may keep others waiting without a right to write.
 */
Datum
cec_keep_definitions(PG_FUNCTION_ARGS)
{
	Oid nspid = PG_GETARG_OID(0);

	if (pg_class_aclcheck(cec_portfolio_table(cec_portfolio_get(nspid), "audit_log"), GetUserId(), ACL_SELECT) !=
		ACLCHECK_OK)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to keep definitions")));
	cec_portfolio_lock_gate(nspid, RowExclusiveLock);
	kept = (Kept){cec_portfolio_table(cec_portfolio_get(nspid), "gate"), CurrentResourceOwner,
				  GetCurrentSubTransactionId()};
	PG_RETURN_VOID();
}

/*
 * cec._let_definitions(): undoes cec._keep_definitions in the same function.  Takes away nothing that a statement of the
 * transaction has locked for itself: locks are counted, and only what was added here is subtracted.
 */
Datum
cec_let_definitions(PG_FUNCTION_ARGS)
{
	Oid gate = kept.gate;

	kept.gate = InvalidOid;
	if (OidIsValid(gate) && kept.owner == CurrentResourceOwner && kept.taken_in == GetCurrentSubTransactionId() &&
		cec_compat_lock_held(gate, RowExclusiveLock))
		UnlockRelationOid(gate, RowExclusiveLock);
	PG_RETURN_VOID();
}

/* Everybody waits while the days are walked. */
static void
check_forecast(DateADT day, DateADT today)
{
	if (DATE_NOT_FINITE(day) || day > today + MAX_FORECAST)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is too far ahead", DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(day)))),
				 errhint("A forecast walks day by day; it goes ten years ahead at most.")));
}

/*
 * cec._refresh_rules(portfolio, on_day): suspends rules that failed, then walks from the day after the last run to the day
 * (NULL: today).  Days that have passed are decided once; a day that is still to come again and again, until it is there.
 * The caller has checked rights and isolation level.
 */
Datum
cec_refresh_rules(PG_FUNCTION_ARGS)
{
	Oid nspid = PG_GETARG_OID(0);
	DateADT today;
	DateADT reached;
	DateADT first;
	DateADT last;
	Refresh refresh = {0};
	CecPortfolio *portfolio;
	CecActAs act;
	MemoryContext day_cxt;
	TupleDesc desc;
	Datum values[4];
	bool isnull[4] = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	cec_portfolio_pin();
	if (pg_class_aclcheck(cec_portfolio_table(cec_portfolio_get(nspid), "setting"), GetUserId(), ACL_UPDATE) !=
		ACLCHECK_OK)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to refresh")));
	cec_portfolio_lock_gate(nspid, ShareRowExclusiveLock);
	portfolio = cec_portfolio_get(nspid);
	cec_portfolio_act(&act, portfolio);
	today = cec_rule_today(cec_rule_set_get(portfolio));
	reached = last_refreshed(portfolio);
	last = PG_ARGISNULL(1) ? today : PG_GETARG_DATEADT(1);
	check_forecast(last, today);
	/* Today is decided once more, never a day before it; what statements decided before the first run stays. */
	first = reached == 0 ? today : Min(reached + 1, today);
	cec_rule_refresh_begins(GetCurrentTimestamp());
	day_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec day of refresh", ALLOCSET_DEFAULT_SIZES);
	for (DateADT day = first; day <= last; day++)
	{
		MemoryContext old = MemoryContextSwitchTo(day_cxt);

		CHECK_FOR_INTERRUPTS();
		walk_day(portfolio, day, &refresh);
		MemoryContextSwitchTo(old);
		MemoryContextReset(day_cxt);
	}
	MemoryContextDelete(day_cxt);
	cec_rule_refresh_begins(0);
	/* Last, since this decides as of today: done first, it would look like decisions that the days before are to leave alone. */
	refresh.suspended = suspend_rules(portfolio, today);
	if (first <= last && Min(last, today) > reached)
		record_run(portfolio, Min(last, today));
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	values[0] = Int64GetDatum(refresh.days);
	values[1] = Int64GetDatum(refresh.rules);
	values[2] = Int64GetDatum(refresh.coverage);
	values[3] = Int64GetDatum(refresh.suspended);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, isnull));
}
