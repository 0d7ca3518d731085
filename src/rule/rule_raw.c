/*
 * rule_raw.c
 *		The whitelist of what the grammar made of a condition, before anything in it is looked up.
 *
 * Analysing an expression can run code: the constant '{7}'::theirs.days[] goes through the input function of the array,
 * which calls the CHECK of a domain, which is whatever its owner wrote. So names are held against the vocabulary here, and
 * what passes is bound in place to pg_catalog, to this extension or to PostGIS. Everything that is not named in the switch
 * below is refused.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "utils/builtins.h"

#include "compat.h"
#include "rule_stages.h"

static void check_node(CecCompile *compile, Node *node);
pg_noreturn static void refuse(CecCompile *compile, int location, const char *what, const char *hint);
pg_noreturn static void refuse_function(CecCompile *compile, FuncCall *call, const char *name);

/* Refuses something that people may well write, and says what to write instead. */
static void
refuse(CecCompile *compile, int location, const char *what, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s not allowed in a condition", what),
					errhint("%s", hint), cec_condition_position(compile, location)));
}

/* What to write instead of a node that is refused. */
static void
refuse_node(CecCompile *compile, Node *node)
{
	int location = exprLocation(node);

	switch (nodeTag(node))
	{
		case T_SubLink:
			refuse(compile, location, "queries are",
				   "A condition sees one asset. The view cec.rule_column lists what it sees.");
			break;
		case T_ParamRef:
			refuse(compile, location, "parameters are", "Write the value itself.");
			break;
		case T_SQLValueFunction:
			refuse(compile, location, "the session's user, day and time are", "The day of evaluation is as_of.");
			break;
		case T_MinMaxExpr:
			refuse(compile, location, "GREATEST and LEAST are", "Write CASE WHEN … THEN … ELSE … END.");
			break;
		case T_A_Indirection:
			refuse(compile, location, "subscripts and fields of values are",
				   "Write attributes -> 'key' or attributes ->> 'key'.");
			break;
		case T_A_ArrayExpr:
			refuse(compile, location, "arrays are", "They may stand after = ANY, <> ALL, ?|, ?&, #> and #>> only.");
			break;
		case T_RowExpr:
			refuse(compile, location, "rows are", "Compare each column by itself, joined by AND.");
			break;
		case T_CollateClause:
			refuse(compile, location, "COLLATE is", "Texts are compared as the database compares them.");
			break;
		default:
			refuse(
				compile, location, "this is",
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

/* A column: published, by its bare name. */
static void
check_column(CecCompile *compile, ColumnRef *ref)
{
	const CecColumn *column;
	const char *name;
	const char *near;

	if (list_length(ref->fields) != 1 || !IsA(linitial(ref->fields), String))
		refuse(compile, ref->location, "qualified names and * are", "Write the bare name of a column.");
	name = strVal(linitial(ref->fields));
	column = cec_column_named(name);
	if (column == NULL)
	{
		near = cec_column_near(name);
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("there is no column \"%s\" in conditions", name),
				 near != NULL ? errhint("Perhaps you meant \"%s\".", near)
							  : errhint("The view cec.rule_column lists the columns. Texts stand in single quotes."),
				 cec_condition_position(compile, ref->location)));
	}
	compile->columns = bms_add_member(compile->columns, column->number);
	compile->depends_on_day |= column->depends_on_day;
	if (column->number == CEC_FACT_INSIDE_BOUNDARY || column->number == CEC_FACT_DISTANCE_TO_BOUNDARY_M)
		compile->boundary_uses++;
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
			refuse(compile, constant->location, "bit strings are", "Write numbers in decimal digits.");
	}
}

/* An array written out, where an operator takes one. */
static void
check_array(CecCompile *compile, Node *node)
{
	if (!IsA(node, A_ArrayExpr))
		refuse(compile, exprLocation(node), "this array is",
			   "Write the array out: column = ANY (ARRAY['a', 'b']), or column IN ('a', 'b').");
	check_stack_depth();
	compile->nodes++;
	check_list(compile, ((A_ArrayExpr *) node)->elements);
}

