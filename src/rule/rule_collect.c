/*
 * rule_collect.c
 *		What a changed statement means to rules: assets to be judged anew, or rules to be decided for the whole register.
 *
 * Data (assets, their maintenance, their requests) names assets; they are judged when their cover is computed
 * (rule_work.c).  Definitions (rules, and what conditions read of contracts, terms and tiers) change under the gate held
 * alone; include rules are then decided here, for all assets at once, and of the others the assets are collected that the
 * term concerns.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "act_as.h"
#include "change.h"
#include "column.h"
#include "rule.h"
#include "rule_collect.h"
#include "rule_evaluate.h"
#include "rule_finding.h"
#include "rule_match.h"

static const CecQuery concerned = {
	"SELECT asset_id FROM @P@.inclusion WHERE term_id = $1 AND effect = 'include'"
	" UNION SELECT e.asset_id FROM @P@.coverage_rule r"
	"  CROSS JOIN LATERAL (SELECT asset_id FROM @P@.rule_effect WHERE rule_id = r.rule_id OFFSET 0) AS e"
	"  WHERE r.term_id = $1 AND r.effect = 'include'"
	" UNION SELECT asset_id FROM @P@.rule_effect WHERE rule_id = $2"
	" UNION SELECT asset_id FROM @P@.finding WHERE rule_id = $2 AND closed_at IS NULL AND asset_id IS NOT NULL",
	2,
	{INT8OID, INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

static const CecQuery first_effect = {"SELECT min(lower(during)) FROM @P@.rule_effect WHERE rule_id = $1",
									  1,
									  {INT8OID},
									  CURSOR_OPT_GENERIC_PLAN,
									  .results = {DATEOID}};

static const CecQuery rules_of_contracts = {
	"SELECT r.rule_id FROM @P@.coverage_term t"
	" CROSS JOIN LATERAL (SELECT rule_id FROM @P@.coverage_rule WHERE term_id = t.term_id OFFSET 0) AS r"
	" WHERE t.contract_id = ANY ($1)",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

static const CecQuery rules_of_terms = {"SELECT rule_id FROM @P@.coverage_rule WHERE term_id = ANY ($1)",
										1,
										{INT8ARRAYOID},
										CURSOR_OPT_GENERIC_PLAN,
										.results = {INT8OID}};

static const CecQuery rules_of_tiers = {
	"SELECT r.rule_id FROM @P@.coverage_term t"
	" CROSS JOIN LATERAL (SELECT rule_id FROM @P@.coverage_rule WHERE term_id = t.term_id OFFSET 0) AS r"
	" WHERE t.tier_id = ANY ($1)",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

/* The day as of which a statement decides: that of its instant. */
DateADT
cec_rule_change_today(CecChange *change)
{
	return cec_rule_local_day(cec_rule_set_get(change->portfolio), cec_change_at(change));
}

/*
 * Decides an include rule for the whole register, or collects the assets that another one concerns; under the gate held
 * alone.  What is below these assets is not added.
 */
void
cec_rule_decide(CecRuleSet *set, CecRule *rule, DateADT today, CecDelta *delta, CecIds *assets)
{
	if (rule->effect == CEC_RULE_INCLUDE)
	{
		Snapshot snapshot = cec_latest_snapshot();

		cec_rule_decide_all(set, rule, snapshot, today, delta, assets);
		UnregisterSnapshot(snapshot);
	}
	else
	{
		Datum args[] = {Int64GetDatum(rule->term->term_id), Int64GetDatum(rule->rule_id)};

		cec_query_ids(set->portfolio->plans, &concerned, args, assets);
	}
}

static void
deform(CecRows *rows)
{
	if (rows->old_row != NULL)
		slot_getallattrs(rows->old_row);
	if (rows->new_row != NULL)
		slot_getallattrs(rows->new_row);
}

