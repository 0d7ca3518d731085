/*
 * identifier_named.c
 *		What identifiers name: the one search that all who are given a name go by, and cec._named for SQL.
 *
 * README.md beside this says which names count, and on which days.  The search probes indexes and asks for no rights: the
 * engine looks for itself, and whoever looks for somebody else asks cec_named_may_read first.  Of those who may not read
 * all names, cec._named asks by a query instead, which their rights and row-level security hold for.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "registry/identifier_named.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_named);

#define NAMED_COLUMNS 3

enum
{
	NAME_ASSET_ID,
	NAME_ASSET_TAG,
	NAME_SCHEME = NAME_ASSET_TAG,
	NAME_DURING
};

#define ASSET_COLUMNS \
	{ \
		{"asset_id", INT8OID}, \
		{ \
			"asset_tag", TEXTOID \
		} \
	}

const CecSource cec_name_sources[CEC_NAME_SOURCES] = {
	{"asset", "asset_tag", TEXTOID, AccessShareLock, ASSET_COLUMNS},
	{"asset", "serial_number", TEXTOID, AccessShareLock, ASSET_COLUMNS},
	{"asset_identifier",
	 "value",
	 TEXTOID,
	 AccessShareLock,
	 {{"asset_id", INT8OID}, {"scheme", TEXTOID}, {"during", DATERANGEOID}}}};

/* The same by asset; tag and serial number at the places of their ranks. */
static const CecSource register_of_asset = {
	"asset", "asset_id", INT8OID, AccessShareLock, {{"asset_tag", TEXTOID}, {"serial_number", TEXTOID, true}}};
static const CecSource further_of_asset = {
	"asset_identifier", "asset_id", INT8OID, AccessShareLock, {{"value", TEXTOID}, {"during", DATERANGEOID}}};

/* The same in SQL, for those who do not read everything. */
static const CecQuery named = {
	"SELECT n.place, m.asset_id, m.scheme"
	" FROM unnest($1) WITH ORDINALITY AS n(identifier, place)"
	" CROSS JOIN LATERAL (SELECT DISTINCT ON (f.asset_id) f.asset_id, f.scheme"
	"  FROM (SELECT asset_id, 'asset_tag' AS scheme, 0 AS rank FROM @P@.asset WHERE asset_tag = n.identifier"
	"   UNION ALL SELECT asset_id, 'serial_number', 1 FROM @P@.asset WHERE serial_number = n.identifier"
	"   UNION ALL SELECT asset_id, scheme, 2 FROM @P@.asset_identifier WHERE value = n.identifier"
	"    AND ($2 IS NULL OR during @> $2)) AS f"
	"  ORDER BY f.asset_id, f.rank, f.scheme COLLATE \"C\") AS m"
	" ORDER BY n.place, m.asset_id",
	2,
	{TEXTARRAYOID, DATEOID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, INT8OID, TEXTOID}};

/* Starts searching, as the snapshot shows the register; it must stay registered or active, and the portfolio pinned. */
void
cec_named_begin(CecNamed *search, CecPortfolio *portfolio, Snapshot snapshot)
{
	search->portfolio = portfolio;
	for (int i = 0; i < CEC_NAME_SOURCES; i++)
	{
		CecLook *look = &search->looks[i];

		look->source = &cec_name_sources[i];
		look->probe =
			cec_portfolio_look(portfolio, look->source, look->source->lock, InvalidOid, snapshot, &look->columns);
	}
}

