/*
 * identifier_alike.c
 *		Assets that are called alike: which of them a statement on assets makes suspect, and what it locks for that.
 *
 * Two sessions that each add an asset with one serial number do not see each other's, nor does who types a name see who takes it away.  So
 * whoever changes what assets are called, or types a name, locks
 * the keys, old and new, before it looks: a row of finding_bucket for each, by the hash of the key.  They are few, so that a bulk load
 * locks few, and they are locked in order, before assets are.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/snapmgr.h"

#include "init.h"
#include "registry/identifier_alike.h"
#include "registry/identifier_key.h"
#include "support/column.h"
#include "support/grow.h"
#include "support/key_probe.h"
#include "support/slot.h"

#define BUCKETS 32

/* Shorter keys say nothing: no pair has one. */
#define SHORTEST_KEY 5

static const char change_key;

/*
 * Assets with one of the old keys ($2), and those with a new one ($1) that another asset has, too.  A key that more than a hundred have concerns
 * nobody else any more.
 */
static const CecQuery assets_alike = {
	"SELECT DISTINCT m.asset_id FROM (SELECT k.key, false AS is_old FROM unnest($1::text[]) AS k(key) UNION ALL"
	" SELECT k.key, true FROM unnest($2::text[]) AS k(key)) AS k CROSS JOIN LATERAL"
	" (SELECT n.asset_id, min(n.asset_id) OVER () <> max(n.asset_id) OVER () AS is_shared FROM ("
	"(SELECT a.asset_id FROM @P@.asset a WHERE cec.identifier_key(a.asset_tag) = k.key LIMIT 102) UNION ALL"
	" (SELECT a.asset_id FROM @P@.asset a WHERE cec.identifier_key(a.serial_number) = k.key LIMIT 102)) AS n OFFSET 0) AS m"
	" WHERE k.is_old OR m.is_shared ORDER BY 1",
	2,
	{TEXTARRAYOID, TEXTARRAYOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID}};

static const CecSource bucket = {"finding_bucket", "bucket_id", INT8OID, RowShareLock, {{"bucket_id", INT8OID}}};

/* Keys, in the order of the rows. */
typedef struct Keys
{
	int64 count;
	int64 space;
	Datum *keys;
} Keys;

/* Where names stand in a table, of assets or of what people typed and saw. */
typedef struct NameColumns
{
	const char *table;
	const char *columns[2];
} NameColumns;

static const NameColumns name_columns[] = {{"asset", {"asset_tag", "serial_number"}},
										   {"asset_identifier", {"value"}},
										   {"field_observation", {"seen_tag"}},
										   {"amendment_line", {"identifier", "successor_identifier"}}};

/* What a statement on assets does to what they are called. */
typedef struct Renamed
{
	Keys locked; /* all, however short */
	Keys old_keys;
	Keys new_keys;
	CecIds assets; /* that were called otherwise before */
	CecRetagged retagged;
} Renamed;

static void
append_key(Keys *keys, text *key)
{
	CEC_MAKE_ROOM(keys->keys, keys->count, keys->space, 8);
	keys->keys[keys->count++] = PointerGetDatum(key);
}

/* The key of a name is locked, and compared with others where it says something; keys NULL: only locked. */
static void
add_key(Renamed *renamed, Keys *keys, const TupleTableSlot *row, AttrNumber column)
{
	text *key;

	if (row == NULL || column == InvalidAttrNumber || cec_slot_isnull(row, column))
		return;
	key = cec_identifier_key_of(DatumGetTextPP(cec_slot_value(row, column)));
	if (key == NULL)
		return;
	append_key(&renamed->locked, key);
	if (keys != NULL && VARSIZE_ANY_EXHDR(key) >= SHORTEST_KEY)
		append_key(keys, key);
}

/* Notes an asset that has another tag; old_row has the one that it had. */
static void
add_retagged(CecRetagged *retagged, const TupleTableSlot *old_row, AttrNumber asset_id, AttrNumber asset_tag)
{
	CEC_MAKE_ROOM(retagged->tags, retagged->assets.count, retagged->space, 8);
	retagged->tags[retagged->assets.count] = datumCopy(cec_slot_value(old_row, asset_tag), false, -1);
	cec_ids_add(&retagged->assets, cec_slot_int8(old_row, asset_id));
}

/* What the rows say; kept until the end of the change. */
static Renamed *
read_rows(CecChange *change)
{
	static const char *const columns[] = {"asset_tag", "serial_number", "manufacturer"};
	Renamed *renamed = cec_change_keep(change, &change_key, sizeof(Renamed));
	AttrNumber attnums[lengthof(columns)];
	AttrNumber asset_id = cec_column_require(change->rel, "asset_id", INT8OID);
	CecRows rows;

	for (int i = 0; i < lengthof(columns); i++)
		attnums[i] = cec_column_require_nullable(change->rel, columns[i], TEXTOID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		bool differs = rows.old_row == NULL || rows.new_row == NULL;

		CHECK_FOR_INTERRUPTS();
		cec_rows_deform(&rows);
		for (int i = 0; i < lengthof(columns) && !differs; i++)
			differs = !cec_rows_same_value(rows.old_row, rows.new_row, attnums[i]);
		if (!differs)
			continue;
		for (int i = 0; i < 2; i++)
		{
			add_key(renamed, &renamed->old_keys, rows.old_row, attnums[i]);
			add_key(renamed, &renamed->new_keys, rows.new_row, attnums[i]);
		}
		if (rows.old_row != NULL)
			cec_ids_add(&renamed->assets, cec_slot_int8(rows.old_row, asset_id));
		if (rows.old_row != NULL && rows.new_row != NULL &&
			!cec_rows_same_value(rows.old_row, rows.new_row, attnums[0]))
			add_retagged(&renamed->retagged, rows.old_row, asset_id, attnums[0]);
	}
	cec_rows_end(&rows);
	return renamed;
}