static bool
differs(CecChange *change, CecRows *rows, const char *column)
{
	return rows->old_row == NULL || rows->new_row == NULL ||
		   !cec_rows_same_value(rows->old_row, rows->new_row, cec_column_find(change->rel, column));
}

static void
add_facts(CecChange *change, int64 asset_id)
{
	cec_ids_add(&change->facts, asset_id);
	cec_ids_add(&change->assets, asset_id);
}

/* The rules, when there are any that data can matter to; with all their conditions compiled. */
static CecRuleSet *
rules_for_data(CecChange *change)
{
	CecRuleSet *set;

	if (cec_change_is_empty(change))
		return NULL;
	set = cec_rule_set_get(change->portfolio);
	if (set->count == 0)
		return NULL;
	cec_rule_compile_all(set);
	return set;
}

/* Whether an asset's row says something else to any rule. */
static bool
asset_differs(CecChange *change, CecRows *rows, CecRuleSet *set, const AttrNumber *columns)
{
	if (rows->old_row == NULL)
		return set->has_include; /* no other rule concerns a new asset */
	if (rows->new_row == NULL)
		return true;
	for (int i = CEC_FACT_ASSET_ID; i <= CEC_FACT_SOURCE_UPDATED_AT; i++)
		if ((i == CEC_FACT_ASSET_ID || bms_is_member(i, set->facts)) &&
			!cec_rows_same_value(rows->old_row, rows->new_row, columns[i]))
			return true;
	return false;
}

static void
collect_from_assets(CecChange *change)
{
	CecRuleSet *set = rules_for_data(change);
	AttrNumber columns[CEC_FACT_SOURCE_UPDATED_AT + 1];
	AttrNumber asset_id;
	CecRows rows;

	if (set == NULL)
		return;
	asset_id = cec_column_require(change->rel, "asset_id", INT8OID);
	for (int i = CEC_FACT_ASSET_ID; i <= CEC_FACT_SOURCE_UPDATED_AT; i++)
	{
		Form_pg_attribute att = TupleDescAttr(cec_fact_descriptor(), i - 1);

		columns[i] = cec_column_require_nullable(change->rel, NameStr(att->attname), att->atttypid);
	}
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		deform(&rows);
		if (!asset_differs(change, &rows, set, columns))
			continue;
		if (rows.new_row != NULL)
			add_facts(change, DatumGetInt64(rows.new_row->tts_values[asset_id - 1]));
		if (rows.old_row != NULL && differs(change, &rows, "asset_id"))
			add_facts(change, DatumGetInt64(rows.old_row->tts_values[asset_id - 1]));
	}
	cec_rows_end(&rows);
}

/* From rows about assets, when any rule reads one of these facts. */
static void
collect_from_events(CecChange *change, CecFact fact)
{
	CecRuleSet *set = rules_for_data(change);
	AttrNumber asset_id;
	CecRows rows;

	if (set == NULL || !bms_is_member(fact, set->facts))
		return;
	asset_id = cec_column_require(change->rel, "asset_id", INT8OID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		deform(&rows);
		if (rows.new_row != NULL)
			add_facts(change, DatumGetInt64(rows.new_row->tts_values[asset_id - 1]));
		if (rows.old_row != NULL && differs(change, &rows, "asset_id"))
			add_facts(change, DatumGetInt64(rows.old_row->tts_values[asset_id - 1]));
	}
	cec_rows_end(&rows);
}

static void
collect_from_maintenance(CecChange *change)
{
	collect_from_events(change, CEC_FACT_MAINTENANCE_DAYS);
}

static void
collect_from_requests(CecChange *change)
{
	collect_from_events(change, CEC_FACT_REQUEST_DAYS);
}

typedef struct RuleName
{
	const char *name;
} RuleName;

static void
name_rule(void *arg)
{
	errcontext("condition of rule \"%.100s\"", ((RuleName *) arg)->name);
}

