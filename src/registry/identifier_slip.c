/*
 * identifier_slip.c
 *		Whether a registered name may be said to somebody who typed another one: how the two differ.
 *
 * Names that are numbers have neighbours: a digit more, less or other than it should be is as a rule another asset, not a
 * slip.  So nothing is said where the keys differ in digits alone, or where both names part their digits and do it in
 * different places, as B1-12 and B11-2 do.  A digit that was typed as a letter, or the reverse, is a slip; but a number is
 * no name with a letter, and a name that begins or ends with a letter is no number: T012345 and 1012345 are counted apart.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "registry/identifier_key.h"

PG_FUNCTION_INFO_V1(cec_identifier_may_mean_sql);

static bool
reads_as_digit(CecKeyChar at)
{
	return at.c >= '0' && at.c <= '9';
}

static bool
is_number(CecKeyChars name)
{
	for (int i = 0; i < name.count; i++)
		if (!reads_as_digit(name.chars[i]))
			return false;
	return true;
}

/* How many characters both keys begin with. */
static int
common_beginning(CecKeyChars one, CecKeyChars other)
{
	int count = 0;

	while (count < one.count && count < other.count && one.chars[count].c == other.chars[count].c)
		count++;
	return count;
}

/* How many characters both keys end with, behind those that they begin with. */
static int
common_end(CecKeyChars one, CecKeyChars other, int beginning)
{
	int most = Min(one.count, other.count) - beginning;
	int count = 0;

	while (count < most && one.chars[one.count - 1 - count].c == other.chars[other.count - 1 - count].c)
		count++;
	return count;
}

/* The same without one character. */
static CecKeyChars
leave_out(CecKeyChars from, int at)
{
	CecKeyChars result = {palloc(from.count * sizeof(CecKeyChar)), from.count - 1};

	memcpy(result.chars, from.chars, at * sizeof(CecKeyChar));
	memcpy(result.chars + at, from.chars + at + 1, (result.count - at) * sizeof(CecKeyChar));
	if (at < result.count)
		result.chars[at].is_apart |= from.chars[at].is_apart;
	return result;
}

static bool
is_between_digits(CecKeyChars name, int at)
{
	return name.chars[at - 1].is_digit && name.chars[at].is_digit;
}

/* Whether both names, of as many characters, part digits, and not in the same places. */
static bool
are_parted_otherwise(CecKeyChars one, CecKeyChars other)
{
	bool is_one_parted = false;
	bool is_other_parted = false;
	bool differ = false;

	for (int at = 1; at < one.count; at++)
	{
		/* What is a digit in one of them may be a letter in the other, typed for it. */
		if (!is_between_digits(one, at) && !is_between_digits(other, at))
			continue;
		is_one_parted |= one.chars[at].is_apart;
		is_other_parted |= other.chars[at].is_apart;
		differ |= one.chars[at].is_apart != other.chars[at].is_apart;
	}
	return is_one_parted && is_other_parted && differ;
}

/*
 * Whether the name may be what was meant: the keys are equal, or differ in one character exchanged, added or left out, or in
 * two neighbours that changed places; not in digits alone; a letter too many or for a digit stands among digits if the name
 * has nothing else; and both names part their digits alike, or one does not.
 */
bool
cec_identifier_may_mean(CecKeyChars typed, CecKeyChars name)
{
	int beginning = common_beginning(typed, name);
	int end = common_end(typed, name, beginning);
	int typed_rest = typed.count - beginning - end;
	int name_rest = name.count - beginning - end;
	CecKeyChar *t = typed.chars + beginning;
	CecKeyChar *n = name.chars + beginning;

	if (typed_rest + name_rest > 0 && (is_number(typed) || (is_number(name) && (beginning == 0 || end == 0))))
		return false;
	if (typed_rest == 1 && name_rest == 0)
	{
		if (reads_as_digit(t[0]))
			return false;
		typed = leave_out(typed, beginning);
	}
	else if (typed_rest == 0 && name_rest == 1)
	{
		if (reads_as_digit(n[0]))
			return false;
		name = leave_out(name, beginning);
	}
	else if (typed_rest == 1 && name_rest == 1)
	{
		if (reads_as_digit(t[0]) && reads_as_digit(n[0]))
			return false;
	}
	else if (typed_rest == 2 && name_rest == 2)
	{
		if (t[0].c != n[1].c || t[1].c != n[0].c || (reads_as_digit(t[0]) && reads_as_digit(t[1])))
			return false;
	}
	else if (typed_rest != 0 || name_rest != 0)
		return false;
	return !are_parted_otherwise(typed, name);
}

/* cec._identifier_may_mean(typed, name) */
Datum
cec_identifier_may_mean_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(cec_identifier_may_mean(cec_identifier_read(text_to_cstring(PG_GETARG_TEXT_PP(0))),
										   cec_identifier_read(text_to_cstring(PG_GETARG_TEXT_PP(1)))));
}
