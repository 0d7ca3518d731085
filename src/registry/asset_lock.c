/*
 * asset_lock.c
 *		Locks the assets that a statement concerns, once and in order, before anything is decided from them.
 *
 * A large statement first tries to have the portfolio for itself: one relation lock in the place of very many row
 * locks (1 µs and 56 bytes of WAL each).  It does not wait for it, since two such statements would wait for each
 * other, and locks rows if somebody else is writing.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "storage/lockdefs.h"
#include "utils/guc.h"

#include "init.h"
#include "registry/asset_lock.h"
#include "support/compat.h"

/*
 * From here on the gate is worth what it costs (test/bench, "lock").  It takes 20 µs and thus less than row locks from
 * 20 assets on; but at every size row locks are only a fifteenth of the statement, while the gate keeps all other
 * writers of the portfolio out until the transaction ends.  So only a statement that takes long anyway, and saves
 * 10 ms and more.
 */
static int gate_threshold = 10000;

/* Up to so many are locked one by one: the query below costs 3 µs before it has locked any, and less than this for each. */
#define FEW 8

static const CecQuery lock_assets = {
	"SELECT FROM @P@.asset WHERE asset_id = ANY ($1) ORDER BY asset_id FOR NO KEY UPDATE",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN};

/* Defines the setting; called once when the library is loaded. */
void
cec_asset_lock_init(void)
{
	DefineCustomIntVariable(
		"cec.registry_gate_threshold",
		"From how many assets on a statement tries to block all other writers of the portfolio instead of locking each asset.",
		NULL, &gate_threshold, 10000, 1, PG_INT32_MAX, PGC_SUSET, 0, NULL, NULL, NULL);
}

/*
 * Locks the assets, which are in order, in that order, until the end of the transaction.  Runs as the owner.  Raises 40001 above READ COMMITTED
 * when one of them was changed meanwhile.  Returns whether all of them are locked: false when there is none of that key, or
 * none that can be locked because it came when another one was deleted.
 */
bool
cec_lock_assets(CecReading *reading, const CecIds *assets)
{
	CecPortfolio *portfolio = reading->portfolio;
	Datum arg;
	uint64 count = 0;

	/* Whoever has the portfolio alone needs no more: a definition, a bulk function, an earlier large statement. */
	if (assets->count == 0 || cec_portfolio_holds_gate(portfolio, ShareRowExclusiveLock))
		return true;
	if (assets->count >= gate_threshold && cec_portfolio_try_gate(portfolio->nspid, ShareRowExclusiveLock))
		return true;
	if (assets->count <= FEW)
	{
		CecLook *look = cec_reading_look(reading, &cec_source_asset);

		for (int64 i = 0; i < assets->count; i++)
			count += cec_probe_lock(look->probe, assets->ids[i]);
		return count == assets->count;
	}
	arg = cec_ids_as_array(assets);
	SPI_connect();
	count = cec_query_run(portfolio->plans, &lock_assets, &arg, NULL, 0);
	SPI_finish();
	return count == assets->count;
}
