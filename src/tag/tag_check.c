/*
 * tag_check.c
 *		cec.check_tag: whether a tag can be printed in a bar code and reads back as the same bytes.
 *
 * What a symbology takes stands in the table below; test/real/tag.py proves it with programs that others print and read with
 * (src/tag/README.md).  Bytes beyond ASCII are in none: what a reader makes of them hangs on its settings.
 *
 * A tag of gs1-128 is one element string without brackets: the application identifier 8004 (GIAI, an individual asset) or 8003
 * (GRAI, a returnable one), and its data.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "tag/tag.h"

PG_FUNCTION_INFO_V1(cec_check_tag);

#define GIAI "8004"
#define GRAI "8003"
#define AI_LENGTH 4
#define MAX_GIAI 30
#define GRAI_DIGITS 14
#define MAX_GRAI_SERIAL 16

/* What is wrong with a tag: where, counted from 1, and why. */
typedef struct Offence
{
	int place;
	char *message; /* NULL: nothing */
} Offence;

typedef struct Symbology
{
	const char *name;
	bool (*has)(char c);						/* whether it can hold a character of ASCII; NULL: any */
	int (*symbols)(const char *tag, int len);	/* that a tag takes; NULL: there is room for any */
	int most;									/* of them */
	Offence (*check)(const char *tag, int len); /* what else must be; NULL: nothing */
	char *(*normalise)(char *tag);				/* the tag as it was perhaps meant; NULL: as it is */
} Symbology;

/* Of Code 39, and of Code 93 in one symbol. */
static bool
is_code39(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c != '\0' && strchr(" -.$/+%", c) != NULL);
}

/* Of the character set 82 of GS1. */
static bool
is_gs1(char c)
{
	return (c >= '%' && c <= '?') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '!' || c == '"' ||
		   c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
characters(const char *tag, int len)
{
	return len;
}

/* Code 93 writes what it does not have with a shift before it. */
static int
code93_symbols(const char *tag, int len)
{
	int symbols = 0;

	for (int i = 0; i < len; i++)
		symbols += is_code39(tag[i]) ? 1 : 2;
	return symbols;
}

static Offence
offence(int place, char *message)
{
	return (Offence){place, message};
}

static Offence
check_giai(const char *data, int len)
{
	for (int i = 0; i < 2; i++)
		if (i >= len || !is_digit(data[i]))
			return offence(i + 1, "the data of 8004 must begin with the digits of a company prefix");
	if (len > MAX_GIAI)
		return offence(MAX_GIAI + 1, psprintf("the data of 8004 have at most %d characters", MAX_GIAI));
	return offence(0, NULL);
}

static Offence
check_grai(const char *data, int len)
{
	char check;

	if (len == 0 || data[0] != '0')
		return offence(1, "the data of 8003 must begin with 0");
	for (int i = 1; i < GRAI_DIGITS; i++)
		if (i >= len || !is_digit(data[i]))
			return offence(i + 1,
						   psprintf("the data of 8003 must begin with %d digits, of which the last is a check digit",
									GRAI_DIGITS));
	check = cec_gs1_check_digit(data, GRAI_DIGITS - 1);
	if (data[GRAI_DIGITS - 1] != check)
		return offence(GRAI_DIGITS, psprintf("the check digit must be %c", check));
	if (len > GRAI_DIGITS + MAX_GRAI_SERIAL)
		return offence(GRAI_DIGITS + MAX_GRAI_SERIAL + 1,
					   psprintf("the data of 8003 have at most %d characters", GRAI_DIGITS + MAX_GRAI_SERIAL));
	return offence(0, NULL);
}

static Offence
check_element_string(const char *tag, int len)
{
	bool is_giai = strncmp(tag, GIAI, AI_LENGTH) == 0;
	Offence found;
	int place = 0;

	if (!is_giai && strncmp(tag, GRAI, AI_LENGTH) != 0)
	{
		while (tag[place] == GIAI[place])
			place++;
		return offence(place + 1, "a tag of gs1-128 must begin with 8004 (GIAI) or 8003 (GRAI)");
	}
	found = is_giai ? check_giai(tag + AI_LENGTH, len - AI_LENGTH) : check_grai(tag + AI_LENGTH, len - AI_LENGTH);
	return offence(found.place + AI_LENGTH, found.message);
}

static char *
in_capitals(char *tag)
{
	for (char *c = tag; *c != '\0'; c++)
		*c = pg_ascii_toupper((unsigned char) *c);
	return tag;
}

/* Without what is printed below a bar code to set the application identifier off. */
static char *
without_brackets(char *tag)
{
	int len = strlen(tag);

	if (len > AI_LENGTH + 1 &&
		((tag[0] == '(' && tag[AI_LENGTH + 1] == ')') || (tag[0] == '[' && tag[AI_LENGTH + 1] == ']')))
	{
		memmove(tag, tag + 1, AI_LENGTH);
		memmove(tag + AI_LENGTH, tag + AI_LENGTH + 2, len - AI_LENGTH - 1);
	}
	return tag;
}

/* The limits of Code 39, 93 and 128 are those of encoders: longer ones are too wide to be read. */
static const Symbology symbologies[] = {
	{"code39", is_code39, characters, 85, NULL, in_capitals},
	{"code93", NULL, code93_symbols, 107, NULL, NULL},
	{"code128", NULL, cec_code128_symbols, 60, NULL, NULL},
	{"gs1-128", is_gs1, NULL, 0, check_element_string, without_brackets},
	{"datamatrix", NULL, NULL, 0, NULL, NULL},
	{"qr", NULL, NULL, 0, NULL, NULL},
};

static const Symbology *
find_symbology(const char *name)
{
	StringInfoData all;

	for (int i = 0; i < lengthof(symbologies); i++)
		if (strcmp(name, symbologies[i].name) == 0)
			return &symbologies[i];
	initStringInfo(&all);
	for (int i = 0; i < lengthof(symbologies); i++)
		appendStringInfo(&all, "%s%s", i == 0 ? "" : ", ", symbologies[i].name);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("symbology \"%s\" is not known", name),
					errdetail("It is one of: %s.", all.data), errhint("Write one of these words.")));
}

