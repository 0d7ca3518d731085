/*
 * portfolio_code.c
 *		Whether code that somebody attached to a table would run with the rights of whoever asks the engine.
 *
 * Who reads a table runs, without knowing, what its owner attached to it: policies of row-level security, and immutable
 * functions in expressions of indexes, statistics and constraints, which the planner folds while it plans.  Who writes
 * it runs its triggers, defaults and constraints as well.  Where the engine acts as the owner that harms nobody but him.
 * Where it asks on behalf of the caller, only code may be there that does no harm in the caller's hands: functions of
 * the server and of extensions, as long as a superuser owns them, and what runs as its own owner anyway.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_statistic_ext.h"
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

#include "compat.h"
#include "portfolio_cache.h"

/* Whether whoever runs it is safe: see above.  Of the server's functions volatile ones could run SQL of the attacker's. */
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
		result = proc->provolatile != PROVOLATILE_VOLATILE || function == F_CLOCK_TIMESTAMP ||
				 function == F_GEN_RANDOM_UUID || function == F_NEXTVAL;
	else
		result = proc->prosecdef || proc->proowner == GetUserId() ||
				 (superuser_arg(proc->proowner) && OidIsValid(getExtensionOfObject(ProcedureRelationId, function)));
	ReleaseSysCache(tuple);
	return result;
}

static bool
is_harmful_function(Oid function, void *context)
{
	if (is_harmless(function))
		return false;
	*(Oid *) context = function;
	return true;
}

/* Walker: true where a function is called that is not harmless; *context is then its oid, or stays 0 for other reasons. */
static bool
find_harm(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_harmful_function, context))
		return true;
	if (IsA(node, CoerceToDomain) && castNode(CoerceToDomain, node)->resulttype >= FirstNormalObjectId)
		return true;
	if (IsA(node, Query))
	{
		ListCell *cell;

		foreach (cell, castNode(Query, node)->rtable)
		{
			RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

			/* Views and policies of further tables would bring code of their own. */
			if (rte->rtekind == RTE_RELATION && rte->relid >= FirstNormalObjectId &&
				(get_rel_relkind(rte->relid) != RELKIND_RELATION ||
				 check_enable_rls(rte->relid, InvalidOid, true) == RLS_ENABLED))
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
					OidIsValid(function)
						? errdetail("\"%s\" calls function %s, which is neither the server's nor an extension's.", name,
									format_procedure(function))
						: errdetail("\"%s\" does more than call functions of the server and of extensions.", name),
					errhint("Let its owner make the function SECURITY DEFINER, or ask as the owner of the portfolio."),
					errtable(rel)));
}

static void
check_expression(Relation rel, const char *what, const char *name, Node *expression)
{
	Oid function = InvalidOid;

	if (find_harm(expression, &function))
		refuse_code(rel, what, name, function);
}

static void
check_text(Relation rel, const char *what, const char *name, HeapTuple tuple, int cache, AttrNumber attnum)
{
	bool isnull;
	Datum expression = SysCacheGetAttr(cache, tuple, attnum, &isnull);

	if (!isnull)
		check_expression(rel, what, name, stringToNode(TextDatumGetCString(expression)));
}

static void
check_index_code(Relation rel)
{
	List *indexes = RelationGetIndexList(rel);
	ListCell *cell;

	foreach (cell, indexes)
	{
		HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
		char *name = get_rel_name(lfirst_oid(cell));

		if (!HeapTupleIsValid(tuple))
			continue;
		check_text(rel, "an index", name, tuple, INDEXRELID, Anum_pg_index_indexprs);
		check_text(rel, "an index", name, tuple, INDEXRELID, Anum_pg_index_indpred);
		ReleaseSysCache(tuple);
	}
}

static void
check_statistics_code(Relation rel)
{
	List *statistics = RelationGetStatExtList(rel);
	ListCell *cell;

	foreach (cell, statistics)
	{
		HeapTuple tuple = SearchSysCache1(STATEXTOID, ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(tuple))
			continue;
		check_text(rel, "a statistics object", NameStr(((Form_pg_statistic_ext) GETSTRUCT(tuple))->stxname), tuple,
				   STATEXTOID, Anum_pg_statistic_ext_stxexprs);
		ReleaseSysCache(tuple);
	}
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
		is_fine = proc->pronamespace == cec || proc->prosecdef || proc->proowner == GetUserId() ||
				  (trigger->tgfoid < FirstNormalObjectId && proc->pronamespace == PG_CATALOG_NAMESPACE);
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
	const TupleConstr *constr;

	if (GetUserId() == portfolio->owner)
		return;
	rel = cec_portfolio_open(portfolio, table_name, AccessShareLock);
	constr = RelationGetDescr(rel)->constr;
	check_index_code(rel);
	check_statistics_code(rel);
	check_policies(rel);
	for (int i = 0; constr != NULL && i < constr->num_check; i++)
		check_expression(rel, "a constraint", constr->check[i].ccname, stringToNode(constr->check[i].ccbin));
	if (is_written)
	{
		for (int i = 0; constr != NULL && i < constr->num_defval; i++)
			check_expression(rel, "a default",
							 NameStr(TupleDescAttr(RelationGetDescr(rel), constr->defval[i].adnum - 1)->attname),
							 stringToNode(constr->defval[i].adbin));
		check_triggers(rel);
	}
	table_close(rel, NoLock);
}
