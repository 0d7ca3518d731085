/*
 * portfolio_query.c
 *		Makes sure that a query of the engine reads the tables that were checked, and no others.
 *
 * SQL names its tables, and no lock keeps a schema from being renamed.  So every query of the engine begins with a mark
 * that tells the portfolio it is meant for, and after the parser has found the relations, before anything is rewritten,
 * planned or run, each of them must be the table of that portfolio which cec_portfolio_open hands out.  This holds for
 * every analysis, also when a kept plan is made anew.  A mark in somebody else's query does no harm: it is checked, too.
 *
 * While such a query is planned and run for anybody but the owner of the portfolio, a guard is up (guard.c): what its tables
 * carry does not run as whoever called the engine.
 */
#include "postgres.h"

#include "init.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/planner.h"
#include "parser/analyze.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "portfolio/portfolio_cache.h"
#include "portfolio/portfolio_shape.h"
#include "support/compat.h"
#include "support/guard.h"

static post_parse_analyze_hook_type next_hook = NULL;
static planner_hook_type next_planner = NULL;
static ExecutorStart_hook_type next_start = NULL;
static ExecutorRun_hook_type next_run = NULL;
static ExecutorFinish_hook_type next_finish = NULL;

PG_FUNCTION_INFO_V1(cec_sql);
PG_FUNCTION_INFO_V1(cec_check_tables);

/* What a mark says. */
typedef struct Mark
{
	CecPortfolio *portfolio;
	unsigned int nspid;
	bool any_columns;
} Mark;

static bool check_query(Node *node, void *context);

/*
 * Whether it is a view that lists findings, of the owner of the portfolio, and he is who reads it: he may have made it say what he
 * likes, and nobody else runs what is in it.
 */
static bool
is_own_view(const CecPortfolio *portfolio, Oid relid, const char *name)
{
	HeapTuple tuple;
	bool is_own;

	if (strncmp(name, "_finding_", strlen("_finding_")) != 0 || GetUserId() != portfolio->owner)
		return false;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		return false;
	is_own = ((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_VIEW &&
			 ((Form_pg_class) GETSTRUCT(tuple))->relowner == portfolio->owner &&
			 ((Form_pg_class) GETSTRUCT(tuple))->relnamespace == portfolio->nspid;
	ReleaseSysCache(tuple);
	return is_own;
}

static void
check_relation(const Mark *mark, Oid relid, bool is_written)
{
	CecPortfolio *portfolio = mark->portfolio;
	char *name = get_rel_name(relid);
	Relation rel;

	if (name == NULL)
		elog(ERROR, "relation %u is gone", relid);
	if (is_own_view(portfolio, relid, name))
		return;
	if (get_rel_namespace(relid) == portfolio->nspid)
	{
		rel = mark->any_columns ? cec_portfolio_open_any(portfolio, name, AccessShareLock)
								: cec_portfolio_open(portfolio, name, AccessShareLock);
		relation_close(rel, NoLock);
		if (RelationGetRelid(rel) == relid)
		{
			if (is_written)
				cec_portfolio_check_written(portfolio, name);
			if (!mark->any_columns)
				cec_portfolio_check_code(portfolio, name, is_written);
			else if (GetUserId() != portfolio->owner)
				elog(ERROR, "only the owner reads tables whatever their columns are");
			return;
		}
	}
	else if (get_rel_namespace(relid) == PG_CATALOG_NAMESPACE ||
			 get_rel_namespace(relid) == get_namespace_oid("cec", false))
		return;
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("a query of the engine met \"%s.%s\", which is no table of its portfolio",
						   get_namespace_name(get_rel_namespace(relid)), name),
					errhint("If a schema was renamed meanwhile, try again.")));
}

static bool
check_query(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query *query = castNode(Query, node);
		int place = 0;
		ListCell *cell;

		foreach (cell, query->rtable)
		{
			RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

			place++;
			if (rte->rtekind == RTE_RELATION)
				check_relation(context, rte->relid, place == query->resultRelation);
		}
		return query_tree_walker(query, check_query, context, 0);
	}
	return expression_tree_walker(node, check_query, context);
}

