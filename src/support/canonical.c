/*
 * canonical.c
 *		Writes values as bytes that depend on nothing but the value, and reads them back as JSON.
 *
 * The server's own forms will not do: output text follows TimeZone, DateStyle, bytea_output and extra_float_digits,
 * binary send of text converts to the client's encoding (and fails where that has no such character), arrays and
 * ranges carry type oids that change with a restore.  So: text-like types, json and jsonb as bytes of the server's
 * encoding; numbers, days, times, uuid and geometry in their send form (network byte order); arrays and ranges
 * element by element; anything else as output text under pinned settings.
 *
 * A code names the form: text, json, bool, int2, int4, int8, float4, float8, numeric, date, timestamp, timestamptz,
 * interval, uuid, bytea, geometry, output, and "array:", "range:", "multirange:" before the code of the element.
 * Inside a value every part is preceded by a length: see cec_canon_append_length.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "support/canonical.h"
#include "support/compat.h"

typedef enum CanonKind
{
	KIND_TEXT,
	KIND_JSON,
	KIND_JSONB,
	KIND_BOOL,
	KIND_INT2,
	KIND_INT4,
	KIND_INT8,
	KIND_FLOAT4,
	KIND_FLOAT8,
	KIND_NUMERIC,
	KIND_DATE,
	KIND_TIMESTAMP,
	KIND_TIMESTAMPTZ,
	KIND_INTERVAL,
	KIND_UUID,
	KIND_BYTEA,
	KIND_GEOMETRY,
	KIND_ARRAY,
	KIND_RANGE,
	KIND_MULTIRANGE,
	KIND_OUTPUT
} CanonKind;

/* Names of the kinds in codes; jsonb reads back like json. */
static const char *const kind_code[] = {
	[KIND_TEXT] = "text",
	[KIND_JSON] = "json",
	[KIND_JSONB] = "json",
	[KIND_BOOL] = "bool",
	[KIND_INT2] = "int2",
	[KIND_INT4] = "int4",
	[KIND_INT8] = "int8",
	[KIND_FLOAT4] = "float4",
	[KIND_FLOAT8] = "float8",
	[KIND_NUMERIC] = "numeric",
	[KIND_DATE] = "date",
	[KIND_TIMESTAMP] = "timestamp",
	[KIND_TIMESTAMPTZ] = "timestamptz",
	[KIND_INTERVAL] = "interval",
	[KIND_UUID] = "uuid",
	[KIND_BYTEA] = "bytea",
	[KIND_GEOMETRY] = "geometry",
	[KIND_ARRAY] = "array:",
	[KIND_RANGE] = "range:",
	[KIND_MULTIRANGE] = "multirange:",
	[KIND_OUTPUT] = "output",
};

struct CecCanonType
{
	CanonKind kind;
	int16 typlen;
	bool typbyval;
	char typalign;
	CecCanonType *element;	  /* of array, range, multirange */
	TypeCacheEntry *typcache; /* of range, multirange */
	FmgrInfo function;		  /* send of geometry, output of the rest */
};

/* Whether a type is PostGIS's geometry, in whatever schema it lives. */
static bool
is_geometry(Oid typid)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(typid));
	bool named_so;
	Oid extension;
	char *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", typid);
	named_so = strcmp(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname), "geometry") == 0;
	ReleaseSysCache(tuple);
	if (!named_so)
		return false;
	extension = getExtensionOfObject(TypeRelationId, typid);
	name = OidIsValid(extension) ? get_extension_name(extension) : NULL;
	return name != NULL && strcmp(name, "postgis") == 0;
}

