/*
 * condition_check_raw.c
 *		The whitelist of what the grammar made of a condition, before anything in it is looked up.
 *
 * Analysing an expression can run code: the constant '{7}'::theirs.days[] goes through the input function of the array,
 * which calls the CHECK of a domain, which is whatever its owner wrote. So everything that is not named in the switch below
 * is refused here, and names are bound in place to what the vocabulary has (condition_bind.c).
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

#include "condition/condition_compile.h"
#include "condition/condition_error.h"

static void check_node(CecCompile *compile, Node *node);

/* What to write instead of a node that is refused. */
static void
refuse_node(CecCompile *compile, Node *node)
{
	int location = exprLocation(IsA(node, A_Indirection) ? ((A_Indirection *) node)->arg : node);
	const char *hint;

	switch (nodeTag(node))
	{
		case T_SubLink:
			cec_refuse_part(compile, location, "queries are",
							"A condition sees one asset. The view cec.rule_column lists what it sees.");
			break;
		case T_ParamRef:
			cec_refuse_part(compile, location, "parameters are", "Write the value itself.");
			break;
		case T_SQLValueFunction:
			cec_refuse_part(compile, location, "the session's user, day and time are",
							"The day of evaluation is as_of.");
			break;
		case T_A_Indirection:
			cec_refuse_part(compile, location, "subscripts and fields of values are",
							"Write attributes -> 'key' or attributes ->> 'key'.");
			break;
		case T_A_ArrayExpr:
			cec_refuse_part(compile, location, "arrays are",
							"They may stand after = ANY, <> ALL, ?|, ?&, #> and #>> only.");
			break;
		case T_RowExpr:
			hint = cec_hint_values(compile, location);
			cec_refuse_part(
				compile, location, "rows are",
				hint != NULL
					? hint
					: "They may stand before and within IN: (country, region) IN (('DE', 'DE-BY')). Else compare each column by itself, joined by AND.");
			break;
		case T_CollateClause:
			cec_refuse_part(compile, location, "COLLATE is",
							"Texts are compared byte by byte, in every database alike.");
			break;
		default:
			cec_refuse_part(
				compile, location, "this kind of expression is",
				"Columns, constants, operators, CASE and listed functions are. See the views cec.rule_column and cec.rule_function.");
	}
}

static void
check_list(CecCompile *compile, List *list)
{
	ListCell *cell;

	foreach (cell, list)
		check_node(compile, lfirst(cell));
}

/* Whether a literal may name a day that moves: it would be frozen when the condition is compiled. */
static bool
may_be_moment(const char *literal)
{
	static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};
	char *lower = pstrdup(literal);

	for (char *c = lower; *c != '\0'; c++)
		*c = pg_ascii_tolower((unsigned char) *c);
	for (int i = 0; i < lengthof(words); i++)
	{
		if (strstr(lower, words[i]) != NULL)
			return true;
	}
	return false;
}

static void
check_constant(CecCompile *compile, A_Const *constant)
{
	if (constant->isnull)
		return;
	switch (nodeTag(&constant->val))
	{
		case T_Integer:
		case T_Float:
		case T_Boolean:
			break;
		case T_String:
			if (may_be_moment(constant->val.sval.sval))
				compile->moments = lappend_int(compile->moments, constant->location);
			break;
		default:
			cec_refuse_part(compile, constant->location, "bit strings are", "Write numbers in decimal digits.");
	}
}

/* An array written out, where an operator takes one. */
static void
check_array(CecCompile *compile, Node *node)
{
	if (!IsA(node, A_ArrayExpr))
		cec_refuse_part(compile, exprLocation(node), "this array is",
						"Write the array out: column = ANY (ARRAY['a', 'b']), or column IN ('a', 'b').");
	check_stack_depth();
	compile->nodes++;
	check_list(compile, ((A_ArrayExpr *) node)->elements);
}

/*
 * Turns column = ANY ('{a,b}') into column IN ('a', 'b'), and column <> ALL ('{a,b}') into NOT IN: so each element is read
 * as what stands on the left, and printed as it is read again.  Any other expression gives false.
 */
static bool
bind_literal_array(CecCompile *compile, A_Expr *expr)
{
	A_Const *literal = (A_Const *) expr->rexpr;
	const char *name = strVal(llast(expr->name));
	List *elements = NIL;
	Datum *values;
	bool *nulls;
	int count;

	if (!IsA(literal, A_Const) || literal->isnull || !IsA(&literal->val, String) ||
		strcmp(name, expr->kind == AEXPR_OP_ANY ? "=" : "<>") != 0)
		return false;
	deconstruct_array(DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN, literal->val.sval.sval, TEXTOID, -1)),
					  TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	if (count == 0)
		cec_refuse_part(compile, literal->location, "an array without elements is", "Name one element at least.");
	for (int i = 0; i < count; i++)
	{
		A_Const *element = makeNode(A_Const);

		element->isnull = nulls[i];
		element->location = literal->location;
		if (!nulls[i])
		{
			element->val.sval.type = T_String;
			element->val.sval.sval = TextDatumGetCString(values[i]);
		}
		elements = lappend(elements, element);
	}
	expr->kind = AEXPR_IN;
	expr->name = list_make1(makeString(pstrdup(name)));
	expr->rexpr = (Node *) elements;
	return true;
}