/* What is typed must compile; as the owner, who can do nothing with it. What is doubtful is told. */
static void
check_condition(CecChange *change, const char *name, const char *text)
{
	RuleName rule = {name};
	ErrorContextCallback callback = {error_context_stack, name_rule, &rule};
	CecCondition *condition;
	CecActAs act;

	if (cec_change_may_tell(change, "coverage_rule"))
		error_context_stack = &callback;
	cec_portfolio_act(&act, change->portfolio);
	condition = cec_condition_compile(text);
	cec_act_as_self(&act);
	cec_condition_tell_doubts(condition);
	error_context_stack = callback.previous;
}

/* The first day on which a rule acts or acted on any asset; false when it never did. */
static bool
find_first_effect(CecChange *change, int64 rule_id, DateADT *day)
{
	Datum arg = Int64GetDatum(rule_id);
	bool isnull = true;

	SPI_connect();
	if (cec_query_run(change->portfolio->plans, &first_effect, &arg, NULL, 1) > 0)
	{
		Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		*day = isnull ? 0 : DatumGetDateADT(value);
	}
	SPI_finish();
	return !isnull;
}

static void
refuse_acted(CecChange *change, const char *name, const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 cec_change_may_tell(change, "coverage_rule") ? errmsg("rule \"%.100s\" has acted and %s", name, what)
														  : errmsg("a rule has acted and %s", what),
			 errdetail("What it decided for earlier days stays, and must be explained by it."), errhint("%s", hint),
			 errtableconstraint(change->rel, "coverage_rule_has_acted")));
}

static char *
row_text(CecChange *change, TupleTableSlot *row, const char *column)
{
	return TextDatumGetCString(row->tts_values[cec_column_require(change->rel, column, TEXTOID) - 1]);
}

static int64
row_id(CecChange *change, TupleTableSlot *row, const char *column)
{
	return DatumGetInt64(row->tts_values[cec_column_require(change->rel, column, INT8OID) - 1]);
}

/* Holds one changed rule against what may be changed of it.  Returns whether it is to be decided anew. */
static bool
check_rule(CecChange *change, CecRows *rows, DateADT today)
{
	static const char *const columns[] = {"rule_id", "term_id", "effect",	  "condition",
										  "during",	 "state",	"on_unknown", NULL};
	bool changed = false;
	DateADT first;

	for (int i = 0; columns[i] != NULL; i++)
		changed |= differs(change, rows, columns[i]);
	if (!changed)
		return false;
	if (rows->old_row != NULL && rows->new_row == NULL)
	{
		if (find_first_effect(change, row_id(change, rows->old_row, "rule_id"), &first) && first < today)
			refuse_acted(change, row_text(change, rows->old_row, "name"), "cannot be deleted",
						 "End it: set the end of during.");
	}
	else if (rows->old_row != NULL &&
			 (differs(change, rows, "rule_id") || differs(change, rows, "term_id") ||
			  differs(change, rows, "effect")) &&
			 find_first_effect(change, row_id(change, rows->old_row, "rule_id"), &first))
		refuse_acted(change, row_text(change, rows->old_row, "name"), "keeps its key, term and effect",
					 "End it (set the end of during) and add another one.");
	if (rows->new_row != NULL && differs(change, rows, "condition"))
		check_condition(change, row_text(change, rows->new_row, "name"), row_text(change, rows->new_row, "condition"));
	return true;
}