/* The name of an operator, without its schema. */
static const char *
check_operator(CecCompile *compile, A_Expr *expr)
{
	const char *name = strVal(llast(expr->name));

	if (list_length(expr->name) > 2 ||
		(list_length(expr->name) == 2 && strcmp(strVal(linitial(expr->name)), "pg_catalog") != 0))
		refuse(compile, expr->location, "operators of other schemas are", "Write the bare operator.");
	if (!cec_operator_is_listed(name))
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("operator %s is not allowed in a condition", name),
			 strchr(name, '~') != NULL
				 ? errhint("Patterns are written with LIKE or ILIKE.")
				 : errhint("Operators are = <> < > <= >= + - * / %% || -> ->> #> #>> ? ?| ?& @> <@ LIKE and ILIKE."),
			 cec_condition_position(compile, expr->location)));
	return name;
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
			name = check_operator(compile, expr);
			if (expr->lexpr == NULL && strcmp(name, "-") != 0 && strcmp(name, "+") != 0)
				refuse(compile, expr->location, "this operator before a value is",
					   "Only a sign stands before a value.");
			if (takes_array(name) && expr->rexpr != NULL && IsA(expr->rexpr, A_ArrayExpr))
			{
				check_node(compile, expr->lexpr);
				check_array(compile, expr->rexpr);
				return;
			}
			break;
		case AEXPR_OP_ANY:
		case AEXPR_OP_ALL:
			(void) check_operator(compile, expr);
			check_node(compile, expr->lexpr);
			check_array(compile, expr->rexpr);
			return;
		case AEXPR_DISTINCT:
		case AEXPR_NOT_DISTINCT:
		case AEXPR_NULLIF:
		case AEXPR_LIKE:
		case AEXPR_ILIKE:
			(void) check_operator(compile, expr);
			break;
		case AEXPR_IN:
			(void) check_operator(compile, expr);
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
			refuse(compile, expr->location, "SIMILAR TO is", "Patterns are written with LIKE or ILIKE.");
	}
	if (expr->lexpr != NULL)
		check_node(compile, expr->lexpr);
	check_node(compile, expr->rexpr);
}

/* Bare text of a constant, or NULL. */
static const char *
literal_text(Node *node)
{
	if (node != NULL && IsA(node, TypeCast))
		node = ((TypeCast *) node)->arg;
	if (node == NULL || !IsA(node, A_Const) || ((A_Const *) node)->isnull || !IsA(&((A_Const *) node)->val, String))
		return NULL;
	return ((A_Const *) node)->val.sval.sval;
}

/* Arguments on which it depends whether a function is harmless, or fails at once rather than for every asset. */
static void
check_arguments(CecCompile *compile, FuncCall *call, const char *name)
{
	static const char *const fields[] = {"year", "quarter", "month", "week",	"day",
										 "dow",	 "isodow",	"doy",	 "isoyear", "epoch"};
	const char *first = literal_text(call->args == NIL ? NULL : linitial(call->args));

	if (strcmp(name, "timezone") == 0 && (first == NULL || strcmp(first, "UTC") != 0))
		refuse(compile, call->location, "time zones other than 'UTC' are",
			   "Write source_updated_at AT TIME ZONE 'UTC'.");
	if (strcmp(name, "extract") == 0)
	{
		for (int i = 0; first != NULL && i < lengthof(fields); i++)
		{
			if (strcmp(first, fields[i]) == 0)
				return;
		}
		refuse(compile, call->location, "EXTRACT of this field is",
			   "Fields are year, quarter, month, week, day, dow, isodow, doy, isoyear and epoch.");
	}
	/* Nothing but this very column: so the parser never chooses between PostGIS's function and somebody else's. */
	if ((strcmp(name, "st_x") == 0 || strcmp(name, "st_y") == 0) &&
		(!IsA(linitial(call->args), ColumnRef) || list_length(((ColumnRef *) linitial(call->args))->fields) != 1 ||
		 strcmp(strVal(linitial(((ColumnRef *) linitial(call->args))->fields)), "location") != 0))
		refuse(compile, call->location, "st_x and st_y of anything but location are", "Write st_x(location).");
}

/* A hint for functions that people look for. */
static void
refuse_function(CecCompile *compile, FuncCall *call, const char *name)
{
	static const struct
	{
		const char *name;
		const char *hint;
	} hints[] = {{"now", "The day of evaluation is as_of."},
				 {"clock_timestamp", "The day of evaluation is as_of."},
				 {"age", "Write age_years, or the difference of two days: as_of - commissioned_on."},
				 {"date_part", "Write extract(year FROM as_of)."},
				 {"to_date", "Write as_date(attributes ->> 'key')."},
				 {"to_number", "Write as_number(attributes ->> 'key')."},
				 {"like_escape", "In a pattern \\ takes the meaning from % and _."},
				 {"concat", "Write ||."},
				 {"position", "Write column LIKE '%part%'."},
				 {"strpos", "Write column LIKE '%part%'."},
				 {"st_covers", "Write inside_boundary."},
				 {"st_contains", "Write inside_boundary."},
				 {"st_within", "Write inside_boundary."},
				 {"st_intersects", "Write inside_boundary."},
				 {"st_distance", "Write distance_to_boundary_m."},
				 {"st_dwithin", "Write distance_to_boundary_m."}};
	const char *hint = NULL;
	const char *near = cec_function_near(name);

	for (int i = 0; i < lengthof(hints); i++)
	{
		if (strcmp(hints[i].name, name) == 0)
			hint = hints[i].hint;
	}
	if (hint == NULL && near != NULL)
		hint = psprintf("Perhaps you meant \"%s\".", near);
	if (hint == NULL)
		hint = "The view cec.rule_function lists the functions.";
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION), errmsg("there is no function \"%s\" in conditions", name),
					errhint("%s", hint), cec_condition_position(compile, call->location)));
}

