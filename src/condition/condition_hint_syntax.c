/*
 * condition_hint_syntax.c
 *		What to write instead of what the grammar does not take, or of values that stand where comparisons should.
 *
 * Nothing here may raise (condition_hint.c).
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "lib/stringinfo.h"

#include "condition/condition_hint.h"

#define UNITS "year years month months week weeks day days hour hours"

/* Quotes that word processors make: of three bytes in UTF-8, U+2018 to U+201F. */
static bool
has_curly_quote(const CecTokens *tokens)
{
	for (int i = 0; i < tokens->count; i++)
	{
		const char *found =
			tokens->token[i].kind != CEC_TOKEN_WORD ? NULL : strstr(cec_token_text(tokens, i, i), "\xE2\x80");

		if (found != NULL && (unsigned char) found[2] >= 0x98 && (unsigned char) found[2] <= 0x9F)
			return true;
	}
	return false;
}

/* Whether a number and a unit stand at a token and behind it. */
static bool
is_quantity(const CecTokens *tokens, int i)
{
	return cec_token_is_kind(tokens, i, CEC_TOKEN_NUMBER) &&
		   cec_token_is(tokens, i + 1, UNITS " km m metres meters kw kg eur %");
}

/* A number with its unit: a length of time, or a number alone. */
static char *
quantity_hint(const CecTokens *tokens, int i)
{
	const CecColumn *column = cec_hint_column(tokens, i - 2);
	char *number = cec_token_text(tokens, i, i);

	if (cec_token_is(tokens, i + 1, UNITS) && !(column != NULL && cec_hint_is_number(column->type)))
	{
		char *unit = cec_token_text(tokens, i + 1, i + 1);

		if (cec_token_is(tokens, i - 1, "+ -"))
			return psprintf("A length of time is written as interval '%s %s'.", number, unit);
		return psprintf("A length of time is written as interval '%s %s': commissioned_on < as_of - interval '%s %s'.",
						number, unit, number, unit);
	}
	if (cec_token_is(tokens, i + 1, "km"))
		number = psprintf("%g", atof(number) * 1000);
	if (cec_token_is_comparison(tokens, i - 1) && column != NULL)
		return psprintf("A number stands without its unit: %s %s.", cec_token_text(tokens, i - 2, i - 1), number);
	return psprintf("A number stands without its unit: %s.", number);
}

/*
 * Texts or numbers joined by OR, AND or commas where comparisons should be, one of them at or behind location: what the list is
 * compared with is the operand before it.  NULL when there is no such list.
 */
static char *
list_hint(const CecTokens *tokens, int location)
{
	int first = cec_token_at(tokens, location);
	int operator;
	char *operand;
	char *name;
	StringInfoData list;
	StringInfoData parts;
	bool is_not;

	while (cec_token_is(tokens, first, "( ["))
		first++;
	if (!cec_token_is_value(tokens, first))
		return NULL;
	while (cec_token_is(tokens, first - 1, "or and , (") || cec_token_is_value(tokens, first - 1))
		first--;
	while (!cec_token_is_value(tokens, first))
		first++;
	for (operator= first - 1; cec_token_is(tokens, operator, "( ["); operator--)
		;
	is_not = cec_token_is(tokens, operator- 1, "not");
	if (!cec_token_is_comparison(tokens, operator) && !cec_token_is(tokens, operator, "in"))
		return NULL;
	operand = cec_token_operand_text(tokens, operator- is_not);
	name = cec_token_capitals(cec_token_text(tokens, operator- is_not, operator));
	initStringInfo(&list);
	initStringInfo(&parts);
	for (int i = first;; i += 2)
	{
		char *value = cec_token_text(tokens, i, i);

		appendStringInfo(&list, "%s%s", i == first ? "" : ", ", value);
		appendStringInfo(&parts, "%s%s %s %s", i == first ? "" : " OR ", operand, name, value);
		if (!cec_token_is(tokens, i + 1, "or and ,") || !cec_token_is_value(tokens, i + 2))
			break;
		if (tokens->token[i + 2].kind != tokens->token[first].kind)
			return NULL;
	}
	if (cec_token_is(tokens, operator, "= == in") && !is_not)
		return psprintf("Write %s IN (%s).", operand, list.data);
	if (cec_token_is(tokens, operator, "<> != in"))
		return psprintf("Write %s NOT IN (%s).", operand, list.data);
	return psprintf("Each comparison names its column: %s.", parts.data);
}

