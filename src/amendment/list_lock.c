/*
 * list_lock.c
 *		Locks the assets whose lists a function is about to change, before its first statement does.
 *
 * A statement on a list locks the assets of its own rows, in order.  A function that changes lines of two assets would lock
 * them in the order of its statements, and wait for another one that changes the same two the other way round.  So it says
 * here who they are: they are locked with all below them, in one order for everybody.  The lines themselves come before that,
 * as with any statement that changes them: whoever changes a line has the line, and waits for its asset.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"

#include "bundle/bundle.h"
#include "portfolio/portfolio_cache.h"
#include "registry/asset_lock.h"

PG_FUNCTION_INFO_V1(cec_lock_listed);

static CecIds
ids_of_array(ArrayType *array)
{
	CecIds ids = {0};
	Datum *values;
	bool *nulls;
	int count;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			cec_ids_add(&ids, DatumGetInt64(values[i]));
	cec_ids_sort_unique(&ids);
	return ids;
}

/*
 * cec._lock_listed(portfolio, assets): goes through the gate as data do, and locks the assets with all below them until the
 * transaction ends.  For who may change lists; whoever may locks them by that, too.  Error: 40001 above READ COMMITTED.
 */
Datum
cec_lock_listed(PG_FUNCTION_ARGS)
{
	Oid nspid = PG_GETARG_OID(0);
	CecIds assets = ids_of_array(PG_GETARG_ARRAYTYPE_P(1));
	CecPortfolio *portfolio;
	CecReading *reading;
	CecActAs act;

	cec_portfolio_pin();
	/* Before the gate: whoever waits for it keeps others waiting. */
	if (pg_class_aclcheck(cec_portfolio_table(cec_portfolio_get(nspid), "inclusion"), GetUserId(), ACL_UPDATE) !=
		ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, "inclusion");
	cec_portfolio_lock_gate(nspid, RowExclusiveLock);
	portfolio = cec_portfolio_get(nspid);
	cec_portfolio_act(&act, portfolio);
	reading = cec_reading_begin(portfolio, InvalidOid);
	(void) cec_add_all_below(reading, &assets);
	cec_ids_sort_unique(&assets);
	cec_lock_assets(reading, &assets);
	cec_reading_end(reading);
	cec_act_as_self(&act);
	cec_portfolio_unpin();
	PG_RETURN_VOID();
}
