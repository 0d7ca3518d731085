/*
 * term_validate.c
 *		Refuses a term that never meets the days of its contract.
 *
 * Only a new term, and a change of a term's own days or contract: a contract that is shortened leaves its terms as they
 * are.  The contract cannot change meanwhile, since that needs the gate alone.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

#include "change.h"
#include "column.h"
#include "contract.h"

static const CecQuery apart = {
	"SELECT t.number, c.number, pg_catalog.format('The term runs %s, the contract %s.', cec._days_in_words(t.during), cec._days_in_words(c.during))"
	" FROM unnest($1::bigint[]) AS n(term_id)"
	" JOIN @P@.coverage_term t ON t.term_id = n.term_id"
	" JOIN @P@.contract c ON c.contract_id = t.contract_id"
	" WHERE NOT t.during && c.during ORDER BY t.term_id",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTOID, TEXTOID, TEXTOID}};

/* Handler of the validate stage. */
static void
validate_terms(CecChange *change)
{
	AttrNumber term_id = cec_column_require(change->rel, "term_id", INT8OID);
	AttrNumber contract_id = cec_column_require(change->rel, "contract_id", INT8OID);
	AttrNumber during = cec_column_require(change->rel, "during", DATERANGEOID);
	Datum *ids;
	int count = 0;
	CecRows rows;
	Datum arg;

	if (change->new_rows == NULL || cec_change_is_empty(change))
		return;
	ids = palloc(tuplestore_tuple_count(change->new_rows) * sizeof(Datum));
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		slot_getallattrs(rows.new_row);
		if (rows.old_row != NULL)
		{
			slot_getallattrs(rows.old_row);
			if (cec_rows_same_value(rows.old_row, rows.new_row, contract_id) &&
				cec_rows_same_value(rows.old_row, rows.new_row, during))
				continue;
		}
		ids[count++] = rows.new_row->tts_values[term_id - 1];
	}
	cec_rows_end(&rows);
	if (count == 0)
		return;

	arg = PointerGetDatum(construct_array(ids, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	SPI_connect();
	if (cec_query_run(change->portfolio->plans, &apart, &arg, NULL, 1) > 0)
	{
		HeapTuple tuple = SPI_tuptable->vals[0];
		TupleDesc desc = SPI_tuptable->tupdesc;

		if (!cec_change_may_tell(change, "contract") || !cec_change_may_tell(change, "coverage_term"))
			ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a term never meets the days of its contract"),
							errhint("Choose days within the contract, or move the contract's days first."),
							errtableconstraint(change->rel, "coverage_term_days_meet_contract")));
		ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
						errmsg("term %s never meets the days of contract %s", SPI_getvalue(tuple, desc, 1),
							   SPI_getvalue(tuple, desc, 2)),
						errdetail_internal("%s", SPI_getvalue(tuple, desc, 3)),
						errhint("Choose days within the contract, or move the contract's days first."),
						errtableconstraint(change->rel, "coverage_term_days_meet_contract")));
	}
	SPI_finish();
}

/* Registers with the engine; called once when the library is loaded. */
void
cec_contract_init(void)
{
	cec_change_register(CEC_STAGE_VALIDATE, "coverage_term", validate_terms);
}
