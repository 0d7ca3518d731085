/*
 * term_validate.c
 *		Refuses a term that never meets the days of its contract.
 *
 * Only a new term, and a change of a term's own days or contract: a contract that is shortened leaves its terms as they
 * are.  The contract cannot change meanwhile, since that needs the gate alone.  Where a foreign key is deferrable a term may
 * come before its contract: then it is looked at when that comes.
 */
#include "postgres.h"

#include "init.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/snapmgr.h"

#include "portfolio/change.h"
#include "support/column.h"
#include "support/probe.h"
#include "support/slot.h"

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

/* Refuses the terms among these that never meet the days of their contracts. */
static void
refuse_apart(CecChange *change, const CecIds *terms)
{
	Datum arg;

	if (terms->count == 0)
		return;
	arg = cec_ids_as_array(terms);
	SPI_connect();
	if (cec_query_run(change->portfolio->plans, &apart, &arg, NULL, 1) > 0)
	{
		HeapTuple tuple = SPI_tuptable->vals[0];
		TupleDesc desc = SPI_tuptable->tupdesc;
		Relation rel = cec_portfolio_open(change->portfolio, "coverage_term", AccessShareLock);

		if (!cec_change_may_tell(change, "contract") || !cec_change_may_tell(change, "coverage_term"))
			ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("a term never meets the days of its contract"),
							errhint("Choose days within the contract, or move the contract's days first."),
							errtableconstraint(rel, "coverage_term_days_meet_contract")));
		ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
						errmsg("term %s never meets the days of contract %s", SPI_getvalue(tuple, desc, 1),
							   SPI_getvalue(tuple, desc, 2)),
						errdetail_internal("%s", SPI_getvalue(tuple, desc, 3)),
						errhint("Choose days within the contract, or move the contract's days first."),
						errtableconstraint(rel, "coverage_term_days_meet_contract")));
	}
	SPI_finish();
}

/* Handler of the validate stage, for coverage_term. */
static void
validate_terms(CecChange *change)
{
	AttrNumber term_id = cec_column_require(change->rel, "term_id", INT8OID);
	AttrNumber contract_id = cec_column_require(change->rel, "contract_id", INT8OID);
	AttrNumber during = cec_column_require(change->rel, "during", DATERANGEOID);
	CecIds terms = {0};
	CecRows rows;

	if (change->new_rows == NULL || cec_change_is_empty(change))
		return;
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
		cec_ids_add(&terms, cec_slot_int8(rows.new_row, term_id));
	}
	cec_rows_end(&rows);
	refuse_apart(change, &terms);
}

/* The same for contract: the terms that the transaction has written before it. */
static void
validate_early_terms(CecChange *change)
{
	CecIds terms = {0};
	CecRows rows;
	AttrNumber contract_id = cec_column_require(change->rel, "contract_id", INT8OID);
	AttrNumber term_id;
	CecProbe *probe;
	Snapshot snapshot;

	if (change->operation == CEC_DELETE || cec_change_is_empty(change) || !cec_change_may_dangle(change))
		return;
	snapshot = cec_latest_snapshot();
	probe = cec_probe_begin(cec_portfolio_open(change->portfolio, "coverage_term", AccessShareLock), "contract_id",
							snapshot);
	term_id = cec_probe_column(probe, "term_id", INT8OID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		TupleTableSlot *term;

		slot_getallattrs(rows.new_row);
		if (rows.old_row != NULL)
		{
			slot_getallattrs(rows.old_row);
			if (cec_rows_same_value(rows.old_row, rows.new_row, contract_id))
				continue;
		}
		cec_probe_seek(probe, cec_slot_int8(rows.new_row, contract_id));
		while ((term = cec_probe_next(probe)) != NULL)
		{
			bool isnull;
			Datum xmin = slot_getsysattr(term, MinTransactionIdAttributeNumber, &isnull);

			if (TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin)))
				cec_ids_add(&terms, cec_slot_int8(term, term_id));
		}
	}
	cec_rows_end(&rows);
	cec_probe_end(probe);
	UnregisterSnapshot(snapshot);
	refuse_apart(change, &terms);
}

/* Registers with the engine; called once when the library is loaded. */
void
cec_contract_init(void)
{
	cec_change_register(CEC_STAGE_VALIDATE, "coverage_term", validate_terms);
	cec_change_register(CEC_STAGE_VALIDATE, "contract", validate_early_terms);
}
