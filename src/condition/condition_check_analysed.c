/*
 * condition_check_analysed.c
 *		The whitelist of what the parser has made of a condition: node for node, function for function.
 *
 * The raw whitelist let pass names and forms; here is what they have come to stand for, implicit casts included. Whatever
 * is not named in the switch below is refused: CoerceToDomain, XmlExpr and their like call functions that the server's own
 * walker does not show.  So does MinMaxExpr, but the comparison of its type, which is one of a list of built-in ones.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_proc.h"
#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/regproc.h"

#include "condition/condition_compile.h"
#include "condition/condition_error.h"
#include "support/compat.h"

/* A replacement may be longer than what it replaces up to so many bytes. */
#define MAX_GROWTH 10

/* A number written with more digits than this is no quantity of anything, but costs like one. */
#define MAX_DIGITS 100

/* A callback of check_functions_in_node: whether a function is off the list. */
static bool
is_unlisted(Oid function, void *context)
{
	if (cec_function_is_listed(function))
		return func_volatile(function) != PROVOLATILE_IMMUTABLE;
	return !cec_is_published_call(function);
}

/* What to do about values whose types have no listed operator or cast between them. */
static const char *
type_hint(List *args)
{
	ListCell *cell;

	foreach (cell, args)
	{
		if (exprType(lfirst(cell)) == TIMESTAMPTZOID)
			return "It depends on the time zone of the session. Write source_updated_at AT TIME ZONE 'UTC'.";
	}
	return "Compare values of one type: add a cast, or take a text out of jsonb with ->>.";
}

/* Functions, and what is said when they are not on the list. */
static void
check_functions(CecCompile *compile, Node *node)
{
	FuncExpr *func = (FuncExpr *) node;
	const char *what = "this operator between values of these types is";

	if (!check_functions_in_node(node, is_unlisted, NULL))
		return;
	if (!IsA(node, FuncExpr))
		cec_refuse_part(
			compile, exprLocation(node), what,
			type_hint(IsA(node, ScalarArrayOpExpr) ? ((ScalarArrayOpExpr *) node)->args : ((OpExpr *) node)->args));
	if (func->funcformat == COERCE_EXPLICIT_CALL || func->funcformat == COERCE_SQL_SYNTAX)
		cec_refuse_part(compile, exprLocation(node), psprintf("%s is", format_procedure(func->funcid)),
						"The view cec.rule_function lists the functions with their arguments.");
	cec_refuse_part(compile, exprLocation(node),
					psprintf("the cast from %s to %s is", format_type_be(exprType(linitial(func->args))),
							 format_type_be(func->funcresulttype)),
					type_hint(func->args));
}

/* Casts by output and input functions: only where neither depends on a setting. */
static void
check_text_cast(CecCompile *compile, CoerceViaIO *cast)
{
	Oid from = exprType((Node *) cast->arg);
	bool is_allowed;

	if (cast->resulttype == TEXTOID)
		is_allowed = from == INT2OID || from == INT4OID || from == INT8OID || from == NUMERICOID;
	else
		is_allowed = from == TEXTOID &&
					 (cast->resulttype == INT2OID || cast->resulttype == INT4OID || cast->resulttype == INT8OID ||
					  cast->resulttype == NUMERICOID || cast->resulttype == FLOAT8OID || cast->resulttype == BOOLOID);
	if (!is_allowed)
		cec_refuse_part(compile, exprLocation((Node *) cast),
						psprintf("the cast from %s to %s is", format_type_be(from), format_type_be(cast->resulttype)),
						cast->resulttype == DATEOID
							? "It depends on settings of the session. Write as_date(attributes ->> 'key')."
						: cast->resulttype == TEXTOID
							? "Compare the value itself; of jsonb take the text with ->>."
							: "It depends on settings of the session. Write the constant itself, or as_date(…).");
}

/* Constants: none that says today, none that is huge. */
static void
check_value(CecCompile *compile, Const *constant)
{
	if (constant->constisnull)
		return;
	switch (constant->consttype)
	{
		case TEXTOID:
		case TEXTARRAYOID:
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT8OID:
		case JSONBOID:
			break;
		case NUMERICOID:
			if (strlen(DatumGetCString(DirectFunctionCall1(numeric_out, constant->constvalue))) > MAX_DIGITS)
				ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
								errmsg("a number has more than %d digits", MAX_DIGITS),
								cec_condition_position(compile, constant->location)));
			break;
		default:
			if (constant->location < 0 || list_member_int(compile->moments, constant->location))
				cec_refuse_part(compile, exprLocation((Node *) constant),
								"now, today, tomorrow and yesterday as constants are",
								"They would stay the day on which the rule was read. The day of evaluation is as_of.");
	}
}

