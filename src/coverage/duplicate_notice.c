/*
 * duplicate_notice.c
 *		Tells whoever moves a contract or a term, or lets a rule act, that assets are now covered twice.
 *
 * A single line that would do so is refused (inclusion_validate.c).  A contract that becomes active or moves its dates
 * is not: the lists were right before, and what is to be done about them is for people to decide.  Nor is a rule that covers
 * what another contract covers.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "coverage/coverage.h"
#include "portfolio/change.h"

/*
 * Given assets and terms of rows of cover that came, which are of lists or, if so, of rules; lists are held against lists, rules
 * against both.  Each asset of a contract once, then the other contracts, and the days last: an asset may have very many rows.
 */
static const CecQuery duplicates = {
	"WITH moved AS (SELECT DISTINCT c.contract_id, c.number, c.kind, g.asset_id"
	"  FROM unnest($1::bigint[], $2::bigint[]) AS g(asset_id, term_id)"
	"  JOIN @P@.coverage_term t USING (term_id) JOIN @P@.contract c USING (contract_id) WHERE c.status = 'active')"
	" SELECT m.number, oc.number, count(DISTINCT m.asset_id),"
	" (SELECT asset_tag FROM @P@.asset WHERE asset_id = min(m.asset_id))"
	" FROM moved m"
	" JOIN @P@.coverage o ON o.asset_id = m.asset_id AND (o.is_stated OR ($3 AND o.is_ruled))"
	" JOIN @P@.coverage_term ot ON ot.term_id = o.term_id"
	" JOIN @P@.contract oc ON oc.contract_id = ot.contract_id"
	" WHERE oc.contract_id <> m.contract_id AND oc.kind = m.kind AND oc.status = 'active'"
	" AND NOT coalesce((SELECT duplicates_allowed FROM @P@.setting), false)"
	" AND EXISTS (SELECT FROM @P@.coverage v JOIN @P@.coverage_term t ON t.term_id = v.term_id"
	"  WHERE v.asset_id = m.asset_id AND t.contract_id = m.contract_id AND CASE WHEN $3 THEN v.is_ruled ELSE v.is_stated END"
	"  AND v.during && o.during)"
	" GROUP BY m.contract_id, m.number, oc.contract_id, oc.number ORDER BY m.number, oc.number LIMIT 10",
	3,
	{INT8ARRAYOID, INT8ARRAYOID, BOOLOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {TEXTOID, TEXTOID, INT8OID, TEXTOID}};

/* Rows of cover that came: parallel arrays of assets and terms. */
typedef struct Came
{
	CecIds assets;
	CecIds terms;
} Came;

/* Tells what is covered twice because of rows that came. */
static void
tell_duplicates(CecChange *change, const Came *came, bool of_rules)
{
	Datum args[3];
	uint64 count;
	bool may_tell;

	if (came->assets.count == 0)
		return;
	may_tell = cec_change_may_tell(change, "asset") && cec_change_may_tell(change, "contract") &&
			   cec_change_may_tell(change, "coverage_term") && cec_change_may_tell(change, "coverage");
	args[0] = cec_ids_as_array(&came->assets);
	args[1] = cec_ids_as_array(&came->terms);
	args[2] = BoolGetDatum(of_rules);
	SPI_connect();
	count = cec_query_run(change->portfolio->plans, &duplicates, args, NULL, 0);
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
				 of_rules ? errhint("Narrow the rule, or carve the assets out.")
						  : errhint("End the lines on one of them, or carve the assets out.")));
	}
	SPI_finish();
}

static void
add_row(Came *came, const CecDeltaRow *row)
{
	cec_ids_add(&came->assets, row->asset_id);
	cec_ids_add(&came->terms, row->subject_id);
}

/*
 * Coverage handler.  Whoever changes contracts and terms is told of their lists, whoever changes rules of what rules cover; from
 * refresh and recompute_coverage both are heard.  Nobody else has done it: lines that would are refused.
 */
static void
notice_duplicates(CecChange *change)
{
	bool is_own = change->rel == NULL;
	bool of_lists = is_own || (change->operation == CEC_UPDATE && (strcmp(change->table_name, "contract") == 0 ||
																   strcmp(change->table_name, "coverage_term") == 0));
	bool of_rules = is_own || (change->operation != CEC_DELETE && strcmp(change->table_name, "coverage_rule") == 0);
	Came listed = {0};
	Came ruled = {0};

	if (!of_lists && !of_rules)
		return;
	for (int64 i = 0; i < change->delta.cover.count; i++)
	{
		const CecDeltaRow *row = &change->delta.cover.rows[i];

		if (!(row->flags & CEC_DELTA_GAINED))
			continue;
		if (of_lists && (row->flags & CEC_DELTA_STATED))
			add_row(&listed, row);
		if (of_rules && (row->flags & CEC_DELTA_RULED))
			add_row(&ruled, row);
	}
	tell_duplicates(change, &listed, false);
	tell_duplicates(change, &ruled, true);
}

/* Registers with the engine. */
void
cec_duplicate_notice_init(void)
{
	cec_cover_register(CEC_STAGE_FIND, notice_duplicates);
}
