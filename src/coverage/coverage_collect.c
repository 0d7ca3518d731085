/*
 * coverage_collect.c
 *		Which assets a changed statement concerns: from the rows of each table to the assets whose cover may change.
 *
 * Only what the definition of coverage mentions counts: a new price or a new tag changes no cover.  Members below the
 * assets are added later (bundle_lock.c).
 *
 * A row can take the place of another one that lists and bundles refer to: its key is changed to the one that has just
 * become free, or one statement deletes the old row and inserts the new one.  The foreign keys have nothing against
 * either, so a changed key counts as a change of all that refers to it, and so does a deleted one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/snapmgr.h"

#include "change.h"
#include "column.h"
#include "coverage.h"
#include "probe.h"

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
			cec_ids_add(&ids, DatumGetInt64(rows.old_row->tts_values[attnum - 1]));
		if (rows.new_row != NULL && (rows.old_row == NULL || !cec_rows_same_value(rows.old_row, rows.new_row, attnum)))
			cec_ids_add(&ids, DatumGetInt64(rows.new_row->tts_values[attnum - 1]));
	}
	cec_rows_end(&rows);
	return ids;
}

/* From keys to the values of another column of the rows that have them. */
static CecIds
follow(CecChange *change, const CecIds *keys, const char *table, const char *key_column, const char *column)
{
	CecIds found = {0};
	Snapshot snapshot;
	CecProbe *probe;
	AttrNumber attnum;

	if (keys->count == 0)
		return found;
	snapshot = cec_latest_snapshot();
	probe = cec_probe_begin(cec_portfolio_open(change->portfolio, table, AccessShareLock), key_column, snapshot);
	attnum = cec_probe_column(probe, column, INT8OID);
	for (int64 i = 0; i < keys->count; i++)
	{
		TupleTableSlot *row;

		cec_probe_seek(probe, keys->ids[i]);
		while ((row = cec_probe_next(probe)) != NULL)
			cec_ids_add(&found, DatumGetInt64(row->tts_values[attnum - 1]));
	}
	cec_probe_end(probe);
	UnregisterSnapshot(snapshot);
	cec_ids_sort_unique(&found);
	return found;
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

	/* Nothing refers to a new asset yet; where it takes the place of a deleted one, that one is collected. */
	if (change->operation != CEC_INSERT)
		add_assets(change, collect_column(change, "asset_id", life));
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
	add_assets(change, follow(change, &bundles, "bundle_member", "bundle_id", "asset_id"));
}

/* The assets on the lists of terms, and those that rules qualify for them. */
static void
collect_of_terms(CecChange *change, const CecIds *terms)
{
	CecIds rules = follow(change, terms, "coverage_rule", "term_id", "rule_id");

	add_assets(change, follow(change, terms, "inclusion", "term_id", "asset_id"));
	add_assets(change, follow(change, &rules, "rule_effect", "rule_id", "asset_id"));
}

static void
collect_from_terms(CecChange *change)
{
	static const char *const columns[] = {"term_id", "contract_id", "during", "covers_bundles", NULL};
	CecIds terms;

	if (change->operation == CEC_INSERT)
		return;
	terms = collect_column(change, "term_id", columns);
	collect_of_terms(change, &terms);
}

static void
collect_from_contracts(CecChange *change)
{
	static const char *const columns[] = {"contract_id", "status", "during", "suspensions", NULL};
	CecIds contracts;
	CecIds terms;

	if (change->operation == CEC_INSERT)
		return;
	contracts = collect_column(change, "contract_id", columns);
	terms = follow(change, &contracts, "coverage_term", "contract_id", "term_id");
	collect_of_terms(change, &terms);
}

/* Handler of the cover stage. */
static void
update_coverage(CecChange *change)
{
	if (change->assets.count > 0)
		(void) cec_coverage_update(change->portfolio, &change->assets, &change->facts, 0);
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
	cec_change_register(CEC_STAGE_COVER, NULL, update_coverage);
	cec_duplicate_notice_init();
	cec_terminate_notice_init();
}