/* Rows before and within IN: (country, region) IN (('DE', 'DE-BY'), ('AT', 'AT-9')). */
static void
check_rows(CecCompile *compile, RowExpr *left, List *rows)
{
	ListCell *cell;

	compile->nodes++;
	check_list(compile, left->args);
	foreach (cell, rows)
	{
		RowExpr *row = lfirst(cell);

		if (!IsA(row, RowExpr) || list_length(row->args) != list_length(left->args))
			cec_refuse_part(compile, exprLocation((Node *) row), "another number of values than before IN is",
							"Write (country, region) IN (('DE', 'DE-BY'), ('AT', 'AT-9')).");
		compile->nodes++;
		check_list(compile, row->args);
	}
}

/* Whether an operator takes an array on its right. */
static bool
takes_array(const char *name)
{
	return strcmp(name, "?|") == 0 || strcmp(name, "?&") == 0 || strcmp(name, "#>") == 0 || strcmp(name, "#>>") == 0;
}

static void
check_expression(CecCompile *compile, A_Expr *expr)
{
	const char *name;

	switch (expr->kind)
	{
		case AEXPR_OP:
			name = cec_check_operator(compile, expr);
			if (expr->lexpr == NULL && strcmp(name, "-") != 0 && strcmp(name, "+") != 0)
				cec_refuse_part(compile, expr->location, "this operator before a value is",
								"Only a sign stands before a value.");
			if (takes_array(name) && expr->lexpr != NULL)
			{
				check_node(compile, expr->lexpr);
				if (IsA(expr->rexpr, A_ArrayExpr))
					check_array(compile, expr->rexpr);
				else if (!cec_bind_path(compile, expr->rexpr))
					check_node(compile, expr->rexpr);
				return;
			}
			break;
		case AEXPR_OP_ANY:
		case AEXPR_OP_ALL:
			(void) cec_check_operator(compile, expr);
			check_node(compile, expr->lexpr);
			if (bind_literal_array(compile, expr))
				check_list(compile, (List *) expr->rexpr);
			else
				check_array(compile, expr->rexpr);
			return;
		case AEXPR_DISTINCT:
		case AEXPR_NOT_DISTINCT:
		case AEXPR_NULLIF:
		case AEXPR_LIKE:
		case AEXPR_ILIKE:
			(void) cec_check_operator(compile, expr);
			break;
		case AEXPR_IN:
			(void) cec_check_operator(compile, expr);
			if (IsA(expr->lexpr, RowExpr))
			{
				check_rows(compile, (RowExpr *) expr->lexpr, castNode(List, expr->rexpr));
				return;
			}
			check_node(compile, expr->lexpr);
			check_list(compile, castNode(List, expr->rexpr));
			return;
		case AEXPR_BETWEEN:
		case AEXPR_NOT_BETWEEN:
		case AEXPR_BETWEEN_SYM:
		case AEXPR_NOT_BETWEEN_SYM:
			check_node(compile, expr->lexpr);
			check_list(compile, castNode(List, expr->rexpr));
			return;
		default:
			cec_refuse_part(compile, expr->location, "SIMILAR TO is", "Patterns are written with LIKE or ILIKE.");
	}
	if (expr->lexpr != NULL)
		check_node(compile, expr->lexpr);
	check_node(compile, expr->rexpr);
}

/* Where also location may stand, which has no operators. */
static void
check_any_column(CecCompile *compile, Node *node)
{
	if (!IsA(node, ColumnRef))
	{
		check_node(compile, node);
		return;
	}
	compile->nodes++;
	(void) cec_bind_column(compile, (ColumnRef *) node);
}

/* What AND, OR and NOT join are no texts or numbers: country = 'DE' OR 'NO' would be read as country = 'DE' OR false. */
static void
check_no_values(const CecCompile *compile, List *args)
{
	ListCell *cell;

	foreach (cell, args)
	{
		A_Const *value = lfirst(cell);

		if (!IsA(value, A_Const) || value->isnull || IsA(&value->val, Boolean))
			continue;
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("a value stands where a comparison should"),
						errhint("%s", cec_hint_alone(compile, value->location)),
						cec_condition_position(compile, value->location)));
	}
}

