/*
 * finding_suspect.c
 *		Says of whom a statement may have changed which findings: of the assets whose rows it changed, of those whose cover
 *		changed with it, and of contracts.
 *
 * A kind says which columns it hears of, and what an asset needs for it to be possible.  An asset is suspect of a kind that has heard
 * of the statement where it has all of that, or where a finding of the kind is open.  Mostly there is none, and nothing is asked.
 *
 * Assets that are concerned and whose cover cannot change (a request came, an identifier went) are locked with the others,
 * before anything is decided: who changes their cover at the same time waits, and sees the row.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "bundle/bundle.h"
#include "compliance/finding_suspect.h"
#include "compliance/finding_trait.h"
#include "compliance/finding_typed.h"
#include "compliance/finding_unseen.h"
#include "init.h"
#include "registry/identifier_alike.h"
#include "support/column.h"
#include "support/slot.h"

static const char change_key;

/* All that contracts list or cover: what a fact of a contract is a fact of. */
static const CecQuery assets_of_contracts = {
	"SELECT i.asset_id FROM @P@.coverage_term t JOIN @P@.inclusion i ON i.term_id = t.term_id WHERE t.contract_id = ANY ($1)"
	" UNION SELECT v.asset_id FROM @P@.coverage_term t JOIN @P@.coverage v ON v.term_id = t.term_id WHERE t.contract_id = ANY ($1)"
	" ORDER BY 1",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

/* Customers below customers, these included. */
#define BELOW \
	"WITH RECURSIVE below AS (SELECT customer_id FROM @P@.customer WHERE customer_id = ANY ($1)" \
	" UNION SELECT c.customer_id FROM below b JOIN @P@.customer c ON c.parent_id = b.customer_id) "

static const CecQuery assets_of_customers = {
	BELOW "SELECT a.asset_id FROM below b JOIN @P@.asset a ON a.customer_id = b.customer_id ORDER BY 1",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

static const CecQuery contracts_of_customers = {
	BELOW "SELECT c.contract_id FROM below b JOIN @P@.contract c ON c.customer_id = b.customer_id ORDER BY 1",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

static const CecQuery contracts_of_amendments = {
	"SELECT DISTINCT contract_id FROM @P@.amendment WHERE amendment_id = ANY ($1) ORDER BY 1",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

/* The assets that lines of amendments name today. */
static const CecQuery assets_of_amendments = {
	"SELECT DISTINCT n.asset_id FROM @P@.amendment_line l CROSS JOIN LATERAL cec._named(@O@, ARRAY[l.identifier, l.successor_identifier],"
	" (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date FROM @P@.setting)) AS n WHERE l.amendment_id = ANY ($1) ORDER BY 1",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

static const CecQuery contracts_of_tiers = {
	"SELECT DISTINCT contract_id FROM @P@.coverage_term WHERE tier_id = ANY ($1) ORDER BY 1",
	1,
	{INT8ARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

/* What the rows of a statement say to the kinds. */
typedef struct Heard
{
	uint64 kinds;	  /* that have heard of it */
	CecIds assets;	  /* in order */
	CecIds contracts; /* in order */
	uint64 of_cover;  /* kinds that hear of cover */
	CecIds covered;	  /* the assets whose cover has changed, in order */
} Heard;

/* The columns of the changed table that kinds hear of. */
typedef struct HeardColumns
{
	int count;
	AttrNumber *columns;
	uint64 *kinds; /* that hear of each */
	uint64 all;	   /* kinds that hear of the table at all */
	uint64 any;	   /* kinds that hear of all of its columns */
} HeardColumns;

static HeardColumns
heard_columns(CecChange *change, const CecFindingKinds *kinds)
{
	HeardColumns heard = {0};
	int natts = RelationGetNumberOfAttributes(change->rel);
	uint64 *of_column = palloc0((natts + 1) * sizeof(uint64));

	heard.columns = palloc(natts * sizeof(AttrNumber));
	heard.kinds = palloc(natts * sizeof(uint64));
	for (int i = 0; i < kinds->count; i++)
		for (int j = 0; j < kinds->kinds[i].heard_count; j++)
		{
			const CecHeard *one = &kinds->kinds[i].heard[j];

			if (strcmp(one->table, change->table_name) != 0)
				continue;
			heard.all |= CEC_KIND_BIT(i);
			if (one->column == NULL)
				heard.any |= CEC_KIND_BIT(i);
			else
				of_column[cec_column_find(change->rel, one->column)] |= CEC_KIND_BIT(i);
		}
	/* The key of a table is its first column. Whoever gets another key comes in the place of somebody else. */
	of_column[1] |= heard.all;
	for (int i = 1; i <= natts; i++)
		if (of_column[i] != 0)
		{
			heard.columns[heard.count] = i;
			heard.kinds[heard.count++] = of_column[i];
		}
	return heard;
}

/* The kinds that hear of what is different in a row. */
static uint64
kinds_of_row(CecRows *rows, const HeardColumns *heard)
{
	uint64 kinds = heard->any;

	if (rows->old_row == NULL || rows->new_row == NULL)
		return heard->all;
	for (int i = 0; i < heard->count; i++)
		if ((heard->kinds[i] & ~kinds) != 0 && !cec_rows_same_value(rows->old_row, rows->new_row, heard->columns[i]))
			kinds |= heard->kinds[i];
	return kinds;
}

static void
add_id(CecIds *ids, const TupleTableSlot *row, AttrNumber column)
{
	if (row != NULL && !cec_slot_isnull(row, column))
		cec_ids_add(ids, cec_slot_int8(row, column));
}

/* Reads what a column of the rows refers to, old and new, of which kinds have heard; adds these. */
static CecIds
ids_of_rows(CecChange *change, const char *column, const HeardColumns *heard, uint64 *kinds)
{
	CecIds ids = {0};
	CecRows rows;
	AttrNumber attnum = cec_column_require_nullable(change->rel, column, INT8OID);

	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		uint64 of_row;

		CHECK_FOR_INTERRUPTS();
		cec_rows_deform(&rows);
		of_row = kinds_of_row(&rows, heard);
		if (of_row == 0)
			continue;
		*kinds |= of_row;
		add_id(&ids, rows.old_row, attnum);
		add_id(&ids, rows.new_row, attnum);
	}
	cec_rows_end(&rows);
	cec_ids_sort_unique(&ids);
	return ids;
}

static void
query_ids(CecChange *change, const CecQuery *query, const CecIds *keys, CecIds *ids)
{
	Datum arg = cec_ids_as_array(keys);

	if (keys->count > 0)
		cec_query_ids(change->portfolio->plans, query, &arg, ids);
}

/* From the rows of the table to assets and contracts. */
static void
hear_rows(CecChange *change, const CecFindingKinds *kinds, Heard *heard)
{
	const char *table = change->table_name;
	HeardColumns columns = heard_columns(change, kinds);

	if (columns.all == 0)
		return;
	if (cec_column_find(change->rel, "asset_id") != InvalidAttrNumber)
		heard->assets = ids_of_rows(change, "asset_id", &columns, &heard->kinds);
	else if (strcmp(table, "contract") == 0)
	{
		/* That a contract ends soon hangs on those that renew it. */
		CecIds renewed = ids_of_rows(change, "predecessor_id", &columns, &heard->kinds);

		heard->contracts = ids_of_rows(change, "contract_id", &columns, &heard->kinds);
		for (int64 i = 0; i < renewed.count; i++)
			cec_ids_add(&heard->contracts, renewed.ids[i]);
		cec_ids_sort_unique(&heard->contracts);
	}
	else if (strcmp(table, "coverage_term") == 0)
		heard->contracts = ids_of_rows(change, "contract_id", &columns, &heard->kinds);
	else if (strcmp(table, "customer") == 0)
	{
		CecIds customers = ids_of_rows(change, "customer_id", &columns, &heard->kinds);

		query_ids(change, &assets_of_customers, &customers, &heard->assets);
		query_ids(change, &contracts_of_customers, &customers, &heard->contracts);
	}
	else if (strcmp(table, "bundle") == 0)
		(void) ids_of_rows(change, "bundle_id", &columns, &heard->kinds);
	else if (strcmp(table, "coverage_rule") == 0)
		(void) ids_of_rows(change, "rule_id", &columns, &heard->kinds);
	else if (strcmp(table, "amendment") == 0)
	{
		CecIds amendments = ids_of_rows(change, "amendment_id", &columns, &heard->kinds);

		heard->contracts = ids_of_rows(change, "contract_id", &columns, &heard->kinds);
		query_ids(change, &assets_of_amendments, &amendments, &heard->assets);
	}
	else if (strcmp(table, "amendment_line") == 0)
	{
		CecIds amendments = ids_of_rows(change, "amendment_id", &columns, &heard->kinds);

		query_ids(change, &contracts_of_amendments, &amendments, &heard->contracts);
		query_ids(change, &assets_of_amendments, &amendments, &heard->assets);
	}
	else if (strcmp(table, "service_tier") == 0)
	{
		CecIds tiers = ids_of_rows(change, "tier_id", &columns, &heard->kinds);

		query_ids(change, &contracts_of_tiers, &tiers, &heard->contracts);
	}
	/* A new contract lists nothing yet, and an amendment changes nothing of what is listed. */
	if (heard->contracts.count > 0 && change->operation != CEC_INSERT && strncmp(table, "amendment", 9) != 0)
		query_ids(change, &assets_of_contracts, &heard->contracts, &heard->assets);
	/* Assets below those that changed, of which cover was computed. */
	if (heard->kinds != 0)
		for (int64 i = 0; i < change->assets.count; i++)
			cec_ids_add(&heard->assets, change->assets.ids[i]);
	cec_ids_sort_unique(&heard->assets);
}

/*
 * The assets whose cover has changed, or for which rules were decided, and those below them: whether a member is left alone hangs on the
 * cover of its primary, of which it need not have any.
 */
static void
hear_cover(CecChange *change, const CecFindingKinds *kinds, Heard *heard)
{
	CecDeltaPart part = {0};

	if (cec_delta_is_empty(&change->delta))
		return;
	for (int i = 0; i < kinds->count; i++)
		if (kinds->kinds[i].hears_cover)
			heard->of_cover |= CEC_KIND_BIT(i);
	while (cec_delta_next(&change->delta, &part))
		if (heard->covered.count == 0 || heard->covered.ids[heard->covered.count - 1] != part.asset_id)
			cec_ids_add(&heard->covered, part.asset_id);
	for (int64 i = 0; i < change->delta.decisions.count; i++)
		cec_ids_add(&heard->covered, change->delta.decisions.rows[i].asset_id);
	if (change->rel == NULL || change->has_members)
		(void) cec_add_all_below(cec_change_reading(change), &heard->covered);
	cec_ids_sort_unique(&heard->covered);
}

/* Whether all that the statement does is to add lines, by which assets gain cover and lose none. */
static bool
only_gains(CecChange *change)
{
	if (change->rel == NULL || change->operation != CEC_INSERT || strcmp(change->table_name, "inclusion") != 0)
		return false;
	for (int64 i = 0; i < change->delta.cover.count; i++)
		if (!(change->delta.cover.rows[i].flags & CEC_DELTA_GAINED))
			return false;
	return true;
}

/* Adds an asset to the lists of the kinds that it is suspect of. */
static void
suspect_asset(CecSuspects *suspects, const CecFindingKinds *kinds, CecTraits *traits, int64 asset_id, uint64 heard)
{
	uint64 open = cec_traits_open_kinds(traits, kinds);

	suspects->open |= open;
	for (int i = 0; i < kinds->count; i++)
		if ((heard & CEC_KIND_BIT(i)) != 0 && kinds->kinds[i].scope <= CEC_SCOPE_CONTRACT &&
			((open & CEC_KIND_BIT(i)) != 0 || cec_traits_hold(traits, kinds->kinds[i].needs)))
			cec_ids_add(&suspects->assets[i], asset_id);
}

/* Goes through all assets that were heard of, in order. */
static void
suspect_assets(CecChange *change, const CecFindingKinds *kinds, Heard *heard, CecSuspects *suspects)
{
	CecTraits *traits = cec_traits_begin(change);
	CecUnseen unseen = cec_unseen_begin(change, kinds, traits);
	bool gained = only_gains(change);
	int64 i = 0;
	int64 j = 0;

	while (i < heard->assets.count || j < heard->covered.count)
	{
		bool more = i < heard->assets.count;
		bool more_covered = j < heard->covered.count;
		int64 asset_id = more && more_covered ? Min(heard->assets.ids[i], heard->covered.ids[j])
						 : more				  ? heard->assets.ids[i]
											  : heard->covered.ids[j];
		bool cover_changed = more_covered && heard->covered.ids[j] == asset_id;
		uint64 kinds_heard = 0;

		CHECK_FOR_INTERRUPTS();
		if (more && heard->assets.ids[i] == asset_id)
		{
			kinds_heard |= heard->kinds;
			i++;
		}
		if (cover_changed)
		{
			kinds_heard |= heard->of_cover;
			j++;
		}
		cec_traits_seek(traits, asset_id, cover_changed, gained);
		suspect_asset(suspects, kinds, traits, asset_id, kinds_heard);
		cec_unseen_take(&unseen, asset_id, kinds_heard);
	}
	if (unseen.kind >= 0)
		cec_unseen_end(&unseen, &suspects->contracts[unseen.kind]);
}

/* What is compared of contracts, whatever their assets have. */
static void
suspect_contracts(const CecFindingKinds *kinds, const Heard *heard, CecSuspects *suspects)
{
	for (int i = 0; i < kinds->count; i++)
		if ((heard->kinds & CEC_KIND_BIT(i)) != 0 &&
			(kinds->kinds[i].scope == CEC_SCOPE_CONTRACT || kinds->kinds[i].scope == CEC_SCOPE_IDENTIFIER))
			suspects->contracts[i] = heard->contracts;
}

/* What is compared of pairs of assets that are called alike. */
static void
suspect_pairs(CecChange *change, const CecFindingKinds *kinds, CecSuspects *suspects)
{
	CecIds alike;

	if (change->rel == NULL || strcmp(change->table_name, "asset") != 0)
		return;
	alike = cec_identifier_alike(change);
	for (int i = 0; i < kinds->count; i++)
		if (kinds->kinds[i].scope == CEC_SCOPE_PAIR)
			suspects->assets[i] = alike;
}

/*
 * Handler of the audit stage: cover is computed, and what was read for it is still at hand.  Nothing is compared yet, since users
 * may have triggers on findings.
 */
static void
suspect(CecChange *change)
{
	const CecFindingKinds *kinds = cec_finding_kinds(change->portfolio);
	CecSuspects *suspects;
	Heard heard = {0};

	if (kinds->count == 0 || (change->rel != NULL && cec_change_is_empty(change)))
		return;
	if (change->rel != NULL)
		hear_rows(change, kinds, &heard);
	hear_cover(change, kinds, &heard);
	if (heard.assets.count == 0 && heard.covered.count == 0 && heard.contracts.count == 0 && heard.kinds == 0)
		return;
	suspects = cec_change_keep(change, &change_key, sizeof(CecSuspects));
	suspects->assets = palloc0(kinds->count * sizeof(CecIds));
	suspects->contracts = palloc0(kinds->count * sizeof(CecIds));
	suspect_contracts(kinds, &heard, suspects);
	if (heard.assets.count > 0 || heard.covered.count > 0)
		suspect_assets(change, kinds, &heard, suspects);
	suspect_pairs(change, kinds, suspects);
	if (change->rel != NULL)
		suspects->typed = cec_finding_typed(change);
}

/* Whom the statement has made suspect; NULL: nobody. */
CecSuspects *
cec_finding_suspects(CecChange *change)
{
	return cec_change_kept(change, &change_key);
}

/* Handler of the collect stage: assets that are concerned, and whose cover is not, are to be locked. */
static void
collect_concerned(CecChange *change)
{
	const CecFindingKinds *kinds = cec_finding_kinds(change->portfolio);
	HeardColumns columns;
	uint64 heard = 0;

	if (cec_change_is_empty(change))
		return;
	columns = heard_columns(change, kinds);
	if (columns.all != 0)
		change->concerned = ids_of_rows(change, "asset_id", &columns, &heard);
}

/* Registers with the engine. */
void
cec_finding_suspect_init(void)
{
	static const char *const tables[] = {"asset_identifier", "maintenance_event", "service_request",
										 "field_observation"};

	for (int i = 0; i < lengthof(tables); i++)
		cec_change_register(CEC_STAGE_COLLECT, tables[i], collect_concerned);
	cec_change_register(CEC_STAGE_AUDIT, NULL, suspect);
}