static void
collect_from_rules(CecChange *change)
{
	CecIds changed = {0};
	CecRows rows;
	CecRuleSet *set;
	DateADT today;

	if (cec_change_is_empty(change))
		return;
	cec_rule_set_changed(change->portfolio);
	set = cec_rule_set_get(change->portfolio);
	today = cec_rule_change_today(change);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		CHECK_FOR_INTERRUPTS();
		deform(&rows);
		if (!check_rule(change, &rows, today))
			continue;
		if (rows.new_row != NULL)
			cec_ids_add(&changed, row_id(change, rows.new_row, "rule_id"));
		if (rows.old_row != NULL && differs(change, &rows, "rule_id"))
			cec_ids_add(&changed, row_id(change, rows.old_row, "rule_id"));
	}
	cec_rows_end(&rows);
	cec_ids_sort_unique(&changed);
	cec_rule_findings_move(change->portfolio, &changed);
	for (int64 i = 0; i < changed.count; i++)
	{
		/* By its key: another row may have taken the place of one that was deleted, or whose key was changed. */
		CecRule *rule = cec_rule_find(set, changed.ids[i]);

		if (rule != NULL)
			cec_rule_decide(set, rule, today, &change->delta, &change->assets);
		else
		{
			Snapshot snapshot = cec_latest_snapshot();

			cec_rule_forget(change->portfolio, changed.ids[i], snapshot, today, &change->delta, &change->assets);
			UnregisterSnapshot(snapshot);
		}
	}
}

/* Decides rules anew: those of keys that are new or gone all, others as far as their conditions read one of the columns. */
static void
decide_rules(CecChange *change, const CecIds *rules, const CecIds *rules_of_keys, const Bitmapset *facts)
{
	CecRuleSet *set;
	DateADT today;
	int64 j = 0;

	/* Whoever deleted the row whose place is taken, or referred to a row that was not there, has the portfolio alone. */
	cec_portfolio_lock_gate(change->portfolio->nspid, ShareRowExclusiveLock);
	cec_rule_set_changed(change->portfolio);
	cec_rule_findings_move(change->portfolio, rules);
	set = cec_rule_set_get(change->portfolio);
	cec_rule_compile_all(set);
	today = cec_rule_change_today(change);
	for (int64 i = 0; i < rules->count; i++)
	{
		CecRule *rule = cec_rule_find(set, rules->ids[i]);
		bool is_all;

		while (j < rules_of_keys->count && rules_of_keys->ids[j] < rules->ids[i])
			j++;
		is_all = j < rules_of_keys->count && rules_of_keys->ids[j] == rules->ids[i];
		if (rule != NULL &&
			(is_all || rule->code->condition == NULL || bms_overlap(rule->code->condition->facts, facts)))
			cec_rule_decide(set, rule, today, &change->delta, &change->assets);
	}
}

static CecIds
find_rules(CecChange *change, const CecQuery *query, const CecIds *keys)
{
	CecIds rules = {0};

	if (keys->count > 0)
	{
		Datum arg = cec_ids_as_array(keys);

		cec_query_ids(change->portfolio->plans, query, &arg, &rules);
		cec_ids_sort_unique(&rules);
	}
	return rules;
}

/* A column of a table, and the fact that conditions read from it. */
typedef struct Source
{
	const char *column;
	CecFact fact;
} Source;

/*
 * From the rows of a table that conditions read to rules.  A row can take the place of a deleted one or of one whose key was
 * changed, or come after what refers to it: all rules of a key that came or went are decided.  The same where the row comes
 * to refer to another one (refers: the column, or NULL), which may not have been there.
 */
static void
collect_from_source(CecChange *change, const char *key, const char *refers, const Source *sources, int count,
					const CecQuery *query)
{
	CecIds keys = {0};
	CecIds changed = {0}; /* with keys */
	Bitmapset *facts = NULL;
	CecIds rules_of_keys;
	CecIds rules;
	CecRows rows;
	CecRuleSet *set = cec_rule_set_get(change->portfolio);

	if (set->count == 0 && !set->has_dangling)
		return;
	if (!cec_change_may_dangle(change))
		refers = NULL;
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		bool is_changed = false;

		deform(&rows);
		if (differs(change, &rows, key) || (refers != NULL && differs(change, &rows, refers)))
		{
			if (rows.old_row != NULL)
				cec_ids_add(&keys, row_id(change, rows.old_row, key));
			if (rows.new_row != NULL)
				cec_ids_add(&keys, row_id(change, rows.new_row, key));
			continue;
		}
		for (int i = 0; i < count; i++)
			if (differs(change, &rows, sources[i].column))
			{
				facts = bms_add_member(facts, sources[i].fact);
				is_changed = true;
			}
		if (is_changed)
			cec_ids_add(&changed, row_id(change, rows.new_row, key));
	}
	cec_rows_end(&rows);
	for (int64 i = 0; i < keys.count; i++)
		cec_ids_add(&changed, keys.ids[i]);
	rules = find_rules(change, query, &changed);
	if (rules.count == 0)
		return;
	rules_of_keys = find_rules(change, query, &keys);
	decide_rules(change, &rules, &rules_of_keys, facts);
}

