/*
 * seal_block.c
 *		Which block a row of the log belongs to, by the snapshots of the blocks.
 *
 * A row belongs to the first block whose snapshot shows its transaction, among the blocks that its own cluster made.  A
 * block whose predecessor is of another cluster, or that has none, closes what a dump carried along: to it also belong
 * the rows of other clusters that are in no block before.  It keeps the last transaction and the last number of each
 * cluster that it took rows of: a log may come back to a cluster, whose new rows are then behind in one or the other, while
 * numbers alone need not grow from cluster to cluster.
 *
 * Kept in memory is what a snapshot says: a few dozen bytes a block.
 */
#include "postgres.h"

#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "seal/seal_block.h"
#include "support/grow.h"
#include "support/search.h"

static const CecQuery block_rows = {
	"SELECT block_no::bigint, system_id::bigint, coalesce(snapshot::pg_snapshot, '1:1:'), carried::bytea"
	" FROM @P@.audit_block ORDER BY block_no",
	0,
	{0},
	0,
	.results = {INT8OID, INT8OID, PG_SNAPSHOTOID, BYTEAOID}};

typedef struct BlockReader
{
	CecBlocks *blocks;
	MemoryContext cxt;
} BlockReader;

/* Reads a pg_snapshot; the result lives in the current memory context. */
void
cec_shown_read(CecShown *shown, Datum snapshot)
{
	char *text = DatumGetCString(DirectFunctionCall1(pg_snapshot_out, snapshot));
	char *at = strchr(text, ':') + 1;
	int space = 0;

	shown->xmax = strtou64(at, &at, 10);
	shown->count = 0;
	for (char *c = at + 1; *c != '\0'; c++)
		if (space == 0 || *c == ',')
			space++;
	shown->in_progress = space > 0 ? palloc(space * sizeof(uint64)) : NULL;
	while (*at != '\0' && at[1] != '\0')
		shown->in_progress[shown->count++] = strtou64(at + 1, &at, 10);
	pfree(text);
}

/* Whether a snapshot shows what a transaction did, if it was not rolled back. */
bool
cec_shown_has(const CecShown *shown, uint64 xid)
{
	int place;

	if (xid >= shown->xmax)
		return false;
	CEC_SEARCH(place, shown->count, shown->in_progress[middle] < xid);
	return place == shown->count || shown->in_progress[place] != xid;
}

/* What audit_block.carried says; what is of no such length says nothing. */
static void
read_carried(CecBlock *block, const bytea *bytes)
{
	const char *at = bytes == NULL ? NULL : VARDATA_ANY(bytes);

	block->carried_count = bytes == NULL || VARSIZE_ANY_EXHDR(bytes) % CEC_CARRIED_LEN != 0
							   ? 0
							   : VARSIZE_ANY_EXHDR(bytes) / CEC_CARRIED_LEN;
	block->carried = block->carried_count > 0 ? palloc(block->carried_count * sizeof(CecCarried)) : NULL;
	for (int i = 0; i < block->carried_count; i++, at += CEC_CARRIED_LEN)
	{
		uint64 parts[3];

		memcpy(parts, at, CEC_CARRIED_LEN);
		block->carried[i].system_id = (int64) pg_ntoh64(parts[0]);
		block->carried[i].last_xid = pg_ntoh64(parts[1]);
		block->carried[i].last_audit_id = (int64) pg_ntoh64(parts[2]);
	}
}

/* The value of audit_block.carried. */
bytea *
cec_carried_write(const CecCarried *carried, int count)
{
	bytea *result = palloc(VARHDRSZ + count * CEC_CARRIED_LEN);

	SET_VARSIZE(result, VARHDRSZ + count * CEC_CARRIED_LEN);
	for (int i = 0; i < count; i++)
	{
		uint64 parts[3] = {pg_hton64((uint64) carried[i].system_id), pg_hton64(carried[i].last_xid),
						   pg_hton64((uint64) carried[i].last_audit_id)};

		memcpy(VARDATA(result) + i * CEC_CARRIED_LEN, parts, CEC_CARRIED_LEN);
	}
	return result;
}

static bool
took_over(const CecBlock *block, int64 system_id, uint64 xid, int64 audit_id)
{
	for (int i = 0; i < block->carried_count; i++)
		if (block->carried[i].system_id == system_id)
			return xid <= block->carried[i].last_xid && audit_id <= block->carried[i].last_audit_id;
	return false;
}

/* Adds the next block; memory is taken from the current context. */
void
cec_blocks_add(CecBlocks *blocks, int64 block_no, int64 system_id, Datum snapshot, const bytea *carried)
{
	CecBlock *block;

	CEC_MAKE_ROOM(blocks->blocks, blocks->count, blocks->space, 64);
	block = &blocks->blocks[blocks->count];
	block->block_no = block_no;
	block->system_id = system_id;
	read_carried(block, carried);
	block->closing = blocks->count == 0 || block[-1].system_id != system_id;
	cec_shown_read(&block->shown, snapshot);
	if (block->closing)
		blocks->run = blocks->count;
	blocks->count++;
	blocks->blocks[blocks->run].run_end = blocks->count;
	blocks->last_found = -1;
}

/* The first of the blocks from first to last, all of one cluster, whose snapshot shows the transaction; -1 if none does. */
static int64
find_in_run(const CecBlocks *blocks, int64 first, int64 last, uint64 xid)
{
	int64 place;

	CEC_SEARCH(place, last + 1 - first, blocks->blocks[first + middle].shown.xmax <= xid);
	place += first;
	while (place <= last && !cec_shown_has(&blocks->blocks[place].shown, xid))
		place++;
	return place <= last ? place : -1;
}

/* The block that a row belongs to; NULL when it is in none yet. */
CecBlock *
cec_blocks_find(CecBlocks *blocks, int64 system_id, uint64 xid, int64 audit_id)
{
	int64 first = 0;

	if (blocks->last_found >= 0 && blocks->last_xid == xid && blocks->last_system_id == system_id)
		return &blocks->blocks[blocks->last_found];
	while (first < blocks->count)
	{
		CecBlock *block = &blocks->blocks[first];

		if (block->system_id == system_id)
		{
			int64 found = find_in_run(blocks, first, block->run_end - 1, xid);

			if (found >= 0)
			{
				/* Where rows of one transaction may be in several blocks, it is not remembered. */
				if (first == 0)
				{
					blocks->last_system_id = system_id;
					blocks->last_xid = xid;
					blocks->last_found = found;
				}
				return &blocks->blocks[found];
			}
		}
		else if (took_over(block, system_id, xid, audit_id))
			return block;
		first = block->run_end;
	}
	return NULL;
}

/* Keeps a row of audit_block. */
static void
take_block(void *arg, TupleTableSlot *row)
{
	BlockReader *reader = arg;
	MemoryContext old = MemoryContextSwitchTo(reader->cxt);

	cec_blocks_add(reader->blocks, DatumGetInt64(row->tts_values[0]), DatumGetInt64(row->tts_values[1]),
				   row->tts_values[2], row->tts_isnull[3] ? NULL : DatumGetByteaPP(row->tts_values[3]));
	MemoryContextSwitchTo(old);
}

/* Reads all blocks into memory of the current context. */
void
cec_blocks_scan(CecPortfolio *portfolio, CecBlocks *blocks)
{
	BlockReader reader = {blocks, CurrentMemoryContext};

	SPI_connect();
	cec_query_stream(portfolio->plans, &block_rows, NULL, take_block, &reader);
	SPI_finish();
}
