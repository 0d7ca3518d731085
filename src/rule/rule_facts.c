/*
 * rule_facts.c
 *		Fills the fact row (type cec.rule_fact) of an asset under a rule's term, for compiled conditions.
 *
 * Only what tables hold is filled in; what follows from it (age, inside_boundary, the last maintenance) is part of the
 * compiled condition itself, so that it is defined once for this way of running and for the set-based one
 * (rule_scan.c).  What an asset row does not hold, its maintenance and its requests, is read when a condition needs it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "condition/condition_compile.h"
#include "portfolio/portfolio_today.h"
#include "rule/rule_facts.h"
#include "support/column.h"
#include "support/grow.h"
#include "support/probe.h"
#include "support/slot.h"

static const CecQuery read_boundary = {"SELECT boundary FROM @P@.contract WHERE contract_id = $1",
									   1,
									   {INT8OID},
									   CURSOR_OPT_GENERIC_PLAN,
									   .results = {CEC_GEOMETRY_RESULT}};

struct CecRuleFacts
{
	CecRuleSet *set;
	Snapshot snapshot;
	DateADT as_of;
	TupleTableSlot *slot;
	TupleDesc desc;
	MemoryContext cxt;		 /* of all this */
	MemoryContext asset_cxt; /* of what was read about the asset */
	CecProbe *asset;
	AttrNumber asset_columns[CEC_FACT_SOURCE_UPDATED_AT + 1]; /* by column of the fact row */
	int64 asset_id;
	bool exists;
	bool has_maintenance; /* read for this asset */
	bool has_requests;
	CecProbe *maintenance; /* NULL until needed */
	AttrNumber kind;
	AttrNumber performed_on;
	CecProbe *requests;
	AttrNumber opened_at;
};

/* Starts; as_of is the day of evaluation.  Lives in the current memory context. */
CecRuleFacts *
cec_rule_facts_begin(CecRuleSet *set, Snapshot snapshot, DateADT as_of)
{
	CecRuleFacts *facts = palloc0(sizeof(CecRuleFacts));
	Relation rel;

	facts->set = set;
	facts->snapshot = snapshot;
	facts->as_of = as_of;
	facts->cxt = CurrentMemoryContext;
	facts->asset_cxt = AllocSetContextCreate(CurrentMemoryContext, "cec facts of an asset", ALLOCSET_SMALL_SIZES);
	facts->desc = cec_fact_descriptor();
	facts->slot = MakeSingleTupleTableSlot(facts->desc, &TTSOpsVirtual);
	facts->asset = cec_probe_begin(cec_portfolio_open(set->portfolio, "asset", AccessShareLock), "asset_id", snapshot);
	rel = cec_probe_relation(facts->asset);
	for (int i = CEC_FACT_ASSET_ID; i <= CEC_FACT_SOURCE_UPDATED_AT; i++)
	{
		Form_pg_attribute att = TupleDescAttr(facts->desc, i - 1);

		facts->asset_columns[i] = cec_column_require_nullable(rel, NameStr(att->attname), att->atttypid);
	}
	return facts;
}

/* Lets go of tables. */
void
cec_rule_facts_end(CecRuleFacts *facts)
{
	if (facts->requests != NULL)
		cec_probe_end(facts->requests);
	if (facts->maintenance != NULL)
		cec_probe_end(facts->maintenance);
	cec_probe_end(facts->asset);
	ExecDropSingleTupleTableSlot(facts->slot);
	MemoryContextDelete(facts->asset_cxt);
	pfree(facts);
}