/* A character for messages. */
static char *
in_words(const char *c)
{
	if (*c > ' ' && *c <= '~')
		return psprintf("\"%c\"", *c);
	if (*c == ' ')
		return "a space";
	if (IS_HIGHBIT_SET(*c))
		return psprintf("\"%.*s\"", pg_mblen(c), c);
	return psprintf("the control character %d", *c);
}

/* The first character that no tag of the symbology has; without a message and behind the end where there is none. */
static Offence
find_character(const Symbology *symbology, const char *tag, int len)
{
	for (int i = 0; i < len; i++)
	{
		if (IS_HIGHBIT_SET(tag[i]))
			return offence(i + 1,
						   psprintf("%s is not ASCII, and readers differ in what they make of it", in_words(&tag[i])));
		if (symbology->has != NULL && !symbology->has(tag[i]))
			return offence(i + 1, psprintf("%s cannot hold %s", symbology->name, in_words(&tag[i])));
		if (i == CEC_TAG_LENGTH)
			return offence(i + 1, psprintf("a tag has at most %d characters", CEC_TAG_LENGTH));
	}
	return offence(len + 1, NULL);
}

/* The same, or the first one before it that there is no room for. */
static Offence
check_characters(const Symbology *symbology, const char *tag, int len)
{
	Offence found = find_character(symbology, tag, len);
	int fit = found.place - 1;

	if (fit == 0 || symbology->symbols == NULL || symbology->symbols(tag, fit) <= symbology->most)
		return found;
	while (symbology->symbols(tag, --fit) > symbology->most)
		;
	return offence(fit + 1, psprintf("%s has room for %d symbols", symbology->name, symbology->most));
}

static Offence
check(const Symbology *symbology, const char *tag)
{
	int len = strlen(tag);
	Offence found;

	if (len == 0)
		return offence(1, "the tag is empty");
	found = check_characters(symbology, tag, len);
	if (found.message == NULL && symbology->check != NULL)
		found = symbology->check(tag, len);
	return found;
}

/* The tag if it is scannable, else what it was perhaps meant to be if that is; NULL otherwise. */
static char *
normal_form(const Symbology *symbology, const char *tag)
{
	const char *end = tag + strlen(tag);
	char *form;

	while (*tag == ' ')
		tag++;
	while (end > tag && end[-1] == ' ')
		end--;
	form = pnstrdup(tag, end - tag);
	if (symbology->normalise != NULL)
		form = symbology->normalise(form);
	return check(symbology, form).message == NULL ? form : NULL;
}

/* Why a tag cannot be printed in the symbology and read back as the same bytes; NULL: it can. */
char *
cec_tag_offence(const char *tag, const char *symbology)
{
	return check(find_symbology(symbology), tag).message;
}

/* Whether a tag can be printed in the symbology and reads back as the same bytes. */
bool
cec_tag_is_scannable(const char *tag, const char *symbology)
{
	return check(find_symbology(symbology), tag).message == NULL;
}

/* cec.check_tag(tag, symbology): is_scannable, place, message, normal_form. */
Datum
cec_check_tag(PG_FUNCTION_ARGS)
{
	char *tag = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const Symbology *symbology = find_symbology(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	TupleDesc desc = fcinfo->flinfo->fn_extra;
	Offence found = check(symbology, tag);
	char *form = found.message == NULL ? tag : normal_form(symbology, tag);
	Datum values[4] = {0};
	bool isnull[4];

	if (desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		fcinfo->flinfo->fn_extra = BlessTupleDesc(desc);
		MemoryContextSwitchTo(old);
	}
	values[0] = BoolGetDatum(found.message == NULL);
	isnull[0] = false;
	values[1] = Int32GetDatum(found.place);
	isnull[1] = isnull[2] = found.message == NULL;
	if (!isnull[2])
		values[2] = CStringGetTextDatum(found.message);
	isnull[3] = form == NULL;
	if (!isnull[3])
		values[3] = CStringGetTextDatum(form);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, isnull)));
}
