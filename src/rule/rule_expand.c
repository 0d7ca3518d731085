/*
 * rule_expand.c
 *		Replaces what the vocabulary derives by what it is computed from: age_years by a function of two days, and so on.
 *
 * Both ways of running a rule get this tree; so there is one definition of each, and a rule pays for what it mentions.
 * Also puts bounds on values that come out of the register and go into something whose cost grows faster than its input.
 */
#include "postgres.h"

#include "catalog/pg_collation_d.h"
#include "catalog/pg_type_d.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "rule_stages.h"

/* A column of the fact row. */
static Expr *
fact(AttrNumber number)
{
	Oid type = cec_column(number)->type;
	Oid collation = type == TEXTOID || type == TEXTARRAYOID ? DEFAULT_COLLATION_OID : InvalidOid;

	return (Expr *) makeVar(1, number, OidIsValid(type) ? type : cec_geometry_type(), -1, collation, 0);
}

static Expr *
call(CecCalled called, Oid result, List *args)
{
	Oid collation = result == TEXTOID ? DEFAULT_COLLATION_OID : InvalidOid;

	return (Expr *) makeFuncExpr(cec_called(called), result, args, collation, DEFAULT_COLLATION_OID,
								 COERCE_EXPLICIT_CALL);
}

/* Bounds an operand, unless it is a constant: their size is that of the condition at most. */
static void
bound(ListCell *cell, CecCalled called, Oid type)
{
	if (!IsA(lfirst(cell), Const))
		lfirst(cell) = call(called, type, list_make1(lfirst(cell)));
}

static Expr *
inside_boundary(void)
{
	return call(CEC_CALLED_ST_COVERS, BOOLOID, list_make2(fact(CEC_FACT_BOUNDARY), fact(CEC_FACT_LOCATION)));
}

/* 0 inside, also where the geodesic edge of the boundary runs elsewhere than the straight one. */
static Expr *
distance_to_boundary(void)
{
	Oid geography = get_func_rettype(cec_called(CEC_CALLED_GEOGRAPHY));
	CaseWhen *when = makeNode(CaseWhen);
	CaseExpr *result = makeNode(CaseExpr);

	when->expr = inside_boundary();
	when->result =
		(Expr *) makeConst(FLOAT8OID, -1, InvalidOid, sizeof(float8), Float8GetDatum(0), false, FLOAT8PASSBYVAL);
	when->location = -1;
	result->casetype = FLOAT8OID;
	result->args = list_make1(when);
	result->defresult = call(CEC_CALLED_ST_DISTANCE, FLOAT8OID,
							 list_make3(call(CEC_CALLED_GEOGRAPHY, geography, list_make1(fact(CEC_FACT_BOUNDARY))),
										call(CEC_CALLED_GEOGRAPHY, geography, list_make1(fact(CEC_FACT_LOCATION))),
										makeBoolConst(true, false)));
	result->location = -1;
	return (Expr *) result;
}

static Node *
expand_column(Var *var)
{
	switch (var->varattno)
	{
		case CEC_FACT_AGE_YEARS:
			return (Node *) call(CEC_CALLED_AGE_YEARS_ON, INT4OID,
								 list_make2(fact(CEC_FACT_COMMISSIONED_ON), fact(CEC_FACT_AS_OF)));
		case CEC_FACT_INSIDE_BOUNDARY:
			return (Node *) inside_boundary();
		case CEC_FACT_DISTANCE_TO_BOUNDARY_M:
			return (Node *) distance_to_boundary();
		default:
			return (Node *) copyObject(var);
	}
}

/* A call whose arguments are expanded already. */
static Node *
expand_call(FuncExpr *func)
{
	if (cec_function_is_listed(func->funcid))
		return (Node *) func;
	if (func->funcid == cec_called(CEC_CALLED_LAST_MAINTENANCE))
		return (Node *) call(CEC_CALLED_LAST_MAINTENANCE_ON, DATEOID,
							 list_concat(func->args, list_make3(fact(CEC_FACT_AS_OF), fact(CEC_FACT_MAINTENANCE_KINDS),
																fact(CEC_FACT_MAINTENANCE_DAYS))));
	if (func->funcid == cec_called(CEC_CALLED_MAINTENANCE_COUNT))
		return (Node *) call(CEC_CALLED_MAINTENANCE_COUNT_ON, INT4OID,
							 list_concat(func->args, list_make3(fact(CEC_FACT_AS_OF), fact(CEC_FACT_MAINTENANCE_KINDS),
																fact(CEC_FACT_MAINTENANCE_DAYS))));
	if (func->funcid == cec_called(CEC_CALLED_REQUEST_COUNT))
		return (Node *) call(CEC_CALLED_REQUEST_COUNT_ON, INT4OID,
							 list_concat(func->args, list_make2(fact(CEC_FACT_AS_OF), fact(CEC_FACT_REQUEST_DAYS))));
	return (Node *) func;
}

/* Bounds what an operator is given, where its cost or its result could outgrow it. */
static void
bound_operands(Oid function, List *args)
{
	switch (function)
	{
		case F_TEXTCAT:
			bound(list_head(args), CEC_CALLED_BOUNDED_TEXT, TEXTOID);
			bound(list_second_cell(args), CEC_CALLED_BOUNDED_TEXT, TEXTOID);
			break;
		case F_NUMERIC_MUL:
		case F_NUMERIC_DIV:
		case F_NUMERIC_MOD:
			bound(list_head(args), CEC_CALLED_BOUNDED_NUMBER, NUMERICOID);
			bound(list_second_cell(args), CEC_CALLED_BOUNDED_NUMBER, NUMERICOID);
			break;
		case F_TEXTLIKE:
		case F_TEXTNLIKE:
		case F_TEXTICLIKE:
		case F_TEXTICNLIKE:
			bound(list_head(args), CEC_CALLED_BOUNDED_TEXT, TEXTOID);
			break;
		default:
			break;
	}
}

static Node *
expand_mutator(Node *node, void *context)
{
	Node *result;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
		return expand_column((Var *) node);
	result = expression_tree_mutator(node, expand_mutator, context);
	if (IsA(result, FuncExpr))
		return expand_call((FuncExpr *) result);
	if (IsA(result, OpExpr))
		bound_operands(((OpExpr *) result)->opfuncid, ((OpExpr *) result)->args);
	if (IsA(result, ScalarArrayOpExpr))
		bound_operands(((ScalarArrayOpExpr *) result)->opfuncid, ((ScalarArrayOpExpr *) result)->args);
	return result;
}

/* AND in AND, and OR in OR, become one list: so what is printed is read again as the same. */
static Node *
flatten_mutator(Node *node, void *context)
{
	BoolExpr *result;
	List *args = NIL;
	ListCell *cell;

	if (node == NULL)
		return NULL;
	node = expression_tree_mutator(node, flatten_mutator, context);
	if (!IsA(node, BoolExpr) || ((BoolExpr *) node)->boolop == NOT_EXPR)
		return node;
	result = (BoolExpr *) node;
	foreach (cell, result->args)
	{
		BoolExpr *arg = lfirst(cell);

		if (IsA(arg, BoolExpr) && arg->boolop == result->boolop)
			args = list_concat(args, arg->args);
		else
			args = lappend(args, arg);
	}
	result->args = args;
	return node;
}

/* A copy of an analysed expression without nested AND and OR. */
Node *
cec_flatten(Node *expr)
{
	return flatten_mutator(expr, NULL);
}

/* A copy of an expression that passed both whitelists, over stored columns of the fact row only. */
Node *
cec_expand(Node *expr)
{
	return expand_mutator(expr, NULL);
}
