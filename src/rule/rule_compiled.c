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
	CecCompiledCondition *code;
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
free_state(CecCompiledCondition *code)
{
	if (code->state_cxt != NULL)
		MemoryContextDelete(code->state_cxt);
	if (code->cached != NULL)
		FreeCachedExpression(code->cached);
	code->state_cxt = NULL;
	code->state = NULL;
	code->cached = NULL;
}

/* Frees what of a set's conditions does not live in its context. */
void
cec_rule_compiled_free(HTAB *codes)
{
	HASH_SEQ_STATUS status;
	CodeSlot *slot;

	hash_seq_init(&status, codes);
	while ((slot = hash_seq_search(&status)) != NULL)
		if (slot->code != NULL)
			free_state(slot->code);
}

/* The code for a text: that of the old set, moved over, or a new one that waits to be compiled. */
CecCompiledCondition *
cec_rule_compiled_find(CecRuleSet *set, CecRuleSet *old, const char *text)
{
	bool found;
	CodeSlot *slot = hash_search(set->codes, &text, HASH_ENTER, &found);
	CodeSlot *old_slot;
	MemoryContext cxt;

	if (found)
		return slot->code;
	slot->code = NULL;
	old_slot = old == NULL ? NULL : hash_search(old->codes, &text, HASH_FIND, NULL);
	if (old_slot != NULL && old_slot->code != NULL && old_slot->code->condition != NULL)
	{
		slot->code = old_slot->code;
		slot->text = slot->code->text;
		old_slot->code = NULL;
		MemoryContextSetParent(slot->code->cxt, set->cxt);
		return slot->code;
	}
	cxt = AllocSetContextCreate(set->cxt, "cec condition", ALLOCSET_SMALL_SIZES);
	slot->code = MemoryContextAllocZero(cxt, sizeof(CecCompiledCondition));
	slot->code->cxt = cxt;
	slot->code->text = slot->text = MemoryContextStrdup(cxt, text);
	return slot->code;
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
	CecCompiledCondition *code = rule->code;

	if (code->condition == NULL)
	{
		MemoryContext scratch =
			AllocSetContextCreate(CurrentMemoryContext, "cec compiled condition", ALLOCSET_SMALL_SIZES);
		MemoryContext old = MemoryContextSwitchTo(scratch);
		CecCondition *condition;

		/* One that cannot be compiled is tried again and again, and must leave nothing. */
		PG_TRY();
		{
			condition = cec_condition_compile_to_keep(code->text);
		}
		PG_CATCH();
		{
			MemoryContextSwitchTo(old);
			MemoryContextDelete(scratch);
			PG_RE_THROW();
		}
		PG_END_TRY();
		MemoryContextSwitchTo(old);
		MemoryContextSetParent(scratch, code->cxt);
		code->needs = find_needs(condition->facts);
		code->condition = condition;
	}
	return code->condition;
}

/* The condition of a rule ready to run over a fact row, compiled anew when a function that it calls has changed. */
ExprState *
cec_rule_state(CecRule *rule)
{
	CecCompiledCondition *code = rule->code;
	CecCondition *condition;
	MemoryContext scratch;
	MemoryContext old;

	if (code->state != NULL && code->cached->is_valid)
		return code->state;
	condition = cec_rule_condition(rule);
	/* Either step may raise, for every asset anew: what it has allocated by then is freed by the next attempt. */
	free_state(code);
	code->state_cxt = AllocSetContextCreate(code->cxt, "cec expression", ALLOCSET_SMALL_SIZES);
	scratch = AllocSetContextCreate(code->state_cxt, "cec expression planned", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(scratch);
	code->cached = GetCachedExpression((Node *) condition->expr);
	MemoryContextSwitchTo(code->state_cxt);
	code->state = ExecInitExpr((Expr *) code->cached->expr, NULL);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return code->state;
}
