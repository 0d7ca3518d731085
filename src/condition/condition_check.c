/*
 * condition_check.c
 *		What people ask about conditions: cec.check_condition, and the vocabulary as the code has it.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "condition/condition_compile.h"
#include "support/act_as.h"

PG_FUNCTION_INFO_V1(cec_check_condition);
PG_FUNCTION_INFO_V1(cec_condition_sql);
PG_FUNCTION_INFO_V1(cec_rule_columns);
PG_FUNCTION_INFO_V1(cec_rule_functions);

static Datum
text_array(List *texts)
{
	Datum *values = palloc(sizeof(Datum) * Max(list_length(texts), 1));
	ListCell *cell;

	foreach (cell, texts)
		values[foreach_current_index(cell)] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(values, list_length(texts), TEXTOID, -1, false, TYPALIGN_INT));
}

/* The names of columns, in their order in the fact row. */
static List *
column_names(const Bitmapset *columns)
{
	List *result = NIL;

	for (int number = bms_next_member(columns, -1); number >= 0; number = bms_next_member(columns, number))
		result = lappend(result, pstrdup(cec_column(number)->name));
	return result;
}

/* A conjunct in words: "country = 'DE', 'AT'" or "inside_boundary". */
static char *
conjunct_text(const CecConjunct *conjunct)
{
	StringInfoData result;
	Oid output;
	bool is_varlena;

	initStringInfo(&result);
	appendStringInfoString(&result, cec_column(conjunct->column)->name);
	getTypeOutputInfo(conjunct->type, &output, &is_varlena);
	for (int i = 0; i < conjunct->count; i++)
	{
		char *value = OidOutputFunctionCall(output, conjunct->values[i]);

		appendStringInfo(&result, "%s%s", i == 0 ? " = " : ", ",
						 conjunct->type == TEXTOID ? quote_literal_cstr(value) : value);
	}
	return result.data;
}

/* Compiles the condition that a function was given; as the caller, restricted: whatever the caller may do otherwise. */
static CecCondition *
compile_argument(FunctionCallInfo fcinfo, CecSpeaker speaker)
{
	CecActAs act;
	CecCondition *result;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the condition is NULL"),
						errhint("To speak of every asset write true.")));
	cec_act_restricted(&act);
	result = cec_condition_compile(text_to_cstring(PG_GETARG_TEXT_PP(0)), speaker);
	cec_act_as_self(&act);
	return result;
}

/* cec._condition_sql(condition): what a condition is compiled to, over a relation f with the columns of cec.rule_fact. */
Datum
cec_condition_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(compile_argument(fcinfo, CEC_SPEAKER_RULE)->sql));
}

/* cec.check_condition(condition): how a condition is understood, or the error of cec_condition_compile. */
Datum
cec_check_condition(PG_FUNCTION_ARGS)
{
	CecCondition *condition;
	List *conjuncts = NIL;
	ListCell *cell;
	Datum values[4];
	bool nulls[4] = {false};

	InitMaterializedSRF(fcinfo, 0);
	condition = compile_argument(fcinfo, CEC_SPEAKER_RULE);
	cec_condition_tell_doubts(condition);
	foreach (cell, condition->conjuncts)
		conjuncts = lappend(conjuncts, conjunct_text(lfirst(cell)));
	values[0] = CStringGetTextDatum(condition->canonical);
	values[1] = text_array(column_names(condition->columns));
	values[2] = BoolGetDatum(condition->depends_on_day);
	values[3] = text_array(conjuncts);
	tuplestore_putvalues(((ReturnSetInfo *) fcinfo->resultinfo)->setResult,
						 ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc, values, nulls);
	return (Datum) 0;
}

/* cec._rule_columns(): number, depends_on_day, is_indexed, is_for_rules of the published columns. */
Datum
cec_rule_columns(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int number = 1; number <= CEC_FACT_COUNT; number++)
	{
		const CecColumn *column = cec_column(number);
		Datum values[4] = {Int16GetDatum(number), BoolGetDatum(column->depends_on_day),
						   BoolGetDatum(column->is_indexed), BoolGetDatum(!column->is_of_cover)};
		bool nulls[4] = {false};

		if (!column->is_hidden)
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* cec._rule_functions(): place, name, arguments, result, meaning, depends_on_day of the published functions. */
Datum
cec_rule_functions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int count;
	const CecFunction *functions = cec_functions(&count);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		Datum values[6] = {Int32GetDatum(i + 1),
						   CStringGetTextDatum(functions[i].name),
						   CStringGetTextDatum(functions[i].arguments),
						   CStringGetTextDatum(functions[i].result),
						   CStringGetTextDatum(functions[i].meaning),
						   BoolGetDatum(functions[i].depends_on_day)};
		bool nulls[6] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
