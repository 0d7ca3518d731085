/*
 * seal_block.h
 *		Which block of the log a row belongs to.
 */
#ifndef CEC_SEAL_BLOCK_H
#define CEC_SEAL_BLOCK_H

#include "portfolio/portfolio_cache.h"

/* What a snapshot shows: transactions before xmax but for those in progress. */
typedef struct CecShown
{
	uint64 xmax;
	int count;
	uint64 *in_progress; /* in ascending order */
} CecShown;

/* What a closing block took over of another cluster: the rows that a dump had carried along until then. */
typedef struct CecCarried
{
	int64 system_id;
	uint64 last_xid;
	int64 last_audit_id;
} CecCarried;

/* Its bytes in audit_block.carried. */
#define CEC_CARRIED_LEN 24

typedef struct CecBlock
{
	int64 block_no;
	int64 system_id;
	CecShown shown;
	CecCarried *carried;
	int carried_count;
	bool closing;  /* the first one of all, or after a block of another cluster */
	int64 run_end; /* of a closing block: where the next one is */
} CecBlock;

typedef struct CecBlocks
{
	CecBlock *blocks; /* in order of block_no */
	int64 count;
	int64 space;
	int64 run;
	/* The answer for the row asked for last: rows of a transaction mostly come together. */
	int64 last_system_id;
	uint64 last_xid;
	int64 last_found;
} CecBlocks;

extern void cec_shown_read(CecShown *shown, Datum snapshot);
extern bool cec_shown_has(const CecShown *shown, uint64 xid);
extern void cec_blocks_scan(CecPortfolio *portfolio, CecBlocks *blocks);
extern void cec_blocks_add(CecBlocks *blocks, int64 block_no, int64 system_id, Datum snapshot, const bytea *carried);
extern bytea *cec_carried_write(const CecCarried *carried, int count);
extern CecBlock *cec_blocks_find(CecBlocks *blocks, int64 system_id, uint64 xid, int64 audit_id);

#endif