/* Whether an operand is a constant, or an array of nothing else. */
static bool
is_constant(Node *node)
{
	ListCell *cell;

	if (IsA(node, Const))
		return true;
	if (!IsA(node, ArrayExpr))
		return false;
	foreach (cell, ((ArrayExpr *) node)->elements)
	{
		if (!IsA(lfirst(cell), Const))
			return false;
	}
	return true;
}

/* Bytes of a text constant; 0 for NULL. */
static int
constant_length(Node *node)
{
	Const *constant = (Const *) node;

	return constant->constisnull ? 0 : VARSIZE_ANY_EXHDR(DatumGetPointer(constant->constvalue));
}

/* A number that is written out, its sign included, or NaN. */
static double
constant_number(Node *node)
{
	FuncExpr *func = (FuncExpr *) node;
	bool is_minus = false;
	double value = get_float8_nan();
	Const *constant;

	/* casts to double precision and the sign before a number are calls still */
	for (;;)
	{
		if (IsA(node, FuncExpr) && list_length(func->args) == 1 && exprType(node) == FLOAT8OID)
			node = linitial(func->args);
		else if (IsA(node, OpExpr) && list_length(((OpExpr *) node)->args) == 1)
		{
			is_minus ^= ((OpExpr *) node)->opfuncid != F_INT4UP && ((OpExpr *) node)->opfuncid != F_NUMERIC_UPLUS &&
						((OpExpr *) node)->opfuncid != F_FLOAT8UP;
			node = linitial(((OpExpr *) node)->args);
		}
		else
			break;
		func = (FuncExpr *) node;
	}
	constant = (Const *) node;
	if (!IsA(node, Const) || constant->constisnull)
		return value;
	if (constant->consttype == INT4OID)
		value = DatumGetInt32(constant->constvalue);
	else if (constant->consttype == FLOAT8OID)
		value = DatumGetFloat8(constant->constvalue);
	else if (constant->consttype == NUMERICOID)
		value = DatumGetFloat8(DirectFunctionCall1(numeric_float8, constant->constvalue));
	return is_minus ? -value : value;
}

/* The point of distance_to_point_m: two constants, longitude first. */
static void
check_point(CecCompile *compile, Node *call, List *args)
{
	double longitude = constant_number(linitial(args));
	double latitude = constant_number(lsecond(args));

	if (isnan(longitude) || isnan(latitude))
		cec_refuse_part(compile, exprLocation(call), "a point that is not two numbers is",
						"Write distance_to_point_m(4.48, 51.92): longitude first.");
	if (fabs(longitude) > 180 || fabs(latitude) > 90)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a point is outside the range of longitude and latitude"),
						errhint("Longitude (-180 to 180) comes first, latitude (-90 to 90) second."),
						cec_condition_position(compile, exprLocation(call))));
}

/* Whether the smallest and the greatest of values of a type may be asked for. */
static bool
has_order(Oid type)
{
	return cec_type_is_listed(type) && type != JSONBOID && type != DATEMULTIRANGEOID;
}

/* Patterns, and parts that are looked for, are constants: their length is that of the condition at most. */
static void
check_operands(CecCompile *compile, Node *op, Oid function, List *args)
{
	switch (function)
	{
		case F_TEXTLIKE:
		case F_TEXTNLIKE:
		case F_TEXTICLIKE:
		case F_TEXTICNLIKE:
			if (!is_constant(lsecond(args)))
				cec_refuse_part(compile, exprLocation(op), "a pattern that is not a constant is",
								"Write the pattern in single quotes, or starts_with(…, …).");
			break;
		case F_JSONB_CONTAINS:
			if (!is_constant(lsecond(args)))
				cec_refuse_part(compile, exprLocation(op), "@> with anything but a constant on its right is",
								"Write attributes @> '{\"key\": \"value\"}'.");
			break;
		case F_JSONB_CONTAINED:
			if (!is_constant(linitial(args)))
				cec_refuse_part(compile, exprLocation(op), "<@ with anything but a constant on its left is",
								"Write attributes @> '{\"key\": \"value\"}'.");
			break;
		case F_STRPOS:
		case F_SPLIT_PART:
		case F_REPLACE:
			for (int i = 1; i < list_length(args) && exprType(list_nth(args, i)) == TEXTOID; i++)
			{
				if (!is_constant(list_nth(args, i)))
					cec_refuse_part(compile, exprLocation(op), "a part that is not a constant is",
									"Write what is looked for, or put in its place, in single quotes.");
			}
			if (function == F_REPLACE &&
				constant_length(lthird(args)) > Max(constant_length(lsecond(args)), MAX_GROWTH))
				cec_refuse_part(compile, exprLocation(op), "a replacement that makes texts much longer is",
								psprintf("It has %d bytes at most, or as many as what it replaces.", MAX_GROWTH));
			break;
		default:
			if (function == cec_catalog_function(CEC_CATALOG_DISTANCE_TO_POINT))
				check_point(compile, op, args);
			break;
	}
}

