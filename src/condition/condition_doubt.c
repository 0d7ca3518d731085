/*
 * condition_doubt.c
 *		Parts of a condition that are right and cannot mean what was meant: compared with a word that the column never has.
 *
 * They are told, not refused: a list of words may grow, and texts may well be compared as texts.
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_type_d.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "condition/condition_compile.h"
#include "registry/country.h"
#include "support/compat.h"

/* A notice repeats no more of a constant than so many bytes. */
#define MAX_SHOWN 40

typedef struct CecDoubt
{
	char *message;
	char *hint;
} CecDoubt;

typedef struct Search
{
	const CecCompile *compile;
	List *doubts; /* of CecDoubt */
} Search;

/* Adds what is not there yet: BETWEEN compares twice. */
static void
doubt(Search *search, char *message, char *hint)
{
	CecDoubt *added;
	ListCell *cell;

	foreach (cell, search->doubts)
		if (strcmp(((CecDoubt *) lfirst(cell))->message, message) == 0)
			return;
	added = palloc(sizeof(CecDoubt));
	added->message = message;
	added->hint = hint;
	search->doubts = lappend(search->doubts, added);
}

/* The text of a constant, or NULL. */
static char *
constant_text(Node *node)
{
	if (!IsA(node, Const) || ((Const *) node)->constisnull || ((Const *) node)->consttype != TEXTOID)
		return NULL;
	return TextDatumGetCString(((Const *) node)->constvalue);
}

/* A constant as a notice repeats it, in quotes. */
static char *
shown(const char *value)
{
	return quote_literal_cstr(pnstrdup(value, pg_mbcliplen(value, strlen(value), MAX_SHOWN)));
}

static bool
is_number(const char *value)
{
	size_t len;

	value += *value == '-' || *value == '+';
	len = strspn(value, "0123456789.");
	return isdigit((unsigned char) *value) && value[len] == '\0' && strchr(value, '.') == strrchr(value, '.');
}

/* Whether one of words, with commas between, is value. */
static bool
is_word(const char *words, const char *value)
{
	size_t len = strlen(value);

	for (const char *found = strstr(words, value); len > 0 && found != NULL; found = strstr(found + 1, value))
	{
		if ((found == words || found[-1] == ' ') && (found[len] == '\0' || found[len] == ','))
			return true;
	}
	return false;
}

/* A column that is compared with a value that it never has. */
static void
check_word(Search *search, Node *left, Node *right)
{
	char *value = constant_text(right);
	const CecColumn *column;
	const char *words;
	char *meant;

	if (!IsA(left, Var) || value == NULL)
		return;
	column = cec_column(((Var *) left)->varattno);
	words = cec_column_words(column->number);
	if (words != NULL && !is_word(words, value))
		doubt(search, psprintf("%s is never %s", column->name, shown(value)), psprintf("It is one of %s.", words));
	if ((column->number != CEC_FACT_COUNTRY && column->number != CEC_FACT_GOVERNING_COUNTRY) ||
		cec_country_is(value, strlen(value)))
		return;
	meant = cec_country_meant(value);
	doubt(search, psprintf("%s is never %s", column->name, shown(value)),
		  meant != NULL ? psprintf("Perhaps %s was meant.", quote_literal_cstr(meant))
						: pstrdup("Germany is 'DE'. The table cec.country lists the codes."));
}

/* A text that is compared by order with a number in quotes. */
static void
check_order(Search *search, const char *operator, Node * left, Node *right)
{
	bool is_right = constant_text(right) != NULL;
	char *value = constant_text(is_right ? right : left);
	char *other;

	if (value == NULL || !is_number(value))
		return;
	other = cec_deparse(search->compile->fact_relation, is_right ? left : right, false);
	other = *other == '(' ? psprintf("as_number%s", other) : psprintf("as_number(%s)", other);
	doubt(search, pstrdup("texts are compared letter by letter: '10' is less than '9'"),
		  is_right ? psprintf("For numbers write %s %s %s.", other, operator, value)
				   : psprintf("For numbers write %s %s %s.", value, operator, other));
}

/* A pattern of another language. */
static void
check_pattern(Search *search, Node *pattern)
{
	char *value = constant_text(pattern);
	char *message;

	if (value == NULL || strchr(value, '*') == NULL || strchr(value, '%') != NULL)
		return;
	message = psprintf("* in the pattern %s is that very character", shown(value));
	for (char *c = value; *c != '\0'; c++)
		if (*c == '*')
			*c = '%';
	doubt(search, message, psprintf("For any characters write %s.", shown(value)));
}

/* One comparison. */
static void
check_pair(Search *search, Oid operator, Node * left, Node *right)
{
	if (cec_compat_is_comparison(operator) &&
		((IsA(left, Const) && ((Const *) left)->constisnull) || (IsA(right, Const) && ((Const *) right)->constisnull)))
	{
		doubt(search, pstrdup("a comparison with NULL is never true"), pstrdup("Write IS NULL, or IS NOT NULL."));
		return;
	}
	switch (get_opcode(operator))
	{
		case F_TEXTEQ:
		case F_TEXTNE:
			check_word(search, left, right);
			check_word(search, right, left);
			break;
		case F_TEXT_LT:
		case F_TEXT_LE:
		case F_TEXT_GT:
		case F_TEXT_GE:
			check_order(search, get_opname(operator), left, right);
			break;
		case F_TEXTLIKE:
		case F_TEXTNLIKE:
		case F_TEXTICLIKE:
		case F_TEXTICNLIKE:
			check_pattern(search, right);
			break;
		default:
			break;
	}
}

static bool
doubt_walker(Node *node, Search *search)
{
	ListCell *cell;

	if (node == NULL)
		return false;
	if (IsA(node, OpExpr) && list_length(((OpExpr *) node)->args) == 2)
		check_pair(search, ((OpExpr *) node)->opno, linitial(((OpExpr *) node)->args),
				   lsecond(((OpExpr *) node)->args));
	if (IsA(node, ScalarArrayOpExpr) && IsA(lsecond(((ScalarArrayOpExpr *) node)->args), ArrayExpr))
	{
		/* a NULL among others is not all that it is compared with */
		foreach (cell, ((ArrayExpr *) lsecond(((ScalarArrayOpExpr *) node)->args))->elements)
			if (constant_text(lfirst(cell)) != NULL)
				check_pair(search, ((ScalarArrayOpExpr *) node)->opno, linitial(((ScalarArrayOpExpr *) node)->args),
						   lfirst(cell));
	}
	return expression_tree_walker(node, doubt_walker, search);
}

/* What is doubtful in an analysed condition. */
List *
cec_find_doubts(const CecCompile *compile, Node *expr)
{
	Search search = {.compile = compile};

	(void) doubt_walker(expr, &search);
	return search.doubts;
}

/* Tells it, by NOTICEs. */
void
cec_condition_tell_doubts(const CecCondition *condition)
{
	ListCell *cell;

	foreach (cell, condition->doubts)
	{
		CecDoubt *told = lfirst(cell);

		ereport(NOTICE, (errmsg("%s", told->message), errhint("%s", told->hint)));
	}
}