/* Goes to an asset; false when there is none. */
bool
cec_rule_facts_seek(CecRuleFacts *facts, int64 asset_id)
{
	TupleTableSlot *row;
	TupleTableSlot *slot = facts->slot;

	if (facts->asset_id == asset_id && asset_id != 0)
		return facts->exists;
	facts->asset_id = asset_id;
	facts->has_maintenance = false;
	facts->has_requests = false;
	MemoryContextReset(facts->asset_cxt);
	ExecClearTuple(slot);
	cec_probe_seek(facts->asset, asset_id);
	row = cec_probe_next(facts->asset);
	facts->exists = row != NULL;
	if (row == NULL)
		return false;
	cec_slot_set_all_null(slot);
	for (int i = CEC_FACT_ASSET_ID; i <= CEC_FACT_SOURCE_UPDATED_AT; i++)
	{
		slot->tts_values[i - 1] = cec_slot_value(row, facts->asset_columns[i]);
		slot->tts_isnull[i - 1] = cec_slot_isnull(row, facts->asset_columns[i]);
	}
	cec_slot_set(slot, CEC_FACT_AS_OF, DateADTGetDatum(facts->as_of));
	ExecStoreVirtualTuple(slot);
	return true;
}

static void
put_array(CecRuleFacts *facts, AttrNumber column, Datum *values, int count, Oid type)
{
	int16 len;
	bool byval;
	char align;

	if (count == 0)
		return;
	get_typlenbyvalalign(type, &len, &byval, &align);
	cec_slot_set(facts->slot, column, PointerGetDatum(construct_array(values, count, type, len, byval, align)));
}

/* The events of the asset, in no order; the functions that read them need none. */
static void
read_maintenance(CecRuleFacts *facts)
{
	MemoryContext old;
	TupleTableSlot *row;
	int count = 0;
	int kind_space = 0;
	int day_space = 0;
	Datum *kinds = NULL;
	Datum *days = NULL;

	facts->has_maintenance = true;
	if (facts->maintenance == NULL)
	{
		old = MemoryContextSwitchTo(facts->cxt);
		facts->maintenance =
			cec_probe_begin(cec_portfolio_open(facts->set->portfolio, "maintenance_event", AccessShareLock), "asset_id",
							facts->snapshot);
		facts->kind = cec_probe_column(facts->maintenance, "kind", TEXTOID);
		facts->performed_on = cec_probe_column(facts->maintenance, "performed_on", DATEOID);
		MemoryContextSwitchTo(old);
	}
	old = MemoryContextSwitchTo(facts->asset_cxt);
	cec_probe_seek(facts->maintenance, facts->asset_id);
	while ((row = cec_probe_next(facts->maintenance)) != NULL)
	{
		CEC_MAKE_ROOM(kinds, count, kind_space, 8);
		CEC_MAKE_ROOM(days, count, day_space, 8);
		kinds[count] = PointerGetDatum(DatumGetTextPCopy(cec_slot_value(row, facts->kind)));
		days[count++] = cec_slot_value(row, facts->performed_on);
	}
	put_array(facts, CEC_FACT_MAINTENANCE_KINDS, kinds, count, TEXTOID);
	put_array(facts, CEC_FACT_MAINTENANCE_DAYS, days, count, DATEOID);
	MemoryContextSwitchTo(old);
}

static void
read_requests(CecRuleFacts *facts)
{
	MemoryContext old;
	TupleTableSlot *row;
	int count = 0;
	int space = 0;
	Datum *days = NULL;

	facts->has_requests = true;
	if (facts->requests == NULL)
	{
		old = MemoryContextSwitchTo(facts->cxt);
		facts->requests = cec_probe_begin(cec_portfolio_open(facts->set->portfolio, "service_request", AccessShareLock),
										  "asset_id", facts->snapshot);
		facts->opened_at = cec_probe_column(facts->requests, "opened_at", TIMESTAMPTZOID);
		MemoryContextSwitchTo(old);
	}
	old = MemoryContextSwitchTo(facts->asset_cxt);
	cec_probe_seek(facts->requests, facts->asset_id);
	while ((row = cec_probe_next(facts->requests)) != NULL)
	{
		TimestampTz at = DatumGetTimestampTz(cec_slot_value(row, facts->opened_at));

		CEC_MAKE_ROOM(days, count, space, 8);
		if (!TIMESTAMP_NOT_FINITE(at))
			days[count++] = DateADTGetDatum(cec_portfolio_local_day(facts->set->portfolio, at));
	}
	put_array(facts, CEC_FACT_REQUEST_DAYS, days, count, DATEOID);
	MemoryContextSwitchTo(old);
}

