/*
 * rule_compiled.c
 *		Conditions of a rule set, compiled when they are first needed and kept, once for all rules of the same text.
 *
 * Each lives in a context of its own below the set's, and is taken over by the set that replaces it.  Compiled expressions are
 * the plan cache's CachedExpressions, which tell when a function that they call was replaced.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "executor/executor.h"
#include "utils/memutils.h"

#include "rule/rule_set.h"

typedef struct CodeSlot
{
	const char *text; /* key */
	CecCompiledCondition *compiled;
} CodeSlot;

static uint32
hash_text_key(const void *key, Size size)
{
	const char *text = *(const char *const *) key;

	return hash_bytes((const unsigned char *) text, strlen(text));
}

static int
compare_text_keys(const void *one, const void *other, Size size)
{
	return strcmp(*(const char *const *) one, *(const char *const *) other);
}

/* An empty table of conditions, in cxt. */
HTAB *
cec_rule_compiled_create(MemoryContext cxt)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(const char *);
	ctl.entrysize = sizeof(CodeSlot);
	ctl.hcxt = cxt;
	ctl.hash = hash_text_key;
	ctl.match = compare_text_keys;
	return hash_create("cec rule conditions", 64, &ctl, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

static void
free_state(CecCompiledCondition *compiled)
{
	if (compiled->state_cxt != NULL)
		MemoryContextDelete(compiled->state_cxt);
	if (compiled->cached != NULL)
		FreeCachedExpression(compiled->cached);
	compiled->state_cxt = NULL;
	compiled->state = NULL;
	compiled->cached = NULL;
}

/* Frees what of a set's conditions does not live in its context. */
void
cec_rule_compiled_free(HTAB *codes)
{
	HASH_SEQ_STATUS status;
	CodeSlot *slot;

	hash_seq_init(&status, codes);
	while ((slot = hash_seq_search(&status)) != NULL)
		if (slot->compiled != NULL)
			free_state(slot->compiled);
}

/* The compiled condition for a text: that of the old set, moved over, or a new one that waits to be compiled. */
CecCompiledCondition *
cec_rule_compiled_find(CecRuleSet *set, CecRuleSet *old, const char *text)
{
	bool found;
	CodeSlot *slot = hash_search(set->codes, &text, HASH_ENTER, &found);
	CodeSlot *old_slot;
	MemoryContext cxt;

	if (found)
		return slot->compiled;
	slot->compiled = NULL;
	old_slot = old == NULL ? NULL : hash_search(old->codes, &text, HASH_FIND, NULL);
	if (old_slot != NULL && old_slot->compiled != NULL && old_slot->compiled->condition != NULL)
	{
		slot->compiled = old_slot->compiled;
		slot->text = slot->compiled->text;
		old_slot->compiled = NULL;
		MemoryContextSetParent(slot->compiled->cxt, set->cxt);
		return slot->compiled;
	}
	cxt = AllocSetContextCreate(set->cxt, "cec condition", ALLOCSET_SMALL_SIZES);
	slot->compiled = MemoryContextAllocZero(cxt, sizeof(CecCompiledCondition));
	slot->compiled->cxt = cxt;
	slot->compiled->text = slot->text = MemoryContextStrdup(cxt, text);
	return slot->compiled;
}

static int
find_needs(const Bitmapset *facts)
{
	int needs = 0;
	int fact = -1;

	while ((fact = bms_next_member(facts, fact)) >= 0)
	{
		if (fact >= CEC_FACT_CONTRACT_NUMBER && fact <= CEC_FACT_BOUNDARY_ON_GLOBE)
			needs |= CEC_NEEDS_TERM;
		if (fact == CEC_FACT_BOUNDARY || fact == CEC_FACT_BOUNDARY_ON_GLOBE)
			needs |= CEC_NEEDS_BOUNDARY;
		if (fact == CEC_FACT_BOUNDARY_ON_GLOBE)
			needs |= CEC_NEEDS_BOUNDARY_ON_GLOBE;
		if (fact == CEC_FACT_MAINTENANCE_KINDS || fact == CEC_FACT_MAINTENANCE_DAYS)
			needs |= CEC_NEEDS_MAINTENANCE;
		if (fact == CEC_FACT_REQUEST_DAYS)
			needs |= CEC_NEEDS_REQUESTS;
	}
	return needs;
}

/* The condition of a rule, compiled now if it was not before; errors are those of cec_condition_compile. It has no canonical text. */
CecCondition *
cec_rule_condition(CecRule *rule)
{
	CecCompiledCondition *compiled = rule->compiled;

	if (compiled->condition == NULL)
	{
		MemoryContext scratch =
			AllocSetContextCreate(CurrentMemoryContext, "cec compiled condition", ALLOCSET_SMALL_SIZES);
		MemoryContext old = MemoryContextSwitchTo(scratch);
		CecCondition *condition;

		/* One that cannot be compiled is tried again and again, and must leave nothing. */
		PG_TRY();
		{
			condition = cec_condition_compile_to_keep(compiled->text, CEC_SPEAKER_RULE);
		}
		PG_CATCH();
		{
			MemoryContextSwitchTo(old);
			MemoryContextDelete(scratch);
			PG_RE_THROW();
		}
		PG_END_TRY();
		MemoryContextSwitchTo(old);
		MemoryContextSetParent(scratch, compiled->cxt);
		compiled->needs = find_needs(condition->facts);
		compiled->condition = condition;
	}
	return compiled->condition;
}

/* The condition of a rule ready to run over a fact row, compiled anew when a function that it calls has changed. */
ExprState *
cec_rule_state(CecRule *rule)
{
	CecCompiledCondition *compiled = rule->compiled;
	CecCondition *condition;
	MemoryContext scratch;
	MemoryContext old;

	if (compiled->state != NULL && compiled->cached->is_valid)
		return compiled->state;
	condition = cec_rule_condition(rule);
	/* Either step may raise, for every asset anew: what it has allocated by then is freed by the next attempt. */
	free_state(compiled);
	compiled->state_cxt = AllocSetContextCreate(compiled->cxt, "cec expression", ALLOCSET_SMALL_SIZES);
	scratch = AllocSetContextCreate(compiled->state_cxt, "cec expression planned", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(scratch);
	compiled->cached = GetCachedExpression((Node *) condition->expr);
	MemoryContextSwitchTo(compiled->state_cxt);
	compiled->state = ExecInitExpr((Expr *) compiled->cached->expr, NULL);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return compiled->state;
}
