/*
 * condition_catalog.c
 *		The fact row and the functions that conditions are compiled to: where this database has them.
 *
 * PostGIS may be installed in any schema, also in one that others may create in. Its schema is that of the fact row's
 * geometry column, a function is looked up by its exact argument types, and must be a member of the extension.
 */
#include "postgres.h"

#include "init.h"
#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "condition/condition_compile.h"

#define OWN_SCHEMA "cec"
#define GEOMETRY InvalidOid
#define GEOGRAPHY CEC_GEOGRAPHY

static const struct
{
	const char *name;
	CecOrigin origin;
	int nargs;
	Oid types[5];
} called_functions[CEC_CATALOG_COUNT] = {
	[CEC_CATALOG_LAST_MAINTENANCE] = {"last_maintenance", CEC_ORIGIN_CEC, 1, {TEXTOID}},
	[CEC_CATALOG_MAINTENANCE_COUNT] = {"maintenance_count", CEC_ORIGIN_CEC, 2, {TEXTOID, INTERVALOID}},
	[CEC_CATALOG_REQUEST_COUNT] = {"request_count", CEC_ORIGIN_CEC, 1, {INTERVALOID}},
	[CEC_CATALOG_AS_DATE] = {"as_date", CEC_ORIGIN_CEC, 1, {TEXTOID}},
	[CEC_CATALOG_AS_NUMBER] = {"as_number", CEC_ORIGIN_CEC, 1, {TEXTOID}},
	[CEC_CATALOG_DISTANCE_TO_POINT] = {"distance_to_point_m", CEC_ORIGIN_CEC, 2, {FLOAT8OID, FLOAT8OID}},
	[CEC_CATALOG_ST_X] = {"st_x", CEC_ORIGIN_POSTGIS, 1, {GEOMETRY}},
	[CEC_CATALOG_ST_Y] = {"st_y", CEC_ORIGIN_POSTGIS, 1, {GEOMETRY}},
	[CEC_CATALOG_AGE_YEARS_ON] = {"_age_years", CEC_ORIGIN_CEC, 2, {DATEOID, DATEOID}},
	[CEC_CATALOG_LAST_MAINTENANCE_ON] = {"_last_maintenance",
										 CEC_ORIGIN_CEC,
										 4,
										 {TEXTOID, DATEOID, TEXTARRAYOID, DATEARRAYOID}},
	[CEC_CATALOG_MAINTENANCE_COUNT_ON] = {"_maintenance_count",
										  CEC_ORIGIN_CEC,
										  5,
										  {TEXTOID, INTERVALOID, DATEOID, TEXTARRAYOID, DATEARRAYOID}},
	[CEC_CATALOG_REQUEST_COUNT_ON] = {"_request_count", CEC_ORIGIN_CEC, 3, {INTERVALOID, DATEOID, DATEARRAYOID}},
	[CEC_CATALOG_BOUNDED_TEXT] = {"_bounded_text", CEC_ORIGIN_CEC, 1, {TEXTOID}},
	[CEC_CATALOG_BOUNDED_JSONB] = {"_bounded_jsonb", CEC_ORIGIN_CEC, 1, {JSONBOID}},
	[CEC_CATALOG_BOUNDED_NUMBER] = {"_bounded_number", CEC_ORIGIN_CEC, 1, {NUMERICOID}},
	[CEC_CATALOG_ST_COVERS] = {"st_covers", CEC_ORIGIN_POSTGIS, 2, {GEOMETRY, GEOMETRY}},
	[CEC_CATALOG_GEOGRAPHY] = {"geography", CEC_ORIGIN_POSTGIS, 1, {GEOMETRY}},
	[CEC_CATALOG_ST_MAKEPOINT] = {"st_makepoint", CEC_ORIGIN_POSTGIS, 2, {FLOAT8OID, FLOAT8OID}},
	[CEC_CATALOG_ST_SETSRID] = {"st_setsrid", CEC_ORIGIN_POSTGIS, 2, {GEOMETRY, INT4OID}},
	[CEC_CATALOG_ST_DISTANCE] = {"st_distance", CEC_ORIGIN_POSTGIS, 3, {GEOGRAPHY, GEOGRAPHY, BOOLOID}},
};

/*
 * What was found, for this backend.  Dropping or making the extension changes the oid of the fact type, and any change of
 * a function empties the list.
 */
static struct
{
	bool is_valid;
	Oid fact_type;
	Oid geometry;
	Oid geography;
	Oid postgis_schema;
	Oid functions[CEC_CATALOG_COUNT];
} found;

static uint64 changes; /* how often something was forgotten */

static void
forget(Datum arg, int cacheid, uint32 hashvalue)
{
	found.is_valid = false;
	changes++;
}

