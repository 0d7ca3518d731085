/*
 * seal_leaf_cursor.c
 *		Hands out the leaves that are kept, one by one, in the order of their places in the tree.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

#include "seal/seal_leaf_cursor.h"
#include "support/compat.h"

static const CecQuery leaves_in_order = {
	"SELECT first_leaf::bigint, block_no::bigint, coalesce(audit_ids::bigint[], '{}'), coalesce(leaf_hashes::bytea, '')"
	" FROM @P@.audit_leaf ORDER BY first_leaf",
	0,
	{0},
	0,
	.results = {INT8OID, INT8OID, INT8ARRAYOID, BYTEAOID}};

/* Starts with the first leaf, if there is one, inside the caller's SPI connection. */
void
cec_leaf_cursor_begin(CecLeafCursor *stream, CecPortfolio *portfolio)
{
	memset(stream, 0, sizeof(CecLeafCursor));
	cec_cursor_open(&stream->cursor, portfolio->plans, &leaves_in_order, NULL);
	cec_leaf_cursor_next(stream);
}

/* Moves to the row of audit_leaf that comes next; as many leaves as it has both numbers and hashes for. */
static bool
next_chunk(CecLeafCursor *stream)
{
	Datum values[4];
	bool isnull[4];
	bytea *hashes;

	if (stream->ids != NULL)
	{
		pfree(stream->ids);
		pfree(stream->nulls);
		stream->ids = NULL;
	}
	if (!cec_cursor_next(&stream->cursor, values, isnull))
		return false;
	deconstruct_array(DatumGetArrayTypeP(values[2]), INT8OID, sizeof(int64), true, TYPALIGN_DOUBLE, &stream->ids,
					  &stream->nulls, &stream->count);
	hashes = DatumGetByteaPP(values[3]);
	stream->hashes = (const uint8 *) VARDATA_ANY(hashes);
	stream->count = Min(stream->count, (int) (VARSIZE_ANY_EXHDR(hashes) / CEC_HASH_LEN));
	stream->at = 0;
	stream->index = DatumGetInt64(values[0]);
	stream->leaf.block_no = DatumGetInt64(values[1]);
	return true;
}

/* Moves to the next leaf; has_leaf is false after the last. */
void
cec_leaf_cursor_next(CecLeafCursor *stream)
{
	while (stream->at == stream->count)
	{
		stream->has_leaf = next_chunk(stream);
		if (!stream->has_leaf)
			return;
	}
	stream->leaf.audit_id = DatumGetInt64(stream->ids[stream->at]);
	memcpy(stream->leaf.leaf.bytes, stream->hashes + (Size) stream->at * CEC_HASH_LEN, CEC_HASH_LEN);
	if (stream->at++ > 0)
		stream->index++;
}

/* Lets go of it. */
void
cec_leaf_cursor_end(CecLeafCursor *stream)
{
	cec_cursor_close(&stream->cursor);
}
