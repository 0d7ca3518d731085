/*
 * replay.h
 *		What the parts of replay share: the tables that are compared, and how images of the log are read for it.
 */
#ifndef CEC_REPLAY_H
#define CEC_REPLAY_H

#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/hsearch.h"

#include "audit/audit_columns.h"
#include "portfolio/portfolio_cache.h"
#include "support/keyed_sum.h"

/* A column that a table has now. */
typedef struct CecReplayColumn
{
	char *name;
	char *type_name;
	char *code;
	CecCanonType *type;
	AttrNumber attnum;
	int64 since;	/* the last entry written without this column; 0: all have it */
	int64 left_out; /* rows whose value the log does not tell */
} CecReplayColumn;

typedef struct CecReplayTable
{
	char name[NAMEDATALEN]; /* key: as the log names it */
	Oid relid;				/* invalid: there is none */
	int number;
	int count;
	CecReplayColumn *columns;
	int key;			/* of columns */
	bool many_lists;	/* entries may have other columns than the table */
	bool may_show;		/* the caller may read all its rows */
	int64 lost_entries; /* entries of a table that is not there */
	char *select;		/* query for its rows, in the order of columns */
	SPIPlanPtr one_row; /* for some rows, by key */
} CecReplayTable;

/* A column list that entries were written with. */
typedef struct CecReplayList
{
	char hash[CEC_SCHEMA_HASH_LEN]; /* key */
	CecReplayTable *table;
	int count;
	int *columns; /* of the table's; -1: it has none such any more */
	int64 last;	  /* greatest audit_id written with it */
} CecReplayList;

/* One value of an image; bytes is NULL for NULL. */
typedef struct CecReplayPart
{
	const char *bytes;
	Size length;
} CecReplayPart;

/* Called for each column of an image that the table has; old or new is NULL where there is none. */
typedef void (*CecReplayVisitor)(void *state, int column, const CecReplayPart *old_part, const CecReplayPart *new_part);

/* What is told of a row, or of one value of it, to be added up; flags of an item. */
#define CEC_REPLAY_PRESENT 0x01	   /* it is in the table */
#define CEC_REPLAY_ERASED 0x02	   /* an entry of it was erased */
#define CEC_REPLAY_UNREADABLE 0x04 /* an entry of it cannot be read */
#define CEC_REPLAY_INSERT 0x08
#define CEC_REPLAY_DELETE 0x10
#define CEC_REPLAY_OLD 0x20 /* "old" is set */

typedef struct CecReplayItem
{
	int table;
	int64 row_id;
	int column; /* of the table's; -1: the whole row */
	int flags;
	CecSum sum; /* new values less old ones, or present ones */
	CecSum old; /* of one value: what it was */
} CecReplayItem;

/* One run. */
typedef struct CecReplay
{
	CecPortfolio *portfolio;
	Oid caller;
	CecSumKey key;
	HTAB *tables; /* of CecReplayTable, by name */
	HTAB *lists;  /* of CecReplayList */
	int ntables;
	CecReplayTable **by_number;
	struct Tuplesortstate *items;
	HTAB *links; /* rows whose keys were changed; NULL: none */
	SPIPlanPtr row_entries;
	ReturnSetInfo *result;
	MemoryContext row_cxt;
} CecReplay;

extern char *cec_replay_sql(const CecReplay *replay, const char *text);
extern void cec_replay_find_tables(CecReplay *replay);
extern void cec_replay_find_lists(CecReplay *replay);
extern CecReplayTable *cec_replay_table(CecReplay *replay, const char *name);

extern bool cec_replay_operation(const char *name, CecOperation *operation);
extern const char *cec_replay_read(CecReplay *replay, CecReplayTable *table, CecOperation operation, bytea *image,
								   CecReplayVisitor visit, void *state);
extern CecSum cec_replay_hash(const CecReplay *replay, int column, const CecReplayPart *part);

extern void cec_replay_begin_sums(CecReplay *replay);
extern void cec_replay_put(CecReplay *replay, const CecReplayItem *item);
extern void cec_replay_link(CecReplay *replay, int table, int64 one, int64 other);
extern void cec_replay_judge(CecReplay *replay);

extern void cec_replay_report(CecReplay *replay, const CecReplayTable *table, const char *kind, const int64 *row_id,
							  const char *column, const char *detail);
extern void cec_replay_look(CecReplay *replay, CecReplayTable *table, const int64 *row_ids, int count);

#endif