/* A number with a comma in it, somewhere: 5,000 or 51,92.  NULL when there is none, or it may be two numbers. */
static char *
comma_hint(const CecTokens *tokens, int location)
{
	for (int i = Max(cec_token_at(tokens, location) - 2, 0); i + 2 < tokens->count; i++)
	{
		const CecToken *token = &tokens->token[i];
		char *digits;
		char *to;
		int after = token[2].end - token[2].begin;
		bool is_group = after == 3 && memchr(tokens->text + token[0].begin, '.', token[0].end - token[0].begin) == NULL;

		if (!cec_token_is_kind(tokens, i, CEC_TOKEN_NUMBER) || !cec_token_is(tokens, i + 1, ",") ||
			!cec_token_is_kind(tokens, i + 2, CEC_TOKEN_NUMBER) || token[0].end != token[1].begin ||
			token[1].end != token[2].begin)
			continue;
		digits = cec_token_text(tokens, i, i);
		for (to = digits; *to != '\0' && *to != '.'; to++)
			;
		for (char *from = to; *from != '\0'; from++)
			if (*from != '.')
				*to++ = *from;
		*to = '\0';
		if (!is_group)
			return psprintf("A number has a point and no commas: %s.%s.", digits, cec_token_text(tokens, i + 2, i + 2));
		digits = psprintf("%s%s", digits, cec_token_text(tokens, i + 2, i + 2));
		while (cec_token_is(tokens, i + 3, ",") && cec_token_is_kind(tokens, i + 4, CEC_TOKEN_NUMBER) &&
			   tokens->token[i + 4].end - tokens->token[i + 4].begin == 3)
		{
			digits = psprintf("%s%s", digits, cec_token_text(tokens, i + 4, i + 4));
			i += 2;
		}
		return psprintf("A number has no commas: %s.", digits);
	}
	return NULL;
}

/* For values that stand beside each other at a place; NULL when nothing better is known than what is said in general. */
const char *
cec_hint_values(const CecCompile *compile, int location)
{
	CecTokens tokens = cec_tokens(compile->text, compile->speaker);
	char *hint;

	if (location < 0)
		return NULL;
	hint = comma_hint(&tokens, location);
	return hint != NULL ? hint : list_hint(&tokens, location);
}

/* For a value where a condition is wanted. */
const char *
cec_hint_alone(const CecCompile *compile, int location)
{
	const char *hint = cec_hint_values(compile, location);

	return hint != NULL ? hint : CEC_HINT_COMPARE;
}

/* IS before what is neither NULL nor true or false; i is the token behind it. */
static char *
is_hint(const CecTokens *tokens, int i)
{
	bool is_not = cec_token_is(tokens, i - 1, "not");
	int is = i - 1 - is_not;
	char *operand = cec_token_operand_text(tokens, is);
	const CecColumn *column = cec_hint_column(tokens, is - 1);

	if (cec_token_is_value(tokens, i))
		return psprintf("Write %s %s %s.", operand, is_not ? "<>" : "=", cec_token_text(tokens, i, i));
	if (cec_token_is(tokens, i, "empty blank missing unset nothing none void nil undefined") && column != NULL &&
		column->type == DATEMULTIRANGEOID)
		return psprintf("Write %sisempty(%s).", is_not ? "NOT " : "", operand);
	if (cec_token_is(tokens, i, "empty blank missing unset nothing none void nil undefined"))
		return psprintf("Write %s IS %sNULL.", operand, is_not ? "NOT " : "");
	if (cec_token_is(tokens, i, "numeric number"))
		return psprintf("Write as_number(%s) IS %sNULL.", operand, is_not ? "" : "NOT ");
	if (cec_token_is(tokens, i, "between in like ilike < > <= >= = <>"))
		return psprintf("Leave IS out: %s %s%s.", operand, is_not ? "NOT " : "",
						cec_token_text(tokens, i, cec_token_part_end(tokens, i)));
	return psprintf("IS stands before NULL, TRUE, FALSE and DISTINCT FROM. A value is compared by = or <>: %s %s '%s'.",
					operand, is_not ? "<>" : "=", cec_token_text(tokens, i, i));
}