/* A published function, in plain form; its name is bound to its schema. */
static void
check_function(CecCompile *compile, FuncCall *call)
{
	const char *name = strVal(llast(call->funcname));
	const CecFunction *function = cec_function_named(name);
	const char *schema;

	if (function == NULL)
		refuse_function(compile, call, name);
	schema = function->origin == CEC_ORIGIN_SERVER ? "pg_catalog"
			 : function->origin == CEC_ORIGIN_CEC  ? "cec"
												   : cec_postgis_schema();
	if (list_length(call->funcname) > 2 ||
		(list_length(call->funcname) == 2 && strcmp(strVal(linitial(call->funcname)), schema) != 0))
		refuse(compile, call->location, "functions of other schemas are", "Write the bare name of a function.");
	if (call->agg_order != NIL || call->agg_filter != NULL || call->over != NULL || call->agg_within_group ||
		call->agg_star || call->agg_distinct || call->func_variadic)
		refuse(compile, call->location, "DISTINCT, FILTER, OVER, VARIADIC and * in a call are",
			   "Write the arguments alone.");
	if (function->origin != CEC_ORIGIN_SERVER && list_length(call->args) != function->nargs)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg_plural("%s takes %d argument", "%s takes %d arguments", function->nargs, name, function->nargs),
				 errhint("Write %s(%s).", name, function->arguments), cec_condition_position(compile, call->location)));
	check_list(compile, call->args);
	check_arguments(compile, call, name);
	compile->depends_on_day |= function->depends_on_day;
	call->funcname = list_make2(makeString(pstrdup(schema)), makeString(pstrdup(name)));
}

/* A cast to a listed type, which is bound by its oid. */
static void
check_cast(CecCompile *compile, TypeCast *cast)
{
	TypeName *type = cast->typeName;
	const char *name = strVal(llast(type->names));
	Oid listed = cec_type_named(name);
	ListCell *cell;

	if (list_length(type->names) > 2 || type->setof || type->pct_type ||
		(list_length(type->names) == 2 && strcmp(strVal(linitial(type->names)), "pg_catalog") != 0))
		refuse(compile, type->location, "types of other schemas are", "Write the bare name of a type.");
	if (!OidIsValid(listed))
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("type %s is not allowed in a condition", name),
			 errhint(
				 "Types are boolean, smallint, integer, bigint, numeric, double precision, text, date, timestamp, timestamptz, interval, jsonb and datemultirange."),
			 cec_condition_position(compile, type->location)));
	/* A path into jsonb is an array of text, as one constant. */
	if (type->arrayBounds != NIL)
	{
		if (listed != TEXTOID || list_length(type->arrayBounds) != 1 || literal_text(cast->arg) == NULL)
			refuse(compile, type->location, "casts to arrays are", "Write the array out: ARRAY['a', 'b'].");
		listed = TEXTARRAYOID;
	}
	if (type->typmods != NIL && listed != NUMERICOID && listed != INTERVALOID)
		refuse(compile, type->location, "a length or precision of this type is", "Write the bare name of the type.");
	foreach (cell, type->typmods)
	{
		A_Const *typmod = lfirst(cell);

		if (!IsA(typmod, A_Const) || typmod->isnull || !IsA(&typmod->val, Integer))
			refuse(compile, type->location, "this precision is", "Write whole numbers.");
	}
	type->names = NIL;
	type->arrayBounds = NIL;
	type->typeOid = listed;
	check_node(compile, cast->arg);
}

static void
check_node(CecCompile *compile, Node *node)
{
	check_stack_depth();
	if (++compile->nodes > CEC_CONDITION_MAX_NODES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("a condition is too complex"),
						errdetail("It has more than %d parts.", CEC_CONDITION_MAX_NODES),
						errhint("Split it into several rules."), cec_condition_position(compile, exprLocation(node))));
	switch (nodeTag(node))
	{
		case T_A_Const:
			check_constant(compile, (A_Const *) node);
			break;
		case T_ColumnRef:
			check_column(compile, (ColumnRef *) node);
			break;
		case T_A_Expr:
			check_expression(compile, (A_Expr *) node);
			break;
		case T_BoolExpr:
			check_list(compile, ((BoolExpr *) node)->args);
			break;
		case T_NullTest:
			check_node(compile, (Node *) ((NullTest *) node)->arg);
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
		case T_FuncCall:
			check_function(compile, (FuncCall *) node);
			break;
		case T_TypeCast:
			check_cast(compile, (TypeCast *) node);
			break;
		default:
			refuse_node(compile, node);
	}
}

/* Refuses a clause behind the expression. */
static void
check_no_clause(CecCompile *compile, Node *clause)
{
	if (clause != NULL)
		refuse(compile, exprLocation(clause), "clauses of a query are",
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
		refuse(compile, -1, "clauses of a query are",
			   "A condition is what would stand behind WHERE, and nothing else.");
	if (select->targetList == NIL)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("the condition is empty"),
						errhint("To speak of every asset write true.")));
	if (list_length(select->targetList) > 1)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("a condition is one expression"),
						errhint("Join several by AND or OR."),
						cec_condition_position(compile, lsecond_node(ResTarget, select->targetList)->location)));
	target = linitial_node(ResTarget, select->targetList);
	if (target->name != NULL || target->indirection != NIL)
		refuse(compile, target->location, "a name for the result is", "Write the expression alone.");
	check_node(compile, target->val);
	return target->val;
}
