/*
 * column.c
 *		Finds the columns that code relies on, and makes sure that they are what it takes them for.
 *
 * A trigger function can be attached to any table, and the owner of a table may change its columns at will: a Datum
 * must not be read as another type than it has, nor a NULL as a pointer.
 */
#include "postgres.h"

#include "access/transam.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "support/column.h"
#include "support/query.h"

/* Attribute number of a column, as the open relation has it; 0 when there is none of that name. */
AttrNumber
cec_column_find(Relation rel, const char *name)
{
	TupleDesc desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			return att->attnum;
	}
	return InvalidAttrNumber;
}

static bool
is_of_type(Oid actual, Oid typid)
{
	if (typid == CEC_GEOMETRY_RESULT)
		return get_typisdefined(actual) && actual >= FirstNormalObjectId;
	return getBaseType(actual) == typid;
}

/* Attribute number of a column of a type, or of a domain over it; 55000 when the table has none such. */
AttrNumber
cec_column_require_nullable(Relation rel, const char *name, Oid typid)
{
	AttrNumber attnum = cec_column_find(rel, name);

	if (attnum == InvalidAttrNumber || !is_of_type(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid, typid))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("table \"%s\" has no column \"%s\" of type %s", RelationGetRelationName(rel), name,
							   format_type_be(typid)),
						errhint("Restore the columns that cec.create_portfolio made."), errtable(rel)));
	return attnum;
}

/* The same for a column that is never NULL: whoever owns the table could have changed that too. */
AttrNumber
cec_column_require(Relation rel, const char *name, Oid typid)
{
	AttrNumber attnum = cec_column_require_nullable(rel, name, typid);

	if (!TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attnotnull)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("column \"%s\" of table \"%s\" may be NULL", name, RelationGetRelationName(rel)),
						errhint("Make the column NOT NULL again."), errtablecol(rel, attnum)));
	return attnum;
}
