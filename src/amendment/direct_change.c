/*
 * direct_change.c
 *		Refuses changes of what active contracts cover, where setting.direct_changes says that they are made by amendments.
 *
 * A terminated contract covers until it ends, which may be long from now; so it counts as active here.
 *
 * That is every write to lists, rules and memberships that is no part of what the engine itself does for an amendment, a renewal,
 * a termination, or a register that is read in (portfolio/own_work.c).  A membership is of a contract by its primary.
 *
 * Nor does a list come out of reach and back: a contract whose terms have lines or rules does not become a draft again, does not
 * come back once it is void, since lists of both are free, and keeps its key and its terms.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "init.h"
#include "portfolio/change.h"
#include "portfolio/own_work.h"
#include "portfolio/portfolio_today.h"
#include "support/column.h"
#include "support/slot.h"
#include "support/word.h"

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

#define HAS_LIST \
	"(EXISTS (SELECT FROM @P@.inclusion i WHERE i.term_id = t.term_id)" \
	" OR EXISTS (SELECT FROM @P@.coverage_rule r WHERE r.term_id = t.term_id))"

/* Of terms and their contracts, before the change or after it. */
static const CecQuery active_of_moved = {"SELECT c.number, c.status FROM unnest($1, $2) AS t(term_id, contract_id)"
										 " JOIN @P@.contract c ON c.contract_id = t.contract_id"
										 " WHERE c.status IN ('active', 'terminated') AND " HAS_LIST
										 " ORDER BY c.number LIMIT 1",
										 2,
										 {INT8ARRAYOID, INT8ARRAYOID},
										 .results = {TEXTOID, TEXTOID}};

static const CecQuery with_lists = {"SELECT t.contract_id FROM @P@.coverage_term t"
									" WHERE t.contract_id = ANY ($1) AND " HAS_LIST " ORDER BY 1 LIMIT 1",
									1,
									{INT8ARRAYOID},
									.results = {INT8OID}};

static bool
is_free(CecChange *change)
{
	return !cec_portfolio_takes_drafts_only(change->portfolio) || cec_own_work_is(change->portfolio, CEC_WORK_LIST);
}

static void
refuse(CecChange *change, const char *message, const char *number, const char *status, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("%s", message),
					cec_change_may_tell(change, "contract")
						? errdetail("Contract %s is %s, and setting.direct_changes is draft_only.", number, status)
						: errdetail("setting.direct_changes is draft_only."),
					errhint("%s", hint), errtableconstraint(change->rel, "setting_direct_changes")));
}

static const char *const by_amendments = "what an active contract covers is changed by amendments";
static const char *const draft_amendment =
	"draft_amendment drafts the change; it is submitted, approved and applied by the functions of that name.";

/* Refuses the change where a query finds an active contract. */
static void
refuse_found(CecChange *change, const CecQuery *active, Datum *args)
{
	SPI_connect();
	if (cec_query_run(change->portfolio->plans, active, args, NULL, 1) > 0)
		refuse(change, by_amendments, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
			   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2), draft_amendment);
	SPI_finish();
}

