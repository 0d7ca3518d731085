/*
 * seal_leaf.c
 *		The leaf of a row of the log: what the tree knows of it, byte by byte as src/seal/README.md has it.
 *
 * Rows come as values in the order of CecLogColumn.  Memory of the row (texts that have to be unpacked) is the caller's
 * current context, to be reset from row to row.
 */
#include "postgres.h"

#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "seal/seal_leaf.h"
#include "support/canonical.h"
#include "support/compat.h"

/* Starts making leaves in the current memory context. */
void
cec_leaf_begin(CecLeafMaker *maker, CecHasher *hasher)
{
	maker->hasher = hasher;
	initStringInfo(&maker->input);
}

/* Whether salt and image of a row are gone; whether lawfully is another question. */
bool
cec_leaf_is_erased(const bool *isnull)
{
	return isnull[CEC_LOG_SALT] && isnull[CEC_LOG_ROW_IMAGE];
}

/*
 * SHA-256(salt, image).  False when the row cannot be one that the engine wrote: no image, or a salt of another length,
 * which would let bytes move between the two.
 */
bool
cec_leaf_content(CecLeafMaker *maker, const Datum *values, const bool *isnull, CecHash *content)
{
	bool fine = !isnull[CEC_LOG_SALT] && !isnull[CEC_LOG_ROW_IMAGE];

	cec_hasher_start(maker->hasher);
	for (int column = CEC_LOG_SALT; column <= CEC_LOG_ROW_IMAGE; column++)
	{
		bytea *bytes;

		if (isnull[column])
			continue;
		bytes = DatumGetByteaPP(values[column]);
		cec_hasher_add(maker->hasher, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
		if (column == CEC_LOG_SALT && VARSIZE_ANY_EXHDR(bytes) != CEC_SALT_LEN)
			fine = false;
	}
	cec_hasher_finish(maker->hasher, content);
	return fine;
}

static void
append_int8(StringInfo buf, uint64 value)
{
	value = pg_hton64(value);
	appendBinaryStringInfo(buf, (const char *) &value, sizeof(value));
}

static void
append_part(StringInfo buf, const char *bytes, int length)
{
	cec_canon_append_length(buf, (uint64) length + 1);
	appendBinaryStringInfo(buf, bytes, length);
}

static void
append_text(StringInfo buf, Datum value)
{
	text *bytes = DatumGetTextPP(value);

	append_part(buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

static void
append_header(StringInfo buf, const Datum *values, const bool *isnull)
{
	appendStringInfoCharMacro(buf, CEC_HEADER_FORMAT);
	append_int8(buf, DatumGetInt64(values[CEC_LOG_AUDIT_ID]));
	append_int8(buf, U64FromFullTransactionId(DatumGetFullTransactionId(values[CEC_LOG_XID])));
	append_int8(buf, DatumGetInt64(values[CEC_LOG_SYSTEM_ID]));
	append_int8(buf, DatumGetTimestampTz(values[CEC_LOG_AT]));
	for (int column = CEC_LOG_ACTOR; column <= CEC_LOG_CONTRACT_ID; column++)
	{
		if (isnull[column])
			appendStringInfoCharMacro(buf, 0);
		else if (column >= CEC_LOG_ROW_ID)
		{
			cec_canon_append_length(buf, sizeof(int64) + 1);
			append_int8(buf, DatumGetInt64(values[column]));
		}
		else if (column == CEC_LOG_CLIENT_ADDR)
		{
			char *address = DatumGetCString(DirectFunctionCall1(inet_out, values[column]));

			append_part(buf, address, strlen(address));
		}
		else
			append_text(buf, values[column]);
	}
}

/* A delta may speak of many assets: what is hashed, and stands in proofs, is its hash. */
static void
append_delta(CecLeafMaker *maker, const Datum *values, const bool *isnull)
{
	StringInfo buf = &maker->input;
	bytea *bytes;
	CecHash hash;

	if (isnull[CEC_LOG_DELTA])
	{
		appendStringInfoCharMacro(buf, 0);
		return;
	}
	bytes = DatumGetByteaPP(values[CEC_LOG_DELTA]);
	cec_hasher_start(maker->hasher);
	cec_hasher_add(maker->hasher, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	cec_hasher_finish(maker->hasher, &hash);
	append_part(buf, (const char *) hash.bytes, CEC_HASH_LEN);
}

/* SHA-256(00, header, content). */
void
cec_leaf_make(CecLeafMaker *maker, const Datum *values, const bool *isnull, const CecHash *content, CecHash *leaf)
{
	StringInfo input = &maker->input;

	resetStringInfo(input);
	appendStringInfoCharMacro(input, 0);
	append_header(input, values, isnull);
	append_delta(maker, values, isnull);
	appendBinaryStringInfo(input, (const char *) content->bytes, CEC_HASH_LEN);
	cec_hasher_start(maker->hasher);
	cec_hasher_add(maker->hasher, input->data, input->len);
	cec_hasher_finish(maker->hasher, leaf);
}
