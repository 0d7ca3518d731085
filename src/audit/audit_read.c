/*
 * audit_read.c
 *		Reads row images of the audit log back as jsonb, and keeps the log from being rewritten.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#include "audit/audit_columns.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_decode_row_image);

typedef struct ImageReader
{
	const char *at;
	const char *end;
	Datum *names;
	Datum *codes;
	int count;
	StringInfoData json;
} ImageReader;

static void
report_damage(void)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a row image is damaged"),
					errdetail("It does not fit its column list.")));
}

/* Reads one value; writes it as a member of the JSON object if it is wanted. */
static void
read_member(ImageReader *reader, int column, bool wanted)
{
	uint64 length = cec_canon_read_length(&reader->at, reader->end);

	if (length > 0 && length - 1 > (uint64) (reader->end - reader->at))
		report_damage();
	if (wanted)
	{
		if (reader->json.len > 1)
			appendStringInfoString(&reader->json, ", ");
		escape_json(&reader->json, TextDatumGetCString(reader->names[column]));
		appendStringInfoString(&reader->json, ": ");
		if (length == 0)
			appendStringInfoString(&reader->json, "null");
		else
			cec_canon_to_json(&reader->json, TextDatumGetCString(reader->codes[column]), reader->at, length - 1);
	}
	if (length > 0)
		reader->at += length - 1;
}

static void
read_changed(ImageReader *reader, bool want_old)
{
	const char *bitmap = reader->at;
	int bitmap_len = (reader->count + 7) / 8;

	if (reader->end - reader->at < bitmap_len)
		report_damage();
	reader->at += bitmap_len;
	for (int i = 0; i < reader->count; i++)
		if (bitmap[i / 8] & (1 << (i % 8)))
		{
			read_member(reader, i, want_old);
			read_member(reader, i, !want_old);
		}
}

/*
 * cec.decode_row_image(row_image, operation, side, column_names, column_codes): the row before (side "old") or after
 * ("new"); NULL where there was none, or the image was erased.
 */
Datum
cec_decode_row_image(PG_FUNCTION_ARGS)
{
	bytea *image;
	char *operation;
	bool want_old;
	ImageReader reader;
	int codes;

	for (int i = 0; i < 5; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	image = PG_GETARG_BYTEA_PP(0);
	operation = text_to_cstring(PG_GETARG_TEXT_PP(1));
	want_old = strcmp(text_to_cstring(PG_GETARG_TEXT_PP(2)), "old") == 0;
	if (strcmp(operation, want_old ? "INSERT" : "DELETE") == 0)
		PG_RETURN_NULL();

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(3), TEXTOID, -1, false, TYPALIGN_INT, &reader.names, NULL, &reader.count);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(4), TEXTOID, -1, false, TYPALIGN_INT, &reader.codes, NULL, &codes);
	reader.at = VARDATA_ANY(image);
	reader.end = reader.at + VARSIZE_ANY_EXHDR(image);
	if (codes != reader.count || reader.end - reader.at < 1 + CEC_SCHEMA_HASH_LEN || reader.at[0] != CEC_IMAGE_FORMAT)
		report_damage();
	reader.at += 1 + CEC_SCHEMA_HASH_LEN;

	initStringInfo(&reader.json);
	appendStringInfoChar(&reader.json, '{');
	if (strcmp(operation, "UPDATE") == 0)
		read_changed(&reader, want_old);
	else
		for (int i = 0; i < reader.count; i++)
			read_member(&reader, i, true);
	if (reader.at != reader.end)
		report_damage();
	appendStringInfoChar(&reader.json, '}');
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(reader.json.data)));
}
