/*
 * tag_code128.c
 *		How many symbols a tag takes in Code 128, put into its code sets by the rules of ISO/IEC 15417, annex E.
 *
 * The rules do not always find the shortest way, but they are what encoders follow: others would print a tag, or refuse it as
 * too long, where this says otherwise.
 */
#include "postgres.h"

#include "tag/tag.h"

typedef enum CharClass
{
	DIGIT,	 /* in all three sets, in C two of them in a symbol */
	NEUTRAL, /* in A and B */
	CONTROL, /* in A alone */
	LOWER	 /* in B alone */
} CharClass;

typedef enum CodeSet
{
	NO_SET,
	SET_A,
	SET_B,
	SET_C,
	SHIFT_A, /* one symbol for each character says that it is of the other set */
	SHIFT_B
} CodeSet;

/* Characters in a row that are of one class, and then of one set. */
typedef struct Run
{
	CharClass class;
	CodeSet set;
	int length;
} Run;

static CharClass
class_of(unsigned char c)
{
	if (c < ' ')
		return CONTROL;
	if (c >= '0' && c <= '9')
		return DIGIT;
	return c < '`' ? NEUTRAL : LOWER;
}

static int
find_runs(const char *tag, int len, Run *runs)
{
	int count = 0;

	for (int i = 0; i < len; i++)
	{
		CharClass class = class_of((unsigned char) tag[i]);

		if (count > 0 && runs[count - 1].class == class)
			runs[count - 1].length++;
		else
			runs[count++] = (Run){class, NO_SET, 1};
	}
	return count;
}

/* The set of a run; those before it have theirs. */
static CodeSet
choose_set(const Run *runs, int count, int i)
{
	const Run *run = &runs[i];
	CodeSet last = i == 0 ? NO_SET : runs[i - 1].set;
	bool is_in_a = last == SET_A || last == SHIFT_B;
	bool is_in_b = last == SET_B || last == SHIFT_A;

	if (run->class == DIGIT && (run->length >= 4 || (count == 1 && run->length == 2)))
		return SET_C;
	switch (run->class)
	{
		case CONTROL:
			return run->length == 1 && is_in_b ? SHIFT_A : SET_A;
		case LOWER:
			return run->length == 1 && is_in_a ? SHIFT_B : SET_B;
		default:
			if (is_in_a || is_in_b)
				return is_in_a ? SET_A : SET_B;
			return i + 1 < count && runs[i + 1].class == CONTROL ? SET_A : SET_B;
	}
}

static int
merge_runs(Run *runs, int count)
{
	int merged = 1;

	for (int i = 1; i < count; i++)
	{
		if (runs[i].set == runs[merged - 1].set)
			runs[merged - 1].length += runs[i].length;
		else
			runs[merged++] = runs[i];
	}
	return merged;
}

/* Digits come in pairs in set C: one too many goes to the run before it, of the first run to the one behind. */
static int
pair_digits(Run *runs, int count)
{
	if (runs[0].set == SET_C && runs[0].length % 2 == 1)
	{
		if (count == 1)
			runs[count++] = (Run){DIGIT, SET_B, 0};
		runs[0].length--;
		runs[1].length++;
	}
	for (int i = 1; i < count; i++)
		if (runs[i].set == SET_C && runs[i].length % 2 == 1)
		{
			runs[i].length--;
			runs[i - 1].length++;
		}
	return count;
}

/* Symbols between start and check character, of a tag of ASCII with 1 to CEC_TAG_LENGTH characters. */
int
cec_code128_symbols(const char *tag, int len)
{
	Run runs[CEC_TAG_LENGTH + 1] = {0};
	int count = find_runs(tag, len, runs);
	CodeSet last;
	int symbols = 0;

	for (int i = 0; i < count; i++)
		runs[i].set = choose_set(runs, count, i);
	count = pair_digits(runs, merge_runs(runs, count));
	last = runs[0].set;
	for (int i = 0; i < count; i++)
	{
		const Run *run = &runs[i];

		if (run->set == SHIFT_A || run->set == SHIFT_B)
		{
			symbols += 2 * run->length;
			continue;
		}
		symbols += (run->set == SET_C ? run->length / 2 : run->length) + (run->set != last);
		last = run->set;
	}
	return symbols;
}