static void
check_node(CecCompile *compile, Node *node)
{
	check_stack_depth();
	if (++compile->nodes > CEC_CONDITION_MAX_NODES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("a condition is too complex"),
						errdetail("It has more than %d parts.", CEC_CONDITION_MAX_NODES),
						errhint("Split it into several %s.", cec_speakers(compile)),
						cec_condition_position(compile, exprLocation(node))));
	switch (nodeTag(node))
	{
		case T_A_Const:
			check_constant(compile, (A_Const *) node);
			break;
		case T_ColumnRef:
			if (cec_bind_column(compile, (ColumnRef *) node) == CEC_FACT_LOCATION)
				cec_refuse_part(
					compile, ((ColumnRef *) node)->location, "location here is",
					"It may stand in st_x(location), st_y(location) and location IS NULL. See inside_boundary and distance_to_boundary_m.");
			break;
		case T_A_Expr:
			check_expression(compile, (A_Expr *) node);
			break;
		case T_BoolExpr:
			check_no_values(compile, ((BoolExpr *) node)->args);
			check_list(compile, ((BoolExpr *) node)->args);
			break;
		case T_NullTest:
			check_any_column(compile, (Node *) ((NullTest *) node)->arg);
			break;
		case T_BooleanTest:
			check_node(compile, (Node *) ((BooleanTest *) node)->arg);
			break;
		case T_CaseExpr:
			if (((CaseExpr *) node)->arg != NULL)
				check_node(compile, (Node *) ((CaseExpr *) node)->arg);
			check_list(compile, ((CaseExpr *) node)->args);
			if (((CaseExpr *) node)->defresult != NULL)
				check_node(compile, (Node *) ((CaseExpr *) node)->defresult);
			break;
		case T_CaseWhen:
			check_node(compile, (Node *) ((CaseWhen *) node)->expr);
			check_node(compile, (Node *) ((CaseWhen *) node)->result);
			break;
		case T_CoalesceExpr:
			check_list(compile, ((CoalesceExpr *) node)->args);
			break;
		case T_MinMaxExpr:
			check_list(compile, ((MinMaxExpr *) node)->args);
			break;
		case T_FuncCall:
			if (cec_bind_function(compile, (FuncCall *) node) == CEC_ORIGIN_POSTGIS)
				check_any_column(compile, linitial(((FuncCall *) node)->args));
			else
				check_list(compile, ((FuncCall *) node)->args);
			break;
		case T_TypeCast:
			cec_bind_type(compile, (TypeCast *) node);
			check_node(compile, ((TypeCast *) node)->arg);
			break;
		default:
			refuse_node(compile, node);
	}
}

/* For several expressions with commas between them. */
static const char *
several_hint(const CecCompile *compile, int location)
{
	const char *hint = cec_hint_values(compile, location);

	return hint != NULL ? hint : "Join several by AND or OR.";
}

/* Refuses a clause behind the expression. */
static void
check_no_clause(CecCompile *compile, Node *clause)
{
	if (clause != NULL)
		cec_refuse_part(compile, exprLocation(clause), "clauses of a query are",
						"A condition is what would stand behind WHERE, and nothing else.");
}

/*
 * The expression that a condition consists of, with all names bound.  Raises 42601 for an empty one, 42703 and 42883 for
 * names that are not in the vocabulary, 0A000 for everything else that is not on the list, 54000 for too much of it.
 */
Node *
cec_check_raw(CecCompile *compile, List *statements)
{
	SelectStmt *select;
	ResTarget *target;

	if (list_length(statements) != 1 || !IsA(linitial_node(RawStmt, statements)->stmt, SelectStmt))
		elog(ERROR, "the grammar gave something else than an expression");
	select = (SelectStmt *) linitial_node(RawStmt, statements)->stmt;
	check_no_clause(compile, (Node *) select->distinctClause);
	check_no_clause(compile, (Node *) select->intoClause);
	check_no_clause(compile, (Node *) select->fromClause);
	check_no_clause(compile, select->whereClause);
	check_no_clause(compile, (Node *) select->groupClause);
	check_no_clause(compile, select->havingClause);
	check_no_clause(compile, (Node *) select->windowClause);
	check_no_clause(compile, (Node *) select->valuesLists);
	check_no_clause(compile, (Node *) select->sortClause);
	check_no_clause(compile, select->limitOffset);
	check_no_clause(compile, select->limitCount);
	check_no_clause(compile, (Node *) select->lockingClause);
	check_no_clause(compile, (Node *) select->withClause);
	if (select->op != SETOP_NONE || select->groupDistinct)
		cec_refuse_part(compile, -1, "clauses of a query are",
						"A condition is what would stand behind WHERE, and nothing else.");
	if (select->targetList == NIL)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("the condition is empty"),
						errhint("To speak of every asset write true.")));
	if (list_length(select->targetList) > 1)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("a condition is one expression"),
						errhint("%s", several_hint(compile, lsecond_node(ResTarget, select->targetList)->location)),
						cec_condition_position(compile, lsecond_node(ResTarget, select->targetList)->location)));
	target = linitial_node(ResTarget, select->targetList);
	/* The grammar takes AND at the end for a name. */
	if (target->name != NULL && (pg_strcasecmp(target->name, "and") == 0 || pg_strcasecmp(target->name, "or") == 0))
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR),
						errmsg("the condition ends after %s", pg_strcasecmp(target->name, "or") == 0 ? "OR" : "AND"),
						errhint("Something is missing after it, or a parenthesis or quote before it was not closed.")));
	if (target->name != NULL || target->indirection != NIL)
		cec_refuse_part(compile, target->location, "a name for the result is", cec_hint_behind(compile));
	check_node(compile, target->val);
	return target->val;
}
