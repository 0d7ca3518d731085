/*
 * identifier_key.c
 *		cec.identifier_key: the form in which people confuse identifiers.
 *
 * Full-width forms become ASCII and ASCII letters capital; white space, hyphens, dashes and dots are dropped; then O reads
 * as 0, I and L as 1.  All else is kept.  Indexes of portfolios rest on this: a change of the rule needs them made anew.
 *
 * Who suggests a name looks closer than the key does: cec_identifier_read says of each character of the key how it was
 * written, and what was dropped before it.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "registry/identifier_key.h"

PG_FUNCTION_INFO_V1(cec_identifier_key);

/* Unicode's White_Space. */
static bool
is_space(pg_wchar c)
{
	return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
		   (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

static bool
is_dash(pg_wchar c)
{
	return c == 0x2D || (c >= 0x2010 && c <= 0x2015) || c == 0x2212;
}

/* Full-width forms as ASCII. */
static pg_wchar
narrow(pg_wchar c)
{
	return c >= 0xFF01 && c <= 0xFF5E ? c - (0xFF01 - 0x21) : c;
}

/* What a character stands for in a key; 0 when it is dropped. */
static pg_wchar
fold(pg_wchar c)
{
	c = narrow(c);
	if (c >= 'a' && c <= 'z')
		c -= 'a' - 'A';
	if (is_space(c) || is_dash(c) || c == '.')
		return 0;
	return c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
}

/* The character that begins at from, and its width in bytes. */
static pg_wchar
read_utf8(const unsigned char *from, const unsigned char *end, int *width)
{
	*width = Min(pg_utf_mblen(from), (int) (end - from));
	return *width == 1 ? *from : utf8_to_unicode(from);
}

/* As fold; a byte that is no character by itself stays. */
static pg_wchar
fold_char(pg_wchar c, int width)
{
	return width == 1 && c >= 0x80 ? c : fold(c);
}

/* Folds a text of ASCII or UTF-8 in place and returns its new length; no character gets longer by it. */
static int
fold_utf8(char *text, int len)
{
	unsigned char *to = (unsigned char *) text;
	const unsigned char *from = (const unsigned char *) text;
	const unsigned char *end = from + len;

	while (from < end)
	{
		int width;
		pg_wchar c = read_utf8(from, end, &width);
		pg_wchar folded = fold_char(c, width);

		if (folded == c)
		{
			memmove(to, from, width);
			to += width;
		}
		else if (folded != 0)
			*to++ = folded;
		from += width;
	}
	return to - (unsigned char *) text;
}

/* The key of an identifier with how it was written, in the caller's context. */
CecKeyChars
cec_identifier_read(const char *value)
{
	int len = strlen(value);
	const char *utf8 = pg_server_to_any(value, len, PG_UTF8);
	const unsigned char *from = (const unsigned char *) utf8;
	const unsigned char *end = from + (utf8 == value ? len : (int) strlen(utf8));
	int space = 64;
	CecKeyChars result = {palloc(space * sizeof(CecKeyChar)), 0};
	bool is_apart = false;

	while (from < end)
	{
		int width;
		pg_wchar c = read_utf8(from, end, &width);
		pg_wchar folded = fold_char(c, width);

		from += width;
		if (result.count == space)
			result.chars = repalloc_huge(result.chars, (space *= 2) * sizeof(CecKeyChar));
		if (folded != 0)
			result.chars[result.count++] = (CecKeyChar){folded, narrow(c) >= '0' && narrow(c) <= '9', is_apart};
		is_apart = folded == 0;
	}
	return result;
}

/* The key of an identifier, or NULL when nothing is left of it; a text of its own. */
text *
cec_identifier_key_of(const text *value)
{
	int len = VARSIZE_ANY_EXHDR(value);
	char *copy = pnstrdup(VARDATA_ANY(value), len);
	char *utf8 = pg_server_to_any(copy, len, PG_UTF8);
	char *folded;
	text *result;

	len = fold_utf8(utf8, utf8 == copy ? len : (int) strlen(utf8));
	utf8[len] = '\0';
	folded = pg_any_to_server(utf8, len, PG_UTF8);
	result = len == 0 ? NULL : cstring_to_text(folded);
	pfree(copy);
	return result;
}

/* cec.identifier_key(value) */
Datum
cec_identifier_key(PG_FUNCTION_ARGS)
{
	text *result = cec_identifier_key_of(PG_GETARG_TEXT_PP(0));

	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}
