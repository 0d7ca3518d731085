/*
 * portfolio_code.c
 *		Whether code that somebody attached to a table would run with the rights of whoever asks the engine.
 *
 * Who reads a table runs, without knowing, its policies of row-level security; who writes it runs its triggers, defaults
 * and constraints as well.  Where the engine acts as the owner that harms nobody but him.  Where it asks on behalf of the
 * caller, the guard (guard.c) lets no function of others start as the caller.  It does not hear of the server's own
 * functions, and some do harm in the caller's hands: they change settings, read files, or run SQL that they are given.  So
 * what may run is looked at before: of the server's functions those that only compute, immutable ones of extensions, and
 * what runs as its own owner; on types that bring no code with them, and of tables those of the portfolio's owner.
 *
 * Immutable functions, which the planner folds where it meets them in indexes, statistics and constraints, are the guard's
 * alone.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "portfolio/portfolio_cache.h"
#include "support/compat.h"

/* What an expression is looked through for. */
typedef struct Search
{
	Oid owner;	  /* whose tables it may read */
	Oid function; /* out: that does harm */
} Search;

/*
 * Whether whoever runs it is safe: see above.  Volatile functions of the server are not, and functions that make XML of
 * what a query returns run the query.
 */
static bool
is_harmless(Oid function)
{
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc proc;
	bool result;

	if (!HeapTupleIsValid(tuple))
		return false;
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	if (function < FirstNormalObjectId)
		result = (proc->provolatile != PROVOLATILE_VOLATILE && proc->prorettype != XMLOID) ||
				 function == F_CLOCK_TIMESTAMP || function == F_GEN_RANDOM_UUID;
	else
		result = (proc->prosecdef && proc->proowner != GetUserId()) ||
				 (proc->provolatile == PROVOLATILE_IMMUTABLE && superuser_arg(proc->proowner) &&
				  OidIsValid(getExtensionOfObject(ProcedureRelationId, function)));
	ReleaseSysCache(tuple);
	return result;
}

static bool
is_harmful_function(Oid function, void *context)
{
	if (is_harmless(function))
		return false;
	((Search *) context)->function = function;
	return true;
}

/* Whether values of a type can be made without running what somebody attached to it; only superusers make base types. */
static bool
is_harmless_type(Oid type)
{
	Oid element = get_element_type(type);
	char kind;

	if (OidIsValid(element))
		return is_harmless_type(element);
	if (type < FirstNormalObjectId)
		return true;
	kind = get_typtype(type);
	return kind == TYPTYPE_BASE || kind == TYPTYPE_ENUM;
}

static Oid
owner_of(Oid relid)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid owner = HeapTupleIsValid(tuple) ? ((Form_pg_class) GETSTRUCT(tuple))->relowner : InvalidOid;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return owner;
}

/* Whether a node makes a value, of a type that is not simply that of a column. */
static bool
makes_value(Node *node)
{
	switch (nodeTag(node))
	{
		case T_FuncExpr:
		case T_OpExpr:
		case T_Const:
		case T_CoerceViaIO:
		case T_ArrayCoerceExpr:
		case T_ConvertRowtypeExpr:
		case T_CoerceToDomain:
		case T_RelabelType:
		case T_RowExpr:
		case T_ArrayExpr:
		case T_Aggref:
		case T_WindowFunc:
		case T_SubscriptingRef:
		case T_FieldSelect:
		case T_FieldStore:
			return true;
		default:
			return false;
	}
}

/* Whether what a query reads brings types or code of others: columns of rows that a function makes are read in by their types. */
static bool
is_harmless_source(RangeTblEntry *rte, Oid owner)
{
	ListCell *cell;
	ListCell *type;

	switch (rte->rtekind)
	{
		case RTE_RELATION:
			/* Views and policies of further tables would bring code of their own; a stranger's table, the caller's secrets. */
			return rte->relid < FirstNormalObjectId ||
				   (get_rel_relkind(rte->relid) == RELKIND_RELATION && owner_of(rte->relid) == owner &&
					check_enable_rls(rte->relid, InvalidOid, true) != RLS_ENABLED);
		case RTE_FUNCTION:
			foreach (cell, rte->functions)
				foreach (type, lfirst_node(RangeTblFunction, cell)->funccoltypes)
					if (!is_harmless_type(lfirst_oid(type)))
						return false;
			return true;
		case RTE_TABLEFUNC:
			return false;
		default:
			return true;
	}
}

