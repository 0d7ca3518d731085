/*
 * inclusion_validate.c
 *		Checks new and changed list lines against the register, the terms and each other.
 *
 * The assets of the lines are locked by now; reading is with the snapshot taken then.  Whoever retires one of them, or lists it
 * too, has committed by then and is seen, or waits until we have.  Terms and contracts cannot change meanwhile: that
 * needs the gate alone.  The foreign keys have already said that asset and term exist, or will where they are deferrable:
 * then a line is checked against the lines that there are, and against everything when the row comes that it waits for.
 */
#include "postgres.h"

#include "init.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "inclusion/inclusion_lines.h"
#include "inclusion/inclusion_resolve.h"
#include "portfolio/change.h"
#include "support/column.h"
#include "support/day_set.h"
#include "support/probe.h"
#include "support/slot.h"
#include "support/word.h"

static void validate_lines(CecChange *change);
static void validate_early_lines(CecChange *change);

/* Registers with the engine; called once when the library is loaded. */
void
cec_inclusion_init(void)
{
	cec_change_register(CEC_STAGE_VALIDATE, "inclusion", validate_lines);
	cec_change_register(CEC_STAGE_VALIDATE, "coverage_term", validate_early_lines);
	cec_change_register(CEC_STAGE_VALIDATE, "contract", validate_early_lines);
	cec_change_register(CEC_STAGE_VALIDATE, "asset", validate_early_lines);
}

/* The columns of a list line. */
typedef struct LineColumns
{
	AttrNumber inclusion_id;
	AttrNumber asset_id;
	AttrNumber term_id;
	AttrNumber effect;
	AttrNumber during;
	AttrNumber listed_as;
} LineColumns;

static LineColumns
find_columns(Relation rel)
{
	LineColumns columns;

	columns.inclusion_id = cec_column_require(rel, "inclusion_id", INT8OID);
	columns.asset_id = cec_column_require(rel, "asset_id", INT8OID);
	columns.term_id = cec_column_require(rel, "term_id", INT8OID);
	columns.effect = cec_column_require(rel, "effect", TEXTOID);
	columns.during = cec_column_require(rel, "during", DATERANGEOID);
	columns.listed_as = cec_column_require_nullable(rel, "listed_as", TEXTOID);
	return columns;
}

/*
 * Whether a changed line promises nothing that the old one did not: same asset, term and effect, and days within the
 * old days.  What was accepted once stays acceptable, even where the register has moved on.
 */
static bool
promises_nothing_new(TupleTableSlot *old_row, TupleTableSlot *new_row, const LineColumns *columns)
{
	CecDays old_days = cec_days_of_range(cec_slot_value(old_row, columns->during));
	CecDays new_days = cec_days_of_range(cec_slot_value(new_row, columns->during));

	return cec_rows_same_value(old_row, new_row, columns->asset_id) &&
		   cec_rows_same_value(old_row, new_row, columns->term_id) &&
		   cec_rows_same_value(old_row, new_row, columns->effect) && old_days.from <= new_days.from &&
		   new_days.to <= old_days.to;
}

static CecLine
line_of_row(TupleTableSlot *row, const LineColumns *columns, bool is_name_new)
{
	CecLine line = {0};

	line.inclusion_id = cec_slot_int8(row, columns->inclusion_id);
	line.asset_id = cec_slot_int8(row, columns->asset_id);
	line.term_id = cec_slot_int8(row, columns->term_id);
	line.during = cec_days_of_range(cec_slot_value(row, columns->during));
	line.is_include = cec_word_is(cec_slot_value(row, columns->effect), "include");
	if (is_name_new && !cec_slot_isnull(row, columns->listed_as))
		line.listed_as = DatumGetTextPCopy(cec_slot_value(row, columns->listed_as));
	return line;
}

/* Tells that lines were stored as they are and cover less. */
static void
notice_clipped(CecChange *change, const CecClipped *clipped)
{
	bool may_tell;

	if (clipped->count == 0)
		return;
	may_tell = cec_change_may_tell(change, "inclusion") && cec_change_may_tell(change, "coverage_term") &&
			   cec_change_may_tell(change, "contract");
	ereport(NOTICE, (errmsg_plural(INT64_FORMAT " list line goes beyond its term, and covers only within it",
								   INT64_FORMAT " list lines go beyond their term, and cover only within it",
								   clipped->count, clipped->count),
					 may_tell ? errdetail("One of them is listed %s; term and contract run %s.",
										  cec_days_in_words(clipped->first.during), cec_days_in_words(clipped->term))
							  : 0,
					 errhint("Shorten the line, or extend the term and its contract.")));
}

/* The place of the next line that was not taken out of the statement; unresolved is where the last call left it. */
static int64
next_place(int64 place, List *unresolved, ListCell **cell)
{
	for (place++; *cell != NULL && ((CecUnresolved *) lfirst(*cell))->place == place; place++)
		*cell = lnext(unresolved, *cell);
	return place;
}

