/*
 * replay_sum.c
 *		Brings together what log and tables say of each row, and judges it.
 *
 * An item says something of a row, or of one value of it.  Items are sorted, so that all of a row come one after
 * another, those of the row itself first.
 *
 * A change of a key makes one row of two keys.  Such rows are few; they are kept in a hash table, joined into classes,
 * and each class is judged like one row.
 */
#include "postgres.h"

#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"

#include "replay/replay.h"
#include "support/compat.h"
#include "support/grow.h"

/* An item as it is sorted: bytes that compare like table, row and column. */
typedef struct SortedItem
{
	char header[VARHDRSZ];
	uint32 table;
	uint32 row_high;
	uint32 row_low;
	uint32 column;
	int32 flags;
	CecSum sum;
	CecSum old;
} SortedItem;

/* What all items of a row, or of a class of rows, come to. */
typedef struct RowTotal
{
	int64 inserted; /* entries */
	int64 deleted;
	int64 entries;
	int64 present;
	int flags;
	bool differs; /* in a value with items of its own */
	CecSum sum;
} RowTotal;

/* The same for one value of a row. */
typedef struct ValueTotal
{
	int64 inserted;
	int64 deleted;
	bool is_present;
	CecSum logged;
	CecSum present;
	CecSum *olds;
	int nolds;
} ValueTotal;

typedef struct Link
{
	int64 row_id; /* these two are the key */
	int64 table;
	struct Link *parent; /* NULL: the class's own entry */
	RowTotal total;		 /* of the class, in its own entry */
	int64 *row_ids;
	int count;
} Link;

void
cec_replay_begin_sums(CecReplay *replay)
{
	replay->items =
		tuplesort_begin_datum(BYTEAOID, ByteaLessOperator, InvalidOid, false, work_mem, NULL, TUPLESORT_NONE);
}

/* Hands in an item. */
void
cec_replay_put(CecReplay *replay, const CecReplayItem *item)
{
	uint64 row = (uint64) item->row_id ^ (UINT64CONST(1) << 63);
	SortedItem sorted;

	SET_VARSIZE(&sorted, item->flags & CEC_REPLAY_OLD ? sizeof(SortedItem) : offsetof(SortedItem, old));
	sorted.table = pg_hton32((uint32) item->table);
	sorted.row_high = pg_hton32((uint32) (row >> 32));
	sorted.row_low = pg_hton32((uint32) row);
	sorted.column = pg_hton32((uint32) (item->column + 1));
	sorted.flags = item->flags;
	sorted.sum = item->sum;
	sorted.old = item->old;
	tuplesort_putdatum(replay->items, PointerGetDatum(&sorted), false);
}

/* The next item in order; false after the last. */
static bool
get_item(CecReplay *replay, CecReplayItem *item)
{
	Datum value;
	bool isnull;
	SortedItem sorted = {0};

	if (!cec_compat_tuplesort_getdatum(replay->items, &value, &isnull))
		return false;
	memcpy(&sorted, DatumGetPointer(value), VARSIZE(DatumGetPointer(value)));
	pfree(DatumGetPointer(value));
	item->table = (int) pg_ntoh32(sorted.table);
	item->row_id =
		(int64) (((uint64) pg_ntoh32(sorted.row_high) << 32 | pg_ntoh32(sorted.row_low)) ^ (UINT64CONST(1) << 63));
	item->column = (int) pg_ntoh32(sorted.column) - 1;
	item->flags = sorted.flags;
	item->sum = sorted.sum;
	item->old = sorted.old;
	return true;
}

static Link *
class_of(Link *link)
{
	while (link->parent != NULL)
		link = link->parent;
	return link;
}

static Link *
find_link(CecReplay *replay, int table, int64 row_id, HASHACTION action)
{
	Link key = {0};
	bool found;
	Link *link;

	key.row_id = row_id;
	key.table = table;
	link = hash_search(replay->links, &key, action, &found);
	if (link != NULL && !found)
		memset((char *) link + offsetof(Link, parent), 0, sizeof(Link) - offsetof(Link, parent));
	return link;
}

