/*
 * rule_set.c
 *		The rules of a portfolio, read once a backend and kept.
 *
 * Key: oid of the schema.  Content: every row of coverage_rule with what conditions may read of its term; conditions are
 * compiled when they are first needed, once for all rules of the same text.  Lifetime: the session, in a context of its own
 * below CacheMemoryContext.  Invalidation: a relcache message for coverage_rule.  Plain DML sends none, so whoever changes
 * rules, terms, contracts or tiers sends it (cec_rule_set_changed); all of them hold the gate alone, and taking
 * the gate processes the messages.  Conditions that did not change are taken over from the old entry.
 *
 * An entry is asked for anew by each statement, inside a pin of the portfolio cache; one that was replaced while
 * statements further up may still use it waits until nothing is pinned.
 */
#include "postgres.h"

#include "init.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "rule/rule_set.h"
#include "support/search.h"

static const CecQuery read_rules = {
	"SELECT r.rule_id, r.term_id, r.effect, r.condition, r.during, r.on_unknown, r.state, c.contract_id,"
	" c.number, c.kind, c.governing_country, s.code, s.rank, cec._bounds(c.boundary)"
	" FROM @P@.coverage_rule r LEFT JOIN @P@.coverage_term t USING (term_id) LEFT JOIN @P@.contract c USING (contract_id)"
	" LEFT JOIN @P@.service_tier s USING (tier_id) ORDER BY r.rule_id",
	.cursor_options = CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, INT8OID, TEXTOID, TEXTOID, DATERANGEOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, TEXTOID, TEXTOID,
				TEXTOID, INT4OID, FLOAT8ARRAYOID}};

#define CONTRACT_COLUMN 8
#define FIRST_TERM_COLUMN 9 /* c.number; they come in the order of the fact row */
#define BOUNDS_COLUMN (FIRST_TERM_COLUMN + CEC_FACT_TERM_COLUMNS)

typedef struct SetSlot
{
	Oid nspid; /* key */
	CecRuleSet *set;
} SetSlot;

static HTAB *sets = NULL;	/* of SetSlot */
static List *retired = NIL; /* replaced entries, in CacheMemoryContext */
static SubTransactionId changed_in =
	InvalidSubTransactionId; /* the latest in which this transaction changed or read any */

/* When refresh began to walk day by day, or 0; not kept in a set, which may be replaced while it walks. */
static TimestampTz refresh_began = 0;
static SubTransactionId refresh_in = InvalidSubTransactionId;

static void
forget_all(void)
{
	HASH_SEQ_STATUS status;
	SetSlot *slot;

	hash_seq_init(&status, sets);
	while ((slot = hash_seq_search(&status)) != NULL)
		if (slot->set != NULL)
			cec_cache_forget(&slot->set->as_of);
}

/*
 * A set may have been read that holds what is now taken back.  The messages about it need not have come back yet, and then
 * the server forgets them: they speak of nothing that anybody else could see.
 */
static void
forget_taken_back(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && changed_in >= mine)
		forget_all();
	if (event == SUBXACT_EVENT_ABORT_SUB && refresh_in >= mine)
		refresh_began = 0;
}

/* The same at the end; a prepared transaction may be taken back without a message to anybody. */
static void
forget_at_end(XactEvent event, void *arg)
{
	if (changed_in != InvalidSubTransactionId && (event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE))
		forget_all();
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
	{
		changed_in = InvalidSubTransactionId;
		refresh_began = 0;
	}
}

/* From here on refresh walks day by day; 0: it does no more. */
void
cec_rule_refresh_begins(TimestampTz at)
{
	refresh_began = at;
	refresh_in = GetCurrentSubTransactionId();
}

/* When it began to, or 0. */
TimestampTz
cec_rule_refresh_began(void)
{
	return refresh_began;
}