/* Refuses the change where one of the keys in a column, before or after it, leads to an active contract. */
static void
refuse_active(CecChange *change, const char *column, const CecQuery *active)
{
	AttrNumber attnum;
	CecIds keys = {0};
	CecRows rows;
	Datum arg;

	if (is_free(change))
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
	refuse_found(change, active, &arg);
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

static void
add_term(CecIds *terms, CecIds *contracts, TupleTableSlot *row, AttrNumber term_id, AttrNumber contract_id)
{
	if (row == NULL)
		return;
	cec_ids_add(terms, cec_slot_int8(row, term_id));
	cec_ids_add(contracts, cec_slot_int8(row, contract_id));
}

/* Handler for coverage_term: a list stays with its contract.  Terms come and go while nobody refers to them. */
static void
guard_terms(CecChange *change)
{
	AttrNumber term_id;
	AttrNumber contract_id;
	CecIds terms = {0};
	CecIds contracts = {0};
	CecRows rows;

	if (is_free(change))
		return;
	term_id = cec_column_require(change->rel, "term_id", INT8OID);
	contract_id = cec_column_require(change->rel, "contract_id", INT8OID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		if (rows.old_row != NULL && rows.new_row != NULL && !cec_rows_differ(change, &rows, "term_id") &&
			!cec_rows_differ(change, &rows, "contract_id"))
			continue;
		add_term(&terms, &contracts, rows.old_row, term_id, contract_id);
		add_term(&terms, &contracts, rows.new_row, term_id, contract_id);
	}
	cec_rows_end(&rows);
	if (terms.count > 0)
		refuse_found(change, &active_of_moved, (Datum[]){cec_ids_as_array(&terms), cec_ids_as_array(&contracts)});
}

/* Whether lists of a contract are out of reach of amendments by a change of its row, or come back from there. */
static bool
lets_go(CecChange *change, CecRows *rows, AttrNumber status)
{
	Datum before = cec_slot_value(rows->old_row, status);
	Datum after;

	if (cec_word_is(before, "draft"))
		return false;
	if (rows->new_row == NULL || cec_rows_differ(change, rows, "contract_id"))
		return true;
	after = cec_slot_value(rows->new_row, status);
	return cec_word_is(after, "draft") || (cec_word_is(before, "void") && !cec_word_is(after, "void"));
}

static void
refuse_letting_go(CecChange *change, CecRows *rows, AttrNumber status)
{
	AttrNumber number = cec_column_require(change->rel, "number", TEXTOID);
	char *name = TextDatumGetCString(cec_slot_value(rows->old_row, number));
	char *before = TextDatumGetCString(cec_slot_value(rows->old_row, status));

	if (cec_rows_differ(change, rows, "contract_id"))
		refuse(change, by_amendments, name, before, draft_amendment);
	else if (strcmp(before, "void") == 0)
		refuse(change, "a void contract that has lists does not come back", name, before,
			   "Make a new contract, whose lists are written while it is a draft.");
	else
		refuse(change, "a contract that has lists does not become a draft again", name, before,
			   "draft_amendment drafts a change of its lists; renew_contract drafts a contract that follows it.");
}

/* Handler for contract. */
static void
guard_contracts(CecChange *change)
{
	AttrNumber contract_id;
	AttrNumber status;
	CecIds contracts = {0};
	CecIds listed = {0};
	CecRows rows;
	Datum arg;

	if (change->operation == CEC_INSERT || is_free(change))
		return;
	contract_id = cec_column_require(change->rel, "contract_id", INT8OID);
	status = cec_column_require(change->rel, "status", TEXTOID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		if (lets_go(change, &rows, status))
			cec_ids_add(&contracts, cec_slot_int8(rows.old_row, contract_id));
	}
	cec_rows_end(&rows);
	if (contracts.count == 0)
		return;
	arg = cec_ids_as_array(&contracts);
	cec_query_ids(change->portfolio->plans, &with_lists, &arg, &listed);
	if (listed.count == 0)
		return;
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		cec_rows_deform(&rows);
		if (cec_slot_int8(rows.old_row, contract_id) == listed.ids[0])
			refuse_letting_go(change, &rows, status);
	}
	cec_rows_end(&rows);
}

/* Registers with the engine; called once when the library is loaded. */
void
cec_direct_change_init(void)
{
	cec_change_register(CEC_STAGE_DEFINE, "inclusion", guard_lists);
	cec_change_register(CEC_STAGE_DEFINE, "coverage_rule", guard_lists);
	cec_change_register(CEC_STAGE_DEFINE, "bundle_member", guard_members);
	cec_change_register(CEC_STAGE_DEFINE, "coverage_term", guard_terms);
	cec_change_register(CEC_STAGE_DEFINE, "contract", guard_contracts);
}
