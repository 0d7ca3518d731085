/*
 * rule_index.c
 *		Finds the include rules that can match an asset by their conjuncts, without running those that cannot.
 *
 * Each rule stands in one place: under the values of one of its conjuncts of the form column = constant or column IN
 * (constants), or under the box of its contract's boundary when inside_boundary is a conjunct, or among those that are
 * always run.  A conjunct that is false makes the condition false; one that is NULL makes it false or unknown, which is
 * the same to a rule whose on_unknown is deny.  The others stand under NULL too.
 *
 * Values are compared by a hash of their bytes: one that is equal by chance costs an evaluation and changes nothing.
 * Text is therefore compared byte by byte, as = of a deterministic collation does.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "condition/condition_compile.h"
#include "rule/rule_evaluate.h"
#include "rule/rule_index.h"
#include "support/grow.h"
#include "support/slot.h"

typedef struct IndexKey
{
	uint64 hash; /* of the value; 0 for NULL */
	int64 column;
} IndexKey;

typedef struct IndexEntry
{
	IndexKey key;
	int count;
	int space;
	CecRule **rules;
} IndexEntry;

typedef struct Box
{
	double box[4];
	CecRule *rule;
} Box;

struct CecRuleIndex
{
	MemoryContext cxt;
	HTAB *entries;
	Bitmapset *columns; /* that any rule stands under */
	int always_count;
	CecRule **always;
	int box_count;
	Box *boxes;
	FmgrInfo x;
	FmgrInfo y;
	CecRule **found; /* answer to the last question */
};

/* What tells assets apart best comes first: a rule stands under the first of these that it has. */
static const AttrNumber preferred[] = {
	CEC_FACT_ASSET_ID,	  CEC_FACT_ASSET_TAG, CEC_FACT_SERIAL_NUMBER, CEC_FACT_SUCCESSOR_ID, CEC_FACT_MODEL,
	CEC_FACT_CUSTOMER_ID, CEC_FACT_REGION,	  CEC_FACT_CATEGORY,	  CEC_FACT_COUNTRY,		 CEC_FACT_MANUFACTURER,
	CEC_FACT_USAGE_TYPE,  CEC_FACT_SOURCE,	  CEC_FACT_STATUS,		  CEC_FACT_TAG_SYMBOLOGY};

static uint64
hash_value(Oid type, Datum value)
{
	uint64 hash;

	if (type == TEXTOID)
	{
		text *string = DatumGetTextPP(value);

		hash = hash_bytes_extended((const unsigned char *) VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string), 0);
	}
	else
	{
		int64 number = type == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value);

		hash = hash_bytes_extended((const unsigned char *) &number, sizeof(number), 0);
	}
	return hash == 0 ? 1 : hash;
}

static void
put_under(CecRuleIndex *index, AttrNumber column, uint64 hash, CecRule *rule)
{
	IndexKey key = {hash, column};
	bool found;
	IndexEntry *entry = hash_search(index->entries, &key, HASH_ENTER, &found);

	if (!found)
	{
		entry->count = 0;
		entry->space = 0;
		entry->rules = NULL;
	}
	/* a value named twice */
	if (entry->count > 0 && entry->rules[entry->count - 1] == rule)
		return;
	CEC_MAKE_ROOM_IN(index->cxt, entry->rules, entry->count, entry->space, 2);
	entry->rules[entry->count++] = rule;
	index->columns = bms_add_member(index->columns, column);
}

static CecConjunct *
best_conjunct(CecCondition *condition)
{
	ListCell *cell;

	for (int i = 0; i < lengthof(preferred); i++)
		foreach (cell, condition->conjuncts)
		{
			CecConjunct *conjunct = lfirst(cell);

			if (conjunct->kind == CEC_CONJUNCT_EQUAL && conjunct->column == preferred[i] &&
				(conjunct->type == TEXTOID || conjunct->type == INT8OID || conjunct->type == INT4OID))
				return conjunct;
		}
	foreach (cell, condition->conjuncts)
		if (((CecConjunct *) lfirst(cell))->kind == CEC_CONJUNCT_BOUNDARY)
			return lfirst(cell);
	return NULL;
}

static void
place_rule(CecRuleIndex *index, CecRule *rule)
{
	CecCondition *condition = rule->compiled->condition; /* NULL when it does not compile: evaluation will say so */
	CecConjunct *conjunct = condition == NULL || !rule->is_active ? NULL : best_conjunct(condition);
	bool null_counts = rule->on_unknown != CEC_UNKNOWN_DENY;

	if (rule->effect != CEC_RULE_INCLUDE || (!rule->is_active && rule->on_unknown != CEC_UNKNOWN_ALLOW))
		return;
	if (conjunct == NULL || (conjunct->kind == CEC_CONJUNCT_BOUNDARY && null_counts))
		index->always[index->always_count++] = rule;
	else if (conjunct->kind == CEC_CONJUNCT_BOUNDARY)
	{
		/* Without a boundary nothing is inside. */
		if (rule->term->has_box)
		{
			memcpy(index->boxes[index->box_count].box, rule->term->box, sizeof(rule->term->box));
			index->boxes[index->box_count++].rule = rule;
		}
	}
	else
	{
		for (int i = 0; i < conjunct->count; i++)
			put_under(index, conjunct->column, hash_value(conjunct->type, conjunct->values[i]), rule);
		if (null_counts)
			put_under(index, conjunct->column, 0, rule);
	}
}

