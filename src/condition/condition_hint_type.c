/*
 * condition_hint_type.c
 *		What to write instead of values that their types do not take.
 *
 * Nothing here may raise (condition_hint.c).
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"

#include "condition/condition_hint.h"

#define DAY_HINT "A day is written as YYYY-MM-DD: '2019-01-31'."
#define LENGTH_HINT "A length of time is written as interval '12 months'."
#define TYPES_HINT \
	"Values of one type are compared: as_number(attributes ->> 'key') > 5 for a number, " \
	"as_date(attributes ->> 'key') for a day, 'five' for a text."

/* For the key of ->> that a cast behind it takes for its own, at token i; NULL for any other. */
static const char *
cast_hint(const CecTokens *tokens, int i)
{
	if (!cec_token_is(tokens, i + 1, "::") || !cec_token_is(tokens, i - 1, "->>"))
		return NULL;
	return psprintf("A cast binds more tightly than ->>. Write %s(%s).",
					cec_token_is(tokens, i + 2, "date") ? "as_date" : "as_number",
					cec_token_operand_text(tokens, i + 1));
}

/* For a day, time or length of time that cannot be read, the text at token i. */
const char *
cec_hint_time(const CecTokens *tokens, int i)
{
	static const char *const units[] = {"year", "month", "week", "day", "hour"};
	char *text;

	if (cast_hint(tokens, i) != NULL)
		return cast_hint(tokens, i);
	if (!cec_token_is_kind(tokens, i, CEC_TOKEN_TEXT))
		return DAY_HINT;
	if (cec_token_is(tokens, i - 1, "interval"))
		return LENGTH_HINT;
	text = cec_token_inside(tokens, i);
	for (int j = 0; j < lengthof(units); j++)
	{
		const char *found = strstr(text, units[j]);

		if (found == NULL)
			continue;
		if (strcspn(text, "0123456789") < strlen(text))
			return psprintf("A length of time is written as interval '%.40s'.", text);
		return LENGTH_HINT;
	}
	return DAY_HINT;
}

/* For a text that its type cannot read, at token i. */
const char *
cec_hint_value(const CecTokens *tokens, int i)
{
	const CecColumn *column;

	if (cast_hint(tokens, i) != NULL)
		return cast_hint(tokens, i);
	if (cec_token_is(tokens, i - 1, "@> <@"))
		return "JSON stands in single quotes: attributes @> '{\"key\": \"value\"}'.";
	column = cec_token_is_comparison(tokens, i - 1) ? cec_hint_column(tokens, i - 2) : NULL;
	if (column != NULL && cec_hint_is_number(column->type))
		return psprintf("%s is a number: %s 5.", column->name, cec_token_text(tokens, i - 2, i - 1));
	if (column != NULL && column->type == BOOLOID)
		return psprintf("%s is true or false: write %s or NOT %s.", column->name, column->name, column->name);
	if (cec_token_is_comparison(tokens, i - 1) || cec_token_is(tokens, i - 1, "+ - * / %"))
		return "A number is written in digits: 5.";
	return CEC_HINT_COMPARE;
}

/* For an operator or function that there is not between values of these types, at token i. */
const char *
cec_hint_type(const CecTokens *tokens, int i)
{
	const CecColumn *column = cec_hint_column(tokens, i - 1);
	char *example = cec_token_is_kind(tokens, i, CEC_TOKEN_WORD)
						? (char *) cec_function_example(cec_token_text(tokens, i, i))
						: NULL;
	char *operator;

	if (example != NULL)
		return psprintf("Write %s.", example);
	if (cec_token_is_kind(tokens, i, CEC_TOKEN_WORD) && cec_token_is(tokens, i + 1, "("))
		return "The view cec.rule_function lists the functions with their arguments.";
	operator= cec_token_capitals(cec_token_text(tokens, i, i));
	if (column != NULL && column->type == DATEOID && cec_token_is_kind(tokens, i + 1, CEC_TOKEN_NUMBER) &&
		!cec_token_is(tokens, i + 2, "- + * /"))
		return psprintf("A day stands in single quotes: '2019-01-31'. A year alone: extract(year FROM %s) %s %s.",
						column->name, operator, cec_token_text(tokens, i + 1, cec_token_part_end(tokens, i + 1)));
	if (cec_token_is(tokens, i + 1, "interval") && cec_token_is_kind(tokens, i + 2, CEC_TOKEN_TEXT) &&
		(column == NULL || column->type == DATEOID) && cec_token_is(tokens, i - 2, "-"))
		return psprintf("The difference of two days is a number of days. Write %s %s %s + interval %s.",
						cec_token_text(tokens, cec_token_operand(tokens, i), i - 3), operator,
						cec_token_text(tokens, i - 1, i - 1), cec_token_text(tokens, i + 2, i + 2));
	if (column != NULL && column->type == TEXTOID && cec_token_is(tokens, i, "= <> !=") &&
		cec_token_is_kind(tokens, i + 1, CEC_TOKEN_NUMBER))
		return psprintf("%s is a text: %s '%s'.", column->name, cec_token_text(tokens, i - 1, i),
						cec_token_text(tokens, i + 1, i + 1));
	if (column != NULL && column->type == TEXTOID && cec_token_is_kind(tokens, i + 1, CEC_TOKEN_NUMBER))
		return psprintf("%s is a text. Write as_number(%s) %s.", column->name, column->name,
						cec_token_text(tokens, i, cec_token_part_end(tokens, i)));
	if (cec_token_is(tokens, i - 2, "-> ->>") && cec_token_is_kind(tokens, i - 1, CEC_TOKEN_TEXT) &&
		cec_token_is_kind(tokens, i + 1, CEC_TOKEN_NUMBER))
		return psprintf("Values of one type are compared. Write as_number(%s ->> %s) %s.",
						cec_token_text(tokens, cec_token_operand(tokens, i), i - 3),
						cec_token_text(tokens, i - 1, i - 1), cec_token_text(tokens, i, cec_token_part_end(tokens, i)));
	return TYPES_HINT;
}

/* For what is neither true nor false, at token i. */
const char *
cec_hint_boolean(const CecTokens *tokens, int i)
{
	const CecColumn *column = cec_hint_column(tokens, i);

	if (column == NULL)
		return CEC_HINT_COMPARE;
	switch (column->type)
	{
		case TEXTOID:
			return psprintf("Compare it: %s = 'value', or %s IS NOT NULL.", column->name, column->name);
		case DATEOID:
			return psprintf("Compare it: %s > '2019-01-31', or %s IS NOT NULL.", column->name, column->name);
		case DATEMULTIRANGEOID:
			return psprintf("Compare it: %s @> as_of, or NOT isempty(%s).", column->name, column->name);
		case JSONBOID:
			return psprintf("Compare what is in it: %s ->> 'key' = 'value'.", column->name);
		case TIMESTAMPTZOID:
			return psprintf("Compare it: %s > '2019-01-31'.", column->name);
		default:
			return psprintf("Compare it: %s > 5.", column->name);
	}
}
