/*
 * condition_expand.c
 *		Replaces what the vocabulary derives by what it is computed from: age_years by a function of two days, and so on.
 *
 * Both ways of running a rule get this tree; so there is one definition of each, and a rule pays for what it mentions.
 * Also puts bounds on values that come out of the register and go into something whose cost grows faster than its input.
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_collation_d.h"
#include "catalog/pg_type_d.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_collate.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "condition/condition_compile.h"

/* Each use of attributes unpacks it; a condition that uses it more often than this gets small ones only. */
#define MAX_FREE_ATTRIBUTES 4

/* A column of the fact row. */
static Expr *
fact(AttrNumber number)
{
	Oid type = cec_column(number)->type;
	Oid collation = type == TEXTOID || type == TEXTARRAYOID ? C_COLLATION_OID : InvalidOid;

	if (!OidIsValid(type))
		type = cec_geometry_type();
	else if (type == CEC_GEOGRAPHY)
		type = cec_geography_type();
	return (Expr *) makeVar(1, number, type, -1, collation, 0);
}

static Expr *
call(CecCatalogFunction called, Oid result, List *args)
{
	return (Expr *) makeFuncExpr(cec_catalog_function(called), result, args, InvalidOid, InvalidOid,
								 COERCE_EXPLICIT_CALL);
}

/* Whether a value is no longer than the condition or a constraint of its column lets it be. */
static bool
is_short(Node *node)
{
	return IsA(node, Const) || (IsA(node, Var) && cec_column(((Var *) node)->varattno)->is_short);
}

/* Bounds those of the arguments that have a type. */
static void
bound(List *args, CecCatalogFunction called, Oid type)
{
	ListCell *cell;

	foreach (cell, args)
	{
		if (!is_short(lfirst(cell)) && exprType(lfirst(cell)) == type)
			lfirst(cell) = call(called, type, list_make1(lfirst(cell)));
	}
}

/* Bounds what a function is given, where its cost is more than that of looking at the value. */
static void
bound_arguments(Oid function, List *args)
{
	switch (function)
	{
		case F_TEXT_LT:
		case F_TEXT_GT:
		case F_TEXT_LE:
		case F_TEXT_GE:
		case F_TEXTCAT:
		case F_TEXTLIKE:
		case F_TEXTNLIKE:
		case F_TEXTICLIKE:
		case F_TEXTICNLIKE:
		case F_LOWER_TEXT:
		case F_UPPER_TEXT:
		case F_LENGTH_TEXT:
		case F_CHAR_LENGTH_TEXT:
		case F_LEFT:
		case F_RIGHT:
		case F_SUBSTRING_TEXT_INT4:
		case F_SUBSTRING_TEXT_INT4_INT4:
		case F_BTRIM_TEXT:
		case F_LTRIM_TEXT:
		case F_RTRIM_TEXT:
		case F_STRPOS:
		case F_SPLIT_PART:
		case F_REPLACE:
			bound(args, CEC_CATALOG_BOUNDED_TEXT, TEXTOID);
			break;
		case F_NUMERIC_MUL:
		case F_NUMERIC_DIV:
		case F_NUMERIC_MOD:
		case F_MOD_NUMERIC_NUMERIC:
			bound(args, CEC_CATALOG_BOUNDED_NUMBER, NUMERICOID);
			break;
		default:
			break;
	}
}

static Expr *
inside_boundary(void)
{
	return call(CEC_CATALOG_ST_COVERS, BOOLOID, list_make2(fact(CEC_FACT_BOUNDARY), fact(CEC_FACT_LOCATION)));
}