/* How values of a type are written; the result lives in the current memory context. */
CecCanonType *
cec_canon_type(Oid typid)
{
	CecCanonType *type = palloc0(sizeof(CecCanonType));
	Oid base = getBaseType(typid);
	Oid function;
	bool is_varlena;

	check_stack_depth();
	get_typlenbyvalalign(base, &type->typlen, &type->typbyval, &type->typalign);
	switch (base)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			type->kind = KIND_TEXT;
			return type;
		case JSONOID:
			type->kind = KIND_JSON;
			return type;
		case JSONBOID:
			type->kind = KIND_JSONB;
			return type;
		case BOOLOID:
			type->kind = KIND_BOOL;
			return type;
		case INT2OID:
			type->kind = KIND_INT2;
			return type;
		case INT4OID:
			type->kind = KIND_INT4;
			return type;
		case INT8OID:
			type->kind = KIND_INT8;
			return type;
		case FLOAT4OID:
			type->kind = KIND_FLOAT4;
			return type;
		case FLOAT8OID:
			type->kind = KIND_FLOAT8;
			return type;
		case NUMERICOID:
			type->kind = KIND_NUMERIC;
			return type;
		case DATEOID:
			type->kind = KIND_DATE;
			return type;
		case TIMESTAMPOID:
			type->kind = KIND_TIMESTAMP;
			return type;
		case TIMESTAMPTZOID:
			type->kind = KIND_TIMESTAMPTZ;
			return type;
		case INTERVALOID:
			type->kind = KIND_INTERVAL;
			return type;
		case UUIDOID:
			type->kind = KIND_UUID;
			return type;
		case BYTEAOID:
			type->kind = KIND_BYTEA;
			return type;
		default:
			break;
	}

	if (type_is_array(base))
	{
		type->kind = KIND_ARRAY;
		type->element = cec_canon_type(get_element_type(base));
	}
	else if (type_is_range(base))
	{
		type->kind = KIND_RANGE;
		type->typcache = lookup_type_cache(base, TYPECACHE_RANGE_INFO);
		type->element = cec_canon_type(type->typcache->rngelemtype->type_id);
	}
	else if (type_is_multirange(base))
	{
		type->kind = KIND_MULTIRANGE;
		type->typcache = lookup_type_cache(base, TYPECACHE_MULTIRANGE_INFO);
		type->element = cec_canon_type(type->typcache->rngtype->rngelemtype->type_id);
	}
	else if (is_geometry(base))
	{
		type->kind = KIND_GEOMETRY;
		getTypeBinaryOutputInfo(base, &function, &is_varlena);
		fmgr_info_cxt(function, &type->function, CurrentMemoryContext);
	}
	else
	{
		type->kind = KIND_OUTPUT;
		getTypeOutputInfo(base, &function, &is_varlena);
		fmgr_info_cxt(function, &type->function, CurrentMemoryContext);
	}
	return type;
}

/* The code of a type's form. */
char *
cec_canon_code(const CecCanonType *type)
{
	if (type->element == NULL)
		return pstrdup(kind_code[type->kind]);
	return psprintf("%s%s", kind_code[type->kind], cec_canon_code(type->element));
}

/* Lengths: seven bits a byte, least significant first, high bit set on all but the last. */
void
cec_canon_append_length(StringInfo buf, uint64 length)
{
	while (length >= 0x80)
	{
		appendStringInfoCharMacro(buf, (char) (0x80 | (length & 0x7f)));
		length >>= 7;
	}
	appendStringInfoCharMacro(buf, (char) length);
}