static CecRuleIndex *
build_index(CecRuleSet *set)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "cec rule index", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	CecRuleIndex *index = palloc0(sizeof(CecRuleIndex));
	HASHCTL ctl = {0};

	index->cxt = cxt;
	ctl.keysize = sizeof(IndexKey);
	ctl.entrysize = sizeof(IndexEntry);
	ctl.hcxt = cxt;
	index->entries =
		hash_create("cec rules by conjunct", Max(set->count, 16), &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	index->always = palloc(Max(set->count, 1) * sizeof(CecRule *));
	index->boxes = palloc(Max(set->count, 1) * sizeof(Box));
	index->found = palloc(Max(set->count, 1) * sizeof(CecRule *));
	for (int i = 0; i < set->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		place_rule(index, &set->rules[i]);
	}
	if (index->box_count > 0)
	{
		fmgr_info_cxt(cec_catalog_function(CEC_CATALOG_ST_X), &index->x, cxt);
		fmgr_info_cxt(cec_catalog_function(CEC_CATALOG_ST_Y), &index->y, cxt);
	}
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(cxt, set->cxt);
	return index;
}

static bool
coordinate_of(FmgrInfo *function, Datum location, double *value)
{
	LOCAL_FCINFO(fcinfo, 1);
	Datum result;

	InitFunctionCallInfoData(*fcinfo, function, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = location;
	fcinfo->args[0].isnull = false;
	result = FunctionCallInvoke(fcinfo);
	*value = fcinfo->isnull ? 0 : DatumGetFloat8(result);
	return !fcinfo->isnull;
}

static int
find_by_box(CecRuleIndex *index, TupleTableSlot *asset, int count)
{
	double x;
	double y;
	Datum location = cec_slot_value(asset, CEC_FACT_LOCATION);

	if (index->box_count == 0 || cec_slot_isnull(asset, CEC_FACT_LOCATION) || !coordinate_of(&index->x, location, &x) ||
		!coordinate_of(&index->y, location, &y))
		return count;
	for (int i = 0; i < index->box_count; i++)
	{
		const double *box = index->boxes[i].box;

		if (box[0] <= x && x <= box[2] && box[1] <= y && y <= box[3])
			index->found[count++] = index->boxes[i].rule;
	}
	return count;
}

static int
find_by_columns(CecRuleIndex *index, TupleTableSlot *asset, int count)
{
	int column = -1;

	while ((column = bms_next_member(index->columns, column)) >= 0)
	{
		IndexKey key = {0, column};
		IndexEntry *entry;

		if (!cec_slot_isnull(asset, column))
			key.hash = hash_value(TupleDescAttr(asset->tts_tupleDescriptor, column - 1)->atttypid,
								  cec_slot_value(asset, column));
		entry = hash_search(index->entries, &key, HASH_FIND, NULL);
		if (entry != NULL)
		{
			memcpy(&index->found[count], entry->rules, entry->count * sizeof(CecRule *));
			count += entry->count;
		}
	}
	return count;
}

static CecRuleIndex *
get_index(CecRuleSet *set)
{
	if (set->index == NULL)
	{
		cec_rule_compile_all(set);
		set->index = build_index(set);
	}
	return set->index;
}

/* Whether the index would name a rule for an asset: one that it does not name is not run, even where it would fail. */
bool
cec_rule_is_candidate(CecRuleSet *set, CecRule *rule, TupleTableSlot *asset)
{
	CecRuleIndex *index = get_index(set); /* compiles the conditions */
	CecCondition *condition = rule->compiled->condition;
	CecConjunct *conjunct = condition == NULL || rule->effect != CEC_RULE_INCLUDE ? NULL : best_conjunct(condition);
	bool null_counts = rule->on_unknown != CEC_UNKNOWN_DENY;
	int count;

	if (conjunct == NULL || (conjunct->kind == CEC_CONJUNCT_BOUNDARY && null_counts))
		return true;
	if (conjunct->kind == CEC_CONJUNCT_EQUAL)
	{
		Datum value = cec_slot_value(asset, conjunct->column);

		if (cec_slot_isnull(asset, conjunct->column))
			return null_counts;
		for (int i = 0; i < conjunct->count; i++)
			if (hash_value(conjunct->type, conjunct->values[i]) == hash_value(conjunct->type, value))
				return true;
		return false;
	}
	count = find_by_box(index, asset, 0);
	for (int i = 0; i < count; i++)
		if (index->found[i] == rule)
			return true;
	return false;
}

/*
 * The include rules that can match an asset, given its fact row: all others do not act on it.  The answer stays until the
 * next question.
 */
int
cec_rule_candidates(CecRuleSet *set, TupleTableSlot *asset, CecRule ***candidates)
{
	CecRuleIndex *index = get_index(set);
	int count = find_by_columns(index, asset, 0);

	count = find_by_box(index, asset, count);
	memcpy(&index->found[count], index->always, index->always_count * sizeof(CecRule *));
	*candidates = index->found;
	return count + index->always_count;
}
