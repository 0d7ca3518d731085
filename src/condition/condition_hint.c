/*
 * condition_hint.c
 *		What to write instead of a condition that is refused, made of its own words.
 *
 * What the server's parser says is mended in an error context callback: nothing here may raise. A hint shows a part that
 * would be accepted in the place of what stands there; test/rule/slips.sql checks each kind against that.
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_type_d.h"
#include "mb/pg_wchar.h"

#include "condition/condition_hint.h"

/* The column that a token names, or NULL. */
const CecColumn *
cec_hint_column(const CecTokens *tokens, int i)
{
	return cec_token_is_kind(tokens, i, CEC_TOKEN_WORD)
			   ? cec_column_named(cec_token_text(tokens, i, i), tokens->speaker)
			   : NULL;
}

bool
cec_hint_is_number(Oid type)
{
	return type == INT4OID || type == INT8OID || type == FLOAT8OID;
}

/* Whether somewhere a day is written without quotes: as 2019-01-31, which is a difference of numbers. */
static bool
has_bare_day(const char *text)
{
	bool is_quoted = false;

	for (const char *c = text; *c != '\0'; c++)
	{
		int len = 0;

		if (*c == '\'')
			is_quoted = !is_quoted;
		if (!is_quoted && isdigit((unsigned char) *c) && sscanf(c, "%*4[0-9]-%*2[0-9]-%*2[0-9]%n", &len) == 0 &&
			len > 0)
			return true;
	}
	return false;
}

/* The byte of a position, which is counted in characters from 1; the end when it is behind it. */
static int
byte_at(const char *text, int position)
{
	const char *c = text;

	while (--position > 0 && *c != '\0')
		c += pg_mblen(c);
	return c - text;
}

/* Says to what the server's parser says what people can do about it, in the words of conditions. */
void
cec_hint_parser(const CecCompile *compile, int position)
{
	CecTokens tokens;
	int i;

	if (!compile->is_parsing && !compile->is_analysing)
	{
		/* It is the input of an array that reads it. */
		if (geterrcode() == ERRCODE_INVALID_TEXT_REPRESENTATION)
			errhint("A list stands in braces, '{DE,AT}', or write IN ('DE', 'AT').");
		return;
	}
	tokens = cec_tokens(compile->text, compile->speaker);
	i = cec_token_at(&tokens, byte_at(compile->text, position));
	switch (geterrcode())
	{
		case ERRCODE_SYNTAX_ERROR:
			if (position > 0 && i == tokens.count && i > 0)
			{
				errmsg("the condition ends after %s", cec_token_text(&tokens, i - 1, i - 1));
				errhint("Something is missing after it, or a parenthesis or quote before it was not closed.");
			}
			else
				errhint("%s", cec_hint_syntax(&tokens, i));
			break;
		case ERRCODE_UNDEFINED_FUNCTION:
		case ERRCODE_AMBIGUOUS_FUNCTION:
			errhint("%s", has_bare_day(compile->text) ? "A day stands in single quotes: '2019-01-31'."
													  : cec_hint_type(&tokens, i));
			break;
		case ERRCODE_INVALID_DATETIME_FORMAT:
		case ERRCODE_DATETIME_FIELD_OVERFLOW:
			errhint("%s", cec_hint_time(&tokens, i));
			break;
		case ERRCODE_INVALID_TEXT_REPRESENTATION:
			errhint("%s", cec_hint_value(&tokens, i));
			break;
		case ERRCODE_DATATYPE_MISMATCH:
			errhint("%s", cec_hint_boolean(&tokens, i));
			break;
		default:
			break;
	}
}
