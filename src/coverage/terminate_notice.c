/*
 * terminate_notice.c
 *		Tells whoever sets a contract to terminated, and leaves its days, that its assets stay covered.
 *
 * A terminated contract covers through its last day, as an active one: terminating is shortening its days.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "init.h"
#include "coverage/coverage.h"
#include "portfolio/change.h"
#include "support/column.h"
#include "support/slot.h"
#include "support/word.h"

static const CecQuery still_covered = {
	"SELECT c.number, count(DISTINCT v.asset_id),"
	" CASE WHEN bool_or(upper_inf(v.during)) THEN NULL ELSE max(upper(v.during)) - 1 END"
	" FROM @P@.contract c JOIN @P@.coverage_term t USING (contract_id) JOIN @P@.coverage v USING (term_id)"
	" CROSS JOIN @P@.setting s"
	" WHERE c.contract_id = ANY ($1) AND NOT v.during << daterange((now() AT TIME ZONE s.time_zone)::date, NULL, '()')"
	" GROUP BY c.contract_id, c.number ORDER BY c.number LIMIT 10",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTOID, INT8OID, DATEOID}};

/* The contracts that became terminated and keep their days. */
static CecIds
find_terminated(CecChange *change)
{
	CecIds result = {0};
	CecRows rows;
	AttrNumber contract_id = cec_column_require(change->rel, "contract_id", INT8OID);
	AttrNumber status = cec_column_require(change->rel, "status", TEXTOID);
	AttrNumber during = cec_column_require(change->rel, "during", DATERANGEOID);

	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		slot_getallattrs(rows.new_row);
		slot_getallattrs(rows.old_row);
		if (cec_word_is(cec_slot_value(rows.new_row, status), "terminated") &&
			!cec_word_is(cec_slot_value(rows.old_row, status), "terminated") &&
			cec_rows_same_value(rows.old_row, rows.new_row, during))
			cec_ids_add(&result, cec_slot_int8(rows.new_row, contract_id));
	}
	cec_rows_end(&rows);
	return result;
}

/* Handler after the cover stage, for contract. */
static void
notice_terminated(CecChange *change)
{
	CecIds contracts;
	Datum arg;
	uint64 count;
	bool may_tell = cec_change_may_tell(change, "contract") && cec_change_may_tell(change, "coverage_term") &&
					cec_change_may_tell(change, "coverage");

	if (change->operation != CEC_UPDATE)
		return;
	contracts = find_terminated(change);
	if (contracts.count == 0)
		return;
	arg = cec_ids_as_array(&contracts);
	SPI_connect();
	count = cec_query_run(change->portfolio->plans, &still_covered, &arg, NULL, 0);
	for (uint64 i = 0; i < count; i++)
	{
		HeapTuple tuple = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		bool is_open;
		Datum last_day = SPI_getbinval(tuple, desc, 3, &is_open);

		if (!may_tell)
		{
			ereport(NOTICE, (errmsg("a contract is terminated and keeps covering assets"),
							 errdetail("Its days did not change."),
							 errhint("To end cover earlier, shorten the contract's days (during).")));
			break;
		}
		ereport(NOTICE,
				(errmsg("contract %s is terminated and keeps covering %s asset(s) %s%s", SPI_getvalue(tuple, desc, 1),
						SPI_getvalue(tuple, desc, 2), is_open ? "without end" : "through ",
						is_open ? "" : cec_day_in_words(DatumGetDateADT(last_day))),
				 errdetail("Its days did not change."),
				 errhint("To end cover earlier, shorten the contract's days (during).")));
	}
	SPI_finish();
}

/* Registers with the engine. */
void
cec_terminate_notice_init(void)
{
	cec_change_register(CEC_STAGE_FIND, "contract", notice_terminated);
}
