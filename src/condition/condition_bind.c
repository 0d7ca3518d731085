/*
 * condition_bind.c
 *		Names in a condition: columns, functions, operators and types, checked against the vocabulary and bound to their schema.
 *
 * What is bound is found by the parser whatever else bears its name. Names that are unknown get the nearest one as a hint.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "utils/builtins.h"

#include "condition/condition_compile.h"
#include "condition/condition_error.h"
#include "support/compat.h"

pg_noreturn static void refuse_function(CecCompile *compile, FuncCall *call, const char *name);

/* For a name that is no column. */
static const char *
unknown_hint(const CecCompile *compile, const char *name)
{
	/* Words for what has another name, or is said otherwise. */
	static const struct
	{
		const char *name;
		const char *hint;
	} words[] = {{"latitude", "st_y(location)"},
				 {"lat", "st_y(location)"},
				 {"longitude", "st_x(location)"},
				 {"lon", "st_x(location)"},
				 {"lng", "st_x(location)"},
				 {"today", "as_of"},
				 {"now", "as_of"},
				 {"current_day", "as_of"},
				 {"tomorrow", "as_of + 1"},
				 {"yesterday", "as_of - 1"},
				 {"boundary", "inside_boundary"},
				 {"outside_boundary", "NOT inside_boundary"},
				 {"distance", "distance_to_boundary_m"},
				 {"number", "contract_number, or serial_number"},
				 {"retired", "status = 'retired'"}};
	const char *meant;

	for (int i = 0; i < lengthof(words); i++)
	{
		if (strcmp(words[i].name, name) == 0)
			return psprintf("Write %s.", words[i].hint);
	}
	if (IS_HIGHBIT_SET(name[0]) && strncmp(name, "\xE2\x80", 2) == 0)
		return "Quotes are straight ones: 'DE'.";
	meant = cec_function_example(name);
	if (meant != NULL)
		return psprintf("Write %s.", meant);
	if (compile->speaker == CEC_SPEAKER_RULE && cec_column_named(name, CEC_SPEAKER_REGULATION) != NULL)
		return "Regulations alone speak of it: rules decide what is covered.";
	meant = cec_column_near(name, compile->speaker);
	if (meant != NULL)
		return psprintf("Perhaps you meant \"%s\".", meant);
	name = quote_literal_cstr(name);
	return psprintf("The view cec.rule_column lists the columns. A text stands in single quotes: %s. "
					"What else the register knows: attributes ->> %s.",
					name, name);
}

/* For a name with a point in it. */
static const char *
qualified_hint(const CecCompile *compile, const ColumnRef *ref)
{
	Node *last = llast(ref->fields);

	if (!IsA(last, String))
		return "Write the bare name of a column.";
	if (strcmp(strVal(linitial(ref->fields)), "attributes") == 0)
		return psprintf("Write attributes ->> %s.", quote_literal_cstr(strVal(last)));
	if (cec_column_named(strVal(last), compile->speaker) != NULL)
		return psprintf("Write %s.", strVal(last));
	return psprintf("Write the bare name of a column. %s", unknown_hint(compile, strVal(linitial(ref->fields))));
}

/* Notes a published column and gives its number; refuses others, and qualified names. */
AttrNumber
cec_bind_column(CecCompile *compile, ColumnRef *ref)
{
	const CecColumn *column;
	const char *name;

	if (list_length(ref->fields) != 1 || !IsA(linitial(ref->fields), String))
		cec_refuse_part(compile, ref->location, "qualified names and * are", qualified_hint(compile, ref));
	name = strVal(linitial(ref->fields));
	column = cec_column_named(name, compile->speaker);
	if (column == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("there is no column \"%s\" in conditions", name),
						errhint("%s", unknown_hint(compile, name)), cec_condition_position(compile, ref->location)));
	compile->columns = bms_add_member(compile->columns, column->number);
	compile->depends_on_day |= column->depends_on_day;
	if (column->number == CEC_FACT_INSIDE_BOUNDARY)
		compile->boundary_cost++;
	if (column->number == CEC_FACT_DISTANCE_TO_BOUNDARY_M)
		compile->boundary_cost += CEC_CONDITION_DISTANCE_COST;
	return column->number;
}

/* The name of a listed operator, without its schema. */
const char *
cec_check_operator(CecCompile *compile, A_Expr *expr)
{
	const char *name = strVal(llast(expr->name));

	if (list_length(expr->name) > 2 ||
		(list_length(expr->name) == 2 && strcmp(strVal(linitial(expr->name)), "pg_catalog") != 0))
		cec_refuse_part(compile, expr->location, "operators of other schemas are", "Write the bare operator.");
	if (!cec_operator_is_listed(name))
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("operator %s is not allowed in a condition", name),
			 strcmp(name, "==") == 0   ? errhint("Write =.")
			 : strcmp(name, "&&") == 0 ? errhint("Write AND.")
			 : strchr(name, '~') != NULL
				 ? errhint("Patterns are written with LIKE or ILIKE.")
				 : errhint("Operators are = <> < > <= >= + - * / %% || -> ->> #> #>> ? ?| ?& @> <@ LIKE and ILIKE."),
			 cec_condition_position(compile, expr->location)));
	return name;
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

