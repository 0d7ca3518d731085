/*
 * amendment_guard.c
 *		Who may write what of amendments: drafts anybody who may write the table, all else functions of the engine.
 *
 * What a draft came to, who asked for it, who approved it and when it took effect is written by functions alone, and known to be
 * theirs by what they are doing (portfolio/own_work.c).  The lines of an amendment that is no draft stay as they are.  Keys stay,
 * too: by them the log says who wrote an amendment and its lines (amendment_writers.c).
 *
 * Locks.  Whoever changes lines locks their amendments FOR SHARE, before anything else of the statement: whoever submits one
 * updates it, and so waits for lines that are being written, and these for him.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "init.h"
#include "audit/audit.h"
#include "portfolio/change.h"
#include "portfolio/own_work.h"
#include "support/column.h"
#include "support/slot.h"
#include "support/word.h"

static const CecQuery lock_amendments = {
	"WITH locked AS MATERIALIZED ("
	"  SELECT amendment_id, status FROM @P@.amendment WHERE amendment_id = ANY ($1) ORDER BY amendment_id FOR SHARE)"
	" SELECT amendment_id, status FROM locked WHERE status <> 'draft' ORDER BY amendment_id LIMIT 1",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, TEXTOID}};

/* What functions write, beside the status. */
static const char *const written_by_functions[] = {"status",	  "requested_by", "approved_at",
												   "approved_by", "applied_at",	  "is_direct"};

static void
refuse(CecChange *change, const char *constraint, const char *message, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("%s", message), errhint("%s", hint),
					errtableconstraint(change->rel, constraint)));
}

static bool
is_draft(CecChange *change, TupleTableSlot *row)
{
	return cec_word_is(cec_slot_value(row, cec_column_require(change->rel, "status", TEXTOID)), "draft");
}

/* A draft that nobody has done anything with yet, asked for by whoever writes it. */
static bool
is_fresh(CecChange *change, TupleTableSlot *row)
{
	char *requester =
		TextDatumGetCString(cec_slot_value(row, cec_column_require(change->rel, "requested_by", TEXTOID)));

	return is_draft(change, row) &&
		   cec_slot_isnull(row, cec_column_require_nullable(change->rel, "approved_at", TIMESTAMPTZOID)) &&
		   cec_slot_isnull(row, cec_column_require_nullable(change->rel, "approved_by", TEXTOID)) &&
		   cec_slot_isnull(row, cec_column_require_nullable(change->rel, "applied_at", TIMESTAMPTZOID)) &&
		   !DatumGetBool(cec_slot_value(row, cec_column_require(change->rel, "is_direct", BOOLOID))) &&
		   (strcmp(requester, GetUserNameFromId(GetSessionUserId(), false)) == 0 ||
			strcmp(requester, cec_audit_actor()) == 0);
}

static void
refuse_unless_draft(CecChange *change, TupleTableSlot *row)
{
	if (!is_draft(change, row))
		refuse(
			change, "amendment_frozen", "an amendment that is no draft cannot be changed or deleted",
			"reopen_amendment makes it a draft again, unless it is applied or cancelled; cancel_amendment drops it.");
}

/* A row may come and go, but not become another one. */
static void
refuse_another_key(CecChange *change, CecRows *rows, const char *key, const char *constraint, const char *message,
				   const char *hint)
{
	if (rows->old_row != NULL && rows->new_row != NULL && cec_rows_differ(change, rows, key))
		refuse(change, constraint, message, hint);
}

/* Handler for amendment. */
static void
guard_amendments(CecChange *change)
{
	const char *hint =
		"Insert a draft; submit_amendment, approve_amendment, apply_amendment, cancel_amendment and reopen_amendment do the rest.";
	CecRows rows;

	if (cec_own_work_is(change->portfolio, CEC_WORK_AMENDMENT))
		return;
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		if (rows.old_row != NULL)
			refuse_unless_draft(change, rows.old_row);
		if (rows.old_row == NULL && !is_fresh(change, rows.new_row))
			refuse(change, "amendment_written_by_functions",
				   "status, approval and requester of an amendment are written by functions", hint);
		refuse_another_key(change, &rows, "amendment_id", "amendment_key_stays",
						   "the key of an amendment cannot be changed",
						   "Draft another amendment, and delete or cancel this one.");
		for (int i = 0; rows.old_row != NULL && rows.new_row != NULL && i < lengthof(written_by_functions); i++)
			if (cec_rows_differ(change, &rows, written_by_functions[i]))
				refuse(change, "amendment_written_by_functions",
					   "status, approval and requester of an amendment are written by functions", hint);
	}
	cec_rows_end(&rows);
}

/* Handler for amendment_line. */
static void
guard_lines(CecChange *change)
{
	AttrNumber amendment_id;
	CecIds amendments = {0};
	CecRows rows;
	Datum arg;

	if (cec_own_work_is(change->portfolio, CEC_WORK_AMENDMENT))
		return;
	amendment_id = cec_column_require(change->rel, "amendment_id", INT8OID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		refuse_another_key(change, &rows, "line_id", "amendment_line_key_stays",
						   "the key of an amendment's line cannot be changed",
						   "Insert another line, and delete this one.");
		if (rows.old_row != NULL)
			cec_ids_add(&amendments, cec_slot_int8(rows.old_row, amendment_id));
		if (rows.new_row != NULL)
			cec_ids_add(&amendments, cec_slot_int8(rows.new_row, amendment_id));
	}
	cec_rows_end(&rows);
	if (amendments.count == 0)
		return;
	cec_ids_sort_unique(&amendments);
	arg = cec_ids_as_array(&amendments);
	SPI_connect();
	if (cec_query_run(change->portfolio->plans, &lock_amendments, &arg, NULL, 0) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION), errmsg("lines of an amendment that is no draft cannot be changed"),
				 errdetail("Amendment %s is %s.", SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
						   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2)),
				 errhint("reopen_amendment makes it a draft again, unless it is applied or cancelled."),
				 errtableconstraint(change->rel, "amendment_line_frozen")));
	SPI_finish();
}

/* Registers with the engine; called once when the library is loaded. */
void
cec_amendment_guard_init(void)
{
	cec_change_register(CEC_STAGE_DEFINE, "amendment", guard_amendments);
	cec_change_register(CEC_STAGE_DEFINE, "amendment_line", guard_lines);
}
