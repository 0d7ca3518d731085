/*
 * asset_value.c
 *		What an asset is worth: a JSON number, or a text that reads as one.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "registry/asset_value.h"

/* Digits before or behind the point of a text that reads as a number. */
#define MAX_DIGITS 100

/* More than this counts as none. */
#define MOST "1e200"

PG_FUNCTION_INFO_V1(cec_asset_value);

typedef struct Text
{
	const char *at;
	const char *end;
} Text;

static void
skip_space(Text *text)
{
	while (text->at < text->end && (*text->at == ' ' || (*text->at >= '\t' && *text->at <= '\r')))
		text->at++;
}

static int
skip_digits(Text *text)
{
	const char *from = text->at;

	while (text->at < text->end && *text->at >= '0' && *text->at <= '9')
		text->at++;
	return text->at - from;
}

static bool
skip_one_of(Text *text, const char *characters)
{
	if (text->at == text->end || *text->at == '\0' || strchr(characters, *text->at) == NULL)
		return false;
	text->at++;
	return true;
}

/* [-+] digits [. digits] [e [-+] one or two digits], with white space around it. */
static bool
reads_as_number(Text text)
{
	int before;
	int behind = 0;

	skip_space(&text);
	skip_one_of(&text, "+-");
	before = skip_digits(&text);
	if (skip_one_of(&text, "."))
		behind = skip_digits(&text);
	if (before + behind == 0 || before > MAX_DIGITS || behind > MAX_DIGITS)
		return false;
	if (skip_one_of(&text, "eE"))
	{
		int exponent;

		skip_one_of(&text, "+-");
		exponent = skip_digits(&text);
		if (exponent == 0 || exponent > 2)
			return false;
	}
	skip_space(&text);
	return text.at == text.end;
}

/*
 * JSON knows numbers of a hundred thousand digits: two of them have no sum.  Nothing is worth as much as that, so none of a text that
 * reads as a number is so large either.
 */
static bool
can_be_summed(Numeric number)
{
	static Numeric most = NULL;
	Datum magnitude = DirectFunctionCall1(numeric_abs, NumericGetDatum(number));

	if (most == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		most = DatumGetNumeric(
			DirectFunctionCall3(numeric_in, CStringGetDatum(MOST), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
		MemoryContextSwitchTo(old);
	}
	return DatumGetBool(DirectFunctionCall2(numeric_le, magnitude, NumericGetDatum(most)));
}

/* The value in the current memory context; NULL where there is none. */
Numeric
cec_asset_worth(Jsonb *attributes, const char *key, int length)
{
	JsonbValue *found;
	JsonbValue place;
	char *number;
	Datum value;

	if (!JB_ROOT_IS_OBJECT(attributes) || JB_ROOT_COUNT(attributes) == 0)
		return NULL;
	found = getKeyJsonValueFromContainer(&attributes->root, key, length, &place);
	if (found == NULL)
		return NULL;
	if (found->type == jbvNumeric)
		return can_be_summed(found->val.numeric) ? found->val.numeric : NULL;
	if (found->type != jbvString ||
		!reads_as_number((Text){found->val.string.val, found->val.string.val + found->val.string.len}))
		return NULL;
	number = pnstrdup(found->val.string.val, found->val.string.len);
	value = DirectFunctionCall3(numeric_in, CStringGetDatum(number), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	pfree(number);
	return DatumGetNumeric(value);
}

/* cec._asset_value(attributes, key): 0 where there is none. */
Datum
cec_asset_value(PG_FUNCTION_ARGS)
{
	text *key = PG_GETARG_TEXT_PP(1);
	Numeric worth = cec_asset_worth(PG_GETARG_JSONB_P(0), VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key));

	if (worth == NULL)
		return DirectFunctionCall1(int4_numeric, Int32GetDatum(0));
	PG_RETURN_DATUM(datumCopy(NumericGetDatum(worth), false, -1));
}
