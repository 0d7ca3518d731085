/*
 * portfolio_check.c
 *		Checks a relation of a schema against what cec.create_portfolio makes.
 *
 * A schema is what its owner makes of it: views for tables, other column types, NULLs, partitions, triggers.  The
 * engine reads Datums by the types that it expects and acts as the owner, so nothing of a relation may be believed that
 * was not looked at.  The relation is open and locked; while the lock is held, what was found here stays true.
 *
 * Every refusal is 55000 and names what differs.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/partition.h"
#include "commands/trigger.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "portfolio/portfolio_check.h"
#include "support/compat.h"

/* The only tables that may be partitioned: what the engine does to them goes through the server's executor then. */
static const char *const partitionable[] = {"audit_log"};

#define REFUSAL_HINT \
	"The engine reads and writes this table as cec.create_portfolio made it. Undo the change, or drop what was added."

static pg_noreturn void refuse(Relation rel, const char *format, ...) pg_attribute_printf(2, 3);

/* 55000 with the detail given. */
static void
refuse(Relation rel, const char *format, ...)
{
	StringInfoData detail;

	initStringInfo(&detail);
	for (;;)
	{
		va_list args;
		int needed;

		va_start(args, format);
		needed = appendStringInfoVA(&detail, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&detail, needed);
	}
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("\"%s.%s\" is not the table that a portfolio needs",
						   get_namespace_name(RelationGetNamespace(rel)), RelationGetRelationName(rel)),
					errdetail_internal("%s", detail.data), errhint(REFUSAL_HINT), errtable(rel)));
}

static bool
may_be_partitioned(Relation rel)
{
	for (int i = 0; i < (int) lengthof(partitionable); i++)
		if (strcmp(RelationGetRelationName(rel), partitionable[i]) == 0)
			return true;
	return false;
}

/*
 * Raises unless the relation, which is open and locked, is an ordinary table of this owner: whatever its columns are, reading
 * it runs nothing and reads no other.
 */
void
cec_check_kind(Relation rel, Oid owner)
{
	Form_pg_class form = rel->rd_rel;
	bool is_partitioned = form->relkind == RELKIND_PARTITIONED_TABLE;

	if (form->relkind != RELKIND_RELATION && !(is_partitioned && may_be_partitioned(rel)))
		refuse(rel, "It is %s.",
			   form->relkind == RELKIND_VIEW				? "a view"
			   : form->relkind == RELKIND_MATVIEW			? "a materialized view"
			   : form->relkind == RELKIND_FOREIGN_TABLE		? "a foreign table"
			   : form->relkind == RELKIND_PARTITIONED_TABLE ? "a partitioned table"
															: "no table");
	if (form->relpersistence != RELPERSISTENCE_PERMANENT)
		refuse(rel, "It is %s.", form->relpersistence == RELPERSISTENCE_TEMP ? "a temporary table" : "unlogged");
	if (!is_partitioned && form->relam != HEAP_TABLE_AM_OID)
		refuse(rel, "Its rows are not kept by the access method heap.");
	if (form->relowner != owner)
		refuse(rel, "It belongs to role \"%s\", the schema to role \"%s\".", GetUserNameFromId(form->relowner, true),
			   GetUserNameFromId(owner, true));
	if (rel->rd_rules != NULL)
		refuse(rel, "It has rules.");
	if (form->relispartition)
		refuse(rel, "It is a partition of another table.");
	if (!is_partitioned && form->relhassubclass && has_subclass(RelationGetRelid(rel)) &&
		find_inheritance_children(RelationGetRelid(rel), NoLock) != NIL)
		refuse(rel, "Other tables inherit from it.");
}

