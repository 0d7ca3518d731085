/*
 * condition_conjunct.c
 *		Finds the parts of a condition by which an index of rules can tell that an asset does not match.
 *
 * Works on the analysed tree, before anything is expanded or folded. A comparison with NULL among its constants is left
 * out: it can be unknown where the column equals none of the others, and so is no proof that the condition is false.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"

#include "condition/condition_compile.h"

/* Without casts that change nothing but the width of a whole number. */
static Node *
strip(Node *node)
{
	while (IsA(node, FuncExpr) &&
		   (((FuncExpr *) node)->funcid == F_INT8_INT4 || ((FuncExpr *) node)->funcid == F_INT8_INT2 ||
			((FuncExpr *) node)->funcid == F_INT4_INT2))
		node = linitial(((FuncExpr *) node)->args);
	return node;
}

/* The number of an indexed column, or 0. */
static AttrNumber
indexed_column(Node *node)
{
	Var *var = (Var *) strip(node);

	return IsA(var, Var) && cec_column(var->varattno)->is_indexed ? var->varattno : InvalidAttrNumber;
}

/* The value of a constant as one of the column's type; false when it is NULL, no constant or out of range. */
static bool
constant_value(Node *node, Oid type, Datum *value)
{
	Const *constant = (Const *) strip(node);
	int64 number;

	if (!IsA(constant, Const) || constant->constisnull)
		return false;
	switch (constant->consttype)
	{
		case INT2OID:
			number = DatumGetInt16(constant->constvalue);
			break;
		case INT4OID:
			number = DatumGetInt32(constant->constvalue);
			break;
		case INT8OID:
			number = DatumGetInt64(constant->constvalue);
			break;
		default:
			*value = constant->constvalue;
			return constant->consttype == type;
	}
	*value = type == INT8OID ? Int64GetDatum(number) : Int32GetDatum((int32) number);
	return type == INT8OID || (type == INT4OID && number == (int32) number);
}

static bool
is_equality(Oid function)
{
	switch (function)
	{
		case F_TEXTEQ:
		case F_INT4EQ:
		case F_INT8EQ:
		case F_INT24EQ:
		case F_INT42EQ:
		case F_INT48EQ:
		case F_INT84EQ:
		case F_INT28EQ:
		case F_INT82EQ:
			return true;
		default:
			return false;
	}
}

/* column = any of values, or NULL when a value does not do. */
static CecConjunct *
make_equal(AttrNumber column, List *values)
{
	CecConjunct *result;
	ListCell *cell;

	if (column == InvalidAttrNumber || cec_column(column)->type == BOOLOID)
		return NULL;
	result = palloc0(sizeof(CecConjunct));
	result->kind = CEC_CONJUNCT_EQUAL;
	result->column = column;
	result->type = cec_column(column)->type;
	result->values = palloc(sizeof(Datum) * Max(list_length(values), 1));
	foreach (cell, values)
	{
		if (!constant_value(lfirst(cell), result->type, &result->values[result->count++]))
			return NULL;
	}
	return result;
}

static CecConjunct *
make_boundary(void)
{
	CecConjunct *result = palloc0(sizeof(CecConjunct));

	result->kind = CEC_CONJUNCT_BOUNDARY;
	result->column = CEC_FACT_INSIDE_BOUNDARY;
	result->type = BOOLOID;
	return result;
}

/* What an index can make of one part, or NULL. */
static CecConjunct *
find_conjunct(Node *node)
{
	if (IsA(node, BooleanTest) && ((BooleanTest *) node)->booltesttype == IS_TRUE)
		node = (Node *) ((BooleanTest *) node)->arg;
	if (IsA(node, Var) && ((Var *) node)->varattno == CEC_FACT_INSIDE_BOUNDARY)
		return make_boundary();
	if (IsA(node, OpExpr) && is_equality(((OpExpr *) node)->opfuncid))
	{
		Node *left = linitial(((OpExpr *) node)->args);
		Node *right = lsecond(((OpExpr *) node)->args);

		return indexed_column(left) != InvalidAttrNumber ? make_equal(indexed_column(left), list_make1(right))
														 : make_equal(indexed_column(right), list_make1(left));
	}
	if (IsA(node, ScalarArrayOpExpr) && ((ScalarArrayOpExpr *) node)->useOr &&
		is_equality(((ScalarArrayOpExpr *) node)->opfuncid))
	{
		Node *array = lsecond(((ScalarArrayOpExpr *) node)->args);

		if (IsA(array, ArrayExpr) && !((ArrayExpr *) array)->multidims)
			return make_equal(indexed_column(linitial(((ScalarArrayOpExpr *) node)->args)),
							  ((ArrayExpr *) array)->elements);
	}
	return NULL;
}

static void
collect(Node *node, List **conjuncts)
{
	CecConjunct *conjunct;
	ListCell *cell;

	if (IsA(node, BoolExpr) && ((BoolExpr *) node)->boolop == AND_EXPR)
	{
		foreach (cell, ((BoolExpr *) node)->args)
			collect(lfirst(cell), conjuncts);
		return;
	}
	conjunct = find_conjunct(node);
	if (conjunct != NULL)
		*conjuncts = lappend(*conjuncts, conjunct);
}

/* All parts that an index can use, in the order of the text; values point into expr. */
List *
cec_find_conjuncts(Node *expr)
{
	List *result = NIL;

	collect(expr, &result);
	return result;
}
