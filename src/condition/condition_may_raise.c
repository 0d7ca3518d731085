/*
 * condition_may_raise.c
 *		Whether a condition can raise an error for some asset.
 *
 * The executor asks the parts of a WHERE clause in any order, cheap ones first; a compiled condition is run from left to
 * right.  That is the same as long as no part can raise, and only then may the executor choose.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "condition/condition_compile.h"

/* Functions that never raise, whatever the register holds; what is not here may. */
static bool
is_quiet(Oid function, List *args)
{
	static const CecCatalogFunction called[] = {CEC_CATALOG_AGE_YEARS_ON, CEC_CATALOG_LAST_MAINTENANCE_ON,
												CEC_CATALOG_AS_DATE,	  CEC_CATALOG_AS_NUMBER,
												CEC_CATALOG_ST_COVERS,	  CEC_CATALOG_ST_X,
												CEC_CATALOG_ST_Y};

	switch (function)
	{
		case F_INT4_INT2:
		case F_INT8_INT2:
		case F_INT8_INT4:
		case F_NUMERIC_INT4:
		case F_NUMERIC_INT8:
		case F_FLOAT8_INT4:
		case F_FLOAT8_INT8:
		case F_JSONB_OBJECT_FIELD:
		case F_JSONB_OBJECT_FIELD_TEXT:
		case F_JSONB_EXISTS:
		case F_JSONB_CONTAINS:
		case F_JSONB_TYPEOF:
		case F_MULTIRANGE_CONTAINS_ELEM:
		case F_STARTS_WITH:
			return true;
		case F_DATE_PL_INTERVAL:
		case F_DATE_MI_INTERVAL:
			/* the day is near, and what is wrong with the interval is wrong for all assets */
			return IsA(linitial(args), Var) && ((Var *) linitial(args))->varattno == CEC_FACT_AS_OF &&
				   IsA(lsecond(args), Const);
		default:
			break;
	}
	for (int i = 0; i < lengthof(called); i++)
		if (function == cec_catalog_function(called[i]))
			return true;
	return false;
}

static bool
may_raise_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
		case T_Const:
		case T_List:
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CoalesceExpr:
		case T_RelabelType:
		case T_CollateExpr:
		case T_ArrayExpr:
			break;
		case T_OpExpr:
		case T_DistinctExpr:
			/* Comparisons never do. */
			if (!cec_compat_is_comparison(((OpExpr *) node)->opno) &&
				!is_quiet(((OpExpr *) node)->opfuncid, ((OpExpr *) node)->args))
				return true;
			break;
		case T_ScalarArrayOpExpr:
			if (!cec_compat_is_comparison(((ScalarArrayOpExpr *) node)->opno))
				return true;
			break;
		case T_FuncExpr:
			if (!is_quiet(((FuncExpr *) node)->funcid, ((FuncExpr *) node)->args))
				return true;
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, may_raise_walker, context);
}

/* Whether a compiled condition can raise an error for some row and not for others. */
bool
cec_condition_may_raise(const CecCondition *condition)
{
	return may_raise_walker((Node *) condition->expr, NULL);
}