/* Whether the current user reads all names: then no check of the executor's would change what is found. */
bool
cec_named_may_read(const CecNamed *search)
{
	if (!cec_compat_may_use_schema(search->portfolio->nspid, GetUserId()))
		return false;
	/* Tag and serial number stand in one table. */
	for (int i = CEC_NAME_SERIAL; i < CEC_NAME_SOURCES; i++)
	{
		Relation rel = cec_probe_relation(search->looks[i].probe);

		if (rel->rd_rel->relrowsecurity ||
			pg_class_aclcheck(RelationGetRelid(rel), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

/* Goes to the assets that an identifier names on some of the days (NULL: any day); both must stay until all are read. */
void
cec_named_seek(CecNamed *search, Datum identifier, const CecDays *days)
{
	search->identifier = identifier;
	search->days = days;
	search->at = 0;
	cec_probe_seek_text(search->looks[0].probe, identifier);
}

static bool
holds(Datum during, const CecDays *days)
{
	return days == NULL || cec_days_overlap(cec_days_of_range(during), *days);
}

/* The next asset by one of its names, of lower rank first; one that has several such names comes more than once. */
bool
cec_named_next(CecNamed *search, CecNamedAsset *asset)
{
	for (;;)
	{
		CecLook *look = &search->looks[search->at];
		TupleTableSlot *row = cec_probe_next(look->probe);
		bool is_further = search->at == CEC_NAME_FURTHER;

		if (row == NULL)
		{
			if (is_further)
				return false;
			search->at++;
			cec_probe_seek_text(search->looks[search->at].probe, search->identifier);
			continue;
		}
		if (is_further && !holds(cec_look_value(look, row, NAME_DURING), search->days))
			continue;
		asset->asset_id = DatumGetInt64(cec_look_value(look, row, NAME_ASSET_ID));
		asset->rank = search->at;
		asset->asset_tag = is_further ? (Datum) 0 : cec_look_value(look, row, NAME_ASSET_TAG);
		asset->scheme = is_further ? cec_look_value(look, row, NAME_SCHEME) : (Datum) 0;
		return true;
	}
}

/* How many assets an identifier names on some of the days (NULL: any day): none, one, or 2 for several.  asset_id is the one. */
int
cec_named_find(CecNamed *search, Datum identifier, const CecDays *days, int64 *asset_id)
{
	CecNamedAsset asset;
	int count = 0;

	cec_named_seek(search, identifier, days);
	while (count < 2 && cec_named_next(search, &asset))
	{
		if (count == 1 && asset.asset_id == *asset_id)
			continue;
		*asset_id = asset.asset_id;
		count++;
	}
	return count;
}

/* Lets go of the tables; locks stay until the end of the transaction. */
void
cec_named_end(CecNamed *search)
{
	for (int i = CEC_NAME_SOURCES; i-- > 0;)
		cec_probe_end(search->looks[i].probe);
}

static bool
is_same(Datum one, Datum other)
{
	return DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, one, other));
}

/*
 * Whether an asset is among those that an identifier names on some of the days (NULL: any day).  Asked of the asset, since
 * thousands may share a serial number.
 */
bool
cec_named_bears(CecPortfolio *portfolio, int64 asset_id, Datum identifier, const CecDays *days, Snapshot snapshot)
{
	CecLook look = {0};
	TupleTableSlot *row;
	bool found;

	look.probe =
		cec_portfolio_look(portfolio, &register_of_asset, AccessShareLock, InvalidOid, snapshot, &look.columns);
	row = cec_probe_row(look.probe, asset_id);
	found = row != NULL && (is_same(cec_look_value(&look, row, CEC_NAME_TAG), identifier) ||
							(!cec_look_isnull(&look, row, CEC_NAME_SERIAL) &&
							 is_same(cec_look_value(&look, row, CEC_NAME_SERIAL), identifier)));
	cec_probe_end(look.probe);
	if (found)
		return true;
	look.probe = cec_portfolio_look(portfolio, &further_of_asset, AccessShareLock, InvalidOid, snapshot, &look.columns);
	cec_probe_seek(look.probe, asset_id);
	while (!found && (row = cec_probe_next(look.probe)) != NULL)
		found = is_same(cec_look_value(&look, row, 0), identifier) && holds(cec_look_value(&look, row, 1), days);
	cec_probe_end(look.probe);
	return found;
}

/* An asset that was found, and what the name is called that it was found by. */
typedef struct Found
{
	int64 asset_id;
	int rank;
	const char *scheme;
} Found;

static int
compare_found(const void *one, const void *other)
{
	const Found *a = one;
	const Found *b = other;

	if (a->asset_id != b->asset_id)
		return a->asset_id < b->asset_id ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank - b->rank;
	return strcmp(a->scheme, b->scheme);
}

/* Puts the assets that an identifier names, each once, by its first name. */
static void
put_named(ReturnSetInfo *result, CecNamed *search, int64 place, Datum identifier, const CecDays *days)
{
	int count = 0;
	int space = 4;
	Found *found = palloc(space * sizeof(Found));
	CecNamedAsset asset;

	cec_named_seek(search, identifier, days);
	while (cec_named_next(search, &asset))
	{
		if (count == space)
			found = repalloc_huge(found, (space *= 2) * sizeof(Found));
		found[count++] = (Found){asset.asset_id, asset.rank,
								 asset.rank == CEC_NAME_FURTHER ? TextDatumGetCString(asset.scheme)
																: search->looks[asset.rank].source->key};
	}
	qsort(found, count, sizeof(Found), compare_found);
	for (int i = 0; i < count; i++)
	{
		Datum values[NAMED_COLUMNS] = {Int64GetDatum(place), Int64GetDatum(found[i].asset_id)};
		bool isnull[NAMED_COLUMNS] = {0};

		if (i > 0 && found[i].asset_id == found[i - 1].asset_id)
			continue;
		values[2] = CStringGetTextDatum(found[i].scheme);
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
}

/* Puts the assets that each of the identifiers names. */
static void
put_all_named(ReturnSetInfo *result, CecNamed *search, ArrayType *identifiers, const CecDays *days)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "cec identifier", ALLOCSET_SMALL_SIZES);
	MemoryContext old;
	Datum *values;
	bool *nulls;
	int count;

	deconstruct_array(identifiers, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	old = MemoryContextSwitchTo(scratch);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!nulls[i])
			put_named(result, search, i + 1, values[i], days);
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
}

/* cec._named(portfolio, identifiers, on_day): reads with the snapshot of the caller's statement, as the caller. */
Datum
cec_named(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CecPortfolio *portfolio;
	CecNamed search;
	CecDays day;
	bool may_read;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	if (!PG_ARGISNULL(2))
	{
		day.from = PG_GETARG_DATEADT(2);
		if (DATE_NOT_FINITE(day.from))
			ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("infinity is not a day"),
							errhint("Ask for a day on which an identifier can name something.")));
		day.to = day.from + 1;
	}
	cec_portfolio_pin();
	portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	cec_named_begin(&search, portfolio, GetActiveSnapshot());
	may_read = cec_named_may_read(&search);
	if (may_read)
		put_all_named(result, &search, PG_GETARG_ARRAYTYPE_P(1), PG_ARGISNULL(2) ? NULL : &day);
	cec_named_end(&search);
	if (!may_read)
	{
		Datum args[2] = {PG_GETARG_DATUM(1), PG_GETARG_DATUM(2)};
		char nulls[] = {' ', PG_ARGISNULL(2) ? 'n' : ' ', '\0'};
		uint64 rows;

		SPI_connect();
		rows = cec_query_read(portfolio->plans, &named, args, nulls);
		for (uint64 i = 0; i < rows; i++)
		{
			Datum values[NAMED_COLUMNS];
			bool isnull[NAMED_COLUMNS];

			heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values, isnull);
			tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
		}
		SPI_finish();
	}
	cec_portfolio_unpin();
	return (Datum) 0;
}