/* Types that values may have anywhere in the tree. */
static void
check_type(CecCompile *compile, Node *node)
{
	Oid type = exprType(node);

	if (cec_type_is_listed(type) || (IsA(node, Var) && type == cec_geometry_type()))
		return;
	if ((IsA(node, ArrayExpr) || IsA(node, Const)) && cec_type_is_listed(get_element_type(type)))
		return;
	cec_refuse_part(compile, exprLocation(node), psprintf("a value of type %s here is", format_type_be(type)),
					type == UNKNOWNOID ? "Say its type: NULL::text, 'a'::text."
									   : "docs/conditions.md lists the types.");
}

static bool
check_walker(Node *node, CecCompile *compile)
{
	if (node == NULL)
		return false;
	check_stack_depth();
	switch (nodeTag(node))
	{
		case T_List:
			return expression_tree_walker(node, check_walker, compile);
		case T_CaseWhen:
			return expression_tree_walker(node, check_walker, compile);
		case T_Var:
			if (((Var *) node)->varattno <= 0 || ((Var *) node)->varattno > CEC_FACT_LAST_NAMED ||
				((Var *) node)->varlevelsup != 0)
				elog(ERROR, "column %d in a condition", ((Var *) node)->varattno);
			break;
		case T_Const:
			check_value(compile, (Const *) node);
			break;
		case T_OpExpr:
			if (((OpExpr *) node)->opretset)
				cec_refuse_part(compile, exprLocation(node), "sets are", "Compare single values.");
			check_functions(compile, node);
			check_operands(compile, node, ((OpExpr *) node)->opfuncid, ((OpExpr *) node)->args);
			break;
		case T_FuncExpr:
			if (((FuncExpr *) node)->funcretset || ((FuncExpr *) node)->funcvariadic)
				cec_refuse_part(compile, exprLocation(node), "sets are", "Compare single values.");
			check_functions(compile, node);
			check_operands(compile, node, ((FuncExpr *) node)->funcid, ((FuncExpr *) node)->args);
			break;
		case T_MinMaxExpr:
			if (!has_order(((MinMaxExpr *) node)->minmaxtype))
				cec_refuse_part(compile, exprLocation(node), "GREATEST and LEAST of values of this type are",
								"They take texts, numbers, days and times.");
			break;
		case T_ScalarArrayOpExpr:
			check_functions(compile, node);
			check_operands(compile, node, ((ScalarArrayOpExpr *) node)->opfuncid, ((ScalarArrayOpExpr *) node)->args);
			break;
		case T_DistinctExpr:
		case T_NullIfExpr:
			check_functions(compile, node);
			break;
		case T_CoerceViaIO:
			check_text_cast(compile, (CoerceViaIO *) node);
			break;
		case T_NullTest:
			if (((NullTest *) node)->argisrow)
				cec_refuse_part(compile, exprLocation(node), "rows are", "Ask for each column by itself.");
			break;
		case T_BoolExpr:
		case T_BooleanTest:
		case T_CaseExpr:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_RelabelType:
		case T_ArrayExpr:
			break;
		default:
			cec_refuse_part(compile, exprLocation(node), "this kind of expression is",
							"Columns, constants, operators, CASE and listed functions are.");
	}
	check_type(compile, node);
	return expression_tree_walker(node, check_walker, compile);
}

/* Raises 0A000 where the analysed expression has anything that is not on the list. */
void
cec_check_analysed(CecCompile *compile, Node *expr)
{
	(void) check_walker(expr, compile);
}
