/*
 * query.c
 *		Runs queries over the tables of one schema by plans that are prepared once and kept.
 *
 * The caller holds the SPI connection, because it reads SPI_tuptable before it finishes.  Every query runs with the
 * latest snapshot, so that after a lock was waited for it sees what the other transaction committed, at any
 * isolation level; this is how the server's own foreign keys read (ri_triggers.c).
 *
 * A plan lives until its CecPlans is freed.  CecPlans belongs to a cache entry
 * (portfolio_cache.c) that is dropped when the schema is renamed or one of its tables changes.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "query.h"

struct CecPlans
{
	MemoryContext cxt;
	char *quoted_schema;
	HTAB *table;
};

typedef struct PlanEntry
{
	const CecQuery *query; /* key */
	SPIPlanPtr plan;
} PlanEntry;

/* Makes an empty set of plans in cxt. */
CecPlans *
cec_plans_create(MemoryContext cxt, const char *quoted_schema)
{
	CecPlans *plans = MemoryContextAllocZero(cxt, sizeof(CecPlans));
	HASHCTL ctl = {0};

	plans->cxt = cxt;
	plans->quoted_schema = MemoryContextStrdup(cxt, quoted_schema);
	ctl.keysize = sizeof(const CecQuery *);
	ctl.entrysize = sizeof(PlanEntry);
	ctl.hcxt = cxt;
	plans->table = hash_create("cec plans", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return plans;
}

/* Frees the plans; the memory of the set itself goes with its context. */
void
cec_plans_free(CecPlans *plans)
{
	HASH_SEQ_STATUS status;
	PlanEntry *entry;

	hash_seq_init(&status, plans->table);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->plan != NULL)
			SPI_freeplan(entry->plan);
		entry->plan = NULL;
	}
}

/* The text with every "@P@" replaced by the schema. */
static char *
substitute_schema(const char *text, const char *quoted_schema)
{
	StringInfoData buf;
	const char *from = text;
	const char *hit;

	initStringInfo(&buf);
	while ((hit = strstr(from, "@P@")) != NULL)
	{
		appendBinaryStringInfo(&buf, from, hit - from);
		appendStringInfoString(&buf, quoted_schema);
		from = hit + 3;
	}
	appendStringInfoString(&buf, from);
	return buf.data;
}

/*
 * The kept plan of a query, prepared now if there is none.  One that no longer holds is kept too: the plan cache makes
 * it anew from the text, which names what it named before, and a statement further up the stack may be running it.
 */
static SPIPlanPtr
get_plan(CecPlans *plans, const CecQuery *query)
{
	bool found;
	PlanEntry *entry = hash_search(plans->table, &query, HASH_ENTER, &found);
	SPIPlanPtr plan;

	if (!found)
		entry->plan = NULL;
	if (entry->plan != NULL)
		return entry->plan;

	plan = SPI_prepare_cursor(substitute_schema(query->text, plans->quoted_schema), query->nargs,
							  (Oid *) query->argtypes, query->cursor_options);
	if (plan == NULL)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep a plan");
	entry->plan = plan;
	return plan;
}

/*
 * Runs a query with the latest snapshot inside the caller's SPI connection and returns the number of rows processed;
 * the rows themselves are in SPI_tuptable.  nulls as in SPI_execute_plan; limit 0 means all rows.
 */
uint64
cec_query_run(CecPlans *plans, const CecQuery *query, Datum *args, const char *nulls, long limit)
{
	SPIPlanPtr plan = get_plan(plans, query);
	int result;

	CommandCounterIncrement();
	result = SPI_execute_snapshot(plan, args, nulls, GetLatestSnapshot(),
								  IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : InvalidSnapshot, false, true,
								  limit);
	if (result < 0)
		elog(ERROR, "could not run a query: %s", SPI_result_code_string(result));
	return SPI_processed;
}