void
cec_condition_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, forget, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, forget, (Datum) 0);
}

/* Holds cec.rule_fact against the enumeration of its columns: all code relies on their numbers and types. */
static void
check_fact(TupleDesc desc, Oid geometry, Oid geography)
{
	if (desc->natts != CEC_FACT_COUNT)
		elog(ERROR, "type cec.rule_fact has %d columns instead of %d", desc->natts, CEC_FACT_COUNT);
	for (int number = 1; number <= CEC_FACT_COUNT; number++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, number - 1);
		const CecColumn *column = cec_column(number);
		Oid type = column->type == GEOMETRY ? geometry : column->type == GEOGRAPHY ? geography : column->type;

		if (att->attisdropped || column->number != number || strcmp(NameStr(att->attname), column->name) != 0 ||
			att->atttypid != type)
			elog(ERROR, "column %d of type cec.rule_fact is not %s", number, column->name);
	}
}

/* Finds the fact row and PostGIS, once until something changes. */
static void
find_all(void)
{
	Oid schema;
	TupleDesc desc;
	HeapTuple type;
	uint64 changes_before = changes;

	if (found.is_valid)
		return;
	memset(&found, 0, sizeof(found));
	schema = get_namespace_oid(OWN_SCHEMA, false);
	found.fact_type =
		GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("rule_fact"), ObjectIdGetDatum(schema));
	if (!OidIsValid(found.fact_type))
		elog(ERROR, "there is no type cec.rule_fact");
	desc = lookup_rowtype_tupdesc(found.fact_type, -1);
	if (desc->natts < CEC_FACT_LOCATION)
		elog(ERROR, "type cec.rule_fact has %d columns instead of %d", desc->natts, CEC_FACT_COUNT);
	found.geometry = TupleDescAttr(desc, CEC_FACT_LOCATION - 1)->atttypid;
	type = SearchSysCache1(TYPEOID, ObjectIdGetDatum(found.geometry));
	if (!HeapTupleIsValid(type))
		elog(ERROR, "cache lookup failed for type %u", found.geometry);
	found.postgis_schema = ((Form_pg_type) GETSTRUCT(type))->typnamespace;
	ReleaseSysCache(type);
	found.geography = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("geography"),
									  ObjectIdGetDatum(found.postgis_schema));
	check_fact(desc, found.geometry, found.geography);
	ReleaseTupleDesc(desc);
	found.is_valid = changes == changes_before;
}

/* The columns of the fact row; a copy in the current context. */
TupleDesc
cec_fact_descriptor(void)
{
	find_all();
	return lookup_rowtype_tupdesc_copy(found.fact_type, -1);
}

Oid
cec_geometry_type(void)
{
	find_all();
	return found.geometry;
}

Oid
cec_geography_type(void)
{
	find_all();
	return found.geography;
}

char *
cec_postgis_schema(void)
{
	find_all();
	return get_namespace_name(found.postgis_schema);
}

/* Oid of a function that conditions are compiled to. */
Oid
cec_catalog_function(CecCatalogFunction called)
{
	const char *extension = called_functions[called].origin == CEC_ORIGIN_POSTGIS ? "postgis" : "cec";
	char *schema;
	Oid types[lengthof(called_functions[0].types)];
	Oid function;

	find_all();
	if (OidIsValid(found.functions[called]))
		return found.functions[called];
	schema = called_functions[called].origin == CEC_ORIGIN_POSTGIS ? get_namespace_name(found.postgis_schema)
																   : pstrdup(OWN_SCHEMA);
	for (int i = 0; i < called_functions[called].nargs; i++)
	{
		Oid type = called_functions[called].types[i];

		types[i] = type == GEOMETRY ? found.geometry : type == GEOGRAPHY ? found.geography : type;
	}
	function = LookupFuncName(list_make2(makeString(schema), makeString(pstrdup(called_functions[called].name))),
							  called_functions[called].nargs, types, false);
	if (getExtensionOfObject(ProcedureRelationId, function) != get_extension_oid(extension, false) ||
		func_volatile(function) != PROVOLATILE_IMMUTABLE)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("function %s is not the one of extension %s", format_procedure(function), extension),
						errhint("Install the extension anew.")));
	found.functions[called] = function;
	return function;
}

/* Whether a function that the parser has found is one of the published ones of this extension or of PostGIS. */
bool
cec_is_published_call(Oid function)
{
	for (int called = CEC_CATALOG_LAST_MAINTENANCE; called <= CEC_CATALOG_ST_Y; called++)
	{
		if (cec_catalog_function(called) == function)
			return true;
	}
	return false;
}