static void
collect_from_contracts(CecChange *change)
{
	static const Source sources[] = {{"number", CEC_FACT_CONTRACT_NUMBER},
									 {"kind", CEC_FACT_CONTRACT_KIND},
									 {"governing_country", CEC_FACT_GOVERNING_COUNTRY},
									 {"boundary", CEC_FACT_BOUNDARY}};

	collect_from_source(change, "contract_id", NULL, sources, lengthof(sources), &rules_of_contracts);
}

static void
collect_from_terms(CecChange *change)
{
	/* Another contract changes whatever is read of it. */
	static const Source sources[] = {{"tier_id", CEC_FACT_TIER_CODE},
									 {"tier_id", CEC_FACT_TIER_RANK},
									 {"contract_id", CEC_FACT_CONTRACT_NUMBER},
									 {"contract_id", CEC_FACT_CONTRACT_KIND},
									 {"contract_id", CEC_FACT_GOVERNING_COUNTRY},
									 {"contract_id", CEC_FACT_BOUNDARY}};

	collect_from_source(change, "term_id", "contract_id", sources, lengthof(sources), &rules_of_terms);
}

static void
collect_from_tiers(CecChange *change)
{
	static const Source sources[] = {{"code", CEC_FACT_TIER_CODE}, {"rank", CEC_FACT_TIER_RANK}};

	collect_from_source(change, "tier_id", NULL, sources, lengthof(sources), &rules_of_tiers);
}

/* The time zone says what day it is, and on which day a request was opened. */
static void
collect_from_settings(CecChange *change)
{
	CecRows rows;
	bool changed = false;
	CecRuleSet *set;
	DateADT today;

	cec_rule_set_changed(change->portfolio);
	if (change->operation != CEC_UPDATE)
		return;
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		deform(&rows);
		changed |= differs(change, &rows, "time_zone");
	}
	cec_rows_end(&rows);
	if (!changed)
		return;
	set = cec_rule_set_get(change->portfolio);
	today = cec_rule_change_today(change);
	for (int i = 0; i < set->count; i++)
		cec_rule_decide(set, &set->rules[i], today, &change->delta, &change->assets);
}

/* Registers with the engine; called once when the library is loaded. */
void
cec_rule_init(void)
{
	cec_condition_init();
	cec_rule_set_init();
	cec_rule_evaluate_init();
	cec_change_register(CEC_STAGE_COLLECT, "asset", collect_from_assets);
	cec_change_register(CEC_STAGE_COLLECT, "maintenance_event", collect_from_maintenance);
	cec_change_register(CEC_STAGE_COLLECT, "service_request", collect_from_requests);
	cec_change_register(CEC_STAGE_COLLECT, "coverage_rule", collect_from_rules);
	cec_change_register(CEC_STAGE_COLLECT, "contract", collect_from_contracts);
	cec_change_register(CEC_STAGE_COLLECT, "coverage_term", collect_from_terms);
	cec_change_register(CEC_STAGE_COLLECT, "service_tier", collect_from_tiers);
	cec_change_register(CEC_STAGE_COLLECT, "setting", collect_from_settings);
}
