/*
 * inclusion_rows.c
 *		Reads the rows of a list that was given as JSON, and refuses those that are none.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "inclusion/inclusion_check.h"

/* Characters of what was given that a message repeats. */
#define SHOWN 40

enum
{
	IDENTIFIER,
	FIRST_DAY,
	LAST_DAY,
	EFFECT,
	NOTE,
	FIELDS
};

static const char *const fields[FIELDS] = {"identifier", "first_day", "last_day", "effect", "note"};

/* What a row gives. */
typedef struct Given
{
	char *texts[FIELDS]; /* NULL: nothing, or null */
	bool is_word;		 /* the identifier is a text or a number */
	char *unknown_key;	 /* the first in the order of bytes */
} Given;

/* A value as the operator ->> says it. */
static char *
text_of(JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		case jbvBinary:
			return JsonbToCString(NULL, value->val.binary.data, value->val.binary.len);
		default:
			return NULL;
	}
}

static int
find_field(const char *key)
{
	for (int i = 0; i < FIELDS; i++)
		if (strcmp(key, fields[i]) == 0)
			return i;
	return FIELDS;
}

static Given
read_object(JsonbContainer *object)
{
	Given given = {0};
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue value;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char *key;
		int field;

		if (token != WJB_KEY)
			continue;
		key = text_of(&value);
		field = find_field(key);
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (field == IDENTIFIER)
			given.is_word = value.type == jbvString || value.type == jbvNumeric;
		if (field < FIELDS)
			given.texts[field] = text_of(&value);
		else if (given.unknown_key == NULL || strcmp(key, given.unknown_key) < 0)
			given.unknown_key = key;
	}
	return given;
}

static char *
shorten(char *text)
{
	text[pg_mbcharcliplen(text, strlen(text), SHOWN)] = '\0';
	return text;
}

/* Sets a day where one is given; false where that is none. */
static bool
read_day(const char *text, DateADT *day)
{
	return text == NULL || cec_day_read(text, strlen(text), day);
}

/* What is wrong with a row by itself, or NULL; its days are those of the term where it has none. */
static char *
read_days(const Given *given, CecDays *days)
{
	const char *first = given->texts[FIRST_DAY];
	const char *last = given->texts[LAST_DAY];
	DateADT last_day = 0;

	if (!read_day(first, &days->from))
		return psprintf("\"%s\" is not a day written as YYYY-MM-DD", shorten(pstrdup(first)));
	if (!read_day(last, &last_day))
		return psprintf("\"%s\" is not a day written as YYYY-MM-DD", shorten(pstrdup(last)));
	if (last != NULL)
		days->to = last_day + 1;
	if (first != NULL && last != NULL && days->from > last_day)
		return "the first day comes after the last day";
	return NULL;
}

static char *
find_malformed(const Given *given, CecDays *days)
{
	if (given->unknown_key != NULL)
		return psprintf("\"%s\" is not a key of a row", shorten(given->unknown_key));
	if (given->texts[IDENTIFIER] == NULL)
		return "a row names no asset";
	if (!given->is_word)
		return "an identifier is neither a text nor a number";
	return read_days(given, days);
}

static void
take_row(CecListCheck *check, CecListRow *row, JsonbValue *element)
{
	bool is_object = element->type == jbvBinary && JsonContainerIsObject(element->val.binary.data);
	Given given = {0};
	const char *effect;
	char *malformed;

	if (is_object)
		given = read_object(element->val.binary.data);
	row->identifier = given.texts[IDENTIFIER];
	row->note = given.texts[NOTE];
	row->days = check->days;
	effect = given.texts[EFFECT] == NULL ? "include" : given.texts[EFFECT];
	row->is_include = strcmp(effect, "include") == 0;
	malformed = is_object ? find_malformed(&given, &row->days) : "a row is not an object";
	row->is_malformed = malformed != NULL || (!row->is_include && strcmp(effect, "exclude") != 0);
	if (malformed != NULL)
		cec_list_refuse_row(row, ERRCODE_INVALID_PARAMETER_VALUE, NULL, pstrdup(malformed));
	else if (row->is_malformed)
		cec_list_refuse_row(
			row, ERRCODE_CHECK_VIOLATION, "inclusion_effect_known",
			psprintf("the effect \"%s\" is not known. It is include or exclude.", shorten(given.texts[EFFECT])));
}

/* The rows, in order; those that are none are refused.  The JSON is an array. */
void
cec_list_take_rows(CecListCheck *check, Jsonb *rows)
{
	JsonbIterator *iterator = JsonbIteratorInit(&rows->root);
	JsonbValue element;

	check->count = 0;
	check->rows = palloc_extended(Max(JB_ROOT_COUNT(rows), 1) * sizeof(CecListRow), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	(void) JsonbIteratorNext(&iterator, &element, true);
	while (JsonbIteratorNext(&iterator, &element, true) == WJB_ELEM)
	{
		CecListRow *row = &check->rows[check->count++];

		row->place = check->count;
		take_row(check, row, &element);
	}
}