/* Says that two keys are, or were, one row. */
void
cec_replay_link(CecReplay *replay, int table, int64 one, int64 other)
{
	Link *one_class;
	Link *other_class;

	if (replay->links == NULL)
	{
		HASHCTL ctl = {0};

		ctl.keysize = offsetof(Link, parent);
		ctl.entrysize = sizeof(Link);
		ctl.hcxt = GetMemoryChunkContext(replay->by_number);
		replay->links = hash_create("cec rows of changed keys", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	one_class = class_of(find_link(replay, table, one, HASH_ENTER));
	other_class = class_of(find_link(replay, table, other, HASH_ENTER));
	if (one_class != other_class)
		other_class->parent = one_class;
}

static void
report_row(CecReplay *replay, CecReplayTable *table, const char *kind, const int64 *row_ids, int count,
		   const char *detail)
{
	if (count > 1)
		detail = psprintf("%s Its key was changed: it is taken together with row " INT64_FORMAT "%s.", detail,
						  row_ids[1], count > 2 ? " and others" : "");
	cec_replay_report(replay, table, kind, row_ids, NULL, detail);
}

/* Judges a row, or a class of rows: how many there are, then what they hold. */
static void
judge_row(CecReplay *replay, CecReplayTable *table, const RowTotal *total, const int64 *row_ids, int count)
{
	int64 expected = total->inserted - total->deleted;

	if (total->present > expected && total->entries == 0)
		report_row(replay, table, "EXTRA", row_ids, count, "The log does not know this row.");
	else if (total->present > expected && (total->flags & CEC_REPLAY_ERASED) && total->inserted == 0)
		report_row(replay, table, "ERASED", row_ids, count,
				   "An entry of it was erased; how it came to be is not known.");
	else if (total->present > expected)
		report_row(replay, table, "EXTRA", row_ids, count,
				   total->present == 0	  ? "The log has more deletions of it than insertions."
				   : total->inserted == 0 ? "The log has changes of this row, but not its insertion."
				   : expected > 0		  ? "It is there more often than the log says."
										  : "The log says that this row was deleted.");
	else if (total->present < expected)
		report_row(replay, table, "MISSING", row_ids, count,
				   total->present == 0 ? "The log has its insertion, and no deletion."
									   : "The log has it inserted more than once.");
	else if (total->flags & CEC_REPLAY_UNREADABLE)
		return; /* said already */
	else if (total->flags & CEC_REPLAY_ERASED)
	{
		if (total->present > 0)
			report_row(replay, table, "ERASED", row_ids, count,
					   "An entry of it was erased; its values were not compared.");
	}
	else if (!cec_sum_is_zero(total->sum) || total->differs)
		cec_replay_look(replay, table, row_ids, count);
}

static void
add_row_item(RowTotal *total, const CecReplayItem *item)
{
	total->inserted += (item->flags & CEC_REPLAY_INSERT) != 0;
	total->deleted += (item->flags & CEC_REPLAY_DELETE) != 0;
	total->present += (item->flags & CEC_REPLAY_PRESENT) != 0;
	total->entries += (item->flags & CEC_REPLAY_PRESENT) == 0;
	total->flags |= item->flags & (CEC_REPLAY_ERASED | CEC_REPLAY_UNREADABLE);
	cec_sum_add(&total->sum, item->sum);
}

static void
add_value_item(ValueTotal *value, const CecReplayItem *item)
{
	if (item->flags & CEC_REPLAY_PRESENT)
	{
		value->is_present = true;
		value->present = item->sum;
		return;
	}
	value->inserted += (item->flags & CEC_REPLAY_INSERT) != 0;
	value->deleted += (item->flags & CEC_REPLAY_DELETE) != 0;
	cec_sum_add(&value->logged, item->sum);
	if (item->flags & CEC_REPLAY_OLD)
	{
		value->olds = cec_grow(CurrentMemoryContext, value->olds, (value->nolds + 1) * sizeof(CecSum));
		value->olds[value->nolds++] = item->old;
	}
}

/*
 * Whether a value of a row that is there can be what the log says.  Where the log does not have the row's first value,
 * the first one that it took away must have been that, whichever it was.
 */
static bool
value_fits(const ValueTotal *value)
{
	CecSum first = value->present;

	cec_sum_subtract(&first, value->logged);
	if (value->inserted > value->deleted)
		return cec_sum_is_zero(first);
	for (int i = 0; i < value->nolds; i++)
		if (cec_sum_equal(first, value->olds[i]))
			return true;
	return value->nolds == 0;
}

static void
end_value(CecReplayTable *table, int column, RowTotal *row, ValueTotal *value)
{
	bool comparable = value->is_present && row->present == 1 && row->inserted - row->deleted == 1 && row->flags == 0;

	if (comparable && value->inserted <= value->deleted && value->nolds == 0)
		table->columns[column].left_out++;
	else if (comparable && !value_fits(value))
		row->differs = true;
	if (value->nolds > 0)
		pfree(value->olds);
	memset(value, 0, sizeof(ValueTotal));
}

static void
end_row(CecReplay *replay, CecReplayTable *table, int64 row_id, const RowTotal *row)
{
	Link *link = replay->links == NULL ? NULL : find_link(replay, table->number, row_id, HASH_FIND);

	if (link == NULL)
	{
		judge_row(replay, table, row, &row_id, 1);
		return;
	}
	link = class_of(link);
	link->total.inserted += row->inserted;
	link->total.deleted += row->deleted;
	link->total.entries += row->entries;
	link->total.present += row->present;
	link->total.flags |= row->flags;
	cec_sum_add(&link->total.sum, row->sum);
	link->row_ids =
		cec_grow(GetMemoryChunkContext(replay->by_number), link->row_ids, (link->count + 1) * sizeof(int64));
	link->row_ids[link->count++] = row_id;
}

static void
judge_classes(CecReplay *replay)
{
	HASH_SEQ_STATUS status;
	Link *link;

	hash_seq_init(&status, replay->links);
	while ((link = hash_seq_search(&status)) != NULL)
		if (link->parent == NULL && link->count > 0)
		{
			CecReplayTable *table = replay->by_number[link->table];

			/* Values with items of their own are compared by looking. */
			for (int i = 0; i < table->count; i++)
				link->total.differs = link->total.differs || table->columns[i].since > 0;
			judge_row(replay, table, &link->total, link->row_ids, link->count);
		}
}

/* Judges all rows that items were handed in for, and reports what differs. */
void
cec_replay_judge(CecReplay *replay)
{
	CecReplayItem item;
	CecReplayItem last = {0};
	RowTotal row = {0};
	ValueTotal value = {0};
	bool any = false;

	tuplesort_performsort(replay->items);
	while (get_item(replay, &item))
	{
		bool new_row = !any || item.table != last.table || item.row_id != last.row_id;

		CHECK_FOR_INTERRUPTS();
		if (any && last.column >= 0 && (new_row || item.column != last.column))
			end_value(replay->by_number[last.table], last.column, &row, &value);
		if (any && new_row)
		{
			end_row(replay, replay->by_number[last.table], last.row_id, &row);
			memset(&row, 0, sizeof(row));
		}
		if (item.column < 0)
			add_row_item(&row, &item);
		else
			add_value_item(&value, &item);
		last = item;
		any = true;
	}
	if (any && last.column >= 0)
		end_value(replay->by_number[last.table], last.column, &row, &value);
	if (any)
		end_row(replay, replay->by_number[last.table], last.row_id, &row);
	tuplesort_end(replay->items);
	if (replay->links != NULL)
		judge_classes(replay);
}
