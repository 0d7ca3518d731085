/*
 * portfolio_version.c
 *		Reads a portfolio's version for whoever lists the portfolios of a database.
 *
 * That is somebody who asked for nothing of a certain tenant, often a superuser; so nothing of a tenant may run.  The
 * settings are read without SQL, and only while they are locked as what they must be: a plain table.  A view or a policy
 * in its place could call functions, as the reader.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(cec_portfolio_version);

static char *
read_version(Relation setting, AttrNumber version)
{
	TupleTableSlot *slot = table_slot_create(setting, NULL);
	TableScanDesc scan = table_beginscan(setting, GetActiveSnapshot(), 0, NULL);
	char *result = NULL;

	if (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool isnull;
		Datum value = slot_getattr(slot, version, &isnull);

		if (!isnull)
			result = TextDatumGetCString(value);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return result;
}

/* cec._portfolio_version(portfolio oid): NULL where the caller may not read all settings, or where there are none. */
Datum
cec_portfolio_version(PG_FUNCTION_ARGS)
{
	Oid relid = get_relname_relid("setting", PG_GETARG_OID(0));
	Relation setting = OidIsValid(relid) ? try_relation_open(relid, AccessShareLock) : NULL;
	AttrNumber version;
	char *result = NULL;

	if (setting == NULL)
		PG_RETURN_NULL();
	version = get_attnum(relid, "version");
	if (setting->rd_rel->relkind == RELKIND_RELATION && version > 0 && get_atttype(relid, version) == TEXTOID &&
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED)
		result = read_version(setting, version);
	relation_close(setting, AccessShareLock);
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(result));
}