/* 0 inside, also where the geodesic edge of the boundary runs elsewhere than the straight one. */
static Expr *
distance_to_boundary(void)
{
	Oid geography = get_func_rettype(cec_catalog_function(CEC_CATALOG_GEOGRAPHY));
	CaseWhen *when = makeNode(CaseWhen);
	CaseExpr *result = makeNode(CaseExpr);

	when->expr = inside_boundary();
	when->result =
		(Expr *) makeConst(FLOAT8OID, -1, InvalidOid, sizeof(float8), Float8GetDatum(0), false, FLOAT8PASSBYVAL);
	when->location = -1;
	result->casetype = FLOAT8OID;
	result->args = list_make1(when);
	result->defresult = call(CEC_CATALOG_ST_DISTANCE, FLOAT8OID,
							 list_make3(fact(CEC_FACT_BOUNDARY_ON_GLOBE),
										call(CEC_CATALOG_GEOGRAPHY, geography, list_make1(fact(CEC_FACT_LOCATION))),
										makeBoolConst(true, false)));
	result->location = -1;
	return (Expr *) result;
}

/* Metres from the location to a point, whose longitude and latitude are constants in range (condition_check_analysed.c). */
static Node *
distance_to_point(List *point)
{
	Oid geography = get_func_rettype(cec_catalog_function(CEC_CATALOG_GEOGRAPHY));
	Const *srid = makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(4326), false, true);
	Expr *to = call(CEC_CATALOG_ST_SETSRID, cec_geometry_type(),
					list_make2(call(CEC_CATALOG_ST_MAKEPOINT, cec_geometry_type(), point), srid));

	return (Node *) call(CEC_CATALOG_ST_DISTANCE, FLOAT8OID,
						 list_make3(call(CEC_CATALOG_GEOGRAPHY, geography, list_make1(fact(CEC_FACT_LOCATION))),
									call(CEC_CATALOG_GEOGRAPHY, geography, list_make1(to)),
									makeBoolConst(true, false)));
}

static Node *
expand_column(Var *var, bool bound_attributes)
{
	switch (var->varattno)
	{
		case CEC_FACT_ATTRIBUTES:
			return (Node *) (bound_attributes ? call(CEC_CATALOG_BOUNDED_JSONB, JSONBOID, list_make1(copyObject(var)))
											  : copyObject((Expr *) var));
		case CEC_FACT_AGE_YEARS:
			return (Node *) call(CEC_CATALOG_AGE_YEARS_ON, INT4OID,
								 list_make2(fact(CEC_FACT_COMMISSIONED_ON), fact(CEC_FACT_AS_OF)));
		case CEC_FACT_INSIDE_BOUNDARY:
			return (Node *) inside_boundary();
		case CEC_FACT_DISTANCE_TO_BOUNDARY_M:
			return (Node *) distance_to_boundary();
		default:
			return (Node *) copyObject(var);
	}
}

/*
 * Says of a value that brings a collation of its own that it is the one of bytes; what is computed from it follows.  A constant
 * is printed so.
 */
static Node *
expand_text(Node *node)
{
	CollateExpr *collate;

	if (IsA(node, Const))
	{
		if (OidIsValid(((Const *) node)->constcollid))
			((Const *) node)->constcollid = C_COLLATION_OID;
		return node;
	}
	if (!IsA(node, CoerceViaIO) || ((CoerceViaIO *) node)->resulttype != TEXTOID)
		return node;
	collate = makeNode(CollateExpr);
	collate->arg = (Expr *) node;
	collate->collOid = C_COLLATION_OID;
	collate->location = -1;
	return (Node *) collate;
}

/* A call whose arguments are expanded already. */
static Node *
expand_call(FuncExpr *func)
{
	if (cec_function_is_listed(func->funcid))
		return (Node *) func;
	if (func->funcid == cec_catalog_function(CEC_CATALOG_DISTANCE_TO_POINT))
		return distance_to_point(func->args);
	if (func->funcid == cec_catalog_function(CEC_CATALOG_LAST_MAINTENANCE))
		return (Node *) call(CEC_CATALOG_LAST_MAINTENANCE_ON, DATEOID,
							 list_concat(func->args, list_make3(fact(CEC_FACT_AS_OF), fact(CEC_FACT_MAINTENANCE_KINDS),
																fact(CEC_FACT_MAINTENANCE_DAYS))));
	if (func->funcid == cec_catalog_function(CEC_CATALOG_MAINTENANCE_COUNT))
		return (Node *) call(CEC_CATALOG_MAINTENANCE_COUNT_ON, INT4OID,
							 list_concat(func->args, list_make3(fact(CEC_FACT_AS_OF), fact(CEC_FACT_MAINTENANCE_KINDS),
																fact(CEC_FACT_MAINTENANCE_DAYS))));
	if (func->funcid == cec_catalog_function(CEC_CATALOG_REQUEST_COUNT))
		return (Node *) call(CEC_CATALOG_REQUEST_COUNT_ON, INT4OID,
							 list_concat(func->args, list_make2(fact(CEC_FACT_AS_OF), fact(CEC_FACT_REQUEST_DAYS))));
	return (Node *) func;
}