/* The lines that promise something new; those that name no asset are not among them. */
static CecLines
collect_lines(CecChange *change, List *unresolved, bool has_places)
{
	CecLines lines = {0};
	LineColumns columns;
	CecRows rows;
	ListCell *cell = list_head(unresolved);
	int64 place = 0;

	columns = find_columns(change->rel);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		CecLine line;

		slot_getallattrs(rows.new_row);
		if (rows.old_row != NULL)
		{
			slot_getallattrs(rows.old_row);
			if (promises_nothing_new(rows.old_row, rows.new_row, &columns))
				continue;
		}
		line = line_of_row(rows.new_row, &columns, rows.old_row == NULL);
		if (has_places)
			line.place = place = next_place(place, unresolved, &cell);
		cec_inclusion_add_line(&lines, line);
	}
	cec_rows_end(&rows);
	return lines;
}

/* Handler of the validate stage; the assets are locked. */
static void
validate_lines(CecChange *change)
{
	List *unresolved;
	List *wrong;
	CecClipped clipped = {0};
	bool has_places;
	int64 line_count;

	cec_inclusion_check_names(change);
	unresolved = cec_inclusion_take_unresolved(change, &has_places);
	wrong = cec_inclusion_explain_unresolved(change, unresolved);
	line_count = list_length(wrong);
	if (change->new_rows != NULL && !cec_change_is_empty(change))
	{
		CecLines lines = collect_lines(change, unresolved, has_places);
		List *misnamed = NIL;
		CecLines doubtful = cec_inclusion_find_doubtful(change, &lines, &misnamed, &clipped);

		line_count += lines.count;
		wrong = list_concat(wrong, cec_inclusion_explain_unresolved(change, misnamed));
		if (doubtful.count > 0)
			wrong = list_concat(wrong, cec_inclusion_explain_lines(change, &doubtful));
	}
	if (wrong != NIL)
		cec_inclusion_refuse(change, wrong, line_count);
	notice_clipped(change, &clipped);
}

/* The keys of rows that came, or came to have them. */
static CecIds
collect_new_keys(CecChange *change, const char *column)
{
	CecIds keys = {0};
	CecRows rows;
	AttrNumber key = cec_column_require(change->rel, column, INT8OID);

	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		slot_getallattrs(rows.new_row);
		if (rows.old_row != NULL)
		{
			slot_getallattrs(rows.old_row);
			if (cec_rows_same_value(rows.old_row, rows.new_row, key))
				continue;
		}
		cec_ids_add(&keys, cec_slot_int8(rows.new_row, key));
	}
	cec_rows_end(&rows);
	cec_ids_sort_unique(&keys);
	return keys;
}

/*
 * The lines that refer to the keys by a column, of those that the transaction has written: others were checked against the rows of
 * their time, and stay as they are when such a row goes and another one takes its place.
 */
static CecLines
find_own_lines(CecChange *change, const CecIds *keys, const char *column, bool is_name_new)
{
	CecLines lines = {0};
	Snapshot snapshot = cec_latest_snapshot();
	CecProbe *probe =
		cec_probe_begin(cec_portfolio_open(change->portfolio, "inclusion", AccessShareLock), column, snapshot);
	LineColumns columns = find_columns(cec_probe_relation(probe));

	for (int64 i = 0; i < keys->count; i++)
	{
		TupleTableSlot *row;

		CHECK_FOR_INTERRUPTS();
		cec_probe_seek(probe, keys->ids[i]);
		while ((row = cec_probe_next(probe)) != NULL)
		{
			bool isnull;
			Datum xmin = slot_getsysattr(row, MinTransactionIdAttributeNumber, &isnull);

			if (TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin)))
			{
				slot_getallattrs(row);
				cec_inclusion_add_line(&lines, line_of_row(row, &columns, is_name_new));
			}
		}
	}
	cec_probe_end(probe);
	UnregisterSnapshot(snapshot);
	return lines;
}

/*
 * Handler of the validate stage, for terms, contracts and assets: where a line may come before them, it is checked against
 * everything now.  The transaction is alone since it came (coverage_await.c, bundle_lock.c).
 */
static void
validate_early_lines(CecChange *change)
{
	bool is_asset = strcmp(change->table_name, "asset") == 0;
	CecIds keys;
	CecLines lines;
	CecLines doubtful;
	CecClipped clipped = {0};
	List *misnamed = NIL;
	List *wrong;

	if (change->operation == CEC_DELETE || cec_change_is_empty(change) || !cec_change_may_dangle(change))
		return;
	if (strcmp(change->table_name, "contract") == 0)
	{
		CecIds contracts = collect_new_keys(change, "contract_id");

		keys = cec_change_follow(change, &contracts, "coverage_term", "contract_id", "term_id");
	}
	else
		keys = collect_new_keys(change, is_asset ? "asset_id" : "term_id");
	if (keys.count == 0)
		return;
	lines = find_own_lines(change, &keys, is_asset ? "asset_id" : "term_id", is_asset);
	doubtful = cec_inclusion_find_doubtful(change, &lines, &misnamed, &clipped);
	wrong = cec_inclusion_explain_unresolved(change, misnamed);
	if (doubtful.count > 0)
		wrong = list_concat(wrong, cec_inclusion_explain_lines(change, &doubtful));
	if (wrong != NIL)
		cec_inclusion_refuse(change, wrong, lines.count);
	notice_clipped(change, &clipped);
}
