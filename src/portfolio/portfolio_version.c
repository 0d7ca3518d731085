/*
 * portfolio_version.c
 *		Reads the version of a portfolio without running anything of its owner's.
 *
 * The view cec.portfolio asks every schema that calls itself a portfolio, and whoever looks at it may be a superuser.
 * By SQL a view, policy, rule or cast in the place of the setting table would run as the one who looks.  So the table
 * is scanned here, and only if it is a plain one.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "column.h"
#include "compat.h"

PG_FUNCTION_INFO_V1(cec_portfolio_version);

/* The version in the first row of the table; NULL when there is none. */
static char *
read_version(Relation setting)
{
	AttrNumber version = cec_column_find(setting, "version");
	TupleTableSlot *slot;
	TableScanDesc scan;
	char *result = NULL;

	if (setting->rd_rel->relkind != RELKIND_RELATION || version == InvalidAttrNumber ||
		TupleDescAttr(RelationGetDescr(setting), version - 1)->atttypid != TEXTOID)
		return NULL;

	slot = table_slot_create(setting, NULL);
	scan = table_beginscan(setting, GetActiveSnapshot(), 0, NULL);
	if (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		slot_getallattrs(slot);
		if (!slot->tts_isnull[version - 1])
			result = TextDatumGetCString(slot->tts_values[version - 1]);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return result;
}

/* cec._portfolio_version(portfolio oid): its version, or NULL where the caller may not read it. */
Datum
cec_portfolio_version(PG_FUNCTION_ARGS)
{
	Oid nspid = PG_GETARG_OID(0);
	Oid relid = get_relname_relid("setting", nspid);
	Relation setting;
	char *version;

	if (!OidIsValid(relid) || !cec_compat_may_use_schema(nspid, GetUserId()) ||
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK ||
		check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		PG_RETURN_NULL();
	setting = try_table_open(relid, AccessShareLock);
	if (setting == NULL)
		PG_RETURN_NULL();
	version = read_version(setting);
	table_close(setting, AccessShareLock);
	if (version == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(version));
}
