/*
 * audit_columns.c
 *		One cache entry a table: which columns its row images hold, in which forms, under which hash.
 *
 * Key: oid of the table.  Lifetime: the session, each entry in its own context below CacheMemoryContext.
 * Invalidation: relcache messages for the table (columns added, dropped, renamed, retyped).
 *
 * audit_schema must hold the hash of every image.  That it does is remembered only once it is committed, or a rolled
 * back first statement would leave later images without their column list.
 */
#include "postgres.h"

#include "init.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "audit/audit_columns.h"
#include "support/column.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_note_columns);

static HTAB *tables = NULL; /* of ColumnsSlot */

/* The last transaction of this session that added a column list: until it ends, none is known to be committed. */
static FullTransactionId adding_xid = {0};

typedef struct ColumnsSlot
{
	Oid relid; /* key */
	CecAuditColumns *columns;
} ColumnsSlot;

static const CecQuery add_schema = {
	"INSERT INTO @P@.audit_schema (schema_hash, table_name, column_names, column_types, column_codes)"
	" VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
	5,
	{BYTEAOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID},
	CURSOR_OPT_GENERIC_PLAN};

/* Prepares the cache; called once when the library is loaded. */
void
cec_audit_columns_init(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(ColumnsSlot);
	ctl.hcxt = CacheMemoryContext;
	tables = hash_create("cec audited tables", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static char *
type_name(Form_pg_attribute att)
{
	return format_type_extended(att->atttypid, att->atttypmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

static void
hash_text(pg_cryptohash_ctx *hash, const char *text)
{
	if (pg_cryptohash_update(hash, (const uint8 *) text, strlen(text) + 1) < 0)
		elog(ERROR, "could not hash a column list");
}

/* First bytes of SHA-256 over table name and, for each column, name, type and code, each followed by a zero byte. */
static void
compute_hash(CecAuditColumns *columns, CecChange *change)
{
	TupleDesc desc = RelationGetDescr(change->rel);
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	uint8 digest[PG_SHA256_DIGEST_LENGTH];

	if (hash == NULL || pg_cryptohash_init(hash) < 0)
		elog(ERROR, "could not set up SHA-256");
	hash_text(hash, change->table_name);
	for (int i = 0; i < columns->count; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, columns->attnums[i] - 1);

		hash_text(hash, NameStr(att->attname));
		hash_text(hash, type_name(att));
		hash_text(hash, cec_canon_code(columns->types[i]));
	}
	if (pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not hash a column list");
	pg_cryptohash_free(hash);
	memcpy(columns->hash, digest, CEC_SCHEMA_HASH_LEN);
}

/* The column by which a row is known: the first one of the table's primary key. */
static AttrNumber
key_column(Relation rel)
{
	Bitmapset *key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	int first = bms_next_member(key, -1);

	if (first < 0 ||
		TupleDescAttr(RelationGetDescr(rel), first + FirstLowInvalidHeapAttributeNumber - 1)->atttypid != INT8OID)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("table \"%s\" cannot be recorded", RelationGetRelationName(rel)),
						errdetail("Its primary key is not a bigint."),
						errhint("Restore the primary key that cec.create_portfolio made.")));
	return first + FirstLowInvalidHeapAttributeNumber;
}

/* A bigint column that names what a row speaks of; 0 when the table has none such. */
static AttrNumber
reference_column(Relation rel, const char *name)
{
	AttrNumber attnum = cec_column_find(rel, name);

	return attnum != InvalidAttrNumber && TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid == INT8OID
			   ? attnum
			   : InvalidAttrNumber;
}

static CecAuditColumns *
build_columns(CecChange *change)
{
	TupleDesc desc = RelationGetDescr(change->rel);
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "cec audited table", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	CecAuditColumns *columns = palloc0(sizeof(CecAuditColumns));

	columns->as_of = cec_cache_as_of(RelationGetRelid(change->rel));
	columns->cxt = cxt;
	columns->attnums = palloc(desc->natts * sizeof(AttrNumber));
	columns->types = palloc(desc->natts * sizeof(CecCanonType *));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || cec_compat_is_virtual(att))
			continue;
		columns->attnums[columns->count] = att->attnum;
		columns->types[columns->count] = cec_canon_type(att->atttypid);
		columns->count++;
	}
	columns->row_id = key_column(change->rel);
	columns->asset_id = reference_column(change->rel, "asset_id");
	if (columns->asset_id == InvalidAttrNumber)
		columns->asset_id = reference_column(change->rel, "primary_asset_id");
	columns->term_id = reference_column(change->rel, "term_id");
	columns->contract_id = reference_column(change->rel, "contract_id");
	columns->amendment_id = reference_column(change->rel, "amendment_id");
	compute_hash(columns, change);
	MemoryContextSwitchTo(old);
	return columns;
}