/* A word that other languages have between two values; i is the word.  NULL for any other. */
static char *
word_hint(const CecTokens *tokens, int i)
{
	bool is_not = cec_token_is(tokens, i - 1, "not");
	char *operand = cec_token_operand_text(tokens, i - is_not - (cec_token_is(tokens, i - is_not - 1, "is")));
	const char *not = is_not ? "NOT " : "";
	int value = i + 1;

	if (!cec_token_is_kind(tokens, i, CEC_TOKEN_WORD) || i == 0)
		return NULL;
	if (cec_token_is(tokens, i, "xor"))
	{
		int left = i;

		while (left > 0 && !cec_token_is(tokens, left - 1, "and or xor ("))
			left--;
		return psprintf("Write (%s) <> (%s).", cec_token_text(tokens, left, i - 1),
						cec_token_text(tokens, i + 1, cec_token_part_end(tokens, i + 1)));
	}
	if (cec_token_is(tokens, value, "with by than to the") && !cec_token_is(tokens, i, "within"))
		value++;
	if (cec_token_is(tokens, i, "within"))
	{
		value += cec_token_is(tokens, value, "interval");
		return cec_token_is_kind(tokens, value, CEC_TOKEN_TEXT)
				   ? psprintf("Write %s > as_of - interval %s.", operand, cec_token_text(tokens, value, value))
				   : NULL;
	}
	if (!cec_token_is_kind(tokens, value, CEC_TOKEN_TEXT))
		return NULL;
	if (cec_token_is(tokens, i, "contains contain includes include containing has"))
		return psprintf("Write %s %sLIKE '%%%s%%'.", operand, not, cec_token_inside(tokens, value));
	if (cec_token_is(tokens, i, "starts start begins begin starting beginning startswith"))
		return psprintf("Write %s %sLIKE '%s%%'.", operand, not, cec_token_inside(tokens, value));
	if (cec_token_is(tokens, i, "ends end ending endswith"))
		return psprintf("Write %s %sLIKE '%%%s'.", operand, not, cec_token_inside(tokens, value));
	if (cec_token_is(tokens, i, "equals equal eq is matches"))
		return psprintf("Write %s %s %s.", operand, is_not ? "<>" : "=", cec_token_text(tokens, value, value));
	return NULL;
}

/* && or || for AND and OR before a token: the parser stumbles over the comparison behind it. */
static char *
joined_hint(const CecTokens *tokens, int i)
{
	int join = i;
	int left;

	while (join > 0 && !cec_token_is(tokens, join, "&& || and or"))
		join--;
	if (!cec_token_is(tokens, join, "&& ||"))
		return NULL;
	for (left = join; left > 0 && !cec_token_is(tokens, left - 1, "&& || and or ("); left--)
		;
	return psprintf("Write %s for %s: %s %s %s.", cec_token_is(tokens, join, "&&") ? "AND" : "OR",
					cec_token_text(tokens, join, join), cec_token_text(tokens, left, join - 1),
					cec_token_is(tokens, join, "&&") ? "AND" : "OR",
					cec_token_text(tokens, join + 1, cec_token_part_end(tokens, join + 1)));
}

/* IN without parentheses; i is the token behind it. */
static char *
in_hint(const CecTokens *tokens, int i)
{
	bool is_not = cec_token_is(tokens, i - 2, "not");
	int end = i - 1 - is_not;
	const CecColumn *column = cec_hint_column(tokens, end - 1);
	int last = i;

	if (!cec_token_is_value(tokens, i))
		return NULL;
	if (column != NULL && column->type == DATEOID && cec_token_is_kind(tokens, i, CEC_TOKEN_NUMBER))
		return psprintf("Write extract(year FROM %s) %s %s.", column->name, is_not ? "<>" : "=",
						cec_token_text(tokens, i, i));
	while (cec_token_is(tokens, last + 1, ", or and") && cec_token_is_value(tokens, last + 2))
		last += 2;
	if (last > i)
	{
		char *hint = list_hint(tokens, tokens->token[i].begin);

		if (hint != NULL)
			return hint;
	}
	return psprintf("Write %s %sIN (%s).", cec_token_operand_text(tokens, end), is_not ? "NOT " : "",
					cec_token_text(tokens, i, i));
}

