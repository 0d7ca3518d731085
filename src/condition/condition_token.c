/*
 * condition_token.c
 *		The words of a condition, for hints alone: what is accepted is decided by the server's grammar.
 *
 * All is done from an error context callback, for a text that may be anything: nothing here raises, and what is shown of
 * the text is a part of it, or nothing when that would be long.
 */
#include "postgres.h"

#include <ctype.h>

#include "condition/condition_token.h"

/* A hint repeats no more of the condition than so many bytes. */
#define MAX_SHOWN 120

#define COMPARISONS "= <> != < > <= >= == like ilike"

static bool
is_letter(char c)
{
	return isalpha((unsigned char) c) || c == '_' || IS_HIGHBIT_SET(c);
}

/* The end of what begins with a quote and ends with another one; doubled ones are part of it. */
static int
quoted_end(const char *text, int i, bool *is_open)
{
	char quote = text[i++];

	for (;; i++)
	{
		*is_open = text[i] == '\0';
		if (*is_open)
			return i;
		if (text[i] == quote && text[i + 1] == quote)
			i++;
		else if (text[i] == quote)
			return i + 1;
	}
}

/* Past blanks and comments. */
static int
skip_blanks(const char *text, int i)
{
	for (;;)
	{
		if (isspace((unsigned char) text[i]))
			i++;
		else if (text[i] == '-' && text[i + 1] == '-')
			i += strcspn(text + i, "\n");
		else if (text[i] == '/' && text[i + 1] == '*')
		{
			const char *end = strstr(text + i + 2, "*/");

			i = end == NULL ? strlen(text) : end + 2 - text;
		}
		else
			return i;
	}
}

/* The token that begins at a byte that is no blank. */
static CecToken
token_from(const char *text, int begin)
{
	static const char operators[] = "+-*/<>=~!@#%^&|`?:";
	CecToken token = {CEC_TOKEN_SYMBOL, begin, begin + 1};
	bool is_open = false;

	if (text[begin] == '\'')
	{
		token.end = quoted_end(text, begin, &is_open);
		token.kind = is_open ? CEC_TOKEN_OPEN : CEC_TOKEN_TEXT;
	}
	else if (text[begin] == '"')
	{
		token.end = quoted_end(text, begin, &is_open);
		token.kind = is_open ? CEC_TOKEN_OPEN : CEC_TOKEN_WORD;
	}
	else if (is_letter(text[begin]))
	{
		token.kind = CEC_TOKEN_WORD;
		while (is_letter(text[token.end]) || isdigit((unsigned char) text[token.end]) || text[token.end] == '$')
			token.end++;
	}
	else if (isdigit((unsigned char) text[begin]))
	{
		token.kind = CEC_TOKEN_NUMBER;
		while (isdigit((unsigned char) text[token.end]) || text[token.end] == '.')
			token.end++;
	}
	else
	{
		while (strchr(operators, text[begin]) != NULL && text[token.end] != '\0' &&
			   strchr(operators, text[token.end]) != NULL && !(text[token.end] == '-' && text[token.end + 1] == '-'))
			token.end++;
	}
	return token;
}

/* All of a text, in the current memory context. */
CecTokens
cec_tokens(const char *text, CecSpeaker speaker)
{
	CecTokens tokens = {.text = text, .speaker = speaker, .token = palloc(sizeof(CecToken) * (strlen(text) + 1))};
	int i = skip_blanks(text, 0);

	while (text[i] != '\0')
	{
		tokens.token[tokens.count] = token_from(text, i);
		i = skip_blanks(text, tokens.token[tokens.count++].end);
	}
	return tokens;
}

/* The first token that ends behind a byte: there are count of them when none does. */
int
cec_token_at(const CecTokens *tokens, int location)
{
	int i = 0;

	while (i < tokens->count && tokens->token[i].end <= location)
		i++;
	return i;
}

/* Whether there is such a token, and it is one of some words, which stand between blanks and in small letters. */
bool
cec_token_is(const CecTokens *tokens, int i, const char *words)
{
	int len;

	if (i < 0 || i >= tokens->count)
		return false;
	len = tokens->token[i].end - tokens->token[i].begin;
	for (const char *word = words; *word != '\0'; word += strspn(word, " "))
	{
		int word_len = strcspn(word, " ");

		if (word_len == len && pg_strncasecmp(word, tokens->text + tokens->token[i].begin, len) == 0)
			return true;
		word += word_len;
	}
	return false;
}

bool
cec_token_is_kind(const CecTokens *tokens, int i, CecTokenKind kind)
{
	return i >= 0 && i < tokens->count && tokens->token[i].kind == kind;
}

/* Whether it is a text or a number. */
bool
cec_token_is_value(const CecTokens *tokens, int i)
{
	return cec_token_is_kind(tokens, i, CEC_TOKEN_TEXT) || cec_token_is_kind(tokens, i, CEC_TOKEN_NUMBER);
}

bool
cec_token_is_comparison(const CecTokens *tokens, int i)
{
	return cec_token_is(tokens, i, COMPARISONS);
}

/* The text from one token through another one, as it was typed; "…" when that is nothing, or long. */
char *
cec_token_text(const CecTokens *tokens, int first, int last)
{
	int begin;
	int end;

	if (first < 0 || last >= tokens->count || first > last)
		return pstrdup("…");
	begin = tokens->token[first].begin;
	end = tokens->token[last].end;
	return end - begin > MAX_SHOWN ? pstrdup("…") : pnstrdup(tokens->text + begin, end - begin);
}

/* The first token of the operand that ends before a token; that token itself when there is none. */
int
cec_token_operand(const CecTokens *tokens, int end)
{
	int depth = 0;
	int i = end;

	while (i > 0)
	{
		depth += cec_token_is(tokens, i - 1, ") ]");
		if (depth == 0 && (cec_token_is(tokens, i - 1, "( [ , and or not when then else case between in is") ||
						   cec_token_is_comparison(tokens, i - 1)))
			break;
		depth -= cec_token_is(tokens, i - 1, "( [");
		i--;
	}
	return i;
}

/* The last token of the part that begins with a token and that AND, OR, a comma or an outer parenthesis ends. */
int
cec_token_part_end(const CecTokens *tokens, int first)
{
	int depth = 0;
	bool is_between = false;
	int i;

	for (i = first; i < tokens->count; i++)
	{
		depth += cec_token_is(tokens, i, "( [");
		if (depth == 0 && cec_token_is(tokens, i, ") ] , ; or && || xor"))
			break;
		if (depth == 0 && cec_token_is(tokens, i, "and") && !is_between)
			break;
		if (depth == 0 && cec_token_is(tokens, i, "between and"))
			is_between = cec_token_is(tokens, i, "between");
		depth -= cec_token_is(tokens, i, ") ]");
	}
	return i - 1;
}

/* What is between the quotes of a text. */
char *
cec_token_inside(const CecTokens *tokens, int i)
{
	const CecToken *token = &tokens->token[i];

	return pnstrdup(tokens->text + token->begin + 1, Max(token->end - token->begin - 2, 0));
}

/* The operand that ends before a token, as it was typed. */
char *
cec_token_operand_text(const CecTokens *tokens, int end)
{
	return cec_token_text(tokens, cec_token_operand(tokens, end), end - 1);
}

/* A text in capitals: the text itself. */
char *
cec_token_capitals(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		*c = pg_ascii_toupper((unsigned char) *c);
	return text;
}
