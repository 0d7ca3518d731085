/*
 * condition_compile.c
 *		Compiles a condition: from text, through two whitelists, to an expression over the fact row.
 *
 * Stages: limits; the server's grammar; whitelist of the raw tree (condition_check_raw.c); the server's analysis against exactly the
 * columns of the fact row; whitelist of the analysed tree (condition_check_analysed.c); expansion of what is derived (condition_expand.c).
 * Settings that change what a text means are pinned meanwhile, so that a condition means the same in every session.
 */
#include "postgres.h"

#include "catalog/pg_collation_d.h"
#include "catalog/pg_type_d.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "condition/condition_compile.h"

/* Settings that grammar, analysis, input functions of constants or the printing of an expression look at. */
static const struct
{
	const char *name;
	const char *value;
} pinned[] = {
	{"search_path", "pg_catalog, pg_temp"},
	{"DateStyle", "ISO, YMD"},
	{"TimeZone", "UTC"},
	{"timezone_abbreviations", "Default"},
	{"IntervalStyle", "postgres"},
	{"extra_float_digits", "1"},
	{"standard_conforming_strings", "on"},
	{"escape_string_warning", "off"},
	{"backslash_quote", "off"},
	{"transform_null_equals", "off"},
	{"array_nulls", "on"},
	{"quote_all_identifiers", "off"},
};

/* Pins them, until the caller leaves its GUC nest level. */
void
cec_condition_pin_settings(void)
{
	for (int i = 0; i < lengthof(pinned); i++)
	{
		const char *now = GetConfigOption(pinned[i].name, false, false);

		if (now == NULL || strcmp(now, pinned[i].value) != 0)
			(void) set_config_option(pinned[i].name, pinned[i].value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
									 0, false);
	}
}

/* Error context callback: says that a position is one in the condition, not in the statement that brought it. */
static void
show_condition(void *arg)
{
	const CecCompile *compile = arg;
	int position = geterrposition();

	cec_hint_parser(compile, position);
	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(compile->text);
	}
}

/* Called by the parser for a column, whose name has been found in the vocabulary before. */
static Node *
find_column(ParseState *pstate, ColumnRef *ref)
{
	const CecCompile *compile = pstate->p_ref_hook_state;
	const CecColumn *column = cec_column_named(strVal(linitial(ref->fields)), compile->speaker);
	Form_pg_attribute att;
	Var *var;

	if (column == NULL)
		elog(ERROR, "a column has passed that is not in the vocabulary");
	att = TupleDescAttr(compile->fact, column->number - 1);
	var = makeVar(1, column->number, att->atttypid, att->atttypmod, att->attcollation, 0);
	var->location = ref->location;
	return (Node *) var;
}

/* Analyses an expression that passed the raw whitelist. */
static Node *
analyse(CecCompile *compile, Node *raw)
{
	ParseState *pstate = make_parsestate(NULL);
	Node *result;

	pstate->p_sourcetext = compile->text;
	pstate->p_pre_columnref_hook = find_column;
	pstate->p_ref_hook_state = compile;
	result = transformExpr(pstate, raw, EXPR_KIND_CHECK_CONSTRAINT);
	result = coerce_to_boolean(pstate, result, "a condition");
	assign_expr_collations(pstate, result);
	free_parsestate(pstate);
	return result;
}

/* What a long condition can be divided among. */
const char *
cec_speakers(const CecCompile *compile)
{
	return compile->speaker == CEC_SPEAKER_RULE ? "rules" : "regulations";
}

/* The columns that an expression reads. */
static Bitmapset *
columns_read(Node *expr)
{
	Bitmapset *result = NULL;
	List *vars = pull_var_clause(expr, 0);
	ListCell *cell;

	foreach (cell, vars)
		result = bms_add_member(result, lfirst_node(Var, cell)->varattno);
	return result;
}

static void
check_length(const CecCompile *compile)
{
	if (strlen(compile->text) > CEC_CONDITION_MAX_BYTES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("a condition is too long"),
						errdetail("It has %zu bytes; %d are allowed.", strlen(compile->text), CEC_CONDITION_MAX_BYTES),
						errhint("Split it into several %s.", cec_speakers(compile))));
}