/* The leaves of a partitioned table are written by the server's executor; they need be nothing but the owner's tables. */
static void
check_leaves(Relation rel, Oid owner)
{
	List *leaves = find_all_inheritors(RelationGetRelid(rel), AccessShareLock, NULL);
	ListCell *cell;

	foreach (cell, leaves)
	{
		Relation leaf;

		if (lfirst_oid(cell) == RelationGetRelid(rel))
			continue;
		leaf = table_open(lfirst_oid(cell), NoLock);
		if (leaf->rd_rel->relkind != RELKIND_RELATION && leaf->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
			refuse(leaf, "It is a partition, but no ordinary table.");
		if (leaf->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT || leaf->rd_rel->relowner != owner ||
			leaf->rd_rules != NULL)
			refuse(leaf, "A partition is permanent, without rules, and belongs to the owner of the schema.");
		table_close(leaf, NoLock);
	}
}

static Form_pg_attribute
find_attribute(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			return att;
	}
	return NULL;
}

static const char *
type_name(Oid type, int32 typmod)
{
	return format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_ALLOW_INVALID);
}

static void
check_column(Relation rel, const CecColumnShape *column)
{
	TupleDesc desc = RelationGetDescr(rel);
	Form_pg_attribute att = find_attribute(desc, NameStr(column->name));

	if (att == NULL)
		refuse(rel, "It has no column \"%s\".", NameStr(column->name));
	if (att->atttypid != column->type || att->atttypmod != column->typmod)
		refuse(rel, "Column \"%s\" has type %s, not %s.", NameStr(column->name),
			   type_name(att->atttypid, att->atttypmod), type_name(column->type, column->typmod));
	if (att->attcollation != column->collation)
		refuse(rel, "Column \"%s\" has another collation.", NameStr(column->name));
	if (column->is_not_null && !cec_compat_is_not_null(desc, att->attnum))
		refuse(rel, "Column \"%s\" may be NULL.", NameStr(column->name));
	if (att->attgenerated != column->generated)
		refuse(rel, "Column \"%s\" is %s.", NameStr(column->name),
			   att->attgenerated != '\0' ? "generated from others" : "no longer generated");
	if (att->attidentity != column->identity)
		refuse(rel, "Column \"%s\" is %s identity column.", NameStr(column->name),
			   att->attidentity == '\0' ? "no longer an" : "another kind of");
}

static bool
is_shaped(const CecTableShape *shape, const char *column)
{
	for (int i = 0; i < shape->ncolumns; i++)
		if (strcmp(NameStr(shape->columns[i].name), column) == 0)
			return true;
	return false;
}

/* Columns that somebody added, which no statement of the engine names. */
static void
check_further_columns(Relation rel, const CecTableShape *shape)
{
	TupleDesc desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && att->attnotnull && !att->atthasdef && att->attidentity == '\0' &&
			!is_shaped(shape, NameStr(att->attname)))
			refuse(rel, "The added column \"%s\" is NOT NULL and has no default.", NameStr(att->attname));
	}
}

/* Raises where a trigger that is not the engine's stands on the table or one of its partitions. */
static void
check_row_is_kept(Relation rel)
{
	List *rels = rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE
					 ? find_all_inheritors(RelationGetRelid(rel), AccessShareLock, NULL)
					 : list_make1_oid(RelationGetRelid(rel));
	Oid cec = get_namespace_oid("cec", false);
	ListCell *cell;

	foreach (cell, rels)
	{
		Relation part = table_open(lfirst_oid(cell), NoLock);
		const TriggerDesc *triggers = part->trigdesc;

		for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
			if (!triggers->triggers[i].tgisinternal && get_func_namespace(triggers->triggers[i].tgfoid) != cec)
				refuse(part, "Trigger \"%s\" could change what the engine writes.", triggers->triggers[i].tgname);
		table_close(part, NoLock);
	}
}

/*
 * Raises where a table that the engine derives, records or promises bears a deferrable constraint and is to be written: it
 * would leave a trigger behind that runs when whoever called the engine commits.  Likewise where somebody's trigger would see
 * the row first, and could change it; findings are told to triggers on purpose.
 */
