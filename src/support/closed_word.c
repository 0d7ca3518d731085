/*
 * closed_word.c
 *		What CHECK constraints call for columns that take one of a few words, a currency, or days: it says what they take.
 *
 * A CHECK is read anew by each statement, so its text is short, and the words are one constant.  As in refuse.c the table
 * comes first, and what is in its rows is told to those who may read all of it.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#include "act_as.h"

PG_FUNCTION_INFO_V1(cec_is_word);
PG_FUNCTION_INFO_V1(cec_is_currency);
PG_FUNCTION_INFO_V1(cec_require_days);

/* A word that differs in so many letters may have been meant. */
#define MAX_DISTANCE 2

/* "table.column" as the name of a constraint: table_column and an ending. */
static int
set_constraint(const char *column, const char *ending)
{
	char *name = psprintf("%s_%s", column, ending);

	*strchr(name, '.') = '_';
	return err_generic_string(PG_DIAG_CONSTRAINT_NAME, name);
}

/* The bare name behind "table.". */
static const char *
column_name(const char *column)
{
	const char *dot = strchr(column, '.');

	if (dot != NULL)
		return dot + 1;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is not table.column", column)));
	return NULL;
}

/* The next word of "one, two", and behind it; NULL after the last. */
static const char *
next_word(const char *from, int *len)
{
	while (*from == ',' || *from == ' ')
		from++;
	*len = strcspn(from, ",");
	return *len == 0 ? NULL : from;
}

static bool
is_one_of(const char *words, const char *value)
{
	int len;

	for (const char *word = words; (word = next_word(word, &len)) != NULL; word += len)
		if (strlen(value) == len && memcmp(word, value, len) == 0)
			return true;
	return false;
}

/* The word that may have been meant, or NULL: blanks and hyphens are read as underscores. */
static char *
near_word(const char *words, const char *value)
{
	char *folded = pstrdup(value);
	char *result = NULL;
	int distance = MAX_DISTANCE + 1;
	int len;

	if (strlen(value) > 40)
		return NULL;
	for (char *c = folded; *c != '\0'; c++)
		*c = *c == ' ' || *c == '-' ? '_' : pg_ascii_tolower((unsigned char) *c);
	for (const char *word = words; (word = next_word(word, &len)) != NULL; word += len)
	{
		int found = varstr_levenshtein_less_equal(folded, strlen(folded), word, len, 1, 1, 1, distance, true);

		if (found < distance && found <= len / 3)
		{
			distance = found;
			result = pnstrdup(word, len);
		}
	}
	return result;
}

/* cec.is_word(table_id, value, column, words): true, or 23514 for a word that the column, given as "table.column", does not take. */
Datum
cec_is_word(PG_FUNCTION_ARGS)
{
	char *value = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char *words = text_to_cstring(PG_GETARG_TEXT_PP(3));
	char *column;
	char *near;
	bool may_tell;

	if (is_one_of(words, value))
		PG_RETURN_BOOL(true);
	column = text_to_cstring(PG_GETARG_TEXT_PP(2));
	(void) column_name(column);
	may_tell = cec_may_read_all(GetUserId(), PG_GETARG_OID(0));
	near = may_tell ? near_word(words, value) : NULL;
	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
					may_tell ? errmsg("%s \"%.40s\" is not known", column_name(column), value)
							 : errmsg("the %s is not known", column_name(column)),
					errdetail("It is one of: %s.", words),
					near != NULL ? errhint("Perhaps \"%s\" was meant.", near) : errhint("Write one of these words."),
					set_constraint(column, "known")));
	PG_RETURN_NULL();
}

/* cec.is_currency(table_id, value, column): true, or 23514 for what has not the form of a currency. */
Datum
cec_is_currency(PG_FUNCTION_ARGS)
{
	char *value = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char *upper = pstrdup(value);
	char *column;
	bool may_tell;
	bool is_form = strlen(value) == 3;

	for (char *c = upper; *c != '\0'; c++)
	{
		*c = pg_ascii_toupper((unsigned char) *c);
		is_form = is_form && *c >= 'A' && *c <= 'Z';
	}
	if (is_form && strcmp(value, upper) == 0)
		PG_RETURN_BOOL(true);
	column = text_to_cstring(PG_GETARG_TEXT_PP(2));
	(void) column_name(column);
	may_tell = cec_may_read_all(GetUserId(), PG_GETARG_OID(0));
	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
					may_tell ? errmsg("\"%.40s\" is not a currency", value) : errmsg("what is given is not a currency"),
					errdetail("A currency is three capital letters of ISO 4217."),
					is_form && may_tell ? errhint("Perhaps %s was meant.", upper)
										: errhint("The euro is EUR, the US dollar USD."),
					set_constraint(column, "form")));
	PG_RETURN_NULL();
}

/* cec.require_days(): a row trigger WHEN its days are missing, before the server says less. */
Datum
cec_require_days(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("cec.require_days is a row trigger of tables with days")));
	ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
					errmsg("the days of a row of \"%s\" are missing", RelationGetRelationName(trigdata->tg_relation)),
					errdetail("Its column during is NULL, or was left out."),
					errhint("Write both ends, as in [2026-01-01,2026-12-31], or leave one open, as in [2026-01-01,)."),
					errtablecolname(trigdata->tg_relation, "during")));
	PG_RETURN_NULL();
}