/* The boundary may have a million corners, and looking at it cannot be interrupted. */
static void
check_boundary_cost(const CecCompile *compile)
{
	if (compile->boundary_cost > CEC_CONDITION_MAX_BOUNDARY_COST)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("a condition asks for the boundary too often"),
						errdetail("It may mention inside_boundary %d times, or distance_to_boundary_m %d times.",
								  CEC_CONDITION_MAX_BOUNDARY_COST,
								  CEC_CONDITION_MAX_BOUNDARY_COST / CEC_CONDITION_DISTANCE_COST),
						errhint("Split it into several %s.", cec_speakers(compile))));
}

/*
 * Compiles a condition in the current memory context, for the current user, who should be restricted
 * (SECURITY_RESTRICTED_OPERATION).  What is wrong with the text is raised with its position in it: 42601 syntax, 42703
 * and 42883 names, 42804 not a boolean, 0A000 what is not on the list, 54000 too much of it, and what the server says of
 * types and constants.  Reads nothing but the catalog, and keeps no locks.
 */
static CecCondition *
compile_condition(const char *text, CecSpeaker speaker, bool with_text)
{
	CecCompile compile = {.text = text, .speaker = speaker};
	CecCondition *result = palloc0(sizeof(CecCondition));
	ErrorContextCallback callback = {.callback = show_condition, .arg = &compile, .previous = error_context_stack};
	int nest_level;
	List *statements;
	Node *expr;

	check_length(&compile);
	error_context_stack = &callback;
	/* On error the settings are restored by the transaction or subtransaction that ends, as for functions with SET. */
	nest_level = NewGUCNestLevel();
	cec_condition_pin_settings();

	compile.fact = cec_fact_descriptor();
	compile.fact_relation = typeidTypeRelid(compile.fact->tdtypeid);
	compile.is_parsing = true;
	statements = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	compile.is_parsing = false;
	expr = cec_check_raw(&compile, statements);
	check_boundary_cost(&compile);
	compile.is_analysing = true;
	expr = analyse(&compile, expr);
	compile.is_analysing = false;
	cec_check_analysed(&compile, expr);
	expr = cec_normalise(expr);

	result->columns = compile.columns;
	result->depends_on_day = compile.depends_on_day;
	result->conjuncts = cec_find_conjuncts(expr);
	if (with_text)
	{
		result->doubts = cec_find_doubts(&compile, expr);
		result->canonical = cec_deparse(compile.fact_relation, expr, false);
	}
	result->expr = (Expr *) cec_expand(expr);
	result->facts = columns_read((Node *) result->expr);
	if (with_text)
		result->sql = cec_deparse(compile.fact_relation, (Node *) result->expr, true);

	AtEOXact_GUC(true, nest_level);
	error_context_stack = callback.previous;
	return result;
}

/* See above. */
CecCondition *
cec_condition_compile(const char *text, CecSpeaker speaker)
{
	return compile_condition(text, speaker, true);
}

static CecConjunct *
copy_conjunct(const CecConjunct *conjunct)
{
	CecConjunct *copy = palloc(sizeof(CecConjunct));

	*copy = *conjunct;
	copy->values = palloc(Max(conjunct->count, 1) * sizeof(Datum));
	for (int i = 0; i < conjunct->count; i++)
		copy->values[i] = conjunct->type == TEXTOID ? datumCopy(conjunct->values[i], false, -1) : conjunct->values[i];
	return copy;
}

/*
 * The same for a cache: without canonical and sql, which take longer than all the rest, and with nothing left in the current
 * memory context but the result.
 */
CecCondition *
cec_condition_compile_to_keep(const char *text, CecSpeaker speaker)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "cec compiling", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(scratch);
	CecCondition *compiled = compile_condition(text, speaker, false);
	CecCondition *kept;
	ListCell *cell;

	MemoryContextSwitchTo(old);
	kept = palloc0(sizeof(CecCondition));
	kept->expr = copyObject(compiled->expr);
	kept->columns = bms_copy(compiled->columns);
	kept->facts = bms_copy(compiled->facts);
	kept->depends_on_day = compiled->depends_on_day;
	foreach (cell, compiled->conjuncts)
		kept->conjuncts = lappend(kept->conjuncts, copy_conjunct(lfirst(cell)));
	MemoryContextDelete(scratch);
	return kept;
}
