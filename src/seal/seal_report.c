/*
 * seal_report.c
 *		What verifying the log tells of: a row for each thing that is not as it was, some of them once only.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "seal/seal_erasure.h"
#include "seal/seal_report.h"

#define REPORT_COLUMNS 5

/* A line of the report; numbers may be CEC_NO_NUMBER. */
void
cec_verify_report(CecVerifier *verifier, const char *kind, int64 audit_id, int64 block_no, const char *table_name,
				  const char *format, ...)
{
	Datum values[REPORT_COLUMNS];
	bool isnull[REPORT_COLUMNS] = {0};
	StringInfoData detail;

	initStringInfo(&detail);
	for (;;)
	{
		va_list args;
		int needed;

		va_start(args, format);
		needed = appendStringInfoVA(&detail, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&detail, needed);
	}
	values[0] = CStringGetTextDatum(kind);
	values[1] = Int64GetDatum(audit_id);
	isnull[1] = audit_id == CEC_NO_NUMBER;
	values[2] = Int64GetDatum(block_no);
	isnull[2] = block_no == CEC_NO_NUMBER || block_no == CEC_UNSEALED;
	isnull[3] = table_name == NULL;
	values[3] = table_name != NULL ? CStringGetTextDatum(table_name) : (Datum) 0;
	values[4] = CStringGetTextDatum(detail.data);
	tuplestore_putvalues(verifier->result->setResult, verifier->result->setDesc, values, isnull);
	pfree(detail.data);
}

/* Adds a number to a list that lives as long as the verification. */
List *
cec_verify_note(CecVerifier *verifier, List *numbers, int64 number)
{
	MemoryContext old = MemoryContextSwitchTo(verifier->cxt);
	int64 *noted = palloc(sizeof(int64));

	*noted = number;
	numbers = lappend(numbers, noted);
	MemoryContextSwitchTo(old);
	return numbers;
}

/* Whether a number is in such a list. */
bool
cec_verify_noted(const List *numbers, int64 number)
{
	ListCell *cell;

	foreach (cell, numbers)
		if (*(int64 *) lfirst(cell) == number)
			return true;
	return false;
}

/* Tells of a block that was edited, once. */
void
cec_verify_block(CecVerifier *verifier, int64 block_no, const char *detail)
{
	if (cec_verify_noted(verifier->told, block_no))
		return;
	cec_verify_report(verifier, "EDITED", CEC_NO_NUMBER, block_no, "audit_block", "%s", detail);
	verifier->told = cec_verify_note(verifier, verifier->told, block_no);
}

/* Tells of a row that was erased lawfully. */
void
cec_verify_erased(CecVerifier *verifier, const CecSealedRow *row)
{
	char *told = cec_erasure_tell(verifier->portfolio, row->audit_id);

	cec_verify_report(verifier, "ERASED", row->audit_id, row->block_no, "audit_log", "%s", told != NULL ? told : "");
}