/* Whether a query is marked, and how. */
static bool
read_mark(const char *text, Mark *mark)
{
	char next;

	if (text == NULL || strncmp(text, CEC_QUERY_MARK, strlen(CEC_QUERY_MARK)) != 0 ||
		sscanf(text + strlen(CEC_QUERY_MARK), "%u %c", &mark->nspid, &next) != 2)
		return false;
	mark->any_columns = next == 'a';
	return true;
}

static void
check_marked(ParseState *pstate, Query *query, JumbleState *jumble)
{
	Mark mark;

	if (read_mark(pstate->p_sourcetext, &mark))
	{
		cec_portfolio_pin();
		mark.portfolio = cec_portfolio_get(mark.nspid);
		(void) check_query((Node *) query, &mark);
		cec_portfolio_unpin();
	}
	if (next_hook != NULL)
		next_hook(pstate, query, jumble);
}

/* Raises a guard if the query is marked and the current user does not own the portfolio; what it returns ends it. */
static int
guard_marked(const char *text)
{
	Mark mark;
	HeapTuple tuple;
	bool is_own;

	if (!read_mark(text, &mark))
		return INT_MAX;
	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(mark.nspid));
	is_own = HeapTupleIsValid(tuple) && ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner == GetUserId();
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return is_own ? INT_MAX : cec_guard_enter();
}

static PlannedStmt *
plan_guarded(Query *parse, const char *text, int cursor_options, ParamListInfo params)
{
	int guard = guard_marked(text);
	PlannedStmt *result = (next_planner != NULL ? next_planner : standard_planner)(parse, text, cursor_options, params);

	cec_guard_leave(guard);
	return result;
}

static void
start_guarded(QueryDesc *query, int flags)
{
	int guard = guard_marked(query->sourceText);

	(next_start != NULL ? next_start : standard_ExecutorStart)(query, flags);
	cec_guard_leave(guard);
}

static void
run_guarded(CEC_COMPAT_EXECUTOR_RUN_PARAMETERS)
{
	int guard = guard_marked(query->sourceText);

	(next_run != NULL ? next_run : standard_ExecutorRun)(CEC_COMPAT_EXECUTOR_RUN_ARGUMENTS);
	cec_guard_leave(guard);
}

static void
finish_guarded(QueryDesc *query)
{
	int guard = guard_marked(query->sourceText);

	(next_finish != NULL ? next_finish : standard_ExecutorFinish)(query);
	cec_guard_leave(guard);
}

/* Looks at queries from here on; called once when the library is loaded. */
void
cec_portfolio_query_init(void)
{
	next_hook = post_parse_analyze_hook;
	post_parse_analyze_hook = check_marked;
	next_planner = planner_hook;
	planner_hook = plan_guarded;
	next_start = ExecutorStart_hook;
	ExecutorStart_hook = start_guarded;
	next_run = ExecutorRun_hook;
	ExecutorRun_hook = run_guarded;
	next_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = finish_guarded;
}

/*
 * cec._sql(portfolio, query): the query with the portfolio's mark, and its schema in the place of "@P@".  For PL/pgSQL, which
 * executes it: so whatever is done for a portfolio refuses to be done for none.
 */
Datum
cec_sql(PG_FUNCTION_ARGS)
{
	Oid nspid = cec_portfolio_argument(fcinfo);
	char *schema = get_namespace_name(nspid);

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (schema == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_SCHEMA), errmsg("schema with OID %u does not exist", nspid)));
	PG_RETURN_TEXT_P(
		cstring_to_text(cec_query_text(nspid, quote_identifier(schema), text_to_cstring(PG_GETARG_TEXT_PP(1)))));
}

/*
 * cec._check_tables(portfolio): raises unless what has the names of a portfolio's tables are ordinary tables of the schema's
 * owner, whatever their columns: those of an older version have others.
 */
Datum
cec_check_tables(PG_FUNCTION_ARGS)
{
	CecPortfolio *portfolio;
	List *names = cec_shape_names();
	ListCell *cell;

	cec_portfolio_pin();
	portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	foreach (cell, names)
		if (OidIsValid(get_relname_relid(lfirst(cell), portfolio->nspid)))
			relation_close(cec_portfolio_open_any(portfolio, lfirst(cell), AccessShareLock), AccessShareLock);
	cec_portfolio_unpin();
	PG_RETURN_VOID();
}
