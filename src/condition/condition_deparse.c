/*
 * condition_deparse.c
 *		Prints an expression over the fact row as SQL that every session reads alike.
 *
 * The server prints a text with a backslash as it would be read under standard_conforming_strings. Where that is off,
 * '\' would not end where it seems to, and what follows, typed by somebody, would be read as SQL that nobody checked. So
 * such texts become E'…' here, which is read alike under either setting.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/ruleutils.h"

#include "condition/condition_compile.h"

/* The end of what stands in quotes from here on; a doubled quote does not end it. */
static const char *
quoted_end(const char *from)
{
	char quote = *from;

	for (from++; *from != '\0'; from++)
	{
		if (*from == quote && from[1] == quote)
			from++;
		else if (*from == quote)
			return from + 1;
	}
	elog(ERROR, "a printed condition has an open quote");
}

/* Appends a text in quotes, as one that every session reads alike. */
static void
append_literal(StringInfo out, const char *from, const char *end)
{
	if (memchr(from, '\\', end - from) != NULL)
		appendStringInfoChar(out, 'E');
	for (; from < end; from++)
	{
		appendStringInfoChar(out, *from);
		if (*from == '\\')
			appendStringInfoChar(out, '\\');
	}
}

/* An expression as SQL: its columns bare, or behind "f."; under pinned settings (condition_compile.c). */
char *
cec_deparse(Oid fact_relation, Node *expr, bool with_prefix)
{
	const char *from = deparse_expression(expr, deparse_context_for("f", fact_relation), with_prefix, false);
	StringInfoData out;

	initStringInfo(&out);
	while (*from != '\0')
	{
		const char *end = from + 1;

		if (*from == '\'' || *from == '"')
			end = quoted_end(from);
		if (*from == '\'')
			append_literal(&out, from, end);
		else
			appendBinaryStringInfo(&out, from, end - from);
		from = end;
	}
	return out.data;
}