static void
find_buckets(const Keys *keys, bool *found)
{
	for (int64 i = 0; i < keys->count; i++)
	{
		text *key = DatumGetTextPP(keys->keys[i]);

		found[hash_bytes((unsigned char *) VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)) % BUCKETS] = true;
	}
}

/* The same of what people typed or saw: it is only locked. */
static Renamed *
read_typed(CecChange *change, const NameColumns *columns)
{
	Renamed *renamed = cec_change_keep(change, &change_key, sizeof(Renamed));
	AttrNumber attnums[2] = {InvalidAttrNumber, InvalidAttrNumber};
	CecRows rows;

	for (int i = 0; i < 2 && columns->columns[i] != NULL; i++)
		attnums[i] = cec_column_require_nullable(change->rel, columns->columns[i], TEXTOID);
	cec_rows_begin(&rows, change);
	while (cec_rows_next(&rows))
	{
		CHECK_FOR_INTERRUPTS();
		cec_rows_deform(&rows);
		for (int i = 0; i < 2; i++)
		{
			add_key(renamed, NULL, rows.old_row, attnums[i]);
			add_key(renamed, NULL, rows.new_row, attnums[i]);
		}
	}
	cec_rows_end(&rows);
	return renamed;
}

static const NameColumns *
columns_of(const char *table)
{
	for (int i = 0; i < lengthof(name_columns); i++)
		if (strcmp(name_columns[i].table, table) == 0)
			return &name_columns[i];
	elog(ERROR, "table %s has no names", table);
}

/* Handler of the lock stage. */
static void
lock_buckets(CecChange *change)
{
	Renamed *renamed;
	bool found[BUCKETS] = {false};
	CecLook *look;

	if (cec_change_is_empty(change))
		return;
	renamed = strcmp(change->table_name, "asset") == 0 ? read_rows(change)
													   : read_typed(change, columns_of(change->table_name));
	if (renamed->locked.count == 0 || cec_portfolio_holds_gate(change->portfolio, ShareRowExclusiveLock))
		return;
	find_buckets(&renamed->locked, found);
	look = cec_reading_look(cec_change_reading(change), &bucket);
	for (int i = 0; i < BUCKETS; i++)
		if (found[i])
			(void) cec_probe_lock(look->probe, i);
}

static Datum
as_array(const Keys *keys)
{
	return PointerGetDatum(construct_array(keys->keys, keys->count, TEXTOID, -1, false, TYPALIGN_INT));
}

static bool
has_two(CecKeyProbe *const *probes, AttrNumber asset_id, text *key)
{
	int64 first = 0;
	bool found = false;

	for (int i = 0; i < 2; i++)
	{
		TupleTableSlot *row;

		cec_key_probe_seek(probes[i], (CecKey){VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)});
		while ((row = cec_key_probe_next(probes[i])) != NULL)
		{
			int64 id = cec_slot_int8(row, asset_id);

			if (found && id != first)
				return true;
			first = id;
			found = true;
		}
	}
	return false;
}

/* Of some keys those that two assets have, looked up one by one: mostly there is none.  Where indexes are missing, all. */
static Keys
shared_keys(CecChange *change, const Keys *keys)
{
	Oid argument = TEXTOID;
	Oid function = LookupFuncName(list_make2(makeString("cec"), makeString("identifier_key")), 1, &argument, false);
	AttrNumber asset_id = cec_column_require(change->rel, "asset_id", INT8OID);
	Snapshot snapshot = cec_latest_snapshot();
	CecKeyProbe *probes[2] = {cec_key_probe_begin(change->rel, "asset_tag", function, snapshot),
							  cec_key_probe_begin(change->rel, "serial_number", function, snapshot)};
	bool can_look = probes[0] != NULL && probes[1] != NULL;
	Keys shared = {0};

	for (int64 i = 0; i < keys->count; i++)
	{
		text *key = DatumGetTextPP(keys->keys[i]);

		CHECK_FOR_INTERRUPTS();
		if (!can_look || has_two(probes, asset_id, key))
			append_key(&shared, key);
	}
	for (int i = 0; i < 2; i++)
		if (probes[i] != NULL)
			cec_key_probe_end(probes[i]);
	UnregisterSnapshot(snapshot);
	return shared;
}

/* Of a changed statement on assets, those of which pairs are to be compared. */
CecIds
cec_identifier_alike(CecChange *change)
{
	Renamed *renamed = cec_change_kept(change, &change_key);
	CecIds alike = {0};
	Keys shared = {0};
	Datum args[2];

	if (renamed == NULL)
		return alike;
	alike = renamed->assets;
	if (renamed->new_keys.count > 0)
		shared = shared_keys(change, &renamed->new_keys);
	if (shared.count == 0 && renamed->old_keys.count == 0)
		return alike;
	args[0] = as_array(&shared);
	args[1] = as_array(&renamed->old_keys);
	cec_query_ids(change->portfolio->plans, &assets_alike, args, &alike);
	cec_ids_sort_unique(&alike);
	return alike;
}

/* Of a changed statement on assets, those that have another tag now; NULL: there are none. */
const CecRetagged *
cec_identifier_retagged(CecChange *change)
{
	Renamed *renamed = cec_change_kept(change, &change_key);

	return renamed == NULL || renamed->retagged.assets.count == 0 ? NULL : &renamed->retagged;
}

/* Registers with the engine, before assets are locked. */
void
cec_identifier_alike_init(void)
{
	for (int i = 0; i < lengthof(name_columns); i++)
		cec_change_register(CEC_STAGE_LOCK, name_columns[i].table, lock_buckets);
}