/* Reads the boundary of the term's contract, once: large ones are not kept by sessions that never ask for them. */
void
cec_rule_read_boundary(CecRuleSet *set, CecRuleTerm *term)
{
	Datum arg = Int64GetDatum(term->contract_id);
	bool isnull;
	Datum value;

	if (!term->has_box || term->boundary != 0)
		return;
	SPI_connect();
	if (cec_query_run(set->portfolio->plans, &read_boundary, &arg, NULL, 1) > 0)
	{
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		if (!isnull)
		{
			MemoryContext old = MemoryContextSwitchTo(set->cxt);

			term->boundary = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
			MemoryContextSwitchTo(old);
		}
	}
	SPI_finish();
}

/*
 * Makes of the boundary, which has been read, what distances are measured to; once, since it takes longer than measuring.
 * Raises what PostGIS raises.
 */
void
cec_rule_project_boundary(CecRuleSet *set, CecRuleTerm *term)
{
	MemoryContext old;

	if (term->boundary == 0 || term->boundary_on_globe != 0)
		return;
	old = MemoryContextSwitchTo(set->cxt != NULL ? set->cxt : CurrentMemoryContext);
	term->boundary_on_globe = OidFunctionCall1(cec_catalog_function(CEC_CATALOG_GEOGRAPHY), term->boundary);
	MemoryContextSwitchTo(old);
}

/* What the row of an asset does not hold; may read tables. */
static void
fill_in(CecRuleFacts *facts, CecRule *rule)
{
	CecRuleTerm *term = rule->term;
	TupleTableSlot *slot = facts->slot;
	int needs = rule->compiled->needs;

	if ((needs & CEC_NEEDS_MAINTENANCE) && !facts->has_maintenance)
		read_maintenance(facts);
	if ((needs & CEC_NEEDS_REQUESTS) && !facts->has_requests)
		read_requests(facts);
	if (needs & CEC_NEEDS_TERM)
	{
		memcpy(&slot->tts_values[CEC_FACT_CONTRACT_NUMBER - 1], term->values, sizeof(term->values));
		memcpy(&slot->tts_isnull[CEC_FACT_CONTRACT_NUMBER - 1], term->isnull, sizeof(term->isnull));
	}
	if (needs & CEC_NEEDS_BOUNDARY)
	{
		if (term->has_box && term->boundary == 0)
			cec_rule_read_boundary(facts->set, term);
		slot->tts_values[CEC_FACT_BOUNDARY - 1] = term->boundary;
		slot->tts_isnull[CEC_FACT_BOUNDARY - 1] = term->boundary == 0;
		slot->tts_values[CEC_FACT_BOUNDARY_ON_GLOBE - 1] = term->boundary_on_globe;
		slot->tts_isnull[CEC_FACT_BOUNDARY_ON_GLOBE - 1] = term->boundary_on_globe == 0;
	}
}

/*
 * The fact row of the asset gone to, under the rule's term, with what its condition, which is compiled, reads; it stays until
 * the next call.  Reads no table when it was asked for the same rule and asset before.
 */
TupleTableSlot *
cec_rule_facts_of(CecRuleFacts *facts, CecRule *rule)
{
	if (rule->compiled->needs != 0)
		fill_in(facts, rule);
	return facts->slot;
}

/* The rules that it is for. */
CecRuleSet *
cec_rule_facts_set(CecRuleFacts *facts)
{
	return facts->set;
}

/* The fact row as far as it speaks of the asset alone. */
TupleTableSlot *
cec_rule_facts_asset(CecRuleFacts *facts)
{
	return facts->slot;
}
