/*
 * coverage_collect.c
 *		Which assets a changed statement concerns: from the rows of each table to the assets whose cover may change.
 *
 * Only what the definition of coverage mentions counts: a new price or a new tag changes no cover.  Members below the
 * assets are added later (bundle_lock.c).
 *
 * A row can take the place of another one that lists and bundles refer to: its key is changed to the one that has just
 * become free, or one statement deletes the old row and inserts the new one.  Where the owner has made a foreign key
 * deferrable, a row can also come after those that refer to it.  So a changed key counts as a change of all that refers to
 * it, and so do a deleted and a new one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "init.h"
#include "coverage/coverage.h"
#include "portfolio/change.h"
#include "support/column.h"
#include "support/slot.h"

static bool
any_differs(CecChange *change, CecRows *rows, const char *const *columns)
{
	for (int i = 0; columns[i] != NULL; i++)
		if (!cec_rows_same_value(rows->old_row, rows->new_row, cec_column_find(change->rel, columns[i])))
			return true;
	return false;
}

/* The values of a column of the changed rows, old and new; of an UPDATE only where one of the columns differs. */
static CecIds
collect_column(CecChange *change, const char *column, const char *const *columns)
{
	CecIds ids = {0};
	CecRows rows;
	AttrNumber attnum = cec_column_require(change->rel, column, INT8OID);

	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		if (rows.old_row != NULL)
			slot_getallattrs(rows.old_row);
		if (rows.new_row != NULL)
			slot_getallattrs(rows.new_row);
		if (rows.old_row != NULL && rows.new_row != NULL && columns != NULL && !any_differs(change, &rows, columns))
			continue;
		if (rows.old_row != NULL)
			cec_ids_add(&ids, cec_slot_int8(rows.old_row, attnum));
		if (rows.new_row != NULL && (rows.old_row == NULL || !cec_rows_same_value(rows.old_row, rows.new_row, attnum)))
			cec_ids_add(&ids, cec_slot_int8(rows.new_row, attnum));
	}
	cec_rows_end(&rows);
	return ids;
}

static void
add_assets(CecChange *change, CecIds assets)
{
	for (int64 i = 0; i < assets.count; i++)
		cec_ids_add(&change->assets, assets.ids[i]);
}

static void
collect_from_lines(CecChange *change)
{
	add_assets(change, collect_column(change, "asset_id", NULL));
}

static void
collect_from_assets(CecChange *change)
{
	static const char *const life[] = {"asset_id",			"status",		  "commissioned_on",
									   "decommissioned_on", "out_of_service", NULL};

	CecIds assets;

	/* Nothing refers to a new asset yet, unless it was listed before it came. */
	if (change->operation == CEC_INSERT && !cec_change_may_dangle(change))
		return;
	assets = collect_column(change, "asset_id", life);
	if (change->operation == CEC_INSERT)
	{
		add_assets(change, cec_change_follow(change, &assets, "inclusion", "asset_id", "asset_id"));
		add_assets(change, cec_change_follow(change, &assets, "bundle_member", "asset_id", "asset_id"));
	}
	else
		add_assets(change, assets);
}

static void
collect_from_members(CecChange *change)
{
	add_assets(change, collect_column(change, "asset_id", NULL));
}

static void
collect_from_bundles(CecChange *change)
{
	static const char *const columns[] = {"bundle_id", "primary_asset_id", NULL};

	/* A new one too: in the place of a deleted one it has members, and may close a cycle. */
	CecIds bundles = collect_column(change, "bundle_id", columns);
	add_assets(change, cec_change_follow(change, &bundles, "bundle_member", "bundle_id", "asset_id"));
}

/* The assets on the lists of terms, and those that rules qualify for them. */
static void
collect_of_terms(CecChange *change, const CecIds *terms)
{
	CecIds rules = cec_change_follow(change, terms, "coverage_rule", "term_id", "rule_id");

	add_assets(change, cec_change_follow(change, terms, "inclusion", "term_id", "asset_id"));
	add_assets(change, cec_change_follow(change, &rules, "rule_effect", "rule_id", "asset_id"));
}

static void
collect_from_terms(CecChange *change)
{
	static const char *const columns[] = {"term_id", "contract_id", "during", "covers_bundles", NULL};
	CecIds terms = collect_column(change, "term_id", columns);

	collect_of_terms(change, &terms);
}

static void
collect_from_contracts(CecChange *change)
{
	static const char *const columns[] = {"contract_id", "status", "during", "suspensions", NULL};
	CecIds contracts = collect_column(change, "contract_id", columns);
	CecIds terms = cec_change_follow(change, &contracts, "coverage_term", "contract_id", "term_id");
	collect_of_terms(change, &terms);
}

/* Registers with the engine; called once when the library is loaded. */
void
cec_coverage_init(void)
{
	cec_change_register(CEC_STAGE_COLLECT, "inclusion", collect_from_lines);
	cec_change_register(CEC_STAGE_COLLECT, "asset", collect_from_assets);
	cec_change_register(CEC_STAGE_COLLECT, "bundle", collect_from_bundles);
	cec_change_register(CEC_STAGE_COLLECT, "bundle_member", collect_from_members);
	cec_change_register(CEC_STAGE_COLLECT, "coverage_term", collect_from_terms);
	cec_change_register(CEC_STAGE_COLLECT, "contract", collect_from_contracts);
}
