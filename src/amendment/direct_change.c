/*
 * direct_change.c
 *		Refuses changes of what active contracts cover, where setting.direct_changes says that they are made by amendments.
 *
 * A terminated contract covers until it ends, which may be long from now; so it counts as active here.
 *
 * That is every write to lists, rules and memberships that is no part of what the engine itself does for an amendment, a renewal,
 * a termination, or a register that is read in (portfolio/own_work.c).  A membership is of a contract by its primary.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "init.h"
#include "portfolio/change.h"
#include "portfolio/own_work.h"
#include "portfolio/portfolio_today.h"
#include "support/column.h"
#include "support/slot.h"

static const CecQuery active_of_terms = {
	"SELECT c.number, c.status FROM @P@.coverage_term t JOIN @P@.contract c ON c.contract_id = t.contract_id"
	" WHERE t.term_id = ANY ($1) AND c.status IN ('active', 'terminated') ORDER BY c.number LIMIT 1",
	1,
	{INT8ARRAYOID},
	.results = {TEXTOID, TEXTOID}};

static const CecQuery active_of_bundles = {
	"SELECT c.number, c.status"
	" FROM @P@.bundle b"
	" CROSS JOIN LATERAL (SELECT i.term_id FROM @P@.inclusion i WHERE i.asset_id = b.primary_asset_id"
	"  UNION SELECT v.term_id FROM @P@.coverage v WHERE v.asset_id = b.primary_asset_id) AS s"
	" JOIN @P@.coverage_term t ON t.term_id = s.term_id JOIN @P@.contract c ON c.contract_id = t.contract_id"
	" WHERE b.bundle_id = ANY ($1) AND c.status IN ('active', 'terminated') AND t.covers_bundles ORDER BY c.number LIMIT 1",
	1,
	{INT8ARRAYOID},
	.results = {TEXTOID, TEXTOID}};

/* Refuses the change where one of the keys in a column, before or after it, leads to an active contract. */
static void
refuse_active(CecChange *change, const char *column, const CecQuery *active)
{
	AttrNumber attnum;
	CecIds keys = {0};
	CecRows rows;
	Datum arg;

	if (!cec_portfolio_takes_drafts_only(change->portfolio) || cec_own_work_is(change->portfolio, CEC_WORK_LIST))
		return;
	attnum = cec_column_require(change->rel, column, INT8OID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		if (rows.old_row != NULL)
			cec_ids_add(&keys, cec_slot_int8(rows.old_row, attnum));
		if (rows.new_row != NULL)
			cec_ids_add(&keys, cec_slot_int8(rows.new_row, attnum));
	}
	cec_rows_end(&rows);
	if (keys.count == 0)
		return;
	cec_ids_sort_unique(&keys);
	arg = cec_ids_as_array(&keys);
	SPI_connect();
	if (cec_query_run(change->portfolio->plans, active, &arg, NULL, 1) > 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION), errmsg("what an active contract covers is changed by amendments"),
			 cec_change_may_tell(change, "contract")
				 ? errdetail("Contract %s is %s, and setting.direct_changes is draft_only.",
							 SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
							 SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2))
				 : errdetail("setting.direct_changes is draft_only."),
			 errhint(
				 "draft_amendment drafts the change; it is submitted, approved and applied by the functions of that name."),
			 errtableconstraint(change->rel, "setting_direct_changes")));
	SPI_finish();
}

static void
guard_lists(CecChange *change)
{
	refuse_active(change, "term_id", &active_of_terms);
}

static void
guard_members(CecChange *change)
{
	refuse_active(change, "bundle_id", &active_of_bundles);
}

/* Registers with the engine; called once when the library is loaded. */
void
cec_direct_change_init(void)
{
	cec_change_register(CEC_STAGE_DEFINE, "inclusion", guard_lists);
	cec_change_register(CEC_STAGE_DEFINE, "coverage_rule", guard_lists);
	cec_change_register(CEC_STAGE_DEFINE, "bundle_member", guard_members);
}
