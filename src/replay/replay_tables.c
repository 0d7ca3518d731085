/*
 * replay_tables.c
 *		Which tables the log is compared with, what columns they have now, and which the log's entries were written with.
 *
 * All tables are locked (as a reader locks them) before the snapshot of the comparison is taken: a table that somebody
 * rewrites between the two would look empty.
 *
 * A column is the same as in a list when name, type and form are.  Adding a column, or changing its type, writes rows
 * lawfully and without an entry.  So for each column that some list lacks it is noted up to which entry such a list was
 * in use ("since"): a row made later has all its values in the log, an older one only what was changed later.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "replay/replay.h"
#include "support/act_as.h"
#include "support/compat.h"
#include "support/grow.h"

/* A query over the portfolio, whose schema stands in the place of "@P@". */
char *
cec_replay_sql(const CecReplay *replay, const char *text)
{
	return cec_query_text(replay->portfolio->nspid, quote_identifier(get_namespace_name(replay->portfolio->nspid)),
						  text);
}

static char *
column_text(int row, int column)
{
	char *text = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);

	return text != NULL ? text : pstrdup("");
}

/* The entry of a table by the log's name for it, made if there is none; NULL for what cannot be a table's name. */
CecReplayTable *
cec_replay_table(CecReplay *replay, const char *name)
{
	bool found;
	CecReplayTable *table;

	if (strlen(name) >= NAMEDATALEN)
		return NULL;
	table = hash_search(replay->tables, name, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) table + NAMEDATALEN, 0, sizeof(CecReplayTable) - NAMEDATALEN);
		table->number = replay->ntables++;
		table->key = -1;
		replay->by_number =
			cec_grow(CurrentMemoryContext, replay->by_number, replay->ntables * sizeof(CecReplayTable *));
		replay->by_number[table->number] = table;
	}
	return table;
}

/* Rows are known by the primary key; where somebody dropped that, by the identity column. */
static bool
is_key(Relation rel, Bitmapset *primary_key, Form_pg_attribute att)
{
	return att->atttypid == INT8OID && (bms_is_member(att->attnum - FirstLowInvalidHeapAttributeNumber, primary_key) ||
										(primary_key == NULL && att->attidentity != '\0'));
}

static void
describe_columns(CecReplayTable *table, Relation rel)
{
	TupleDesc desc = RelationGetDescr(rel);
	Bitmapset *primary_key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);

	table->columns = palloc0(desc->natts * sizeof(CecReplayColumn));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		CecReplayColumn *column = &table->columns[table->count];

		if (att->attisdropped || cec_compat_is_virtual(att))
			continue;
		column->name = pstrdup(NameStr(att->attname));
		column->type_name =
			format_type_extended(att->atttypid, att->atttypmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
		column->type = cec_canon_type(att->atttypid);
		column->code = cec_canon_code(column->type);
		column->attnum = att->attnum;
		if (table->key < 0 && is_key(rel, primary_key, att))
			table->key = table->count;
		table->count++;
	}
}

static void
describe_table(CecReplay *replay, CecReplayTable *table)
{
	Relation rel = cec_portfolio_open_any(replay->portfolio, table->name, AccessShareLock);
	StringInfoData select;

	table->may_show = cec_may_read_all(replay->caller, table->relid);
	describe_columns(table, rel);
	initStringInfo(&select);
	appendStringInfo(&select, CEC_QUERY_MARK "%u any columns */ ", replay->portfolio->nspid);
	for (int i = 0; i < table->count; i++)
		appendStringInfo(&select, "%s%s", i == 0 ? "SELECT " : ", ", quote_identifier(table->columns[i].name));
	appendStringInfo(&select, " FROM %s.%s", quote_identifier(get_namespace_name(replay->portfolio->nspid)),
					 quote_identifier(table->name));
	table->select = select.data;
	table_close(rel, NoLock);
}

static int
compare_tables(const void *one, const void *other)
{
	const CecReplayTable *a = *(CecReplayTable *const *) one;
	const CecReplayTable *b = *(CecReplayTable *const *) other;

	return a->relid < b->relid ? -1 : a->relid > b->relid;
}

/*
 * Finds and locks all tables that are recorded, or have been.  Whoever switched a table's triggers off may have dropped
 * them too: so also what the column lists name.
 */
void
cec_replay_find_tables(CecReplay *replay)
{
	static const char query[] =
		"SELECT DISTINCT ON (name) name, relid FROM ("
		"SELECT convert_from(substring(t.tgargs FOR octet_length(t.tgargs) - 1), getdatabaseencoding()) AS name,"
		" c.oid AS relid, c.relname AS relname"
		" FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
		" WHERE c.relnamespace = $1 AND t.tgname = 'cec_insert' AND t.tgfoid = 'cec.record_change'::regproc"
		" UNION ALL SELECT s.table_name, c.oid, c.relname FROM @P@.audit_schema s"
		" LEFT JOIN pg_class c ON c.relnamespace = $1 AND c.relname::text = s.table_name AND c.relkind IN ('r', 'p')"
		") AS t ORDER BY name, relname::text = name DESC, relid";
	Oid argtypes[] = {OIDOID};
	Datum args[] = {ObjectIdGetDatum(replay->portfolio->nspid)};
	CecReplayTable **by_oid;

	if (SPI_execute_with_args(cec_replay_sql(replay, query), 1, argtypes, args, NULL, true, 0) < 0)
		elog(ERROR, "could not find the tables of a portfolio");
	for (int i = 0; i < (int) SPI_processed; i++)
	{
		CecReplayTable *table = cec_replay_table(replay, column_text(i, 1));
		bool isnull;
		Datum relid = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull);

		if (table != NULL && !isnull)
			table->relid = DatumGetObjectId(relid);
	}

	by_oid = palloc(Max(replay->ntables, 1) * sizeof(CecReplayTable *));
	if (replay->ntables > 0)
		memcpy(by_oid, replay->by_number, replay->ntables * sizeof(CecReplayTable *));
	qsort(by_oid, replay->ntables, sizeof(CecReplayTable *), compare_tables);
	for (int i = 0; i < replay->ntables; i++)
		if (OidIsValid(by_oid[i]->relid))
		{
			LockRelationOid(by_oid[i]->relid, AccessShareLock);
			if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(by_oid[i]->relid)))
				by_oid[i]->relid = InvalidOid;
			else
				describe_table(replay, by_oid[i]);
		}
}

