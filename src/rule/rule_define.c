/*
 * rule_define.c
 *		What a changed definition means to rules: which of them are to be decided anew.
 *
 * Rules, and what conditions read of contracts, terms and tiers, change under the gate held alone.  New conditions are
 * compiled here, what a rule that has acted must keep is refused, and all sessions are told that what they remember is old.
 * Nothing is decided yet.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "init.h"
#include "portfolio/portfolio_today.h"
#include "rule/rule_change.h"
#include "support/act_as.h"
#include "support/column.h"
#include "support/slot.h"

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

typedef struct RuleName
{
	const char *name;
} RuleName;

static void
name_rule(void *arg)
{
	errcontext("condition of rule \"%.100s\"", ((RuleName *) arg)->name);
}

/* What is typed must compile; as the owner, who can do nothing with it.  What is doubtful is told. */
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
	condition = cec_condition_compile(text, CEC_SPEAKER_RULE);
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
			 errdetail("What it decided for earlier days stays, and the rule must remain to explain it."),
			 errhint("%s", hint), errtableconstraint(change->rel, "coverage_rule_has_acted")));
}

static char *
row_text(CecChange *change, TupleTableSlot *row, const char *column)
{
	return TextDatumGetCString(cec_slot_value(row, cec_column_require(change->rel, column, TEXTOID)));
}

static int64
row_id(CecChange *change, TupleTableSlot *row, const char *column)
{
	return cec_slot_int8(row, cec_column_require(change->rel, column, INT8OID));
}

/* Checks one changed rule against what may be changed of it.  Returns whether it is to be decided anew. */
static bool
check_rule(CecChange *change, CecRows *rows, DateADT today)
{
	static const char *const columns[] = {"rule_id", "term_id", "effect",	  "condition",
										  "during",	 "state",	"on_unknown", NULL};
	bool changed = false;
	DateADT first;

	for (int i = 0; columns[i] != NULL; i++)
		changed |= cec_rows_differ(change, rows, columns[i]);
	if (!changed)
		return false;
	if (rows->old_row != NULL && rows->new_row == NULL)
	{
		if (find_first_effect(change, row_id(change, rows->old_row, "rule_id"), &first) && first < today)
			refuse_acted(change, row_text(change, rows->old_row, "name"), "cannot be deleted",
						 "End it: set the end of during.");
	}
	else if (rows->old_row != NULL &&
			 (cec_rows_differ(change, rows, "rule_id") || cec_rows_differ(change, rows, "term_id") ||
			  cec_rows_differ(change, rows, "effect")) &&
			 find_first_effect(change, row_id(change, rows->old_row, "rule_id"), &first))
		refuse_acted(change, row_text(change, rows->old_row, "name"), "keeps its key, term and effect",
					 "End it (set the end of during) and add another one.");
	if (rows->new_row != NULL && cec_rows_differ(change, rows, "condition"))
		check_condition(change, row_text(change, rows->new_row, "name"), row_text(change, rows->new_row, "condition"));
	return true;
}

/* Handler of the define stage, for coverage_rule. */
static void
define_rules(CecChange *change)
{
	CecRuleChange *state;
	CecRows rows;
	DateADT today;

	if (cec_change_is_empty(change))
		return;
	cec_rule_set_changed(change->portfolio);
	state = cec_rule_change(change);
	today = cec_change_today(change);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		CHECK_FOR_INTERRUPTS();
		cec_rows_deform(&rows);
		if (!check_rule(change, &rows, today))
			continue;
		if (rows.new_row != NULL)
			cec_ids_add(&state->rules, row_id(change, rows.new_row, "rule_id"));
		if (rows.old_row != NULL && cec_rows_differ(change, &rows, "rule_id"))
			cec_ids_add(&state->rules, row_id(change, rows.old_row, "rule_id"));
	}
	cec_rows_end(&rows);
	cec_ids_sort_unique(&state->rules);
	for (int64 i = 0; i < state->rules.count; i++)
		cec_ids_add(&state->moved, state->rules.ids[i]);
}