/* Prepares the cache; called once when the library is loaded. */
void
cec_rule_set_init(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(SetSlot);
	ctl.hcxt = CacheMemoryContext;
	sets = hash_create("cec rule sets", 8, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	RegisterSubXactCallback(forget_taken_back, NULL);
	RegisterXactCallback(forget_at_end, NULL);
}

/* Says to all sessions, this one included, that what rule sets hold has changed. */
void
cec_rule_set_changed(CecPortfolio *portfolio)
{
	SetSlot *slot = hash_search(sets, &portfolio->nspid, HASH_FIND, NULL);

	CacheInvalidateRelcacheByRelid(cec_portfolio_table(portfolio, "coverage_rule"));
	changed_in = Max(changed_in, GetCurrentSubTransactionId());
	if (slot != NULL && slot->set != NULL)
		cec_cache_forget(&slot->set->as_of); /* the message comes back only with the next command */
}

static HTAB *
make_terms(MemoryContext cxt)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(int64);
	ctl.entrysize = sizeof(CecRuleTerm);
	ctl.hcxt = cxt;
	return hash_create("cec terms of rules", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
free_set(CecRuleSet *set)
{
	cec_rule_compiled_free(set->codes);
	MemoryContextDelete(set->cxt);
}

static Datum
column_datum(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

static char *
column_text(uint64 row, int column)
{
	bool isnull;
	Datum value = column_datum(row, column, &isnull);

	return isnull ? pstrdup("") : TextDatumGetCString(value);
}

static int64
column_int8(uint64 row, int column)
{
	bool isnull;
	Datum value = column_datum(row, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/* What rules may know of a term, the same for all of its rules. */
static CecRuleTerm *
find_term(CecRuleSet *set, uint64 row)
{
	int64 term_id = column_int8(row, 2);
	bool found;
	bool isnull;
	Datum bounds;
	CecRuleTerm *term = hash_search(set->terms, &term_id, HASH_ENTER, &found);

	if (found)
		return term;
	memset((char *) term + sizeof(int64), 0, sizeof(CecRuleTerm) - sizeof(int64));
	term->contract_id = column_int8(row, CONTRACT_COLUMN);
	for (int i = 0; i < CEC_FACT_TERM_COLUMNS; i++)
	{
		Form_pg_attribute att = TupleDescAttr(SPI_tuptable->tupdesc, FIRST_TERM_COLUMN - 1 + i);

		term->values[i] = column_datum(row, FIRST_TERM_COLUMN + i, &term->isnull[i]);
		if (!term->isnull[i])
			term->values[i] = datumCopy(term->values[i], att->attbyval, att->attlen);
	}
	bounds = column_datum(row, BOUNDS_COLUMN, &isnull);
	if (!isnull)
	{
		ArrayType *array = DatumGetArrayTypeP(bounds);

		if (ARR_NDIM(array) == 1 && ARR_DIMS(array)[0] == 4 && !ARR_HASNULL(array))
		{
			memcpy(term->box, ARR_DATA_PTR(array), sizeof(term->box));
			term->has_box = true;
		}
	}
	return term;
}

/* The words are those that the table allows. */
CecRuleEffect
cec_rule_effect_of(const char *word)
{
	return word[0] == 'i' ? CEC_RULE_INCLUDE : word[0] == 'r' ? CEC_RULE_REQUIRE : CEC_RULE_EXCLUDE;
}

CecOnUnknown
cec_rule_on_unknown_of(const char *word)
{
	return word[0] == 'a' ? CEC_UNKNOWN_ALLOW : word[0] == 'f' ? CEC_UNKNOWN_FLAG : CEC_UNKNOWN_DENY;
}

static void
read_rule(CecRuleSet *set, CecRuleSet *old, uint64 row)
{
	CecRule *rule = &set->rules[set->count];
	bool isnull;
	char *effect = column_text(row, 3);
	char *on_unknown = column_text(row, 6);

	(void) column_datum(row, CONTRACT_COLUMN, &isnull);
	if (isnull)
	{
		set->has_dangling = true;
		return;
	}
	rule->rule_id = column_int8(row, 1);
	rule->effect = cec_rule_effect_of(effect);
	rule->on_unknown = cec_rule_on_unknown_of(on_unknown);
	set->has_include |= rule->effect == CEC_RULE_INCLUDE;
	rule->is_active = strcmp(column_text(row, 7), "active") == 0;
	rule->during = cec_days_of_range(column_datum(row, 5, &isnull));
	rule->term = find_term(set, row);
	rule->compiled = cec_rule_compiled_find(set, old, column_text(row, 4));
	set->by_term[set->count++] = rule;
}

static int
compare_by_term(const void *one, const void *other)
{
	const CecRule *a = *(CecRule *const *) one;
	const CecRule *b = *(CecRule *const *) other;

	if (a->term->term_id != b->term->term_id)
		return a->term->term_id < b->term->term_id ? -1 : 1;
	return a->rule_id < b->rule_id ? -1 : a->rule_id > b->rule_id;
}

static void
read_set(CecRuleSet *set, CecRuleSet *old)
{
	MemoryContext query_cxt;
	uint64 rows;

	SPI_connect();
	rows = cec_query_run(set->portfolio->plans, &read_rules, NULL, NULL, 0);
	query_cxt = MemoryContextSwitchTo(set->cxt);
	set->rules = palloc_extended(Max(rows, 1) * sizeof(CecRule), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	set->by_term = palloc_extended(Max(rows, 1) * sizeof(CecRule *), MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < rows; i++)
		read_rule(set, old, i);
	MemoryContextSwitchTo(query_cxt);
	SPI_finish();
	qsort(set->by_term, set->count, sizeof(CecRule *), compare_by_term);
}

static void
free_retired(void)
{
	while (retired != NIL)
	{
		CecRuleSet *set = linitial(retired);

		retired = list_delete_first(retired);
		free_set(set);
	}
}

/*
 * The rules of a portfolio as the latest snapshot shows them.  The caller acts as the owner and has pinned the portfolio
 * cache: the set stays until that pin is let go.
 */
CecRuleSet *
cec_rule_set_get(CecPortfolio *portfolio)
{
	bool found;
	SetSlot *slot;
	CecRuleSet *set;
	CecRuleSet *old;
	MemoryContext cxt;

	if (cec_portfolio_pins() <= 1)
		free_retired();
	slot = hash_search(sets, &portfolio->nspid, HASH_ENTER, &found);
	if (!found)
		slot->set = NULL;
	if (slot->set != NULL && cec_cache_holds(&slot->set->as_of) && slot->set->portfolio == portfolio)
		return slot->set;

	old = slot->set;
	cxt = AllocSetContextCreate(CurrentMemoryContext, "cec rule set", ALLOCSET_DEFAULT_SIZES);
	set = MemoryContextAllocZero(cxt, sizeof(CecRuleSet));
	set->nspid = portfolio->nspid;
	set->cxt = cxt;
	set->portfolio = portfolio;
	set->as_of = cec_cache_as_of(cec_portfolio_table(portfolio, "coverage_rule"));
	set->codes = cec_rule_compiled_create(cxt);
	set->terms = make_terms(cxt);
	/* Conditions are moved over from the old set, so from here on there is only one way: forward, or both are gone. */
	slot->set = NULL;
	if (old != NULL)
	{
		MemoryContext saved = MemoryContextSwitchTo(CacheMemoryContext);

		retired = lappend(retired, old);
		MemoryContextSwitchTo(saved);
	}
	read_set(set, cec_portfolio_pins() <= 1 ? old : NULL);
	MemoryContextSetParent(cxt, CacheMemoryContext);
	slot->set = set;
	/* It may hold what this transaction has changed and what no trigger of ours has told of yet: gone if that is taken back. */
	changed_in = Max(changed_in, GetCurrentSubTransactionId());
	return set;
}

/* A rule by its key, or NULL. */
CecRule *
cec_rule_find(CecRuleSet *set, int64 rule_id)
{
	int place;

	CEC_SEARCH(place, set->count, set->rules[middle].rule_id < rule_id);
	return place < set->count && set->rules[place].rule_id == rule_id ? &set->rules[place] : NULL;
}

/* The rules of a term. */
int
cec_rules_of_term(CecRuleSet *set, int64 term_id, CecRule ***rules)
{
	int first;
	int count = 0;

	CEC_SEARCH(first, set->count, set->by_term[middle]->term->term_id < term_id);
	*rules = &set->by_term[first];
	while (first + count < set->count && set->by_term[first + count]->term->term_id == term_id)
		count++;
	return count;
}