static int
column_texts(int row, int column, Datum **texts)
{
	bool isnull;
	Datum array = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
	bool *nulls;
	int count;

	if (isnull)
		return 0;
	deconstruct_array(DatumGetArrayTypePCopy(array), TEXTOID, -1, false, TYPALIGN_INT, texts, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (nulls[i])
			(*texts)[i] = CStringGetTextDatum("");
	return count;
}

static int
find_column(const CecReplayTable *table, Datum name, Datum type_name, Datum code)
{
	char *name_text = TextDatumGetCString(name);
	char *type_text = TextDatumGetCString(type_name);
	char *code_text = TextDatumGetCString(code);

	for (int i = 0; i < table->count; i++)
		if (strcmp(table->columns[i].name, name_text) == 0 && strcmp(table->columns[i].type_name, type_text) == 0 &&
			strcmp(table->columns[i].code, code_text) == 0)
			return i;
	return -1;
}

/* One row of audit_schema: hash, table, names, types, codes. */
static void
add_list(CecReplay *replay, int row)
{
	bool isnull;
	Datum hash = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &isnull);
	bytea *bytes = isnull ? NULL : DatumGetByteaPP(hash);
	CecReplayTable *table = cec_replay_table(replay, column_text(row, 2));
	Datum *names;
	Datum *types;
	Datum *codes;
	CecReplayList *list;
	int count = column_texts(row, 3, &names);
	int mapped = 0;

	if (bytes == NULL || VARSIZE_ANY_EXHDR(bytes) != CEC_SCHEMA_HASH_LEN || table == NULL ||
		column_texts(row, 4, &types) != count || column_texts(row, 5, &codes) != count)
		return; /* entries that need it are reported as unreadable */
	list = hash_search(replay->lists, VARDATA_ANY(bytes), HASH_ENTER, NULL);
	list->table = table;
	list->count = count;
	list->columns = palloc(Max(count, 1) * sizeof(int));
	list->last = 0;
	for (int i = 0; i < count; i++)
	{
		list->columns[i] = find_column(table, names[i], types[i], codes[i]);
		if (list->columns[i] >= 0)
			mapped++;
	}
	if (mapped < table->count)
		table->many_lists = true;
}

/* How far lists that lack a column of today were in use. */
static void
find_last_entries(CecReplay *replay)
{
	static const char query[] = "SELECT substring(row_image FROM 2 FOR 16), max(audit_id) FROM @P@.audit_log"
								" WHERE table_name = ANY ($1) AND row_image IS NOT NULL GROUP BY 1";
	Datum *names = palloc(Max(replay->ntables, 1) * sizeof(Datum));
	int count = 0;
	Oid argtypes[] = {TEXTARRAYOID};
	Datum args[1];

	for (int i = 0; i < replay->ntables; i++)
		if (replay->by_number[i]->many_lists)
			names[count++] = CStringGetTextDatum(replay->by_number[i]->name);
	if (count == 0)
		return;
	args[0] = PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
	if (SPI_execute_with_args(cec_replay_sql(replay, query), 1, argtypes, args, NULL, true, 0) < 0)
		elog(ERROR, "could not find the column lists in use");
	for (int i = 0; i < (int) SPI_processed; i++)
	{
		bool isnull;
		bytea *hash = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		CecReplayList *list = VARSIZE_ANY_EXHDR(hash) != CEC_SCHEMA_HASH_LEN
								  ? NULL
								  : hash_search(replay->lists, VARDATA_ANY(hash), HASH_FIND, NULL);

		if (list != NULL)
			list->last = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull));
	}
}

static void
note_absent_columns(const CecReplayList *list)
{
	CecReplayTable *table = list->table;

	for (int c = 0; c < table->count; c++)
	{
		bool has = false;

		for (int i = 0; i < list->count; i++)
			has = has || list->columns[i] == c;
		if (!has && list->last > table->columns[c].since)
			table->columns[c].since = list->last;
	}
}

/* Reads the column lists and says of each column of today since when all entries have had it. */
void
cec_replay_find_lists(CecReplay *replay)
{
	static const char query[] = "SELECT schema_hash, table_name, column_names, column_types, column_codes"
								" FROM @P@.audit_schema";
	HASH_SEQ_STATUS status;
	CecReplayList *list;

	if (SPI_execute(cec_replay_sql(replay, query), true, 0) < 0)
		elog(ERROR, "could not read the column lists");
	for (int i = 0; i < (int) SPI_processed; i++)
		add_list(replay, i);
	find_last_entries(replay);
	hash_seq_init(&status, replay->lists);
	while ((list = hash_seq_search(&status)) != NULL)
		note_absent_columns(list);
}