/* Walker: true where something may do harm; the search then tells the function that is called, or none for other reasons. */
static bool
find_harm(Node *node, void *context)
{
	Search *search = context;

	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_harmful_function, context))
		return true;
	if (IsA(node, XmlExpr) || IsA(node, NextValueExpr) || cec_compat_is_json(node) ||
		(makes_value(node) && !is_harmless_type(exprType(node))))
		return true;
	if (IsA(node, Query))
	{
		ListCell *cell;

		foreach (cell, castNode(Query, node)->rtable)
		{
			if (!is_harmless_source(lfirst_node(RangeTblEntry, cell), search->owner))
				return true;
		}
		return query_tree_walker(castNode(Query, node), find_harm, context, 0);
	}
	return expression_tree_walker(node, find_harm, context);
}

static void
refuse_code(Relation rel, const char *what, const char *name, Oid function)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("%s of table \"%s.%s\" would run with your rights", what,
						   get_namespace_name(RelationGetNamespace(rel)), RelationGetRelationName(rel)),
					OidIsValid(function) ? errdetail("\"%s\" calls function %s, which does more than compute a value.",
													 name, format_procedure(function))
										 : errdetail("\"%s\" does more than compute a value from columns.", name),
					errhint("Let its owner make the function SECURITY DEFINER, or ask as the owner of the portfolio."),
					errtable(rel)));
}

static void
check_expression(Relation rel, const char *what, const char *name, Node *expression)
{
	Search search = {rel->rd_rel->relowner, InvalidOid};

	if (find_harm(expression, &search))
		refuse_code(rel, what, name, search.function);
}

static void
check_policies(Relation rel)
{
	ListCell *cell;

	if (rel->rd_rsdesc == NULL || check_enable_rls(RelationGetRelid(rel), InvalidOid, true) != RLS_ENABLED)
		return;
	foreach (cell, rel->rd_rsdesc->policies)
	{
		RowSecurityPolicy *policy = lfirst(cell);

		check_expression(rel, "a row-level security policy", policy->policy_name, (Node *) policy->qual);
		check_expression(rel, "a row-level security policy", policy->policy_name, (Node *) policy->with_check_qual);
	}
}

static void
check_triggers(Relation rel)
{
	const TriggerDesc *triggers = rel->trigdesc;
	Oid cec = get_namespace_oid("cec", false);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		HeapTuple tuple;
		Form_pg_proc proc;
		bool is_fine;

		if (trigger->tgisinternal)
			continue;
		if (trigger->tgqual != NULL)
			check_expression(rel, "the condition of a trigger", trigger->tgname, stringToNode(trigger->tgqual));
		tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(trigger->tgfoid));
		if (!HeapTupleIsValid(tuple))
			continue;
		proc = (Form_pg_proc) GETSTRUCT(tuple);
		is_fine = proc->pronamespace == cec || (proc->prosecdef && proc->proowner != GetUserId());
		ReleaseSysCache(tuple);
		if (!is_fine)
			refuse_code(rel, "a trigger", trigger->tgname, trigger->tgfoid);
	}
}

/*
 * Raises unless reading the table, or writing it, runs only harmless code as the current user; the owner's own code is
 * harmless to him.  Errors: 55000, naming what would run.
 */
void
cec_portfolio_check_code(CecPortfolio *portfolio, const char *table_name, bool is_written)
{
	Relation rel;

	if (GetUserId() == portfolio->owner)
		return;
	rel = cec_portfolio_open(portfolio, table_name, AccessShareLock);
	check_policies(rel);
	if (is_written)
	{
		const TupleConstr *constr = RelationGetDescr(rel)->constr;

		for (int i = 0; constr != NULL && i < constr->num_check; i++)
			check_expression(rel, "a constraint", constr->check[i].ccname, stringToNode(constr->check[i].ccbin));
		for (int i = 0; constr != NULL && i < constr->num_defval; i++)
			check_expression(rel, "a default",
							 NameStr(TupleDescAttr(RelationGetDescr(rel), constr->defval[i].adnum - 1)->attname),
							 stringToNode(constr->defval[i].adbin));
		check_triggers(rel);
	}
	table_close(rel, NoLock);
}
