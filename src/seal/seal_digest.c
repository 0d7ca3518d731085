/*
 * seal_digest.c
 *		The digest of the log: one line of text to be kept where nobody who can write to the database can write.
 *
 *		cec-digest-1 PORTFOLIO SYSTEM_ID BLOCK_NO TREE_SIZE ROOT SEALED_AT
 *
 * Fields are divided by single spaces.  Bytes of the portfolio's name other than letters, digits,
 * "_", "-", "." and those of characters beyond ASCII are written as % and two hex digits.  SEALED_AT is UTC to the
 * microsecond: 2026-01-31T23:59:59.000000Z.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "seal/seal_digest.h"
#include "support/compat.h"

PG_FUNCTION_INFO_V1(cec_audit_digest);

#define DIGEST_WORD "cec-digest-1"
#define DIGEST_FIELDS 7

static const CecQuery newest_block = {
	"SELECT system_id::bigint, block_no::bigint, tree_size::bigint, root::bytea, sealed_at::timestamptz"
	" FROM @P@.audit_block ORDER BY block_no DESC LIMIT 1",
	0,
	{0},
	CURSOR_OPT_GENERIC_PLAN,
	.results = {INT8OID, INT8OID, INT8OID, BYTEAOID, TIMESTAMPTZOID}};

/* The name of a portfolio as it stands in digests. */
char *
cec_digest_name(const char *portfolio)
{
	StringInfoData name;

	initStringInfo(&name);
	for (const unsigned char *c = (const unsigned char *) portfolio; *c != '\0'; c++)
		if (*c >= 0x80 || (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			strchr("_-.", *c) != NULL)
			appendStringInfoChar(&name, (char) *c);
		else
			appendStringInfo(&name, "%%%02x", *c);
	return name.data;
}

static char *
utc_text(TimestampTz at)
{
	struct pg_tm tm;
	fsec_t fsec;

	if (TIMESTAMP_NOT_FINITE(at) || timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		return pstrdup("unknown");
	return psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min,
					tm.tm_sec, (int) fsec);
}

/* The line of a digest. */
char *
cec_digest_write(const CecDigest *digest, const char *portfolio)
{
	StringInfoData line;

	initStringInfo(&line);
	appendStringInfo(&line, DIGEST_WORD " %s " INT64_FORMAT " " INT64_FORMAT " " INT64_FORMAT " ",
					 cec_digest_name(portfolio), digest->system_id, digest->block_no, digest->tree_size);
	for (int i = 0; i < CEC_HASH_LEN; i++)
		appendStringInfo(&line, "%02x", digest->root.bytes[i]);
	appendStringInfo(&line, " %s", utc_text(digest->sealed_at));
	return line.data;
}

/* Digits alone, behind a minus where that can be. */
static bool
read_number(const char *text, bool can_be_negative, int64 *number)
{
	const char *digits = can_be_negative && *text == '-' ? text + 1 : text;

	if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits))
		return false;
	errno = 0;
	*number = strtoi64(text, NULL, 10);
	return errno == 0;
}

static bool
read_root(const char *text, CecHash *root)
{
	if (strlen(text) != 2 * CEC_HASH_LEN || strspn(text, "0123456789abcdef") != 2 * CEC_HASH_LEN)
		return false;
	hex_decode(text, 2 * CEC_HASH_LEN, (char *) root->bytes);
	return true;
}

static bool
read_time(const char *text, TimestampTz *at)
{
	struct pg_tm tm = {0};
	int micros;
	char rest;
	Timestamp result;

	if (strlen(text) < 27 ||
		sscanf(text, "%d-%2d-%2dT%2d:%2d:%2d.%6d%c", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
			   &tm.tm_sec, &micros, &rest) != 8 ||
		rest != 'Z' || tm2timestamp(&tm, micros, NULL, &result) != 0)
		return false;
	*at = result;
	/* Only what would be written so: no other spelling of the same instant. */
	return strcmp(utc_text(*at), text) == 0;
}

/* Reads a line, which must be exactly what cec_digest_write writes; false when it is not. */
bool
cec_digest_try_read(CecDigest *digest, const char *line)
{
	char *copy = pstrdup(line);
	char *fields[DIGEST_FIELDS + 1];
	int count = 0;

	for (char *at = copy; count <= DIGEST_FIELDS; at++)
	{
		fields[count++] = at;
		at = strchr(at, ' ');
		if (at == NULL)
			break;
		*at = '\0';
	}
	digest->portfolio = count > 1 ? fields[1] : "";
	return count == DIGEST_FIELDS && strcmp(fields[0], DIGEST_WORD) == 0 && fields[1][0] != '\0' &&
		   read_number(fields[2], true, &digest->system_id) && read_number(fields[3], false, &digest->block_no) &&
		   read_number(fields[4], false, &digest->tree_size) && read_root(fields[5], &digest->root) &&
		   read_time(fields[6], &digest->sealed_at);
}

/* The same.  Error: 22P02 when it is not one. */
void
cec_digest_read(CecDigest *digest, const char *line)
{
	if (!cec_digest_try_read(digest, line))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("not a digest of an audit log: \"%.200s\"", line),
				 errhint("A digest is one line as audit_digest returned it, beginning with \"%s\".", DIGEST_WORD)));
}

/* The digest of the last block; false when there is none.  Error XX001 when it is none that a seal wrote. */
bool
cec_digest_last(CecPortfolio *portfolio, CecDigest *digest)
{
	bool found;

	SPI_connect();
	found = cec_query_read(portfolio->plans, &newest_block, NULL, NULL) > 0;
	if (found)
	{
		Datum values[5];
		bool isnull[5];
		bytea *root;

		heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, values, isnull);
		digest->system_id = DatumGetInt64(values[0]);
		digest->block_no = DatumGetInt64(values[1]);
		digest->tree_size = DatumGetInt64(values[2]);
		digest->sealed_at = DatumGetTimestampTz(values[4]);
		root = isnull[3] ? NULL : DatumGetByteaPP(values[3]);
		if (root == NULL || VARSIZE_ANY_EXHDR(root) != CEC_HASH_LEN)
			ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("the last block of the audit log is damaged"),
							errdetail("Its root does not have %d bytes.", CEC_HASH_LEN),
							errhint("See what verify_audit says.")));
		memcpy(digest->root.bytes, VARDATA_ANY(root), CEC_HASH_LEN);
	}
	SPI_finish();
	return found;
}

/* cec._audit_digest(portfolio): the digest of the last block; NULL when there is none. */
Datum
cec_audit_digest(PG_FUNCTION_ARGS)
{
	CecPortfolio *portfolio;
	CecDigest digest;
	bool found;

	cec_portfolio_pin();
	portfolio = cec_portfolio_get(PG_GETARG_OID(0));
	found = cec_digest_last(portfolio, &digest);
	cec_portfolio_unpin();
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(cec_digest_write(&digest, get_namespace_name(PG_GETARG_OID(0)))));
}
