/*
 * duplicate_notice.c
 *		Tells whoever moves a contract or a term that assets are now covered twice.
 *
 * A single line that would do so is refused (inclusion_validate.c).  A contract that becomes active or moves its dates
 * is not: the lists were right before, and what is to be done about them is for people to decide.  Nor is a rule that covers
 * what another contract covers.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "change.h"
#include "column.h"
#include "coverage.h"

/* Each asset of a contract once, then the other contracts, and the days last: an asset may have very many rows. */
static const CecQuery duplicates = {
	"WITH moved AS (SELECT DISTINCT c.contract_id, c.number, c.kind, v.asset_id"
	"  FROM @P@.contract c JOIN @P@.coverage_term t USING (contract_id) JOIN @P@.coverage v USING (term_id)"
	"  WHERE c.contract_id = ANY ($1) AND c.status = 'active' AND v.is_stated)"
	" SELECT m.number, oc.number, count(DISTINCT m.asset_id),"
	" (SELECT asset_tag FROM @P@.asset WHERE asset_id = min(m.asset_id))"
	" FROM moved m"
	" JOIN @P@.coverage o ON o.asset_id = m.asset_id AND o.is_stated"
	" JOIN @P@.coverage_term ot ON ot.term_id = o.term_id"
	" JOIN @P@.contract oc ON oc.contract_id = ot.contract_id"
	" WHERE oc.contract_id <> m.contract_id AND oc.kind = m.kind AND oc.status = 'active'"
	" AND NOT coalesce((SELECT duplicates_allowed FROM @P@.setting), false)"
	" AND EXISTS (SELECT FROM @P@.coverage v JOIN @P@.coverage_term t ON t.term_id = v.term_id"
	"  WHERE v.asset_id = m.asset_id AND t.contract_id = m.contract_id AND v.is_stated AND v.during && o.during)"
	" GROUP BY m.contract_id, m.number, oc.contract_id, oc.number ORDER BY m.number, oc.number LIMIT 10",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTOID, TEXTOID, INT8OID, TEXTOID}};

/* The same for what rules of terms cover, beside lists and rules of others. */
static const CecQuery ruled_duplicates = {
	"WITH moved AS (SELECT DISTINCT c.contract_id, c.number, c.kind, v.asset_id"
	"  FROM @P@.contract c JOIN @P@.coverage_term t USING (contract_id) JOIN @P@.coverage v USING (term_id)"
	"  WHERE t.term_id = ANY ($1) AND c.status = 'active' AND v.is_ruled)"
	" SELECT m.number, oc.number, count(DISTINCT m.asset_id),"
	" (SELECT asset_tag FROM @P@.asset WHERE asset_id = min(m.asset_id))"
	" FROM moved m"
	" JOIN @P@.coverage o ON o.asset_id = m.asset_id AND (o.is_stated OR o.is_ruled)"
	" JOIN @P@.coverage_term ot ON ot.term_id = o.term_id"
	" JOIN @P@.contract oc ON oc.contract_id = ot.contract_id"
	" WHERE oc.contract_id <> m.contract_id AND oc.kind = m.kind AND oc.status = 'active'"
	" AND NOT coalesce((SELECT duplicates_allowed FROM @P@.setting), false)"
	" AND EXISTS (SELECT FROM @P@.coverage v WHERE v.asset_id = m.asset_id AND v.term_id = ANY ($1) AND v.is_ruled"
	"  AND v.during && o.during)"
	" GROUP BY m.contract_id, m.number, oc.contract_id, oc.number ORDER BY m.number, oc.number LIMIT 10",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTOID, TEXTOID, INT8OID, TEXTOID}};

/* Runs one of the queries for contracts or terms, and tells what it found. */
static void
tell_duplicates(CecChange *change, const CecQuery *query, CecIds *ids)
{
	Datum arg;
	uint64 count;
	bool may_tell = cec_change_may_tell(change, "asset") && cec_change_may_tell(change, "contract") &&
					cec_change_may_tell(change, "coverage_term") && cec_change_may_tell(change, "coverage");

	cec_ids_sort_unique(ids);
	arg = cec_ids_as_array(ids);
	SPI_connect();
	count = cec_query_run(change->portfolio->plans, query, &arg, NULL, 0);
	for (uint64 i = 0; i < count; i++)
	{
		HeapTuple tuple = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;

		if (!may_tell)
		{
			ereport(NOTICE, (errmsg("contracts of the same kind now cover assets twice"),
							 errhint("Ask somebody who may read the register and all contracts to look at it.")));
			break;
		}
		ereport(NOTICE,
				(errmsg("contracts %s and %s now cover %s asset(s) twice", SPI_getvalue(tuple, desc, 1),
						SPI_getvalue(tuple, desc, 2), SPI_getvalue(tuple, desc, 3)),
				 errdetail("They are of the same kind; one of the assets is \"%s\".", SPI_getvalue(tuple, desc, 4)),
				 query == &ruled_duplicates ? errhint("Narrow the rule, or carve the assets out.")
											: errhint("End the lines on one of them, or carve the assets out.")));
	}
	SPI_finish();
}

/* Handler after the cover stage, for coverage_rule. */
static void
notice_ruled_duplicates(CecChange *change)
{
	CecIds terms = {0};
	CecRows rows;
	AttrNumber term_id = cec_column_require(change->rel, "term_id", INT8OID);

	if (change->operation == CEC_DELETE || change->assets.count == 0)
		return;
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		slot_getallattrs(rows.new_row);
		cec_ids_add(&terms, DatumGetInt64(rows.new_row->tts_values[term_id - 1]));
	}
	cec_rows_end(&rows);
	tell_duplicates(change, &ruled_duplicates, &terms);
}

/* Handler after the cover stage, for contract and coverage_term. */
static void
notice_duplicates(CecChange *change)
{
	CecIds contracts = {0};
	CecRows rows;
	AttrNumber contract_id = cec_column_require(change->rel, "contract_id", INT8OID);

	/* Nothing was collected: nothing that matters to cover has changed. */
	if (change->operation != CEC_UPDATE || change->assets.count == 0)
		return;
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		slot_getallattrs(rows.new_row);
		cec_ids_add(&contracts, DatumGetInt64(rows.new_row->tts_values[contract_id - 1]));
	}
	cec_rows_end(&rows);
	tell_duplicates(change, &duplicates, &contracts);
}

/* Registers with the engine. */
void
cec_duplicate_notice_init(void)
{
	cec_change_register(CEC_STAGE_FIND, "contract", notice_duplicates);
	cec_change_register(CEC_STAGE_FIND, "coverage_term", notice_duplicates);
	cec_change_register(CEC_STAGE_FIND, "coverage_rule", notice_ruled_duplicates);
}