/* Rules are to be decided anew: those of keys that are new or gone all, others as far as their conditions read one of the columns. */
static void
redefine_rules(CecChange *change, const CecIds *rules, const CecIds *rules_of_keys, const Bitmapset *facts)
{
	CecRuleChange *state = cec_rule_change(change);
	CecRuleSet *set;
	int64 j = 0;

	/* Whoever deleted the row whose place is taken, or referred to a row that was not there, has the portfolio alone. */
	cec_portfolio_lock_gate(change->portfolio->nspid, ShareRowExclusiveLock);
	cec_rule_set_changed(change->portfolio);
	set = cec_rule_set_get(change->portfolio);
	cec_rule_compile_all(set);
	for (int64 i = 0; i < rules->count; i++)
	{
		const CecRule *rule = cec_rule_find(set, rules->ids[i]);
		bool is_all;

		cec_ids_add(&state->moved, rules->ids[i]);
		while (j < rules_of_keys->count && rules_of_keys->ids[j] < rules->ids[i])
			j++;
		is_all = j < rules_of_keys->count && rules_of_keys->ids[j] == rules->ids[i];
		if (rule != NULL &&
			(is_all || rule->compiled->condition == NULL || bms_overlap(rule->compiled->condition->facts, facts)))
			cec_ids_add(&state->rules, rule->rule_id);
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
 * changed, or come after what refers to it: all rules of a key that is new or gone are decided.  The same where the row comes
 * to refer to another one (refers: the column, or NULL), which may not have been there.
 */
static void
define_from_source(CecChange *change, const char *key, const char *refers, const Source *sources, int count,
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

		cec_rows_deform(&rows);
		if (cec_rows_differ(change, &rows, key) || (refers != NULL && cec_rows_differ(change, &rows, refers)))
		{
			if (rows.old_row != NULL)
				cec_ids_add(&keys, row_id(change, rows.old_row, key));
			if (rows.new_row != NULL)
				cec_ids_add(&keys, row_id(change, rows.new_row, key));
			continue;
		}
		for (int i = 0; i < count; i++)
			if (cec_rows_differ(change, &rows, sources[i].column))
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
	redefine_rules(change, &rules, &rules_of_keys, facts);
}

static void
define_from_contracts(CecChange *change)
{
	static const Source sources[] = {{"number", CEC_FACT_CONTRACT_NUMBER},
									 {"kind", CEC_FACT_CONTRACT_KIND},
									 {"governing_country", CEC_FACT_GOVERNING_COUNTRY},
									 {"boundary", CEC_FACT_BOUNDARY}};

	define_from_source(change, "contract_id", NULL, sources, lengthof(sources), &rules_of_contracts);
}

static void
define_from_terms(CecChange *change)
{
	/* Another contract changes whatever is read of it. */
	static const Source sources[] = {{"tier_id", CEC_FACT_TIER_CODE},
									 {"tier_id", CEC_FACT_TIER_RANK},
									 {"contract_id", CEC_FACT_CONTRACT_NUMBER},
									 {"contract_id", CEC_FACT_CONTRACT_KIND},
									 {"contract_id", CEC_FACT_GOVERNING_COUNTRY},
									 {"contract_id", CEC_FACT_BOUNDARY}};

	define_from_source(change, "term_id", "contract_id", sources, lengthof(sources), &rules_of_terms);
}

static void
define_from_tiers(CecChange *change)
{
	static const Source sources[] = {{"code", CEC_FACT_TIER_CODE}, {"rank", CEC_FACT_TIER_RANK}};

	define_from_source(change, "tier_id", NULL, sources, lengthof(sources), &rules_of_tiers);
}

/* The time zone says what day it is, and on which day a request was opened. */
static void
define_from_settings(CecChange *change)
{
	CecRows rows;
	bool changed = false;
	CecRuleSet *set;

	if (change->operation != CEC_UPDATE)
		return;
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		changed |= cec_rows_differ(change, &rows, "time_zone");
	}
	cec_rows_end(&rows);
	if (!changed)
		return;
	set = cec_rule_set_get(change->portfolio);
	for (int i = 0; i < set->count; i++)
		cec_ids_add(&cec_rule_change(change)->rules, set->rules[i].rule_id);
}

/* Registers with the engine. */
void
cec_rule_define_init(void)
{
	cec_change_register(CEC_STAGE_DEFINE, "coverage_rule", define_rules);
	cec_change_register(CEC_STAGE_DEFINE, "contract", define_from_contracts);
	cec_change_register(CEC_STAGE_DEFINE, "coverage_term", define_from_terms);
	cec_change_register(CEC_STAGE_DEFINE, "service_tier", define_from_tiers);
	cec_change_register(CEC_STAGE_DEFINE, "setting", define_from_settings);
}
