/*
 * canonical_read.c
 *		Reads canonical bytes (canonical.c) back as JSON.
 *
 * Types are known by code only: those of the time may be gone.  Bytes come from a table that its owner could have
 * forged, so every length is checked; damage raises XX001 and nothing worse.  What is read does not follow the reader's
 * settings, or two readers would disagree about what was recorded.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "support/canonical.h"
#include "support/compat.h"

/* A value being read: a cursor that never passes its end. */
typedef struct Bytes
{
	const char *at;
	const char *end;
} Bytes;

static void read_value(StringInfo out, const char *code, Bytes bytes);

static void
report_damage(void)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a row image is damaged"),
					errdetail("It ends inside a value, or a length in it is impossible.")));
}

/* Reads a length and moves on; errors at the end of the bytes. */
uint64
cec_canon_read_length(const char **at, const char *end)
{
	uint64 length = 0;

	for (int shift = 0; shift < 63; shift += 7)
	{
		unsigned char byte;

		if (*at >= end)
			break;
		byte = (unsigned char) *(*at)++;
		length |= (uint64) (byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return length;
	}
	report_damage();
	return 0;
}

static uint64
read_integer(Bytes *bytes, int size)
{
	uint64 value = 0;

	if (bytes->end - bytes->at < size)
		report_damage();
	for (int i = 0; i < size; i++)
		value = value << 8 | (unsigned char) *bytes->at++;
	return value;
}

/* The next part: false for NULL. */
static bool
read_part(Bytes *bytes, Bytes *part)
{
	uint64 length = cec_canon_read_length(&bytes->at, bytes->end);

	if (length == 0)
		return false;
	if (length - 1 > (uint64) (bytes->end - bytes->at))
		report_damage();
	part->at = bytes->at;
	part->end = bytes->at + (length - 1);
	bytes->at = part->end;
	return true;
}

static StringInfoData
as_message(Bytes bytes)
{
	StringInfoData message;

	initStringInfo(&message);
	appendBinaryStringInfo(&message, bytes.at, bytes.end - bytes.at);
	return message;
}

static void
read_datetime(StringInfo out, Bytes *bytes, Oid typid)
{
	char buffer[MAXDATELEN + 1];
	const int utc = 0;
	Datum value;

	if (typid == DATEOID)
	{
		DateADT day = (DateADT) read_integer(bytes, 4);

		if (!DATE_NOT_FINITE(day) && !IS_VALID_DATE(day))
			report_damage();
		value = DateADTGetDatum(day);
	}
	else
	{
		Timestamp at = (Timestamp) read_integer(bytes, 8);

		if (!TIMESTAMP_NOT_FINITE(at) && !IS_VALID_TIMESTAMP(at))
			report_damage();
		value = TimestampGetDatum(at);
	}
	appendStringInfoString(out, JsonEncodeDateTime(buffer, value, typid, typid == TIMESTAMPTZOID ? &utc : NULL));
}

/* As PostGIS writes it for people, by a function that is bound to PostGIS wherever it lives. */
static void
read_geometry(StringInfo out, Bytes bytes)
{
	Oid argtypes[] = {BYTEAOID};
	Oid as_text = LookupFuncName(list_make2(makeString("cec"), makeString("_geometry_text")), 1, argtypes, false);
	Size length = bytes.end - bytes.at;
	bytea *ewkb = palloc(VARHDRSZ + length);

	SET_VARSIZE(ewkb, VARHDRSZ + length);
	memcpy(VARDATA(ewkb), bytes.at, length);
	appendStringInfoString(out, TextDatumGetCString(OidFunctionCall1(as_text, PointerGetDatum(ewkb))));
}

static void
read_range(StringInfo out, const char *element, Bytes *bytes)
{
	int flags = (int) read_integer(bytes, 1);
	Bytes bound;

	if (flags & CEC_RANGE_EMPTY)
	{
		appendStringInfoString(out, "empty");
		return;
	}
	appendStringInfoChar(out, flags & CEC_RANGE_LOWER_INC ? '[' : '(');
	if (!(flags & CEC_RANGE_LOWER_OPEN) && read_part(bytes, &bound))
		read_value(out, element, bound);
	appendStringInfoChar(out, ',');
	if (!(flags & CEC_RANGE_UPPER_OPEN) && read_part(bytes, &bound))
		read_value(out, element, bound);
	appendStringInfoChar(out, flags & CEC_RANGE_UPPER_INC ? ']' : ')');
}

/* Appends a value that is no array as text. */
static void
read_value(StringInfo out, const char *code, Bytes bytes)
{
	check_stack_depth();
	if (strcmp(code, "text") == 0 || strcmp(code, "json") == 0 || strcmp(code, "output") == 0)
		appendBinaryStringInfo(out, bytes.at, bytes.end - bytes.at);
	else if (strcmp(code, "bool") == 0)
		appendStringInfoString(out, read_integer(&bytes, 1) ? "true" : "false");
	else if (strcmp(code, "int2") == 0)
		appendStringInfo(out, "%d", (int16) read_integer(&bytes, 2));
	else if (strcmp(code, "int4") == 0)
		appendStringInfo(out, "%d", (int32) read_integer(&bytes, 4));
	else if (strcmp(code, "int8") == 0)
		appendStringInfo(out, INT64_FORMAT, (int64) read_integer(&bytes, 8));
	else if (strcmp(code, "float4") == 0)
	{
		StringInfoData message = as_message(bytes);

		char digits[FLOAT_SHORTEST_DECIMAL_LEN];

		float_to_shortest_decimal_buf(pq_getmsgfloat4(&message), digits);
		appendStringInfoString(out, digits);
	}
	else if (strcmp(code, "float8") == 0)
	{
		StringInfoData message = as_message(bytes);

		char digits[DOUBLE_SHORTEST_DECIMAL_LEN];

		double_to_shortest_decimal_buf(pq_getmsgfloat8(&message), digits);
		appendStringInfoString(out, digits);
	}
	else if (strcmp(code, "numeric") == 0)
	{
		StringInfoData message = as_message(bytes);
		Datum value = DirectFunctionCall3(numeric_recv, PointerGetDatum(&message), ObjectIdGetDatum(InvalidOid),
										  Int32GetDatum(-1));

		appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(numeric_out, value)));
	}
	else if (strcmp(code, "date") == 0)
		read_datetime(out, &bytes, DATEOID);
	else if (strcmp(code, "timestamp") == 0)
		read_datetime(out, &bytes, TIMESTAMPOID);
	else if (strcmp(code, "timestamptz") == 0)
		read_datetime(out, &bytes, TIMESTAMPTZOID);
	else if (strcmp(code, "interval") == 0)
	{
		Interval interval;
		struct pg_itm parts;
		char buffer[MAXDATELEN + 1];

		interval.time = (TimeOffset) read_integer(&bytes, 8);
		interval.day = (int32) read_integer(&bytes, 4);
		interval.month = (int32) read_integer(&bytes, 4);
		interval2itm(interval, &parts);
		EncodeInterval(&parts, INTSTYLE_POSTGRES, buffer);
		appendStringInfoString(out, buffer);
	}
	else if (strcmp(code, "uuid") == 0)
	{
		if (bytes.end - bytes.at != UUID_LEN)
			report_damage();
		appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(uuid_out, PointerGetDatum(bytes.at))));
	}
	else if (strcmp(code, "bytea") == 0)
	{
		appendStringInfoString(out, "\\x");
		for (; bytes.at < bytes.end; bytes.at++)
			appendStringInfo(out, "%02x", (unsigned char) *bytes.at);
	}
	else if (strcmp(code, "geometry") == 0)
		read_geometry(out, bytes);
	else if (strncmp(code, "range:", 6) == 0)
		read_range(out, code + 6, &bytes);
	else if (strncmp(code, "multirange:", 11) == 0)
	{
		int32 count = (int32) read_integer(&bytes, 4);

		appendStringInfoChar(out, '{');
		for (int32 i = 0; i < count; i++)
		{
			if (i > 0)
				appendStringInfoChar(out, ',');
			read_range(out, code + 11, &bytes);
		}
		appendStringInfoChar(out, '}');
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED), errmsg("a row image has a form that is not known: \"%s\"", code)));
}

