/*
 * seal_erasure.c
 *		Whether an erasure is what the engine recorded.
 *
 * Whoever owns the server can write what he likes into audit_erasure.  So a row of it counts by the entry that the log has of
 * it, which is sealed as any other and is never erased: the only one, made when the row was, of these very values, by whom
 * the row says, at that time.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "audit/audit_columns.h"
#include "seal/seal_erasure.h"
#include "support/canonical.h"
#include "support/compat.h"

/* All entries of the log about an erasure, each with what it must hold, in the order of the columns of audit_erasure. */
static const CecQuery entries = {
	"SELECT coalesce(l.operation = 'INSERT' AND l.actor = e.erased_by AND l.session_user_name = e.session_user_name"
	" AND e.erased_at BETWEEN l.at - interval '1 hour' AND l.at + interval '1 hour', false), l.row_image::bytea,"
	" e.audit_id::bigint, e.content::bytea, e.erased_at::timestamptz, e.erased_by::text, e.session_user_name::text,"
	" e.ground::text FROM @P@.audit_erasure e JOIN @P@.audit_log l ON l.row_id = e.audit_id"
	" WHERE e.audit_id = $1 AND l.table_name = 'audit_erasure'",
	1,
	{INT8OID},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {BOOLOID, BYTEAOID, INT8OID, BYTEAOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID}};

#define ENTRY_IMAGE 1
#define ENTRY_VALUES 2
#define ENTRY_CONTENT 3
#define ENTRY_COLUMNS 8

/* Who erased and when, as the log has it. */
static const CecQuery told = {"SELECT format('Erased by %s (%s) at %s UTC: %s', l.actor, l.session_user_name,"
							  " to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), e.ground)"
							  " FROM @P@.audit_erasure e JOIN @P@.audit_log l ON l.row_id = e.audit_id"
							  " WHERE e.audit_id = $1 AND l.table_name = 'audit_erasure'",
							  1,
							  {INT8OID},
							  CURSOR_OPT_GENERIC_PLAN,
							  .results = {TEXTOID}};

/* Erasures of rows that are not erased. */
static const CecQuery idle = {
	"SELECT e.audit_id::bigint, l.audit_id IS NOT NULL FROM @P@.audit_erasure e LEFT JOIN @P@.audit_log l USING (audit_id)"
	" WHERE l.audit_id IS NULL OR l.salt IS NOT NULL OR l.row_image IS NOT NULL",
	0,
	{0},
	0,
	.results = {INT8OID, BOOLOID}};

/* Whether the image of an entry begins with the values of the erasure; what users add to the table comes behind them. */
static bool
fits(const Datum *values, const bool *isnull)
{
	static const Oid types[ENTRY_COLUMNS] = {
		[ENTRY_VALUES] = INT8OID, BYTEAOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID};
	const int head = 1 + CEC_SCHEMA_HASH_LEN;
	StringInfoData expected;
	bytea *image;

	for (int i = 0; i < ENTRY_COLUMNS; i++)
		if (isnull[i])
			return false;
	initStringInfo(&expected);
	for (int i = ENTRY_VALUES; i < ENTRY_COLUMNS; i++)
		cec_canon_append_part(&expected, cec_canon_type(types[i]), values[i], false);
	image = DatumGetByteaPP(values[ENTRY_IMAGE]);
	return DatumGetBool(values[0]) && VARSIZE_ANY_EXHDR(image) >= head + expected.len &&
		   memcmp(VARDATA_ANY(image) + head, expected.data, expected.len) == 0;
}

/* What an erased row's content hashed to; false where the log has not recorded the erasure as it stands. */
bool
cec_erasure_find(CecPortfolio *portfolio, int64 audit_id, CecHash *content)
{
	Datum key = Int64GetDatum(audit_id);
	bool found;

	SPI_connect();
	found = cec_query_read(portfolio->plans, &entries, &key, NULL) == 1;
	if (found)
	{
		Datum values[ENTRY_COLUMNS];
		bool isnull[ENTRY_COLUMNS];

		heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, values, isnull);
		found = fits(values, isnull);
		if (found)
		{
			bytea *bytes = DatumGetByteaPP(values[ENTRY_CONTENT]);

			found = VARSIZE_ANY_EXHDR(bytes) == CEC_HASH_LEN;
			if (found)
				memcpy(content->bytes, VARDATA_ANY(bytes), CEC_HASH_LEN);
		}
	}
	SPI_finish();
	return found;
}

/* In words for people; NULL where there is nothing to tell. */
char *
cec_erasure_tell(CecPortfolio *portfolio, int64 audit_id)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum key = Int64GetDatum(audit_id);
	char *text = NULL;

	SPI_connect();
	if (cec_query_read(portfolio->plans, &told, &key, NULL) > 0)
		text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (text != NULL)
		text = MemoryContextStrdup(cxt, text);
	SPI_finish();
	return text;
}

/* Hands over erasures of rows that are not erased: their number, and whether there is such a row. */
void
cec_erasure_scan_idle(CecPortfolio *portfolio, CecRowTaker take, void *arg)
{
	SPI_connect();
	cec_query_stream(portfolio->plans, &idle, NULL, take, arg);
	SPI_finish();
}
