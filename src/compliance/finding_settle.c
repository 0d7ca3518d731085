/*
 * finding_settle.c
 *		Opens and closes findings: behind a statement those of the assets and contracts that it made suspect, in refresh all.
 *
 * All that is to open and to close is read first and written together (finding/finding_write.c).
 */
#include "postgres.h"

#include "access/relation.h"
#include "miscadmin.h"
#include "utils/rel.h"

#include "compliance/finding_compare.h"
#include "compliance/finding_suspect.h"
#include "init.h"
#include "portfolio/refresh_task.h"

static void
settle_ids(CecChange *change, const CecFindingKind *kind, const CecComparison *comparison, CecIds *ids,
		   bool may_be_open, CecSettled *settled)
{
	Datum array;

	if (ids->count == 0)
		return;
	array = cec_ids_as_array(ids);
	cec_finding_compare(change->portfolio, kind, comparison, &array, may_be_open, settled, NULL, NULL);
}

/* So often what is so is compared again where triggers on findings changed it meanwhile. */
#define MAX_TURNS 8

/*
 * Compares what is suspect with what is open, and brings that up to date.  Returns whether anything was different.  The first time it is
 * known from the suspects of which kinds nothing is open.
 */
static bool
settle_once(CecChange *change, const CecFindingKinds *kinds, CecSuspects *suspects, bool is_first)
{
	CecSettled settled = {.findings.at = cec_delta_instant(&change->delta, 0)};

	for (int i = 0; i < kinds->count; i++)
	{
		const CecFindingKind *kind = &kinds->kinds[i];

		bool may_be_open = !is_first || kind->scope == CEC_SCOPE_PAIR || (suspects->open & CEC_KIND_BIT(i)) != 0;

		settle_ids(change, kind, &kind->of_contracts, &suspects->contracts[i], true, &settled);
		settle_ids(change, kind, &kind->of_assets, &suspects->assets[i], may_be_open, &settled);
		if (kind->scope == CEC_SCOPE_IDENTIFIER && suspects->typed != 0)
			cec_finding_compare(change->portfolio, kind, &kind->of_subjects, &suspects->typed, true, &settled, NULL,
								NULL);
	}
	cec_finding_write(change->portfolio, &settled.findings, cec_outbox_of(change));
	return settled.count > 0;
}

/* Whether anybody has triggers on findings; the engine has none. */
static bool
has_triggers(CecPortfolio *portfolio)
{
	Relation rel = cec_portfolio_open(portfolio, "finding", RowExclusiveLock); /* as it was written */
	bool has = rel->trigdesc != NULL;

	relation_close(rel, NoLock);
	return has;
}

/*
 * Handler of the find stage.  What a trigger on findings does is settled by its own statement, but for what had been compared and not
 * written by then: so where there are triggers that is compared again, until nothing is different.
 */
static void
settle_suspects(CecChange *change)
{
	CecSuspects *suspects = cec_finding_suspects(change);
	const CecFindingKinds *kinds;
	int turns = 0;

	if (suspects == NULL)
		return;
	kinds = cec_finding_kinds(change->portfolio);
	while (settle_once(change, kinds, suspects, turns == 0) && has_triggers(change->portfolio) && ++turns < MAX_TURNS)
		;
}

/* Writes what has come together while all is compared. */
static void
write_part(CecSettled *settled, void *arg)
{
	CecPortfolio *portfolio = arg;
	CecOutbox outbox = {NIL, CurrentMemoryContext};

	cec_finding_write(portfolio, &settled->findings, &outbox);
	cec_outbox_write(portfolio, &outbox);
	settled->findings = (CecFindingChange){0};
	settled->count = 0;
}

/* The task "findings": compares all, whatever has changed since and by whom. */
static void
settle_all(CecRefresh *refresh)
{
	const CecFindingKinds *kinds = cec_finding_kinds(refresh->portfolio);
	CecSettled settled = {0};

	for (int i = 0; i < kinds->count; i++)
	{
		cec_finding_compare(refresh->portfolio, &kinds->kinds[i], &kinds->kinds[i].all, NULL, true, &settled,
							write_part, refresh->portfolio);
		write_part(&settled, refresh->portfolio);
	}
	cec_refresh_count(refresh, "findings opened", settled.opened);
	cec_refresh_count(refresh, "findings closed", settled.closed);
}

/* Registers all of the findings with the engine; behind coverage. */
void
cec_finding_settle_init(void)
{
	cec_change_register(CEC_STAGE_FIND, NULL, settle_suspects);
	cec_refresh_register("findings", 800, settle_all);
}