static void
append_varlena(StringInfo buf, Datum value)
{
	struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

	appendBinaryStringInfo(buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if ((Pointer) bytes != DatumGetPointer(value))
		pfree(bytes);
}

/*
 * Appends a value preceded by its length plus one; 0 says NULL.  Nearly all values are short: one byte is kept free
 * for the length, and what was written moves only when that is not enough.
 */
void
cec_canon_append_part(StringInfo buf, CecCanonType *type, Datum value, bool isnull)
{
	int start = buf->len;
	int length;
	StringInfoData head;

	appendStringInfoCharMacro(buf, 0);
	if (isnull)
		return;
	cec_canon_append(buf, type, value);
	length = buf->len - start; /* the byte kept free makes it one more */
	if (length < 0x80)
	{
		buf->data[start] = (char) length;
		return;
	}

	initStringInfo(&head);
	cec_canon_append_length(&head, length);
	enlargeStringInfo(buf, head.len);
	memmove(buf->data + start + head.len, buf->data + start + 1, length);
	memcpy(buf->data + start, head.data, head.len);
	buf->len += head.len - 1;
	buf->data[buf->len] = '\0';
	pfree(head.data);
}

/* number of dimensions, length and lower bound of each, then the elements */
static void
append_array(StringInfo buf, CecCanonType *type, Datum value)
{
	ArrayType *array = DatumGetArrayTypeP(value);
	Datum *elements;
	bool *nulls;
	int count;

	pq_sendbyte(buf, ARR_NDIM(array));
	for (int i = 0; i < ARR_NDIM(array); i++)
	{
		pq_sendint32(buf, ARR_DIMS(array)[i]);
		pq_sendint32(buf, ARR_LBOUND(array)[i]);
	}
	deconstruct_array(array, ARR_ELEMTYPE(array), type->element->typlen, type->element->typbyval,
					  type->element->typalign, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
		cec_canon_append_part(buf, type->element, elements[i], nulls[i]);
}

/* a byte of flags, then the bounds that there are */
static void
append_range(StringInfo buf, TypeCacheEntry *typcache, CecCanonType *element, const RangeType *range)
{
	RangeBound lower;
	RangeBound upper;
	bool empty;
	char flags = 0;

	range_deserialize(typcache, range, &lower, &upper, &empty);
	if (empty)
		flags = CEC_RANGE_EMPTY;
	else
	{
		if (lower.infinite)
			flags |= CEC_RANGE_LOWER_OPEN;
		else if (lower.inclusive)
			flags |= CEC_RANGE_LOWER_INC;
		if (upper.infinite)
			flags |= CEC_RANGE_UPPER_OPEN;
		else if (upper.inclusive)
			flags |= CEC_RANGE_UPPER_INC;
	}
	pq_sendbyte(buf, flags);
	if (!empty && !lower.infinite)
		cec_canon_append_part(buf, element, lower.val, false);
	if (!empty && !upper.infinite)
		cec_canon_append_part(buf, element, upper.val, false);
}

static void
append_multirange(StringInfo buf, CecCanonType *type, Datum value)
{
	int32 count;
	RangeType **ranges;

	multirange_deserialize(type->typcache->rngtype, DatumGetMultirangeTypeP(value), &count, &ranges);
	pq_sendint32(buf, count);
	for (int i = 0; i < count; i++)
		append_range(buf, type->typcache->rngtype, type->element, ranges[i]);
}

/* Output text with the settings that it could follow held still. */
static void
append_output(StringInfo buf, CecCanonType *type, Datum value)
{
	static const char *const pins[][2] = {
		{"DateStyle", "ISO, YMD"},	 {"IntervalStyle", "postgres"}, {"TimeZone", "UTC"},
		{"extra_float_digits", "1"}, {"bytea_output", "hex"},		{"lc_monetary", "C"},
	};
	int nest_level = NewGUCNestLevel();

	for (int i = 0; i < (int) lengthof(pins); i++)
		(void) set_config_option(pins[i][0], pins[i][1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	appendStringInfoString(buf, OutputFunctionCall(&type->function, value));
	AtEOXact_GUC(true, nest_level);
}

/* Appends the canonical bytes of a value that is not NULL. */
void
cec_canon_append(StringInfo buf, CecCanonType *type, Datum value)
{
	switch (type->kind)
	{
		case KIND_TEXT:
		case KIND_JSON:
		case KIND_BYTEA:
			append_varlena(buf, value);
			break;
		case KIND_JSONB:
		{
			Jsonb *jsonb = DatumGetJsonbP(value);

			(void) JsonbToCString(buf, &jsonb->root, VARSIZE(jsonb));
			break;
		}
		case KIND_BOOL:
			pq_sendbyte(buf, DatumGetBool(value) ? 1 : 0);
			break;
		case KIND_INT2:
			pq_sendint16(buf, DatumGetInt16(value));
			break;
		case KIND_INT4:
			pq_sendint32(buf, DatumGetInt32(value));
			break;
		case KIND_DATE:
			pq_sendint32(buf, DatumGetDateADT(value));
			break;
		case KIND_INT8:
			pq_sendint64(buf, DatumGetInt64(value));
			break;
		case KIND_TIMESTAMP:
		case KIND_TIMESTAMPTZ:
			pq_sendint64(buf, DatumGetTimestamp(value));
			break;
		case KIND_FLOAT4:
			pq_sendfloat4(buf, DatumGetFloat4(value));
			break;
		case KIND_FLOAT8:
			pq_sendfloat8(buf, DatumGetFloat8(value));
			break;
		case KIND_INTERVAL:
		{
			Interval *interval = DatumGetIntervalP(value);

			pq_sendint64(buf, interval->time);
			pq_sendint32(buf, interval->day);
			pq_sendint32(buf, interval->month);
			break;
		}
		case KIND_UUID:
			appendBinaryStringInfo(buf, (char *) DatumGetUUIDP(value)->data, UUID_LEN);
			break;
		case KIND_NUMERIC:
			append_varlena(buf, DirectFunctionCall1(numeric_send, value));
			break;
		case KIND_GEOMETRY:
			append_varlena(buf, PointerGetDatum(SendFunctionCall(&type->function, value)));
			break;
		case KIND_ARRAY:
			append_array(buf, type, value);
			break;
		case KIND_RANGE:
			append_range(buf, type->typcache, type->element, DatumGetRangeTypeP(value));
			break;
		case KIND_MULTIRANGE:
			append_multirange(buf, type, value);
			break;
		case KIND_OUTPUT:
			append_output(buf, type, value);
			break;
	}
}
