/*
 * audit_log.c
 *		Finds the columns of an audit log, whose owner may have changed them.
 */
#include "postgres.h"

#include "utils/rel.h"

#include "audit/audit_log.h"
#include "support/cache.h"
#include "support/column.h"
#include "support/compat.h"

static const char *const log_column_name[CEC_LOG_COLUMNS] = {
	"audit_id",			"xid",		   "system_id",	  "at",			"actor",	 "session_user_name",
	"application_name", "client_addr", "reason",	  "table_name", "operation", "row_id",
	"asset_id",			"term_id",	   "contract_id", "salt",		"row_image", "delta"};

static const Oid log_column_type[CEC_LOG_COLUMNS] = CEC_LOG_COLUMN_TYPES;

/* That of the log written last: looked up once, until something about that table changes. */
static CecLogShape last_shape = {InvalidOid};
static CecAsOf last_shape_as_of = {NULL};

/* Rows go into the log past all constraints: it must be a plain table whose columns are ours, or may be NULL. */
static void
check_log(const CecLogShape *shape, Relation log)
{
	TupleDesc desc = RelationGetDescr(log);

	if (log->rd_rel->relkind != RELKIND_RELATION && log->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not a table", RelationGetRelationName(log)), errtable(log)));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		bool ours = false;

		for (int j = 0; j < CEC_LOG_COLUMNS; j++)
			ours = ours || shape->attnums[j] == att->attnum;
		if (!att->attisdropped && (att->attgenerated != '\0' || (att->attnotnull && !ours)))
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							errmsg("column \"%s\" of the audit log cannot be filled", NameStr(att->attname)),
							errhint("What is added to the log may be neither generated nor NOT NULL."), errtable(log)));
	}
}

/*
 * Finds the columns of a log that is about to be written.  Errors: 55000 when they are not what they were made as, 42809 when
 * it is no table.
 */
void
cec_audit_log_shape(CecLogShape *shape, Relation log)
{
	Oid relid = RelationGetRelid(log);

	if (last_shape.relid != relid || !cec_cache_holds(&last_shape_as_of))
	{
		CecAsOf as_of = cec_cache_as_of(relid);

		for (int i = 0; i < CEC_LOG_COLUMNS; i++)
			shape->attnums[i] = cec_column_require_nullable(log, log_column_name[i], log_column_type[i]);
		check_log(shape, log);
		if (TupleDescAttr(RelationGetDescr(log), shape->attnums[CEC_LOG_AUDIT_ID] - 1)->attidentity == '\0')
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							errmsg("column \"audit_id\" of the audit log is no longer an identity column"),
							errhint("Make audit_id an identity column again."), errtable(log)));
		shape->sequence = cec_compat_identity_sequence(log, shape->attnums[CEC_LOG_AUDIT_ID]);
		shape->relid = relid;
		last_shape = *shape;
		last_shape_as_of = as_of;
	}
	*shape = last_shape;
}