void
cec_check_written(Relation rel, const CecTableShape *shape)
{
	const TriggerDesc *triggers = shape->is_stated ? NULL : rel->trigdesc;

	if (!shape->is_stated && strcmp(NameStr(shape->name), "finding") != 0)
		check_row_is_kept(rel);
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (triggers->triggers[i].tgdeferrable)
			refuse(rel,
				   triggers->triggers[i].tgisinternal
					   ? "A deferrable constraint stands on it: trigger \"%s\" would run when the transaction commits."
					   : "The constraint trigger \"%s\" is deferrable: it would run when the transaction commits.",
				   triggers->triggers[i].tgname);
}

/*
 * Raises unless the relation, which is open and locked, is an ordinary table of this owner with the columns of the shape.
 */
void
cec_check_table(Relation rel, Oid owner, const CecTableShape *shape)
{
	cec_check_kind(rel, owner);
	for (int i = 0; i < shape->ncolumns; i++)
		check_column(rel, &shape->columns[i]);
	check_further_columns(rel, shape);
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		check_leaves(rel, owner);
}

static bool
is_own_constraint(const CecTableShape *shape, const char *name)
{
	for (int i = 0; i < shape->nconstraints; i++)
		if (strcmp(NameStr(shape->constraints[i]), name) == 0)
			return true;
	return false;
}

/* Triggers that rows written below SQL do not fire: foreign keys in both directions, and whatever users attach. */
static void
check_triggers(Relation rel, const CecTableShape *shape)
{
	const TriggerDesc *triggers = rel->trigdesc;
	Oid cec = get_namespace_oid("cec", false);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		char *constraint;

		if (!trigger->tgisinternal)
		{
			if (get_func_namespace(trigger->tgfoid) != cec)
				refuse(rel, "Trigger \"%s\" would not see what the engine writes.", trigger->tgname);
			continue;
		}
		constraint = get_constraint_name(trigger->tgconstraint);
		if (constraint != NULL && !is_own_constraint(shape, constraint))
			refuse(rel, "The engine does not heed the foreign key \"%s\" when it writes.", constraint);
	}
}

static void
check_indexes(Relation rel)
{
	List *indexes = RelationGetIndexList(rel);
	ListCell *cell;

	foreach (cell, indexes)
	{
		HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
		bool is_immediate;

		if (!HeapTupleIsValid(tuple))
			continue;
		is_immediate = ((Form_pg_index) GETSTRUCT(tuple))->indimmediate;
		ReleaseSysCache(tuple);
		if (!is_immediate)
			refuse(rel, "The constraint of index \"%s\" is deferrable.", get_rel_name(lfirst_oid(cell)));
	}
}

/*
 * The same for a table whose rows the engine writes below SQL, without the server's executor: what users attached to it
 * would be skipped without a word.
 */
void
cec_check_written_below(Relation rel, const CecTableShape *shape)
{
	TupleDesc desc = RelationGetDescr(rel);
	const TupleConstr *constr = desc->constr;

	cec_check_written(rel, shape);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped)
			continue;
		if (is_shaped(shape, NameStr(att->attname)))
		{
			for (int j = 0; j < shape->ncolumns; j++)
				if (strcmp(NameStr(shape->columns[j].name), NameStr(att->attname)) == 0 && att->attnotnull &&
					!shape->columns[j].is_not_null)
					refuse(rel, "Column \"%s\" may no longer be NULL.", NameStr(att->attname));
		}
		else if (att->attnotnull || att->atthasdef || att->attidentity != '\0')
			refuse(rel, "The added column \"%s\" would stay NULL in what the engine writes.", NameStr(att->attname));
	}
	for (int i = 0; constr != NULL && i < constr->num_check; i++)
		if (!is_own_constraint(shape, constr->check[i].ccname))
			refuse(rel, "The engine does not heed the constraint \"%s\" when it writes.", constr->check[i].ccname);
	check_triggers(rel, shape);
	check_indexes(rel);
}