/* The columns of the changed table, built if there is no entry that is valid. */
CecAuditColumns *
cec_audit_columns_get(CecChange *change)
{
	Oid relid = RelationGetRelid(change->rel);
	bool found;
	ColumnsSlot *slot = hash_search(tables, &relid, HASH_ENTER, &found);
	CecAuditColumns *columns;

	if (!found)
		slot->columns = NULL;
	if (slot->columns != NULL && cec_cache_holds(&slot->columns->as_of))
		return slot->columns;

	if (slot->columns != NULL)
	{
		columns = slot->columns;
		slot->columns = NULL;
		/* A statement further up the stack may be using it still. */
		MemoryContextSetParent(columns->cxt, TopTransactionContext);
	}
	columns = build_columns(change);
	MemoryContextSetParent(columns->cxt, CacheMemoryContext);
	slot->columns = columns;
	return columns;
}

/*
 * Makes sure that audit_schema holds the column list.  Runs as the owner.
 */
void
cec_audit_columns_record(CecAuditColumns *columns, CecChange *change)
{
	TupleDesc desc = RelationGetDescr(change->rel);
	Datum *names;
	Datum *types;
	Datum *codes;
	Datum args[5];
	bytea *hash;
	uint64 added;

	if (columns->recorded)
		return;

	names = palloc(columns->count * sizeof(Datum));
	types = palloc(columns->count * sizeof(Datum));
	codes = palloc(columns->count * sizeof(Datum));
	for (int i = 0; i < columns->count; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, columns->attnums[i] - 1);

		names[i] = CStringGetTextDatum(NameStr(att->attname));
		types[i] = CStringGetTextDatum(type_name(att));
		codes[i] = CStringGetTextDatum(cec_canon_code(columns->types[i]));
	}
	hash = palloc(VARHDRSZ + CEC_SCHEMA_HASH_LEN);
	SET_VARSIZE(hash, VARHDRSZ + CEC_SCHEMA_HASH_LEN);
	memcpy(VARDATA(hash), columns->hash, CEC_SCHEMA_HASH_LEN);
	args[0] = PointerGetDatum(hash);
	args[1] = CStringGetTextDatum(change->table_name);
	args[2] = PointerGetDatum(construct_array(names, columns->count, TEXTOID, -1, false, TYPALIGN_INT));
	args[3] = PointerGetDatum(construct_array(types, columns->count, TEXTOID, -1, false, TYPALIGN_INT));
	args[4] = PointerGetDatum(construct_array(codes, columns->count, TEXTOID, -1, false, TYPALIGN_INT));

	SPI_connect();
	added = cec_query_run(change->portfolio->plans, &add_schema, args, NULL, 0);
	SPI_finish();

	/* Not added: another transaction's, which ON CONFLICT waited for, or an earlier one of ours. */
	if (added > 0)
		adding_xid = GetTopFullTransactionId();
	else if (!FullTransactionIdEquals(adding_xid, GetTopFullTransactionId()))
		columns->recorded = true;
}

/*
 * cec._note_columns(portfolio, table_name): records the column list of a table before its first change does, since
 * whoever changes the table meanwhile would wait for that transaction.  For the owner, and acts as the owner.
 */
Datum
cec_note_columns(PG_FUNCTION_ARGS)
{
	CecChange change = {0};
	CecActAs act;

	change.table_name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	cec_portfolio_pin();
	change.portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	if (!has_privs_of_role(GetUserId(), change.portfolio->owner))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_SCHEMA, get_namespace_name(change.portfolio->nspid));
	change.rel = cec_portfolio_open(change.portfolio, change.table_name, AccessShareLock);
	cec_portfolio_act(&act, change.portfolio);
	cec_audit_columns_record(cec_audit_columns_get(&change), &change);
	cec_act_as_self(&act);
	table_close(change.rel, AccessShareLock);
	cec_portfolio_unpin();
	PG_RETURN_VOID();
}