/* date_trunc takes so many of the first fields in check_arguments. */
#define TRUNC_FIELDS 5

/* Arguments on which it depends whether a function is harmless, or fails at once rather than for every asset. */
static void
check_arguments(CecCompile *compile, FuncCall *call, const char *name)
{
	static const char *const fields[] = {"year", "quarter", "month", "week",	"day",
										 "dow",	 "isodow",	"doy",	 "isoyear", "epoch"};
	const char *first = literal_text(call->args == NIL ? NULL : linitial(call->args));

	if (strcmp(name, "timezone") == 0 && (first == NULL || strcmp(first, "UTC") != 0))
		cec_refuse_part(compile, call->location, "time zones other than 'UTC' are",
						"Write source_updated_at AT TIME ZONE 'UTC'.");
	if (strcmp(name, "date_trunc") == 0)
	{
		for (int i = 0; first != NULL && i < TRUNC_FIELDS; i++)
		{
			if (strcmp(first, fields[i]) == 0)
				return;
		}
		cec_refuse_part(compile, call->location, "date_trunc to this field is",
						"Fields are year, quarter, month, week and day.");
	}
	if (strcmp(name, "extract") == 0 || strcmp(name, "date_part") == 0)
	{
		for (int i = 0; first != NULL && i < lengthof(fields); i++)
		{
			if (strcmp(first, fields[i]) == 0)
				return;
		}
		cec_refuse_part(compile, call->location, "this field of a day is",
						"Fields are year, quarter, month, week, day, dow, isodow, doy, isoyear and epoch.");
	}
	/* Nothing but this very column: so the parser never chooses between PostGIS's function and somebody else's. */
	if ((strcmp(name, "st_x") == 0 || strcmp(name, "st_y") == 0) &&
		(!IsA(linitial(call->args), ColumnRef) || list_length(((ColumnRef *) linitial(call->args))->fields) != 1 ||
		 strcmp(strVal(linitial(((ColumnRef *) linitial(call->args))->fields)), "location") != 0))
		cec_refuse_part(compile, call->location, "st_x and st_y of anything but location are", "Write st_x(location).");
}

/*
 * date_trunc and date_part of a day: said to be of a timestamp, since the function for a timestamptz, which a day is nearer
 * to, depends on the session's time zone, and the one for a day is itself an SQL function.
 */
static void
say_timestamp(FuncCall *call, const char *name)
{
	TypeCast *cast;

	if ((strcmp(name, "date_trunc") != 0 && strcmp(name, "date_part") != 0) || list_length(call->args) != 2)
		return;
	cast = makeNode(TypeCast);
	cast->arg = lsecond(call->args);
	cast->typeName = makeTypeNameFromOid(TIMESTAMPOID, -1);
	cast->location = -1;
	lsecond(call->args) = cast;
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
				 {"to_date", "Write as_date(attributes ->> 'key')."},
				 {"to_number", "Write as_number(attributes ->> 'key')."},
				 {"like_escape", "In a pattern \\ takes the meaning from % and _."},
				 {"concat", "Write manufacturer || model."},
				 {"position", "Write model LIKE '%part%'."},
				 {"contains", "Write model LIKE '%part%'."},
				 {"isnull", "Write usage_type IS NULL."},
				 {"isblank", "Write usage_type IS NULL."},
				 {"nvl", "Write coalesce(usage_type, 'none')."},
				 {"ifnull", "Write coalesce(usage_type, 'none')."},
				 {"len", "Write length(model)."},
				 {"substr", "Write substring(model, 2, 3)."},
				 {"year", "Write extract(year FROM commissioned_on)."},
				 {"month", "Write extract(month FROM commissioned_on)."},
				 {"to_char", "Write extract(year FROM commissioned_on), or date_trunc('month', commissioned_on)."},
				 {"today", "The day of evaluation is as_of."},
				 {"getdate", "The day of evaluation is as_of."},
				 {"months_between", "Write commissioned_on < as_of - interval '12 months'."},
				 {"datediff", "Write as_of - commissioned_on."},
				 {"st_covers", "Write inside_boundary."},
				 {"st_contains", "Write inside_boundary."},
				 {"st_within", "Write inside_boundary."},
				 {"st_intersects", "Write inside_boundary."},
				 {"st_distance", "Write distance_to_boundary_m, or distance_to_point_m(longitude, latitude)."},
				 {"st_dwithin", "Write distance_to_boundary_m, or distance_to_point_m(longitude, latitude)."}};
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

