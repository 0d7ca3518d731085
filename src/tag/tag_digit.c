/*
 * tag_digit.c
 *		cec.check_digit: check characters of identifiers.
 *
 * gs1			digits, modulo 10 with weights 3 and 1 from the right (GS1 General Specifications 7.9)
 * mod37_36		digits and capital letters, ISO/IEC 7064 MOD 37,36
 * eic			15 digits, capital letters and hyphens, modulo 37 with weights 16 to 2 (ENTSO-E, EIC reference manual).  The
 *				check character is never a hyphen: where it would be, there is no such code.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "support/compat.h"
#include "tag/tag.h"

PG_FUNCTION_INFO_V1(cec_check_digit);

#define EIC_LENGTH 15

static const char characters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-";

/* What a character counts, if it is one of the first so many; else -1. */
static int
value_of(char c, int base)
{
	const char *found = c == '\0' ? NULL : strchr(characters, c);

	return found == NULL || found - characters >= base ? -1 : (int) (found - characters);
}

static bool
are_all_below(const char *value, int len, int base)
{
	for (int i = 0; i < len; i++)
		if (value_of(value[i], base) < 0)
			return false;
	return len > 0;
}

/* Of digits. */
char
cec_gs1_check_digit(const char *digits, int len)
{
	int sum = 0;

	for (int i = 0; i < len; i++)
		sum = (sum + (digits[len - 1 - i] - '0') * (i % 2 == 0 ? 3 : 1)) % 10;
	return characters[(10 - sum) % 10];
}

static char
gs1(const char *value, int len)
{
	return are_all_below(value, len, 10) ? cec_gs1_check_digit(value, len) : '\0';
}

static char
mod37_36(const char *value, int len)
{
	int product = 36;

	if (!are_all_below(value, len, 36))
		return '\0';
	for (int i = 0; i < len; i++)
	{
		int sum = (product + value_of(value[i], 36)) % 36;

		product = (sum == 0 ? 36 : sum) * 2 % 37;
	}
	return characters[(37 - product) % 36];
}

static char
eic(const char *value, int len)
{
	int sum = 0;
	int check;

	if (len != EIC_LENGTH || !are_all_below(value, len, 37))
		return '\0';
	for (int i = 0; i < len; i++)
		sum += value_of(value[i], 37) * (EIC_LENGTH + 1 - i);
	check = 36 - (sum + 36) % 37;
	return check == 36 ? '\0' : characters[check];
}

static const struct
{
	const char *name;
	char (*check)(const char *value, int len); /* 0 where there is none */
} schemes[] = {{"gs1", gs1}, {"mod37_36", mod37_36}, {"eic", eic}};

/* cec.check_digit(scheme, value): the check character, or NULL where the value has none. */
Datum
cec_check_digit(PG_FUNCTION_ARGS)
{
	char *scheme = text_to_cstring(PG_GETARG_TEXT_PP(0));
	text *value = PG_GETARG_TEXT_PP(1);

	for (int i = 0; i < lengthof(schemes); i++)
		if (strcmp(scheme, schemes[i].name) == 0)
		{
			char check = schemes[i].check(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));

			if (check == '\0')
				PG_RETURN_NULL();
			PG_RETURN_TEXT_P(cstring_to_text_with_len(&check, 1));
		}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("scheme \"%s\" is not known", scheme),
					errdetail("It is one of: gs1, mod37_36, eic."), errhint("Write one of these words.")));
}