/* A comparison that has nothing on its left, at token i. */
static char *
left_hint(const CecTokens *tokens, int i)
{
	int before = i - 2;
	int last = cec_token_part_end(tokens, i);

	while (before > 0 && !cec_token_is_comparison(tokens, before))
		before--;
	if (!cec_token_is_comparison(tokens, before) || before == 0)
		return psprintf("A column stands before it: country %s.", cec_token_text(tokens, i, last));
	return psprintf("Each comparison names its column: %s %s.", cec_token_operand_text(tokens, before),
					cec_token_text(tokens, i, last));
}

/* For what the grammar does not take, at token i. */
const char *
cec_hint_syntax(const CecTokens *tokens, int i)
{
	char *hint;

	if (tokens->count > 0 && tokens->token[tokens->count - 1].kind == CEC_TOKEN_OPEN)
		return "A quote is open. A text stands between two of them, 'DE'; one within it is written twice, 'L''Aquila'.";
	if (has_curly_quote(tokens))
		return "Quotes are straight ones: 'DE'.";
	for (int j = i; j >= i - 2; j--)
		if (is_quantity(tokens, j))
			return quantity_hint(tokens, j);
	if (cec_token_is(tokens, i, ";"))
		return "Leave the semicolon out: a condition is one expression.";
	if (cec_token_is(tokens, i, "{ }"))
		return "JSON stands in single quotes: attributes @> '{\"key\": \"value\"}'.";
	if (cec_token_is(tokens, i, "select from where order group"))
		return "A condition is what would stand behind WHERE, and nothing else.";
	if (cec_token_is(tokens, 0, "if"))
		return "Leave IF and THEN out, or write CASE WHEN country = 'DE' THEN age_years < 10 ELSE false END.";
	if (cec_token_is(tokens, i - 1, "in"))
	{
		hint = in_hint(tokens, i);
		if (hint != NULL)
			return hint;
	}
	if (cec_token_is(tokens, i - 1, "is") || (cec_token_is(tokens, i - 1, "not") && cec_token_is(tokens, i - 2, "is")))
		return is_hint(tokens, i);
	if (cec_token_is(tokens, i, "and or") && (i == 0 || cec_token_is(tokens, i - 1, "and or")))
		return psprintf("Write one %s between two comparisons: country = 'DE' %s age_years < 10.",
						cec_token_capitals(cec_token_text(tokens, i, i)),
						cec_token_capitals(cec_token_text(tokens, i, i)));
	if (cec_token_is_comparison(tokens, i) && (i == 0 || cec_token_is(tokens, i - 1, "and or (")))
		return left_hint(tokens, i);
	for (int j = i; j >= i - 2; j--)
	{
		hint = word_hint(tokens, j);
		if (hint != NULL)
			return hint;
	}
	if (cec_token_is_comparison(tokens, i))
	{
		hint = joined_hint(tokens, i);
		if (hint != NULL)
			return hint;
	}
	if (cec_token_is_kind(tokens, i, CEC_TOKEN_NUMBER) && cec_token_is_kind(tokens, i + 1, CEC_TOKEN_WORD) &&
		tokens->token[i].end == tokens->token[i + 1].begin)
		return psprintf("A number stands without its unit: %s.", cec_token_text(tokens, i, i));
	return "A comparison is a column, an operator and a value; several are joined by AND or OR: country = 'DE' AND "
		   "age_years < 10.";
}

/* For a name behind the expression, which the grammar takes for the name of its result. */
const char *
cec_hint_behind(const CecCompile *compile)
{
	CecTokens tokens = cec_tokens(compile->text, compile->speaker);
	int last = tokens.count - 1;
	const CecColumn *column = cec_hint_column(&tokens, last - 1);

	if (cec_token_is(&tokens, last - 1, "as"))
		return "Write the expression alone.";
	if (has_curly_quote(&tokens))
		return "Quotes are straight ones: 'DE'.";
	if (is_quantity(&tokens, last - 1))
		return quantity_hint(&tokens, last - 1);
	if (column != NULL && column->type == TEXTOID)
		return psprintf("An operator is missing: %s = '%s'.", column->name, cec_token_text(&tokens, last, last));
	return psprintf("Leave %s out, or join another comparison by AND or OR.", cec_token_text(&tokens, last, last));
}
