/*
 * asset_lock.c
 *		Locks the assets that a statement concerns, once and in order, before anything is decided from them.
 *
 * A large statement first tries to have the portfolio for itself: one relation lock in the place of very many row
 * locks (4 µs and 150 bytes of WAL each).  It does not wait for it, since two such statements would wait for each
 * other, and locks rows if somebody else is writing.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "storage/lockdefs.h"
#include "utils/array.h"

#include "asset_lock.h"

/* From here on the gate is cheaper; found by test/bench. */
#define GATE_THRESHOLD 1000

static const CecQuery lock_assets = {
	"SELECT FROM @P@.asset WHERE asset_id = ANY ($1) ORDER BY asset_id FOR NO KEY UPDATE",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN};

/*
 * Locks the assets until the end of the transaction; ids may repeat and come in any order.  Runs as the owner.
 * Raises 40001 above READ COMMITTED when one of them was changed meanwhile.
 */
void
cec_lock_assets(CecChange *change, Datum *asset_ids, int count)
{
	Datum arg;

	if (count == 0)
		return;
	if (count >= GATE_THRESHOLD && cec_portfolio_try_gate(change->portfolio->nspid, ShareRowExclusiveLock))
		return;
	arg = PointerGetDatum(construct_array(asset_ids, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	SPI_connect();
	cec_query_run(change->portfolio->plans, &lock_assets, &arg, NULL, 0);
	SPI_finish();
}