static Node *
expand_mutator(Node *node, void *context)
{
	Node *result;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
		return expand_column((Var *) node, *(bool *) context);
	result = expand_text(expression_tree_mutator(node, expand_mutator, context));
	if (IsA(result, FuncExpr))
		result = expand_call((FuncExpr *) result);
	if (IsA(result, FuncExpr))
		bound_arguments(((FuncExpr *) result)->funcid, ((FuncExpr *) result)->args);
	if (IsA(result, OpExpr))
		bound_arguments(((OpExpr *) result)->opfuncid, ((OpExpr *) result)->args);
	if (IsA(result, MinMaxExpr))
		bound(((MinMaxExpr *) result)->args, CEC_CATALOG_BOUNDED_TEXT, TEXTOID);
	if (IsA(result, ScalarArrayOpExpr))
		bound_arguments(((ScalarArrayOpExpr *) result)->opfuncid, ((ScalarArrayOpExpr *) result)->args);
	return result;
}

/* AND in AND, and OR in OR, become one list. */
static void
flatten(BoolExpr *expr)
{
	List *args = NIL;
	ListCell *cell;

	foreach (cell, expr->args)
	{
		BoolExpr *arg = lfirst(cell);

		if (IsA(arg, BoolExpr) && arg->boolop == expr->boolop)
			args = list_concat(args, arg->args);
		else
			args = lappend(args, arg);
	}
	expr->args = args;
}

/* A number that is printed without quotes becomes one with the sign before it: the grammar would read it so. */
static Node *
apply_sign(OpExpr *op)
{
	Const *number = linitial(op->args);

	if (!IsA(number, Const) || number->constisnull)
		return (Node *) op;
	if (op->opfuncid == F_INT4UM && DatumGetInt32(number->constvalue) >= 0)
		number->constvalue = Int32GetDatum(-DatumGetInt32(number->constvalue));
	else if (op->opfuncid == F_NUMERIC_UMINUS &&
			 isdigit((unsigned char) *DatumGetCString(DirectFunctionCall1(numeric_out, number->constvalue))))
		number->constvalue = DirectFunctionCall1(numeric_uminus, number->constvalue);
	else
		return (Node *) op;
	return (Node *) number;
}

static Node *
normalise_mutator(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	node = expression_tree_mutator(node, normalise_mutator, context);
	if (IsA(node, BoolExpr) && ((BoolExpr *) node)->boolop != NOT_EXPR)
		flatten((BoolExpr *) node);
	if (IsA(node, OpExpr) && list_length(((OpExpr *) node)->args) == 1)
		return apply_sign((OpExpr *) node);
	return node;
}

/* A copy of an analysed expression, so that what is printed of it is read again as the same. */
Node *
cec_normalise(Node *expr)
{
	return normalise_mutator(expr, NULL);
}

/* How often an expression reads attributes. */
static int
count_attributes(Node *expr)
{
	int result = 0;
	ListCell *cell;

	foreach (cell, pull_var_clause(expr, 0))
		result += lfirst_node(Var, cell)->varattno == CEC_FACT_ATTRIBUTES;
	return result;
}

/*
 * A copy of an expression that passed both whitelists, over stored columns of the fact row only.  Texts are those of bytes, so that
 * a condition means the same in every database.
 */
Node *
cec_expand(Node *expr)
{
	bool bound_attributes = count_attributes(expr) > MAX_FREE_ATTRIBUTES;
	Node *result = expand_mutator(expr, &bound_attributes);

	assign_expr_collations(NULL, result);
	return result;
}
