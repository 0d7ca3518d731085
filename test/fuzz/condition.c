/*
 * condition.c
 *		Feeds conditions that libFuzzer makes up to the compiler of conditions, inside a server; see test/bin/fuzz.
 *
 * Built into a module together with the code under test, which is instrumented. An input is fine when it is refused on
 * purpose, or when it compiles, its canonical form compiles to itself, and both rows are answered or refused as data.
 * Anything else aborts, and libFuzzer keeps the input.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "condition/condition.h"

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(fuzz_condition);

extern int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

static TupleTableSlot *rows[2]; /* one of NULLs, one that the caller gave */
static uint64 accepted;
static uint64 refused;

/* Errors that a condition may cause on purpose: constants and data, what is not there, limits. */
static bool
is_on_purpose(int sqlerrcode)
{
	int class = ERRCODE_TO_CATEGORY(sqlerrcode);

	return class == MAKE_SQLSTATE('4', '2', '0', '0', '0') || class == MAKE_SQLSTATE('0', 'A', '0', '0', '0') ||
		   class == MAKE_SQLSTATE('2', '2', '0', '0', '0') || class == MAKE_SQLSTATE('5', '4', '0', '0', '0');
}

/* Evaluates an expression for both rows. */
static void
answer(Expr *expr)
{
	ExprContext *econtext = CreateStandaloneExprContext();
	ExprState *state = ExecInitExpr(expression_planner(expr), NULL);

	for (int i = 0; i < lengthof(rows); i++)
	{
		bool is_null;

		econtext->ecxt_scantuple = rows[i];
		(void) ExecEvalExprSwitchContext(state, econtext, &is_null);
	}
	FreeExprContext(econtext, true);
}

/* What is done with one condition; raises what the condition causes. */
static void
try_condition(const char *text)
{
	CecCondition *condition = cec_condition_compile(text, CEC_SPEAKER_REGULATION);
	CecCondition *again;

	accepted++;
	/* The canonical form may be too long or complex. */
	if (strlen(condition->canonical) < CEC_CONDITION_MAX_BYTES / 2)
	{
		again = cec_condition_compile(condition->canonical, CEC_SPEAKER_REGULATION);
		if (strcmp(again->canonical, condition->canonical) != 0 || strcmp(again->sql, condition->sql) != 0 ||
			!bms_equal(again->facts, condition->facts) || again->depends_on_day != condition->depends_on_day)
		{
			fprintf(stderr, "%s\nis read again as\n%s\n", condition->canonical, again->canonical);
			abort();
		}
	}
	answer(condition->expr);
}

static int
try_input(const uint8_t *data, size_t size)
{
	static MemoryContext context = NULL;
	MemoryContext outer = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char *text;

	if (memchr(data, 0, size) != NULL || !pg_verify_mbstr(PG_UTF8, (const char *) data, size, true))
		return -1;
	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "fuzz", ALLOCSET_DEFAULT_SIZES);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	text = pnstrdup((const char *) data, size);
	PG_TRY();
	{
		try_condition(text);
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		refused++;
		if (!is_on_purpose(error->sqlerrcode))
		{
			fprintf(stderr, "%s: %s\n", unpack_sql_state(error->sqlerrcode), error->message);
			abort();
		}
	}
	PG_END_TRY();
	MemoryContextSwitchTo(outer);
	CurrentResourceOwner = owner;
	MemoryContextReset(context);
	return 0;
}

static void
report(void)
{
	fprintf(stderr, "conditions: %llu compiled, %llu refused\n", (unsigned long long) accepted, (unsigned long long) refused);
}

/* fuzz_condition(fact cec.rule_fact, options text[]): runs libFuzzer, which ends the process. */
Datum
fuzz_condition(PG_FUNCTION_ARGS)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(header), .t_data = header};
	Datum *options;
	int count;
	int argc = 0;
	char **argv;
	TupleDesc desc;

	cec_condition_init();
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &options, NULL, &count);
	argv = palloc0(sizeof(char *) * (count + 2));
	argv[argc++] = "fuzz";
	for (int i = 0; i < count; i++)
		argv[argc++] = TextDatumGetCString(options[i]);
	desc = cec_fact_descriptor();
	for (int i = 0; i < lengthof(rows); i++)
	{
		rows[i] = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
		ExecStoreAllNullTuple(rows[i]);
	}
	ExecClearTuple(rows[1]);
	heap_deform_tuple(&tuple, desc, rows[1]->tts_values, rows[1]->tts_isnull);
	ExecStoreVirtualTuple(rows[1]);
	atexit(report);
	(void) LLVMFuzzerRunDriver(&argc, &argv, try_input);
	PG_RETURN_VOID();
}