/* One dimension of an array as a JSON array. */
static void
read_dimension(StringInfo json, const char *element, Bytes *bytes, const int32 *dims, int ndim)
{
	Bytes part;

	appendStringInfoChar(json, '[');
	for (int32 i = 0; i < dims[0]; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoString(json, ", ");
		if (ndim > 1)
			read_dimension(json, element, bytes, dims + 1, ndim - 1);
		else if (read_part(bytes, &part))
			cec_canon_to_json(json, element, part.at, part.end - part.at);
		else
			appendStringInfoString(json, "null");
	}
	appendStringInfoChar(json, ']');
}

static void
read_array(StringInfo json, const char *element, Bytes *bytes)
{
	int ndim = (int) read_integer(bytes, 1);
	int32 dims[MAXDIM] = {0};

	if (ndim > MAXDIM)
		report_damage();
	for (int i = 0; i < ndim; i++)
	{
		dims[i] = (int32) read_integer(bytes, 4);
		(void) read_integer(bytes, 4); /* lower bound: JSON has none */
		if (dims[i] < (ndim > 1 ? 1 : 0) || dims[i] > bytes->end - bytes->at)
			report_damage();
	}
	if (ndim == 0)
		appendStringInfoString(json, "[]");
	else
		read_dimension(json, element, bytes, dims, ndim);
}

/* Appends a value as JSON: numbers, booleans, json and arrays as such, all else as a string. */
void
cec_canon_to_json(StringInfo json, const char *code, const char *bytes, uint64 length)
{
	Bytes value = {bytes, bytes + length};
	StringInfoData text;
	bool bare;

	check_stack_depth();
	if (strncmp(code, "array:", 6) == 0)
	{
		read_array(json, code + 6, &value);
		return;
	}

	initStringInfo(&text);
	read_value(&text, code, value);
	pg_verify_mbstr(GetDatabaseEncoding(), text.data, text.len, false);
	bare = strcmp(code, "json") == 0 || strcmp(code, "bool") == 0 || strncmp(code, "int", 3) == 0 ||
		   strcmp(code, "numeric") == 0 || strncmp(code, "float", 5) == 0;
	/* NaN and the infinities are no JSON numbers, an interval is none though its code begins like an integer's. */
	if (strcmp(code, "interval") == 0 ||
		(bare && (strstr(text.data, "NaN") == text.data || strstr(text.data, "Infinity") != NULL) &&
		 strcmp(code, "json") != 0))
		bare = false;
	if (bare)
		appendBinaryStringInfo(json, text.data, text.len);
	else
		escape_json(json, text.data);
	pfree(text.data);
}