/* Says the type of arguments that are bare literals: so no other function of that name can claim them for its own types. */
static void
say_types(FuncCall *call, const CecFunction *function)
{
	ListCell *cell;

	foreach (cell, call->args)
	{
		TypeCast *cast;

		if (!IsA(lfirst(cell), A_Const) || !(((A_Const *) lfirst(cell))->isnull || literal_text(lfirst(cell)) != NULL))
			continue;
		cast = makeNode(TypeCast);
		cast->arg = lfirst(cell);
		cast->typeName =
			makeTypeNameFromOid(foreach_current_index(cell) == 0 ? function->first_type : function->second_type, -1);
		cast->location = -1;
		lfirst(cell) = cast;
	}
}

/* Binds a published function to its schema and says whose it is; refuses others, and calls that are not plain. */
CecOrigin
cec_bind_function(CecCompile *compile, FuncCall *call)
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
		cec_refuse_part(compile, call->location, "functions of other schemas are",
						"Write the bare name of a function.");
	if (call->agg_order != NIL || call->agg_filter != NULL || call->over != NULL || call->agg_within_group ||
		call->agg_star || call->agg_distinct || call->func_variadic)
		cec_refuse_part(compile, call->location, "DISTINCT, FILTER, OVER, VARIADIC and * in a call are",
						"Write the arguments alone.");
	if (function->origin != CEC_ORIGIN_SERVER && list_length(call->args) != function->nargs)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg_plural("%s takes %d argument", "%s takes %d arguments", function->nargs, name, function->nargs),
				 errhint("Write %s.", cec_function_example(name)), cec_condition_position(compile, call->location)));
	check_arguments(compile, call, name);
	say_timestamp(call, name);
	if (function->origin == CEC_ORIGIN_CEC)
		say_types(call, function);
	compile->depends_on_day |= function->depends_on_day;
	call->funcname = list_make2(makeString(pstrdup(schema)), makeString(pstrdup(name)));
	return function->origin;
}

/* Binds the type of a cast by its oid; refuses types that are not listed. */
void
cec_bind_type(CecCompile *compile, TypeCast *cast)
{
	TypeName *type = cast->typeName;
	const char *name;
	Oid listed;
	ListCell *cell;

	if (type->names == NIL) /* bound already, see say_types */
		return;
	name = strVal(llast(type->names));
	listed = cec_type_named(name);

	if (list_length(type->names) > 2 || type->setof || type->pct_type ||
		(list_length(type->names) == 2 && strcmp(strVal(linitial(type->names)), "pg_catalog") != 0))
		cec_refuse_part(compile, type->location, "types of other schemas are", "Write the bare name of a type.");
	if (!OidIsValid(listed) && literal_text(cast->arg) != NULL && type->location >= 0 &&
		(cec_column_named(name, compile->speaker) != NULL || cec_function_named(name) != NULL))
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("%s and a text stand beside each other", name),
						errhint("An operator is missing: %s = %s.",
								cec_column_named(name, compile->speaker) != NULL ? name : "lower(model)",
								quote_literal_cstr(literal_text(cast->arg))),
						cec_condition_position(compile, type->location)));
	if (!OidIsValid(listed))
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("type %s is not allowed in a condition", name),
			 errhint(
				 "Types are boolean, smallint, integer, bigint, numeric, double precision, text, date, timestamp, timestamptz, interval, jsonb and datemultirange."),
			 cec_condition_position(compile, type->location)));
	if (type->arrayBounds != NIL)
		cec_refuse_part(compile, type->location, "casts to arrays are", "Write the array out: ARRAY['a', 'b'].");
	if (type->typmods != NIL && listed != NUMERICOID && listed != INTERVALOID)
		cec_refuse_part(compile, type->location, "a length or precision of this type is",
						"Write the bare name of the type.");
	foreach (cell, type->typmods)
	{
		A_Const *typmod = lfirst(cell);

		if (!IsA(typmod, A_Const) || typmod->isnull || !IsA(&typmod->val, Integer))
			cec_refuse_part(compile, type->location, "this precision is", "Write whole numbers.");
	}
	type->names = NIL;
	type->typeOid = listed;
}

/* Binds a path into jsonb as one constant, '{a,b}'::text[]: so the server prints it.  Any other node gives false. */
bool
cec_bind_path(CecCompile *compile, Node *node)
{
	TypeName *type = IsA(node, TypeCast) ? ((TypeCast *) node)->typeName : NULL;

	if (type == NULL || list_length(type->arrayBounds) != 1 || type->setof || type->pct_type || type->typmods != NIL ||
		list_length(type->names) != 1 || strcmp(strVal(linitial(type->names)), "text") != 0 ||
		literal_text(node) == NULL)
		return false;
	compile->nodes++;
	type->names = NIL;
	type->arrayBounds = NIL;
	type->typeOid = TEXTARRAYOID;
	return true;
}
